//! What a review writes: asked for once, listed, taken back, and only where it may.

use std::fs;
use std::process::{Command, Stdio};

use crate::terminal::Key;

use super::{Project, assert_painted, loaded, open_group, quit};

#[test]
fn a_label_is_asked_for_written_and_taken_back() {
    let project = Project::new();
    let Some(terminal) = project.open() else { return };
    open_group(&terminal, "receipts");
    terminal.wait_for("[ ] BLOCK");
    terminal.type_keys("t").wait_for("y yes, and do not ask again");
    assert_painted(&terminal);
    terminal.type_keys("n").wait_for("nothing was written");
    assert!(project.written().is_empty(), "{:?}", project.written());

    terminal.type_keys("ty").wait_for("true near-miss: wrote");
    let written = project.written();
    assert_eq!(written.len(), 2, "a label and a case: {written:?}");
    // The case holds: the action and its twin.
    let mut test = Command::new(env!("CARGO_BIN_EXE_nearmiss"));
    let case = written.iter().find(|name| name.starts_with(".nearmiss/cases/review/")).unwrap();
    let output = test
        .args(["test", "--policy", "rules.cedar", case])
        .current_dir(project.0.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}\n{}", fs::read_to_string(project.path(case)).unwrap());

    terminal.type_keys("5").wait_for("1 of 4 groups").wait_for("written in this review");
    assert_painted(&terminal);
    terminal.type_keys("u").wait_for("took back: true near-miss").wait_for("0 of 4 groups");
    assert!(project.written().is_empty(), "{:?}", project.written());
    terminal.type_keys("Z").wait_for("wrote again: true near-miss").wait_for("1 of 4 groups");
    assert_eq!(project.written(), written);
    quit(terminal);

    // The next review knows.
    let Some(terminal) = project.open() else { return };
    terminal.wait_for("1 of 4 labelled").type_keys("5").wait_for("1 of 4 groups");
    quit(terminal);
}

#[test]
fn what_is_no_risk_is_hidden_until_a_day() {
    let project = Project::new();
    let Some(terminal) = project.open() else { return };
    terminal.wait_for(">d1 lucky").type_keys("n").wait_for("why is it no risk?");
    terminal.press(Key::Enter).wait_for("a reason is needed");
    terminal.type_keys("filled anew every night").press(Key::Enter).wait_for("until which day?");
    terminal.press(Key::Ctrl('u')).type_keys("2001-01-01").press(Key::Enter).wait_for("has passed");
    terminal.press(Key::Ctrl('u')).type_keys("2199-12-31").press(Key::Enter).wait_for("y yes");
    terminal.type_keys("y").wait_for_no("y yes").wait_for("no risk: hidden until 2199-12-31");
    assert_eq!(project.written().len(), 2, "{:?}", project.written());
    quit(terminal);

    let Some(terminal) = project.open() else { return };
    terminal.wait_for("[near-misses 3]").wait_for("1 hidden by suppressions").wait_for_no("DELETE FROM receipts");
    quit(terminal);
}

#[test]
fn an_export_is_a_new_file() {
    let project = Project::new();
    let Some(terminal) = project.open() else { return };
    for ending in ["md", "json", "html", "jsonl"] {
        let file = format!("out.{ending}");
        terminal.type_keys("e").wait_for("write to: ").press(Key::Ctrl('u')).type_keys(&file).press(Key::Enter);
        terminal.wait_for(&format!("wrote 4 groups to {file}"));
        let text = fs::read_to_string(project.path(&file)).unwrap();
        assert!(text.contains("receipts") && !text.contains('\u{1b}'), "{text:?}");
        // JSON has its own way to write what a letter is; what people read has no letter that moves others.
        assert!(!["md", "html"].contains(&ending) || !text.contains(['\u{202e}', '\u{9b}']), "{text:?}");
    }
    terminal.type_keys("e").wait_for("write to: ").press(Key::Ctrl('u')).type_keys("out.md").press(Key::Enter);
    terminal.wait_for("failed to write out.md");
    terminal.type_keys("j");
    quit(terminal);
}

/// Keys that would write do nothing where nothing may be written.
#[test]
fn nothing_is_written_where_nothing_may_be() {
    let project = Project::new();
    let read_only = project.start(&["night.jsonl", "--read-only"]);
    let in_ci = project.start(&["night.jsonl"]).env("CI", "true");
    for start in [read_only, in_ci] {
        let Some(terminal) = start.start().map(loaded) else { return };
        terminal.type_keys("n").wait_for("n does nothing here");
        open_group(&terminal, "receipts");
        terminal.wait_for("[ ] BLOCK");
        for key in ["t", "n", "x", "p"] {
            terminal.type_keys(key).wait_for(&format!("{key} does nothing here"));
        }
        terminal.type_keys("5").wait_for("read only");
        quit(terminal);
        assert!(project.written().is_empty(), "{:?}", project.written());
    }
}
