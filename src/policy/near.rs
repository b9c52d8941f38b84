//! How near a rule was to an effect that it did not stop.
//!
//! Anchors say what kind of act a rule is about: where one of them does not hold, the rule is not near at all. Every
//! other condition that does not hold is one step away, and a number that is out by more than ten times is two.

mod condition;

use std::sync::Arc;

use super::compile::{Conjunct, Test};
use super::evaluate::Truth;
use super::facts::{Fact, Value};
use super::judge::{Established, Pass};
use super::{Met, Policy, Request, Rule};
use crate::model::{Nature, RuleInfo, words};
use condition::{collect, nature};

words! {
    /// What a rule says of near-misses: `@near("never context.approved")`, one line for each fact.
    Control {
        /// Near whenever it does not hold, however little that can change.
        Always = "always",
        /// Near when one slip, or a circumstance seen elsewhere, would make it hold.
        Slip = "slip",
        /// Where it does not hold, the rule is not near.
        Never = "never",
    }
}

/// A rule about this kind of act that is not met for certain, and by which of its
/// [conditions](Policy::conditions).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    pub rule: Arc<RuleInfo>,
    /// The rule's place in the policy.
    pub place: usize,
    /// Conditions that do not hold, in their order.
    pub unmet: Vec<Unmet>,
    /// Places of conditions of which nobody can say.
    pub unknown: Vec<usize>,
}

/// A condition that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// Its place among the rule's conditions.
    pub position: usize,
    pub nature: Nature,
    /// 1, or 2 for a number that is out by more than ten times.
    pub steps: u32,
    /// How far it is from holding, in thousandths.
    pub cost: u32,
    pub control: Control,
}

impl Near {
    /// How many steps are missing for certain.
    pub fn distance(&self) -> u32 {
        self.unmet.iter().map(|unmet| unmet.steps).sum()
    }

    pub fn cost(&self) -> u32 {
        self.unmet.iter().map(|unmet| unmet.cost).sum()
    }
}

/// How far a rule may be from being met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within {
    /// Steps of any nature.
    pub steps: u32,
    /// Steps when the words say all that is missing, if that is more.
    pub words: u32,
}

impl Within {
    pub const fn steps(most: u32) -> Self {
        Self { steps: most, words: most }
    }
}

impl Policy {
    /// The enforced and shadow rules about this kind of act (all anchors hold) that at most `most` steps keep from
    /// being met, nearest first, then in the order of the policy. Conditions of which nobody can say are no steps.
    pub fn near(&self, request: &Request<'_>, most: u32) -> Vec<Near> {
        self.near_within(request, Within::steps(most), None)
    }

    /// The same, where words may be further away than the rest; `established` is what [`Policy::judge_and_keep`] found out
    /// about the same request.
    pub fn near_within(&self, request: &Request<'_>, within: Within, established: Option<&Established>) -> Vec<Near> {
        let pass = match established {
            Some(established) => Pass::after(self, request, established),
            None => Pass::new(self, request),
        };
        let mut weighed = Weighed::new(pass);
        let rules = self.weighing(request.effect).iter();
        let mut found: Vec<Near> =
            rules.filter_map(|rule| self.nearness(rule.place, &rule.conditions, within, &mut weighed)).collect();
        found.sort_by_key(|near| (near.distance(), near.unknown.len()));
        found
    }

    /// The same without a shortcut: every rule alone, its conditions in their order, nothing known before.
    #[cfg(test)]
    pub(crate) fn near_one_by_one(&self, request: &Request<'_>, most: u32) -> Vec<Near> {
        let rules = self.slice_indices(request.effect.operation, request.effect.resource.kind);
        let alone = |place| {
            let rule = self.compiled.get(place)?;
            self.nearness(place, &rule.test.hot, Within::steps(most), &mut Weighed::new(Pass::new(self, request)))
        };
        let mut found: Vec<Near> = rules.filter_map(alone).collect();
        found.sort_by_key(|near| (near.distance(), near.unknown.len()));
        found
    }

    /// Whether a rule about this kind of act is kept from being met by one condition.
    pub fn is_near(&self, id: &str, request: &Request<'_>) -> bool {
        let Some(place) = self.by_id.get(id) else { return false };
        let applies = |rule: &Rule| rule.can_apply(request.effect.operation, request.effect.resource.kind);
        let Some(rule) = self.compiled.get(*place).filter(|rule| applies(rule)) else { return false };
        let near = self.nearness(*place, &rule.test.hot, Within::steps(1), &mut Weighed::new(Pass::new(self, request)));
        near.is_some_and(|near| near.unmet.len() + near.unknown.len() == 1)
    }

    /// Whether a rule, by its place in the policy, is met for certain, or as far as anybody can say.
    pub fn is_met(&self, rule: usize, request: &Request<'_>) -> bool {
        let Some(rule) = self.compiled.get(rule) else { return false };
        rule.can_apply(request.effect.operation, request.effect.resource.kind) && {
            let mut pass = Pass::new(self, request);
            rule.test.hot.iter().all(|index| pass.truth(*index).holds == Ok(true))
        }
    }

    /// The facts that a request lacks and these conditions look at.
    pub fn lacking(&self, near: &Near, request: &Request<'_>) -> Vec<Fact> {
        let facts = near.unknown.iter().flat_map(|position| self.facts_at(near.place, *position));
        let mut lacking: Vec<Fact> = facts.copied().filter(|fact| fact.is_missing(request)).collect();
        lacking.sort();
        lacking.dedup();
        lacking
    }

    /// What the facts of the conditions that do not hold are, with their paths: circumstances and numbers only, what is
    /// said of the words they say themselves.
    pub fn now(&self, near: &Near, request: &Request<'_>) -> Vec<(&'static str, String)> {
        let facts = near.unmet.iter().flat_map(|unmet| self.facts_at(near.place, unmet.position));
        let mut facts: Vec<Fact> =
            facts.copied().filter(|fact| matches!(nature(*fact), Nature::Circumstance | Nature::Number)).collect();
        facts.sort();
        facts.dedup();
        let said = |fact: Fact| {
            let value = match fact.of(request)? {
                Value::Bool(is) => is.to_string(),
                Value::Long(number) => number.to_string(),
                Value::Text(text) => text.to_owned(),
                Value::Entity(entity) => entity.id.to_owned(),
            };
            Some((fact.word(), value))
        };
        facts.into_iter().filter_map(said).collect()
    }

    /// The facts of a condition, by the place of the rule in the policy and its own in the rule.
    pub fn facts_at(&self, rule: usize, position: usize) -> &[Fact] {
        self.conjunct_at(rule, position).map_or(&[], |conjunct| &conjunct.facts)
    }

    /// A condition in words, by the same places.
    pub fn condition_at(&self, rule: usize, position: usize) -> &str {
        self.conjunct_at(rule, position).map_or("", Conjunct::text)
    }

    /// Names of hosts, databases, accounts and the like that a condition asks for, by the same places.
    pub fn names_at(&self, rule: usize, position: usize) -> Vec<String> {
        let mut names = Vec::new();
        if let Some(Test::Compiled(expr)) = self.conjunct_at(rule, position).map(|conjunct| &conjunct.test) {
            collect(expr, &mut names);
        }
        names
    }

    fn conjunct_at(&self, rule: usize, position: usize) -> Option<&Conjunct> {
        self.conjuncts.get(*self.compiled.get(rule)?.test.all.get(position)?)
    }

    /// `None` when an anchor does not hold, when too many steps are missing, and when the rule is met. `order` has the
    /// conditions that the choice by operation and kind has not answered.
    fn nearness(&self, place: usize, order: &[usize], within: Within, weighed: &mut Weighed<'_, '_>) -> Option<Near> {
        let rule = self.compiled.get(place)?;
        let info = rule.info.as_ref()?;
        let mut steps = 0;
        let mut missing = Missing::default();
        // Most rules are far by what is known already: nothing is evaluated for them.
        let mut later = [false; ORDERED];
        for known in [true, false] {
            for (at, index) in order.iter().enumerate() {
                let turn = match later.get_mut(at) {
                    Some(later) if known => {
                        *later = !weighed.knows(*index);
                        !*later
                    }
                    Some(later) => *later,
                    None => !known,
                };
                if !turn {
                    continue;
                }
                let weight = weighed.weight(*index, self.conjuncts.get(*index)?);
                if weight == Weight::Holds {
                    continue;
                }
                if weight == Weight::Never || rule.near_control(*index) == Control::Never {
                    return None;
                }
                steps += weight.steps();
                missing.push(*index, weight == Weight::Open)?;
                if steps > within.steps && (steps > within.words || !self.is_words(&missing)) {
                    return None;
                }
            }
        }
        if missing.is_empty() {
            return None;
        }
        let mut near = Near { rule: Arc::clone(info), place, unmet: Vec::new(), unknown: Vec::new() };
        for (position, index) in rule.test.all.iter().enumerate() {
            match missing.get(*index) {
                None => {}
                Some(true) => near.unknown.push(position),
                Some(false) => near.unmet.push(self.unmet(rule, position, *index, weighed.pass.request)?),
            }
        }
        Some(near)
    }

    /// Whether all that is missing is said by the words.
    fn is_words(&self, missing: &Missing) -> bool {
        let nature = |index: usize| self.conjuncts.get(index).map(Conjunct::nature);
        missing.unmet().all(|index| nature(index) == Some(Nature::Text))
    }

    fn unmet(&self, rule: &Rule, position: usize, index: usize, request: &Request<'_>) -> Option<Unmet> {
        let conjunct = self.conjuncts.get(index)?;
        let nature = conjunct.nature();
        let far = far(conjunct, request);
        let cost = match nature {
            Nature::Text => 250,
            Nature::Circumstance => 500,
            Nature::Number => far.map_or(500, |far| far.cost / 2),
            Nature::Identity => 750,
            Nature::Control => 1000,
        };
        let steps = far.map_or(1, |far| far.steps);
        Some(Unmet { position, nature, steps, cost, control: rule.near_control(index) })
    }

    /// What becomes of a condition in an effect.
    pub(super) fn met(&self, index: usize, pass: &mut Pass<'_, '_>) -> Met {
        let truth = pass.truth(index);
        if truth.holds == Ok(true) && !truth.unsure {
            return Met::Met;
        }
        match self.conjuncts.get(index) {
            Some(conjunct) if is_open(&truth, conjunct, pass.request) => Met::Unknown,
            _ => Met::Unmet,
        }
    }
}

impl Rule {
    fn near_control(&self, index: usize) -> Control {
        self.near.iter().find(|(at, _)| *at == index).map_or(Control::Slip, |(_, control)| *control)
    }
}

/// What a condition is to every rule that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Weight {
    Unweighed,
    Holds,
    /// Nobody can say.
    Open,
    OneStep,
    TwoSteps,
    /// Does not hold for certain, and is about the kind of act, or could only hold for another kind of thing.
    Never,
}

impl Weight {
    const fn steps(self) -> u32 {
        match self {
            Self::OneStep => 1,
            Self::TwoSteps => 2,
            _ => 0,
        }
    }

    fn of(conjunct: &Conjunct, pass: &mut Pass<'_, '_>, index: usize) -> Self {
        let truth = pass.truth(index);
        if truth.holds == Ok(true) && !truth.unsure {
            Self::Holds
        } else if conjunct.is_anchor || !conjunct.can_hold(pass.request) {
            Self::Never
        } else if is_open(&truth, conjunct, pass.request) {
            Self::Open
        } else if far(conjunct, pass.request).is_some_and(|far| far.steps > 1) {
            Self::TwoSteps
        } else {
            Self::OneStep
        }
    }
}

/// Of a rule with more conditions than this the others are weighed last.
const ORDERED: usize = 64;
/// Conditions beyond this many are weighed anew for every rule.
const WEIGHED: usize = 512;

/// One pass over conditions that weighs each of them once: many rules have the same.
struct Weighed<'p, 'a> {
    pass: Pass<'p, 'a>,
    weights: [Weight; WEIGHED],
}

impl<'p, 'a> Weighed<'p, 'a> {
    const fn new(pass: Pass<'p, 'a>) -> Self {
        Self { pass, weights: [Weight::Unweighed; WEIGHED] }
    }

    /// Whether nothing has to be evaluated to weigh it.
    fn knows(&self, index: usize) -> bool {
        self.weights.get(index).is_some_and(|weight| *weight != Weight::Unweighed) || self.pass.knows(index)
    }

    fn weight(&mut self, index: usize, conjunct: &Conjunct) -> Weight {
        match self.weights.get(index) {
            Some(Weight::Unweighed) | None => {}
            Some(weight) => return *weight,
        }
        let weight = Weight::of(conjunct, &mut self.pass, index);
        if let Some(known) = self.weights.get_mut(index) {
            *known = weight;
        }
        weight
    }
}

/// The few conditions that are missing, without asking the allocator: most rules are far.
#[derive(Default)]
struct Missing {
    found: [(usize, bool); 8],
    len: usize,
}

impl Missing {
    /// `None` when that is too many to be near.
    fn push(&mut self, index: usize, unknown: bool) -> Option<()> {
        *self.found.get_mut(self.len)? = (index, unknown);
        self.len += 1;
        Some(())
    }

    const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Those that do not hold for certain.
    fn unmet(&self) -> impl Iterator<Item = usize> {
        self.found.iter().take(self.len).filter(|(_, unknown)| !unknown).map(|(at, _)| *at)
    }

    fn get(&self, index: usize) -> Option<bool> {
        self.found.iter().take(self.len).find(|(at, _)| *at == index).map(|(_, unknown)| *unknown)
    }
}

/// A fact that it looks at is missing: it could be either.
fn is_open(truth: &Truth, conjunct: &Conjunct, request: &Request<'_>) -> bool {
    truth.unsure || conjunct.facts.iter().any(|fact| fact.is_missing(request))
}

/// How far a number is out.
#[derive(Clone, Copy)]
struct Far {
    steps: u32,
    /// In thousandths of ten times.
    cost: u32,
}

/// `None` for what is not a comparison of one number with another, or compares the other way round: falling short by a
/// slip is one thing, being too many is no near-miss of "fewer than".
fn far(conjunct: &Conjunct, request: &Request<'_>) -> Option<Far> {
    let (fact, limit) = conjunct.at_least()?;
    let Value::Long(is) = fact.of(request)? else { return None };
    // Nothing is as far from 100 as 1 is: what counts is how often it fits.
    let (is, limit) = (u64::try_from(is).unwrap_or(0).max(1), u64::try_from(limit).unwrap_or(0).max(1));
    let cost = decades(limit, is).min(1000);
    Some(Far { steps: if limit / is >= 10 { 2 } else { 1 }, cost })
}

/// `log10(above / below)` in thousandths, in whole numbers so that every machine gets the same; 0 when `above` is not
/// above.
pub(crate) fn decades(above: u64, below: u64) -> u32 {
    // log10(2), in thousandths.
    doublings(above, below) * 301 / 1000
}

/// `log2(above / below)` in thousandths; 0 when `above` is not above.
pub(crate) fn doublings(above: u64, below: u64) -> u32 {
    if below == 0 || above <= below {
        return 0;
    }
    let mut whole = 0;
    // A quotient between 1 and 2, with 32 binary digits behind the point.
    let mut quotient = (u128::from(above) << 32) / u128::from(below);
    while quotient >= 1 << 33 {
        quotient >>= 1;
        whole += 1;
    }
    // The digits of its logarithm: by squaring.
    let mut part = 0_u32;
    for _ in 0..16 {
        quotient = (quotient * quotient) >> 32;
        part <<= 1;
        if quotient >= 1 << 33 {
            quotient >>= 1;
            part |= 1;
        }
    }
    whole * 1000 + ((part * 1000) >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_whole_numbers() {
        for (above, below, expected) in [(2, 1, 1000), (8, 1, 3000), (3, 2, 584), (1, 1, 0), (1, 2, 0), (5, 0, 0)] {
            assert_eq!(doublings(above, below), expected, "{above} / {below}");
        }
        assert_eq!(doublings(u64::MAX, 1), 63_999);
        for (above, below, expected) in [(10, 1, 999), (200, 150, 124), (100, 1, 1999)] {
            assert_eq!(decades(above, below), expected, "{above} / {below}");
        }
    }
}
