//! Equal input gives equal bytes: whatever the thread count and the order of the files.

use std::path::PathBuf;

use crate::support::{engine, nearmiss, replay, root, stdout};

/// The lines of a replay, sorted: ids come first in each.
fn lines(jobs: &str, paths: &[&str]) -> Vec<String> {
    let mut arguments = vec!["replay", "--format", "jsonl", "--min-coverage", "0", "-j", jobs];
    arguments.extend(paths);
    let output = nearmiss(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", crate::support::stderr(&output));
    let mut lines: Vec<String> = stdout(&output).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn threads_and_file_order_change_nothing() {
    let one = lines("1", &["corpora/demo", "corpora/actions", "corpora/postgres_stderr"]);
    let two = lines("2", &["corpora/postgres_stderr", "corpora/actions", "corpora/demo"]);
    assert!(one.len() > 60, "there is something to compare: {} lines", one.len());
    assert_eq!(one, two);
}

#[test]
fn ids_do_not_depend_on_where_the_files_lie() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine();
    let ids = |path: PathBuf| -> Vec<_> {
        replay(&engine, &[path], None, 2).0.findings.iter().map(|finding| finding.action.id).collect()
    };
    for name in ["claude/7f3a41d2-5a0e-4c57-9d2b-1f6a8c90e4b7.jsonl", "bash_history"] {
        let here = root().join("corpora/demo").join(name);
        let there = folder.path().join(here.file_name().unwrap());
        std::fs::copy(&here, &there).unwrap();
        assert_eq!(ids(here), ids(there));
    }
}

#[test]
fn ids_are_unique_within_the_demo() {
    let (found, _) = replay(&engine(), &[root().join("corpora/demo")], None, 2);
    let mut ids: Vec<_> = found.findings.iter().map(|finding| finding.action.id).collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn files_of_one_name_are_sessions_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    for (name, line) in [("a", "cd /srv/one"), ("b", "rm -rf build")] {
        let below = folder.path().join(name);
        std::fs::create_dir(&below).unwrap();
        let record = format!("{{\"kind\":\"shell\",\"text\":\"{line}\"}}\n");
        std::fs::write(below.join("day.jsonl"), record).unwrap();
    }
    let sessions = |paths: &[std::path::PathBuf]| {
        let (found, _) = replay(&engine(), paths, None, 2);
        found.findings.iter().map(|finding| finding.action.session.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(sessions(&[folder.path().to_owned()]), ["a/day.jsonl", "b/day.jsonl"]);
    assert_eq!(sessions(&[folder.path().join("b"), folder.path().join("a")]), ["a/day.jsonl", "b/day.jsonl"]);
    assert_eq!(sessions(&[folder.path().join("a/day.jsonl")]), ["day.jsonl"]);
}
