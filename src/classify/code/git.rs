//! Libraries that run git: their methods are its subcommands (`repo.git.reset("--hard")`, `git.clean("fd")`).

use crate::classify::{Language, Scene, Word};

use super::act::{self, made::Made};
use super::lexer::Kind;
use super::value::Reading;
use super::walk::Call;

/// Whether a name comes from such a library.
pub(super) fn is_library(name: &str) -> bool {
    name.starts_with("git.Repo") || name.starts_with("simple-git")
}

/// Runs the git command that the call stands for; `false` when it stands for none.
pub(super) fn call(scene: &mut Scene<'_>, reading: &Reading<'_>, language: Language, call: &Call) -> bool {
    let made = Made { reading, call };
    let parts: Vec<&str> = call.name.split('.').collect();
    let [.., owner, last] = parts[..] else { return false };
    if parts.len() < 2 || language == Language::Python && parts.len() < 3 {
        return false;
    }
    let last = last.trim_end_matches("()");
    let mut line = match (language, owner.trim_end_matches("()"), last) {
        (Language::Python, "git", "execute") => Vec::new(),
        (Language::Python, "git", _) => vec![Word::known("git"), Word::known(last.replace('_', "-"))],
        (Language::Python, "head", "reset") if made.says("working_tree") => {
            vec![Word::known("git"), Word::known("reset"), Word::known("--hard")]
        }
        (Language::Python, _, "delete_head") => vec![Word::known("git"), Word::known("branch"), Word::known("-D")],
        (Language::Python, _, "push") => vec![Word::known("git"), Word::known("push"), Word::known("origin")],
        (Language::JavaScript, _, "raw") => vec![Word::known("git")],
        (Language::JavaScript, _, "deleteLocalBranch") => {
            vec![Word::known("git"), Word::known("branch"), Word::known("-D")]
        }
        (Language::JavaScript, _, "reset" | "clean" | "push" | "stash" | "checkout" | "rebase" | "branch") => {
            vec![Word::known("git"), Word::known(last)]
        }
        _ => return false,
    };
    for (at, (from, to)) in call.items.iter().enumerate() {
        if made.is_named(at) {
            option(reading, *from, *to, &mut line);
            continue;
        }
        if reading.tokens[*from].is(b'{') {
            // `{ "--force": null }`
            let texts = (from + 1..*to).filter_map(|at| match &reading.tokens[at].kind {
                Kind::Text(word) if word.text.starts_with('-') => Some(Word::clone(word)),
                _ => None,
            });
            line.extend(texts);
            continue;
        }
        for mut word in reading.value(*from, *to).words {
            match last {
                "reset" if language == Language::JavaScript && is_mode(&word) => word.text.insert_str(0, "--"),
                "clean" if language == Language::JavaScript && !word.text.starts_with('-') => {
                    word.text.insert(0, '-');
                }
                _ => {}
            }
            line.push(word);
        }
    }
    act::words(scene, &line, call.span);
    true
}

fn is_mode(word: &Word) -> bool {
    matches!(&*word.text, "hard" | "soft" | "mixed" | "merge" | "keep")
}

/// `force=True` is `--force`, `n=5` is `-n 5`.
fn option(reading: &Reading<'_>, from: usize, to: usize, line: &mut Vec<Word>) {
    let name = reading.tokens[from].text.replace('_', "-");
    let value = reading.word(from + 2, to, 0);
    match &*value.text {
        "False" | "None" | "" => {}
        "True" if name.len() == 1 => line.push(Word::known(format!("-{name}"))),
        "True" => line.push(Word::known(format!("--{name}"))),
        _ if matches!(&*name, "working-tree" | "index" | "refspec" | "istream" | "env") => {}
        text => line.push(Word::known(format!("--{name}={text}"))),
    }
}
