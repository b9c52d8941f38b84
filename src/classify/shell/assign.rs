//! Assignments: `A=1`, `A+=x`, `a=(x y)`, and the values that stand before a command.

use super::tree::{Assignment, Value};
use super::{ways, words};
use crate::classify::command::Stream;
use crate::classify::{Scene, Word};
use crate::model::{CodeOrigin, Effect, Operation, Resource, ResourceKind, Span};

/// Longer values are not followed.
const MAX_VALUE: usize = 16 * 1024;

/// Carries out an assignment in the current shell.
pub(super) fn run(scene: &mut Scene<'_>, assignment: &Assignment<'_>, stdin: &Stream) {
    let name = assignment.name;
    let raw = match &assignment.value {
        Value::Word(raw) => raw,
        Value::Array { items, associative } => {
            let mut values = Vec::with_capacity(items.len());
            for item in items {
                words::expand(scene, item, stdin, &mut values);
            }
            if *associative {
                unknown(scene, name);
            } else if assignment.append {
                scene.shell.arrays.entry(name.to_owned()).or_default().extend(values);
            } else {
                ways::set(scene, name, None);
                scene.shell.arrays.insert(name.to_owned(), values);
            }
            return;
        }
    };
    let index = assignment.index.as_ref().map(|index| words::single(scene, index, stdin));
    let value = words::single(scene, raw, stdin);
    if let Some(index) = index {
        item(scene, name, &index, value);
    } else if assignment.append {
        append(scene, name, value);
    } else {
        word(scene, name, value);
    }
}

/// The value of an assignment that stands before a command: it holds for that command alone.
pub(super) fn value(scene: &mut Scene<'_>, assignment: &Assignment<'_>, stdin: &Stream) -> (String, Option<String>) {
    let value = match &assignment.value {
        Value::Word(raw) => words::single(scene, raw, stdin).value().map(str::to_owned),
        Value::Array { items, .. } => {
            for item in items {
                words::single(scene, item, stdin);
            }
            None
        }
    };
    (assignment.name.to_owned(), value)
}

/// Notes that from here on nothing is written into the shell's history.
pub(super) fn history_off(scene: &mut Scene<'_>, span: Option<Span>) {
    let mut effect = Effect::new(Operation::Disable, Resource::new(ResourceKind::Log, "shell history"));
    effect.span = span;
    effect.by = "history".to_owned();
    scene.effect(effect);
}

/// Notes a library that every program started from here on runs first, when it lies in a temporary place.
fn loaded(scene: &mut Scene<'_>, name: &str, word: &Word) {
    let temporary = ["/tmp/", "/dev/shm/", "/var/tmp/"].iter().any(|place| word.text.starts_with(place));
    if !temporary || !matches!(name, "LD_PRELOAD" | "LD_AUDIT" | "DYLD_INSERT_LIBRARIES") {
        return;
    }
    let mut effect = Effect::new(Operation::Execute, Resource::new(ResourceKind::Code, &*word.text));
    effect.code = Some(CodeOrigin::Staged);
    effect.span = word.span;
    effect.by = name.to_owned();
    scene.effect(effect);
}

/// Sets a variable to what is known of a word.
pub(super) fn word(scene: &mut Scene<'_>, name: &str, word: Word) {
    if !is_name(name) {
        return;
    }
    // `x="$x$x"` in a loop would grow without end.
    if word.text.len() > MAX_VALUE {
        return unknown(scene, name);
    }
    let off = match name {
        "HISTFILE" => word.text == "/dev/null",
        "HISTSIZE" | "HISTFILESIZE" | "SAVEHIST" => word.text == "0",
        _ => false,
    };
    if off {
        history_off(scene, word.span);
    }
    loaded(scene, name, &word);
    if name == "HOME" {
        // Pointed to a place made for this run: what is deleted there is no home.
        let made = word.unknown.iter().any(|part| part.name.trim_start_matches("$(").starts_with("mktemp"))
            || word.text.starts_with("/tmp/");
        scene.home = word.value().filter(|_| !made).map(str::to_owned);
    }
    if word.glob {
        scene.shell.patterns.insert(name.to_owned());
    } else if !scene.shell.patterns.is_empty() {
        scene.shell.patterns.remove(name);
    }
    if !scene.shell.arrays.is_empty() {
        scene.shell.arrays.remove(name);
    }
    if word.is_known() {
        if !scene.shell.partial.is_empty() {
            scene.shell.partial.remove(name);
        }
        ways::set(scene, name, Some(Some(word.text)));
    } else {
        ways::set(scene, name, Some(None));
        scene.shell.partial.insert(name.to_owned(), word);
    }
}

/// Sets a variable to something that is not known.
pub(super) fn unknown(scene: &mut Scene<'_>, name: &str) {
    if is_name(name) {
        scene.shell.arrays.remove(name);
        scene.shell.partial.remove(name);
        ways::set(scene, name, Some(None));
    }
}

fn append(scene: &mut Scene<'_>, name: &str, value: Word) {
    let known = match scene.variables.get(name) {
        Some(Some(before)) if value.is_known() => Some(before.clone() + &value.text),
        _ => None,
    };
    match known {
        Some(text) => word(scene, name, Word::known(text)),
        None => unknown(scene, name),
    }
}

fn item(scene: &mut Scene<'_>, name: &str, index: &Word, value: Word) {
    const MOST: usize = 256;
    let at = index.value().and_then(|text| text.parse::<usize>().ok());
    let items = scene.shell.arrays.entry(name.to_owned()).or_default();
    match at {
        Some(at) if at < items.len() => items[at] = value,
        Some(at) if at == items.len() && at < MOST => items.push(value),
        _ => unknown(scene, name),
    }
}

/// Whether a text is a variable's name.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
