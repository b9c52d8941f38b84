//! The CSV log of a Postgres server, of any version: 22 to 26 columns, with line ends inside of quotes.
//!
//! `2026-11-22 18:51:50.630 CET,"ann","shop",146,"[local]",6b032bb6.92,19,"idle",…,LOG,00000,"statement: SELECT 1;",…`

use std::borrow::Cow;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use super::postgres::{
    Entry, Place, Sessions, looks_like_record_start, read_time, severity, split, text_of, zone_note,
};
use crate::model::Issue;
use crate::reader::record::Lines;
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `postgres_csv`
#[derive(Debug)]
pub struct PostgresCsv;

/// Postgres 8.3 to 8.4 had 21 or 22 columns, 9.0 to 12 have 23, 13 has 24, and 26 since 14; newer ones may have more.
const MIN_COLUMNS: usize = 21;

/// A record longer than this has lost its closing quote.
const MAX_RECORD: usize = 64 << 20;

impl Reader for PostgresCsv {
    fn name(&self) -> &'static str {
        "postgres_csv"
    }

    fn about(&self) -> &'static str {
        "PostgreSQL server log as CSV: log_destination csvlog, RDS and Azure exports"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let text = String::from_utf8_lossy(sample.head);
        let text = text.trim_start_matches('\u{feff}');
        // The file may begin in the middle of a record, after a rotation.
        let mut start = 0;
        let mut fields = Vec::new();
        for line in text.split_inclusive('\n').take(500) {
            if looks_like_record_start(line.as_bytes()) {
                split(&text[start..], &mut fields);
                let said = fields.len() > Columns::LOG.severity && severity(&fields[Columns::LOG.severity]).is_some();
                if said && fields.get(Columns::LOG.session).is_some_and(|session| session.contains('.')) {
                    let audited =
                        fields.get(Columns::LOG.message).is_some_and(|message| message.starts_with("AUDIT: "));
                    return if audited { Match::Maybe } else { Match::Certain };
                }
            } else if Columns::of_header(line).is_some() {
                return Match::Certain;
            }
            start += line.len();
        }
        Match::No
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut log = CsvLog {
            source,
            sessions: Sessions::new(self.name(), source),
            columns: Columns::LOG,
            zone_noted: false,
            begun: false,
            width: None,
            record: Vec::new(),
            ends: Vec::new(),
            place: Place { line: 1, offset: 0 },
            open: false,
        };
        let mut lines = Lines::new(input);
        while let Some(line) = lines.next_line()? {
            if log.line(line.bytes, Place { line: line.number, offset: line.offset }, line.cut, out).is_break() {
                return Ok(());
            }
        }
        if log.end(out).is_continue() {
            let _ = log.sessions.finish(out);
        }
        Ok(())
    }
}

struct CsvLog<'s> {
    source: &'s Source,
    sessions: Sessions,
    columns: Columns,
    zone_noted: bool,
    /// The first record, or the header, was met.
    begun: bool,
    /// How many columns the records of this file have.
    width: Option<usize>,
    /// The lines of the record that is being read.
    record: Vec<u8>,
    /// Where each of its lines ends in `record`, and where that line stands in the file.
    ends: Vec<(usize, Place)>,
    place: Place,
    /// A quote is open at the end of `record`.
    open: bool,
}

impl CsvLog<'_> {
    fn line(&mut self, bytes: &[u8], place: Place, cut: bool, out: &mut dyn Out) -> ControlFlow<()> {
        if self.record.is_empty() {
            if bytes.is_empty() {
                return ControlFlow::Continue(());
            }
            self.place = place;
        } else {
            self.record.push(b'\n');
        }
        // A record ends with the first line that leaves no quote open: inside of quotes Postgres doubles them.
        self.open ^= memchr::memchr_iter(b'"', bytes).count() % 2 == 1;
        self.record.extend_from_slice(bytes);
        self.ends.push((self.record.len(), place));
        if self.open && !cut && self.record.len() <= MAX_RECORD {
            return ControlFlow::Continue(());
        }
        let whole = !self.open && !cut;
        self.close(whole, out)
    }

    fn end(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        while !self.record.is_empty() {
            self.close(false, out)?;
        }
        ControlFlow::Continue(())
    }

    /// Takes the record that is complete, or gives up its beginning and reads the lines after that again.
    fn close(&mut self, whole: bool, out: &mut dyn Out) -> ControlFlow<()> {
        let record = std::mem::take(&mut self.record);
        let ends = std::mem::take(&mut self.ends);
        let place = self.place;
        self.open = false;
        let text = text_of(&record);
        if !whole || !self.take(&text, ends.len(), place, out)? {
            let first = ends.first().map_or(0, |(end, _)| *end);
            self.lose(place, &record[..first], out)?;
            // Only a line that starts as a record does can be the next one; what is before it went with the torn one.
            let mut from = first + 1;
            let mut again = false;
            for (end, place) in ends.iter().skip(1) {
                let line = record.get(from..*end).unwrap_or_default();
                from = end + 1;
                again |= looks_like_record_start(line);
                if again {
                    self.line(line, *place, false, out)?;
                }
            }
            return ControlFlow::Continue(());
        }
        let mut record = record;
        record.clear();
        self.record = record;
        let mut ends = ends;
        ends.clear();
        self.ends = ends;
        ControlFlow::Continue(())
    }

    /// Whether this was a record at all.
    fn take(&mut self, text: &str, lines: usize, place: Place, out: &mut dyn Out) -> ControlFlow<(), bool> {
        let mut fields = Vec::with_capacity(26);
        split(text, &mut fields);
        if !self.begun {
            self.begun = true;
            if let Some(columns) = Columns::of_header(text) {
                self.columns = columns;
                return ControlFlow::Continue(true);
            }
        }
        let columns = self.columns;
        let field = |at: usize| fields.get(at).map_or("", |field: &Cow<'_, str>| field);
        let (time, severity) = (read_time(field(columns.time)), severity(field(columns.severity)));
        let (Some(time), Some(severity)) = (time, severity) else { return ControlFlow::Continue(false) };
        // A quote lost near the end of a record swallows the start of the next one: the number of columns tells, and
        // it is the same in all of a file. The first record has to do without one that seems to begin inside of it.
        let torn = lines > 1
            && match self.width {
                Some(width) => width != fields.len(),
                None => text.split('\n').skip(1).any(|line| looks_like_record_start(line.as_bytes())),
            };
        if fields.len() < columns.count || torn {
            return ControlFlow::Continue(false);
        }
        self.width.get_or_insert(fields.len());
        if time.zone_guessed && !self.zone_noted {
            self.zone_noted = true;
            if out.issue(zone_note(&self.source.file, place.line, place.offset)).is_break() {
                return ControlFlow::Break(());
            }
        }
        let entry = Entry {
            line: place.line,
            offset: place.offset,
            time: Some(time.time),
            severity,
            user: field(columns.user),
            database: field(columns.database),
            pid: field(columns.pid),
            session: field(columns.session),
            number: field(columns.number).parse().ok(),
            message: field(columns.message),
            detail: field(columns.detail),
            statement: field(columns.query),
            ..Entry::default()
        };
        match self.sessions.take(&entry, out) {
            ControlFlow::Continue(()) => ControlFlow::Continue(true),
            ControlFlow::Break(()) => ControlFlow::Break(()),
        }
    }

    fn lose(&self, place: Place, line: &[u8], out: &mut dyn Out) -> ControlFlow<()> {
        let problem = match looks_like_record_start(line) {
            true => "a record is torn: it lacks columns or a closing quote",
            false => "a line that does not begin a record",
        };
        out.issue(Issue {
            file: self.source.file.clone(),
            line: place.line,
            offset: place.offset,
            problem: problem.into(),
            advice: String::new(),
            lost: true,
        })
    }
}

/// Where the columns that matter stand.
#[derive(Clone, Copy, Debug)]
struct Columns {
    time: usize,
    user: usize,
    database: usize,
    pid: usize,
    session: usize,
    number: usize,
    severity: usize,
    message: usize,
    detail: usize,
    query: usize,
    /// A record with fewer is torn.
    count: usize,
}

impl Columns {
    /// As the server writes them: every version has added its columns at the end.
    const LOG: Self = Self {
        time: 0,
        user: 1,
        database: 2,
        pid: 3,
        session: 5,
        number: 6,
        severity: 11,
        message: 13,
        detail: 14,
        query: 19,
        count: MIN_COLUMNS,
    };

    /// A table that the log was loaded into, exported with its column names in some order.
    fn of_header(line: &str) -> Option<Self> {
        let mut names = Vec::new();
        split(line.trim_end(), &mut names);
        let at = |name: &str| names.iter().position(|named| *named == name);
        let or_none = |name: &str| at(name).unwrap_or(usize::MAX);
        Some(Self {
            time: at("log_time")?,
            severity: at("error_severity")?,
            message: at("message")?,
            user: or_none("user_name"),
            database: or_none("database_name"),
            pid: or_none("process_id"),
            session: or_none("session_id"),
            number: or_none("session_line_num"),
            detail: or_none("detail"),
            query: or_none("query"),
            count: names.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[track_caller]
    fn check(log: &str, expected: &str) {
        assert_eq!(read_all(&PostgresCsv, "p.csv", log.as_bytes()).trim_end(), expected);
    }

    /// A record of the twenty-six columns of today's servers.
    fn record(number: u32, severity: &str, message: &str, detail: &str, query: &str) -> String {
        format!(
            "2026-11-22 10:00:00.5 UTC,\"ann\",\"shop\",7,\"10.0.0.9:5151\",6b030f20.7,{number},\"idle\",\
             2026-11-22 10:00:00 UTC,3/4,0,{severity},00000,\"{message}\",{detail},,,,,{query},,,\"psql\",\"client backend\",,0\n"
        )
    }

    #[test]
    fn records_reach_over_lines_and_versions_have_their_columns() {
        let old = record(2, "LOG", "duration: 1 ms", "", "").replace(",\"client backend\",,0", "");
        check(
            &(record(1, "LOG", "statement: DELETE FROM \"\"a\"\"\nWHERE b", "", "") + &old),
            "L1 sql \"DELETE FROM \\\"a\\\"\\nWHERE b\" session=6b030f20.7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes ok user=ann database=shop dialect=postgres\n\
             nothing: 1",
        );
    }

    #[test]
    fn errors_carry_their_query() {
        check(
            &(record(1, "LOG", "execute p: DELETE FROM a WHERE b = $1", "\"Parameters: $1 = '2'\"", "")
                + &record(2, "ERROR", "canceled", "", "\"DELETE FROM a WHERE b = $1\"")
                + &record(3, "ERROR", "no table", "", "\"EXECUTE p(1)\"")),
            "L1 sql \"DELETE FROM a WHERE b = $1\" session=6b030f20.7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes failed user=ann database=shop dialect=postgres\n\
             L3 sql \"EXECUTE p(1)\" session=6b030f20.7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes failed user=ann database=shop dialect=postgres gap=body-missing/anything\n\
             nothing: 1",
        );
    }

    #[test]
    fn a_torn_record_does_not_swallow_the_next_ones() {
        let torn = record(2, "LOG", "statement: SELECT 2", "", "").replace("SELECT 2\"", "SELECT 2\nFROM");
        let late = record(4, "LOG", "statement: SELECT 4", "", "").replace("psql\"", "psql");
        let log =
            record(1, "LOG", "statement: SELECT 1", "", "") + &torn + &record(3, "LOG", "statement: SELECT 3", "", "");
        check(
            &(log + late.as_str() + &record(5, "LOG", "statement: SELECT\n5", "", "")),
            "L2 issue: a record is torn: it lacks columns or a closing quote\n\
             L1 sql \"SELECT 1\" session=6b030f20.7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes user=ann database=shop dialect=postgres\n\
             L5 issue: a record is torn: it lacks columns or a closing quote\n\
             L4 sql \"SELECT 3\" session=6b030f20.7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes user=ann database=shop dialect=postgres\n\
             L6 sql \"SELECT\\n5\" session=6b030f20.7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes user=ann database=shop dialect=postgres",
        );
        check(
            &(late + &record(5, "LOG", "statement: SELECT 5", "", "") + "2026-11-22 10:00:00.5 UTC,\"an"),
            "L1 issue: a record is torn: it lacks columns or a closing quote\n\
             L3 issue: a record is torn: it lacks columns or a closing quote\n\
             L2 sql \"SELECT 5\" session=6b030f20.7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes user=ann database=shop dialect=postgres",
        );
    }

    #[test]
    fn a_table_exported_with_its_header_is_read_by_names() {
        check(
            "message,log_time,error_severity,user_name\n\"statement: SELECT 1\",2026-11-22 10:00:00+01,LOG,ann\n",
            "L2 sql \"SELECT 1\" session=ann@ actor=unknown:ann time=2026-11-22T09:00:00Z exec=yes user=ann dialect=postgres",
        );
    }

    #[test]
    fn its_marks_are_known() {
        let detect =
            |text: &str| PostgresCsv.detect(&Sample { head: text.as_bytes(), complete: true, name: "x", tables: &[] });
        assert_eq!(
            detect(&("the rest of something\",,\n".to_owned() + &record(1, "LOG", "x", "", ""))),
            Match::Certain
        );
        assert_eq!(detect(&record(1, "LOG", "AUDIT: SESSION,1", "", "")), Match::Maybe);
        assert_eq!(detect("2026-11-22 10:00:00.5 UTC,\"a\",\"b\",3\n"), Match::No);
    }
}
