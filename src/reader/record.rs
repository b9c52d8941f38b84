//! Lines and records: bounded, located, tolerant of `\r\n`, a missing last newline and bytes that are not UTF-8.

use std::io::{self, BufRead};

use sha2::{Digest, Sha256};

use crate::model::ActionId;

/// A line longer than this is refused, not buffered.
pub const MAX_LINE: usize = 64 << 20;

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

/// Reads lines with bounded memory.
#[allow(missing_debug_implementations, reason = "holds a reader")]
pub struct Lines<'r> {
    input: &'r mut dyn BufRead,
    buffer: Vec<u8>,
    number: u64,
    offset: u64,
}

impl<'r> Lines<'r> {
    pub fn new(input: &'r mut dyn BufRead) -> Self {
        Self { input, buffer: Vec::new(), number: 0, offset: 0 }
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
            let used = newline.map_or(available.len(), |at| at + 1);
            let room = MAX_LINE.saturating_sub(self.buffer.len());
            cut |= used > room;
            self.buffer.extend_from_slice(&available[..used.min(room)]);
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
            bytes = &bytes[..bytes.len() - 1];
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
