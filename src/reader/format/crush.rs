//! Crush, and the agent it was made from: `.crush/crush.db` of a project, messages with their parts as JSON.
//!
//! `messages(id, session_id, role, parts, model, created_at)`, with parts like
//! `[{"type":"tool_call","data":{"id":"call_…","name":"bash","input":"{\"command\":\"ls\"}","finished":true}}]` and
//! `[{"type":"tool_result","data":{"tool_call_id":"call_…","content":"a","is_error":false}}]`.

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::reader::sqlite::{Database, Row};
use crate::reader::transcript::{At, Call, Flag, List, Loose, Talk, Word, ended, moment, opening, refused, unwrapped};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct Crush;

const NAME: &str = "crush";

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Part<'a> {
    #[serde(borrow, rename = "type")]
    kind: Word<'a>,
    #[serde(borrow)]
    data: Loose<Data<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Data<'a> {
    #[serde(borrow)]
    id: Word<'a>,
    #[serde(borrow)]
    name: Word<'a>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    finished: Flag,
    #[serde(borrow)]
    tool_call_id: Word<'a>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    is_error: Flag,
}

impl Reader for Crush {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Crush sessions (.crush/crush.db)"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let messages = sample.has_table("messages", &["session_id", "role", "parts", "model"]);
        let sessions = sample.has_table("sessions", &["parent_session_id", "title"]);
        if messages && sessions { Match::Certain } else { Match::No }
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
    let (parts, session, record) = (text("parts"), text("session_id"), text("id"));
    talk.begin(&session);
    let parts: List<Part<'_>> = match serde_json::from_str(&parts) {
        Ok(parts) => parts,
        Err(error) => return talk.calls.unreadable(at, &error),
    };
    let time = moment(&text("created_at"));
    let mut any = false;
    for (index, part) in parts.0.iter().enumerate() {
        let Some(data) = &part.data.0 else { continue };
        match part.kind.text() {
            "tool_call" => {
                any = true;
                let arguments = unwrapped(data.input);
                // A stream that broke off leaves a part of the arguments, or nothing.
                let cut = data.finished.0 == Some(false);
                let (id, tool, record) = (data.id.text(), data.name.text(), record.as_str());
                let call = Call { id, record, index, time, tool, arguments: &arguments, cut, at, ..Call::default() };
                talk.calls.tool(&talk.voice, &call)?;
            }
            "tool_result" => {
                any = true;
                let said = opening(data.content);
                let denied = data.is_error.0 == Some(true) && said.eq_ignore_ascii_case("permission denied");
                let outcome = if denied { refused() } else { ended(data.content, data.content, data.is_error.0) };
                talk.calls.settle(data.tool_call_id.text(), outcome)?;
            }
            _ => {}
        }
    }
    if any { ControlFlow::Continue(()) } else { talk.calls.nothing() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[test]
    fn calls_find_their_results_in_later_messages() {
        let seen = read_all(&Crush, "crush.db", include_bytes!("../../../corpora/crush/crush.db"));
        for line in [
            "L2 tool \"ls deploy\" session=c0ffee-1 actor=agent:crush time=2026-03-02T08:00:02Z exec=yes ok",
            "L4 tool \"kubectl delete namespace payments\" session=c0ffee-1 actor=agent:crush time=2026-03-02T08:00:06Z exec=no",
            "L6 tool \"go test ./...\" session=c0ffee-2 actor=agent:crush time=2026-03-02T08:00:09Z exec=yes failed exit=1",
            "gap=truncated/anything",
        ] {
            assert!(seen.contains(line), "{line}\n{seen}");
        }
    }
}
