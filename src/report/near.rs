//! What a replay came near to. The shelf of its formats: a new one is one file here and its two lines below.

mod html;
mod json;
mod markdown;
pub(crate) mod said;
mod text;

use std::io::{self, Write};
use std::time::Duration;

use crate::engine::near_miss::group::Survey;
use crate::engine::replay::Totals;
use crate::model::{Finding, Issue};

use super::Heading;

/// Every format, in the order `--help` lists them.
pub const REPORTS: &[&dyn NearReport] = &[&text::Text, &json::Json, &markdown::Markdown, &html::Html];

/// One format.
pub trait NearReport: Sync {
    /// The word for `--format`.
    fn name(&self) -> &'static str;

    /// Uses colours, which are taken out again where nobody would see them.
    fn is_styled(&self) -> bool {
        false
    }

    /// # Errors
    /// When the output cannot be written.
    fn tell(&self, told: &Told<'_>, out: &mut dyn Write) -> io::Result<()>;
}

/// Everything there is to tell.
#[derive(Debug)]
pub struct Told<'a> {
    pub heading: &'a Heading,
    pub survey: &'a Survey,
    /// Only what has to do with this one is told.
    pub like: Option<&'a Finding>,
    pub totals: &'a Totals,
    pub issues: &'a [Issue],
    pub elapsed: Duration,
    /// Groups told one by one.
    pub limit: usize,
    /// Guarded, routine and blind ones as well.
    pub all: bool,
}

/// The format called `name`.
pub fn by_name(name: &str) -> Option<&'static dyn NearReport> {
    REPORTS.iter().copied().find(|report| report.name() == name)
}
