//! What `strace -f -e execve` prints: every program a process tree started.
//!
//! `478760 12:21:46.284771 execve("/usr/bin/rm", ["rm", "-r", "a b"], 0x7fff /* 84 vars */) = 0`

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use crate::model::{Executed, GapKind, Hides, Timestamp};
use crate::reader::recorder::{Found, Log, Place, Recorder, read_lines};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from strace`
#[derive(Clone, Copy, Debug)]
pub struct Strace;

impl Reader for Strace {
    fn name(&self) -> &'static str {
        "strace"
    }

    fn about(&self) -> &'static str {
        "strace output: the execve calls in it"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let text = String::from_utf8_lossy(sample.head);
        let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).take(50).collect();
        let calls = lines.iter().filter(|line| call(line).is_some()).count();
        let runs = lines.iter().any(|line| line.contains("execve(\""));
        match () {
            () if calls == 0 || calls * 2 < lines.len() => Match::No,
            () if runs || lines.iter().any(|line| line.contains("(AT_FDCWD, \"")) => Match::Certain,
            () => Match::Likely,
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let recorder = Recorder::new(source, self.name());
        read_lines(&mut Trace { recorder, open: HashMap::new(), folders: HashMap::new() }, input, source, out)
    }
}

/// `pid`, time, and the call, or the message about a process.
#[derive(Debug)]
struct Line<'a> {
    pid: &'a str,
    time: Option<Timestamp>,
    rest: &'a str,
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Self {
        let mut rest = line.trim_start();
        let mut pid = "";
        // `[pid  7] ` on a terminal, `7 ` in a file.
        if let Some((number, more)) = rest.strip_prefix("[pid ").and_then(|rest| rest.split_once("] ")) {
            (pid, rest) = (number.trim(), more);
        } else if let Some((number, more)) = rest.split_once(' ')
            && number.len() < 9
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
        {
            (pid, rest) = (number, more.trim_start());
        }
        let mut time = None;
        if let Some((stamp, more)) = rest.split_once(' ')
            && stamp.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
            && stamp.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'))
        {
            // `-ttt` counts seconds since 1970; a time of day alone says no day.
            time = super::postgres::read_time(stamp).map(|read| read.time);
            rest = more.trim_start();
        }
        Self { pid, time, rest }
    }
}

/// The name of the system call on a line.
fn call(line: &str) -> Option<&str> {
    let rest = Line::of(line).rest;
    if rest.starts_with("+++ ") || rest.starts_with("--- ") || rest.starts_with("<... ") {
        return Some("");
    }
    let (name, rest) = rest.split_once('(')?;
    let plain =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    (plain && (rest.contains(") = ") || rest.contains(") ") || rest.ends_with("<unfinished ...>"))).then_some(name)
}

struct Trace {
    recorder: Recorder,
    /// Calls that were interrupted by lines of other processes.
    open: HashMap<String, (String, Place, Option<Timestamp>)>,
    folders: HashMap<String, String>,
}

impl Log for Trace {
    fn line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        if line.trim().is_empty() {
            return ControlFlow::Continue(());
        }
        let Line { pid, time, rest } = Line::of(line);
        if let Some(more) = rest.strip_prefix("<... execve resumed>") {
            let more = more.trim_start_matches(',').trim_start();
            return match self.open.remove(pid) {
                Some((start, place, time)) => self.run(pid, &format!("{start}{more}"), place, time, out),
                None => out.issue(self.recorder.lost(place, "the end of a call whose start is not in this file", "")),
            };
        }
        if rest.starts_with("execve(") || rest.starts_with("execveat(") {
            if let Some(start) = rest.strip_suffix("<unfinished ...>") {
                self.open.insert(pid.to_owned(), (start.to_owned(), place, time));
                return ControlFlow::Continue(());
            }
            return self.run(pid, rest, place, time, out);
        }
        if let Some(folder) = rest.strip_prefix("chdir(").filter(|rest| rest.contains(") = 0"))
            && let Some((folder, _)) = string(folder)
        {
            if folder.starts_with('/') {
                self.folders.insert(pid.to_owned(), folder);
            } else {
                self.folders.remove(pid);
            }
        }
        if call(line).is_some() {
            out.nothing();
            return ControlFlow::Continue(());
        }
        // What the traced program prints itself stands in between.
        out.nothing();
        ControlFlow::Continue(())
    }

    fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        let mut open: Vec<_> = std::mem::take(&mut self.open).into_iter().collect();
        open.sort_by_key(|(_, (_, place, _))| place.offset);
        for (pid, (start, place, time)) in open {
            self.run(&pid, &start, place, time, out)?;
        }
        ControlFlow::Continue(())
    }
}

impl Trace {
    fn run(
        &mut self,
        pid: &str,
        call: &str,
        place: Place,
        time: Option<Timestamp>,
        out: &mut dyn Out,
    ) -> ControlFlow<()> {
        let arguments = call.split_once('(').map_or("", |(_, rest)| rest);
        let arguments = if call.starts_with("execveat") {
            arguments.split_once(", ").map_or("", |(_, rest)| rest)
        } else {
            arguments
        };
        let Some((path, rest)) = string(arguments) else {
            return out.issue(self.recorder.lost(
                place,
                "an execve whose program is not shown",
                "trace with `-v -s 65536`",
            ));
        };
        let (mut argv, cut, rest) = words(rest.trim_start_matches([',', ' ']));
        let mut cut = cut;
        // `/* 84 vars */` is the environment; without `-v` an address stands for a list that could not be read.
        if argv.is_empty() {
            argv.push(path.clone());
            cut = true;
        }
        // `sh` may be any name; the path is what was run.
        let base = |path: &str| path.rsplit('/').next().unwrap_or("").to_owned();
        if base(&argv[0]) != base(&path) {
            argv[0] = path;
        }
        let failed = rest.rsplit_once(") = ").is_some_and(|(_, result)| result.starts_with('-'));
        let mut found = Found::exec(argv, place);
        found.time = time;
        found.surroundings.cwd = self.folders.get(pid).cloned();
        // A call that failed started nothing: the shell tries every folder of its path.
        found.outcome.executed = if failed { Executed::No } else { Executed::Yes };
        if cut {
            found.lacks(GapKind::Truncated, Hides::Anything, "arguments");
        }
        out.action(self.recorder.action(found))
    }
}

/// The words of `["rm", "-r", "a"...]`, whether some are cut, and what follows.
fn words(text: &str) -> (Vec<String>, bool, &str) {
    let (mut words, mut cut) = (Vec::new(), false);
    let Some(mut rest) = text.strip_prefix('[') else { return (words, true, text) };
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(after) = rest.strip_prefix(']') {
            return (words, cut, after);
        }
        if let Some(after) = rest.strip_prefix("...") {
            (cut, rest) = (true, after);
            continue;
        }
        let Some((word, after)) = string(rest) else { return (words, true, rest) };
        words.push(word);
        rest = after;
    }
}

/// A string as strace writes it, and what follows.
fn string(text: &str) -> Option<(String, &str)> {
    let bytes = text.strip_prefix('"')?.as_bytes();
    let mut plain = Vec::new();
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b'"' => return Some((String::from_utf8_lossy(&plain).into_owned(), &text[at + 2..])),
            b'\\' => {
                let byte = *bytes.get(at + 1)?;
                at += 2;
                plain.push(match byte {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'v' => 11,
                    b'f' => 12,
                    b'0'..=b'7' => {
                        let octal =
                            bytes[at - 1..].iter().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
                        let value = bytes[at - 1..at - 1 + octal]
                            .iter()
                            .fold(0u32, |sum, byte| sum * 8 + u32::from(byte - b'0'));
                        at += octal - 1;
                        u8::try_from(value & 0xff).unwrap_or(0)
                    }
                    b'x' => {
                        let hex = text.get(at + 1..at + 3)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[track_caller]
    fn check(input: &str, expected: &str) {
        assert_eq!(read_all(&Strace, "trace", input.as_bytes()).trim_end(), expected);
    }

    #[test]
    fn programs_that_started_and_that_did_not() {
        check(
            "7 1700000000.500000 execve(\"/bin/ls\", [\"ls\", \"a b\", \"\\303\\251\"], 0x7f /* 3 vars */) = 0 <0.01>\n\
             7 execve(\"/usr/local/bin/cat\", [\"cat\"], 0x7f /* 3 vars */) = -1 ENOENT (No such file or directory)\n\
             7 brk(NULL) = 0x5\n[pid  8] execve(\"/bin/echo\", [\"echo\", \"long\"...], 0x7f) = 0\n",
            "L1 exec \"ls 'a b' é\" argv=[\"ls\", \"a b\", \"é\"] session=trace actor=unknown: time=2023-11-14T22:13:20.5Z exec=yes\n\
             L2 exec \"cat\" argv=[\"cat\"] session=trace actor=unknown: exec=no\n\
             L4 exec \"echo long\" argv=[\"echo\", \"long\"] session=trace actor=unknown: exec=yes gap=truncated/anything\n\
             nothing: 1",
        );
    }

    #[test]
    fn calls_are_interrupted() {
        check(
            "7 chdir(\"/srv\") = 0\n7 execve(\"/bin/ls\", [\"ls\"], 0x7f /* 3 vars */ <unfinished ...>\n8 brk(NULL) = 0x5\n7 <... execve resumed>) = 0\n",
            "L2 exec \"ls\" argv=[\"ls\"] session=trace actor=unknown: exec=yes cwd=/srv\nnothing: 2",
        );
    }
}
