//! What was understood and judged before: real logs repeat themselves.
//!
//! Understanding is remembered by everything it depends on (kind, text, arguments, folder, known variables), a
//! verdict by everything the policy may look at. Keys are compared in full, never by hash alone: logs are written by
//! others, and two commands must not be able to share a verdict because their hashes collide.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::classify::Known;
use crate::model::{
    Action, Actor, Before, Content, Executed, Gap, Kind, Nearness, Otherwise, SessionFacts, Surroundings,
    Understanding, Verdict,
};
use crate::policy::SessionView;

use super::session::Bearing;

const SHARDS: usize = 64;
/// Bytes of remembered texts per generation of a shard. How much is remembered changes speed and nothing else.
const MAX_GENERATION_BYTES: usize = 384 << 10;
/// Verdicts kept per text; further ones are worked out each time.
const MAX_VERDICTS: usize = 32;
/// Longer texts are rarely the same and cost more to keep than to read.
const MAX_TEXT: usize = 16 << 10;

#[derive(Debug)]
pub(crate) struct Memory {
    shards: Vec<Mutex<Shard>>,
}

/// Two generations: when the younger is full the older one is forgotten, and what is asked for in the meantime moves up. A
/// stream of texts that come once does not push out those that come again.
#[derive(Debug, Default)]
struct Shard {
    young: Generation,
    old: Generation,
}

#[derive(Debug, Default)]
struct Generation {
    entries: FxHashMap<u64, Vec<Arc<Remembered>>>,
    bytes: usize,
}

/// One text with what was understood and the verdicts so far.
#[derive(Debug)]
pub(crate) struct Remembered {
    key: Key,
    pub(crate) understanding: Arc<Understanding>,
    /// The facts about the session that a rule looks at for one of its effects.
    view: SessionView,
    /// Which parts of a session it can concern.
    pub(crate) bearing: Bearing,
    verdicts: Mutex<Vec<(VerdictKey, Judged)>>,
}

/// What the policy says, and what the one before a change says, where two are compared.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) verdict: Arc<Verdict>,
    pub(crate) near: Option<Arc<Nearness>>,
    pub(crate) base: Option<Before>,
    /// Mutants of the policy that say something else.
    pub(crate) otherwise: Arc<[Otherwise]>,
}

/// Everything [`crate::classify::Classifier::understand`] depends on.
#[derive(Debug, PartialEq, Eq)]
struct Key {
    kind: Kind,
    text: Arc<str>,
    tool: Option<Arc<str>>,
    arguments: Option<Arc<str>>,
    argv: Option<Arc<[String]>>,
    surroundings: Arc<Surroundings>,
    known: Arc<Known>,
}

/// Everything else that a policy may look at.
#[derive(Debug)]
struct VerdictKey {
    actor: Arc<Actor>,
    /// Only where the session's name can say the environment.
    session: Option<Arc<str>>,
    facts: SessionFacts,
    approved: bool,
    executed: Executed,
    rows: Option<u64>,
    gaps: Vec<Gap>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl Memory {
    /// What was understood before for this very text in these very surroundings, or what `understand` says now.
    pub(crate) fn understanding(
        &self,
        action: &Action,
        known: &Arc<Known>,
        understand: impl FnOnce() -> (Understanding, SessionView, Bearing),
    ) -> Arc<Remembered> {
        let hash = fingerprint(action, known);
        let shard = &self.shards[hash as usize % SHARDS];
        if let Some(found) = lock(shard).find(hash, action, known) {
            return found;
        }
        let (mut understanding, view, bearing) = understand();
        // Room for further effects would be most of what is kept.
        understanding.effects.shrink_to_fit();
        understanding.gaps.shrink_to_fit();
        let remembered = Arc::new(Remembered {
            key: Key::of(action, known),
            understanding: Arc::new(understanding),
            view,
            bearing,
            verdicts: Mutex::default(),
        });
        if action.text.len() <= MAX_TEXT {
            lock(shard).keep(hash, &remembered);
        }
        remembered
    }

    /// The verdict given before under the same facts, or what `judge` says now.
    pub(crate) fn verdict(
        &self,
        remembered: &Remembered,
        action: &Action,
        facts: &SessionFacts,
        by_session: bool,
        judge: impl FnOnce() -> Judged,
    ) -> Judged {
        let session = by_session.then_some(&action.session);
        let fits = |(key, _): &&(VerdictKey, Judged)| key.fits(action, facts, session, remembered.view);
        if let Some((_, judged)) = lock(&remembered.verdicts).iter().find(fits) {
            return judged.clone();
        }
        let judged = judge();
        let mut verdicts = lock(&remembered.verdicts);
        if verdicts.len() < MAX_VERDICTS {
            if verdicts.is_empty() {
                // Most texts get one verdict ever.
                verdicts.reserve_exact(1);
            }
            verdicts.push((VerdictKey::of(action, facts, session), judged.clone()));
        }
        judged
    }
}

impl Shard {
    fn find(&mut self, hash: u64, action: &Action, known: &Arc<Known>) -> Option<Arc<Remembered>> {
        let fits = |entry: &Arc<Remembered>| entry.key.fits(action, known);
        if let Some(found) = self.young.entries.get(&hash).and_then(|all| all.iter().find(|entry| fits(entry))) {
            return Some(Arc::clone(found));
        }
        let all = self.old.entries.get_mut(&hash)?;
        let found = all.swap_remove(all.iter().position(fits)?);
        self.keep(hash, &found);
        Some(found)
    }

    fn keep(&mut self, hash: u64, remembered: &Arc<Remembered>) {
        let bytes = remembered.bytes();
        if self.young.bytes + bytes > MAX_GENERATION_BYTES {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.bytes += bytes;
        self.young.entries.entry(hash).or_default().push(Arc::clone(remembered));
    }
}

impl Remembered {
    /// About what it costs to keep it.
    fn bytes(&self) -> usize {
        // An entry costs about this much beside its text.
        const ENTRY: usize = 512;
        let understood = &self.understanding;
        let given = |(_, content): &(_, Option<Arc<Content>>)| {
            ENTRY + content.as_ref().and_then(|content| content.text.as_ref()).map_or(0, |text| text.len())
        };
        let left = understood.writes.given.iter().map(given).sum::<usize>();
        self.key.text.len() + ENTRY * (1 + understood.effects.len() + understood.gaps.len()) + left
    }
}

impl Key {
    fn of(action: &Action, known: &Arc<Known>) -> Self {
        Self {
            kind: action.kind,
            text: Arc::clone(&action.text),
            tool: action.tool.clone(),
            arguments: action.arguments.clone(),
            argv: action.argv.clone(),
            surroundings: Arc::clone(&action.surroundings),
            known: Arc::clone(known),
        }
    }

    fn fits(&self, action: &Action, known: &Arc<Known>) -> bool {
        self.kind == action.kind
            && self.text == action.text
            && self.tool == action.tool
            && self.arguments == action.arguments
            && self.argv == action.argv
            && (Arc::ptr_eq(&self.surroundings, &action.surroundings) || self.surroundings == action.surroundings)
            && (Arc::ptr_eq(&self.known, known) || self.known == *known)
    }
}

impl VerdictKey {
    fn of(action: &Action, facts: &SessionFacts, session: Option<&Arc<str>>) -> Self {
        Self {
            actor: Arc::clone(&action.actor),
            session: session.cloned(),
            facts: *facts,
            approved: action.approved,
            executed: action.outcome.executed,
            rows: action.outcome.rows,
            gaps: action.gaps.clone(),
        }
    }

    fn fits(&self, action: &Action, facts: &SessionFacts, session: Option<&Arc<str>>, view: SessionView) -> bool {
        (Arc::ptr_eq(&self.actor, &action.actor) || self.actor == action.actor)
            && view.agree(&self.facts, facts)
            && self.approved == action.approved
            && self.executed == action.outcome.executed
            && self.rows == action.outcome.rows
            && self.gaps == action.gaps
            && self.session.as_ref() == session
    }
}

fn fingerprint(action: &Action, known: &Known) -> u64 {
    let mut hasher = FxBuildHasher.build_hasher();
    action.text.hash(&mut hasher);
    action.tool.hash(&mut hasher);
    action.arguments.hash(&mut hasher);
    action.surroundings.cwd.hash(&mut hasher);
    known.hash(&mut hasher);
    // The lowest bits of this hash are its weakest, and they choose the shard.
    hasher.finish().rotate_left(26)
}

/// A panic elsewhere leaves what is remembered whole: entries are only ever added complete.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ActionId, Origin, Outcome};

    fn action(text: &str) -> Action {
        Action {
            id: ActionId::default(),
            time: None,
            actor: Actor::default().into(),
            session: "s".into(),
            kind: Kind::Sql,
            text: text.into(),
            argv: None,
            tool: None,
            arguments: None,
            surroundings: Arc::default(),
            outcome: Outcome::default(),
            approved: false,
            gaps: Vec::new(),
            origin: Origin { file: "f".into(), line: 1, offset: 0, format: "test" },
        }
    }

    /// How often a text is understood that is asked for once in so many others which are all new.
    fn times_understood(others: usize, rounds: usize) -> usize {
        let memory = Memory::default();
        let known = Arc::new(Known::default());
        let mut times = 0;
        for round in 0..rounds {
            for (text, counts) in std::iter::once(("SELECT 1".to_owned(), 1))
                .chain((0..others).map(|other| (format!("SELECT {round} FROM t{other}"), 0)))
            {
                memory.understanding(&action(&text), &known, || {
                    times += counts;
                    (Understanding::default(), SessionView::default(), Bearing::default())
                });
            }
        }
        times
    }

    #[test]
    fn what_comes_again_is_not_pushed_out_by_what_comes_once() {
        assert_eq!(times_understood(10_000, 10), 1);
        // There is an end to it: memory does not grow with the log.
        assert_eq!(times_understood(100_000, 2), 2);
    }
}
