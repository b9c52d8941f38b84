//! What a call does to what kind of thing: by its name, by an argument that says so, by what is pressed on a page.

use serde_json::Value;

use crate::classify::naming::{self, Meaning};
use crate::model::{Operation, ResourceKind};

use super::unlisted::{destroys, says};
use super::{Call, guards};

/// What the name says, or, where one tool does everything, an argument.
pub(super) fn meaning(call: &Call<'_>) -> Option<Meaning> {
    if let Some(kind) = guards::lets_in(call) {
        return Some(Meaning { operation: Operation::Disable, kind, several: false, all: false });
    }
    let named = naming::meaning(call.name.last, call.name.context);
    let words = naming::words(call.name.last);
    // `list_events {"action": "delete"}` looks for those that deleted; `manage_events` deletes.
    let asks = words.first().is_some_and(|first| {
        matches!(naming::verb(first), Some(Operation::Read | Operation::List | Operation::Fetch))
            && naming::noun(first).is_none()
    });
    let argued = by_argument(call).filter(|meaning| {
        // What is called off is still there, and says so.
        let lasting = destroys(meaning.operation) && meaning.operation != Operation::Stop;
        named.is_none() || !asks && (lasting || meaning.operation == Operation::Grant)
    });
    argued.or(named).or_else(|| listing(&words))
}

/// A name without a verb that ends in a plural lists them: `browser_network_requests`, `maps_directions`.
fn listing(words: &[String]) -> Option<Meaning> {
    let last = words
        .last()
        .filter(|last| words.len() > 1 && last.len() > 4 && last.ends_with('s') && !last.ends_with("ss"))?;
    let kind = naming::noun(last).map_or(ResourceKind::Item, |noun| noun.0);
    Some(Meaning { operation: Operation::List, kind, several: true, all: false })
}

/// `manage_records {"action": "delete"}`: one tool for everything says in an argument what it is to do.
fn by_argument(call: &Call<'_>) -> Option<Meaning> {
    const VERBS: &[&str] = &[
        "action",
        "operation",
        "op",
        "command",
        "verb",
        "method",
        "run_type",
        "operation_type",
        "action_type",
        "request_type",
    ];
    let verb = match call.arguments.get(VERBS)? {
        Value::String(verb) => verb,
        // The commands of a document database: `{"drop": "orders"}`.
        Value::Object(command) => command.keys().next()?,
        _ => return None,
    };
    let word = !verb.is_empty()
        && verb.len() <= 40
        && verb.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let stem = call.name.last.strip_prefix("manage_").or_else(|| call.name.last.strip_prefix("manage"));
    naming::meaning(&format!("{verb}_{}", stem.unwrap_or(call.name.last)), call.name.context).filter(|_| word)
}

/// `browser_click {"element": "Delete repository button"}`: what is pressed says what happens. One thing in a page is
/// removed all day; what holds others, and money, is not.
pub(super) fn pressed(call: &Call<'_>) -> Option<Meaning> {
    says(call, "click").then_some(())?;
    let label = call.arguments.text(&["element", "text", "label", "description", "selector", "name"])?;
    let plain: String = label.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '_' }).collect();
    let words = naming::words(&plain);
    let has = |names: &[&str]| words.iter().any(|word| names.contains(&&**word));
    if has(&["transfer", "pay", "send", "withdraw", "wire"]) && label.contains(['$', '€', '£']) {
        return Some(Meaning { operation: Operation::Create, kind: ResourceKind::Account, several: false, all: false });
    }
    naming::meaning(&plain, "").filter(|meaning| meaning.operation == Operation::Drop)
}
