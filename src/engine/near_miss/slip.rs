//! The slip catalogue: what a hand, or a generator, gets wrong. Written by the helper `slips`; this is only its face.

use crate::model::{Action, Effect};
use crate::policy::Fact;

/// One action as it would have been with one slip.
#[derive(Debug)]
pub(crate) struct Slipped {
    pub(crate) slip: &'static str,
    pub(crate) action: Action,
}

/// Every slip that could change one of `facts` of `effect`.
pub(crate) fn slips(_action: &Action, _effect: &Effect, _facts: &[Fact]) -> Vec<Slipped> {
    Vec::new()
}

/// What slipped, in a few words for a report: `a leading ./ is lost`. Empty for an id that is not in the catalogue.
pub fn about(_id: &str) -> &'static str {
    ""
}
