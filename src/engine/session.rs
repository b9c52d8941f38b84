//! What a session has done so far, carried from one action to the next.

use std::collections::VecDeque;
use std::sync::Arc;

use super::given::Store;
use crate::classify::Known;
use crate::model::{
    Action, Area, Environment, Executed, Operation, ResourceKind, SessionFacts, Timestamp, Understanding, Zone,
};

/// Destruction within this many microseconds counts as recent.
const RECENT: i64 = 10 * 60 * 1_000_000;
/// Variables kept per session.
const MAX_VARIABLES: usize = 256;

/// The state of one session.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// Shared with what is remembered of each action, so that an unchanged one is neither copied nor compared.
    known: Arc<Known>,
    /// Files and names that later actions may run; an action is told of those it names.
    given: Arc<Store>,
    /// The folder the record gave last: when the record's own word changes, it goes before what we worked out.
    recorded_cwd: Option<String>,
    facts: SessionFacts,
    environment: Option<Environment>,
    /// When things were destroyed, and how many; only the recent ones.
    losses: VecDeque<(Timestamp, u64)>,
}

impl Session {
    /// What earlier actions left behind for the classifier.
    pub(crate) fn known(&mut self, action: &Action) -> Arc<Known> {
        let recorded = &action.surroundings.cwd;
        if recorded.is_some() && *recorded != self.recorded_cwd {
            self.recorded_cwd.clone_from(recorded);
            Arc::make_mut(&mut self.known).cwd.clone_from(recorded);
        }
        // The text of a tool call shows its arguments; other actions have none.
        let arguments = action.arguments.as_deref().filter(|it| **it != *action.text).unwrap_or_default();
        let given = self.given.named_by([&action.text, arguments], &self.known.variables);
        if given.is_empty() {
            return Arc::clone(&self.known);
        }
        Arc::new(Known { given, ..Known::clone(&self.known) })
    }

    /// The facts before `action`.
    pub(crate) fn facts(&mut self, action: &Action) -> &SessionFacts {
        if let Some(now) = action.time {
            while self.losses.front().is_some_and(|(then, _)| now.0 - then.0 > RECENT) {
                self.losses.pop_front();
            }
        }
        self.facts.destroyed_recently = self.losses.iter().map(|(_, count)| count).sum();
        &self.facts
    }

    /// Takes in what `action` did. A call that was refused did nothing but get refused.
    pub(crate) fn note(&mut self, action: &Action, understood: &Understanding, environment: Environment) {
        if action.outcome.executed == Executed::No {
            self.facts.denials += 1;
            return;
        }
        self.facts.last_failed =
            action.outcome.succeeded == Some(false) || action.outcome.exit_code.is_some_and(|code| code != 0);
        self.facts.switched_environment |= self.environment.is_some_and(|before| before != environment);
        self.environment = Some(environment);
        for effect in understood.effects.iter().filter(|effect| !effect.dry_run) {
            let resource = &effect.resource;
            match effect.operation {
                Operation::Read if resource.areas.has(Area::Credential) || resource.kind == ResourceKind::Secret => {
                    self.facts.read_secret = true;
                }
                Operation::Fetch if effect.zone != Some(Zone::Local) => self.facts.read_untrusted = true,
                Operation::Disable => self.facts.turned_guard_off = true,
                Operation::Delete | Operation::Drop | Operation::Rewrite => {
                    self.facts.destroyed += 1;
                    if let Some(now) = action.time {
                        self.losses.push_back((now, 1));
                    }
                }
                _ => {}
            }
        }
        self.remember(understood);
    }

    fn remember(&mut self, understood: &Understanding) {
        let writes = &understood.writes;
        if !writes.given.is_empty() {
            Arc::make_mut(&mut self.given).take(&writes.given);
        }
        if !writes.moved && writes.variables.is_empty() {
            return;
        }
        let known = Arc::make_mut(&mut self.known);
        if writes.moved {
            known.cwd.clone_from(&writes.cwd);
        }
        for (name, value) in &writes.variables {
            if known.variables.len() < MAX_VARIABLES || known.variables.contains_key(name) {
                known.variables.insert(name.clone(), value.clone());
            }
        }
    }
}
