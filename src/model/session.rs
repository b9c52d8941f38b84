//! What a session has done so far: the facts a policy may look at beside the action itself.

/// Facts about the session before the action in question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SessionFacts {
    /// Credentials or secrets were read.
    pub read_secret: bool,
    /// Content from outside was brought in.
    pub read_untrusted: bool,
    /// A safeguard was turned off.
    pub turned_guard_off: bool,
    /// The environment changed since the session began.
    pub switched_environment: bool,
    /// The last action failed.
    pub last_failed: bool,
    /// Things destroyed so far (rows count as one statement).
    pub destroyed: u64,
    /// Things destroyed in the last ten minutes.
    pub destroyed_recently: u64,
    /// Calls that were refused so far.
    pub denials: u64,
}
