//! The JSON log of Postgres 15 and newer, one object a line, and the clouds' wrappings of Postgres logs.
//!
//! `{"timestamp":"2026-11-22 18:51:50.630 CET","user":"admin","pid":14611,"error_severity":"LOG","message":"statement: …"}`

use std::borrow::Cow;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserialize;

use super::postgres::{Entry, LogLines, Number, Place, Sessions, read_time, severity, text_of, zone_note};
use crate::model::Issue;
use crate::reader::record::Lines;
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `postgres_json`
#[derive(Debug)]
pub struct PostgresJson;

impl Reader for PostgresJson {
    fn name(&self) -> &'static str {
        "postgres_json"
    }

    fn about(&self) -> &'static str {
        "PostgreSQL jsonlog (15+), CloudNativePG and Cloud SQL exports of server logs"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let Some(first) = sample.head.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty()) else {
            return Match::No;
        };
        if first.trim_ascii_start().first() != Some(&b'{') {
            return Match::No;
        }
        // A cluster's own messages come in between, so that one line is not enough to say no.
        for line in sample.head.split(|byte| *byte == b'\n').take(100) {
            let Ok(text) = std::str::from_utf8(line) else { continue };
            if serde_json::from_str::<Record<'_>>(text).is_ok_and(|record| record.is_of_server()) {
                return Match::Certain;
            }
            if serde_json::from_str::<Wrapper<'_>>(text).is_ok_and(|wrapper| wrapper.wraps().is_some()) {
                return Match::Certain;
            }
        }
        Match::No
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut file = JsonLog {
            source,
            sessions: Sessions::new(self.name(), source),
            plain: LogLines::new(self.name(), source),
            zone_noted: false,
        };
        let mut lines = Lines::new(input);
        while let Some(line) = lines.next_line()? {
            if line.bytes.trim_ascii().is_empty() {
                continue;
            }
            let place = Place { line: line.number, offset: line.offset };
            let flow = if line.cut {
                file.lose(place, "a line is too long".into(), out)
            } else {
                file.line(line.bytes, place, out)
            };
            if flow.is_break() {
                return Ok(());
            }
        }
        if file.sessions.finish(out).is_continue() {
            let _ = file.plain.finish(out);
        }
        Ok(())
    }
}

struct JsonLog<'s> {
    source: &'s Source,
    sessions: Sessions,
    /// Cloud SQL and CloudNativePG carry lines of the plain log.
    plain: LogLines,
    zone_noted: bool,
}

impl JsonLog<'_> {
    fn line(&mut self, bytes: &[u8], place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let text = text_of(bytes);
        let record = serde_json::from_str::<Record<'_>>(&text);
        if let Ok(record) =
            record.as_ref().map_err(|_| ()).and_then(|record| record.is_of_server().then_some(record).ok_or(()))
        {
            return self.record(record, "", place, out);
        }
        let wrapper: Wrapper<'_> = match serde_json::from_str(&text) {
            Ok(wrapper) => wrapper,
            Err(error) => return self.lose(place, format!("not a JSON object of a Postgres log: {error}"), out),
        };
        match wrapper.wraps() {
            Some(Wraps::Record) => match &wrapper.record {
                Some(record) => self.record(record, &wrapper.logging_pod, place, out),
                None => ControlFlow::Continue(()),
            },
            Some(Wraps::Text) => {
                self.plain.server.clear();
                self.plain.server.push_str(&wrapper.logging_pod);
                self.text(&wrapper.msg, place, out)
            }
            Some(Wraps::CloudSql) => {
                let (project, instance) = wrapper.resource.labels.database_id.rsplit_once(':').unwrap_or_default();
                self.plain.account.clear();
                self.plain.account.push_str(project);
                self.plain.server.clear();
                self.plain.server.push_str(instance);
                self.text(&wrapper.text_payload, place, out)
            }
            None => {
                out.nothing();
                ControlFlow::Continue(())
            }
        }
    }

    fn text(&mut self, text: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        // One payload is one message, whatever its later lines look like.
        for (at, line) in text.split('\n').enumerate() {
            if at == 0 || line.starts_with('\t') {
                self.plain.line(line, place, out)?;
            } else {
                self.plain.line(&format!("\t{line}"), place, out)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn record(&mut self, record: &Record<'_>, server: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let time = read_time(&record.timestamp);
        if time.is_some_and(|time| time.zone_guessed) && !self.zone_noted {
            self.zone_noted = true;
            out.issue(zone_note(&self.source.file, place.line, place.offset))?;
        }
        let pid = record.pid.map_or(String::new(), |Number(pid)| pid.to_string());
        let audit = record.audit.as_ref().map(Audit::as_message);
        let entry = Entry {
            line: place.line,
            offset: place.offset,
            time: time.map(|time| time.time),
            severity: severity(&record.error_severity).unwrap_or_default(),
            user: &record.user,
            database: &record.dbname,
            pid: &pid,
            session: &record.session_id,
            started: read_time(&record.session_start).map(|time| time.time),
            number: record.line_num.map(|Number(number)| number),
            message: audit.as_deref().unwrap_or(&record.message),
            detail: &record.detail,
            statement: &record.statement,
            server,
            ..Entry::default()
        };
        self.sessions.take(&entry, out)
    }

    fn lose(&self, place: Place, problem: String, out: &mut dyn Out) -> ControlFlow<()> {
        out.issue(Issue {
            file: self.source.file.clone(),
            line: place.line,
            offset: place.offset,
            problem,
            advice: String::new(),
            lost: true,
        })
    }
}

/// One entry as the server writes it; CloudNativePG names its fields as the columns of the CSV log.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Record<'a> {
    #[serde(borrow, alias = "log_time")]
    timestamp: Cow<'a, str>,
    #[serde(borrow, alias = "user_name")]
    user: Cow<'a, str>,
    #[serde(borrow, alias = "database_name")]
    dbname: Cow<'a, str>,
    #[serde(alias = "process_id")]
    pid: Option<Number>,
    #[serde(borrow)]
    session_id: Cow<'a, str>,
    #[serde(alias = "session_line_num")]
    line_num: Option<Number>,
    #[serde(borrow, alias = "session_start_time")]
    session_start: Cow<'a, str>,
    #[serde(borrow)]
    error_severity: Cow<'a, str>,
    #[serde(borrow)]
    message: Cow<'a, str>,
    #[serde(borrow)]
    detail: Cow<'a, str>,
    #[serde(borrow, alias = "query")]
    statement: Cow<'a, str>,
    #[serde(borrow)]
    audit: Option<Audit<'a>>,
}

impl Record<'_> {
    fn is_of_server(&self) -> bool {
        !self.error_severity.is_empty() && !self.timestamp.is_empty() && self.pid.is_some()
    }
}

/// What CloudNativePG makes of a pgaudit line.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Audit<'a> {
    #[serde(borrow)]
    audit_type: Cow<'a, str>,
    #[serde(borrow)]
    statement_id: Cow<'a, str>,
    #[serde(borrow)]
    substatement_id: Cow<'a, str>,
    #[serde(borrow)]
    class: Cow<'a, str>,
    #[serde(borrow)]
    command: Cow<'a, str>,
    #[serde(borrow)]
    object_type: Cow<'a, str>,
    #[serde(borrow)]
    object_name: Cow<'a, str>,
    #[serde(borrow)]
    statement: Cow<'a, str>,
    #[serde(borrow)]
    parameter: Cow<'a, str>,
}

impl Audit<'_> {
    /// The line pgaudit wrote.
    fn as_message(&self) -> String {
        let Self { audit_type, statement_id, substatement_id, class, command, object_type, .. } = self;
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let [object, statement, parameter] = [&self.object_name, &self.statement, &self.parameter].map(|it| quoted(it));
        format!(
            "AUDIT: {audit_type},{statement_id},{substatement_id},{class},{command},{object_type},{object},{statement},{parameter}"
        )
    }
}

/// What the clouds put around an entry.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wrapper<'a> {
    #[serde(borrow)]
    logger: Cow<'a, str>,
    #[serde(borrow)]
    msg: Cow<'a, str>,
    #[serde(borrow)]
    logging_pod: Cow<'a, str>,
    #[serde(borrow)]
    record: Option<Record<'a>>,
    #[serde(borrow, rename = "textPayload")]
    text_payload: Cow<'a, str>,
    #[serde(borrow, rename = "logName")]
    log_name: Cow<'a, str>,
    #[serde(borrow)]
    resource: Resource<'a>,
}

/// The kind of a wrapping.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wraps {
    /// CloudNativePG: the server's entry in `record`.
    Record,
    /// CloudNativePG: a line of the plain log in `msg`.
    Text,
    /// Cloud SQL: a line of the plain log in `textPayload`.
    CloudSql,
}

impl Wrapper<'_> {
    fn wraps(&self) -> Option<Wraps> {
        let postgres = matches!(&*self.logger, "postgres" | "pgaudit");
        match &self.record {
            Some(record) if postgres && !record.error_severity.is_empty() => return Some(Wraps::Record),
            _ => {}
        }
        let cloud_sql = self.resource.kind == "cloudsql_database" || self.log_name.contains("cloudsql.googleapis.com");
        if cloud_sql && !self.text_payload.is_empty() && !self.log_name.contains("mysql") {
            return Some(Wraps::CloudSql);
        }
        (postgres && !self.logging_pod.is_empty() && self.msg != "record").then_some(Wraps::Text)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resource<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    labels: Labels<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Labels<'a> {
    #[serde(borrow)]
    database_id: Cow<'a, str>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[track_caller]
    fn check(log: &str, expected: &str) {
        assert_eq!(read_all(&PostgresJson, "p.json", log.as_bytes()).trim_end(), expected);
    }

    fn record(rest: &str) -> String {
        format!(
            "{{\"timestamp\":\"2026-11-22 10:00:00.5 UTC\",\"user\":\"ann\",\"dbname\":\"shop\",\"pid\":7,\
             \"session_id\":\"6b030f20.7\",\"line_num\":3,{rest}}}\n"
        )
    }

    #[test]
    fn the_servers_own_records() {
        check(
            &(record(
                r#""error_severity":"LOG","message":"statement: EXECUTE d(1);","detail":"prepare: PREPARE d(int) AS DELETE FROM \"a\" WHERE b = $1;""#,
            ) + &record(r#""error_severity":"ERROR","message":"no rights","statement":"EXECUTE d(1);""#)
                + &record(r#""error_severity":"LOG","message":"checkpoint starting: time","new_key":{}"#)),
            "L1 sql \"DELETE FROM \\\"a\\\" WHERE b = $1;\" session=6b030f20.7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes failed user=ann database=shop dialect=postgres\n\
             nothing: 2",
        );
    }

    #[test]
    fn cloud_native_records_and_lines() {
        check(
            "{\"level\":\"info\",\"logger\":\"postgres\",\"msg\":\"record\",\"logging_pod\":\"db-1\",\"record\":{\
             \"log_time\":\"2026-11-22 10:00:00.5 UTC\",\"user_name\":\"ann\",\"process_id\":\"7\",\"session_id\":\"6b030f20.7\",\
             \"session_line_num\":\"3\",\"error_severity\":\"LOG\",\"message\":\"statement: SELECT 1\"}}\n\
             {\"logger\":\"postgres\",\"msg\":\"2026-11-22 10:00:01 UTC [8] LOG:  statement: SELECT 2\",\"logging_pod\":\"db-1\"}\n\
             {\"logger\":\"wal-archive\",\"msg\":\"archived\"}\n",
            "L1 sql \"SELECT 1\" session=6b030f20.7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes host=db-1 user=ann dialect=postgres\n\
             L2 sql \"SELECT 2\" session=8 actor=unknown: time=2026-11-22T10:00:01Z exec=yes host=db-1 dialect=postgres\n\
             nothing: 1",
        );
    }

    #[test]
    fn cloud_sql_lines_name_the_server() {
        let line = |text: &str| {
            format!(
                "{{\"textPayload\":\"2026-11-22 10:00:00 UTC [7]: [3-1] db=shop,user=ann {text}\",\"resource\":{{\
                 \"type\":\"cloudsql_database\",\"labels\":{{\"database_id\":\"acme:db-eu\"}}}}}}\n"
            )
        };
        check(
            &(line("LOG:  statement: SELECT 1\\n\\tFROM t")
                + &line("ERROR:  no t")
                + &line("STATEMENT:  SELECT 1\\n\\tFROM t")),
            "L1 sql \"SELECT 1\\nFROM t\" session=7 actor=unknown:ann time=2026-11-22T10:00:00Z exec=yes failed host=db-eu user=ann database=shop account=acme dialect=postgres\n\
             nothing: 1",
        );
    }

    #[test]
    fn what_is_no_json_is_said() {
        check(
            &("{\"timestamp\":\"20\n".to_owned()
                + &record(r#""error_severity":"LOG","message":"duration: 1 ms  statement: SELECT 1""#)),
            "L1 issue: not a JSON object of a Postgres log: EOF while parsing a string at line 1 column 16\n\
             L2 sql \"SELECT 1\" session=6b030f20.7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes ok user=ann database=shop dialect=postgres",
        );
    }

    #[test]
    fn its_marks_are_known() {
        let detect =
            |text: &str| PostgresJson.detect(&Sample { head: text.as_bytes(), complete: true, name: "x", tables: &[] });
        assert_eq!(detect(&record(r#""error_severity":"LOG","message":"x""#)), Match::Certain);
        assert_eq!(detect(&record(r#""error_severity":"LOG","message":"AUDIT: x""#)), Match::Certain);
        assert_eq!(
            detect("{\"timestamp\":\"2026-11-22T10:00:00Z\",\"message\":\"x\",\"user\":{\"id\":3}}\n"),
            Match::No
        );
    }
}
