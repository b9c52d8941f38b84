//! Mutants: which there are, what they say, and which are proved to be none.

use super::agreement::Draw;
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

/// Mutants of a rule with these conditions that are proved to be the same.
fn proved(condition: &str) -> Vec<String> {
    let text = format!("@id(\"a.b\") forbid (principal, action == Action::\"drop\", resource) when {{ {condition} }};");
    let mutants = Mutants::of(&load(&text), |_| true);
    let proved = mutants.all().iter().filter(|mutant| mutant.equivalent.is_some());
    proved.map(|mutant| mutant.name().trim_start_matches("a.b: ").to_owned()).collect()
}

#[test]
fn equivalent_ones_are_proved() {
    // What a later condition says again.
    assert_eq!(
        proved("context.extent != Extent::\"one\" && context.extent == Extent::\"all\""),
        [
            "drop context.extent != Extent::\"one\"",
            "widen context.extent != Extent::\"one\" to ![Extent::\"one\", Extent::\"some\"].contains(context.extent)"
        ]
    );
}

/// What the widened conditions are that are proved to be the same, of these.
#[track_caller]
fn check_same(condition: &str, expected: &[&str]) {
    let name = |name: String| name.split_once(" to ").map_or(name.clone(), |(_, after)| after.to_owned());
    assert_eq!(proved(condition).into_iter().map(name).collect::<Vec<_>>(), expected, "{condition}");
}

/// Questions that can have any answer hide nothing that stands beside them, and are no reason for anything.
#[test]
fn proofs_reach_past_names_and_texts() {
    // `|| resource is Table` is added to what stands beside it already, or to what is narrower.
    check_same(
        r#"resource is Table || resource is Column && context.cascades || resource.name like "a*""#,
        &[
            r#"(resource is Table) || (((resource is Column) || (resource is Table)) && context.cascades) || (resource.name like "a*")"#,
        ],
    );
    check_same(
        r#"resource is Table && context.dry_run || resource is Column && context.cascades || resource.name like "a*""#,
        &[],
    );
    check_same(r#"resource is Table && resource.name like "b*" || resource is Column || resource.name like "a*""#, &[]);
    // A later condition leaves what is added out, unless something can fail before or be unsure.
    check_same(
        r#"(resource is Table || resource.name like "a*") && !(resource is View)"#,
        &[r#"(resource is Table) || (resource is View) || (resource.name like "a*")"#],
    );
    check_same(
        r#"(resource is Table || resource.name like "a*") && !(resource is View && resource.name like "v*")"#,
        &[],
    );
    check_same(
        r#"resource in Area::"system" && resource.name like "a*" && !(resource in [Area::"in-home", Area::"workspace-root"])"#,
        &[],
    );
    check_same(
        r#"resource in Area::"home" && resource.name like "a*" && !(resource in [Area::"in-home", Area::"temporary"])"#,
        &[r#"resource in [Area::"home", Area::"in-home"]"#],
    );
    // What hangs on the name of a thing is unsure where the name is; another condition for it is not.
    check_same(
        r#"!(context.cascades && resource in Area::"home") && resource in Area::"mount" && !(resource in Area::"in-home")"#,
        &[r#"!(context.cascades && (resource in [Area::"home", Area::"in-home"]))"#],
    );
    check_same(
        r#"!(context.cascades && resource in Area::"home") && resource in Area::"home" && resource.name like "a*""#,
        &[],
    );
    // Two texts at once are none, two patterns can be.
    check_same(
        r#"(resource is Table || context.by == "a") && !((resource is Table || resource is Column) && context.by == "b") && context.by == "c""#,
        &[
            r#"(resource is Table) || (context.by like "a*")"#,
            r#"drop !(((resource is Table) || (resource is Column)) && (context.by == "b"))"#,
            r#"!(((resource is Table) || (resource is View) || (resource is Column)) && (context.by == "b"))"#,
            r#"!(((resource is Table) || ((resource is Column) || (resource is Table))) && (context.by == "b"))"#,
            r#"!(((resource is Table) || (resource is Column)) && (context.by like "b*"))"#,
        ],
    );
    check_same(r#"resource is Table && !(context.by like "b*") && context.by like "c*""#, &[]);
    check_same(r#"(context.cascades || context.by == "a") && !(context.by like "*b*") && resource is Table"#, &[]);
    // Numbers can fail where they are not known, and are anything where they are.
    check_same(r#"context.session.denials > 5 && context.session.denials > 3"#, &[]);
    check_same(
        r#"(resource is Table || context has count && context.count > 5) && (resource is Table || resource is Column)"#,
        &[
            r#"(resource is Table) || (resource is View) || ((context has count) && (context.count > 5))"#,
            r#"(resource is Table) || ((resource is Column) || (resource is Table))"#,
        ],
    );
    // A number that is not known is an error before the other condition is asked.
    check_same(
        r#"(resource is Table || context has count) && (resource is Column || context has count && context.count > 5) && !(resource is View)"#,
        &["(resource is Table) || (resource is View) || (context has count)"],
    );
    // One area is enough, whatever else stands in the list.
    check_same(
        r#"resource.name like "/*" && !(resource in [Area::"root", Area::"system"]) && !(resource in [Area::"home", Area::"workspace", Area::"device", Area::"sink"])"#,
        &[r#"!(resource in [Area::"home", Area::"root", Area::"system"])"#],
    );
}

/// Conditions that fail, are unsure and say the same as others, in every order.
fn twisted() -> Policy {
    let parts = [
        "(resource is Table || context.count > 5)",
        "(resource is Table || resource is Column && resource.name like \"a*\")",
        "resource in [Area::\"home\", Area::\"system\"]",
        "!(resource in [Area::\"in-home\", Area::\"temporary\"] || context.cascades)",
        "!(context.cascades && resource in Area::\"home\" && context.zone == Zone::\"local\")",
        "(resource.unresolved || context.by == \"a\")",
        "(context.by == \"b\" || context.peer like \"10*\" || resource is Column)",
        "resource in Environment::\"production\"",
        "(resource.name == \"a\" || resource in Area::\"system\" || resource in Environment::\"unknown\")",
        "(action == Action::\"drop\" || action == Action::\"read\" && resource.name like \"*b\")",
    ];
    let mut text = String::new();
    let mut draw = Draw(1);
    for number in 0..150 {
        let chosen: Vec<&str> = (0..2 + number % 3).map(|_| draw.one(&parts)).collect();
        let unless_known = if draw.flag() { "@unless_known(\"environment\") " } else { "" };
        let scope = draw.one(&["resource is Table", "resource", "resource"]);
        let all = chosen.join(" && ");
        text.push_str(&format!(
            "@id(\"t.n{number}\") @message(\"m\") {unless_known}forbid (principal, action, {scope}) when {{ {all} }};\n"
        ));
    }
    let source = Source { builtin: true, ..source(&text) };
    Policy::load(&[source], &LoadOptions::default()).unwrap_or_else(|errors| panic!("{errors}"))
}

/// No request tells a mutant from its rule that is proved to be equivalent: of the packs, and of policies in which
/// conditions fail.
#[test]
fn what_is_proved_holds() {
    for (policy, many) in [(pack("strict"), 300), (twisted(), 60)] {
        let mutants = Mutants::of(&policy, |_| true);
        (0..mutants.all().len()).for_each(|number| mutants.set_open(number, false));
        let mut asked = 0;
        for (number, mutant) in mutants.all().iter().enumerate() {
            if mutant.equivalent.is_none() {
                continue;
            }
            mutants.set_open(number, true);
            let mut texts = policy.literals_of(&mutant.rule).texts;
            texts.extend(texts.clone().iter().map(|text| text.replace('*', "")));
            texts.push("x".into());
            let rule = policy.compiled.iter().find(|rule| rule.id == mutant.rule).unwrap();
            let mut draw = Draw(number as u64);
            for _ in 0..many {
                let (mut action, mut effect, session) = (draw.action(), draw.effect(), draw.session());
                let kinds: Vec<_> =
                    ResourceKind::ALL.iter().filter(|k| rule.test.kinds & 1 << **k as u64 != 0).collect();
                let fits: Vec<_> =
                    Operation::ALL.iter().filter(|o| rule.test.operations & 1 << **o as u32 != 0).collect();
                if !draw.flag() && !kinds.is_empty() && !fits.is_empty() {
                    (effect.resource.kind, effect.operation) = (*draw.one(&kinds), *draw.one(&fits));
                }
                (effect.by, effect.resource.name) = (draw.one(&texts), draw.one(&texts));
                action.text = draw.one(&texts).as_str().into();
                let environment = draw.one(Environment::ALL);
                let request = Request { action: &action, effect: &effect, environment, labels: &[], session: &session };
                policy.judge_with_mutants(&mutants, &request, |saying| {
                    panic!("{}: {saying:?} to {request:#?}", mutant.name());
                });
                asked += 1;
            }
            mutants.set_open(number, false);
        }
        assert!(asked > 5_000, "only {asked} requests");
    }
}
