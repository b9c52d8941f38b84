#![doc = include_str!("ARCHITECTURE.md")]

pub mod classify;
pub mod cli;
pub mod engine;
pub mod model;
pub mod policy;
pub mod reader;
pub mod report;
#[cfg(unix)]
pub mod tui;
