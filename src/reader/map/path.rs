//! Where a value stands in a record: `user.name`, `hits.hits[*]._source`, `args[0]`, `"odd key".x`.

use std::fmt;

use serde::de::Error as _;
use serde_json::Value;

/// A path as it is written in a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    written: String,
    /// It began with `$`: from the document, not from the record in it.
    rooted: bool,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A member by its name, and the rest of the path in one: exports flatten `user.name` into one key.
    Member { name: String, flat: Option<String> },
    /// An element by its place from the start.
    Element(usize),
    /// All elements.
    Each,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl<'de> serde::Deserialize<'de> for Path {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        Self::parse(&written).map_err(D::Error::custom)
    }
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// Says what is wrong with it, and where.
    pub(super) fn parse(written: &str) -> Result<Self, String> {
        let wrong = |what: &str| format!("`{written}` is not a path: {what}");
        let (rooted, mut rest) = match written.strip_prefix('$') {
            Some(rest) if rest.is_empty() || rest.starts_with(['.', '[']) => (true, rest.trim_start_matches('.')),
            _ => (false, written),
        };
        let mut steps: Vec<(Step, bool)> = Vec::new();
        while !rest.is_empty() {
            if let Some(inside) = rest.strip_prefix('[') {
                let (index, behind) = inside.split_once(']').ok_or_else(|| wrong("`[` without `]`"))?;
                let step = match index.trim() {
                    "" | "*" => Step::Each,
                    number => {
                        let say = || wrong("between `[` and `]` stands a number from 0, or `*` for all");
                        Step::Element(number.parse().map_err(|_| say())?)
                    }
                };
                steps.push((step, false));
                rest = behind;
            } else {
                let (name, quoted, behind) = name(rest).map_err(wrong)?;
                steps.push((Step::Member { name, flat: None }, !quoted));
                rest = behind;
            }
            match rest.strip_prefix('.') {
                Some("") => return Err(wrong("it ends with a dot")),
                Some(behind) => rest = behind,
                None if rest.is_empty() || rest.starts_with('[') => {}
                None => return Err(wrong("names stand apart with dots")),
            }
        }
        if steps.is_empty() && !rooted {
            return Err("a path is empty; write the name of a member or a column".to_owned());
        }
        flatten(&mut steps);
        Ok(Self { written: written.to_owned(), rooted, steps: steps.into_iter().map(|(step, _)| step).collect() })
    }

    pub(super) fn is_rooted(&self) -> bool {
        self.rooted
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The name that the path begins with.
    pub(super) fn first(&self) -> Option<&str> {
        match self.steps.first()? {
            Step::Member { name, .. } => Some(name),
            _ => None,
        }
    }

    /// The column that the path is in a table: its name as it stands, with the dots that are no steps there.
    pub(super) fn column(&self) -> Option<&str> {
        match self.steps.first()? {
            Step::Member { flat: Some(flat), .. } => Some(flat),
            Step::Member { name, .. } => Some(name),
            _ => None,
        }
    }

    /// What stands there; several values where the path says `[*]`. `null` is as good as nothing.
    pub(super) fn find(&self, value: &Value, found: &mut Vec<Value>) {
        walk(&self.steps, value, found);
    }
}

/// Gives every plain name of a row of plain names the rest of that row, as one key.
fn flatten(steps: &mut [(Step, bool)]) {
    let mut behind: Option<String> = None;
    for (step, plain) in steps.iter_mut().rev() {
        behind = match step {
            Step::Member { name, flat } if *plain => {
                *flat = behind.as_ref().map(|rest| format!("{name}.{rest}"));
                Some(flat.clone().unwrap_or_else(|| name.clone()))
            }
            _ => None,
        };
    }
}

/// A name, quoted or not, whether it was quoted, and what follows.
fn name(rest: &str) -> Result<(String, bool, &str), &'static str> {
    for quote in ['"', '\''] {
        if let Some(inside) = rest.strip_prefix(quote) {
            let (name, behind) = inside.split_once(quote).ok_or("a quote is not closed")?;
            return Ok((name.to_owned(), true, behind));
        }
    }
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (name, behind) = rest.split_at(end);
    match name.trim() {
        "" => Err("a name is empty"),
        name if name.contains(']') => Err("`]` without `[`"),
        name => Ok((name.to_owned(), false, behind)),
    }
}

fn walk(steps: &[Step], value: &Value, found: &mut Vec<Value>) {
    let Some((step, rest)) = steps.split_first() else {
        if !value.is_null() {
            found.push(value.clone());
        }
        return;
    };
    match (step, value) {
        (Step::Member { name, flat }, Value::Object(members)) => {
            if let Some(inner) = members.get(name) {
                walk(rest, inner, found);
            } else if let Some(flat) = flat
                && let Some(inner) = members.get(flat)
            {
                let taken = rest.iter().take_while(|step| matches!(step, Step::Member { .. })).count();
                walk(rest.get(taken..).unwrap_or_default(), inner, found);
            }
        }
        (Step::Element(index), Value::Array(elements)) => {
            if let Some(inner) = elements.get(*index) {
                walk(rest, inner, found);
            }
        }
        (Step::Each, Value::Array(elements)) => elements.iter().for_each(|inner| walk(rest, inner, found)),
        // A list where one thing was expected: the things in it.
        (Step::Member { .. }, Value::Array(elements)) if elements.len() == 1 => walk(steps, &elements[0], found),
        // JSON within a string: what stood in the log that was forwarded.
        (_, Value::String(text)) if text.trim_start().starts_with(['{', '[']) => {
            if let Ok(inner) = serde_json::from_str::<Value>(text) {
                walk(steps, &inner, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, json: &str, expected: &str) {
        let mut found = Vec::new();
        Path::parse(path).unwrap().find(&serde_json::from_str(json).unwrap(), &mut found);
        assert_eq!(serde_json::to_string(&found).unwrap(), expected);
    }

    #[test]
    fn members_and_elements() {
        check("a.b[0].c", r#"{"a":{"b":[{"c":1},{"c":2}]}}"#, "[1]");
        check("a[*].b", r#"{"a":[{"b":1},{"c":2},{"b":3}]}"#, "[1,3]");
        check("a[].b", r#"{"a":[{"b":1},{"b":3}]}"#, "[1,3]");
        check("a.b", r#"{"a":[{"b":1}]}"#, "[1]");
        check("a", r#"{"a":null}"#, "[]");
        check("[1]", "[7,8]", "[8]");
        check("$", "7", "[7]");
        check("$.a", r#"{"a":1}"#, "[1]");
        check("$x", r#"{"$x":1}"#, "[1]");
    }

    #[test]
    fn odd_keys_and_keys_with_dots() {
        check("\"a.b\".c", r#"{"a.b":{"c":1}}"#, "[1]");
        check("'User Name'", r#"{"User Name":"ann"}"#, "[\"ann\"]");
        check("User Name", r#"{"User Name":"ann"}"#, "[\"ann\"]");
        check("user.name", r#"{"user.name":"ann"}"#, "[\"ann\"]");
        check("a.user.name", r#"{"a":{"user.name":"ann"}}"#, "[\"ann\"]");
        check("user.args[0]", r#"{"user.args":["x"]}"#, "[\"x\"]");
        check("@timestamp", r#"{"@timestamp":1}"#, "[1]");
    }

    #[test]
    fn json_in_a_string() {
        check("_raw.cmd", r#"{"_raw":"{\"cmd\":\"ls\"}"}"#, "[\"ls\"]");
        check("_raw.cmd", r#"{"_raw":"{\"cmd\""}"#, "[]");
    }

    #[test]
    fn what_is_no_path_says_why() {
        let wrong = |path: &str| Path::parse(path).unwrap_err();
        assert_eq!(wrong("a[x]"), "`a[x]` is not a path: between `[` and `]` stands a number from 0, or `*` for all");
        assert_eq!(wrong("a["), "`a[` is not a path: `[` without `]`");
        assert_eq!(wrong("a]"), "`a]` is not a path: `]` without `[`");
        assert_eq!(wrong("a."), "`a.` is not a path: it ends with a dot");
        assert_eq!(wrong("a..b"), "`a..b` is not a path: a name is empty");
        assert_eq!(wrong("\"a"), "`\"a` is not a path: a quote is not closed");
        assert_eq!(wrong("\"a\"b"), "`\"a\"b` is not a path: names stand apart with dots");
        assert_eq!(wrong(""), "a path is empty; write the name of a member or a column");
    }
}
