//! What a session has seen of folders: what is in them, what was moved out of them, which of them are checkouts.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Action, Effect, Extent, Operation, ResourceKind};

use super::line::{below, operands};

/// Folders kept per session.
const MOST: usize = 256;
/// Longer listings are not kept.
const MOST_NAMES: usize = 200;

#[derive(Clone, Debug, Default)]
pub(super) struct Folders {
    /// By folder: the names a listing has shown.
    listed: BTreeMap<String, BTreeSet<String>>,
    /// By folder: the names that were moved out one by one.
    moved: BTreeMap<String, BTreeSet<String>>,
    /// Folders in which git has answered.
    checkouts: BTreeSet<String>,
}

impl Folders {
    pub(super) fn is_empty(&self) -> bool {
        self.moved.is_empty() && self.checkouts.is_empty()
    }

    /// Takes in an action that did not fail and was called in `cwd`.
    pub(super) fn note(&mut self, action: &Action, effects: &[Effect], cwd: Option<&str>) {
        if let [effect] = effects
            && effect.by == "ls"
            && effect.operation == Operation::List
            && let Some(output) = &action.outcome.output
        {
            self.list(&action.text, effect, output);
        }
        for effect in effects {
            if effect.by == "mv" && effect.operation == Operation::Update && effect.extent == Extent::One {
                if let Some((folder, name)) = effect.resource.name.rsplit_once('/')
                    && self.listed.contains_key(folder)
                {
                    self.moved.entry(folder.to_owned()).or_default().insert(name.to_owned());
                }
            } else if effect.by.starts_with("git ") && action.outcome.succeeded == Some(true) {
                self.checkout(&action.text, cwd);
            }
        }
    }

    fn list(&mut self, text: &str, effect: &Effect, output: &str) {
        let long = text.split_whitespace().any(|word| word.starts_with('-') && word.contains('l'));
        let names: BTreeSet<String> = output
            .lines()
            .filter(|line| !line.starts_with("total "))
            .flat_map(
                |line| if long { vec![line.split_whitespace().nth(8).unwrap_or_default()] } else { vec![line.trim()] },
            )
            .filter(|name| !name.is_empty() && *name != "." && *name != "..")
            .map(str::to_owned)
            .take(MOST_NAMES)
            .collect();
        if self.listed.len() < MOST {
            self.listed.insert(effect.resource.name.clone(), names);
        }
    }

    /// `cd x && git log`, `git -C x log`, or git where the session stands.
    fn checkout(&mut self, text: &str, cwd: Option<&str>) {
        let first = text.split("&&").next().map(|first| operands(first, &[])).unwrap_or_default();
        let folder = match &first[..] {
            ["cd", to] => below(cwd, to),
            _ if text.contains(" -C ") => None,
            _ => cwd.map(str::to_owned),
        };
        if let Some(folder) = folder.filter(|_| self.checkouts.len() < MOST) {
            self.checkouts.insert(folder);
        }
    }

    /// Removes a folder from which some of the listed things were moved out and others were not.
    pub(super) fn is_moved_in_part(&self, effect: &Effect) -> bool {
        let name = effect.resource.name.trim_end_matches('/');
        removes_folder(effect)
            && self.moved.get(name).is_some_and(|moved| {
                self.listed.get(name).is_some_and(|listed| listed.iter().any(|name| !moved.contains(name)))
            })
    }

    /// Removes a folder in which git has answered.
    pub(super) fn is_checkout(&self, effect: &Effect) -> bool {
        removes_folder(effect) && self.checkouts.contains(effect.resource.name.trim_end_matches('/'))
    }
}

/// Lists a folder or moves things out of it.
pub(super) fn concerns(effect: &Effect) -> bool {
    matches!(effect.by.as_str(), "ls" | "mv")
}

fn removes_folder(effect: &Effect) -> bool {
    matches!(effect.operation, Operation::Delete | Operation::Drop)
        && matches!(effect.resource.kind, ResourceKind::Folder | ResourceKind::File)
        && effect.cascades
        && !effect.dry_run
}
