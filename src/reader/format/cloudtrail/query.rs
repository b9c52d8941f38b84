//! Rows that a query of CloudTrail Lake or Athena returned: events whose fields were taken apart, objects as text.
//!
//! `{"QueryResultRows":[[{"eventName":"DeleteBucket"},{"requestParameters":"{bucketName=shop, x=1}"}]]}`

use serde_json::{Map, Value};

/// The fields of an event, as its records spell them.
const FIELDS: &[&str] = &[
    "eventVersion",
    "eventTime",
    "eventSource",
    "eventName",
    "eventID",
    "eventType",
    "awsRegion",
    "recipientAccountId",
    "errorCode",
    "errorMessage",
    "userIdentity",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "readOnly",
    "sourceIPAddress",
    "userAgent",
    "sharedEventID",
];

/// Those of who asked, which tables spell in lower case.
const IDENTITY: &[&str] =
    &["principalId", "accountId", "accessKeyId", "userName", "invokedBy", "sessionContext", "sessionIssuer"];

/// Objects within objects beyond this are left as text.
const DEEPEST: usize = 16;

/// The events in the answer to `get-query-results`, each as the record it was made of.
pub(super) fn answered(value: &Value) -> Option<Vec<String>> {
    let rows = value.get("QueryResultRows")?.as_array()?;
    Some(
        rows.iter()
            .filter_map(|row| row.as_array())
            .map(|row| {
                let fields = row.iter().filter_map(Value::as_object).flatten();
                record(fields.map(|(name, value)| {
                    (name.as_str(), value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                }))
            })
            .collect(),
    )
}

/// A record of fields, whatever the case of their names.
pub(super) fn record<'n>(fields: impl Iterator<Item = (&'n str, String)>) -> String {
    let mut record = Map::new();
    for (name, text) in fields {
        let name = FIELDS.iter().find(|known| known.eq_ignore_ascii_case(name)).copied().unwrap_or(name);
        let text = text.trim();
        if text.is_empty() || text == "null" {
            continue;
        }
        record.insert(name.to_owned(), object(text).unwrap_or_else(|| Value::String(text.to_owned())));
    }
    if let Some(Value::String(time)) = record.get_mut("eventTime") {
        // `2026-09-04 09:03:00.000`, in UTC.
        if !time.ends_with('Z') && !time.contains('T') {
            *time = time.replacen(' ', "T", 1) + "Z";
        }
    }
    Value::Object(record).to_string()
}

/// `{"a":1}`, or `{a=1, b={c=d}}` as Java writes a map.
fn object(text: &str) -> Option<Value> {
    if !text.starts_with('{') || !text.ends_with('}') {
        return None;
    }
    if let Ok(value @ Value::Object(_)) = serde_json::from_str(text) {
        return Some(value);
    }
    let (value, rest) = java(text, 0)?;
    rest.trim().is_empty().then_some(value)
}

fn java(text: &str, depth: usize) -> Option<(Value, &str)> {
    if depth > DEEPEST {
        return None;
    }
    if let Some(mut rest) = text.strip_prefix('{') {
        let mut members = Map::new();
        loop {
            rest = rest.trim_start();
            if let Some(rest) = rest.strip_prefix('}') {
                return Some((Value::Object(members), rest));
            }
            let equals = rest.find('=').filter(|end| !rest[..*end].contains(['{', '}']))?;
            let name = rest[..equals].trim();
            let name =
                IDENTITY.iter().find(|known| known.eq_ignore_ascii_case(name)).copied().unwrap_or(name).to_owned();
            let (value, after) = java(&rest[equals + 1..], depth + 1)?;
            members.insert(name, value);
            rest = after.strip_prefix(',').unwrap_or(after);
        }
    }
    if let Some(mut rest) = text.strip_prefix('[') {
        let mut items = Vec::new();
        loop {
            rest = rest.trim_start();
            if let Some(rest) = rest.strip_prefix(']') {
                return Some((Value::Array(items), rest));
            }
            let (value, after) = java(rest, depth + 1)?;
            items.push(value);
            rest = after.strip_prefix(',').unwrap_or(after);
        }
    }
    // A value reaches to what closes the map, or to the comma before the next name.
    let mut end = text.len();
    for (at, letter) in text.char_indices() {
        match letter {
            '}' | ']' => {
                end = at;
                break;
            }
            ',' => {
                let next = text[at + 1..].trim_start();
                let name = next.find(['=', ',', '}', ']']).unwrap_or(next.len());
                let named = next[name..].starts_with('=') && !next[..name].contains(' ');
                if named || depth == 0 {
                    end = at;
                    break;
                }
            }
            _ => {}
        }
    }
    let value = match text[..end].trim() {
        "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        plain => Value::String(plain.to_owned()),
    };
    Some((value, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_of_java_are_objects() {
        let check = |text: &str, expected: &str| {
            assert_eq!(object(text).map_or("none".to_owned(), |value| value.to_string()), expected);
        };
        check(r#"{"a":{"b":1}}"#, r#"{"a":{"b":1}}"#);
        check(
            "{type=IAMUser, arn=arn:aws:iam::1:user/a, session={mfa=false, x=null}}",
            r#"{"type":"IAMUser","arn":"arn:aws:iam::1:user/a","session":{"mfa":false,"x":null}}"#,
        );
        check("{names=[a, b], text=one, two, y=1}", r#"{"names":["a, b"],"text":"one, two","y":"1"}"#);
        check("{", "none");
        check("{a}", "none");
        check(&format!("{{a={}", "{a=".repeat(100_000)), "none");
    }

    #[test]
    fn fields_are_spelled_as_in_records() {
        let fields = [("eventname", "DeleteBucket"), ("eventtime", "2026-09-04 09:03:00.000"), ("errorcode", "null")];
        let record = record(fields.into_iter().map(|(name, text)| (name, text.to_owned())));
        assert_eq!(record, r#"{"eventName":"DeleteBucket","eventTime":"2026-09-04T09:03:00.000Z"}"#);
    }
}
