//! OpenAI chat completions and responses: requests, answers, batches, streams and lists of messages, as applications,
//! proxies and evaluations record them.
//!
//! `{"messages":[{"role":"user","content":"…"}],"choices":[{"message":{"role":"assistant","tool_calls":[{"id":"call_…","type":"function","function":{"name":"run","arguments":"{\"command\":\"ls\"}"}}]}}]}`

use std::io::{self, BufRead};

use crate::reader::transcript::{Exchange, has};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct OpenAi;

const NAME: &str = "openai";

impl Reader for OpenAi {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "OpenAI chat and responses bodies: messages with tool_calls, function_call items, streams, batches"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let has = |key| has(sample.head, key);
        let head = sample.head.trim_ascii_start();
        if !(head.starts_with(b"{")
            || head.starts_with(b"[")
            || head.starts_with(b"data:")
            || head.starts_with(b"event:"))
        {
            return Match::No;
        }
        // Agents that write down the same items in lines of their own.
        if ["\"sessionId\"", "\"payload\"", "\"jsonrpc\"", "\"run_type\"", "\"resourceSpans\""].into_iter().any(has) {
            return Match::No;
        }
        let spaceless = |key, value| has(key) && has(value);
        if has("\"chat.completion\"") || has("\"chat.completion.chunk\"") || has("\"response.output_item.done\"") {
            return Match::Likely;
        }
        if spaceless("\"object\"", "\"response\"") && has("\"output\"") {
            return Match::Likely;
        }
        let says = has("\"role\"") && has("\"content\"");
        if has("\"messages\"") && says && (has("\"tool_calls\"") || has("\"function_call\"")) && has("\"function\"") {
            return Match::Likely;
        }
        let called = has("\"function_call\"") && has("\"call_id\"") && has("\"arguments\"");
        let listed = says && has("\"tool_calls\"") && has("\"function\"");
        if called && has("\"input\"") && has("\"model\"") || listed {
            return Match::Likely;
        }
        // Old Codex rollouts are such items, too.
        if called {
            return Match::Maybe;
        }
        if says && (head.starts_with(b"[") || has("\"messages\"")) { Match::Maybe } else { Match::No }
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
        assert_eq!(shown(&OpenAi, "app.jsonl", text.as_bytes()), expected);
    }

    #[test]
    fn a_request_repeats_what_was_said_before() {
        let one = r#"{"role":"user","content":"go"}"#;
        let two = r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"run","arguments":"{\"command\":\"ls\"}"}}]}"#;
        let three = r#"{"role":"tool","tool_call_id":"c1","content":"a.txt"}"#;
        let other = r#"{"messages":[{"role":"user","content":"else"}],"choices":[{"message":{"role":"assistant","function_call":{"name":"run","arguments":"{}"}}}]}"#;
        check(
            &format!(
                "{{\"messages\":[{one}],\"choices\":[{{\"message\":{two}}}]}}\n{other}\n{{\"messages\":[{one},{two},{three}]}}\n"
            ),
            "L1 tool \"ls\" session=app actor=agent:assistant exec=yes tool=run\n\
             L2 tool \"{}\" session=app#2 actor=agent:assistant tool=run\n",
        );
    }

    #[test]
    fn calls_come_in_pieces() {
        let chunk = |delta: &str| {
            format!(
                "data: {{\"object\":\"chat.completion.chunk\",\"choices\":[{{\"index\":0,\"delta\":{delta}}}]}}\n\n"
            )
        };
        let text = [
            chunk(r#"{"tool_calls":[{"index":0,"id":"c1","function":{"name":"run","arguments":""}}]}"#),
            chunk(r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"command\":"}}]}"#),
            chunk(r#"{"tool_calls":[{"index":0,"function":{"arguments":"\"make\"}"}}]}"#),
            "data: [DONE]\n".to_owned(),
        ];
        check(&text.concat(), "L1 tool \"make\" session=app actor=agent:assistant tool=run\n");
    }

    #[test]
    fn items_of_a_response() {
        check(
            r#"{"object":"response","output":[{"type":"function_call","call_id":"c1","name":"run","arguments":"{\"command\":\"df\"}"},{"type":"mcp_call","id":"m1","server_label":"crm","name":"find","arguments":"{\"q\":1}","output":"x"},{"type":"mcp_approval_request","id":"a","name":"drop","arguments":"{}"},{"type":"shell_call","call_id":"s","action":{"commands":["cd x","ls"]}}]}
{"type":"function_call_output","call_id":"c1","output":"{\"exit_code\":1}"}
not json
"#,
            "L1 tool \"df\" session=app actor=agent:assistant exec=yes failed exit=1 tool=run\n\
             L1 tool \"{\\\"q\\\":1}\" session=app actor=agent:assistant exec=yes tool=mcp__crm__find\n\
             L1 tool \"cd x\" session=app actor=agent:assistant tool=shell\n\
             L1 tool \"ls\" session=app actor=agent:assistant tool=shell\n\
             L3 issue: not a JSON record: expected ident (it may have been cut off while the file was written or copied; read the original)\n",
        );
    }

    #[test]
    fn a_document_that_breaks_off_keeps_what_came_before() {
        check(
            "{\n\"messages\":[\n{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"run\",\"arguments\":\"{}\"}}]},\n{\"ro",
            "L3 tool \"{}\" session=app actor=agent:assistant tool=run\n\
             L4 issue: not a JSON record: EOF while parsing a string (it may have been cut off while the file was written or copied; read the original)\n",
        );
    }
}
