//! `nearmiss reject`: throw away pending snapshots.

use std::path::PathBuf;

use anyhow::bail;

use super::pending::{self, Shelf};
use super::side::Side;
use super::{exit, terminal};

/// Throw pending snapshots away: what was accepted stays
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Snapshots by name, corpus or file, as `test` and `review` show them
    names: Vec<String>,
    /// All of them
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// The configuration to use [default: nearmiss.toml, found upwards from here]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<u8> {
    terminal::refuse_to_write_in_ci()?;
    let (config, folder) = Side::config(arguments.config)?;
    let pending = Shelf::of(&config, &folder).pending()?;
    if arguments.names.is_empty() && !arguments.all {
        bail!("name snapshots, or say `--all`; {}", pending::listed(&pending));
    }
    let chosen = if arguments.all { pending.iter().collect() } else { pending::chosen(&pending, &arguments.names)? };
    for one in &chosen {
        one.reject()?;
        terminal::note(&format!("deleted {}", one.waiting.display()));
    }
    if chosen.is_empty() {
        terminal::note(&pending::listed(&pending));
    }
    Ok(exit::OK)
}
