//! `nearmiss diff`: what does one policy say otherwise than another?

use std::path::PathBuf;

use anyhow::{Context, bail};

use crate::report::change::{self, Told};

use super::compared::{Compared, Comparing};
use super::replay::InputArguments;
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
    /// How to tell it: text
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
    let format = change::by_name(&arguments.format).with_context(|| {
        let known: Vec<_> = change::REPORTS.iter().map(|report| report.name()).collect();
        format!("no report is called `{}`; there are {}", arguments.format, known.join(", "))
    })?;
    let mut head = Side::named(arguments.config.clone(), &arguments.b)?;
    let mut base = Side::named(arguments.config, &arguments.a)?;
    if base.names == head.names && base.sources == head.sources {
        bail!("both policies are the same: {}", base.said());
    }
    // A policy that is named is meant whole.
    base.config.policy.off.clear();
    head.config.policy.off.clear();
    let mut compared =
        Comparing { base, head, paths: &arguments.paths, input: &arguments.input, cases: false }.run()?;
    compared.head.no_redact = arguments.no_redact;
    let Compared { base, head, impact, cases, totals, issues, elapsed, .. } = &compared;
    let told = Told { base, head, impact, cases, totals, issues, elapsed: *elapsed, gate: None };
    let mut out = terminal::output(arguments.output.as_deref(), format.is_styled())?;
    format.tell(&told, &mut *out)?;
    Ok(if compared.interrupted {
        exit::INTERRUPTED
    } else if impact.total() == 0 {
        terminal::note("there was no action in what was read");
        exit::NOTHING
    } else {
        exit::OK
    })
}
