//! GNU `parallel`: a command, or a piece of shell code, for each argument after `:::` or on standard input.

use crate::classify::command::{Stream, call::Call, interpret};
use crate::classify::{Scene, Word};

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let words: Vec<Word> = call.operands().cloned().collect();
    let at = words.iter().position(|word| word.text.starts_with(":::")).unwrap_or(words.len());
    let (command, rest) = words.split_at(at);
    let mut given: Vec<Word> = rest.iter().filter(|word| !word.text.starts_with(":::")).cloned().collect();
    if rest.first().is_some_and(|word| word.text.starts_with("::::")) {
        given = vec![super::some_name(None)];
    } else if rest.is_empty() {
        given = super::xargs::names(call, call.flag("-0")).0;
    }
    given.truncate(64);
    let mut last = Stream::default();
    for name in &given {
        if command.is_empty() {
            last = interpret::run_shell(scene, call, std::slice::from_ref(name));
            continue;
        }
        let mut words: Vec<Word> = command.iter().map(|word| super::replaced(word, "{}", name)).collect();
        if !command.iter().any(|word| word.text.contains('{')) {
            words.push(name.clone());
        }
        let code = words.first().is_some_and(|word| word.text.contains(' '));
        last = if code {
            interpret::run_shell(scene, call, &words)
        } else {
            interpret::run_words(scene, call, &words, false)
        };
    }
    Some(last)
}
