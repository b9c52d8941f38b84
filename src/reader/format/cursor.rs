//! Cursor agent transcripts: `~/.cursor/projects/<folder>/agent-transcripts/**/*.jsonl`. They have no times, and calls
//! without ids: results follow in the order of the calls.
//!
//! `{"role":"assistant","message":{"content":[{"type":"tool_use","name":"Shell","input":{"command":"ls"}}]}}`

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::reader::transcript::{At, List, Loose, Said, Talk, Word, each_line, first_lines};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct Cursor;

const NAME: &str = "cursor";

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Line<'a> {
    #[serde(borrow)]
    role: Word<'a>,
    #[serde(borrow)]
    message: Loose<Message<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Message<'a> {
    #[serde(borrow)]
    role: Word<'a>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

impl Reader for Cursor {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Cursor agent transcripts (~/.cursor/projects/*/agent-transcripts/**/*.jsonl)"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        // How a turn ended stands between what was said.
        let said = |line: &&str| !line.contains("\"type\":\"turn_ended\"");
        let mut lines = first_lines(sample, 5).filter(said).map(|line| {
            let is_other = line.contains("\"type\":\"message\"") || line.contains("\"uuid\"");
            !is_other && serde_json::from_str::<Line<'_>>(line).is_ok_and(|line| line.is_said())
        });
        if lines.next() == Some(true) && lines.all(|said| said) { Match::Certain } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut talk = Talk::new(source, NAME, "cursor", out);
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

impl Line<'_> {
    /// Who says it stands outside of what is said.
    fn is_said(&self) -> bool {
        let inside = self.message.0.as_ref();
        self.role.get().is_some() && inside.is_some_and(|inside| inside.content.is_some() && !inside.role.is_there())
    }
}

fn one(talk: &mut Talk<'_>, line: &Line<'_>, at: At) -> ControlFlow<()> {
    talk.position += 1;
    let content = line.message.0.as_ref().and_then(|message| message.content);
    let blocks: List<Said<'_>> =
        content.and_then(|content| serde_json::from_str(content.get()).ok()).unwrap_or_default();
    let mut any = false;
    for block in &blocks.0 {
        if block.is_call() {
            any = true;
            let arguments = block.calls().pop().unwrap_or_default();
            // Ids of results have nothing to do with the calls, so that none may look like one.
            talk.one("", &block.tool(), &arguments, at)?;
        } else if block.is_result() {
            any = true;
            talk.calls.settle("", block.outcome())?;
        }
    }
    if any { ControlFlow::Continue(()) } else { talk.calls.nothing() }
}
