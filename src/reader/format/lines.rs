//! One shell command a line, or one SQL statement with `--kind sql`; only ever with `--from lines`.
//!
//! `git push --force origin main`

use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::model::{Action, Actor, Kind, Outcome, Surroundings};
use crate::reader::record::{self, action_id, file_name};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from lines`.
#[derive(Clone, Copy, Debug)]
pub struct Lines;

impl Reader for Lines {
    fn name(&self) -> &'static str {
        "lines"
    }

    fn about(&self) -> &'static str {
        "one shell command a line, or one SQL statement with --kind sql; never detected, name it with --from"
    }

    /// Any text is lines of something: only the user can know that it is commands.
    fn detect(&self, _: &Sample<'_>) -> Match {
        Match::No
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let kind = source.options.kind.unwrap_or(Kind::Shell);
        let (file, session) = (file_name(&source.file), source.session());
        let actor = Arc::new(Actor { name: "unknown".to_owned(), ..Actor::default() });
        let surroundings =
            Arc::new(Surroundings { dialect: source.options.dialect.clone(), ..Surroundings::default() });
        let mut lines = record::Lines::new(input);
        while let Some(line) = lines.next_line()? {
            let text = String::from_utf8_lossy(line.bytes);
            let flow = if line.cut {
                out.issue(line.too_long(source))
            } else if !matches!(kind, Kind::Shell | Kind::Sql) {
                let advice = "use `--kind shell` or `--kind sql`, or write `--from actions` records";
                let _ = out.issue(line.lost(source, format!("a plain line cannot be of kind `{kind}`"), advice));
                ControlFlow::Break(())
            } else if text.trim().is_empty() {
                ControlFlow::Continue(())
            } else {
                let noted = match text {
                    std::borrow::Cow::Borrowed(_) => ControlFlow::Continue(()),
                    std::borrow::Cow::Owned(_) => out.issue(line.note(source, record::NOT_UTF8, "")),
                };
                let number = line.number.to_string();
                let id = [self.name(), file, &number, &text].map(str::as_bytes);
                let flow = out.action(Action {
                    id: action_id(&id),
                    time: None,
                    actor: actor.clone(),
                    session: session.clone(),
                    kind,
                    text: Arc::from(text),
                    argv: None,
                    tool: None,
                    arguments: None,
                    surroundings: surroundings.clone(),
                    outcome: Outcome::default(),
                    approved: false,
                    gaps: Vec::new(),
                    origin: line.origin(source, self.name()),
                });
                if noted.is_break() { noted } else { flow }
            };
            if flow.is_break() {
                return Ok(());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::Options;
    use crate::reader::collect::{read_all, read_with};

    #[track_caller]
    fn check(input: &[u8], expected: &str) {
        assert_eq!(read_all(&Lines, "ops.txt", input), expected);
    }

    #[test]
    fn every_line_is_a_command() {
        check(
            b"ls -l\r\n\n  rm -rf \"x y\"",
            "L1 shell \"ls -l\" session=ops.txt actor=unknown:unknown\n\
             L3 shell \"  rm -rf \\\"x y\\\"\" session=ops.txt actor=unknown:unknown\n",
        );
    }

    #[test]
    fn bytes_that_are_not_utf8_are_noted() {
        check(
            b"rm caf\xe9\n",
            "L1 note: not UTF-8; the odd bytes are shown as `\u{fffd}`\n\
             L1 shell \"rm caf\u{fffd}\" session=ops.txt actor=unknown:unknown\n",
        );
    }

    #[test]
    fn statements_with_the_dialect_the_user_said() {
        let options = Options { kind: Some(Kind::Sql), dialect: Some("mysql".to_owned()), ..Options::default() };
        assert_eq!(
            read_with(&Lines, "q.sql", b"DROP TABLE t", options),
            "L1 sql \"DROP TABLE t\" session=q.sql actor=unknown:unknown dialect=mysql\n",
        );
        let options = Options { kind: Some(Kind::Tool), ..Options::default() };
        assert_eq!(
            read_with(&Lines, "q.sql", b"x\ny\n", options),
            "L1 issue: a plain line cannot be of kind `tool` \
             (use `--kind shell` or `--kind sql`, or write `--from actions` records)\n",
        );
    }

    #[test]
    fn a_long_line_is_one_action() {
        let input = format!("echo {}\nls\n", "x".repeat(5 << 20));
        let seen = read_all(&Lines, "l", input.as_bytes());
        assert_eq!(seen.lines().count(), 2);
        assert!(seen.ends_with("L2 shell \"ls\" session=l actor=unknown:unknown\n"));
    }
}
