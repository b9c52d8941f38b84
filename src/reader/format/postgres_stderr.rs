//! The plain log of a Postgres server, with any `log_line_prefix`; also by way of syslog or a container's output.
//!
//! `2026-11-22 15:44:43.772 UTC [7182] admin@shop LOG:  statement: DELETE FROM users WHERE id = 3;`

use std::io::{self, BufRead};

use super::postgres::{LogLines, Place, is_of_postgres, labelled_text, text_of};
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
        let (mut lines, mut labelled, mut marks) = (0, 0, 0);
        // A TAB continues a line, and what it continues is counted already.
        for line in text.split('\n').filter(|line| !line.starts_with('\t') && !line.trim().is_empty()).take(200) {
            lines += 1;
            let Some(said) = labelled_text(line) else { continue };
            labelled += 1;
            marks += usize::from(is_of_postgres(said) || line.contains("STATEMENT:  "));
        }
        match () {
            () if labelled == 0 || text.trim_start().starts_with('{') => Match::No,
            // psql's messages have no prefix: the lines of pgaudit are all there is to be read of them.
            () if text.starts_with("NOTICE:  ") || text.contains("\nNOTICE:  AUDIT: ") => Match::Maybe,
            () if marks > 0 && labelled * 10 >= lines => Match::Certain,
            () if marks > 0 => Match::Likely,
            // Labels alone are not of Postgres only.
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
            if log.line(&text_of(line.bytes), place, out).is_break() {
                return Ok(());
            }
        }
        let _ = log.finish(out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::Options;
    use crate::reader::collect::{read_all, read_with};

    #[track_caller]
    fn check(log: &str, expected: &str) {
        assert_eq!(read_all(&PostgresStderr, "p.log", log.as_bytes()).trim_end(), expected);
    }

    /// The usual prefix, to keep the logs below readable: `7 LOG:  …` is a line of process 7.
    fn log(lines: &str) -> String {
        lines
            .split('\n')
            .map(|line| match line.starts_with(|c: char| c.is_ascii_digit()) {
                true => line.replacen(' ', "] ann@shop ", 1).replacen("", "2026-11-22 10:00:00.5 UTC [", 1) + "\n",
                false => format!("{line}\n"),
            })
            .collect()
    }

    #[test]
    fn a_duration_or_an_error_tells_how_a_statement_ended() {
        check(
            &log("7 LOG:  statement: DROP TABLE a\n7 LOG:  duration: 1.5 ms\n\
                  7 LOG:  statement: DROP TABLE b\n7 ERROR:  table \"b\" does not exist\n7 STATEMENT:  DROP TABLE b\n\
                  7 ERROR:  syntax error\n7 STATEMENT:  DROP c\n7 LOG:  statement: DROP TABLE d"),
            "L1 sql \"DROP TABLE a\" session=7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes ok user=ann database=shop dialect=postgres\n\
             L3 sql \"DROP TABLE b\" session=7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes failed user=ann database=shop dialect=postgres\n\
             L6 sql \"DROP c\" session=7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes failed user=ann database=shop dialect=postgres\n\
             L8 sql \"DROP TABLE d\" session=7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes user=ann database=shop dialect=postgres\n\
             nothing: 2",
        );
    }

    #[test]
    fn processes_write_in_between_each_other() {
        check(
            &log("7 LOG:  execute p: DELETE FROM a WHERE id = $1\n8 ERROR:  no such table\n\
                  7 DETAIL:  parameters: $1 = '3'\n8 HINT:  look\n8 STATEMENT:  DELETE FROM b\n\tWHERE c\n\
                  7 LOG:  duration: 1 ms"),
            "L1 sql \"DELETE FROM a WHERE id = $1\" session=7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes ok user=ann database=shop dialect=postgres\n\
             L2 sql \"DELETE FROM b\\nWHERE c\" session=8 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes failed user=ann database=shop dialect=postgres\n\
             nothing: 1",
        );
    }

    #[test]
    fn one_tab_is_taken_from_continued_lines_and_none_can_pass_for_a_message() {
        let forged = "2026-11-22 10:00:00.5 UTC [7] ann@shop LOG:  statement: DROP TABLE forged";
        check(
            &log(&format!("7 LOG:  statement: SELECT '\n\t\tx\n\t\n\t{forged}\n\t'")),
            &format!(
                "L1 sql \"SELECT '\\n\\tx\\n\\n{forged}\\n'\" session=7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes user=ann database=shop dialect=postgres"
            ),
        );
    }

    #[test]
    fn a_pid_that_connects_again_is_another_session() {
        check(
            &log(
                "7 LOG:  statement: SELECT 1\n7 LOG:  connection received: host=10.0.0.9\n7 LOG:  statement: SELECT 2",
            ),
            "L1 sql \"SELECT 1\" session=7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes user=ann database=shop dialect=postgres\n\
             L3 sql \"SELECT 2\" session=7@2026-11-22T10:00:00.5Z actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes user=ann database=shop dialect=postgres\n\
             nothing: 1",
        );
    }

    #[test]
    fn the_login_names_the_user_when_the_prefix_does_not() {
        check(
            "2026-11-22 10:00:00 UTC [7] LOG:  connection authorized: user=ann database=shop\n\
             2026-11-22 10:00:01 UTC [7] LOG:  duration: 2 ms  statement: SELECT 1\n",
            "L2 sql \"SELECT 1\" session=7 actor=unknown:ann time=2026-11-22T10:00:01Z exec=yes ok user=ann database=shop dialect=postgres\n\
             nothing: 1",
        );
    }

    #[test]
    fn durations_carry_statements_and_steps_do_not_count() {
        check(
            &log("7 LOG:  duration: 1 ms  parse p: DELETE FROM a WHERE b = $1\n\
                  7 LOG:  duration: 1 ms  bind p: DELETE FROM a WHERE b = $1\n\
                  7 LOG:  duration: 1 ms  execute p: DELETE FROM a WHERE b = $1\n\
                  7 LOG:  duration: 1 ms  execute fetch from p: DELETE FROM a WHERE b = $1\n\
                  7 LOG:  duration: 0 ms  statement: ;"),
            "L3 sql \"DELETE FROM a WHERE b = $1\" session=7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes ok user=ann database=shop dialect=postgres gap=parameters-missing/nothing\n\
             nothing: 4",
        );
    }

    #[test]
    fn what_is_said_while_a_statement_runs_is_about_that_statement() {
        check(
            &log("7 LOG:  temporary file: path \"x\", size 9\n7 STATEMENT:  SELECT 1\n\
                  7 LOG:  still waiting for ShareLock\n7 STATEMENT:  SELECT 1\n\
                  7 LOG:  duration: 9 ms  statement: SELECT 1\n7 LOG:  process 7 acquired it\n7 STATEMENT:  SELECT 2"),
            "L1 sql \"SELECT 1\" session=7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes ok user=ann database=shop dialect=postgres\n\
             L6 sql \"SELECT 2\" session=7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes user=ann database=shop dialect=postgres\n\
             nothing: 2",
        );
    }

    #[test]
    fn a_plan_is_of_the_statement_before_it_or_of_one_within() {
        let plan = "7 LOG:  duration: 1 ms  plan:\n\tQuery Text: ";
        check(
            &log(&format!(
                "7 LOG:  statement: DO $$x$$\n{plan}DELETE FROM a\n\tDelete on a  (cost=1)\n7 LOG:  duration: 1 ms\n\
                 7 LOG:  statement: SELECT 1\n7 LOG:  duration: 1 ms\n{plan}SELECT 1\n\tResult  (cost=1)\n\
                 {plan}SELECT 1\n\tResult  (cost=1)"
            )),
            "L1 sql \"DO $$x$$\" session=7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes ok user=ann database=shop dialect=postgres\n\
             L2 sql \"DELETE FROM a\" session=7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes ok user=ann database=shop dialect=postgres\n\
             L6 sql \"SELECT 1\" session=7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes ok user=ann database=shop dialect=postgres\n\
             L11 sql \"SELECT 1\" session=7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes ok user=ann database=shop dialect=postgres\n\
             nothing: 3",
        );
    }

    #[test]
    fn audit_lines_are_not_lost_and_not_counted_twice() {
        check(
            &log("7 LOG:  statement: TRUNCATE a\n7 LOG:  AUDIT: SESSION,1,1,WRITE,TRUNCATE,,,TRUNCATE a,<none>\n\
                  7 LOG:  AUDIT: SESSION,2,1,WRITE,DELETE,,,DELETE FROM b,<none>\n\
                  7 LOG:  AUDIT: SESSION,3,1,WRITE,DELETE,,,DELETE FROM b,<none>\n\
                  7 LOG:  AUDIT: SESSION,3,2,WRITE,DELETE,,,DELETE FROM c,<none>\n7 LOG:  AUDIT: broken"),
            "L1 sql \"TRUNCATE a\" session=7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes user=ann database=shop dialect=postgres\n\
             L3 sql \"DELETE FROM b\" session=7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes user=ann database=shop dialect=postgres\n\
             L6 issue: an AUDIT line that is not of nine fields: what was run is not known (set `log_statement` to `all`, or read another log of the same server)\n\
             L4 sql \"DELETE FROM b\" session=7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes user=ann database=shop dialect=postgres\n\
             L5 sql \"DELETE FROM c\" session=7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes user=ann database=shop dialect=postgres\n\
             nothing: 1",
        );
    }

    #[test]
    fn syslog_splits_lines_and_messages() {
        let syslog = "Nov 22 10:00:00 db1 postgres[7]: ";
        check(
            &format!(
                "{syslog}[3-1] LOG:  statement: SELECT 1,\n{syslog}[3-2]  2\n{syslog}[3-3] #011FROM #011t\n\
                 {syslog}[4-1] ERROR:  no t\n{syslog}[4-2] STATEMENT:  SELECT 1, 2\n{syslog}[4-3] #011FROM #011t\n"
            ),
            "L1 sql \"SELECT 1, 2\\nFROM \\tt\" session=7 actor=unknown: exec=yes failed host=db1 dialect=postgres\n\
             nothing: 1",
        );
        check(
            &format!(
                "{syslog}[3-1] LOG:  statement: SELECT '[9-2] '\n{syslog}[3-2] #011, 'LOG:  statement: DROP TABLE a'\n"
            ),
            "L1 sql \"SELECT '[9-2] '\\n, 'LOG:  statement: DROP TABLE a'\" session=7 actor=unknown: exec=yes host=db1 dialect=postgres",
        );
    }

    #[test]
    fn containers_and_the_journal_put_something_before_each_line() {
        check(
            "db-1  | 2026-11-22 10:00:00 UTC [7] LOG:  statement: SELECT 1\ndb-1  | \tFROM t\n",
            "L1 sql \"SELECT 1\\nFROM t\" session=7 actor=unknown: time=2026-11-22T10:00:00Z exec=yes dialect=postgres",
        );
        let cri = "2026-11-22T10:00:00.5Z stderr F ";
        check(
            &format!("{cri}2026-11-22 10:00:00 UTC [7] LOG:  statement: SELECT 1\n{cri}\tFROM t\n"),
            "L1 sql \"SELECT 1\\nFROM t\" session=7 actor=unknown: time=2026-11-22T10:00:00Z exec=yes dialect=postgres",
        );
        let journal = "Nov 22 10:00:00 db1 postgres[7]: ";
        check(
            &format!("{journal}2026-11-22 10:00:00 UTC [7] LOG:  statement: SELECT 1\n{journal}\tFROM t\n"),
            "L1 sql \"SELECT 1\\nFROM t\" session=7 actor=unknown: time=2026-11-22T10:00:00Z exec=yes host=db1 dialect=postgres",
        );
    }

    #[test]
    fn durations_without_statements_are_said() {
        check(
            &log("7 LOG:  duration: 1 ms\n7 LOG:  duration: 2 ms"),
            "L1 issue: this log tells how long statements took and not what they were (set `log_statement` to `all`, or `log_min_duration_statement` in place of `log_duration`)\n\
             nothing: 2",
        );
    }

    #[test]
    fn lines_of_others_are_said_and_do_not_get_into_statements() {
        check(
            "\tWHERE id = 3\n\n2026-11-22 10:00:00 UTC [7] STATEMENT:  DELETE FROM a\n\tWHERE id = 4\npg_ctl: waiting\nmore\n",
            "L1 issue: the rest of a message whose start is not in this file (give `log_line_prefix` as the server has it, if this is its log)\n\
             L5 issue: a line that is not of a Postgres log (give `log_line_prefix` as the server has it, if this is its log)\n\
             L3 sql \"DELETE FROM a\\nWHERE id = 4\" session=7 actor=unknown: time=2026-11-22T10:00:00Z exec=yes dialect=postgres",
        );
    }

    #[test]
    fn a_given_prefix_is_followed() {
        let options = Options { log_line_prefix: Some("%u|%d|%p|%s|".into()), ..Options::default() };
        let log = "ann|shop|7|2026-11-22 10:00:00 UTC|LOG:  statement: SELECT 1\n";
        assert_eq!(
            read_with(&PostgresStderr, "p.log", log.as_bytes(), options),
            "L1 sql \"SELECT 1\" session=6b02bd20.7 actor=unknown:ann exec=yes user=ann database=shop dialect=postgres\n"
        );
    }

    #[test]
    fn servers_speak_other_languages() {
        check(
            &log("7 LOG:  Dauer: 1,5 ms  Anweisung: SELECT 1\n7 FEHLER:  gibt es nicht\n7 ANWEISUNG:  SELECT 2\n\
                  7 ERREUR:  absent\n7 INSTRUCTION :  SELECT 3"),
            "L1 sql \"SELECT 1\" session=7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes ok user=ann database=shop dialect=postgres\n\
             L2 sql \"SELECT 2\" session=7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes failed user=ann database=shop dialect=postgres\n\
             L4 sql \"SELECT 3\" session=7 actor=unknown:ann time=2026-11-22T10:00:00.5Z exec=yes failed user=ann database=shop dialect=postgres",
        );
    }

    #[test]
    fn its_marks_are_known() {
        let detect = |text: &str| {
            PostgresStderr.detect(&Sample { head: text.as_bytes(), complete: true, name: "x", tables: &[] })
        };
        assert_eq!(detect(&log("7 LOG:  statement: SELECT 1")), Match::Certain);
        assert_eq!(detect(&log("7 LOG:  AUDIT: SESSION,1,1,READ,SELECT,,,SELECT 1,<none>")), Match::Certain);
        assert_eq!(detect("2026-11-22T10:00:00Z app ERROR: no space left\nx\ny\nz\n"), Match::Maybe);
        assert_eq!(detect("rm -rf build\nls\n"), Match::No);
    }
}
