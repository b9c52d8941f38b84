//! Floor 1: turns the text of an action into effects and gaps.
//!
//! [`Classifier::understand`] never fails as a whole. Everything it finds goes through one [`Scene`], which knows
//! where in the text the current piece of code stands, who runs it and how deep it is nested; shell, SQL and the
//! other languages call each other only through [`Scene::run`].

mod api;
pub mod code;
pub mod command;
mod given;
pub mod http;
mod naming;
pub mod paths;
pub mod scene;
pub mod secrets;
#[cfg(test)]
mod seen;
pub mod shell;
pub mod sql;
pub mod tool;
pub mod word;

pub use command::Catalog;
pub use given::{PLAN as LAST_PLAN, PREVIEW as LAST_PREVIEW, is_recipe, is_shell_script, runners_of};
pub use scene::{Language, Scene};
pub use word::{Unknown, Word};

use std::collections::BTreeMap;

use std::sync::Arc;

use crate::model::{Action, Content, Given, Kind, Understanding};

/// What is known from earlier actions of the same session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Known {
    pub cwd: Option<String>,
    pub home: Option<String>,
    /// Shell variables; `None` when set to something unknown.
    pub variables: BTreeMap<String, Option<String>>,
    /// What earlier actions wrote or gave a name to. Callers leave out what the action does not name.
    pub given: BTreeMap<Given, Arc<Content>>,
}

/// The one runtime classifier.
#[derive(Debug)]
pub struct Classifier {
    catalog: Catalog,
}

impl Classifier {
    pub fn new(catalog: Catalog) -> Self {
        Self { catalog }
    }

    /// Everything `action` would do, and everything about it that is not understood.
    ///
    /// Depends on the action's kind, text, argv, tool, arguments and surroundings and on `known`, and on nothing
    /// else: equal input gives an equal answer, so callers may remember it. `steps` asks for the tree of what was
    /// understood.
    pub fn understand(&self, action: &Action, known: &Known, steps: bool) -> Understanding {
        let mut scene = Scene::new(&self.catalog, action, known, steps);
        match action.kind {
            Kind::Shell => scene.run(Language::Shell, &action.text, 0),
            Kind::Sql => scene.run(Language::Sql, &action.text, 0),
            Kind::Exec => command::run_argv(&mut scene, action),
            Kind::Tool | Kind::Api => tool::run(&mut scene, action),
        }
        scene.finish()
    }
}

#[cfg(test)]
mod tests;
