//! `grpcurl host:port package.Service/DeleteThing`: the method's name says what is asked.

use crate::classify::command::{Stream, call::Call, places, settle};
use crate::classify::{Scene, naming};
use crate::model::{Certainty, Effect, Extent, GapKind, Hides, Operation, PlaceKind, Resource, ResourceKind};

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let (host, method) = match (call.operand(0), call.operand(1)) {
        (Some(host), Some(method)) => (host, method),
        (Some(host), None) => {
            super::note(
                scene,
                call,
                Some(Effect::new(Operation::Connect, settle::named(ResourceKind::Endpoint, host))),
            );
            return None;
        }
        _ => return None,
    };
    // `list`, `describe` and the like.
    let path = method.text.replace('/', ".");
    let (service, name) = path.rsplit_once('.').unwrap_or(("", &path));
    let effect = match naming::meaning(name, service) {
        Some(meaning) => {
            let mut effect = Effect::new(meaning.operation, Resource::new(meaning.kind, method.text.clone()));
            effect.extent = if meaning.all { Extent::All } else { Extent::One };
            effect
        }
        None => {
            scene.gap(GapKind::UnknownStatement, Hides::Anything, method.span, method.text.clone());
            Effect::new(Operation::Unknown, Resource::new(ResourceKind::Item, method.text.clone()))
        }
    };
    let name = host.text.rsplit_once(':').map_or(&*host.text, |(name, _)| name);
    let mut effect = Effect { certainty: Certainty::Inferred, span: method.span, ..effect };
    places::add(PlaceKind::Host, name, &mut effect.places);
    if matches!(effect.operation, Operation::Fetch | Operation::Export) || name == "localhost" {
        effect.zone = Some(settle::zone(&host.text));
    }
    super::note(scene, call, Some(effect));
    None
}
