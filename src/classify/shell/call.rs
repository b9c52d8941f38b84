//! Functions and aliases that the text defines: remembered, and read where they are called.

use std::rc::Rc;

use super::from_shuck;
use super::simple::{Command, command};
use super::state::Function;
use super::tree::Node;
use super::walk::silent;
use super::words;
use crate::classify::command::Stream;
use crate::classify::{Scene, Word};
use crate::model::{Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Reversibility, Span};

/// Functions that call functions beyond this are not followed.
const MAX_CALLS: usize = 8;

/// Remembers a function.
pub(super) fn define(scene: &mut Scene<'_>, name: &str, body: &str, at: Span) {
    let function = Function { body: body.to_owned(), at, code: scene.shell.code };
    // What was given the name last is what it means.
    scene.shell.aliases.remove(name);
    scene.shell.functions.insert(name.to_owned(), Rc::new(function));
}

/// Runs a function or an alias of the text, if the command names one.
pub(super) fn run(scene: &mut Scene<'_>, words: &[Word], about: &Command<'_, '_>) -> Option<Stream> {
    if scene.shell.functions.is_empty() && scene.shell.aliases.is_empty() {
        return None;
    }
    let [program, rest @ ..] = words else { return None };
    let name = &*program.text;
    if !program.quoted
        && !scene.shell.calls.iter().any(|open| open == name)
        && let Some(text) = scene.shell.aliases.get(name).cloned()
    {
        return Some(alias(scene, &text, words, about));
    }
    let function = scene.shell.functions.get(name).cloned()?;
    if scene.shell.calls.iter().any(|open| open == name) {
        if scene.shell.beside && scene.shell.first_bomb() {
            bomb(scene, about.span);
        }
        return Some(Stream::default());
    }
    if scene.shell.calls.len() >= MAX_CALLS {
        scene.gap(GapKind::TooDeep, Hides::Anything, about.span, "functions call each other too deeply");
        return Some(Stream::default());
    }
    if !scene.shell.count_call(&function.body) {
        scene.gap(GapKind::TooLarge, Hides::Anything, None, "too many commands");
        return Some(Stream::default());
    }
    let outer = scene.shell.positional.replace(rest.into());
    scene.shell.calls.push(name.to_owned());
    let at = if function.code == scene.shell.code { Ok(function.at.start) } else { Err(about.span) };
    let stdin = about.stdin.clone();
    let out = scene.step(|| format!("function {name}"), about.span, |scene| scene.run_piped(&function.body, at, stdin));
    scene.shell.calls.pop();
    scene.shell.positional = outer;
    Some(out)
}

/// Puts an alias in place of the first word. One that is more than words is run as code with the words behind it.
fn alias(scene: &mut Scene<'_>, text: &str, words: &[Word], about: &Command<'_, '_>) -> Stream {
    let [program, rest @ ..] = words else { return silent() };
    scene.shell.calls.push(program.text.clone());
    let mut replaced = Vec::with_capacity(words.len() + 1);
    let parsed = from_shuck::parse(text).ok();
    let script = parsed.as_ref().and_then(|parsed| parsed.script(text)).unwrap_or_default();
    let plain = match &*script {
        [only] if only.redirects.is_empty() && !only.background => match &only.node {
            Node::Simple(simple) if simple.assignments.is_empty() && simple.declares.is_empty() => Some(simple),
            _ => None,
        },
        _ => None,
    };
    let out = if let Some(simple) = plain {
        for raw in &simple.words {
            words::expand(scene, raw, about.stdin, &mut replaced);
        }
        // Places in the alias's text mean nothing here.
        for word in &mut replaced {
            word.span = program.span;
        }
        replaced.extend_from_slice(rest);
        command(scene, &replaced, about)
    } else {
        let mut code = text.to_owned();
        for word in rest {
            code.push(' ');
            code.push_str(&quoted(word));
        }
        scene.run_piped(&code, Err(about.span), about.stdin.clone())
    };
    scene.shell.calls.pop();
    out
}

/// A word written so that the shell reads it back; unknown parts stay as they were written.
pub(in crate::classify) fn quoted(word: &Word) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./=:,@%+*?~".contains(&byte) || byte >= 0x80;
    if !word.is_known() || (!word.text.is_empty() && word.text.bytes().all(plain)) {
        return word.text.clone();
    }
    format!("'{}'", word.text.replace('\'', r"'\''"))
}

/// A function that starts itself beside itself takes the host down.
fn bomb(scene: &mut Scene<'_>, span: Option<Span>) {
    let mut effect = Effect::new(Operation::Stop, Resource::new(ResourceKind::Host, ""));
    effect.extent = Extent::All;
    effect.reversible = Reversibility::No;
    effect.by = "fork bomb".to_owned();
    effect.span = span;
    scene.effect(effect);
}
