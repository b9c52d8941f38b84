//! Which fact a path in a policy means (`context.session.denials`), and how a request answers it.
//!
//! The compiled evaluator and the Cedar entities of the oracle both read their facts here, so that they cannot
//! disagree about what a request says.

use super::Request;
use crate::model::{
    ActorKind, Environment, Extent, Operation, PlaceKind, ResourceKind, Reversibility, SessionFacts, Zone, words,
};

words! {
    /// A fact that a policy can look at, by its path.
    Fact {
        Principal = "principal",
        PrincipalName = "principal.name",
        Action = "action",
        Resource = "resource",
        ResourceName = "resource.name",
        Unresolved = "resource.unresolved",
        Extent = "context.extent",
        Reversible = "context.reversible",
        Certainty = "context.certainty",
        By = "context.by",
        DryRun = "context.dry_run",
        GuardOff = "context.guard_off",
        Elevated = "context.elevated",
        Cascades = "context.cascades",
        InTransaction = "context.in_transaction",
        Count = "context.count",
        Code = "context.code",
        Zone = "context.zone",
        Peer = "context.peer",
        Kind = "context.kind",
        Text = "context.text",
        Executed = "context.executed",
        Approved = "context.approved",
        Environment = "context.environment",
        Cwd = "context.cwd",
        Host = "context.host",
        User = "context.user",
        Database = "context.database",
        Account = "context.account",
        Cluster = "context.cluster",
        ReadSecret = "context.session.read_secret",
        ReadUntrusted = "context.session.read_untrusted",
        TurnedGuardOff = "context.session.turned_guard_off",
        SwitchedEnvironment = "context.session.switched_environment",
        LastFailed = "context.session.last_failed",
        FolderMissing = "context.session.folder_missing",
        DirtyTree = "context.session.dirty_tree",
        UntrackedFiles = "context.session.untracked_files",
        LostWork = "context.session.lost_work",
        IsCheckout = "context.session.is_checkout",
        MovedInPart = "context.session.moved_in_part",
        Destroyed = "context.session.destroyed",
        DestroyedRecently = "context.session.destroyed_recently",
        Repeated = "context.session.repeated",
        Sweep = "context.session.sweep",
        Denials = "context.session.denials",
    }
}

/// The value of a fact, in the terms of the policy language.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Bool(bool),
    Long(i64),
    Text(&'a str),
    Entity(Entity<'a>),
}

/// A name of the policy language: `Table::"billing.orders"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entity<'a> {
    pub(super) kind: &'a str,
    pub(super) id: &'a str,
}

impl Fact {
    /// Whether a request can lack it. Reading it then is an error, as in Cedar.
    pub const fn is_optional(self) -> bool {
        matches!(
            self,
            Self::Count
                | Self::Code
                | Self::Zone
                | Self::Peer
                | Self::Cwd
                | Self::Host
                | Self::User
                | Self::Database
                | Self::Account
                | Self::Cluster
        )
    }

    /// It is about what went before the action.
    pub(super) const fn is_of_session(self) -> bool {
        self as u8 >= Self::ReadSecret as u8
    }

    /// The value in this request; `None` when the request lacks it.
    pub(super) fn of<'a>(self, request: &Request<'a>) -> Option<Value<'a>> {
        let (effect, action) = (request.effect, request.action);
        Some(match self {
            Self::Principal => Value::Entity(principal(request)),
            Self::PrincipalName => Value::Text(&action.actor.name),
            Self::Action => Value::Entity(Entity { kind: "Action", id: effect.operation.word() }),
            Self::Resource => Value::Entity(resource(request)),
            Self::ResourceName => Value::Text(&effect.resource.name),
            Self::Unresolved => Value::Bool(effect.resource.unresolved),
            Self::Extent => word("Extent", effect.extent.word()),
            Self::Reversible => word("Reversibility", effect.reversible.word()),
            Self::Certainty => word("Certainty", effect.certainty.word()),
            Self::By => Value::Text(&effect.by),
            Self::DryRun => Value::Bool(effect.dry_run),
            Self::GuardOff => Value::Bool(effect.guard_off),
            Self::Elevated => Value::Bool(effect.elevated),
            Self::Cascades => Value::Bool(effect.cascades),
            Self::InTransaction => Value::Bool(effect.in_transaction),
            Self::Count => long(count(request)?),
            Self::Code => word("CodeOrigin", effect.code?.word()),
            Self::Zone => word("Zone", effect.zone?.word()),
            Self::Peer => Value::Text(effect.peer.as_deref()?),
            Self::Kind => word("Kind", action.kind.word()),
            Self::Text => Value::Text(&action.text),
            Self::Executed => word("Executed", action.outcome.executed.word()),
            Self::Approved => Value::Bool(action.approved),
            Self::Environment => word("Environment", request.environment.word()),
            Self::Cwd => Value::Text(action.surroundings.cwd.as_deref()?),
            Self::Host => Value::Text(place(request, PlaceKind::Host)?),
            Self::User => Value::Text(action.surroundings.user.as_deref()?),
            Self::Database => Value::Text(place(request, PlaceKind::Database)?),
            Self::Account => Value::Text(place(request, PlaceKind::Account)?),
            Self::Cluster => Value::Text(place(request, PlaceKind::Cluster)?),
            _ => return self.of_session(request.session),
        })
    }

    /// The value of a fact about the session; `None` for any other.
    fn of_session<'a>(self, session: &SessionFacts) -> Option<Value<'a>> {
        Some(match self {
            Self::ReadSecret => Value::Bool(session.read_secret),
            Self::ReadUntrusted => Value::Bool(session.read_untrusted),
            Self::TurnedGuardOff => Value::Bool(session.turned_guard_off),
            Self::SwitchedEnvironment => Value::Bool(session.switched_environment),
            Self::LastFailed => Value::Bool(session.last_failed),
            Self::FolderMissing => Value::Bool(session.folder_missing),
            Self::DirtyTree => Value::Bool(session.dirty_tree),
            Self::UntrackedFiles => Value::Bool(session.untracked_files),
            Self::LostWork => Value::Bool(session.lost_work),
            Self::IsCheckout => Value::Bool(session.is_checkout),
            Self::MovedInPart => Value::Bool(session.moved_in_part),
            Self::Destroyed => long(session.destroyed),
            Self::DestroyedRecently => long(session.destroyed_recently),
            Self::Repeated => long(session.repeated),
            Self::Sweep => long(session.sweep),
            Self::Denials => long(session.denials),
            _ => return None,
        })
    }

    /// Whether the request does not say: the fact is absent, or its word is `unknown`.
    pub(super) fn is_missing(self, request: &Request<'_>) -> bool {
        match self {
            Self::Environment => request.environment == Environment::Unknown,
            Self::Extent => request.effect.extent == Extent::Unknown,
            Self::Reversible => request.effect.reversible == Reversibility::Unknown,
            Self::Zone => request.effect.zone.is_none_or(|zone| zone == Zone::Unknown),
            Self::ResourceName => request.effect.resource.unresolved,
            _ => self.is_optional() && self.of(request).is_none(),
        }
    }
}

/// Facts about a session that the rules for some effects look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionView(u64);

impl SessionView {
    /// Those among `facts`.
    pub(super) fn of(facts: &[Fact]) -> Self {
        let first = Fact::ReadSecret as u64;
        Self(facts.iter().filter(|fact| fact.is_of_session()).fold(0, |bits, fact| bits | 1 << (*fact as u64 - first)))
    }

    /// Those of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether two sessions look the same from here: the rules then judge the same.
    pub fn agree(self, left: &SessionFacts, right: &SessionFacts) -> bool {
        let first = Fact::ReadSecret as usize;
        let seen = |(at, fact): (usize, &Fact)| (self.0 & 1 << at != 0).then_some(*fact);
        self.0 == 0
            || Fact::ALL[first..].iter().enumerate().filter_map(seen).all(|f| f.of_session(left) == f.of_session(right))
    }
}

/// Who acts, as an entity.
pub(super) fn principal<'a>(request: &Request<'a>) -> Entity<'a> {
    let kind = match request.action.actor.kind {
        ActorKind::Human => "Human",
        ActorKind::Agent => "Agent",
        ActorKind::Service => "Service",
        ActorKind::Unknown => "Unknown",
    };
    Entity { kind, id: &request.action.actor.name }
}

/// What is acted upon, as an entity.
pub(super) fn resource<'a>(request: &Request<'a>) -> Entity<'a> {
    Entity { kind: request.effect.resource.kind.word(), id: &request.effect.resource.name }
}

/// Whether `principal in group`.
pub(super) fn principal_in(request: &Request<'_>, group: Entity<'_>) -> bool {
    let me = principal(request);
    me == group
        || group.kind == "Group" && request.action.actor.groups.iter().any(|name| name == group.id)
        || me == resource(request) && stands_in(request, group)
}

/// Whether `resource in place`.
pub(super) fn resource_in(request: &Request<'_>, place: Entity<'_>) -> bool {
    // A service can be the one who acts and the thing acted upon at once: one entity then stands where both stand.
    stands_in(request, place)
        || resource(request) == principal(request) && place.kind == "Group" && principal_in(request, place)
}

fn stands_in(request: &Request<'_>, place: Entity<'_>) -> bool {
    match place.kind {
        "Environment" => place.id == request.environment.word(),
        "Area" => request.effect.resource.areas.iter().any(|area| area.word() == place.id),
        "Label" => request.labels.iter().any(|label| label == place.id),
        _ => {
            resource(request) == place
                || parents(request).iter().any(|(kind, name)| kind.word() == place.kind && *name == place.id)
        }
    }
}

/// Paths deeper than this do not name all their folders.
const MOST_PARENTS: usize = 64;

/// The things a resource stands in, as far as its name and the places of its effect say.
pub(super) fn parents<'a>(request: &Request<'a>) -> Vec<(ResourceKind, &'a str)> {
    use ResourceKind as K;
    let resource = &request.effect.resource;
    let (kind, name) = (resource.kind, resource.name.as_str());
    let mut found = Vec::new();
    match kind {
        K::File | K::Folder | K::WorkingTree | K::Code | K::Log | K::Backup => folders(name, &mut found),
        K::Column => {
            if let Some((table, _)) = name.rsplit_once('.') {
                found.push((K::Table, table));
                schemas(table, &mut found);
            }
        }
        K::Table | K::View | K::Index | K::Routine => schemas(name, &mut found),
        K::Schema => databases(name, &mut found),
        K::Workload | K::Secret | K::Volume | K::Item => {
            if let Some((namespace, _)) = name.split_once('/').filter(|_| !name.contains("://")) {
                found.push((K::Namespace, namespace));
            }
        }
        K::Object => {
            let start = name.find("://").map_or(0, |at| at + 3);
            if let Some(end) = name.get(start..).and_then(|key| key.find('/')) {
                found.push((K::Bucket, &name[..start + end]));
            }
        }
        _ => {}
    }
    let in_database = matches!(kind, K::Column | K::Table | K::View | K::Index | K::Routine | K::Schema | K::Role);
    for (place_kind, parent) in [
        (PlaceKind::Host, K::Host),
        (PlaceKind::Account, K::Account),
        (PlaceKind::Cluster, K::Cluster),
        (PlaceKind::Database, K::Database),
    ] {
        let fits = match parent {
            K::Database => in_database,
            // Hosts and accounts do not stand in what is inside them.
            K::Host => !matches!(kind, K::Host | K::Account),
            K::Account => kind != K::Account,
            _ => !matches!(kind, K::Cluster | K::Account),
        };
        if let Some(name) = place(request, place_kind).filter(|_| fits) {
            found.push((parent, name));
        }
    }
    found
}

fn folders<'a>(path: &'a str, found: &mut Vec<(ResourceKind, &'a str)>) {
    if path.contains("://") {
        return;
    }
    let path = path.trim_end_matches('/');
    for (at, _) in path.match_indices(['/', '\\']).take(MOST_PARENTS) {
        found.push((ResourceKind::Folder, if at == 0 { &path[..1] } else { &path[..at] }));
    }
}

/// `shop.billing.orders` stands in the schema `shop.billing`, which is also called `billing`, of the database `shop`.
fn schemas<'a>(name: &'a str, found: &mut Vec<(ResourceKind, &'a str)>) {
    let Some((schema, _)) = name.rsplit_once('.') else { return };
    found.push((ResourceKind::Schema, schema));
    if let Some((_, short)) = schema.rsplit_once('.') {
        found.push((ResourceKind::Schema, short));
    }
    databases(schema, found);
}

fn databases<'a>(schema: &'a str, found: &mut Vec<(ResourceKind, &'a str)>) {
    if let Some((database, _)) = schema.rsplit_once('.') {
        found.push((ResourceKind::Database, database));
    }
}

/// What the text names for this effect, else where the record says that it ran.
fn place<'a>(request: &Request<'a>, kind: PlaceKind) -> Option<&'a str> {
    let surroundings = &request.action.surroundings;
    let recorded = match kind {
        PlaceKind::Host => &surroundings.host,
        PlaceKind::Database => &surroundings.database,
        PlaceKind::Account => &surroundings.account,
        PlaceKind::Cluster => &surroundings.cluster,
        PlaceKind::Stage => &None,
    };
    let named = request.effect.places.iter().find(|place| place.kind == kind);
    named.map(|place| place.name.as_str()).or(recorded.as_deref())
}

/// What the text says, else the rows that the log says a statement changed, else what `one` means.
fn count(request: &Request<'_>) -> Option<u64> {
    let changes_rows = matches!(request.effect.operation, Operation::Update | Operation::Delete)
        && request.effect.resource.kind == ResourceKind::Table;
    let stated = request.effect.count.or(request.action.outcome.rows.filter(|_| changes_rows));
    stated.or((request.effect.extent == Extent::One).then_some(1))
}

const fn word(kind: &'static str, id: &'static str) -> Value<'static> {
    Value::Entity(Entity { kind, id })
}

fn long(number: u64) -> Value<'static> {
    Value::Long(i64::try_from(number).unwrap_or(i64::MAX))
}
