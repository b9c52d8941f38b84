//! `sh`, `bash` and their kin: code in `-c`, in a file, or on standard input.

use crate::classify::command::{Stream, call::Call, within, written};
use crate::classify::{Language, Scene, Word};
use crate::model::CodeOrigin;

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let words = call.invocation.words.get(1..).unwrap_or_default();
    let mut at = 0;
    let (mut code, mut from_stdin) = (false, false);
    while let Some(word) = words.get(at).filter(|word| word.text.len() > 1 && word.text.starts_with(['-', '+'])) {
        at += 1;
        match &*word.text {
            "--" => break,
            "--rcfile" | "--init-file" | "--startup-file" | "-o" | "+o" | "-O" | "+O" | "--init-command" | "-C" => {
                at += 1
            }
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
        let word = words.get(at).filter(|word| word.text != "--").or_else(|| words.get(at + 1))?;
        return Some(within::run_shell(scene, call, std::slice::from_ref(word)));
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
