//! The folder of the snapshots: what is accepted, and what waits for somebody to look at it.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::engine::Config;
use crate::engine::snapshot::{ACCEPTED, PENDING, Snapshot};

use super::corpora::absolute;

/// Where snapshots stand when `[test] snapshots` does not say it.
const FOLDER: &str = ".nearmiss/snapshots";

/// The folder of the snapshots.
#[derive(Debug)]
pub(super) struct Shelf {
    folder: PathBuf,
}

/// A snapshot that nobody has accepted yet.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) name: String,
    /// The file to be.
    pub(super) file: PathBuf,
    /// The file it is.
    pub(super) waiting: PathBuf,
    pub(super) found: Snapshot,
    /// What it would take the place of.
    pub(super) accepted: Option<Snapshot>,
}

impl Shelf {
    /// The one that a configuration names; `folder` is where `nearmiss.toml` stands.
    pub(super) fn of(config: &Config, folder: &Path) -> Self {
        Self { folder: folder.join(config.test.snapshots.as_deref().unwrap_or(FOLDER)) }
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}{ACCEPTED}"))
    }

    fn waiting(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}{PENDING}"))
    }

    /// What was accepted under this name.
    pub(super) fn accepted(&self, name: &str) -> anyhow::Result<Option<Snapshot>> {
        read(&self.file(name))
    }

    /// Puts a snapshot where somebody has to look at it.
    pub(super) fn put(&self, name: &str, found: &Snapshot) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.folder).with_context(|| format!("failed to make {}", self.folder.display()))?;
        let file = self.waiting(name);
        std::fs::write(&file, found.written()).with_context(|| format!("failed to write {}", file.display()))
    }

    /// Takes away what waited under this name: it is as accepted again.
    pub(super) fn clear(&self, name: &str) -> anyhow::Result<()> {
        delete(&self.waiting(name))
    }

    /// Everything that waits, in the order of names.
    pub(super) fn pending(&self) -> anyhow::Result<Vec<Pending>> {
        let mut pending = Vec::new();
        for (waiting, name) in self.files(PENDING)? {
            let found = read(&waiting)?.filter(Snapshot::is_ours);
            let Some(found) = found else { continue };
            pending.push(Pending { file: self.file(&name), accepted: self.accepted(&name)?, name, waiting, found });
        }
        Ok(pending)
    }

    /// Our files, accepted or not, that belong to none of `names`.
    pub(super) fn unreferenced(&self, names: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
        let mut left = Vec::new();
        for ending in [ACCEPTED, PENDING] {
            for (file, name) in self.files(ending)? {
                if !names.contains(&name.as_str()) && read(&file)?.is_some_and(|snapshot| snapshot.is_ours()) {
                    left.push(file);
                }
            }
        }
        left.sort();
        Ok(left)
    }

    /// Files with this ending and their names without it, sorted.
    fn files(&self, ending: &str) -> anyhow::Result<Vec<(PathBuf, String)>> {
        let failed = || format!("failed to read the folder {}", self.folder.display());
        let entries = match std::fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.with_context(failed)?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.with_context(failed)?.path();
            let name = path.file_name().and_then(|name| name.to_str()?.strip_suffix(ending).map(str::to_owned));
            files.extend(name.map(|name| (path, name)));
        }
        files.sort();
        Ok(files)
    }
}

impl Pending {
    /// It is right: it takes the place of what was accepted.
    pub(super) fn accept(&self) -> anyhow::Result<()> {
        let (from, to) = (self.waiting.display(), self.file.display());
        std::fs::rename(&self.waiting, &self.file).with_context(|| format!("failed to rename {from} to {to}"))
    }

    /// It is wrong: what was accepted stays.
    pub(super) fn reject(&self) -> anyhow::Result<()> {
        delete(&self.waiting)
    }

    /// The user means this one: by its name, its corpus, or one of its files.
    pub(super) fn is_called(&self, word: &str) -> bool {
        let is_file = |file: &Path| absolute(Path::new(word)).ok() == absolute(file).ok();
        let word = word.trim_end_matches('/').trim_start_matches("./");
        word == self.name || word == self.found.source || is_file(&self.file) || is_file(&self.waiting)
    }
}

/// Those that the words name.
pub(super) fn chosen<'p>(pending: &'p [Pending], words: &[String]) -> anyhow::Result<Vec<&'p Pending>> {
    for word in words {
        if !pending.iter().any(|one| one.is_called(word)) {
            bail!("no pending snapshot is called `{word}`; {}", listed(pending));
        }
    }
    Ok(pending.iter().filter(|one| words.iter().any(|word| one.is_called(word))).collect())
}

/// Their names, for a message.
pub(super) fn listed(pending: &[Pending]) -> String {
    if pending.is_empty() {
        return "no snapshot is pending (`nearmiss test` looks for changes)".to_owned();
    }
    let names: Vec<&str> = pending.iter().map(|one| one.name.as_str()).collect();
    format!("pending: {}", names.join(", "))
}

fn read(file: &Path) -> anyhow::Result<Option<Snapshot>> {
    let shown = file.display().to_string();
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(Snapshot::parse(&shown, &text)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("failed to read {shown}")),
    }
}

pub(super) fn delete(file: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("failed to delete {}", file.display()))
        }
        _ => Ok(()),
    }
}
