//! Actions that a policy change treats alike: same decisions, same template, same rules.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::model::{
    Action, ActionId, Actor, Decision, Environment, Finding, Hit, RuleInfo, Span, Timestamp, Verdict, words,
};
use crate::policy::Policy;

/// Actors and sessions counted one by one; beyond it the number is a lower bound.
const MAX_NAMES: usize = 1000;

words! {
    /// What a policy change does to an action, worst first.
    Transition {
        /// Judged milder than before.
        Loosened = "loosened",
        /// Allowed before, and now nobody can say.
        Undecided = "undecided",
        /// Stopped, or stopped harder, than before.
        Tightened = "tightened",
        /// The same decision for other reasons.
        Reattributed = "re-attributed",
    }
}

impl Transition {
    /// What the two decisions say, where they differ.
    const fn between(base: Decision, head: Decision) -> Option<Self> {
        Some(match (base as u8, head as u8) {
            (base, head) if head < base => Self::Loosened,
            (base, head) if head == base => return None,
            (0, 1) => Self::Undecided,
            _ => Self::Tightened,
        })
    }
}

/// Names a group over pushes and machines: 48 bits of a hash over transition, template and the rules' conditions on
/// both sides. Neither lines nor counts nor names of files go in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeId(pub u64);

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012x}", self.0)
    }
}

/// Actions that a policy change treats alike.
#[derive(Clone, Debug)]
pub struct Group {
    pub id: ChangeId,
    pub transition: Transition,
    pub base: Decision,
    pub head: Decision,
    /// The text with its operands taken out.
    pub template: String,
    /// Rules that stopped them before and no longer do.
    pub gone: Vec<Arc<RuleInfo>>,
    /// Rules that stop them now and did not before.
    pub new: Vec<Arc<RuleInfo>>,
    /// Rules that met them on both sides and decide something else.
    pub changed: Vec<Arc<RuleInfo>>,
    /// Recorded actions.
    pub count: u64,
    /// Labelled actions, which nobody did.
    pub cases: u64,
    pub actors: BTreeSet<Arc<str>>,
    pub sessions: BTreeSet<Arc<str>>,
    pub environments: BTreeSet<Environment>,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    /// The first of them, in input order.
    pub example: Example,
}

/// One recorded action, as far as reports show it.
#[derive(Clone, Debug)]
pub struct Example {
    pub id: ActionId,
    pub text: Arc<str>,
    pub tool: Option<Arc<str>>,
    /// The words that the rules of the group are about.
    pub spans: Vec<Span>,
    pub actor: Arc<Actor>,
    pub session: Arc<str>,
    pub time: Option<Timestamp>,
    pub environment: Environment,
    pub file: Arc<str>,
    pub line: u64,
    /// The whole record, for whoever makes a case of it.
    pub action: Box<Action>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    transition: Transition,
    base: Decision,
    head: Decision,
    template: String,
    /// Ids, sorted.
    gone: Vec<String>,
    new: Vec<String>,
    changed: Vec<String>,
}

impl Key {
    /// `None` when both sides say the same for the same reasons.
    pub(super) fn of(base: &Verdict, head: &Verdict, finding: &Finding) -> Option<Self> {
        let transition = Transition::between(base.decision, head.decision);
        // Most actions of a log: nothing met, or just the same in the same order.
        let same = |(a, b): (&Hit, &Hit)| a.rule.id == b.rule.id && a.rule.decision == b.rule.decision;
        if transition.is_none() && base.hits.len() == head.hits.len() && base.hits.iter().zip(&head.hits).all(same) {
            return None;
        }
        let (before, after) = (rules(base), rules(head));
        if transition.is_none() && before == after {
            return None;
        }
        let ids = |rules: &BTreeSet<(&str, Decision)>| -> Vec<String> {
            let mut ids: Vec<String> = rules.iter().map(|(id, _)| (*id).to_owned()).collect();
            ids.dedup();
            ids
        };
        let (gone, new) = (ids(&before), ids(&after));
        let changed = before.symmetric_difference(&after).copied().collect();
        let changed: Vec<String> =
            ids(&changed).into_iter().filter(|id| gone.contains(id) && new.contains(id)).collect();
        let only = |these: &[String], those: &[String]| -> Vec<String> {
            these.iter().filter(|id| !those.contains(id)).cloned().collect()
        };
        Some(Self {
            transition: transition.unwrap_or(Transition::Reattributed),
            base: base.decision,
            head: head.decision,
            template: template(finding).into_owned(),
            gone: only(&gone, &new),
            new: only(&new, &gone),
            changed,
        })
    }
}

/// Every rule that is met, with what it decides.
fn rules(verdict: &Verdict) -> BTreeSet<(&str, Decision)> {
    verdict.hits.iter().map(|hit| (hit.rule.id.as_str(), hit.rule.decision)).collect()
}

/// What was not understood has no template; its kind has to do.
pub(crate) fn template(finding: &Finding) -> Cow<'_, str> {
    let template = &finding.understanding.template;
    if template.is_empty() { format!("({})", finding.action.kind).into() } else { template.into() }
}

impl Group {
    pub(super) fn new(key: &Key, finding: &Finding, case: bool) -> Self {
        let base = finding.base.as_ref().map_or(&finding.verdict, |base| &base.verdict);
        let info = |ids: &[String], verdict: &Verdict| -> Vec<Arc<RuleInfo>> {
            let find =
                |id: &String| verdict.hits.iter().find(|hit| hit.rule.id == *id).map(|hit| Arc::clone(&hit.rule));
            ids.iter().filter_map(find).collect()
        };
        let mut group = Self {
            id: ChangeId::default(),
            transition: key.transition,
            base: key.base,
            head: key.head,
            template: key.template.clone(),
            gone: info(&key.gone, base),
            new: info(&key.new, &finding.verdict),
            changed: info(&key.changed, &finding.verdict),
            count: 0,
            cases: 0,
            actors: BTreeSet::new(),
            sessions: BTreeSet::new(),
            environments: BTreeSet::new(),
            first: None,
            last: None,
            example: Example::new(key, base, finding),
        };
        group.add(finding, case);
        group
    }

    pub(super) fn add(&mut self, finding: &Finding, case: bool) {
        let action = &finding.action;
        if case {
            self.cases += 1;
            return;
        }
        self.count += 1;
        if self.actors.len() < MAX_NAMES && !self.actors.contains(action.actor.name.as_str()) {
            self.actors.insert(action.actor.name.as_str().into());
        }
        if self.sessions.len() < MAX_NAMES {
            self.sessions.insert(Arc::clone(&action.session));
        }
        self.environments.insert(finding.environment);
        if let Some(time) = action.time {
            self.first = Some(self.first.map_or(time, |first| first.min(time)));
            self.last = Some(self.last.map_or(time, |last| last.max(time)));
        }
    }

    /// Every rule that has to do with it.
    pub fn rules(&self) -> impl Iterator<Item = &Arc<RuleInfo>> {
        self.gone.iter().chain(&self.changed).chain(&self.new)
    }

    pub(super) fn identify(&mut self, base: &Policy, head: &Policy, meanings: Option<&str>) {
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            hash.update(text.as_bytes());
            hash.update([0]);
        };
        part(&format!("{} {} {}", self.transition, self.base, self.head));
        part(&self.template);
        part(meanings.unwrap_or_default());
        for rule in self.gone.iter().chain(&self.changed).chain(&self.new) {
            part(&rule.id);
            for policy in [base, head] {
                part(policy.fingerprint(&rule.id).as_deref().unwrap_or("-"));
            }
        }
        let bytes = hash.finalize();
        self.id = ChangeId(bytes.iter().take(6).fold(0, |id, byte| id << 8 | u64::from(*byte)));
    }

    /// Worst first: by transition, then the farthest from where it should be, then by how often.
    pub(super) fn order(&self) -> (Transition, u8, std::cmp::Reverse<(u8, u64)>, &str, ChangeId) {
        let (base, head) = (self.base as u8, self.head as u8);
        // What is let through is worst when it is allowed, what is stopped when it is blocked.
        let head = if self.transition == Transition::Loosened { head } else { u8::MAX - head };
        (self.transition, head, std::cmp::Reverse((base, self.count)), &self.template, self.id)
    }
}

impl Example {
    fn new(key: &Key, base: &Verdict, finding: &Finding) -> Self {
        let action = &finding.action;
        let about = |verdict: &Verdict, ids: &[String]| -> Vec<Span> {
            let hits = verdict.hits.iter().filter(|hit| ids.contains(&hit.rule.id));
            hits.filter_map(|hit| finding.understanding.effects.get(hit.effect)?.span).collect()
        };
        let mut spans = about(base, &key.gone);
        spans.extend(about(&finding.verdict, &key.new));
        spans.extend(about(&finding.verdict, &key.changed));
        spans.sort_by_key(|span| (span.start, span.end));
        spans.dedup();
        Self {
            id: action.id,
            text: Arc::clone(&action.text),
            tool: action.tool.clone(),
            spans,
            actor: Arc::clone(&action.actor),
            session: Arc::clone(&action.session),
            time: action.time,
            environment: finding.environment,
            file: Arc::clone(&action.origin.file),
            line: action.origin.line,
            action: Box::new(action.clone()),
        }
    }
}
