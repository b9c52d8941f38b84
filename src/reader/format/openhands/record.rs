//! The records of OpenHands, as far as they matter here. Everything may be missing or of another shape.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::reader::transcript::{Flag, Loose, Word};

/// One line of `output.jsonl`.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct Task<'a> {
    #[serde(borrow)]
    pub(super) instance_id: Word<'a>,
    /// What the resolver worked on.
    #[serde(borrow)]
    pub(super) issue: Loose<Issue<'a>>,
    #[serde(borrow)]
    pub(super) history: Option<&'a RawValue>,
}

impl Task<'_> {
    pub(super) fn name(&self) -> &str {
        let number = self.issue.0.as_ref().map(|issue| issue.number.text());
        self.instance_id.get().or(number).unwrap_or_default()
    }
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct Issue<'a> {
    #[serde(borrow)]
    pub(super) number: Word<'a>,
}

/// An action or an observation.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct Event<'a> {
    #[serde(borrow)]
    pub(super) id: Word<'a>,
    #[serde(borrow)]
    pub(super) timestamp: Word<'a>,
    #[serde(borrow)]
    pub(super) source: Word<'a>,
    /// A word; in the newest files what a tool was given.
    #[serde(borrow)]
    pub(super) action: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) args: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) tool_call_metadata: Loose<ToolCall<'a>>,
    /// A word; in the newest files what a tool answered.
    #[serde(borrow)]
    pub(super) observation: Option<&'a RawValue>,
    /// The id of the action that an observation is about.
    #[serde(borrow)]
    pub(super) cause: Word<'a>,
    #[serde(borrow)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) extras: Loose<Extras<'a>>,
    #[serde(borrow)]
    pub(super) exit_code: Word<'a>,
    pub(super) success: Flag,
    // The newest files.
    #[serde(borrow)]
    pub(super) kind: Word<'a>,
    #[serde(borrow)]
    pub(super) tool_name: Word<'a>,
    #[serde(borrow)]
    pub(super) tool_call_id: Word<'a>,
    #[serde(borrow)]
    pub(super) action_id: Word<'a>,
    #[serde(borrow)]
    pub(super) error: Option<&'a RawValue>,
}

/// What a tool answered, in the newest files.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct Answer<'a> {
    /// Parts with text.
    #[serde(borrow, alias = "output")]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) exit_code: Word<'a>,
    pub(super) is_error: Flag,
    pub(super) timeout: Flag,
    #[serde(borrow)]
    pub(super) metadata: Loose<Metadata<'a>>,
}

impl Event<'_> {
    pub(super) fn tool(&self) -> Option<&str> {
        self.tool_call_metadata.0.as_ref().and_then(|call| call.function_name.get())
    }
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct ToolCall<'a> {
    #[serde(borrow)]
    pub(super) function_name: Word<'a>,
}

/// What an action is to do.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct Args<'a> {
    #[serde(borrow)]
    pub(super) command: Word<'a>,
    pub(super) is_input: Flag,
    #[serde(borrow)]
    pub(super) cwd: Word<'a>,
    #[serde(borrow)]
    pub(super) path: Word<'a>,
    /// Of a tool of an MCP server.
    #[serde(borrow)]
    pub(super) name: Word<'a>,
    #[serde(borrow)]
    pub(super) arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) confirmation_state: Word<'a>,
    #[serde(borrow)]
    pub(super) is_confirmed: Word<'a>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct Extras<'a> {
    #[serde(borrow)]
    pub(super) metadata: Loose<Metadata<'a>>,
    #[serde(borrow)]
    pub(super) exit_code: Word<'a>,
}

/// The shell after a command.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct Metadata<'a> {
    #[serde(borrow)]
    pub(super) exit_code: Word<'a>,
    #[serde(borrow)]
    pub(super) working_dir: Word<'a>,
    #[serde(borrow)]
    pub(super) username: Word<'a>,
    #[serde(borrow)]
    pub(super) hostname: Word<'a>,
}
