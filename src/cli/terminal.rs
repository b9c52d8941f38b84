//! Standard output and error: colours, progress, width.

use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

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
