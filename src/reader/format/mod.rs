//! The shelf of formats: a new one is one file here and its two lines below.

use super::Reader;

mod postgres;
pub mod postgres_csv;
pub mod postgres_json;
pub mod postgres_stderr;

/// Every format nearmiss can read, in the order `nearmiss formats` lists them.
pub const READERS: &[&dyn Reader] =
    &[&postgres_csv::PostgresCsv, &postgres_json::PostgresJson, &postgres_stderr::PostgresStderr];
