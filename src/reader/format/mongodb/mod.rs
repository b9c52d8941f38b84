//! What MongoDB writes about the operations it runs: its log, old and new, its profiler, its audit log.
//!
//! `{"t":{"$date":"…"},"c":"COMMAND","msg":"Slow query","attr":{"ns":"shop.a","command":{"delete":"a","deletes":[…]}}}`

mod shell;
mod text;

pub(super) use shell::{calls, members, whole};

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde_json::Value;
use serde_json::value::RawValue;

use super::postgres::read_time;
use crate::model::{ActorKind, Executed, GapKind, Hides, Timestamp};
use crate::reader::recorder::{Found, Log, Objects, Place, Recorder, read_lines, some};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from mongodb`
#[derive(Clone, Copy, Debug)]
pub struct Mongodb;

impl Reader for Mongodb {
    fn name(&self) -> &'static str {
        "mongodb"
    }

    fn about(&self) -> &'static str {
        "MongoDB: server log (JSON and text), exported system.profile, audit log"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let head = String::from_utf8_lossy(sample.head);
        let start = head.trim_start();
        if start.starts_with(['{', '[']) {
            let line = head.lines().find(|line| line.contains('{')).unwrap_or("");
            let has = |keys: &[&str]| keys.iter().all(|key| line.contains(key));
            let log = has(&["{\"t\":{\"$date\":", "\"c\":", "\"ctx\":"]);
            let audit = has(&["\"atype\"", "\"ts\"", "\"param\""]);
            let profile = ["\"op\"", "\"ns\"", "\"millis\"", "\"ts\""].iter().all(|key| head.contains(key));
            return if log || audit || profile { Match::Certain } else { Match::No };
        }
        let (mut lines, mut records) = (0, 0);
        for line in head.lines().filter(|line| !line.trim().is_empty()).take(100) {
            lines += 1;
            records += usize::from(text::Entry::of(line).is_some());
        }
        match records * 2 > lines {
            true if head.contains("mongo") || head.contains(" [conn") => Match::Certain,
            _ => Match::No,
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut log = MongoLog { recorder: Recorder::new(source, self.name()), objects: Objects::default() };
        read_lines(&mut log, input, source, out)
    }
}

/// An operation, in whatever way it was written down.
#[derive(Debug, Default)]
struct Operation {
    time: Option<Timestamp>,
    session: String,
    user: String,
    /// `shop.basket`
    namespace: String,
    /// `remove`, `update`, `command`, …
    sort: String,
    /// The document that was sent.
    command: String,
    rows: Option<u64>,
    failed: bool,
    refused: bool,
    cut: bool,
}

impl Operation {
    /// What was called; `None` when that cannot be said.
    fn calls(&self) -> Option<Vec<String>> {
        let collection = self.namespace.split_once('.').map_or("", |(_, name)| name);
        let members = shell::members(&self.command);
        let first = members.first().map_or("", |(name, _)| *name);
        match self.sort.as_str() {
            // Writes are logged again one by one, without the command around them.
            "remove" if first != "delete" => Some(vec![shell::removed(&shell::reach(collection), &self.command)]),
            "update" if first != "update" => Some(vec![shell::updated(&shell::reach(collection), &self.command)]),
            "insert" if first != "insert" => Some(vec![format!("{}.insertOne({{}})", shell::reach(collection))]),
            "getmore" | "getMore" | "killcursors" => Some(Vec::new()),
            "query" if !matches!(first, "find" | "count" | "distinct") => {
                Some(vec![format!("{}.find({})", shell::reach(collection), self.command)])
            }
            _ if members.is_empty() => None,
            _ => shell::calls(&self.command, &self.namespace),
        }
    }
}

struct MongoLog {
    recorder: Recorder,
    objects: Objects,
}

impl Log for MongoLog {
    fn line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        if !self.objects.is_open() && !line.trim_start().starts_with(['{', '[', ']']) {
            if line.trim().is_empty() {
                return ControlFlow::Continue(());
            }
            return match text::Entry::of(line) {
                Some(entry) => match entry.operation() {
                    Some(operation) => self.operation(operation, place, out),
                    None => {
                        out.nothing();
                        ControlFlow::Continue(())
                    }
                },
                // What belongs to the entry before: a backtrace, a configuration.
                None => {
                    out.nothing();
                    ControlFlow::Continue(())
                }
            };
        }
        for (object, place) in self.objects.line(line, place) {
            self.object(&object, place, out)?;
        }
        ControlFlow::Continue(())
    }

    fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        match self.objects.rest() {
            Some((object, place)) => self.object(&object, place, out),
            None => ControlFlow::Continue(()),
        }
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Document<'a> {
    t: Value,
    ts: Value,
    ctx: String,
    msg: String,
    #[serde(borrow)]
    attr: Option<Attributes<'a>>,
    truncated: Option<Value>,
    // The profiler's own.
    op: String,
    ns: String,
    client: String,
    user: String,
    #[serde(borrow)]
    command: Option<&'a RawValue>,
    ndeleted: Option<Value>,
    #[serde(rename = "nModified")]
    modified: Option<Value>,
    #[serde(rename = "errMsg")]
    error: Option<Value>,
    // The audit log's.
    atype: String,
    users: Vec<Value>,
    #[serde(borrow)]
    param: Option<Parameters<'a>>,
    result: Option<i64>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Attributes<'a> {
    #[serde(rename = "type")]
    sort: String,
    ns: String,
    namespace: Option<Value>,
    db: Option<Value>,
    remote: Option<Value>,
    #[serde(borrow)]
    command: Option<&'a RawValue>,
    ndeleted: Option<Value>,
    #[serde(rename = "nModified")]
    modified: Option<Value>,
    #[serde(rename = "errMsg")]
    error: Option<Value>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Parameters<'a> {
    ns: String,
    db: String,
    #[serde(borrow)]
    args: Option<&'a RawValue>,
}

/// `{"$date":"…"}`, `{"$date":{"$numberLong":"…"}}`, or the text itself.
fn date(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => read_time(text).map(|read| read.time),
        Value::Number(millis) => millis.as_i64()?.checked_mul(1000).map(Timestamp),
        Value::Object(_) => match (value.get("$date"), value.get("$numberLong").and_then(Value::as_str)) {
            (Some(inner), _) => date(inner),
            (None, Some(millis)) => millis.parse::<i64>().ok()?.checked_mul(1000).map(Timestamp),
            _ => None,
        },
        _ => None,
    }
}

/// A count, also in the long form of extended JSON.
fn count(value: Option<&Value>) -> Option<u64> {
    let value = value?;
    value.as_u64().or_else(|| value.get("$numberLong")?.as_str()?.parse().ok())
}

fn raw(value: Option<&RawValue>) -> String {
    value.map_or_else(String::new, |value| value.get().to_owned())
}

impl MongoLog {
    fn object(&mut self, object: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let document: Document<'_> = match serde_json::from_str(object) {
            Ok(document) => document,
            Err(error) => return out.issue(self.recorder.lost(place, format!("not a record of MongoDB: {error}"), "")),
        };
        let time = date(&document.t).or_else(|| date(&document.ts));
        let base = Operation { time, session: document.ctx.clone(), ..Operation::default() };
        let text = |value: &Option<Value>| value.as_ref().and_then(Value::as_str).unwrap_or("").to_owned();
        let operation = if let Some(attributes) = &document.attr {
            let namespace = text(&attributes.namespace);
            match document.msg.as_str() {
                "Slow query" => Some(Operation {
                    namespace: attributes.ns.clone(),
                    sort: attributes.sort.clone(),
                    command: raw(attributes.command),
                    rows: count(attributes.ndeleted.as_ref()).or_else(|| count(attributes.modified.as_ref())),
                    failed: attributes.error.is_some(),
                    cut: document.truncated.is_some(),
                    session: some(&document.ctx).unwrap_or_else(|| text(&attributes.remote)),
                    ..base
                }),
                // A drop is logged whether or not it is slow.
                "CMD: drop" => Some(named(base, "drop", &namespace)),
                "CMD: dropIndexes" => Some(named(base, "dropIndexes", &namespace)),
                "dropDatabase - starting" => Some(named(base, "dropDatabase", &text(&attributes.db))),
                _ => None,
            }
        } else if !document.atype.is_empty() {
            let parameters = document.param.unwrap_or_default();
            let user = document.users.first().and_then(|user| user.get("user")).and_then(Value::as_str).unwrap_or("");
            let namespace = if parameters.ns.is_empty() { parameters.db.clone() } else { parameters.ns.clone() };
            let result = document.result.unwrap_or(0);
            let operation = match document.atype.as_str() {
                "authCheck" => {
                    Some(Operation { namespace, sort: "command".into(), command: raw(parameters.args), ..base })
                }
                "dropCollection" => Some(named(base, "drop", &namespace)),
                "dropDatabase" => Some(named(base, "dropDatabase", &namespace)),
                "dropIndex" => Some(named(base, "dropIndexes", &namespace)),
                "shutdown" => Some(named(base, "shutdown", "admin")),
                _ => None,
            };
            // 13 and 18: nobody was allowed to; everything else happened before it failed.
            operation.map(|operation| Operation {
                user: user.to_owned(),
                failed: result != 0,
                refused: matches!(result, 13 | 18),
                ..operation
            })
        } else if !document.op.is_empty() {
            Some(Operation {
                namespace: document.ns.clone(),
                sort: document.op.clone(),
                command: raw(document.command),
                rows: count(document.ndeleted.as_ref()).or_else(|| count(document.modified.as_ref())),
                failed: document.error.is_some(),
                session: document.client.clone(),
                user: document.user.clone(),
                ..base
            })
        } else {
            None
        };
        match operation {
            Some(operation) => self.operation(operation, place, out),
            None => {
                out.nothing();
                ControlFlow::Continue(())
            }
        }
    }

    fn operation(&mut self, operation: Operation, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let database = operation.namespace.split('.').next().unwrap_or("").to_owned();
        let calls = operation.calls();
        if calls.as_ref().is_some_and(Vec::is_empty) {
            out.nothing();
            return ControlFlow::Continue(());
        }
        let unknown = calls.is_none();
        let calls = calls.unwrap_or_else(|| vec![format!("db.runCommand({})", operation.command)]);
        let mut argv = vec!["mongosh".to_owned()];
        argv.extend(some(&database));
        argv.extend(["--eval".to_owned(), calls.join("; ")]);
        let mut found = Found::exec(argv, place);
        found.time = operation.time;
        found.session.clone_from(&operation.session);
        found.by(&operation.user, ActorKind::Unknown);
        found.surroundings.user = some(&operation.user);
        found.surroundings.database = some(&database);
        found.outcome.executed = if operation.refused { Executed::No } else { Executed::Yes };
        found.outcome.succeeded = operation.failed.then_some(false);
        found.outcome.rows = operation.rows;
        if operation.cut || unknown && operation.command.is_empty() {
            found.lacks(GapKind::Truncated, Hides::Anything, "command");
        }
        if unknown && !operation.command.is_empty() {
            // A command that nobody here has heard of.
            found.lacks(GapKind::BodyMissing, Hides::Anything, "what this command does is not known");
        }
        if operation.command.contains("###") {
            found.lacks(GapKind::Redacted, Hides::Target, "###");
        }
        out.action(self.recorder.action(found))
    }
}

/// An operation that is known by its name and what it is about.
fn named(base: Operation, name: &str, namespace: &str) -> Operation {
    let collection = namespace.split_once('.').map_or("", |(_, name)| name);
    let command = format!("{{ {name}: {collection:?} }}");
    Operation { namespace: namespace.to_owned(), sort: "command".to_owned(), command, ..base }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[track_caller]
    fn check(log: &str, expected: &str) {
        assert_eq!(read_all(&Mongodb, "m.log", log.as_bytes()).trim_end(), expected);
    }

    #[test]
    fn the_structured_log() {
        check(
            "{\"t\":{\"$date\":\"2026-03-10T20:58:09.525+00:00\"},\"s\":\"I\",\"c\":\"COMMAND\",\"id\":51803,\"ctx\":\"conn7\",\"msg\":\"Slow query\",\"attr\":{\"type\":\"command\",\"ns\":\"shop.a\",\"command\":{\"delete\":\"a\",\"deletes\":[{\"q\":{},\"limit\":0}],\"$db\":\"shop\"},\"ndeleted\":9}}\n\
             {\"t\":{\"$date\":\"2026-03-10T20:58:09.525+00:00\"},\"c\":\"COMMAND\",\"ctx\":\"conn7\",\"msg\":\"CMD: drop\",\"attr\":{\"namespace\":\"shop.a\"}}\n\
             {\"t\":{\"$date\":\"2026-03-10T20:58:09.525+00:00\"},\"c\":\"NETWORK\",\"ctx\":\"conn7\",\"msg\":\"Connection ended\",\"attr\":{}}\n{\"t\":{\n",
            "L1 exec \"mongosh shop --eval 'db.a.deleteMany({})'\" argv=[\"mongosh\", \"shop\", \"--eval\", \"db.a.deleteMany({})\"] session=conn7 actor=unknown: time=2026-03-10T20:58:09.525Z exec=yes rows=9 database=shop\n\
             L2 exec \"mongosh shop --eval 'db.a.drop()'\" argv=[\"mongosh\", \"shop\", \"--eval\", \"db.a.drop()\"] session=conn7 actor=unknown: time=2026-03-10T20:58:09.525Z exec=yes database=shop\n\
             L4 issue: not a record of MongoDB: EOF while parsing an object at line 1 column 6\n\
             nothing: 1",
        );
    }

    #[test]
    fn the_text_log() {
        check(
            "2019-06-18T11:59:16.516+0100 I COMMAND  [conn1] command shop.a appName: \"x\" command: drop { drop: \"a\", $db: \"shop\" } numYields:0 reslen:79 0ms\n\
             2019-06-18T11:59:16.516+0100 I WRITE    [conn1] remove shop.a appName: \"x\" command: { q: { z: 1.0 }, limit: 0 } planSummary: COLLSCAN ndeleted:3 5ms\n\
             Mon Aug  5 20:24:42.123 [conn4] remove shop.a query: { z: 2 } ndeleted:3 keyUpdates:0 288ms\n",
            "L1 exec \"mongosh shop --eval 'db.a.drop()'\" argv=[\"mongosh\", \"shop\", \"--eval\", \"db.a.drop()\"] session=conn1 actor=unknown: time=2019-06-18T10:59:16.516Z exec=yes database=shop\n\
             L2 exec \"mongosh shop --eval 'db.a.deleteMany({ z: 1.0 })'\" argv=[\"mongosh\", \"shop\", \"--eval\", \"db.a.deleteMany({ z: 1.0 })\"] session=conn1 actor=unknown: time=2019-06-18T10:59:16.516Z exec=yes rows=3 database=shop\n\
             L3 exec \"mongosh shop --eval 'db.a.deleteMany({ z: 2 })'\" argv=[\"mongosh\", \"shop\", \"--eval\", \"db.a.deleteMany({ z: 2 })\"] session=conn4 actor=unknown: exec=yes rows=3 database=shop",
        );
    }
}
