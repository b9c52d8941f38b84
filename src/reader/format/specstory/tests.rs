use super::*;
use crate::reader::collect::outputs;
use crate::reader::transcript::shown;

#[track_caller]
fn check(history: &str, expected: &str, printed: &[&str]) {
    let head = "<!-- Codex CLI Session 5f0c (2026-01-05 09:00:00Z) -->\n_**Agent (m 2026-01-05 09:00:02Z)**_\n";
    let history = format!("{head}{history}");
    let expected = expected.replace(" BY ", " session=5f0c actor=agent:codex ");
    assert_eq!(shown(&SpecStory, "h.md", history.as_bytes()), expected);
    assert_eq!(outputs(&SpecStory, "h.md", history.as_bytes()), printed);
}

fn used(sort: &str, tool: &str, inside: &str) -> String {
    format!(
        "<tool-use data-tool-type=\"{sort}\" data-tool-name=\"{tool}\"><details>\n<summary>Tool use: **{tool}**{inside}\n</details></tool-use>\n\n"
    )
}

#[test]
fn commands_stand_in_three_places() {
    let text = [
        used(
            "shell",
            "exec_command",
            " `ls a`</summary>\n```\nChunk ID: 1\nProcess exited with code 2\nOutput:\nno\n```",
        ),
        used("shell", "Bash", "</summary>\nLook\n\n`echo \"`date`\"`\n\n```text\nExit code 1\nx\n```\ny\n```"),
        used("shell", "Bash", "</summary>\nWrite\n\n```bash\ncat > a <<'EOF'\n```\nEOF\nrm b\n```\n\n```text\nok\n```"),
        used("shell", "run_command", "</summary>\nDirectory: `/w`\n\n`make`\n\nOutput:\n```text\ndone\n```"),
        used("shell", "run_terminal_cmd", " • Run command: `npm test`</summary>\n\n"),
    ];
    check(
        &text.concat(),
        "L3 tool \"ls a\" BY exec=yes failed exit=2 tool=exec_command\n\
         L13 tool \"echo \\\"`date`\\\"\" BY exec=yes failed exit=1 tool=Bash\n\
         L27 tool \"cat > a <<'EOF'\\n```\\nEOF\\nrm b\" BY exec=yes tool=Bash\n\
         L43 tool \"make\" BY exec=yes cwd=/w tool=run_command\n\
         L55 tool \"npm test\" BY tool=run_terminal_cmd\n",
        &["no", "x\n```\ny", "ok", "done", "-"],
    );
}

#[test]
fn files_and_patches() {
    let text = [
        used("read", "Read", "</summary>\n `./a.go`\n\n```text\n1\tx\n```"),
        used("write", "Edit", "</summary>\n\n```text\nThe file /w/a.go has been updated successfully. (note)\n```"),
        used(
            "write",
            "Edit",
            "</summary>\n\n```text\n<tool_use_error>File has not been read yet.</tool_use_error>\n```",
        ),
        used(
            "write",
            "apply_patch",
            "</summary>\n**Add: `b.md`**\n\n```diff\n+x\n```\n**Delete: `c.md`**\n\n```diff\n```",
        ),
        used("generic", "AskUserQuestion", "</summary>\n**Which one?**\n\n\n**Answer:** this"),
        used("generic", "delete_repo", "</summary>\n"),
    ];
    check(
        &text.concat(),
        "L3 tool \"./a.go\" BY exec=yes tool=Read\n\
         L12 tool \"/w/a.go\" BY exec=yes tool=Edit\n\
         L20 tool \"\" BY exec=no tool=Edit gap=parameters-missing/target\n\
         L28 tool \"*** Begin Patch\\n*** Add File: b.md\\n*** Delete File: c.md\\n*** End Patch\" BY tool=apply_patch\n\
         L41 tool \"**Which one?**\\n**Answer:** this\" BY tool=AskUserQuestion\n\
         L49 tool \"\" BY tool=delete_repo gap=parameters-missing/anything\n",
        &["1\tx", "The file /w/a.go has been updated successfully. (note)", "-", "-", "-", "-"],
    );
}

#[test]
fn what_is_broken_is_said() {
    check(
        "_**User (2026-01-05 09:00:03Z)**_\n<bash-input>git status</bash-input>\n<tool-use >\n</tool-use>\n<tool-use data-tool-type=\"shell\" data-tool-name=\"Bash\"><details>\n<summary>Tool use: **Bash**</summary>\n`rm a`\n",
        "L4 shell \"git status\" session=5f0c actor=human:user\n\
         L5 issue: a tool use that does not name its tool\n\
         L7 note: the file ends inside this tool use\n\
         L7 tool \"rm a\" BY tool=Bash\n",
        &["-", "-"],
    );
}

#[test]
fn many_fences_are_quick() {
    let started = std::time::Instant::now();
    let text = used("shell", "Bash", &format!("</summary>\n`ls`\n{}", "```\nx\n".repeat(400_000)));
    assert!(shown(&SpecStory, "h.md", text.as_bytes()).contains("tool \"ls\""));
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
