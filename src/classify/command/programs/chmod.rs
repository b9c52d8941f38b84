//! `chmod`: letting everybody write is a grant of the file, letting a program run as its owner one of the owner's rights;
//! the rest is configuration.

use crate::classify::Scene;
use crate::classify::command::{Stream, call::Call, settle};
use crate::model::{Effect, Extent, Operation, Resource, ResourceKind};

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    // `-x` in the place of the mode looks like an option.
    let as_option = call.parsed.options.iter().find(|given| !given.listed).map(|given| given.names.first().to_owned());
    // Without a mode the one operand is the path: a slip that is worth seeing.
    let lone = call.parsed.operands.len() == 1 && call.operand(0).is_some_and(|word| word.text.contains('/'));
    let from = usize::from(as_option.is_none() && !call.flag("--reference") && !lone);
    let mode = as_option.or_else(|| call.operand(0).map(|word| word.text.clone())).unwrap_or_default();
    let recursive = call.flag("-R");
    let operation = if opens(&mode) { Operation::Grant } else { Operation::Alter };
    // A program that runs as its owner whoever starts it: the rights of the owner are everybody's from now on.
    let lends = lends_rights(&mode);
    for word in call.operands().skip(from) {
        if lends {
            let owner = Resource::new(ResourceKind::Role, format!("owner of {}", word.text));
            super::note(scene, call, Some(Effect { span: word.span, ..Effect::new(Operation::Grant, owner) }));
        }
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

/// Whether a mode lets everybody write.
fn opens(mode: &str) -> bool {
    match digits(mode) {
        Some(digits) => digits.last().is_some_and(|digit| matches!(digit, b'2' | b'3' | b'6' | b'7')),
        None => clauses(mode).any(|(who, what)| what.contains('w') && who.contains(['o', 'a'])),
    }
}

/// Whether a mode lets a program run as its owner. The group's bit is how folders are shared.
fn lends_rights(mode: &str) -> bool {
    match digits(mode).map(|digits| digits.strip_prefix(b"0").unwrap_or(digits)) {
        Some(digits) => digits.len() == 4 && matches!(digits.first(), Some(b'4' | b'5' | b'6' | b'7')),
        None => clauses(mode).any(|(who, what)| what.contains('s') && who != "g"),
    }
}

fn digits(mode: &str) -> Option<&[u8]> {
    (!mode.is_empty() && mode.bytes().all(|byte| byte.is_ascii_digit())).then_some(mode.as_bytes())
}

/// Who gets what: the clauses of `u+s,g=r` that give something.
fn clauses(mode: &str) -> impl Iterator<Item = (&str, &str)> {
    mode.split(',').filter_map(|clause| clause.find(['+', '=']).map(|at| clause.split_at(at)))
}
