//! What the same text put into files and substitutions before: where code in them comes from, and the code itself.

use crate::classify::{Language, Scene, Word, naming, paths};
use crate::model::{
    Certainty, CodeOrigin, Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Reversibility, Span,
};

use super::call::Call;
use super::interpret;
use super::{Invocation, Stream};

/// What earlier commands of the same text put into the file that `word` names.
pub(super) fn found(scene: &Scene<'_>, word: &Word) -> Option<Stream> {
    if scene.files.is_empty() {
        return None;
    }
    scene.files.get(&word.text).or_else(|| scene.files.get(&key(scene, word))).cloned()
}

/// The text that was written into a file, when all of it shows.
pub(in crate::classify) fn text(scene: &Scene<'_>, file: &Word) -> Option<(String, Option<Span>)> {
    found(scene, file).filter(|stream| !stream.remote && !stream.decoded)?.text
}

fn key(scene: &Scene<'_>, word: &Word) -> String {
    scene.file_key(&paths::resource(scene, word, ResourceKind::File).name)
}

/// Notes that the file now holds what `content` says; beside what it held when `append`.
pub(super) fn put(scene: &mut Scene<'_>, word: &Word, mut content: Stream, append: bool) {
    if !word.is_known() {
        return;
    }
    if append {
        let before = found(scene, word).unwrap_or_default();
        content.text = None;
        content.remote |= before.remote;
        content.decoded |= before.decoded;
    }
    let key = key(scene, word);
    scene.files.insert(key, content);
}

/// Where the code in a file comes from, when the text itself wrote it.
pub(super) fn origin(scene: &Scene<'_>, word: &Word) -> Option<CodeOrigin> {
    let stream = found(scene, word)?;
    // A text that was seen is nothing hidden, even where nobody reads its language.
    came_from(&stream).or_else(|| stream.text.is_none().then_some(CodeOrigin::Staged))
}

/// The texts of the files below a folder whose names end so, as far as they were written.
pub(in crate::classify) fn below(scene: &Scene<'_>, folder: &Word, endings: &[&str], deep: bool) -> Vec<String> {
    const MOST: usize = 32;
    if scene.files.is_empty() || !folder.is_known() {
        return Vec::new();
    }
    let path = key(scene, folder);
    let path = path.trim_end_matches('/');
    let own = |file: &str| {
        let name = file.strip_prefix(path).and_then(|rest| rest.strip_prefix('/'));
        name.is_some_and(|name| (deep || !name.contains('/')) && endings.iter().any(|ending| name.ends_with(ending)))
    };
    let texts = scene.files.iter().filter(|(file, _)| own(file)).take(MOST);
    texts.filter_map(|(_, stream)| stream.text.as_ref().map(|(text, _)| text.clone())).collect()
}

/// Where a file comes from that the text fetched or unpacked.
pub(in crate::classify) fn fetched(scene: &Scene<'_>, file: &Word) -> Option<CodeOrigin> {
    came_from(&found(scene, file)?)
}

/// Where the code comes from that a word is made of: `"$(curl …)"`, `"$x"`.
pub(super) fn origin_of_value(scene: &Scene<'_>, word: &Word) -> Option<CodeOrigin> {
    let parts = word.unknown.iter().filter(|part| part.start == 0);
    parts.filter_map(|part| scene.files.get(&part.name)).find_map(came_from)
}

fn came_from(stream: &Stream) -> Option<CodeOrigin> {
    match stream {
        Stream { remote: true, .. } => Some(CodeOrigin::Remote),
        Stream { decoded: true, .. } => Some(CodeOrigin::Decoded),
        _ => None,
    }
}

/// Runs the text that was written into a file; `false` when it is not known. Without a language its first line says it.
pub(super) fn run(scene: &mut Scene<'_>, invocation: &Invocation<'_>, file: &Word, language: Option<Language>) -> bool {
    let Some(Stream { text: Some((text, span)), remote: false, decoded: false, shown, .. }) = found(scene, file) else {
        return false;
    };
    let Some(language) = language.or_else(|| language_of(&text)) else { return false };
    // Scripts may run each other and themselves.
    if !scene.enter_script() {
        scene.gap(GapKind::TooDeep, Hides::Anything, file.span, "scripts that run scripts");
        return true;
    }
    // What follows the file is `$1` and so on in it.
    let arguments = invocation.behind(file);
    if language == Language::Shell {
        let before = scene.gaps().len();
        scene.scoped(|scene| {
            scene.shell.set_positional(arguments);
            scene.shell.connect(invocation.stdin.clone());
            scene.run_kept(language, &text, span);
            scene.shell.take_output();
        });
        // What is not understood of a script that was there before is code of the workspace, as all of it was before
        // anybody looked.
        if shown && !scene.take_gaps(before, |gap| gap.hides != Hides::Nothing).is_empty() {
            let effect = interpret::code_effect(scene, file, Some(CodeOrigin::Local));
            scene.effect(effect);
        }
    } else {
        scene.called_as_file(arguments, |scene| scene.run_kept(language, &text, span));
    }
    true
}

/// `go run ./cmd/x`: the files of the folder that the text wrote.
fn run_folder(scene: &mut Scene<'_>, invocation: &Invocation<'_>, folder: &Word) -> bool {
    let is = |at: usize, text: &str| invocation.words.get(at).is_some_and(|word| word.text == text);
    if !is(0, "go") || !is(1, "run") || scene.files.is_empty() {
        return false;
    }
    let texts = below(scene, folder, &[".go"], false);
    let mut read = false;
    for text in texts {
        let arguments = invocation.behind(folder);
        if !scene.enter_script() {
            return false;
        }
        scene.called_as_file(arguments, |scene| scene.run_kept(Language::Go, &text, None));
        read = true;
    }
    read
}

/// As [`run`], for a file whose name says its language.
pub(super) fn run_named(scene: &mut Scene<'_>, invocation: &Invocation<'_>, file: &Word) -> bool {
    if run_folder(scene, invocation, file) {
        return true;
    }
    let language = match file.text.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "py" => Language::Python,
        "js" | "mjs" | "cjs" | "ts" | "mts" | "tsx" | "jsx" => Language::JavaScript,
        "rb" => Language::Ruby,
        "pl" => Language::Perl,
        "php" => Language::Php,
        "sh" | "bash" | "bats" => Language::Shell,
        "ps1" => Language::PowerShell,
        "lua" => Language::Lua,
        "R" | "r" => Language::R,
        "go" => Language::Go,
        _ => return false,
    };
    run(scene, invocation, file, Some(language))
}

/// Runs a script: its text when the same text wrote it, else `execute` of the file.
pub(super) fn run_file(scene: &mut Scene<'_>, call: &Call<'_>, file: &Word, language: Language, origin: CodeOrigin) {
    if run(scene, call.invocation, file, Some(language)) {
        return;
    }
    let mut effect = interpret::code_effect(scene, file, Some(origin));
    effect.by.clone_from(&call.by);
    effect.span = file.span.or(call.invocation.span);
    if language == Language::Sql {
        says_what_it_does(scene, &effect);
    }
    scene.effect(effect);
}

/// What code of a language loads from a file: its text when the same text wrote it, else `execute` of the file.
pub(in crate::classify) fn load(scene: &mut Scene<'_>, file: &Word, language: Language, by: &str, span: Option<Span>) {
    if let Some((text, at)) = text(scene, file) {
        if scene.enter_script() {
            scene.run_kept(language, &text, at);
        } else {
            scene.gap(GapKind::TooDeep, Hides::Anything, span, "scripts that run scripts");
        }
        return;
    }
    let mut effect = interpret::code_effect(scene, file, Some(CodeOrigin::Local));
    effect.by = by.to_owned();
    effect.span = file.span.or(span);
    scene.effect(effect);
}

/// `mysql prod < drop_all.sql`: nobody has seen the file, but a name can say that what is in it spares nothing.
pub(super) fn says_what_it_does(scene: &mut Scene<'_>, script: &Effect) {
    const ALL: &[&str] =
        &["all", "everything", "db", "database", "databases", "schema", "tables", "prod", "production"];
    const REMOVES: &[&str] = &["drop", "truncate", "wipe", "nuke", "purge", "destroy", "erase"];
    const KEPT: &[&str] = &["migration", "test", "fixture", "spec", "example", "sample"];
    let path = script.resource.name.to_ascii_lowercase();
    let stem = path.rsplit('/').next().unwrap_or(&path).split('.').next().unwrap_or_default();
    let words = naming::words(stem);
    let one_of = |names: &[&str]| words.iter().any(|word| names.contains(&&**word));
    if !one_of(REMOVES) || !one_of(ALL) || KEPT.iter().any(|name| path.contains(name)) {
        return;
    }
    let mut effect = Effect::new(Operation::Drop, Resource::new(ResourceKind::Table, String::new()));
    (effect.extent, effect.certainty) = (Extent::All, Certainty::Inferred);
    effect.reversible = Reversibility::Unknown;
    (effect.by, effect.span) = (script.by.clone(), script.span);
    scene.effect(effect);
}

/// The language that the first line of a script names; a script without such a line is the shell's.
fn language_of(text: &str) -> Option<Language> {
    let Some(line) = text.strip_prefix("#!").and_then(|rest| rest.lines().next()) else { return Some(Language::Shell) };
    let mut words = line.split_ascii_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    let program = words.find(|word| *word != "env" && !word.starts_with('-'))?;
    match program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.') {
        "sh" | "bash" | "zsh" | "dash" | "ksh" | "ash" => Some(Language::Shell),
        "python" | "pypy" => Some(Language::Python),
        "node" | "bun" => Some(Language::JavaScript),
        "ruby" => Some(Language::Ruby),
        "perl" => Some(Language::Perl),
        "php" => Some(Language::Php),
        "pwsh" => Some(Language::PowerShell),
        "lua" | "luajit" => Some(Language::Lua),
        "Rscript" => Some(Language::R),
        _ => None,
    }
}
