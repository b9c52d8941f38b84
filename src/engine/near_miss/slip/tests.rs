mod edits;
mod incidents;
mod properties;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::*;
use crate::classify::{Catalog, Classifier, Known};
use crate::engine::corpus::INCIDENTS;
use crate::model::{ActionId, Actor, Origin, Outcome, Surroundings};

static CLASSIFIER: LazyLock<Classifier> = LazyLock::new(|| Classifier::new(Catalog::builtin()));

fn action(kind: Kind, text: &str) -> Action {
    let argv = || {
        let command = words::only_command(text).unwrap();
        command.words.iter().map(|word| words::value(&text[word.at.clone()]).unwrap()).collect::<Vec<_>>()
    };
    Action {
        id: ActionId::default(),
        time: None,
        actor: Actor::default().into(),
        session: "s".into(),
        kind,
        text: text.into(),
        argv: (kind == Kind::Exec).then(|| argv().into()),
        tool: None,
        arguments: None,
        surroundings: Surroundings { cwd: Some("/home/dev/shop".to_owned()), ..Surroundings::default() }.into(),
        outcome: Outcome::default(),
        approved: false,
        gaps: Vec::new(),
        origin: Origin { file: "f".into(), line: 1, offset: 0, format: "test" },
    }
}

fn effects(action: &Action) -> Vec<Effect> {
    CLASSIFIER.understand(action, &Known::default(), false).effects
}

/// Every slip that could change one of `facts`, for somebody who asks alone.
fn slips(action: &Action, effect: &Effect, facts: &[Fact]) -> Vec<Slipped> {
    Slips::of(action, effect).that_change(facts.iter().copied()).into_iter().cloned().collect()
}

/// What one slip makes of a text, over all its effects.
fn made(kind: Kind, id: &str, text: &str) -> Vec<String> {
    let action = action(kind, text);
    let facts = &catalogue().slips.iter().find(|entry| entry.id == id).unwrap().facts;
    let mut all = Vec::new();
    for effect in effects(&action) {
        all.extend(slips(&action, &effect, facts).into_iter().filter(|one| one.slip == id));
    }
    let mut texts: Vec<String> = all.into_iter().map(|one| one.action.text.to_string()).collect();
    texts.dedup();
    texts
}

#[track_caller]
fn check(kind: Kind, id: &str, text: &str, expected: &[&str]) {
    let effects: Vec<String> = effects(&action(kind, text))
        .iter()
        .map(|one| format!("{} {} {} by {}", one.operation, one.resource.kind, one.resource.name, one.by))
        .collect();
    assert_eq!(made(kind, id, text), expected, "{id} of {text:?}: {effects:#?}");
}

#[track_caller]
fn shell(id: &str, text: &str, expected: &[&str]) {
    check(Kind::Shell, id, text, expected);
}

#[track_caller]
fn none(id: &str, text: &str) {
    check(Kind::Shell, id, text, &[]);
}

#[track_caller]
fn sql(id: &str, text: &str, expected: &[&str]) {
    check(Kind::Sql, id, text, expected);
}

#[track_caller]
fn exec(id: &str, text: &str, expected: &[&str]) {
    check(Kind::Exec, id, text, expected);
}

#[test]
fn every_entry_does_what_its_example_says() {
    assert_eq!(catalogue().version, 2);
    let ids: Vec<&str> = catalogue().slips.iter().map(|entry| entry.id.as_str()).collect();
    let operators: Vec<&str> = OPERATORS.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, operators);
    let mut wrong = Vec::new();
    for entry in &catalogue().slips {
        assert!(!about(&entry.id).is_empty() && !entry.facts.is_empty());
        let action = action(entry.surfaces[0], &entry.before);
        let effects = effects(&action);
        for fact in &entry.facts {
            let by = effects.iter().filter(|effect| effect.by == entry.by);
            let all: Vec<Slipped> = by.flat_map(|effect| slips(&action, effect, &[*fact])).collect();
            let texts: Vec<&str> = all.iter().filter(|one| one.slip == entry.id).map(|one| &*one.action.text).collect();
            if !texts.contains(&entry.after.as_str()) {
                wrong.push(format!("{} by {fact} gives {texts:?} {effects:#?}", entry.id));
            }
        }
        if let Some(incident) = &entry.incident {
            assert!(INCIDENTS.iter().any(|(id, _)| id == incident), "no incident {incident}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(about("no-such-slip"), "");
}

/// Each line of the tables is one that some text has.
#[test]
fn flags_are_listed_once() {
    let guards: BTreeSet<_> = catalogue().guards.iter().map(|guard| &guard.by).collect();
    assert_eq!(guards.len(), catalogue().guards.len());
    let safeties: BTreeSet<_> = catalogue().safeties.iter().map(|one| (&one.by, &one.flag, one.letter)).collect();
    assert_eq!(safeties.len(), catalogue().safeties.len());
    for one in &catalogue().safeties {
        assert!(one.letter.is_some() != one.flag.starts_with('-'), "{one:?}");
    }
}

#[test]
fn what_a_tool_is_called_with_slips_like_what_is_typed() {
    let called = |tool: &str, field: &str, text: &str| {
        let arguments = serde_json::json!({ "description": "tidy", field: text }).to_string();
        Action { tool: Some(tool.into()), arguments: Some(arguments.into()), ..action(Kind::Tool, text) }
    };
    let made = |action: &Action, id: &str| -> Vec<Action> {
        let facts = &catalogue().slips.iter().find(|entry| entry.id == id).unwrap().facts;
        let all = effects(action).into_iter().flat_map(|effect| slips(action, &effect, facts));
        all.filter(|one| one.slip == id).map(|one| one.action).collect()
    };
    for (action, slip, after) in [
        (called("Bash", "command", "rm -rf ./~/"), "dot-slash-lost", "rm -rf ~/"),
        (called("execute_sql", "query", "DELETE FROM t WHERE id = 5"), "where-lost", "DELETE FROM t"),
        (called("Bash", "command", "psql -c 'DELETE FROM t WHERE id = 5'"), "where-lost", "psql -c 'DELETE FROM t'"),
    ] {
        let made = made(&action, slip);
        assert_eq!(made.iter().map(|other| &*other.text).collect::<Vec<_>>(), [after], "{}", action.text);
        // It is the arguments that are read.
        assert!(made[0].arguments.as_deref().unwrap().contains(after), "{:?}", made[0].arguments);
    }
    // A path that is handed to a tool is nothing that somebody types.
    let wrote = called("Write", "file_path", "/home/dev/shop/a b");
    assert!(catalogue().slips.iter().all(|entry| made(&wrote, &entry.id).is_empty()));
}
