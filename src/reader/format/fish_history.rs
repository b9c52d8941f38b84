//! Fish's history, usually `~/.local/share/fish/fish_history`. It looks like YAML and is not.
//!
//! `- cmd: rm -rf build` then `  when: 1700000000`, and `  paths:` with a list when the command named files

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use crate::model::Timestamp;
use crate::reader::history::{Entry, History, seconds};
use crate::reader::record::Lines;
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from fish_history`.
#[derive(Clone, Copy, Debug)]
pub struct FishHistory;

impl Reader for FishHistory {
    fn name(&self) -> &'static str {
        "fish_history"
    }

    fn about(&self) -> &'static str {
        "fish history, usually ~/.local/share/fish/fish_history"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let mut lines = sample.head.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let begins = lines.next().is_some_and(|line| command(line).is_some());
        match lines.next() {
            _ if !begins => Match::No,
            Some(line) if when(line).is_some() => Match::Certain,
            _ => Match::Likely,
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let history = History::new(source, self.name());
        let mut lines = Lines::new(input);
        let mut open: Option<Entry> = None;
        loop {
            let line = match lines.next_line() {
                Ok(Some(line)) => line,
                end => {
                    if let Some(entry) = open {
                        let _ = history.entry(entry, out);
                    }
                    return end.map(|_| ());
                }
            };
            let flow = if line.cut {
                out.issue(line.too_long(source))
            } else if let Some(text) = command(line.bytes) {
                let next = Entry { text: unescaped(text), ..Entry::at(line.number, line.offset) };
                open.replace(next).map_or(ControlFlow::Continue(()), |entry| history.entry(entry, out))
            } else if let (Some(time), Some(entry)) = (when(line.bytes), &mut open) {
                entry.time = Some(time);
                ControlFlow::Continue(())
            } else if line.bytes.trim_ascii().is_empty() || open.is_some() && is_path(line.bytes) {
                ControlFlow::Continue(())
            } else if open.is_some() && line.bytes.starts_with(b"  ") {
                out.issue(line.note(source, "unknown line in an entry", "it is left out"))
            } else {
                out.issue(line.lost(source, "not an entry: expected `- cmd: `", ""))
            };
            if flow.is_break() {
                return Ok(());
            }
        }
    }
}

fn command(line: &[u8]) -> Option<&[u8]> {
    line.strip_prefix(b"- cmd:").map(|text| text.strip_prefix(b" ").unwrap_or(text))
}

fn when(line: &[u8]) -> Option<Timestamp> {
    seconds(line.strip_prefix(b"  when:")?.trim_ascii())
}

/// The files a command named: the shell's own completion wants them, nobody else does.
fn is_path(line: &[u8]) -> bool {
    line.trim_ascii_end() == b"  paths:" || line.starts_with(b"    - ")
}

/// Fish escapes the newline and the backslash, and nothing else.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        plain.extend_from_slice(&rest[..at]);
        let (byte, used) = match rest.get(at + 1) {
            Some(b'n') => (b'\n', 2),
            Some(b'\\') => (b'\\', 2),
            _ => (b'\\', 1),
        };
        plain.push(byte);
        rest = &rest[at + used..];
    }
    plain.extend_from_slice(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[track_caller]
    fn check(input: &[u8], expected: &str) {
        let seen = read_all(&FishHistory, "fish_history", input);
        let seen = seen.replace(" session=fish_history actor=human:unknown", "").replace(" exec=yes", "");
        assert_eq!(seen.trim_end(), expected);
    }

    #[test]
    fn entries() {
        check(
            b"- cmd: ls\n  when: 1700000000\n- cmd: rm -rf build\n  when: 1700000001\n  paths:\n    - build\n- cmd: pwd",
            "L1 shell \"ls\" time=2023-11-14T22:13:20Z\n\
             L3 shell \"rm -rf build\" time=2023-11-14T22:13:21Z\n\
             L7 shell \"pwd\"",
        );
    }

    #[test]
    fn escapes() {
        check(br"- cmd: for x in a\n  echo \\n \t $x\nend\", r#"L1 shell "for x in a\n  echo \\n \\t $x\nend\\""#);
    }

    #[test]
    fn what_is_no_entry_is_said() {
        check(
            b"  when: 1700000000\n- cmd: ls\n  when: soon\n  why: because\n\nrm -rf /\n- cmd: pwd\n",
            "L1 issue: not an entry: expected `- cmd: `\n\
             L3 note: unknown line in an entry (it is left out)\n\
             L4 note: unknown line in an entry (it is left out)\n\
             L6 issue: not an entry: expected `- cmd: `\n\
             L2 shell \"ls\"\nL7 shell \"pwd\"",
        );
    }

    #[test]
    fn detected() {
        let sure =
            |head: &str| FishHistory.detect(&Sample { head: head.as_bytes(), complete: true, name: "x", tables: &[] });
        assert_eq!(sure("- cmd: ls\n  when: 1700000000\n"), Match::Certain);
        assert_eq!(sure("- cmd: ls\n"), Match::Likely);
        assert_eq!(sure("- name: x\n  cmd: ls\n"), Match::No);
    }
}
