//! `apply_patch`: the patch is its operand or its standard input.

use crate::classify::command::{Stream, call::Call};
use crate::classify::{Scene, tool};
use crate::model::{GapKind, Hides};

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let stdin = call.invocation.stdin.text.as_ref().map(|(text, _)| &**text);
    match call.operand(0).map_or(stdin, |word| word.value()) {
        Some(patch) => tool::apply_patch(scene, patch),
        None => scene.gap(GapKind::HiddenCode, Hides::Anything, call.invocation.span, "what apply_patch reads"),
    }
    None
}
