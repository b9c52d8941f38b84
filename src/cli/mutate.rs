//! `nearmiss mutate`: which changes of the policy would nobody notice?

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail};
use indicatif::ProgressBar;

use crate::engine::Engine;
use crate::engine::corpus::Incident;
use crate::engine::expect::{self, Case};
use crate::engine::mutate::{self, Study};
use crate::engine::replay::{Listener, Totals};
use crate::model::{Finding, Issue};
use crate::policy::{Mutants, Policy};
use crate::reader::input::Input;
use crate::report::mutate::{self as report, Told};

use super::replay::{DEFAULT_COVERAGE, InputArguments, interrupted, watch_interrupt};
use super::setup::refuse_wrong_rules;
use super::side::{Side, files_in};
use super::{exit, terminal};

/// Mutants that somebody said are equivalent stand here, beside `nearmiss.toml`.
const EQUIVALENT: &str = ".nearmiss/equivalent.toml";

/// Test the policy's tests: drop, negate and widen every condition, delete and swap every rule; who notices?
///
/// A mutant is killed when an example in its rule or a case fails, or when an action of a pinned log gets another decision or
/// other rules. Pinned are the logs of `[test] corpora`, and with `--pinned` those of PATH; other recorded actions only
/// see it.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Recorded logs (files, folders, globs); `.toml` files are cases or incidents
    paths: Vec<PathBuf>,
    /// What is said about the actions of PATH is pinned: a change of it would be noticed
    #[arg(long)]
    pinned: bool,
    /// Exit with 1 when a smaller share of the mutants is killed (0 to 1)
    #[arg(long, value_name = "SHARE", value_parser = share)]
    threshold: Option<f64>,
    /// Only rules that are not the same in this revision of git
    #[arg(long, value_name = "REV")]
    in_diff: Option<String>,
    /// Only rules whose id begins so; repeatable
    #[arg(long, value_name = "ID")]
    rule: Vec<String>,
    /// Policy instead of the configured one: a file, a folder, `REV:PATH` or `builtin:NAME`; repeatable
    #[arg(long, value_name = "POLICY")]
    policy: Vec<String>,
    /// The configuration to use [default: nearmiss.toml, found upwards from here]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Mutants that nothing can tell from their rule, each with a reason [default: .nearmiss/equivalent.toml]
    #[arg(long, value_name = "FILE")]
    equivalent: Option<PathBuf>,
    /// Add the cases that would notice the survivors to a file, for you to read and commit
    #[arg(long, value_name = "FILE")]
    add: Option<PathBuf>,
    #[command(flatten)]
    input: InputArguments,
    /// How to tell it: text, json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: String,
    /// Write the report to a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Show secrets as they were recorded
    #[arg(long)]
    no_redact: bool,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<u8> {
    let started = Instant::now();
    if arguments.add.is_some() {
        terminal::refuse_to_write_in_ci()?;
    }
    let format = report::by_name(&arguments.format).with_context(|| {
        let known: Vec<_> = report::REPORTS.iter().map(|report| report.name()).collect();
        format!("no report is called `{}`; there are {}", arguments.format, known.join(", "))
    })?;
    let side = Side::here(arguments.config.clone(), &arguments.policy)?;
    let policy = side.policy(None)?;
    let mut heading = side.heading(&policy);
    heading.no_redact = arguments.no_redact;
    let wanted = wanted(&arguments, &policy)?;
    let mutants = Arc::new(Mutants::of(&policy, |rule| wanted.iter().any(|wanted| wanted == rule)));
    let declared = declared(&arguments, &side, &mutants)?;
    let (mut cases, pinned) = pinned(&arguments, &side)?;
    cases.extend(side.cases()?);
    let engine = Engine::new(side.classifier()?, policy, &side.config, false).with_mutants(Arc::clone(&mutants));
    refuse_wrong_rules(&engine, &side.sources)?;

    let mut study = Study::new(mutants, &declared);
    study.examples(&engine);
    study.cases(&engine, &cases);
    study.incidents(&engine, &pinned.incidents);
    watch_interrupt();
    let mut told = Heard { study, pinned: true, issues: Vec::new(), bar: ProgressBar::hidden(), interrupted: false };
    let before = told.replay(&engine, &arguments.input, &pinned.logs, true)?;
    let after = told.replay(&engine, &arguments.input, &pinned.traces, false)?;
    let Heard { study, issues, interrupted, .. } = told;
    if interrupted {
        return Ok(exit::INTERRUPTED);
    }
    let survey = study.finish(&engine, true);
    let told = Told {
        heading: &heading,
        survey: &survey,
        threshold: arguments.threshold,
        pinned: &before,
        traces: &after,
        examples: engine.policy().examples().len(),
        cases: cases.len(),
        incidents: pinned.incidents.len(),
        issues: &issues,
        elapsed: started.elapsed(),
    };
    let mut out = terminal::output(arguments.output.as_deref(), format.is_styled())?;
    format.tell(&told, &mut *out)?;
    if let Some(file) = &arguments.add {
        add(file, &survey.ready_cases(), arguments.no_redact)?;
    }
    for totals in [&before, &after] {
        let required = side.config.replay.min_coverage.unwrap_or(DEFAULT_COVERAGE);
        if totals.coverage() < required {
            terminal::note(&format!("only {:.1} % of the records could be read", totals.coverage() * 100.0));
            return Ok(exit::INPUT);
        }
    }
    let Some(score) = survey.score() else {
        terminal::note("there is no mutant: no rule is in question");
        // Nothing changed in a diff is no failure; a threshold over nothing is not reached.
        return Ok(if arguments.in_diff.is_some() { exit::OK } else { exit::NOTHING });
    };
    let below = arguments.threshold.is_some_and(|threshold| score < threshold);
    let wrong = !survey.wrongly_declared.is_empty();
    Ok(if below || wrong { exit::FAILED } else { exit::OK })
}

/// The rules and permits in question.
fn wanted(arguments: &Arguments, policy: &Policy) -> anyhow::Result<Vec<String>> {
    let mut wanted: Vec<String> = policy.ids().map(str::to_owned).collect();
    if let Some(revision) = &arguments.in_diff {
        let base = Side::at(revision, arguments.config.clone())?;
        let base = base.policy(None).with_context(|| format!("in {}, which is compared with", base.said()))?;
        let changed: Vec<String> = policy.changes_from(&base).into_iter().map(|change| change.id).collect();
        wanted.retain(|rule| changed.contains(rule));
    }
    if !arguments.rule.is_empty() {
        for start in &arguments.rule {
            if !policy.ids().any(|id| id.starts_with(start.as_str())) {
                bail!("no rule's id begins with `{start}`");
            }
        }
        wanted.retain(|rule| arguments.rule.iter().any(|start| rule.starts_with(start.as_str())));
    }
    Ok(wanted)
}

fn declared(arguments: &Arguments, side: &Side, mutants: &Mutants) -> anyhow::Result<Vec<mutate::Declared>> {
    let path = match &arguments.equivalent {
        Some(path) => path.clone(),
        None => {
            let usual = side.folder.join(EQUIVALENT);
            if !usual.is_file() {
                return Ok(Vec::new());
            }
            usual
        }
    };
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(&path).with_context(|| format!("failed to read {shown}"))?;
    Ok(mutate::declared(&shown, &text, mutants)?)
}

/// What the policy is held to beside its examples.
struct Pinned {
    incidents: Vec<Arc<Incident>>,
    logs: Vec<PathBuf>,
    traces: Vec<PathBuf>,
}

fn pinned(arguments: &Arguments, side: &Side) -> anyhow::Result<(Vec<Case>, Pinned)> {
    let mut cases = Vec::new();
    let logs = side.config.test.corpora.iter().map(|path| side.folder.join(path)).collect();
    let mut found = Pinned { incidents: Vec::new(), logs, traces: Vec::new() };
    for path in &arguments.paths {
        let mut files = if path.is_dir() { files_in(path, "toml")? } else { Vec::new() };
        let is_toml = |path: &Path| path.extension().is_some_and(|extension| extension == "toml");
        if is_toml(path) {
            files.push(path.clone());
        } else if files.is_empty() {
            if arguments.pinned { &mut found.logs } else { &mut found.traces }.push(path.clone());
        } else if std::fs::read_dir(path)?.flatten().any(|entry| !is_toml(&entry.path())) {
            bail!("{} holds `.toml` files and others: name the files, or the folders below it", path.display());
        }
        for file in files {
            let shown = file.display().to_string();
            let text = std::fs::read_to_string(&file).with_context(|| format!("failed to read {shown}"))?;
            let id = file.file_stem().unwrap_or_default().to_string_lossy();
            if text.contains("[[case]]") {
                cases.extend(expect::cases(&shown, &text)?);
            } else {
                found.incidents.push(Arc::new(Incident::parse(&id, &text)?));
            }
        }
    }
    Ok((cases, found))
}

/// Adds cases to the end of a file, which is made if it is not there.
fn add(file: &Path, cases: &[&str], no_redact: bool) -> anyhow::Result<()> {
    if cases.is_empty() {
        return Ok(());
    }
    let shown = file.display();
    let mut text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("failed to read {shown}")),
    };
    let mut added = 0;
    for case in cases {
        let shown = if no_redact { (*case).into() } else { crate::report::redacted(case) };
        // What holds a secret is no case any more without it.
        if *shown != **case && expect::cases("new", &shown).is_err() {
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&shown);
        added += 1;
    }
    std::fs::write(file, text).with_context(|| format!("failed to write {shown}"))?;
    let many = if added == 1 { "case is" } else { "cases are" };
    terminal::note(&format!("{added} {many} added to {shown}: read them, they say what the policy says now"));
    if added < cases.len() {
        let left = cases.len() - added;
        terminal::note(&format!("{left} left out, with secrets in them: `--no-redact` writes them as they are"));
    }
    Ok(())
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share is a number from 0 to 1: 0.95".to_owned()),
    }
}

/// Tells the study what is replayed.
struct Heard {
    study: Study,
    pinned: bool,
    issues: Vec<Issue>,
    bar: ProgressBar,
    interrupted: bool,
}

impl Heard {
    fn replay(
        &mut self,
        engine: &Engine,
        input: &InputArguments,
        paths: &[PathBuf],
        pinned: bool,
    ) -> anyhow::Result<Totals> {
        if paths.is_empty() || self.interrupted {
            return Ok(Totals::default());
        }
        let (replay, issues) = input.replay(paths, None)?;
        let lost = issues.iter().filter(|issue| issue.lost).count() as u64;
        self.issues.extend(issues);
        self.pinned = pinned;
        self.bar = terminal::progress(replay.inputs.iter().map(Input::size).sum());
        let mut totals = replay.run(engine, self).context("failed to start the threads")?;
        totals.unread += lost;
        self.bar.finish_and_clear();
        Ok(totals)
    }
}

impl Listener for Heard {
    fn finding(&mut self, finding: &Finding) {
        self.study.finding(finding, self.pinned);
    }

    fn issue(&mut self, issue: &Issue) {
        let line = crate::report::located(issue);
        self.bar.suspend(|| terminal::note(&line));
        self.issues.push(issue.clone());
    }

    fn progress(&mut self, bytes: u64) -> ControlFlow<()> {
        self.bar.set_position(bytes);
        self.interrupted = interrupted();
        if self.interrupted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
