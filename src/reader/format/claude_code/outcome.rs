//! How a call ended. Claude Code states it in words only: a call that was refused looks like one that failed.

use std::sync::Arc;

use crate::model::Outcome;
use crate::reader::transcript::{failed, number_after, ran, refused};

/// How a result that was refused begins.
const REFUSED: &[&str] = &[
    "The user doesn't want to proceed with this tool use",
    "The user doesn't want to take this action right now",
    "Claude requested permissions to ",
    "This command requires approval",
    "Permission to use ",
    "Permission for this action has been denied",
    "Permission denied: ",
    "Hook PreToolUse:",
    "PreToolUse:",
];
/// What a refusal says somewhere in its first words.
const REFUSING: &[&str] = &[
    "haven't granted it yet",
    "The following part requires approval",
    "The following parts require approval",
    "was blocked. For security, Claude Code may only",
    "[Request interrupted by user for tool use]",
    "has been denied because Claude Code is running in don't ask mode",
];
/// Checks that come before a call is carried out: where they fail, nothing was done.
const NEVER_BEGUN: &[&str] = &[
    "No such tool available",
    "InputValidationError",
    "File has not been read yet",
    "File has been modified since read",
    "String to replace not found in file",
    "Cancelled: parallel tool call",
    "Sibling tool call errored",
];

/// What a result says beside its text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    pub(super) is_error: Option<bool>,
    /// The record says in so many words that somebody refused.
    pub(super) denied: bool,
    pub(super) interrupted: bool,
    pub(super) in_background: bool,
}

/// Reads the outcome from the first words of a result.
pub(super) fn outcome(opening: &str, marks: Marks) -> Outcome {
    let said = opening.trim_start();
    let said = said.strip_prefix("Error: ").unwrap_or(said);
    let is_error = marks.is_error.unwrap_or_else(|| said.starts_with("<tool_use_error>"));
    // Only an error can be a refusal: a tool may well print these words.
    let refusal = is_error
        && (REFUSED.iter().any(|words| said.starts_with(words)) || REFUSING.iter().any(|words| said.contains(words)));
    if marks.denied || refusal {
        return refused();
    }
    if let Some(error) = said.strip_prefix("<tool_use_error>").filter(|_| is_error)
        && NEVER_BEGUN.iter().any(|words| error.starts_with(words))
    {
        return refused();
    }
    if marks.interrupted {
        return ran(Some(false), None);
    }
    if !is_error {
        let in_background = marks.in_background || said.starts_with("Command running in background with ID");
        return ran((!in_background).then_some(true), None);
    }
    let first = said.lines().next().unwrap_or_default();
    match first.strip_prefix("Exit code ").and_then(|_| number_after(first, "Exit code ")) {
        Some(code) => ran(Some(false), Some(code)),
        None => failed(),
    }
}

/// What the tool itself said: without what is put before the output of a command that failed.
pub(super) fn said(output: Arc<str>) -> Arc<str> {
    let (first, rest) = output.split_once('\n').unwrap_or((&output, ""));
    let first = first.strip_prefix("Error: ").unwrap_or(first);
    match first.strip_prefix("Exit code ") {
        Some(code) if !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit()) => rest.into(),
        _ => output,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(opening: &str, is_error: bool, expected: &str) {
        let outcome = outcome(opening, Marks { is_error: Some(is_error), ..Marks::default() });
        assert_eq!(format!("{} {:?} {:?}", outcome.executed, outcome.succeeded, outcome.exit_code), expected);
    }

    #[test]
    fn a_refusal_is_not_a_failure() {
        check("The user doesn't want to proceed with this tool use. It was rejected", true, "no None None");
        check("Claude requested permissions to use Fetch, but you haven't granted it yet.", true, "no None None");
        check("PreToolUse:Bash hook error: [guard]: no", true, "no None None");
        check("<tool_use_error>No such tool available: Bsh</tool_use_error>", true, "no None None");
        check("Exit code 127\nbash: line 1: nope", true, "yes Some(false) Some(127)");
        check("Error: Exit code 1", true, "yes Some(false) Some(1)");
        check("something else went wrong", true, "unknown Some(false) None");
    }

    #[test]
    fn the_exit_code_is_not_output() {
        assert_eq!(&*said("Exit code 2\nno such file".into()), "no such file");
        assert_eq!(&*said("Exit code 2".into()), "");
        assert_eq!(&*said("Exit codes explained\nx".into()), "Exit codes explained\nx");
    }

    #[test]
    fn output_that_quotes_a_refusal_is_output() {
        check("The user doesn't want to proceed with this tool use", false, "yes Some(true) None");
        check("Command running in background with ID: b1", false, "yes None None");
    }
}
