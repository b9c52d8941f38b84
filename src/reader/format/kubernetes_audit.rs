//! Kubernetes audit logs (`audit.k8s.io`): the API server's own files, webhook batches, and what EKS and AKS put around them.
//!
//! `{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"…","stage":"ResponseComplete","verb":"delete","objectRef":{…}}`

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::audit::{self, Found, Outside, Pairs, Part, Shelf};
use crate::model::{Action, Actor, ActorKind, Executed, Gap, GapKind, Hides, Outcome, Surroundings};
use crate::reader::transcript::{At, Loose, Word, moment};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `kubernetes_audit`
#[derive(Debug)]
pub struct KubernetesAudit;

impl Reader for KubernetesAudit {
    fn name(&self) -> &'static str {
        "kubernetes_audit"
    }

    fn about(&self) -> &'static str {
        "Kubernetes audit logs (audit.k8s.io): files, webhook batches, EKS in CloudWatch, AKS diagnostics"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let Some(head) = audit::telling(sample) else { return Match::No };
        match head.contains("\"apiVersion\":\"audit.k8s.io/") {
            true if head.contains("\"kind\":\"Event") => Match::Certain,
            true => Match::Likely,
            false => Match::No,
        }
    }

    /// Rotated files overlap, and a request that takes long is told of at its start and at its end.
    fn repeats(&self) -> bool {
        true
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut log = Log { shelf: Shelf::new(source), pairs: Pairs::new(true, true) };
        audit::each_record(input, &mut |record, at| match record {
            Err(problem) => log.shelf.lost(at, problem, out),
            Ok(text) => {
                let (any, flow) = audit::open(text, &Outside::default(), &mut |text, outside| {
                    let event: Event<'_> = serde_json::from_str(text).ok()?;
                    event.is_one().then(|| log.take(&event, outside, at, out))
                });
                if any {
                    return flow;
                }
                match serde_json::from_str::<Value>(text) {
                    // The other logs of a control plane come in the same envelopes.
                    Ok(Value::Object(row))
                        if ["message", "@message", "properties"].iter().any(|key| row.contains_key(*key)) =>
                    {
                        out.nothing();
                        ControlFlow::Continue(())
                    }
                    Ok(_) => log.shelf.lost(at, "no audit event: it has no `auditID` and `verb`", out),
                    Err(error) => log.shelf.lost(at, format!("not JSON: {error}"), out),
                }
            }
        })?;
        let _ = log.pairs.finish(out);
        Ok(())
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Event<'a> {
    #[serde(borrow)]
    level: Word<'a>,
    #[serde(borrow, rename = "auditID")]
    audit_id: Word<'a>,
    #[serde(borrow)]
    stage: Word<'a>,
    #[serde(borrow, rename = "requestURI")]
    request_uri: Word<'a>,
    #[serde(borrow)]
    verb: Word<'a>,
    #[serde(borrow)]
    user: Loose<User<'a>>,
    #[serde(borrow)]
    impersonated_user: Loose<User<'a>>,
    #[serde(borrow)]
    user_agent: Word<'a>,
    #[serde(borrow)]
    object_ref: Loose<Reference<'a>>,
    #[serde(borrow)]
    response_status: Loose<Status<'a>>,
    #[serde(borrow)]
    request_object: Option<&'a RawValue>,
    #[serde(borrow)]
    request_received_timestamp: Word<'a>,
    #[serde(borrow)]
    stage_timestamp: Word<'a>,
    /// Before `v1`.
    #[serde(borrow)]
    timestamp: Word<'a>,
    #[serde(borrow)]
    annotations: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct User<'a> {
    #[serde(borrow)]
    username: Word<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Reference<'a> {
    #[serde(borrow)]
    resource: Word<'a>,
    #[serde(borrow)]
    namespace: Word<'a>,
    #[serde(borrow)]
    name: Word<'a>,
    #[serde(borrow)]
    subresource: Word<'a>,
    #[serde(borrow)]
    api_group: Word<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status<'a> {
    #[serde(borrow)]
    code: Word<'a>,
    #[serde(borrow)]
    reason: Word<'a>,
    #[serde(borrow)]
    message: Word<'a>,
}

impl Event<'_> {
    fn is_one(&self) -> bool {
        self.verb.get().is_some() && self.audit_id.get().is_some() && self.stage.get().is_some()
    }
}

struct Log<'s> {
    shelf: Shelf<'s>,
    pairs: Pairs,
}

impl Log<'_> {
    fn take(&mut self, event: &Event<'_>, outside: &Outside, at: At, out: &mut dyn Out) -> ControlFlow<()> {
        let action = self.action(event, outside, at);
        let part = if event.stage.text() == "RequestReceived" { Part::Start } else { Part::End };
        self.pairs.take(action, part, out)
    }

    fn action(&mut self, event: &Event<'_>, outside: &Outside, at: At) -> Action {
        let none = Reference::default();
        let reference = event.object_ref.0.as_ref().unwrap_or(&none);
        let mut gaps = Vec::new();
        let arguments = arguments(event, reference, &mut gaps);
        let resource = match (reference.resource.text(), reference.subresource.get()) {
            (resource, Some(sub)) => format!("{resource}/{sub}"),
            (resource, None) => resource.to_owned(),
        };
        let verb = event.verb.text();
        let tool =
            if resource.is_empty() { format!("kubernetes:{verb}") } else { format!("kubernetes:{verb}:{resource}") };
        let user = event.user.0.as_ref().map_or("", |user| user.username.text());
        let time = [&event.request_received_timestamp, &event.timestamp, &event.stage_timestamp];
        let session = format!("{user} {}", event.user_agent.text());
        self.shelf.action(
            Found {
                format: "kubernetes_audit",
                id: event.audit_id.text(),
                time: time.iter().find_map(|time| moment(time.text())),
                actor: who(user),
                session: session.trim().to_owned(),
                tool,
                arguments,
                surroundings: Surroundings { cluster: cluster(&outside.place), ..Surroundings::default() },
                outcome: outcome(event),
                gaps,
            },
            at,
        )
    }
}

/// Components and service accounts say so in their names; the rest may be people or their tools.
fn who(user: &str) -> Actor {
    let kind = match user {
        // The cluster's own administrator: whoever has the file.
        "system:admin" | "kubernetes-admin" => ActorKind::Unknown,
        user if user.starts_with("system:") || user.starts_with("eks:") || user == "aksService" => ActorKind::Service,
        _ => ActorKind::Unknown,
    };
    audit::actor(if user.is_empty() { "unknown" } else { user }, kind)
}

/// `/aws/eks/shop/cluster` and `/SUBSCRIPTIONS/…/MANAGEDCLUSTERS/SHOP`.
fn cluster(place: &str) -> Option<String> {
    let parts: Vec<&str> = place.split(['/', ':']).collect();
    let behind =
        |word: &str| parts.iter().position(|part| part.eq_ignore_ascii_case(word)).and_then(|at| parts.get(at + 1));
    behind("eks").or_else(|| behind("managedClusters")).filter(|name| !name.is_empty()).map(|name| (*name).to_owned())
}

fn outcome(event: &Event<'_>) -> Outcome {
    let none = Status::default();
    let status = event.response_status.0.as_ref().unwrap_or(&none);
    let forbidden =
        audit::object(event.annotations).get("authorization.k8s.io/decision").is_some_and(|it| it == "forbid");
    match (event.stage.text(), status.code.text().parse::<u16>().ok()) {
        ("RequestReceived", _) => Outcome::default(),
        ("Panic", _) => Outcome { executed: Executed::Unknown, succeeded: Some(false), ..Outcome::default() },
        (_, Some(code)) if code < 400 => audit::went_well(),
        // A server that failed half way may have done it.
        (_, Some(code)) if code >= 500 => {
            Outcome { executed: Executed::Unknown, succeeded: Some(false), ..Outcome::default() }
        }
        (_, Some(_)) => {
            let message = status.message.get().or(status.reason.get()).unwrap_or_default();
            audit::refused(message)
        }
        (_, None) if forbidden => audit::refused("forbidden"),
        (_, None) => Outcome::default(),
    }
}

/// Bodies of these change nothing that a policy looks at: leases, states, what a component asks about somebody.
pub(super) fn is_bookkeeping(resource: &str, subresource: &str) -> bool {
    const RESOURCES: &[&str] = &[
        "leases",
        "events",
        "endpoints",
        "endpointslices",
        "tokenreviews",
        "subjectaccessreviews",
        "selfsubjectaccessreviews",
        "selfsubjectrulesreviews",
        "localsubjectaccessreviews",
        "csinodes",
        "csistoragecapacities",
        "controllerrevisions",
    ];
    RESOURCES.contains(&resource)
        || matches!(
            subresource,
            "status"
                | "token"
                | "binding"
                | "eviction"
                | "approval"
                | "exec"
                | "attach"
                | "portforward"
                | "proxy"
                | "log"
        )
}

fn arguments(event: &Event<'_>, reference: &Reference<'_>, gaps: &mut Vec<Gap>) -> Map<String, Value> {
    let mut arguments = Map::new();
    let mut put = |key: &str, value: &str| {
        if !value.is_empty() {
            arguments.insert(key.to_owned(), Value::String(value.to_owned()));
        }
    };
    put("namespace", reference.namespace.text());
    put("name", reference.name.text());
    put("apiGroup", reference.api_group.text());
    if let Some(user) = &event.impersonated_user.0 {
        put("impersonatedUser", user.username.text());
    }
    let uri = event.request_uri.text();
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    if reference.resource.get().is_none() {
        put("path", path);
    }
    let mut command = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (key, value) = (decoded(key), decoded(value));
        match &*key {
            "command" => command.push(Value::String(value)),
            // What only says how the answer is to look.
            "limit"
            | "timeout"
            | "timeoutSeconds"
            | "continue"
            | "allowWatchBookmarks"
            | "fieldManager"
            | "stdout"
            | "stderr"
            | "includeUninitialized"
            | "pretty"
            | "fieldValidation" => {}
            _ => put(&key, &value),
        }
    }
    let exec = reference.subresource.text() == "exec";
    if !command.is_empty() {
        arguments.insert("command".to_owned(), Value::Array(command));
    } else if exec && query.is_empty() {
        gaps.push(audit::gap(GapKind::ParametersMissing, Hides::Anything, "the command that was run in the pod"));
    }
    match event.request_object.map(|body| serde_json::from_str::<Value>(body.get())) {
        Some(Ok(mut body @ (Value::Object(_) | Value::Array(_)))) => {
            without_bookkeeping(&mut body);
            arguments.insert("object".to_owned(), body);
        }
        _ if matches!(event.verb.text(), "update" | "patch" | "create")
            && reference.resource.get().is_some()
            && !is_bookkeeping(reference.resource.text(), reference.subresource.text()) =>
        {
            let detail = format!("the body of the request, at audit level {}", event.level.text());
            gaps.push(audit::gap(GapKind::BodyMissing, Hides::Anything, detail));
        }
        _ => {}
    }
    arguments
}

/// Who wrote which field when, and what was applied last: long, and said again by the rest.
fn without_bookkeeping(body: &mut Value) {
    let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    metadata.remove("managedFields");
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
}

/// A part of a query without its percent signs.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(&byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).and_then(|two| std::str::from_utf8(two).ok());
        match (byte, hex.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(decoded)) => {
                out.push(decoded);
                at += 3;
                continue;
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}
