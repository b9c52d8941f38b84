//! Awk programs: `system("…")`, `print | "sh"`, `print > "file"`, `"cmd" | getline`.

use crate::classify::{Language, Scene, paths};
use crate::model::{Effect, Extent, GapKind, Hides, Operation, ResourceKind};

use super::lexer::{self, Backtick, Interpolation, Kind, Syntax};
use super::value::Reading;

static SYNTAX: Syntax = Syntax {
    line_comments: &["#"],
    block_comment: None,
    python: false,
    backtick: Backtick::Mark,
    double: Interpolation::None,
    regex: true,
    quote_words: false,
    bare_calls: false,
    dot_joins: false,
    long_brackets: false,
};

/// Finds what an awk program does beside computing.
pub(super) fn run(scene: &mut Scene<'_>, text: &str) {
    let (tokens, broken) = lexer::tokens(text, &SYNTAX);
    if broken {
        scene.gap(GapKind::Unparsed, Hides::Anything, None, "awk code does not end its strings");
    }
    let reading = Reading::new(Language::Awk, text, tokens);
    let tokens = &reading.tokens;
    let is = |at: usize, mark: u8| tokens.get(at).is_some_and(|token| token.is(mark));
    let mut printing = false;
    let mut texts: std::collections::BTreeMap<&str, crate::classify::Word> = std::collections::BTreeMap::new();
    for (at, token) in tokens.iter().enumerate() {
        match &token.kind {
            Kind::Name if token.text == "system" && is(at + 1, b'(') => {
                let close = tokens[at + 1].close.max(at + 2);
                let bound = tokens.get(at + 2).filter(|_| close == at + 3).and_then(|token| texts.get(token.text));
                let command = bound.cloned().unwrap_or_else(|| joined(&reading, at + 2, close));
                super::act::shell_opened(scene, command.value().unwrap_or(""), command.span);
                super::act::shell(scene, &command);
            }
            Kind::Name if matches!(token.text, "print" | "printf") => printing = true,
            // `cmd = "rm " $1; system(cmd)`
            Kind::Name if is(at + 1, b'=') && !is(at + 2, b'=') => {
                let end = (at + 2..tokens.len())
                    .find(|at| matches!(tokens[*at].kind, Kind::Line | Kind::Mark(b';' | b'}')))
                    .unwrap_or(tokens.len());
                if matches!(tokens.get(at + 2).map(|token| &token.kind), Some(Kind::Text(_))) {
                    texts.insert(token.text, joined(&reading, at + 2, end));
                } else {
                    texts.remove(token.text);
                }
            }
            Kind::Line | Kind::Mark(b';' | b'}') => printing = false,
            // `print | "sh"` and `"date" | getline`; `||` is something else.
            Kind::Mark(b'|') if !is(at + 1, b'|') && (at == 0 || !is(at - 1, b'|')) => {
                let command = match tokens.get(at + 1).map(|token| &token.kind) {
                    Some(Kind::Name) if tokens[at + 1].text == "getline" => tokens.get(at.wrapping_sub(1)),
                    Some(Kind::Mark(b'&')) => tokens.get(at + 2),
                    _ => tokens.get(at + 1),
                };
                match command.map(|token| &token.kind) {
                    Some(Kind::Text(word)) => {
                        super::hand_over(scene, Language::Shell, &word.text, word.span);
                        if matches!(&*word.text, "sh" | "bash" | "/bin/sh" | "/bin/bash") {
                            printed(scene, &reading, at);
                            scene.gap(GapKind::DynamicCode, Hides::Anything, word.span, "awk prints to a shell");
                        }
                    }
                    _ => scene.gap(GapKind::DynamicCode, Hides::Anything, Some(token.span()), "awk pipe"),
                }
            }
            Kind::Mark(b'>') if printing && !is(at + 1, b'=') => {
                let appends = at > 0 && is(at - 1, b'>');
                if is(at + 1, b'>') {
                    continue;
                }
                let end = (at + 1..tokens.len())
                    .find(|at| matches!(tokens[*at].kind, Kind::Line | Kind::Mark(b';' | b'}')))
                    .unwrap_or(tokens.len());
                let word = joined(&reading, at + 1, end);
                let mut effect = Effect::new(Operation::Update, paths::resource(scene, &word, ResourceKind::File));
                effect.extent = if appends { Extent::Some } else { Extent::All };
                effect.span = word.span;
                effect.by = "awk".to_owned();
                scene.effect(effect);
            }
            _ => {}
        }
    }
}

/// `print "rm x" | "sh"`: the string right before the pipe is what the shell reads, as far as it is known.
fn printed(scene: &mut Scene<'_>, reading: &Reading<'_>, pipe: usize) {
    let tokens = reading.tokens.get(..pipe).unwrap_or_default();
    let from = tokens.iter().rposition(|token| matches!(token.text, "print" | "printf")).map_or(pipe, |at| at + 1);
    let from = from + usize::from(tokens.get(from).is_some_and(|token| token.is(b'(')));
    if matches!(tokens.get(from).map(|token| &token.kind), Some(Kind::Text(_))) {
        super::act::shell(scene, &joined(reading, from, pipe));
    }
}

/// Awk joins what stands side by side: anything but one string is not known as a whole.
fn joined(reading: &Reading<'_>, from: usize, to: usize) -> crate::classify::Word {
    if let Some(Kind::Text(word)) = reading.tokens.get(from).map(|token| &token.kind)
        && to > from + 1
    {
        let mut word = (**word).clone();
        word.span = reading.span(from, to);
        let start = word.text.len();
        word.text.push_str("$x");
        let unknown = crate::classify::Unknown {
            name: "x".to_owned(),
            start,
            end: word.text.len(),
            substitution: false,
            guarded: false,
        };
        word.unknown.push(unknown);
        return word;
    }
    reading.word(from, to, 0)
}

#[cfg(test)]
mod tests {
    use crate::classify::{Language, seen};

    fn check(text: &str, expected: &str) {
        assert_eq!(seen::code(Language::Awk, text), expected, "{text}");
    }

    #[test]
    fn what_leaves_the_program_is_seen() {
        check("{print $1}", "");
        check("BEGIN{system(\"rm -rf /x\")}", "Shell code: rm -rf /x");
        check("{print $1 > \"/x/out\"}", "update File `/x/out` all");
        check("$1 > 5 {print}", "");
        check("{print \"a\" | \"sort\"}", "Shell code: sort");
        check("{system(\"rm \" $1)}", "Shell code: rm \"$x\"\ngap dynamic-code hides anything: rm $x");
    }
}
