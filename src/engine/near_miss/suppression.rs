//! Somebody looked at a group of near-misses and said that it is no risk: a small file named after it.
//!
//! ```toml
//! # .nearmiss/suppressed/1c0f9e0b2a7d.toml
//! by = "dana"
//! reason = "the table is filled anew every night"
//! rule = "sql.delete-all-production"
//! template = "DELETE FROM <t>"
//! until = "2027-01-31"
//! ```
//! The name is the group's own hash: when the rule changes, the group is shown again. What is hidden is always counted,
//! because a list of hidden things that only grows is how outages begin.

use std::fmt::Write as _;

use serde::Deserialize;

use super::group::{Group, GroupId};
use crate::engine::gate::{Day, toml_string};

/// One group that is not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    pub id: GroupId,
    pub reason: String,
    pub by: Option<String>,
    /// The last day on which it counts.
    pub until: Option<Day>,
    /// For readers of the file: what is not shown.
    pub rule: String,
    pub template: String,
}

/// A file that is no suppression.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct SuppressionError {
    pub file: String,
    pub problem: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    by: Option<String>,
    reason: String,
    rule: String,
    template: String,
    until: Option<String>,
}

impl Suppression {
    pub fn of(group: &Group, reason: String, by: Option<String>, until: Option<Day>) -> Self {
        let (rule, template) = (group.rule.id.clone(), group.template.clone());
        Self { id: group.id, reason, by, until, rule, template }
    }

    /// Whether it hides `group` on `today`. What it tells its readers is what it hides: the name alone would let a file
    /// say one thing and do another.
    pub fn hides(&self, group: &Group, today: Day) -> bool {
        self.id == group.id
            && self.rule == group.rule.id
            && self.template == group.template
            && self.until.is_none_or(|until| today <= until)
    }

    /// The name of its file.
    pub fn file_name(&self) -> String {
        format!("{}.toml", self.id)
    }

    /// The text of its file: sorted keys, nothing that changes by itself.
    pub fn written(&self) -> String {
        let mut text = String::new();
        let until = self.until.map(|until| until.to_string());
        let lines = [
            ("by", self.by.as_deref()),
            ("reason", Some(&*self.reason)),
            ("rule", Some(&*self.rule)),
            ("template", Some(&*self.template)),
            ("until", until.as_deref()),
        ];
        for (key, value) in lines {
            if let Some(value) = value {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{key} = {}", toml_string(value));
            }
        }
        text
    }

    /// Reads one file; `file` is its name, with folders.
    ///
    /// # Errors
    /// When its name is no group, or it is no TOML of this shape.
    pub fn parse(file: &str, text: &str) -> Result<Self, SuppressionError> {
        let wrong = |problem: String| SuppressionError { file: file.to_owned(), problem };
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        let id = name.strip_suffix(".toml").filter(|id| id.len() == 12).and_then(|id| u64::from_str_radix(id, 16).ok());
        let id = id.ok_or_else(|| wrong("it is not named after a group (12 hex digits)".to_owned()))?;
        let written: Written = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        if written.reason.trim().is_empty() {
            return Err(wrong("`reason` is empty".to_owned()));
        }
        let until = written.until.as_deref().map(str::parse).transpose().map_err(wrong)?;
        let Written { by, reason, rule, template, .. } = written;
        Ok(Self { id: GroupId(id), reason, by, until, rule, template })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Suppression {
        Suppression {
            id: GroupId(0x1c0f_9e0b_2a7d),
            reason: "filled \"anew\"\n".to_owned(),
            by: None,
            until: Some("2027-01-31".parse().unwrap()),
            rule: "a.b".to_owned(),
            template: "DELETE \u{1b}".to_owned(),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let suppression = sample();
        assert_eq!(Suppression::parse("x/1c0f9e0b2a7d.toml", &suppression.written()).unwrap(), suppression);
    }

    #[test]
    fn what_is_no_suppression_is_refused() {
        let text = sample().written();
        assert!(Suppression::parse("x.toml", &text).is_err());
        assert!(Suppression::parse("1c0f9e0b2a7d.toml", &text.replace("2027-01-31", "soon")).is_err());
        assert!(Suppression::parse("1c0f9e0b2a7d.toml", &text.replace("rule =", "rules =")).is_err());
        assert!(Suppression::parse("1c0f9e0b2a7d.toml", &text.replace("filled", "")).is_ok());
    }
}
