//! pgaudit lines that stand by themselves: what psql shows of them, what was picked out of a log or came by a shipper.
//!
//! `AUDIT: SESSION,4,1,WRITE,DELETE,TABLE,public.basket,DELETE FROM basket,<none>`
//!
//! Audit lines inside a server log are read with that log.

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use super::postgres::{Entry, Place as PgPlace, Sessions, Severity};
use crate::reader::recorder::{Log, Place, Recorder, read_lines};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from pgaudit`
#[derive(Clone, Copy, Debug)]
pub struct Pgaudit;

/// A record with more lines than this has lost its closing quote.
const MAX_LINES: usize = 10_000;

impl Reader for Pgaudit {
    fn name(&self) -> &'static str {
        "pgaudit"
    }

    fn about(&self) -> &'static str {
        "pgaudit lines without a server log around them: psql output, extracts"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let text = String::from_utf8_lossy(sample.head);
        if text.lines().any(|line| audit(line).is_some()) { Match::Certain } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut lines = AuditLines {
            recorder: Recorder::new(source, self.name()),
            sessions: Sessions::new(self.name(), source),
            open: None,
        };
        read_lines(&mut lines, input, source, out)
    }
}

/// The audit line that a line begins with.
fn audit(line: &str) -> Option<&str> {
    let rest = ["NOTICE:  ", "LOG:  ", "INFO:  ", "WARNING:  ", "DEBUG:  "]
        .iter()
        .find_map(|label| line.strip_prefix(label))
        .unwrap_or(line);
    let fields = rest.strip_prefix("AUDIT: ")?;
    (fields.starts_with("SESSION,") || fields.starts_with("OBJECT,")).then_some(rest)
}

struct AuditLines {
    recorder: Recorder,
    sessions: Sessions,
    /// A record whose quotes are not closed.
    open: Option<(String, Place, usize)>,
}

impl Log for AuditLines {
    fn line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        if let Some((text, _, lines)) = &mut self.open {
            text.push('\n');
            text.push_str(line);
            *lines += 1;
            let whole = balanced(text);
            return match whole || *lines > MAX_LINES {
                true => self.close(out),
                false => ControlFlow::Continue(()),
            };
        }
        let Some(rest) = audit(line) else {
            if !line.trim().is_empty() {
                out.nothing();
            }
            return ControlFlow::Continue(());
        };
        self.open = Some((rest.to_owned(), place, 1));
        if balanced(rest) { self.close(out) } else { ControlFlow::Continue(()) }
    }

    fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        self.close(out)?;
        self.sessions.finish(out)
    }
}

/// Every quote is closed.
fn balanced(text: &str) -> bool {
    text.bytes().filter(|byte| *byte == b'"').count().is_multiple_of(2)
}

impl AuditLines {
    fn close(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        let Some((text, place, _)) = self.open.take() else { return ControlFlow::Continue(()) };
        if !balanced(&text) {
            out.issue(self.recorder.note(place, "an AUDIT line whose end is missing", ""))?;
        }
        let PgPlace { line, offset } = PgPlace { line: place.line, offset: place.offset };
        let cut = !balanced(&text);
        let entry = Entry { line, offset, severity: Severity::Log, message: &text, cut, ..Entry::default() };
        self.sessions.take(&entry, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[track_caller]
    fn check(log: &str, expected: &str) {
        let seen = read_all(&Pgaudit, "p.out", log.as_bytes());
        assert_eq!(seen.replace(" session=log actor=unknown: exec=yes", "").trim_end(), expected);
    }

    #[test]
    fn lines_of_one_statement_are_one_action() {
        check(
            "DELETE FROM a;\nNOTICE:  AUDIT: SESSION,4,1,WRITE,DELETE,TABLE,public.a,\"DELETE\nFROM a, b\",<none>\n\
             NOTICE:  AUDIT: OBJECT,4,1,WRITE,DELETE,TABLE,public.a,\"DELETE\nFROM a, b\",<none>\n\
             AUDIT: SESSION,5,1,FUNCTION,DO,,,DO $$ x $$,<none>\n\
             AUDIT: SESSION,5,2,WRITE,DELETE,TABLE,public.a,DELETE FROM a,<none>,3\n\
             AUDIT: OBJECT,5,2,WRITE,DELETE,TABLE,public.a,DELETE FROM a,<none>,3\n",
            "L2 sql \"DELETE\\nFROM a, b\" dialect=postgres\n\
             L6 sql \"DO $$ x $$\" dialect=postgres\n\
             L7 sql \"DELETE FROM a\" rows=3 dialect=postgres\n\
             nothing: 3",
        );
    }

    #[test]
    fn what_is_not_logged_is_a_gap() {
        check(
            "AUDIT: SESSION,4,1,DDL,DROP TABLE,TABLE,public.a,<not logged>,<not logged>\n",
            "L1 sql \"DROP TABLE public.a\" dialect=postgres gap=body-missing/target",
        );
    }
}
