//! Programs nobody described, read by what their words usually mean.

use crate::classify::{Scene, Word, paths};
use crate::model::{Certainty, Effect, Extent, GapKind, Hides, Operation, ResourceKind};

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
        let target = operands.get(at.wrapping_add(1)).map_or_else(Word::default, |word| (*word).clone());
        let resource = if looks_like_path(&target.text) {
            paths::resource(scene, &target, ResourceKind::File)
        } else {
            settle::named(ResourceKind::Item, &target)
        };
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
        // `deleteUser`.
        let hump = word.find(|c: char| c.is_ascii_uppercase()).filter(|at| *at > 0)?;
        one_verb(&word[..hump])
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
