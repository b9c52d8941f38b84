//! `tar`: one letter says what it does, with or without a dash, anywhere in a cluster.

use crate::classify::command::{Stream, call::Call, interpret, settle};
use crate::classify::{Language, Scene, Word};
use crate::model::{Effect, Extent, Operation, ResourceKind};

/// Letters that take a value.
const VALUES: &str = "fCTXbgIKNVLF";
/// Long options that take the next word.
const LONG: &[&str] = &[
    "--file",
    "--directory",
    "--exclude",
    "--exclude-from",
    "--files-from",
    "--transform",
    "--xform",
    "--owner",
    "--group",
    "--mode",
    "--mtime",
    "--strip-components",
    "--use-compress-program",
    "--to-command",
    "--checkpoint-action",
    "--suffix",
    "--newer",
    "--listed-incremental",
    "--format",
    "--label",
    "--rsh-command",
    "--info-script",
    "--new-volume-script",
];

#[derive(Default)]
struct Said {
    mode: char,
    archive: Option<Word>,
    folder: Option<Word>,
    removes: bool,
    to_stdout: bool,
    code: Vec<Word>,
    operands: Vec<Word>,
}

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let said = read(call.invocation.words.get(1..).unwrap_or_default());
    for code in &said.code {
        run_code(scene, call, code);
    }
    let stdout = said.archive.as_ref().is_none_or(|archive| archive.text == "-");
    let archive = said.archive.as_ref().filter(|archive| archive.text != "-");
    let mut carries = Vec::new();
    match said.mode {
        'c' | 'r' | 'u' | 'A' => {
            scene.scoped(|scene| {
                if let Some(folder) = &said.folder {
                    scene.cwd = folder.value().map(|folder| crate::classify::paths::normalise(scene, folder));
                }
                for word in &said.operands {
                    let effect = settle::on_path(scene, Operation::Read, word, false);
                    carries.extend(effect.iter().map(|effect| effect.resource.clone()));
                    super::note(scene, call, effect);
                    if said.removes {
                        let effect = settle::on_path(scene, Operation::Delete, word, true);
                        super::note(scene, call, effect);
                    }
                }
            });
            let effect =
                archive.and_then(|word| settle::on_path(scene, Operation::Update, word, false)).map(|mut effect| {
                    effect.extent = if said.mode == 'c' { Extent::All } else { Extent::Some };
                    effect
                });
            super::note(scene, call, effect);
        }
        'x' => {
            let effect = archive.and_then(|word| settle::on_path(scene, Operation::Read, word, false));
            super::note(scene, call, effect);
            if !said.to_stdout {
                let here = Word::known(".");
                let folder = said.folder.as_ref().unwrap_or(&here);
                let effect = settle::on_kind(scene, Operation::Update, folder, ResourceKind::Folder, false);
                let effect = effect.map(|effect| Effect { extent: Extent::Some, ..effect });
                super::note(scene, call, effect);
            }
        }
        't' | 'd' => {
            let effect = archive.and_then(|word| settle::on_path(scene, Operation::Read, word, false));
            super::note(scene, call, effect);
        }
        'D' => {
            let effect = archive.and_then(|word| settle::on_path(scene, Operation::Update, word, false));
            super::note(scene, call, effect);
        }
        _ => {}
    }
    let carries = if stdout { carries } else { Vec::new() };
    Some(Stream { connected: true, carries, decoded: said.to_stdout, ..Stream::default() })
}

/// `exec=…` of a checkpoint, a compress program, a command for each member.
fn run_code(scene: &mut Scene<'_>, call: &Call<'_>, code: &Word) {
    let word = if code.text.starts_with("exec=") { code.tail("exec=".len()) } else { code.clone() };
    if let Some(effect) = super::interactive_shell(&word.text, word.span) {
        scene.effect(effect);
    }
    if word.text.contains(' ') {
        scene.run_word(Language::Shell, &word.text, word.span);
    } else {
        let effect = interpret::code_effect(scene, &word, None);
        super::note(scene, call, Some(effect));
    }
}

fn read(words: &[Word]) -> Said {
    let mut said = Said::default();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        let text = &*word.text;
        if text == "--" {
            said.operands.extend(words.iter().skip(at).cloned());
            break;
        }
        if text.starts_with("--") {
            let name = text.split('=').next().unwrap_or(text);
            let value = if name.len() < text.len() {
                Some(word.tail(name.len() + 1))
            } else if LONG.contains(&name) {
                at += 1;
                words.get(at - 1).cloned()
            } else {
                None
            };
            long(&mut said, name, value);
        } else if text.starts_with('-') && text.len() > 1 || at == 1 {
            // Values of an old-style cluster come in the words after it, one for each letter.
            let letters = text.trim_start_matches('-');
            for (place, letter) in letters.char_indices() {
                if !VALUES.contains(letter) {
                    short(&mut said, letter, None);
                    continue;
                }
                let attached = place + letter.len_utf8();
                let value = if text.starts_with('-') && attached < letters.len() {
                    Some(word.tail(text.len() - letters.len() + attached))
                } else {
                    at += 1;
                    words.get(at - 1).cloned()
                };
                short(&mut said, letter, value);
                if text.starts_with('-') {
                    break;
                }
            }
        } else {
            said.operands.push(word.clone());
        }
    }
    said
}

fn short(said: &mut Said, letter: char, value: Option<Word>) {
    match letter {
        'c' | 'x' | 't' | 'r' | 'u' | 'A' | 'd' => said.mode = letter,
        'f' => said.archive = value,
        'C' => said.folder = value,
        'O' => said.to_stdout = true,
        'I' | 'F' => said.code.extend(value.filter(|word| !is_packer(&word.text))),
        _ => {}
    }
}

fn long(said: &mut Said, name: &str, value: Option<Word>) {
    match name {
        "--create" => said.mode = 'c',
        "--extract" | "--get" => said.mode = 'x',
        "--list" => said.mode = 't',
        "--append" => said.mode = 'r',
        "--update" => said.mode = 'u',
        "--diff" | "--compare" => said.mode = 'd',
        "--delete" => said.mode = 'D',
        "--file" => said.archive = value,
        "--directory" => said.folder = value,
        "--remove-files" => said.removes = true,
        "--to-stdout" => said.to_stdout = true,
        "--to-command" | "--info-script" | "--new-volume-script" | "--rsh-command" => said.code.extend(value),
        "--checkpoint-action" => said.code.extend(value.filter(|word| word.text.starts_with("exec="))),
        "--use-compress-program" => said.code.extend(value.filter(|word| !is_packer(&word.text))),
        _ => {}
    }
}

fn is_packer(program: &str) -> bool {
    let name = program.split_ascii_whitespace().next().unwrap_or_default();
    matches!(
        name,
        "gzip"
            | "pigz"
            | "bzip2"
            | "pbzip2"
            | "xz"
            | "pixz"
            | "zstd"
            | "zstdmt"
            | "lz4"
            | "lzip"
            | "brotli"
            | "compress"
    )
}
