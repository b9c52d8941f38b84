//! What all shell histories have in common: one file is one person's session, and everything in it was run.
//!
//! No history knows a folder, a user or an exit status, and none is told apart from what was typed in it.

mod heredoc;
pub(super) mod stamps;

use std::ops::ControlFlow;
use std::sync::Arc;

use super::record::{self, action_id, file_name};
use super::{Out, Source};
use crate::model::{
    Action, Actor, ActorKind, Executed, Gap, GapKind, Hides, Issue, Kind, Origin, Outcome, Surroundings, Timestamp,
};

/// An entry longer than this is cut, not kept.
const MAX_ENTRY: usize = 16 << 20;

/// A history that is being read.
pub(super) struct History<'a> {
    source: &'a Source,
    format: &'static str,
    /// What ids are made from: the same whatever else is read.
    native: Arc<str>,
    session: Arc<str>,
    actor: Arc<Actor>,
    surroundings: Arc<Surroundings>,
}

/// One command of a history, as bytes.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) line: u64,
    pub(super) offset: u64,
    pub(super) time: Option<Timestamp>,
    pub(super) text: Vec<u8>,
    /// Its end is missing.
    pub(super) cut: bool,
}

impl<'a> History<'a> {
    pub(super) fn new(source: &'a Source, format: &'static str) -> Self {
        let name = file_name(&source.file);
        let (session, owner) = match (home_owner(&source.file), name_owner(name)) {
            // Every home has a file of the same name.
            (Some(owner), _) => (format!("{owner}/{name}"), owner),
            (None, Some(owner)) => (name.to_owned(), owner),
            (None, None) => (name.to_owned(), "unknown"),
        };
        let actor = Actor { name: owner.to_owned(), kind: ActorKind::Human, groups: Vec::new() };
        let native: Arc<str> = Arc::from(session);
        let session = source.options.sessions.get(&source.file).unwrap_or(&native).clone();
        Self { source, format, native, session, actor: Arc::new(actor), surroundings: Arc::default() }
    }

    /// Hands over one entry; blank ones hold nothing.
    pub(super) fn entry(&self, mut entry: Entry, out: &mut dyn Out) -> ControlFlow<()> {
        let before = entry.text.len();
        // A crash of the machine leaves NULs in the file; no shell can run one.
        entry.text.retain(|byte| *byte != 0);
        if entry.text.len() < before {
            self.note(&entry, "NUL bytes are left out", "", out)?;
        }
        if entry.text.iter().all(u8::is_ascii_whitespace) {
            return ControlFlow::Continue(());
        }
        let mut gaps = Vec::new();
        if entry.cut {
            let detail = "the end of the entry".to_owned();
            gaps.push(Gap { kind: GapKind::Truncated, hides: Hides::Anything, span: None, detail });
        }
        let text = match String::from_utf8(std::mem::take(&mut entry.text)) {
            Ok(text) => text,
            Err(error) => {
                self.note(&entry, record::NOT_UTF8, "", out)?;
                String::from_utf8_lossy(error.as_bytes()).into_owned()
            }
        };
        let line = entry.line.to_string();
        out.action(Action {
            id: action_id(&[self.format, &self.native, &line, &text].map(str::as_bytes)),
            time: entry.time,
            actor: self.actor.clone(),
            session: self.session.clone(),
            kind: Kind::Shell,
            text: Arc::from(text),
            argv: None,
            tool: None,
            arguments: None,
            surroundings: self.surroundings.clone(),
            outcome: Outcome { executed: Executed::Yes, ..Outcome::default() },
            approved: false,
            gaps,
            origin: Origin {
                file: self.source.file.clone(),
                line: entry.line,
                offset: entry.offset,
                format: self.format,
            },
        })
    }

    /// Something about an entry that is worth a note.
    pub(super) fn note(&self, entry: &Entry, problem: &str, advice: &str, out: &mut dyn Out) -> ControlFlow<()> {
        let file = self.source.file.clone();
        let (problem, advice) = (problem.to_owned(), advice.to_owned());
        out.issue(Issue { file, line: entry.line, offset: entry.offset, problem, advice, lost: false })
    }
}

impl Entry {
    pub(super) fn at(line: u64, offset: u64) -> Self {
        Self { line, offset, ..Self::default() }
    }

    /// Adds a line; what no longer fits is cut off, and the entry says so.
    pub(super) fn push_line(&mut self, line: &[u8]) {
        if self.cut || self.text.len() + line.len() > MAX_ENTRY {
            self.cut = true;
            return;
        }
        if !self.text.is_empty() {
            self.text.push(b'\n');
        }
        self.text.extend_from_slice(line);
    }
}

/// A timestamp of whole seconds as the shells write it. Ten digits end in the year 2286, and a shorter number is a
/// comment somebody typed.
pub(super) fn seconds(digits: &[u8]) -> Option<Timestamp> {
    let plausible = (9..=10).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    let seconds: i64 = plausible.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()?;
    Some(Timestamp(seconds * 1_000_000))
}

/// Whether the file's name has one of `words` in it, as a sign of what it is.
pub(super) fn named(name: &str, words: &[&str]) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    words.iter().any(|word| name.contains(word))
}

/// Whose home folder the file lies in, when it lies where its shell keeps it.
fn home_owner(file: &str) -> Option<&str> {
    let (folder, _) = file.rsplit_once('/')?;
    let mut upwards = folder.strip_suffix("/.local/share/fish").unwrap_or(folder).rsplit('/');
    let owner = upwards.next()?;
    (owner == "root" || matches!(upwards.next(), Some("home" | "Users"))).then_some(owner)
}

/// `alice` of `alice.bash_history`.
fn name_owner(name: &str) -> Option<&str> {
    let (owner, rest) = name.split_once('.')?;
    (!owner.is_empty() && rest.split('.').next()?.ends_with("_history") && !owner.ends_with("history")).then_some(owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(file: &str, expected: &str) {
        let source = Source { file: Arc::from(file), options: Arc::default(), database: None };
        let history = History::new(&source, "bash_history");
        assert_eq!(format!("{} {}", history.actor.name, history.session), expected);
    }

    #[test]
    fn the_owner_is_only_taken_from_where_a_shell_keeps_its_file() {
        check("/home/alice/.bash_history", "alice alice/.bash_history");
        check("image/root/.bash_history", "root root/.bash_history");
        check("Users/bob/.local/share/fish/fish_history", "bob bob/fish_history");
        check("/home/runner/work/logs/bash_history", "unknown bash_history");
        check("/home/bash_history", "unknown bash_history");
        check("alice.bash_history", "alice alice.bash_history");
        check("bash_history.old", "unknown bash_history.old");
        check(".zsh_history", "unknown .zsh_history");
    }

    #[test]
    fn seconds_are_nine_or_ten_digits() {
        assert_eq!(seconds(b"1700000000"), Some(Timestamp(1_700_000_000_000_000)));
        for not in [&b""[..], b"1", b"17000000x0", b"170000000000", b"-170000000"] {
            assert_eq!(seconds(not), None);
        }
    }
}
