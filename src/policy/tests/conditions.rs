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

#[test]
fn near_counts_what_is_missing() {
    let pack = pack("recommended");
    let near = |words: &str| {
        let told = Told::new(words);
        let found = pack.near(&told.request(), 1);
        found.iter().map(|near| format!("{} {:?} {:?}", near.rule.id, near.unmet, near.unknown)).collect::<Vec<_>>()
    };
    assert_eq!(
        near("drop Schema:billing env=development"),
        ["sql.drop-schema-production [2] []", "sql.drop-outside-development [2] []",]
    );
    assert_eq!(near("drop Schema:billing env=production approved"), ["sql.drop-schema-production [5] []"]);
    assert_eq!(near("read Schema:billing env=production"), Vec::<String>::new());
}
