//! Picks the command of a program that a command line means, and sorts its words.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::classify::{Scene, Word};
use crate::model::{Effect, Operation, ResourceKind, Span};

use super::call::Call;
use super::flags::{self, Arity, Manner, Parsed, Table};
use super::pattern::Fit;
use super::programs::git_config;
use super::spec::{Spec, Unlisted};
use super::{Invocation, Stream, convention, interpret, settle, values};

/// More words than this never select a command.
const MOST_WORDS: usize = 8;

/// What the words of a command line select.
enum Selected<'s> {
    Command(&'s Spec),
    /// Listed as harmless: nothing, or looking at names or content.
    Harmless(Option<Operation>),
    /// The program has no commands, or what stands there is an operand.
    Program,
    /// A verb stands there that the spec does not list for this thing.
    Unlisted,
}

/// Reads a command line under the spec of its program.
pub(super) fn run<'c>(scene: &mut Scene<'_>, invocation: &'c Invocation<'c>, spec: &'c Spec, name: &str) -> Stream {
    let words = invocation.words.get(1..).unwrap_or_default();
    let has_commands =
        !(spec.command.is_empty() && spec.lists.0.is_empty() && spec.reads.0.is_empty() && spec.plain.0.is_empty());
    let leading = if has_commands { leading_words(words, spec, name) } else { Vec::new() };
    let (selected, taken) = if has_commands { select(words, &leading, spec) } else { (Selected::Program, 0) };
    let (selected, taken) = match selected {
        Selected::Harmless(_) if names_a_verb_behind(words, &leading, taken) => (Selected::Unlisted, 0),
        Selected::Command(command) if is_mild(command) && names_a_verb_behind(words, &leading, taken) => {
            (Selected::Unlisted, 0)
        }
        other => (other, taken),
    };
    let skip = &leading[..taken.min(leading.len())];
    let mut by = spec.called.clone().unwrap_or_else(|| name.to_owned());
    for at in skip {
        by.push(' ');
        by.push_str(words.get(*at).map_or("", |word| &word.text));
    }
    let head = head(invocation, skip);
    let command = match selected {
        Selected::Command(command) => Some(command),
        _ => None,
    };
    let table = Table { levels: command.into_iter().chain(std::iter::once(spec)).collect() };
    let parsed = flags::parse(words, skip, &table, manner(spec, command, name));
    let asks = wants_variables(spec) || !scene.variables.is_empty() && command.is_some_and(Spec::asks_for_variables);
    let variables = if asks { scene.variables.clone() } else { BTreeMap::new() };
    let call = Call { invocation, parsed, program: spec, command, by, head, variables };
    if asks_for_help(&call, spec, taken, has_commands) {
        return Stream { connected: true, ..Stream::default() };
    }
    if let Some(handler) = spec.before {
        handler.run(scene, &call);
    }
    match selected {
        Selected::Command(_) => interpret::apply(scene, &call),
        Selected::Harmless(operation) => interpret::in_place(scene, &call, |scene, call| {
            for effect in &spec.always {
                interpret::effect(scene, call, effect);
            }
            if let Some(operation) = operation {
                harmless(scene, call, operation);
            }
            Stream { connected: true, ..Stream::default() }
        }),
        Selected::Program if !has_commands || is_own(spec) => interpret::apply(scene, &call),
        // `git` alone prints its help.
        Selected::Program if leading.is_empty() => Stream { connected: true, ..Stream::default() },
        Selected::Program | Selected::Unlisted => {
            for effect in &spec.always {
                interpret::effect(scene, &call, effect);
            }
            if !scene.commands_of_programs.is_empty()
                && let Some(stream) = git_config::alias(scene, &call)
            {
                return stream;
            }
            convention::unknown_command(scene, &call)
        }
    }
}

/// `x monitors` lists; `x monitors delete 7` and `x vcl snippet delete` do not, though nobody listed them: a thing, or
/// two, with a verb behind.
fn names_a_verb_behind(words: &[Word], leading: &[usize], taken: usize) -> bool {
    let at = |place: usize| leading.get(place).and_then(|at| words.get(*at)).filter(|word| word.is_known());
    let is_thing = |place: usize| at(place).is_some_and(|word| convention::is_thing(&word.text));
    let changes = |place: usize| at(place).is_some_and(|word| convention::changes(&word.text));
    let Some(last) = taken.checked_sub(1) else { return false };
    is_thing(last) && (changes(taken) || is_thing(taken) && changes(taken + 1))
}

/// Whether a command only makes or changes things, and runs nothing.
fn is_mild(command: &Spec) -> bool {
    let mild = [Operation::Read, Operation::List, Operation::Create, Operation::Update, Operation::Alter];
    command.handler.is_none()
        && command.inner.is_empty()
        && command.code.is_empty()
        && command.effects.iter().all(|effect| mild.contains(&effect.does.operation))
}

/// Whether a program with commands also means something without one.
fn is_own(spec: &Spec) -> bool {
    !(spec.effects.is_empty() && spec.code.is_empty() && spec.inner.is_empty() && spec.handler.is_none())
}

fn wants_variables(spec: &Spec) -> bool {
    let places = &spec.places;
    [&places.host, &places.database, &places.account, &places.cluster, &places.stage]
        .iter()
        .any(|place| place.is_some())
}

fn harmless(scene: &mut Scene<'_>, call: &Call<'_>, operation: Operation) {
    let kind = call.program.subject.unwrap_or(ResourceKind::Item);
    let word = call.operand(0).cloned().unwrap_or_default();
    let mut effect = Effect::new(operation, settle::named(kind, &word));
    effect.by.clone_from(&call.by);
    effect.span = call.head.or(call.invocation.span);
    scene.effect(effect);
}

fn manner<'p>(program: &Spec, command: Option<&Spec>, name: &'p str) -> Manner<'p> {
    let place = command.and_then(|command| command.options).or(program.options).unwrap_or_default();
    Manner { style: program.style, place, prefixes: program.prefixes, unlisted: program.unknown, program: name }
}

/// The program's word and those that select the command.
fn head(invocation: &Invocation<'_>, skip: &[usize]) -> Option<Span> {
    let first = invocation.words.first()?.span?;
    let last = match skip.last() {
        Some(at) => invocation.words.get(at + 1)?.span?,
        None => first,
    };
    (first.start <= last.end).then(|| Span::new(first.start, last.end))
}

fn asks_for_help(call: &Call<'_>, spec: &Spec, taken: usize, has_commands: bool) -> bool {
    let unlisted = |name: &str| call.parsed.options.iter().any(|given| !given.listed && given.names.has(name));
    if call.spec().nothing.holds(call) || unlisted("--help") || unlisted("-h") || unlisted("-help") {
        return true;
    }
    // `helm install --version 1.2` is no question.
    let alone = taken == 0 && call.parsed.operands.is_empty();
    if alone && (unlisted("--version") || unlisted("-V") || unlisted("-version")) {
        return true;
    }
    let help = |at| call.operand(at).is_some_and(|word| word.text == "help");
    has_commands && taken == 0 && help(0) && spec.style != super::spec::Style::None
}

/// Indices of the first words that are no options and no values of options.
fn leading_words(words: &[Word], spec: &Spec, program: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let own = Table { levels: vec![spec] };
    let mut at = 0;
    while let Some(word) = words.get(at).filter(|_| found.len() < MOST_WORDS) {
        let text = &*word.text;
        at += 1;
        if !flags::looks_like_option(text, spec.style) {
            found.push(at - 1);
            continue;
        }
        if text == "--" {
            break;
        }
        let name = text.split('=').next().unwrap_or(text);
        let attached = name.len() < text.len();
        let arity = own.find(name).map(|(_, arity)| arity).or_else(|| further(words, &found, spec, name));
        let cluster_end = || {
            let last = text.chars().next_back().map(|last| format!("-{last}")).unwrap_or_default();
            !text.starts_with("--") && text.len() > 2 && own.find(&last).is_some_and(|(_, arity)| arity == Arity::Value)
        };
        let takes = match arity {
            Some(arity) => arity == Arity::Value && !attached,
            None if spec.unknown == Unlisted::Value || values::takes_one(program, name) => {
                !attached && words.get(at).is_some_and(|w| !w.text.starts_with('-'))
            }
            // Its value, when the next word is no command but the one after it is.
            None => cluster_end() && text.len() == 2 || !attached && found.is_empty() && hides_a_value(words, at, spec),
        };
        at += usize::from(takes);
    }
    found
}

fn hides_a_value(words: &[Word], at: usize, spec: &Spec) -> bool {
    let starts = |word: Option<&Word>| {
        word.is_some_and(|word| {
            let known = |patterns: &super::pattern::Patterns| patterns.begins(&word.text);
            known(&spec.lists)
                || known(&spec.reads)
                || known(&spec.plain)
                || spec.command.iter().any(|c| known(&c.name))
        })
    };
    !starts(words.get(at)) && starts(words.get(at + 1))
}

/// How the commands that the words so far can lead to take an option: `docker compose -f x down`.
fn further(words: &[Word], found: &[usize], spec: &Spec, name: &str) -> Option<Arity> {
    if found.is_empty() {
        return None;
    }
    let so_far: Vec<&str> = found.iter().filter_map(|at| words.get(*at)).map(|word| &*word.text).collect();
    let led_to = spec.command.iter().filter(|command| command.name.continues(&so_far));
    let mut arities = led_to.filter_map(|command| Table { levels: vec![command] }.find(name)).map(|(_, arity)| arity);
    let first = arities.next()?;
    Some(if arities.any(|arity| arity == Arity::Value) { Arity::Value } else { first })
}

fn select<'s>(words: &[Word], leading: &[usize], spec: &'s Spec) -> (Selected<'s>, usize) {
    let names: Vec<&str> = leading.iter().filter_map(|at| words.get(*at)).map(|word| &*word.text).collect();
    let mut best: Option<(Fit, Selected<'s>)> = None;
    let mut offer = |fit: Option<Fit>, selected: Selected<'s>| {
        if let Some(fit) = fit
            && best.as_ref().is_none_or(|(known, _)| better(fit, *known))
        {
            best = Some((fit, selected));
        }
    };
    for command in &spec.command {
        offer(command.name.fit(&names), Selected::Command(command));
    }
    offer(spec.lists.fit(&names), Selected::Harmless(Some(Operation::List)));
    offer(spec.reads.fit(&names), Selected::Harmless(Some(Operation::Read)));
    offer(spec.plain.fit(&names), Selected::Harmless(None));
    best.map_or((Selected::Program, 0), |(fit, selected)| (selected, fit.words))
}

/// More words named outright, then more that match a pattern, then the earlier: `gcloud ** delete` must not be
/// taken in by an operand that is called like a command.
fn better(new: Fit, old: Fit) -> bool {
    (new.exact, new.near) > (old.exact, old.near)
        || (new.exact, new.near) == (old.exact, old.near) && new.words < old.words
}

/// Sorts the words of a program nobody described.
pub(super) fn sorted(words: &[Word]) -> Parsed<'_> {
    let mut parsed = Parsed::default();
    let mut dashes = false;
    for word in words {
        if !dashes && &*word.text == "--" {
            parsed.dashes = Some(parsed.operands.len());
            dashes = true;
        } else if dashes || !flags::looks_like_option(&word.text, super::spec::Style::Gnu) {
            parsed.operands.push(Cow::Borrowed(word));
        }
    }
    parsed
}
