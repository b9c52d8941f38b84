//! Goose: `~/.local/share/goose/sessions/sessions.db`, and the sessions before it, a file of JSON Lines each whose first
//! line has the working folder.
//!
//! `messages(session_id, role, content_json, created_timestamp)`, with contents like
//! `[{"type":"toolRequest","id":"t1","toolCall":{"status":"success","value":{"name":"developer__shell","arguments":{"command":"ls"}}}}]`
//! and `[{"type":"toolResponse","id":"t1","toolResult":{"status":"success","value":[{"type":"text","text":"a"}]}}]`.

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Outcome, Surroundings, Timestamp};
use crate::reader::sqlite::{Database, MAGIC};
use crate::reader::transcript::{
    At, Call, Flag, List, Loose, Talk, Word, each_line, ended, failed, first_lines, moment,
};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct Goose;

const NAME: &str = "goose";

/// A part of a message.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Part<'a> {
    #[serde(borrow, rename = "type")]
    kind: Word<'a>,
    #[serde(borrow)]
    id: Word<'a>,
    #[serde(borrow, rename = "toolCall")]
    call: Loose<Stated<'a>>,
    #[serde(borrow, rename = "toolResult")]
    result: Loose<Stated<'a>>,
}

/// What Rust calls a result: a value, or an error.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Stated<'a> {
    #[serde(borrow)]
    status: Word<'a>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Asked<'a> {
    #[serde(borrow)]
    name: Word<'a>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

/// An answer of a newer one: `{"content":[…],"isError":false}`.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Answer<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(rename = "isError")]
    is_error: Flag,
}

/// A line of an older session.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Line<'a> {
    #[serde(borrow)]
    working_dir: Word<'a>,
    #[serde(borrow)]
    role: Word<'a>,
    #[serde(borrow)]
    created: Word<'a>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

impl Reader for Goose {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Goose sessions (~/.local/share/goose/sessions/sessions.db, older: *.jsonl)"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        if sample.has_table("messages", &["session_id", "role", "content_json"])
            && sample.has_table("sessions", &["working_dir"])
        {
            return Match::Certain;
        }
        let mut lines = first_lines(sample, 3).map(|line| serde_json::from_str::<Line<'_>>(line).unwrap_or_default());
        let starts = lines.next().is_some_and(|first| first.working_dir.is_there() && !first.role.is_there());
        let said = |line: Line<'_>| line.role.is_there() && line.created.is_there() && line.content.is_some();
        if starts && lines.next().is_some_and(said) { Match::Certain } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        if input.fill_buf()?.starts_with(MAGIC) || source.database.is_some() {
            return database(input, source, out);
        }
        let mut talk = Talk::new(source, NAME, NAME, out);
        let read = each_line(input, &mut |text, at| match text.map(|text| talk.calls.record::<Line<'_>>(text, at)) {
            Some(Ok(line)) => {
                talk.go_to(line.working_dir.get());
                talk.position += 1;
                let record = format!("{}/{}", talk.voice.session, talk.position);
                parts(&mut talk, line.content.map_or("[]", RawValue::get), moment(line.created.text()), &record, at)
            }
            Some(Err(flow)) => flow,
            None => talk.calls.too_long(at),
        });
        talk.finish();
        read
    }
}

fn database(input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
    let Some(database) = Database::given(input, source, out)? else { return Ok(()) };
    let mut folders: HashMap<String, Arc<Surroundings>> = HashMap::new();
    let _ = database.each("sessions", source, out, &mut |row, _| {
        let surroundings = Surroundings { cwd: row.text("working_dir"), ..Surroundings::default() };
        folders.insert(row.text("id").unwrap_or_default(), Arc::new(surroundings));
        ControlFlow::Continue(())
    });
    let mut talk = Talk::new(source, NAME, NAME, out);
    for entry in database.rows("messages") {
        let flow = match entry.and_then(|entry| entry.read()) {
            Ok(row) => {
                let text = |column: &str| row.text(column).unwrap_or_default();
                let session = text("session_id");
                talk.begin(&session);
                talk.voice.surroundings = folders.get(&session).cloned().unwrap_or_default();
                let at = At { line: row.number(), offset: row.offset };
                let record = format!("{session}/{}", text("id"));
                parts(&mut talk, &text("content_json"), moment(&text("created_timestamp")), &record, at)
            }
            Err(problem) => talk.calls.damaged(&problem),
        };
        if flow.is_break() {
            break;
        }
    }
    talk.finish();
    Ok(())
}

/// The parts of one message.
fn parts(talk: &mut Talk<'_>, json: &str, time: Option<Timestamp>, record: &str, at: At) -> ControlFlow<()> {
    let parts: List<Part<'_>> = match serde_json::from_str(json) {
        Ok(parts) => parts,
        Err(error) => return talk.calls.unreadable(at, &error),
    };
    let mut any = false;
    for (index, part) in parts.0.iter().enumerate() {
        let id = part.id.text();
        match part.kind.text() {
            "toolRequest" | "frontendToolRequest" => {
                let stated = part.call.0.as_ref();
                // What the model wrote was no call, so that nothing could be called.
                if stated.is_some_and(|call| call.status.text() == "error") {
                    continue;
                }
                any = true;
                let asked: Asked<'_> =
                    stated.and_then(|call| serde_json::from_str(call.value?.get()).ok()).unwrap_or_default();
                let arguments = asked.arguments.map_or("", RawValue::get);
                let tool = asked.name.text();
                let call = Call { id, record, index, time, tool, arguments, at, ..Call::default() };
                talk.calls.tool(&talk.voice, &call)?;
            }
            "toolResponse" => {
                any = true;
                talk.calls.settle(id, part.result.0.as_ref().map_or_else(Outcome::default, outcome))?;
            }
            _ => {}
        }
    }
    if any { ControlFlow::Continue(()) } else { talk.calls.nothing() }
}

fn outcome(result: &Stated<'_>) -> Outcome {
    if result.status.text() == "error" {
        let stated = ended(result.error, result.error, Some(true));
        return if result.error.is_some() { stated } else { failed() };
    }
    let answer: Answer<'_> = result.value.and_then(|value| serde_json::from_str(value.get()).ok()).unwrap_or_default();
    let content = answer.content.or(result.value);
    ended(content, content, answer.is_error.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[test]
    fn the_database_and_the_older_lines_tell_the_same() {
        let seen = read_all(&Goose, "sessions.db", include_bytes!("../../../corpora/goose/sessions.db"));
        for line in [
            "L2 tool \"df -h\" session=20260302_1 actor=agent:goose time=2026-03-02T08:00:02Z exec=yes cwd=/srv/backup tool=developer__shell",
            "L4 tool \"rm -rf /srv/backup/2025\" session=20260302_1 actor=agent:goose time=2026-03-02T08:00:05Z exec=no cwd=/srv/backup",
        ] {
            assert!(seen.contains(line), "{line}\n{seen}");
        }
        let older = read_all(&Goose, "20250701.jsonl", include_bytes!("../../../corpora/goose/20250701_120000.jsonl"));
        assert!(older.contains("L3 tool \"make deploy\" session=20250701 actor=agent:goose"), "{older}");
        assert!(older.contains("cwd=/home/ada/site"), "{older}");
    }
}
