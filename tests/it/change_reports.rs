//! Every format of `diff` and `gate` for one fixed story, and for texts that want to be more than text.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::gate::{Repository, command};
use crate::schema::Schema;
use crate::support::{root, stderr, stdout};

const CONFIG: &str = r#"
[policy]
extends = []
paths = ["policy"]

[test]
cases = ["cases"]

[gate]
base = "main"
traces = ["traces"]
max-new-blocks = 1

[[environment]]
is = "production"
host = ["web-*"]
"#;
const POLICY: &str = include_str!("change_reports/policy.cedar");
const CASES: &str = include_str!("change_reports/cases.toml");
const TRACES: &str = include_str!("change_reports/week.jsonl");
const HOSTILE: &str = include_str!("change_reports/hostile.jsonl");

const FORMATS: &[&str] = &["text", "markdown", "github", "gitlab", "sarif", "junit", "json"];

/// A branch that lets people force, asks where it blocked, stops emptied tables, and breaks a case; one loosening is
/// accepted, one acceptance is over, one is of something else.
fn story() -> Repository {
    let repository = Repository::new();
    repository.write("nearmiss.toml", CONFIG);
    repository.write("policy/own.cedar", POLICY);
    repository.write("cases/own.toml", CASES);
    repository.write("traces/week.jsonl", TRACES);
    repository.commit("shop");
    repository.git(&["branch", "-f", "main"]);
    repository.edit("policy/own.cedar", "resource is Branch);", "resource is Branch)\nunless { principal is Human };");
    repository.edit(
        "policy/own.cedar",
        "@id(\"shop.stop\")\n@decision(\"block\")",
        "@id(\"shop.stop\")\n@decision(\"ask\")",
    );
    repository.edit(
        "policy/own.cedar",
        "action == Action::\"export\", resource);",
        "action == Action::\"export\", resource)\nwhen { principal is Agent };",
    );
    repository.edit("policy/own.cedar", "resource is Device);", "resource is Device)\nwhen { principal is Agent };");
    let people = "\n@id(\"shop.people\")\n@decision(\"block\")\n@message(\"People drop no tables.\")\n\
        forbid (principal is Human, action == Action::\"drop\", resource is Table);\n";
    let emptied = "\n@id(\"shop.empty-table\")\n@decision(\"block\")\n@severity(\"high\")\n@message(\"A table is emptied.\")\n\
        forbid (principal, action == Action::\"delete\", resource is Table)\nwhen { context.extent == Extent::\"all\" };\n";
    let policy = std::fs::read_to_string(repository.path("policy/own.cedar")).unwrap();
    repository.write("policy/own.cedar", &format!("{policy}{emptied}{people}"));
    repository.edit("cases/own.toml", "expect = \"allow\"", "expect = \"block\"");
    let changes = repository.json()["changes"].as_array().unwrap().clone();
    let id = |words: &str| {
        let template = |change: &&Value| change["template"].as_str().unwrap().contains(words);
        changes.iter().find(template).unwrap_or_else(|| panic!("{words}"))["id"].as_str().unwrap().to_owned()
    };
    repository.says(
        &["accept", &id("systemctl"), "--reason", "the pager | asks first", "--by", "lee", "--until", "2026-12-31"],
        0,
    );
    repository.says(&["accept", &id("curl"), "--reason", "for the migration", "--until", "2026-11-01"], 0);
    let accepted =
        std::fs::read_to_string(repository.path(&format!(".nearmiss/accepted/{}.toml", id("curl")))).unwrap();
    repository.write(".nearmiss/accepted/0123456789ab.toml", &accepted);
    repository.commit("pr");
    repository
}

impl Repository {
    fn report(&self, arguments: &[&str]) -> String {
        let output = self.run(&[&["gate", "--today", "2026-11-22"], arguments].concat());
        assert_eq!(output.status.code(), Some(1), "{}{}", stdout(&output), stderr(&output));
        stdout(&output)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.report(&["--format", "json"])).unwrap()
    }
}

#[test]
fn every_format_tells_the_story() {
    let repository = story();
    let digest = repository.json()["base"]["digest"].as_str().unwrap().to_owned();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("snapshots/change"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // It hangs on the id of a commit.
    settings.add_filter("[0-9a-f]{12}:policy", "REV:policy");
    settings.add_filter(&digest, "BASE-DIGEST");
    settings.add_filter(&digest[..7], "BASE");
    settings.add_filter(r"\(\d+\.\d\d s\)", "(TIME)");
    settings.add_filter(r#"time="\d+\.\d+""#, "time=\"TIME\"");
    settings.add_filter(r#""elapsed_ms": \d+"#, "\"elapsed_ms\": 0");
    for format in FORMATS {
        let told = repository.report(&["--format", format]);
        settings.bind(|| insta::assert_snapshot!(format!("gate.{format}"), told));
    }
    let compared = repository.run(&["diff", "main:policy", "policy", "traces"]);
    assert_eq!(compared.status.code(), Some(0), "{}", stderr(&compared));
    settings.bind(|| insta::assert_snapshot!("diff.text", stdout(&compared)));
}

#[test]
fn every_format_of_the_shelf_is_told() {
    let listed: Vec<&str> = nearmiss::report::change::REPORTS.iter().map(|report| report.name()).collect();
    assert_eq!(listed, FORMATS);
    let shelf = std::fs::read_to_string(root().join("src/report/change.rs")).unwrap();
    assert!(FORMATS.iter().all(|format| shelf.contains(&format!("mod {format};"))));
}

fn schema(path: &str) -> Schema {
    Schema::new(&std::fs::read_to_string(root().join(path)).unwrap())
}

#[test]
fn json_keeps_to_its_schema() {
    let schema = schema("docs/schemas/change.json");
    let repository = story();
    let gate = repository.json();
    assert_eq!(schema.problems(&gate), [""; 0]);
    let compared = stdout(&repository.run(&["diff", "main:policy", "policy", "traces", "--format", "json"]));
    assert_eq!(schema.problems(&serde_json::from_str(&compared).unwrap()), [""; 0]);
    repository.write("traces/hostile.jsonl", HOSTILE);
    assert_eq!(schema.problems(&repository.json()), [""; 0]);
    let mut wrong = gate.clone();
    wrong["changes"][0]["surprise"] = Value::Null;
    wrong["summary"].as_object_mut().unwrap().remove("headline");
    assert_eq!(schema.problems(&wrong).len(), 2);
}

fn sarif(repository: &Repository) -> Value {
    serde_json::from_str(&repository.report(&["--format", "sarif"])).unwrap()
}

#[test]
fn sarif_keeps_to_the_standard() {
    let mut schemas = vec![schema("tests/schemas/sarif-2.1.0-written.json")];
    if let Ok(file) = std::env::var("NEARMISS_SARIF_SCHEMA") {
        schemas.push(Schema::new(&std::fs::read_to_string(file).unwrap()));
    }
    let repository = story();
    let plain = sarif(&repository);
    repository.write("traces/hostile.jsonl", HOSTILE);
    for log in [&plain, &sarif(&repository)] {
        for schema in &schemas {
            assert_eq!(schema.problems(log), [""; 0]);
        }
        // What the standard says and no schema can.
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let mut fingerprints = BTreeSet::new();
        for result in run["results"].as_array().unwrap() {
            let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
            assert_eq!(rule["id"], result["ruleId"]);
            assert!(result["kind"] == "fail" || result["level"] == "none", "{result}");
            assert!(fingerprints.insert(result["partialFingerprints"].to_string()), "{result}");
            for (at, place) in result["relatedLocations"].as_array().into_iter().flatten().enumerate() {
                assert_eq!(place["id"], at);
            }
        }
    }
    let mut wrong = plain;
    wrong["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(!schemas[0].problems(&wrong).is_empty());
}

#[test]
fn sarif_points_at_the_line_of_the_pull_request() {
    let repository = story();
    let policy = std::fs::read_to_string(repository.path("policy/own.cedar")).unwrap();
    let log = sarif(&repository);
    let results = log["runs"][0]["results"].as_array().unwrap();
    let line_of = |rule: &str| {
        let result = results.iter().find(|result| result["ruleId"] == rule).unwrap_or_else(|| panic!("{rule}"));
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "policy/own.cedar");
        let line = usize::try_from(place["region"]["startLine"].as_u64().unwrap()).unwrap();
        (result["level"].as_str().unwrap(), policy.lines().nth(line - 1).unwrap())
    };
    assert_eq!(line_of("shop.rewrite"), ("error", "unless { principal is Human };"));
    assert_eq!(line_of("shop.stop"), ("note", "@decision(\"ask\")"));
    assert_eq!(line_of("shop.send"), ("error", "when { principal is Agent };"));
    assert_eq!(line_of("shop.empty-table").0, "warning");
    // From a folder below, too.
    let below = command(env!("CARGO_BIN_EXE_nearmiss"), &repository.path("traces"))
        .args(["gate", "--today", "2026-11-22", "--format", "sarif"])
        .output()
        .unwrap();
    let below: Value = serde_json::from_slice(&below.stdout).unwrap();
    assert_eq!(below["runs"][0]["results"], log["runs"][0]["results"]);
}

#[test]
fn ids_stay_over_a_push() {
    let repository = story();
    let ids = |repository: &Repository| -> BTreeSet<String> {
        let json = repository.json();
        json["changes"].as_array().unwrap().iter().map(|change| change["id"].as_str().unwrap().to_owned()).collect()
    };
    let before = ids(&repository);
    let policy = std::fs::read_to_string(repository.path("policy/own.cedar")).unwrap();
    repository.write("policy/own.cedar", &format!("// A comment moves every line.\n\n{policy}"));
    repository.write(
        "traces/again.jsonl",
        &TRACES.replace("feature/", "topic/").replace("\"session\":\"s", "\"session\":\"t"),
    );
    repository.commit("a further push");
    assert_eq!(ids(&repository), before);
}

#[test]
fn several_reports_of_one_run() {
    let repository = story();
    let said = repository.says(
        &[
            "gate",
            "--today",
            "2026-11-22",
            "--format",
            "markdown=pr.md",
            "--format",
            "sarif=out.sarif",
            "--format",
            "text",
        ],
        1,
    );
    assert!(said.contains("LOOSENED") && !said.contains("$schema"), "{said}");
    let written = |name: &str| std::fs::read_to_string(repository.path(name)).unwrap();
    assert_eq!(written("pr.md"), repository.report(&["--format", "markdown"]));
    assert!(written("out.sarif").contains("2.1.0"));
    repository.says(&["gate", "--today", "2026-11-22", "--format", "json", "-o", "out.json"], 1);
    assert!(written("out.json").contains("schema_version"));
    for (arguments, word) in [
        (&["--format", "text", "--format", "json"][..], "json=FILE"),
        (&["--format", "json=a", "--format", "sarif=a"], "written to a"),
        (&["--format", "json=a", "-o", "b"], "--output"),
        (&["--format", "sarf"], "sarif"),
        (&["--format", "json="], "names no file"),
        (&["--format", "json=no/such/folder/a"], "no/such/folder/a"),
    ] {
        let said = repository.says(&[&["gate"], arguments].concat(), 2);
        assert!(said.contains(word), "{said}");
    }
}

#[test]
fn the_summary_of_a_job_is_added_to() {
    let repository = story();
    repository.write("summary.md", "before\n");
    let gate = |variable: &str| {
        let mut gate = command(env!("CARGO_BIN_EXE_nearmiss"), repository.folder.path());
        gate.args(["gate", "--today", "2026-11-22", "--format", "github", "--github-summary"]);
        gate.env("CI", "true").env("GITHUB_STEP_SUMMARY", variable).output().unwrap()
    };
    let output = gate("summary.md");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stdout(&output).contains("\n::error "), "{}", stdout(&output));
    let summary = std::fs::read_to_string(repository.path("summary.md")).unwrap();
    assert_eq!(summary, format!("before\n{}", repository.report(&["--format", "markdown"])));
    let output = gate("");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("GITHUB_STEP_SUMMARY"), "{}", stderr(&output));
}

/// What stands neither in code nor in a fence, line by line.
fn outside_code(markdown: &str) -> String {
    let mut fence: Option<&str> = None;
    let mut outside = String::new();
    for line in markdown.lines() {
        let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
        match fence {
            Some(open) if line.trim_end() == ticks && ticks.len() >= open.len() => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 && !line[ticks.len()..].contains('`') => fence = Some(ticks),
            None => {
                let mut rest = line;
                while let Some(at) = rest.find('`') {
                    outside.push_str(&rest[..at]);
                    let run = &rest[at..][..rest[at..].len() - rest[at..].trim_start_matches('`').len()];
                    let body = &rest[at + run.len()..];
                    let closes =
                        |found: usize| !body[..found].ends_with('`') && !body[found + run.len()..].starts_with('`');
                    let end = body.match_indices(run).map(|(found, _)| found).find(|found| closes(*found));
                    let end = end.unwrap_or_else(|| panic!("code is not closed: {line}"));
                    rest = &body[end + run.len()..];
                }
                outside.push_str(rest);
                outside.push('\n');
            }
        }
    }
    assert!(fence.is_none(), "a fence is open at the end");
    outside
}

#[test]
fn text_of_strangers_stays_text() {
    let repository = story();
    repository.edit(
        "policy/own.cedar",
        "unless { principal is Human };",
        "unless { principal is Human || principal is Agent };",
    );
    repository.write("traces/hostile.jsonl", HOSTILE);
    let markdown = repository.report(&["--format", "markdown"]);
    assert!(markdown.contains("everyone") && markdown.contains("evil.example"), "{markdown}");
    let outside = outside_code(&markdown);
    for sign in ["everyone", "evil.example", "![", "<img", "<b>", "Approved", "gone -->", "::error"] {
        let html = sign == "everyone" || sign == "::error";
        // In a summary of HTML, where Markdown is not read, such a word is text in `<code>`.
        let plain = outside.lines().filter(|line| !(html && line.starts_with("<details><summary>")));
        assert!(plain.clone().all(|line| !line.contains(sign)), "{sign} stands outside of code:\n{outside}");
    }
    assert_eq!(outside.matches("<details>").count(), outside.matches("</details>").count());
    assert_eq!(
        markdown.lines().filter(|line| line.contains("</details>") && !line.starts_with("</details>")).count(),
        markdown.matches("</details>\\n# Approved").count()
    );
    // A table keeps its columns.
    for line in markdown.lines().filter(|line| line.starts_with("| `")) {
        let bars = line.replace("\\|", "").matches('|').count();
        assert_eq!(bars, 6, "{line}");
    }
    for format in FORMATS {
        let told = repository.report(&["--format", format]);
        assert!(!told.contains("hunter2secret") && !told.contains("abcdefgh12345678"), "{format} tells a secret");
        let hostile = |char: char| (char.is_control() && char != '\n') || char == '\u{202e}';
        assert!(!told.contains(hostile), "{format} has a control character");
    }
    let told = repository.report(&["--format", "github"]);
    for line in told.lines() {
        let commands = ["::error ", "::warning ", "::notice "];
        assert!(commands.iter().any(|command| line.starts_with(command)), "{line}");
    }
}

#[test]
fn a_labelled_action_is_shown_where_it_is_labelled() {
    let repository = story();
    repository.write("traces/week.jsonl", "{\"kind\":\"shell\",\"text\":\"git status\"}\n");
    repository.edit(
        "policy/own.cedar",
        "resource in Environment::\"production\"",
        "resource in Environment::\"staging\"",
    );
    let log = sarif(&repository);
    let results = log["runs"][0]["results"].as_array().unwrap();
    let result = results.iter().find(|result| result["ruleId"] == "shop.drop-table").unwrap();
    let place = &result["relatedLocations"][0]["physicalLocation"];
    assert_eq!(
        (&place["artifactLocation"]["uri"], &place["region"]["startLine"]),
        (&"cases/own.toml".into(), &2.into())
    );
    for format in ["text", "markdown", "junit"] {
        let told = repository.report(&["--format", format]);
        assert!(told.contains("labelled in cases/own.toml:2") && told.contains("no recorded action"), "{told}");
    }
}

#[test]
fn diff_speaks_every_format_too() {
    let repository = story();
    for format in FORMATS {
        let output = repository.run(&["diff", "main:policy", "policy", "traces", "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{format}: {}", stderr(&output));
        let told = stdout(&output);
        assert!(told.contains("git push --force") && told.contains("policy/own.cedar"), "{format}: {told}");
        // Nobody asked whether it may be merged.
        assert!(!told.contains("nearmiss accept 4") && !told.contains("::error"), "{format}: {told}");
    }
}

/// Goes through a document tag by tag and counts elements; panics where it is not well-formed.
fn elements(xml: &str) -> std::collections::BTreeMap<&str, usize> {
    let mut open = Vec::new();
    let mut counts = std::collections::BTreeMap::new();
    let mut rest = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").unwrap();
    while let Some(at) = rest.find('<') {
        assert!(!rest[..at].contains('>'), "{rest}");
        let tag = &rest[at + 1..at + rest[at..].find('>').unwrap()];
        rest = &rest[at + tag.len() + 2..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        assert!(!tag.contains('<') && tag.matches('"').count().is_multiple_of(2), "{tag}");
        let name = tag.trim_end_matches('/').split(' ').next().unwrap();
        *counts.entry(name).or_default() += 1;
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    counts
}

#[test]
fn junit_is_well_formed_and_counts_right() {
    let repository = story();
    repository.write("traces/hostile.jsonl", HOSTILE);
    let xml = repository.report(&["--format", "junit"]);
    let counts = elements(&xml);
    let attribute = |name: &str| -> usize {
        xml.split(&format!(" {name}=\"")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
    };
    assert_eq!((attribute("tests"), attribute("failures")), (counts["testcase"], counts["failure"]));
    for entity in xml.split('&').skip(1) {
        let name = entity.split(';').next().unwrap();
        assert!(["amp", "lt", "gt", "quot", "#9", "#10"].contains(&name), "{name}");
    }
}

#[test]
fn gitlab_takes_every_finding() {
    let findings: Value = serde_json::from_str(&story().report(&["--format", "gitlab"])).unwrap();
    let findings = findings.as_array().unwrap();
    let fingerprints: BTreeSet<_> = findings.iter().map(|finding| finding["fingerprint"].as_str().unwrap()).collect();
    assert_eq!(fingerprints.len(), findings.len());
    for finding in findings {
        assert!(["info", "minor", "major", "critical", "blocker"].contains(&finding["severity"].as_str().unwrap()));
        assert!(
            !finding["description"].as_str().unwrap().is_empty() && !finding["check_name"].as_str().unwrap().is_empty()
        );
        assert!(finding["location"]["lines"]["begin"].as_u64().unwrap() > 0);
        let path = finding["location"]["path"].as_str().unwrap();
        assert!(!path.starts_with(['.', '/']), "{path}");
    }
}

/// A branch that lets through thousands of different things.
fn flood() -> Repository {
    let repository = story();
    let mut lines = String::new();
    for number in 0..1500 {
        let line = format!("git push --force --flag-{number} origin x{}", "y".repeat(200));
        lines.push_str(
            &serde_json::json!({ "kind": "shell", "text": line, "actor": { "name": "dana", "kind": "human" } })
                .to_string(),
        );
        lines.push('\n');
    }
    repository.write("traces/flood.jsonl", &lines);
    repository
}

#[test]
fn reports_know_their_limits() {
    let repository = flood();
    let loosened = repository.json()["summary"]["transitions"]["loosened"]["changes"].as_u64().unwrap();
    assert!(loosened > 1000, "{loosened} templates only");
    let markdown = repository.report(&["--format", "markdown"]);
    assert!((50_000..=65_000).contains(&markdown.chars().count()), "{} characters", markdown.chars().count());
    let left = markdown.lines().find(|line| line.contains("Left out")).unwrap();
    let rows = markdown.lines().filter(|line| line.starts_with("| `")).count();
    let count: usize = left.split(": ").nth(1).unwrap().split(' ').next().unwrap().replace(',', "").parse().unwrap();
    let all = repository.json()["changes"].as_array().unwrap().len();
    assert_eq!(rows + count, all, "{left}");
    assert!(left.contains("--format json") && markdown.trim_end().ends_with("</sub>"), "{left}");
    outside_code(&markdown);
    let annotations = repository.report(&["--format", "github"]);
    for kind in ["::error ", "::warning ", "::notice "] {
        let shown = annotations.lines().filter(|line| line.starts_with(kind)).count();
        assert!(shown <= 10, "{shown} {kind}");
    }
    assert!(annotations.contains("more; the other reports have all of them"));
}

#[test]
fn a_closed_pipe_is_no_pass() {
    let repository = flood();
    let mut gate = command(env!("CARGO_BIN_EXE_nearmiss"), repository.folder.path());
    let mut gate = gate.args(["gate", "--format", "json"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(gate.stdout.take());
    assert_eq!(gate.wait().unwrap().code(), Some(1));
}
