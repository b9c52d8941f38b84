//! GitHub Copilot CLI: `~/.copilot/session-state/<session>/events.jsonl`.
//!
//! `{"type":"tool.execution_start","data":{"toolCallId":"call_1","toolName":"bash","arguments":{"command":"ls"}},"id":"…","timestamp":"2026-01-05T09:00:02Z"}`

use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Actor, ActorKind};
use crate::reader::transcript::{
    At, Call, Flag, List, Loose, Talk, Voice, Word, each_line, ended, first_lines, moment, refused, unwrapped,
};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct CopilotCli;

const NAME: &str = "copilot_cli";

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Line<'a> {
    #[serde(borrow, rename = "type")]
    kind: Word<'a>,
    #[serde(borrow)]
    id: Word<'a>,
    #[serde(borrow)]
    timestamp: Word<'a>,
    #[serde(borrow)]
    data: Loose<Data<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Data<'a> {
    #[serde(borrow, rename = "sessionId")]
    session_id: Word<'a>,
    #[serde(borrow)]
    producer: Word<'a>,
    #[serde(borrow)]
    context: Loose<Context<'a>>,
    #[serde(borrow, rename = "toolRequests")]
    requests: List<Request<'a>>,
    /// The call of the agent that this one works for.
    #[serde(borrow, rename = "parentToolCallId")]
    parent: Word<'a>,
    #[serde(borrow, rename = "toolCallId")]
    call_id: Word<'a>,
    #[serde(borrow, rename = "toolName")]
    tool: Word<'a>,
    #[serde(borrow, rename = "mcpServerName")]
    server: Word<'a>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
    success: Flag,
    #[serde(borrow)]
    result: Loose<Outcome<'a>>,
    #[serde(borrow)]
    error: Loose<Outcome<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Context<'a> {
    #[serde(borrow)]
    cwd: Word<'a>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Request<'a> {
    #[serde(borrow, rename = "toolCallId")]
    call_id: Word<'a>,
    #[serde(borrow)]
    name: Word<'a>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Outcome<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    code: Word<'a>,
    #[serde(borrow)]
    kind: Word<'a>,
}

impl Reader for CopilotCli {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "GitHub Copilot CLI sessions (~/.copilot/session-state/**/events.jsonl)"
    }

    fn repeats(&self) -> bool {
        true
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let mut best = Match::No;
        for line in first_lines(sample, 40) {
            let Ok(line) = serde_json::from_str::<Line<'_>>(line) else { continue };
            let Some(data) = &line.data.0 else { continue };
            best = best.max(match line.kind.text() {
                "session.start" if data.producer.text() == "copilot-agent" => Match::Certain,
                "tool.execution_start" | "tool.execution_complete" if data.call_id.is_there() => Match::Certain,
                "assistant.turn_start" | "assistant.message" | "user.message" | "session.start" => Match::Likely,
                _ => Match::No,
            });
        }
        best
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let talk = Talk::new(source, NAME, "copilot-cli", out);
        let session = talk.voice.session.clone();
        let mut events = Events { talk, session };
        let read = each_line(input, &mut |text, at| match text {
            Some(text) => match events.talk.calls.record(text, at) {
                Ok(line) => events.line(&line, at),
                Err(flow) => flow,
            },
            None => events.talk.calls.too_long(at),
        });
        events.talk.finish();
        read
    }
}

struct Events<'o> {
    talk: Talk<'o>,
    /// The main one; sub-agents have their own below it.
    session: Arc<str>,
}

impl Events<'_> {
    fn line(&mut self, line: &Line<'_>, at: At) -> ControlFlow<()> {
        let Some(data) = &line.data.0 else { return self.talk.calls.nothing() };
        match line.kind.text() {
            "session.start" | "session.resume" => {
                if let Some(session) = data.session_id.get() {
                    self.session = session.into();
                }
                self.talk.go_to(data.context.0.as_ref().and_then(|context| context.cwd.get()));
                self.talk.calls.nothing()
            }
            "assistant.message" => {
                for (index, request) in data.requests.0.iter().enumerate() {
                    let (id, tool) = (request.call_id.text(), request.name.text());
                    self.call(line, data, id, tool, request.arguments, index, at)?;
                }
                if data.requests.0.is_empty() { self.talk.calls.nothing() } else { ControlFlow::Continue(()) }
            }
            "tool.execution_start" | "tool.user_requested" => {
                let tool = match data.server.get().filter(|server| !data.tool.text().contains(server)) {
                    Some(server) => format!("mcp__{server}__{}", data.tool.text()),
                    None => data.tool.text().to_owned(),
                };
                self.call(line, data, data.call_id.text(), &tool, data.arguments, 0, at)
            }
            "tool.execution_complete" => {
                let result = data.result.0.as_ref().and_then(|result| result.content);
                let error = data.error.0.as_ref();
                let said = error.and_then(|error| error.message).or(result);
                let is_error = data.success.0.map(|success| !success);
                let denied = error.is_some_and(|error| matches!(error.code.text(), "denied" | "rejected"));
                let outcome = if denied { refused() } else { ended(said, result.or(said), is_error) };
                self.talk.calls.settle(data.call_id.text(), outcome)
            }
            "permission.completed" => {
                let answer = data.result.0.as_ref().map_or("", |result| result.kind.text());
                if answer.starts_with("denied") && self.talk.calls.awaits(data.call_id.text()) {
                    return self.talk.calls.settle(data.call_id.text(), refused());
                }
                self.talk.calls.nothing()
            }
            "abort" => {
                self.talk.calls.interrupt();
                self.talk.calls.nothing()
            }
            "user.message" => {
                self.talk.calls.give_up()?;
                self.talk.calls.nothing()
            }
            _ => self.talk.calls.nothing(),
        }
    }

    /// A call is asked for in a message and begins in an event of its own: the first of them is it.
    #[allow(clippy::too_many_arguments, reason = "what two kinds of records say about one call")]
    fn call(
        &mut self,
        line: &Line<'_>,
        data: &Data<'_>,
        id: &str,
        tool: &str,
        arguments: Option<&RawValue>,
        index: usize,
        at: At,
    ) -> ControlFlow<()> {
        if self.talk.calls.knows(id) && !id.is_empty() {
            return self.talk.calls.nothing();
        }
        let session = match data.parent.get() {
            Some(parent) => format!("{}/agent-{parent}", self.session).into(),
            None => self.session.clone(),
        };
        let by_person = line.kind.text() == "tool.user_requested";
        let person = || Arc::new(Actor { name: "user".to_owned(), kind: ActorKind::Human, groups: Vec::new() });
        let actor = if by_person { person() } else { self.talk.voice.actor.clone() };
        let voice = Voice { session, actor, ..self.talk.voice.clone() };
        let record = format!("{}/{}", self.session, line.id.text());
        let arguments = unwrapped(arguments);
        let time = moment(line.timestamp.text());
        let call = Call { id, record: &record, index, time, tool, arguments: &arguments, at, ..Call::default() };
        self.talk.calls.tool(&voice, &call)
    }
}
