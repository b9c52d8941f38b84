//! What `mysqlbinlog` prints of a binary log: statements that changed something, and rows that were changed.
//!
//! `#260701 10:00:00 server id 1  end_log_pos 349  Query  thread_id=3  exec_time=0  error_code=0`, the statement, `/*!*/;`

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use super::mysql::{Login, MAX_STATEMENT, Maker, Place, moment, used};
use crate::model::{Action, Gap, GapKind, Hides, Timestamp};
use crate::reader::recorder::{Log, read_lines};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from mysql_binlog`
#[derive(Clone, Copy, Debug)]
pub struct MysqlBinlog;

const NAME: &str = "mysql_binlog";

impl Reader for MysqlBinlog {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "MySQL and MariaDB binary log as mysqlbinlog prints it; rows with --verbose"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let text = String::from_utf8_lossy(sample.head);
        match text.lines().take(400).any(|line| Event::of(line).is_some()) {
            true => Match::Certain,
            false if text.contains("\nDELIMITER /*!*/;\n") => Match::Likely,
            false => Match::No,
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut log = Binlog {
            maker: Maker::new(source, NAME),
            event: None,
            statement: Statement::default(),
            login: Login::default(),
            rows: None,
            hidden: None,
            delimiter: ";".to_owned(),
        };
        read_lines(&mut log, input, source, out)
    }
}

/// The line that an event begins with.
#[derive(Clone, Debug, Default)]
struct Event {
    time: Option<Timestamp>,
    thread: String,
    /// `Query`, `Xid = 7`, `Delete_rows: table id 99`.
    sort: String,
    failed: bool,
    user: String,
}

impl Event {
    fn of(line: &str) -> Option<Self> {
        let rest = line.strip_prefix('#')?;
        let time = moment(rest)?;
        let rest = rest.get(time.length..)?.trim_start().strip_prefix("server id ")?;
        let (_, rest) = rest.split_once("end_log_pos ")?;
        let rest = rest.trim_start().split_once([' ', '\t']).map_or("", |(_, rest)| rest).trim_start();
        let rest = rest.strip_prefix("CRC32 0x").map_or(rest, |rest| rest.get(8..).unwrap_or("")).trim_start();
        let value = |key: &str| {
            let (_, rest) = rest.split_once(key)?;
            rest.split([' ', '\t']).next()
        };
        Some(Self {
            time: Some(time.time),
            thread: value("thread_id=").unwrap_or("").to_owned(),
            sort: rest.to_owned(),
            failed: value("error_code=").is_some_and(|code| code != "0"),
            user: String::new(),
        })
    }
}

/// The statement that is being read.
#[derive(Debug, Default)]
struct Statement {
    text: String,
    place: Place,
    cut: bool,
}

/// Rows of one table that one event changed, as `### DELETE FROM …` shows them.
#[derive(Debug)]
struct Rows {
    /// `DELETE FROM`, `INSERT INTO`, `UPDATE`.
    verb: &'static str,
    table: String,
    count: u64,
    place: Place,
    first: String,
}

struct Binlog {
    maker: Maker,
    event: Option<Event>,
    statement: Statement,
    login: Login,
    rows: Option<Rows>,
    /// A rows event whose rows are not shown.
    hidden: Option<(Place, String)>,
    delimiter: String,
}

const VERBS: &[&str] = &["DELETE FROM", "INSERT INTO", "UPDATE"];

impl Log for Binlog {
    fn line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        if self.statement.text.is_empty() {
            if let Some(rest) = line.strip_prefix("### ") {
                return self.row(rest, place, out);
            }
            if let Some(event) = Event::of(line) {
                self.maker.zone_note(place).map_or(ControlFlow::Continue(()), |issue| out.issue(issue))?;
                let rows = ["Delete_rows", "Update_rows", "Write_rows"];
                if let Some(sort) = rows.iter().find(|sort| event.sort.contains(**sort)) {
                    self.hidden.get_or_insert((place, (*sort).to_owned()));
                } else {
                    self.settle(out)?;
                    self.event = Some(event);
                }
                out.nothing();
                return ControlFlow::Continue(());
            }
            if line.starts_with('#') || line.trim().is_empty() {
                return ControlFlow::Continue(());
            }
            if let Some(delimiter) = line.strip_prefix("DELIMITER ") {
                delimiter.trim().clone_into(&mut self.delimiter);
                return ControlFlow::Continue(());
            }
            self.statement.place = place;
        }
        let ended = line.trim_end().strip_suffix(self.delimiter.as_str());
        let text = ended.unwrap_or(line);
        if self.statement.text.len() + text.len() < MAX_STATEMENT {
            self.statement.text.push_str(text);
            self.statement.text.push('\n');
        } else {
            self.statement.cut = true;
        }
        if ended.is_some() { self.end(true, out) } else { ControlFlow::Continue(()) }
    }

    fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        if !self.statement.text.trim().is_empty() {
            self.end(false, out)?;
        }
        self.settle(out)
    }
}

impl Binlog {
    /// A statement is whole, or the file ends in it.
    fn end(&mut self, whole: bool, out: &mut dyn Out) -> ControlFlow<()> {
        let Statement { text, place, cut } = std::mem::take(&mut self.statement);
        let text = text.trim();
        if let Some(database) = used(text) {
            self.login.database = Some(database);
            return ControlFlow::Continue(());
        }
        // The dump's own bookkeeping: it was not sent by anybody.
        let upper = text.get(..24).unwrap_or(text).to_ascii_uppercase();
        let own = text.is_empty()
            || text.starts_with("/*!") && !upper.starts_with("/*!50003 CREATE") && !upper.starts_with("/*!50003 DROP")
            || upper.starts_with("BINLOG '")
            || ["SET TIMESTAMP=", "SET @@SESSION", "SET INSERT_ID", "SET LAST_INSERT_ID", "SET @@"]
                .iter()
                .any(|own| upper.starts_with(own))
            || matches!(upper.as_str(), "BEGIN" | "COMMIT" | "START TRANSACTION")
            || text.ends_with("/* added by mysqlbinlog */");
        if own {
            if upper.starts_with("COMMIT") || upper.starts_with("BEGIN") {
                self.settle(out)?;
            }
            return ControlFlow::Continue(());
        }
        let action = self.action(text, place, cut || !whole);
        out.action(action)
    }

    fn action(&mut self, text: &str, place: Place, cut: bool) -> Action {
        let event = self.event.clone().unwrap_or_default();
        self.login.user.clone_from(&event.user);
        let session = if event.thread.is_empty() { "binlog" } else { &event.thread };
        let mut action = self.maker.action(text, session, &self.login, event.time, place, cut);
        // What is in the binary log was done; an error code says that it was done in part.
        action.outcome.succeeded = Some(!event.failed);
        action
    }

    /// `### DELETE FROM `shop`.`basket``, then `### WHERE` and `###   @1=7` for every column.
    fn row(&mut self, rest: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let verb = VERBS.iter().find_map(|verb| Some((*verb, rest.strip_prefix(verb)?.trim())));
        let Some((verb, table)) = verb else {
            if let Some(rows) = self.rows.as_mut().filter(|rows| rows.count == 1 && rows.first.len() < 4096) {
                rows.first.push('\n');
                rows.first.push_str(rest.trim_end());
            }
            return ControlFlow::Continue(());
        };
        if let Some(rows) = self.rows.as_mut().filter(|rows| rows.verb == verb && rows.table == table) {
            rows.count += 1;
            return ControlFlow::Continue(());
        }
        let hidden = self.hidden.take();
        self.settle(out)?;
        self.hidden = None;
        let place = hidden.map_or(place, |(place, _)| place);
        self.rows = Some(Rows { verb, table: table.to_owned(), count: 1, place, first: String::new() });
        ControlFlow::Continue(())
    }

    /// Hands over the rows that were changed since the last statement.
    fn settle(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        if let Some(rows) = self.rows.take() {
            self.hidden = None;
            let text = match rows.verb {
                // Rows that were picked one by one, by whatever statement did it.
                "DELETE FROM" => format!("DELETE FROM {} WHERE {}", rows.table, picked(&rows.first, "WHERE")),
                "UPDATE" => {
                    let set = picked(&rows.first, "SET").replace(" AND ", ", ");
                    let before = rows.first.split("\nSET").next().unwrap_or("");
                    format!("UPDATE {} SET {set} WHERE {}", rows.table, picked(before, "WHERE"))
                }
                _ => format!("INSERT INTO {} SET {}", rows.table, picked(&rows.first, "SET").replace(" AND ", ", ")),
            };
            let mut action = self.action(&text, rows.place, false);
            action.outcome.rows = Some(rows.count);
            if rows.count > 1 {
                let detail = format!("the first of {} rows is shown", rows.count);
                action.gaps.push(Gap { kind: GapKind::BodyMissing, hides: Hides::Nothing, span: None, detail });
            }
            return out.action(action);
        }
        match self.hidden.take() {
            Some((place, sort)) => {
                let mut issue = self.maker.issue(place, &format!("a {sort} event without its rows"), true);
                issue.advice = "print the log with `mysqlbinlog --verbose`".to_owned();
                out.issue(issue)
            }
            None => ControlFlow::Continue(()),
        }
    }
}

/// `@1=7 AND @2='x'` of the lines after `word`.
fn picked(lines: &str, word: &str) -> String {
    let after = lines.lines().skip_while(|line| line.trim() != word).skip(1);
    let columns = after.map(str::trim).take_while(|line| line.starts_with('@'));
    // `@2='x' /* VARSTRING(30) meta=30 … */` with `-vv`.
    let columns: Vec<_> =
        columns.map(|column| column.split(" /* ").next().unwrap_or(column).replacen('@', "col_", 1)).collect();
    if columns.is_empty() { "$1".to_owned() } else { columns.join(" AND ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[track_caller]
    fn check(input: &str, expected: &str) {
        assert_eq!(read_all(&MysqlBinlog, "binlog.sql", input.as_bytes()).trim_end(), expected);
    }

    const HEAD: &str = "DELIMITER /*!*/;\n# at 4\n#260701 10:00:00 server id 1  end_log_pos 349 CRC32 0x12345678 \tQuery\tthread_id=3\texec_time=0\terror_code=0\n";

    #[test]
    fn statements_with_their_database() {
        check(
            &format!("{HEAD}use `shop`/*!*/;\nSET TIMESTAMP=1/*!*/;\nDELETE FROM a\nWHERE b = 1\n/*!*/;\n"),
            "L3 note: the time zone of this log is not known, its times are read as UTC (set `log_timestamps` to `UTC` on the server)\n\
             L6 sql \"DELETE FROM a\\nWHERE b = 1\" session=3 actor=unknown: time=2026-07-01T10:00:00Z exec=yes ok database=shop dialect=mysql\n\
             nothing: 1",
        );
    }

    #[test]
    fn rows_are_counted_and_those_not_shown_are_said() {
        let rows = "#260701 10:00:01 server id 1  end_log_pos 400 CRC32 0x12345678 \tDelete_rows: table id 9 flags: STMT_END_F\n";
        check(
            &format!(
                "{HEAD}BEGIN\n/*!*/;\n{rows}\nBINLOG '\nabc\n'/*!*/;\n### DELETE FROM `shop`.`a`\n### WHERE\n###   @1=1\n###   @2='x'\n\
                 ### DELETE FROM `shop`.`a`\n### WHERE\n###   @1=2\nCOMMIT/*!*/;\n{rows}"
            ),
            "L3 note: the time zone of this log is not known, its times are read as UTC (set `log_timestamps` to `UTC` on the server)\n\
             L6 sql \"DELETE FROM `shop`.`a` WHERE col_1=1 AND col_2='x'\" session=3 actor=unknown: time=2026-07-01T10:00:00Z exec=yes ok rows=2 dialect=mysql gap=body-missing/nothing\n\
             L19 issue: a Delete_rows event without its rows (print the log with `mysqlbinlog --verbose`)\n\
             nothing: 3",
        );
    }
}
