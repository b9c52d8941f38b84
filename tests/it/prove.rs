//! `nearmiss prove`, with the real solver and with ones that fail. Needs cvc5: scripts/install-solver.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nearmiss::classify::{Catalog, Classifier};
use nearmiss::engine::{Config, Engine, expect};
use nearmiss::policy::{LoadOptions, Policy, Source};
use serde_json::Value;

use crate::support::{files_below, root, stderr, stdout};

/// The recommended pack as files, with some words of one file replaced.
fn recommended(folder: &Path, edits: &[(&str, &str, &str)]) -> PathBuf {
    let target = folder.join("new");
    std::fs::create_dir(&target).unwrap();
    for file in files_below(&root().join("src/policy/builtin/recommended")) {
        let name = file.file_name().unwrap().to_str().unwrap();
        let mut text = std::fs::read_to_string(&file).unwrap();
        for (_, old, new) in edits.iter().filter(|(edited, ..)| *edited == name) {
            assert!(text.contains(old), "{name} has no {old}");
            text = text.replacen(old, new, 1);
        }
        std::fs::write(target.join(name), text).unwrap();
    }
    target
}

fn prove(folder: &Path, solver: Option<&Path>, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nearmiss"));
    command
        .arg("prove")
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env_remove("CI")
        .env_remove("TF_BUILD");
    match solver {
        Some(solver) => command.env("CVC5", solver),
        None => command.env_remove("CVC5"),
    };
    command.output().unwrap()
}

#[track_caller]
fn json(folder: &Path, arguments: &[&str], code: i32) -> Value {
    let output = prove(folder, None, &[arguments, &["--format", "json"]].concat());
    let (out, err) = (stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

/// One rule of the recommended pack, weakened by one condition.
const LOOSENED: (&str, &str, &str) = (
    "sql.cedar",
    "forbid (principal, action == Action::\"drop\", resource is Table in Environment::\"production\")\n\
     when { !context.dry_run && ",
    "forbid (principal, action == Action::\"drop\", resource is Table in Environment::\"production\")\n\
     when { !(resource.name like \"tmp_*\") && !context.dry_run && ",
);

#[test]
fn a_planted_loosening_is_found_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    recommended(folder.path(), &[LOOSENED]);
    let told = json(folder.path(), &["builtin:recommended", "new", "--cases", "cases.toml"], 1);
    assert_eq!(told["result"], "refuted");
    let loosened = told["loosened"].as_array().unwrap();
    assert_eq!(loosened.len(), 1, "{told:#}");
    let way = &loosened[0];
    assert_eq!((&way["was"], &way["is"]), (&"block".into(), &"allow".into()));
    assert_eq!(way["rules"].as_array().unwrap().len(), 1);
    assert_eq!(way["rules"][0]["id"], "sql.drop-table-production");
    assert_eq!(way["rules"][0]["unmet"][0], "!(resource.name like \"tmp_*\")");
    assert!(way["rules"][0]["change"]["place"].as_str().unwrap().starts_with("new/sql.cedar:"), "{way:#}");
    for place in way["environments"].as_array().unwrap() {
        assert_eq!((&place["operation"], &place["kind"]), (&"drop".into(), &"Table".into()));
    }
    assert_eq!(way["request"]["environment"], "production");
    assert!(told["open"].as_array().unwrap().is_empty());

    // The case holds the old policy to what it did, and the new one breaks it.
    let text = std::fs::read_to_string(folder.path().join("cases.toml")).unwrap();
    let judged = |policy: Policy| {
        let engine = Engine::new(Classifier::new(Catalog::builtin()), policy, &Config::default(), false);
        let cases = expect::cases("cases.toml", &text).unwrap();
        assert_eq!(cases.len(), 1);
        cases.into_iter().map(|case| expect::judge(&engine, case).problem()).next().unwrap()
    };
    assert_eq!(judged(crate::support::policy("recommended")), None);
    let sources: Vec<Source> = files_below(&folder.path().join("new"))
        .into_iter()
        .map(|file| Source {
            name: file.display().to_string(),
            text: std::fs::read_to_string(&file).unwrap(),
            builtin: false,
        })
        .collect();
    let new = Policy::load(&sources, &LoadOptions::default()).unwrap();
    assert_eq!(judged(new).as_deref(), Some("expected block, got allow"));

    // The same for a person.
    let output = prove(folder.path(), None, &["builtin:recommended", "new"]);
    let out = stdout(&output);
    for words in ["block -> allow  sql.drop-table-production", "DROP TABLE tmp_1", "[[case]]", "refuted"] {
        assert!(out.contains(words), "{words} is missing in\n{out}");
    }
}

#[test]
fn a_tightening_is_proved_and_is_no_refactoring() {
    let folder = tempfile::tempdir().unwrap();
    let stricter =
        (LOOSENED.0, LOOSENED.1, LOOSENED.2.replace("!(resource.name like \"tmp_*\") && !context.dry_run", "true"));
    recommended(folder.path(), &[(stricter.0, stricter.1, &stricter.2)]);
    let told = json(folder.path(), &["builtin:recommended", "new"], 0);
    assert_eq!(told["result"], "proved");
    assert!(told["environments"]["by_solver"].as_u64().unwrap() > 0, "{told:#}");
    // It does stop something more, and the other way round it would be a loosening.
    let told = json(folder.path(), &["equivalent", "builtin:recommended", "new"], 1);
    assert!(told["loosened"].as_array().unwrap().is_empty());
    let way = &told["tightened"][0];
    assert_eq!((&way["was"], &way["is"]), (&"allow".into(), &"block".into()));
    assert!(way["request"]["facts"].as_array().unwrap().contains(&"context.dry_run = true".into()), "{way:#}");
    json(folder.path(), &["new", "builtin:recommended"], 1);
}

#[test]
fn a_refactoring_is_proved() {
    let folder = tempfile::tempdir().unwrap();
    // De Morgan, and the members in another order.
    let edits = [
        (
            "sql.cedar",
            "when { resource is Table || resource is Schema || resource is Database || resource is Server }",
            "unless { !(resource is Server) && !(resource is Database || resource is Schema) && !(resource is Table) }",
        ),
        (
            "sql.cedar",
            "when { resource.unresolved || !(resource in [Area::\"ephemeral\", Area::\"own-work\"]) }",
            "unless { resource in [Area::\"own-work\", Area::\"ephemeral\"] && !resource.unresolved }",
        ),
    ];
    recommended(folder.path(), &edits);
    let told = json(folder.path(), &["equivalent", "builtin:recommended", "new"], 0);
    assert_eq!(told["result"], "proved");
    assert!(told["environments"]["by_solver"].as_u64().unwrap() > 0, "{told:#}");
}

const PERMIT: &str = "permit (principal, action, resource);\n";

fn rule(id: &str, decision: &str, body: &str) -> String {
    format!("@id(\"{id}\")\n@decision(\"{decision}\")\n@severity(\"high\")\n@message(\"m\")\nforbid ({body};\n")
}

fn write(folder: &Path, name: &str, rules: &[String]) {
    std::fs::write(folder.join(name), format!("{PERMIT}{}", rules.concat())).unwrap();
}

#[test]
fn a_rule_that_only_asks_now_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let body = "principal, action == Action::\"drop\", resource is Table)";
    write(folder.path(), "old.cedar", &[rule("own.drop", "block", body)]);
    write(folder.path(), "new.cedar", &[rule("own.drop", "ask", body)]);
    let told = json(folder.path(), &["old.cedar", "new.cedar"], 1);
    let way = &told["loosened"][0];
    assert_eq!((&way["was"], &way["is"]), (&"block".into(), &"ask".into()));
    assert!(way["rules"][0]["change"]["said"][0] == "decision block -> ask");
    // A rule in shadow stops nothing.
    let shadow = rule("own.drop", "block", body).replace("@severity", "@mode(\"shadow\")\n@severity");
    write(folder.path(), "new.cedar", &[shadow]);
    let told = json(folder.path(), &["old.cedar", "new.cedar"], 1);
    assert_eq!(told["loosened"][0]["is"], "allow");
    json(folder.path(), &["new.cedar", "old.cedar"], 0);
}

#[test]
fn permits_count() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "new.cedar", &[]);
    let narrow = "permit (principal, action, resource) when { context.approved || context.kind == Kind::\"sql\" };\n";
    std::fs::write(folder.path().join("old.cedar"), narrow).unwrap();
    let told = json(folder.path(), &["old.cedar", "new.cedar"], 1);
    assert_eq!(told["loosened"][0]["was"], "block");
    assert_eq!(json(folder.path(), &["new.cedar", "old.cedar"], 0)["result"], "proved");
}

#[test]
fn what_no_single_action_shows_is_no_case() {
    let folder = tempfile::tempdir().unwrap();
    let body = |number| {
        format!("principal, action == Action::\"drop\", resource) when {{ context.session.denials > {number} }}")
    };
    write(folder.path(), "old.cedar", &[rule("own.denied", "ask", &body(3))]);
    write(folder.path(), "new.cedar", &[rule("own.denied", "ask", &body(30))]);
    let told = json(folder.path(), &["old.cedar", "new.cedar"], 1);
    let way = &told["loosened"][0];
    assert_eq!(way["request"]["facts"], serde_json::json!(["context.session.denials = 4"]));
    assert!(way.get("case").is_none());
}

#[test]
fn what_other_rules_still_stop_is_no_loosening() {
    let folder = tempfile::tempdir().unwrap();
    let gone = |rest: &str| {
        let about = "resource is Table || resource is View || resource is Index";
        let act = "principal, action in [Action::\"drop\", Action::\"delete\"], resource)";
        rule("own.gone", "block", &format!("{act} when {{ {about} }}{rest}"))
    };
    let both = |id: &str, scope: &str, rest: &str| {
        rule(id, "block", &format!("principal, action == Action::{scope}) unless {{ {rest} }}"))
    };
    let others = [
        both("own.drop", "\"drop\", resource", "false"),
        both("own.view", "\"delete\", resource is View", "false"),
        // Two exceptions at once, one of which has to be thought of.
        both("own.by", "\"delete\", resource is Table", "context.by like \"a*z\""),
        both("own.cascades", "\"delete\", resource", "context.cascades || resource is Index"),
        // An exception for other names than the loosening lets through.
        both("own.index", "\"delete\", resource is Index", "resource.name like \"dev_*\""),
    ];
    let write = |name: &str, rest: &str, others: &[String]| {
        let rules: Vec<String> = others.iter().cloned().chain([gone(rest)]).collect();
        write(folder.path(), name, &rules);
    };
    let loosened = " unless { resource.name like \"tmp_*\" }";
    write("old.cedar", "", &others);
    write("new.cedar", loosened, &others);
    let told = json(folder.path(), &["old.cedar", "new.cedar"], 1);
    let ways = told["loosened"].as_array().unwrap();
    assert_eq!((told["result"].as_str(), ways.len()), (Some("refuted"), 1), "{told:#}");
    assert_eq!(ways[0]["rules"][0]["id"], "own.gone");
    // Nowhere else, and for everybody there.
    let places = ways[0]["environments"].as_array().unwrap();
    assert!(places.iter().all(|place| place["operation"] == "delete" && place["kind"] == "Table"), "{told:#}");
    assert!(places.len() >= 4, "{told:#}");
    let facts = ways[0]["request"]["facts"].as_array().unwrap();
    assert!(facts.contains(&"context.cascades = true".into()), "{told:#}");
    assert!(facts.iter().any(|fact| fact.as_str().unwrap().starts_with("context.by = \"a")), "{told:#}");
    assert!(told["open"].as_array().unwrap().is_empty());

    // With one exception less nothing is left that passes.
    let tight: Vec<String> = others.iter().map(|rule| rule.replace("context.by like \"a*z\"", "false")).collect();
    write("old.cedar", "", &tight);
    write("new.cedar", loosened, &tight);
    let told = json(folder.path(), &["old.cedar", "new.cedar"], 0);
    assert_eq!(told["result"], "proved");
    assert!(told["environments"]["by_solver"].as_u64().unwrap() >= 24, "{told:#}");
    assert_eq!(json(folder.path(), &["new.cedar", "old.cedar"], 0)["result"], "proved");
}

#[test]
fn a_rule_that_calculates_is_not_proved() {
    let folder = tempfile::tempdir().unwrap();
    let body = |number| {
        format!(
            "principal, action == Action::\"drop\", resource) when {{ context.session.denials + context.session.sweep > {number} }}"
        )
    };
    write(folder.path(), "old.cedar", &[rule("own.sum", "ask", &body(30))]);
    write(folder.path(), "new.cedar", &[rule("own.sum", "ask", &body(3))]);
    let told = json(folder.path(), &["old.cedar", "new.cedar"], 2);
    assert_eq!(told["result"], "not-proved");
    assert!(told["open"][0]["why"].as_str().unwrap().contains("own.sum"), "{told:#}");
}

#[test]
fn rules_that_never_fire_and_never_decide_alone() {
    let folder = tempfile::tempdir().unwrap();
    let drop = |rest: &str| format!("principal, action == Action::\"drop\", resource is Table) when {{ {rest} }}");
    write(
        folder.path(),
        "p.cedar",
        &[
            rule("own.never", "ask", &drop("context has count && context.count > 5 && context.count < 3")),
            // Every environment of a resource is the action's: the schema does not know, we do.
            rule(
                "own.torn",
                "ask",
                &drop("resource in Environment::\"production\" && context.environment == Environment::\"test\""),
            ),
            rule("own.wide", "block", &drop("resource.name like \"a*\"")),
            rule("own.narrow", "ask", &drop("resource.name like \"ab*\" && context.cascades")),
            rule("own.either", "ask", &drop("context.cascades || resource.name like \"ab*\"")),
        ],
    );
    let told = json(folder.path(), &["never", "--policy", "p.cedar"], 1);
    let found: Vec<_> = told["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| (rule["id"].as_str().unwrap(), rule["fires"].as_str().unwrap(), rule["by"].to_string()))
        .collect();
    let expected = [
        ("own.never", "never", "[]"),
        ("own.torn", "never", "[]"),
        ("own.wide", "alone", "[]"),
        ("own.narrow", "covered", "[\"own.wide\"]"),
        ("own.either", "alone", "[]"),
    ];
    assert_eq!(found, expected.map(|(id, fires, by)| (id, fires, by.to_owned())));
    assert_eq!(json(folder.path(), &["never", "own.wide", "--policy", "p.cedar"], 0)["result"], "proved");
    let output = prove(folder.path(), None, &["never", "own.wyde", "--policy", "p.cedar"]);
    assert_eq!(output.status.code(), Some(2));
}

/// What a solver does with a question that is no test of it.
fn solver(folder: &Path, does: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let script = folder.join("solver");
    let text = format!(
        r#"#!/bin/sh
next() {{ {does}; }}
while read -r line; do
  case "$line" in
    *'"a") true'*) next() {{ echo sat; }} ;;
    *'"a") false'*) next() {{ echo unsat; }} ;;
    '(reset)') next() {{ {does}; }} ;;
    '(check-sat)') next ;;
    '(get-model)') printf '(\n)\n' ;;
    '(echo '*) echo 'nearmiss: end of answer' ;;
  esac
done
"#
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    script
}

/// A change that the solver would have to be asked about.
fn changed(folder: &Path) {
    let body = |rest: &str| format!("principal, action == Action::\"drop\", resource is Table) when {{ {rest} }}");
    write(folder, "old.cedar", &[rule("own.drop", "block", &body("context.cascades"))]);
    write(folder, "new.cedar", &[rule("own.drop", "block", &body("context.cascades || context.elevated"))]);
}

#[track_caller]
fn not_proved(folder: &Path, solver: Option<&Path>, says: &str) {
    for arguments in [&["old.cedar", "new.cedar"][..], &["never", "--policy", "old.cedar"]] {
        let output = prove(folder, solver, &[arguments, &["--limit", "1"]].concat());
        let all = format!("{}{}", stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(2), "{arguments:?}\n{all}");
        assert!(all.to_lowercase().contains("not proved") && all.contains(says), "{arguments:?}\n{all}");
        // Not a word of success: `proved` stands only behind `not`.
        assert!(!all.lines().any(|line| line.starts_with("proved")), "{all}");
    }
}

#[test]
fn a_solver_that_fails_proves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    changed(folder.path());
    json(folder.path(), &["old.cedar", "new.cedar"], 0);
    not_proved(folder.path(), Some(&solver(folder.path(), "echo unknown")), "gave up");
    not_proved(folder.path(), Some(&solver(folder.path(), "echo 'Segmentation fault'")), "Segmentation fault");
    not_proved(folder.path(), Some(&solver(folder.path(), "exit 3")), "the solver ended");
    // It finds something, but nobody can read what.
    not_proved(folder.path(), Some(&solver(folder.path(), "echo sat")), "");
    not_proved(folder.path(), Some(Path::new("/bin/false")), "cannot be used");
    not_proved(folder.path(), Some(Path::new("/bin/cat")), "cannot be used");
    not_proved(folder.path(), Some(&folder.path().join("nowhere")), "could not be started");
    let parrot = solver(folder.path(), "echo unsat");
    let text = std::fs::read_to_string(&parrot).unwrap().replace("echo sat", "echo unsat");
    std::fs::write(&parrot, text).unwrap();
    not_proved(folder.path(), Some(&parrot), "easy questions");
}

#[test]
fn without_a_solver_nothing_is_proved() {
    let folder = tempfile::tempdir().unwrap();
    changed(folder.path());
    // Not even what needs no solver: a gate must not come to depend on what a change happens to be.
    for arguments in [&["old.cedar", "new.cedar"][..], &["old.cedar", "old.cedar"], &["never", "--policy", "old.cedar"]]
    {
        let output = Command::new(env!("CARGO_BIN_EXE_nearmiss"))
            .arg("prove")
            .args(arguments)
            .current_dir(folder.path())
            .env("PATH", folder.path())
            .env_remove("CVC5")
            .output()
            .unwrap();
        let (out, err) = (stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(2), "{out}{err}");
        assert!(out.is_empty() && err.contains("not proved") && err.contains("apt-get install cvc5"), "{out}{err}");
    }
}

#[test]
fn a_policy_without_a_permit_proves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    changed(folder.path());
    for name in ["old.cedar", "new.cedar"] {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join(name), text.replace(PERMIT, "")).unwrap();
    }
    // Both stop everything: there is nothing that the new one could let through.
    for arguments in [&["new.cedar", "old.cedar"][..], &["equivalent", "new.cedar", "old.cedar"]] {
        let output = prove(folder.path(), None, arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("not proved") && stderr(&output).contains("permit"), "{}", stderr(&output));
    }
}

#[test]
fn what_is_in_force_is_held_against_a_revision() {
    let folder = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| {
        let done = Command::new("git")
            .args(["-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "init.defaultBranch=main"])
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    let own = |body: &str| {
        let text =
            rule("own.drop", "block", &format!("principal, action == Action::\"drop\", resource is Queue) {body}"));
        std::fs::write(folder.path().join("own.cedar"), text).unwrap();
    };
    std::fs::write(
        folder.path().join("nearmiss.toml"),
        "[policy]\nextends = [\"builtin:recommended\"]\npaths = [\"own.cedar\"]\n",
    )
    .unwrap();
    own("");
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "base"]);
    own("unless { resource.name like \"dev-*\" }");
    let told = json(folder.path(), &["--base", "main"], 1);
    assert_eq!(told["loosened"][0]["rules"][0]["id"], "own.drop");
    assert_eq!(told["loosened"][0]["rules"][0]["change"]["place"], "own.cedar:5");
    git(&["commit", "-qam", "head"]);
    assert_eq!(json(folder.path(), &["--base", "HEAD"], 0)["result"], "proved");
}
