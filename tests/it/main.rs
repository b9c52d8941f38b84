//! The one test binary: what needs more than one floor, or the program itself.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test stops where it fails and says why"
)]

mod cases;
mod change_reports;
mod ci_files;
mod floors;
mod gate;
mod goldens;
mod hostile;
mod import;
mod incidents;
mod init;
mod mapping;
mod mutate;
mod near;
mod order;
mod pages;
mod program;
#[cfg(feature = "prove")]
mod prove;
#[cfg(unix)]
mod real_postgres;
#[cfg(target_os = "linux")]
mod review;
mod schema;
mod score;
mod score_redcode;
mod score_rules;
mod score_sqli;
mod sessions;
mod shelves;
mod snapshots;
mod sources;
mod suggest;
mod support;
#[cfg(target_os = "linux")]
mod terminal;
#[cfg(target_os = "linux")]
mod tui;
mod yaml;
