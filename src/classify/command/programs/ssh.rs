//! `ssh`: opens a session, or runs words (joined and read by a shell) or standard input on another machine.

use crate::classify::command::{Stream, call::Call, interpret};
use crate::classify::{Language, Scene, Word};

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    for option in call.values(|names| names.has("-o")) {
        let text = option.text.strip_prefix("ProxyCommand=").or_else(|| option.text.strip_prefix("LocalCommand="));
        if let Some(text) = text.filter(|text| *text != "none") {
            scene.run_word(Language::Shell, text, option.span);
        }
    }
    let words: Vec<Word> = call.operands().skip(1).cloned().collect();
    scene.scoped(|scene| {
        scene.elsewhere = true;
        scene.cwd = None;
        if words.is_empty() {
            interpret::run_stdin(scene, call, Language::Shell);
            return None;
        }
        // Words without anything a shell would act on keep standard input: `ssh host bash < x`.
        let plain = words
            .iter()
            .all(|word| !word.text.contains([';', '|', '&', '<', '>', '$', '`', '\'', '"', '\\', '(', ' ']));
        Some(if plain {
            interpret::run_words(scene, call, &words, true)
        } else {
            interpret::run_shell(scene, call, &words)
        })
    })
}
