//! SWE-agent's own commands, which look like shell and are not: `open src/a.py 7`, `edit 3:7 … end_of_edit`,
//! `str_replace_editor view /w/a.py --view_range 1 9`. They are read as calls of tools.

use serde_json::{Map, Value};

/// One of SWE-agent's own commands as a tool call.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Own {
    pub(super) tool: &'static str,
    /// JSON text.
    pub(super) arguments: String,
}

/// The commands with the names of their arguments; the last of them takes all further words. `=` stands for the file
/// that is open.
const COMMANDS: &[(&str, &[&str])] = &[
    ("open", &["path", "line_number"]),
    ("goto", &["line_number", "="]),
    ("scroll_up", &["="]),
    ("scroll_down", &["="]),
    ("create", &["path"]),
    ("edit", &["old_text", "new_text", "all", "="]),
    ("insert", &["content", "line_number", "="]),
    ("append", &["content", "="]),
    ("search_dir", &["pattern", "directory"]),
    ("search_file", &["pattern", "path"]),
    ("find_file", &["pattern", "directory"]),
    ("filemap", &["path"]),
    ("view_image", &["path"]),
    ("str_replace_editor", &["command", "path"]),
    ("undo_edit", &["path"]),
    ("submit", &["answer"]),
    ("exit_forfeit", &[]),
    ("exit_cost", &[]),
    ("exit_context", &[]),
    ("exit_format", &[]),
    ("exit_error", &[]),
    ("exit_api", &[]),
    // Of the capture-the-flag tools.
    ("decompile", &["path"]),
    ("disassemble", &["path"]),
    ("connect_start", &["host", "port"]),
    ("connect_sendline", &["input"]),
    ("connect_exec", &["input"]),
    ("connect_stop", &[]),
    ("debug_start", &["command"]),
    ("debug_add_breakpoint", &["breakpoint"]),
    ("debug_continue", &[]),
    ("debug_step", &[]),
    ("debug_exec", &["input"]),
    ("debug_stop", &[]),
];

/// Reads `action` if it is one of SWE-agent's own commands and nothing else; `open_file` is what its editor shows.
pub(super) fn read(action: &str, open_file: Option<&str>) -> Option<Own> {
    let end = action.find(|c: char| c.is_whitespace()).unwrap_or(action.len());
    let (name, rest) = action.split_at(end);
    let (tool, names) = COMMANDS.iter().find(|(command, _)| *command == name)?;
    let mut arguments = Map::new();
    if let Some((range, body)) = range_and_body(tool, rest) {
        arguments.insert("lines".to_owned(), range.into());
        arguments.insert("new_text".to_owned(), body.into());
    } else {
        let mut words = words(rest)?.into_iter();
        let mut place = 0;
        while let Some(word) = words.next() {
            if let Some(option) = word.strip_prefix("--").filter(|option| !option.is_empty()) {
                let (name, value) = match option.split_once('=') {
                    Some((name, value)) => (name, value.to_owned()),
                    None => (option, words.next().unwrap_or_default()),
                };
                arguments.insert(name.to_owned(), value.into());
                continue;
            }
            let last = names.iter().rposition(|name| *name != "=");
            let Some(name) = last.and_then(|last| names.get(place.min(last))) else { continue };
            match arguments.get_mut(*name) {
                Some(Value::String(before)) => {
                    before.push(' ');
                    before.push_str(&word);
                }
                _ => {
                    arguments.insert((*name).to_owned(), word.into());
                }
            }
            place += 1;
        }
    }
    if names.contains(&"=")
        && let Some(file) = open_file
    {
        arguments.entry("path").or_insert_with(|| file.into());
    }
    Some(Own { tool, arguments: Value::Object(arguments).to_string() })
}

/// `edit 3:7`, then lines of text, then `end_of_edit`.
fn range_and_body<'a>(tool: &str, rest: &'a str) -> Option<(&'a str, &'a str)> {
    if !matches!(tool, "edit" | "insert" | "append") {
        return None;
    }
    let (range, body) = rest.split_once('\n')?;
    let range = range.trim();
    let is_range = range.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b' ' | b'-'));
    if !is_range || range.is_empty() && tool != "append" {
        return None;
    }
    let body = body.trim_end();
    let body =
        ["end_of_edit", "end_of_insert", "end_of_append"].iter().find_map(|end| body.strip_suffix(end)).unwrap_or(body);
    // Behind the first end mark the shell would go on.
    let goes_on = ["\nend_of_edit\n", "\nend_of_insert\n", "\nend_of_append\n"].iter().any(|end| body.contains(end));
    (!goes_on).then_some((range, body))
}

/// Words as a shell splits them; `None` where the shell would do more than that.
fn words(text: &str) -> Option<Vec<String>> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let mut chars = text.trim().chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '\'' => break,
                        inside => word.push(inside),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '$' | '`' => return None,
                        '\\' => match chars.next()? {
                            escaped @ ('"' | '\\' | '$' | '`') => word.push(escaped),
                            '\n' => {}
                            other => word.extend(['\\', other]),
                        },
                        inside => word.push(inside),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(chars.next()?),
            '\n' | '\r' | ';' | '|' | '&' | '<' | '>' | '$' | '`' | '(' | ')' => return None,
            plain => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(action: &str, expected: &str) {
        let own = read(action, Some("/w/open.py")).map(|own| format!("{} {}", own.tool, own.arguments));
        assert_eq!(own.unwrap_or_else(|| "shell".to_owned()), expected);
    }

    #[test]
    fn its_own_commands_are_calls() {
        check("open src/a.py 7", r#"open {"path":"src/a.py","line_number":"7"}"#);
        check("goto 9", r#"goto {"line_number":"9","path":"/w/open.py"}"#);
        check("scroll_down", r#"scroll_down {"path":"/w/open.py"}"#);
        check(
            "edit 3:4\nx = 1\nend_of_edit",
            "edit {\"lines\":\"3:4\",\"new_text\":\"x = 1\\n\",\"path\":\"/w/open.py\"}",
        );
        check("edit 'a b' \"c\" True", r#"edit {"old_text":"a b","new_text":"c","all":"True","path":"/w/open.py"}"#);
        check("search_dir \"def f\" src", r#"search_dir {"pattern":"def f","directory":"src"}"#);
        check(
            "str_replace_editor str_replace /w/a --old_str 'x\ny' --new_str ''",
            r#"str_replace_editor {"command":"str_replace","path":"/w/a","old_str":"x\ny","new_str":""}"#,
        );
        check("submit", "submit {}");
        check("connect_start db.example 99", r#"connect_start {"host":"db.example","port":"99"}"#);
    }

    #[test]
    fn all_else_is_shell() {
        check("opener x", "shell");
        check("open a.py && rm -rf b", "shell");
        check("open \"$(rm b)\"", "shell");
        check("edit 3:4\nx\nend_of_edit\nrm -rf b\nend_of_edit", "shell");
        check("create a.py\nrm -rf b", "shell");
        check("cat a.py", "shell");
        check("", "shell");
    }
}
