//! Floor 1: turns recorded bytes into [`Action`]s.
//!
//! A reader never fails as a whole: what it cannot read becomes a located [`Issue`], the rest goes on.
//! Lenient with what it does not know (other tools' logs change), loud about what it had to leave out.

mod action_record;
mod archive;
mod binary;
#[cfg(test)]
pub(crate) mod collect;
pub mod detect;
mod fields;
pub mod format;
pub mod guide;
mod history;
pub mod input;
pub mod map;
pub mod record;
mod recorder;
pub mod sqlite;
mod table;
mod transcript;
mod unpack;
mod utf16;
mod xz;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::model::{Action, Issue};

pub use format::READERS;

/// One log or transcript format.
pub trait Reader: Sync {
    /// The name used by `--from`, the corpus folder and the snapshot folder.
    fn name(&self) -> &'static str;

    /// One line for `nearmiss formats`: what it is and where it is usually found.
    fn about(&self) -> &'static str;

    /// Whether a file that starts like `sample` is of this format.
    fn detect(&self, sample: &Sample<'_>) -> Match;

    /// Records of this format are copied into other files (a resumed session); the same id then means the same act.
    fn repeats(&self) -> bool {
        false
    }

    /// Reads one unpacked file from start to end and hands every record to `out`.
    ///
    /// # Errors
    /// Only when the underlying bytes cannot be read any further (I/O, a damaged archive); everything read until
    /// then has been handed out.
    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()>;
}

/// The start of an unpacked file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample<'a> {
    /// At most [`detect::SAMPLE_BYTES`] bytes; cut anywhere.
    pub head: &'a [u8],
    /// The whole file is in `head`.
    pub complete: bool,
    /// The file's name without its folder and without `.gz` and the like. Only ever a tie-breaker: formats that
    /// have no mark of their own (a plain history file) may answer [`Match::Maybe`] for a telling name.
    pub name: &'a str,
    /// The tables, when the file is a database; its head says nothing then.
    pub tables: &'a [sqlite::Table],
}

impl Sample<'_> {
    /// Whether it is a database that has this table with all of these columns.
    pub fn has_table(&self, name: &str, columns: &[&str]) -> bool {
        self.tables.iter().any(|table| table.name.eq_ignore_ascii_case(name) && table.has(columns))
    }
}

/// How sure a reader is that a file is its own; the highest wins, two of the same height are a tie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Match {
    No,
    /// Nothing speaks against it, and the file's name or a weak mark speaks for it.
    Maybe,
    /// The format's own marks are there.
    Likely,
    /// Marks that no other format has.
    Certain,
}

/// What a reader is told about the file it reads.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path as it was given or found, with `/` between folders.
    pub file: Arc<str>,
    pub options: Arc<Options>,
    /// The file, opened to be read from anywhere, when it is a database.
    pub database: Option<Arc<sqlite::Database>>,
}

/// What the user said about all files; every reader takes what concerns it.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `log_line_prefix` of a Postgres stderr log, when the user gave it.
    pub log_line_prefix: Option<String>,
    /// `--kind` for formats that do not say it themselves (`lines`).
    pub kind: Option<crate::model::Kind>,
    /// `--dialect` for formats that do not say it themselves.
    pub dialect: Option<String>,
    /// Mappings (`--map`) of files that no format of ours is.
    pub maps: map::Maps,
    /// What the sessions of files are called whose bare names are not enough to tell them apart.
    pub sessions: BTreeMap<Arc<str>, Arc<str>>,
}

impl Source {
    /// What a session is called whose records do not say: the file's name, or as much of its path as tells it from the
    /// other files that are read.
    pub fn session(&self) -> Arc<str> {
        self.options.sessions.get(&self.file).cloned().unwrap_or_else(|| Arc::from(record::file_name(&self.file)))
    }
}

impl Options {
    /// Gives files of one name in different folders sessions of their own. What the folders above them are called, up
    /// to where they differ, is the same on every machine that has the same logs.
    pub fn tell_apart<'f>(&mut self, files: impl Iterator<Item = &'f Arc<str>>) {
        let mut by_name: BTreeMap<&str, Vec<&Arc<str>>> = BTreeMap::new();
        for file in files {
            by_name.entry(record::file_name(file)).or_default().push(file);
        }
        for same in by_name.values().filter(|same| same.len() > 1) {
            let end = |file: &str, parts: usize| {
                let from = file.rmatch_indices('/').nth(parts).map_or(0, |(at, _)| at + 1);
                file.get(from..).unwrap_or(file).to_owned()
            };
            let most = same.iter().map(|file| file.matches('/').count()).max().unwrap_or(0);
            let differ = |parts: &usize| {
                let ends: BTreeSet<String> = same.iter().map(|file| end(file, *parts)).collect();
                ends.len() == same.len()
            };
            let parts = (1..=most).find(differ).unwrap_or(most);
            self.sessions.extend(same.iter().map(|file| (Arc::clone(file), Arc::from(end(file, parts)))));
        }
    }
}

/// Where a reader puts what it finds, in the order of the records' starts.
pub trait Out {
    /// Hands over one action. `Break` means nobody wants more: return `Ok(())` soon.
    fn action(&mut self, action: Action) -> ControlFlow<()>;

    /// A record that is understood and holds no action (a prompt, a log line about a checkpoint).
    fn nothing(&mut self);

    /// Something that could not be read.
    fn issue(&mut self, issue: Issue) -> ControlFlow<()>;
}
