//! Tools nobody described: read by the verbs and nouns of their names and by what their arguments are.

use crate::model::{
    Area, Certainty, CodeOrigin, Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Reversibility, Zone,
};

use crate::classify::command::is_protected;
use crate::classify::naming::Meaning;
use crate::classify::{Scene, naming};

use super::audience::{self, recipient};
use super::targets::{self, TABLES};
use super::{Call, code, cypher, meaning, money, placed, program, rights, settings};

/// Finds what can be found by convention.
pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) {
    use Operation as O;
    let meaning = meaning::meaning(call);
    let before = scene.mark();
    if cypher::run(scene, call) {
        return;
    }
    let coded = code::run(scene, call);
    if !coded && program::run(scene, call) {
        return settings::switched(scene, call);
    }
    let Some(meaning) = meaning else {
        if !coded {
            let resource = Resource { unresolved: true, ..Resource::new(ResourceKind::Item, "") };
            note(scene, call, Operation::Unknown, resource, Extent::Unknown);
        }
        if code::program(scene, call).is_none() && !(coded && code::is_terminal(call)) {
            scene.gap(GapKind::UnknownTool, Hides::Anything, call.span(call.name.whole), call.name.whole);
        }
        return;
    };
    if !coded && let Some(text) = code::unspoken(call) {
        return code::unread(scene, call, text);
    }
    // What is selected by a query may be deleted by the call: `{"operation": "delete", "soql": "SELECT …"}`.
    let looks = |effect: &Effect| matches!(effect.operation, O::Read | O::List);
    let only_looks = scene.mark() > before && scene.since(before).iter().all(looks);
    if coded && (scene.mark() > before && !only_looks || !destroys(meaning.operation)) {
        return;
    }
    let everything = only_looks && scene.since(before).iter().any(|effect| effect.extent == Extent::All);
    let meaning = meaning::pressed(call).unwrap_or(meaning);
    let (operation, kind) = settings::applied(call, meaning.operation, meaning.kind);
    settings::beside(scene, call, operation, kind);
    if !placed::elsewhere(scene, call, operation, kind) {
        let mark = scene.mark();
        thing(scene, call, Meaning { operation, kind, ..meaning });
        for effect in scene.since(mark).iter_mut().filter(|effect| everything && destroys(effect.operation)) {
            effect.extent = Extent::All;
        }
    }
}

/// The one effect on the thing that the name and the arguments speak of.
fn thing(scene: &mut Scene<'_>, call: &Call<'_>, meaning: Meaning) {
    use {Operation as O, ResourceKind as K};
    // A file that a service keeps under a number is not one of this machine.
    let kind = match meaning.kind {
        K::File | K::Folder if destroys(meaning.operation) && !call.name.context.contains("filesystem") => K::Object,
        kind => kind,
    };
    let (mut name, exact) = targets::named(call, kind);
    if name.is_none() && kind == K::Item && matches!(meaning.operation, O::Delete | O::Drop) {
        name = targets::whatever(call);
    }
    let count = targets::many(call, kind);
    let operation = as_meant(call, meaning.operation, kind, count);
    let words = naming::words(call.name.last);
    let mut effect = call.effect(operation, Resource::new(kind, name.unwrap_or_default()), Extent::One);
    effect.extent = extent(call, Meaning { operation, kind, ..meaning }, meaning.several && !exact || count.is_some());
    effect.certainty = Certainty::Inferred;
    effect.count = count;
    if kind == K::Branch && is_protected(effect.resource.name.trim_start_matches("refs/").trim_start_matches("heads/"))
    {
        effect.resource.areas = effect.resource.areas.with(Area::Protected);
    }
    if operation == O::Grant && words.iter().any(|word| rights::is_high(word)) {
        // The right stands in the tool's name, not among its arguments.
        effect.resource.name = format!("{} to {}", words.join(" "), effect.resource.name);
    }
    if money::leaves(call, meaning.operation) && matches!(kind, K::Item | K::Role | K::Account) {
        effect.operation = if operation == O::Export { O::Create } else { operation };
        effect.resource = Resource::new(K::Item, format!("money to {}", money::payee(call)));
    }
    if effect.extent == Extent::All
        && matches!(operation, O::Create | O::Export)
        && audience::is_everyone(call, operation)
    {
        effect.resource.kind = K::Message;
    }
    if words.iter().any(|word| matches!(&**word, "trash" | "archive")) && operation == O::Delete {
        let gone = call.arguments.says(&["permanent", "permanently", "hard_delete", "skip_trash", "purge"])
            || words.iter().any(|word| matches!(&**word, "empty" | "purge" | "clear"));
        effect.reversible = if gone { Reversibility::No } else { Reversibility::Yes };
    }
    match effect.operation {
        O::Export => leaves(call, &mut effect, &words),
        O::Fetch => effect.zone = Some(Zone::External),
        O::Execute => effect.code = Some(CodeOrigin::Elsewhere),
        _ => {}
    }
    scene.effect(effect);
}

/// A deletion that is only a mark, a message that leaves, a whole list that is called off.
fn as_meant(call: &Call<'_>, operation: Operation, kind: ResourceKind, count: Option<u64>) -> Operation {
    use {Operation as O, ResourceKind as K};
    const MANY: u64 = 4;
    match operation {
        // It is only marked for deletion, and the mark can be taken off.
        O::Delete | O::Drop if targets::is_soft(call) => O::Update,
        // Posted where people look anyway, or sent to somebody: only the second leaves.
        O::Create if kind == K::Message && recipient(call).is_some_and(|to| to.contains('@')) => O::Export,
        // Money that is sent is a transaction that is made, not data that leaves.
        O::Export if kind == K::Item && (money::is_about(call) || money::leaves(call, operation)) => O::Create,
        // One booking that is cancelled is still there, and says so; a list of them is work for many people.
        O::Update
            if matches!(kind, K::Item | K::Account | K::Message)
                && count.is_some_and(|count| count >= MANY)
                && says(call, "cancel") =>
        {
            O::Delete
        }
        operation => operation,
    }
}

pub(super) fn says(call: &Call<'_>, verb: &str) -> bool {
    naming::words(call.name.last).iter().any(|word| word == verb)
}

fn extent(call: &Call<'_>, meaning: Meaning, several: bool) -> Extent {
    use {Operation as O, ResourceKind as K};
    let operation = meaning.operation;
    let every = || targets::selects_all(call) || call.arguments.says(&["all", "purge_everything", "delete_all"]);
    match operation {
        // `mark_all_as_read`, `close_all_tabs`: it is the same to everybody.
        O::Update if meaning.all && !alters(call) => Extent::Some,
        _ if meaning.all => Extent::All,
        _ if destroys(operation) && (every() || targets::spares_nothing(call)) => Extent::All,
        // To everybody.
        O::Grant if rights::published(&call.arguments.values) || says(call, "public") => Extent::All,
        O::Update | O::Alter | O::Revoke | O::Grant if targets::stars(call) => Extent::All,
        O::Update
            if matches!(meaning.kind, K::Table | K::Item | K::Role | K::Account | K::Object | K::Message)
                && targets::selects_all(call) =>
        {
            Extent::All
        }
        O::Create | O::Export
            if matches!(meaning.kind, K::Message | K::Item) && audience::is_everyone(call, operation) =>
        {
            Extent::All
        }
        O::Delete if meaning.kind == K::Table && call.arguments.text(TABLES).is_some() => Extent::Some,
        O::Create | O::Connect | O::Export => Extent::One,
        _ if several => Extent::Some,
        _ => Extent::One,
    }
}

/// Whether the verb of the name leaves the things other than they were.
fn alters(call: &Call<'_>) -> bool {
    const VERBS: &[&str] = &[
        "update",
        "set",
        "change",
        "modify",
        "edit",
        "patch",
        "replace",
        "overwrite",
        "reset",
        "refund",
        "reschedule",
        "rename",
        "move",
        "exchange",
        "adjust",
        "reassign",
        "assign",
        "archive",
    ];
    // What is closed on a screen is opened again.
    const SHOWN: &[&str] =
        &["tab", "tabs", "window", "windows", "popup", "popups", "dialog", "dialogs", "page", "pages", "file", "files"];
    let words = naming::words(call.name.last);
    words
        .iter()
        .any(|word| VERBS.contains(&&**word) || word == "close" && !words.iter().any(|word| SHOWN.contains(&&**word)))
}

/// Who gets what leaves, and how far away they are.
fn leaves(call: &Call<'_>, effect: &mut Effect, words: &[String]) {
    effect.peer = recipient(call).map(str::to_owned);
    effect.zone = Some(audience::far(effect.peer.as_deref(), effect.resource.kind));
    let dumped = words.iter().any(|word| matches!(&**word, "export" | "dump" | "upload" | "backup"));
    if matches!(effect.resource.kind, ResourceKind::Item | ResourceKind::Role)
        && dumped
        && effect.peer.as_deref().is_some_and(|peer| peer.contains("://") || peer.contains('@'))
    {
        // What a service keeps, sent to an address.
        effect.resource.kind = ResourceKind::Object;
    }
    if effect.resource.kind == ResourceKind::Item && (effect.resource.name.is_empty() || effect.peer.is_none()) {
        effect.resource.kind = ResourceKind::Message;
    }
}

pub(super) fn note(scene: &mut Scene<'_>, call: &Call<'_>, operation: Operation, resource: Resource, extent: Extent) {
    let mut effect: Effect = call.effect(operation, resource, extent);
    effect.certainty = Certainty::Inferred;
    scene.effect(effect);
}

pub(super) fn destroys(operation: Operation) -> bool {
    matches!(operation, Operation::Delete | Operation::Drop | Operation::Disable | Operation::Rewrite | Operation::Stop)
}
