//! UTF-16 with a byte order mark (SQL Server, PowerShell, Windows exports) as UTF-8, in bounded pieces.

use std::io::{self, BufRead, Read};

/// Turns UTF-16 into UTF-8 while it is read; half a character becomes `U+FFFD`.
pub(super) struct Utf16<R> {
    source: R,
    big_endian: bool,
    /// UTF-8 that is ready, and how much of it was taken.
    ready: Vec<u8>,
    taken: usize,
    /// The first byte of a unit whose second byte is not there yet.
    half: Option<u8>,
    /// The first unit of a pair whose second unit is not there yet.
    high: Option<u16>,
}

impl<R: BufRead> Utf16<R> {
    /// `source` stands behind the byte order mark.
    pub(super) fn new(source: R, big_endian: bool) -> Self {
        Self { source, big_endian, ready: Vec::new(), taken: 0, half: None, high: None }
    }

    fn unit(&mut self, first: u8, second: u8) {
        let unit =
            if self.big_endian { u16::from_be_bytes([first, second]) } else { u16::from_le_bytes([first, second]) };
        let pair = match self.high.take() {
            Some(high) if (0xdc00..0xe000).contains(&unit) => return self.push(&[high, unit]),
            Some(high) => Some(high),
            None => None,
        };
        if let Some(alone) = pair {
            self.push(&[alone]);
        }
        if (0xd800..0xdc00).contains(&unit) { self.high = Some(unit) } else { self.push(&[unit]) }
    }

    fn push(&mut self, units: &[u16]) {
        for decoded in char::decode_utf16(units.iter().copied()) {
            let decoded = decoded.unwrap_or(char::REPLACEMENT_CHARACTER);
            self.ready.extend_from_slice(decoded.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
}

impl<R: BufRead> BufRead for Utf16<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.taken == self.ready.len() {
            self.ready.clear();
            self.taken = 0;
            let mut chunk = [0; 8 << 10];
            let read = match self.source.read(&mut chunk) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if read == 0 {
                if self.half.take().is_some() | self.high.take().is_some() {
                    self.push(&[0xfffd]);
                }
                break;
            }
            for &byte in &chunk[..read] {
                match self.half.take() {
                    Some(first) => self.unit(first, byte),
                    None => self.half = Some(byte),
                }
            }
        }
        Ok(&self.ready[self.taken..])
    }

    fn consume(&mut self, amount: usize) {
        self.taken = (self.taken + amount).min(self.ready.len());
    }
}

impl<R: BufRead> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(units: &[u16], cut: usize, expected: &str) {
        for big_endian in [false, true] {
            let mut bytes = Vec::new();
            for unit in units {
                bytes.extend(if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() });
            }
            bytes.truncate(bytes.len() - cut);
            let mut text = String::new();
            let mut odd = io::BufReader::with_capacity(3, &bytes[..]);
            Utf16::new(&mut odd, big_endian).read_to_string(&mut text).unwrap();
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn transcodes() {
        check(&"rm ą 🦀\r\n".encode_utf16().collect::<Vec<_>>(), 0, "rm ą 🦀\r\n");
    }

    #[test]
    fn broken_pairs_are_replaced() {
        check(&[0xd83e, u16::from(b'a')], 0, "\u{fffd}a");
        check(&[0xdc00, u16::from(b'a'), 0xd83e], 0, "\u{fffd}a\u{fffd}");
        check(&[u16::from(b'a'), u16::from(b'b')], 1, "a\u{fffd}");
    }
}
