//! What a rule says of itself: `@blocks("[env=staging actor=agent] DROP TABLE orders")`.
//!
//! One example per line: a shell command, or SQL when it starts with an upper-case SQL word. A bracket in front gives
//! what the text does not say. Without it the example runs in the first environment that the rule names, else in
//! production, by the kind of actor that the rule names, else by a human, in `/home/dev/project`.

use std::ops::Range;
use std::sync::Arc;

use miette::NamedSource;

use super::Rule;
use super::annotation::Annotations;
use super::compile::Compiled;
use super::lint::{annotation_range, did_you_mean};
use super::load::{Desk, File, Parsed};
use crate::model::{
    Action, ActionId, Actor, ActorKind, Environment, Kind, Origin, Outcome, RuleInfo, SessionFacts, Surroundings,
};

/// One example of a rule, ready to be classified and judged.
#[derive(Clone, Debug)]
pub struct Example {
    pub rule: Arc<RuleInfo>,
    /// As written, without the bracket.
    pub text: String,
    /// `@blocks` and `@asks`: the rule must be met. `@allows`: it must not be.
    pub expect_met: bool,
    pub action: Action,
    pub environment: Environment,
    pub labels: Vec<String>,
    pub session: SessionFacts,
    pub(super) source: Arc<NamedSource<String>>,
    pub(super) range: Range<usize>,
}

/// Every example of a rule; none of a permit.
pub(super) fn read(rule: &Rule) -> Vec<Example> {
    let Some(info) = &rule.info else { return Vec::new() };
    let statement = rule.source.inner().get(rule.range.clone()).unwrap_or_default();
    let mut examples = Vec::new();
    for (key, line) in lines(&rule.annotations) {
        let start = rule.range.start + statement.find(&format!("@{key}(")).unwrap_or(0);
        let origin =
            Origin { file: info.file.as_str().into(), line: info.line as u64, offset: start as u64, format: "example" };
        let mut draft = Draft::new(&rule.test);
        let (bracket, text) = bracket(line);
        for word in bracket.split_whitespace() {
            // A word that means nothing was refused when the rule was loaded.
            drop(draft.set(word));
        }
        examples.push(Example {
            rule: info.clone(),
            text: text.to_owned(),
            expect_met: key != "allows",
            action: draft.action(text, origin),
            environment: draft.environment,
            labels: draft.labels,
            session: draft.session,
            source: rule.source.clone(),
            range: start..start + key.len() + 1,
        });
    }
    examples
}

/// Refuses brackets that mean nothing.
pub(super) fn check(desk: &mut Desk, file: &File, parsed: &Parsed) {
    for (key, line) in lines(&parsed.annotations) {
        let mut draft = Draft::default();
        for word in bracket(line).0.split_whitespace() {
            if let Err((message, help)) = draft.set(word) {
                desk.note(file, annotation_range(file, parsed, key), ("policy::example", message)).help = help;
            }
        }
    }
}

fn lines(annotations: &Annotations) -> impl Iterator<Item = (&'static str, &str)> {
    ["blocks", "asks", "allows"].into_iter().flat_map(move |key| {
        let value = annotations.get(key).unwrap_or_default();
        value.split('\n').map(str::trim).filter(|line| !line.is_empty()).map(move |line| (key, line))
    })
}

/// `[env=production] ls` is a bracket and a command; `[ -f x ] && ls` is a command.
fn bracket(line: &str) -> (&str, &str) {
    match line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inside, text)) if inside.starts_with(|c: char| c.is_ascii_alphabetic()) => (inside, text.trim_start()),
        _ => ("", line),
    }
}

#[derive(Debug, Default)]
struct Draft {
    environment: Environment,
    actor: Actor,
    surroundings: Surroundings,
    kind: Option<Kind>,
    tool: Option<String>,
    approved: bool,
    rows: Option<u64>,
    labels: Vec<String>,
    session: SessionFacts,
}

impl Draft {
    fn new(test: &Compiled) -> Self {
        let named = Environment::ALL.iter().find(|environment| test.environments & 1 << **environment as u32 != 0);
        let kind = test.actor.as_deref().and_then(|kind| ActorKind::from_word(&kind.to_ascii_lowercase()));
        Self {
            environment: named.copied().unwrap_or(Environment::Production),
            actor: Actor { name: "dev".into(), kind: kind.unwrap_or(ActorKind::Human), groups: Vec::new() },
            surroundings: Surroundings {
                cwd: Some("/home/dev/project".into()),
                home: Some("/home/dev".into()),
                ..Surroundings::default()
            },
            kind: None,
            tool: None,
            approved: false,
            rows: None,
            labels: Vec::new(),
            session: SessionFacts::default(),
        }
    }

    /// `key=value`, or a flag. Says what is wrong and what to do.
    fn set(&mut self, word: &str) -> Result<(), (String, Option<String>)> {
        let (key, value) = word.split_once('=').unwrap_or((word, "yes"));
        let text = || Some(value.to_owned());
        match key {
            "env" => self.environment = known(key, value, Environment::from_word(value), Environment::ALL)?,
            "actor" => self.actor.kind = known(key, value, ActorKind::from_word(value), ActorKind::ALL)?,
            "kind" => self.kind = Some(known(key, value, Kind::from_word(value), Kind::ALL)?),
            "name" => self.actor.name = value.to_owned(),
            "group" => self.actor.groups.push(value.to_owned()),
            "label" => self.labels.push(value.to_owned()),
            "tool" => self.tool = text(),
            "cwd" => self.surroundings.cwd = text(),
            "home" => self.surroundings.home = text(),
            "host" => self.surroundings.host = text(),
            "user" => self.surroundings.user = text(),
            "database" => self.surroundings.database = text(),
            "account" => self.surroundings.account = text(),
            "cluster" => self.surroundings.cluster = text(),
            "dialect" => self.surroundings.dialect = text(),
            "approved" => self.approved = true,
            "rows" => match value.parse() {
                Ok(rows) => self.rows = Some(rows),
                Err(_) => return Err((format!("`{value}` is no number of rows in the bracket of an example"), None)),
            },
            "session" => value.split(',').try_for_each(|fact| self.session_fact(fact))?,
            _ => {
                let known = [
                    "env", "actor", "kind", "name", "group", "label", "tool", "cwd", "home", "host", "user",
                    "database", "account", "cluster", "dialect", "approved", "rows", "session",
                ];
                let help = did_you_mean(key, known.into_iter());
                return Err((format!("unknown word `{key}` in the bracket of an example"), help));
            }
        }
        Ok(())
    }

    fn session_fact(&mut self, word: &str) -> Result<(), (String, Option<String>)> {
        let (fact, number) = word.split_once(':').unwrap_or((word, "1"));
        let number = number.parse().unwrap_or(1);
        match fact {
            "read_secret" => self.session.read_secret = true,
            "read_untrusted" => self.session.read_untrusted = true,
            "turned_guard_off" => self.session.turned_guard_off = true,
            "switched_environment" => self.session.switched_environment = true,
            "last_failed" => self.session.last_failed = true,
            "folder_missing" => self.session.folder_missing = true,
            "dirty_tree" => self.session.dirty_tree = true,
            "untracked_files" => self.session.untracked_files = true,
            "lost_work" => self.session.lost_work = true,
            "is_checkout" => self.session.is_checkout = true,
            "moved_in_part" => self.session.moved_in_part = true,
            "repeated" => self.session.repeated = number,
            "sweep" => self.session.sweep = number,
            "destroyed" => self.session.destroyed = number,
            "destroyed_recently" => self.session.destroyed_recently = number,
            "denials" => self.session.denials = number,
            _ => return Err((format!("unknown session fact `{fact}` in the bracket of an example"), None)),
        }
        Ok(())
    }

    fn action(&self, text: &str, origin: Origin) -> Action {
        let kind = self.kind.unwrap_or(match &self.tool {
            Some(_) => Kind::Tool,
            None if is_sql(text) => Kind::Sql,
            None => Kind::Shell,
        });
        let called = matches!(kind, Kind::Tool | Kind::Api);
        let surroundings = Surroundings { environment: Some(self.environment), ..self.surroundings.clone() };
        Action {
            id: ActionId::default(),
            time: None,
            actor: Arc::new(self.actor.clone()),
            session: "example".into(),
            kind,
            text: text.into(),
            argv: None,
            tool: self.tool.as_deref().filter(|_| called).map(Into::into),
            arguments: called.then(|| text.into()),
            surroundings: Arc::new(surroundings),
            outcome: Outcome { rows: self.rows, ..Outcome::default() },
            approved: self.approved,
            gaps: Vec::new(),
            origin,
        }
    }
}

fn known<T: Copy + std::fmt::Display>(
    key: &str,
    value: &str,
    found: Option<T>,
    all: &[T],
) -> Result<T, (String, Option<String>)> {
    found.ok_or_else(|| {
        let words: Vec<String> = all.iter().map(ToString::to_string).collect();
        let help = did_you_mean(value, words.iter().map(String::as_str));
        (format!("`{value}` is no value of `{key}` in the bracket of an example"), help)
    })
}

const SQL: &[&str] = &[
    "SELECT", "INSERT", "UPDATE", "DELETE", "DROP", "TRUNCATE", "ALTER", "CREATE", "GRANT", "REVOKE", "MERGE",
    "REPLACE", "WITH", "COPY", "SET", "RESET", "CALL", "EXEC", "EXECUTE", "DO", "VACUUM", "ANALYZE", "EXPLAIN",
    "BEGIN", "COMMIT", "ROLLBACK", "LOCK", "SHUTDOWN", "KILL", "LOAD", "BACKUP", "RESTORE", "FLUSH", "PURGE", "UNLOAD",
    "EXPORT", "RENAME",
];

fn is_sql(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).next().is_some_and(|word| SQL.contains(&word))
}
