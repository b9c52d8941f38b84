//! Server logs as a cloud's log service hands them on: what RDS and Aurora send to CloudWatch, what Cloud SQL for MySQL
//! sends to Cloud Logging. What is inside is read as the format that it is of.
//!
//! `{"logGroup":"/aws/rds/instance/shop/postgresql","logEvents":[{"id":"…","message":"2026-10-06 05:00:00 UTC:…"}]}`

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, BufRead, Read};
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Deserialize;

use super::{audit, auditd, mariadb_audit, mysql_general, mysql_slow, postgres, postgres_stderr, sudo};
use crate::model::{Action, Issue};
use crate::reader::record::Lines;
use crate::reader::transcript::{At, List, Loose, Word, is_document};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `cloud_logs`
#[derive(Debug)]
pub struct CloudLogs;

/// What is looked for inside.
const INSIDE: &[&dyn Reader] = &[
    &postgres_stderr::PostgresStderr,
    &mysql_general::MysqlGeneral,
    &mysql_slow::MysqlSlow,
    &mariadb_audit::MariadbAudit,
    &auditd::Auditd,
    &sudo::Sudo,
];

/// The words before a log's own text.
const TEXTS: &[&str] = &["\"message\"", "\"@message\"", "\"textPayload\""];

/// The places of so many records are remembered; an action that is told later stands at the oldest of them.
const MOST_PLACES: usize = 1 << 17;

impl Reader for CloudLogs {
    fn name(&self) -> &'static str {
        "cloud_logs"
    }

    fn about(&self) -> &'static str {
        "Server logs out of CloudWatch (RDS and Aurora) and Cloud Logging (Cloud SQL for MySQL): Postgres, MySQL, MariaDB, auditd"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let Some(telling) = audit::telling(sample) else { return Match::No };
        let envelope = [
            "\"logStream",
            "\"logGroup",
            "\"@log",
            "\"ingestionTime\":",
            "\"messageType\":\"DATA_MESSAGE\"",
            "\"logName\":",
        ]
        .iter()
        .any(|mark| telling.contains(mark));
        match inside(sample.head) {
            // Cloud SQL for Postgres has a reader of its own.
            Some(reader) if telling.contains("\"textPayload\":") && reader.name() == "postgres_stderr" => Match::No,
            Some(_) if envelope => Match::Certain,
            Some(_) => Match::Maybe,
            None => Match::No,
        }
    }

    /// Exports overlap.
    fn repeats(&self) -> bool {
        true
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let head = input.fill_buf()?;
        let reader = inside(head).unwrap_or(&postgres_stderr::PostgresStderr);
        let shared = RefCell::new(Shared::default());
        let records = records(input)?;
        let folded = reader.name() == "postgres_stderr";
        let mut unwrapped = Unwrapped { records, folded, source, shared: &shared, text: Vec::new(), read: 0, lines: 0 };
        let mut told = Told { out, shared: &shared };
        reader.read(&mut unwrapped, source, &mut told)?;
        let _ = told.problems();
        Ok(())
    }
}

/// The reader of what stands in the messages of a file that starts like this; nothing when they are JSON themselves.
fn inside(head: &[u8]) -> Option<&'static dyn Reader> {
    let head = String::from_utf8_lossy(head);
    let mut text = String::new();
    for mark in TEXTS {
        for (at, _) in head.match_indices(mark) {
            let Some(value) = head[at + mark.len()..].trim_start().strip_prefix(':') else { continue };
            if let Some(Ok(said)) = serde_json::Deserializer::from_str(value).into_iter::<String>().next() {
                text.push_str(said.trim_end_matches('\n'));
                text.push('\n');
            }
        }
    }
    if text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let sample = Sample { head: text.as_bytes(), complete: true, name: "", tables: &[] };
    let found = INSIDE.iter().map(|reader| (reader.detect(&sample), *reader)).filter(|(is, _)| *is >= Match::Likely);
    // The first of the surest.
    found.rev().max_by_key(|(is, _)| *is).map(|(_, reader)| reader)
}

/// What a log service says around a message; some say it once for many.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Event<'a> {
    #[serde(borrow, alias = "@message", alias = "textPayload")]
    message: Word<'a>,
    #[serde(borrow, rename = "logGroup", alias = "@log", alias = "logGroupName", alias = "log_group")]
    group: Word<'a>,
    #[serde(borrow, rename = "logStream", alias = "@logStream", alias = "logStreamName", alias = "log_stream")]
    stream: Word<'a>,
    #[serde(borrow, rename = "logEvents", alias = "events")]
    events: List<Event<'a>>,
    #[serde(borrow)]
    resource: Loose<Resource<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resource<'a> {
    #[serde(borrow)]
    labels: Loose<Labels<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Labels<'a> {
    #[serde(borrow)]
    database_id: Word<'a>,
}

impl Event<'_> {
    /// The server: `/aws/rds/instance/shop/postgresql`, a stream `shop.0`, or `acme:shop` of Cloud SQL.
    fn server(&self) -> Option<&str> {
        let labels = self.resource.0.as_ref().and_then(|resource| resource.labels.0.as_ref());
        if let Some(id) = labels.and_then(|labels| labels.database_id.get()) {
            return Some(id.rsplit(':').next().unwrap_or(id));
        }
        let mut parts = self.group.text().split('/').skip_while(|part| !matches!(*part, "instance" | "cluster"));
        let named = parts.nth(1).filter(|name| !name.is_empty());
        named.or_else(|| self.stream.get().map(|name| name.rsplit_once('.').map_or(name, |(name, _)| name)))
    }
}

/// Where the records of a file come from.
enum Records<'r> {
    /// One a line, or several.
    Lines(Lines<'r>),
    /// Those of a document, which was read as a whole.
    Listed(VecDeque<(Result<String, String>, At)>),
}

fn records(input: &mut dyn BufRead) -> io::Result<Records<'_>> {
    let head = input.fill_buf()?;
    let start = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let lists = start.starts_with(b"{\"events\"") || start.starts_with(b"{ \"events\"");
    if !is_document(head) && !lists {
        return Ok(Records::Lines(Lines::new(input)));
    }
    let mut listed = VecDeque::new();
    audit::each_record(input, &mut |record, at| {
        listed.push_back((record.map(str::to_owned), at));
        ControlFlow::Continue(())
    })?;
    Ok(Records::Listed(listed))
}

/// What the two ends know of each other: where the lines within came from.
#[derive(Debug, Default)]
struct Shared {
    /// From this line within on, what is read stands there.
    places: VecDeque<(u64, At, Option<Arc<str>>)>,
    problems: Vec<Issue>,
}

impl Shared {
    fn at(&self, line: u64) -> Option<&(u64, At, Option<Arc<str>>)> {
        let behind = self.places.partition_point(|(first, ..)| *first <= line);
        self.places.get(behind.saturating_sub(1))
    }
}

/// The log without what is around it.
struct Unwrapped<'r> {
    records: Records<'r>,
    /// Lines within a message are continued with a TAB.
    folded: bool,
    source: &'r Source,
    shared: &'r RefCell<Shared>,
    text: Vec<u8>,
    read: usize,
    lines: u64,
}

impl Unwrapped<'_> {
    /// Takes records until there is something to read; `false` at the end.
    fn fill(&mut self) -> io::Result<bool> {
        self.text.clear();
        self.read = 0;
        while self.text.is_empty() {
            let (record, at) = match &mut self.records {
                Records::Listed(listed) => match listed.pop_front() {
                    Some(record) => record,
                    None => return Ok(false),
                },
                Records::Lines(lines) => match lines.next_line()? {
                    None => return Ok(false),
                    Some(line) if line.bytes.trim_ascii().is_empty() => continue,
                    Some(line) => {
                        let at = At { line: line.number, offset: line.offset };
                        let text = String::from_utf8_lossy(line.bytes).into_owned();
                        (if line.cut { Err("a line is too long".to_owned()) } else { Ok(text) }, at)
                    }
                },
            };
            let problem = match record {
                Err(problem) => Some(problem),
                // Firehose puts them one behind the other.
                Ok(text) => {
                    serde_json::Deserializer::from_str(&text).into_iter::<Event<'_>>().find_map(|event| match event {
                        Ok(event) => {
                            self.event(&event, event.server(), at);
                            None
                        }
                        Err(error) => Some(format!("not JSON: {error}")),
                    })
                }
            };
            if let Some(problem) = problem {
                let file = Arc::clone(&self.source.file);
                let (line, offset) = (at.line, at.offset);
                let issue = Issue { file, line, offset, problem, advice: String::new(), lost: true };
                self.shared.borrow_mut().problems.push(issue);
            }
        }
        Ok(true)
    }

    fn event(&mut self, event: &Event<'_>, server: Option<&str>, at: At) {
        for inner in &event.events.0 {
            self.event(inner, server.or(inner.server()), at);
        }
        let Some(message) = event.message.get() else { return };
        let message = message.trim_end_matches(['\n', '\r']);
        let server = server.map(Arc::from);
        {
            let places = &mut self.shared.borrow_mut().places;
            if places.len() >= MOST_PLACES {
                places.pop_front();
            }
            places.push_back((self.lines + 1, at, server));
        }
        let tabs = message.contains("\n\t");
        for (number, line) in message.split('\n').enumerate() {
            // A message is one record, whatever the lines of a statement look like.
            let continued = number > 0 && self.folded && !tabs && postgres::labelled_text(line).is_none();
            if continued && !line.starts_with('\t') {
                self.text.push(b'\t');
            }
            self.text.extend_from_slice(line.as_bytes());
            self.text.push(b'\n');
            self.lines += 1;
        }
    }
}

impl Read for Unwrapped<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Unwrapped<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.read >= self.text.len() && !self.fill()? {
            return Ok(&[]);
        }
        Ok(self.text.get(self.read..).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.read += count;
    }
}

/// Says of what was read where it really stands.
struct Told<'o> {
    out: &'o mut dyn Out,
    shared: &'o RefCell<Shared>,
}

impl Told<'_> {
    fn problems(&mut self) -> ControlFlow<()> {
        let problems = std::mem::take(&mut self.shared.borrow_mut().problems);
        problems.into_iter().try_for_each(|issue| self.out.issue(issue))
    }
}

impl Out for Told<'_> {
    fn action(&mut self, mut action: Action) -> ControlFlow<()> {
        self.problems()?;
        action.origin.format = CloudLogs.name();
        if let Some((_, at, server)) = self.shared.borrow().at(action.origin.line) {
            (action.origin.line, action.origin.offset) = (at.line, at.offset);
            // What a log calls its host is the machine behind the service, if it says anything.
            if let Some(server) = server {
                Arc::make_mut(&mut action.surroundings).host = Some(server.to_string());
            }
        }
        self.out.action(action)
    }

    fn nothing(&mut self) {
        self.out.nothing();
    }

    fn issue(&mut self, mut issue: Issue) -> ControlFlow<()> {
        self.problems()?;
        if let Some((_, at, _)) = self.shared.borrow().at(issue.line).filter(|_| issue.line > 0) {
            (issue.line, issue.offset) = (at.line, at.offset);
        }
        self.out.issue(issue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[test]
    fn lines_stand_where_their_record_stands_and_servers_are_named() {
        let event = |stream: &str, text: &str| {
            format!(
                "{{\"logStreamName\":\"{stream}\",\"ingestionTime\":1,\"message\":\"2026-10-05 05:00:00 UTC:h(1):ann@shop:[7]:{text}\"}}\n"
            )
        };
        let log = event("a.0", "LOG:  statement: SELECT 1,\\n\\t 2") + "{\"mess\n" + &event("a.0", "ERROR:  no");
        let log = log + &event("a.0", "STATEMENT:  SELECT 1,\\n 2");
        assert_eq!(
            read_all(&CloudLogs, "c.json", log.as_bytes()),
            "L2 issue: not JSON: EOF while parsing a string at line 1 column 6\n\
             L1 sql \"SELECT 1,\\n 2\" session=7 actor=unknown:ann time=2026-10-05T05:00:00Z exec=yes failed host=a user=ann database=shop dialect=postgres\n\
             nothing: 1\n"
        );
    }

    #[test]
    fn only_what_has_lines_inside_is_ours() {
        let detect =
            |text: &str| CloudLogs.detect(&Sample { head: text.as_bytes(), complete: true, name: "x", tables: &[] });
        let postgres = "2026-10-05 05:00:00 UTC:h(1):ann@shop:[7]:LOG:  statement: SELECT 1";
        assert_eq!(detect(&format!("{{\"logGroup\":\"g\",\"message\":\"{postgres}\"}}")), Match::Certain);
        assert_eq!(detect(&format!("{{\"logName\":\"l\",\"textPayload\":\"{postgres}\"}}")), Match::No);
        assert_eq!(detect("{\"logGroup\":\"g\",\"message\":\"{\\\"verb\\\":1}\"}"), Match::No);
        assert_eq!(detect("{\"logGroup\":\"g\",\"message\":\"hello\"}"), Match::No);
        assert_eq!(detect("{\"logGroup\":\"g\",\"message\":\"é"), Match::No);
    }
}
