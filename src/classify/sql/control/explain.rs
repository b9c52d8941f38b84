//! SHOW, DESCRIBE and EXPLAIN.

use crate::classify::sql::cursor::Cursor;
use crate::classify::sql::{Run, statement};
use crate::model::{Extent, Operation, ResourceKind};

use super::is_prose;

/// SHOW.
pub(super) fn show(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    if cursor.ended() || is_prose(cursor, 5) {
        return false;
    }
    let span = cursor.span();
    cursor.eat_any(&["CREATE", "FULL", "EXTENDED"]);
    if cursor.eat_any(&["TABLE", "COLUMNS FROM", "COLUMNS IN", "INDEX FROM", "VIEW"])
        && let Some(name) = cursor.name()
    {
        run.note(Operation::List, ResourceKind::Table, &name, Extent::One, "SHOW");
    } else {
        run.server(Operation::List, "SHOW", span);
    }
    true
}

/// EXPLAIN and DESCRIBE: what is only explained happens only where it says ANALYZE.
pub(super) fn explain(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    let mut runs = false;
    if cursor.sees_punct("(") && !matches!(Cursor { at: cursor.at + 1, ..cursor }.keyword().as_str(), "SELECT" | "WITH")
    {
        let options = cursor.brackets().unwrap_or_default();
        let options = Cursor::new(cursor.text, options);
        runs = options.find("ANALYZE").or_else(|| options.find("ANALYSE")).is_some_and(|at| {
            let value = options.tokens.get(at + 1).map_or("", |token| &options.text[token.start..token.end]);
            !["off", "false", "0"].iter().any(|off| value.eq_ignore_ascii_case(off))
        });
    }
    loop {
        if cursor.eat_any(&["ANALYZE", "ANALYSE"]) {
            runs = true;
        } else if cursor.eat("FORMAT") {
            cursor.eat_punct("=");
            cursor.at += 1;
        } else if cursor.eat("PLAN SET") {
            while !cursor.ended() && !cursor.eat("FOR") {
                cursor.at += 1;
            }
        } else if !cursor.eat_any(&[
            "VERBOSE",
            "EXTENDED",
            "FORMATTED",
            "CODEGEN",
            "COST",
            "QUERY PLAN",
            "PLAN FOR",
            "PLAN",
            "PIPELINE",
            "SYNTAX",
            "AST",
            "ESTIMATE",
            "PARTITIONS",
            "LOGICAL",
            "USING TEXT",
            "USING JSON",
            "USING TABULAR",
        ]) {
            break;
        }
    }
    if cursor.ended() {
        return false;
    }
    let changes = [
        "SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "VALUES", "CREATE", "EXECUTE", "DECLARE",
        "REFRESH", "FROM", "TABLE",
    ];
    if changes.contains(&cursor.keyword().as_str()) || cursor.sees_punct("(") {
        let before = run.dry;
        run.dry |= !runs;
        statement::run(run, cursor.rest());
        run.dry = before;
        return true;
    }
    cursor.eat_any(&["TABLE", "EXTENDED", "FORMATTED", "DATABASE", "SCHEMA", "FUNCTION"]);
    let Some(name) = cursor.name() else { return false };
    let verb = Cursor { at: 0, ..cursor };
    if is_prose(cursor, if verb.sees("EXPLAIN") { 1 } else { 2 }) {
        return false;
    }
    run.note(Operation::List, ResourceKind::Table, &name, Extent::One, "DESCRIBE");
    true
}
