//! Checked before the parser sees a text: its length, and what the parser does not bound by itself.
//!
//! It was measured that a few hundred `time` or `coproc` in a row and a
//! few thousand `$((` in each other overflow its stack, and that a few hundred quoted
//! `${x:-…}` in each other keep it busy for minutes. Other nesting it refuses in good time.

use crate::model::GapKind;

const MAX_LENGTH: usize = 1024 * 1024;
/// Of what the parser does not bound; code that stands in other code has less.
const MAX_DEPTH: usize = 64;
/// Long scripts have lone brackets in strings and comments.
const MAX_BRACKETS: usize = 200;
/// Counted one by one, closed or not: thousands in each other overflow the stack.
const MAX_ARITHMETIC: usize = 500;

/// Why `text` is not parsed, if it is not; `nesting` is how deep the code around it goes.
pub(super) fn exceeded(text: &str, nesting: usize) -> Option<(GapKind, &'static str)> {
    if text.len() > MAX_LENGTH {
        return Some((GapKind::TooLarge, "more than 1 MiB of shell code"));
    }
    let most = MAX_DEPTH.saturating_sub(nesting);
    // Every level costs a byte at least.
    if text.len() <= most {
        return None;
    }
    let depth = Depth::of(text.as_bytes());
    // The parser may use nearly all of a stack: under other code there is less of it.
    let brackets = if nesting > 0 { most } else { MAX_BRACKETS };
    let too_deep = depth.parameters > MAX_DEPTH
        || depth.prefixes > MAX_DEPTH
        || depth.arithmetic > MAX_ARITHMETIC
        || depth.brackets > brackets;
    too_deep.then_some((GapKind::TooDeep, "brackets nested too deeply"))
}

/// Counted without regard to quotes and comments, which hide nothing here: quoted text is often code as well.
#[derive(Default)]
struct Depth {
    brackets: usize,
    /// `((`, closed or not.
    arithmetic: usize,
    /// `${…}` in each other, or so many of them that begin right behind an operator of another.
    parameters: usize,
    /// `time` and `coproc` in a row.
    prefixes: usize,
}

impl Depth {
    fn of(bytes: &[u8]) -> Self {
        let mut found = Self::default();
        let (mut brackets, mut parameters, mut behind, mut prefixes, mut word) = (0usize, 0usize, 0, 0, 0);
        for (at, byte) in bytes.iter().enumerate() {
            if byte.is_ascii_alphanumeric() || *byte == b'-' {
                continue;
            }
            match bytes.get(word..at).unwrap_or_default() {
                b"" | b"-p" | b"--" => {}
                b"time" | b"coproc" => prefixes += 1,
                _ => prefixes = 0,
            }
            found.prefixes = found.prefixes.max(prefixes);
            word = at + 1;
            let before = |back: usize| at.checked_sub(back).and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
            match byte {
                b'(' => {
                    brackets += 1;
                    found.arithmetic += usize::from(before(1) == b'(');
                }
                b'{' => {
                    brackets += 1;
                    if before(1) == b'$' {
                        parameters += 1;
                        let operator = if before(2) == b'"' { before(3) } else { before(2) };
                        behind += usize::from(matches!(operator, b'-' | b'=' | b'+' | b'?'));
                    }
                }
                b')' => brackets = brackets.saturating_sub(1),
                // What stands in quotes or behind a backslash closes nothing.
                b'}' if !matches!(before(1), b'\\' | b'\'') => {
                    brackets = brackets.saturating_sub(1);
                    parameters = parameters.saturating_sub(1);
                }
                b'}' => brackets = brackets.saturating_sub(1),
                _ => continue,
            }
            found.brackets = found.brackets.max(brackets);
            found.parameters = found.parameters.max(parameters).max(behind);
        }
        found
    }
}
