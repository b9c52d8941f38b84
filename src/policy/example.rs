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
    Action, ActionId, Actor, ActorKind, Decision, Environment, Kind, Origin, Outcome, RuleInfo, SessionFacts,
    Surroundings,
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

impl Example {
    /// The line of an annotation that says the same, and the annotation it belongs to.
    pub fn written(&self) -> (&'static str, String) {
        let Self { action, environment, labels, session, .. } = self;
        let around = &action.surroundings;
        let mut words = vec![format!("env={environment}"), format!("actor={}", action.actor.kind)];
        let derived = if is_sql(&self.text) { Kind::Sql } else { Kind::Shell };
        if action.kind != derived {
            words.push(format!("kind={}", action.kind));
        }
        let mut word = |key: &str, value: Option<&str>, usual: Option<&str>| {
            words.extend(value.filter(|_| value != usual).map(|value| format!("{key}={value}")));
        };
        word("name", Some(&action.actor.name), Some("dev"));
        word("tool", action.tool.as_deref(), None);
        word("cwd", around.cwd.as_deref(), Some("/home/dev/project"));
        word("home", around.home.as_deref(), Some("/home/dev"));
        word("host", around.host.as_deref(), None);
        word("user", around.user.as_deref(), None);
        word("database", around.database.as_deref(), None);
        word("account", around.account.as_deref(), None);
        word("cluster", around.cluster.as_deref(), None);
        word("dialect", around.dialect.as_deref(), None);
        words.extend(action.actor.groups.iter().map(|group| format!("group={group}")));
        words.extend(labels.iter().map(|label| format!("label={label}")));
        words.extend(action.approved.then(|| "approved".to_owned()));
        words.extend(action.outcome.rows.map(|rows| format!("rows={rows}")));
        let facts: Vec<String> =
            session.said().iter().map(|said| said.replace(" = true", "").replace(" = ", ":")).collect();
        if !facts.is_empty() {
            words.push(format!("session={}", facts.join(",")));
        }
        let key = match (self.expect_met, self.rule.decision) {
            (false, _) => "allows",
            (true, Decision::Ask) => "asks",
            (true, _) => "blocks",
        };
        (key, format!("[{}] {}", words.join(" "), self.text))
    }

    /// The same example as it would be read from a line of another rule, or of its own.
    pub fn read_as(&self, rule: &Arc<RuleInfo>, expect_met: bool) -> Option<Self> {
        let (_, line) = self.written();
        let (bracket, text) = bracket(&line);
        let mut draft = Draft { surroundings: usual_surroundings(), ..Draft::default() };
        draft.actor.name = "dev".into();
        bracket.split_whitespace().try_for_each(|word| draft.set(word)).ok()?;
        Some(Self {
            rule: Arc::clone(rule),
            text: text.to_owned(),
            expect_met,
            action: draft.action(text, self.action.origin.clone()),
            environment: draft.environment,
            labels: draft.labels,
            session: draft.session,
            source: self.source.clone(),
            range: self.range.clone(),
        })
    }

    /// Examples that differ from this one in one fact that its text does not say.
    pub fn neighbours(&self) -> Vec<Self> {
        let mut found = Vec::new();
        for environment in Environment::ALL.iter().filter(|other| **other != self.environment) {
            let mut other = self.clone();
            other.environment = *environment;
            Arc::make_mut(&mut other.action.surroundings).environment = Some(*environment);
            found.push(other);
        }
        for kind in ActorKind::ALL.iter().filter(|kind| **kind != self.action.actor.kind) {
            let mut other = self.clone();
            Arc::make_mut(&mut other.action.actor).kind = *kind;
            found.push(other);
        }
        let mut other = self.clone();
        other.action.approved = !self.action.approved;
        found.push(other);
        for label in &self.labels {
            let mut other = self.clone();
            other.labels.retain(|kept| kept != label);
            found.push(other);
        }
        let facts: [fn(&mut SessionFacts); 11] = [
            |facts| facts.read_secret ^= true,
            |facts| facts.read_untrusted ^= true,
            |facts| facts.turned_guard_off ^= true,
            |facts| facts.switched_environment ^= true,
            |facts| facts.last_failed ^= true,
            |facts| facts.folder_missing ^= true,
            |facts| facts.dirty_tree ^= true,
            |facts| facts.untracked_files ^= true,
            |facts| facts.lost_work ^= true,
            |facts| facts.is_checkout ^= true,
            |facts| facts.moved_in_part ^= true,
        ];
        let numbers: [fn(&mut SessionFacts) -> &mut u64; 5] = [
            |facts| &mut facts.destroyed,
            |facts| &mut facts.destroyed_recently,
            |facts| &mut facts.repeated,
            |facts| &mut facts.sweep,
            |facts| &mut facts.denials,
        ];
        for change in facts {
            let mut other = self.clone();
            change(&mut other.session);
            found.push(other);
        }
        for number in numbers {
            let mut session = self.session;
            let now = *number(&mut session);
            // Limits are met at one place: up to it, and down from it.
            let near = (0..=30).chain([now.saturating_sub(1), now + 1, now / 10]);
            for value in near.filter(|value| *value != now) {
                let mut other = self.clone();
                *number(&mut other.session) = value;
                found.push(other);
            }
        }
        found
    }
}

fn usual_surroundings() -> Surroundings {
    Surroundings { cwd: Some("/home/dev/project".into()), home: Some("/home/dev".into()), ..Surroundings::default() }
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
            surroundings: usual_surroundings(),
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
