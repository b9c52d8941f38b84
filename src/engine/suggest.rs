//! From actions that should have been stopped to the smallest rule that stops them and not their neighbours.
//!
//! The chosen actions say which conditions could be in the rule (`search`); the rest of the history says what
//! each of them would stop besides ([`Search::neighbour`]); [`Search::best`] then takes the conjunction of at most three
//! that stops the fewest others. Circumstances are preferred to names, names to words of the text.

mod rule;
mod view;

pub use rule::Draft;

use rustc_hash::FxHashMap;

use crate::model::{Decision, Environment, Finding, Operation, ResourceKind, SessionFacts};

use super::{Engine, Session};
use view::{Candidate, View};

/// Conditions in a rule beside what it is about.
const MAX_CONDITIONS: usize = 3;
/// Conditions that are looked at: the bits of a [`Seen`].
const MAX_CANDIDATES: usize = 128;
/// Different neighbours that are kept; further ones are counted with the last.
const MAX_NEIGHBOURS: usize = 50_000;

/// An action with what rules can see of it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub finding: Finding,
    facts: SessionFacts,
    views: Vec<View>,
}

impl Seen {
    /// Judges `finding`'s action once more as the next one of `session`, and notes what rules can see of it.
    pub fn of(engine: &Engine, finding: &Finding, session: &mut Session) -> Self {
        let facts = session.facts(&finding.action, &finding.understanding);
        let views = View::all(engine, finding, session);
        Self { finding: finding.clone(), facts, views }
    }
}

/// What a rule is about: these operations on this kind of thing, or on anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub operations: Vec<Operation>,
    pub kind: Option<ResourceKind>,
}

impl Anchor {
    fn is_met(&self, operation: Operation, kind: ResourceKind) -> bool {
        self.operations.contains(&operation) && self.kind.is_none_or(|wanted| wanted == kind)
    }
}

/// The search for a rule.
#[derive(Debug)]
pub struct Search {
    chosen: Vec<Seen>,
    anchors: Vec<Anchor>,
    candidates: Vec<Candidate>,
    /// By what rules see of them, how many there are, and the first one.
    neighbours: FxHashMap<Vec<Facts>, Neighbour>,
    /// Cases that have to pass.
    must_pass: Vec<Vec<Facts>>,
}

/// One effect: which candidates hold for it.
type Facts = (Operation, ResourceKind, u128);

#[derive(Debug)]
struct Neighbour {
    count: u64,
    first: Finding,
    environment: Environment,
}

/// The rule that was found.
#[derive(Clone, Debug)]
pub struct Found {
    pub anchor: Anchor,
    /// In Cedar.
    pub conditions: Vec<String>,
    /// Actions of the history that pass now and would be stopped with them.
    pub others: u64,
    /// Labelled actions that must pass and would be stopped.
    pub wrong: usize,
    /// A neighbour that passes, nearest first.
    pub passes: Option<(Finding, Environment)>,
    /// Environments that the chosen actions were judged in.
    pub environments: Vec<Environment>,
}

impl Search {
    /// `None` when no effect of theirs has anything in common.
    pub fn new(chosen: Vec<Seen>) -> Option<Self> {
        let anchors = anchors(&chosen);
        if anchors.is_empty() {
            return None;
        }
        let shapes =
            view::Shapes::of(chosen.iter().map(|seen| &seen.finding), chosen.iter().flat_map(|seen| &seen.views));
        let mut common: Option<Vec<Candidate>> = None;
        for seen in &chosen {
            let mut all: Vec<Candidate> = Vec::new();
            for view in seen.views.iter().filter(|view| anchors.iter().any(|a| a.is_met(view.operation, view.kind))) {
                all.extend(view.candidates.iter().cloned());
                all.extend(shapes.candidates(view, &seen.finding));
            }
            common = Some(match common {
                None => all,
                Some(common) => common.into_iter().filter(|candidate| all.contains(candidate)).collect(),
            });
        }
        let mut candidates = common.unwrap_or_default();
        candidates.sort();
        candidates.dedup();
        candidates.truncate(MAX_CANDIDATES);
        Some(Self { chosen, anchors, candidates, neighbours: FxHashMap::default(), must_pass: Vec::new() })
    }

    /// Takes in an action of the history that is not chosen; what is stopped already is none of its neighbours.
    pub fn neighbour(&mut self, engine: &Engine, finding: &Finding, session: &mut Session) {
        let views = View::all(engine, finding, session);
        if finding.verdict.decision >= Decision::Ask {
            return;
        }
        let facts = self.facts(&views, finding);
        let environment = views.first().map_or(finding.environment, |view| view.environment);
        if facts.is_empty() {
            return;
        }
        if let Some(known) = self.neighbours.get_mut(&facts) {
            known.count += 1;
        } else if self.neighbours.len() < MAX_NEIGHBOURS {
            self.neighbours.insert(facts, Neighbour { count: 1, first: finding.clone(), environment });
        }
    }

    /// Takes in a labelled action that has to pass.
    pub fn must_pass(&mut self, seen: &Seen) {
        let facts = self.facts(&seen.views, &seen.finding);
        self.must_pass.push(facts);
    }

    fn facts(&self, views: &[View], finding: &Finding) -> Vec<Facts> {
        let about = |view: &&View| self.anchors.iter().any(|anchor| anchor.is_met(view.operation, view.kind));
        let mut facts: Vec<Facts> = views
            .iter()
            .filter(about)
            .map(|view| {
                let mut bits = 0;
                for (at, candidate) in self.candidates.iter().enumerate() {
                    bits |= u128::from(candidate.holds(view, finding)) << at;
                }
                (view.operation, view.kind, bits)
            })
            .collect();
        facts.sort_unstable();
        facts.dedup();
        facts
    }

    /// The rule that stops all chosen actions and the fewest others; of several, the one with the fewest and the most
    /// telling conditions.
    pub fn best(&self) -> Option<Found> {
        let chosen: Vec<Vec<Facts>> = self.chosen.iter().map(|seen| self.facts(&seen.views, &seen.finding)).collect();
        let mut best: Option<(Score, &Anchor, u128)> = None;
        // What the text says is looked at only when nothing else tells them apart, names only when no circumstance does.
        for tier in [view::CIRCUMSTANCE, view::NAME, view::TEXT] {
            if best.as_ref().is_some_and(|(score, ..)| score.others == 0 && score.wrong == 0) {
                break;
            }
            let usable = self.candidates.iter().filter(|candidate| candidate.tier <= tier).count();
            for (order, anchor) in self.anchors.iter().enumerate() {
                let near = self.near(anchor);
                let mut sets = Sets::new(usable, MAX_CONDITIONS);
                while let Some(mask) = sets.next() {
                    let stops =
                        |facts: &[Facts]| facts.iter().any(|(o, k, bits)| anchor.is_met(*o, *k) && bits & mask == mask);
                    if !chosen.iter().all(|facts| stops(facts)) {
                        continue;
                    }
                    let wrong = self.must_pass.iter().filter(|facts| stops(facts)).count();
                    let others = near.iter().filter(|(facts, _)| stops(facts)).map(|(_, known)| known.count).sum();
                    let conditions = mask.count_ones();
                    let picked = self.candidates.iter().enumerate().filter(|(at, _)| mask & 1 << at != 0);
                    let cost = picked.clone().map(|(_, candidate)| u32::from(candidate.cost)).sum();
                    let tier = picked.map(|(_, candidate)| candidate.tier).max().unwrap_or_default();
                    let score = Score { wrong, others, tier, conditions, cost, order, mask };
                    if best.as_ref().is_none_or(|(least, ..)| score < *least) {
                        best = Some((score, anchor, mask));
                    }
                }
            }
        }
        let (score, anchor, mask) = best?;
        let stops = |facts: &[Facts]| facts.iter().any(|(o, k, bits)| anchor.is_met(*o, *k) && bits & mask == mask);
        let distance = |facts: &[Facts]| {
            let missing =
                facts.iter().filter(|(o, k, _)| anchor.is_met(*o, *k)).map(|(.., bits)| (mask & !bits).count_ones());
            missing.min().unwrap_or(u32::MAX)
        };
        let passes = self
            .near(anchor)
            .into_iter()
            .filter(|(facts, _)| !stops(facts))
            .min_by_key(|(facts, known)| (distance(facts), std::cmp::Reverse(known.count), known.first.action.id))
            .map(|(_, known)| (known.first.clone(), known.environment));
        let picked = self.candidates.iter().enumerate().filter(|(at, _)| mask & 1 << at != 0);
        let environment = |(seen, facts): (&Seen, &Vec<Facts>)| {
            let met = facts.iter().find(|(o, k, bits)| anchor.is_met(*o, *k) && bits & mask == mask);
            let view =
                seen.views.iter().find(|view| met.is_some_and(|(o, k, _)| view.operation == *o && view.kind == *k));
            view.map_or(seen.finding.environment, |view| view.environment)
        };
        Some(Found {
            anchor: anchor.clone(),
            conditions: picked.map(|(_, candidate)| candidate.text.clone()).collect(),
            others: score.others,
            wrong: score.wrong,
            passes,
            environments: self.chosen.iter().zip(&chosen).map(environment).collect(),
        })
    }

    fn near(&self, anchor: &Anchor) -> Vec<(&Vec<Facts>, &Neighbour)> {
        let about = |facts: &[Facts]| facts.iter().any(|(operation, kind, _)| anchor.is_met(*operation, *kind));
        self.neighbours.iter().filter(|(facts, _)| about(facts)).collect()
    }

    pub fn chosen(&self) -> &[Seen] {
        &self.chosen
    }

    /// What all chosen actions have in common, in Cedar: where no rule tells them from others.
    pub fn common(&self) -> impl Iterator<Item = &str> {
        self.candidates.iter().filter(|candidate| candidate.tier < view::TEXT).map(|candidate| candidate.text.as_str())
    }
}

/// Lower is better, in the order of the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Score {
    wrong: usize,
    others: u64,
    tier: u8,
    conditions: u32,
    cost: u32,
    order: usize,
    mask: u128,
}

/// All sets of at most `most` of `count` bits, the empty one first.
struct Sets {
    count: usize,
    most: usize,
    at: Option<Vec<usize>>,
}

impl Sets {
    const fn new(count: usize, most: usize) -> Self {
        Self { count, most, at: Some(Vec::new()) }
    }

    fn next(&mut self) -> Option<u128> {
        let at = self.at.clone()?;
        let mask = at.iter().fold(0, |mask, bit| mask | 1 << bit);
        // Deeper first, then on with the last bit that can move.
        let mut next = at;
        let from = next.last().map_or(0, |last| last + 1);
        if next.len() < self.most && from < self.count {
            next.push(from);
            self.at = Some(next);
            return Some(mask);
        }
        self.at = loop {
            match next.pop() {
                None => break None,
                Some(last) if last + 1 < self.count => {
                    next.push(last + 1);
                    break Some(next);
                }
                Some(_) => {}
            }
        };
        Some(mask)
    }
}

/// What a rule for all of them can be about, the narrowest and worst first.
fn anchors(chosen: &[Seen]) -> Vec<Anchor> {
    let has = |anchor: &Anchor| {
        chosen.iter().all(|seen| seen.views.iter().any(|view| anchor.is_met(view.operation, view.kind)))
    };
    let Some(first) = chosen.first() else { return Vec::new() };
    let mut found: Vec<Anchor> = Vec::new();
    let mut add = |operations: Vec<Operation>, kind| {
        let anchor = Anchor { operations, kind };
        if has(&anchor) && !found.contains(&anchor) {
            found.push(anchor);
        }
    };
    let mut views: Vec<&View> = first.views.iter().collect();
    views.sort_by_key(|view| (harm(view.operation), view.kind as u8));
    for view in &views {
        add(vec![view.operation], Some(view.kind));
    }
    if !found.is_empty() {
        return found;
    }
    // Together the worst that each of them does.
    let mut worst: Vec<Operation> = chosen
        .iter()
        .filter_map(|seen| seen.views.iter().map(|view| view.operation).min_by_key(|o| harm(*o)))
        .collect();
    worst.sort_unstable();
    worst.dedup();
    let mut add = |operations: Vec<Operation>, kind| {
        let anchor = Anchor { operations, kind };
        if has(&anchor) && !found.contains(&anchor) {
            found.push(anchor);
        }
    };
    for view in &views {
        add(worst.clone(), Some(view.kind));
    }
    for view in &views {
        add(vec![view.operation], None);
    }
    add(worst, None);
    found
}

/// Worst first.
const fn harm(operation: Operation) -> u8 {
    match operation {
        Operation::Drop => 0,
        Operation::Rewrite => 1,
        Operation::Disable => 2,
        Operation::Delete => 3,
        Operation::Export => 4,
        Operation::Execute => 5,
        Operation::Grant | Operation::Escalate => 6,
        Operation::Revoke | Operation::Stop => 7,
        Operation::Alter => 8,
        Operation::Update => 9,
        Operation::Create | Operation::Fetch => 10,
        Operation::Unknown => 11,
        Operation::Connect => 12,
        Operation::Read => 13,
        Operation::List => 14,
    }
}

#[cfg(test)]
mod tests {
    use super::Sets;

    #[test]
    fn every_small_set_comes_once() {
        let mut sets = Sets::new(5, 3);
        let mut seen = Vec::new();
        while let Some(mask) = sets.next() {
            seen.push(mask);
        }
        let all = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!((all, seen.len()), (1 + 5 + 10 + 10, 26));
        assert!(seen.iter().all(|mask| mask.count_ones() <= 3));
    }
}
