//! Nothing on a shelf is unlisted, unnamed or without a sample.

use std::collections::BTreeSet;

use nearmiss::engine::query::{Filter, PREDICATES};
use nearmiss::reader::READERS;
use nearmiss::report::REPORTS;

use crate::support::{files_below, root};

#[test]
fn every_reader_has_samples_and_a_name_of_its_own() {
    let mut names = BTreeSet::new();
    for reader in READERS {
        assert!(names.insert(reader.name()), "two readers are called {}", reader.name());
        assert!(!reader.about().is_empty(), "{} says nothing about itself", reader.name());
        let folder = root().join("corpora").join(reader.name());
        assert!(folder.is_dir(), "corpora/{} is missing: every format has samples", reader.name());
        assert!(!files_below(&folder).is_empty(), "corpora/{} is empty", reader.name());
        let file = root().join("src/reader/format").join(reader.name());
        assert!(
            file.with_extension("rs").is_file() || file.is_dir(),
            "the reader {} does not stand in a file of that name",
            reader.name()
        );
    }
}

#[test]
fn every_format_file_is_listed() {
    let shelf = root().join("src/reader/format");
    let list = std::fs::read_to_string(shelf.join("mod.rs")).unwrap();
    for file in files_below(&shelf) {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        if file.parent() == Some(&shelf) && name != "mod" {
            assert!(list.contains(&format!("mod {name};")), "format/{name}.rs is not in format/mod.rs");
        }
    }
}

#[test]
fn every_spec_is_listed() {
    let shelf = root().join("src/classify/command");
    let list = std::fs::read_to_string(shelf.join("catalog.rs"))
        .or_else(|_| std::fs::read_to_string(shelf.join("catalog/mod.rs")))
        .unwrap();
    for file in files_below(&shelf.join("catalog")) {
        if file.extension().is_some_and(|extension| extension == "toml") {
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            assert!(list.contains(&format!("\"{name}\"")), "the spec {name}.toml is not listed");
        }
    }
}

#[test]
fn every_report_has_a_name_of_its_own() {
    let names: BTreeSet<_> = REPORTS.iter().map(|report| report.name()).collect();
    assert_eq!(names.len(), REPORTS.len());
}

#[test]
fn no_file_is_called_something_vague() {
    for file in files_below(&root().join("src")) {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(!["utils", "util", "types", "common", "helpers", "misc", "errors"].contains(&&*name), "{file:?}");
    }
}

#[test]
fn every_predicate_of_filters_is_in_their_reference() {
    let mut table = "| predicate | asks | example |\n|---|---|---|\n".to_owned();
    let mut words = String::new();
    for predicate in PREDICATES {
        let alias = predicate.alias.map(|alias| format!(" `{alias}`")).unwrap_or_default();
        table.push_str(&format!("| `{}`{alias} | {} | `{}` |\n", predicate.name, predicate.about, predicate.example));
        if let Some(known) = predicate.words() {
            words.push_str(&format!("- `{}`: {}\n", predicate.name, known.join(", ")));
        }
    }
    let page = std::fs::read_to_string(root().join("docs/filters.md")).unwrap();
    for part in [table, words] {
        assert!(page.contains(&part), "docs/filters.md is not as the table of predicates; it should have\n{part}");
    }
    // Whatever it shows is a filter.
    let blocks = page.split("```text\n").skip(1).filter_map(|block| block.split("```").next());
    let lines: Vec<&str> = blocks.flat_map(str::lines).filter(|line| !line.trim().is_empty()).collect();
    assert!(lines.len() > 10, "{lines:?}");
    for line in lines {
        let filter = line.split("   ").next().unwrap();
        if let Err(error) = Filter::parse(filter) {
            panic!("{error}");
        }
    }
}

/// `just new-reader` in a copy of what it changes. That what it makes compiles is tried by hand: it takes a build.
#[test]
fn a_new_reader_stands_on_the_shelf() {
    let folder = tempfile::tempdir().unwrap();
    for file in [
        "scripts/new-reader",
        "src/reader/format/mod.rs",
        "src/reader/format/lines.rs",
        "docs/filters.md",
        "rustfmt.toml",
    ] {
        let to = folder.path().join(file);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(root().join(file), to).unwrap();
    }
    let make = |name: &str| match std::process::Command::new("bash")
        .args(["scripts/new-reader", name])
        .current_dir(folder.path())
        .output()
    {
        Ok(output) => Some((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())),
        Err(_) => None,
    };
    let text = |file: &str| std::fs::read_to_string(folder.path().join(file)).unwrap();
    // In the middle of the list, and behind its last file.
    for (name, kind) in [("my_proxy", "MyProxy"), ("zzz9", "Zzz9")] {
        let Some(made) = make(name) else {
            eprintln!("SKIPPED: there is no bash on this machine");
            return;
        };
        assert_eq!(made, (Some(0), String::new()));
        let list = text("src/reader/format/mod.rs");
        assert!(list.contains(&format!("\npub mod {name};\n")), "{list}");
        assert!(list.contains(&format!("\n    &{name}::{kind},\n")), "{list}");
        assert!(text("docs/filters.md").contains(&format!(", {name}, ")), "{}", text("docs/filters.md"));
        let reader = text(&format!("src/reader/format/{name}.rs"));
        for words in [format!("pub struct {kind};"), format!("\"{name}\""), "fn all_of_it_is_filled_in()".to_owned()] {
            assert!(reader.contains(&words), "{words} is missing in\n{reader}");
        }
        assert!(!reader.contains('@'), "{reader}");
        // Detection asks for what every line of the sample begins with.
        let sample = text(&format!("corpora/{name}/sample.log"));
        assert!(reader.contains(&format!("const MARK: &str = \"{name} \"")), "{reader}");
        assert!(sample.lines().count() > 1 && sample.lines().all(|line| line.starts_with(&format!("{name} "))));
    }
    let files: Vec<String> = text("src/reader/format/mod.rs")
        .lines()
        .filter_map(|line| line.strip_suffix(';')?.rsplit_once("mod ").map(|(_, name)| name.to_owned()))
        .collect();
    assert!(files.is_sorted(), "{files:?}");
    // Each without what it brings along: `mod.rs` names files that are not in the copy.
    let formatted = std::process::Command::new("rustfmt")
        .args(["--check", "--edition", "2024", "src/reader/format/my_proxy.rs", "src/reader/format/zzz9.rs"])
        .current_dir(folder.path())
        .output();
    match formatted {
        Ok(output) if output.status.success() || !output.stdout.is_empty() => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        }
        _ => eprintln!("SKIPPED: there is no rustfmt on this machine"),
    }
    for (name, problem) in [
        ("my_proxy", "is there already"),
        ("lines", "is there already"),
        ("My-Proxy", "is no name"),
        ("loop", "is a word of Rust"),
        ("types", "says nothing"),
    ] {
        let (code, said) = make(name).unwrap();
        assert_eq!(code, Some(2), "{name}");
        assert!(said.contains(problem), "{said}");
    }
}
