//! What a classifier makes of one action.

use super::{Effect, Gap, Span};

/// What a classifier makes of one action. Never fails as a whole: what is not understood is a gap.
#[derive(Clone, Debug, Default)]
pub struct Understanding {
    pub effects: Vec<Effect>,
    pub gaps: Vec<Gap>,
    /// The text with its operands taken out, for grouping only: `DELETE FROM <t>`, `rm -rf <path>`.
    pub template: String,
    /// What the action leaves behind for the next one of its session.
    pub writes: Writes,
    /// How the text was read, outermost first; only filled when asked for.
    pub steps: Vec<Step>,
}

/// What an action leaves behind for the next one of its session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writes {
    /// The working folder changed.
    pub moved: bool,
    /// The working folder afterwards, when it changed and is known.
    pub cwd: Option<String>,
    /// Variables set in the session's shell; `None` when the value is not known.
    pub variables: Vec<(String, Option<String>)>,
}

/// One line of the tree of what was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub depth: usize,
    /// `pipeline`, `sudo`, `heredoc to psql`, `DELETE statement` …
    pub label: String,
    pub span: Option<Span>,
}
