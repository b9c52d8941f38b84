//! Claude Code sessions: `~/.claude/projects/<folder>/<session>.jsonl`, sub-agents beside them in `agent-<id>.jsonl`,
//! and what `claude -p --output-format stream-json` prints.
//!
//! `{"type":"assistant","sessionId":"5f0c…","cwd":"/srv/app","uuid":"9a1e…","timestamp":"2026-01-05T09:00:02.110Z","message":{"role":"assistant","content":[{"type":"tool_use","id":"toolu_01…","name":"Bash","input":{"command":"ls"}}]}}`

mod detect;
mod outcome;
mod record;
mod voices;

use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use self::outcome::{Marks, outcome};
use self::record::{Attachment, Block, Message, Record};
use self::voices::Voices;
use crate::model::Outcome;
use crate::reader::transcript::{
    At, Call, Calls, Document, List, Voice, each_line, is_document, is_silent, moment, opening, output_within, ran,
    refused, stem, whole,
};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct ClaudeCode;

const NAME: &str = "claude_code";

impl Reader for ClaudeCode {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Claude Code transcripts (~/.claude/projects/*/*.jsonl) and stream-json output"
    }

    fn repeats(&self) -> bool {
        true
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        detect::detect(sample)
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut transcript = Transcript::new(source, out);
        let read = if is_document(input.fill_buf()?) {
            transcript.document(input)
        } else {
            each_line(input, &mut |text, at| match text {
                Some(text) => transcript.line(text, at),
                None => transcript.calls.too_long(at),
            })
        };
        transcript.calls.finish();
        read
    }
}

/// Words without which a line holds no call, no result and no command.
static TELLING: LazyLock<[Finder<'static>; 6]> = LazyLock::new(|| {
    [
        Finder::new("tool_use\""),
        Finder::new("tool_result\""),
        Finder::new("<bash-"),
        Finder::new("PreToolUse"),
        // The working folder of stream-json output stands in its first record only.
        Finder::new("\"init\""),
        // Any of these words could be spelt with escapes.
        Finder::new("\\u00"),
    ]
});

struct Transcript<'o> {
    calls: Calls<'o>,
    voices: Voices,
}

impl<'o> Transcript<'o> {
    fn new(source: &Source, out: &'o mut dyn Out) -> Self {
        let session = stem(&source.file);
        Self { calls: Calls::new(source, NAME, out), voices: Voices::new(session) }
    }

    fn document(&mut self, input: &mut dyn BufRead) -> io::Result<()> {
        let Some(document) = Document::read(input) else {
            let _ = self.calls.too_long(At::default());
            return Ok(());
        };
        let read = document.each(&["loglines"], &mut |record, at| self.line(record.get(), at));
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
            Ok(record) => self.record(record, at),
            Err(flow) => flow,
        }
    }

    fn record(&mut self, record: Record<'_>, at: At) -> ControlFlow<()> {
        if let Some(attachment) = &record.attachment.0
            && blocks(attachment)
        {
            return self.calls.settle(attachment.tool_use_id.text(), refused());
        }
        if let Some(progress) = &record.data.0
            && let Some(mirrored) = &progress.message.0
            && let Some(message) = &mirrored.message.0
        {
            let voice = self.voices.of(&record, progress.agent_id.text());
            let uuid = mirrored.uuid.text();
            let timestamp = mirrored.timestamp.text();
            let marks = Marks::default();
            let said = Said { voice, uuid, answers: "", timestamp, marks, by_person: false, at };
            return self.message(message, &said);
        }
        let structured = record.tool_use_result.0.as_ref();
        let marks = Marks {
            is_error: None,
            denied: record.tool_denial_kind.get().is_some(),
            interrupted: structured.is_some_and(|result| result.interrupted.0 == Some(true)),
            in_background: structured.is_some_and(|result| result.background_task_id.get().is_some()),
        };
        let voice = self.voices.of(&record, record.agent_id.text());
        let uuid = record.uuid.text();
        let answers = record.answers.get().or(record.parent_uuid.get()).unwrap_or_default();
        let is_agent = record.is_sidechain.0 == Some(true) || record.agent_id.get().is_some();
        let by_person = record.kind.text() == "user" && !is_agent;
        let said = Said { voice, uuid, answers, timestamp: record.timestamp.text(), marks, by_person, at };
        match &record.message.0 {
            Some(message) => self.message(message, &said),
            None if record.kind.text().starts_with("tool_") => self.block(&record.as_block(), 0, &said),
            None => self.calls.nothing(),
        }
    }

    fn message(&mut self, message: &Message<'_>, said: &Said<'_>) -> ControlFlow<()> {
        if said.by_person
            && let Some(text) = whole(message.content)
        {
            return self.typed(&text, said);
        }
        let content = message.content.map_or("null", |content| content.get());
        // It parsed as JSON before, so that only a depth beyond all reason can fail here.
        let blocks = match serde_json::from_str::<List<Block<'_>>>(content) {
            Ok(blocks) => blocks.0,
            Err(error) => return self.calls.unreadable(said.at, &error),
        };
        for (index, block) in blocks.iter().enumerate() {
            self.block(block, index, said)?;
        }
        if blocks.is_empty() {
            return self.calls.nothing();
        }
        ControlFlow::Continue(())
    }

    fn block(&mut self, block: &Block<'_>, index: usize, said: &Said<'_>) -> ControlFlow<()> {
        if block.is_call() {
            let call = Call {
                id: block.id.text(),
                record: if said.uuid.is_empty() { said.timestamp } else { said.uuid },
                index,
                time: moment(said.timestamp),
                tool: block.name.text(),
                arguments: block.input.map_or("", |input| input.get()),
                text: None,
                at: said.at,
                ..Call::default()
            };
            return self.calls.tool(&said.voice, &call);
        }
        if block.is_result() {
            let marks = Marks { is_error: block.is_error.0, ..said.marks };
            let stated = outcome(&opening(block.content), marks);
            // Of a call that is not waited for nobody reads the output.
            let id = block.tool_use_id.text();
            let most = self.calls.listens(id);
            let output = most.and_then(|most| output_within(block.content, most)).map(outcome::said);
            return self.calls.settle(id, Outcome { output, ..stated });
        }
        match whole(block.text.filter(|_| said.by_person)) {
            Some(text) => self.typed(&text, said),
            None => self.calls.nothing(),
        }
    }

    /// What a person typed: a prompt, or with `!` in front a command that ran at once.
    fn typed(&mut self, text: &str, said: &Said<'_>) -> ControlFlow<()> {
        let text = text.trim();
        if text.starts_with("<bash-stdout>") || text.starts_with("<bash-stderr>") {
            let output = Some(Outcome::kept(&printed(text)));
            return self.calls.settle(said.answers, Outcome { output, ..ran(None, None) });
        }
        let Some((command, _)) = text.strip_prefix("<bash-input>").and_then(|rest| rest.split_once("</bash-input>"))
        else {
            return self.calls.nothing();
        };
        let voice = Voice { actor: self.voices.person.clone(), ..said.voice.clone() };
        let call = Call {
            id: said.uuid,
            record: if said.uuid.is_empty() { said.timestamp } else { said.uuid },
            time: moment(said.timestamp),
            at: said.at,
            ..Call::default()
        };
        self.calls.shell(&voice, &call, &unescaped(command))
    }
}

/// What holds for everything said in one record.
struct Said<'a> {
    voice: Voice,
    uuid: &'a str,
    /// The uuid of the record that this one answers.
    answers: &'a str,
    timestamp: &'a str,
    marks: Marks,
    /// Said by the person, not by an agent to its sub-agent.
    by_person: bool,
    at: At,
}

/// Whether a hook kept a call from being carried out. Hooks that complain afterwards do not.
fn blocks(attachment: &Attachment<'_>) -> bool {
    let before = attachment.hook_event.text() == "PreToolUse" && attachment.tool_use_id.get().is_some();
    let kind = attachment.kind.text();
    before
        && (kind == "hook_blocking_error" || kind == "hook_permission_decision" && attachment.decision.text() == "deny")
}

/// What a command of the person's printed: without the markup.
fn printed(text: &str) -> String {
    ["<bash-stdout>", "</bash-stdout>", "<bash-stderr>", "</bash-stderr>"]
        .iter()
        .fold(text.to_owned(), |text, mark| text.replace(mark, ""))
}

/// Some versions escape the command for their markup. A command with a bare `<`, `>` or `&` was not escaped.
fn unescaped(command: &str) -> String {
    const ESCAPES: [(&str, &str); 5] = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    let bare_ampersand = |rest: &str| !ESCAPES.iter().any(|(escape, _)| rest.starts_with(escape));
    if command.contains(['<', '>'])
        || command.match_indices('&').any(|(at, _)| command.get(at..).is_none_or(bare_ampersand))
    {
        return command.to_owned();
    }
    ESCAPES.iter().fold(command.to_owned(), |text, (escape, plain)| text.replace(escape, plain))
}

#[cfg(test)]
mod tests;
