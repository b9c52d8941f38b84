//! From an agent's tool call or an API call to effects.

use crate::model::Action;

use super::Scene;

/// Finds what a `tool` or `api` action does.
pub fn run(scene: &mut Scene<'_>, action: &Action) {
    let _ = (scene, action);
}
