//! `nearmiss corpus`: incidents that happened to others, and whether a policy would have stopped them.

mod add;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::{Subcommand, ValueEnum};

use crate::engine::corpus::{self, Incident, Outline};
use crate::report;

use super::replay::PolicyArguments;
use super::{exit, setup, side, terminal};

/// Public incidents, and cases made from your own recordings
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the incidents that come with nearmiss
    List,
    /// Play incidents through the policy; exit with 1 when one passes, or a harmless twin is stopped
    Run(Run),
    /// Make a labelled case of a recorded action
    Add(add::Add),
}

#[derive(Debug, clap::Args)]
struct Run {
    /// `incidents` (those that come with nearmiss), one of their ids, or a file or folder of your own (`.toml`)
    #[arg(default_value = "incidents")]
    what: String,
    /// How to tell it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    policy: PolicyArguments,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<u8> {
    match arguments.command {
        Command::List => {
            report::corpus::list(&corpus::builtin()?, terminal::width(), &mut anstream::stdout().lock())?;
            Ok(exit::OK)
        }
        Command::Run(arguments) => play(arguments),
        Command::Add(arguments) => add::run(&arguments),
    }
}

fn play(arguments: Run) -> anyhow::Result<u8> {
    let incidents = incidents(&arguments.what)?;
    let setup::Setup { engine, heading, .. } = arguments.policy.setup(None)?;
    let outlines: Vec<Outline> = incidents.iter().map(|incident| corpus::play(&engine, incident)).collect();
    let mut out = anstream::stdout().lock();
    match arguments.format {
        Format::Text => report::corpus::text(&heading, &outlines, &mut out)?,
        Format::Json => report::corpus::json(&heading, &outlines, &mut out)?,
    }
    if outlines.is_empty() {
        return Ok(exit::NOTHING);
    }
    let wrong = report::corpus::Total::of(&outlines).wrong;
    Ok(if wrong == 0 { exit::OK } else { exit::FAILED })
}

fn incidents(what: &str) -> anyhow::Result<Vec<Arc<Incident>>> {
    if what == "incidents" {
        return Ok(corpus::builtin()?);
    }
    let path = PathBuf::from(what);
    if path.exists() {
        let files = if path.is_dir() { side::files_in(&path, "toml")? } else { vec![path] };
        let read = |file: &PathBuf| {
            let text = std::fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))?;
            let id = file.file_stem().unwrap_or_default().to_string_lossy();
            Ok(Arc::new(Incident::parse(&id, &text)?))
        };
        return files.iter().map(read).collect();
    }
    match corpus::builtin()?.into_iter().find(|incident| incident.id == what) {
        Some(incident) => Ok(vec![incident]),
        None => bail!("`{what}` is no incident and no file: `nearmiss corpus list` shows the incidents"),
    }
}
