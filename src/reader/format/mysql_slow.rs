//! The slow query log of MySQL 4.1 to 9, MariaDB and Percona Server.
//!
//! ```text
//! # Time: 2026-01-26T23:45:57.678222Z
//! # User@Host: app[app] @ localhost []  Id:     2
//! # Query_time: 3.011853  Lock_time: 0.011542  Rows_sent: 0  Rows_examined: 268  Rows_affected: 268
//! use shop;
//! SET timestamp=1769471157;
//! DELETE FROM basket;
//! ```

use std::collections::HashSet;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use super::mysql::{Login, MAX_STATEMENT, Maker, Place, is_banner, moment, used};
use crate::model::Timestamp;
use crate::reader::record::Lines;
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `mysql_slow`
#[derive(Debug)]
pub struct MysqlSlow;

const NAME: &str = "mysql_slow";

/// How the lines begin that can begin an entry; all else that begins with `#` may be a comment of a statement.
const BEGINNINGS: &[&str] = &["# Time: ", "# User@Host: ", "# User: ", "# Thread_id: ", "# Schema: ", "# Query_time: "];

impl Reader for MysqlSlow {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "MySQL, MariaDB and Percona slow query log (slow_query_log_file)"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let text = String::from_utf8_lossy(sample.head);
        let begins = |mark: &str| text.lines().take(400).any(|line| line.starts_with(mark));
        match () {
            () if begins("# Query_time: ") => Match::Certain,
            () if begins("# User@Host: ") => Match::Likely,
            () => Match::No,
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut log = Log::new(source);
        let mut lines = Lines::new(input);
        while let Some(line) = lines.next_line()? {
            let place = Place { line: line.number, offset: line.offset };
            if log.line(&String::from_utf8_lossy(line.bytes), line.cut, place, out).is_break() {
                return Ok(());
            }
        }
        let _ = log.close(out);
        Ok(())
    }
}

/// What part of an entry is being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Nothing,
    Header,
    Body,
}

/// What the header of one entry says; the rest is that of the entry before.
#[derive(Debug, Default)]
struct Entry {
    place: Place,
    rows: Option<u64>,
    failed: Option<bool>,
    /// From `SET timestamp=…`, which knows no zones.
    began: Option<Timestamp>,
    text: String,
    cut: bool,
    has_query_time: bool,
}

struct Log {
    maker: Maker,
    part: Part,
    entry: Entry,
    time: Option<(Timestamp, bool)>,
    thread: Option<String>,
    login: Login,
    /// The database that was named last, which is not repeated.
    database: Option<String>,
    starts: u32,
    threads: HashSet<String>,
    in_banner: bool,
    astray: bool,
}

impl Log {
    fn new(source: &Source) -> Self {
        Self {
            maker: Maker::new(source, NAME),
            part: Part::Nothing,
            entry: Entry::default(),
            time: None,
            thread: None,
            login: Login::default(),
            database: None,
            starts: 1,
            threads: HashSet::new(),
            in_banner: false,
            astray: false,
        }
    }

    fn line(&mut self, line: &str, cut: bool, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        if is_banner(line) {
            self.close(out)?;
            if !std::mem::replace(&mut self.in_banner, true) && !self.threads.is_empty() {
                self.starts += 1;
                self.threads.clear();
            }
            out.nothing();
            return ControlFlow::Continue(());
        }
        if begins(line) {
            self.in_banner = false;
            self.astray = false;
            let again = line.starts_with("# Query_time: ") && self.entry.has_query_time;
            if self.part != Part::Header || again {
                self.close(out)?;
                self.part = Part::Header;
                self.entry.place = place;
            }
            return self.header(line, place, out);
        }
        match self.part {
            Part::Header | Part::Body
                if self.entry.text.is_empty() && line.starts_with("# administrator command: ") =>
            {
                let command = line.trim_end().trim_end_matches(';').rsplit(": ").next().unwrap_or_default();
                // What the protocol can do beside statements; only this stops anybody.
                self.entry.text = if command == "Shutdown" { "SHUTDOWN".to_owned() } else { String::new() };
                self.finish(out)
            }
            Part::Header if line.starts_with('#') => self.header(line, place, out),
            Part::Header | Part::Body => {
                self.part = Part::Body;
                self.body(line, cut);
                ControlFlow::Continue(())
            }
            Part::Nothing if line.trim().is_empty() || line.starts_with('#') => ControlFlow::Continue(()),
            Part::Nothing if std::mem::replace(&mut self.astray, true) => ControlFlow::Continue(()),
            Part::Nothing => out.issue(self.maker.issue(place, "a line that is not of a slow query log", true)),
        }
    }

    fn header(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        if let Some(stated) = line.strip_prefix("# Time: ")
            && let Some(read) = moment(stated)
        {
            self.time = Some((read.time, read.zoned));
            if !read.zoned
                && let Some(note) = self.maker.zone_note(place)
            {
                out.issue(note)?;
            }
        }
        let who = after(line, "# User@Host: ").or_else(|| after(line, "# User: "));
        if let Some(who) = who {
            // `app[app] @ db.example [10.0.0.7]  Id: 4`
            let account = who.split_once(" @ ").map_or(who, |(account, _)| account);
            let user = account.split('[').nth(1).and_then(|rest| rest.split(']').next()).unwrap_or(account);
            user.trim().clone_into(&mut self.login.user);
            self.thread = None;
        }
        if let Some(id) = after(line, " Id:").or_else(|| after(line, "Thread_id:")).and_then(number) {
            self.thread = Some(id.to_owned());
        }
        if let Some(schema) = after(line, "Schema:") {
            let name = schema.trim_start_matches(' ').split(' ').next().unwrap_or_default();
            // `Schema:   QC_hit: No` has none.
            let named = !name.is_empty() && !name.ends_with(':');
            self.database = named.then(|| name.to_owned());
        }
        if line.starts_with("# Query_time: ") {
            self.entry.has_query_time = true;
        }
        if let Some(rows) = after(line, "Rows_affected:").and_then(number) {
            self.entry.rows = rows.parse().ok();
        }
        for mark in ["Last_errno:", " Errno:", "Killed:"] {
            if let Some(code) = after(line, mark).and_then(number) {
                self.entry.failed = Some(self.entry.failed == Some(true) || code != "0");
            }
        }
        ControlFlow::Continue(())
    }

    fn body(&mut self, line: &str, cut: bool) {
        let entry = &mut self.entry;
        entry.cut |= cut;
        if entry.text.is_empty() {
            // The server itself writes these before the statement.
            if let Some(database) = line.trim_end().strip_suffix(';').and_then(used) {
                self.database = Some(database);
                return;
            }
            if let Some(began) = session_values(line) {
                entry.began = began.or(entry.began);
                return;
            }
        }
        let room = MAX_STATEMENT.saturating_sub(entry.text.len());
        if !entry.text.is_empty() && room > 0 {
            entry.text.push('\n');
        }
        let end = line.floor_char_boundary(room.saturating_sub(1));
        entry.text.push_str(&line[..end]);
        entry.cut |= end < line.len();
    }

    /// The entry that is open is at its end.
    fn close(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        match self.part {
            Part::Nothing => ControlFlow::Continue(()),
            Part::Header => {
                self.part = Part::Nothing;
                let entry = std::mem::take(&mut self.entry);
                out.issue(self.maker.issue(entry.place, "an entry without its statement", true))
            }
            Part::Body => self.finish(out),
        }
    }

    fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        self.part = Part::Nothing;
        let entry = std::mem::take(&mut self.entry);
        let text = entry.text.trim();
        // The server puts one behind every statement.
        let text = text.strip_suffix(';').unwrap_or(text).trim_end();
        if text.bytes().all(|byte| byte.is_ascii_whitespace() || byte == b';') {
            out.nothing();
            return ControlFlow::Continue(());
        }
        let session = match &self.thread {
            Some(thread) => {
                self.threads.insert(thread.clone());
                if self.starts == 1 { thread.clone() } else { format!("{thread}#{}", self.starts) }
            }
            // Old servers do not say which connection it was.
            None if self.login.user.is_empty() => "slow log".to_owned(),
            None => self.login.user.clone(),
        };
        if self.threads.len() > 1 << 16 {
            self.threads.clear();
        }
        let time = match self.time {
            Some((time, true)) => Some(time),
            stated => entry.began.or(stated.map(|(time, _)| time)),
        };
        self.login.database.clone_from(&self.database);
        let mut action = self.maker.action(text, &session, &self.login, time, entry.place, entry.cut);
        action.outcome.succeeded = entry.failed.map(|failed| !failed);
        action.outcome.rows = entry.rows;
        if let Some(database) = used(text) {
            self.database = Some(database);
        }
        out.action(action)
    }
}

/// Whether a line can begin an entry. A comment inside a statement is not written like this.
fn begins(line: &str) -> bool {
    let Some(mark) = BEGINNINGS.iter().find(|mark| line.starts_with(**mark)) else { return false };
    let rest = line[mark.len()..].trim_start();
    match *mark {
        "# User@Host: " | "# User: " => rest.contains('[') || rest.contains('@'),
        "# Schema: " => rest.contains("Last_errno:") || rest.contains("QC_") || rest.is_empty(),
        _ => rest.starts_with(|c: char| c.is_ascii_digit()),
    }
}

fn after<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    line.split_once(mark).map(|(_, rest)| rest)
}

/// The digits a text begins with, behind blanks.
fn number(text: &str) -> Option<&str> {
    let text = text.trim_start();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then(|| &text[..digits])
}

/// `SET last_insert_id=7,timestamp=1196883430;`: `None` when it is not that.
fn session_values(line: &str) -> Option<Option<Timestamp>> {
    let rest = line.trim_end().strip_suffix(';')?;
    let rest = rest.strip_prefix("SET ")?;
    let mut began = None;
    for value in rest.split(',') {
        let (name, value) = value.split_once('=')?;
        if !matches!(name.trim(), "timestamp" | "last_insert_id" | "insert_id") {
            return None;
        }
        if name.trim() == "timestamp" {
            let seconds = value.split('.').next().and_then(|seconds| seconds.trim().parse::<i64>().ok());
            began = seconds.and_then(|seconds| seconds.checked_mul(1_000_000)).map(Timestamp);
        }
    }
    Some(began)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[track_caller]
    fn check(log: &str, expected: &str) {
        assert_eq!(read_all(&MysqlSlow, "slow.log", log.as_bytes()).trim_end(), expected);
    }

    #[test]
    fn new_servers_say_all_of_it() {
        check(
            "# Time: 2026-01-26T23:45:57.678222Z\n# User@Host: app[app] @ localhost [10.0.0.7]  Id:     2\n\
             # Schema: shop  Last_errno: 0  Killed: 0\n\
             # Query_time: 3.01  Lock_time: 0.0  Rows_sent: 0  Rows_examined: 268  Rows_affected: 268\n# Bytes_sent: 52\n\
             SET timestamp=1769471154;\nDELETE FROM basket;\n\
             # Time: 2026-01-26T23:45:58Z\n# User@Host: app[app] @ localhost []  Id:     2\n\
             # Schema: shop  Last_errno: 1146  Killed: 0\n# Query_time: 3.01  Lock_time: 0.0  Rows_sent: 0  Rows_examined: 0\n\
             DROP TABLE\n# not a header\nb;\n",
            "L1 sql \"DELETE FROM basket\" session=2 actor=unknown:app time=2026-01-26T23:45:57.678222Z exec=yes ok rows=268 user=app database=shop dialect=mysql\n\
             L8 sql \"DROP TABLE\\n# not a header\\nb\" session=2 actor=unknown:app time=2026-01-26T23:45:58Z exec=yes failed user=app database=shop dialect=mysql",
        );
    }

    #[test]
    fn old_servers_say_what_changed() {
        check(
            "# Time: 071218 11:48:27 # User@Host: [SQL_SLAVE] @  []\n# Thread_id: 10\n\
             # Query_time: 2  Lock_time: 0  Rows_sent: 0  Rows_examined: 9\nuse db1;\nSET last_insert_id=4,timestamp=1197996507;\nTRUNCATE a;\n\
             # User@Host: root[root] @ localhost []\n# Query_time: 2  Lock_time: 0  Rows_sent: 0  Rows_examined: 9\nSET timestamp=1;\n# administrator command: Quit;\n\
             # User@Host: root[root] @ localhost []\n# Query_time: 2  Lock_time: 0  Rows_sent: 0  Rows_examined: 9\nSET GLOBAL a = 1;\n\
             # User@Host: root[root] @ localhost []\n# Query_time: 2  Lo",
            "L1 note: the time zone of this log is not known, its times are read as UTC (set `log_timestamps` to `UTC` on the server)\n\
             L1 sql \"TRUNCATE a\" session=10 actor=service:SQL_SLAVE time=2007-12-18T16:48:27Z exec=yes user=SQL_SLAVE database=db1 dialect=mysql\n\
             L11 sql \"SET GLOBAL a = 1\" session=root actor=unknown:root time=2007-12-18T11:48:27Z exec=yes user=root database=db1 dialect=mysql\n\
             L14 issue: an entry without its statement\n\
             nothing: 1",
        );
    }

    #[test]
    fn lines_before_the_first_entry_are_said() {
        check(
            "DELETE FROM x;\nmore;\n# Query_time: 1  Lock_time: 0\nSELECT 1;\n# Query_time: 1  Lock_time: 0\nSELECT 2;",
            "L1 issue: a line that is not of a slow query log\n\
             L3 sql \"SELECT 1\" session=slow log actor=unknown: exec=yes dialect=mysql\n\
             L5 sql \"SELECT 2\" session=slow log actor=unknown: exec=yes dialect=mysql",
        );
    }
}
