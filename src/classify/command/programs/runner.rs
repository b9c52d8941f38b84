//! Programs that run the command behind their own words, where nobody listed how many words of their own they take.

use crate::classify::command::{Stream, call::Call, convention, program, within};
use crate::classify::{Scene, Word};
use crate::model::{GapKind, Hides, Operation};

/// Words by which a program says that a command follows.
const RUNS: &[&str] = &[
    "run", "exec", "x", "shell", "start", "enter", "do", "with", "call", "launch", "spawn", "cmd", "command",
    "execute", "add", "-c", "-e", "-x",
];

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let words: Vec<Word> = call.operands().cloned().collect();
    // `nix develop -c rm x`, `sg docker -c 'rm x'`: what stands behind the option, in one word or in several.
    let all = call.invocation.words;
    let told = |word: &Word| matches!(&*word.text, "-c" | "--command" | "--run" | "--exec");
    if call.parsed.dashes.is_none()
        && let Some(command) =
            all.iter().position(told).and_then(|at| all.get(at + 1..)).filter(|words| !words.is_empty())
        && (command[0].text.contains(' ') || is_command(scene, &command[0]))
    {
        return Some(if command[0].text.contains(' ') {
            within::run_shell(scene, call, &command[..1])
        } else {
            within::run_words(scene, call, command, true)
        });
    }
    let from = match call.parsed.dashes {
        Some(at) => Some(at),
        None => words.iter().position(|word| is_command(scene, word)),
    };
    let Some(command) = from.and_then(|from| words.get(from..)).filter(|words| !words.is_empty()) else {
        if let [.., last] = &words[..]
            && last.text.contains(' ')
        {
            return Some(within::run_shell(scene, call, std::slice::from_ref(last)));
        }
        if !words.is_empty() && call.spec().effects.is_empty() {
            scene.gap(GapKind::UnknownProgram, Hides::Anything, call.head, &*call.by);
        }
        return None;
    };
    let command = if command[0].text == "-c" { &command[1..] } else { command };
    if let [only] = command
        && only.text.contains(' ')
    {
        return Some(within::run_shell(scene, call, command));
    }
    Some(within::run_words(scene, call, command, true))
}

/// Whether the catalogue knows the program that a word names.
pub(super) fn is_command(scene: &Scene<'_>, word: &Word) -> bool {
    let Some(text) = word.value().filter(|text| !RUNS.contains(text)) else { return false };
    text.starts_with("./") || text.ends_with(".sh") || {
        let name = program::name(text);
        let installed = !text.contains('/') || text.contains("bin/");
        installed && !name.is_empty() && scene.catalog.find(&name).is_some()
    }
}

/// The command that the words of an unknown program seem to run: behind `--`, or a known program where commands stand
/// with options or paths of its own behind it.
pub(in crate::classify::command) fn guessed<'w>(scene: &Scene<'_>, words: &'w [Word]) -> Option<&'w [Word]> {
    let known = |at: usize| words.get(at).is_some_and(|word| is_command(scene, word));
    if let Some(dashes) = words.iter().position(|word| word.text == "--") {
        return known(dashes + 1).then(|| &words[dashes + 1..]);
    }
    // `tool ls -l` lists, whoever does it.
    let lists = |word: &&Word| !word.text.starts_with('-');
    if words.iter().find(lists).is_some_and(|word| convention::verb(&word.text) == Some(Operation::List)) {
        return None;
    }
    let operands: Vec<usize> = (0..words.len()).filter(|at| !words[*at].text.starts_with('-')).take(3).collect();
    let own_words = |at: usize| {
        words.get(at + 1).is_some_and(|next| next.text.starts_with(['-', '/', '~']) || next.text.contains([' ', '=']))
    };
    let at = operands.into_iter().find(|at| known(*at) && own_words(*at))?;
    Some(&words[at..])
}
