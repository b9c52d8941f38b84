//! Nothing on a shelf is unlisted, unnamed or without a sample.

use std::collections::BTreeSet;

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
