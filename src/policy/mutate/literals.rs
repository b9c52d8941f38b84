//! What the conditions of a rule look at and write down: of these values a case that tells a mutant is made.

use cedar_policy::pst::{self, PatternElem};

use crate::policy::compile::Conjunct;
use crate::policy::{Fact, Policy};

/// What the conditions of a rule write down.
#[derive(Clone, Debug, Default)]
pub struct Literals {
    /// Texts, and patterns with their stars.
    pub texts: Vec<String>,
    pub numbers: Vec<i64>,
}

impl Policy {
    /// The facts that a rule or permit looks at.
    pub fn facts_of(&self, id: &str) -> Vec<Fact> {
        let mut facts: Vec<Fact> = self.conjuncts_of(id).flat_map(|conjunct| conjunct.facts.iter().copied()).collect();
        facts.sort();
        facts.dedup();
        facts
    }

    /// What its conditions write down.
    pub fn literals_of(&self, id: &str) -> Literals {
        let mut literals = Literals::default();
        self.conjuncts_of(id).for_each(|conjunct| collect(conjunct.source(), &mut literals));
        literals
    }

    fn conjuncts_of(&self, id: &str) -> impl Iterator<Item = &Conjunct> {
        let rule = self.by_id.get(id).and_then(|index| self.compiled.get(*index));
        rule.into_iter().flat_map(|rule| &rule.test.all).filter_map(|index| self.conjuncts.get(*index))
    }
}

/// Collects the texts, patterns and numbers that a condition writes down.
fn collect(expr: &pst::Expr, found: &mut Literals) {
    match expr {
        pst::Expr::Literal(pst::Literal::String(text)) => found.texts.push(text.to_string()),
        pst::Expr::Literal(pst::Literal::Long(number)) => found.numbers.push(*number),
        pst::Expr::UnaryOp { expr, .. } => collect(expr, found),
        pst::Expr::BinaryOp { left, right, .. } => {
            collect(left, found);
            collect(right, found);
        }
        pst::Expr::Set(members) => members.iter().for_each(|member| collect(member, found)),
        pst::Expr::Like { pattern, .. } => found.texts.push(
            pattern
                .iter()
                .map(|element| match element {
                    PatternElem::Char(char) => *char,
                    PatternElem::Wildcard => '*',
                })
                .collect(),
        ),
        _ => {}
    }
}
