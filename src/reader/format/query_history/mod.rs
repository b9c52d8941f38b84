//! Exported query histories and audit trails of databases, as tables, JSON or Parquet: one row, one statement.
//!
//! `QUERY_ID,QUERY_TEXT,USER_NAME,WAREHOUSE_NAME,START_TIME,EXECUTION_STATUS,…`
//!
//! Which product a file is of is told by the names of its columns, which nobody changes.

mod products;
mod rows;

use std::collections::{HashMap, HashSet};
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use crate::model::{ActorKind, Executed, GapKind, Hides};
use crate::reader::map::moment;
use crate::reader::recorder::{Found, Objects, Place, Recorder, some};
use crate::reader::{Match, Out, Reader, Sample, Source, fields, table};
use products::{Product, product};
use rows::{LISTS, Row, header, value};

/// `--from query_history`
#[derive(Clone, Copy, Debug)]
pub struct QueryHistory;

impl Reader for QueryHistory {
    fn name(&self) -> &'static str {
        "query_history"
    }

    fn about(&self) -> &'static str {
        "Exports as CSV, JSON or Parquet: Snowflake QUERY_HISTORY, ClickHouse query_log, BigQuery, Databricks"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        if sample.head.starts_with(table::MAGIC) {
            // Its columns stand at its end; no other format is Parquet.
            return Match::Maybe;
        }
        let head = String::from_utf8_lossy(sample.head);
        if !head.trim_start().starts_with(['{', '[']) {
            let names = header(head.lines().next().unwrap_or(""));
            let known = product(|mark| names.iter().any(|name| name == mark)).is_some();
            return if known { Match::Certain } else { Match::No };
        }
        let mut objects = Objects::default();
        let first = head.lines().find_map(|line| objects.line(line, Place::default()).into_iter().next());
        let mut names = Vec::new();
        let _ = fields::each(&first.unwrap_or_default().0, |name, _| names.push(name.to_ascii_lowercase()));
        if product(|mark| names.iter().any(|name| name == mark)).is_some() {
            return Match::Certain;
        }
        // The rows stand in the answer of a service, or the first one is longer than the sample.
        let lower = head.to_ascii_lowercase();
        let is_member =
            |name: &str| lower.contains(&format!("\"{name}\":")) || lower.contains(&format!("\"{name}\" :"));
        let listed = names.is_empty() || names.iter().any(|name| LISTS.contains(&name.as_str()));
        if listed && product(is_member).is_some() { Match::Likely } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let recorder = Recorder::new(source, self.name());
        let history = History { recorder, started: HashMap::new(), initial: HashSet::new() };
        rows::read(history, input, source, out)
    }
}

/// So many statements that were begun and not ended are remembered.
const MAX_STARTED: usize = 1 << 16;

/// ClickHouse and Snowflake keep no more than so much of a statement, where nobody set it otherwise.
const MOST_KEPT: usize = 100_000;

struct History {
    recorder: Recorder,
    /// ClickHouse tells the start and the end of a query; by its id.
    started: HashMap<String, Found>,
    /// Queries that a client sent: what servers ask each other for them is no query of its own.
    initial: HashSet<String>,
}

impl History {
    fn row(&mut self, row: &Row, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let Some(product) = product(|mark| row.contains_key(mark)) else {
            return out.issue(self.recorder.lost(place, "a row without the columns of a query history", ""));
        };
        let told = value(row, product.text);
        let made_up = told.trim().is_empty();
        let stated = if made_up { sort(row, product) } else { Some((told.to_owned(), Hides::Nothing)) };
        let Some((text, missing)) = stated else {
            out.nothing();
            return ControlFlow::Continue(());
        };
        let mut found = Found::sql(text, product.dialect, place);
        found.time = product.time.iter().find_map(|name| moment(value(row, &[name])));
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
            found.lacks(GapKind::BodyMissing, missing, "the statement is not in this row");
        }
        if value(row, &["querytruncated", "query_truncated"]).eq_ignore_ascii_case("true") {
            found.lacks(GapKind::Truncated, Hides::Anything, "statement");
        }
        // Snowflake does not show a statement that it could not parse.
        if found.text.trim().eq_ignore_ascii_case("<redacted>") {
            found.lacks(GapKind::Redacted, Hides::Anything, "the statement");
        }
        let kept = match product.dialect {
            "snowflake" => found.text.chars().count(),
            "clickhouse" => found.text.len(),
            _ => 0,
        };
        if kept >= MOST_KEPT {
            found.lacks(GapKind::Truncated, Hides::Anything, "statement");
        }
        match product.dialect {
            "clickhouse" => self.clickhouse(row, found, out),
            _ => out.action(self.recorder.action(found)),
        }
    }

    fn outcome(&self, row: &Row, product: &Product, found: &mut Found) {
        found.outcome.executed = Executed::Yes;
        let status = value(row, &["execution_status", "state", "status"]).to_ascii_uppercase();
        let error = value(row, product.error);
        found.outcome.succeeded = match (status.as_str(), error) {
            ("SUCCESS" | "SUCCEEDED" | "FINISHED" | "DONE", "" | "0") => Some(true),
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
        let initial = value(row, &["initial_query_id"]);
        if matches!(value(row, &["is_initial_query"]), "0" | "false") && self.initial.contains(initial) {
            out.nothing();
            return ControlFlow::Continue(());
        }
        if self.initial.len() < MAX_STARTED && !self.initial.contains(&id) {
            self.initial.insert(id.clone());
        }
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

    fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        let mut started: Vec<_> = std::mem::take(&mut self.started).into_values().collect();
        started.sort_by_key(|found| found.place.offset);
        for found in started {
            out.action(self.recorder.action(found))?;
        }
        ControlFlow::Continue(())
    }
}

/// What is left of a statement whose text is not in its row: its sort, `DROP TABLE`. Jobs of BigQuery that load or copy
/// have no text, statements of workspaces with keys of their own are shown to nobody.
fn sort(row: &Row, product: &Product) -> Option<(String, Hides)> {
    let sort = value(row, product.sort);
    let known = !sort.is_empty() && !value(row, product.id).is_empty();
    known.then(|| (sort.replace('_', " "), Hides::Anything))
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
    fn clickhouse_as_tabs_and_as_an_answer() {
        check(
            "type\tquery\tquery_id\tquery_duration_ms\tuser\tquery_start_time\nQueryFinish\tALTER TABLE a\\nDELETE WHERE b = \\'x\\'\tq1\t7\tann\t1772442847\n",
            "L2 sql \"ALTER TABLE a\\nDELETE WHERE b = 'x'\" session=ann actor=unknown:ann time=2026-03-02T09:14:07Z ok user=ann dialect=clickhouse",
        );
        check(
            "{\n\"meta\": [{\"name\": \"query\", \"type\": \"String\"}],\n\"data\": [\n{\"type\":2,\"query\":\"DROP TABLE a\",\"query_id\":\"q\",\"query_duration_ms\":\"7\",\"user\":\"ann\"}\n],\n\"rows\": 1\n}\n",
            "L4 sql \"DROP TABLE a\" session=ann actor=unknown:ann ok user=ann dialect=clickhouse",
        );
    }

    #[test]
    fn what_servers_ask_each_other_is_told_once() {
        let row = |id: &str, initial: &str, first: u8| {
            format!(
                "{{\"type\":\"QueryFinish\",\"query\":\"DROP TABLE a\",\"query_id\":\"{id}\",\"initial_query_id\":\"{initial}\",\"is_initial_query\":{first},\"query_duration_ms\":\"7\",\"user\":\"ann\"}}\n"
            )
        };
        let told = "sql \"DROP TABLE a\" session=ann actor=unknown:ann ok user=ann dialect=clickhouse";
        check(&(row("x", "x", 1) + &row("y", "x", 0)), &format!("L1 {told}\nnothing: 1"));
        // Of another server's file only.
        check(&row("y", "x", 0), &format!("L1 {told}"));
    }

    #[test]
    fn what_is_not_shown_is_a_gap() {
        check(
            "QUERY_ID,QUERY_TEXT,USER_NAME,WAREHOUSE_NAME,QUERY_TYPE\nq1,<redacted>,ANN,WH,UNKNOWN\nq2,,ANN,WH,DROP_TABLE\nq3,,ANN,WH,\n",
            "L2 sql \"<redacted>\" session=h.csv actor=unknown:ANN user=ANN dialect=snowflake gap=redacted/anything\n\
             L3 sql \"DROP TABLE\" session=h.csv actor=unknown:ANN user=ANN dialect=snowflake gap=body-missing/anything\n\
             nothing: 1",
        );
        let long = format!("QUERY_ID,QUERY_TEXT,USER_NAME,WAREHOUSE_NAME\nq1,{},ANN,WH\n", "x".repeat(MOST_KEPT));
        assert!(read_all(&QueryHistory, "h.csv", long.as_bytes()).contains("gap=truncated/anything"));
    }

    #[test]
    fn bigquery_and_databricks() {
        check(
            "[{\"job_id\":\"j1\",\"user_email\":\"a@b.example\",\"query\":\"DELETE FROM d.t WHERE true\",\"state\":\"DONE\",\"creation_time\":\"2026-03-02 09:14:07\",\"dml_statistics\":{\"deleted_row_count\":\"12\",\"inserted_row_count\":\"0\"},\"error_result\":null},\n{\"job_id\":\"j2\",\"user_email\":\"a@b.example\",\"query\":null,\"job_type\":\"EXTRACT\",\"state\":\"DONE\"}]",
            "L1 sql \"DELETE FROM d.t WHERE true\" session=a@b.example actor=unknown:a@b.example time=2026-03-02T09:14:07Z ok rows=12 user=a@b.example dialect=bigquery\n\
             L2 sql \"EXTRACT\" session=a@b.example actor=unknown:a@b.example ok user=a@b.example dialect=bigquery gap=body-missing/anything",
        );
        check(
            "{\"next_page_token\":\"\",\"res\":[{\"query_id\":\"q\",\"query_text\":\"DROP TABLE a.b\",\"user_name\":\"a@b.example\",\"query_start_time_ms\":1772442847000,\"status\":\"FAILED\"}]}",
            "L1 sql \"DROP TABLE a.b\" session=h.csv actor=unknown:a@b.example time=2026-03-02T09:14:07Z failed user=a@b.example dialect=databricks",
        );
    }

    #[test]
    fn parquet_is_told_by_its_columns() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora");
        let other = std::fs::read(folder.join("mapped/parquet/queries.parquet")).unwrap();
        let said = read_all(&QueryHistory, "q.parquet", &other);
        let expected = if cfg!(feature = "table") {
            "L0 issue: a Parquet file that is no query history; its columns are `nr`, `started_ms`,"
        } else {
            "L0 issue: a Parquet file, which this build of nearmiss does not read"
        };
        assert!(said.starts_with(expected), "{said}");
    }

    #[test]
    #[cfg(feature = "table")]
    fn parquet_says_what_the_table_says() {
        let table = "type,query,query_id,query_duration_ms,user,query_start_time\n2,DROP TABLE a,q1,7,ann,1772442847\n1,SELECT 1,q2,0,ann,1772442848\n";
        let bytes = crate::reader::table::from_csv(table);
        let expected = "L1 sql \"DROP TABLE a\" session=ann actor=unknown:ann time=2026-03-02T09:14:07Z ok user=ann dialect=clickhouse\n\
                        L2 sql \"SELECT 1\" session=ann actor=unknown:ann time=2026-03-02T09:14:08Z user=ann dialect=clickhouse\n\
                        nothing: 1";
        assert_eq!(read_all(&QueryHistory, "q", &bytes).replace(" exec=yes", "").trim_end(), expected);
    }
}
