//! Code in other languages, given inline, by heredoc or in a file the session wrote.
//!
//! One lexer knows strings and comments of all of them; one walk finds calls and follows simple variables; a table
//! for each language says what its calls do. Line-oriented languages (redis, cmd) have readers of their own.

mod act;
mod awk;
mod cmd;
mod lexer;
mod powershell;
mod redis;
mod stores;
mod tables;
mod value;
mod walk;

use crate::model::{GapKind, Hides, Span};

use super::{Language, Scene};

/// Code beyond this is not read.
const MAX_CODE: usize = 1 << 20;

/// Classifies a piece of code in a language that is neither shell nor SQL.
pub fn run(scene: &mut Scene<'_>, language: Language, text: &str) {
    let mut text = text;
    if text.len() > MAX_CODE {
        scene.gap(GapKind::TooLarge, Hides::Anything, None, format!("{language:?} code of {} bytes", text.len()));
        let mut end = MAX_CODE;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text = &text[..end];
    }
    match language {
        Language::Shell | Language::Sql => {}
        Language::PowerShell => powershell::run(scene, text),
        Language::Cmd => cmd::run(scene, text),
        Language::Redis => redis::run(scene, text),
        Language::Awk => awk::run(scene, text),
        language => walk::run(scene, language, text),
    }
    scene.set_template(|| format!("{language:?} code"));
}

/// Classifies code found in a word of the current code.
pub(super) fn hand_over(scene: &mut Scene<'_>, language: Language, code: &str, span: Option<Span>) {
    scene.step(|| label(language, code), span, |scene| scene.run_word(language, code, span));
}

/// Classifies code that stands letter by letter at `span` of the current code, or nowhere in it.
pub(super) fn hand_over_at(scene: &mut Scene<'_>, language: Language, code: &str, span: Option<Span>) {
    scene.step(|| label(language, code), span, |scene| match span {
        Some(span) => scene.run(language, code, span.start),
        None => scene.run_word(language, code, None),
    });
}

fn label(language: Language, code: &str) -> String {
    let line = code.trim().lines().next().unwrap_or("");
    let short: String = line.chars().take(80).collect();
    format!("{language:?} code: {short}")
}

/// The code inside an argument vector that only starts an interpreter: `["bash", "-lc", X]`.
pub(super) fn unwrapped<'w>(words: &[&'w str]) -> Option<(Language, &'w str)> {
    let program = words.first()?.rsplit(['/', '\\']).next()?.to_ascii_lowercase();
    let program = program.strip_suffix(".exe").unwrap_or(&program);
    let (option, code) = match words {
        [_, option, code] => (option.to_ascii_lowercase(), *code),
        _ => return None,
    };
    match program {
        "bash" | "sh" | "zsh" | "dash" | "ksh" if option.starts_with('-') && option.ends_with('c') => {
            Some((Language::Shell, code))
        }
        "powershell" | "pwsh" if option.starts_with("-c") => Some((Language::PowerShell, code)),
        "cmd" if option == "/c" || option == "/k" => Some((Language::Cmd, code)),
        _ => None,
    }
}

/// Words as a shell command that means exactly them.
pub(super) fn quoted<W: AsRef<str>>(words: &[W]) -> String {
    let mut line = String::new();
    for word in words {
        let word = word.as_ref();
        if !line.is_empty() {
            line.push(' ');
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,@%+".contains(&byte);
        if !word.is_empty() && word.bytes().all(plain) {
            line.push_str(word);
        } else {
            line.push('\'');
            line.push_str(&word.replace('\'', r"'\''"));
            line.push('\'');
        }
    }
    line
}
