//! `test`, `review`, `accept`, `reject` as a user types them, in a folder of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::{files_below, root, stderr, stdout};

const RULES: &str = r#"
permit (principal, action, resource);

@id("git.force")
@decision("block")
@message("Nobody overwrites what others pushed.")
forbid (principal, action == Action::"rewrite", resource)
when { context.guard_off };

@id("sql.drop")
@decision("block")
@message("Tables stay.")
forbid (principal, action == Action::"drop", resource is Table)
when { resource in Environment::"production" };
"#;

const LOG: &str = r#"
{"kind":"shell","text":"git push --force origin main","session":"a","time":"2026-11-21T02:00:00Z","actor":{"name":"robin","kind":"agent"}}
{"kind":"shell","text":"git status","session":"a","time":"2026-11-21T02:00:05Z","actor":{"name":"robin","kind":"agent"}}
{"kind":"sql","text":"DROP TABLE orders","session":"b","environment":"production","actor":{"name":"dana","kind":"human"}}
{"kind":"shell","text":"git status","session":"a","time":"2026-11-21T02:00:09Z","actor":{"name":"robin","kind":"agent"}}
"#;

const CASES: &str = r#"
[[case]]
name = "orders stay"
expect = "block"
rule = "sql.drop"
action = { kind = "sql", text = "DROP TABLE orders", environment = "production" }
[[case.twin]]
differs = "it is a test"
expect = "allow"
action = { kind = "sql", text = "DROP TABLE orders", environment = "test" }
"#;

const CONFIG: &str =
    "[policy]\nextends = []\npaths = [\"policy\"]\n[test]\ncases = [\"cases\"]\ncorpora = [\"logs/*.jsonl\"]\n";

/// A user's folder.
struct Project(TempDir);

impl Project {
    fn new() -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        project.write("nearmiss.toml", CONFIG);
        project.write("policy/own.cedar", RULES);
        project.write("cases/own.toml", CASES);
        project.write("logs/day.jsonl", LOG.trim_start());
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name} has no {from}");
        self.write(name, &text.replace(from, to));
    }

    /// Runs the program here, outside CI, and returns what it said on both channels.
    #[track_caller]
    fn run(&self, arguments: &[&str], code: i32) -> String {
        self.run_with(arguments, &[], code)
    }

    #[track_caller]
    fn run_in_ci(&self, arguments: &[&str], code: i32) -> String {
        self.run_with(arguments, &[("CI", "1")], code)
    }

    #[track_caller]
    fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)], code: i32) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_nearmiss"))
            .args(arguments)
            .current_dir(self.0.path())
            .env_remove("CI")
            .env_remove("TF_BUILD")
            .env("NO_COLOR", "1")
            .envs(variables.iter().copied())
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        let said = format!("{}{}", stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(code), "nearmiss {arguments:?}\n{said}");
        said
    }

    /// Names of files below `.nearmiss`.
    fn kept(&self) -> Vec<String> {
        let folder = self.path(".nearmiss");
        if !folder.exists() {
            return Vec::new();
        }
        let name = |path: PathBuf| path.strip_prefix(&folder).unwrap().to_string_lossy().replace('\\', "/");
        files_below(&folder).into_iter().map(name).collect()
    }
}

const SNAP: &str = ".nearmiss/snapshots/logs__day.jsonl.snap";
const PENDING: &str = ".nearmiss/snapshots/logs__day.jsonl.snap.new";

#[track_caller]
fn has(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "{word} is missing in\n{said}");
    }
}

#[test]
fn from_the_first_run_to_a_changed_policy() {
    let project = Project::new();
    has(
        &project.run(&["test"], 5),
        &["2 of 2 as expected", "0 of 1 as accepted", "1 snapshot is pending", "nearmiss review"],
    );
    assert_eq!(project.kept(), ["snapshots/logs__day.jsonl.snap.new"]);
    // Without a terminal it says what to type.
    let said = project.run(&["review"], 5);
    has(
        &said,
        &[
            "+   block      git push --force origin main",
            "nearmiss accept logs__day.jsonl",
            "nearmiss reject logs__day.jsonl",
        ],
    );
    project.run(&["accept", "logs__day.jsonl"], 0);
    assert_eq!(project.kept(), ["snapshots/logs__day.jsonl.snap"]);
    has(&project.run(&["test"], 0), &["1 of 1 as accepted", "all as accepted"]);

    project.edit("policy/own.cedar", "context.guard_off", "context.guard_off && !(context.text like \"*main*\")");
    let said = project.run(&["test"], 5);
    has(
        &said,
        &[
            "changed logs/day.jsonl",
            "-   block      git push --force origin main",
            "-              - git.force: rewrite Branch main",
        ],
    );
    has(&said, &["- 4 actions in 2 sessions: 2 block, 2 allow", "+ 4 actions in 2 sessions: 1 block, 3 allow"]);
    has(&said, &["+      1  git push --force"]);
    assert!(project.path(PENDING).exists());
    has(&project.run(&["review", "logs/day.jsonl"], 5), &["changed", "-   block      git push --force origin main"]);

    has(&project.run(&["reject", "logs/day.jsonl"], 0), &["deleted"]);
    assert_eq!(project.kept(), ["snapshots/logs__day.jsonl.snap"]);
    // What was accepted stays what it is, and the next run asks again.
    project.run(&["test"], 5);
    project.run(&["accept", "--all"], 0);
    project.run(&["test"], 0);
}

#[test]
fn what_is_as_accepted_again_waits_no_longer() {
    let project = Project::new();
    project.run(&["test"], 5);
    project.run(&["accept", "--all"], 0);
    let rules = fs::read_to_string(project.path("policy/own.cedar")).unwrap();
    project.edit("policy/own.cedar", "\"production\"", "\"staging\"");
    project.run(&["test"], 1);
    assert!(project.path(PENDING).exists());
    project.write("policy/own.cedar", &rules);
    project.run(&["test"], 0);
    assert!(!project.path(PENDING).exists());
}

#[test]
fn the_file_is_what_a_reviewer_reads() {
    let project = Project::new();
    project.run(&["test"], 5);
    project.run(&["accept", SNAP], 0);
    insta::assert_snapshot!(fs::read_to_string(project.path(SNAP)).unwrap(), @r"
    ---
    source: logs/day.jsonl
    expression: nearmiss test logs/day.jsonl
    ---
    4 actions in 2 sessions: 2 block, 2 allow

    session a, agent robin
      block      git push --force origin main
                 - git.force: rewrite Branch main

    session b, human dana
      block      in production: DROP TABLE orders
                 - sql.drop: drop Table orders

    allowed
         2  git status
    ");
}

#[test]
fn insta_reads_and_writes_the_same_file() {
    let project = Project::new();
    project.write("logs/a b: 'c'.jsonl", LOG.trim_start());
    project.run(&["test"], 5);
    project.run(&["accept", "--all"], 0);
    let files = files_below(&project.path(".nearmiss/snapshots"));
    assert_eq!(files.len(), 2);
    for file in files {
        let ours = fs::read_to_string(&file).unwrap();
        let read = insta::Snapshot::from_file(&file).unwrap();
        assert!(read.metadata().source().unwrap().starts_with("logs/"));
        assert!(read.metadata().expression().unwrap().starts_with("nearmiss test logs/"));
        assert!(ours.ends_with(&format!("---\n{}\n", read.as_text().unwrap())), "{ours}");
        // What `cargo insta accept` does.
        let copy = project.path("copy.snap");
        read.save(&copy).unwrap();
        assert_eq!(fs::read_to_string(copy).unwrap(), ours);
    }
    // And as insta's own assertion sees it.
    let contents = insta::Snapshot::from_file(&project.path(SNAP)).unwrap().as_text().unwrap().to_string();
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(project.path(".nearmiss/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!("logs__day.jsonl", contents));
    // What insta has accepted is accepted.
    project.run(&["test"], 0);
}

#[test]
fn nothing_is_written_where_ci_is_set() {
    let project = Project::new();
    for arguments in [&["test"][..], &["test", "--check"]] {
        let said = if arguments.len() > 1 { project.run(arguments, 1) } else { project.run_in_ci(arguments, 1) };
        has(&said, &["+   block      git push --force origin main", "not as accepted", "at home: nearmiss test"]);
        assert!(project.kept().is_empty(), "{:?}", project.kept());
    }
    project.run(&["test"], 5);
    for arguments in [&["accept", "--all"][..], &["reject", "--all"], &["test", "--unreferenced", "delete"]] {
        has(&project.run_in_ci(arguments, 2), &["where `CI` is set"]);
    }
    project.run(&["accept", "--all"], 0);
    project.run_in_ci(&["test"], 0);
    project.edit("policy/own.cedar", "context.guard_off", "context.guard_off && context.dry_run");
    has(&project.run_in_ci(&["test"], 1), &["-   block      git push --force origin main"]);
    assert_eq!(project.kept(), ["snapshots/logs__day.jsonl.snap"]);
    // A pending one that somebody committed is no accepted one.
    project.run(&["test"], 5);
    project.run_in_ci(&["test"], 1);
}

#[test]
fn wrong_cases_fail_whatever_the_snapshots_say() {
    let project = Project::new();
    project.edit("policy/own.cedar", "\"production\"", "\"staging\"");
    let said = project.run(&["test"], 1);
    has(
        &said,
        &[
            "1 of 2 as expected",
            "orders stay: expected block, got allow  cases/own.toml:3",
            "1 case is wrong, 1 snapshot is pending",
        ],
    );
    let junit = project.run(&["test", "--format", "junit", "cases"], 1);
    has(
        &junit,
        &[
            "<testsuite name=\"cases/own.toml\" tests=\"2\" failures=\"1\">",
            "message=\"expected block, got allow\">DROP TABLE orders<",
        ],
    );
    let json: serde_json::Value = serde_json::from_str(&project.run(&["test", "--format", "json"], 1)).unwrap();
    assert_eq!((&json["summary"]["cases_wrong"], &json["summary"]["snapshots_open"]), (&1.into(), &1.into()));
    assert_eq!(json["failures"][0]["kind"], "wrong");
}

#[test]
fn nothing_passes_because_nothing_was_looked_at() {
    let project = Project::new();
    project.write("nearmiss.toml", "");
    has(&project.run(&["test"], 4), &["nothing was tested", "[test] cases"]);
    project.write("logs/day.jsonl", "");
    project.write("nearmiss.toml", CONFIG);
    has(&project.run(&["test"], 4), &["1 corpus has no action"]);
    project.write("logs/day.jsonl", "{\"kind\":\"shell\"\nnot a record\n");
    has(&project.run(&["test"], 3), &["unread logs/day.jsonl"]);
    fs::remove_file(project.path("logs/day.jsonl")).unwrap();
    has(&project.run(&["test"], 3), &["no file matches the pattern"]);
    has(&project.run(&["test", "logs/other.jsonl"], 3), &["no such file"]);
    has(&project.run(&["test", "cases/none.toml"], 2), &["failed to read cases/none.toml"]);
    has(&project.run(&["test", "-"], 2), &["standard input"]);
    assert!(project.kept().is_empty());
    project.write("policy/own.cedar", "forbid (principal, action == Action::\"drpo\", resource);");
    has(&project.run(&["test"], 2), &["drpo"]);
}

#[test]
fn snapshots_of_no_corpus_are_named() {
    let project = Project::new();
    project.write("logs/old.jsonl", LOG.trim_start());
    project.run(&["test"], 5);
    project.run(&["accept", "--all"], 0);
    fs::remove_file(project.path("logs/old.jsonl")).unwrap();
    // Insta's own snapshots in the same folder are none of ours.
    project.write(".nearmiss/snapshots/other.snap", "---\nsource: src/x.rs\nexpression: y\n---\none\n");
    has(&project.run(&["test"], 0), &["UNREFERENCED  1 snapshot", "logs__old.jsonl.snap"]);
    assert!(!project.run(&["test", "--unreferenced", "ignore"], 0).contains("UNREFERENCED"));
    has(&project.run(&["test", "--unreferenced", "reject"], 1), &["1 snapshot belongs to no corpus"]);
    // A part says nothing about the rest.
    assert!(!project.run(&["test", "logs/day.jsonl"], 0).contains("UNREFERENCED"));
    has(&project.run(&["test", "--unreferenced", "delete"], 0), &["deleted"]);
    assert_eq!(project.kept(), ["snapshots/logs__day.jsonl.snap", "snapshots/other.snap"]);
}

#[test]
fn secrets_stay_out_of_snapshots() {
    let project = Project::new();
    let token = format!("ghp_{}", "a1B2c3D4e5".repeat(4));
    let password = "kestrel-Orbit-77";
    let lines = [
        format!("git push --force https://{token}@github.com/o/r main"),
        format!("PGPASSWORD={password} psql -h db -c 'DROP TABLE orders'"),
        format!("curl -u ana:{password} https://example.com/{password}"),
        format!("frobnicate-{password} --password={password}"),
    ];
    let records: Vec<String> = lines
        .iter()
        .map(|text| serde_json::json!({"kind": "shell", "text": text, "session": "a"}).to_string())
        .collect();
    project.write("logs/day.jsonl", &(records.join("\n") + "\n"));
    project.run(&["test"], 5);
    let text = fs::read_to_string(project.path(PENDING)).unwrap();
    assert!(text.contains("4 actions") && text.contains("git push --force"), "{text}");
    for secret in [token.as_str(), password] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn a_snapshot_depends_on_nothing_but_corpus_and_policy() {
    let one = Project::new();
    let other = Project::new();
    one.run(&["test"], 5);
    // From below, by another path, in another zone, with other files beside it.
    other.write("logs/zzz.jsonl", LOG.trim_start());
    let whole = other.path("logs/../logs/day.jsonl");
    other.run_with(&["test", whole.to_str().unwrap()], &[("TZ", "Asia/Tokyo"), ("RAYON_NUM_THREADS", "1")], 5);
    let text = |project: &Project| fs::read_to_string(project.path(PENDING)).unwrap();
    assert_eq!(text(&one), text(&other));
    for word in [one.0.path().to_str().unwrap(), "2026", "02:00"] {
        assert!(!text(&one).contains(word), "{}", text(&one));
    }
}

#[test]
fn a_folder_is_one_corpus_and_a_pattern_many() {
    let project = Project::new();
    project.write("logs/night.jsonl", LOG.trim_start());
    project.edit("nearmiss.toml", "logs/*.jsonl", "logs");
    project.run(&["test"], 5);
    assert_eq!(project.kept(), ["snapshots/logs.snap.new"]);
    project.run(&["test", "logs/*.jsonl"], 5);
    assert_eq!(project.kept().len(), 3);
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("logs"), LOG).unwrap();
    let outside = elsewhere.path().join("logs");
    has(&project.run(&["test", "logs", outside.to_str().unwrap()], 2), &["would share the snapshot `logs`"]);
}

#[test]
fn a_broken_snapshot_is_no_accepted_one() {
    let project = Project::new();
    project.run(&["test"], 5);
    project.run(&["accept", "--all"], 0);
    project.edit(SNAP, "---\nsource", "source");
    has(&project.run(&["test"], 2), &["logs__day.jsonl.snap is no snapshot"]);
}

#[test]
fn words_that_name_nothing_are_refused() {
    let project = Project::new();
    has(&project.run(&["review"], 0), &["no snapshot is pending"]);
    project.run(&["test"], 5);
    has(&project.run(&["accept"], 2), &["pending: logs__day.jsonl"]);
    has(&project.run(&["reject"], 2), &["pending: logs__day.jsonl"]);
    has(&project.run(&["accept", "logs__day"], 2), &["`logs__day` is no pending snapshot", "pending: logs__day.jsonl"]);
    has(&project.run(&["reject", "x"], 2), &["no pending snapshot is called `x`"]);
    // An id needs a reason, and nothing is accepted before everything is known.
    has(&project.run(&["accept", "logs__day.jsonl", "1c0f9e0b"], 2), &["--reason"]);
    assert!(Path::new(&project.path(PENDING)).exists());
}

#[test]
fn all_that_is_not_plainly_allowed_stands_there_with_its_reasons() {
    let project = Project::new();
    project.edit(
        "policy/own.cedar",
        "@id(\"sql.drop\")",
        r#"@id("own.reads")
@decision("ask")
@mode("shadow")
@message("Only watched.")
forbid (principal is Agent, action == Action::"read", resource)
when { context.text like "*secret*" };

@id("sql.drop")"#,
    );
    let script: String = (0..40).map(|line| format!("echo line {line}\n")).collect();
    let record = |text: &str| serde_json::json!({"kind": "shell", "text": text, "session": "a", "actor": {"name": "robin", "kind": "agent"}});
    let lines = [
        record("cat secret.txt"),
        record("frobnicate \u{1b}[2J now"),
        record("git push --force origin main"),
        record("git push --force origin main"),
        record("cat <<E\ntwo\nE\ngit push --force origin release"),
        record(&format!("{script}git push --force origin main\n{script}")),
        record(&format!("git push --force origin {}", "x".repeat(2000))),
        serde_json::json!({"kind": "sql", "text": "DROP TABLE a, b, c, d, e, f, g", "session": "b", "environment": "production"}),
        serde_json::json!({"kind": "tool", "tool": "Frobnicate", "arguments": {"x": 1}, "session": "b"}),
    ];
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    project.write("logs/day.jsonl", &(lines.join("\n") + "\n"));
    project.run(&["test"], 5);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("snapshots/test"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let text = fs::read_to_string(project.path(PENDING)).unwrap();
    settings.bind(|| insta::assert_snapshot!("outcome", text));
}

#[test]
fn what_could_not_be_read_is_counted() {
    let project = Project::new();
    let log = LOG.trim_start().repeat(20);
    project.write("logs/day.jsonl", &format!("{log}{{\"kind\":\n"));
    project.run(&["test"], 5);
    let text = fs::read_to_string(project.path(PENDING)).unwrap();
    has(&text, &["80 actions in 2 sessions: 40 block, 40 allow; 1 record could not be read", "(20 times)"]);
    project.run(&["accept", "--all"], 0);
    project.write("logs/day.jsonl", &log);
    has(&project.run(&["test"], 5), &["; 1 record could not be read"]);
}

#[test]
fn the_formats_for_programs_say_the_same() {
    let project = Project::new();
    project.write("logs/night.jsonl", LOG.trim_start());
    project.run(&["test"], 5);
    project.run(&["accept", "logs/day.jsonl"], 0);
    let pending = project.run(&["test", "--format", "junit"], 5);
    has(
        &pending,
        &[
            "tests=\"4\" failures=\"0\"",
            "<skipped message=\"pending: new .nearmiss/snapshots/logs__night.jsonl.snap\"/>",
        ],
    );
    let failed = project.run_in_ci(&["test", "--format", "junit"], 1);
    has(
        &failed,
        &["tests=\"4\" failures=\"1\"", "<failure type=\"new\"", "+   block      git push --force origin main\n"],
    );
    let json: serde_json::Value = serde_json::from_str(&project.run_in_ci(&["test", "--format", "json"], 1)).unwrap();
    let states: Vec<_> =
        json["snapshots"].as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["same", "new"]);
    assert_eq!((&json["summary"]["passed"], &json["failures"][0]["kind"]), (&false.into(), &"wrong".into()));
    project.run(&["accept", "--all"], 0);
    let json: serde_json::Value = serde_json::from_str(&project.run(&["test", "--format", "json"], 0)).unwrap();
    assert_eq!(json["summary"]["passed"], true);
    has(&project.run(&["test", "--format", "yaml"], 2), &["text, json, junit"]);
    // How it was made is in its head, and no part of what is compared.
    project.run(&["test", "logs/day.jsonl", "--from", "actions", "--policy", "policy"], 0);
    project.write("logs/day.txt", "git status\n");
    project.run(&["test", "logs/day.txt", "--from", "lines"], 5);
    has(&project.run(&["review"], 5), &["logs/day.txt"]);
    let head = fs::read_to_string(project.path(".nearmiss/snapshots/logs__day.txt.snap.new")).unwrap();
    has(&head, &["expression: nearmiss test logs/day.txt --from lines\n"]);
    project.run(&["reject", "--all"], 0);
    // A report in a file says the same, without colours.
    project.run(&["test", "-o", "report.txt"], 0);
    has(&fs::read_to_string(project.path("report.txt")).unwrap(), &["2 of 2 as accepted"]);
}

#[test]
fn snapshots_and_loosenings_are_accepted_by_one_command() {
    let project = Project::new();
    let git = |arguments: &[&str]| {
        let done = Command::new("git")
            .args(["-c", "user.name=n", "-c", "user.email=n@example.com"])
            .args(arguments)
            .current_dir(project.0.path())
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "base"]);
    project.edit("policy/own.cedar", "context.guard_off", "context.guard_off && context.dry_run");
    project.run(&["test"], 5);
    let report = project.run(&["gate", "--base", "HEAD", "logs"], 1);
    let id = report.split_once("nearmiss accept ").unwrap().1.split(' ').next().unwrap();
    assert_eq!(id.len(), 12, "{report}");
    let accept = |words: &[&str], code| {
        let mut all = vec!["accept"];
        all.extend(words);
        all.extend(["--base", "HEAD", "--traces", "logs"]);
        project.run(&all, code)
    };
    // One word that means nothing, and nothing is accepted.
    has(&accept(&["logs/day.jsonl", "ffffffffffff", "--reason", "x"], 2), &["no pending snapshot and no loosening"]);
    assert_eq!(project.kept(), ["snapshots/logs__day.jsonl.snap.new"]);
    accept(&["logs/day.jsonl", &id[..7], "--reason", "dry runs only"], 0);
    assert_eq!(project.kept(), [format!("accepted/{id}.toml"), "snapshots/logs__day.jsonl.snap".to_owned()]);
    project.run(&["gate", "--base", "HEAD", "logs"], 0);
    project.run(&["test"], 0);
}
