//! `gh api`: a request to GitHub by method and path.

use crate::classify::command::{Stream, call::Call, settle};
use crate::classify::{Scene, Word};
use crate::model::{Certainty, Effect, Extent, Operation, ResourceKind};

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let path = call.operand(0)?;
    let fields = call.value("-f").is_some() || call.value("-F").is_some() || call.value("--input").is_some();
    let method = call.value("-X").map_or(if fields { "POST" } else { "GET" }, |word| &word.text).to_ascii_uppercase();
    let parts: Vec<&str> = path.text.trim_start_matches('/').split(['/', '?']).collect();
    if parts.first() == Some(&"graphql") {
        let query = call.values(|names| names.has("-f") || names.has("-F"));
        let mutates = query
            .iter()
            .any(|word| word.text.strip_prefix("query=").is_some_and(|text| text.trim_start().starts_with("mutation")));
        let deletes = query.iter().any(|word| word.text.contains("delete"));
        let operation = match (mutates, deletes) {
            (true, true) => Operation::Delete,
            (true, false) => Operation::Update,
            _ => Operation::List,
        };
        let kind = if mutates { ResourceKind::Item } else { ResourceKind::Repository };
        super::note(scene, call, Some(Effect::new(operation, settle::named(kind, &Word::default()))));
        return None;
    }
    let repository = match parts[..] {
        ["repos", owner, name, ..] => Some(format!("{owner}/{name}")),
        _ => None,
    };
    let named =
        |text: &str| Word { text: text.to_owned(), span: path.span, unknown: path.unknown.clone(), ..Word::default() };
    let mut effect = match (&*method, &parts[..]) {
        ("GET" | "HEAD", _) => {
            let name = repository.unwrap_or_else(|| path.text.clone());
            Effect::new(Operation::List, settle::named(ResourceKind::Repository, &named(&name)))
        }
        ("DELETE", ["repos", owner, name]) => {
            let mut effect = Effect::new(
                Operation::Drop,
                settle::named(ResourceKind::Repository, &named(&format!("{owner}/{name}"))),
            );
            effect.extent = Extent::All;
            effect
        }
        ("DELETE", ["repos", _, _, "git", "refs", rest @ ..]) => {
            let branch = rest.get(1..).unwrap_or_default().join("/");
            Effect::new(Operation::Delete, settle::named(ResourceKind::Branch, &named(&branch)))
        }
        ("DELETE", ["repos", _, _, "branches", branch, "protection", ..]) => {
            Effect::new(Operation::Disable, settle::named(ResourceKind::Safeguard, &named(branch)))
        }
        ("PATCH", ["repos", _, _, "git", "refs", rest @ ..]) => {
            let branch = rest.get(1..).unwrap_or_default().join("/");
            Effect::new(Operation::Rewrite, settle::named(ResourceKind::Branch, &named(&branch)))
        }
        (method, _) => {
            let operation = match method {
                "DELETE" => Operation::Delete,
                "PUT" | "PATCH" => Operation::Update,
                _ => Operation::Create,
            };
            Effect::new(operation, settle::named(ResourceKind::Item, &named(&path.text)))
        }
    };
    if !path.is_known() {
        effect.certainty = Certainty::Inferred;
    }
    effect.span = path.span;
    super::note(scene, call, Some(effect));
    None
}
