//! From one simple command (a program and its words) to effects.
//!
//! Programs are described by the TOML specs of [`Catalog`]; what no spec describes is read by convention and is a gap.

mod call;
pub mod catalog;
mod complete;
mod condition;
mod convention;
mod flags;
mod interpret;
mod output;
mod pattern;
mod places;
mod program;
#[allow(unreachable_pub, dead_code, reason = "`words!` declares more than each list needs")]
mod programs;
mod select;
mod settle;
#[allow(unreachable_pub, dead_code, reason = "`words!` declares more than each list needs")]
mod spec;
mod template;
mod unread;
mod values;
mod within;
mod written;

pub use catalog::Catalog;
pub(super) use programs::interactive_shell;
pub(super) use settle::is_protected;
pub(super) use within::{begins_sql, opened};
pub(super) use written::{fetched, load, text as written_text};

use std::sync::Arc;

use crate::model::{Action, Effect, GapKind, Hides, Operation, Resource, ResourceKind, Span};

use super::{Scene, Word};

/// One simple command after the shell has resolved its words.
#[derive(Debug)]
pub struct Invocation<'a> {
    /// Program first.
    pub words: &'a [Word],
    /// The whole command in the current piece of code.
    pub span: Option<Span>,
    /// What the command reads on standard input.
    pub stdin: &'a Stream,
    /// `A=1 B=2 program …`; the value is `None` when it is not known.
    pub assignments: &'a [(String, Option<String>)],
}

impl<'a> Invocation<'a> {
    /// The words behind the first that says what `word` says.
    fn behind(&self, word: &Word) -> &'a [Word] {
        let at = self.words.iter().position(|known| known.text == word.text);
        at.and_then(|at| self.words.get(at + 1..)).unwrap_or_default()
    }
}

/// What flows out of one command and into the next.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// Something was redirected or piped in at all.
    pub connected: bool,
    /// The text itself, when it is known (`echo …`, a heredoc), with its place in the action's text: a pipe can end in other code.
    pub text: Option<(String, Option<Span>)>,
    /// The text was fetched from outside (`curl …`).
    pub remote: bool,
    /// The text was unpacked from an encoded form (`base64 -d`, `xxd -r`).
    pub decoded: bool,
    /// Things whose content is in it (`cat ~/.aws/credentials`, `pg_dump shop`).
    pub carries: Vec<Resource>,
    /// Somebody else wrote it before; the session only saw it.
    pub shown: bool,
    /// The query whose answer it is, as far as no filter makes something else of it.
    pub answers: Option<Arc<str>>,
    /// Names of things, one per item, when they are known (`printf '%s\n' a b`, `ls` is not).
    pub lists: Option<Vec<Word>>,
    /// Names of things that are not known one by one, with where they are under (`find /srv -name x`).
    pub lists_under: Option<Word>,
    /// Files that were written with content from outside (`curl -o x`), so that running them later is known to be that.
    pub fetched_into: Vec<Resource>,
}

impl Stream {
    /// Moves the places of the names in it; where they have none in the new code, they lose it.
    pub(super) fn locate(&mut self, place: impl Fn(Span) -> Option<Span>) {
        for word in self.lists.iter_mut().flatten().chain(&mut self.lists_under) {
            word.span = word.span.and_then(&place);
        }
    }
}

/// A command in a command (`sudo env nice …`) deeper than this is a gap.
pub(super) const MAX_WRAPPERS: usize = 32;

/// Finds what one simple command does and says what it writes on standard output.
pub fn run(scene: &mut Scene<'_>, invocation: &Invocation<'_>) -> Stream {
    let Some(first) = invocation.words.first() else { return Stream::default() };
    let Some(name) = first.value() else {
        return dynamic(scene, invocation, first);
    };
    if name.contains('(')
        && let Some(language) = super::shell::language_of_call(name)
    {
        let mark = scene.mark();
        scene.run_word(language, name, first.span);
        inferred(scene, mark);
        return Stream { connected: true, ..Stream::default() };
    }
    if let Some(service) = program::service_of(name) {
        let mut words = vec![Word { text: "service".to_owned(), ..first.clone() }, Word::known(service)];
        words.extend(invocation.words.iter().skip(1).cloned());
        return run_nested(scene, &Invocation { words: &words, ..*invocation });
    }
    if program::is_local(name) && !first.glob && (name.contains('/') || scene.catalog.find(name).is_none()) {
        return local(scene, invocation, first);
    }
    let name = program::name(name);
    let catalog = scene.catalog;
    let spec = catalog.find(&name).or_else(|| catalog.find(program::without_version(&name)));
    let spec = spec.or_else(|| catalog.find(&name.to_ascii_lowercase()));
    match spec {
        Some(spec) => select::run(scene, invocation, spec, &name),
        None => convention::run(scene, invocation, &name),
    }
}

/// As [`run`], for words that stand for a call of an API: the first one is a name of the catalogue, and no path.
pub(super) fn run_as(scene: &mut Scene<'_>, invocation: &Invocation<'_>, name: &str) {
    let catalog = scene.catalog;
    if let Some(spec) = catalog.find(name) {
        select::run(scene, invocation, spec, name);
    }
}

/// As [`run`], for a command that another one runs: how deep that goes is bounded.
fn run_nested(scene: &mut Scene<'_>, invocation: &Invocation<'_>) -> Stream {
    if !scene.enter_command(MAX_WRAPPERS) {
        scene.gap(GapKind::TooDeep, Hides::Anything, invocation.span, "commands nested too deeply");
        return Stream::default();
    }
    let stream = run(scene, invocation);
    scene.leave_command();
    stream
}

/// Marks what was found since `mark` as read from text that does not quite say it.
fn inferred(scene: &mut Scene<'_>, mark: usize) {
    for effect in scene.since(mark) {
        if effect.certainty == crate::model::Certainty::Exact {
            effect.certainty = crate::model::Certainty::Inferred;
        }
    }
}

/// The program itself is not known: `$CMD x`.
fn dynamic(scene: &mut Scene<'_>, invocation: &Invocation<'_>, first: &Word) -> Stream {
    let mut resource = Resource::new(ResourceKind::Code, &*first.text);
    resource.unresolved = true;
    let mut effect = Effect::new(Operation::Execute, resource);
    let origin = written::origin_of_value(scene, first);
    effect.code = origin.or(Some(crate::model::CodeOrigin::Dynamic));
    effect.by.clone_from(&first.text);
    effect.span = first.span.or(invocation.span);
    scene.effect(effect);
    if origin.is_none() {
        scene.gap(GapKind::DynamicCode, Hides::Anything, first.span.or(invocation.span), &*first.text);
    }
    Stream { connected: true, ..Stream::default() }
}

/// A program of the workspace, of which only the place is known: `./deploy.sh`.
fn local(scene: &mut Scene<'_>, invocation: &Invocation<'_>, first: &Word) -> Stream {
    if written::run(scene, invocation, first, None) {
        return Stream { connected: true, ..Stream::default() };
    }
    let mut effect = interpret::code_effect(scene, first, None);
    effect.by = program::name(&first.text).into_owned();
    effect.span = first.span.or(invocation.span);
    scene.effect(effect);
    Stream { connected: true, ..Stream::default() }
}

/// An `exec` action: exact words, no shell.
pub fn run_argv(scene: &mut Scene<'_>, action: &Action) {
    let Some(argv) = action.argv.as_deref() else {
        scene.run(super::Language::Shell, &action.text, 0);
        return;
    };
    let words = program::placed(argv, &action.text);
    let span = Some(Span::new(0, action.text.len()));
    let stdin = Stream::default();
    let invocation = Invocation { words: &words, span, stdin: &stdin, assignments: &[] };
    run(scene, &invocation);
    scene.set_template(|| program::template(&words));
}

#[cfg(test)]
pub(super) mod tests;
