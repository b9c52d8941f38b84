//! Keys and tokens that a command says to others: in a message, or in what it sends.

use crate::classify::command::Stream;
use crate::classify::{Scene, Word};
use crate::model::{Effect, Extent, Operation, Resource, ResourceKind, Span, Zone};

/// Programs whose requests are looked at one by one, where it is known whose the key is.
const LOOKED_AT: &[&str] = &["curl", "wget", "wget2", "http", "https", "xh", "xhs", "curlie", "gh api"];

/// Notes a key that stands in the words of a command, or on its standard input, when what it did since `mark` puts
/// them before others.
pub(in crate::classify) fn in_command(
    scene: &mut Scene<'_>,
    words: &[Word],
    stdin: &Stream,
    span: Option<Span>,
    mark: usize,
) {
    let goes_out = |effect: &&mut Effect| {
        let leaves = effect.operation == Operation::Export
            && matches!(effect.zone, Some(Zone::External | Zone::Unknown))
            && effect.resource.kind != ResourceKind::Repository;
        let said = effect.resource.kind == ResourceKind::Message
            && matches!(effect.operation, Operation::Create | Operation::Update);
        (leaves || said) && !LOOKED_AT.contains(&&*effect.by)
    };
    let Some(effect) = scene.since(mark).iter_mut().find(goes_out).map(|effect| effect.clone()) else { return };
    let given = stdin.text.iter().map(|(text, _)| &**text);
    let texts = words.iter().skip(1).map(|word| &*word.text).chain(given);
    let host = effect.peer.clone().unwrap_or_default();
    let Some(secret) =
        texts.filter_map(super::first).find(|secret| host.is_empty() || !super::belongs(secret.rule, &host, false))
    else {
        return;
    };
    let resource = Resource::new(ResourceKind::Secret, secret.rule);
    let zone = effect.zone.or(Some(Zone::External));
    scene.effect(Effect { operation: Operation::Export, resource, extent: Extent::One, span, zone, ..effect });
}
