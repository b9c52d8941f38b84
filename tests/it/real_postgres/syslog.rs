//! What a server would have sent by way of syslog: a plain log, cut as `write_syslog` in Postgres' `elog.c` cuts it.
//!
//! A test has no syslog daemon to send to. The cut is the server's own, down to its limit; what is around it is what
//! rsyslog writes into a file, in the old form and in that of RFC 5424.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// `PG_SYSLOG_LIMIT`
const LIMIT: usize = 900;

#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// `Nov 22 10:00:00 db1 postgres[7]: `
    Rfc3164,
    /// `<134>1 2026-11-22T10:00:00.5+00:00 db1 postgres 7 - - `
    Rfc5424,
}

/// The lines of a syslog file.
pub(super) fn of(plain: &str, form: Form) -> String {
    let mut messages: Vec<(String, String)> = Vec::new();
    for line in plain.split_inclusive('\n') {
        match head(line) {
            Some((pid, label))
                if !matches!(label, "DETAIL" | "HINT" | "QUERY" | "CONTEXT" | "STATEMENT" | "LOCATION") =>
            {
                messages.push((pid.to_owned(), line.to_owned()));
            }
            // What belongs to a message is sent with it.
            _ => messages.last_mut().expect("a log begins with a message").1.push_str(line),
        }
    }
    let mut numbers: BTreeMap<String, u64> = BTreeMap::new();
    let mut log = String::new();
    for (pid, message) in messages {
        let number = numbers.entry(pid.clone()).or_default();
        *number += 1;
        for (at, piece) in pieces(&message).iter().enumerate() {
            let _ = match form {
                Form::Rfc3164 => write!(log, "Nov 22 10:00:00 db1 postgres[{pid}]: "),
                Form::Rfc5424 => write!(log, "<134>1 2026-11-22T10:00:00.500000+00:00 db1 postgres {pid} - - "),
            };
            // What rsyslog does to control characters.
            let _ = writeln!(log, "[{number}-{}] {}", at + 1, piece.replace('\t', "#011"));
        }
    }
    log
}

/// The process and the label of a line that has both: `2026-11-22 10:00:00.5 UTC [7] ann@shop LOG:  …`
fn head(line: &str) -> Option<(&str, &str)> {
    let (time, rest) = line.split_at_checked(23)?;
    time.bytes()
        .enumerate()
        .all(|(at, byte)| byte.is_ascii_digit() || b"- :."[..].contains(&byte) && at > 3)
        .then_some(())?;
    let (pid, rest) = rest.strip_prefix(" UTC [")?.split_once("] ")?;
    let label = rest.split_once(":  ")?.0.rsplit(' ').next()?;
    Some((pid, label))
}

/// One message in the pieces that it is sent in.
fn pieces(message: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    for line in message.split('\n') {
        let mut rest = line;
        while !rest.is_empty() {
            let mut end = rest.floor_char_boundary(LIMIT.min(rest.len()));
            let space = |byte: u8| byte.is_ascii_whitespace() || byte == 0x0b;
            if end < rest.len() && !space(rest.as_bytes()[end]) {
                // At a word's start, where there is one.
                let found = rest.as_bytes()[..end].iter().rposition(|byte| space(*byte));
                end = found.filter(|at| *at > 0).unwrap_or(end);
            }
            pieces.push(&rest[..end]);
            rest = &rest[end..];
        }
    }
    pieces
}
