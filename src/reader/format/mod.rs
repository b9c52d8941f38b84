//! The shelf of formats: a new one is one file here and its two lines below.

pub mod actions;
pub mod bash_history;
pub mod fish_history;
pub mod lines;
pub mod tcsh_history;
pub mod zsh_history;

use super::Reader;

/// Every format nearmiss can read, in the order `nearmiss formats` lists them.
pub const READERS: &[&dyn Reader] = &[
    &actions::Actions,
    &lines::Lines,
    &bash_history::BashHistory,
    &zsh_history::ZshHistory,
    &fish_history::FishHistory,
    &tcsh_history::TcshHistory,
];
