//! One JSON object per action, in input order: the frozen line format that scripts depend on.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;

use crate::model::{
    ActorKind, Area, Certainty, Class, CodeOrigin, Decision, Effect, Environment, Executed, Extent, Finding, Flip, Gap,
    Issue, Kind, NearMiss, Operation, ResourceKind, Reversibility, Severity, Span, Zone,
};

use super::{Ended, Heading, Report, Telling, redacted};

/// The version of the line format; a change of it is a major version of nearmiss.
const SCHEMA_VERSION: u32 = 1;

#[derive(Debug)]
pub(super) struct JsonLines;

impl Report for JsonLines {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn about(&self) -> &'static str {
        "one JSON object per action, in input order"
    }

    fn tells_near_misses(&self) -> bool {
        true
    }

    fn start<'w>(&self, heading: Heading, out: &'w mut dyn Write) -> Box<dyn Telling + 'w> {
        Box::new(Lines { out, no_redact: heading.no_redact, line: Vec::new() })
    }
}

struct Lines<'w> {
    out: &'w mut dyn Write,
    no_redact: bool,
    /// The line in the making: it consists of hundreds of small pieces.
    line: Vec<u8>,
}

impl Telling for Lines<'_> {
    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, &Record::new(finding, self.no_redact))?;
        self.line.push(b'\n');
        self.out.write_all(&self.line)
    }

    fn issue(&mut self, _issue: &Issue) -> io::Result<()> {
        // Lines are actions; what could not be read goes to standard error, said by `cli`.
        Ok(())
    }

    fn finish(self: Box<Self>, _ended: &Ended) -> io::Result<()> {
        self.out.flush()
    }
}

#[derive(Serialize)]
pub(super) struct Record<'a> {
    id: String,
    time: Option<String>,
    actor: ActorRecord<'a>,
    session: &'a str,
    kind: Kind,
    text: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cwd: Option<&'a str>,
    environment: Environment,
    executed: Executed,
    source: SourceRecord<'a>,
    decision: Decision,
    rules: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shadow: Vec<&'a str>,
    severity: Option<Severity>,
    effects: Vec<EffectRecord<'a>>,
    gaps: Vec<GapRecord<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [String],
    near: Vec<NearRecord<'a>>,
    schema_version: u32,
}

#[derive(Serialize)]
struct ActorRecord<'a> {
    name: &'a str,
    kind: ActorKind,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    groups: &'a [String],
}

#[derive(Serialize)]
struct SourceRecord<'a> {
    file: &'a str,
    line: u64,
    offset: u64,
    format: &'a str,
}

#[derive(Serialize)]
struct EffectRecord<'a> {
    operation: Operation,
    resource: Cow<'a, str>,
    resource_kind: ResourceKind,
    extent: Extent,
    reversible: Reversibility,
    certainty: Certainty,
    by: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    areas: Vec<Area>,
    #[serde(skip_serializing_if = "is_false")]
    unresolved: bool,
    #[serde(skip_serializing_if = "is_false")]
    dry_run: bool,
    #[serde(skip_serializing_if = "is_false")]
    guard_off: bool,
    #[serde(skip_serializing_if = "is_false")]
    elevated: bool,
    #[serde(skip_serializing_if = "is_false")]
    cascades: bool,
    #[serde(skip_serializing_if = "is_false")]
    in_transaction: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<CodeOrigin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<Zone>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<[usize; 2]>,
}

#[derive(Serialize)]
struct GapRecord<'a> {
    kind: &'a str,
    hides: &'a str,
    detail: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<[usize; 2]>,
}

/// A rule that one thing kept from stopping the action. What hangs on a circumstance is told here whether or not anybody
/// ever met it: a line knows nothing of the others. `nearmiss near` does.
#[derive(Serialize)]
struct NearRecord<'a> {
    rule: &'a str,
    severity: Severity,
    class: Class,
    distance: u32,
    /// In thousandths.
    cost: u32,
    effect: usize,
    missing: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flips: Vec<FlipRecord<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum FlipRecord<'a> {
    Slip { slip: &'a str, text: Cow<'a, str> },
    Fact { fact: &'a str, value: Cow<'a, str> },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl<'a> Record<'a> {
    pub(super) fn new(finding: &'a Finding, no_redact: bool) -> Self {
        let shown = |text: &'a str| if no_redact { Cow::Borrowed(text) } else { redacted(text) };
        let Finding { action, understanding, verdict, environment, .. } = finding;
        let mut rules: Vec<&str> = verdict.hits.iter().map(|hit| &*hit.rule.id).collect();
        let mut shadow: Vec<&str> = verdict.shadow.iter().map(|hit| &*hit.rule.id).collect();
        for ids in [&mut rules, &mut shadow] {
            let mut seen = rustc_hash::FxHashSet::default();
            ids.retain(|id| seen.insert(*id));
        }
        Self {
            id: action.id.to_string(),
            time: action.time.map(|time| time.to_string()),
            actor: ActorRecord { name: &action.actor.name, kind: action.actor.kind, groups: &action.actor.groups },
            session: &action.session,
            kind: action.kind,
            text: shown(&action.text),
            tool: action.tool.as_deref(),
            cwd: action.surroundings.cwd.as_deref(),
            environment: *environment,
            executed: action.outcome.executed,
            source: SourceRecord {
                file: &action.origin.file,
                line: action.origin.line,
                offset: action.origin.offset,
                format: action.origin.format,
            },
            decision: verdict.decision,
            rules,
            shadow,
            severity: verdict.severity(),
            effects: understanding.effects.iter().map(|effect| EffectRecord::new(effect, &shown)).collect(),
            gaps: understanding.gaps.iter().chain(&action.gaps).map(|gap| GapRecord::new(gap, &shown)).collect(),
            errors: &verdict.errors,
            near: finding.near.iter().flat_map(|near| &near.told).map(|near| NearRecord::new(near, &shown)).collect(),
            schema_version: SCHEMA_VERSION,
        }
    }
}

impl<'a> NearRecord<'a> {
    fn new(near: &'a NearMiss, shown: &impl Fn(&'a str) -> Cow<'a, str>) -> Self {
        let flip = |flip: &'a Flip| match flip {
            Flip::Slip { slip, text } => FlipRecord::Slip { slip, text: shown(text) },
            Flip::Fact { fact, value } => FlipRecord::Fact { fact, value: shown(value) },
        };
        Self {
            rule: &near.rule.id,
            severity: near.rule.severity,
            class: near.class,
            distance: near.distance,
            cost: near.cost,
            effect: near.effect,
            missing: near.missing.iter().map(|missing| missing.condition.as_str()).collect(),
            flips: near.flips.iter().map(flip).collect(),
        }
    }
}

impl<'a> EffectRecord<'a> {
    fn new(effect: &'a Effect, shown: &impl Fn(&'a str) -> Cow<'a, str>) -> Self {
        Self {
            operation: effect.operation,
            resource: shown(&effect.resource.name),
            resource_kind: effect.resource.kind,
            extent: effect.extent,
            reversible: effect.reversible,
            certainty: effect.certainty,
            by: &effect.by,
            areas: effect.resource.areas.iter().collect(),
            unresolved: effect.resource.unresolved,
            dry_run: effect.dry_run,
            guard_off: effect.guard_off,
            elevated: effect.elevated,
            cascades: effect.cascades,
            in_transaction: effect.in_transaction,
            count: effect.count,
            code: effect.code,
            zone: effect.zone,
            peer: effect.peer.as_deref().map(shown),
            span: effect.span.map(bounds),
        }
    }
}

impl<'a> GapRecord<'a> {
    fn new(gap: &'a Gap, shown: &impl Fn(&'a str) -> Cow<'a, str>) -> Self {
        Self { kind: gap.kind.word(), hides: gap.hides.word(), detail: shown(&gap.detail), span: gap.span.map(bounds) }
    }
}

fn bounds(span: Span) -> [usize; 2] {
    [span.start, span.end]
}
