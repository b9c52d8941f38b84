//! Floor 3: tells what a replay found. A report shows, it never judges.
//!
//! The shelf of output formats: a new one is one file here and its two lines below.

mod display;
mod html;
mod hunks;
mod json;
mod jsonl;
mod outcome;
mod palette;
mod redact;
mod summary;
#[cfg(feature = "table")]
mod table;
mod text;
mod xml;

pub mod change;
pub mod corpus;
pub mod explain;
pub mod mutate;
pub mod near;
#[cfg(feature = "prove")]
pub mod prove;
pub mod sources;
pub mod tested;

pub use display::{escaped, marked};
pub use hunks::hunks;
pub use outcome::OutcomeText;
pub use redact::redacted;
pub(crate) use text::{counted, located, second, thousands, who};

use std::io::{self, Write};
use std::time::Duration;

use crate::engine::replay::Totals;
use crate::model::{Finding, Issue};

/// Every output format, in the order `--help` lists them.
pub const REPORTS: &[&dyn Report] = &[
    &text::Text,
    &json::Json,
    &jsonl::JsonLines,
    &html::Html,
    #[cfg(feature = "table")]
    &table::CSV,
    #[cfg(feature = "table")]
    &table::PARQUET,
];

/// One output format.
pub trait Report: Sync {
    /// The word for `--format`.
    fn name(&self) -> &'static str;

    /// One line for `--help`.
    fn about(&self) -> &'static str;

    /// Not for a terminal: bytes that are no text.
    fn is_binary(&self) -> bool {
        false
    }

    /// Uses colours, which are taken out again where nobody would see them. Data is written as it is.
    fn is_styled(&self) -> bool {
        false
    }

    /// Tells how near the rules were to what was allowed.
    fn tells_near_misses(&self) -> bool {
        false
    }

    /// Starts telling about one replay.
    fn start<'w>(&self, heading: Heading, out: &'w mut dyn Write) -> Box<dyn Telling + 'w>;
}

/// A report in the making; it is told everything in input order.
pub trait Telling {
    /// # Errors
    /// When the output cannot be written.
    fn finding(&mut self, finding: &Finding) -> io::Result<()>;

    /// # Errors
    /// When the output cannot be written.
    fn issue(&mut self, issue: &Issue) -> io::Result<()>;

    /// # Errors
    /// When the output cannot be written.
    fn finish(self: Box<Self>, ended: &Ended) -> io::Result<()>;
}

/// What is known before the first action.
#[derive(Clone, Debug, Default)]
pub struct Heading {
    /// The packs and files in force: `builtin:recommended`.
    pub policies: Vec<String>,
    pub policy_digest: String,
    pub rules: usize,
    /// The `nearmiss.toml` in force, if there is one.
    pub config: Option<String>,
    /// Which actions are told of, where not all are.
    pub filter: Option<String>,
    /// Columns to fill at most.
    pub width: usize,
    /// Show secrets as they were recorded.
    pub no_redact: bool,
    /// The arguments that name the same input to `explain`, for the hint what to do next.
    pub again: Option<String>,
}

/// What is known after the last action.
#[derive(Clone, Debug, Default)]
pub struct Ended {
    pub totals: Totals,
    pub elapsed: Duration,
    /// Ended by the user before everything was read.
    pub interrupted: bool,
}

/// The format called `name`.
pub fn by_name(name: &str) -> Option<&'static dyn Report> {
    REPORTS.iter().copied().find(|report| report.name() == name)
}
