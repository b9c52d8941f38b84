//! Qwen Code chats: `~/.qwen/projects/<folder>/chats/<session>.jsonl`.
//!
//! `{"uuid":"…","sessionId":"…","timestamp":"2026-01-05T09:00:02Z","type":"assistant","cwd":"/srv","message":{"role":"model","parts":[{"functionCall":{"id":"…","name":"run_shell_command","args":{"command":"ls"}}}]}}`

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::reader::transcript::{At, Call, List, Loose, Talk, Word, each_line, ended, first_lines, moment, refused};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct Qwen;

const NAME: &str = "qwen";

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Line<'a> {
    #[serde(borrow)]
    uuid: Word<'a>,
    #[serde(borrow, rename = "sessionId")]
    session_id: Word<'a>,
    #[serde(borrow, rename = "agentId")]
    agent_id: Word<'a>,
    #[serde(borrow)]
    timestamp: Word<'a>,
    #[serde(borrow)]
    cwd: Word<'a>,
    #[serde(borrow)]
    message: Loose<Message<'a>>,
    #[serde(borrow, rename = "systemPayload")]
    system: Option<&'a RawValue>,
    #[serde(borrow, rename = "toolCallResult")]
    result: Loose<Stated<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Message<'a> {
    #[serde(borrow)]
    parts: Option<&'a RawValue>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Part<'a> {
    #[serde(borrow, rename = "functionCall")]
    call: Loose<Function<'a>>,
    #[serde(borrow, rename = "functionResponse")]
    response: Loose<Function<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Function<'a> {
    #[serde(borrow)]
    id: Word<'a>,
    #[serde(borrow)]
    name: Word<'a>,
    #[serde(borrow)]
    args: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Loose<Response<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Response<'a> {
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// What the program says about a result beside the words for the model.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Stated<'a> {
    #[serde(borrow, rename = "callId")]
    call_id: Word<'a>,
    #[serde(borrow)]
    status: Word<'a>,
}

impl Reader for Qwen {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Qwen Code chats (~/.qwen/projects/*/chats/*.jsonl)"
    }

    fn repeats(&self) -> bool {
        true
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let mut best = Match::No;
        for line in first_lines(sample, 40) {
            let mut lines = serde_json::Deserializer::from_str(line).into_iter::<Line<'_>>();
            let Some(Ok(line)) = lines.next() else { continue };
            if line.uuid.get().is_none() || line.session_id.get().is_none() {
                continue;
            }
            let parts = line.message.0.as_ref().is_some_and(|message| message.parts.is_some());
            best = best.max(match parts {
                true => Match::Certain,
                false if line.system.is_some() => Match::Likely,
                false => Match::No,
            });
        }
        best
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut talk = Talk::new(source, NAME, "qwen-code", out);
        let read = each_line(input, &mut |text, at| match text {
            Some(text) => glued(&mut talk, text, at),
            None => talk.calls.too_long(at),
        });
        talk.finish();
        read
    }
}

/// A line holds one record; when two were written at the same time, several.
fn glued(talk: &mut Talk<'_>, text: &str, at: At) -> ControlFlow<()> {
    let mut records = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    loop {
        let offset = at.offset + records.byte_offset() as u64;
        match records.next() {
            None => return ControlFlow::Continue(()),
            Some(Ok(record)) if !record.get().starts_with('{') => talk.calls.nothing()?,
            Some(Ok(record)) => match serde_json::from_str(record.get()) {
                Ok(line) => one(talk, &line, At { offset, ..at })?,
                Err(error) => talk.calls.unreadable(At { offset, ..at }, &error)?,
            },
            Some(Err(error)) => return talk.calls.unreadable(At { offset, ..at }, &error),
        }
    }
}

fn one(talk: &mut Talk<'_>, line: &Line<'_>, at: At) -> ControlFlow<()> {
    if let Some(session) = line.session_id.get() {
        match line.agent_id.get() {
            Some(agent) => talk.begin(&format!("{session}/agent-{agent}")),
            None => talk.begin(session),
        }
    }
    talk.go_to(line.cwd.get());
    let parts = line.message.0.as_ref().and_then(|message| message.parts);
    let parts: List<Part<'_>> = parts.and_then(|parts| serde_json::from_str(parts.get()).ok()).unwrap_or_default();
    let mut any = false;
    for (index, part) in parts.0.iter().enumerate() {
        if let Some(call) = &part.call.0 {
            any = true;
            // The model leaves the arguments out where there are none.
            let arguments = call.args.map_or("{}", RawValue::get);
            let (record, tool, time) = (line.uuid.text(), call.name.text(), moment(line.timestamp.text()));
            let call = Call { id: call.id.text(), record, index, time, tool, arguments, at, ..Call::default() };
            talk.calls.tool(&talk.voice, &call)?;
        } else if let Some(stated) = &part.response.0 {
            any = true;
            let response = stated.response.0.as_ref();
            let error = response.and_then(|response| response.error);
            let said = error.or(response.and_then(|response| response.output));
            let result = line.result.0.as_ref();
            let id = stated.id.get().or(result.and_then(|result| result.call_id.get())).unwrap_or_default();
            let outcome = match result.map(|result| result.status.text()) {
                Some("cancelled" | "canceled") => refused(),
                Some("success") => ended(said, said, Some(false)),
                Some("error") => ended(said, said, Some(true)),
                _ => ended(said, said, error.map(|_| true)),
            };
            talk.calls.settle(id, outcome)?;
        }
    }
    if any { ControlFlow::Continue(()) } else { talk.calls.nothing() }
}
