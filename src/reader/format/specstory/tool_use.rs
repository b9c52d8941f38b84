//! One tool use as SpecStory shows it. Every agent's tools are shown a little differently:
//!
//! ```text
//! <summary>Tool use: **exec_command** `ls docs`</summary>     a command in the summary (Codex)
//! List the files                                              a description, then a command in a line (Claude Code)
//! `ls docs`
//! ```bash … ```                                               a command of several lines
//! **Add: `docs/a.md`**                                        a patch
//! ```text … ```                                               what came back
//! ```

use serde_json::json;

use crate::model::{Hides, Outcome};
use crate::reader::transcript::{failed, is_json, number_after, ran, refused};

/// What was called with what, and what came back.
#[derive(Debug)]
pub(super) struct ToolUse {
    pub(super) tool: String,
    /// JSON text; empty when nothing of them is shown.
    pub(super) arguments: String,
    pub(super) text: Option<String>,
    /// What arguments that are not shown can hide.
    pub(super) missing: Option<Hides>,
    pub(super) outcome: Outcome,
}

/// Tools that are shown without what they were given, and do nothing outside the agent whatever it was.
const HARMLESS: &[&str] = &["todo", "plan", "question", "permission", "mode", "think", "skill"];

impl ToolUse {
    /// Reads everything from `<tool-use` to `</tool-use>`; `None` without a name.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (tag, rest) = text.split_once('>')?;
        let attribute = |name: &str| {
            let (_, rest) = tag.split_once(&format!("{name}=\""))?;
            rest.split_once('"').map(|(value, _)| value).filter(|value| !value.is_empty())
        };
        let (summary, body) = match rest.split_once("</summary>") {
            Some((before, body)) => (before.split_once("<summary>").map_or("", |(_, summary)| summary), body),
            None => ("", rest),
        };
        let bold = summary.split("**").nth(1).filter(|name| !name.is_empty());
        let tool = attribute("data-tool-name").or(bold)?.to_owned();
        let sort = attribute("data-tool-type").unwrap_or("unknown");
        let body = body.trim_end();
        let body = body.strip_suffix("</tool-use>").unwrap_or(body).trim_end();
        let body = body.strip_suffix("</details>").unwrap_or(body);
        let shown = Shown::of(summary, body);
        let (arguments, text) = shown.arguments(&tool, sort);
        let outcome = ended(shown.output.unwrap_or_default(), shown.output.is_some());
        // A tool that reads or writes files does just that, to whichever file.
        let missing = matches!(sort, "read" | "write").then_some(Hides::Target);
        Some(Self { tool, arguments, text, missing, outcome })
    }
}

/// The parts of what is shown.
#[derive(Debug, Default)]
struct Shown<'a> {
    /// The command, the path or the pattern between backticks.
    quoted: Option<&'a str>,
    /// A command of several lines, or JSON; with its language.
    block: Option<(&'a str, &'a str)>,
    folder: Option<&'a str>,
    /// `**Update: `path`**`
    files: Vec<(&'a str, &'a str)>,
    /// All that stands before the output.
    before: String,
    output: Option<&'a str>,
}

impl<'a> Shown<'a> {
    fn of(summary: &'a str, body: &'a str) -> Self {
        let mut shown = Self::default();
        let behind_name = summary.splitn(3, "**").nth(2).unwrap_or_default().trim();
        shown.quoted = between_backticks(behind_name).or_else(|| {
            let (_, command) = behind_name.split_once("Run command: ")?;
            Some(between_backticks(command).unwrap_or(command.trim()))
        });
        let mut at = 0;
        while at < body.len() {
            let rest = &body[at..];
            let line = rest.split('\n').next().unwrap_or_default();
            let next = (at + line.len() + 1).min(body.len());
            let trimmed = line.trim();
            if let Some(language) = trimmed.strip_prefix("```") {
                let (inside, end) = block(body, next);
                match language.trim() {
                    "bash" | "sh" | "shell" | "zsh" | "powershell" | "json" | "sql" | "python"
                        if shown.block.is_none() && shown.output.is_none() =>
                    {
                        shown.block = Some((language.trim(), inside));
                    }
                    "diff" => {}
                    // The last one: what comes back stands at the end.
                    _ => shown.output = Some(inside),
                }
                at = end;
                continue;
            }
            at = next;
            if shown.output.is_some() || trimmed.is_empty() {
                continue;
            }
            let named = trimmed.strip_prefix("**").and_then(|rest| rest.strip_suffix("**"));
            if let Some((verb, path)) = named.and_then(|rest| rest.split_once(": "))
                && let Some(path) = between_backticks(path)
            {
                shown.files.push((verb, path));
            } else if let Some(folder) = trimmed.strip_prefix("Directory: ") {
                shown.folder = between_backticks(folder);
            } else if shown.quoted.is_none() && shown.block.is_none() {
                shown.quoted = between_backticks(trimmed);
            }
            shown.before.push_str(trimmed);
            shown.before.push('\n');
        }
        shown
    }

    /// The arguments as JSON, and the text to show where it is not to be read from them.
    fn arguments(&self, tool: &str, sort: &str) -> (String, Option<String>) {
        let nothing = (String::new(), None);
        if let Some((language @ ("json" | "sql" | "python"), inside)) = self.block
            && sort != "shell"
        {
            return match language {
                "json" if is_json(inside) => (inside.to_owned(), None),
                "sql" => (json!({ "sql": inside }).to_string(), None),
                _ => (json!({ "code": inside }).to_string(), None),
            };
        }
        match sort {
            "shell" => {
                let Some(command) = self.block.map(|(_, inside)| inside).or(self.quoted) else { return nothing };
                let mut arguments = json!({ "command": command });
                if let Some(folder) = self.folder
                    && let Some(object) = arguments.as_object_mut()
                {
                    object.insert("cwd".to_owned(), folder.into());
                }
                (arguments.to_string(), Some(command.to_owned()))
            }
            _ if !self.files.is_empty() => {
                let mut patch = "*** Begin Patch\n".to_owned();
                for (verb, path) in &self.files {
                    let verb = match *verb {
                        "Add" | "Create" => "Add File",
                        "Delete" | "Remove" => "Delete File",
                        "Move" | "Move to" => "Move to",
                        _ => "Update File",
                    };
                    patch.push_str(&format!("*** {verb}: {path}\n"));
                }
                patch.push_str("*** End Patch");
                (json!({ "input": patch }).to_string(), Some(patch))
            }
            "read" | "write" | "search" => {
                let told = self.output.and_then(file_told_of).filter(|_| sort == "write");
                match self.quoted.or(told) {
                    Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
                        (json!({ "url": url }).to_string(), None)
                    }
                    Some(pattern) if sort == "search" => (json!({ "pattern": pattern }).to_string(), None),
                    Some(path) => (json!({ "path": path }).to_string(), None),
                    // A search reads, wherever it looks.
                    None if sort == "search" => ("{}".to_owned(), Some(self.before.trim().to_owned())),
                    None => nothing,
                }
            }
            _ => {
                let name = tool.to_lowercase();
                let said = self.before.trim();
                if said.is_empty() && !HARMLESS.iter().any(|word| name.contains(word)) && sort != "task" {
                    return nothing;
                }
                (json!({ "description": said }).to_string(), Some(said.to_owned()))
            }
        }
    }
}

/// The text between the first backtick and the last, when there is nothing around them.
fn between_backticks(text: &str) -> Option<&str> {
    text.trim().strip_prefix('`')?.strip_suffix('`').filter(|inside| !inside.is_empty() && *inside != "``")
}

/// So many fences inside a block are looked past for its end.
const MAX_INNER_FENCES: usize = 32;

/// The inside of a fenced block that begins at `from`, and where what follows it begins. Fences inside are not escaped:
/// the block ends where something follows that can follow a block.
fn block(body: &str, from: usize) -> (&str, usize) {
    let (mut first, mut fences) = (None, 0);
    let mut at = from;
    for line in body[from..].split_inclusive('\n') {
        let (start, end) = (at, at + line.len());
        at = end;
        if line.trim_end() != "```" {
            continue;
        }
        let follows = body[end..].trim_start();
        let label = |label: &str| follows.starts_with(label);
        first = first.or(Some((start, end)));
        fences += 1;
        if fences > MAX_INNER_FENCES {
            break;
        }
        if follows.is_empty()
            || label("```text")
            || label("```\n")
            || label("Output:")
            || label("Result:")
            || label("**")
        {
            first = Some((start, end));
            break;
        }
    }
    match first {
        Some((start, end)) => (body[from..start].trim_end_matches('\n'), end),
        None => (body[from..].trim_end_matches('\n'), body.len()),
    }
}

/// The file that an editing tool says it has changed, where the call itself is not shown.
fn file_told_of(output: &str) -> Option<&str> {
    let output = output.trim_start();
    if let Some((path, _)) = output.strip_prefix("The file ").and_then(|rest| rest.split_once(" has been ")) {
        return Some(path);
    }
    let path = output.strip_prefix("File created successfully at: ")?.lines().next()?;
    Some(path.split(" (").next().unwrap_or(path).trim())
}

/// How it ended, as far as the words that came back tell it.
fn ended(output: &str, is_there: bool) -> Outcome {
    let said = output.trim_start();
    let keep = |printed: &str, outcome| Outcome { output: Some(Outcome::kept(printed)), ..outcome };
    if !is_there {
        return Outcome::default();
    }
    if ["Chunk ID: ", "Wall time: ", "Exit code: "].iter().any(|header| said.starts_with(header)) {
        let (header, printed) = said.split_once("\nOutput:").unwrap_or((said, ""));
        let code = ["Process exited with code ", "Exit code: "].iter().find_map(|label| number_after(header, label));
        return keep(printed.trim_start_matches('\n'), ran(code.map(|code| code == 0), code));
    }
    if let Some(rest) = said.strip_prefix("Exit code ") {
        let (first, printed) = rest.split_once('\n').unwrap_or((rest, ""));
        if let Ok(code) = first.trim().parse::<i32>() {
            return keep(printed, ran(Some(code == 0), Some(code)));
        }
    }
    let refusals = [
        "The user doesn't want to proceed with this tool use",
        "The user doesn't want to take this action right now",
        "Claude requested permissions to ",
        "User rejected",
    ];
    if refusals.iter().any(|words| said.starts_with(words)) {
        return refused();
    }
    match said.strip_prefix("<tool_use_error>") {
        Some(error) if error.starts_with("File has ") || error.starts_with("String to replace") => refused(),
        Some(_) => keep(output, failed()),
        None => keep(output, ran(None, None)),
    }
}
