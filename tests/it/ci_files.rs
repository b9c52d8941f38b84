//! The files in `ci/` and the hooks at the top: plain YAML, no more rights than needed, nothing of a stranger in a
//! shell, and every `nearmiss` in them a command that there is.

use std::path::PathBuf;

use serde_json::Value;

use crate::gate::command;
use crate::support::{files_below, nearmiss, root, stderr};
use crate::yaml;

const HOOKS: &str = ".pre-commit-hooks.yaml";

fn files() -> Vec<(String, Value, String)> {
    let mut paths: Vec<PathBuf> = files_below(&root().join("ci"));
    paths.push(root().join(HOOKS));
    let named = paths.into_iter().map(|path| {
        let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
        let text = std::fs::read_to_string(&path).unwrap();
        let value = yaml::read(&text).unwrap_or_else(|problem| panic!("{name}: {problem}"));
        (name, value, text)
    });
    named.collect()
}

fn file(name: &str) -> Value {
    files().into_iter().find(|(file, ..)| file == name).unwrap_or_else(|| panic!("{name} is gone")).1
}

/// Every value behind `key`, however deep.
fn all<'v>(value: &'v Value, key: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                if name == key {
                    found.push(value);
                }
                all(value, key, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| all(value, key, found)),
        _ => {}
    }
}

fn behind<'v>(value: &'v Value, key: &str) -> Vec<&'v Value> {
    let mut found = Vec::new();
    all(value, key, &mut found);
    found
}

/// Shell texts: `run` and `entry` are text, `script` is a list.
fn scripts(value: &Value) -> Vec<String> {
    let mut scripts = Vec::new();
    for key in ["run", "entry", "script"] {
        for script in behind(value, key) {
            match script {
                Value::String(text) => scripts.push(text.clone()),
                Value::Array(lines) => scripts.extend(lines.iter().filter_map(Value::as_str).map(str::to_owned)),
                other => panic!("{other} is no script"),
            }
        }
    }
    scripts
}

/// What is wrong with how a file uses actions, rights and texts of strangers.
fn problems(name: &str, value: &Value, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for uses in behind(value, "uses").into_iter().filter_map(Value::as_str) {
        let pinned = uses.split_once('@').is_some_and(|(_, commit)| {
            commit.len() == 40 && commit.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        });
        if !pinned {
            found.push(format!("{name}: `{uses}` is not pinned to a commit"));
        }
        if !text.contains(&format!("{uses} # v")) {
            found.push(format!("{name}: nobody can see which version `{uses}` is"));
        }
    }
    for script in scripts(value).iter().filter(|script| script.contains("${{")) {
        found.push(format!("{name}: an expression is pasted into a shell: {script}"));
    }
    if behind(value, "pull_request_target").len() + usize::from(text.contains("pull_request_target:")) > 0 {
        found.push(format!("{name}: runs with the rights of the base"));
    }
    for permission in behind(value, "permissions") {
        match permission {
            Value::Object(map) => {
                for (right, level) in map {
                    let comment = name.ends_with("comment.yml") && right == "pull-requests" && level == "write";
                    if level != "read" && level != "none" && !comment {
                        found.push(format!("{name}: may {level} {right}"));
                    }
                }
            }
            other => found.push(format!("{name}: permissions are {other}")),
        }
    }
    if name.contains("github/") && value.get("jobs").is_some() && value.get("permissions").is_none() {
        found.push(format!("{name}: has the default rights"));
    }
    if behind(value, "secrets").len() + text.matches("secrets.").count() > 0 {
        found.push(format!("{name}: needs a secret"));
    }
    found
}

#[test]
fn rights_are_small_actions_pinned_and_shells_free_of_strangers_texts() {
    let found: Vec<String> = files().iter().flat_map(|(name, value, text)| problems(name, value, text)).collect();
    assert!(found.is_empty(), "{found:#?}");
    assert!(files().len() >= 5);
}

#[test]
fn the_lint_sees_what_is_wrong() {
    for (wrong, word) in [
        ("jobs:\n  a:\n    steps:\n      - uses: actions/checkout@v4\n", "pinned"),
        ("jobs:\n  a:\n    steps:\n      - run: echo ${{ github.event.pull_request.title }}\n", "pasted"),
        ("on:\n  pull_request_target:\n", "rights of the base"),
        ("permissions:\n  contents: write\n", "may \"write\""),
        ("permissions: write-all\n", "write-all"),
        ("jobs:\n  a: {}\n", "default rights"),
        ("jobs:\n  a:\n    env:\n      T: ${{ secrets.TOKEN }}\n", "secret"),
    ] {
        let found = problems("ci/github/x.yml", &yaml::read(wrong).unwrap(), wrong);
        assert!(found.iter().any(|problem| problem.contains(word)), "{wrong}: {found:?}");
    }
}

#[test]
fn the_two_workflows_fit_together() {
    let (gate, comment) = (file("ci/github/gate.yml"), file("ci/github/comment.yml"));
    assert_eq!(gate["permissions"], serde_json::json!({ "contents": "read" }));
    assert!(gate["on"].as_object().unwrap().keys().eq(["pull_request"]));
    assert_eq!(comment["on"]["workflow_run"]["workflows"], serde_json::json!([gate["name"]]));
    assert_eq!(comment["permissions"], serde_json::json!({}));
    assert!(!behind(&comment, "uses").iter().any(|uses| uses.as_str().unwrap().starts_with("actions/checkout")));
    let uploaded = behind(&gate, "path")[0].as_str().unwrap();
    let script = scripts(&comment).join("\n");
    assert!(uploaded.lines().any(|file| script.contains(&format!("reports/{file}"))), "{uploaded}");
    let artifact = |workflow: &Value, action: &str| {
        let steps = behind(workflow, "steps")[0].as_array().unwrap();
        let step = steps.iter().find(|step| step["uses"].as_str().is_some_and(|uses| uses.contains(action))).unwrap();
        step["with"]["name"].clone()
    };
    assert_eq!(artifact(&gate, "upload-artifact"), artifact(&comment, "download-artifact"));
    let limit = format!("{}", 65_000);
    assert!(script.contains(&limit) && script.contains("<!-- nearmiss:policy-impact v1"));
}

#[test]
fn the_shape_is_what_its_reader_expects() {
    let action = file("ci/github/action.yml");
    assert_eq!(action["runs"]["using"], "composite");
    for step in action["runs"]["steps"].as_array().unwrap() {
        assert!(step["run"].is_string() && step["shell"] == "bash", "{step}");
    }
    for (name, input) in action["inputs"].as_object().unwrap() {
        assert!(input["description"].is_string(), "{name} is not described");
    }
    let job = &file("ci/gitlab/nearmiss.yml")["nearmiss"];
    assert!(job["script"].is_array() && job["artifacts"]["when"] == "always" && job["variables"]["GIT_DEPTH"] == "0");
    let script = scripts(job).join("\n");
    for report in job["artifacts"]["reports"].as_object().unwrap().values() {
        assert!(script.contains(&format!("={}", report.as_str().unwrap())), "nobody writes {report}");
    }
    let hooks = file(HOOKS);
    for hook in hooks.as_array().unwrap() {
        for key in ["id", "name", "entry", "language", "files"] {
            assert!(hook[key].is_string(), "{key} is missing in {hook}");
        }
        regex::Regex::new(hook["files"].as_str().unwrap()).unwrap();
    }
}

/// The `nearmiss` commands of a script, word by word; variables stand for something.
fn commands(script: &str) -> Vec<Vec<String>> {
    let joined = script.replace("\\\n", " ");
    let lines = joined.lines().filter_map(|line| line.trim().strip_prefix("nearmiss "));
    lines
        .map(|line| line.split_whitespace().map(|word| word.replace('"', "").replace('$', "some-")).collect())
        .collect()
}

#[test]
fn every_command_is_one_that_there_is() {
    let mut seen = 0;
    for (name, value, _) in files() {
        for mut words in scripts(&value).iter().flat_map(|script| commands(script)) {
            seen += 1;
            words.push("--help".to_owned());
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let output = nearmiss(&words);
            assert_eq!(output.status.code(), Some(0), "{name}: nearmiss {words:?}: {}", stderr(&output));
        }
    }
    assert!(seen >= 5, "only {seen} commands were found");
    for wrong in
        [&["gate", "--no-such-flag", "--help"][..], &["gate", "--format", "sarf=x", "--help"], &["gaet", "--help"]]
    {
        assert_ne!(nearmiss(wrong).status.code(), Some(0), "{wrong:?}");
    }
}

#[test]
fn init_writes_the_same_files() {
    for (ci, names) in [
        (
            "github",
            &[
                ("ci/github/gate.yml", ".github/workflows/nearmiss.yml"),
                ("ci/github/comment.yml", ".github/workflows/nearmiss-comment.yml"),
            ][..],
        ),
        ("gitlab", &[("ci/gitlab/nearmiss.yml", ".gitlab/nearmiss.yml")]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let output =
            command(env!("CARGO_BIN_EXE_nearmiss"), folder.path()).args(["init", "--ci", ci]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        for (from, to) in names {
            let read = |path: PathBuf| std::fs::read_to_string(path).unwrap();
            assert_eq!(read(folder.path().join(to)), read(root().join(from)), "{to}");
        }
    }
}

#[test]
fn what_is_installed_is_this_version() {
    for (name, _, text) in files() {
        for (_, version) in text.match_indices("nearmiss@").map(|(at, found)| text[at..].split_at(found.len())) {
            let version = version.split_whitespace().next().unwrap();
            assert_eq!(version, env!("CARGO_PKG_VERSION"), "{name}");
        }
    }
}

/// Runs the script that writes the comment, with a `gh` that only notes down what it is asked.
#[cfg(unix)]
fn commented(report: Option<&str>, comment: &str) -> (String, String) {
    use std::os::unix::fs::PermissionsExt;

    const GH: &str = "#!/usr/bin/env bash\n\
        echo \"$*\" >> calls\n\
        case \"$*\" in\n\
          *'/pulls -f'*) echo 7 ;;\n\
          *'--paginate'*) if [ -n \"$GH_COMMENT\" ]; then echo \"$GH_COMMENT\"; fi ;;\n\
        esac\n\
        for word in \"$@\"; do case \"$word\" in body=@*) cp \"${word#body=@}\" posted ;; esac; done\n";
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(path("reports")).unwrap();
    std::fs::create_dir_all(path("bin")).unwrap();
    std::fs::write(path("bin/gh"), GH).unwrap();
    std::fs::set_permissions(path("bin/gh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    if let Some(report) = report {
        std::fs::write(path("reports/nearmiss-comment.md"), report).unwrap();
    }
    let [script] = &scripts(&file("ci/github/comment.yml"))[..] else { panic!("one script") };
    let mut bash = command("bash", folder.path());
    for (name, value) in [("REPOSITORY", "o/r"), ("HEAD_OWNER", "o"), ("HEAD_BRANCH", "b"), ("HEAD_SHA", "abc")] {
        bash.env(name, value);
    }
    let bins = format!("{}:{}", path("bin").display(), std::env::var("PATH").unwrap());
    let output =
        bash.args(["-c", script]).env("PATH", bins).env("GH_COMMENT", comment).env("RUN_URL", "https://x/1").output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    (read("calls").lines().last().unwrap().to_owned(), read("posted"))
}

#[test]
#[cfg(unix)]
fn the_comment_is_written_once_and_then_brought_up_to_date() {
    let report = "<!-- nearmiss:policy-impact v1 head=0 -->\n### all is well\n";
    let (call, posted) = commented(Some(report), "");
    assert!(call.contains("--method POST repos/o/r/issues/7/comments"), "{call}");
    assert_eq!(posted, report);
    let (call, posted) = commented(Some(report), "55");
    assert!(call.contains("--method PATCH repos/o/r/issues/comments/55"), "{call}");
    assert_eq!(posted, report);
    // Nothing, something else, too much: the comment must not go on saying what held for an earlier push.
    for report in [None, Some("### all is well\n".to_owned()), Some(format!("{report}{}", "x".repeat(65_000)))] {
        let (_, posted) = commented(report.as_deref(), "55");
        assert!(
            posted.starts_with("<!-- nearmiss:policy-impact v1 -->\n") && posted.contains("not evaluated"),
            "{posted}"
        );
    }
}
