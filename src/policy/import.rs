//! Rules of other guards as Cedar. Never looser than the original: what cannot be said exactly is said stricter, or is
//! named with the reason.
//!
//! Formats: Claude Code's permission settings, Codex' execpolicy rules, hoop's guardrails. Only their documentation was
//! looked at.

mod claude;
mod codex;
mod hoop;

use crate::model::words;

words! {
    /// Where rules come from.
    Origin { Hoop = "hoop", Codex = "codex", Claude = "claude" }
}

/// What became of a file.
#[derive(Clone, Debug, Default)]
pub struct Imported {
    pub rules: Vec<ImportedRule>,
    /// What could not be carried over.
    pub left: Vec<Left>,
}

/// One rule.
#[derive(Clone, Debug)]
pub struct ImportedRule {
    pub id: String,
    /// `ask` or `block`.
    pub decision: &'static str,
    /// As it stood in the file.
    pub original: String,
    pub message: String,
    /// `action == …` or nothing.
    action: Option<String>,
    conditions: Vec<String>,
    /// What is stricter than it was.
    pub stricter: Option<String>,
    /// Commands that it stops, and that it lets pass.
    pub stops: Vec<String>,
    pub passes: Vec<String>,
}

/// A line that was not carried over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// 1-based; 0 where the format has no lines.
    pub line: usize,
    pub original: String,
    pub reason: String,
}

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub struct ImportError {
    pub problem: String,
}

/// The format of `text`, by its content.
pub fn detect(text: &str) -> Option<Origin> {
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(text) {
        let first = json.as_array().map_or(Some(&json), |items| items.first());
        let has = |key: &str| first.is_some_and(|first| first.get(key).is_some());
        return if json.get("permissions").is_some() {
            Some(Origin::Claude)
        } else if has("input") || has("output") {
            Some(Origin::Hoop)
        } else {
            None
        };
    }
    text.contains("prefix_rule").then_some(Origin::Codex)
}

/// Reads the rules of one file.
///
/// # Errors
/// When it is not in that format at all.
pub fn import(text: &str, origin: Origin) -> Result<Imported, ImportError> {
    match origin {
        Origin::Claude => claude::read(text),
        Origin::Codex => codex::read(text),
        Origin::Hoop => hoop::read(text),
    }
}

impl ImportedRule {
    fn new(id: String, decision: &'static str, original: &str) -> Self {
        Self {
            id,
            decision,
            original: original.to_owned(),
            message: format!("A rule that was carried over stops this: {original}"),
            action: None,
            conditions: Vec::new(),
            stricter: None,
            stops: Vec::new(),
            passes: Vec::new(),
        }
    }

    /// In Cedar.
    pub fn text(&self) -> String {
        let mut text = format!("// {}\n", comment(&self.original));
        if let Some(stricter) = &self.stricter {
            text.push_str(&format!("// stricter than the original: {}\n", comment(stricter)));
        }
        let severity = if self.decision == "block" { "high" } else { "medium" };
        let notes =
            [("id", &*self.id), ("decision", self.decision), ("severity", severity), ("message", &self.message)];
        for (key, value) in notes {
            text.push_str(&format!("@{key}({})\n", quoted(value)));
        }
        let stops = if self.decision == "block" { "blocks" } else { "asks" };
        for (key, lines) in [(stops, &self.stops), ("allows", &self.passes)] {
            if !lines.is_empty() {
                let lines: Vec<String> = lines.iter().map(|line| inner(line)).collect();
                text.push_str(&format!("@{key}(\"{}\")\n", lines.join("\n")));
            }
        }
        let action = self.action.as_deref().unwrap_or("action");
        text.push_str(&format!(
            "forbid (principal, {action}, resource)\nwhen {{ {} }};\n",
            self.conditions.join(" && ")
        ));
        text
    }
}

/// A command that starts with these words, wherever in a line it stands.
fn starts_with(command: &str) -> String {
    let (plain, words) = (inner(command), pattern(command));
    // Behind whatever ends the command before it, or hands on to the next.
    let before = ["", "* ", "*;", "*|", "*&", "*(", "*`", "*\\n", "*\\t", "*\\\"", "*'", "*/"];
    let mut said = vec![format!("context.by == \"{plain}\""), format!("context.by like \"{words} *\"")];
    said.extend(before.iter().map(|start| format!("context.text like \"{start}{words}*\"")));
    format!("({})", said.join(" || "))
}

fn is_command() -> String {
    // Agents run commands through tools as well.
    "context.kind != Kind::\"sql\"".to_owned()
}

/// On one line of a comment.
fn comment(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// A string of Cedar.
fn quoted(text: &str) -> String {
    format!("\"{}\"", inner(text))
}

fn inner(text: &str) -> String {
    let mut inner = String::new();
    for letter in text.chars() {
        match letter {
            '"' => inner.push_str("\\\""),
            '\\' => inner.push_str("\\\\"),
            '\n' => inner.push_str("\\n"),
            '\r' => inner.push_str("\\r"),
            '\t' => inner.push_str("\\t"),
            letter if letter.is_control() => inner.push_str(&format!("\\u{{{:x}}}", u32::from(letter))),
            letter => inner.push(letter),
        }
    }
    inner
}

/// The fixed part of a pattern of Cedar.
fn pattern(text: &str) -> String {
    inner(text).replace('*', "\\*")
}

/// For an id: letters and digits, the rest as single hyphens.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for letter in text.chars().take(60) {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "rule".to_owned() } else { slug.to_owned() }
}
