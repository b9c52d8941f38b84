//! Where there is something to ask: environments in which the rules differ, those together that no rule tells apart.

use std::collections::BTreeMap;

use super::super::facts::Fact;
use super::super::{Policy, Rule, SCHEMA};
use super::{Tier, actor};
use crate::model::{ActorKind, Decision, Mode, Operation, ResourceKind};

/// A request environment: who does what to what sort of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub operation: Operation,
    pub kind: ResourceKind,
    pub actor: ActorKind,
}

/// Two policies, or one twice.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'p> {
    pub before: &'p Policy,
    pub after: &'p Policy,
}

/// Environments that the rules in question do not tell apart: one answer holds for all of them.
#[derive(Clone, Debug)]
pub struct Cell {
    pub tier: Tier,
    /// Sorted, but for those that are [preferred](Cells::prefer); the first one is asked about.
    pub places: Vec<Place>,
    /// The rules and permits on both sides, by their place in the policy.
    pub(super) before: Vec<usize>,
    pub(super) after: Vec<usize>,
    /// Those that the other side does not have, by id.
    pub changed: (Vec<String>, Vec<String>),
    /// Permits are the same on both sides, so that only rules make a difference.
    pub(super) same_permits: bool,
    /// The rules that one of them must be met, those of which none may be, and the rest that may not be met either: both
    /// sides have it, so that it has a say only where something is found.
    pub(super) gone: Vec<usize>,
    pub(super) new: Vec<usize>,
    pub(super) rest: Vec<usize>,
    /// The class of its environments as far as `gone` and `new` can tell.
    narrow: Class,
    /// Asked about one rule of one policy.
    pub rule: Option<String>,
}

/// The class of an environment as far as some rules can tell.
pub(super) type Class = (Option<Operation>, Option<ResourceKind>, String, Option<ActorKind>);

impl Cell {
    /// Whether the first question, about changed rules alone, is the same here and there.
    pub fn is_like(&self, other: &Self) -> bool {
        (&self.narrow, &self.gone, &self.new) == (&other.narrow, &other.gone, &other.new)
    }
}

/// All there is to ask.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    pub cells: Vec<Cell>,
    /// Environments times tiers, all of them.
    pub total: usize,
    /// Those in which nothing that stops was taken away, as their texts show.
    pub by_text: usize,
}

impl Cells {
    /// Everywhere where something that `before` stops could pass `after`.
    pub fn of_change(sides: Sides<'_>) -> Self {
        let mut keys = BTreeMap::new();
        let mut key_of = |policy: &Policy, rule: &Rule| -> usize {
            let mut key: Vec<String> = vec![rule.test.permit.to_string()];
            let conjuncts = rule.test.all.iter().filter_map(|index| policy.conjuncts.get(*index));
            key.extend(conjuncts.map(|conjunct| conjunct.text().to_owned()));
            key[1..].sort_unstable();
            let next = keys.len();
            *keys.entry(key).or_insert(next)
        };
        let mut keyed =
            |policy: &Policy| -> Vec<usize> { policy.compiled.iter().map(|rule| key_of(policy, rule)).collect() };
        let (before_keys, after_keys) = (keyed(sides.before), keyed(sides.after));
        let words = Words::new(sides);
        let mut found = Self::default();
        let mut classes: BTreeMap<_, Cell> = BTreeMap::new();
        for tier in Tier::ALL {
            for operation in Operation::ALL {
                for kind in ResourceKind::ALL {
                    let before = slice(sides.before, *tier, *operation, *kind);
                    let after = slice(sides.after, *tier, *operation, *kind);
                    let only = |these: &[usize], keys: &[usize], those: &[usize], other: &[usize]| -> Vec<usize> {
                        let known = |index: &&usize| those.iter().any(|those| other[*those] == keys[**index]);
                        these.iter().filter(|index| !known(index)).copied().collect()
                    };
                    let gone = only(&before, &before_keys, &after, &after_keys);
                    let new = only(&after, &after_keys, &before, &before_keys);
                    let shared = |index: &usize| !new.contains(index) && !sides.after.compiled[*index].test.permit;
                    let rest: Vec<usize> = after.iter().copied().filter(shared).collect();
                    let is_permit = |policy: &Policy, index: &usize| policy.compiled[*index].test.permit;
                    let permits_gone = gone.iter().any(|index| is_permit(sides.before, index));
                    let permits_new = new.iter().any(|index| is_permit(sides.after, index));
                    let rules_gone = gone.iter().any(|index| !is_permit(sides.before, index));
                    found.total += ActorKind::ALL.len();
                    if !rules_gone && !permits_new {
                        found.by_text += ActorKind::ALL.len();
                        continue;
                    }
                    for actor in ActorKind::ALL {
                        let place = Place { operation: *operation, kind: *kind, actor: *actor };
                        let class = (*tier, words.class(place, &before, &after), before.clone(), after.clone());
                        let ids = |policy: &Policy, rules: &[usize]| -> Vec<String> {
                            rules.iter().map(|index| policy.compiled[*index].id.clone()).collect()
                        };
                        let cell = classes.entry(class).or_insert_with(|| Cell {
                            tier: *tier,
                            places: Vec::new(),
                            before: before.clone(),
                            after: after.clone(),
                            changed: (ids(sides.before, &gone), ids(sides.after, &new)),
                            same_permits: !permits_gone && !permits_new,
                            narrow: words.class(place, &gone, &new),
                            rest: rest.clone(),
                            gone: gone.clone(),
                            new: new.clone(),
                            rule: None,
                        });
                        cell.places.push(place);
                    }
                }
            }
        }
        found.cells = classes.into_values().collect();
        found.cells.iter_mut().for_each(|cell| cell.places.sort_unstable());
        found.cells.sort_by_key(|cell| (cell.tier as u8, cell.places.first().copied()));
        found
    }

    /// Puts places that are met in life before those that the schema merely allows.
    pub fn prefer(&mut self, is_real: impl Fn(&Place) -> bool) {
        for cell in &mut self.cells {
            cell.places.sort_by_key(|place| !is_real(place));
        }
    }

    /// Everywhere where the rule `id` could be met and no rule among `but` is.
    pub fn of_rule(policy: &Policy, id: &str, but: &[String]) -> Self {
        let sides = Sides { before: policy, after: policy };
        let words = Words::new(sides);
        let mut found = Self::default();
        let mut classes: BTreeMap<_, Cell> = BTreeMap::new();
        let Some(rule) = policy.by_id.get(id).copied() else { return found };
        let test = &policy.compiled[rule].test;
        for operation in Operation::ALL.iter().filter(|operation| test.operations & 1 << **operation as u32 != 0) {
            for kind in ResourceKind::ALL.iter().filter(|kind| test.kinds & 1 << **kind as u32 != 0) {
                let others = policy.slice_indices(*operation, *kind);
                let others: Vec<usize> =
                    others.filter(|index| but.contains(&policy.compiled[*index].id) && *index != rule).collect();
                for actor in ActorKind::ALL {
                    found.total += 1;
                    let place = Place { operation: *operation, kind: *kind, actor: *actor };
                    let class = (words.class(place, &[rule], &others), vec![rule], others.clone());
                    let cell = classes.entry(class).or_insert_with(|| Cell {
                        tier: Tier::Stop,
                        places: Vec::new(),
                        before: vec![rule],
                        after: others.clone(),
                        changed: (
                            vec![id.to_owned()],
                            others.iter().map(|index| policy.compiled[*index].id.clone()).collect(),
                        ),
                        same_permits: true,
                        narrow: words.class(place, &[rule], &[]),
                        gone: vec![rule],
                        new: Vec::new(),
                        rest: others.clone(),
                        rule: Some(id.to_owned()),
                    });
                    cell.places.push(place);
                }
            }
        }
        found.cells = classes.into_values().collect();
        found.cells.iter_mut().for_each(|cell| cell.places.sort_unstable());
        // Where fewest others have a say there is most likely something left.
        found.cells.sort_by_key(|cell| (cell.after.len(), cell.places.first().copied()));
        found
    }
}

impl Policy {
    /// Rules that decide at least as strictly as the rule `id`, without it: where they are all met whenever it is, it
    /// never decides alone.
    pub fn at_least_as_strict(&self, id: &str) -> Vec<String> {
        let least = self.rules.iter().find(|rule| rule.id == id).map_or(Decision::Ask, |rule| rule.decision);
        let others = self.rules.iter().filter(|rule| rule.mode == Mode::Enforce && rule.decision >= least);
        others.filter(|rule| rule.id != id).map(|rule| rule.id.clone()).collect()
    }
}

fn slice(policy: &Policy, tier: Tier, operation: Operation, kind: ResourceKind) -> Vec<usize> {
    policy.slice_indices(operation, kind).filter(|index| tier.counts(&policy.compiled[*index])).collect()
}

/// What conditions name, so that environments which none of them can tell apart are asked about once.
///
/// A condition that only asks for the operation or the kind is answered by the choice of rules already. Beside those,
/// two operations differ only for a condition about the action; two kinds that are declared alike, and two kinds of
/// actors, only where one of them is named.
pub(super) struct Words {
    before: Vec<Named>,
    after: Vec<Named>,
    /// Per kind: what its declaration says after its name, and whether others can stand in it.
    declared: Vec<(String, bool)>,
}

/// What one policy's conditions beside the choice of rules name.
#[derive(Clone, Copy, Default)]
struct Named {
    action: bool,
    actors: bool,
    kinds: u64,
}

impl Words {
    pub(super) fn new(sides: Sides<'_>) -> Self {
        let named = |policy: &Policy| -> Vec<Named> {
            let each: Vec<Named> = policy
                .conjuncts
                .iter()
                .map(|conjunct| {
                    let text = conjunct.text();
                    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
                    let kinds = ResourceKind::ALL.iter().filter(|kind| words.contains(&kind.word()));
                    Named {
                        action: conjunct.facts.contains(&Fact::Action) || words.contains(&"action"),
                        actors: ActorKind::ALL.iter().any(|kind| words.contains(&actor(*kind))),
                        kinds: kinds.fold(0, |bits, kind| bits | 1 << *kind as u32),
                    }
                })
                .collect();
            let rule = |rule: &Rule| {
                let hot = rule.test.hot.iter().filter_map(|index| each.get(*index));
                hot.fold(Named::default(), |all, one| all.and(*one))
            };
            policy.compiled.iter().map(rule).collect()
        };
        let declared = ResourceKind::ALL.iter().map(|kind| declared(kind.word())).collect();
        Self { before: named(sides.before), after: named(sides.after), declared }
    }

    pub(super) fn class(&self, place: Place, before: &[usize], after: &[usize]) -> Class {
        let all = before.iter().map(|index| self.before[*index]).chain(after.iter().map(|index| self.after[*index]));
        let named = all.fold(Named::default(), Named::and);
        let (declaration, is_parent) = &self.declared[place.kind as usize];
        let kind = *is_parent || named.kinds & 1 << place.kind as u32 != 0;
        // A service is declared otherwise: it can be the thing acted upon as well.
        let actor = named.actors || place.actor == ActorKind::Service;
        let (operation, kind) = (named.action.then_some(place.operation), kind.then_some(place.kind));
        (operation, kind, declaration.clone(), actor.then_some(place.actor))
    }
}

impl Named {
    fn and(self, other: Self) -> Self {
        Self {
            action: self.action || other.action,
            actors: self.actors || other.actors,
            kinds: self.kinds | other.kinds,
        }
    }
}

/// What the schema declares of a kind after its name, and whether other things can stand in it.
fn declared(kind: &str) -> (String, bool) {
    let mut declaration = String::new();
    let mut is_parent = false;
    for line in SCHEMA.lines().filter_map(|line| line.strip_prefix("entity ")) {
        let (names, rest) = line.split_once(" in [").unwrap_or((line, ""));
        let parents = rest.split_once(']').map_or("", |(parents, _)| parents);
        is_parent |= parents.split(", ").any(|parent| parent == kind);
        if names.split(", ").any(|name| name == kind) {
            declaration = rest.to_owned();
        }
    }
    (declaration, is_parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_in_the_schema() {
        for kind in ResourceKind::ALL {
            assert!(declared(kind.word()).0.contains("unresolved: Bool"), "{kind}");
        }
        assert!(declared("Folder").1 && declared("Table").1 && !declared("Device").1);
        assert_eq!(declared("Device").0, declared("Process").0);
        assert_ne!(declared("Device").0, declared("Object").0);
    }
}
