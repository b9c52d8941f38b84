//! The log of Santa, which allows and denies programs on macOS: `/var/db/santa/santa.log`.
//!
//! `[2026-01-05T09:00:00.000Z] I santad: action=EXEC|decision=ALLOW|…|path=/bin/rm|args=rm -r x|pid=7|uid=501|user=ada`

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use super::postgres::read_time;
use super::sudo::words;
use crate::model::{ActorKind, Executed, GapKind, Hides};
use crate::reader::recorder::{Found, Log, Place, Recorder, read_lines, some};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from santa`
#[derive(Clone, Copy, Debug)]
pub struct Santa;

impl Reader for Santa {
    fn name(&self) -> &'static str {
        "santa"
    }

    fn about(&self) -> &'static str {
        "Santa on macOS (/var/db/santa/santa.log): programs that ran, and those it denied"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let text = String::from_utf8_lossy(sample.head);
        let of_santa = |line: &str| message(line).is_some_and(|(_, message)| message.starts_with("action="));
        if text.lines().take(20).any(of_santa) { Match::Certain } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        read_lines(&mut SantaLog { recorder: Recorder::new(source, self.name()) }, input, source, out)
    }
}

/// The time and the fields of a line.
fn message(line: &str) -> Option<(&str, &str)> {
    let (head, message) = line.split_once(" santad: ")?;
    let time = head.strip_prefix('[')?.split(']').next()?;
    Some((time, message))
}

struct SantaLog {
    recorder: Recorder,
}

impl Log for SantaLog {
    fn line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        if line.trim().is_empty() {
            return ControlFlow::Continue(());
        }
        let Some((time, message)) = message(line) else {
            // The system drops what a process logs too fast, and says so in the log.
            if line.contains("MESSAGES FROM THIS PROCESS HAVE BEEN DISCARDED") {
                out.nothing();
                let problem = "the system discarded messages here: programs may have run that are not in this log";
                return out.issue(self.recorder.note(place, problem, ""));
            }
            return out.issue(self.recorder.lost(place, "not a line of Santa's log", ""));
        };
        let fields: HashMap<&str, &str> = message.split('|').filter_map(|field| field.split_once('=')).collect();
        let field = |name: &str| fields.get(name).map_or("", |value| value.trim());
        // Disks, and files that were changed: no program was started.
        if field("action") != "EXEC" || field("path").is_empty() {
            out.nothing();
            return ControlFlow::Continue(());
        }
        // The first word is what the caller says; the path is what was started.
        let mut argv = vec![plain(field("path"))];
        argv.extend(words(&plain(field("args"))).into_iter().skip(1));
        let denied = field("decision") == "DENY";
        let mut found = Found::exec(argv, place);
        if !fields.contains_key("args") && !denied {
            found.lacks(GapKind::ParametersMissing, Hides::Anything, "arguments");
        }
        if !fields.contains_key("uid") {
            found.lacks(GapKind::Truncated, Hides::Anything, "the line breaks off");
        }
        found.time = read_time(time).map(|read| read.time);
        found.session = plain(field("user"));
        let daemon = field("uid") != "0" && field("user").starts_with('_');
        found.by(plain(field("user")), if daemon { ActorKind::Service } else { ActorKind::Unknown });
        found.surroundings.user = some(&plain(field("user")));
        found.surroundings.host = some(field("machineid"));
        found.outcome.executed = if denied { Executed::No } else { Executed::Yes };
        out.action(self.recorder.action(found))
    }
}

/// What Santa writes for the sign that parts its fields, and for line ends.
fn plain(value: &str) -> String {
    value.replace("<pipe>", "|").replace("\\n", "\n").replace("\\r", "\r")
}

#[cfg(test)]
mod tests {
    use super::Santa;
    use crate::reader::collect::read_all;

    #[test]
    fn programs() {
        let seen = read_all(
            &Santa,
            "santa.log",
            b"[2026-01-05T09:00:00.5Z] I santad: action=EXEC|decision=ALLOW|path=/bin/rm|args=rm -r a<pipe>b|uid=501|user=ada\n\
              [2026-01-05T09:00:01.5Z] I santad: action=EXEC|decision=DENY|path=/tmp/x|uid=501|user=ada\n\
              [2026-01-05T09:00:01.5Z] I santad: action=DELETE|path=/tmp/y|process=rm\n[2026-01",
        );
        assert_eq!(
            seen.trim_end(),
            "L1 exec \"/bin/rm -r 'a|b'\" argv=[\"/bin/rm\", \"-r\", \"a|b\"] session=ada actor=unknown:ada \
             time=2026-01-05T09:00:00.5Z exec=yes user=ada\n\
             L2 exec \"/tmp/x\" argv=[\"/tmp/x\"] session=ada actor=unknown:ada time=2026-01-05T09:00:01.5Z exec=no user=ada\n\
             L4 issue: not a line of Santa's log\n\
             nothing: 1"
        );
    }
}
