//! Runs the examples that rules carry: a rule that does not do what its examples say is refused.

use std::sync::Arc;

use crate::model::{Action, Actor, ActorKind, Kind, Origin, Outcome, RuleInfo, Surroundings};
use crate::policy::Example;

use super::{Engine, Session};

/// An example that did not do what its rule says.
#[derive(Clone, Debug)]
pub struct ExampleFailure {
    pub rule: Arc<RuleInfo>,
    pub text: String,
    /// The rule says it stops this; it does not. Otherwise the other way round.
    pub should_stop: bool,
    /// What was understood, for the message.
    pub understood: Vec<String>,
}

/// Decides every example of the policy's rules and returns those that went wrong.
pub fn run_examples(engine: &Engine, examples: &[Example]) -> Vec<ExampleFailure> {
    examples.iter().filter_map(|example| run_example(engine, example)).collect()
}

fn run_example(engine: &Engine, example: &Example) -> Option<ExampleFailure> {
    let finding = engine.decide(action(example), &mut Session::default());
    let verdict = &finding.verdict;
    let met = verdict.hits.iter().chain(&verdict.shadow).any(|hit| hit.rule.id == example.rule.id);
    (met != example.should_stop).then(|| ExampleFailure {
        rule: Arc::clone(&example.rule),
        text: example.text.clone(),
        should_stop: example.should_stop,
        understood: finding
            .understanding
            .effects
            .iter()
            .map(|effect| format!("{} {} {}", effect.operation, effect.resource.kind, effect.resource.name))
            .collect(),
    })
}

/// An example as an action: nothing is known about it but what its line says.
fn action(example: &Example) -> Action {
    Action {
        id: crate::model::ActionId::default(),
        time: None,
        actor: Arc::new(Actor {
            name: "example".to_owned(),
            kind: example.actor.unwrap_or(ActorKind::Unknown),
            groups: example.groups.clone(),
        }),
        session: Arc::from("example"),
        kind: if example.sql { Kind::Sql } else { Kind::Shell },
        text: Arc::from(&*example.text),
        argv: None,
        tool: None,
        arguments: None,
        surroundings: Arc::new(Surroundings {
            environment: example.environment,
            cwd: example.cwd.clone(),
            dialect: example.sql.then(|| "postgres".to_owned()),
            ..Surroundings::default()
        }),
        outcome: Outcome::default(),
        approved: example.approved,
        gaps: Vec::new(),
        origin: Origin { file: Arc::from("example"), line: 1, offset: 0, format: "example" },
    }
}
