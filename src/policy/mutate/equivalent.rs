//! Proves that a change of a condition changes nothing: for facts with few values, by trying all of them.

use std::sync::Arc;

use super::super::Request;
use super::super::compile::{Conjunct, Test};
use super::super::evaluate::{Truth, truth};
use super::super::expression::Expr;
use super::super::facts::Fact;
use crate::model::{
    Action, ActionId, Actor, ActorKind, Certainty, CodeOrigin, Effect, Environment, Executed, Extent, Kind, Operation,
    Origin, Outcome, Resource, ResourceKind, Reversibility, SessionFacts, Surroundings, Zone,
};

/// More combinations than this are not tried.
const MOST: usize = 50_000;

/// Whether `before` and `after` (`None` for a condition that is gone) say the same wherever `others` hold.
pub(super) fn is_same(before: Option<&Conjunct>, after: Option<&Conjunct>, others: &[&Conjunct]) -> bool {
    let changed: Vec<&Conjunct> = before.into_iter().chain(after).collect();
    if !changed.iter().all(|conjunct| is_closed(conjunct)) {
        return false;
    }
    let mut facts: Vec<Fact> = changed.iter().flat_map(|conjunct| conjunct.facts.iter().copied()).collect();
    tidy(&mut facts);
    let mut given = Vec::new();
    for other in others.iter().filter(|other| is_closed(other)) {
        if !other.facts.iter().any(|fact| facts.contains(fact)) {
            continue;
        }
        let mut more = facts.clone();
        more.extend(&other.facts);
        tidy(&mut more);
        if combinations(&more) <= MOST {
            facts = more;
            given.push(*other);
        }
    }
    let all = combinations(&facts);
    if all > MOST {
        return false;
    }
    let mut stage = Stage::default();
    (0..all).all(|number| {
        stage.set_all(&facts, number);
        let holds = Truth { holds: Ok(true), unsure: false };
        let says = |conjunct: Option<&Conjunct>| conjunct.map_or(holds.clone(), |conjunct| stage.ask(conjunct));
        given.iter().any(|other| stage.ask(other) != holds) || says(before) == says(after)
    })
}

fn tidy(facts: &mut Vec<Fact>) {
    facts.sort();
    facts.dedup();
}

fn combinations(facts: &[Fact]) -> usize {
    facts.iter().fold(1, |all, fact| all.saturating_mul(values(*fact).unwrap_or(usize::MAX)))
}

/// Only asks for facts with few values.
fn is_closed(conjunct: &Conjunct) -> bool {
    match &conjunct.test {
        Test::Compiled(expr) => closed(expr),
        Test::Slow(_) => false,
    }
}

fn closed(expr: &Expr) -> bool {
    match expr {
        Expr::Value(_) | Expr::Is(..) => true,
        Expr::Fact(Fact::Principal | Fact::Resource) => false,
        Expr::Fact(fact) | Expr::Has(fact) => values(*fact).is_some(),
        Expr::Not(inner) | Expr::OneOf(_, inner) => closed(inner),
        Expr::And(left, right) | Expr::Or(left, right) | Expr::Equal(left, right) => closed(left) && closed(right),
        Expr::In(Fact::Action, _) => true,
        Expr::In(Fact::Resource, places) => places.areas.0 == 0 && places.others.is_empty(),
        _ => false,
    }
}

/// How many values a fact has; `None` for names, texts and numbers.
fn values(fact: Fact) -> Option<usize> {
    Some(match fact {
        Fact::Principal => ActorKind::ALL.len(),
        Fact::Action => Operation::ALL.len(),
        Fact::Resource => ResourceKind::ALL.len(),
        Fact::Extent => Extent::ALL.len(),
        Fact::Reversible => Reversibility::ALL.len(),
        Fact::Certainty => Certainty::ALL.len(),
        Fact::Code => CodeOrigin::ALL.len() + 1,
        Fact::Zone => Zone::ALL.len() + 1,
        Fact::Kind => Kind::ALL.len(),
        Fact::Executed => Executed::ALL.len(),
        Fact::Environment => Environment::ALL.len(),
        Fact::DryRun
        | Fact::GuardOff
        | Fact::Elevated
        | Fact::Cascades
        | Fact::InTransaction
        | Fact::Approved
        | Fact::ReadSecret
        | Fact::ReadUntrusted
        | Fact::TurnedGuardOff
        | Fact::SwitchedEnvironment
        | Fact::LastFailed
        | Fact::FolderMissing
        | Fact::DirtyTree
        | Fact::UntrackedFiles
        | Fact::LostWork
        | Fact::IsCheckout
        | Fact::MovedInPart => 2,
        _ => return None,
    })
}

/// A request in which every such fact can be set.
struct Stage {
    action: Action,
    effect: Effect,
    environment: Environment,
    session: SessionFacts,
}

impl Default for Stage {
    fn default() -> Self {
        let action = Action {
            id: ActionId::default(),
            time: None,
            actor: Arc::default(),
            session: "".into(),
            kind: Kind::Shell,
            text: "".into(),
            argv: None,
            tool: None,
            arguments: None,
            surroundings: Arc::new(Surroundings::default()),
            outcome: Outcome::default(),
            approved: false,
            gaps: Vec::new(),
            origin: Origin { file: "".into(), line: 0, offset: 0, format: "" },
        };
        let effect = Effect::new(Operation::Read, Resource::new(ResourceKind::File, ""));
        Self { action, effect, environment: Environment::Unknown, session: SessionFacts::default() }
    }
}

impl Stage {
    /// One combination of values: the first fact counts up fastest.
    fn set_all(&mut self, facts: &[Fact], mut number: usize) {
        for fact in facts {
            let many = values(*fact).unwrap_or(1);
            self.set(*fact, number % many);
            number /= many;
        }
    }

    fn set(&mut self, fact: Fact, value: usize) {
        let yes = value == 1;
        let (action, effect, session) = (&mut self.action, &mut self.effect, &mut self.session);
        match fact {
            Fact::Principal => action.actor = Arc::new(Actor { kind: ActorKind::ALL[value], ..Actor::default() }),
            Fact::Action => effect.operation = Operation::ALL[value],
            Fact::Resource => effect.resource.kind = ResourceKind::ALL[value],
            Fact::Extent => effect.extent = Extent::ALL[value],
            Fact::Reversible => effect.reversible = Reversibility::ALL[value],
            Fact::Certainty => effect.certainty = Certainty::ALL[value],
            Fact::Code => effect.code = CodeOrigin::ALL.get(value).copied(),
            Fact::Zone => effect.zone = Zone::ALL.get(value).copied(),
            Fact::Kind => action.kind = Kind::ALL[value],
            Fact::Executed => action.outcome.executed = Executed::ALL[value],
            Fact::Environment => self.environment = Environment::ALL[value],
            Fact::DryRun => effect.dry_run = yes,
            Fact::GuardOff => effect.guard_off = yes,
            Fact::Elevated => effect.elevated = yes,
            Fact::Cascades => effect.cascades = yes,
            Fact::InTransaction => effect.in_transaction = yes,
            Fact::Approved => action.approved = yes,
            Fact::ReadSecret => session.read_secret = yes,
            Fact::ReadUntrusted => session.read_untrusted = yes,
            Fact::TurnedGuardOff => session.turned_guard_off = yes,
            Fact::SwitchedEnvironment => session.switched_environment = yes,
            Fact::LastFailed => session.last_failed = yes,
            Fact::FolderMissing => session.folder_missing = yes,
            Fact::DirtyTree => session.dirty_tree = yes,
            Fact::UntrackedFiles => session.untracked_files = yes,
            Fact::LostWork => session.lost_work = yes,
            Fact::IsCheckout => session.is_checkout = yes,
            Fact::MovedInPart => session.moved_in_part = yes,
            _ => {}
        }
    }

    fn ask(&self, conjunct: &Conjunct) -> Truth {
        let request = Request {
            action: &self.action,
            effect: &self.effect,
            environment: self.environment,
            labels: &[],
            session: &self.session,
        };
        match &conjunct.test {
            Test::Compiled(expr) => truth(expr, &request),
            // Not reached: it is not closed.
            Test::Slow(_) => Truth { holds: Ok(true), unsure: true },
        }
    }
}
