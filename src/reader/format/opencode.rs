//! OpenCode: its database (`~/.local/share/opencode/opencode.db`), and the files that were there before it, one for each
//! session, message and part of a message (`storage/part/<message>/<part>.json`). A call and its result are one part.
//!
//! `{"id":"prt_…","sessionID":"ses_…","messageID":"msg_…","type":"tool","callID":"…","tool":"bash","state":{"status":"completed","input":{"command":"ls"},"output":"a","metadata":{"exit":0},"time":{"start":1772438402000}}}`

use std::collections::{HashMap, HashSet};
use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Actor, ActorKind, Outcome, Surroundings};
use crate::reader::sqlite::{Database, MAGIC};
use crate::reader::transcript::{
    At, Call, Calls, Document, Loose, Voice, Word, ended, failed, file_session, has, moment, opening, output, ran,
    refused,
};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct OpenCode;

const NAME: &str = "opencode";

/// What is said in the name of a person who ran a command in the agent's shell mode.
const BY_THE_USER: &str = "The following tool was executed by the user";

/// A session, a message or a part. In the database, what a column says is not repeated here.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Kept<'a> {
    #[serde(borrow)]
    id: Word<'a>,
    #[serde(borrow, rename = "sessionID")]
    session: Word<'a>,
    #[serde(borrow, rename = "messageID")]
    message: Word<'a>,
    #[serde(borrow, rename = "parentID")]
    parent: Word<'a>,
    #[serde(borrow, rename = "type")]
    kind: Word<'a>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow, rename = "callID")]
    call: Word<'a>,
    #[serde(borrow)]
    tool: Word<'a>,
    #[serde(borrow)]
    state: Loose<State<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct State<'a> {
    #[serde(borrow)]
    status: Word<'a>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    metadata: Loose<Metadata<'a>>,
    #[serde(borrow)]
    time: Loose<Time<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Metadata<'a> {
    #[serde(borrow)]
    exit: Word<'a>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Time<'a> {
    #[serde(borrow)]
    start: Word<'a>,
}

impl Reader for OpenCode {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "OpenCode sessions (~/.local/share/opencode/opencode.db, storage/part/**/*.json)"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        if sample.has_table("part", &["message_id", "session_id", "data"])
            && sample.has_table("session", &["directory"])
        {
            return Match::Certain;
        }
        // One object of a few words, so that all of its marks are near.
        let head = sample.head.trim_ascii();
        let has = |key| has(head, key);
        if !head.starts_with(b"{") || !has("\"id\"") {
            return Match::No;
        }
        let is_one = !sample.complete || serde_json::from_slice::<serde::de::IgnoredAny>(head).is_ok();
        let part = has("\"messageID\"") && has("\"type\"") && (has("\"sessionID\"") || has("\"time\""));
        let message = has("\"sessionID\"") && has("\"role\"") && has("\"time\"") && !has("\"parts\"");
        let session = has("\"projectID\"") && has("\"directory\"") && has("\"time\"");
        let bare = sample.complete && has("\"type\"") && has("\"time\"") && has("\"start\"") && has("\"text\"");
        match is_one {
            true if part || message || session => Match::Certain,
            true if bare && !has("\"messages\"") => Match::Maybe,
            _ => Match::No,
        }
    }

    /// What was moved into the database still lies in the files.
    fn repeats(&self) -> bool {
        true
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        if input.fill_buf()?.starts_with(MAGIC) || source.database.is_some() {
            return database(input, source, out);
        }
        let mut calls = Calls::new(source, NAME, out);
        let Some(document) = Document::read(input) else {
            let _ = calls.too_long(At::default());
            calls.finish();
            return Ok(());
        };
        let at = At { line: 1, offset: 0 };
        if let Ok(kept) = calls.record::<Kept<'_>>(document.text().trim(), at) {
            let session = kept.session.get().or(kept.message.get()).map_or_else(|| file_session(source), str::to_owned);
            let voice = Voice { actor: agent(), session: session.into(), surroundings: Arc::default() };
            let _ = part(&mut calls, &voice, &kept, kept.id.text(), at);
        }
        calls.finish();
        document.broke.map_or(Ok(()), Err)
    }
}

fn agent() -> Arc<Actor> {
    Arc::new(Actor { name: NAME.to_owned(), kind: ActorKind::Agent, groups: Vec::new() })
}

fn database(input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
    let Some(database) = Database::given(input, source, out)? else { return Ok(()) };
    let mut voices: HashMap<String, Voice> = HashMap::new();
    let agent = agent();
    let person = Arc::new(Actor { name: "unknown".to_owned(), kind: ActorKind::Human, groups: Vec::new() });
    let _ = database.each("session", source, out, &mut |row, _| {
        let surroundings = Arc::new(Surroundings { cwd: row.text("directory"), ..Surroundings::default() });
        let id = row.text("id").unwrap_or_default();
        voices.insert(id.clone(), Voice { actor: Arc::clone(&agent), session: id.into(), surroundings });
        ControlFlow::Continue(())
    });
    // Which question an answer is to; the answers to a person's own command are that person's.
    let mut parents: HashMap<String, String> = HashMap::new();
    let mut persons: HashSet<String> = HashSet::new();
    let _ = database.each("message", source, out, &mut |row, _| {
        let data = row.text("data").unwrap_or_default();
        let kept: Kept<'_> = serde_json::from_str(&data).unwrap_or_default();
        if let (Some(id), Some(parent)) = (row.text("id"), kept.parent.get()) {
            parents.insert(id, parent.to_owned());
        }
        ControlFlow::Continue(())
    });
    let mut calls = Calls::new(source, NAME, out);
    for entry in database.rows("part") {
        let row = match entry.and_then(|entry| entry.read()) {
            Ok(row) => row,
            Err(problem) if calls.damaged(&problem).is_break() => break,
            Err(_) => continue,
        };
        let at = At { line: row.number(), offset: row.offset };
        let text = |column: &str| row.text(column).unwrap_or_default();
        let (data, id, message, session) = (text("data"), text("id"), text("message_id"), text("session_id"));
        let flow = match calls.record::<Kept<'_>>(&data, at) {
            Ok(kept) => {
                if kept.kind.text() == "text" && opening(kept.text).starts_with(BY_THE_USER) {
                    persons.insert(message.clone());
                }
                let unknown =
                    || Voice { actor: Arc::clone(&agent), session: session.as_str().into(), ..Voice::default() };
                let mut voice = voices.get(&session).cloned().unwrap_or_else(unknown);
                if parents.get(&message).is_some_and(|parent| persons.contains(parent)) {
                    voice.actor = Arc::clone(&person);
                }
                part(&mut calls, &voice, &kept, &id, at)
            }
            Err(flow) => flow,
        };
        if flow.is_break() {
            break;
        }
    }
    calls.finish();
    Ok(())
}

/// One part of a message.
fn part(calls: &mut Calls<'_>, voice: &Voice, kept: &Kept<'_>, record: &str, at: At) -> ControlFlow<()> {
    let Some(state) = kept.state.0.as_ref().filter(|_| kept.kind.text() == "tool") else { return calls.nothing() };
    let id = kept.call.text();
    let time = state.time.0.as_ref().and_then(|time| moment(time.start.text()));
    let arguments = state.input.map_or("", RawValue::get);
    calls.tool(voice, &Call { id, record, time, tool: kept.tool.text(), arguments, at, ..Call::default() })?;
    calls.settle(id, outcome(state))
}

fn outcome(state: &State<'_>) -> Outcome {
    let code = state.metadata.0.as_ref().and_then(|metadata| metadata.exit.text().parse().ok());
    match state.status.text() {
        "completed" | "success" => Outcome { output: output(state.output), ..ran(Some(code.unwrap_or(0) == 0), code) },
        "error" => {
            let said = opening(state.error);
            // A person, or a rule that a person made.
            let no = ["The user rejected permission", "The user has specified a rule which prevents"];
            if no.iter().any(|no| said.starts_with(no)) {
                return refused();
            }
            let stated = ended(state.error, state.output, Some(true));
            if state.error.is_none() { failed() } else { stated }
        }
        // Asked for, and perhaps begun.
        _ => Outcome::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[test]
    fn the_database_has_calls_of_the_agent_and_of_the_person_beside_it() {
        let seen = read_all(&OpenCode, "opencode.db", include_bytes!("../../../corpora/opencode/opencode.db"));
        for line in [
            "\"git status --short\" session=ses_shop actor=agent:opencode time=2026-03-02T08:00:02Z exec=yes ok exit=0 cwd=/home/ada/shop",
            "\"rm -rf node_modules\" session=ses_shop actor=human:unknown",
            "\"git push --force origin main\" session=ses_shop actor=agent:opencode time=2026-03-02T08:00:06Z exec=no cwd",
            "\"docker compose down -v\" session=ses_shop actor=agent:opencode time=2026-03-02T08:00:08Z cwd",
        ] {
            assert!(seen.contains(line), "{line}\n{seen}");
        }
    }

    #[test]
    fn a_part_is_a_file() {
        let text = r#"{"id":"prt_1","sessionID":"ses_1","messageID":"msg_1","type":"tool","callID":"c","tool":"bash",
            "state":{"status":"error","input":{"command":"ls /x","workdir":"/srv"},"error":"Error: spawn failed"}}"#;
        assert_eq!(
            read_all(&OpenCode, "prt_1.json", text.as_bytes()),
            "L1 tool \"ls /x\" session=ses_1 actor=agent:opencode failed cwd=/srv tool=bash arguments={\"command\":\"ls /x\",\"workdir\":\"/srv\"}\n"
        );
        assert_eq!(
            read_all(&OpenCode, "ses_1.json", br#"{"id":"ses_1","projectID":"p","directory":"/"}"#),
            "nothing: 1\n"
        );
    }
}
