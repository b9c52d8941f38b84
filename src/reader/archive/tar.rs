//! Tar: a block of 512 bytes before each file says its name and length. Names that are longer stand in entries of their own
//! before it, GNU's and POSIX's.

use std::io::{self, Read as _, SeekFrom};

use super::{Bytes, Entry, MOST_ENTRIES, Packing, Start};

const BLOCK: u64 = 512;
/// A name or a list of attributes is no longer than this.
const MOST_WORDS: u64 = 1 << 20;

pub(super) fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar") && is_header(head)
}

/// What is inside, and where it breaks off.
pub(super) fn list(bytes: &mut dyn Bytes) -> io::Result<(Vec<Entry>, Option<String>)> {
    let length = bytes.seek(SeekFrom::End(0))?;
    let (mut entries, mut at) = (Vec::new(), 0);
    let (mut long_name, mut attributes) = (None, Attributes::default());
    let mut problem = None;
    while at + BLOCK <= length && entries.len() < MOST_ENTRIES {
        let header = words(bytes, at, BLOCK)?;
        if header.iter().all(|byte| *byte == 0) {
            break;
        }
        if !is_header(&header) {
            problem = Some(format!("the archive is damaged at byte {at}: what stands before it is read"));
            break;
        }
        let kind = header.get(156).copied().unwrap_or(0);
        let size = attributes.size.take().or_else(|| number(header.get(124..136)?)).unwrap_or(0);
        let content = at + BLOCK;
        let Some(next) = size.checked_next_multiple_of(BLOCK).and_then(|size| content.checked_add(size)) else { break };
        match kind {
            b'L' => long_name = Some(text(&words(bytes, content, size.min(MOST_WORDS))?)),
            b'x' => attributes = Attributes::read(&words(bytes, content, size.min(MOST_WORDS))?),
            // A file, also one of an older tar, and one that is stored in one piece.
            0 | b'0' | b'7' => {
                let name = attributes.path.take().or(long_name.take()).unwrap_or_else(|| name(&header));
                let name = name.strip_prefix("./").unwrap_or(&name).to_owned();
                if !name.ends_with('/') {
                    let (packing, start) = (Packing::Stored, Start::Content(content));
                    entries.push(Entry { name, packed: size, size, packing, checksum: None, start });
                }
            }
            // Folders, links, devices, and what is for the next entry but no name of it.
            _ => (long_name, attributes) = (None, Attributes::default()),
        }
        if next > length {
            problem = Some(format!("the archive breaks off: byte {length} of at least {next}"));
            break;
        }
        at = next;
    }
    Ok((entries, problem))
}

/// What POSIX puts before an entry: `21 path=…\n` and the like.
#[derive(Default)]
struct Attributes {
    path: Option<String>,
    size: Option<u64>,
}

impl Attributes {
    fn read(bytes: &[u8]) -> Self {
        let (mut read, mut rest) = (Self::default(), bytes);
        while let Some(space) = memchr::memchr(b' ', rest) {
            let digits = rest.get(..space).and_then(|digits| std::str::from_utf8(digits).ok());
            let Some(length) = digits.and_then(|digits| digits.parse::<usize>().ok()).filter(|length| *length > space)
            else {
                break;
            };
            let Some(record) = rest.get(space + 1..length) else { break };
            let record = String::from_utf8_lossy(record);
            match record.trim_end_matches('\n').split_once('=') {
                Some(("path", path)) => read.path = Some(path.to_owned()),
                Some(("size", size)) => read.size = size.parse().ok(),
                _ => {}
            }
            rest = rest.get(length..).unwrap_or_default();
        }
        read
    }
}

/// Whether the sum of all bytes is the one it states, with blanks in place of that.
fn is_header(block: &[u8]) -> bool {
    let Some(stated) = block.get(148..156).and_then(number) else { return false };
    let sum = |at: usize, byte: u8| u64::from(if (148..156).contains(&at) { b' ' } else { byte });
    block.len() >= 512 && block.iter().take(512).enumerate().map(|(at, byte)| sum(at, *byte)).sum::<u64>() == stated
}

/// Octal digits, or, for what is larger, bytes behind a bit.
fn number(field: &[u8]) -> Option<u64> {
    if field.first()? & 0x80 != 0 {
        return field.get(field.len().checked_sub(8)?..)?.try_into().ok().map(u64::from_be_bytes);
    }
    let digits: &[u8] = field.trim_ascii_start();
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    u64::from_str_radix(std::str::from_utf8(digits.get(..end)?).ok()?, 8).ok()
}

fn name(header: &[u8]) -> String {
    let (name, prefix) = (text(header.get(..100).unwrap_or_default()), text(header.get(345..500).unwrap_or_default()));
    // GNU has other things there.
    let is_posix = header.get(257..263) == Some(b"ustar\0");
    if is_posix && !prefix.is_empty() { format!("{prefix}/{name}") } else { name }
}

/// What stands before the first NUL.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

fn words(bytes: &mut dyn Bytes, at: u64, size: u64) -> io::Result<Vec<u8>> {
    bytes.seek(SeekFrom::Start(at))?;
    let mut words = Vec::new();
    bytes.take(size).read_to_end(&mut words)?;
    Ok(words)
}
