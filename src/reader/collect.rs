//! For tests: everything a reader makes of some bytes, one line each.

use std::fmt::Write;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::{Options, Out, Reader, Source};
use crate::model::{Action, Executed, Issue};

/// What `reader` makes of a file, as a person would want to see it.
pub(crate) fn read_all(reader: &dyn Reader, name: &str, bytes: &[u8]) -> String {
    read_with(reader, name, bytes, Options::default())
}

/// The same with options.
pub(crate) fn read_with(reader: &dyn Reader, name: &str, bytes: &[u8], options: Options) -> String {
    let source = Source { file: name.into(), options: Arc::new(options) };
    let mut shown = Collected(String::new());
    reader.read(&mut &bytes[..], &source, &mut shown).expect("bytes in memory can be read");
    shown.0
}

struct Collected(String);

impl Out for Collected {
    fn action(&mut self, action: Action) -> ControlFlow<()> {
        let line = &mut self.0;
        let outcome = &action.outcome;
        let _ = write!(line, "L{} {} {:?}", action.origin.line, action.kind, action.text);
        let _ = write!(line, " session={} actor={}", action.session, action.actor.name);
        if outcome.executed != Executed::Unknown {
            let _ = write!(line, " exec={}", outcome.executed);
        }
        match outcome.succeeded {
            Some(true) => line.push_str(" ok"),
            Some(false) => line.push_str(" failed"),
            None => {}
        }
        for (name, value) in [("db", &action.surroundings.database), ("host", &action.surroundings.host)] {
            if let Some(value) = value {
                let _ = write!(line, " {name}={value}");
            }
        }
        for gap in &action.gaps {
            let _ = write!(line, " gap={}/{}", gap.kind, gap.hides);
        }
        line.push('\n');
        ControlFlow::Continue(())
    }

    fn nothing(&mut self) {}

    fn issue(&mut self, issue: Issue) -> ControlFlow<()> {
        let _ = writeln!(self.0, "L{} issue: {}", issue.line, issue.problem);
        ControlFlow::Continue(())
    }
}
