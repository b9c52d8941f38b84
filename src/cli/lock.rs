//! `nearmiss lock`: pin recorded logs by their content.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use sha2::{Digest, Sha256};

use crate::engine::lock::{Lock, Pinned};
use crate::reader::input;

use super::gate::traces;
use super::side::Side;
use super::{Ended, exit, terminal};

/// Pin the recorded logs of nearmiss.toml by their content, for `gate --locked`
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Write nothing; exit with 3 when a log is not as it was pinned
    #[arg(long)]
    check: bool,
    /// The configuration to use [default: nearmiss.toml, found upwards from here]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<u8> {
    let side = Side::here(arguments.config, &[])?;
    let paths = traces(&side)?;
    if arguments.check {
        check(&side, &paths)?;
        return Ok(exit::OK);
    }
    terminal::refuse_to_write_in_ci()?;
    let lock = found(&side, &paths)?;
    let file = file(&side);
    std::fs::write(&file, lock.written()).with_context(|| format!("failed to write {}", file.display()))?;
    terminal::note(&format!("pinned {} logs in {}: commit it", lock.traces.len(), file.display()));
    Ok(exit::OK)
}

/// Refuses logs that are not as they were pinned.
pub(super) fn check(side: &Side, paths: &[PathBuf]) -> anyhow::Result<()> {
    let file = file(side);
    let shown = file.display().to_string();
    let text =
        std::fs::read_to_string(&file).with_context(|| format!("failed to read {shown}; `nearmiss lock` writes it"))?;
    let differences = Lock::parse(&shown, &text)?.differences(&found(side, paths)?);
    if differences.is_empty() {
        return Ok(());
    }
    let message = format!("the logs are not those of {shown}\n  {}", differences.join("\n  "));
    Err(Ended { code: exit::INPUT, message }.into())
}

fn file(side: &Side) -> PathBuf {
    side.folder.join(side.config.gate.lock.as_deref().unwrap_or("traces.lock"))
}

fn found(side: &Side, paths: &[PathBuf]) -> anyhow::Result<Lock> {
    let found = input::find(paths, None);
    if let Some(issue) = found.issues.iter().find(|issue| issue.lost) {
        return Err(Ended {
            code: exit::INPUT,
            message: format!("{}: {}; {}", issue.file, issue.problem, issue.advice),
        }
        .into());
    }
    let mut lock = Lock::default();
    for input in &found.inputs {
        let Some(path) = input.path() else { continue };
        // An archive is many inputs, and one file.
        if lock.traces.contains_key(&name(&side.folder, path)) {
            continue;
        }
        let pinned = pin(path).with_context(|| format!("failed to read {}", path.display()))?;
        lock.traces.insert(name(&side.folder, path), pinned);
    }
    Ok(lock)
}

/// From the folder of `nearmiss.toml`, with `/` on every machine.
fn name(folder: &Path, path: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

fn pin(path: &Path) -> std::io::Result<Pinned> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        hash.update(&buffer[..read]);
    }
    let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Pinned { bytes, sha256 })
}
