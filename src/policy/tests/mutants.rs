//! Mutants: which there are, what they say, and which are proved to be none.

use super::*;

const TEXT: &str = r#"
@id("a.permit") permit (principal, action, resource);
@id("a.b") @severity("low") @message("m")
forbid (principal, action == Action::"drop", resource is Table) unless { context.approved };
"#;

fn load(text: &str) -> Policy {
    Policy::load(&[source(text)], &LoadOptions::default()).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Mutants of one rule, without its id.
fn names(text: &str, rule: &str) -> Vec<String> {
    let mutants = Mutants::of(&load(text), |id| id == rule);
    let name = |mutant: &Mutant| mutant.name().split_once(": ").map(|(_, name)| name.to_owned()).unwrap_or_default();
    mutants.all().iter().map(name).collect()
}

/// The ways to widen one condition of a rule about dropped tables.
#[track_caller]
fn check_widened(condition: &str, expected: &[&str]) {
    let text = format!("@id(\"a.b\") forbid (principal, action, resource is Table) when {{ {condition} }};");
    let found = names(&text, "a.b");
    let widened = found.iter().filter_map(|name| name.strip_prefix("widen "));
    let widened: Vec<&str> = widened.filter_map(|name| name.split_once(" to ")).map(|(_, after)| after).collect();
    let own: Vec<&str> = widened.into_iter().filter(|after| !after.contains("resource is View")).collect();
    assert_eq!(own, expected);
}

#[test]
fn a_mutant_differs_in_one_condition() {
    let policy = load(TEXT);
    let mutants = Mutants::of(&policy, |id| id == "a.b");
    let cases = ["drop Table:t", "read Table:t", "drop File:t", "drop Table:t approved"].map(Told::new);
    let mut stopped = vec![String::new(); mutants.all().len()];
    for case in &cases {
        let mut says = vec![None; mutants.all().len()];
        let own =
            policy.judge_with_mutants(&mutants, &case.request(), |saying| says[saying.mutant] = Some(saying.says));
        let plain = policy.judge(&case.request());
        assert_eq!((own.met.len(), own.not_permitted), (plain.met.len(), plain.not_permitted));
        for (stopped, says) in stopped.iter_mut().zip(says) {
            let met = says.map_or(!own.met.is_empty(), |says| says == Answer::Met);
            stopped.push(if met { 'x' } else { '-' });
        }
    }
    let seen: Vec<String> = mutants
        .all()
        .iter()
        .zip(stopped)
        .map(|(mutant, stopped)| format!("{stopped} {}", mutant.name().trim_start_matches("a.b: ")))
        .collect();
    assert_eq!(
        seen,
        [
            "xx-- drop action == Action::\"drop\"",
            "-x-- negate action == Action::\"drop\"",
            "x--- widen action == Action::\"drop\" to action in [Action::\"alter\", Action::\"drop\"]",
            "x-x- drop resource is Table",
            "--x- negate resource is Table",
            "x--- widen resource is Table to (resource is Table) || (resource is View)",
            "x--x drop !context.approved",
            "---x negate !context.approved",
            "---- delete",
            "x--- ask for block",
        ]
    );
}

#[test]
fn what_a_mutant_decides_takes_the_place_of_its_rule() {
    let policy = load(TEXT);
    let mutants = Mutants::of(&policy, |_| true);
    let told = Told::new("drop Table:t");
    let mut said = Vec::new();
    let judgement = policy.judge_with_mutants(&mutants, &told.request(), |saying| said.push(saying));
    for saying in said {
        let mutant = &mutants.all()[saying.mutant];
        let changed = policy.with_mutant(&judgement, mutant, &saying);
        match (mutant.rule.as_str(), mutant.mutation) {
            ("a.permit", _) => assert!(changed.not_permitted && changed.met.len() == 1),
            (_, Mutation::Swapped) => assert_eq!(changed.met[0].decision, Decision::Ask),
            _ => assert!(changed.met.is_empty() && !changed.not_permitted, "{}", mutant.name()),
        }
    }
    // Without its only permit nothing passes.
    assert_eq!(names(TEXT, "a.permit"), ["delete"]);
}

#[test]
fn there_is_one_list_of_ways_to_widen() {
    check_widened(
        "resource in Environment::\"production\"",
        &["resource in [Environment::\"production\", Environment::\"staging\"]"],
    );
    check_widened(
        "context.environment == Environment::\"unknown\"",
        &["[Environment::\"production\", Environment::\"unknown\"].contains(context.environment)"],
    );
    check_widened("context has count && context.count > 100", &["context.count > 99", "context.count > 10"]);
    check_widened("context.session.denials <= 3", &["context.session.denials <= 4", "context.session.denials <= 30"]);
    check_widened("context.by == \"psql\"", &["context.by like \"psql*\""]);
    check_widened("[\"rm\", \"dd\"].contains(context.by)", &["(context.by like \"rm*\") || (context.by like \"dd*\")"]);
    check_widened("resource.name like \"*_tmp\"", &["resource.name like \"*_tmp*\""]);
    check_widened("resource.name like \"tmp_*\"", &[]);
    // An exception that reaches further.
    check_widened("!(resource.name like \"*.bak\")", &["!(resource.name like \"*.bak*\")"]);
    check_widened("context.cascades", &[]);
}

#[test]
fn what_the_rule_needs_to_be_loaded_is_left_alone() {
    let found = names(
        "@id(\"a.b\") forbid (principal, action, resource is Table) when { context has count && context.count > 5 };",
        "a.b",
    );
    assert!(!found.iter().any(|name| name.contains("has count")), "{found:?}");
}

#[test]
fn equivalent_ones_are_proved() {
    let equivalent = |condition: &str| -> Vec<String> {
        let text =
            format!("@id(\"a.b\") forbid (principal, action == Action::\"drop\", resource) when {{ {condition} }};");
        let mutants = Mutants::of(&load(&text), |_| true);
        let proved = mutants.all().iter().filter(|mutant| mutant.equivalent.is_some());
        proved.map(|mutant| mutant.name().trim_start_matches("a.b: ").to_owned()).collect()
    };
    // What a later condition says again.
    assert_eq!(
        equivalent("context.extent != Extent::\"one\" && context.extent == Extent::\"all\""),
        [
            "drop context.extent != Extent::\"one\"",
            "widen context.extent != Extent::\"one\" to ![Extent::\"one\", Extent::\"some\"].contains(context.extent)"
        ]
    );
    assert_eq!(equivalent("context.cascades && !context.dry_run"), Vec::<String>::new());
    // Names can be anything.
    assert_eq!(equivalent("resource.name == \"a\" && resource.name like \"a*\""), Vec::<String>::new());
}
