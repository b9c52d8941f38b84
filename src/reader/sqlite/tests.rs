//! Databases that SQLite itself has made (`scripts/sqlite-samples.py`), and what is left of them after damage.

use std::io::Cursor;

use proptest::prelude::{ProptestConfig, any};
use proptest::sample::{Index, select};

use super::*;

macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!("samples/", $name)).as_slice()
    };
}

const SAMPLES: &[&[u8]] = &[
    sample!("trees.db"),
    sample!("keys.db"),
    sample!("utf16le.db"),
    sample!("utf16be.db"),
    sample!("columns.db"),
    sample!("wal.db"),
];

fn open(bytes: &[u8], wal: Option<&[u8]>) -> Result<Database, Problem> {
    let wal = wal.map(|wal| Box::new(Cursor::new(wal.to_vec())) as Box<dyn Stored>);
    Database::open(Box::new(Cursor::new(bytes.to_vec())), wal, false)
}

/// The values of some columns in every row, and the problems between.
fn rows(database: &Database, table: &str, columns: &[&str]) -> Vec<String> {
    let shown = |value: Value| match value {
        Value::Text(text) if text.len() > 40 => format!("{}… {}", &text[..5], text.len()),
        Value::Text(text) => text,
        value => format!("{value:?}"),
    };
    let row = |row: Row<'_>| columns.iter().map(|name| shown(row.get(name))).collect::<Vec<_>>().join("|");
    let entries = database.rows(table);
    entries.map(|entry| entry.and_then(Entry::read).map_or_else(|problem| format!("! {problem}"), row)).collect()
}

#[test]
fn rows_stand_in_the_order_of_their_numbers() {
    let database = open(SAMPLES[0], None).unwrap();
    assert_eq!(database.problems, []);
    let seen = rows(&database, "T", &["id", "b", "a"]);
    assert_eq!(seen.len(), 453);
    assert_eq!(seen[0], "Integer(-7)|Real(2.5)|negative");
    assert_eq!(seen[1], "Integer(1)|Integer(3)|abcdefghijklmnopqrstuvwxyz");
    assert_eq!(seen[4], "Integer(4)|Integer(12)|abcde… 104");
    assert_eq!(seen[451], "Integer(1000)|Integer(-1)|xxxxx… 5000");
    assert_eq!(seen[452], "Integer(2000)|Null|yyyyy… 20000");
    let last = database.rows("t").last().unwrap().unwrap();
    assert_eq!(last.peek("b"), None, "a number is no text");
    assert!((10..500).contains(&last.peek("a").unwrap().len()), "only what stands on the page");
    let row = last.read().unwrap();
    assert_eq!((row.number(), row.text("a").unwrap().len(), row.get("none")), (2000, 20_000, Value::Null));
    assert!(row.offset > 0 && row.offset < SAMPLES[0].len() as u64);
    assert_eq!(database.rows("nobody").count(), 0);
}

#[test]
fn rows_without_a_number_stand_in_the_order_of_their_keys() {
    let database = open(SAMPLES[1], None).unwrap();
    let seen = rows(&database, "k", &["number", "raw", "name"]);
    assert_eq!(seen.len(), 400);
    let numbers = database.rows("k").map(|entry| entry.unwrap().read().unwrap().integer("number").unwrap());
    assert!(numbers.eq(0..400));
    assert_eq!(seen[0], "Integer(0)|Blob([0, 255])|key 0000");
    assert!(seen[399].starts_with("Integer(399)|"), "{}", seen[399]);
    let first = database.rows("k").next().unwrap().unwrap().read().unwrap();
    assert_eq!((first.rowid, first.number()), (None, 1));
}

#[test]
fn texts_of_two_bytes_a_letter() {
    for sample in &SAMPLES[2..4] {
        assert_eq!(rows(&open(sample, None).unwrap(), "ta ble", &["ż"]), ["zażółć 🦀"]);
    }
}

#[test]
fn columns_that_came_later_and_columns_that_are_worked_out() {
    let database = open(SAMPLES[4], None).unwrap();
    let columns = ["a", "sum", "kept", "z", "late", "later"];
    assert_eq!(
        rows(&database, "c", &columns),
        ["one|Null|Integer(6)|Real(1.5)|not 'yet'|Integer(-4)", "three|Null|Integer(10)|Integer(0)|now|Integer(9)"]
    );
    let tables: Vec<&str> = database.tables().iter().map(|table| table.name.as_str()).collect();
    assert_eq!(tables, ["c", "empty"]);
    assert!(database.tables()[0].columns().eq(columns));
    assert_eq!(rows(&database, "empty", &["x"]), [""; 0]);
}

#[test]
fn what_was_committed_to_the_log_is_over_what_is_in_the_file() {
    let (file, log) = (sample!("wal.db"), sample!("wal.db-wal"));
    assert_eq!(rows(&open(file, None).unwrap(), "w", &["a"]), ["in the file"]);
    let with = |log: &[u8]| open(file, Some(log)).unwrap();
    let whole = with(log);
    assert_eq!(rows(&whole, "w", &["a"]), ["in the log"]);
    assert_eq!(rows(&whole, "later", &["b"]), ["lllll… 3000"]);
    // Half a commit is none.
    let cut = with(&log[..log.len() - 1]);
    assert_eq!(rows(&cut, "w", &["a"]), ["in the log"]);
    assert_eq!(rows(&cut, "later", &["b"]), [""; 0]);
    // Nor is anything behind a byte that is not as it was written.
    let mut flipped = log.to_vec();
    flipped[32 + 24 + 100] ^= 1;
    assert_eq!(rows(&with(&flipped), "w", &["a"]), ["in the file"]);
    let mut older = log.to_vec();
    older[16] ^= 1;
    let older = with(&older);
    assert_eq!(rows(&older, "w", &["a"]), ["in the file"]);
    assert_eq!(older.problems[0].problem, "the `-wal` beside the file is damaged at its start, and is left out");
    assert_eq!(with(b"not a log of pages, and long enough").problems.len(), 1);
    assert_eq!(open(SAMPLES[4], Some(log)).unwrap().problems.len(), 1, "pages of another size");
}

/// A log that another thread writes to.
#[derive(Clone)]
struct Shared(Arc<Mutex<Cursor<Vec<u8>>>>);

impl io::Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.lock().unwrap().read(buffer)
    }
}

impl io::Seek for Shared {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.0.lock().unwrap().seek(to)
    }
}

#[test]
fn a_log_that_is_begun_anew_is_noticed() {
    let log = Shared(Arc::new(Mutex::new(Cursor::new(sample!("wal.db-wal").to_vec()))));
    let file = Box::new(Cursor::new(sample!("wal.db").to_vec()));
    let database = Database::open(file, Some(Box::new(log.clone())), false).unwrap();
    assert_eq!(rows(&database, "w", &["a"]), ["in the log"]);
    // Every frame of the next log has another salt.
    let mut all = log.0.lock().unwrap();
    let bytes = all.get_mut();
    (32..bytes.len()).step_by(24 + 512).for_each(|frame| bytes[frame + 8] ^= 1);
    drop(all);
    let seen = rows(&database, "w", &["a"]);
    assert!(seen[0].ends_with("the log was begun anew while it was read; read it again"), "{seen:?}");
}

#[test]
fn what_is_no_database_says_so() {
    let problem = |bytes: &[u8]| open(bytes, None).unwrap_err().problem;
    assert_eq!(problem(b""), "an SQLite database without a whole first page");
    assert_eq!(problem(&[b'x'; 4096]), "no SQLite database");
    let with = |at: usize, value: u8| {
        let mut bytes = SAMPLES[4].to_vec();
        bytes[at] = value;
        bytes
    };
    assert_eq!(problem(&with(16, 3)), "an SQLite database with pages of 768 bytes");
    assert_eq!(problem(&with(19, 9)), "an SQLite database of version 9, which nobody knows");
    assert_eq!(problem(&with(59, 7)), "an SQLite database with texts in an unknown encoding (7)");
}

#[test]
fn the_good_rest_of_a_damaged_file_is_read() {
    // The file breaks off: the pages behind are missing, and each is told once.
    let bytes = &SAMPLES[0][..SAMPLES[0].len() - 40 * 512];
    let database = open(bytes, None).unwrap();
    assert!(database.problems[0].problem.starts_with("the file is cut off: "), "{:?}", database.problems);
    let seen = rows(&database, "t", &["id"]);
    let (lost, read): (Vec<&String>, Vec<&String>) = seen.iter().partition(|row| row.starts_with('!'));
    assert!(read.len() > 150 && !lost.is_empty(), "{} read, {} problems", read.len(), lost.len());
    assert!(lost.iter().all(|problem| problem.contains("page")), "{lost:?}");
    // A page that points to itself is gone through once.
    let mut bytes = SAMPLES[0].to_vec();
    let root = usize::try_from(database.tables()[0].root).unwrap();
    let rightmost = (root - 1) * 512 + 8;
    bytes[rightmost..rightmost + 4].copy_from_slice(&u32::try_from(root).unwrap().to_be_bytes());
    let seen = rows(&open(&bytes, None).unwrap(), "t", &["id"]);
    assert!(seen.last().unwrap().contains("is in the tree twice"), "{:?}", seen.last());
}

proptest::proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

    /// Bytes that were changed, and files that were cut, in the database and in its log: rows or problems, never a panic, and
    /// never more rows than there are cells.
    #[test]
    fn no_bytes_make_it_panic(
        sample in select(SAMPLES),
        with_log in any::<bool>(),
        changes in proptest::collection::vec((any::<Index>(), any::<u8>()), 0..24),
        near in proptest::collection::vec((0usize..160, any::<u8>()), 0..3),
        cut in any::<Option<Index>>(),
    ) {
        let mut bytes = sample.to_vec();
        for (at, byte) in changes.iter().map(|(at, byte)| (at.index(sample.len()), *byte)).chain(near) {
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(sample.len()));
        }
        let mut log = sample!("wal.db-wal").to_vec();
        if let Some((at, byte)) = changes.first() {
            let at = at.index(log.len());
            log[at] = *byte;
        }
        if let Ok(database) = open(&bytes, with_log.then_some(&log)) {
            for table in database.tables() {
                let rows = database.rows(&table.name).filter(|entry| {
                    entry.as_ref().is_ok_and(|entry| entry.peek("a").is_none_or(|text| text.len() <= 1 << 17))
                });
                proptest::prop_assert!(rows.count() <= bytes.len() + log.len());
                let _ = rows_of(&database, &table.name);
            }
        }
    }
}

fn rows_of(database: &Database, table: &str) -> usize {
    database.rows(table).filter_map(|entry| entry.and_then(Entry::read).ok()).count()
}
