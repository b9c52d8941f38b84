//! Zip: the directory stands at the end and says where everything is, also beyond 4 GiB. An archive that breaks off before
//! it is read by the headers that stand before each entry.

use std::collections::HashSet;
use std::io::{self, Read as _, SeekFrom};

use super::{Bytes, Entry, MOST_ENTRIES, Packing, Start, Unread};

/// A directory longer than this is not read.
const MOST_DIRECTORY: u64 = 512 << 20;
/// What stands behind the directory: 22 bytes, and a comment.
const MOST_END: u64 = 22 + 65_535;

pub(super) fn is_zip(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06")
}

/// What is inside, and what is wrong with it as a whole.
pub(super) fn list(bytes: &mut dyn Bytes) -> Result<(Vec<Entry>, Option<String>), Unread> {
    let failed = |error: io::Error| Unread::new(format!("cannot be read: {error}"), "");
    let length = bytes.seek(SeekFrom::End(0)).map_err(failed)?;
    let mut directory = None;
    if let Some((at, size, shift)) = find_directory(bytes, length)
        && size <= MOST_DIRECTORY
    {
        directory = part(bytes, at, size).map(|directory| (directory, shift));
    }
    let (mut entries, problem) = match directory {
        Some((directory, shift)) => {
            let (entries, whole) = central(&directory, shift);
            (
                entries,
                (!whole)
                    .then(|| "the list of the archive's entries is damaged: what it still names is read".to_owned()),
            )
        }
        None => {
            let problem = "the archive breaks off: entries are read as far as they go".to_owned();
            (by_headers(bytes, length), Some(problem))
        }
    };
    if entries.is_empty() && problem.is_some() {
        let advice = "copy it again; `zip -FF` mends a damaged one";
        return Err(Unread::new("a zip archive without anything that can be read", advice));
    }
    refuse_overlaps(&mut entries);
    Ok((entries, problem))
}

/// Where an entry's content begins, by the header before it.
pub(super) fn content(bytes: &mut dyn Bytes, at: u64) -> Option<u64> {
    let header = part(bytes, at, 30).filter(|header| header.starts_with(b"PK\x03\x04"))?;
    at.checked_add(30 + u64::from(short(&header, 26)) + u64::from(short(&header, 28)))
}

/// What the ways of packing are called.
pub(super) fn method_name(method: u16) -> String {
    match method {
        1 => "shrink".to_owned(),
        6 => "implode".to_owned(),
        9 => "deflate64".to_owned(),
        14 => "LZMA".to_owned(),
        98 => "PPMd".to_owned(),
        method => format!("method {method}"),
    }
}

/// Where the directory is, how long, and by how much all offsets are too small (something stands before the archive).
fn find_directory(bytes: &mut dyn Bytes, length: u64) -> Option<(u64, u64, u64)> {
    let from = length.saturating_sub(MOST_END);
    let tail = part(bytes, from, length - from)?;
    // The last one whose comment ends with the file; a comment can hold anything.
    let ends = memchr::memmem::rfind_iter(&tail, b"PK\x05\x06").filter(|at| tail.len() - at >= 22);
    let at = ends.into_iter().find(|at| {
        let end = tail.get(*at..).unwrap_or_default();
        at + 22 + usize::from(short(end, 20)) <= tail.len()
    })?;
    let end = tail.get(at..)?;
    let position = from + at as u64;
    let (mut size, mut offset) = (u64::from(long(end, 12)), u64::from(long(end, 16)));
    let mut before = position;
    let locator = position.checked_sub(20).and_then(|at| part(bytes, at, 20)).filter(|l| l.starts_with(b"PK\x06\x07"));
    if let Some(locator) = locator {
        let stated = double(&locator, 8);
        let beside = position.checked_sub(20 + 56);
        let found = [Some(stated), beside]
            .into_iter()
            .flatten()
            .find_map(|at| Some((at, part(bytes, at, 56).filter(|large| large.starts_with(b"PK\x06\x06"))?)));
        if let Some((at, large)) = found {
            (size, offset, before) = (double(&large, 40), double(&large, 48), at);
        }
    }
    let at = before.checked_sub(size)?;
    let shift = at.checked_sub(offset).filter(|_| size > 0 || offset > 0).unwrap_or(0);
    Some((at, size, shift))
}

/// The entries of a directory, and whether it was read to its end.
fn central(directory: &[u8], shift: u64) -> (Vec<Entry>, bool) {
    let (mut entries, mut rest) = (Vec::new(), directory);
    while rest.starts_with(b"PK\x01\x02") && entries.len() < MOST_ENTRIES {
        let [name, extra, comment] = [28, 30, 32].map(|at| usize::from(short(rest, at)));
        let end = 46 + name + extra + comment;
        let (Some(name), Some(extra)) = (rest.get(46..46 + name), rest.get(46 + name..46 + name + extra)) else {
            return (entries, false);
        };
        let stated = Stated {
            flags: short(rest, 8),
            method: short(rest, 10),
            checksum: long(rest, 16),
            packed: long(rest, 20),
            size: long(rest, 24),
            at: long(rest, 42),
        };
        entries.extend(stated.entry(name, extra, shift));
        let Some(next) = rest.get(end..) else { return (entries, false) };
        rest = next;
    }
    // A signature may stand at the end.
    (entries, rest.is_empty() || rest.starts_with(b"PK\x05\x05"))
}

/// What either header says.
struct Stated {
    flags: u16,
    method: u16,
    checksum: u32,
    packed: u32,
    size: u32,
    at: u32,
}

impl Stated {
    /// A folder is no entry.
    fn entry(&self, name: &[u8], extra: &[u8], shift: u64) -> Option<Entry> {
        let name = String::from_utf8_lossy(name).replace('\\', "/");
        if name.ends_with('/') {
            return None;
        }
        let mut large = field(extra, 1).unwrap_or_default();
        let mut whole = |stated: u32| {
            if stated != u32::MAX || large.len() < 8 {
                return u64::from(stated);
            }
            let (value, rest) = large.split_at(8);
            large = rest;
            double(value, 0)
        };
        let (size, packed, at) = (whole(self.size), whole(self.packed), whole(self.at));
        let packing = match self.method {
            _ if self.flags & 1 != 0 => Packing::Encrypted,
            0 => Packing::Stored,
            8 => Packing::Deflated,
            12 => Packing::Bzip2,
            93 => Packing::Zstd,
            95 => Packing::Xz,
            99 => Packing::Encrypted,
            method => Packing::Unknown(method),
        };
        let start = Start::Header(at.checked_add(shift)?);
        Some(Entry { name, packed, size, packing, checksum: Some(self.checksum), start })
    }
}

/// One after the other from the start, as long as each says where the next one is.
fn by_headers(bytes: &mut dyn Bytes, length: u64) -> Vec<Entry> {
    let (mut entries, mut at) = (Vec::new(), 0);
    while let Some(header) = part(bytes, at, 30).filter(|header| header.starts_with(b"PK\x03\x04")) {
        let (name, extra) = (u64::from(short(&header, 26)), u64::from(short(&header, 28)));
        let Some(words) = part(bytes, at + 30, name + extra) else { break };
        let (name, extra) = words.split_at(name as usize);
        let stated = Stated {
            flags: short(&header, 6),
            method: short(&header, 8),
            checksum: long(&header, 14),
            packed: long(&header, 18),
            size: long(&header, 22),
            at: 0,
        };
        let behind = at + 30 + words.len() as u64;
        let entry = stated.entry(name, extra, at);
        let packed = entry.as_ref().map_or(u64::from(stated.packed), |entry| entry.packed);
        // How long it is stands behind it, and nobody knows where that is.
        if stated.flags & 8 != 0 && packed == 0 {
            break;
        }
        entries.extend(entry);
        let Some(next) = behind.checked_add(packed).filter(|next| *next < length && entries.len() < MOST_ENTRIES)
        else {
            break;
        };
        at = next;
    }
    entries
}

/// Entries that share their bytes: all but the first of them.
fn refuse_overlaps(entries: &mut [Entry]) {
    let mut order: Vec<(u64, usize)> = entries
        .iter()
        .enumerate()
        .filter_map(|(index, entry)| match entry.start {
            Start::Header(at) => Some((at, index)),
            _ => None,
        })
        .collect();
    order.sort_unstable();
    let (mut end, mut refused) = (0, HashSet::new());
    for (at, index) in order {
        if at < end {
            refused.insert(index);
            continue;
        }
        // Its header is 30 bytes at least.
        end = at.saturating_add(30).saturating_add(entries.get(index).map_or(0, |entry| entry.packed));
    }
    for (_, entry) in entries.iter_mut().enumerate().filter(|(index, _)| refused.contains(index)) {
        entry.start = Start::Overlapping;
    }
}

/// One field of those that may be added to a header.
fn field(mut extra: &[u8], wanted: u16) -> Option<&[u8]> {
    while extra.len() >= 4 {
        let size = usize::from(short(extra, 2));
        let value = extra.get(4..4 + size)?;
        if short(extra, 0) == wanted {
            return Some(value);
        }
        extra = extra.get(4 + size..)?;
    }
    None
}

/// So many bytes from there; `None` when there are fewer.
fn part(bytes: &mut dyn Bytes, at: u64, size: u64) -> Option<Vec<u8>> {
    bytes.seek(SeekFrom::Start(at)).ok()?;
    let mut part = Vec::new();
    bytes.take(size).read_to_end(&mut part).ok()?;
    (part.len() as u64 == size).then_some(part)
}

fn short(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|bytes| bytes.try_into().ok()).map_or(0, u16::from_le_bytes)
}

fn long(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
}

fn double(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
}
