//! The log of pages beside a database (`-wal`): what was committed and has not been copied into the file yet.

use std::collections::HashMap;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};

use super::Problem;
use super::pages::Stored;

const HEADER: u64 = 32;
const FRAME: u64 = 24;
/// The only version there is.
const VERSION: u32 = 3_007_000;

/// What the log says of the database.
#[derive(Debug)]
pub(super) struct Wal {
    file: Box<dyn Stored>,
    /// Where the newest committed copy of a page stands in it.
    pages: HashMap<u32, u64>,
    /// Pages in the database after the last commit.
    pub(super) count: u32,
    pub(super) page_size: u32,
    /// What tells this log from the next one in the same file.
    salts: [u8; 8],
}

impl Wal {
    /// Pages that it has.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.pages.len()).unwrap_or(u32::MAX)
    }

    /// A page of it, `None` when it has none with that number.
    pub(super) fn page(&mut self, number: u32, page: &mut [u8]) -> Option<io::Result<()>> {
        let at = *self.pages.get(&number)?;
        Some(self.frame(number, at, page))
    }

    fn frame(&mut self, number: u32, at: u64, page: &mut [u8]) -> io::Result<()> {
        let mut header = [0; FRAME as usize];
        self.file.seek(SeekFrom::Start(at - FRAME))?;
        self.file.read_exact(&mut header)?;
        // Its program has copied it into the file and begun another one in its place.
        if header[..4] != number.to_be_bytes() || header[8..16] != self.salts {
            return Err(io::Error::other("the log was begun anew while it was read; read it again"));
        }
        self.file.read_exact(page)
    }

    /// Reads the log through; `None` when nothing in it was committed. A log that its own program would not take (of an
    /// older time, of another database) is none either.
    pub(super) fn open(mut file: Box<dyn Stored>, problems: &mut Vec<Problem>) -> io::Result<Option<Self>> {
        file.seek(SeekFrom::Start(0))?;
        let mut reader = BufReader::with_capacity(256 << 10, &mut file);
        let mut header = [0; HEADER as usize];
        if !filled(&mut reader, &mut header)? {
            return Ok(None);
        }
        let word =
            |at: usize| header.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_be_bytes);
        let big = match word(0) {
            0x377f_0682 => false,
            0x377f_0683 => true,
            _ => {
                problems.push(note("the `-wal` beside the file is no log of pages, and is left out"));
                return Ok(None);
            }
        };
        let (page_size, salts) = (word(8), (word(16), word(20)));
        let mut sum = Sum { big, first: 0, second: 0 };
        sum.add(&header[..24]);
        if word(4) != VERSION || !valid_page_size(page_size) || (sum.first, sum.second) != (word(24), word(28)) {
            problems.push(note("the `-wal` beside the file is damaged at its start, and is left out"));
            return Ok(None);
        }
        let mut frame = [0; FRAME as usize];
        let mut page = vec![0; page_size as usize];
        let (mut pages, mut pending, mut count, mut at) = (HashMap::new(), Vec::new(), 0, HEADER);
        // What was not committed, was overwritten by half, or is left of an earlier log is not there.
        while filled(&mut reader, &mut frame)? && filled(&mut reader, &mut page)? {
            let word =
                |at: usize| frame.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_be_bytes);
            sum.add(&frame[..8]);
            sum.add(&page);
            if (word(8), word(12)) != salts || (sum.first, sum.second) != (word(16), word(20)) || word(0) == 0 {
                break;
            }
            pending.push((word(0), at + FRAME));
            if word(4) > 0 {
                count = word(4);
                pages.extend(pending.drain(..));
            }
            at += FRAME + u64::from(page_size);
        }
        drop(reader);
        let stated = header.get(16..24).and_then(|salts| salts.try_into().ok()).unwrap_or_default();
        Ok((count > 0).then_some(Self { file, pages, count, page_size, salts: stated }))
    }
}

pub(super) fn valid_page_size(size: u32) -> bool {
    size.is_power_of_two() && (512..=65_536).contains(&size)
}

fn note(problem: &str) -> Problem {
    Problem { lost: false, ..Problem::new(0, problem) }
}

/// Whether there was enough to fill the buffer.
fn filled(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The checksum over everything so far.
struct Sum {
    big: bool,
    first: u32,
    second: u32,
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        let word = |word: [u8; 4]| if self.big { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) };
        for [a, b, c, d, e, f, g, h] in bytes.as_chunks().0 {
            self.first = self.first.wrapping_add(word([*a, *b, *c, *d])).wrapping_add(self.second);
            self.second = self.second.wrapping_add(word([*e, *f, *g, *h])).wrapping_add(self.first);
        }
    }
}
