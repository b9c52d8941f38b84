//! Where each policy stands in a file: the parser gives policies numbers, reports want lines.

use std::ops::Range;

/// The byte range of every statement, from its first annotation to its semicolon.
pub(super) fn statements(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut start = None;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at = bytes.iter().skip(at).position(|byte| *byte == b'\n').map_or(bytes.len(), |end| at + end);
                continue;
            }
            b'"' => {
                start.get_or_insert(at);
                at = string_end(bytes, at);
                continue;
            }
            b';' => found.push(start.take().unwrap_or(at)..at + 1),
            byte if !byte.is_ascii_whitespace() => {
                start.get_or_insert(at);
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// The 1-based line of a byte.
pub(super) fn line(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    1 + memchr::memchr_iter(b'\n', before).count()
}

fn string_end(bytes: &[u8], quote: usize) -> usize {
    let mut at = quote + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'"' => return at + 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(usize, &str)]) {
        let found: Vec<_> = statements(text).into_iter().map(|range| (line(text, range.start), &text[range])).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn semicolons_in_strings_and_comments_end_nothing() {
        check(
            "// a;\n@id(\"x;\\\"\") // b;\npermit;\n\nforbid;",
            &[(2, "@id(\"x;\\\"\") // b;\npermit;"), (5, "forbid;")],
        );
        check("permit", &[]);
    }
}
