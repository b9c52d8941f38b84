//! How tests see an understanding: one line for each effect and each gap.

use std::fmt::Write;
use std::sync::Arc;

use crate::model::{Action, Effect, Extent, Gap, GapKind, Kind, Understanding};

use super::{Catalog, Classifier, Known, Language, Scene};

/// What a tool call does.
pub(super) fn tool(name: &str, arguments: &str) -> String {
    call(Kind::Tool, name, arguments)
}

/// What an API call does.
pub(super) fn api(name: &str, arguments: &str) -> String {
    call(Kind::Api, name, arguments)
}

fn call(kind: Kind, name: &str, arguments: &str) -> String {
    let text = format!("{name} {arguments}");
    let mut action = action(kind, &text);
    action.tool = Some(name.into());
    action.arguments = Some(arguments.into());
    lines(&Classifier::new(Catalog::default()).understand(&action, &Known::default(), true))
}

/// What a piece of code does.
pub(super) fn code(language: Language, text: &str) -> String {
    inside(text, |scene| scene.run(language, text, 0))
}

/// What `act` finds in a scene whose action reads `text`.
pub(super) fn inside(text: &str, act: impl FnOnce(&mut Scene<'_>)) -> String {
    let action = action(Kind::Shell, text);
    let (catalog, known) = (Catalog::default(), Known::default());
    let mut scene = Scene::new(&catalog, &action, &known, true);
    act(&mut scene);
    lines(&scene.finish())
}

fn action(kind: Kind, text: &str) -> Action {
    Action { kind, surroundings: Arc::default(), ..super::command::tests::action(text) }
}

/// Code handed on to shell and SQL is shown as its step; what those make of it is their own tests' business.
fn lines(understanding: &Understanding) -> String {
    let mut seen = String::new();
    let mut handed = false;
    for step in understanding.steps.iter().filter(|step| step.label.contains(" code: ")) {
        handed = true;
        writeln!(seen, "{}", step.label).expect("a string takes everything");
    }
    if !handed {
        understanding.effects.iter().for_each(|effect| line(&mut seen, effect));
    }
    let ours = |gap: &&Gap| !handed || matches!(gap.kind, GapKind::DynamicCode | GapKind::UnknownTool);
    for gap in understanding.gaps.iter().filter(ours) {
        writeln!(seen, "gap {} hides {}: {}", gap.kind, gap.hides, gap.detail).expect("a string takes everything");
    }
    seen.trim_end().to_owned()
}

fn line(seen: &mut String, effect: &Effect) {
    let Effect { operation, resource, extent, .. } = effect;
    write!(seen, "{operation} {} `{}`", resource.kind, resource.name).expect("a string takes everything");
    let mut word = |shown: bool, word: &str| {
        if shown {
            seen.push(' ');
            seen.push_str(word);
        }
    };
    word(*extent != Extent::One, extent.word());
    word(resource.unresolved, "unresolved");
    word(effect.dry_run, "dry-run");
    word(effect.guard_off, "guard-off");
    word(effect.cascades, "cascades");
    word(effect.code.is_some(), effect.code.map_or("", |code| code.word()));
    if let Some(zone) = effect.zone {
        word(true, &format!("{zone} {}", effect.peer.as_deref().unwrap_or("-")));
    }
    for place in &effect.places {
        word(true, &format!("@{}={}", place.kind, place.name));
    }
    seen.push('\n');
}
