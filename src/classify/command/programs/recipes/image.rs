//! The lines that building an image runs.

use crate::classify::command::{Stream, call::Call, interpret, within, written};
use crate::classify::{Scene, Word};
use crate::model::{Area, CodeOrigin, ResourceKind};

use super::MAX_LINES;

/// The `RUN` lines of a Dockerfile: they run in the image that is built, whose files are nobody's yet.
pub(super) fn image(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let given = call.value("-f").cloned();
    let folder = call.operand(0).filter(|word| !matches!(&*word.text, "." | "-")).map(|word| word.text.clone());
    let from_stdin =
        given.as_ref().is_some_and(|word| word.text == "-") || call.operand(0).is_some_and(|word| word.text == "-");
    let usual = match folder {
        Some(folder) if !folder.contains("://") => format!("{}/Dockerfile", folder.trim_end_matches('/')),
        _ => "Dockerfile".to_owned(),
    };
    let shown = given.unwrap_or_else(|| Word::known(usual));
    let text = if from_stdin { call.invocation.stdin.text.clone() } else { written::text(scene, &shown) };
    let Some((text, span)) = text.filter(|_| scene.enter_script()) else {
        let effect = interpret::code_effect(scene, &shown, Some(CodeOrigin::Local));
        super::super::note(scene, call, Some(effect));
        return None;
    };
    for code in run_lines(&text) {
        let before = scene.mark();
        scene.scoped(|scene| {
            scene.go_elsewhere();
            let piece = [Word { span: scene.inner(span), ..Word::known(code) }];
            within::run_shell(scene, call, &piece);
        });
        of_container(scene, before);
    }
    None
}

/// Files and packages that were touched since `mark` are those of a container that was made for it.
pub(super) fn of_container(scene: &mut Scene<'_>, mark: usize) {
    for effect in scene.since(mark) {
        if matches!(effect.resource.kind, ResourceKind::File | ResourceKind::Folder | ResourceKind::Package) {
            effect.resource.areas = effect.resource.areas.with(Area::Ephemeral);
        }
    }
}

fn run_lines(text: &str) -> Vec<String> {
    let (mut found, mut lines) = (Vec::new(), text.lines().take(MAX_LINES));
    while let Some(line) = lines.next() {
        let trimmed = line.trim_start();
        let Some(start) = trimmed.get(..4).filter(|start| start.eq_ignore_ascii_case("run ")) else { continue };
        let mut code = trimmed[start.len()..].trim().to_owned();
        while code.ends_with('\\') {
            code.pop();
            match lines.next() {
                Some(next) if next.trim_start().starts_with('#') => code.push('\\'),
                Some(next) => code.push_str(next.trim()),
                None => break,
            }
        }
        while let Some(rest) = code.strip_prefix("--") {
            code = rest.split_once(' ').map_or_else(String::new, |(_, rest)| rest.trim_start().to_owned());
        }
        if let Some(tag) = code.strip_prefix("<<").map(|tag| tag.trim_matches(['-', '"', '\'', ' ']).to_owned()) {
            let body: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != tag).collect();
            code = body.join("\n");
        } else if let Ok(words) = serde_json::from_str::<Vec<String>>(&code) {
            code = crate::classify::code::quoted(&words);
        }
        found.push(code);
    }
    found
}
