//! Near-misses of a whole replay: those that hang on a circumstance are told only where somebody met it, alike ones
//! become one group, routine is folded, and the groups are put in order.
//!
//! Everything here is counted in whole numbers and sorted by content, so that neither threads nor the order of files
//! change a byte.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use rustc_hash::{FxBuildHasher, FxHashMap};
use sha2::{Digest, Sha256};

use super::group::{Alike, Example, Group, GroupId, Survey, earlier};
use super::seen::Seen;
use super::suppression::Suppression;
use crate::engine::Engine;
use crate::engine::compare::template;
use crate::engine::gate::Day;
use crate::engine::query::Filter;
use crate::model::{
    Action, ActionId, Actor, Cell, Class, Decision, Environment, Finding, Flip, Missing, NearMiss, Nearness,
    Surroundings, Timestamp,
};
use crate::policy::{Policy, doublings};

/// Actors, sessions and hosts counted one by one; beyond it the number is a lower bound.
const MAX_NAMES: usize = 1000;
/// Everybody beyond that.
const OTHERS: &str = "(others)";
/// Actions of one shape whose slips are tried; as many more are as good as routine.
const MAX_TRIED: usize = 64;
/// Who is one slip away from the same rule this often, and more often than once in [`HABIT`] actions, works like that.
const HABITUAL: u64 = 5;
const HABIT: u64 = 50;
/// A day, in microseconds.
const DAY: i64 = 86_400_000_000;

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
        Self { template: template(finding).into_owned(), rules: hits.chain(near).collect() }
    }

    pub fn template(&self) -> &str {
        &self.template
    }

    fn fits(&self, group: &Group) -> bool {
        group.template == self.template || self.rules.contains(&group.rule.id)
    }
}

/// Near-misses in the making.
#[derive(Clone, Debug, Default)]
pub struct Gather {
    actions: u64,
    allowed: u64,
    cells: FxHashMap<Cell, u64>,
    /// How much everybody was allowed, by the name; a log that names nobody is somebody, too.
    doers: FxHashMap<Arc<str>, usize>,
    allowed_of: Vec<u64>,
    last: Option<(Arc<Actor>, &'static str, usize)>,
    met: FxHashMap<Arc<str>, u64>,
    places: Vec<Key>,
    numbers: Numbers,
    /// By the number of the group, then by who acted where.
    members: Vec<BTreeMap<Who, Member>>,
    seen: Seen,
    left: Vec<(Left, Waiting)>,
    left_numbers: Numbers,
    last_who: Option<(Arc<Actor>, Arc<Surroundings>, Who)>,
    like: Option<Likeness>,
    alike: Alike,
}

/// Places in a list by the hash of what stands there, which is compared in full. Who looks something up makes no key for
/// it: most of a log is in a group already.
#[derive(Clone, Debug, Default)]
struct Numbers(FxHashMap<u64, Vec<usize>>);

impl Numbers {
    fn find(&self, hash: u64, fits: impl Fn(usize) -> bool) -> Option<usize> {
        self.0.get(&hash)?.iter().copied().find(|number| fits(*number))
    }

    fn add(&mut self, hash: u64, number: usize) {
        self.0.entry(hash).or_default().push(number);
    }
}

#[derive(Clone, Debug)]
struct Key {
    rule: String,
    class: Class,
    distance: u32,
    missing: Vec<Missing>,
    template: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Who {
    pub(super) actor: Arc<str>,
    pub(super) host: Option<Arc<str>>,
}

/// How often each of the doers was one slip away from each rule, for each of the conditions.
type Slips = FxHashMap<(usize, String, Vec<Missing>), u64>;

/// How many actions, when and in what.
#[derive(Clone, Debug, Default)]
struct Tally {
    count: u64,
    /// Who did it, by the number that [`Gather::doer`] gives.
    doers: BTreeMap<usize, u64>,
    sessions: BTreeSet<Arc<str>>,
    environments: BTreeSet<Environment>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    days: BTreeMap<i64, u64>,
}

/// The actions of a group by one actor on one host.
#[derive(Clone, Debug)]
struct Member {
    tally: Tally,
    cost: u32,
    flips: BTreeSet<Flip>,
    example: Example,
    /// How many of them stand in another group, should this one turn out to hang on what nobody met.
    beside: BTreeMap<usize, u64>,
}

/// Actions that hang on slips which nobody has tried: by the rules that the slips would meet, and by their shape.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Left {
    rules: Vec<String>,
    template: String,
}

#[derive(Clone, Debug, Default)]
struct Waiting {
    count: u64,
    /// The first ones by time and id.
    held: BTreeMap<(Option<i64>, ActionId), Finding>,
    members: BTreeMap<Who, Tally>,
}

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
        let doer = self.doer(&finding.action);
        if let Some(allowed) = self.allowed_of.get_mut(doer) {
            *allowed += 1;
        }
        let Some(nearness) = &finding.near else { return };
        for cell in &nearness.cells {
            *self.cells.entry(*cell).or_default() += 1;
        }
        let told = |class: fn(Class) -> bool| nearness.told.iter().find(|near| class(near.class));
        // What hangs on a circumstance may come to nothing; what is next to it then counts.
        let lucky = told(|class| class == Class::Lucky);
        let closed = nearness.told.iter().find(|near| matches!(near.class, Class::Margin | Class::Slip) && !near.open);
        if closed.is_none() && nearness.told.iter().any(|near| near.open) {
            self.leave(nearness, finding);
        }
        let other = closed.or_else(|| told(|class| class == Class::Guarded));
        let beside = other.map(|near| self.add(near, finding, None));
        if let Some(near) = lucky {
            self.add(near, finding, beside);
        }
        if let Some(near) = told(|class| class == Class::Blind) {
            self.add(near, finding, None);
        }
    }

    /// Takes in the next action, and tells of it only what the filter means: `class(slip)` is no question about the others
    /// of an action's near-misses. What is not told says all the same what is usual here, and who was seen where.
    pub fn chosen(&mut self, filter: &Filter, finding: &Finding) {
        let Some(near) = finding.near.as_ref().filter(|near| !filter.is_all() && !near.told.is_empty()) else {
            return self.finding(finding);
        };
        let is_meant = |one: &&NearMiss| {
            let alone = Nearness { told: vec![NearMiss::clone(one)], cells: Vec::new() };
            filter.matches(&Finding { near: Some(Arc::new(alone)), ..finding.clone() })
        };
        let told = near.told.iter().filter(is_meant).cloned().collect();
        let near = Some(Arc::new(Nearness { told, cells: near.cells.clone() }));
        self.finding(&Finding { near, ..finding.clone() });
    }

    /// What there is to tell while more is read. Slips in statements are only looked at in the end.
    pub fn so_far(&mut self, engine: &Engine, telling: Telling<'_>) -> Survey {
        let left = std::mem::take(&mut self.left);
        let survey = self.clone().finish(engine, telling);
        self.left = left;
        survey
    }

    /// The number of who did it.
    fn doer(&mut self, action: &Action) -> usize {
        let format = action.origin.format;
        if let Some((actor, last, number)) = &self.last
            && Arc::ptr_eq(actor, &action.actor)
            && *last == format
        {
            return *number;
        }
        let name = if action.actor.name.is_empty() { format } else { action.actor.name.as_str() };
        let own = self.doers.len() < MAX_NAMES || self.doers.contains_key(name);
        let name = if own { name } else { OTHERS };
        let number = self.doers.get(name).copied().unwrap_or_else(|| {
            self.doers.insert(name.into(), self.allowed_of.len());
            self.allowed_of.push(0);
            self.allowed_of.len() - 1
        });
        self.last = Some((Arc::clone(&action.actor), format, number));
        number
    }

    /// Whether all who did it do it all the time: one slip away is how they work, and no news.
    fn is_habit(&self, (key, doers): (&Key, &BTreeMap<usize, u64>), slips: &Slips) -> bool {
        let habitual = |doer: &usize| {
            let often = slips.get(&(*doer, key.rule.clone(), key.missing.clone())).copied().unwrap_or(0);
            let allowed = self.allowed_of.get(*doer).copied().unwrap_or(0);
            often >= HABITUAL && often * HABIT > allowed
        };
        key.class == Class::Slip && doers.keys().all(habitual)
    }

    /// Leaves an action with open slips for the end.
    fn leave(&mut self, nearness: &Nearness, finding: &Finding) {
        let open = |near: &&NearMiss| near.open;
        let doer = self.doer(&finding.action);
        let rules = || nearness.told.iter().filter(open).map(|near| near.rule.id.as_str());
        let template = template(finding);
        let hash = rules().fold(hashed(&*template), |hash, rule| hashed((hash, rule)));
        let fits =
            |(left, _): &(Left, _)| left.template == template && left.rules.iter().map(String::as_str).eq(rules());
        let known = self.left_numbers.find(hash, |number| self.left.get(number).is_some_and(fits));
        let number = known.unwrap_or_else(|| {
            let left = Left { rules: rules().map(str::to_owned).collect(), template: template.into_owned() };
            self.left_numbers.add(hash, self.left.len());
            self.left.push((left, Waiting::default()));
            self.left.len() - 1
        });
        let others = self.left.get(number).map_or(0, |(_, waiting)| waiting.members.len());
        let who = self.who(&finding.action, others);
        let Some((_, left)) = self.left.get_mut(number) else { return };
        left.count += 1;
        let action = &finding.action;
        let place = (action.time.map(|time| time.0), action.id);
        let last = left.held.last_key_value().map(|(place, _)| *place);
        if left.held.len() < MAX_TRIED || last.is_some_and(|last| place < last) {
            left.held.insert(place, finding.clone());
            if left.held.len() > MAX_TRIED {
                left.held.pop_last();
            }
        }
        left.members.entry(who).or_default().add(finding, doer);
    }

    /// Tries the open slips: all of them where they are few, else those of the first ones.
    fn settle(&mut self, engine: &Engine) {
        let mut all: Vec<(Left, Waiting)> = std::mem::take(&mut self.left);
        all.sort_by(|a, b| a.0.cmp(&b.0));
        for (_, waiting) in all {
            let few = waiting.count <= waiting.held.len() as u64;
            for finding in waiting.held.values() {
                let Some(nearness) = engine.reconsidered(finding) else { continue };
                let Some(near) = nearness.told.iter().find(|near| near.class == Class::Slip) else { continue };
                let finding = Finding { near: Some(Arc::clone(&nearness)), ..finding.clone() };
                if few {
                    self.add(near, &finding, None);
                    continue;
                }
                // What is one slip away so often is one slip away every time.
                let number = self.number(near, &finding);
                let Some(members) = self.members.get_mut(number) else { break };
                for (who, tally) in waiting.members {
                    let member = Member { tally, ..Member::new(near, &finding) };
                    members.insert(who, member);
                }
                break;
            }
        }
    }

    /// The number of the group of a near-miss.
    fn number(&mut self, near: &NearMiss, finding: &Finding) -> usize {
        let template = template(finding);
        let hash = hashed((&near.rule.id, near.class as u8, near.distance, &*template));
        let fits = |key: &Key| {
            key.rule == near.rule.id
                && key.class == near.class
                && key.distance == near.distance
                && key.template == template
                && key.missing == near.missing
        };
        if let Some(number) = self.numbers.find(hash, |number| self.places.get(number).is_some_and(fits)) {
            return number;
        }
        let number = self.places.len();
        self.places.push(Key {
            rule: near.rule.id.clone(),
            class: near.class,
            distance: near.distance,
            missing: near.missing.clone(),
            template: template.into_owned(),
        });
        self.numbers.add(hash, number);
        self.members.push(BTreeMap::new());
        number
    }

    /// Who did it; `others`: so many are counted already.
    fn who(&mut self, action: &Action, others: usize) -> Who {
        if others >= MAX_NAMES {
            return Who { actor: OTHERS.into(), host: None };
        }
        if let Some((actor, surroundings, who)) = &self.last_who
            && Arc::ptr_eq(actor, &action.actor)
            && Arc::ptr_eq(surroundings, &action.surroundings)
        {
            return who.clone();
        }
        let host = action.surroundings.host.as_deref().map(Into::into);
        let who = Who { actor: action.actor.name.as_str().into(), host };
        self.last_who = Some((Arc::clone(&action.actor), Arc::clone(&action.surroundings), who.clone()));
        who
    }

    fn add(&mut self, near: &NearMiss, finding: &Finding, beside: Option<usize>) -> usize {
        let number = self.number(near, finding);
        let doer = self.doer(&finding.action);
        let others = self.members.get(number).map_or(0, BTreeMap::len);
        let who = self.who(&finding.action, others);
        let Some(members) = self.members.get_mut(number) else { return number };
        let member = members.entry(who).or_insert_with(|| Member::new(near, finding));
        member.add(near, finding, doer);
        if let Some(beside) = beside {
            *member.beside.entry(beside).or_default() += 1;
        }
        number
    }

    /// The groups in their order.
    pub fn finish(mut self, engine: &Engine, telling: Telling<'_>) -> Survey {
        let policy = engine.policy();
        self.settle(engine);
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
            alike: self.like.is_some().then(|| std::mem::take(&mut self.alike)),
            ..Survey::default()
        };
        let mut groups = Vec::new();
        let mut slips = Slips::default();
        let (places, members) = (std::mem::take(&mut self.places), std::mem::take(&mut self.members));
        for (number, (key, members)) in places.into_iter().zip(members).enumerate() {
            let mut doers: BTreeMap<usize, u64> = BTreeMap::new();
            for (doer, count) in members.values().flat_map(|member| &member.tally.doers) {
                *doers.entry(*doer).or_default() += count;
            }
            let Some(group) = Group::of(&key, members, policy) else { continue };
            if key.class == Class::Slip {
                for (doer, count) in &doers {
                    *slips.entry((*doer, key.rule.clone(), key.missing.clone())).or_default() += count;
                }
            }
            groups.push((number, key, doers, group));
        }
        for (number, key, doers, mut group) in groups {
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
                _ if group.count > telling.collapse_above || self.is_habit((&key, &doers), &slips) => {
                    &mut survey.routine
                }
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

impl Group {
    fn of(key: &Key, members: BTreeMap<Who, Member>, policy: &Policy) -> Option<Self> {
        let mut members = members.into_iter();
        let (who, first) = members.next()?;
        let mut actors = BTreeMap::from([(who.actor, first.tally.count)]);
        let mut tally = first.tally;
        let (mut cost, mut example, mut flips) = (first.cost, first.example, first.flips);
        let mut reversible = example.near.reversible;
        for (who, member) in members {
            *actors.entry(who.actor).or_default() += member.tally.count;
            reversible &= member.example.near.reversible;
            cost = cost.min(member.cost);
            tally.join(member.tally);
            if member.example.order() < example.order() {
                (example, flips) = (member.example, member.flips);
            }
        }
        example.near.flips = flips.into_iter().collect();
        let Tally { count, sessions, environments, first, last, days, .. } = tally;
        let group = Self {
            id: id(key, policy),
            rule: Arc::clone(&example.near.rule),
            class: key.class,
            distance: key.distance,
            cost,
            missing: key.missing.clone(),
            reversible,
            template: key.template.clone(),
            count,
            actors,
            sessions,
            environments,
            first,
            last,
            days,
            rarity: 0,
            barriers: Vec::new(),
            example,
        };
        Some(group)
    }
}

fn hashed(said: impl Hash) -> u64 {
    FxBuildHasher.hash_one(said)
}

impl Tally {
    fn add(&mut self, finding: &Finding, doer: usize) {
        let action = &finding.action;
        self.count += 1;
        *self.doers.entry(doer).or_default() += 1;
        if self.sessions.len() < MAX_NAMES && !self.sessions.contains(&action.session) {
            self.sessions.insert(Arc::clone(&action.session));
        }
        self.environments.insert(finding.environment);
        if let Some(time) = action.time {
            self.first = earlier(self.first, Some(time));
            self.last = self.last.max(Some(time));
            *self.days.entry(time.0.div_euclid(DAY)).or_default() += 1;
        }
    }

    fn join(&mut self, other: Self) {
        self.count += other.count;
        self.sessions.extend(other.sessions);
        self.environments.extend(other.environments);
        self.first = earlier(self.first, other.first);
        self.last = self.last.max(other.last);
        for (day, count) in other.days {
            *self.days.entry(day).or_default() += count;
        }
    }
}

impl Member {
    /// Without any action yet.
    fn new(near: &NearMiss, finding: &Finding) -> Self {
        Self {
            tally: Tally::default(),
            cost: near.cost,
            flips: near.flips.iter().cloned().collect(),
            example: Example::new(near, finding),
            beside: BTreeMap::new(),
        }
    }

    fn add(&mut self, near: &NearMiss, finding: &Finding, doer: usize) {
        self.tally.add(finding, doer);
        let action = &finding.action;
        let nearer = (near.cost, action.time.map(|time| time.0), action.id) < self.example.order();
        // Circumstances add up; of slips the example shows its own.
        if near.class == Class::Lucky {
            self.flips.extend(near.flips.iter().cloned());
        } else if nearer {
            self.flips = near.flips.iter().cloned().collect();
        }
        if nearer {
            self.example = Example::new(near, finding);
        }
        self.cost = self.cost.min(near.cost);
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
