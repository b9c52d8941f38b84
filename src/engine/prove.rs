//! Proofs about policies: what a solver says, over all environments, in the user's terms.
//!
//! [`change`] holds two policies against each other, [`rules`] asks of each rule whether it can fire at all and ever
//! decides alone. A counterexample becomes an action that anybody can replay, where one can be found.

mod action;

pub use action::case;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::model::{Action, Decision, Mode, RuleInfo, words};
use crate::policy::prove::{Answer, Cell, Cells, Found, Place, Prover, Sides, Situation, Solver, decision};
use crate::policy::{Met, Policy, RuleChange};

use super::Engine;

words! {
    /// What is claimed of two policies.
    Claim {
        /// The one after permits nothing that the one before stopped.
        Kept = "permits nothing that was stopped",
        /// And it stops nothing that the one before permitted.
        Equivalent = "equivalent",
    }
}

/// What is known of a claim about two policies.
#[derive(Debug)]
pub struct Proof {
    pub claim: Claim,
    /// What differs between the two, rule by rule.
    pub changes: Vec<RuleChange>,
    /// Environments times tiers, all of them; in so many the texts of the rules were enough.
    pub total: usize,
    pub by_text: usize,
    /// So many were proved by the solver and refuted by an example, in so many cells.
    pub by_solver: usize,
    pub by_example: usize,
    pub cells: usize,
    /// What passes after and was stopped before.
    pub loosened: Vec<Difference>,
    /// What is stopped after and passed before; for [`Claim::Equivalent`] only.
    pub tightened: Vec<Difference>,
    /// Where nothing is known, and why.
    pub open: Vec<(Vec<Place>, String)>,
}

impl Proof {
    pub fn holds(&self) -> bool {
        self.loosened.is_empty() && self.tightened.is_empty() && self.open.is_empty()
    }

    pub fn is_refuted(&self) -> bool {
        !self.loosened.is_empty() || !self.tightened.is_empty()
    }

    /// The counterexamples as cases that hold a policy to what it did before the change.
    pub fn cases(&self) -> impl Iterator<Item = String> {
        self.loosened.iter().chain(&self.tightened).filter_map(Difference::case)
    }
}

/// One sort of request on which the policies disagree.
#[derive(Debug)]
pub struct Difference {
    /// Before and after the change.
    pub was: Decision,
    pub is: Decision,
    /// Rules that stop it on the stricter side, with what keeps them from it on the milder side.
    pub rules: Vec<Stopped>,
    /// Everywhere where there is such a request.
    pub places: Vec<Place>,
    pub example: Found,
    /// Such acts are met in life.
    is_real: bool,
    /// The example as an action, judged by both policies.
    pub action: Option<Action>,
}

impl Difference {
    /// The example as a case that wants what was decided before the change: TOML, with a line break at its end.
    pub fn case(&self) -> Option<String> {
        let Found::Request(situation) = &self.example else { return None };
        let rule = self.rules.first().filter(|_| self.was >= Decision::Ask).map(|stopped| stopped.rule.id.as_str());
        let does = format!("{} {}", situation.effect.operation, situation.effect.resource.kind);
        let name = match rule {
            Some(rule) => format!("{rule} stops this {does}"),
            None => format!("nothing stops this {does}"),
        };
        Some(case(self.action.as_ref()?, self.was, rule, &name))
    }
}

/// A rule that stops a request, and what became of it on the other side.
#[derive(Clone, Debug)]
pub struct Stopped {
    pub rule: Arc<RuleInfo>,
    /// The rule of the same name on the other side.
    pub other: Option<Arc<RuleInfo>>,
    /// Its conditions that are not met.
    pub unmet: Vec<String>,
}

/// What is known of a rule.
#[derive(Debug)]
pub enum Fires {
    /// It decides where no rule as strict is met.
    Alone,
    /// Wherever it is met, one of these is as well; none is named where it takes several of them.
    Covered(Vec<Arc<RuleInfo>>),
    /// No request meets it.
    Never,
    Open(String),
}

/// Proves that `engine`'s policy permits nothing that its base policy stops, or finds what it does.
///
/// Questions are shared out over the solvers; the answer does not depend on how many there are. `None` when the engine
/// has no base.
///
/// # Errors
/// When Cedar does not take our own schema: a bug.
pub fn change(engine: &Engine, claim: Claim, solvers: Vec<Box<dyn Solver>>) -> Result<Option<Proof>, String> {
    let Some(base) = engine.base_policy() else { return Ok(None) };
    let head = engine.policy();
    let mut solvers = solvers;
    let mut proof = Proof {
        claim,
        changes: head.changes_from(base),
        total: 0,
        by_text: 0,
        by_solver: 0,
        by_example: 0,
        cells: 0,
        loosened: Vec::new(),
        tightened: Vec::new(),
        open: Vec::new(),
    };
    let there = Sides { before: base, after: head };
    let back = Sides { before: head, after: base };
    let directions = if claim == Claim::Equivalent { vec![there, back] } else { vec![there] };
    let shown = action::shown(engine);
    for (at, sides) in directions.into_iter().enumerate() {
        let mut cells = Cells::of_change(sides);
        cells.prefer(|place| shown.contains(&(place.operation, place.kind)));
        let prover = Prover::new(sides)?;
        proof.total += cells.total;
        proof.by_text += cells.by_text;
        proof.cells += cells.cells.len();
        let answers = answers(&prover, &cells.cells, &mut solvers);
        let mut found: Vec<Difference> = Vec::new();
        for (cell, answer) in cells.cells.into_iter().zip(answers) {
            match answer {
                Answer::Proved => proof.by_solver += cell.places.len(),
                Answer::Open(why) => proof.open.push((cell.places, why)),
                Answer::Found(example) => {
                    proof.by_example += cell.places.len();
                    let first = cell.places.first();
                    let is_real = first.is_some_and(|place| shown.contains(&(place.operation, place.kind)));
                    add(&mut found, sides, cell, example, is_real);
                }
            }
        }
        found.sort_by_key(|found| std::cmp::Reverse(found.was.max(found.is)));
        for difference in &mut found {
            difference.places.sort_unstable();
            difference.places.dedup();
            if let Found::Request(situation) = &difference.example {
                let backwards = at == 1;
                difference.action = action::express(engine, situation, difference.was, difference.is, backwards);
            }
            if at == 1 {
                std::mem::swap(&mut difference.was, &mut difference.is);
            }
        }
        if at == 0 { proof.loosened = found } else { proof.tightened = found }
    }
    Ok(Some(proof))
}

/// Cells asked about at once, and how many of them may begin with the same question: what is learnt in one spares the
/// others theirs. Constants, so that the answers do not depend on how many solvers there are.
const AT_ONCE: usize = 8;
const ALIKE: usize = 2;

/// Some cells at a time: what is found in one is tried in the others before anybody is asked.
fn answers(prover: &Prover<'_>, cells: &[Cell], solvers: &mut [Box<dyn Solver>]) -> Vec<Answer> {
    let mut known: Vec<Situation> = Vec::new();
    let mut near: Vec<Situation> = Vec::new();
    let mut answers: Vec<Option<Answer>> = cells.iter().map(|_| None).collect();
    let mut left: Vec<usize> = (0..cells.len()).collect();
    while !left.is_empty() {
        left.retain(|at| {
            // What was found last is most likely to fit.
            answers[*at] = known.iter().rev().find_map(|known| prover.answered_by(&cells[*at], known));
            answers[*at].is_none()
        });
        let mut now: Vec<usize> = Vec::new();
        left.retain(|at| {
            let alike = now.iter().filter(|other| cells[**other].is_like(&cells[*at])).count();
            let later = now.len() == AT_ONCE || alike == ALIKE;
            if !later {
                now.push(*at);
            }
            later
        });
        let asked = all(solvers, &now, |at, solver| prover.answer(&cells[*at], &near, solver));
        for (at, (answer, seen)) in now.iter().zip(asked) {
            if let Answer::Found(Found::Request(situation)) = &answer {
                known.push((**situation).clone());
            }
            near.extend(seen);
            answers[*at] = Some(answer);
        }
    }
    // A worker that failed leaves a hole: nothing is known there.
    let hole = || Answer::Open("the question was not asked: a bug of nearmiss".to_owned());
    answers.into_iter().map(|answer| answer.unwrap_or_else(hole)).collect()
}

/// Adds what was found in a cell to what is stopped by the same rules.
fn add(found: &mut Vec<Difference>, sides: Sides<'_>, cell: Cell, example: Found, is_real: bool) {
    let (was, is, rules) = match &example {
        Found::Request(situation) => {
            let (before, after) = (sides.before.judge(&situation.request()), sides.after.judge(&situation.request()));
            let (was, is) = (decision(&before), decision(&after));
            let stopped =
                before.met.iter().filter(|rule| rule.mode == Mode::Enforce && rule.decision >= cell.tier.least());
            (was, is, stopped.map(|rule| stopped_by(rule, sides.after, situation)).collect())
        }
        Found::Cedar(_) => {
            let rules = sides.before.rules().iter().filter(|rule| cell.changed.0.contains(&rule.id));
            let stopped = |rule: &Arc<RuleInfo>| Stopped {
                rule: Arc::clone(rule),
                other: sides.after.rules().iter().find(|other| other.id == rule.id).cloned(),
                unmet: Vec::new(),
            };
            (cell.tier.least(), Decision::Allow, rules.map(stopped).collect::<Vec<_>>())
        }
    };
    let names = |rules: &[Stopped]| rules.iter().map(|stopped| stopped.rule.id.clone()).collect::<Vec<_>>();
    let known = found.iter_mut().find(|known| {
        (known.was, known.is, names(&known.rules)) == (was, is, names(&rules))
            && matches!(known.example, Found::Request(_)) == matches!(example, Found::Request(_))
    });
    match known {
        Some(known) => {
            known.places.extend(cell.places);
            if is_real && !known.is_real {
                (known.rules, known.example, known.is_real) = (rules, example, is_real);
            }
        }
        None => found.push(Difference { was, is, rules, places: cell.places, example, is_real, action: None }),
    }
}

fn stopped_by(rule: &Arc<RuleInfo>, other: &Policy, situation: &Situation) -> Stopped {
    let twin = other.rules().iter().find(|twin| twin.id == rule.id);
    let conditions = twin.map(|twin| other.conditions(twin, &situation.request())).unwrap_or_default();
    let unmet = conditions.into_iter().filter(|condition| condition.met != Met::Met);
    Stopped { rule: Arc::clone(rule), other: twin.cloned(), unmet: unmet.map(|condition| condition.text).collect() }
}

/// Asks of every rule among `ids` (or every one there is) whether it can fire, and ever decides alone.
///
/// # Errors
/// When Cedar does not take our own schema: a bug.
pub fn rules(
    policy: &Policy,
    ids: &[String],
    solvers: Vec<Box<dyn Solver>>,
) -> Result<Vec<(Arc<RuleInfo>, Fires)>, String> {
    let mut solvers = solvers;
    let wanted = |rule: &&Arc<RuleInfo>| ids.is_empty() || ids.contains(&rule.id);
    let wanted: Vec<Arc<RuleInfo>> = policy.rules().iter().filter(wanted).cloned().collect();
    let prover = Prover::new(Sides { before: policy, after: policy })?;
    let answers = all(&mut solvers, &wanted, |rule, solver| fires(policy, &prover, rule, solver));
    Ok(wanted.into_iter().zip(answers).collect())
}

fn fires(policy: &Policy, prover: &Prover<'_>, rule: &RuleInfo, solver: &mut dyn Solver) -> Fires {
    let others = policy.at_least_as_strict(&rule.id);
    let mut witness = None;
    match somewhere(prover, Cells::of_rule(policy, &rule.id, &[]), solver) {
        Answer::Proved => return Fires::Never,
        Answer::Open(why) => return Fires::Open(why),
        Answer::Found(found) => {
            if let Found::Request(situation) = found {
                witness = Some(situation);
            }
        }
    }
    let also = |situation: &Situation| -> Vec<Arc<RuleInfo>> {
        let met = policy.judge(&situation.request()).met;
        met.into_iter().filter(|rule| others.contains(&rule.id)).collect()
    };
    let near = witness.as_deref().map(also);
    if near.as_ref().is_some_and(Vec::is_empty) {
        return Fires::Alone;
    }
    match somewhere(prover, Cells::of_rule(policy, &rule.id, &others), solver) {
        Answer::Found(_) => Fires::Alone,
        Answer::Open(why) => Fires::Open(why),
        Answer::Proved => {
            let covers = |other: &Arc<RuleInfo>| {
                let cells = Cells::of_rule(policy, &rule.id, std::slice::from_ref(&other.id));
                matches!(somewhere(prover, cells, &mut *solver), Answer::Proved)
            };
            Fires::Covered(near.unwrap_or_default().into_iter().find(covers).into_iter().collect())
        }
    }
}

/// So many environments without an answer are enough to give up on a rule.
const MAX_OPEN: u32 = 3;

/// The first cell in which something is found; proved when it is proved in all of them.
fn somewhere(prover: &Prover<'_>, cells: Cells, solver: &mut dyn Solver) -> Answer {
    let mut open = None;
    let mut tries = MAX_OPEN;
    let mut near = Vec::new();
    for cell in &cells.cells {
        if tries == 0 {
            break;
        }
        let (answer, seen) = prover.answer(cell, &near, solver);
        near.extend(seen);
        match answer {
            Answer::Proved => {}
            Answer::Open(why) => {
                open = Some(why);
                tries -= 1;
            }
            // What no action makes is no witness, and no proof either.
            Answer::Found(Found::Cedar(_)) => {
                open = Some("only a request that nearmiss never makes was found".to_owned());
                tries -= 1;
            }
            found @ Answer::Found(_) => return found,
        }
    }
    open.map_or(Answer::Proved, Answer::Open)
}

/// Works through `tasks` with all solvers at once; results are in the order of the tasks. There is one for each: where
/// a worker fails, so does the program.
fn all<T: Sync, R: Send>(
    solvers: &mut [Box<dyn Solver>],
    tasks: &[T],
    work: impl Fn(&T, &mut dyn Solver) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let (next, work) = (&next, &work);
    let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
        let workers: Vec<_> = solvers
            .iter_mut()
            .map(|solver| {
                let run = move || {
                    let mut done = Vec::new();
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(task) = tasks.get(at) else { return done };
                        done.push((at, work(task, &mut **solver)));
                    }
                };
                std::thread::Builder::new().stack_size(64 << 20).spawn_scoped(scope, run)
            })
            .collect();
        let joined = workers.into_iter().filter_map(Result::ok).map(|worker| match worker.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.flatten().collect()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}
