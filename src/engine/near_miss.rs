//! Near-misses: allowed actions that one thing kept from being stopped.
//!
//! A rule is near when its anchors hold and few of its conditions do not. That alone floods: a quarter of all `rm` lines
//! are one condition away from some rule. So what is missing must also be able to change: by one slip of the keyboard,
//! which is really made and read again, or by a circumstance, whose other value somebody must have met in the same
//! data ([`gather`] sees to that).

pub mod barrier;
pub mod gather;
pub mod group;
mod seen;
pub mod slip;
pub mod suppression;
#[cfg(test)]
mod tests;
mod twin;

pub use twin::Twin;

use std::cell::LazyCell;
use std::cmp::Reverse;
use std::sync::Arc;

use super::{Engine, Seen};
use crate::classify::Known;
use crate::model::{
    Action, ActorKind, Area, Cell, Class, Decision, Effect, Environment, Extent, Finding, Flip, Kind, Missing, Mode,
    Nature, NearMiss, Nearness, Operation, Reversibility, SessionFacts, Surroundings, Understanding, Verdict, Zone,
};
use crate::policy::{Control, Established, Fact, Near, Request, Within};
use slip::Slips;

/// Near rules told of one action; the others say the same of it.
const MOST_TOLD: usize = 8;
/// Values of one circumstance that are tried.
const MOST_VALUES: usize = 8;

/// Conditions about the words that one slip is tried for.
const MOST_BY_WORDS: u32 = 2;

/// Slipped texts with what is understood of them. Rules are often near for the same reason: each text is read once.
type Tried = Vec<(Arc<str>, Understanding)>;

/// Which near-misses are wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// How many steps away a rule may be.
    pub(super) most: u32,
    /// Slips in statements are not tried at once: a log has thousands that differ in a number only, and [`gather`]
    /// looks at a few of each shape.
    pub(super) statements_later: bool,
}

impl Engine {
    /// What kept an allowed action from being stopped, most telling first.
    ///
    /// `established`: what judging it has found out already, effect by effect; it may be empty.
    pub(super) fn near_misses(
        &self,
        seen: &Seen<'_>,
        verdict: &Verdict,
        established: &[Established],
    ) -> Option<Arc<Nearness>> {
        self.near_misses_of(seen, verdict, self.near?, established)
    }

    /// What an action with open slips is near to, now that somebody wants to know.
    pub(super) fn reconsidered(&self, finding: &Finding) -> Option<Arc<Nearness>> {
        let near = Asked { statements_later: false, ..self.near? };
        let seen = Seen {
            action: &finding.action,
            understanding: &finding.understanding,
            facts: &finding.session_facts,
            more_labels: &[],
            // Only statements are left open, and they know nothing of folders and variables.
            known: Some(&Known::default()),
        };
        self.near_misses_of(&seen, &finding.verdict, near, &[])
    }

    fn near_misses_of(
        &self,
        seen: &Seen<'_>,
        verdict: &Verdict,
        asked: Asked,
        established: &[Established],
    ) -> Option<Arc<Nearness>> {
        let most = asked.most;
        // A program does not slip.
        let types = seen.action.actor.kind != ActorKind::Service;
        let later = asked.statements_later && seen.action.kind == Kind::Sql;
        if verdict.decision != Decision::Allow {
            return None;
        }
        // Nobody types what has places to be filled in: a program holds it, and sends it whole.
        let types_it =
            LazyCell::new(|| types && !(seen.action.kind == Kind::Sql && slip::is_prepared(&seen.action.text)));
        let mut cells = Vec::new();
        let mut told: Vec<NearMiss> = Vec::new();
        let mut tried = Tried::default();
        let mut effects = 0..;
        self.each_request(seen, |request| {
            let effect = effects.next().unwrap_or_default();
            // One slip can bring about several things that words say: `rm *.o` and `rm * .o`.
            let by_words = types && by_words(seen.action, request.effect);
            // What each kind of slip makes of this effect is the same for every rule that it could meet.
            let mut slips = None;
            let within = Within { steps: most, words: if by_words { MOST_BY_WORDS } else { most } };
            for near in self.policy.near_within(request, within, established.get(effect)) {
                // A rule in shadow stops nothing, and what nobody knows makes a distance nobody can state.
                if near.rule.mode == Mode::Shadow || !near.unmet.is_empty() && !near.unknown.is_empty() {
                    continue;
                }
                if near.unmet.is_empty() && !self.is_blind(&near, request) {
                    continue;
                }
                let cell = match near.unmet.as_slice() {
                    [one] => Some(Cell { rule: near.place as u32, condition: one.position as u32 }),
                    _ => None,
                };
                cells.extend(cell);
                let class = class(&near);
                let reversible = matches!(request.effect.reversible, Reversibility::Yes | Reversibility::WithBackup);
                // Of each rule only the most telling is told: for another one nobody need look what would flip it.
                let own = (class == Class::Blind, near.distance(), class, reversible, near.cost(), effect);
                if told.iter().any(|one| Arc::ptr_eq(&one.rule, &near.rule) && rank(one) < own) {
                    continue;
                }
                let always = near.unmet.iter().all(|unmet| unmet.control == Control::Always);
                let mut open = false;
                let flips = match class {
                    Class::Lucky | Class::Guarded => self.other_facts(&near, request),
                    Class::Slip if always && near.distance() <= most => Vec::new(),
                    Class::Slip if !*types_it => continue,
                    Class::Slip if later => {
                        open = true;
                        Vec::new()
                    }
                    Class::Slip => {
                        let Some(effect) = seen.understanding.effects.get(effect) else { continue };
                        let slips = slips.get_or_insert_with(|| Slips::of(seen.action, effect));
                        let Some(flip) = self.slip(seen, &near, slips, &mut tried) else { continue };
                        vec![flip]
                    }
                    Class::Margin | Class::Blind => Vec::new(),
                };
                if class == Class::Lucky && !always && flips.is_empty() {
                    continue;
                }
                told.push(NearMiss {
                    class,
                    effect,
                    distance: near.distance(),
                    cost: near.cost(),
                    missing: self.missing(&near),
                    now: self.policy.now(&near, request),
                    flips,
                    reversible,
                    cell,
                    open,
                    rule: near.rule,
                });
            }
        });
        if told.is_empty() && cells.is_empty() {
            return None;
        }
        cells.sort();
        cells.dedup();
        told.sort_by(|a, b| order(a).cmp(&order(b)));
        let mut rules = Vec::new();
        told.retain(|near| {
            let new = !rules.contains(&near.rule.id);
            rules.push(near.rule.id.clone());
            new
        });
        told.truncate(MOST_TOLD);
        Some(Arc::new(Nearness { told, cells }))
    }

    /// Whether some value of the one fact that is missing would meet the rule. Who lacks several facts lacks them for
    /// everything: that is no news about this action.
    fn is_blind(&self, near: &Near, request: &Request<'_>) -> bool {
        let lacking = self.policy.lacking(near, request);
        let [fact] = lacking.as_slice() else { return false };
        let mut values = values(*fact, request);
        for position in &near.unknown {
            values.extend(self.policy.names_at(near.place, *position));
        }
        // A fact of which no value can be tried may well have the wrong one.
        values.is_empty()
            || values.iter().any(|value| {
                with_fact(request, *fact, value, |request| self.policy.is_met(near.place, request)) == Some(true)
            })
    }

    fn missing(&self, near: &Near) -> Vec<Missing> {
        let words = |position| self.policy.condition_at(near.place, position).to_owned();
        let unmet = near.unmet.iter().map(|unmet| (unmet.position, unmet.nature));
        // What is not known is a circumstance, whatever it is about.
        let unknown = near.unknown.iter().map(|position| (*position, Nature::Circumstance));
        unmet.chain(unknown).map(|(position, nature)| Missing { condition: words(position), nature }).collect()
    }

    /// Values of one fact with which the rule is met.
    fn other_facts(&self, near: &Near, request: &Request<'_>) -> Vec<Flip> {
        let [unmet] = near.unmet.as_slice() else { return Vec::new() };
        let mut flips = Vec::new();
        for fact in self.policy.facts_at(near.place, unmet.position) {
            let mut values = values(*fact, request);
            if takes_names(*fact) {
                values.extend(self.policy.names_at(near.place, unmet.position));
            }
            for value in values.into_iter().take(MOST_VALUES) {
                let met = with_fact(request, *fact, &value, |request| self.policy.is_met(near.place, request));
                if met == Some(true) {
                    flips.push(Flip::Fact { fact: fact.word(), value });
                }
            }
        }
        flips
    }

    /// The first slip that lets the rule stop the action.
    fn slip(&self, seen: &Seen<'_>, near: &Near, slips: &mut Slips<'_>, tried: &mut Tried) -> Option<Flip> {
        let known = seen.known?;
        let facts = near.unmet.iter().flat_map(|unmet| self.policy.facts_at(near.place, unmet.position));
        let slipped = slips.that_change(facts.copied()).into_iter().find(|slipped| {
            let text = &slipped.action.text;
            let at = tried.iter().position(|(known, _)| known == text).unwrap_or_else(|| {
                tried.push((Arc::clone(text), self.reread(&slipped.action, seen, known)));
                tried.len() - 1
            });
            let Some((_, understanding)) = tried.get(at) else { return false };
            let mut met = false;
            self.each_request(&Seen { action: &slipped.action, understanding, ..*seen }, |request| {
                met |= self.policy.meets(near.place, request);
            });
            met
        })?;
        Some(Flip::Slip { slip: slipped.slip, text: Arc::clone(&slipped.action.text) })
    }

    /// What is understood of an action like `seen` with another text.
    fn reread(&self, action: &Action, seen: &Seen<'_>, known: &Known) -> Understanding {
        let mut understanding = self.understand(action, known, false);
        // What the session knows of a thing it knows of it in the edited text as well.
        for effect in &mut understanding.effects {
            let same =
                |one: &&Effect| one.resource.kind == effect.resource.kind && one.resource.name == effect.resource.name;
            for area in [Area::OwnWork, Area::Ephemeral] {
                if seen.understanding.effects.iter().filter(same).any(|one| one.resource.areas.has(area)) {
                    effect.resource.areas = effect.resource.areas.with(area);
                }
            }
        }
        understanding
    }
}

/// Whether a slip is looked for that changes more than one thing at once: only where something is lost by it.
fn by_words(action: &Action, effect: &Effect) -> bool {
    let loses = matches!(
        effect.operation,
        Operation::Delete
            | Operation::Drop
            | Operation::Rewrite
            | Operation::Stop
            | Operation::Alter
            | Operation::Grant
    );
    loses && matches!(action.kind, Kind::Shell | Kind::Exec | Kind::Tool)
}

/// The order in which one action's near-misses are told, which is also the order of their groups as far as it goes.
fn order(near: &NearMiss) -> impl Ord + '_ {
    let NearMiss { rule, class, distance, cost, reversible, effect, .. } = near;
    (*class == Class::Blind, *distance, *class, Reverse(rule.severity), *reversible, *cost, &rule.id, *effect)
}

/// That order among the near-misses of one rule.
const fn rank(near: &NearMiss) -> (bool, u32, Class, bool, u32, usize) {
    (matches!(near.class, Class::Blind), near.distance, near.class, near.reversible, near.cost, near.effect)
}

fn class(near: &Near) -> Class {
    let any = |nature| near.unmet.iter().any(|unmet| unmet.nature == nature);
    if near.unmet.is_empty() {
        Class::Blind
    } else if near.unmet.iter().all(|unmet| unmet.nature == Nature::Control) {
        Class::Guarded
    } else if any(Nature::Circumstance) {
        Class::Lucky
    } else if any(Nature::Number) {
        Class::Margin
    } else {
        Class::Slip
    }
}

fn words<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

/// Other values of a fact that has few.
fn values(fact: Fact, request: &Request<'_>) -> Vec<String> {
    match fact {
        Fact::Environment => {
            let other = |is: &&Environment| **is != Environment::Unknown && **is != request.environment;
            Environment::ALL.iter().filter(other).map(|is| is.word().to_owned()).collect()
        }
        Fact::Extent => words(&[Extent::All, Extent::Some, Extent::One]),
        Fact::Reversible => words(&[Reversibility::No, Reversibility::Yes]),
        Fact::Zone => words(&[Zone::External, Zone::Private]),
        Fact::Count => vec![i64::MAX.to_string(), "1".to_owned()],
        _ => match flag(fact, request) {
            Some(is) => vec![(!is).to_string()],
            None => Vec::new(),
        },
    }
}

const fn takes_names(fact: Fact) -> bool {
    matches!(fact, Fact::Host | Fact::User | Fact::Database | Fact::Account | Fact::Cluster)
}

fn flag(fact: Fact, request: &Request<'_>) -> Option<bool> {
    let Request { action, effect, session, .. } = request;
    Some(match fact {
        Fact::DryRun => effect.dry_run,
        Fact::GuardOff => effect.guard_off,
        Fact::InTransaction => effect.in_transaction,
        Fact::Approved => action.approved,
        _ => return session_flag(fact, session),
    })
}

/// A fact about a session that is true or false.
pub(super) const fn session_flag(fact: Fact, session: &SessionFacts) -> Option<bool> {
    Some(match fact {
        Fact::ReadSecret => session.read_secret,
        Fact::ReadUntrusted => session.read_untrusted,
        Fact::TurnedGuardOff => session.turned_guard_off,
        Fact::SwitchedEnvironment => session.switched_environment,
        Fact::LastFailed => session.last_failed,
        Fact::FolderMissing => session.folder_missing,
        Fact::DirtyTree => session.dirty_tree,
        Fact::UntrackedFiles => session.untracked_files,
        Fact::LostWork => session.lost_work,
        Fact::IsCheckout => session.is_checkout,
        Fact::MovedInPart => session.moved_in_part,
        _ => return None,
    })
}

/// Asks about a request in which one fact has another value; `None` for a fact that cannot be set like that.
pub(super) fn with_fact<R>(
    request: &Request<'_>,
    fact: Fact,
    value: &str,
    ask: impl FnOnce(&Request<'_>) -> R,
) -> Option<R> {
    let is = value == "true";
    match fact {
        Fact::Environment => {
            let environment = Environment::from_word(value)?;
            return Some(ask(&Request { environment, ..*request }));
        }
        Fact::Approved => {
            let action = Action { approved: is, ..request.action.clone() };
            return Some(ask(&Request { action: &action, ..*request }));
        }
        Fact::DryRun
        | Fact::GuardOff
        | Fact::InTransaction
        | Fact::Extent
        | Fact::Reversible
        | Fact::Zone
        | Fact::Count => {
            let mut effect = request.effect.clone();
            match fact {
                Fact::Extent => effect.extent = Extent::from_word(value)?,
                Fact::Reversible => effect.reversible = Reversibility::from_word(value)?,
                Fact::Zone => effect.zone = Zone::from_word(value),
                Fact::Count => effect.count = value.parse().ok(),
                Fact::DryRun => effect.dry_run = is,
                Fact::GuardOff => effect.guard_off = is,
                _ => effect.in_transaction = is,
            }
            return Some(ask(&Request { effect: &effect, ..*request }));
        }
        _ => {}
    }
    if takes_names(fact) {
        let mut surroundings = Surroundings::clone(&request.action.surroundings);
        let name = Some(value.to_owned());
        match fact {
            Fact::Host => surroundings.host = name,
            Fact::User => surroundings.user = name,
            Fact::Database => surroundings.database = name,
            Fact::Account => surroundings.account = name,
            _ => surroundings.cluster = name,
        }
        let action = Action { surroundings: Arc::new(surroundings), ..request.action.clone() };
        return Some(ask(&Request { action: &action, ..*request }));
    }
    let mut session = *request.session;
    *match fact {
        Fact::ReadSecret => &mut session.read_secret,
        Fact::ReadUntrusted => &mut session.read_untrusted,
        Fact::TurnedGuardOff => &mut session.turned_guard_off,
        Fact::SwitchedEnvironment => &mut session.switched_environment,
        Fact::LastFailed => &mut session.last_failed,
        Fact::FolderMissing => &mut session.folder_missing,
        Fact::DirtyTree => &mut session.dirty_tree,
        Fact::UntrackedFiles => &mut session.untracked_files,
        Fact::LostWork => &mut session.lost_work,
        Fact::IsCheckout => &mut session.is_checkout,
        Fact::MovedInPart => &mut session.moved_in_part,
        _ => return None,
    } = is;
    Some(ask(&Request { session: &session, ..*request }))
}
