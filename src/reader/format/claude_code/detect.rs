//! How sure it is that a file is a Claude Code transcript: other agents write lines that look much like it.

use super::record::Record;
use crate::reader::transcript::{first_lines, has, is_document, is_one_long_line};
use crate::reader::{Match, Sample};

pub(super) fn detect(sample: &Sample<'_>) -> Match {
    let mut best = Match::No;
    for line in first_lines(sample, 40) {
        let Ok(record) = serde_json::from_str::<Record<'_>>(line) else { continue };
        // The look-alikes: Qwen's messages have parts, Cursor's calls are records of their own.
        if record.message.0.as_ref().is_some_and(|message| message.parts.is_some()) || record.kind.text() == "tool_call"
        {
            return Match::No;
        }
        best = best.max(mark(&record, line));
    }
    let has = |key| has(sample.head, key);
    if best == Match::No && is_one_long_line(sample) && has("\"sessionId\"") && has("\"isSidechain\"") {
        return Match::Certain;
    }
    // `--output-format json --verbose` is the stream as one list.
    let is_list = sample.head.trim_ascii_start().starts_with(b"[");
    if is_list && has("\"session_id\"") && has("\"subtype\":\"init\"") {
        return Match::Likely;
    }
    let is_document = is_document(sample.head) || is_one_long_line(sample);
    if best == Match::No && is_document && has("\"loglines\"") && has("\"message\"") {
        return Match::Likely;
    }
    best
}

/// How much one line says for this format.
fn mark(record: &Record<'_>, line: &str) -> Match {
    let has = |key| has(line.as_bytes(), key);
    let known = record.user_type.is_there() || record.is_sidechain.0.is_some();
    let speaks =
        record.message.0.as_ref().is_some_and(|message| message.role.get().is_some() && message.content.is_some());
    let kind = record.kind.text();
    if record.session_id.get().is_some() && record.uuid.get().is_some() && (known || speaks) {
        return Match::Certain;
    }
    let likely = match kind {
        "assistant" | "user" => speaks && record.session().is_some(),
        "system" => record.stream_session_id.get().is_some() && record.subtype.text() == "init",
        "summary" => has("\"leafUuid\""),
        "file-history-snapshot" => has("\"messageId\"") && has("\"snapshot\""),
        "queue-operation" => record.session_id.get().is_some() && has("\"operation\""),
        "permission-mode" | "custom-title" | "ai-title" | "last-prompt" => record.session_id.get().is_some(),
        "tool_use" | "tool_result" => record.session_id.get().is_some() && record.uuid.get().is_some(),
        // The journal of a workflow.
        "started" | "result" => record.agent_id.get().is_some() && has("\"key\""),
        // A sub-agent's `.meta.json`, and the history of prompts.
        "" => has("\"agentType\"") || has("\"display\"") && has("\"pastedContents\""),
        _ => false,
    };
    if likely { Match::Likely } else { Match::No }
}
