//! Anthropic messages: requests, answers, batches and streams of the messages interface, as applications record them.
//!
//! `{"messages":[{"role":"user","content":"…"},{"role":"assistant","content":[{"type":"tool_use","id":"toolu_…","name":"bash","input":{"command":"ls"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_…","content":"a"}]}]}`

use std::io::{self, BufRead};

use crate::reader::transcript::{Exchange, has};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct Anthropic;

const NAME: &str = "anthropic";

impl Reader for Anthropic {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Anthropic messages bodies: content with tool_use and tool_result blocks, streams, batches"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let has = |key| has(sample.head, key);
        let head = sample.head.trim_ascii_start();
        let shaped = [&b"{"[..], b"[", b"data:", b"event:"].iter().any(|start| head.starts_with(start));
        // Agents that write down the same messages in lines of their own.
        let other = [
            "\"sessionId\"",
            "\"session_id\"",
            "\"session_start\"",
            "\"parentId\"",
            "\"uuid\"",
            "\"jsonrpc\"",
            "\"loglines\"",
        ];
        if !shaped || other.into_iter().any(has) || has("\"run_type\"") || has("\"resourceSpans\"") {
            return Match::No;
        }
        if has("\"content_block_start\"") || has("\"content_block_delta\"") {
            return Match::Certain;
        }
        let blocks = has("\"tool_use\"") || has("\"tool_result\"");
        if blocks && has("\"role\"") && has("\"content\"") && (has("\"tool_use_id\"") || has("\"input\"")) {
            // Models of other makers speak of the same blocks inside messages with tool calls.
            return if has("\"tool_calls\"") { Match::Maybe } else { Match::Likely };
        }
        if has("\"stop_reason\"") && has("\"role\"") && has("\"content\"") { Match::Likely } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        Exchange::new(source, NAME, "assistant", out).read(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::transcript::shown;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(shown(&Anthropic, "app.jsonl", text.as_bytes()), expected);
    }

    #[test]
    fn blocks_call_and_answer() {
        check(
            r#"{"request":{"messages":[{"role":"user","content":"go"}]},"response":{"role":"assistant","stop_reason":"tool_use","content":[{"type":"text","text":"x"},{"type":"tool_use","id":"t1","name":"bash","input":{"command":"ls"}},{"type":"tool_use","id":"t2","name":"bash","input":{"command":"rm a"}}]}}
{"request":{"messages":[{"role":"user","content":"go"},{"role":"assistant","content":[{"type":"text","text":"x"},{"type":"tool_use","id":"t1","name":"bash","input":{"command":"ls"}},{"type":"tool_use","id":"t2","name":"bash","input":{"command":"rm a"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"a","is_error":false},{"type":"tool_result","tool_use_id":"t2","content":"The user rejected this","is_error":true,"cache_control":{}}]}]}}
"#,
            "L1 tool \"ls\" session=app actor=agent:assistant exec=yes ok tool=bash\n\
             L1 tool \"rm a\" session=app actor=agent:assistant exec=no tool=bash\n",
        );
    }

    #[test]
    fn a_stream_is_put_together() {
        check(
            r#"event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t1","name":"bash","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"command\": \"df"}}
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":" -h\"}"}}
data: {"type":"content_block_stop","index":1}
data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"t2","name":"bash","input":{}}}
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"command\": \"rm"}}
"#,
            "L2 tool \"df -h\" session=app actor=agent:assistant tool=bash\n\
             L8 tool \"{\\\"command\\\": \\\"rm\" session=app actor=agent:assistant tool=bash\n",
        );
    }
}
