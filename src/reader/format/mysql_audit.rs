//! JSON of the audit plugins of MySQL Enterprise and Percona Server.
//!
//! `{"timestamp":"2026-07-01 10:00:00","class":"general","event":"status","general_data":{"command":"Query","query":"…"}}`

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde_json::Value;

use super::mysql::used;
use super::postgres::read_time;
use crate::model::{ActorKind, Executed, GapKind, Hides};
use crate::reader::recorder::{Found, Log, Objects, Place, Recorder, read_lines, some};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from mysql_audit`
#[derive(Clone, Copy, Debug)]
pub struct MysqlAudit;

impl Reader for MysqlAudit {
    fn name(&self) -> &'static str {
        "mysql_audit"
    }

    fn about(&self) -> &'static str {
        "MySQL Enterprise and Percona audit log as JSON"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let head = String::from_utf8_lossy(sample.head);
        let has = |keys: &[&str]| keys.iter().all(|key| head.contains(key));
        let enterprise = has(&["\"timestamp\"", "\"class\"", "\"event\"", "\"connection_id\""]);
        let percona = has(&["\"audit_record\"", "\"connection_id\""]);
        match head.trim_start().starts_with(['[', '{']) && (enterprise || percona) {
            true => Match::Certain,
            false => Match::No,
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let recorder = Recorder::new(source, self.name());
        let mut log = AuditLog { recorder, objects: Objects::default(), databases: std::collections::HashMap::new() };
        read_lines(&mut log, input, source, out)
    }
}

/// So many connections are remembered.
const MAX_CONNECTIONS: usize = 1 << 16;

struct AuditLog {
    recorder: Recorder,
    objects: Objects,
    /// The database a connection is in, which is told when it is entered.
    databases: std::collections::HashMap<String, String>,
}

impl Log for AuditLog {
    fn line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        for (object, place) in self.objects.line(line, place) {
            self.object(&object, place, out)?;
        }
        ControlFlow::Continue(())
    }

    fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        match self.objects.rest() {
            Some((object, place)) => self.object(&object, place, out),
            None => ControlFlow::Continue(()),
        }
    }
}

impl AuditLog {
    fn object(&mut self, object: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let value: Value = match serde_json::from_str(object) {
            Ok(value) => value,
            Err(error) => return out.issue(self.recorder.lost(place, format!("not a JSON object: {error}"), "")),
        };
        let percona = value.get("audit_record");
        let record = percona.unwrap_or(&value);
        let at = |path: &str| match record.pointer(path) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let connection = at("/connection_id");
        let said = if percona.is_some() { at("/db") } else { at("/connection_data/db") };
        if !said.is_empty() && self.databases.len() < MAX_CONNECTIONS {
            self.databases.insert(connection.clone(), said);
        }
        let (text, status, user) = if percona.is_some() {
            let user = at("/user");
            let user = user.split('[').next().unwrap_or("").to_owned();
            (at("/sqltext"), at("/status"), user)
        } else {
            let status = at("/general_data/status");
            // A statement is told at its start, at its end, and once for every table.
            let query = match at("/event").as_str() {
                "status" if at("/class") == "general" => at("/general_data/query"),
                _ => String::new(),
            };
            (query, status, at("/account/user"))
        };
        let name = at("/name");
        if text.trim().is_empty() || matches!(name.as_str(), "Connect" | "Quit" | "Audit" | "Ping") {
            out.nothing();
            return ControlFlow::Continue(());
        }
        if let Some(database) = used(&text) {
            self.databases.insert(connection.clone(), database);
        }
        let mut found = Found::sql(text, "mysql", place);
        // Enterprise writes UTC without saying so.
        found.time = read_time(&at("/timestamp")).map(|read| read.time);
        found.by(&user, ActorKind::Unknown);
        found.session.clone_from(&connection);
        found.surroundings.user = some(&user);
        found.surroundings.database = self.databases.get(&connection).cloned();
        found.outcome.executed = Executed::Yes;
        found.outcome.succeeded = (!status.is_empty()).then(|| status == "0");
        if found.text.contains("<secret>") {
            found.lacks(GapKind::Redacted, Hides::Nothing, "<secret>");
        }
        if name == "Execute" && found.text.contains('?') {
            found.lacks(GapKind::ParametersMissing, Hides::Nothing, "?");
        }
        out.action(self.recorder.action(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[track_caller]
    fn check(log: &str, expected: &str) {
        assert_eq!(read_all(&MysqlAudit, "audit.json", log.as_bytes()).trim_end(), expected);
    }

    #[test]
    fn enterprise_records_are_a_list_that_never_ends() {
        check(
            "[\n{ \"timestamp\": \"2026-07-01 10:00:00\", \"id\": 1, \"class\": \"connection\", \"event\": \"connect\", \"connection_id\": 9, \"connection_data\": { \"db\": \"shop\" } },\n\
             { \"timestamp\": \"2026-07-01 10:00:01\", \"id\": 2, \"class\": \"general\", \"event\": \"status\", \"connection_id\": 9,\n  \"account\": { \"user\": \"ann\", \"host\": \"h\" }, \"general_data\": { \"command\": \"Query\", \"sql_command\": \"drop_table\", \"query\": \"DROP TABLE a\", \"status\": 1051 } },\n",
            "L3 sql \"DROP TABLE a\" session=9 actor=unknown:ann time=2026-07-01T10:00:01Z exec=yes failed user=ann database=shop dialect=mysql\n\
             nothing: 1",
        );
    }

    #[test]
    fn percona_records_are_lines() {
        check(
            "{\"audit_record\":{\"name\":\"Query\",\"record\":\"1\",\"timestamp\":\"2026-07-01T10:00:00Z\",\"command_class\":\"delete\",\"connection_id\":\"9\",\"status\":0,\"sqltext\":\"DELETE FROM a\",\"user\":\"ann[ann] @ h []\",\"host\":\"h\",\"db\":\"shop\"}}\n{\"audit_record\":{\"na\n",
            "L1 sql \"DELETE FROM a\" session=9 actor=unknown:ann time=2026-07-01T10:00:00Z exec=yes ok user=ann database=shop dialect=mysql\n\
             L2 issue: not a JSON object: EOF while parsing a string at line 1 column 20",
        );
    }
}
