//! Runs two policies over the same actions: what `diff`, `gate` and `accept` have in common.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::ProgressBar;

use crate::engine::Config;
use crate::engine::compare::{Comparison, Impact};
use crate::engine::expect::{self, Case, Outcome};
use crate::engine::replay::{Listener, Totals};
use crate::model::{Finding, Issue};
use crate::reader::input::Input;
use crate::report::Heading;

use super::replay::{InputArguments, interrupted, watch_interrupt};
use super::setup::Setup;
use super::side::{Side, files_in};
use super::terminal;

/// What the two policies said.
pub(super) struct Compared {
    pub(super) base: Heading,
    pub(super) head: Heading,
    pub(super) config: Config,
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
    /// Judge the cases of the configuration as well.
    pub(super) cases: bool,
}

impl Comparing<'_> {
    pub(super) fn run(self) -> anyhow::Result<Compared> {
        let started = Instant::now();
        let cases = if self.cases { cases(&self.head.folder, &self.head.config.test.cases)? } else { Vec::new() };
        let base = self.base.names.clone();
        let setup = Setup::compare(&self.base, self.head)?;
        let Setup { engine, config, heading: head, .. } = setup;
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
            issues,
            bar: terminal::progress(replay.inputs.iter().map(Input::size).sum()),
            interrupted: false,
        };
        watch_interrupt();
        let mut totals = replay.run(&engine, &mut told).context("failed to start the threads")?;
        totals.unread += lost;
        told.bar.finish_and_clear();
        let impact = told.comparison.finish(&engine);
        let cases = cases.into_iter().map(|case| expect::judge(&engine, case)).collect();
        Ok(Compared {
            base,
            head,
            config,
            impact,
            cases,
            totals,
            issues: told.issues,
            elapsed: started.elapsed(),
            interrupted: told.interrupted,
        })
    }
}

/// The cases in files and folders whose names are relative to `folder`.
pub(super) fn cases(folder: &Path, paths: &[String]) -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for path in paths {
        let path = folder.join(path);
        let files = if path.is_dir() { files_in(&path, "toml")? } else { vec![path] };
        for file in files {
            let shown = file.display().to_string();
            let text = std::fs::read_to_string(&file).with_context(|| format!("failed to read {shown}"))?;
            cases.extend(expect::cases(&shown, &text)?);
        }
    }
    Ok(cases)
}

struct Told {
    comparison: Comparison,
    issues: Vec<Issue>,
    bar: ProgressBar,
    interrupted: bool,
}

impl Listener for Told {
    fn finding(&mut self, finding: &Finding) {
        self.comparison.finding(finding);
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
