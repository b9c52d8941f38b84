//! `nearmiss near` from end to end: which allowed actions were luck.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::{fs, iter};

use serde_json::Value;
use tempfile::TempDir;

use crate::schema::Schema;
use crate::support::{root, stderr, stdout};

/// Mira works on test and production, Noor on test only, and Otto is an agent.
const DAY: &str = r#"
{"kind":"sql","text":"DELETE FROM carts","session":"s1","environment":"test","time":"2026-11-20T09:00:00Z","actor":{"name":"mira","kind":"human"}}
{"kind":"sql","text":"SELECT count(*) FROM carts","session":"s2","environment":"production","time":"2026-11-20T09:05:00Z","actor":{"name":"mira","kind":"human"}}
{"kind":"sql","text":"DELETE FROM carts","session":"s3","environment":"test","time":"2026-11-20T09:10:00Z","actor":{"name":"noor","kind":"human"}}
{"kind":"sql","text":"DELETE FROM carts WHERE id = 7","session":"s2","environment":"production","time":"2026-11-20T09:15:00Z","actor":{"name":"mira","kind":"human"}}
{"kind":"sql","text":"DELETE FROM carts WHERE id = 8","session":"s2","environment":"production","time":"2026-11-20T09:16:00Z","actor":{"name":"mira","kind":"human"}}
{"kind":"sql","text":"DELETE FROM carts WHERE id = 9","session":"s2","environment":"production","time":"2026-11-20T09:17:00Z","actor":{"name":"mira","kind":"human"}}
{"kind":"shell","text":"rm -rf ./~/","session":"s6","cwd":"/home/otto/shop","time":"2026-11-20T10:00:00Z","actor":{"name":"otto","kind":"agent"}}
{"kind":"shell","text":"rm -ri notes","session":"s6","cwd":"/home/otto/shop","time":"2026-11-20T10:01:00Z","actor":{"name":"otto","kind":"agent"}}
{"kind":"shell","text":"rm -rf docs/ build/ ~/","session":"s6","cwd":"/home/otto/shop","time":"2026-11-20T10:02:00Z","actor":{"name":"otto","kind":"agent"}}
{"kind":"shell","text":"terraform plan -destroy","session":"s7","cwd":"/home/otto/infra","environment":"production","time":"2026-11-20T10:04:00Z","actor":{"name":"otto","kind":"agent"}}
{"kind":"shell","text":"drop-capacity","session":"s7","time":"2026-11-20T10:05:00Z","actor":{"name":"otto","kind":"agent"}}
"#;

/// A rule of one's own, for what is said of a condition by `@near`.
const OWN: &str = r#"
@id("own.permit") permit (principal, action, resource);
@id("own.all-of-it")
@decision("block")
@severity("critical")
@message("Nothing empties a table in production.")
forbid (principal, action in [Action::"delete", Action::"drop"], resource is Table)
when { context.extent == Extent::"all" && resource in Environment::"production" };
"#;

struct Project(TempDir);

impl Project {
    fn new() -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        project.write("nearmiss.toml", "");
        project.write("logs/day.jsonl", DAY.trim_start());
        project
    }

    /// With [`OWN`] alone, in which `@near` says this.
    fn own(near: &str) -> Self {
        let project = Self::new();
        project.write("nearmiss.toml", "[policy]\nextends = []\npaths = [\"policy\"]\n");
        project.write("policy/own.cedar", &OWN.replace("@decision", &format!("{near}\n@decision")));
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

    fn output(&self, arguments: &[&str], ci: bool) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nearmiss"));
        command.args(["near", "--today", "2026-11-21"]).args(arguments).current_dir(self.0.path());
        command.env_remove("CI").env_remove("TF_BUILD").env("NO_COLOR", "1").stdin(std::process::Stdio::null());
        command.envs(ci.then_some(("CI", "1"))).output().unwrap()
    }

    /// What it says on both channels, with what changes from run to run taken out.
    #[track_caller]
    fn run(&self, arguments: &[&str], code: i32) -> String {
        let output = self.output(arguments, false);
        let said = format!("{}{}", stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(code), "near {arguments:?}\n{said}");
        steady(&said)
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Value {
        let all: Vec<&str> = ["logs", "--format", "json"].into_iter().chain(arguments.iter().copied()).collect();
        let output = self.output(&all, false);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let told = serde_json::from_slice(&output.stdout).unwrap();
        let schema = Schema::new(&fs::read_to_string(root().join("docs/schemas/near.json")).unwrap());
        assert_eq!(schema.problems(&told), Vec::<String>::new(), "{arguments:?}: {told:#}");
        told
    }
}

fn steady(said: &str) -> String {
    let said = regex::Regex::new(r"\([0-9]+\.[0-9]+ s\)").unwrap().replace_all(said, "(TIME)").into_owned();
    let said =
        regex::Regex::new(r#""elapsed_ms": [0-9]+"#).unwrap().replace_all(&said, r#""elapsed_ms": 0"#).into_owned();
    // The digest of the policy, in the head of a report, and groups, which are named after their rule.
    let policy = regex::Regex::new(r"\(([0-9]+ rules?, )?[0-9a-f]{16}\)").unwrap();
    let said = policy.replace_all(&said, "(RULES)").into_owned();
    let said = regex::Regex::new(r"\b[0-9a-f]{12}\b").unwrap().replace_all(&said, "GROUP").into_owned();
    let digest = regex::Regex::new(r#""digest": "[0-9a-f]{16}",\n( *)"rules": [0-9]+"#).unwrap();
    digest.replace_all(&said, r#""digest": "DIGEST", "rules": 0"#).into_owned()
}

fn snapshot(name: &str, said: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("snapshots/near"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, said));
}

/// Groups of one list by class, rule and example.
fn groups(told: &Value, list: &str) -> Vec<String> {
    let said = |group: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        format!("{} {} {}", text(&group["class"]), text(&group["rule"]), text(&group["example"]["text"]))
    };
    told[list].as_array().unwrap().iter().map(said).collect()
}

fn id(told: &Value, class: &str) -> String {
    let group = told["groups"].as_array().unwrap().iter().find(|group| group["class"] == class).unwrap();
    group["id"].as_str().unwrap().to_owned()
}

#[test]
fn the_worked_examples_are_told_most_telling_first() {
    let project = Project::new();
    let told = project.json(&[]);
    assert_eq!(
        groups(&told, "groups"),
        [
            "lucky sql.delete-all-production DELETE FROM carts",
            "slip files.destroy-home rm -rf ./~/",
            "slip sql.delete-all-production DELETE FROM carts WHERE id = 7",
        ]
    );
    // Mira was seen in production, Noor never.
    let lucky = &told["groups"][0];
    assert_eq!(lucky["actors"], serde_json::json!({ "mira": 1 }));
    assert_eq!(lucky["flips"], serde_json::json!([{ "fact": "context.environment", "value": "production" }]));
    assert_eq!(lucky["barriers"], serde_json::json!([["environment"]]));
    assert_eq!(told["groups"][1]["flips"][0]["slip"], "dot-slash-lost");
    assert_eq!(told["groups"][2]["count"], 3);
    snapshot("text", &project.run(&["logs"], 0));
    snapshot("markdown", &project.run(&["logs", "--format", "markdown"], 0));
    // The style is the same on all pages.
    let page = project.run(&["logs", "--format", "html"], 0);
    let style = regex::Regex::new("(?s)<style>.*</style>|sha256-[A-Za-z0-9+/=]+").unwrap();
    snapshot("html", &style.replace_all(&page, "STYLE"));
    // What stood between hangs on every rule; here it is one.
    snapshot("json", &Project::own("").run(&["logs", "--format", "json"], 0));
}

#[test]
fn what_is_routine_is_one_line() {
    let project = Project::new();
    project.write("nearmiss.toml", "[near]\ncollapse-above = 2\n");
    let told = project.json(&[]);
    assert_eq!(groups(&told, "routine"), ["slip sql.delete-all-production DELETE FROM carts WHERE id = 7"]);
    assert_eq!(told["groups"].as_array().unwrap().len(), 2);
    assert_eq!(told["listed"], 2);
}

#[test]
fn a_choice_is_told_alone() {
    let project = Project::new();
    let whole = project.json(&[]);
    let event = whole["groups"][1]["example"]["id"].as_str().unwrap();
    let like = project.json(&["--like", event]);
    assert_eq!(like["like"]["decision"], "allow");
    assert_eq!(groups(&like, "groups"), ["slip files.destroy-home rm -rf ./~/"]);
    let filtered = project.json(&["-E", "actor(=noor) | actor(=otto)"]);
    assert_eq!(groups(&filtered, "groups"), ["slip files.destroy-home rm -rf ./~/"]);
    // What is not told still says who was seen where.
    let mira = project.json(&["-E", "actor(=mira) & env(test)"]);
    assert_eq!(groups(&mira, "groups"), ["lucky sql.delete-all-production DELETE FROM carts"]);
}

/// A filter on the class is a question about each near-miss, not about the action that has several.
#[test]
fn a_class_is_told_alone() {
    let project = Project::new();
    let slips = project.json(&["-E", "class(slip)"]);
    assert_eq!(
        groups(&slips, "groups"),
        ["slip files.destroy-home rm -rf ./~/", "slip sql.delete-all-production DELETE FROM carts WHERE id = 7",]
    );
    for class in ["lucky", "slip", "guarded", "blind"] {
        let told = project.json(&["-E", &format!("class({class})")]);
        for list in ["groups", "routine", "guarded", "blind"] {
            let others = groups(&told, list).into_iter().filter(|group| !group.starts_with(class));
            assert_eq!(others.collect::<Vec<_>>(), [""; 0], "{class} in {list}");
        }
    }
}

/// One slip away from the same thing every few actions is how somebody works.
#[test]
fn a_habit_is_routine() {
    let project = Project::own("");
    let line = |table: usize| {
        format!(
            r#"{{"kind":"sql","text":"DELETE FROM t_{table} WHERE id = 1","session":"a","environment":"production","actor":{{"name":"mira","kind":"human"}}}}"#
        )
    };
    let write = |count: usize| {
        let names = ["one", "two", "three", "four", "five"];
        let lines: Vec<String> = (0..count).map(|at| line(at).replace(&format!("t_{at}"), names[at])).collect();
        project.write("logs/day.jsonl", &(lines.join("\n") + "\n"));
        project.json(&[])
    };
    let few = write(4);
    assert_eq!((few["listed"].as_u64(), groups(&few, "routine").len()), (Some(4), 0));
    let many = write(5);
    assert_eq!((many["listed"].as_u64(), groups(&many, "routine").len()), (Some(0), 1));
}

/// A program fills it in and sends it whole; nobody types it.
#[test]
fn what_is_prepared_does_not_slip() {
    let project = Project::own("");
    for (text, slips) in [("id = 1", 1), ("id = $1", 0), ("id = ?", 0), ("id = :id", 0), ("note = '$1'", 1)] {
        let log = format!(
            r#"{{"kind":"sql","text":"DELETE FROM bins WHERE {text}","session":"a","environment":"production","actor":{{"name":"mira","kind":"human"}}}}"#
        );
        project.write("logs/day.jsonl", &format!("{log}\n"));
        assert_eq!(project.json(&[])["groups"].as_array().unwrap().len(), slips, "{text}");
    }
}

#[test]
fn further_away_is_told_on_request() {
    let project = Project::own("");
    let log = r#"{"kind":"sql","text":"DELETE FROM bins WHERE id = 1","session":"a","environment":"test","actor":{"name":"mira","kind":"human"}}"#;
    project.write("logs/day.jsonl", &format!("{log}\n"));
    let distances = |told: &Value| {
        let lists = ["groups", "routine", "guarded", "blind"].iter().flat_map(|list| told[*list].as_array().unwrap());
        lists.map(|group| group["distance"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(distances(&project.json(&[])), [0; 0]);
    let two = project.json(&["--distance", "2"]);
    assert!(distances(&two).iter().all(|distance| *distance == 2), "{two:#}");
}

#[test]
fn what_somebody_called_no_risk_is_hidden_until_its_day() {
    let project = Project::new();
    let slip = id(&project.json(&[]), "lucky");
    let suppress = ["logs", "--suppress", &slip, "--reason", "filled anew", "--by", "noor", "--until", "2026-12-01"];
    // Nobody writes in CI, nor without a reason.
    let refused = project.output(&suppress, true);
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    project.run(&["logs", "--suppress", &slip], 2);
    project.run(&["logs", "--suppress", &slip, "--reason", " "], 2);
    project.run(&["logs", "--suppress", "ffffffffffff", "--reason", "r"], 2);
    assert!(!project.path(".nearmiss").exists());

    project.run(&suppress, 0);
    let written = fs::read_to_string(project.path(&format!(".nearmiss/suppressed/{slip}.toml"))).unwrap();
    snapshot("suppressed", &written);
    let told = project.json(&[]);
    assert_eq!(groups(&told, "suppressed"), ["lucky sql.delete-all-production DELETE FROM carts"]);
    assert!(!groups(&told, "groups").iter().any(|group| group.starts_with("lucky")));
    // The last --today counts; the day after its last it is back, and that is said.
    let late = Command::new(env!("CARGO_BIN_EXE_nearmiss"))
        .args(["near", "logs", "--today", "2026-12-02"])
        .current_dir(project.0.path())
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    assert!(stdout(&late).contains(&slip), "{}", stdout(&late));
    assert!(stderr(&late).contains("ended on 2026-12-01"), "{}", stderr(&late));
}

#[test]
fn a_policy_says_what_is_near() {
    let lucky = |near: &str| {
        let told = Project::own(near).json(&[]);
        let of = |group: &&Value| group["class"] == "lucky";
        let found = told["groups"].as_array().unwrap().iter().find(of).cloned();
        found.map_or(0, |group| group["count"].as_u64().unwrap())
    };
    // One of two: Noor was never in production.
    assert_eq!(lucky(""), 1);
    assert_eq!(lucky("@near(\"never\")"), 0);
    assert_eq!(lucky("@near(\"never context.environment\")"), 0);
    assert_eq!(lucky("@near(\"never context.extent\")"), 1);
    let slips = |near: &str| {
        let told = Project::own(near).json(&[]);
        groups(&told, "groups").iter().filter(|group| group.starts_with("slip")).count()
    };
    assert_eq!(slips(""), 1);
    assert_eq!(slips("@near(\"never context.extent\")"), 0);
    assert_eq!(slips("@near(\"always context.extent\")"), 1);
}

#[test]
fn exit_codes_tell() {
    let project = Project::new();
    project.run(&["logs", "--format", "yaml"], 2);
    project.run(&["no-such-folder"], 3);
    project.write("empty/day.jsonl", "");
    let code = project.output(&["empty"], false).status.code();
    assert_eq!(code, Some(4), "nothing was read");
    project.run(&["logs", "-E", "colour("], 2);
}

/// P5: neither threads nor the order of files change a byte.
#[test]
fn threads_and_order_change_nothing() {
    let project = Project::new();
    for (name, line) in iter::zip(["c", "a", "e", "b", "d"], DAY.trim().lines().cycle().skip(2).step_by(2)) {
        project.write(&format!("logs/{name}.jsonl"), &format!("{line}\n"));
    }
    let files = ["logs/a.jsonl", "logs/b.jsonl", "logs/c.jsonl", "logs/d.jsonl", "logs/day.jsonl", "logs/e.jsonl"];
    let mut turned = files;
    turned.reverse();
    for format in ["json", "text", "markdown", "html"] {
        let near = |files: &[&str], jobs: &str| {
            let options = ["--format", format, "--all", "-j", jobs];
            project.run(&[files, &options].concat(), 0)
        };
        let one = near(&files, "1");
        assert_eq!(one, near(&files, "4"), "{format}: threads");
        assert_eq!(one, near(&turned, "1"), "{format}: order");
        assert_eq!(one, near(&turned, "3"), "{format}: both");
    }
    let lines = |files: &[&str], jobs: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_nearmiss"))
            .args([&["replay", "--format", "jsonl", "-j", jobs], files].concat())
            .current_dir(project.0.path())
            .output()
            .unwrap();
        let told = stdout(&output);
        let near = told.lines().filter(|line| line.contains("\"near\":")).map(str::to_owned);
        near.collect::<std::collections::BTreeSet<_>>()
    };
    let one = lines(&files, "1");
    assert!(!one.is_empty());
    assert_eq!(one, lines(&turned, "4"));
}
