//! The audit log of Databricks: delivered JSON, one record a line, and rows of `system.access.audit`.
//!
//! `{"version":"2.0","timestamp":…,"serviceName":"clusters","actionName":"permanentDelete","requestParams":{…},…}`

use std::io::{self, BufRead};

use serde_json::{Map, Value};

use super::audit::{self, Found, Outside, Pairs, Part, Shelf};
use crate::model::{Action, ActorKind, Executed, Gap, GapKind, Hides, Kind, Outcome, Surroundings, Timestamp};
use crate::reader::transcript::At;
use crate::reader::{Match, Out, Reader, Sample, Source, map};

/// `databricks_audit`
#[derive(Debug)]
pub struct DatabricksAudit;

impl Reader for DatabricksAudit {
    fn name(&self) -> &'static str {
        "databricks_audit"
    }

    fn about(&self) -> &'static str {
        "Databricks audit log: delivered JSON, rows of system.access.audit"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let Some(head) = audit::telling(sample) else { return Match::No };
        let has = |name: &str| head.contains(&format!("\"{name}\":"));
        let delivered = has("serviceName") && has("actionName") && has("requestParams");
        let queried = has("service_name") && has("action_name") && has("request_params");
        match delivered && has("workspaceId") || queried && has("workspace_id") {
            true => Match::Certain,
            false if delivered || queried => Match::Likely,
            false => Match::No,
        }
    }

    /// A file is delivered again when records come late.
    fn repeats(&self) -> bool {
        true
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut shelf = Shelf::new(source);
        // A statement is told when it is sent, with its text, and when it ends, with its outcome.
        let mut pairs = Pairs::new(false, false);
        audit::each_record(input, &mut |record, at| match record {
            Err(problem) => shelf.lost(at, problem, out),
            Ok(text) => {
                let (any, flow) = audit::open(text, &Outside::default(), &mut |text, _| {
                    let entry = Entry::read(text)?;
                    let (action, part) = entry.action(&mut shelf, at);
                    Some(pairs.take(action, part, out))
                });
                match (any, serde_json::from_str::<serde::de::IgnoredAny>(text)) {
                    (true, _) => flow,
                    (false, Ok(_)) => shelf.lost(at, "no record: it has no `serviceName` and `actionName`", out),
                    (false, Err(error)) => shelf.lost(at, format!("not JSON: {error}"), out),
                }
            }
        })?;
        let _ = pairs.finish(out);
        Ok(())
    }
}

/// A record, by its names as they are delivered; the table writes them with underscores.
struct Entry {
    members: Map<String, Value>,
    parameters: Map<String, Value>,
}

impl Entry {
    fn read(text: &str) -> Option<Self> {
        let members: Map<String, Value> = serde_json::from_str(text).ok()?;
        let mut entry = Self { members, parameters: Map::new() };
        if entry.word("serviceName").is_empty() || entry.word("actionName").is_empty() {
            return None;
        }
        entry.parameters = object(entry.member("requestParams")).unwrap_or_default();
        Some(entry)
    }

    fn member(&self, name: &str) -> Option<&Value> {
        let snake = || {
            let lower = name.chars().flat_map(|letter| {
                let low = letter.to_ascii_lowercase();
                letter.is_ascii_uppercase().then_some('_').into_iter().chain([low])
            });
            lower.collect::<String>()
        };
        self.members.get(name).or_else(|| self.members.get(&snake()))
    }

    fn word(&self, name: &str) -> &str {
        self.member(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn time(&self) -> Option<Timestamp> {
        let value = self.member("timestamp").or_else(|| self.member("eventTime"))?;
        map::moment(&value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    fn action(&self, shelf: &mut Shelf<'_>, at: At) -> (Action, Part) {
        let (service, name) = (self.word("serviceName"), self.word("actionName"));
        let identity = object(self.member("userIdentity")).unwrap_or_default();
        let said = |key: &str| identity.get(key).and_then(Value::as_str).filter(|word| !word.is_empty());
        let who = said("email").or_else(|| said("subjectName")).or_else(|| said("subject_name")).unwrap_or("unknown");
        // A service principal is called by its number, what Databricks does by itself by a word of its own.
        let kind = match who {
            "unknown" => ActorKind::Unknown,
            who if who.contains('@') => ActorKind::Human,
            _ => ActorKind::Service,
        };
        let account = self.member("workspaceId").or_else(|| self.member("accountId"));
        let account = account.map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
        let command = self.parameter("commandId");
        let (id, part) = match name {
            "commandSubmit" if !command.is_empty() => (command, Part::Start),
            "commandFinish" if !command.is_empty() => (command, Part::End),
            _ if self.word("requestId").is_empty() => (self.word("eventId"), Part::Whole),
            _ => (self.word("requestId"), Part::Whole),
        };
        let session = match self.word("sessionId") {
            "" => who,
            session => session,
        };
        let mut arguments = self.parameters.clone();
        let runs = arguments.remove("commandText");
        if let Some(which) = which(&self.parameters) {
            arguments.insert("which".to_owned(), Value::String(which.to_owned()));
        }
        let is_command = matches!(name, "commandSubmit" | "commandFinish" | "runCommand");
        let code = runs.as_ref().and_then(Value::as_str).filter(|code| is_command && !code.trim().is_empty());
        let mut gaps = Vec::new();
        if is_command && code.is_none() {
            gaps.push(missing());
        }
        // One request may make several records.
        let id = match part {
            Part::Whole if id.is_empty() => String::new(),
            Part::Whole => format!("{id} {service} {name}"),
            _ => id.to_owned(),
        };
        let found = Found {
            format: "databricks_audit",
            id: &id,
            time: self.time(),
            actor: audit::actor(who, kind),
            session: session.to_owned(),
            tool: format!("databricks:{service}.{name}"),
            arguments,
            surroundings: Surroundings { account, ..Surroundings::default() },
            outcome: self.outcome(),
            gaps,
        };
        let mut action = shelf.action(found, at);
        if let Some(code) = code {
            as_code(&mut action, service, self.parameter("commandLanguage"), code);
        }
        (action, part)
    }

    fn outcome(&self) -> Outcome {
        let response = object(self.member("response")).unwrap_or_default();
        let code = response.get("statusCode").or_else(|| response.get("status_code"));
        let code = code.and_then(|code| code.as_i64().or_else(|| code.as_str()?.parse().ok()));
        let message = ["errorMessage", "error_message"].iter().find_map(|key| response.get(*key)?.as_str());
        let status = self.parameter("status");
        match code {
            // Not signed in, not allowed, not there, wrong in itself: nothing was done.
            Some(400 | 401 | 403 | 404 | 409) => audit::refused(message.unwrap_or_default()),
            Some(200..=299) if status == "failed" || status == "error" => {
                Outcome { executed: Executed::Yes, succeeded: Some(false), ..Outcome::default() }
            }
            Some(200..=299) => audit::went_well(),
            Some(_) => Outcome { executed: Executed::Unknown, succeeded: Some(false), ..Outcome::default() },
            None => Outcome::default(),
        }
    }
}

fn missing() -> Gap {
    let what = "the command: only verbose audit logs have it (`enableVerboseAuditLogs`)";
    audit::gap(GapKind::BodyMissing, Hides::Anything, what)
}

/// An object, also where it was written as text.
fn object(value: Option<&Value>) -> Option<Map<String, Value>> {
    match value? {
        Value::Object(members) => Some(members.clone()),
        Value::String(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

/// What of the parameters names the thing that a request is about.
fn which(parameters: &Map<String, Value>) -> Option<&str> {
    const NAMES: &[&str] = &[
        "full_name_arg",
        "securable_full_name",
        "name_arg",
        "full_name",
        "cluster_id",
        "clusterId",
        "job_id",
        "jobId",
        "warehouse_id",
        "endpointId",
        "path",
        "notebookFullPath",
        "scope",
        "targetUserName",
        "targetUserId",
        "name",
        "id",
    ];
    NAMES.iter().find_map(|name| parameters.get(*name)?.as_str().filter(|word| !word.is_empty()))
}

/// A cell or a statement as what it is written in: `%sql` and its like go before the language of the notebook.
fn as_code(action: &mut Action, service: &str, language: &str, code: &str) {
    let code = code.trim_start();
    let magic = code.strip_prefix('%').and_then(|rest| rest.split(char::is_whitespace).next());
    let body = magic.map_or(code, |magic| code.get(magic.len() + 1..).unwrap_or_default()).trim();
    let default = if service == "databrickssql" { "sql" } else { "python" };
    let language = magic.unwrap_or(if language.is_empty() { default } else { language }).to_ascii_lowercase();
    action.text = body.into();
    action.tool = None;
    action.arguments = None;
    match language.as_str() {
        "sql" => {
            action.kind = Kind::Sql;
            let surroundings = std::sync::Arc::make_mut(&mut action.surroundings);
            surroundings.dialect = Some("databricks".to_owned());
        }
        "sh" => action.kind = Kind::Shell,
        language => {
            action.kind = Kind::Tool;
            action.tool = Some(language.into());
            action.arguments = Some(serde_json::json!({ "code": body }).to_string().into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[track_caller]
    fn check(log: &str, expected: &str) {
        assert_eq!(read_all(&DatabricksAudit, "a.json", log.as_bytes()).trim_end(), expected);
    }

    #[test]
    fn a_request() {
        check(
            r#"{"version":"2.0","timestamp":1772442847000,"workspaceId":"77","sessionId":"s1","userIdentity":{"email":"ann@b.example"},"serviceName":"clusters","actionName":"permanentDelete","requestId":"r1","requestParams":{"cluster_id":"0301-a"},"response":{"statusCode":200}}"#,
            "L1 api \"databricks:clusters.permanentDelete {\\\"cluster_id\\\":\\\"0301-a\\\",\\\"which\\\":\\\"0301-a\\\"}\" session=s1 actor=human:ann@b.example time=2026-03-02T09:14:07Z exec=yes ok account=77 tool=databricks:clusters.permanentDelete arguments={\"cluster_id\":\"0301-a\",\"which\":\"0301-a\"}",
        );
    }

    #[test]
    fn a_statement_is_told_twice_and_is_one() {
        check(
            r#"{"timestamp":1772442847000,"workspaceId":7,"userIdentity":{"email":"a@b.example"},"serviceName":"databrickssql","actionName":"commandSubmit","requestId":"r1","requestParams":{"commandText":"DROP TABLE a.b","commandId":"c1"},"response":{"statusCode":200}}
{"timestamp":1772442848000,"workspaceId":7,"userIdentity":{"email":"a@b.example"},"serviceName":"databrickssql","actionName":"commandFinish","requestId":"r2","requestParams":{"commandId":"c1","status":"failed"},"response":{"statusCode":200}}"#,
            "L1 sql \"DROP TABLE a.b\" session=a@b.example actor=human:a@b.example time=2026-03-02T09:14:07Z exec=yes failed account=7 dialect=databricks",
        );
    }

    #[test]
    fn cells_say_their_language_and_some_say_nothing() {
        let record = |parameters: &str| {
            format!(
                "{{\"event_time\":\"2026-03-02T09:14:07Z\",\"workspace_id\":\"7\",\"user_identity\":\"{{\\\"email\\\":\\\"a@b.example\\\"}}\",\"service_name\":\"notebook\",\"action_name\":\"runCommand\",\"request_id\":\"r\",\"request_params\":{parameters},\"response\":{{\"status_code\":200}}}}\n"
            )
        };
        let rest = "session=a@b.example actor=human:a@b.example time=2026-03-02T09:14:07Z exec=yes ok account=7";
        check(&record(r#"{"commandText":"%sh ls /dbfs"}"#), &format!("L1 shell \"ls /dbfs\" {rest}"));
        check(
            &record(r#"{"commandText":"%sql\nSELECT 1"}"#),
            &format!("L1 sql \"SELECT 1\" {rest} dialect=databricks"),
        );
        check(
            &record(r#"{"commandText":"print(1)"}"#),
            &format!("L1 tool \"print(1)\" {rest} tool=python arguments={{\"code\":\"print(1)\"}}"),
        );
        check(
            &record(r#"{"notebookId":"9"}"#),
            &format!(
                "L1 api \"databricks:notebook.runCommand {{\\\"notebookId\\\":\\\"9\\\"}}\" {rest} tool=databricks:notebook.runCommand arguments={{\"notebookId\":\"9\"}} gap=body-missing/anything"
            ),
        );
    }

    #[test]
    fn what_was_refused_was_not_done_and_what_is_no_record_is_said() {
        check(
            "{\"workspaceId\":7,\"serviceName\":\"secrets\",\"actionName\":\"getSecret\",\"requestParams\":{\"user\":\"p\"},\"response\":{\"statusCode\":403,\"errorMessage\":\"no\"}}\n{\"x\":1}\n{\"serviceName\":",
            "L1 api \"databricks:secrets.getSecret {\\\"user\\\":\\\"p\\\"}\" session=unknown actor=unknown:unknown exec=no failed account=7 tool=databricks:secrets.getSecret arguments={\"user\":\"p\"}\n\
             L2 issue: no record: it has no `serviceName` and `actionName`\n\
             L3 issue: not JSON: EOF while parsing a value at line 1 column 15",
        );
    }
}
