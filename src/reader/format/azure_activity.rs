//! Azure activity logs, in the schema of the API (`operationName.value`, `caller`) and in that of exports to storage and
//! event hubs (`operationName`, `resultType`, `identity`).

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::audit::{self, Found, Outside, Pairs, Part, Shelf};
use crate::model::{Action, Actor, ActorKind, Executed, Outcome, Surroundings};
use crate::reader::transcript::{At, moment};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `azure_activity`
#[derive(Debug)]
pub struct AzureActivity;

impl Reader for AzureActivity {
    fn name(&self) -> &'static str {
        "azure_activity"
    }

    fn about(&self) -> &'static str {
        "Azure activity log: az monitor activity-log list, and exports to storage (PT1H.json) and event hubs"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let Some(head) = audit::telling(sample) else { return Match::No };
        let lower = head.to_ascii_lowercase();
        let one_of = |names: &[&str]| names.iter().any(|name| lower.contains(&format!("\"{name}\":")));
        let is = one_of(&["operationname", "operation_name"])
            && one_of(&["correlationid", "correlation_id"])
            && one_of(&["resourceid", "resource_id", "resourceuri"])
            && one_of(&["caller", "identity", "resulttype", "claims"])
            && lower.contains("microsoft.");
        match is && !lower.contains("\"category\":\"kube-audit") {
            true => Match::Certain,
            false => Match::No,
        }
    }

    /// Exports overlap.
    fn repeats(&self) -> bool {
        true
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut shelf = Shelf::new(source);
        let mut pairs = Pairs::new(true, false);
        audit::each_record(input, &mut |record, at| match record {
            Err(problem) => shelf.lost(at, problem, out),
            Ok(text) => {
                let (any, flow) = audit::open(text, &Outside::default(), &mut |text, _| {
                    let entry = Entry(serde_json::from_str(text).ok()?);
                    let operation = entry.word(&["operationName", "operation_name"])?;
                    if !entry.is_administrative() || !operation.contains('/') {
                        out.nothing();
                        return Some(ControlFlow::Continue(()));
                    }
                    let (action, part) = action(&mut shelf, &entry, &operation, at);
                    Some(pairs.take(action, part, out))
                });
                match (any, serde_json::from_str::<serde::de::IgnoredAny>(text)) {
                    (true, _) => flow,
                    (false, Ok(_)) => shelf.lost(at, "no entry of an activity log: it has no `operationName`", out),
                    (false, Err(error)) => shelf.lost(at, format!("not JSON: {error}"), out),
                }
            }
        })?;
        let _ = pairs.finish(out);
        Ok(())
    }
}

/// One entry of either schema.
struct Entry(Map<String, Value>);

impl Entry {
    fn get(&self, names: &[&str]) -> Option<&Value> {
        names.iter().find_map(|name| self.0.get(*name))
    }

    /// A word that stands there as such, or as `{"value": word}`.
    fn word(&self, names: &[&str]) -> Option<String> {
        let value = self.get(names)?;
        let value = value.get("value").unwrap_or(value);
        match value {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Somebody did something; the rest are reports about the health of services, alerts, advice.
    fn is_administrative(&self) -> bool {
        let category = self.word(&["category"]).unwrap_or_default();
        !["ServiceHealth", "ResourceHealth", "Alert", "Autoscale", "Recommendation", "Policy", "Security"]
            .iter()
            .any(|other| other.eq_ignore_ascii_case(&category))
    }

    /// A claim of whoever acted, by the end of its name.
    fn claim(&self, ends: &[&str]) -> Option<String> {
        let identity = self.0.get("identity").and_then(|identity| identity.get("claims"));
        let claims = self.0.get("claims").or(identity)?.as_object()?;
        ends.iter().find_map(|end| {
            let found = claims.iter().find(|(name, _)| name.rsplit('/').next() == Some(end));
            found.and_then(|(_, value)| value.as_str()).filter(|value| !value.is_empty()).map(str::to_owned)
        })
    }
}

fn action(shelf: &mut Shelf<'_>, entry: &Entry, operation: &str, at: At) -> (Action, Part) {
    let status = entry.word(&["status", "resultType"]).unwrap_or_default().to_ascii_lowercase();
    let part = match &*status {
        "started" | "start" | "accepted" | "accept" | "inprogress" => Part::Start,
        _ => Part::End,
    };
    let resource = entry
        .word(&["resourceId", "resource_id", "resourceUri"])
        .or_else(|| Some(entry.get(&["authorization"])?.get("scope")?.as_str()?.to_owned()));
    let resource = resource.unwrap_or_default();
    let correlation = entry.word(&["correlationId", "correlation_id"]).unwrap_or_default();
    let id = match &*correlation {
        "" => entry.word(&["eventDataId", "event_data_id", "id"]).unwrap_or_default(),
        correlation => format!("{correlation} {operation} {resource}").to_ascii_lowercase(),
    };
    let actor = who(entry);
    let subscription = entry.word(&["subscriptionId", "subscription_id"]).or_else(|| {
        let parts: Vec<&str> = resource.split('/').collect();
        let at = parts.iter().position(|part| part.eq_ignore_ascii_case("subscriptions"))?;
        parts.get(at + 1).map(|part| (*part).to_owned())
    });
    let time = entry.word(&["eventTimestamp", "event_timestamp", "time"]).unwrap_or_default();
    let found = Found {
        format: "azure_activity",
        id: &id,
        time: moment(&time),
        session: actor.name.clone(),
        actor,
        tool: operation.to_owned(),
        arguments: arguments(entry, &resource),
        surroundings: Surroundings { account: subscription, ..Surroundings::default() },
        outcome: outcome(entry, &status),
        gaps: Vec::new(),
    };
    (shelf.action(found, at), part)
}

fn who(entry: &Entry) -> Actor {
    let caller = entry.word(&["caller"]).or_else(|| entry.claim(&["emailaddress", "upn", "name", "appid"]));
    let caller = caller.unwrap_or_else(|| "unknown".to_owned());
    let kind = match entry.claim(&["idtyp"]).as_deref() {
        Some("app") => ActorKind::Service,
        _ if caller.contains('@') => ActorKind::Human,
        _ => ActorKind::Unknown,
    };
    audit::actor(caller, kind)
}

/// What it was done to, and what was asked for where the entry has it.
fn arguments(entry: &Entry, resource: &str) -> Map<String, Value> {
    let mut arguments = Map::new();
    if !resource.is_empty() {
        arguments.insert("resourceId".to_owned(), Value::String(resource.to_owned()));
    }
    let properties = match entry.get(&["properties"]) {
        Some(Value::Object(properties)) => properties.clone(),
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        _ => Map::new(),
    };
    let body = ["requestbody", "requestBody"].iter().find_map(|key| properties.get(*key));
    let body = match body {
        Some(Value::String(text)) => serde_json::from_str::<Value>(text).ok(),
        other => other.cloned(),
    };
    if let Some(body @ (Value::Object(_) | Value::Array(_))) = body {
        arguments.insert("request".to_owned(), body);
    }
    arguments
}

fn outcome(entry: &Entry, status: &str) -> Outcome {
    let why = entry.word(&["subStatus", "sub_status", "resultSignature"]).unwrap_or_default();
    match status {
        "succeeded" | "success" => audit::went_well(),
        "failed" | "failure" => {
            let refused =
                ["Forbidden", "Unauthorized", "BadRequest", "NotFound", "Conflict", "Denied", "AuthorizationFailed"];
            if refused.iter().any(|word| why.contains(word)) {
                audit::refused(&why)
            } else {
                Outcome { executed: Executed::Yes, succeeded: Some(false), ..Outcome::default() }
            }
        }
        "started" | "start" | "accepted" | "accept" | "inprogress" => {
            Outcome { executed: Executed::Yes, ..Outcome::default() }
        }
        _ => Outcome::default(),
    }
}
