//! `nearmiss check`: are the policies sound, and do their rules do what their examples say?

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::engine::{Config, run_examples};

use super::replay::{interrupted, watch_interrupt};
use super::side::Side;
use super::{exit, setup, terminal};

/// How often `--watch` looks whether a file changed.
const TICK: Duration = Duration::from_millis(300);

/// Parse, validate and lint policies, and run the examples in their rules
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Policies to check: files, folders, `REV:PATH` or `builtin:NAME` [default: what nearmiss.toml says]
    policy: Vec<String>,
    /// The configuration to use [default: nearmiss.toml, found upwards from here]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check again whenever a policy, nearmiss.toml or a program spec changes, until Ctrl-C
    #[arg(long)]
    watch: bool,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<u8> {
    if arguments.watch { watch(&arguments) } else { once(&arguments) }
}

fn once(arguments: &Arguments) -> anyhow::Result<u8> {
    let chosen = setup::Chosen {
        config: arguments.config.clone(),
        policy: arguments.policy.clone(),
        cedar: false,
        check: true,
        only: None,
    };
    let setup = setup::Setup::new(chosen)?;
    let policy = setup.engine.policy();
    let examples = policy.examples();
    // Built-in examples speak of hosts and labels of their own, whatever this nearmiss.toml calls its own.
    let (own, builtin): (Vec<_>, Vec<_>) =
        examples.iter().partition(|example| !example.rule.file.starts_with("builtin:"));
    let mut failures = run_examples(&setup.engine, own);
    failures.extend(run_examples(&setup.engine.under(&Config::default()), builtin));
    let mut out = anstream::stdout().lock();
    for problem in policy.warnings().iter().chain(&failures) {
        writeln!(out, "{}", terminal::diagnostic(problem))?;
    }
    let sound = failures.is_empty();
    let (green, plain) = if arguments.watch && sound { ("\u{1b}[32m", "\u{1b}[0m") } else { ("", "") };
    let time = if arguments.watch { format!("{} ", terminal::time_of_day()?) } else { String::new() };
    writeln!(
        out,
        "{green}{time}{} ({} rules, {}): {} of {} examples do what their rule says{plain}",
        setup.heading.policies.join(" + "),
        policy.rules().len(),
        policy.digest(),
        examples.len() - failures.len(),
        examples.len(),
    )?;
    out.flush()?;
    Ok(if sound { exit::OK } else { exit::FAILED })
}

/// Ends with Ctrl-C only: what is wrong now can be mended in a moment.
fn watch(arguments: &Arguments) -> anyhow::Result<u8> {
    watch_interrupt();
    let mut seen = None;
    while !interrupted() {
        let now = stamps(arguments);
        if seen.as_ref() != Some(&now) {
            seen = Some(now);
            if std::io::stdout().is_terminal() {
                let mut out = std::io::stdout().lock();
                write!(out, "\u{1b}[2J\u{1b}[H")?;
                out.flush()?;
            }
            match once(arguments) {
                Err(error) if terminal::is_closed_pipe(&error) => return Err(error),
                Err(error) => terminal::error(&error),
                Ok(_) => {}
            }
        }
        std::thread::sleep(TICK);
    }
    Ok(exit::INTERRUPTED)
}

/// Everything that a check depends on, with size and time of the last change.
fn stamps(arguments: &Arguments) -> Vec<(PathBuf, Option<(SystemTime, u64)>)> {
    let stamp = |path: PathBuf| {
        let found = std::fs::metadata(&path).ok();
        let stamp = found.and_then(|found| Some((found.modified().ok()?, found.len())));
        (path, stamp)
    };
    Side::files(arguments.config.clone(), &arguments.policy).into_iter().map(stamp).collect()
}
