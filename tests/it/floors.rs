//! Imports run down only, neighbours are strangers, and every heavy crate has one door.

use crate::support::{files_below, root};

/// Floors of the house, lowest first.
const FLOORS: &[&[&str]] =
    &[&["model"], &["reader", "classify", "policy"], &["engine"], &["report", "serve"], &["tui"], &["cli"]];

/// Heavy crates and the only paths below `src` that may name them.
const DOORS: &[(&str, &[&str])] = &[
    ("clap", &["cli"]),
    ("anyhow", &["cli"]),
    ("sqlparser", &["classify/sql"]),
    ("shuck_parser", &["classify/shell"]),
    ("shuck_ast", &["classify/shell"]),
    ("tree_sitter", &["classify/shell"]),
    ("tree_sitter_bash", &["classify/shell"]),
    ("cedar_policy", &["policy"]),
    ("cedar_policy_symcc", &["policy/prove"]),
    ("tokio", &["policy/prove"]),
    ("rayon", &["engine/replay"]),
    ("polars", &["report/table", "reader/table"]),
    ("indicatif", &["cli"]),
    ("rustix", &["tui"]),
    ("signal_hook", &["tui"]),
    ("similar", &["report/hunks"]),
];

fn sources() -> Vec<(String, String)> {
    let src = root().join("src");
    files_below(&src)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let name = path.strip_prefix(&src).unwrap().to_string_lossy().replace('\\', "/");
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect()
}

fn floor_of(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// Modules named as `crate::x`, also inside `use crate::{x, y::z}`.
fn named_modules(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let list = rest.strip_prefix('{').map_or(rest, |inner| &inner[..inner.find('}').unwrap_or(inner.len())]);
        let words = if list.len() == rest.len() { vec![rest] } else { list.split(',').collect() };
        for word in words {
            let name: String = word.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            found.push(name);
        }
    }
    found
}

#[test]
fn imports_run_down() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let own = file.split(['/', '.']).next().unwrap();
        let Some(own_floor) = floor_of(own) else { continue };
        for module in named_modules(&text) {
            if module == own {
                continue;
            }
            if let Some(floor) = floor_of(&module)
                && floor >= own_floor
            {
                wrong.push(format!("{file} names crate::{module}"));
            }
        }
    }
    assert!(wrong.is_empty(), "imports that run up or sideways: {wrong:#?}");
}

#[test]
fn every_heavy_crate_has_one_door() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        for (name, doors) in DOORS {
            let named = [format!("{name}::"), format!("use {name};")];
            let opens = text.lines().filter(|line| !line.trim_start().starts_with("//")).any(|line| {
                named.iter().any(|pattern| {
                    line.match_indices(pattern.as_str()).any(|(at, _)| {
                        !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '"')
                    })
                })
            });
            if opens && !doors.iter().any(|door| file.starts_with(door)) {
                wrong.push(format!("{file} uses {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "heavy crates used beside their door: {wrong:#?}");
}

#[test]
fn below_the_faces_nobody_prints_or_reads_the_clock() {
    const LOUD: &[&str] =
        &["println!(", "eprintln!(", "SystemTime::now", "Instant::now", "std::env::", "env::var", "Command::new"];
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let below = ["model", "reader", "classify", "policy", "engine", "report"];
        if !below.iter().any(|module| file.starts_with(module)) {
            continue;
        }
        // What stands under `#[cfg(test)]` at the end of a file, or in a file of tests, is not part of the program.
        if file.contains("/tests/") || file.ends_with("/tests.rs") {
            continue;
        }
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(&text);
        for (number, line) in code.lines().enumerate() {
            let is_comment = line.trim_start().starts_with("//");
            for word in LOUD.iter().filter(|word| !is_comment && line.contains(**word)) {
                wrong.push(format!("{file}:{}: {word}", number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn modules_named_in_lists_are_found() {
    assert_eq!(named_modules("use crate::{model::A, engine};"), ["model", "engine"]);
    assert_eq!(named_modules("crate::reader::x()"), ["reader"]);
}
