//! Programs nobody described, read by what their words usually mean.

use crate::classify::{Scene, Word, paths};
use crate::model::{Certainty, Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind};

use super::call::Call;
use super::programs::runner;
use super::{Invocation, Stream, select, settle};

/// Reads the command line of a program that no spec describes.
pub(super) fn run(scene: &mut Scene<'_>, invocation: &Invocation<'_>, name: &str) -> Stream {
    let words = invocation.words.get(1..).unwrap_or_default();
    let stream = Stream { connected: true, ..Stream::default() };
    if is_question(words) {
        return stream;
    }
    if let Some(command) = runner::guessed(scene, words) {
        return guessed(scene, invocation, name, command);
    }
    let parsed = select::sorted(words);
    call_of_a_library(scene, invocation, name);
    let span = invocation.words.first().and_then(|word| word.span).or(invocation.span);
    let operands: Vec<&Word> = parsed.operands.iter().map(|word| &**word).collect();
    judge(scene, name, &operands, words, span, invocation);
    stream
}

/// An unknown program that seems to run a known one is both: what it runs, and a gap.
fn guessed(scene: &mut Scene<'_>, invocation: &Invocation<'_>, name: &str, command: &[Word]) -> Stream {
    let mark = scene.mark();
    let first = invocation.words.first().and_then(|word| word.span);
    let inner = Invocation { words: command, ..*invocation };
    let stream = scene.scoped(|scene| super::run_nested(scene, &inner));
    for effect in scene.since(mark) {
        effect.certainty = Certainty::Inferred;
    }
    scene.gap(GapKind::UnknownProgram, Hides::Anything, first.or(invocation.span), name);
    stream
}

/// Reads a command that the spec of its program does not list.
pub(super) fn unknown_command(scene: &mut Scene<'_>, call: &Call<'_>) -> Stream {
    let operands: Vec<&Word> = call.operands().collect();
    let words = call.invocation.words.get(1..).unwrap_or_default();
    judge(scene, &call.by, &operands, words, call.head, call.invocation);
    Stream { connected: true, ..Stream::default() }
}

fn judge(
    scene: &mut Scene<'_>,
    name: &str,
    operands: &[&Word],
    words: &[Word],
    span: Option<crate::model::Span>,
    invocation: &Invocation<'_>,
) {
    let found = operands.iter().take(3).enumerate().find_map(|(at, word)| Some((at, verb(&word.text)?)));
    // `acme --purge x` says it by an option.
    let by_option = |word: &Word| one_verb(word.text.strip_prefix("--")?).filter(|verb| *verb != Operation::List);
    let option = words.iter().find_map(|word| Some((word, by_option(word)?))).filter(|_| found.is_none());
    let (by, operation) = match found {
        Some((at, operation)) => {
            let path = operands.iter().take(at + 1).map(|word| &*word.text).collect::<Vec<_>>().join(" ");
            (format!("{name} {path}"), Some((at, operation)))
        }
        None => (
            operands
                .first()
                .filter(|word| is_plain(word))
                .map_or(name.to_owned(), |word| format!("{name} {}", word.text)),
            None,
        ),
    };
    let by = option.map_or(by, |(word, _)| format!("{name} {}", word.text));
    let asks = |word: &Word| matches!(&*word.text, "--list" | "--status" | "--info" | "--show" | "--show-config");
    let mut harmless = operands.is_empty() && words.first().is_some_and(asks);
    if let Some((at, operation)) = operation.or(option.map(|(_, operation)| (usize::MAX, operation))) {
        harmless = operation == Operation::List;
        let named = operands.get(at.wrapping_add(1)).map(|word| (*word).clone());
        let target = named.or_else(|| named_by_option(words)).unwrap_or_default();
        let resource = if looks_like_path(&target.text) {
            paths::resource(scene, &target, ResourceKind::File)
        } else {
            settle::named(ResourceKind::Item, &target)
        };
        let resource = named_by_thing(resource, operation, &by);
        let (operation, resource) = out_of_service(operation, resource, &by);
        let mut effect = Effect::new(operation, resource);
        effect.certainty = Certainty::Inferred;
        effect.by.clone_from(&by);
        effect.span = target.span.or(span);
        let given = |names: &[&str]| words.iter().any(|word| names.contains(&&*word.text));
        effect.guard_off = given(&["-f", "--force", "-y", "--yes", "--auto-approve", "--no-confirm", "--assume-yes"]);
        effect.dry_run = given(&["--dry-run", "--dryrun", "--dry_run", "--check", "--noop", "--simulate", "--whatif"]);
        effect.count = counted(words);
        if given(&["--all", "-A"]) {
            effect.extent = Extent::All;
        }
        scene.effect(effect);
    }
    for word in operands.iter().filter(|word| looks_like_path(&word.text)).take(16) {
        let mut effect = Effect::new(Operation::Read, paths::resource(scene, word, ResourceKind::File));
        if effect.resource.areas.has(crate::model::Area::Sink) {
            continue;
        }
        effect.certainty = Certainty::Inferred;
        effect.by.clone_from(&by);
        effect.span = word.span;
        scene.effect(effect);
    }
    if !harmless {
        scene.gap(GapKind::UnknownProgram, Hides::Anything, span.or(invocation.span), by);
    }
}

/// What an option names: `x delete --name web`, `--cluster-id=7`.
fn named_by_option(words: &[Word]) -> Option<Word> {
    let (at, word) = words.iter().enumerate().find(|(_, word)| {
        let name = word.text.strip_prefix("--").map(|text| text.split('=').next().unwrap_or(text));
        name.is_some_and(|name| {
            matches!(name, "name" | "id" | "guid" | "key" | "slug") || name.ends_with("-id") || name.ends_with("-name")
        })
    })?;
    match word.text.find('=') {
        Some(equals) => Some(word.tail(equals + 1)),
        None => words.get(at + 1).filter(|word| !word.text.starts_with('-')).cloned(),
    }
}

/// What is removed without a name has at least that of its kind: `x project delete`, `x flush-stage-cache`.
pub(super) fn named_by_thing(mut resource: Resource, operation: Operation, by: &str) -> Resource {
    let removes = matches!(operation, Operation::Delete | Operation::Drop);
    if removes && resource.kind == ResourceKind::Item && resource.name.is_empty() && !resource.unresolved {
        thing(by).unwrap_or_default().clone_into(&mut resource.name);
    }
    resource
}

/// `x workers stop`, `x service disable payments`: with the kind of thing named beside the verb it is something that
/// serves. `x stop` alone is as likely a development server.
fn out_of_service(operation: Operation, mut resource: Resource, by: &str) -> (Operation, Resource) {
    let ends = matches!(operation, Operation::Stop | Operation::Disable);
    if !ends || resource.kind != ResourceKind::Item {
        return (operation, resource);
    }
    let Some(thing) = thing(by) else { return (operation, resource) };
    if resource.name.is_empty() && !resource.unresolved {
        thing.clone_into(&mut resource.name);
    }
    resource.kind = ResourceKind::Service;
    (Operation::Stop, resource)
}

/// The kind of thing that a command's own words name beside its verb; what is made again by itself is none.
fn thing(by: &str) -> Option<&str> {
    const BETWEEN: [char; 3] = ['-', ':', '_'];
    let mut words = by.split_once(' ')?.1.split(' ');
    let last = words.next_back()?;
    let found = if one_verb(last).is_some() {
        words.next_back()?
    } else {
        let (first, rest) = last.split_once(BETWEEN)?;
        if one_verb(first).is_some() { rest } else { last.rsplit_once(BETWEEN)?.0 }
    };
    const MADE_AGAIN: &[&str] = &["cache", "tmp", "temp", "build", "store", "log", "history", "output", "artifact"];
    let plain = found.to_ascii_lowercase();
    (!found.starts_with('-') && !MADE_AGAIN.iter().any(|word| plain.contains(word))).then_some(found)
}

/// `gateway.customer.delete("7")`: a call of a library, put where a command should stand.
fn call_of_a_library(scene: &mut Scene<'_>, invocation: &Invocation<'_>, name: &str) {
    let Some((object, verb)) = name.rsplit_once('.').filter(|(object, _)| !object.is_empty()) else { return };
    let Some(operation) = one_verb(verb).filter(|operation| *operation != Operation::List) else { return };
    let mut effect = Effect::new(operation, Resource::new(ResourceKind::Item, object));
    effect.certainty = Certainty::Inferred;
    effect.by = name.to_owned();
    effect.span = invocation.words.first().and_then(|word| word.span).or(invocation.span);
    scene.effect(effect);
}

/// Whether a word in the place of a command names a thing, not something to do.
pub(super) fn is_thing(word: &str) -> bool {
    let does = [
        "add", "build", "can-i", "cat", "checkout", "cp", "create", "dlx", "doc", "docs", "exec", "fmt", "format",
        "init", "install", "login", "logout", "man", "new", "open", "pull", "push", "run", "serve", "set", "start",
        "switch", "sync", "template", "test", "use", "watch", "which", "why", "write", "x",
    ];
    verb(word).is_none() && !does.contains(&word)
}

/// Whether a word is a verb of changing something.
pub(super) fn changes(word: &str) -> bool {
    one_verb(word).is_some_and(|operation| operation != Operation::List)
}

/// `--count 1000`, `--count=1000`.
fn counted(words: &[Word]) -> Option<u64> {
    const NAMES: &[&str] = &["--count", "--num", "--number", "--instances", "--servers", "--nodes", "--amount"];
    words.iter().enumerate().find_map(|(at, word)| {
        let value = match word.text.split_once('=') {
            Some((name, value)) if NAMES.contains(&name) => value,
            None if NAMES.contains(&&*word.text) => &words.get(at + 1)?.text,
            _ => return None,
        };
        value.parse().ok()
    })
}

/// `--help`, `--version` and the like, where they cannot be anything else.
fn is_question(words: &[Word]) -> bool {
    let end = words.iter().position(|word| word.text == "--").unwrap_or(words.len());
    let asks = |word: &Word| matches!(&*word.text, "--help" | "-help" | "--usage");
    let lone = |word: &Word| matches!(&*word.text, "--version" | "-V" | "-v" | "-version" | "version" | "-h" | "help");
    words[..end].iter().any(asks)
        || words.first().is_some_and(|word| word.text == "help")
        || words.len() == 1 && words.first().is_some_and(lone)
        || words.last().is_some_and(|word| word.text == "-h")
}

fn is_plain(word: &Word) -> bool {
    word.is_known() && word.text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn looks_like_path(text: &str) -> bool {
    !text.contains("://")
        && (text.starts_with(['/', '~', '.']) && text.len() > 1 || text.contains('/') && !text.contains(' '))
}

/// The operation that a word in the place of a command usually means.
pub(super) fn verb(word: &str) -> Option<Operation> {
    let word = word.trim_start_matches("--");
    // `delete-user`, `userDelete` and `users:destroy` say it at one of their ends.
    let first = word.split(['-', ':', '_', '.']).next().unwrap_or(word);
    let last = word.rsplit(['-', ':', '_', '.']).next().unwrap_or(word);
    // Servers that are taken out of a fleet can be put back in.
    if matches!(last, "capacity" | "replicas" | "weight") && first != last {
        return Some(Operation::Alter);
    }
    one_verb(word).or_else(|| one_verb(first)).or_else(|| one_verb(last)).or_else(|| {
        // `deleteUser`, `DeleteInstance`.
        let hump = word.char_indices().skip(1).find(|(_, c)| c.is_ascii_uppercase())?.0;
        one_verb(&word[..hump].to_ascii_lowercase())
    })
}

fn one_verb(word: &str) -> Option<Operation> {
    Some(match word {
        "delete" | "del" | "rm" | "remove" | "purge" | "wipe" | "erase" | "prune" | "truncate" | "flush" | "clean"
        | "clear" | "uninstall" | "unlink" | "discard" | "expire" | "unpublish" | "yank" | "undeploy"
        | "unregister" | "deregister" | "forget" | "evict" | "obliterate" | "empty" | "cleanup" | "unset" | "trash" => {
            Operation::Delete
        }
        "destroy" | "drop" | "nuke" | "reset" | "terminate" | "deprovision" | "teardown" | "decommission" => {
            Operation::Drop
        }
        "disable" | "deactivate" | "unprotect" => Operation::Disable,
        "revoke" | "deauthorize" | "unassign" => Operation::Revoke,
        "grant" | "authorize" => Operation::Grant,
        "stop" | "kill" | "shutdown" | "suspend" | "pause" | "halt" | "down" | "cancel" | "abort" | "quit"
        | "drain" | "hibernate" => Operation::Stop,
        "list" | "ls" | "get" | "show" | "describe" | "status" | "info" | "search" | "version" | "view" | "inspect"
        | "logs" | "log" | "help" | "diff" | "plan" | "validate" | "check" | "lint" | "whoami" | "doctor"
        | "completion" | "find" | "history" | "explain" | "outputs" | "preview" | "read" | "stats" | "count"
        | "tail" | "tree" | "browse" | "lookup" | "verify" | "ping" | "current" | "usage" | "metrics" | "top" => {
            Operation::List
        }
        _ => return None,
    })
}
