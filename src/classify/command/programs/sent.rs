//! `aws ssm send-command`: the lines that machines are to run stand in its parameters.

use serde_json::Value;

use crate::classify::command::{Stream, call::Call, written};
use crate::classify::{Language, Scene};

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let given = call.value("--parameters")?.clone();
    let from_file = given.text.strip_prefix("file://").map(|path| {
        let file = crate::classify::Word::known(path);
        written::text(scene, &file)
    });
    let (text, span) = match from_file {
        Some(known) => known?,
        None => (given.text.clone(), given.span),
    };
    let windows = call.value("--document-name").is_some_and(|name| name.text.contains("PowerShell"));
    let language = if windows { Language::PowerShell } else { Language::Shell };
    // The shorthand may go on in further words: `commands=[a,b] workingDirectory=/x`.
    let lines = lines(&text);
    scene.scoped(|scene| {
        scene.go_elsewhere();
        scene.run_word(language, &lines, span);
        scene.shell.take_output();
    });
    None
}

/// `commands=a`, `commands=["a","b"]`, `commands=[a,b]` or JSON with such a key.
fn lines(text: &str) -> String {
    let joined = |value: &Value| match value {
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"),
        Value::String(line) => line.clone(),
        _ => String::new(),
    };
    if let Ok(parameters) = serde_json::from_str::<Value>(text) {
        return parameters.get("commands").map(joined).unwrap_or_default();
    }
    let Some((_, code)) = text.split_once("commands=") else { return String::new() };
    let code = code.trim();
    if let Ok(value) = serde_json::from_str::<Value>(code) {
        return joined(&value);
    }
    let inside = code.strip_prefix('[').and_then(|code| code.strip_suffix(']'));
    inside.map_or_else(|| code.to_owned(), |lines| lines.split(',').collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn parameters_are_read_in_all_their_forms() {
        for text in [r#"{"commands":["a b","c"]}"#, r#"commands=["a b","c"]"#, "commands=[a b,c]"] {
            assert_eq!(lines(text), "a b\nc", "{text}");
        }
        assert_eq!(lines("commands=a \"b\""), "a \"b\"");
        assert_eq!(lines("workingDirectory=/x"), "");
    }
}
