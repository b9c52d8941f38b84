//! A conversation of messages with calls and results in them, whoever recorded it.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::calls::{Call, Calls, Voice, moment, stem};
use super::line::At;
use super::loose::List;
use super::said::Said;
use crate::model::{Actor, ActorKind, Timestamp};
use crate::reader::{Out, Source};

/// Reads messages one after the other.
pub(crate) struct Talk<'o> {
    pub(crate) calls: Calls<'o>,
    pub(crate) voice: Voice,
    /// When what is read now was said, where the message itself does not say it.
    pub(crate) time: Option<Timestamp>,
    /// How many messages the conversation had so far: repeated with the whole history, a message keeps its place.
    pub(crate) position: usize,
    /// The calls so far in the message that is read.
    index: usize,
    /// Its conversations are runs of their own: nothing in one is a copy of something in another.
    own_sessions: bool,
}

impl<'o> Talk<'o> {
    /// A conversation that is called after its file until something names it.
    pub(crate) fn new(source: &Source, format: &'static str, actor: &str, out: &'o mut dyn Out) -> Self {
        let actor = Actor { name: actor.to_owned(), kind: ActorKind::Agent, groups: Vec::new() };
        let voice =
            Voice { actor: Arc::new(actor), session: file_session(source).into(), surroundings: Arc::default() };
        Self { calls: Calls::new(source, format, out), voice, time: None, position: 0, index: 0, own_sessions: false }
    }

    /// A file of runs that are told apart by their sessions alone.
    pub(crate) fn of_runs(self) -> Self {
        Self { own_sessions: true, ..self }
    }

    /// Another conversation begins, or the one at hand has a name.
    pub(crate) fn begin(&mut self, session: &str) {
        if *self.voice.session != *session {
            self.voice.session = session.into();
        }
        self.position = 0;
    }

    /// The conversation at hand is another one, at that place of it.
    pub(crate) fn begin_at(&mut self, session: &str, position: usize) {
        self.begin(session);
        self.position = position;
    }

    pub(crate) fn go_to(&mut self, cwd: Option<&str>) {
        if let Some(cwd) = cwd.filter(|cwd| !cwd.is_empty())
            && self.voice.surroundings.cwd.as_deref() != Some(cwd)
        {
            Arc::make_mut(&mut self.voice.surroundings).cwd = Some(cwd.to_owned());
        }
    }

    /// A message as it is written. What is no object is no message.
    pub(crate) fn element(&mut self, element: &RawValue, at: At) -> ControlFlow<()> {
        match serde_json::from_str::<Said<'_>>(element.get()) {
            Ok(said) => self.message(&said, at),
            Err(_) if !element.get().starts_with('{') => self.calls.nothing(),
            Err(error) => self.calls.unreadable(at, &error),
        }
    }

    pub(crate) fn message(&mut self, said: &Said<'_>, at: At) -> ControlFlow<()> {
        self.position += 1;
        self.index = 0;
        if let Some(time) = moment(said.moment()) {
            self.time = Some(time);
        }
        let mut any = self.single(said, at)?;
        if !any {
            for call in &said.tool_calls.0 {
                self.call(call, at)?;
                any = true;
            }
            if let Some(call) = said.function_call.filter(|call| call.get().starts_with('{'))
                && let Ok(call) = serde_json::from_str::<Said<'_>>(call.get())
            {
                self.call(&call, at)?;
                any = true;
            }
            let content = said.content.map_or("null", RawValue::get);
            if content.starts_with(['[', '{']) {
                // It parsed as JSON before, so that only a depth beyond all reason can fail here.
                let blocks: List<Said<'_>> = match serde_json::from_str(content) {
                    Ok(blocks) => blocks,
                    Err(error) => return self.calls.unreadable(at, &error),
                };
                for block in &blocks.0 {
                    any |= self.single(block, at)?;
                }
            }
        }
        if any { ControlFlow::Continue(()) } else { self.calls.nothing() }
    }

    /// A call or a result; whether it was one of them.
    fn single(&mut self, said: &Said<'_>, at: At) -> ControlFlow<(), bool> {
        if said.is_call() {
            self.call(said, at)?;
        } else if said.is_result() {
            self.calls.settle(said.call_id(), said.outcome())?;
        } else {
            return ControlFlow::Continue(false);
        }
        ControlFlow::Continue(true)
    }

    fn call(&mut self, said: &Said<'_>, at: At) -> ControlFlow<()> {
        let own = said.call_id();
        let id = if own.is_empty() { said.id.text() } else { own };
        let all = said.calls();
        for (number, arguments) in all.iter().enumerate() {
            // Commands that one call gave together are answered together: the last of them is who is answered.
            let id: Cow<'_, str> =
                if number + 1 == all.len() { id.into() } else { format!("{id}/{}", number + 1).into() };
            self.one(&id, &said.tool(), arguments, at)?;
            if let Some(outcome) = said.own_outcome() {
                self.calls.settle(&id, outcome)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// One call of the message at hand.
    pub(crate) fn one(&mut self, id: &str, tool: &str, arguments: &str, at: At) -> ControlFlow<()> {
        self.index += 1;
        let record = format!("{}/{}", self.voice.session, self.position);
        let (index, time, own_session) = (self.index, self.time, self.own_sessions);
        let call = Call { id, record: &record, index, time, tool, arguments, own_session, at, ..Call::default() };
        self.calls.tool(&self.voice, &call)
    }

    pub(crate) fn finish(self) {
        self.calls.finish();
    }
}

/// What the conversation of a file is called: its name without the ending, with as much of its folders as tells it apart.
pub(crate) fn file_session(source: &Source) -> String {
    let session = source.session();
    let name = stem(&session);
    let name = [".jsonl", ".log", ".ndjson", ".txt", ".sse", ".eval"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name);
    match session.rsplit_once('/') {
        Some((folders, _)) => format!("{folders}/{name}"),
        None => name.to_owned(),
    }
}
