//! Grok CLI: `chat_history.jsonl` of a session, and the `summary.json` beside it (which holds no calls).
//!
//! `{"type":"assistant","content":"…","tool_calls":[{"id":"call-…","name":"run_terminal_cmd","arguments":"{\"command\":\"ls\"}"}],"model_id":"grok-…"}`

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::Outcome;
use crate::reader::transcript::{
    At, Document, Loose, Said, Talk, Word, each_line, failed, first_lines, has, is_document, opening, ran,
};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct Grok;

const NAME: &str = "grok";

/// What the reader of messages does not know.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Line<'a> {
    #[serde(borrow, rename = "type")]
    kind: Word<'a>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    synthetic_reason: Word<'a>,
    /// A call that the maker's own servers carried out: the field is called like this.
    #[serde(borrow, rename = "kind")]
    call: Loose<Backend<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Backend<'a> {
    #[serde(borrow)]
    tool_type: Word<'a>,
    #[serde(borrow)]
    action: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Word<'a>,
    #[serde(borrow)]
    status: Word<'a>,
}

impl Reader for Grok {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Grok CLI sessions (~/.grok/sessions/**/chat_history.jsonl)"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let has = |key| has(sample.head, key);
        if is_document(sample.head) {
            let summary = has("\"session_summary\"") && has("\"chat_format_version\"");
            return if summary { Match::Certain } else { Match::No };
        }
        let mut best = Match::No;
        for line in first_lines(sample, 40) {
            let Ok(said) = serde_json::from_str::<Said<'_>>(line) else { continue };
            let is = |key: &str| line.contains(key);
            best = best.max(match said.kind.text() {
                "backend_tool_call" => Match::Certain,
                "assistant" if is("\"tool_calls\"") && is("\"model_id\"") => Match::Certain,
                "user" if is("\"prompt_index\"") || is("\"synthetic_reason\"") => Match::Likely,
                _ => Match::No,
            });
        }
        best
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut talk = Talk::new(source, NAME, "grok", out);
        let mut broke = None;
        let read = if is_document(input.fill_buf()?) {
            match Document::read(input) {
                Some(document) => {
                    if let Err(error) = serde_json::from_str::<&RawValue>(document.text()) {
                        let _ = talk.calls.unreadable(At { line: error.line() as u64, offset: 0 }, &error);
                    } else {
                        let _ = talk.calls.nothing();
                    }
                    broke = document.broke;
                }
                None => {
                    let _ = talk.calls.too_long(At::default());
                }
            }
            Ok(())
        } else {
            each_line(input, &mut |text, at| match text {
                Some(text) => line(&mut talk, text, at),
                None => talk.calls.too_long(at),
            })
        };
        talk.finish();
        broke.map_or(read, Err)
    }
}

fn line(talk: &mut Talk<'_>, text: &str, at: At) -> ControlFlow<()> {
    let said: Line<'_> = match talk.calls.record(text, at) {
        Ok(said) => said,
        Err(flow) => return flow,
    };
    if said.synthetic_reason.text() == "environment_context" {
        let told = opening(said.content);
        let folder = told.split_once("Workspace Path: ").and_then(|(_, rest)| rest.lines().next());
        talk.go_to(folder);
    }
    if let Some(call) = said.call.0.filter(|_| said.kind.text() == "backend_tool_call") {
        talk.position += 1;
        let id = call.id.text();
        talk.one(id, call.tool_type.text(), call.action.map_or("", RawValue::get), at)?;
        let outcome = match call.status.text() {
            "completed" => ran(Some(true), None),
            "failed" => failed(),
            _ => Outcome::default(),
        };
        return talk.calls.settle(id, outcome);
    }
    match serde_json::from_str::<Said<'_>>(text) {
        Ok(said) => talk.message(&said, at),
        Err(error) => talk.calls.unreadable(at, &error),
    }
}
