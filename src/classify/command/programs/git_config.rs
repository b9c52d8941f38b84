//! What git's configuration makes it run: aliases, pagers, editors, filters, helpers, by `-c` or by `git config`.

use crate::classify::command::{MAX_WRAPPERS, Stream, call::Call, within};
use crate::classify::shell::quoted;
use crate::classify::{Language, Scene, Word};

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    for setting in call.values(|names| names.has("-c")) {
        if let Some((key, value)) = setting.text.split_once('=').filter(|_| setting.text.contains('.')) {
            set(scene, key, &setting.tail(key.len() + 1), value);
        }
    }
    if call.by.starts_with("git config") {
        let operands: Vec<&Word> = call.operands().collect();
        let key = operands.iter().position(|word| word.text.contains('.') && !word.text.contains('/'))?;
        let value = operands.get(key + 1)?;
        set(scene, &operands[key].text, value, &value.text);
    }
    None
}

fn set(scene: &mut Scene<'_>, key: &str, word: &Word, value: &str) {
    let key = key.to_ascii_lowercase();
    if let Some(name) = key.strip_prefix("alias.") {
        scene.commands_of_programs.insert(format!("git {name}"), value.to_owned());
        return;
    }
    let helper = key.ends_with(".helper") || key.ends_with(".cmd") || key.ends_with(".textconv");
    let filter = (key.starts_with("filter.") || key.starts_with("merge.") || key.starts_with("diff."))
        && [".clean", ".smudge", ".process", ".driver", ".command", ".external"].iter().any(|tail| key.ends_with(tail));
    let runs = matches!(
        &*key,
        "core.pager"
            | "core.editor"
            | "core.sshcommand"
            | "core.fsmonitor"
            | "core.gitproxy"
            | "core.askpass"
            | "sequence.editor"
            | "diff.external"
            | "gpg.program"
            | "uploadpack.packobjectshook"
            | "browser.cmd"
            | "sendemail.smtpserver"
            | "gc.recentobjectshook"
    ) || key.starts_with("pager.")
        || filter
        || helper;
    let code = value.trim_start_matches('!');
    // A helper's bare name, `true`, is not a command.
    let named = helper && !value.starts_with('!') && !value.contains('/');
    if runs && !named && !matches!(code, "" | "true" | "false") {
        let word = Word { text: code.to_owned(), ..word.clone() };
        within::opened(scene, code, word.span);
        scene.scoped(|scene| scene.run_word(Language::Shell, &word.text, word.span));
    }
}

/// `git tidy`, where an alias of that name was set: what it stands for. `None` when nobody set one.
pub(in crate::classify::command) fn alias(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let name = call.operand(0)?;
    let text = scene.commands_of_programs.get(&format!("{} {}", call.by, name.text))?.clone();
    let words = call.invocation.words;
    let at = words.iter().position(|word| word == name)?;
    if !scene.enter_command(MAX_WRAPPERS) {
        return None;
    }
    let rest = words.get(at + 1..).unwrap_or_default();
    let stream = if let Some(code) = text.strip_prefix('!') {
        let mut code = code.to_owned();
        for word in rest {
            code.push(' ');
            code.push_str(&quoted(word));
        }
        scene.scoped(|scene| scene.run_piped(&code, Err(call.invocation.span), call.invocation.stdin.clone()))
    } else {
        let own = text.split_ascii_whitespace().map(Word::known);
        let whole: Vec<Word> = words[..at].iter().cloned().chain(own).chain(rest.iter().cloned()).collect();
        within::run_words(scene, call, &whole, false)
    };
    scene.leave_command();
    Some(stream)
}
