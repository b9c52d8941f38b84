//! SQL that a request carries to a database: `{"sql": "drop table t"}`, ClickHouse's bare body, `?query=DROP …`.

use crate::classify::{Language, Scene, tool};
use crate::model::{Place, PlaceKind};

use super::Noted;

/// Statements read out of one body.
const MOST: usize = 64;

/// Hands on the statements of a request that changes something; `false` when it carries none.
pub(super) fn known(scene: &mut Scene<'_>, noted: &Noted<'_>) -> bool {
    let text = noted.request.body.text.unwrap_or("");
    if noted.method != "POST" && noted.method != "PUT" || is_search(&noted.address.path) {
        return false;
    }
    let mut found = Vec::new();
    if is_statement(text) {
        found.push(text.to_owned());
    } else if text.trim_start().starts_with(['{', '[']) {
        if let Ok(body) = serde_json::from_str::<serde_json::Value>(text) {
            strings(&body, false, 0, &mut found);
        }
    } else {
        found.extend(fields(text));
    }
    found.extend(fields(&noted.address.query));
    if found.is_empty() {
        return false;
    }
    let host = noted.address.host.clone();
    scene.scoped(|scene| {
        if !host.is_empty() {
            scene.places.push(Place { kind: PlaceKind::Host, name: host });
        }
        for statement in &found {
            scene.run_word(Language::Sql, statement, noted.request.span);
        }
    });
    true
}

/// The values of `query=`, `q=`, `sql=` that are SQL.
fn fields(text: &str) -> impl Iterator<Item = String> {
    text.split('&').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let value = value.replace('+', " ").replace("%20", " ");
        (is_key(name) && is_statement(&value)).then_some(value)
    })
}

fn strings(value: &serde_json::Value, wanted: bool, depth: usize, found: &mut Vec<String>) {
    if depth > 6 || found.len() >= MOST {
        return;
    }
    match value {
        serde_json::Value::String(text) if wanted && is_statement(text) => found.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| strings(item, wanted, depth + 1, found)),
        serde_json::Value::Object(object) => {
            object.iter().for_each(|(key, value)| strings(value, is_key(key), depth + 1, found));
        }
        _ => {}
    }
}

/// What is searched for is text, whatever words it has.
fn is_search(path: &str) -> bool {
    path.trim_end_matches('/').rsplit('/').next().is_some_and(|last| last.to_ascii_lowercase().contains("search"))
}

/// Prose begins with such words as well: `{"query": "select a hotel"}`.
fn is_statement(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let reads =
        ["select", "with", "call", "copy", "explain", "begin"].iter().any(|word| lower.trim_start().starts_with(word));
    tool::starts_as_sql(text)
        && text.split_whitespace().nth(2).is_some()
        && (!reads || lower.contains(" from ") || lower.contains(" into ") || lower.contains("delete "))
}

fn is_key(name: &str) -> bool {
    matches!(name, "q" | "query" | "sql" | "statement" | "statements" | "stmt" | "queries" | "sqlText" | "command")
}

#[cfg(test)]
mod tests {
    use super::{is_search, is_statement};

    #[test]
    fn prose_is_no_statement() {
        assert!(is_statement("DROP TABLE orders"));
        assert!(is_statement("select a from b"));
        assert!(!is_statement("select a hotel near me"));
        assert!(!is_statement("with breakfast"));
    }

    #[test]
    fn searches_carry_no_statements() {
        assert!(is_search("/_search"));
        assert!(is_search("/api/multi-search/"));
        assert!(!is_search("/v1/sql"));
    }
}
