//! Our own labelled commands, judged for nobody in particular in no known environment: none of the everyday ones may
//! be stopped, each of the dangerous ones must be, by the rule that its session names (`*`: by any rule).
//!
//! `corpora/bypasses` and `corpora/false-alarms` hold what guards of this kind are got round by and cry wolf about, one
//! file a class: the last action of a session of the former must be stopped, every action of the latter allowed.
//!
//! `corpora/pairs` holds one act as a command line and as the call of an API that it makes, a session each: both are
//! judged alike.
//!
//! `corpora/not-understood` holds code whose doing depends on what nobody sees: that is said, and never allowed.

use std::collections::BTreeMap;

use nearmiss::model::{Decision, Finding};

use crate::support::{engine, replay, root};

fn judged(folder: &str) -> Vec<Finding> {
    at_least(150, folder)
}

fn at_least(least: usize, folder: &str) -> Vec<Finding> {
    let folder = root().join("corpora").join(folder);
    let (collected, _) = replay(&engine(), &[folder], nearmiss::reader::detect::by_name("actions"), 1);
    assert!(collected.issues.is_empty(), "{:?}", collected.issues);
    assert!(collected.findings.len() >= least, "only {} cases", collected.findings.len());
    collected.findings
}

fn rules(finding: &Finding) -> Vec<&str> {
    finding.verdict.hits.iter().map(|hit| &*hit.rule.id).collect()
}

fn check(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} cases are judged otherwise:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn everyday_commands_pass() {
    let stopped = judged("cases/everyday")
        .iter()
        .filter(|finding| finding.verdict.decision >= Decision::Ask)
        .map(|finding| format!("{} {:?} {}", finding.verdict.decision, rules(finding), finding.action.text))
        .collect::<Vec<_>>();
    check(&stopped);
}

#[test]
fn dangerous_commands_are_stopped_by_the_rule_they_name() {
    let passed = judged("cases/dangerous")
        .iter()
        .filter_map(|finding| {
            let (expected, _) = finding.action.session.split_once('/').expect("sessions are `rule/number`");
            let met = rules(finding);
            let right = if expected == "*" { !met.is_empty() } else { met.contains(&expected) };
            (!right).then(|| format!("{} {met:?}, not {expected}: {}", finding.verdict.decision, finding.action.text))
        })
        .collect::<Vec<_>>();
    check(&passed);
}

#[test]
fn calls_are_judged_as_the_command_lines_that_make_them() {
    let mut pairs = BTreeMap::<String, Vec<(Decision, Vec<String>, String)>>::new();
    for finding in at_least(80, "pairs") {
        let mut met: Vec<String> = rules(&finding).into_iter().map(str::to_owned).collect();
        met.sort();
        met.dedup();
        let one = (finding.verdict.decision, met, finding.action.text.to_string());
        pairs.entry(finding.action.session.to_string()).or_default().push(one);
    }
    let differ = pairs
        .iter()
        .filter(|(_, pair)| pair.len() < 2 || pair.iter().any(|one| (one.0, &one.1) != (pair[0].0, &pair[0].1)))
        .map(|(session, pair)| format!("{session}: {pair:#?}"))
        .collect::<Vec<_>>();
    check(&differ);
}

#[test]
fn ways_round_a_guard_are_stopped() {
    let findings = judged("bypasses");
    let mut last = BTreeMap::new();
    for finding in &findings {
        last.insert(&finding.action.session, finding);
    }
    let passed = last
        .values()
        .filter(|finding| finding.verdict.decision < Decision::Ask)
        .map(|finding| format!("{} {}: {}", finding.verdict.decision, finding.action.session, finding.action.text))
        .collect::<Vec<_>>();
    check(&passed);
}

#[test]
fn what_is_not_understood_is_not_allowed() {
    let passed = at_least(50, "not-understood")
        .iter()
        .filter(|finding| finding.verdict.decision == Decision::Allow)
        .map(|finding| format!("{:?} {}", finding.understanding.gaps, finding.action.text))
        .collect::<Vec<_>>();
    check(&passed);
}

#[test]
fn false_alarms_are_allowed() {
    let wrong = judged("false-alarms")
        .iter()
        .filter(|finding| finding.verdict.decision != Decision::Allow)
        .map(|finding| {
            let gaps: Vec<&str> = finding.understanding.gaps.iter().map(|gap| &*gap.detail).collect();
            format!("{} {:?} {gaps:?} {}", finding.verdict.decision, rules(finding), finding.action.text)
        })
        .collect::<Vec<_>>();
    check(&wrong);
}
