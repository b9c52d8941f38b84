//! INSERT, UPDATE, DELETE and MERGE by their words.

use crate::classify::sql::cursor::{Cursor, Name};
use crate::classify::sql::data::at_most;
use crate::classify::sql::lexer::Kind;
use crate::classify::sql::{Run, statement, transfer};
use crate::model::{Effect, Extent, Operation, ResourceKind};

use super::{CLAUSES, aliased, condition, is_prose, reads};

pub(super) fn insert(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    let start = cursor.at;
    let by = cursor.keyword();
    cursor.at += 1;
    while cursor.eat_any(&["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE"]) {}
    if cursor.eat("OR") {
        cursor.at += 1;
    }
    if by == "INSERT" && (cursor.sees("ALL INTO") || cursor.sees("ALL WHEN") || cursor.sees("FIRST WHEN")) {
        // Oracle fills several tables at once.
        while let Some(at) = cursor.find("INTO") {
            cursor.at = at + 1;
            if let Some(name) = cursor.name() {
                run.note(Operation::Update, ResourceKind::Table, &name, Extent::Some, "INSERT ALL");
            }
        }
        reads(run, cursor, Extent::Unknown);
        return true;
    }
    let overwrite = cursor.eat("OVERWRITE");
    if cursor.eat_any(&["LOCAL DIRECTORY", "DIRECTORY"]) {
        let path = cursor.string().map_or_else(String::new, |(path, _)| path);
        let span = cursor.span_from(start);
        let mut from = cursor;
        let table = cursor.find("FROM").and_then(|at| {
            from.at = at + 1;
            from.name()
        });
        let resource = run.resource(ResourceKind::Table, &table.unwrap_or_default());
        let zone = transfer::zone_of(&path);
        transfer::export(run, resource, Extent::All, "INSERT OVERWRITE DIRECTORY", span, zone, path);
        reads(run, cursor, Extent::All);
        return true;
    }
    if cursor.eat_any(&["INTO TABLE FUNCTION", "INTO FUNCTION"]) {
        let peer = Cursor { ..cursor }.next_string().map_or_else(String::new, |(peer, _)| peer);
        let mut from = cursor;
        let table = cursor.find("FROM").and_then(|at| {
            from.at = at + 1;
            from.name()
        });
        let local = cursor.sees("file");
        let span = cursor.span_from(start);
        let resource = run.resource(ResourceKind::Table, &table.unwrap_or_default());
        let zone = if local { crate::model::Zone::Local } else { crate::model::Zone::External };
        transfer::export(run, resource, Extent::All, "INSERT INTO FUNCTION", span, zone, peer);
        reads(run, cursor, Extent::All);
        return true;
    }
    let into = cursor.eat("INTO");
    cursor.eat("TABLE");
    let Some(name) = cursor.name() else { return false };
    let shaped = cursor.sees_punct("(")
        || cursor.ended()
        || [
            "VALUES",
            "VALUE",
            "SELECT",
            "SET",
            "DEFAULT",
            "EXEC",
            "EXECUTE",
            "WITH",
            "PARTITION",
            "AS",
            "OUTPUT",
            "TABLE",
        ]
        .iter()
        .any(|word| cursor.has(word));
    if !into && !overwrite && !shaped || !shaped && is_prose(cursor) {
        return false;
    }
    let span = cursor.span_from(start);
    let resource = run.resource(ResourceKind::Table, &name);
    let extent = if overwrite { Extent::All } else { Extent::Some };
    run.put(Operation::Update, resource, extent, &by, span, |_| {});
    reads(run, cursor, Extent::Unknown);
    if let Some(at) = cursor.find_flat(&["EXEC", "EXECUTE"]) {
        statement::run(run, &cursor.tokens[at..]);
    }
    true
}

pub(super) fn update(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    let start = cursor.at;
    cursor.at += 1;
    let top = top(&mut cursor);
    while cursor.eat_any(&["LOW_PRIORITY", "IGNORE", "ONLY"]) {}
    if cursor.eat("OR") {
        cursor.at += 1;
    }
    let names = aliased(&mut cursor);
    let Some(set) = cursor.find_flat(&["SET"]) else { return false };
    if names.is_empty() {
        return false;
    }
    let span = cursor.span_from(start);
    // `SET a.x = 1` says which of several tables changes.
    let mut targets: Vec<Name> = Vec::new();
    let mut assignments = Cursor { at: set + 1, ..cursor };
    if names.len() > 1 || assignments.has("FROM") {
        while let Some(column) = assignments.name() {
            if let Some((table, _)) = column.text.rsplit_once('.')
                && let Some((name, _)) = names
                    .iter()
                    .find(|(name, alias)| name.text.eq_ignore_ascii_case(table) || alias.eq_ignore_ascii_case(table))
                && !targets.contains(name)
            {
                targets.push(name.clone());
            }
            let Some(comma) = (assignments.at..assignments.tokens.len()).find(|at| {
                assignments.tokens[*at].kind == Kind::Punct && Cursor { at: *at, ..assignments }.peek(0) == ","
            }) else {
                break;
            };
            assignments.at = comma + 1;
        }
    }
    if targets.is_empty() {
        targets.extend(names.iter().take(1).map(|(name, _)| name.clone()));
    }
    let first = targets.first().map_or("", |name| &name.text);
    let (mut extent, mut count) = condition(run, cursor, first);
    if let Some(limit) = top.or_else(|| limit(cursor)).filter(|_| !run.looping) {
        (extent, count) = at_most(limit, extent, count);
    }
    for name in targets {
        let resource = run.resource(ResourceKind::Table, &name);
        run.put(Operation::Update, resource, extent, "UPDATE", span, |effect: &mut Effect| effect.count = count);
    }
    true
}

pub(super) fn delete(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    let start = cursor.at;
    cursor.at += 1;
    let top = top(&mut cursor);
    while cursor.eat_any(&["QUICK", "LOW_PRIORITY", "IGNORE"]) {}
    let from = cursor.eat("FROM");
    cursor.eat("ONLY");
    // An alias needs a FROM: `DELETE all rows …` is a sentence.
    let mut names = if from {
        aliased(&mut cursor)
    } else {
        cursor.names().into_iter().map(|name| (name, String::new())).collect()
    };
    cursor.eat_punct("*");
    // Teradata's `DELETE t ALL`, Oracle's and T-SQL's `DELETE t WHERE …`.
    let shaped =
        cursor.ended() || CLAUSES.iter().any(|word| cursor.sees(word)) || cursor.sees("ALL") || cursor.sees("OPTION");
    if names.is_empty() || !shaped && (!from || is_prose(cursor) && !cursor.has("WHERE")) {
        return false;
    }
    let span = cursor.span_from(start);
    // The names before a second FROM, or before USING, may be aliases of those behind it.
    if let Some(at) = cursor.find_flat(&["FROM", "USING"]) {
        let mut sources = Cursor { at: at + 1, ..cursor };
        let mut real = aliased(&mut sources);
        while let Some(join) = sources.find_flat(&["JOIN"]) {
            sources.at = join + 1;
            real.extend(aliased(&mut sources));
        }
        for (name, _) in &mut names {
            if let Some((table, _)) =
                real.iter().find(|(_, alias)| !alias.is_empty() && alias.eq_ignore_ascii_case(&name.text))
            {
                name.text.clone_from(&table.text);
            }
        }
    }
    let first = names.first().map_or("", |(name, _)| &name.text);
    let (mut extent, mut count) = condition(run, cursor, first);
    if extent == Extent::All && cursor.has("JOIN") && !cursor.has("LEFT") && !cursor.has("WHERE") {
        // A join leaves rows out.
        extent = Extent::Some;
    }
    if let Some(limit) = top.or_else(|| limit(cursor)).filter(|_| !run.looping) {
        (extent, count) = at_most(limit, extent, count);
    }
    for (name, _) in names {
        let resource = run.resource(ResourceKind::Table, &name);
        run.put(Operation::Delete, resource, extent, "DELETE", span, |effect: &mut Effect| effect.count = count);
    }
    reads(run, cursor, Extent::Some);
    true
}

pub(super) fn merge(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    let start = cursor.at;
    cursor.at += 1;
    cursor.eat("INTO");
    let Some(name) = cursor.name() else { return false };
    let span = cursor.span_from(start);
    if !cursor.has("USING") && !cursor.has("WHEN") {
        return false;
    }
    for (words, operation) in
        [("THEN DELETE", Operation::Delete), ("THEN UPDATE", Operation::Update), ("THEN INSERT", Operation::Update)]
    {
        if cursor.has(words) {
            let resource = run.resource(ResourceKind::Table, &name);
            run.put(operation, resource, Extent::Some, "MERGE", span, |_| {});
        }
    }
    true
}

/// `TOP (10)`, stepped over.
fn top(cursor: &mut Cursor<'_>) -> Option<Option<u64>> {
    if !cursor.eat("TOP") {
        return None;
    }
    let bracket = cursor.eat_punct("(");
    let count = cursor.number();
    if bracket {
        cursor.eat_punct(")");
    }
    if cursor.eat("PERCENT") {
        return count.is_none_or(|share| share < 100).then_some(None);
    }
    Some(count)
}

fn limit(cursor: Cursor<'_>) -> Option<Option<u64>> {
    let mut at = Cursor { at: cursor.find_flat(&["LIMIT"])? + 1, ..cursor };
    Some(at.number())
}
