//! Extended Events of SQL Server: a table with a column for every field, or the XML that the server itself writes.
//!
//! `<event name="sql_batch_completed" timestamp="…"><data name="batch_text"><value>DELETE FROM a</value></data>…</event>`

use std::collections::VecDeque;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use super::about;
use crate::model::{Executed, GapKind, Hides};
use crate::reader::format::postgres::read_time;
use crate::reader::format::rows::{Row, value};
use crate::reader::recorder::{Found, Log, Place, Recorder, read_lines};
use crate::reader::{Out, Source};

/// So many statements wait for the batch that they are of.
const MAX_HELD: usize = 1_024;
/// An event is not longer than this.
const MAX_EVENT: usize = 16 << 20;

const TEXTS: &[&str] = &["batch_text", "statement", "sql_text"];

/// Whether a file starts as the server's own XML does.
pub(super) fn is_xml(head: &[u8]) -> bool {
    let start = head.trim_ascii_start();
    let window = &start[..start.len().min(4_096)];
    start.starts_with(b"<") && memchr::memmem::find(window, b"<event name=\"").is_some()
}

/// Whether a table has the columns of events.
pub(super) fn is_table(has: &dyn Fn(&[&str]) -> bool) -> bool {
    let text = has(&["batch_text"]) || has(&["sql_text"]) || has(&["statement"]);
    let event = has(&["name", "timestamp"]) || has(&["event_name"]);
    let of_server = has(&["client_app_name"]) || has(&["client_hostname"]) || has(&["server_principal_name"]);
    event && text && of_server || has(&["event_data", "object_name"])
}

/// What came of events so far.
pub(super) struct Events {
    pub(super) recorder: Recorder,
    /// What began, and the statements of a batch that has not been told yet.
    held: VecDeque<Found>,
}

impl Events {
    pub(super) fn new(recorder: Recorder) -> Self {
        Self { recorder, held: VecDeque::new() }
    }

    pub(super) fn row(&mut self, row: &Row, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        // The file target as it is selected: one column with the XML of the event.
        if let Some(inside) = row.get("event_data").and_then(|xml| event(xml)) {
            return self.take(&inside, place, out);
        }
        self.take(row, place, out)
    }

    fn take(&mut self, row: &Row, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let name = value(row, &["name", "event_name"]).to_ascii_lowercase();
        let text = value(row, TEXTS).trim();
        let system = matches!(value(row, &["is_system"]).to_ascii_lowercase().as_str(), "true" | "1");
        let known =
            ["sql_batch_", "rpc_", "sql_statement_", "sp_statement_"].iter().any(|start| name.starts_with(start));
        if text.is_empty() || !known || system || text.eq_ignore_ascii_case("exec sp_reset_connection") {
            out.nothing();
            return ControlFlow::Continue(());
        }
        let mut found = Found::sql(text, "tsql", place);
        found.time = read_time(value(row, &["timestamp", "event_time", "collect_system_time"])).map(|read| read.time);
        about(row, &mut found);
        found.outcome.executed = Executed::Yes;
        found.outcome.succeeded = match value(row, &["result"]).to_ascii_lowercase().as_str() {
            "ok" | "0" => Some(true),
            "" => None,
            _ => Some(false),
        };
        let changed = ["DELETE", "UPDATE", "INSERT", "MERGE", "TRUNCATE"];
        let verb = text.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or("").to_ascii_uppercase();
        if changed.contains(&verb.as_str()) {
            found.outcome.rows = value(row, &["row_count"]).parse().ok().filter(|rows| *rows > 0);
        }
        if text.contains("*password*") || text.starts_with("--*") {
            found.lacks(GapKind::Redacted, Hides::Anything, "a statement with a password, of which nothing is told");
        }
        let same = |held: &Found| held.session == found.session && found.text.contains(held.text.as_str());
        if name.ends_with("_completed") && (name.starts_with("sql_batch") || name.starts_with("rpc")) {
            // It was told when it began, or one statement after the other.
            let begun = self.held.iter().find(|held| same(held)).map(|held| held.place);
            self.held.retain(|held| !same(held));
            found.place = begun.unwrap_or(found.place);
            return out.action(self.recorder.action(found));
        }
        // The start of something that is held already, in parts or as a whole.
        if self.held.iter().any(|held| held.session == found.session && held.text == found.text) {
            if let Some(held) =
                self.held.iter_mut().find(|held| held.session == found.session && held.text == found.text)
            {
                held.outcome = found.outcome;
            }
            out.nothing();
            return ControlFlow::Continue(());
        }
        self.held.push_back(found);
        match self.held.len() > MAX_HELD {
            true => self.first(out),
            false => ControlFlow::Continue(()),
        }
    }

    fn first(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        match self.held.pop_front() {
            Some(found) => out.action(self.recorder.action(found)),
            None => ControlFlow::Continue(()),
        }
    }

    /// Hands out what no batch came for.
    pub(super) fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        while !self.held.is_empty() {
            self.first(out)?;
        }
        ControlFlow::Continue(())
    }
}

/// Reads a file of events as XML.
pub(super) fn read_xml(
    recorder: Recorder,
    input: &mut dyn BufRead,
    source: &Source,
    out: &mut dyn Out,
) -> io::Result<()> {
    let mut log = XmlLog { events: Events::new(recorder), open: String::new(), place: Place::default() };
    read_lines(&mut log, input, source, out)
}

struct XmlLog {
    events: Events,
    open: String,
    place: Place,
}

impl Log for XmlLog {
    fn line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let mut rest = line;
        loop {
            if self.open.is_empty() {
                let Some(start) = rest.find("<event ") else { return ControlFlow::Continue(()) };
                self.place =
                    Place { line: place.line, offset: place.offset + (line.len() - rest.len() + start) as u64 };
                rest = &rest[start..];
            }
            let Some(end) = rest.find("</event>") else {
                self.open.push_str(rest);
                self.open.push('\n');
                if self.open.len() > MAX_EVENT {
                    self.open.clear();
                    return out.issue(self.events.recorder.lost(self.place, "an event is too long", ""));
                }
                return ControlFlow::Continue(());
            };
            self.open.push_str(&rest[..end]);
            rest = &rest[end + "</event>".len()..];
            let xml = std::mem::take(&mut self.open);
            match event(&xml) {
                Some(row) => self.events.take(&row, self.place, out)?,
                None => out.issue(self.events.recorder.lost(self.place, "not an event", ""))?,
            }
        }
    }

    fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        if !self.open.is_empty() {
            out.issue(self.events.recorder.lost(self.place, "an event that breaks off", ""))?;
        }
        self.events.finish(out)
    }
}

/// The fields of one event: its attributes, its data and what was collected beside them.
fn event(xml: &str) -> Option<Row> {
    let start = xml.find("<event ")?;
    let mut row = Row::new();
    let head = &xml[start..start + xml[start..].find('>')?];
    for key in ["name", "timestamp"] {
        row.insert(key.to_owned(), attribute(head, key)?);
    }
    for (tag, close) in [("<data ", "</data>"), ("<action ", "</action>")] {
        for (at, _) in xml.match_indices(tag) {
            let rest = &xml[at..];
            let field = &rest[..rest.find(close).unwrap_or(rest.len())];
            let Some(name) = attribute(&field[..field.find('>').unwrap_or(field.len())], "name") else { continue };
            // Where a value has a name as well, that is what people read.
            let text = within(field, "text").filter(|text| !text.is_empty()).or_else(|| within(field, "value"));
            row.insert(name.to_ascii_lowercase(), text.unwrap_or_default());
        }
    }
    Some(row)
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let end = tag[start..].find('"')?;
    Some(decoded(&tag[start..start + end]))
}

/// What stands between `<name>` and `</name>`.
fn within(xml: &str, name: &str) -> Option<String> {
    let open = format!("<{name}>");
    let start = xml.find(&open)? + open.len();
    let end = xml[start..].find(&format!("</{name}>"))?;
    let inner = &xml[start..start + end];
    let inner = inner
        .strip_prefix("<![CDATA[")
        .and_then(|inner| inner.strip_suffix("]]>"))
        .map_or_else(|| decoded(inner), str::to_owned);
    Some(inner)
}

/// Text without the entities of XML.
fn decoded(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(';').filter(|end| *end <= 10);
        let letter = end.and_then(|end| match &rest[1..end] {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            number => {
                let number = number.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)
            }
        });
        match (letter, end) {
            (Some(letter), Some(end)) => {
                plain.push(letter);
                rest = &rest[end + 1..];
            }
            _ => {
                plain.push('&');
                rest = &rest[1..];
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_an_event() {
        let row = event(
            "<event name=\"rpc_completed\" package=\"sqlserver\" timestamp=\"2026-07-01T10:00:00Z\"><data name=\"result\"><type/><value>0</value><text>OK</text></data>\
             <data name=\"statement\"><value>SELECT &apos;&lt;a&#10;é&amp;&#xe9;&nope;</value></data><action name=\"session_id\"><value>51</value></action>",
        );
        let row = row.expect("an event");
        assert_eq!(value(&row, &["statement"]), "SELECT '<a\né&é&nope;");
        assert_eq!((value(&row, &["result"]), value(&row, &["session_id"])), ("OK", "51"));
        assert!(event("<event name=\"x\"").is_none());
    }
}
