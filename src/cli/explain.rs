//! `nearmiss explain`: why is this action judged as it is?

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};

use crate::engine::replay::Listener;
use crate::engine::{Engine, Session, before, reword};
use crate::model::{
    Action, ActionId, Actor, ActorKind, Environment, Finding, Issue, Kind, Origin, Outcome, Surroundings,
};
use crate::report;
use crate::report::explain::{Look, explain};

use super::replay::{InputArguments, PolicyArguments};
use super::{exit, setup, terminal};

/// Show what was understood of an action and which rules it meets, condition by condition
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  nearmiss explain -- rm -rf ./build ~/\n  nearmiss explain --sql 'DELETE FROM users' --environment production\n  nearmiss explain 3fa9c1d2 ~/.claude/projects\n  nearmiss explain 3fa9c1d2 ~/.claude/projects --environment production   # what if?"
)]
pub(super) struct Arguments {
    /// The id of a recorded action (or the start of it) and where it is recorded
    #[arg(value_name = "EVENT PATH")]
    event: Vec<String>,
    /// A command line to explain
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// A SQL statement to explain
    #[arg(long, value_name = "SQL", conflicts_with_all = ["command", "event"])]
    sql: Option<String>,
    /// What if the recorded command or statement had been this one?
    #[arg(long, value_name = "TEXT", requires = "event")]
    instead: Option<String>,
    /// Where it would run; of a recorded action: what if it had been there?
    #[arg(long, value_name = "ENVIRONMENT", value_parser = parse_environment)]
    environment: Option<Environment>,
    /// Who would run it: human, agent or service; of a recorded action: what if it had been one?
    #[arg(long, value_name = "KIND", value_parser = parse_actor)]
    actor: Option<ActorKind>,
    /// The folder it would run in; of a recorded action: what if it had been that one?
    #[arg(long, value_name = "FOLDER")]
    cwd: Option<String>,
    /// Show the rules that are about something else, too
    #[arg(long)]
    all_rules: bool,
    /// Show secrets as they were recorded
    #[arg(long)]
    no_redact: bool,
    #[command(flatten)]
    input: InputArguments,
    #[command(flatten)]
    policy: PolicyArguments,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<u8> {
    let look = Look { width: terminal::width(), no_redact: arguments.no_redact, all_rules: arguments.all_rules };
    let explanation = match &arguments.event[..] {
        [] => {
            let action = typed(&arguments)?;
            // A single command at a prompt should not wait for rules that cannot be about it.
            let only = (!arguments.all_rules).then(|| action.clone());
            let setup::Setup { engine, .. } = arguments.policy.setup(only)?;
            engine.with_near_misses(1).explain(action, &mut Session::default())
        }
        [_] => bail!("say where the action is recorded: `nearmiss explain EVENT PATH…`, or write a command after `--`"),
        [event, paths @ ..] => {
            let setup::Setup { engine, .. } = arguments.policy.setup(None)?;
            let engine = engine.with_near_misses(1);
            let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
            let (action, mut session) = recorded(event, &paths, &arguments.input, &engine)?;
            let Some((changed, what_if)) = arguments.changed(&action)? else {
                explain(&engine.explain(action, &mut session), look, &mut anstream::stdout().lock())?;
                return Ok(exit::OK);
            };
            let before = engine.explain(action, &mut session.clone());
            let after = engine.explain(changed, &mut session);
            report::explain::what_if(&before, &after, &what_if, look, &mut anstream::stdout().lock())?;
            return Ok(exit::OK);
        }
    };
    explain(&explanation, look, &mut anstream::stdout().lock())?;
    Ok(exit::OK)
}

impl Arguments {
    /// A recorded action with what the user asks "what if" about, and that in words; `None` where nothing is asked.
    fn changed(&self, action: &Action) -> anyhow::Result<Option<(Action, Vec<String>)>> {
        let (mut changed, mut words) = (action.clone(), Vec::new());
        let mut surroundings = (*action.surroundings).clone();
        if let Some(text) = &self.instead {
            let Some(other) = reword(action, text) else {
                bail!(
                    "what was recorded is a call of {}, and its arguments have no text that could be another",
                    action.text
                );
            };
            changed = other;
            words.push(text.clone());
        }
        if let Some(environment) = self.environment {
            surroundings.environment = Some(environment);
            words.push(format!("in {environment}"));
        }
        if let Some(kind) = self.actor {
            changed.actor = Arc::new(Actor { kind, ..(*action.actor).clone() });
            words.push(format!("by an actor that is {kind}"));
        }
        if let Some(folder) = &self.cwd {
            surroundings.cwd = Some(folder.clone());
            words.push(format!("from {folder}"));
        }
        changed.surroundings = Arc::new(surroundings);
        Ok((!words.is_empty()).then_some((changed, words)))
    }
}

/// What stands on the command line, as an action.
fn typed(arguments: &Arguments) -> anyhow::Result<Action> {
    let (kind, text) = match (&arguments.sql, &arguments.command[..]) {
        (Some(sql), _) => (Kind::Sql, sql.clone()),
        (None, [_, ..]) if arguments.input.kind() == Some(Kind::Sql) => (Kind::Sql, arguments.command.join(" ")),
        (None, [line]) => (Kind::Shell, line.clone()),
        (None, []) => bail!("write a command after `--`, or a statement with `--sql`"),
        // Several words are what a shell has already split: put back so that it would split them the same way.
        (None, words) => (Kind::Shell, words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")),
    };
    Ok(Action {
        id: ActionId::default(),
        time: None,
        actor: Arc::new(Actor {
            name: "you".to_owned(),
            kind: arguments.actor.unwrap_or_default(),
            groups: Vec::new(),
        }),
        session: Arc::from("explain"),
        kind,
        text: Arc::from(text),
        argv: None,
        tool: None,
        arguments: None,
        surroundings: Arc::new(Surroundings {
            environment: arguments.environment,
            cwd: arguments.cwd.clone(),
            dialect: arguments.input.dialect().map(str::to_owned),
            ..Surroundings::default()
        }),
        outcome: Outcome::default(),
        approved: false,
        gaps: Vec::new(),
        origin: Origin { file: Arc::from("command line"), line: 1, offset: 0, format: "explain" },
    })
}

/// Only what the shell would read differently is put in quotes, so that tildes and globs keep their meaning.
fn quoted(word: &str) -> String {
    let plain = |char: char| char.is_alphanumeric() || "-_./:=@%+,~*?[]{}^$".contains(char);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Finds the action, then reads once more what its session did before it: memory stays flat, whatever is searched.
pub(super) fn recorded(
    event: &str,
    paths: &[PathBuf],
    input: &InputArguments,
    engine: &Engine,
) -> anyhow::Result<(Action, Session)> {
    if paths.iter().any(|path| path.as_os_str() == "-") {
        bail!("standard input can be read only once: name a file to find an action in it");
    }
    let (replay, issues) = input.replay(paths, None)?;
    for issue in &issues {
        terminal::note(&crate::report::located(issue));
    }
    let mut search = Search { wanted: event.to_lowercase(), found: Vec::new() };
    replay.run(engine, &mut search).context("failed to start the threads")?;
    let id = match &search.found[..] {
        [] => bail!("no action there has an id that starts with `{event}`"),
        [id] => *id,
        [first, second, ..] => bail!("`{event}` is ambiguous: {first} and {second} start with it"),
    };
    let (replay, _) = input.replay(paths, None)?;
    let found = before(replay, engine, id, &|| false).context("failed to start the threads")?;
    found.with_context(|| format!("{id} was there, and is no longer: the recording has changed"))
}

/// Looks for an id.
struct Search {
    wanted: String,
    found: Vec<ActionId>,
}

impl Listener for Search {
    fn finding(&mut self, finding: &Finding) {
        // Two are enough to say that it is ambiguous.
        if self.found.len() < 2 && finding.action.id.to_string().starts_with(&self.wanted) {
            self.found.push(finding.action.id);
        }
    }

    fn issue(&mut self, _issue: &Issue) {}

    fn progress(&mut self, _bytes: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

fn parse_environment(word: &str) -> Result<Environment, String> {
    Environment::from_word(word).ok_or_else(|| "it is production, staging, development, test or unknown".to_owned())
}

fn parse_actor(word: &str) -> Result<ActorKind, String> {
    ActorKind::from_word(word).ok_or_else(|| "it is human, agent, service or unknown".to_owned())
}
