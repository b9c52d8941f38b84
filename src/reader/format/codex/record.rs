//! The records of a Codex rollout, as far as they matter here. Everything may be missing or of another shape.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::reader::transcript::{Flag, Loose, Word};

/// One line: an envelope with a payload, or in the oldest files the payload itself.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct Record<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Word<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Word<'a>,
    #[serde(borrow)]
    pub(super) created_at: Word<'a>,
    #[serde(borrow)]
    pub(super) payload: Loose<Item<'a>>,
    // Marks of the files without an envelope, and of the history of prompts.
    #[serde(borrow)]
    pub(super) id: Word<'a>,
    #[serde(borrow)]
    pub(super) git: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) instructions: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) record_type: Word<'a>,
    #[serde(borrow)]
    pub(super) session_id: Word<'a>,
    #[serde(borrow)]
    pub(super) ts: Word<'a>,
    #[serde(borrow)]
    pub(super) text: Word<'a>,
}

/// What a line is about: session, turn, call, result or event.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct Item<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Word<'a>,
    #[serde(borrow)]
    pub(super) id: Word<'a>,
    #[serde(borrow)]
    pub(super) call_id: Word<'a>,
    /// What the events of dynamic tools call it.
    #[serde(borrow, rename = "callId")]
    pub(super) camel_call_id: Word<'a>,
    #[serde(borrow)]
    pub(super) role: Word<'a>,
    #[serde(borrow)]
    pub(super) cwd: Word<'a>,
    #[serde(borrow)]
    pub(super) name: Word<'a>,
    #[serde(borrow)]
    pub(super) namespace: Word<'a>,
    #[serde(borrow)]
    pub(super) function: Loose<Function<'a>>,
    /// JSON text in a string, or the object itself.
    #[serde(borrow)]
    pub(super) arguments: Option<&'a RawValue>,
    /// The plain text a custom tool is given.
    #[serde(borrow)]
    pub(super) input: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) action: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) status: Word<'a>,
    #[serde(borrow)]
    pub(super) output: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) result: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) content: Option<&'a RawValue>,
    // Events
    #[serde(borrow)]
    pub(super) source: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) command: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) exit_code: Option<&'a RawValue>,
    pub(super) success: Flag,
    #[serde(borrow)]
    pub(super) aggregated_output: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) stdout: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) changes: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) path: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) tool: Word<'a>,
    #[serde(borrow)]
    pub(super) invocation: Loose<Invocation<'a>>,
}

impl Item<'_> {
    pub(super) fn call_id(&self) -> &str {
        self.call_id.get().or(self.camel_call_id.get()).unwrap_or_default()
    }
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct Function<'a> {
    #[serde(borrow)]
    pub(super) name: Word<'a>,
    #[serde(borrow)]
    pub(super) arguments: Option<&'a RawValue>,
}

/// A call of an MCP server's tool.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct Invocation<'a> {
    #[serde(borrow)]
    pub(super) server: Word<'a>,
    #[serde(borrow)]
    pub(super) tool: Word<'a>,
    #[serde(borrow)]
    pub(super) arguments: Option<&'a RawValue>,
}
