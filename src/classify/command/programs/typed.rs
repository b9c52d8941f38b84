//! Programs with a command language of their own that hands commands to a shell: `:!rm x` in vim, `+!rm x` in less,
//! `shell rm x` in gdb, `\!` in a client, one tmux command behind another.

use crate::classify::command::{Stream, call::Call, unread, within};
use crate::classify::{Language, Scene, Word};

/// What stands in options, operands and standard input of an editor, a pager or a debugger.
pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    for word in call.invocation.words.get(1..).unwrap_or_default() {
        let debugger = call.by.contains("db");
        if let Some(code) = escaped(&word.text, debugger) {
            within::opened(scene, code, word.span);
            scene.run_word(Language::Shell, code, word.span);
        } else if word.text.contains(['(', ' ']) {
            unread::inside(scene, word);
        }
    }
    // `ed -s f <<< '!rm x'`, `vim -es < script`.
    if let Some((text, span)) = call.invocation.stdin.text.clone() {
        for line in text.lines() {
            if let Some(code) = escaped(line, call.by.contains("db")) {
                scene.run_kept(Language::Shell, code, span);
            }
        }
    }
    // `screen -X stuff 'rm x^M'` types into a shell.
    if call.by == "screen"
        && call.value("-X").is_some_and(|word| matches!(&*word.text, "stuff" | "exec" | "screen" | "eval"))
    {
        for word in call.operands() {
            let typed = word.text.replace("\\n", "\n").replace("\\r", "\n").replace("^M", "\n").replace("\\015", "\n");
            let typed = typed.trim_end_matches(['\n', '\r']);
            if typed.contains(' ') {
                scene.run_word(Language::Shell, typed, word.span);
            }
        }
    }
    None
}

/// The shell command in a command of such a language.
fn escaped(text: &str, debugger: bool) -> Option<&str> {
    let text = text.trim_start().trim_start_matches('+').trim_start_matches(':');
    let text = text.strip_prefix("silent").map_or(text, |rest| rest.trim_start_matches('!').trim_start());
    let quoted = text
        .strip_prefix("execute ")
        .or_else(|| text.strip_prefix("exe "))
        .map(|rest| rest.trim_matches(['"', '\'', ' ']));
    let text = quoted.unwrap_or(text);
    if debugger && let Some(code) = ["shell ", "platform shell ", "!"].iter().find_map(|head| text.strip_prefix(head)) {
        return Some(code);
    }
    // `%!`, `1,$!`, `r !`, `w !`: a range or a command before it.
    let range = |c: char| c.is_ascii_digit() || matches!(c, '%' | ',' | '$' | '.');
    let text = text.trim_start_matches(range);
    let text = ["r ", "read ", "w ", "write ", "e "].iter().find_map(|head| text.strip_prefix(head)).unwrap_or(text);
    if let Some(code) = ["terminal ", "term ", "sh -c "].iter().find_map(|head| text.strip_prefix(head)) {
        return Some(code);
    }
    text.trim_start().strip_prefix('!').map(|code| code.trim_start_matches('!')).filter(|code| !code.trim().is_empty())
}

/// `tmux new -d \; send-keys 'rm x' Enter`: what stands behind the semicolons are commands as well.
pub(super) fn chained(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let words = call.invocation.words;
    let ends = |word: &Word| word.text == ";" || word.text == "\\;";
    let mut from = words.iter().position(ends)?;
    loop {
        let rest = &words[from + 1..];
        let next = rest.iter().position(ends);
        let command = &rest[..next.unwrap_or(rest.len())];
        if !command.is_empty() {
            let whole: Vec<Word> = words.first().into_iter().chain(command).cloned().collect();
            within::run_words(scene, call, &whole, false);
        }
        from += 1 + next?;
    }
}

/// `tmux send-keys 'rm x' Enter`: words with spaces are what is typed, the rest are names of keys.
pub(super) fn keys(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    for word in call.operands().filter(|word| word.text.trim().contains(' ')) {
        scene.run_word(Language::Shell, word.text.trim(), word.span);
    }
    None
}
