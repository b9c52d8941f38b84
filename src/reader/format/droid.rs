//! Factory Droid: session files (`~/.factory/sessions/**/<session>.jsonl`) and what `droid exec --output-format
//! stream-json` prints.
//!
//! `{"type":"tool_call","session_id":"…","timestamp":"2026-01-05T09:00:02Z","toolCallId":"c1","toolName":"Execute","parameters":{"command":"ls"}}`

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::reader::transcript::{At, Flag, Said, Talk, Word, each_line, ended, first_lines, moment, unwrapped};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct Droid;

const NAME: &str = "droid";

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Line<'a> {
    #[serde(borrow, rename = "type")]
    kind: Word<'a>,
    #[serde(borrow)]
    id: Word<'a>,
    #[serde(borrow)]
    cwd: Word<'a>,
    #[serde(borrow)]
    owner: Word<'a>,
    #[serde(borrow)]
    timestamp: Word<'a>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    // The stream.
    #[serde(borrow)]
    session_id: Word<'a>,
    #[serde(borrow, rename = "sessionId")]
    camel_session_id: Word<'a>,
    #[serde(borrow, rename = "toolCallId")]
    tool_call_id: Word<'a>,
    #[serde(borrow, rename = "toolName")]
    tool: Word<'a>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(rename = "isError")]
    is_error: Flag,
    #[serde(borrow, rename = "finalText")]
    final_text: Option<&'a RawValue>,
}

impl Line<'_> {
    fn session(&self) -> Option<&str> {
        match self.kind.text() {
            "session_start" => self.id.get(),
            _ => self.session_id.get().or(self.camel_session_id.get()),
        }
    }
}

impl Reader for Droid {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Factory Droid sessions (~/.factory/sessions/**/*.jsonl) and stream-json output"
    }

    fn repeats(&self) -> bool {
        true
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let mut best = Match::No;
        for line in first_lines(sample, 40) {
            let Ok(line) = serde_json::from_str::<Line<'_>>(line) else { continue };
            best = best.max(match line.kind.text() {
                "session_start" if line.id.get().is_some() && (line.owner.is_there() || line.cwd.is_there()) => {
                    Match::Certain
                }
                "tool_call" if line.tool.get().is_some() && line.parameters.is_some() => Match::Certain,
                "completion" if line.session().is_some() && line.final_text.is_some() => Match::Certain,
                _ => Match::No,
            });
        }
        best
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut talk = Talk::new(source, NAME, "droid", out);
        let read = each_line(input, &mut |text, at| match text {
            Some(text) => match talk.calls.record(text, at) {
                Ok(line) => one(&mut talk, &line, at),
                Err(flow) => flow,
            },
            None => talk.calls.too_long(at),
        });
        talk.finish();
        read
    }
}

fn one(talk: &mut Talk<'_>, line: &Line<'_>, at: At) -> ControlFlow<()> {
    if let Some(session) = line.session()
        && *talk.voice.session != *session
    {
        talk.begin(session);
    }
    talk.go_to(line.cwd.get());
    let time = moment(line.timestamp.text());
    if time.is_some() {
        talk.time = time;
    }
    let id = line.tool_call_id.get().unwrap_or(line.id.text());
    match line.kind.text() {
        "tool_call" => {
            talk.position += 1;
            talk.one(id, line.tool.text(), &unwrapped(line.parameters), at)
        }
        "tool_result" => {
            let said = line.error.filter(|error| error.get() != "null").or(line.value);
            let outcome = ended(said, stated_output(line.value).or(line.value), line.is_error.0);
            talk.calls.settle(id, outcome)
        }
        _ => match line.message.filter(|message| message.get().starts_with('{')) {
            Some(message) => match serde_json::from_str::<Said<'_>>(message.get()) {
                Ok(said) => talk.message(&said, at),
                Err(error) => talk.calls.unreadable(at, &error),
            },
            None => talk.calls.nothing(),
        },
    }
}

/// What a command printed, in the object that its result is.
fn stated_output(value: Option<&RawValue>) -> Option<&RawValue> {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Printed<'a> {
        #[serde(borrow)]
        stdout: Option<&'a RawValue>,
    }
    let value = value?.get();
    if value.starts_with('{') { serde_json::from_str::<Printed<'_>>(value).ok()?.stdout } else { None }
}
