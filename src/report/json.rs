//! One JSON object for the whole replay: the frozen summary that scripts depend on.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::engine::link::Evidence;
use crate::model::{Decision, Finding, Issue, Severity};

use super::summary::{Group, Summary};
use super::{Ended, Heading, Report, Telling, escaped, redacted};

#[derive(Debug)]
pub(super) struct Json;

impl Report for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn about(&self) -> &'static str {
        "one JSON object: counts per decision, rule and actor, and every group with an example"
    }

    fn start<'w>(&self, heading: Heading, out: &'w mut dyn Write) -> Box<dyn Telling + 'w> {
        Box::new(Object { heading, out, summary: Summary::default() })
    }
}

struct Object<'w> {
    heading: Heading,
    out: &'w mut dyn Write,
    summary: Summary,
}

impl Telling for Object<'_> {
    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        self.summary.finding(finding);
        Ok(())
    }

    fn issue(&mut self, issue: &Issue) -> io::Result<()> {
        self.summary.issue(issue);
        Ok(())
    }

    fn finish(self: Box<Self>, ended: &Ended) -> io::Result<()> {
        let Self { heading, out, mut summary } = *self;
        summary.link();
        serde_json::to_writer_pretty(&mut *out, &Whole::new(&heading, &summary, ended))?;
        out.write_all(b"\n")?;
        out.flush()
    }
}

#[derive(Serialize)]
struct Whole<'a> {
    schema_version: u32,
    summary: Counts<'a>,
    policy: PolicyPart<'a>,
    groups: Vec<GroupPart<'a>>,
    gaps: Vec<GapPart<'a>>,
    issues: Vec<IssuePart<'a>>,
}

#[derive(Serialize)]
struct Counts<'a> {
    actions: u64,
    sessions: u64,
    files: u64,
    bytes: u64,
    /// Records that could not be read.
    unparsed: u64,
    undecided: u64,
    copies: u64,
    other_records: u64,
    coverage: f64,
    decisions: BTreeMap<&'static str, u64>,
    /// Of the stopped ones: another log's record of an act that is told already.
    further_records: u64,
    rules: &'a BTreeMap<String, u64>,
    shadow: &'a BTreeMap<String, u64>,
    actors: &'a BTreeMap<String, u64>,
    stopped_actors: &'a BTreeMap<String, u64>,
    formats: BTreeMap<&'static str, u64>,
    errors: u64,
    first: Option<String>,
    last: Option<String>,
    elapsed_ms: u64,
    interrupted: bool,
}

#[derive(Serialize)]
struct PolicyPart<'a> {
    sources: &'a [String],
    digest: &'a str,
    rules: usize,
}

#[derive(Serialize)]
struct GroupPart<'a> {
    decision: Decision,
    rule: &'a str,
    severity: Severity,
    template: String,
    count: u64,
    further_records: u64,
    message: &'a str,
    advice: &'a str,
    example: ExamplePart<'a>,
}

#[derive(Serialize)]
struct ExamplePart<'a> {
    id: String,
    text: String,
    actor: &'a str,
    session: &'a str,
    time: Option<String>,
    file: &'a str,
    line: u64,
    /// What other logs have of the same act.
    evidence: Vec<EvidencePart<'a>>,
}

#[derive(Serialize)]
struct EvidencePart<'a> {
    id: String,
    file: &'a str,
    line: u64,
    format: &'static str,
}

#[derive(Serialize)]
struct GapPart<'a> {
    kind: &'static str,
    actions: u64,
    details: BTreeMap<&'a str, u64>,
}

#[derive(Serialize)]
struct IssuePart<'a> {
    file: &'a str,
    line: u64,
    offset: u64,
    problem: String,
    advice: &'a str,
    lost: bool,
}

impl<'a> Whole<'a> {
    fn new(heading: &'a Heading, summary: &'a Summary, ended: &'a Ended) -> Self {
        let totals = &ended.totals;
        Self {
            schema_version: 1,
            summary: Counts {
                actions: totals.actions,
                sessions: totals.sessions,
                files: totals.files,
                bytes: totals.bytes,
                unparsed: totals.unread,
                undecided: summary.count(Decision::Undecided),
                copies: totals.copies,
                other_records: totals.other_records,
                coverage: totals.coverage(),
                decisions: Decision::ALL.iter().map(|decision| (decision.word(), summary.count(*decision))).collect(),
                further_records: summary.further,
                rules: &summary.rules,
                shadow: &summary.shadow,
                actors: &summary.actors,
                stopped_actors: &summary.stopped_actors,
                formats: totals.formats.iter().copied().collect(),
                errors: summary.errors,
                first: summary.first.map(|time| time.to_string()),
                last: summary.last.map(|time| time.to_string()),
                elapsed_ms: u64::try_from(ended.elapsed.as_millis()).unwrap_or(u64::MAX),
                interrupted: ended.interrupted,
            },
            policy: PolicyPart { sources: &heading.policies, digest: &heading.policy_digest, rules: heading.rules },
            groups: [Decision::Block, Decision::Ask]
                .iter()
                .flat_map(|decision| summary.rules(*decision))
                .flat_map(|rule| rule.groups)
                .map(|group| GroupPart::new(group, heading.no_redact))
                .collect(),
            gaps: summary
                .gaps
                .iter()
                .map(|(kind, tally)| GapPart {
                    kind: kind.word(),
                    actions: tally.actions,
                    details: tally.details.iter().map(|(detail, count)| (&**detail, *count)).collect(),
                })
                .collect(),
            issues: summary
                .issues
                .iter()
                .map(|issue| IssuePart {
                    file: &issue.file,
                    line: issue.line,
                    offset: issue.offset,
                    problem: escaped(&issue.problem),
                    advice: &issue.advice,
                    lost: issue.lost,
                })
                .collect(),
        }
    }
}

impl<'a> GroupPart<'a> {
    fn new(group: &'a Group, no_redact: bool) -> Self {
        let shown = |text: &str| if no_redact { text.to_owned() } else { redacted(text).into_owned() };
        let example = &group.example;
        Self {
            decision: group.rule.decision,
            rule: &group.rule.id,
            severity: group.rule.severity,
            template: shown(&group.template),
            count: group.count,
            further_records: group.further,
            message: &group.rule.message,
            advice: &group.rule.advice,
            example: ExamplePart {
                id: example.id.to_string(),
                text: shown(&example.text),
                actor: &example.actor.name,
                session: &example.session,
                time: example.time.map(|time| time.to_string()),
                file: &example.file,
                line: example.line,
                evidence: example.evidence.iter().map(EvidencePart::new).collect(),
            },
        }
    }
}

impl<'a> EvidencePart<'a> {
    fn new(evidence: &'a Evidence) -> Self {
        Self { id: evidence.id.to_string(), file: &evidence.file, line: evidence.line, format: evidence.format }
    }
}
