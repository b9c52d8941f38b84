//! What a reviewer says of what was found, as files of the project: every write is listed and can be taken back.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::engine::expect::{Expect, NewCase, Twin, expected};
use crate::engine::gate::{Day, toml_string};
use crate::engine::near_miss::suppression::Suppression;
use crate::model::{Action, Decision, words};
use crate::report::redacted;

use super::entry::Entry;
use super::judge::{Change, WhatIf, changed};

words! {
    /// What somebody says of a group.
    Label {
        TrueNearMiss = "true near-miss",
        NoRisk = "no risk",
        NeedsContext = "needs context",
        PolicyGap = "policy gap",
    }
}

/// Where a project keeps what is written.
#[derive(Clone, Debug)]
pub struct Project {
    /// `.nearmiss/cases/review`
    pub cases: PathBuf,
    /// `.nearmiss/suppressed`
    pub suppressed: PathBuf,
    /// `.nearmiss/policy`
    pub rules: PathBuf,
    /// `.nearmiss/labels`
    pub labels: PathBuf,
    /// Who labels, where that is known.
    pub by: Option<String>,
}

/// One file, as it was and as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Write {
    pub(super) path: PathBuf,
    before: Option<String>,
    after: String,
}

/// Something that was done: all its files, or none.
#[derive(Clone, Debug)]
pub(super) struct Deed {
    pub(super) key: String,
    pub(super) label: Label,
    pub(super) writes: Vec<Write>,
    /// What there is to know about it.
    pub(super) note: Option<String>,
}

/// All labels of the project and of this review.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// By the key of the group.
    given: BTreeMap<String, Label>,
    pub(super) done: Vec<Deed>,
    undone: Vec<Deed>,
    /// The user has been told once where files go.
    pub(super) confirmed: bool,
    /// Files that are no labels.
    pub(super) problems: Vec<String>,
}

impl Labels {
    /// Those that stand in the project already.
    pub(super) fn read(project: &Project) -> Self {
        let mut labels = Self::default();
        let Ok(files) = fs::read_dir(&project.labels) else { return labels };
        let mut paths: Vec<PathBuf> = files.flatten().map(|file| file.path()).collect();
        paths.sort();
        for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "toml")) {
            match label_in(path) {
                Ok((key, label)) => {
                    labels.given.insert(key, label);
                }
                Err(problem) => labels.problems.push(format!("{}: {problem}", path.display())),
            }
        }
        labels
    }

    pub(super) fn of(&self, key: &str) -> Option<Label> {
        self.given.get(key).copied()
    }

    pub(super) fn count(&self, label: Label) -> usize {
        self.given.values().filter(|given| **given == label).count()
    }

    pub(super) fn can_undo(&self) -> bool {
        !self.done.is_empty()
    }

    pub(super) fn can_redo(&self) -> bool {
        !self.undone.is_empty()
    }

    /// Writes the files of a label.
    pub(super) fn give(&mut self, deed: Deed) -> Result<(), String> {
        self.carry_out(deed)?;
        self.undone.clear();
        Ok(())
    }

    fn carry_out(&mut self, deed: Deed) -> Result<(), String> {
        for (at, write) in deed.writes.iter().enumerate() {
            if let Err(problem) = put(&write.path, write.before.as_deref(), Some(&write.after)) {
                // What was written of it already goes again.
                for write in deed.writes[..at].iter().rev() {
                    let _ = put(&write.path, Some(&write.after), write.before.as_deref());
                }
                return Err(problem);
            }
        }
        self.given.insert(deed.key.clone(), deed.label);
        self.done.push(deed);
        Ok(())
    }

    /// Takes the last label back; says which.
    pub(super) fn undo(&mut self) -> Result<String, String> {
        let Some(deed) = self.done.pop() else { return Err("there is nothing to take back".to_owned()) };
        for write in deed.writes.iter().rev() {
            if let Err(problem) = put(&write.path, Some(&write.after), write.before.as_deref()) {
                self.done.push(deed);
                return Err(problem);
            }
        }
        let earlier = self.done.iter().rev().find(|other| other.key == deed.key).map(|other| other.label);
        match earlier.or_else(|| deed.writes.iter().find_map(Write::label_before)) {
            Some(label) => self.given.insert(deed.key.clone(), label),
            None => self.given.remove(&deed.key),
        };
        let said = format!("took back: {}", deed.label);
        self.undone.push(deed);
        Ok(said)
    }

    pub(super) fn redo(&mut self) -> Result<String, String> {
        let Some(deed) = self.undone.pop() else { return Err("there is nothing to write again".to_owned()) };
        let said = format!("wrote again: {}", deed.label);
        if let Err(problem) = self.carry_out(deed.clone()) {
            self.undone.push(deed);
            return Err(problem);
        }
        Ok(said)
    }
}

impl Write {
    fn new(path: PathBuf, after: String) -> Self {
        let before = fs::read_to_string(&path).ok();
        Self { path, before, after }
    }

    fn label_before(&self) -> Option<Label> {
        parsed(self.before.as_deref()?).ok().map(|(_, label)| label)
    }
}

/// Puts a file from one state to another; refuses when it is in neither.
fn put(path: &Path, from: Option<&str>, to: Option<&str>) -> Result<(), String> {
    let shown = path.display();
    let is = fs::read_to_string(path).ok();
    if is.as_deref() != from {
        return Err(format!("{shown} is not as it was left: nothing was written"));
    }
    let done = match to {
        Some(text) => {
            let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
            folder.and_then(|()| fs::write(path, text))
        }
        None => fs::remove_file(path),
    };
    done.map_err(|error| format!("failed to write {shown}: {error}"))
}

fn label_in(path: &Path) -> Result<(String, Label), String> {
    parsed(&fs::read_to_string(path).map_err(|error| error.to_string())?)
}

fn parsed(text: &str) -> Result<(String, Label), String> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "what stands there for readers of the file")]
    struct Written {
        label: String,
        group: String,
        rule: Option<String>,
        template: Option<String>,
        action: Option<String>,
        by: Option<String>,
    }
    let written: Written = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    let label = Label::from_word(&written.label).ok_or_else(|| format!("`{}` is no label", written.label))?;
    Ok((written.group, label))
}

/// A name for files that says which group it is.
fn file_name(entry: &Entry) -> String {
    let id = match &entry.group {
        Some(group) => group.id.to_string(),
        None => crate::engine::digest(entry.key.as_bytes())[..12].to_owned(),
    };
    format!("{id}.toml")
}

/// The file that says which label a group has.
fn label_file(project: &Project, entry: &Entry, label: Label) -> Write {
    let rule = entry.rule.as_ref().map(|rule| rule.id.as_str());
    let id = entry.id().to_string();
    let template = redacted(&entry.template);
    let lines = [
        ("label", Some(label.word())),
        ("group", Some(entry.key.as_str())),
        ("rule", rule),
        ("template", Some(&*template)),
        ("action", Some(&id)),
        ("by", project.by.as_deref()),
    ];
    let line = |(key, value): (&str, Option<&str>)| Some(format!("{key} = {}\n", toml_string(value?)));
    Write::new(project.labels.join(file_name(entry)), lines.into_iter().filter_map(line).collect())
}

/// A label by itself.
pub(super) fn plain(project: &Project, entry: &Entry, label: Label) -> Deed {
    Deed { key: entry.key.clone(), label, writes: vec![label_file(project, entry, label)], note: None }
}

/// A gap of the policy, and the rule that closes it.
pub(super) fn rule(project: &Project, entry: &Entry, rule: &str) -> Deed {
    let mut deed = plain(project, entry, Label::PolicyGap);
    let name = file_name(entry).replace(".toml", ".cedar");
    // A policy that is one file takes no second one beside it without a word in nearmiss.toml.
    let folder = if project.rules.extension().is_some() { project.rules.parent() } else { Some(&*project.rules) };
    let file = folder.unwrap_or(&project.rules).join(format!("suggested-{name}"));
    deed.writes.push(Write::new(file, rule.to_owned()));
    deed.note = Some("the rule is in force from the next start on; `nearmiss check` looks at it".to_owned());
    deed
}

/// "No risk": the group is not shown until a day.
pub(super) fn no_risk(project: &Project, entry: &Entry, reason: String, until: Day) -> Option<Deed> {
    let suppression = Suppression::of(entry.group.as_deref()?, reason, project.by.clone(), Some(until));
    let file = Write::new(project.suppressed.join(suppression.file_name()), suppression.written());
    let mut deed = plain(project, entry, Label::NoRisk);
    deed.writes.push(file);
    deed.note = Some(format!("hidden until {until}, from the next start on"));
    Some(deed)
}

/// What is known of the action that becomes a case.
#[derive(Debug)]
pub(super) struct Evidence<'a> {
    pub(super) action: &'a Action,
    pub(super) decision: Decision,
    /// What is said of it without its session.
    pub(super) alone: Decision,
    pub(super) what_ifs: &'a [WhatIf],
}

/// A case of the action and, where one change makes the difference, its twin.
pub(super) fn case(project: &Project, entry: &Entry, label: Label, evidence: &Evidence<'_>) -> Deed {
    let mut deed = plain(project, entry, label);
    let Evidence { action, decision, alone, what_ifs } = evidence;
    if alone != decision {
        // A case that says something else than what was recorded would hold the policy to the wrong thing.
        deed.note = Some("no case was written: by itself, without its session, it is judged otherwise".to_owned());
        return deed;
    }
    let rule = entry.rule.as_ref().map(|rule| rule.id.as_str());
    let expect = if label == Label::PolicyGap { Expect::Stop } else { expected(*decision) };
    let name = match label {
        Label::PolicyGap => format!("should be stopped: {}", entry.template),
        _ => format!("{}: {}", rule.unwrap_or(entry.badge.as_str()), entry.template),
    };
    let stops = |decision: Decision| decision >= Decision::Ask;
    let flip = what_ifs.iter().find(|what_if| stops(what_if.decision) != stops(*decision));
    let flip = flip.filter(|_| label != Label::PolicyGap);
    let other = flip.and_then(|flip| Some((flip, changed(action, std::slice::from_ref(&flip.change))?)));
    let said = other.as_ref().map(|(flip, _)| differs(&flip.change));
    let twin = match &other {
        Some((flip, action)) => Twin::Written {
            differs: said.as_deref().unwrap_or_default(),
            expect: expected(flip.decision),
            rule: flip.rule.as_deref(),
            action,
        },
        None => Twin::Blank,
    };
    let new =
        NewCase { name: &name, expect, rule: if stops(*decision) { rule } else { None }, before: &[], action, twin };
    let text = new.toml(&|text| redacted(text).into_owned());
    deed.writes.push(Write::new(project.cases.join(file_name(entry)), text));
    deed
}

/// What a twin has otherwise.
pub(super) fn differs(change: &Change) -> String {
    match change {
        Change::Environment(environment) => format!("the environment is {environment}"),
        Change::Actor(kind) => format!("the actor is {kind}"),
        Change::Approved(true) => "somebody has approved it".to_owned(),
        Change::Approved(false) => "nobody has approved it".to_owned(),
        Change::Text(_) => "one slip of the hand".to_owned(),
    }
}
