//! Cline, Roo Code and their kin: `tasks/<id>/api_conversation_history.json`. Old versions call their tools in tags inside
//! the text, new ones in blocks.
//!
//! `[{"role":"assistant","content":[{"type":"text","text":"<execute_command>\n<command>ls</command>\n</execute_command>"}]},{"role":"user","content":[{"type":"text","text":"[execute_command for 'ls'] Result:"},{"type":"text","text":"a"}]}]`

use std::collections::VecDeque;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::reader::transcript::{
    At, Document, List, Said, Talk, Word, ended, has, moment, number_after, ran, refused, whole,
};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct Cline;

const NAME: &str = "cline";
/// The tools that do something, as they are called in tags, each with its parameters.
const TOOLS: &[&str] = &[
    "execute_command",
    "read_file",
    "write_to_file",
    "replace_in_file",
    "apply_diff",
    "insert_content",
    "search_and_replace",
    "search_files",
    "list_files",
    "list_code_definition_names",
    "browser_action",
    "web_fetch",
    "use_mcp_tool",
    "access_mcp_resource",
    "new_task",
];
const PARAMETERS: &[&str] = &[
    "command",
    "cwd",
    "path",
    "content",
    "diff",
    "regex",
    "file_pattern",
    "recursive",
    "action",
    "url",
    "coordinate",
    "text",
    "server_name",
    "tool_name",
    "arguments",
    "uri",
    "operations",
    "line",
    "search",
    "replace",
    "message",
    "mode",
];

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Message<'a> {
    #[serde(borrow)]
    role: Word<'a>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    ts: Word<'a>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Block<'a> {
    #[serde(borrow)]
    text: Option<&'a RawValue>,
}

impl Reader for Cline {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Cline and Roo Code tasks (tasks/*/api_conversation_history.json)"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let has = |key| has(sample.head, key);
        let list = sample.head.trim_ascii_start().starts_with(b"[");
        if list && has("\"ts\"") && (has("\"say\"") || has("\"ask\"")) && has("\"type\"") {
            return Match::Likely;
        }
        if !list || !has("\"role\"") || !has("\"content\"") {
            return Match::No;
        }
        let task = has("<task>") || has("<user_message>") || has("<feedback>");
        let results = has("] Result:") && has(" for '");
        if has("<environment_details>") && (task || results) { Match::Certain } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut task = Task { talk: Talk::new(source, NAME, "cline", out), waiting: VecDeque::new(), seen: 0 };
        let Some(document) = Document::read(input) else {
            let _ = task.talk.calls.too_long(At::default());
            task.talk.finish();
            return Ok(());
        };
        if document.text().contains("\"say\"") && !document.text().contains("\"role\"") {
            let note = "this is what the window showed; the calls are in api_conversation_history.json beside it";
            let _ = task.talk.calls.note(At { line: 1, offset: 0 }, note);
        }
        if let Err(error) = document.each(&[], &mut |message, at| task.message(message, at)) {
            let _ = task.talk.calls.unreadable(At { line: error.line() as u64, offset: 0 }, &error);
        }
        task.talk.finish();
        document.broke.map_or(Ok(()), Err)
    }
}

struct Task<'o> {
    talk: Talk<'o>,
    /// Calls in tags that have no result yet: their tool and their id.
    waiting: VecDeque<(String, String)>,
    seen: usize,
}

impl Task<'_> {
    fn message(&mut self, element: &RawValue, at: At) -> ControlFlow<()> {
        let message: Message<'_> = match serde_json::from_str(element.get()) {
            Ok(message) => message,
            Err(_) if !element.get().starts_with('{') => return self.talk.calls.nothing(),
            Err(error) => return self.talk.calls.unreadable(at, &error),
        };
        self.talk.time = moment(message.ts.text()).or(self.talk.time);
        let content = message.content.map_or("null", RawValue::get);
        let blocks: List<Said<'_>> = serde_json::from_str(content).unwrap_or_default();
        if blocks.0.iter().any(|block| block.is_call() || block.is_result()) {
            return self.talk.element(element, at);
        }
        let texts = match whole(message.content) {
            Some(text) => vec![text],
            None => {
                let blocks: List<Block<'_>> = serde_json::from_str(content).unwrap_or_default();
                blocks.0.iter().filter_map(|block| whole(block.text)).collect()
            }
        };
        match message.role.text() {
            "assistant" => self.called(&texts.join("\n"), at),
            "user" => self.answered(&texts),
            _ => self.talk.calls.nothing(),
        }
    }

    fn called(&mut self, text: &str, at: At) -> ControlFlow<()> {
        self.talk.position += 1;
        // What was asked for before and never answered was not taken up.
        self.waiting.clear();
        let calls = tagged(text);
        if calls.is_empty() {
            return self.talk.calls.nothing();
        }
        for (tool, arguments) in calls {
            self.seen += 1;
            let id = format!("tag {}", self.seen);
            let (name, arguments) = mcp(&tool, arguments);
            self.talk.one(&id, &name, &arguments.to_string(), at)?;
            self.waiting.push_back((tool, id));
        }
        ControlFlow::Continue(())
    }

    /// `[tool for 'x'] Result:` and what came back, in the same text or in those that follow.
    fn answered(&mut self, texts: &[String]) -> ControlFlow<()> {
        let mut any = false;
        let mut at = 0;
        while let Some(text) = texts.get(at) {
            at += 1;
            let header = text.lines().next().unwrap_or_default();
            let Some(place) = header.find("] Result:").filter(|_| header.starts_with('[')) else { continue };
            let tool = header.get(1..place).unwrap_or_default().split_whitespace().next().unwrap_or_default();
            let Some(index) = self.waiting.iter().position(|(called, _)| called == tool) else { continue };
            let Some((_, id)) = self.waiting.remove(index) else { continue };
            let mut said = text.get(place + "] Result:".len()..).unwrap_or_default().trim().to_owned();
            while let Some(more) = texts.get(at).filter(|more| !starts_anew(more)) {
                said.push_str(more);
                at += 1;
            }
            any = true;
            self.talk.calls.settle(&id, came_to(&said))?;
        }
        if any { ControlFlow::Continue(()) } else { self.talk.calls.nothing() }
    }
}

/// Another result, or what is told to the model with every message.
fn starts_anew(text: &str) -> bool {
    let header = text.lines().next().unwrap_or_default();
    text.starts_with("<environment_details>") || header.starts_with('[') && header.contains("] Result:")
}

fn came_to(said: &str) -> crate::model::Outcome {
    let raw = serde_json::value::to_raw_value(said).ok();
    let failed_before = said.starts_with("The tool execution failed") || said.starts_with("Missing value for required");
    let stated = ended(raw.as_deref(), raw.as_deref(), failed_before.then_some(true));
    let code = number_after(said, "Exit code: ").filter(|_| said.starts_with("Command executed"));
    let outcome = match code {
        _ if said.starts_with("The user denied this operation") => refused(),
        Some(code) => ran(Some(code == 0), Some(code)),
        None => return stated,
    };
    crate::model::Outcome { output: stated.output, ..outcome }
}

/// The calls in tags, in their order.
fn tagged(text: &str) -> Vec<(String, Map<String, Value>)> {
    let mut calls = Vec::new();
    let mut rest = text;
    loop {
        let first = TOOLS.iter().filter_map(|tool| Some((rest.find(&format!("<{tool}>"))?, *tool))).min();
        let Some((begin, tool)) = first else { return calls };
        let inside = rest.get(begin + tool.len() + 2..).unwrap_or_default();
        let close = format!("</{tool}>");
        // A file that is written may itself tell of tools: then the last end is the end.
        let end = if inside.contains("<content>") { inside.rfind(&close) } else { inside.find(&close) };
        // Without an end the call was broken off while it was written, and not carried out.
        let Some(end) = end else { return calls };
        let (inside, after) = inside.split_at(end);
        calls.push((tool.to_owned(), parameters(inside)));
        rest = after.get(close.len()..).unwrap_or_default();
    }
}

fn parameters(inside: &str) -> Map<String, Value> {
    let mut found = Map::new();
    let mut rest = inside;
    loop {
        let first = PARAMETERS.iter().filter_map(|name| Some((rest.find(&format!("<{name}>"))?, *name))).min();
        let Some((begin, name)) = first else { return found };
        let value = rest.get(begin + name.len() + 2..).unwrap_or_default();
        let close = format!("</{name}>");
        let end = if matches!(name, "content" | "diff") { value.rfind(&close) } else { value.find(&close) };
        let Some(end) = end else { return found };
        let (value, after) = value.split_at(end);
        found.insert(name.to_owned(), Value::String(value.trim_matches('\n').to_owned()));
        rest = after.get(close.len()..).unwrap_or_default();
    }
}

/// A tool of a server is that tool, with what it is given.
fn mcp(tool: &str, arguments: Map<String, Value>) -> (String, Value) {
    let text = |key: &str| arguments.get(key).and_then(Value::as_str);
    if tool == "use_mcp_tool"
        && let (Some(server), Some(name)) = (text("server_name"), text("tool_name"))
    {
        let given = text("arguments").and_then(|given| serde_json::from_str(given).ok());
        return (format!("mcp__{server}__{name}"), given.unwrap_or_else(|| Value::Object(Map::new())));
    }
    (tool.to_owned(), Value::Object(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::transcript::shown;

    #[test]
    fn tags_are_calls() {
        let text = r#"[{"role":"user","content":"<task>x</task><environment_details></environment_details>"},
{"role":"assistant","content":[{"type":"text","text":"Go.\n<execute_command>\n<command>make a</command>\n<requires_approval>false</requires_approval>\n</execute_command>"}]},
{"role":"user","content":[{"type":"text","text":"[execute_command for 'make a'] Result:"},{"type":"text","text":"The user denied this operation."},{"type":"text","text":"<environment_details>y</environment_details>"}]},
{"role":"assistant","content":"<write_to_file>\n<path>a.md</path>\n<content>\n<read_file>\n</write_to_file>\n</content>\n</write_to_file>"},
{"role":"user","content":"[write_to_file for 'a.md'] Result:\n\nThe content was saved"},
{"role":"assistant","content":"<execute_command>\n<command>rm"}]"#;
        assert_eq!(
            shown(&Cline, "h.json", text.as_bytes()),
            "L2 tool \"make a\" session=h actor=agent:cline exec=no tool=execute_command\n\
             L4 tool \"a.md\" session=h actor=agent:cline exec=yes tool=write_to_file\n"
        );
    }
}
