//! `docs/mapping.md` is true: its mappings are those of the samples, its commands do what they say, its tables are whole.

use std::fmt::Write as _;

use crate::support::{nearmiss, root, stderr, stdout};

fn page() -> String {
    std::fs::read_to_string(root().join("docs/mapping.md")).unwrap()
}

/// Blocks of one language, in order.
fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let opening = format!("```{language}\n");
    page.split(opening.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_mappings_on_the_page_are_those_of_the_samples() {
    let page = page();
    for example in ["splunk", "elastic", "parquet"] {
        let map = std::fs::read_to_string(root().join(format!("corpora/mapped/{example}/map.toml"))).unwrap();
        assert!(page.contains(&format!("```toml\n{map}```")), "the mapping of {example} is not on the page as it is");
    }
}

#[test]
fn the_commands_on_the_page_read_the_samples() {
    let page = page();
    let commands = blocks(&page, "sh");
    assert_eq!(commands.len(), 3, "{commands:?}");
    let mut told = String::new();
    for command in commands {
        let words: Vec<&str> = command.split_whitespace().skip(1).collect();
        if !cfg!(feature = "table") && command.contains(".parquet") {
            eprintln!("SKIPPED: this build does not read Parquet");
            return;
        }
        let output = nearmiss(&[&words[..], &["--format", "jsonl"]].concat());
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()), "{command}");
        for line in stdout(&output).lines() {
            let action: serde_json::Value = serde_json::from_str(line).unwrap();
            let word = |name: &str| action[name].as_str().unwrap_or("-").to_owned();
            let (actor, at) = (&action["actor"], &action["source"]["line"]);
            let rules: Vec<&str> =
                action["rules"].as_array().unwrap().iter().filter_map(|rule| rule.as_str()).collect();
            let _ = writeln!(
                told,
                "{at}: {} {} | {}:{} in {} at {} | {} {} | {} {}",
                word("kind"),
                word("text").replace('\n', " "),
                actor["kind"].as_str().unwrap(),
                actor["name"].as_str().unwrap(),
                word("session"),
                word("time"),
                word("environment"),
                word("executed"),
                word("decision"),
                rules.join(" "),
            );
        }
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("snapshots/mapped"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("examples", told));
}

#[test]
fn a_table_and_its_parquet_are_the_same_actions() {
    if !cfg!(feature = "table") {
        eprintln!("SKIPPED: this build does not read Parquet");
        return;
    }
    let folder = "corpora/mapped/parquet";
    let read = |file: &str| {
        let map = format!("{folder}/map.toml");
        let output = nearmiss(&["replay", &format!("{folder}/{file}"), "--map", &map, "--format", "jsonl"]);
        let mut actions: Vec<serde_json::Value> =
            stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        actions.iter_mut().for_each(|action| action["source"] = serde_json::Value::Null);
        actions
    };
    let (table, parquet) = (read("queries.csv"), read("queries.parquet"));
    assert_eq!(table.len(), 6);
    assert_eq!(table, parquet);
}

#[test]
fn a_mapping_holds_for_good_in_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let sample = root().join("corpora/mapped/splunk");
    std::fs::create_dir(at("maps")).unwrap();
    std::fs::copy(sample.join("map.toml"), at("maps/splunk.toml")).unwrap();
    std::fs::copy(sample.join("bastion.json"), at("day.splunk.json")).unwrap();
    let rule = "[[map]]\nfiles = [\"*.splunk.json\"]\nmap = \"maps/splunk.toml\"\n";
    std::fs::write(at("nearmiss.toml"), rule).unwrap();
    let config = at("nearmiss.toml").display().to_string();
    let log = at("day.splunk.json").display().to_string();
    let run = |arguments: &[&str]| nearmiss(&[arguments, &["--config", &config]].concat());
    let output = run(&["replay", &log, "--format", "jsonl"]);
    assert_eq!((output.status.code(), stdout(&output).lines().count()), (Some(0), 4), "{}", stderr(&output));
    let near = run(&["near", &log]);
    assert!(stdout(&near).contains("4 actions"), "{}\n{}", stdout(&near), stderr(&near));
    // What the mapping says wrong is said before anything is read.
    std::fs::write(at("maps/splunk.toml"), "[fields]\ntext = \"a\"\n").unwrap();
    let output = run(&["replay", &log]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("`kind` is not given"), "{}", stderr(&output));
}

#[test]
fn what_yields_nothing_is_no_pass() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let log = file("log.jsonl", "{\"cmd\":\"ls\"}\n{\"cmd\":\"ls\"}\n");
    let kind = "kind = { value = \"shell\" }";
    let none = file("none.toml", &format!("only = {{ type = \"x\" }}\n[fields]\n{kind}\ntext = \"cmd\"\n"));
    let wrong = file("wrong.toml", &format!("[fields]\n{kind}\ntext = \"command\"\n"));
    let code = |map: &str| nearmiss(&["replay", &log, "--map", map]).status.code();
    assert_eq!((code(&none), code(&wrong)), (Some(4), Some(3)));
    let both = nearmiss(&["replay", &log, "--map", &none, "--from", "lines"]);
    assert_eq!(both.status.code(), Some(2), "{}", stderr(&both));
}
