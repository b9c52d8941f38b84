//! `nearmiss test`: does the policy do what its cases and its snapshots say?

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail};
use clap::ValueEnum;

use crate::engine::expect::{self, Case};
use crate::engine::snapshot::Snapshot;
use crate::engine::{Config, Engine};
use crate::report::tested::{Corpus, Failure, REPORTS, State, Tested};

use super::corpora::{self, Judged, Named};
use super::pending::{self, Shelf};
use super::replay::{DEFAULT_COVERAGE, InputArguments, PolicyArguments, watch_interrupt};
use super::setup::Setup;
use super::{exit, side, terminal};

/// Hold the policy to its cases and to the accepted outcome of recorded logs; what is new or changed waits for `review`
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// Recorded logs and files of cases (`.toml`) [default: `[test] cases` and `[test] corpora` of nearmiss.toml]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    input: InputArguments,
    #[command(flatten)]
    policy: PolicyArguments,
    /// How to tell it: text, json, junit
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: String,
    /// Write the report to a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write no snapshots and fail when one is not as accepted, as where `CI` is set
    #[arg(long)]
    check: bool,
    /// What to do about snapshots that belong to no corpus
    #[arg(long, value_enum, default_value_t = Unreferenced::Warn)]
    unreferenced: Unreferenced,
    /// Show secrets of wrong cases as they were recorded
    #[arg(long)]
    no_redact: bool,
}

const EXIT_CODES: &str = "Exit codes: 0 as accepted, 1 a case is wrong (or, in CI, a snapshot is not as accepted), \
2 usage or configuration, 3 a log could not be read, 4 nothing to test, 5 snapshots wait for `nearmiss review`";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Unreferenced {
    /// Name them
    Warn,
    /// Fail
    Reject,
    /// Delete them
    Delete,
    /// Say nothing
    Ignore,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<u8> {
    let started = Instant::now();
    let format = Tested::format(&arguments.format).with_context(|| {
        let known: Vec<_> = REPORTS.iter().map(|report| report.name()).collect();
        format!("no report is called `{}`; there are {}", arguments.format, known.join(", "))
    })?;
    let check = arguments.check || terminal::is_ci();
    if check && arguments.unreferenced == Unreferenced::Delete {
        bail!("nothing is deleted under `--check` or where `CI` is set: run `--unreferenced delete` at home");
    }
    let Setup { engine, config, folder, mut heading } = arguments.policy.setup(None)?;
    heading.no_redact = arguments.no_redact;
    let Asked { cases, corpora } = Asked::of(&arguments.paths, &config, &folder)?;
    let cases = labelled(&cases)?;
    let corpora = corpora::named(&corpora, &folder)?;
    let shelf = Shelf::of(&config, &folder);

    watch_interrupt();
    let mut tested = Tested {
        heading,
        cases: cases.into_iter().map(|case| expect::judge(&engine, case)).collect(),
        corpora: Vec::new(),
        unreferenced: Vec::new(),
        reject_unreferenced: arguments.unreferenced == Unreferenced::Reject,
        check,
        elapsed: started.elapsed(),
    };
    let min_coverage = config.replay.min_coverage.unwrap_or(DEFAULT_COVERAGE);
    let more = arguments.input.again() + &arguments.policy.again();
    for named in &corpora {
        let judged = named.judge(&engine, &arguments.input)?;
        if judged.interrupted {
            terminal::note("interrupted: nothing is said about the corpora that were not read");
            return Ok(exit::INTERRUPTED);
        }
        let corpus = held(named, &more, judged, &shelf, min_coverage)?;
        match corpus.state {
            State::Changed | State::New if !check => shelf.put(&corpus.name, &corpus.found)?,
            State::Same if !check => shelf.clear(&corpus.name)?,
            _ => {}
        }
        tested.corpora.push(corpus);
    }
    // Who names a few paths has not named the others.
    if arguments.paths.is_empty() {
        tested.unreferenced = unreferenced(&corpora, &shelf, arguments.unreferenced)?;
    }
    tested.elapsed = started.elapsed();
    if tested.is_empty() {
        terminal::note("name files, or put `[test] cases = [\"…\"]` or `corpora = [\"…\"]` into nearmiss.toml");
    }
    let mut out = terminal::output(arguments.output.as_deref(), format.is_styled())?;
    format.tell(&tested, &mut *out)?;
    out.flush()?;
    // The program ends with it: giving back every little thing that it remembers would only take time.
    std::mem::forget::<Engine>(engine);
    Ok(match tested.failures().first().map(|(failure, _)| *failure) {
        None => exit::OK,
        Some(Failure::Unread) => exit::INPUT,
        Some(Failure::Nothing) => exit::NOTHING,
        Some(Failure::Wrong) => exit::FAILED,
        Some(Failure::Pending) => exit::PENDING,
    })
}

/// What is to be tested.
#[derive(Debug, Default)]
struct Asked {
    cases: Vec<PathBuf>,
    corpora: Vec<PathBuf>,
}

impl Asked {
    /// What the command line names, or else what the configuration does.
    fn of(paths: &[PathBuf], config: &Config, folder: &Path) -> anyhow::Result<Self> {
        if paths.is_empty() {
            let here = |paths: &[String]| paths.iter().map(|path| folder.join(path)).collect();
            return Ok(Self { cases: here(&config.test.cases), corpora: here(&config.test.corpora) });
        }
        let mut asked = Self::default();
        for path in paths {
            if path.as_os_str() == "-" {
                bail!("a snapshot is that of a file or a folder: `nearmiss replay -` judges standard input");
            }
            let list = if is_cases(path)? { &mut asked.cases } else { &mut asked.corpora };
            list.push(path.clone());
        }
        Ok(asked)
    }
}

/// The labelled actions in files and folders.
fn labelled(paths: &[PathBuf]) -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for path in paths {
        for (name, text) in side::texts_at(path)? {
            cases.extend(expect::cases(&name, &text)?);
        }
    }
    Ok(cases)
}

/// Cases are written in TOML, and no log is.
fn is_cases(path: &Path) -> anyhow::Result<bool> {
    if !path.is_dir() {
        return Ok(path.extension().is_some_and(|ending| ending == "toml"));
    }
    let entries = std::fs::read_dir(path).with_context(|| format!("failed to read the folder {}", path.display()))?;
    let others =
        entries.filter_map(Result::ok).filter(|entry| entry.path().extension().is_none_or(|end| end != "toml"));
    Ok(others.count() == 0 && !side::files_in(path, "toml")?.is_empty())
}

/// Holds a corpus against its snapshot; `more` are the arguments it was made with.
fn held(named: &Named, more: &str, judged: Judged, shelf: &Shelf, min_coverage: f64) -> anyhow::Result<Corpus> {
    let Judged { text, totals, issues, .. } = judged;
    let accepted = shelf.accepted(&named.name)?;
    let found = Snapshot::new(&named.source, more, &text);
    let first = || issues.first().cloned().unwrap_or_else(|| "nobody said why".to_owned());
    let (state, problem) = if totals.coverage() < min_coverage {
        let (share, least) = (totals.coverage() * 100.0, min_coverage * 100.0);
        let said = format!("{share:.1} % of it could be read, {least} % are required; {}", first());
        (State::Unread, Some(if totals.files == 0 { first() } else { said }))
    } else if totals.actions == 0 {
        (State::Nothing, Some("there is no action in it".to_owned()))
    } else if accepted.as_ref().is_some_and(|accepted| accepted.matches(&found)) {
        (State::Same, None)
    } else {
        (if accepted.is_some() { State::Changed } else { State::New }, None)
    };
    Ok(Corpus {
        source: named.source.clone(),
        name: named.name.clone(),
        state,
        problem,
        actions: totals.actions,
        accepted,
        found,
        file: shelf.file(&named.name).display().to_string(),
    })
}

fn unreferenced(corpora: &[Named], shelf: &Shelf, wish: Unreferenced) -> anyhow::Result<Vec<String>> {
    if wish == Unreferenced::Ignore {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = corpora.iter().map(|named| named.name.as_str()).collect();
    let left = shelf.unreferenced(&names)?;
    if wish == Unreferenced::Delete {
        for file in &left {
            pending::delete(file)?;
            terminal::note(&format!("deleted {}: it belongs to no corpus", file.display()));
        }
        return Ok(Vec::new());
    }
    Ok(left.iter().map(|file| file.display().to_string()).collect())
}
