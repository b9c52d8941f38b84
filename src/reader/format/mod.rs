//! The shelf of formats: a new one is one file here and its two lines below.

pub mod actions;
pub mod bash_history;
pub mod claude_code;
pub mod codex;
pub mod fish_history;
pub mod gemini_cli;
pub mod lines;
mod postgres;
pub mod postgres_csv;
pub mod postgres_json;
pub mod postgres_stderr;
pub mod tcsh_history;
pub mod zsh_history;

use super::Reader;

/// Every format nearmiss can read, in the order `nearmiss formats` lists them.
pub const READERS: &[&dyn Reader] = &[
    &claude_code::ClaudeCode,
    &codex::Codex,
    &gemini_cli::GeminiCli,
    &postgres_csv::PostgresCsv,
    &postgres_json::PostgresJson,
    &postgres_stderr::PostgresStderr,
    &bash_history::BashHistory,
    &zsh_history::ZshHistory,
    &fish_history::FishHistory,
    &tcsh_history::TcshHistory,
    &actions::Actions,
    &lines::Lines,
];
