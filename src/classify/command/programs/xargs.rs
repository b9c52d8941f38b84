//! `xargs`: the words of another command come in on standard input.

use crate::classify::command::{Stream, call::Call, within};
use crate::classify::{Scene, Word};
use crate::model::{GapKind, Hides, Operation};

/// More names than this are not run one by one.
const MOST_NAMES: usize = 64;

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let mut command: Vec<Word> = call.operands().cloned().collect();
    if command.is_empty() {
        return None;
    }
    let mark = scene.mark();
    let mark_word = call.value("-I").or_else(|| call.value("-J")).map(|word| word.text.clone());
    let mark_word = mark_word.or_else(|| call.flag("-i").then(|| "{}".to_owned()));
    // A name is a line where it is put in by hand, else a word.
    let separators: &[char] = match (call.flag("-0"), &mark_word) {
        (true, _) => &['\0'],
        (false, Some(_)) => &['\n'],
        (false, None) => &[' ', '\t', '\n'],
    };
    let (names, known) = names(call, separators);
    let stream = match mark_word {
        Some(mark) => {
            let mut last = Stream::default();
            for name in &names {
                let words: Vec<Word> = command.iter().map(|word| super::replaced(word, &mark, name)).collect();
                last = within::run_words(scene, call, &words, false);
            }
            last
        }
        None => {
            command.extend(names);
            within::run_words(scene, call, &command, false)
        }
    };
    let harmless = |effect: &crate::model::Effect| matches!(effect.operation, Operation::Read | Operation::List);
    if !known && !scene.since(mark).iter().all(harmless) {
        scene.gap(GapKind::UnresolvedSubstitution, Hides::Target, call.head, format!("what {} reads", call.by));
    }
    Some(stream)
}

/// The names that come in, and whether they are known.
pub(super) fn names(call: &Call<'_>, separators: &[char]) -> (Vec<Word>, bool) {
    let stdin = call.invocation.stdin;
    // The text says more than the words it was made of: `echo 'a b'` is two names here.
    if let Some((text, span)) = &stdin.text {
        let mut pieces = text.split(separators).map(str::trim).filter(|piece| !piece.is_empty());
        let word = |piece: &str| Word { span: *span, ..Word::known(piece.trim_matches(['"', '\''])) };
        let names = pieces.by_ref().take(MOST_NAMES).map(word).collect();
        return (names, pieces.next().is_none());
    }
    if let Some(names) = &stdin.lists {
        return (names.iter().take(MOST_NAMES).cloned().collect(), names.len() <= MOST_NAMES);
    }
    if let Some(under) = &stdin.lists_under {
        return (vec![under.clone()], true);
    }
    (vec![super::some_name(None)], false)
}
