//! Holds actions back until the log has told how they ended, and lets them go in the order they were begun.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use crate::model::Action;
use crate::reader::Out;

/// More actions than this are never held; whoever waits for the end of the longest one gets it as unknown.
const MAX_HELD: usize = 4096;
const MAX_HELD_BYTES: usize = 32 << 20;

/// The place of an action in the queue.
pub(super) type Ticket = u64;

#[derive(Debug, Default)]
pub(super) struct Queue {
    held: VecDeque<Held>,
    first: Ticket,
    bytes: usize,
}

#[derive(Debug)]
struct Held {
    action: Action,
    settled: bool,
}

impl Queue {
    pub(super) fn push(&mut self, action: Action, settled: bool) -> Ticket {
        self.bytes += action.text.len();
        self.held.push_back(Held { action, settled });
        self.first + self.held.len() as Ticket - 1
    }

    /// The action that was begun last, if it is still here.
    pub(super) fn last(&self) -> Option<Ticket> {
        let held = self.held.len() as Ticket;
        (held > 0).then(|| self.first + held - 1)
    }

    /// Changes an action, if it is still here.
    pub(super) fn change(&mut self, ticket: Ticket, change: impl FnOnce(&mut Action)) {
        if let Some(held) = self.find(ticket) {
            let before = held.action.text.len();
            change(&mut held.action);
            let after = held.action.text.len();
            self.bytes = self.bytes + after - before;
        }
    }

    /// Changes an action for the last time, if it is still here.
    pub(super) fn settle(&mut self, ticket: Ticket, change: impl FnOnce(&mut Action)) {
        self.change(ticket, change);
        if let Some(held) = self.find(ticket) {
            held.settled = true;
        }
    }

    /// Nobody knows any more what these were waiting for.
    pub(super) fn settle_all(&mut self) {
        self.held.iter_mut().for_each(|held| held.settled = true);
    }

    fn find(&mut self, ticket: Ticket) -> Option<&mut Held> {
        let at = ticket.checked_sub(self.first)?;
        self.held.get_mut(usize::try_from(at).ok()?)
    }

    /// Lets go what is settled, or too much to hold.
    pub(super) fn release(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        while let Some(front) = self.held.front() {
            if !front.settled && self.held.len() <= MAX_HELD && self.bytes <= MAX_HELD_BYTES {
                break;
            }
            self.pop(out)?;
        }
        ControlFlow::Continue(())
    }

    /// Lets go everything: the log is at its end.
    pub(super) fn drain(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        while !self.held.is_empty() {
            self.pop(out)?;
        }
        ControlFlow::Continue(())
    }

    fn pop(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        let Some(held) = self.held.pop_front() else { return ControlFlow::Continue(()) };
        self.first += 1;
        self.bytes -= held.action.text.len();
        out.action(held.action)
    }
}
