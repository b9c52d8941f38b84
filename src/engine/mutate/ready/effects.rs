//! Cases that state an effect themselves: an effect that meets a rule, with one or two of the facts changed that the
//! rule looks at.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::expect::Stated;
use crate::model::{
    Action, ActionId, Actor, ActorKind, Area, Certainty, CodeOrigin, Environment, Executed, Extent, Kind, Operation,
    Origin, Outcome, ResourceKind, Reversibility, RuleInfo, Surroundings, Zone,
};
use crate::policy::{Example, Fact};

use super::{Writing, inline, record};

/// Effects to start from, per rule.
const MAX_BASES: usize = 6;
/// Pairs of changes tried per effect.
const MAX_PAIRS: usize = 20_000;

/// An effect, and what is around it.
#[derive(Clone)]
struct Scene {
    action: Action,
    environment: Environment,
    effect: Stated,
}

/// Changes one fact.
type Change = Box<dyn Fn(&mut Scene)>;

pub(super) fn write(writing: &mut Writing<'_>) {
    for info in writing.engine.policy().rules().to_vec() {
        let mutants = writing.study.mutants.all();
        if !writing.open.iter().any(|number| mutants[*number].rule == info.id) {
            continue;
        }
        let bases = bases(writing, &info);
        let changes = changes(writing, &info, &bases);
        for base in &bases {
            writing.try_scene(&info, base);
            for change in &changes {
                let mut scene = base.clone();
                change(&mut scene);
                writing.try_scene(&info, &scene);
            }
        }
        for base in &bases {
            // Words of closed vocabularies come first: there are fewer of them, and more hangs on them.
            let pairs =
                changes.iter().enumerate().flat_map(|(at, two)| changes[..at].iter().map(move |one| (one, two)));
            for (one, two) in pairs.take(MAX_PAIRS) {
                if !writing.open.iter().any(|number| mutants[*number].rule == info.id) {
                    break;
                }
                let mut scene = base.clone();
                one(&mut scene);
                two(&mut scene);
                writing.try_scene(&info, &scene);
            }
        }
    }
}

/// Effects of the rule's own examples that meet it.
fn bases(writing: &Writing<'_>, info: &Arc<RuleInfo>) -> Vec<Scene> {
    let mut found: Vec<Scene> = Vec::new();
    let own = writing.engine.policy().examples().iter().filter(|example| example.rule.id == info.id);
    for example in own.filter(|example| example.expect_met) {
        let finding = writing.engine.decide_example(example);
        for hit in finding.verdict.hits.iter().chain(&finding.verdict.shadow).filter(|hit| hit.rule.id == info.id) {
            let Some(effect) = finding.understanding.effects.get(hit.effect) else { continue };
            let effect = Stated::of(effect, &example.labels, example.session);
            found.push(Scene { action: plain(example), environment: example.environment, effect });
        }
    }
    let mut seen = BTreeSet::new();
    found.retain(|scene| seen.insert(scene.effect.written()));
    found.truncate(MAX_BASES);
    let plain: Vec<Scene> = found.iter().map(without_words).collect();
    found.extend(plain.into_iter().filter(|scene| seen.insert(scene.effect.written())));
    found
}

/// The same on one thing with other words, which no pattern of the rule is about.
fn without_words(scene: &Scene) -> Scene {
    let mut plain = scene.clone();
    plain.action.text = "-".into();
    let Stated { name, by, extent, cascades, .. } = &mut plain.effect;
    (*name, *by, *extent, *cascades) = ("x".to_owned(), "x".to_owned(), Some(Extent::One), false);
    plain
}

/// The example's action, by somebody and somewhere; its text stays, for rules that look at it.
fn plain(example: &Example) -> Action {
    let Example { action, .. } = example;
    Action {
        id: ActionId::default(),
        time: None,
        actor: Arc::new(Actor { name: action.actor.name.clone(), ..Actor::clone(&action.actor) }),
        session: "stated".into(),
        kind: action.kind,
        text: action.text.clone(),
        argv: None,
        tool: action.tool.clone(),
        arguments: action.arguments.clone(),
        surroundings: Arc::new(Surroundings { environment: None, ..Surroundings::clone(&action.surroundings) }),
        outcome: Outcome::default(),
        approved: action.approved,
        gaps: Vec::new(),
        origin: Origin { file: "stated".into(), line: 0, offset: 0, format: "stated" },
    }
}

impl Writing<'_> {
    /// Looks which mutants of the rule this tells from it, and writes it down for them.
    fn try_scene(&mut self, info: &Arc<RuleInfo>, scene: &Scene) {
        let mut action = scene.action.clone();
        Arc::make_mut(&mut action.surroundings).environment = Some(scene.environment);
        let Stated { session, labels, .. } = &scene.effect;
        let finding = self.engine.decide_stated(action.clone(), scene.effect.understood(), (session, labels));
        let mutants = self.study.mutants.all();
        let hits = || finding.verdict.hits.iter().chain(&finding.verdict.shadow);
        let told: Vec<(usize, bool)> = finding.otherwise.iter().map(|other| (other.mutant, other.met)).collect();
        for (number, met) in told {
            if self.open.contains(&number) && mutants[number].rule == info.id {
                bare(&mut action, &self.engine.policy().facts_of(&info.id));
                let record = inline(&record(&action, scene.environment).into());
                // Where the rule itself stays, what is left open without it is what changes.
                let decides = met == hits().any(|hit| hit.rule.id == info.id);
                self.tried(number, &finding.verdict, &record, Some((&scene.effect.written(), decides)));
            }
        }
    }
}

/// Leaves out what the rule does not look at: nothing else reads it.
fn bare(action: &mut Action, facts: &[Fact]) {
    let looks = |fact| facts.contains(&fact);
    if !looks(Fact::Text) {
        action.text = "-".into();
    }
    if !looks(Fact::Kind) {
        action.kind = Kind::Shell;
        (action.tool, action.arguments, action.argv) = (None, None, None);
    }
    let around = Arc::make_mut(&mut action.surroundings);
    let Surroundings { cwd, home, host, user, database, account, cluster, version, dialect, .. } = around;
    let kept = [(Fact::Cwd, cwd), (Fact::User, user)];
    kept.into_iter().filter(|(fact, _)| !looks(*fact)).for_each(|(_, value)| *value = None);
    // `resource in Host::"…"` looks at these.
    if !looks(Fact::Resource) {
        [host, database, account, cluster].into_iter().for_each(|value| *value = None);
    }
    [home, version, dialect].into_iter().for_each(|value| *value = None);
}

/// Every change of one fact that the rule looks at; what stands in its conditions says which names and numbers matter.
fn changes(writing: &Writing<'_>, info: &Arc<RuleInfo>, bases: &[Scene]) -> Vec<Change> {
    let policy = writing.engine.policy();
    let literals = policy.literals_of(&info.id);
    let mut texts: Vec<String> = Vec::new();
    for text in &literals.texts {
        let filled = text.replace('*', "x");
        texts.extend([filled.clone(), format!("{filled}x"), format!("x{filled}"), text.replace('*', "")]);
        texts.push(format!("{}x", text.replace('*', "")));
    }
    texts.push("x".to_owned());
    texts.sort();
    texts.dedup();
    let mut numbers: Vec<u64> = vec![0, 1];
    for number in literals.numbers.iter().filter_map(|number| u64::try_from(*number).ok()) {
        let (ten, tenth) = (number.saturating_mul(10), number / 10);
        numbers.extend([number.saturating_sub(1), number, number + 1, ten, ten + 1, tenth, tenth + 1]);
    }
    numbers.sort_unstable();
    numbers.dedup();
    let mut changes: Vec<Change> = Vec::new();
    let mut facts = policy.facts_of(&info.id);
    facts.sort_by_key(|fact| {
        matches!(fact, Fact::PrincipalName | Fact::ResourceName | Fact::By | Fact::Text | Fact::Peer)
    });
    for fact in facts {
        of_fact(fact, &texts, &numbers, &mut changes);
    }
    // An effect of another base may differ in several facts at once where one alone makes no sense.
    for base in bases.iter().skip(1) {
        let effect = base.effect.clone();
        changes.push(Box::new(move |scene| {
            (scene.effect.resource, scene.effect.name) = (effect.resource, effect.name.clone())
        }));
    }
    changes
}

#[allow(clippy::too_many_lines, reason = "one line for every fact")]
fn of_fact(fact: Fact, texts: &[String], numbers: &[u64], changes: &mut Vec<Change>) {
    macro_rules! each {
        ($values:expr, $scene:ident, $value:ident => $set:expr) => {
            for $value in $values {
                let $value = $value.clone();
                changes.push(Box::new(move |$scene: &mut Scene| $set));
            }
        };
    }
    macro_rules! flip {
        ($scene:ident => $place:expr) => {
            changes.push(Box::new(|$scene: &mut Scene| $place ^= true))
        };
    }
    macro_rules! texts {
        ($scene:ident, $value:ident => $set:expr) => {
            each!(texts, $scene, $value => $set)
        };
    }
    macro_rules! around {
        ($field:ident) => {{
            texts!(scene, text => Arc::make_mut(&mut scene.action.surroundings).$field = Some(text.clone()));
            changes.push(Box::new(|scene: &mut Scene| Arc::make_mut(&mut scene.action.surroundings).$field = None));
        }};
    }
    macro_rules! number {
        ($field:ident) => {
            each!(numbers, scene, number => scene.effect.session.$field = number)
        };
    }
    match fact {
        Fact::Principal => each!(ActorKind::ALL, s, kind => Arc::make_mut(&mut s.action.actor).kind = kind),
        Fact::PrincipalName => texts!(s, text => Arc::make_mut(&mut s.action.actor).name = text.clone()),
        Fact::Action => each!(Operation::ALL, s, operation => s.effect.operation = operation),
        Fact::Resource => {
            each!(ResourceKind::ALL, s, kind => s.effect.resource = kind);
            each!(Area::ALL, s, area => toggle(&mut s.effect.areas, area));
            changes.push(Box::new(|scene| scene.effect.areas.clear()));
        }
        Fact::ResourceName => texts!(s, text => s.effect.name = text.clone()),
        Fact::Unresolved => flip!(s => s.effect.unresolved),
        Fact::Extent => each!(Extent::ALL, s, extent => s.effect.extent = Some(extent)),
        Fact::Reversible => each!(Reversibility::ALL, s, way => s.effect.reversible = Some(way)),
        Fact::Certainty => each!(Certainty::ALL, s, certainty => s.effect.certainty = Some(certainty)),
        Fact::By => texts!(s, text => s.effect.by = text.clone()),
        Fact::DryRun => flip!(s => s.effect.dry_run),
        Fact::GuardOff => flip!(s => s.effect.guard_off),
        Fact::Elevated => flip!(s => s.effect.elevated),
        Fact::Cascades => flip!(s => s.effect.cascades),
        Fact::InTransaction => flip!(s => s.effect.in_transaction),
        Fact::Count => {
            each!(numbers, s, number => s.effect.count = Some(number));
            changes.push(Box::new(|scene| scene.effect.count = None));
        }
        Fact::Code => {
            each!(CodeOrigin::ALL, s, code => s.effect.code = Some(code));
            changes.push(Box::new(|scene| scene.effect.code = None));
        }
        Fact::Zone => {
            each!(Zone::ALL, s, zone => s.effect.zone = Some(zone));
            changes.push(Box::new(|scene| scene.effect.zone = None));
        }
        Fact::Peer => {
            texts!(s, text => s.effect.peer = Some(text.clone()));
            changes.push(Box::new(|scene| scene.effect.peer = None));
        }
        Fact::Kind => {
            each!([Kind::Shell, Kind::Sql], s, kind => s.action.kind = kind);
            changes.push(Box::new(|scene| {
                scene.action.kind = Kind::Exec;
                scene.action.argv = Some(["x".to_owned()].into());
            }));
        }
        Fact::Text => texts!(s, text => s.action.text = text.as_str().into()),
        Fact::Executed => each!(Executed::ALL, s, executed => s.action.outcome.executed = executed),
        Fact::Approved => flip!(s => s.action.approved),
        Fact::Environment => each!(Environment::ALL, s, environment => s.environment = environment),
        Fact::Cwd => around!(cwd),
        Fact::Host => around!(host),
        Fact::User => around!(user),
        Fact::Database => around!(database),
        Fact::Account => around!(account),
        Fact::Cluster => around!(cluster),
        Fact::ReadSecret => flip!(s => s.effect.session.read_secret),
        Fact::ReadUntrusted => flip!(s => s.effect.session.read_untrusted),
        Fact::TurnedGuardOff => flip!(s => s.effect.session.turned_guard_off),
        Fact::SwitchedEnvironment => flip!(s => s.effect.session.switched_environment),
        Fact::LastFailed => flip!(s => s.effect.session.last_failed),
        Fact::FolderMissing => flip!(s => s.effect.session.folder_missing),
        Fact::DirtyTree => flip!(s => s.effect.session.dirty_tree),
        Fact::UntrackedFiles => flip!(s => s.effect.session.untracked_files),
        Fact::LostWork => flip!(s => s.effect.session.lost_work),
        Fact::IsCheckout => flip!(s => s.effect.session.is_checkout),
        Fact::MovedInPart => flip!(s => s.effect.session.moved_in_part),
        Fact::Destroyed => number!(destroyed),
        Fact::DestroyedRecently => number!(destroyed_recently),
        Fact::Repeated => number!(repeated),
        Fact::Sweep => number!(sweep),
        Fact::Denials => number!(denials),
    }
}

fn toggle(areas: &mut Vec<Area>, area: Area) {
    match areas.iter().position(|known| *known == area) {
        Some(at) => drop(areas.remove(at)),
        None => areas.push(area),
    }
}
