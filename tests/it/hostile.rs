//! Hostile input: no panic, no abort, no hang, one clear line of error each.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{nearmiss, stderr, stdout};

/// Longer than any of these takes on a slow machine; a hang is minutes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the program on one native action and wants a verdict for it.
#[track_caller]
fn decides(kind: &str, text: &str) -> serde_json::Value {
    let line = serde_json::json!({ "kind": kind, "text": text }).to_string();
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_nearmiss"))
        .args(["replay", "-", "--from", "actions", "--format", "jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        // The program may be done before everything is written.
        let _ = writeln!(stdin, "{line}");
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(started.elapsed() < PATIENCE, "took {:?}", started.elapsed());
    let out = stdout(&output);
    serde_json::from_str(out.lines().next().expect("one action")).unwrap()
}

/// Nested deeply enough that it cannot have been understood whole, so it must not read as allowed.
#[track_caller]
fn is_not_allowed(kind: &str, text: &str) {
    let line = decides(kind, text);
    assert_ne!(line["decision"], "allow", "{}…: gaps {}", &text[..text.len().min(40)], line["gaps"]);
}

const DEEP: usize = 10_000;

fn nested(open: &str, inside: &str, close: &str) -> String {
    format!("{}{inside}{}", open.repeat(DEEP), close.repeat(DEEP))
}

#[test]
fn shell_brackets_nested_ten_thousand_times() {
    for (open, close) in [
        ("(", ")"),
        ("{ ", "; }"),
        ("$(", ")"),
        ("echo $(", ")"),
        ("echo \"$(", ")\""),
        ("cat <(", ")"),
        ("cat >(", ")"),
        ("if true; then ", "; fi"),
        ("while true; do ", "; done"),
        ("for x in a; do ", "; done"),
        ("case x in x) ", ";; esac"),
        ("f() { ", "; }"),
        ("! ", ""),
        ("[[ ( ", " ) ]]"),
    ] {
        is_not_allowed("shell", &nested(open, "rm -rf /", close));
    }
}

#[test]
fn shell_brackets_that_hold_no_commands() {
    for (open, close) in
        [("echo $((", "))"), ("((", "))"), ("echo {a,", "}"), ("echo ${x:-", "}"), ("`", "`"), ("[", "]")]
    {
        decides("shell", &nested(open, "1", close));
    }
}

#[test]
fn unclosed_brackets_do_not_take_exponential_time() {
    for open in ["(", "((", "$((", "{", "$(", "`", "\"", "'", "\"$(", "<(", "[[ (", "case x in ", "<<E "] {
        for count in [30, 1_000, DEEP] {
            decides("shell", &open.repeat(count));
        }
    }
}

#[test]
fn sql_brackets_nested_ten_thousand_times() {
    for (open, inside, close) in [
        ("(", "SELECT 1", ")"),
        ("SELECT (", "1", ")"),
        ("SELECT * FROM (", "SELECT 1", ") t"),
        ("SELECT [", "1", "]"),
        ("SELECT CASE WHEN ", "true", " THEN 1 END"),
        ("SELECT f(", "1", ")"),
        ("SELECT NOT ", "true", ""),
        ("SELECT -", "1", ""),
        ("WITH a AS (", "SELECT 1", ") SELECT 1"),
        ("/*", "x", "*/"),
        ("BEGIN ", "SELECT 1", " END"),
    ] {
        decides("sql", &nested(open, inside, close));
    }
}

#[test]
fn long_sql_chains_do_not_overflow_the_stack() {
    for operator in [" AND a = 1", " OR a = 1", " || 'x'", "::int", " + 1", " UNION ALL SELECT 1", ", 1"] {
        let line = decides("sql", &format!("DELETE FROM t WHERE a = 1{}", operator.repeat(100_000)));
        let effects = line["effects"].as_array().unwrap();
        assert!(effects.iter().any(|effect| effect["operation"] == "delete"), "{operator}: {effects:?}");
    }
}

#[test]
fn five_megabytes_on_one_line() {
    let line = decides("shell", &format!("echo {}; rm -rf /", "x".repeat(5 << 20)));
    assert_ne!(line["decision"], "allow");
    let line = decides("sql", &format!("INSERT INTO t VALUES ('{}'); DROP TABLE users", "x".repeat(5 << 20)));
    assert_ne!(line["decision"], "allow");
}

/// Replays one file and gives back what stands on standard error and how it ended.
fn replayed(path: &Path) -> (Option<i32>, String) {
    let output = nearmiss(&["replay", "--format", "jsonl", path.to_str().unwrap()]);
    (output.status.code(), stderr(&output))
}

fn file(name: &str, bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

#[test]
fn invalid_utf8_and_nuls() {
    let mut bytes = b"{\"kind\":\"shell\",\"text\":\"ls\"}\n{\"kind\":\"shell\",\"text\":\"rm \xff\xfe x\"}\n".to_vec();
    bytes.extend_from_slice(b"{\"kind\":\"shell\",\"text\":\"a\x00b\"}\n");
    let (_folder, path) = file("bad.jsonl", &bytes);
    let (code, err) = replayed(&path);
    assert_eq!(code, Some(3), "{err}");
    assert!(err.contains("bad.jsonl:3"), "the line is named: {err}");
}

#[test]
fn a_truncated_archive_is_named_and_its_start_is_read() {
    use flate2::{Compression, write::GzEncoder};
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for number in 0..2_000 {
        writeln!(encoder, "{{\"kind\":\"shell\",\"text\":\"echo {number} {}\"}}", number * 7919 % 1013).unwrap();
    }
    let whole = encoder.finish().unwrap();
    let (_folder, path) = file("cut.jsonl.gz", &whole[..whole.len() / 2]);
    let output = nearmiss(&["replay", "--format", "jsonl", path.to_str().unwrap()]);
    assert!(stdout(&output).lines().count() > 100, "what came before the cut is there");
    assert!(stderr(&output).contains("truncated gzip"), "{}", stderr(&output));
}

#[cfg(unix)]
#[test]
fn a_folder_that_contains_itself() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.jsonl"), "{\"kind\":\"shell\",\"text\":\"ls\"}\n").unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("again")).unwrap();
    let output = nearmiss(&["replay", "--format", "jsonl", folder.path().to_str().unwrap()]);
    assert_eq!(stdout(&output).lines().count(), 1);
    assert_eq!(stderr(&output).lines().filter(|line| line.contains("leads back")).count(), 1, "{}", stderr(&output));
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_opened() {
    // A link to nowhere rather than a permission: root may open everything.
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/no/such/file", folder.path().join("gone.log")).unwrap();
    let (code, err) = replayed(folder.path());
    assert_eq!(code, Some(3));
    assert!(err.contains("gone.log"), "{err}");
}
