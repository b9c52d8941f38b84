use super::*;
use crate::reader::collect::{outputs, read_all};
use crate::reader::transcript::shown;

#[track_caller]
fn check(lines: &str, expected: &str) {
    assert_eq!(shown(&OpenHands, "output.jsonl", lines.as_bytes()), expected);
}

#[test]
fn observations_are_joined_by_their_cause() {
    let lines = concat!(
        r#"{"instance_id":"t1","history":[{"id":1,"source":"agent","action":"run","args":{"command":"make"}},"#,
        r#"{"id":2,"source":"agent","action":"read","args":{"path":"/w/a.c"}},"#,
        r#"{"id":3,"cause":2,"observation":"read","content":"x","success":true},"#,
        r#"{"id":4,"cause":1,"observation":"run","content":"no rule","extras":{"metadata":{"exit_code":2,"working_dir":"/w"}}},"#,
        r#"{"id":5,"action":"think","args":{"thought":"hm"}},{"id":6,"action":"run","args":{"command":"C-c","is_input":true}}]}"#,
        "\n"
    );
    check(
        lines,
        "L1 tool \"make\" session=t1 actor=agent:openhands exec=yes failed exit=2 tool=execute_bash\n\
         L1 tool \"/w/a.c\" session=t1 actor=agent:openhands exec=yes ok tool=read\n\
         L1 tool \"{\\\"input\\\":\\\"C-c\\\"}\" session=t1 actor=agent:openhands cwd=/w tool=send_input\n",
    );
    assert_eq!(outputs(&OpenHands, "output.jsonl", lines.as_bytes()), ["no rule", "x", "-"]);
    assert!(read_all(&OpenHands, "o.jsonl", lines.as_bytes()).ends_with("nothing: 1\n"));
}

#[test]
fn old_files_have_neither_ids_nor_args() {
    check(
        concat!(
            r#"{"issue":{"number":12},"history":[{"command":"ls","action":"run","is_confirmed":"confirmed"},"#,
            r#"{"observation":"run","command":"ls","exit_code":0,"content":"a"},"#,
            r#"[{"code":"print(1)","action":"run_ipython"},{"observation":"run_ipython","content":"1"}],"#,
            r#"{"action":"finish","outputs":{}},{"observation":"null","content":""},{"action":"run","command":"rm a"}]}"#,
        ),
        "L1 tool \"ls\" session=12 actor=agent:openhands exec=yes ok exit=0 tool=execute_bash\n\
         L1 tool \"print(1)\" session=12 actor=agent:openhands exec=yes tool=execute_ipython_cell\n\
         L1 tool \"rm a\" session=12 actor=agent:openhands tool=execute_bash\n",
    );
}

#[test]
fn a_task_that_is_tried_again_is_another_session() {
    let line = r#"{"instance_id":"t","history":[{"id":1,"action":"run","args":{"command":"ls"}}]}"#;
    check(
        &format!("{line}\nbroken {{\n{line}\n"),
        "L1 tool \"ls\" session=t actor=agent:openhands tool=execute_bash\n\
         L2 issue: not a JSON record: expected value (it may have been cut off while the file was written or copied; read the original)\n\
         L3 tool \"ls\" session=t#2 actor=agent:openhands tool=execute_bash\n",
    );
}

#[test]
fn fields_of_other_shapes_do_no_harm() {
    check(
        concat!(
            r#"{"instance_id":["x"],"history":[1,"a",null,{"action":["run"]},{"id":{},"action":"run","args":"ls"},"#,
            r#"{"observation":"run","cause":{},"content":{"a":1},"extras":[1]}]}"#,
            "\n",
            r#"{"history":"none"}"#
        ),
        "L1 tool \"ls\" session=output actor=agent:openhands exec=yes tool=execute_bash\n",
    );
}

#[test]
fn the_newest_files_name_their_tools() {
    let lines = concat!(
        r#"{"instance_id":"t","history":[{"kind":"SystemPromptEvent","id":"e0","source":"agent"},"#,
        r#"{"kind":"ActionEvent","id":"e1","source":"agent","tool_name":"terminal","tool_call_id":"c1","action":{"command":"make","is_input":false,"kind":"TerminalAction"}},"#,
        r#"{"kind":"ObservationEvent","id":"e2","action_id":"e1","tool_name":"terminal","tool_call_id":"c1","observation":{"content":[{"type":"text","text":"no rule"}],"exit_code":2,"metadata":{"exit_code":2,"working_dir":"/w"}}},"#,
        r#"{"kind":"ActionEvent","id":"e3","tool_name":"file_editor","tool_call_id":"c3","action":{"command":"create","path":"/w/a","file_text":"x"}},"#,
        r#"{"kind":"UserRejectObservation","id":"e4","action_id":"e3","rejection_reason":"no"},"#,
        r#"{"kind":"ActionEvent","id":"e5","tool_name":"terminal","tool_call_id":"c5","action":null},"#,
        r#"{"kind":"AgentErrorEvent","id":"e6","tool_call_id":"c5","error":"bad arguments"},"#,
        r#"{"kind":"ActionEvent","id":"e7","tool_name":"finish","tool_call_id":"c7","action":{"message":"done"}}]}"#,
    );
    check(
        lines,
        "L1 tool \"make\" session=t actor=agent:openhands exec=yes failed exit=2 tool=terminal\n\
         L1 tool \"/w/a\" session=t actor=agent:openhands exec=no cwd=/w tool=file_editor\n\
         L1 tool \"\" session=t actor=agent:openhands failed cwd=/w tool=terminal gap=parameters-missing/anything\n",
    );
    assert_eq!(outputs(&OpenHands, "output.jsonl", lines.as_bytes()), ["no rule", "-", "bad arguments"]);
}
