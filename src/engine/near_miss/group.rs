//! A group of near-misses, and what a whole replay came near to.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::model::{ActionId, Class, Environment, Finding, Missing, NearMiss, RuleInfo, Timestamp};

/// Names a group over runs and machines: 48 bits of a hash over rule, missing conditions and template.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub u64);

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}", self.0)
    }
}

/// Allowed actions that the same thing kept the same rule from stopping.
#[derive(Clone, Debug)]
pub struct Group {
    pub id: GroupId,
    pub rule: Arc<RuleInfo>,
    pub class: Class,
    pub distance: u32,
    /// The nearest of them.
    pub cost: u32,
    pub missing: Vec<Missing>,
    pub reversible: bool,
    /// The text with its operands taken out.
    pub template: String,
    pub count: u64,
    pub actors: BTreeMap<Arc<str>, u64>,
    pub sessions: BTreeSet<Arc<str>>,
    pub environments: BTreeSet<Environment>,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    /// Actions of each day, by days since 1970.
    pub days: BTreeMap<i64, u64>,
    /// How seldom everything else the rule asks for is met in this data: −log2 of its share, in thousandths.
    pub rarity: u32,
    /// What stood between the example and every rule about it, as [`crate::engine::Engine::barriers`] says.
    pub barriers: Vec<BTreeSet<String>>,
    /// The earliest of those that cost least.
    pub example: Example,
}

/// One recorded action, as far as reports show it.
#[derive(Clone, Debug)]
pub struct Example {
    pub finding: Box<Finding>,
    pub near: NearMiss,
    /// Others who were near to it as well.
    pub others: Vec<NearMiss>,
}

/// Actions of the same shape as a chosen one.
#[derive(Clone, Debug, Default)]
pub struct Alike {
    /// By decision, as in [`crate::model::Decision::ALL`].
    pub decisions: [u64; 4],
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
}

/// What a whole replay came near to.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    pub actions: u64,
    pub allowed: u64,
    /// Allowed actions that stand in `groups`.
    pub listed: u64,
    /// Most telling first.
    pub groups: Vec<Group>,
    /// Groups that somebody called no risk; of any kind.
    pub suppressed: Vec<Group>,
    /// The same templates so often that they are somebody's routine.
    pub routine: Vec<Group>,
    /// Where a control worked.
    pub guarded: Vec<Group>,
    /// Where a fact is missing.
    pub blind: Vec<Group>,
    /// Actions of the same shape as the chosen one, where one was chosen.
    pub alike: Option<Alike>,
}

impl Survey {
    /// Every group, told or not.
    pub fn all(&self) -> impl Iterator<Item = &Group> {
        let Self { groups, suppressed, routine, guarded, blind, .. } = self;
        [groups, suppressed, routine, guarded, blind].into_iter().flatten()
    }
}

impl Group {
    /// Nearest first, then luck before slips, then what would be worst, then what is least usual.
    pub(super) fn order(&self) -> impl Ord + '_ {
        let Self { distance, class, rule, reversible, rarity, cost, count, first, template, .. } = self;
        let when = first.map_or(i64::MAX, |time| time.0);
        let worst = (Reverse(rule.severity), *reversible, Reverse(*rarity));
        ((*distance, *class, worst), (*cost, *count, when), (&rule.id, template, &self.missing))
    }
}

impl Example {
    pub(super) fn new(near: &NearMiss, finding: &Finding) -> Self {
        let others = finding.near.iter().flat_map(|nearness| &nearness.told).filter(|other| *other != near);
        Self { finding: Box::new(finding.clone()), near: near.clone(), others: others.cloned().collect() }
    }

    pub(super) fn order(&self) -> (u32, Option<i64>, ActionId) {
        let action = &self.finding.action;
        (self.near.cost, action.time.map(|time| time.0), action.id)
    }
}

pub(super) fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
