//! The general query log of MySQL and MariaDB, old and new.
//!
//! `2026-06-07T19:07:02.558338Z    10 Query    DELETE FROM basket WHERE id = 3`, with TABs behind the time and the command.
//!
//! Statements of several lines are written as they are, so that a line inside a string can look like a record. It is
//! read as one: to swallow a record would be worse than to see one too many.

use std::collections::{HashMap, HashSet};
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use super::mysql::{Login, MAX_STATEMENT, Maker, Place, is_banner, moment, used};
use crate::model::{Gap, GapKind, Hides, Timestamp};
use crate::reader::record::Lines;
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `mysql_general`
#[derive(Debug)]
pub struct MysqlGeneral;

const NAME: &str = "mysql_general";

/// What a server calls the commands of its protocol.
const COMMANDS: &[&str] = &[
    "Sleep",
    "Quit",
    "Init DB",
    "Query",
    "Field List",
    "Create DB",
    "Drop DB",
    "Refresh",
    "Shutdown",
    "Statistics",
    "Processlist",
    "Connect Out",
    "Connect",
    "Kill",
    "Debug",
    "Ping",
    "Time",
    "Delayed insert",
    "Change user",
    "Binlog Dump GTID",
    "Binlog Dump",
    "Table Dump",
    "Register Slave",
    "Register Replica",
    "Prepare",
    "Execute",
    "Long Data",
    "Close stmt",
    "Reset stmt",
    "Set option",
    "Fetch",
    "Daemon",
    "Reset Connection",
    "Bulk_execute",
    "Error",
];

/// Those of them that tell this log from others.
const MARKS: &[&str] = &["Query", "Connect", "Quit", "Init DB", "Prepare", "Execute", "Close stmt", "Field List"];

impl Reader for MysqlGeneral {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "MySQL and MariaDB general query log (general_log_file)"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let text = String::from_utf8_lossy(sample.head);
        let (mut dated, mut undated, mut banners) = (0, 0, 0);
        for line in text.lines().take(400) {
            if line.starts_with("# Query_time: ") || line.starts_with("# User@Host: ") {
                return Match::No;
            }
            match Head::of(line) {
                // Any log can have a time, a number and one of the other words.
                Some(head) if !MARKS.contains(&head.command) => {}
                Some(head) if head.time.is_some() => dated += 1,
                Some(_) => undated += 1,
                None => banners += usize::from(is_banner(line)),
            }
        }
        match () {
            () if dated > 0 => Match::Certain,
            () if banners > 0 => Match::Likely,
            () if undated > 2 => Match::Maybe,
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

/// The start of a record.
#[derive(Debug)]
struct Head<'a> {
    /// The time as it is written; `None` when it is that of the record before.
    time: Option<super::mysql::Moment>,
    id: &'a str,
    command: &'static str,
    argument: &'a str,
}

impl<'a> Head<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let time = moment(line);
        let rest = line.get(time.map_or(0, |time| time.length)..)?;
        let number = rest.trim_start_matches([' ', '\t']);
        // Without a time two TABs stand in its place.
        if number.len() == rest.len() || time.is_none() && !rest.starts_with('\t') {
            return None;
        }
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        let (id, rest) = number.split_at(digits);
        let rest = rest.strip_prefix([' ', '\t']).filter(|_| (1..=20).contains(&digits))?;
        let command = COMMANDS.iter().copied().find(|command| {
            rest.strip_prefix(command).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
        })?;
        let argument = &rest[command.len()..];
        let argument = argument.strip_prefix('\t').unwrap_or_else(|| argument.trim_start_matches(' '));
        Some(Self { time, id, command, argument })
    }
}

/// The record that is being read.
#[derive(Debug)]
struct Open {
    id: String,
    command: &'static str,
    text: String,
    time: Option<Timestamp>,
    place: Place,
    cut: bool,
}

/// One connection.
#[derive(Debug, Default)]
struct Connection {
    session: String,
    login: Login,
    /// Statements by what `[7]` in front of them says, for servers that do not repeat them.
    prepared: HashMap<String, String>,
}

struct Log {
    maker: Maker,
    connections: HashMap<String, Connection>,
    /// Numbers that begin again: a server that was started anew, a file made of several.
    starts: u32,
    connected: HashSet<u64>,
    prepared_bytes: usize,
    open: Option<Open>,
    time: Option<Timestamp>,
    in_banner: bool,
    astray: bool,
}

/// So many connections are remembered at once; more are not open at any time.
const MAX_CONNECTIONS: usize = 1 << 16;
/// So many bytes of prepared statements are remembered of all.
const MAX_PREPARED: usize = 32 << 20;
/// So many numbers of connections are remembered to tell when they begin anew.
const MAX_CONNECTED: usize = 1 << 20;

impl Log {
    fn new(source: &Source) -> Self {
        Self {
            maker: Maker::new(source, NAME),
            connections: HashMap::new(),
            starts: 1,
            connected: HashSet::new(),
            prepared_bytes: 0,
            open: None,
            time: None,
            in_banner: false,
            astray: false,
        }
    }

    fn line(&mut self, line: &str, cut: bool, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        if is_banner(line) {
            self.close(out)?;
            if !std::mem::replace(&mut self.in_banner, true) && !self.connections.is_empty() {
                self.restart();
            }
            out.nothing();
            return ControlFlow::Continue(());
        }
        let Some(head) = Head::of(line) else { return self.continued(line, cut, place, out) };
        self.close(out)?;
        self.in_banner = false;
        self.astray = false;
        if let Some(read) = head.time {
            self.time = Some(read.time);
            if !read.zoned
                && let Some(note) = self.maker.zone_note(place)
            {
                out.issue(note)?;
            }
        }
        let mut open =
            Open { id: head.id.to_owned(), command: head.command, text: String::new(), time: self.time, place, cut };
        append(&mut open, head.argument);
        self.open = Some(open);
        ControlFlow::Continue(())
    }

    fn continued(&mut self, line: &str, cut: bool, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let takes_lines = |open: &Open| matches!(open.command, "Query" | "Prepare" | "Execute" | "Bulk_execute");
        match self.open.as_mut().filter(|open| takes_lines(open)) {
            Some(open) => {
                append(open, "\n");
                append(open, line);
                open.cut |= cut;
            }
            None if line.trim().is_empty() => {}
            // Said once per run of such lines.
            None if std::mem::replace(&mut self.astray, true) => {}
            None => out.issue(self.maker.issue(place, "a line that is not of a general query log", true))?,
        }
        ControlFlow::Continue(())
    }

    /// The record that is open is at its end.
    fn close(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        let Some(open) = self.open.take() else { return ControlFlow::Continue(()) };
        let text = open.text.trim();
        match open.command {
            "Connect" | "Change user" => self.connect(&open.id, text, open.command == "Connect"),
            "Init DB" => self.connection(&open.id).login.database = Some(text.to_owned()),
            "Quit" => {
                self.connections.remove(&open.id);
            }
            "Prepare" => {
                let (number, text) = numbered(text);
                self.prepared_bytes += text.len() + number.len();
                if self.prepared_bytes > MAX_PREPARED {
                    self.prepared_bytes = 0;
                    self.connections.values_mut().for_each(|connection| connection.prepared = HashMap::new());
                }
                self.connection(&open.id).prepared.insert(number.to_owned(), text.to_owned());
            }
            "Query" | "Execute" | "Bulk_execute" => return self.statement(&open, text, out),
            "Create DB" => return self.act(&open, &format!("CREATE DATABASE `{text}`"), Vec::new(), out),
            "Drop DB" => return self.act(&open, &format!("DROP DATABASE `{text}`"), Vec::new(), out),
            "Shutdown" => return self.act(&open, "SHUTDOWN", Vec::new(), out),
            "Kill" if !text.is_empty() => return self.act(&open, &format!("KILL {text}"), Vec::new(), out),
            _ => {}
        }
        out.nothing();
        ControlFlow::Continue(())
    }

    fn statement(&mut self, open: &Open, text: &str, out: &mut dyn Out) -> ControlFlow<()> {
        let (number, statement) = if open.command == "Query" { ("", text) } else { numbered(text) };
        let mut gaps = Vec::new();
        let prepared;
        let mut statement = statement;
        if statement.is_empty() && open.command != "Query" {
            // Some servers do not say what they execute.
            prepared = self.connection(&open.id).prepared.get(number).cloned();
            match &prepared {
                Some(text) => {
                    statement = text;
                    let detail = "?".to_owned();
                    gaps.push(Gap { kind: GapKind::ParametersMissing, hides: Hides::Nothing, span: None, detail });
                }
                None => {
                    statement = "EXECUTE";
                    let detail = "the statement was prepared before this log begins".to_owned();
                    gaps.push(Gap { kind: GapKind::BodyMissing, hides: Hides::Anything, span: None, detail });
                }
            }
            let statement = statement.to_owned();
            return self.act(open, &statement, gaps, out);
        }
        if statement.bytes().all(|byte| byte.is_ascii_whitespace() || byte == b';') {
            out.nothing();
            return ControlFlow::Continue(());
        }
        self.act(open, statement, gaps, out)?;
        if let Some(database) = used(statement) {
            self.connection(&open.id).login.database = Some(database);
        }
        ControlFlow::Continue(())
    }

    fn act(&mut self, open: &Open, statement: &str, gaps: Vec<Gap>, out: &mut dyn Out) -> ControlFlow<()> {
        let connection = self.connection(&open.id);
        let (session, login) = (connection.session.clone(), connection.login.clone());
        let mut action = self.maker.action(statement, &session, &login, open.time, open.place, open.cut);
        action.gaps.extend(gaps);
        out.action(action)
    }

    fn connection(&mut self, id: &str) -> &mut Connection {
        if self.connections.len() >= MAX_CONNECTIONS && !self.connections.contains_key(id) {
            self.connections.clear();
        }
        let starts = self.starts;
        self.connections
            .entry(id.to_owned())
            .or_insert_with(|| Connection { session: session(id, starts), ..Connection::default() })
    }

    /// `root@localhost on shop using Socket`, `root@localhost as anonymous on shop`.
    fn connect(&mut self, id: &str, text: &str, is_new: bool) {
        if is_new && let Ok(number) = id.parse() {
            if self.connected.len() > MAX_CONNECTED {
                self.connected.clear();
            }
            // A number that connects again means that numbers began again.
            if !self.connected.insert(number) {
                self.restart();
                self.connected.insert(number);
            }
        }
        if text.starts_with("Access denied") {
            return;
        }
        let (who, rest) = text.split_once(" on ").unwrap_or_else(|| (text.strip_suffix(" on").unwrap_or(text), ""));
        let who = who.split_once(" as ").map_or(who, |(who, _)| who);
        let user = who.rsplit_once('@').map_or(who, |(user, _)| user).trim();
        let database = rest.split(" using ").next().unwrap_or_default().trim();
        let database = database.strip_prefix("using ").map_or(database, |_| "");
        let login =
            Login { user: user.to_owned(), database: Some(database.to_owned()).filter(|name| !name.is_empty()) };
        self.connection(id).login = login;
    }

    fn restart(&mut self) {
        self.starts += 1;
        self.connections.clear();
        self.connected.clear();
    }
}

fn session(id: &str, starts: u32) -> String {
    if starts == 1 { id.to_owned() } else { format!("{id}#{starts}") }
}

/// `[7] SELECT 1` of old servers.
fn numbered(text: &str) -> (&str, &str) {
    text.strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .filter(|(number, _)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(("", text), |(number, rest)| (number, rest.trim_start()))
}

fn append(open: &mut Open, text: &str) {
    let room = MAX_STATEMENT.saturating_sub(open.text.len());
    let end = text.floor_char_boundary(room);
    open.text.push_str(&text[..end]);
    open.cut |= end < text.len();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[track_caller]
    fn check(log: &str, expected: &str) {
        assert_eq!(read_all(&MysqlGeneral, "mysql.log", log.as_bytes()).trim_end(), expected);
    }

    #[test]
    fn new_servers_date_every_record() {
        check(
            "2026-01-05T09:00:00.1Z\t    9 Connect\tann@localhost on shop using Socket\n\
             2026-01-05T09:00:00.2Z    9 Query\tSELECT '\n\n  a'\n\
             2026-01-05T09:00:00.3Z    9 Init DB\tcellar\n\
             2026-01-05T09:00:00.4Z    9 Query\tDROP TABLE a\n\
             2026-01-05T09:00:00.5Z    9 Prepare\tDELETE FROM b WHERE c = ?\n\
             2026-01-05T09:00:00.6Z    9 Execute\tDELETE FROM b WHERE c = 3\n\
             2026-01-05T09:00:00.7Z    9 Quit\t\n",
            "L2 sql \"SELECT '\\n\\n  a'\" session=9 actor=unknown:ann time=2026-01-05T09:00:00.2Z exec=yes user=ann database=shop dialect=mysql\n\
             L6 sql \"DROP TABLE a\" session=9 actor=unknown:ann time=2026-01-05T09:00:00.4Z exec=yes user=ann database=cellar dialect=mysql\n\
             L8 sql \"DELETE FROM b WHERE c = 3\" session=9 actor=unknown:ann time=2026-01-05T09:00:00.6Z exec=yes user=ann database=cellar dialect=mysql\n\
             nothing: 4",
        );
    }

    #[test]
    fn old_servers_date_a_record_when_the_second_changes() {
        check(
            "061226 15:42:36\t     11 Connect     root@localhost on \n\
             \t\t     11 Query       use shop\n\
             \t\t     12 Query       ALTER USER a IDENTIFIED BY <secret>\n\
             061226 15:42:37\t     11 Query       TRUNCATE a\n\
             \t\t     11 Execute     [3] \n\
             \t\t     11 Drop DB     old\n",
            "L1 note: the time zone of this log is not known, its times are read as UTC (set `log_timestamps` to `UTC` on the server)\n\
             L2 sql \"use shop\" session=11 actor=unknown:root time=2006-12-26T15:42:36Z exec=yes user=root dialect=mysql\n\
             L3 sql \"ALTER USER a IDENTIFIED BY <secret>\" session=12 actor=unknown: time=2006-12-26T15:42:36Z exec=yes dialect=mysql gap=redacted/nothing\n\
             L4 sql \"TRUNCATE a\" session=11 actor=unknown:root time=2006-12-26T15:42:37Z exec=yes user=root database=shop dialect=mysql\n\
             L5 sql \"EXECUTE\" session=11 actor=unknown:root time=2006-12-26T15:42:37Z exec=yes user=root database=shop dialect=mysql gap=body-missing/anything\n\
             L6 sql \"DROP DATABASE `old`\" session=11 actor=unknown:root time=2006-12-26T15:42:37Z exec=yes user=root database=shop dialect=mysql\n\
             nothing: 1",
        );
    }

    #[test]
    fn a_server_that_starts_anew_counts_anew() {
        let banner = "/usr/sbin/mysqld, Version: 8.0.43 (Ubuntu). started with:\nTcp port: 3306  Unix socket: /run/m.sock\nTime                 Id Command    Argument\n";
        let query = "2026-01-05T09:00:00Z\t    8 Connect\tann@localhost on  using TCP/IP\n2026-01-05T09:00:00Z\t    8 Query\tDROP TABLE a\n";
        check(
            &format!("{banner}{query}{banner}{query}garbage\nmore"),
            "L5 sql \"DROP TABLE a\" session=8 actor=unknown:ann time=2026-01-05T09:00:00Z exec=yes user=ann dialect=mysql\n\
             L10 sql \"DROP TABLE a\\ngarbage\\nmore\" session=8#2 actor=unknown:ann time=2026-01-05T09:00:00Z exec=yes user=ann dialect=mysql\n\
             nothing: 8",
        );
    }

    #[test]
    fn lines_of_others_are_said_once() {
        check(
            "x\ny\n2026-01-05T09:00:00Z\t    8 Quit\t\nz\n",
            "L1 issue: a line that is not of a general query log\nL4 issue: a line that is not of a general query log\nnothing: 1",
        );
    }

    #[test]
    fn its_marks_are_known() {
        let detect =
            |text: &str| MysqlGeneral.detect(&Sample { head: text.as_bytes(), complete: true, name: "x", tables: &[] });
        assert_eq!(detect("061226 15:42:36\t     11 Quit       \n"), Match::Certain);
        assert_eq!(detect("2026-01-05T09:00:00Z 8 o'clock\n"), Match::No);
        assert_eq!(detect("# Time: 061226 15:42:36\n# Query_time: 1\nSELECT 1;\n"), Match::No);
    }
}
