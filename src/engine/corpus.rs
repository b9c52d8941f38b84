//! Incidents that happened to others, replayed through a policy: would it have stopped them?
//!
//! One file, one incident: what was done, in our own record format, what its surroundings were, and twins that differ
//! in one condition and are harmless. An incident is played three times over: with everything that is known of its
//! circumstances, without them, and each of its twins.

mod builtin;
mod file;

pub use builtin::{INCIDENTS, builtin};
pub(in crate::engine) use file::records;
pub use file::{CorpusError, Decidable, Incident, Twin};

use std::sync::Arc;

use crate::model::{Action, Decision, Outcome, RuleInfo, Surroundings};

use super::{Config, Engine, Session};

/// What became of one incident.
#[derive(Clone, Debug)]
pub struct Outline {
    pub incident: Arc<Incident>,
    /// With everything that is known of its circumstances.
    pub with: Played,
    /// Without its surroundings, without results, without what went before.
    pub without: Decision,
    pub twins: Vec<Played>,
}

/// What became of one run of actions.
#[derive(Clone, Debug)]
pub struct Played {
    /// The strictest decision over the actions that matter.
    pub decision: Decision,
    /// The rule that decided first and strictest.
    pub rule: Option<Arc<RuleInfo>>,
}

impl Outline {
    /// The incident is stopped, or as undecided as it has to be.
    pub fn holds(&self) -> bool {
        let with = self.with.decision >= self.incident.expects();
        let context = self.incident.decidable == Decidable::Context && self.incident.known.is_none();
        with && (!context || self.without >= Decision::Undecided)
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
}

/// Plays one incident and its twins.
pub fn play(engine: &Engine, incident: &Arc<Incident>) -> Outline {
    let own = engine.under(&incident.config);
    let with = run(&own, &incident.actions);
    let bare: Vec<_> = incident.actions.iter().filter(|(_, before)| !before).map(|(a, b)| (stripped(a), *b)).collect();
    let without = run(&engine.under(&Config::default()), &bare).decision;
    let twins = incident.twins.iter().map(|twin| {
        let own = twin.config.as_ref().map(|config| engine.under(config));
        run(own.as_ref().unwrap_or(&engine.under(&incident.config)), &twin.actions)
    });
    Outline { incident: Arc::clone(incident), with, without, twins: twins.collect() }
}

/// Decides actions in order; those that only lead up to it do not count.
fn run(engine: &Engine, actions: &[(Action, bool)]) -> Played {
    let mut session = Session::default();
    let mut played = Played { decision: Decision::Allow, rule: None };
    for (action, before) in actions {
        let verdict = engine.decide(action.clone(), &mut session).verdict;
        if !before && verdict.decision > played.decision {
            played = Played { decision: verdict.decision, rule: verdict.hits.first().map(|hit| Arc::clone(&hit.rule)) };
        }
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
