//! Gemini CLI chats: `~/.gemini/tmp/<hash>/chats/session-*.json` (one document) and `.jsonl` (since 0.40), and what
//! `gemini --output-format stream-json` prints.
//!
//! `{"id":"5d…","timestamp":"2026-01-05T09:00:02Z","type":"gemini","toolCalls":[{"id":"run_shell_command-1767…","name":"run_shell_command","args":{"command":"ls"},"status":"success"}]}`

mod outcome;
mod record;

use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::sync::{Arc, LazyLock};

use memchr::memmem::Finder;
use serde_json::value::RawValue;

use self::record::{Part, Record, Response, ToolCall};
use crate::model::{Actor, ActorKind};
use crate::reader::transcript::{
    At, Call, Calls, Document, List, Voice, each_line, first_lines, has, is_document, is_one_long_line, is_silent,
    moment, refused, stem,
};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct GeminiCli;

const NAME: &str = "gemini_cli";
/// The lists of a document that hold messages.
const LISTS: &[&str] = &["messages", "history"];

impl Reader for GeminiCli {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Gemini CLI chats (~/.gemini/tmp/*/chats/session-*.json, .jsonl) and stream-json output"
    }

    fn repeats(&self) -> bool {
        true
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let mut best = Match::No;
        for line in first_lines(sample, 40) {
            if let Ok(record) = serde_json::from_str::<Record<'_>>(line) {
                best = best.max(mark(&record));
            }
        }
        if best == Match::No && (is_document(sample.head) || is_one_long_line(sample)) {
            let has = |key| has(sample.head, key);
            if has("\"projectHash\"") && has("\"sessionId\"") {
                return Match::Certain;
            }
            // A saved checkpoint is a bare list of what was said, `logs.json` one of prompts.
            let is_list = sample.head.trim_ascii_start().starts_with(b"[");
            let said = (is_list || has("\"history\"")) && has("\"parts\"") && has("\"role\"");
            if said || is_list && has("\"sessionId\"") && has("\"messageId\"") {
                return Match::Likely;
            }
        }
        best
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut chat = Chat::new(source, out);
        let read = if is_document(input.fill_buf()?) {
            chat.document(input)
        } else {
            each_line(input, &mut |text, at| match text {
                Some(text) => chat.line(text, at),
                None => chat.calls.too_long(at),
            })
        };
        chat.calls.finish();
        read
    }
}

/// How much one line says for this format.
fn mark(record: &Record<'_>) -> Match {
    let dated = record.timestamp.get().is_some();
    match record.kind.text() {
        _ if record.session_id.get().is_some() && record.project_hash.get().is_some() => Match::Certain,
        "gemini" if dated && record.id.get().is_some() => Match::Certain,
        "tool_use" if record.tool_name.get().is_some() && record.tool_id.get().is_some() => Match::Certain,
        "tool_result" if record.tool_id.get().is_some() && record.status.get().is_some() => Match::Certain,
        "init" if record.stream_session_id.get().is_some() && dated => Match::Likely,
        _ if record.set.0.is_some() || record.rewind_to.get().is_some() => Match::Likely,
        _ => Match::No,
    }
}

/// Words without which a line holds no call, no result and no session.
static TELLING: LazyLock<[Finder<'static>; 6]> = LazyLock::new(|| {
    [
        Finder::new("\"toolCalls\""),
        Finder::new("\"tool_id\""),
        Finder::new("\"functionCall\""),
        Finder::new("\"functionResponse\""),
        Finder::new("\"sessionId\""),
        Finder::new("\"session_id\""),
    ]
});

struct Chat<'o> {
    calls: Calls<'o>,
    voice: Voice,
}

impl<'o> Chat<'o> {
    fn new(source: &Source, out: &'o mut dyn Out) -> Self {
        let actor = Actor { name: "gemini-cli".to_owned(), kind: ActorKind::Agent, groups: Vec::new() };
        let voice = Voice { actor: Arc::new(actor), session: stem(&source.file).into(), surroundings: Arc::default() };
        Self { calls: Calls::new(source, NAME, out), voice }
    }

    fn document(&mut self, input: &mut dyn BufRead) -> io::Result<()> {
        let Some(document) = Document::read(input) else {
            let _ = self.calls.too_long(At::default());
            return Ok(());
        };
        // The session is named before the messages; where it is not, it may be named behind them.
        match session_in(document.text()) {
            Some(session) => self.voice.session = session.into(),
            None => {
                if let Ok(head) = serde_json::from_str::<Record<'_>>(document.text()) {
                    self.name_session(&head);
                }
            }
        }
        let read = document.each(LISTS, &mut |message, at| self.message(message, at));
        if let Err(error) = read {
            let _ = self.calls.unreadable(At { line: error.line() as u64, offset: 0 }, &error);
        }
        document.broke.map_or(Ok(()), Err)
    }

    fn line(&mut self, text: &str, at: At) -> ControlFlow<()> {
        if is_silent(text, &*TELLING) {
            return self.calls.nothing();
        }
        match self.calls.record(text, at) {
            Ok(record) => self.record(&record, at),
            Err(flow) => flow,
        }
    }

    fn message(&mut self, message: &RawValue, at: At) -> ControlFlow<()> {
        match serde_json::from_str::<Record<'_>>(message.get()) {
            Ok(record) => self.record(&record, at),
            // Not an object: nothing that was said.
            Err(_) if !message.get().starts_with('{') => self.calls.nothing(),
            Err(error) => self.calls.unreadable(at, &error),
        }
    }

    fn record(&mut self, record: &Record<'_>, at: At) -> ControlFlow<()> {
        self.name_session(record);
        let set = record.set.0.as_ref().and_then(|set| set.messages);
        if let Some(messages) = record.messages.or(record.history).or(set) {
            // Calls that are repeated here are known already. A call that was rewound was still carried out.
            let messages: Vec<&RawValue> = serde_json::from_str(messages.get()).unwrap_or_default();
            return messages.into_iter().try_for_each(|message| self.message(message, at));
        }
        match record.kind.text() {
            "tool_use" if record.tool_name.get().is_some() => {
                let id = record.tool_id.text();
                let arguments = record.parameters.map_or("", |parameters| parameters.get());
                let timestamp = record.timestamp.text();
                let call = call(id, record.tool_name.text(), arguments, timestamp, timestamp, 0, at);
                return self.calls.tool(&self.voice, &call);
            }
            "tool_result" if record.tool_id.get().is_some() => {
                let wrong_parameters =
                    record.error.0.as_ref().is_some_and(|e| e.kind.text().contains("invalid_tool_params"));
                let outcome = if wrong_parameters {
                    refused()
                } else {
                    let response = Response { output: record.output, error: None };
                    outcome::of_status(record.status.text(), Some(&response), None)
                };
                return self.calls.settle(record.tool_id.text(), outcome);
            }
            _ => {}
        }
        for (index, tool_call) in record.tool_calls.0.iter().enumerate() {
            self.tool_call(tool_call, record, index, at)?;
        }
        for (index, part) in record.parts.0.iter().enumerate() {
            self.part(part, record, index, at)?;
        }
        if record.tool_calls.0.is_empty() && record.parts.0.is_empty() {
            return self.calls.nothing();
        }
        ControlFlow::Continue(())
    }

    fn tool_call(&mut self, stated: &ToolCall<'_>, record: &Record<'_>, index: usize, at: At) -> ControlFlow<()> {
        let id = stated.id.text();
        let timestamp = stated.timestamp.get().or(record.timestamp.get()).unwrap_or_default();
        let arguments = stated.args.map_or("", |args| args.get());
        let call = call(id, stated.name.text(), arguments, timestamp, record.id.text(), index, at);
        match stated.agent_id.get() {
            // The same id is written again on every update: the last one counts.
            _ if self.calls.awaits(id) => self.calls.revise(&self.voice, &call),
            Some(agent) => {
                let session = format!("{}/agent-{agent}", self.voice.session).into();
                self.calls.tool(&Voice { session, ..self.voice.clone() }, &call)?;
            }
            None => self.calls.tool(&self.voice, &call)?,
        }
        match outcome::of_call(stated) {
            Some(outcome) => self.calls.settle(id, outcome),
            None => ControlFlow::Continue(()),
        }
    }

    /// The form in which the model itself states calls and gets results.
    fn part(&mut self, part: &Part<'_>, record: &Record<'_>, index: usize, at: At) -> ControlFlow<()> {
        if let Some(stated) = &part.function_call.0 {
            // The model leaves the arguments out where there are none.
            let arguments = stated.args.map_or("{}", |args| args.get());
            let timestamp = record.timestamp.text();
            let call = call(stated.id.text(), stated.name.text(), arguments, timestamp, record.id.text(), index, at);
            return self.calls.tool(&self.voice, &call);
        }
        if let Some(stated) = &part.function_response.0 {
            return self.calls.settle(stated.id.text(), outcome::of_status("", stated.response.0.as_ref(), None));
        }
        self.calls.nothing()
    }

    fn name_session(&mut self, record: &Record<'_>) {
        if let Some(session) = record.session_id.get().or(record.stream_session_id.get())
            && *self.voice.session != *session
        {
            self.voice.session = session.into();
        }
    }
}

/// The session that a document names before its messages: known without reading it all, and when its end is missing.
fn session_in(text: &str) -> Option<&str> {
    let messages = memchr::memmem::find(text.as_bytes(), b"\"messages\"").unwrap_or(text.len());
    let (_, rest) = text.get(..messages)?.split_once("\"sessionId\"")?;
    let (session, _) = rest.trim_start_matches([' ', ':']).strip_prefix('"')?.split_once('"')?;
    Some(session).filter(|session| !session.is_empty() && !session.contains('\\'))
}

fn call<'a>(
    id: &'a str,
    tool: &'a str,
    arguments: &'a str,
    timestamp: &'a str,
    record: &'a str,
    index: usize,
    at: At,
) -> Call<'a> {
    let time = moment(timestamp);
    Call { id, record, index, time, tool, arguments, at, ..Call::default() }
}

#[cfg(test)]
mod tests;
