//! The pictures of the README: what a terminal shows of `week.jsonl`, which is a story of ours. `just picture` makes them.

use std::fs;

use regex::Regex;

use crate::support::root;
use crate::terminal::{Key, Start, Terminal, picture};

#[test]
fn the_pictures_of_the_readme_show_this_program() {
    let start = Start::nearmiss(&["tui", "tests/it/tui/week.jsonl"]).size(112, 27);
    let Some(terminal) = start.start() else { return };
    terminal.wait_for("24 actions  8 sessions in").wait_for("DROP TABLE carts_2019");
    terminal.type_keys("G").wait_for("one slip rm -rf ~ /shop/target/debug");
    compare("list", &terminal);
    terminal.type_keys("gj").press(Key::Enter).wait_for("[ ] BLOCK     the environment is production");
    terminal.type_keys(" ").wait_for("⇒ BLOCK  sql.drop-table-production");
    compare("what-if", &terminal);
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains("](snapshots/tui/readme-what-if.svg)"), "the README shows it");
}

/// Holds a picture against the file, or writes it (`INSTA_UPDATE=always`, as for all snapshots).
#[track_caller]
fn compare(name: &str, terminal: &Terminal) {
    let svg = terminal.look(|screen| picture::svg(screen, "nearmiss tui week.jsonl"));
    // How long it took, and of which policy it is, change from day to day.
    let svg = Regex::new(r"sessions in \d+\.\d s").unwrap().replace_all(&svg, "sessions in 0.1 s");
    let svg = Regex::new(r"rules, [0-9a-f]{16}\)").unwrap().replace_all(&svg, "rules, f960532bad0a3bc3)");
    let file = root().join(format!("snapshots/tui/readme-{name}.svg"));
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        return fs::write(file, svg.as_bytes()).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == svg,
        "{} shows something else than the program: `just picture`\n{}",
        file.display(),
        terminal.text()
    );
}
