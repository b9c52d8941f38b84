//! One record by a mapping: the value of every field, as what that field is.

use serde_json::Value;

use super::given::{self, Given};
use super::path::Path;
use super::{Field, Key};

/// What a mapping looks at: the record, and the document it stands in.
#[derive(Clone, Copy)]
pub(super) struct Seen<'v> {
    pub(super) record: &'v Value,
    pub(super) document: &'v Value,
}

/// What came of one field.
#[derive(Debug, PartialEq)]
pub(super) enum Got {
    Nothing,
    Value(Value),
    /// A word that `values` does not have.
    Unlisted(String),
}

impl Seen<'_> {
    /// What stands at a path, as far as there is anything.
    pub(super) fn at(&self, path: &Path) -> Vec<Value> {
        let mut found = Vec::new();
        path.find(if path.is_rooted() { self.document } else { self.record }, &mut found);
        found
    }

    /// The value of a field; `hit` is set when anything was recorded for it.
    pub(super) fn of(&self, given: &Given, hit: &mut bool) -> Got {
        if let Some(constant) = &given.value {
            *hit = true;
            return Got::Value(constant.json());
        }
        let mut parts = Vec::new();
        for path in &given.from {
            let found = self.at(path);
            let found: Vec<Value> = match &given.pattern {
                None => found,
                Some(pattern) => {
                    let part = |value: &Value| pattern.part(&given::text(value)?).map(Value::from);
                    found.iter().filter_map(part).collect()
                }
            };
            *hit |= !found.is_empty();
            let told = found.into_iter().filter(|value| value.as_str().is_none_or(|text| !text.trim().is_empty()));
            parts.extend(told);
            if !parts.is_empty() && given.join.is_none() {
                break;
            }
        }
        let value = match (&given.join, parts.len()) {
            (_, 0) => None,
            (Some(between), _) => {
                let texts: Vec<String> = parts.iter().flat_map(texts).collect();
                Some(Value::String(texts.join(between)))
            }
            (None, 1) => parts.pop(),
            (None, _) => Some(Value::Array(parts)),
        };
        let default = || given.default.as_ref().map_or(Got::Nothing, |default| Got::Value(default.json()));
        let Some(value) = value else { return default() };
        if given.values.is_empty() {
            return Got::Value(value);
        }
        let word = plain(&value).unwrap_or_else(|_| value.to_string());
        match given.values.get(&word) {
            Some(meant) => Got::Value(meant.json()),
            None if given.default.is_some() => default(),
            None => Got::Unlisted(word),
        }
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(elements) => elements.iter().flat_map(texts).collect(),
        other => given::text(other).into_iter().collect(),
    }
}

/// One thing as text; what is wrong where it is not one thing.
pub(super) fn plain(value: &Value) -> Result<String, String> {
    match value {
        Value::Array(elements) => match &elements[..] {
            [one] => plain(one),
            more => Err(format!("a list of {}; name one with `[0]`, or `join` them", more.len())),
        },
        Value::Object(_) => Err("an object; name the member that is meant".to_owned()),
        other => given::text(other).ok_or_else(|| "nothing".to_owned()),
    }
}

/// Yes or no, in the words that recorders have for it.
pub(super) fn truth(value: &Value) -> Result<bool, String> {
    let word = plain(value)?.to_ascii_lowercase();
    match word.as_str() {
        "true" | "yes" | "y" | "t" | "1" | "on" => Ok(true),
        "false" | "no" | "n" | "f" | "0" | "off" => Ok(false),
        _ => Err(format!("`{word}`, which is neither true nor false; say what it means in `values`")),
    }
}

/// A whole number, also where it is written as text.
pub(super) fn whole(value: &Value) -> Result<i64, String> {
    let text = plain(value)?;
    let number = text.trim().trim_end_matches(".0").parse();
    number.map_err(|_| format!("`{text}`, which is no whole number"))
}

/// Words of a command: a list, or one that is written as JSON text.
pub(super) fn words(value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::Array(elements) => elements
            .iter()
            .map(|word| given::text(word).ok_or_else(|| "a list with something else than words in it".to_owned()))
            .collect(),
        Value::String(text) if text.trim_start().starts_with('[') => match serde_json::from_str::<Value>(text) {
            Ok(list @ Value::Array(_)) => words(&list),
            _ => Err(format!("`{text}`, which is no list of words")),
        },
        Value::String(_) => Err("one text, not a list of words; a command line is `text` of kind `shell`".to_owned()),
        _ => Err("no list of words".to_owned()),
    }
}

/// The arguments of a call as JSON text, also where they were recorded as text in text.
pub(super) fn arguments(value: &Value) -> String {
    match value {
        Value::String(text) if serde_json::from_str::<serde_json::Map<String, Value>>(text).is_ok() => text.clone(),
        other => other.to_string(),
    }
}

impl Field {
    /// Where the mapping says it comes from, for people: `result.user`.
    pub(super) fn places(&self) -> String {
        let paths: Vec<String> = self.given.from.iter().map(|path| format!("`{path}`")).collect();
        match &paths[..] {
            [] => "a constant".to_owned(),
            [one] => one.clone(),
            more => more.join(" or "),
        }
    }

    /// How the value of a closed vocabulary can be mended.
    pub(super) fn advice(&self, map: &str) -> String {
        let words = self.key.vocabulary().unwrap_or_default().join(", ");
        let Self { key, line, .. } = self;
        format!("say in `values` of `{key}` ({map}:{line}) which of {words} it is")
    }
}

/// Fields without which there is no action.
pub(super) fn is_needed(key: Key) -> bool {
    matches!(key, Key::Kind | Key::Text | Key::Argv | Key::Tool)
}
