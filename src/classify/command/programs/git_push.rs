//! `git push`: what each refspec does to which branch of the other side.

use crate::classify::command::{Stream, call::Call, settle};
use crate::classify::{Scene, Word};
use crate::model::{Effect, Extent, Operation, Resource, ResourceKind, Reversibility, Zone};

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let remote = call.value("--repo").or_else(|| call.operand(0)).map_or("origin", |word| &word.text);
    let lease =
        call.flag("--force-with-lease") || call.parsed.options.iter().any(|o| o.names.has("--force-with-lease"));
    let whole = ["--mirror", "--all", "--tags"].iter().any(|name| call.flag(name));
    let specs: Vec<Word> = call.operands().skip(1).filter(|word| word.text != "tag").cloned().collect();
    let specs = if specs.is_empty() { vec![Word::default()] } else { specs };
    for spec in &specs {
        let plus = spec.text.starts_with('+');
        let refs = spec.tail(usize::from(plus));
        let (source, target) = match refs.text.split_once(':') {
            Some((source, _)) => (source, refs.tail(source.len() + 1)),
            None => (&*refs.text, refs.clone()),
        };
        let deletes = call.flag("-d") || source.is_empty() && refs.text.contains(':') && !target.text.is_empty();
        let target = short(&target);
        let forced = call.flag("-f") || plus || call.flag("--mirror");
        let operation = if deletes {
            Operation::Delete
        } else if forced || lease {
            Operation::Rewrite
        } else {
            Operation::Update
        };
        let mut effect = Effect::new(operation, settle::named(ResourceKind::Branch, &target));
        effect.guard_off = forced && operation == Operation::Rewrite;
        if whole || target.text.contains('*') {
            effect.extent = Extent::All;
        }
        effect.reversible = match operation {
            // What was there is looked at first: nobody else's work is lost.
            Operation::Rewrite if !forced => Reversibility::Yes,
            Operation::Update => Reversibility::Yes,
            _ => Reversibility::Unknown,
        };
        dress(&mut effect, remote);
        effect.span = spec.span.or(call.head);
        super::note(scene, call, Some(effect));
    }
    if call.flag("--prune") {
        let mut effect = Effect::new(Operation::Delete, Resource::new(ResourceKind::Branch, ""));
        effect.extent = Extent::Some;
        dress(&mut effect, remote);
        super::note(scene, call, Some(effect));
    }
    if is_address(remote) {
        let mut effect = Effect::new(Operation::Export, Resource::new(ResourceKind::Repository, ""));
        dress(&mut effect, remote);
        effect.zone = Some(settle::zone(remote));
        super::note(scene, call, Some(effect));
    }
    None
}

/// The other side is part of what an effect is about, but only an address says how far it is.
fn dress(effect: &mut Effect, remote: &str) {
    effect.peer = Some(remote.to_owned());
    effect.zone = is_address(remote).then(|| settle::zone(remote)).filter(|zone| *zone != Zone::Unknown);
}

fn is_address(remote: &str) -> bool {
    remote.contains("://") || remote.contains('@') && remote.contains(':')
}

fn short(target: &Word) -> Word {
    match target.text.strip_prefix("refs/heads/").or_else(|| target.text.strip_prefix("refs/tags/")) {
        Some(rest) => target.tail(target.text.len() - rest.len()),
        None => target.clone(),
    }
}
