//! `chmod`: letting everybody write, or a program run as its owner, is a grant; the rest is configuration.

use crate::classify::Scene;
use crate::classify::command::{Stream, call::Call, settle};
use crate::model::{Extent, Operation};

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    // `-x` in the place of the mode looks like an option.
    let as_option = call.parsed.options.iter().find(|given| !given.listed).map(|given| given.names.first().to_owned());
    // Without a mode the one operand is the path: a slip that is worth seeing.
    let lone = call.parsed.operands.len() == 1 && call.operand(0).is_some_and(|word| word.text.contains('/'));
    let from = usize::from(as_option.is_none() && !call.flag("--reference") && !lone);
    let mode = as_option.or_else(|| call.operand(0).map(|word| word.text.clone())).unwrap_or_default();
    let recursive = call.flag("-R");
    let operation = if opens(&mode) { Operation::Grant } else { Operation::Alter };
    for word in call.operands().skip(from) {
        let effect = settle::on_path(scene, operation, word, recursive).map(|mut effect| {
            if recursive {
                effect.extent = Extent::All;
            }
            effect
        });
        super::note(scene, call, effect);
    }
    None
}

/// Whether a mode lets everybody write or lets a program run as its owner. The group's bit is how folders are shared.
fn opens(mode: &str) -> bool {
    if !mode.is_empty() && mode.bytes().all(|byte| byte.is_ascii_digit()) {
        let digits = mode.as_bytes();
        let writable = digits.last().is_some_and(|digit| matches!(digit, b'2' | b'3' | b'6' | b'7'));
        let special = digits.len() == 4 && matches!(digits.first(), Some(b'4' | b'6'));
        return writable || special;
    }
    mode.split(',').any(|clause| {
        let Some(at) = clause.find(['+', '=']) else { return false };
        let (who, what) = clause.split_at(at);
        what.contains('s') && who != "g" || what.contains('w') && (who.contains(['o', 'a']))
    })
}
