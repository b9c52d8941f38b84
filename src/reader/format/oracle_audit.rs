//! Oracle's audit trail as it is exported: `UNIFIED_AUDIT_TRAIL`, and the older `DBA_AUDIT_TRAIL`.
//!
//! `EVENT_TIMESTAMP_UTC,SESSIONID,DBUSERNAME,ACTION_NAME,OBJECT_SCHEMA,OBJECT_NAME,SQL_TEXT,SQL_BINDS,RETURN_CODE,…`

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use super::postgres::read_time;
use super::rows::{self, Row, Table, value};
use crate::model::{ActorKind, Executed, GapKind, Hides, Timestamp};
use crate::reader::recorder::{Found, Place, Recorder, some};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from oracle_audit`
#[derive(Clone, Copy, Debug)]
pub struct OracleAudit;

/// Where tools cut the text of a statement, in characters: a column of SQL, one of PL/SQL, and what is left of a CLOB.
const CUTS: &[usize] = &[1_000, 2_000, 4_000, 32_767];

/// What is needed to do anything was lacking: nothing was done.
const REFUSED: &[&str] = &["942", "1017", "1031", "1045", "2004", "28000", "46370"];

impl Reader for OracleAudit {
    fn name(&self) -> &'static str {
        "oracle_audit"
    }

    fn about(&self) -> &'static str {
        "Oracle audit trail exports (UNIFIED_AUDIT_TRAIL, DBA_AUDIT_TRAIL) as CSV or JSON"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let names = rows::columns(sample);
        let has = |marks: &[&str]| marks.iter().all(|mark| names.iter().any(|name| name == mark));
        let unified = has(&["sql_text", "action_name", "dbusername"]);
        match unified || has(&["sql_text", "action_name", "returncode", "username"]) {
            true => Match::Certain,
            false => Match::No,
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut trail = Trail { recorder: Recorder::new(source, self.name()), last: None };
        rows::read(&mut trail, input, source, out)
    }
}

struct Trail {
    recorder: Recorder,
    /// The statement that was told last: every object of it, and every policy it falls under, has a row.
    last: Option<Last>,
}

struct Last {
    /// Instance, session, number of the statement in it, and its text.
    of: String,
    text: String,
    /// What is behind it was told.
    behind: Vec<String>,
}

impl Table for Trail {
    fn row(&mut self, row: &Row, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        if !row.contains_key("action_name") {
            return out.issue(self.recorder.lost(place, "a row without the columns of an audit trail", ""));
        }
        // Exports may keep the zero at the end of a string of C.
        let text = value(row, &["sql_text"]).trim_end_matches('\0').trim();
        let object = Object::of(row);
        let of = ["dbid", "con_id", "instance_id", "sessionid", "statement_id", "statementid"]
            .map(|name| value(row, &[name]))
            .join(" ");
        let numbered = !value(row, &["statement_id", "statementid"]).is_empty();
        if let Some(last) =
            self.last.as_mut().filter(|last| numbered && last.of == of && last.text == text && !text.is_empty())
        {
            let behind = object.filter(|object| !object.is_named(text)).and_then(|object| object.stated());
            return match behind.filter(|stated| !last.behind.contains(stated)) {
                Some(stated) => {
                    last.behind.push(stated.clone());
                    let mut found = self.found(row, stated, place);
                    found.lacks(
                        GapKind::BodyMissing,
                        Hides::Target,
                        "the statement names another object, this one is behind it",
                    );
                    out.action(self.recorder.action(found))
                }
                None => {
                    out.nothing();
                    ControlFlow::Continue(())
                }
            };
        }
        let stated = if text.is_empty() { object.and_then(|object| object.stated()) } else { Some(text.to_owned()) };
        self.last = Some(Last { of, text: text.to_owned(), behind: Vec::new() });
        let Some(stated) = stated else {
            out.nothing();
            return ControlFlow::Continue(());
        };
        let mut found = self.found(row, stated, place);
        if text.is_empty() {
            found.lacks(GapKind::BodyMissing, Hides::Target, "the statement is not in this row");
        } else if CUTS.contains(&text.chars().count()) {
            found.lacks(GapKind::Truncated, Hides::Anything, "the end of the statement");
        }
        if binds(text) && value(row, &["sql_binds", "sql_bind"]).trim().is_empty() {
            found.lacks(GapKind::ParametersMissing, Hides::Nothing, "values");
        }
        let upper = found.text.to_ascii_uppercase();
        if upper.contains("IDENTIFIED BY *") || upper.contains("IDENTIFIED BY VALUES '***") {
            found.lacks(GapKind::Redacted, Hides::Nothing, "*");
        }
        out.action(self.recorder.action(found))
    }

    fn finish(&mut self, _out: &mut dyn Out) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl Trail {
    fn found(&self, row: &Row, text: String, place: Place) -> Found {
        let mut found = Found::sql(text, "oracle", place);
        let stamp = value(row, &["event_timestamp_utc", "event_timestamp", "extended_timestamp", "timestamp"]);
        found.time = read_time(stamp).map(|read| read.time).or_else(|| oracle_time(stamp));
        let user = value(row, &["dbusername", "username", "current_user"]);
        found.by(user, ActorKind::Unknown);
        found.session = value(row, &["sessionid", "audit_session_id"]).to_owned();
        let number = value(row, &["statement_id", "statementid"]);
        let entry = value(row, &["entry_id", "entryid"]);
        if !entry.is_empty() {
            found.native = format!("{} {} {number} {entry}", value(row, &["dbid"]), found.session);
        }
        found.surroundings.user = some(user);
        found.surroundings.database = some(value(row, &["pdb_name", "db_name", "dbid", "con_id"]));
        found.surroundings.host = some(value(row, &["userhost"]));
        found.outcome.executed = Executed::Yes;
        let code = value(row, &["return_code", "returncode"]);
        found.outcome.succeeded = (!code.is_empty()).then_some(code == "0");
        if REFUSED.contains(&code) {
            found.outcome.executed = Executed::No;
        }
        found
    }
}

/// What a row says was done to which object.
struct Object<'r> {
    action: String,
    schema: &'r str,
    name: &'r str,
}

impl<'r> Object<'r> {
    fn of(row: &'r Row) -> Option<Self> {
        let name = value(row, &["object_name", "obj_name"]);
        let action = value(row, &["action_name"]).to_ascii_uppercase();
        let schema = value(row, &["object_schema", "owner", "obj_owner"]);
        (!name.is_empty()).then_some(Self { action, schema, name })
    }

    /// A statement that says it, with an open condition in place of what is not known.
    fn stated(&self) -> Option<String> {
        let name = if self.schema.is_empty() { self.name.to_owned() } else { format!("{}.{}", self.schema, self.name) };
        match self.action.as_str() {
            "DELETE" => Some(format!("DELETE FROM {name} WHERE :1")),
            "UPDATE" => Some(format!("UPDATE {name} SET unknown = :2 WHERE :1")),
            "INSERT" => Some(format!("INSERT INTO {name} VALUES (:1)")),
            "SELECT" => Some(format!("SELECT * FROM {name} WHERE :1")),
            "TRUNCATE TABLE" => Some(format!("TRUNCATE TABLE {name}")),
            drop if drop.starts_with("DROP ") => Some(format!("{drop} {name}")),
            _ => None,
        }
    }

    fn is_named(&self, text: &str) -> bool {
        let (text, name) = (text.to_ascii_uppercase(), self.name.to_ascii_uppercase());
        let of_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '$' | '#');
        text.match_indices(&name)
            .any(|(at, _)| !text[..at].ends_with(of_name) && !text[at + name.len()..].starts_with(of_name))
    }
}

/// Whether a statement has places for values: `:1`, `:name`.
fn binds(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut quoted = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\'' => quoted = !quoted,
            b':' if !quoted => {
                let before = at.checked_sub(1).map(|at| bytes[at]);
                let after = bytes.get(at + 1).copied().unwrap_or(b' ');
                if before != Some(b':') && (after.is_ascii_alphanumeric() || after == b'"') {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

/// `01-OCT-26 05.00.00.123456 AM +02:00`, which Oracle writes unless it is told otherwise.
fn oracle_time(text: &str) -> Option<Timestamp> {
    const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    let mut words = text.split_whitespace();
    let (date, clock) = (words.next()?, words.next()?);
    let mut parts = date.split('-');
    let (day, month, year) = (parts.next()?, parts.next()?.to_ascii_uppercase(), parts.next()?);
    let month = MONTHS.iter().position(|name| month.starts_with(name))? + 1;
    let year: u32 = year.parse().ok()?;
    let year = if year < 100 { 2_000 + year } else { year };
    let mut clock = clock.split('.');
    let (hour, minute, second) = (clock.next()?.parse::<u32>().ok()?, clock.next()?, clock.next()?);
    let fraction: String = clock.next().unwrap_or("0").chars().take(6).collect();
    let half = words.next().unwrap_or("").to_ascii_uppercase();
    let (hour, zone) = match half.as_str() {
        "AM" => (hour % 12, words.next()),
        "PM" => (hour % 12 + 12, words.next()),
        zone => (hour, Some(zone)),
    };
    let zone = zone.filter(|zone| zone.starts_with(['+', '-']) || *zone == "UTC" || *zone == "GMT").unwrap_or("UTC");
    let day: u32 = day.parse().ok()?;
    read_time(
        &format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute}:{second}.{fraction} {zone}")
            .replace(" +", "+")
            .replace(" -", "-"),
    )
    .map(|read| read.time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[track_caller]
    fn check(log: &str, expected: &str) {
        assert_eq!(read_all(&OracleAudit, "o.csv", log.as_bytes()).trim_end(), expected);
    }

    #[test]
    fn every_object_of_a_statement_has_a_row_and_some_have_no_text() {
        check(
            "SESSIONID,STATEMENT_ID,ENTRY_ID,DBUSERNAME,ACTION_NAME,OBJECT_SCHEMA,OBJECT_NAME,SQL_TEXT,SQL_BINDS,RETURN_CODE\n\
             7,3,1,ANN,DELETE,SHOP,A,DELETE FROM a WHERE b IN (SELECT b FROM v),,0\n\
             7,3,2,ANN,SELECT,SHOP,V,DELETE FROM a WHERE b IN (SELECT b FROM v),,0\n\
             7,3,3,ANN,SELECT,SHOP,BASE,DELETE FROM a WHERE b IN (SELECT b FROM v),,0\n\
             7,4,4,ANN,DROP TABLE,SHOP,A,,,1031\n7,5,5,ANN,LOGOFF,,,,,0\n\
             8,1,6,ANN,UPDATE,SHOP,A,UPDATE a SET b = :1,,0\n8,2,7,ANN,UPDATE,SHOP,A,UPDATE a SET b = :1, #1(1):x,0\n",
            "L2 sql \"DELETE FROM a WHERE b IN (SELECT b FROM v)\" session=7 actor=unknown:ANN exec=yes ok user=ANN dialect=oracle\n\
             L4 sql \"SELECT * FROM SHOP.BASE WHERE :1\" session=7 actor=unknown:ANN exec=yes ok user=ANN dialect=oracle gap=body-missing/target\n\
             L5 sql \"DROP TABLE SHOP.A\" session=7 actor=unknown:ANN exec=no failed user=ANN dialect=oracle gap=body-missing/target\n\
             L7 sql \"UPDATE a SET b = :1\" session=8 actor=unknown:ANN exec=yes ok user=ANN dialect=oracle gap=parameters-missing/nothing\n\
             L8 sql \"UPDATE a SET b = :1\" session=8 actor=unknown:ANN exec=yes ok user=ANN dialect=oracle\n\
             nothing: 2",
        );
    }

    #[test]
    fn times_as_oracle_writes_them() {
        let check = |text: &str, expected: &str| {
            assert_eq!(oracle_time(text).map_or("none".to_owned(), |time| time.to_string()), expected, "{text}");
        };
        check("01-OCT-26 05.00.00.123456 AM", "2026-10-01T05:00:00.123456Z");
        check("01-OCT-26 12.30.00.000000 PM +02:00", "2026-10-01T10:30:00Z");
        check("01-XXX-26 05.00.00", "none");
        check("é", "none");
    }
}
