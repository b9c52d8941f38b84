//! `nearmiss tui` in a terminal, from the first picture to what it leaves behind.

mod ending;
mod goldens;
mod looking;
mod monkey;
mod writing;

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::terminal::screen::Screen;
use crate::terminal::{Key, Start, Terminal};

const NIGHT: &str = include_str!("tui/night.jsonl");
const RULES: &str = include_str!("tui/rules.cedar");

/// A user's project with what was recorded one night.
struct Project(TempDir);

impl Project {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("nearmiss.toml"), "[policy]\nextends = []\npaths = [\"rules.cedar\"]\n").unwrap();
        fs::write(folder.path().join("rules.cedar"), RULES).unwrap();
        fs::write(folder.path().join("night.jsonl"), NIGHT).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `nearmiss tui` with these arguments, here.
    fn start(&self, arguments: &[&str]) -> Start {
        Start::nearmiss(&[&["tui"], arguments].concat()).folder(self.0.path())
    }

    /// The night, read to its end, on 100 columns and 30 rows.
    fn open(&self) -> Option<Terminal> {
        self.open_on(100, 30)
    }

    fn open_on(&self, columns: u16, rows: u16) -> Option<Terminal> {
        Some(loaded(self.start(&["night.jsonl"]).size(columns, rows).start()?))
    }

    /// All files but those that the project began with.
    fn written(&self) -> Vec<String> {
        let name = |path: &Path| path.strip_prefix(self.0.path()).unwrap().to_string_lossy().into_owned();
        let files = crate::support::files_below(self.0.path());
        let mut names: Vec<String> = files.iter().map(|path| name(path)).collect();
        names.retain(|name| !["nearmiss.toml", "rules.cedar", "night.jsonl"].contains(&name.as_str()));
        names
    }
}

/// Waits until everything is read.
#[track_caller]
fn loaded(terminal: Terminal) -> Terminal {
    terminal.wait_for("10 actions  5 sessions in");
    terminal.assert_taken();
    terminal
}

/// The line that is selected in a list.
fn selected(screen: &Screen) -> String {
    screen.lines().into_iter().find(|line| line.starts_with('>')).unwrap_or_default()
}

/// Opens the group whose line has this text.
#[track_caller]
fn open_group(terminal: &Terminal, text: &str) {
    terminal.type_keys("/").type_keys(text).press(Key::Enter);
    terminal.wait_until(&format!("`{text}` to be selected"), |screen| selected(screen).contains(text));
    terminal.press(Key::Enter).wait_for("what if");
}

/// Whatever was done before: what is shown is what a picture painted anew shows.
#[track_caller]
fn assert_painted(terminal: &Terminal) {
    let updates = |screen: &Screen| screen.updates;
    // Nothing may be on its way.
    let mut seen = terminal.look(updates);
    loop {
        std::thread::sleep(std::time::Duration::from_millis(120));
        let now = terminal.look(updates);
        if now == seen {
            break;
        }
        seen = now;
    }
    let before = terminal.text();
    terminal.press(Key::Ctrl('l')).wait_until("another picture", |screen| screen.updates > seen);
    assert_eq!(before, terminal.text(), "parts of older pictures stood on the screen");
}

/// Leaves by `q`; all is as it was.
#[track_caller]
fn quit(mut terminal: Terminal) {
    terminal.type_keys("q");
    assert_eq!(terminal.wait_exit().code(), 0);
    terminal.assert_restored();
}
