//! Code in a language that nobody here reads: commands and paths that stand in it as strings behind names that say
//! what is done with them (`os.execute("rm x")`, `do shell script "rm x"`, `unlink("/x")`).

use crate::classify::{Language, Scene, Word};
use crate::model::Operation;

use super::settle;

/// Names whose string is run by a shell, in any language.
const RUNS: &[&str] = &[
    "system",
    "script",
    "execute",
    "popen",
    "exec",
    "shell",
    "spawn",
    "run",
    "shell-command",
    "async-shell-command",
    "call-process",
    "start-process",
    "call-process-shell-command",
    "shell_exec",
    "system2",
    "systemlist",
    "termopen",
    "jobstart",
    "cmd",
    "sh",
    "bash",
    "callCommand",
    "readProcess",
    "rawSystem",
    "run-program",
    "uiop:run-program",
    "ShellExecute",
    "Run",
    "process",
    "term_start",
    "job_start",
    "readAllStandardOutput",
];
/// Names whose string is a path that is removed; with what makes them remove all that is in it.
const REMOVES: &[&str] = &[
    "unlink",
    "remove",
    "rm",
    "delete",
    "delete-file",
    "delete-directory",
    "rmdir",
    "rmtree",
    "rm_rf",
    "rm_r",
    "remove_dir_all",
    "removeDirectoryRecursive",
    "removeFile",
    "deleteRecursively",
    "remove_all",
    "rmdir_recursive",
];
/// More strings than this are not looked at.
const MOST: usize = 32;

/// Finds what the strings in `word` do.
pub(super) fn inside(scene: &mut Scene<'_>, word: &Word) {
    let text = &*word.text;
    let mark = scene.mark();
    let (mut at, mut found) = (0, 0);
    while at < text.len() && found < MOST {
        let rest = &text[at..];
        let length = rest.bytes().take_while(|byte| is_letter(*byte)).count();
        if length == 0 {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        }
        let name = rest[..length].rsplit(['.', ':']).next().unwrap_or_default();
        let begins = text[..at].trim_end_matches([' ', '\t']);
        let statement = begins.is_empty() || begins.ends_with([';', '\n', '{', '[']);
        at += length;
        let (runs, removes) = (RUNS.contains(&name), REMOVES.contains(&name));
        if !runs && !removes {
            continue;
        }
        let open = text[at..].trim_start_matches([' ', '(', '\t', '$', '@', '!']);
        let start = text.len() - open.len();
        let strings = strings(open);
        if let Some(first) = strings.first() {
            found += 1;
            let end = start + first.len().min(open.len());
            if removes {
                let tail = &open[..open.len().min(200)];
                let recursive = name.contains("rec")
                    || name.contains('r') && name.contains("tree")
                    || name.contains("all")
                    || name.contains("directory")
                    || tail.contains("recursive")
                    || tail.contains("rf")
                    || name == "rm_rf";
                let path = Word { span: word.span, ..Word::known(&**first) };
                let effect = settle::on_path(scene, Operation::Delete, &path, recursive);
                if let Some(mut effect) = effect {
                    effect.by = name.to_owned();
                    scene.effect(effect);
                }
            } else if first.contains(' ') || strings.len() == 1 {
                super::within::opened(scene, first, word.span);
                scene.run_word(Language::Shell, first, word.span);
            } else {
                scene.run_word(Language::Shell, &crate::classify::code::quoted(&strings), word.span);
            }
            at = end;
        } else if runs && statement && text[at..].starts_with(' ') {
            // Tcl: the words stand bare, to the end of the statement.
            let code = statement_of(&text[at..]);
            found += 1;
            at += code.len();
            // Braces quote there.
            let code = code.trim().replace(['{', '}'], "'");
            super::within::opened(scene, &code, word.span);
            scene.run_word(Language::Shell, &code, word.span);
        }
    }
    super::inferred(scene, mark);
}

/// The words up to the end of the statement, as long as braces are open beyond it.
fn statement_of(text: &str) -> &str {
    let mut depth = 0usize;
    let end = text.find(|letter| {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => return true,
            '}' => depth -= 1,
            _ => {}
        }
        depth == 0 && matches!(letter, ';' | '\n' | ']')
    });
    end.map_or(text, |end| &text[..end])
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':')
}

/// The string literals at the start of `text`, as far as only commas, `nil` and the like stand between them.
fn strings(text: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), text);
    while found.len() < MOST {
        let quote = match rest.as_bytes().first() {
            Some(quote @ (b'"' | b'\'' | b'`')) => char::from(*quote),
            _ => break,
        };
        let (mut value, mut letters) = (String::new(), rest[1..].char_indices());
        let mut end = None;
        while let Some((at, letter)) = letters.next() {
            if letter == '\\' {
                match letters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, other)) => value.push(other),
                    None => break,
                }
            } else if letter == quote {
                end = Some(at + 2);
                break;
            } else {
                value.push(letter);
            }
        }
        let Some(end) = end else { break };
        found.push(value);
        rest = &rest[end..];
        loop {
            let next = rest.trim_start_matches([' ', ',', '[', '\t', '\n']);
            let next = next.strip_prefix("nil").or_else(|| next.strip_prefix("args=")).unwrap_or(next);
            if next.len() == rest.len() {
                break;
            }
            rest = next;
        }
    }
    found
}
