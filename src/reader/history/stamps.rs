//! Histories that put a timestamp on a line of its own in front of an entry, or nothing at all.
//!
//! With a timestamp everything up to the next one is the entry, newlines and all. Without one a line is an entry;
//! only a backslash at its end, or a heredoc whose end follows, makes it longer.

use std::collections::VecDeque;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use super::{Entry, History, heredoc};
use crate::model::Timestamp;
use crate::reader::record::{Line, Lines};
use crate::reader::{Out, Sample, Source};

/// How far the end of a heredoc may be from its start.
const MAX_AHEAD_LINES: usize = 500;
const MAX_AHEAD_BYTES: usize = 1 << 20;

/// A format that differs from its neighbours only in how a timestamp is written.
#[derive(Clone, Copy)]
pub(in crate::reader) struct Stamped {
    pub(in crate::reader) format: &'static str,
    pub(in crate::reader) stamp: fn(&[u8]) -> Option<Timestamp>,
}

impl Stamped {
    pub(in crate::reader) fn read(self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let history = History::new(source, self.format);
        let mut lines = Ahead { lines: Lines::new(input), stamp: self.stamp, waiting: VecDeque::new(), bytes: 0 };
        let mut stamped: Option<Entry> = None;
        loop {
            let line = match lines.next() {
                Ok(line) => line,
                Err(error) => {
                    // The file breaks off here, and so may the entry.
                    if let Some(entry) = stamped {
                        let _ = history.entry(Entry { cut: true, ..entry }, out);
                    }
                    return Err(error);
                }
            };
            let Some(line) = line else {
                if let Some(entry) = stamped {
                    let _ = finish(&history, entry, out);
                }
                return Ok(());
            };
            let flow = if let Some(time) = line.time {
                let next = Entry { time: Some(time), ..Entry::at(line.number, line.offset) };
                stamped.replace(next).map_or(ControlFlow::Continue(()), |entry| finish(&history, entry, out))
            } else if line.cut {
                if let Some(entry) = &mut stamped {
                    entry.cut = true;
                }
                let (number, offset) = (line.number, line.offset);
                out.issue(Line { number, offset, bytes: &[], cut: true }.too_long(source))
            } else if let Some(entry) = &mut stamped {
                entry.push_line(&line.bytes);
                ControlFlow::Continue(())
            } else {
                let (entry, guessed) = lines.unstamped(line)?;
                let noted = if guessed {
                    let advice = "set HISTTIMEFORMAT, and the shell marks where a command begins";
                    history.note(&entry, "no timestamps: where this heredoc ends is a guess", advice, out)
                } else {
                    ControlFlow::Continue(())
                };
                if noted.is_break() { noted } else { history.entry(entry, out) }
            };
            if flow.is_break() {
                return Ok(());
            }
        }
    }

    /// Whether the first line that is not blank is a timestamp, and how many there are.
    pub(in crate::reader) fn count(self, sample: &Sample<'_>) -> (bool, usize) {
        let lines = sample.head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
        let mut stamps = lines.map(|line| (self.stamp)(line).is_some());
        let first = stamps.next().unwrap_or(false);
        (first, usize::from(first) + stamps.filter(|stamp| *stamp).count())
    }
}

fn finish(history: &History<'_>, entry: Entry, out: &mut dyn Out) -> ControlFlow<()> {
    if entry.text.iter().all(u8::is_ascii_whitespace) && !entry.cut {
        // Two shells wrote at once, or the command was kept out of the history.
        return history.note(&entry, "a timestamp without a command", "", out);
    }
    if entry.cut {
        let flow = history.note(&entry, "the entry is too long, its end is left out", "", out);
        if flow.is_break() {
            return flow;
        }
    }
    history.entry(entry, out)
}

/// Lines that can be looked at before they are taken.
struct Ahead<'r> {
    lines: Lines<'r>,
    stamp: fn(&[u8]) -> Option<Timestamp>,
    waiting: VecDeque<Owned>,
    /// How many bytes are waiting.
    bytes: usize,
}

struct Owned {
    number: u64,
    offset: u64,
    bytes: Vec<u8>,
    cut: bool,
    /// Set when the line is a timestamp.
    time: Option<Timestamp>,
}

impl Ahead<'_> {
    fn next(&mut self) -> io::Result<Option<Owned>> {
        if let Some(line) = self.waiting.pop_front() {
            self.bytes -= line.bytes.len();
            return Ok(Some(line));
        }
        self.fetch()
    }

    fn fetch(&mut self) -> io::Result<Option<Owned>> {
        let stamp = self.stamp;
        Ok(self.lines.next_line()?.map(|line| Owned {
            number: line.number,
            offset: line.offset,
            bytes: line.bytes.to_vec(),
            cut: line.cut,
            time: stamp(line.bytes),
        }))
    }

    /// The line `at` lines further on, if it may belong to the entry that starts here.
    fn peek(&mut self, at: usize) -> Option<&Owned> {
        while self.waiting.len() <= at {
            if at >= MAX_AHEAD_LINES || self.bytes > MAX_AHEAD_BYTES {
                return None;
            }
            // An error shows again when the line is really taken.
            let line = self.fetch().ok()??;
            self.bytes += line.bytes.len();
            self.waiting.push_back(line);
        }
        self.waiting.get(at).filter(|line| line.time.is_none() && !line.cut)
    }

    /// The entry that starts on a line with no timestamp, and whether its end is a guess.
    fn unstamped(&mut self, first: Owned) -> io::Result<(Entry, bool)> {
        let mut entry = Entry::at(first.number, first.offset);
        entry.push_line(&first.bytes);
        while goes_on(&entry.text) && self.peek(0).is_some() {
            self.take_into(&mut entry)?;
        }
        let mut body = 0;
        for delimiter in heredoc::opened(&entry.text) {
            let mut at = body;
            while let Some(line) = self.peek(at) {
                at += 1;
                if delimiter.ends(&line.bytes) {
                    body = at;
                    break;
                }
            }
        }
        for _ in 0..body {
            self.take_into(&mut entry)?;
        }
        Ok((entry, body > 0))
    }

    fn take_into(&mut self, entry: &mut Entry) -> io::Result<()> {
        if let Some(line) = self.next()? {
            entry.push_line(&line.bytes);
        }
        Ok(())
    }
}

/// An odd number of backslashes at the end escapes the newline.
fn goes_on(text: &[u8]) -> bool {
    text.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}
