//! The verdict of a policy change: what keeps it from being merged.

mod acceptance;

pub(crate) use acceptance::toml_string;
pub use acceptance::{Acceptance, AcceptanceError, Day};

use std::collections::BTreeMap;

use crate::model::{Issue, words};

use super::compare::{ChangeId, Impact, Transition};
use super::config::GateTable;
use super::expect::Outcome;
use super::replay::Totals;

/// Everything the gate looks at.
#[derive(Debug)]
pub struct Evidence<'a> {
    pub impact: &'a Impact,
    pub cases: &'a [Outcome],
    pub totals: &'a Totals,
    /// What could not be read.
    pub issues: &'a [Issue],
    /// There are no recorded logs, and the user says that this is meant.
    pub cases_only: bool,
    /// What the user allows. A change must not move its own limits, so these are the ones before it.
    pub limits: &'a GateTable,
    /// The share of records that must be readable.
    pub min_coverage: f64,
    pub acceptances: &'a [Acceptance],
    pub today: Day,
}

/// What the gate says.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    /// Empty when the change may be merged. Worst first.
    pub failures: Vec<Failure>,
    /// The changes among them, and why.
    pub failing: BTreeMap<ChangeId, FailureKind>,
    /// Changes that somebody accepted, with the acceptance.
    pub accepted: BTreeMap<ChangeId, Acceptance>,
    /// Acceptances of changes that are not in this comparison: merged long ago, or changed since.
    pub unused: Vec<Acceptance>,
}

/// One reason not to merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    pub message: String,
    /// The change it is about.
    pub change: Option<ChangeId>,
    /// The case it is about: its place among the cases.
    pub case: Option<usize>,
}

words! {
    /// Why a gate fails.
    FailureKind {
        /// Nothing was judged, so nothing was tested.
        Nothing = "nothing-evaluated",
        /// Too much of the log could not be read.
        Unread = "unread",
        /// A policy could not be evaluated on some action.
        Errors = "evaluation-errors",
        WrongCase = "wrong-case",
        /// A loosening that nobody accepted.
        Loosened = "loosened",
        /// A loosening that somebody accepted until a day that is over.
        Expired = "expired",
        NewBlocks = "new-blocks",
        /// Less of the log is understood than before.
        Coverage = "coverage",
    }
}

impl Gate {
    /// Holds a change against the user's limits.
    pub fn new(evidence: &Evidence<'_>) -> Self {
        let mut gate = Self::default();
        gate.evaluated(evidence);
        gate.cases(evidence);
        gate.loosened(evidence);
        gate.tightened(evidence);
        gate.failures.sort_by_key(|failure| failure.kind);
        gate.failing = gate.failures.iter().filter_map(|failure| Some((failure.change?, failure.kind))).collect();
        gate
    }

    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }

    fn fail(&mut self, kind: FailureKind, message: String) -> &mut Failure {
        self.failures.push(Failure { kind, message, change: None, case: None });
        self.failures.last_mut().expect("a failure was just added")
    }

    /// Was anything looked at, and did looking work?
    fn evaluated(&mut self, evidence: &Evidence<'_>) {
        let Evidence { impact, cases, totals, issues, cases_only, min_coverage, .. } = *evidence;
        if cases_only && cases.is_empty() {
            self.fail(FailureKind::Nothing, "there is no case to evaluate".to_owned());
        } else if !cases_only && impact.total() == 0 {
            self.fail(FailureKind::Nothing, "there was no action in the traces".to_owned());
        }
        // A file that is missing as a whole is one record among thousands; what it would have shown is not known.
        for issue in issues.iter().filter(|issue| issue.lost && issue.line == 0) {
            self.fail(FailureKind::Unread, format!("{}: {}; {}", issue.file, issue.problem, issue.advice));
        }
        if totals.coverage() < min_coverage {
            let (share, least) = (totals.coverage() * 100.0, min_coverage * 100.0);
            let message = format!("only {share:.1} % of the records could be read, {least} % are required");
            self.fail(FailureKind::Unread, message);
        }
        if impact.errors > 0 {
            let first = impact.messages.first().map_or("", String::as_str);
            let message = format!("a policy could not be evaluated on {} actions: {first}", impact.errors);
            self.fail(FailureKind::Errors, message);
        }
    }

    fn cases(&mut self, evidence: &Evidence<'_>) {
        for (index, outcome) in evidence.cases.iter().enumerate() {
            if let Some(problem) = outcome.problem() {
                let Outcome { case, .. } = outcome;
                let message = format!("case `{}` ({}:{}): {problem}", case.name, case.file, case.line);
                self.fail(FailureKind::WrongCase, message).case = Some(index);
            }
        }
    }

    fn loosened(&mut self, evidence: &Evidence<'_>) {
        let acceptances = evidence.acceptances;
        for group in evidence.impact.groups(Transition::Loosened) {
            let about = format!("{} `{}` {} -> {}", group.id, group.template, group.base, group.head);
            let failed = match acceptances.iter().find(|acceptance| acceptance.id == group.id) {
                None => Some((FailureKind::Loosened, format!("{about}: nobody accepted it"))),
                Some(acceptance) if !acceptance.is_about(group) => {
                    let problem =
                        format!("{about}: its acceptance speaks of another change, `{}`", acceptance.template);
                    Some((FailureKind::Loosened, problem))
                }
                Some(acceptance) => {
                    self.accepted.insert(group.id, acceptance.clone());
                    let until = acceptance.until.filter(|until| *until < evidence.today);
                    until.map(|until| (FailureKind::Expired, format!("{about}: it was accepted until {until}")))
                }
            };
            if let Some((kind, message)) = failed {
                self.fail(kind, message).change = Some(group.id);
            }
        }
        if evidence.impact.ungrouped > 0 {
            let message = format!("{} more actions are judged otherwise, too many to list", evidence.impact.ungrouped);
            self.fail(FailureKind::Loosened, message);
        }
        let used = |acceptance: &&Acceptance| !self.accepted.contains_key(&acceptance.id);
        self.unused = acceptances.iter().filter(used).cloned().collect();
    }

    fn tightened(&mut self, evidence: &Evidence<'_>) {
        let Evidence { impact, limits, .. } = *evidence;
        let total = impact.total().max(1) as f64;
        let groups = impact.groups(Transition::Tightened).count() as u64;
        let actions = impact.actions(Transition::Tightened);
        if groups > limits.max_new_blocks {
            let message =
                format!("{groups} templates are newly stopped, {} may be (`max-new-blocks`)", limits.max_new_blocks);
            self.fail(FailureKind::NewBlocks, message);
        }
        let share = actions as f64 / total;
        // One action of a short log is a large share and says nothing.
        if share > limits.max_new_block_share && actions > limits.max_new_blocks {
            let message = format!(
                "{actions} actions are newly stopped, {:.2} % of all; {} % may be (`max-new-block-share`)",
                share * 100.0,
                limits.max_new_block_share * 100.0
            );
            self.fail(FailureKind::NewBlocks, message);
        }
        let undecided = impact.actions(Transition::Undecided);
        let share = undecided as f64 / total;
        if share > limits.max_new_undecided_share {
            let message = format!(
                "{undecided} actions became undecided, {:.2} % of all; {} % may be (`max-new-undecided-share`)",
                share * 100.0,
                limits.max_new_undecided_share * 100.0
            );
            self.fail(FailureKind::Coverage, message);
        }
    }
}
