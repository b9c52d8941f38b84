//! Tools nobody described: read by the verbs and nouns of their names and by what their arguments are.

use serde_json::Value;

use crate::model::{Certainty, CodeOrigin, Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Zone};

use crate::classify::http::{self, zone};
use crate::classify::{Language, Scene, naming, paths};

use super::{Call, known};

/// Finds what can be found by convention.
pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) {
    let meaning = naming::meaning(call.name.last, call.name.context);
    let before = scene.mark();
    let coded = code(scene, call);
    let Some(meaning) = meaning else {
        if !coded {
            let resource = Resource { unresolved: true, ..Resource::new(ResourceKind::Item, "") };
            note(scene, call, Operation::Unknown, resource, Extent::Unknown);
        }
        scene.gap(GapKind::UnknownTool, Hides::Anything, call.span(call.name.whole), call.name.whole);
        return;
    };
    if coded && (scene.mark() > before || !destroys(meaning.operation)) {
        return;
    }
    let (kind, operation) = (meaning.kind, meaning.operation);
    if let Some(address) = address(call)
        && (matches!(operation, Operation::Fetch | Operation::Read | Operation::Connect)
            || (kind == ResourceKind::Endpoint && matches!(operation, Operation::Create | Operation::List)))
    {
        let word = call.word(address);
        let request = http::Request {
            method: "GET",
            url: &word,
            body: http::Body::default(),
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
    let (name, exact) = named(call, kind);
    let count = many(call, kind);
    let several = meaning.several && !exact || count.is_some();
    let resource = Resource::new(kind, name.unwrap_or_default());
    let extent = match operation {
        _ if meaning.all => Extent::All,
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
        Operation::Export if kind == ResourceKind::Item && about_money(call) => Operation::Create,
        operation => operation,
    };
    let mut effect = call.effect(operation, resource, extent);
    effect.certainty = Certainty::Inferred;
    effect.count = count;
    match operation {
        Operation::Export => {
            effect.peer = recipient(call).map(str::to_owned);
            effect.zone = Some(far(effect.peer.as_deref(), kind));
            if kind == ResourceKind::Item && effect.resource.name.is_empty() {
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

fn destroys(operation: Operation) -> bool {
    matches!(operation, Operation::Delete | Operation::Drop | Operation::Disable | Operation::Rewrite | Operation::Stop)
}

/// Arguments that are code are classified as what they are.
fn code(scene: &mut Scene<'_>, call: &Call<'_>) -> bool {
    let mut found = false;
    for (key, value) in &call.arguments.values {
        let plain = key.to_ascii_lowercase();
        match value {
            Value::String(text) if text.is_empty() => {}
            Value::String(text) if plain.contains("sql") || (is_code_key(&plain) && starts_as_sql(text)) => {
                call.code(scene, Language::Sql, text);
                found = true;
            }
            Value::Array(items) if plain.contains("sql") || plain == "statements" || plain == "queries" => {
                for text in items.iter().filter_map(Value::as_str).filter(|text| starts_as_sql(text)) {
                    call.code(scene, Language::Sql, text);
                    found = true;
                }
            }
            _ => {}
        }
    }
    let shell = matches!(
        call.arguments.get(&["command", "cmd", "script", "shell_command", "commands"]),
        Some(Value::String(_) | Value::Array(_))
    );
    if !found && shell && !names_no_code(call) {
        known::shell(scene, call, false);
        found = true;
    }
    found
}

/// Tools that merely name a command of their own (`command: "open"`) take one word and something else besides.
fn names_no_code(call: &Call<'_>) -> bool {
    let one_word = call
        .arguments
        .text(&["command", "cmd"])
        .is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
    one_word && call.arguments.values.len() > 1 && naming::verb(&call.name.last.to_ascii_lowercase()).is_none()
}

fn is_code_key(key: &str) -> bool {
    ["query", "statement", "code", "command", "input", "q", "body", "definition", "migration"]
        .iter()
        .any(|word| key.contains(word))
}

/// Whether a text begins the way SQL statements do, after comments.
pub(in crate::classify) fn starts_as_sql(text: &str) -> bool {
    const VERBS: &[(&str, &[&str])] = &[
        ("select", &[]),
        ("insert", &["into", "overwrite", "ignore"]),
        ("update", &[]),
        ("delete", &["from"]),
        (
            "drop",
            &[
                "table",
                "schema",
                "database",
                "view",
                "index",
                "role",
                "user",
                "function",
                "type",
                "owned",
                "materialized",
                "extension",
                "sequence",
                "trigger",
                "policy",
                "column",
            ],
        ),
        ("truncate", &[]),
        ("alter", &[]),
        (
            "create",
            &[
                "table",
                "schema",
                "database",
                "view",
                "index",
                "role",
                "user",
                "function",
                "type",
                "or",
                "unique",
                "materialized",
                "extension",
                "sequence",
                "trigger",
                "policy",
                "temp",
                "temporary",
            ],
        ),
        ("grant", &[]),
        ("revoke", &[]),
        ("merge", &["into"]),
        ("with", &[]),
        ("copy", &[]),
        ("explain", &[]),
        ("begin", &[]),
        ("vacuum", &[]),
        ("call", &[]),
    ];
    let mut rest = text.trim_start();
    loop {
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.split_once('\n').map_or("", |(_, rest)| rest).trim_start();
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, rest)| rest).trim_start();
        } else {
            break;
        }
    }
    let mut words =
        rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').filter(|word| !word.is_empty());
    let Some(first) = words.next() else { return false };
    let Some((verb, seconds)) = VERBS.iter().find(|(verb, _)| first.eq_ignore_ascii_case(verb)) else { return false };
    // Prose begins with such words as well: `update the plan`.
    let second = words.next().unwrap_or("");
    match *verb {
        "update" => rest.to_ascii_lowercase().contains(" set "),
        "select" | "with" | "truncate" | "alter" | "grant" | "revoke" | "copy" | "explain" | "call" => {
            !second.is_empty() || rest.contains('*')
        }
        "begin" | "vacuum" => true,
        _ => seconds.iter().any(|word| second.eq_ignore_ascii_case(word)),
    }
}

fn address<'a>(call: &'a Call<'_>) -> Option<&'a str> {
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
    if kind == ResourceKind::Message {
        return None;
    }
    call.arguments.values.iter().find_map(|(key, value)| match value {
        Value::Array(items) if items.len() > 1 && (key.ends_with('s') || key.ends_with("List")) => {
            Some(items.len() as u64)
        }
        _ => None,
    })
}
