//! `nearmiss gate`: may this policy change be merged?

use std::path::PathBuf;

use anyhow::{Context, bail};

use crate::engine::Config;
use crate::engine::gate::{Acceptance, Day, Evidence, FailureKind, Gate};
use crate::engine::query::Filter;
use crate::report::change::Told;

use super::compared::{Compared, Comparing};
use super::replay::{DEFAULT_COVERAGE, InputArguments};
use super::reports::{ReportArguments, folder_in_repository, quoted};
use super::side::{Git, Side, files_in};
use super::{exit, lock, terminal};

/// Hold a policy change against cases and recorded logs; exit with 1 when it lets something through that nobody accepted
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Recorded logs: files, folders, globs [default: `[gate] traces` of nearmiss.toml]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    against: Against,
    #[command(flatten)]
    report: ReportArguments,
}

/// What is compared over which actions.
#[derive(Debug, clap::Args)]
pub(super) struct Against {
    /// The git revision to compare with; the last commit it has in common with HEAD counts
    /// [default: `[gate] base` of nearmiss.toml]
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    #[command(flatten)]
    input: InputArguments,
    /// The configuration to use [default: nearmiss.toml, found upwards from here]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Go without recorded logs: only the cases count
    #[arg(long)]
    cases_only: bool,
    /// Refuse logs that are not as the lock file has them (see `nearmiss lock`)
    #[arg(long)]
    locked: bool,
    /// Today, for acceptances with an end [default: the clock]
    #[arg(long, value_name = "DAY", hide = true)]
    pub(super) today: Option<Day>,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<u8> {
    let reports = arguments.report.reports()?;
    let again = arguments.against.again(&arguments.paths);
    let mut judged = arguments.against.run(arguments.paths)?;
    judged.compared.head.no_redact = arguments.report.no_redact;
    let gate = judged.gate();
    let Compared { base, head, impact, cases, totals, issues, elapsed, interrupted, .. } = &judged.compared;
    let (elapsed, folder) = (*elapsed, &folder_in_repository());
    let told = Told { base, head, impact, cases, totals, issues, elapsed, gate: Some(&gate), folder, again: &again };
    match reports.tell(&told) {
        // `gate | head` is no way to pass.
        Err(error) if terminal::is_closed_pipe(&error) => {}
        told => told?,
    }
    Ok(code(&gate, *interrupted))
}

/// The gravest reason speaks; what was not evaluated is no failed gate but none at all.
fn code(gate: &Gate, interrupted: bool) -> u8 {
    if interrupted {
        return exit::INTERRUPTED;
    }
    match gate.failures.first().map(|failure| failure.kind) {
        None => exit::OK,
        Some(FailureKind::Nothing) => exit::NOTHING,
        Some(FailureKind::Unread) => exit::INPUT,
        Some(_) => exit::FAILED,
    }
}

/// A comparison with everything that a gate needs beside it.
pub(super) struct Judged {
    pub(super) compared: Compared,
    pub(super) acceptances: Vec<Acceptance>,
    /// The folder of the acceptances.
    pub(super) accepted: PathBuf,
    /// The configuration whose limits hold.
    limits: Config,
    cases_only: bool,
    today: Day,
}

impl Judged {
    pub(super) fn gate(&self) -> Gate {
        Gate::new(&Evidence {
            impact: &self.compared.impact,
            cases: &self.compared.cases,
            totals: &self.compared.totals,
            issues: &self.compared.issues,
            cases_only: self.cases_only,
            limits: &self.limits.gate,
            min_coverage: self.limits.replay.min_coverage.unwrap_or(DEFAULT_COVERAGE),
            acceptances: &self.acceptances,
            today: self.today,
        })
    }
}

impl Against {
    /// The arguments with which `accept` makes the same comparison.
    fn again(&self, paths: &[PathBuf]) -> String {
        let mut again = String::new();
        let mut add = |option: &str, value: &str| again.push_str(&format!(" {option} {}", quoted(value)));
        if let Some(base) = &self.base {
            add("--base", base);
        }
        for path in paths {
            add("--traces", &path.display().to_string());
        }
        if let Some(config) = &self.config {
            add("--config", &config.display().to_string());
        }
        if let Some(from) = &self.input.from {
            add("--from", from);
        }
        if self.cases_only {
            again.push_str(" --cases-only");
        }
        again
    }

    /// Compares over the actions of `paths`, or of the traces that the configuration names.
    pub(super) fn run(self, paths: Vec<PathBuf>) -> anyhow::Result<Judged> {
        let head = Side::here(self.config.clone(), &[])?;
        let Some(revision) = self.base.or_else(|| head.config.gate.base.clone()) else {
            bail!("name the revision to compare with: `--base origin/main`, or `[gate] base` in nearmiss.toml");
        };
        let revision = common(&head, &revision)?;
        let base = Side::at(&revision, self.config)?;
        let paths = match (self.cases_only, paths.is_empty()) {
            (true, _) => Vec::new(),
            (false, true) => traces(&head)?,
            (false, false) => paths,
        };
        if self.locked {
            lock::check(&head, &paths)?;
        }
        // A change must not move the limits that it is held to: they are those before it, where there were any.
        let limits = if base.shown.is_some() { base.config.clone() } else { head.config.clone() };
        let accepted = head.folder.join(&head.config.gate.accepted);
        let acceptances = acceptances(&accepted)?;
        let compared =
            Comparing { base, head, paths: &paths, input: &self.input, filter: Filter::all(), cases: true }.run()?;
        let today = self.today.map_or_else(terminal::today, Ok)?;
        Ok(Judged { compared, acceptances, accepted, limits, cases_only: self.cases_only, today })
    }
}

/// The recorded logs that the configuration names.
pub(super) fn traces(side: &Side) -> anyhow::Result<Vec<PathBuf>> {
    let gate = &side.config.gate.traces;
    let named = if gate.is_empty() { &side.config.test.corpora } else { gate };
    if named.is_empty() {
        bail!("name recorded logs to replay, or `[gate] traces` in nearmiss.toml; `--cases-only` goes without any");
    }
    Ok(named.iter().map(|path| side.folder.join(path)).collect())
}

const FETCH: &str = "in CI, fetch the whole history (actions/checkout: `fetch-depth: 0`)";

/// What others have merged since is not what this change does, so the last common commit is the base.
pub(super) fn common(head: &Side, revision: &str) -> anyhow::Result<String> {
    let git = Git { folder: head.folder.clone() };
    git.run(&["rev-parse", "--git-dir"]).context("the gate compares with a revision of git")?;
    git.run(&["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")]).map_err(|_| {
        anyhow::anyhow!("git knows no revision `{revision}` here: {FETCH}, or name another one with `--base`")
    })?;
    let found = git
        .run(&["merge-base", revision, "HEAD"])
        .map_err(|_| anyhow::anyhow!("`{revision}` and HEAD have no commit in common here: {FETCH}"))?;
    Ok(found.trim().chars().take(12).collect())
}

pub(super) fn acceptances(folder: &std::path::Path) -> anyhow::Result<Vec<Acceptance>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let read = |file: PathBuf| {
        let shown = file.display().to_string();
        let text = std::fs::read_to_string(&file).with_context(|| format!("failed to read {shown}"))?;
        Ok(Acceptance::parse(&shown, &text)?)
    };
    files_in(folder, "toml")?.into_iter().map(read).collect()
}
