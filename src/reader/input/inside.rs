//! From an archive to the inputs inside of it: each entry is a file as if it lay in a folder, shown as
//! `archive.zip!/path/inside`. An evaluation log of Inspect AI is one file, whatever it is packed in.

use std::collections::{HashMap, VecDeque};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{From, Input};
use crate::model::Issue;
use crate::reader::archive::{self, Archive, Entry, Store};
use crate::reader::{sqlite, unpack};

/// What is packed as a whole (`.tar.gz`), or an archive inside of another, is held in memory up to this size.
const MOST_IN_MEMORY: u64 = 512 << 20;

/// The inputs in the archive at `path`, shown as `file`; `None` when it is none.
pub(super) fn expand(file: &Arc<str>, path: &Path, issues: &mut Vec<Issue>) -> Option<Vec<Input>> {
    let store = store(path)?;
    let mut inputs = Vec::new();
    match Archive::open(store, path) {
        Ok(archive) => list(file, Arc::new(archive), 0, &mut inputs, issues),
        Err(unread) => issues.push(issue(file, &unread.problem, &unread.advice, true)),
    }
    Some(inputs)
}

/// The bytes of a file that is an archive, or has one packed in it.
fn store(path: &Path) -> Option<Store> {
    // Whoever opens a pipe waits for it, and what was taken out of it is gone.
    fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    let file = File::open(path).ok()?;
    let mut reader: Box<dyn BufRead + Send> = Box::new(BufReader::new(file));
    let (head, _) = unpack::start(&mut reader, archive::HEAD).ok()?;
    if archive::is_archive(&head) {
        return Some(Store::File(path.to_owned()));
    }
    if !unpack::is_packed(&head) {
        return None;
    }
    let (mut reader, _) = unpack::unpack(Box::new(io::Cursor::new(head).chain(reader))).ok()?;
    let (head, _) = unpack::start(&mut reader, archive::HEAD).ok()?;
    if !archive::is_archive(&head) {
        return None;
    }
    let mut bytes = head;
    // One that breaks off is read as far as it goes.
    let _ = reader.take(MOST_IN_MEMORY).read_to_end(&mut bytes);
    ((bytes.len() as u64) < MOST_IN_MEMORY).then(|| Store::Memory(bytes.into()))
}

fn list(file: &Arc<str>, archive: Arc<Archive>, depth: usize, inputs: &mut Vec<Input>, issues: &mut Vec<Issue>) {
    if let Some(problem) = &archive.problem {
        issues.push(issue(file, problem, "copy the archive again", true));
    }
    if let Some(parts) = evaluation(&archive) {
        inputs.push(Input { file: Arc::clone(file), from: From::Joined(archive, parts) });
        return;
    }
    if archive.entries.is_empty() {
        issues.push(issue(file, "no files in the archive", "", false));
    }
    let places: HashMap<&str, usize> =
        archive.entries.iter().enumerate().map(|(index, entry)| (entry.name.as_str(), index)).collect();
    let is_database = |name: &str| {
        let entry = places.get(name).and_then(|index| archive.entries.get(*index));
        entry.is_some_and(|entry| archive.head(entry).starts_with(sqlite::MAGIC))
    };
    let mut notes = 0u64;
    for (index, entry) in archive.entries.iter().enumerate() {
        let name = entry.name.as_str();
        if name.starts_with("__MACOSX/") {
            notes += 1;
            continue;
        }
        // Read with the database beside it.
        if super::companion_of(name).is_some_and(is_database) {
            continue;
        }
        let shown: Arc<str> = Arc::from(format!("{file}!/{}", name.trim_start_matches('/')));
        if depth == 0 && archive::is_archive(&archive.head(entry)) {
            let inner = archive.whole(entry, MOST_IN_MEMORY).map_err(|error| {
                let (problem, advice) = super::unread(&error);
                issue(&shown, &problem, &advice, true)
            });
            let opened = inner.and_then(|bytes| {
                let opened = Archive::open(Store::Memory(bytes.into()), archive.path());
                opened.map_err(|unread| issue(&shown, &unread.problem, &unread.advice, true))
            });
            match opened {
                Ok(inner) => list(&shown, Arc::new(inner), depth + 1, inputs, issues),
                Err(issue) => issues.push(issue),
            }
            continue;
        }
        inputs.push(Input { file: shown, from: From::Inside(Arc::clone(&archive), index) });
    }
    if notes > 0 {
        let problem = format!("below `__MACOSX`, what macOS knows about other files, not read: {notes}");
        issues.push(issue(file, &problem, "", false));
    }
}

fn issue(file: &Arc<str>, problem: &str, advice: &str, lost: bool) -> Issue {
    let (problem, advice) = (problem.to_owned(), advice.to_owned());
    Issue { file: Arc::clone(file), line: 0, offset: 0, problem, advice, lost }
}

/// The header and the samples of an evaluation log, in this order.
fn evaluation(archive: &Archive) -> Option<Vec<usize>> {
    let place = |name: &str| archive.entries.iter().position(|entry| entry.name == name);
    // Others have headers too.
    archive.entries.iter().find(|entry| entry.name.starts_with("samples/") || entry.name.starts_with("_journal/"))?;
    // One that has not come to its end has no header yet.
    let header = place("header.json").or_else(|| place("_journal/start.json"))?;
    let is_sample = |entry: &Entry| entry.name.starts_with("samples/") && entry.name.ends_with(".json");
    let mut samples: Vec<(&str, usize)> = archive
        .entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| is_sample(entry))
        .map(|(index, entry)| (entry.name.as_str(), index))
        .collect();
    samples.sort_unstable();
    Some(std::iter::once(header).chain(samples.into_iter().map(|(_, index)| index)).collect())
}

/// An evaluation log as the one document that its writers also know: the header with the samples as its last member.
pub(super) struct Joined {
    archive: Arc<Archive>,
    left: VecDeque<usize>,
    current: Box<dyn BufRead + Send>,
    samples: u64,
    ended: bool,
    /// Stored bytes that were consumed so far.
    bytes: Arc<AtomicU64>,
}

/// A header is no longer than this.
const MOST_HEADER: u64 = 64 << 20;

impl Joined {
    /// # Errors
    /// When the header cannot be read.
    pub(super) fn open(archive: &Arc<Archive>, parts: &[usize], bytes: Arc<AtomicU64>) -> io::Result<Self> {
        let mut left: VecDeque<usize> = parts.iter().copied().collect();
        let header = left.pop_front().and_then(|index| archive.entries.get(index));
        let header = header.map_or_else(|| Ok(Vec::new()), |header| archive.whole(header, MOST_HEADER))?;
        let header = String::from_utf8_lossy(&header);
        let members = header.trim_end().strip_suffix('}').unwrap_or(&header).trim_end();
        let status = if header.contains("\"status\"") { "" } else { ",\n\"status\": \"started\"" };
        let start = format!("{members}{status},\n\"samples\": [\n");
        let current = Box::new(io::Cursor::new(start.into_bytes()));
        Ok(Self { archive: Arc::clone(archive), left, current, samples: 0, ended: false, bytes })
    }
}

impl Read for Joined {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.current.read(buffer)?;
            if read > 0 || buffer.is_empty() || self.ended {
                return Ok(read);
            }
            let next = self.left.pop_front().and_then(|index| self.archive.entries.get(index));
            self.current = match next {
                Some(entry) => {
                    let between: &[u8] = if self.samples == 0 { b"" } else { b",\n" };
                    self.samples += 1;
                    let bytes = Arc::clone(&self.bytes);
                    let count = move |read| {
                        bytes.fetch_add(read, Ordering::Relaxed);
                    };
                    Box::new(between.chain(self.archive.read(entry, count)?))
                }
                None => {
                    self.ended = true;
                    Box::new(&b"\n]}\n"[..])
                }
            };
        }
    }
}
