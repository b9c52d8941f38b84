//! Records of any recorder, by a mapping that says what their fields are: `--map map.toml`.
//!
//! ```toml
//! only = { sourcetype = "bastion:cmd" }
//! [fields]
//! kind = { value = "shell" }
//! text = "result.command"
//! time = { from = "result.when", format = "epoch-ms" }
//! ```
//! `docs/mapping.md` is the reference. A mapping is checked when it is loaded; what it asks for and no record of a file
//! has is said at the end of that file.

mod given;
mod making;
mod path;
mod read;
mod record;
mod time;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::model::{ActorKind, Environment, Executed, Kind, words};
pub(in crate::reader) use read::{delimiter, ends_with_crlf, place_of};
pub(in crate::reader) use time::moment;

use given::{Condition, Given, Scalar};
use path::Path;

/// How the actions of mapped files are called where a format is named.
pub const FORMAT: &str = "mapped";

/// A mapping, checked.
#[derive(Clone, Debug)]
pub struct Map {
    /// Its file, as it is shown.
    name: String,
    /// The files it is for; all where it says none.
    files: Vec<glob::Pattern>,
    /// Where the records stand in a document; the document is the record where this is not said.
    records: Option<Path>,
    /// The table of a database; its only one where this is not said.
    table: Option<String>,
    /// The columns of a table whose first line does not name them.
    columns: Vec<String>,
    /// What stands between columns; found out where it is not said.
    delimiter: Option<u8>,
    only: Vec<Only>,
    fields: Vec<Field>,
}

#[derive(Clone, Debug)]
struct Only {
    path: Path,
    condition: Condition,
    line: usize,
}

#[derive(Clone, Debug)]
struct Field {
    key: Key,
    given: Given,
    line: usize,
}

words! {
    /// What a mapping can fill.
    Key {
        Id = "id",
        Time = "time",
        Kind = "kind",
        Text = "text",
        Argv = "argv",
        Tool = "tool",
        Arguments = "arguments",
        Actor = "actor",
        ActorKind = "actor-kind",
        Session = "session",
        Cwd = "cwd",
        Home = "home",
        Host = "host",
        User = "user",
        Database = "database",
        Account = "account",
        Cluster = "cluster",
        Dialect = "dialect",
        Version = "version",
        Environment = "environment",
        Outcome = "outcome",
        Executed = "executed",
        Succeeded = "succeeded",
        ExitCode = "exit-code",
        Rows = "rows",
        Output = "output",
        Approved = "approved",
        Truncated = "truncated",
        Redacted = "redacted",
        ParametersMissing = "parameters-missing",
        BodyMissing = "body-missing",
    }
}

impl Key {
    /// The words that a field may have, where these are few.
    fn vocabulary(self) -> Option<Vec<&'static str>> {
        let words = match self {
            Self::Kind => Kind::ALL.iter().map(|word| word.word()).collect(),
            Self::ActorKind => ActorKind::ALL.iter().map(|word| word.word()).collect(),
            Self::Environment => Environment::ALL.iter().map(|word| word.word()).collect(),
            Self::Executed => Executed::ALL.iter().map(|word| word.word()).chain(["true", "false"]).collect(),
            Self::Outcome => OUTCOMES.to_vec(),
            _ => return None,
        };
        Some(words)
    }
}

/// How an action ended, in one word.
const OUTCOMES: &[&str] = &["ok", "failed", "denied", "unknown"];

/// The file, key by key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// For people.
    #[serde(default, rename = "about")]
    _about: String,
    #[serde(default)]
    files: Vec<Spanned<String>>,
    records: Option<Path>,
    table: Option<String>,
    #[serde(default)]
    columns: Vec<String>,
    delimiter: Option<Spanned<String>>,
    #[serde(default)]
    only: BTreeMap<Spanned<String>, Condition>,
    fields: BTreeMap<Spanned<String>, Given>,
}

/// A mapping that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// Carries line, column and the line itself.
    #[error("{file}: {said}")]
    Syntax { file: String, said: String },
    #[error("{file}:{line}: {problem}")]
    Wrong { file: String, line: usize, problem: String },
}

impl Map {
    /// Reads the text of a mapping; `file` is for messages.
    ///
    /// # Errors
    /// On anything that is not known or could never work.
    pub fn parse(file: &str, text: &str) -> Result<Self, MapError> {
        let written: Written = toml::from_str(text).map_err(|error| MapError::Syntax {
            file: file.to_owned(),
            said: error.to_string().trim_end().to_owned(),
        })?;
        let line_of = |at: usize| 1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count();
        let wrong = |at: usize, problem: String| MapError::Wrong { file: file.to_owned(), line: line_of(at), problem };
        let mut map = Self {
            name: file.to_owned(),
            files: Vec::new(),
            records: written.records,
            table: written.table,
            columns: written.columns,
            delimiter: None,
            only: Vec::new(),
            fields: Vec::new(),
        };
        for pattern in written.files {
            let at = pattern.span().start;
            let found = glob::Pattern::new(pattern.get_ref());
            map.files.push(
                found.map_err(|error| wrong(at, format!("`{}` is not a glob: {}", pattern.get_ref(), error.msg)))?,
            );
        }
        if let Some(delimiter) = written.delimiter {
            let [byte] = delimiter.get_ref().as_bytes() else {
                let problem = "`delimiter` is one ASCII character, such as `;` or a tab (`\\t`)".to_owned();
                return Err(wrong(delimiter.span().start, problem));
            };
            map.delimiter = Some(*byte);
        }
        for (path, condition) in written.only {
            let at = path.span().start;
            let line = line_of(at);
            let path = Path::parse(path.get_ref()).map_err(|problem| wrong(at, problem))?;
            map.only.push(Only { path, condition, line });
        }
        for (name, given) in written.fields {
            let at = name.span().start;
            let key = Key::from_word(name.get_ref()).ok_or_else(|| wrong(at, no_field(name.get_ref())))?;
            checked(key, &given).map_err(|problem| wrong(at, format!("`{key}`: {problem}")))?;
            map.fields.push(Field { key, given, line: line_of(at) });
        }
        map.only.sort_by_key(|only| only.line);
        map.fields.sort_by_key(|field| field.line);
        map.complete().map_err(|problem| wrong(text.find("[fields]").unwrap_or(0), problem))?;
        Ok(map)
    }

    /// Whether it is for a file: of this path, and of this name without `.gz` and the like.
    pub fn is_for(&self, file: &str, name: &str) -> bool {
        self.files.is_empty() || self.files.iter().any(|pattern| fits(pattern, file, name))
    }

    fn field(&self, key: Key) -> Option<&Field> {
        self.fields.iter().find(|field| field.key == key)
    }

    /// What an action needs is there.
    fn complete(&self) -> Result<(), String> {
        let Some(kind) = self.field(Key::Kind) else {
            return Err("`kind` is not given: what the records are, such as `kind = { value = \"shell\" }` \
                        (shell, sql, exec, tool or api)"
                .to_owned());
        };
        let constant = kind.given.value.iter();
        let kinds: Vec<String> = constant.chain(kind.given.values.values()).map(Scalar::text).collect();
        let needs: [(&[&str], Key); 3] =
            [(&["shell", "sql"], Key::Text), (&["exec"], Key::Argv), (&["tool", "api"], Key::Tool)];
        for (words, key) in needs {
            let asked = kinds.iter().find(|kind| words.contains(&kind.as_str()));
            if let Some(kind) = asked
                && self.field(key).is_none()
            {
                return Err(format!("`{key}` is not given: actions of kind `{kind}` need it"));
            }
        }
        if [Key::Text, Key::Argv, Key::Tool].iter().all(|key| self.field(*key).is_none()) {
            return Err("none of `text`, `argv` and `tool` is given: nothing says what was done".to_owned());
        }
        Ok(())
    }
}

/// A pattern with a folder in it is held against the end of the path, one without against the name.
fn fits(pattern: &glob::Pattern, file: &str, name: &str) -> bool {
    if !pattern.as_str().contains('/') {
        return pattern.matches(name) || pattern.matches(crate::reader::record::file_name(file));
    }
    let starts = std::iter::once(0).chain(file.match_indices('/').map(|(at, _)| at + 1));
    starts.filter_map(|at| file.get(at..)).any(|end| pattern.matches(end))
}

fn no_field(name: &str) -> String {
    let all: Vec<&str> = Key::ALL.iter().map(|key| key.word()).collect();
    let meant = nearest(name, all.iter().copied()).map(|key| format!(" Did you mean `{key}`?")).unwrap_or_default();
    format!("no field is called `{name}`.{meant} There are {}", all.join(", "))
}

/// What can be said about a field without any record.
fn checked(key: Key, given: &Given) -> Result<(), String> {
    if given.is_time && key != Key::Time {
        return Err("`format` and `zone` say how a time is written, and this is none".to_owned());
    }
    if let Some(constant) = &given.value
        && key == Key::Time
        && given.time.read(&constant.json()).is_none()
    {
        return Err(format!("`{}` is not a time", constant.text()));
    }
    let Some(words) = key.vocabulary() else { return Ok(()) };
    let meant = given.value.iter().chain(given.values.values()).chain(&given.default).map(Scalar::text);
    for word in meant {
        if !words.contains(&word.as_str()) {
            return Err(format!("`{word}` is none of {}", words.join(", ")));
        }
    }
    if let [path] = &given.from[..]
        && words.contains(&path.to_string().as_str())
    {
        return Err(format!("`\"{path}\"` is read as a path; a constant is `{{ value = \"{path}\" }}`"));
    }
    Ok(())
}

/// The known name that is most like one that is not known, if any is.
fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let plain = |name: &str| name.to_lowercase().replace(|c: char| !c.is_alphanumeric(), "");
    let name = plain(name);
    let scored = known.filter_map(|other| {
        let found = plain(other);
        let steps = distance(&name, &found);
        let within = found.len() >= 3 && name.len() >= 3 && (name.contains(&found) || found.contains(&name));
        (steps <= 2 && steps < name.len().max(1) || within).then_some((steps, other))
    });
    scored.min().map(|(_, other)| other)
}

/// Letters that have to change to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().take(64).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, right) in b.iter().enumerate() {
            let changed = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// The mappings in force, in the order in which they are asked.
#[derive(Clone, Debug, Default)]
pub struct Maps(Vec<(Vec<glob::Pattern>, Arc<Map>)>);

impl Maps {
    /// Adds one that is asked after those before it. `files` go before what the mapping itself says; empty leaves
    /// that as it is.
    ///
    /// # Errors
    /// When one of `files` is no glob.
    pub fn push(&mut self, files: &[String], map: Map) -> Result<(), String> {
        let pattern =
            |file: &String| glob::Pattern::new(file).map_err(|error| format!("`{file}` is not a glob: {}", error.msg));
        let files = files.iter().map(pattern).collect::<Result<_, _>>()?;
        self.0.push((files, Arc::new(map)));
        Ok(())
    }

    pub fn extend(&mut self, more: &Self) {
        self.0.extend(more.0.iter().cloned());
    }

    /// The first that is for a file: of this path, and of this name without `.gz` and the like.
    pub fn of(&self, file: &str, name: &str) -> Option<&Arc<Map>> {
        let wanted = |files: &[glob::Pattern], map: &Map| match files {
            [] => map.is_for(file, name),
            files => files.iter().any(|pattern| fits(pattern, file, name)),
        };
        self.0.iter().find(|(files, map)| wanted(files, map)).map(|(_, map)| map)
    }
}

#[cfg(test)]
mod tests;
