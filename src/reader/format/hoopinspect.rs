//! The audit trail of hoop-inspect: one statement or request a line, with the verdict that it got.
//!
//! `{"protocol":"postgres","direction":"client","statement":"DELETE FROM till","operation":"delete","decision":"deny",…}`
//!
//! Its documentation names what a record holds (protocol, direction, statement, operation, tables, database, who, which
//! session, which verdict) and leaves the spelling of the keys to the release: several spellings are known here.

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::audit::{self, Found, Outside, Shelf};
use super::proxied::{self, Asked, Told, inner, missing, word};
use crate::model::{ActorKind, Executed, GapKind, Hides, Outcome, Surroundings};
use crate::reader::transcript::{At, first_lines, moment};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `hoopinspect`
#[derive(Debug)]
pub struct HoopInspect;

const PROTOCOLS: &[&str] = &["postgres", "http", "mysql", "mssql", "mongodb"];
const TEXT: &[&str] = &["statement", "text", "query"];
const FINGERPRINT: &[&str] = &["fingerprint", "statement_fingerprint", "statement_hash", "statement_sha256"];

impl Reader for HoopInspect {
    fn name(&self) -> &'static str {
        "hoopinspect"
    }

    fn about(&self) -> &'static str {
        "hoop-inspect audit trail: statements and requests with their verdicts, one a line"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let is_one = |line: &str| serde_json::from_str(line).is_ok_and(|value: Value| record(&value).is_some());
        if first_lines(sample, 50).any(is_one) { Match::Certain } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut shelf = Shelf::new(source);
        audit::each_record(input, &mut |line, at| match line {
            Err(problem) => shelf.lost(at, problem, out),
            // `docker compose logs` puts the service before each line.
            Ok(text) => {
                let text = text.split_once("| ").filter(|_| !text.starts_with('{')).map_or(text, |(_, text)| text);
                let (any, flow) = audit::open(text, &Outside::default(), &mut |text, _| {
                    let value: Value = serde_json::from_str(text).ok()?;
                    record(&value).map(|record| taken(&mut shelf, record, at, out))
                });
                match serde_json::from_str::<serde::de::IgnoredAny>(text) {
                    _ if any => flow,
                    // The relay's own log, sessions that begin and end.
                    Ok(_) => {
                        out.nothing();
                        ControlFlow::Continue(())
                    }
                    Err(error) => shelf.lost(at, format!("not JSON: {error}"), out),
                }
            }
        })
    }
}

/// The members of a record, if it is one about a statement.
fn record(value: &Value) -> Option<&Map<String, Value>> {
    let record = value.as_object()?;
    let about = inner(record, &["statement"]).unwrap_or(record);
    let protocol = word(record, &["protocol"]);
    let protocol = if protocol.is_empty() { word(about, &["protocol"]) } else { protocol };
    let verdict = ["verdict", "decision", "denied", "allowed", "action"].iter().any(|key| record.contains_key(*key));
    let said = !word(about, &["operation"]).is_empty() || !word(about, TEXT).is_empty();
    (PROTOCOLS.contains(&protocol.as_str()) && verdict && said).then_some(record)
}

fn taken(shelf: &mut Shelf<'_>, record: &Map<String, Value>, at: At, out: &mut dyn Out) -> ControlFlow<()> {
    let about = inner(record, &["statement"]).unwrap_or(record);
    let either = |names: &[&str]| match word(record, names) {
        text if text.is_empty() => word(about, names),
        text => text,
    };
    let direction = either(&["direction"]);
    // What came back is no act.
    if matches!(direction.as_str(), "server" | "response") {
        out.nothing();
        return ControlFlow::Continue(());
    }
    let (protocol, operation) = (either(&["protocol"]), either(&["operation"]));
    let (text, database) = (word(about, TEXT), either(&["database"]));
    let mut gaps = Vec::new();
    let tables: Vec<&str> =
        about.get("tables").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let hashed = record.get("redacted").and_then(Value::as_bool) == Some(true)
        || text.starts_with("sha256:")
        || text.is_empty() && !either(FINGERPRINT).is_empty();
    let asked = match protocol.as_str() {
        "http" => request(record, about, &text, &mut gaps),
        _ if text.is_empty() || hashed => {
            let gap = if hashed { GapKind::Redacted } else { GapKind::BodyMissing };
            gaps.push(audit::gap(gap, Hides::Anything, "the statement, of which the operation is known"));
            Asked::of_database(&protocol, &stated(&operation, &tables), &database)
        }
        _ => {
            if text.contains("$1") {
                gaps.push(audit::gap(GapKind::ParametersMissing, Hides::Nothing, "values"));
            }
            Asked::of_database(&protocol, &text, &database)
        }
    };
    let some = |text: String| (!text.is_empty()).then_some(text);
    let identity =
        inner(record, &["identity", "principal"]).map(|who| word(who, &["subject", "name", "email", "user"]));
    let person = identity.unwrap_or_else(|| word(record, &["principal", "subject", "user", "identity"]));
    let session = inner(record, &["session"]).map(|session| word(session, &["id"]));
    let session = session.unwrap_or_else(|| word(record, &["session_id", "session", "connection_id"]));
    let id = word(record, &["id", "event_id"]);
    let found = Found {
        format: "hoopinspect",
        id: &id,
        time: moment(&word(record, &["time", "timestamp", "ts", "at"])),
        actor: audit::actor(if person == "anonymous" { String::new() } else { person }, ActorKind::Unknown),
        session,
        tool: String::new(),
        arguments: Map::new(),
        surroundings: Surroundings {
            host: some(word(record, &["upstream", "listener", "target", "connection"])),
            database: some(database),
            ..Surroundings::default()
        },
        outcome: outcome(record),
        gaps,
    };
    let action = proxied::action(shelf, Told { found, asked }, at);
    out.action(action)
}

/// A statement whose text is kept secret, by its operation and its tables.
fn stated(operation: &str, tables: &[&str]) -> String {
    let table = tables.first().copied().unwrap_or("unknown");
    match operation.to_ascii_lowercase().as_str() {
        "delete" => format!("DELETE FROM {table} WHERE $1"),
        "update" => format!("UPDATE {table} SET unknown = $2 WHERE $1"),
        "insert" => format!("INSERT INTO {table} VALUES ($1)"),
        "drop" => format!("DROP TABLE {table}"),
        "truncate" => format!("TRUNCATE TABLE {table}"),
        _ => format!("SELECT FROM {table} WHERE $1"),
    }
}

fn request(
    record: &Map<String, Value>,
    about: &Map<String, Value>,
    line: &str,
    gaps: &mut Vec<crate::model::Gap>,
) -> Asked {
    let details = inner(about, &["http"]).or_else(|| inner(record, &["http"]));
    let said = |names: &[&str]| details.map(|details| word(details, names)).unwrap_or_default();
    // `DELETE /users/42 HTTP/1.1`
    let mut words = line.split_whitespace();
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let or = |text: String, other: &str| if text.is_empty() { other.to_owned() } else { text };
    let method = or(said(&["method"]), first).to_ascii_uppercase();
    let path = or(said(&["path", "resource"]), second);
    let host = or(said(&["host"]), &word(record, &["upstream", "listener"]));
    let body = said(&["body"]);
    if body.is_empty() && matches!(method.as_str(), "POST" | "PUT" | "PATCH") {
        gaps.push(missing("the body of the request"));
    }
    Asked::of_http(&method, &format!("http://{host}{path}"), Some(&body))
}

fn outcome(record: &Map<String, Value>) -> Outcome {
    let verdict = inner(record, &["verdict", "decision"]);
    let flag = |name: &str| {
        let of = verdict.and_then(|verdict| verdict.get(name)).or_else(|| record.get(name));
        of.and_then(Value::as_bool)
    };
    let said = word(verdict.unwrap_or(record), &["verdict", "decision", "action", "result"]).to_ascii_lowercase();
    let denied = flag("denied") == Some(true)
        || flag("allowed") == Some(false)
        || flag("allow") == Some(false)
        || matches!(said.as_str(), "deny" | "denied" | "block" | "blocked" | "reject" | "rejected");
    if denied {
        let why = word(verdict.unwrap_or(record), &["message", "reason", "rule"]);
        return audit::refused(&why);
    }
    Outcome { executed: Executed::Yes, ..Outcome::default() }
}
