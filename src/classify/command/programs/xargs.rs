//! `xargs`: the words of another command come in on standard input.

use crate::classify::command::{Stream, call::Call, within};
use crate::classify::{Scene, Word};
use crate::model::{Area, Effect, GapKind, Hides, Operation, ResourceKind, Zone};

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
    let (names, known) = names(scene, call, separators);
    let command_words = command.clone();
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
    send(scene, call, &command_words, mark);
    let harmless = |effect: &Effect| matches!(effect.operation, Operation::Read | Operation::List);
    if !known && !scene.since(mark).iter().all(harmless) {
        scene.gap(GapKind::UnresolvedSubstitution, Hides::Target, call.head, format!("what {} reads", call.by));
    }
    Some(stream)
}

/// `cat key | xargs -I{} curl https://…/{}`: a command that goes out with words from a secret takes the secret along.
fn send(scene: &mut Scene<'_>, call: &Call<'_>, command: &[Word], mark: usize) {
    // Logging in with a token is what the token is for.
    if command.iter().any(|word| ["uthorization", "Bearer", "oken:"].iter().any(|name| word.text.contains(name))) {
        return;
    }
    let goes_out = |effect: &&mut Effect| {
        matches!(effect.operation, Operation::Export | Operation::Fetch) && effect.zone == Some(Zone::External)
    };
    let Some(sent) = scene.since(mark).iter_mut().find(goes_out).map(|effect| effect.clone()) else { return };
    for resource in &call.invocation.stdin.carries {
        if resource.areas.has(Area::Credential) || resource.kind == ResourceKind::Secret {
            scene.effect(Effect { operation: Operation::Export, resource: resource.clone(), ..sent.clone() });
        }
    }
}

/// The names that come in, and whether they are known.
pub(super) fn names(scene: &Scene<'_>, call: &Call<'_>, separators: &[char]) -> (Vec<Word>, bool) {
    let stdin = call.invocation.stdin;
    // The text says more than the words it was made of: `echo 'a b'` is two names here.
    if let Some((text, span)) = &stdin.text {
        let mut pieces = text.split(separators).map(str::trim).filter(|piece| !piece.is_empty());
        let span = scene.inner(*span);
        let word = |piece: &str| Word { span, ..Word::known(piece.trim_matches(['"', '\''])) };
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
