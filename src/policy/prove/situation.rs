//! A request of ours, made from what a solver found, and made as plain as it goes.

use std::sync::Arc;

use cedar_policy::{EntityUid, EvalResult};
use cedar_policy_symcc::Env;

use super::super::Request;
use super::super::facts::{Fact, Value};
use super::Place;
use crate::model::{
    Action, ActionId, Actor, Area, Areas, Certainty, CodeOrigin, Effect, Environment, Executed, Extent, Kind, Origin,
    Outcome, Resource, ResourceKind, Reversibility, SessionFacts, Surroundings, Zone,
};

/// One effect with everything that a policy may look at: what a [`Request`] borrows.
#[derive(Clone, Debug)]
pub struct Situation {
    /// Its text is what the counterexample needs it to be, as a rule nothing.
    pub action: Action,
    pub effect: Effect,
    pub environment: Environment,
    pub labels: Vec<String>,
    pub session: SessionFacts,
}

impl Situation {
    /// Nothing out of the ordinary.
    fn new(place: Place) -> Self {
        let action = Action {
            id: ActionId::default(),
            time: None,
            actor: Arc::new(Actor { name: "dev".to_owned(), kind: place.actor, groups: Vec::new() }),
            session: "".into(),
            kind: Kind::Shell,
            text: "".into(),
            argv: None,
            tool: None,
            arguments: None,
            surroundings: Arc::default(),
            outcome: Outcome::default(),
            approved: false,
            gaps: Vec::new(),
            origin: Origin { file: "".into(), line: 0, offset: 0, format: "proof" },
        };
        Self {
            action,
            effect: Effect::new(place.operation, Resource::new(place.kind, "x")),
            environment: Environment::Unknown,
            labels: Vec::new(),
            session: SessionFacts::default(),
        }
    }

    pub fn request(&self) -> Request<'_> {
        Request {
            action: &self.action,
            effect: &self.effect,
            environment: self.environment,
            labels: &self.labels,
            session: &self.session,
        }
    }

    /// The same elsewhere.
    pub(super) fn put_in(&mut self, place: Place) {
        self.effect.operation = place.operation;
        self.effect.resource.kind = place.kind;
        Arc::make_mut(&mut self.action.actor).kind = place.actor;
    }

    /// What is out of the ordinary about it, as a person would write it: `context.approved = true`.
    pub fn told(&self) -> Vec<String> {
        let request = self.request();
        let plain = Self::new(Place {
            operation: self.effect.operation,
            kind: self.effect.resource.kind,
            actor: self.action.actor.kind,
        });
        let plain = plain.request();
        let mut told = Vec::new();
        let groups = self.action.actor.groups.iter().map(|group| format!("principal in Group::{group:?}"));
        told.extend(groups);
        told.extend(self.effect.resource.areas.iter().map(|area| format!("resource in Area::\"{area}\"")));
        told.extend(self.labels.iter().map(|label| format!("resource in Label::{label:?}")));
        for fact in Fact::ALL {
            if matches!(fact, Fact::Principal | Fact::Action | Fact::Resource | Fact::Environment)
                || fact.of(&request) == fact.of(&plain)
            {
                continue;
            }
            let value = match fact.of(&request) {
                Some(Value::Bool(value)) => value.to_string(),
                Some(Value::Long(value)) => value.to_string(),
                Some(Value::Text(text)) => format!("{text:?}"),
                Some(Value::Entity(entity)) => entity.id.to_owned(),
                None => continue,
            };
            told.push(format!("{fact} = {value}"));
        }
        told
    }

    /// Takes away what is not needed for `holds`, one thing at a time, and puts plain words where any will do.
    pub(super) fn simplify(&mut self, holds: impl Fn(&Self) -> bool) {
        let plain = Self::new(Place {
            operation: self.effect.operation,
            kind: self.effect.resource.kind,
            actor: self.action.actor.kind,
        });
        let attempt = |now: &mut Self, change: &dyn Fn(&mut Self)| {
            let mut simpler = now.clone();
            change(&mut simpler);
            let better = holds(&simpler);
            if better {
                *now = simpler;
            }
            better
        };
        for area in self.effect.resource.areas.iter().collect::<Vec<_>>() {
            attempt(self, &|now| now.effect.resource.areas.0 &= !Areas::of(&[area]).0);
        }
        for label in self.labels.clone() {
            attempt(self, &|now| now.labels.retain(|known| *known != label));
        }
        for group in self.action.actor.groups.clone() {
            attempt(self, &|now| Arc::make_mut(&mut now.action.actor).groups.retain(|known| *known != group));
        }
        for fact in Fact::ALL {
            if let Some(value) = Given::of(*fact, &plain) {
                let done = attempt(self, &|now| now.put(*fact, &value));
                let Some(Given::Long(number)) = Given::of(*fact, self).filter(|_| !done) else { continue };
                // The smallest that will do, if all above it do.
                let (mut low, mut high) = (0, number);
                while low + 1 < high {
                    let middle = low + (high - low) / 2;
                    if attempt(self, &|now| now.put(*fact, &Given::Long(middle))) {
                        high = middle
                    } else {
                        low = middle
                    }
                }
            } else if fact.is_optional() {
                attempt(self, &|now| now.lose(*fact));
            }
        }
    }

    fn surroundings(&mut self) -> &mut Surroundings {
        Arc::make_mut(&mut self.action.surroundings)
    }

    /// The other way round of [`Fact::of`]. What does not fit is left as it is: the request is judged anyway.
    fn put(&mut self, fact: Fact, value: &Given) {
        match value {
            Given::Bool(value) => self.put_bool(fact, *value),
            Given::Long(value) => self.put_number(fact, u64::try_from(*value).unwrap_or(0)),
            Given::Text(text) => self.put_text(fact, text),
            Given::Word(word) => self.put_word(fact, word),
        }
    }

    fn put_bool(&mut self, fact: Fact, value: bool) {
        let (effect, session) = (&mut self.effect, &mut self.session);
        *match fact {
            Fact::Unresolved => &mut effect.resource.unresolved,
            Fact::DryRun => &mut effect.dry_run,
            Fact::GuardOff => &mut effect.guard_off,
            Fact::Elevated => &mut effect.elevated,
            Fact::Cascades => &mut effect.cascades,
            Fact::InTransaction => &mut effect.in_transaction,
            Fact::Approved => &mut self.action.approved,
            Fact::ReadSecret => &mut session.read_secret,
            Fact::ReadUntrusted => &mut session.read_untrusted,
            Fact::TurnedGuardOff => &mut session.turned_guard_off,
            Fact::SwitchedEnvironment => &mut session.switched_environment,
            Fact::LastFailed => &mut session.last_failed,
            Fact::FolderMissing => &mut session.folder_missing,
            Fact::DirtyTree => &mut session.dirty_tree,
            Fact::UntrackedFiles => &mut session.untracked_files,
            Fact::LostWork => &mut session.lost_work,
            Fact::IsCheckout => &mut session.is_checkout,
            Fact::MovedInPart => &mut session.moved_in_part,
            _ => return,
        } = value;
    }

    fn put_number(&mut self, fact: Fact, value: u64) {
        *match fact {
            Fact::Count => {
                self.effect.count = Some(value);
                return;
            }
            Fact::Destroyed => &mut self.session.destroyed,
            Fact::DestroyedRecently => &mut self.session.destroyed_recently,
            Fact::Repeated => &mut self.session.repeated,
            Fact::Sweep => &mut self.session.sweep,
            Fact::Denials => &mut self.session.denials,
            _ => return,
        } = value;
    }

    fn put_text(&mut self, fact: Fact, text: &str) {
        let text = text.to_owned();
        match fact {
            Fact::PrincipalName => Arc::make_mut(&mut self.action.actor).name = text,
            Fact::ResourceName => self.effect.resource.name = text,
            Fact::By => self.effect.by = text,
            Fact::Text => self.action.text = text.into(),
            Fact::Peer => self.effect.peer = Some(text),
            Fact::Cwd => self.surroundings().cwd = Some(text),
            Fact::Host => self.surroundings().host = Some(text),
            Fact::User => self.surroundings().user = Some(text),
            Fact::Database => self.surroundings().database = Some(text),
            Fact::Account => self.surroundings().account = Some(text),
            Fact::Cluster => self.surroundings().cluster = Some(text),
            _ => {}
        }
    }

    fn put_word(&mut self, fact: Fact, word: &str) {
        fn set<T>(place: &mut T, found: Option<T>) {
            if let Some(found) = found {
                *place = found;
            }
        }
        let (effect, action) = (&mut self.effect, &mut self.action);
        match fact {
            Fact::Extent => set(&mut effect.extent, Extent::from_word(word)),
            Fact::Reversible => set(&mut effect.reversible, Reversibility::from_word(word)),
            Fact::Certainty => set(&mut effect.certainty, Certainty::from_word(word)),
            Fact::Code => effect.code = CodeOrigin::from_word(word),
            Fact::Zone => effect.zone = Zone::from_word(word),
            Fact::Kind => set(&mut action.kind, Kind::from_word(word)),
            Fact::Executed => set(&mut action.outcome.executed, Executed::from_word(word)),
            Fact::Environment => set(&mut self.environment, Environment::from_word(word)),
            _ => {}
        }
    }

    /// As if nobody had said.
    fn lose(&mut self, fact: Fact) {
        match fact {
            Fact::Count => self.effect.count = None,
            Fact::Code => self.effect.code = None,
            Fact::Zone => self.effect.zone = None,
            Fact::Peer => self.effect.peer = None,
            Fact::Cwd => self.surroundings().cwd = None,
            Fact::Host => self.surroundings().host = None,
            Fact::User => self.surroundings().user = None,
            Fact::Database => self.surroundings().database = None,
            Fact::Account => self.surroundings().account = None,
            Fact::Cluster => self.surroundings().cluster = None,
            _ => {}
        }
    }
}

/// A value of a fact that stands for itself.
enum Given {
    Bool(bool),
    Long(i64),
    Text(String),
    Word(String),
}

impl Given {
    fn of(fact: Fact, situation: &Situation) -> Option<Self> {
        Some(match fact.of(&situation.request())? {
            Value::Bool(value) => Self::Bool(value),
            Value::Long(value) => Self::Long(value),
            Value::Text(text) => Self::Text(text.to_owned()),
            Value::Entity(entity) => Self::Word(entity.id.to_owned()),
        })
    }

    fn found(value: &EvalResult) -> Option<Self> {
        Some(match value {
            EvalResult::Bool(value) => Self::Bool(*value),
            EvalResult::Long(value) => Self::Long(*value),
            EvalResult::String(text) => Self::Text(text.clone()),
            EvalResult::EntityUid(uid) => Self::Word(uid.id().unescaped().to_owned()),
            _ => return None,
        })
    }
}

/// What was found, in the ways in which it could be meant: a solver may give a thing one name in its id and another in
/// its attribute, which for us are the same, and may let it stand in a folder that its name does not say.
pub(super) fn read(place: Place, env: &Env) -> Vec<Situation> {
    let mut found = Situation::new(place);
    let context = env.request.context();
    for fact in Fact::ALL {
        let Some(path) = fact.word().strip_prefix("context.") else { continue };
        let value = context.and_then(|context| match path.strip_prefix("session.") {
            Some(name) => match context.get("session")? {
                EvalResult::Record(session) => session.get(name).cloned(),
                _ => None,
            },
            None => context.get(path),
        });
        if let Some(value) = value.as_ref().and_then(Given::found) {
            found.put(*fact, &value);
        }
    }
    let (principal, resource) = (env.request.principal(), env.request.resource());
    let attribute = |uid: Option<&EntityUid>, name| {
        let value = env.entities.get(uid?)?.attr(name)?.ok()?;
        Given::found(&value)
    };
    if let Some(unresolved) = attribute(resource, "unresolved") {
        found.put(Fact::Unresolved, &unresolved);
    }
    let above = |uid: Option<&EntityUid>| -> Vec<(String, String)> {
        let ancestors = uid.and_then(|uid| env.entities.ancestors(uid)).into_iter().flatten();
        let mut names: Vec<_> =
            ancestors.map(|uid| (uid.type_name().to_string(), uid.id().unescaped().to_owned())).collect();
        names.sort();
        names
    };
    for (kind, id) in above(principal) {
        if kind == "Group" {
            Arc::make_mut(&mut found.action.actor).groups.push(id);
        }
    }
    let mut folders = Vec::new();
    for (kind, id) in above(resource) {
        match kind.as_str() {
            "Environment" => found.put(Fact::Environment, &Given::Word(id)),
            "Area" => {
                let areas = found.effect.resource.areas;
                found.effect.resource.areas = Area::from_word(&id).map_or(areas, |area| areas.with(area));
            }
            "Label" => found.labels.push(id),
            "Host" => found.put_text(Fact::Host, &id),
            "Account" => found.put_text(Fact::Account, &id),
            "Cluster" => found.put_text(Fact::Cluster, &id),
            "Database" if place.kind != ResourceKind::Database => found.put_text(Fact::Database, &id),
            "Folder" | "Bucket" | "Namespace" => folders.push(format!("{}/x", id.trim_end_matches('/'))),
            "Table" | "Schema" => folders.push(format!("{id}.x")),
            _ => {}
        }
    }
    let names = |uid: Option<&EntityUid>| -> Vec<String> {
        let attribute = match attribute(uid, "name") {
            Some(Given::Text(name)) => Some(name),
            _ => None,
        };
        attribute.into_iter().chain(uid.map(|uid| uid.id().unescaped().to_owned())).collect()
    };
    let mut ways = Vec::new();
    for actor in names(principal) {
        for name in names(resource).into_iter().chain(folders.iter().cloned()) {
            let mut way = found.clone();
            Arc::make_mut(&mut way.action.actor).name.clone_from(&actor);
            way.effect.resource.name = name;
            ways.push(way);
        }
    }
    ways
}
