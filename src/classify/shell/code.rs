//! Code that the shell is handed as text or as a file: `eval`, `source`, `trap`.

use super::generated;
use super::redirect::known_file;
use super::simple::Command;
use super::walk::silent;
use crate::classify::command::Stream;
use crate::classify::{Language, Scene, Word, paths};
use crate::model::{Area, CodeOrigin, Effect, GapKind, Hides, Operation, Resource, ResourceKind, Span};

/// `eval`: the words, joined, are code.
pub(super) fn eval(scene: &mut Scene<'_>, words: &[Word], about: &Command<'_, '_>) -> Stream {
    let words = if words.first().is_some_and(|word| word.text == "--") { &words[1..] } else { words };
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return silent() };
    let span = match (first.span, last.span) {
        (Some(first), Some(last)) => Some(Span::new(first.start, last.end.max(first.start))),
        _ => about.span,
    };
    let code = words.iter().map(|word| &*word.text).collect::<Vec<_>>().join(" ");
    let unknown: Vec<_> = words.iter().flat_map(|word| &word.unknown).collect();
    // `eval set -- "$options"` is how scripts take over what getopt has sorted.
    let sorted = words.len() > 2 && words[0].text == "set" && words[1].text == "--";
    if sorted && !unknown.is_empty() {
        scene.shell.positional = None;
        return silent();
    }
    let generated = words.iter().all(|word| word.emptied().trim().is_empty())
        && unknown.iter().all(|part| part.substitution && generated::is_settings(&part.name));
    if generated && !unknown.is_empty() {
        execute(scene, Resource::new(ResourceKind::Code, code), CodeOrigin::Local, "eval", span);
        return Stream::default();
    }
    if !unknown.is_empty() {
        scene.gap(GapKind::DynamicCode, Hides::Anything, span, code.clone());
        let mut origin = CodeOrigin::Dynamic;
        for part in &unknown {
            match scene.files.get(&part.name) {
                Some(stream) if stream.remote => origin = CodeOrigin::Remote,
                Some(stream) if stream.decoded && origin != CodeOrigin::Remote => origin = CodeOrigin::Decoded,
                _ => {}
            }
        }
        execute(scene, Resource::new(ResourceKind::Code, code.clone()), origin, "eval", span);
        // A substitution was walked when the word was resolved; the rest can be read around the variables.
        let nothing_else = words.iter().all(|word| word.emptied().trim().is_empty());
        if nothing_else || unknown.iter().any(|part| part.substitution) {
            return Stream::default();
        }
    }
    scene.step(|| "eval".to_owned(), span, |scene| scene.run_piped(&code, Err(span), about.stdin.clone()))
}

/// `source file` and `. file`.
pub(super) fn source(scene: &mut Scene<'_>, words: &[Word], about: &Command<'_, '_>) -> Stream {
    let words = if words.first().is_some_and(|word| word.text == "--") { &words[1..] } else { words };
    let Some(file) = words.first() else { return silent() };
    let stream = match &*file.text {
        "/dev/stdin" | "-" => Some(about.stdin.clone()),
        _ => known_file(scene, file),
    };
    let resource = if file.unknown.iter().any(|part| part.substitution) {
        Resource::new(ResourceKind::Code, file.text.clone())
    } else {
        paths::resource(scene, file, ResourceKind::Code)
    };
    let origin = match stream {
        Some(Stream { text: Some((text, span)), remote: false, decoded: false, shown: false, .. }) => {
            let span = span.or_else(|| scene.outer(about.span));
            return scene.step(
                || format!("source {}", file.text),
                about.span,
                |scene| {
                    scene.shell.connect(about.stdin.clone());
                    scene.run_kept(Language::Shell, &text, span);
                    scene.shell.take_output()
                },
            );
        }
        Some(stream) if stream.shown => CodeOrigin::Local,
        Some(stream) if stream.remote => CodeOrigin::Remote,
        Some(stream) if stream.decoded => CodeOrigin::Decoded,
        Some(_) if generated::is_settings(&file.text) => CodeOrigin::Local,
        Some(_) if file.unknown.iter().any(|part| part.substitution) => {
            scene.gap(GapKind::DynamicCode, Hides::Anything, file.span, file.text.clone());
            CodeOrigin::Dynamic
        }
        Some(_) => CodeOrigin::Staged,
        None if resource.areas.has(Area::Temporary) => CodeOrigin::Staged,
        None => CodeOrigin::Local,
    };
    execute(scene, resource, origin, "source", about.span);
    Stream::default()
}

/// `trap 'code' SIGNAL`: the code will run some time.
pub(super) fn trap(scene: &mut Scene<'_>, words: &[Word], about: &Command<'_, '_>) {
    let Some(code) = words.iter().find(|word| !word.text.starts_with('-')) else { return };
    // `trap - INT` takes it back.
    if words.first().is_some_and(|word| word.text == "-") || words.len() < 2 || code.text.is_empty() {
        return;
    }
    scene.step(
        || "trap".to_owned(),
        about.span,
        |scene| scene.scoped(|scene| scene.run_word(Language::Shell, &code.text, code.span)),
    );
}

fn execute(scene: &mut Scene<'_>, mut resource: Resource, origin: CodeOrigin, by: &str, span: Option<Span>) {
    resource.unresolved |= origin == CodeOrigin::Dynamic;
    let mut effect = Effect::new(Operation::Execute, resource);
    effect.code = Some(origin);
    effect.by = by.to_owned();
    effect.span = span;
    scene.effect(effect);
}
