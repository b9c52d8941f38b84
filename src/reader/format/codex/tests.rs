//! What the reader makes of small rollouts.

use super::*;
use crate::reader::transcript::shown;

const NEW: &[u8] =
    include_bytes!("../../../../corpora/codex/rollout-2026-02-03T09-00-00-0199f3a2-4d1c-7b10-8e6f-3c5a9d207e41.jsonl");
const OLD: &[u8] =
    include_bytes!("../../../../corpora/codex/rollout-2025-06-01-5973b6c0-94b8-487b-a530-2aeb6098ae0e.jsonl");

fn check(bytes: &[u8], expected: &str) {
    let name = "sessions/rollout-2026-02-03T09-00-00-11111111-2222-4333-8444-555555555555.jsonl";
    assert_eq!(shown(&Codex, name, bytes), expected);
}

fn sure(bytes: &[u8]) -> Match {
    Codex.detect(&Sample { head: bytes, complete: true, name: "x.jsonl", tables: &[] })
}

#[test]
fn a_rollout_with_both_its_logs() {
    let s = "session=0199f3a2-4d1c-7b10-8e6f-3c5a9d207e41 actor=agent:codex";
    let person = "session=0199f3a2-4d1c-7b10-8e6f-3c5a9d207e41 actor=human:user";
    check(
        NEW,
        &format!(
            "L4 tool \"psql -d ledger -c 'REINDEX TABLE entries'\" {s} exec=yes failed exit=2 cwd=/srv/ledger/db tool=shell
L8 tool \"systemctl list-units 'postgres*'\" {s} exec=yes ok exit=0 cwd=/srv/ledger tool=exec_command
L9 tool \"tail -n 50 /var/log/postgresql/main.log\" {s} exec=yes ok exit=0 cwd=/srv/ledger tool=exec_command
L12 tool \"sudo systemctl restart postgresql\" {s} exec=no cwd=/srv/ledger tool=shell
L14 tool \"*** Begin Patch\\n*** Update File: ledger.toml\\n@@\\n-port = 5432\\n+port = 5433\\n*** End Patch\" {s} exec=yes ok cwd=/srv/ledger tool=apply_patch
L16 tool \"{{\\\"issue\\\":41}}\" {s} exec=no cwd=/srv/ledger tool=mcp__tracker__close_issue
L17 tool \"pg_ctl start -w\" {s} failed cwd=/srv/ledger tool=exec_command
L20 shell \"ls -l dumps\" {person} exec=yes failed exit=2 cwd=/srv/ledger/tools
L21 tool \"find 'old dumps' -name '*.sql'\" {s} cwd=/srv/ledger/tools tool=local_shell
"
        ),
    );
}

#[test]
fn the_oldest_files_have_no_envelope() {
    check(
        OLD,
        "L4 tool \"git clean -fdx\" session=5973b6c0-94b8-487b-a530-2aeb6098ae0e actor=agent:codex exec=yes ok exit=0 cwd=/home/noor/site tool=shell
L6 issue: not a JSON record: EOF while parsing a string (it may have been cut off while the file was written or copied; read the original)
",
    );
}

#[test]
fn a_result_after_the_abort_still_counts() {
    let s = "session=11111111-2222-4333-8444-555555555555 actor=agent:codex";
    check(
        br#"{"type":"function_call","name":"shell","call_id":"c1","arguments":"{\"command\":[\"ls\"]}"}
{"type":"event_msg","payload":{"type":"turn_aborted","reason":"interrupted"}}
{"type":"response_item","payload":{"type":"function_call_output","call_id":"c1","output":"aborted by user after 2.0s"}}
"#,
        &format!("L1 tool \"ls\" {s} exec=yes failed tool=shell\n"),
    );
}

#[test]
fn an_event_is_the_call_when_nothing_else_is() {
    let s = "session=11111111-2222-4333-8444-555555555555 actor=agent:codex";
    check(
        br#"{"type":"event_msg","payload":{"type":"exec_command_begin","call_id":"c1","command":["bash","-lc","ls | wc"]}}
{"type":"event_msg","payload":{"type":"exec_command_end","call_id":"c1","command":["bash","-lc","ls | wc"],"exit_code":0}}
{"type":"event_msg","payload":{"type":"exec_command_end","call_id":"c2","command":["rm","x"],"status":"declined"}}
{"type":"event_msg","payload":{"type":"exec_command_begin","call_id":"c3","source":"user_shell","command":["ls"]}}
"#,
        &format!(
            "L1 tool \"ls | wc\" {s} exec=yes ok exit=0 tool=exec_command
L3 tool \"rm x\" {s} exec=no tool=exec_command
"
        ),
    );
}

#[test]
fn shapes_of_other_versions_still_show_their_calls() {
    let s = "session=11111111-2222-4333-8444-555555555555 actor=agent:codex";
    check(
        br#"{"created_at":"2026-01-05T09:00:00Z","type":"function_call","function":{"name":"find"},"arguments":{"text":"a"}}
{"created_at":"2026-01-05T09:00:01Z","type":"function_result","name":"find","result":"b"}
{"timestamp":"t","type":"response_item","payload":{"type":"custom_tool_call","call_id":"c","name":"shell","input":"{\"command\":[\"ls\"]}"}}
{"timestamp":"t","type":"response_item","payload":{"type":"function_call","call_id":"d","name":"shell","arguments":"{\"command\": oops"}}
{"timestamp":"t","type":"response_item","payload":{"type":"function_call","call_id":"e","name":"shell","arguments":null}}
"#,
        &format!(
            "L1 tool \"{{\\\"text\\\":\\\"a\\\"}}\" {s} exec=yes tool=find
L3 tool \"ls\" {s} tool=shell
L4 tool \"{{\\\"command\\\": oops\" {s} tool=shell
L5 tool \"\" {s} tool=shell gap=parameters-missing/anything
"
        ),
    );
}

#[test]
fn cut_anywhere_it_never_says_more() {
    let count = |bytes: &[u8]| shown(&Codex, "x.jsonl", bytes).matches(" session=").count();
    let all = count(NEW);
    assert!((0..NEW.len()).step_by(37).all(|end| count(NEW.get(..end).unwrap()) <= all));
}

#[test]
fn detected_by_its_own_marks() {
    assert_eq!(sure(NEW), Match::Certain);
    assert_eq!(sure(OLD), Match::Likely);
    assert_eq!(sure(br#"{"session_id":"s","ts":1770000000,"text":"fix it"}"#), Match::Likely);
    assert_eq!(sure(br#"{"type":"message","id":"m","message":{"role":"user","content":[]}}"#), Match::No);
    assert_eq!(sure(br#"{"timestamp":"t","type":"push","payload":{}}"#), Match::No);
    check(br#"{"session_id":"s","ts":1770000000,"text":"rm -rf / please"}"#, "");
}

#[test]
fn what_came_back_is_kept() {
    let call = |id: &str, output: &str| {
        format!(
            "{{\"timestamp\":\"2026-01-05T09:00:02Z\",\"type\":\"response_item\",\"payload\":{{\"type\":\"function_call\",\"name\":\"shell\",\"arguments\":\"{{}}\",\"call_id\":\"{id}\"}}}}\n\
             {{\"timestamp\":\"2026-01-05T09:00:03Z\",\"type\":\"response_item\",\"payload\":{{\"type\":\"function_call_output\",\"call_id\":\"{id}\",\"output\":{output}}}}}\n"
        )
    };
    let text = [
        call("a", r#""{\"output\":\"made it\",\"metadata\":{\"exit_code\":0}}""#),
        call("b", r#""Chunk ID: 1\nProcess exited with code 0\nOutput:\nprinted\n""#),
        call("c", r#"{"stdout":"so","exitCode":0}"#),
        call("d", r#""plain words""#),
    ];
    let read = crate::reader::collect::outputs(&Codex, "r.jsonl", text.concat().as_bytes());
    assert_eq!(read, ["made it", "printed\n", "so", "plain words"]);
}
