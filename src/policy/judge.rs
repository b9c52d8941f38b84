//! The fast path: one pass over the rules that can apply to an operation on a kind of resource.

use std::sync::{Arc, OnceLock};

use cedar_policy::{EvalResult, eval_expression};

use super::compile::{Compiled, Conjunct, Test};
use super::entities::{CedarRequest, translate};
use super::evaluate::{Failure, Truth, truth};
use super::facts::{Fact, SessionView};
use super::{Judgement, Policy, Request, Rule};
use crate::model::{Effect, Environment, Mode, Operation, ResourceKind, RuleInfo};

/// What became of one rule.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fate {
    Unmet,
    Met,
    /// Met if what is unknown has the wrong value; `now` says whether Cedar would call it met as things stand.
    Possible {
        now: bool,
    },
    Failed(Failure),
}

impl Policy {
    /// What the rules say about one effect.
    pub fn judge(&self, request: &Request<'_>) -> Judgement {
        self.judge_in(&mut Pass::new(self, request))
    }

    /// The same, with what it found out about the conditions: for whoever asks next how near the rules were.
    pub fn judge_and_keep(&self, request: &Request<'_>) -> (Judgement, Established) {
        let mut pass = Pass::new(self, request);
        let judgement = self.judge_in(&mut pass);
        (judgement, Established(pass.known))
    }

    /// Whether a rule, by its place in the policy, is among those that [`Policy::judge`] finds met.
    pub fn meets(&self, rule: usize, request: &Request<'_>) -> bool {
        let Some(rule) = self.compiled.get(rule).filter(|rule| rule.info.is_some()) else { return false };
        let fate = Pass::new(self, request).fate(&rule.test, rule.unless_known);
        matches!(fate, Fate::Met | Fate::Possible { now: true })
    }

    /// The same in a pass over more conditions than the policy's own.
    pub(super) fn judge_in(&self, pass: &mut Pass<'_, '_>) -> Judgement {
        let mut judgement = Judgement { not_permitted: true, ..Judgement::default() };
        let effect = pass.request.effect;
        for rule in self.slice(effect.operation, effect.resource.kind) {
            match pass.fate(&rule.test, rule.unless_known) {
                Fate::Unmet => {}
                Fate::Met => match &rule.info {
                    Some(info) => judgement.met.push(info.clone()),
                    None => {
                        judgement.not_permitted = false;
                        judgement.permits += 1;
                    }
                },
                // Met by all that is known; only an excuse is not known, and an excuse has to be.
                Fate::Possible { now: true } if rule.info.is_some() => judgement.met.extend(rule.info.clone()),
                // A rule in shadow stops nothing, so nothing hangs on what it would have said.
                Fate::Possible { .. } => judgement.possible.extend(rule.info.clone().filter(enforced)),
                Fate::Failed(failure) => judgement.errors.push(failed(&rule.id, &failure)),
            }
        }
        judgement
    }

    /// The same answer through Cedar's `Authorizer`; only what an unresolved name leaves open is added by ourselves.
    pub fn judge_with_oracle(&self, request: &Request<'_>) -> Judgement {
        let answer = match self.ask(request) {
            Ok(answer) => answer,
            Err(error) => {
                return Judgement { not_permitted: true, errors: vec![error], ..Judgement::default() };
            }
        };
        let mut judgement = Judgement { not_permitted: !answer.permitted, ..Judgement::default() };
        let mut pass = Pass::new(self, request);
        let mut surely_permitted = false;
        for rule in &self.compiled {
            let open = request.effect.resource.unresolved || rule.unless_known;
            let fate = if open { pass.fate(&rule.test, rule.unless_known) } else { Fate::Unmet };
            let possible = matches!(fate, Fate::Possible { now: false });
            surely_permitted |= rule.info.is_none() && fate == Fate::Met;
            match &rule.info {
                Some(info) if possible => judgement.possible.extend(Some(info.clone()).filter(enforced)),
                Some(info) if answer.satisfied.contains(&rule.id) => judgement.met.push(info.clone()),
                _ => {}
            }
            if let Some((_, error)) = answer.failed.iter().find(|(id, _)| *id == rule.id) {
                judgement.errors.push(failed(&rule.id, &Failure::Other(error.clone())));
            }
        }
        judgement.not_permitted |= request.effect.resource.unresolved && !surely_permitted;
        judgement
    }

    /// The rules and permits that can apply to the operation on this kind of resource.
    pub(super) fn slice(&self, operation: Operation, kind: ResourceKind) -> impl Iterator<Item = &Rule> {
        self.slice_indices(operation, kind).filter_map(|index| self.compiled.get(index))
    }

    /// The same by their place in the policy.
    pub(super) fn slice_indices(&self, operation: Operation, kind: ResourceKind) -> impl Iterator<Item = usize> {
        let rules = self.sliced(operation, kind).map(|slice| &*slice.rules).unwrap_or_default();
        rules.iter().copied()
    }

    /// Their places among all rules.
    pub(super) fn applying(&self, effect: &Effect) -> &[usize] {
        self.sliced(effect.operation, effect.resource.kind).map(|slice| &*slice.rules).unwrap_or_default()
    }

    /// The facts about its session that the rules for this effect look at.
    pub fn session_view(&self, effect: &Effect) -> SessionView {
        self.sliced(effect.operation, effect.resource.kind).map(|slice| slice.view).unwrap_or_default()
    }

    /// Sorts rules by what they can apply to when that is first asked: most pairs never are.
    fn sliced(&self, operation: Operation, kind: ResourceKind) -> Option<&Slice> {
        let slice = self.slices.get(slot(operation, kind))?;
        Some(slice.get_or_init(|| {
            let rules = self.compiled.iter().enumerate().filter(|(_, rule)| rule.can_apply(operation, kind));
            let view = rules.clone().fold(SessionView::default(), |view, (_, rule)| view.and(rule.test.session));
            Slice { rules: rules.map(|(index, _)| index).collect(), view, weighing: OnceLock::new() }
        }))
    }

    /// The rules that can apply to an effect, each with its conditions in the order in which to weigh them: those that only
    /// ask what kind of act this is, then the cheap ones.
    pub(super) fn weighing(&self, effect: &Effect) -> &[Ordered] {
        let Some(slice) = self.sliced(effect.operation, effect.resource.kind) else { return &[] };
        slice.weighing.get_or_init(|| {
            let ordered = |rule: &Rule| {
                let mut order = rule.test.hot.clone();
                let price = |index: &usize| self.conjuncts.get(*index).map(|one| (!one.is_anchor, one.price()));
                order.sort_by_key(price);
                order.into_boxed_slice()
            };
            let ordered =
                |place: &usize| Some(Ordered { place: *place, conditions: ordered(self.compiled.get(*place)?) });
            slice.rules.iter().filter_map(ordered).collect()
        })
    }

    /// A slice for every pair of operation and kind, none of them filled yet.
    pub(super) fn slices() -> Vec<OnceLock<Slice>> {
        std::iter::repeat_with(OnceLock::new).take(Operation::ALL.len() * ResourceKind::ALL.len()).collect()
    }
}

impl Rule {
    /// Whether it can apply to this operation on this kind of resource.
    pub(super) const fn can_apply(&self, operation: Operation, kind: ResourceKind) -> bool {
        self.test.can_apply(operation, kind)
    }
}

impl Compiled {
    /// Whether it can apply to this operation on this kind of resource.
    pub(super) const fn can_apply(&self, operation: Operation, kind: ResourceKind) -> bool {
        self.operations & 1 << operation as u32 != 0 && self.kinds & 1 << kind as u32 != 0
    }
}

/// What can apply to one operation on one kind of resource.
#[derive(Debug)]
pub(super) struct Slice {
    /// Places in `Policy::compiled`.
    rules: Box<[usize]>,
    /// The facts about a session that these rules look at.
    view: SessionView,
    /// The same rules as [`Policy::weighing`] gives them, when that is first asked.
    weighing: OnceLock<Box<[Ordered]>>,
}

/// A rule by its place in the policy, with its conditions in the order in which to weigh them.
#[derive(Debug)]
pub(super) struct Ordered {
    pub(super) place: usize,
    pub(super) conditions: Box<[usize]>,
}

/// The place of a pair in a list of all of them.
pub(super) const fn slot(operation: Operation, kind: ResourceKind) -> usize {
    operation as usize * ResourceKind::ALL.len() + kind as usize
}

pub(super) fn enforced(info: &Arc<RuleInfo>) -> bool {
    info.mode == Mode::Enforce
}

pub(super) fn failed(rule: &str, failure: &Failure) -> String {
    format!("rule `{rule}` could not be evaluated: {failure}")
}

/// What a pass has found out about the conditions of a policy for one request.
#[derive(Clone, Debug)]
pub struct Established([u8; KNOWN]);

/// One pass over conditions: each is evaluated at most once.
#[derive(Debug)]
pub(super) struct Pass<'p, 'a> {
    conjuncts: &'p [Conjunct],
    pub(super) request: &'p Request<'a>,
    /// What is already known: 0 nothing, else [`code`].
    known: [u8; KNOWN],
    cedar: Option<Result<CedarRequest, String>>,
}

/// One condition of a rule after the other.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Weighing {
    /// As Cedar sees it so far: every condition held, or the first one that did not.
    now: Result<bool, Failure>,
    open: bool,
}

impl Default for Weighing {
    fn default() -> Self {
        Self { now: Ok(true), open: false }
    }
}

impl Weighing {
    /// Takes the next condition; a fate when it decides.
    ///
    /// `handles_unresolved`: the rule asks itself whether the name is resolved. `may_hold`: nobody knows the environment
    /// that the condition names.
    #[inline]
    pub(super) fn take(&mut self, truth: Truth, handles_unresolved: bool, may_hold: bool) -> Option<Fate> {
        let Truth { holds, unsure } = truth;
        let unsure = unsure && !handles_unresolved || may_hold && holds == Ok(false);
        match (holds, unsure) {
            (Ok(true), false) => {}
            (Ok(false), false) => {
                return Some(match std::mem::replace(&mut self.now, Ok(false)) {
                    Err(failure) => Fate::Failed(failure),
                    Ok(_) => Fate::Unmet,
                });
            }
            (Err(failure), false) => {
                return Some(match std::mem::replace(&mut self.now, Ok(false)) {
                    Ok(true) => Fate::Failed(failure),
                    Ok(false) => Fate::Possible { now: false },
                    Err(earlier) => Fate::Failed(earlier),
                });
            }
            (holds, true) => {
                self.open = true;
                if self.now == Ok(true) {
                    self.now = holds;
                }
            }
        }
        None
    }

    /// Every condition was taken.
    pub(super) fn fate(self) -> Fate {
        match self.now {
            Err(failure) => Fate::Failed(failure),
            Ok(now) if self.open => Fate::Possible { now },
            Ok(_) => Fate::Met,
        }
    }
}

/// Conditions beyond this many are evaluated anew for every rule.
const KNOWN: usize = 512;

impl<'p, 'a> Pass<'p, 'a> {
    pub(super) fn new(policy: &'p Policy, request: &'p Request<'a>) -> Self {
        Self::over(&policy.conjuncts, request)
    }

    pub(super) const fn over(conjuncts: &'p [Conjunct], request: &'p Request<'a>) -> Self {
        Self { conjuncts, request, known: [0; KNOWN], cedar: None }
    }

    /// A pass that goes on from what another one has found out about the same request.
    pub(super) fn after(policy: &'p Policy, request: &'p Request<'a>, established: &Established) -> Self {
        Self { conjuncts: &policy.conjuncts, request, known: established.0, cedar: None }
    }

    /// Whether a condition was evaluated already.
    pub(super) fn knows(&self, index: usize) -> bool {
        self.known.get(index).is_some_and(|code| *code != 0)
    }

    /// What becomes of one rule that can apply to the operation and kind of the request.
    ///
    /// `unless_known`: where nobody knows the environment, it may be the one that the rule names.
    pub(super) fn fate(&mut self, test: &Compiled, unless_known: bool) -> Fate {
        if !test.can_apply(self.request.effect.operation, self.request.effect.resource.kind) {
            return Fate::Unmet;
        }
        let mut weighing = Weighing::default();
        for index in &test.hot {
            let truth = self.truth(*index);
            let named = || self.conjuncts.get(*index).is_some_and(|conjunct| conjunct.names_environment);
            let open = unless_known && self.request.environment == Environment::Unknown && named();
            if let Some(fate) = weighing.take(truth, test.handles_unresolved, open) {
                return fate;
            }
        }
        weighing.fate()
    }

    /// What one condition says.
    pub(super) fn truth(&mut self, index: usize) -> Truth {
        if let Some(truth) = self.known.get(index).and_then(|code| decoded(*code)) {
            return truth;
        }
        let truth = match self.conjuncts.get(index).map(|conjunct| &conjunct.test) {
            Some(Test::Compiled(expr)) => truth(expr, self.request),
            Some(Test::Slow(expr)) => {
                let about_resource =
                    self.conjuncts.get(index).is_some_and(|conjunct| conjunct.facts.contains(&Fact::Resource));
                let holds = self.ask(expr);
                Truth { holds, unsure: about_resource && self.request.effect.resource.unresolved }
            }
            None => Truth { holds: Err(Failure::Type), unsure: false },
        };
        if let Some(known) = self.known.get_mut(index) {
            *known = code(&truth);
        }
        truth
    }

    /// Leaves a condition to Cedar.
    fn ask(&mut self, expr: &cedar_policy::Expression) -> Result<bool, Failure> {
        let cedar = self.cedar.get_or_insert_with(|| translate(self.request));
        match cedar {
            Ok(cedar) => match eval_expression(&cedar.request, &cedar.entities, expr) {
                Ok(EvalResult::Bool(holds)) => Ok(holds),
                Ok(_) => Err(Failure::Type),
                Err(error) => Err(Failure::Other(error.to_string())),
            },
            Err(error) => Err(Failure::Other(error.clone())),
        }
    }
}

const fn code(truth: &Truth) -> u8 {
    let holds = match truth.holds {
        Ok(false) => 1,
        Ok(true) => 2,
        // Failures are rare and have words of their own: they are found again when asked for again.
        Err(_) => return 0,
    };
    holds | (truth.unsure as u8) << 2
}

fn decoded(code: u8) -> Option<Truth> {
    (code != 0).then_some(Truth { holds: Ok(code & 2 != 0), unsure: code & 4 != 0 })
}
