//! A proof as one JSON object.

use std::io::{self, Write};

use serde::Serialize;

use super::super::change::said;
use crate::engine::prove::{Difference, Fires, Proof};
use crate::policy::prove::{Found, Place};

use super::{Heading, Told, changed_at, place};

#[derive(Serialize)]
struct Object<'a> {
    schema_version: u32,
    /// `proved`, `refuted` or `not-proved`.
    result: &'static str,
    claim: &'a str,
    solver: &'a str,
    elapsed_ms: u128,
    policies: Vec<Policy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environments: Option<Environments>,
    loosened: Vec<Way>,
    tightened: Vec<Way>,
    open: Vec<Open>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<Vec<Rule>>,
}

#[derive(Serialize)]
struct Policy {
    names: Vec<String>,
    digest: String,
    rules: usize,
}

#[derive(Serialize)]
struct Environments {
    total: usize,
    by_text: usize,
    by_solver: usize,
    by_example: usize,
    cells: usize,
}

#[derive(Serialize)]
struct Way {
    was: &'static str,
    is: &'static str,
    rules: Vec<Stopped>,
    environments: Vec<Environment>,
    /// What the example does, and what is out of the ordinary about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Request>,
    /// A request that no action makes, in Cedar's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    cedar: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// TOML, ready for a file of cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<String>,
}

#[derive(Serialize)]
struct Request {
    operation: &'static str,
    kind: &'static str,
    name: String,
    environment: &'static str,
    actor: &'static str,
    facts: Vec<String>,
}

#[derive(Serialize)]
struct Stopped {
    id: String,
    place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<Change>,
    unmet: Vec<String>,
}

#[derive(Serialize)]
struct Change {
    said: Vec<String>,
    place: String,
}

#[derive(Serialize)]
struct Environment {
    operation: &'static str,
    kind: &'static str,
    actor: &'static str,
}

#[derive(Serialize)]
struct Open {
    environments: Vec<Environment>,
    why: String,
}

#[derive(Serialize)]
struct Rule {
    id: String,
    place: String,
    /// `alone`, `covered`, `never` or `not-proved`.
    fires: &'static str,
    by: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

pub(super) fn tell(told: &Told<'_>, heading: &Heading, out: &mut dyn Write) -> io::Result<()> {
    let policies = heading.policies.iter().map(|policy| Policy {
        names: policy.policies.clone(),
        digest: policy.policy_digest.clone(),
        rules: policy.rules,
    });
    let mut object = Object {
        schema_version: 1,
        result: "not-proved",
        claim: "every rule can fire",
        solver: &heading.solver,
        elapsed_ms: heading.elapsed.as_millis(),
        policies: policies.collect(),
        environments: None,
        loosened: Vec::new(),
        tightened: Vec::new(),
        open: Vec::new(),
        rules: None,
    };
    match told {
        Told::Change(proof) => {
            object.claim = proof.claim.word();
            object.result = result(proof.is_refuted(), proof.holds());
            object.environments = Some(Environments {
                total: proof.total,
                by_text: proof.by_text,
                by_solver: proof.by_solver,
                by_example: proof.by_example,
                cells: proof.cells,
            });
            object.loosened = proof.loosened.iter().map(|found| way(proof, found)).collect();
            object.tightened = proof.tightened.iter().map(|found| way(proof, found)).collect();
            let open = proof.open.iter();
            object.open =
                open.map(|(places, why)| Open { environments: environments(places), why: why.clone() }).collect();
        }
        Told::Rules(rules) => {
            let refuted = rules.iter().any(|(_, fires)| matches!(fires, Fires::Never));
            let open = rules.iter().any(|(_, fires)| matches!(fires, Fires::Open(_)));
            object.result = result(refuted, !open);
            let rule = |(rule, fires): &(_, Fires)| {
                let rule: &std::sync::Arc<crate::model::RuleInfo> = rule;
                let (fires, by, why) = match fires {
                    Fires::Alone => ("alone", Vec::new(), None),
                    Fires::Covered(by) => ("covered", by.iter().map(|rule| rule.id.clone()).collect(), None),
                    Fires::Never => ("never", Vec::new(), None),
                    Fires::Open(why) => ("not-proved", Vec::new(), Some(why.clone())),
                };
                Rule { id: rule.id.clone(), place: place(rule), fires, by, why }
            };
            object.rules = Some(rules.iter().map(rule).collect());
        }
    }
    serde_json::to_writer(&mut *out, &object)?;
    writeln!(out)
}

const fn result(refuted: bool, holds: bool) -> &'static str {
    match (refuted, holds) {
        (true, _) => "refuted",
        (false, true) => "proved",
        (false, false) => "not-proved",
    }
}

fn way(proof: &Proof, found: &Difference) -> Way {
    let rules = found.rules.iter().map(|stopped| {
        let change = proof.changes.iter().find(|change| change.id == stopped.rule.id);
        Stopped {
            id: stopped.rule.id.clone(),
            place: place(&stopped.rule),
            change: change.map(|change| Change { said: said(change), place: changed_at(change) }),
            unmet: stopped.unmet.clone(),
        }
    });
    let (request, cedar) = match &found.example {
        Found::Request(situation) => {
            let resource = &situation.effect.resource;
            let request = Request {
                operation: situation.effect.operation.word(),
                kind: resource.kind.word(),
                name: resource.name.clone(),
                environment: situation.environment.word(),
                actor: situation.action.actor.kind.word(),
                facts: situation.told(),
            };
            (Some(request), None)
        }
        Found::Cedar(request) => (None, Some(request.clone())),
    };
    Way {
        was: found.was.word(),
        is: found.is.word(),
        rules: rules.collect(),
        environments: environments(&found.places),
        request,
        cedar,
        text: found.action.as_ref().map(|action| action.text.to_string()),
        case: found.case(),
    }
}

fn environments(places: &[Place]) -> Vec<Environment> {
    let environment = |place: &Place| Environment {
        operation: place.operation.word(),
        kind: place.kind.word(),
        actor: place.actor.word(),
    };
    places.iter().map(environment).collect()
}
