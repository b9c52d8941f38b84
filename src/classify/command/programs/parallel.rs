//! GNU `parallel`: a command, or a piece of shell code, for each argument after `:::` or on standard input.

use crate::classify::command::{Stream, call::Call, within};
use crate::classify::{Scene, Word};
use crate::model::{GapKind, Hides, Operation};

/// More names than this are not run one by one.
const MOST_NAMES: usize = 64;

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let words: Vec<Word> = call.operands().cloned().collect();
    let at = words.iter().position(|word| word.text.starts_with(":::")).unwrap_or(words.len());
    let (command, rest) = words.split_at(at);
    let mut known = true;
    let mut given: Vec<Word> = rest.iter().filter(|word| !word.text.starts_with(":::")).cloned().collect();
    if rest.first().is_some_and(|word| word.text.starts_with("::::")) {
        given = vec![super::some_name(None)];
        known = false;
    } else if rest.is_empty() {
        (given, known) = super::xargs::names(call, if call.flag("-0") { &['\0'] } else { &['\n'] });
    }
    known &= given.len() <= MOST_NAMES;
    given.truncate(MOST_NAMES);
    let mark = scene.mark();
    let mut last = Stream::default();
    for name in &given {
        if command.is_empty() {
            last = within::run_shell(scene, call, std::slice::from_ref(name));
            continue;
        }
        let mut words: Vec<Word> = command.iter().map(|word| super::replaced(word, "{}", name)).collect();
        if !command.iter().any(|word| word.text.contains('{')) {
            words.push(name.clone());
        }
        let code = words.first().is_some_and(|word| word.text.contains(' '));
        last =
            if code { within::run_shell(scene, call, &words) } else { within::run_words(scene, call, &words, false) };
    }
    let harmless = |effect: &crate::model::Effect| matches!(effect.operation, Operation::Read | Operation::List);
    if !known && !scene.since(mark).iter().all(harmless) {
        scene.gap(GapKind::UnresolvedSubstitution, Hides::Target, call.head, format!("what {} reads", call.by));
    }
    Some(last)
}
