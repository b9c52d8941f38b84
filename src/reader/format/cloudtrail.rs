//! AWS CloudTrail: delivered files, event history, EventBridge, CloudWatch and Lake rows.
//!
//! `{"Records":[{"eventTime":"…","eventSource":"s3.amazonaws.com","eventName":"DeleteBucket","requestParameters":{…}}]}`

mod query;

use std::borrow::Cow;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::audit::{self, Found, Outside, Shelf};
use super::rows::{self, Row, Table};
use crate::model::{Actor, ActorKind, Executed, Gap, GapKind, Hides, Outcome, Surroundings};
use crate::reader::recorder::Place;
use crate::reader::transcript::{At, Loose, Word, moment};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `cloudtrail`
#[derive(Debug)]
pub struct CloudTrail;

impl Reader for CloudTrail {
    fn name(&self) -> &'static str {
        "cloudtrail"
    }

    fn about(&self) -> &'static str {
        "AWS CloudTrail: delivered files, lookup-events, EventBridge, CloudWatch and Lake exports"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let Some(head) = audit::telling(sample) else {
            let names = rows::columns(sample);
            let has = |name: &str| names.iter().any(|column| column == name);
            let event = has("eventsource") && has("eventname");
            return if event && (has("useridentity") || has("eventtime")) { Match::Certain } else { Match::No };
        };
        if head.contains("\"QueryResultRows\":") {
            let lower = head.to_ascii_lowercase();
            return if lower.contains("\"eventname\":") { Match::Certain } else { Match::No };
        }
        let event = head.contains("\"eventSource\":\"") && head.contains("\"eventName\":\"");
        match event && (head.contains("\"userIdentity\":") || head.contains("\"awsRegion\":\"")) {
            true => Match::Certain,
            false if head.contains("\"CloudTrailEvent\":\"") || head.contains("\"eventJson\":\"") => Match::Certain,
            false if head.starts_with("{\"Records\":[{") && head.contains("\"eventVersion\":\"") => Match::Likely,
            false => Match::No,
        }
    }

    /// Delivery is at least once; an event may stand in several trails.
    fn repeats(&self) -> bool {
        true
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut shelf = Shelf::new(source);
        let head = input.fill_buf()?;
        let start = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        if !matches!(start.first(), Some(b'{' | b'[') | None) {
            return rows::read(&mut Rows { shelf }, input, source, out);
        }
        audit::each_record(input, &mut |record, at| match record {
            Err(problem) => shelf.lost(at, problem, out),
            Ok(text) => {
                let (any, flow) = audit::open(text, &Outside::default(), &mut |text, _| {
                    let event: Event<'_> = serde_json::from_str(text).ok()?;
                    event.is_one().then(|| taken(&mut shelf, &event, at, out))
                });
                if any {
                    return flow;
                }
                let parsed = serde_json::from_str::<Value>(text);
                if let Some(rows) = parsed.as_ref().ok().and_then(query::answered) {
                    return rows.iter().try_for_each(|row| queried(&mut shelf, row, at, out));
                }
                match parsed {
                    Ok(Value::Object(row)) if is_control(&row) => {
                        out.nothing();
                        ControlFlow::Continue(())
                    }
                    Ok(_) => shelf.lost(at, "no event of CloudTrail: it has no `eventSource` and `eventName`", out),
                    Err(error) => shelf.lost(at, format!("not JSON: {error}"), out),
                }
            }
        })
    }
}

/// A row of a query; one that counts something is no event.
fn queried(shelf: &mut Shelf<'_>, row: &str, at: At, out: &mut dyn Out) -> ControlFlow<()> {
    match serde_json::from_str::<Event<'_>>(row) {
        Ok(event) if event.is_one() => taken(shelf, &event, at, out),
        _ => {
            out.nothing();
            ControlFlow::Continue(())
        }
    }
}

/// The result of a query as CSV.
struct Rows<'s> {
    shelf: Shelf<'s>,
}

impl Table for Rows<'_> {
    fn row(&mut self, row: &Row, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let record = query::record(row.iter().map(|(name, text)| (name.as_str(), text.clone())));
        queried(&mut self.shelf, &record, At { line: place.line, offset: place.offset }, out)
    }

    fn finish(&mut self, _out: &mut dyn Out) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// What CloudWatch sends to see whether anybody listens.
fn is_control(row: &Map<String, Value>) -> bool {
    row.get("messageType").and_then(Value::as_str) == Some("CONTROL_MESSAGE")
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Event<'a> {
    #[serde(borrow)]
    event_time: Word<'a>,
    #[serde(borrow)]
    event_source: Word<'a>,
    #[serde(borrow)]
    event_name: Word<'a>,
    #[serde(borrow, rename = "eventID", alias = "eventId")]
    event_id: Word<'a>,
    #[serde(borrow)]
    event_type: Word<'a>,
    #[serde(borrow)]
    aws_region: Word<'a>,
    #[serde(borrow)]
    recipient_account_id: Word<'a>,
    #[serde(borrow)]
    error_code: Word<'a>,
    #[serde(borrow)]
    error_message: Word<'a>,
    #[serde(borrow)]
    user_identity: Loose<Identity<'a>>,
    #[serde(borrow)]
    request_parameters: Option<&'a RawValue>,
    #[serde(borrow)]
    response_elements: Option<&'a RawValue>,
    #[serde(borrow)]
    additional_event_data: Option<&'a RawValue>,
    #[serde(borrow)]
    read_only: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Identity<'a> {
    #[serde(borrow, rename = "type")]
    kind: Word<'a>,
    #[serde(borrow)]
    arn: Word<'a>,
    #[serde(borrow)]
    principal_id: Word<'a>,
    #[serde(borrow)]
    account_id: Word<'a>,
    #[serde(borrow)]
    access_key_id: Word<'a>,
    #[serde(borrow)]
    user_name: Word<'a>,
    #[serde(borrow)]
    invoked_by: Word<'a>,
}

impl Event<'_> {
    fn is_one(&self) -> bool {
        self.event_source.get().is_some() && self.event_name.get().is_some()
    }

    /// Whether the service answers for it and nobody asked: a rotation, a deletion that fell due.
    fn is_of_service(&self) -> bool {
        matches!(self.event_type.text(), "AwsServiceEvent" | "AwsCloudTrailInsight")
    }
}

fn taken(shelf: &mut Shelf<'_>, event: &Event<'_>, at: At, out: &mut dyn Out) -> ControlFlow<()> {
    if event.is_of_service() {
        out.nothing();
        return ControlFlow::Continue(());
    }
    let none = Identity::default();
    let identity = event.user_identity.0.as_ref().unwrap_or(&none);
    let account = event.recipient_account_id.get().or(identity.account_id.get()).map(str::to_owned);
    let service = event.event_source.text();
    let region = event.aws_region.get();
    let host = region.map(|region| match service.split_once('.') {
        Some((name, rest)) => format!("{name}.{region}.{rest}"),
        None => format!("{service}.{region}"),
    });
    let mut gaps = Vec::new();
    let arguments = arguments(event, &mut gaps);
    let session = identity.access_key_id.get().or(identity.principal_id.get()).or(identity.arn.get());
    let session = session.or(identity.invoked_by.get()).unwrap_or_default();
    shelf.put(
        Found {
            format: "cloudtrail",
            id: event.event_id.text(),
            time: moment(event.event_time.text()),
            actor: who(identity),
            session: session.to_owned(),
            tool: format!("{service}:{}", event.event_name.text()),
            arguments,
            surroundings: Surroundings { account, host, ..Surroundings::default() },
            outcome: outcome(event),
            gaps,
        },
        at,
        out,
    )
}

/// People sign in; a role's session carries the name that somebody, or some service, gave it.
fn who(identity: &Identity<'_>) -> Actor {
    let arn = identity.arn.text();
    let tail = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let tail = tail.strip_prefix("assumed-role/").or_else(|| tail.strip_prefix("user/")).unwrap_or(tail);
    let kind = match identity.kind.text() {
        _ if identity.invoked_by.get().is_some() => ActorKind::Service,
        "AWSService" | "Service" => ActorKind::Service,
        "Root" | "SAMLUser" | "IdentityCenterUser" => ActorKind::Human,
        _ => ActorKind::Unknown,
    };
    let name = identity.user_name.get().filter(|_| !tail.contains('/')).or(Some(tail).filter(|tail| !tail.is_empty()));
    let name = name.or(identity.invoked_by.get()).or(identity.principal_id.get()).or(identity.account_id.get());
    audit::actor(name.unwrap_or("unknown"), kind)
}

fn outcome(event: &Event<'_>) -> Outcome {
    let Some(code) = event.error_code.get() else {
        // A log-in that failed is an event without an error code.
        let failed = event.response_elements.is_some_and(|answer| {
            let Value::Object(answer) = serde_json::from_str(answer.get()).unwrap_or_default() else { return false };
            answer.iter().any(|(key, value)| key == event.event_name.text() && value == "Failure")
        });
        return if failed { audit::refused("Failure") } else { audit::went_well() };
    };
    let message = event.error_message.text();
    let why = if message.is_empty() { Cow::Borrowed(code) } else { format!("{code}: {message}").into() };
    // What was only tried out would have been carried out.
    if code.ends_with("DryRunOperation") {
        return Outcome { executed: Executed::No, ..audit::went_well() };
    }
    audit::refused(&why)
}

/// The parameters of a request, and what is missing of them.
fn arguments(event: &Event<'_>, gaps: &mut Vec<Gap>) -> Map<String, Value> {
    let written = event.request_parameters.map_or("null", RawValue::get);
    let mut arguments = match serde_json::from_str::<Value>(written) {
        Ok(Value::Object(parameters)) => parameters,
        // Rows of a query carry the object as text.
        Ok(Value::String(text)) => match serde_json::from_str::<Value>(&text) {
            Ok(Value::Object(parameters)) => parameters,
            _ if text.trim().is_empty() => Map::new(),
            _ => {
                gaps.push(audit::gap(GapKind::Unparsed, Hides::Anything, "the request's parameters"));
                Map::new()
            }
        },
        _ => Map::new(),
    };
    if arguments.get("omitted").and_then(Value::as_bool) == Some(true) {
        arguments = Map::new();
        gaps.push(audit::gap(GapKind::Truncated, missing(event), "the request's parameters were too large"));
    } else if arguments.is_empty() && decides(event) {
        gaps.push(audit::gap(GapKind::ParametersMissing, missing(event), "the request's parameters"));
    }
    let hidden: Vec<&String> =
        arguments.iter().filter(|(_, value)| value.as_str().is_some_and(is_hidden)).map(|(key, _)| key).collect();
    for key in hidden {
        // A value that is kept secret says nothing about what is done with it; a command does.
        let secret = ["value", "secret", "password", "token", "string", "key", "body", "credential"];
        let lower = key.to_ascii_lowercase();
        let hides = if secret.iter().any(|word| lower.contains(word)) { Hides::Nothing } else { Hides::Anything };
        gaps.push(audit::gap(GapKind::Redacted, hides, key.as_str()));
    }
    if event.error_code.text().ends_with("DryRunOperation") {
        arguments.insert("dryRun".to_owned(), Value::Bool(true));
    }
    if event.event_source.text() == "signin.amazonaws.com"
        && let Some(Value::String(mfa)) = audit::object(event.additional_event_data).get("MFAUsed")
    {
        arguments.insert("MFAUsed".to_owned(), Value::String(mfa.clone()));
    }
    arguments
}

fn is_hidden(value: &str) -> bool {
    matches!(value, "HIDDEN_DUE_TO_SECURITY_REASONS" | "***OMITTED***" | "****") || value == "HIDDEN"
}

/// Whether what the call did hangs on parameters that it must have had: those who only look may have none.
fn decides(event: &Event<'_>) -> bool {
    let looks = event.read_only.is_some_and(|flag| matches!(flag.get(), "true" | "\"true\""));
    !looks && event.event_source.text() != "signin.amazonaws.com"
}

/// A deletion is one whatever was deleted; what was set is only known from what it was set to.
fn missing(event: &Event<'_>) -> Hides {
    const SAY_IT: &[&str] = &[
        "Delete",
        "Terminate",
        "Stop",
        "Disable",
        "Remove",
        "Create",
        "Start",
        "Schedule",
        "Reboot",
        "Release",
        "Deregister",
    ];
    let name = event.event_name.text();
    if SAY_IT.iter().any(|verb| name.starts_with(verb)) { Hides::Target } else { Hides::Anything }
}
