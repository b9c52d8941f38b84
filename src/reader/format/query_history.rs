//! Exported query histories and audit trails of databases, as CSV with a header or as JSON: one row, one statement.
//!
//! `QUERY_ID,QUERY_TEXT,USER_NAME,WAREHOUSE_NAME,START_TIME,EXECUTION_STATUS,…`
//!
//! Which product a file is of is told by the names of its columns, which nobody changes.

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde_json::Value;

use super::postgres::read_time;
use crate::model::{ActorKind, Executed, GapKind, Hides};
use crate::reader::recorder::{Found, Log, Objects, Place, Recorder, read_lines, some};
use crate::reader::{Match, Out, Reader, Sample, Source, fields};

/// `--from query_history`
#[derive(Clone, Copy, Debug)]
pub struct QueryHistory;

/// The columns of one product, by their names in lower case; the first that is there counts.
struct Product {
    name: &'static str,
    dialect: &'static str,
    /// Columns that together no other product has.
    marks: &'static [&'static str],
    text: &'static [&'static str],
    user: &'static [&'static str],
    time: &'static [&'static str],
    session: &'static [&'static str],
    database: &'static [&'static str],
    id: &'static [&'static str],
    host: &'static [&'static str],
    account: &'static [&'static str],
    /// Rows changed; the greatest of them.
    rows: &'static [&'static str],
    error: &'static [&'static str],
}

const PRODUCTS: &[Product] = &[
    Product {
        name: "Snowflake QUERY_HISTORY",
        dialect: "snowflake",
        marks: &["query_text", "user_name", "warehouse_name"],
        text: &["query_text"],
        user: &["user_name"],
        time: &["start_time", "end_time"],
        session: &["session_id"],
        database: &["database_name"],
        id: &["query_id"],
        host: &[],
        account: &[],
        rows: &["rows_deleted", "rows_updated", "rows_inserted"],
        error: &["error_code"],
    },
    Product {
        name: "ClickHouse query_log",
        dialect: "clickhouse",
        marks: &["query", "query_duration_ms", "query_id"],
        text: &["query"],
        user: &["user", "initial_user"],
        time: &["query_start_time_microseconds", "query_start_time", "event_time_microseconds", "event_time"],
        session: &["initial_query_id", "user"],
        database: &["current_database"],
        id: &["query_id"],
        host: &["hostname"],
        account: &[],
        rows: &["written_rows"],
        error: &["exception_code"],
    },
    Product {
        name: "SQL Server audit",
        dialect: "tsql",
        marks: &["statement", "action_id", "server_principal_name"],
        text: &["statement"],
        user: &["server_principal_name", "session_server_principal_name"],
        time: &["event_time"],
        session: &["session_id"],
        database: &["database_name"],
        id: &["event_time"],
        host: &["server_instance_name"],
        account: &[],
        rows: &["affected_rows"],
        error: &[],
    },
    Product {
        name: "Oracle UNIFIED_AUDIT_TRAIL",
        dialect: "oracle",
        marks: &["sql_text", "action_name", "dbusername"],
        text: &["sql_text"],
        user: &["dbusername"],
        time: &["event_timestamp_utc", "event_timestamp"],
        session: &["sessionid"],
        database: &["dbid", "con_id"],
        id: &["sessionid"],
        host: &["userhost"],
        account: &[],
        rows: &[],
        error: &["return_code"],
    },
    Product {
        name: "BigQuery INFORMATION_SCHEMA.JOBS",
        dialect: "bigquery",
        marks: &["query", "user_email", "job_id"],
        text: &["query"],
        user: &["user_email"],
        time: &["creation_time", "start_time"],
        session: &["parent_job_id", "user_email"],
        database: &["project_id"],
        id: &["job_id"],
        host: &[],
        account: &["project_id"],
        rows: &[],
        error: &[],
    },
    Product {
        name: "Databricks query history",
        dialect: "databricks",
        marks: &["statement_text", "executed_by"],
        text: &["statement_text"],
        user: &["executed_by"],
        time: &["start_time"],
        session: &["session_id"],
        database: &[],
        id: &["statement_id"],
        host: &[],
        account: &["workspace_id", "account_id"],
        rows: &[],
        error: &["error_message"],
    },
];

fn product<'n>(names: impl Fn(&str) -> bool + 'n) -> Option<&'static Product> {
    PRODUCTS.iter().find(|product| product.marks.iter().all(|mark| names(mark)))
}

/// The names in a CSV header.
fn header(line: &str) -> Vec<String> {
    line.trim_end().split(',').map(|name| name.trim().trim_matches('"').to_ascii_lowercase()).collect()
}

impl Reader for QueryHistory {
    fn name(&self) -> &'static str {
        "query_history"
    }

    fn about(&self) -> &'static str {
        "Exports as CSV or JSON: Snowflake QUERY_HISTORY, ClickHouse query_log, SQL Server and Oracle audit, BigQuery, Databricks"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let head = String::from_utf8_lossy(sample.head);
        let found = if head.trim_start().starts_with(['{', '[']) {
            let mut objects = Objects::default();
            let mut first = None;
            for line in head.lines() {
                first = objects.line(line, Place::default()).into_iter().next();
                if first.is_some() {
                    break;
                }
            }
            let mut names = Vec::new();
            let _ = fields::each(&first.unwrap_or_default().0, |name, _| names.push(name.to_ascii_lowercase()));
            product(|mark| names.iter().any(|name| name == mark))
        } else {
            let names = header(head.lines().next().unwrap_or(""));
            product(|mark| names.iter().any(|name| name == mark))
        };
        if found.is_some() { Match::Certain } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let json = input.fill_buf()?.iter().find(|byte| !byte.is_ascii_whitespace() && **byte < 0x80);
        let json = matches!(json, Some(b'{' | b'['));
        let history = History { recorder: Recorder::new(source, self.name()), started: HashMap::new(), open: None };
        if json {
            let mut rows = JsonRows { history, objects: Objects::default() };
            return read_lines(&mut rows, input, source, out);
        }
        read_csv(history, input, out)
    }
}

/// The values of one row, by the names of their columns in lower case.
type Row = HashMap<String, String>;

fn value<'r>(row: &'r Row, names: &[&str]) -> &'r str {
    let found = names.iter().filter_map(|name| row.get(*name)).find(|value| !is_null(value));
    found.map_or("", String::as_str)
}

fn is_null(value: &str) -> bool {
    matches!(value, "" | "NULL" | "null" | "\\N" | "None")
}

fn read_csv(mut history: History, input: &mut dyn BufRead, out: &mut dyn Out) -> io::Result<()> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input);
    let names: Vec<String> = match reader.byte_headers() {
        Ok(names) => names
            .iter()
            .map(|name| {
                name.escape_ascii().to_string().trim_start_matches("\\xef\\xbb\\xbf").trim().to_ascii_lowercase()
            })
            .collect(),
        Err(error) => return Err(io::Error::other(error)),
    };
    let mut record = csv::ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => return Err(io::Error::other(error)),
        }
        let place = record.position().map_or_else(Place::default, |at| Place { line: at.line(), offset: at.byte() });
        let flow = if record.len() == names.len() {
            let values = record.iter().map(|value| String::from_utf8_lossy(value).into_owned());
            history.row(&names.iter().cloned().zip(values).collect(), place, out)
        } else {
            let problem = format!("a row of {} columns, the header has {}", record.len(), names.len());
            out.issue(history.recorder.lost(place, problem, ""))
        };
        if flow.is_break() {
            return Ok(());
        }
    }
    let _ = history.finish(out);
    Ok(())
}

struct JsonRows {
    history: History,
    objects: Objects,
}

impl JsonRows {
    fn object(&mut self, object: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        match serde_json::from_str::<serde_json::Map<String, Value>>(object) {
            Ok(members) => {
                let text = |value: Value| match value {
                    Value::String(text) => text,
                    Value::Null => String::new(),
                    other => other.to_string(),
                };
                let row = members.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), text(value))).collect();
                self.history.row(&row, place, out)
            }
            Err(error) => {
                let problem = format!("not a JSON object: {error}");
                out.issue(self.history.recorder.lost(place, problem, ""))
            }
        }
    }
}

impl Log for JsonRows {
    fn line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        for (object, place) in self.objects.line(line, place) {
            self.object(&object, place, out)?;
        }
        ControlFlow::Continue(())
    }

    fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        if let Some((object, place)) = self.objects.rest() {
            self.object(&object, place, out)?;
        }
        self.history.finish(out)
    }
}

/// So many statements that were begun and not ended are remembered.
const MAX_STARTED: usize = 1 << 16;

struct History {
    recorder: Recorder,
    /// ClickHouse tells the start and the end of a query; by its id.
    started: HashMap<String, Found>,
    /// A statement that SQL Server goes on with in the next row: its key, and the last number.
    open: Option<(String, u32, Found)>,
}

impl History {
    fn row(&mut self, row: &Row, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let Some(product) = product(|mark| row.contains_key(mark)) else {
            return out.issue(self.recorder.lost(place, "a row without the columns of a query history", ""));
        };
        let text = value(row, product.text);
        let stated = if text.trim().is_empty() { stated(row) } else { Some(text.to_owned()) };
        let Some(text) = stated else {
            out.nothing();
            return ControlFlow::Continue(());
        };
        let made_up = value(row, product.text).trim().is_empty();
        let mut found = Found::sql(text, product.dialect, place);
        found.time = read_time(value(row, product.time)).map(|read| read.time);
        found.by(value(row, product.user), ActorKind::Unknown);
        found.session = value(row, product.session).to_owned();
        found.native = match value(row, product.id) {
            "" => String::new(),
            id => format!("{} {id} {}", product.name, value(row, &["statement_id", "sequence_number"])),
        };
        found.surroundings.user = some(value(row, product.user));
        found.surroundings.database = some(value(row, product.database));
        found.surroundings.host = some(value(row, product.host));
        found.surroundings.account = some(value(row, product.account));
        found.outcome.rows = product.rows.iter().filter_map(|name| value(row, &[name]).parse().ok()).max();
        self.outcome(row, product, &mut found);
        if made_up {
            found.lacks(GapKind::BodyMissing, Hides::Target, "the statement is not in this row");
        }
        if value(row, &["querytruncated", "query_truncated"]).eq_ignore_ascii_case("true") {
            found.lacks(GapKind::Truncated, Hides::Anything, "statement");
        }
        match product.dialect {
            "clickhouse" => self.clickhouse(row, found, out),
            "tsql" => self.sql_server(row, found, out),
            _ => {
                // Snowflake keeps no more than so much of a statement.
                if product.dialect == "snowflake" && found.text.chars().count() >= 100_000 {
                    found.lacks(GapKind::Truncated, Hides::Anything, "statement");
                }
                out.action(self.recorder.action(found))
            }
        }
    }

    fn outcome(&self, row: &Row, product: &Product, found: &mut Found) {
        found.outcome.executed = Executed::Yes;
        let status = value(row, &["execution_status", "state", "status"]).to_ascii_uppercase();
        let error = value(row, product.error);
        found.outcome.succeeded = match (status.as_str(), error) {
            ("SUCCESS" | "SUCCEEDED" | "FINISHED" | "DONE", "" | "0") => {
                let failed = !value(row, &["error_result"]).is_empty();
                Some(!failed)
            }
            ("FAIL" | "FAILED" | "FAILED_WITH_ERROR" | "INCIDENT" | "CANCELED", _) => Some(false),
            (_, "0") => Some(true),
            (_, "") => None,
            _ => Some(false),
        };
    }

    /// A row when a query starts, and another when it ends.
    fn clickhouse(&mut self, row: &Row, found: Found, out: &mut dyn Out) -> ControlFlow<()> {
        let id = value(row, &["query_id"]).to_owned();
        let kind = value(row, &["type"]);
        if kind == "QueryStart" || kind == "1" {
            if self.started.len() >= MAX_STARTED {
                self.finish(out)?;
            }
            self.started.insert(id, found);
            out.nothing();
            return ControlFlow::Continue(());
        }
        self.started.remove(&id);
        let mut found = found;
        found.outcome.succeeded = match kind {
            "QueryFinish" | "2" => Some(true),
            "" => found.outcome.succeeded,
            _ => Some(false),
        };
        if kind == "ExceptionBeforeStart" || kind == "3" {
            found.outcome.executed = Executed::No;
        }
        out.action(self.recorder.action(found))
    }

    /// A statement that is too long for a row goes on in rows with higher numbers.
    fn sql_server(&mut self, row: &Row, mut found: Found, out: &mut dyn Out) -> ControlFlow<()> {
        // The permission was checked, and that is all `succeeded` tells.
        if matches!(value(row, &["succeeded"]).to_ascii_lowercase().as_str(), "0" | "false") {
            found.outcome.executed = Executed::No;
        }
        let number = value(row, &["sequence_number"]).parse().unwrap_or(1);
        let key = format!("{} {}", value(row, &["event_time"]), value(row, &["session_id"]));
        if let Some((known, last, open)) = &mut self.open
            && *known == key
            && number == *last + 1
        {
            *last = number;
            open.text.push_str(&found.text);
            return ControlFlow::Continue(());
        }
        if let Some((_, _, open)) = self.open.take() {
            out.action(self.recorder.action(open))?;
        }
        if number > 1 {
            found.lacks(GapKind::Truncated, Hides::Anything, "the start of the statement");
        }
        self.open = Some((key, number, found));
        ControlFlow::Continue(())
    }

    fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        if let Some((_, _, open)) = self.open.take() {
            out.action(self.recorder.action(open))?;
        }
        let mut started: Vec<_> = std::mem::take(&mut self.started).into_values().collect();
        started.sort_by_key(|found| found.place.offset);
        for found in started {
            out.action(self.recorder.action(found))?;
        }
        ControlFlow::Continue(())
    }
}

/// What a row without its statement says by its action and its object: Oracle leaves the text out of some.
fn stated(row: &Row) -> Option<String> {
    let action = value(row, &["action_name"]).to_ascii_uppercase();
    let (schema, object) = (value(row, &["object_schema"]), value(row, &["object_name"]));
    if object.is_empty() {
        return None;
    }
    let name = if schema.is_empty() { object.to_owned() } else { format!("{schema}.{object}") };
    match action.as_str() {
        "DELETE" => Some(format!("DELETE FROM {name} WHERE :1")),
        "TRUNCATE TABLE" => Some(format!("TRUNCATE TABLE {name}")),
        drop if drop.starts_with("DROP ") => Some(format!("{drop} {name}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[track_caller]
    fn check(log: &str, expected: &str) {
        let seen = read_all(&QueryHistory, "h.csv", log.as_bytes());
        assert_eq!(seen.replace(" exec=yes", "").trim_end(), expected);
    }

    #[test]
    fn snowflake() {
        check(
            "QUERY_ID,QUERY_TEXT,USER_NAME,WAREHOUSE_NAME,START_TIME,EXECUTION_STATUS,ROWS_DELETED,SESSION_ID\n\
             q1,\"DELETE FROM a,\n b\",ANN,WH,2026-07-01 10:00:00.000 +0000,SUCCESS,12,8\nq2,torn\n",
            "L2 sql \"DELETE FROM a,\\n b\" session=8 actor=unknown:ANN time=2026-07-01T10:00:00Z ok rows=12 user=ANN dialect=snowflake\n\
             L4 issue: a row of 2 columns, the header has 8",
        );
    }

    #[test]
    fn clickhouse_tells_twice() {
        check(
            "{\"type\":\"QueryStart\",\"query\":\"DROP TABLE a\",\"query_id\":\"x\",\"query_duration_ms\":\"0\",\"user\":\"ann\"}\n\
             {\"type\":\"QueryFinish\",\"query\":\"DROP TABLE a\",\"query_id\":\"x\",\"query_duration_ms\":\"7\",\"user\":\"ann\"}\n\
             {\"type\":\"QueryStart\",\"query\":\"SELECT 1\",\"query_id\":\"y\",\"query_duration_ms\":\"0\",\"user\":\"ann\"}\n",
            "L2 sql \"DROP TABLE a\" session=ann actor=unknown:ann ok user=ann dialect=clickhouse\n\
             L3 sql \"SELECT 1\" session=ann actor=unknown:ann user=ann dialect=clickhouse\n\
             nothing: 2",
        );
    }

    #[test]
    fn sql_server_goes_on_in_the_next_row_and_oracle_leaves_out() {
        check(
            "event_time,sequence_number,action_id,succeeded,session_id,server_principal_name,statement\n\
             2026-07-01 10:00:00.5,1,DL  ,1,51,ann,DELETE FROM a WHERE\n2026-07-01 10:00:00.5,2,DL  ,1,51,ann, b = 1\n2026-07-01 10:00:01,1,DR  ,0,51,ann,DROP TABLE a\n",
            "L2 sql \"DELETE FROM a WHERE b = 1\" session=51 actor=unknown:ann time=2026-07-01T10:00:00.5Z user=ann dialect=tsql\n\
             L4 sql \"DROP TABLE a\" session=51 actor=unknown:ann time=2026-07-01T10:00:01Z exec=no user=ann dialect=tsql",
        );
        check(
            "SESSIONID,DBUSERNAME,ACTION_NAME,OBJECT_SCHEMA,OBJECT_NAME,SQL_TEXT,RETURN_CODE\n7,ANN,DROP TABLE,SHOP,A,,0\n7,ANN,LOGON,,,,0\n",
            "L2 sql \"DROP TABLE SHOP.A\" session=7 actor=unknown:ANN ok user=ANN dialect=oracle gap=body-missing/target\n\
             nothing: 1",
        );
    }
}
