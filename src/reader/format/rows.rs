//! Tables that were exported, as CSV with a header or as JSON: one row after the other, by the names of their columns.

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::sync::Arc;

use serde_json::Value;

use crate::model::Issue;
use crate::reader::recorder::{Log, Objects, Place, read_lines};
use crate::reader::{Out, Sample, Source, fields};

/// The values of one row, by the names of their columns in lower case.
pub(super) type Row = HashMap<String, String>;

/// The first of these columns that has a value; empty when none has.
pub(super) fn value<'r>(row: &'r Row, names: &[&str]) -> &'r str {
    let found = names.iter().filter_map(|name| row.get(*name)).find(|value| !is_null(value));
    found.map_or("", String::as_str)
}

fn is_null(value: &str) -> bool {
    matches!(value, "" | "NULL" | "null" | "\\N" | "None")
}

/// What makes actions of rows.
pub(super) trait Table {
    fn row(&mut self, row: &Row, place: Place, out: &mut dyn Out) -> ControlFlow<()>;

    /// There are no more rows.
    fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()>;
}

/// The columns of a file that starts like this, in lower case.
pub(super) fn columns(sample: &Sample<'_>) -> Vec<String> {
    let head = String::from_utf8_lossy(sample.head);
    if !head.trim_start().starts_with(['{', '[']) {
        let line = head.lines().next().unwrap_or("");
        let delimiter = char::from(delimiter(line.as_bytes()));
        return line.trim_end().split(delimiter).map(|name| plain(name.trim().trim_matches('"'))).collect();
    }
    let head = listed(&head).unwrap_or(&head);
    let mut objects = Objects::default();
    let first = head.lines().find_map(|line| objects.line(line, Place::default()).into_iter().next());
    let mut names = Vec::new();
    let (text, _) = first.or_else(|| objects.rest()).unwrap_or_default();
    let _ = fields::each(&text, |name, value| {
        if is_wrapper(&name) {
            let _ = fields::each(value, |name, _| names.push(plain(&name)));
        }
        names.push(plain(&name));
    });
    names
}

/// The lists that a document of one object keeps its rows in.
const LISTS: &[&str] = &["records", "value", "rows", "items", "results"];

/// What stands behind `{"records":[`.
fn listed(head: &str) -> Option<&str> {
    let inner = head.trim_start().strip_prefix('{')?.trim_start().strip_prefix('"')?;
    let rest = LISTS.iter().find_map(|list| inner.strip_prefix(list))?.strip_prefix('"')?.trim_start();
    rest.strip_prefix(':')?.trim_start().strip_prefix('[')
}

/// Azure keeps what a record says one level deeper.
fn is_wrapper(name: &str) -> bool {
    matches!(name, "properties" | "_source" | "result")
}

/// The name of a column without what tools add to it: `statement_s`, `timestamp (UTC)`.
fn plain(name: &str) -> String {
    let name = name.trim_start_matches('\u{feff}').to_ascii_lowercase();
    let name = name.strip_suffix(" (utc)").unwrap_or(&name);
    // Azure's tables tell the type of a column at its end.
    let typed = name.rsplit_once('_').filter(|(base, sort)| {
        (base.contains('_') || *base == "statement") && matches!(*sort, "s" | "d" | "t" | "b" | "g")
    });
    let typed = typed.map(|(base, _)| base);
    typed.unwrap_or(name).to_owned()
}

fn delimiter(header: &[u8]) -> u8 {
    let count = |byte: u8| header.iter().filter(|found| **found == byte).count();
    // The first of the most frequent; a comma where there is one column only.
    [b'\t', b';', b','].into_iter().max_by_key(|byte| count(*byte)).unwrap_or(b',')
}

/// Reads a file row by row.
pub(super) fn read(
    table: &mut dyn Table,
    input: &mut dyn BufRead,
    source: &Source,
    out: &mut dyn Out,
) -> io::Result<()> {
    let head = input.fill_buf()?;
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace() && **byte < 0x80);
    if matches!(first, Some(b'{' | b'[')) {
        let mut rows = JsonRows { table, source, objects: Objects::default() };
        return read_lines(&mut rows, input, source, out);
    }
    read_csv(table, input, source, out)
}

/// A row that could not be read.
fn lost(source: &Source, place: Place, problem: String) -> Issue {
    let Place { line, offset } = place;
    Issue { file: Arc::clone(&source.file), line, offset, problem, advice: String::new(), lost: true }
}

fn read_csv(table: &mut dyn Table, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
    let head = input.fill_buf()?;
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(delimiter(line)).from_reader(input);
    let names: Vec<String> = match reader.byte_headers() {
        Ok(names) => names.iter().map(|name| plain(String::from_utf8_lossy(name).trim())).collect(),
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
            table.row(&names.iter().cloned().zip(values).collect(), place, out)
        } else {
            let problem = format!("a row of {} columns, the header has {}", record.len(), names.len());
            out.issue(lost(source, place, problem))
        };
        if flow.is_break() {
            return Ok(());
        }
    }
    let _ = table.finish(out);
    Ok(())
}

struct JsonRows<'t> {
    table: &'t mut dyn Table,
    source: &'t Source,
    objects: Objects,
}

impl JsonRows<'_> {
    fn object(&mut self, object: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let members = match serde_json::from_str::<serde_json::Map<String, Value>>(object) {
            Ok(members) => members,
            Err(error) => return out.issue(lost(self.source, place, format!("not a JSON object: {error}"))),
        };
        let list = members.iter().find(|(name, value)| LISTS.contains(&name.as_str()) && value.is_array());
        if let Some((_, Value::Array(list))) = list {
            for one in list {
                if let Value::Object(members) = one {
                    self.table.row(&row(members.clone()), place, out)?;
                }
            }
            return ControlFlow::Continue(());
        }
        self.table.row(&row(members), place, out)
    }
}

fn row(members: serde_json::Map<String, Value>) -> Row {
    let text = |value: Value| match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let mut row = Row::new();
    for (name, value) in members {
        match value {
            Value::Object(inner) if is_wrapper(&name) => {
                row.extend(inner.into_iter().map(|(name, value)| (plain(&name), text(value))));
            }
            value => {
                row.entry(plain(&name)).or_insert_with(|| text(value));
            }
        }
    }
    row
}

impl Log for JsonRows<'_> {
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
        self.table.finish(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_known_by_their_plain_names() {
        let check = |head: &str, expected: &[&str]| {
            assert_eq!(columns(&Sample { head: head.as_bytes(), complete: true, name: "x", tables: &[] }), expected);
        };
        check("\u{feff}Event_Time;Action_ID;\"Statement\"\n", &["event_time", "action_id", "statement"]);
        check("name\ttimestamp (UTC)\tbatch_text\r\n", &["name", "timestamp", "batch_text"]);
        check("{ \"records\": [{\"a\":1,\"properties\":{\"b\":", &["a"]);
        check("{\"time\":1,\"properties\":{\"action_id_s\":\"x\"}}", &["time", "action_id", "properties"]);
    }
}
