//! Sessions exported from a hoop gateway: one, a page of them, or one a line.
//!
//! `{"id":"…","connection":"shop","type":"database","connection_subtype":"postgres","verb":"exec","script":{"data":"SELECT 1"}}`

mod stream;

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::audit::{self, Found, Outside, Shelf};
use super::proxied::{self, Asked, Told, inner, word};
use crate::model::{ActorKind, Executed, Gap, GapKind, Hides, Issue, Outcome, Surroundings, Timestamp};
use crate::reader::transcript::{At, moment};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `hoop`
#[derive(Debug)]
pub struct Hoop;

impl Reader for Hoop {
    fn name(&self) -> &'static str {
        "hoop"
    }

    fn about(&self) -> &'static str {
        "hoop sessions: exports of the gateway's API (/api/sessions) as JSON"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let Some(head) = audit::telling(sample) else { return Match::No };
        let has = |marks: &[&str]| marks.iter().all(|mark| head.contains(mark));
        let session = has(&["\"connection\":\"", "\"verb\":\"", "\"start_date\":"]);
        match session && (head.contains("\"script\":") || head.contains("\"event_stream\":")) {
            true => Match::Certain,
            false => Match::No,
        }
    }

    /// A session is exported again when it has gone on.
    fn repeats(&self) -> bool {
        true
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut shelf = Shelf::new(source);
        audit::each_record(input, &mut |record, at| match record {
            Err(problem) => shelf.lost(at, problem, out),
            Ok(text) => {
                let value: Value = match serde_json::from_str(text) {
                    Ok(value) => value,
                    Err(error) => return shelf.lost(at, format!("not JSON: {error}"), out),
                };
                match value.get("data").and_then(Value::as_array) {
                    Some(page) => page.iter().try_for_each(|one| taken(&mut shelf, one, at, out)),
                    None => {
                        let (any, flow) = audit::open(text, &Outside::default(), &mut |text, _| {
                            let one: Value = serde_json::from_str(text).ok()?;
                            is_session(&one).then(|| taken(&mut shelf, &one, at, out))
                        });
                        if any { flow } else { shelf.lost(at, NO_SESSION, out) }
                    }
                }
            }
        })
    }
}

const NO_SESSION: &str = "no session of hoop: it has no `connection` and `verb`";

fn is_session(value: &Value) -> bool {
    ["id", "connection", "verb"].iter().all(|key| value.get(*key).is_some_and(Value::is_string))
}

fn taken(shelf: &mut Shelf<'_>, value: &Value, at: At, out: &mut dyn Out) -> ControlFlow<()> {
    let Some(session) = value.as_object().filter(|_| is_session(value)) else {
        return shelf.lost(at, NO_SESSION, out);
    };
    let id = word(session, &["id"]);
    let begun = moment(&word(session, &["start_date"]));
    let (kind, sort) = (word(session, &["type"]), word(session, &["connection_subtype"]));
    let script =
        session.get("script").and_then(|script| script.get("data").unwrap_or(script).as_str()).unwrap_or_default();
    if !script.trim().is_empty() {
        let mut gaps = Vec::new();
        if session.get("truncated").and_then(Value::as_bool) == Some(true) {
            gaps.push(audit::gap(GapKind::Truncated, Hides::Anything, "the script"));
        }
        let asked = asked(&kind, &sort, script, &database(session));
        let act = Act { id: &id, time: begun, asked, gaps };
        return put(shelf, session, act, at, out);
    }
    let wire = sort == "postgres";
    let statements = if wire { stream::statements(session.get("event_stream")) } else { Vec::new() };
    for (number, (after, text)) in statements.iter().enumerate() {
        let time = begun.map(|begun| Timestamp(begun.0.saturating_add(*after)));
        let gaps = match text.contains("$1") {
            true => vec![audit::gap(GapKind::ParametersMissing, Hides::Nothing, "values")],
            false => Vec::new(),
        };
        let asked = asked(&kind, &sort, text, &database(session));
        put(shelf, session, Act { id: &format!("{id} {number}"), time, asked, gaps }, at, out)?;
    }
    if !statements.is_empty() {
        return ControlFlow::Continue(());
    }
    out.nothing();
    out.issue(Issue {
        file: std::sync::Arc::clone(&shelf.source.file),
        line: at.line,
        offset: at.offset,
        problem: format!("an interactive session of `{}`: what was run in it is not in this export", who(session)),
        advice: "export it with `?event_stream=raw-queries`, which works for Postgres".to_owned(),
        lost: false,
    })
}

fn who(session: &Map<String, Value>) -> String {
    word(session, &["user", "user_email", "user_name", "user_id"])
}

/// What a connection is called is mostly not the database; its settings may say.
fn database(session: &Map<String, Value>) -> String {
    inner(session, &["metadata", "labels"]).map(|labels| word(labels, &["database", "db"])).unwrap_or_default()
}

/// Connections are databases, command lines of a container, or applications.
fn asked(kind: &str, sort: &str, script: &str, database: &str) -> Asked {
    match (kind, sort) {
        ("database", _) | (_, "postgres" | "mysql" | "mssql" | "mongodb" | "oracledb") => {
            Asked::of_database(sort, script, database)
        }
        (_, "python" | "ruby-on-rails" | "nodejs" | "clojure" | "elixir" | "django") => {
            let program = match sort {
                "python" | "django" => ["python3", "-c"],
                "nodejs" => ["node", "-e"],
                "elixir" => ["elixir", "-e"],
                "clojure" => ["clojure", "-e"],
                _ => ["ruby", "-e"],
            };
            Asked::Exec(vec![program[0].to_owned(), program[1].to_owned(), script.to_owned()])
        }
        _ => Asked::Shell(script.to_owned()),
    }
}

/// One thing that was done in a session.
struct Act<'a> {
    id: &'a str,
    time: Option<Timestamp>,
    asked: Asked,
    gaps: Vec<Gap>,
}

fn put(
    shelf: &mut Shelf<'_>,
    session: &Map<String, Value>,
    act: Act<'_>,
    at: At,
    out: &mut dyn Out,
) -> ControlFlow<()> {
    let Act { id, time, asked, gaps } = act;
    let review = inner(session, &["review"]).map(|review| word(review, &["status"]).to_ascii_uppercase());
    let code = word(session, &["exit_code"]).parse::<i32>().ok();
    let open = matches!(word(session, &["status"]).as_str(), "open" | "ready");
    let outcome = match review.as_deref() {
        Some("REJECTED" | "REVOKED" | "PENDING") if code.is_none() || open => {
            Outcome { executed: Executed::No, ..Outcome::default() }
        }
        // The gateway could not learn how it ended.
        _ if matches!(code, Some(-2 | 254)) => proxied::ended(None),
        _ => Outcome { exit_code: code, ..proxied::ended(code.map(|code| code == 0)) },
    };
    let some = |text: String| (!text.is_empty()).then_some(text);
    let session_id = word(session, &["id"]);
    let (connection, person) = (word(session, &["connection"]), who(session));
    let machine = word(session, &["identity_type"]) == "machine";
    let found = Found {
        format: "hoop",
        id,
        time,
        actor: audit::actor(person, if machine { ActorKind::Service } else { ActorKind::Unknown }),
        session: session_id,
        tool: String::new(),
        arguments: Map::new(),
        surroundings: Surroundings {
            host: some(connection),
            database: some(database(session)),
            ..Surroundings::default()
        },
        outcome,
        gaps,
    };
    let mut action = proxied::action(shelf, Told { found, asked }, at);
    action.approved = review.as_deref() == Some("APPROVED");
    out.action(action)
}
