//! How a call ended: stated as JSON in the output's text, as words at its start, or by an event.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::record::Item;
use crate::model::{Executed, Outcome};
use crate::reader::transcript::{Flag, Loose, Word, failed, number_after, opening, output, ran, refused};

/// How an output begins, or what it says at once, when the call was not carried out.
const REFUSED: &[&str] = &[
    "exec command rejected by user",
    "patch rejected by user",
    "rejected by user",
    "user rejected",
    "user declined",
    "Rejected(",
    "blocked by policy",
    "reject command",
    "failed to parse function arguments",
    "unsupported call",
];

/// How the harness begins what it puts before a program's own output.
const HEADERS: &[&str] = &["Exit code: ", "Chunk ID: ", "Wall time: "];

/// Output that is JSON text itself, or an object.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Output<'a> {
    metadata: Loose<Metadata>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    stdout: Option<&'a RawValue>,
    success: Flag,
    exit_code: Option<i32>,
    #[serde(rename = "exitCode")]
    camel_exit_code: Option<i32>,
    #[serde(rename = "Ok")]
    ok: Loose<McpResult>,
    #[serde(borrow, rename = "Err")]
    err: Word<'a>,
}

impl Output<'_> {
    fn said(&self) -> Option<Arc<str>> {
        output(self.output.or(self.content).or(self.stdout)).map(without_header)
    }
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Metadata {
    exit_code: Option<i32>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default, rename_all = "camelCase")]
struct McpResult {
    is_error: Flag,
}

/// The outcome that the output of a call states.
pub(super) fn of_output(stated: Option<&RawValue>) -> Outcome {
    let Some(raw) = stated.map(RawValue::get) else { return ran(None, None) };
    if raw.starts_with("\"{") {
        // Metadata stands after the output, so that all of the text has to be read.
        let text: String = serde_json::from_str(raw).unwrap_or_default();
        if let Ok(stated) = serde_json::from_str::<Output<'_>>(&text) {
            return Outcome { output: stated.said(), ..of_object(&stated) };
        }
    }
    if raw.starts_with('{')
        && let Ok(object) = serde_json::from_str::<Output<'_>>(raw)
    {
        let ended = match of_object(&object) {
            Outcome { executed: Executed::Yes, succeeded: None, .. } => of_words(&opening(stated)),
            ended => ended,
        };
        return Outcome { output: object.said().or_else(|| output(stated)), ..ended };
    }
    Outcome { output: output(stated).map(without_header), ..of_words(&opening(stated)) }
}

/// What was printed, without what the harness puts before it.
fn without_header(output: Arc<str>) -> Arc<str> {
    let headed = HEADERS.iter().any(|header| output.starts_with(header));
    match output.split_once("\nOutput:\n").filter(|_| headed) {
        Some((_, printed)) => printed.into(),
        None => output,
    }
}

/// The outcome that an event at the end of a call states.
pub(super) fn of_event(item: &Item<'_>) -> Outcome {
    let printed = item.aggregated_output.or(item.stdout);
    match how_it_ended(item) {
        ended if ended.output.is_none() => Outcome { output: output(printed), ..ended },
        ended => ended,
    }
}

fn how_it_ended(item: &Item<'_>) -> Outcome {
    let code = item.exit_code.and_then(|code| code.get().parse().ok());
    match item.status.text() {
        "declined" | "denied" | "rejected" => refused(),
        _ if code.is_some() => with_code(code),
        _ if item.success.0.is_some() => ran(item.success.0, None),
        _ => match of_output(item.result) {
            stated if item.result.is_some() => stated,
            _ => ran((item.status.text() == "completed").then_some(true), None),
        },
    }
}

fn with_code(code: Option<i32>) -> Outcome {
    ran(code.map(|code| code == 0), code)
}

fn of_object(stated: &Output<'_>) -> Outcome {
    let code = stated.metadata.0.as_ref().and_then(|metadata| metadata.exit_code);
    let code = code.or(stated.exit_code).or(stated.camel_exit_code);
    if code.is_some() {
        return with_code(code);
    }
    if stated.err.is_there() {
        return if says_refused(stated.err.text()) { refused() } else { failed() };
    }
    if let Some(result) = &stated.ok.0 {
        return ran(Some(result.is_error.0 != Some(true)), None);
    }
    if stated.success.0.is_some() {
        return ran(stated.success.0, None);
    }
    let text = stated.output.or(stated.content);
    if text.is_some() { of_words(&opening(text)) } else { ran(None, None) }
}

fn of_words(opening: &str) -> Outcome {
    let said = opening.trim_start();
    let first: String = said.chars().take(200).collect();
    // The harness says these at the very start; a program's own output stands behind a header.
    if HEADERS.iter().any(|header| first.starts_with(header)) {
        let header = said.split("\nOutput:").next().unwrap_or_default();
        let code = number_after(header, "Exit code: ").or_else(|| number_after(header, "Process exited with code "));
        return with_code(code);
    }
    if says_refused(&first) {
        return refused();
    }
    if first.starts_with("aborted by user after") {
        return ran(Some(false), None);
    }
    if first.starts_with("aborted") || first.starts_with("execution error") {
        return failed();
    }
    if first.starts_with("exec_command failed") || first.starts_with("failed in sandbox") || first.starts_with("err: ")
    {
        return failed();
    }
    match number_after(&first, "Process exited with code ") {
        Some(code) => with_code(Some(code)),
        None => ran(None, None),
    }
}

fn says_refused(text: &str) -> bool {
    let first: String = text.chars().take(200).collect();
    let begins = |words: &str| first.starts_with(words);
    REFUSED.iter().any(|words| begins(words))
        || (begins("exec_command failed") || begins("execution error") || begins("apply_patch") || begins("command "))
            && REFUSED.iter().any(|words| first.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, expected: &str) {
        let raw: &RawValue = serde_json::from_str(output).unwrap();
        let outcome = of_output(Some(raw));
        assert_eq!(format!("{} {:?} {:?}", outcome.executed, outcome.succeeded, outcome.exit_code), expected);
    }

    #[test]
    fn exit_codes_stand_in_many_places() {
        check(r#""{\"output\":\"x\",\"metadata\":{\"exit_code\":127}}""#, "yes Some(false) Some(127)");
        check(r#""Exit code: 0\nWall time: 0.1 seconds\nOutput:\nExit code: 9\n""#, "yes Some(true) Some(0)");
        check(r#""Chunk ID: a1\nProcess exited with code 2\nOutput:\nx""#, "yes Some(false) Some(2)");
        check(r#"{"stdout":"","exitCode":0}"#, "yes Some(true) Some(0)");
        check(r#"[{"type":"input_text","text":"plain"}]"#, "yes None None");
        check(r#"{"type":"input_text","text":"plain"}"#, "yes None None");
    }

    #[test]
    fn refused_and_broken_off() {
        check(r#""exec command rejected by user""#, "no None None");
        check(r#""execution error: Rejected(\"approval policy\")""#, "no None None");
        check(r#""aborted by user after 3.2s""#, "yes Some(false) None");
        check(r#""aborted""#, "unknown Some(false) None");
        check(r#""Output: the patch was rejected by user last week""#, "yes None None");
    }
}
