//! Transcripts that are one JSON object per line: where each stands, and the first ones of a sample.

use std::borrow::Cow;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use memchr::memmem::Finder;
use serde::de::IgnoredAny;

use crate::reader::Sample;
use crate::reader::record::Lines;

/// Where a record stands.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct At {
    /// 1-based; 0 when the file as a whole is meant.
    pub(crate) line: u64,
    pub(crate) offset: u64,
}

/// Hands every line that is not blank to `each`; `None` is a line too long to be read.
pub(crate) fn each_line(
    input: &mut dyn BufRead,
    each: &mut dyn FnMut(Option<&str>, At) -> ControlFlow<()>,
) -> io::Result<()> {
    let mut lines = Lines::new(input);
    while let Some(line) = lines.next_line()? {
        let at = At { line: line.number, offset: line.offset };
        // Checking is several times faster than mending, and nearly every line is in order.
        let text = std::str::from_utf8(line.bytes).map_or_else(|_| String::from_utf8_lossy(line.bytes), Cow::Borrowed);
        let text = text.trim();
        let flow = match text {
            _ if line.cut => each(None, at),
            "" => ControlFlow::Continue(()),
            text => each(Some(text), at),
        };
        if flow.is_break() {
            break;
        }
    }
    Ok(())
}

/// Whether a line is one whole record without any of the words that records worth reading have: looking for them is far
/// cheaper than parsing.
pub(crate) fn is_silent(text: &str, telling: &[Finder<'_>]) -> bool {
    let is_whole = text.starts_with('{') && text.ends_with('}');
    is_whole && telling.iter().all(|finder| finder.find(text.as_bytes()).is_none())
}

/// Whether text is JSON of any kind.
pub(crate) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// The sample is the start of one line that is longer than the sample.
pub(crate) fn is_one_long_line(sample: &Sample<'_>) -> bool {
    !sample.complete && memchr::memchr(b'\n', sample.head).is_none()
}

/// Whether these bytes stand in those; a key between its quotes does not match where it is quoted inside a string.
pub(crate) fn has(bytes: &[u8], words: &str) -> bool {
    memchr::memmem::find(bytes, words.as_bytes()).is_some()
}

/// The complete lines a sample starts with that look like JSON objects, at most `most` of them.
pub(crate) fn first_lines<'a>(sample: &Sample<'a>, most: usize) -> impl Iterator<Item = &'a str> {
    let head = sample.head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sample.head);
    let whole = if sample.complete { head.len() } else { memchr::memrchr(b'\n', head).map_or(0, |at| at + 1) };
    let (lines, _) = head.split_at(whole);
    lines
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| line.starts_with(b"{") && line.ends_with(b"}"))
        .take(most)
        .filter_map(|line| std::str::from_utf8(line).ok())
}
