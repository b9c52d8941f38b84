//! The lists and what stands in them: groups of actions that are alike, each with one of them to look at.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::engine::compare::{self, Transition};
use crate::engine::near_miss::group::{Group, Survey};
use crate::model::{ActionId, Class, Decision, Finding, GapKind, NearMiss, RuleInfo, Severity, Timestamp, words};
use crate::report::near::said;

/// Groups of stopped actions that are told apart; further ones are counted with the last.
const MAX_GROUPS: usize = 5_000;
/// A day, in microseconds.
const DAY: i64 = 86_400_000_000;

words! {
    /// Which groups are looked at.
    List {
        Near = "near-misses",
        Changed = "changed",
        Stopped = "stopped",
        Undecided = "undecided",
        Routine = "routine",
        Guarded = "guarded",
        Blind = "blind",
        Hidden = "suppressed",
    }
}

impl List {
    /// What stands in it, in words.
    pub(super) const fn about(self) -> &'static str {
        match self {
            Self::Near => "allowed, and one thing kept them from being stopped",
            Self::Changed => "judged otherwise by the policy before the change",
            Self::Stopped => "what the policy blocks or asks about",
            Self::Undecided => "something in them was not understood",
            Self::Routine => "near-misses so often that they are somebody's habit",
            Self::Guarded => "a control worked: a dry run, a question, an approval",
            Self::Blind => "a fact is missing, and with the wrong value they would have been stopped",
            Self::Hidden => "somebody called them no risk, for a time",
        }
    }
}

/// Actions that are alike.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Names it while more is read: the group's own id, or what makes a group of it.
    pub(super) key: String,
    pub(super) list: List,
    /// `d1 lucky`, `block`.
    pub(super) badge: String,
    pub(super) class: Option<Class>,
    pub(super) decision: Decision,
    pub(super) severity: Severity,
    pub(super) rule: Option<Arc<RuleInfo>>,
    /// What was missing, or why it was stopped, in words.
    pub(super) reason: String,
    pub(super) template: String,
    pub(super) count: u64,
    pub(super) last: Option<Timestamp>,
    pub(super) actors: Vec<(Arc<str>, u64)>,
    pub(super) days: BTreeMap<i64, u64>,
    /// The action to look at.
    pub(super) finding: Arc<Finding>,
    pub(super) near: Option<NearMiss>,
    /// The group of near-misses that it shows.
    pub(super) group: Option<Arc<Group>>,
}

impl Entry {
    fn near(list: List, group: Group) -> Self {
        let badge = match group.class {
            Class::Blind => "d? blind".to_owned(),
            class => format!("d{} {class}", group.distance),
        };
        let mut actors: Vec<(Arc<str>, u64)> = group.actors.iter().map(|(name, n)| (Arc::clone(name), *n)).collect();
        actors.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        Self {
            key: group.id.to_string(),
            list,
            badge,
            class: Some(group.class),
            decision: Decision::Allow,
            severity: group.rule.severity,
            rule: Some(Arc::clone(&group.rule)),
            reason: said::missing(&group.missing),
            template: group.template.clone(),
            count: group.count,
            last: group.last,
            actors,
            days: group.days.clone(),
            finding: Arc::new((*group.example.finding).clone()),
            near: Some(group.example.near.clone()),
            group: Some(Arc::new(group)),
        }
    }

    /// One action by itself.
    pub(super) fn alone(finding: Finding) -> Self {
        let action = &finding.action;
        let near = finding.near.as_ref().and_then(|near| near.told.iter().find(|near| !near.open)).cloned();
        let hit = finding.verdict.hits.first().map(|hit| Arc::clone(&hit.rule));
        let rule = hit.or(near.as_ref().map(|near| Arc::clone(&near.rule)));
        let decision = finding.verdict.decision;
        let badge = match &near {
            Some(near) => format!("d{} {}", near.distance, near.class),
            None => decision.to_string(),
        };
        let reason = match (&near, &rule) {
            (Some(near), _) => said::missing(&near.missing),
            (None, Some(rule)) => rule.message.clone(),
            (None, None) if decision == Decision::Undecided => why(&finding),
            (None, None) => "no rule is near to it".to_owned(),
        };
        Self {
            key: action.id.to_string(),
            list: List::Near,
            badge,
            class: near.as_ref().map(|near| near.class),
            decision,
            severity: rule.as_ref().map_or(Severity::Info, |rule| rule.severity),
            rule,
            reason,
            template: compare::template(&finding).into_owned(),
            count: 1,
            last: action.time,
            actors: vec![(action.actor.name.as_str().into(), 1)],
            days: BTreeMap::new(),
            near,
            group: None,
            finding: Arc::new(finding),
        }
    }

    /// The id of the action to look at.
    pub(super) fn id(&self) -> ActionId {
        self.finding.action.id
    }
}

/// Groups of a survey, in its order.
pub(super) fn of_survey(survey: Survey) -> Vec<Arc<Entry>> {
    let Survey { groups, suppressed, routine, guarded, blind, .. } = survey;
    let lists = [
        (List::Near, groups),
        (List::Routine, routine),
        (List::Guarded, guarded),
        (List::Blind, blind),
        (List::Hidden, suppressed),
    ];
    let entries = lists.into_iter().flat_map(|(list, groups)| groups.into_iter().map(move |g| (list, g)));
    entries.map(|(list, group)| Arc::new(Entry::near(list, group))).collect()
}

/// What was stopped and what nobody can say, by rule (or gap) and shape.
#[derive(Debug, Default)]
pub(super) struct Stopped {
    groups: FxHashMap<Key, Alike>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    decision: Decision,
    why: String,
    template: String,
}

#[derive(Debug)]
struct Alike {
    count: u64,
    last: Option<Timestamp>,
    actors: BTreeMap<Arc<str>, u64>,
    days: BTreeMap<i64, u64>,
    first: Arc<Finding>,
}

impl Stopped {
    pub(super) fn add(&mut self, finding: &Finding) {
        let decision = finding.verdict.decision;
        if decision == Decision::Allow {
            return;
        }
        let key = Key { decision, why: why(finding), template: compare::template(finding).into_owned() };
        if self.groups.len() >= MAX_GROUPS && !self.groups.contains_key(&key) {
            return self.note(Key { template: "(others)".to_owned(), ..key }, finding);
        }
        self.note(key, finding);
    }

    fn note(&mut self, key: Key, finding: &Finding) {
        let group = self.groups.entry(key).or_insert_with(|| Alike {
            count: 0,
            last: None,
            actors: BTreeMap::new(),
            days: BTreeMap::new(),
            first: Arc::new(finding.clone()),
        });
        let action = &finding.action;
        group.count += 1;
        *group.actors.entry(action.actor.name.as_str().into()).or_default() += 1;
        if let Some(time) = action.time {
            group.last = group.last.max(Some(time));
            *group.days.entry(time.0.div_euclid(DAY)).or_default() += 1;
        }
    }

    /// Strictest and worst first.
    pub(super) fn entries(&self) -> Vec<Arc<Entry>> {
        let mut entries: Vec<Entry> = self.groups.iter().map(|(key, group)| entry(key, group)).collect();
        let order = |entry: &Entry| {
            use std::cmp::Reverse;
            (Reverse(entry.decision), Reverse(entry.severity), Reverse(entry.count))
        };
        entries.sort_by(|a, b| order(a).cmp(&order(b)).then_with(|| a.key.cmp(&b.key)));
        entries.into_iter().map(Arc::new).collect()
    }
}

/// The rule that decides, or the gap that keeps it from being allowed.
fn why(finding: &Finding) -> String {
    match finding.verdict.hits.first() {
        Some(hit) => hit.rule.id.clone(),
        None => gap(finding).map_or_else(|| "a rule that failed".to_owned(), |kind| kind.to_string()),
    }
}

fn gap(finding: &Finding) -> Option<GapKind> {
    let first = *finding.verdict.gaps.first()?;
    finding.understanding.gaps.iter().chain(&finding.action.gaps).nth(first).map(|gap| gap.kind)
}

fn entry(key: &Key, group: &Alike) -> Entry {
    let finding = Arc::clone(&group.first);
    let rule = finding.verdict.hits.first().map(|hit| Arc::clone(&hit.rule));
    let mut actors: Vec<(Arc<str>, u64)> = group.actors.iter().map(|(name, n)| (Arc::clone(name), *n)).collect();
    actors.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    Entry {
        key: format!("{} {} {}", key.decision, key.why, key.template),
        list: if key.decision == Decision::Undecided { List::Undecided } else { List::Stopped },
        badge: key.decision.to_string(),
        class: None,
        decision: key.decision,
        severity: rule.as_ref().map_or(Severity::Info, |rule| rule.severity),
        reason: rule.as_ref().map_or_else(|| format!("not understood: {}", key.why), |rule| rule.message.clone()),
        rule,
        template: key.template.clone(),
        count: group.count,
        last: group.last,
        actors,
        days: group.days.clone(),
        finding,
        near: None,
        group: None,
    }
}

/// What a change of the policy does to actions; `findings` has the examples by id.
pub(super) fn of_changes(groups: &[compare::Group], findings: &FxHashMap<ActionId, Arc<Finding>>) -> Vec<Arc<Entry>> {
    let entry = |group: &compare::Group| {
        let finding = Arc::clone(findings.get(&group.example.id)?);
        let rule = group.rules().next().cloned();
        let named = |rules: &[Arc<RuleInfo>]| rules.iter().map(|rule| rule.id.as_str()).collect::<Vec<_>>().join(", ");
        let mut reason = format!("{} {} -> {}", group.transition, group.base, group.head);
        if !group.gone.is_empty() {
            reason.push_str(&format!(", no longer {}", named(&group.gone)));
        }
        if !group.new.is_empty() {
            reason.push_str(&format!(", now {}", named(&group.new)));
        }
        Some(Arc::new(Entry {
            key: format!("change {}", group.id),
            list: List::Changed,
            badge: match group.transition {
                Transition::Reattributed => "same".to_owned(),
                other => other.to_string(),
            },
            class: None,
            decision: group.head,
            severity: rule.as_ref().map_or(Severity::Info, |rule| rule.severity),
            rule,
            reason,
            template: group.template.clone(),
            count: group.count,
            last: group.last,
            actors: group.actors.iter().map(|name| (Arc::clone(name), 0)).collect(),
            days: BTreeMap::new(),
            finding,
            near: None,
            group: None,
        }))
    };
    groups.iter().filter_map(entry).collect()
}
