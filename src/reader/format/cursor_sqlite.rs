//! Cursor's own databases: `state.vscdb` of the editor, a table of keys whose values are JSON, and `store.db` of each
//! conversation of its command line, where messages lie between blobs nobody else reads.
//!
//! `cursorDiskKV`: `composerData:<conversation>` has the order of its bubbles, `bubbleId:<conversation>:<bubble>` each of
//! them, with a call and its result in `toolFormerData`:
//! `{"name":"run_terminal_cmd","rawArgs":"{\"command\":\"ls\"}","params":"…","status":"completed","result":"{\"output\":\"a\",\"exitCodeV2\":0}","userDecision":"accepted"}`.

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Outcome, Timestamp};
use crate::reader::sqlite::{Database, Entry};
use crate::reader::transcript::{
    At, Call, Flag, List, Loose, Said, Talk, Word, arguments, failed, file_session, moment, ran, refused, unwrapped,
    whole,
};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct CursorSqlite;

const NAME: &str = "cursor_sqlite";
const ACTOR: &str = "cursor";
const CONVERSATION: &str = "composerData:";
const BUBBLE: &str = "bubbleId:";

/// A conversation.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Composer<'a> {
    #[serde(borrow, rename = "createdAt")]
    created: Word<'a>,
    #[serde(borrow, rename = "fullConversationHeadersOnly")]
    headers: List<Header<'a>>,
    /// Older ones have all of it in one value.
    #[serde(borrow)]
    conversation: List<Bubble<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Header<'a> {
    #[serde(borrow, rename = "bubbleId")]
    id: Word<'a>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Bubble<'a> {
    #[serde(borrow, rename = "bubbleId")]
    id: Word<'a>,
    #[serde(borrow, rename = "createdAt")]
    created: Word<'a>,
    #[serde(borrow, rename = "toolFormerData")]
    call: Loose<Former<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Former<'a> {
    #[serde(borrow)]
    name: Word<'a>,
    #[serde(borrow, rename = "toolCallId")]
    id: Word<'a>,
    /// What the model wrote.
    #[serde(borrow, rename = "rawArgs")]
    raw: Option<&'a RawValue>,
    /// What the editor made of it.
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Word<'a>,
    #[serde(borrow, rename = "userDecision")]
    decision: Word<'a>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// What a command came to.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Came<'a> {
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    #[serde(borrow, rename = "exitCodeV2")]
    code: Word<'a>,
    #[serde(borrow, rename = "exitCode")]
    older_code: Word<'a>,
    rejected: Flag,
}

/// A call that waits for its place in its conversation.
struct Found {
    /// When the conversation began, which one it is, and which bubble of it.
    order: (i64, String, usize, u64),
    at: At,
    time: Option<Timestamp>,
    id: String,
    bubble: String,
    tool: String,
    arguments: String,
    outcome: Outcome,
    approved: bool,
}

impl Reader for CursorSqlite {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Cursor's databases (User/globalStorage/state.vscdb, ~/.cursor/chats/**/store.db)"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let editor = sample.has_table("cursorDiskKV", &["key", "value"]);
        let line = sample.has_table("blobs", &["id", "data"]) && sample.has_table("meta", &["key", "value"]);
        match (editor, line, sample.has_table("ItemTable", &["key", "value"])) {
            (true, ..) => Match::Certain,
            (_, true, _) => Match::Likely,
            // Every editor that was made from VS Code has it.
            (_, _, true) => Match::Maybe,
            _ => Match::No,
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let Some(database) = Database::given(input, source, out)? else { return Ok(()) };
        let mut talk = Talk::new(source, NAME, ACTOR, out);
        let _ = if database.table("blobs").is_some() {
            conversation_of_blobs(&database, source, &mut talk)
        } else {
            editor(&database, &mut talk)
        };
        talk.finish();
        Ok(())
    }
}

/// The editor's database can have gigabytes of other things: only keys that matter are read as a whole.
fn editor(database: &Database, talk: &mut Talk<'_>) -> ControlFlow<()> {
    let wanted = |entry: &Entry<'_>, start: &str| entry.peek("key").is_some_and(|key| key.starts_with(start));
    let mut found: Vec<Found> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut begun: HashMap<String, i64> = HashMap::new();
    for entry in database.rows("cursorDiskKV") {
        let row = match entry {
            Ok(entry) if !wanted(&entry, CONVERSATION) => continue,
            entry => entry.and_then(Entry::read),
        };
        let row = match row {
            Ok(row) => row,
            Err(problem) => {
                talk.calls.damaged(&problem)?;
                continue;
            }
        };
        let (key, value) = (row.text("key").unwrap_or_default(), row.text("value").unwrap_or_default());
        let at = At { line: row.number(), offset: row.offset };
        let name = key.strip_prefix(CONVERSATION).unwrap_or_default();
        if value.is_empty() || value == "null" {
            talk.calls.nothing()?;
            continue;
        }
        let composer: Composer<'_> = match talk.calls.record(&value, at) {
            Ok(composer) => composer,
            Err(flow) => {
                flow?;
                continue;
            }
        };
        let start = moment(composer.created.text()).map_or(i64::MAX, |time| time.0);
        begun.insert(name.to_owned(), start);
        for (place, header) in composer.headers.0.iter().enumerate() {
            places.insert(format!("{name}:{}", header.id.text()), place);
        }
        for (place, bubble) in composer.conversation.0.iter().enumerate() {
            found.extend(call(bubble, (start, name.to_owned(), place, row.number()), at));
        }
        talk.calls.nothing()?;
    }
    for entry in database.rows("cursorDiskKV") {
        let row = match entry {
            Ok(entry) if !wanted(&entry, BUBBLE) => continue,
            // Damage was told when it was met for the first time.
            Err(_) => continue,
            Ok(entry) => entry.read(),
        };
        let row = match row {
            Ok(row) => row,
            Err(problem) => {
                talk.calls.damaged(&problem)?;
                continue;
            }
        };
        let (key, value) = (row.text("key").unwrap_or_default(), row.text("value").unwrap_or_default());
        let at = At { line: row.number(), offset: row.offset };
        let rest = key.strip_prefix(BUBBLE).unwrap_or_default();
        let name = rest.split(':').next().unwrap_or_default();
        if value.is_empty() || value == "null" {
            talk.calls.nothing()?;
            continue;
        }
        let bubble: Bubble<'_> = match talk.calls.record(&value, at) {
            Ok(bubble) => bubble,
            Err(flow) => {
                flow?;
                continue;
            }
        };
        let start = begun.get(name).copied().unwrap_or(i64::MAX);
        // One that its conversation does not name was taken back, or is not named yet.
        let place = places.get(rest).copied().unwrap_or(usize::MAX);
        match call(&bubble, (start, name.to_owned(), place, row.number()), at) {
            Some(call) => found.push(call),
            None => talk.calls.nothing()?,
        }
    }
    found.sort_by(|a, b| a.order.cmp(&b.order));
    for found in found {
        let Found { order: (_, session, ..), at, time, id, bubble, tool, arguments, outcome, approved } = found;
        talk.begin(&session);
        // Without one, the next result would be anybody's.
        let id = if id.is_empty() { &bubble } else { &id };
        let record = format!("{session}/{bubble}");
        let call =
            Call { id, record: &record, time, tool: &tool, arguments: &arguments, approved, at, ..Call::default() };
        talk.calls.tool(&talk.voice, &call)?;
        talk.calls.settle(id, outcome)?;
    }
    ControlFlow::Continue(())
}

/// The call in a bubble. What has no name is a note of the editor to itself.
fn call(bubble: &Bubble<'_>, order: (i64, String, usize, u64), at: At) -> Option<Found> {
    let former = bubble.call.0.as_ref().filter(|former| former.name.is_there())?;
    // The editor completes what the model left out: a folder, a whole path.
    let (raw, params) = (unwrapped(former.raw), unwrapped(former.params));
    let better = arguments(&params).folder.is_some() && arguments(&raw).text == arguments(&params).text;
    let stated = if raw.is_empty() || raw == "{}" || better { &params } else { &raw };
    Some(Found {
        order,
        at,
        time: moment(bubble.created.text()),
        id: former.id.text().to_owned(),
        bubble: bubble.id.text().to_owned(),
        tool: former.name.text().to_owned(),
        arguments: stated.clone().into_owned(),
        outcome: outcome(former),
        approved: former.decision.text() == "accepted",
    })
}

fn outcome(former: &Former<'_>) -> Outcome {
    let result = unwrapped(former.result);
    let came: Came<'_> = serde_json::from_str::<Loose<Came<'_>>>(&result).unwrap_or_default().0.unwrap_or_default();
    let code: Option<i32> = came.code.text().parse().or_else(|_| came.older_code.text().parse()).ok();
    let output = came.output.and_then(|output| whole(Some(output))).map(|output| Outcome::kept(&output));
    let no =
        former.decision.text() == "rejected" || came.rejected.0 == Some(true) || former.status.text() == "rejected";
    let outcome = match former.status.text() {
        _ if no && code.is_none() => refused(),
        _ if code.is_some() => ran(code.map(|code| code == 0), code),
        "completed" => ran(if former.error.is_some() { Some(false) } else { None }, None),
        "error" => failed(),
        // Stopped while it was written, asked for or run.
        "cancelled" if output.is_some() => ran(Some(false), None),
        _ => Outcome::default(),
    };
    Outcome { output, ..outcome }
}

/// The database of one conversation, in which nothing has a time: messages are blobs that are JSON, in the order in which they were written.
fn conversation_of_blobs(database: &Database, source: &Source, talk: &mut Talk<'_>) -> ControlFlow<()> {
    /// What the conversation is called, in hexadecimal.
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct About<'a> {
        #[serde(borrow, rename = "agentId")]
        id: Word<'a>,
    }
    let folder = source.file.rsplit('/').nth(1).filter(|folder| folder.len() >= 32);
    talk.begin(folder.unwrap_or(&file_session(source)));
    for row in database.rows("meta").flatten().filter_map(|entry| entry.read().ok()) {
        let value = row.text("value").unwrap_or_default();
        let about = unhexed(&value).unwrap_or(value);
        let about: About<'_> = serde_json::from_str(&about).unwrap_or_default();
        if let Some(id) = about.id.get() {
            talk.begin(id);
        }
    }
    for entry in database.rows("blobs") {
        let row = match entry.and_then(Entry::read) {
            Ok(row) => row,
            Err(problem) => {
                talk.calls.damaged(&problem)?;
                continue;
            }
        };
        let text = row.text("data").unwrap_or_default();
        let said = serde_json::from_str::<Said<'_>>(text.trim()).ok().filter(|said| said.role.get().is_some());
        match said {
            Some(said) => talk.message(&said, At { line: row.number(), offset: row.offset })?,
            None => talk.calls.nothing()?,
        }
    }
    ControlFlow::Continue(())
}

fn unhexed(text: &str) -> Option<String> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes: Option<Vec<u8>> = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    String::from_utf8(bytes.filter(|_| rest.is_empty())?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[test]
    fn bubbles_stand_in_the_order_of_their_conversation() {
        let seen = read_all(&CursorSqlite, "state.vscdb", include_bytes!("../../../corpora/cursor_sqlite/state.vscdb"));
        let commands: Vec<&str> = seen.lines().filter_map(|line| line.split(" session=").next()).collect();
        assert!(
            commands[..5]
                .iter()
                .zip(["npm ci", "/home/ada/shop/.env", "git push --force", "rm -rf dist", "psql -c"])
                .all(|(line, word)| line.contains(word)),
            "{seen}"
        );
        for line in [
            "\"npm ci\" session=0c0ffee0-0000-4000-8000-000000000001 actor=agent:cursor time=2026-03-02T08:00:02Z exec=yes ok exit=0 cwd=/home/ada/shop tool=run_terminal_cmd",
            "\"git push --force\" session=0c0ffee0-0000-4000-8000-000000000001 actor=agent:cursor time=2026-03-02T08:00:06Z exec=no",
        ] {
            assert!(seen.contains(line), "{line}\n{seen}");
        }
    }

    #[test]
    fn the_command_line_has_a_database_for_each_conversation() {
        let seen = read_all(&CursorSqlite, "store.db", include_bytes!("../../../corpora/cursor_sqlite/store.db"));
        assert!(seen.contains("\"ls -la\" session=agent-7 actor=agent:cursor exec=yes"), "{seen}");
    }
}
