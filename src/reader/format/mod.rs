//! The shelf of formats: a new one is one file here and its two lines below.

pub mod claude_code;
pub mod codex;
pub mod gemini_cli;

use super::Reader;

/// Every format nearmiss can read, in the order `nearmiss formats` lists them.
pub const READERS: &[&dyn Reader] = &[&claude_code::ClaudeCode, &codex::Codex, &gemini_cli::GeminiCli];
