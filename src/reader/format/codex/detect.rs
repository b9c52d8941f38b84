//! How sure it is that a file is a Codex rollout, of the newest sort or the oldest, or its history of prompts.

use super::record::Record;
use crate::reader::transcript::{first_lines, has, is_one_long_line};
use crate::reader::{Match, Sample};

pub(super) fn detect(sample: &Sample<'_>) -> Match {
    let lines = first_lines(sample, 40);
    let records = lines.filter_map(|line| Some((serde_json::from_str::<Record<'_>>(line).ok()?, line)));
    let best = records.map(|(record, line)| mark(&record, line)).max().unwrap_or(Match::No);
    // The first line carries the instructions and can be longer than the sample.
    let has = |key| has(sample.head, key);
    if best == Match::No && is_one_long_line(sample) && has("\"type\":\"session_meta\"") && has("\"payload\":{") {
        return Match::Certain;
    }
    best
}

/// How much one line says for this format.
fn mark(record: &Record<'_>, line: &str) -> Match {
    let kind = record.kind.text();
    if record.payload.0.is_some() && record.timestamp.get().is_some() {
        return match kind {
            "session_meta" | "response_item" | "event_msg" | "turn_context" => Match::Certain,
            "compacted" | "world_state" => Match::Likely,
            _ => Match::No,
        };
    }
    let has = |key| has(line.as_bytes(), key);
    let dated = record.timestamp.get().is_some() || record.created_at.get().is_some();
    let likely = match kind {
        "function_call" | "custom_tool_call" | "local_shell_call" => has("\"call_id\"") || dated,
        "function_call_output" | "custom_tool_call_output" => has("\"call_id\""),
        "message" => has("\"input_text\"") || has("\"output_text\""),
        "" => {
            let header = record.id.get().is_some() && dated && (record.git.is_some() || record.instructions.is_some());
            let history = record.session_id.get().is_some() && record.ts.get().is_some() && record.text.is_there();
            header || history || record.record_type.get() == Some("state")
        }
        _ => false,
    };
    if likely { Match::Likely } else { Match::No }
}
