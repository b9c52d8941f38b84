//! Text that is no shell code as it stands: calls of another language, and calls whose quotes a log has lost
//! (`mongosh --eval db.users.drop()`).

use crate::classify::Language;

/// Longer texts are not looked at: lines that lost their quotes are short.
const MAX_LENGTH: usize = 8 * 1024;

/// The language of a text that is a call of another language from its first letter to its last:
/// `db.orders.drop()`, `shutil.rmtree('/x')`.
pub(in crate::classify) fn language(text: &str) -> Option<Language> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let text = text.trim().trim_end_matches(';').trim_end();
    let mut rest = text;
    for head in ["await ", "return ", "const ", "let ", "var "] {
        rest = rest.strip_prefix(head).unwrap_or(rest).trim_start();
    }
    // `x = f(…)`: what is assigned is of no interest.
    if let Some((name, value)) = rest.split_once(" = ")
        && name.bytes().all(is_letter)
    {
        rest = value.trim_start().strip_prefix("await ").unwrap_or(value.trim_start());
    }
    let name = rest.bytes().take_while(|byte| is_letter(*byte) || *byte == b'.').count();
    let (name, call) = rest.split_at(name);
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '_' | '$'));
    if !starts || name.ends_with('.') || !call.starts_with('(') || !text.ends_with([')', ']', '}']) {
        return None;
    }
    // `name() …` defines a function, unless it is a method.
    if !name.contains('.') && call.starts_with("()") || is_definition(call) {
        return None;
    }
    let node = ["fs.", "process.", "console."].iter().any(|module| name.starts_with(module));
    Some(if name.starts_with("db.") || name.starts_with("rs.") || name.starts_with("sh.") {
        Language::Mongo
    } else if node
        || ["await ", "const ", "=>", "require(", " process.", " fs.", "prisma.", "JSON.", "new ", "function"]
            .iter()
            .any(|mark| text.contains(mark))
    {
        Language::JavaScript
    } else {
        Language::Python
    })
}

/// The text with its lost quotes put back around words that go on in brackets; `None` when there are none.
pub(super) fn requoted(text: &str) -> Option<String> {
    let glued = |pair: &[u8]| pair[1] == b'(' && (is_letter(pair[0]) && pair[0] != b'$' || pair[0] == b']');
    if text.len() > MAX_LENGTH || !text.as_bytes().windows(2).any(glued) || text.contains("<<") {
        return None;
    }
    let (mut out, mut from, mut at) = (String::new(), 0, 0);
    let bytes = text.as_bytes();
    let mut first = true;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'\'' | b'"' => at = quoted(bytes, at),
            b' ' | b'\t' => {
                first = false;
                at += 1;
            }
            b'\n' | b';' | b'|' | b'&' => {
                first = true;
                at += 1;
                at += bytes.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            }
            b'(' if at > 0 && (is_letter(bytes[at - 1]) && bytes[at - 1] != b'$' || bytes[at - 1] == b']') => {
                if is_definition(text.get(at..)?) && (first || text.get(..at)?.trim_start().starts_with("function ")) {
                    return None;
                }
                let start =
                    text.get(..at)?.rfind([' ', '\t', '\n', ';', '|', '&']).map_or(0, |space| space + 1).max(from);
                if text.get(start..at)?.contains(['=', '\'', '"']) {
                    at += 1;
                    continue;
                }
                let end = call_end(bytes, at)?;
                out.push_str(text.get(from..start)?);
                out.push('\'');
                out.push_str(&text.get(start..end)?.replace('\'', r"'\''"));
                out.push('\'');
                (from, at) = (end, end);
            }
            _ => at += 1,
        }
    }
    (from > 0).then(|| out + text.get(from..).unwrap_or_default())
}

/// `()` with a body behind it.
fn is_definition(call: &str) -> bool {
    let Some(rest) = call.strip_prefix('(').map(str::trim_start).and_then(|rest| rest.strip_prefix(')')) else {
        return false;
    };
    let body = rest.trim_start();
    body.starts_with(['{', '(']) || ["if ", "for ", "while ", "case ", "[["].iter().any(|word| body.starts_with(word))
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')
}

/// Behind the quote that closes the one at `at`.
fn quoted(bytes: &[u8], at: usize) -> usize {
    let quote = bytes[at];
    let mut next = at + 1;
    while let Some(&byte) = bytes.get(next) {
        match byte {
            b'\\' if quote == b'"' => next += 1,
            _ if byte == quote => return next + 1,
            _ => {}
        }
        next += 1;
    }
    // A quote nobody closes hides nothing.
    at + 1
}

/// Behind the call whose bracket opens at `at`, with the calls on its result: `a(1).b({c: 2})`.
fn call_end(bytes: &[u8], at: usize) -> Option<usize> {
    let (mut depth, mut next) = (0usize, at);
    while let Some(&byte) = bytes.get(next) {
        match byte {
            b'\'' | b'"' => {
                next = quoted(bytes, next);
                continue;
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    let tail = bytes.get(next + 1..).unwrap_or_default();
                    let more = tail.iter().take_while(|byte| is_letter(**byte) || **byte == b'.').count();
                    next += 1 + more;
                    if !matches!(bytes.get(next), Some(b'(' | b'[')) {
                        return Some(next);
                    }
                    continue;
                }
            }
            _ => {}
        }
        next += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(requoted(text).as_deref(), expected, "{text}");
    }

    #[test]
    fn lost_quotes_are_put_back() {
        check("mongosh --eval db.users.drop()", Some("mongosh --eval 'db.users.drop()'"));
        check("mongosh --eval db.a.find({ b: 1 }).limit(2) x", Some("mongosh --eval 'db.a.find({ b: 1 }).limit(2)' x"));
        check("psql -c SELECT count(*) FROM users", Some("psql -c SELECT 'count(*)' FROM users"));
        check("node -e require('fs').rmSync('/x')", Some(r"node -e 'require('\''fs'\'').rmSync('\''/x'\'')'"));
    }

    #[test]
    fn shell_code_is_left_alone() {
        check("tidy() { rm x; }", None);
        check("a=(1 2); echo $(ls) <(sort b)", None);
        check("grep 'f(x)' a", None);
        check("(cd x && ls)", None);
    }

    #[test]
    fn calls_of_other_languages() {
        assert_eq!(language("db.orders.drop()"), Some(Language::Mongo));
        assert_eq!(language("shutil.rmtree('/x')"), Some(Language::Python));
        assert_eq!(language("await prisma.user.deleteMany({})"), Some(Language::JavaScript));
        assert_eq!(language("print('x')"), Some(Language::Python));
        for shell in ["tidy() { rm x; }", "ls", "(ls)", "f() (ls)", "echo $(ls)", "a=(1)", "name()"] {
            assert_eq!(language(shell), None, "{shell}");
        }
    }
}
