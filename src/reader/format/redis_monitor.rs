//! What Redis shows to `MONITOR`: every command that reaches the server, as it comes in.
//!
//! `1795362334.312432 [0 127.0.0.1:37508] "DEL" "cart:1"`

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use super::postgres::read_time;
use crate::model::{Executed, GapKind, Hides, Timestamp};
use crate::reader::recorder::{Found, Log, Place, Recorder, read_lines, some};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from redis_monitor`
#[derive(Clone, Copy, Debug)]
pub struct RedisMonitor;

impl Reader for RedisMonitor {
    fn name(&self) -> &'static str {
        "redis_monitor"
    }

    fn about(&self) -> &'static str {
        "Redis and Valkey: what redis-cli MONITOR prints"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let text = String::from_utf8_lossy(sample.head);
        match text.lines().take(50).any(|line| Command::of(line).is_ok()) {
            true => Match::Certain,
            false => Match::No,
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        read_lines(&mut Monitor { recorder: Recorder::new(source, self.name()) }, input, source, out)
    }
}

/// One command.
#[derive(Debug)]
struct Command<'a> {
    time: Timestamp,
    database: &'a str,
    /// An address, `unix:/path`, or `lua` for what a script does.
    client: &'a str,
    argv: Vec<String>,
    redacted: bool,
}

impl<'a> Command<'a> {
    fn of(line: &'a str) -> Result<Self, &'static str> {
        const OTHER: &str = "not a line of MONITOR";
        let read = read_time(line).filter(|_| line.as_bytes().get(10) == Some(&b'.')).ok_or(OTHER)?;
        let rest = line.get(read.length..).and_then(|rest| rest.strip_prefix(" [")).ok_or(OTHER)?;
        let (head, mut rest) = rest.split_once("] ").ok_or(OTHER)?;
        let (database, client) = head.split_once(' ').ok_or(OTHER)?;
        let (mut argv, mut redacted) = (Vec::new(), false);
        while let Some(inner) = rest.trim_start().strip_prefix('"') {
            let (word, next) = unescaped(inner).ok_or("a command that breaks off")?;
            redacted |= word == "(redacted)";
            argv.push(word);
            rest = next;
        }
        match argv.is_empty() || !rest.trim().is_empty() {
            true => Err(OTHER),
            false => Ok(Self { time: read.time, database, client, argv, redacted }),
        }
    }
}

/// What stands up to the closing quote, and what follows it; `\x01` and the like are bytes.
fn unescaped(text: &str) -> Option<(String, &str)> {
    let bytes = text.as_bytes();
    let mut plain = Vec::new();
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b'"' => return Some((String::from_utf8_lossy(&plain).into_owned(), &text[at + 1..])),
            b'\\' => {
                let byte = *bytes.get(at + 1)?;
                at += 2;
                plain.push(match byte {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'a' => 7,
                    b'b' => 8,
                    b'x' => {
                        let hex = text.get(at..at + 2)?;
                        at += 2;
                        u8::from_str_radix(hex, 16).ok()?
                    }
                    other => other,
                });
            }
            byte => {
                plain.push(*byte);
                at += 1;
            }
        }
    }
}

/// The connection's own affairs: nothing of the data is touched.
const OWN: &[&str] =
    &["AUTH", "HELLO", "CLIENT", "PING", "SELECT", "QUIT", "COMMAND", "ECHO", "RESET", "READONLY", "REPLCONF"];

struct Monitor {
    recorder: Recorder,
}

impl Log for Monitor {
    fn line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        if line.trim().is_empty() || line.trim() == "OK" {
            return ControlFlow::Continue(());
        }
        let command = match Command::of(line) {
            Ok(command) => command,
            Err(problem) => return out.issue(self.recorder.lost(place, problem, "")),
        };
        let name = command.argv[0].to_ascii_uppercase();
        // `CLIENT KILL` ends what others do.
        let own = OWN.contains(&name.as_str())
            && !command.argv.get(1).is_some_and(|word| matches!(word.to_ascii_uppercase().as_str(), "KILL" | "PAUSE"));
        // What a script does is shown in the line that runs it, too.
        if own || command.client == "lua" && command.argv.len() == 1 {
            out.nothing();
            return ControlFlow::Continue(());
        }
        let mut argv = vec!["redis-cli".to_owned()];
        if command.database != "0" {
            argv.extend(["-n".to_owned(), command.database.to_owned()]);
        }
        argv.extend(command.argv);
        let mut found = Found::exec(argv, place);
        found.time = Some(command.time);
        found.session = if command.client == "lua" { "lua".to_owned() } else { command.client.to_owned() };
        found.surroundings.database = some(command.database);
        found.outcome.executed = Executed::Yes;
        if command.redacted {
            found.lacks(GapKind::Redacted, Hides::Target, "(redacted)");
        }
        out.action(self.recorder.action(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[test]
    fn commands_are_unescaped() {
        let seen = read_all(
            &RedisMonitor,
            "m.log",
            b"OK\n1700000000.312432 [2 127.0.0.1:37508] \"SET\" \"a b\" \"x\\n\\x01\\\"\"\n\
              1700000000.312433 [0 127.0.0.1:37508] \"AUTH\" \"(redacted)\"\n\
              1700000000.4 [0 lua] \"DEL\" \"k\n1700000001.312432 [0 lua] \"DEL\" \"k\"\n",
        );
        assert_eq!(
            seen.trim_end(),
            "L2 exec \"redis-cli -n 2 SET 'a b' 'x\\n\\u{1}\\\"'\" argv=[\"redis-cli\", \"-n\", \"2\", \"SET\", \"a b\", \"x\\n\\u{1}\\\"\"] session=127.0.0.1:37508 actor=unknown: time=2023-11-14T22:13:20.312432Z exec=yes database=2\n\
             L4 issue: not a line of MONITOR\n\
             L5 exec \"redis-cli DEL k\" argv=[\"redis-cli\", \"DEL\", \"k\"] session=lua actor=unknown: time=2023-11-14T22:13:21.312432Z exec=yes database=0\n\
             nothing: 1"
        );
    }
}
