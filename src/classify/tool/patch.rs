//! The patches of `apply_patch`: `*** Update File: src/a.rs` and the like.

use crate::model::{Effect, Extent, GapKind, Hides, Operation, ResourceKind, Span};

use crate::classify::{Scene, Word, paths};

pub(super) fn is_patch(text: &str) -> bool {
    text.trim_start().starts_with("*** Begin Patch")
}

/// Notes every file the patch touches.
pub(super) fn run(scene: &mut Scene<'_>, patch: &str, by: &str) {
    let mut touched = false;
    let base = scene.action.text.find(patch);
    let mut next = 0;
    for line in patch.split('\n') {
        let start = next;
        next += line.len() + 1;
        let Some(rest) = line.trim_end().strip_prefix("*** ") else { continue };
        let Some((what, path)) = rest.split_once(": ") else { continue };
        let (operation, extent) = match what {
            "Add File" => (Operation::Create, Extent::All),
            "Update File" => (Operation::Update, Extent::Some),
            "Move to" => (Operation::Update, Extent::All),
            "Delete File" => (Operation::Delete, Extent::One),
            _ => {
                scene.gap(GapKind::UnknownStatement, Hides::Anything, None, what);
                continue;
            }
        };
        touched = true;
        let span = base.map(|base| Span::new(base + start, base + start + line.trim_end().len()));
        let word = Word { text: path.trim().to_owned(), span, quoted: true, ..Word::default() };
        let mut effect = Effect::new(operation, paths::resource(scene, &word, ResourceKind::File));
        effect.extent = extent;
        effect.span = span;
        effect.by = by.to_owned();
        scene.effect(effect);
    }
    if !touched {
        scene.gap(GapKind::Unparsed, Hides::Anything, None, "patch without files");
    }
    if scene.is_outermost() {
        scene.set_template(|| format!("{by} <patch>"));
    }
}
