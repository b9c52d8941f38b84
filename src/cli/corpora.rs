//! The corpora of `test`: what the user named, each with the name of its snapshot.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail};
use indicatif::ProgressBar;

use crate::engine::replay::{Listener, Totals};
use crate::engine::{Engine, snapshot};
use crate::model::{Finding, Issue};
use crate::reader::input::Input;
use crate::report::{OutcomeText, located};

use super::replay::{InputArguments, interrupted};
use super::terminal;

/// One corpus: a file, or a folder with all that is in it.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) path: PathBuf,
    /// Relative to the folder of `nearmiss.toml`, with `/` between folders.
    pub(super) source: String,
    /// The name of its snapshot.
    pub(super) name: String,
}

/// What `paths` name, in the order of their names. A pattern is as many corpora as it matches files and folders, as if
/// a shell had written them out; `folder` is that of `nearmiss.toml`.
pub(super) fn named(paths: &[PathBuf], folder: &Path) -> anyhow::Result<Vec<Named>> {
    let home = absolute(folder)?;
    let mut found: BTreeMap<String, Named> = BTreeMap::new();
    for path in paths.iter().flat_map(|path| matches(path)) {
        let source = source(&path, &home)?;
        let name = snapshot::name(&source);
        if let Some(other) = found.get(&name) {
            if absolute(&other.path)? != absolute(&path)? {
                let (a, b) = (other.path.display(), path.display());
                bail!("{a} and {b} would share the snapshot `{name}`: rename one of them");
            }
            continue;
        }
        found.insert(name.clone(), Named { path, source, name });
    }
    Ok(found.into_values().collect())
}

/// What is no pattern, or matches nothing, stays as it is: reading it says what is wrong.
fn matches(path: &Path) -> Vec<PathBuf> {
    let pattern = path.to_str().filter(|text| !path.exists() && text.contains(['*', '?', '[']));
    let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
    let found = pattern.and_then(|pattern| glob::glob_with(pattern, options).ok());
    let found: Vec<PathBuf> = found.into_iter().flatten().filter_map(Result::ok).collect();
    if found.is_empty() { vec![path.to_path_buf()] } else { found }
}

/// From the folder of `nearmiss.toml`. What stands elsewhere on this machine is known by its name alone: others have it
/// in another place.
fn source(path: &Path, home: &Path) -> anyhow::Result<String> {
    let whole = absolute(path)?;
    let parts = match whole.strip_prefix(home) {
        Ok(below) => below,
        Err(_) => whole.file_name().map_or(path, Path::new),
    };
    let parts: Vec<_> = parts.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    Ok(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

/// Without `.` and `..`; links stay links, because that is how the user knows it.
pub(super) fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let path = std::path::absolute(path).context("failed to find the working folder")?;
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    Ok(clean)
}

/// What became of a corpus.
#[derive(Debug)]
pub(super) struct Judged {
    /// What its snapshot has to say.
    pub(super) text: String,
    pub(super) totals: Totals,
    /// What was not read, in words.
    pub(super) issues: Vec<String>,
    pub(super) interrupted: bool,
}

impl Named {
    /// Replays it.
    pub(super) fn judge(&self, engine: &Engine, input: &InputArguments) -> anyhow::Result<Judged> {
        let (replay, issues) = input.replay(std::slice::from_ref(&self.path), None)?;
        let lost = issues.iter().filter(|issue| issue.lost).count() as u64;
        let mut told = Told {
            outcome: OutcomeText::default(),
            issues: issues.iter().filter(|issue| issue.lost).map(located).collect(),
            bar: terminal::progress(replay.inputs.iter().map(Input::size).sum()),
            interrupted: false,
        };
        let mut totals = replay.run(engine, &mut told).context("failed to start the threads")?;
        told.bar.finish_and_clear();
        totals.unread += lost;
        let text = told.outcome.finish(totals.unread);
        Ok(Judged { text, totals, issues: told.issues, interrupted: told.interrupted })
    }
}

struct Told {
    outcome: OutcomeText,
    issues: Vec<String>,
    bar: ProgressBar,
    interrupted: bool,
}

impl Listener for Told {
    fn finding(&mut self, finding: &Finding) {
        self.outcome.finding(finding);
    }

    fn issue(&mut self, issue: &Issue) {
        if issue.lost {
            self.issues.push(located(issue));
        }
    }

    fn progress(&mut self, bytes: u64) -> ControlFlow<()> {
        self.bar.set_position(bytes);
        self.interrupted = interrupted();
        if self.interrupted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corpus_is_known_from_the_folder_of_the_configuration() {
        let home = Path::new("/home/ana/shop");
        let said = |path: &str| source(Path::new(path), home).unwrap();
        assert_eq!(said("/home/ana/shop/traces/./a.jsonl"), "traces/a.jsonl");
        assert_eq!(said("/home/ana/shop/x/../traces/"), "traces");
        assert_eq!(said("/home/ana/shop"), ".");
        assert_eq!(said("/var/log/other/b.jsonl"), "b.jsonl");
    }
}
