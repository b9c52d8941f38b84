//! Shell code: parsed, walked, its words resolved, its wrappers peeled.

use super::Scene;

/// Classifies a piece of shell code.
pub fn run(scene: &mut Scene<'_>, text: &str) {
    let _ = (scene, text);
}
