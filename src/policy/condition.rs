//! The conditions of a rule one by one: what `explain` shows and near-misses are counted from.

use std::sync::Arc;

use super::judge::Pass;
use super::{Fact, Policy, Request, Rule};
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

/// A rule about this kind of act that is not met, and by which of its [conditions](Policy::conditions).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    pub rule: Arc<RuleInfo>,
    pub unmet: Vec<usize>,
    pub unknown: Vec<usize>,
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
            conditions.push(Condition {
                text: conjunct.text().to_owned(),
                facts: conjunct.facts.clone(),
                kind: if conjunct.is_anchor { ConditionKind::Anchor } else { ConditionKind::Condition },
                met: self.met(*index, &mut pass, request),
            });
        }
        conditions
    }

    /// The enforced and shadow rules about this kind of act (all anchors met) that at most `most` conditions keep from
    /// being met, nearest first, then in the order of the policy.
    pub fn near(&self, request: &Request<'_>, most: usize) -> Vec<Near> {
        let mut pass = Pass::new(self, request);
        let mut found: Vec<Near> = self
            .slice(request.effect.operation, request.effect.resource.kind)
            .filter_map(|rule| self.nearness(rule, most, &mut pass, request))
            .collect();
        found.sort_by_key(|near| near.unmet.len() + near.unknown.len());
        found
    }

    /// Whether a rule about this kind of act is kept from being met by one condition.
    pub fn is_near(&self, id: &str, request: &Request<'_>) -> bool {
        let Some(rule) = self.by_id.get(id).and_then(|index| self.compiled.get(*index)) else { return false };
        let operation = 1 << request.effect.operation as u32;
        let kind = 1 << request.effect.resource.kind as u32;
        rule.test.operations & operation != 0
            && rule.test.kinds & kind != 0
            && self.nearness(rule, 1, &mut Pass::new(self, request), request).is_some()
    }

    fn nearness(&self, rule: &Rule, most: usize, pass: &mut Pass<'_, '_>, request: &Request<'_>) -> Option<Near> {
        let mut near = Near { rule: rule.info.clone()?, unmet: Vec::new(), unknown: Vec::new() };
        for (position, index) in rule.test.all.iter().enumerate() {
            match (self.met(*index, pass, request), self.conjuncts.get(*index)?.is_anchor) {
                (Met::Met, _) => continue,
                (_, true) => return None,
                (Met::Unmet, false) => near.unmet.push(position),
                (Met::Unknown, false) => near.unknown.push(position),
            }
            if near.unmet.len() + near.unknown.len() > most {
                return None;
            }
        }
        (near.unmet.len() + near.unknown.len() > 0).then_some(near)
    }

    fn met(&self, index: usize, pass: &mut Pass<'_, '_>, request: &Request<'_>) -> Met {
        let truth = pass.truth(index);
        if truth.holds == Ok(true) && !truth.unsure {
            return Met::Met;
        }
        let facts = self.conjuncts.get(index).map_or(&[][..], |conjunct| &conjunct.facts);
        if truth.unsure || facts.iter().any(|fact| fact.is_missing(request)) { Met::Unknown } else { Met::Unmet }
    }
}
