//! What makes near-misses fast changes nothing that they say.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::{Asked, Seen};
use crate::classify::{Catalog, Classifier, Known};
use crate::engine::{Config, Engine};
use crate::model::{Action, ActionId, Actor, Kind, Nature, Origin, Outcome, SessionFacts, Surroundings};
use crate::policy::{LoadOptions, Near, Policy, Within, builtin};

fn engine() -> Engine {
    let policy = Policy::load(&builtin("recommended").unwrap(), &LoadOptions::default()).unwrap();
    Engine::new(Classifier::new(Catalog::builtin()), policy, &Config::default(), false)
}

/// Every fifth of our own labelled cases.
fn actions() -> Vec<Action> {
    let mut actions = Vec::new();
    for folder in ["dangerous", "everyday"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora/cases").join(folder);
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files {
            for line in std::fs::read_to_string(file).unwrap().lines().step_by(5) {
                let case: Value = serde_json::from_str(line).unwrap();
                let kind = Kind::from_word(case["kind"].as_str().unwrap()).unwrap();
                if let (Kind::Shell | Kind::Sql, Some(text)) = (kind, case["text"].as_str()) {
                    let cwd = case["cwd"].as_str().map(str::to_owned);
                    actions.push(action(kind, text, cwd));
                }
            }
        }
    }
    assert!(actions.len() > 500, "{}", actions.len());
    actions
}

fn action(kind: Kind, text: &str, cwd: Option<String>) -> Action {
    Action {
        id: ActionId::default(),
        time: None,
        actor: Actor::default().into(),
        session: "s".into(),
        kind,
        text: text.into(),
        argv: None,
        tool: None,
        arguments: None,
        surroundings: Arc::new(Surroundings { cwd, ..Surroundings::default() }),
        outcome: Outcome::default(),
        approved: false,
        gaps: Vec::new(),
        origin: Origin { file: "f".into(), line: 1, offset: 0, format: "test" },
    }
}

#[test]
fn what_judging_has_found_out_changes_nothing() {
    let engine = engine();
    let (mut near, mut told) = (0, 0);
    for action in actions() {
        let understanding = engine.understand(&action, &Known::default(), false);
        let facts = SessionFacts::default();
        let known = Known::default();
        let seen = Seen {
            action: &action,
            understanding: &understanding,
            facts: &facts,
            more_labels: &[],
            known: Some(&known),
        };
        let mut established = Vec::new();
        engine.each_request(&seen, |request| {
            let (judgement, kept) = engine.policy.judge_and_keep(request);
            for most in [1, 2, u32::MAX] {
                let alone = engine.policy.near_one_by_one(request, most);
                assert_eq!(engine.policy.near(request, most), alone, "{}", action.text);
                assert_eq!(
                    engine.policy.near_within(request, Within::steps(most), Some(&kept)),
                    alone,
                    "{}",
                    action.text
                );
                near += alone.len();
            }
            let in_words = |near: &Near| near.unmet.iter().all(|unmet| unmet.nature == Nature::Text);
            let mut alone = engine.policy.near_one_by_one(request, 2);
            alone.retain(|near| near.distance() <= 1 || in_words(near));
            let within = Within { steps: 1, words: 2 };
            assert_eq!(engine.policy.near_within(request, within, Some(&kept)), alone, "{}", action.text);
            let met: BTreeSet<&str> = judgement.met.iter().map(|rule| rule.id.as_str()).collect();
            for (place, id) in engine.policy.ids().enumerate() {
                assert_eq!(engine.policy.meets(place, request), met.contains(id), "{id}: {}", action.text);
            }
            established.push(kept);
        });
        let verdict = engine.judge(&engine.policy, &seen, None);
        for statements_later in [false, true] {
            let asked = Asked { most: 1, statements_later };
            let slow = engine.near_misses_of(&seen, &verdict, asked, &[]);
            assert_eq!(engine.near_misses_of(&seen, &verdict, asked, &established), slow, "{}", action.text);
            told += slow.map_or(0, |nearness| nearness.told.len());
        }
    }
    assert!(near > 1000 && told > 50, "{near} near, {told} told");
}
