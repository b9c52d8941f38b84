//! What an action does to one resource.

use super::{Resource, words};

/// What an action does to one resource, and the words that say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    pub operation: Operation,
    pub resource: Resource,
    pub extent: Extent,
    pub reversible: Reversibility,
    pub certainty: Certainty,
    /// Where in [`Action::text`](super::Action::text) it says so. `None` when the words stand in a decoded or generated
    /// string that is not part of the text.
    pub span: Option<Span>,
    /// The program, statement or tool that does it: `git push`, `DROP TABLE`, `Write`.
    pub by: String,
    /// Nothing would really happen: `--dry-run`, `EXPLAIN` without `ANALYZE`.
    pub dry_run: bool,
    /// A question or check was switched off for this action: `--force`, `-y`, `--auto-approve`.
    pub guard_off: bool,
    /// Ran with raised rights: `sudo`, `su`, `--as`.
    pub elevated: bool,
    /// Reaches what depends on the resource as well: `CASCADE`, `--recursive`.
    pub cascades: bool,
    /// Inside a transaction that was not committed in the same text.
    pub in_transaction: bool,
    /// Rows or objects, where the text or the log states a number.
    pub count: Option<u64>,
    /// For `execute`: where the code comes from.
    pub code: Option<CodeOrigin>,
    /// For `export` and `fetch`: how far the other end is.
    pub zone: Option<Zone>,
    /// For `export` and `fetch`: the other end, as written (`example.com`, `s3://bucket/x`).
    pub peer: Option<String>,
    /// Hosts, databases, accounts and clusters that the text itself names for this effect.
    pub places: Vec<Place>,
}

impl Effect {
    /// An effect on one resource that is certain and has no special circumstance.
    pub fn new(operation: Operation, resource: Resource) -> Self {
        Self {
            operation,
            resource,
            extent: Extent::One,
            reversible: Reversibility::Unknown,
            certainty: Certainty::Exact,
            span: None,
            by: String::new(),
            dry_run: false,
            guard_off: false,
            elevated: false,
            cascades: false,
            in_transaction: false,
            count: None,
            code: None,
            zone: None,
            peer: None,
            places: Vec::new(),
        }
    }
}

words! {
    /// The verb of an effect. Closed: policies, reports and proofs all count on this list.
    Operation {
        /// Look at content.
        Read = "read",
        /// See names and metadata.
        List = "list",
        Create = "create",
        /// Change content in place.
        Update = "update",
        /// Remove things that live in a container: rows, files, objects, pods.
        Delete = "delete",
        /// Remove a container with all that is in it: table, schema, bucket, namespace, device, home or root folder.
        Drop = "drop",
        /// Change structure or configuration.
        Alter = "alter",
        /// Change recorded history: force push, `reset --hard`, deleting logs.
        Rewrite = "rewrite",
        Grant = "grant",
        Revoke = "revoke",
        /// Become somebody else: sudo, assume-role, `SET ROLE`.
        Escalate = "escalate",
        /// Run code whose effects are not visible here.
        Execute = "execute",
        /// Move data over a boundary, outwards.
        Export = "export",
        /// Bring outside content in.
        Fetch = "fetch",
        /// Make unavailable: stop, kill, scale to 0, drain, shutdown.
        Stop = "stop",
        /// Turn a safeguard off.
        Disable = "disable",
        /// Open a session only.
        Connect = "connect",
        /// Not understood; always with a gap.
        Unknown = "unknown",
    }
}

words! {
    /// How much of the resource is reached.
    Extent {
        One = "one",
        /// A predicate, a list, a pattern.
        Some = "some",
        /// No predicate, an always-true one, a glob over everything, `--all`.
        All = "all",
        Unknown = "unknown",
    }
}

words! {
    /// Whether there is a way back.
    Reversibility { Yes = "yes", WithBackup = "with-backup", No = "no", Unknown = "unknown" }
}

words! {
    /// How the effect was found.
    Certainty {
        /// Parsed and known.
        Exact = "exact",
        /// Read from the words, because the whole did not parse.
        Lexical = "lexical",
        /// Read by convention from a program nobody described.
        Inferred = "inferred",
    }
}

words! {
    /// Where code that is run comes from.
    CodeOrigin {
        /// Fetched in the same action or session.
        Remote = "remote",
        /// Unpacked from an encoded string.
        Decoded = "decoded",
        /// Put together at run time from parts that are not known here.
        Dynamic = "dynamic",
        /// A file of the workspace or an installed program.
        Local = "local",
        /// A file in a temporary folder, or one written by the same session without its content being known.
        Staged = "staged",
        /// A routine that is stored in a database.
        Stored = "stored",
        /// Run on another machine, in a container, or by another agent.
        Elsewhere = "elsewhere",
        /// A package fetched from a registry and run at once.
        Registry = "registry",
    }
}

words! {
    /// How far the other end of a transfer is.
    Zone { Local = "local", Private = "private", External = "external", Unknown = "unknown" }
}

/// A place that the text of an action names: what an environment mapping is matched against.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub kind: PlaceKind,
    pub name: String,
}

words! {
    /// What sort of place.
    PlaceKind {
        Host = "host",
        Database = "database",
        Account = "account",
        Cluster = "cluster",
        /// A named environment: `--env prod`, a terraform workspace, `RAILS_ENV`.
        Stage = "stage",
    }
}

/// A range of bytes in an action's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The same range in a text that this text is a part of.
    #[must_use]
    pub const fn shifted(self, by: usize) -> Self {
        Self { start: self.start + by, end: self.end + by }
    }
}
