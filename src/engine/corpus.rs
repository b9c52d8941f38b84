//! Incidents that happened to others, replayed through a policy: would it have stopped them?
//!
//! One file, one incident: what was done, in our own record format, what its surroundings were, and twins that differ
//! in one condition and are harmless. An incident is played three times over: with everything that is known of its
//! circumstances, without them, and each of its twins.

mod builtin;
mod file;

pub use builtin::{INCIDENTS, builtin};
pub(in crate::engine) use file::records;
pub use file::{CorpusError, Decidable, Incident, Nearness, Twin};

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::{Action, Decision, Finding, Outcome, RuleInfo, Surroundings};

use super::near_miss::barrier::Distance;
use super::{Config, Engine, Session};

/// What became of one incident.
#[derive(Clone, Debug)]
pub struct Outline {
    pub incident: Arc<Incident>,
    /// With everything that is known of its circumstances.
    pub with: Played,
    /// Without its surroundings, without results, without what went before.
    pub without: Decision,
    /// Ids of the rules that stop it.
    pub rules: BTreeSet<String>,
    pub twins: Vec<Played>,
}

/// What became of one run of actions.
#[derive(Clone, Debug)]
pub struct Played {
    /// The strictest decision over the actions that matter.
    pub decision: Decision,
    /// The rule that decided first and strictest.
    pub rule: Option<Arc<RuleInfo>>,
    /// Of a twin that is allowed: how far it is from the rules that stop the incident.
    pub near: Option<Distance>,
}

impl Outline {
    /// The incident is stopped, or as undecided as it has to be.
    pub fn holds(&self) -> bool {
        let with = self.with.decision >= self.incident.expects();
        let context = self.incident.decidable == Decidable::Context && self.incident.known.is_none();
        with && (!context || self.without >= Decision::Undecided)
    }

    /// The incident, its twins and how near they are.
    pub fn is_as_expected(&self) -> bool {
        self.holds() && self.twins_wrong() == 0 && self.nearness_wrong().next().is_none()
    }

    /// Twins that pass.
    pub fn twins_passed(&self) -> usize {
        self.twins.iter().filter(|twin| twin.decision < Decision::Ask).count()
    }

    /// Twins that are stopped although nothing says that they may be.
    pub fn twins_wrong(&self) -> usize {
        let wrong = |(twin, played): &(&Twin, &Played)| played.decision >= Decision::Ask && twin.known.is_none();
        self.incident.twins.iter().zip(&self.twins).filter(wrong).count()
    }

    /// Twins that are not as near as their file says, by their place: what it says and what there is. A policy that
    /// does not have the rule is not held to it.
    pub fn nearness_wrong(&self) -> impl Iterator<Item = (usize, &Nearness, Option<&Distance>)> + '_ {
        let twins = self.incident.twins.iter().zip(&self.twins).enumerate();
        twins.filter_map(|(at, (twin, played))| {
            let (written, near) = (twin.near.as_ref()?, played.near.as_ref());
            let is_held = match written {
                Nearness::Near(steps) => self.rules.contains(&steps.rule),
                Nearness::Far(_) => !self.rules.is_empty(),
            };
            (is_held && !written.is(near)).then_some((at, written, near))
        })
    }
}

/// Plays one incident and its twins.
pub fn play(engine: &Engine, incident: &Arc<Incident>) -> Outline {
    let own = engine.under(&incident.config);
    let mut rules = BTreeSet::new();
    let with = run(&own, &incident.actions, |finding| {
        rules.extend(finding.verdict.hits.iter().map(|hit| hit.rule.id.clone()));
        None
    });
    let bare: Vec<_> = incident.actions.iter().filter(|(_, before)| !before).map(|(a, b)| (stripped(a), *b)).collect();
    let without = run(&engine.under(&Config::default()), &bare, |_| None).decision;
    let twins = incident.twins.iter().map(|twin| {
        let own = engine.under(twin.config.as_ref().unwrap_or(&incident.config));
        run(&own, &twin.actions, |finding| own.distance(finding, &rules))
    });
    Outline { incident: Arc::clone(incident), with, without, twins: twins.collect(), rules: rules.clone() }
}

/// Decides actions in order; those that only lead up to it do not count. `near` is asked how far each of the others is.
fn run(engine: &Engine, actions: &[(Action, bool)], mut near: impl FnMut(&Finding) -> Option<Distance>) -> Played {
    let mut session = Session::default();
    let mut played = Played { decision: Decision::Allow, rule: None, near: None };
    for (action, before) in actions {
        let finding = engine.decide(action.clone(), &mut session);
        if *before {
            continue;
        }
        let nearest = [played.near.take(), near(&finding)].into_iter().flatten().min();
        let verdict = finding.verdict;
        if verdict.decision > played.decision {
            played = Played {
                decision: verdict.decision,
                rule: verdict.hits.first().map(|hit| Arc::clone(&hit.rule)),
                near: None,
            };
        }
        played.near = nearest.filter(|_| played.decision == Decision::Allow);
    }
    played
}

/// The action as a log without surroundings and results would have it.
fn stripped(action: &Action) -> Action {
    let around = &action.surroundings;
    let surroundings = Surroundings {
        cwd: around.cwd.clone(),
        home: around.home.clone(),
        dialect: around.dialect.clone(),
        ..Surroundings::default()
    };
    Action { surroundings: Arc::new(surroundings), outcome: Outcome::default(), approved: false, ..action.clone() }
}
