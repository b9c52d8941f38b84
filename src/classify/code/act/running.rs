//! What a call runs: shell lines, programs with their words, code and statements.

use crate::classify::command::{self, Invocation, Stream};
use crate::classify::{Language, Scene, Word, code};
use crate::model::{Certainty, CodeOrigin, Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Span};

use super::super::value::Value;
use super::super::walk::Call;
use super::made::Made;
use super::{loaded, put};

/// A text that the shell runs, wherever the text comes from.
pub(super) fn started(scene: &mut Scene<'_>, value: &Value, call: &Call) {
    if value.remote || value.decoded {
        let origin = if value.remote { CodeOrigin::Remote } else { CodeOrigin::Decoded };
        execute(scene, call.span, &call.name, origin);
    }
    match value.word() {
        Some(word) if !(value.remote || value.decoded) || word.is_known() => shell(scene, word),
        _ if value.list => words(scene, &value.words, call.span),
        _ => {}
    }
}

/// The command line that a text or a list of words is, when all of it is known.
pub(super) fn line(value: &Value) -> Option<String> {
    if !value.list {
        return value.word().and_then(Word::value).map(str::to_owned);
    }
    let known: Option<Vec<&str>> = value.words.iter().map(Word::value).collect();
    known.filter(|words| !words.is_empty()).map(|words| code::quoted(&words))
}

/// A command that is given `input` on its standard input.
pub(super) fn fed(scene: &mut Scene<'_>, line: &str, input: String, span: Option<Span>) {
    let stdin = Stream { connected: true, text: Some((input, None)), ..Stream::default() };
    scene.run_piped(line, Err(span), stdin);
}

/// Notes that another program opens a shell for somebody to type into.
pub(in crate::classify::code) fn shell_opened(scene: &mut Scene<'_>, command: &str, span: Option<Span>) {
    if let Some(effect) = command::interactive_shell(command, span) {
        scene.effect(effect);
    }
}

/// A text that the shell runs. Parts that are not known become shell variables, and a gap.
pub(in crate::classify::code) fn shell(scene: &mut Scene<'_>, word: &Word) {
    if let Some(code) = word.value() {
        return code::hand_over(scene, Language::Shell, code, word.span);
    }
    // What was made one word can add no command: only which word it is, is not known.
    const QUOTES: &[&str] =
        &["shlex.quote(", "quote(", "pipes.quote(", "escapeshellarg(", "Shellwords.escape(", "shellescape", "shQuote("];
    let one_word =
        |name: &str| QUOTES.iter().any(|quote| name.trim_start().starts_with(quote)) || name.ends_with(".shellescape");
    let quoted = word.unknown.iter().all(|part| one_word(&part.name));
    let hides = if quoted { Hides::Target } else { Hides::Anything };
    scene.gap(GapKind::DynamicCode, hides, word.span, &*word.text);
    if is_all_unknown(word) {
        return execute(scene, word.span, "shell", CodeOrigin::Dynamic);
    }
    let code = filled(word, |name| format!("\"${name}\""));
    let before = scene.mark();
    code::hand_over(scene, Language::Shell, &code, word.span);
    lexical(scene, before);
}

/// The words of one command, no shell between.
pub(in crate::classify::code) fn words(scene: &mut Scene<'_>, words: &[Word], span: Option<Span>) {
    let known: Option<Vec<&str>> = words.iter().map(Word::value).collect();
    match known {
        Some(known) => match code::unwrapped(&known) {
            Some((language, code)) => {
                let at = words.last().and_then(|word| word.span);
                code::hand_over(scene, language, code, at);
            }
            None => code::hand_over(scene, Language::Shell, &code::quoted(&known), span),
        },
        None => {
            let stdin = Stream::default();
            let invocation = Invocation { words, span, stdin: &stdin, assignments: &[] };
            let first = words.first().is_some_and(|word| !word.is_known());
            if first {
                scene.gap(GapKind::DynamicCode, Hides::Anything, span, words.first().map_or("", |word| &word.text));
                return execute(scene, span, "spawn", CodeOrigin::Dynamic);
            }
            command::run(scene, &invocation);
        }
    }
}

pub(super) fn evaluated(scene: &mut Scene<'_>, language: Language, value: &Value, call: &Call) {
    // `new Function("a", "code")`: the last argument is the code.
    let word = value.word();
    if value.remote {
        return execute(scene, call.span, &call.name, CodeOrigin::Remote);
    }
    if loaded::evaluated(scene, language, value, call) {
        return;
    }
    if value.decoded {
        execute(scene, call.span, &call.name, CodeOrigin::Decoded);
    }
    match word {
        Some(word) if word.is_known() => code::hand_over(scene, language, &word.text, word.span),
        _ if value.decoded => scene.gap(GapKind::DynamicCode, Hides::Anything, call.span, &*call.name),
        _ => {
            scene.gap(GapKind::DynamicCode, Hides::Anything, call.span, word.map_or("", |word| &word.text));
            execute(scene, call.span, &call.name, CodeOrigin::Dynamic);
        }
    }
}

/// `session.execute(select(User))`, `session.execute(delete(User).where(…))`: a statement that functions build.
pub(super) fn built(scene: &mut Scene<'_>, made: &Made<'_, '_>) -> bool {
    let Some(&(from, to)) = made.call.items.first() else { return false };
    let tokens = &made.reading.tokens;
    let head = (from..to.min(from + 4)).rev().find(|at| {
        matches!(
            tokens[*at].text,
            "select" | "delete" | "update" | "insert" | "exists" | "func" | "union" | "with_only_columns"
        )
    });
    let Some(at) = head.filter(|at| tokens.get(at + 1).is_some_and(|next| next.is(b'(') || next.is(b'.'))) else {
        return false;
    };
    let operation = match tokens[at].text {
        "delete" => Operation::Delete,
        "update" => Operation::Update,
        "insert" => Operation::Create,
        _ => Operation::Read,
    };
    let chosen = tokens[at..to].iter().any(|token| matches!(token.text, "where" | "filter" | "filter_by" | "limit"));
    let model = tokens.get(at + 2).map_or("", |token| token.text);
    let mut effect = Effect::new(operation, Resource::new(ResourceKind::Table, model));
    effect.extent = if chosen || operation == Operation::Create { Extent::Some } else { Extent::All };
    put(scene, made.call, effect);
    true
}

pub(super) fn sql(scene: &mut Scene<'_>, value: &Value, call: &Call) {
    let Some(word) = value.word() else { return };
    if let Some(code) = word.value() {
        // Other things have an `execute` or a `query` as well.
        if crate::classify::tool::starts_as_sql(code) || code.contains(' ') && code.contains(';') {
            code::hand_over(scene, Language::Sql, code, word.span);
        }
        return;
    }
    let reads = ["select ", "show ", "explain ", "pragma ", "describe "];
    let start = word.text.trim_start().get(..9).unwrap_or("").to_ascii_lowercase();
    // Which table is counted is not known, but nothing is done to it.
    let reads = reads.iter().any(|verb| start.starts_with(verb)) && !word.text.contains(';');
    let hides = if reads { Hides::Target } else { Hides::Anything };
    scene.gap(GapKind::DynamicCode, hides, word.span.or(call.span), &*word.text);
    if is_all_unknown(word) {
        return;
    }
    let code = filled(word, str::to_owned);
    if crate::classify::tool::starts_as_sql(&code) {
        let before = scene.mark();
        code::hand_over(scene, Language::Sql, &code, word.span);
        lexical(scene, before);
    }
}

fn lexical(scene: &mut Scene<'_>, before: usize) {
    for effect in scene.since(before) {
        effect.certainty = Certainty::Lexical;
    }
}

pub(super) fn execute(scene: &mut Scene<'_>, span: Option<Span>, by: &str, origin: CodeOrigin) {
    let mut effect = Effect::new(Operation::Execute, Resource::new(ResourceKind::Code, ""));
    effect.resource.unresolved = true;
    effect.code = Some(origin);
    effect.span = span;
    effect.by = by.to_owned();
    scene.effect(effect);
}

fn is_all_unknown(word: &Word) -> bool {
    word.unknown.iter().map(|part| part.end - part.start).sum::<usize>() >= word.text.trim().len()
}

/// The text with every unknown part replaced by a name that `made` writes.
fn filled(word: &Word, made: impl Fn(&str) -> String) -> String {
    let (mut text, mut at) = (String::new(), 0);
    for part in &word.unknown {
        text.push_str(word.text.get(at..part.start).unwrap_or(""));
        let name: String = part
            .name
            .chars()
            .map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' })
            .take(40)
            .collect();
        let name = if name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
            name
        } else {
            format!("_{name}")
        };
        text.push_str(&made(&name));
        at = part.end;
    }
    text.push_str(word.text.get(at..).unwrap_or(""));
    text
}
