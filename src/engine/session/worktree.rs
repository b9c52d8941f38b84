//! What is known about the working trees a session has looked at: are there changes, are there files git does not know?

use std::collections::BTreeMap;

use crate::model::{Action, Effect, Hides, Operation, ResourceKind, Understanding};

use super::bearing::Bearing;
use super::line::{command, has_switch, operands};

/// Trees kept per session.
const MOST: usize = 64;

/// One tree; `None` means that nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tree {
    /// Tracked files with changes that are not committed.
    pub(super) dirty: Option<bool>,
    /// Files that git does not know.
    pub(super) untracked: Option<bool>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Trees {
    /// By the folder git was called in; without one, the session's own.
    trees: BTreeMap<String, Tree>,
    /// Something was learnt of one of them: without results nothing ever is.
    told: bool,
}

impl Trees {
    pub(super) fn is_empty(&self) -> bool {
        self.trees.is_empty()
    }

    /// What is known of the tree that `folder` stands in.
    pub(super) fn at(&self, folder: Option<&str>) -> Tree {
        if !self.told {
            return Tree::default();
        }
        let Some(folder) = folder else { return self.trees.get("").copied().unwrap_or_default() };
        let mut at = folder;
        loop {
            if let Some(tree) = self.trees.get(at) {
                return *tree;
            }
            match at.rsplit_once('/') {
                Some((above, _)) if !above.is_empty() => at = above,
                Some(_) => return Tree::default(),
                // A folder below the one where the session began.
                None => return self.trees.get("").copied().unwrap_or_default(),
            }
        }
    }

    fn set(&mut self, folder: Option<&str>, tree: Tree) {
        let key = folder.unwrap_or_default();
        self.told |= tree != Tree::default();
        if let Some(before) = self.trees.get_mut(key) {
            *before = tree;
        } else if self.trees.len() < MOST {
            self.trees.insert(key.to_owned(), tree);
        }
    }

    /// Takes in an action that did not fail.
    pub(super) fn note(&mut self, action: &Action, understood: &Understanding, bearing: Bearing, folder: Option<&str>) {
        if !bearing.uses_git {
            // Whatever else changes something may have changed files of the tree.
            if !bearing.only_looks {
                self.doubt();
            }
            return;
        }
        let mut tree = self.at(folder);
        for effect in understood.effects.iter().filter(|effect| !effect.dry_run) {
            tree = after(tree, action, effect);
        }
        self.set(folder, tree);
        // Without a result nobody knows whether it did what it was to do.
        if action.outcome.succeeded != Some(true) {
            self.doubt();
        }
    }

    /// Nothing is known to be clean any more.
    pub(super) fn doubt(&mut self) {
        if !self.told {
            return;
        }
        for tree in self.trees.values_mut() {
            tree.dirty = tree.dirty.filter(|dirty| *dirty);
            tree.untracked = tree.untracked.filter(|untracked| *untracked);
        }
    }
}

/// Nothing that it does can change a file.
pub(super) fn only_looks(understood: &Understanding) -> bool {
    understood.gaps.iter().all(|gap| gap.hides == Hides::Nothing)
        && understood.effects.iter().all(|effect| {
            matches!(effect.operation, Operation::Read | Operation::List | Operation::Connect)
                || effect.dry_run
                || effect.resource.areas.has(crate::model::Area::Sink)
        })
}

/// The tree after one effect of an action that did not fail.
pub(super) fn after(tree: Tree, action: &Action, effect: &Effect) -> Tree {
    let unknown = Tree::default();
    // Nothing is known, and only these say something.
    if tree == unknown && !matches!(&effect.by[..], "git status" | "git stash" | "git commit") && !discards(effect) {
        return unknown;
    }
    let words = command(&action.text, effect);
    // Another tree than the one the session stands in.
    if words.contains(" -C ") || words.contains("--work-tree") {
        return tree;
    }
    match effect.by.as_str() {
        "git status" => seen(words, action, tree),
        "git stash" => {
            let verbs = ["git", "stash", "push", "save"];
            let partly = has_switch(words, 'p', &["--patch", "--keep-index", "--staged"])
                || has_switch(words, 'k', &[])
                || operands(words, &["-m", "--message"]).iter().any(|word| !verbs.contains(word))
                    && !words.contains("save");
            let all = has_switch(words, 'u', &["--include-untracked", "--all"]) || has_switch(words, 'a', &[]);
            if effect.operation != Operation::Update || partly {
                unknown
            } else {
                Tree { dirty: Some(false), untracked: if all { Some(false) } else { tree.untracked } }
            }
        }
        "git commit" if has_switch(words, 'a', &["--all"]) => Tree { dirty: Some(false), ..tree },
        "git reset" | "git checkout" | "git restore" | "git switch" if discards(effect) => {
            Tree { dirty: Some(false), ..tree }
        }
        "git clean" if discards(effect) => Tree { untracked: Some(false), ..tree },
        by if by.starts_with("git ") => match effect.operation {
            Operation::Read | Operation::List | Operation::Fetch => tree,
            Operation::Create if effect.resource.kind == ResourceKind::Branch => tree,
            _ if by == "git push" => tree,
            _ => unknown,
        },
        _ => tree,
    }
}

/// It throws away what is not committed, all of it.
pub(super) fn discards(effect: &Effect) -> bool {
    effect.resource.kind == ResourceKind::WorkingTree
        && matches!(effect.operation, Operation::Delete | Operation::Drop | Operation::Rewrite)
        && effect.extent == crate::model::Extent::All
}

/// What `git status` says.
fn seen(words: &str, action: &Action, before: Tree) -> Tree {
    let Some(output) = &action.outcome.output else { return before };
    let short = has_switch(words, 's', &["--short"]) || words.contains("--porcelain");
    if !short {
        if output.contains("working tree clean") || output.contains("working directory clean") {
            return Tree { dirty: Some(false), untracked: Some(false) };
        }
        let dirty = output.contains("Changes not staged")
            || output.contains("Changes to be committed")
            || output.contains("Unmerged paths");
        let untracked = output.contains("Untracked files:");
        let read = dirty || untracked || output.contains("On branch") || output.contains("HEAD detached");
        return if read { Tree { dirty: Some(dirty), untracked: Some(untracked) } } else { before };
    }
    let mut tree = Tree { dirty: Some(false), untracked: Some(false) };
    let mut other = false;
    for line in output.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("##")) {
        match line.as_bytes() {
            [b'?', b'?', b' ', ..] => tree.untracked = Some(true),
            [b'!', b'!', b' ', ..] => {}
            [x, y, b' ', ..] if b" MADRCUT".contains(x) && b" MADRCUT".contains(y) => tree.dirty = Some(true),
            _ => other = true,
        }
    }
    if words.contains("-uno") || words.contains("--untracked-files=no") {
        tree.untracked = before.untracked;
    }
    // Output of something else as well: what is there counts, what is missing does not.
    if other || command_is_not_alone(&action.text) {
        tree.dirty = tree.dirty.filter(|dirty| *dirty);
        tree.untracked = tree.untracked.filter(|untracked| *untracked);
    }
    tree
}

fn command_is_not_alone(text: &str) -> bool {
    text.contains(['|', ';', '\n']) || text.contains("&&")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{ActionId, Actor, Gap, Kind, Origin, Outcome, Resource, Surroundings};

    fn status(text: &str, output: &str) -> (Option<bool>, Option<bool>) {
        let action = Action {
            id: ActionId::default(),
            time: None,
            actor: Arc::new(Actor::default()),
            session: "s".into(),
            kind: Kind::Shell,
            text: text.into(),
            argv: None,
            tool: None,
            arguments: None,
            surroundings: Arc::new(Surroundings::default()),
            outcome: Outcome { output: Some(output.into()), ..Outcome::default() },
            approved: false,
            gaps: Vec::<Gap>::new(),
            origin: Origin { file: "x".into(), line: 1, offset: 0, format: "test" },
        };
        let mut effect = Effect::new(Operation::List, Resource::new(ResourceKind::Repository, ""));
        effect.by = "git status".to_owned();
        let tree = after(Tree::default(), &action, &effect);
        (tree.dirty, tree.untracked)
    }

    #[test]
    fn the_status_is_read() {
        let clean = "On branch main\nnothing to commit, working tree clean\n";
        assert_eq!(status("git status", clean), (Some(false), Some(false)));
        let dirty = "On branch main\nChanges not staged for commit:\n\tmodified:   a\n";
        assert_eq!(status("git status", dirty), (Some(true), Some(false)));
        assert_eq!(status("git status -s", " M a\n?? b\n"), (Some(true), Some(true)));
        assert_eq!(status("git status --porcelain", ""), (Some(false), Some(false)));
        assert_eq!(status("git status --porcelain && ls", "src\n"), (None, None));
        assert_eq!(status("git status", "fatal: not a git repository"), (None, None));
    }
}
