//! Where a record stands in what was read, and what was wrong there.

use std::sync::Arc;

/// Where a record stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The path as it was given or found.
    pub file: Arc<str>,
    /// 1-based line on which the record starts.
    pub line: u64,
    /// Byte offset of the record's start in the unpacked file.
    pub offset: u64,
    /// The reader's name (`claude_code`, `postgres_csv`).
    pub format: &'static str,
}

/// A record, or a whole file, that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    pub file: Arc<str>,
    /// 1-based; 0 when the file as a whole is meant.
    pub line: u64,
    pub offset: u64,
    /// What is wrong, a lowercase fragment.
    pub problem: String,
    /// What to do about it; may be empty.
    pub advice: String,
    /// Whether a record was lost by it (it counts against coverage), or is it only worth a note.
    pub lost: bool,
}
