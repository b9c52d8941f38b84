//! What a rule can see of one effect, as conditions of Cedar that hold for it.

use crate::classify::secrets;
use crate::model::{
    ActorKind, Environment, Extent, Finding, Operation, PlaceKind, ResourceKind, Reversibility, SessionFacts, Zone,
};

use crate::engine::{Engine, Session};

/// How telling a condition is: a circumstance, a name, or a word of the text.
pub(super) const CIRCUMSTANCE: u8 = 0;
pub(super) const NAME: u8 = 1;
pub(super) const TEXT: u8 = 2;

/// A name is worth a pattern when so much of it is fixed.
const MIN_FIXED: usize = 3;
/// Words of the text that are looked at.
const MAX_WORDS: usize = 24;

/// A condition that a rule could have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    pub(super) tier: u8,
    /// Among those of its tier: the lower the better.
    pub(super) cost: u8,
    /// In Cedar.
    pub(super) text: String,
    shape: Option<Shape>,
}

/// What a pattern asks of a name or a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    Starts(String),
    Ends(String),
    Says(String),
}

impl Candidate {
    fn new(tier: u8, cost: u8, text: impl Into<String>) -> Self {
        Self { tier, cost, text: text.into(), shape: None }
    }

    pub(super) fn holds(&self, view: &View, finding: &Finding) -> bool {
        match &self.shape {
            Some(Shape::Starts(fixed)) => view.name.starts_with(fixed.as_str()),
            Some(Shape::Ends(fixed)) => view.name.ends_with(fixed.as_str()),
            Some(Shape::Says(word)) => finding.action.text.contains(word.as_str()),
            None => view.candidates.contains(self),
        }
    }
}

/// One effect.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) operation: Operation,
    pub(super) kind: ResourceKind,
    pub(super) environment: Environment,
    name: String,
    pub(super) candidates: Vec<Candidate>,
}

impl View {
    /// Every effect of the action; reading and listing only where it does nothing else. The session then stands after it.
    pub(super) fn all(engine: &Engine, finding: &Finding, session: &mut Session) -> Vec<Self> {
        let action = &finding.action;
        let facts = session.facts(action, &finding.understanding);
        let effects = &finding.understanding.effects;
        let looks = |operation| matches!(operation, Operation::Read | Operation::List | Operation::Connect);
        let only_looks = effects.iter().all(|effect| looks(effect.operation));
        let mut views = Vec::new();
        for effect in effects.iter().filter(|effect| only_looks || !looks(effect.operation)) {
            let (placed, labels) = engine.mapping.placed(action, effect, &[]);
            let effect = placed.as_ref().unwrap_or(effect);
            let environment = engine.mapping.environment(action, Some(effect));
            let mut candidates = circumstances(finding, effect, environment, &labels);
            candidates.extend(of_session(&facts));
            candidates.extend(names(finding, effect));
            views.push(Self {
                operation: effect.operation,
                kind: effect.resource.kind,
                environment,
                name: effect.resource.name.clone(),
                candidates,
            });
        }
        engine.decide(action.clone(), session);
        views
    }
}

fn circumstances(
    finding: &Finding,
    effect: &crate::model::Effect,
    environment: Environment,
    labels: &[String],
) -> Vec<Candidate> {
    let action = &finding.action;
    let mut found = Vec::new();
    let mut add = |cost, text: String| found.push(Candidate::new(CIRCUMSTANCE, cost, text));
    if environment != Environment::Unknown {
        add(1, format!("resource in Environment::\"{environment}\""));
    }
    for label in labels {
        add(1, format!("resource in Label::{}", quoted(label)));
    }
    for area in effect.resource.areas.iter() {
        add(1, format!("resource in Area::\"{area}\""));
    }
    if effect.extent != Extent::Unknown {
        add(
            if effect.extent == Extent::One { 4 } else { 1 },
            format!("context.extent == Extent::\"{}\"", effect.extent),
        );
    }
    if effect.reversible == Reversibility::No {
        add(2, "context.reversible == Reversibility::\"no\"".to_owned());
    }
    for (fact, is, dangerous) in [
        ("context.guard_off", effect.guard_off, true),
        ("context.elevated", effect.elevated, true),
        ("context.cascades", effect.cascades, true),
        ("resource.unresolved", effect.resource.unresolved, true),
        ("context.dry_run", effect.dry_run, false),
        ("context.approved", action.approved, false),
        ("context.in_transaction", effect.in_transaction, false),
    ] {
        if is == dangerous {
            add(if is { 1 } else { 2 }, if is { fact.to_owned() } else { format!("!{fact}") });
        }
    }
    if let Some(code) = effect.code {
        add(1, format!("context has code && context.code == CodeOrigin::\"{code}\""));
    }
    if let Some(zone) = effect.zone.filter(|zone| *zone != Zone::Unknown) {
        add(1, format!("context has zone && context.zone == Zone::\"{zone}\""));
    }
    for group in &action.actor.groups {
        add(2, format!("principal in Group::{}", quoted(group)));
    }
    let actor = match action.actor.kind {
        ActorKind::Human => "Human",
        ActorKind::Agent => "Agent",
        ActorKind::Service => "Service",
        ActorKind::Unknown => "",
    };
    if !actor.is_empty() {
        add(3, format!("principal is {actor}"));
    }
    add(4, format!("context.kind == Kind::\"{}\"", action.kind));
    found
}

fn of_session(facts: &SessionFacts) -> Vec<Candidate> {
    let flags = flags(facts).into_iter().filter(|(_, is)| *is).map(|(name, _)| name.to_owned());
    let denials = (facts.denials > 0).then(|| "denials > 0".to_owned());
    flags.chain(denials).map(|fact| Candidate::new(CIRCUMSTANCE, 3, format!("context.session.{fact}"))).collect()
}

/// What a bracket of an example can say of a session.
pub(super) const fn flags(facts: &SessionFacts) -> [(&'static str, bool); 11] {
    [
        ("read_secret", facts.read_secret),
        ("read_untrusted", facts.read_untrusted),
        ("turned_guard_off", facts.turned_guard_off),
        ("switched_environment", facts.switched_environment),
        ("last_failed", facts.last_failed),
        ("folder_missing", facts.folder_missing),
        ("dirty_tree", facts.dirty_tree),
        ("untracked_files", facts.untracked_files),
        ("lost_work", facts.lost_work),
        ("is_checkout", facts.is_checkout),
        ("moved_in_part", facts.moved_in_part),
    ]
}

fn names(finding: &Finding, effect: &crate::model::Effect) -> Vec<Candidate> {
    let mut found = vec![Candidate::new(NAME, 1, format!("context.by == {}", quoted(&effect.by)))];
    let mut add = |cost, text| found.push(Candidate::new(NAME, cost, text));
    let around = &finding.action.surroundings;
    let place = |kind, recorded: &Option<String>| {
        let said = effect.places.iter().find(|place| place.kind == kind).map(|place| place.name.clone());
        said.or_else(|| recorded.clone())
    };
    for (cost, fact, value) in [
        (2, "database", place(PlaceKind::Database, &around.database)),
        (2, "cluster", place(PlaceKind::Cluster, &around.cluster)),
        (2, "account", place(PlaceKind::Account, &around.account)),
        (3, "host", place(PlaceKind::Host, &around.host)),
        (3, "user", around.user.clone()),
        (3, "peer", effect.peer.clone()),
        (4, "cwd", around.cwd.clone()),
    ] {
        if let Some(value) = value {
            add(cost, format!("context has {fact} && context.{fact} == {}", quoted(&value)));
        }
    }
    if !effect.resource.name.is_empty() {
        add(5, format!("resource.name == {}", quoted(&effect.resource.name)));
    }
    found
}

/// Patterns that the chosen actions suggest together.
#[derive(Debug)]
pub(super) struct Shapes(Vec<Candidate>);

impl Shapes {
    pub(super) fn of<'a>(findings: impl Iterator<Item = &'a Finding>, views: impl Iterator<Item = &'a View>) -> Self {
        let mut shapes = Vec::new();
        let names: Vec<&str> = views.map(|view| view.name.as_str()).filter(|name| !name.is_empty()).collect();
        for name in &names {
            // A folder, a schema, a family of names: up to each place where names are divided, and from each.
            for (at, letter) in name.char_indices().filter(|(_, letter)| "/.-_:@".contains(*letter)) {
                let (head, tail) = (&name[..at + letter.len_utf8()], &name[at..]);
                shapes.push(Shape::Starts(head.to_owned()));
                shapes.push(Shape::Ends(tail.to_owned()));
            }
        }
        let mut texts = findings.map(|finding| &finding.action.text);
        if let Some(first) = texts.next() {
            let words = first
                .split(|c: char| c.is_whitespace() || "\"'`;|&()".contains(c))
                .filter(|word| word.len() >= MIN_FIXED);
            let rest: Vec<_> = texts.collect();
            let common = words.filter(|word| rest.iter().all(|text| text.contains(word))).take(MAX_WORDS);
            shapes.extend(common.map(|word| Shape::Says(word.to_owned())));
        }
        shapes.sort();
        shapes.dedup();
        Self(shapes.into_iter().filter_map(candidate).collect())
    }

    /// Those that hold for an effect.
    pub(super) fn candidates(&self, view: &View, finding: &Finding) -> Vec<Candidate> {
        self.0.iter().filter(|candidate| candidate.holds(view, finding)).cloned().collect()
    }
}

fn candidate(shape: Shape) -> Option<Candidate> {
    let (tier, fixed, text) = match &shape {
        Shape::Starts(fixed) => (NAME, fixed, format!("resource.name like \"{}*\"", pattern(fixed))),
        Shape::Ends(fixed) => (NAME, fixed, format!("resource.name like \"*{}\"", pattern(fixed))),
        Shape::Says(word) => (TEXT, word, format!("context.text like \"*{}*\"", pattern(word))),
    };
    // The more of it is fixed, the less it says about others of its kind.
    let cost = 4 + u8::try_from(fixed.len() / 4).unwrap_or(u8::MAX - 4).min(100);
    let plain = secrets::find(fixed).is_empty();
    (plain && fixed.len() >= MIN_FIXED).then_some(Candidate { tier, cost, text, shape: Some(shape) })
}

/// The fixed part of a pattern of Cedar.
fn pattern(text: &str) -> String {
    let quoted = quoted(text);
    quoted[1..quoted.len() - 1].replace('*', "\\*")
}

/// A string of Cedar.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\0' => quoted.push_str("\\0"),
            letter if letter.is_control() => quoted.push_str(&format!("\\u{{{:x}}}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}
