//! The wire to a solver: questions in SMT-LIB go out as text, answers come back as text.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use cedar_policy_symcc::err::{Error, SolverError};
use cedar_policy_symcc::solver::{self, Decision, DecisionWithModel};
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicySet, Env, SmtLibScript};

/// Whoever answers questions in SMT-LIB: a process, as a rule.
pub trait Solver: Send {
    /// Asks one question that stands for itself: it begins with `(reset)`, ends with its last assertion, and wants a
    /// model if there is one.
    ///
    /// # Errors
    /// When there is no answer, with what to tell the user about it.
    fn ask(&mut self, question: &str) -> Result<Reply, String>;
}

/// What a solver says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// There is such a request; the model as it was printed, from its `(` to its `)`.
    Sat(String),
    Unsat,
    Unknown,
}

/// A request that `stricter` denies and `milder` allows, if there is one.
pub(super) fn implied(
    milder: &CompiledPolicySet,
    stricter: &CompiledPolicySet,
    solver: &mut dyn Solver,
) -> Result<Option<Env>, Box<Error>> {
    let mut compiler = CedarSymCompiler::new(Wire { question: Vec::new(), solver }).map_err(Box::new)?;
    let asked = compiler.check_implies_with_counterexample_opt(milder, stricter);
    // Nothing in it waits: it writes to memory and calls a function.
    match pin!(asked).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer.map_err(Box::new),
        Poll::Pending => {
            Err(Box::new(Error::SolverError(SolverError::Solver("the question was never finished".to_owned()))))
        }
    }
}

/// A solver as Cedar's compiler wants it. The compiler is written for a process on an asynchronous runtime; a question
/// is gathered in memory instead.
struct Wire<'s> {
    question: Vec<u8>,
    solver: &'s mut dyn Solver,
}

impl Wire<'_> {
    fn ask(&mut self) -> Result<Reply, SolverError> {
        let question = String::from_utf8_lossy(&std::mem::take(&mut self.question)).into_owned();
        self.solver.ask(&question).map_err(SolverError::Solver)
    }
}

impl solver::Solver for Wire<'_> {
    fn smtlib_input(&mut self) -> &mut (dyn tokio::io::AsyncWrite + Unpin + Send) {
        &mut self.question
    }

    async fn enable_models(&mut self) -> Result<(), SolverError> {
        self.smtlib_input().set_option("produce-models", "true").await.map_err(Into::into)
    }

    async fn check_sat(&mut self) -> Result<Decision, SolverError> {
        Ok(match self.ask()? {
            Reply::Sat(_) => Decision::Sat,
            Reply::Unsat => Decision::Unsat,
            Reply::Unknown => Decision::Unknown,
        })
    }

    async fn check_sat_with_model(&mut self) -> Result<DecisionWithModel, SolverError> {
        Ok(match self.ask()? {
            Reply::Sat(model) => DecisionWithModel::Sat { model },
            Reply::Unsat => DecisionWithModel::Unsat,
            Reply::Unknown => DecisionWithModel::Unknown,
        })
    }
}
