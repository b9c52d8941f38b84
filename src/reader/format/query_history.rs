//! Exported query histories of databases, as CSV with a header or as JSON: one row, one statement.
//!
//! `QUERY_ID,QUERY_TEXT,USER_NAME,WAREHOUSE_NAME,START_TIME,EXECUTION_STATUS,…`
//!
//! Which product a file is of is told by the names of its columns, which nobody changes.

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use super::postgres::read_time;
use super::rows::{self, Row, Table, value};
use crate::model::{ActorKind, Executed, GapKind, Hides};
use crate::reader::recorder::{Found, Place, Recorder, some};
use crate::reader::{Match, Out, Reader, Sample, Source};

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

impl Reader for QueryHistory {
    fn name(&self) -> &'static str {
        "query_history"
    }

    fn about(&self) -> &'static str {
        "Exports as CSV or JSON: Snowflake QUERY_HISTORY, ClickHouse query_log, BigQuery jobs, Databricks query history"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let names = rows::columns(sample);
        let found = product(|mark| names.iter().any(|name| name == mark));
        if found.is_some() { Match::Certain } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut history = History { recorder: Recorder::new(source, self.name()), started: HashMap::new() };
        rows::read(&mut history, input, source, out)
    }
}

/// So many statements that were begun and not ended are remembered.
const MAX_STARTED: usize = 1 << 16;

struct History {
    recorder: Recorder,
    /// ClickHouse tells the start and the end of a query; by its id.
    started: HashMap<String, Found>,
}

impl Table for History {
    fn row(&mut self, row: &Row, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let Some(product) = product(|mark| row.contains_key(mark)) else {
            return out.issue(self.recorder.lost(place, "a row without the columns of a query history", ""));
        };
        let text = value(row, product.text);
        if text.trim().is_empty() {
            out.nothing();
            return ControlFlow::Continue(());
        }
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
        if value(row, &["querytruncated", "query_truncated"]).eq_ignore_ascii_case("true") {
            found.lacks(GapKind::Truncated, Hides::Anything, "statement");
        }
        match product.dialect {
            "clickhouse" => self.clickhouse(row, found, out),
            _ => {
                // Snowflake keeps no more than so much of a statement.
                if product.dialect == "snowflake" && found.text.chars().count() >= 100_000 {
                    found.lacks(GapKind::Truncated, Hides::Anything, "statement");
                }
                out.action(self.recorder.action(found))
            }
        }
    }

    fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        let mut started: Vec<_> = std::mem::take(&mut self.started).into_values().collect();
        started.sort_by_key(|found| found.place.offset);
        for found in started {
            out.action(self.recorder.action(found))?;
        }
        ControlFlow::Continue(())
    }
}

impl History {
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
}
