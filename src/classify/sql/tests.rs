//! What a user would see of SQL: effects and gaps, one line each.

use std::sync::Arc;

use crate::classify::{Catalog, Known, Scene};
use crate::model::{Action, ActionId, Actor, Executed, Kind, Origin, Outcome, Surroundings, Understanding};

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
        outcome: Outcome { executed: Executed::Unknown, succeeded: None, exit_code: None, rows: None },
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

#[test]
fn commands_are_split_before_they_are_read() {
    check(
        "postgres",
        "COPY t FROM stdin;\n1\t;DROP TABLE u;\n\\.\nDROP TABLE x",
        "update Table t (some)\ndrop Table x (all)",
    );
    check("postgres", "COPY t FROM stdin; DROP TABLE x", "update Table t (some)\ndrop Table x (all)");
    check("tsql", "SELECT 1\nGO\nDROP TABLE x", "drop Table x (all)");
}
