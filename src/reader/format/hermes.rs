//! Hermes: `~/.hermes/state.db`, messages in the shape of OpenAI's chat with their calls in a column of their own.
//!
//! `messages(id, session_id, role, content, tool_call_id, tool_calls, tool_name, timestamp)`, times in seconds with parts.

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde_json::json;
use serde_json::value::RawValue;

use crate::model::Timestamp;
use crate::reader::sqlite::{Database, Row, Value};
use crate::reader::transcript::{At, Call, List, Said, Talk, ended};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct Hermes;

const NAME: &str = "hermes";

impl Reader for Hermes {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Hermes sessions (~/.hermes/state.db)"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let columns = ["session_id", "role", "content", "tool_call_id", "tool_calls", "tool_name", "timestamp"];
        if sample.has_table("messages", &columns) { Match::Certain } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let Some(database) = Database::given(input, source, out)? else { return Ok(()) };
        let mut talk = Talk::new(source, NAME, NAME, out);
        for entry in database.rows("messages") {
            let flow = match entry.and_then(|entry| entry.read()) {
                Ok(row) => message(&mut talk, &row),
                Err(problem) => talk.calls.damaged(&problem),
            };
            if flow.is_break() {
                break;
            }
        }
        talk.finish();
        Ok(())
    }
}

fn message(talk: &mut Talk<'_>, row: &Row<'_>) -> ControlFlow<()> {
    let at = At { line: row.number(), offset: row.offset };
    let text = |column: &str| row.text(column).unwrap_or_default();
    let session = text("session_id");
    talk.begin(&session);
    if text("role") == "tool" {
        let content = json!(text("content")).to_string();
        let content: Option<&RawValue> = serde_json::from_str(&content).ok();
        return talk.calls.settle(&text("tool_call_id"), ended(content, content, None));
    }
    let calls = text("tool_calls");
    if calls.is_empty() || calls == "null" {
        return talk.calls.nothing();
    }
    let calls: List<Said<'_>> = match serde_json::from_str(&calls) {
        Ok(calls) => calls,
        Err(error) => return talk.calls.unreadable(at, &error),
    };
    let time = seconds(&row.get("timestamp"));
    let record = format!("{session}/{}", text("id"));
    for (index, said) in calls.0.iter().enumerate() {
        let id = if said.id.text().is_empty() { said.call_id() } else { said.id.text() };
        for arguments in said.calls() {
            let tool = said.tool();
            let call =
                Call { id, record: &record, index, time, tool: &tool, arguments: &arguments, at, ..Call::default() };
            talk.calls.tool(&talk.voice, &call)?;
        }
    }
    ControlFlow::Continue(())
}

/// Seconds since 1970, whole or not.
fn seconds(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Integer(seconds) => seconds.checked_mul(1_000_000).map(Timestamp),
        Value::Real(seconds) if seconds.abs() < 1e11 => Some(Timestamp((seconds * 1e6).round() as i64)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[test]
    fn calls_stand_in_a_column_and_results_in_rows() {
        let seen = read_all(&Hermes, "state.db", include_bytes!("../../../corpora/hermes/state.db"));
        for line in [
            "L2 tool \"systemctl status nginx\" session=20260302_a actor=agent:hermes time=2026-03-02T08:00:02.5Z exec=yes ok exit=0 tool=terminal",
            "L4 tool \"dd if=/dev/zero of=/dev/sdb\" session=20260302_a actor=agent:hermes time=2026-03-02T08:00:05Z tool=terminal",
        ] {
            assert!(seen.contains(line), "{line}\n{seen}");
        }
    }
}
