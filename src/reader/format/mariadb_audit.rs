//! The log of MariaDB's server_audit plugin, also used by RDS and by MySQL 5.
//!
//! `20260701 10:00:00,db1,ann,10.0.0.9,8,41,QUERY,shop,'DELETE FROM basket',0`

use std::collections::VecDeque;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use super::postgres::read_time;
use crate::model::{Executed, GapKind, Hides, Timestamp};
use crate::reader::recorder::{Found, Log, Place, Recorder, read_lines, some};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from mariadb_audit`
#[derive(Clone, Copy, Debug)]
pub struct MariadbAudit;

impl Reader for MariadbAudit {
    fn name(&self) -> &'static str {
        "mariadb_audit"
    }

    fn about(&self) -> &'static str {
        "MariaDB and RDS server_audit log (server_audit.log), file or syslog"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let text = String::from_utf8_lossy(sample.head);
        let (mut lines, mut rows) = (0, 0);
        for line in text.lines().filter(|line| !line.trim().is_empty()).take(200) {
            lines += 1;
            rows += usize::from(Row::of(line).is_some());
        }
        match rows {
            0 => Match::No,
            _ if rows * 10 >= lines => Match::Certain,
            _ => Match::Likely,
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut log = AuditLog { recorder: Recorder::new(source, self.name()), held: VecDeque::new() };
        read_lines(&mut log, input, source, out)
    }
}

/// One line, taken apart.
#[derive(Clone, Debug, Default)]
struct Row<'a> {
    time: Option<Timestamp>,
    host: &'a str,
    user: &'a str,
    connection: &'a str,
    query: &'a str,
    operation: &'a str,
    database: &'a str,
    /// The statement in quotes, or the name of a table; with the return code behind it.
    rest: &'a str,
}

const OPERATIONS: &[&str] = &[
    "QUERY",
    "QUERY_DDL",
    "QUERY_DML",
    "QUERY_DML_NO_SELECT",
    "QUERY_DCL",
    "CONNECT",
    "DISCONNECT",
    "FAILED_CONNECT",
    "CREATE",
    "ALTER",
    "RENAME",
    "DROP",
    "READ",
    "WRITE",
    "PROXY_CONNECT",
    "AUTH_FAILURE",
];

impl<'a> Row<'a> {
    fn of(line: &'a str) -> Option<Self> {
        // In syslog the date is syslog's, and the plugin's name stands in front.
        let line = line.split_once("mysql-server_auditing: ").map_or(line, |(_, line)| line);
        let first = line.split(',').next()?;
        // RDS counts microseconds.
        let time = stamp(first);
        let mut parts = line.splitn(if time.is_some() { 9 } else { 8 }, ',');
        if time.is_some() {
            parts.next()?;
        }
        let (host, user, _client) = (parts.next()?, parts.next()?, parts.next()?);
        let (connection, query) = (parts.next()?, parts.next()?);
        let (operation, database) = (parts.next()?, parts.next()?);
        let rest = parts.next()?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let whole = OPERATIONS.contains(&operation) && digits(connection) && digits(query);
        whole.then_some(Self { time, host, user, connection, query, operation, database, rest })
    }

    /// The statement, and whether its end is missing: without the closing quote it was cut.
    fn statement(&self) -> (String, bool, Option<i64>) {
        let (text, code) = match self.rest.rsplit_once(',') {
            Some((text, code)) if code.bytes().all(|byte| byte.is_ascii_digit()) => (text, code.parse().ok()),
            _ => (self.rest, None),
        };
        let Some(inner) = text.strip_prefix('\'') else { return (text.to_owned(), false, code) };
        let (mut plain, mut escaped, mut closed) = (String::with_capacity(inner.len()), false, false);
        for letter in inner.chars() {
            match (escaped, letter) {
                (true, 'n') => plain.push('\n'),
                (true, 'r') => plain.push('\r'),
                (true, 't') => plain.push('\t'),
                (true, '0') => plain.push('\0'),
                (true, letter) => plain.push(letter),
                (false, '\\') => {
                    escaped = true;
                    continue;
                }
                (false, '\'') if !closed => {
                    closed = true;
                    continue;
                }
                (false, letter) => plain.push(letter),
            }
            escaped = false;
            // A quote that is not escaped and not the last: of a version that escapes nothing.
            if std::mem::take(&mut closed) {
                let last = plain.pop();
                plain.push('\'');
                plain.extend(last);
            }
        }
        (plain, !closed, code)
    }
}

/// `20260701 10:00:00`, or microseconds since 1970.
fn stamp(text: &str) -> Option<Timestamp> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once(' ') {
        Some((day, clock)) if day.len() == 8 && digits(day) && clock.len() == 8 => {
            let (year, month, day) = (day.get(..4)?, day.get(4..6)?, day.get(6..)?);
            read_time(&format!("{year}-{month}-{day} {clock} UTC")).map(|read| read.time)
        }
        None if text.len() == 16 && digits(text) => text.parse().ok().map(Timestamp),
        _ => None,
    }
}

/// A statement that may hear of the tables it touched.
struct Held {
    connection: String,
    query: String,
    found: Found,
}

/// So many statements wait for rows about their tables; these come before or right behind.
const MAX_HELD: usize = 256;

struct AuditLog {
    recorder: Recorder,
    held: VecDeque<Held>,
}

impl Log for AuditLog {
    fn line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        if line.trim().is_empty() {
            return ControlFlow::Continue(());
        }
        let Some(row) = Row::of(line) else {
            return out.issue(self.recorder.lost(place, "not a line of a server_audit log", ""));
        };
        // Microseconds have no zone.
        if row.time.is_some() && line.split(',').next().is_some_and(|stamp| stamp.contains(' ')) {
            self.recorder.zone_note(place, out)?;
        }
        match row.operation {
            operation if operation.starts_with("QUERY") => self.statement(&row, place, out),
            "CREATE" | "ALTER" | "RENAME" | "DROP" | "READ" | "WRITE" => self.table(&row, place, out),
            _ => {
                out.nothing();
                ControlFlow::Continue(())
            }
        }
    }

    fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        while let Some(held) = self.held.pop_front() {
            out.action(self.recorder.action(held.found))?;
        }
        ControlFlow::Continue(())
    }
}

impl AuditLog {
    fn found(row: &Row<'_>, text: String, place: Place) -> Found {
        let mut found = Found::sql(text, "mysql", place);
        found.time = row.time;
        found.by(row.user, crate::model::ActorKind::Unknown);
        found.session = format!("{}@{}", row.connection, row.host);
        found.native = format!("{} {} {}", row.host, row.connection, row.query);
        found.surroundings.user = some(row.user);
        found.surroundings.database = some(row.database);
        found.surroundings.host = some(row.host);
        found.outcome.executed = Executed::Yes;
        found
    }

    fn statement(&mut self, row: &Row<'_>, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let (text, cut, code) = row.statement();
        if text.trim().is_empty() {
            out.nothing();
            return ControlFlow::Continue(());
        }
        // The tables were told first, and nothing stood for the statement until now.
        let same = |held: &Held| held.connection == row.connection && held.query == row.query;
        let mut found = Self::found(row, text, place);
        found.outcome.succeeded = code.map(|code| code == 0);
        if cut {
            found.lacks(GapKind::Truncated, Hides::Anything, "statement");
        }
        if let Some(start) = found.text.find("*****") {
            let password = found.text[..start].to_ascii_uppercase();
            let hides = if password.contains("IDENTIFIED") || password.contains("PASSWORD") {
                Hides::Nothing
            } else {
                Hides::Target
            };
            found.lacks(GapKind::Redacted, hides, "*****");
        }
        if let Some(held) = self.held.iter_mut().find(|held| same(held) && held.found.native.starts_with("table ")) {
            held.found = found;
            out.nothing();
            return ControlFlow::Continue(());
        }
        self.hold(row, found, out)
    }

    /// A table that a statement used. Only where the statement itself is not logged it is an action: the table is
    /// known, what was done with it in the broad, and which rows is not.
    fn table(&mut self, row: &Row<'_>, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let same = |held: &Held| held.connection == row.connection && held.query == row.query;
        let internal = row.database == "mysql" && row.rest.starts_with("table_stats")
            || row.rest.starts_with("column_stats")
            || row.rest.starts_with("index_stats");
        if internal || self.held.iter().any(same) {
            out.nothing();
            return ControlFlow::Continue(());
        }
        let table = row.rest.trim_end_matches(',').split('|').next().unwrap_or("");
        let name = format!("`{}`.`{}`", row.database, table);
        let text = match row.operation {
            "DROP" => format!("DROP TABLE {name}"),
            "READ" => format!("SELECT * FROM {name}"),
            "CREATE" => format!("CREATE TABLE {name} (unknown INT)"),
            "ALTER" | "RENAME" => format!("ALTER TABLE {name} COMMENT ''"),
            _ => format!("UPDATE {name} SET unknown = unknown WHERE unknown = 1"),
        };
        let mut found = Self::found(row, text, place);
        if row.operation != "READ" {
            found.lacks(GapKind::BodyMissing, Hides::Target, "the statement is not logged, its table is");
        }
        found.native = format!("table {}", found.native);
        self.hold(row, found, out)
    }

    fn hold(&mut self, row: &Row<'_>, found: Found, out: &mut dyn Out) -> ControlFlow<()> {
        if self.held.len() >= MAX_HELD
            && let Some(first) = self.held.pop_front()
        {
            out.action(self.recorder.action(first.found))?;
        }
        self.held.push_back(Held { connection: row.connection.to_owned(), query: row.query.to_owned(), found });
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[track_caller]
    fn check(input: &str, expected: &str) {
        let seen = read_all(&MariadbAudit, "server_audit.log", input.as_bytes());
        let zone = "L1 note: the time zone of this log is not known, its times are read as UTC\n";
        assert_eq!(seen.replace(zone, "").trim_end(), expected);
    }

    #[test]
    fn statements_are_unescaped_and_cut_ones_are_said() {
        check(
            "20260701 10:00:00,db1,ann,10.0.0.9,8,41,QUERY,shop,'SELECT \\'a,b\\'\\n FROM t',0\n\
             20260701 10:00:01,db1,ann,10.0.0.9,8,42,QUERY,shop,'DELETE FROM t WHERE a IN (1,2,0\n",
            "L1 sql \"SELECT 'a,b'\\n FROM t\" session=8@db1 actor=unknown:ann time=2026-07-01T10:00:00Z exec=yes ok host=db1 user=ann database=shop dialect=mysql\n\
             L2 sql \"DELETE FROM t WHERE a IN (1,2\" session=8@db1 actor=unknown:ann time=2026-07-01T10:00:01Z exec=yes ok host=db1 user=ann database=shop dialect=mysql gap=truncated/anything",
        );
    }

    #[test]
    fn tables_are_joined_with_their_statement_or_speak_for_it() {
        check(
            "20260701 10:00:00,db1,ann,h,8,41,WRITE,shop,t,\n\
             20260701 10:00:00,db1,ann,h,8,41,QUERY,shop,'TRUNCATE t',0\n\
             20260701 10:00:00,db1,ann,h,8,41,WRITE,mysql,table_stats,\n\
             20260701 10:00:02,db1,ann,h,8,43,DROP,shop,old,\n\
             20260701 10:00:03,db1,ann,h,8,0,DISCONNECT,shop,,0\nbroken\n",
            "L6 issue: not a line of a server_audit log\n\
             L2 sql \"TRUNCATE t\" session=8@db1 actor=unknown:ann time=2026-07-01T10:00:00Z exec=yes ok host=db1 user=ann database=shop dialect=mysql\n\
             L4 sql \"DROP TABLE `shop`.`old`\" session=8@db1 actor=unknown:ann time=2026-07-01T10:00:02Z exec=yes host=db1 user=ann database=shop dialect=mysql gap=body-missing/target\n\
             nothing: 3",
        );
    }
}
