//! `nearmiss tui`: look at near-misses, what is stopped and why, while it is read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};

use crate::engine::near_miss::suppression::Suppression;
use crate::reader::input::Input;
use crate::tui::{self, Ended, Opening, Project};

use super::filters::MatchingArguments;
use super::near::suppressions;
use super::replay::{InputArguments, PolicyArguments};
use super::setup::Setup;
use super::{exit, last, suggest, terminal};

/// Explore near-misses and what is stopped in a terminal, try "what if", label what you see
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "ui",
    after_help = "Examples:\n  nearmiss tui ~/.claude/projects\n  nearmiss tui traces/ -E 'environment(production)'\n  nearmiss tui traces/ --base main     # what does this change of the policy do?\n\nNothing recorded is ever run. `?` shows the keys that work where you are."
)]
pub(super) struct Arguments {
    /// Files, folders or globs; `@last` is what was looked at last
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    input: InputArguments,
    #[command(flatten)]
    policy: PolicyArguments,
    #[command(flatten)]
    matching: MatchingArguments,
    /// Show what differs from the policy of this git revision as well
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// How many steps away a rule may be [default: `[near] distance` of nearmiss.toml, or 1]
    #[arg(long, value_name = "N")]
    distance: Option<u32>,
    /// Write nothing, whatever is pressed
    #[arg(long)]
    read_only: bool,
    /// Threads [default: one per core]
    #[arg(short, long, value_name = "N")]
    jobs: Option<std::num::NonZeroUsize>,
    /// Show secrets as they were recorded
    #[arg(long)]
    no_redact: bool,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<u8> {
    if arguments.paths.iter().any(|path| path.as_os_str() == "-") {
        bail!("standard input can be read only once, and what is looked at is read again: name a file");
    }
    if std::env::var("TERM").is_ok_and(|term| term == "dumb") {
        bail!("this terminal (TERM=dumb) has no screen to draw on: use `nearmiss near` and `nearmiss replay`");
    }
    let filter = arguments.matching.filter()?;
    let Setup { engine, config, folder, mut heading } = match &arguments.base {
        None => arguments.policy.setup(None)?,
        Some(revision) => arguments.policy.beside(revision)?,
    };
    heading.no_redact = arguments.no_redact;
    let distance = arguments.distance.unwrap_or(config.near.distance);
    let suppressed = folder.join(&config.near.suppressed);
    let suppressions: Vec<Suppression> = suppressions(&suppressed)?;
    let project = (heading.config.is_some() && !arguments.read_only && !terminal::is_ci()).then(|| Project {
        cases: folder.join(config.test.cases.first().map_or(".nearmiss/cases", String::as_str)).join("review"),
        rules: folder.join(config.policy.paths.first().map_or(".nearmiss/policy", String::as_str)),
        labels: suppressed.parent().map_or_else(|| folder.clone(), Path::to_path_buf).join("labels"),
        suppressed,
        by: std::env::var("USER").ok().filter(|name| !name.is_empty()),
    });
    let again: Vec<String> = arguments.paths.iter().map(|path| path.display().to_string()).collect();
    let again = again.join(" ") + &arguments.input.again() + &arguments.policy.again();
    let changes = arguments.policy.changes(&folder);
    // What is wrong with the arguments is said before the screen is taken.
    let (first, issues) = arguments.input.replay(&arguments.paths, arguments.jobs)?;
    if first.inputs.is_empty()
        && let Some(issue) = issues.first()
    {
        let message = format!("{}: {}", issue.file, issue.problem);
        return Err(super::Ended { code: exit::INPUT, message }.into());
    }
    last::remember(&arguments.paths);
    let Arguments { paths, input, jobs, policy, .. } = arguments;
    let (own_paths, own_input) = (paths.clone(), input.clone());
    let opening = Opening {
        engine: Arc::new(engine.with_near_misses_gathered(distance)),
        bytes: first.inputs.iter().map(Input::size).sum(),
        replay: Box::new(move |only| {
            let (mut replay, issues) = input.replay(&paths, jobs).map_err(|error| format!("{error:#}"))?;
            replay.inputs.retain(|input| only.is_none_or(|only| *input.file == *only));
            Ok((replay, issues))
        }),
        draft: Box::new(move |id| {
            let arguments = suggest::Arguments::of(id, &own_paths, &own_input, &policy);
            let mut rule = Vec::new();
            // What could not be read is shown elsewhere.
            suggest::tell(&arguments, &mut rule, &|_| {}).map_err(|error| format!("{error:#}"))?;
            String::from_utf8(rule).map_err(|error| error.to_string())
        }),
        heading,
        again,
        filter: if filter.is_all() { String::new() } else { filter.to_string() },
        distance,
        collapse_above: config.near.collapse_above,
        suppressions,
        today: terminal::today()?,
        changes,
        project,
        coloured: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    let ended =
        tui::run(opening).context("there is no terminal to draw on: use `nearmiss near` and `nearmiss replay`")?;
    Ok(match ended {
        Ended::Quit => exit::OK,
        Ended::Interrupted => exit::INTERRUPTED,
        Ended::Signal(signal) => u8::try_from(128 + signal).unwrap_or(exit::INTERRUPTED),
    })
}
