//! The records of a Claude Code transcript, as far as they matter here. Everything may be missing or of another shape:
//! the vendor calls the format internal, and every release changes it.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::reader::transcript::{Flag, Loose, Word};

/// One line.
#[derive(Deserialize, Debug, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Record<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Word<'a>,
    #[serde(borrow)]
    pub(super) subtype: Word<'a>,
    #[serde(borrow)]
    pub(super) session_id: Word<'a>,
    /// What `--output-format stream-json` calls it.
    #[serde(borrow, rename = "session_id")]
    pub(super) stream_session_id: Word<'a>,
    #[serde(borrow)]
    pub(super) agent_id: Word<'a>,
    /// Stands in the lines of a sub-agent in stream-json.
    #[serde(borrow, rename = "parent_tool_use_id")]
    pub(super) parent_tool_use_id: Word<'a>,
    pub(super) is_sidechain: Flag,
    #[serde(borrow)]
    pub(super) user_type: Word<'a>,
    #[serde(borrow)]
    pub(super) cwd: Word<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Word<'a>,
    #[serde(borrow)]
    pub(super) uuid: Word<'a>,
    #[serde(borrow)]
    pub(super) parent_uuid: Word<'a>,
    /// The uuid of the line whose call this line answers.
    #[serde(borrow, rename = "sourceToolAssistantUUID")]
    pub(super) answers: Word<'a>,
    #[serde(borrow)]
    pub(super) tool_denial_kind: Word<'a>,
    #[serde(borrow)]
    pub(super) message: Loose<Message<'a>>,
    #[serde(borrow)]
    pub(super) tool_use_result: Loose<Structured<'a>>,
    #[serde(borrow)]
    pub(super) attachment: Loose<Attachment<'a>>,
    #[serde(borrow)]
    pub(super) data: Loose<Progress<'a>>,
    /// Calls and results of old versions stand in the line itself.
    #[serde(borrow)]
    pub(super) id: Word<'a>,
    #[serde(borrow)]
    pub(super) name: Word<'a>,
    #[serde(borrow)]
    pub(super) input: Option<&'a RawValue>,
    #[serde(borrow, rename = "tool_use_id")]
    pub(super) tool_use_id: Word<'a>,
    #[serde(borrow)]
    pub(super) output: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(rename = "is_error")]
    pub(super) is_error: Flag,
}

impl<'a> Record<'a> {
    /// The line read as a block of content, which is what old versions wrote.
    pub(super) fn as_block(&self) -> Block<'a> {
        Block {
            kind: self.kind.clone(),
            id: self.id.clone(),
            name: self.name.clone(),
            input: self.input,
            tool_use_id: self.tool_use_id.clone(),
            is_error: self.is_error,
            content: self.output.or(self.content),
            text: None,
        }
    }

    pub(super) fn session(&self) -> Option<&str> {
        self.session_id.get().or(self.stream_session_id.get())
    }
}

/// What was said.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) role: Word<'a>,
    /// A string or a list of [`Block`]s.
    #[serde(borrow)]
    pub(super) content: Option<&'a RawValue>,
    /// Only the look-alikes of other agents have this.
    #[serde(borrow)]
    pub(super) parts: Option<&'a RawValue>,
}

/// One part of what was said.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct Block<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Word<'a>,
    #[serde(borrow)]
    pub(super) id: Word<'a>,
    #[serde(borrow)]
    pub(super) name: Word<'a>,
    #[serde(borrow)]
    pub(super) input: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) tool_use_id: Word<'a>,
    pub(super) is_error: Flag,
    #[serde(borrow)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) text: Option<&'a RawValue>,
}

impl Block<'_> {
    /// `tool_use`, and `server_tool_use` and `mcp_tool_use` of the API.
    pub(super) fn is_call(&self) -> bool {
        self.kind.text().ends_with("tool_use")
    }

    /// `tool_result`, and `mcp_tool_result`, `web_search_tool_result` of the API.
    pub(super) fn is_result(&self) -> bool {
        self.kind.text().ends_with("tool_result")
    }
}

/// The structured copy of a result.
#[derive(Deserialize, Debug, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Structured<'a> {
    pub(super) interrupted: Flag,
    #[serde(borrow)]
    pub(super) background_task_id: Word<'a>,
}

/// What a hook had to say.
#[derive(Deserialize, Debug, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Attachment<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Word<'a>,
    #[serde(borrow)]
    pub(super) hook_event: Word<'a>,
    #[serde(borrow, rename = "toolUseID")]
    pub(super) tool_use_id: Word<'a>,
    #[serde(borrow)]
    pub(super) decision: Word<'a>,
}

/// A sub-agent's record, mirrored in the transcript of the agent that started it.
#[derive(Deserialize, Debug, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Progress<'a> {
    #[serde(borrow)]
    pub(super) agent_id: Word<'a>,
    #[serde(borrow)]
    pub(super) message: Loose<Mirrored<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct Mirrored<'a> {
    #[serde(borrow)]
    pub(super) uuid: Word<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Word<'a>,
    #[serde(borrow)]
    pub(super) message: Loose<Message<'a>>,
}
