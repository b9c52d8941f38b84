//! For programs: one object.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::engine::expect::Outcome;
use crate::report::redacted;

use super::{Corpus, TestReport, Tested};

#[derive(Debug)]
pub(super) struct Json;

impl TestReport for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn tell(&self, tested: &Tested, out: &mut dyn Write) -> io::Result<()> {
        let heading = &tested.heading;
        let failures: Vec<Value> =
            tested.failures().into_iter().map(|(kind, message)| json!({ "kind": kind, "message": message })).collect();
        let whole = json!({
            "schema_version": 1,
            "policy": { "sources": heading.policies, "rules": heading.rules, "digest": heading.policy_digest },
            "summary": {
                "passed": failures.is_empty(),
                "cases": tested.cases.len(),
                "cases_wrong": tested.wrong(),
                "snapshots": tested.corpora.len(),
                "snapshots_open": tested.open(),
                "actions": tested.corpora.iter().map(|corpus| corpus.actions).sum::<u64>(),
                "unreferenced": tested.unreferenced.len(),
            },
            "failures": failures,
            "cases": tested.cases.iter().map(|outcome| case(outcome, heading.no_redact)).collect::<Vec<_>>(),
            "snapshots": tested.corpora.iter().map(snapshot).collect::<Vec<_>>(),
            "unreferenced": tested.unreferenced,
        });
        serde_json::to_writer_pretty(&mut *out, &whole).map_err(io::Error::other)?;
        writeln!(out)
    }
}

fn case(outcome: &Outcome, no_redact: bool) -> Value {
    let (case, finding) = (&outcome.case, &outcome.finding);
    let mut rules: Vec<&str> = finding.verdict.hits.iter().map(|hit| hit.rule.id.as_str()).collect();
    rules.dedup();
    let text = &finding.action.text;
    json!({
        "name": case.name,
        "file": case.file,
        "line": case.line,
        "text": if no_redact { text.as_ref().into() } else { redacted(text) },
        "expect": case.expect,
        "rule": case.rule,
        "decision": finding.verdict.decision,
        "rules": rules,
        "holds": outcome.holds(),
        "problem": outcome.problem(),
    })
}

fn snapshot(corpus: &Corpus) -> Value {
    json!({
        "source": corpus.source,
        "name": corpus.name,
        "state": corpus.state,
        "problem": corpus.problem,
        "actions": corpus.actions,
        "file": corpus.file,
    })
}
