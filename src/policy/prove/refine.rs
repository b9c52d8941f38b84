//! Questions with as few rules in them as will do.
//!
//! Most rules have nothing to do with a change. The first question leaves all of them out that both sides have; what it
//! finds and one of them stops brings that one back, and the question is put again. Two sorts of things learnt in one
//! cell are used in the others: which questions are proved, and what was found that other rules stop.
//!
//! Why a proof with fewer rules is one: what passes after the change meets no rule of the side after, so none of those
//! that were put back either; and it met a rule before, which cannot be one that both sides have. So it would have
//! answered the question with fewer rules as well. Where that has no answer, the whole question has none. What is found
//! with fewer rules proves nothing: it counts when it is stopped by all rules before and by none of all rules after.

use std::cell::Cell as Best;
use std::collections::BTreeSet;

use cedar_policy::{Authorizer, RequestEnv};
use cedar_policy_symcc::Env;
use cedar_policy_symcc::err::Error;

use super::cells::Class;
use super::situation::{self, Situation};
use super::{Answer, Cell, Found, Place, Prover, Solver, words};
use crate::policy::{Policy, Rule};

/// After so many questions all rules are put back.
const ROUNDS: usize = 12;

/// A question that has no answer: the rules that one of them must be met, those of which none may be, and the class of
/// the environment as far as these can tell.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Unanswerable {
    before: Vec<usize>,
    after: BTreeSet<usize>,
    class: Class,
}

impl<'p> Prover<'p> {
    /// The answer to a cell in which the permits are the same on both sides, and what was found on the way that other
    /// rules stop.
    pub(super) fn refined(
        &self,
        cell: &Cell,
        (place, request): (Place, &RequestEnv),
        near: &[Situation],
        solver: &mut dyn Solver,
    ) -> (Answer, Vec<Situation>) {
        let mut seen = Vec::new();
        if self.is_proved(cell, place) {
            return (Answer::Proved, seen);
        }
        let mut back = BTreeSet::new();
        // What was found last is most likely to fit.
        for known in near.iter().rev() {
            let mut here = known.clone();
            here.put_in(place);
            match self.eased(cell, &back, here) {
                Some((here, stopped)) if stopped.is_empty() => {
                    if let Some(found) = self.checked(cell, vec![here]) {
                        return (Answer::Found(Found::Request(Box::new(found))), seen);
                    }
                }
                Some((_, stopped)) => back.extend(stopped),
                None => {}
            }
        }
        let gone = rules(self.sides.before, &cell.gone);
        for round in 0.. {
            let after: Vec<usize> = cell.new.iter().chain(&back).copied().collect();
            let is_whole = back.len() == cell.rest.len();
            let whole = || cell.rest.iter().copied().collect();
            match self.ask(request, &gone, &rules(self.sides.after, &after), false, solver) {
                Ok(None) => {
                    self.remember(cell, place, after);
                    return (Answer::Proved, seen);
                }
                Ok(Some(env)) => {
                    let ways = situation::read(place, &env);
                    if let Some(found) = self.checked(cell, ways.clone()) {
                        return (Answer::Found(Found::Request(Box::new(found))), seen);
                    }
                    let mut stopped = BTreeSet::new();
                    for (here, by) in ways.into_iter().filter_map(|way| self.eased(cell, &back, way)) {
                        if by.is_empty()
                            && let Some(found) = self.checked(cell, vec![here.clone()])
                        {
                            return (Answer::Found(Found::Request(Box::new(found))), seen);
                        }
                        if stopped.is_empty() && !by.is_empty() {
                            seen.push(here);
                            stopped = by;
                        }
                    }
                    if is_whole {
                        let (before, after) =
                            (rules(self.sides.before, &cell.before), rules(self.sides.after, &cell.after));
                        return (self.by_cedar(cell, &env, &before, &after), seen);
                    }
                    if stopped.is_empty() {
                        stopped = self.stopped_by_cedar(cell, &back, &env);
                    }
                    if stopped.is_empty() || round >= ROUNDS { back = whole() } else { back.extend(stopped) }
                }
                // More rules can make it easier as well.
                Err(error) if matches!(*error, Error::SolverUnknown) && !is_whole => back = whole(),
                Err(error) => return (Answer::Open(words(&error)), seen),
            }
        }
        (Answer::Open("the question was never finished".to_owned()), seen)
    }

    /// A situation that meets a rule of the question and none that may not be met, changed so that few others stop it,
    /// and these. `None` when it is no answer to the question.
    fn eased(&self, cell: &Cell, back: &BTreeSet<usize>, found: Situation) -> Option<(Situation, BTreeSet<usize>)> {
        let stopped = |situation: &Situation| -> Option<BTreeSet<usize>> {
            let request = situation.request();
            let before = self.sides.before.judge(&request);
            if !before.met.iter().any(|rule| cell.changed.0.contains(&rule.id)) {
                return None;
            }
            let after = self.sides.after.judge(&request);
            let met = |index: &usize| after.met.iter().any(|rule| rule.id == self.sides.after.compiled[*index].id);
            if cell.new.iter().chain(back).any(&met) {
                return None;
            }
            Some(cell.rest.iter().copied().filter(met).collect())
        };
        let least = Best::new(stopped(&found)?.len());
        let mut found = found;
        if least.get() > 0 {
            found.simplify(|situation| {
                let fewer = stopped(situation).map(|by| by.len()).filter(|count| *count <= least.get());
                least.set(fewer.unwrap_or(least.get()));
                fewer.is_some()
            });
        }
        let by = stopped(&found)?;
        Some((found, by))
    }

    /// The rules left out that stop what was found, as Cedar sees it.
    fn stopped_by_cedar(&self, cell: &Cell, back: &BTreeSet<usize>, env: &Env) -> BTreeSet<usize> {
        let left: Vec<usize> = cell.rest.iter().copied().filter(|index| !back.contains(index)).collect();
        let set = self.set(&rules(self.sides.after, &left), false);
        let response = Authorizer::new().is_authorized(&env.request, &set, &env.entities);
        let met = |index: &usize| {
            response.diagnostics().reason().any(|id| id == self.sides.after.compiled[*index].policy.id())
        };
        left.into_iter().filter(met).collect()
    }

    /// Whether a question with no more rules than this one has is known to have no answer here.
    fn is_proved(&self, cell: &Cell, place: Place) -> bool {
        let has = |index: &usize| cell.new.contains(index) || cell.rest.contains(index);
        self.proved.lock().is_ok_and(|proved| {
            proved.iter().any(|known| {
                known.before == cell.gone
                    && known.after.iter().all(has)
                    && known.class == self.class(place, &known.before, &known.after)
            })
        })
    }

    fn remember(&self, cell: &Cell, place: Place, after: Vec<usize>) {
        let after: BTreeSet<usize> = after.into_iter().collect();
        let class = self.class(place, &cell.gone, &after);
        if let Ok(mut proved) = self.proved.lock() {
            proved.insert(Unanswerable { before: cell.gone.clone(), after, class });
        }
    }

    fn class(&self, place: Place, before: &[usize], after: &BTreeSet<usize>) -> Class {
        self.words.class(place, before, &after.iter().copied().collect::<Vec<_>>())
    }
}

pub(super) fn rules<'p>(policy: &'p Policy, rules: &[usize]) -> Vec<&'p Rule> {
    rules.iter().filter_map(|index| policy.compiled.get(*index)).collect()
}
