//! Parquet files as rows. The only door to polars on this floor; a build without the feature `table` says so.

use std::io::{self, BufRead, Read};
use std::ops::ControlFlow;

use serde_json::{Map, Value};

#[cfg(feature = "table")]
mod parquet;

/// A table as Parquet, for tests.
#[cfg(all(test, feature = "table"))]
pub(super) fn from_csv(table: &str) -> Vec<u8> {
    parquet::from_csv(table)
}

/// What a Parquet file begins with.
pub(super) const MAGIC: &[u8] = b"PAR1";

/// A file is held whole, as it is stored: its table of contents stands at its end.
const MOST: u64 = 2 << 30;

/// Why a file, or the rest of it, is not read.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) problem: String,
    pub(super) advice: String,
}

impl Refused {
    fn new(problem: impl Into<String>, advice: &str) -> Self {
        Self { problem: problem.into(), advice: advice.to_owned() }
    }
}

/// Takes the number of a row, from 1, and its values.
pub(super) type EachRow<'f> = dyn FnMut(u64, Map<String, Value>) -> ControlFlow<()> + 'f;

/// A Parquet file.
#[cfg(feature = "table")]
pub(super) struct Table(parquet::File);

#[cfg(not(feature = "table"))]
pub(super) struct Table(std::convert::Infallible);

impl Table {
    /// Reads a file to its end.
    pub(super) fn read(input: &mut dyn BufRead) -> io::Result<Result<Self, Refused>> {
        let mut bytes = Vec::new();
        input.take(MOST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MOST {
            let problem = format!("a Parquet file of more than {} GiB", MOST >> 30);
            return Ok(Err(Refused::new(problem, "split it by rows")));
        }
        Ok(Self::open(bytes))
    }

    #[cfg(feature = "table")]
    fn open(bytes: Vec<u8>) -> Result<Self, Refused> {
        parquet::File::open(bytes).map(Self)
    }

    #[cfg(not(feature = "table"))]
    fn open(_: Vec<u8>) -> Result<Self, Refused> {
        let advice = "build it with its default features, or export CSV or JSON Lines";
        Err(Refused::new("a Parquet file, which this build of nearmiss does not read", advice))
    }

    /// The names of the columns that can be read.
    pub(super) fn columns(&self) -> Vec<String> {
        #[cfg(feature = "table")]
        return self.0.columns();
        #[cfg(not(feature = "table"))]
        match self.0 {}
    }

    /// The names of the columns whose types are not read: nested ones, decimals.
    pub(super) fn unread(&self) -> Vec<String> {
        #[cfg(feature = "table")]
        return self.0.unread();
        #[cfg(not(feature = "table"))]
        match self.0 {}
    }

    /// Hands out every row with what it has in these columns.
    pub(super) fn rows(&self, columns: &[String], each: &mut EachRow<'_>) -> Result<(), Refused> {
        #[cfg(feature = "table")]
        return self.0.rows(columns, each);
        #[cfg(not(feature = "table"))]
        match (self.0, columns, each) {}
    }
}
