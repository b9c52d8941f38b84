//! The shelf of formats: a new one is one file here and its two lines below.

pub mod actions;
pub mod lines;

use super::Reader;

/// Every format nearmiss can read, in the order `nearmiss formats` lists them.
pub const READERS: &[&dyn Reader] = &[&actions::Actions, &lines::Lines];
