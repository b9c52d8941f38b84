//! What a session has done so far, carried from one action to the next.
//!
//! [`Session::familiar`] says what an action means to this very session (it drops what it made, it resets a clean
//! tree), [`Session::facts`] what a policy may know of what went before, [`Session::note`] takes the action in.

mod bearing;
mod contents;
mod folders;
mod in_force;
mod line;
mod own;
mod secrets;
mod versions;
mod window;
mod worktree;

use std::sync::Arc;

use super::given::{Store, Words};
use crate::classify::Known;
use crate::model::{
    Action, ActionId, Area, Environment, Executed, Extent, Kind, Operation, ResourceKind, Reversibility, SessionFact,
    SessionFacts, Understanding, Zone,
};

pub(crate) use bearing::Bearing;
use folders::Folders;
use in_force::InForce;
use own::Own;
use versions::Versions;
use window::Window;
use worktree::Trees;

/// Variables kept per session.
const MAX_VARIABLES: usize = 256;

/// The state of one session.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// Shared with what is remembered of each action, so that an unchanged one is neither copied nor compared.
    known: Arc<Known>,
    /// The names of the variables that are known.
    variables: Words,
    /// Files and names that later actions may run; an action is told of those it names.
    given: Option<Arc<Store>>,
    /// The folder the record gave last: when the record's own word changes, it goes before what we worked out.
    recorded_cwd: Option<String>,
    facts: SessionFacts,
    environment: Option<Environment>,
    /// Things destroyed lately.
    losses: Window<()>,
    /// Losses of things that are no files, lately.
    repeated: Window<()>,
    /// Tables that were counted as a whole lately.
    counted: Window<String>,
    own: Own,
    trees: Trees,
    folders: Folders,
    in_force: InForce,
    versions: Versions,
    /// The last action that gave each fact.
    causes: [Option<ActionId>; SessionFact::ALL.len()],
    /// The same session as the other side of a comparison sees it, where names mean something else there.
    base: Option<Box<Session>>,
}

impl Session {
    pub(crate) fn base(&mut self) -> &mut Self {
        self.base.get_or_insert_default()
    }

    /// What earlier actions left behind for the classifier.
    pub(crate) fn known(&mut self, action: &Action) -> Arc<Known> {
        let recorded = &action.surroundings.cwd;
        if recorded.is_some() && *recorded != self.recorded_cwd {
            self.recorded_cwd.clone_from(recorded);
            Arc::make_mut(&mut self.known).cwd.clone_from(recorded);
        }
        // The text of a tool call shows its arguments; other actions have none.
        let arguments = action.arguments.as_deref().filter(|it| **it != *action.text).unwrap_or_default();
        let Some(store) = &self.given else { return Arc::clone(&self.known) };
        let given = store.named_by([&action.text, arguments], &self.known.variables, self.variables);
        if given.is_empty() {
            return Arc::clone(&self.known);
        }
        Arc::new(Known { given, ..Known::clone(&self.known) })
    }

    /// The action whose record gave a fact.
    pub fn cause(&self, fact: SessionFact) -> Option<ActionId> {
        self.causes[fact as usize]
    }

    /// The facts before `action`.
    pub(crate) fn facts(&mut self, action: &Action, understood: &Understanding) -> SessionFacts {
        self.repeated.forget(action.time);
        self.losses.forget(action.time);
        self.counted.forget(action.time);
        self.facts.destroyed_recently = self.losses.len() as u64;
        self.facts.repeated = self.repeated.len() as u64;
        self.facts.sweep = self.counted.len() as u64;
        let mut facts = self.facts;
        if !self.trees.is_empty() {
            let tree = self.trees.at(self.known.cwd.as_deref());
            facts.dirty_tree = tree.dirty == Some(true);
            facts.untracked_files = tree.untracked == Some(true);
        }
        if !self.folders.is_empty() {
            let own = |effect: &crate::model::Effect| effect.resource.areas.has(Area::OwnWork);
            let effects = &understood.effects;
            facts.is_checkout = effects.iter().any(|effect| self.folders.is_checkout(effect) && !own(effect));
            facts.moved_in_part = effects.iter().any(|effect| self.folders.is_moved_in_part(effect) && !own(effect));
        }
        facts
    }

    /// What is understood of the action, as this session knows it; `None` when that changes nothing.
    pub(crate) fn familiar(
        &self,
        action: &Action,
        understood: &Understanding,
        bearing: Bearing,
    ) -> Option<Understanding> {
        let own = bearing.removes && (bearing.makes_before || !self.own.is_empty());
        let concerned = own || bearing.discards || bearing.dry_run || !self.in_force.is_empty();
        if !bearing.familiar || !concerned {
            return None;
        }
        let effects = &understood.effects;
        let cwd = self.known.cwd.as_deref();
        let mut changed: Option<Understanding> = None;
        let mut tree = self.trees.at(cwd);
        for (index, effect) in effects.iter().enumerate() {
            let can_be_familiar = can_be_familiar(effect);
            let own = can_be_familiar && removes(effect) && self.own.has(action, effects, index, cwd);
            let place = if can_be_familiar { self.in_force.of(action, effect) } else { None };
            let harmless = worktree::discards(effect) && is_harmless(tree, action, effect);
            if effect.by.starts_with("git ") && effect.operation != Operation::List {
                // Within one line only what cannot run after a failure counts.
                let next = effects.get(index + 1..).unwrap_or_default();
                if next.iter().any(|next| line::follows(&action.text, effect.span, next.span)) {
                    tree = worktree::after(tree, action, effect);
                } else {
                    tree = self.trees.at(cwd);
                }
            }
            let doubt = self.versions.doubt(action, effect);
            if !own && place.is_none() && !harmless && doubt.is_none() {
                continue;
            }
            let changed = changed.get_or_insert_with(|| understood.clone());
            let seen = &mut changed.effects[index];
            if own {
                own::mark(seen);
            }
            seen.places.extend(place);
            if harmless {
                seen.reversible = Reversibility::Yes;
            }
            match doubt {
                Some(versions::Doubt::Broken) => seen.dry_run = false,
                Some(versions::Doubt::Unknown(gap)) => changed.gaps.push(gap),
                None => {}
            }
        }
        changed
    }

    /// Takes in what `action` did. A call that was refused did nothing but get refused.
    pub(crate) fn note(
        &mut self,
        action: &Action,
        understood: &Understanding,
        bearing: Bearing,
        environment: Environment,
    ) {
        if action.outcome.executed == Executed::No {
            self.facts.denials += 1;
            self.because(SessionFact::Denials, action);
            return;
        }
        let failed = action.outcome.succeeded == Some(false) || action.outcome.exit_code.is_some_and(|code| code != 0);
        self.facts.last_failed = failed;
        if failed {
            self.because(SessionFact::LastFailed, action);
        }
        if self.environment.is_some_and(|before| before != environment) {
            self.facts.switched_environment = true;
            self.because(SessionFact::SwitchedEnvironment, action);
        }
        self.environment = Some(environment);
        self.note_folder(action, understood, failed);
        if !failed {
            self.note_state(action, understood, bearing);
        } else {
            self.trees.doubt();
        }
        if bearing.counts {
            for effect in understood.effects.iter().filter(|effect| !effect.dry_run) {
                self.note_effect(action, effect);
            }
        }
        if bearing.reads_strangers {
            self.facts.read_untrusted = true;
            self.because(SessionFact::ReadUntrusted, action);
        }
        self.remember(action, understood);
        for plan in contents::outdated(understood) {
            if let Some(store) = self.given.as_mut() {
                Arc::make_mut(store).forget(plan);
            }
        }
        if !failed && let Some(shown) = contents::shown(action, understood, self.known.cwd.as_deref()) {
            let known = self.given.as_ref().and_then(|store| store.text_of(&shown.0)).map_or(0, str::len);
            // A part that was looked at again says less than the whole.
            let says_more = shown.1.as_ref().and_then(|it| it.text.as_ref()).is_some_and(|text| text.len() * 2 > known);
            if says_more {
                Arc::make_mut(self.given.get_or_insert_default()).take(&[shown]);
            }
        }
    }

    /// What only a success changes.
    fn note_state(&mut self, action: &Action, understood: &Understanding, bearing: Bearing) {
        let known = Arc::clone(&self.known);
        let cwd = known.cwd.as_deref();
        // Logs of servers name what failed; elsewhere a result has to be there to be believed.
        if bearing.changes_things && (action.outcome.succeeded == Some(true) || action.kind == Kind::Sql) {
            self.own.note(action, &understood.effects, cwd);
        }
        self.trees.note(action, understood, bearing, cwd);
        if bearing.concerns_folders {
            self.folders.note(action, &understood.effects, cwd);
        }
        if bearing.asks_version {
            self.versions.note(action);
        }
        if bearing.may_switch && self.in_force.note(action) {
            self.facts.switched_environment = true;
            self.because(SessionFact::SwitchedEnvironment, action);
        }
    }

    fn note_effect(&mut self, action: &Action, effect: &crate::model::Effect) {
        let resource = &effect.resource;
        let facts = &mut self.facts;
        match effect.operation {
            Operation::Read if secrets::is_secret(effect) => {
                facts.read_secret = true;
                self.because(SessionFact::ReadSecret, action);
            }
            Operation::Fetch if effect.zone != Some(Zone::Local) => {
                facts.read_untrusted = true;
                self.because(SessionFact::ReadUntrusted, action);
            }
            Operation::Read if secrets::is_untrusted(effect) => {
                facts.read_untrusted = true;
                self.because(SessionFact::ReadUntrusted, action);
            }
            Operation::Disable => {
                facts.turned_guard_off = true;
                self.because(SessionFact::TurnedGuardOff, action);
            }
            _ => {}
        }
        if effect.operation == Operation::Read && resource.kind == ResourceKind::Table && counts_all(action, effect) {
            let new = !self.counted.events().any(|name| *name == resource.name);
            if new {
                self.counted.push(action.time, resource.name.clone());
                self.because(SessionFact::Sweep, action);
            }
        }
        let own = resource.areas.has(Area::OwnWork) || resource.areas.has(Area::Ephemeral);
        if matches!(effect.operation, Operation::Delete | Operation::Drop | Operation::Rewrite) && !own {
            self.facts.destroyed += 1;
            self.losses.push(action.time, ());
            self.because(SessionFact::Destroyed, action);
            self.because(SessionFact::DestroyedRecently, action);
            if worktree::discards(effect) && effect.reversible != Reversibility::Yes {
                self.facts.lost_work = true;
                self.because(SessionFact::LostWork, action);
            }
        }
        if is_a_loss(effect) && !own {
            self.repeated.push(action.time, ());
            self.because(SessionFact::Repeated, action);
        }
    }

    /// Did the last attempt to make a folder or to change into one succeed?
    fn note_folder(&mut self, action: &Action, understood: &Understanding, failed: bool) {
        let makes = understood
            .effects
            .iter()
            .any(|effect| effect.operation == Operation::Create && effect.resource.kind == ResourceKind::Folder);
        if !makes && !understood.writes.moved {
            return;
        }
        let alone = understood.effects.iter().all(|effect| effect.operation == Operation::Create);
        let said = action.outcome.output.as_deref().is_some_and(|output| {
            output.contains("annot create directory") || output.contains("cd:") && output.contains("o such file")
        });
        self.facts.folder_missing = said || failed && alone;
        if self.facts.folder_missing {
            self.because(SessionFact::FolderMissing, action);
        }
    }

    const fn because(&mut self, fact: SessionFact, action: &Action) {
        self.causes[fact as usize] = Some(action.id);
    }

    fn remember(&mut self, action: &Action, understood: &Understanding) {
        let writes = &understood.writes;
        if !writes.given.is_empty() {
            Arc::make_mut(self.given.get_or_insert_default()).take(&writes.given);
        }
        if !writes.moved && writes.variables.is_empty() {
            return;
        }
        let known = Arc::make_mut(&mut self.known);
        // A `cd` that failed leaves the session where it was.
        if writes.moved && !self.facts.folder_missing {
            known.cwd.clone_from(&writes.cwd);
            if let Some(back) = action.outcome.output.as_deref().and_then(put_back) {
                known.cwd = Some(back.to_owned());
            }
        }
        for (name, value) in &writes.variables {
            if known.variables.len() < MAX_VARIABLES || known.variables.contains_key(name) {
                self.variables.insert(name);
                known.variables.insert(name.clone(), value.clone());
            }
        }
    }
}

/// Agents that keep their shell inside the project say so when they put it back after a `cd`.
fn put_back(output: &str) -> Option<&str> {
    let (_, folder) = output.rsplit_once("Shell cwd was reset to ")?;
    folder.lines().next().map(str::trim).filter(|folder| folder.starts_with(['/', '~']))
}

/// It is about a thing that a session can have made, or it takes place where the session has switched to.
fn can_be_familiar(effect: &crate::model::Effect) -> bool {
    !matches!(effect.operation, Operation::Read | Operation::List | Operation::Connect | Operation::Fetch)
}

fn removes(effect: &crate::model::Effect) -> bool {
    matches!(effect.operation, Operation::Delete | Operation::Drop | Operation::Update | Operation::Rewrite)
}

/// What it throws away is not there, or was put aside.
fn is_harmless(tree: worktree::Tree, action: &Action, effect: &crate::model::Effect) -> bool {
    let words = line::command(&action.text, effect);
    if words.contains(" -C ") || words.contains("--work-tree") {
        return false;
    }
    if effect.by == "git clean" {
        // Ignored files are nowhere else.
        return tree.untracked == Some(false)
            && !line::has_switch(words, 'x', &[])
            && !line::has_switch(words, 'X', &[]);
    }
    tree.dirty == Some(false)
}

/// `SELECT count(*) FROM t` without a condition.
fn counts_all(action: &Action, effect: &crate::model::Effect) -> bool {
    let counts = |text: &str| text.as_bytes().get(..12).is_some_and(|head| head.eq_ignore_ascii_case(b"select count"));
    action.kind == Kind::Sql && effect.extent == Extent::All && counts(action.text.trim_start())
}

/// A deletion, a stop or the like of something that is no file and no single row.
fn is_a_loss(effect: &crate::model::Effect) -> bool {
    let files = matches!(
        effect.resource.kind,
        ResourceKind::File
            | ResourceKind::Folder
            | ResourceKind::WorkingTree
            | ResourceKind::Process
            | ResourceKind::Package
            | ResourceKind::Container
            | ResourceKind::Image
            | ResourceKind::Code
    );
    let loses = matches!(
        effect.operation,
        Operation::Delete | Operation::Drop | Operation::Rewrite | Operation::Stop | Operation::Revoke
    );
    let one_row = effect.resource.kind == ResourceKind::Table
        && effect.operation == Operation::Delete
        && effect.extent != Extent::All;
    loses && !files && !one_row && effect.reversible != Reversibility::Yes
}

#[cfg(test)]
mod tests {
    use super::put_back;

    #[test]
    fn a_shell_that_is_put_back_is_where_its_agent_says() {
        assert_eq!(put_back("ok\n\nShell cwd was reset to /home/mira/shop"), Some("/home/mira/shop"));
        assert_eq!(put_back("no such luck"), None);
    }
}
