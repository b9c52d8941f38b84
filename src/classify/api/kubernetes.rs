//! Kubernetes: `kubernetes:create:pods/exec` with `namespace`, `name`, `command`, `object` and what the request's query says.

use serde_json::{Map, Value};

use super::Call;
use super::options::Options;

/// The words of a call: the verb, the resource with its subresource.
pub(super) fn call(name: &str, values: &Map<String, Value>) -> Option<Call> {
    let rest = name.strip_prefix("kubernetes:").or_else(|| name.strip_prefix("k8s:"))?;
    let (verb, resource) = rest.split_once(':').unwrap_or((rest, ""));
    let mut options = Options::dotted(values);
    let scope = match (values.get("namespace"), values.get("name")) {
        (Some(Value::String(namespace)), Some(Value::String(name))) => format!("{namespace}/{name}"),
        (Some(Value::String(namespace)), _) => format!("{namespace}/"),
        (_, Some(Value::String(name))) => name.clone(),
        _ => String::new(),
    };
    if !scope.is_empty() {
        options.push("--which".to_owned(), Some(scope));
    }
    if !resource.is_empty() {
        options.push("--resource".to_owned(), Some(resource.to_owned()));
    }
    let runs = if resource.ends_with("/exec") { words(values.get("command")) } else { Vec::new() };
    // The program may have a command of its own; `sh -c` is code that the classifier reads.
    options.given.retain(|(name, _)| name != "--command");
    let resource = if resource.is_empty() { "-" } else { resource };
    Some(Call { programs: &["api:kubernetes"], words: vec![verb.to_owned(), resource.to_owned()], options, runs })
}

fn words(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(word)) => vec![word.clone()],
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
