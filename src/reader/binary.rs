//! Files that are no text: what they are, and what to do to get text out of them.

use super::{sqlite, table};

/// A file that is refused for what it is.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub(super) struct Refused {
    pub(super) problem: String,
    pub(super) advice: String,
}

/// Why a file that starts like this is not read, if it is not text.
pub(super) fn refuse(sample: &[u8]) -> Option<Refused> {
    for (magic, what, advice) in KINDS {
        if sample.starts_with(magic) {
            return Some(Refused { problem: format!("{what}, which is not read"), advice: (*advice).to_owned() });
        }
    }
    if sample.starts_with(table::MAGIC) || sample.starts_with(sqlite::MAGIC) {
        return None;
    }
    if sample.get(257..262) == Some(b"ustar") {
        let advice =
            "name the archive as a file of at most 512 MiB unpacked, or unpack it with `tar -xf` and name the folder";
        return Some(Refused { problem: "a tar archive, which is not read".to_owned(), advice: advice.to_owned() });
    }
    let nuls = memchr::memchr_iter(0, sample).count();
    if nuls == 0 {
        return None;
    }
    // A crash leaves a few NULs in a log, and that log is worth reading; a binary format is full of them.
    let control = sample.iter().filter(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31)).count();
    if control * CONTROL_SHARE < sample.len() {
        return None;
    }
    let (problem, advice) = if nuls == sample.len() {
        ("filled with NUL bytes", "it was truncated while it was being written; take another copy")
    } else if looks_like_utf16(sample) {
        ("UTF-16 text without a byte order mark", "turn it into UTF-8 with `iconv -f utf-16le -t utf-8`")
    } else {
        ("an unknown binary format", "export it as text, one of the formats `nearmiss formats` lists")
    };
    Some(Refused { problem: problem.to_owned(), advice: advice.to_owned() })
}

/// One control byte in so many is more than text has.
const CONTROL_SHARE: usize = 50;

const BESIDE: &str =
    "it is read with the database it belongs to: copy that one too, under the same name without this end";

/// First bytes, what it is, what to do.
const KINDS: &[(&[u8], &str, &str)] = &[
    (
        b"PK\x03\x04",
        "a zip archive",
        "name the archive as a file: it is not read from a pipe, nor inside of other packing",
    ),
    (b"PK\x05\x06", "an empty zip archive", ""),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it into a folder and name the folder"),
    (b"\xfd7zXZ\0", "xz data", "unpack it with `xz -dk`"),
    (b"\x04\x22\x4d\x18", "lz4 data", "unpack it with `lz4 -d`"),
    (b"\x1f\x8b", "gzip data packed more than twice", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", "zstd data packed more than twice", "unpack it first"),
    (b"\x37\x7f\x06\x82", "the log of pages of an SQLite database", BESIDE),
    (b"\x37\x7f\x06\x83", "the log of pages of an SQLite database", BESIDE),
    (b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", "the journal of an SQLite database", BESIDE),
    (b"ElfFile\0", "a Windows event log", "export it with `wevtutil qe /f:xml` or `Get-WinEvent | ConvertTo-Json`"),
    (b"LPKSHHRH", "a systemd journal", "export it with `journalctl --file FILE -o json`"),
    (b"\xfebin", "a MySQL binary log", "turn it into text with `mysqlbinlog --verbose`"),
    (b"PGDMP", "a Postgres dump in custom format", "turn it into SQL with `pg_restore -f -`"),
    (b"%PDF-", "a PDF document", ""),
    (b"\x89PNG", "a PNG image", ""),
    (b"\x7fELF", "a program", ""),
];

/// Every second byte of a longer stretch is NUL, as in Latin text.
fn looks_like_utf16(sample: &[u8]) -> bool {
    let start = &sample[..sample.len().min(64) & !1];
    let nuls = |parity: usize| start.iter().skip(parity).step_by(2).filter(|&&byte| byte == 0).count();
    let pairs = start.len() / 2;
    pairs >= 4 && (nuls(0) * 10 >= pairs * 9 && nuls(1) == 0 || nuls(1) * 10 >= pairs * 9 && nuls(0) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sample: &[u8], expected: Option<&str>) {
        assert_eq!(refuse(sample).map(|refused| refused.problem).as_deref(), expected);
    }

    #[test]
    fn named_kinds() {
        check(b"PK\x03\x04\x14\0", Some("a zip archive, which is not read"));
        check(b"SQLite format 3\0\x10\0", None);
        check(b"\x37\x7f\x06\x82\0", Some("the log of pages of an SQLite database, which is not read"));
        let mut tar = vec![b'x'; 257];
        tar.extend_from_slice(b"ustar\0");
        check(&tar, Some("a tar archive, which is not read"));
    }

    #[test]
    fn unknown_binaries() {
        check(b"\x01\x02\0\0\x07\x9f", Some("an unknown binary format"));
        check(&[0; 100], Some("filled with NUL bytes"));
        check(b"l\0s\0 \0-\0l\0\n\0", Some("UTF-16 text without a byte order mark"));
    }

    #[test]
    fn text_with_a_few_nuls_is_text() {
        check(b"", None);
        check("naïve \x1b[31mred\x1b[0m\n".as_bytes(), None);
        let mut log = b"rotated while it was written\n".repeat(20);
        log.extend_from_slice(&[0; 8]);
        check(&log, None);
    }
}
