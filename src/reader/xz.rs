//! What is packed with xz: streams of blocks, each with a sum over its content, unpacked as they are read.
//!
//! Written after "The .xz File Format" 1.2.1 (<https://tukaani.org/xz/xz-file-format.txt>). Memory is the window that the
//! file asks for, and half as much again; a file that asks for more than [`MAX_WINDOW`] is refused. Filters for programs
//! (BCJ) and for sound (delta) are not known: logs are not packed with them.

mod check;
mod lzma;

use std::io::{self, BufRead, Read};

use flate2::Crc;

use check::Check;
use lzma::Lzma2;

/// The first bytes of a stream.
pub(super) const MAGIC: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0];
const END_MAGIC: [u8; 2] = *b"YZ";
/// A stream's header, and its footer.
const STREAM_BYTES: u64 = 12;
const LZMA2: u64 = 0x21;
/// `xz -9` asks for 64 MiB.
const MAX_WINDOW: u64 = 256 << 20;
/// Blocks of which an index is checked one by one.
const MAX_RECORDS: usize = 1 << 20;

/// Unpacks what it reads.
pub(super) struct Xz<R> {
    source: Source<R>,
    at: At,
    lzma: Lzma2,
    /// Kind of the sums in this stream, by its number.
    kind: u8,
    /// What the index has to say of this stream's blocks: stored bytes without padding, and unpacked ones.
    blocks: Vec<(u64, u64)>,
    /// Told when everything before it was given.
    failed: Option<io::Error>,
}

enum At {
    Stream,
    Block,
    Data(Block),
    /// Behind a stream: zeros, another stream, or the end.
    Behind,
    End,
}

/// A block that is being unpacked.
struct Block {
    start: u64,
    header: u64,
    /// What its header says of it, where it does.
    stored: Option<u64>,
    unpacked: Option<u64>,
    given: u64,
    check: Check,
}

impl<R: BufRead> Xz<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source: Source { inner: source, at: 0 },
            at: At::Stream,
            lzma: Lzma2::default(),
            kind: 0,
            blocks: Vec::new(),
            failed: None,
        }
    }

    /// Goes one step on; content that it finds waits in `lzma`.
    fn step(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.at, At::End) {
            At::Stream => {
                self.stream()?;
                self.at = At::Block;
            }
            At::Block => {
                let size = self.source.byte()?;
                self.at = if size == 0 {
                    self.index()?;
                    At::Behind
                } else {
                    At::Data(self.block(size)?)
                };
            }
            At::Data(mut block) => {
                let more = self.lzma.chunk(&mut self.source);
                let new = self.lzma.waiting();
                block.given += new.len() as u64;
                block.check.add(new);
                self.at = if more? {
                    At::Data(block)
                } else {
                    self.end_of_block(block)?;
                    At::Block
                };
            }
            At::Behind => self.behind()?,
            At::End => self.at = At::End,
        }
        Ok(())
    }

    fn stream(&mut self) -> io::Result<()> {
        let mut header = [0; 12];
        self.source.exact(&mut header)?;
        if header[..6] != MAGIC {
            return Err(self.source.damaged("no stream begins here"));
        }
        if crc32(&header[6..8]) != little(&header[8..]) {
            return Err(self.source.damaged("the sum over a stream's header is wrong"));
        }
        if header[6] != 0 || header[7] & 0xf0 != 0 {
            return Err(self.source.damaged("a newer format than is known here"));
        }
        self.kind = header[7];
        self.blocks.clear();
        Ok(())
    }

    fn block(&mut self, size: u8) -> io::Result<Block> {
        let start = self.source.at - 1;
        let header = (u64::from(size) + 1) * 4;
        let mut bytes = vec![0; header as usize];
        bytes[0] = size;
        self.source.exact(&mut bytes[1..])?;
        let (bytes, sum) = bytes.split_at(header as usize - 4);
        if crc32(bytes) != little(sum) {
            return Err(self.source.damaged("the sum over a block's header is wrong"));
        }
        let mut fields = &bytes[2..];
        let flags = bytes[1];
        let mut size_if = |bit: u8| if flags & bit == 0 { Some(None) } else { number(&mut fields).map(Some) };
        let (stored, unpacked) = (size_if(0x40), size_if(0x80));
        let (Some(stored), Some(unpacked)) = (stored, unpacked) else {
            return Err(self.source.damaged("a block's header breaks off"));
        };
        if flags & 0x3c != 0 {
            return Err(self.source.damaged("a newer format than is known here"));
        }
        let (filter, length) = (number(&mut fields), number(&mut fields));
        let window = match (flags & 3, filter, length, fields.first()) {
            (0, Some(LZMA2), Some(1), Some(window)) => window & 0x3f,
            (_, Some(filter), ..) => {
                let problem =
                    format!("it is packed with a filter (0x{filter:02x}) that is not known here: unpack it with xz");
                return Err(self.source.damaged(&problem));
            }
            _ => return Err(self.source.damaged("a block's header breaks off")),
        };
        let window = match window {
            40 => u64::from(u32::MAX),
            0..40 => (2 | u64::from(window & 1)) << (window / 2 + 11),
            _ => return Err(self.source.damaged("a block asks for a window of no size")),
        };
        if window > MAX_WINDOW {
            let problem = format!(
                "it needs {} MB of memory to unpack, {} are given: unpack it with xz",
                window >> 20,
                MAX_WINDOW >> 20
            );
            return Err(self.source.damaged(&problem));
        }
        self.lzma.begin(window as usize);
        Ok(Block { start, header, stored, unpacked, given: 0, check: Check::new(self.kind) })
    }

    fn end_of_block(&mut self, block: Block) -> io::Result<()> {
        let end = self.source.at;
        let stored = end - block.start - block.header;
        while !(self.source.at - block.start).is_multiple_of(4) {
            if self.source.byte()? != 0 {
                return Err(self.source.damaged("something else than zeros fills up a block"));
            }
        }
        let mut sum = [0; 64];
        let sum = &mut sum[..check::bytes(self.kind)];
        self.source.exact(sum)?;
        if block.stored.is_some_and(|said| said != stored) || block.unpacked.is_some_and(|said| said != block.given) {
            return Err(self.source.damaged("a block is not as long as its header says"));
        }
        self.blocks.push((end - block.start + sum.len() as u64, block.given));
        if !block.check.is(sum) {
            return Err(self
                .source
                .damaged("the sum over a block's content is wrong: what came out of it is not what was packed"));
        }
        Ok(())
    }

    /// The list of blocks and the stream's footer.
    fn index(&mut self) -> io::Result<()> {
        let start = self.source.at - 1;
        let mut sum = Crc::new();
        sum.update(&[0]);
        let count = self.source.number(&mut sum)?;
        let mut same = count == self.blocks.len() as u64;
        for record in 0..count {
            let said = (self.source.number(&mut sum)?, self.source.number(&mut sum)?);
            same &= record >= MAX_RECORDS as u64 || self.blocks.get(record as usize) == Some(&said);
        }
        while !(self.source.at - start).is_multiple_of(4) {
            let byte = self.source.byte()?;
            sum.update(&[byte]);
            same &= byte == 0;
        }
        let size = self.source.at - start + 4;
        let mut stored = [0; 4];
        self.source.exact(&mut stored)?;
        if !same || sum.sum() != little(&stored) {
            return Err(self.source.damaged("a stream's list of blocks is not that of its blocks"));
        }
        let mut footer = [0; STREAM_BYTES as usize];
        self.source.exact(&mut footer)?;
        let back = (u64::from(little(&footer[4..8])) + 1) * 4;
        let right = crc32(&footer[4..10]) == little(&footer[..4]) && footer[8..10] == [0, self.kind] && back == size;
        if !right || footer[10..] != END_MAGIC {
            return Err(self.source.damaged("the end of a stream is not what its beginning says"));
        }
        Ok(())
    }

    fn behind(&mut self) -> io::Result<()> {
        let mut zeros = 0_u64;
        loop {
            match self.source.peek()? {
                Some(0) => {
                    self.source.byte()?;
                    zeros += 1;
                }
                _ if !zeros.is_multiple_of(4) => {
                    return Err(self.source.damaged("zeros behind a stream come in fours"));
                }
                Some(_) => {
                    self.at = At::Stream;
                    return Ok(());
                }
                None => return Ok(()),
            }
        }
    }
}

impl<R: BufRead> Read for Xz<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let given = self.lzma.take(buffer);
            if given > 0 || buffer.is_empty() {
                return Ok(given);
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            if matches!(self.at, At::End) {
                return Ok(0);
            }
            // What could still be unpacked comes out first.
            self.failed = self.step().err();
        }
    }
}

/// Bytes with their place in the file.
struct Source<R> {
    inner: R,
    at: u64,
}

impl<R: BufRead> Source<R> {
    fn exact(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.inner.read_exact(bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.exact(&mut byte)?;
        Ok(byte[0])
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.inner.fill_buf()?.first().copied())
    }

    /// As many of the next `wanted` bytes as there are.
    fn up_to(&mut self, wanted: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
        bytes.clear();
        (&mut self.inner).take(wanted as u64).read_to_end(bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// A number of one to nine bytes.
    fn number(&mut self, sum: &mut Crc) -> io::Result<u64> {
        let mut bytes = Vec::new();
        loop {
            let byte = self.byte()?;
            sum.update(&[byte]);
            bytes.push(byte);
            if byte & 0x80 == 0 || bytes.len() == 9 {
                return number(&mut &bytes[..]).ok_or_else(|| self.damaged("a number that is none"));
            }
        }
    }

    fn damaged(&self, problem: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("{problem} (byte {} of the file)", self.at))
    }
}

/// Takes a number of one to nine bytes, seven bits in each, lowest first.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for place in 0..9 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            // The shortest form is the only one.
            return (*byte != 0 || place == 0).then_some(value);
        }
    }
    None
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = Crc::new();
    sum.update(bytes);
    sum.sum()
}

fn little(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).rev().fold(0, |all, byte| all << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests;
