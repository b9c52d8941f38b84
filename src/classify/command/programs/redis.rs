//! `redis-cli`: the operands are one command, and so is every line of standard input.

use crate::classify::command::{Stream, call::Call, interpret, within, written};
use crate::classify::{Language, Scene};
use crate::model::Span;

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    if let Some(script) = call.value("--eval") {
        if let Some((text, span)) = written::text(scene, script) {
            let line = text.replace(['\n', '\r', '\t'], " ");
            scene.run_kept(Language::Redis, &format!("EVAL {line}"), span);
            return None;
        }
        let effect = interpret::code_effect(scene, script, None);
        super::note(scene, call, Some(effect));
        return None;
    }
    let words: Vec<_> = call.operands().collect();
    let (Some(first), Some(last)) = (words.first(), words.last()) else {
        within::run_stdin(scene, call, Language::Redis);
        return None;
    };
    let text = words.iter().map(|word| quoted(&word.text)).collect::<Vec<_>>().join(" ");
    let span = first.span.zip(last.span).map(|(first, last)| Span::new(first.start, last.end.max(first.start)));
    scene.run_word(Language::Redis, &text, span);
    None
}

/// A word as redis' own line syntax wants it.
fn quoted(word: &str) -> String {
    if word.is_empty() || word.contains([' ', '"', '\'', '\n']) {
        format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
    } else {
        word.to_owned()
    }
}
