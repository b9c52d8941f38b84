//! Slips in a statement of SQL, in a file of its own or in the quotes of a command.

use std::ops::Range;

use super::{Edits, Site, words};
use crate::model::Kind;

/// Clauses that stand behind WHERE and stay when it goes.
const BEHIND: &[&str] = &["RETURNING", "ORDER", "LIMIT", "GROUP", "OPTION", "FETCH", "OFFSET", "FOR", "ALLOW"];

/// The statement that an effect stands in.
#[derive(Debug, Default)]
struct Statement {
    /// Before the `;` or the end of the text.
    end: usize,
    /// WHERE, outside of all parentheses.
    filter: Option<usize>,
    /// The first clause behind WHERE that stays.
    behind: Option<usize>,
    /// LIMIT, outside of all parentheses.
    limit: Option<usize>,
}

/// The end of what `text` has before `at`, without blanks.
fn trimmed(text: &str, at: usize) -> usize {
    text[..at].trim_end().len()
}

fn statement(site: &Site<'_>, keyword: &str) -> Option<Statement> {
    if !site.is_statement() || !has(site.text, keyword) {
        return None;
    }
    let region = match (site.surface, site.pointer()) {
        (Kind::Sql, _) => 0..site.text.len(),
        (_, Some(pointer)) => words::quoted_region(site.text, pointer)?,
        _ => return None,
    };
    let span = site.span();
    let mut at = region.start;
    let mut only = None;
    while at < region.end {
        let (statement, next) = read(site.text, at..region.end);
        match span {
            Some(span) if (at..statement.end.max(at + 1)).contains(&span.start) => return Some(statement),
            None if only.is_some() && !site.text[at..statement.end].trim().is_empty() => return None,
            None if only.is_none() => only = Some(statement),
            _ => {}
        }
        at = next;
    }
    only
}

/// Whether `text` has the word, in capitals or not.
fn has(text: &str, word: &str) -> bool {
    let first = word.as_bytes()[0];
    memchr::memchr2_iter(first, first.to_ascii_lowercase(), text.as_bytes()).any(|at| is_word(text, at, word))
}

fn is_word(text: &str, at: usize, word: &str) -> bool {
    let inner = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let bytes = text.as_bytes();
    bytes.get(at..at + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()))
        && !inner(bytes.get(at + word.len()))
        && (at == 0 || !inner(bytes.get(at - 1)))
}

/// Reads up to the next `;` that ends a statement, and says where the one behind it begins.
fn read(text: &str, region: Range<usize>) -> (Statement, usize) {
    let bytes = &text.as_bytes()[..region.end];
    let mut found = Statement::default();
    let (mut at, mut depth) = (region.start, 0_usize);
    let skip = |from: usize, needle: &[u8]| {
        memchr::memmem::find(&bytes[from.min(bytes.len())..], needle)
            .map_or(bytes.len(), |end| from + end + needle.len())
    };
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\'' | b'"' | b'`' => at = skip(at + 1, &[byte]),
            b'-' if bytes.get(at + 1) == Some(&b'-') => at = skip(at, b"\n"),
            b'/' if bytes.get(at + 1) == Some(&b'*') => at = skip(at + 2, b"*/"),
            b'$' => {
                let name =
                    bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
                let quote = &bytes[at..(at + name + 2).min(bytes.len())];
                at = if quote.len() > 1 && quote.ends_with(b"$") { skip(at + quote.len(), quote) } else { at + 1 };
            }
            b'(' => (at, depth) = (at + 1, depth + 1),
            b')' => (at, depth) = (at + 1, depth.saturating_sub(1)),
            b';' if depth == 0 => {
                found.end = at;
                return (found, at + 1);
            }
            byte if byte.is_ascii_alphabetic() => {
                if depth == 0 {
                    found.note(text, at);
                }
                at += bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
            }
            _ => at += 1,
        }
    }
    found.end = bytes.len();
    (found, bytes.len())
}

impl Statement {
    fn note(&mut self, text: &str, at: usize) {
        match text.as_bytes()[at].to_ascii_uppercase() {
            b'W' if self.filter.is_none() && is_word(text, at, "WHERE") => self.filter = Some(at),
            b'L' | b'R' | b'O' | b'G' | b'F' | b'A' => {
                if self.limit.is_none() && is_word(text, at, "LIMIT") {
                    self.limit = Some(at);
                }
                if self.filter.is_some() && self.behind.is_none() && BEHIND.iter().any(|word| is_word(text, at, word)) {
                    self.behind = Some(at);
                }
            }
            _ => {}
        }
    }
}

/// Has places that a program fills in: `$1`, `= ?`, `:id`, `%s`, outside of quotes.
pub(crate) fn is_prepared(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (mut quote, mut before, mut last) = (0, b' ', b' ');
    for (at, byte) in bytes.iter().enumerate() {
        let next = bytes.get(at + 1).copied().unwrap_or(b' ');
        let place = match byte {
            b'$' => next.is_ascii_digit(),
            // In PostgreSQL it is an operator as well, which stands behind a name.
            b'?' => matches!(before, b'=' | b'<' | b'>' | b'(' | b','),
            b':' => next.is_ascii_alphabetic() && matches!(last, b' ' | b'=' | b'(' | b',' | b'\n' | b'\t'),
            b'%' => next == b's' && matches!(before, b'=' | b'<' | b'>' | b'(' | b','),
            _ => false,
        };
        match byte {
            b'\'' | b'"' | b'`' if quote == 0 => quote = *byte,
            _ if *byte == quote => quote = 0,
            _ if quote == 0 && place => return true,
            _ => {}
        }
        last = *byte;
        if !byte.is_ascii_whitespace() {
            before = *byte;
        }
    }
    false
}

/// `DELETE FROM t WHERE id = 1` -> `DELETE FROM t`.
pub(super) fn where_lost(site: &Site<'_>, edits: &mut Edits<'_>) {
    let Some(statement) = statement(site, "WHERE") else { return };
    let Some(filter) = statement.filter else { return };
    match statement.behind {
        Some(behind) => edits.make(&[(filter..behind, "")]),
        None => edits.make(&[(trimmed(site.text, filter)..trimmed(site.text, statement.end), "")]),
    }
}

/// The same by a `;` at the end of the line before.
pub(super) fn where_cut_off(site: &Site<'_>, edits: &mut Edits<'_>) {
    let Some(filter) = statement(site, "WHERE").and_then(|statement| statement.filter) else { return };
    let end = trimmed(site.text, filter);
    if end > 0 && site.text[end..filter].contains('\n') {
        edits.make(&[(end..end, ";")]);
    }
}

/// `SELECT x FROM t LIMIT 10` -> `SELECT x FROM t`.
pub(super) fn limit_lost(site: &Site<'_>, edits: &mut Edits<'_>) {
    let Some(limit) = statement(site, "LIMIT").and_then(|statement| statement.limit) else { return };
    if let Some(number) = number_behind(site.text, limit + "LIMIT".len()) {
        edits.make(&[(trimmed(site.text, limit)..number.end, "")]);
    }
}

/// `LIMIT 10` -> `LIMIT 100`.
pub(super) fn limit_times_ten(site: &Site<'_>, edits: &mut Edits<'_>) {
    let Some(limit) = statement(site, "LIMIT").and_then(|statement| statement.limit) else { return };
    if let Some(number) = number_behind(site.text, limit + "LIMIT".len()) {
        edits.make(&[(number.end..number.end, "0")]);
    }
}

/// The number that stands next in the text.
fn number_behind(text: &str, at: usize) -> Option<Range<usize>> {
    let start = at + text[at..].len() - text[at..].trim_start().len();
    let digits = text[start..].bytes().take_while(u8::is_ascii_digit).count();
    (1..=12).contains(&digits).then(|| start..start + digits)
}

/// `shop.billing.orders` -> `shop.billing`.
pub(super) fn schema_for_table(site: &Site<'_>, edits: &mut Edits<'_>) {
    let Some(span) = site.span() else { return };
    let name = &*site.effect.resource.name;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    if name.matches('.').count() != 2 || !name.bytes().all(plain) {
        return;
    }
    if let Some(at) = site.said().find(name)
        && let Some(last) = name.rfind('.')
    {
        let start = span.start + at;
        edits.make(&[(start + last..start + name.len(), "")]);
    }
}
