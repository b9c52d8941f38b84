//! Which changes of a policy would nobody notice?
//!
//! Every action is judged once by the policy and, in the same pass over the conditions, by every [mutant](Mutants). A
//! [`Study`] is told first what pins the policy (examples in its rules, cases, actions whose outcome is pinned), then
//! recorded actions that pin nothing: they show a change to whoever looks, and are what a case can be made of.

mod declared;
mod ready;

pub use declared::{Declared, DeclaredError, declared};
pub use ready::Ready;

use std::sync::Arc;

use crate::model::{Action, Environment, Finding, Otherwise, RuleInfo, Verdict};
use crate::policy::{ConditionSeen, Mutant, Mutants, Mutation, Saying};

use super::corpus::Incident;
use super::expect::{self, Case};
use super::{Engine, Judgement, Seen, Settling};

/// Recorded actions kept for a mutant, to make a case of.
const MAX_TRACES: usize = 3;

impl Engine {
    /// What the policy says, and which mutants say something else.
    pub(super) fn study(&self, mutants: &Mutants, seen: &Seen<'_>) -> (Verdict, Vec<Otherwise>) {
        let mut judgements: Vec<Judgement> = Vec::with_capacity(seen.understanding.effects.len());
        let mut sayings: Vec<(usize, Saying)> = Vec::new();
        self.each_request(seen, |request| {
            let effect = judgements.len();
            judgements.push(self.policy.judge_with_mutants(mutants, request, |saying| sayings.push((effect, saying))));
        });
        let settled = |judgements: Vec<Judgement>| {
            let mut settling = Settling::default();
            judgements.into_iter().for_each(|judgement| self.note(&mut settling, judgement, seen));
            settling.settle(&self.policy, seen)
        };
        let verdict = settled(judgements.clone());
        sayings.sort_by_key(|(effect, saying)| (saying.mutant, *effect));
        let mut otherwise = Vec::new();
        for said in sayings.chunk_by(|(_, a), (_, b)| a.mutant == b.mutant) {
            let Some((number, mutant)) = said.first().and_then(|(_, s)| Some((s.mutant, mutants.all().get(s.mutant)?)))
            else {
                continue;
            };
            let mut changed = judgements.clone();
            for (effect, saying) in said {
                if let Some(judgement) = changed.get_mut(*effect) {
                    *judgement = self.policy.with_mutant(judgement, mutant, saying);
                }
            }
            let settled = settled(changed);
            let met = self.is_met(mutant, &settled);
            if settled.decision != verdict.decision || met != self.is_met(mutant, &verdict) {
                otherwise.push(Otherwise { mutant: number, decision: settled.decision, met });
            }
        }
        (verdict, otherwise)
    }

    fn is_met(&self, mutant: &Mutant, verdict: &Verdict) -> bool {
        match &mutant.info {
            Some(_) => verdict.hits.iter().chain(&verdict.shadow).any(|hit| hit.rule.id == mutant.rule),
            None => !verdict.hits.iter().any(|hit| Arc::ptr_eq(&hit.rule, &self.not_permitted)),
        }
    }
}

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Something that pins the policy would fail.
    Killed(Notice),
    /// Recorded actions are judged otherwise, and nothing fails.
    Seen(Notice),
    Survived,
    /// Nothing can tell it from its rule.
    Equivalent(String),
}

/// Who notices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The policy would be refused when it is loaded.
    Refused,
    /// An example of the rule itself, in its words.
    Example(String),
    Case {
        name: String,
        file: String,
        line: usize,
    },
    Action {
        file: String,
        line: u64,
        text: String,
    },
    Incident(String),
}

/// Collects who notices which mutant.
#[derive(Debug)]
pub struct Study {
    mutants: Arc<Mutants>,
    fates: Vec<Fate>,
    /// Recorded actions that tell a mutant from its rule, with the environment they were judged in.
    traces: Vec<Vec<(Action, Environment)>>,
    /// Equivalent, somebody said: the mutant and the reason.
    declared: Vec<(usize, String)>,
}

/// What there is to say in the end.
#[derive(Debug)]
pub struct Survey {
    /// Rules that were in question, in the order of the policy.
    pub rules: Vec<RuleSurvey>,
    pub mutants: Arc<Mutants>,
    /// Mutants that were declared equivalent and are not: somebody notices them.
    pub wrongly_declared: Vec<String>,
}

#[derive(Debug)]
pub struct RuleSurvey {
    pub rule: String,
    /// `None` for a permit.
    pub info: Option<Arc<RuleInfo>>,
    /// Number of the mutant, what became of it, and what would notice it if nothing does.
    pub mutants: Vec<(usize, Fate, Option<Ready>)>,
    pub conditions: Vec<ConditionSeen>,
}

impl RuleSurvey {
    pub fn killed(&self) -> usize {
        self.count(|fate| matches!(fate, Fate::Killed(_)))
    }

    /// All but the equivalent ones.
    pub fn counted(&self) -> usize {
        self.count(|fate| !matches!(fate, Fate::Equivalent(_)))
    }

    fn count(&self, of: impl Fn(&Fate) -> bool) -> usize {
        self.mutants.iter().filter(|(_, fate, _)| of(fate)).count()
    }
}

impl Survey {
    pub fn killed(&self) -> usize {
        self.rules.iter().map(RuleSurvey::killed).sum()
    }

    /// All but the equivalent ones.
    pub fn counted(&self) -> usize {
        self.rules.iter().map(RuleSurvey::counted).sum()
    }

    /// The share of mutants that are killed, from 0 to 1; `None` when there was none that counts.
    pub fn score(&self) -> Option<f64> {
        let counted = self.counted();
        (counted > 0).then(|| self.killed() as f64 / counted as f64)
    }

    /// The cases that would notice what nobody notices, each once, as TOML.
    pub fn ready_cases(&self) -> Vec<&str> {
        let mut cases: Vec<&str> = Vec::new();
        for (_, _, ready) in self.rules.iter().flat_map(|rule| &rule.mutants) {
            if let Some(Ready::Case(case)) = ready
                && !cases.contains(&case.as_str())
            {
                cases.push(case);
            }
        }
        cases
    }

    /// Mutants of this sort.
    pub fn count(&self, of: impl Fn(&Fate) -> bool) -> usize {
        self.rules.iter().map(|rule| rule.count(&of)).sum()
    }
}

impl Study {
    /// `declared`: what the user says is equivalent, by the mutants' names.
    pub fn new(mutants: Arc<Mutants>, declared: &[Declared]) -> Self {
        let number = |said: &Declared| mutants.all().iter().position(|mutant| mutant.name() == said.mutant);
        let declared = declared.iter().filter_map(|said| Some((number(said)?, said.reason.clone()))).collect();
        let fate = |mutant: &Mutant| match mutant.equivalent {
            Some(reason) => Fate::Equivalent(reason.to_owned()),
            None => Fate::Survived,
        };
        Self {
            fates: mutants.all().iter().map(fate).collect(),
            traces: vec![Vec::new(); mutants.all().len()],
            declared,
            mutants,
        }
    }

    /// Runs the examples in the rules.
    pub fn examples(&mut self, engine: &Engine) {
        let policy = engine.policy();
        for example in policy.examples() {
            let finding = engine.decide_example(example);
            for other in finding.otherwise.iter() {
                let Some(mutant) = self.mutants.all().get(other.mutant) else { continue };
                // What goes with the rule cannot miss it.
                if mutant.rule == example.rule.id
                    && mutant.mutation != Mutation::Deleted
                    && other.met != example.expect_met
                {
                    self.kill(other.mutant, || Notice::Example(example.text.clone()));
                }
            }
        }
        // `@blocks` on a rule that asks is refused.
        let held: Vec<&str> =
            policy.examples().iter().filter(|e| e.expect_met).map(|example| example.rule.id.as_str()).collect();
        for number in 0..self.mutants.all().len() {
            let mutant = &self.mutants.all()[number];
            if mutant.mutation == Mutation::Swapped && held.contains(&mutant.rule.as_str()) {
                self.kill(number, || Notice::Refused);
            }
        }
    }

    /// Judges the cases; those that fail already notice nothing.
    pub fn cases(&mut self, engine: &Engine, cases: &[Case]) {
        for case in cases {
            let outcome = expect::judge(engine, case.clone());
            if !outcome.holds() {
                continue;
            }
            for other in outcome.finding.otherwise.iter() {
                if self.breaks(case, other) {
                    let Case { name, file, line, .. } = case;
                    self.kill(other.mutant, || Notice::Case { name: name.clone(), file: file.clone(), line: *line });
                }
            }
        }
    }

    /// Whether a case that holds would fail.
    fn breaks(&self, case: &Case, other: &Otherwise) -> bool {
        let Some(mutant) = self.mutants.all().get(other.mutant) else { return false };
        let missing = case.rule.as_ref().is_some_and(|rule| *rule == mutant.rule) && !other.met;
        let present = case.without.as_ref().is_some_and(|rule| *rule == mutant.rule) && other.met;
        !case.expect.holds(other.decision) || missing || present
    }

    /// Plays incidents with their twins; what is said about every action of them is pinned.
    pub fn incidents(&mut self, engine: &Engine, incidents: &[Arc<Incident>]) {
        for incident in incidents {
            let twins = incident.twins.iter().map(|twin| (twin.config.as_ref(), &twin.actions));
            for (config, actions) in [(None, &incident.actions)].into_iter().chain(twins) {
                let engine = engine.under(config.unwrap_or(&incident.config));
                let mut session = super::Session::default();
                for (action, _) in actions {
                    let finding = engine.decide(action.clone(), &mut session);
                    for other in finding.otherwise.iter() {
                        self.kill(other.mutant, || Notice::Incident(incident.id.clone()));
                    }
                }
            }
        }
    }

    /// Takes in one recorded action; of `pinned` ones the decision and the rules that decide are held fast.
    pub fn finding(&mut self, finding: &Finding, pinned: bool) {
        for other in finding.otherwise.iter() {
            let notice = || {
                let Action { origin, text, .. } = &finding.action;
                Notice::Action { file: origin.file.to_string(), line: origin.line, text: text.to_string() }
            };
            if pinned {
                self.kill(other.mutant, notice);
                continue;
            }
            match self.fates.get_mut(other.mutant) {
                Some(fate @ Fate::Survived) => *fate = Fate::Seen(notice()),
                Some(Fate::Seen(_)) => {}
                _ => continue,
            }
            let Some(traces) = self.traces.get_mut(other.mutant) else { continue };
            if traces.len() < MAX_TRACES {
                traces.push((finding.action.clone(), finding.environment));
            } else {
                self.mutants.set_open(other.mutant, false);
            }
        }
    }

    fn kill(&mut self, mutant: usize, notice: impl FnOnce() -> Notice) {
        if let Some(fate @ (Fate::Survived | Fate::Seen(_))) = self.fates.get_mut(mutant) {
            *fate = Fate::Killed(notice());
            self.mutants.set_open(mutant, false);
        }
    }

    /// What there is to say. What would notice a mutant that survived is looked for when `ready`.
    pub fn finish(mut self, engine: &Engine, ready: bool) -> Survey {
        let mut wrongly_declared = Vec::new();
        for (number, reason) in std::mem::take(&mut self.declared) {
            let (Some(fate), Some(mutant)) = (self.fates.get_mut(number), self.mutants.all().get(number)) else {
                continue;
            };
            match fate {
                Fate::Survived => *fate = Fate::Equivalent(reason),
                Fate::Equivalent(_) => {}
                Fate::Killed(_) | Fate::Seen(_) => wrongly_declared.push(mutant.name()),
            }
        }
        // What is tried out below was seen by nobody.
        let mut conditions = self.mutants.conditions(engine.policy());
        let mut written = if ready { ready::write(&self, engine) } else { Default::default() };
        let mut rules: Vec<RuleSurvey> = Vec::new();
        for (number, (mutant, fate)) in self.mutants.all().iter().zip(self.fates).enumerate() {
            if rules.last().is_none_or(|last| last.rule != mutant.rule) {
                rules.push(RuleSurvey {
                    rule: mutant.rule.clone(),
                    info: mutant.info.clone(),
                    mutants: Vec::new(),
                    conditions: conditions.extract_if(.., |seen| seen.rule == mutant.rule).collect(),
                });
            }
            if let Some(rule) = rules.last_mut() {
                rule.mutants.push((number, fate, written.remove(&number)));
            }
        }
        Survey { rules, mutants: self.mutants, wrongly_declared }
    }
}
