//! Google Cloud Audit Logs: lists of `gcloud logging read`, sinks with one entry a line, and GKE's requests among them.
//!
//! `{"insertId":"…","protoPayload":{"serviceName":"compute.googleapis.com","methodName":"v1.compute.instances.delete",…}}`

mod database;

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::audit::{self, Found, Outside, Pairs, Part, Shelf};
use super::kubernetes_audit;
use crate::model::{Action, ActorKind, Executed, Gap, GapKind, Hides, Kind, Outcome, Surroundings};
use crate::reader::transcript::{At, Flag, Loose, Word, moment};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `gcp_audit`
#[derive(Debug)]
pub struct GcpAudit;

impl Reader for GcpAudit {
    fn name(&self) -> &'static str {
        "gcp_audit"
    }

    fn about(&self) -> &'static str {
        "Google Cloud Audit Logs: gcloud logging read, sink exports, GKE audit, pgAudit and MySQL audit of Cloud SQL"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let Some(head) = audit::telling(sample) else { return Match::No };
        let audited = head.contains("type.googleapis.com/google.cloud.audit.AuditLog");
        match audited || head.contains("\"protoPayload\":") && head.contains("\"methodName\":\"") {
            // A reader of its own may know the jobs of BigQuery better.
            true if head.contains("BigQueryAuditMetadata") => Match::Likely,
            true if audited => Match::Certain,
            true => Match::Likely,
            false => Match::No,
        }
    }

    /// Sinks overlap; an entry has one `insertId`.
    fn repeats(&self) -> bool {
        true
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut shelf = Shelf::new(source);
        // The end of an operation that takes long does not say any more what was asked for.
        let mut pairs = Pairs::new(false, false);
        let mut pgaudit = database::PgAudit::new(source);
        audit::each_record(input, &mut |record, at| match record {
            Err(problem) => shelf.lost(at, problem, out),
            Ok(text) => {
                let (any, flow) = audit::open(text, &Outside::default(), &mut |text, _| {
                    let entry: Entry<'_> = serde_json::from_str(text).ok()?;
                    entry.insert_id.get()?;
                    Some(match &entry.proto_payload.0 {
                        Some(payload) if payload.method_name.get().is_some() && !entry.is_of_system() => {
                            let request = audit::object(payload.request);
                            if database::pgaudit(&request) {
                                let account = entry.account(payload);
                                let around = database::Around {
                                    time: moment(entry.timestamp.text()),
                                    account: account.as_deref().unwrap_or_default(),
                                    resource: payload.resource_name.text(),
                                };
                                return Some(pgaudit.take(&request, &around, at, out));
                            }
                            let (mut action, part) = action(&mut shelf, &entry, payload, at);
                            if let Some(told) = database::mysql(&request) {
                                as_told(&mut action, told);
                            }
                            pairs.take(action, part, out)
                        }
                        // Other logs of the same project, and what Google did by itself.
                        _ => {
                            out.nothing();
                            ControlFlow::Continue(())
                        }
                    })
                });
                match (any, serde_json::from_str::<serde::de::IgnoredAny>(text)) {
                    (true, _) => flow,
                    (false, Ok(_)) => shelf.lost(at, "no entry of a log: it has no `insertId`", out),
                    (false, Err(error)) => shelf.lost(at, format!("not JSON: {error}"), out),
                }
            }
        })?;
        if pairs.finish(out).is_continue() {
            let _ = pgaudit.finish(out);
        }
        Ok(())
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(borrow)]
    insert_id: Word<'a>,
    #[serde(borrow)]
    log_name: Word<'a>,
    #[serde(borrow)]
    timestamp: Word<'a>,
    #[serde(borrow)]
    proto_payload: Loose<Payload<'a>>,
    #[serde(borrow)]
    operation: Loose<Operation<'a>>,
    #[serde(borrow)]
    resource: Loose<Resource<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Operation<'a> {
    #[serde(borrow)]
    id: Word<'a>,
    first: Flag,
    last: Flag,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resource<'a> {
    #[serde(borrow)]
    labels: Loose<Labels<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Labels<'a> {
    #[serde(borrow)]
    project_id: Word<'a>,
    #[serde(borrow)]
    cluster_name: Word<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(borrow)]
    service_name: Word<'a>,
    #[serde(borrow)]
    method_name: Word<'a>,
    #[serde(borrow)]
    resource_name: Word<'a>,
    #[serde(borrow)]
    authentication_info: Loose<Authentication<'a>>,
    #[serde(borrow)]
    authorization_info: Option<&'a RawValue>,
    #[serde(borrow)]
    request: Option<&'a RawValue>,
    #[serde(borrow)]
    service_data: Option<&'a RawValue>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Loose<Status<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Authentication<'a> {
    #[serde(borrow)]
    principal_email: Word<'a>,
    #[serde(borrow)]
    principal_subject: Word<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status<'a> {
    #[serde(borrow)]
    code: Word<'a>,
    #[serde(borrow)]
    message: Word<'a>,
}

impl Entry<'_> {
    fn is_of_system(&self) -> bool {
        self.log_name.text().contains("system_event")
    }

    fn account(&self, payload: &Payload<'_>) -> Option<String> {
        let labels = self.resource.0.as_ref().and_then(|resource| resource.labels.0.as_ref());
        let labelled = labels.and_then(|labels| labels.project_id.get()).map(str::to_owned);
        labelled.or_else(|| project(payload.resource_name.text()))
    }
}

fn action(shelf: &mut Shelf<'_>, entry: &Entry<'_>, payload: &Payload<'_>, at: At) -> (Action, Part) {
    let none = Operation::default();
    let operation = entry.operation.0.as_ref().unwrap_or(&none);
    let part = match (operation.first.0 == Some(true), operation.last.0 == Some(true)) {
        (true, false) => Part::Start,
        (false, true) => Part::End,
        _ => Part::Whole,
    };
    let id = match part {
        Part::Whole => entry.insert_id.text(),
        Part::Start | Part::End => operation.id.text(),
    };
    let labels = entry.resource.0.as_ref().and_then(|resource| resource.labels.0.as_ref());
    let label = |word: Option<&Word<'_>>| word.and_then(Word::get).map(str::to_owned);
    let account = entry.account(payload);
    let cluster = label(labels.map(|labels| &labels.cluster_name));
    let who = payload.authentication_info.0.as_ref();
    let name = who.and_then(|who| who.principal_email.get().or(who.principal_subject.get())).unwrap_or("unknown");
    let kind = match name {
        name if name.contains("gserviceaccount.com") || name.starts_with("system:") => ActorKind::Service,
        name if name.contains('@') => ActorKind::Human,
        _ => ActorKind::Unknown,
    };
    let mut gaps = Vec::new();
    let (tool, arguments) = match kubernetes(payload, &mut gaps).or_else(|| bigquery(payload)) {
        Some(request) => request,
        None => call(payload, part, &mut gaps),
    };
    let found = Found {
        format: "gcp_audit",
        id,
        time: moment(entry.timestamp.text()),
        actor: audit::actor(name, kind),
        session: name.to_owned(),
        tool,
        arguments,
        surroundings: Surroundings { account, cluster, ..Surroundings::default() },
        outcome: Outcome { rows: rows(payload), ..outcome(payload, part) },
        gaps,
    };
    let mut action = shelf.action(found, at);
    if let Some((query, cut)) = query(payload) {
        as_query(&mut action, query, "bigquery");
        if cut {
            action.gaps.push(audit::gap(GapKind::Truncated, Hides::Anything, "the query"));
        }
    }
    (action, part)
}

fn project(resource: &str) -> Option<String> {
    let rest = resource.strip_prefix("projects/")?;
    rest.split('/').next().filter(|name| !name.is_empty() && *name != "_").map(str::to_owned)
}

/// The method and what it was asked.
fn call(payload: &Payload<'_>, part: Part, gaps: &mut Vec<Gap>) -> (String, Map<String, Value>) {
    let mut arguments = Map::new();
    if let Some(name) = payload.resource_name.get() {
        arguments.insert("resourceName".to_owned(), Value::String(name.to_owned()));
    }
    let mut request = audit::object(payload.request);
    request.remove("@type");
    if !request.is_empty() {
        arguments.insert("request".to_owned(), Value::Object(request));
    }
    let delta = [payload.service_data, payload.metadata].into_iter().find_map(|data| {
        let data = audit::object(data);
        data.get("policyDelta")?.get("bindingDeltas").cloned()
    });
    if let Some(delta) = delta {
        arguments.insert("delta".to_owned(), delta);
    }
    let method = payload.method_name.text();
    let last = method.rsplit('.').next().unwrap_or(method).to_ascii_lowercase();
    let decides = ["set", "update", "patch", "insert"].iter().any(|verb| last.starts_with(verb));
    let silent = !arguments.contains_key("request") && !arguments.contains_key("delta");
    if decides && silent && part != Part::End && !payload.service_name.text().starts_with("storage.") {
        gaps.push(audit::gap(GapKind::BodyMissing, Hides::Anything, "what was asked for"));
    }
    (format!("{}:{method}", payload.service_name.text()), arguments)
}

/// GKE's API server writes its audit log as entries: `io.k8s.core.v1.pods.delete` of `core/v1/namespaces/a/pods/b`.
fn kubernetes(payload: &Payload<'_>, gaps: &mut Vec<Gap>) -> Option<(String, Map<String, Value>)> {
    if payload.service_name.text() != "k8s.io" {
        return None;
    }
    let verb = payload.method_name.text().rsplit('.').next()?;
    let parts: Vec<&str> = payload.resource_name.text().split('/').skip(2).collect();
    let (namespace, rest) = match parts[..] {
        ["namespaces", namespace, _, ..] => (Some(namespace), parts.get(2..)?),
        _ => (None, &parts[..]),
    };
    let resource = match (rest.first()?, rest.get(2)) {
        (resource, Some(sub)) => format!("{resource}/{sub}"),
        (resource, None) => (*resource).to_owned(),
    };
    let mut arguments = Map::new();
    for (key, value) in [("namespace", namespace), ("name", rest.get(1).copied())] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            arguments.insert(key.to_owned(), Value::String(value.to_owned()));
        }
    }
    let mut body = audit::object(payload.request);
    body.remove("@type");
    let command = body.get("command").filter(|command| command.is_array()).cloned();
    let (kind, sub) = resource.split_once('/').unwrap_or((&resource, ""));
    if let Some(command) = command {
        arguments.insert("command".to_owned(), command);
    } else if sub == "exec" {
        gaps.push(audit::gap(GapKind::ParametersMissing, Hides::Anything, "the command that was run in the pod"));
    }
    if !body.is_empty() {
        arguments.insert("object".to_owned(), Value::Object(body));
    } else if matches!(verb, "create" | "update" | "patch") && !kubernetes_audit::is_bookkeeping(kind, sub) {
        gaps.push(audit::gap(GapKind::BodyMissing, Hides::Anything, "the body of the request"));
    }
    Some((format!("kubernetes:{verb}:{resource}"), arguments))
}

/// What a job of BigQuery did that is no query, and what jobs did to tables: the method says `InsertJob` of them all.
fn bigquery(payload: &Payload<'_>) -> Option<(String, Map<String, Value>)> {
    if !payload.service_name.text().starts_with("bigquery.") {
        return None;
    }
    let metadata = audit::object(payload.metadata);
    let job = ["jobInsertion", "jobChange"].iter().find_map(|key| metadata.get(*key)?.get("job")?.get("jobConfig"));
    let told = |config: &str, member: &str| job?.get(config)?.get(member).cloned();
    let (method, thing, to) = if let Some(table) = told("extractConfig", "sourceTable") {
        ("jobs.extract", table, told("extractConfig", "destinationUris"))
    } else if let Some(table) = told("loadConfig", "destinationTable") {
        ("jobs.load", table, None)
    } else if let Some(table) = told("tableCopyConfig", "destinationTable") {
        ("jobs.copy", table, None)
    } else {
        let method = match (metadata.get("tableDataRead"), metadata.get("tableDataChange")) {
            (Some(_), _) => "tabledata.read",
            (None, Some(change)) if change.get("deletedRowsCount").is_some() => "tabledata.remove",
            (None, Some(_)) => "tabledata.append",
            (None, None) => return None,
        };
        (method, Value::String(payload.resource_name.get()?.to_owned()), None)
    };
    let mut arguments = Map::new();
    arguments.insert("resourceName".to_owned(), thing);
    let to = to.and_then(|to| to.get(0).and_then(Value::as_str).map(str::to_owned));
    if let Some(to) = to {
        arguments.insert("destination".to_owned(), Value::String(to));
    }
    Some((format!("bigquery.googleapis.com:v2.bigquery.{method}"), arguments))
}

/// Rows that a job changed in a table.
fn rows(payload: &Payload<'_>) -> Option<u64> {
    let metadata = audit::object(payload.metadata);
    let change = metadata.get("tableDataChange")?;
    let count = |name: &str| change.get(name)?.as_str()?.parse::<u64>().ok();
    ["deletedRowsCount", "insertedRowsCount"].iter().filter_map(|name| count(name)).max()
}

/// The query of a BigQuery job, and whether it was cut.
fn query(payload: &Payload<'_>) -> Option<(String, bool)> {
    if !payload.service_name.text().starts_with("bigquery.") {
        return None;
    }
    let metadata = audit::object(payload.metadata);
    let config = ["jobInsertion", "jobChange"]
        .iter()
        .find_map(|key| metadata.get(*key)?.get("job")?.get("jobConfig")?.get("queryConfig"));
    if let Some(config) = config {
        let cut = config.get("queryTruncated").and_then(Value::as_bool) == Some(true);
        return Some((config.get("query")?.as_str()?.to_owned(), cut));
    }
    let data = audit::object(payload.service_data);
    let job = ["jobCompletedEvent", "jobInsertRequest"].iter().find_map(|key| {
        let event = data.get(*key)?;
        event.get("job").or_else(|| event.get("resource"))
    })?;
    let query = job.get("jobConfiguration")?.get("query")?.get("query")?.as_str()?;
    Some((query.to_owned(), false))
}

fn as_query(action: &mut Action, query: String, dialect: &str) {
    action.kind = Kind::Sql;
    action.text = query.into();
    action.tool = None;
    action.arguments = None;
    let surroundings = std::sync::Arc::make_mut(&mut action.surroundings);
    surroundings.dialect = Some(dialect.to_owned());
    action.gaps.clear();
}

/// What the plugin of a MySQL server told: who is somebody on that server.
fn as_told(action: &mut Action, told: database::Told) {
    as_query(action, told.query, "mysql");
    action.actor = audit::actor(told.user.as_str(), ActorKind::Unknown).into();
    action.session = told.session.into();
    let surroundings = std::sync::Arc::make_mut(&mut action.surroundings);
    (surroundings.user, surroundings.database) = (Some(told.user), told.database);
    action.outcome = Outcome { executed: Executed::Yes, succeeded: Some(!told.failed), ..Outcome::default() };
}

fn outcome(payload: &Payload<'_>, part: Part) -> Outcome {
    let status = payload.status.0.as_ref();
    let code = status.map_or(0, |status| status.code.text().parse::<i64>().unwrap_or(0));
    let message = status.map_or("", |status| status.message.text());
    let denied = payload.authorization_info.is_some_and(|granted| {
        let granted: Vec<Value> = serde_json::from_str(granted.get()).unwrap_or_default();
        !granted.is_empty() && granted.iter().any(|one| one.get("granted").and_then(Value::as_bool) == Some(false))
    });
    match code {
        // Codes of gRPC: what could not be found, was not allowed, or is wrong in itself was not done.
        3 | 5 | 6 | 7 | 8 | 9 | 11 | 12 | 16 => audit::refused(message),
        0 if denied => audit::refused("permission denied"),
        0 if part == Part::Start => Outcome { executed: Executed::Yes, ..Outcome::default() },
        0 => audit::went_well(),
        _ => Outcome { executed: Executed::Unknown, succeeded: Some(false), ..Outcome::default() },
    }
}
