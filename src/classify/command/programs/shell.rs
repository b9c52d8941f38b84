//! `sh`, `bash` and their kin: code in `-c`, in a file, or on standard input.

use crate::classify::command::{Stream, call::Call, inferred, program, within, written};
use crate::classify::{Language, Scene, Word};
use crate::model::{CodeOrigin, Effect, Operation, Resource, ResourceKind, Span};

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let words = call.invocation.words.get(1..).unwrap_or_default();
    let mut at = 0;
    let (mut code, mut from_stdin) = (false, false);
    while let Some(word) = words.get(at).filter(|word| word.text.len() > 1 && word.text.starts_with(['-', '+'])) {
        at += 1;
        match &*word.text {
            "--" => break,
            "--rcfile" | "--init-file" => {
                if let Some(file) = words.get(at) {
                    written::run_file(scene, call, file, Language::Shell, CodeOrigin::Local);
                }
                at += 1;
            }
            "--startup-file" | "-o" | "+o" | "-O" | "+O" | "--init-command" | "-C" => at += 1,
            "--version" | "--help" => return None,
            "--command" => code = true,
            long if long.starts_with("--") => {}
            cluster => {
                code |= cluster.starts_with('-') && cluster.contains('c');
                from_stdin |= cluster.contains('s');
                if cluster.contains('n') && !cluster.contains('c') {
                    return None;
                }
                at += usize::from(cluster.ends_with('o'));
            }
        }
    }
    if code {
        at += usize::from(words.get(at).is_some_and(|word| word.text == "--"));
        let spread = words.get(at..).unwrap_or_default();
        let code = std::slice::from_ref(words.get(at)?);
        // `bash -c rm -rf x`: a log that joined the words has lost the quotes around them.
        if spread.len() > 1 && program::is_bare(&spread[0]) && super::runner::is_command(scene, &spread[0]) {
            let mark = scene.mark();
            let stream = scene.scoped(|scene| within::run_words(scene, call, spread, false));
            inferred(scene, mark);
            return Some(stream);
        }
        // The word behind the code is `$0`, what follows is `$1` and so on.
        let Some((name, arguments)) = words.get(at + 1..).and_then(<[Word]>::split_first) else {
            return Some(within::run_shell(scene, call, code));
        };
        return Some(scene.scoped(|scene| {
            scene.variables.insert("0".to_owned(), name.value().map(str::to_owned));
            scene.shell.set_positional(arguments);
            within::run_shell(scene, call, code)
        }));
    }
    match words.get(at).filter(|word| !from_stdin && !matches!(&*word.text, "-" | "/dev/stdin" | "/dev/fd/0")) {
        Some(script) => {
            written::run_file(scene, call, script, Language::Shell, origin(script));
        }
        None => within::run_stdin(scene, call, Language::Shell),
    }
    None
}

/// Where the script in a word comes from; `bash <(curl …)` is fetched.
fn origin(script: &Word) -> CodeOrigin {
    let substituted =
        script.unknown.iter().any(|part| part.substitution) && script.text.starts_with(['<', '$', '`', '=']);
    if !substituted {
        return CodeOrigin::Local;
    }
    let fetches = ["curl", "wget", "fetch ", "http"].iter().any(|name| script.text.contains(name));
    if fetches { CodeOrigin::Remote } else { CodeOrigin::Dynamic }
}

/// A shell that another program starts without giving it anything to run: somebody will type into it, here or at the
/// other end of a connection. Nothing that is automatic does so.
pub(in crate::classify) fn interactive_shell(command: &str, span: Option<Span>) -> Option<Effect> {
    // `reset; exec sh`: what runs last stays.
    let last = command
        .rsplit([';', '&'])
        .find(|part| !part.trim().is_empty() && !part.trim().starts_with(|c: char| c.is_ascii_digit()))?;
    let command = if command.contains(['<', '>']) { command } else { last };
    let mut words = command.split_ascii_whitespace().take_while(|word| !word.starts_with('#')).peekable();
    let mut program = words.next()?;
    if program == "exec" {
        program = words.next()?;
    }
    let shells = ["sh", "bash", "zsh", "dash", "ksh", "csh", "tcsh", "fish"];
    let name = program.rsplit('/').next().filter(|name| shells.contains(name))?;
    if words.peek() == Some(&"-c") {
        let (_, inner) = command.split_once("-c ")?;
        return interactive_shell(inner.trim().trim_matches(['"', '\'']), span);
    }
    let empty = |word: &str| {
        matches!(word, "-i" | "-l" | "-p" | "-li" | "-il" | "--login" | "--norc" | "--noprofile" | "-")
            || word.contains(">&")
            || word.contains("<&")
    };
    if !words.all(empty) {
        return None;
    }
    let mut effect = Effect::new(Operation::Execute, Resource::new(ResourceKind::Code, name));
    effect.code = Some(CodeOrigin::Dynamic);
    effect.span = span;
    effect.by = "interactive shell".to_owned();
    Some(effect)
}
