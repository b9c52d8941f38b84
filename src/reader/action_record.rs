//! One record of our own format, field by field: what is there, what is missing, what is not understood.

use serde::Deserialize;

use crate::model::{
    Actor, ActorKind, Environment, Executed, Gap, GapKind, Hides, Kind, Outcome, Surroundings, Timestamp,
};
use crate::reader::record::quoted;
use crate::reader::{Source, fields, transcript};

/// A record as it was written, checked.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) id: Option<String>,
    pub(super) time: Option<Timestamp>,
    pub(super) actor: Actor,
    pub(super) session: Option<String>,
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) argv: Option<Vec<String>>,
    pub(super) tool: Option<String>,
    pub(super) arguments: Option<String>,
    pub(super) surroundings: Surroundings,
    pub(super) outcome: Outcome,
    pub(super) approved: bool,
    pub(super) gaps: Vec<Gap>,
    /// What is wrong without costing the record: the problem, and what to do.
    pub(super) notes: Vec<(String, String)>,
}

/// Why there is no record, and at which byte of its text.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) at: usize,
    pub(super) problem: String,
    pub(super) advice: String,
}

/// Every key a record may have.
pub(super) const KEYS: &[&str] = &[
    "id",
    "time",
    "actor",
    "session",
    "kind",
    "text",
    "argv",
    "tool",
    "arguments",
    "cwd",
    "home",
    "dialect",
    "environment",
    "host",
    "user",
    "database",
    "account",
    "cluster",
    "version",
    "approved",
    "outcome",
    "gaps",
];

impl Record {
    /// Reads one line.
    pub(super) fn read(line: &str, source: &Source) -> Result<Self, Refused> {
        let mut values: [Option<&str>; KEYS.len()] = [None; KEYS.len()];
        let (mut twice, mut unknown) = (None, Vec::new());
        let object = fields::each(line, |name, value| match KEYS.iter().position(|key| *key == name) {
            None => unknown.push(name),
            Some(at) if values[at].is_some() => twice = Some(KEYS[at]),
            Some(at) => values[at] = Some(value),
        });
        if let Err(broken) = object {
            let problem = format!("not a JSON object: {}", broken.problem);
            return Err(Refused { at: broken.at, problem, advice: "one object per line".to_owned() });
        }
        if let Some(key) = twice {
            return Err(refused(format!("`{key}` is given twice"), "leave one out"));
        }
        let mut given = Given { values, notes: Vec::new() };
        for name in unknown {
            given.note(format!("unknown key `{name}`"), "it is left out; see `nearmiss formats` for the keys");
        }
        given.record(source)
    }
}

/// The kind a JSON value names.
pub(super) fn kind(value: &str) -> Result<Kind, Refused> {
    const ADVICE: &str = "write `shell`, `sql`, `exec`, `tool` or `api`";
    let word = string(value).ok_or_else(|| refused("`kind` is not a string".to_owned(), ADVICE))?;
    Kind::from_word(&word).ok_or_else(|| refused(format!("unknown kind `{word}`"), ADVICE))
}

/// The values that were given, each taken at most once.
struct Given<'a> {
    values: [Option<&'a str>; KEYS.len()],
    notes: Vec<(String, String)>,
}

impl<'a> Given<'a> {
    fn record(mut self, source: &Source) -> Result<Record, Refused> {
        let kind = match self.take("kind") {
            Some(value) => kind(value)?,
            None => return Err(refused("no `kind`".to_owned(), "write `shell`, `sql`, `exec`, `tool` or `api`")),
        };
        let text = self.string("text");
        let argv = self.take("argv").and_then(|value| self.typed::<Vec<String>>("argv", value, "a list of strings"));
        let tool = self.string("tool");
        let arguments = self.take("arguments").map(str::to_owned);
        let text = match kind {
            Kind::Shell | Kind::Sql => match text.filter(|text| !text.trim().is_empty()) {
                Some(text) => text,
                None => return Err(self.missing("text", kind, "the command as it was typed")),
            },
            Kind::Exec => match argv.as_deref() {
                Some(argv @ [_, ..]) => quoted(argv),
                _ => return Err(self.missing("argv", kind, "the exact words as a list of strings")),
            },
            Kind::Tool | Kind::Api => match (tool.as_deref(), text, &arguments) {
                (None | Some(""), ..) => return Err(self.missing("tool", kind, "the name of the tool or operation")),
                (_, Some(text), _) => text,
                (Some(tool), None, arguments) => said(tool, arguments.as_deref()),
            },
        };
        let call = matches!(kind, Kind::Tool | Kind::Api);
        let idle = [("argv", kind != Kind::Exec && argv.is_some()), ("tool", !call && tool.is_some())];
        for (key, _) in idle.into_iter().chain([("arguments", !call && arguments.is_some())]).filter(|(_, idle)| *idle)
        {
            self.note(format!("`{key}` says nothing about kind `{kind}`"), "leave it out, or change the kind");
        }
        let surroundings = Surroundings {
            environment: self.environment(),
            cwd: self.string("cwd"),
            home: self.string("home"),
            host: self.string("host"),
            user: self.string("user"),
            database: self.string("database"),
            account: self.string("account"),
            cluster: self.string("cluster"),
            version: self.string("version"),
            dialect: self.string("dialect").or_else(|| source.options.dialect.clone()),
        };
        let approved = self.take("approved").and_then(|value| self.typed("approved", value, "`true` or `false`"));
        Ok(Record {
            id: self.take("id").map(|value| string(value).unwrap_or_else(|| value.to_owned())),
            time: self.time(),
            actor: self.actor(),
            session: self.string("session"),
            kind,
            text,
            argv: argv.filter(|_| kind == Kind::Exec),
            tool: tool.filter(|_| call),
            arguments: arguments.filter(|_| call),
            surroundings,
            outcome: self.outcome(),
            approved: approved.unwrap_or(false),
            gaps: self.gaps(),
            notes: self.notes,
        })
    }

    /// A value that was given; `null` is as good as nothing.
    fn take(&mut self, key: &str) -> Option<&'a str> {
        let at = KEYS.iter().position(|known| *known == key)?;
        self.values[at].take().filter(|value| *value != "null")
    }

    /// Why there is no record without `key`: it is not there, or was noted to be of the wrong type.
    fn missing(&self, key: &str, kind: Kind, what: &str) -> Refused {
        let wrong = format!("`{key}` is not ");
        let noted = self.notes.iter().find(|(problem, _)| problem.starts_with(&wrong));
        let problem = noted.map_or_else(|| format!("no `{key}`"), |(problem, _)| problem.clone());
        refused(problem, format!("a record of kind `{kind}` needs it: {what}"))
    }

    fn note(&mut self, problem: String, advice: &str) {
        self.notes.push((problem, advice.to_owned()));
    }

    fn typed<T: Deserialize<'a>>(&mut self, key: &str, value: &'a str, wanted: &str) -> Option<T> {
        let read = serde_json::from_str(value).ok();
        if read.is_none() {
            self.note(format!("`{key}` is not {wanted}"), "it is left out");
        }
        read
    }

    fn string(&mut self, key: &str) -> Option<String> {
        let value = self.take(key)?;
        self.typed(key, value, "a string")
    }

    fn environment(&mut self) -> Option<Environment> {
        let word = self.string("environment")?;
        let environment = Environment::from_word(&word);
        if environment.is_none() {
            let advice = "write `production`, `staging`, `development`, `test` or `unknown`";
            self.note(format!("unknown environment `{word}`"), advice);
        }
        environment
    }

    fn time(&mut self) -> Option<Timestamp> {
        let value = self.take("time")?;
        let written = string(value).unwrap_or_else(|| value.to_owned());
        let time = match serde_json::from_str::<f64>(value) {
            Ok(seconds) if seconds.abs() < MAX_SECONDS => Some(Timestamp((seconds * 1e6).round() as i64)),
            Ok(_) => None,
            Err(_) => written.parse::<jiff::Timestamp>().ok().map(|time| Timestamp(time.as_microsecond())),
        };
        if time.is_none() {
            let advice = "write RFC 3339 with an offset, or seconds since 1970";
            self.note(format!("unknown time `{written}`"), advice);
        }
        time
    }

    fn actor(&mut self) -> Actor {
        let unknown = Actor { name: "unknown".to_owned(), ..Actor::default() };
        let Some(value) = self.take("actor") else { return unknown };
        if let Some(name) = string(value) {
            return Actor { name, ..unknown };
        }
        let mut actor = unknown;
        let object = fields::each(value, |name, value| match (name.as_str(), string(value)) {
            ("name", Some(name)) => actor.name = name,
            ("kind", Some(word)) => match ActorKind::from_word(&word) {
                Some(kind) => actor.kind = kind,
                None => {
                    self.note(format!("unknown actor kind `{word}`"), "write `human`, `agent`, `service` or `unknown`");
                }
            },
            ("name" | "kind", None) => self.note(format!("`{name}` of the actor is not a string"), "it is left out"),
            _ => self.note(format!("unknown key `{name}` in `actor`"), "an actor has `name` and `kind`"),
        });
        if object.is_err() {
            self.note("`actor` is not a string or an object".to_owned(), "write its name, or its `name` and `kind`");
        }
        actor
    }

    fn outcome(&mut self) -> Outcome {
        let mut outcome = Outcome::default();
        let Some(value) = self.take("outcome") else { return outcome };
        if let Some(word) = string(value) {
            let (executed, succeeded) = match word.as_str() {
                "ok" => (Executed::Yes, Some(true)),
                "failed" => (Executed::Yes, Some(false)),
                "denied" => (Executed::No, None),
                "unknown" => (Executed::Unknown, None),
                _ => {
                    let advice = "write `ok`, `failed`, `denied` or `unknown`, or an object";
                    self.note(format!("unknown outcome `{word}`"), advice);
                    return outcome;
                }
            };
            return Outcome { executed, succeeded, ..outcome };
        }
        let mut executed = None;
        let object = fields::each(value, |name, value| {
            let understood = match name.as_str() {
                _ if value == "null" => true,
                "executed" => {
                    let said = serde_json::from_str::<bool>(value).ok();
                    let said = said.map(|yes| if yes { Executed::Yes } else { Executed::No });
                    executed = said.or_else(|| Executed::from_word(&string(value)?));
                    executed.is_some()
                }
                "succeeded" => set(&mut outcome.succeeded, value),
                "exit_code" => set(&mut outcome.exit_code, value),
                "rows" => set(&mut outcome.rows, value),
                "output" => {
                    outcome.output = string(value).map(|text| Outcome::kept(&text));
                    outcome.output.is_some()
                }
                _ => false,
            };
            if !understood {
                let advice = "an outcome has `executed`, `succeeded`, `exit_code`, `rows` and `output`";
                self.note(format!("`{name}` of the outcome is not understood"), advice);
            }
        });
        if object.is_err() {
            self.note("`outcome` is not a string or an object".to_owned(), "write `ok`, `failed` or `denied`");
        }
        // What ended with a code, changed rows or answered, ran.
        let ran = outcome.exit_code.is_some()
            || outcome.rows.is_some()
            || outcome.succeeded.is_some()
            || outcome.output.is_some();
        outcome.executed = executed.unwrap_or(if ran { Executed::Yes } else { Executed::Unknown });
        outcome.succeeded = outcome.succeeded.or(outcome.exit_code.map(|code| code == 0));
        outcome
    }

    fn gaps(&mut self) -> Vec<Gap> {
        let Some(value) = self.take("gaps") else { return Vec::new() };
        let words = self.typed::<Vec<String>>("gaps", value, "a list of strings").unwrap_or_default();
        let mut gaps = Vec::new();
        for word in words {
            let said = [GapKind::Truncated, GapKind::Redacted, GapKind::ParametersMissing, GapKind::BodyMissing];
            let kind = said.into_iter().find(|kind| kind.word() == word).unwrap_or_else(|| {
                let advice = "write `truncated`, `redacted`, `parameters-missing` or `body-missing`";
                self.note(format!("unknown gap `{word}`"), advice);
                // Something is missing, whatever the recorder calls it.
                GapKind::Truncated
            });
            gaps.push(Gap { kind, hides: Hides::Anything, span: None, detail: "said by the record".to_owned() });
        }
        gaps
    }
}

/// The year 9999: what is beyond is not seconds.
const MAX_SECONDS: f64 = 253_402_300_800.0;

fn set<'a, T: Deserialize<'a>>(slot: &mut Option<T>, value: &'a str) -> bool {
    *slot = serde_json::from_str(value).ok();
    slot.is_some()
}

fn string(value: &str) -> Option<String> {
    serde_json::from_str(value).ok()
}

fn refused(problem: String, advice: impl Into<String>) -> Refused {
    Refused { at: 0, problem, advice: advice.into() }
}

/// What a call says at a glance: its command, its statement or its path, as in the transcripts of agents; the whole
/// call where it has none.
pub(super) fn said(tool: &str, arguments: Option<&str>) -> String {
    let Some(arguments) = arguments else { return tool.to_owned() };
    let text = transcript::arguments(arguments).text;
    if text.starts_with(['{', '[']) { format!("{tool} {text}") } else { text.into_owned() }
}
