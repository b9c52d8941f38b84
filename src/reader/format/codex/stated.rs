//! What Codex states in strings inside strings: arguments, patches, messages.

use serde_json::value::RawValue;

use crate::reader::transcript::shell_words;

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
