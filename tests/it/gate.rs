//! A policy change in a real git repository: what the gate says to it, and every way in which it could pass unnoticed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{stderr, stdout};

const CONFIG: &str = r#"
[policy]
extends = []
paths = ["policy"]

[test]
cases = ["cases"]

[gate]
base = "main"
traces = ["traces"]
"#;

const POLICY: &str = r#"permit (principal, action, resource);

@id("files.recursive")
@decision("block")
@message("A folder goes with all that is in it.")
forbid (principal, action in [Action::"delete", Action::"drop"], resource is Folder);

@id("sql.drop-table")
@decision("block")
@message("A table of production goes.")
forbid (principal, action == Action::"drop", resource is Table)
when { resource in Environment::"production" };

@id("git.rewrite")
@decision("block")
@message("What others pushed is overwritten.")
forbid (principal, action == Action::"rewrite", resource is Branch);
"#;

const CASES: &str = r#"
[[case]]
name = "a table of production stays"
expect = "block"
rule = "sql.drop-table"
action = { kind = "sql", text = "DROP TABLE invoices", environment = "production" }
[[case.twin]]
differs = "it is a test"
expect = "allow"
action = { kind = "sql", text = "DROP TABLE invoices", environment = "test" }
"#;

const TRACES: &str = r#"{"kind":"shell","text":"git push --force origin feature/a","session":"s1","actor":{"name":"claude","kind":"agent"}}
{"kind":"shell","text":"git push --force origin feature/b","session":"s2","actor":{"name":"dana","kind":"human"}}
{"kind":"shell","text":"rm -rf /srv/cache","session":"s2","cwd":"/srv","actor":{"name":"dana","kind":"human"}}
{"kind":"sql","text":"DROP TABLE orders","session":"s3","environment":"staging","actor":{"name":"ci","kind":"service"}}
{"kind":"sql","text":"DROP TABLE orders","session":"s3","environment":"production","actor":{"name":"ci","kind":"service"}}
{"kind":"shell","text":"git status","session":"s1","cwd":"/srv"}
"#;

/// A repository with a policy on `main`, and a branch `pr` to change it on.
pub(crate) struct Repository {
    pub(crate) folder: tempfile::TempDir,
}

impl Repository {
    pub(crate) fn new() -> Self {
        let repository = Self { folder: tempfile::tempdir().unwrap() };
        repository.git(&["init", "-q", "-b", "main", "."]);
        repository.write("nearmiss.toml", CONFIG);
        repository.write("policy/own.cedar", POLICY);
        repository.write("cases/own.toml", CASES);
        repository.write("traces/week.jsonl", TRACES);
        repository.commit("policy");
        repository.git(&["checkout", "-q", "-b", "pr"]);
        repository
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name} has no `{from}`");
        self.write(name, &text.replacen(from, to, 1));
    }

    pub(crate) fn git(&self, arguments: &[&str]) {
        let output = command("git", self.folder.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", stderr(&output));
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        command(env!("CARGO_BIN_EXE_nearmiss"), self.folder.path()).args(arguments).output().unwrap()
    }

    /// Runs the program, which has to end with `code`, and returns what it printed.
    #[track_caller]
    pub(crate) fn says(&self, arguments: &[&str], code: i32) -> String {
        let output = self.run(arguments);
        let said = format!("{}{}", stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(code), "nearmiss {arguments:?}\n{said}");
        said
    }

    /// The ids of the changes that the gate asks about.
    fn asked(&self) -> Vec<String> {
        let said = stdout(&self.run(&["gate", "--today", "2026-11-22"]));
        let failures = said.split("gate failed").nth(1).unwrap_or_default();
        let ids = failures.lines().filter_map(|line| line.trim().strip_prefix("loosened: "));
        ids.filter_map(|rest| rest.split(' ').next()).map(str::to_owned).collect()
    }
}

pub(crate) fn command(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .env_remove("CI")
        .env_remove("TF_BUILD")
        .env("NO_COLOR", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "dana").env(format!("GIT_{who}_EMAIL"), "dana@lantern.example");
        command.env(format!("GIT_{who}_DATE"), "2026-11-20T10:00:00Z");
    }
    command
}

const LOOSER: (&str, &str) = (
    "action == Action::\"rewrite\", resource is Branch);",
    "action == Action::\"rewrite\", resource is Branch)\nunless { principal is Human };",
);
const TIGHTER: (&str, &str) = (
    "when { resource in Environment::\"production\" };",
    "when { resource in [Environment::\"production\", Environment::\"staging\"] };",
);

#[test]
fn a_policy_change_from_the_first_push_to_the_merge() {
    let repository = Repository::new();
    repository.says(&["gate"], 0);
    repository.edit("policy/own.cedar", LOOSER.0, LOOSER.1);
    repository.edit("policy/own.cedar", TIGHTER.0, TIGHTER.1);
    repository.commit("pr: people may force");

    let said = repository.says(&["gate"], 1);
    for words in [
        "LOOSENED",
        "git push --force",
        "block -> allow",
        "condition `!(principal is Human)` added",
        "policy/own.cedar:18",
        "traces/week.jsonl:2",
        "TIGHTENED",
        "DROP TABLE",
        "policy/own.cedar:12",
        "traces/week.jsonl:4",
        "nobody accepted it",
    ] {
        assert!(said.contains(words), "`{words}` is missing in\n{said}");
    }

    let [id] = &repository.asked()[..] else { panic!("one loosening: {:?}", repository.asked()) };
    repository.says(&["accept", id, "--reason", "people see what they overwrite", "--by", "dana"], 0);
    let file = std::fs::read_to_string(repository.path(&format!(".nearmiss/accepted/{id}.toml"))).unwrap();
    assert!(file.contains("people see what they overwrite") && file.contains("block -> allow"), "{file}");
    repository.commit("pr: accepted");
    repository.says(&["gate"], 0);

    // Somebody else's change goes in first: lines move, the acceptance stays.
    repository.git(&["checkout", "-q", "main"]);
    let other = "@id(\"git.read\")\n@message(\"m\")\n@decision(\"ask\")\nforbid (principal, action == Action::\"stop\", resource);\n\n@id(\"git.rewrite\")";
    repository.edit("policy/own.cedar", "@id(\"git.rewrite\")", other);
    repository.commit("main: another rule");
    repository.git(&["checkout", "-q", "pr"]);
    repository.git(&["rebase", "-q", "main"]);
    repository.says(&["gate"], 0);

    // A second loosening asks for itself alone.
    repository.edit("policy/own.cedar", "resource is Folder);", "resource is Folder)\nunless { principal is Human };");
    let asked = repository.asked();
    assert!(asked.len() == 1 && asked[0] != *id, "{asked:?}");
    repository.says(&["accept", &asked[0], "--reason", "for a month", "--until", "2026-12-22"], 0);
    repository.says(&["gate", "--today", "2026-12-22"], 0);
    let said = repository.says(&["gate", "--today", "2026-12-23"], 1);
    assert!(said.contains("expired") && said.contains("2026-12-22"), "{said}");
}

#[test]
fn a_further_change_needs_a_further_yes() {
    let repository = Repository::new();
    repository.edit("policy/own.cedar", LOOSER.0, LOOSER.1);
    let first = repository.asked();
    repository.says(&["accept", &first[0], "--reason", "fine"], 0);
    repository.says(&["gate"], 0);
    repository.edit("policy/own.cedar", "principal is Human }", "principal is Human || principal is Agent }");
    let said = repository.says(&["gate"], 1);
    assert!(said.contains("nobody accepted it"), "{said}");
    assert!(!repository.asked().contains(&first[0]));
}

#[test]
fn an_acceptance_that_tells_its_readers_something_else_counts_for_nothing() {
    let repository = Repository::new();
    repository.edit("policy/own.cedar", LOOSER.0, LOOSER.1);
    let asked = repository.asked();
    repository.says(&["accept", &asked[0], "--reason", "fine"], 0);
    repository.says(&["gate"], 0);
    repository.edit(&format!(".nearmiss/accepted/{}.toml", asked[0]), "git push", "git status");
    let said = repository.says(&["gate"], 1);
    assert!(said.contains("speaks of another change"), "{said}");
}

#[test]
fn nothing_to_look_at_is_no_pass() {
    let repository = Repository::new();
    repository.write("traces/week.jsonl", "");
    repository.says(&["gate"], 4);
    repository.write("empty.jsonl", "");
    repository.says(&["gate", "empty.jsonl"], 4);
    repository.edit("nearmiss.toml", "traces = [\"traces\"]", "traces = []");
    let said = repository.says(&["gate"], 2);
    assert!(said.contains("--cases-only"), "{said}");
    repository.says(&["gate", "--cases-only"], 0);
    std::fs::remove_file(repository.path("cases/own.toml")).unwrap();
    repository.commit("no cases, no traces");
    repository.git(&["branch", "-f", "main"]);
    repository.says(&["gate", "--cases-only"], 4);
}

#[test]
fn a_trace_that_cannot_be_read_is_no_pass() {
    let repository = Repository::new();
    repository.says(&["gate", "traces", "missing.jsonl"], 3);
    repository.write("traces/other.jsonl", "{\"kind\":\"shell\",\"text\":\"ls\"\n");
    repository.says(&["gate"], 3);
}

#[test]
fn a_policy_that_does_not_load_is_no_pass() {
    let repository = Repository::new();
    repository.edit("policy/own.cedar", "forbid", "forbidden");
    repository.says(&["gate"], 2);
    repository.commit("broken");
    repository.git(&["branch", "-f", "main"]);
    repository.write("policy/own.cedar", POLICY);
    let said = repository.says(&["gate"], 2);
    assert!(said.contains("which is compared with"), "{said}");
    repository.says(&["gate", "--base", "nowhere"], 2);
}

#[test]
fn a_policy_that_cannot_be_evaluated_is_no_pass() {
    let repository = Repository::new();
    let overflowing = "\n@id(\"sql.many\")\n@message(\"m\")\n@decision(\"ask\")\n\
        forbid (principal, action == Action::\"delete\", resource)\n\
        when { context has count && context.count * 9223372036854775807 > 5 };\n";
    repository.write("policy/own.cedar", &format!("{POLICY}{overflowing}"));
    repository.write(
        "traces/many.jsonl",
        "{\"kind\":\"sql\",\"text\":\"DELETE FROM t WHERE a = 1\",\"outcome\":{\"rows\":20},\"session\":\"m\"}\n",
    );
    let said = repository.says(&["gate"], 1);
    assert!(said.contains("evaluation-errors") && said.contains("sql.many"), "{said}");
}

#[test]
fn a_wrong_case_is_no_pass() {
    let repository = Repository::new();
    repository.edit("cases/own.toml", "expect = \"allow\"", "expect = \"block\"");
    let said = repository.says(&["gate"], 1);
    assert!(said.contains("expected block, got allow") && said.contains("cases/own.toml:8"), "{said}");
}

#[test]
fn a_case_that_is_turned_round_with_the_rule_needs_a_yes() {
    let repository = Repository::new();
    // No trace shows it: only the case that the same change takes out.
    repository.write("traces/week.jsonl", "{\"kind\":\"shell\",\"text\":\"git status\"}\n");
    repository.edit(
        "policy/own.cedar",
        "resource in Environment::\"production\"",
        "resource in Environment::\"staging\"",
    );
    repository.write("cases/own.toml", "");
    let said = repository.says(&["gate"], 1);
    assert!(said.contains("DROP TABLE") && said.contains("nobody accepted it"), "{said}");
}

#[test]
fn a_case_that_moves_to_another_place_with_the_rule_needs_a_yes() {
    let repository = Repository::new();
    repository.write("traces/week.jsonl", "{\"kind\":\"shell\",\"text\":\"git status\"}\n");
    repository.edit(
        "policy/own.cedar",
        "resource in Environment::\"production\"",
        "resource in Environment::\"staging\"",
    );
    // Name, words and expectation stay; only where it happens is another.
    repository.edit("cases/own.toml", "environment = \"production\"", "environment = \"staging\"");
    let said = repository.says(&["gate"], 1);
    assert!(said.contains("DROP TABLE") && said.contains("nobody accepted it"), "{said}");
}

#[test]
fn a_change_does_not_move_its_own_limits() {
    let repository = Repository::new();
    repository.edit("nearmiss.toml", "[gate]", "[gate]\nmax-new-blocks = 0");
    repository.commit("strict");
    repository.git(&["branch", "-f", "main"]);
    repository.edit("nearmiss.toml", "max-new-blocks = 0", "max-new-blocks = 1000");
    repository.edit("policy/own.cedar", TIGHTER.0, TIGHTER.1);
    let said = repository.says(&["gate"], 1);
    assert!(said.contains("max-new-blocks"), "{said}");
}

#[test]
fn names_that_come_to_mean_something_else_are_a_change_too() {
    let repository = Repository::new();
    let mapping = "\n[[environment]]\nis = \"production\"\nhost = [\"db-*\"]\n";
    repository.write("nearmiss.toml", &format!("{CONFIG}{mapping}"));
    repository.write(
        "traces/host.jsonl",
        "{\"kind\":\"sql\",\"text\":\"DROP TABLE payroll\",\"host\":\"db-1\",\"session\":\"h\"}\n",
    );
    repository.commit("mapping");
    repository.git(&["branch", "-f", "main"]);
    repository.edit("nearmiss.toml", "is = \"production\"", "is = \"development\"");
    let said = repository.says(&["gate"], 1);
    assert!(said.contains("DROP TABLE") && said.contains("block -> allow"), "{said}");
    let asked = repository.asked();
    repository.says(&["accept", &asked[0], "--reason", "it is a test host now"], 0);
    repository.says(&["gate"], 0);
}

#[test]
fn locked_refuses_other_traces() {
    let repository = Repository::new();
    let said = repository.says(&["gate", "--locked"], 2);
    assert!(said.contains("nearmiss lock"), "{said}");
    repository.says(&["lock"], 0);
    repository.says(&["gate", "--locked"], 0);
    repository.write("traces/more.jsonl", TRACES);
    let said = repository.says(&["gate", "--locked"], 3);
    assert!(said.contains("traces/more.jsonl is not pinned"), "{said}");
    std::fs::remove_file(repository.path("traces/more.jsonl")).unwrap();
    repository.edit("traces/week.jsonl", "orders", "errors");
    let said = repository.says(&["gate", "--locked"], 3);
    assert!(said.contains("traces/week.jsonl is not what is pinned"), "{said}");
    repository.says(&["lock", "--check"], 3);
}

#[test]
fn nothing_is_written_where_ci_is_set() {
    let repository = Repository::new();
    repository.edit("policy/own.cedar", LOOSER.0, LOOSER.1);
    let id = repository.asked().remove(0);
    for arguments in [&["accept", &id, "--reason", "fine"][..], &["lock"]] {
        let output = command(env!("CARGO_BIN_EXE_nearmiss"), repository.folder.path())
            .env("CI", "true")
            .args(arguments)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    }
    assert!(!repository.path(".nearmiss").exists() && !repository.path("traces.lock").exists());
}

#[test]
fn the_gate_works_from_a_folder_below() {
    let repository = Repository::new();
    repository.edit("policy/own.cedar", LOOSER.0, LOOSER.1);
    let output = command(env!("CARGO_BIN_EXE_nearmiss"), &repository.path("traces")).arg("gate").output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}{}", stdout(&output), stderr(&output));
    assert!(!stdout(&output).contains(&*repository.folder.path().to_string_lossy()), "{}", stdout(&output));
}
