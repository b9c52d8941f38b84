//! Applies a spec to a command line: its effects, then the code and commands within, then what comes out.

use std::borrow::Cow;

use crate::classify::{Scene, Word, paths};
use crate::model::{Area, CodeOrigin, Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Zone};

use super::call::Call;
use super::condition::Condition;
use super::spec::{EffectSpec, Subject};
use super::{Stream, convention, output, places, settle, unread, within, written};

/// Applies the spec that `call` selected.
pub(super) fn apply(scene: &mut Scene<'_>, call: &Call<'_>) -> Stream {
    in_place(scene, call, effects_and_code)
}

/// The folder that the command line says to work in: `git -C`, `docker exec -w`.
pub(super) fn folder<'c>(call: &'c Call<'_>) -> Option<Cow<'c, Word>> {
    call.levels().find_map(|spec| spec.cwd.as_ref()).and_then(|template| template.word(call))
}

/// Runs `then` in the folder and the places that the command line names.
pub(super) fn in_place(
    scene: &mut Scene<'_>,
    call: &Call<'_>,
    then: impl FnOnce(&mut Scene<'_>, &Call<'_>) -> Stream,
) -> Stream {
    let mut own_scene = !call.spec().inner.is_empty();
    let cwd = folder(call);
    let mut named = Vec::new();
    for spec in call.levels() {
        places::collect(spec, call, &mut named);
    }
    own_scene |= cwd.is_some() || !named.is_empty();
    if !own_scene {
        return then(scene, call);
    }
    scene.scoped(|scene| {
        if let Some(folder) = cwd {
            scene.cwd = folder.value().map(|folder| paths::normalise(scene, folder));
        }
        for place in named {
            if !scene.places.contains(&place) {
                scene.places.push(place);
            }
        }
        then(scene, call)
    })
}

fn effects_and_code(scene: &mut Scene<'_>, call: &Call<'_>) -> Stream {
    let mark = scene.mark();
    for spec in &call.program.always {
        effect(scene, call, spec);
    }
    let spec = call.spec();
    for effect_spec in &spec.effects {
        effect(scene, call, effect_spec);
    }
    unlisted_options(scene, call, mark);
    let mut stream = None;
    if let Some(handler) = spec.handler {
        stream = handler.run(scene, call);
    }
    let read = scene.mark();
    for code in &spec.code {
        if chosen(code.when.as_ref(), &code.unless, call) {
            within::run_code(scene, call, code);
        }
    }
    if !spec.code.is_empty() && call.levels().any(|level| level.dry_run.holds(call)) {
        rehearse(scene.since(read));
    }
    for inner in &spec.inner {
        if chosen(inner.when.as_ref(), &inner.unless, call) {
            stream = within::run_inner(scene, call, inner).or(stream);
        }
    }
    let mut stream = stream.unwrap_or_else(|| output::output(scene, call, mark));
    if !spec.code.is_empty() && stream.answers.is_none() && !stream.carries.is_empty() {
        stream.answers = within::query(call, &spec.code);
    }
    stream
}

/// A client that changes nothing (`duckdb -readonly`, `bq --dry_run`) changes nothing in the database; the commands that it
/// is told to run on its own machine run all the same.
fn rehearse(effects: &mut [Effect]) {
    use ResourceKind::{Column, Database, Index, Routine, Schema, Table, View};
    for effect in effects {
        effect.dry_run |= matches!(effect.resource.kind, Table | View | Column | Index | Schema | Database | Routine)
            && effect.operation != Operation::Export;
    }
}

pub(super) fn chosen(when: Option<&Condition>, unless: &Condition, call: &Call<'_>) -> bool {
    when.is_none_or(|when| when.holds(call)) && !unless.holds(call)
}

/// An option nobody listed is worth a note where there is more to a command than looking.
fn unlisted_options(scene: &mut Scene<'_>, call: &Call<'_>, mark: usize) {
    let harmless = |effect: &Effect| matches!(effect.operation, Operation::Read | Operation::List | Operation::Connect);
    let is_open = call.levels().any(|spec| spec.unknown != super::spec::Unlisted::Gap);
    if is_open || scene.since(mark).iter().all(harmless) {
        return;
    }
    for given in call.parsed.options.iter().filter(|given| !given.listed) {
        let span = call.invocation.words.get(given.at + 1).and_then(|word| word.span);
        let detail = format!("{} {}", call.by, given.names.first());
        scene.gap(GapKind::UnknownOption, Hides::Nothing, span, detail);
    }
}

/// Notes one effect of a spec, for every name its template gives.
pub(super) fn effect(scene: &mut Scene<'_>, call: &Call<'_>, spec: &EffectSpec) {
    if !chosen(spec.more.when.as_ref(), &spec.more.unless, call) {
        return;
    }
    if spec.does.subject == Subject::Stdin && spec.does.kind.is_none() {
        for resource in stdin_resources(call.invocation.stdin) {
            let mut effect = Effect::new(spec.does.operation, resource);
            dress(call, spec, &mut effect);
            scene.effect(effect);
        }
        return;
    }
    for word in spec.does.name.words(call) {
        if let Some(mut effect) = on_word(scene, call, spec, &word) {
            dress(call, spec, &mut effect);
            unread_code(scene, &effect, &word, call.invocation.stdin);
            // `pytest tests/test_new.py` just after it was written: its text says more than its name.
            let shown = effect.operation == Operation::Execute
                && matches!(effect.code, Some(CodeOrigin::Staged | CodeOrigin::Local));
            if shown && !effect.dry_run && written::run_named(scene, call.invocation, &word) {
                continue;
            }
            scene.effect(effect);
        }
    }
}

/// Code that stands in the command line itself, in a language nobody here reads (`osascript -e 'do …'`), is not a
/// file of the workspace: it could do anything.
pub(super) fn unread_code(scene: &mut Scene<'_>, effect: &Effect, word: &Word, stdin: &Stream) {
    let is_local = effect.operation == Operation::Execute && effect.code == Some(CodeOrigin::Local);
    // `tclsh <<< 'exec rm x'`: the code comes in.
    if is_local
        && word.text.is_empty()
        && let Some((text, span)) = &stdin.text
    {
        let word = Word { text: text.clone(), span: scene.inner(*span), ..Word::default() };
        unread::inside(scene, &word);
        scene.gap(GapKind::HiddenCode, Hides::Anything, word.span, &*effect.by);
        return;
    }
    let text = word.text.trim();
    let is_code = text.contains([' ', '\n', ';', '!']) || text.contains("(\"") || text.contains("('");
    if is_local && effect.resource.kind == ResourceKind::Code && is_code {
        unread::inside(scene, word);
        scene.gap(GapKind::HiddenCode, Hides::Anything, word.span, &*word.text);
    }
}

/// What standard input carries; a nameless thing when that is not known.
pub(super) fn stdin_resources(stdin: &Stream) -> Vec<Resource> {
    if !stdin.connected {
        return Vec::new();
    }
    if stdin.carries.is_empty() {
        return vec![Resource::new(ResourceKind::Item, "stdin")];
    }
    stdin.carries.clone()
}

fn on_word(scene: &Scene<'_>, call: &Call<'_>, spec: &EffectSpec, word: &Word) -> Option<Effect> {
    let (operation, more) = (spec.does.operation, &spec.more);
    let recursive = call.levels().any(|level| level.cascades.holds(call)) || more.cascades.holds(call);
    let mut effect = match spec.does.kind {
        None if word.text.is_empty() => return None,
        None => settle::on_path(scene, operation, word, recursive)?,
        Some(kind @ (ResourceKind::File | ResourceKind::Folder | ResourceKind::Device)) if !word.text.is_empty() => {
            settle::on_kind(scene, operation, word, kind, recursive)?
        }
        Some(ResourceKind::Code) if !word.text.is_empty() => code_effect(scene, word, more.code),
        Some(kind) => {
            let resource = convention::named_by_thing(settle::named(kind, word), operation, &call.by);
            let mut effect = Effect::new(operation, resource);
            effect.cascades = recursive;
            if word.glob {
                effect.extent = paths::extent(word);
            } else if effect.resource.unresolved && word.unknown.iter().any(|part| part.substitution) && !word.quoted {
                effect.extent = Extent::Unknown;
            }
            effect
        }
    };
    effect.span = word.span.or(call.head).or(call.invocation.span);
    Some(effect)
}

/// `execute` of the code in a file: staged when the file stands in a temporary folder.
pub(super) fn code_effect(scene: &Scene<'_>, word: &Word, origin: Option<CodeOrigin>) -> Effect {
    let origin = origin.unwrap_or(CodeOrigin::Local);
    let path = origin == CodeOrigin::Local && !word.text.contains([' ', '=', '(']);
    let mut effect = if path {
        Effect::new(Operation::Execute, paths::resource(scene, word, ResourceKind::Code))
    } else {
        Effect::new(Operation::Execute, settle::named(ResourceKind::Code, word))
    };
    let staged = origin == CodeOrigin::Local && effect.resource.areas.has(Area::Temporary);
    let written = || written::origin(scene, word);
    let seen = if matches!(origin, CodeOrigin::Local | CodeOrigin::Dynamic) { written() } else { None };
    effect.code = seen.or(Some(if staged { CodeOrigin::Staged } else { origin }));
    effect.span = word.span;
    effect
}

/// Puts on what the spec says beside operation and resource.
fn dress(call: &Call<'_>, spec: &EffectSpec, effect: &mut Effect) {
    let more = &spec.more;
    if let Some(extent) = more.extent {
        effect.extent = extent;
    }
    if more.some.holds(call) {
        effect.extent = Extent::Some;
    }
    if more.all.holds(call) {
        effect.extent = Extent::All;
    }
    if let Some(reversible) = more.reversible {
        effect.reversible = reversible;
    }
    effect.code = effect.code.or(more.code);
    effect.guard_off |= more.guard_off.holds(call) || call.levels().any(|level| level.guard_off.holds(call));
    effect.dry_run |= more.dry_run.holds(call) || call.levels().any(|level| level.dry_run.holds(call));
    effect.cascades |= more.cascades.holds(call);
    for area in &more.areas {
        effect.resource.areas = effect.resource.areas.with(*area);
    }
    if let Some(peer) = more.peer.as_ref().and_then(|template| template.word(call)) {
        effect.zone = Some(settle::zone(&peer.text));
        effect.peer = Some(peer.into_owned().text);
    }
    if matches!(effect.operation, Operation::Export | Operation::Fetch) || more.zone.is_some() {
        effect.zone = more.zone.or(effect.zone).or(Some(Zone::Unknown));
    }
    if let Some(count) = more.count.as_ref().and_then(|template| template.word(call)) {
        effect.count = count.text.parse().ok();
    }
    effect.by = more.by.clone().unwrap_or_else(|| call.by.clone());
    effect.span = effect.span.or(call.head).or(call.invocation.span);
}
