//! SQLite 3 databases, read only: the file format as sqlite.org publishes it, a page at a time, together with the log of
//! pages (`-wal`) beside the file.
//!
//! A reader of our own, for what agents and shells keep in such files: no parser in C meets hostile bytes, no lock is taken
//! and no copy is needed. What is damaged is said with its byte; every other row is still read. Rows that were deleted, and
//! what a program has not committed yet, are not there.

mod pages;
mod record;
mod schema;
mod tree;
mod wal;

use std::io::{self, BufRead, Read as _};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use self::pages::Pages;
pub use self::pages::Stored;
pub use self::record::Value;
use self::record::{Encoding, column_at, decode};
pub use self::schema::Table;
use self::tree::{Cell, Pagemap, Walk};
use super::{Out, Source};
use crate::model::Issue;

/// What every file begins with.
pub const MAGIC: &[u8] = b"SQLite format 3\0";

/// A database that is no file of its own (packed, from a pipe) is held in memory up to this size.
pub const MOST_IN_MEMORY: u64 = 1 << 30;

/// A row longer than this is not read.
const MOST_ROW: u64 = 64 << 20;

/// A database that is open.
#[derive(Debug)]
pub struct Database {
    pages: Mutex<Pages>,
    encoding: Encoding,
    tables: Vec<Table>,
    /// What was wrong with the file as a whole.
    problems: Vec<Problem>,
}

/// What could not be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct Problem {
    /// The byte in the file.
    pub offset: u64,
    pub problem: String,
    pub advice: String,
    /// Rows were lost by it.
    pub lost: bool,
}

impl Problem {
    fn new(offset: u64, problem: impl Into<String>) -> Self {
        let advice = "copy the file again, with the `-wal` beside it; `sqlite3 FILE .recover` mends a damaged one";
        Self { offset, problem: problem.into(), advice: advice.to_owned(), lost: true }
    }

    /// A file that the operating system does not give out.
    pub fn unreadable(error: &io::Error) -> Self {
        Self { advice: String::new(), ..Self::new(0, format!("cannot be read: {error}")) }
    }

    /// As it is told about the file.
    pub fn issue(self, source: &Source) -> Issue {
        let Self { offset, problem, advice, lost } = self;
        Issue { file: Arc::clone(&source.file), line: 0, offset, problem, advice, lost }
    }
}

impl Database {
    /// Opens a database with its log of pages, where there is one. `journal`: a journal lies beside it that was not rolled
    /// back.
    ///
    /// # Errors
    /// When the file is no database, is of a version nobody knows, or not one page of it is readable.
    pub fn open(file: Box<dyn Stored>, wal: Option<Box<dyn Stored>>, journal: bool) -> Result<Self, Problem> {
        let mut problems = Vec::new();
        let (pages, encoding) = Pages::open(file, wal, &mut problems)?;
        if journal {
            problems.push(Problem {
                offset: 0,
                problem:
                    "a change was not finished: its `-journal` lies beside the file, and what it would undo is read"
                        .to_owned(),
                advice: "open a copy of both once with `sqlite3` to roll it back".to_owned(),
                lost: false,
            });
        }
        let mut database = Self { pages: Mutex::new(pages), encoding, tables: Vec::new(), problems };
        database.tables = database.schema();
        Ok(database)
    }

    /// The database that a reader is asked to read: the one that was opened for it, or what `input` has in it. `None` when
    /// that is none, which has been said then.
    ///
    /// # Errors
    /// When the input cannot be read any further.
    pub fn given(input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<Option<Arc<Self>>> {
        let database = match &source.database {
            Some(database) => Arc::clone(database),
            None => match Self::in_memory(input, None, false)? {
                Ok(database) => Arc::new(database),
                Err(problem) => {
                    let _ = out.issue(problem.issue(source));
                    return Ok(None);
                }
            },
        };
        for problem in &database.problems {
            if out.issue(problem.clone().issue(source)).is_break() {
                return Ok(None);
            }
        }
        Ok(Some(database))
    }

    /// Reads a whole stream, and what lies beside it.
    ///
    /// # Errors
    /// The outer one when the stream cannot be read, the inner one when there is no database in it.
    pub fn in_memory(
        input: &mut dyn BufRead,
        wal: Option<Box<dyn Stored>>,
        journal: bool,
    ) -> io::Result<Result<Self, Problem>> {
        let mut bytes = Vec::new();
        // What a damaged archive still gives is a database that was cut off.
        let read = input.take(MOST_IN_MEMORY + 1).read_to_end(&mut bytes);
        if bytes.len() as u64 > MOST_IN_MEMORY {
            let problem =
                format!("an SQLite database of more than {} GiB inside of another file", MOST_IN_MEMORY >> 30);
            let advice = "unpack it and name the file".to_owned();
            return Ok(Err(Problem { offset: 0, problem, advice, lost: true }));
        }
        let opened = Self::open(Box::new(io::Cursor::new(bytes)), wal, journal);
        match (opened, read) {
            (Err(_), Err(error)) => Err(error),
            (Ok(mut database), Err(error)) => {
                database.problems.push(Problem::new(0, error.to_string()));
                Ok(Ok(database))
            }
            (opened, Ok(_)) => Ok(opened),
        }
    }

    /// The tables that have rows of their own, in the order they were made.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The table of that name, whatever its case.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name))
    }

    /// The rows of a table in the order of their numbers, or of their keys where it has none. None when there is no such
    /// table.
    pub fn rows<'d>(&'d self, name: &str) -> Rows<'d> {
        let table = self.table(name);
        let walk = table.map(|table| Walk::new(table.root, table.has_rowid));
        Rows { database: self, table, walk, position: 0, rest: Arc::default() }
    }

    /// Hands every row of a table to `each`; what cannot be read is said.
    pub fn each(
        &self,
        name: &str,
        source: &Source,
        out: &mut dyn Out,
        each: &mut dyn FnMut(&Row<'_>, &mut dyn Out) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        for entry in self.rows(name) {
            match entry.and_then(|entry| entry.read()) {
                Ok(row) => each(&row, out)?,
                Err(problem) => out.issue(problem.issue(source))?,
            }
        }
        ControlFlow::Continue(())
    }

    fn schema(&mut self) -> Vec<Table> {
        let schema = Table::of_schema();
        let (mut tables, mut problems) = (Vec::new(), Vec::new());
        let walk = Some(Walk::new(1, true));
        for entry in (Rows { database: self, table: Some(&schema), walk, position: 0, rest: Arc::default() }) {
            let row = match entry.and_then(|entry| entry.read()) {
                Ok(row) => row,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            let root = row.integer("rootpage").and_then(|root| u32::try_from(root).ok()).unwrap_or(0);
            let (name, sql) = (row.text("name").unwrap_or_default(), row.text("sql").unwrap_or_default());
            // Virtual tables have no pages of their own.
            if row.text("type").as_deref() != Some("table") || root == 0 {
                continue;
            }
            match Table::read(&name, root, &sql) {
                Some(table) => tables.push(table),
                None => {
                    problems.push(Problem::new(row.offset, format!("the table `{name}` has columns nobody can read")))
                }
            }
        }
        self.problems.extend(problems);
        tables
    }

    fn pages(&self) -> std::sync::MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rows of one table.
#[derive(Debug)]
pub struct Rows<'d> {
    database: &'d Database,
    table: Option<&'d Table>,
    walk: Option<Walk>,
    position: u64,
    rest: Rest,
}

/// The pages with the rests of rows that were read: each is of one row.
type Rest = Arc<Mutex<Pagemap>>;

impl<'d> Iterator for Rows<'d> {
    type Item = Result<Entry<'d>, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        let (table, walk) = (self.table?, self.walk.as_mut()?);
        let cell = match walk.next(&mut self.database.pages())? {
            Ok(cell) => cell,
            Err(problem) => return Some(Err(problem)),
        };
        self.position += 1;
        Some(Ok(Entry { database: self.database, table, position: self.position, cell, rest: Arc::clone(&self.rest) }))
    }
}

/// A row of which only what stands on its own page is known.
#[derive(Debug)]
pub struct Entry<'d> {
    database: &'d Database,
    table: &'d Table,
    position: u64,
    cell: Cell,
    rest: Rest,
}

impl<'d> Entry<'d> {
    /// A column's text, when it is near enough to be read without the rest of the row. Its first part where it is longer.
    pub fn peek(&self, column: &str) -> Option<String> {
        let at = self.table.stored(column)?;
        column_at(&self.cell.local, at, self.database.encoding)
    }

    /// The whole row.
    ///
    /// # Errors
    /// When a part of it is missing or damaged.
    pub fn read(self) -> Result<Row<'d>, Problem> {
        let (offset, rowid) = (self.cell.offset, self.cell.rowid);
        if self.cell.size > MOST_ROW {
            let problem = format!("a row of `{}` that is longer than {} MiB", self.table.name, MOST_ROW >> 20);
            return Err(Problem { advice: "nothing of it was read".to_owned(), ..Problem::new(offset, problem) });
        }
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        let payload = self.cell.payload(&mut self.database.pages(), &mut rest)?;
        let values = decode(&payload, self.database.encoding).ok_or_else(|| {
            Problem::new(offset, format!("a row of `{}` whose columns do not fit into it", self.table.name))
        })?;
        Ok(Row { table: self.table, rowid, position: self.position, offset, values })
    }
}

/// One row.
#[derive(Debug)]
pub struct Row<'d> {
    table: &'d Table,
    /// The number SQLite knows it by; a table `WITHOUT ROWID` has none.
    pub rowid: Option<i64>,
    /// How many rows of the table come before it, and one.
    pub position: u64,
    /// Its first byte in the file.
    pub offset: u64,
    values: Vec<Value>,
}

impl Row<'_> {
    /// A column's value: `Null` also where the table has no such column.
    pub fn get(&self, column: &str) -> Value {
        if self.rowid.is_some() && self.table.is_rowid(column) {
            return self.rowid.map_or(Value::Null, Value::Integer);
        }
        let Some(at) = self.table.stored(column) else { return Value::Null };
        // A row that was written before the column was added.
        self.values.get(at).cloned().unwrap_or_else(|| self.table.default(column))
    }

    /// A column's text; that of a number too, and that of bytes which are text.
    pub fn text(&self, column: &str) -> Option<String> {
        match self.get(column) {
            Value::Null => None,
            Value::Integer(number) => Some(number.to_string()),
            Value::Real(number) => Some(number.to_string()),
            Value::Text(text) => Some(text),
            Value::Blob(bytes) => String::from_utf8(bytes).ok(),
        }
    }

    /// A column's whole number; also of a text that is one.
    pub fn integer(&self, column: &str) -> Option<i64> {
        match self.get(column) {
            Value::Integer(number) => Some(number),
            Value::Real(number) if number.fract() == 0.0 && number.abs() < 9e15 => Some(number as i64),
            Value::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// The number a person finds the row by: SQLite's own, else how many come before it and one.
    pub fn number(&self) -> u64 {
        self.rowid.and_then(|rowid| u64::try_from(rowid).ok()).unwrap_or(self.position)
    }
}

#[cfg(test)]
mod tests;
