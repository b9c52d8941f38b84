//! The conditions of a rule one by one: what `explain` shows.

use super::judge::Pass;
use super::{Fact, Policy, Request};
use crate::model::{RuleInfo, words};

/// One condition of a rule, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// As a person would write it: `resource in Environment::"production"`.
    pub text: String,
    /// The facts it looks at, sorted.
    pub facts: Vec<Fact>,
    pub kind: ConditionKind,
    pub met: Met,
}

words! {
    /// Whether a condition says what kind of act a rule is about, or under which circumstances it stops it.
    ConditionKind { Anchor = "anchor", Condition = "condition" }
}

words! {
    /// What became of a condition.
    Met {
        Met = "met",
        Unmet = "unmet",
        /// A fact it looks at is missing: it could be either.
        Unknown = "unknown",
    }
}

impl Policy {
    /// Every condition of `rule` in the order in which it is written; empty for a rule of another policy.
    pub fn conditions(&self, rule: &RuleInfo, request: &Request<'_>) -> Vec<Condition> {
        let Some(rule) = self.by_id.get(&rule.id).and_then(|index| self.compiled.get(*index)) else {
            return Vec::new();
        };
        let mut pass = Pass::new(self, request);
        let mut conditions = Vec::new();
        for index in &rule.test.all {
            let Some(conjunct) = self.conjuncts.get(*index) else { continue };
            let met = self.met(*index, &mut pass);
            // What no circumstance could make hold says what kind of act the rule is about.
            let anchor = conjunct.is_anchor || met != Met::Met && !conjunct.can_hold(request);
            conditions.push(Condition {
                text: conjunct.text().to_owned(),
                facts: conjunct.facts.clone(),
                kind: if anchor { ConditionKind::Anchor } else { ConditionKind::Condition },
                met: if anchor && met == Met::Unknown { Met::Unmet } else { met },
            });
        }
        conditions
    }
}
