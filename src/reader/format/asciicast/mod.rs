//! Recordings of a terminal (asciinema, Terminal-Bench): what was typed and shown on the screen, and the commands in an
//! agent's answers. All of it is a guess from a screen, and every action says so.
//!
//! `{"version":2,"width":80,"height":24,"timestamp":1700000000}`, then `[1.5,"o","$ ls\r\n"]`

mod screen;

use std::collections::VecDeque;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde_json::Value;

use self::screen::{Keys, Screen, Shown};
use crate::model::{ActorKind, Executed, GapKind, Hides, Timestamp};
use crate::reader::recorder::{Found, Log, Place, Recorder, read_lines};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from asciicast`
#[derive(Clone, Copy, Debug)]
pub struct Asciicast;

impl Reader for Asciicast {
    fn name(&self) -> &'static str {
        "asciicast"
    }

    fn about(&self) -> &'static str {
        "asciinema recordings, versions 2 and 3 (*.cast), also of Terminal-Bench: typed and shown lines, agents' blocks"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let text = String::from_utf8_lossy(sample.head);
        match text.lines().find(|line| !line.trim().is_empty()).and_then(header) {
            Some(_) => Match::Certain,
            None => Match::No,
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let cast = Cast {
            recorder: Recorder::new(source, self.name()),
            header: None,
            at: 0.0,
            screen: Screen::default(),
            keys: Keys::default(),
            turn: Turn::default(),
            waiting: VecDeque::new(),
            acts: 0,
        };
        read_lines(&mut { cast }, input, source, out)
    }
}

/// The first line: version, start and width.
#[derive(Clone, Copy, Debug)]
struct Header {
    version: u64,
    start: Option<f64>,
    columns: usize,
}

fn header(line: &str) -> Option<Header> {
    let value: Value = line.starts_with('{').then(|| serde_json::from_str(line).ok()).flatten()?;
    let version = value.get("version")?.as_u64().filter(|version| matches!(version, 2 | 3))?;
    let columns = value.get("width").or_else(|| value.pointer("/term/cols"))?.as_u64()?;
    let start = value.get("timestamp").and_then(Value::as_f64);
    Some(Header { version, start, columns: usize::try_from(columns).ok()? })
}

/// Whose words the screen shows, where an agent's own program labels them.
#[derive(Debug, Default)]
struct Turn {
    agent: bool,
    /// The block that is open, and where its fence stands.
    block: Option<(String, Place)>,
}

struct Cast {
    recorder: Recorder,
    header: Option<Header>,
    /// Seconds since the start.
    at: f64,
    screen: Screen,
    keys: Keys,
    turn: Turn,
    /// Commands of an agent whose exit code may follow.
    waiting: VecDeque<Found>,
    /// Handed out so far.
    acts: u64,
}

const GUESSED: &str = "read off the screen of a recording";

impl Log for Cast {
    fn line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        // Version 3 has comments.
        if line.trim().is_empty() || line.starts_with('#') {
            return ControlFlow::Continue(());
        }
        let Some(known) = self.header else {
            self.header = header(line);
            if self.header.is_none() {
                return out.issue(self.recorder.lost(place, "not the header of an asciicast", ""));
            }
            out.nothing();
            return ControlFlow::Continue(());
        };
        let event: Option<(f64, String, Value)> = serde_json::from_str(line).ok();
        let Some((time, code, data)) = event else {
            return out.issue(self.recorder.lost(place, "not an event of an asciicast", ""));
        };
        self.at = if known.version == 3 { self.at + time } else { time };
        let data = data.as_str().unwrap_or("");
        let before = self.acts;
        let flow = self.event(&code, data, place, known, out);
        // An event that ends a line and with it an act is that act's record.
        if self.acts == before {
            out.nothing();
        }
        flow
    }

    fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        while let Some(found) = self.waiting.pop_front() {
            self.act(found, out)?;
        }
        ControlFlow::Continue(())
    }
}

impl Cast {
    fn act(&mut self, found: Found, out: &mut dyn Out) -> ControlFlow<()> {
        self.acts += 1;
        out.action(self.recorder.action(found))
    }

    fn event(&mut self, code: &str, data: &str, place: Place, known: Header, out: &mut dyn Out) -> ControlFlow<()> {
        match code {
            "o" => {
                for shown in self.screen.show(data, place) {
                    self.shown(shown, known, out)?;
                }
            }
            "i" if !self.screen.is_full_screen() => self.keys.press(data, place),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    /// A whole line stands on the screen.
    fn shown(&mut self, shown: Shown, header: Header, out: &mut dyn Out) -> ControlFlow<()> {
        // What is typed is kept only where the screen shows it: a password has no echo.
        if let Some((typed, place)) = self.keys.echoed(&shown.text) {
            let mut found = self.found(typed, place, header);
            found.outcome.executed = Executed::Unknown;
            self.finish(out)?;
            return self.act(found, out);
        }
        let line = shown.text.trim_end();
        if let Some((block, place)) = &mut self.turn.block {
            if line.starts_with("```") {
                let (text, place) = (std::mem::take(block), *place);
                self.turn.block = None;
                return self.block(text.trim_end_matches('\n'), place, header, out);
            }
            block.push_str(line);
            block.push('\n');
            return ControlFlow::Continue(());
        }
        if speaks(line, &["User:", "System:", "user:", "system:", "Observation:"]) {
            self.turn.agent = false;
        } else if speaks(line, &["Assistant:", "assistant:", "Agent:", "agent:"]) || is_step(line) {
            self.turn.agent = true;
        } else if self.turn.agent && matches!(line, "```bash" | "```sh" | "```shell") {
            self.turn.block = Some((String::new(), shown.place));
        } else if let Some(code) = line.strip_prefix("<returncode>").and_then(|rest| rest.split('<').next())
            && let (Ok(code), Some(found)) = (code.parse::<i32>(), self.waiting.front_mut())
        {
            found.outcome.executed = Executed::Yes;
            found.outcome.exit_code = Some(code);
            found.outcome.succeeded = Some(code == 0);
            return self.finish(out);
        }
        ControlFlow::Continue(())
    }

    /// A command in an agent's answer.
    fn block(&mut self, text: &str, place: Place, header: Header, out: &mut dyn Out) -> ControlFlow<()> {
        self.finish(out)?;
        if text.trim().is_empty() {
            return ControlFlow::Continue(());
        }
        let mut found = self.found(text.to_owned(), place, header);
        found.by("agent", ActorKind::Agent);
        if header.columns > 0 && text.lines().any(|line| line.chars().count() + 1 >= header.columns) {
            found.lacks(GapKind::Truncated, Hides::Target, "the screen broke a long line in two");
        }
        self.waiting.push_back(found);
        ControlFlow::Continue(())
    }

    fn found(&self, text: String, place: Place, header: Header) -> Found {
        let mut found = Found::shell(text, place);
        let micros = header.start.map(|start| (start + self.at) * 1_000_000.0);
        found.time = micros.filter(|micros| micros.abs() < 9e15).map(|micros| Timestamp(micros as i64));
        found.lacks(GapKind::BodyMissing, Hides::Nothing, GUESSED);
        found
    }
}

/// The label of whoever speaks, alone on its line.
fn speaks(line: &str, labels: &[&str]) -> bool {
    labels.contains(&line.trim())
}

/// `some-agent (step 3, $0.01):`
fn is_step(line: &str) -> bool {
    line.trim()
        .strip_suffix("):")
        .and_then(|line| line.split_once(" (step "))
        .is_some_and(|(name, rest)| !name.contains(' ') && rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::Asciicast;
    use crate::reader::collect::read_all;

    #[track_caller]
    fn check(cast: &str, expected: &str) {
        assert_eq!(read_all(&Asciicast, "x.cast", cast.as_bytes()).trim_end(), expected);
    }

    const HEADER: &str = "{\"version\":2,\"width\":80,\"height\":24,\"timestamp\":1700000000}\n";

    #[test]
    fn typed_and_shown() {
        check(
            &format!(
                "{HEADER}[1,\"o\",\"ada$ \"]\n[2,\"i\",\"l\"]\n[2,\"o\",\"l\"]\n[3,\"i\",\"s\\r\"]\n[3,\"o\",\"s\\r\\nfile\\r\\n\"]\n"
            ),
            "L3 shell \"ls\" session=x.cast actor=unknown: time=2023-11-14T22:13:23Z gap=body-missing/nothing\nnothing: 5",
        );
    }

    #[test]
    fn what_has_no_echo_is_never_kept() {
        check(
            &format!("{HEADER}[1,\"o\",\"Password: \"]\n[2,\"i\",\"hunter2\\r\"]\n[3,\"o\",\"\\r\\nwelcome\\r\\n\"]\n"),
            "nothing: 4",
        );
    }

    #[test]
    fn mended_keys() {
        check(
            &format!("{HEADER}[1,\"i\",\"lx\\u007fs\\r\"]\n[1,\"o\",\"$ lx\\b \\bs\\r\\n\"]\n"),
            "L2 shell \"ls\" session=x.cast actor=unknown: time=2023-11-14T22:13:21Z gap=body-missing/nothing\nnothing: 2",
        );
    }

    #[test]
    fn the_blocks_of_an_agent() {
        check(
            &format!(
                "{HEADER}[1,\"o\",\"User:\\r\\n```bash\\r\\nexample\\r\\n```\\r\\n\"]\n\
                 [2,\"o\",\"tiny-agent (step 1, $0.00):\\r\\n\\u001b[32mx\\u001b[0m wait\\r\\u001b[2KI look.\\r\\n\\r\\n```bash\\r\\nls -l\\r\\n```\\r\\n\"]\n\
                 [3,\"o\",\"User:\\r\\n<returncode>2</returncode>\\r\\n\"]\n"
            ),
            "L3 shell \"ls -l\" session=x.cast actor=agent:agent time=2023-11-14T22:13:22Z exec=yes failed exit=2 \
             gap=body-missing/nothing\nnothing: 3",
        );
    }

    #[test]
    fn intervals_of_version_3() {
        check(
            "{\"version\":3,\"term\":{\"cols\":80,\"rows\":24},\"timestamp\":1700000000}\n# a remark\n\
             [1,\"o\",\"$ \"]\n[1,\"i\",\"id\\r\"]\n[1.5,\"o\",\"id\\r\\n\"]\n[0,\"x\",\"0\"]\n[half",
            "L4 shell \"id\" session=x.cast actor=unknown: time=2023-11-14T22:13:23.5Z gap=body-missing/nothing\n\
             L7 issue: not an event of an asciicast\nnothing: 4",
        );
    }
}
