//! apt's own history, `/var/log/apt/history.log`: what was typed, who asked for it, how it ended.
//!
//! `Start-Date: 2026-01-05  09:00:00`, then `Commandline: apt-get install nginx`, then `End-Date: …`

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use super::postgres::read_time;
use crate::model::{ActorKind, Executed};
use crate::reader::recorder::{Found, Log, Place, Recorder, read_lines};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from apt_history`
#[derive(Clone, Copy, Debug)]
pub struct AptHistory;

impl Reader for AptHistory {
    fn name(&self) -> &'static str {
        "apt_history"
    }

    fn about(&self) -> &'static str {
        "apt's history (/var/log/apt/history.log*): its command lines, who asked, how they ended"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let text = String::from_utf8_lossy(sample.head);
        let begins = |field: &str| text.lines().take(100).any(|line| line.starts_with(field));
        match (begins("Start-Date: "), begins("Commandline: ") || begins("End-Date: ")) {
            (true, true) => Match::Certain,
            _ => Match::No,
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut log = History { recorder: Recorder::new(source, self.name()), open: None };
        read_lines(&mut log, input, source, out)
    }
}

/// One run of apt.
#[derive(Debug, Default)]
struct Run {
    place: Place,
    start: String,
    command: String,
    by: String,
    failed: bool,
    ended: bool,
}

struct History {
    recorder: Recorder,
    open: Option<Run>,
}

/// What a run of apt says besides what is read here.
const FIELDS: &[&str] =
    &["Install", "Upgrade", "Downgrade", "Reinstall", "Remove", "Purge", "Disappeared", "Comment", "Requested-By"];

impl Log for History {
    fn line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        if line.trim().is_empty() {
            return self.finish(out);
        }
        let Some((field, value)) = line.split_once(": ").map(|(field, value)| (field, value.trim())) else {
            return out.issue(self.recorder.lost(place, "not a line of apt's history", ""));
        };
        if field == "Start-Date" {
            self.finish(out)?;
            self.open = Some(Run { place, start: value.to_owned(), ..Run::default() });
            return ControlFlow::Continue(());
        }
        let run = self.open.get_or_insert_with(|| Run { place, ..Run::default() });
        match field {
            "Commandline" => value.clone_into(&mut run.command),
            // `alice (1000)`
            "Requested-By" => value.split(" (").next().unwrap_or(value).clone_into(&mut run.by),
            "Error" => run.failed = true,
            "End-Date" => run.ended = true,
            _ if FIELDS.contains(&field) => {}
            _ => return out.issue(self.recorder.lost(place, "not a line of apt's history", "")),
        }
        ControlFlow::Continue(())
    }

    fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        let Some(run) = self.open.take() else { return ControlFlow::Continue(()) };
        if run.command.is_empty() {
            out.nothing();
            return ControlFlow::Continue(());
        }
        // `2026-01-05  09:00:00`: with two blanks.
        let time = read_time(&run.start.split_whitespace().collect::<Vec<_>>().join(" "));
        if time.is_some() {
            self.recorder.zone_note(run.place, out)?;
        }
        let mut found = Found::shell(run.command, run.place);
        found.time = time.map(|read| read.time);
        found.session.clone_from(&run.by);
        found.by(run.by, ActorKind::Unknown);
        found.outcome.executed = Executed::Yes;
        found.outcome.succeeded = match (run.failed, run.ended) {
            (true, _) => Some(false),
            (false, true) => Some(true),
            (false, false) => None,
        };
        out.action(self.recorder.action(found))
    }
}

#[cfg(test)]
mod tests {
    use super::AptHistory;
    use crate::reader::collect::read_all;

    #[test]
    fn runs() {
        let seen = read_all(
            &AptHistory,
            "history.log",
            b"\nStart-Date: 2026-01-05  09:00:00\nCommandline: apt-get install nginx\nRequested-By: ada (1000)\n\
              Install: nginx:amd64 (1.22)\nEnd-Date: 2026-01-05  09:00:09\n\n\
              Start-Date: 2026-01-06  09:00:00\nInstall: x:amd64 (1)\nEnd-Date: 2026-01-06  09:00:09\n\
              Start-Date: 2026-01-07  09:00:00\nCommandline: apt purge x\nError: Sub-process failed\nhalf a li",
        );
        assert_eq!(
            seen.trim_end(),
            "L2 note: the time zone of this log is not known, its times are read as UTC\n\
             L2 shell \"apt-get install nginx\" session=ada actor=unknown:ada time=2026-01-05T09:00:00Z exec=yes ok\n\
             L14 issue: not a line of apt's history\n\
             L11 shell \"apt purge x\" session=history.log actor=unknown: time=2026-01-07T09:00:00Z exec=yes failed\n\
             nothing: 1"
        );
    }
}
