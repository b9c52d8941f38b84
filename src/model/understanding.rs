//! What a classifier makes of one action.

use std::sync::Arc;

use super::{Effect, Gap, Resource, Span};

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
    /// Commands it gave a name to and files it wrote; `None` for what is gone.
    pub given: Vec<(Given, Option<Arc<Content>>)>,
}

/// Something that later actions of a session can run or send by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Given {
    Alias(Arc<str>),
    Function(Arc<str>),
    /// A command of a program's own configuration: `git tidy`.
    Command(Arc<str>),
    /// A variable of the shell whose value came from somewhere.
    Variable(Arc<str>),
    /// By absolute path, or as written where the working folder is not known.
    File(Arc<str>),
}

/// What is known to stand behind a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Content {
    /// `None` when the text itself is not known.
    pub text: Option<Arc<str>>,
    /// Came from outside.
    pub remote: bool,
    /// Was unpacked from an encoded form.
    pub decoded: bool,
    /// Things whose content is in it.
    pub carries: Vec<Resource>,
    /// It was there before; a result of the session showed it.
    pub shown: bool,
}

impl Content {
    pub fn of_text(text: impl Into<Arc<str>>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }
}

/// One line of the tree of what was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub depth: usize,
    /// `pipeline`, `sudo`, `heredoc to psql`, `DELETE statement` …
    pub label: String,
    pub span: Option<Span>,
}
