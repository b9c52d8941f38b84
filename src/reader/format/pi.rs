//! Pi and OpenClaw sessions: a tree of entries, one per line.
//!
//! `{"type":"message","id":"m2","timestamp":"2026-01-05T09:00:02Z","message":{"role":"assistant","content":[{"type":"toolCall","id":"tc1","name":"bash","arguments":{"command":"ls"}}]}}`

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::reader::transcript::{At, Said, Talk, Word, each_line, first_lines, moment};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct Pi;

const NAME: &str = "pi";

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Line<'a> {
    #[serde(borrow, rename = "type")]
    kind: Word<'a>,
    #[serde(borrow)]
    id: Word<'a>,
    #[serde(borrow)]
    version: Word<'a>,
    #[serde(borrow)]
    cwd: Word<'a>,
    #[serde(borrow)]
    timestamp: Word<'a>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
}

impl Reader for Pi {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Pi and OpenClaw sessions (~/.pi/agent/sessions, ~/.openclaw/agents/*/sessions: *.jsonl)"
    }

    fn repeats(&self) -> bool {
        true
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        for line in first_lines(sample, 40) {
            let Ok(read) = serde_json::from_str::<Line<'_>>(line) else { continue };
            if read.kind.text() == "session"
                && read.id.get().is_some()
                && read.version.is_there()
                && read.cwd.is_there()
            {
                return Match::Certain;
            }
            let speaks = line.contains("\"toolCall\"") || line.contains("\"toolResult\"");
            if read.kind.text() == "message" && read.message.is_some() && speaks {
                return Match::Likely;
            }
        }
        Match::No
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut talk = Talk::new(source, NAME, "pi", out);
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
    if line.kind.text() == "session" {
        if let Some(session) = line.id.get() {
            talk.begin(session);
        }
        talk.go_to(line.cwd.get());
    }
    let Some(message) = line.message.filter(|message| message.get().starts_with('{')) else {
        return talk.calls.nothing();
    };
    match serde_json::from_str::<Said<'_>>(message.get()) {
        Ok(said) => {
            talk.time = moment(line.timestamp.text()).or(talk.time);
            talk.message(&said, at)
        }
        Err(error) => talk.calls.unreadable(at, &error),
    }
}
