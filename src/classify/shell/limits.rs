//! Checked before any parser sees a text: its length, and how deep its brackets go.

use crate::model::GapKind;

const MAX_LENGTH: usize = 1024 * 1024;
/// Of one text alone; code in code has less.
const MAX_DEPTH: usize = 200;

/// Why `text` is not parsed, if it is not; `nesting` is how deep the code around it goes.
pub(super) fn exceeded(text: &str, nesting: usize) -> Option<(GapKind, &'static str)> {
    if text.len() > MAX_LENGTH {
        return Some((GapKind::TooLarge, "more than 1 MiB of shell code"));
    }
    let most = MAX_DEPTH.saturating_sub(3 * nesting);
    // Every level costs a byte at least.
    (text.len() > most && depth(text) > most).then_some((GapKind::TooDeep, "brackets nested too deeply"))
}

/// How deep brackets and blocks go at most, quoted ones included: what is quoted is often code as well.
fn depth(text: &str) -> usize {
    let (mut open, mut most) = (0usize, 0);
    let (mut ticks, mut quotes) = (0usize, 0usize);
    let mut word = 0;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        if byte.is_ascii_alphabetic() {
            continue;
        }
        match &bytes[word..at] {
            b"if" | b"while" | b"until" | b"for" | b"case" | b"select" => open += 1,
            b"fi" | b"done" | b"esac" => open = open.saturating_sub(1),
            _ => {}
        }
        word = at + 1;
        match byte {
            b'(' | b'{' | b'[' => open += 1,
            b')' | b'}' | b']' => open = open.saturating_sub(1),
            // Quotes nest only through `$(`, backticks through backslashes: runs of them are counted below.
            b'`' if at > 0 && bytes[at - 1] == b'\\' => ticks += 1,
            b'"' if at > 1 && bytes[at - 1] == b'(' && bytes[at - 2] == b'$' => quotes += 1,
            _ => {}
        }
        most = most.max(open);
    }
    most.max(quotes.min(open)).max(ticks / 2)
}
