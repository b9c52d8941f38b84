//! What a mapping says about one field: where it comes from, what its values mean here, and how times are written.

use std::collections::BTreeMap;
use std::fmt;

use regex::Regex;
use serde::Deserialize;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde_json::Value;

use super::path::Path;
use super::time::{self, TimeFormat, Written};

/// Where a field's value comes from.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    /// The first of these that is there.
    pub(super) from: Vec<Path>,
    /// The same for every record.
    pub(super) value: Option<Scalar>,
    /// What the recorder's words are here.
    pub(super) values: BTreeMap<String, Scalar>,
    /// What it is where nothing is recorded, or a word that `values` does not have.
    pub(super) default: Option<Scalar>,
    /// The part of a text that is meant: its group, or all that it matches.
    pub(super) pattern: Option<Pattern>,
    /// Several values in one: with this between them.
    pub(super) join: Option<String>,
    pub(super) time: TimeFormat,
    /// `format` or `zone` was given.
    pub(super) is_time: bool,
    /// Nothing is said when no record has it.
    pub(super) optional: bool,
}

/// A constant.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Text(String),
    Whole(i64),
    Truth(bool),
}

impl Scalar {
    pub(super) fn json(&self) -> Value {
        match self {
            Self::Text(text) => Value::String(text.clone()),
            Self::Whole(number) => Value::from(*number),
            Self::Truth(truth) => Value::Bool(*truth),
        }
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Whole(number) => number.to_string(),
            Self::Truth(truth) => truth.to_string(),
        }
    }
}

/// A regular expression.
#[derive(Clone, Debug)]
pub(super) struct Pattern(pub(super) Regex);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        let regex = Regex::new(&written).map_err(|error| {
            let said = error.to_string();
            let reason = said.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            D::Error::custom(format!("`{written}` is not a regular expression: {reason}"))
        })?;
        if regex.captures_len() > 2 {
            return Err(D::Error::custom(format!(
                "`{written}` has {} groups; one says what is meant, write the others as `(?:…)`",
                regex.captures_len() - 1
            )));
        }
        Ok(Self(regex))
    }
}

impl Pattern {
    /// The part of the text that is meant.
    pub(super) fn part<'t>(&self, text: &'t str) -> Option<&'t str> {
        let captures = self.0.captures(text)?;
        captures.get(1).or_else(|| captures.get(0)).map(|part| part.as_str())
    }
}

/// The table form, key by key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    from: Paths,
    value: Option<Scalar>,
    #[serde(default)]
    values: BTreeMap<String, Scalar>,
    default: Option<Scalar>,
    pattern: Option<Pattern>,
    join: Option<String>,
    format: Option<String>,
    zone: Option<String>,
    #[serde(default)]
    optional: bool,
}

/// One path, or several of which the first that is there counts.
#[derive(Clone, Debug, Default)]
struct Paths(Vec<Path>);

impl<'de> Deserialize<'de> for Paths {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Paths;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path, or a list of paths")
            }

            fn visit_str<E: serde::de::Error>(self, written: &str) -> Result<Paths, E> {
                Ok(Paths(vec![Path::parse(written).map_err(E::custom)?]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Paths, A::Error> {
                let mut paths = Vec::new();
                while let Some(path) = list.next_element()? {
                    paths.push(path);
                }
                Ok(Paths(paths))
            }
        }
        deserializer.deserialize_any(Seen)
    }
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Given;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path, a list of paths, or a table with `from` or `value`")
            }

            fn visit_str<E: serde::de::Error>(self, written: &str) -> Result<Given, E> {
                let from = vec![Path::parse(written).map_err(E::custom)?];
                Ok(Given { from, ..Given::default() })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Given, A::Error> {
                let mut from = Vec::new();
                while let Some(path) = list.next_element()? {
                    from.push(path);
                }
                Ok(Given { from, ..Given::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Given, A::Error> {
                let table = Table::deserialize(MapAccessDeserializer::new(table))?;
                given(table).map_err(A::Error::custom)
            }
        }
        deserializer.deserialize_any(Seen)
    }
}

fn given(table: Table) -> Result<Given, String> {
    let Table { from, value, values, default, pattern, join, format, zone, optional } = table;
    let from = from.0;
    match (from.is_empty(), &value) {
        (true, None) => return Err("it says neither `from` (a path) nor `value` (a constant)".to_owned()),
        (false, Some(_)) => return Err("it says both `from` and `value`; a constant comes from nowhere".to_owned()),
        _ => {}
    }
    let is_time = format.is_some() || zone.is_some();
    let written = format.map_or(Ok(Written::default()), |word| Written::parse(&word))?;
    let zone = zone.map(|word| time::zone(&word)).transpose()?;
    let time = TimeFormat { written, zone };
    Ok(Given { from, value, values, default, pattern, join, time, is_time, optional })
}

/// What a record has to say to be taken.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    /// One of these.
    Is(Vec<Scalar>),
    /// None of these.
    Not(Vec<Scalar>),
    Present(bool),
    Pattern(Pattern),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionTable {
    not: Option<OneOrMore>,
    present: Option<bool>,
    pattern: Option<Pattern>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(Scalar),
    More(Vec<Scalar>),
}

impl OneOrMore {
    fn list(self) -> Vec<Scalar> {
        match self {
            Self::One(one) => vec![one],
            Self::More(more) => more,
        }
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Condition;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value, a list of values, or a table with `not`, `present` or `pattern`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Condition, E> {
                Ok(Condition::Is(vec![Scalar::Text(text.to_owned())]))
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Condition, E> {
                Ok(Condition::Is(vec![Scalar::Whole(number)]))
            }

            fn visit_bool<E: serde::de::Error>(self, truth: bool) -> Result<Condition, E> {
                Ok(Condition::Is(vec![Scalar::Truth(truth)]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Condition, A::Error> {
                let mut scalars = Vec::new();
                while let Some(scalar) = list.next_element()? {
                    scalars.push(scalar);
                }
                Ok(Condition::Is(scalars))
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Condition, A::Error> {
                let said = |error: A::Error| {
                    let said = error.to_string();
                    let said = said.trim_end();
                    if said.starts_with("unknown field") {
                        A::Error::custom(format!("{said}; a path with dots stands in quotes here: `\"a.b\" = …`"))
                    } else {
                        error
                    }
                };
                let table = ConditionTable::deserialize(MapAccessDeserializer::new(table)).map_err(said)?;
                match (table.not, table.present, table.pattern) {
                    (Some(not), None, None) => Ok(Condition::Not(not.list())),
                    (None, Some(present), None) => Ok(Condition::Present(present)),
                    (None, None, Some(pattern)) => Ok(Condition::Pattern(pattern)),
                    _ => Err(A::Error::custom("a condition says one of `not`, `present` and `pattern`")),
                }
            }
        }
        deserializer.deserialize_any(Seen)
    }
}

impl Condition {
    /// Whether it holds for what stands at its path.
    pub(super) fn holds(&self, found: &[Value]) -> bool {
        // Of a list, any element will do.
        let texts = || {
            found
                .iter()
                .flat_map(|value| value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice))
                .filter_map(text)
        };
        let among = |list: &[Scalar]| texts().any(|text| list.iter().any(|scalar| scalar.text() == text));
        match self {
            Self::Is(list) => among(list),
            Self::Not(list) => !among(list),
            Self::Present(wanted) => found.is_empty() != *wanted,
            Self::Pattern(pattern) => texts().any(|text| pattern.0.is_match(&text)),
        }
    }
}

/// A value as text, where it is one thing.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
