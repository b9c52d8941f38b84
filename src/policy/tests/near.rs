//! What is said to be missing is just what is missing: properties of nearness, with Cedar to say when a rule is met.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::{ProptestConfig, any};

use super::agreement::Draw;
use super::*;
use crate::policy::{Met, judge};

/// What a request is made of.
#[derive(Clone, Debug)]
struct Case {
    action: Action,
    effect: Effect,
    environment: Environment,
    session: SessionFacts,
}

impl Case {
    fn drawn(seed: u64) -> Self {
        let mut draw = Draw(seed);
        let (action, effect, session) = (draw.action(), draw.effect(), draw.session());
        Self { action, effect, environment: draw.one(Environment::ALL), session }
    }

    fn request(&self) -> Request<'_> {
        let Self { action, effect, environment, session } = self;
        Request { action, effect, environment: *environment, labels: &[], session }
    }

    /// Takes what another one says of a fact; `false` for a fact that cannot be taken alone.
    fn take(&mut self, fact: Fact, from: &Self) -> bool {
        match fact {
            Fact::Environment => self.environment = from.environment,
            Fact::Approved => self.action.approved = from.action.approved,
            Fact::DryRun => self.effect.dry_run = from.effect.dry_run,
            Fact::GuardOff => self.effect.guard_off = from.effect.guard_off,
            Fact::InTransaction => self.effect.in_transaction = from.effect.in_transaction,
            Fact::Elevated => self.effect.elevated = from.effect.elevated,
            Fact::Cascades => self.effect.cascades = from.effect.cascades,
            Fact::Extent => self.effect.extent = from.effect.extent,
            Fact::Reversible => self.effect.reversible = from.effect.reversible,
            Fact::Zone => self.effect.zone = from.effect.zone,
            Fact::Code => self.effect.code = from.effect.code,
            Fact::By => self.effect.by.clone_from(&from.effect.by),
            Fact::ReadSecret => self.session.read_secret = from.session.read_secret,
            Fact::ReadUntrusted => self.session.read_untrusted = from.session.read_untrusted,
            Fact::LastFailed => self.session.last_failed = from.session.last_failed,
            Fact::DirtyTree => self.session.dirty_tree = from.session.dirty_tree,
            Fact::UntrackedFiles => self.session.untracked_files = from.session.untracked_files,
            Fact::Destroyed => self.session.destroyed = from.session.destroyed,
            Fact::Sweep => self.session.sweep = from.session.sweep,
            Fact::Denials => self.session.denials = from.session.denials,
            // Where it stands; that it is a table is what the act is about.
            Fact::Resource => self.effect.resource.areas = from.effect.resource.areas,
            _ => return false,
        }
        true
    }

    /// Makes one of [`CONDITIONS`] hold or not.
    fn set(&mut self, condition: usize, holds: bool) {
        match condition {
            0 => self.action.approved = holds,
            1 => self.effect.elevated = holds,
            2 => self.effect.extent = if holds { Extent::All } else { Extent::One },
            3 => self.environment = if holds { Environment::Production } else { Environment::Staging },
            4 => self.effect.dry_run = !holds,
            5 => self.session.denials = if holds { 30 } else { 4 },
            6 => {
                let areas = Areas::default();
                self.effect.resource.areas = if holds { areas.with(Area::Home) } else { areas };
            }
            _ => self.effect.count = Some(if holds { 1000 } else { 100 }),
        }
    }

    /// The steps to a rule: 0 where it is met for certain, `None` where it is not about this kind of act.
    fn steps(&self, policy: &Policy, rule: &str) -> Option<u32> {
        if policy.is_met(policy.by_id[rule], &self.request()) {
            return Some(0);
        }
        policy.near(&self.request(), u32::MAX).iter().find(|near| near.rule.id == rule).map(Near::distance)
    }
}

/// Each looks at a fact of its own.
const CONDITIONS: [&str; 8] = [
    "context.approved",
    "context.elevated",
    "context.extent == Extent::\"all\"",
    "context.environment == Environment::\"production\"",
    "!context.dry_run",
    "context.session.denials >= 20",
    "resource in Area::\"home\"",
    "context.count > 500",
];

/// A rule's id, and which of the conditions it has.
type Small = (String, BTreeSet<usize>);

/// The rules with one, two and three of the conditions.
static SMALL: LazyLock<(Policy, Vec<Small>)> = LazyLock::new(|| {
    let mut sets: BTreeSet<BTreeSet<usize>> = BTreeSet::new();
    for (a, b, c) in (0..512).map(|number| (number % 8, number / 8 % 8, number / 64)) {
        sets.insert([a, b, c].into());
    }
    let mut text = String::from("@id(\"small.permit\") permit (principal, action, resource);\n");
    let mut rules = Vec::new();
    for set in sets {
        let id: String = set.iter().map(usize::to_string).collect();
        let id = format!("small.c{id}");
        let when: Vec<&str> = set.iter().map(|condition| CONDITIONS[*condition]).collect();
        text += &format!(
            "@id(\"{id}\") @message(\"m\") forbid (principal is Agent, action == Action::\"drop\", resource is Folder) when {{ {} }};\n",
            when.join(" && ")
        );
        rules.push((id, set));
    }
    // Unchecked: a count is known here, and no rule asks for it.
    let source = Source { builtin: true, ..source(&text) };
    let policy = Policy::load(&[source], &LoadOptions::default()).unwrap_or_else(|errors| panic!("{errors}"));
    (policy, rules)
});

/// An agent drops a folder, and the conditions hold whose bits are set.
fn small(seed: u64, holding: u8) -> Case {
    let mut case = Case::drawn(seed);
    case.action.actor = Arc::new(Actor { name: "bot".into(), kind: ActorKind::Agent, groups: Vec::new() });
    case.effect.operation = Operation::Drop;
    case.effect.certainty = Certainty::Exact;
    case.effect.resource = Resource::new(ResourceKind::Folder, "/home/ann/x");
    for condition in 0..CONDITIONS.len() {
        case.set(condition, holding & 1 << condition != 0);
    }
    case
}

/// Ids of the rules that Cedar has met.
fn met(policy: &Policy, case: &Case) -> BTreeSet<String> {
    policy.judge_with_oracle(&case.request()).met.iter().map(|rule| rule.id.clone()).collect()
}

proptest::proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    /// P2 and P3: setting what is missing meets the rule, setting less does not.
    #[test]
    fn what_is_missing_is_enough_and_nothing_of_it_is_too_much(seed in any::<u64>(), holding in any::<u8>()) {
        let (policy, rules) = &*SMALL;
        let case = small(seed, holding);
        let near = policy.near(&case.request(), u32::MAX);
        // What Cedar says with each set of conditions made to hold.
        let mut asked: std::collections::BTreeMap<BTreeSet<usize>, BTreeSet<String>> = Default::default();
        for (id, conditions) in rules {
            let unmet: BTreeSet<usize> =
                conditions.iter().copied().filter(|condition| holding & 1 << condition == 0).collect();
            let told = near.iter().find(|near| near.rule.id == *id);
            let Some(told) = told else {
                assert!(unmet.is_empty(), "{id} lacks {unmet:?} and is not near to {case:#?}");
                continue;
            };
            assert!(told.unknown.is_empty(), "{told:?}");
            assert_eq!(told.distance() as usize, unmet.len(), "{told:?}");
            let places: Vec<usize> = conditions.iter().copied().collect();
            // What the rule is about comes first.
            let about = policy.compiled[told.place].test.all.len() - places.len();
            let said: BTreeSet<usize> = told.unmet.iter().map(|unmet| places[unmet.position - about]).collect();
            assert_eq!(said, unmet, "{told:?}");
            for chosen in 0..1_u32 << places.len() {
                let set: BTreeSet<usize> = places
                    .iter()
                    .enumerate()
                    .filter(|(at, condition)| chosen & 1 << at != 0 && said.contains(condition))
                    .map(|(_, condition)| *condition)
                    .collect();
                let stopping = asked.entry(set.clone()).or_insert_with(|| {
                    let mut case = case.clone();
                    set.iter().for_each(|condition| case.set(*condition, true));
                    met(policy, &case)
                });
                assert_eq!(stopping.contains(id), set == said, "{id} with {set:?} of {said:?}: {case:#?}");
            }
        }
    }

    /// P4: a rule with a condition more is never nearer.
    #[test]
    fn another_condition_brings_no_rule_nearer(seed in any::<u64>(), holding in any::<u8>()) {
        let (policy, rules) = &*SMALL;
        let case = small(seed, holding);
        let steps: Vec<u32> = rules.iter().map(|(id, _)| case.steps(policy, id).unwrap_or(u32::MAX)).collect();
        for ((less, fewer), is) in rules.iter().zip(&steps) {
            for ((more, conditions), further) in rules.iter().zip(&steps) {
                assert!(!fewer.is_subset(conditions) || is <= further, "{less} {is}, {more} {further}: {case:#?}");
            }
        }
    }

    /// P7: another kind of act, thing or actor is not near, however much of the rest holds.
    #[test]
    fn what_a_rule_is_about_is_never_a_step(seed in any::<u64>(), holding in any::<u8>()) {
        let (policy, rules) = &*SMALL;
        let case = small(seed, holding);
        let other = Case::drawn(seed);
        let mut acts = case.clone();
        acts.effect.operation = other.effect.operation;
        let mut things = case.clone();
        things.effect.resource.kind = other.effect.resource.kind;
        let mut actors = case.clone();
        actors.action.actor = Arc::clone(&other.action.actor);
        for (changed, is_same) in [
            (&acts, acts.effect.operation == Operation::Drop),
            (&things, things.effect.resource.kind == ResourceKind::Folder),
            (&actors, actors.action.actor.kind == ActorKind::Agent),
        ] {
            for (id, _) in rules {
                assert_eq!(changed.steps(policy, id).is_some(), is_same, "{id}: {changed:#?}");
            }
        }
    }

    /// P6: whatever a fact that is not known turns out to be, the distance is one of those said.
    #[test]
    fn what_becomes_known_keeps_to_the_interval(seed in any::<u64>(), holding in any::<u8>()) {
        let (policy, rules) = &*SMALL;
        let known = small(seed, holding);
        let mut case = known.clone();
        case.effect.count = None;
        case.action.outcome.rows = None;
        case.environment = Environment::Unknown;
        case.effect.extent = Extent::Unknown;
        for (id, conditions) in rules {
            let near = policy.near(&case.request(), u32::MAX);
            let told = near.iter().find(|near| near.rule.id == *id);
            let open = [2, 3, 7].iter().filter(|condition| conditions.contains(condition)).count();
            assert_eq!(told.map_or(0, |near| near.unknown.len()), open, "{id}: {told:?}");
            let least = told.map_or(0, Near::distance);
            for (count, environment, extent) in [
                (501, Environment::Production, Extent::All),
                (100, Environment::Production, Extent::All),
                (501, Environment::Staging, Extent::All),
                (501, Environment::Production, Extent::One),
                (100, Environment::Staging, Extent::One),
            ] {
                let mut case = case.clone();
                (case.effect.count, case.environment, case.effect.extent) = (Some(count), environment, extent);
                let is = case.steps(policy, id).unwrap_or(u32::MAX);
                let most = least + open as u32;
                assert!((least..=most).contains(&is), "{id}: {is} is not in [{least}, {most}]: {case:#?}");
            }
        }
    }
}

/// P2, P3 and P7 over what is shipped: facts are taken from other requests, and Cedar says who stops it then.
#[test]
fn the_packs_keep_what_nearness_promises() {
    let policy = pack("strict");
    let (mut sound, mut two) = (0, 0);
    let others: Vec<Case> = (100_000..100_024).map(Case::drawn).collect();
    for seed in 0..400 {
        let case = Case::drawn(seed);
        let near = policy.near(&case.request(), 2);
        let stopped = if near.is_empty() { BTreeSet::new() } else { met(&policy, &case) };
        for near in near.iter().filter(|near| near.unknown.is_empty() && !near.unmet.is_empty()) {
            let id = &near.rule.id;
            assert!(!stopped.contains(id), "{id} lacks {:?} and stops {case:#?}", near.unmet);
            let rule = &policy.compiled[near.place];
            let facts = |position: usize| policy.facts_at(near.place, position);
            let is_unmet = |position: &usize| near.unmet.iter().any(|unmet| unmet.position == *position);
            let rest: BTreeSet<Fact> =
                (0..rule.test.all.len()).filter(|at| !is_unmet(at)).flat_map(|at| facts(at).to_vec()).collect();
            let mut wanted = near.unmet.iter().flat_map(|unmet| facts(unmet.position));
            if wanted.any(|fact| rest.contains(fact)) {
                continue;
            }
            let mut changed = others.iter().filter_map(|other| {
                let mut changed = case.clone();
                let mut wanted = near.unmet.iter().flat_map(|unmet| facts(unmet.position));
                let all = wanted.all(|fact| changed.take(*fact, other));
                let holds = |request: &Request<'_>| {
                    let mut pass = judge::Pass::new(&policy, request);
                    near.unmet.iter().all(|un| policy.met(rule.test.all[un.position], &mut pass) == Met::Met)
                };
                (all && holds(&changed.request())).then_some((changed, other))
            });
            let Some((changed, other)) = changed.next() else { continue };
            if sound < 150 {
                assert!(met(&policy, &changed).contains(id), "{id} does not stop {changed:#?}, which was {case:#?}");
            }
            sound += 1;
            // Of two with facts of their own, neither alone is enough.
            if let [first, second] = near.unmet.as_slice()
                && facts(first.position).iter().all(|fact| !facts(second.position).contains(fact))
            {
                two += 1;
                for one in [first, second].into_iter().filter(|_| two < 40) {
                    let mut half = case.clone();
                    facts(one.position).iter().for_each(|fact| assert!(half.take(*fact, other)));
                    assert!(!met(&policy, &half).contains(id), "{id} stops half of it: {half:#?}");
                }
            }
        }
        for operation in Operation::ALL {
            let mut other = case.clone();
            other.effect.operation = *operation;
            for near in policy.near(&other.request(), 2) {
                let applies = policy.compiled[near.place].can_apply(*operation, other.effect.resource.kind);
                assert!(applies, "{} is near to {other:#?}", near.rule.id);
            }
        }
    }
    assert!(sound >= 50 && two >= 10, "{sound} rules were met by what was missing, {two} of them by two facts");
}
