//! Tools nobody described: read by the verbs and nouns of their names and by what their arguments are.

use serde_json::Value;

use crate::model::{
    Area, Certainty, CodeOrigin, Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Reversibility, Zone,
};

use crate::classify::command::is_protected;
use crate::classify::http::{self, zone};
use crate::classify::{Scene, naming, paths};

use super::{Call, code, program};

/// Finds what can be found by convention.
pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) {
    let meaning = naming::meaning(call.name.last, call.name.context).or_else(|| by_argument(call));
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
    let (mut kind, mut operation) = (meaning.kind, meaning.operation);
    if kind == ResourceKind::Item && call.arguments.text(TABLES).is_some() {
        // `delete_many(collection, filter)`: the arguments say what the things are kept in.
        kind = ResourceKind::Table;
    }
    if stops(call, operation, kind) {
        (operation, kind) = (Operation::Stop, if kind == ResourceKind::Item { ResourceKind::Workload } else { kind });
    }
    if forgets(call) && matches!(operation, Operation::Create | Operation::Update | Operation::Alter) {
        kind = ResourceKind::Safeguard;
        operation = Operation::Disable;
    }
    if kind == ResourceKind::Safeguard
        && matches!(operation, Operation::Create | Operation::Update | Operation::Alter | Operation::Grant)
        && weakens(&call.arguments.values)
    {
        operation = Operation::Disable;
    }
    if kind == ResourceKind::Role
        && matches!(operation, Operation::Update | Operation::Create | Operation::Alter)
        && let Some(right) = high_right(call)
    {
        let mut effect = call.effect(Operation::Grant, Resource::new(kind, right), Extent::One);
        effect.certainty = Certainty::Inferred;
        scene.effect(effect);
    }
    if forwards(call, kind, operation) {
        // Whoever gets the mail from now on reads it.
        (operation, kind) = (Operation::Grant, ResourceKind::Role);
    }
    let (kind, operation) = (kind, operation);
    secrets(scene, call, operation, kind);
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
        return http::request(scene, &request);
    }
    if matches!(kind, ResourceKind::File | ResourceKind::Folder | ResourceKind::Item)
        && let Some(path) = call.arguments.text(&["path", "file_path", "filename", "file", "directory"])
        && (kind != ResourceKind::Item || path.contains('/'))
    {
        let kind = if kind == ResourceKind::Item { ResourceKind::File } else { kind };
        let word = call.word(path);
        let resource = paths::resource(scene, &word, kind);
        let extent = if operation == Operation::Update { Extent::All } else { Extent::One };
        return note(scene, call, operation, resource, extent);
    }
    // `export_report(output_dir)`: what is made here stays here.
    if operation == Operation::Export
        && recipient(call).is_none()
        && let Some(path) = call.arguments.text(OUTPUTS)
    {
        let kind = if path.rsplit('/').next().is_some_and(|last| last.contains('.')) {
            ResourceKind::File
        } else {
            ResourceKind::Folder
        };
        let resource = paths::resource(scene, &call.word(path), kind);
        return note(scene, call, Operation::Create, resource, Extent::One);
    }
    // A file that a service keeps under a number is not one of this machine.
    let kind = match kind {
        ResourceKind::File | ResourceKind::Folder
            if destroys(operation) && !call.name.context.contains("filesystem") =>
        {
            ResourceKind::Object
        }
        kind => kind,
    };
    let (name, exact) = named(call, kind);
    let count = many(call, kind);
    let several = meaning.several && !exact || count.is_some();
    let resource = Resource::new(kind, name.unwrap_or_default());
    let extent = match operation {
        _ if meaning.all => Extent::All,
        _ if (selects_all(call) || call.arguments.says(&["all", "purge_everything"])) && destroys(operation) => {
            Extent::All
        }
        Operation::Update if kind == ResourceKind::Table && selects_all(call) => Extent::All,
        Operation::Delete if kind == ResourceKind::Table && call.arguments.text(TABLES).is_some() => Extent::Some,
        Operation::Create | Operation::Connect | Operation::Export => Extent::One,
        _ if several => Extent::Some,
        _ => Extent::One,
    };
    let operation = match operation {
        // It is only marked for deletion, and the mark can be taken off.
        Operation::Delete | Operation::Drop if is_soft(call) => Operation::Update,
        // Posted where people look anyway, or sent to somebody: only the second leaves.
        Operation::Create if kind == ResourceKind::Message && recipient(call).is_some_and(|to| to.contains('@')) => {
            Operation::Export
        }
        // Money that is sent is a transaction that is made, not data that leaves.
        Operation::Export if kind == ResourceKind::Item && (about_money(call) || pays(call, operation)) => {
            Operation::Create
        }
        operation => operation,
    };
    let mut effect = call.effect(operation, resource, extent);
    effect.certainty = Certainty::Inferred;
    effect.count = count;
    if kind == ResourceKind::Branch && is_protected(&effect.resource.name) {
        effect.resource.areas = effect.resource.areas.with(Area::Protected);
    }
    for (key, value) in &call.arguments.values {
        if key.starts_with("bypass") && *value == Value::Bool(true) {
            note(scene, call, Operation::Disable, Resource::new(ResourceKind::Safeguard, key.clone()), Extent::One);
        }
    }
    let words = naming::words(call.name.last);
    if operation == Operation::Grant && words.iter().any(|word| is_high_right(word)) {
        // The right stands in the tool's name, not among its arguments.
        effect.resource.name = format!("{} to {}", words.join(" "), effect.resource.name);
    }
    if effect.resource.kind == ResourceKind::Item && pays(call, operation) {
        effect.resource.name =
            format!("money to {}", recipient(call).or(call.arguments.text(PAYEES)).unwrap_or("somebody"));
    }
    if operation == Operation::Grant && words.iter().any(|word| word == "public") {
        // To everybody.
        effect.extent = Extent::All;
    }
    if words.iter().any(|word| matches!(&**word, "trash" | "archive")) && operation == Operation::Delete {
        let gone = call.arguments.says(&["permanent", "permanently", "hard_delete", "skip_trash", "purge"])
            || words.iter().any(|word| matches!(&**word, "empty" | "purge" | "clear"));
        effect.reversible = if gone { Reversibility::No } else { Reversibility::Yes };
    }
    match operation {
        Operation::Export => {
            effect.peer = recipient(call).map(str::to_owned);
            effect.zone = Some(far(effect.peer.as_deref(), kind));
            if matches!(kind, ResourceKind::Item | ResourceKind::Role)
                && matches!(words.first().map(|word| &**word), Some("export" | "dump"))
                && effect.peer.as_deref().is_some_and(|peer| peer.contains("://"))
            {
                // What a service keeps, sent to an address.
                effect.resource.kind = ResourceKind::Object;
            }
            if effect.resource.kind == ResourceKind::Item && (effect.resource.name.is_empty() || effect.peer.is_none())
            {
                effect.resource.kind = ResourceKind::Message;
            }
        }
        Operation::Fetch => effect.zone = Some(Zone::External),
        Operation::Execute => effect.code = Some(CodeOrigin::Elsewhere),
        _ => {}
    }
    scene.effect(effect);
}

/// `mode: "mark"`: what the call removes stays until somebody else removes it.
fn is_soft(call: &Call<'_>) -> bool {
    let mode = call.arguments.text(&["mode", "strategy", "method", "deletion_mode", "delete_mode", "deletionMode"]);
    mode.is_some_and(|mode| matches!(mode, "mark" | "soft" | "archive" | "trash" | "schedule" | "deactivate"))
        || call.arguments.values.get("soft").is_some_and(|soft| *soft == Value::Bool(true))
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

fn about_money(call: &Call<'_>) -> bool {
    let money = |word: &String| matches!(&**word, "money" | "payment" | "funds" | "transaction" | "transfer");
    naming::words(call.name.last).iter().any(money)
}

/// Arguments that name who is paid.
const PAYEES: &[&str] = &["beneficiary", "payee", "iban", "to_account", "destination_account", "account_number"];

/// Arguments that name what rows or documents are kept in.
const TABLES: &[&str] = &["table", "table_name", "collection", "collection_name"];

/// A filter that leaves nothing out: `{}`, `""`, `*`, `1=1`.
fn selects_all(call: &Call<'_>) -> bool {
    const FILTERS: &[&str] =
        &["filter", "where", "query", "condition", "conditions", "predicate", "selector", "match", "pattern"];
    match call.arguments.get(FILTERS) {
        Some(Value::Object(object)) => object.is_empty() || object.contains_key("match_all"),
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::String(text)) => {
            let plain: String = text.split_whitespace().collect::<String>().to_ascii_lowercase();
            matches!(&*plain, "" | "*" | "%" | "{}" | "1=1" | "true" | "all" | "1" | ".*")
        }
        _ => false,
    }
}

/// Scaling to nothing is stopping.
fn stops(call: &Call<'_>, operation: Operation, kind: ResourceKind) -> bool {
    let runs =
        matches!(kind, ResourceKind::Workload | ResourceKind::Node | ResourceKind::Instance | ResourceKind::Service)
            || kind == ResourceKind::Item && call.arguments.get(&["replicas", "desired_count"]).is_some();
    let count = call.arguments.get(&["replicas", "desired_count", "desired_capacity", "instances", "count", "size"]);
    runs && matches!(operation, Operation::Alter | Operation::Update) && count.and_then(Value::as_i64) == Some(0)
}

/// `manage_records {"action": "delete"}`: one tool for everything says in an argument what it is to do.
fn by_argument(call: &Call<'_>) -> Option<naming::Meaning> {
    let verb = call.arguments.text(&["action", "operation", "op", "command", "verb"])?;
    let word = !verb.is_empty()
        && verb.len() <= 40
        && verb.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let stem = call.name.last.strip_prefix("manage_").or_else(|| call.name.last.strip_prefix("manage"));
    naming::meaning(&format!("{verb}_{}", stem.unwrap_or(call.name.last)), call.name.context).filter(|_| word)
}

/// What is kept is kept for no time at all: a retention of nothing.
fn forgets(call: &Call<'_>) -> bool {
    let about = |text: &str| text.to_ascii_lowercase().contains("retention");
    let nothing =
        |value: &Value| value.as_f64() == Some(0.0) || matches!(value.as_str(), Some("0" | "0d" | "0s" | "0h"));
    let named = about(call.name.last);
    call.arguments.values.iter().any(|(key, value)| {
        let span = ["days", "hours", "period", "seconds", "retention"]
            .iter()
            .any(|word| key.to_ascii_lowercase().contains(word));
        nothing(value) && (about(key) || named && span)
    })
}

/// A setting that keeps something safe is switched off, or the whole world is let in.
fn weakens(values: &serde_json::Map<String, Value>) -> bool {
    const GUARDS: &[&str] = &["enforce", "require", "enable", "active", "protect", "restrict", "block"];
    let off = |value: &Value| match value {
        Value::Bool(on) => !on,
        Value::Null => true,
        Value::String(text) => {
            matches!(&*text.to_ascii_lowercase(), "off" | "false" | "disabled" | "none" | "inactive")
        }
        _ => false,
    };
    let denies = values.iter().any(|(key, value)| {
        matches!(&**key, "action" | "effect" | "policy" | "target" | "type")
            && value
                .as_str()
                .is_some_and(|text| matches!(&*text.to_ascii_lowercase(), "deny" | "drop" | "block" | "reject"))
    });
    values.iter().any(|(key, value)| {
        let key = key.to_ascii_lowercase();
        GUARDS.iter().any(|guard| key.starts_with(guard)) && off(value)
            || key.starts_with("allow_force") && *value == Value::Bool(true)
            || !denies && matches!(value.as_str(), Some("0.0.0.0/0" | "::/0"))
    })
}

/// A rule of a mailbox, or a mailbox itself, that sends on what comes in.
fn forwards(call: &Call<'_>, kind: ResourceKind, operation: Operation) -> bool {
    const NAMES: &[&str] =
        &["forward", "forward_to", "forwarding_address", "redirect_to", "forwardingEmail", "auto_forward"];
    let said = |values: &serde_json::Map<String, Value>| {
        values.iter().any(|(key, value)| {
            NAMES.iter().any(|name| key.eq_ignore_ascii_case(name))
                && value.as_str().is_some_and(|text| text.contains('@'))
        })
    };
    matches!(operation, Operation::Create | Operation::Update | Operation::Alter)
        && matches!(kind, ResourceKind::Message | ResourceKind::Safeguard | ResourceKind::Item)
        && (said(&call.arguments.values) || call.arguments.values.values().filter_map(Value::as_object).any(said))
}

/// Money that leaves: sent, wired, paid out, given back. `create_payment_link` only asks for some.
fn pays(call: &Call<'_>, operation: Operation) -> bool {
    let words = naming::words(call.name.whole);
    let has = |names: &[&str]| words.iter().any(|word| names.contains(&&**word));
    (matches!(operation, Operation::Create | Operation::Export | Operation::Execute)
        || operation == Operation::Update && has(&["refund"]))
        && !has(&[
            "method", "link", "intent", "plan", "profile", "reminder", "report", "history", "request", "receipt",
            "session",
        ])
        && (has(&["money", "funds", "payout", "wire", "withdrawal", "remittance"])
            || has(&[
                "payment",
                "transfer",
                "transaction",
                "pay",
                "withdraw",
                "donate",
                "donation",
                "send",
                "refund",
                "invoice",
            ]) && call.arguments.get(&["amount", "amount_cents", "amount_usd", "total", "sum"]).is_some())
}

/// A key or a token that a call puts where others read it, or into a file.
fn secrets(scene: &mut Scene<'_>, call: &Call<'_>, operation: Operation, kind: ResourceKind) {
    let public = matches!(kind, ResourceKind::Message | ResourceKind::Endpoint) || operation == Operation::Export;
    if !public || !matches!(operation, Operation::Create | Operation::Update | Operation::Export) {
        return;
    }
    let texts = call.arguments.values.values().filter_map(Value::as_str);
    if let Some(secret) = texts.filter_map(find_secret).next() {
        let mut effect = call.effect(Operation::Export, Resource::new(ResourceKind::Secret, secret), Extent::One);
        effect.peer = recipient(call).map(str::to_owned);
        effect.zone = Some(Zone::External);
        scene.effect(effect);
    }
}

fn find_secret(text: &str) -> Option<&'static str> {
    crate::classify::secrets::first(text).map(|secret| secret.rule)
}

/// `role: "super_admin"`: the right that the arguments give.
fn high_right<'a>(call: &'a Call<'_>) -> Option<&'a str> {
    let given = call.arguments.texts(&[
        "role",
        "roles",
        "role_name",
        "permission",
        "permissions",
        "access_level",
        "level",
        "privilege",
        "group",
        "group_name",
    ]);
    given.into_iter().find(|right| naming::words(right).iter().any(|word| is_high_right(word.trim_end_matches('s'))))
}

fn is_high_right(word: &str) -> bool {
    matches!(word, "admin" | "administrator" | "owner" | "root" | "superuser" | "sudo" | "superadmin" | "sysadmin")
}

fn destroys(operation: Operation) -> bool {
    matches!(operation, Operation::Delete | Operation::Drop | Operation::Disable | Operation::Rewrite | Operation::Stop)
}

pub(super) fn address<'a>(call: &'a Call<'_>) -> Option<&'a str> {
    call.arguments.text(&["url", "uri", "link", "address"]).filter(|text| text.contains("://") || text.contains('.'))
}

fn recipient<'a>(call: &'a Call<'_>) -> Option<&'a str> {
    const NAMES: &[&str] = &[
        "to",
        "recipients",
        "recipient",
        "email",
        "emails",
        "webhook_url",
        "url",
        "channel",
        "channel_id",
        "user",
        "participants",
        "phone",
        "phone_number",
        "address",
        "chat_id",
        "destination",
        "destination_url",
        "target_url",
        "endpoint",
        "upload_url",
    ];
    call.arguments.texts(NAMES).into_iter().next().filter(|text| !text.is_empty())
}

fn far(peer: Option<&str>, kind: ResourceKind) -> Zone {
    match peer {
        Some(peer) if peer.contains("://") => http::Address::of(&crate::classify::Word::known(peer)).zone,
        Some(peer) => peer.rsplit_once('@').map_or(Zone::Unknown, |(_, host)| zone(host)),
        None if kind == ResourceKind::Message => Zone::External,
        None => Zone::Unknown,
    }
}

/// What the arguments call the thing; and whether they name exactly one.
pub(super) fn named(call: &Call<'_>, kind: ResourceKind) -> (Option<String>, bool) {
    const NAMES: &[&str] = &[
        "id",
        "uid",
        "uuid",
        "name",
        "path",
        "key",
        "arn",
        "resource",
        "resource_name",
        "target",
        "identifier",
        "slug",
        "title",
        "subject",
        "username",
        "user",
    ];
    let kind_word = kind.word().to_ascii_lowercase();
    let about_kind = |key: &str| {
        naming::words(key)
            .iter()
            .any(|word| *word == kind_word || naming::noun(word).is_some_and(|noun| noun.0 == kind))
    };
    let scalar = |value: &Value| match value {
        Value::String(text) if !text.is_empty() && text.len() <= 300 && !text.contains('\n') => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(items) if items.len() == 1 => match &items[0] {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        },
        _ => None,
    };
    let entries = || call.arguments.values.iter();
    let of_kind = entries().find_map(|(key, value)| about_kind(key).then(|| scalar(value)).flatten());
    if let (ResourceKind::Repository, Some(name)) = (kind, &of_kind)
        && let Some(owner) = call.arguments.text(&["owner", "org"])
        && !name.contains('/')
    {
        return (Some(format!("{owner}/{name}")), true);
    }
    let by_name = || NAMES.iter().find_map(|name| scalar(call.arguments.get(&[name])?));
    let by_id = || {
        let is_id = |key: &str| {
            key.ends_with("_id") || key.ends_with("Id") || key.ends_with("Name") || key.ends_with("Identifier")
        };
        entries().find_map(|(key, value)| is_id(key).then(|| scalar(value)).flatten())
    };
    let found = of_kind.or_else(by_name).or_else(by_id);
    let exact = found.is_some() && kind != ResourceKind::Table;
    (found, exact)
}

/// How many things the arguments list, when they do.
fn many(call: &Call<'_>, kind: ResourceKind) -> Option<u64> {
    call.arguments.values.iter().find_map(|(key, value)| match value {
        // A message has recipients and attachments; only its numbers say how many messages.
        Value::Array(_) if kind == ResourceKind::Message && !key.to_ascii_lowercase().ends_with("ids") => None,
        Value::Array(items) if items.len() > 1 && (key.ends_with('s') || key.ends_with("List")) => {
            Some(items.len() as u64)
        }
        _ => None,
    })
}
