//! Codex rollouts: `~/.codex/sessions/<year>/<month>/<day>/rollout-<time>-<id>.jsonl`.
//!
//! `{"timestamp":"2026-01-05T09:00:02Z","type":"response_item","payload":{"type":"function_call","name":"shell","arguments":"{\"command\":[\"bash\",\"-lc\",\"ls\"]}","call_id":"call_…"}}`
//!
//! Two logs interleave in one file: what the model asked for (`response_item`) and what was done (`event_msg`).

mod detect;
mod outcome;
mod record;
mod stated;

use std::borrow::Cow;
use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::sync::{Arc, LazyLock};

use memchr::memmem::Finder;

use self::record::{Item, Record};
use self::stated::{patch_in, whole_text};
use crate::model::{Actor, ActorKind, Outcome, Surroundings};
use crate::reader::transcript::{
    At, Call, Calls, Voice, each_line, is_silent, moment, number_after, opening, ran, stem, unwrapped,
};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct Codex;

const NAME: &str = "codex";

impl Reader for Codex {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Codex CLI rollouts (~/.codex/sessions/**/rollout-*.jsonl), old and new"
    }

    fn repeats(&self) -> bool {
        true
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        detect::detect(sample)
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut rollout = Rollout::new(source, out);
        let read = each_line(input, &mut |text, at| match text {
            Some(text) => rollout.line(text, at),
            None => rollout.calls.too_long(at),
        });
        rollout.calls.finish();
        read
    }
}

/// Words without which a line says nothing about calls, results, folders or the session.
static TELLING: LazyLock<[Finder<'static>; 8]> = LazyLock::new(|| {
    [
        Finder::new("_call"),
        Finder::new("call_id"),
        Finder::new("\"cwd\""),
        Finder::new("<cwd>"),
        Finder::new("_result\""),
        Finder::new("turn_aborted\""),
        Finder::new("<user_shell_command>"),
        Finder::new("\"callId\""),
    ]
});

struct Rollout<'o> {
    calls: Calls<'o>,
    voice: Voice,
    person: Arc<Actor>,
    /// The session has been named by the file itself.
    named: bool,
}

impl<'o> Rollout<'o> {
    fn new(source: &Source, out: &'o mut dyn Out) -> Self {
        let actor = |name: &str, kind| Arc::new(Actor { name: name.to_owned(), kind, groups: Vec::new() });
        let voice = Voice {
            actor: actor("codex", ActorKind::Agent),
            session: session_of(&source.file).into(),
            surroundings: Arc::default(),
        };
        let person = actor("user", ActorKind::Human);
        Self { calls: Calls::new(source, NAME, out), voice, person, named: false }
    }

    fn line(&mut self, text: &str, at: At) -> ControlFlow<()> {
        // A first line without an envelope names the session and has none of those words.
        if at.line > 1 && is_silent(text, &*TELLING) {
            return self.calls.nothing();
        }
        let record: Record<'_> = match self.calls.record(text, at) {
            Ok(record) => record,
            Err(flow) => return flow,
        };
        let stamp = record.timestamp.get().or(record.created_at.get()).unwrap_or_default();
        if let Some(item) = &record.payload.0 {
            return self.item(record.kind.text(), item, stamp, at);
        }
        if record.kind.get().is_none() && record.id.get().is_some() && !stamp.is_empty() {
            self.name_session(record.id.text());
        }
        match serde_json::from_str::<Item<'_>>(text) {
            Ok(item) => self.item("response_item", &item, stamp, at),
            Err(error) => self.calls.unreadable(at, &error),
        }
    }

    fn item(&mut self, envelope: &str, item: &Item<'_>, stamp: &str, at: At) -> ControlFlow<()> {
        match envelope {
            "session_meta" => {
                self.name_session(item.id.text());
                self.go_to(item.cwd.text());
                self.calls.nothing()
            }
            "turn_context" => {
                self.go_to(item.cwd.text());
                self.calls.give_up()?;
                self.calls.nothing()
            }
            "event_msg" => self.event(item, stamp, at),
            // A compacted history repeats what has been read.
            "compacted" => self.calls.nothing(),
            _ => self.response(item, stamp, at),
        }
    }

    /// What the model asked for, and what it was told.
    fn response(&mut self, item: &Item<'_>, stamp: &str, at: At) -> ControlFlow<()> {
        let kind = item.kind.text();
        if kind.ends_with("_call_output") || kind.ends_with("_result") || kind == "tool_search_output" {
            let output = item.output.or(item.result);
            return self.calls.settle(item.call_id(), outcome::of_output(output));
        }
        if kind == "message" {
            return self.message(item, stamp, at);
        }
        let Some(sort) = kind.strip_suffix("_call") else { return self.calls.nothing() };
        let function = item.function.0.as_ref();
        let name = item.name.get().or(function.and_then(|function| function.name.get()));
        let tool: Cow<'_, str> = match (item.namespace.get(), name) {
            (Some(namespace), Some(name)) => format!("{namespace}.{name}").into(),
            (None, Some(name)) => name.into(),
            // `local_shell_call`, `web_search_call`: the kind is the tool.
            (_, None) => sort.into(),
        };
        let stated = item.arguments.or(function.and_then(|function| function.arguments)).or(item.input).or(item.action);
        let mut arguments = unwrapped(stated);
        // The service itself carries these out, and no output follows.
        let served = matches!(kind, "web_search_call" | "image_generation_call");
        if served && arguments.is_empty() {
            arguments = "{}".into();
        }
        let patch = (*tool == *"apply_patch").then(|| patch_in(&arguments)).flatten();
        // Some calls have only an id of their own.
        let id = if item.call_id().is_empty() { item.id.text() } else { item.call_id() };
        self.call(id, &tool, &arguments, patch.as_deref(), stamp, at)?;
        if served && !id.is_empty() {
            self.calls.settle(id, outcome::of_event(item))
        } else {
            ControlFlow::Continue(())
        }
    }

    /// What was done. Usually the call is known already; an event is the call only when it is not.
    fn event(&mut self, item: &Item<'_>, stamp: &str, at: At) -> ControlFlow<()> {
        let kind = item.kind.text();
        if kind == "turn_aborted" {
            self.calls.interrupt();
            return self.calls.nothing();
        }
        let by_person = item.source.is_some_and(|source| source.get() == "\"user_shell\"");
        let ends = kind.ends_with("_end") || kind == "dynamic_tool_call_response";
        let begun = kind.strip_suffix("_begin").or(kind.strip_suffix("_end")).unwrap_or(kind);
        let id = item.call_id();
        let invocation = item.invocation.0.as_ref();
        let (tool, arguments): (Cow<'_, str>, Cow<'_, str>) = match begun {
            // What a person typed stands in a message of its own.
            _ if by_person => return self.calls.nothing(),
            "exec_command" => {
                let command = item.command.map_or("[]", |command| command.get());
                ("exec_command".into(), format!("{{\"command\":{command}}}").into())
            }
            "patch_apply" => ("apply_patch".into(), item.changes.map_or("{}", |changes| changes.get()).into()),
            "mcp_tool_call" => {
                let Some(invocation) = invocation else { return self.calls.nothing() };
                let tool = format!("mcp__{}__{}", invocation.server.text(), invocation.tool.text());
                (tool.into(), invocation.arguments.map_or("{}", |arguments| arguments.get()).into())
            }
            "dynamic_tool_call_request" | "dynamic_tool_call_response" => {
                (item.tool.text().into(), unwrapped(item.arguments))
            }
            "view_image_tool_call" => {
                let path = item.path.map_or("null", |path| path.get());
                ("view_image".into(), format!("{{\"path\":{path}}}").into())
            }
            _ => return self.calls.nothing(),
        };
        if id.is_empty() || !self.calls.knows(id) {
            self.call(id, &tool, &arguments, None, stamp, at)?;
        } else if !ends {
            return self.calls.nothing();
        }
        if ends && (id.is_empty() || self.calls.awaits(id)) {
            return self.calls.settle(id, outcome::of_event(item));
        }
        ControlFlow::Continue(())
    }

    /// A person's `!command` stands in a message, with its result behind it; the oldest files name the folder in one.
    fn message(&mut self, item: &Item<'_>, stamp: &str, at: At) -> ControlFlow<()> {
        let text = if item.role.text() == "user" { opening(item.content) } else { String::new() };
        let text = text.trim();
        if let Some((_, rest)) = text.split_once("<environment_context>")
            && let Some((cwd, _)) = rest.split_once("<cwd>").and_then(|(_, rest)| rest.split_once("</cwd>"))
        {
            self.go_to(cwd.trim());
            return self.calls.nothing();
        }
        if !text.starts_with("<user_shell_command>") {
            return self.calls.nothing();
        }
        let text = whole_text(item.content).unwrap_or_default();
        let Some((command, rest)) = text.split_once("<command>").and_then(|(_, rest)| rest.split_once("</command>"))
        else {
            return self.calls.nothing();
        };
        let voice = Voice { actor: self.person.clone(), ..self.voice.clone() };
        // The result stands in the same message; its moment is what copies of it share.
        let id = format!("user_shell_command {stamp}");
        let call = Call { id: &id, record: stamp, time: moment(stamp), at, ..Call::default() };
        self.calls.shell(&voice, &call, command.trim())?;
        let code = rest.split("\nOutput:").next().and_then(|head| number_after(head, "Exit code: "));
        let output = rest.split_once("\nOutput:\n").map(|(_, printed)| {
            let printed = printed.split_once("</result>").map_or(printed, |(printed, _)| printed);
            Outcome::kept(printed.trim_end())
        });
        self.calls.settle(&id, Outcome { output, ..ran(code.map(|code| code == 0), code) })
    }

    fn call(
        &mut self,
        id: &str,
        tool: &str,
        arguments: &str,
        text: Option<&str>,
        stamp: &str,
        at: At,
    ) -> ControlFlow<()> {
        let call = Call {
            id,
            record: stamp,
            // Many records can share a moment; the line tells them apart, and copies keep it only at the file's start.
            index: if id.is_empty() { usize::try_from(at.line).unwrap_or(usize::MAX) } else { 0 },
            time: moment(stamp),
            tool,
            arguments,
            text,
            at,
            ..Call::default()
        };
        self.calls.tool(&self.voice, &call)
    }

    /// A forked rollout repeats the header of the one it was forked from: the first one is its own.
    fn name_session(&mut self, id: &str) {
        if !self.named && !id.is_empty() {
            self.named = true;
            self.voice.session = id.into();
        }
    }

    fn go_to(&mut self, cwd: &str) {
        if !cwd.is_empty() && self.voice.surroundings.cwd.as_deref() != Some(cwd) {
            self.voice.surroundings = Arc::new(Surroundings { cwd: Some(cwd.to_owned()), ..Surroundings::default() });
        }
    }
}

/// `rollout-2026-01-05T09-00-00-<id>` names the session by its id.
fn session_of(file: &str) -> &str {
    let stem = stem(file);
    let id = stem.len().checked_sub(36).and_then(|at| stem.get(at..));
    id.filter(|id| stem.starts_with("rollout-") && id.bytes().filter(|byte| *byte == b'-').count() == 4).unwrap_or(stem)
}

#[cfg(test)]
mod tests;
