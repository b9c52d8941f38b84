//! Snapshots: the accepted outcome of a corpus, in the file format of [insta](https://insta.rs), so that its own
//! `cargo insta review` works on the same files.
//!
//! ```text
//! ---
//! source: traces/deploy.jsonl
//! expression: nearmiss test traces/deploy.jsonl
//! ---
//! 3 actions in 1 session: 1 block, 2 allow
//! …
//! ```
//! What is accepted is called `NAME.snap`; what waits for somebody to look at it stands beside it as `NAME.snap.new`.

use std::fmt::Write as _;

/// The ending of an accepted snapshot.
pub const ACCEPTED: &str = ".snap";
/// The ending of one that nobody has accepted yet.
pub const PENDING: &str = ".snap.new";

/// How [`Snapshot::expression`] starts in files that are ours: other snapshots may stand in the same folder.
const COMMAND: &str = "nearmiss test";

/// One snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The corpus, relative to the folder of `nearmiss.toml`.
    pub source: String,
    /// The command that makes it.
    pub expression: String,
    /// Without an empty line at the end.
    pub contents: String,
}

/// A file that is no snapshot.
#[derive(Debug, thiserror::Error)]
#[error("{file} is no snapshot: {problem}; delete it and run `nearmiss test` again")]
pub struct SnapshotError {
    pub file: String,
    pub problem: &'static str,
}

impl Snapshot {
    /// The outcome of the corpus called `source`; `more` are further arguments of the command that makes it.
    pub fn new(source: &str, more: &str, contents: &str) -> Self {
        let expression = format!("{COMMAND} {source}{more}");
        Self { source: source.to_owned(), expression, contents: normal(contents) }
    }

    /// Written by `nearmiss test`, not by insta.
    pub fn is_ours(&self) -> bool {
        self.expression.strip_prefix(COMMAND).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    }

    /// The same outcome; insta as well compares nothing else.
    pub fn matches(&self, other: &Self) -> bool {
        self.contents == other.contents
    }

    /// Reads a file; what insta wrote is understood too. `file` is for messages.
    ///
    /// # Errors
    /// When it does not start with the head of a snapshot.
    pub fn parse(file: &str, text: &str) -> Result<Self, SnapshotError> {
        let wrong = |problem| SnapshotError { file: file.to_owned(), problem };
        let mut lines = text.split_inclusive('\n');
        let mut at = 0;
        let mut next = |lines: &mut std::str::SplitInclusive<'_, char>| {
            lines.next().map(|line| {
                at += line.len();
                (line.trim_end().to_owned(), at)
            })
        };
        if next(&mut lines).is_none_or(|(line, _)| line != "---") {
            return Err(wrong("it does not start with `---`"));
        }
        let mut snapshot = Self::default();
        loop {
            let (line, end) = next(&mut lines).ok_or_else(|| wrong("its head does not end with `---`"))?;
            if line == "---" {
                snapshot.contents = normal(&text[end..]);
                return Ok(snapshot);
            }
            // Lines that belong to another key are indented; keys we do not know are insta's business.
            match line.split_once(':') {
                Some(("source", value)) => snapshot.source = scalar(value),
                Some(("expression", value)) => snapshot.expression = scalar(value),
                _ => {}
            }
        }
    }

    /// The text of its file, byte for byte as insta would write it.
    pub fn written(&self) -> String {
        let mut text = String::from("---\n");
        for (key, value) in [("source", &self.source), ("expression", &self.expression)] {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{key}: {}", written_scalar(value));
        }
        text.push_str("---\n");
        text.push_str(&self.contents);
        text.push('\n');
        text
    }
}

/// The name of the snapshot of a corpus: its path with `__` between folders, as insta does it for modules.
pub fn name(source: &str) -> String {
    let name = source.trim_end_matches('/').replace(['/', '\\', ':'], "__");
    if name.is_empty() || name == "." { "here".to_owned() } else { name }
}

fn normal(text: &str) -> String {
    text.trim_end().replace("\r\n", "\n")
}

/// A value of the head: plain, or in quotes.
fn scalar(text: &str) -> String {
    let text = text.trim();
    if text.starts_with('"') {
        // What insta writes in double quotes is also a string of JSON.
        return serde_json::from_str(text).unwrap_or_else(|_| text.to_owned());
    }
    match text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        Some(inner) => inner.replace("''", "'"),
        None => text.to_owned(),
    }
}

/// Quoted where insta would quote it.
fn written_scalar(text: &str) -> String {
    const WORDS: &[&str] = &["yes", "no", "true", "false", "on", "off", "null", "~"];
    let quoted = text.trim() != text
        || text.is_empty()
        || text.starts_with(['&', '*', '?', '|', '-', '<', '>', '=', '!', '%', '@', '.'])
        || text.contains([':', '{', '}', '[', ']', ',', '#', '`', '"', '\'', '\\'])
        || text.contains(char::is_control)
        || text.starts_with("0x")
        || text.parse::<f64>().is_ok()
        || WORDS.contains(&text.to_ascii_lowercase().as_str());
    if quoted { serde_json::Value::from(text).to_string() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{Snapshot, name};

    #[test]
    fn what_is_written_is_read_again() {
        for source in ["traces/a.jsonl", "../other logs/x: y.log", "-", "true", "0x1f", "a\"b\\c'd", " edge ", "ü\u{7}"]
        {
            let snapshot = Snapshot::new(source, " --from lines", "one\n\n---\nsource: nothing\n  two\n\n");
            assert_eq!(Snapshot::parse("x", &snapshot.written()).unwrap(), snapshot, "{}", snapshot.written());
            assert!(snapshot.is_ours());
        }
    }

    #[test]
    fn what_insta_adds_is_passed_over() {
        let text = "---\r\nsource: tests/it/x.rs\r\nassertion_line: 3\r\nexpression: \"f(1, \\\"a\\\")\"\r\ninfo:\r\n  source: no\r\n---\r\none\r\ntwo\r\n";
        let read = Snapshot::parse("x", text).unwrap();
        assert_eq!((read.source.as_str(), read.expression.as_str()), ("tests/it/x.rs", "f(1, \"a\")"));
        assert_eq!(read.contents, "one\ntwo");
        assert!(!read.is_ours());
    }

    #[test]
    fn what_is_no_snapshot_is_refused() {
        for text in ["", "one\n", "---\nsource: x\n"] {
            assert!(Snapshot::parse("x.snap", text).unwrap_err().to_string().starts_with("x.snap is no snapshot"));
        }
    }

    #[test]
    fn names_have_no_folders() {
        assert_eq!(name("traces/2026/a.jsonl"), "traces__2026__a.jsonl");
        assert_eq!(name("traces/"), "traces");
        assert_eq!(name("."), "here");
    }
}
