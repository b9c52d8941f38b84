//! Mutation testing: of the recommended pack with our own corpora, and the command as a user runs it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use nearmiss::classify::{Catalog, Classifier};
use nearmiss::engine::mutate::{Fate, Study};
use nearmiss::engine::{Config, Engine, corpus, expect};
use nearmiss::policy::Mutants;

use crate::support::{files_below, policy, replay, root, stderr, stdout};

fn cases() -> Vec<expect::Case> {
    let read = |file: &std::path::PathBuf| {
        expect::cases(&file.display().to_string(), &fs::read_to_string(file).unwrap()).unwrap()
    };
    files_below(&root().join("corpora/policy")).iter().flat_map(read).collect()
}

/// Every mutant is killed or proved to be equivalent.
///
/// `corpora/policy` holds what examples and recorded commands leave open. A case there that fails after a rule was
/// changed on purpose is changed or taken out; `nearmiss mutate --add FILE` writes what is missing then.
#[test]
fn the_recommended_pack_is_tested() {
    let policy = policy("recommended");
    let mutants = Arc::new(Mutants::of(&policy, |_| true));
    let engine = Engine::new(Classifier::new(Catalog::builtin()), policy, &Config::default(), false)
        .with_mutants(Arc::clone(&mutants));
    // They are asked all the same: an action that tells one from its rule shows that the proof is wrong.
    let proved: Vec<usize> =
        (0..mutants.all().len()).filter(|number| mutants.all()[*number].equivalent.is_some()).collect();
    proved.iter().for_each(|number| mutants.set_open(*number, true));
    let mut study = Study::new(Arc::clone(&mutants), &[]);
    study.examples(&engine);
    let cases = cases();
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let problem = expect::judge(&engine, case.clone()).problem()?;
            Some(format!("{}:{}: {}: {problem}", case.file, case.line, case.name))
        })
        .collect();
    assert!(wrong.is_empty(), "{} cases of corpora/policy are judged otherwise:\n{}", wrong.len(), wrong.join("\n"));
    study.cases(&engine, &cases);
    study.incidents(&engine, &corpus::builtin().unwrap());
    let folders = ["cases", "bypasses", "false-alarms"].map(|folder| root().join("corpora").join(folder));
    let (collected, _) = replay(&engine, &folders, nearmiss::reader::detect::by_name("actions"), 2);
    for finding in &collected.findings {
        let told = finding.otherwise.iter().find(|other| proved.contains(&other.mutant));
        let told = told.map(|other| mutants.all()[other.mutant].name());
        assert!(told.is_none(), "{told:?} is not equivalent: {}", finding.action.text);
        study.finding(finding, true);
    }
    let survey = study.finish(&engine, false);
    let score = survey.score().unwrap();
    assert!(survey.counted() > 2_000, "only {} mutants", survey.counted());
    let equivalent = survey.count(|fate| matches!(fate, Fate::Equivalent(_)));
    println!(
        "mutants of recommended: {:.1} % of {} killed, {equivalent} more are equivalent",
        100.0 * score,
        survey.counted()
    );
    let unkilled = survey.rules.iter().flat_map(|rule| &rule.mutants);
    let survivors: Vec<String> = unkilled
        .filter(|(_, fate, _)| !matches!(fate, Fate::Killed(_) | Fate::Equivalent(_)))
        .map(|(number, ..)| survey.mutants.all()[*number].name())
        .collect();
    assert!(
        survivors.is_empty(),
        "{} mutants survive; `nearmiss mutate --policy builtin:recommended --pinned corpora/cases corpora/bypasses \
         corpora/false-alarms corpora/incidents corpora/policy --rule ID --add corpora/policy/AREA.toml` writes the cases \
         that would notice them:\n{}",
        survivors.len(),
        survivors.join("\n")
    );
    let rules = |rule: &nearmiss::engine::mutate::RuleSurvey| rule.killed() == 0;
    assert_eq!(survey.rules.iter().filter(|rule| rules(rule)).count(), 0, "a rule nobody would miss");
}

const POLICY: &str = r#"@id("own.base")
permit (principal, action, resource);

@id("own.drop-table")
@severity("high")
@message("A table is gone for good.")
@blocks("[env=production] DROP TABLE orders")
forbid (principal, action == Action::"drop", resource is Table in Environment::"production")
unless { context.approved };
"#;
const CONFIG: &str = "[policy]\nextends = []\npaths = [\"policy\"]\n[test]\ncases = [\"cases.toml\"]\n";
const TRACE: &str = r#"{"kind": "sql", "text": "DROP TABLE orders", "environment": "staging"}
{"kind": "sql", "text": "DROP TABLE orders", "environment": "production", "approved": true}
{"kind": "sql", "text": "SELECT 1", "environment": "production"}
"#;

struct Project(tempfile::TempDir);

impl Project {
    fn new() -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        fs::create_dir(project.0.path().join("policy")).unwrap();
        project.write("nearmiss.toml", CONFIG);
        project.write("policy/own.cedar", POLICY);
        project.write("cases.toml", "");
        project.write("trace.jsonl", TRACE);
        project
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    #[track_caller]
    fn run(&self, arguments: &[&str], code: i32) -> String {
        self.run_in(arguments, None, code)
    }

    #[track_caller]
    fn run_in(&self, arguments: &[&str], ci: Option<&str>, code: i32) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nearmiss"));
        command.args(arguments).current_dir(self.0.path()).env_remove("CI").env_remove("TF_BUILD").env("NO_COLOR", "1");
        let output = command.envs(ci.map(|ci| ("CI", ci))).output().unwrap();
        let said = format!("{}{}", stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(code), "nearmiss {arguments:?}\n{said}");
        said
    }

    fn git(&self, arguments: &[&str]) {
        let output = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"])
            .args(arguments)
            .current_dir(self.0.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", stderr(&output));
    }

    fn score(&self, arguments: &[&str]) -> serde_json::Value {
        let said = self.run(&[&["mutate", "--format", "json", "-o", "out.json"], arguments].concat(), 0);
        serde_json::from_str(&self.read("out.json")).unwrap_or_else(|error| panic!("{error}: {said}"))
    }
}

#[test]
fn what_nobody_notices_comes_with_the_case_that_would() {
    let project = Project::new();
    let said = project.run(&["mutate", "trace.jsonl"], 0);
    for words in [
        "own.drop-table",
        "- resource in Environment::\"production\"",
        "policy/own.cedar:8",
        "trace.jsonl:1 is judged otherwise then, and pins nothing",
        "this case would notice:",
        "environment = \"staging\"",
        "approved = true",
        "% killed",
    ] {
        assert!(said.contains(words), "{words} is missing in\n{said}");
    }
    let before = project.score(&["trace.jsonl"]);
    assert!(before["seen"].as_u64().unwrap() > 0 && before["killed"].as_u64().unwrap() > 0, "{before}");
    // What is offered is right: added, it kills what survived, and every case holds.
    project.run(&["mutate", "trace.jsonl", "--add", "cases.toml"], 0);
    project.run(&["test"], 0);
    let after = project.score(&["trace.jsonl"]);
    assert_eq!((after["seen"].as_u64(), after["survived"].as_u64()), (Some(0), Some(0)), "{after:#}");
    assert_eq!(after["score"].as_f64(), Some(1.0));
    project.run(&["mutate", "--threshold", "1"], 0);
}

#[test]
fn a_pinned_log_notices() {
    let project = Project::new();
    let seen = project.score(&["trace.jsonl"]);
    let pinned = project.score(&["--pinned", "trace.jsonl"]);
    assert_eq!(pinned["seen"].as_u64(), Some(0));
    assert_eq!(
        pinned["killed"].as_u64().unwrap(),
        seen["killed"].as_u64().unwrap() + seen["seen"].as_u64().unwrap(),
        "{pinned:#}"
    );
    // The configuration can pin it as well.
    project.write("nearmiss.toml", &format!("{CONFIG}corpora = [\"trace.jsonl\"]\n"));
    assert_eq!(project.score(&[])["killed"], pinned["killed"]);
}

#[test]
fn a_share_that_is_not_reached_fails() {
    let project = Project::new();
    let said = project.run(&["mutate", "--threshold", "0.99"], 1);
    assert!(said.contains("below the threshold of 99.0 %"), "{said}");
    project.run(&["mutate", "--threshold", "1.5"], 2);
    project.run(&["mutate", "--rule", "own.drop-tabel"], 2);
    let refused = project.run_in(&["mutate", "--add", "cases.toml"], Some("1"), 2);
    assert!(refused.contains("nothing is written where `CI` is set"), "{refused}");
    assert_eq!(project.read("cases.toml"), "");
    // No log, no threshold over nothing.
    project.run(&["mutate", "nothing-here.jsonl"], 3);
}

#[test]
fn somebody_can_say_that_a_mutant_is_equivalent() {
    let project = Project::new();
    fs::create_dir(project.0.path().join(".nearmiss")).unwrap();
    let declare = |mutant: &str| {
        project.write(
            ".nearmiss/equivalent.toml",
            &format!("[[equivalent]]\nmutant = '{mutant}'\nreason = \"only tables are ever dropped here\"\n"),
        );
    };
    let before = project.score(&[]);
    declare("own.drop-table: drop resource is Table");
    let after = project.score(&[]);
    assert_eq!(after["survived"].as_u64().unwrap() + 1, before["survived"].as_u64().unwrap(), "{after:#}");
    let said = project.run(&["mutate"], 0);
    assert!(said.contains("only tables are ever dropped here"), "{said}");
    // One that an example notices is no equivalent, and one that is not there is a mistake.
    declare("own.drop-table: negate resource is Table");
    let said = project.run(&["mutate"], 1);
    assert!(said.contains("not equivalent: own.drop-table: negate resource is Table"), "{said}");
    declare("own.drop-table: drop resource is Tabel");
    let said = project.run(&["mutate"], 2);
    assert!(said.contains("equivalent.toml:2: there is no mutant"), "{said}");
}

#[test]
fn only_what_changed_is_in_question() {
    let project = Project::new();
    project.git(&["init", "-q"]);
    project.git(&["add", "-A"]);
    project.git(&["commit", "-qm", "policy"]);
    let said = project.run(&["mutate", "--in-diff", "HEAD", "--threshold", "1"], 0);
    assert!(said.contains("no rule is in question"), "{said}");
    project.write("policy/own.cedar", &POLICY.replace("context.approved", "context.dry_run"));
    let changed = project.score(&["--in-diff", "HEAD"]);
    let rules: Vec<_> =
        changed["rules"].as_array().unwrap().iter().map(|rule| rule["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["own.drop-table"]);
}

/// Conditions are told with what of them was never seen.
#[test]
fn conditions_are_covered_one_by_one() {
    let project = Project::new();
    let all = project.score(&["trace.jsonl"]);
    let rule = &all["rules"][1];
    assert_eq!(rule["rule"], "own.drop-table");
    let seen: Vec<String> = rule["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            format!("{} {} {} {}", one["text"].as_str().unwrap(), one["seen_true"], one["seen_false"], one["alone"])
        })
        .collect();
    assert_eq!(
        seen,
        [
            "action == Action::\"drop\" true false false",
            "resource is Table true false false",
            "resource in Environment::\"production\" true true true",
            "!context.approved true true true",
        ]
    );
    assert!(Path::new(rule["file"].as_str().unwrap()).ends_with("policy/own.cedar"));
}
