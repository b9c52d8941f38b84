//! Runs the examples that rules carry: a rule that does not do what its examples say is refused.

use crate::policy::{Example, Problem};

use super::Engine;

/// Decides the examples and returns a problem, located in the policy's source, for each that goes wrong.
pub fn run_examples<'e>(engine: &Engine, examples: impl IntoIterator<Item = &'e Example>) -> Vec<Problem> {
    examples.into_iter().filter_map(|example| run_example(engine, example)).collect()
}

fn run_example(engine: &Engine, example: &Example) -> Option<Problem> {
    let finding = engine.decide_example(example);
    let verdict = &finding.verdict;
    let met = verdict.hits.iter().chain(&verdict.shadow).any(|hit| hit.rule.id == example.rule.id);
    (met != example.expect_met).then(|| {
        let does = if example.expect_met { "does not stop" } else { "stops" };
        let effects = &finding.understanding.effects;
        let understood: Vec<String> = effects
            .iter()
            .map(|effect| format!("{} {} {}", effect.operation, effect.resource.kind, effect.resource.name))
            .collect();
        let understood = if understood.is_empty() { "nothing".to_owned() } else { understood.join("; ") };
        let rule = &example.rule.id;
        example.problem(format!("`{rule}` {does} its own example `{}`; understood: {understood}", example.text))
    })
}
