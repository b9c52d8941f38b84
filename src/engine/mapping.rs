//! From names in the record to facts: who is an agent, which database is production, what is personal data.

use std::sync::{Arc, PoisonError, RwLock};

use globset::{GlobBuilder, GlobMatcher};
use rustc_hash::FxHashMap;

use crate::model::{
    Action, Actor, ActorKind, Area, Effect, Environment, Gap, GapKind, Hides, PlaceKind, ResourceKind, Surroundings,
    Zone,
};

use super::config::{ActorRule, Config, EnvironmentRule, LabelRule};

/// The user's mapping, compiled.
#[derive(Debug)]
pub(crate) struct Mapping {
    environments: Vec<EnvironmentMatcher>,
    actors: Vec<(Globs, ActorRule)>,
    labels: Vec<LabelMatcher>,
    pins: Vec<(Globs, Vec<String>)>,
    own_network: Globs,
    /// Logs name few actors many times: each is looked up once.
    identified: RwLock<FxHashMap<Actor, Arc<Actor>>>,
}

impl Mapping {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            environments: config.environment.iter().map(EnvironmentMatcher::new).collect(),
            actors: config.actor.iter().map(|rule| (Globs::new(&rule.name), rule.clone())).collect(),
            labels: config.label.iter().map(LabelMatcher::new).collect(),
            pins: config.tool.iter().map(|pin| (Globs::new(&pin.name), pin.versions.clone())).collect(),
            own_network: Globs::new(&config.network.own),
            identified: RwLock::default(),
        }
    }

    /// Whether two sessions that are alike but for their names can be in different environments.
    pub(crate) fn reads_sessions(&self) -> bool {
        self.environments.iter().any(|rule| !rule.session.is_empty())
    }

    /// Gives the action's actor the kind and groups of the user's configuration.
    pub(crate) fn identify(&self, action: &mut Action) {
        if self.actors.is_empty() {
            return;
        }
        let known = self.identified.read().unwrap_or_else(PoisonError::into_inner).get(&*action.actor).cloned();
        action.actor = known.unwrap_or_else(|| {
            let actor = Arc::new(self.looked_up(&action.actor));
            let mut identified = self.identified.write().unwrap_or_else(PoisonError::into_inner);
            identified.insert((*action.actor).clone(), Arc::clone(&actor));
            actor
        });
    }

    fn looked_up(&self, actor: &Actor) -> Actor {
        let mut found = actor.clone();
        let mut kind: Option<ActorKind> = None;
        for (globs, rule) in &self.actors {
            if globs.matches(&actor.name) {
                kind = kind.or(rule.kind);
                found.groups.extend(rule.groups.iter().cloned());
            }
        }
        found.kind = kind.unwrap_or(actor.kind);
        found.groups.sort();
        found.groups.dedup();
        found
    }

    /// The environment an effect reaches. What the text itself names (`--context prod`) goes before where it ran.
    ///
    /// Never guessed from a name: without a mapping only what the record states counts, and a stage that the text
    /// spells out in full (`RAILS_ENV=production`).
    pub(crate) fn environment(&self, action: &Action, effect: Option<&Effect>) -> Environment {
        let surroundings = &action.surroundings;
        let places = effect.map_or(&[][..], |effect| &effect.places);
        if !self.environments.is_empty() {
            let named = Facts { surroundings, session: &action.session, places };
            if let Some(rule) = self.environments.iter().find(|rule| rule.matches(&named)) {
                return rule.is;
            }
        }
        let stage = places.iter().find(|place| place.kind == PlaceKind::Stage);
        stage.and_then(|stage| spelt_out(&stage.name)).or(surroundings.environment).unwrap_or_default()
    }

    /// The effect as it is when its other end is one of the user's own hosts: what goes there does not leave.
    pub(crate) fn at_home(&self, effect: &Effect) -> Option<Effect> {
        let far = matches!(effect.zone, Some(Zone::External | Zone::Unknown));
        let peer = effect.peer.as_deref().filter(|_| far && !self.own_network.is_empty())?;
        let own = self.own_network.matches(peer) || host_of(peer).is_some_and(|host| self.own_network.matches(host));
        own.then(|| Effect { zone: Some(Zone::Private), ..effect.clone() })
    }

    /// Labels of the effect's resource, sorted.
    pub(crate) fn labels(&self, action: &Action, effect: &Effect) -> Vec<String> {
        if self.labels.is_empty() {
            return Vec::new();
        }
        let fits = self.labels.iter().filter(|rule| rule.matches(action, effect));
        let mut labels: Vec<String> = fits.map(|rule| rule.label.clone()).collect();
        labels.sort();
        labels.dedup();
        labels
    }

    /// The effect as the user's configuration sees it, where that differs, and its labels.
    pub(crate) fn placed(&self, action: &Action, effect: &Effect, more: &[String]) -> (Option<Effect>, Vec<String>) {
        let mut labels = self.labels(action, effect);
        labels.extend_from_slice(more);
        let mut placed = self.at_home(effect);
        if labels.iter().any(|label| label == REPLACEABLE) {
            let placed = placed.get_or_insert_with(|| effect.clone());
            placed.resource.areas = placed.resource.areas.with(Area::Ephemeral);
        }
        (placed, labels)
    }

    /// A gap for a call of a tool that the user has looked at in certain versions only, when this is none of them or
    /// nobody says which one it is.
    pub(crate) fn unpinned(&self, action: &Action) -> Option<Gap> {
        let tool = action.tool.as_deref().filter(|_| !self.pins.is_empty())?;
        let (_, versions) = self.pins.iter().find(|(globs, _)| globs.matches(tool))?;
        let detail = match &action.surroundings.version {
            Some(version) if versions.contains(version) => return None,
            Some(version) => format!("{tool} {version} is not a version that was looked at"),
            None => format!("the record does not say which version of {tool} answered"),
        };
        Some(Gap { kind: GapKind::HiddenCode, hides: Hides::Anything, span: None, detail })
    }
}

/// The host of `https://user@host:1/x`, `host:/path` and `user@host:path`.
fn host_of(peer: &str) -> Option<&str> {
    let rest = peer.split_once("://").map_or(peer, |(_, rest)| rest);
    let rest = rest.split(['/', '?', '#']).next()?;
    let rest = rest.rsplit('@').next()?;
    rest.split(':').next()
}

/// A stage's own word; nothing that merely contains it.
fn spelt_out(stage: &str) -> Option<Environment> {
    match stage.to_ascii_lowercase().as_str() {
        "production" | "prod" | "live" => Some(Environment::Production),
        "staging" | "stage" => Some(Environment::Staging),
        "development" | "dev" | "local" => Some(Environment::Development),
        "test" | "testing" | "ci" => Some(Environment::Test),
        _ => None,
    }
}

/// What environment rules are matched against.
struct Facts<'a> {
    surroundings: &'a Surroundings,
    session: &'a str,
    places: &'a [crate::model::Place],
}

impl Facts<'_> {
    /// The names of one sort: what the text names, or else where it ran.
    fn any(&self, kind: PlaceKind, own: Option<&String>, fits: impl Fn(&str) -> bool) -> bool {
        let mut named = self.places.iter().filter(|place| place.kind == kind).peekable();
        if named.peek().is_some() {
            return named.any(|place| fits(&place.name));
        }
        own.is_some_and(|name| fits(name))
    }
}

#[derive(Debug)]
struct EnvironmentMatcher {
    is: Environment,
    host: Globs,
    database: Globs,
    account: Globs,
    cluster: Globs,
    cwd: Globs,
    user: Globs,
    session: Globs,
}

impl EnvironmentMatcher {
    fn new(rule: &EnvironmentRule) -> Self {
        Self {
            is: rule.is,
            host: Globs::new(&rule.host),
            database: Globs::new(&rule.database),
            account: Globs::new(&rule.account),
            cluster: Globs::new(&rule.cluster),
            cwd: Globs::new(&rule.cwd),
            user: Globs::new(&rule.user),
            session: Globs::new(&rule.session),
        }
    }

    fn matches(&self, facts: &Facts<'_>) -> bool {
        let ran = facts.surroundings;
        let place = |globs: &Globs, kind, own: &Option<String>| {
            globs.is_empty() || facts.any(kind, own.as_ref(), |name| globs.matches(name))
        };
        let plain = |globs: &Globs, name: Option<&str>| globs.is_empty() || name.is_some_and(|n| globs.matches(n));
        place(&self.host, PlaceKind::Host, &ran.host)
            && place(&self.database, PlaceKind::Database, &ran.database)
            && place(&self.account, PlaceKind::Account, &ran.account)
            && place(&self.cluster, PlaceKind::Cluster, &ran.cluster)
            && plain(&self.cwd, ran.cwd.as_deref())
            && plain(&self.user, ran.user.as_deref())
            && plain(&self.session, Some(facts.session))
    }
}

/// What has this label may go: a standby, a scratch cluster, what can be made again.
const REPLACEABLE: &str = "replaceable";

#[derive(Debug)]
struct LabelMatcher {
    label: String,
    name: Globs,
    kind: Vec<ResourceKind>,
    /// Where it has to stand, each with its sort.
    places: Vec<(PlaceKind, Globs)>,
}

impl LabelMatcher {
    fn new(rule: &LabelRule) -> Self {
        let places = [
            (PlaceKind::Host, &rule.host),
            (PlaceKind::Database, &rule.database),
            (PlaceKind::Account, &rule.account),
            (PlaceKind::Cluster, &rule.cluster),
        ];
        Self {
            label: rule.label.clone(),
            name: Globs::new(&rule.name),
            kind: rule.kind.clone(),
            places: places
                .into_iter()
                .filter(|(_, globs)| !globs.is_empty())
                .map(|(k, g)| (k, Globs::new(g)))
                .collect(),
        }
    }

    fn matches(&self, action: &Action, effect: &Effect) -> bool {
        let resource = &effect.resource;
        let around = &action.surroundings;
        let facts = Facts { surroundings: around, session: &action.session, places: &effect.places };
        (self.kind.is_empty() || self.kind.contains(&resource.kind))
            && (self.name.is_empty() || self.name.matches(&resource.name))
            && self.places.iter().all(|(kind, globs)| {
                let own = match kind {
                    PlaceKind::Host => &around.host,
                    PlaceKind::Database => &around.database,
                    PlaceKind::Account => &around.account,
                    _ => &around.cluster,
                };
                facts.any(*kind, own.as_ref(), |name| globs.matches(name))
            })
    }
}

/// Patterns of which any may match.
#[derive(Debug)]
struct Globs(Vec<GlobMatcher>);

impl Globs {
    /// Patterns were checked when the configuration was read; one that is no glob matches nothing.
    fn new(patterns: &[String]) -> Self {
        Self(patterns.iter().filter_map(|pattern| Some(glob(pattern).ok()?.compile_matcher())).collect())
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn matches(&self, name: &str) -> bool {
        self.0.iter().any(|glob| glob.is_match(name))
    }
}

/// Names are not paths: `*` matches `/` as well.
pub(crate) fn glob(pattern: &str) -> Result<globset::Glob, globset::Error> {
    GlobBuilder::new(pattern).case_insensitive(true).literal_separator(false).build()
}

#[cfg(test)]
mod tests {
    use super::{Mapping, host_of};
    use crate::engine::Config;
    use std::sync::Arc;

    use crate::model::{
        Action, ActionId, Area, Effect, Kind, Operation, Origin, Outcome, Resource, ResourceKind, Surroundings, Zone,
    };

    fn mapping(text: &str) -> Mapping {
        Mapping::new(&Config::parse("nearmiss.toml", text).unwrap())
    }

    fn action() -> Action {
        Action {
            id: ActionId::default(),
            time: None,
            actor: Arc::default(),
            session: "s".into(),
            kind: Kind::Tool,
            text: "x".into(),
            argv: None,
            tool: Some("sendEmail".into()),
            arguments: None,
            surroundings: Arc::new(Surroundings { host: Some("db2".to_owned()), ..Surroundings::default() }),
            outcome: Outcome::default(),
            approved: false,
            gaps: Vec::new(),
            origin: Origin { file: "x".into(), line: 1, offset: 0, format: "test" },
        }
    }

    #[test]
    fn what_stands_on_a_replaceable_host_may_go() {
        let mapping = mapping("[[label]]\nlabel = \"replaceable\"\nhost = [\"db2*\"]\n");
        let effect = Effect::new(Operation::Drop, Resource::new(ResourceKind::Folder, "/var/lib/x"));
        let (placed, labels) = mapping.placed(&action(), &effect, &[]);
        assert_eq!(labels, ["replaceable"]);
        assert!(placed.is_some_and(|effect| effect.resource.areas.has(Area::Ephemeral)));
        let elsewhere = Action { surroundings: Arc::default(), ..action() };
        assert_eq!(mapping.placed(&elsewhere, &effect, &[]), (None, Vec::new()));
    }

    #[test]
    fn a_tool_in_a_version_nobody_looked_at_is_a_gap() {
        let mapping = mapping("[[tool]]\nname = [\"sendEmail\"]\nversions = [\"1.0.15\"]\n");
        let of = |version: Option<&str>| {
            let surroundings = Surroundings { version: version.map(str::to_owned), ..Surroundings::default() };
            mapping.unpinned(&Action { surroundings: Arc::new(surroundings), ..action() }).is_some()
        };
        assert_eq!([of(None), of(Some("1.0.15")), of(Some("1.0.16"))], [true, false, true]);
        assert!(mapping.unpinned(&Action { tool: Some("search".into()), ..action() }).is_none());
    }

    #[test]
    fn hosts_stand_in_addresses() {
        for peer in ["https://a.example:8/x", "deploy@a.example:/srv", "a.example:b", "https://u:p@a.example/x?y"] {
            assert_eq!(host_of(peer), Some("a.example"), "{peer}");
        }
    }

    #[test]
    fn what_goes_to_an_own_host_does_not_leave() {
        let mapping = mapping("[network]\nown = [\"*.lantern.example\"]\n");
        let mut effect = Effect::new(Operation::Export, Resource::new(ResourceKind::File, "x"));
        effect.zone = Some(Zone::External);
        effect.peer = Some("https://backup.lantern.example/in".to_owned());
        assert_eq!(mapping.at_home(&effect).and_then(|effect| effect.zone), Some(Zone::Private));
        effect.peer = Some("https://lantern.example.evil.net/".to_owned());
        assert_eq!(mapping.at_home(&effect), None);
    }

    #[test]
    fn labels_are_given_by_name_and_kind() {
        let mapping = mapping("[[label]]\nlabel = \"pii\"\nname = [\"*.customers\"]\nkind = [\"Table\"]\n");
        let action = action();
        let labels =
            |kind| mapping.labels(&action, &Effect::new(Operation::Read, Resource::new(kind, "shop.customers")));
        assert_eq!(labels(ResourceKind::Table), ["pii"]);
        assert!(labels(ResourceKind::File).is_empty());
    }
}
