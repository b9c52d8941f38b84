//! What a session made itself: that may go again without a question.

use rustc_hash::FxHashSet;

use crate::model::{Action, Area, Effect, Operation, PlaceKind, ResourceKind};

use super::line::{below, command, follows, has_switch, operands};

/// Things kept per session.
const MOST: usize = 1024;

/// Things that were not there before the session made them.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    things: FxHashSet<Thing>,
}

/// A thing and where it stands: a database of the same name on another server is another one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Thing {
    kind: ResourceKind,
    name: String,
    at: String,
}

impl Own {
    pub(super) fn is_empty(&self) -> bool {
        self.things.is_empty()
    }

    /// Takes in what an action that did not fail made or removed.
    pub(super) fn note(&mut self, action: &Action, effects: &[Effect], cwd: Option<&str>) {
        for effect in effects.iter().filter(|effect| !effect.dry_run) {
            match effect.operation {
                Operation::Create | Operation::Fetch if self.things.len() < MOST => {
                    self.things.extend(made(action, effect, cwd));
                }
                // What is made later under the same name may be somebody else's.
                Operation::Drop | Operation::Delete if !self.things.is_empty() => {
                    self.things.remove(&thing(action, effect));
                }
                _ => {}
            }
        }
    }

    /// Whether what `effects[index]` removes was made by this session, earlier or in the same line.
    pub(super) fn has(&self, action: &Action, effects: &[Effect], index: usize, cwd: Option<&str>) -> bool {
        let Some(effect) = effects.get(index) else { return false };
        let resource = &effect.resource;
        if resource.unresolved || resource.name.is_empty() || !can_be_made(resource.kind) {
            return false;
        }
        let wanted = thing(action, effect);
        let fits = |made: &Thing| {
            made.at == wanted.at
                && (made.kind == wanted.kind && made.name == wanted.name
                    || is_folder(wanted.kind) && made.kind == ResourceKind::Folder && inside(&wanted.name, &made.name))
        };
        if is_folder(resource.kind) {
            if self.things.iter().any(fits) {
                return true;
            }
        } else if self.things.contains(&wanted) {
            return true;
        }
        effects[..index]
            .iter()
            .filter(|earlier| matches!(earlier.operation, Operation::Create | Operation::Fetch) && !earlier.dry_run)
            .filter(|earlier| {
                action.kind == crate::model::Kind::Sql || follows(&action.text, earlier.span, effect.span)
            })
            .any(|earlier| made(action, earlier, cwd).is_some_and(|made| fits(&made)))
    }
}

fn inside(path: &str, folder: &str) -> bool {
    path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn is_folder(kind: ResourceKind) -> bool {
    matches!(kind, ResourceKind::Folder | ResourceKind::File)
}

fn can_be_made(kind: ResourceKind) -> bool {
    !matches!(kind, ResourceKind::WorkingTree | ResourceKind::Process | ResourceKind::Safeguard | ResourceKind::Log)
}

/// What an effect makes, when it is sure not to have been there before: the command would have failed.
fn made(action: &Action, effect: &Effect, cwd: Option<&str>) -> Option<Thing> {
    let words = command(&action.text, effect);
    if effect.operation == Operation::Fetch {
        let cloned = matches!(effect.by.as_str(), "git clone" | "gh repo clone");
        return cloned.then(|| clone_of(action, words, cwd)).flatten();
    }
    let resource = &effect.resource;
    let upper = || words.to_ascii_uppercase();
    let may_exist = match resource.kind {
        ResourceKind::Folder | ResourceKind::File => {
            effect.by != "mkdir" && effect.by != "mktemp" || has_switch(words, 'p', &["--parents"])
        }
        ResourceKind::Branch => has_switch(words, 'B', &[]) || has_switch(words, 'f', &["--force"]),
        // Making a volume or a network that is there already succeeds.
        ResourceKind::Volume | ResourceKind::Network => {
            effect.by.starts_with("docker") || effect.by.starts_with("podman")
        }
        _ => upper().contains("IF NOT EXISTS") || upper().contains("OR REPLACE") || effect.by.contains("apply"),
    };
    let named = !resource.name.is_empty() && !resource.unresolved && !resource.name.contains(['*', '?']);
    (named && !may_exist && can_be_made(resource.kind)).then(|| thing(action, effect))
}

/// The folder that a clone makes; git refuses one that has something in it.
fn clone_of(action: &Action, words: &str, cwd: Option<&str>) -> Option<Thing> {
    const VALUED: &[&str] =
        &["-b", "--branch", "--depth", "-o", "--origin", "-c", "--config", "-j", "--jobs", "--filter"];
    let words = operands(words, VALUED);
    let at = words.iter().position(|word| *word == "clone")?;
    let from = words.get(at + 1)?;
    let last = from.trim_end_matches('/').rsplit(['/', ':']).next()?;
    let folder = words.get(at + 2).copied().unwrap_or_else(|| last.trim_end_matches(".git"));
    Some(Thing { kind: ResourceKind::Folder, name: below(cwd, folder)?, at: host(action, None) })
}

fn thing(action: &Action, effect: &Effect) -> Thing {
    let resource = &effect.resource;
    // What the system calls a file may be the folder that was made.
    let kind = if resource.kind == ResourceKind::File { ResourceKind::Folder } else { resource.kind };
    let at = if kind == ResourceKind::Folder { host(action, Some(effect)) } else { place(action, effect) };
    Thing { kind, name: resource.name.trim_end_matches('/').to_owned(), at }
}

fn host(action: &Action, effect: Option<&Effect>) -> String {
    let named = effect.and_then(|effect| effect.places.iter().find(|place| place.kind == PlaceKind::Host));
    named.map(|place| place.name.clone()).or_else(|| action.surroundings.host.clone()).unwrap_or_default()
}

/// Everything that is said about where the effect takes place.
fn place(action: &Action, effect: &Effect) -> String {
    let around = &action.surroundings;
    let mut at: Vec<String> = effect.places.iter().map(|place| format!("{}={}", place.kind, place.name)).collect();
    at.sort();
    for (word, value) in [
        ("host", &around.host),
        ("database", &around.database),
        ("account", &around.account),
        ("cluster", &around.cluster),
    ] {
        if let Some(value) = value {
            at.push(format!("around {word}={value}"));
        }
    }
    // A database stands in itself.
    if effect.resource.kind == ResourceKind::Database {
        at.retain(|place| *place != format!("database={}", effect.resource.name));
    }
    at.join(" ")
}

/// The effect as one on the session's own work.
pub(super) fn mark(effect: &mut Effect) {
    effect.resource.areas = effect.resource.areas.with(Area::OwnWork);
}
