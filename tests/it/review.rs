//! `nearmiss review` in a terminal: keys, sizes, and how it ends.

use std::fs;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::terminal::{Key, Start, Terminal};

const RULES: &str = r#"
permit (principal, action, resource);

@id("sql.drop")
@decision("block")
@message("Tables stay.")
forbid (principal, action == Action::"drop", resource is Table);
"#;

/// A project of which two snapshots are pending.
fn project() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let config = "[policy]\nextends = []\npaths = [\"policy\"]\n[test]\ncorpora = [\"logs/*.jsonl\"]\n";
    write("nearmiss.toml", config);
    write("policy/own.cedar", RULES);
    for day in ["monday", "tuesday"] {
        let line = format!("{{\"kind\":\"sql\",\"text\":\"DROP TABLE {day}_orders\",\"session\":\"{day}\"}}\n");
        write(&format!("logs/{day}.jsonl"), &line);
    }
    let mut test = Command::new(env!("CARGO_BIN_EXE_nearmiss"));
    let output = test.arg("test").current_dir(folder.path()).env_remove("CI").env_remove("TF_BUILD").output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    folder
}

/// Which snapshots there are, and which still wait.
fn kept(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join(".nearmiss/snapshots")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

const WAITING: [&str; 2] = ["logs__monday.jsonl.snap.new", "logs__tuesday.jsonl.snap.new"];

/// Looks at the first of two.
fn open(folder: &Path) -> Option<Terminal> {
    let terminal = Start::nearmiss(&["review"]).folder(folder).start()?;
    terminal.wait_for("1 of 2").wait_for("DROP TABLE monday_orders").wait_for("q quit");
    Some(terminal)
}

#[test]
fn keys_accept_and_reject() {
    let folder = project();
    let Some(mut terminal) = open(folder.path()) else { return };
    assert!(terminal.look(|screen| screen.looks("a accept")).unwrap()[0].bold);
    terminal.type_keys("i").wait_for("made by").type_keys("d").wait_for("show the diff");
    // What is no answer answers nothing.
    terminal.press(Key::Down).press(Key::Enter).type_keys("a").wait_for("2 of 2");
    assert_eq!(kept(folder.path()), ["logs__monday.jsonl.snap", WAITING[1]]);
    terminal.type_keys("r").wait_for("rejected");
    assert_eq!(terminal.wait_exit().code(), 0);
    assert_eq!(kept(folder.path()), ["logs__monday.jsonl.snap"]);
    assert!(terminal.text().contains("accepted"), "{}", terminal.text());
    terminal.assert_restored();
}

#[test]
fn whoever_leaves_has_decided_nothing() {
    let folder = project();
    let Some(mut terminal) = open(folder.path()) else { return };
    terminal.type_keys("q");
    assert_eq!(terminal.wait_exit().code(), 5);
    assert_eq!(kept(folder.path()), WAITING);
    terminal.assert_restored();
}

#[test]
fn a_window_may_change_its_size() {
    let folder = project();
    let Some(mut terminal) = open(folder.path()) else { return };
    for (columns, rows) in [(40, 10), (20, 3), (200, 60)] {
        terminal.resize(columns, rows).type_keys("i");
    }
    terminal.wait_for("1 of 2").type_keys("s").wait_for("2 of 2").type_keys("q");
    assert_eq!(terminal.wait_exit().code(), 5);
    assert_eq!(terminal.look(|screen| screen.size()), (200, 60));
    terminal.assert_restored();
}

#[test]
fn ctrl_c_ends_it() {
    let folder = project();
    let Some(mut terminal) = open(folder.path()) else { return };
    terminal.press(Key::Ctrl('c'));
    assert_eq!(terminal.wait_exit().code(), 130);
    assert_eq!(kept(folder.path()), WAITING);
    terminal.assert_restored();
}

/// Keys are read one by one while it waits for one: who ends it then leaves a terminal that shows what is typed.
#[test]
fn a_signal_ends_it() {
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
        let folder = project();
        let Some(mut terminal) = open(folder.path()) else { return };
        terminal.signal(signal);
        assert_eq!(terminal.wait_exit().code(), 128 + signal as i32);
        assert_eq!(kept(folder.path()), WAITING);
        terminal.assert_restored();
    }
}

#[test]
fn a_connection_that_is_lost_ends_it() {
    let folder = project();
    let Some(mut terminal) = open(folder.path()) else { return };
    assert_eq!(terminal.hang_up().code(), 128 + Signal::SIGHUP as i32);
    assert_eq!(kept(folder.path()), WAITING);
}
