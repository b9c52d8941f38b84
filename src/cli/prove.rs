//! `nearmiss prove`: what holds for every request there could be, not only for recorded ones.

#[cfg(feature = "prove")]
mod solver;

use std::path::PathBuf;

use super::exit;

/// Prove that NEW permits nothing that OLD stopped, or show a request that it lets through
///
/// Not over recorded actions, but over every request that the schema allows, with an SMT solver (cvc5) on this machine.
/// Without one, or where it gives up, nothing is proved and the exit code is 2.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, after_help = AFTER)]
pub(super) struct Arguments {
    #[command(subcommand)]
    question: Option<Question>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    how: How,
}

/// The two policies of a question.
#[derive(Debug, clap::Args)]
struct Which {
    /// The policy before: a file, a folder, `REV:PATH`, or `builtin:NAME`
    #[arg(required_unless_present = "base")]
    old: Option<String>,
    /// The policy after
    #[arg(required_unless_present = "base")]
    new: Option<String>,
    /// Instead of OLD and NEW: what nearmiss.toml says is in force, in this revision of git (the last commit that it has
    /// in common with HEAD) and here
    #[arg(long, value_name = "REV", conflicts_with_all = ["old", "new"])]
    base: Option<String>,
}

const AFTER: &str = "The solver is the program in the environment variable CVC5, else `cvc5` on the path. Debian and Ubuntu: \
apt-get install cvc5 (or scripts/install-solver of nearmiss).\n\n\
Exit codes: 0 proved, 1 refuted, 2 not proved, usage or configuration";

#[derive(Debug, clap::Subcommand)]
enum Question {
    /// Prove that two policies stop the same requests, or show one that only one of them stops
    Equivalent {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        how: How,
    },
    /// Find rules that no request can meet, and rules that never decide alone
    Never {
        /// Rules to ask about, by id [default: all]
        rules: Vec<String>,
        /// The policy: a file, a folder, `REV:PATH` or `builtin:NAME` [default: what nearmiss.toml says]
        #[arg(long, value_name = "POLICY")]
        policy: Vec<String>,
        #[command(flatten)]
        how: How,
    },
}

#[derive(Debug, clap::Args)]
struct How {
    /// Give up on one question after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    limit: u64,
    /// Solvers at once [default: one per core]
    #[arg(short, long, value_name = "N")]
    jobs: Option<std::num::NonZeroUsize>,
    /// Add counterexamples that can be written as actions to a file of cases
    #[arg(long, value_name = "FILE")]
    cases: Option<PathBuf>,
    /// How to tell it: text or json
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
    format: String,
    /// Write the report to a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The configuration that says what names mean [default: nearmiss.toml, found upwards from here]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[cfg(not(feature = "prove"))]
pub(super) fn run(arguments: Arguments) -> anyhow::Result<u8> {
    // They were read, so that a mistake in them is told first.
    drop(arguments);
    super::terminal::error(&anyhow::anyhow!(
        "not proved: this nearmiss was built without proofs; build it with them (cargo install --path . --features prove) \
         and install the solver cvc5 (apt-get install cvc5)"
    ));
    Ok(exit::USAGE)
}

#[cfg(feature = "prove")]
pub(super) use with_solver::run;

#[cfg(feature = "prove")]
mod with_solver {
    use std::io::Write;
    use std::path::Path;
    use std::time::{Duration, Instant};

    use anyhow::{Context, bail};

    use crate::cli::gate::common;
    use crate::cli::setup::{Chosen, Setup};
    use crate::cli::side::Side;
    use crate::cli::terminal;
    use crate::engine::prove::{self, Claim, Proof};
    use crate::policy::Policy;
    use crate::policy::prove::Solver;
    use crate::report::prove::{Heading, Told};

    use super::solver::{Process, find};
    use super::{Arguments, How, Question, Which, exit};

    pub(in crate::cli) fn run(arguments: Arguments) -> anyhow::Result<u8> {
        match arguments.question {
            Some(Question::Equivalent { which, how }) => change(Claim::Equivalent, which, &how),
            Some(Question::Never { rules, policy, how }) => never(&rules, &policy, &how),
            None => change(Claim::Kept, arguments.which, &arguments.how),
        }
    }

    /// The policies before and after.
    fn sides(which: Which, how: &How) -> anyhow::Result<(Side, Side)> {
        match which {
            Which { base: Some(revision), .. } => {
                let head = Side::here(how.config.clone(), &[])?;
                let revision = common(&head, &revision)?;
                Ok((Side::at(&revision, how.config.clone())?, head))
            }
            Which { old: Some(old), new: Some(new), .. } => {
                let mut base = Side::named(how.config.clone(), &old)?;
                let mut head = Side::named(how.config.clone(), &new)?;
                // A policy that is named is meant whole.
                base.config.policy.off.clear();
                head.config.policy.off.clear();
                Ok((base, head))
            }
            _ => bail!("name two policies: `nearmiss prove OLD NEW`"),
        }
    }

    fn change(claim: Claim, which: Which, how: &How) -> anyhow::Result<u8> {
        let started = Instant::now();
        if how.cases.is_some() {
            terminal::refuse_to_write_in_ci()?;
        }
        let (base, head) = sides(which, how)?;
        let said = head.said();
        let setup = Setup::compare(&base, head)?;
        let permits = |policy: Option<&Policy>| policy.is_some_and(Policy::permits);
        let before = setup.engine.base_policy();
        if !permits(Some(setup.engine.policy())) && (claim == Claim::Kept || !permits(before)) {
            bail!(
                "not proved: {said} has no `permit`, so nothing passes it whatever its rules say; name the whole policy, or \
                 compare what nearmiss.toml puts together: `nearmiss prove --base REV`"
            );
        }
        if setup.engine.meanings().is_some() {
            terminal::note(
                "nearmiss.toml says something else after the change about environments, actors, labels or programs; \
                 the proof is about rules alone",
            );
        }
        let (solvers, solver) = solvers(how)?;
        let proof = prove::change(&setup.engine, claim, solvers).map_err(anyhow::Error::msg)?;
        let proof = proof.context("there is nothing to compare with")?;
        if let Some(file) = &how.cases {
            write_cases(file, &proof)?;
        }
        let before = setup.engine.base_policy().map(|policy| base.heading(policy)).unwrap_or_default();
        let heading = Heading { solver, policies: vec![before, setup.heading], elapsed: started.elapsed() };
        tell(&Told::Change(&proof), &heading, how)?;
        Ok(if proof.is_refuted() {
            exit::FAILED
        } else if proof.holds() {
            exit::OK
        } else {
            exit::USAGE
        })
    }

    fn never(rules: &[String], policy: &[String], how: &How) -> anyhow::Result<u8> {
        let started = Instant::now();
        let chosen = Chosen { config: how.config.clone(), policy: policy.to_vec(), ..Chosen::default() };
        let setup = Setup::new(chosen)?;
        let policy = setup.engine.policy();
        if let Some(unknown) = rules.iter().find(|id| !policy.rules().iter().any(|rule| rule.id == **id)) {
            bail!("{} has no rule `{unknown}`", setup.heading.policies.join(" + "));
        }
        let (solvers, solver) = solvers(how)?;
        let answers = prove::rules(policy, rules, solvers).map_err(anyhow::Error::msg)?;
        if answers.is_empty() {
            bail!("not proved: there is no rule in {}", setup.heading.policies.join(" + "));
        }
        let heading = Heading { solver, policies: vec![setup.heading], elapsed: started.elapsed() };
        tell(&Told::Rules(&answers), &heading, how)?;
        let is = |wanted: fn(&prove::Fires) -> bool| answers.iter().any(|(_, fires)| wanted(fires));
        Ok(if is(|fires| matches!(fires, prove::Fires::Never)) {
            exit::FAILED
        } else if is(|fires| matches!(fires, prove::Fires::Open(_))) {
            exit::USAGE
        } else {
            exit::OK
        })
    }

    /// As many as wanted, the first one tried out, and what it calls itself.
    fn solvers(how: &How) -> anyhow::Result<(Vec<Box<dyn Solver>>, String)> {
        let Some(program) = find() else {
            bail!(
                "not proved: there is no SMT solver here; install cvc5 (apt-get install cvc5), or name its program in the \
                 environment variable CVC5"
            );
        };
        let limit = Duration::from_secs(how.limit);
        let jobs = how.jobs.or_else(|| std::thread::available_parallelism().ok()).map_or(1, usize::from);
        let mut first = Process::new(&program, limit);
        let shown = program.display();
        first.check().map_err(|error| anyhow::anyhow!("not proved: the solver {shown} cannot be used: {error}"))?;
        let others = (1..jobs).map(|_| Process::new(&program, limit));
        let all = std::iter::once(first).chain(others).map(|solver| Box::new(solver) as Box<dyn Solver>);
        Ok((all.collect(), Process::version(&program)))
    }

    fn tell(told: &Told<'_>, heading: &Heading, how: &How) -> anyhow::Result<()> {
        let is_json = how.format == "json";
        let mut out = terminal::output(how.output.as_deref(), !is_json)?;
        if is_json {
            told.json(heading, &mut *out)?
        } else {
            told.text(heading, &mut *out)?
        }
        out.flush()?;
        Ok(())
    }

    fn write_cases(file: &Path, proof: &Proof) -> anyhow::Result<()> {
        let cases: Vec<String> = proof.cases().collect();
        if cases.is_empty() {
            return Ok(());
        }
        let shown = file.display();
        let mut opened = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(file)
            .with_context(|| format!("failed to write {shown}"))?;
        let is_empty = opened.metadata().map_or(true, |data| data.len() == 0);
        let text = cases.join("\n");
        write!(opened, "{}{text}", if is_empty { "" } else { "\n" }).with_context(|| format!("failed to write {shown}"))
    }
}
