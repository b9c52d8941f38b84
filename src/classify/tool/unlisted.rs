//! Tools nobody described: read by the verbs and nouns of their names and by what their arguments are.

use serde_json::Value;

use crate::model::{
    Area, Certainty, CodeOrigin, Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Reversibility, Zone,
};

use crate::classify::command::is_protected;
use crate::classify::naming::Meaning;
use crate::classify::{Scene, http, naming, paths};

use super::audience::{self, recipient};
use super::targets::{self, TABLES};
use super::{Call, code, guards, money, program, rights};

/// Finds what can be found by convention.
pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) {
    let meaning = meaning(call);
    let before = scene.mark();
    let coded = code::run(scene, call);
    if !coded && program::run(scene, call) {
        return;
    }
    let Some(meaning) = meaning else {
        if !coded {
            let resource = Resource { unresolved: true, ..Resource::new(ResourceKind::Item, "") };
            note(scene, call, Operation::Unknown, resource, Extent::Unknown);
        }
        if code::program(scene, call).is_none() {
            scene.gap(GapKind::UnknownTool, Hides::Anything, call.span(call.name.whole), call.name.whole);
        }
        return;
    };
    if coded && (scene.mark() > before || !destroys(meaning.operation)) {
        return;
    }
    let meaning = pressed(call).unwrap_or(meaning);
    let (operation, kind) = by_settings(call, meaning.operation, meaning.kind);
    beside(scene, call, operation, kind);
    if !elsewhere(scene, call, operation, kind) {
        thing(scene, call, Meaning { operation, kind, ..meaning });
    }
}

/// What the name says, or, where one tool does everything, an argument.
fn meaning(call: &Call<'_>) -> Option<Meaning> {
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
    argued.or(named)
}

/// `manage_records {"action": "delete"}`: one tool for everything says in an argument what it is to do.
fn by_argument(call: &Call<'_>) -> Option<Meaning> {
    let verb = call.arguments.text(&["action", "operation", "op", "command", "verb", "method"])?;
    let word = !verb.is_empty()
        && verb.len() <= 40
        && verb.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let stem = call.name.last.strip_prefix("manage_").or_else(|| call.name.last.strip_prefix("manage"));
    naming::meaning(&format!("{verb}_{}", stem.unwrap_or(call.name.last)), call.name.context).filter(|_| word)
}

/// `browser_click {"element": "Delete repository button"}`: what is pressed says what happens. One thing in a page is
/// removed all day; what holds others, and money, is not.
fn pressed(call: &Call<'_>) -> Option<Meaning> {
    says(call, "click").then_some(())?;
    let label = call.arguments.text(&["element", "text", "label", "description"])?;
    let plain: String = label.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '_' }).collect();
    let words = naming::words(&plain);
    let has = |names: &[&str]| words.iter().any(|word| names.contains(&&**word));
    if has(&["transfer", "pay", "send", "withdraw", "wire"]) && label.contains(['$', '€', '£']) {
        return Some(Meaning { operation: Operation::Create, kind: ResourceKind::Account, several: false, all: false });
    }
    naming::meaning(&plain, "").filter(|meaning| meaning.operation == Operation::Drop)
}

/// What the arguments make of it: scaled to nothing, a protection off, open to everybody.
fn by_settings(call: &Call<'_>, operation: Operation, kind: ResourceKind) -> (Operation, ResourceKind) {
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
        kind => kind,
    };
    match kind {
        _ if stops(call, operation, kind) => (O::Stop, if kind == K::Item { K::Workload } else { kind }),
        _ if settles && guards::forgets(call) => (O::Disable, K::Safeguard),
        K::Safeguard if (settles || operation == O::Grant) && guards::weakens(values) => (O::Disable, kind),
        // Whoever gets the mail from now on reads it.
        _ if audience::forwards(call, kind, operation) => (O::Grant, K::Role),
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
fn beside(scene: &mut Scene<'_>, call: &Call<'_>, operation: Operation, kind: ResourceKind) {
    let changes = matches!(operation, Operation::Update | Operation::Create | Operation::Alter);
    if kind == ResourceKind::Role
        && changes
        && let Some(right) = rights::high(call)
    {
        note(scene, call, Operation::Grant, Resource::new(kind, right), Extent::One);
    }
    let looks = matches!(operation, Operation::Read | Operation::List | Operation::Fetch | Operation::Connect);
    if !looks
        && let Some(key) = guards::switched_off(&call.arguments.values)
        // A new thing may well be made without; only what is passed by was there before.
        && (operation != Operation::Create || key.starts_with("bypass"))
    {
        note(scene, call, Operation::Disable, Resource::new(ResourceKind::Safeguard, key), Extent::One);
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

/// What stands at an address or under a path is judged as what it is; `false` when the call is about neither.
fn elsewhere(scene: &mut Scene<'_>, call: &Call<'_>, operation: Operation, kind: ResourceKind) -> bool {
    if let Some(address) = address(call)
        && (matches!(operation, Operation::Fetch | Operation::Read | Operation::Connect)
            || (kind == ResourceKind::Endpoint
                && matches!(operation, Operation::Create | Operation::Update | Operation::List)))
    {
        let text = call.arguments.text(&["content", "body", "data", "html", "text"]);
        let posts = text.is_some() && matches!(operation, Operation::Create | Operation::Update);
        let word = call.word(address);
        let request = http::Request {
            method: if posts { "POST" } else { "GET" },
            url: &word,
            body: http::Body { present: posts, text: text.filter(|_| posts), ..http::Body::default() },
            span: word.span,
            by: call.name.whole,
        };
        http::request(scene, &request);
        return true;
    }
    if matches!(kind, ResourceKind::File | ResourceKind::Folder | ResourceKind::Item) {
        let paths =
            call.arguments.texts(&["path", "paths", "file_path", "filename", "file", "directory", "file_paths"]);
        let here = paths.iter().filter(|path| kind != ResourceKind::Item || path.contains('/'));
        let mut any = false;
        for path in here {
            let kind = if kind == ResourceKind::Item { ResourceKind::File } else { kind };
            let resource = paths::resource(scene, &call.word(path), kind);
            let extent = if operation == Operation::Update { Extent::All } else { Extent::One };
            note(scene, call, operation, resource, extent);
            any = true;
        }
        if any {
            return true;
        }
    }
    // `export_report(output_dir)`: what is made here stays here.
    if operation == Operation::Export
        && recipient(call).is_none()
        && let Some(path) = call.arguments.text(OUTPUTS)
    {
        let named = path.rsplit('/').next().is_some_and(|last| last.contains('.'));
        let kind = if named { ResourceKind::File } else { ResourceKind::Folder };
        let resource = paths::resource(scene, &call.word(path), kind);
        note(scene, call, Operation::Create, resource, Extent::One);
        return true;
    }
    false
}

/// The one effect on the thing that the name and the arguments speak of.
fn thing(scene: &mut Scene<'_>, call: &Call<'_>, meaning: Meaning) {
    use {Operation as O, ResourceKind as K};
    // A file that a service keeps under a number is not one of this machine.
    let kind = match meaning.kind {
        K::File | K::Folder if destroys(meaning.operation) && !call.name.context.contains("filesystem") => K::Object,
        kind => kind,
    };
    let (name, exact) = targets::named(call, kind);
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
        O::Update if kind == K::Item && count.is_some_and(|count| count >= MANY) && says(call, "cancel") => O::Delete,
        operation => operation,
    }
}

fn says(call: &Call<'_>, verb: &str) -> bool {
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
        _ if destroys(operation) && every() => Extent::All,
        // To everybody.
        O::Grant if rights::published(&call.arguments.values) || says(call, "public") => Extent::All,
        O::Update | O::Alter | O::Revoke | O::Grant if targets::stars(call) => Extent::All,
        O::Update
            if matches!(meaning.kind, K::Table | K::Item | K::Role | K::Account) && targets::selects_all(call) =>
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
    naming::words(call.name.last).iter().any(|word| VERBS.contains(&&**word))
}

/// Who gets what leaves, and how far away they are.
fn leaves(call: &Call<'_>, effect: &mut Effect, words: &[String]) {
    effect.peer = recipient(call).map(str::to_owned);
    effect.zone = Some(audience::far(effect.peer.as_deref(), effect.resource.kind));
    let dumped = words.iter().any(|word| matches!(&**word, "export" | "dump" | "upload" | "backup"));
    if matches!(effect.resource.kind, ResourceKind::Item | ResourceKind::Role)
        && dumped
        && effect.peer.as_deref().is_some_and(|peer| peer.contains("://"))
    {
        // What a service keeps, sent to an address.
        effect.resource.kind = ResourceKind::Object;
    }
    if effect.resource.kind == ResourceKind::Item && (effect.resource.name.is_empty() || effect.peer.is_none()) {
        effect.resource.kind = ResourceKind::Message;
    }
}

/// Arguments that say where on this machine a tool puts what it makes.
const OUTPUTS: &[&str] = &[
    "output_dir",
    "output_path",
    "output_file",
    "output_folder",
    "outputDir",
    "outputPath",
    "outputFile",
    "out_dir",
    "save_path",
    "save_dir",
    "local_path",
    "destination_path",
];

fn note(scene: &mut Scene<'_>, call: &Call<'_>, operation: Operation, resource: Resource, extent: Extent) {
    let mut effect: Effect = call.effect(operation, resource, extent);
    effect.certainty = Certainty::Inferred;
    scene.effect(effect);
}

fn destroys(operation: Operation) -> bool {
    matches!(operation, Operation::Delete | Operation::Drop | Operation::Disable | Operation::Rewrite | Operation::Stop)
}

pub(super) fn address<'a>(call: &'a Call<'_>) -> Option<&'a str> {
    call.arguments.text(&["url", "uri", "link", "address"]).filter(|text| text.contains("://") || text.contains('.'))
}
