//! What a policy change does to recorded actions. The shelf of formats for `diff` and `gate`: a new one is one file
//! here and its two lines below.

mod github;
mod gitlab;
mod json;
mod junit;
mod markdown;
mod remark;
mod said;
mod sarif;
mod text;

#[cfg(feature = "prove")]
pub(super) use said::said;

pub(super) use markdown::{cell, code};

use std::io::{self, Write};
use std::time::Duration;

use crate::engine::compare::Impact;
use crate::engine::expect::Outcome;
use crate::engine::gate::Gate;
use crate::engine::replay::Totals;
use crate::model::Issue;

use super::Heading;

/// Every format, in the order `--help` lists them.
pub const REPORTS: &[&dyn ChangeReport] =
    &[&text::Text, &markdown::Markdown, &github::Github, &gitlab::Gitlab, &sarif::Sarif, &junit::Junit, &json::Json];

/// One format.
pub trait ChangeReport: Sync {
    /// The word for `--format`.
    fn name(&self) -> &'static str;

    /// One line for `--help`.
    fn about(&self) -> &'static str;

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
    /// The policy before the change, and after it.
    pub base: &'a Heading,
    pub head: &'a Heading,
    pub impact: &'a Impact,
    pub cases: &'a [Outcome],
    pub totals: &'a Totals,
    pub issues: &'a [Issue],
    pub elapsed: Duration,
    /// `None` for `diff`, which passes no verdict.
    pub gate: Option<&'a Gate>,
    /// The working folder as seen from the top of its repository: empty at the top, or like `services/shop/`.
    pub folder: &'a str,
    /// The arguments with which another command makes the same comparison, each with a space before it.
    pub again: &'a str,
}

/// The format called `name`.
pub fn by_name(name: &str) -> Option<&'static dyn ChangeReport> {
    REPORTS.iter().copied().find(|report| report.name() == name)
}
