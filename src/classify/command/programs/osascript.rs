//! `osascript`: the shell commands in AppleScript are read, what only shows or asks something is known, the rest is hidden.

use crate::classify::command::{Stream, call::Call, interpret};
use crate::classify::{Language, Scene, Word};
use crate::model::{Area, CodeOrigin, Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind};

/// How statements begin that show, say or ask something, or bring a program to the front.
const HARMLESS: &[&str] = &[
    "display notification",
    "display dialog",
    "display alert",
    "say ",
    "beep",
    "activate",
    "get ",
    "return ",
    "set volume",
    "delay ",
    "end tell",
    "reveal ",
    "open ",
    "launch",
    "count ",
    "name of",
    "version",
    "choose ",
    "the clipboard",
    "log ",
];

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let scripts: Vec<Word> = call.values(|names| names.has("-e")).into_iter().map(|word| word.into_owned()).collect();
    if scripts.is_empty() {
        match call.operand(0) {
            Some(script) if script.text != "-" => {
                let effect = interpret::code_effect(scene, script, Some(CodeOrigin::Local));
                super::note(scene, call, Some(effect));
            }
            _ => scene.gap(GapKind::HiddenCode, Hides::Anything, call.invocation.span, "AppleScript"),
        }
        return None;
    }
    for script in &scripts {
        statements(scene, call, script);
    }
    None
}

fn statements(scene: &mut Scene<'_>, call: &Call<'_>, script: &Word) {
    for line in script.text.split('\n').map(str::trim).filter(|line| !line.is_empty()) {
        // `tell app "Terminal" to do script "…"` types it into a window.
        let runs = ["do shell script ", "do script "].iter().find_map(|verb| line.split_once(verb));
        if let Some((_, rest)) = runs {
            match quoted(rest) {
                Some(code) => scene.run_word(Language::Shell, &code, script.span),
                None => scene.gap(GapKind::DynamicCode, Hides::Anything, script.span, line),
            }
            continue;
        }
        if line.contains("hidden answer") {
            // Nothing that belongs to the system asks for a password this way.
            let mut effect = Effect::new(Operation::Read, Resource::new(ResourceKind::Secret, "typed password"));
            effect.extent = Extent::All;
            effect.span = script.span;
            super::note(scene, call, Some(effect));
            continue;
        }
        // `tell application "X" to …`
        let told = line.split_once(" to ").filter(|_| line.starts_with("tell ")).map_or(line, |(_, told)| told);
        if let Some(effect) = done(told) {
            super::note(scene, call, Some(effect));
            continue;
        }
        let opens = line.starts_with("tell ") && !line.contains(" to ");
        if !opens && !HARMLESS.iter().any(|start| told.starts_with(start.trim_end())) {
            scene.gap(GapKind::HiddenCode, Hides::Anything, script.span, line);
        }
    }
}

/// What a statement to the Finder or to the system itself does.
fn done(told: &str) -> Option<Effect> {
    let starts = |verbs: &[&str]| verbs.iter().any(|verb| told.starts_with(verb));
    let all = |effect: Effect| Effect { extent: Extent::All, ..effect };
    if starts(&["shut down", "restart", "log out", "sleep"]) {
        return Some(all(Effect::new(Operation::Stop, Resource::new(ResourceKind::Host, ""))));
    }
    if starts(&["empty trash", "empty the trash"]) {
        let mut trash = Resource::new(ResourceKind::Folder, "~/.Trash");
        trash.areas = trash.areas.with(Area::Home);
        return Some(all(Effect::new(Operation::Delete, trash)));
    }
    if starts(&["delete every ", "delete all ", "delete items of ", "delete (every "]) {
        let mut effect = all(Effect::new(Operation::Delete, Resource::new(ResourceKind::Folder, told)));
        effect.resource.unresolved = true;
        effect.resource.areas = effect.resource.areas.with(Area::Home);
        return Some(effect);
    }
    None
}

/// The text in quotes that `rest` begins with.
fn quoted(rest: &str) -> Option<String> {
    let mut letters = rest.strip_prefix('"')?.chars();
    let mut text = String::new();
    loop {
        match letters.next()? {
            '"' => return Some(text),
            '\\' => text.extend(letters.next()),
            letter => text.push(letter),
        }
    }
}
