//! Moving through what was recorded: screens, searches, what-if, sizes, and text that would like to be a command.

use std::process::{Command, Stdio};

use crate::terminal::Key;
use crate::terminal::screen::{Colour, Style};

use super::{Project, assert_painted, loaded, open_group, quit, selected};

#[test]
fn a_list_is_walked_through() {
    let project = Project::new();
    let Some(terminal) = project.open() else { return };
    terminal.wait_for("[near-misses 4]").wait_for("1 problem");
    assert!(terminal.look(selected).contains("DELETE FROM receipts"));
    terminal.type_keys("j").wait_until("the next line", |screen| selected(screen).contains("baskets"));
    terminal.press(Key::Up).wait_until("the line before", |screen| selected(screen).contains("receipts"));
    terminal.type_keys("G").wait_until("the last line", |screen| selected(screen).contains("*.log"));
    terminal.type_keys("g").press(Key::Down).press(Key::Down);
    terminal.wait_until("the third line", |screen| selected(screen).contains("*.bak"));
    assert_painted(&terminal);
    terminal.press(Key::Tab).wait_for("[stopped 1]").wait_for("DROP SCHEMA ledger CASCADE");
    terminal.type_keys("]").wait_for("[undecided 1]").press(Key::BackTab).wait_for("[stopped 1]");
    assert_painted(&terminal);
    quit(terminal);
}

#[test]
fn every_screen_is_reached_and_left() {
    let project = Project::new();
    let Some(terminal) = project.open() else { return };
    open_group(&terminal, "receipts");
    terminal.wait_for("✘ environment is production").wait_for("[ ] BLOCK     the environment is production");
    terminal.type_keys("S").wait_for("session till-dev  1 of 1 actions").wait_for("near lucky");
    terminal.type_keys("r").wait_for("till.empty-production").wait_for("books.keep");
    terminal.type_keys("5").wait_for("0 of 4 groups of near-misses have a label");
    terminal.type_keys("?").wait_for("what works here").press(Key::Esc).wait_for_no("what works here");
    // Back by the way it came.
    terminal.press(Key::Esc).wait_for("books.keep");
    terminal.press(Key::Esc).wait_for("session till-dev");
    terminal.press(Key::Esc).wait_for("conditions");
    terminal.press(Key::Esc).wait_for("near-misses");
    terminal.type_keys("@").wait_for("night.jsonl:11").press(Key::Esc).wait_for_no("night.jsonl:11");
    terminal.type_keys(":rules").wait_for(":rules").press(Key::Enter).wait_for("till.drop-production");
    assert_painted(&terminal);
    quit(terminal);
}

#[test]
fn what_if_is_judged_at_once() {
    let project = Project::new();
    let Some(terminal) = project.open() else { return };
    open_group(&terminal, "receipts");
    terminal.wait_for("[ ] BLOCK     the environment is production");
    terminal.type_keys(" ").wait_for("[x] BLOCK").wait_for("⇒ BLOCK  till.empty-production");
    terminal.type_keys(" ").wait_for_no("⇒");
    // Other words in its place; the cursor is there while they are written.
    terminal.type_keys("i").wait_for("instead: DELETE FROM receipts");
    assert!(terminal.look(|screen| screen.modes.cursor_visible));
    terminal.press(Key::Ctrl('u')).type_keys("SELECT 1 FROM receipts").press(Key::Enter).wait_for("⇒ ALLOW");
    assert!(!terminal.look(|screen| screen.modes.cursor_visible));
    terminal.type_keys("0").wait_for_no("⇒");
    assert_painted(&terminal);
    quit(terminal);
}

#[test]
fn a_filter_reads_again_and_a_search_does_not() {
    let project = Project::new();
    let Some(terminal) = project.open() else { return };
    terminal.type_keys("factor(robin)").press(Key::Enter);
    terminal.wait_for("4 actions  2 sessions").wait_for("[near-misses 2]").wait_for_no("*.bak");
    terminal.type_keys("f").press(Key::Ctrl('u')).type_keys("nonsense(").press(Key::Enter);
    // Told, and not taken.
    terminal.wait_until("what is wrong with it", |screen| {
        screen.lines().last().is_some_and(|line| line.starts_with("filter: nonsense(  "))
    });
    terminal.press(Key::Esc).wait_for("4 actions");
    terminal.type_keys("f").press(Key::Ctrl('u')).press(Key::Enter).wait_for("10 actions  5 sessions");
    terminal.type_keys("/baskets").wait_for_no("*.bak").press(Key::Enter).press(Key::Esc).wait_for("*.bak");
    // What is pasted is text, whatever letters it has.
    terminal.paste("q\u{1b}[Bq\nZ").type_keys("j");
    terminal.type_keys("/").paste("bas\u{7}kets").wait_for("/baskets").wait_for_no("*.bak");
    terminal.press(Key::Enter).press(Key::Esc).wait_for("*.bak");
    assert_painted(&terminal);
    quit(terminal);
}

/// Over a slow connection it comes in pieces, and no piece is a command.
#[test]
fn a_paste_may_pause() {
    let project = Project::new();
    let Some(terminal) = project.open() else { return };
    terminal.type_keys("/");
    for piece in ["\u{1b}[200~bask", "", "ets\rq\u{1b}", "[B\u{3}", "\u{1b}[20", "1~"] {
        terminal.type_keys(piece);
        std::thread::sleep(std::time::Duration::from_millis(150));
    }
    terminal.wait_for("/basketsq[B").press(Key::Enter);
    terminal.press(Key::Esc).wait_for("*.bak");
    quit(terminal);
}

#[test]
fn any_size_is_survived() {
    let project = Project::new();
    let Some(terminal) = project.open() else { return };
    for keys in ["", "\r", "S", "4", "5", "?"] {
        terminal.type_keys(keys);
        for (columns, rows) in [(60, 15), (40, 10), (39, 10), (40, 9), (12, 3), (1, 1), (200, 60), (60, 15), (300, 8)] {
            terminal.resize(columns, rows);
            if columns >= 40 && rows >= 10 {
                terminal.wait_for("actions").wait_for_no("too small");
            } else if columns >= 20 && rows >= 2 {
                terminal.wait_for("terminal too small:").wait_for(&format!("need 40×10, have {columns}×{rows}"));
            }
            assert_painted(&terminal);
        }
        terminal.resize(100, 30).wait_for("nearmiss  rules.cedar");
    }
    // Sizes faster than anybody can paint.
    for step in 0..200 {
        terminal.resize(30 + step, 5 + step / 4);
    }
    terminal.resize(100, 30).press(Key::Esc).type_keys("1").wait_for("near-misses 4");
    assert_painted(&terminal);
    quit(terminal);
}

#[test]
fn a_size_that_no_window_has_is_survived() {
    let project = Project::new();
    let Some(terminal) = project.open() else { return };
    for (columns, rows) in [(65_535, 65_535), (0, 0), (65_535, 10), (1, 65_535), (100, 30)] {
        terminal.resize(columns, rows).type_keys("jk");
    }
    terminal.wait_for("[near-misses 4]");
    assert_painted(&terminal);
    quit(terminal);
}

/// What a terminal would obey must never reach it.
#[test]
fn hostile_text_is_only_text() {
    let project = Project::new();
    let Some(terminal) = project.open_on(160, 40) else { return };
    terminal.wait_for("rm -f *.log # \\u{1b}[2J\\u{1b}[31m").wait_for("mika\\u{1b}[31m");
    let red = |style: &Style| style.front == Colour::Index(1);
    let mut pictures = vec![terminal.text()];
    open_group(&terminal, "*.log");
    terminal.wait_for("[ ]");
    for (keys, seen) in
        [("v", "owned"), ("S", "session books"), ("i", ""), ("\u{1b}", "session books"), ("?", "what works here")]
    {
        terminal.type_keys(keys).wait_for(seen);
        assert_painted(&terminal);
        pictures.push(terminal.text());
    }
    let is_obeyed = |letter: char| {
        letter.is_control() && letter != '\n' || "\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}".contains(letter)
    };
    for picture in pictures {
        assert!(!picture.contains(is_obeyed), "{picture:?}");
    }
    terminal.look(|screen| {
        assert!(screen.unknown.is_empty() && screen.clipboard.is_empty() && screen.bells == 0, "{}", screen.framed());
        assert!(!screen.cells().iter().flatten().any(|cell| red(&cell.style)), "{}", screen.framed());
    });
    terminal.press(Key::Esc);
    quit(terminal);
}

#[test]
fn wide_letters_move_nothing() {
    let project = Project::new();
    // Where the lines are cut, at every column.
    let Some(terminal) = project.open_on(120, 30) else { return };
    open_group(&terminal, "*.log");
    terminal.type_keys("v").wait_for("帳簿");
    for columns in 60..100 {
        terminal.resize(columns, 20);
        terminal.wait_until("this size", |screen| screen.lines()[0].contains("nearmiss"));
    }
    assert_painted(&terminal);
    terminal.type_keys("?").wait_for("what works here");
    // The right side of the box is one straight line, over wide letters too.
    terminal.look(|screen| {
        let sides = |row: &Vec<_>| -> Vec<usize> {
            let is_side = |cell: &crate::terminal::screen::Cell| ["│", "┐", "┘"].contains(&cell.text.as_str());
            row.iter().enumerate().filter(|(_, cell)| is_side(cell)).map(|(column, _)| column).collect()
        };
        let right: Vec<usize> = screen.cells().iter().filter_map(|row| sides(row).last().copied()).collect();
        assert!(right.len() > 10 && right.iter().all(|column| *column == right[0]), "{}", screen.framed());
    });
    terminal.press(Key::Esc);
    quit(terminal);
}

#[test]
fn a_secret_is_masked_on_every_screen_and_in_copies() {
    let project = Project::new();
    let Some(terminal) = project.open_on(160, 40) else { return };
    let mut pictures = String::new();
    for (keys, seen) in [("", "[near-misses 4]"), ("]", "[stopped 1]"), ("5", "0 of 4 groups"), ("1]", "[undecided 1]")]
    {
        pictures += &terminal.type_keys(keys).wait_for(seen).text();
    }
    // The session of what is undecided has the secret in its next line.
    terminal.wait_for("[undecided 1]").wait_for("unwrap-it");
    terminal.type_keys("S").wait_for("session ops").wait_for("psql -h till.internal");
    pictures += &terminal.text();
    terminal.type_keys("j").press(Key::Enter).wait_for("conditions").type_keys("v").wait_for("psql -h till.internal");
    pictures += &terminal.text();
    terminal.type_keys("y").wait_for("copied");
    pictures += &terminal.text();
    let copied = terminal.look(|screen| screen.clipboard.join("\n"));
    assert!(copied.contains("psql -h till.internal") && !copied.contains("kd93hfS7hdk2Qpz0"), "{copied}");
    assert!(!pictures.contains("kd93hfS7hdk2Qpz0"), "{pictures}");
    quit(terminal);
}

#[test]
fn what_is_copied_is_the_command() {
    let project = Project::new();
    let Some(terminal) = project.open() else { return };
    terminal.type_keys("y").wait_for("copied");
    assert_eq!(terminal.look(|screen| screen.clipboard.clone()), ["DELETE FROM receipts"]);
    terminal.type_keys("Y");
    terminal.wait_until("a second copy", |screen| screen.clipboard.len() == 2);
    let explain = terminal.look(|screen| screen.clipboard[1].clone());
    let words: Vec<&str> = explain.split_whitespace().collect();
    assert_eq!((words[0], words[1], words[3]), ("nearmiss", "explain", "night.jsonl"), "{explain}");
    // And the command works.
    let mut command = Command::new(env!("CARGO_BIN_EXE_nearmiss"));
    let output = command.args(&words[1..]).current_dir(project.0.path()).stdin(Stdio::null()).output().unwrap();
    let said = crate::support::stdout(&output);
    assert!(said.contains("DELETE FROM receipts") && said.contains("till.empty-production"), "{explain}: {output:?}");
    quit(terminal);
}

#[test]
fn a_mouse_is_taken_only_when_asked_for() {
    let project = Project::new();
    let Some(terminal) = project.open() else { return };
    assert!(terminal.look(|screen| screen.modes.mouse.is_empty()));
    terminal.type_keys("m").wait_until("clicks for us", |screen| screen.modes.mouse.iter().eq(&[1000, 1006]));
    let row = terminal.look(|screen| screen.lines().iter().position(|line| line.contains("*.bak")).unwrap());
    terminal.press(Key::Click(20, row as u16));
    terminal.wait_until("the line that was clicked", |screen| selected(screen).contains("*.bak"));
    terminal.press(Key::Click(999, 29)).press(Key::Click(0, 0));
    terminal.type_keys("m").wait_until("clicks for the terminal", |screen| screen.modes.mouse.is_empty());
    terminal.type_keys("m").wait_until("clicks for us", |screen| !screen.modes.mouse.is_empty());
    quit(terminal);
}

#[test]
fn without_colours_there_are_none() {
    let project = Project::new();
    let start = project.start(&["night.jsonl"]).env("NO_COLOR", "1");
    let Some(terminal) = start.start().map(loaded) else { return };
    open_group(&terminal, "receipts");
    terminal.wait_for("[ ] BLOCK").type_keys(" ").wait_for("⇒ BLOCK");
    terminal.look(|screen| {
        let coloured = |style: Style| style.front != Colour::Default || style.back != Colour::Default;
        assert!(!screen.cells().iter().flatten().any(|cell| coloured(cell.style)), "{}", screen.framed());
    });
    quit(terminal);
    let Some(terminal) = project.open() else { return };
    assert!(terminal.look(|screen| screen.looks("lucky")).unwrap()[0].front != Colour::Default);
    quit(terminal);
}
