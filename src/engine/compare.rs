//! Two policies over the same actions: what a change lets through, and what it newly stops.
//!
//! Actions are classified once and, where an edited rule can apply, judged twice ([`Engine::beside`](super::Engine::beside)); a [`Comparison`] is told
//! every finding and groups those that the two policies judge differently.

mod group;
#[cfg(test)]
mod tests;

pub(crate) use group::template;
pub use group::{ChangeId, Example, Group, Transition};

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::model::{Decision, Finding};
use crate::policy::RuleChange;

use super::Engine;

/// Groups beyond this are counted, not kept one by one.
const MAX_GROUPS: usize = 20_000;
/// Different messages of failed evaluations that are kept.
const MAX_MESSAGES: usize = 20;

/// What two policies say of the same actions.
#[derive(Clone, Debug, Default)]
pub struct Impact {
    /// Actions by decision before (rows) and after (columns).
    pub table: [[u64; 4]; 4],
    /// Worst transition first, then by how often it was seen.
    pub groups: Vec<Group>,
    /// Rules that came closer to actions that pass, or moved away from them.
    pub frontier: Vec<Moved>,
    /// Actions whose groups found no room.
    pub ungrouped: u64,
    /// The rules that differ, whether an action noticed or not.
    pub rules: Vec<RuleChange>,
    /// Names of hosts, actors, things or programs mean something else after the change.
    pub meanings: bool,
    /// Actions that either policy could not evaluate.
    pub errors: u64,
    /// Some of the messages.
    pub messages: Vec<String>,
}

/// How the change moved one rule's frontier: actions that pass on both sides, and are one condition away from it on
/// one of them only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    pub rule: String,
    pub nearer: u64,
    pub farther: u64,
}

impl Impact {
    /// How many actions `transition` says something about.
    pub fn actions(&self, transition: Transition) -> u64 {
        self.groups(transition).map(|group| group.count).sum()
    }

    pub fn groups(&self, transition: Transition) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(move |group| group.transition == transition)
    }

    /// Actions in all.
    pub fn total(&self) -> u64 {
        self.table.iter().flatten().sum()
    }

    /// Actions with this decision before and after the change.
    pub fn decided(&self, decision: Decision) -> (u64, u64) {
        let at = decision as usize;
        (self.table[at].iter().sum(), self.table.iter().map(|row| row[at]).sum())
    }
}

/// Collects what differs while actions are replayed.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    table: [[u64; 4]; 4],
    groups: FxHashMap<group::Key, Group>,
    frontier: BTreeMap<String, (u64, u64)>,
    ungrouped: u64,
    errors: u64,
    messages: BTreeMap<String, u64>,
}

impl Comparison {
    /// Takes in one recorded action, judged by an engine that has a base.
    pub fn finding(&mut self, finding: &Finding) {
        let head = &finding.verdict;
        let base = finding.base.as_ref().map_or(head, |base| &base.verdict);
        self.table[base.decision as usize][head.decision as usize] += 1;
        if let Some(frontier) = finding.base.as_ref().and_then(|base| base.frontier.as_ref()) {
            for id in &frontier.nearer {
                self.frontier.entry(id.clone()).or_default().0 += 1;
            }
            for id in &frontier.farther {
                self.frontier.entry(id.clone()).or_default().1 += 1;
            }
        }
        self.note(finding, false);
    }

    /// Takes in a labelled action: what a change does to it needs a yes like any other, but it is nothing that happened.
    pub fn case(&mut self, finding: &Finding) {
        self.note(finding, true);
    }

    fn note(&mut self, finding: &Finding, case: bool) {
        let head = &finding.verdict;
        let base = finding.base.as_ref().map_or(head, |base| &base.verdict);
        for error in base.errors.iter().chain(&head.errors) {
            if self.messages.len() < MAX_MESSAGES || self.messages.contains_key(error) {
                *self.messages.entry(error.clone()).or_default() += 1;
            }
        }
        self.errors += u64::from(!base.errors.is_empty() || !head.errors.is_empty());
        let Some(key) = group::Key::of(base, head, finding) else { return };
        if let Some(group) = self.groups.get_mut(&key) {
            group.add(finding, case);
        } else if self.groups.len() < MAX_GROUPS {
            let group = Group::new(&key, finding, case);
            self.groups.insert(key, group);
        } else {
            self.ungrouped += 1;
        }
    }

    /// What there is to say in the end.
    pub fn finish(self, engine: &Engine) -> Impact {
        let head = engine.policy();
        let base = engine.base_policy().unwrap_or(head);
        let mut groups: Vec<Group> = self.groups.into_values().collect();
        for group in &mut groups {
            group.identify(base, head, engine.meanings());
        }
        groups.sort_by(|a, b| a.order().cmp(&b.order()));
        Impact {
            table: self.table,
            groups,
            frontier: self
                .frontier
                .into_iter()
                .map(|(rule, (nearer, farther))| Moved { rule, nearer, farther })
                .collect(),
            ungrouped: self.ungrouped,
            rules: head.changes_from(base),
            meanings: engine.meanings().is_some(),
            errors: self.errors,
            messages: self.messages.into_keys().collect(),
        }
    }
}
