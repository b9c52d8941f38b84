//! What the policy says about an action.

use std::sync::Arc;

use super::{Action, Nearness, SessionFacts, Understanding, words};

words! {
    /// The strictest over all effects wins: they are declared from mild to strict.
    #[derive(Default)]
    Decision {
        #[default]
        Allow = "allow",
        /// No rule stopped it, but a gap could hide an effect that one would have stopped.
        Undecided = "undecided",
        Ask = "ask",
        Block = "block",
    }
}

words! {
    /// How bad it would be; from mild to bad.
    Severity { Info = "info", Low = "low", Medium = "medium", High = "high", Critical = "critical" }
}

words! {
    /// Whether a rule is applied, or only evaluated and recorded.
    Mode { Enforce = "enforce", Shadow = "shadow" }
}

/// What reports need to know about a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    pub id: String,
    /// `Ask` or `Block`.
    pub decision: Decision,
    pub mode: Mode,
    pub severity: Severity,
    pub message: String,
    pub advice: String,
    /// The file the rule stands in, and its 1-based line.
    pub file: String,
    pub line: usize,
}

/// One rule that is met by one effect.
#[derive(Clone, Debug)]
pub struct Hit {
    pub rule: Arc<RuleInfo>,
    /// Index into [`Understanding::effects`].
    pub effect: usize,
}

/// Decision, determining rules and what the decision could not take into account.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    pub decision: Decision,
    /// Enforced rules that are met, strictest and worst first.
    pub hits: Vec<Hit>,
    /// Rules in shadow mode that are met.
    pub shadow: Vec<Hit>,
    /// Indices of the gaps (the understanding's, then the action's) that keep an unstopped action from being allowed.
    pub gaps: Vec<usize>,
    /// Conditions that could not be evaluated; any makes the decision at least `ask`.
    pub errors: Vec<String>,
}

impl Verdict {
    /// The worst severity among the rules that determine the decision.
    pub fn severity(&self) -> Option<Severity> {
        self.hits.iter().map(|hit| hit.rule.severity).max()
    }
}

/// One action with what was understood and what the policy says.
#[derive(Clone, Debug)]
pub struct Finding {
    pub action: Action,
    pub understanding: Arc<Understanding>,
    pub verdict: Arc<Verdict>,
    /// The environment the action was judged in.
    pub environment: super::Environment,
    /// What the policy before a change says of it, where two policies are compared.
    pub base: Option<Before>,
    /// How near the rules were to an allowed action; `None` where nobody asked, and where none was.
    pub near: Option<Arc<Nearness>>,
    /// What its session did before.
    pub session_facts: SessionFacts,
    /// Who would judge it otherwise, where mutants of the policy are studied; none otherwise.
    pub otherwise: Arc<[Otherwise]>,
}

/// A mutant of the policy that judges an action otherwise than the policy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Otherwise {
    /// Its number.
    pub mutant: usize,
    pub decision: Decision,
    /// Its rule is met by the action then; for a permit: nothing is missing that permits it.
    pub met: bool,
}

/// What the policy before a change says of an action.
#[derive(Clone, Debug)]
pub struct Before {
    pub verdict: Arc<Verdict>,
    /// Of an action that passes on both sides: rules that the change moved closer to it, or away from it.
    pub frontier: Option<Arc<Frontier>>,
}

/// Rules that are one condition away from an action on one side of a change only, by id, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    pub nearer: Vec<String>,
    pub farther: Vec<String>,
}
