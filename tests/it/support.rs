//! What several tests need: the default engine, a replay that collects, the program.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use nearmiss::classify::{Catalog, Classifier};
use nearmiss::engine::replay::{Listener, Replay, Totals};
use nearmiss::engine::{Config, Engine};
use nearmiss::model::{Finding, Issue};
use nearmiss::policy::{self, LoadOptions, Policy};
use nearmiss::reader::{Options, Reader, input};

/// The repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of recordings and labelled cases that is not part of the repository.
/// Says on standard error when a test goes without it.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let found = root().parent()?.join("shared").join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("SKIPPED: ../shared/{path} is not on this machine");
    None
}

pub(crate) fn policy(pack: &str) -> Policy {
    let sources = policy::builtin(pack).expect("a built-in pack");
    Policy::load(&sources, &LoadOptions::default()).expect("the built-in packs load")
}

pub(crate) fn engine() -> Engine {
    Engine::new(Classifier::new(Catalog::builtin()), policy("recommended"), &Config::default(), false)
}

/// Keeps everything.
#[derive(Default)]
pub(crate) struct Collected {
    pub(crate) findings: Vec<Finding>,
    pub(crate) issues: Vec<Issue>,
}

impl Listener for Collected {
    fn finding(&mut self, finding: &Finding) {
        self.findings.push(finding.clone());
    }

    fn issue(&mut self, issue: &Issue) {
        self.issues.push(issue.clone());
    }

    fn progress(&mut self, _bytes: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

pub(crate) fn replay(
    engine: &Engine,
    paths: &[PathBuf],
    reader: Option<&'static dyn Reader>,
    jobs: usize,
) -> (Collected, Totals) {
    let found = input::find(paths, None);
    let mut collected = Collected { findings: Vec::new(), issues: found.issues };
    let jobs = NonZeroUsize::new(jobs).expect("at least one thread");
    let replay = Replay { inputs: found.inputs, reader, options: Arc::new(Options::default()), jobs };
    let totals = replay.run(engine, &mut collected).expect("threads start");
    (collected, totals)
}

/// Runs the program in the repository's folder.
pub(crate) fn nearmiss(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nearmiss"))
        .args(arguments)
        .current_dir(root())
        .env("CI", "true")
        .env("NO_COLOR", "1")
        .output()
        .expect("the program runs")
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// All files below a folder, in the order of their paths.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}
