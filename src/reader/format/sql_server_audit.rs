//! SQL Server's audit as it is exported from `sys.fn_get_audit_file` or by Azure, and its Extended Events.
//!
//! `event_time,sequence_number,action_id,succeeded,session_id,server_principal_name,database_name,statement,…`

mod events;

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use super::postgres::read_time;
use super::rows::{self, Row, Table, value};
use crate::model::{ActorKind, Executed, GapKind, Hides};
use crate::reader::recorder::{Found, Place, Recorder, some};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from sql_server_audit`
#[derive(Clone, Copy, Debug)]
pub struct SqlServerAudit;

/// So much of a statement stands in one row.
const ROW: usize = 4_000;

impl Reader for SqlServerAudit {
    fn name(&self) -> &'static str {
        "sql_server_audit"
    }

    fn about(&self) -> &'static str {
        "SQL Server and Azure SQL: audit rows (fn_get_audit_file) as CSV or JSON, Extended Events as CSV or XML"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        if events::is_xml(sample.head) {
            return Match::Certain;
        }
        let names = rows::columns(sample);
        let has = |marks: &[&str]| marks.iter().all(|mark| names.iter().any(|name| name == mark));
        let audit = has(&["action_id", "statement"]) && (has(&["server_principal_name"]) || has(&["session_id"]));
        if audit || events::is_table(&has) { Match::Certain } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let recorder = Recorder::new(source, self.name());
        if events::is_xml(input.fill_buf()?) {
            return events::read_xml(recorder, input, source, out);
        }
        let mut audit = Audit { events: events::Events::new(recorder), open: None, last: None };
        rows::read(&mut audit, input, source, out)
    }
}

/// A statement, row by row: what is too long for one goes on in the next, and every object of it has rows of its own.
struct Open {
    found: Found,
    session: String,
    number: u32,
    /// What was done to which object, by which rows of one object are known.
    of: String,
    /// Characters of the last row.
    length: usize,
}

struct Audit {
    events: events::Events,
    open: Option<Open>,
    /// The statement that was told last: its session, its moment, its text.
    last: Option<(String, Option<crate::model::Timestamp>, String)>,
}

impl Table for Audit {
    fn row(&mut self, row: &Row, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        if !row.contains_key("action_id") {
            return self.events.row(row, place, out);
        }
        let session = value(row, &["session_id"]).to_owned();
        let time = read_time(value(row, &["event_time", "time"])).map(|read| read.time);
        let number = value(row, &["sequence_number"]).parse().unwrap_or(1);
        let of =
            [&["action_id"][..], &["schema_name"], &["object_name"]].map(|names| value(row, names).trim()).join(" ");
        let text = value(row, &["statement"]);
        if let Some(open) = &mut self.open
            && open.session == session
            && open.of == of
            && number == open.number + 1
            && open.found.time.is_none_or(|begun| time.is_none_or(|time| begun <= time))
        {
            (open.number, open.length) = (number, text.chars().count());
            open.found.text.push_str(text);
            return ControlFlow::Continue(());
        }
        self.close(out)?;
        let stated = if text.trim().is_empty() { stated(row) } else { Some(text.to_owned()) };
        let Some(stated) = stated else {
            out.nothing();
            return ControlFlow::Continue(());
        };
        let mut found = Found::sql(stated, "tsql", place);
        found.time = time;
        about(row, &mut found);
        if text.trim().is_empty() {
            found.lacks(GapKind::BodyMissing, Hides::Target, "the statement is not in this row");
        }
        let batch = matches!(value(row, &["action_id"]).trim(), "BCM" | "RCM");
        found.outcome.executed = Executed::Yes;
        match (value(row, &["succeeded"]).to_ascii_lowercase().as_str(), batch) {
            // The permission was checked, and that is all it tells; of a whole batch it tells how it ended.
            ("0" | "false", false) => found.outcome.executed = Executed::No,
            ("0" | "false", true) => found.outcome.succeeded = Some(false),
            ("1" | "true", true) => found.outcome.succeeded = Some(true),
            _ => {}
        }
        found.outcome.rows = value(row, &["affected_rows"]).parse().ok().filter(|rows| *rows > 0);
        if number > 1 {
            found.lacks(GapKind::Truncated, Hides::Anything, "the start of the statement");
        }
        self.open = Some(Open { found, session, number, of, length: text.chars().count() });
        ControlFlow::Continue(())
    }

    fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        self.close(out)?;
        self.events.finish(out)
    }
}

impl Audit {
    /// The statement at hand is whole, unless it stands there for another object already.
    fn close(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        let Some(Open { mut found, session, length, .. }) = self.open.take() else { return ControlFlow::Continue(()) };
        if length >= ROW {
            found.lacks(GapKind::Truncated, Hides::Anything, "the end of the statement");
        }
        if found.text.contains("******") {
            found.lacks(GapKind::Redacted, Hides::Nothing, "******");
        }
        let told = (session, found.time, found.text.clone());
        if self.last.as_ref() == Some(&told) {
            out.nothing();
            return ControlFlow::Continue(());
        }
        found.native = format!("{} {:?} {}", told.0, told.1, found.surroundings.host.as_deref().unwrap_or(""));
        self.last = Some(told);
        out.action(self.events.recorder.action(found))
    }
}

/// Who and where.
fn about(row: &Row, found: &mut Found) {
    let who = [
        "session_server_principal_name",
        "server_principal_name",
        "username",
        "nt_username",
        "database_principal_name",
    ];
    found.by(value(row, &who), ActorKind::Unknown);
    found.session = value(row, &["session_id"]).to_owned();
    found.surroundings.user = some(value(row, &["server_principal_name", "database_principal_name", "username"]));
    found.surroundings.database = some(value(row, &["database_name"]));
    found.surroundings.host = some(value(row, &["server_instance_name", "server_name", "resourceid"]));
}

/// What a row without its statement says by its action and its object.
fn stated(row: &Row) -> Option<String> {
    let (schema, object) = (value(row, &["schema_name"]), value(row, &["object_name"]));
    if object.is_empty() {
        return None;
    }
    let quoted = |name: &str| format!("[{}]", name.replace(']', "]]"));
    let name = if schema.is_empty() { quoted(object) } else { format!("{}.{}", quoted(schema), quoted(object)) };
    let sort = match value(row, &["class_type"]).trim() {
        "DB" => "DATABASE",
        "P" | "PC" => "PROCEDURE",
        "V" => "VIEW",
        "FN" | "IF" | "TF" => "FUNCTION",
        "LX" | "WL" | "SL" => "LOGIN",
        "SU" | "US" => "USER",
        "SC" => "SCHEMA",
        "RL" => "ROLE",
        _ => "TABLE",
    };
    match value(row, &["action_id"]).trim() {
        "DL" => Some(format!("DELETE FROM {name} WHERE @unknown = 1")),
        "UP" => Some(format!("UPDATE {name} SET unknown = @value WHERE @unknown = 1")),
        "IN" => Some(format!("INSERT INTO {name} VALUES (@value)")),
        "SL" => Some(format!("SELECT * FROM {name} WHERE @unknown = 1")),
        "DR" => Some(format!("DROP {sort} {name}")),
        "EX" => Some(format!("EXEC {name}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[track_caller]
    fn check(log: &str, expected: &str) {
        assert_eq!(read_all(&SqlServerAudit, "a.csv", log.as_bytes()).trim_end(), expected);
    }

    #[test]
    fn a_statement_goes_on_in_the_next_row_and_is_told_for_every_object() {
        check(
            "event_time,sequence_number,action_id,succeeded,session_id,object_name,server_principal_name,statement\n\
             2026-07-01 10:00:00.5,1,SL  ,1,51,b,ann,DELETE FROM a WHERE\n2026-07-01 10:00:00.5,2,SL  ,1,51,b,ann, c IN (SELECT c FROM b)\n\
             2026-07-01 10:00:00.5,1,DL  ,1,51,a,ann,DELETE FROM a WHERE\n2026-07-01 10:00:00.5,2,DL  ,1,51,a,ann, c IN (SELECT c FROM b)\n\
             2026-07-01 10:00:01,1,DR  ,0,51,a,ann,DROP TABLE a\n2026-07-01 10:00:02,2,DR  ,1,52,a,ann,the rest\n",
            "L2 sql \"DELETE FROM a WHERE c IN (SELECT c FROM b)\" session=51 actor=unknown:ann time=2026-07-01T10:00:00.5Z exec=yes user=ann dialect=tsql\n\
             L6 sql \"DROP TABLE a\" session=51 actor=unknown:ann time=2026-07-01T10:00:01Z exec=no user=ann dialect=tsql\n\
             L7 sql \"the rest\" session=52 actor=unknown:ann time=2026-07-01T10:00:02Z exec=yes user=ann dialect=tsql gap=truncated/anything\n\
             nothing: 1",
        );
    }

    #[test]
    fn azure_tells_whole_batches_one_level_deeper() {
        check(
            r#"{"records":[{"time":"2026-07-01T10:00:00Z","category":"SQLSecurityAuditEvents","properties":{"action_id":"BCM ","session_id":7,"statement":"TRUNCATE TABLE a","succeeded":"false","server_principal_name":"ann","database_name":"shop"}}]}"#,
            "L1 sql \"TRUNCATE TABLE a\" session=7 actor=unknown:ann time=2026-07-01T10:00:00Z exec=yes failed user=ann database=shop dialect=tsql",
        );
    }
}
