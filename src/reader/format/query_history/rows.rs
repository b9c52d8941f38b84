//! The rows of a history, whatever it was exported as: CSV, tabs, JSON Lines, lists and answers of services, Parquet.

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde_json::Value;
use serde_json::value::RawValue;

use super::History;
use super::products::{Product, product};
use crate::reader::map::{delimiter, ends_with_crlf, place_of};
use crate::reader::recorder::{Log, Objects, Place, read_lines};
use crate::reader::{Out, Source, fields, table};

/// The values of one row, by the names of their columns in lower case.
pub(super) type Row = HashMap<String, String>;

/// The first of these columns that has something.
pub(super) fn value<'r>(row: &'r Row, names: &[&str]) -> &'r str {
    let found = names.iter().filter_map(|name| row.get(*name)).find(|value| !is_null(value));
    found.map_or("", String::as_str)
}

fn is_null(value: &str) -> bool {
    matches!(value, "" | "NULL" | "null" | "\\N" | "None")
}

/// Members that services put their rows under: ClickHouse's `FORMAT JSON`, Databricks, BigQuery.
pub(super) const LISTS: &[&str] = &["data", "res", "rows", "results", "queries", "jobs"];

/// The names in the header of a table.
pub(super) fn header(line: &str) -> Vec<String> {
    let delimiter = char::from(delimiter(line.as_bytes()));
    line.trim_end().split(delimiter).map(|name| name.trim().trim_matches('"').to_ascii_lowercase()).collect()
}

pub(super) fn read(
    mut history: History,
    input: &mut dyn BufRead,
    source: &Source,
    out: &mut dyn Out,
) -> io::Result<()> {
    let head = input.fill_buf()?;
    if head.starts_with(table::MAGIC) {
        return parquet(history, input, out);
    }
    let first = head.iter().find(|byte| !byte.is_ascii_whitespace() && **byte < 0x80);
    if matches!(first, Some(b'{' | b'[')) {
        let mut rows = JsonRows { history, objects: Objects::default() };
        return read_lines(&mut rows, input, source, out);
    }
    csv(&mut history, input, out)?;
    let _ = history.finish(out);
    Ok(())
}

fn csv(history: &mut History, input: &mut dyn BufRead, out: &mut dyn Out) -> io::Result<()> {
    let head = input.fill_buf()?;
    let (delimiter, crlf) = (delimiter(head), ends_with_crlf(head));
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let names = header(&String::from_utf8_lossy(line));
    let clickhouse = |product: &Product| product.dialect == "clickhouse";
    // ClickHouse's own tables quote nothing; what a value must not have is written with a backslash.
    let escaped = delimiter == b'\t' && product(|mark| names.iter().any(|name| name == mark)).is_some_and(clickhouse);
    let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).quoting(!escaped).from_reader(input);
    let names: Vec<String> = match reader.byte_headers() {
        Ok(names) => names
            .iter()
            .map(|name| {
                name.escape_ascii().to_string().trim_start_matches("\\xef\\xbb\\xbf").trim().to_ascii_lowercase()
            })
            .collect(),
        Err(error) => return Err(io::Error::other(error)),
    };
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(io::Error::other)? {
        let place = place_of(&record, crlf);
        let flow = if record.len() == names.len() {
            let text = |value: &[u8]| {
                let text = String::from_utf8_lossy(value);
                if escaped { unescaped(&text) } else { text.into_owned() }
            };
            history.row(&names.iter().cloned().zip(record.iter().map(text)).collect(), place, out)
        } else {
            let problem = format!("a row of {} columns, the header has {}", record.len(), names.len());
            out.issue(history.recorder.lost(place, problem, ""))
        };
        if flow.is_break() {
            break;
        }
    }
    Ok(())
}

/// `a\nb` of ClickHouse's `TabSeparated`; `\N` stays what it is.
fn unescaped(text: &str) -> String {
    if text == "\\N" || !text.contains('\\') {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            plain.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('r') => plain.push('\r'),
            Some('0') => plain.push('\0'),
            Some('b') => plain.push('\u{8}'),
            Some('f') => plain.push('\u{c}'),
            Some(other) => plain.push(other),
            None => plain.push('\\'),
        }
    }
    plain
}

fn parquet(mut history: History, input: &mut dyn BufRead, out: &mut dyn Out) -> io::Result<()> {
    let place = Place::default();
    let table = match table::Table::read(input)? {
        Ok(table) => table,
        Err(refused) => {
            let _ = out.issue(history.recorder.lost(place, refused.problem, &refused.advice));
            return Ok(());
        }
    };
    let columns = table.columns();
    let lower: Vec<String> = columns.iter().map(|name| name.to_ascii_lowercase()).collect();
    if product(|mark| lower.iter().any(|name| name == mark)).is_none() {
        let shown: Vec<String> = columns.iter().take(30).map(|name| format!("`{name}`")).collect();
        let problem = format!("a Parquet file that is no query history; its columns are {}", shown.join(", "));
        let advice = "say with `--map` what they are (docs/mapping.md)";
        let _ = out.issue(history.recorder.lost(place, problem, advice));
        return Ok(());
    }
    let told = ["session_id", "rows_deleted", "rows_updated", "rows_inserted", "rows_unloaded", "dml_statistics"];
    let unread = table.unread();
    let missed: Vec<&str> =
        told.into_iter().filter(|name| unread.iter().any(|u| u.eq_ignore_ascii_case(name))).collect();
    if !missed.is_empty() {
        let problem = format!("{} are of nested types or decimals, which are not read", missed.join(", "));
        let note = history.recorder.note(place, problem, "cast them to text or to whole numbers before the export");
        if out.issue(note).is_break() {
            return Ok(());
        }
    }
    let read = table.rows(&columns, &mut |number, members| {
        let row = members.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), text(value))).collect();
        history.row(&row, Place { line: number, offset: 0 }, out)
    });
    if let Err(refused) = read {
        let _ = out.issue(history.recorder.lost(place, refused.problem, &refused.advice));
    }
    let _ = history.finish(out);
    Ok(())
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

struct JsonRows {
    history: History,
    objects: Objects,
}

impl JsonRows {
    fn object(&mut self, object: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let mut list = None;
        let mut known = Vec::new();
        let _ = fields::each(object, |name, value| {
            let name = name.to_ascii_lowercase();
            if value.starts_with('[') && LISTS.contains(&name.as_str()) {
                list = Some(value);
            }
            known.push(name);
        });
        let is_row = product(|mark| known.iter().any(|name| name == mark)).is_some();
        if let Some(list) = list.filter(|_| !is_row)
            && let Ok(rows) = serde_json::from_str::<Vec<&RawValue>>(list)
        {
            for row in rows {
                let at = (row.get().as_ptr() as usize).saturating_sub(object.as_ptr() as usize);
                let before = object.get(..at).unwrap_or_default();
                let line = place.line + memchr::memchr_iter(b'\n', before.as_bytes()).count() as u64;
                self.row(row.get(), Place { line, offset: place.offset + at as u64 }, out)?;
            }
            return ControlFlow::Continue(());
        }
        self.row(object, place, out)
    }

    fn row(&mut self, object: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        match serde_json::from_str::<serde_json::Map<String, Value>>(object) {
            Ok(members) => {
                let mut row = Row::new();
                for (name, value) in members {
                    // Counts of rows stand in a structure of their own.
                    if let ("dml_statistics", Value::Object(counts)) = (name.as_str(), &value) {
                        row.extend(counts.iter().map(|(name, count)| (name.clone(), text(count.clone()))));
                    }
                    row.insert(name.to_ascii_lowercase(), text(value));
                }
                self.history.row(&row, place, out)
            }
            Err(error) => {
                let problem = format!("not a JSON object: {error}");
                out.issue(self.history.recorder.lost(place, problem, ""))
            }
        }
    }
}

impl Log for JsonRows {
    fn line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let was_open = self.objects.is_open();
        let whole = self.objects.line(line, place);
        let between = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'[' | b']' | b',');
        if whole.is_empty() && !was_open && !self.objects.is_open() && !line.bytes().all(between) {
            out.issue(self.history.recorder.lost(place, "not a JSON object", ""))?;
        }
        for (object, place) in whole {
            self.object(&object, place, out)?;
        }
        ControlFlow::Continue(())
    }

    fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        if let Some((object, place)) = self.objects.rest() {
            self.object(&object, place, out)?;
        }
        self.history.finish(out)
    }
}
