//! What the shell does itself: folders, variables, code it is handed, and what it prints.

use std::rc::Rc;

use super::simple::{self, Command};
use super::walk::silent;
use super::{assign, call, code, print};
use crate::classify::command::Stream;
use crate::classify::{Scene, Word, paths};
use crate::model::{Effect, Extent, Operation, Resource, ResourceKind, Reversibility, Span};

/// Carries out a builtin; `None` when the command is not one.
pub(super) fn run(scene: &mut Scene<'_>, words: &[Word], about: &Command<'_, '_>) -> Option<Stream> {
    let (program, rest) = words.split_first()?;
    match &*program.text {
        ":" | "true" | "false" | "test" | "[" | "wait" | "jobs" | "fg" | "bg" | "disown" | "times" | "type" | "let"
        | "shopt" | "bind" | "complete" | "compgen" | "compopt" | "enable" | "caller" | "ulimit" | "umask" | "exit"
        | "logout" | "return" | "break" | "continue" | "dirs" | "setopt" | "unsetopt" => {}
        "cd" | "chdir" => change_folder(scene, rest),
        "pushd" => {
            let here = scene.cwd.clone();
            if operand(rest).is_some() {
                change_folder(scene, rest);
            } else if let Some(back) = scene.shell.folders.pop() {
                enter(scene, back);
            }
            scene.shell.folders.push(here);
        }
        "popd" => {
            let back = scene.shell.folders.pop().flatten();
            enter(scene, back);
        }
        "pwd" => return Some(printed(scene.absolute_cwd().map(|cwd| cwd.to_owned() + "\n"), scene.outer(about.span))),
        "echo" => return Some(print::echo(scene, rest, about.span)),
        "printf" => match rest {
            [option, name, rest @ ..] if option.text == "-v" => {
                let value = print::formatted(rest);
                set(scene, &name.text, value);
            }
            _ => return Some(print::printf(scene, rest, about.span)),
        },
        "export" | "declare" | "local" | "typeset" | "readonly" => declare(scene, rest, about),
        "unset" => unset(scene, rest),
        "set" => set_options(scene, rest),
        "shift" => shift(scene, rest),
        "read" => read(scene, rest, about.stdin),
        "mapfile" | "readarray" => {
            let name = rest.last().filter(|word| assign::is_name(&word.text)).map_or("MAPFILE", |word| &word.text);
            assign::unknown(scene, name);
        }
        "getopts" => {
            for name in rest.get(1).map(|word| &*word.text).into_iter().chain(["OPTARG", "OPTIND"]) {
                assign::unknown(scene, name);
            }
        }
        "alias" => alias(scene, rest),
        "unalias" => {
            for word in rest {
                scene.shell.aliases.remove(&word.text);
            }
        }
        "hash" => {
            if let [option, path, name, ..] = rest
                && option.text == "-p"
            {
                scene.shell.aliases.insert(name.text.clone(), call::quoted(path));
            }
        }
        "exec" | "builtin" | "command" => return Some(behind(scene, words, about)),
        "eval" => return Some(code::eval(scene, rest, about)),
        "source" | "." => return Some(code::source(scene, rest, about)),
        "trap" => code::trap(scene, rest, about),
        "history" => return Some(history(scene, rest, about)),
        _ => return None,
    }
    Some(silent())
}

/// What a few programs print when their words say it.
pub(super) fn simple_output(words: &[Word]) -> Option<String> {
    let (program, rest) = words.split_first()?;
    let operand = || operand(rest).and_then(|word| word.value().filter(|_| !word.glob));
    Some(match program.text.rsplit('/').next()? {
        "basename" => {
            let path = operand()?.trim_end_matches('/');
            let name = path.rsplit('/').next()?;
            let suffix = rest.get(1).and_then(Word::value).filter(|suffix| !suffix.is_empty() && name != *suffix);
            suffix.and_then(|suffix| name.strip_suffix(suffix)).unwrap_or(name).to_owned() + "\n"
        }
        "dirname" => match operand()?.trim_end_matches('/').rsplit_once('/') {
            Some(("", _)) => "/\n".to_owned(),
            Some((folder, _)) => folder.to_owned() + "\n",
            None => ".\n".to_owned(),
        },
        "cat" if !rest.is_empty() && rest.iter().all(|word| word.text == "/dev/null") => String::new(),
        // Never empty, never with a slash in it.
        "date" if rest.len() == 1 => rest[0].text.strip_prefix('+').filter(|it| !it.contains('/'))?.to_owned() + "\n",
        "whoami" if rest.is_empty() => "$USER\n".to_owned(),
        "hostname" if rest.is_empty() => "$HOSTNAME\n".to_owned(),
        // Its folder is not known, but what runs is.
        "which" => operand()?.to_owned() + "\n",
        // The name is made up, the folder is not.
        "mktemp" => {
            let template = rest.iter().rev().find(|word| word.text.contains("XXX") && word.is_known());
            match template {
                Some(word) if word.text.contains('/') => word.text.clone() + "\n",
                Some(word) => format!("/tmp/{}\n", word.text),
                None => "/tmp/tmp.XXXXXXXXXX\n".to_owned(),
            }
        }
        _ => return None,
    })
}

fn printed(text: Option<String>, span: Option<Span>) -> Stream {
    Stream { connected: true, text: text.map(|text| (text, span)), ..Stream::default() }
}

/// The first word that is not an option.
fn operand(words: &[Word]) -> Option<&Word> {
    words.iter().find(|word| word.text == "-" || !word.text.starts_with('-'))
}

/// The command behind `exec`, `builtin` and `command`, however many of them stand in a row.
fn behind(scene: &mut Scene<'_>, words: &[Word], about: &Command<'_, '_>) -> Stream {
    let mut rest = words;
    while let [wrapper, after @ ..] = rest {
        let named = match &*wrapper.text {
            "exec" => true,
            "builtin" | "command" => false,
            _ => break,
        };
        rest = after;
        while let [word, after @ ..] = rest
            && let Some(option) = word.text.strip_prefix('-')
        {
            if !named && option.contains('v') {
                let name = after.first().and_then(Word::value).map(|name| name.to_owned() + "\n");
                return printed(name, scene.outer(about.span));
            }
            if !named && option.contains('V') {
                return silent();
            }
            rest = after;
            if option == "-" {
                break;
            }
            if named && option.contains('a') {
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    // A function of that name is not what is meant.
    simple::without_functions(scene, rest, about)
}

fn change_folder(scene: &mut Scene<'_>, words: &[Word]) {
    let Some(word) = operand(words) else {
        let home = scene.home.clone().unwrap_or_else(|| "~".to_owned());
        enter(scene, Some(home));
        return;
    };
    if word.text == "-" {
        let back = scene.shell.old_cwd.clone();
        enter(scene, back);
        return;
    }
    let to = word
        .value()
        .filter(|path| !word.glob && (!scene.shell.lost || scene.cwd.is_some() || paths::is_absolute(path)));
    let to = to.map(|path| paths::normalise(scene, path));
    // Back where it began, which is nowhere known.
    let began = to.as_deref() == Some(".");
    enter(scene, to.filter(|_| !began));
    scene.shell.lost &= !began;
}

fn enter(scene: &mut Scene<'_>, folder: Option<String>) {
    scene.shell.lost = folder.is_none();
    scene.shell.old_cwd = std::mem::replace(&mut scene.cwd, folder);
}

fn set(scene: &mut Scene<'_>, name: &str, value: Option<String>) {
    match value {
        Some(text) => assign::word(scene, name, Word::known(text)),
        None => assign::unknown(scene, name),
    }
}

fn declare(scene: &mut Scene<'_>, words: &[Word], about: &Command<'_, '_>) {
    let flag = |letter: char| words.iter().any(|word| word.text.starts_with('-') && word.text.contains(letter));
    let (refers, functions) = (flag('n'), flag('f') || flag('F'));
    for assignment in about.declares {
        assign::run(scene, assignment, about.stdin);
        if refers {
            assign::unknown(scene, assignment.name);
        }
    }
    if functions {
        return;
    }
    // Operands that only became assignments when they were resolved: `export "A=$x"`.
    for word in words {
        if let Some((name, _)) = word.text.split_once('=')
            && assign::is_name(name)
        {
            let start = name.len() + 1;
            let value = Word {
                text: word.text[start..].to_owned(),
                unknown: word
                    .unknown
                    .iter()
                    .filter(|part| part.start >= start)
                    .map(|part| crate::classify::Unknown {
                        start: part.start - start,
                        end: part.end - start,
                        ..part.clone()
                    })
                    .collect(),
                ..Word::default()
            };
            assign::word(scene, name, value);
        }
    }
}

fn unset(scene: &mut Scene<'_>, words: &[Word]) {
    let functions = words.first().is_some_and(|word| word.text == "-f");
    for word in words {
        if word.text == "HISTFILE" {
            assign::history_off(scene, word.span);
        }
        scene.shell.functions.remove(&word.text);
        if !functions && assign::is_name(&word.text) {
            // It is known to be empty from here on.
            assign::word(scene, &word.text, Word::known(""));
        }
    }
}

fn set_options(scene: &mut Scene<'_>, words: &[Word]) {
    if let [off, name, ..] = words
        && off.text == "+o"
        && name.text == "history"
    {
        assign::history_off(scene, name.span);
    }
    let dashes = words.iter().position(|word| word.text == "--");
    let operands = match dashes {
        Some(at) => &words[at + 1..],
        None => match words.iter().position(|word| !word.text.starts_with(['-', '+']) && word.text != "pipefail") {
            Some(0) => words,
            _ => return,
        },
    };
    scene.shell.positional = Some(operands.into());
}

fn shift(scene: &mut Scene<'_>, words: &[Word]) {
    let by = words.first().map_or(Some(1), |word| word.value()?.parse().ok());
    scene.shell.positional = match (scene.shell.positional.take(), by) {
        (Some(words), Some(by)) => Some(words.get(by..).map(Rc::from).unwrap_or_default()),
        _ => None,
    };
}

/// One name takes the first line as far as it is known (`find x | while read f`: one of those that were found);
/// several names are not followed.
fn read(scene: &mut Scene<'_>, words: &[Word], stdin: &Stream) {
    let mut names = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match &*word.text {
            "-p" | "-d" | "-n" | "-N" | "-t" | "-u" | "-i" => {
                rest.next();
            }
            // An array is not followed: two names say so.
            text if text.starts_with('-') && text.contains('a') => names.push(""),
            text if text.starts_with('-') => {}
            text => names.push(text),
        }
    }
    let line = stdin.text.as_ref().and_then(|(text, _)| text.lines().next());
    match (&*names, line) {
        ([], _) => assign::unknown(scene, "REPLY"),
        ([name], Some(line)) => {
            let (name, line) = (name.to_string(), line.trim().to_owned());
            assign::word(scene, &name, Word::known(line));
        }
        ([name], None) if stdin.lists_under.as_ref().is_some_and(|under| under.glob) => {
            let (name, under) = (name.to_string(), stdin.lists_under.clone().unwrap_or_default());
            assign::word(scene, &name, under);
        }
        _ => {
            for name in names {
                assign::unknown(scene, name);
            }
        }
    }
}

/// `history` prints what was typed; `-c` and `-d` forget it.
fn history(scene: &mut Scene<'_>, words: &[Word], about: &Command<'_, '_>) -> Stream {
    let has = |letter: char| {
        words.iter().any(|word| word.text.strip_prefix('-').is_some_and(|letters| letters.contains(letter)))
    };
    if has('c') || has('d') {
        let mut effect = Effect::new(Operation::Rewrite, Resource::new(ResourceKind::Log, "shell history"));
        effect.extent = if has('c') { Extent::All } else { Extent::One };
        effect.reversible = Reversibility::No;
        effect.by = "history".to_owned();
        effect.span = about.span;
        scene.effect(effect);
        return silent();
    }
    if words.iter().any(|word| matches!(&*word.text, "-a" | "-w" | "-r" | "-n" | "-s")) {
        return silent();
    }
    Stream { connected: true, ..Stream::default() }
}

fn alias(scene: &mut Scene<'_>, words: &[Word]) {
    for word in words {
        if let Some((name, value)) = word.value().and_then(|text| text.split_once('=')) {
            scene.shell.aliases.insert(name.to_owned(), value.to_owned());
        }
    }
}
