//! A counterexample as an action: something a person could type, that both policies judge as the proof says.
//!
//! An effect does not say how it is written. Rules do: their examples are texts that have such effects. So the examples
//! are tried, under the circumstances of the counterexample and with its name in the place of theirs, until one is judged
//! by both policies as the counterexample was.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::classify::Known;
use crate::engine::expect::written::{inline, quoted};
use crate::engine::{Engine, Session};
use crate::model::{Action, Actor, Decision, Effect, Kind, Operation, ResourceKind};
use crate::policy::Example;
use crate::policy::prove::Situation;

/// Every sort of act that an example of a rule shows.
pub(super) fn shown(engine: &Engine) -> BTreeSet<(Operation, ResourceKind)> {
    let understood = examples(engine).map(|example| engine.understand(&example.action, &Known::default(), false));
    let effects = understood.flat_map(|understood| understood.effects);
    effects.map(|effect| (effect.operation, effect.resource.kind)).collect()
}

fn examples(engine: &Engine) -> impl Iterator<Item = &Example> {
    let policies = [Some(engine.policy()), engine.base_policy()];
    policies.into_iter().flatten().flat_map(|policy| policy.examples())
}

/// An action that the policy decides on as it `was` on the one side and `is` on the other; `backwards` when the
/// engine's base is the milder one.
pub(super) fn express(
    engine: &Engine,
    wanted: &Situation,
    was: Decision,
    is: Decision,
    backwards: bool,
) -> Option<Action> {
    let mut tried = BTreeSet::new();
    for example in examples(engine) {
        let understanding = engine.understand(&example.action, &Known::default(), false);
        let fits = |effect: &&Effect| {
            effect.operation == wanted.effect.operation && effect.resource.kind == wanted.effect.resource.kind
        };
        for effect in understanding.effects.iter().filter(fits) {
            for action in variants(example, effect, wanted) {
                let around = (format!("{:?}", action.surroundings), format!("{:?}", action.actor), action.approved);
                if !tried.insert((action.text.to_string(), around)) {
                    continue;
                }
                let finding = engine.decide(action.clone(), &mut Session::default());
                let Some(base) = &finding.base else { return None };
                let (base, head) = (base.verdict.decision, finding.verdict.decision);
                let (before, after) = if backwards { (head, base) } else { (base, head) };
                // An action can have further effects, and a name that is not known leaves more open: what counts is
                // that it is stopped as before on the one side and let through on the other.
                if before == was && after.max(Decision::Undecided) == is.max(Decision::Undecided) {
                    return Some(action);
                }
            }
        }
    }
    None
}

/// The example as it is, in the counterexample's circumstances, with its name.
fn variants(example: &Example, effect: &Effect, wanted: &Situation) -> Vec<Action> {
    let mut placed = example.action.clone();
    // Groups come from the configuration, not from a record.
    placed.actor = Arc::new(Actor { groups: Vec::new(), ..(*wanted.action.actor).clone() });
    placed.approved = wanted.action.approved;
    let given = Arc::make_mut(&mut placed.surroundings);
    given.environment = Some(wanted.environment);
    let around = &wanted.action.surroundings;
    for (place, name) in [
        (&mut given.cwd, &around.cwd),
        (&mut given.host, &around.host),
        (&mut given.user, &around.user),
        (&mut given.database, &around.database),
        (&mut given.account, &around.account),
        (&mut given.cluster, &around.cluster),
    ] {
        if name.is_some() {
            place.clone_from(name);
        }
    }
    let mut variants = vec![placed.clone()];
    let (theirs, ours) = (&effect.resource.name, &wanted.effect.resource.name);
    // As it is written: the last part of a path or of `schema.table` may be all that the text says.
    let written = [theirs.as_str(), theirs.rsplit(['/', '.']).next().unwrap_or(theirs)];
    let is_plain = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'))
    };
    for name in written {
        if is_plain(ours) && !name.is_empty() && example.action.text.contains(name) {
            // The fixed part of a pattern is a name only with something in the pattern's place.
            let longer = (!ours.ends_with(|c: char| c.is_ascii_alphanumeric())).then(|| format!("{ours}1"));
            for ours in longer.into_iter().chain([ours.clone()]) {
                variants.push(Action { text: example.action.text.replace(name, &ours).into(), ..placed.clone() });
            }
        }
    }
    variants
}

/// The counterexample as a case that holds a policy to what it did: TOML as [`crate::engine::expect`] reads it.
pub fn case(action: &Action, expect: Decision, rule: Option<&str>, name: &str) -> String {
    let mut fields = vec![("kind", action.kind.word().to_owned())];
    match action.kind {
        Kind::Tool | Kind::Api => {
            fields.extend(action.tool.iter().map(|tool| ("tool", tool.to_string())));
        }
        Kind::Shell | Kind::Sql | Kind::Exec => fields.push(("text", action.text.to_string())),
    }
    let around = &action.surroundings;
    fields.extend(around.environment.map(|environment| ("environment", environment.word().to_owned())));
    for (key, value) in [
        ("cwd", &around.cwd),
        ("home", &around.home),
        ("host", &around.host),
        ("user", &around.user),
        ("database", &around.database),
        ("account", &around.account),
        ("cluster", &around.cluster),
        ("dialect", &around.dialect),
    ] {
        fields.extend(value.clone().map(|value| (key, value)));
    }
    let mut written: Vec<String> = fields.iter().map(|(key, value)| format!("{key} = {}", quoted(value))).collect();
    if let (Kind::Tool | Kind::Api, Some(arguments)) = (action.kind, &action.arguments) {
        written.extend(inline(arguments).map(|arguments| format!("arguments = {arguments}")));
    }
    let actor = &action.actor;
    written.push(format!("actor = {{ name = {}, kind = \"{}\" }}", quoted(&actor.name), actor.kind));
    if action.approved {
        written.push("approved = true".to_owned());
    }
    let rule = rule.map(|rule| format!("rule = {}\n", quoted(rule))).unwrap_or_default();
    format!("[[case]]\nname = {}\nexpect = \"{expect}\"\n{rule}action = {{ {} }}\n", quoted(name), written.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{inline, quoted};

    #[test]
    fn what_is_written_is_toml() {
        for text in ["plain", "a \"b\" \\ c", "two\nlines\t\u{7f}\u{1b}", "ü"] {
            let table: toml::Table = toml::from_str(&format!("x = {}", quoted(text))).unwrap();
            assert_eq!(table["x"].as_str(), Some(text));
        }
        let table: toml::Table = toml::from_str(&format!("x = {}", inline(r#"{"a b": [1, "c"]}"#).unwrap())).unwrap();
        assert_eq!(table["x"]["a b"][1].as_str(), Some("c"));
        assert_eq!(inline(r#"{"a": null}"#), None);
    }
}
