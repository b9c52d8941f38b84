//! Explains the action that is looked at, and what would have been said of it if something had been otherwise: with the
//! same engine, in a thread of its own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::engine::{Engine, Explanation, Session, before, reword};
use crate::model::{Action, ActionId, Actor, ActorKind, Decision, Environment, Finding, Flip};

use super::{Event, Opening};

/// Slips of the rules it is near to that are offered.
const MAX_SLIPS: usize = 6;

/// What could have been otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Environment(Environment),
    Actor(ActorKind),
    /// Whether somebody said yes to it.
    Approved(bool),
    Text(Arc<str>),
}

impl Change {
    /// `None` where a call has no such text.
    fn apply(&self, action: &Action) -> Option<Action> {
        let mut other = action.clone();
        match self {
            Self::Environment(environment) => {
                Arc::make_mut(&mut other.surroundings).environment = Some(*environment);
            }
            Self::Actor(kind) => other.actor = Arc::new(Actor { kind: *kind, ..(*action.actor).clone() }),
            Self::Approved(approved) => other.approved = *approved,
            Self::Text(text) => return reword(action, text),
        }
        Some(other)
    }
}

/// An action with several things otherwise; `None` where a call has no text that could be.
pub(super) fn changed(action: &Action, changes: &[Change]) -> Option<Action> {
    changes.iter().try_fold(action.clone(), |action, change| change.apply(&action))
}

/// One change, and what would have been said.
#[derive(Clone, Debug)]
pub(super) struct WhatIf {
    pub(super) change: Change,
    pub(super) decision: Decision,
    /// The rule that would have stopped it first.
    pub(super) rule: Option<String>,
}

/// Something to find out. What is asked later makes what was asked before superfluous.
#[derive(Debug)]
enum Job {
    /// Why is it judged so, and what would each single change do?
    Open(Arc<Finding>),
    /// What would these changes do together?
    Ask(Vec<Change>),
    /// Which rule would stop it?
    Draft(ActionId),
}

/// What was found out.
#[derive(Debug)]
pub(super) enum Answer {
    Opened {
        explanation: Box<Explanation>,
        /// The action with all that its record has.
        action: Box<Action>,
        what_ifs: Vec<WhatIf>,
        /// Why its session could not be read again: then only what the finding itself remembers of it counts.
        without_session: Option<String>,
    },
    Asked {
        changes: Vec<Change>,
        /// `None` where a call has no text that could be another.
        explanation: Option<Box<Explanation>>,
    },
    Drafted(Result<String, String>),
}

/// The thread that answers.
#[derive(Debug)]
pub(super) struct Judge {
    jobs: Sender<(u64, Job)>,
    /// The number of the last job.
    last: Arc<AtomicU64>,
}

impl Judge {
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start(opening: &Arc<Opening>, news: &Sender<Event>) -> io::Result<Self> {
        let (jobs, todo) = channel();
        let last = Arc::new(AtomicU64::new(0));
        let (opening, news, newest) = (Arc::clone(opening), news.clone(), Arc::clone(&last));
        let work = move || Judging::new(&opening).run(&todo, &news, &newest);
        std::thread::Builder::new().name("judge".to_owned()).stack_size(64 << 20).spawn(work)?;
        Ok(Self { jobs, last })
    }

    /// The number under which the answer will come.
    pub(super) fn open(&self, finding: Arc<Finding>) -> u64 {
        self.send(Job::Open(finding))
    }

    pub(super) fn ask(&self, changes: Vec<Change>) -> u64 {
        self.send(Job::Ask(changes))
    }

    pub(super) fn draft(&self, id: ActionId) -> u64 {
        self.send(Job::Draft(id))
    }

    fn send(&self, job: Job) -> u64 {
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        // The thread ends with the program only.
        let _ = self.jobs.send((number, job));
        number
    }
}

/// What the thread knows.
#[derive(Debug)]
pub(super) struct Judging {
    engine: Engine,
    opening: Arc<Opening>,
    open: Option<(Action, Session)>,
}

impl Judging {
    pub(super) fn new(opening: &Arc<Opening>) -> Self {
        Self { engine: opening.explaining(), opening: Arc::clone(opening), open: None }
    }

    fn run(mut self, todo: &Receiver<(u64, Job)>, news: &Sender<Event>, newest: &AtomicU64) {
        while let Ok((number, job)) = todo.recv() {
            // Nobody looks at it any more.
            let cancelled = || newest.load(Ordering::Relaxed) != number;
            let answer = match job {
                Job::Open(finding) => self.open(&finding, &cancelled),
                Job::Ask(changes) => self.ask(changes),
                Job::Draft(id) => Some(Answer::Drafted((self.opening.draft)(id))),
            };
            if let Some(answer) = answer
                && news.send(Event::Answer(number, answer)).is_err()
            {
                return;
            }
        }
    }

    /// `None` when `cancelled` says that nobody waits for it any more.
    pub(super) fn open(&mut self, finding: &Finding, cancelled: &dyn Fn() -> bool) -> Option<Answer> {
        self.open = None;
        if cancelled() {
            return None;
        }
        let id = finding.action.id;
        let found = (self.opening.replay)(Some(&finding.action.origin.file))
            .and_then(|(replay, _)| before(replay, &self.engine, id, cancelled).map_err(|error| error.to_string()));
        let (action, session, without_session) = match found {
            Ok(Some((action, session))) => (action, session, None),
            _ if cancelled() => return None,
            Ok(None) => (finding.action.clone(), Session::default(), Some("it is no longer where it was".to_owned())),
            Err(problem) => (finding.action.clone(), Session::default(), Some(problem)),
        };
        let explanation = Box::new(self.engine.explain(action.clone(), &mut session.clone()));
        let changes = changes(&action, &explanation.finding);
        let what_ifs = changes.into_iter().filter_map(|change| self.what_if(change, &action, &session)).collect();
        self.open = Some((action.clone(), session));
        Some(Answer::Opened { explanation, action: Box::new(action), what_ifs, without_session })
    }

    fn what_if(&self, change: Change, action: &Action, session: &Session) -> Option<WhatIf> {
        let other = change.apply(action)?;
        let verdict = self.engine.decide(other, &mut session.clone()).verdict;
        let rule = verdict.hits.first().map(|hit| hit.rule.id.clone());
        Some(WhatIf { change, decision: verdict.decision, rule })
    }

    pub(super) fn ask(&self, changes: Vec<Change>) -> Option<Answer> {
        let (action, session) = self.open.as_ref()?;
        let other = changed(action, &changes);
        let explanation = other.map(|other| Box::new(self.engine.explain(other, &mut session.clone())));
        Some(Answer::Asked { changes, explanation })
    }
}

/// Everything about the action that could easily have been otherwise.
fn changes(action: &Action, finding: &Finding) -> Vec<Change> {
    let environments = Environment::ALL.iter().filter(|other| **other != finding.environment);
    let kinds = ActorKind::ALL.iter().filter(|kind| **kind != action.actor.kind && **kind != ActorKind::Unknown);
    let mut texts: Vec<Change> = Vec::new();
    for near in finding.near.iter().flat_map(|near| &near.told) {
        for flip in &near.flips {
            if let Flip::Slip { text, .. } = flip {
                let change = Change::Text(Arc::clone(text));
                if !texts.contains(&change) && texts.len() < MAX_SLIPS {
                    texts.push(change);
                }
            }
        }
    }
    let facts = environments.map(|is| Change::Environment(*is)).chain(kinds.map(|kind| Change::Actor(*kind)));
    texts.into_iter().chain(facts).chain([Change::Approved(!action.approved)]).collect()
}
