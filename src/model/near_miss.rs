//! How little was missing for an allowed action to be stopped.

use std::sync::Arc;

use super::{RuleInfo, words};

words! {
    /// What kept a rule from stopping an action; from luck to design. `blind` stands apart: nobody can say.
    Class {
        /// A circumstance: it happened to be another environment, a clean tree.
        Lucky = "lucky",
        /// A number that was not reached.
        Margin = "margin",
        /// The text: one slip of the keyboard.
        Slip = "slip",
        /// A control worked: a dry run, a question, an approval.
        Guarded = "guarded",
        /// A fact is missing, and with the wrong value of it the action would have been stopped.
        Blind = "blind",
    }
}

words! {
    /// What would have to change for a condition to hold; from cheap to dear.
    Nature {
        /// The words of the action.
        Text = "text",
        /// Where and when it ran.
        Circumstance = "circumstance",
        /// A number.
        Number = "number",
        /// Who acted.
        Identity = "identity",
        /// Something that was there to prevent harm.
        Control = "control",
    }
}

/// A condition of a rule that does not hold, or of which nobody can say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Missing {
    /// As a person would write it: `resource in Environment::"production"`.
    pub condition: String,
    pub nature: Nature,
}

/// The one change with which the rule stops the action.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flip {
    /// An edit of the text, by its id in the slip catalogue.
    Slip { slip: &'static str, text: Arc<str> },
    /// Another value of a fact: `context.environment` = `production`.
    Fact { fact: &'static str, value: String },
}

/// A rule about this kind of act that did not stop an allowed action, and why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss {
    pub rule: Arc<RuleInfo>,
    /// Index into [`Understanding::effects`](super::Understanding::effects).
    pub effect: usize,
    pub class: Class,
    /// Conditions that do not hold; a number that is out by more than ten times counts twice. For `blind` the least
    /// there can be: 0.
    pub distance: u32,
    /// How far it is, in thousandths: cheap conditions weigh less, a number by how much is missing.
    pub cost: u32,
    /// In the order in which the rule has them.
    pub missing: Vec<Missing>,
    /// What the facts of those conditions are, each with its path, where they are short: `context.count` is `4000`.
    pub now: Vec<(&'static str, String)>,
    /// Everything that would do it; more than one value of a circumstance can. Empty where nothing was tried.
    pub flips: Vec<Flip>,
    /// There is a way back from what it does.
    pub reversible: bool,
    /// It hangs on a slip that nobody has tried yet.
    pub open: bool,
    /// Which one of the rule's conditions is missing; `None` where it is not exactly one.
    pub cell: Option<Cell>,
}

/// How near the rules were to an allowed action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nearness {
    /// Near-misses by themselves, and those that hang on a circumstance which the data has to show; most telling first.
    pub told: Vec<NearMiss>,
    /// Every rule that one condition kept from being met, told or not: how often that happens says how much it means.
    pub cells: Vec<Cell>,
}

/// One condition of one rule, by their places in the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    pub rule: u32,
    pub condition: u32,
}
