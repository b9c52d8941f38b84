//! `dd`: `if=` is read, `of=` is overwritten, and with it a disk and all that is on it.

use crate::classify::Scene;
use crate::classify::command::{Stream, call::Call, settle};
use crate::model::{Extent, Operation};

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    // `dd if=/dev/null of=x` copies nothing over it.
    let empties = call.operands().any(|word| word.text == "if=/dev/null");
    for word in call.operands() {
        if word.text.starts_with("if=") {
            let effect = settle::on_path(scene, Operation::Read, &word.tail(3), false);
            super::note(scene, call, effect);
        } else if word.text.starts_with("of=") {
            let operation = if empties { Operation::Delete } else { Operation::Update };
            let mut effect = settle::on_path(scene, operation, &word.tail(3), false);
            if let Some(effect) = &mut effect {
                effect.extent = Extent::All;
                super::copy::onto_device(effect);
            }
            super::note(scene, call, effect);
        }
    }
    None
}
