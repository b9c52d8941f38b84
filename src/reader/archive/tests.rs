//! Archives made here, part by part, and what is done to them.

use std::io::Write as _;

use proptest::prelude::{ProptestConfig, any};
use proptest::sample::Index;

use super::*;

/// One entry, and what is odd about it.
#[derive(Clone, Default)]
pub(in crate::reader) struct Made<'a> {
    pub(in crate::reader) name: &'a str,
    pub(in crate::reader) content: &'a [u8],
    /// 0, 8 or 93; another number for what nobody reads.
    pub(in crate::reader) method: u16,
    pub(in crate::reader) flags: u16,
    /// The lengths stand behind the content, and in the directory.
    pub(in crate::reader) behind: bool,
    /// What the checksum is changed by.
    pub(in crate::reader) wrong: u32,
    /// What its stated length is changed by.
    pub(in crate::reader) longer: i64,
}

fn short(bytes: &mut Vec<u8>, values: &[u16]) {
    values.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
}

fn long(bytes: &mut Vec<u8>, values: &[u32]) {
    values.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
}

fn packed(method: u16, content: &[u8]) -> Vec<u8> {
    match method {
        8 => {
            let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
            packer.write_all(content).unwrap();
            packer.finish().unwrap()
        }
        12 => {
            let mut packer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            packer.write_all(content).unwrap();
            packer.finish().unwrap()
        }
        // Nothing here packs with xz: an empty one will do.
        95 => include_bytes!("../xz/tests/empty.xz").to_vec(),
        93 => ruzstd::encoding::compress_to_vec(content, ruzstd::encoding::CompressionLevel::Fastest),
        _ => content.to_vec(),
    }
}

/// A zip archive of these entries; `large` states all lengths and places in the fields for 64 bits.
pub(in crate::reader) fn zip(made: &[Made<'_>], large: bool) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for entry in made {
        let at = u32::try_from(bytes.len()).unwrap();
        let content = packed(entry.method, entry.content);
        let mut sum = flate2::Crc::new();
        sum.update(entry.content);
        let sum = sum.sum() ^ entry.wrong;
        let size = u32::try_from(entry.content.len() as i64 + entry.longer).unwrap();
        let length = u32::try_from(content.len()).unwrap();
        let name = u16::try_from(entry.name.len()).unwrap();
        let flags = entry.flags | if entry.behind { 8 } else { 0 };
        let stated = if entry.behind { [0; 3] } else { [sum, length, size] };
        bytes.extend(b"PK\x03\x04");
        short(&mut bytes, &[45, flags, entry.method, 0, 0]);
        long(&mut bytes, &stated);
        short(&mut bytes, &[name, 0]);
        bytes.extend(entry.name.as_bytes());
        bytes.extend(&content);
        if entry.behind {
            long(&mut bytes, &[0x0807_4b50, sum, length, size]);
        }
        let mut extra = Vec::new();
        if large {
            short(&mut extra, &[0x5455, 1]);
            extra.push(0);
            short(&mut extra, &[1, 24]);
            [size, length, at].iter().for_each(|value| extra.extend(u64::from(*value).to_le_bytes()));
        }
        let or_all = |value: u32| if large { u32::MAX } else { value };
        directory.extend(b"PK\x01\x02");
        short(&mut directory, &[45, 45, flags, entry.method, 0, 0]);
        long(&mut directory, &[sum, or_all(length), or_all(size)]);
        short(&mut directory, &[name, u16::try_from(extra.len()).unwrap(), 0, 0, 0]);
        long(&mut directory, &[0, or_all(at)]);
        directory.extend(entry.name.as_bytes());
        directory.extend(extra);
    }
    let (count, at, size) = (made.len() as u64, bytes.len() as u64, directory.len() as u64);
    bytes.extend(directory);
    if large {
        let end = bytes.len() as u64;
        bytes.extend(b"PK\x06\x06");
        [44, 0, 0, count, count, size, at].iter().enumerate().for_each(|(index, value)| match index {
            1 => long(&mut bytes, &[0x002d_002d]),
            2 => long(&mut bytes, &[0, 0]),
            _ => bytes.extend(value.to_le_bytes()),
        });
        bytes.extend(b"PK\x06\x07\0\0\0\0");
        bytes.extend(end.to_le_bytes());
        bytes.extend([1, 0, 0, 0]);
    }
    let narrow = |value: u64| if large { u32::MAX } else { u32::try_from(value).unwrap() };
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    short(&mut bytes, &[u16::try_from(count).unwrap(); 2]);
    long(&mut bytes, &[narrow(size), narrow(at)]);
    short(&mut bytes, &[0]);
    bytes
}

/// A tar archive; a name beyond its field is stated the way POSIX does, `gnu` the other.
fn tar(made: &[(&str, &[u8])], gnu: bool) -> Vec<u8> {
    fn block(name: &[u8], kind: u8, content: &[u8], bytes: &mut Vec<u8>) {
        let mut header = [0u8; 512];
        let name = &name[..name.len().min(100)];
        header[..name.len()].copy_from_slice(name);
        header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        header[156] = kind;
        header[257..265].copy_from_slice(b"ustar\x0000");
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend(header);
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    let mut bytes = Vec::new();
    block(b"folder/", b'5', b"", &mut bytes);
    for (name, content) in made {
        if name.len() > 100 && gnu {
            block(b"././@LongLink", b'L', format!("{name}\0").as_bytes(), &mut bytes);
        } else if name.len() > 100 {
            let length = name.len() + " path=\n".len() + 3;
            block(b"PaxHeaders/x", b'x', format!("{length} path={name}\n").as_bytes(), &mut bytes);
        }
        block(name.as_bytes(), b'0', content, &mut bytes);
    }
    bytes.extend([0; 1024]);
    bytes
}

fn open(bytes: &[u8]) -> Result<Archive, Unread> {
    Archive::open(Store::Memory(bytes.into()), Path::new("a.zip"))
}

/// Every entry with what it has, or what is wrong with it.
fn listed(bytes: &[u8]) -> Vec<String> {
    let archive = match open(bytes) {
        Ok(archive) => archive,
        Err(unread) => return vec![format!("! {unread}")],
    };
    let one = |entry: &Entry| {
        let mut text = Vec::new();
        let read = archive.read(entry, |_| {}).and_then(|mut content| content.read_to_end(&mut text));
        let problem = read.err().map(|error| format!(" ! {error}")).unwrap_or_default();
        format!("{} {}{problem}", entry.name, String::from_utf8_lossy(&text))
    };
    let problem = archive.problem.iter().map(|problem| format!("! {problem}"));
    problem.chain(archive.entries.iter().map(one)).collect()
}

#[test]
fn entries_of_every_packing() {
    let made = [
        Made { name: "folder/", ..Made::default() },
        Made { name: "folder\\stored", content: b"ls\n", ..Made::default() },
        Made { name: "deflated", content: b"rm x\n", method: 8, behind: true, ..Made::default() },
        Made { name: "zstd", content: b"pwd\n", method: 93, ..Made::default() },
        Made { name: "empty", method: 8, ..Made::default() },
        Made { name: "bzip2", content: b"id\n", method: 12, ..Made::default() },
        Made { name: "xz", method: 95, ..Made::default() },
    ];
    let expected = ["folder/stored ls\n", "deflated rm x\n", "zstd pwd\n", "empty ", "bzip2 id\n", "xz "];
    assert_eq!(listed(&zip(&made, false)), expected);
    assert_eq!(listed(&zip(&made, true)), expected);
    // Something may stand before it, and a comment behind it.
    let mut bytes = [b"#!/bin/sh\n".to_vec(), zip(&made, false)].concat();
    let end = bytes.len();
    bytes[end - 2] = 5;
    bytes.extend(b"PK\x05\x06!");
    let archive = zip::list(&mut io::Cursor::new(&bytes)).unwrap();
    assert_eq!((archive.0.len(), archive.1), (6, None));
    assert!(matches!(archive.0[0].start, Start::Header(at) if bytes[at as usize..].starts_with(b"PK\x03\x04")));
    assert_eq!(listed(&zip(&[], false)), [""; 0]);
}

#[test]
fn what_cannot_be_read_says_so_and_the_rest_is_read() {
    let ls = Made { name: "a", content: b"ls\n", method: 8, ..Made::default() };
    let made = [
        Made { name: "encrypted", flags: 1, ..ls.clone() },
        Made { name: "lzma", method: 14, ..ls.clone() },
        Made { name: "wrong", wrong: 1, ..ls.clone() },
        Made { name: "longer", longer: -1, ..ls.clone() },
        Made { name: "shorter", longer: 4, ..ls.clone() },
        ls,
    ];
    assert_eq!(
        listed(&zip(&made, false)),
        [
            "encrypted  ! encrypted",
            "lzma  ! packed in a way that is not read (LZMA)",
            "wrong ls\n ! damaged: its checksum is 5a4b287d, the archive says 5a4b287c",
            "longer  ! longer than the archive says, damaged or made to be",
            "shorter ls\n ! truncated: 4 bytes of it are missing",
            "a ls\n",
        ]
    );
}

#[test]
fn a_bomb_is_not_set_off() {
    let one = Made { name: "a", content: b"ls\n", ..Made::default() };
    let mut bytes = zip(&[one.clone(), Made { name: "b", ..one.clone() }], false);
    // The second entry of the directory says that it is where the first is.
    let second = memchr::memmem::rfind(&bytes, b"PK\x01\x02").unwrap();
    bytes[second + 42..second + 46].fill(0);
    assert_eq!(listed(&bytes), ["a ls\n", "b  ! its bytes are those of another entry"]);
    let bomb = zip(&[Made { longer: 3 << 30, method: 8, ..one }], false);
    assert_eq!(listed(&bomb), ["a  ! 5 bytes that say they are 3221225475"]);
}

#[test]
fn an_archive_that_breaks_off_is_read_as_far_as_it_goes() {
    let made = [
        Made { name: "a", content: b"ls\n", ..Made::default() },
        Made { name: "b", content: b"pwd\n", method: 8, ..Made::default() },
    ];
    let whole = zip(&made, false);
    let directory = memchr::memmem::find(&whole, b"PK\x01\x02").unwrap();
    let broken = "! the archive breaks off: entries are read as far as they go";
    assert_eq!(listed(&whole[..directory]), [broken, "a ls\n", "b pwd\n"]);
    assert_eq!(listed(&whole[..40]), [broken, "a ls\n"]);
    assert_eq!(listed(&whole[..20]), ["! a zip archive without anything that can be read"]);
    let mut damaged = whole;
    damaged[directory + 47 + 46] = 0xff;
    assert!(listed(&damaged).len() >= 2);
}

#[test]
fn tapes_with_names_of_any_length() {
    let long = format!("folder/{}/x", "n".repeat(120));
    for gnu in [true, false] {
        let made: [(&str, &[u8]); 3] = [("./a", b"ls\n"), (&long, b"pwd\n"), ("b", b"")];
        let bytes = tar(&made, gnu);
        assert!(is_archive(&bytes[..HEAD]));
        assert_eq!(listed(&bytes), ["a ls\n".to_owned(), format!("{long} pwd\n"), "b ".to_owned()]);
        let cut = listed(&bytes[..1026]);
        assert_eq!(
            cut,
            ["! the archive breaks off: byte 1026 of at least 1536", "a ls ! truncated: 1 bytes of it are missing"]
        );
    }
}

proptest::proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_bytes_make_it_panic(
        is_tar in any::<bool>(),
        large in any::<bool>(),
        changes in proptest::collection::vec((any::<Index>(), any::<u8>()), 0..12),
        cut in any::<Option<Index>>(),
    ) {
        let made = [
            Made { name: "a", content: b"ls\n", ..Made::default() },
            Made { name: "b", content: &[b'x'; 600], method: 8, behind: true, ..Made::default() },
            Made { name: "c", content: b"pwd\n", method: 93, ..Made::default() },
        ];
        let mut bytes = if is_tar { tar(&[("a", b"ls\n"), ("b", &[b'x'; 600])], large) } else { zip(&made, large) };
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if is_archive(&bytes) {
            let _ = listed(&bytes);
        }
    }
}
