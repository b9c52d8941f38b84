//! Checked before the parser sees a text: its length, and how deep its brackets go.
//!
//! The parser bounds itself but for two cases that were measured: a few hundred `time` or `coproc` in a row overflow
//! its stack, and a few hundred quoted `${x:-…}` in each other keep it busy for minutes.

use crate::model::GapKind;

const MAX_LENGTH: usize = 1024 * 1024;
/// Of brackets and blocks in each other; code that stands in other code has less.
const MAX_DEPTH: usize = 64;

/// Why `text` is not parsed, if it is not; `nesting` is how deep the code around it goes.
pub(super) fn exceeded(text: &str, nesting: usize) -> Option<(GapKind, &'static str)> {
    if text.len() > MAX_LENGTH {
        return Some((GapKind::TooLarge, "more than 1 MiB of shell code"));
    }
    let most = MAX_DEPTH.saturating_sub(nesting);
    // Every level costs a byte at least.
    let too_deep = text.len() > most && (counted(text) > most || quoted(text) > most);
    too_deep.then_some((GapKind::TooDeep, "brackets nested too deeply"))
}

/// How deep brackets go when quotes are not looked at: what is quoted is often code as well.
/// `time` and `coproc` open a level that nothing closes.
fn counted(text: &str) -> usize {
    let (mut open, mut most, mut blocks, mut prefixes, mut word) = (0usize, 0, 0usize, 0, 0);
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        if byte.is_ascii_alphanumeric() {
            continue;
        }
        match bytes.get(word..at).unwrap_or_default() {
            b"if" | b"while" | b"until" | b"for" | b"case" | b"select" => blocks += 1,
            b"fi" | b"done" | b"esac" => blocks = blocks.saturating_sub(1),
            b"time" | b"coproc" => prefixes += 1,
            _ => {}
        }
        word = at + 1;
        match byte {
            b'(' | b'{' => open += 1,
            b')' | b'}' => open = open.saturating_sub(1),
            _ => continue,
        }
        most = most.max(open + blocks);
    }
    most.max(open + blocks).max(prefixes)
}

/// How deep brackets and quotes go when those in quotes are told from the others.
fn quoted(text: &str) -> usize {
    let (mut open, mut most): (Vec<u8>, usize) = (Vec::new(), 0);
    let mut bytes = text.bytes().peekable();
    let mut before = b' ';
    while let Some(byte) = bytes.next() {
        let inside = open.last().copied();
        match (byte, inside) {
            (b'\'', Some(b'\'')) => {
                open.pop();
            }
            (_, Some(b'\'')) => {}
            (b'\\', _) => {
                bytes.next();
            }
            (b'"', Some(b'"')) | (b'`', Some(b'`')) => {
                open.pop();
            }
            (b'"' | b'`', _) => open.push(byte),
            // In double quotes, and in `${…}` there, it is a letter.
            (b'\'', Some(b'"' | b'{')) => {}
            (b'\'', _) => open.push(byte),
            (b'{' | b'(', inside) if before == b'$' || inside != Some(b'"') => open.push(byte),
            (b'}', Some(b'{')) | (b')', Some(b'(')) => {
                open.pop();
            }
            (b'#', None | Some(b'(')) if before.is_ascii_whitespace() => {
                while bytes.next_if(|byte| *byte != b'\n').is_some() {}
            }
            _ => {}
        }
        most = most.max(open.len());
        before = byte;
    }
    most
}
