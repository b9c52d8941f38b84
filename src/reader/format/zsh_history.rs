//! Zsh's history, extended or plain, usually `~/.zsh_history`.
//!
//! `: 1700000000:0;rm -rf build`, a newline in a command written as `\` and newline

use std::borrow::Cow;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use crate::model::Timestamp;
use crate::reader::history::{Entry, History, named, seconds};
use crate::reader::record::Lines;
use crate::reader::{Match, Out, Reader, Sample, Source};

/// `--from zsh_history`.
#[derive(Clone, Copy, Debug)]
pub struct ZshHistory;

impl Reader for ZshHistory {
    fn name(&self) -> &'static str {
        "zsh_history"
    }

    fn about(&self) -> &'static str {
        "zsh history, extended (with times) or plain, usually ~/.zsh_history"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let named = named(sample.name, &["zsh_history", "zsh_extended_history", ".zhistory", ".histfile"]);
        let mut lines = sample.head.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        if lines.next().is_some_and(|line| stamp(line).0.is_some()) {
            Match::Certain
        } else if named && lines.any(|line| stamp(line).0.is_some()) {
            Match::Likely
        } else if named {
            Match::Maybe
        } else {
            Match::No
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
                        let _ = history.entry(finished(Entry { cut: true, ..entry }), out);
                    }
                    return end.map(|_| ());
                }
            };
            if line.cut {
                // What was open goes on in a line that cannot be kept.
                let open = open.take().map(|entry| Entry { cut: true, ..entry });
                let flow = open.map_or(ControlFlow::Continue(()), |entry| history.entry(finished(entry), out));
                if flow.is_break() || out.issue(line.too_long(source)).is_break() {
                    return Ok(());
                }
                continue;
            }
            let (mut entry, text) = match open.take() {
                Some(entry) => (entry, line.bytes),
                None => {
                    let (time, text) = stamp(line.bytes);
                    (Entry { time, ..Entry::at(line.number, line.offset) }, text)
                }
            };
            match text.strip_suffix(b"\\") {
                Some(text) => {
                    entry.push_line(text);
                    open = Some(entry);
                }
                None => {
                    entry.push_line(text);
                    if history.entry(finished(entry), out).is_break() {
                        return Ok(());
                    }
                }
            }
        }
    }
}

/// The time in front of an entry, and the entry.
fn stamp(line: &[u8]) -> (Option<Timestamp>, &[u8]) {
    let split = || {
        let rest = line.strip_prefix(b": ")?.trim_ascii_start();
        let colon = memchr::memchr(b':', rest)?;
        let semicolon = colon + memchr::memchr(b';', &rest[colon..])?;
        let elapsed = &rest[colon + 1..semicolon];
        let plausible = !elapsed.is_empty() && elapsed.iter().all(u8::is_ascii_digit);
        plausible.then(|| Some((seconds(&rest[..colon])?, &rest[semicolon + 1..]))).flatten()
    };
    split().map_or((None, line), |(time, text)| (Some(time), text))
}

/// The entry as it was typed.
fn finished(mut entry: Entry) -> Entry {
    // A command that ends in a backslash is written with one more space, lest it swallow the next entry.
    let trimmed = entry.text.trim_ascii_end();
    if trimmed.ends_with(b"\\") && trimmed.len() < entry.text.len() && entry.text.ends_with(b" ") {
        entry.text.pop();
    }
    if let Cow::Owned(text) = unmetafied(&entry.text) {
        entry.text = text;
    }
    entry
}

/// Zsh writes NUL and the bytes 0x83 to 0xa2 as 0x83 and the byte with one bit turned over. A 0x83 before anything
/// else was written by another program and stands for itself.
fn unmetafied(text: &[u8]) -> Cow<'_, [u8]> {
    const META: u8 = 0x83;
    if memchr::memchr(META, text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let turned = bytes.peek().map(|next| next ^ 0x20).filter(|next| matches!(next, 0 | 0x83..=0xa2));
        match turned {
            Some(turned) if byte == META => {
                plain.push(turned);
                bytes.next();
            }
            _ => plain.push(byte),
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[track_caller]
    fn check(input: &[u8], expected: &str) {
        let seen = read_all(&ZshHistory, "zsh_history", input);
        let seen = seen.replace(" session=zsh_history actor=human:unknown", "").replace(" exec=yes", "");
        assert_eq!(seen.trim_end(), expected);
    }

    #[test]
    fn extended() {
        check(
            b": 1700000000:0;ls\n: 1700000001:12;echo a; echo b\n",
            "L1 shell \"ls\" time=2023-11-14T22:13:20Z\nL2 shell \"echo a; echo b\" time=2023-11-14T22:13:21Z",
        );
    }

    #[test]
    fn plain_and_mixed() {
        check(
            b"ls\n: 1700000000:0;pwd\n: not a stamp;x\n",
            "L1 shell \"ls\"\nL2 shell \"pwd\" time=2023-11-14T22:13:20Z\nL3 shell \": not a stamp;x\"",
        );
    }

    #[test]
    fn newlines() {
        check(
            b": 1700000000:0;cat <<X\\\n: 1700000000:0;rm -rf /\\\n\\\nX\n: 1700000001:0;ls\n",
            "L1 shell \"cat <<X\\n: 1700000000:0;rm -rf /\\n\\nX\" time=2023-11-14T22:13:20Z\n\
             L5 shell \"ls\" time=2023-11-14T22:13:21Z",
        );
        // A line continuation that was typed keeps its own backslash.
        check(b"ls \\\\\n-l\n", "L1 shell \"ls \\\\\\n-l\"");
        check(b"echo \\ \nls\n", "L1 shell \"echo \\\\\"\nL2 shell \"ls\"");
    }

    #[test]
    fn metafied_bytes() {
        // `ą` is C4 85.
        check(b"rm \xc4\x83\xa5\n", "L1 shell \"rm ą\"");
        // `ă` is C4 83, once as zsh writes it and once as an editor does.
        check(b"rm \xc4\x83\xa3\nrm \xc4\x83x\n", "L1 shell \"rm ă\"\nL2 shell \"rm ăx\"");
        check(b"x\x83", "L1 note: not UTF-8; the odd bytes are shown as `\u{fffd}`\nL1 shell \"x\u{fffd}\"");
    }

    #[test]
    fn an_entry_that_breaks_off() {
        check(b"rm \\\n-rf \\", "L1 shell \"rm \\n-rf \" gap=truncated/anything");
    }

    #[test]
    fn detected() {
        let sure = |name: &str, head: &str| {
            ZshHistory.detect(&Sample { head: head.as_bytes(), complete: true, name, tables: &[] })
        };
        assert_eq!(sure("x", ": 1700000000:0;ls\n"), Match::Certain);
        assert_eq!(sure(".zsh_history", "ls\n: 1700000000:0;ls\n"), Match::Likely);
        assert_eq!(sure(".zsh_history", "ls\n"), Match::Maybe);
        assert_eq!(sure("x", "ls\n: 1700000000:0;ls\n"), Match::No);
        assert_eq!(sure("x", ": 17:0;ls\n"), Match::No);
    }
}
