//! What the reader makes of small transcripts.

use super::*;
use crate::reader::collect::Collector;
use crate::reader::transcript::shown;

const SESSION: &[u8] = include_bytes!("../../../../corpora/claude_code/session.jsonl");
const AGENT: &[u8] = include_bytes!("../../../../corpora/claude_code/agent-b7d2e91c.jsonl");
const RESUMED: &[u8] = include_bytes!("../../../../corpora/claude_code/resumed.jsonl");

fn check(bytes: &[u8], expected: &str) {
    assert_eq!(shown(&ClaudeCode, "app/s1.jsonl", bytes), expected);
}

fn sure(bytes: &[u8]) -> Match {
    ClaudeCode.detect(&Sample { head: bytes, complete: true, name: "x.jsonl", tables: &[] })
}

fn ids(bytes: &[u8]) -> Vec<String> {
    let mut out = Collector::default();
    let source = Source { file: "s1.jsonl".into(), options: std::sync::Arc::default(), database: None };
    ClaudeCode.read(&mut &*bytes, &source, &mut out).unwrap();
    out.actions.iter().map(|action| action.id.to_string()).collect()
}

#[test]
fn a_session_with_a_refusal_a_hook_and_a_command_of_the_person() {
    let s = "session=6f1f0d52-8c1e-4b7a-9a55-0d9c3f1e7a10 actor=agent:claude-code";
    let person = "session=6f1f0d52-8c1e-4b7a-9a55-0d9c3f1e7a10 actor=human:user";
    let cwd = "cwd=/home/mira/shop";
    check(
        SESSION,
        &format!(
            "L4 tool \"du -sh exports/*\" {s} exec=yes ok {cwd} tool=Bash
L5 tool \"/home/mira/shop/config/retention.toml\" {s} exec=yes ok {cwd} tool=Read
L8 tool \"rm -rf exports/\" {s} exec=no {cwd} tool=Bash
L10 tool \"rm -rf exports/2025\" {s} exec=yes ok {cwd} tool=Bash
L12 shell \"git status --short\" {person} exec=yes {cwd}
L14 tool \"git push --no-verify\" {s} exec=no {cwd} tool=Bash
L16 tool \"make test\" {s} exec=yes {cwd} tool=Bash
L18 tool \"SELECT count(*) FROM exports WHERE year = 2025\" {s} {cwd} tool=mcp__shopdb__execute
"
        ),
    );
}

#[test]
fn a_sub_agent_is_a_session_of_its_own() {
    let s = "session=6f1f0d52-8c1e-4b7a-9a55-0d9c3f1e7a10/agent-b7d2e91c actor=agent:claude-code";
    let cwd = "cwd=/home/mira/shop";
    check(
        AGENT,
        &format!(
            "L2 tool \"/home/mira/shop/jobs\" {s} exec=yes ok {cwd} tool=Grep
L4 tool \"python jobs/nightly.py --once\" {s} exec=yes failed exit=1 {cwd} tool=Bash
"
        ),
    );
}

#[test]
fn a_resumed_session_has_copies_and_a_broken_line() {
    let s = "session=91d3c3b8-55a0-4a0e-8f0f-7a64be0c2f11 actor=agent:claude-code";
    let cwd = "cwd=/home/mira/shop";
    check(
        RESUMED,
        &format!(
            "L1 tool \"rm -rf exports/\" {s} exec=no {cwd} tool=Bash
L3 tool \"rm -rf exports/2025\" {s} exec=yes ok {cwd} tool=Bash
L6 issue: not a JSON record: EOF while parsing a string (it may have been cut off while the file was written or copied; read the original)
L7 tool \"/home/mira/shop/config/retention.toml\" {s} exec=no {cwd} tool=Edit
"
        ),
    );
    let original = ids(SESSION);
    let copies = ids(RESUMED);
    assert_eq!(copies.get(..2), original.get(2..4), "a copy keeps its id in another session");
}

#[test]
fn calls_without_ids_are_joined_in_order() {
    check(
        br#"{"type":"assistant","sessionId":"s","uuid":"a","message":{"role":"assistant","content":[{"type":"tool_use","name":"bash","input":{"command":"a"}},{"type":"tool_use","name":"bash","input":{"command":"b"}}]}}
{"type":"user","sessionId":"s","uuid":"b","message":{"role":"user","content":[{"type":"tool_result","content":"Exit code 3","is_error":true}]}}
{"type":"user","sessionId":"s","uuid":"c","toolDenialKind":"user-rejected","message":{"role":"user","content":[{"type":"tool_result","content":"no"}]}}
"#,
        "L1 tool \"a\" session=s actor=agent:claude-code exec=yes failed exit=3 tool=bash
L1 tool \"b\" session=s actor=agent:claude-code exec=no tool=bash
",
    );
}

#[test]
fn shapes_of_other_versions_still_show_their_calls() {
    // The call in the line itself; a message that is a list with a stranger in it; a sub-agent's mirrored record.
    check(
        br#"{"type":"tool_use","sessionId":"s","name":"bash","input":{"command":"cat a"},"uuid":"t"}
{"type":"tool_result","sessionId":"s","name":"bash","output":"x","uuid":"r"}
{"type":"assistant","session_id":"s","sessionId":"s","cwd":["?"],"message":{"role":"assistant","content":["?",{"type":"tool_use","id":"t2","name":"Fetch","input":{"url":"https://example.org"}}]}}
{"type":"progress","sessionId":"s","data":{"type":"agent_progress","agentId":"k1","message":{"type":"assistant","uuid":"m","message":{"role":"assistant","content":[{"type":"tool_use","id":"t3","name":"Bash","input":{"command":"ls"}}]}}}}
[1]
"tool_use"
"#,
        "L1 tool \"cat a\" session=s actor=agent:claude-code exec=yes ok tool=bash
L3 tool \"https://example.org\" session=s actor=agent:claude-code tool=Fetch
L4 tool \"ls\" session=s/agent-k1 actor=agent:claude-code tool=Bash
",
    );
}

#[test]
fn a_document_and_a_stream() {
    check(
        br#"{
  "loglines": [
    {"type":"assistant","timestamp":"2026-01-05T09:00:00Z","message":{"role":"assistant","content":[
      {"type":"tool_use","id":"t1","name":"Write","input":{"file_path":"/a","content":"x"}}]}},
    {"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t1","content":"ok"}]}}
  ]
}"#,
        "L3 tool \"/a\" session=s1 actor=agent:claude-code exec=yes ok tool=Write\n",
    );
    check(
        br#"{"type":"system","subtype":"init","cwd":"/w","session_id":"q","tools":["Bash"]}
{"type":"assistant","message":{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"ls"}}]},"session_id":"q","parent_tool_use_id":"task1"}
"#,
        "L2 tool \"ls\" session=q/task1 actor=agent:claude-code cwd=/w tool=Bash\n",
    );
}

#[test]
fn shell_mode_may_be_escaped() {
    let typed = |text: &str| {
        format!(
            r#"{{"type":"user","sessionId":"s","uuid":"u","message":{{"role":"user","content":"<bash-input>{text}</bash-input>"}}}}"#
        )
    };
    check(
        typed("make &amp;&amp; ./run &gt; log").as_bytes(),
        "L1 shell \"make && ./run > log\" session=s actor=human:user\n",
    );
    check(
        typed("sed 's/&amp;/x/' < in > out").as_bytes(),
        "L1 shell \"sed 's/&amp;/x/' < in > out\" session=s actor=human:user\n",
    );
    // An agent cannot type.
    check(typed("rm x").replace("\"user\"", "\"assistant\"").as_bytes(), "");
    check(typed("rm x").replace("\"uuid\"", "\"agentId\":\"k\",\"uuid\"").as_bytes(), "");
    // Talking about the markup is not using it.
    check(typed("x").replace("<bash-input>x", "what does <bash-input>x").as_bytes(), "");
}

#[test]
fn so_many_calls_may_wait() {
    let call = |n: usize| {
        format!(
            r#"{{"type":"assistant","sessionId":"s","uuid":"u{n}","message":{{"role":"assistant","content":[{{"type":"tool_use","id":"t{n}","name":"Bash","input":{{"command":"ls {n}"}}}}]}}}}"#
        )
    };
    let mut file: String = (0..5000).map(|n| call(n) + "\n").collect();
    file += r#"{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t0","content":"x"}]}}
{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t4999","content":"x"}]}}"#;
    let lines = shown(&ClaudeCode, "s.jsonl", file.as_bytes());
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 5000);
    assert_eq!(lines.first(), Some(&"L1 tool \"ls 0\" session=s actor=agent:claude-code tool=Bash"));
    assert_eq!(lines.last(), Some(&"L5000 tool \"ls 4999\" session=s actor=agent:claude-code exec=yes ok tool=Bash"));
}

#[test]
fn cut_anywhere_it_never_says_more() {
    let count = |bytes: &[u8]| shown(&ClaudeCode, "x.jsonl", bytes).matches(" session=").count();
    let all = count(SESSION);
    assert!((0..SESSION.len()).step_by(37).all(|end| count(SESSION.get(..end).unwrap()) <= all));
}

#[test]
fn what_was_read_before_an_error_is_handed_out() {
    struct Failing;
    impl io::Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let mut input = io::BufReader::new(io::Read::chain(SESSION, Failing));
    let mut out = Collector::default();
    let source = Source { file: "s1.jsonl".into(), options: std::sync::Arc::default(), database: None };
    assert!(ClaudeCode.read(&mut input, &source, &mut out).is_err());
    // The last one never got its result.
    assert_eq!(out.actions.len(), 8);
}

#[test]
fn detected_by_its_own_marks() {
    assert_eq!(sure(SESSION), Match::Certain);
    assert_eq!(sure(br#"{"type":"summary","summary":"x","leafUuid":"y"}"#), Match::Likely);
    assert_eq!(sure(br#"{"type":"started","key":"v2:0","agentId":"a"}"#), Match::Likely);
    // Look-alikes: another agent's message parts, plain chat messages, nothing at all.
    assert_eq!(
        sure(br#"{"uuid":"u","sessionId":"s","type":"user","cwd":"/","message":{"role":"user","parts":[]}}"#),
        Match::No
    );
    assert_eq!(sure(br#"{"role":"user","message":{"content":[{"type":"text","text":"x"}]}}"#), Match::No);
    assert_eq!(sure(b""), Match::No);
    check(b"", "");
}

#[test]
fn what_came_back_is_kept() {
    let line = |id: &str, content: &str, is_error: bool| {
        format!(
            "{{\"type\":\"assistant\",\"sessionId\":\"s\",\"message\":{{\"role\":\"assistant\",\"content\":[{{\"type\":\"tool_use\",\"id\":\"{id}\",\"name\":\"Bash\",\"input\":{{\"command\":\"x\"}}}}]}}}}\n\
             {{\"type\":\"user\",\"sessionId\":\"s\",\"message\":{{\"role\":\"user\",\"content\":[{{\"type\":\"tool_result\",\"tool_use_id\":\"{id}\",\"is_error\":{is_error},\"content\":{content}}}]}}}}\n"
        )
    };
    let text = [
        line("a", r#""On branch main\nnothing to commit""#, false),
        line("b", r#"[{"type":"text","text":"Exit code 1\nno"},{"type":"text","text":"more"}]"#, true),
        line("c", "null", false),
    ];
    let read = crate::reader::collect::outputs(&ClaudeCode, "s.jsonl", text.concat().as_bytes());
    assert_eq!(read, ["On branch main\nnothing to commit", "no\nmore", "-"]);
}
