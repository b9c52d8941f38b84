//! Policies that differ from this one in one condition: what mutation testing tries out.

use std::sync::{Arc, OnceLock};

use super::compile::Compiled;
use super::{Policy, Rule};
use crate::model::{RuleInfo, words};

/// A policy in which one condition of one rule is changed.
#[derive(Debug)]
pub struct Mutant {
    pub rule: Arc<RuleInfo>,
    /// Which of the rule's [conditions](Policy::conditions).
    pub condition: usize,
    /// As it is written in the policy.
    pub text: String,
    pub mutation: Mutation,
    /// Answers by the compiled engine only: there is no Cedar text behind it.
    pub policy: Policy,
}

words! {
    /// How a condition is changed.
    Mutation { Dropped = "dropped", Negated = "negated" }
}

impl Policy {
    /// Every mutant, one at a time: each condition of each rule dropped, then negated.
    pub fn mutants(&self) -> impl Iterator<Item = Mutant> {
        self.compiled.iter().enumerate().flat_map(move |(at, rule)| {
            let conditions = 0..rule.test.all.len();
            conditions.flat_map(move |condition| {
                Mutation::ALL.iter().filter_map(move |mutation| self.mutant(at, condition, *mutation))
            })
        })
    }

    /// `None` for permits.
    fn mutant(&self, at: usize, condition: usize, mutation: Mutation) -> Option<Mutant> {
        let rule = self.compiled.get(at)?;
        let conjunct = self.conjuncts.get(*rule.test.all.get(condition)?)?;
        let mut conjuncts = self.conjuncts.clone();
        let mut all = rule.test.all.clone();
        match mutation {
            Mutation::Dropped => {
                all.remove(condition);
            }
            Mutation::Negated => {
                *all.get_mut(condition)? = conjuncts.len();
                conjuncts.push(conjunct.negated());
            }
        }
        let mut compiled: Vec<Rule> = self.compiled.clone();
        compiled.get_mut(at)?.test = Compiled::new(false, rule.test.actor.clone(), all, &conjuncts);
        let policy = Self {
            rules: self.rules.clone(),
            slices: Self::slices(),
            compiled,
            conjuncts,
            by_id: self.by_id.clone(),
            sets: OnceLock::from(Err("a mutant has no Cedar text".to_owned())),
            examples: OnceLock::new(),
            warnings: Vec::new(),
            digest: format!("{}-{}-{condition}-{mutation}", self.digest, rule.id),
        };
        Some(Mutant { rule: rule.info.clone()?, condition, text: conjunct.text().to_owned(), mutation, policy })
    }
}
