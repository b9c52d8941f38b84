//! What a call is about: the names, numbers, lists and filters among its arguments.

use serde_json::Value;

use crate::classify::naming;
use crate::model::ResourceKind;

use super::Call;

/// Arguments that name what rows or documents are kept in.
pub(super) const TABLES: &[&str] = &["table", "table_name", "collection", "collection_name"];

/// More names of a list than these are not written out.
const MOST_NAMES: usize = 8;

/// What the arguments call the thing; and whether they name exactly one.
pub(super) fn named(call: &Call<'_>, kind: ResourceKind) -> (Option<String>, bool) {
    const NAMES: &[&str] = &[
        "id",
        "uid",
        "uuid",
        "name",
        "path",
        "key",
        "arn",
        "resource",
        "resource_name",
        "target",
        "identifier",
        "slug",
        "title",
        "subject",
        "username",
        "user",
    ];
    let kind_word = kind.word().to_ascii_lowercase();
    let about_kind = |key: &str| {
        naming::words(key)
            .iter()
            .any(|word| *word == kind_word || naming::noun(word).is_some_and(|noun| noun.0 == kind))
    };
    let entries = || call.arguments.values.iter();
    let of_kind = entries().find_map(|(key, value)| about_kind(key).then(|| scalar(value)).flatten());
    if let (ResourceKind::Repository, Some(name)) = (kind, &of_kind)
        && let Some(owner) = call.arguments.text(&["owner", "org"])
        && !name.contains('/')
    {
        return (Some(format!("{owner}/{name}")), true);
    }
    let by_name = || NAMES.iter().find_map(|name| scalar(call.arguments.get(&[name])?));
    let by_id = || entries().find_map(|(key, value)| is_id(key).then(|| scalar(value)).flatten());
    let found = of_kind.or_else(by_name).or_else(by_id);
    let exact = found.is_some() && kind != ResourceKind::Table;
    (found.or_else(|| listed(call, kind).map(joined)), exact)
}

/// Any argument that could say which ones, where none is called so: `{"prefix": "/"}`, `{"id:in": "1,2"}`.
pub(super) fn whatever(call: &Call<'_>) -> Option<String> {
    const BESIDE: &[&str] =
        &["reason", "comment", "message", "note", "environment", "env", "region", "format", "mode", "type"];
    call.arguments.values.iter().find_map(|(key, value)| (!BESIDE.contains(&&**key)).then(|| scalar(value)).flatten())
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() && text.len() <= 300 && !text.contains('\n') => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(items) if items.len() == 1 => match &items[0] {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        },
        _ => None,
    }
}

/// `space_key`, `repoSlug`, `BucketName`: an argument that says which one.
fn is_id(key: &str) -> bool {
    const ENDS: &[&str] = &["id", "name", "identifier", "key", "slug", "arn", "number", "gid", "ref", "uuid", "code"];
    let words = naming::words(key);
    words.len() > 1 && words.last().is_some_and(|last| ENDS.contains(&&**last))
}

/// A list of things, when the arguments have one.
fn listed<'a>(call: &'a Call<'_>, kind: ResourceKind) -> Option<&'a [Value]> {
    call.arguments.values.iter().find_map(|(key, value)| match value {
        // A message has recipients and attachments; only its numbers say how many messages.
        Value::Array(_) if kind == ResourceKind::Message && !key.to_ascii_lowercase().ends_with("ids") => None,
        Value::Array(items) if items.len() > 1 && (key.ends_with('s') || key.ends_with("List")) => Some(&**items),
        _ => None,
    })
}

/// The names of a list, as one: `i-01, i-02, …`.
fn joined(items: &[Value]) -> String {
    let one = |item: &Value| match item {
        Value::Object(object) => {
            object.get("id").or_else(|| object.get("Id")).or_else(|| object.values().next()).and_then(scalar)
        }
        item => scalar(item),
    };
    let mut names: Vec<String> = items.iter().take(MOST_NAMES).filter_map(one).collect();
    if items.len() > MOST_NAMES {
        names.push("…".to_owned());
    }
    names.join(", ")
}

/// How many things the arguments list, when they do.
pub(super) fn many(call: &Call<'_>, kind: ResourceKind) -> Option<u64> {
    listed(call, kind).map(|items| items.len() as u64)
}

/// A filter that leaves nothing out (`{}`, `""`, `*`, `1=1`), or a star where one thing would be named.
pub(super) fn selects_all(call: &Call<'_>) -> bool {
    const FILTERS: &[&str] =
        &["filter", "where", "query", "condition", "conditions", "predicate", "selector", "match", "pattern"];
    let filter = match call.arguments.get(FILTERS) {
        Some(Value::Object(object)) => object.is_empty() || object.contains_key("match_all"),
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::String(text)) => {
            let plain: String = text.split_whitespace().collect::<String>().to_ascii_lowercase();
            let words: Vec<&str> = text.split_whitespace().collect();
            // Of a key that everything has.
            let any = matches!(words[..], [_, is, not, null] if is.eq_ignore_ascii_case("is")
                && not.eq_ignore_ascii_case("not") && null.eq_ignore_ascii_case("null"));
            any || matches!(&*plain, "" | "*" | "%" | "{}" | "1=1" | "true" | "all" | "1" | ".*")
        }
        _ => false,
    };
    filter || stars(call)
}

/// `ids: ["*"]`, `user_id: "all"`: every one there is.
pub(super) fn stars(call: &Call<'_>) -> bool {
    let every = |text: &str| matches!(text, "*" | "%" | ".*") || text.eq_ignore_ascii_case("all");
    let says = |value: &Value| match value {
        Value::String(text) => every(text),
        Value::Array(items) => items.len() == 1 && items[0].as_str().is_some_and(every),
        _ => false,
    };
    call.arguments.values.iter().any(|(key, value)| {
        let words = naming::words(key);
        let last = words.last().map_or("", |word| word.strip_suffix('s').unwrap_or(word));
        let which =
            matches!(last, "id" | "name" | "key" | "number" | "user" | "member" | "employee" | "target" | "item")
                || naming::noun(last).is_some_and(|noun| noun.0 != ResourceKind::Code);
        which && says(value)
    })
}

/// A star or `all` in whatever place: what is deleted so leaves nothing.
pub(super) fn spares_nothing(call: &Call<'_>) -> bool {
    // What says which part of each thing is shown or kept, and not which things.
    const PARTS: &[&str] =
        &["fields", "columns", "select", "include", "accept", "locale", "region", "namespace", "delimiter"];
    let every = |text: &str| text == "*" || text.eq_ignore_ascii_case("all") || text.eq_ignore_ascii_case("everything");
    call.arguments.values.iter().any(|(key, value)| match value {
        _ if PARTS.contains(&&**key) => false,
        Value::String(text) => every(text),
        Value::Array(items) => items.len() == 1 && items[0].as_str().is_some_and(every),
        _ => false,
    })
}

/// `mode: "mark"`: what the call removes stays until somebody else removes it.
pub(super) fn is_soft(call: &Call<'_>) -> bool {
    let mode = call.arguments.text(&["mode", "strategy", "method", "deletion_mode", "delete_mode", "deletionMode"]);
    mode.is_some_and(|mode| matches!(mode, "mark" | "soft" | "archive" | "trash" | "schedule" | "deactivate"))
        || call.arguments.values.get("soft").is_some_and(|soft| *soft == Value::Bool(true))
}
