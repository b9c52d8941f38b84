//! `$x`, `${x:-d}`, `${x%.*}`, `$@` …: the value of a parameter as far as it is known.

use super::tree::{Change, Index, Parameter};
use super::words::{Found, single};
use super::{pattern, ways};
use crate::classify::command::Stream;
use crate::classify::{Scene, Word, paths};

/// Replacing is not followed where the result could be longer than this.
const MAX_REPLACED: usize = 64 * 1024;

/// What `parameter` stands for. Words inside it are looked at in any case: they can hold commands.
pub(super) fn find(scene: &mut Scene<'_>, parameter: &Parameter<'_>, stdin: &Stream) -> Found {
    let index = match &parameter.index {
        Index::At(index) => Some(single(scene, index, stdin)),
        _ => None,
    };
    let value = match (&parameter.index, index) {
        (Index::All, _) => all(scene, parameter),
        (_, Some(index)) => item(scene, parameter.name, &index),
        _ => named(scene, parameter.name, parameter.quoted),
    };
    changed(scene, parameter, value, stdin)
}

fn changed(scene: &mut Scene<'_>, parameter: &Parameter<'_>, value: Found, stdin: &Stream) -> Found {
    match &parameter.change {
        Change::None => value,
        Change::Length => match value {
            Found::Text(text) => Found::Text(text.chars().count().to_string()),
            Found::Words(words) => Found::Text(words.len().to_string()),
            _ => Found::Unknown { guarded: true },
        },
        Change::Default { word, assign, empty } => {
            let default = single(scene, word, stdin);
            let missing = match &value {
                Found::Text(text) => *empty && text.is_empty(),
                // Not set by the text: the default is what a reader expects, and all that is known.
                Found::Unknown { guarded } => {
                    !guarded && !scene.variables.contains_key(parameter.name) && !default.text.is_empty()
                }
                _ => false,
            };
            if !missing {
                return value;
            }
            if *assign {
                ways::set(scene, parameter.name, Some(default.value().map(str::to_owned)));
            }
            as_found(default)
        }
        Change::Alternative(word) => {
            let alternative = single(scene, word, stdin);
            match value {
                Found::Text(text) if text.is_empty() => Found::Text(text),
                _ if alternative.text.is_empty() => Found::Unknown { guarded: false },
                _ => as_found(alternative),
            }
        }
        Change::Required(word) => {
            single(scene, word, stdin);
            match value {
                Found::Unknown { .. } => Found::Unknown { guarded: true },
                known => known,
            }
        }
        Change::Trim { pattern: raw, prefix, longest } => {
            let pattern = single(scene, raw, stdin);
            text_only(value, &pattern, |text| pattern::trimmed(text, &pattern.text, *prefix, *longest).to_owned())
        }
        Change::Replace { pattern: raw, with, all } => {
            let (pattern, with) = (single(scene, raw, stdin), single(scene, with, stdin));
            let long = matches!(&value, Found::Text(text) if text.len() * with.text.len() > MAX_REPLACED);
            if long || !with.is_known() {
                return Found::Unknown { guarded: false };
            }
            text_only(value, &pattern, |text| pattern::replaced(text, &pattern.text, &with.text, *all))
        }
        Change::Case { upper, first } => text_only(value, &Word::default(), |text| {
            let split = if *first { text.chars().next().map_or(0, char::len_utf8) } else { text.len() };
            let (change, keep) = text.split_at(split);
            (if *upper { change.to_uppercase() } else { change.to_lowercase() }) + keep
        }),
        Change::Slice { offset, length } => {
            let offset = single(scene, offset, stdin);
            let length = length.as_ref().map(|length| single(scene, length, stdin));
            sliced(value, &offset, length.as_ref())
        }
        Change::Opaque(words) => {
            for word in words {
                single(scene, word, stdin);
            }
            Found::Unknown { guarded: false }
        }
    }
}

fn as_found(word: Word) -> Found {
    if word.is_known() && !word.glob { Found::Text(word.text) } else { Found::Word(word) }
}

fn text_only(value: Found, with: &Word, change: impl FnOnce(&str) -> String) -> Found {
    match value {
        Found::Text(text) if with.is_known() => Found::Text(change(&text)),
        _ => Found::Unknown { guarded: false },
    }
}

fn sliced(value: Found, offset: &Word, length: Option<&Word>) -> Found {
    let number = |word: &Word| word.value().and_then(|text| text.trim().parse::<i64>().ok());
    let (Some(offset), length) = (number(offset), length.map(number)) else {
        return Found::Unknown { guarded: false };
    };
    let (length, total) = match (length, &value) {
        (Some(None), _) => return Found::Unknown { guarded: false },
        (length, Found::Text(text)) => (length.flatten(), text.chars().count()),
        (length, Found::Words(words)) => (length.flatten(), words.len()),
        _ => return Found::Unknown { guarded: false },
    };
    let total = i64::try_from(total).unwrap_or(i64::MAX);
    let start = if offset < 0 { total.saturating_add(offset).max(0) } else { offset.min(total) };
    let end = match length {
        None => total,
        Some(length) if length < 0 => total.saturating_add(length).max(start),
        Some(length) => start.saturating_add(length).min(total),
    };
    let (skip, take) = (usize::try_from(start).unwrap_or(0), usize::try_from(end - start).unwrap_or(0));
    match value {
        Found::Text(text) => Found::Text(text.chars().skip(skip).take(take).collect()),
        Found::Words(words) => Found::Words(words.into_iter().skip(skip).take(take).collect()),
        other => other,
    }
}

/// `${a[@]}` and `${a[*]}`.
fn all(scene: &Scene<'_>, parameter: &Parameter<'_>) -> Found {
    match scene.shell.arrays.get(parameter.name) {
        Some(words) => Found::Words(words.clone()),
        None => named(scene, parameter.name, parameter.quoted),
    }
}

fn item(scene: &Scene<'_>, name: &str, index: &Word) -> Found {
    let at = index.value().and_then(|text| text.parse::<usize>().ok());
    match (scene.shell.arrays.get(name), at) {
        (Some(words), Some(at)) => words.get(at).cloned().map_or(Found::Text(String::new()), as_found),
        (None, Some(0)) => named(scene, name, true),
        _ => Found::Unknown { guarded: false },
    }
}

fn named(scene: &Scene<'_>, name: &str, quoted: bool) -> Found {
    if let Some(value) = scene.variables.get(name) {
        return match value {
            Some(text) if scene.shell.patterns.contains(name) => {
                Found::Word(Word { text: text.clone(), glob: true, ..Word::default() })
            }
            Some(text) => Found::Text(text.clone()),
            None => match scene.shell.partial.get(name) {
                // The quotes that count are those around the variable, not those of its assignment.
                Some(word) => Found::Word(Word { quoted, span: None, ..word.clone() }),
                None => Found::Unknown { guarded: false },
            },
        };
    }
    if let Some(words) = scene.shell.arrays.get(name) {
        return words.first().cloned().map_or(Found::Text(String::new()), as_found);
    }
    let known = |text: Option<&String>, guarded| match text {
        Some(text) => Found::Text(text.clone()),
        None => Found::Unknown { guarded },
    };
    match name {
        // Where the home folder is not known, a tilde says the same and is understood further down.
        "HOME" => Found::Text(scene.home.clone().unwrap_or_else(|| "~".to_owned())),
        "PWD" => known(scene.cwd.as_ref().filter(|folder| paths::is_absolute(folder)), true),
        "OLDPWD" => known(scene.shell.old_cwd.as_ref().filter(|folder| paths::is_absolute(folder)), true),
        "USER" | "LOGNAME" => known(scene.action.surroundings.user.as_ref(), true),
        "IFS" => Found::Text(" \t\n".to_owned()),
        "@" | "*" => match &scene.shell.positional {
            Some(words) => Found::Words(words.to_vec()),
            None => Found::Unknown { guarded: false },
        },
        "#" => match &scene.shell.positional {
            Some(words) => Found::Text(words.len().to_string()),
            None => Found::Unknown { guarded: true },
        },
        // Never empty and never with a slash in it, whatever it is: as good as known.
        "$" | "UID" | "EUID" | "PPID" | "BASHPID" | "RANDOM" | "SECONDS" | "HOSTNAME" | "EPOCHSECONDS" | "LINENO" => {
            Found::Text(format!("${name}"))
        }
        // Numbers and the like: not known, but never empty and never a path.
        "?" | "!" | "-" | "SHLVL" | "EPOCHREALTIME" | "HOSTTYPE" | "OSTYPE" | "MACHTYPE" => {
            Found::Unknown { guarded: true }
        }
        _ => match (name.parse::<usize>(), &scene.shell.positional) {
            (Ok(0), _) => Found::Unknown { guarded: true },
            (Ok(at), Some(words)) => words.get(at - 1).cloned().map_or(Found::Text(String::new()), as_found),
            _ => Found::Unknown { guarded: false },
        },
    }
}
