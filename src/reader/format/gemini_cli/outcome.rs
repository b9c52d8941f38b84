//! How a call ended: its status, and for a shell command the exit code that the result states in words.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::record::{Part, Response, ToolCall};
use crate::model::Outcome;
use crate::reader::transcript::{failed, number_after, opening, output, ran, refused};

/// What an error says when nothing was done.
const NEVER_BEGUN: &[&str] = &[
    "did not allow",
    "not found in registry",
    "denied by policy",
    "execution denied",
    "Command rejected",
    "Command substitution using",
    "is not allowed by configuration",
    "invalid_tool_params",
    "Invalid parameters",
    "params must have required property",
];

/// The outcome of a call that has come to an end; `None` while it has not.
pub(super) fn of_call(call: &ToolCall<'_>) -> Option<Outcome> {
    let response = response_of(&call.result);
    let shown = call.result_display;
    match call.status.text() {
        "" if response.is_none() => None,
        "" | "success" | "error" | "cancelled" | "canceled" => Some(of_status(call.status.text(), response, shown)),
        // validating, scheduled, awaiting_approval, executing
        _ => None,
    }
}

/// The response in a list of parts.
pub(super) fn response_of<'p, 'a>(parts: &'p super::List<Part<'a>>) -> Option<&'p Response<'a>> {
    parts.0.iter().find_map(|part| part.function_response.0.as_ref()).and_then(|response| response.response.0.as_ref())
}

/// The outcome that a status and a response state together.
pub(super) fn of_status(status: &str, response: Option<&Response<'_>>, shown: Option<&RawValue>) -> Outcome {
    let said = response.and_then(|response| response.error.or(response.output)).or(shown);
    let output = output(said).map(|text| printed(&text).map_or(text.clone(), Arc::from));
    Outcome { output, ..how_it_ended(status, response, shown) }
}

/// What a shell command printed, in a result that names the command and the folder before it.
fn printed(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("Command: ")?;
    ["\nOutput: ", "\nStdout: "].iter().find_map(|label| rest.split_once(label)).map(|(_, printed)| printed)
}

fn how_it_ended(status: &str, response: Option<&Response<'_>>, shown: Option<&RawValue>) -> Outcome {
    let output = response.and_then(|response| response.output);
    let error = response.and_then(|response| response.error);
    let code = output.and_then(exit_code);
    let said = opening(error.or(output).or(shown));
    match status {
        "success" | "" if error.is_none() => ran(Some(code.is_none_or(|code| code == 0)), code),
        "cancelled" | "canceled" if code.is_some() || said.contains("before it could complete") => {
            ran(Some(false), code)
        }
        "cancelled" | "canceled" => refused(),
        _ if code.is_some() => ran(Some(false), code),
        _ if NEVER_BEGUN.iter().any(|words| said.contains(words)) => refused(),
        _ => failed(),
    }
}

/// The last `Exit Code: N` of a result. It stands behind the output, which could quote another one.
fn exit_code(output: &RawValue) -> Option<i32> {
    let text = output.get();
    // Only a shell command's result begins or ends like this; a file that is read could say anything.
    let is_shell = text.starts_with("\"Command: ") || text.starts_with("\"Output: ");
    is_shell.then(|| number_after(text, "Exit Code: ")).flatten()
}
