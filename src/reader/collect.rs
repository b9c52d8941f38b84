//! What a reader hands out, one line per action or issue, for the tests of the formats.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::{Options, Out, Reader, Source};
use crate::model::{Action, Executed, Issue};

/// Reads `bytes` as a file of that name and renders everything that came out.
pub(crate) fn read_all(reader: &dyn Reader, name: &str, bytes: &[u8]) -> String {
    read_with(reader, name, bytes, Options::default())
}

/// Like [`read_all`], with what the user said about all files.
pub(crate) fn read_with(reader: &dyn Reader, name: &str, mut bytes: &[u8], options: Options) -> String {
    let source = Source { file: Arc::from(name), options: Arc::new(options), database: None };
    let mut out = Collector::default();
    if let Err(error) = reader.read(&mut bytes, &source, &mut out) {
        let _ = writeln!(out.text, "error: {error}");
    }
    if out.nothing > 0 {
        let _ = writeln!(out.text, "nothing: {}", out.nothing);
    }
    out.text
}

/// What each action's record says came back; `-` where it says nothing.
pub(crate) fn outputs(reader: &dyn Reader, name: &str, mut bytes: &[u8]) -> Vec<String> {
    let source = Source { file: Arc::from(name), options: Arc::default(), database: None };
    let mut out = Collector::default();
    let _ = reader.read(&mut bytes, &source, &mut out);
    out.actions.iter().map(|action| action.outcome.output.as_deref().unwrap_or("-").to_owned()).collect()
}

/// Keeps everything as text, and the actions themselves for tests that look at more.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    pub(crate) text: String,
    pub(crate) actions: Vec<Action>,
    pub(crate) nothing: u64,
}

impl Out for Collector {
    fn action(&mut self, action: Action) -> ControlFlow<()> {
        let _ = writeln!(self.text, "{}", rendered(&action));
        self.actions.push(action);
        ControlFlow::Continue(())
    }

    fn nothing(&mut self) {
        self.nothing += 1;
    }

    fn issue(&mut self, issue: Issue) -> ControlFlow<()> {
        let sort = if issue.lost { "issue" } else { "note" };
        let _ = write!(self.text, "L{} {sort}: {}", issue.line, issue.problem);
        let advice = if issue.advice.is_empty() { String::new() } else { format!(" ({})", issue.advice) };
        let _ = writeln!(self.text, "{advice}");
        ControlFlow::Continue(())
    }
}

/// Only what the record says: an unknown fact takes no room.
fn rendered(action: &Action) -> String {
    let mut line = format!("L{} {} {:?}", action.origin.line, action.kind, action.text);
    if let Some(argv) = &action.argv {
        let _ = write!(line, " argv={argv:?}");
    }
    let _ = write!(line, " session={} actor={}:{}", action.session, action.actor.kind, action.actor.name);
    if let Some(time) = action.time {
        let _ = write!(line, " time={time}");
    }
    let outcome = &action.outcome;
    if outcome.executed != Executed::Unknown {
        let _ = write!(line, " exec={}", outcome.executed);
    }
    if let Some(succeeded) = outcome.succeeded {
        line.push_str(if succeeded { " ok" } else { " failed" });
    }
    let around = &action.surroundings;
    let facts = [
        ("exit", outcome.exit_code.map(|code| code.to_string())),
        ("rows", outcome.rows.map(|rows| rows.to_string())),
        ("environment", around.environment.map(|environment| environment.to_string())),
        ("cwd", around.cwd.clone()),
        ("home", around.home.clone()),
        ("host", around.host.clone()),
        ("user", around.user.clone()),
        ("database", around.database.clone()),
        ("account", around.account.clone()),
        ("cluster", around.cluster.clone()),
        ("dialect", around.dialect.clone()),
        ("tool", action.tool.as_deref().map(str::to_owned)),
        ("arguments", action.arguments.as_deref().map(str::to_owned)),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            let _ = write!(line, " {name}={value}");
        }
    }
    if action.approved {
        line.push_str(" approved");
    }
    for gap in &action.gaps {
        let _ = write!(line, " gap={}/{}", gap.kind, gap.hides);
    }
    line
}
