//! Files by a mapping: JSON Lines, lists and documents, tables as text, Parquet, and tables of SQLite databases.

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde_json::value::RawValue;
use serde_json::{Map as Members, Value};

use super::Map;
use super::making::Making;
use super::path::{Path, Step};
use super::record::{Seen, is_needed};
use crate::reader::record::{MAX_LINE, NOT_UTF8};
use crate::reader::recorder::{Log, Objects, Place, read_lines};
use crate::reader::sqlite::{self, Database};
use crate::reader::{Out, Source, fields, table};

impl Map {
    /// Reads one unpacked file from start to end, as [`Reader::read`](crate::reader::Reader::read) does.
    ///
    /// # Errors
    /// When the underlying bytes cannot be read any further.
    pub fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let head = input.fill_buf()?;
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let first = text.iter().find(|byte| !byte.is_ascii_whitespace()).copied();
        let making = Making::new(self, source);
        if head.starts_with(sqlite::MAGIC) || source.database.is_some() {
            return database(making, input, source, out);
        }
        if head.starts_with(table::MAGIC) {
            return parquet(making, input, out);
        }
        match first {
            Some(b'{' | b'[') => {
                let mut documents = Documents { making, objects: Objects::default() };
                read_lines(&mut documents, input, source, out)?;
                let _ = documents.making.finish(out);
                Ok(())
            }
            _ => csv(making, input, out),
        }
    }

    fn paths(&self) -> impl Iterator<Item = &Path> {
        let fields = self.fields.iter().flat_map(|field| &field.given.from);
        fields.chain(self.only.iter().map(|only| &only.path))
    }

    fn is_rooted(&self) -> bool {
        self.paths().any(Path::is_rooted)
    }

    /// Whether a column of a table is asked for.
    fn asks_for(&self, column: &str) -> bool {
        self.paths().any(|path| {
            path.column() == Some(column) || path.first() == Some(column) || path.is_rooted() && path.first().is_none()
        })
    }
}

struct Documents<'m> {
    making: Making<'m>,
    objects: Objects,
}

impl Documents<'_> {
    fn document(&mut self, text: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let broken = |making: &Making<'_>, error: &serde_json::Error| {
            let (line, column) = (error.line() as u64, error.column() as u64);
            let before: u64 =
                text.split_inclusive('\n').take(line.saturating_sub(1) as usize).map(|l| l.len() as u64).sum();
            let said = error.to_string();
            let problem = format!("not JSON: {}", said.split(" at line ").next().unwrap_or(&said));
            let at = Place {
                line: place.line + line.saturating_sub(1),
                offset: place.offset + before + column.saturating_sub(1),
            };
            making.lost(at, problem, "the rest is read; write the record again")
        };
        let Some(path) = &self.making.map.records else {
            return match serde_json::from_str::<Value>(text) {
                Ok(value) => self.making.record(Seen { record: &value, document: &value }, place, None, out),
                Err(error) => out.issue(broken(&self.making, &error)),
            };
        };
        let raw = match serde_json::from_str::<&RawValue>(text) {
            Ok(raw) => raw,
            Err(error) => return out.issue(broken(&self.making, &error)),
        };
        let document =
            if self.making.map.is_rooted() { serde_json::from_str(text).unwrap_or_default() } else { Value::Null };
        let mut found: Vec<&str> = Vec::new();
        records(path.steps(), raw.get(), &mut found);
        if found.is_empty() {
            let problem = format!("a document without `{path}`, where {} says the records are", self.making.map.name);
            return out.issue(self.making.lost(place, problem, "mend `records`, or leave the file out"));
        }
        let (mut counted, mut line) = (0, place.line);
        for (number, record) in found.into_iter().enumerate() {
            let at = (record.as_ptr() as usize).checked_sub(text.as_ptr() as usize).filter(|at| *at < text.len());
            let start = at.unwrap_or(0);
            line += text.get(counted..start).unwrap_or_default().matches('\n').count() as u64;
            counted = counted.max(start);
            let here = Place { line, offset: place.offset + start as u64 };
            match serde_json::from_str::<Value>(record) {
                Ok(record) => {
                    let row = at.is_none().then_some(number as u64);
                    self.making.record(Seen { record: &record, document: &document }, here, row, out)?;
                }
                Err(error) => out.issue(self.making.lost(here, format!("not JSON: {error}"), ""))?,
            }
        }
        ControlFlow::Continue(())
    }
}

impl Log for Documents<'_> {
    fn line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let was_open = self.objects.is_open();
        if was_open && self.objects.size() + line.len() > MAX_LINE {
            let advice = "write one record a line: `jq -c '.hits.hits[]'` does that for a list of that name";
            let problem = format!("a document longer than {} MiB; the rest of the file is not read", MAX_LINE >> 20);
            self.objects = Objects::default();
            let _ = out.issue(self.making.lost(place, problem, advice));
            return ControlFlow::Break(());
        }
        let whole = self.objects.line(line, place);
        let between = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'[' | b']' | b',');
        if whole.is_empty() && !was_open && !self.objects.is_open() && !line.bytes().all(between) {
            out.issue(self.making.lost(place, "not a JSON object", "one object per line, or a list of objects"))?;
        }
        for (object, place) in whole {
            self.document(&object, place, out)?;
        }
        ControlFlow::Continue(())
    }

    fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        match self.objects.rest() {
            Some((object, place)) => self.document(&object, place, out),
            None => ControlFlow::Continue(()),
        }
    }
}

/// The texts of the records in a document; a record is an object.
fn records<'t>(steps: &[Step], text: &'t str, found: &mut Vec<&'t str>) {
    let Some((step, rest)) = steps.split_first() else {
        match serde_json::from_str::<Vec<&RawValue>>(text) {
            // The list itself was named: what is in it is meant.
            Ok(list) => found.extend(list.into_iter().map(RawValue::get).filter(|text| text.starts_with('{'))),
            Err(_) if text.starts_with('{') => found.push(text),
            Err(_) => {}
        }
        return;
    };
    match step {
        Step::Member { name, .. } => {
            let mut inner = None;
            let _ = fields::each(text, |member, value| {
                if member == *name {
                    inner = Some(value);
                }
            });
            if let Some(inner) = inner {
                records(rest, inner, found);
            }
        }
        Step::Element(_) | Step::Each => {
            let list = serde_json::from_str::<Vec<&RawValue>>(text).unwrap_or_default();
            let wanted = |at: usize| !matches!(step, Step::Element(number) if *number != at);
            for (_, inner) in list.into_iter().enumerate().filter(|(at, _)| wanted(*at)) {
                records(rest, inner.get(), found);
            }
        }
    }
}

/// Whether the lines of a table end like those of Windows.
pub(in crate::reader) fn ends_with_crlf(head: &[u8]) -> bool {
    head.split_inclusive(|byte| *byte == b'\n').next().is_some_and(|line| line.ends_with(b"\r\n"))
}

/// Where a row of a table starts. For the `csv` crate a row ends with `\r`, and the next one starts with `\n`.
pub(in crate::reader) fn place_of(record: &csv::ByteRecord, crlf: bool) -> Place {
    let Some(at) = record.position() else { return Place::default() };
    let late = u64::from(crlf && at.byte() > 0);
    Place { line: at.line() + late, offset: at.byte() + late }
}

/// What stands between the columns, by the first line.
pub(in crate::reader) fn delimiter(head: &[u8]) -> u8 {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    for byte in line {
        quoted ^= *byte == b'"';
        for (delimiter, count) in &mut counts {
            *count += usize::from(!quoted && byte == delimiter);
        }
    }
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| *delimiter)
}

fn csv(mut making: Making<'_>, input: &mut dyn BufRead, out: &mut dyn Out) -> io::Result<()> {
    let map = making.map;
    let head = input.fill_buf()?;
    let delimiter = map.delimiter.unwrap_or_else(|| delimiter(head));
    let crlf = ends_with_crlf(head);
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .delimiter(delimiter)
        .has_headers(map.columns.is_empty())
        .from_reader(input);
    let names = if map.columns.is_empty() {
        let header = reader.byte_headers().map_err(io::Error::other)?;
        header
            .iter()
            .map(|name| String::from_utf8_lossy(name).trim_start_matches('\u{feff}').trim().to_owned())
            .collect()
    } else {
        map.columns.clone()
    };
    if !has_columns(&mut making, &names, out) {
        return Ok(());
    }
    let wanted: Vec<bool> = names.iter().map(|name| map.asks_for(name)).collect();
    let (mut record, mut odd) = (csv::ByteRecord::new(), 0u64);
    while reader.read_byte_record(&mut record).map_err(io::Error::other)? {
        let place = place_of(&record, crlf);
        if record.len() != names.len() {
            let problem = format!("a row of {} columns, there are {} names", record.len(), names.len());
            let advice = "a quote that is not closed, or another `delimiter`";
            if out.issue(making.lost(place, problem, advice)).is_break() {
                return Ok(());
            }
            continue;
        }
        let mut row = Members::new();
        for ((name, value), _) in names.iter().zip(&record).zip(&wanted).filter(|(_, wanted)| **wanted) {
            if is_null(value) {
                continue;
            }
            let text = String::from_utf8_lossy(value);
            if matches!(text, std::borrow::Cow::Owned(_)) {
                odd += 1;
                if odd == 1 && out.issue(making.note(place, NOT_UTF8, "")).is_break() {
                    return Ok(());
                }
            }
            row.insert(name.clone(), Value::String(text.into_owned()));
        }
        let row = Value::Object(row);
        if making.record(Seen { record: &row, document: &row }, place, None, out).is_break() {
            return Ok(());
        }
    }
    let _ = making.finish(out);
    Ok(())
}

/// How tables write that there is nothing.
fn is_null(value: &[u8]) -> bool {
    matches!(value, b"" | b"\\N" | b"NULL" | b"null")
}

/// Whether the columns are there without which no row is an action; says it where not.
fn has_columns(making: &mut Making<'_>, names: &[String], out: &mut dyn Out) -> bool {
    making.known = names
        .iter()
        .map(|name| if name.contains(['.', '[', ']']) { format!("\"{name}\"") } else { name.clone() })
        .collect();
    for field in making.map.fields.iter().filter(|field| is_needed(field.key) && !field.given.optional) {
        let there = |path: &Path| {
            names.iter().any(|name| path.column() == Some(name) || path.first() == Some(name)) || path.first().is_none()
        };
        let is_only_kind = making.map.fields.iter().filter(|other| is_needed(other.key)).count() <= 2;
        if !field.given.from.is_empty() && !field.given.from.iter().any(there) && is_only_kind {
            let shown: Vec<String> = making.known.iter().take(30).map(|name| format!("`{name}`")).collect();
            let problem = format!("no column {} (`{}`, {}:{})", field.places(), field.key, making.map.name, field.line);
            let advice = format!("the columns are {}", shown.join(", "));
            let _ = out.issue(making.lost(Place { line: 1, offset: 0 }, problem, &advice));
            return false;
        }
    }
    true
}

fn parquet(mut making: Making<'_>, input: &mut dyn BufRead, out: &mut dyn Out) -> io::Result<()> {
    let table = match table::Table::read(input)? {
        Ok(table) => table,
        Err(refused) => {
            let _ = out.issue(making.lost(Place::default(), refused.problem, &refused.advice));
            return Ok(());
        }
    };
    for name in table.unread().iter().filter(|name| making.map.asks_for(name)) {
        let problem = format!("the column `{name}` is of a nested type or a decimal, which is not read");
        let advice = "cast it to text or to a whole number before it is exported";
        if out.issue(making.note(Place::default(), problem, advice)).is_break() {
            return Ok(());
        }
    }
    let names = table.columns();
    if !has_columns(&mut making, &names, out) {
        return Ok(());
    }
    let wanted: Vec<String> = names.into_iter().filter(|name| making.map.asks_for(name)).collect();
    let read = table.rows(&wanted, &mut |number, row| {
        let row = Value::Object(row);
        let place = Place { line: number, offset: 0 };
        making.record(Seen { record: &row, document: &row }, place, Some(number), out)
    });
    if let Err(refused) = read {
        let _ = out.issue(making.lost(Place::default(), refused.problem, &refused.advice));
    }
    let _ = making.finish(out);
    Ok(())
}

/// The table that the mapping names, or the only one there is.
fn database(mut making: Making<'_>, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
    let Some(database) = Database::given(input, source, out)? else { return Ok(()) };
    let tables = database.tables();
    let table = match (&making.map.table, tables) {
        (Some(name), _) => database.table(name),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    let Some(table) = table else {
        let names: Vec<String> = tables.iter().take(30).map(|table| format!("`{}`", table.name)).collect();
        let problem = match &making.map.table {
            Some(name) => format!("no table `{name}`, where {} says the records are", making.map.name),
            None => format!("a database of {} tables, and {} has no `table`", tables.len(), making.map.name),
        };
        let _ = out.issue(making.lost(Place::default(), problem, &format!("the tables are {}", names.join(", "))));
        return Ok(());
    };
    let names: Vec<String> = table.columns().map(str::to_owned).collect();
    if !has_columns(&mut making, &names, out) {
        return Ok(());
    }
    let wanted: Vec<&String> = names.iter().filter(|name| making.map.asks_for(name)).collect();
    let read = database.each(&table.name, source, out, &mut |row, out| {
        let mut values = Members::new();
        for name in &wanted {
            let value = match row.get(name) {
                sqlite::Value::Null => continue,
                sqlite::Value::Integer(number) => Value::from(number),
                sqlite::Value::Real(number) => Value::from(number),
                sqlite::Value::Text(text) => Value::String(text),
                sqlite::Value::Blob(bytes) => Value::String(String::from_utf8_lossy(&bytes).into_owned()),
            };
            values.insert((*name).clone(), value);
        }
        let values = Value::Object(values);
        let place = Place { line: row.number(), offset: row.offset };
        making.record(Seen { record: &values, document: &values }, place, Some(row.position), out)
    });
    if read.is_continue() {
        let _ = making.finish(out);
    }
    Ok(())
}
