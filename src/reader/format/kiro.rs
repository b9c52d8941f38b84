//! Kiro CLI, and Amazon Q before it: `~/.local/share/kiro-cli/data.sqlite3`, whole conversations as JSON under the folder
//! they were held in.
//!
//! `conversations_v2(key, conversation_id, value, created_at, updated_at)`, older: `conversations(key, value)`, with values
//! like `{"conversation_id":"…","history":[{"user":{"content":{"Prompt":{"prompt":"…"}}},"assistant":{"ToolUse":{"tool_uses":[{"id":"tooluse_…","name":"execute_bash","args":{"command":"ls"}}]}}}]}`.

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::Outcome;
use crate::reader::sqlite::{Database, Row};
use crate::reader::transcript::{At, Call, List, Loose, Talk, Word, ended, failed, moment, ran, refused};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct Kiro;

const NAME: &str = "kiro";

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Conversation<'a> {
    #[serde(borrow)]
    conversation_id: Word<'a>,
    #[serde(borrow)]
    history: List<Turn<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Turn<'a> {
    #[serde(borrow)]
    user: Loose<Asked<'a>>,
    #[serde(borrow)]
    assistant: Loose<Answered<'a>>,
    #[serde(borrow)]
    request_metadata: Loose<Request<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Asked<'a> {
    #[serde(borrow)]
    content: Loose<Content<'a>>,
    #[serde(borrow)]
    timestamp: Word<'a>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Content<'a> {
    #[serde(borrow, rename = "ToolUseResults")]
    results: Loose<Results<'a>>,
    /// A person said no, or something else instead.
    #[serde(borrow, rename = "CancelledToolUses")]
    cancelled: Loose<Results<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Results<'a> {
    #[serde(borrow)]
    tool_use_results: List<Told<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Told<'a> {
    #[serde(borrow)]
    tool_use_id: Word<'a>,
    #[serde(borrow)]
    content: List<Block<'a>>,
    #[serde(borrow)]
    status: Word<'a>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Block<'a> {
    #[serde(borrow, rename = "Json")]
    json: Loose<Printed<'a>>,
    #[serde(borrow, rename = "Text")]
    text: Option<&'a RawValue>,
}

/// What a command printed.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Printed<'a> {
    #[serde(borrow)]
    exit_status: Word<'a>,
    #[serde(borrow)]
    stdout: Word<'a>,
    #[serde(borrow)]
    stderr: Word<'a>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Answered<'a> {
    #[serde(borrow, rename = "ToolUse")]
    uses: Loose<Uses<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Uses<'a> {
    #[serde(borrow)]
    message_id: Word<'a>,
    #[serde(borrow)]
    tool_uses: List<Use<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Use<'a> {
    #[serde(borrow)]
    id: Word<'a>,
    #[serde(borrow)]
    name: Word<'a>,
    #[serde(borrow)]
    args: Option<&'a RawValue>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Request<'a> {
    #[serde(borrow)]
    request_start_timestamp_ms: Word<'a>,
}

impl Reader for Kiro {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Kiro CLI and Amazon Q conversations (~/.local/share/kiro-cli/data.sqlite3)"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let newer = sample.has_table("conversations_v2", &["key", "conversation_id", "value"]);
        let older = sample.has_table("conversations", &["key", "value"]);
        match (newer, older) {
            (true, _) => Match::Certain,
            (_, true) => Match::Likely,
            _ => Match::No,
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let Some(database) = Database::given(input, source, out)? else { return Ok(()) };
        let mut talk = Talk::new(source, NAME, NAME, out);
        for entry in database.rows("conversations").chain(database.rows("conversations_v2")) {
            let flow = match entry.and_then(|entry| entry.read()) {
                Ok(row) => conversation(&mut talk, &row),
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

fn conversation(talk: &mut Talk<'_>, row: &Row<'_>) -> ControlFlow<()> {
    let at = At { line: row.number(), offset: row.offset };
    let text = |column: &str| row.text(column).unwrap_or_default();
    let (folder, value) = (text("key"), text("value"));
    let held: Conversation<'_> = match talk.calls.record(&value, at) {
        Ok(held) => held,
        Err(flow) => return flow,
    };
    let named = text("conversation_id");
    let session = [named.as_str(), held.conversation_id.text(), &folder].into_iter().find(|name| !name.is_empty());
    talk.begin(session.unwrap_or_default());
    talk.voice.surroundings = std::sync::Arc::default();
    talk.go_to(Some(&folder));
    talk.time = moment(&text("created_at"));
    let mut any = false;
    for turn in &held.history.0 {
        let content = turn.user.0.as_ref().and_then(|asked| asked.content.0.as_ref());
        let results = content.into_iter().flat_map(|content| [(&content.results, false), (&content.cancelled, true)]);
        for (results, no) in results {
            for told in results.0.iter().flat_map(|results| &results.tool_use_results.0) {
                any = true;
                talk.calls.settle(told.tool_use_id.text(), if no { refused() } else { outcome(told) })?;
            }
        }
        let asked = turn.user.0.as_ref().and_then(|asked| moment(asked.timestamp.text()));
        let begun =
            turn.request_metadata.0.as_ref().and_then(|request| moment(request.request_start_timestamp_ms.text()));
        talk.time = begun.or(asked).or(talk.time);
        let Some(uses) = turn.assistant.0.as_ref().and_then(|answered| answered.uses.0.as_ref()) else { continue };
        for (index, used) in uses.tool_uses.0.iter().enumerate() {
            any = true;
            let (id, record, tool) = (used.id.text(), uses.message_id.text(), used.name.text());
            let arguments = used.args.map_or("", RawValue::get);
            let call = Call { id, record, index, time: talk.time, tool, arguments, at, ..Call::default() };
            talk.calls.tool(&talk.voice, &call)?;
        }
    }
    if any { ControlFlow::Continue(()) } else { talk.calls.nothing() }
}

fn outcome(told: &Told<'_>) -> Outcome {
    let printed = told.content.0.iter().find_map(|block| block.json.0.as_ref());
    if let Some(printed) = printed
        && let Ok(code) = printed.exit_status.text().parse::<i32>()
    {
        let words = [printed.stdout.text(), printed.stderr.text()].join("\n");
        return Outcome { output: Some(Outcome::kept(words.trim())), ..ran(Some(code == 0), Some(code)) };
    }
    let text = told.content.0.iter().find_map(|block| block.text);
    match told.status.text() {
        "Error" if text.is_none() => failed(),
        "Error" => ended(text, text, Some(true)),
        _ => ended(text, text, Some(false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[test]
    fn a_conversation_is_a_row() {
        let seen = read_all(&Kiro, "data.sqlite3", include_bytes!("../../../corpora/kiro/data.sqlite3"));
        for line in [
            "\"aws s3 ls\" session=k-1 actor=agent:kiro time=2026-03-02T08:00:02Z exec=yes ok exit=0 cwd=/home/ada/infra tool=execute_bash",
            "\"aws s3 rb s3://backups --force\" session=k-1 actor=agent:kiro time=2026-03-02T08:00:05Z exec=no cwd=/home/ada/infra",
        ] {
            assert!(seen.contains(line), "{line}\n{seen}");
        }
    }
}
