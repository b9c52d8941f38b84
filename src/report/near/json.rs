//! One JSON object: every group with its example, for scripts. `docs/schemas/near.json` describes it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::engine::near_miss::group::{Group, Survey};
use crate::model::{Class, Decision, Environment, Flip, Nature, Severity};
use crate::report::{located, redacted};

use super::said::day;
use super::{NearReport, Told};

const SCHEMA_VERSION: u32 = 1;

#[derive(Debug)]
pub(super) struct Json;

impl NearReport for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn tell(&self, told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, &Whole::new(told))?;
        out.write_all(b"\n")?;
        out.flush()
    }
}

#[derive(Serialize)]
struct Whole<'a> {
    schema_version: u32,
    policy: PolicyPart<'a>,
    actions: u64,
    allowed: u64,
    /// Allowed actions in `groups`.
    listed: u64,
    unparsed: u64,
    elapsed_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    like: Option<LikePart>,
    groups: Vec<GroupPart<'a>>,
    routine: Vec<GroupPart<'a>>,
    guarded: Vec<GroupPart<'a>>,
    blind: Vec<GroupPart<'a>>,
    suppressed: Vec<GroupPart<'a>>,
    issues: Vec<String>,
}

#[derive(Serialize)]
struct PolicyPart<'a> {
    sources: &'a [String],
    digest: &'a str,
    rules: usize,
}

/// Actions of the shape of a chosen one.
#[derive(Serialize)]
struct LikePart {
    id: String,
    decision: Decision,
    rules: Vec<String>,
    decisions: BTreeMap<&'static str, u64>,
    first: Option<String>,
    last: Option<String>,
}

#[derive(Serialize)]
struct GroupPart<'a> {
    id: String,
    class: Class,
    rule: &'a str,
    severity: Severity,
    decision: Decision,
    distance: u32,
    /// In thousandths.
    cost: u32,
    /// −log2 of the share of actions that meet everything else, in thousandths.
    rarity: u32,
    reversible: bool,
    template: &'a str,
    missing: Vec<MissingPart<'a>>,
    flips: Vec<FlipPart>,
    /// Facts; any one list of them explains why it was allowed.
    barriers: Vec<Vec<&'a str>>,
    count: u64,
    actors: BTreeMap<&'a str, u64>,
    sessions: usize,
    environments: Vec<Environment>,
    first: Option<String>,
    last: Option<String>,
    /// Actions per day.
    days: BTreeMap<String, u64>,
    example: ExamplePart<'a>,
}

#[derive(Serialize)]
struct MissingPart<'a> {
    condition: &'a str,
    nature: Nature,
}

#[derive(Serialize)]
#[serde(untagged)]
enum FlipPart {
    Slip { slip: &'static str, text: String },
    Fact { fact: &'static str, value: String },
}

#[derive(Serialize)]
struct ExamplePart<'a> {
    id: String,
    text: String,
    actor: &'a str,
    session: &'a str,
    environment: Environment,
    time: Option<String>,
    file: &'a str,
    line: u64,
}

impl<'a> Whole<'a> {
    fn new(told: &Told<'a>) -> Self {
        let Told { heading, survey, totals, issues, elapsed, .. } = *told;
        let Survey { groups, routine, guarded, blind, suppressed, .. } = survey;
        let parts = |groups: &'a [Group]| groups.iter().map(|group| GroupPart::new(group, told)).collect();
        Self {
            schema_version: SCHEMA_VERSION,
            policy: PolicyPart { sources: &heading.policies, digest: &heading.policy_digest, rules: heading.rules },
            actions: survey.actions,
            allowed: survey.allowed,
            listed: survey.listed,
            unparsed: totals.unread,
            elapsed_ms: elapsed.as_millis() as u64,
            like: LikePart::new(told),
            groups: parts(groups),
            routine: parts(routine),
            guarded: parts(guarded),
            blind: parts(blind),
            suppressed: parts(suppressed),
            issues: issues.iter().map(located).collect(),
        }
    }
}

impl LikePart {
    fn new(told: &Told<'_>) -> Option<Self> {
        let (finding, alike) = (told.like?, told.survey.alike.as_ref()?);
        Some(Self {
            id: finding.action.id.to_string(),
            decision: finding.verdict.decision,
            rules: finding.verdict.hits.iter().map(|hit| hit.rule.id.clone()).collect(),
            decisions: Decision::ALL.iter().map(|decision| decision.word()).zip(alike.decisions).collect(),
            first: alike.first.map(|time| time.to_string()),
            last: alike.last.map(|time| time.to_string()),
        })
    }
}

impl<'a> GroupPart<'a> {
    fn new(group: &'a Group, told: &Told<'_>) -> Self {
        let shown = |text: &str| {
            if told.heading.no_redact { text.to_owned() } else { redacted(text).into_owned() }
        };
        let finding = &group.example.finding;
        let action = &finding.action;
        let flip = |flip: &Flip| match flip {
            Flip::Slip { slip, text } => FlipPart::Slip { slip, text: shown(text) },
            Flip::Fact { fact, value } => FlipPart::Fact { fact, value: shown(value) },
        };
        Self {
            id: group.id.to_string(),
            class: group.class,
            rule: &group.rule.id,
            severity: group.rule.severity,
            decision: group.rule.decision,
            distance: group.distance,
            cost: group.cost,
            rarity: group.rarity,
            reversible: group.reversible,
            template: &group.template,
            missing: group
                .missing
                .iter()
                .map(|missing| MissingPart { condition: &missing.condition, nature: missing.nature })
                .collect(),
            flips: group.example.near.flips.iter().map(flip).collect(),
            barriers: group.barriers.iter().map(|set| set.iter().map(String::as_str).collect()).collect(),
            count: group.count,
            actors: group.actors.iter().map(|(name, count)| (&**name, *count)).collect(),
            sessions: group.sessions.len(),
            environments: group.environments.iter().copied().collect(),
            first: group.first.map(|time| time.to_string()),
            last: group.last.map(|time| time.to_string()),
            days: group.days.iter().map(|(at, count)| (day(*at), *count)).collect(),
            example: ExamplePart {
                id: action.id.to_string(),
                text: shown(&action.text),
                actor: &action.actor.name,
                session: &action.session,
                environment: finding.environment,
                time: action.time.map(|time| time.to_string()),
                file: &action.origin.file,
                line: action.origin.line,
            },
        }
    }
}
