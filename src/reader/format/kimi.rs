//! Kimi CLI: `wire.jsonl` of a session (`~/.kimi*/sessions/**`), of old and new versions.
//!
//! `{"type":"context.append_loop_event","event":{"type":"tool.call","toolCallId":"Bash_0","name":"Bash","args":{"command":"ls"}},"time":1785613809972}`

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::reader::transcript::{
    At, Call, Document, Loose, Said, Talk, Word, each_line, ended, first_lines, has, is_document, moment, refused,
    unwrapped,
};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct Kimi;

const NAME: &str = "kimi";

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Line<'a> {
    #[serde(borrow, rename = "type")]
    kind: Word<'a>,
    #[serde(borrow)]
    event: Loose<Event<'a>>,
    #[serde(borrow)]
    cwd: Word<'a>,
    #[serde(borrow)]
    time: Word<'a>,
    /// Of an approval.
    #[serde(borrow, rename = "toolCallId")]
    tool_call_id: Word<'a>,
    #[serde(borrow)]
    result: Loose<Answer<'a>>,
    // The older form.
    #[serde(borrow)]
    timestamp: Word<'a>,
    #[serde(borrow)]
    message: Loose<Old<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Event<'a> {
    #[serde(borrow, rename = "type")]
    kind: Word<'a>,
    #[serde(borrow, rename = "toolCallId")]
    tool_call_id: Word<'a>,
    #[serde(borrow)]
    name: Word<'a>,
    #[serde(borrow)]
    args: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Loose<Answer<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Answer<'a> {
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(rename = "isError")]
    is_error: crate::reader::transcript::Flag,
    #[serde(rename = "is_error")]
    old_is_error: crate::reader::transcript::Flag,
    #[serde(borrow)]
    decision: Word<'a>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Old<'a> {
    #[serde(borrow, rename = "type")]
    kind: Word<'a>,
    #[serde(borrow)]
    payload: Loose<Payload<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Payload<'a> {
    #[serde(borrow)]
    id: Word<'a>,
    #[serde(borrow)]
    function: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_call_id: Word<'a>,
    #[serde(borrow)]
    return_value: Loose<Answer<'a>>,
}

impl Reader for Kimi {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Kimi CLI sessions (wire.jsonl under ~/.kimi*/sessions), with the approvals in them"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        if is_document(sample.head) {
            let has = |key| has(sample.head, key);
            let state = has("\"agents\"") && has("\"homedir\"") && has("\"workDir\"");
            return if state { Match::Likely } else { Match::No };
        }
        let mut best = Match::No;
        for line in first_lines(sample, 40) {
            let Ok(line) = serde_json::from_str::<Line<'_>>(line) else { continue };
            let old = line.message.0.as_ref().filter(|message| message.payload.0.is_some());
            best = best.max(match line.kind.text() {
                "context.append_loop_event" | "permission.record_approval_result" => Match::Certain,
                "config.update" | "llm.request" | "turn.prompt" if line.time.is_there() => Match::Likely,
                "" if line.timestamp.is_there() && old.is_some_and(|old| is_old(old.kind.text())) => Match::Certain,
                _ => Match::No,
            });
        }
        best
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut wire = Wire { talk: Talk::new(source, NAME, "kimi", out), decided: HashMap::new() };
        let mut broke = None;
        let read = if is_document(input.fill_buf()?) {
            match Document::read(input) {
                Some(document) => {
                    let _ = match serde_json::from_str::<&RawValue>(document.text()) {
                        Ok(_) => wire.talk.calls.nothing(),
                        Err(error) => wire.talk.calls.unreadable(At { line: error.line() as u64, offset: 0 }, &error),
                    };
                    broke = document.broke;
                }
                None => {
                    let _ = wire.talk.calls.too_long(At::default());
                }
            }
            Ok(())
        } else {
            each_line(input, &mut |text, at| match text {
                Some(text) => match wire.talk.calls.record(text, at) {
                    Ok(line) => wire.line(&line, at),
                    Err(flow) => flow,
                },
                None => wire.talk.calls.too_long(at),
            })
        };
        wire.talk.finish();
        broke.map_or(read, Err)
    }
}

fn is_old(kind: &str) -> bool {
    matches!(
        kind,
        "TurnBegin" | "StepBegin" | "ContentPart" | "ToolCall" | "ToolResult" | "ApprovalRequest" | "StatusUpdate"
    )
}

struct Wire<'o> {
    talk: Talk<'o>,
    /// What was said to calls that are still to come.
    decided: HashMap<String, bool>,
}

impl Wire<'_> {
    fn line(&mut self, line: &Line<'_>, at: At) -> ControlFlow<()> {
        if let Some(time) = moment(line.time.text()) {
            self.talk.time = Some(time);
        } else if let Some(seconds) = line.timestamp.text().split('.').next().and_then(moment) {
            self.talk.time = Some(seconds);
        }
        if line.kind.text() == "config.update" {
            self.talk.go_to(line.cwd.get());
        }
        if line.kind.text() == "permission.record_approval_result"
            && let Some(answer) = &line.result.0
        {
            let decision = answer.decision.text();
            let id = line.tool_call_id.text();
            self.talk.calls.nothing()?;
            match decision {
                "approved" => self.decided.insert(id.to_owned(), true),
                "rejected" | "denied" if self.talk.calls.awaits(id) => {
                    return self.talk.calls.settle(id, refused());
                }
                "rejected" | "denied" => self.decided.insert(id.to_owned(), false),
                _ => None,
            };
            return ControlFlow::Continue(());
        }
        if let Some(event) = &line.event.0 {
            return self.event(event, at);
        }
        if let Some(old) = &line.message.0
            && let Some(payload) = &old.payload.0
        {
            return self.old(old.kind.text(), payload, at);
        }
        self.talk.calls.nothing()
    }

    fn event(&mut self, event: &Event<'_>, at: At) -> ControlFlow<()> {
        let id = event.tool_call_id.text();
        match event.kind.text() {
            "tool.call" => {
                let arguments = unwrapped(event.args);
                self.call(id, event.name.text(), &arguments, at)
            }
            "tool.result" => {
                let answer = event.result.0.as_ref();
                let output = answer.and_then(|answer| answer.output);
                let is_error = answer.and_then(|answer| answer.is_error.0);
                self.talk.calls.settle(id, ended(output, output, is_error))
            }
            _ => self.talk.calls.nothing(),
        }
    }

    fn old(&mut self, kind: &str, payload: &Payload<'_>, at: At) -> ControlFlow<()> {
        match kind {
            "ToolCall" => {
                let said = payload.function.map_or("null", RawValue::get);
                let said: Loose<Said<'_>> = serde_json::from_str(said).unwrap_or_default();
                let said = said.0.unwrap_or_default();
                let arguments = said.calls().pop().unwrap_or_default();
                self.call(payload.id.text(), &said.tool(), &arguments, at)
            }
            "ToolResult" => {
                let answer = payload.return_value.0.as_ref();
                let output = answer.and_then(|answer| answer.output);
                let said = answer.and_then(|answer| answer.message).or(output);
                let is_error = answer.and_then(|answer| answer.old_is_error.0);
                self.talk.calls.settle(payload.tool_call_id.text(), ended(said, output, is_error))
            }
            _ => self.talk.calls.nothing(),
        }
    }

    fn call(&mut self, id: &str, tool: &str, arguments: &str, at: At) -> ControlFlow<()> {
        let decision = self.decided.remove(id);
        let record = format!("{}/{id}", self.talk.voice.session);
        let (time, approved) = (self.talk.time, decision == Some(true));
        let call = Call { id, record: &record, time, tool, arguments, approved, at, ..Call::default() };
        self.talk.calls.tool(&self.talk.voice, &call)?;
        if decision == Some(false) {
            return self.talk.calls.settle(id, refused());
        }
        ControlFlow::Continue(())
    }
}
