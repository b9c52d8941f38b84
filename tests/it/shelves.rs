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
