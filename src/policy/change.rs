//! What differs between two policies, rule by rule: conditions, what a rule says of itself, and the line it stands on.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::annotation::Annotations;
use super::{Policy, Rule};
use crate::model::{RuleInfo, words};

/// A rule or permit that is not the same in both policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleChange {
    pub id: String,
    pub what: Changed,
    /// As the policies before and after the change have it; `None` for permits, and where it is missing.
    pub base: Option<Arc<RuleInfo>>,
    pub head: Option<Arc<RuleInfo>>,
    /// Conditions that only one side has, in the order in which they are written; those taken away first.
    pub conditions: Vec<ConditionChange>,
    /// Annotations that decide (`decision`, `mode`, `severity`, `unless_known`), with their value on both sides.
    pub annotations: Vec<(String, Option<String>, Option<String>)>,
    /// Where the change is seen: in the policy after it, or before it for what is gone. The line is 1-based.
    pub file: String,
    pub line: usize,
}

words! {
    /// What became of a rule.
    Changed { Added = "added", Removed = "removed", Edited = "edited" }
}

/// A condition that only one of the two policies has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionChange {
    /// In the policy after the change; otherwise it was taken away.
    pub added: bool,
    /// As a person would write it.
    pub text: String,
}

/// What a rule says of itself and a verdict depends on.
const DECIDING: &[&str] = &["decision", "mode", "severity", "unless_known"];

impl Policy {
    /// What is different here from what it was in `base`, in the order of this policy; what is gone comes last.
    pub fn changes_from(&self, base: &Self) -> Vec<RuleChange> {
        let before: BTreeMap<&str, &Rule> = base.compiled.iter().map(|rule| (rule.id.as_str(), rule)).collect();
        let mut changes = Vec::new();
        for rule in &self.compiled {
            match before.get(rule.id.as_str()) {
                None => changes.push(alone(self, rule, Changed::Added)),
                Some(old) => changes.extend(edited(base, old, self, rule)),
            }
        }
        let gone = base.compiled.iter().filter(|rule| !self.by_id.contains_key(&rule.id));
        changes.extend(gone.map(|rule| alone(base, rule, Changed::Removed)));
        changes
    }

    /// What a verdict by this rule hangs on, as 16 hex digits: its conditions in any order, and what it decides. The same
    /// in every file and on every line; `None` for what is no rule here.
    pub fn fingerprint(&self, id: &str) -> Option<String> {
        let rule = self.compiled.get(*self.by_id.get(id)?)?;
        let mut parts = texts(self, rule);
        parts.sort_unstable();
        let mut hash = Sha256::new();
        let decides = deciding(rule).into_iter().map(|(key, value)| format!("@{key} {}", value.unwrap_or_default()));
        for part in parts.into_iter().map(str::to_owned).chain(decides) {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        Some(hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }
}

fn texts<'p>(policy: &'p Policy, rule: &Rule) -> Vec<&'p str> {
    rule.test.all.iter().filter_map(|index| policy.conjuncts.get(*index)).map(|conjunct| conjunct.text()).collect()
}

/// The decision is written down only where it is not `block`, and so on: what is meant counts.
fn deciding(rule: &Rule) -> Vec<(&'static str, Option<String>)> {
    let value = |key: &&'static str| {
        let value = match (*key, &rule.info) {
            ("decision", Some(info)) => Some(info.decision.word().to_owned()),
            ("mode", Some(info)) => Some(info.mode.word().to_owned()),
            ("severity", Some(info)) => Some(info.severity.word().to_owned()),
            (key, _) => rule.annotations.get(key).map(str::to_owned),
        };
        (*key, value)
    };
    DECIDING.iter().map(value).collect()
}

fn alone(policy: &Policy, rule: &Rule, what: Changed) -> RuleChange {
    let added = what == Changed::Added;
    let conditions = texts(policy, rule).into_iter();
    let (base, head) = if added { (None, rule.info.clone()) } else { (rule.info.clone(), None) };
    RuleChange {
        id: rule.id.clone(),
        what,
        base,
        head,
        conditions: conditions.map(|text| ConditionChange { added, text: text.to_owned() }).collect(),
        annotations: Vec::new(),
        file: rule.source.name().to_owned(),
        line: line(rule, 0),
    }
}

fn edited(base: &Policy, old: &Rule, head: &Policy, new: &Rule) -> Option<RuleChange> {
    let (before, after) = (texts(base, old), texts(head, new));
    let only = |these: &[&str], those: &[&str], added| {
        let missing = these.iter().filter(|text| !those.contains(text));
        missing.map(|text| ConditionChange { added, text: (*text).to_owned() }).collect::<Vec<_>>()
    };
    let mut conditions = only(&before, &after, false);
    conditions.extend(only(&after, &before, true));
    let pairs = deciding(old).into_iter().zip(deciding(new));
    let annotations: Vec<_> = pairs
        .filter(|(before, after)| before != after)
        .map(|((key, before), (_, after))| (key.to_owned(), before, after))
        .collect();
    if conditions.is_empty() && annotations.is_empty() && old.test.permit == new.test.permit {
        return None;
    }
    Some(RuleChange {
        id: new.id.clone(),
        what: Changed::Edited,
        base: old.info.clone(),
        head: new.info.clone(),
        conditions,
        annotations,
        file: new.source.name().to_owned(),
        line: line(new, first_difference(statement(old), statement(new))),
    })
}

fn statement(rule: &Rule) -> &str {
    rule.source.inner().get(rule.range.clone()).unwrap_or_default()
}

/// The line of the file on which a byte of a rule's text stands.
fn line(rule: &Rule, offset: usize) -> usize {
    super::statement::line(rule.source.inner(), rule.range.start + offset)
}

/// Where `new` says something else than `old`: in what it stops, or else in what it decides.
fn first_difference(old: &str, new: &str) -> usize {
    let body = |text: &str| Annotations::split(text).map_or(0, |(_, body)| text.len() - body.len());
    let (old_head, old_body) = old.split_at(body(old));
    let (new_head, new_body) = new.split_at(body(new));
    let words = |text: &str| text.split_whitespace().collect::<String>();
    if words(old_body) != words(new_body) {
        return new_head.len() + first_new_line(old_body, new_body, |_| true);
    }
    let decides =
        |line: &str| DECIDING.iter().any(|key| line.strip_prefix('@').is_some_and(|line| line.starts_with(key)));
    first_new_line(old_head, new_head, decides)
}

/// The first line of interest that `old` does not have; where lines were only lost, the last one before the loss.
fn first_new_line(old: &str, new: &str, of_interest: impl Fn(&str) -> bool) -> usize {
    // A condition more moves the semicolon to another line, which is no change of the one it stood on.
    let bare = |line: &str| line.trim().trim_end_matches(';').to_owned();
    let known: Vec<String> = old.lines().map(bare).collect();
    let mut at = 0;
    for line in new.split_inclusive('\n') {
        let words = bare(line);
        if !words.is_empty() && of_interest(&words) && !known.contains(&words) {
            return at + (line.len() - line.trim_start().len());
        }
        at += line.len();
    }
    let same = old.lines().zip(new.lines()).take_while(|(old, new)| old.trim() == new.trim()).count();
    new.split_inclusive('\n').take(same.saturating_sub(1)).map(str::len).sum()
}
