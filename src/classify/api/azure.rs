//! Azure: `Microsoft.Compute/virtualMachines/delete` with the `resourceId` it was asked for.

use serde_json::{Map, Value};

use super::Call;
use super::options::Options;

/// The words of a call: the provider, the types from the outermost inwards, the verb; all in lower case, because
/// Azure does not keep to one case.
pub(super) fn call(name: &str, values: &Map<String, Value>) -> Option<Call> {
    let (provider, rest) = name.split_once('/')?;
    if !provider.contains('.') || provider.contains(':') || rest.is_empty() {
        return None;
    }
    let words: Vec<String> = name.split('/').map(str::to_ascii_lowercase).collect();
    let mut options = Options::dotted(values);
    let id = options.value("--resourceId").unwrap_or_default().to_owned();
    let parts: Vec<&str> = id.split('/').collect();
    let behind = |word: &str| {
        let at = parts.iter().position(|part| part.eq_ignore_ascii_case(word))?;
        parts.get(at + 1).copied().filter(|value| !value.is_empty())
    };
    let which = match (behind("resourceGroups"), behind("providers"), parts.last()) {
        (Some(group), Some(_), Some(last)) => format!("{group}/{last}"),
        (Some(group), ..) => group.to_owned(),
        (None, _, Some(last)) => (*last).to_owned(),
        (None, _, None) => String::new(),
    };
    for (option, value) in [("--which", Some(&*which)), ("--subscription", behind("subscriptions"))] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            options.push(option.to_owned(), Some(value.to_owned()));
        }
    }
    Some(Call { programs: &["api:azure"], words, options, runs: Vec::new() })
}
