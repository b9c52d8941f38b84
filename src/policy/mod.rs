//! Floor 1: Cedar policies, loaded, checked, compiled and asked.
//!
//! The only door to `cedar-policy`.

use std::sync::Arc;

use crate::model::{Action, Effect, Environment, RuleInfo, SessionFacts};

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
    /// Every rule (enforced or shadow) that is met, in the order of the policy.
    pub met: Vec<Arc<RuleInfo>>,
    /// Rules that would be met if what is unknown had the wrong value.
    pub possible: Vec<Arc<RuleInfo>>,
    /// No `permit` applies: nothing passes unless permitted.
    pub not_permitted: bool,
    /// Conditions that could not be evaluated.
    pub errors: Vec<String>,
}
