//! What was said to and by a model, in the shapes that the chat interfaces have for it: a message with calls in it, a
//! call or a result that stands for itself, a block inside a message.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::arguments::unwrapped;
use super::loose::{Flag, List, Loose, Word};
use super::told::{number_after, opening, output, whole};
use super::{failed, ran, refused};
use crate::model::Outcome;

/// Everything may be missing or of another shape.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(crate) struct Said<'a> {
    #[serde(borrow)]
    pub(crate) role: Word<'a>,
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Word<'a>,
    #[serde(borrow)]
    pub(crate) content: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) tool_calls: List<Said<'a>>,
    /// What OpenAI had before there were several calls in a message.
    #[serde(borrow)]
    pub(crate) function_call: Option<&'a RawValue>,
    /// `{"name":…,"arguments":…}`, or the name alone.
    #[serde(borrow)]
    pub(crate) function: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) id: Word<'a>,
    #[serde(borrow)]
    call_id: Word<'a>,
    #[serde(borrow)]
    tool_call_id: Word<'a>,
    #[serde(borrow)]
    tool_use_id: Word<'a>,
    #[serde(borrow, rename = "toolCallId")]
    camel_call_id: Word<'a>,
    #[serde(borrow)]
    name: Word<'a>,
    #[serde(borrow, rename = "toolName")]
    camel_name: Word<'a>,
    #[serde(borrow)]
    server_label: Word<'a>,
    #[serde(borrow)]
    server_name: Word<'a>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    args: Option<&'a RawValue>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) action: Option<&'a RawValue>,
    #[serde(borrow)]
    operation: Option<&'a RawValue>,
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    pub(crate) is_error: Flag,
    #[serde(rename = "isError")]
    camel_is_error: Flag,
    #[serde(borrow)]
    pub(crate) status: Word<'a>,
    #[serde(borrow)]
    timestamp: Word<'a>,
    #[serde(borrow)]
    created_at: Word<'a>,
    #[serde(borrow)]
    ts: Word<'a>,
}

impl<'a> Said<'a> {
    /// A call that stands for itself.
    pub(crate) fn is_call(&self) -> bool {
        let kind = self.kind.text();
        matches!(kind, "tool_use" | "server_tool_use" | "mcp_tool_use" | "tool-call" | "toolCall" | "tool_call")
            || matches!(kind, "function_call" | "custom_tool_call" | "function")
            || matches!(kind, "mcp_call" | "local_shell_call" | "shell_call" | "apply_patch_call" | "computer_call")
            || matches!(kind, "web_search_call" | "file_search_call" | "code_interpreter_call")
    }

    pub(crate) fn is_result(&self) -> bool {
        let kind = self.kind.text();
        kind.ends_with("tool_result")
            || kind.ends_with("_call_output")
            || matches!(kind, "tool-result" | "toolResult")
            || matches!(self.role.text(), "toolResult" | "function")
            || self.role.text() == "tool" && (!self.call_id().is_empty() || !self.has_blocks())
    }

    /// The content is a list of results, not a result.
    fn has_blocks(&self) -> bool {
        let blocks: List<Said<'_>> =
            self.content.and_then(|content| serde_json::from_str(content.get()).ok()).unwrap_or_default();
        blocks.0.iter().any(Said::is_result)
    }

    /// The id that a call and its result have in common.
    pub(crate) fn call_id(&self) -> &str {
        let ids = [&self.call_id, &self.tool_call_id, &self.tool_use_id, &self.camel_call_id];
        ids.into_iter().find_map(Word::get).unwrap_or_default()
    }

    pub(crate) fn moment(&self) -> &str {
        [&self.timestamp, &self.created_at, &self.ts].into_iter().find_map(Word::get).unwrap_or_default()
    }

    /// The name of the tool, with its server's where it is one of several.
    pub(crate) fn tool(&self) -> Cow<'_, str> {
        let own = self.name.get().or(self.camel_name.get());
        if let Some(server) = self.server_label.get().or(self.server_name.get()) {
            return format!("mcp__{server}__{}", own.unwrap_or_default()).into();
        }
        if let Some(own) = own {
            return own.into();
        }
        if let Some(function) = self.function {
            let inner: Loose<Said<'_>> = serde_json::from_str(function.get()).unwrap_or_default();
            let name = inner.0.map(|inner| inner.name.text().to_owned());
            return name.or_else(|| whole(Some(function))).unwrap_or_default().into();
        }
        match self.kind.text() {
            "local_shell_call" | "shell_call" => "shell",
            kind => kind.strip_suffix("_call").unwrap_or_default(),
        }
        .into()
    }

    /// The arguments as JSON text, one for every call that this is; no text where none are recorded.
    pub(crate) fn calls(&self) -> Vec<Cow<'a, str>> {
        if self.kind.text() == "shell_call"
            && let Some(action) = self.action
        {
            #[derive(Deserialize, Default)]
            #[serde(default)]
            struct Commands {
                commands: Vec<String>,
            }
            let stated: Commands = serde_json::from_str(action.get()).unwrap_or_default();
            if !stated.commands.is_empty() {
                let one = |command| Cow::Owned(serde_json::json!({ "command": command }).to_string());
                return stated.commands.into_iter().map(one).collect();
            }
        }
        if self.kind.text() == "code_interpreter_call"
            && let Some(code) = self.code
        {
            return vec![format!("{{\"code\":{}}}", code.get()).into()];
        }
        let own = [self.arguments, self.input, self.args, self.parameters, self.action, self.operation];
        if let Some(own) = own.into_iter().flatten().find(|own| own.get() != "null") {
            return vec![unwrapped(Some(own))];
        }
        let inner = self.function.and_then(|function| serde_json::from_str::<Loose<Said<'a>>>(function.get()).ok());
        match inner.and_then(|inner| inner.0) {
            Some(inner) => vec![unwrapped(inner.arguments.or(inner.args))],
            None => vec!["".into()],
        }
    }

    /// What a call that carries its own result came to; `None` while nothing says.
    pub(crate) fn own_outcome(&self) -> Option<Outcome> {
        let hosted = self.kind.text().ends_with("_call") && self.kind.text() != "function_call";
        let error = self.error.is_some_and(|error| error.get() != "null");
        let answer = self.output.or(self.result).filter(|answer| answer.get() != "null");
        if answer.is_some() || error {
            return Some(self.outcome());
        }
        match self.status.text() {
            // A shell command or a patch that the model completed is still to be run by somebody.
            "completed" if hosted && matches!(self.kind.text(), "web_search_call" | "file_search_call") => {
                Some(ran(Some(true), None))
            }
            "failed" if hosted => Some(failed()),
            _ => None,
        }
    }

    /// How the call ended that this is the result of.
    pub(crate) fn outcome(&self) -> Outcome {
        let answer = self.content.or(self.output).or(self.result);
        let error = self.error.filter(|error| !matches!(error.get(), "null" | "\"\"" | "{}" | "false"));
        let flag = self.is_error.0.or(self.camel_is_error.0);
        let is_error = match (flag, self.status.text()) {
            _ if error.is_some() => Some(true),
            (None, "error" | "failed") => Some(true),
            (flag, _) => flag,
        };
        ended(error.or(answer), answer, is_error)
    }
}

/// How results begin that say: a person or a guard refused. In lower case.
const REFUSED: &[&str] = &[
    "the user doesn't want to",
    "the user denied",
    "the user rejected",
    "the user declined",
    "the user has declined",
    "user denied",
    "user rejected",
    "user declined",
    "user refused",
    "user cancelled",
    "user canceled",
    "rejected by user",
    "rejected by the user",
    "denied by user",
    "denied by the user",
    "cancelled by user",
    "tool call rejected",
    "tool call denied",
    "tool call was rejected",
    "tool call was denied",
    "tool execution was denied",
    "tool execution denied",
    "tool use rejected",
    "the tool call is rejected by",
    "the tool call was rejected by",
    "the tool use was rejected",
    "permission denied by user",
    "operation cancelled by user",
    "exec command rejected by user",
    "[request interrupted by user for tool use]",
    "permission to use ",
    "permission to run tool action denied",
    "hook pretooluse:",
];

/// The outcome that a result states: what it says, what of that came back, and whether it is marked as an error.
pub(crate) fn ended(said: Option<&RawValue>, answer: Option<&RawValue>, is_error: Option<bool>) -> Outcome {
    let printed = output(answer).or_else(|| output(said));
    let text = opening(said);
    let stated = stated_code(&text).or_else(|| coded(said));
    let outcome = match stated {
        _ if says_refused(&text) => refused(),
        Some(code) => ran(Some(code == 0), Some(code)),
        None if is_error == Some(true) => failed(),
        None if is_error == Some(false) => ran(Some(true), None),
        None if begins_as_error(&text) => failed(),
        None => ran(None, None),
    };
    Outcome { output: printed, ..outcome }
}

/// Whether a result says that nothing was done because somebody said no.
fn says_refused(text: &str) -> bool {
    let first: String = text.trim_start().chars().take(120).collect::<String>().to_ascii_lowercase();
    let first = first.strip_prefix("error: ").unwrap_or(&first);
    REFUSED.iter().any(|words| first.starts_with(words))
}

fn begins_as_error(text: &str) -> bool {
    let text = text.trim_start();
    ["Error:", "ERROR:", "error:", "Error executing", "Traceback (most recent call last)", "{\"error\""]
        .iter()
        .any(|words| text.starts_with(words))
}

/// An exit code that the first or the last line states in the words of the program around the command.
fn stated_code(text: &str) -> Option<i32> {
    let line = |line: &str| {
        let begins = [
            "Error: Command failed",
            "Command failed",
            "Exit code",
            "exit code",
            "Process exited",
            "<returncode>",
            "<exited with",
        ];
        let says = begins.iter().any(|words| line.trim_start_matches(['[', '(']).starts_with(words));
        let labels = ["exit code: ", "xit code: ", "xit code ", "with code ", "<returncode>"];
        if says { labels.iter().find_map(|label| number_after(line, label)) } else { None }
    };
    let text = text.trim();
    line(text.lines().next()?).or_else(|| line(text.lines().next_back()?))
}

/// The exit code in a result that is an object, or JSON in a string.
fn coded(said: Option<&RawValue>) -> Option<i32> {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Coded<'a> {
        #[serde(borrow)]
        exit_code: Word<'a>,
        #[serde(borrow, rename = "exitCode")]
        camel: Word<'a>,
        #[serde(borrow)]
        returncode: Word<'a>,
        #[serde(borrow)]
        return_code: Word<'a>,
        #[serde(borrow)]
        outcome: Option<&'a RawValue>,
    }
    fn read(json: &str, deep: bool) -> Option<i32> {
        let coded: Loose<Coded<'_>> = serde_json::from_str(json).ok()?;
        let coded = coded.0?;
        let codes = [&coded.exit_code, &coded.camel, &coded.returncode, &coded.return_code];
        let own = codes.into_iter().find_map(|code| code.text().parse().ok());
        own.or_else(|| if deep { read(coded.outcome?.get(), false) } else { None })
    }
    let said = said?.get();
    if said.starts_with('{') {
        return read(said, true);
    }
    if said.starts_with("[{") {
        // The output of a hosted shell is a list of what each command came to.
        let parts: Vec<&RawValue> = serde_json::from_str(said).ok()?;
        let codes: Vec<i32> = parts.iter().filter_map(|part| read(part.get(), true)).collect();
        return codes.iter().copied().find(|code| *code != 0).or(codes.first().copied());
    }
    if !said.starts_with("\"{") {
        return None;
    }
    read(&whole(serde_json::from_str(said).ok())?, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: &str) {
        let said: Said<'_> = serde_json::from_str(json).unwrap();
        let outcome = said.outcome();
        assert_eq!(format!("{} {:?} {:?}", outcome.executed, outcome.succeeded, outcome.exit_code), expected);
    }

    #[test]
    fn results_say_how_it_ended_in_many_ways() {
        check(r#"{"content":"fine"}"#, "yes None None");
        check(r#"{"content":"fine","is_error":false}"#, "yes Some(true) None");
        check(r#"{"content":[{"type":"text","text":"no such file"}],"is_error":true}"#, "unknown Some(false) None");
        check(r#"{"content":"Error: user not found"}"#, "unknown Some(false) None");
        check(r#"{"output":"{\"exit_code\": 3, \"stdout\": \"\"}"}"#, "yes Some(false) Some(3)");
        check(r#"{"output":{"exitCode":0}}"#, "yes Some(true) Some(0)");
        check(r#"{"output":[{"stdout":"a","outcome":{"type":"exit","exit_code":2}}]}"#, "yes Some(false) Some(2)");
        check(r#"{"content":"Error: Command failed (exit code: 1)\nls: /nope"}"#, "yes Some(false) Some(1)");
        check(r#"{"content":"cat: x\nCommand failed with exit code: 1.","isError":true}"#, "yes Some(false) Some(1)");
        check(r#"{"content":"","error":"ValueError: x"}"#, "unknown Some(false) None");
    }

    #[test]
    fn refused_is_not_failed() {
        check(r#"{"content":"The user denied this operation.","is_error":true}"#, "no None None");
        check(r#"{"content":"Error: Tool call rejected by user"}"#, "no None None");
        check(r#"{"content":"The report says the user denied it"}"#, "yes None None");
    }
}
