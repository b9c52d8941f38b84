//! Floor 4: the command line. The only place that knows arguments, the environment, the clock and exit codes.

mod accept;
mod check;
mod compared;
mod corpora;
mod corpus;
mod diff;
mod explain;
mod filters;
mod fmt;
mod formats;
mod gate;
mod import;
mod init;
mod last;
mod lock;
mod mutate;
mod near;
mod pending;
mod prove;
mod reject;
mod replay;
mod reports;
mod review;
mod setup;
mod side;
mod sources;
mod suggest;
mod terminal;
mod test;
#[cfg(unix)]
mod tui;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Exit codes: scripts depend on them.
pub mod exit {
    /// Done, or the gate passed.
    pub const OK: u8 = 0;
    /// The gate failed, or `--fail-on` was met.
    pub const FAILED: u8 = 1;
    /// Usage or configuration.
    pub const USAGE: u8 = 2;
    /// Input unreadable, or below `--min-coverage`.
    pub const INPUT: u8 = 3;
    /// Nothing was evaluated.
    pub const NOTHING: u8 = 4;
    /// Snapshots wait for somebody to look at them; nothing else is wrong.
    pub const PENDING: u8 = 5;
    /// A bug of nearmiss: nothing was evaluated, treat it as a failure.
    pub const INTERNAL: u8 = 70;
    /// Ended by the user.
    pub const INTERRUPTED: u8 = 130;
}

/// Replays what people, scripts and AI agents have already run through a policy and tells what it would have stopped.
///
/// `nearmiss PATH` is `nearmiss replay PATH`. Nothing recorded is ever run; nothing leaves this machine.
#[derive(Debug, Parser)]
#[command(name = "nearmiss", version, max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 --fail-on met or an example failed, 2 usage or configuration, 3 input unreadable \
or below --min-coverage, 4 nothing evaluated, 5 snapshots pending, 70 internal error, 130 interrupted";

#[derive(Debug, Subcommand)]
enum Command {
    Replay(replay::Arguments),
    Explain(explain::Arguments),
    Near(near::Arguments),
    #[cfg(unix)]
    Tui(tui::Arguments),
    Check(check::Arguments),
    Corpus(corpus::Arguments),
    Test(test::Arguments),
    Review(review::Arguments),
    Accept(accept::Arguments),
    Reject(reject::Arguments),
    Diff(diff::Arguments),
    Gate(gate::Arguments),
    Mutate(mutate::Arguments),
    Prove(prove::Arguments),
    Suggest(suggest::Arguments),
    Lock(lock::Arguments),
    Fmt(fmt::Arguments),
    Init(init::Arguments),
    Import(import::Arguments),
    Sources(sources::Arguments),
    Formats(formats::Arguments),
    Filters(filters::Arguments),
}

/// An error with an exit code of its own.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Ended {
    code: u8,
    message: String,
}

/// Runs the program and answers with its exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(with_default_command(arguments.into_iter().collect())) {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { exit::USAGE } else { exit::OK };
            // A closed pipe is the reader's choice.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let work = move || match arguments.command {
        Command::Replay(arguments) => replay::run(arguments),
        Command::Explain(arguments) => explain::run(arguments),
        Command::Near(arguments) => near::run(arguments),
        #[cfg(unix)]
        Command::Tui(arguments) => tui::run(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Corpus(arguments) => corpus::run(arguments),
        Command::Test(arguments) => test::run(arguments),
        Command::Review(arguments) => review::run(&arguments),
        Command::Reject(arguments) => reject::run(arguments),
        Command::Diff(arguments) => diff::run(arguments),
        Command::Gate(arguments) => gate::run(arguments),
        Command::Accept(arguments) => accept::run(arguments),
        Command::Mutate(arguments) => mutate::run(arguments),
        Command::Prove(arguments) => prove::run(arguments),
        Command::Suggest(arguments) => suggest::run(arguments),
        Command::Lock(arguments) => lock::run(arguments),
        Command::Fmt(arguments) => fmt::run(arguments),
        Command::Init(arguments) => init::run(arguments),
        Command::Import(arguments) => import::run(arguments),
        Command::Sources(arguments) => sources::run(&arguments),
        Command::Formats(arguments) => formats::run(&arguments),
        Command::Filters(arguments) => filters::run(&arguments),
    };
    ExitCode::from(guarded(work))
}

/// Does the work and answers with its exit code, whatever becomes of it.
fn guarded(work: impl FnOnce() -> anyhow::Result<u8> + Send + 'static) -> u8 {
    // Hostile input is nested deeply: the main thread gets as much stack as the workers.
    let worker = std::thread::Builder::new().name("main".to_owned()).stack_size(64 << 20).spawn(work);
    let result = match worker.map(std::thread::JoinHandle::join) {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => {
            terminal::error(&anyhow::anyhow!("internal error: please report the message above; nothing was decided"));
            return exit::INTERNAL;
        }
        Err(error) => Err(anyhow::Error::new(error).context("failed to start a thread")),
    };
    match result {
        Ok(code) => code,
        Err(error) if terminal::is_closed_pipe(&error) => exit::OK,
        Err(error) => {
            terminal::error(&error);
            error.downcast_ref::<Ended>().map_or(exit::USAGE, |ended| ended.code)
        }
    }
}

/// `nearmiss PATH…` means `nearmiss replay PATH…` when the first word is no command but names something that is there.
fn with_default_command(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let Some(first) = arguments.get(1) else { return arguments };
    let is_command = <Arguments as clap::CommandFactory>::command()
        .get_subcommands()
        .any(|command| command.get_name_and_visible_aliases().iter().any(|name| first == *name));
    let word = first.to_string_lossy();
    let looks_like_a_path = word == "-" || word.contains(['/', '*', '.']) || std::path::Path::new(first).exists();
    if !is_command && word != "help" && !(word.starts_with('-') && word != "-") && looks_like_a_path {
        arguments.insert(1, OsString::from("replay"));
    }
    arguments
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_sound() {
        super::Arguments::command().debug_assert();
    }

    #[test]
    fn a_bug_of_ours_is_no_pass() {
        assert_eq!(super::guarded(|| panic!("a test panics here on purpose")), super::exit::INTERNAL);
        assert_eq!(super::guarded(|| anyhow::bail!("wrong words")), super::exit::USAGE);
        assert_eq!(super::guarded(|| Ok(super::exit::OK)), super::exit::OK);
    }

    #[test]
    fn a_path_alone_is_a_replay() {
        let words = |line: &str| line.split(' ').map(std::ffi::OsString::from).collect::<Vec<_>>();
        assert_eq!(super::with_default_command(words("nearmiss ./logs")), words("nearmiss replay ./logs"));
        assert_eq!(super::with_default_command(words("nearmiss check")), words("nearmiss check"));
        assert_eq!(super::with_default_command(words("nearmiss repaly")), words("nearmiss repaly"));
    }
}
