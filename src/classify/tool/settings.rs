//! What the arguments make of a call: scaled to nothing, a protection off, open to everybody; and what it does besides.

use serde_json::Value;

use crate::classify::{Scene, naming};
use crate::model::{Extent, Operation, Resource, ResourceKind, Zone};

use super::audience::{self, recipient};
use super::targets::TABLES;
use super::unlisted::{destroys, note, says};
use super::{Call, guards, rights};

/// What the arguments make of it: scaled to nothing, a protection off, open to everybody.
pub(super) fn applied(call: &Call<'_>, operation: Operation, kind: ResourceKind) -> (Operation, ResourceKind) {
    use {Operation as O, ResourceKind as K};
    let values = &call.arguments.values;
    let settles = matches!(operation, O::Create | O::Update | O::Alter);
    let kind = match kind {
        // `delete_many(collection, filter)`: the arguments say what the things are kept in.
        K::Item if call.arguments.text(TABLES).is_some() => K::Table,
        // The records of a shop or a directory are no rows of a table that anybody named.
        K::Table if call.arguments.text(TABLES).is_none() && of_a_service(call) => K::Item,
        // A workflow that a service keeps is nowhere else.
        K::Code if destroys(operation) && !says(call, "task") => K::Item,
        // A function that a service runs is not one of a database.
        K::Routine if destroys(operation) && call.dialect().is_none() => K::Workload,
        kind => kind,
    };
    let words = naming::words(call.name.last);
    let has = |names: &[&str]| words.iter().any(|word| names.contains(&&**word));
    match kind {
        _ if matches!(operation, O::Disable | O::Delete | O::Stop)
            && words.iter().any(|word| guards::is_protection(word)) =>
        {
            (O::Disable, K::Safeguard)
        }
        // A machine that is set up anew loses what was on it.
        K::Server | K::Instance | K::Host if operation == O::Create && has(&["rebuild", "reimage", "reinstall"]) => {
            (O::Drop, K::Instance)
        }
        // Where a name leads from now on.
        K::Network
            if matches!(operation, O::Alter | O::Update)
                && has(&["dns", "nameserver", "nameservers", "rrset", "recordset"]) =>
        {
            (O::Update, kind)
        }
        K::Workload | K::Stack if operation == O::Update && has(&["rollback", "revert"]) => (O::Rewrite, kind),
        K::Role
            if settles
                && rights::published(values)
                && naming::words(call.name.whole)
                    .iter()
                    .any(|word| matches!(&**word, "iam" | "policy" | "acl" | "permission" | "permissions")) =>
        {
            (O::Grant, kind)
        }
        K::Item | K::Endpoint | K::Object | K::File | K::Folder
            if operation == O::Create && has(&["share", "sharing", "shared", "link"]) && rights::published(values) =>
        {
            (O::Grant, K::Object)
        }
        _ if stops(call, operation, kind) => (O::Stop, if kind == K::Item { K::Workload } else { kind }),
        _ if settles && guards::forgets(call) => (O::Disable, K::Safeguard),
        K::Safeguard if (settles || operation == O::Grant) && guards::weakens(values) => (O::Disable, kind),
        // Whoever gets the mail from now on reads it.
        _ if audience::forwards(call, kind, operation) => (O::Grant, K::Role),
        // The sharing of a site.
        K::Endpoint if matches!(operation, O::Update | O::Alter) && rights::published(values) => (O::Grant, K::Object),
        // A new thing is public on purpose; one that was not is open from now on.
        K::Repository
        | K::Bucket
        | K::Object
        | K::File
        | K::Folder
        | K::Item
        | K::Account
        | K::Database
        | K::Instance
        | K::Backup
        | K::Image
            if matches!(operation, O::Update | O::Alter) && rights::published(values) =>
        {
            (O::Grant, if matches!(kind, K::Item | K::File | K::Folder) { K::Object } else { kind })
        }
        K::Branch if operation == O::Update && call.arguments.says(&["force"]) => (O::Rewrite, kind),
        _ => (operation, kind),
    }
}

/// `salesforce.delete_records`: neither a table nor a database is spoken of.
fn of_a_service(call: &Call<'_>) -> bool {
    let words = naming::words(call.name.whole);
    let has = |names: &[&str]| words.iter().any(|word| names.contains(&&**word));
    has(&["record", "records"])
        && !has(&["table", "tables", "sql", "db", "database", "collection", "collections", "row", "rows"])
        && call.dialect().is_none()
}

/// Scaling to nothing is stopping.
fn stops(call: &Call<'_>, operation: Operation, kind: ResourceKind) -> bool {
    let runs =
        matches!(kind, ResourceKind::Workload | ResourceKind::Node | ResourceKind::Instance | ResourceKind::Service)
            || kind == ResourceKind::Item && call.arguments.get(&["replicas", "desired_count"]).is_some();
    let count = call.arguments.get(&["replicas", "desired_count", "desired_capacity", "instances", "count", "size"]);
    runs && matches!(operation, Operation::Alter | Operation::Update) && count.and_then(Value::as_i64) == Some(0)
}

/// What the call does besides: a right given with an account, a check left out, a key handed over.
pub(super) fn beside(scene: &mut Scene<'_>, call: &Call<'_>, operation: Operation, kind: ResourceKind) {
    let changes = matches!(operation, Operation::Update | Operation::Create | Operation::Alter);
    if kind == ResourceKind::Role
        && changes
        && let Some(right) = rights::high(call)
    {
        note(scene, call, Operation::Grant, Resource::new(kind, right), Extent::One);
    }
    let looks = matches!(operation, Operation::Read | Operation::List | Operation::Fetch | Operation::Connect);
    // A new thing may well be made without; only what is passed by was there before.
    if !looks && (operation != Operation::Create || call.arguments.values.keys().any(|key| key.starts_with("bypass"))) {
        switched(scene, call);
    }
    let public = matches!(kind, ResourceKind::Message | ResourceKind::Endpoint) || operation == Operation::Export;
    if public && (changes || operation == Operation::Export) {
        let texts = call.arguments.values.values().filter_map(Value::as_str);
        if let Some(secret) = texts.filter_map(crate::classify::secrets::first).next() {
            let mut effect =
                call.effect(Operation::Export, Resource::new(ResourceKind::Secret, secret.rule), Extent::One);
            effect.peer = recipient(call).map(str::to_owned);
            effect.zone = Some(Zone::External);
            scene.effect(effect);
        }
    }
}

/// A protection that an argument switches off.
pub(super) fn switched(scene: &mut Scene<'_>, call: &Call<'_>) {
    if let Some(key) = guards::switched_off(&call.arguments.values) {
        note(scene, call, Operation::Disable, Resource::new(ResourceKind::Safeguard, key), Extent::One);
    }
}
