//! The colours of every text report. No meaning hangs on a colour alone: the word is always there too.

use anstyle::{AnsiColor, Style};

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
/// Stopped, wrong, worse than before.
pub(super) const RED: Style = AnsiColor::Red.on_default().bold();
/// As it should be.
pub(super) const GREEN: Style = AnsiColor::Green.on_default().bold();
/// A person has to look.
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
/// Nobody knows.
pub(super) const BLUE: Style = AnsiColor::Blue.on_default().bold();
