//! Decision logs of Open Policy Agent: what was asked about, and what was answered.
//!
//! `{"decision_id":"…","path":"http/authz/allow","input":{"method":"DELETE","path":["users","7"]},"result":false,…}`
//!
//! The input is whatever the caller sent; the usual callers are known here. An input that was erased or masked leaves a
//! gap: nothing can be said about it.

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::audit::{self, Found, Outside, Shelf};
use super::proxied::{self, Asked, Told, inner, missing, word};
use crate::model::{ActorKind, Executed, Gap, GapKind, Hides, Outcome, Surroundings};
use crate::reader::transcript::{At, moment};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `opa`
#[derive(Debug)]
pub struct Opa;

impl Reader for Opa {
    fn name(&self) -> &'static str {
        "opa"
    }

    fn about(&self) -> &'static str {
        "Open Policy Agent decision logs: uploads (JSON lists), the console's lines, Envoy and admission requests in them"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let Some(head) = audit::telling(sample) else { return Match::No };
        let asked = head.contains("\"path\":") || head.contains("\"query\":\"");
        match head.contains("\"decision_id\":\"")
            && asked
            && (head.contains("\"result\":") || head.contains("\"labels\":"))
        {
            true => Match::Certain,
            false => Match::No,
        }
    }

    /// What could not be delivered is sent again.
    fn repeats(&self) -> bool {
        true
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut shelf = Shelf::new(source);
        audit::each_record(input, &mut |record, at| match record {
            Err(problem) => shelf.lost(at, problem, out),
            Ok(text) => {
                let (any, flow) = audit::open(text, &Outside::default(), &mut |text, _| {
                    let decision: Map<String, Value> = serde_json::from_str(text).ok()?;
                    decision.get("decision_id")?.as_str()?;
                    Some(taken(&mut shelf, &decision, at, out))
                });
                match serde_json::from_str::<Value>(text) {
                    _ if any => flow,
                    // The server's own messages stand between its decisions on the console.
                    Ok(Value::Object(row)) if row.contains_key("level") && row.contains_key("msg") => {
                        out.nothing();
                        ControlFlow::Continue(())
                    }
                    Ok(_) => shelf.lost(at, "no decision of OPA: it has no `decision_id`", out),
                    Err(error) => shelf.lost(at, format!("not JSON: {error}"), out),
                }
            }
        })
    }
}

fn taken(shelf: &mut Shelf<'_>, decision: &Map<String, Value>, at: At, out: &mut dyn Out) -> ControlFlow<()> {
    let path = word(decision, &["path", "query"]);
    let path = path.strip_prefix("data.").map_or_else(|| path.clone(), |path| path.replace('.', "/"));
    // What OPA asks itself: whether a request to it is allowed, how it is.
    if path.starts_with("system/") && path != "system/main" {
        out.nothing();
        return ControlFlow::Continue(());
    }
    let mut gaps = kept_back(decision);
    let none = Map::new();
    let asked_about = inner(decision, &["input"]);
    if asked_about.is_none() && gaps.is_empty() {
        gaps.push(missing("the input of the decision"));
    }
    let input = asked_about.unwrap_or(&none);
    let asked = asked(input, &path, &mut gaps);
    let id = word(decision, &["decision_id"]);
    let found = Found {
        format: "opa",
        id: &id,
        time: moment(&word(decision, &["timestamp", "time"])),
        actor: audit::actor(who(input), ActorKind::Unknown),
        session: word(decision, &["trace_id"]),
        tool: String::new(),
        arguments: Map::new(),
        surroundings: Surroundings {
            host: inner(decision, &["labels"])
                .map(|labels| word(labels, &["app", "id"]))
                .filter(|name| !name.is_empty()),
            ..Surroundings::default()
        },
        outcome: outcome(decision.get("result")),
        gaps,
    };
    let action = proxied::action(shelf, Told { found, asked }, at);
    out.action(action)
}

/// What was taken out of a decision before it was logged.
fn kept_back(decision: &Map<String, Value>) -> Vec<Gap> {
    let paths = |key: &str| decision.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let of_input = paths("erased").chain(paths("masked")).filter(|path| path.starts_with("/input"));
    // Who asked, and with which secret, says nothing about what was asked for.
    let person = ["user", "subject", "token", "password", "secret", "headers", "authorization", "jwt", "email"];
    let hides = |path: &str| match path.rsplit('/').any(|part| person.contains(&part.to_ascii_lowercase().as_str())) {
        true => Hides::Nothing,
        false => Hides::Anything,
    };
    of_input.map(|path| audit::gap(GapKind::Redacted, hides(path), path)).collect()
}

/// Who asked, as far as the usual inputs say.
fn who(input: &Map<String, Value>) -> String {
    let user = inner(input, &["request"]).and_then(|request| inner(request, &["userInfo"]));
    if let Some(user) = user {
        return word(user, &["username"]);
    }
    let people = ["user", "subject", "principal", "identity", "actor", "context"];
    match people.iter().find_map(|key| input.get(*key)) {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Object(person)) => word(person, &["username", "name", "email", "id", "sub", "user"]),
        _ => String::new(),
    }
}

/// What the decision was about.
fn asked(input: &Map<String, Value>, path: &str, gaps: &mut Vec<Gap>) -> Asked {
    if let Some(request) = inner(input, &["request"]).filter(|request| request.contains_key("operation")) {
        return admission(request);
    }
    let attributes = inner(input, &["attributes"]).and_then(|attributes| inner(attributes, &["request"]));
    if let Some(http) = attributes.and_then(|request| inner(request, &["http"])) {
        return http_request(http, gaps);
    }
    let known = |names: &[&str]| word(input, names);
    let protocol = known(&["protocol", "dialect", "db_protocol"]);
    let statement = known(&["statement", "sql", "db_query"]);
    if !statement.is_empty() {
        return Asked::of_database(&protocol, &statement, &known(&["database", "db"]));
    }
    if input.contains_key("method") && input.contains_key("path") {
        return http_request(input, gaps);
    }
    let tool = known(&["tool", "tool_name"]);
    if !tool.is_empty() {
        let arguments = inner(input, &["arguments", "args", "tool_input", "parameters", "params", "input"]).cloned();
        if arguments.is_none() && gaps.is_empty() {
            gaps.push(missing("the arguments of the call"));
        }
        return Asked::Tool(tool, arguments.unwrap_or_default());
    }
    match (input.get("command").or_else(|| input.get("cmd")), input.get("argv")) {
        (Some(Value::String(line)), _) => Asked::Shell(line.clone()),
        (Some(Value::Array(words)), _) | (_, Some(Value::Array(words))) if words.iter().all(Value::is_string) => {
            Asked::Exec(words.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        }
        _ => Asked::Tool(format!("opa:{path}"), input.clone()),
    }
}

/// A request to a Kubernetes API server, before it is carried out.
fn admission(request: &Map<String, Value>) -> Asked {
    let operation = word(request, &["operation"]).to_ascii_lowercase();
    let resource = inner(request, &["resource"]).map(|resource| word(resource, &["resource"]));
    let kind = inner(request, &["kind"]).map(|kind| format!("{}s", word(kind, &["kind"]).to_ascii_lowercase()));
    let resource = resource.filter(|name| !name.is_empty()).or(kind).unwrap_or_default();
    let resource = match word(request, &["subResource"]) {
        below if below.is_empty() => resource,
        below => format!("{resource}/{below}"),
    };
    let verb = if operation == "connect" { "create".to_owned() } else { operation };
    let mut arguments = Map::new();
    for key in ["namespace", "name"] {
        let value = word(request, &[key]);
        if !value.is_empty() {
            arguments.insert(key.to_owned(), Value::String(value));
        }
    }
    if request.get("dryRun").and_then(Value::as_bool) == Some(true) {
        arguments.insert("dryRun".to_owned(), Value::String("All".to_owned()));
    }
    if let Some(object @ Value::Object(_)) = request.get("object") {
        arguments.insert("object".to_owned(), object.clone());
        // `kubectl exec` is a connection whose options are the object.
        if let Some(command @ Value::Array(_)) = object.get("command") {
            arguments.insert("command".to_owned(), command.clone());
        }
    }
    Asked::Api(format!("kubernetes:{verb}:{resource}"), arguments)
}

fn http_request(http: &Map<String, Value>, gaps: &mut Vec<Gap>) -> Asked {
    let path = match http.get("path") {
        Some(Value::Array(parts)) => {
            parts.iter().filter_map(Value::as_str).map(|part| format!("/{part}")).collect::<String>()
        }
        _ => word(http, &["path"]),
    };
    let method = word(http, &["method"]).to_ascii_uppercase();
    let host = word(http, &["host"]);
    let body = match http.get("body").or_else(|| http.get("raw_body")) {
        Some(Value::String(body)) => body.clone(),
        Some(body @ (Value::Object(_) | Value::Array(_))) => body.to_string(),
        _ => String::new(),
    };
    if body.is_empty() && matches!(method.as_str(), "POST" | "PUT" | "PATCH") && gaps.is_empty() {
        gaps.push(missing("the body of the request"));
    }
    let host = if host.is_empty() { "unknown".to_owned() } else { host };
    let slash = if path.starts_with('/') { "" } else { "/" };
    Asked::of_http(&method, &format!("http://{host}{slash}{path}"), Some(&body))
}

/// What was forbidden was not done; what was allowed may have been.
fn outcome(result: Option<&Value>) -> Outcome {
    let flag = |value: &Value| match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => match text.as_str() {
            "true" | "allow" | "allowed" => Some(true),
            "false" | "deny" | "denied" => Some(false),
            _ => None,
        },
        _ => None,
    };
    let response = result.and_then(|result| result.get("response"));
    let stated = [response, result].into_iter().flatten().find_map(|result| {
        let allowed = ["allow", "allowed", "decision"].iter().find_map(|key| result.get(*key).and_then(flag));
        let denied = ["denied", "deny"].iter().find_map(|key| match result.get(*key)? {
            Value::Bool(flag) => Some(!flag),
            Value::Array(reasons) => Some(reasons.is_empty()),
            _ => None,
        });
        allowed.or(denied).or_else(|| flag(result))
    });
    match stated {
        Some(false) => {
            let result = response.or(result);
            let message =
                result.and_then(|result| result.get("message").or_else(|| result.get("status")?.get("message")));
            audit::refused(message.and_then(Value::as_str).unwrap_or_default())
        }
        Some(true) | None => Outcome { executed: Executed::Unknown, ..Outcome::default() },
    }
}
