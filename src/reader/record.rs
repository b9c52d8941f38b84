//! Lines and records: bounded, located, tolerant of `\r\n`, a missing last newline and bytes that are not UTF-8.

use std::borrow::Cow;
use std::io::{self, BufRead};

use sha2::{Digest, Sha256};

use super::Source;
use crate::model::{ActionId, Issue, Origin};

/// A line longer than this is refused, not buffered.
pub const MAX_LINE: usize = 64 << 20;

/// The note on a record whose text is not UTF-8.
pub const NOT_UTF8: &str = "not UTF-8; the odd bytes are shown as `\u{fffd}`";

/// A line without its line ending.
#[derive(Debug)]
pub struct Line<'a> {
    /// 1-based.
    pub number: u64,
    /// Byte offset of its first byte in the unpacked file.
    pub offset: u64,
    pub bytes: &'a [u8],
    /// Longer than [`MAX_LINE`]: `bytes` is its start, the rest was skipped.
    pub cut: bool,
}

impl Line<'_> {
    /// Where a record that starts on this line stands.
    pub fn origin(&self, source: &Source, format: &'static str) -> Origin {
        Origin { file: source.file.clone(), line: self.number, offset: self.offset, format }
    }

    /// An issue on this line that costs a record.
    pub fn lost(&self, source: &Source, problem: impl Into<String>, advice: impl Into<String>) -> Issue {
        Issue {
            file: source.file.clone(),
            line: self.number,
            offset: self.offset,
            problem: problem.into(),
            advice: advice.into(),
            lost: true,
        }
    }

    /// An issue on this line that is only worth a note: the record is read nevertheless.
    pub fn note(&self, source: &Source, problem: impl Into<String>, advice: impl Into<String>) -> Issue {
        Issue { lost: false, ..self.lost(source, problem, advice) }
    }

    /// The issue of a line that was [`cut`](Self::cut).
    pub fn too_long(&self, source: &Source) -> Issue {
        self.lost(source, format!("line longer than {} MiB", MAX_LINE >> 20), "split the record or leave it out")
    }
}

/// Reads lines with bounded memory.
#[allow(missing_debug_implementations, reason = "holds a reader")]
pub struct Lines<'r> {
    input: &'r mut dyn BufRead,
    buffer: Vec<u8>,
    number: u64,
    offset: u64,
    limit: usize,
}

impl<'r> Lines<'r> {
    pub fn new(input: &'r mut dyn BufRead) -> Self {
        Self::with_limit(input, MAX_LINE)
    }

    /// Like [`Lines::new`], with another limit than [`MAX_LINE`].
    pub fn with_limit(input: &'r mut dyn BufRead, limit: usize) -> Self {
        Self { input, buffer: Vec::new(), number: 0, offset: 0, limit }
    }

    /// The next line, or `None` at the end.
    ///
    /// # Errors
    /// When the input cannot be read any further.
    pub fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        let (mut read, mut cut, mut ended) = (0u64, false, false);
        while !ended {
            let available = match self.input.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                break;
            }
            let newline = memchr::memchr(b'\n', available);
            let content = &available[..newline.unwrap_or(available.len())];
            let used = content.len() + usize::from(newline.is_some());
            let room = self.limit.saturating_sub(self.buffer.len());
            cut |= content.len() > room;
            self.buffer.extend_from_slice(&content[..content.len().min(room)]);
            read += used as u64;
            ended = newline.is_some();
            self.input.consume(used);
        }
        if read == 0 {
            return Ok(None);
        }
        let offset = self.offset;
        self.offset += read;
        self.number += 1;
        let mut bytes = &self.buffer[..];
        if ended && !cut {
            bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        }
        if self.number == 1 {
            bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        }
        Ok(Some(Line { number: self.number, offset, bytes, cut }))
    }
}

/// The id of a record: the same parts give the same id on any machine.
pub fn action_id(parts: &[&[u8]]) -> ActionId {
    let mut hash = Sha256::new();
    for part in parts {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    ActionId(u64::from_be_bytes(first))
}

/// The name of a file without its folders: what stays the same on every machine.
pub fn file_name(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

/// The shell-quoted form of an argv, as [`Action::text`](crate::model::Action::text) shows it.
pub fn quoted(argv: &[String]) -> String {
    let mut text = String::new();
    for word in argv {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&quoted_word(word));
    }
    text
}

fn quoted_word(word: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"%+,-./:=@_".contains(&byte) || byte >= 0x80;
    if !word.is_empty() && word.bytes().all(plain) {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads through a tiny buffer, so that every line crosses its edges.
    #[track_caller]
    fn check(input: &[u8], expected: &str) {
        let mut buffered = io::BufReader::with_capacity(3, input);
        let mut lines = Lines::with_limit(&mut buffered, 10);
        let mut seen = String::new();
        while let Some(line) = lines.next_line().unwrap() {
            let (bytes, cut) = (line.bytes.escape_ascii(), if line.cut { " cut" } else { "" });
            seen.push_str(&format!("{}@{} {bytes}{cut}\n", line.number, line.offset));
        }
        assert_eq!(seen, expected);
    }

    #[test]
    fn line_endings() {
        check(b"", "");
        check(b"\n", "1@0 \n");
        check(b"a\nb", "1@0 a\n2@2 b\n");
        check(b"a\r\n\r\nb\r", "1@0 a\n2@3 \n3@5 b\\r\n");
    }

    #[test]
    fn odd_bytes() {
        check(b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", "1@0 a\n2@5 \\xef\\xbb\\xbfb\n");
        check(b"a\0b\n\xff\xfe\n", "1@0 a\\x00b\n2@4 \\xff\\xfe\n");
    }

    #[test]
    fn long_lines_are_cut_and_the_next_one_is_whole() {
        check(b"0123456789\nx", "1@0 0123456789\n2@11 x\n");
        check(b"0123456789abc\r\nx\n", "1@0 0123456789 cut\n2@15 x\n");
        check(b"0123456789abc", "1@0 0123456789 cut\n");
    }

    #[test]
    fn ids_keep_parts_apart() {
        assert_ne!(action_id(&[b"ab", b"c"]), action_id(&[b"a", b"bc"]));
        assert_eq!(action_id(&[b"ab", b"c"]), action_id(&[b"ab", b"c"]));
    }

    #[test]
    fn argv_is_quoted_only_where_it_must_be() {
        let argv = ["rm", "-rf", "a b", "it's", "", "$x", "/tmp/ą"].map(str::to_owned);
        assert_eq!(quoted(&argv), r"rm -rf 'a b' 'it'\''s' '' '$x' /tmp/ą");
    }
}
