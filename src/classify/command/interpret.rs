//! Applies a spec to a command line: effects, code and commands within, and what comes out.

use crate::classify::{Scene, Word};
use crate::model::{
    Area, CodeOrigin, Effect, Extent, GapKind, Hides, Operation, Place, PlaceKind, Resource, ResourceKind, Span, Zone,
};

use super::call::Call;
use super::condition::Condition;
use super::settle;
use super::spec::{CodeSpec, EffectSpec, Inner, Output, Spec, Subject};
use super::template::Template;
use super::{Invocation, Stream, written};

/// Applies the spec that `call` selected.
pub(super) fn apply(scene: &mut Scene<'_>, call: &Call<'_>) -> Stream {
    in_place(scene, call, within)
}

/// Runs `then` in the folder and the places that the command line names.
pub(super) fn in_place(
    scene: &mut Scene<'_>,
    call: &Call<'_>,
    then: impl FnOnce(&mut Scene<'_>, &Call<'_>) -> Stream,
) -> Stream {
    let mut own_scene = !call.spec().inner.is_empty();
    let cwd = call.levels().find_map(|spec| spec.cwd.as_ref()).and_then(|template| template.word(call));
    let mut places = Vec::new();
    for spec in call.levels() {
        collect_places(spec, call, &mut places);
    }
    own_scene |= cwd.is_some() || !places.is_empty();
    if !own_scene {
        return then(scene, call);
    }
    scene.scoped(|scene| {
        if let Some(folder) = cwd {
            scene.cwd = folder.value().map(|folder| crate::classify::paths::normalise(scene, folder));
        }
        for place in places {
            if !scene.places.contains(&place) {
                scene.places.push(place);
            }
        }
        then(scene, call)
    })
}

fn within(scene: &mut Scene<'_>, call: &Call<'_>) -> Stream {
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
    for code in &spec.code {
        if chosen(code.when.as_ref(), &code.unless, call) {
            run_code(scene, call, code);
        }
    }
    for inner in &spec.inner {
        if chosen(inner.when.as_ref(), &inner.unless, call) {
            stream = run_inner(scene, call, inner).or(stream);
        }
    }
    stream.unwrap_or_else(|| output(scene, call, mark))
}

pub(super) fn chosen(when: Option<&Condition>, unless: &Condition, call: &Call<'_>) -> bool {
    when.is_none_or(|when| when.holds(call)) && !unless.holds(call)
}

/// An option nobody listed is worth a note where there is more to a command than looking.
fn unlisted_options(scene: &mut Scene<'_>, call: &Call<'_>, mark: usize) {
    let harmless = |effect: &Effect| matches!(effect.operation, Operation::Read | Operation::List | Operation::Connect);
    if call.program.unknown != super::spec::Unlisted::Gap || scene.since(mark).iter().all(harmless) {
        return;
    }
    for given in call.parsed.options.iter().filter(|given| !given.listed) {
        let span = call.invocation.words.get(given.at + 1).and_then(|word| word.span);
        let detail = format!("{} {}", call.by, given.names.first());
        scene.gap(GapKind::UnknownOption, Hides::Nothing, span, detail);
    }
}

fn collect_places(spec: &Spec, call: &Call<'_>, places: &mut Vec<Place>) {
    let named = [
        (PlaceKind::Host, &spec.places.host),
        (PlaceKind::Database, &spec.places.database),
        (PlaceKind::Account, &spec.places.account),
        (PlaceKind::Cluster, &spec.places.cluster),
        (PlaceKind::Stage, &spec.places.stage),
    ];
    for (kind, template) in named {
        let Some(word) = template.as_ref().and_then(|template| template.word(call)) else { continue };
        place(kind, &word.text, places);
    }
}

/// A place by its name, or by a URL or `key=value` string that has a host and a database in it.
pub(super) fn place(kind: PlaceKind, text: &str, places: &mut Vec<Place>) {
    let mut push = |kind, name: &str| {
        let place = Place { kind, name: name.to_owned() };
        if !name.is_empty() && !places.contains(&place) {
            places.push(place);
        }
    };
    if let Some((_, rest)) = text.split_once("://") {
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        push(PlaceKind::Host, host.split(':').next().unwrap_or(host));
        if kind == PlaceKind::Database {
            push(PlaceKind::Database, path.split(['?', '/']).next().unwrap_or(path));
        }
        return;
    }
    if kind == PlaceKind::Database && text.contains('=') {
        for (key, value) in text.split_ascii_whitespace().filter_map(|pair| pair.split_once('=')) {
            match key {
                "host" | "hostaddr" => push(PlaceKind::Host, value),
                "dbname" => push(PlaceKind::Database, value),
                _ => {}
            }
        }
        return;
    }
    let name = if kind == PlaceKind::Host { text.rsplit_once('@').map_or(text, |(_, host)| host) } else { text };
    // `mongosh clean.js` runs a file; there is no database of that name.
    if kind != PlaceKind::Database || !name.ends_with(".js") {
        push(kind, name);
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
            scene.effect(effect);
        }
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
            let mut effect = Effect::new(operation, settle::named(kind, word));
            effect.cascades = recursive;
            if word.glob {
                effect.extent = crate::classify::paths::extent(word);
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
        Effect::new(Operation::Execute, crate::classify::paths::resource(scene, word, ResourceKind::Code))
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

fn run_code(scene: &mut Scene<'_>, call: &Call<'_>, code: &CodeSpec) {
    let outer = scene.dialect.clone();
    if let Some(dialect) = &code.dialect {
        scene.dialect = Some(dialect.clone());
    }
    if let Some(template) = &code.from {
        for word in template.words(call).iter().filter(|word| !word.text.is_empty()) {
            run_text(scene, call, code.language, word);
        }
    }
    if let Some(template) = &code.file {
        for word in template.words(call).iter().filter(|word| !word.text.is_empty() && word.text != "-") {
            written::run_file(scene, call, word, code.language, CodeOrigin::Local);
        }
    }
    if code.stdin {
        run_stdin(scene, call, code.language);
    }
    scene.dialect = outer;
}

/// Whether nothing can be read of the code in a word: all of it comes from elsewhere, or what runs first does.
fn is_unknown_code(scene: &Scene<'_>, word: &Word) -> bool {
    word.unknown.iter().any(|part| part.start == 0 && part.end == word.text.len())
        || written::origin_of_value(scene, word).is_some()
}

/// Runs the code in a word; what of it is not known is a gap.
pub(super) fn run_text(scene: &mut Scene<'_>, call: &Call<'_>, language: crate::classify::Language, word: &Word) {
    if is_unknown_code(scene, word) {
        let mut effect = Effect::new(Operation::Execute, settle::named(ResourceKind::Code, word));
        let origin = written::origin_of_value(scene, word);
        effect.code = origin.or(Some(CodeOrigin::Dynamic));
        effect.by.clone_from(&call.by);
        effect.span = word.span;
        scene.effect(effect);
        if origin.is_none() {
            scene.gap(GapKind::DynamicCode, Hides::Anything, word.span, &*word.text);
        }
        return;
    }
    if language != crate::classify::Language::Shell {
        for part in &word.unknown {
            scene.gap(GapKind::UnresolvedVariable, Hides::Target, word.span, &*part.name);
        }
    }
    scene.run_word(language, &word.text, word.span);
}

/// Runs what comes in on standard input.
pub(super) fn run_stdin(scene: &mut Scene<'_>, call: &Call<'_>, language: crate::classify::Language) {
    let stdin = call.invocation.stdin;
    if !stdin.connected {
        return;
    }
    if let Some((text, span)) = &stdin.text {
        scene.run_word(language, text, *span);
        return;
    }
    let (origin, name) = match stdin.carries.first() {
        _ if stdin.remote => (CodeOrigin::Remote, String::new()),
        _ if stdin.decoded => (CodeOrigin::Decoded, String::new()),
        Some(file) if matches!(file.kind, ResourceKind::File) => (CodeOrigin::Local, file.name.clone()),
        _ => {
            scene.gap(GapKind::HiddenCode, Hides::Anything, call.invocation.span, format!("what {} reads", call.by));
            (CodeOrigin::Dynamic, String::new())
        }
    };
    let mut effect = Effect::new(Operation::Execute, Resource::new(ResourceKind::Code, name));
    if let Some(file) = stdin.carries.first() {
        effect.resource.areas = file.areas;
    }
    let staged = origin == CodeOrigin::Local && effect.resource.areas.has(Area::Temporary);
    effect.code = Some(if staged { CodeOrigin::Staged } else { origin });
    effect.by.clone_from(&call.by);
    effect.span = call.head.or(call.invocation.span);
    scene.effect(effect);
}

fn run_inner(scene: &mut Scene<'_>, call: &Call<'_>, inner: &Inner) -> Option<Stream> {
    let words =
        |template: &Template| template.words(call).into_iter().map(|word| word.into_owned()).collect::<Vec<_>>();
    let before = inner.before.split_ascii_whitespace().map(Word::known);
    let simple = inner.words.as_ref().map(|template| before.chain(words(template)).collect::<Vec<_>>());
    let simple = simple.filter(|words| !words.is_empty());
    let text = inner.shell.as_ref().map(words).filter(|words| words.iter().any(|word| !word.text.is_empty()));
    if simple.is_none() && text.is_none() {
        return None;
    }
    scene.scoped(|scene| {
        scene.elevated |= inner.elevated;
        if inner.elsewhere {
            scene.elsewhere = true;
            scene.cwd = None;
        }
        let mut stream = None;
        scene.step(
            || call.by.clone(),
            call.invocation.span,
            |scene| {
                if let Some(words) = simple {
                    stream = Some(run_words(scene, call, &words, inner.assignments));
                }
                if let Some(words) = text {
                    stream = Some(run_shell(scene, call, &words));
                }
            },
        );
        stream
    })
}

/// Runs words as a simple command that stands in the place of `call`.
pub(super) fn run_words(scene: &mut Scene<'_>, call: &Call<'_>, words: &[Word], assignments: bool) -> Stream {
    let mut set = call.invocation.assignments.to_vec();
    let mut from = 0;
    while let Some(word) = words.get(from).filter(|_| assignments) {
        let Some((name, value)) = word.text.split_once('=') else { break };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            break;
        }
        set.push((name.to_owned(), word.is_known().then(|| value.to_owned())));
        from += 1;
    }
    let words = words.get(from..).unwrap_or_default();
    if words.is_empty() {
        return Stream::default();
    }
    let span = match (words.first().and_then(|word| word.span), words.last().and_then(|word| word.span)) {
        (Some(first), Some(last)) if first.start <= last.end => Some(Span::new(first.start, last.end)),
        _ => call.invocation.span,
    };
    let invocation = Invocation { words, span, stdin: call.invocation.stdin, assignments: &set };
    super::run_nested(scene, &invocation)
}

/// Runs words, joined by spaces, as shell code that reads the standard input of `call`.
pub(super) fn run_shell(scene: &mut Scene<'_>, call: &Call<'_>, words: &[Word]) -> Stream {
    let stdin = call.invocation.stdin.clone();
    if let [only] = words {
        if is_unknown_code(scene, only) {
            run_text(scene, call, crate::classify::Language::Shell, only);
            return Stream { connected: true, ..Stream::default() };
        }
        return scene.run_piped(&only.text, Err(only.span), stdin);
    }
    let text = words.iter().map(|word| &*word.text).collect::<Vec<_>>().join(" ");
    let spans = words.first().and_then(|word| word.span).zip(words.last().and_then(|word| word.span));
    let span = spans.map(|(first, last)| Span::new(first.start, last.end.max(first.start)));
    scene.run_piped(&text, Err(span), stdin)
}

/// What the effects since `mark` would have put on standard output.
fn carried(scene: &mut Scene<'_>, mark: usize) -> Stream {
    let mut stream = Stream::default();
    for effect in scene.since(mark) {
        match effect.operation {
            Operation::Fetch => stream.remote = true,
            Operation::Read | Operation::Export if !effect.resource.name.is_empty() => {
                stream.carries.push(effect.resource.clone());
            }
            _ => {}
        }
    }
    stream
}

/// `find . | grep old`: of everything in a folder, a filter leaves some.
fn narrow(stream: &mut Stream) {
    if let Some(under) = &mut stream.lists_under
        && let Some(base) = under.text.strip_suffix("/*")
    {
        under.text = format!("{base}/{{}}");
    }
}

fn output(scene: &mut Scene<'_>, call: &Call<'_>, mark: usize) -> Stream {
    let connected = Stream { connected: true, ..Stream::default() };
    let Some(stdout) = &call.spec().stdout else { return connected };
    let is = match &stdout.when {
        Some(when) if !when.holds(call) => stdout.otherwise,
        _ => Some(stdout.is),
    };
    match is {
        None | Some(Output::Nothing) => connected,
        Some(Output::Carries) => Stream { connected: true, ..carried(scene, mark) },
        Some(Output::Remote) => Stream { connected: true, remote: true, ..Stream::default() },
        Some(is @ (Output::Passes | Output::Decoded)) => {
            let found = carried(scene, mark);
            let from_files = !found.carries.is_empty();
            let stdin = call.invocation.stdin;
            let mut stream = if from_files { found } else { stdin.clone() };
            stream.remote |= stdin.remote && !from_files;
            // A filter changes the text; only what merely copies it could keep it, and those say so by having no operands.
            if is == Output::Decoded || !call.parsed.operands.is_empty() || call.parsed.options.iter().any(|o| o.listed)
            {
                stream.text = None;
                narrow(&mut stream);
            }
            stream.connected = true;
            stream.decoded |= is == Output::Decoded;
            stream
        }
        Some(Output::Text) => {
            let known = call.operands().all(Word::is_known);
            let text = call.operands().map(|word| &*word.text).collect::<Vec<_>>().join(" ");
            let span = call.operand(0).and_then(|word| word.span);
            Stream { connected: true, text: known.then_some((text, span)), ..Stream::default() }
        }
        Some(Output::Lists) => {
            let under = call.operand(0).cloned().unwrap_or_else(|| Word::known("."));
            Stream { connected: true, lists_under: Some(under), ..Stream::default() }
        }
    }
}
