//! Secrets that a request carries out: written out in the address, a header or the body, or by a variable's name.

use crate::classify::{Scene, secrets};
use crate::model::{Certainty, Extent, Operation, Resource, ResourceKind, Zone};

use super::Noted;

/// Notes every secret that goes to somebody else than the service it belongs to. Nothing leaves to hosts of one's own.
pub(super) fn secrets(scene: &mut Scene<'_>, noted: &Noted<'_>) {
    let (address, body) = (noted.address, &noted.request.body);
    if !matches!(address.zone, Zone::External | Zone::Unknown) || address.host.is_empty() {
        return;
    }
    let host = &address.host;
    let written = [(&*noted.request.url.text, false), (body.text.unwrap_or(""), false)];
    let headers = body.headers.iter().map(|header| (*header, true));
    let mut found = Vec::new();
    for (text, logs_in) in written.into_iter().chain(headers) {
        let secret = secrets::first(text).filter(|secret| !secrets::belongs(secret.rule, host, logs_in));
        found.extend(secret.map(|secret| secret.rule.to_owned()));
    }
    // In a header a variable is how one logs in; in a body or an address it is sent.
    found.extend(
        body.variables.iter().filter(|name| secrets::variable_leaves(name, host)).map(|name| (*name).to_owned()),
    );
    found.dedup();
    for name in found {
        let resource = Resource::new(ResourceKind::Secret, name);
        noted.note(scene, Operation::Export, resource, Extent::One, Certainty::Exact);
    }
}
