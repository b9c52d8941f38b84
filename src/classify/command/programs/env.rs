//! `env`: shows the environment, or runs a command in a changed one; `-S` splits one word into several.

use crate::classify::Scene;
use crate::classify::Word;
use crate::classify::command::{Stream, call::Call, settle, within};
use crate::model::{Effect, Operation, ResourceKind};

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    if let Some(text) = call.value("-S") {
        let words: Vec<Word> = std::iter::once(text).chain(call.operands()).cloned().collect();
        return Some(within::run_shell(scene, call, &words));
    }
    let words: Vec<Word> = call.operands().cloned().collect();
    let command = words.iter().position(|word| !word.text.contains('=') || word.text.starts_with('='));
    if command.is_some() {
        return Some(within::run_words(scene, call, &words, true));
    }
    if call.flag("-i") {
        return None;
    }
    let resource = settle::named(ResourceKind::Secret, &Word::known("environment"));
    super::note(scene, call, Some(Effect::new(Operation::Read, resource.clone())));
    Some(Stream { connected: true, carries: vec![resource], ..Stream::default() })
}
