//! Splits one CSV record of a Postgres log into its fields.
//!
//! The log's CSV is regular (`,` and `"`, doubled inside), and a torn record must be given up without losing the
//! ones after it. The `csv` crate reads on to the next quote instead and cannot go back, so that `postgres_csv` finds
//! the ends of records itself and the fields are then a matter of the few lines below.

use std::borrow::Cow;

/// Puts the fields of one record into `fields`.
pub(crate) fn split<'a>(record: &'a str, fields: &mut Vec<Cow<'a, str>>) {
    fields.clear();
    let bytes = record.as_bytes();
    let mut at = 0;
    loop {
        let field;
        (field, at) = if bytes.get(at) == Some(&b'"') { quoted(record, at + 1) } else { bare(record, at) };
        fields.push(field);
        if bytes.get(at) != Some(&b',') {
            return;
        }
        at += 1;
    }
}

fn bare(record: &str, start: usize) -> (Cow<'_, str>, usize) {
    let end = memchr::memchr(b',', &record.as_bytes()[start..]).map_or(record.len(), |comma| start + comma);
    (record[start..end].into(), end)
}

fn quoted(record: &str, start: usize) -> (Cow<'_, str>, usize) {
    let bytes = record.as_bytes();
    let (mut from, mut text) = (start, Cow::Borrowed(""));
    loop {
        let quote = memchr::memchr(b'"', &bytes[from..]).map_or(record.len(), |quote| from + quote);
        let doubled = bytes.get(quote + 1) == Some(&b'"');
        let part = &record[from..(quote + usize::from(doubled)).min(record.len())];
        if text.is_empty() {
            text = Cow::Borrowed(part);
        } else {
            text.to_mut().push_str(part);
        }
        if doubled {
            from = quote + 2;
            continue;
        }
        // Whatever stands between the closing quote and the comma is not of Postgres' making.
        let rest = (quote + 1).min(record.len());
        let end = memchr::memchr(b',', &bytes[rest..]).map_or(record.len(), |comma| rest + comma);
        return (text, end);
    }
}

/// Whether a line starts as every record of the log does: `2026-11-22 10:00:00.123 `, quoted by some exporters.
pub(crate) fn looks_like_record_start(line: &[u8]) -> bool {
    let line = line.strip_prefix(b"\"").unwrap_or(line);
    line.len() > 24
        && line[..19].iter().zip(b"0000-00-00 00:00:00").all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        })
        && line[..line.len().min(48)].contains(&b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(record: &str, expected: &str) {
        let mut fields = Vec::new();
        split(record, &mut fields);
        assert_eq!(fields.join("|"), expected);
    }

    #[test]
    fn quotes_commas_and_newlines() {
        check("a,,\"b,c\",d", "a||b,c|d");
        check("\"x \"\"y\"\"\",\"\",\"two\nlines\"", "x \"y\"||two\nlines");
        check("", "");
        check("a,", "a|");
        check("\"open, never closed", "open, never closed");
        check("\"\"\"\"\"\"", "\"\"");
    }
}
