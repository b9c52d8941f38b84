//! What a tool answered, looked at only as far as needed: results can be megabytes, their verdict stands at the start.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::loose::List;
use crate::model::Outcome;

/// How many bytes of a result are looked at for "was it refused, how did it end".
const OPENING: usize = 600;

/// One part of a result: `{"type":"text","text":"…"}`.
#[derive(serde::Deserialize, Debug, Default)]
#[serde(default)]
struct Part<'a> {
    #[serde(borrow)]
    text: Option<&'a RawValue>,
}

/// The start of a result's text: of a string, or of the first text in a list of parts.
pub(crate) fn opening(result: Option<&RawValue>) -> String {
    let Some(result) = result.map(RawValue::get) else { return String::new() };
    if result.starts_with('"') {
        return unescape(result, OPENING);
    }
    let parts: List<Part<'_>> = serde_json::from_str(result).unwrap_or_default();
    parts.0.iter().find_map(|part| part.text).map(|text| unescape(text.get(), OPENING)).unwrap_or_default()
}

/// What a result says, cut as [`Outcome::cut`] cuts: a string, or the texts in a list of parts. Of a long one only the
/// ends are looked at. `None` where it has no text.
pub(crate) fn output(result: Option<&RawValue>) -> Option<Arc<str>> {
    output_within(result, Outcome::MAX_OUTPUT)
}

/// The same where less of it is enough.
pub(crate) fn output_within(result: Option<&RawValue>, most: usize) -> Option<Arc<str>> {
    let result = result?.get();
    if result.starts_with('"') {
        return Some(ends(result, most).into());
    }
    if !result.starts_with(['[', '{']) {
        return None;
    }
    let parts: List<Part<'_>> = serde_json::from_str(result).ok()?;
    let texts: Vec<String> = parts
        .0
        .iter()
        .filter_map(|part| part.text)
        .filter(|text| text.get().starts_with('"'))
        .map(|text| ends(text.get(), most))
        .collect();
    (!texts.is_empty()).then(|| Outcome::cut(&texts.join("\n"), most))
}

/// A JSON string unescaped: all of it, or its first and its last part.
fn ends(json: &str, most: usize) -> String {
    if json.len() <= most {
        return serde_json::from_str(json).unwrap_or_else(|_| unescape(json, most));
    }
    let half = most / 2;
    let inside = json.strip_suffix('"').unwrap_or(json);
    let cut = inside.ceil_char_boundary(inside.len() - half);
    let (before, tail) = inside.split_at(cut);
    // An escape that the cut goes through loses its letter; nothing behind it is read wrongly.
    let escaped = before.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1;
    let skipped = if escaped { tail.chars().next().map_or(0, char::len_utf8) } else { 0 };
    format!("{}\n…\n{}", unescape(json, half), unescape(&tail[skipped..], half))
}

/// A whole JSON string unescaped; `None` when it is something else.
pub(crate) fn whole(value: Option<&RawValue>) -> Option<String> {
    let text = value?.get();
    if text.starts_with('"') { serde_json::from_str(text).ok() } else { None }
}

/// The number that directly follows the last `label` in `text`.
pub(crate) fn number_after(text: &str, label: &str) -> Option<i32> {
    let (_, rest) = text.rsplit_once(label)?;
    let end = rest
        .char_indices()
        .find(|&(at, c)| !(c.is_ascii_digit() || at == 0 && c == '-'))
        .map_or(rest.len(), |(at, _)| at);
    rest.get(..end)?.parse().ok()
}

/// The start of a JSON string, with or without its first quote.
fn unescape(json: &str, most: usize) -> String {
    let mut text = String::with_capacity(most.min(json.len()));
    let mut rest = json.strip_prefix('"').unwrap_or(json);
    while text.len() < most {
        let wanted = &rest[..rest.ceil_char_boundary(most - text.len())];
        let Some(at) = memchr::memchr2(b'"', b'\\', wanted.as_bytes()) else {
            text.push_str(wanted);
            break;
        };
        text.push_str(&wanted[..at]);
        let mut chars = rest[at..].chars();
        if chars.next() == Some('"') {
            break;
        }
        text.push(match chars.next() {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            // Only the verdict's plain words matter here: halves of surrogate pairs need not be joined.
            Some('u') => {
                let code: String = chars.by_ref().take(4).collect();
                u32::from_str_radix(&code, 16).ok().and_then(char::from_u32).unwrap_or('\u{fffd}')
            }
            Some(other) => other,
            None => break,
        });
        rest = chars.as_str();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &str) {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        assert_eq!(opening(Some(raw)), expected);
    }

    #[test]
    fn the_opening_is_unescaped_and_short() {
        check(r#""a\nb \"c\" caf\u00e9""#, "a\nb \"c\" café");
        check(r#"[{"type":"image"},{"type":"text","text":"hello"},{"text":"later"}]"#, "hello");
        check(r#"{"type":"input_text","text":"one object"}"#, "one object");
        check("17", "");
        check(r#""é\\\"\/é""#, "é\\\"/é");
        let long = format!("\"{}\"", "x".repeat(5000));
        let raw: &RawValue = serde_json::from_str(&long).unwrap();
        assert_eq!(opening(Some(raw)).len(), OPENING);
    }

    #[test]
    fn outputs_keep_their_ends() {
        let output = |json: &str| output(Some(serde_json::from_str(json).unwrap())).map(|text| text.to_string());
        assert_eq!(output(r#""a\n\u00e9""#).as_deref(), Some("a\né"));
        assert_eq!(output(r#"[{"type":"text","text":"a"},{"type":"image"},{"text":"b"}]"#).as_deref(), Some("a\nb"));
        assert_eq!(output("null"), None);
        assert_eq!(output("[]"), None);
        for filler in ["x", "\\\\", "\\n", "é", "\\u00e9", "\\\""] {
            let long = output(&format!("\"begin{}end\"", filler.repeat(40_000))).unwrap();
            assert!(long.starts_with("begin") && long.ends_with("end"), "{filler}");
            assert!(long.len() < Outcome::MAX_OUTPUT + 20, "{} of {filler}", long.len());
        }
    }

    #[test]
    fn numbers_follow_their_label() {
        assert_eq!(number_after("Exit Code: 3\nSignal: 0", "Exit Code: "), Some(3));
        assert_eq!(number_after("Exit Code: -1", "Exit Code: "), Some(-1));
        assert_eq!(number_after("Exit Code: (none)", "Exit Code: "), None);
    }
}
