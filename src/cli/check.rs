//! `nearmiss check`: are the policies sound, and do their rules do what their examples say?

use std::io::Write;

use crate::engine::{Config, run_examples};

use super::{exit, setup, terminal};

/// Parse, validate and lint policies, and run the examples in their rules
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Policies to check: files, folders, `REV:PATH` or `builtin:NAME` [default: what nearmiss.toml says]
    policy: Vec<String>,
    /// The configuration to use [default: nearmiss.toml, found upwards from here]
    #[arg(long, value_name = "FILE")]
    config: Option<std::path::PathBuf>,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<u8> {
    let chosen =
        setup::Chosen { config: arguments.config, policy: arguments.policy, cedar: false, check: true, only: None };
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
    writeln!(
        out,
        "{} ({} rules, {}): {} of {} examples do what their rule says",
        setup.heading.policies.join(" + "),
        policy.rules().len(),
        policy.digest(),
        examples.len() - failures.len(),
        examples.len(),
    )?;
    Ok(if failures.is_empty() { exit::OK } else { exit::FAILED })
}
