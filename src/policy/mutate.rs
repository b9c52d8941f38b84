//! Rules that differ from a policy's own in one thing: what mutation testing tries out.
//!
//! All of them are tried in one pass. Their conditions are the policy's own and a few more, each evaluated at most once
//! for an effect; they are sorted by operation and kind as the rules are, so that an effect meets only those that can
//! say something else about it than their rule does.

mod equivalent;
mod widen;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use super::compile::{Compiled, Conjunct, Conjuncts};
use super::facts::{Fact, SessionView};
use super::judge::{Fate, Pass, enforced, failed, slot};
use super::{Judgement, Policy, Request, Rule};
use crate::model::{Decision, Effect, Mode, Operation, ResourceKind, RuleInfo, words};

/// A rule, or a permit, that is changed in one thing.
#[derive(Debug)]
pub struct Mutant {
    /// The rule's id, and what it says of itself; a permit has no more than an id.
    pub rule: String,
    pub info: Option<Arc<RuleInfo>>,
    pub mutation: Mutation,
    /// Which of the rule's conditions, in the order in which they are written.
    pub condition: Option<usize>,
    /// The condition, or the decision, as it is written and as it would be; empty for what is not there.
    pub before: String,
    pub after: String,
    /// Where that stands; the line is 1-based.
    pub file: String,
    pub line: usize,
    /// Why nothing can tell it from the rule, where that is proved.
    pub equivalent: Option<&'static str>,
    /// Which of the policy's rules.
    of: usize,
    /// `None` never applies.
    test: Option<Compiled>,
    /// What the rule says of itself then, where that changes.
    instead: Option<Arc<RuleInfo>>,
}

words! {
    /// What is changed.
    Mutation {
        Dropped = "drop",
        Negated = "negate",
        /// `widen.rs` lists the ways there are.
        Widened = "widen",
        /// The rule is gone, and with it its examples.
        Deleted = "delete",
        /// `block` for `ask`, and the other way round.
        Swapped = "swap",
    }
}

impl Mutant {
    /// Names the mutant within its policy: `sql.drop-table: drop resource is Table`.
    pub fn name(&self) -> String {
        let Self { rule, mutation, before, after, .. } = self;
        match mutation {
            Mutation::Deleted => format!("{rule}: delete"),
            Mutation::Widened => format!("{rule}: widen {before} to {after}"),
            Mutation::Swapped => format!("{rule}: {after} for {before}"),
            Mutation::Dropped | Mutation::Negated => format!("{rule}: {mutation} {before}"),
        }
    }
}

/// What a rule says to an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Unmet,
    Met,
    /// Met if what is not known has the wrong value.
    Possible,
    /// In words.
    Failed(String),
}

/// A mutant that says something else about an effect than its rule does, or would decide something else by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saying {
    pub mutant: usize,
    pub own: Answer,
    pub says: Answer,
}

/// Every mutant of some rules of one policy.
#[derive(Debug)]
pub struct Mutants {
    all: Vec<Mutant>,
    /// The policy's own conditions first.
    conjuncts: Vec<Conjunct>,
    /// Mutants that may differ from their rule, by operation and kind.
    slices: Vec<Box<[usize]>>,
    /// Mutants that are still asked about.
    open: Vec<AtomicBool>,
    coverage: Coverage,
}

/// What was seen of each condition of the rules in question.
#[derive(Debug)]
struct Coverage {
    /// By rule of the policy; `None` for rules that are not in question.
    rules: Vec<Option<Vec<Seen>>>,
    /// Operations on kinds that some effect had.
    slots: Vec<AtomicBool>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Only about operation and kind: which of them it leaves.
    masks: Option<(u32, u64)>,
    /// [`HELD`], [`FAILED`], [`ALONE`].
    bits: AtomicU8,
}

const HELD: u8 = 1;
const FAILED: u8 = 2;
const ALONE: u8 = 4;

/// What was seen of one condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionSeen {
    pub rule: String,
    /// Which of the rule's conditions.
    pub condition: usize,
    pub text: String,
    pub held: bool,
    pub failed: bool,
    /// It alone kept the rule from being met; `None` where no effect can tell (the rule would be an error without it).
    pub alone: Option<bool>,
}

impl Mutants {
    /// Every mutant of the rules that are `wanted`, in the order of the policy.
    pub fn of(policy: &Policy, wanted: impl Fn(&str) -> bool) -> Self {
        let mut making = Making { policy, conjuncts: Conjuncts::of(&policy.conjuncts), all: Vec::new() };
        let mut seen = Vec::new();
        for (at, rule) in policy.compiled.iter().enumerate() {
            let wanted = wanted(&rule.id);
            if wanted {
                making.rule(at, rule);
            }
            let of = |index: &usize| {
                let masks = policy.conjuncts.get(*index).and_then(Conjunct::masks);
                Seen { masks, bits: AtomicU8::new(0) }
            };
            seen.push(wanted.then(|| rule.test.all.iter().map(of).collect()));
        }
        let Making { conjuncts, all, .. } = making;
        let slices = slices(policy, &all);
        let slots = slices.iter().map(|_| AtomicBool::new(false)).collect();
        Self {
            open: all.iter().map(|mutant| AtomicBool::new(mutant.equivalent.is_none())).collect(),
            all,
            conjuncts: conjuncts.all,
            slices,
            coverage: Coverage { rules: seen, slots },
        }
    }

    pub fn all(&self) -> &[Mutant] {
        &self.all
    }

    /// Not every rule of the policy is in question.
    pub fn is_part(&self) -> bool {
        self.coverage.rules.iter().any(Option::is_none)
    }

    /// Nothing more needs to be known about it, or again something.
    pub fn set_open(&self, mutant: usize, open: bool) {
        if let Some(flag) = self.open.get(mutant) {
            flag.store(open, Ordering::Relaxed);
        }
    }

    fn is_open(&self, mutant: usize) -> bool {
        self.open.get(mutant).is_some_and(|open| open.load(Ordering::Relaxed))
    }

    /// The facts about its session that mutants for this effect look at.
    pub fn session_view(&self, effect: &Effect) -> SessionView {
        let slice = self.slices.get(slot(effect.operation, effect.resource.kind)).into_iter().flatten();
        let tests = slice.filter_map(|index| self.all.get(*index)?.test.as_ref());
        tests.fold(SessionView::default(), |view, test| view.and(test.session))
    }

    /// What was seen of every condition, in the order of the policy.
    pub fn conditions(&self, policy: &Policy) -> Vec<ConditionSeen> {
        let mut found = Vec::new();
        for (rule, seen) in policy.compiled.iter().zip(&self.coverage.rules) {
            for (condition, (index, seen)) in rule.test.all.iter().zip(seen.iter().flatten()).enumerate() {
                let Some(conjunct) = policy.conjuncts.get(*index) else { continue };
                let bits = seen.bits.load(Ordering::Relaxed);
                let (held, failed) = match seen.masks {
                    Some(masks) => self.coverage.mask(masks),
                    None => (bits & HELD != 0, bits & FAILED != 0),
                };
                let alone = (!is_guard(policy, rule, condition)).then_some(bits & ALONE != 0);
                let text = conjunct.text().to_owned();
                found.push(ConditionSeen { rule: rule.id.clone(), condition, text, held, failed, alone });
            }
        }
        found
    }
}

impl Coverage {
    /// Whether some effect had an operation and kind that a condition leaves, and whether one had others.
    fn mask(&self, (operations, kinds): (u32, u64)) -> (bool, bool) {
        let (mut held, mut failed) = (false, false);
        for operation in Operation::ALL {
            for kind in ResourceKind::ALL {
                if self.slots[slot(*operation, *kind)].load(Ordering::Relaxed) {
                    let leaves = operations & 1 << *operation as u32 != 0 && kinds & 1 << *kind as u32 != 0;
                    held |= leaves;
                    failed |= !leaves;
                }
            }
        }
        (held, failed)
    }

    fn mark(&self, rule: usize, condition: usize, bit: u8) {
        if let Some(seen) = self.rules.get(rule).and_then(|seen| seen.as_ref()?.get(condition))
            && seen.bits.load(Ordering::Relaxed) & bit == 0
        {
            seen.bits.fetch_or(bit, Ordering::Relaxed);
        }
    }
}

impl Policy {
    /// What the rules say about one effect; `told` is every open mutant that says something else than its rule does.
    pub fn judge_with_mutants(
        &self,
        mutants: &Mutants,
        request: &Request<'_>,
        mut told: impl FnMut(Saying),
    ) -> Judgement {
        let mut pass = Pass::over(&mutants.conjuncts, request);
        let judgement = self.judge_in(&mut pass);
        let at = slot(request.effect.operation, request.effect.resource.kind);
        let coverage = &mutants.coverage;
        coverage.slots[at].store(true, Ordering::Relaxed);
        self.cover(coverage, &mut pass);
        let mut known: Option<(usize, Answer)> = None;
        for index in mutants.slices.get(at).into_iter().flatten() {
            let Some(mutant) = mutants.all.get(*index).filter(|_| mutants.is_open(*index)) else { continue };
            let Some(rule) = self.compiled.get(mutant.of) else { continue };
            let own = match &known {
                Some((of, own)) if *of == mutant.of => own.clone(),
                _ => {
                    let own = answer(rule, pass.fate(&rule.test, rule.unless_known));
                    known = Some((mutant.of, own.clone()));
                    own
                }
            };
            let says = match (&mutant.test, &mutant.instead) {
                (None, _) => Answer::Unmet,
                // The same conditions: it is what they decide that changes.
                (Some(_), Some(_)) if own == Answer::Met => {
                    told(Saying { mutant: *index, own: own.clone(), says: own });
                    continue;
                }
                (Some(_), Some(_)) => continue,
                (Some(test), None) => answer(rule, pass.fate(test, rule.unless_known)),
            };
            if says != own {
                if let (Mutation::Dropped, Some(condition), Answer::Unmet, Answer::Met) =
                    (mutant.mutation, mutant.condition, &own, &says)
                {
                    coverage.mark(mutant.of, condition, ALONE);
                }
                told(Saying { mutant: *index, own, says });
            }
        }
        judgement
    }

    /// Notes what the conditions of the rules in question say that are not answered by operation and kind.
    fn cover(&self, coverage: &Coverage, pass: &mut Pass<'_, '_>) {
        for of in self.applying(pass.request.effect) {
            let (Some(rule), Some(Some(seen))) = (self.compiled.get(*of), coverage.rules.get(*of)) else { continue };
            for (condition, (index, seen)) in rule.test.all.iter().zip(seen).enumerate() {
                if seen.masks.is_some() || seen.bits.load(Ordering::Relaxed) & (HELD | FAILED) == HELD | FAILED {
                    continue;
                }
                if let Ok(holds) = pass.truth(*index).holds {
                    coverage.mark(*of, condition, if holds { HELD } else { FAILED });
                }
            }
        }
    }

    /// The judgement as it would be with a mutant in its rule's place.
    pub fn with_mutant(&self, judgement: &Judgement, mutant: &Mutant, saying: &Saying) -> Judgement {
        let mut changed = judgement.clone();
        let Some(rule) = self.compiled.get(mutant.of) else { return changed };
        match &rule.info {
            None => {
                let met = |answer: &Answer| usize::from(*answer == Answer::Met);
                changed.permits = judgement.permits + met(&saying.says) - met(&saying.own);
                changed.not_permitted = changed.permits == 0;
            }
            Some(info) => {
                changed.met.retain(|met| met.id != rule.id);
                changed.possible.retain(|possible| possible.id != rule.id);
                let info = mutant.instead.as_ref().unwrap_or(info);
                match saying.says {
                    Answer::Met => changed.met.push(Arc::clone(info)),
                    Answer::Possible => changed.possible.push(Arc::clone(info)),
                    Answer::Unmet | Answer::Failed(_) => {}
                }
            }
        }
        let own = failed(&rule.id, &super::evaluate::Failure::Other(String::new()));
        changed.errors.retain(|error| !error.starts_with(&own));
        if let Answer::Failed(words) = &saying.says {
            changed.errors.push(format!("{own}{words}"));
        }
        changed
    }
}

/// What the conditions of a rule write down.
#[derive(Clone, Debug, Default)]
pub struct Literals {
    /// Texts, and patterns with their stars.
    pub texts: Vec<String>,
    pub numbers: Vec<i64>,
}

impl Policy {
    /// The facts that a rule or permit looks at.
    pub fn facts_of(&self, id: &str) -> Vec<Fact> {
        let mut facts: Vec<Fact> = self.conjuncts_of(id).flat_map(|conjunct| conjunct.facts.iter().copied()).collect();
        facts.sort();
        facts.dedup();
        facts
    }

    /// What its conditions write down.
    pub fn literals_of(&self, id: &str) -> Literals {
        let mut literals = Literals::default();
        self.conjuncts_of(id).for_each(|conjunct| widen::literals(conjunct.source(), &mut literals));
        literals
    }

    fn conjuncts_of(&self, id: &str) -> impl Iterator<Item = &Conjunct> {
        let rule = self.by_id.get(id).and_then(|index| self.compiled.get(*index));
        rule.into_iter().flat_map(|rule| &rule.test.all).filter_map(|index| self.conjuncts.get(*index))
    }
}

/// What a fate means for a verdict.
fn answer(rule: &Rule, fate: Fate) -> Answer {
    match fate {
        Fate::Unmet => Answer::Unmet,
        Fate::Met => Answer::Met,
        Fate::Possible { now: true } if rule.info.is_some() => Answer::Met,
        Fate::Possible { .. } if rule.info.as_ref().is_some_and(enforced) => Answer::Possible,
        Fate::Possible { .. } => Answer::Unmet,
        Fate::Failed(failure) => Answer::Failed(failure.to_string()),
    }
}

/// Mutants that can differ from their rule, by operation and kind.
fn slices(policy: &Policy, all: &[Mutant]) -> Vec<Box<[usize]>> {
    let applies = |test: &Compiled, operation: Operation, kind: ResourceKind| {
        test.operations & 1 << operation as u32 != 0 && test.kinds & 1 << kind as u32 != 0
    };
    let mut slices = Vec::with_capacity(Operation::ALL.len() * ResourceKind::ALL.len());
    for operation in Operation::ALL {
        for kind in ResourceKind::ALL {
            let differs = |mutant: &Mutant| {
                let own = policy.compiled.get(mutant.of).map(|rule| &rule.test);
                own.into_iter().chain(&mutant.test).any(|test| applies(test, *operation, *kind))
            };
            slices.push((0..all.len()).filter(|index| all.get(*index).is_some_and(differs)).collect());
        }
    }
    slices
}

/// `context has count` beside `context.count > 100`: without it the rule would be refused when it is loaded.
fn is_guard(policy: &Policy, rule: &Rule, condition: usize) -> bool {
    let conjunct = |at: usize| policy.conjuncts.get(*rule.test.all.get(at)?);
    let Some(Some(fact)) = conjunct(condition).map(Conjunct::asks_whether_known) else { return false };
    (0..rule.test.all.len())
        .filter(|at| *at != condition)
        .any(|at| conjunct(at).is_some_and(|c| c.facts.contains(&fact)))
}

/// Collects mutants.
struct Making<'p> {
    policy: &'p Policy,
    conjuncts: Conjuncts,
    all: Vec<Mutant>,
}

impl Making<'_> {
    fn rule(&mut self, at: usize, rule: &Rule) {
        let mut known: HashSet<Vec<usize>> = HashSet::from([sorted(&rule.test.all)]);
        for condition in 0..rule.test.all.len() {
            if is_guard(self.policy, rule, condition) {
                continue;
            }
            let Some(conjunct) = rule.test.all.get(condition).and_then(|index| self.policy.conjuncts.get(*index))
            else {
                continue;
            };
            self.condition((at, rule), condition, (Mutation::Dropped, None), &mut known);
            let negated = self.conjuncts.push(conjunct.negated());
            self.condition((at, rule), condition, (Mutation::Negated, Some(negated)), &mut known);
            for widened in widen::widened(conjunct.source()) {
                let widened = self.conjuncts.add(widened);
                self.condition((at, rule), condition, (Mutation::Widened, Some(widened)), &mut known);
            }
        }
        let place = (rule.source.name().to_owned(), line_of_scope(rule));
        self.all.push(Mutant {
            rule: rule.id.clone(),
            info: rule.info.clone(),
            mutation: Mutation::Deleted,
            condition: None,
            before: "the rule".to_owned(),
            after: String::new(),
            file: place.0.clone(),
            line: place.1,
            equivalent: None,
            of: at,
            test: None,
            instead: None,
        });
        let Some(info) = rule.info.as_ref().filter(|info| info.mode == Mode::Enforce) else { return };
        let decision = if info.decision == Decision::Block { Decision::Ask } else { Decision::Block };
        self.all.push(Mutant {
            rule: rule.id.clone(),
            info: rule.info.clone(),
            mutation: Mutation::Swapped,
            condition: None,
            before: info.decision.word().to_owned(),
            after: decision.word().to_owned(),
            file: place.0,
            line: place.1,
            equivalent: None,
            of: at,
            test: Some(rule.test.clone()),
            instead: Some(Arc::new(RuleInfo { decision, ..RuleInfo::clone(info) })),
        });
    }

    /// A mutant with another condition in the place of one, or none.
    fn condition(
        &mut self,
        (at, rule): (usize, &Rule),
        condition: usize,
        (mutation, instead): (Mutation, Option<usize>),
        known: &mut HashSet<Vec<usize>>,
    ) {
        let Some(index) = rule.test.all.get(condition) else { return };
        let mut all = rule.test.all.clone();
        match instead {
            Some(instead) => all[condition] = instead,
            None => drop(all.remove(condition)),
        }
        // Two ways to the same rule are one mutant.
        if !known.insert(sorted(&all)) {
            return;
        }
        let conjuncts = &self.conjuncts.all;
        let test = Compiled::new(rule.test.permit, rule.test.actor.clone(), all, conjuncts);
        let (before, after) = (conjuncts.get(*index), instead.and_then(|instead| conjuncts.get(instead)));
        let text =
            |conjunct: Option<&Conjunct>| conjunct.map(|conjunct| conjunct.text().to_owned()).unwrap_or_default();
        let mutant = Mutant {
            rule: rule.id.clone(),
            info: rule.info.clone(),
            mutation,
            condition: Some(condition),
            before: text(before),
            after: text(after),
            file: rule.source.name().to_owned(),
            line: before.map_or(0, |before| line_of(rule, before.text())),
            equivalent: same(rule, condition, &test, (before, after), conjuncts),
            of: at,
            test: Some(test),
            instead: None,
        };
        self.all.push(mutant);
    }
}

/// Why the mutant says what its rule says, whatever it is asked.
fn same(
    rule: &Rule,
    condition: usize,
    test: &Compiled,
    (before, after): (Option<&Conjunct>, Option<&Conjunct>),
    conjuncts: &[Conjunct],
) -> Option<&'static str> {
    let own = &rule.test;
    let answers = |test: &Compiled| (test.operations, test.kinds, sorted(&test.hot), test.handles_unresolved);
    if answers(own) == answers(test) {
        return Some("the other conditions of the rule already leave these operations and kinds only");
    }
    // Where nobody knows the environment, more than the condition's own word counts.
    if rule.unless_known && before.is_some_and(|before| before.facts.contains(&Fact::Environment)) {
        return None;
    }
    if own.handles_unresolved != test.handles_unresolved {
        return None;
    }
    let others = own.all.iter().enumerate().filter(|(at, _)| *at != condition);
    let others: Vec<&Conjunct> = others.filter_map(|(_, index)| conjuncts.get(*index)).collect();
    equivalent::is_same(before, after, &others)
        .then_some("no values of its facts that the other conditions of the rule leave tell the two apart")
}

fn sorted(all: &[usize]) -> Vec<usize> {
    let mut all = all.to_vec();
    all.sort_unstable();
    all
}

/// The line of the rule's first word.
fn line_of_scope(rule: &Rule) -> usize {
    let statement = rule.source.inner().get(rule.range.clone()).unwrap_or_default();
    let body = super::annotation::Annotations::split(statement).map_or(0, |(_, body)| statement.len() - body.len());
    super::statement::line(rule.source.inner(), rule.range.start + body)
}

/// The line on which a condition stands, as near as its words can be found: policies are printed with other spaces than
/// they are written with, and what stands under `unless` is printed with a `!`.
fn line_of(rule: &Rule, text: &str) -> usize {
    let statement = rule.source.inner().get(rule.range.clone()).unwrap_or_default();
    let body = super::annotation::Annotations::split(statement).map_or(statement, |(_, body)| body);
    let start = rule.range.end - body.len();
    let dense = |text: &str| -> Vec<(usize, char)> {
        text.char_indices().filter(|(_, c)| !c.is_whitespace() && !matches!(c, '(' | ')')).collect()
    };
    let written = dense(body);
    let plain = text.trim_start_matches('!').replace("!=", "==");
    // The whole condition, else its first words.
    for words in [text, &plain, plain.split([' ', '|']).next().unwrap_or_default()] {
        let words: Vec<char> = dense(words).into_iter().map(|(_, c)| c).collect();
        let found = written.windows(words.len().max(1)).find(|window| window.iter().map(|(_, c)| c).eq(&words));
        if let Some(((at, _), _)) = found.and_then(|window| window.split_first()) {
            return super::statement::line(rule.source.inner(), start + at);
        }
    }
    super::statement::line(rule.source.inner(), start)
}
