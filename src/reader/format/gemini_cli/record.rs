//! The records of a Gemini CLI chat, as far as they matter here. Everything may be missing or of another shape.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::reader::transcript::{List, Loose, Word};

/// A message of a document, a line of a chat file, or a line of `--output-format stream-json`.
#[derive(Deserialize, Debug, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Record<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Word<'a>,
    #[serde(borrow)]
    pub(super) id: Word<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Word<'a>,
    #[serde(borrow)]
    pub(super) session_id: Word<'a>,
    #[serde(borrow)]
    pub(super) project_hash: Word<'a>,
    #[serde(borrow)]
    pub(super) tool_calls: List<ToolCall<'a>>,
    #[serde(borrow)]
    pub(super) parts: List<Part<'a>>,
    /// A whole document on one line.
    #[serde(borrow)]
    pub(super) messages: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) history: Option<&'a RawValue>,
    #[serde(borrow, rename = "$set")]
    pub(super) set: Loose<Set<'a>>,
    #[serde(borrow, rename = "$rewindTo")]
    pub(super) rewind_to: Word<'a>,
    // stream-json
    #[serde(borrow, rename = "session_id")]
    pub(super) stream_session_id: Word<'a>,
    #[serde(borrow, rename = "tool_name")]
    pub(super) tool_name: Word<'a>,
    #[serde(borrow, rename = "tool_id")]
    pub(super) tool_id: Word<'a>,
    #[serde(borrow)]
    pub(super) parameters: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) status: Word<'a>,
    #[serde(borrow)]
    pub(super) output: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) error: Loose<StreamError<'a>>,
}

/// `{"$set":{"messages":[…]}}` replaces the whole conversation.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct Set<'a> {
    #[serde(borrow)]
    pub(super) messages: Option<&'a RawValue>,
}

/// A call with its result, rewritten whenever its status changes.
#[derive(Deserialize, Debug, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ToolCall<'a> {
    #[serde(borrow)]
    pub(super) id: Word<'a>,
    #[serde(borrow)]
    pub(super) name: Word<'a>,
    #[serde(borrow)]
    pub(super) args: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) status: Word<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Word<'a>,
    #[serde(borrow)]
    pub(super) agent_id: Word<'a>,
    #[serde(borrow)]
    pub(super) result: List<Part<'a>>,
    #[serde(borrow)]
    pub(super) result_display: Option<&'a RawValue>,
}

/// One part of what was said.
#[derive(Deserialize, Debug, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Part<'a> {
    #[serde(borrow)]
    pub(super) function_call: Loose<FunctionCall<'a>>,
    #[serde(borrow)]
    pub(super) function_response: Loose<FunctionResponse<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct FunctionCall<'a> {
    #[serde(borrow)]
    pub(super) id: Word<'a>,
    #[serde(borrow)]
    pub(super) name: Word<'a>,
    #[serde(borrow)]
    pub(super) args: Option<&'a RawValue>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct FunctionResponse<'a> {
    #[serde(borrow)]
    pub(super) id: Word<'a>,
    #[serde(borrow)]
    pub(super) response: Loose<Response<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct Response<'a> {
    #[serde(borrow)]
    pub(super) output: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) error: Option<&'a RawValue>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct StreamError<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Word<'a>,
}
