//! Everything, as one JSON object; `docs/schemas/change.json` describes it.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::engine::compare::{Example, Group, Transition};
use crate::engine::expect::Outcome;
use crate::engine::gate::{Acceptance, Gate};
use crate::model::{Decision, Issue, RuleInfo};
use crate::policy::RuleChange;
use crate::report::Heading;

use super::said::Spot;
use super::{ChangeReport, Told};

/// Raised when a reader of an earlier one would misread the object.
const SCHEMA_VERSION: u32 = 1;

#[derive(Debug)]
pub(super) struct Json;

impl ChangeReport for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn about(&self) -> &'static str {
        "everything, as one JSON object (docs/schemas/change.json)"
    }

    fn tell(&self, told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, &whole(told))?;
        out.write_all(b"\n")?;
        out.flush()
    }
}

fn whole(told: &Told<'_>) -> Value {
    let impact = told.impact;
    json!({
        "schema_version": SCHEMA_VERSION,
        "base": policy(told.base),
        "head": policy(told.head),
        "summary": summary(told),
        "gate": told.gate.map(|gate| verdict(told, gate)),
        "changes": impact.groups.iter().map(|group| change(told, group)).collect::<Vec<_>>(),
        "ungrouped": impact.ungrouped,
        "edits": impact.rules.iter().map(|edited| edit(told, edited)).collect::<Vec<_>>(),
        "names_changed": impact.meanings,
        "frontier": impact.frontier.iter().map(|moved| json!({
            "rule": moved.rule, "nearer": moved.nearer, "farther": moved.farther,
        })).collect::<Vec<_>>(),
        "cases": told.cases.iter().map(|outcome| case(told, outcome)).collect::<Vec<_>>(),
        "errors": { "actions": impact.errors, "messages": impact.messages.iter().map(|text| told.shown(text)).collect::<Vec<_>>() },
        "issues": told.issues.iter().map(|issue| problem(told, issue)).collect::<Vec<_>>(),
    })
}

fn policy(heading: &Heading) -> Value {
    json!({
        "policies": heading.policies,
        "digest": heading.policy_digest,
        "rules": heading.rules,
        "config": heading.config,
    })
}

fn summary(told: &Told<'_>) -> Value {
    let row = |row: &[u64; 4]| -> Map<String, Value> {
        Decision::ALL.iter().zip(row).map(|(head, count)| (head.word().to_owned(), json!(count))).collect()
    };
    let table: Map<String, Value> = Decision::ALL
        .iter()
        .zip(&told.impact.table)
        .map(|(base, counts)| (base.word().to_owned(), Value::Object(row(counts))))
        .collect();
    let transitions: Map<String, Value> = Transition::ALL
        .iter()
        .map(|transition| {
            let groups = told.impact.groups(*transition).count();
            let counts = json!({ "changes": groups, "actions": told.impact.actions(*transition) });
            (transition.word().to_owned(), counts)
        })
        .collect();
    json!({
        "headline": told.headline(),
        "actions": told.totals.actions,
        "sessions": told.totals.sessions,
        "files": told.totals.files,
        "unread": told.totals.unread,
        "coverage": told.totals.coverage(),
        "elapsed_ms": u64::try_from(told.elapsed.as_millis()).unwrap_or(u64::MAX),
        "table": table,
        "transitions": transitions,
    })
}

fn verdict(told: &Told<'_>, gate: &Gate) -> Value {
    let failures = gate.failures.iter().map(|failure| {
        json!({
            "kind": failure.kind,
            "message": told.shown(&failure.message),
            "change": failure.change.map(|change| change.to_string()),
            "case": failure.case,
        })
    });
    json!({
        "passed": gate.passed(),
        "failures": failures.collect::<Vec<_>>(),
        "unused": gate.unused.iter().map(|acceptance| accepted(told, acceptance)).collect::<Vec<_>>(),
    })
}

fn accepted(told: &Told<'_>, acceptance: &Acceptance) -> Value {
    json!({
        "id": acceptance.id.to_string(),
        "reason": told.shown(&acceptance.reason),
        "by": acceptance.by.as_deref().map(|by| told.shown(by)),
        "until": acceptance.until.map(|until| until.to_string()),
        "template": told.shown(&acceptance.template),
        "transition": told.shown(&acceptance.transition),
    })
}

fn change(told: &Told<'_>, group: &Group) -> Value {
    let why =
        told.why(group).into_iter().map(|(text, spot)| json!({ "text": text, "place": spot.map(|spot| place(&spot)) }));
    let acceptance = told.gate.and_then(|gate| gate.accepted.get(&group.id));
    json!({
        "id": group.id.to_string(),
        "transition": group.transition,
        "base": group.base,
        "head": group.head,
        "template": told.shown(&group.template),
        "count": group.count,
        "cases": group.cases,
        "actors": group.actors.iter().map(|actor| told.shown(actor)).collect::<Vec<_>>(),
        "sessions": group.sessions.len(),
        "environments": group.environments,
        "first": group.first.map(|time| time.to_string()),
        "last": group.last.map(|time| time.to_string()),
        "gone": rules(told, &group.gone),
        "changed": rules(told, &group.changed),
        "new": rules(told, &group.new),
        "why": why.collect::<Vec<_>>(),
        "hint": told.hint(group),
        "example": example(told, &group.example),
        "standing": told.gate.map(|_| told.standing(group).word()),
        "acceptance": acceptance.map(|acceptance| accepted(told, acceptance)),
    })
}

fn rules(told: &Told<'_>, rules: &[std::sync::Arc<RuleInfo>]) -> Vec<Value> {
    rules
        .iter()
        .map(|rule| {
            json!({
                "id": rule.id,
                "decision": rule.decision,
                "severity": rule.severity,
                "message": told.shown(&rule.message),
                "advice": told.shown(&rule.advice),
                "file": rule.file,
                "line": rule.line,
            })
        })
        .collect()
}

fn example(told: &Told<'_>, example: &Example) -> Value {
    json!({
        "id": example.id.to_string(),
        "text": told.shown(&example.text),
        "tool": example.tool.as_deref().map(|tool| told.shown(tool)),
        "actor": { "name": told.shown(&example.actor.name), "kind": example.actor.kind },
        "session": told.shown(&example.session),
        "time": example.time.map(|time| time.to_string()),
        "environment": example.environment,
        "file": told.shown(&example.file),
        "line": example.line,
    })
}

fn place(spot: &Spot) -> Value {
    json!({ "file": spot.file, "line": spot.line })
}

fn edit(told: &Told<'_>, edited: &RuleChange) -> Value {
    let annotations = edited.annotations.iter();
    let conditions = edited.conditions.iter();
    json!({
        "rule": edited.id,
        "what": edited.what,
        "conditions": conditions.map(|condition| json!({ "added": condition.added, "text": condition.text })).collect::<Vec<_>>(),
        "annotations": annotations
            .map(|(key, before, after)| json!({ "key": key, "base": before, "head": after }))
            .collect::<Vec<_>>(),
        "place": told.spot(&edited.file, edited.line).map(|spot| place(&spot)),
    })
}

fn case(told: &Told<'_>, outcome: &Outcome) -> Value {
    let case = &outcome.case;
    let base = outcome.finding.base.as_ref().map(|base| base.verdict.decision);
    json!({
        "name": told.shown(&case.name),
        "expect": case.expect,
        "rule": case.rule,
        "base": base,
        "head": outcome.finding.verdict.decision,
        "problem": outcome.problem(),
        "place": told.spot(&case.file, case.line).map(|spot| place(&spot)),
    })
}

fn problem(told: &Told<'_>, issue: &Issue) -> Value {
    json!({
        "file": told.shown(&issue.file),
        "line": issue.line,
        "problem": told.shown(&issue.problem),
        "advice": told.shown(&issue.advice),
        "lost": issue.lost,
    })
}
