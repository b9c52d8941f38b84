//! Makes the mutants of a rule.

use std::collections::HashSet;
use std::sync::Arc;

use super::equivalent::{Change, is_same};
use super::{Mutant, Mutation, widen};
use crate::model::{Decision, Mode, Operation, ResourceKind, RuleInfo};
use crate::policy::annotation::Annotations;
use crate::policy::compile::{Compiled, Conjunct, Conjuncts};
use crate::policy::{Policy, Rule, statement};

/// Every mutant of the rules that are `wanted`, by their place in the policy; and the conditions of all of them, the
/// policy's own first.
pub(super) fn all(policy: &Policy, wanted: &[bool]) -> (Vec<Mutant>, Vec<Conjunct>) {
    let mut making = Making { policy, conjuncts: Conjuncts::of(&policy.conjuncts), all: Vec::new() };
    for (at, (rule, _)) in policy.compiled.iter().zip(wanted).enumerate().filter(|(_, (_, wanted))| **wanted) {
        making.rule(at, rule);
    }
    (making.all, making.conjuncts.all)
}

/// Mutants that can differ from their rule, by operation and kind.
pub(super) fn slices(policy: &Policy, all: &[Mutant]) -> Vec<Box<[usize]>> {
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
pub(super) fn is_guard(policy: &Policy, rule: &Rule, condition: usize) -> bool {
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
    let change = Change { rule, condition, test, before, after };
    is_same(&change, conjuncts)
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
    let body = Annotations::split(statement).map_or(0, |(_, body)| statement.len() - body.len());
    statement::line(rule.source.inner(), rule.range.start + body)
}

/// The line on which a condition stands, as near as its words can be found: policies are printed with other spaces than
/// they are written with, and what stands under `unless` is printed with a `!`.
fn line_of(rule: &Rule, text: &str) -> usize {
    let statement = rule.source.inner().get(rule.range.clone()).unwrap_or_default();
    let body = Annotations::split(statement).map_or(statement, |(_, body)| body);
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
            return statement::line(rule.source.inner(), start + at);
        }
    }
    statement::line(rule.source.inner(), start)
}
