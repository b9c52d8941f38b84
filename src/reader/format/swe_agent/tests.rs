use super::*;
use crate::reader::collect::outputs;
use crate::reader::transcript::shown;

#[track_caller]
fn check(document: &str, expected: &str) {
    assert_eq!(shown(&SweAgent, "t7.traj", document.as_bytes()), expected);
}

#[test]
fn old_states_are_before_and_new_ones_after() {
    let old = r#"{"trajectory":[
{"action":"cd src\n","observation":"","state":"{\"open_file\":\"n/a\",\"working_dir\":\"/w\"}"},
{"action":"ls\n","observation":"a.py","state":"{\"open_file\":\"n/a\",\"working_dir\":\"/w/src\"}"},
{"action":"","observation":"format"}]}"#;
    check(
        old,
        "L2 tool \"cd src\" session=t7 actor=agent:swe-agent exec=yes cwd=/w tool=bash\n\
         L3 tool \"ls\" session=t7 actor=agent:swe-agent exec=yes cwd=/w/src tool=bash\n",
    );
    assert_eq!(outputs(&SweAgent, "t7.traj", old.as_bytes()), ["", "a.py"]);
    check(
        r#"{"trajectory":[
{"action":"cd src","observation":"","state":{"open_file":"n/a","working_dir":"/w/src"}},
{"action":"vim a","observation":"Operation 'vim a' is not supported by this environment.","state":{}}]}"#,
        "L2 tool \"cd src\" session=t7 actor=agent:swe-agent exec=yes tool=bash\n\
         L3 tool \"vim a\" session=t7 actor=agent:swe-agent exec=no cwd=/w/src tool=bash\n",
    );
}

#[test]
fn a_history_alone_tells_its_calls_in_three_ways() {
    let document = r#"{"history":[
{"role":"user","content":"ISSUE","agent":"main"},
{"role":"assistant","content":"demo\n```\nrm x\n```","is_demo":true},
{"role":"assistant","content":"I look.\n```\nls -F\n```"},
{"role":"user","content":"a\n(Open file: /w/a.py)\n(Current directory: /w)\nbash-$"},
{"role":"assistant","content":"<command>\ngoto 3\n</command>"},
{"role":"user","content":"[File]"},
{"role":"assistant","content":"","tool_calls":[{"function":{"name":"bash","arguments":"{\"command\":\"pytest\"}"},"id":"c"}]},
{"role":"tool","content":"ok","tool_call_ids":["c"]},
{"role":"assistant","content":"no command at all"}]}"#;
    check(
        document,
        "L4 tool \"ls -F\" session=t7 actor=agent:swe-agent exec=yes tool=bash\n\
         L6 tool \"goto 3\" session=t7 actor=agent:swe-agent exec=yes cwd=/w tool=goto\n\
         L8 tool \"pytest\" session=t7 actor=agent:swe-agent exec=yes cwd=/w tool=bash\n",
    );
    assert_eq!(outputs(&SweAgent, "t7.traj", document.as_bytes()), ["a", "[File]", "ok"]);
}

#[test]
fn a_document_that_breaks_off_keeps_what_came_before() {
    check(
        "{\"trajectory\":[\n{\"action\":\"ls\",\"observation\":\"a\"},\n7,{\"action\":[1]},{\"action\":\"rm",
        "L2 tool \"ls\" session=t7 actor=agent:swe-agent exec=yes tool=bash\n\
         L3 issue: not a JSON record: EOF while parsing a string (it may have been cut off while the file was written or copied; read the original)\n",
    );
}
