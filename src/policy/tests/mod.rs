//! Whether what we ship is what we promise: helpers, and the tests that need several files of this floor.

mod agreement;
mod conditions;
mod mutants;
mod near;
mod packs;
mod problems;

use std::sync::Arc;

use super::*;
use crate::model::*;

fn source(text: &str) -> Source {
    Source { name: "own.cedar".into(), text: text.into(), builtin: false }
}

fn pack(name: &str) -> Policy {
    let sources = builtin(name).expect("the name of a pack");
    Policy::load(&sources, &LoadOptions::default()).unwrap_or_else(|errors| panic!("{errors}"))
}

/// An action about which nothing is known but that it is one.
fn action() -> Action {
    Action {
        id: ActionId::default(),
        time: None,
        actor: Arc::new(Actor::default()),
        session: "s".into(),
        kind: Kind::Shell,
        text: "".into(),
        argv: None,
        tool: None,
        arguments: None,
        surroundings: Arc::new(Surroundings::default()),
        outcome: Outcome::default(),
        approved: false,
        gaps: Vec::new(),
        origin: Origin { file: "f".into(), line: 1, offset: 0, format: "test" },
    }
}

/// An effect in few words: `agent drop Table:orders +own-work env=test all approved`.
#[derive(Debug)]
pub(super) struct Told {
    action: Action,
    effect: Effect,
    environment: Environment,
    session: SessionFacts,
}

impl Told {
    pub(super) fn new(words: &str) -> Self {
        let mut actor = Actor { name: "dev".into(), kind: ActorKind::Human, groups: Vec::new() };
        let mut told = Self {
            action: action(),
            effect: Effect::new(Operation::Unknown, Resource::new(ResourceKind::Item, "")),
            environment: Environment::Unknown,
            session: SessionFacts::default(),
        };
        for word in words.split(' ') {
            let (key, value) = word.split_once(['=', ':']).unwrap_or((word, ""));
            let effect = &mut told.effect;
            if let Some(kind) = ActorKind::from_word(word) {
                actor.kind = kind;
            } else if let Some(operation) = Operation::from_word(word) {
                effect.operation = operation;
            } else if let Some(kind) = ResourceKind::from_word(key) {
                (effect.resource.kind, effect.resource.name) = (kind, value.to_owned());
            } else if let Some(area) = word.strip_prefix('+').and_then(Area::from_word) {
                effect.resource.areas = effect.resource.areas.with(area);
            } else if let Some(extent) = Extent::from_word(word) {
                effect.extent = extent;
            } else {
                match key {
                    "env" => told.environment = Environment::from_word(value).expect("an environment"),
                    "code" => effect.code = Some(CodeOrigin::from_word(value).expect("an origin")),
                    "zone" => effect.zone = Some(Zone::from_word(value).expect("a zone")),
                    "reversible" => effect.reversible = Reversibility::from_word(value).expect("a way back"),
                    "by" => effect.by = value.replace('_', " "),
                    "count" => effect.count = value.parse().ok(),
                    "text" => told.action.text = value.replace('_', " ").into(),
                    "cascades" => effect.cascades = true,
                    "dry_run" => effect.dry_run = true,
                    "guard_off" => effect.guard_off = true,
                    "unresolved" => effect.resource.unresolved = true,
                    "approved" => told.action.approved = true,
                    "read_secret" => told.session.read_secret = true,
                    "read_untrusted" => told.session.read_untrusted = true,
                    "denials" => told.session.denials = value.parse().unwrap_or(0),
                    "destroyed_recently" => told.session.destroyed_recently = value.parse().unwrap_or(0),
                    _ => panic!("`{word}` says nothing"),
                }
            }
        }
        told.action.actor = Arc::new(actor);
        told
    }

    pub(super) fn request(&self) -> Request<'_> {
        Request {
            action: &self.action,
            effect: &self.effect,
            environment: self.environment,
            labels: &[],
            session: &self.session,
        }
    }
}

#[test]
fn the_schema_has_the_words_of_the_model() {
    let words = |all: &[&str]| all.join(" ");
    let listed = |head: &str| {
        let at = SCHEMA.find(head).unwrap_or_else(|| panic!("no `{head}` in the schema"));
        let body = &SCHEMA[at + head.len()..];
        let body = &body[..body.find([']', ';', '{']).unwrap_or(body.len())];
        let names = body.split(|c: char| !(c.is_alphanumeric() || c == '-')).filter(|word| !word.is_empty());
        words(&names.take_while(|word| *word != "appliesTo").collect::<Vec<_>>())
    };
    macro_rules! all {
        ($kind:ty) => {
            words(&<$kind>::ALL.iter().map(|value| value.word()).collect::<Vec<_>>())
        };
    }
    assert_eq!(listed("entity Environment enum ["), all!(Environment));
    assert_eq!(listed("entity Extent enum ["), all!(Extent));
    assert_eq!(listed("entity Reversibility enum ["), all!(Reversibility));
    assert_eq!(listed("entity Certainty enum ["), all!(Certainty));
    assert_eq!(listed("entity CodeOrigin enum ["), all!(CodeOrigin));
    assert_eq!(listed("entity Zone enum ["), all!(Zone));
    assert_eq!(listed("entity Kind enum ["), all!(Kind));
    assert_eq!(listed("entity Executed enum ["), all!(Executed));
    assert_eq!(listed("entity Area enum ["), all!(Area));
    assert_eq!(listed("\naction "), all!(Operation));
    assert_eq!(listed("resource: ["), all!(ResourceKind));
    for fact in Fact::ALL {
        let attribute = fact.word().rsplit('.').next().unwrap_or_default();
        let optional = if fact.is_optional() { "?" } else { "" };
        let declared = SCHEMA.contains(&format!("{attribute}{optional}: "));
        assert!(declared, "`{fact}` is not declared as it is answered");
    }
}

#[test]
fn the_digest_follows_what_was_read() {
    let policy = |text: &str, off: &[&str]| {
        let options = LoadOptions { off: off.iter().map(|id| (*id).to_owned()).collect(), ..LoadOptions::default() };
        Policy::load(&[source(text)], &options).expect("a good policy").digest().to_owned()
    };
    let text = "@id(\"a.b\")\npermit (principal, action, resource);\n";
    assert_eq!(policy(text, &[]), policy(&text.replace('\n', "\r\n"), &[]));
    assert_ne!(policy(text, &[]), policy(text, &["a.b"]));
    assert_eq!(policy(text, &[]).len(), 16);
}

#[test]
fn without_a_permit_nothing_passes() {
    let policy = Policy::load(&[source("")], &LoadOptions::default()).expect("an empty policy");
    let told = Told::new("read Table:t env=test");
    assert!(policy.judge(&told.request()).not_permitted);
    assert!(policy.judge_with_oracle(&told.request()).not_permitted);
}

#[test]
fn policies_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Policy>();
}

#[test]
fn a_pack_may_be_named_twice() {
    let sources = ["strict", "recommended"].into_iter().filter_map(builtin).flatten().collect::<Vec<_>>();
    let twice = Policy::load(&sources, &LoadOptions::default()).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(twice.digest(), pack("strict").digest());
}
