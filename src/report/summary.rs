//! Counts and groups of a replay: what the text and the JSON report are made from.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::engine::link::{Evidence, Linker};
use crate::model::{ActionId, Actor, Decision, Executed, Finding, GapKind, Issue, RuleInfo, Span, Timestamp};

/// Groups and sessions beyond this are counted, not kept one by one.
const MAX_GROUPS: usize = 20_000;
/// Unreadable records that are shown one by one.
const MAX_ISSUES: usize = 20;

/// Counts and groups so far.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) decisions: [u64; 4],
    /// Stopped actions that were refused at the time anyway.
    pub(super) refused: u64,
    /// Actions per rule that determined or joined a verdict.
    pub(super) rules: BTreeMap<String, u64>,
    pub(super) shadow: BTreeMap<String, u64>,
    /// Actions per actor; actors beyond a limit are counted under one name.
    pub(super) actors: BTreeMap<String, u64>,
    /// Of these, the stopped ones.
    pub(super) stopped_actors: BTreeMap<String, u64>,
    pub(super) gaps: BTreeMap<GapKind, GapTally>,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    pub(super) issues: Vec<Issue>,
    pub(super) more_issues: u64,
    pub(super) errors: u64,
    groups: Vec<Group>,
    places: FxHashMap<(String, String), usize>,
    /// Stopped actions that found no room in a group.
    pub(super) ungrouped: u64,
    linker: Linker,
    /// The group of every action that the linker looked at.
    linked: Vec<(ActionId, usize)>,
    /// Stopped actions that are another log's record of one that is stopped as well; known after [`Self::link`].
    pub(super) further: u64,
}

/// Stopped actions with the same first rule and the same template.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) rule: Arc<RuleInfo>,
    pub(super) template: String,
    pub(super) count: u64,
    /// Of these, the ones that are another log's record of an act told elsewhere.
    pub(super) further: u64,
    pub(super) example: Example,
}

/// All groups that one rule determines.
#[derive(Debug)]
pub(super) struct RuleGroups<'a> {
    pub(super) rule: &'a RuleInfo,
    pub(super) groups: Vec<&'a Group>,
}

impl RuleGroups<'_> {
    pub(super) fn count(&self) -> u64 {
        self.groups.iter().map(|group| group.count).sum()
    }

    pub(super) fn further(&self) -> u64 {
        self.groups.iter().map(|group| group.further).sum()
    }
}

/// The first action of a group.
#[derive(Debug)]
pub(super) struct Example {
    pub(super) id: ActionId,
    pub(super) text: Arc<str>,
    pub(super) spans: Vec<Span>,
    pub(super) tool: Option<Arc<str>>,
    pub(super) actor: Arc<Actor>,
    pub(super) session: Arc<str>,
    pub(super) time: Option<Timestamp>,
    pub(super) file: Arc<str>,
    pub(super) line: u64,
    pub(super) executed: Executed,
    /// What other logs have of the same act.
    pub(super) evidence: Vec<Evidence>,
}

/// Gaps of one kind among undecided actions.
#[derive(Debug, Default)]
pub(super) struct GapTally {
    pub(super) actions: u64,
    /// What was not understood, most frequent first when shown.
    pub(super) details: BTreeMap<String, u64>,
    pub(super) example: Option<(Arc<str>, u64)>,
}

impl Summary {
    pub(super) fn count(&self, decision: Decision) -> u64 {
        self.decisions[decision as usize]
    }

    pub(super) fn finding(&mut self, finding: &Finding) {
        let Finding { action, verdict, .. } = finding;
        self.decisions[verdict.decision as usize] += 1;
        self.errors += u64::from(!verdict.errors.is_empty());
        let room = self.actors.len() < MAX_GROUPS || self.actors.contains_key(&action.actor.name);
        let actor = if room { &*action.actor.name } else { "(others)" };
        *entry(&mut self.actors, actor) += 1;
        if let Some(time) = action.time {
            self.first = Some(self.first.map_or(time, |first| first.min(time)));
            self.last = Some(self.last.map_or(time, |last| last.max(time)));
        }
        for (hits, counts) in [(&verdict.hits, &mut self.rules), (&verdict.shadow, &mut self.shadow)] {
            let mut ids: Vec<&str> = hits.iter().map(|hit| &*hit.rule.id).collect();
            ids.sort_unstable();
            ids.dedup();
            for id in ids {
                *entry(counts, id) += 1;
            }
        }
        match verdict.decision {
            Decision::Allow => {}
            Decision::Undecided => self.undecided(finding),
            Decision::Ask | Decision::Block => {
                self.refused += u64::from(action.outcome.executed == Executed::No);
                *entry(&mut self.stopped_actors, actor) += 1;
                self.stopped(finding);
            }
        }
    }

    pub(super) fn issue(&mut self, issue: &Issue) {
        if self.issues.len() < MAX_ISSUES {
            self.issues.push(issue.clone());
        } else {
            self.more_issues += 1;
        }
    }

    /// Finds out which stopped actions are one act that several logs tell of; to be called when all is told.
    pub(super) fn link(&mut self) {
        let links = std::mem::take(&mut self.linker).links();
        for (id, group) in std::mem::take(&mut self.linked) {
            let further = u64::from(links.told_by(id).is_some());
            self.groups[group].further += further;
            self.further += further;
        }
        for group in &mut self.groups {
            group.example.evidence = links.evidence(group.example.id).to_vec();
        }
    }

    /// Groups by their rule, in the order a reader wants them: worst, then most frequent, then by name.
    pub(super) fn rules(&self, decision: Decision) -> Vec<RuleGroups<'_>> {
        let mut rules: Vec<RuleGroups<'_>> = Vec::new();
        for group in self.groups.iter().filter(|group| group.rule.decision == decision) {
            match rules.iter_mut().find(|rule| rule.rule.id == group.rule.id) {
                Some(rule) => rule.groups.push(group),
                None => rules.push(RuleGroups { rule: &group.rule, groups: vec![group] }),
            }
        }
        for rule in &mut rules {
            rule.groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.template.cmp(&b.template)));
        }
        rules.sort_by(|a, b| {
            (b.rule.severity, b.count()).cmp(&(a.rule.severity, a.count())).then_with(|| a.rule.id.cmp(&b.rule.id))
        });
        rules
    }

    fn stopped(&mut self, finding: &Finding) {
        let Finding { action, understanding, verdict, .. } = finding;
        let Some(hit) = verdict.hits.first() else { return };
        let template = if understanding.template.is_empty() { &*action.text } else { &understanding.template };
        let key = (hit.rule.id.clone(), template.to_owned());
        let known = self.places.get(&key).copied();
        if known.is_none() && self.groups.len() >= MAX_GROUPS {
            self.ungrouped += 1;
            return;
        }
        if self.linker.see(finding) {
            self.linked.push((action.id, known.unwrap_or(self.groups.len())));
        }
        if let Some(place) = known {
            self.groups[place].count += 1;
            return;
        }
        let mut spans: Vec<Span> = verdict
            .hits
            .iter()
            .filter(|other| other.rule.id == hit.rule.id)
            .filter_map(|other| understanding.effects.get(other.effect)?.span)
            .collect();
        spans.sort_unstable();
        spans.dedup();
        self.places.insert(key, self.groups.len());
        self.groups.push(Group {
            rule: Arc::clone(&hit.rule),
            template: template.to_owned(),
            count: 1,
            further: 0,
            example: Example {
                id: action.id,
                text: Arc::clone(&action.text),
                spans,
                tool: action.tool.clone(),
                actor: Arc::clone(&action.actor),
                session: Arc::clone(&action.session),
                time: action.time,
                file: Arc::clone(&action.origin.file),
                line: action.origin.line,
                executed: action.outcome.executed,
                evidence: Vec::new(),
            },
        });
    }

    fn undecided(&mut self, finding: &Finding) {
        let Finding { action, understanding, verdict, .. } = finding;
        let gaps: Vec<_> = understanding.gaps.iter().chain(&action.gaps).collect();
        let mut kinds = Vec::new();
        for gap in verdict.gaps.iter().filter_map(|index| gaps.get(*index)) {
            let tally = self.gaps.entry(gap.kind).or_default();
            if !kinds.contains(&gap.kind) {
                kinds.push(gap.kind);
                tally.actions += 1;
            }
            if tally.details.len() < MAX_GROUPS || tally.details.contains_key(&gap.detail) {
                *entry(&mut tally.details, &gap.detail) += 1;
            }
            tally.example.get_or_insert_with(|| (Arc::clone(&action.origin.file), action.origin.line));
        }
    }
}

/// The place of `key`, made when there is none; the key is only copied then.
fn entry<'m>(counts: &'m mut BTreeMap<String, u64>, key: &str) -> &'m mut u64 {
    if !counts.contains_key(key) {
        counts.insert(key.to_owned(), 0);
    }
    counts.get_mut(key).expect("it was just put there")
}
