//! `nearmiss replay`: what would the policy have stopped?

use std::io::{IsTerminal, Read};
use std::mem::ManuallyDrop;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context, bail};
use clap::ValueEnum;
use indicatif::ProgressBar;

use crate::engine::Engine;
use crate::engine::query::Filter;
use crate::engine::replay::{Listener, Replay, Totals};
use crate::model::{Action, Decision, Finding, Issue, Kind};
use crate::reader::input::Input;
use crate::reader::map::Maps;
use crate::reader::{self, Options, Reader};
use crate::report::{self, Ended, Report, Telling};

use super::filters::FilterArguments;
use super::reports::formats;
use super::side::{Git, Side, map_at};
use super::{exit, gate, last, setup, terminal};

/// Replay recorded actions through the policy and tell what it would have stopped
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files, folders, globs, `-` for standard input, or `@last` for what was looked at last
    #[arg(required = true)]
    pub(super) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) input: InputArguments,
    #[command(flatten)]
    pub(super) policy: PolicyArguments,
    #[arg(long, value_name = "FORMAT", default_value = "text", help = formats(report::REPORTS.iter().map(|one| one.name())))]
    format: String,
    /// Write the report to a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Exit with 1 when any action gets this decision or a stricter one
    #[arg(long, value_name = "DECISION")]
    fail_on: Option<FailOn>,
    /// Exit with 3 when a smaller share of records could be read [default: 0.95]
    #[arg(long, value_name = "SHARE")]
    min_coverage: Option<f64>,
    #[command(flatten)]
    filter: FilterArguments,
    /// Threads [default: one per core]
    #[arg(short, long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Show secrets as they were recorded
    #[arg(long)]
    no_redact: bool,
}

/// How to read.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct InputArguments {
    /// The format of all files, where detection is not sure (see `nearmiss formats`)
    #[arg(long, value_name = "FORMAT")]
    pub(super) from: Option<String>,
    /// Read files of any other recorder by a mapping of their fields (docs/mapping.md); repeatable
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    map: Vec<PathBuf>,
    /// What the lines of `--from lines` are: shell or sql
    #[arg(long, value_name = "KIND", value_parser = parse_kind)]
    kind: Option<Kind>,
    /// The SQL dialect where the log does not say it
    #[arg(long, value_name = "NAME")]
    dialect: Option<String>,
    /// `log_line_prefix` of a Postgres log that was not recognised
    #[arg(long, value_name = "PREFIX")]
    log_line_prefix: Option<String>,
}

/// Which policy, and how to judge.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct PolicyArguments {
    /// Policy instead of the configured one: a file, a folder, `REV:PATH` or `builtin:NAME`; repeatable
    #[arg(long, value_name = "POLICY")]
    pub(super) policy: Vec<String>,
    /// The configuration to use [default: nearmiss.toml, found upwards from here]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Judge with the compiled policy, or with Cedar's own (slow) authorizer
    #[arg(long, value_name = "ENGINE", default_value = "compiled")]
    engine: JudgeWith,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum JudgeWith {
    #[default]
    Compiled,
    Cedar,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Block,
    Ask,
    Undecided,
}

/// Below this share of readable records nobody should rely on the result.
pub(super) const DEFAULT_COVERAGE: f64 = 0.95;

pub(super) fn run(arguments: Arguments) -> anyhow::Result<u8> {
    let started = Instant::now();
    let format = report::by_name(&arguments.format).with_context(|| {
        let known: Vec<_> = report::REPORTS.iter().map(|report| report.name()).collect();
        format!("no report is called `{}`; there are {}", arguments.format, known.join(", "))
    })?;
    if format.is_binary() && arguments.output.is_none() && std::io::stdout().is_terminal() {
        bail!("{} is not for a terminal: name a file with `-o`", format.name());
    }
    let filter = arguments.filter.filter()?;
    let setup::Setup { engine, config, mut heading, .. } = arguments.policy.setup(None)?;
    let distance = if format.tells_near_misses() { Some(config.near.distance) } else { None };
    let engine = asked(engine, &filter, distance);
    // The program ends with it: giving back every little thing that it remembers would only take time.
    let engine = ManuallyDrop::new(engine);
    heading.no_redact = arguments.no_redact;
    heading.again = again(&arguments);
    heading.filter = (!filter.is_all()).then(|| filter.to_string());
    let min_coverage = arguments.min_coverage.or(config.replay.min_coverage).unwrap_or(DEFAULT_COVERAGE);

    let (replay, issues) = arguments.input.replay(&arguments.paths, arguments.jobs)?;
    last::remember(&arguments.paths);
    let mut out = terminal::output(arguments.output.as_deref(), format.is_styled())?;
    let total = replay.inputs.iter().map(Input::size).sum();
    let mut told = Told {
        telling: format.start(heading, &mut *out),
        format,
        filter,
        bar: terminal::progress(total),
        decisions: [0; 4],
        shown: 0,
        error: None,
        interrupted: false,
    };
    let lost = issues.iter().filter(|issue| issue.lost).count() as u64;
    for issue in &issues {
        told.issue(issue);
    }
    watch_interrupt();
    let mut totals = replay.run(&engine, &mut told).context("failed to start the threads")?;
    totals.unread += lost;
    told.bar.finish_and_clear();
    let Told { telling, decisions, shown, error, interrupted, .. } = told;
    if let Some(error) = error {
        return Err(error.into());
    }
    telling.finish(&Ended { totals: totals.clone(), elapsed: started.elapsed(), interrupted })?;
    Ok(exit_code(&Outcome { totals, decisions, shown, interrupted, min_coverage, fail_on: arguments.fail_on }))
}

/// Looks for near-misses where the filter, or what is told, asks for them.
pub(super) fn asked(engine: Engine, filter: &Filter, told: Option<u32>) -> Engine {
    match told.max(filter.near_distance()) {
        Some(most) => engine.with_near_misses(most),
        None => engine,
    }
}

/// The arguments with which `explain` finds the same actions again; standard input cannot be read twice.
fn again(arguments: &Arguments) -> Option<String> {
    let paths: Vec<String> = arguments.paths.iter().map(|path| path.display().to_string()).collect();
    if paths.iter().any(|path| path == "-") {
        return None;
    }
    Some(paths.join(" ") + &arguments.input.again())
}

struct Outcome {
    totals: Totals,
    decisions: [u64; 4],
    shown: u64,
    interrupted: bool,
    min_coverage: f64,
    fail_on: Option<FailOn>,
}

fn exit_code(outcome: &Outcome) -> u8 {
    if outcome.interrupted {
        return exit::INTERRUPTED;
    }
    let coverage = outcome.totals.coverage();
    if coverage < outcome.min_coverage {
        let share = outcome.min_coverage * 100.0;
        terminal::note(&format!("only {:.1} % of the records could be read, {share} % are required", coverage * 100.0));
        return exit::INPUT;
    }
    let failing = match outcome.fail_on {
        Some(FailOn::Block) => &[Decision::Block][..],
        Some(FailOn::Ask) => &[Decision::Block, Decision::Ask],
        Some(FailOn::Undecided) => &[Decision::Block, Decision::Ask, Decision::Undecided],
        None => &[],
    };
    if failing.iter().any(|decision| outcome.decisions[*decision as usize] > 0) {
        return exit::FAILED;
    }
    if outcome.shown == 0 {
        terminal::note(if outcome.totals.actions == 0 {
            "there was no action in what was read"
        } else {
            "no action matches the filters"
        });
        // A log of nothing but checkpoints was read well; a gate that looked at nothing has not passed.
        let read_well = outcome.totals.actions == 0 && outcome.totals.other_records > 0 && outcome.fail_on.is_none();
        return if read_well { exit::OK } else { exit::NOTHING };
    }
    exit::OK
}

impl PolicyArguments {
    /// The arguments that make others judge by the same: ` --policy builtin:strict`. Nobody else has what stands
    /// somewhere on this machine.
    pub(super) fn again(&self) -> String {
        let named = self.policy.iter().filter(|name| !Path::new(name).is_absolute());
        named.map(|name| format!(" --policy {name}")).collect()
    }

    /// The same policy beside the one of a git revision.
    pub(super) fn beside(&self, revision: &str) -> anyhow::Result<setup::Setup> {
        let head = Side::here(self.config.clone(), &self.policy)?;
        let base = Side::at(&gate::common(&head, revision)?, self.config.clone())?;
        setup::Setup::compare(&base, head)
    }

    /// Days (since 1970) on which the policy changed, with the short names of the commits; none outside of git.
    pub(super) fn changes(&self, folder: &Path) -> Vec<(i64, String)> {
        const MOST: &str = "200";
        let files = Side::files(self.config.clone(), &self.policy);
        let files: Vec<String> =
            files.iter().filter_map(|file| file.canonicalize().ok()).map(|file| file.display().to_string()).collect();
        if files.is_empty() {
            return Vec::new();
        }
        let git = Git { folder: folder.to_path_buf() };
        let arguments =
            ["log", "-n", MOST, "--format=%ct %h", "--"].into_iter().chain(files.iter().map(String::as_str));
        let log = git.run(&arguments.collect::<Vec<_>>()).unwrap_or_default();
        let change = |line: &str| {
            let (time, commit) = line.split_once(' ')?;
            Some((time.parse::<i64>().ok()?.div_euclid(86_400), commit.to_owned()))
        };
        log.lines().filter_map(change).collect()
    }

    pub(super) fn setup(&self, only: Option<Action>) -> anyhow::Result<setup::Setup> {
        setup::Setup::new(setup::Chosen {
            config: self.config.clone(),
            policy: self.policy.clone(),
            cedar: self.engine == JudgeWith::Cedar,
            check: false,
            only,
        })
    }
}

impl InputArguments {
    /// The arguments that make others read the same: ` --from lines`.
    pub(super) fn again(&self) -> String {
        let from = self.from.as_ref().map(|name| format!(" --from {name}")).unwrap_or_default();
        let kind = self.kind.map(|kind| format!(" --kind {kind}")).unwrap_or_default();
        let maps: String = self.map.iter().map(|map| format!(" --map {}", map.display())).collect();
        from + &kind + &maps
    }

    pub(super) fn kind(&self) -> Option<Kind> {
        self.kind
    }

    pub(super) fn dialect(&self) -> Option<&str> {
        self.dialect.as_deref()
    }

    /// What is to be read, and what of it is not there.
    pub(super) fn replay(&self, paths: &[PathBuf], jobs: Option<NonZeroUsize>) -> anyhow::Result<(Replay, Vec<Issue>)> {
        let named = |name: &String| -> anyhow::Result<&'static dyn Reader> {
            reader::detect::by_name(name)
                .with_context(|| format!("no format is called `{name}`; `nearmiss formats` lists them"))
        };
        let reader = self.from.as_ref().map(named).transpose()?;
        let paths = &last::meant(paths)?;
        let stdin = Box::new(std::io::stdin()) as Box<dyn Read + Send>;
        let found = reader::input::find(paths, Some(stdin));
        let mut maps = Maps::default();
        for path in &self.map {
            maps.push(&[], map_at(path)?).map_err(anyhow::Error::msg)?;
        }
        let options = Options {
            maps,
            log_line_prefix: self.log_line_prefix.clone(),
            kind: self.kind,
            dialect: self.dialect.clone(),
            ..Options::default()
        };
        let jobs = jobs.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
        Ok((Replay { inputs: found.inputs, reader, options: Arc::new(options), jobs }, found.issues))
    }
}

/// Passes on what the filter wants and keeps count.
struct Told<'w> {
    telling: Box<dyn Telling + 'w>,
    format: &'static dyn Report,
    filter: Filter,
    bar: ProgressBar,
    decisions: [u64; 4],
    shown: u64,
    error: Option<std::io::Error>,
    interrupted: bool,
}

impl Told<'_> {
    fn keep(&mut self, result: std::io::Result<()>) {
        if let Err(error) = result {
            self.error.get_or_insert(error);
        }
    }
}

impl Listener for Told<'_> {
    fn finding(&mut self, finding: &Finding) {
        if !self.filter.matches(finding) {
            return;
        }
        self.shown += 1;
        self.decisions[finding.verdict.decision as usize] += 1;
        let result = self.telling.finding(finding);
        self.keep(result);
    }

    fn issue(&mut self, issue: &Issue) {
        // Formats that are a list of actions have no place for it.
        if !matches!(self.format.name(), "text" | "json") {
            let line = report::located(issue);
            self.bar.suspend(|| terminal::note(&line));
        }
        let result = self.telling.issue(issue);
        self.keep(result);
    }

    fn progress(&mut self, bytes: u64) -> ControlFlow<()> {
        self.bar.set_position(bytes);
        self.bar.set_message(format!("{} actions", self.shown));
        self.interrupted = interrupted();
        if self.interrupted || self.error.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The first Ctrl-C ends the reading and shows what there is; the second one ends the program.
pub(super) fn watch_interrupt() {
    let _ = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(exit::INTERRUPTED));
        }
    });
}

/// Somebody pressed Ctrl-C.
pub(super) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

fn parse_kind(word: &str) -> Result<Kind, String> {
    match Kind::from_word(word) {
        Some(kind @ (Kind::Shell | Kind::Sql)) => Ok(kind),
        _ => Err("lines are `shell` or `sql`".to_owned()),
    }
}
