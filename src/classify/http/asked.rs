//! What a request really asks for: the method may be said elsewhere, and a `POST` may stand for any verb.

use crate::classify::naming;
use crate::model::Operation;

use super::{Address, Request};

/// The method in capitals: as given, by the body, or as a header, a field or the query overrides it.
pub(super) fn method(request: &Request<'_>, address: &Address) -> String {
    let given = match request.method {
        "" if request.body.present => "POST".to_owned(),
        "" => "GET".to_owned(),
        method => method.to_ascii_uppercase(),
    };
    if given != "POST" {
        return given;
    }
    let header = request.body.headers.iter().find_map(|header| {
        let (name, value) = header.split_once(':')?;
        let name = name.trim().to_ascii_lowercase();
        matches!(&*name, "x-http-method-override" | "x-http-method" | "x-method-override").then(|| value.trim())
    });
    let said = header.or_else(|| field(&address.query, "_method"));
    let said = said.or_else(|| field(request.body.text.unwrap_or(""), "_method"));
    said.map_or(given, str::to_ascii_uppercase)
}

/// The verb that the end of the path or an `action` field names: `POST /volumes/7/delete`, `?action=delete`.
pub(super) fn verb(request: &Request<'_>, address: &Address) -> Option<Operation> {
    const FIELDS: &[&str] = &["action", "op", "operation", "cmd", "do", "task", "command", "Action"];
    let body = request.body.text.unwrap_or("");
    let by_field = || {
        let value = FIELDS.iter().find_map(|name| field(&address.query, name).or_else(|| field(body, name)))?;
        spoken(value)
    };
    // Google's `…/instances/x:delete` and Jenkins' `doDelete`.
    let last = address.path_segments().next_back().unwrap_or("");
    let last = last.rsplit(':').next().unwrap_or(last);
    let last = last.split('.').next().unwrap_or(last);
    spoken(last).or_else(by_field)
}

fn spoken(text: &str) -> Option<Operation> {
    let words = naming::words(text);
    words.iter().find(|word| *word != "do").and_then(|word| naming::verb(word))
}

/// A header that is the output of a command and no log-in: data that leaves.
pub(super) fn hands_over(header: &str) -> bool {
    let Some((name, value)) = header.split_once(':') else { return false };
    let name = name.to_ascii_lowercase();
    let logs_in = ["auth", "token", "key", "cookie", "signature", "user-agent", "date", "content", "request-id"];
    (value.contains("$(") || value.contains('`')) && !logs_in.iter().any(|word| name.contains(word))
}

/// The value of a field in a form (`a=b&c=d`) or, roughly, in JSON.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    for pair in text.split(['&', '?']) {
        if let Some(value) = pair.trim().strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
            return Some(value);
        }
    }
    let rest = &text[text.find(&format!("\"{name}\""))? + name.len() + 2..];
    let value = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    value.split('"').next()
}

/// Whether what is sent makes public what was not.
pub(super) fn publishes(body: &str, query: &str) -> bool {
    let body = body.replace([' ', '"'], "");
    [&*body, query].iter().any(|text| {
        ["visibility=public", "visibility:public", "private:false", "private=false"]
            .iter()
            .any(|say| text.contains(say))
    })
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn fields_of_forms_and_of_json() {
        assert_eq!(field("a=b&_method=DELETE", "_method"), Some("DELETE"));
        assert_eq!(field(r#"{"x": 1, "_method" : "DELETE"}"#, "_method"), Some("DELETE"));
        assert_eq!(field("transaction=7", "action"), None);
    }
}
