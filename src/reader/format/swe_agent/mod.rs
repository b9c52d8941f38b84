//! SWE-agent trajectories: `<task>.traj`, one JSON document.
//!
//! `{"trajectory":[{"action":"open src/a.py 7\n","observation":"[File: …]","state":{"open_file":"/w/src/a.py","working_dir":"/w"}}],"history":[…],"info":{…}}`
//!
//! Demonstrations have the `history` alone, and their calls stand in what the model said.

mod commands;
mod record;

use std::collections::VecDeque;
use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::sync::Arc;

use serde_json::value::RawValue;

use self::record::{Said, State, Step};
use crate::model::{Actor, ActorKind, Outcome, Surroundings};
use crate::reader::transcript::{
    At, Call, Calls, Document, Loose, Voice, fenced, has, opening, output, ran, refused, stem, whole,
};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct SweAgent;

const NAME: &str = "swe_agent";

impl Reader for SweAgent {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "SWE-agent trajectories (*.traj), all its command and tool-call dialects"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let has = |key| has(sample.head, key);
        if !sample.head.trim_ascii_start().starts_with(b"{") || has("\"sessionId\"") {
            return Match::No;
        }
        if has("\"trajectory\"") && has("\"action\"") && has("\"observation\"") {
            return Match::Certain;
        }
        // The events of OpenHands have an `agent` and a `thought` too.
        if ["\"cause\"", "\"tool_call_metadata\"", "\"is_confirmed\"", "\"ActionEvent\""].into_iter().any(has) {
            return Match::No;
        }
        let demonstration = has("\"history\"") && has("\"role\"") && (has("\"message_type\"") || has("\"thought\""));
        match demonstration {
            true if has("\"agent\"") => Match::Certain,
            true => Match::Likely,
            false if sample.name.ends_with(".traj") && has("\"trajectory\"") => Match::Maybe,
            false => Match::No,
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut run = Run::new(source, out);
        let Some(document) = Document::read(input) else {
            let _ = run.calls.too_long(At::default());
            run.calls.finish();
            return Ok(());
        };
        let mut steps = 0_u64;
        let mut read = document.each(&["trajectory"], &mut |step, at| {
            steps += 1;
            run.step(step, at)
        });
        if steps == 0 {
            let _ = read;
            read = document.each(&["history"], &mut |said, at| run.said(said, at));
        }
        if let Err(error) = read {
            let _ = run.calls.unreadable(At { line: error.line() as u64, offset: 0 }, &error);
        }
        run.calls.finish();
        document.broke.map_or(Ok(()), Err)
    }
}

struct Run<'o> {
    calls: Calls<'o>,
    voice: Voice,
    steps: u64,
    open_file: Option<String>,
    /// The calls of the last message that have no result yet.
    waiting: VecDeque<String>,
}

impl<'o> Run<'o> {
    fn new(source: &Source, out: &'o mut dyn Out) -> Self {
        let actor = Actor { name: "swe-agent".to_owned(), kind: ActorKind::Agent, groups: Vec::new() };
        let voice = Voice { actor: Arc::new(actor), session: stem(&source.file).into(), surroundings: Arc::default() };
        Self { calls: Calls::new(source, NAME, out), voice, steps: 0, open_file: None, waiting: VecDeque::new() }
    }

    /// One step of the trajectory: an action with what came back.
    fn step(&mut self, step: &RawValue, at: At) -> ControlFlow<()> {
        let step: Step<'_> = match self.parsed(step, at) {
            Ok(step) => step,
            Err(flow) => return flow,
        };
        // Old files state where the action began, in JSON inside a string; new ones where it ended.
        let old = whole(step.state);
        let stated = old.as_deref().or(step.state.map(RawValue::get));
        let state = stated.and_then(|state| serde_json::from_str::<Loose<State<'_>>>(state).ok()?.0);
        let state = state.unwrap_or_default();
        // What is open is the same before and after an edit, and that is what it is needed for.
        if let Some(file) = state.open_file.get() {
            self.open_file = Some(file.to_owned()).filter(|file| file != "n/a");
        }
        if old.is_some() {
            self.go_to(state.working_dir.get());
        }
        let action = step.action.text();
        if action.trim().is_empty() {
            self.calls.nothing()?;
        } else {
            self.waiting.clear();
            self.act(action, at)?;
            if let Some(id) = self.waiting.pop_back().filter(|_| step.observation.is_some()) {
                let ended = ended(&opening(step.observation));
                self.calls.settle(&id, Outcome { output: output(step.observation), ..ended })?;
            }
        }
        if old.is_none() {
            self.go_to(state.working_dir.get());
        }
        ControlFlow::Continue(())
    }

    /// One message of the history.
    fn said(&mut self, said: &RawValue, at: At) -> ControlFlow<()> {
        let message: Said<'_> = match self.parsed(said, at) {
            Ok(message) => message,
            Err(flow) => return flow,
        };
        match message.role.text() {
            // Shown to the model as an example; it happened elsewhere.
            _ if message.is_demo.0 == Some(true) => self.calls.nothing(),
            "assistant" => {
                self.waiting.clear();
                let content = whole(message.content).unwrap_or_default();
                let action = message.action.get().or_else(|| command_in(&content)).unwrap_or_default();
                if !action.trim().is_empty() {
                    return self.act(action, at);
                }
                for call in &message.tool_calls.0 {
                    let Some(function) = &call.function.0 else { continue };
                    let arguments = whole(function.arguments);
                    let arguments = arguments.as_deref().or(function.arguments.map(RawValue::get)).unwrap_or_default();
                    self.call(function.name.text(), arguments, None, at)?;
                }
                if self.waiting.is_empty() { self.calls.nothing() } else { ControlFlow::Continue(()) }
            }
            "user" | "tool" => {
                let Some(id) = self.waiting.pop_front() else { return self.calls.nothing() };
                let text = whole(message.content).unwrap_or_else(|| opening(message.content));
                // Behind the output stands the prompt that the model is shown.
                let printed = text.rsplit_once("\n(Open file: ").map_or(&*text, |(printed, prompt)| {
                    let (file, rest) = prompt.split_once(")\n").unwrap_or((prompt, ""));
                    self.open_file = Some(file.to_owned()).filter(|file| file != "n/a");
                    let folder = rest.strip_prefix("(Current directory: ").and_then(|rest| rest.split_once(')'));
                    self.go_to(folder.map(|(folder, _)| folder));
                    printed
                });
                self.calls.settle(&id, Outcome { output: Some(Outcome::kept(printed)), ..ended(printed) })
            }
            _ => self.calls.nothing(),
        }
    }

    fn parsed<'a, T: serde::Deserialize<'a>>(&mut self, record: &'a RawValue, at: At) -> Result<T, ControlFlow<()>> {
        serde_json::from_str(record.get()).map_err(|error| match record.get().starts_with('{') {
            true => self.calls.unreadable(at, &error),
            false => self.calls.nothing(),
        })
    }

    /// What the agent typed: a command of its own, or shell.
    fn act(&mut self, action: &str, at: At) -> ControlFlow<()> {
        let action = action.trim();
        match commands::read(action, self.open_file.as_deref()) {
            Some(own) => self.call(own.tool, &own.arguments, Some(action), at),
            None => {
                let arguments = serde_json::json!({ "command": action }).to_string();
                self.call("bash", &arguments, None, at)
            }
        }
    }

    fn call(&mut self, tool: &str, arguments: &str, text: Option<&str>, at: At) -> ControlFlow<()> {
        self.steps += 1;
        let id = format!("step {}", self.steps);
        let index = usize::try_from(self.steps).unwrap_or(usize::MAX);
        let call = Call { id: &id, index, tool, arguments, text, at, ..Call::default() };
        self.calls.tool(&self.voice, &call)?;
        self.waiting.push_back(id);
        ControlFlow::Continue(())
    }

    fn go_to(&mut self, cwd: Option<&str>) {
        if let Some(cwd) = cwd.filter(|cwd| cwd.starts_with('/'))
            && self.voice.surroundings.cwd.as_deref() != Some(cwd)
        {
            self.voice.surroundings = Arc::new(Surroundings { cwd: Some(cwd.to_owned()), ..Surroundings::default() });
        }
    }
}

/// The command in what the model said: between its tags, or in the last fenced block.
fn command_in(content: &str) -> Option<&str> {
    match content.rsplit_once("<command>").and_then(|(_, rest)| rest.split_once("</command>")) {
        Some((command, _)) => Some(command),
        None => fenced(content, |_| true).last().copied(),
    }
}

/// How an action ended, as far as what came back says it.
fn ended(observation: &str) -> Outcome {
    let said = observation.trim_start();
    let blocked = said.starts_with("Operation '") && said.contains("' is not supported by this environment");
    if blocked || said.starts_with("Your last output did not use any tool calls") {
        return refused();
    }
    let broken_off = ["EXECUTION TIMED OUT", "COMMAND FAILED TO EXECUTE", "The command '"];
    if broken_off.iter().any(|words| said.starts_with(words))
        && (!said.starts_with("The c") || said.contains("cancelled"))
    {
        return ran(Some(false), None);
    }
    ran(None, None)
}

#[cfg(test)]
mod tests;
