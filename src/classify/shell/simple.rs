//! One simple command: its words resolved, then a function, an alias, a builtin or a program.

use super::tree::Simple;
use super::walk::silent;
use super::{assign, builtins, call, menus, named, pattern, words};
use crate::classify::command::{self, Invocation, Stream};
use crate::classify::{Language, Scene, Word, paths, secrets};
use crate::model::{
    Area, Certainty, CodeOrigin, Effect, GapKind, Hides, Operation, Resource, ResourceKind, Span, Zone,
};

/// Resolves the words of a simple command and runs it.
pub(super) fn run(scene: &mut Scene<'_>, simple: &Simple<'_>, span: Span, stdin: &Stream) -> Stream {
    if !scene.shell.count_command() {
        scene.gap(GapKind::TooLarge, Hides::Anything, None, "too many commands");
        return Stream::default();
    }
    let mut words = Vec::with_capacity(simple.words.len());
    for raw in &simple.words {
        words::expand(scene, raw, stdin, &mut words);
    }
    if simple.words.is_empty() {
        for assignment in &simple.assignments {
            assign::run(scene, assignment, stdin);
        }
        return silent();
    }
    let prefix: Vec<_> = simple.assignments.iter().map(|it| assign::value(scene, it, stdin)).collect();
    let about = Command { assignments: &prefix, declares: &simple.declares, span: Some(span), stdin };
    let out = command(scene, &words, &about);
    if !prefix.is_empty()
        && let Some(meant) = meant(&words, &prefix)
    {
        // The shell does not say so, but who writes `D=/etc rm -rf $D` means it.
        let mark = scene.mark();
        scene.scoped(|scene| command(scene, &meant, &about));
        for effect in scene.since(mark) {
            effect.certainty = Certainty::Inferred;
        }
    }
    out
}

/// The words with the values that stand before the command in place of variables that are not known otherwise.
fn meant(words: &[Word], prefix: &[(String, Option<String>)]) -> Option<Vec<Word>> {
    let value =
        |name: &str| prefix.iter().rev().find(|(known, _)| known == name).and_then(|(_, value)| value.as_deref());
    if !words.iter().flat_map(|word| &word.unknown).any(|part| value(&part.name).is_some()) {
        return None;
    }
    let filled = |word: &Word| {
        let (mut text, mut from, mut unknown) = (String::new(), 0, Vec::new());
        for part in &word.unknown {
            text.push_str(word.text.get(from..part.start).unwrap_or_default());
            let start = text.len();
            match value(&part.name) {
                Some(value) => text.push_str(value),
                None => {
                    text.push_str(word.text.get(part.start..part.end).unwrap_or_default());
                    unknown.push(crate::classify::Unknown { start, end: text.len(), ..part.clone() });
                }
            }
            from = part.end;
        }
        text.push_str(word.text.get(from..).unwrap_or_default());
        Word { text, unknown, ..word.clone() }
    };
    Some(words.iter().map(filled).collect())
}

/// What surrounds the words of a simple command.
#[derive(Clone, Copy)]
pub(super) struct Command<'c, 't> {
    pub(super) assignments: &'c [(String, Option<String>)],
    pub(super) declares: &'c [super::tree::Assignment<'t>],
    pub(super) span: Option<Span>,
    pub(super) stdin: &'c Stream,
}

/// Runs one simple command whose words are resolved: a function, an alias, a builtin or a program.
pub(super) fn command(scene: &mut Scene<'_>, words: &[Word], about: &Command<'_, '_>) -> Stream {
    let Some(program) = words.first() else { return silent() };
    if is_program(program)
        && let Some(out) = call::run(scene, words, about)
    {
        return out;
    }
    without_functions(scene, words, about)
}

/// Runs one simple command that functions and aliases do not stand in for: a builtin or a program.
pub(super) fn without_functions(scene: &mut Scene<'_>, words: &[Word], about: &Command<'_, '_>) -> Stream {
    let Some(name) = words.first() else { return silent() };
    if name.text.is_empty() {
        return silent();
    }
    if !is_program(name) {
        return dynamic(scene, words, about);
    }
    match builtins::run(scene, words, about) {
        Some(out) => out,
        None => program(scene, words, about),
    }
}

/// Hands a command to the catalogue of programs.
fn program(scene: &mut Scene<'_>, words: &[Word], about: &Command<'_, '_>) -> Stream {
    let invocation = Invocation { words, span: about.span, stdin: about.stdin, assignments: about.assignments };
    let mark = scene.mark();
    if menus::run(scene, words, about.span) {
        return silent();
    }
    for (name, value) in about.assignments {
        // `GIT_PAGER='rm -rf x' git log`: the program runs what it finds there.
        if let Some(code) = value.as_deref().filter(|value| value.contains(' ') && RUN.contains(&&**name)) {
            scene.step(|| name.clone(), about.span, |scene| scene.run_word(Language::Shell, code, about.span));
        }
    }
    if !about.assignments.is_empty() {
        loaded(scene, about);
    }
    let mut out = scene.step(
        || label(words),
        about.span,
        |scene| {
            #[cfg(test)]
            if let Some(stream) = super::tests::recorded(scene, &invocation) {
                return stream;
            }
            command::run(scene, &invocation)
        },
    );
    if !scene.files.is_empty() {
        carried(scene, words, about, mark);
    }
    named::note(scene, words, about, mark);
    secrets::in_command(scene, words, about.stdin, about.span, mark);
    if out.text.is_none() {
        out.text = builtins::simple_output(words).map(|text| (text, scene.outer(about.span)));
    }
    out
}

/// Variables whose value other programs run.
const RUN: &[&str] = &[
    "EDITOR",
    "GIT_EDITOR",
    "GIT_EXTERNAL_DIFF",
    "GIT_PAGER",
    "GIT_SEQUENCE_EDITOR",
    "GIT_SSH_COMMAND",
    "MANPAGER",
    "PAGER",
    "PROMPT_COMMAND",
    "VISUAL",
];

/// Variables that name a file which programs load before anything else.
const LOAD: &[&str] =
    &["BASH_ENV", "ENV", "LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "PYTHONSTARTUP", "PERL5DB", "RUBYOPT"];

/// `BASH_ENV=/tmp/x bash …`: the file is run as well.
fn loaded(scene: &mut Scene<'_>, about: &Command<'_, '_>) {
    for (name, value) in about.assignments.iter().filter(|(name, _)| LOAD.contains(&&**name)) {
        let Some(path) = value.as_deref().filter(|path| path.starts_with(['/', '~', '.'])) else { continue };
        let word = Word { span: about.span, ..Word::known(path) };
        let resource = paths::resource(scene, &word, ResourceKind::Code);
        let staged = resource.areas.has(Area::Temporary);
        let mut effect = Effect::new(Operation::Execute, resource);
        effect.code = Some(if staged { CodeOrigin::Staged } else { CodeOrigin::Local });
        effect.by.clone_from(name);
        effect.span = about.span;
        scene.effect(effect);
    }
}

/// Programs that put their operands into a question to a name server.
const LOOKS_UP: &[&str] = &["dig", "drill", "getent", "host", "nslookup", "ping"];

/// `curl "https://…/?k=$(cat key.pem)"`: a command that sends its words out sends the secrets that substitutions read.
fn carried(scene: &mut Scene<'_>, words: &[Word], about: &Command<'_, '_>, mark: usize) {
    let sends = |effect: &&mut Effect| effect.operation == Operation::Export && effect.zone != Some(Zone::Local);
    let mut sent = scene.since(mark).iter_mut().find(sends).map(|effect| effect.clone());
    // A name that is looked up reaches whoever answers for its domain.
    if sent.is_none()
        && let Some(program) = words.first().filter(|word| LOOKS_UP.contains(&&*word.text))
    {
        let mut effect = Effect::new(Operation::Export, Resource::new(ResourceKind::Item, ""));
        (effect.zone, effect.peer) = (Some(Zone::External), Some("DNS".to_owned()));
        effect.by.clone_from(&program.text);
        effect.span = about.span;
        sent = Some(effect);
    }
    let Some(sent) = sent else { return };
    // Logging in with a token is what the token is for.
    let logs_in = |word: &&Word| !["uthorization", "Bearer", "oken"].iter().any(|name| word.text.contains(name));
    let parts = words.iter().filter(logs_in).flat_map(|word| &word.unknown);
    let secrets: Vec<Resource> = parts
        .filter_map(|part| scene.files.get(&part.name))
        .flat_map(|stream| &stream.carries)
        .filter(|resource| resource.areas.has(Area::Credential) || resource.kind == ResourceKind::Secret)
        .cloned()
        .collect();
    for resource in secrets {
        scene.effect(Effect { resource, span: about.span, ..sent.clone() });
    }
}

fn label(words: &[Word]) -> String {
    const MOST: usize = 80;
    let mut label = String::new();
    for word in words {
        if !label.is_empty() {
            label.push(' ');
        }
        label.extend(word.text.chars().take(MOST));
        if label.len() > MOST {
            label.push('…');
            break;
        }
    }
    label
}

/// Whether the words say which program is run: its folder may be unknown, its name may not.
fn is_program(word: &Word) -> bool {
    let name = word.text.rfind('/').map_or(0, |at| at + 1);
    let pattern = word.glob && word.text != "[" && word.text[name..].contains(['*', '?', '[']);
    !pattern && name < word.text.len() && word.unknown.iter().all(|part| part.end <= name)
        || word.is_known() && !word.glob
}

/// Programs that `/???/r?` would be written for.
const LIKELY: &[&str] = &[
    "rm",
    "dd",
    "sh",
    "bash",
    "git",
    "cat",
    "curl",
    "wget",
    "chmod",
    "chown",
    "mv",
    "cp",
    "find",
    "shred",
    "mkfs",
    "mkfs.ext4",
    "truncate",
    "nc",
    "ncat",
    "python3",
    "perl",
    "kill",
    "killall",
    "shutdown",
    "reboot",
    "psql",
    "mysql",
    "docker",
    "kubectl",
    "tar",
    "scp",
    "tee",
    "ln",
    "unlink",
    "rmdir",
    "passwd",
    "sudo",
    "env",
    "base64",
    "busybox",
];

/// A command whose program is put together at run time.
fn dynamic(scene: &mut Scene<'_>, words: &[Word], about: &Command<'_, '_>) -> Stream {
    let [program, rest @ ..] = words else { return Stream::default() };
    if program.glob && program.is_known() {
        let name = program.text.rsplit('/').next().unwrap_or_default();
        if let Some(likely) = LIKELY.iter().find(|likely| name != "*" && pattern::matches(likely, name)) {
            let mut words = words.to_vec();
            words[0] = Word { glob: false, text: (*likely).to_owned(), ..program.clone() };
            let mark = scene.mark();
            command(scene, &words, about);
            for effect in scene.since(mark) {
                effect.certainty = Certainty::Inferred;
            }
        }
    }
    let span = program.span.or(about.span);
    if rest.first().is_some_and(|word| word.text == "=" && !word.quoted) {
        scene.gap(GapKind::Unparsed, Hides::Anything, about.span, "looks like PowerShell");
        return Stream::default();
    }
    let fetched = program.unknown.iter().any(|part| scene.files.get(&part.name).is_some_and(|stream| stream.remote));
    if !fetched {
        scene.gap(GapKind::DynamicCode, Hides::Anything, span, program.text.clone());
    }
    let mut resource = Resource::new(ResourceKind::Code, program.text.clone());
    resource.unresolved = true;
    let mut effect = Effect::new(Operation::Execute, resource);
    effect.code = Some(if fetched { CodeOrigin::Remote } else { CodeOrigin::Dynamic });
    effect.by = "shell".to_owned();
    effect.span = span;
    scene.effect(effect);
    // `$SUDO rm …`: a variable that stands for a wrapper, or for nothing.
    if let [unknown] = &*program.unknown
        && !program.quoted
        && ["SUDO", "DRY", "RUN", "ECHO", "TIME", "NICE", "WRAP", "PREFIX"]
            .iter()
            .any(|hint| unknown.name.to_ascii_uppercase().contains(hint))
    {
        command(scene, rest, about);
    }
    Stream::default()
}
