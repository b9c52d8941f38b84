//! `nearmiss near`: which allowed actions were luck?

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail};
use indicatif::ProgressBar;

use crate::engine::gate::Day;
use crate::engine::near_miss::gather::{Gather, Likeness, Telling};
use crate::engine::near_miss::group::{Group, Survey};
use crate::engine::near_miss::suppression::Suppression;
use crate::engine::query::Filter;
use crate::engine::replay::Listener;
use crate::model::{Finding, Issue};
use crate::reader::input::Input;
use crate::report::near::{self, Told};

use super::explain::recorded;
use super::filters::MatchingArguments;
use super::replay::{InputArguments, PolicyArguments, interrupted, watch_interrupt};
use super::reports::formats;
use super::setup::Setup;
use super::side::files_in;
use super::{exit, last, terminal};

/// Show allowed actions that one thing kept from being stopped, most telling first
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Files, folders, globs, `-` for standard input, or `@last` for what was looked at last
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    input: InputArguments,
    #[command(flatten)]
    policy: PolicyArguments,
    /// Only what has to do with this action (its id, or the start of it): the same shape, or the same rules
    #[arg(long, value_name = "EVENT")]
    like: Option<String>,
    #[command(flatten)]
    matching: MatchingArguments,
    #[arg(long, value_name = "FORMAT", default_value = "text", help = formats(near::REPORTS.iter().map(|one| one.name())))]
    format: String,
    /// Write the report to a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How many steps away a rule may be [default: `[near] distance` of nearmiss.toml, or 1]
    #[arg(long, value_name = "N")]
    distance: Option<u32>,
    /// Groups that are told one by one
    #[arg(short = 'n', long, value_name = "N", default_value_t = 30)]
    limit: usize,
    /// Show what is routine, what a control held off, what nobody can say and what is suppressed as well
    #[arg(long)]
    all: bool,
    /// Threads [default: one per core]
    #[arg(short, long, value_name = "N")]
    jobs: Option<std::num::NonZeroUsize>,
    /// Show secrets as they were recorded
    #[arg(long)]
    no_redact: bool,
    /// Hide a group from now on (its id, or the start of it); repeatable; needs `--reason`
    #[arg(long, value_name = "ID", requires = "reason")]
    suppress: Vec<String>,
    /// Why it is no risk; it is written to `.nearmiss/suppressed/ID.toml`
    #[arg(long, value_name = "TEXT", requires = "suppress")]
    reason: Option<String>,
    /// Who says so
    #[arg(long, value_name = "NAME", requires = "suppress")]
    by: Option<String>,
    /// The last day on which it counts: `2027-01-31`
    #[arg(long, value_name = "DAY", requires = "suppress")]
    until: Option<Day>,
    /// The day that counts as today
    #[arg(long, value_name = "DAY", hide = true)]
    today: Option<Day>,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<u8> {
    let started = Instant::now();
    let format = near::by_name(&arguments.format).with_context(|| {
        let known: Vec<_> = near::REPORTS.iter().map(|report| report.name()).collect();
        format!("no report is called `{}`; there are {}", arguments.format, known.join(", "))
    })?;
    if !arguments.suppress.is_empty() {
        terminal::refuse_to_write_in_ci()?;
    }
    let filter = arguments.matching.filter()?;
    let Setup { engine, config, folder, mut heading } = arguments.policy.setup(None)?;
    heading.no_redact = arguments.no_redact;
    let engine = engine.with_near_misses_gathered(arguments.distance.unwrap_or(config.near.distance));
    let suppressed = folder.join(&config.near.suppressed);
    let suppressions = suppressions(&suppressed)?;
    let like = match &arguments.like {
        Some(event) => {
            let (action, mut session) = recorded(event, &arguments.paths, &arguments.input, &engine)?;
            Some(engine.decide(action, &mut session))
        }
        None => None,
    };
    last::remember(&arguments.paths);
    let (replay, issues) = arguments.input.replay(&arguments.paths, arguments.jobs)?;
    let lost = issues.iter().filter(|issue| issue.lost).count() as u64;
    heading.filter = (!filter.is_all()).then(|| filter.to_string());
    let mut listener = Collected {
        filter,
        gather: like.as_ref().map_or_else(Gather::default, |finding| Gather::like(Likeness::of(finding))),
        issues,
        bar: terminal::progress(replay.inputs.iter().map(Input::size).sum()),
        interrupted: false,
    };
    watch_interrupt();
    let mut totals = replay.run(&engine, &mut listener).context("failed to start the threads")?;
    totals.unread += lost;
    listener.bar.finish_and_clear();
    let today = arguments.today.map_or_else(terminal::today, Ok)?;
    let telling = Telling { collapse_above: config.near.collapse_above, suppressions: &suppressions, today };
    let survey = listener.gather.finish(&engine, telling);
    if !arguments.suppress.is_empty() {
        return suppress(&arguments, &survey, &suppressed);
    }
    let mut out = terminal::output(arguments.output.as_deref(), format.is_styled())?;
    let told = Told {
        heading: &heading,
        survey: &survey,
        like: like.as_ref(),
        totals: &totals,
        issues: &listener.issues,
        elapsed: started.elapsed(),
        limit: arguments.limit,
        all: arguments.all,
    };
    format.tell(&told, &mut *out)?;
    for one in suppressions.iter().filter(|one| one.until.is_some_and(|until| until < today)) {
        let until = one.until.map(|until| until.to_string()).unwrap_or_default();
        terminal::note(&format!("the suppression of {} ({}) ended on {until}: it is shown again", one.id, one.rule));
    }
    Ok(match () {
        () if listener.interrupted => exit::INTERRUPTED,
        () if totals.coverage() < config.replay.min_coverage.unwrap_or(super::replay::DEFAULT_COVERAGE) => exit::INPUT,
        () if totals.actions == 0 => exit::NOTHING,
        () => exit::OK,
    })
}

/// What somebody has called no risk.
pub(super) fn suppressions(folder: &Path) -> anyhow::Result<Vec<Suppression>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let read = |file: PathBuf| {
        let shown = file.display().to_string();
        let text = std::fs::read_to_string(&file).with_context(|| format!("failed to read {shown}"))?;
        Ok(Suppression::parse(&shown, &text)?)
    };
    files_in(folder, "toml")?.into_iter().map(read).collect()
}

/// Writes down which groups are not to be shown. All is known before anything is written.
fn suppress(arguments: &Arguments, survey: &Survey, folder: &Path) -> anyhow::Result<u8> {
    let Some(reason) = arguments.reason.as_ref().filter(|reason| !reason.trim().is_empty()) else {
        bail!("say why {} is no risk: `--reason \"…\"`", arguments.suppress.join(", "));
    };
    let groups: Vec<&Group> = survey.all().collect();
    let mut chosen = Vec::new();
    for id in &arguments.suppress {
        let id = id.to_ascii_lowercase();
        let found: Vec<&&Group> = groups.iter().filter(|group| group.id.to_string().starts_with(&id)).collect();
        match found[..] {
            [group] => {
                let (reason, by) = (reason.clone(), arguments.by.clone());
                chosen.push(Suppression::of(group, reason, by, arguments.until));
            }
            [] => bail!("no group is called `{id}`; `nearmiss near` shows the ids"),
            _ => bail!("`{id}` is the start of several ids; write more of it"),
        }
    }
    std::fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
    for one in chosen {
        let file = folder.join(one.file_name());
        std::fs::write(&file, one.written()).with_context(|| format!("failed to write {}", file.display()))?;
        terminal::note(&format!("wrote {}: commit it", file.display()));
    }
    Ok(exit::OK)
}

struct Collected {
    filter: Filter,
    gather: Gather,
    issues: Vec<Issue>,
    bar: ProgressBar,
    interrupted: bool,
}

impl Listener for Collected {
    fn finding(&mut self, finding: &Finding) {
        self.gather.chosen(&self.filter, finding);
    }

    fn issue(&mut self, issue: &Issue) {
        self.issues.push(issue.clone());
    }

    fn progress(&mut self, bytes: u64) -> ControlFlow<()> {
        self.bar.set_position(bytes);
        self.interrupted = interrupted();
        if self.interrupted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
