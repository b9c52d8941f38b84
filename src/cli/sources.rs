//! `nearmiss sources`: what is there to be read, and how much of it can be?

mod places;

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::{Context, bail};

use crate::engine::inventory::{Inventory, Listed};
use crate::reader::input::Input;
use crate::report::sources::{self, Told};

use super::replay::{DEFAULT_COVERAGE, InputArguments, interrupted, watch_interrupt};
use super::side::Side;
use super::{exit, terminal};

/// Tell what files hold (format, records, actors, what is missing), or what this machine has recorded
///
/// Without a path it looks where agents, shells and servers usually record, opens nothing and says how to read it.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files, folders, globs, or `-` for standard input
    paths: Vec<PathBuf>,
    #[command(flatten)]
    input: InputArguments,
    /// How to tell it: text, json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: String,
    /// Write the report to a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Tell every file by itself, also when there are many
    #[arg(long)]
    each: bool,
    /// Without a path: look at a disk that is mounted here instead of this machine
    #[arg(long, value_name = "FOLDER", conflicts_with = "paths")]
    root: Option<PathBuf>,
    /// Exit with 3 when a smaller share of records could be read [default: 0.95]
    #[arg(long, value_name = "SHARE")]
    min_coverage: Option<f64>,
    /// Threads [default: one per core]
    #[arg(short, long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let format = sources::by_name(&arguments.format).with_context(|| {
        let known: Vec<_> = sources::REPORTS.iter().map(|report| report.name()).collect();
        format!("no report is called `{}`; there are {}", arguments.format, known.join(", "))
    })?;
    if arguments.paths.is_empty() {
        if let Some(root) = &arguments.root
            && !root.is_dir()
        {
            bail!("{} is no folder", root.display());
        }
        let places = places::find(arguments.root.as_deref());
        let mut out = terminal::output(arguments.output.as_deref(), format.is_styled())?;
        format.tell_places(&places, &mut *out)?;
        return Ok(if places.is_empty() { exit::NOTHING } else { exit::OK });
    }
    let (mut replay, issues) = arguments.input.replay(&arguments.paths, arguments.jobs)?;
    std::sync::Arc::make_mut(&mut replay.options).maps.extend(&Side::here(None, &[])?.maps()?);
    let bar = terminal::progress(replay.inputs.iter().map(Input::size).sum());
    watch_interrupt();
    let inventory = Inventory::of(replay);
    let mut files = inventory.take(&|bytes| {
        bar.set_position(bytes);
        if interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    bar.finish_and_clear();
    // What is not there is told as what cannot be read.
    files.extend(issues.into_iter().map(Listed::refused));
    files.sort_by(|a, b| a.file.cmp(&b.file));
    let named: Vec<String> = arguments.paths.iter().map(|path| places::quoted(&path.display().to_string())).collect();
    let again = named.join(" ") + &arguments.input.again();
    let told = Told {
        files: &files,
        again: Some(again.as_str()).filter(|_| !arguments.paths.iter().any(|path| path.as_os_str() == "-")),
        width: terminal::width().min(100),
        each: arguments.each,
        interrupted: interrupted(),
    };
    let mut out = terminal::output(arguments.output.as_deref(), format.is_styled())?;
    format.tell(&told, &mut *out)?;
    drop(out);
    Ok(exit_code(&files, arguments.min_coverage.unwrap_or(DEFAULT_COVERAGE)))
}

fn exit_code(files: &[Listed], min_coverage: f64) -> u8 {
    if interrupted() {
        return exit::INTERRUPTED;
    }
    let (read, records): (u64, u64) =
        files.iter().fold((0, 0), |(read, records), file| (read + file.read(), records + file.records()));
    if records == 0 {
        terminal::note("there was no record in what was read");
        return exit::NOTHING;
    }
    let coverage = read as f64 / records as f64;
    if coverage < min_coverage {
        let share = min_coverage * 100.0;
        terminal::note(&format!("only {:.1} % of the records could be read, {share} % are required", coverage * 100.0));
        return exit::INPUT;
    }
    exit::OK
}
