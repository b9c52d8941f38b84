//! The unified audit log of Microsoft 365: exports and the management API, one record a line or in a list.
//!
//! `{"CreationTime":"…","Id":"…","Operation":"New-InboxRule","Workload":"Exchange","UserId":"…","Parameters":[…]}`

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::audit::{self, Found, Outside, Shelf};
use crate::model::{ActorKind, Executed, Outcome, Surroundings};
use crate::reader::transcript::{At, civil_moment, moment};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `m365_audit`
#[derive(Debug)]
pub struct M365Audit;

impl Reader for M365Audit {
    fn name(&self) -> &'static str {
        "m365_audit"
    }

    fn about(&self) -> &'static str {
        "Microsoft 365 unified audit log: exports and the management activity API"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let Some(head) = audit::telling(sample) else { return Match::No };
        let has = |name: &str| head.contains(&format!("\"{name}\":"));
        match has("CreationTime") && has("Operation") && has("Workload") && (has("RecordType") || has("UserKey")) {
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
        audit::each_record(input, &mut |record, at| match record {
            Err(problem) => shelf.lost(at, problem, out),
            Ok(text) => {
                let (any, flow) = audit::open(text, &Outside::default(), &mut |text, _| {
                    let entry: Map<String, Value> = serde_json::from_str(text).ok()?;
                    entry.get("Operation")?;
                    entry.get("Workload")?;
                    Some(put(&mut shelf, &entry, at, out))
                });
                match (any, serde_json::from_str::<serde::de::IgnoredAny>(text)) {
                    (true, _) => flow,
                    (false, Ok(_)) => shelf.lost(at, "no record: it has no `Operation` and `Workload`", out),
                    (false, Err(error)) => shelf.lost(at, format!("not JSON: {error}"), out),
                }
            }
        })
    }
}

fn put(shelf: &mut Shelf<'_>, entry: &Map<String, Value>, at: At, out: &mut dyn Out) -> ControlFlow<()> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
    let time = text("CreationTime");
    // Members of a tenant, and what runs by itself.
    let kind = match entry.get("UserType").and_then(Value::as_i64) {
        Some(0 | 2 | 5) if text("UserId").contains('@') => ActorKind::Human,
        Some(1 | 3 | 4 | 6 | 7 | 8) => ActorKind::Service,
        _ => ActorKind::Unknown,
    };
    let outcome = match text("ResultStatus").to_ascii_lowercase().as_str() {
        "true" | "success" | "succeeded" | "partiallysucceeded" | "" => audit::went_well(),
        "false" | "failed" | "failure" | "unauthorized" => audit::refused(text("ResultStatus")),
        _ => Outcome { executed: Executed::Unknown, ..Outcome::default() },
    };
    let found = Found {
        format: "m365_audit",
        id: text("Id"),
        time: moment(time).or_else(|| civil_moment(time)),
        actor: audit::actor(if text("UserId").is_empty() { "unknown" } else { text("UserId") }, kind),
        session: text("UserId").to_owned(),
        tool: format!("m365:{}:{}", text("Workload"), text("Operation")),
        arguments: arguments(entry),
        surroundings: Surroundings {
            account: Some(text("OrganizationId").to_owned()).filter(|id| !id.is_empty()),
            ..Surroundings::default()
        },
        outcome,
        gaps: Vec::new(),
    };
    shelf.put(found, at, out)
}

/// What it was done to, its parameters by their names, and what changed.
fn arguments(entry: &Map<String, Value>) -> Map<String, Value> {
    let mut arguments = Map::new();
    for (from, to) in
        [("ObjectId", "which"), ("SiteUrl", "site"), ("SourceFileName", "file"), ("TargetUserOrGroupName", "target")]
    {
        if let Some(Value::String(text)) =
            entry.get(from).filter(|value| value.as_str().is_some_and(|text| !text.is_empty()))
        {
            arguments.insert(to.to_owned(), Value::String(text.clone()));
        }
    }
    let lists = [("Parameters", "Value"), ("ModifiedProperties", "NewValue"), ("ExtendedProperties", "Value")];
    for (list, value) in lists {
        let Some(Value::Array(items)) = entry.get(list) else { continue };
        for item in items {
            let name = item.get("Name").and_then(Value::as_str).unwrap_or_default();
            let said = item.get(value).and_then(Value::as_str).unwrap_or_default();
            let plain =
                !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
            if plain && !said.is_empty() && list != "ExtendedProperties" {
                arguments.insert(name.to_owned(), Value::String(said.to_owned()));
            }
        }
    }
    arguments
}
