//! Rules that differ from a policy's own in one thing: what mutation testing tries out.
//!
//! All of them are tried in one pass. Their conditions are the policy's own and a few more, each evaluated at most once
//! for an effect; they are sorted by operation and kind as the rules are, so that an effect meets only those that can
//! say something else about it than their rule does.

mod coverage;
mod equivalent;
mod literals;
mod making;
mod question;
mod stage;
mod widen;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use coverage::ConditionSeen;
pub use literals::Literals;

use super::compile::{Compiled, Conjunct};
use super::facts::SessionView;
use super::judge::{Fate, Pass, enforced, failed, slot};
use super::{Judgement, Policy, Request};
use crate::model::{Effect, RuleInfo, words};
use coverage::Coverage;

/// A rule, or a permit, that is changed in one thing.
#[derive(Debug)]
pub struct Mutant {
    /// The rule's id, and what it says of itself; a permit has no more than an id.
    pub rule: String,
    pub info: Option<Arc<RuleInfo>>,
    pub mutation: Mutation,
    /// Which of the rule's conditions, in the order in which they are written.
    pub condition: Option<usize>,
    /// The condition, or the decision, as it is written and as it would be; empty for what is not there.
    pub before: String,
    pub after: String,
    /// Where that stands; the line is 1-based.
    pub file: String,
    pub line: usize,
    /// Why nothing can tell it from the rule, where that is proved.
    pub equivalent: Option<&'static str>,
    /// Which of the policy's rules.
    of: usize,
    /// `None` never applies.
    test: Option<Compiled>,
    /// What the rule says of itself then, where that changes.
    instead: Option<Arc<RuleInfo>>,
}

words! {
    /// What is changed.
    Mutation {
        Dropped = "drop",
        Negated = "negate",
        /// `widen.rs` lists the ways there are.
        Widened = "widen",
        /// The rule is gone, and with it its examples.
        Deleted = "delete",
        /// `block` for `ask`, and the other way round.
        Swapped = "swap",
    }
}

impl Mutant {
    /// Names the mutant within its policy: `sql.drop-table: drop resource is Table`.
    pub fn name(&self) -> String {
        self.name_with(&self.before, &self.after)
    }

    /// The same with the two conditions written otherwise (shortened, for the eye).
    pub fn name_with(&self, before: &str, after: &str) -> String {
        let Self { rule, mutation, .. } = self;
        match mutation {
            Mutation::Deleted => format!("{rule}: delete"),
            Mutation::Widened => format!("{rule}: widen {before} to {after}"),
            Mutation::Swapped => format!("{rule}: {after} for {before}"),
            Mutation::Dropped | Mutation::Negated => format!("{rule}: {mutation} {before}"),
        }
    }
}

/// What a rule says to an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Unmet,
    Met,
    /// Met if what is not known has the wrong value.
    Possible,
    /// In words.
    Failed(String),
}

/// A mutant that says something else about an effect than its rule does, or would decide something else by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saying {
    pub mutant: usize,
    pub own: Answer,
    pub says: Answer,
}

/// Every mutant of some rules of one policy.
#[derive(Debug)]
pub struct Mutants {
    all: Vec<Mutant>,
    /// The policy's own conditions first.
    conjuncts: Vec<Conjunct>,
    /// Mutants that may differ from their rule, by operation and kind.
    slices: Vec<Box<[usize]>>,
    /// Mutants that are still asked about.
    open: Vec<AtomicBool>,
    coverage: Coverage,
}

impl Mutants {
    /// Every mutant of the rules that are `wanted`, in the order of the policy.
    pub fn of(policy: &Policy, wanted: impl Fn(&str) -> bool) -> Self {
        let wanted: Vec<bool> = policy.compiled.iter().map(|rule| wanted(&rule.id)).collect();
        let (all, conjuncts) = making::all(policy, &wanted);
        let slices = making::slices(policy, &all);
        Self {
            open: all.iter().map(|mutant| AtomicBool::new(mutant.equivalent.is_none())).collect(),
            coverage: Coverage::of(policy, &wanted),
            all,
            conjuncts,
            slices,
        }
    }

    pub fn all(&self) -> &[Mutant] {
        &self.all
    }

    /// Not every rule of the policy is in question.
    pub fn is_part(&self) -> bool {
        self.coverage.is_part()
    }

    /// Nothing more needs to be known about it, or again something.
    pub fn set_open(&self, mutant: usize, open: bool) {
        if let Some(flag) = self.open.get(mutant) {
            flag.store(open, Ordering::Relaxed);
        }
    }

    fn is_open(&self, mutant: usize) -> bool {
        self.open.get(mutant).is_some_and(|open| open.load(Ordering::Relaxed))
    }

    /// The facts about its session that mutants for this effect look at.
    pub fn session_view(&self, effect: &Effect) -> SessionView {
        let slice = self.slices.get(slot(effect.operation, effect.resource.kind)).into_iter().flatten();
        let tests = slice.filter_map(|index| self.all.get(*index)?.test.as_ref());
        tests.fold(SessionView::default(), |view, test| view.and(test.session))
    }
}

impl Policy {
    /// What the rules say about one effect; `told` is every open mutant that says something else than its rule does.
    pub fn judge_with_mutants(
        &self,
        mutants: &Mutants,
        request: &Request<'_>,
        mut told: impl FnMut(Saying),
    ) -> Judgement {
        let mut pass = Pass::over(&mutants.conjuncts, request);
        let judgement = self.judge_in(&mut pass);
        let at = slot(request.effect.operation, request.effect.resource.kind);
        let coverage = &mutants.coverage;
        self.cover(coverage, &mut pass);
        let mut known: Option<(usize, Answer)> = None;
        for index in mutants.slices.get(at).into_iter().flatten() {
            let Some(mutant) = mutants.all.get(*index).filter(|_| mutants.is_open(*index)) else { continue };
            let Some(rule) = self.compiled.get(mutant.of) else { continue };
            let own = match &known {
                Some((of, own)) if *of == mutant.of => own.clone(),
                _ => {
                    let own = answer(rule.info.as_ref(), pass.fate(&rule.test, rule.unless_known));
                    known = Some((mutant.of, own.clone()));
                    own
                }
            };
            let says = match (&mutant.test, &mutant.instead) {
                (None, _) => Answer::Unmet,
                // The same conditions: it is what they decide that changes.
                (Some(_), Some(_)) if own == Answer::Met => {
                    told(Saying { mutant: *index, own: own.clone(), says: own });
                    continue;
                }
                (Some(_), Some(_)) => continue,
                (Some(test), None) => answer(rule.info.as_ref(), pass.fate(test, rule.unless_known)),
            };
            if says != own {
                if let (Mutation::Dropped, Some(condition), Answer::Unmet, Answer::Met) =
                    (mutant.mutation, mutant.condition, &own, &says)
                {
                    coverage.mark_alone(mutant.of, condition);
                }
                told(Saying { mutant: *index, own, says });
            }
        }
        judgement
    }

    /// The judgement as it would be with a mutant in its rule's place.
    pub fn with_mutant(&self, judgement: &Judgement, mutant: &Mutant, saying: &Saying) -> Judgement {
        let mut changed = judgement.clone();
        let Some(rule) = self.compiled.get(mutant.of) else { return changed };
        match &rule.info {
            None => {
                let met = |answer: &Answer| usize::from(*answer == Answer::Met);
                changed.permits = judgement.permits + met(&saying.says) - met(&saying.own);
                changed.not_permitted = changed.permits == 0;
            }
            Some(info) => {
                changed.met.retain(|met| met.id != rule.id);
                changed.possible.retain(|possible| possible.id != rule.id);
                let info = mutant.instead.as_ref().unwrap_or(info);
                match saying.says {
                    Answer::Met => changed.met.push(Arc::clone(info)),
                    Answer::Possible => changed.possible.push(Arc::clone(info)),
                    Answer::Unmet | Answer::Failed(_) => {}
                }
            }
        }
        let own = failed(&rule.id, &super::evaluate::Failure::Other(String::new()));
        changed.errors.retain(|error| !error.starts_with(&own));
        if let Answer::Failed(words) = &saying.says {
            changed.errors.push(format!("{own}{words}"));
        }
        changed
    }
}

/// What a fate means for a verdict; `info` is what a rule says of itself, `None` for a permit.
fn answer(info: Option<&Arc<RuleInfo>>, fate: Fate) -> Answer {
    match fate {
        Fate::Unmet => Answer::Unmet,
        Fate::Met => Answer::Met,
        Fate::Possible { now: true } if info.is_some() => Answer::Met,
        Fate::Possible { .. } if info.is_some_and(enforced) => Answer::Possible,
        Fate::Possible { .. } => Answer::Unmet,
        Fate::Failed(failure) => Answer::Failed(failure.to_string()),
    }
}
