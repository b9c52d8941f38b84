//! Transcripts of PowerShell sessions: `Start-Transcript`, or the policy that turns it on for everybody.
//!
//! `PS C:\Users\ann> Remove-Item .\old`, with what was answered below it.

use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::sync::Arc;

use super::postgres::read_time;
use crate::model::{ActorKind, Executed, Outcome, Timestamp};
use crate::reader::recorder::{Found, Log, Place, Recorder, read_lines, some};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from powershell_transcript`
#[derive(Clone, Copy, Debug)]
pub struct PowershellTranscript;

const STARS: &str = "**********************";

impl Reader for PowershellTranscript {
    fn name(&self) -> &'static str {
        "powershell_transcript"
    }

    fn about(&self) -> &'static str {
        "PowerShell transcripts (PowerShell_transcript.*.txt), in any language"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let head = String::from_utf8_lossy(sample.head);
        let mut lines = head.lines();
        let stars = lines.next().is_some_and(|line| line.trim() == STARS);
        let named = lines.next().is_some_and(|line| line.contains("PowerShell"));
        let versions = head.lines().take(40).any(|line| line.starts_with("PSVersion: "));
        if stars && named && (versions || !sample.complete) { Match::Certain } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut transcript = Transcript {
            recorder: Recorder::new(source, self.name()),
            part: Part::Text,
            header: 0,
            user: String::new(),
            host: String::new(),
            time: None,
            open: None,
            answer: String::new(),
        };
        read_lines(&mut transcript, input, source, out)
    }
}

/// Where in the file we are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Text,
    /// Between two rows of stars.
    Header,
}

struct Transcript {
    recorder: Recorder,
    part: Part,
    /// Lines of the header so far.
    header: usize,
    user: String,
    host: String,
    time: Option<Timestamp>,
    open: Option<Command>,
    answer: String,
}

/// A command whose answer is being read.
struct Command {
    text: String,
    cwd: String,
    place: Place,
    time: Option<Timestamp>,
    /// Still at its `>> ` lines.
    typing: bool,
}

/// `20220721023749`, local time of the machine.
fn stamp(text: &str) -> Option<Timestamp> {
    let digits = text.trim();
    if digits.len() != 14 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or("");
    let text =
        format!("{}-{}-{} {}:{}:{} UTC", part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 12), part(12, 14));
    read_time(&text).map(|read| read.time)
}

/// What follows the prompt, and the folder in it.
fn prompt(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("PS")?;
    if let Some(command) = rest.strip_prefix('>') {
        return Some(("", command.trim_start()));
    }
    let rest = rest.strip_prefix(' ')?;
    let end = rest.find('>')?;
    let cwd = rest[..end].trim_end();
    // A folder, and not a sentence that begins with these letters.
    let folder =
        cwd.is_empty() || cwd.get(1..2) == Some(":") || cwd.starts_with(['/', '\\', '~']) || cwd.contains(":\\");
    folder.then(|| (cwd, rest[end + 1..].trim_start()))
}

impl Log for Transcript {
    fn line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        if line.trim_end() == STARS {
            self.part = if self.part == Part::Text { Part::Header } else { Part::Text };
            self.header = 0;
            return if self.part == Part::Header { self.close(out) } else { ControlFlow::Continue(()) };
        }
        if self.part == Part::Header {
            return self.header_line(line, place, out);
        }
        if let Some((cwd, text)) = prompt(line) {
            self.close(out)?;
            let own = text.is_empty()
                || ["CommandInvocation(", "ParameterBinding(", "TerminatingError("]
                    .iter()
                    .any(|own| text.starts_with(own));
            if own {
                out.nothing();
            } else {
                let (text, cwd) = (text.to_owned(), cwd.replace('\\', "/"));
                self.open = Some(Command { text, cwd, place, time: self.time, typing: true });
            }
            return ControlFlow::Continue(());
        }
        if let Some(open) = &mut self.open {
            match line.strip_prefix(">> ") {
                Some(more) if open.typing && !more.contains("(): ") && !more.starts_with("CommandInvocation(") => {
                    open.text.push('\n');
                    open.text.push_str(more);
                }
                _ => {
                    open.typing = false;
                    if self.answer.len() < Outcome::MAX_OUTPUT * 2 {
                        self.answer.push_str(line);
                        self.answer.push('\n');
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        self.close(out)
    }
}

impl Transcript {
    /// The lines of a header are in the language of the machine, and always in this order.
    fn header_line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        self.header += 1;
        let value = line.split_once(": ").or_else(|| line.split_once(':')).map_or("", |(_, value)| value.trim());
        match self.header {
            1 | 2 if stamp(value).is_some() => {
                self.time = stamp(value);
                self.recorder.zone_note(place, out)?;
            }
            3 => self.user = value.to_owned(),
            6 => self.host = value.split(" (").next().unwrap_or("").to_owned(),
            _ => {}
        }
        // A program that was started with its commands: they are in this line only.
        if self.header == 7
            && let Some((_, command)) = split_command(value)
        {
            let time = self.time;
            self.open = Some(Command { text: command.to_owned(), cwd: String::new(), place, time, typing: false });
            return self.close(out);
        }
        ControlFlow::Continue(())
    }

    fn close(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        let answer = std::mem::take(&mut self.answer);
        let Some(command) = self.open.take() else { return ControlFlow::Continue(()) };
        let argv = vec!["powershell".to_owned(), "-Command".to_owned(), command.text];
        let mut found = Found::exec(argv, command.place);
        found.time = command.time;
        found.by(&self.user, ActorKind::Unknown);
        found.surroundings.user = some(&self.user);
        found.surroundings.host = some(&self.host);
        found.surroundings.cwd = some(&command.cwd);
        found.outcome.executed = Executed::Yes;
        let answer = answer.trim_end();
        found.outcome.output = (!answer.is_empty()).then(|| -> Arc<str> { Outcome::kept(answer) });
        out.action(self.recorder.action(found))
    }
}

/// `powershell.exe -NoProfile -Command Get-Date`: the flag, and what follows it.
fn split_command(line: &str) -> Option<(&str, &str)> {
    let lower = line.to_ascii_lowercase();
    let flag = [" -command ", " -c "].iter().find(|flag| lower.contains(**flag))?;
    let at = lower.find(flag)?;
    // Lower case of ASCII keeps every byte in its place.
    Some((line.get(..at)?, line.get(at + flag.len()..)?.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::{outputs, read_all};

    const LOG: &str = "**********************\nWindows PowerShell transcript start\nStart time: 20260721023749\n\
        Username: LAB\\ann\nRunAs User: LAB\\ann\nConfiguration Name:\nMachine: LAB1 (Microsoft Windows NT 10.0)\n\
        Host Application: powershell.exe\nPSVersion: 5.1\n**********************\n\
        PS C:\\work> Get-ChildItem |\n>> Select-Object Name\nname\n\nPS C:\\work>\nPS>TerminatingError(): \"x\"\n\
        **********************\nCommand start time: 20260721030000\n**********************\nPS>hostname\nLAB1\n\
        PS said nothing > here\n**********************\nWindows PowerShell transcript end\nEnd time: 20260721040000\n**********************\n";

    #[test]
    fn commands_and_their_answers() {
        assert_eq!(
            read_all(&PowershellTranscript, "t.txt", LOG.as_bytes()).trim_end(),
            "L3 note: the time zone of this log is not known, its times are read as UTC\n\
             L11 exec \"powershell -Command 'Get-ChildItem |\\nSelect-Object Name'\" argv=[\"powershell\", \"-Command\", \"Get-ChildItem |\\nSelect-Object Name\"] session=t.txt actor=unknown:LAB\\ann time=2026-07-21T02:37:49Z exec=yes cwd=C:/work host=LAB1 user=LAB\\ann\n\
             L20 exec \"powershell -Command hostname\" argv=[\"powershell\", \"-Command\", \"hostname\"] session=t.txt actor=unknown:LAB\\ann time=2026-07-21T03:00:00Z exec=yes host=LAB1 user=LAB\\ann\n\
             nothing: 2"
        );
        assert_eq!(outputs(&PowershellTranscript, "t.txt", LOG.as_bytes()), ["name", "LAB1\nPS said nothing > here"]);
    }
}
