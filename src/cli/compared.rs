//! Runs two policies over the same actions: what `diff`, `gate` and `accept` have in common.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::ProgressBar;

use crate::engine::compare::{Comparison, Impact};
use crate::engine::expect::{self, Case, Outcome};
use crate::engine::query::Filter;
use crate::engine::replay::{Listener, Totals};
use crate::model::{Finding, Issue};
use crate::reader::input::Input;
use crate::report::Heading;

use super::replay::{InputArguments, asked, interrupted, watch_interrupt};
use super::setup::Setup;
use super::side::Side;
use super::terminal;

/// What the two policies said.
pub(super) struct Compared {
    pub(super) base: Heading,
    pub(super) head: Heading,
    pub(super) impact: Impact,
    pub(super) cases: Vec<Outcome>,
    pub(super) totals: Totals,
    pub(super) issues: Vec<Issue>,
    pub(super) elapsed: Duration,
    pub(super) interrupted: bool,
}

/// What to run.
pub(super) struct Comparing<'a> {
    pub(super) base: Side,
    pub(super) head: Side,
    pub(super) paths: &'a [PathBuf],
    pub(super) input: &'a InputArguments,
    /// Which actions are compared.
    pub(super) filter: Filter,
    /// Judge the cases of the configuration as well.
    pub(super) cases: bool,
}

impl Comparing<'_> {
    pub(super) fn run(self) -> anyhow::Result<Compared> {
        let started = Instant::now();
        let (cases, earlier) = if self.cases { labelled(&self.base, &self.head)? } else { Default::default() };
        let base = self.base.names.clone();
        let setup = Setup::compare(&self.base, self.head)?;
        let Setup { engine, heading: mut head, .. } = setup;
        let engine = asked(engine, &self.filter);
        head.filter = (!self.filter.is_all()).then(|| self.filter.to_string());
        let before = engine.base_policy().context("there is nothing to compare with")?;
        let base = Heading {
            policies: base,
            policy_digest: before.digest().to_owned(),
            rules: before.rules().len(),
            ..head.clone()
        };
        let (replay, issues) = self.input.replay(self.paths, None)?;
        let lost = issues.iter().filter(|issue| issue.lost).count() as u64;
        let mut told = Told {
            comparison: Comparison::default(),
            filter: self.filter,
            issues,
            bar: terminal::progress(replay.inputs.iter().map(Input::size).sum()),
            interrupted: false,
        };
        watch_interrupt();
        let mut totals = replay.run(&engine, &mut told).context("failed to start the threads")?;
        totals.unread += lost;
        told.bar.finish_and_clear();
        let cases: Vec<Outcome> = cases.into_iter().map(|case| expect::judge(&engine, case)).collect();
        // A case that the change takes out or turns round was an agreement: breaking it needs a yes like any loosening.
        let earlier = earlier.into_iter().map(|case| expect::judge(&engine, case).finding);
        for finding in cases.iter().map(|outcome| outcome.finding.clone()).chain(earlier) {
            told.comparison.case(&finding);
        }
        let impact = told.comparison.finish(&engine);
        Ok(Compared {
            base,
            head,
            impact,
            cases,
            totals,
            issues: told.issues,
            elapsed: started.elapsed(),
            interrupted: told.interrupted,
        })
    }
}

/// The cases of the side after the change, and those that only the side before it has.
fn labelled(base: &Side, head: &Side) -> anyhow::Result<(Vec<Case>, Vec<Case>)> {
    let cases = head.cases()?;
    let acts: HashSet<String> = cases.iter().map(Case::act).collect();
    let earlier = base.cases().with_context(|| format!("in {}, which is compared with", base.said()))?;
    let earlier = earlier.into_iter().filter(|case| !acts.contains(&case.act())).collect();
    Ok((cases, earlier))
}

struct Told {
    comparison: Comparison,
    filter: Filter,
    issues: Vec<Issue>,
    bar: ProgressBar,
    interrupted: bool,
}

impl Listener for Told {
    fn finding(&mut self, finding: &Finding) {
        if self.filter.matches(finding) {
            self.comparison.finding(finding);
        }
    }

    fn issue(&mut self, issue: &Issue) {
        self.issues.push(issue.clone());
    }

    fn progress(&mut self, bytes: u64) -> ControlFlow<()> {
        self.bar.set_position(bytes);
        self.interrupted = interrupted();
        if self.interrupted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
