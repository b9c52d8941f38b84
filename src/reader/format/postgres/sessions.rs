//! Knows every session of a log: who it is, and when a pid stops meaning the session it meant before.

use std::fmt::Write;
use std::ops::ControlFlow;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::Entry;
use super::attempt::{Running, Turn};
use super::message::{self, Said};
use super::queue::Queue;
use crate::model::{Actor, Issue, Surroundings};
use crate::reader::{Out, Source};

/// More sessions than this are not remembered: a log that never says when one ends could otherwise fill the memory.
const MAX_SESSIONS: usize = 16_384;

/// All sessions of one log.
#[derive(Debug)]
pub(crate) struct Sessions {
    format: &'static str,
    file: Arc<str>,
    known: FxHashMap<Box<str>, Session>,
    queue: Queue,
    /// The first duration of nobody knows what, while no statement was met.
    first_duration: Option<(u64, u64)>,
    any_statement: bool,
    /// The key of the session at hand; kept so that its memory is used again.
    key: String,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) name: Arc<str>,
    pub(super) actor: Arc<Actor>,
    pub(super) surroundings: Arc<Surroundings>,
    /// Actions so far, to tell equal ones of the same moment apart.
    pub(super) actions: u64,
    /// The statement the session is busy with.
    pub(super) running: Option<Running>,
    /// What was begun last, for the fetches that may follow.
    pub(super) last: Option<Arc<str>>,
    /// Its plan was shown.
    pub(super) planned: bool,
    /// pgaudit's numbers of what a function ran last.
    pub(super) nested: Option<(Box<str>, Box<str>)>,
    /// The last `%l`; a smaller one means that the pid was given to another session.
    number: u64,
}

impl Sessions {
    pub(crate) fn new(format: &'static str, source: &Source) -> Self {
        Self {
            format,
            file: Arc::clone(&source.file),
            known: FxHashMap::default(),
            queue: Queue::default(),
            first_duration: None,
            any_statement: false,
            key: String::new(),
        }
    }

    /// Takes the next entry of the log.
    pub(crate) fn take(&mut self, entry: &Entry<'_>, out: &mut dyn Out) -> ControlFlow<()> {
        let said = message::read(entry.severity, entry.message);
        if said == Said::Other && entry.statement.is_empty() {
            out.nothing();
            return ControlFlow::Continue(());
        }
        if let Said::Hidden(what) = said {
            return out.issue(Issue {
                file: Arc::clone(&self.file),
                line: entry.line,
                offset: entry.offset,
                problem: format!("{what}: what was run is not known"),
                advice: "set `log_statement` to `all`, or read another log of the same server".into(),
                lost: true,
            });
        }
        if said == Said::Ended {
            self.first_duration.get_or_insert((entry.line, entry.offset));
        }
        self.find(entry, said == Said::Connected);
        if let Some(session) = self.known.get_mut(self.key.as_str()) {
            session.meet(entry.user, entry.database);
            let mut turn = Turn { session, queue: &mut self.queue, format: self.format, file: &self.file, entry };
            if turn.hear(&said) {
                self.any_statement = true;
            } else {
                out.nothing();
            }
        }
        if said == Said::Disconnected {
            self.known.remove(self.key.as_str());
        }
        self.queue.release(out)
    }

    /// Hands over what was still waiting to hear how it ended.
    pub(crate) fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        self.queue.drain(out)?;
        match self.first_duration.filter(|_| !self.any_statement) {
            // Such a log looks like one of a server on which nothing was run.
            Some((line, offset)) => out.issue(Issue {
                file: Arc::clone(&self.file),
                line,
                offset,
                problem: "this log tells how long statements took and not what they were".into(),
                advice: "set `log_statement` to `all`, or `log_min_duration_statement` in place of `log_duration`"
                    .into(),
                lost: true,
            }),
            None => ControlFlow::Continue(()),
        }
    }

    /// Puts the session of `entry` under `self.key` in `self.known`.
    fn find(&mut self, entry: &Entry<'_>, connected: bool) {
        self.key.clear();
        if !entry.session.is_empty() {
            self.key.push_str(entry.session);
        } else if !entry.pid.is_empty() {
            self.key.push_str(entry.pid);
            if let Some(started) = entry.started {
                write!(self.key, "@{}", started.0).expect("a string takes everything");
            }
        } else {
            write!(self.key, "{}@{}", entry.user, entry.database).expect("a string takes everything");
        }
        let number = entry.number.unwrap_or(0);
        let by_pid = entry.session.is_empty() && entry.started.is_none() && !entry.pid.is_empty();
        let mut begins = connected;
        if let Some(session) = self.known.get_mut(self.key.as_str()) {
            let reused = by_pid && (connected || number < session.number);
            if !reused {
                session.number = number;
                return;
            }
            begins = true;
            self.drop_session();
        }
        if self.known.len() >= MAX_SESSIONS {
            // The ones that wait for nothing go first; which of the others are busy cannot be known.
            self.known.retain(|_, session| session.running.is_some());
            if self.known.len() > MAX_SESSIONS / 2 {
                self.known.clear();
                self.queue.settle_all();
            }
        }
        let session = Session::new(name(entry, begins && by_pid), number, entry);
        self.known.insert(self.key.as_str().into(), session);
    }

    fn drop_session(&mut self) {
        if let Some(running) = self.known.remove(self.key.as_str()).and_then(|session| session.running) {
            self.queue.settle(running.ticket, |_| {});
        }
    }
}

impl Session {
    fn new(name: Arc<str>, number: u64, entry: &Entry<'_>) -> Self {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let surroundings = Surroundings {
            host: some(entry.server),
            account: some(entry.account),
            dialect: Some("postgres".into()),
            ..Surroundings::default()
        };
        Self {
            name,
            actor: Arc::default(),
            surroundings: Arc::new(surroundings),
            actions: 0,
            running: None,
            last: None,
            planned: false,
            nested: None,
            number,
        }
    }

    /// Learns who the session is from a prefix, a field, or the message about its login.
    pub(super) fn meet(&mut self, user: &str, database: &str) {
        let new = |known: &Option<String>, said: &str| {
            // `[unknown]`, in the server's language, is what Postgres writes before a login is through.
            !said.is_empty() && !said.starts_with('[') && known.as_deref() != Some(said)
        };
        if new(&self.surroundings.user, user) {
            // The client's address and application say nothing certain about what sort of actor this is.
            self.actor = Arc::new(Actor { name: user.into(), ..Actor::default() });
            Arc::make_mut(&mut self.surroundings).user = Some(user.into());
        }
        if new(&self.surroundings.database, database) {
            Arc::make_mut(&mut self.surroundings).database = Some(database.into());
        }
    }
}

/// What to call a session: `%c` where possible, so that all logs of a server agree.
fn name(entry: &Entry<'_>, begins_here: bool) -> Arc<str> {
    if !entry.session.is_empty() {
        return entry.session.into();
    }
    if entry.pid.is_empty() {
        return match (entry.user, entry.database) {
            ("", "") => "log".into(),
            (user, database) => format!("{user}@{database}").into(),
        };
    }
    if let (Some(started), Ok(pid)) = (entry.started, entry.pid.parse::<u32>()) {
        return format!("{:x}.{pid:x}", started.0.div_euclid(1_000_000)).into();
    }
    match entry.time {
        Some(time) if begins_here => format!("{}@{time}", entry.pid).into(),
        _ => entry.pid.into(),
    }
}
