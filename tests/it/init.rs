//! From an empty folder: what `init` writes is sound, and what is there already is left alone.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::{stderr, stdout};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nearmiss"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("CI")
        .env_remove("TF_BUILD")
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

#[track_caller]
fn says(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = run(folder, arguments);
    let said = format!("{}{}", stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(code), "nearmiss {arguments:?}\n{said}");
    said
}

#[test]
fn what_init_writes_is_sound() {
    let folder = tempfile::tempdir().unwrap();
    let said = says(folder.path(), &["init"], 0);
    assert_eq!(said.matches("wrote").count(), 3, "{said}");
    says(folder.path(), &["check"], 0);
    says(folder.path(), &["fmt", "--check"], 0);
    // The commented tables are as sound as the others.
    let config = folder.path().join("nearmiss.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let uncommented = text.replace("# [", "[").lines().map(uncommented).collect::<Vec<_>>().join("\n");
    std::fs::write(&config, uncommented).unwrap();
    says(folder.path(), &["check"], 0);
}

/// `# host = …` without its mark; prose stays a comment.
fn uncommented(line: &str) -> &str {
    match line.strip_prefix("# ") {
        Some(rest) if rest.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')) => rest,
        _ => line,
    }
}

#[test]
fn what_is_there_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("nearmiss.toml"), "[policy]\n").unwrap();
    let said = says(folder.path(), &["init"], 0);
    assert!(said.contains("left    ./nearmiss.toml"), "{said}");
    assert_eq!(std::fs::read_to_string(folder.path().join("nearmiss.toml")).unwrap(), "[policy]\n");
}

#[test]
fn fmt_lays_out_and_says_what_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("own.cedar");
    std::fs::write(&policy, "permit(principal,action,resource);").unwrap();
    says(folder.path(), &["fmt", "--check", "own.cedar"], 1);
    assert_eq!(std::fs::read_to_string(&policy).unwrap(), "permit(principal,action,resource);");
    says(folder.path(), &["fmt", "own.cedar"], 0);
    says(folder.path(), &["fmt", "--check", "own.cedar"], 0);
    std::fs::write(&policy, "permit(principal,action,resource)").unwrap();
    let said = says(folder.path(), &["fmt", "own.cedar"], 2);
    assert!(said.contains("own.cedar"), "{said}");
}
