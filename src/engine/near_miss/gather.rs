//! Near-misses of a whole replay: those that hang on a circumstance are told only where somebody met it, alike ones
//! become one group, routine is folded, and the groups are put in order.
//!
//! Everything here is counted in whole numbers and sorted by content, so that neither threads nor the order of files
//! change a byte.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use sha2::{Digest, Sha256};

use super::session_flag;
use super::suppression::Suppression;
use crate::engine::Engine;
use crate::engine::compare::template;
use crate::engine::gate::Day;
use crate::model::{
    ActionId, Actor, Cell, Class, Decision, Environment, Finding, Flip, Missing, NearMiss, RuleInfo, Surroundings,
    Timestamp,
};
use crate::policy::{Fact, Policy, doublings};

/// Actors, sessions and hosts counted one by one; beyond it the number is a lower bound.
const MAX_NAMES: usize = 1000;
/// A day, in microseconds.
const DAY: i64 = 86_400_000_000;

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
    /// What stood between the example and every rule about it, as [`Engine::barriers`] says.
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

/// How groups are told.
#[derive(Clone, Copy, Debug)]
pub struct Telling<'a> {
    /// A group of more actions than this is routine.
    pub collapse_above: u64,
    /// Groups that are not told, until their day.
    pub suppressions: &'a [Suppression],
    pub today: Day,
}

/// What a group must have to do with one chosen action.
#[derive(Clone, Debug)]
pub struct Likeness {
    template: String,
    /// Rules that stopped it or nearly did.
    rules: BTreeSet<String>,
}

impl Likeness {
    pub fn of(finding: &Finding) -> Self {
        let hits = finding.verdict.hits.iter().map(|hit| hit.rule.id.clone());
        let near = finding.near.iter().flat_map(|nearness| &nearness.told).map(|near| near.rule.id.clone());
        Self { template: template(finding), rules: hits.chain(near).collect() }
    }

    pub fn template(&self) -> &str {
        &self.template
    }

    fn fits(&self, group: &Group) -> bool {
        group.template == self.template || self.rules.contains(&group.rule.id)
    }
}

/// Actions of the same shape as a chosen one.
#[derive(Clone, Debug, Default)]
pub struct Alike {
    /// By decision, as in [`Decision::ALL`].
    pub decisions: [u64; 4],
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
}

/// Near-misses in the making.
#[derive(Debug, Default)]
pub struct Gather {
    actions: u64,
    allowed: u64,
    cells: FxHashMap<Cell, u64>,
    met: FxHashMap<Arc<str>, u64>,
    places: Vec<Key>,
    numbers: FxHashMap<Key, usize>,
    /// By the number of the group, then by who acted where.
    members: Vec<BTreeMap<Who, Member>>,
    seen: Seen,
    like: Option<Likeness>,
    alike: Alike,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    rule: String,
    class: Class,
    distance: u32,
    missing: Vec<Missing>,
    template: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Who {
    actor: Arc<str>,
    host: Option<Arc<str>>,
}

/// The actions of a group by one actor on one host.
#[derive(Clone, Debug)]
struct Member {
    count: u64,
    cost: u32,
    sessions: BTreeSet<Arc<str>>,
    environments: BTreeSet<Environment>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    days: BTreeMap<i64, u64>,
    flips: BTreeSet<Flip>,
    example: Example,
    /// How many of them stand in another group, should this one turn out to hang on what nobody met.
    beside: BTreeMap<usize, u64>,
}

/// Which circumstances each actor and each host was seen in.
#[derive(Debug, Default)]
struct Seen {
    of_actor: FxHashMap<Arc<str>, FxHashSet<(&'static str, Arc<str>)>>,
    of_host: FxHashMap<Arc<str>, FxHashSet<(&'static str, Arc<str>)>>,
    last: Option<(Arc<Actor>, Arc<Surroundings>, Environment, u32)>,
}

const TRUE: &str = "true";
const FALSE: &str = "false";

impl Gather {
    /// Tells only what has to do with one action.
    pub fn like(likeness: Likeness) -> Self {
        Self { like: Some(likeness), ..Self::default() }
    }

    /// Takes in the next action.
    pub fn finding(&mut self, finding: &Finding) {
        self.actions += 1;
        if self.like.as_ref().is_some_and(|like| like.template == template(finding)) {
            self.alike.decisions[finding.verdict.decision as usize] += 1;
            if let Some(time) = finding.action.time {
                self.alike.first = earlier(self.alike.first, Some(time));
                self.alike.last = self.alike.last.max(Some(time));
            }
        }
        self.seen.note(finding);
        for hit in &finding.verdict.hits {
            // The rarity of "all but one" counts those where nothing is missing as well.
            match self.met.get_mut(hit.rule.id.as_str()) {
                Some(count) => *count += 1,
                None => {
                    self.met.insert(hit.rule.id.as_str().into(), 1);
                }
            }
        }
        if finding.verdict.decision != Decision::Allow {
            return;
        }
        self.allowed += 1;
        let Some(nearness) = &finding.near else { return };
        for cell in &nearness.cells {
            *self.cells.entry(*cell).or_default() += 1;
        }
        let told = |class: fn(Class) -> bool| nearness.told.iter().find(|near| class(near.class));
        // What hangs on a circumstance may come to nothing; what is next to it then counts.
        let lucky = told(|class| class == Class::Lucky);
        let other = told(|class| matches!(class, Class::Margin | Class::Slip))
            .or_else(|| told(|class| class == Class::Guarded));
        let beside = other.map(|near| self.add(near, finding, None));
        if let Some(near) = lucky {
            self.add(near, finding, beside);
        }
        if let Some(near) = told(|class| class == Class::Blind) {
            self.add(near, finding, None);
        }
    }

    fn add(&mut self, near: &NearMiss, finding: &Finding, beside: Option<usize>) -> usize {
        let key = Key {
            rule: near.rule.id.clone(),
            class: near.class,
            distance: near.distance,
            missing: near.missing.clone(),
            template: template(finding),
        };
        let number = match self.numbers.get(&key) {
            Some(number) => *number,
            None => {
                let number = self.places.len();
                self.places.push(key.clone());
                self.numbers.insert(key, number);
                self.members.push(BTreeMap::new());
                number
            }
        };
        let Some(members) = self.members.get_mut(number) else { return number };
        let action = &finding.action;
        let host = action.surroundings.host.as_deref();
        let mut who = Who { actor: action.actor.name.as_str().into(), host: host.map(Into::into) };
        if members.len() >= MAX_NAMES && !members.contains_key(&who) {
            who = Who { actor: "(others)".into(), host: None };
        }
        match members.get_mut(&who) {
            Some(member) => member.add(near, finding),
            None => {
                members.insert(who.clone(), Member::new(near, finding));
            }
        }
        if let (Some(beside), Some(member)) = (beside, members.get_mut(&who)) {
            *member.beside.entry(beside).or_default() += 1;
        }
        number
    }

    /// The groups in their order.
    pub fn finish(mut self, engine: &Engine, telling: Telling<'_>) -> Survey {
        let policy = engine.policy();
        // Lucky ones first: what they take along is taken from the groups beside them.
        let mut taken: FxHashMap<usize, u64> = FxHashMap::default();
        for (key, members) in self.places.iter().zip(&mut self.members) {
            if key.class != Class::Lucky {
                continue;
            }
            members.retain(|who, member| {
                member.flips.retain(|flip| self.seen.shows(who, flip));
                !member.flips.is_empty()
            });
            for member in members.values() {
                for (number, count) in &member.beside {
                    *taken.entry(*number).or_default() += count;
                }
            }
        }
        let mut survey = Survey {
            actions: self.actions,
            allowed: self.allowed,
            alike: self.like.is_some().then_some(self.alike),
            ..Survey::default()
        };
        for (number, (key, members)) in self.places.into_iter().zip(self.members).enumerate() {
            let Some(mut group) = Group::of(&key, members, policy) else { continue };
            group.count = group.count.saturating_sub(taken.get(&number).copied().unwrap_or(0));
            if group.count == 0 || self.like.as_ref().is_some_and(|like| !like.fits(&group)) {
                continue;
            }
            let near = group.example.near.cell.and_then(|cell| self.cells.get(&cell)).copied().unwrap_or(0);
            let met = self.met.get(key.rule.as_str()).copied().unwrap_or(0);
            group.rarity = doublings(self.actions, near + met);
            group.barriers = engine.barriers(&group.example.finding);
            let hidden = telling.suppressions.iter().any(|one| one.hides(&group, telling.today));
            let list = match key.class {
                _ if hidden => &mut survey.suppressed,
                Class::Blind => &mut survey.blind,
                Class::Guarded => &mut survey.guarded,
                _ if group.count > telling.collapse_above => &mut survey.routine,
                _ => {
                    survey.listed += group.count;
                    &mut survey.groups
                }
            };
            list.push(group);
        }
        let Survey { groups, suppressed, routine, guarded, blind, .. } = &mut survey;
        for list in [groups, suppressed, routine, guarded, blind] {
            list.sort_by(|a, b| a.order().cmp(&b.order()));
        }
        survey
    }
}

impl Survey {
    /// Every group, told or not.
    pub fn all(&self) -> impl Iterator<Item = &Group> {
        let Self { groups, suppressed, routine, guarded, blind, .. } = self;
        [groups, suppressed, routine, guarded, blind].into_iter().flatten()
    }
}

impl Group {
    fn of(key: &Key, members: BTreeMap<Who, Member>, policy: &Policy) -> Option<Self> {
        let mut members = members.into_iter();
        let (who, first) = members.next()?;
        let mut group = Self {
            id: id(key, policy),
            rule: Arc::clone(&first.example.near.rule),
            class: key.class,
            distance: key.distance,
            cost: first.cost,
            missing: key.missing.clone(),
            reversible: first.example.near.reversible,
            template: key.template.clone(),
            count: first.count,
            actors: BTreeMap::from([(who.actor, first.count)]),
            sessions: first.sessions,
            environments: first.environments,
            first: first.first,
            last: first.last,
            days: first.days,
            rarity: 0,
            barriers: Vec::new(),
            example: first.example,
        };
        group.example.near.flips = first.flips.into_iter().collect();
        for (who, member) in members {
            group.count += member.count;
            *group.actors.entry(who.actor).or_default() += member.count;
            group.sessions.extend(member.sessions);
            group.environments.extend(member.environments);
            group.first = earlier(group.first, member.first);
            group.last = group.last.max(member.last);
            group.reversible &= member.example.near.reversible;
            for (day, count) in member.days {
                *group.days.entry(day).or_default() += count;
            }
            if member.example.order() < group.example.order() {
                group.example = member.example;
                group.example.near.flips = member.flips.into_iter().collect();
            }
            group.cost = group.cost.min(member.cost);
        }
        Some(group)
    }

    /// Nearest first, then luck before slips, then what would be worst, then what is least usual.
    fn order(&self) -> impl Ord + '_ {
        let Self { distance, class, rule, reversible, rarity, cost, count, first, template, .. } = self;
        let when = first.map_or(i64::MAX, |time| time.0);
        let worst = (Reverse(rule.severity), *reversible, Reverse(*rarity));
        ((*distance, *class, worst), (*cost, *count, when), (&rule.id, template, &self.missing))
    }
}

impl Member {
    fn new(near: &NearMiss, finding: &Finding) -> Self {
        let mut member = Self {
            count: 0,
            cost: near.cost,
            sessions: BTreeSet::new(),
            environments: BTreeSet::new(),
            first: None,
            last: None,
            days: BTreeMap::new(),
            flips: BTreeSet::new(),
            example: Example::new(near, finding),
            beside: BTreeMap::new(),
        };
        member.add(near, finding);
        member
    }

    fn add(&mut self, near: &NearMiss, finding: &Finding) {
        let action = &finding.action;
        self.count += 1;
        if self.sessions.len() < MAX_NAMES && !self.sessions.contains(&action.session) {
            self.sessions.insert(Arc::clone(&action.session));
        }
        self.environments.insert(finding.environment);
        if let Some(time) = action.time {
            self.first = earlier(self.first, Some(time));
            self.last = self.last.max(Some(time));
            *self.days.entry(time.0.div_euclid(DAY)).or_default() += 1;
        }
        // Facts are few; of slips the example shows its own.
        if near.class == Class::Lucky {
            self.flips.extend(near.flips.iter().cloned());
        } else if self.flips.is_empty() {
            self.flips.extend(near.flips.iter().cloned());
        }
        if (near.cost, action.time.map(|time| time.0), action.id) < self.example.order() {
            self.example = Example::new(near, finding);
            if near.class != Class::Lucky {
                self.flips = near.flips.iter().cloned().collect();
            }
        }
        self.cost = self.cost.min(near.cost);
    }
}

impl Example {
    fn new(near: &NearMiss, finding: &Finding) -> Self {
        let others = finding.near.iter().flat_map(|nearness| &nearness.told).filter(|other| *other != near);
        Self { finding: Box::new(finding.clone()), near: near.clone(), others: others.cloned().collect() }
    }

    fn order(&self) -> (u32, Option<i64>, ActionId) {
        let action = &self.finding.action;
        (self.near.cost, action.time.map(|time| time.0), action.id)
    }
}

impl Seen {
    fn note(&mut self, finding: &Finding) {
        let Finding { action, environment, session_facts, .. } = finding;
        let flags = FLAGS
            .iter()
            .enumerate()
            .filter(|(_, fact)| session_flag(**fact, session_facts) == Some(true))
            .fold(0, |bits, (at, _)| bits | 1 << at);
        let same = |(actor, surroundings, last, last_flags): &(Arc<Actor>, Arc<Surroundings>, Environment, u32)| {
            Arc::ptr_eq(actor, &action.actor)
                && Arc::ptr_eq(surroundings, &action.surroundings)
                && last == environment
                && *last_flags == flags
        };
        if self.last.as_ref().is_some_and(same) {
            return;
        }
        self.last = Some((Arc::clone(&action.actor), Arc::clone(&action.surroundings), *environment, flags));
        let surroundings = &action.surroundings;
        let mut facts: Vec<(&'static str, Arc<str>)> = Vec::new();
        if *environment != Environment::Unknown {
            facts.push((Fact::Environment.word(), environment.word().into()));
        }
        for (at, fact) in FLAGS.iter().enumerate() {
            let word = if flags & 1 << at != 0 { TRUE } else { FALSE };
            facts.push((fact.word(), word.into()));
        }
        for (fact, name) in [
            (Fact::Host, &surroundings.host),
            (Fact::User, &surroundings.user),
            (Fact::Database, &surroundings.database),
            (Fact::Account, &surroundings.account),
            (Fact::Cluster, &surroundings.cluster),
        ] {
            facts.extend(name.as_deref().map(|name| (fact.word(), name.into())));
        }
        if let Some(host) = surroundings.host.as_deref() {
            known(&mut self.of_host, host).extend(facts.iter().cloned());
        }
        known(&mut self.of_actor, &action.actor.name).extend(facts);
    }

    /// Whether this actor, or anybody on this host, was seen with the other value.
    fn shows(&self, who: &Who, flip: &Flip) -> bool {
        let Flip::Fact { fact, value } = flip else { return true };
        let wanted = (*fact, value.as_str().into());
        let of_host = who.host.as_ref().and_then(|host| self.of_host.get(host));
        of_host.into_iter().chain(self.of_actor.get(&who.actor)).any(|facts| facts.contains(&wanted))
    }
}

/// Facts about a session that are true or false.
const FLAGS: [Fact; 11] = [
    Fact::ReadSecret,
    Fact::ReadUntrusted,
    Fact::TurnedGuardOff,
    Fact::SwitchedEnvironment,
    Fact::LastFailed,
    Fact::FolderMissing,
    Fact::DirtyTree,
    Fact::UntrackedFiles,
    Fact::LostWork,
    Fact::IsCheckout,
    Fact::MovedInPart,
];

fn known<'m, T: Default>(map: &'m mut FxHashMap<Arc<str>, T>, name: &str) -> &'m mut T {
    if !map.contains_key(name) {
        map.insert(name.into(), T::default());
    }
    map.entry(name.into()).or_default()
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn id(key: &Key, policy: &Policy) -> GroupId {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update(text.as_bytes());
        hash.update([0]);
    };
    part(&key.rule);
    part(policy.fingerprint(&key.rule).as_deref().unwrap_or("-"));
    part(key.class.word());
    key.missing.iter().for_each(|missing| part(&missing.condition));
    part(&key.template);
    GroupId(hash.finalize().iter().take(6).fold(0, |id, byte| id << 8 | u64::from(*byte)))
}
