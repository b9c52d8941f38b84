//! Pages by their number, from the file or from the log of pages over it. One is read at a time; keeping them is the
//! operating system's work.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};

use super::record::Encoding;
use super::wal::{Wal, valid_page_size};
use super::{MAGIC, Problem};

/// Bytes that can be read from anywhere.
pub trait Stored: Read + Seek + Send {}

impl<R: Read + Seek + Send> Stored for R {}

impl fmt::Debug for dyn Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stored")
    }
}

/// The bytes before the first page's own header.
pub(super) const FILE_HEADER: usize = 100;

/// The pages of one database.
#[derive(Debug)]
pub(super) struct Pages {
    file: Box<dyn Stored>,
    /// Bytes of the file as it is stored.
    length: u64,
    wal: Option<Wal>,
    size: u32,
    /// Bytes of a page that hold something; the rest is kept for extensions.
    pub(super) usable: usize,
    /// Pages there are: in the file, or after the last commit of the log.
    pub(super) count: u32,
}

impl Pages {
    pub(super) fn open(
        mut file: Box<dyn Stored>,
        wal: Option<Box<dyn Stored>>,
        problems: &mut Vec<Problem>,
    ) -> Result<(Self, Encoding), Problem> {
        let failed = |error: io::Error| Problem::new(0, format!("cannot be read: {error}"));
        let length = file.seek(SeekFrom::End(0)).map_err(failed)?;
        let wal = match wal {
            Some(wal) => Wal::open(wal, problems).map_err(failed)?,
            None => None,
        };
        let mut header = vec![0; FILE_HEADER];
        let own = read_at(&mut file, 0, &mut header).ok().and_then(|()| page_size(&header));
        let is_other = |wal: &Wal| own.is_some_and(|own| own != wal.page_size);
        let wal = match wal {
            Some(wal) if is_other(&wal) => {
                let problem =
                    "the `-wal` beside the file has pages of another size: it is of another database, and is left out";
                problems.push(Problem { lost: false, ..Problem::new(0, problem) });
                None
            }
            wal => wal,
        };
        let mut pages = Self { file, length, wal, size: 0, usable: 0, count: 0 };
        pages
            .wal
            .as_mut()
            .and_then(|wal| wal.page(1, &mut header))
            .unwrap_or_else(|| read_at(&mut pages.file, 0, &mut header))
            .map_err(|_| Problem::new(0, "an SQLite database without a whole first page"))?;
        let byte = |at: usize| header.get(at).copied().unwrap_or(0);
        let word =
            |at: usize| header.get(at..at + 4).and_then(|word| word.try_into().ok()).map_or(0, u32::from_be_bytes);
        if !header.starts_with(MAGIC) {
            return Err(Problem { advice: String::new(), ..Problem::new(0, "no SQLite database") });
        }
        pages.size = page_size(&header).ok_or_else(|| {
            let said = u32::from(byte(16)) << 8 | u32::from(byte(17));
            Problem::new(16, format!("an SQLite database with pages of {said} bytes"))
        })?;
        if byte(19) > 2 {
            return Err(Problem::new(19, format!("an SQLite database of version {}, which nobody knows", byte(19))));
        }
        pages.usable = pages.size as usize - usize::from(byte(20));
        if pages.usable < 480 {
            return Err(Problem::new(20, format!("an SQLite database that keeps {} bytes of each page", byte(20))));
        }
        let encoding = match word(56) {
            0 | 1 => Encoding::Utf8,
            2 => Encoding::Utf16Le,
            3 => Encoding::Utf16Be,
            other => {
                return Err(Problem::new(
                    56,
                    format!("an SQLite database with texts in an unknown encoding ({other})"),
                ));
            }
        };
        let stored = u32::try_from(length.div_ceil(u64::from(pages.size))).unwrap_or(u32::MAX);
        // The header counts its pages only where a program that knows of it wrote last.
        let said = if word(24) == word(92) { word(28) } else { 0 };
        let expected = pages.wal.as_ref().map_or(said, |wal| wal.count);
        pages.count = stored.max(pages.wal.as_ref().map_or(0, |wal| wal.count.min(stored.saturating_add(wal.len()))));
        if pages.wal.is_none() && u64::from(expected) * u64::from(pages.size) > length {
            let problem =
                format!("the file is cut off: {length} bytes of {}", u64::from(expected) * u64::from(pages.size));
            problems.push(Problem { lost: false, ..Problem::new(length, problem) });
        }
        Ok((pages, encoding))
    }

    /// A whole page. What an offset inside of it is in the file says [`Pages::offset`].
    pub(super) fn page(&mut self, number: u32, from: u64) -> Result<Vec<u8>, Problem> {
        if number == 0 || number > self.count {
            let problem = format!("a reference to page {number}, of which there are {}", self.count);
            return Err(Problem::new(from, problem));
        }
        let mut page = vec![0; self.size as usize];
        let at = self.offset(number, 0);
        let logged = self.wal.as_mut().and_then(|wal| wal.page(number, &mut page));
        let read = logged.unwrap_or_else(|| read_at(&mut self.file, at, &mut page));
        match read {
            Ok(()) => Ok(page),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(Problem::new(at.min(self.length), format!("page {number} is missing: the file is cut off")))
            }
            Err(error) => Err(Problem::new(at, format!("page {number} cannot be read: {error}"))),
        }
    }

    /// Where a byte of a page stands in the file, or will when the log is copied into it.
    pub(super) fn offset(&self, number: u32, inside: usize) -> u64 {
        u64::from(number.saturating_sub(1)) * u64::from(self.size) + inside as u64
    }
}

/// The size of pages that a file's header states.
fn page_size(header: &[u8]) -> Option<u32> {
    let [high, low] = *header.strip_prefix(MAGIC)?.first_chunk::<2>()?;
    let size = match u32::from(high) << 8 | u32::from(low) {
        1 => 65_536,
        size => size,
    };
    valid_page_size(size).then_some(size)
}

fn read_at(file: &mut Box<dyn Stored>, at: u64, buffer: &mut [u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(buffer)
}
