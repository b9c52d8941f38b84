//! Which changes of a policy nobody would notice, and what would. The shelf of formats for `mutate`.

mod json;
mod text;

use std::io::{self, Write};
use std::time::Duration;

use crate::engine::mutate::Survey;
use crate::engine::replay::Totals;
use crate::model::Issue;

use super::{Heading, redacted};

/// Every format, in the order `--help` lists them.
pub const REPORTS: &[&dyn MutantReport] = &[&text::Text, &json::Json];

/// One format.
pub trait MutantReport: Sync {
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
    /// The least share of killed mutants, where one is asked for.
    pub threshold: Option<f64>,
    /// What was read of actions whose outcome is pinned, and of others.
    pub pinned: &'a Totals,
    pub traces: &'a Totals,
    pub examples: usize,
    pub cases: usize,
    pub incidents: usize,
    pub issues: &'a [Issue],
    pub elapsed: Duration,
}

impl Told<'_> {
    /// Recorded words, as they may be shown.
    fn secret(&self, text: &str) -> String {
        if self.heading.no_redact { text.to_owned() } else { redacted(text).into_owned() }
    }

    fn passed(&self) -> bool {
        match (self.threshold, self.survey.score()) {
            (Some(threshold), Some(score)) => score >= threshold,
            _ => true,
        }
    }
}

/// The format called `name`.
pub fn by_name(name: &str) -> Option<&'static dyn MutantReport> {
    REPORTS.iter().copied().find(|report| report.name() == name)
}
