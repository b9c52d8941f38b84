//! Somebody said yes to one change: a small file named after it.
//!
//! ```toml
//! # .nearmiss/accepted/1c0f9e0b2a7d.toml
//! by = "dana"
//! reason = "a lease does not overwrite what others pushed"
//! rules = ["git.rewrite-branch"]
//! template = "git push --force-with-lease <ref>"
//! transition = "block -> allow"
//! until = "2027-01-31"
//! ```
//! The name is the change's own hash, so it survives a rebase and does not survive a further change.

use std::fmt;
use std::fmt::Write as _;

use serde::Deserialize;

use crate::engine::compare::{ChangeId, Group};

/// Somebody said yes to one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    pub id: ChangeId,
    pub reason: String,
    pub by: Option<String>,
    /// The last day on which it counts.
    pub until: Option<Day>,
    /// For readers of the file: what was accepted.
    pub transition: String,
    pub template: String,
    pub rules: Vec<String>,
}

/// A day of the calendar, written `2027-01-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub jiff::civil::Date);

impl std::str::FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| format!("`{text}` is no day; write it like `2027-01-31`"))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A file that is no acceptance.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct AcceptanceError {
    pub file: String,
    pub problem: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    by: Option<String>,
    reason: String,
    rules: Vec<String>,
    template: String,
    transition: String,
    until: Option<String>,
}

impl Acceptance {
    /// An acceptance of `group`.
    pub fn of(group: &Group, reason: String, by: Option<String>, until: Option<Day>) -> Self {
        let mut rules: Vec<String> = group.rules().map(|rule| rule.id.clone()).collect();
        rules.sort();
        rules.dedup();
        Self {
            id: group.id,
            reason,
            by,
            until,
            transition: format!("{} -> {}", group.base, group.head),
            template: group.template.clone(),
            rules,
        }
    }

    /// What it tells its readers is what it accepts; the name alone would let a file say one thing and do another.
    pub fn is_about(&self, group: &Group) -> bool {
        let meant = Self::of(group, String::new(), None, None);
        (&self.transition, &self.template, &self.rules) == (&meant.transition, &meant.template, &meant.rules)
    }

    /// The name of its file.
    pub fn file_name(&self) -> String {
        format!("{}.toml", self.id)
    }

    /// The text of its file: sorted keys, nothing that changes by itself.
    pub fn written(&self) -> String {
        let mut text = String::new();
        let mut line = |key: &str, value: &str| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{key} = {}", toml_string(value));
        };
        if let Some(by) = &self.by {
            line("by", by);
        }
        line("reason", &self.reason);
        let rules: Vec<String> = self.rules.iter().map(|rule| toml_string(rule)).collect();
        let _ = writeln!(text, "rules = [{}]", rules.join(", "));
        let mut line = |key: &str, value: &str| {
            let _ = writeln!(text, "{key} = {}", toml_string(value));
        };
        line("template", &self.template);
        line("transition", &self.transition);
        if let Some(until) = self.until {
            line("until", &until.to_string());
        }
        text
    }

    /// Reads one file; `file` is its name, with folders.
    ///
    /// # Errors
    /// When its name is no change, or it is no TOML of this shape.
    pub fn parse(file: &str, text: &str) -> Result<Self, AcceptanceError> {
        let wrong = |problem: String| AcceptanceError { file: file.to_owned(), problem };
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        let id = name.strip_suffix(".toml").filter(|id| id.len() == 12).and_then(|id| u64::from_str_radix(id, 16).ok());
        let id = ChangeId(id.ok_or_else(|| wrong("it is not named after a change (12 hex digits)".to_owned()))?);
        let written: Written = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        if written.reason.trim().is_empty() {
            return Err(wrong("`reason` is empty".to_owned()));
        }
        let until = written.until.as_deref().map(str::parse).transpose().map_err(wrong)?;
        Ok(Self {
            id,
            reason: written.reason,
            by: written.by,
            until,
            transition: written.transition,
            template: written.template,
            rules: written.rules,
        })
    }
}

/// A basic string of TOML; escapes are those of JSON but for `\/` and DEL.
pub(crate) fn toml_string(text: &str) -> String {
    let mut written = String::from("\"");
    for char in text.chars() {
        match char {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\t' => written.push_str("\\t"),
            char if char.is_control() => {
                let _ = write!(written, "\\u{:04X}", u32::from(char));
            }
            char => written.push(char),
        }
    }
    written.push('"');
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Acceptance {
        Acceptance {
            id: ChangeId(0x1c0f_9e0b_2a7d),
            reason: "a \"lease\" is safe\n".to_owned(),
            by: Some("dana".to_owned()),
            until: Some("2027-01-31".parse().unwrap()),
            transition: "block -> allow".to_owned(),
            template: "git push \u{1b}".to_owned(),
            rules: vec!["a".to_owned(), "b".to_owned()],
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let acceptance = sample();
        let read = Acceptance::parse("x/1c0f9e0b2a7d.toml", &acceptance.written()).unwrap();
        assert_eq!(read, acceptance);
    }

    #[test]
    fn what_is_no_acceptance_is_refused() {
        let text = sample().written();
        assert!(Acceptance::parse("x.toml", &text).is_err());
        assert!(Acceptance::parse("1c0f9e0b2a7d.toml", &text.replace("2027-01-31", "soon")).is_err());
        assert!(Acceptance::parse("1c0f9e0b2a7d.toml", &text.replace("by =", "bye =")).is_err());
    }
}
