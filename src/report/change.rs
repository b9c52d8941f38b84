//! What a policy change does to recorded actions. The shelf of formats for `diff` and `gate`: a new one is one file
//! here and its two lines below.

mod text;

use std::io::{self, Write};
use std::time::Duration;

use crate::engine::compare::{Group, Impact};
use crate::engine::expect::Outcome;
use crate::engine::gate::Gate;
use crate::engine::replay::Totals;
use crate::model::{Issue, RuleInfo};
use crate::policy::{Changed, RuleChange};

use super::Heading;

/// Every format, in the order `--help` lists them.
pub const REPORTS: &[&dyn ChangeReport] = &[&text::Text];

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
}

/// The format called `name`.
pub fn by_name(name: &str) -> Option<&'static dyn ChangeReport> {
    REPORTS.iter().copied().find(|report| report.name() == name)
}

/// The edits behind a group: changes of the rules that have to do with it.
fn edits<'i>(impact: &'i Impact, group: &'i Group) -> impl Iterator<Item = &'i RuleChange> {
    impact.rules.iter().filter(|change| group.rules().any(|rule| rule.id == change.id))
}

/// What was done to a rule, in one line: `condition \`…\` added`.
pub(in crate::report) fn said(change: &RuleChange) -> String {
    let conditions = change.conditions.iter().map(|condition| {
        let verb = if condition.added { "added" } else { "removed" };
        format!("condition `{}` {verb}", condition.text)
    });
    let annotations = change.annotations.iter().map(|(key, before, after)| {
        let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        format!("{key} {} -> {}", word(before), word(after))
    });
    match change.what {
        Changed::Added => "new rule".to_owned(),
        Changed::Removed => "rule removed".to_owned(),
        Changed::Edited => {
            let all: Vec<String> = annotations.chain(conditions).collect();
            if all.is_empty() { "turned round".to_owned() } else { all.join(", ") }
        }
    }
}

/// Where a rule stands: `policy/git.cedar:14`.
pub(in crate::report) fn place(rule: &RuleInfo) -> String {
    format!("{}:{}", rule.file, rule.line)
}
