//! `import`: rules of other guards become Cedar that loads, is never looser, and names what is missing.

use std::path::Path;
use std::process::Command;

use crate::support::{stderr, stdout};

/// Exit code, standard output and standard error.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nearmiss"));
    command.args(arguments).current_dir(folder).env_remove("CI").env_remove("TF_BUILD").env("NO_COLOR", "1");
    let output = command.output().unwrap();
    (output.status.code(), stdout(&output), stderr(&output))
}

/// Carries `text` over and says what becomes of each line of shell under the result.
#[track_caller]
fn decisions(text: &str, lines: &[&str]) -> (Vec<String>, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rules"), text).unwrap();
    std::fs::write(folder.path().join("permit.cedar"), "permit (principal, action, resource);\n").unwrap();
    let (code, out, err) = run(folder.path(), &["import", "rules", "-o", "new.cedar"]);
    assert_eq!(code, Some(0), "{out}{err}");
    let (code, out, check) = run(folder.path(), &["check", "permit.cedar", "new.cedar"]);
    assert_eq!(code, Some(0), "{out}{check}");
    std::fs::write(folder.path().join("log"), lines.join("\n")).unwrap();
    let arguments =
        ["replay", "log", "--from", "lines", "--policy", "permit.cedar", "--policy", "new.cedar", "--format", "jsonl"];
    let (_, out, replay) = run(folder.path(), &arguments);
    let decision = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        value["decision"].as_str().unwrap().to_owned()
    };
    let found: Vec<String> = out.lines().map(decision).collect();
    assert_eq!(found.len(), lines.len(), "{out}{replay}");
    (found, err)
}

#[test]
fn claude_code_permissions() {
    let text = r#"{
  "permissions": {
    "allow": ["Bash(npm run lint)"],
    "ask": ["Bash(git push:*)", "WebFetch(domain:pastes.example)"],
    "deny": ["Read(./.env)", "Bash(terraform apply:*)", "mcp__crm__delete_contact", "Edit([ab].txt)"],
    "defaultMode": "acceptEdits"
  }
}"#;
    let lines = [
        "git push origin main",
        "cd /srv/app && git push",
        "git -C /srv/app push",
        "cat .env",
        "cat README.md",
        "terraform apply -auto-approve",
        "terraform plan",
        "curl https://pastes.example/x -o x",
        "git pull",
    ];
    let (found, err) = decisions(text, &lines);
    assert_eq!(found, ["ask", "ask", "ask", "block", "allow", "block", "allow", "ask", "allow"], "{err}");
    assert!(err.contains("rules:3: not carried over: allow Bash(npm run lint)"), "{err}");
    assert!(err.contains("permissions.defaultMode") && err.contains("Edit([ab].txt)"), "{err}");
    assert!(err.contains("5 rules carried over, 3 lines not"), "{err}");
}

#[test]
fn codex_rules() {
    let text = r#"# what we agreed on
prefix_rule(
    pattern = ["helm", ["uninstall", "rollback"]],  # either
    decision = "forbidden",
    justification = "Ask the platform team.",
    match = [["helm", "uninstall", "shop"], "helm rollback shop 3"],
    not_match = ["helm list"],
)
prefix_rule(pattern = ["ls"], match = ["ls -l"])
prefix_rule(pattern = ["docker", "push"], decision = "prompt")
host_executable(name = "git", paths = ["/usr/bin/git"])
x = 3
"#;
    let lines = ["helm uninstall shop", "helm rollback shop 3", "helm list", "ls -l", "docker push shop/api:7"];
    let (found, err) = decisions(text, &lines);
    assert_eq!(found, ["block", "block", "allow", "allow", "ask"], "{err}");
    for named in ["rules:9: not carried over", "`host_executable` has no counterpart", "only calls are understood"] {
        assert!(err.contains(named), "{named} is missing in {err}");
    }
}

#[test]
fn hoop_guardrails() {
    let text = r#"[{"name": "no-ddl", "description": "Structure is changed by migrations.", "connection_ids": ["c1"],
  "input": {"rules": [
    {"type": "deny_words_list", "words": ["DROP TABLE"], "pattern_regex": ""},
    {"type": "pattern_match", "words": [], "pattern_regex": "(?i)delete\\s+from\\s+audit"},
    {"type": "pattern_match", "words": [], "pattern_regex": "(a|b){2}"}]},
  "output": {"rules": [{"type": "pattern_match", "words": [], "pattern_regex": "[0-9]{3}"}]}}]"#;
    let lines = [
        "psql -c 'DROP TABLE carts'",
        "psql -c 'drop  table carts'",
        "psql -c 'DELETE   FROM audit WHERE id = 1'",
        "psql -c 'SELECT 1 FROM carts'",
    ];
    let (found, err) = decisions(text, &lines);
    assert_eq!(found, ["block", "block", "block", "allow"], "{err}");
    assert!(err.contains("(a|b){2}") && err.contains("results are not judged"), "{err}");
}

#[test]
fn what_is_left_out_fails_a_strict_import_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    file("settings.json", "{\"permissions\": {\"deny\": [\"Bash(halt:*)\"], \"allow\": [\"Bash(ls)\"]}}");
    file("other.json", "{\"rules\": []}");
    file("there.cedar", "// mine\n");
    assert_eq!(run(folder.path(), &["import", "settings.json"]).0, Some(0));
    assert_eq!(run(folder.path(), &["import", "settings.json", "--strict"]).0, Some(1));
    let (code, _, err) = run(folder.path(), &["import", "settings.json", "-o", "there.cedar"]);
    assert!(code == Some(2) && err.contains("is there already"), "{err}");
    let (code, _, err) = run(folder.path(), &["import", "other.json"]);
    assert!(code == Some(2) && err.contains("--from"), "{err}");
}
