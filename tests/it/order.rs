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
