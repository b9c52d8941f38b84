#![doc = include_str!("ARCHITECTURE.md")]

pub mod classify;
pub mod model;
pub mod policy;
pub mod reader;
