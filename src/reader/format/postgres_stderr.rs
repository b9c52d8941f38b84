//! The plain log of a Postgres server, with any `log_line_prefix`; also by way of syslog or a container's output.
//!
//! `2026-11-22 15:44:43.772 UTC [7182] admin@shop LOG:  statement: DELETE FROM users WHERE id = 3;`

use std::io::{self, BufRead};

use super::postgres::{LogLines, Place, looks_like_message};
use crate::model::Issue;
use crate::reader::record::Lines;
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `postgres_stderr`
#[derive(Debug)]
pub struct PostgresStderr;

impl Reader for PostgresStderr {
    fn name(&self) -> &'static str {
        "postgres_stderr"
    }

    fn about(&self) -> &'static str {
        "PostgreSQL server log as plain text: log_destination stderr or syslog, RDS, Heroku"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let text = String::from_utf8_lossy(sample.head);
        let (mut lines, mut messages, mut marks) = (0, 0, 0);
        // A TAB continues a line, and what it continues is counted already.
        for line in text.split('\n').filter(|line| !line.starts_with('\t') && !line.trim().is_empty()).take(200) {
            lines += 1;
            if looks_like_message(line) {
                messages += 1;
                marks += usize::from(MARKS.iter().any(|mark| line.contains(mark)));
            }
        }
        let audited = text.contains("AUDIT: SESSION,") || text.contains("AUDIT: OBJECT,");
        match () {
            () if messages == 0 || text.trim_start().starts_with('{') => Match::No,
            // A reader of audit lines has more to say about these than this one.
            () if audited => Match::Maybe,
            () if marks > 0 && messages * 10 >= lines => Match::Certain,
            () if marks > 0 || messages * 4 >= lines => Match::Likely,
            () => Match::Maybe,
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut log = LogLines::new(self.name(), source);
        let mut lines = Lines::new(input);
        while let Some(line) = lines.next_line()? {
            let place = Place { line: line.number, offset: line.offset };
            if line.cut {
                let issue = Issue {
                    file: source.file.clone(),
                    line: line.number,
                    offset: line.offset,
                    problem: "a line is too long, only its start was read".into(),
                    advice: String::new(),
                    lost: false,
                };
                if out.issue(issue).is_break() {
                    return Ok(());
                }
            }
            if log.line(&String::from_utf8_lossy(line.bytes), place, out).is_break() {
                return Ok(());
            }
        }
        let _ = log.finish(out);
        Ok(())
    }
}

/// Words that only a Postgres server puts after its labels.
const MARKS: &[&str] = &[
    ":  statement: ",
    ":  duration: ",
    ":  execute ",
    ":  database system ",
    ":  connection ",
    ":  starting PostgreSQL",
    ":  listening on ",
    ":  checkpoint ",
    ":  relation \"",
    "LOG: duration: ",
    "LOG: statement: ",
    "STATEMENT:  ",
    ":  disconnection: ",
    ":  automatic ",
    ":  Anweisung: ",
    ":  Dauer: ",
    ":  instruction : ",
    ":  durée : ",
    ":  sentencia: ",
    ":  duración: ",
    ":  process ",
    "sql_error_code = ",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[track_caller]
    fn check(log: &str, expected: &str) {
        let expected: String = expected
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .fold(String::new(), |all, line| all + line + "\n");
        assert_eq!(read_all(&PostgresStderr, "p.log", log.as_bytes()), expected);
    }
}
