//! `ssh`: opens a session, or runs words (joined and read by a shell) or standard input on another machine.

use crate::classify::command::{Stream, call::Call, settle, within};
use crate::classify::{Language, Scene, Word};
use crate::model::{Effect, Operation};

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    for option in call.values(|names| names.has("-o")) {
        let text = option.text.strip_prefix("ProxyCommand=").or_else(|| option.text.strip_prefix("LocalCommand="));
        if let Some(text) = text.filter(|text| *text != "none") {
            scene.run_word(Language::Shell, text, option.span);
        }
    }
    let words: Vec<Word> = command(call.operands().skip(1).cloned().collect());
    export(scene, call);
    scene.scoped(|scene| {
        scene.go_elsewhere();
        if words.is_empty() {
            within::run_stdin(scene, call, Language::Shell);
            return None;
        }
        // Words without anything a shell would act on keep standard input: `ssh host bash < x`.
        let plain = words
            .iter()
            .all(|word| !word.text.contains([';', '|', '&', '<', '>', '$', '`', '\'', '"', '\\', '(', ' ']));
        Some(if plain { within::run_words(scene, call, &words, true) } else { within::run_shell(scene, call, &words) })
    })
}

/// What is left of the words behind the host when further options are taken off: `ssh host -p 22 ls`.
fn command(words: Vec<Word>) -> Vec<Word> {
    const WITH_VALUE: &str = "BbcDEeFIiJLlmOoPpQRSWw";
    let mut words = words.into_iter().peekable();
    while let Some(option) = words.next_if(|word| word.text.starts_with('-') && word.text.len() > 1) {
        if option.text == "--" {
            break;
        }
        if option.text.len() == 2 && option.text.ends_with(|letter| WITH_VALUE.contains(letter)) {
            words.next();
        }
    }
    words.collect()
}

/// `tar c src | ssh host 'tar x'`: what comes in on standard input leaves this machine.
fn export(scene: &mut Scene<'_>, call: &Call<'_>) {
    let Some(host) = call.operand(0) else { return };
    for resource in &call.invocation.stdin.carries {
        let mut effect = Effect::new(Operation::Export, resource.clone());
        effect.zone = Some(settle::zone(&host.text));
        effect.peer = Some(host.text.clone());
        effect.by = "ssh".to_owned();
        effect.span = call.invocation.span;
        scene.effect(effect);
    }
}
