//! Archives: what is inside, and each entry as a stream, read from where it lies. Nothing is ever written, so that no name
//! leads anywhere.

mod tar;
mod zip;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::unpack;
use super::xz::Xz;

/// An archive that is open.
#[derive(Debug)]
pub(super) struct Archive {
    store: Store,
    /// The file that all of it is in.
    path: PathBuf,
    pub(super) entries: Vec<Entry>,
    /// What was wrong with the archive as a whole; its entries, or some of them, are read all the same.
    pub(super) problem: Option<String>,
}

/// Where its bytes are.
#[derive(Clone, Debug)]
pub(super) enum Store {
    File(PathBuf),
    Memory(Arc<[u8]>),
}

/// One file inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// With `/` between folders, as the archive has it otherwise.
    pub(super) name: String,
    /// Bytes as it is stored.
    pub(super) packed: u64,
    /// Bytes of its content.
    pub(super) size: u64,
    packing: Packing,
    checksum: Option<u32>,
    start: Start,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Stored,
    Deflated,
    Zstd,
    Bzip2,
    Xz,
    /// By the number that the format has for it.
    Unknown(u16),
    Encrypted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// A header of its own comes before its content.
    Header(u64),
    Content(u64),
    /// The same bytes are those of another entry: a few of them could stand for any number of files.
    Overlapping,
}

/// Why an archive, or an entry, is not read.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub(super) struct Unread {
    pub(super) problem: String,
    pub(super) advice: String,
}

impl Unread {
    fn new(problem: impl Into<String>, advice: &str) -> Self {
        Self { problem: problem.into(), advice: advice.to_owned() }
    }
}

/// Whether a file that begins like this is an archive which is read.
pub(super) fn is_archive(head: &[u8]) -> bool {
    zip::is_zip(head) || tar::is_tar(head)
}

/// Enough of a file's start to know an archive by.
pub(super) const HEAD: usize = 512;

/// The most files that an archive may have.
const MOST_ENTRIES: usize = 1 << 20;
/// Packed better than this, a large file is made to fill a disk, not to be read.
const MOST_RATIO: u64 = 2_000;
const LARGE: u64 = 1 << 30;

impl Archive {
    /// Lists what is inside.
    ///
    /// # Errors
    /// When it is no archive, or its list of entries cannot be read. What is damaged behind it is told by the entry.
    pub(super) fn open(store: Store, path: &Path) -> Result<Self, Unread> {
        let failed = |error: io::Error| Unread::new(format!("cannot be read: {error}"), "");
        let mut bytes = store.open().map_err(failed)?;
        let mut head = Vec::new();
        bytes.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(failed)?;
        let (mut entries, problem) =
            if zip::is_zip(&head) { zip::list(&mut *bytes)? } else { tar::list(&mut *bytes).map_err(failed)? };
        entries.truncate(MOST_ENTRIES);
        Ok(Self { store, path: path.to_owned(), entries, problem })
    }

    pub(super) fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// An entry's content. It ends with an error where it is not what the archive says it is.
    ///
    /// # Errors
    /// When it is encrypted, packed in an unknown way, or not where it should be.
    pub(super) fn read(
        &self,
        entry: &Entry,
        count: impl FnMut(u64) + Send + 'static,
    ) -> io::Result<Box<dyn BufRead + Send>> {
        let refused = |problem: String, advice: &str| io::Error::other(Unread::new(problem, advice));
        match entry.packing {
            Packing::Encrypted => {
                return Err(refused(
                    "encrypted".to_owned(),
                    "unpack the archive with its password and name the folder",
                ));
            }
            Packing::Unknown(method) => {
                let name = zip::method_name(method);
                let problem = format!("packed in a way that is not read ({name})");
                return Err(refused(problem, "unpack the archive into a folder and name the folder"));
            }
            _ if entry.size > LARGE && entry.size / entry.packed.max(1) > MOST_RATIO => {
                let problem = format!("{} bytes that say they are {}", entry.packed, entry.size);
                return Err(refused(problem, "unpack it first, if that is what it should be"));
            }
            _ => {}
        }
        let mut bytes = self.store.open()?;
        let at = match entry.start {
            Start::Content(at) => at,
            Start::Header(at) => zip::content(&mut *bytes, at).ok_or_else(|| {
                refused(format!("not where the archive says, at byte {at}"), "copy the archive again")
            })?,
            Start::Overlapping => {
                return Err(refused(
                    "its bytes are those of another entry".to_owned(),
                    "unpack the archive with a tool you trust",
                ));
            }
        };
        bytes.seek(SeekFrom::Start(at))?;
        let raw = BufReader::with_capacity(unpack::BUFFER, Counted { raw: bytes.take(entry.packed), count });
        let content: Box<dyn Read + Send> = match entry.packing {
            Packing::Deflated => Box::new(unpack::located("zip", flate2::bufread::DeflateDecoder::new(raw))),
            Packing::Zstd => Box::new(unpack::located("zip", unpack::zstd(raw))),
            Packing::Bzip2 => Box::new(unpack::located("zip", bzip2::bufread::BzDecoder::new(raw))),
            Packing::Xz => Box::new(unpack::located("zip", Xz::new(raw))),
            _ => Box::new(raw),
        };
        let checked =
            Checked { content, left: entry.size, sum: flate2::Crc::new(), expected: entry.checksum, failed: None };
        Ok(Box::new(BufReader::with_capacity(unpack::BUFFER, checked)))
    }

    /// The first bytes of an entry, as far as they can be read.
    pub(super) fn head(&self, entry: &Entry) -> Vec<u8> {
        let mut head = Vec::new();
        if let Ok(content) = self.read(entry, |_| {}) {
            // What is wrong with it is said when all of it is read.
            let _ = content.take(HEAD as u64).read_to_end(&mut head);
        }
        head
    }

    /// A whole entry, when it is no longer than that.
    ///
    /// # Errors
    /// When it is longer, or cannot be read.
    pub(super) fn whole(&self, entry: &Entry, most: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.read(entry, |_| {})?.take(most + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most {
            let problem = format!("longer than {} MiB inside of an archive", most >> 20);
            return Err(io::Error::other(Unread::new(problem, "unpack it first and name the file")));
        }
        Ok(bytes)
    }

    /// The file it is in.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Bytes that can be read from anywhere.
trait Bytes: Read + Seek + Send {}

impl<B: Read + Seek + Send> Bytes for B {}

impl Store {
    fn open(&self) -> io::Result<Box<dyn Bytes>> {
        Ok(match self {
            Self::File(path) => Box::new(File::open(path)?),
            Self::Memory(bytes) => Box::new(io::Cursor::new(Arc::clone(bytes))),
        })
    }
}

/// Tells how many stored bytes went through, for progress.
struct Counted<R, C> {
    raw: R,
    count: C,
}

impl<R: Read, C: FnMut(u64)> Read for Counted<R, C> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.raw.read(buffer)?;
        (self.count)(read as u64);
        Ok(read)
    }
}

/// Content that is as long as the archive says, and has the checksum it says.
struct Checked {
    content: Box<dyn Read + Send>,
    /// Bytes that are still to come.
    left: u64,
    sum: flate2::Crc,
    expected: Option<u32>,
    /// What is wrong, said again to whoever asks again.
    failed: Option<(io::ErrorKind, String)>,
}

impl Checked {
    fn fail(&mut self, kind: io::ErrorKind, problem: String) -> io::Error {
        self.failed = Some((kind, problem.clone()));
        io::Error::new(kind, problem)
    }
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some((kind, problem)) = &self.failed {
            return Err(io::Error::new(*kind, problem.clone()));
        }
        let read = self.content.read(buffer)?;
        if read as u64 > self.left {
            let problem = "longer than the archive says, damaged or made to be".to_owned();
            return Err(self.fail(io::ErrorKind::InvalidData, problem));
        }
        self.left -= read as u64;
        if let Some(read) = buffer.get(..read) {
            self.sum.update(read);
        }
        if read > 0 || buffer.is_empty() {
            return Ok(read);
        }
        if self.left > 0 {
            let problem = format!("truncated: {} bytes of it are missing", self.left);
            return Err(self.fail(io::ErrorKind::UnexpectedEof, problem));
        }
        match self.expected.take() {
            Some(expected) if expected != self.sum.sum() => {
                let problem =
                    format!("damaged: its checksum is {:08x}, the archive says {expected:08x}", self.sum.sum());
                Err(self.fail(io::ErrorKind::InvalidData, problem))
            }
            _ => Ok(0),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
