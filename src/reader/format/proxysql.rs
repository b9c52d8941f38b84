//! ProxySQL's query log as JSON lines (`eventslog_format = 2`), of MySQL and of Postgres.
//!
//! `{"event":"COM_QUERY","query":"DELETE FROM till","schemaname":"shop","username":"clerk","hostgroup_id":0,…}`

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserialize;

use crate::model::{ActorKind, Executed, GapKind, Hides, Timestamp};
use crate::reader::recorder::{Found, Log, Place, Recorder, read_lines, some};
use crate::reader::transcript::{Word, first_lines};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from proxysql`
#[derive(Clone, Copy, Debug)]
pub struct ProxySql;

impl Reader for ProxySql {
    fn name(&self) -> &'static str {
        "proxysql"
    }

    fn about(&self) -> &'static str {
        "ProxySQL query log and audit log as JSON (eventslog_format 2)"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let is_one = |line: &str| serde_json::from_str::<Event<'_>>(line).is_ok_and(|event| event.is_one());
        if first_lines(sample, 20).any(is_one) { Match::Certain } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        read_lines(&mut QueryLog { recorder: Recorder::new(source, self.name()) }, input, source, out)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Event<'a> {
    #[serde(borrow)]
    event: Word<'a>,
    #[serde(borrow)]
    query: Word<'a>,
    #[serde(borrow)]
    schemaname: Word<'a>,
    #[serde(borrow)]
    username: Word<'a>,
    #[serde(borrow)]
    thread_id: Word<'a>,
    #[serde(borrow)]
    client: Word<'a>,
    /// Of the audit log.
    #[serde(borrow)]
    client_addr: Word<'a>,
    #[serde(borrow)]
    server: Word<'a>,
    #[serde(borrow)]
    starttime_timestamp_us: Word<'a>,
    #[serde(borrow)]
    rows_affected: Word<'a>,
    #[serde(borrow)]
    errno: Word<'a>,
    #[serde(borrow)]
    error: Word<'a>,
}

impl Event<'_> {
    fn is_one(&self) -> bool {
        let event = self.event.text();
        let query = event.starts_with("COM_") || event.starts_with("PGSQL_");
        let audit =
            event.starts_with("MySQL_Client_") || event.starts_with("PgSQL_Client_") || event.starts_with("Admin_");
        query && self.thread_id.get().is_some() && self.client.is_there() || audit && self.client_addr.is_there()
    }
}

struct QueryLog {
    recorder: Recorder,
}

impl Log for QueryLog {
    fn line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        if line.trim().is_empty() {
            return ControlFlow::Continue(());
        }
        let event: Event<'_> = match serde_json::from_str(line) {
            Ok(event) => event,
            Err(error) => return out.issue(self.recorder.lost(place, format!("not a JSON object: {error}"), "")),
        };
        if !event.is_one() {
            return out.issue(self.recorder.lost(place, "no event of ProxySQL: it has no `event` and `thread_id`", ""));
        }
        let kind = event.event.text();
        // Preparing does nothing by itself; logging in and out, neither.
        let runs =
            matches!(kind, "COM_QUERY" | "COM_STMT_EXECUTE" | "PGSQL_QUERY" | "PGSQL_STMT_EXECUTE" | "PGSQL_EXECUTE");
        if !runs || event.query.text().trim().is_empty() {
            out.nothing();
            return ControlFlow::Continue(());
        }
        let dialect = if kind.starts_with("PGSQL_") { "postgres" } else { "mysql" };
        let mut found = Found::sql(event.query.text(), dialect, place);
        found.time = event.starttime_timestamp_us.text().parse().ok().map(Timestamp);
        found.by(event.username.text(), ActorKind::Unknown);
        // Threads are counted anew when the proxy starts; ports are not used again at once.
        found.session = format!("{}@{}", event.thread_id.text(), event.client.text());
        found.native = format!("{} {}", found.session, event.starttime_timestamp_us.text());
        found.surroundings.user = some(event.username.text());
        found.surroundings.database = some(event.schemaname.text());
        found.surroundings.host = some(event.server.text());
        found.outcome.executed = Executed::Yes;
        let failed = event.errno.get().is_some_and(|number| number != "0") || event.error.get().is_some();
        found.outcome.succeeded = (failed || event.errno.is_there()).then_some(!failed);
        found.outcome.rows = event.rows_affected.text().parse().ok().filter(|rows| *rows > 0);
        if kind.ends_with("EXECUTE") && (found.text.contains('?') || dialect == "postgres" && found.text.contains('$'))
        {
            found.lacks(GapKind::ParametersMissing, Hides::Nothing, "values of a prepared statement");
        }
        out.action(self.recorder.action(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[test]
    fn queries_are_actions_and_the_rest_is_not() {
        let log = "{\"client\":\"h:1\",\"event\":\"COM_QUERY\",\"errno\":0,\"query\":\"DELETE FROM a\",\"rows_affected\":3,\"schemaname\":\"shop\",\"server\":\"db:3306\",\"starttime_timestamp_us\":1791176400000001,\"thread_id\":6,\"username\":\"ann\"}\n\
                   {\"client\":\"h:1\",\"event\":\"COM_STMT_PREPARE\",\"query\":\"DROP TABLE a\",\"thread_id\":6,\"username\":\"ann\"}\n\
                   {\"client\":\"h:1\",\"event\":\"COM_STMT_EXECUTE\",\"errno\":1146,\"error\":\"no a\",\"query\":\"DELETE FROM a WHERE b = ?\",\"thread_id\":6,\"username\":\"ann\"}\n\
                   {\"client_addr\":\"h:1\",\"event\":\"MySQL_Client_Quit\",\"thread_id\":6}\n{\"event\":\"x\"}\n{\"cl\n";
        let expected = "L1 sql \"DELETE FROM a\" session=6@h:1 actor=unknown:ann time=2026-10-05T05:00:00.000001Z exec=yes ok rows=3 host=db:3306 user=ann database=shop dialect=mysql\n\
                        L3 sql \"DELETE FROM a WHERE b = ?\" session=6@h:1 actor=unknown:ann exec=yes failed user=ann dialect=mysql gap=parameters-missing/nothing\n\
                        L5 issue: no event of ProxySQL: it has no `event` and `thread_id`\n\
                        L6 issue: not a JSON object: EOF while parsing a string at line 1 column 4\n\
                        nothing: 2";
        assert_eq!(read_all(&ProxySql, "q.log", log.as_bytes()).trim_end(), expected);
    }
}
