//! mini-swe-agent trajectories: `<task>.traj.json`, a bare list of messages (version 1) or an object with one.
//!
//! `[{"role":"assistant","content":"I look around.\n\n```bash\nls\n```"},{"role":"user","content":"<returncode>0</returncode>\n<output>\na\n</output>"}]`

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Actor, ActorKind, Outcome, Surroundings, Timestamp};
use crate::reader::transcript::{
    At, Call, Calls, Document, List, Loose, Voice, Word, fenced, has, is_document, moment, ran, stem, whole,
};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct MiniSweAgent;

const NAME: &str = "mini_swe_agent";
/// So many calls without a result are remembered.
const MAX_WAITING: usize = 4096;

impl Reader for MiniSweAgent {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "mini-swe-agent trajectories (*.traj.json), versions 1 and 2"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let has = |key| has(sample.head, key);
        let shaped = is_document(sample.head) || sample.head.trim_ascii_start().starts_with(b"{");
        if !shaped || has("\"trajectory\"") || has("\"sessionId\"") || has("\"history\"") {
            return Match::No;
        }
        let speaks = has("\"role\"") && has("\"content\"");
        match () {
            () if has("\"trajectory_format\"") && has("\"mini-swe-agent") => Match::Certain,
            () if !speaks => Match::No,
            () if has("mswea_bash_command") || has("\"mini_version\"") => Match::Certain,
            () if has("\"<returncode>") || has("COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT") => Match::Likely,
            () if has("MINI_SWE_AGENT_FINAL_OUTPUT") => Match::Likely,
            () => Match::No,
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut run = Run::new(source, out);
        let Some(document) = Document::read(input) else {
            let _ = run.calls.too_long(At::default());
            run.calls.finish();
            return Ok(());
        };
        run.place(document.text());
        if let Err(error) = document.each(&["messages"], &mut |message, at| run.message(message, at)) {
            let _ = run.calls.unreadable(At { line: error.line() as u64, offset: 0 }, &error);
        }
        run.calls.finish();
        document.broke.map_or(Ok(()), Err)
    }
}

/// Everything may be missing or of another shape.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Message<'a> {
    #[serde(borrow)]
    role: Word<'a>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_calls: List<ToolCall<'a>>,
    #[serde(borrow)]
    tool_call_id: Word<'a>,
    #[serde(borrow)]
    extra: Loose<Extra<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct ToolCall<'a> {
    #[serde(borrow)]
    id: Word<'a>,
    #[serde(borrow)]
    function: Loose<Function<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Function<'a> {
    #[serde(borrow)]
    name: Word<'a>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

/// What version 2 adds to a message.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Extra<'a> {
    /// The commands that were run, as they were run.
    #[serde(borrow)]
    actions: List<Command<'a>>,
    #[serde(borrow)]
    returncode: Word<'a>,
    #[serde(borrow)]
    raw_output: Word<'a>,
    #[serde(borrow)]
    timestamp: Word<'a>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Command<'a> {
    #[serde(borrow)]
    command: Word<'a>,
    #[serde(borrow)]
    tool_call_id: Word<'a>,
}

/// `info.config.environment.cwd`
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Header<'a> {
    #[serde(borrow)]
    info: Loose<Info<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Info<'a> {
    #[serde(borrow)]
    config: Loose<Config<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Config<'a> {
    #[serde(borrow)]
    environment: Loose<Environment<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Environment<'a> {
    #[serde(borrow)]
    cwd: Word<'a>,
}

struct Run<'o> {
    calls: Calls<'o>,
    voice: Voice,
    number: usize,
    /// The calls without a result, oldest first.
    waiting: VecDeque<String>,
}

impl<'o> Run<'o> {
    fn new(source: &Source, out: &'o mut dyn Out) -> Self {
        let actor = Actor { name: "mini-swe-agent".to_owned(), kind: ActorKind::Agent, groups: Vec::new() };
        let voice = Voice { actor: Arc::new(actor), session: stem(&source.file).into(), surroundings: Arc::default() };
        Self { calls: Calls::new(source, NAME, out), voice, number: 0, waiting: VecDeque::new() }
    }

    /// Every command begins in the same folder.
    fn place(&mut self, document: &str) {
        let header: Loose<Header<'_>> = serde_json::from_str(document).unwrap_or_default();
        let info = header.0.and_then(|header| header.info.0).and_then(|info| info.config.0);
        let cwd = info.and_then(|config| config.environment.0).and_then(|it| it.cwd.get().map(str::to_owned));
        if cwd.is_some() {
            self.voice.surroundings = Arc::new(Surroundings { cwd, ..Surroundings::default() });
        }
    }

    fn message(&mut self, record: &RawValue, at: At) -> ControlFlow<()> {
        let message: Message<'_> = match serde_json::from_str(record.get()) {
            Ok(message) => message,
            Err(_) if !record.get().starts_with('{') => return self.calls.nothing(),
            Err(error) => return self.calls.unreadable(at, &error),
        };
        match message.role.text() {
            "assistant" => self.said(&message, at),
            "user" | "tool" => self.told(&message, at),
            _ => self.calls.nothing(),
        }
    }

    fn said(&mut self, message: &Message<'_>, at: At) -> ControlFlow<()> {
        let before = self.number;
        let extra = message.extra.0.as_ref();
        let time = extra.and_then(|extra| epoch(extra.timestamp.text()));
        if let Some(extra) = extra.filter(|extra| !extra.actions.0.is_empty()) {
            for action in &extra.actions.0 {
                self.bash(action.tool_call_id.text(), action.command.text(), time, at)?;
            }
        } else if !message.tool_calls.0.is_empty() {
            for call in &message.tool_calls.0 {
                let Some(function) = &call.function.0 else { continue };
                let arguments = whole(function.arguments);
                let arguments = arguments.as_deref().or(function.arguments.map(RawValue::get)).unwrap_or_default();
                self.call(call.id.text(), function.name.text(), arguments, time, at)?;
            }
        } else {
            let text = whole(message.content).unwrap_or_default();
            let own = fenced(&text, |language| language == "mswea_bash_command");
            let blocks = if own.is_empty() { fenced(&text, |language| language == "bash") } else { own };
            // More than one is answered with a complaint, and none of them is run.
            if let [command] = blocks[..] {
                self.bash("", command, time, at)?;
            }
        }
        if self.number == before { self.calls.nothing() } else { ControlFlow::Continue(()) }
    }

    fn bash(&mut self, id: &str, command: &str, time: Option<Timestamp>, at: At) -> ControlFlow<()> {
        let arguments = serde_json::json!({ "command": command.trim() }).to_string();
        self.call(id, "bash", &arguments, time, at)
    }

    fn call(&mut self, id: &str, tool: &str, arguments: &str, time: Option<Timestamp>, at: At) -> ControlFlow<()> {
        self.number += 1;
        let id = if id.is_empty() { format!("step {}", self.number) } else { id.to_owned() };
        let call = Call { id: &id, index: self.number, time, tool, arguments, at, ..Call::default() };
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(id.clone());
        self.calls.tool(&self.voice, &call)
    }

    fn told(&mut self, message: &Message<'_>, at: At) -> ControlFlow<()> {
        let text = whole(message.content).unwrap_or_default();
        let named = self.waiting.iter().position(|id| message.tool_call_id.get() == Some(id));
        let Some(id) = self.waiting.remove(named.unwrap_or(0)) else {
            if text.trim_start().starts_with("<returncode>") {
                return self.calls.lost(at, "a result whose command could not be read", "");
            }
            return self.calls.nothing();
        };
        let extra = message.extra.0.as_ref();
        let code = extra.and_then(|extra| extra.returncode.text().parse().ok()).or_else(|| stated_code(&text));
        let printed: Cow<'_, str> = match extra.and_then(|extra| extra.raw_output.get()) {
            Some(raw) => raw.into(),
            None => printed(&text),
        };
        let timed_out = text.contains("timed out and has been killed");
        let succeeded = if timed_out { Some(false) } else { code.map(|code: i32| code == 0) };
        self.calls.settle(&id, Outcome { output: Some(Outcome::kept(&printed)), ..ran(succeeded, code) })
    }
}

/// A moment as seconds since 1970, with a fraction.
fn epoch(text: &str) -> Option<Timestamp> {
    match text.split_once('.') {
        Some((seconds, fraction)) if !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit()) => {
            let micros: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
            seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(micros).map(Timestamp)
        }
        _ => moment(text),
    }
}

/// `<returncode>1</returncode>`, or JSON with one.
fn stated_code(text: &str) -> Option<i32> {
    let text = text.trim_start();
    if let Some(rest) = text.strip_prefix("<returncode>") {
        return rest.split_once('<')?.0.trim().parse().ok();
    }
    json(text)?.returncode
}

fn printed(text: &str) -> Cow<'_, str> {
    if let Some((_, rest)) = text.split_once("<output>") {
        let rest = rest.strip_prefix('\n').unwrap_or(rest);
        return rest.rsplit_once("</output>").map_or(rest, |(printed, _)| printed).trim_end_matches('\n').into();
    }
    match json(text) {
        Some(stated) if stated.returncode.is_some() => stated.output.into(),
        _ => text.into(),
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Stated {
    returncode: Option<i32>,
    output: String,
}

fn json(text: &str) -> Option<Stated> {
    if text.trim_start().starts_with('{') { serde_json::from_str(text).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::outputs;
    use crate::reader::transcript::shown;

    #[track_caller]
    fn check(document: &str, expected: &str, printed: &[&str]) {
        assert_eq!(shown(&MiniSweAgent, "t.traj.json", document.as_bytes()), expected);
        assert_eq!(outputs(&MiniSweAgent, "t.traj.json", document.as_bytes()), printed);
    }

    #[test]
    fn one_block_is_run_and_several_are_not() {
        check(
            r#"[{"role":"user","content":"Say it in ```bash\nls\n```"},
{"role":"assistant","content":"I try.\n```python\nx\n```\n```bash\nmake\n```"},
{"role":"user","content":"<returncode>2</returncode>\n<output>\nno <output> rule\n</output>"},
{"role":"assistant","content":"```bash\nls\n```\n```bash\nrm a\n```"},
{"role":"user","content":"Please always provide EXACTLY ONE action"},
{"role":"assistant","content":"```mswea_bash_command\nsleep 99\n```\nnot\n```bash\nthis\n```"},
{"role":"user","content":"The last command <command>sleep 99</command> timed out and has been killed."}]"#,
            "L2 tool \"make\" session=t actor=agent:mini-swe-agent exec=yes failed exit=2 tool=bash\n\
             L6 tool \"sleep 99\" session=t actor=agent:mini-swe-agent exec=yes failed tool=bash\n",
            &["no <output> rule", "The last command <command>sleep 99</command> timed out and has been killed."],
        );
    }

    #[test]
    fn version_two_has_tool_calls_and_extras() {
        check(
            r#"{"info":{"config":{"environment":{"cwd":"/w"}}},"messages":[
{"role":"assistant","content":null,"tool_calls":[{"id":"c1","function":{"name":"bash","arguments":"{\"command\":\"ls\"}"}},{"id":"c2","function":{"name":"bash","arguments":"{\"command\":\"pwd\"}"}}]},
{"role":"tool","tool_call_id":"c2","content":"{\"returncode\":0,\"output\":\"/w\"}"},
{"role":"tool","tool_call_id":"c1","content":"","extra":{"returncode":1,"raw_output":"no"}},
{"role":"assistant","content":"x","extra":{"timestamp":1767605402.25,"actions":[{"command":"make"}]}},
{"role":"exit","content":"done"}],"trajectory_format":"mini-swe-agent-1.1"}"#,
            "L2 tool \"ls\" session=t actor=agent:mini-swe-agent exec=yes failed exit=1 cwd=/w tool=bash\n\
             L2 tool \"pwd\" session=t actor=agent:mini-swe-agent exec=yes ok exit=0 cwd=/w tool=bash\n\
             L5 tool \"make\" session=t actor=agent:mini-swe-agent cwd=/w tool=bash\n",
            &["no", "/w", "-"],
        );
        assert_eq!(epoch("1767605402.25").map(|time| time.to_string()).as_deref(), Some("2026-01-05T09:30:02.25Z"));
    }

    #[test]
    fn a_result_without_a_command_is_said() {
        check(
            r#"[{"role":"assistant","content":"ls"},{"role":"user","content":"<returncode>0</returncode>"}, {"role":7"#,
            "L1 issue: a result whose command could not be read\n\
             L1 issue: not a JSON record: EOF while parsing an object (it may have been cut off while the file was written or copied; read the original)\n",
            &[],
        );
    }
}
