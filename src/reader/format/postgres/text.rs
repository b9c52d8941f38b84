//! The statement of an entry as an action's text, and what the log left out of it.

use std::borrow::Cow;

use super::Entry;
use super::message::How;
use super::words;
use crate::model::{Gap, GapKind, Hides, Span};

/// The text of an action, and what is missing from it.
#[derive(Debug)]
pub(super) struct Statement<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) gaps: Vec<Gap>,
}

/// Whether there is anything to run: an empty query, or semicolons only, does nothing.
pub(super) fn is_empty(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_whitespace() || byte == b';')
}

/// Makes the statement that `entry` says was run.
pub(super) fn statement<'a>(text: &'a str, how: How, entry: &Entry<'a>) -> Statement<'a> {
    let mut gaps = Vec::new();
    let text = executed(text.trim(), entry.detail, &mut gaps);
    if how != How::Simple && !has_parameters(entry.detail) {
        // A PREPARE has placeholders of its own, and they are the statement.
        if let Some(span) = placeholder(&text).filter(|_| !starts_with_word(&text, "PREPARE")) {
            gaps.push(Gap {
                kind: GapKind::ParametersMissing,
                hides: what_parameters_hide(&text),
                span: Some(span),
                detail: text[span.start..span.end].into(),
            });
        }
    }
    if parameters(entry.detail).is_some_and(|values| values.contains("...'")) {
        // `log_parameter_max_length`. The statement is whole; only a value it works with is not.
        gaps.push(gap(GapKind::Truncated, Hides::Nothing, None, "parameters"));
    }
    if entry.cut {
        gaps.push(gap(GapKind::Truncated, Hides::Anything, None, "statement"));
    }
    if let Some(start) = text.find(REDACTED) {
        // After PASSWORD only the secret is gone; anywhere else it may be a name.
        let password = text[..start].trim_end().to_ascii_uppercase().ends_with("PASSWORD");
        let hides = if password { Hides::Nothing } else { Hides::Target };
        gaps.push(gap(GapKind::Redacted, hides, Some(Span::new(start, start + REDACTED.len())), REDACTED));
    }
    Statement { text, gaps }
}

const REDACTED: &str = "<REDACTED>";

fn gap(kind: GapKind, hides: Hides, span: Option<Span>, detail: &str) -> Gap {
    Gap { kind, hides, span, detail: detail.into() }
}

/// `EXECUTE del(3)` does what was prepared; the log tells it in `DETAIL:  prepare: PREPARE del(int) AS …`.
fn executed<'a>(text: &'a str, detail: &'a str, gaps: &mut Vec<Gap>) -> Cow<'a, str> {
    let alone = text.trim_end_matches(|c: char| c == ';' || c.is_whitespace());
    let only_execute = starts_with_word(text, "EXECUTE") && !alone.contains(';');
    match prepared(detail) {
        Some(prepare) => match prepared_body(prepare).filter(|_| only_execute) {
            Some(body) => body.trim().into(),
            // One of several statements: what it executes is put before them, as it was once sent.
            None => format!("{}; {text}", prepare.trim_end_matches(';')).into(),
        },
        None => {
            if only_execute {
                gaps.push(gap(GapKind::BodyMissing, Hides::Anything, Some(Span::new(0, alone.len())), alone));
            }
            text.into()
        }
    }
}

/// The `PREPARE …` of the statement that is executed, if a DETAIL names it.
pub(super) fn prepared(detail: &str) -> Option<&str> {
    words::after(detail, words::PREPARE).map(str::trim)
}

/// What stands after `AS` in `PREPARE name (types) AS statement`.
fn prepared_body(prepare: &str) -> Option<&str> {
    let start = prepare.find(|c: char| c.is_whitespace())?;
    let bytes = prepare.as_bytes();
    let mut at = start;
    let mut quoted = false;
    while at + 2 < bytes.len() {
        quoted ^= bytes[at] == b'"';
        let closed = |byte: u8| byte.is_ascii_whitespace() || byte == b')' || byte == b'"';
        if !quoted
            && bytes[at].eq_ignore_ascii_case(&b'a')
            && bytes[at + 1].eq_ignore_ascii_case(&b's')
            && closed(bytes[at - 1])
            && !bytes[at + 2].is_ascii_alphanumeric()
            && bytes[at + 2] != b'_'
            && at > start + 1
        {
            return prepare.get(at + 2..);
        }
        at += 1;
    }
    None
}

/// `parameters: $1 = '7', $2 = NULL`, written in capitals by newer servers.
fn parameters(detail: &str) -> Option<&str> {
    words::after(detail, words::PARAMETERS)
}

fn has_parameters(detail: &str) -> bool {
    parameters(detail).is_some() || prepared(detail).is_some()
}

/// How much values that are not in the log can hide.
///
/// A parameter is a value: it can stand neither for a table nor for a keyword, so that what a statement does and to
/// which table is in its text. Which rows it reaches is not, and that is `some` rows by any value. Only functions that
/// run or reach what they are told make more of a value.
fn what_parameters_hide(text: &str) -> Hides {
    const RUN: &[&str] = &["dblink", "query_to_xml", "cursor_to_xml", "cron.schedule", "exec", "crosstab", "ts_stat"];
    const REACH: &[&str] = &[
        "pg_read_",
        "pg_ls_",
        "pg_stat_file",
        "lo_import",
        "lo_export",
        "lo_unlink",
        "set_config",
        "pg_terminate_backend",
        "pg_cancel_backend",
        "pg_drop_replication_slot",
        "pg_file_",
    ];
    if starts_with_word(text, "COPY") || starts_with_word(text, "EXECUTE") {
        return Hides::Target;
    }
    let lower = text.to_ascii_lowercase();
    let calls = |names: &[&str]| names.iter().any(|name| lower.contains(name));
    if calls(RUN) {
        Hides::Anything
    } else if calls(REACH) || starts_with_word(text, "CALL") {
        Hides::Target
    } else {
        Hides::Nothing
    }
}

fn starts_with_word(text: &str, word: &str) -> bool {
    let bytes = text.trim_start().as_bytes();
    bytes.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
        && !bytes.get(word.len()).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// The first `$1` of a statement that is neither in a string, a name nor a comment.
fn placeholder(text: &str) -> Option<Span> {
    let bytes = text.as_bytes();
    // Most statements have none at all.
    memchr::memchr(b'$', bytes)?;
    let skip_to = |from: usize, end: &str| text[from..].find(end).map_or(bytes.len(), |at| from + at + end.len());
    let mut at = 0;
    while at < bytes.len() {
        at = match bytes[at] {
            quote @ (b'\'' | b'"') => memchr::memchr(quote, &bytes[at + 1..]).map_or(bytes.len(), |end| at + 2 + end),
            b'-' if bytes.get(at + 1) == Some(&b'-') => skip_to(at, "\n"),
            b'/' if bytes.get(at + 1) == Some(&b'*') => skip_to(at + 2, "*/"),
            b'$' => {
                let digits = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                let in_name = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
                if digits > 0 && !in_name {
                    return Some(Span::new(at, at + 1 + digits));
                }
                // `$tag$ … $tag$`
                let tag =
                    bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
                match bytes.get(at + 1 + tag) {
                    Some(b'$') if !in_name => skip_to(at + tag + 2, &text[at..at + tag + 2]),
                    _ => at + 1,
                }
            }
            _ => at + 1,
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(how: How, text: &str, detail: &str, expected: &str) {
        let made = statement(text, how, &Entry { detail, ..Entry::default() });
        let mut shown = made.text.to_string();
        for gap in made.gaps {
            shown += &format!(" [{} hides {}: {}]", gap.kind, gap.hides, gap.detail);
        }
        assert_eq!(shown, expected);
    }

    #[test]
    fn missing_parameters_hide_only_what_they_can() {
        let missing = "DELETE FROM t WHERE a = '$2' AND id = $1";
        check(How::Prepared, missing, "", &format!("{missing} [parameters-missing hides nothing: $1]"));
        check(How::Prepared, missing, "Parameters: $1 = '3'", missing);
        check(How::Simple, missing, "", missing);
        let run = "SELECT dblink_exec($1, $2)";
        check(How::Mentioned, run, "", &format!("{run} [parameters-missing hides anything: $1]"));
        check(How::Prepared, "DO $a$ BEGIN x($1); END $a$", "", "DO $a$ BEGIN x($1); END $a$");
    }

    #[test]
    fn shortened_and_redacted_values_are_said() {
        check(
            How::Prepared,
            "UPDATE t SET a = $1",
            "parameters: $1 = 'abcd...', $2 = 'x'",
            "UPDATE t SET a = $1 [truncated hides nothing: parameters]",
        );
        check(
            How::Simple,
            "ALTER ROLE a PASSWORD <REDACTED>",
            "",
            "ALTER ROLE a PASSWORD <REDACTED> [redacted hides nothing: <REDACTED>]",
        );
    }

    #[test]
    fn execute_shows_what_was_prepared() {
        let detail = "prepare: PREPARE del(int) AS DELETE FROM basket WHERE id = $1;";
        check(How::Simple, "EXECUTE del(1);", detail, "DELETE FROM basket WHERE id = $1;");
        check(
            How::Simple,
            "SELECT 1; execute del(1)",
            detail,
            "PREPARE del(int) AS DELETE FROM basket WHERE id = $1; SELECT 1; execute del(1)",
        );
        check(How::Mentioned, "EXECUTE del(1);", "", "EXECUTE del(1); [body-missing hides anything: EXECUTE del(1)]");
        check(How::Simple, "EXECUTE as_if", "prepare: prepare as_if as table t", "table t");
    }
}
