//! `nearmiss near`: which allowed actions were luck?

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use indicatif::ProgressBar;

use crate::engine::near_miss::gather::{Gather, Telling};
use crate::engine::query::Filter;
use crate::engine::replay::Listener;
use crate::model::{Finding, Issue, Nearness};
use crate::reader::input::Input;
use crate::report::near::{self, Told};

use super::filters::MatchingArguments;
use super::replay::{InputArguments, PolicyArguments, interrupted, watch_interrupt};
use super::setup::Setup;
use super::{exit, terminal};

/// Show allowed actions that one thing kept from being stopped, most telling first
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files, folders, globs, or `-` for standard input
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    input: InputArguments,
    #[command(flatten)]
    policy: PolicyArguments,
    #[command(flatten)]
    matching: MatchingArguments,
    /// How to tell it: text
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: String,
    /// Write the report to a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How many steps away a rule may be
    #[arg(long, value_name = "N", default_value_t = 1)]
    distance: u32,
    /// Groups that are told one by one
    #[arg(short = 'n', long, value_name = "N", default_value_t = 30)]
    limit: usize,
    /// Show what is routine, what a control held off and what nobody can say as well
    #[arg(long)]
    all: bool,
    /// Threads [default: one per core]
    #[arg(short, long, value_name = "N")]
    jobs: Option<std::num::NonZeroUsize>,
    /// Show secrets as they were recorded
    #[arg(long)]
    no_redact: bool,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<u8> {
    let started = Instant::now();
    let format = near::by_name(&arguments.format).with_context(|| {
        let known: Vec<_> = near::REPORTS.iter().map(|report| report.name()).collect();
        format!("no report is called `{}`; there are {}", arguments.format, known.join(", "))
    })?;
    let filter = arguments.matching.filter()?;
    let Setup { engine, mut heading, .. } = arguments.policy.setup(None)?;
    heading.no_redact = arguments.no_redact;
    let engine = engine.with_near_misses(arguments.distance);
    let (replay, issues) = arguments.input.replay(&arguments.paths, arguments.jobs)?;
    let lost = issues.iter().filter(|issue| issue.lost).count() as u64;
    heading.filter = (!filter.is_all()).then(|| filter.to_string());
    let mut listener = Collected {
        filter,
        gather: Gather::default(),
        issues,
        bar: terminal::progress(replay.inputs.iter().map(Input::size).sum()),
        interrupted: false,
    };
    watch_interrupt();
    let mut totals = replay.run(&engine, &mut listener).context("failed to start the threads")?;
    totals.unread += lost;
    listener.bar.finish_and_clear();
    let survey = listener.gather.finish(engine.policy(), Telling::default());
    let mut out = terminal::output(arguments.output.as_deref(), format.is_styled())?;
    let told = Told {
        heading: &heading,
        survey: &survey,
        totals: &totals,
        issues: &listener.issues,
        elapsed: started.elapsed(),
        limit: arguments.limit,
        all: arguments.all,
    };
    format.tell(&told, &mut *out)?;
    Ok(match () {
        () if listener.interrupted => exit::INTERRUPTED,
        () if totals.coverage() < super::replay::DEFAULT_COVERAGE => exit::INPUT,
        () if totals.actions == 0 => exit::NOTHING,
        () => exit::OK,
    })
}

struct Collected {
    filter: Filter,
    gather: Gather,
    issues: Vec<Issue>,
    bar: ProgressBar,
    interrupted: bool,
}

impl Listener for Collected {
    fn finding(&mut self, finding: &Finding) {
        match &finding.near {
            // What is not told says all the same what is usual here, and who was seen where.
            Some(near) if !self.filter.matches(finding) => {
                let near = Some(Arc::new(Nearness { told: Vec::new(), cells: near.cells.clone() }));
                self.gather.finding(&Finding { near, ..finding.clone() });
            }
            _ => self.gather.finding(finding),
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
