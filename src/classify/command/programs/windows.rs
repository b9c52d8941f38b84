//! `powershell`, `pwsh` and `cmd`: code in their words, in a file or on standard input.

use crate::classify::command::{Invocation, Stream, call::Call, within, written};
use crate::classify::{Language, Scene, Word, code};
use crate::model::{CodeOrigin, Span};

pub(super) fn powershell(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let words = call.invocation.words.get(1..).unwrap_or_default();
    let is_file = |word: &Word| {
        let option = word.text.to_ascii_lowercase();
        option.strip_prefix(['-', '/']).is_some_and(|name| name.starts_with('f') && "file".starts_with(name))
    };
    let is_script = |word: &&Word| word.text.to_ascii_lowercase().ends_with(".ps1") && !word.text.contains(' ');
    let named = words.iter().position(is_file).and_then(|at| words.get(at + 1));
    let script = named.or_else(|| words.first().filter(is_script)).filter(|word| word.text != "-");
    if let Some(script) = script {
        written::run_file(scene, call, script, Language::PowerShell, CodeOrigin::Local);
        return None;
    }
    if call.invocation.stdin.text.is_none() && words.iter().all(|word| word.text.starts_with('-')) {
        within::run_stdin(scene, call, Language::PowerShell);
        return None;
    }
    let words: Vec<Word> = call.invocation.words.iter().map(|word| as_written(scene, word)).collect();
    Some(code::powershell(scene, &Invocation { words: &words, ..*call.invocation }))
}

/// A word without quotes as it stands in the text: its backslashes are those of a path.
fn as_written(scene: &Scene<'_>, word: &Word) -> Word {
    let raw = scene.outer(word.span).and_then(|span| scene.action.text.get(span.start..span.end));
    let plain = |raw: &&str| raw.contains('\\') && !raw.contains(['"', '\'', '$', '`', '\n']);
    match raw.filter(plain) {
        Some(raw) if raw.replace('\\', "") == word.text.replace('\\', "") => {
            Word { text: raw.to_owned(), ..word.clone() }
        }
        _ => word.clone(),
    }
}

pub(super) fn cmd(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let words = call.invocation.words.get(1..).unwrap_or_default();
    // `//c` is how the shells of Windows ports write `/c`.
    let starts_code = |word: &Word| {
        let option = word.text.to_ascii_lowercase();
        matches!(option.trim_start_matches('/'), "c" | "k" | "r") && option.starts_with('/')
    };
    let Some(at) = words.iter().position(starts_code) else {
        within::run_stdin(scene, call, Language::Cmd);
        return None;
    };
    match words.get(at + 1..).unwrap_or_default() {
        [] => {}
        [only] => within::run_text(scene, call, Language::Cmd, only),
        several => {
            let words: Vec<Word> = several.iter().map(|word| as_written(scene, word)).collect();
            let text = words.iter().map(spelled).collect::<Vec<_>>().join(" ");
            let ends = several.first().and_then(|word| word.span).zip(several.last().and_then(|word| word.span));
            let span = ends.map(|(first, last)| Span::new(first.start, last.end.max(first.start)));
            scene.run_word(Language::Cmd, &text, span);
        }
    }
    None
}

/// The word as the command prompt would have it: a blank in it was in quotes.
fn spelled(word: &Word) -> String {
    if word.text.contains(' ') { format!("\"{}\"", word.text) } else { word.text.clone() }
}
