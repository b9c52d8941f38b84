//! What a user would see of SQL: effects and gaps, one line each.

use std::sync::Arc;

use crate::classify::{Catalog, Known, Scene};
use crate::model::{Action, ActionId, Actor, Kind, Origin, Outcome, Surroundings, Understanding};

pub(super) fn understand(dialect: &str, sql: &str) -> Understanding {
    let surroundings =
        Surroundings { dialect: (!dialect.is_empty()).then(|| dialect.to_owned()), ..Surroundings::default() };
    let action = Action {
        id: ActionId(0),
        time: None,
        actor: Arc::new(Actor::default()),
        session: "s".into(),
        kind: Kind::Sql,
        text: sql.into(),
        argv: None,
        tool: None,
        arguments: None,
        surroundings: Arc::new(surroundings),
        outcome: Outcome::default(),
        approved: false,
        gaps: Vec::new(),
        origin: Origin { file: "t".into(), line: 1, offset: 0, format: "actions" },
    };
    let (catalog, known) = (Catalog::default(), Known::default());
    let mut scene = Scene::new(&catalog, &action, &known, false);
    scene.run(crate::classify::Language::Sql, sql, 0);
    scene.finish()
}

pub(super) fn render(understanding: &Understanding) -> String {
    let mut lines = Vec::new();
    for effect in &understanding.effects {
        let mut notes = vec![effect.extent.to_string()];
        for (flag, word) in [
            (effect.cascades, "cascades"),
            (effect.dry_run, "dry run"),
            (effect.guard_off, "guard off"),
            (effect.in_transaction, "in transaction"),
            (effect.resource.unresolved, "unresolved"),
        ] {
            if flag {
                notes.push(word.to_owned());
            }
        }
        notes.extend(effect.count.map(|count| format!("{count} rows")));
        notes.extend(effect.code.map(|code| format!("{code} code")));
        notes.extend(
            effect
                .zone
                .map(|zone| format!("{zone} {}", effect.peer.as_deref().unwrap_or_default()).trim_end().to_owned()),
        );
        notes.extend(effect.resource.areas.iter().map(|area| area.to_string()));
        notes.extend(effect.places.iter().map(|place| format!("{} {}", place.kind, place.name)));
        if effect.certainty != crate::model::Certainty::Exact {
            notes.push(effect.certainty.to_string());
        }
        lines.push(
            format!("{} {} {} ({})", effect.operation, effect.resource.kind, effect.resource.name, notes.join(", "))
                .replace("  ", " "),
        );
    }
    for gap in &understanding.gaps {
        lines.push(format!("gap {}: {}", gap.kind, gap.detail));
    }
    lines.join("\n")
}

/// Checks what is said about `sql` in `dialect`.
pub(super) fn check(dialect: &str, sql: &str, expected: &str) {
    assert_eq!(render(&understand(dialect, sql)), expected, "{dialect}: {sql}");
}

/// Ten thousand of anything must neither overflow the stack nor be passed over.
#[test]
fn nesting_of_any_kind_is_survived() {
    for open in [
        "(",
        "[",
        "{{",
        "'",
        "\"",
        "$$",
        "/*",
        "CASE WHEN ",
        "NOT ",
        "- ",
        "a OR ",
        "a || ",
        "BEGIN ",
        "EXPLAIN ",
        "f(",
    ] {
        let sql = format!("DELETE FROM logs WHERE {}", open.repeat(10_000));
        let found = understand("postgres", &sql);
        assert!(!found.effects.is_empty() || !found.gaps.is_empty(), "{open}");
    }
}

#[test]
fn a_function_that_is_only_named_is_not_called() {
    check("postgres", "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO app", "grant Routine pg_read_file (one)");
    check("postgres", "DECLARE c CURSOR FOR SELECT pg_cancel_backend(7)", "stop Process 7 (one)");
}

#[test]
fn a_bracket_that_never_closes_is_survived() {
    let found = understand("", "DELETE FROM [a…");
    assert!(!found.gaps.is_empty());
}

#[test]
fn spans_are_the_words_that_say_it() {
    let sql = "SELECT 'é'; DELETE FROM \"tëst\" WHERE a = 1";
    let found = understand("postgres", sql);
    let span = found.effects[0].span.unwrap();
    assert_eq!(&sql[span.start..span.end], "DELETE FROM \"tëst\"");
    assert_eq!(found.template, "SELECT ?; DELETE FROM <t> WHERE <c> = ?");
}

/// What each statement of `safety.txt` does, as people have read and agreed.
#[test]
fn the_list_of_statements_says_what_each_one_does() {
    let mut wrong = String::new();
    let mut lines = 0;
    for line in include_str!("safety.txt").lines().filter(|line| !line.is_empty() && !line.starts_with("//")) {
        lines += 1;
        let (statement, expected) = line.split_once(" ==> ").unwrap_or((line, ""));
        let (dialect, sql) = statement.split_once(" | ").expect("`dialect | statement ==> effects`");
        let found = render(&understand(dialect, &sql.replace("\\n", "\n"))).replace('\n', "; ");
        let found = if found.is_empty() { "nothing" } else { &found };
        if found != expected {
            wrong += &format!("{statement} ==> {found}\n");
        }
    }
    assert!(lines > 300, "only {lines} statements");
    assert!(wrong.is_empty(), "these are read otherwise than written:\n{wrong}");
}
