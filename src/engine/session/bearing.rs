//! What an action can mean to any session, worked out once with its understanding: most actions mean next to nothing,
//! and real logs repeat themselves.

use crate::model::{Action, Effect, Operation, ResourceKind, Understanding, Zone};

use super::{counts_all, is_a_loss, removes};
use super::{folders, in_force, secrets, versions, worktree};

/// Which parts of a session an action can concern. Each says "maybe": the part itself looks closer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub(crate) struct Bearing {
    /// Something of it could be a thing of the session's own, or take place where the session has switched to.
    pub(super) familiar: bool,
    pub(super) dry_run: bool,
    pub(super) removes: bool,
    /// Removes something after it made something.
    pub(super) makes_before: bool,
    /// Makes or removes things.
    pub(super) changes_things: bool,
    /// Throws away what is not committed.
    pub(super) discards: bool,
    pub(super) uses_git: bool,
    /// Nothing that it does can change a file.
    pub(super) only_looks: bool,
    pub(super) concerns_folders: bool,
    pub(super) may_switch: bool,
    pub(super) asks_version: bool,
    /// Has an effect that a session counts or remembers.
    pub(super) counts: bool,
    pub(super) reads_strangers: bool,
}

impl Bearing {
    pub(crate) fn of(action: &Action, understood: &Understanding) -> Self {
        let mut bearing = Self {
            only_looks: worktree::only_looks(understood),
            may_switch: in_force::may_switch(action),
            asks_version: versions::asked(action).is_some(),
            reads_strangers: secrets::is_untrusted_source(action),
            ..Self::default()
        };
        let mut made = false;
        for effect in &understood.effects {
            let removes = removes(effect);
            let makes = matches!(effect.operation, Operation::Create | Operation::Fetch);
            let uses_git = effect.by.starts_with("git ");
            bearing.familiar |= super::can_be_familiar(effect) || effect.dry_run;
            bearing.dry_run |= effect.dry_run;
            bearing.removes |= removes;
            bearing.makes_before |= made && removes;
            bearing.changes_things |= makes || matches!(effect.operation, Operation::Drop | Operation::Delete);
            bearing.discards |= worktree::discards(effect);
            bearing.uses_git |= uses_git;
            bearing.concerns_folders |= uses_git || folders::concerns(effect);
            bearing.counts |= counts(action, effect);
            made |= makes;
        }
        bearing
    }
}

/// What [`super::Session`] takes note of, effect by effect.
fn counts(action: &Action, effect: &Effect) -> bool {
    match effect.operation {
        Operation::Read => {
            secrets::is_secret(effect)
                || secrets::is_untrusted(effect)
                || effect.resource.kind == ResourceKind::Table && counts_all(action, effect)
        }
        Operation::Fetch => effect.zone != Some(Zone::Local),
        Operation::Disable | Operation::Delete | Operation::Drop | Operation::Rewrite => true,
        _ => is_a_loss(effect),
    }
}
