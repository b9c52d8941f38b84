//! GraphQL requests: mutations are read by their names.

use crate::model::{Certainty, Extent, GapKind, Hides, Operation, Resource, ResourceKind};

use crate::classify::{Scene, naming};

use super::Noted;

/// Reads the request as GraphQL when it is; `false` when it is something else.
pub(super) fn known(scene: &mut Scene<'_>, noted: &Noted<'_>) -> bool {
    let Some(text) = noted.request.body.text else { return false };
    let at_graphql = noted.address.path_segments().any(|part| part.contains("graphql") || part == "gql");
    let Some(query) = query_text(text).filter(|query| at_graphql || query.trim_start().starts_with("mutation")) else {
        return false;
    };
    let variables = variables(text);
    let fields = mutations(&query);
    if fields.is_empty() {
        if query.contains("mutation") {
            scene.gap(GapKind::Unparsed, Hides::Anything, noted.request.span, "graphql mutation");
        }
        noted.note(scene, Operation::Fetch, noted.address.endpoint(), Extent::One, Certainty::Exact);
        return true;
    }
    for (field, arguments) in fields {
        match naming::meaning(field, "") {
            Some(meaning) => {
                let rows = rows(field, &arguments);
                let kind = if rows.is_some() { ResourceKind::Table } else { meaning.kind };
                let name = rows.map(|(table, _)| table.to_owned()).or_else(|| argument(&arguments)).unwrap_or_default();
                let given = name.strip_prefix('$').and_then(|name| match variables.get(name)? {
                    serde_json::Value::String(text) => Some(text.clone()),
                    serde_json::Value::Number(number) => Some(number.to_string()),
                    _ => None,
                });
                let mut resource = Resource::new(kind, given.unwrap_or(name));
                resource.unresolved = resource.name.is_empty() || resource.name.starts_with('$');
                let extent = match rows {
                    Some((_, extent)) => extent,
                    None if meaning.all => Extent::All,
                    None => Extent::One,
                };
                noted.note(scene, meaning.operation, resource, extent, Certainty::Inferred);
            }
            None => {
                let resource = noted.address.item(ResourceKind::Item);
                noted.note(scene, Operation::Update, resource, Extent::Unknown, Certainty::Inferred);
                scene.gap(GapKind::UnknownStatement, Hides::Anything, noted.request.span, field);
            }
        }
    }
    true
}

/// The variables that stand beside the query.
fn variables(body: &str) -> serde_json::Map<String, serde_json::Value> {
    match serde_json::from_str(body) {
        Ok(serde_json::Value::Object(mut object)) => match object.remove("variables") {
            Some(serde_json::Value::Object(variables)) => variables,
            _ => serde_json::Map::new(),
        },
        _ => serde_json::Map::new(),
    }
}

/// The query of a JSON body, or the body itself when it is one.
fn query_text(body: &str) -> Option<String> {
    let trimmed = body.trim_start();
    if trimmed.starts_with('{')
        && let Ok(serde_json::Value::Object(object)) = serde_json::from_str(trimmed)
    {
        return object.get("query")?.as_str().map(str::to_owned);
    }
    // A body built in a shell string is often no valid JSON any more; its words are.
    (trimmed.contains("mutation") || trimmed.starts_with("query"))
        .then(|| body.replace("\\n", " ").replace("\\\"", "\""))
}

/// `delete_orders(where: {})` of Hasura and PostGraphile: rows of a table, all of them when nothing is asked of them.
fn rows<'f>(field: &'f str, arguments: &str) -> Option<(&'f str, Extent)> {
    let table = field.strip_prefix("delete_").or_else(|| field.strip_prefix("update_"))?;
    let plain: String = arguments.split_whitespace().collect();
    let from = plain.find("where:")?;
    let all = plain[from..].starts_with("where:{}");
    Some((table, if all { Extent::All } else { Extent::Some }))
}

/// The outermost fields of all mutations, each with its arguments as written.
fn mutations(query: &str) -> Vec<(&str, String)> {
    const MOST: usize = 64;
    let mut found = Vec::new();
    let mut rest = query;
    while let Some(at) = rest.find("mutation") {
        rest = &rest[at + "mutation".len()..];
        let Some(open) = rest.find('{') else { break };
        let body = &rest[open + 1..];
        let (mut braces, mut brackets, mut word) = (1_usize, 0_usize, None::<usize>);
        let mut end = body.len();
        for (at, byte) in body.bytes().enumerate() {
            let named = byte.is_ascii_alphanumeric() || byte == b'_';
            if named {
                word.get_or_insert(at);
            } else if let Some(start) = word.take()
                && braces == 1
                && brackets == 0
                && byte != b':'
                && !body[..start].trim_end().ends_with(['$', '@'])
                && found.len() < MOST
            {
                found.push((&body[start..at], arguments(&body[at..])));
            }
            match byte {
                b'{' => braces += 1,
                b'}' => braces -= 1,
                b'(' => brackets += 1,
                b')' => brackets = brackets.saturating_sub(1),
                _ => {}
            }
            if braces == 0 {
                end = at;
                break;
            }
        }
        rest = body.get(end..).unwrap_or("");
    }
    found
}

fn arguments(after: &str) -> String {
    let Some(inside) = after.trim_start().strip_prefix('(') else { return String::new() };
    inside[..inside.find(')').unwrap_or(inside.len())].to_owned()
}

/// The first text or variable among the arguments.
fn argument(arguments: &str) -> Option<String> {
    let start = arguments.find('"').map(|at| at + 1).or_else(|| arguments.find('$'))?;
    let value = &arguments[start..];
    let end = value.find(['"', ',', ' ', '}']).unwrap_or(value.len());
    Some(value[..end].to_owned())
}
