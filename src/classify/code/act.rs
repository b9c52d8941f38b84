//! From a call whose meaning is known to effects.

use crate::classify::{Language, Scene, Word, paths};
use crate::model::{Area, CodeOrigin, Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Zone};

use super::tables::Does;
use super::value::{Reading, Value};
use super::walk::Call;

mod loaded;
pub(super) mod made;
mod running;

use made::Made;
use running::{built, evaluated, execute, sql, started};
pub(super) use running::{shell, shell_opened, words};

/// Notes what the call does.
pub(super) fn run(scene: &mut Scene<'_>, reading: &Reading<'_>, language: Language, does: Does, call: &Call) {
    let made = Made { reading, call };
    if matches!(does, Does::Opaque) {
        return scene.gap(GapKind::HiddenCode, Hides::Anything, call.span, &*call.name);
    }
    let Some(first) = made.argument(0) else {
        if language == Language::Perl
            && let (Does::Files(operation), Some(topic)) = (does, reading.variables.get("$_"))
        {
            topic.words.iter().for_each(|word| note(scene, call, operation, word, ResourceKind::File, Extent::One));
        }
        if let Does::OnFile(operation, extent) = does {
            let file = made.receiver();
            return note(scene, call, operation, &file, ResourceKind::File, extent);
        }
        if matches!(does, Does::OnList) {
            return list(scene, call, &[made.receiver()]);
        }
        if matches!(does, Does::OnTree) {
            let folder = made.receiver();
            tree(scene, call, &folder, false);
        }
        return;
    };
    // A program that writes into the shell itself is no person who types.
    let piped = made.option("input").is_some()
        || made.option("stdin").is_some_and(|value| value.words.iter().any(|word| word.text.contains("PIPE")));
    if matches!(does, Does::Command | Does::Shell)
        && let Some(typed) =
            made.option("input").and_then(|value| value.word().and_then(Word::value).map(str::to_owned))
        && let Some(line) = running::line(&first)
    {
        return made.there(scene, |scene| running::fed(scene, &line, typed, call.span));
    }
    if let Some(typed) = made.option("input").filter(|_| opens_shell(&first)) {
        typed.word().into_iter().for_each(|word| shell(scene, word));
    }
    if matches!(does, Does::Shell | Does::Command | Does::Spawn | Does::Program) && !piped {
        let mut typed: Vec<&str> = first.words.iter().filter_map(Word::value).collect();
        let second = made.argument(1).filter(|second| second.list || matches!(does, Does::Program));
        typed.extend(second.iter().flat_map(|value| &value.words).filter_map(Word::value));
        shell_opened(scene, &typed.join(" "), call.span);
        // `IO.popen(line, "r")`: what was heard is the program itself.
        let heard = first.remote && first.words.first().is_some_and(|word| !word.is_known());
        if heard && (first.list || call.items.len() > 1 && !matches!(does, Does::Shell | Does::Command)) {
            execute(scene, call.span, &call.name, CodeOrigin::Remote);
        }
    }
    match does {
        Does::File(operation, extent) => {
            let nothing =
                || made.argument(1).is_some_and(|text| text.word().is_some_and(|word| word.value() == Some("")));
            let empties = (operation, extent) == (Operation::Update, Extent::All)
                && (call.name.to_ascii_lowercase().contains("truncate") || nothing());
            for word in &first.words {
                let operation = if empties { emptied(scene, word) } else { operation };
                note(scene, call, operation, word, ResourceKind::File, extent);
            }
        }
        Does::Files(operation) => {
            for word in (0..call.items.len()).filter_map(|at| made.argument(at)).flat_map(|value| value.words) {
                note(scene, call, operation, &word, ResourceKind::File, Extent::One);
            }
        }
        Does::Tree => {
            let force = made.says("force") || call.name.ends_with("rm_rf");
            let recursive =
                !call.name.rsplit('.').next().is_some_and(|last| matches!(last, "rm" | "rmSync" | "unlink"))
                    || made.says("recursive");
            for word in &first.words {
                if recursive {
                    tree(scene, call, word, force);
                } else {
                    note(scene, call, Operation::Delete, word, ResourceKind::File, Extent::One);
                }
            }
        }
        Does::OnFile(operation, extent) => {
            note(scene, call, operation, &made.receiver(), ResourceKind::File, extent);
        }
        Does::OnTree => tree(scene, call, &made.receiver(), false),
        Does::Between(operation) => {
            first.words.iter().for_each(|word| note(scene, call, operation, word, ResourceKind::File, Extent::One));
            for word in made.argument(1).iter().flat_map(|value| &value.words) {
                note(scene, call, Operation::Update, word, ResourceKind::File, Extent::All);
            }
        }
        Does::OnOpen => {
            let mode = first.word().and_then(Word::value).unwrap_or_default();
            let file = made.receiver();
            if file.is_known() && !mode.is_empty() && mode.bytes().all(|byte| b"rwaxbt+".contains(&byte)) {
                let (operation, extent) = opened(mode);
                note(scene, call, operation, &file, ResourceKind::File, extent);
            }
        }
        Does::Open(mode) => open(scene, language, &made, &first, mode),
        Does::Shell => made.there(scene, |scene| started(scene, &first, call)),
        Does::Command if first.list => made.there(scene, |scene| words(scene, &first.words, call.span)),
        Does::Command => made.there(scene, |scene| started(scene, &first, call)),
        Does::Spawn => {
            let mut all = first.words.clone();
            let arguments = made.argument(1).filter(|value| value.list);
            let arguments = arguments.or_else(|| made.option("args").filter(|value| value.list));
            let alone = arguments.is_none();
            // `os.execv(program, [name, …])` repeats the program as the first word.
            let skip = usize::from(call.name.starts_with("os.exec") || call.name.starts_with("os.spawn"));
            all.extend(arguments.into_iter().flat_map(|value| value.words).skip(skip));
            made.there(scene, |scene| {
                if alone || made.says("shell") {
                    let text = all.iter().map(|word| &*word.text).collect::<Vec<_>>().join(" ");
                    let whole = if alone {
                        all.first().cloned().unwrap_or_default()
                    } else {
                        Word { text, span: call.span, ..Word::default() }
                    };
                    shell(scene, &whole);
                } else {
                    words(scene, &all, call.span);
                }
            });
        }
        Does::Program if call.items.len() == 1 && !first.list => {
            made.there(scene, |scene| started(scene, &first, call))
        }
        Does::Program => {
            let all: Vec<Word> =
                (0..call.items.len()).filter_map(|at| made.plain(at)).flat_map(|value| value.words).collect();
            made.there(scene, |scene| words(scene, &all, call.span));
        }
        Does::Evaluate => evaluated(scene, language, &first, call),
        Does::EvaluateText => {
            let text = first.word().is_some_and(|word| word.is_known() || first.remote || first.decoded);
            if text
                && call
                    .items
                    .first()
                    .is_some_and(|(from, _)| !matches!(reading.tokens[*from].text, "function" | "async"))
            {
                evaluated(scene, language, &first, call);
            }
        }
        Does::Load(at) => {
            if let Some(value) = made.argument(at) {
                loaded::run(scene, reading, language, &value, call);
            }
        }
        Does::Unpack => loaded::unpacked(scene, &made, &first, call),
        Does::Opaque => {}
        Does::Sql if built(scene, &made) => {}
        Does::Sql => sql(scene, &first, call),
        Does::SqlOver => sql(scene, &made.argument(1).unwrap_or_default(), call),
        Does::Onto(at) => {
            let file = made.argument(at).or_else(|| made.option("file")).or_else(|| made.option("con"));
            for word in file.iter().flat_map(|value| &value.words) {
                note(scene, call, Operation::Update, word, ResourceKind::File, Extent::All);
            }
        }
        Does::Http(method) => {
            // `session.delete(user)` is no request: only what looks like an address is asked for.
            let owner = call.name.rsplit('.').nth(1).unwrap_or("");
            let may_differ = matches!(owner, "session" | "client" | "http" | "request");
            let address =
                |word: &Word| word.text.contains(['/', ':']) || word.text.to_ascii_lowercase().contains("url");
            // The client of a test asks the program itself: `client.delete("/items/1")`.
            let itself = may_differ && first.word().is_some_and(|word| word.text.starts_with('/'));
            if !itself && (!may_differ || first.word().is_some_and(address)) {
                // Go says what sort of content it is first.
                made.request(scene, method, &first, if language == Language::Go { 2 } else { 1 });
            }
        }
        Does::Request => {
            let method = first.word().and_then(Word::value).unwrap_or("").to_owned();
            if let Some(url) = made.argument(1) {
                made.request(scene, &method, &url, 2);
            }
        }
        Does::Connect => connect(scene, call, &made, &first),
        Does::Like(program) => like(scene, &made, &first, program),
        Does::List | Does::OnList => list(scene, call, &first.words),
        Does::Remote => scene.scoped(|scene| {
            scene.go_elsewhere();
            started(scene, &first, call);
        }),
        Does::Send => sent(scene, call, &made),
        Does::Each => {
            let listed = made.argument(1).unwrap_or_default();
            let does = first.word().and_then(Word::value).and_then(|name| super::tables::find(language, name));
            if let Some(Does::File(operation, extent)) = does {
                listed.words.iter().for_each(|word| note(scene, call, operation, word, ResourceKind::File, extent));
            } else if matches!(does, Some(Does::Shell)) {
                listed.words.iter().for_each(|word| shell(scene, word));
            }
        }
        Does::Kill => {
            // Perl and Ruby take the signal first.
            let signal_first = matches!(language, Language::Perl | Language::Ruby);
            let which = if signal_first { made.argument(1) } else { None };
            let which = which.as_ref().unwrap_or(&first).word();
            let resource = Resource::new(ResourceKind::Process, which.map_or("", |word| &word.text));
            let mut effect = Effect::new(Operation::Stop, resource);
            // The number of every process stands in `/proc`, and -1 is every one that may be stopped.
            let every =
                |word: &Word| word.text == "-1" || word.glob && word.text.trim_end_matches(['*', '/', '?']) == "/proc";
            if which.is_some_and(every) {
                effect.extent = Extent::All;
            }
            put(scene, call, effect);
        }
    }
}

/// Whether the program that is started is a shell which reads what it is told.
pub(super) fn opens_shell(first: &Value) -> bool {
    let program = first.words.first().map_or("", |word| word.text.rsplit('/').next().unwrap_or(""));
    matches!(program, "sh" | "bash" | "zsh" | "dash" | "ksh") && first.words.len() == 1
}

fn list(scene: &mut Scene<'_>, call: &Call, folders: &[Word]) {
    for folder in folders {
        // A folder that is not known lists nothing worth a thought.
        if folder.is_known() {
            let glob = folder.text.contains(['*', '?']);
            let word = Word { glob, ..folder.clone() };
            note(scene, call, Operation::List, &word, ResourceKind::Folder, Extent::One);
        }
    }
}

/// `os.chmod(path, 0o777)`, `File.chmod(0777, path)`: what the program of that name does.
fn like(scene: &mut Scene<'_>, made: &Made<'_, '_>, first: &Value, program: &str) {
    let is_mode = |word: &Word| word.text.starts_with(|first: char| first.is_ascii_digit()) || word.text.contains('=');
    let mut all: Vec<Word> = first.words.clone();
    all.extend((1..made.call.items.len()).filter_map(|at| made.argument(at)).flat_map(|value| value.words));
    if program == "mv" {
        let line: Vec<Word> = std::iter::once(Word::known(program)).chain(all.into_iter().take(2)).collect();
        return words(scene, &line, made.call.span);
    }
    let (modes, files): (Vec<Word>, Vec<Word>) = all.into_iter().partition(is_mode);
    let mut line = vec![Word::known(program)];
    if made.call.name.ends_with("_R") {
        line.push(Word::known("-R"));
    }
    let mut mode = modes.into_iter().next().unwrap_or_else(|| Word::known("u+r"));
    mode.text = mode.text.trim_start_matches("0o").to_owned();
    line.push(mode);
    line.extend(files);
    words(scene, &line, made.call.span);
}

/// What leaves by a connection or a mail that was opened before: files and the environment.
fn sent(scene: &mut Scene<'_>, call: &Call, made: &Made<'_, '_>) {
    let values: Vec<Value> = call.items.iter().map(|(from, to)| made.reading.value(*from, *to)).collect();
    let peer = made.reading.peer.clone();
    let out = |scene: &mut Scene<'_>, resource: Resource| {
        let mut effect = Effect::new(Operation::Export, resource);
        effect.extent = Extent::All;
        effect.zone = Some(peer.as_deref().map_or(Zone::Unknown, crate::classify::http::zone));
        effect.peer.clone_from(&peer);
        put(scene, call, effect);
    };
    for file in values.iter().flat_map(|value| &value.files) {
        let resource = paths::resource(scene, file, ResourceKind::File);
        out(scene, resource);
    }
    if values.iter().any(|value| value.environment) {
        out(scene, Resource::new(ResourceKind::Secret, "environment"));
    }
}

fn put(scene: &mut Scene<'_>, call: &Call, mut effect: Effect) {
    effect.span = call.span;
    effect.by = call.name.trim_start_matches("?.").to_owned();
    scene.effect(effect);
}

fn note(scene: &mut Scene<'_>, call: &Call, operation: Operation, word: &Word, kind: ResourceKind, extent: Extent) {
    let (mut operation, mut resource) = (operation, paths::resource(scene, word, kind));
    // Deleting a log is deleting what it tells.
    if operation == Operation::Rewrite || operation == Operation::Delete && resource.areas.has(Area::Logs) {
        (operation, resource.kind) = (Operation::Rewrite, ResourceKind::Log);
    }
    let mut effect = Effect::new(operation, resource);
    effect.extent = match word.text.rsplit('/').next() {
        Some("*" | "**" | "*.*") if word.glob => Extent::All,
        _ if word.glob || word.text.contains('*') => Extent::Some,
        _ => extent,
    };
    put(scene, call, effect);
}

fn tree(scene: &mut Scene<'_>, call: &Call, word: &Word, force: bool) {
    let resource = paths::resource(scene, word, ResourceKind::Folder);
    let mut effect = Effect::new(super::removal(&resource), resource);
    effect.extent = Extent::All;
    effect.cascades = true;
    effect.guard_off = force;
    put(scene, call, effect);
}

fn open(scene: &mut Scene<'_>, language: Language, made: &Made<'_, '_>, first: &Value, mode: usize) {
    let text = |value: Option<Value>| value.and_then(|value| value.word().and_then(Word::value).map(str::to_owned));
    let mut file = first.clone();
    let mut how = text(made.argument(mode)).or_else(|| text(made.option("mode"))).unwrap_or_default();
    if language == Language::Perl {
        // `open(my $f, '>', $path)`, `open(F, ">$path")`, `open(F, "cmd |")`.
        let Some(path) = made.argument(2) else {
            let Some(word) = made.argument(1).and_then(|value| value.word().cloned()) else { return };
            let trimmed = word.text.trim().to_owned();
            if trimmed.starts_with('|') || trimmed.ends_with('|') {
                let text = trimmed.trim_matches(['|', ' ']).to_owned();
                return shell(scene, &Word { text, ..word });
            }
            let operation = if trimmed.starts_with('>') { Operation::Update } else { Operation::Read };
            let text = trimmed.trim_start_matches(['>', '<', '+', ' ']).to_owned();
            return note(scene, made.call, operation, &Word { text, ..word }, ResourceKind::File, Extent::All);
        };
        if how.contains('|') {
            return started(scene, &path, made.call);
        }
        file = path;
    }
    let Some(word) = file.word() else { return };
    if language == Language::Ruby && word.text.starts_with('|') {
        let text = word.text.trim_start_matches(['|', ' ']).to_owned();
        return shell(scene, &Word { text, ..word.clone() });
    }
    if word.text.starts_with("http://") || word.text.starts_with("https://") {
        return made.request(scene, "GET", &file, 9);
    }
    how.make_ascii_lowercase();
    let (mut operation, extent) = opened(&how);
    // `open(log, "w").close()`: nothing is written instead.
    if (operation, extent) == (Operation::Update, Extent::All) && made.is_left_empty() {
        operation = emptied(scene, word);
    }
    note(scene, made.call, operation, word, ResourceKind::File, extent);
}

/// What is done to a file that is opened in this way.
fn opened(how: &str) -> (Operation, Extent) {
    if how.contains('a') || how.contains(">>") {
        (Operation::Update, Extent::Some)
    } else if how.contains(['w', '>', 'x']) {
        (Operation::Update, Extent::All)
    } else if how.contains('+') {
        (Operation::Update, Extent::Some)
    } else {
        (Operation::Read, Extent::One)
    }
}

/// What it is to empty a file: a log is rewritten.
fn emptied(scene: &Scene<'_>, word: &Word) -> Operation {
    let log = paths::resource(scene, word, ResourceKind::File).areas.has(Area::Logs);
    if log { Operation::Rewrite } else { Operation::Update }
}

fn connect(scene: &mut Scene<'_>, call: &Call, made: &Made<'_, '_>, first: &Value) {
    let words: Vec<&str> = first.words.iter().map(|word| &*word.text).collect();
    let database = ["sqlite", "psycopg", "mysql", "oracle", "pyodbc", "snowflake", "duckdb"];
    let kind = if database.iter().any(|name| call.name.contains(name)) {
        ResourceKind::Database
    } else {
        ResourceKind::Endpoint
    };
    let mut resource = Resource::new(kind, words.join(":"));
    resource.unresolved = first.words.iter().any(|word| !word.is_known());
    if let Some(host) = made.option("host").and_then(|value| value.word().and_then(Word::value).map(str::to_owned)) {
        (resource.name, resource.unresolved) = (host, false);
    }
    put(scene, call, Effect::new(Operation::Connect, resource));
}
