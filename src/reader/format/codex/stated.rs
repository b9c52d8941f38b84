//! What Codex states in strings inside strings: arguments, patches, messages.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::reader::transcript::{is_json, shell_words, whole};

/// Arguments as JSON: most often they stand in a string that is JSON text itself.
pub(super) fn unwrapped(stated: Option<&RawValue>) -> Cow<'_, str> {
    let Some(stated) = stated.filter(|stated| stated.get() != "null") else { return "".into() };
    match whole(Some(stated)) {
        Some(text) if text.trim_start().starts_with(['{', '[']) && is_json(&text) => text.into(),
        Some(text) if text.is_empty() => "{}".into(),
        _ => stated.get().into(),
    }
}

/// The patch in the arguments of `apply_patch` where it is not the whole of them.
pub(super) fn patch_in(arguments: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Patch {
        #[serde(alias = "patch")]
        input: String,
    }
    serde_json::from_str::<Patch>(arguments).ok().map(|patch| patch.input).or_else(|| {
        // Early versions ran it like a program: `{"command":["apply_patch","*** Begin Patch…"]}`.
        #[derive(serde::Deserialize)]
        struct Run {
            command: Vec<String>,
        }
        let run = serde_json::from_str::<Run>(arguments).ok()?;
        Some(shell_words(&run.command))
    })
}

/// All text of a message's content.
pub(super) fn whole_text(content: Option<&RawValue>) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Part {
        #[serde(default)]
        text: String,
    }
    let parts: Vec<Part> = serde_json::from_str(content?.get()).ok()?;
    Some(parts.into_iter().map(|part| part.text).collect())
}
