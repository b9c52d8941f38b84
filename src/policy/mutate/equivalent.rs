//! Proves that a change of a condition changes nothing.
//!
//! Both rules are weighed side by side, as the evaluator weighs them, for every combination of the values that matter to
//! what was changed: words of closed vocabularies, flags, areas, texts that conditions compare with `==`. Every other
//! question may be answered anyhow: yes, no, an error where its types allow one, and unsure where it hangs on a name
//! that may not be resolved. What is the same under all of these is the same for every request; what is not may still
//! be the same, and is not called so.

use super::answer;
use super::question::{Kind, Texts, hangs_on_name, kind, questions};
use super::stage::{Dimension, Stage};
use crate::model::Environment;
use crate::policy::compile::{Compiled, Conjunct, Test};
use crate::policy::evaluate::{Failure, Truth, lazily};
use crate::policy::expression::{Expr, Literal};
use crate::policy::judge::{Fate, Weighing};
use crate::policy::{Fact, Rule};

/// More combinations than this are not tried: of what the changed parts look at, and of all.
const MOST: [usize; 2] = [20_000, 4_000];

/// A rule with another condition in the place of one, or none.
pub(super) struct Change<'a> {
    pub(super) rule: &'a Rule,
    /// Which of the rule's conditions.
    pub(super) condition: usize,
    /// What becomes of the rule.
    pub(super) test: &'a Compiled,
    pub(super) before: Option<&'a Conjunct>,
    /// `None` for a condition that is gone.
    pub(super) after: Option<&'a Conjunct>,
}

/// Whether the changed rule says of every request what the rule says.
pub(super) fn is_same(change: &Change<'_>, conjuncts: &[Conjunct]) -> bool {
    let Some(proof) = Proof::new(change, conjuncts) else { return false };
    let outer_size = Stage::combinations(&proof.outer);
    let inner_size = Stage::combinations(&proof.inner);
    // The parts alone are asked where nothing else is given a value: what they say then they say whatever it is.
    let mut parts = Stage::of(proof.outer.clone());
    let mut stage = Stage::of(proof.outer.iter().chain(&proof.inner).cloned().collect());
    (0..outer_size).all(|first| {
        parts.set_all(first);
        proof.is_unchanged(&parts)
            || (0..inner_size).all(|rest| {
                stage.set_all(first + outer_size * rest);
                proof.is_same(&stage)
            })
    })
}

struct Proof<'a> {
    change: &'a Change<'a>,
    conjuncts: &'a [Conjunct],
    /// The parts in which the two conditions differ.
    parts: Vec<(&'a Expr, &'a Expr)>,
    /// What these parts look at.
    outer: Vec<Dimension>,
    /// What the other conditions look at that look at the same things, and what stands beside the parts.
    inner: Vec<Dimension>,
}

/// A condition that is gone always holds.
static HOLDS: Expr = Expr::Value(Literal::Bool(true));

impl<'a> Proof<'a> {
    fn new(change: &'a Change<'a>, conjuncts: &'a [Conjunct]) -> Option<Self> {
        let (before, after) = (test(change.before)?, test(change.after)?);
        let mut parts = Vec::new();
        differing(before, after, &mut parts);
        let others = change.rule.test.all.iter().enumerate().filter(|(at, _)| *at != change.condition);
        let others: Vec<&Expr> = others.filter_map(|(_, index)| test(Some(conjuncts.get(*index)?))).collect();

        let all = [before, after].into_iter().chain(others.iter().copied());
        let mut texts = Texts::default();
        all.for_each(|expr| questions(expr, &mut |question| texts.note(question)));
        let mut outer = vec![Dimension::Fact(Fact::Unresolved)];
        if change.rule.unless_known {
            outer.push(Dimension::Fact(Fact::Environment));
        }
        for (before, after) in &parts {
            for part in [before, after] {
                questions(part, &mut |question| texts.dimensions(question, &mut outer));
            }
        }
        if Stage::combinations(&outer) > MOST[0] {
            return None;
        }
        let mut known = outer.clone();
        let add = |expr: &Expr, known: &mut Vec<Dimension>| {
            questions(expr, &mut |question| {
                let mut more = known.clone();
                texts.dimensions(question, &mut more);
                if Stage::combinations(&more) <= MOST[1] {
                    *known = more;
                }
            });
        };
        add(before, &mut known);
        for other in others {
            let mut looks = Vec::new();
            questions(other, &mut |question| texts.dimensions(question, &mut looks));
            if looks.iter().any(|dimension| known.contains(dimension)) {
                add(other, &mut known);
            }
        }
        let inner = known.split_off(outer.len());
        Some(Self { change, conjuncts, parts, outer, inner })
    }

    /// The parts that differ say the same here, so the rules do.
    fn is_unchanged(&self, stage: &Stage) -> bool {
        let Change { rule, test, before, after, .. } = self.change;
        let masked = |conjunct: &Option<&Conjunct>| conjunct.is_none_or(|conjunct| conjunct.masks().is_some());
        let names = |conjunct: &Option<&Conjunct>| conjunct.is_some_and(|conjunct| conjunct.names_environment);
        rule.test.handles_unresolved == test.handles_unresolved
            && (after.is_none() || masked(before) == masked(after))
            && (!rule.unless_known || names(before) == names(after))
            && self.parts.iter().all(|(before, after)| {
                let (before, after) = (says(before, stage), says(after, stage));
                before.len() == 1 && before == after
            })
    }

    /// Weighs both rules side by side.
    fn is_same(&self, stage: &Stage) -> bool {
        let Change { rule, condition, test, before, after } = self.change;
        let mut states = vec![(Side::of(&rule.test, stage), Side::of(test, stage))];
        for (at, index) in rule.test.all.iter().enumerate() {
            let Some(conjunct) = self.conjuncts.get(*index) else { return false };
            let truths = if at == *condition { self.changed(stage) } else { both(conjunct, stage) };
            let (own, changed) = if at == *condition { (*before, *after) } else { (Some(conjunct), Some(conjunct)) };
            let mut next = Vec::new();
            for (left, right) in &states {
                for (one, other) in &truths {
                    let left = left.clone().take(own, one, (rule, &rule.test), stage);
                    let state = (left, right.clone().take(changed, other, (rule, test), stage));
                    if !next.contains(&state) {
                        next.push(state);
                    }
                }
            }
            states = next;
        }
        let says = |side: Side| answer(rule.info.as_ref(), side.fate());
        states.into_iter().all(|(left, right)| left == right || says(left) == says(right))
    }

    /// What the condition says, and what is in its place.
    fn changed(&self, stage: &Stage) -> Vec<(Truth, Truth)> {
        match (test(self.change.before), test(self.change.after)) {
            (Some(before), Some(after)) => pairs(before, after, stage),
            _ => Vec::new(),
        }
    }
}

/// How far one of the two rules is weighed.
#[derive(Clone, PartialEq)]
enum Side {
    Open(Weighing),
    Done(Fate),
}

impl Side {
    /// The choice by operation and kind, where they are given; where they are not, it is the same for both rules.
    fn of(test: &Compiled, stage: &Stage) -> Self {
        let effect = stage.request().effect;
        let operations = if stage.has(Fact::Action) { 1 << effect.operation as u32 } else { u32::MAX };
        let kinds = if stage.has(Fact::Resource) { 1 << effect.resource.kind as u64 } else { u64::MAX };
        if test.operations & operations == 0 || test.kinds & kinds == 0 {
            return Self::Done(Fate::Unmet);
        }
        Self::Open(Weighing::default())
    }

    /// Takes a condition; one about operation or kind is part of the choice.
    fn take(
        mut self,
        conjunct: Option<&Conjunct>,
        truth: &Truth,
        (rule, test): (&Rule, &Compiled),
        stage: &Stage,
    ) -> Self {
        let (Self::Open(weighing), Some(conjunct)) = (&mut self, conjunct) else { return self };
        if conjunct.masks().is_some() {
            return self;
        }
        let unknown = stage.request().environment == Environment::Unknown;
        let may_hold = rule.unless_known && unknown && conjunct.names_environment;
        match weighing.take(truth.clone(), test.handles_unresolved, may_hold) {
            Some(fate) => Self::Done(fate),
            None => self,
        }
    }

    fn fate(self) -> Fate {
        match self {
            Self::Open(weighing) => weighing.fate(),
            Self::Done(fate) => fate,
        }
    }
}

/// The same condition in both rules.
fn both(conjunct: &Conjunct, stage: &Stage) -> Vec<(Truth, Truth)> {
    let says = match &conjunct.test {
        Test::Compiled(expr) => says(expr, stage),
        Test::Slow(_) => {
            anything(std::ptr::from_ref(conjunct).addr(), true, stage.request().effect.resource.unresolved)
        }
    };
    says.into_iter().map(|truth| (truth.clone(), truth)).collect()
}

/// What two conditions can say at once.
fn pairs(before: &Expr, after: &Expr, stage: &Stage) -> Vec<(Truth, Truth)> {
    if before == after {
        return says(before, stage).into_iter().map(|truth| (truth.clone(), truth)).collect();
    }
    let mut found = Vec::new();
    let mut add = |pair| {
        if !found.contains(&pair) {
            found.push(pair);
        }
    };
    match (before, after) {
        (Expr::Not(before), Expr::Not(after)) => {
            pairs(before, after, stage).into_iter().for_each(|(one, other)| add((not(one), not(other))));
        }
        (Expr::And(l, r), Expr::And(left, right)) | (Expr::Or(l, r), Expr::Or(left, right)) => {
            let decisive = matches!(before, Expr::Or(..));
            let rights = pairs(r, right, stage);
            for (one, other) in pairs(l, left, stage) {
                for (r, right) in &rights {
                    let one = lazily(one.clone(), || r.clone(), decisive);
                    add((one, lazily(other.clone(), || right.clone(), decisive)));
                }
            }
        }
        _ => {
            let after = says(after, stage);
            for one in says(before, stage) {
                after.iter().for_each(|other| add((one.clone(), other.clone())));
            }
        }
    }
    found
}

/// Everything that a condition can say.
fn says(expr: &Expr, stage: &Stage) -> Vec<Truth> {
    let mut found = Vec::new();
    let mut add = |truth| {
        if !found.contains(&truth) {
            found.push(truth);
        }
    };
    match expr {
        Expr::Not(inner) => says(inner, stage).into_iter().for_each(|truth| add(not(truth))),
        Expr::And(left, right) | Expr::Or(left, right) => {
            let decisive = matches!(expr, Expr::Or(..));
            let rights = says(right, stage);
            for left in says(left, stage) {
                rights.iter().for_each(|right| add(lazily(left.clone(), || right.clone(), decisive)));
            }
        }
        question => match stage.answer(question) {
            Some(truth) => add(truth),
            None => {
                let unresolved = stage.request().effect.resource.unresolved;
                let place = std::ptr::from_ref(question).addr();
                return anything(place, kind(question) != Some(Kind::Bool), unresolved && hangs_on_name(question));
            }
        },
    }
    found
}

fn not(truth: Truth) -> Truth {
    Truth { holds: truth.holds.map(|holds| !holds), unsure: truth.unsure }
}

/// What a question can say of which nothing is known; an error is the same one wherever the same question is asked.
fn anything(place: usize, fails: bool, unsure: bool) -> Vec<Truth> {
    let mut holds = vec![Ok(true), Ok(false)];
    if fails {
        holds.push(Err(Failure::Other(place.to_string())));
    }
    let sure = holds.into_iter().map(|holds| Truth { holds, unsure: false });
    sure.flat_map(|truth| [(unsure).then(|| Truth { unsure: true, ..truth.clone() }), Some(truth)]).flatten().collect()
}

/// The condition as it is evaluated; `None` for one that is left to Cedar.
fn test(conjunct: Option<&Conjunct>) -> Option<&Expr> {
    match conjunct.map(|conjunct| &conjunct.test) {
        Some(Test::Compiled(expr)) => Some(expr),
        Some(Test::Slow(_)) => None,
        None => Some(&HOLDS),
    }
}

/// The smallest parts in which two conditions differ.
fn differing<'a>(before: &'a Expr, after: &'a Expr, found: &mut Vec<(&'a Expr, &'a Expr)>) {
    match (before, after) {
        _ if before == after => {}
        (Expr::Not(before), Expr::Not(after)) => differing(before, after, found),
        (Expr::And(l, r), Expr::And(left, right)) | (Expr::Or(l, r), Expr::Or(left, right)) => {
            differing(l, left, found);
            differing(r, right, found);
        }
        _ => found.push((before, after)),
    }
}
