//! sudo's own log: in syslog, in a file, in the journal, and as JSON.
//!
//! `Jan  5 09:00:00 web1 sudo[812]:    alice : TTY=pts/0 ; PWD=/srv ; USER=root ; COMMAND=/usr/bin/apt-get update`

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde_json::Value;

use super::postgres::read_time;
use crate::model::{ActorKind, Executed, GapKind, Hides, Timestamp};
use crate::reader::recorder::{Found, Log, Place, Recorder, read_lines, some};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from sudo`
#[derive(Clone, Copy, Debug)]
pub struct Sudo;

impl Reader for Sudo {
    fn name(&self) -> &'static str {
        "sudo"
    }

    fn about(&self) -> &'static str {
        "sudo's log: syslog or auth.log, its own log file, JSON (log_format=json)"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let text = String::from_utf8_lossy(sample.head);
        if text.starts_with('{') {
            return if text.lines().take(50).any(is_json) { Match::Certain } else { Match::No };
        }
        let (mut lines, mut found) = (0, 0);
        for line in text.lines().filter(|line| !line.trim().is_empty()).take(400) {
            lines += 1;
            found += usize::from(Entry::of(line).is_some_and(|entry| !entry.command.is_empty()));
        }
        match found {
            0 => Match::No,
            _ if found * 10 >= lines => Match::Certain,
            _ => Match::Likely,
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut log = SudoLog { recorder: Recorder::new(source, self.name()), open: None };
        read_lines(&mut log, input, source, out)
    }
}

fn is_json(line: &str) -> bool {
    line.starts_with("{\"sudo\"") || line.contains("{\"sudo\":{\"")
}

/// One line of the log that is sudo's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entry {
    /// What stands before the message: a syslog header, or the date of sudo's own file.
    time: Option<Timestamp>,
    host: String,
    /// What stands in `sudo[812]`, where it does.
    pid: String,
    who: String,
    /// `command not allowed`, `3 incorrect password attempts`: it did not run.
    refused: String,
    cwd: String,
    user: String,
    group: String,
    chroot: String,
    command: String,
    continued: bool,
}

/// The fields of an entry, in sudo's order.
const FIELDS: &[&str] = &["HOST", "TTY", "CHROOT", "PWD", "USER", "GROUP", "TSID", "ENV"];

impl Entry {
    fn of(line: &str) -> Option<Self> {
        // `alice : TTY=…`: the name is padded to eight places.
        let (before, rest) = line.split_once(" : ")?;
        let (header, who) = before.rsplit_once([' ', '\t']).unwrap_or(("", before));
        let syslog = ["sudo:", "sudo["].iter().any(|tag| header.contains(tag));
        let mut entry = Self { who: who.trim_end_matches(':').to_owned(), ..Self::default() };
        let mut rest = rest;
        if syslog {
            let (prefix, tag) = header.split_once("sudo")?;
            tag.trim_matches(|c: char| !c.is_ascii_digit()).clone_into(&mut entry.pid);
            (entry.time, entry.host) = syslog_header(prefix);
        } else if let Some(time) = own_date(before) {
            let (who, more) = rest.split_once(" : ")?;
            (entry.time, entry.who, rest) = (time, who.to_owned(), more);
        } else if !(header.is_empty() && rest.contains("COMMAND=")) {
            return None;
        }
        if let Some(more) = rest.trim_start().strip_prefix("(command continued) ") {
            return Some(Self { command: more.to_owned(), continued: true, ..entry });
        }
        rest = rest.trim_start();
        loop {
            if let Some(command) = rest.strip_prefix("COMMAND=") {
                entry.command = command.to_owned();
                return Some(entry);
            }
            let (field, more) = match rest.split_once(" ; ") {
                Some((field, more)) => (field, Some(more)),
                // A line that is folded ends in the sign that parts fields.
                None => (rest.trim_end_matches([' ', ';']), None),
            };
            match field.split_once('=').filter(|(name, _)| FIELDS.contains(name)) {
                Some(("PWD", value)) => entry.cwd = value.to_owned(),
                Some(("USER", value)) => entry.user = value.to_owned(),
                Some(("GROUP", value)) => entry.group = value.to_owned(),
                Some(("HOST", value)) => entry.host = value.to_owned(),
                Some(("CHROOT", value)) => entry.chroot = value.to_owned(),
                Some(_) => {}
                // Only a refusal stands among the fields without a name of its own.
                None => entry.refused = field.to_owned(),
            }
            match more {
                Some(more) => rest = more,
                None => return (syslog || !entry.cwd.is_empty()).then_some(entry),
            }
        }
    }

    fn found(&self, place: Place) -> Found {
        let mut argv = prefix(&self.user, &self.group);
        if !self.chroot.is_empty() {
            argv.extend(["-R".to_owned(), self.chroot.clone()]);
        }
        argv.extend(words(&self.command));
        let mut found = Found::exec(argv, place);
        found.by(&self.who, ActorKind::Unknown);
        found.time = self.time;
        found.session = if self.host.is_empty() { self.who.clone() } else { format!("{}@{}", self.who, self.host) };
        found.surroundings.cwd = some(&self.cwd).filter(|cwd| cwd.starts_with('/'));
        found.surroundings.host = some(&self.host);
        found.surroundings.user = some(&self.who);
        found.outcome.executed = if self.refused.is_empty() { Executed::Yes } else { Executed::No };
        found
    }
}

/// The start of what was typed.
fn prefix(user: &str, group: &str) -> Vec<String> {
    let mut argv = vec!["sudo".to_owned()];
    for (flag, name) in [("-u", user), ("-g", group)] {
        if !name.is_empty() && (flag, name) != ("-u", "root") {
            argv.extend([flag.to_owned(), name.to_owned()]);
        }
    }
    argv
}

/// `Jan  5 09:00:00 web1 `, whose year nobody writes, or `2026-01-05T09:00:00.1+01:00 web1 `.
fn syslog_header(header: &str) -> (Option<Timestamp>, String) {
    let header =
        header.trim_start_matches(|c: char| c == '<' || c == '>' || c.is_ascii_digit() && header.starts_with('<'));
    let time = read_time(header).map(|read| (read.time, read.length));
    let rest = match time {
        Some((_, length)) => header.get(length..).unwrap_or(""),
        // Month, day and time of day.
        None => header.splitn(4, ' ').last().filter(|_| header.len() > 16).and(header.get(16..)).unwrap_or(""),
    };
    (time.map(|(time, _)| time), rest.split_whitespace().next().unwrap_or("").to_owned())
}

/// `Jan  5 09:00:00 : alice : …`: the date of sudo's own file, with a year only where `log_year` is set.
fn own_date(header: &str) -> Option<Option<Timestamp>> {
    let header = header.trim_end_matches([' ', ':']);
    let month = header.get(..3)?;
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    months.contains(&month).then(|| {
        let parts: Vec<_> = header.split_whitespace().collect();
        let [_, day, clock, year] = parts[..] else { return None };
        let at = months.iter().position(|known| *known == month)? + 1;
        read_time(&format!("{year}-{at:02}-{day:0>2} {clock} UTC")).map(|read| read.time)
    })
}

/// The words of a logged command.
///
/// Newer versions quote words that have spaces. Older ones write them as they are: a script given with `-c` is then all
/// that follows, and no other word can be told from two.
pub(super) fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = command.trim();
    while !rest.is_empty() {
        let (word, next) = match rest.strip_prefix('\'').and_then(quoted) {
            Some((word, next)) => (word, next),
            None => {
                let end = rest.find(' ').unwrap_or(rest.len());
                (controls(&rest[..end]), &rest[end..])
            }
        };
        words.push(word);
        rest = next.trim_start();
        let script = words.len() > 1 && words.last().is_some_and(|word| matches!(word.as_str(), "-c" | "-lc" | "-e"));
        if script && !rest.starts_with('\'') && rest.contains(' ') {
            words.push(controls(rest));
            break;
        }
    }
    words
}

/// What stands in single quotes, and what follows them.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut word = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => word.push(letters.next()?.1),
            '\'' if text[at + 1..].is_empty() || text[at + 1..].starts_with(' ') => {
                return Some((controls(&word), &text[at + 1..]));
            }
            letter => word.push(letter),
        }
    }
    None
}

/// `#012` is a newline.
fn controls(word: &str) -> String {
    if !word.contains('#') {
        return word.to_owned();
    }
    let mut plain = String::new();
    let mut rest = word;
    while let Some(at) = rest.find('#') {
        plain.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 4).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code.filter(|code| *code < 32 || *code == 127) {
            Some(code) => {
                plain.push(char::from(code));
                rest = &rest[at + 4..];
            }
            None => {
                plain.push('#');
                rest = &rest[at + 1..];
            }
        }
    }
    plain + rest
}

struct SudoLog {
    recorder: Recorder,
    /// An entry whose command may go on in the next one.
    open: Option<(Entry, Place)>,
}

impl Log for SudoLog {
    fn line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        if line.trim().is_empty() {
            return ControlFlow::Continue(());
        }
        if line.starts_with('{') || is_json(line) {
            self.finish(out)?;
            return self.json(line, place, out);
        }
        // sudo's own file folds long lines.
        let folded = line.strip_prefix("    ").filter(|more| !more.starts_with(' ') && !more.contains(" : "));
        if let (Some(more), Some((entry, _))) = (folded, &mut self.open) {
            let whole = format!("{} ; {}", entry_start(entry), more);
            match Entry::of(&whole).filter(|_| entry.command.is_empty()) {
                Some(read) => {
                    let host = std::mem::take(&mut entry.host);
                    *entry = Entry { time: entry.time, host, pid: std::mem::take(&mut entry.pid), ..read };
                }
                None => {
                    entry.command.push(' ');
                    entry.command.push_str(more);
                }
            }
            return ControlFlow::Continue(());
        }
        match Entry::of(line) {
            Some(entry) if entry.continued => match &mut self.open {
                Some((open, _)) if open.who == entry.who && open.pid == entry.pid => {
                    open.command.push(' ');
                    open.command.push_str(&entry.command);
                    ControlFlow::Continue(())
                }
                _ => out.issue(self.recorder.lost(place, "the rest of a command whose start is not in this file", "")),
            },
            Some(entry) => {
                self.finish(out)?;
                self.open = Some((entry, place));
                ControlFlow::Continue(())
            }
            None => {
                self.finish(out)?;
                out.nothing();
                ControlFlow::Continue(())
            }
        }
    }

    fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        match self.open.take() {
            Some((entry, place)) if !entry.command.is_empty() => out.action(self.recorder.action(entry.found(place))),
            // `3 incorrect password attempts` without a command.
            Some(_) => {
                out.nothing();
                ControlFlow::Continue(())
            }
            None => ControlFlow::Continue(()),
        }
    }
}

/// The fields that were read so far, to be read again with the line that follows.
fn entry_start(entry: &Entry) -> String {
    let mut start = format!("{} : TTY=unknown", entry.who);
    for (name, value) in [("PWD", &entry.cwd), ("USER", &entry.user), ("GROUP", &entry.group)] {
        if !value.is_empty() {
            start.push_str(&format!(" ; {name}={value}"));
        }
    }
    if !entry.refused.is_empty() {
        start.push_str(&format!(" ; {}", entry.refused));
    }
    start
}

impl SudoLog {
    fn json(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let start = line.find("{\"sudo\"").unwrap_or(0);
        let value: Value = match serde_json::from_str(line[start..].trim().trim_end_matches(',')) {
            Ok(value) => value,
            Err(error) => return out.issue(self.recorder.lost(place, format!("not a JSON object: {error}"), "")),
        };
        let Some(events) = value.get("sudo").and_then(Value::as_object) else {
            out.nothing();
            return ControlFlow::Continue(());
        };
        for (event, body) in events {
            let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
            let words: Vec<String> = body
                .get("runargv")
                .and_then(Value::as_array)
                .map(|words| words.iter().filter_map(Value::as_str).map(str::to_owned).collect())
                .unwrap_or_default();
            let command = text("command");
            if !matches!(event.as_str(), "accept" | "reject" | "alert") || words.is_empty() && command.is_empty() {
                out.nothing();
                continue;
            }
            let mut argv = prefix(&text("runuser"), &text("rungroup"));
            let cut = words.is_empty();
            if cut {
                argv.push(command);
            } else {
                argv.extend(words);
            }
            let mut found = Found::exec(argv, place);
            if cut {
                found.lacks(GapKind::Truncated, Hides::Anything, "runargv");
            }
            let seconds = body.pointer("/server_time/seconds").and_then(Value::as_i64);
            let nanos = body.pointer("/server_time/nanoseconds").and_then(Value::as_i64).unwrap_or(0);
            found.time = seconds.and_then(|s| s.checked_mul(1_000_000)).map(|micros| Timestamp(micros + nanos / 1000));
            found.native = text("uuid");
            found.by(text("submituser"), ActorKind::Unknown);
            let host = text("submithost");
            found.session = if host.is_empty() { text("submituser") } else { format!("{}@{host}", text("submituser")) };
            let cwd = some(&text("runcwd")).or_else(|| some(&text("submitcwd")));
            found.surroundings.cwd = cwd.filter(|cwd| cwd.starts_with('/'));
            found.surroundings.host = some(&host);
            found.surroundings.user = some(&text("submituser"));
            found.outcome.executed = if event == "accept" { Executed::Yes } else { Executed::No };
            out.action(self.recorder.action(found))?;
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[track_caller]
    fn check(input: &str, expected: &str) {
        assert_eq!(read_all(&Sudo, "auth.log", input.as_bytes()).trim_end(), expected);
    }

    #[test]
    fn syslog_lines() {
        check(
            "2026-01-05T09:00:00.5+00:00 web1 sudo[812]:   alice : TTY=pts/0 ; PWD=/srv ; USER=root ; COMMAND=/usr/bin/apt-get update\n\
             Jan  5 09:00:00 web1 sshd[1]: Accepted publickey\n\
             Jan  5 09:00:01 web1 sudo:     bob : command not allowed ; TTY=pts/1 ; PWD=/ ; USER=postgres ; COMMAND=/bin/ls\n",
            "L1 exec \"sudo /usr/bin/apt-get update\" argv=[\"sudo\", \"/usr/bin/apt-get\", \"update\"] session=alice@web1 actor=unknown:alice time=2026-01-05T09:00:00.5Z exec=yes cwd=/srv host=web1 user=alice\n\
             L3 exec \"sudo -u postgres /bin/ls\" argv=[\"sudo\", \"-u\", \"postgres\", \"/bin/ls\"] session=bob@web1 actor=unknown:bob exec=no cwd=/ host=web1 user=bob\n\
             nothing: 1",
        );
    }

    #[test]
    fn words_old_and_new() {
        assert_eq!(words("/bin/sh -c echo a; ls"), ["/bin/sh", "-c", "echo a; ls"]);
        assert_eq!(words("/bin/touch 'a b' 'it\\'s' x#012y"), ["/bin/touch", "a b", "it's", "x\ny"]);
        assert_eq!(words("/bin/sh -c 'echo a' x"), ["/bin/sh", "-c", "echo a", "x"]);
    }

    #[test]
    fn long_commands_go_on() {
        check(
            "Jan  5 09:00:01 w sudo: ann : TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/ls a\n\
             Jan  5 09:00:01 w sudo: ann : (command continued) b\n",
            "L1 exec \"sudo /bin/ls a b\" argv=[\"sudo\", \"/bin/ls\", \"a\", \"b\"] session=ann@w actor=unknown:ann exec=yes cwd=/ host=w user=ann",
        );
    }

    #[test]
    fn its_own_file_folds_lines() {
        check(
            "Jan  5 09:00:01 : ann : HOST=w ; TTY=pts/1 ; PWD=/srv ;\n    USER=root ; COMMAND=/bin/ls a\n    b\n",
            "L1 exec \"sudo /bin/ls a b\" argv=[\"sudo\", \"/bin/ls\", \"a\", \"b\"] session=ann@w actor=unknown:ann exec=yes cwd=/srv host=w user=ann",
        );
    }

    #[test]
    fn json_is_exact() {
        check(
            "{\"sudo\":{\"accept\":{\"uuid\":\"u1\",\"server_time\":{\"seconds\":1700000000,\"nanoseconds\":0},\"submituser\":\"ann\",\"submithost\":\"w\",\"submitcwd\":\"/srv\",\"runuser\":\"root\",\"command\":\"/bin/rm\",\"runargv\":[\"rm\",\"a b\"]}}}\n",
            "L1 exec \"sudo rm 'a b'\" argv=[\"sudo\", \"rm\", \"a b\"] session=ann@w actor=unknown:ann time=2023-11-14T22:13:20Z exec=yes cwd=/srv host=w user=ann",
        );
    }
}
