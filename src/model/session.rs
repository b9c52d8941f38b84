//! What a session has done so far: the facts a policy may look at beside the action itself.

use serde::Deserialize;

use super::words;

/// Facts about the session before the action in question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionFacts {
    /// Credentials or secrets were read.
    pub read_secret: bool,
    /// Content from outside was brought in: a page, an issue, a ticket, a mail.
    pub read_untrusted: bool,
    /// A safeguard was turned off.
    pub turned_guard_off: bool,
    /// The environment changed since the session began.
    pub switched_environment: bool,
    /// The last action failed.
    pub last_failed: bool,
    /// The last attempt to make a folder or to change into one failed.
    pub folder_missing: bool,
    /// The working tree has changes to tracked files that are not committed.
    pub dirty_tree: bool,
    /// The working tree has files that git does not know.
    pub untracked_files: bool,
    /// Work that was not committed was thrown away earlier.
    pub lost_work: bool,
    /// The folder that goes is a checkout that the session has worked in and did not make.
    pub is_checkout: bool,
    /// Some of what a listing showed in the folder that goes was moved out of it, some was not.
    pub moved_in_part: bool,
    /// Things destroyed so far (rows count as one statement).
    pub destroyed: u64,
    /// Things destroyed in the last ten minutes.
    pub destroyed_recently: u64,
    /// In the last ten minutes: deletions, stops and other losses of things that are no files.
    pub repeated: u64,
    /// Different tables that were counted or read as a whole in the last ten minutes.
    pub sweep: u64,
    /// Calls that were refused so far.
    pub denials: u64,
}

impl SessionFacts {
    /// Whether it is not as in a new session.
    pub const fn has(&self, fact: SessionFact) -> bool {
        match fact {
            SessionFact::ReadSecret => self.read_secret,
            SessionFact::ReadUntrusted => self.read_untrusted,
            SessionFact::TurnedGuardOff => self.turned_guard_off,
            SessionFact::SwitchedEnvironment => self.switched_environment,
            SessionFact::LastFailed => self.last_failed,
            SessionFact::FolderMissing => self.folder_missing,
            SessionFact::DirtyTree => self.dirty_tree,
            SessionFact::UntrackedFiles => self.untracked_files,
            SessionFact::LostWork => self.lost_work,
            SessionFact::IsCheckout => self.is_checkout,
            SessionFact::MovedInPart => self.moved_in_part,
            SessionFact::Destroyed => self.destroyed > 0,
            SessionFact::DestroyedRecently => self.destroyed_recently > 0,
            SessionFact::Repeated => self.repeated > 0,
            SessionFact::Sweep => self.sweep > 0,
            SessionFact::Denials => self.denials > 0,
        }
    }

    /// Those that are not as in a new session: `read_secret = true`, `denials = 3`.
    pub fn said(&self) -> Vec<String> {
        let flags = [
            ("read_secret", self.read_secret),
            ("read_untrusted", self.read_untrusted),
            ("turned_guard_off", self.turned_guard_off),
            ("switched_environment", self.switched_environment),
            ("last_failed", self.last_failed),
            ("folder_missing", self.folder_missing),
            ("dirty_tree", self.dirty_tree),
            ("untracked_files", self.untracked_files),
            ("lost_work", self.lost_work),
            ("is_checkout", self.is_checkout),
            ("moved_in_part", self.moved_in_part),
        ];
        let numbers = [
            ("destroyed", self.destroyed),
            ("destroyed_recently", self.destroyed_recently),
            ("repeated", self.repeated),
            ("sweep", self.sweep),
            ("denials", self.denials),
        ];
        let flags = flags.iter().filter(|(_, is)| *is).map(|(name, _)| format!("{name} = true"));
        flags.chain(numbers.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{name} = {n}"))).collect()
    }
}

words! {
    /// A fact about a session that an earlier action gave.
    SessionFact {
        ReadSecret = "read_secret",
        ReadUntrusted = "read_untrusted",
        TurnedGuardOff = "turned_guard_off",
        SwitchedEnvironment = "switched_environment",
        LastFailed = "last_failed",
        FolderMissing = "folder_missing",
        DirtyTree = "dirty_tree",
        UntrackedFiles = "untracked_files",
        LostWork = "lost_work",
        IsCheckout = "is_checkout",
        MovedInPart = "moved_in_part",
        Destroyed = "destroyed",
        DestroyedRecently = "destroyed_recently",
        Repeated = "repeated",
        Sweep = "sweep",
        Denials = "denials",
    }
}
