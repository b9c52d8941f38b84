//! The records of a SWE-agent trajectory, as far as they matter here. Everything may be missing or of another shape.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::reader::transcript::{Flag, List, Loose, Word};

/// One step of `trajectory`.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct Step<'a> {
    #[serde(borrow)]
    pub(super) action: Word<'a>,
    #[serde(borrow)]
    pub(super) observation: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) state: Option<&'a RawValue>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct State<'a> {
    #[serde(borrow)]
    pub(super) open_file: Word<'a>,
    #[serde(borrow)]
    pub(super) working_dir: Word<'a>,
}

/// One message of `history`.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct Said<'a> {
    #[serde(borrow)]
    pub(super) role: Word<'a>,
    #[serde(borrow)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) action: Word<'a>,
    #[serde(borrow)]
    pub(super) tool_calls: List<ToolCall<'a>>,
    pub(super) is_demo: Flag,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct ToolCall<'a> {
    #[serde(borrow)]
    pub(super) function: Loose<Function<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
pub(super) struct Function<'a> {
    #[serde(borrow)]
    pub(super) name: Word<'a>,
    /// JSON text in a string, or the object itself.
    #[serde(borrow)]
    pub(super) arguments: Option<&'a RawValue>,
}
