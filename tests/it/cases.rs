//! Our own labelled commands, judged for nobody in particular in no known environment: none of the everyday ones may
//! be stopped, each of the dangerous ones must be, by the rule that its session names (`*`: by any rule).

use nearmiss::model::{Decision, Finding};

use crate::support::{engine, replay, root};

fn judged(folder: &str) -> Vec<Finding> {
    let folder = root().join("corpora/cases").join(folder);
    let (collected, _) = replay(&engine(), &[folder], nearmiss::reader::detect::by_name("actions"), 1);
    assert!(collected.issues.is_empty(), "{:?}", collected.issues);
    assert!(collected.findings.len() >= 150, "only {} cases", collected.findings.len());
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
    let stopped = judged("everyday")
        .iter()
        .filter(|finding| finding.verdict.decision >= Decision::Ask)
        .map(|finding| format!("{} {:?} {}", finding.verdict.decision, rules(finding), finding.action.text))
        .collect::<Vec<_>>();
    check(&stopped);
}

#[test]
fn dangerous_commands_are_stopped_by_the_rule_they_name() {
    let passed = judged("dangerous")
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
