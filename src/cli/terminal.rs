//! Standard output and error: colours, progress, width.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

use anyhow::Context;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::engine::gate::Day;

/// Writes `error` and what led to it to standard error.
pub(super) fn error(error: &anyhow::Error) {
    let mut stderr = anstream::stderr();
    // There is nobody left to tell when standard error is closed.
    let _ = writeln!(stderr, "\u{1b}[1;31merror:\u{1b}[0m {error:#}");
}

/// Writes a line that is worth knowing but stops nothing.
pub(super) fn note(line: &str) {
    let _ = writeln!(anstream::stderr(), "\u{1b}[1;33mnote:\u{1b}[0m {line}");
}

/// The reader of our output went away (`nearmiss … | head`).
pub(super) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let closed = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(closed))
}

/// Columns of the terminal; 100 where there is none.
pub(super) fn width() -> usize {
    terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0)).clamp(60, 160)
}

/// A problem in a policy file with the lines it is about, drawn for a terminal.
pub(super) fn diagnostic(problem: &dyn miette::Diagnostic) -> String {
    let mut shown = String::new();
    let handler =
        miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor()).with_width(width());
    // Writing to a string cannot fail.
    let _ = handler.render_report(&mut shown, problem);
    shown
}

/// A bar on standard error, only where somebody watches.
pub(super) fn progress(total: Option<u64>) -> ProgressBar {
    let quiet = !io::stderr().is_terminal() || std::env::var_os("CI").is_some();
    let bar = ProgressBar::with_draw_target(
        total,
        if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(10) },
    );
    let look = if total.is_some() {
        "{bar:30} {bytes} of {total_bytes}  {msg}  {eta} left"
    } else {
        "{spinner} {bytes}  {msg}"
    };
    bar.set_style(ProgressStyle::with_template(look).expect("the template is fixed"));
    bar
}

/// Where a report goes: a file, or standard output. Colours of a `styled` one are taken out where nobody sees them.
pub(super) fn output(file: Option<&Path>, styled: bool) -> anyhow::Result<Box<dyn Write>> {
    const BUFFER: usize = 64 << 10;
    Ok(match file {
        Some(path) => {
            let file = std::fs::File::create(path).with_context(|| format!("failed to write {}", path.display()))?;
            if styled {
                Box::new(BufWriter::with_capacity(BUFFER, anstream::StripStream::new(file)))
            } else {
                Box::new(BufWriter::with_capacity(BUFFER, file))
            }
        }
        None if styled => Box::new(BufWriter::new(anstream::stdout())),
        None => Box::new(BufWriter::with_capacity(BUFFER, std::io::stdout())),
    })
}

/// Whether this runs where nobody would commit what is written (insta's rule).
pub(super) fn is_ci() -> bool {
    let set = |name| std::env::var(name).is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"));
    set("CI") || std::env::var_os("TF_BUILD").is_some()
}

pub(super) fn refuse_to_write_in_ci() -> anyhow::Result<()> {
    if is_ci() {
        anyhow::bail!("nothing is written where `CI` is set: run this at home and commit what it writes");
    }
    Ok(())
}

/// The day it is, in UTC.
pub(super) fn today() -> anyhow::Result<Day> {
    Ok(Day(now()?.date()))
}

/// The time it is: `12:03:44 UTC`.
pub(super) fn time_of_day() -> anyhow::Result<String> {
    let time = now()?.time();
    Ok(format!("{:02}:{:02}:{:02} UTC", time.hour(), time.minute(), time.second()))
}

fn now() -> anyhow::Result<jiff::Zoned> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).context("the clock is before 1970")?;
    let time =
        jiff::Timestamp::from_second(now.as_secs().cast_signed()).context("the clock is beyond all calendars")?;
    Ok(time.to_zoned(jiff::tz::TimeZone::UTC))
}
