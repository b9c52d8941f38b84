//! SARIF 2.1.0: results at the policy line that changed, the recorded action as a related place and as a step of a flow.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::engine::compare::{Group, Transition};
use crate::engine::gate::FailureKind;
use crate::model::{RuleInfo, Severity};

use super::remark::{About, Level, Remark, remarks};
use super::said::{Spot, Standing};
use super::{ChangeReport, Told};

/// GitHub refuses a run with more results.
const MAX_RESULTS: usize = 25_000;
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

#[derive(Debug)]
pub(super) struct Sarif;

impl ChangeReport for Sarif {
    fn name(&self) -> &'static str {
        "sarif"
    }

    fn about(&self) -> &'static str {
        "SARIF 2.1.0 at the changed policy lines"
    }

    fn tell(&self, told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, &log(told))?;
        out.write_all(b"\n")?;
        out.flush()
    }
}

fn log(told: &Told<'_>) -> Value {
    let mut remarks = remarks(told);
    let left = remarks.len().saturating_sub(MAX_RESULTS);
    remarks.truncate(MAX_RESULTS);
    let rules = rules(told, &remarks);
    let index: BTreeMap<&str, usize> = rules.keys().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
    let results: Vec<Value> = remarks.iter().map(|remark| result(told, remark, &index)).collect();
    let version = env!("CARGO_PKG_VERSION");
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "nearmiss",
                "version": version,
                "semanticVersion": version,
                "rules": rules.into_values().collect::<Vec<_>>(),
            }},
            "automationDetails": { "id": "nearmiss/policy-impact/" },
            "invocations": [invocation(told, left)],
            "originalUriBaseIds": { "%SRCROOT%": { "description": { "text": "The top of the repository." } } },
            "results": results,
            "properties": {
                "base": told.base.policy_digest,
                "head": told.head.policy_digest,
                "actions": told.impact.total(),
            },
        }],
    })
}

/// Whether the gate was evaluated, which is not whether it passed.
fn invocation(told: &Told<'_>, left: usize) -> Value {
    let unevaluated = |kind| matches!(kind, FailureKind::Nothing | FailureKind::Unread | FailureKind::Errors);
    let failures = told.gate.map_or(&[][..], |gate| &gate.failures);
    let mut notifications: Vec<Value> = failures
        .iter()
        .filter(|failure| unevaluated(failure.kind))
        .map(|failure| json!({ "level": "error", "message": message(&told.shown(&failure.message)) }))
        .collect();
    let successful = notifications.is_empty();
    if left > 0 {
        let text = format!("{left} more results are left out; the JSON report has all of them.");
        notifications.push(json!({ "level": "warning", "message": message(&text) }));
    }
    json!({ "executionSuccessful": successful, "toolExecutionNotifications": notifications })
}

/// The checks that results name, by id: rules of the policy, and our own.
fn rules(told: &Told<'_>, remarks: &[Remark<'_>]) -> BTreeMap<String, Value> {
    let mut rules = BTreeMap::new();
    for remark in remarks {
        if rules.contains_key(&remark.check) {
            continue;
        }
        let info = match remark.about {
            About::Group(group) => group.rules().find(|rule| rule.id == remark.check),
            About::Case | About::Whole => None,
        };
        let rule = match info {
            Some(info) => rule_of_policy(told, info),
            None => rule_of_ours(&remark.check),
        };
        rules.insert(remark.check.clone(), rule);
    }
    rules
}

fn rule_of_policy(told: &Told<'_>, info: &RuleInfo) -> Value {
    let text = if info.message.is_empty() { info.id.clone() } else { told.shown(&info.message) };
    let help = if info.advice.is_empty() { text.clone() } else { format!("{text} {}", told.shown(&info.advice)) };
    let help = format!(
        "{help} To let what a change of this rule allows pass the gate, accept it: nearmiss accept ID --reason TEXT"
    );
    json!({
        "id": info.id,
        "shortDescription": message(&text),
        "help": message(&help),
        "defaultConfiguration": { "level": "warning" },
        "properties": {
            "security-severity": security_severity(info.severity),
            "tags": ["policy", "security", info.severity.word()],
        },
    })
}

fn rule_of_ours(check: &str) -> Value {
    let (text, help) = match check {
        "nearmiss.wrong-case" => (
            "A labelled action is not judged as its label says.",
            "Mend the policy, or the label if it is wrong: nearmiss test shows both.",
        ),
        "nearmiss.new-blocks" => (
            "A policy change stops more than it may.",
            "Narrow the rule, or raise max-new-blocks or max-new-block-share in nearmiss.toml first.",
        ),
        "nearmiss.coverage" => (
            "A policy change leaves more undecided than it may.",
            "Give the rules the facts that they ask for, or raise max-new-undecided-share in nearmiss.toml first.",
        ),
        "nearmiss.policy-impact" => (
            "A policy change judges recorded actions otherwise.",
            "Accept a loosening with nearmiss accept ID --reason TEXT, or take the change back.",
        ),
        _ => (
            "The gate could not be evaluated.",
            "Mend what the message names and run the gate again; until then treat it as failed.",
        ),
    };
    json!({
        "id": check,
        "shortDescription": message(text),
        "help": message(help),
        "defaultConfiguration": { "level": "error" },
        "properties": { "tags": ["policy"] },
    })
}

fn result(told: &Told<'_>, remark: &Remark<'_>, index: &BTreeMap<&str, usize>) -> Value {
    let level = match remark.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    };
    let mut result = Map::new();
    let mut set = |key: &str, value: Value| result.insert(key.to_owned(), value);
    set("ruleId", json!(remark.check));
    set("ruleIndex", json!(index.get(remark.check.as_str())));
    set("level", json!(level));
    set("kind", json!("fail"));
    set("message", message(&remark.message));
    set("locations", json!([{ "physicalLocation": physical(&remark.spot) }]));
    set("partialFingerprints", json!({ "nearmissChange/v1": remark.fingerprint }));
    if let About::Group(group) = remark.about {
        // Nothing is wrong when other rules stop the same; such a result has no level.
        if group.transition == Transition::Reattributed {
            set("kind", json!("informational"));
            set("level", json!("none"));
        }
        set("relatedLocations", json!(related(told, group)));
        set("codeFlows", json!([{ "threadFlows": [{ "locations": flow(told, group, &remark.spot) }] }]));
        if let Standing::Accepted(acceptance) = told.standing(group) {
            let reason = told.shown(&acceptance.reason);
            set("suppressions", json!([{ "kind": "external", "status": "accepted", "justification": reason }]));
        }
        set(
            "properties",
            json!({
                "transition": format!("{}->{}", group.base, group.head),
                "count": group.count,
                "cases": group.cases,
                "actors": group.actors.len(),
                "standing": told.standing(group).word(),
                "tags": ["policy", group.transition.word()],
            }),
        );
    }
    Value::Object(result)
}

/// The recorded action, and the other places that have to do with it.
fn related(told: &Told<'_>, group: &Group) -> Vec<Value> {
    let mut places = Vec::new();
    if let Some(spot) = told.source(group) {
        let text = format!("{}: {}", told.source_said(group), told.shown(&group.example.text));
        places.push(json!({ "id": 0, "message": message(&text), "physicalLocation": physical(&spot) }));
    }
    let main = told.main_spot(group);
    for (why, spot) in told.why(group).into_iter().filter_map(|(why, spot)| Some((why, spot?))).take(100) {
        if spot != main {
            let id = places.len();
            places.push(json!({ "id": id, "message": message(&why), "physicalLocation": physical(&spot) }));
        }
    }
    places
}

/// From the action to the line that judges it otherwise.
fn flow(told: &Told<'_>, group: &Group, spot: &Spot) -> Vec<Value> {
    let step = |text: &str, spot: &Spot| json!({ "location": { "message": message(text), "physicalLocation": physical(spot) } });
    let action = told.source(group).map(|spot| {
        step(
            &format!(
                "{} {} did it; base: {}",
                group.example.actor.kind,
                told.shown(&group.example.actor.name),
                group.base
            ),
            &spot,
        )
    });
    let why: Vec<String> = told.why(group).into_iter().map(|(why, _)| why).take(3).collect();
    let edit = step(&format!("{}; head: {}", why.join("; "), group.head), spot);
    action.into_iter().chain([edit]).collect()
}

fn physical(spot: &Spot) -> Value {
    let mut artifact = json!({ "uri": uri(&spot.file) });
    if !spot.file.starts_with('/') {
        artifact["uriBaseId"] = json!("%SRCROOT%");
    }
    json!({ "artifactLocation": artifact, "region": { "startLine": spot.line } })
}

/// A path as a reference: what has a meaning in a URI is spelt in percent.
fn uri(path: &str) -> String {
    let mut uri = if path.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/@+,=".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

/// A message whose brackets are no links and whose braces are no places for arguments (SARIF 3.11.5, 3.11.6).
fn message(text: &str) -> Value {
    let mut plain = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '[' | ']' | '\\' => plain.extend(['\\', char]),
            '{' | '}' => plain.extend([char, char]),
            char => plain.push(char),
        }
    }
    json!({ "text": plain })
}

/// What GitHub sorts by: over 9 is critical, from 7 high, from 4 medium.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Info => "0.5",
    }
}

#[cfg(test)]
mod tests {
    use super::{message, uri};

    #[test]
    fn recorded_text_makes_no_links() {
        assert_eq!(message("see [me](http://x) {0}")["text"], "see \\[me\\](http://x) {{0}}");
    }

    #[test]
    fn paths_are_references() {
        assert_eq!(uri("policy/own rules.cedar"), "policy/own%20rules.cedar");
        assert_eq!(uri("a:b?c#d"), "a%3Ab%3Fc%23d");
        assert_eq!(uri("/srv/x"), "file:///srv/x");
    }
}
