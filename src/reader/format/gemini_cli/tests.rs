//! What the reader makes of small chats.

use super::*;
use crate::reader::transcript::shown;

const DOCUMENT: &[u8] = include_bytes!("../../../../corpora/gemini_cli/session-2026-02-03T10-00-3b8f7d10.json");
const REWOUND: &[u8] = include_bytes!("../../../../corpora/gemini_cli/session-2026-02-03T11-00-rewound.jsonl");
const STREAM: &[u8] = include_bytes!("../../../../corpora/gemini_cli/stream.jsonl");

fn check(bytes: &[u8], expected: &str) {
    assert_eq!(shown(&GeminiCli, "chats/session-1.json", bytes), expected);
}

fn sure(bytes: &[u8]) -> Match {
    GeminiCli.detect(&Sample { head: bytes, complete: true, name: "x.json", tables: &[] })
}

#[test]
fn a_document_with_a_refusal_and_an_exit_code() {
    let s = "session=3b8f7d10-27a4-4c35-9b1a-90f1d5e2c604 actor=agent:gemini-cli";
    check(
        DOCUMENT,
        &format!(
            "L13 tool \"docker system df\" {s} exec=yes ok exit=0 tool=run_shell_command
L13 tool \"docker system prune --all --force --volumes\" {s} exec=no tool=run_shell_command
L61 tool \"rm -r build/cache\" {s} exec=yes failed exit=1 cwd=/srv/build tool=run_shell_command
L61 tool \"/srv/build/NOTES.md\" {s} failed tool=write_file
"
        ),
    );
}

#[test]
fn the_last_update_of_a_call_counts_and_what_was_rewound_still_happened() {
    let s = "session=c2d4aa1e-rewound";
    check(
        REWOUND,
        &format!(
            "L3 tool \"redis-cli -n 3 FLUSHDB\" {s} actor=agent:gemini-cli exec=yes ok exit=0 tool=run_shell_command
L7 issue: not a JSON record: EOF while parsing a string (it may have been cut off while the file was written or copied; read the original)
L8 tool \"redis-cli -n 3 DBSIZE\" {s}/agent-scout actor=agent:gemini-cli exec=yes ok exit=0 tool=run_shell_command
"
        ),
    );
}

#[test]
fn a_stream_joins_results_that_come_in_any_order() {
    let s = "session=stream-7f21 actor=agent:gemini-cli";
    check(
        STREAM,
        &format!(
            "L3 tool \"git tag v2.0.0 && git push --tags\" {s} exec=yes ok tool=run_shell_command
L4 tool \"{{\\\"name\\\":\\\"release\\\"}}\" {s} exec=no tool=activate_skill
"
        ),
    );
}

#[test]
fn what_stands_before_the_damage_is_read() {
    let most = DOCUMENT.get(..DOCUMENT.len() * 3 / 4).unwrap();
    let s = "session=3b8f7d10-27a4-4c35-9b1a-90f1d5e2c604 actor=agent:gemini-cli";
    check(
        most,
        &format!(
            "L13 tool \"docker system df\" {s} exec=yes ok exit=0 tool=run_shell_command
L13 tool \"docker system prune --all --force --volumes\" {s} exec=no tool=run_shell_command
L82 issue: not a JSON record: EOF while parsing a string (it may have been cut off while the file was written or copied; read the original)
"
        ),
    );
}

#[test]
fn the_model_s_own_form_of_calls() {
    check(
        br#"{"history":[{"role":"model","parts":[{"text":"x"},{"functionCall":{"name":"run_shell_command","args":{"command":"ls"}}}]},{"role":"user","parts":[{"functionResponse":{"name":"run_shell_command","response":{"output":"Command: ls\nExit Code: 2"}}}]}]}"#,
        "L1 tool \"ls\" session=session-1 actor=agent:gemini-cli exec=yes failed exit=2 tool=run_shell_command\n",
    );
}

#[test]
fn a_checkpoint_is_a_bare_list() {
    let checkpoint = br#"[{"role":"user","parts":[{"text":"x"}]},
{"role":"model","parts":[{"functionCall":{"name":"read_file","args":{"file_path":"a.txt"}}}]}]"#;
    check(checkpoint, "L2 tool \"a.txt\" session=session-1 actor=agent:gemini-cli tool=read_file\n");
    assert_eq!(sure(checkpoint), Match::Likely);
}

#[test]
fn cut_anywhere_it_never_says_more() {
    let count = |bytes: &[u8]| shown(&GeminiCli, "x.jsonl", bytes).matches(" session=").count();
    for whole in [DOCUMENT, REWOUND] {
        let all = count(whole);
        assert!((0..whole.len()).step_by(37).all(|end| count(whole.get(..end).unwrap()) <= all));
    }
}

#[test]
fn detected_by_its_own_marks() {
    assert_eq!(sure(DOCUMENT), Match::Certain);
    assert_eq!(sure(REWOUND), Match::Certain);
    assert_eq!(sure(STREAM), Match::Certain);
    assert_eq!(sure(b"{\n  \"session_id\": \"x\",\n  \"messages\": []\n}"), Match::No);
    assert_eq!(sure(br#"{"type":"tool_call","session_id":"s","toolCallId":"c","toolName":"Shell"}"#), Match::No);
    check(b"", "");
}

#[test]
fn what_came_back_is_kept() {
    let call = |output: &str| {
        format!(
            r#"{{"id":"m","timestamp":"2026-01-05T09:00:02Z","type":"gemini","toolCalls":[{{"id":"{}","name":"run_shell_command","args":{{"command":"x"}},"status":"success","result":[{{"functionResponse":{{"response":{output}}}}}]}}]}}"#,
            output.len()
        )
    };
    let text = [
        call(r#"{"output":"Command: x\nDirectory: (root)\nOutput: hello\nExit Code: 0"}"#),
        call(r#"{"output":"plain"}"#),
        call(r#"{"error":"it failed"}"#),
    ];
    let read = crate::reader::collect::outputs(&GeminiCli, "s.jsonl", text.join("\n").as_bytes());
    assert_eq!(read, ["hello\nExit Code: 0", "plain", "it failed"]);
}
