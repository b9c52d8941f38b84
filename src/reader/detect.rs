//! Which format a file is of: by its content, and by its name only where the content has no mark of its own.

use std::sync::Arc;

use super::{Match, READERS, Reader, Sample, sqlite};
use crate::model::Issue;

/// How much of a file's start the readers are shown.
pub const SAMPLE_BYTES: usize = 64 << 10;

/// So many tables of a database that nobody knows are named.
const MOST_TABLES: usize = 12;

/// What a file turned out to be.
#[allow(missing_debug_implementations, reason = "holds a reader")]
pub enum Detected {
    Reader(&'static dyn Reader),
    /// Several readers are equally sure; their names, in the order of the shelf.
    Tie(Vec<&'static str>),
    Unknown,
    /// Nothing in it but white space.
    Empty,
}

/// The reader that is surest of a file that starts like `sample`.
pub fn detect(sample: &Sample<'_>) -> Detected {
    detect_among(READERS, sample)
}

/// The reader of that name (`--from NAME`).
pub fn by_name(name: &str) -> Option<&'static dyn Reader> {
    READERS.iter().copied().find(|reader| reader.name() == name)
}

impl Detected {
    /// The issue to report when it is not one reader's file.
    pub fn issue(&self, file: &Arc<str>, sample: &Sample<'_>) -> Option<Issue> {
        let (problem, advice, lost) = match self {
            Self::Reader(_) => return None,
            Self::Tie(names) => {
                let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
                (format!("could be {names}"), "say which with `--from NAME`".to_owned(), true)
            }
            Self::Unknown if !sample.tables.is_empty() => {
                let names: Vec<String> = sample.tables.iter().take(MOST_TABLES).map(|table| format!("`{}`", table.name)).collect();
                let more = sample.tables.len().saturating_sub(MOST_TABLES);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                (
                    format!("an SQLite database of none of the formats, with the tables {}{more}", names.join(", ")),
                    "say with `--map` which `table` holds the records and what its columns are (docs/mapping.md)".to_owned(),
                    true,
                )
            }
            Self::Unknown => (
                format!("unknown format, it starts with `{}`", first_bytes(sample.head)),
                "name the format with `--from NAME` (`nearmiss formats` lists them), or say with `--map` what its fields are (docs/mapping.md)".to_owned(),
                true,
            ),
            Self::Empty => ("the file is empty".to_owned(), String::new(), false),
        };
        Some(Issue { file: file.clone(), line: 0, offset: 0, problem, advice, lost })
    }
}

fn detect_among(readers: &[&'static dyn Reader], sample: &Sample<'_>) -> Detected {
    let text = sample.head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sample.head);
    // Of a database its tables tell; its bytes are no text.
    let text = if sample.head.starts_with(sqlite::MAGIC) { &[][..] } else { text };
    let is_over = sample.complete || sample.head.starts_with(sqlite::MAGIC);
    if sample.tables.is_empty() && is_over && text.iter().all(u8::is_ascii_whitespace) {
        return Detected::Empty;
    }
    let sample = Sample { head: text, ..*sample };
    let (mut best, mut surest) = (Match::No, Vec::new());
    for &reader in readers {
        let height = reader.detect(&sample);
        if height > best {
            best = height;
            surest.clear();
        }
        if height == best && height > Match::No {
            surest.push(reader);
        }
    }
    match surest[..] {
        [] => Detected::Unknown,
        [reader] => Detected::Reader(reader),
        _ => Detected::Tie(surest.iter().map(|reader| reader.name()).collect()),
    }
}

/// Enough of the start to recognise it by, with nothing in it that a terminal would act on.
fn first_bytes(head: &[u8]) -> String {
    const SHOWN: usize = 40;
    let shown = head[..head.len().min(SHOWN)].escape_ascii().to_string().replace("\\\"", "\"").replace("\\'", "'");
    format!("{shown}{}", if head.len() > SHOWN { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use std::io::{self, BufRead};

    use super::*;
    use crate::reader::{Out, Source, input};

    /// Answers by the letter it looks for: upper case is a strong mark, lower case a weak one.
    struct Letter(&'static str, u8);

    impl Reader for Letter {
        fn name(&self) -> &'static str {
            self.0
        }

        fn about(&self) -> &'static str {
            "a letter"
        }

        fn detect(&self, sample: &Sample<'_>) -> Match {
            if sample.head.contains(&self.1.to_ascii_uppercase()) {
                Match::Certain
            } else if sample.head.contains(&self.1) {
                Match::Likely
            } else if sample.name.starts_with(self.0) {
                Match::Maybe
            } else {
                Match::No
            }
        }

        fn read(&self, _: &mut dyn BufRead, _: &Source, _: &mut dyn Out) -> io::Result<()> {
            Ok(())
        }
    }

    #[track_caller]
    fn check(name: &str, head: &[u8], expected: &str) {
        let readers: &[&'static dyn Reader] = &[&Letter("alpha", b'a'), &Letter("beta", b'b')];
        let sample = Sample { head, complete: true, name, tables: &[] };
        let detected = detect_among(readers, &sample);
        let seen = match (&detected, detected.issue(&Arc::from(name), &sample)) {
            (Detected::Reader(reader), _) => reader.name().to_owned(),
            (_, Some(issue)) => format!("{}; {}", issue.problem, issue.advice),
            (_, None) => "no issue".to_owned(),
        };
        assert_eq!(seen, expected);
    }

    #[test]
    fn the_surest_wins() {
        check("x", b"a", "alpha");
        check("x", b"aB", "beta");
        check("alpha.log", b"b", "beta");
        check("alpha.log", b"zzz", "alpha");
    }

    #[test]
    fn a_tie_names_both_and_the_flag() {
        check("x", b"ab", "could be `alpha` and `beta`; say which with `--from NAME`");
    }

    #[test]
    fn unknown_shows_the_first_bytes_escaped() {
        let advice = "name the format with `--from NAME` (`nearmiss formats` lists them), or say with `--map` what its fields are (docs/mapping.md)";
        check("x", b"\x1b[2Jzz\xff", &format!("unknown format, it starts with `\\x1b[2Jzz\\xff`; {advice}"));
    }

    #[test]
    fn white_space_is_empty() {
        check("alpha", b"", "the file is empty; ");
        check("alpha", b"\xef\xbb\xbf \r\n", "the file is empty; ");
    }

    #[test]
    fn every_sample_of_a_format_is_detected_as_its_folder() {
        let corpora = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora");
        // `lines` is any text at all, and has to be named.
        for reader in READERS.iter().filter(|reader| reader.name() != "lines") {
            for input in input::find(&[corpora.join(reader.name())], None).inputs {
                let opened = input.open().unwrap();
                let sample = opened.shown(input.name());
                match detect(&sample) {
                    Detected::Reader(found) => assert_eq!(found.name(), reader.name(), "{}", input.file),
                    other => panic!("{:?}", other.issue(&input.file, &sample)),
                }
            }
        }
    }

    #[test]
    fn names_are_unique_and_found() {
        for (at, reader) in READERS.iter().enumerate() {
            assert!(by_name(reader.name()).is_some());
            assert!(READERS.iter().skip(at + 1).all(|other| other.name() != reader.name()), "{}", reader.name());
        }
        assert!(by_name("no-such-format").is_none());
    }
}
