//! Lines sent to the console of a running service: HAProxy's admin socket (`socat`, `nc -U`), `nsupdate`.

use crate::classify::Scene;
use crate::classify::command::{Stream, call::Call};
use crate::model::{Effect, Operation, Resource, ResourceKind};

/// What HAProxy's commands are about; other words are somebody else's protocol.
const THINGS: &[&str] = &[
    "acl",
    "agent",
    "counters",
    "dynamic-cookie",
    "frontend",
    "health",
    "map",
    "maxconn",
    "rate-limit",
    "server",
    "session",
    "sessions",
    "ssl",
    "table",
    "weight",
];

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let text = call.invocation.stdin.text.as_ref().map(|(text, _)| text.clone()).unwrap_or_default();
    for line in text.split(['\n', ';']).take(256) {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let Some((operation, kind, name)) = meaning(&words) else { continue };
        let mut effect = Effect::new(operation, Resource::new(kind, name));
        effect.by = format!("{} {}", call.by, words.iter().take(2).copied().collect::<Vec<_>>().join(" "));
        effect.span = call.invocation.span;
        scene.effect(effect);
    }
    None
}

fn meaning<'w>(words: &[&'w str]) -> Option<(Operation, ResourceKind, &'w str)> {
    let name = words.iter().skip(2).copied().find(|word| !word.starts_with('#')).unwrap_or_default();
    match words {
        ["update", "delete", record, ..] => Some((Operation::Delete, ResourceKind::Network, record)),
        ["update", "add", record, ..] => Some((Operation::Alter, ResourceKind::Network, record)),
        [_, thing, ..] if !THINGS.contains(thing) => None,
        ["disable" | "shutdown", ..] => Some((Operation::Stop, ResourceKind::Service, name)),
        ["set", .., "maint" | "drain" | "down" | "0" | "0%"] => Some((Operation::Stop, ResourceKind::Service, name)),
        ["set" | "enable" | "add", ..] => Some((Operation::Alter, ResourceKind::Service, name)),
        ["del" | "clear", thing, ..] => {
            Some((Operation::Delete, ResourceKind::Item, if name.is_empty() { thing } else { name }))
        }
        _ => None,
    }
}
