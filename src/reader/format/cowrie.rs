//! The JSON log of the honeypot Cowrie: what intruders typed.
//!
//! `{"eventid":"cowrie.command.input","session":"7c45","input":"uname -a","timestamp":"2018-06-01T00:04:57Z",…}`

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde_json::Value;

use super::postgres::read_time;
use crate::model::{ActorKind, Executed};
use crate::reader::recorder::{Found, Log, Place, Recorder, read_lines, some};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from cowrie`
#[derive(Clone, Copy, Debug)]
pub struct Cowrie;

impl Reader for Cowrie {
    fn name(&self) -> &'static str {
        "cowrie"
    }

    fn about(&self) -> &'static str {
        "Cowrie SSH and Telnet honeypot (cowrie.json): commands that intruders typed"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let text = String::from_utf8_lossy(sample.head);
        let event = |line: &str| line.starts_with('{') && line.contains("\"eventid\"") && line.contains("\"cowrie.");
        if text.lines().take(5).any(event) { Match::Certain } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let recorder = Recorder::new(source, self.name());
        read_lines(&mut Honeypot { recorder, users: std::collections::HashMap::new() }, input, source, out)
    }
}

struct Honeypot {
    recorder: Recorder,
    /// Who a session logged in as.
    users: std::collections::HashMap<String, String>,
}

impl Log for Honeypot {
    fn line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        if line.trim().is_empty() {
            return ControlFlow::Continue(());
        }
        let value: Value = match serde_json::from_str(line) {
            Ok(value) => value,
            Err(error) => return out.issue(self.recorder.lost(place, format!("not a JSON object: {error}"), "")),
        };
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or("");
        let session = text("session");
        match text("eventid") {
            "cowrie.login.success" => {
                self.users.insert(session.to_owned(), text("username").to_owned());
            }
            "cowrie.session.closed" => {
                self.users.remove(session);
            }
            // The same words come again as `command.success` or `command.failed`.
            "cowrie.command.input" if !text("input").trim().is_empty() => {
                let mut found = Found::shell(text("input"), place);
                found.time = read_time(text("timestamp")).map(|read| read.time);
                found.session = session.to_owned();
                found.by(text("src_ip"), ActorKind::Unknown);
                found.surroundings.user = self.users.get(session).cloned();
                found.surroundings.host = some(text("sensor"));
                // Nothing is run for real in a honeypot; it was tried all the same.
                found.outcome.executed = Executed::Yes;
                return out.action(self.recorder.action(found));
            }
            _ => {}
        }
        out.nothing();
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[test]
    fn what_was_typed_by_whom() {
        let seen = read_all(
            &Cowrie,
            "c.json",
            b"{\"eventid\":\"cowrie.login.success\",\"session\":\"s\",\"username\":\"root\",\"password\":\"x\"}\n\
              {\"eventid\":\"cowrie.command.input\",\"session\":\"s\",\"input\":\"uname -a\",\"src_ip\":\"192.0.2.1\",\"timestamp\":\"2018-06-01T00:04:57.5Z\"}\n\
              {\"eventid\":\"cowrie.command.failed\",\"session\":\"s\",\"input\":\"uname -a\"}\n{\"eventid\n",
        );
        assert_eq!(
            seen.trim_end(),
            "L2 shell \"uname -a\" session=s actor=unknown:192.0.2.1 time=2018-06-01T00:04:57.5Z exec=yes user=root\n\
             L4 issue: not a JSON object: EOF while parsing a string at line 1 column 9\n\
             nothing: 2"
        );
    }
}
