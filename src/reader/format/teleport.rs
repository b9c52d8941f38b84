//! Teleport's audit events: statements of databases, commands in sessions and in pods, requests to clusters, tool calls.
//!
//! `{"event":"db.session.query","code":"TDB02I","user":"ann","db_query":"DELETE FROM till","db_protocol":"postgres",…}`

mod database;

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::audit::{self, Found, Outside, Shelf};
use super::proxied::{self, Asked, Told, inner, missing, word};
use crate::model::{ActorKind, Executed, Gap, GapKind, Hides, Issue, Outcome, Surroundings};
use crate::reader::transcript::{At, moment};
use crate::reader::{Match, Out, Reader, Sample, Source};
use database::Prepared;

/// `teleport`
#[derive(Debug)]
pub struct Teleport;

/// So many sessions are remembered.
const MAX_SESSIONS: usize = 1 << 14;

impl Reader for Teleport {
    fn name(&self) -> &'static str {
        "teleport"
    }

    fn about(&self) -> &'static str {
        "Teleport audit events: databases, SSH with enhanced recording, kubectl, MCP; files and event handler exports"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let Some(head) = audit::telling(sample) else { return Match::No };
        let has = |marks: &[&str]| marks.iter().all(|mark| head.contains(mark));
        match has(&["\"event\":\"", "\"code\":\"T", "\"time\":\"", "\"uid\":\""]) {
            true if head.contains("\"ei\":") || head.contains("\"cluster_name\":") => Match::Certain,
            true => Match::Likely,
            false => Match::No,
        }
    }

    /// The same events are shipped and kept.
    fn repeats(&self) -> bool {
        true
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut log = Log { shelf: Shelf::new(source), sessions: HashMap::new() };
        audit::each_record(input, &mut |record, at| match record {
            Err(problem) => log.shelf.lost(at, problem, out),
            Ok(text) => {
                let (any, flow) = audit::open(text, &Outside::default(), &mut |text, _| {
                    let event: Map<String, Value> = serde_json::from_str(text).ok()?;
                    let is_one =
                        ["event", "code", "time"].iter().all(|key| event.get(*key).is_some_and(Value::is_string));
                    is_one.then(|| log.take(&event, at, out))
                });
                match serde_json::from_str::<serde::de::IgnoredAny>(text) {
                    _ if any => flow,
                    Ok(_) => log.shelf.lost(at, "no event of Teleport: it has no `event` and `code`", out),
                    Err(error) => log.shelf.lost(at, format!("not JSON: {error}"), out),
                }
            }
        })
    }
}

struct Log<'s> {
    shelf: Shelf<'s>,
    sessions: HashMap<String, Session>,
}

/// What a session has prepared, and whether anything in it was seen that ran.
#[derive(Debug, Default)]
struct Session {
    prepared: Prepared,
    seen: bool,
}

/// What an event says was done, and what it lacks.
struct Act {
    asked: Asked,
    gaps: Vec<Gap>,
    outcome: Outcome,
}

impl Log<'_> {
    fn take(&mut self, event: &Map<String, Value>, at: At, out: &mut dyn Out) -> ControlFlow<()> {
        let sid = word(event, &["sid"]);
        if self.sessions.len() >= MAX_SESSIONS {
            self.sessions.clear();
        }
        let kind = word(event, &["event"]);
        if kind == "session.end" {
            return self.end(event, &sid, at, out);
        }
        let session = self.sessions.entry(sid.clone()).or_default();
        let Some(act) = act(&kind, event, session) else {
            out.nothing();
            return ControlFlow::Continue(());
        };
        session.seen = true;
        let some = |text: String| (!text.is_empty()).then_some(text);
        let user = word(event, &["user"]);
        let database = word(event, &["db_name"]);
        let surroundings = Surroundings {
            host: some(word(
                event,
                &["server_hostname", "db_service", "db_uri", "kubernetes_pod_name", "server_id", "mcp_server"],
            )),
            user: some(word(event, &["db_user", "login"])),
            database: some(database),
            cluster: some(word(event, &["kubernetes_cluster"])),
            ..Surroundings::default()
        };
        let person = word(event, &["user_kind"]);
        let kind = match person.as_str() {
            "1" | "human" => ActorKind::Human,
            "2" | "bot" => ActorKind::Service,
            _ if user.starts_with("bot-") || user.starts_with("system:") => ActorKind::Service,
            _ => ActorKind::Unknown,
        };
        let uid = word(event, &["uid"]);
        let found = Found {
            format: "teleport",
            id: &uid,
            time: moment(&word(event, &["time"])),
            actor: audit::actor(user, kind),
            session: if sid.is_empty() {
                format!("{} {}", word(event, &["user"]), word(event, &["cluster_name"]))
            } else {
                sid
            },
            tool: String::new(),
            arguments: Map::new(),
            surroundings,
            outcome: act.outcome,
            gaps: act.gaps,
        };
        let action = proxied::action(&mut self.shelf, Told { found, asked: act.asked }, at);
        out.action(action)
    }

    /// What was typed into a terminal is only in its recording.
    fn end(&mut self, event: &Map<String, Value>, sid: &str, at: At, out: &mut dyn Out) -> ControlFlow<()> {
        let seen = self.sessions.remove(sid).is_some_and(|session| session.seen);
        if seen || event.get("interactive").and_then(Value::as_bool) != Some(true) {
            out.nothing();
            return ControlFlow::Continue(());
        }
        out.nothing();
        let source = self.shelf.source;
        out.issue(Issue {
            file: std::sync::Arc::clone(&source.file),
            line: at.line,
            offset: at.offset,
            problem: format!(
                "an interactive session of `{}`: what was run in it is not in this log",
                word(event, &["user"])
            ),
            advice: "turn on enhanced session recording (BPF), which tells every command".to_owned(),
            lost: false,
        })
    }
}

/// What an event says was done; nothing for log-ins, requests for access, and what Teleport does itself.
fn act(kind: &str, event: &Map<String, Value>, session: &mut Session) -> Option<Act> {
    if kind.starts_with("db.session.") || kind == "app.session.dynamodb.request" {
        return database::act(kind, event, &mut session.prepared);
    }
    match kind {
        "exec" => {
            let command = word(event, &["command"]);
            let mut gaps = Vec::new();
            if command.is_empty() {
                gaps.push(missing("the command"));
            }
            let code = word(event, &["exitCode"]).parse().ok();
            let succeeded = code.map(|code: i32| code == 0).or_else(|| event.get("exitError").map(|_| false));
            let outcome = Outcome { exit_code: code, ..proxied::ended(succeeded) };
            Some(Act { asked: Asked::Shell(command), gaps, outcome })
        }
        // Enhanced recording tells every program that was started, without its name among the arguments.
        "session.command" => {
            let program = word(event, &["path", "program"]);
            let mut argv = vec![program];
            argv.extend(
                event
                    .get("argv")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(|word| word.as_str().map(str::to_owned)),
            );
            let code: Option<i32> = word(event, &["return_code"]).parse().ok();
            let outcome = match code {
                // It could not be started.
                Some(code) if code < 0 => Outcome { exit_code: Some(code), ..audit::refused("") },
                _ => proxied::ended(None),
            };
            (!argv[0].is_empty()).then(|| Act { asked: Asked::Exec(argv), gaps: Vec::new(), outcome })
        }
        "kube.request" => kubernetes(event),
        "mcp.session.request" => {
            let message = inner(event, &["message"])?;
            let parameters = inner(message, &["params"])?;
            if word(message, &["method"]) != "tools/call" {
                return None;
            }
            let arguments = inner(parameters, &["arguments"]).cloned();
            let gaps = if arguments.is_none() { vec![missing("the arguments of the call")] } else { Vec::new() };
            let succeeded = event
                .get("success")
                .and_then(Value::as_bool)
                .or_else(|| event.get("status").and_then(|status| status.get("success")).and_then(Value::as_bool));
            let outcome = match succeeded {
                Some(false) => audit::refused(&word(event, &["error"])),
                _ => proxied::ended(None),
            };
            let tool = word(parameters, &["name"]);
            Some(Act { asked: Asked::Tool(tool, arguments.unwrap_or_default()), gaps, outcome })
        }
        _ => None,
    }
}

/// A request to a cluster, by its verb of HTTP.
fn kubernetes(event: &Map<String, Value>) -> Option<Act> {
    let path = word(event, &["request_path"]);
    let (kind, name) = (word(event, &["resource_kind"]), word(event, &["resource_name"]));
    let (path, query) = path.split_once('?').unwrap_or((&path, ""));
    let below = path.rsplit_once(&format!("/{name}/")).map_or("", |(_, below)| below);
    // The command has an event of its own, `exec`.
    if matches!(below, "exec" | "attach" | "portforward" | "log") && !name.is_empty() {
        return None;
    }
    let verb = match (word(event, &["verb"]).as_str(), name.is_empty()) {
        ("GET", false) => "get",
        ("GET", true) => "list",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", false) => "delete",
        ("DELETE", true) => "deletecollection",
        _ => return None,
    };
    let mut arguments = Map::new();
    for (key, value) in [("namespace", word(event, &["resource_namespace"])), ("name", name)] {
        if !value.is_empty() {
            arguments.insert(key.to_owned(), Value::String(value));
        }
    }
    let tried = query.split('&').any(|pair| pair.eq_ignore_ascii_case("dryRun=All"));
    if tried {
        arguments.insert("dryRun".to_owned(), Value::String("All".to_owned()));
    }
    if kind.is_empty() {
        arguments.insert("path".to_owned(), Value::String(path.to_owned()));
    }
    let resource = match (kind.is_empty(), below.is_empty()) {
        (true, _) => String::new(),
        (false, true) => format!(":{kind}"),
        (false, false) => format!(":{kind}/{below}"),
    };
    let asking = kind.ends_with("reviews") || matches!(kind.as_str(), "leases" | "events");
    let mut gaps = Vec::new();
    if matches!(verb, "create" | "update" | "patch") && !asking && !matches!(below, "eviction" | "binding" | "token") {
        gaps.push(audit::gap(GapKind::BodyMissing, Hides::Anything, "the body of the request"));
    }
    let outcome = match word(event, &["response_code"]).parse::<u16>().ok() {
        Some(code) if code < 400 => proxied::ended(Some(true)),
        Some(code) if code < 500 => audit::refused(""),
        Some(_) => Outcome { succeeded: Some(false), ..Outcome::default() },
        None => Outcome { executed: Executed::Unknown, ..Outcome::default() },
    };
    Some(Act { asked: Asked::Api(format!("kubernetes:{verb}{resource}"), arguments), gaps, outcome })
}
