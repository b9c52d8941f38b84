//! Real folders, links and archives, as a user would name them.

use std::io::Write as _;

use super::*;
use crate::reader::archive::tests::{Made, zip};

/// A folder of its own with these files in it.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

/// What is found under these names inside the folder, without the folder's own name.
#[track_caller]
fn check(folder: &tempfile::TempDir, names: &[&str], expected: &str) {
    let paths: Vec<PathBuf> =
        names.iter().map(|name| if *name == "-" { PathBuf::from("-") } else { folder.path().join(name) }).collect();
    let found = find(&paths, Some(Box::new(&b""[..])));
    let mut seen: Vec<String> = found.inputs.iter().map(|input| input.file.to_string()).collect();
    for issue in &found.issues {
        seen.push(format!("{} {}: {}", if issue.lost { "issue" } else { "note" }, issue.file, issue.problem));
    }
    let seen = seen.join("\n").replace(&*display(folder.path()), "F");
    assert_eq!(seen, expected);
}

#[test]
fn folders_are_walked_with_hidden_files_and_sorted() {
    let folder = folder(&[("b/x.log", b"x"), ("a.log", b"x"), ("b/.hidden", b"x"), ("b-c", b"x")]);
    check(&folder, &[""], "F/a.log\nF/b-c\nF/b/.hidden\nF/b/x.log");
}

#[test]
fn order_and_repetition_do_not_matter() {
    let folder = folder(&[("a", b"x"), ("b", b"x")]);
    check(&folder, &["-", "b", "a", "./b", "*", "", "-"], "F/a\nF/b\n-");
    check(&folder, &["", "a", "b", "-"], "F/a\nF/b\n-");
}

#[test]
fn globs() {
    let folder = folder(&[("a.log", b"x"), ("sub/b.log", b"x"), (".c.log", b"x"), ("odd[1].log", b"x")]);
    check(&folder, &["*.log"], "F/.c.log\nF/a.log\nF/odd[1].log");
    check(&folder, &["**/b.log"], "F/sub/b.log");
    check(&folder, &["s*"], "F/sub/b.log");
    check(&folder, &["odd[1].log"], "F/odd[1].log");
    check(&folder, &["*.txt"], "issue F/*.txt: no file matches the pattern");
    check(&folder, &["a***"], "issue F/a***: not a valid pattern: wildcards are either regular `*` or recursive `**`");
}

#[test]
fn what_is_missing_is_said() {
    let folder = folder(&[("empty/sub/.keep", b"")]);
    fs::remove_file(folder.path().join("empty/sub/.keep")).unwrap();
    check(
        &folder,
        &["none.log", "empty"],
        "note F/empty: no files in the folder\nissue F/none.log: no such file or folder",
    );
}

#[cfg(unix)]
#[test]
fn links() {
    use std::os::unix::fs::symlink;
    let folder = folder(&[("a/x", b"x")]);
    symlink(folder.path().join("a"), folder.path().join("a/loop")).unwrap();
    symlink(folder.path().join("gone"), folder.path().join("a/dangling")).unwrap();
    symlink(folder.path().join("a/x"), folder.path().join("z")).unwrap();
    check(
        &folder,
        &[""],
        "F/a/x\nissue F/a/dangling: the link points to nothing\n\
         note F/a/loop: the link leads back to `F/a`, which is read already",
    );
    check(&folder, &["a/dangling"], "issue F/a/dangling: the link points to nothing");
    check(&folder, &["z"], "F/z");
}

#[cfg(unix)]
#[test]
fn sockets_are_not_read() {
    let folder = folder(&[("x", b"x")]);
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("s")).unwrap();
    check(&folder, &[""], "F/x\nnote F/s: not a regular file, not read");
    check(&folder, &["s"], "note F/s: not a regular file, not read");
}

/// What is read from the file `bytes`, and how it ends.
#[track_caller]
fn open(name: &str, bytes: &[u8]) -> (String, String) {
    let folder = folder(&[(name, bytes)]);
    let found = find(&[folder.path().to_owned()], None);
    let input = &found.inputs[0];
    let mut opened = match input.open() {
        Ok(opened) => opened,
        Err(error) => return (String::new(), input.issue(&error).problem),
    };
    let mut text = Vec::new();
    let ended = opened.reader.read_to_end(&mut text);
    assert_eq!(opened.size, Some(bytes.len() as u64));
    assert!(text.starts_with(&opened.sample));
    assert_eq!(opened.complete, ended.is_ok() && text.len() <= SAMPLE_BYTES);
    let ended = match ended {
        Ok(_) => {
            assert_eq!(opened.bytes.load(Ordering::Relaxed), bytes.len() as u64);
            "end".to_owned()
        }
        Err(error) => input.issue(&error).problem,
    };
    (String::from_utf8(text).unwrap(), ended)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut packer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// Text that does not pack away to nothing, several times as long as the sample.
fn long_text() -> String {
    (0..40_000u32).map(|at| format!("rm -rf /tmp/{:08x}\n", at.wrapping_mul(2_654_435_761))).collect()
}

type Pack = fn(&[u8]) -> Vec<u8>;

const PACKERS: [(&str, Pack); 3] = [("gzip", gzip), ("bzip2", bzip2), ("zstd", zstd)];

#[test]
fn plain_text_of_any_length() {
    assert_eq!(open("x", b""), (String::new(), "end".to_owned()));
    assert_eq!(open("x.gz", b"ls\n"), ("ls\n".to_owned(), "end".to_owned()));
    let text = long_text();
    assert_eq!(open("x", text.as_bytes()), (text.clone(), "end".to_owned()));
    let exact = &text[..SAMPLE_BYTES];
    assert_eq!(open("x", exact.as_bytes()), (exact.to_owned(), "end".to_owned()));
}

#[test]
fn packed_text_in_one_part_and_in_several() {
    let text = long_text();
    for (what, pack) in PACKERS {
        let end = |text: &str| (text.to_owned(), "end".to_owned());
        assert_eq!(open("x.log", &pack(text.as_bytes())), end(&text), "{what}");
        assert_eq!(open("x", &[pack(b"a\n"), pack(b""), pack(b"b\n")].concat()), end("a\nb\n"), "{what}");
        assert_eq!(open("x", &gzip(&pack(b"a\n"))), end("a\n"), "gzip of {what}");
        let thrice = open("x", &gzip(&gzip(&gzip(b"a\n")))).1;
        assert_eq!(thrice, "gzip data packed more than twice, which is not read");
    }
}

#[test]
fn truncated_archives_give_what_they_have() {
    let text = long_text();
    for (what, pack) in PACKERS {
        let packed = pack(text.as_bytes());
        for kept in [packed.len() - 1, packed.len() / 2] {
            let (read, ended) = open("x", &packed[..kept]);
            assert!(text.starts_with(&read), "{what}");
            assert!(
                read.len() > if kept == packed.len() - 1 { text.len() / 2 } else { 1000 },
                "{what}: {}",
                read.len()
            );
            assert_eq!(ended, format!("truncated {what} data at byte {} of its content", read.len()));
        }
        assert_eq!(open("x", &packed[..6]).1, format!("truncated {what} data at byte 0 of its content"));
    }
}

#[test]
fn damaged_archives_say_so() {
    let packed = gzip(long_text().as_bytes());
    let mut damaged = packed.clone();
    let last = damaged.len() - 6;
    damaged[last] ^= 1;
    assert!(open("x", &damaged).1.starts_with("damaged gzip data at byte "));
    let (text, ended) = open("x", &[gzip(b"a\n"), b"rubbish".to_vec()].concat());
    assert_eq!((&*text, &*ended), ("a\n", "damaged gzip data at byte 2 of its content: something else follows it"));
    assert_eq!(open("x", &[gzip(b"a\n"), vec![0; 512]].concat()), ("a\n".to_owned(), "end".to_owned()));
}

#[test]
fn zstd_frames_without_data_are_stepped_over() {
    let skippable = [&b"\x50\x2a\x4d\x18\x03\0\0\0xyz"[..], &zstd(b"a\n")].concat();
    assert_eq!(open("x", &skippable), ("a\n".to_owned(), "end".to_owned()));
}

#[test]
fn utf16_becomes_utf8() {
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend("DROP TABLE ą\r\n".encode_utf16().flat_map(u16::to_le_bytes));
    let end = ("DROP TABLE ą\r\n".to_owned(), "end".to_owned());
    assert_eq!(open("x.sql", &bytes), end);
    assert_eq!(open("x.sql.gz", &gzip(&bytes)), end);
}

#[test]
fn what_lies_beside_a_database_is_read_with_it() {
    let (file, log) = (include_bytes!("../sqlite/samples/wal.db"), include_bytes!("../sqlite/samples/wal.db-wal"));
    let journal = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7\0";
    let folder = folder(&[
        ("a.db", file),
        ("a.db-wal", log),
        ("a.db-shm", b"x"),
        ("a.db-journal", journal),
        ("b.txt", b"x"),
        ("b.txt-wal", log),
        ("c.db.gz", &gzip(file)),
    ]);
    check(&folder, &[""], "F/a.db\nF/b.txt\nF/b.txt-wal\nF/c.db.gz");
    let inputs = find(&[folder.path().to_owned()], None).inputs;
    let tables = |at: usize| {
        let opened = inputs[at].open().unwrap();
        let tables = opened.database.iter().flat_map(|database| database.tables());
        tables.map(|table| table.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(tables(0), ["w", "later"]);
    assert_eq!(tables(1), [""; 0]);
    assert_eq!(
        inputs[2].open().err().unwrap().to_string(),
        "the log of pages of an SQLite database, which is not read"
    );
    assert_eq!(tables(3), ["w"]);
}

#[test]
fn an_archive_is_a_folder() {
    let made =
        |name: &'static str, content: &'static [u8], method: u16| Made { name, content, method, ..Made::default() };
    let (file, log) = (include_bytes!("../sqlite/samples/wal.db"), include_bytes!("../sqlite/samples/wal.db-wal"));
    let inner = zip(&[made("x.log", b"pwd\n", 8), made("y.zip", b"PK\x05\x06 and so on", 0)], false);
    let outer = [
        Made { name: "inner.zip", content: &inner, ..Made::default() },
        made("home/ada/.bash_history", b"ls\n", 8),
        made("a.db", file, 8),
        made("a.db-wal", log, 93),
        made("a.db-shm", b"x", 0),
        made("lzma", b"x", 14),
        made("__MACOSX/._x", b"x", 0),
    ];
    let bytes = zip(&outer, true);
    let folder =
        folder(&[("b.zip", &bytes), ("a.log", b"x"), ("none.zip", &zip(&[], false)), ("cut.zip", &bytes[..20])]);
    check(
        &folder,
        &["", "b.zip"],
        "F/a.log\nF/b.zip!/a.db\nF/b.zip!/home/ada/.bash_history\nF/b.zip!/inner.zip!/x.log\nF/b.zip!/inner.zip!/y.zip\n\
         F/b.zip!/lzma\n\
         note F/b.zip: below `__MACOSX`, what macOS knows about other files, not read: 1\n\
         issue F/cut.zip: a zip archive without anything that can be read\n\
         note F/none.zip: no files in the archive",
    );
    let inputs = find(&[folder.path().join("b.zip")], None).inputs;
    let read = |at: usize| {
        let mut text = String::new();
        let opened = inputs[at].open().map_err(|error| inputs[at].issue(&error).problem);
        opened.map(|mut opened| opened.reader.read_to_string(&mut text).map(|_| text).unwrap())
    };
    let opened = inputs[0].open().unwrap();
    assert_eq!(opened.database.unwrap().tables().len(), 2, "with what its log has");
    assert_eq!((inputs[1].name(), read(1)), (".bash_history", Ok("ls\n".to_owned())));
    assert_eq!(read(2), Ok("pwd\n".to_owned()));
    assert_eq!(read(3), Err("an empty zip archive, which is not read".to_owned()));
    assert_eq!(read(4), Err("packed in a way that is not read (LZMA)".to_owned()));
    assert!(inputs.iter().all(|input| input.path() == Some(&*folder.path().join("b.zip"))));
}

#[test]
fn binaries_are_named() {
    assert_eq!(open("x.jsonl", b"7z\xbc\xaf\x27\x1c\0\0").1, "a 7z archive, which is not read");
    assert_eq!(open("x", b"\x01\0\0\0\x02\0\0").1, "an unknown binary format");
}

#[test]
fn standard_input_is_unpacked_too_and_read_once() {
    let packed = gzip(b"ls\n");
    let found = find(&[PathBuf::from("-")], Some(Box::new(io::Cursor::new(packed))));
    let [input] = &found.inputs[..] else { panic!("one input") };
    let opened = input.open().unwrap();
    assert_eq!((&*opened.sample, opened.complete, opened.size), (&b"ls\n"[..], true, None));
    assert_eq!(input.issue(&input.open().err().unwrap()).problem, "standard input can be read only once");
}

#[test]
fn names_lose_their_packing() {
    let name = |file: &str| Input { file: Arc::from(file), from: From::File(PathBuf::new()) }.name().to_owned();
    assert_eq!(name("/var/log/audit.log.1.gz"), "audit.log.1");
    assert_eq!(name(".bash_history.zst"), ".bash_history");
    assert_eq!(name("-"), "-");
}
