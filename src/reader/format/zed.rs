//! Zed's agent: `~/.local/share/zed/threads/threads.db`, a row for each thread, its whole text packed with zstd.
//!
//! `threads(id, summary, updated_at, data_type, data)`, with texts like
//! `{"version":"0.3.0","messages":[{"Agent":{"content":[{"ToolUse":{"id":"toolu_…","name":"terminal","input":{"command":"ls","cd":"shop"}}}],"tool_results":{"toolu_…":{"is_error":false,"content":{"Text":"a"}}}}}]}`.
//! Nothing in a thread has a time.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read as _};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::Outcome;
use crate::reader::sqlite::{Database, Row, Value};
use crate::reader::transcript::{At, Call, Flag, List, Loose, Talk, Word, ended};
use crate::reader::unpack::unpack;
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct Zed;

const NAME: &str = "zed";
/// A thread that unpacks to more is not read.
const MOST: u64 = 256 << 20;

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Thread<'a> {
    #[serde(borrow)]
    messages: List<Message<'a>>,
    #[serde(borrow)]
    initial_project_snapshot: Loose<Project<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Project<'a> {
    #[serde(borrow)]
    worktree_snapshots: List<Worktree<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Worktree<'a> {
    #[serde(borrow)]
    worktree_path: Word<'a>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Message<'a> {
    #[serde(borrow, rename = "Agent")]
    agent: Loose<Said<'a>>,
    // What older ones have at this level.
    #[serde(borrow)]
    tool_uses: List<Use<'a>>,
    #[serde(borrow)]
    tool_results: List<Told<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Said<'a> {
    #[serde(borrow)]
    content: List<Content<'a>>,
    #[serde(borrow)]
    tool_results: Loose<BTreeMap<String, Told<'a>>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Content<'a> {
    #[serde(borrow, rename = "ToolUse")]
    used: Loose<Use<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Use<'a> {
    #[serde(borrow)]
    id: Word<'a>,
    #[serde(borrow)]
    name: Word<'a>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    is_input_complete: Flag,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Told<'a> {
    #[serde(borrow)]
    tool_use_id: Word<'a>,
    is_error: Flag,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

/// `{"Text":"…"}`, where others have the text itself.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Words<'a> {
    #[serde(borrow, rename = "Text")]
    text: Option<&'a RawValue>,
}

impl Reader for Zed {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Zed agent threads (~/.local/share/zed/threads/threads.db)"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let is_thread = sample.has_table("threads", &["id", "summary", "updated_at", "data_type", "data"]);
        if is_thread { Match::Certain } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let Some(database) = Database::given(input, source, out)? else { return Ok(()) };
        let mut talk = Talk::new(source, NAME, NAME, out);
        for entry in database.rows("threads") {
            let flow = match entry.and_then(|entry| entry.read()) {
                Ok(row) => thread(&mut talk, &row),
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

fn thread(talk: &mut Talk<'_>, row: &Row<'_>) -> ControlFlow<()> {
    let at = At { line: row.number(), offset: row.offset };
    let id = row.text("id").unwrap_or_default();
    let packed = match row.get("data") {
        Value::Blob(bytes) => bytes,
        Value::Text(text) => text.into_bytes(),
        _ => Vec::new(),
    };
    let mut text = String::new();
    let read =
        unpack(Box::new(io::Cursor::new(packed))).and_then(|(reader, _)| reader.take(MOST).read_to_string(&mut text));
    if let Err(error) = read {
        return talk.calls.lost(
            at,
            &format!("the thread `{id}` cannot be unpacked: {error}"),
            "copy the database again",
        );
    }
    if text.len() as u64 == MOST {
        return talk.calls.lost(
            at,
            &format!("the thread `{id}` is longer than {} MiB", MOST >> 20),
            "nothing of it was read",
        );
    }
    let thread: Thread<'_> = match talk.calls.record(&text, at) {
        Ok(thread) => thread,
        Err(flow) => return flow,
    };
    talk.begin(&id);
    talk.voice.surroundings = std::sync::Arc::default();
    // Where there are several, a call says which one it means.
    let project = thread.initial_project_snapshot.0.unwrap_or_default();
    if let [folder] = &project.worktree_snapshots.0[..] {
        talk.go_to(folder.worktree_path.get());
    }
    let mut any = false;
    for (number, message) in thread.messages.0.iter().enumerate() {
        let agent = message.agent.0.as_ref();
        let newer = agent.iter().flat_map(|agent| &agent.content.0).filter_map(|content| content.used.0.as_ref());
        for (index, used) in message.tool_uses.0.iter().chain(newer).enumerate() {
            any = true;
            let record = format!("{id}/{number}");
            let (id, tool, arguments) = (used.id.text(), used.name.text(), used.input.map_or("", RawValue::get));
            let cut = used.is_input_complete.0 == Some(false);
            let call = Call { id, record: &record, index, tool, arguments, cut, at, ..Call::default() };
            talk.calls.tool(&talk.voice, &call)?;
        }
        let newer =
            agent.iter().flat_map(|agent| agent.tool_results.0.iter().flatten()).map(|(id, told)| (id.as_str(), told));
        let older = message.tool_results.0.iter().map(|told| (told.tool_use_id.text(), told));
        for (id, told) in older.chain(newer) {
            any = true;
            talk.calls.settle(id, outcome(told))?;
        }
    }
    if any { ControlFlow::Continue(()) } else { talk.calls.nothing() }
}

fn outcome(told: &Told<'_>) -> Outcome {
    let words: Words<'_> =
        told.content.and_then(|content| serde_json::from_str(content.get()).ok()).unwrap_or_default();
    let said = words.text.or(told.content);
    ended(said, said, told.is_error.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[test]
    fn threads_of_both_versions() {
        let seen = read_all(&Zed, "threads.db", include_bytes!("../../../corpora/zed/threads.db"));
        for line in [
            "L1 tool \"npx prisma migrate deploy\" session=z-1 actor=agent:zed exec=yes ok cwd=/home/ada/shop tool=terminal",
            "L1 tool \"npx prisma migrate reset --force\" session=z-1 actor=agent:zed exec=no cwd=/home/ada/shop tool=terminal",
            "L2 tool \"shop/.env\" session=z-2 actor=agent:zed exec=yes ok tool=read_file",
        ] {
            assert!(seen.contains(line), "{line}\n{seen}");
        }
    }
}
