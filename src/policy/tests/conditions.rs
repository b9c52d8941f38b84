//! Conditions one by one, and how near a rule was.

use super::*;

/// A rule's conditions as `explain` shows them.
#[track_caller]
fn check_conditions(rule: &str, words: &str, expected: &[&str]) {
    let pack = pack("recommended");
    let told = Told::new(words);
    let rule = pack.rules().iter().find(|info| info.id == rule).expect("a rule of the pack").clone();
    let conditions = pack.conditions(&rule, &told.request());
    let seen: Vec<String> = conditions.iter().map(|one| format!("{} {}: {}", one.met, one.kind, one.text)).collect();
    assert_eq!(seen, expected);
}

#[test]
fn conditions_say_what_was_missing() {
    check_conditions(
        "sql.change-many-production",
        "delete Table:orders some env=staging",
        &[
            "met anchor: action in [Action::\"delete\", Action::\"update\"]",
            "met anchor: resource is Table",
            "unmet condition: resource in Environment::\"production\"",
            "unknown condition: context has count",
            "unknown condition: context.count > 10000",
            "met condition: context.extent != Extent::\"all\"",
            "met condition: !context.dry_run",
            "met condition: !context.approved",
        ],
    );
}

/// `rule: conditions that do not hold [how far], conditions of which nobody can say`.
#[track_caller]
fn check_near(words: &str, expected: &[&str]) {
    let pack = pack("recommended");
    let told = Told::new(words);
    let seen: Vec<String> = pack
        .near(&told.request(), 1)
        .iter()
        .map(|near| {
            let unmet: Vec<String> =
                near.unmet.iter().map(|unmet| format!("{} {}", unmet.position, unmet.nature)).collect();
            format!("{}: {} [{} {}] {:?}", near.rule.id, unmet.join(", "), near.distance(), near.cost(), near.unknown)
        })
        .collect();
    assert_eq!(seen, expected);
}

#[test]
fn near_counts_what_is_missing() {
    check_near(
        "drop Schema:billing env=development",
        &[
            "sql.drop-schema-production: 2 circumstance [1 500] []",
            "sql.drop-outside-development: 2 circumstance [1 500] []",
        ],
    );
    check_near("drop Schema:billing env=production approved", &["sql.drop-schema-production: 5 control [1 1000] []"]);
    check_near("read Schema:billing env=production", &[]);
}
