//! Proofs: policies as questions to an SMT solver, through Cedar's symbolic compiler.
//!
//! The question is always the same: can a request be stopped by these rules and by none of those? It is asked per
//! [`Cell`] of environments (operation, kind of resource, kind of actor) that the rules do not tell apart. The solver is
//! somebody else's: text goes out through [`Solver`] and text comes back, so that nothing here starts a process. What it
//! claims to have found is built as a request of ours and judged again before anybody hears of it.

mod cells;
mod refine;
mod situation;
mod wire;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use cedar_policy::{
    Authorizer, Decision as Said, EntityId, EntityTypeName, EntityUid, PolicyId, PolicySet, RequestEnv, Schema,
};
use cedar_policy_symcc::err::Error;
use cedar_policy_symcc::{CompiledPolicySet, Env, SymEnv};

pub use cells::{Cell, Cells, Place, Sides};
pub use situation::Situation;
pub use wire::{Reply, Solver};

use refine::rules;

use super::compile::Test;
use super::expression::Expr;
use super::{Judgement, Policy, Rule, SCHEMA};
use crate::model::{ActorKind, Decision, Mode, RuleInfo, words};

words! {
    /// Which decisions count as a stop.
    Tier {
        /// `ask` or `block`.
        Stop = "stop",
        Block = "block",
    }
}

impl Tier {
    /// Whether a rule takes part: it is enforced and strict enough. Permits always do.
    fn counts(self, rule: &Rule) -> bool {
        let strict = |info: &Arc<RuleInfo>| info.mode == Mode::Enforce && info.decision >= self.least();
        rule.info.as_ref().is_none_or(strict)
    }

    /// The mildest decision of this tier.
    pub const fn least(self) -> Decision {
        match self {
            Self::Stop => Decision::Ask,
            Self::Block => Decision::Block,
        }
    }
}

/// What the solver says about a cell.
#[derive(Clone, Debug)]
pub enum Answer {
    /// No request is stopped by the one side and not by the other.
    Proved,
    /// This one is, and was judged again.
    Found(Found),
    /// Nothing is known, and why.
    Open(String),
}

/// A request that one side stops and the other does not.
#[derive(Clone, Debug)]
pub enum Found {
    /// One that nearmiss could meet, made as plain as it goes.
    Request(Box<Situation>),
    /// One that only Cedar's authorizer agrees to: no action makes it. In Cedar's words.
    Cedar(String),
}

/// Puts questions about two policies (which may be one and the same).
pub struct Prover<'p> {
    sides: Sides<'p>,
    schema: Schema,
    everything: cedar_policy::Policy,
    world: Vec<cedar_policy::Policy>,
    words: cells::Words,
    /// Questions that are proved: many cells put the same.
    proved: Mutex<BTreeSet<refine::Unanswerable>>,
}

impl std::fmt::Debug for Prover<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prover").field("sides", &self.sides).finish_non_exhaustive()
    }
}

/// What is true of every request that nearmiss makes and the schema cannot say. Only what [`super::entities`] sees to:
/// the environment a resource stands in is the one of the action, and nothing is counted below zero.
const WORLD: &str = r#"
@id("environment")
forbid (principal, action, resource) unless {
  (resource in Environment::"production") == (context.environment == Environment::"production") &&
  (resource in Environment::"staging") == (context.environment == Environment::"staging") &&
  (resource in Environment::"development") == (context.environment == Environment::"development") &&
  (resource in Environment::"test") == (context.environment == Environment::"test") &&
  (resource in Environment::"unknown") == (context.environment == Environment::"unknown")
};
@id("numbers")
forbid (principal, action, resource) when {
  (context has count && context.count < 0) || context.session.destroyed < 0 ||
  context.session.destroyed_recently < 0 || context.session.repeated < 0 || context.session.sweep < 0 ||
  context.session.denials < 0
};
"#;

impl<'p> Prover<'p> {
    /// # Errors
    /// When Cedar does not take our own schema: a bug.
    pub fn new(sides: Sides<'p>) -> Result<Self, String> {
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).map_err(|error| error.to_string())?;
        let parsed = |text: &str| text.parse::<PolicySet>().map_err(|error| error.to_string());
        let named = |set: PolicySet| -> Vec<cedar_policy::Policy> {
            // No rule has such an id: ids have no spaces in front.
            set.policies().map(|policy| policy.new_id(PolicyId::new(format!(" nearmiss {}", policy.id())))).collect()
        };
        let mut everything = named(parsed("permit (principal, action, resource);")?);
        let everything = everything.pop().ok_or("no permit")?.new_id(PolicyId::new(" nearmiss permit"));
        let (words, world) = (cells::Words::new(sides), named(parsed(WORLD)?));
        Ok(Self { sides, schema, everything, world, words, proved: Mutex::default() })
    }

    /// Whether a request of this cell is stopped by its rules before and by none of those after.
    ///
    /// `near` are requests that other cells came across: stopped by a rule in question, and then by another one. Those
    /// of this cell come back with the answer.
    pub fn answer(&self, cell: &Cell, near: &[Situation], solver: &mut dyn Solver) -> (Answer, Vec<Situation>) {
        let Some((place, request)) = cell.places.first().and_then(|place| Some((*place, place.request()?))) else {
            return (Answer::Open("there is nothing to ask about".to_owned()), Vec::new());
        };
        let before = rules(self.sides.before, &cell.before);
        let changed = before.iter().filter(|rule| cell.tier == Tier::Stop && cell.changed.0.contains(&rule.id));
        if let Some(rule) = changed.into_iter().find(|rule| cell.rule.is_none() && self.can_fail(rule)) {
            let why = format!(
                "rule `{}` calculates, and a number that grows too large makes it ask: nobody proves that yet",
                rule.id
            );
            return (Answer::Open(why), Vec::new());
        }
        if cell.same_permits {
            return self.refined(cell, (place, &request), near, solver);
        }
        let after = rules(self.sides.after, &cell.after);
        let answer = match self.ask(&request, &before, &after, true, solver) {
            Ok(None) => Answer::Proved,
            Ok(Some(env)) => match self.checked(cell, situation::read(place, &env)) {
                Some(found) => Answer::Found(Found::Request(Box::new(found))),
                None => self.by_cedar(cell, &env, &before, &after),
            },
            Err(error) => Answer::Open(words(&error)),
        };
        (answer, Vec::new())
    }

    /// A request that was found in another cell, when it is one in this cell as well. Spares a question.
    pub fn answered_by(&self, cell: &Cell, known: &Situation) -> Option<Answer> {
        let mut here = known.clone();
        here.put_in(*cell.places.first()?);
        if !self.holds(cell, &here, Policy::judge) {
            return None;
        }
        here.simplify(|situation| self.holds(cell, situation, Policy::judge));
        let agreed = self.holds(cell, &here, Policy::judge_with_oracle);
        agreed.then(|| Answer::Found(Found::Request(Box::new(here))))
    }

    /// A request that is stopped by `before` and not by `after`, if there is one.
    fn ask(
        &self,
        place: &RequestEnv,
        before: &[&Rule],
        after: &[&Rule],
        permits: bool,
        solver: &mut dyn Solver,
    ) -> Result<Option<Env>, Box<Error>> {
        let mut after = self.set(after, permits);
        for policy in &self.world {
            // Two sets of ids that cannot meet.
            let _ = after.add(policy.clone());
        }
        let symbols = SymEnv::new(&self.schema, place).map_err(Box::new)?;
        let compiled = |set| {
            CompiledPolicySet::compile_with_custom_symenv(set, place, &self.schema, symbols.clone()).map_err(Box::new)
        };
        wire::implied(&compiled(&after)?, &compiled(&self.set(before, permits))?, solver)
    }

    /// The rules as a set that permits everything else, or only what its own permits permit.
    fn set(&self, rules: &[&Rule], permits: bool) -> PolicySet {
        let wanted = rules.iter().filter(|rule| permits || !rule.test.permit).map(|rule| rule.policy.clone());
        let all = (!permits).then(|| self.everything.clone());
        PolicySet::from_policies(wanted.chain(all)).unwrap_or_default()
    }

    /// What the solver found as a request of ours, when both our evaluator and Cedar's authorizer agree to it.
    fn checked(&self, cell: &Cell, ways: Vec<Situation>) -> Option<Situation> {
        let holds = |situation: &Situation| self.holds(cell, situation, Policy::judge);
        let mut found = ways.into_iter().find(holds)?;
        found.simplify(holds);
        self.holds(cell, &found, Policy::judge_with_oracle).then_some(found)
    }

    /// Whether a request is stopped by the rules before and by none of those after.
    fn holds(&self, cell: &Cell, situation: &Situation, judge: fn(&Policy, &super::Request<'_>) -> Judgement) -> bool {
        let request = situation.request();
        let before = judge(self.sides.before, &request);
        if cell.rule.is_some() {
            let met = |names: &[String]| before.met.iter().any(|rule| names.contains(&rule.id));
            return met(&cell.changed.0) && !met(&cell.changed.1);
        }
        let after = judge(self.sides.after, &request);
        decision(&before) >= cell.tier.least() && decision(&after) < cell.tier.least()
    }

    /// What no action of ours can be is still a hole where Cedar's own authorizer says so.
    fn by_cedar(&self, cell: &Cell, env: &Env, before: &[&Rule], after: &[&Rule]) -> Answer {
        let permits = !cell.same_permits;
        let said = |rules: &[&Rule]| {
            Authorizer::new().is_authorized(&env.request, &self.set(rules, permits), &env.entities).decision()
        };
        if said(before) == Said::Deny && said(after) == Said::Allow {
            Answer::Found(Found::Cedar(env.to_string()))
        } else {
            Answer::Open("what the solver found does not hold when it is judged again".to_owned())
        }
    }

    /// A rule that calculates can fail, which makes an action at least `ask`; Cedar would leave the rule out.
    fn can_fail(&self, rule: &Rule) -> bool {
        let calculates = |index: &usize| match self.sides.before.conjuncts.get(*index).map(|conjunct| &conjunct.test) {
            Some(Test::Compiled(expr)) => calculates(expr),
            _ => true,
        };
        rule.test.all.iter().any(calculates)
    }
}

fn calculates(expr: &Expr) -> bool {
    match expr {
        Expr::Arithmetic(..) | Expr::Negative(_) => true,
        Expr::Not(inner) | Expr::Like(inner, _) | Expr::OneOf(_, inner) => calculates(inner),
        Expr::And(left, right)
        | Expr::Or(left, right)
        | Expr::Equal(left, right)
        | Expr::Less(left, right)
        | Expr::LessOrEqual(left, right) => calculates(left) || calculates(right),
        Expr::If(parts) => parts.iter().any(calculates),
        Expr::Value(_) | Expr::Fact(_) | Expr::Has(_) | Expr::Is(..) | Expr::In(..) => false,
    }
}

/// What the rules about one effect decide; what is not known for certain counts as let through.
pub fn decision(judgement: &Judgement) -> Decision {
    let met = judgement.met.iter().filter(|rule| rule.mode == Mode::Enforce).map(|rule| rule.decision).max();
    let failed = (!judgement.errors.is_empty()).then_some(Decision::Ask);
    let refused = judgement.not_permitted.then_some(Decision::Block);
    met.max(failed).max(refused).unwrap_or_default()
}

fn words(error: &Error) -> String {
    match error {
        Error::SolverUnknown => "the solver gave up on it".to_owned(),
        Error::SolverError(error) => error.to_string(),
        Error::ModelInvalid { .. } | Error::DecodeModel(_) | Error::ConcretizeError(_) => {
            "what the solver found cannot be read".to_owned()
        }
        other => other.to_string(),
    }
}

impl Place {
    fn request(self) -> Option<RequestEnv> {
        let kind = |word: &str| word.parse::<EntityTypeName>().ok();
        let action = EntityUid::from_type_name_and_id(kind("Action")?, EntityId::new(self.operation.word()));
        Some(RequestEnv::new(kind(actor(self.actor))?, action, kind(self.kind.word())?))
    }
}

/// The type of a principal.
const fn actor(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::Human => "Human",
        ActorKind::Agent => "Agent",
        ActorKind::Service => "Service",
        ActorKind::Unknown => "Unknown",
    }
}
