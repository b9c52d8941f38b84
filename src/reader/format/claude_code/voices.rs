//! Who speaks in a Claude Code transcript: the agent, its sub-agents, and the person at the keyboard.

use std::sync::Arc;

use super::record::Record;
use crate::model::{Actor, ActorKind, Surroundings};
use crate::reader::transcript::Voice;

/// Who speaks, remembered from line to line: the same few speak all the time.
pub(super) struct Voices {
    agent: Arc<Actor>,
    pub(super) person: Arc<Actor>,
    /// For records that name no session.
    fallback: Box<str>,
    /// For records that name no working folder.
    cwd: Option<String>,
    last: Option<Voice>,
}

impl Voices {
    pub(super) fn new(fallback: &str) -> Self {
        let actor = |name: &str, kind| Arc::new(Actor { name: name.to_owned(), kind, groups: Vec::new() });
        Self {
            agent: actor("claude-code", ActorKind::Agent),
            person: actor("user", ActorKind::Human),
            fallback: fallback.into(),
            cwd: None,
            last: None,
        }
    }

    /// The agent, or the sub-agent named `agent`, at the place that the record names.
    pub(super) fn of(&mut self, record: &Record<'_>, agent: &str) -> Voice {
        let session = record.session().unwrap_or(&self.fallback);
        let session = match agent {
            // Sub-agents run side by side: each is its own session, so that its own order is kept.
            _ if !agent.is_empty() && session.ends_with(agent) => session.to_owned(),
            "" if record.parent_tool_use_id.get().is_some() => {
                format!("{session}/{}", record.parent_tool_use_id.text())
            }
            "" if record.is_sidechain.0 == Some(true) => format!("{session}/sidechain"),
            "" => session.to_owned(),
            agent => format!("{session}/agent-{agent}"),
        };
        if let Some(cwd) = record.cwd.get()
            && self.cwd.as_deref() != Some(cwd)
        {
            self.cwd = Some(cwd.to_owned());
        }
        if let Some(last) = &self.last
            && *last.session == session
            && last.surroundings.cwd == self.cwd
        {
            return last.clone();
        }
        let voice = Voice {
            actor: self.agent.clone(),
            session: session.into(),
            surroundings: Arc::new(Surroundings { cwd: self.cwd.clone(), ..Surroundings::default() }),
        };
        self.last = Some(voice.clone());
        voice
    }
}
