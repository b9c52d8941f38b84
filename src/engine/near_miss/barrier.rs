//! What stood between an allowed action and the rules about it.
//!
//! Every rule about this kind of act is kept from being met by a set of conditions. Whatever takes one condition out of
//! each of these sets explains why the action was allowed; where one alone is in all of them, it was the only barrier.

use std::collections::BTreeSet;

use crate::engine::{Engine, Seen};
use crate::model::{Decision, Finding};
use crate::policy::Fact;

/// Sets of more conditions are far from being met and would say nothing.
const MOST_STEPS: u32 = 6;
/// Sets that are looked at, smallest first.
const MOST_SETS: usize = 64;
/// Barriers in one explanation.
const MOST_BARRIERS: usize = 6;

impl Engine {
    /// The smallest sets of barriers without which some rule would stop the action; each barrier by the facts that it is
    /// about: `environment`. None for an action that no rule is about, and for one that was not allowed.
    pub fn barriers(&self, finding: &Finding) -> Vec<BTreeSet<String>> {
        if finding.verdict.decision != Decision::Allow {
            return Vec::new();
        }
        let seen = Seen {
            action: &finding.action,
            understanding: &finding.understanding,
            facts: &finding.session_facts,
            more_labels: &[],
            known: None,
        };
        let mut sets: Vec<BTreeSet<String>> = Vec::new();
        self.each_request(&seen, |request| {
            for near in self.policy.near(request, MOST_STEPS) {
                if near.unknown.is_empty() && !near.unmet.is_empty() {
                    let facts = |position| self.policy.facts_at(near.place, position);
                    sets.push(near.unmet.iter().map(|unmet| name(facts(unmet.position))).collect());
                }
            }
        });
        hitting(smallest(sets))
    }
}

/// How far an allowed action is from the nearest of some rules.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Distance {
    /// Steps that are missing for certain.
    pub least: u32,
    /// With every condition of which nobody can say.
    pub most: u32,
    pub rule: String,
    /// The facts of the conditions that do not hold, in words.
    pub missing: BTreeSet<String>,
}

impl Engine {
    /// How far it is from the nearest of `rules`; none when none of them is about this kind of act.
    pub fn distance(&self, finding: &Finding, rules: &BTreeSet<String>) -> Option<Distance> {
        let seen = Seen {
            action: &finding.action,
            understanding: &finding.understanding,
            facts: &finding.session_facts,
            more_labels: &[],
            known: None,
        };
        let mut nearest: Option<Distance> = None;
        self.each_request(&seen, |request| {
            for near in self.policy.near(request, MOST_STEPS) {
                if !rules.contains(&near.rule.id) {
                    continue;
                }
                let facts = |position| self.policy.facts_at(near.place, position);
                let distance = Distance {
                    least: near.distance(),
                    most: near.distance() + near.unknown.len() as u32,
                    rule: near.rule.id.clone(),
                    missing: near.unmet.iter().map(|unmet| name(facts(unmet.position))).collect(),
                };
                if nearest.as_ref().is_none_or(|known| distance < *known) {
                    nearest = Some(distance);
                }
            }
        });
        nearest
    }
}

/// The facts of a condition in words; the thing itself is named only where nothing else is.
fn name(facts: &[Fact]) -> String {
    let said = |fact: &Fact| match fact {
        Fact::Resource => "target".to_owned(),
        fact => fact.word().rsplit('.').next().unwrap_or_default().replace('_', " "),
    };
    if facts.contains(&Fact::Environment) {
        return said(&Fact::Environment);
    }
    let words: BTreeSet<String> = facts.iter().map(said).collect();
    words.into_iter().collect::<Vec<_>>().join(" / ")
}

/// Those of which no other one is a part.
fn smallest(mut sets: Vec<BTreeSet<String>>) -> Vec<BTreeSet<String>> {
    sets.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    sets.dedup();
    let mut kept: Vec<BTreeSet<String>> = Vec::new();
    for set in sets {
        if kept.len() < MOST_SETS && !kept.iter().any(|known| known.is_subset(&set)) {
            kept.push(set);
        }
    }
    kept
}

/// Every smallest set that shares something with each of `sets`.
fn hitting(sets: Vec<BTreeSet<String>>) -> Vec<BTreeSet<String>> {
    let mut found: Vec<BTreeSet<String>> = Vec::new();
    if sets.is_empty() {
        return found;
    }
    found.push(BTreeSet::new());
    for set in &sets {
        let mut next = Vec::new();
        for known in found {
            if !known.is_disjoint(set) {
                next.push(known);
            } else if known.len() < MOST_BARRIERS {
                for one in set {
                    let mut more = known.clone();
                    more.insert(one.clone());
                    next.push(more);
                }
            }
        }
        found = smallest(next);
    }
    let least = found.iter().map(BTreeSet::len).min().unwrap_or(0);
    found.retain(|set| set.len() == least);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sets: &[&str], expected: &[&str]) {
        let set = |words: &&str| words.split(' ').map(str::to_owned).collect();
        let found: Vec<String> = hitting(smallest(sets.iter().map(set).collect()))
            .iter()
            .map(|set| set.iter().cloned().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn one_barrier_may_stand_before_every_rule() {
        check(&["environment", "environment extent"], &["environment"]);
        check(&["environment extent", "environment approved"], &["environment"]);
        check(&["environment", "extent"], &["environment extent"]);
        check(&["a b", "b c", "a c"], &["a b", "a c", "b c"]);
        check(&[], &[]);
    }
}
