//! Makes one action of everything a log says about one attempt to run a statement.
//!
//! A statement may be logged before it runs, after it ran, when it fails, and in the STATEMENT field of whatever
//! happens meanwhile. The first of these makes the action, the later ones tell how it ended.

use std::sync::Arc;

use super::Entry;
use super::audit::Audited;
use super::message::{How, Said};
use super::queue::{Queue, Ticket};
use super::sessions::Session;
use super::text;
use crate::model::{Action, ActionId, Executed, Gap, GapKind, Hides, Kind, Origin, Outcome};
use crate::reader::record::action_id;

/// The statement that a session is busy with, as far as the log has told.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) ticket: Ticket,
    /// As logged, to be known again.
    logged: Arc<str>,
    /// The `PREPARE …` that is executed, by which auto_explain and pgaudit call the same thing.
    prepared: Option<Arc<str>>,
    /// Not announced as a statement; the announcement may still come.
    mentioned: bool,
    /// auto_explain has shown its plan, which it does once for every execution.
    planned: bool,
    /// pgaudit's number of the statement.
    audited: Option<Box<str>>,
    /// What pgaudit said is behind the objects that it names.
    behind: Vec<Box<str>>,
}

/// So many objects behind one statement are told; a table may have thousands of partitions.
const MAX_BEHIND: usize = 64;

impl Running {
    /// Whether a text from the log means this statement.
    fn is(&self, text: &str) -> bool {
        *self.logged == *text || self.prepared.as_deref() == Some(text)
    }
}

/// One entry, and the session it is about.
#[derive(Debug)]
pub(super) struct Turn<'t> {
    pub(super) session: &'t mut Session,
    pub(super) queue: &'t mut Queue,
    pub(super) format: &'static str,
    pub(super) file: &'t Arc<str>,
    pub(super) entry: &'t Entry<'t>,
}

/// How an action ended, when it begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Open,
    Known(Option<bool>),
}

impl Turn<'_> {
    /// Whether a new action began.
    pub(super) fn hear(&mut self, said: &Said<'_>) -> bool {
        match said {
            Said::Runs { text, how, timed } => self.run(text.trim(), *how, *timed),
            Said::Planned(text) => self.plan(text.trim()),
            Said::Audit(audited) => self.audit(audited),
            Said::Ended => self.end(Some(true)),
            Said::Failed => self.fail(),
            Said::Connected | Said::Disconnected => self.end(None),
            Said::Authorized { user, database } => {
                // Without any mark of the session in the log, whose login this is cannot be known.
                if !self.entry.pid.is_empty() || !self.entry.session.is_empty() {
                    self.session.meet(user, database);
                }
                false
            }
            Said::Other | Said::Hidden(_) => self.mention(self.entry.statement),
        }
    }

    /// The statement is announced, or reported with its duration.
    fn run(&mut self, text: &str, how: How, timed: bool) -> bool {
        let ending = if timed { Ending::Known(Some(true)) } else { Ending::Open };
        let prepared = text::prepared(self.entry.detail);
        let same = |running: &&mut Running| *running.logged == *text || Some(&*running.logged) == prepared;
        if let Some(running) = self.session.running.as_mut().filter(same) {
            // With an announcement before it this is the same attempt only when it tells the duration; two
            // announcements are two attempts.
            if timed || running.mentioned {
                let (ticket, mentioned) = (running.ticket, std::mem::replace(&mut running.mentioned, false));
                // The parameters come with one of the two.
                if mentioned || !self.entry.detail.is_empty() {
                    let made = text::statement(text, how, self.entry);
                    self.queue.change(ticket, |action| (action.text, action.gaps) = (made.text.into(), made.gaps));
                }
                return timed && self.end(Some(true));
            }
        }
        if how == How::Fetch && self.session.last.as_deref() == Some(text) {
            return false;
        }
        self.end(None);
        self.begin(text, how, ending)
    }

    /// Something else is said, and that it happened while this statement was running.
    fn mention(&mut self, text: &str) -> bool {
        let text = text.trim();
        if text.is_empty() || self.is_running(text) {
            return false;
        }
        self.end(None);
        self.begin(text, How::Mentioned, Ending::Open)
    }

    /// auto_explain shows a plan when the execution is over, be it before or after its duration is logged.
    fn plan(&mut self, text: &str) -> bool {
        match &mut self.session.running {
            Some(running) if running.is(text) && !(running.mentioned && running.planned) => {
                running.planned = true;
                return false;
            }
            // A function or a DO block has run this; it goes on itself.
            Some(running) if !running.mentioned => return self.begin(text, How::Mentioned, Ending::Known(Some(true))),
            Some(_) => {}
            None if self.session.last.as_deref() == Some(text) && !self.session.planned => {
                self.session.planned = true;
                return false;
            }
            None => {}
        }
        self.end(None);
        let began = self.begin(text, How::Mentioned, Ending::Open);
        if let Some(running) = self.session.running.as_mut().filter(|_| began) {
            running.planned = true;
            self.queue.change(running.ticket, |action| action.outcome.succeeded = Some(true));
        }
        began
    }

    fn audit(&mut self, audited: &Audited<'_>) -> bool {
        let text = audited.text.trim();
        let number = (Box::from(&*audited.statement), Box::from(&*audited.part));
        if audited.nested() {
            // What a function runs is an action of its own, and the statement that called it goes on. Every table of
            // it, and every role that watches it, has a line.
            if self.is_running(text) || self.session.nested.as_ref().is_some_and(|nested| *nested == number) {
                return false;
            }
            self.session.nested = Some(number);
            let began = self.begin(text, How::Simple, Ending::Known(None));
            self.tell(audited, began);
            return began;
        }
        if let Some(running) = self.session.running.as_mut() {
            let id = running.audited.get_or_insert_with(|| audited.statement.as_ref().into());
            // Of several statements in one text every one has a line, with the whole text.
            let several = text.trim_end_matches(';').contains(';');
            let same = **id == *audited.statement;
            // A line that does not show its statement is about the one that was announced.
            if running.is(text) && (same || several) || audited.made_up && same {
                self.tell(audited, true);
                return self.reach(audited);
            }
        }
        self.end(None);
        let how = if audited.parameters_known { How::Simple } else { How::Mentioned };
        let began = self.begin(text, how, Ending::Open);
        self.tell(audited, began);
        if let Some(running) = self.session.running.as_mut().filter(|_| began) {
            (running.audited, running.mentioned) = (Some(audited.statement.as_ref().into()), true);
        }
        self.reach(audited) || began
    }

    /// What the statement at hand reaches without naming it is an action of its own.
    fn reach(&mut self, audited: &Audited<'_>) -> bool {
        let Some(behind) = &audited.behind else { return false };
        let Some(running) = &mut self.session.running else { return false };
        if running.behind.len() >= MAX_BEHIND || running.behind.iter().any(|told| **told == **behind) {
            return false;
        }
        running.behind.push(behind.as_str().into());
        let began = self.begin(behind, How::Simple, Ending::Known(None));
        if let Some(ticket) = self.queue.last().filter(|_| began) {
            let detail = "the statement names another object, this one is behind it".to_owned();
            let gap = Gap { kind: GapKind::BodyMissing, hides: Hides::Target, span: None, detail };
            self.queue.change(ticket, |action| action.gaps.push(gap));
        }
        began
    }

    /// What an audit line knows besides the statement.
    fn tell(&mut self, audited: &Audited<'_>, about: bool) {
        let Some(ticket) = self.queue.last().filter(|_| about) else { return };
        let running = self.session.running.as_ref().map(|running| running.ticket);
        let ticket = if audited.nested() { ticket } else { running.unwrap_or(ticket) };
        self.queue.change(ticket, |action| {
            action.outcome.rows = audited.rows.or(action.outcome.rows);
            if audited.made_up && *action.text == *audited.text.trim() && action.gaps.is_empty() {
                let detail = "the statement is not logged, its object is".to_owned();
                action.gaps.push(Gap { kind: GapKind::BodyMissing, hides: Hides::Target, span: None, detail });
            }
        });
    }

    fn fail(&mut self) -> bool {
        let text = self.entry.statement.trim();
        if text.is_empty() || self.is_running(text) {
            return self.end(Some(false));
        }
        // The statement announced before is another one: it went well, or its own error would have come.
        self.end(None);
        self.begin(text, How::Mentioned, Ending::Known(Some(false)))
    }

    fn is_running(&self, text: &str) -> bool {
        self.session.running.as_ref().is_some_and(|running| running.is(text))
    }

    /// The statement at hand is over. No new action begins by that.
    fn end(&mut self, succeeded: Option<bool>) -> bool {
        if let Some(running) = self.session.running.take() {
            self.session.planned = running.planned;
            self.queue.settle(running.ticket, |action| {
                action.outcome.succeeded = succeeded.or(action.outcome.succeeded);
            });
        }
        false
    }

    fn begin(&mut self, text: &str, how: How, ending: Ending) -> bool {
        if text::is_empty(text) {
            return false;
        }
        let made = text::statement(text, how, self.entry);
        let logged: Arc<str> = made.text.as_ref().into();
        let logged_as: Arc<str> = if *logged == *text { Arc::clone(&logged) } else { text.into() };
        let succeeded = if let Ending::Known(succeeded) = ending { succeeded } else { None };
        let action = Action {
            id: self.id(text),
            time: self.entry.time,
            actor: Arc::clone(&self.session.actor),
            session: Arc::clone(&self.session.name),
            kind: Kind::Sql,
            text: logged,
            argv: None,
            tool: None,
            arguments: None,
            surroundings: Arc::clone(&self.session.surroundings),
            // An announced statement is being run: the server logs it as the last thing before.
            outcome: Outcome { executed: Executed::Yes, succeeded, ..Outcome::default() },
            approved: false,
            gaps: made.gaps,
            origin: Origin {
                file: Arc::clone(self.file),
                line: self.entry.line,
                offset: self.entry.offset,
                format: self.format,
            },
        };
        self.session.actions += 1;
        self.session.last = Some(Arc::clone(&logged_as));
        self.session.planned = false;
        let ticket = self.queue.push(action, ending != Ending::Open);
        if ending == Ending::Open {
            let prepared = text::prepared(self.entry.detail).map(Into::into);
            let mentioned = how == How::Mentioned;
            self.session.running = Some(Running {
                ticket,
                logged: logged_as,
                prepared,
                mentioned,
                planned: false,
                audited: None,
                behind: Vec::new(),
            });
        }
        true
    }

    /// Session and message number name a log entry for ever, in whatever format it is read; without them the
    /// moment and the order within the session must do.
    fn id(&self, text: &str) -> ActionId {
        let entry = self.entry;
        let time = entry.time.map_or(0, |time| time.0).to_be_bytes();
        match entry.number {
            Some(number) if !entry.session.is_empty() => {
                action_id(&[b"postgres", entry.session.as_bytes(), &number.to_be_bytes(), &time, text.as_bytes()])
            }
            _ => action_id(&[
                b"postgres",
                self.session.name.as_bytes(),
                &self.session.actions.to_be_bytes(),
                &time,
                text.as_bytes(),
            ]),
        }
    }
}
