//! The program as a user runs it: words, exit codes, what goes where.

use crate::support::{nearmiss, root, shared, stderr, stdout};

#[track_caller]
fn check(arguments: &[&str], code: i32) -> (String, String) {
    let output = nearmiss(arguments);
    let (out, err) = (stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(code), "nearmiss {arguments:?}\n{out}\n{err}");
    (out, err)
}

#[test]
fn the_readme_opens_with_two_commands_that_are_true() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let first = readme.split("```sh").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(first.contains("cargo run --quiet -- replay corpora/demo"), "{first}");
    assert!(first.contains("cargo test"), "{first}");
}

#[test]
fn the_demo_tells_its_story() {
    let (out, _) = check(&["replay", "corpora/demo"], 0);
    for words in ["WOULD BE BLOCKED", "WOULD HAVE TO ASK", "rm -rf ./tmp ~/", "DROP SCHEMA billing CASCADE", "| bash"] {
        assert!(out.contains(words), "{words} is missing in\n{out}");
    }
    // The harmless twins are left alone.
    for twin in ["ALTER SCHEMA billing RENAME", "--force-with-lease", "node_modules/.cache", "somebody ran"] {
        assert!(!out.contains(twin), "{twin} should pass:\n{out}");
    }
}

#[test]
fn what_two_logs_tell_of_is_shown_once() {
    let (out, _) = check(&["replay", "corpora/demo"], 0);
    assert_eq!(out.matches("DROP SCHEMA billing CASCADE").count(), 1, "{out}");
    assert!(out.contains("also told by postgres_csv  corpora/demo/postgres/"), "{out}");
    let (object, _) = check(&["replay", "corpora/demo", "--format", "json"], 0);
    let value: serde_json::Value = serde_json::from_str(&object).unwrap();
    assert_eq!(value["summary"]["further_records"], 1);
    let groups = value["groups"].as_array().unwrap();
    let agent = groups.iter().find(|group| group["example"]["text"].as_str().unwrap().starts_with("psql")).unwrap();
    assert_eq!(agent["example"]["evidence"][0]["format"], "postgres_csv");
    // Alone, the log tells of it itself.
    let (log, _) = check(&["replay", "corpora/demo/postgres"], 0);
    assert!(log.contains("    DROP SCHEMA billing CASCADE"), "{log}");
    assert!(!log.contains("also told by"), "{log}");
}

#[test]
fn a_path_alone_is_a_replay() {
    let (one, _) = check(&["corpora/demo", "--format", "jsonl"], 0);
    let (two, _) = check(&["replay", "corpora/demo", "--format", "jsonl"], 0);
    assert_eq!(one, two);
}

#[test]
fn lines_have_the_frozen_fields() {
    let (out, _) = check(&["replay", "corpora/demo", "--format", "jsonl"], 0);
    for line in out.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        for key in [
            "id",
            "time",
            "actor",
            "session",
            "kind",
            "text",
            "source",
            "decision",
            "rules",
            "severity",
            "effects",
            "gaps",
            "near",
            "schema_version",
        ] {
            assert!(value.get(key).is_some(), "{key} is missing in {line}");
        }
        assert_eq!(value["schema_version"], 1);
        assert!(value["actor"]["name"].is_string() && value["actor"]["kind"].is_string(), "{line}");
        assert!(value["source"]["file"].is_string() && value["source"]["line"].is_u64(), "{line}");
    }
}

#[test]
fn the_object_has_the_frozen_summary() {
    let (out, _) = check(&["replay", "corpora/demo", "--format", "json"], 0);
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    let summary = &value["summary"];
    for key in ["actions", "sessions", "unparsed", "undecided", "bytes", "elapsed_ms"] {
        assert!(summary[key].is_u64(), "{key} in {out}");
    }
    let sum: u64 =
        ["allow", "undecided", "ask", "block"].iter().map(|key| summary["decisions"][key].as_u64().unwrap()).sum();
    assert_eq!(sum, summary["actions"].as_u64().unwrap());
    assert!(summary["rules"].is_object() && summary["actors"].is_object());
}

#[test]
fn exit_codes() {
    check(&["replay", "corpora/demo", "--fail-on", "block"], 1);
    check(&["replay", "corpora/demo", "--fail-on", "block", "--actor", "nobody-of-that-name"], 4);
    check(&["replay", "corpora/demo", "--no-such-flag"], 2);
    check(&["replay", "corpora/demo", "--policy", "builtin:nonsense"], 2);
    check(&["replay", "no/such/path"], 3);
    let empty = tempfile::NamedTempFile::new().unwrap();
    check(&["replay", "--from", "lines", empty.path().to_str().unwrap()], 4);
    check(&["check"], 0);
    check(&["formats"], 0);
    check(&["--help"], 0);
}

/// The texts that are told of.
fn told(arguments: &[&str]) -> Vec<String> {
    let arguments = [&["replay", "corpora/demo", "--format", "jsonl"], arguments].concat();
    let (out, _) = check(&arguments, 0);
    let value = |line| serde_json::from_str::<serde_json::Value>(line).unwrap();
    out.lines().map(|line| value(line)["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_filter_says_which_actions_are_told_of() {
    let homes = told(&["-E", "effect(operation(drop) & area(home)) & decision(block)"]);
    assert!(!homes.is_empty() && homes.iter().all(|text| text.contains('~')), "{homes:?}");
    // The options are short forms, and all of them hold.
    let (short, long) = (&["--actor", "Claude", "--rule", "files."][..], &["-E", "actor(claude) & rule(files.)"][..]);
    assert_eq!(told(short), told(long));
    assert_eq!(told(&["--rule", "files.", "--filter", "actor(claude)"]), told(long));
    assert_eq!(told(&["-E", "rule(files.)", "-E", "actor(claude)"]), told(long));
    let time = &["--since", "2026-11-21T01:53Z", "--until", "2026-11-21T01:54Z"][..];
    assert_eq!(told(time), told(&["-E", "since(2026-11-21T01:53Z) & until(2026-11-21T01:54Z)"]));
    let all = told(&[]).len();
    assert_eq!(told(&["-E", "decision(>=ask)"]).len() + told(&["-E", "!decision(>=ask)"]).len(), all);
    let (out, _) = check(&["replay", "corpora/demo", "--session", "7F3A", "-E", "decision(block)"], 0);
    assert!(out.contains("told of: decision(block) & session(~7F3A)\n"), "{out}");
    check(&["replay", "corpora/demo", "-E", "none()"], 4);
    check(&["replay", "corpora/demo", "-E", "decision(block)", "--fail-on", "block"], 1);
    check(&["replay", "corpora/demo", "-E", "!decision(block)", "--fail-on", "block"], 0);
}

#[test]
fn a_wrong_filter_is_shown_with_the_place() {
    let (out, err) = check(&["replay", "corpora/demo", "-E", "decision(blok)"], 2);
    assert_eq!(out, "");
    let told = "`blok` is no value of `decision`\n  decision(blok)\n           ^^^^\n  did you mean `block`?\n";
    assert!(err.ends_with(told), "{err}");
    let (out, _) = check(&["filters"], 0);
    assert!(out.contains("\n  decision(>=ask) ") && out.contains(": allow, undecided, ask, block\n"), "{out}");
    let (help, _) = check(&["help", "filters"], 0);
    assert!(help.contains("decision(>=ask)"), "{help}");
}

#[test]
fn a_filter_asks_for_near_misses() {
    let near = told(&["-E", "near(<=1) | class(blind)"]);
    assert!(!near.is_empty() && near.len() < told(&["-E", "decision(allow)"]).len(), "{near:?}");
    check(&["replay", "corpora/demo", "-E", "decision(>=undecided)", "-E", "near(<=9)"], 4);
    let (all, _) = check(&["near", "corpora/demo", "--all"], 0);
    let (none, _) = check(&["near", "corpora/demo", "--all", "-E", "none()"], 0);
    assert!(all.lines().count() > none.lines().count() && none.contains("told of: none()\n"), "{all}\n{none}");
}

#[test]
fn a_filter_says_which_actions_are_compared() {
    let policies = ["diff", "builtin:strict", "builtin:recommended", "corpora/demo"];
    let (all, _) = check(&policies, 0);
    let (some, _) = check(&[&policies[..], &["-E", "kind(sql)"]].concat(), 0);
    assert!(some.contains("only of: kind(sql)\n") && some.len() < all.len(), "{some}");
    let (_, err) = check(&[&policies[..], &["-E", "kind(api)"]].concat(), 4);
    assert!(err.contains("no action matches the filter"), "{err}");
    let (loosened, _) = check(&[&policies[..], &["-E", "before(block) & decision(ask)"]].concat(), 0);
    let row = |first: &str| loosened.lines().find(|line| line.starts_with(first)).map(str::to_owned);
    // Only what was stopped harder is in the table.
    assert!(row("allow ").unwrap().split_whitespace().skip(1).all(|count| count == "·"), "{loosened}");
    assert!(row("LOOSENED").unwrap().contains("4 actions"), "{loosened}");
}

#[test]
fn explain_a_command_and_a_statement() {
    let (out, _) = check(&["explain", "--", "rm", "-rf", "/"], 0);
    assert!(out.starts_with("block") && out.contains("drop Folder /"), "{out}");
    let (out, _) = check(&["explain", "--sql", "DROP SCHEMA billing CASCADE", "--environment", "production"], 0);
    assert!(out.starts_with("block") && out.contains("drop Schema billing"), "{out}");
    let (out, _) = check(&["explain", "--", "ls"], 0);
    assert!(out.starts_with("allow"), "{out}");
}

#[test]
fn explain_a_recorded_action_by_the_start_of_its_id() {
    let (out, _) = check(&["replay", "corpora/demo", "--format", "jsonl"], 0);
    let line = out.lines().find(|line| line.contains("./tmp ~/")).unwrap();
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    let id = &value["id"].as_str().unwrap()[..10];
    let (out, _) = check(&["explain", id, "corpora/demo"], 0);
    assert!(out.contains("./tmp ~/"), "{out}");
}

#[test]
fn explain_asks_what_if() {
    let (out, _) = check(&["explain", "00b61328", "corpora/demo", "--environment", "production"], 0);
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with("as recorded  ask        psql -h db.lantern.internal"), "{out}");
    assert!(lines[1].starts_with("what if      block      in production  sql."), "{out}");
    let instead = "psql -h db.lantern.internal -d shop -c 'SELECT 1'";
    let (out, _) = check(&["explain", "00b61328", "corpora/demo", "--instead", instead], 0);
    assert!(out.lines().nth(1).unwrap().starts_with("what if      allow      psql -h"), "{out}");
    // A call has no text of its own.
    let (lines, _) = check(&["replay", "corpora/demo", "--format", "jsonl"], 0);
    let call = lines.lines().find(|line| line.contains("\"tool\":\"TodoWrite\"")).unwrap();
    let value: serde_json::Value = serde_json::from_str(call).unwrap();
    let (_, error) = check(&["explain", value["id"].as_str().unwrap(), "corpora/demo", "--instead", "ls"], 2);
    assert!(error.contains("its arguments have no text that could be another"), "{error}");
}

#[test]
fn both_engines_say_the_same() {
    let fast = check(&["replay", "corpora/demo", "corpora/actions", "--format", "jsonl"], 0).0;
    let slow = check(&["replay", "corpora/demo", "corpora/actions", "--format", "jsonl", "--engine", "cedar"], 0).0;
    assert_eq!(fast, slow);
}

#[test]
fn a_configuration_maps_names_to_production() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("nearmiss.toml");
    std::fs::write(&config, "[[environment]]\nis = \"production\"\ndatabase = [\"shop\"]\n").unwrap();
    let (out, _) =
        check(&["replay", "corpora/demo/postgres", "--config", config.to_str().unwrap(), "--format", "jsonl"], 0);
    let line = out.lines().find(|line| line.contains("DROP SCHEMA")).unwrap();
    assert!(line.contains("\"decision\":\"block\"") && line.contains("\"environment\":\"production\""), "{line}");
}

#[test]
fn a_wrong_policy_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("own.cedar");
    let text = "@id(\"own.drop\")\n@message(\"m\")\n@severity(\"high\")\nforbid (principal, action == Action::\"dorp\", resource);\n";
    std::fs::write(&policy, text).unwrap();
    let (_, err) = check(&["check", policy.to_str().unwrap()], 2);
    assert!(err.contains("dorp") && err.contains("own.cedar") && err.contains("drop"), "{err}");
}

#[test]
fn a_policy_can_come_from_a_git_revision() {
    let folder = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| {
        let done = std::process::Command::new("git")
            .args(["-c", "user.name=n", "-c", "user.email=n@example.com"])
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    git(&["init", "-q"]);
    std::fs::create_dir(folder.path().join("policy")).unwrap();
    let rule = "permit (principal, action, resource);\n@id(\"own.drop\")\n@message(\"m\")\n@severity(\"high\")\nforbid (principal, action == Action::\"drop\", resource is Table);\n";
    std::fs::write(folder.path().join("policy/own.cedar"), rule).unwrap();
    git(&["add", "."]);
    git(&["commit", "-qm", "policy"]);
    std::fs::remove_dir_all(folder.path().join("policy")).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_nearmiss"))
        .args(["explain", "--policy", "HEAD:policy", "--sql", "DROP TABLE t"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(stdout(&output).starts_with("block"), "{}{}", stdout(&output), stderr(&output));
}

#[test]
fn real_recordings_are_read() {
    for folder in [
        "claude-code-jsonl",
        "postgres-stderr",
        "postgres-jsonlog",
        "postgres-csvlog",
        "gemini-cli-chat-json",
        "shell-history",
    ] {
        let Some(path) = shared(&format!("data/{folder}")) else { continue };
        let (out, _) = check(&["replay", path.to_str().unwrap(), "--format", "json", "--min-coverage", "0.99"], 0);
        let value: serde_json::Value = serde_json::from_str(&out).unwrap();
        println!("{folder}: {} actions, {} unread", value["summary"]["actions"], value["summary"]["unparsed"]);
        for issue in value["issues"].as_array().unwrap() {
            assert!(!issue["problem"].as_str().unwrap().is_empty(), "{issue}");
        }
    }
}

#[cfg(not(feature = "prove"))]
#[test]
fn without_proofs_nothing_is_proved() {
    for arguments in [&["prove", "builtin:recommended", "builtin:strict"][..], &["prove", "never"]] {
        let (out, err) = check(arguments, 2);
        assert!(out.is_empty() && err.contains("not proved") && err.contains("--features prove"), "{err}");
    }
    check(&["prove", "builtin:recommended"], 2);
}

#[test]
fn what_was_looked_at_last_has_a_name() {
    let cache = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_nearmiss"));
        command.args(arguments).current_dir(root()).env("NEARMISS_CACHE_DIR", cache.path()).output().unwrap()
    };
    let before = run(&["replay", "@last"]);
    assert_eq!(before.status.code(), Some(2));
    assert!(stderr(&before).contains("nothing was looked at before"), "{}", stderr(&before));
    // Nobody sits at a terminal here, so nothing is remembered.
    assert_eq!(run(&["replay", "corpora/demo"]).status.code(), Some(0));
    assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 0);
    let demo = root().join("corpora/demo");
    std::fs::write(cache.path().join("last.json"), serde_json::json!([demo]).to_string()).unwrap();
    let last = run(&["replay", "@last", "--format", "json"]);
    assert_eq!(last.status.code(), Some(0), "{}", stderr(&last));
    assert!(stdout(&last).contains("DROP SCHEMA billing CASCADE"));
    std::fs::write(cache.path().join("last.json"), "{").unwrap();
    assert!(stderr(&run(&["near", "@last"])).contains("is damaged"));
}
