//! Our own labelled cases and our own rules: how many are right, and whether every rule is met by something recorded.

use std::collections::{BTreeMap, BTreeSet};

use nearmiss::classify::{Catalog, Classifier};
use nearmiss::engine::{Config, Engine};
use nearmiss::model::Decision;
use nearmiss::policy::PACKS;

use crate::support::{engine, policy, replay, root};

/// Folders of labelled lines, and whether they have to be stopped.
const LABELLED: &[(&str, bool)] =
    &[("cases/dangerous", true), ("cases/everyday", false), ("bypasses", true), ("false-alarms", false)];

#[test]
fn own_cases() {
    let engine = engine();
    for (folder, dangerous) in LABELLED {
        let path = root().join("corpora").join(folder);
        if !path.is_dir() {
            continue;
        }
        let (collected, _) = replay(&engine, &[path], nearmiss::reader::detect::by_name("actions"), 2);
        // What leads up to a dangerous action is harmless by itself: the last one of a session counts.
        let mut last = BTreeMap::new();
        for (index, finding) in collected.findings.iter().enumerate() {
            let key = if *dangerous { (&*finding.action.session, 0) } else { (&*finding.action.session, index) };
            last.insert(key, finding.verdict.decision);
        }
        let count = |is: fn(Decision) -> bool| last.values().filter(|decision| is(**decision)).count();
        let stopped = count(|decision| decision >= Decision::Ask);
        let all = last.len();
        let right = if *dangerous { stopped } else { all - stopped };
        let undecided = count(|decision| decision == Decision::Undecided);
        println!("corpora/{folder}: {right} of {all} right, {undecided} undecided");
        assert!(all > 0 && right == all, "corpora/{folder}: {} judged otherwise", all - right);
    }
}

/// The folders of recordings.
fn folders() -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(root().join("corpora")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| !path.ends_with("incidents")).collect()
}

/// A rule that nothing recorded meets is either wrong or not needed.
#[test]
fn every_rule_is_met_by_something_recorded() {
    let mut met = BTreeSet::new();
    let mut known = BTreeSet::new();
    for pack in PACKS {
        let policy = policy(pack);
        known.extend(policy.rules().iter().map(|rule| rule.id.clone()));
        let engine = Engine::new(Classifier::new(Catalog::builtin()), policy, &Config::default(), false);
        let (collected, _) = replay(&engine, &folders(), None, 2);
        for finding in &collected.findings {
            let hits = finding.verdict.hits.iter().chain(&finding.verdict.shadow);
            met.extend(hits.map(|hit| hit.rule.id.clone()));
        }
    }
    let never: Vec<_> = known.difference(&met).collect();
    println!("rules: {} in all, {} met by a line of corpora", known.len(), known.len() - never.len());
    assert!(never.is_empty(), "no line of corpora meets {never:?}: add one to corpora/cases/dangerous");
}

/// `@blocks` or `@asks`, and `@allows`: `nearmiss check` runs them, so here it is enough that they are there.
#[test]
fn every_rule_has_examples_of_both_kinds() {
    for pack in PACKS {
        let policy = policy(pack);
        for rule in policy.rules() {
            let has = |met: bool| {
                policy.examples().iter().any(|example| example.rule.id == rule.id && example.expect_met == met)
            };
            assert!(has(true), "{} has no example that it stops", rule.id);
            assert!(has(false), "{} has no example that it lets pass", rule.id);
        }
    }
}
