//! `nearmiss diff`: what does one policy say otherwise than another?

use std::path::PathBuf;

use anyhow::bail;

use crate::report::change::Told;

use super::compared::{Compared, Comparing};
use super::filters::MatchingArguments;
use super::replay::InputArguments;
use super::reports::{ReportArguments, folder_in_repository};
use super::side::Side;
use super::{exit, terminal};

/// Compare two policies over the same recorded actions: what B lets through that A stopped, and what it newly stops
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The policy before: a file, a folder, `REV:PATH`, or `builtin:NAME`
    a: String,
    /// The policy after
    b: String,
    /// Recorded logs: files, folders, globs, or `-`
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    input: InputArguments,
    /// The configuration that says what names mean, for both [default: nearmiss.toml, found upwards from here]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    matching: MatchingArguments,
    #[command(flatten)]
    report: ReportArguments,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<u8> {
    let reports = arguments.report.reports()?;
    let filter = arguments.matching.filter()?;
    let is_filtered = !filter.is_all();
    let mut head = Side::named(arguments.config.clone(), &arguments.b)?;
    let mut base = Side::named(arguments.config, &arguments.a)?;
    if base.names == head.names && base.sources == head.sources {
        bail!("both policies are the same: {}", base.said());
    }
    // A policy that is named is meant whole.
    base.config.policy.off.clear();
    head.config.policy.off.clear();
    let mut compared =
        Comparing { base, head, paths: &arguments.paths, input: &arguments.input, filter, cases: false }.run()?;
    compared.head.no_redact = arguments.report.no_redact;
    let Compared { base, head, impact, cases, totals, issues, elapsed, .. } = &compared;
    let (elapsed, folder) = (*elapsed, &folder_in_repository());
    reports.tell(&Told { base, head, impact, cases, totals, issues, elapsed, gate: None, folder, again: "" })?;
    Ok(if compared.interrupted {
        exit::INTERRUPTED
    } else if impact.total() == 0 {
        terminal::note(if is_filtered && totals.actions > 0 {
            "no action matches the filter"
        } else {
            "there was no action in what was read"
        });
        exit::NOTHING
    } else {
        exit::OK
    })
}
