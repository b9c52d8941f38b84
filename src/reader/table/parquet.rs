//! Parquet through polars: a batch of rows at a time, only the columns that are asked for.

use std::io::Cursor;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use polars::prelude::{AnyValue, ArrowDataType, DataFrame, ParallelStrategy, ParquetReader, SerReader, TimeUnit};
use serde_json::{Map, Value};

use super::{EachRow, Refused};

/// Rows that are unpacked at once.
const BATCH: usize = 1 << 16;

pub(super) struct File {
    bytes: Vec<u8>,
    columns: Vec<String>,
    unread: Vec<String>,
    rows: usize,
}

impl File {
    pub(super) fn open(bytes: Vec<u8>) -> Result<Self, Refused> {
        // An upload that broke off has no table of contents.
        if bytes.len() < 12 || !bytes.ends_with(super::MAGIC) {
            return Err(Refused::new("a Parquet file that breaks off: its end is missing", "copy the file again"));
        }
        let (columns, unread, rows) = guarded(|| {
            let mut reader = ParquetReader::new(Cursor::new(&bytes[..]));
            let rows = reader.num_rows()?;
            let schema = reader.schema()?;
            let named = |readable: bool| {
                let fields = schema.iter_values().filter(|field| is_readable(&field.dtype) == readable);
                fields.map(|field| field.name.to_string()).collect()
            };
            Ok((named(true), named(false), rows))
        })?;
        Ok(Self { bytes, columns, unread, rows })
    }

    pub(super) fn columns(&self) -> Vec<String> {
        self.columns.clone()
    }

    pub(super) fn unread(&self) -> Vec<String> {
        self.unread.clone()
    }

    pub(super) fn rows(&self, columns: &[String], each: &mut EachRow<'_>) -> Result<(), Refused> {
        let mut from = 0;
        while from < self.rows {
            let frame = guarded(|| {
                ParquetReader::new(Cursor::new(&self.bytes[..]))
                    .with_columns(Some(columns.to_vec()))
                    .with_slice(Some((from, BATCH)))
                    .read_parallel(ParallelStrategy::None)
                    .finish()
            })?;
            let height = frame.height();
            if height == 0 {
                break;
            }
            if hand_out(&frame, from, each).is_break() {
                return Ok(());
            }
            from += height;
        }
        Ok(())
    }
}

fn hand_out(frame: &DataFrame, from: usize, each: &mut EachRow<'_>) -> ControlFlow<()> {
    let columns = frame.columns();
    for at in 0..frame.height() {
        let mut row = Map::new();
        for column in columns {
            let value = column.get(at).map_or(Value::Null, |value| json(&value));
            if !value.is_null() {
                row.insert(column.name().to_string(), value);
            }
        }
        each((from + at) as u64 + 1, row)?;
    }
    ControlFlow::Continue(())
}

/// Columns of nested and exotic types would need parts of polars that are not built in.
fn is_readable(kind: &ArrowDataType) -> bool {
    use ArrowDataType as T;
    match kind {
        T::Null | T::Boolean | T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 => true,
        T::UInt64 | T::Float32 | T::Float64 | T::Timestamp(..) | T::Date32 | T::Date64 | T::Duration(_) => true,
        T::Utf8 | T::LargeUtf8 | T::Utf8View | T::Binary | T::LargeBinary | T::BinaryView => true,
        T::List(inner) | T::LargeList(inner) => is_readable(&inner.dtype),
        _ => false,
    }
}

fn json(value: &AnyValue<'_>) -> Value {
    match value {
        AnyValue::Null => Value::Null,
        AnyValue::Boolean(truth) => Value::Bool(*truth),
        AnyValue::String(text) => Value::from(*text),
        AnyValue::StringOwned(text) => Value::from(text.as_str()),
        AnyValue::Binary(bytes) => Value::String(String::from_utf8_lossy(bytes).into_owned()),
        AnyValue::BinaryOwned(bytes) => Value::String(String::from_utf8_lossy(bytes).into_owned()),
        AnyValue::UInt8(number) => Value::from(*number),
        AnyValue::UInt16(number) => Value::from(*number),
        AnyValue::UInt32(number) => Value::from(*number),
        AnyValue::UInt64(number) => Value::from(*number),
        AnyValue::Int8(number) => Value::from(*number),
        AnyValue::Int16(number) => Value::from(*number),
        AnyValue::Int32(number) => Value::from(*number),
        AnyValue::Int64(number) => Value::from(*number),
        AnyValue::Float32(number) => Value::from(*number),
        AnyValue::Float64(number) => Value::from(*number),
        AnyValue::Date(days) => time(i64::from(*days) * 86_400_000_000, "T00:00:00"),
        AnyValue::Datetime(at, unit, zone) => time(micros(*at, *unit), if zone.is_some() { "Z" } else { "" }),
        AnyValue::DatetimeOwned(at, unit, zone) => time(micros(*at, *unit), if zone.is_some() { "Z" } else { "" }),
        AnyValue::List(list) => Value::Array(list.iter().map(|value| json(&value)).collect()),
        other => Value::String(other.to_string()),
    }
}

fn micros(at: i64, unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Nanoseconds => at.div_euclid(1_000),
        TimeUnit::Microseconds => at,
        TimeUnit::Milliseconds => at.saturating_mul(1_000),
    }
}

/// A time as text, with what is known of its zone behind it.
fn time(micros: i64, zone: &str) -> Value {
    let Ok(at) = jiff::Timestamp::from_microsecond(micros) else { return Value::from(micros) };
    let text = at.to_string();
    match zone {
        "Z" => Value::String(text),
        "" => Value::String(text.trim_end_matches('Z').to_owned()),
        _ => Value::String(text.get(..10).unwrap_or(&text).to_owned()),
    }
}

/// polars trusts files more than it should: what it panics at is damage, not a bug of ours.
fn guarded<T>(work: impl FnOnce() -> polars::prelude::PolarsResult<T>) -> Result<T, Refused> {
    const ADVICE: &str = "copy or export the file again";
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => {
            let said = error.to_string();
            let said = said.lines().next().unwrap_or_default();
            Err(Refused::new(format!("a damaged Parquet file: {said}"), ADVICE))
        }
        Err(_) => Err(Refused::new("a damaged Parquet file", ADVICE)),
    }
}

/// A table as Parquet, for the tests of what reads it.
#[cfg(test)]
pub(super) fn from_csv(table: &str) -> Vec<u8> {
    let reader = polars::prelude::CsvReader::new(Cursor::new(table.as_bytes()));
    tests::written(reader.finish().unwrap())
}

#[cfg(test)]
mod tests {
    use polars::prelude::{Column, DataFrame, ParquetWriter};

    use super::*;

    pub(super) fn written(mut frame: DataFrame) -> Vec<u8> {
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).with_row_group_size(Some(2)).finish(&mut frame).unwrap();
        bytes
    }

    fn sample() -> DataFrame {
        DataFrame::new_infer_height(vec![
            Column::new("text".into(), ["a", "b", "c"]),
            Column::new("rows".into(), [Some(1i64), None, Some(3)]),
            Column::new("ok".into(), [true, false, true]),
        ])
        .unwrap()
    }

    fn read(bytes: Vec<u8>, columns: &[&str]) -> Result<Vec<String>, Refused> {
        let file = File::open(bytes)?;
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        let mut seen = Vec::new();
        file.rows(&columns, &mut |number, row| {
            seen.push(format!("{number} {}", Value::Object(row)));
            ControlFlow::Continue(())
        })?;
        Ok(seen)
    }

    #[test]
    fn rows_have_what_is_asked_for() {
        let rows = read(written(sample()), &["rows", "text"]).unwrap();
        assert_eq!(rows, [r#"1 {"rows":1,"text":"a"}"#, r#"2 {"text":"b"}"#, r#"3 {"rows":3,"text":"c"}"#]);
    }

    #[test]
    fn times_say_what_is_known_of_their_zone() {
        assert_eq!(time(1_500_000, "Z"), Value::from("1970-01-01T00:00:01.5Z"));
        assert_eq!(time(1_500_000, ""), Value::from("1970-01-01T00:00:01.5"));
        assert_eq!(time(0, "T00:00:00"), Value::from("1970-01-01"));
    }

    #[test]
    fn damage_is_said_and_no_bug() {
        let whole = written(sample());
        for cut in [4, 11, 12, whole.len() / 2, whole.len() - 1] {
            assert!(read(whole[..cut].to_vec(), &["text"]).is_err(), "{cut}");
        }
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x5a;
            let _ = read(flipped, &["text", "rows"]);
        }
    }

    #[test]
    #[ignore = "writes corpora/mapped/parquet/queries.parquet from the table beside it"]
    fn the_sample_is_written() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora/mapped/parquet");
        let table = std::fs::read_to_string(folder.join("queries.csv")).unwrap();
        std::fs::write(folder.join("queries.parquet"), from_csv(&table)).unwrap();
    }
}
