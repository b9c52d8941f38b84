//! What the three Postgres log formats share: one log entry, and the way from entries to actions.
//!
//! `postgres_csv`, `postgres_json` and `postgres_stderr` only take their files apart into [`Entry`]s; what an entry
//! says, which entries speak of the same statement and how that statement ended is decided here, once.

mod attempt;
mod audit;
mod fields;
mod lines;
mod message;
mod number;
mod pattern;
mod prefix;
mod queue;
mod sessions;
mod syslog;
mod text;
mod time;
mod words;

pub(super) use fields::{looks_like_record_start, split};
pub(super) use lines::{LogLines, Place};
pub(super) use message::is_of_postgres;
pub(super) use number::Number;
pub(super) use prefix::labelled_text;
pub(super) use sessions::Sessions;
pub(in crate::reader) use time::read_time;
pub(super) use time::zone_note;
pub(super) use words::{Severity, severity};

use std::borrow::Cow;

use crate::model::Timestamp;

/// One message of the server log with everything that was logged along with it.
///
/// What the log does not carry is empty; `[unknown]`, which Postgres writes before a login is through, counts as empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry<'a> {
    /// 1-based line on which the entry starts.
    pub(super) line: u64,
    pub(super) offset: u64,
    pub(super) time: Option<Timestamp>,
    pub(super) severity: Severity,
    pub(super) user: &'a str,
    pub(super) database: &'a str,
    pub(super) pid: &'a str,
    /// `%c`: start time and pid in hexadecimal, the only name of a session that is never used again.
    pub(super) session: &'a str,
    /// `%s`: when the session began.
    pub(super) started: Option<Timestamp>,
    /// `%l`: counts the messages of one session.
    pub(super) number: Option<u64>,
    pub(super) message: &'a str,
    pub(super) detail: &'a str,
    /// The `STATEMENT` field: what the session was running when the message was logged.
    pub(super) statement: &'a str,
    /// The server, where a wrapper around the log names it.
    pub(super) server: &'a str,
    /// The cloud project, where a wrapper around the log names it.
    pub(super) account: &'a str,
    /// The message or the statement was too long to keep, or its end is missing.
    pub(super) cut: bool,
}

/// The text of a line. Most are UTF-8 as they are; a server may log in an encoding of its own.
pub(super) fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}
