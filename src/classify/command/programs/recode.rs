//! `rev` and `tr`: what they make of a known text is known.

use crate::classify::Scene;
use crate::classify::command::{Stream, call::Call};

/// Longer texts are not followed.
const MAX_TEXT: usize = 64 * 1024;

pub(super) fn run(_: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let stdin = call.invocation.stdin;
    let mut stream = Stream { text: None, lists: None, connected: true, ..stdin.clone() };
    let text = stdin.text.as_ref().filter(|(text, _)| text.len() <= MAX_TEXT);
    if call.by == "rev" {
        if call.operand(0).is_some() {
            return None;
        }
        stream.decoded = true;
        stream.text = text.map(|(text, span)| {
            let lines: Vec<String> = text.lines().map(|line| line.chars().rev().collect()).collect();
            (lines.join("\n"), *span)
        });
        return Some(stream);
    }
    let from: Vec<char> = set(call.operand(0)?.value()?)?;
    let deletes = call.flag("-d");
    let to = call.operand(1).and_then(|word| word.value()).map(set);
    let letters = from.len() > 20;
    stream.decoded |= letters && !deletes && to.is_some();
    let Some((text, span)) = text.filter(|_| !call.flag("-c") && !call.flag("-s")) else { return Some(stream) };
    let changed = match to {
        None if deletes => Some(text.chars().filter(|letter| !from.contains(letter)).collect()),
        Some(Some(to)) if !to.is_empty() && !deletes => {
            let place = |letter: char| from.iter().rposition(|known| *known == letter);
            let new = |letter| place(letter).map_or(letter, |at| to.get(at).or(to.last()).copied().unwrap_or(letter));
            Some(text.chars().map(new).collect())
        }
        _ => None,
    };
    stream.text = changed.map(|text: String| (text, *span));
    Some(stream)
}

/// The letters of `a-zA-Z_\n`; `None` for what is not followed.
fn set(text: &str) -> Option<Vec<char>> {
    let text = text.replace("[:upper:]", "A-Z").replace("[:lower:]", "a-z").replace("[:digit:]", "0-9");
    let text = text.replace("[:space:]", " \\t\\n\\r");
    if text.contains("[:") || text.contains("[=") {
        return None;
    }
    let (mut letters, mut rest) = (Vec::new(), text.chars().peekable());
    while let Some(letter) = rest.next() {
        let letter = match letter {
            '\\' => match rest.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                '0' => '\0',
                other => other,
            },
            other => other,
        };
        if rest.peek() == Some(&'-') {
            let mut ahead = rest.clone();
            ahead.next();
            if let Some(last) = ahead.next().filter(|last| *last >= letter && last.is_ascii()) {
                letters.extend(letter..=last);
                rest = ahead;
                continue;
            }
        }
        letters.push(letter);
    }
    Some(letters)
}
