//! Statements in the stream of a session: base64 of what the client sent, as text or in Postgres' own protocol.

use serde_json::Value;

/// More of one stream is not looked at.
const MAX_EVENTS: usize = 1 << 20;

/// The statements in `[[0.26, "i", "…"], …]`, each with its time after the start in microseconds.
pub(super) fn statements(stream: Option<&Value>) -> Vec<(i64, String)> {
    let mut found = Vec::new();
    for event in stream.and_then(Value::as_array).into_iter().flatten().take(MAX_EVENTS) {
        let Some([after, kind, data]) = event.as_array().map(Vec::as_slice) else { continue };
        let (Some("i"), Some(data)) = (kind.as_str(), data.as_str()) else { continue };
        let Some(bytes) = decoded(data) else { continue };
        let after = after.as_f64().map_or(0, microseconds);
        let sent = queries(&bytes);
        match String::from_utf8(bytes) {
            _ if !sent.is_empty() => found.extend(sent.into_iter().map(|text| (after, text))),
            // `raw-queries`: the gateway has read the protocol already.
            Ok(text) if !text.contains('\0') && text.chars().any(char::is_alphabetic) => found.push((after, text)),
            _ => {}
        }
    }
    found
}

#[allow(clippy::cast_possible_truncation, reason = "a session does not last for thousands of years")]
fn microseconds(seconds: f64) -> i64 {
    (seconds * 1e6) as i64
}

/// The texts of `Query` and `Parse` messages.
fn queries(mut bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    while let Some((tag, rest)) = bytes.split_first() {
        let Some((length, _)) = rest.split_first_chunk::<4>() else { break };
        let length = u32::from_be_bytes(*length) as usize;
        let Some(body) = rest.get(4..length).filter(|_| length >= 4) else { break };
        let text = match tag {
            b'Q' => body.split(|byte| *byte == 0).next(),
            b'P' => body.split(|byte| *byte == 0).nth(1),
            b'B' | b'C' | b'D' | b'E' | b'F' | b'H' | b'S' | b'X' | b'p' | b'd' | b'c' | b'f' => None,
            _ => break,
        };
        found.extend(
            text.filter(|text| !text.trim_ascii().is_empty()).map(|text| String::from_utf8_lossy(text).into_owned()),
        );
        bytes = &rest[length..];
    }
    found
}

/// The bytes of standard base64.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for letter in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => continue,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_found_as_text_and_in_the_protocol() {
        let check = |stream: &str, expected: &[(i64, &str)]| {
            let stream: Value = serde_json::from_str(stream).expect("JSON");
            let found = statements(Some(&stream));
            let found: Vec<(i64, &str)> = found.iter().map(|(after, text)| (*after, text.as_str())).collect();
            assert_eq!(found, expected);
        };
        check(r#"[[1.5,"i","U0VMRUNUIDE="],[2,"o","eA=="],["x"]]"#, &[(1_500_000, "SELECT 1")]);
        // `Q`, 13 bytes of it, the text and its end.
        check(r#"[[0.1,"i","UQAAAA1TRUxFQ1QgMQA="]]"#, &[(100_000, "SELECT 1")]);
        check(r#"[[0.1,"i","WAAAAAQ="],[0.1,"i","!"],[0.1,"i","UQAAAP9T"]]"#, &[]);
    }
}
