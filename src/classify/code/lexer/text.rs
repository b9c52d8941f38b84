//! The value of a string: escapes undone, what is interpolated marked as not known.

use crate::classify::{Unknown, Word};
use crate::model::Span;

use super::{Interpolation, Lexer};

/// An interpolation longer than this is read as plain text, so that hostile text is not read again and again.
const MAX_INTERPOLATION: usize = 256;

impl Lexer<'_, '_> {
    /// The value of the string body `from..to`.
    pub(super) fn word(&self, from: usize, to: usize, how: Interpolation, plain: bool) -> Word {
        let body = self.code.get(from..to).unwrap_or("");
        let mut word = Word { span: Some(Span::new(from, from + body.len())), quoted: true, ..Word::default() };
        if !body.contains(['\\', '{', '$', '@', '#']) {
            body.clone_into(&mut word.text);
            return word;
        }
        let mut letters = body.char_indices();
        while let Some((at, letter)) = letters.next() {
            let rest = &body[at..];
            if letter == '\\' && !plain {
                let mut tail = rest[1..].chars();
                if let Some(next) = tail.next() {
                    escape(&mut word.text, next, &mut letters, rest);
                }
                continue;
            }
            if letter == '\\' && rest[1..].starts_with(['\\', '\'']) && how == Interpolation::None {
                word.text.extend(letters.next().map(|(_, next)| next));
                continue;
            }
            match interpolated(rest, how) {
                Some((0, length)) => {
                    // `{{` is a brace.
                    word.text.push(letter);
                    skip(&mut letters, length - 1);
                }
                Some((_, length)) => {
                    let start = word.text.len();
                    word.text.push_str(&rest[..length]);
                    let name = rest[..length].trim_matches(['{', '}', '$', '#', '@', ' ']).to_owned();
                    let end = word.text.len();
                    word.unknown.push(Unknown { name, start, end, substitution: false, guarded: false });
                    skip(&mut letters, rest[..length].chars().count() - 1);
                }
                None => word.text.push(letter),
            }
        }
        word
    }
}

fn skip(letters: &mut std::str::CharIndices<'_>, count: usize) {
    for _ in 0..count {
        letters.next();
    }
}

/// Whether `rest` begins with an interpolation: (0, length) for an escaped brace, (1, length) for a real one.
fn interpolated(rest: &str, how: Interpolation) -> Option<(usize, usize)> {
    let braced = |from: usize| {
        let mut depth = 0_usize;
        for (at, byte) in rest.bytes().enumerate().skip(from).take(MAX_INTERPOLATION) {
            match byte {
                b'{' => depth += 1,
                b'}' if depth == 1 => return Some((1, at + 1)),
                b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        None
    };
    match how {
        Interpolation::None => None,
        Interpolation::Braces if rest.starts_with("{{") || rest.starts_with("}}") => Some((0, 2)),
        Interpolation::Braces if rest.starts_with('{') => braced(0),
        Interpolation::Dollar if rest.starts_with("${") => braced(1),
        Interpolation::Hash if rest.starts_with("#{") => braced(1),
        Interpolation::Sigil if rest.starts_with("${") => braced(1),
        Interpolation::Sigil if rest.starts_with("{$") => braced(0),
        Interpolation::Sigil if rest.starts_with(['$', '@']) => {
            let name = rest[1..].bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
            (name > 0 && !rest[1..].starts_with(|first: char| first.is_ascii_digit())).then_some((1, name + 1))
        }
        _ => None,
    }
}

fn escape(text: &mut String, next: char, letters: &mut std::str::CharIndices<'_>, rest: &str) {
    letters.next();
    let digits =
        |from: usize, count: usize| rest.get(from..from + count).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    match next {
        'n' => text.push('\n'),
        't' => text.push('\t'),
        'r' => text.push('\r'),
        '0' => text.push('\0'),
        '\n' => {}
        'x' => match digits(2, 2).and_then(char::from_u32) {
            Some(letter) => {
                text.push(letter);
                skip(letters, 2);
            }
            None => text.push('x'),
        },
        'u' => match digits(2, 4).and_then(char::from_u32) {
            Some(letter) => {
                text.push(letter);
                skip(letters, 4);
            }
            None => text.push('u'),
        },
        other => text.push(other),
    }
}
