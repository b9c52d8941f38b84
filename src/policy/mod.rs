//! Floor 1: Cedar policies, loaded, checked, compiled and asked.
//!
//! The only door to `cedar-policy` and its formatter. [`Policy::load`] reads sources, [`Policy::judge`] answers for one effect, and
//! [`Policy::judge_with_oracle`] gives the same answer through Cedar's own `Authorizer`.

mod annotation;
mod builtin;
mod change;
mod compile;
mod condition;
mod edits;
mod entities;
mod evaluate;
mod example;
mod expression;
mod facts;
mod format;
pub mod import;
mod judge;
mod lint;
mod load;
mod mutate;
mod near;
mod oracle;
mod pack;
#[cfg(feature = "prove")]
pub mod prove;
mod statement;
#[cfg(test)]
mod tests;
mod validate;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use cedar_policy::PolicySet;
use miette::NamedSource;

pub use builtin::{PACKS, builtin};
pub use change::{Changed, ConditionChange, RuleChange};
pub use condition::{Condition, ConditionKind, Met};
pub use edits::Edits;
pub use example::Example;
pub use facts::{Fact, SessionView};
pub use format::formatted;
pub use judge::Established;
pub(crate) use lint::did_you_mean;
pub use load::{LoadOptions, PolicyErrors, Problem, ProblemLevel, Source};
pub use mutate::{Answer, ConditionSeen, Literals, Mutant, Mutants, Mutation, Saying};
pub(crate) use near::doublings;
pub use near::{Control, Near, Unmet, Within};

use crate::model::{Action, Effect, Environment, RuleInfo, SessionFacts};

/// The vocabulary of policies, as a Cedar schema: for editors, for `prove` and for `nearmiss init`.
pub const SCHEMA: &str = include_str!("schema.cedarschema");

/// Everything a policy may look at for one effect.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub action: &'a Action,
    pub effect: &'a Effect,
    pub environment: Environment,
    /// Labels of the resource from the user's configuration, sorted.
    pub labels: &'a [String],
    pub session: &'a SessionFacts,
}

/// What the rules say about one effect.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// Every rule (enforced or shadow) that is met by what is known, in the order of the policy.
    pub met: Vec<Arc<RuleInfo>>,
    /// Rules that are not met by what is known, and would be if what is unknown had the wrong value.
    pub possible: Vec<Arc<RuleInfo>>,
    /// No `permit` applies: nothing passes unless permitted.
    pub not_permitted: bool,
    /// How many do.
    permits: usize,
    /// Conditions that could not be evaluated.
    pub errors: Vec<String>,
}

/// A set of rules, checked and compiled. Shared by reference between threads.
#[derive(Debug)]
pub struct Policy {
    rules: Vec<Arc<RuleInfo>>,
    compiled: Vec<Rule>,
    conjuncts: Vec<compile::Conjunct>,
    /// Which of `compiled` can apply to an operation on a kind of resource: `operation * kinds + kind`.
    slices: Vec<OnceLock<judge::Slice>>,
    by_id: BTreeMap<String, usize>,
    /// The permits and the rules as Cedar wants them; only the oracle and slow conditions need them.
    sets: OnceLock<Result<(PolicySet, PolicySet), String>>,
    examples: OnceLock<Vec<Example>>,
    warnings: Vec<Problem>,
    digest: String,
}

/// One policy of the set: a rule, or a permit (which has no `info`).
#[derive(Clone, Debug)]
struct Rule {
    id: String,
    info: Option<Arc<RuleInfo>>,
    annotations: annotation::Annotations,
    policy: cedar_policy::Policy,
    test: compile::Compiled,
    /// `@unless_known("environment")`: where nobody knows the environment, it may be the one that the rule names.
    unless_known: bool,
    /// Conditions about which `@near` says something, by their place among all conditions of the policy.
    near: Box<[(usize, near::Control)]>,
    source: Arc<NamedSource<String>>,
    range: Range<usize>,
}

impl Policy {
    /// Every rule that asks or blocks, in the order of the sources.
    pub fn rules(&self) -> &[Arc<RuleInfo>] {
        &self.rules
    }

    /// The ids of all rules and permits, in the order of the sources.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.compiled.iter().map(|rule| rule.id.as_str())
    }

    /// Whether there is a `permit` at all; without one nothing passes.
    pub fn permits(&self) -> bool {
        self.compiled.iter().any(|rule| rule.test.permit)
    }

    /// The first 16 hex digits of a hash over everything that the policy was loaded from.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What the rules say of themselves: run when the policy is loaded, by whoever has a classifier.
    pub fn examples(&self) -> &[Example] {
        self.examples.get_or_init(|| self.compiled.iter().flat_map(example::read).collect())
    }

    /// What is worth a note but no error.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Every fact that some rule looks at: two requests that agree on these get the same judgement. A rule that names
    /// its resource by `in` looks at the name, the areas, the labels and the places of the effect.
    pub fn facts(&self) -> Vec<Fact> {
        let mut facts: Vec<Fact> = self.conjuncts.iter().flat_map(|conjunct| conjunct.facts.iter().copied()).collect();
        facts.sort();
        facts.dedup();
        facts
    }

    /// How many conditions are left to Cedar because the compiler does not know them.
    pub fn slow_conditions(&self) -> usize {
        self.conjuncts.iter().filter(|conjunct| matches!(conjunct.test, compile::Test::Slow(_))).count()
    }
}
