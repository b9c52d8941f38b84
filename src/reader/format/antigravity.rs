//! Antigravity's transcripts: a step a line. What the model asks for stands in `tool_calls`, each value a JSON text of its
//! own; what came of it is a later step that has no name for the call. Steps that were not asked for in the file were
//! carried out all the same.
//!
//! `{"step_index":2,"source":"MODEL","type":"PLANNER_RESPONSE","status":"DONE","created_at":"2026-06-26T21:16:17Z","tool_calls":[{"name":"run_command","args":{"CommandLine":"\"ls\"","Cwd":"\"/srv\""}}]}`

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::model::{Hides, Outcome};
use crate::reader::transcript::{
    At, Call, List, Talk, Word, arguments, each_line, failed, first_lines, moment, number_after, opening, output, ran,
    refused,
};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct Antigravity;

const NAME: &str = "antigravity";

/// Steps of the model that do nothing outside of it.
const SILENT: &[&str] =
    &["PLANNER_RESPONSE", "GENERIC", "CHECKPOINT", "ERROR_MESSAGE", "MEMORY", "TASK_BOUNDARY", "NOTIFY_USER"];
/// Steps that only look at something.
const LOOKING: &[&str] = &["VIEW", "LIST", "GREP", "FIND", "SEARCH", "READ", "CODEBASE"];

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Step<'a> {
    #[serde(borrow)]
    step_index: Word<'a>,
    #[serde(borrow)]
    source: Word<'a>,
    #[serde(borrow, rename = "type")]
    kind: Word<'a>,
    #[serde(borrow)]
    status: Word<'a>,
    #[serde(borrow)]
    created_at: Word<'a>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_calls: List<Asked<'a>>,
    #[serde(borrow)]
    truncated_fields: List<Word<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Asked<'a> {
    #[serde(borrow)]
    name: Word<'a>,
    #[serde(borrow)]
    args: Option<&'a RawValue>,
}

impl Reader for Antigravity {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Antigravity transcripts (a step a line)"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let is_step = |line| {
            let step: Step<'_> = serde_json::from_str(line).unwrap_or_default();
            [&step.step_index, &step.source, &step.kind, &step.status].into_iter().all(Word::is_there)
        };
        let mut lines = first_lines(sample, 3).map(is_step);
        if lines.next() == Some(true) && lines.all(|is_step| is_step) { Match::Certain } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut talk = Talk::new(source, NAME, NAME, out);
        // Calls that nothing was said of yet.
        let mut waiting = 0;
        let read = each_line(input, &mut |text, at| match text.map(|text| talk.calls.record::<Step<'_>>(text, at)) {
            Some(Ok(step)) => one(&mut talk, &step, &mut waiting, at),
            Some(Err(flow)) => flow,
            None => talk.calls.too_long(at),
        });
        talk.finish();
        read
    }
}

fn one(talk: &mut Talk<'_>, step: &Step<'_>, waiting: &mut u32, at: At) -> ControlFlow<()> {
    let time = moment(step.created_at.text());
    let kind = step.kind.text();
    let record = format!("{}/{}", talk.voice.session, step.step_index.text());
    let cut = |field: &str| step.truncated_fields.0.iter().any(|cut| cut.text() == field);
    for (index, asked) in step.tool_calls.0.iter().enumerate() {
        let (stated, folder) = plain(asked.args);
        let (tool, cut) = (asked.name.text(), cut("tool_calls"));
        talk.go_to(folder.as_deref());
        let call = Call { record: &record, index, time, tool, arguments: &stated, cut, at, ..Call::default() };
        talk.calls.tool(&talk.voice, &call)?;
        *waiting += 1;
    }
    if step.source.text() != "MODEL" || SILENT.contains(&kind) || !step.tool_calls.0.is_empty() {
        return if step.tool_calls.0.is_empty() { talk.calls.nothing() } else { ControlFlow::Continue(()) };
    }
    if *waiting == 0 {
        let tool = kind.to_ascii_lowercase();
        let said = opening(step.content);
        let seen = said.strip_prefix("File Path: `file://").and_then(|rest| rest.split('`').next());
        let stated = seen.map(|path| json!({ "path": path }).to_string()).unwrap_or_default();
        let missing = LOOKING.iter().any(|word| kind.starts_with(word)).then_some(Hides::Target);
        let call = Call { record: &record, time, tool: &tool, arguments: &stated, missing, at, ..Call::default() };
        talk.calls.tool(&talk.voice, &call)?;
    }
    *waiting = waiting.saturating_sub(1);
    talk.calls.settle("", outcome(step))
}

/// The arguments with each value as what its text says, and the folder that a command is to run in.
fn plain(args: Option<&RawValue>) -> (String, Option<String>) {
    let Some(args) = args else { return (String::new(), None) };
    let Ok(members) = serde_json::from_str::<Map<String, Value>>(args.get()) else {
        return (args.get().to_owned(), None);
    };
    let inner = |value: Value| match &value {
        Value::String(text) => serde_json::from_str(text).unwrap_or(value),
        _ => value,
    };
    let mut plain: Map<String, Value> = members.into_iter().map(|(name, value)| (name, inner(value))).collect();
    let folder = plain.get("Cwd").and_then(Value::as_str).map(str::to_owned);
    // Under the names that everybody else has for them.
    for (own, usual) in [
        ("CommandLine", "command"),
        ("Cwd", "cwd"),
        ("TargetFile", "path"),
        ("AbsolutePath", "path"),
        ("DirectoryPath", "path"),
    ] {
        if let Some(value) = plain.remove(own) {
            plain.insert(usual.to_owned(), value);
        }
    }
    let text = Value::Object(plain).to_string();
    let folder = folder.filter(|_| arguments(&text).folder.is_some());
    (text, folder)
}

fn outcome(step: &Step<'_>) -> Outcome {
    let said = opening(step.content);
    let code = number_after(&said, "exit code: ").or_else(|| number_after(&said, "exit code "));
    let outcome = match step.status.text() {
        "CANCELED" | "CANCELLED" | "REJECTED" => refused(),
        "ERROR" | "FAILED" if code.is_none() => failed(),
        "DONE" | "ERROR" | "FAILED" if code.is_some() => ran(code.map(|code| code == 0), code),
        "DONE" if said.starts_with("The command completed successfully") => ran(Some(true), None),
        "DONE" => ran(None, None),
        _ => Outcome::default(),
    };
    Outcome { output: output(step.content), ..outcome }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[test]
    fn steps_that_were_not_asked_for_were_carried_out_too() {
        let seen = read_all(&Antigravity, "steps.jsonl", include_bytes!("../../../corpora/antigravity/steps.jsonl"));
        for line in [
            "L2 tool \"npm run build\" session=steps actor=agent:antigravity time=2026-03-02T08:00:01Z exec=yes ok cwd=/home/ada/shop tool=run_command",
            "L4 tool \"/home/ada/shop/.env\" session=steps actor=agent:antigravity time=2026-03-02T08:00:04Z exec=yes",
            "L5 tool \"\" session=steps actor=agent:antigravity time=2026-03-02T08:00:06Z exec=yes failed exit=2",
            "tool=run_command gap=parameters-missing/anything",
            "L6 tool \"git push --force\" session=steps actor=agent:antigravity time=2026-03-02T08:00:08Z exec=no",
        ] {
            assert!(seen.contains(line), "{line}\n{seen}");
        }
    }
}
