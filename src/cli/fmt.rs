//! `nearmiss fmt`: policies in Cedar's own layout.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail};

use crate::policy::{Source, formatted};

use super::setup::refused;
use super::side::{Side, files_in};
use super::{exit, terminal};

/// Lay out policies as Cedar's own formatter does
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Policy files, or folders of them [default: `[policy] paths` of nearmiss.toml]
    paths: Vec<PathBuf>,
    /// Write nothing; name the files that are laid out otherwise, and exit with 1 when there are any
    #[arg(long)]
    check: bool,
    /// The configuration to use [default: nearmiss.toml, found upwards from here]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<u8> {
    let check = arguments.check || terminal::is_ci();
    let mut wrong = Vec::new();
    let mut out = anstream::stdout().lock();
    let files = files(arguments.paths, arguments.config)?;
    for file in &files {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).with_context(|| format!("failed to read {name}"))?;
        let laid_out = formatted(&Source { name: name.clone(), text: text.clone(), builtin: false })
            .map_err(|errors| refused(&errors.problems))?;
        if laid_out != text {
            if !check {
                std::fs::write(file, &laid_out).with_context(|| format!("failed to write {name}"))?;
            }
            wrong.push(name);
        }
    }
    for name in &wrong {
        writeln!(out, "{name}")?;
    }
    Ok(match (wrong.is_empty(), check) {
        (false, true) => {
            terminal::note("laid out otherwise: `nearmiss fmt` mends it");
            exit::FAILED
        }
        _ => exit::OK,
    })
}

fn files(paths: Vec<PathBuf>, config: Option<PathBuf>) -> anyhow::Result<Vec<PathBuf>> {
    let paths = if paths.is_empty() { own(config)? } else { paths };
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(files_in(&path, "cedar")?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

/// Only where they lie: a policy that is not sound can be laid out all the same.
fn own(config: Option<PathBuf>) -> anyhow::Result<Vec<PathBuf>> {
    let (config, folder) = Side::own_paths(config)?;
    if config.is_empty() {
        bail!("name policies to lay out, or `[policy] paths` in nearmiss.toml");
    }
    Ok(config.iter().map(|path| folder.join(path)).collect())
}
