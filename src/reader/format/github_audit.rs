//! GitHub: the audit log of an organisation or enterprise, and the events of repositories (GH Archive, the events API).
//!
//! `{"action":"repo.destroy","actor":"ana","@timestamp":1790000000000,"repo":"acme/mill","org":"acme"}`
//! `{"id":"1","type":"PushEvent","actor":{"login":"ana"},"repo":{"name":"acme/mill"},"payload":{…},"created_at":"…"}`

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::audit::{self, Found, Outside, Shelf};
use crate::model::{Actor, ActorKind, Gap, GapKind, Hides, Surroundings};
use crate::reader::transcript::{At, moment};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `github_audit`
#[derive(Debug)]
pub struct GithubAudit;

impl Reader for GithubAudit {
    fn name(&self) -> &'static str {
        "github_audit"
    }

    fn about(&self) -> &'static str {
        "GitHub audit logs (export, streaming, API) and repository events (GH Archive)"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let Some(head) = audit::telling(sample) else { return Match::No };
        let has = |name: &str| head.contains(&format!("\"{name}\":"));
        let audit = has("action")
            && has("actor")
            && has("@timestamp")
            && (has("org") || has("business") || has("_document_id"));
        let event = head.contains("Event\",") && has("actor") && has("repo") && has("payload") && has("created_at");
        match (audit, event) {
            (true, _) if has("_document_id") || has("operation_type") || has("org_id") => Match::Certain,
            (_, true) if head.contains("api.github.com") => Match::Certain,
            (true, _) | (_, true) => Match::Likely,
            (false, false) => Match::No,
        }
    }

    /// Exports overlap.
    fn repeats(&self) -> bool {
        true
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut shelf = Shelf::new(source);
        audit::each_record(input, &mut |record, at| match record {
            Err(problem) => shelf.lost(at, problem, out),
            Ok(text) => {
                let (any, flow) = audit::open(text, &Outside::default(), &mut |text, _| {
                    let entry: Map<String, Value> = serde_json::from_str(text).ok()?;
                    let found = entry_of_log(&entry).or_else(|| event(&entry))?;
                    Some(put(&mut shelf, &entry, found, at, out))
                });
                match (any, serde_json::from_str::<serde::de::IgnoredAny>(text)) {
                    (true, _) => flow,
                    (false, Ok(_)) => {
                        shelf.lost(at, "no entry of a log: it has no `action`, and no `type` with a `payload`", out)
                    }
                    (false, Err(error)) => shelf.lost(at, format!("not JSON: {error}"), out),
                }
            }
        })
    }
}

/// What one record says, in the words of the catalogue.
struct Said {
    operation: String,
    arguments: Map<String, Value>,
    gaps: Vec<Gap>,
}

fn put(shelf: &mut Shelf<'_>, entry: &Map<String, Value>, said: Said, at: At, out: &mut dyn Out) -> ControlFlow<()> {
    let text = |names: &[&str]| names.iter().find_map(|name| word(entry.get(*name)?));
    let actor = who(entry);
    let found = Found {
        format: "github_audit",
        id: &text(&["_document_id", "id"]).unwrap_or_default(),
        time: text(&["@timestamp", "created_at"]).and_then(|time| moment(&time)),
        session: actor.name.clone(),
        actor,
        tool: format!("api.github.com:{}", said.operation),
        arguments: said.arguments,
        surroundings: Surroundings { account: text(&["org", "business"]), ..Surroundings::default() },
        outcome: audit::went_well(),
        gaps: said.gaps,
    };
    shelf.put(found, at, out)
}

fn who(entry: &Map<String, Value>) -> Actor {
    let name = match entry.get("actor") {
        Some(Value::Object(actor)) => actor.get("login").and_then(word),
        Some(actor) => word(actor),
        None => None,
    };
    let name = name.or_else(|| word(entry.get("user")?)).unwrap_or_else(|| "unknown".to_owned());
    let says = |key: &str| entry.get(key).and_then(Value::as_bool) == Some(true);
    let kind = match () {
        () if says("actor_is_agent") => ActorKind::Agent,
        () if says("actor_is_bot") || name.ends_with("[bot]") => ActorKind::Service,
        () => ActorKind::Unknown,
    };
    audit::actor(name, kind)
}

/// A value that is a word of its own.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

fn entry_of_log(entry: &Map<String, Value>) -> Option<Said> {
    const FRAME: &[&str] = &[
        "action",
        "actor",
        "@timestamp",
        "_document_id",
        "created_at",
        "actor_id",
        "actor_ip",
        "actor_location",
        "user_agent",
        "hashed_token",
        "request_id",
        "org_id",
        "repo_id",
        "repository_id",
        "user_id",
        "business_id",
        "external_identity_nameid",
        "external_identity_username",
        "operation_type",
        "actor_is_bot",
        "actor_is_agent",
        "token_id",
        "request_access_security_header",
    ];
    let action = entry.get("action")?.as_str().filter(|action| action.contains('.'))?;
    let mut arguments: Map<String, Value> = entry
        .iter()
        .filter(|(key, value)| !FRAME.contains(&&***key) && !value.is_null())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let about = ["repo", "repository", "team", "name", "user", "org", "business"];
    if let Some(which) = about.iter().find_map(|key| word(entry.get(*key)?)) {
        arguments.insert("which".to_owned(), Value::String(which));
    }
    if let (None, Some(repository)) = (entry.get("repo"), entry.get("repository")) {
        arguments.insert("repo".to_owned(), repository.clone());
    }
    Some(Said { operation: action.to_owned(), arguments, gaps: Vec::new() })
}

/// `PushEvent` and its kin: only so much of the payload as says what was done.
fn event(entry: &Map<String, Value>) -> Option<Said> {
    let kind = entry.get("type")?.as_str()?.strip_suffix("Event")?.to_ascii_lowercase();
    let payload = entry.get("payload")?;
    let mut arguments = Map::new();
    let mut put = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            arguments.insert(key.to_owned(), Value::String(value));
        }
    };
    put("repo", entry.get("repo").and_then(|repo| word(repo.get("name")?)));
    let reference = payload.get("ref").and_then(word);
    put(
        "ref",
        reference.map(|name| name.trim_start_matches("refs/heads/").trim_start_matches("refs/tags/").to_owned()),
    );
    for key in ["ref_type", "action", "forced", "number"] {
        put(key, payload.get(key).and_then(word));
    }
    let pull = payload.get("pull_request");
    put("merged", pull.and_then(|pull| word(pull.get("merged")?)));
    put("base", pull.and_then(|pull| word(pull.get("base")?.get("ref")?)));
    for about in ["pull_request", "issue", "discussion", "release"] {
        put("number", payload.get(about).and_then(|about| word(about.get("number")?)));
    }
    put("user", payload.get("member").and_then(|member| word(member.get("login")?)));
    let mut gaps = Vec::new();
    if kind == "push" && payload.get("forced").is_none() {
        gaps.push(audit::gap(GapKind::ParametersMissing, Hides::Nothing, "whether it was forced"));
    }
    Some(Said { operation: format!("event.{kind}"), arguments, gaps })
}
