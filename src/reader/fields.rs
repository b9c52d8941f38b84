//! The fields of a JSON object with their values as they are written, so that nothing is lost by reading them.

use serde::de::{Deserialize, IgnoredAny};

/// Why a text is not a JSON object, and at which byte of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) at: usize,
    pub(super) problem: String,
}

/// Calls `field` with every name and the text of its value, in order, until the object ends or breaks off.
pub(super) fn each<'a>(text: &'a str, mut field: impl FnMut(String, &'a str)) -> Result<(), Broken> {
    let mut at = expect(text, 0, '{')?;
    if let Ok(end) = expect(text, at, '}') {
        return nothing_behind(text, end);
    }
    loop {
        at = white_space(text, at);
        let (name, end): (String, usize) = value(text, at)?;
        at = expect(text, end, ':')?;
        at = white_space(text, at);
        let (_, end): (IgnoredAny, usize) = value(text, at)?;
        field(name, &text[at..end]);
        match expect(text, end, ',') {
            Ok(next) => at = next,
            Err(_) => return nothing_behind(text, expect(text, end, '}')?),
        }
    }
}

/// One JSON value and where it ends.
fn value<'a, T: Deserialize<'a>>(text: &'a str, at: usize) -> Result<(T, usize), Broken> {
    let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter();
    match values.next() {
        Some(Ok(value)) => Ok((value, at + values.byte_offset())),
        Some(Err(error)) => {
            // The place is said by ourselves: one text is one line here, and its columns count bytes.
            let at = at + error.column().saturating_sub(1);
            let said = error.to_string();
            let problem = said.split(" at line ").next().unwrap_or(&said).to_owned();
            Err(Broken { at: at.min(text.len()), problem })
        }
        None => Err(Broken { at, problem: "it breaks off".to_owned() }),
    }
}

fn expect(text: &str, at: usize, wanted: char) -> Result<usize, Broken> {
    let at = white_space(text, at);
    match text[at..].chars().next() {
        Some(found) if found == wanted => Ok(at + 1),
        Some(_) => Err(Broken { at, problem: format!("expected `{wanted}`") }),
        None => Err(Broken { at, problem: "it breaks off".to_owned() }),
    }
}

fn nothing_behind(text: &str, at: usize) -> Result<(), Broken> {
    match white_space(text, at) {
        end if end == text.len() => Ok(()),
        at => Err(Broken { at, problem: "something follows the object".to_owned() }),
    }
}

fn white_space(text: &str, at: usize) -> usize {
    at + text.as_bytes()[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut seen = String::new();
        let result = each(text, |name, value| seen.push_str(&format!("{name}={value} ")));
        if let Err(broken) = result {
            seen.push_str(&format!("byte {}: {}", broken.at, broken.problem));
        }
        assert_eq!(seen.trim_end(), expected);
    }

    #[test]
    fn values_are_kept_as_written() {
        check(r#" { "a" : 1.50 , "b\n":{"x":[1, 2]},"c":"}\"" } "#, "a=1.50 b\n={\"x\":[1, 2]} c=\"}\\\"\"");
        check("{}", "");
    }

    #[test]
    fn breaks_are_located() {
        check(r#"{"a":1,"b":[1"#, "a=1 byte 12: EOF while parsing a list");
        check(r#"{"a":1 "b":2}"#, "a=1 byte 7: expected `}`");
        check(r#"{"a":1} x"#, "a=1 byte 8: something follows the object");
        check("[1]", "byte 0: expected `{`");
        check("", "byte 0: it breaks off");
        check(r#"{"a":tru}"#, "byte 8: expected ident");
    }

    #[test]
    fn deep_nesting_does_not_recurse() {
        check(&format!(r#"{{"a":{}"#, "[".repeat(100_000)), "byte 100004: EOF while parsing a list");
    }
}
