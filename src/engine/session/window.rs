//! Counts of what happened lately.

use std::collections::VecDeque;

use crate::model::Timestamp;

/// What happened within this many microseconds counts as recent.
const RECENT: i64 = 10 * 60 * 1_000_000;
/// Where records have no times, so many of the last events count as recent.
const UNTIMED: usize = 50;
/// Events kept at most; beyond it the count stays where it is.
const MOST: usize = 4096;

/// Events of the last ten minutes.
#[derive(Clone, Debug)]
pub(super) struct Window<T> {
    events: VecDeque<(Option<Timestamp>, T)>,
}

impl<T> Default for Window<T> {
    fn default() -> Self {
        Self { events: VecDeque::new() }
    }
}

impl<T> Window<T> {
    pub(super) fn push(&mut self, time: Option<Timestamp>, event: T) {
        let most = if time.is_some() { MOST } else { UNTIMED };
        while self.events.len() >= most {
            self.events.pop_front();
        }
        self.events.push_back((time, event));
    }

    /// Forgets what is no longer recent at `now`.
    pub(super) fn forget(&mut self, now: Option<Timestamp>) {
        let Some(now) = now else { return };
        let old = |(then, _): &(Option<Timestamp>, T)| then.is_some_and(|then| now.0 - then.0 > RECENT);
        while self.events.front().is_some_and(old) {
            self.events.pop_front();
        }
    }

    pub(super) fn events(&self) -> impl Iterator<Item = &T> {
        self.events.iter().map(|(_, event)| event)
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }
}
