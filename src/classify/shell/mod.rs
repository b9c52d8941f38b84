//! Shell code: parsed, walked, its words resolved; every simple command goes to the catalogue of programs.

mod assign;
mod braces;
mod builtins;
mod call;
mod code;
mod from_shuck;
mod from_tree_sitter;
mod generated;
mod limits;
mod loose;
mod menus;
mod named;
mod parameters;
mod pattern;
mod plain;
mod print;
mod redirect;
mod simple;
mod split;
mod state;
mod template;
mod tree;
mod walk;
mod ways;
mod words;

#[cfg(test)]
mod tests;

pub(super) use call::quoted;
pub(super) use loose::language as language_of_call;
pub use state::State;

use super::Scene;
use super::command::Stream;
use crate::model::{Certainty, GapKind, Hides, Span};

/// Classifies a piece of shell code.
pub fn run(scene: &mut Scene<'_>, text: &str) {
    let stdin = scene.shell.take_input();
    let outer = scene.shell.code;
    scene.shell.code = scene.shell.new_code();
    let out = match limits::exceeded(text, scene.shell.nesting) {
        Some((kind, detail)) => {
            scene.gap(kind, Hides::Anything, Some(Span::new(0, text.len())), detail);
            words_only(scene, text, 0);
            Stream::default()
        }
        None => whole(scene, text, &stdin),
    };
    scene.shell.code = outer;
    scene.shell.set_output(out);
}

/// `rmdir /s /q D:\x`: what no shell but that of Windows has, and it reads `\` and quotes in its own way.
fn is_of_windows(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let program = words.next().unwrap_or_default().to_ascii_lowercase();
    matches!(&*program, "rmdir" | "rd" | "del" | "erase")
        && words.next().is_some_and(|word| {
            let option = word.strip_prefix('/').unwrap_or_default();
            option.len() == 1 && option.to_ascii_lowercase().starts_with(['s', 'q', 'f', 'a', 'p'])
        })
}

/// Code that parses is walked; of other code, the pieces that do.
fn whole(scene: &mut Scene<'_>, text: &str, stdin: &Stream) -> Stream {
    if is_of_windows(text) {
        scene.run(super::Language::Cmd, text, 0);
        return Stream::default();
    }
    if text.starts_with(|first: char| first.is_ascii_uppercase())
        && (super::tool::starts_as_sql(text) || shouts_sql(text))
    {
        let mark = scene.mark();
        scene.run(super::Language::Sql, text, 0);
        lexical(scene, mark);
        return Stream::default();
    }
    // A call's brackets look like a function's or a pattern's to the parser, which has nothing against them.
    let requoted = loose::requoted(text);
    if requoted.is_none()
        && let Some(script) = plain::script(text)
    {
        return walked(scene, &script, stdin);
    }
    let parsed = if requoted.is_some() && !text.contains("[[") {
        Err("a call of another language".to_owned())
    } else {
        from_shuck::parse(text)
    };
    let complaint = match parsed {
        Ok(parsed) => match parsed.script(text) {
            Some(script) => return walked(scene, &script, stdin),
            None => {
                scene.gap(GapKind::TooDeep, Hides::Anything, Some(Span::new(0, text.len())), "nested too deeply");
                words_only(scene, text, 0);
                return Stream::default();
            }
        },
        Err(complaint) => complaint,
    };
    if let Some(language) = loose::language(text) {
        let mark = scene.mark();
        scene.run(language, text, 0);
        lexical(scene, mark);
        if scene.is_outermost() {
            scene.set_template(|| template::of(&split::commands(text, 0)));
        }
        return Stream::default();
    }
    if let Some(requoted) = requoted.filter(|text| from_shuck::parse(text).is_ok()) {
        let (mark, whole) = (scene.mark(), Some(Span::new(0, text.len())));
        // All of it is read; only which words belong together is a guess.
        scene.gap(GapKind::Unparsed, Hides::Target, whole, complaint);
        let stream = scene.run_piped(&requoted, Err(whole), stdin.clone());
        lexical(scene, mark);
        if scene.is_outermost() {
            scene.set_template(|| template::of(&split::commands(text, 0)));
        }
        return stream;
    }
    // A chain of thousands of links is good shell, only too long for the parser.
    let sound = from_tree_sitter::pieces(text);
    if !sound.whole {
        let kind = if complaint.contains("too deep") { GapKind::TooDeep } else { GapKind::Unparsed };
        scene.gap(kind, Hides::Anything, Some(Span::new(0, text.len())), complaint.clone());
    }
    let mark = scene.mark();
    for piece in sound.pieces {
        let Some(part) = text.get(piece.start..piece.end) else { continue };
        let parsed = from_shuck::parse(part);
        let script = parsed.as_ref().ok().and_then(|parsed| parsed.script(part));
        match script {
            // Spans count from the start of the piece: it is run as code of its own.
            Some(_) => scene.run(super::Language::Shell, part, piece.start),
            None => {
                // Plain words can be read without a parser, structure cannot.
                if sound.whole && part.contains(['(', '`']) {
                    scene.gap(GapKind::Unparsed, Hides::Anything, Some(piece), complaint.clone());
                }
                words_only(scene, text.get(..piece.end).unwrap_or_default(), piece.start);
            }
        }
    }
    if !sound.whole {
        lexical(scene, mark);
        if scene.is_outermost() {
            scene.set_template(|| template::of(&split::commands(text, 0)));
        }
    }
    Stream::default()
}

/// Code that was read as a whole.
fn walked(scene: &mut Scene<'_>, script: &tree::Script<'_>, stdin: &Stream) -> Stream {
    if scene.is_outermost() {
        scene.set_template(|| template::of(script));
    }
    walk::script(scene, script, stdin)
}

/// `SHOW TABLES`, `KILL 42`: nobody writes a program's name so.
fn shouts_sql(text: &str) -> bool {
    let first = text.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default();
    let more = text.get(first.len()..).is_some_and(|rest| rest.starts_with([' ', '\n']));
    more && first.len() > 2
        && first.bytes().all(|byte| byte.is_ascii_uppercase())
        && super::command::begins_sql(&first.to_ascii_lowercase())
}

/// Reads the words between operators of `text` from `from` on, whatever the structure.
fn words_only(scene: &mut Scene<'_>, text: &str, from: usize) {
    let mark = scene.mark();
    let script = split::commands(text, from);
    walk::script(scene, &script, &Stream::default());
    lexical(scene, mark);
    if scene.is_outermost() {
        scene.set_template(|| template::of(&script));
    }
}

fn lexical(scene: &mut Scene<'_>, mark: usize) {
    for effect in scene.since(mark) {
        if effect.certainty == Certainty::Exact {
            effect.certainty = Certainty::Lexical;
        }
    }
}
