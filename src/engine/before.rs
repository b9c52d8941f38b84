//! An action as it was before it was decided, and where its session stood.

use std::io;
use std::ops::ControlFlow;

use super::replay::{Listener, Mark, Replay};
use super::{Engine, Session};
use crate::model::{Action, ActionId, Finding, Issue};

/// Reads up to one action: memory stays flat, whatever is read. `None` when it is not there, and when `cancelled` says
/// that nobody waits for it any more.
///
/// # Errors
/// When the threads cannot be started.
pub fn before(
    replay: Replay,
    engine: &Engine,
    id: ActionId,
    cancelled: &dyn Fn() -> bool,
) -> io::Result<Option<(Action, Session)>> {
    let mark = Mark::new(id);
    replay.run_past(engine, &mut UpTo { mark: &mark, cancelled }, Some(&mark))?;
    Ok(mark.found())
}

struct UpTo<'a> {
    mark: &'a Mark,
    cancelled: &'a dyn Fn() -> bool,
}

impl Listener for UpTo<'_> {
    fn finding(&mut self, _finding: &Finding) {}

    fn issue(&mut self, _issue: &Issue) {}

    fn progress(&mut self, _bytes: u64) -> ControlFlow<()> {
        if self.mark.is_found() || (self.cancelled)() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
