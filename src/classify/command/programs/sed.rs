//! `sed`: reads its files, or with `-i` changes them; `e` and `w` in its script run and write.

use crate::classify::command::{Stream, call::Call, settle, within};
use crate::classify::{Language, Scene, Word};
use crate::model::{Area, CodeOrigin, Effect, GapKind, Hides, Operation, ResourceKind};

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let in_place = call.parsed.options.iter().any(|given| given.names.has("-i") || given.names.has("-I"));
    let mut operands: Vec<&Word> = call.operands().collect();
    // The BSD form has the backup suffix in a word of its own: `-i ''`.
    if in_place && operands.first().is_some_and(|word| word.text.is_empty()) {
        operands.remove(0);
    }
    let mut scripts =
        call.values(|names| names.has("-e")).into_iter().map(|word| word.into_owned()).collect::<Vec<_>>();
    if scripts.is_empty() && !call.parsed.options.iter().any(|given| given.names.has("-f")) && !operands.is_empty() {
        scripts.push(operands.remove(0).clone());
    }
    for script in &scripts {
        inside(scene, call, script);
    }
    let operation = if in_place { Operation::Update } else { Operation::Read };
    for word in operands {
        let effect = settle::on_path(scene, operation, word, false).map(|mut effect| {
            // Lines taken out of a log are missing from it.
            if in_place && effect.resource.areas.has(Area::Logs) {
                (effect.operation, effect.resource.kind) = (Operation::Rewrite, ResourceKind::Log);
            }
            effect
        });
        super::note(scene, call, effect);
    }
    None
}

/// `s/…/…/e` and `1e cmd` run what they match; `w file` writes.
fn inside(scene: &mut Scene<'_>, call: &Call<'_>, script: &Word) {
    for line in script.text.split([';', '\n']) {
        let line = line.trim();
        let command = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == '$' || c == ',');
        let command = command.trim_start();
        let flags = command.starts_with('s').then(|| command.rsplit(['/', '|', '#', ',']).next().unwrap_or_default());
        if let Some(code) = command.strip_prefix("e ") {
            within::opened(scene, code, script.span);
            scene.run_word(Language::Shell, code, script.span);
        } else if flags.is_some_and(|flags| flags.len() <= 3 && flags.contains('e')) {
            // What is put in is the command, or a part of it.
            let mark = command.get(1..2).unwrap_or("/");
            let parts: Vec<&str> = command.split(mark).collect();
            if let [_, _, with @ .., _] = &parts[..]
                && !with.is_empty()
            {
                let code = with.join(mark).replace(&format!("\\{mark}"), mark);
                scene.run_word(Language::Shell, &code, script.span);
            }
            scene.gap(GapKind::DynamicCode, Hides::Anything, script.span, "what sed runs line by line");
            let mut effect = Effect::new(Operation::Execute, settle::named(ResourceKind::Code, script));
            effect.code = Some(CodeOrigin::Dynamic);
            effect.span = script.span;
            super::note(scene, call, Some(effect));
        }
        let written = line.split_once("/w ").map(|(_, file)| file).or_else(|| command.strip_prefix("w "));
        if let Some(file) = written {
            let word = Word { span: script.span, ..Word::known(file.trim()) };
            let effect = settle::on_path(scene, Operation::Update, &word, false);
            super::note(scene, call, effect);
        }
    }
}
