//! Floor 2: the one pipeline. Classify, judge, remember.
//!
//! [`Engine::decide`] is the only way to a verdict: replay, explain, tests and every live mode call it.

mod ahead;
mod before;
pub mod compare;
pub mod config;
pub mod corpus;
mod examples;
pub mod expect;
pub mod gate;
mod given;
pub mod inventory;
pub mod link;
pub mod lock;
mod mapping;
mod memory;
pub mod mutate;
pub mod near_miss;
#[cfg(feature = "prove")]
pub mod prove;
pub mod query;
pub mod replay;
mod reword;
mod session;
mod settle;
pub mod snapshot;
pub mod suggest;

pub use before::before;
pub use config::{Config, ConfigError};
pub use examples::run_examples;
pub use reword::reword;
pub use session::Session;

use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::classify::{Classifier, Known};
use crate::model::{
    Action, ActionId, Before, Decision, Finding, Frontier, Gap, GapKind, Hides, Hit, Mode, Operation, RuleInfo,
    SessionFact, SessionFacts, Severity, Understanding, Verdict,
};
use crate::policy::{Condition, Edits, Established, Example, Judgement, Mutants, Policy, Request, SessionView};

use crate::reader::map::Maps;
use mapping::Mapping;
use memory::{Judged, Memory};
use session::Bearing;

/// Classifier, policy and the user's mapping of names to facts, put together once and shared by all threads.
#[derive(Debug)]
pub struct Engine {
    classifier: Arc<Classifier>,
    policy: Arc<Policy>,
    /// What every action is judged by as well, where two policies are compared.
    base: Option<Base>,
    /// Changed rules that every action is judged by as well, where the policy's tests are tested.
    mutants: Option<Arc<Mutants>>,
    /// `None` where nobody asks about near-misses.
    near: Option<near_miss::Asked>,
    mapping: Arc<Mapping>,
    /// How files are read that are of no format of ours, by the configuration.
    maps: Maps,
    memory: Memory,
    /// Judge with Cedar's own `Authorizer` instead of the compiled policy.
    oracle: bool,
    /// Stands for the absence of a `permit`.
    not_permitted: Arc<RuleInfo>,
}

/// An action as it is judged: with what was understood of it, and what its session did before.
#[derive(Clone, Copy, Debug)]
struct Seen<'a> {
    action: &'a Action,
    understanding: &'a Understanding,
    facts: &'a SessionFacts,
    more_labels: &'a [String],
    /// What its session knew, for whoever reads another text in its place; `None` where effects are only stated.
    known: Option<&'a Known>,
}

/// The side of a comparison that was there before.
#[derive(Debug)]
enum Base {
    /// Names mean the same on both sides: what was understood is judged a second time.
    Policy {
        policy: Arc<Policy>,
        /// Rules of both sides that are not the same on both.
        edits: Edits,
    },
    /// Another mapping or other programs: who acts, where, and what a command does can differ.
    Engine {
        engine: Box<Engine>,
        /// Says which two mappings they are, for whoever accepts the difference.
        meanings: String,
    },
}

impl Engine {
    pub fn new(classifier: Classifier, policy: Policy, config: &Config, oracle: bool) -> Self {
        Self {
            classifier: Arc::new(classifier),
            policy: Arc::new(policy),
            base: None,
            mutants: None,
            near: None,
            mapping: Arc::new(Mapping::new(config)),
            maps: Maps::default(),
            memory: Memory::default(),
            oracle,
            not_permitted: Arc::new(not_permitted()),
        }
    }

    /// The same classifier and policy under another mapping: somebody else's hosts and environments.
    #[must_use]
    pub fn under(&self, config: &Config) -> Self {
        Self { mapping: Arc::new(Mapping::new(config)), ..self.afresh() }
    }

    /// The same with nothing remembered, and nothing to compare with.
    #[must_use]
    pub(crate) fn afresh(&self) -> Self {
        Self {
            classifier: Arc::clone(&self.classifier),
            policy: Arc::clone(&self.policy),
            base: None,
            mutants: self.mutants.clone(),
            mapping: Arc::clone(&self.mapping),
            maps: self.maps.clone(),
            memory: Memory::default(),
            near: self.near,
            oracle: self.oracle,
            not_permitted: Arc::clone(&self.not_permitted),
        }
    }

    /// Judges by `base` as well: what every finding then says of the policy before the change.
    #[must_use]
    pub fn beside(self, base: Policy) -> Self {
        let edits = Edits::between(&base, &self.policy);
        Self { base: Some(Base::Policy { policy: Arc::new(base), edits }), memory: Memory::default(), ..self }
    }

    /// The same where more than the policy changed: everything is read and judged twice.
    #[must_use]
    pub fn beside_engine(self, base: Self, meanings: String) -> Self {
        Self { base: Some(Base::Engine { engine: Box::new(base), meanings }), memory: Memory::default(), ..self }
    }

    /// Judges by every mutant as well: what every finding then says of those that judge it otherwise.
    #[must_use]
    pub fn with_mutants(self, mutants: Arc<Mutants>) -> Self {
        Self { mutants: Some(mutants), memory: Memory::default(), ..self }
    }

    /// Reads the files that the configuration has mappings for by these, after those of the command line.
    #[must_use]
    pub fn with_maps(self, maps: Maps) -> Self {
        Self { maps, ..self }
    }

    /// Tells for every allowed action which rules at most `most` steps kept from stopping it.
    #[must_use]
    pub fn with_near_misses(self, most: u32) -> Self {
        let near = near_miss::Asked { most, statements_later: false };
        Self { near: Some(near), memory: Memory::default(), ..self }
    }

    /// The same for whoever hands all findings to [`near_miss::gather::Gather`]: what every statement of a log would cost
    /// is only paid for a few of each shape.
    #[must_use]
    pub fn with_near_misses_gathered(self, most: u32) -> Self {
        let near = near_miss::Asked { most, statements_later: true };
        Self { near: Some(near), memory: Memory::default(), ..self }
    }

    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The policy before the change, where two are compared.
    pub fn base_policy(&self) -> Option<&Policy> {
        match self.base.as_ref()? {
            Base::Policy { policy, .. } => Some(policy),
            Base::Engine { engine, .. } => Some(&engine.policy),
        }
    }

    /// Set where names mean something else on the two sides of a comparison: says which two mappings they are.
    pub fn meanings(&self) -> Option<&str> {
        match self.base.as_ref()? {
            Base::Policy { .. } => None,
            Base::Engine { meanings, .. } => Some(meanings),
        }
    }

    /// Judges `action` as the next one of `session`.
    pub fn decide(&self, mut action: Action, session: &mut Session) -> Finding {
        let whole = match &self.base {
            Some(Base::Engine { engine, .. }) => Some(engine.decide(action.clone(), session.base()).verdict),
            _ => None,
        };
        self.mapping.identify(&mut action);
        action.gaps.extend(self.mapping.unpinned(&action));
        let known = session.known(&action);
        let remembered = self.memory.understanding(&action, &known, || self.viewed(&action, &known));
        let (understanding, bearing, session_facts, Judged { verdict, near, base, otherwise }) =
            match session.familiar(&action, &remembered.understanding, remembered.bearing) {
                None => {
                    let facts = session.facts(&action, &remembered.understanding);
                    let judge = || {
                        self.judged(&Seen {
                            action: &action,
                            understanding: &remembered.understanding,
                            facts: &facts,
                            more_labels: &[],
                            known: Some(&known),
                        })
                    };
                    let by_session = self.mapping.reads_sessions();
                    let judged = self.memory.verdict(&remembered, &action, &facts, by_session, judge);
                    (Arc::clone(&remembered.understanding), remembered.bearing, facts, judged)
                }
                // What only this session knows is rarely met a second time.
                Some(familiar) => {
                    let facts = session.facts(&action, &familiar);
                    let judged = self.judged(&Seen {
                        action: &action,
                        understanding: &familiar,
                        facts: &facts,
                        more_labels: &[],
                        known: Some(&known),
                    });
                    let bearing = Bearing::of(&action, &familiar);
                    (Arc::new(familiar), bearing, facts, judged)
                }
            };
        let environment = self.mapping.environment(&action, None);
        session.note(&action, &understanding, bearing, environment);
        // The session has read it, nobody after it does, and it can be long.
        action.outcome.output = None;
        let whole = whole.map(|verdict| Before { verdict, frontier: None });
        let base = whole.or(base);
        Finding { action, understanding, verdict, environment, base, near, session_facts, otherwise }
    }

    /// Understands `action` ahead of its turn, as if nothing before it in its session changed anything, and remembers
    /// that. Changes how fast [`Engine::decide`] answers, never what it answers.
    pub(crate) fn foresee(&self, action: &Action, session: &Session) {
        let mut session = session.clone();
        let known = session.known(action);
        self.memory.understanding(action, &known, || self.viewed(action, &known));
    }

    /// What is understood, which facts about the session the rules for it look at, and what it can mean to one.
    fn viewed(&self, action: &Action, known: &Known) -> (Understanding, SessionView, Bearing) {
        let understanding = self.understand(action, known, false);
        let base = match &self.base {
            Some(Base::Policy { policy, .. }) => Some(policy),
            _ => None,
        };
        let policies = std::iter::once(&self.policy).chain(base);
        let views =
            policies.flat_map(|policy| understanding.effects.iter().map(move |effect| policy.session_view(effect)));
        let mutants = self.mutants.iter().flat_map(|all| understanding.effects.iter().map(|e| all.session_view(e)));
        let view = views.chain(mutants).fold(SessionView::default(), SessionView::and);
        let bearing = Bearing::of(action, &understanding);
        (understanding, view, bearing)
    }

    /// What [`Engine::decide`] would say and why: the tree of what was understood and every rule's conditions.
    pub fn explain(&self, mut action: Action, session: &mut Session) -> Explanation {
        self.mapping.identify(&mut action);
        let understood = self.understand(&action, &session.known(&action), true);
        let understanding =
            session.familiar(&action, &understood, Bearing::of(&action, &understood)).unwrap_or(understood);
        let facts = &session.facts(&action, &understanding);
        let mut rules = Vec::new();
        for (effect, found) in understanding.effects.iter().enumerate() {
            let (placed, labels) = self.mapping.placed(&action, found, &[]);
            let found = placed.as_ref().unwrap_or(found);
            let environment = self.mapping.environment(&action, Some(found));
            let request = Request { action: &action, effect: found, environment, labels: &labels, session: facts };
            for rule in self.policy.rules() {
                let conditions = self.policy.conditions(rule, &request);
                rules.push(RuleView { rule: Arc::clone(rule), effect, conditions });
            }
        }
        let causes = SessionFact::ALL.iter().filter_map(|fact| Some((*fact, session.cause(*fact)?))).collect();
        let finding = self.decide(action, session);
        let barriers = self.barriers(&finding);
        Explanation { finding, steps: understanding.steps, rules, barriers, causes }
    }

    /// An example of a rule: what its bracket says about labels and the session stands for what a recording would say.
    pub(crate) fn decide_example(&self, example: &Example) -> Finding {
        let action = example.action.clone();
        let understanding = self.understand(&action, &Known::default(), false);
        self.decide_stated(action, understanding, (&example.session, &example.labels))
    }

    /// An action of which somebody says what it does, and what its session did before and its labels are.
    pub(crate) fn decide_stated(
        &self,
        mut action: Action,
        understanding: Understanding,
        (facts, more_labels): (&SessionFacts, &[String]),
    ) -> Finding {
        let whole = match &self.base {
            Some(Base::Engine { engine, .. }) => {
                let stated = engine.decide_stated(action.clone(), understanding.clone(), (facts, more_labels));
                Some(Before { verdict: stated.verdict, frontier: None })
            }
            _ => None,
        };
        self.mapping.identify(&mut action);
        let seen = Seen { action: &action, understanding: &understanding, facts, more_labels, known: None };
        let Judged { verdict, near, base, otherwise } = self.judged(&seen);
        let environment = self.mapping.environment(&action, None);
        let understanding = Arc::new(understanding);
        let base = whole.or(base);
        Finding { action, understanding, verdict, environment, base, near, session_facts: *facts, otherwise }
    }

    /// A panic of the classifier is a bug, but one record must not end the replay of a million others, nor pass: it is
    /// a gap that could hide anything.
    fn understand(&self, action: &Action, known: &Known, steps: bool) -> Understanding {
        let work = std::panic::AssertUnwindSafe(|| self.classifier.understand(action, known, steps));
        std::panic::catch_unwind(work).unwrap_or_else(|_| Understanding {
            gaps: vec![Gap {
                kind: GapKind::Unparsed,
                hides: Hides::Anything,
                span: None,
                detail: "the classifier failed on it: a bug of nearmiss, please report it".to_owned(),
            }],
            ..Understanding::default()
        })
    }

    /// What the policy says, and what the one before the change or every mutant says of the same.
    fn judged(&self, seen: &Seen<'_>) -> Judged {
        if let Some(mutants) = &self.mutants {
            let (verdict, otherwise) = self.study(mutants, seen);
            return Judged { verdict: Arc::new(verdict), near: None, base: None, otherwise: otherwise.into() };
        }
        let mut established = self.near.map(|_| Vec::with_capacity(seen.understanding.effects.len()));
        let verdict = Arc::new(self.judge(&self.policy, seen, established.as_mut()));
        let otherwise = Arc::default();
        let near = self.near_misses(seen, &verdict, established.as_deref().unwrap_or_default());
        let Some(Base::Policy { policy, edits }) = &self.base else {
            return Judged { verdict, near, base: None, otherwise };
        };
        // Most of a log is nothing that the change is about. Cedar is asked twice all the same: it is there to check us.
        if !self.oracle && !edits.touch(&seen.understanding.effects) {
            let base = Some(Before { verdict: Arc::clone(&verdict), frontier: None });
            return Judged { verdict, near, base, otherwise };
        }
        let before = Arc::new(self.judge(policy, seen, None));
        let passes = verdict.decision < Decision::Ask && before.decision < Decision::Ask;
        let frontier = if passes { self.frontier(policy, edits, seen) } else { None };
        Judged { verdict, near, base: Some(Before { verdict: before, frontier }), otherwise }
    }

    /// Which edited rules came closer to an action that passes, and which moved away.
    fn frontier(&self, base: &Policy, edits: &Edits, seen: &Seen<'_>) -> Option<Arc<Frontier>> {
        let mut frontier = Frontier::default();
        self.each_request(seen, |request| {
            for id in edits.of(request.effect) {
                match (base.is_near(id, request), self.policy.is_near(id, request)) {
                    (false, true) => frontier.nearer.push(id.clone()),
                    (true, false) => frontier.farther.push(id.clone()),
                    _ => {}
                }
            }
        });
        for ids in [&mut frontier.nearer, &mut frontier.farther] {
            ids.sort();
            ids.dedup();
        }
        (frontier != Frontier::default()).then(|| Arc::new(frontier))
    }

    /// `established`: where to keep what was found out about the conditions, effect by effect.
    fn judge(&self, policy: &Policy, seen: &Seen<'_>, mut established: Option<&mut Vec<Established>>) -> Verdict {
        let mut settling = Settling::default();
        self.each_request(seen, |request| {
            let judgement = match &mut established {
                _ if self.oracle => policy.judge_with_oracle(request),
                Some(all) => {
                    let (judgement, established) = policy.judge_and_keep(request);
                    all.push(established);
                    judgement
                }
                None => policy.judge(request),
            };
            self.note(&mut settling, judgement, seen);
        });
        settling.settle(policy, seen)
    }

    /// One request for every effect, in their order.
    fn each_request(&self, seen: &Seen<'_>, mut ask: impl FnMut(&Request<'_>)) {
        let Seen { action, understanding, facts, more_labels, .. } = *seen;
        for effect in &understanding.effects {
            let (placed, labels) = self.mapping.placed(action, effect, more_labels);
            let effect = placed.as_ref().unwrap_or(effect);
            let environment = self.mapping.environment(action, Some(effect));
            ask(&Request { action, effect, environment, labels: &labels, session: facts });
        }
    }

    /// What the rules say about the next effect.
    fn note(&self, settling: &mut Settling, judgement: Judgement, seen: &Seen<'_>) {
        let effect = settling.effects;
        settling.effects += 1;
        if let Some(told) = seen.understanding.effects.get(effect) {
            let open = !judgement.possible.is_empty() && !settle::is_small(told, seen.action);
            settling.possible |= open || told.operation == Operation::Unknown;
        }
        let verdict = &mut settling.verdict;
        for rule in judgement.met {
            let hit = Hit { rule, effect };
            if hit.rule.mode == Mode::Shadow { &mut verdict.shadow } else { &mut verdict.hits }.push(hit);
        }
        if judgement.not_permitted {
            verdict.hits.push(Hit { rule: Arc::clone(&self.not_permitted), effect });
        }
        verdict.errors.extend(judgement.errors);
    }
}

/// A verdict in the making: what the rules say about one effect after the other.
#[derive(Debug, Default)]
struct Settling {
    verdict: Verdict,
    possible: bool,
    effects: usize,
}

impl Settling {
    fn settle(mut self, policy: &Policy, seen: &Seen<'_>) -> Verdict {
        let possible = self.possible && !policy.rules().is_empty();
        settle::settle(&mut self.verdict, seen.action, seen.understanding, possible);
        self.verdict
    }
}

/// The first 16 hex digits of a hash over `bytes`.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// What [`Engine::explain`] shows.
#[derive(Debug)]
pub struct Explanation {
    pub finding: Finding,
    pub steps: Vec<crate::model::Step>,
    /// Every rule for every effect, in the order of effects, then rules.
    pub rules: Vec<RuleView>,
    /// What stood between an allowed action and the rules about it.
    pub barriers: Vec<BTreeSet<String>>,
    /// Facts about the session before the action, each with the action whose record gave it last.
    pub causes: Vec<(SessionFact, ActionId)>,
}

/// One rule against one effect, condition by condition.
#[derive(Debug)]
pub struct RuleView {
    pub rule: Arc<crate::model::RuleInfo>,
    pub effect: usize,
    pub conditions: Vec<Condition>,
}

/// A policy without a `permit` that applies lets nothing pass; reports need a rule to name.
fn not_permitted() -> RuleInfo {
    RuleInfo {
        id: "policy.not-permitted".to_owned(),
        decision: Decision::Block,
        mode: Mode::Enforce,
        severity: Severity::High,
        message: "No `permit` of the policy allows this.".to_owned(),
        advice: "Add a `permit` for it, or `permit (principal, action, resource);` to allow what no rule stops."
            .to_owned(),
        file: "policy".to_owned(),
        line: 0,
    }
}
