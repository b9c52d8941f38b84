//! Condition coverage: was each condition seen true and false, and did it decide alone?

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use super::Mutants;
use super::making::is_guard;
use crate::model::{Operation, ResourceKind};
use crate::policy::Policy;
use crate::policy::compile::Conjunct;
use crate::policy::judge::{Pass, slot};

/// What was seen of each condition of the rules in question.
#[derive(Debug)]
pub(super) struct Coverage {
    /// By rule of the policy; `None` for rules that are not in question.
    rules: Vec<Option<Vec<Seen>>>,
    /// Operations on kinds that some effect had.
    slots: Vec<AtomicBool>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Only about operation and kind: which of them it leaves.
    masks: Option<(u32, u64)>,
    /// [`HELD`], [`FAILED`], [`ALONE`].
    bits: AtomicU8,
}

const HELD: u8 = 1;
const FAILED: u8 = 2;
const ALONE: u8 = 4;

/// What was seen of one condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionSeen {
    pub rule: String,
    /// Which of the rule's conditions.
    pub condition: usize,
    pub text: String,
    pub held: bool,
    pub failed: bool,
    /// It alone kept the rule from being met; `None` where no effect can tell (the rule would be an error without it).
    pub alone: Option<bool>,
}

impl Mutants {
    /// What was seen of every condition, in the order of the policy.
    pub fn conditions(&self, policy: &Policy) -> Vec<ConditionSeen> {
        let mut found = Vec::new();
        for (rule, seen) in policy.compiled.iter().zip(&self.coverage.rules) {
            for (condition, (index, seen)) in rule.test.all.iter().zip(seen.iter().flatten()).enumerate() {
                let Some(conjunct) = policy.conjuncts.get(*index) else { continue };
                let bits = seen.bits.load(Ordering::Relaxed);
                let (held, failed) = match seen.masks {
                    Some(masks) => self.coverage.mask(masks),
                    None => (bits & HELD != 0, bits & FAILED != 0),
                };
                let alone = (!is_guard(policy, rule, condition)).then_some(bits & ALONE != 0);
                let text = conjunct.text().to_owned();
                found.push(ConditionSeen { rule: rule.id.clone(), condition, text, held, failed, alone });
            }
        }
        found
    }
}

impl Coverage {
    /// Of the rules that are `wanted`, by their place in the policy.
    pub(super) fn of(policy: &Policy, wanted: &[bool]) -> Self {
        let seen = |index: &usize| {
            let masks = policy.conjuncts.get(*index).and_then(Conjunct::masks);
            Seen { masks, bits: AtomicU8::new(0) }
        };
        let rules = policy.compiled.iter().zip(wanted);
        let rules = rules.map(|(rule, wanted)| wanted.then(|| rule.test.all.iter().map(seen).collect())).collect();
        let slots = (0..Operation::ALL.len() * ResourceKind::ALL.len()).map(|_| AtomicBool::new(false)).collect();
        Self { rules, slots }
    }

    /// Not every rule of the policy is in question.
    pub(super) fn is_part(&self) -> bool {
        self.rules.iter().any(Option::is_none)
    }

    /// One condition alone kept a rule from being met.
    pub(super) fn mark_alone(&self, rule: usize, condition: usize) {
        self.mark(rule, condition, ALONE);
    }

    /// Whether some effect had an operation and kind that a condition leaves, and whether one had others.
    fn mask(&self, (operations, kinds): (u32, u64)) -> (bool, bool) {
        let (mut held, mut failed) = (false, false);
        for operation in Operation::ALL {
            for kind in ResourceKind::ALL {
                if self.slots[slot(*operation, *kind)].load(Ordering::Relaxed) {
                    let leaves = operations & 1 << *operation as u32 != 0 && kinds & 1 << *kind as u32 != 0;
                    held |= leaves;
                    failed |= !leaves;
                }
            }
        }
        (held, failed)
    }

    fn mark(&self, rule: usize, condition: usize, bit: u8) {
        if let Some(seen) = self.rules.get(rule).and_then(|seen| seen.as_ref()?.get(condition))
            && seen.bits.load(Ordering::Relaxed) & bit == 0
        {
            seen.bits.fetch_or(bit, Ordering::Relaxed);
        }
    }
}

impl Policy {
    /// Notes what the conditions of the rules in question say that are not answered by operation and kind.
    pub(super) fn cover(&self, coverage: &Coverage, pass: &mut Pass<'_, '_>) {
        let effect = pass.request.effect;
        coverage.slots[slot(effect.operation, effect.resource.kind)].store(true, Ordering::Relaxed);
        for of in self.applying(pass.request.effect) {
            let (Some(rule), Some(Some(seen))) = (self.compiled.get(*of), coverage.rules.get(*of)) else { continue };
            for (condition, (index, seen)) in rule.test.all.iter().zip(seen).enumerate() {
                if seen.masks.is_some() || seen.bits.load(Ordering::Relaxed) & (HELD | FAILED) == HELD | FAILED {
                    continue;
                }
                if let Ok(holds) = pass.truth(*index).holds {
                    coverage.mark(*of, condition, if holds { HELD } else { FAILED });
                }
            }
        }
    }
}
