//! OpenHands: `output.jsonl` of an evaluation or the resolver (one task per line, its events in `history`), and a
//! saved `trajectory.json` (the events alone).
//!
//! `{"instance_id":"shop-7","history":[{"id":5,"timestamp":"2026-01-05T09:00:02","source":"agent","action":"run","args":{"command":"ls"}},{"id":6,"cause":5,"observation":"run","content":"a","extras":{"metadata":{"exit_code":0}}}]}`

mod record;

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::sync::Arc;

use serde_json::value::RawValue;

use self::record::{Answer, Args, Event, Task};
use crate::model::{Actor, ActorKind, Outcome, Surroundings};
use crate::reader::transcript::{
    At, Call, Calls, Document, Loose, Voice, civil_moment, each_line, failed, has, is_document, is_one_long_line,
    moment, output, ran, refused, stem, whole,
};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct OpenHands;

const NAME: &str = "openhands";

/// Actions inside the agent itself, or of the program around it.
const NOT_ACTS: &[&str] = &[
    "think",
    "finish",
    "message",
    "recall",
    "system",
    "null",
    "reject",
    "condensation",
    "condensation_request",
    "change_agent_state",
    "change_task_state",
    "initialize",
    "start",
    "pause",
    "resume",
    "stop",
    "add_task",
    "modify_task",
    "task_tracking",
    "summarize",
];

impl Reader for OpenHands {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "OpenHands output.jsonl (event history, old and new) and saved trajectories"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let has = |key| has(sample.head, key);
        let one_object = sample.head.trim_ascii_start().starts_with(b"{");
        if has("\"trajectory\"") || has("\"message_type\"") || has("\"role\":\"tool\"") {
            return Match::No;
        }
        // The newest files, whose events have a kind.
        if has("\"ActionEvent\"") && has("\"tool_call_id\"") {
            return if one_object && has("\"history\"") { Match::Certain } else { Match::Likely };
        }
        let events = has("\"action\"") && (has("\"observation\"") || has("\"source\"") || has("\"args\""));
        let linked = has("\"cause\"") || has("\"is_confirmed\"") || has("\"tool_call_metadata\"");
        if one_object && has("\"history\"") && events && linked {
            return Match::Certain;
        }
        let named = has("\"instance_id\"") || has("\"git_patch\"");
        if one_object && named && (has("\"history\"") && events || has("\"agent_class\"")) {
            return Match::Likely;
        }
        // The instruction before the history can be longer than the sample.
        if one_object && is_one_long_line(sample) && has("\"instance_id\"") && has("\"instruction\"") {
            return Match::Likely;
        }
        if !one_object && is_document(sample.head) && events && linked { Match::Likely } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut run = Run::new(source, out);
        let read = if is_document(input.fill_buf()?) {
            run.document(input)
        } else {
            each_line(input, &mut |text, at| match text {
                Some(text) => run.line(text, at),
                None => run.calls.too_long(at),
            })
        };
        run.calls.finish();
        read
    }
}

struct Run<'o> {
    calls: Calls<'o>,
    agent: Arc<Actor>,
    person: Arc<Actor>,
    stem: Box<str>,
    session: Arc<str>,
    surroundings: Arc<Surroundings>,
    /// How often each task has come: the same one is tried again.
    tries: HashMap<Box<str>, u32>,
    /// What tells the calls of this task apart from those of the others.
    task: u64,
    events: u64,
    /// The call that has no result yet, in files whose events have no ids.
    open: Option<String>,
    /// Ids by the ids of calls, for answers that name only those.
    called: HashMap<Box<str>, String>,
    zone_said: bool,
}

impl<'o> Run<'o> {
    fn new(source: &Source, out: &'o mut dyn Out) -> Self {
        let actor = |name: &str, kind| Arc::new(Actor { name: name.to_owned(), kind, groups: Vec::new() });
        Self {
            calls: Calls::new(source, NAME, out),
            agent: actor("openhands", ActorKind::Agent),
            person: actor("user", ActorKind::Human),
            stem: stem(&source.file).into(),
            session: stem(&source.file).into(),
            surroundings: Arc::default(),
            tries: HashMap::new(),
            task: 0,
            events: 0,
            open: None,
            called: HashMap::new(),
            zone_said: false,
        }
    }

    fn document(&mut self, input: &mut dyn BufRead) -> io::Result<()> {
        let Some(document) = Document::read(input) else {
            let _ = self.calls.too_long(At::default());
            return Ok(());
        };
        if let Ok(task) = serde_json::from_str::<Task<'_>>(document.text()) {
            self.begin(task.name());
        }
        let read = document.each(&["history"], &mut |element, at| self.element(element, at));
        if let Err(error) = read {
            let _ = self.calls.unreadable(At { line: error.line() as u64, offset: 0 }, &error);
        }
        document.broke.map_or(Ok(()), Err)
    }

    fn line(&mut self, text: &str, at: At) -> ControlFlow<()> {
        let task: Task<'_> = match self.calls.record(text, at) {
            Ok(task) => task,
            Err(flow) => return flow,
        };
        // One event per line is another way to keep them.
        let Some(history) = task.history else {
            return match serde_json::from_str::<&RawValue>(text) {
                Ok(event) => self.element(event, at),
                Err(error) => self.calls.unreadable(at, &error),
            };
        };
        self.begin(task.name());
        self.task = at.line;
        let Ok(events) = serde_json::from_str::<Vec<&RawValue>>(history.get()) else { return self.calls.nothing() };
        for event in events {
            let inside = (event.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize) as u64;
            self.element(event, At { line: at.line, offset: at.offset + inside })?;
        }
        ControlFlow::Continue(())
    }

    /// A task begins, in a place of its own.
    fn begin(&mut self, name: &str) {
        self.surroundings = Arc::default();
        self.open = None;
        self.called.clear();
        self.events = 0;
        let name = if name.is_empty() { &*self.stem } else { name };
        let tries = self.tries.entry(name.into()).or_insert(0);
        *tries += 1;
        self.session = if *tries == 1 { name.into() } else { format!("{name}#{tries}").into() };
    }

    /// An event, or in old files an action and its observation as a pair.
    fn element(&mut self, element: &RawValue, at: At) -> ControlFlow<()> {
        if element.get().starts_with('[')
            && let Ok(pair) = serde_json::from_str::<Vec<&RawValue>>(element.get())
        {
            return pair.into_iter().filter(|event| event.get().starts_with('{')).try_for_each(|event| {
                let inside = (event.get().as_ptr() as usize).saturating_sub(element.get().as_ptr() as usize) as u64;
                self.event(event, At { line: at.line, offset: at.offset + inside })
            });
        }
        self.event(element, at)
    }

    fn event(&mut self, element: &RawValue, at: At) -> ControlFlow<()> {
        self.events += 1;
        match serde_json::from_str::<Event<'_>>(element.get()) {
            Ok(event) if event.kind.get().is_some() && event.args.is_none() => self.new_event(&event, at),
            Ok(event) => match (whole(event.observation), whole(event.action)) {
                (Some(kind), _) => self.observation(&kind, &event),
                (None, Some(kind)) => self.action(&kind, &event, element, at),
                (None, None) => self.calls.nothing(),
            },
            Err(_) if !element.get().starts_with('{') => self.calls.nothing(),
            Err(error) => self.calls.unreadable(at, &error),
        }
    }

    /// The newest files name the tool, and join by the id of the event or of the call.
    fn new_event(&mut self, event: &Event<'_>, at: At) -> ControlFlow<()> {
        let id = |id: &str| format!("{}:{id}", self.task);
        match event.kind.text() {
            "ActionEvent" => {
                let tool = event.tool_name.text();
                let stated = event.action.filter(|action| action.get().starts_with('{'));
                if matches!(tool, "think" | "finish" | "task_tracker") {
                    return self.calls.nothing();
                }
                let id = id(event.id.get().unwrap_or(event.tool_call_id.text()));
                let arguments = stated.map_or("", RawValue::get);
                let args = serde_json::from_str::<Loose<Args<'_>>>(arguments).ok().and_then(|args| args.0);
                let args = args.unwrap_or_default();
                let typed = (args.is_input.0 == Some(true)).then(|| typed(&args));
                let (tool, arguments) = typed.as_deref().map_or((tool, arguments), |typed| ("send_input", typed));
                let edits = tool.contains("edit").then(|| args.path.get()).flatten();
                if !event.tool_call_id.text().is_empty() {
                    self.called.insert(event.tool_call_id.text().into(), id.clone());
                }
                self.call(&id, tool, arguments, edits, event, at)
            }
            "ObservationEvent" | "UserRejectObservation" | "AgentErrorEvent" => {
                let by_call = self.called.remove(event.tool_call_id.text());
                let id = by_call.unwrap_or_else(|| id(event.action_id.text()));
                let answer = event.observation.and_then(|answer| {
                    serde_json::from_str::<Loose<Answer<'_>>>(answer.get()).ok().and_then(|answer| answer.0)
                });
                let answer = answer.unwrap_or_default();
                if let Some(metadata) = &answer.metadata.0 {
                    self.stand(metadata.working_dir.get(), metadata.username.get(), metadata.hostname.get());
                }
                if !self.calls.awaits(&id) {
                    return self.calls.nothing();
                }
                let outcome = match event.kind.text() {
                    "UserRejectObservation" => refused(),
                    "AgentErrorEvent" => Outcome { output: output(event.error), ..failed() },
                    _ => {
                        let codes =
                            [answer.metadata.0.as_ref().map(|metadata| &metadata.exit_code), Some(&answer.exit_code)];
                        let code = codes.into_iter().flatten().find_map(|code| code.text().parse::<i32>().ok());
                        let ended = match code {
                            Some(-1) => ran(None, None),
                            Some(code) => ran(Some(code == 0), Some(code)),
                            None if answer.timeout.0 == Some(true) => ran(None, None),
                            None => ran(answer.is_error.0.map(|is_error| !is_error), None),
                        };
                        Outcome { output: output(answer.content), ..ended }
                    }
                };
                self.calls.settle(&id, outcome)
            }
            _ => self.calls.nothing(),
        }
    }

    fn action(&mut self, kind: &str, event: &Event<'_>, element: &RawValue, at: At) -> ControlFlow<()> {
        if NOT_ACTS.contains(&kind) {
            // Old files put a result behind these as well; it is nobody's.
            self.open = None;
            return self.calls.nothing();
        }
        // The arguments of old files stand in the event itself.
        let stated = event.args.map_or(element.get(), RawValue::get);
        let args = serde_json::from_str::<Loose<Args<'_>>>(stated).ok().and_then(|args| args.0).unwrap_or_default();
        let (tool, arguments): (&str, Cow<'_, str>) = match kind {
            "run" if args.is_input.0 == Some(true) => ("send_input", typed(&args).into()),
            "run" => ("execute_bash", stated.into()),
            "run_ipython" => ("execute_ipython_cell", stated.into()),
            "edit" if args.command.get().is_some() => ("str_replace_editor", stated.into()),
            "read" | "edit" | "write" | "browse" | "delegate" => (kind, stated.into()),
            "browse_interactive" => ("browser", stated.into()),
            "mcp" | "call_tool_mcp" if args.name.get().is_some() => {
                (args.name.text(), args.arguments.map_or("{}", RawValue::get).into())
            }
            _ => (event.tool().unwrap_or(kind), stated.into()),
        };
        if let Some(cwd) = args.cwd.get().filter(|cwd| cwd.starts_with('/'))
            && self.surroundings.cwd.as_deref() != Some(cwd)
        {
            Arc::make_mut(&mut self.surroundings).cwd = Some(cwd.to_owned());
        }
        let id = match event.id.get() {
            Some(id) => format!("{}:{id}", self.task),
            None => format!("{}:event {}", self.task, self.events),
        };
        if event.id.get().is_none() {
            self.open = Some(id.clone());
        }
        let text = args.path.get().filter(|_| matches!(kind, "read" | "edit" | "write"));
        self.call(&id, tool, &arguments, text, event, at)?;
        let confirmation = args.confirmation_state.get().or(args.is_confirmed.get()).unwrap_or_default();
        if confirmation == "rejected" {
            return self.calls.settle(&id, refused());
        }
        ControlFlow::Continue(())
    }

    fn call(
        &mut self,
        id: &str,
        tool: &str,
        arguments: &str,
        text: Option<&str>,
        event: &Event<'_>,
        at: At,
    ) -> ControlFlow<()> {
        let by_person = event.source.text() == "user";
        let voice = Voice {
            actor: if by_person { self.person.clone() } else { self.agent.clone() },
            session: self.session.clone(),
            surroundings: self.surroundings.clone(),
        };
        let civil = civil_moment(event.timestamp.text());
        if civil.is_some() && !std::mem::replace(&mut self.zone_said, true) {
            self.calls.note(at, "the time zone of this file is not known, its times are read as UTC")?;
        }
        let time = moment(event.timestamp.text()).or(civil);
        let call = Call {
            id,
            index: usize::try_from(self.events).unwrap_or(usize::MAX),
            time,
            tool,
            arguments,
            text,
            at,
            ..Call::default()
        };
        self.calls.tool(&voice, &call)
    }

    fn observation(&mut self, kind: &str, event: &Event<'_>) -> ControlFlow<()> {
        let extras = event.extras.0.as_ref();
        if let Some(metadata) = extras.and_then(|extras| extras.metadata.0.as_ref()) {
            self.stand(metadata.working_dir.get(), metadata.username.get(), metadata.hostname.get());
        }
        let id = match event.cause.get() {
            Some(cause) => format!("{}:{cause}", self.task),
            None => match self.open.take() {
                Some(id) => id,
                None => return self.calls.nothing(),
            },
        };
        if !self.calls.awaits(&id) {
            return self.calls.nothing();
        }
        self.calls.settle(&id, Outcome { output: output(event.content), ..ended(kind, event) })
    }

    /// Where the next command begins.
    fn stand(&mut self, cwd: Option<&str>, user: Option<&str>, host: Option<&str>) {
        let now = &self.surroundings;
        if now.cwd.as_deref() == cwd && now.user.as_deref() == user && now.host.as_deref() == host {
            return;
        }
        let owned = |text: Option<&str>| text.map(str::to_owned);
        self.surroundings =
            Arc::new(Surroundings { cwd: owned(cwd), user: owned(user), host: owned(host), ..Surroundings::default() });
    }
}

/// What is typed into a program that runs already.
fn typed(args: &Args<'_>) -> String {
    serde_json::json!({ "input": args.command.text() }).to_string()
}

/// How the action that an observation is about ended.
fn ended(kind: &str, event: &Event<'_>) -> Outcome {
    let extras = event.extras.0.as_ref();
    let code = [
        extras.and_then(|extras| extras.metadata.0.as_ref()).map(|metadata| &metadata.exit_code),
        extras.map(|extras| &extras.exit_code),
        Some(&event.exit_code),
    ];
    let code = code.into_iter().flatten().find_map(|code| code.text().parse::<i32>().ok());
    match kind {
        "user_rejected" => refused(),
        "error" => failed(),
        // It had not ended when the agent was answered.
        _ if code == Some(-1) => ran(None, None),
        _ if code.is_some() => ran(code.map(|code| code == 0), code),
        "null" => Outcome::default(),
        _ => ran(event.success.0, None),
    }
}

#[cfg(test)]
mod tests;
