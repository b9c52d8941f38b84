//! Queries and changes of rows: the parser's tree where there is one, else their words.

use sqlparser::ast::{Statement, Visit};

use crate::model::{Extent, GapKind, Hides, Resource, ResourceKind, Zone};

use super::cursor::{Cursor, Name};
use super::lexer::{Kind, Token};
use super::walk::Walk;
use super::{Run, parse, tokens as by_words, transfer};

/// Reads a query or a change of rows; `false` when not even its verb makes sense.
pub(super) fn run(run: &mut Run<'_, '_, '_>, tokens: &[Token]) -> bool {
    let cursor = Cursor::new(run.text, tokens);
    into_file(run, cursor);
    match parse::statement(run, tokens) {
        Some(statement) if is_data(&statement) => {
            let top = top_of(cursor);
            let mut walk = Walk::new(run, top);
            // The walk never breaks off.
            let _ = statement.visit(&mut walk);
            true
        }
        _ => {
            let mark = run.scene.mark();
            let known = run.lexically(|run| by_words::run(run, tokens));
            if known && run.scene.mark() == mark {
                let words: String = run.text[tokens[0].start..].chars().take(60).collect();
                run.gap(GapKind::Unparsed, Hides::Anything, cursor.span(), words);
            }
            known
        }
    }
}

/// A condition that is asked (`IF EXISTS (SELECT …)`): its queries are reads, its functions are called.
pub(super) fn condition(run: &mut Run<'_, '_, '_>, tokens: &[Token]) {
    super::functions::run(run, tokens);
    match parse::condition(run, tokens) {
        Some(expr) => {
            let mut walk = Walk::new(run, None);
            let _ = expr.visit(&mut walk);
        }
        // `FOR r IN SELECT …`
        None => {
            run.lexically(|run| by_words::reads(run, Cursor::new(run.text, tokens), Extent::Unknown));
        }
    }
}

fn is_data(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::Query(_) | Statement::Insert(_) | Statement::Update(_) | Statement::Delete(_) | Statement::Merge(_)
    )
}

/// `DELETE TOP (10)`, which the parser does not know.
fn top_of(mut cursor: Cursor<'_>) -> Option<Option<u64>> {
    cursor.at = 1;
    if !cursor.eat("TOP") {
        return None;
    }
    let bracket = cursor.eat_punct("(");
    let rows = cursor.number();
    if bracket {
        cursor.eat_punct(")");
    }
    if cursor.sees("PERCENT") {
        return (rows.is_none_or(|share| share < 100)).then_some(None);
    }
    Some(rows)
}

/// `SELECT … INTO OUTFILE '/tmp/x'`.
fn into_file(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) {
    for phrase in ["INTO OUTFILE", "INTO DUMPFILE"] {
        let Some(at) = cursor.find(phrase) else { continue };
        cursor.at = at + 2;
        let peer = cursor.string().map_or_else(String::new, |(path, _)| path);
        let span = cursor.span_from(at);
        let resource = match cursor_table(Cursor { at: 0, ..cursor }) {
            Some(name) => run.resource(ResourceKind::Table, &name),
            None => Resource::new(ResourceKind::File, peer.clone()),
        };
        transfer::writes_file(run, &peer, phrase, span);
        transfer::export(run, resource, Extent::All, phrase, span, Zone::Local, peer);
        return;
    }
}

/// The first table a query reads, by its words.
fn cursor_table(mut cursor: Cursor<'_>) -> Option<Name> {
    cursor.at = cursor.find("FROM")? + 1;
    cursor.name()
}

/// What a limit leaves of an extent.
pub(super) fn at_most(limit: Option<u64>, extent: Extent, count: Option<u64>) -> (Extent, Option<u64>) {
    match (limit, extent) {
        // A number that no table reaches limits nothing.
        (Some(1_000_000_000..), _) => (extent, count),
        (Some(1), _) | (_, Extent::One) => (Extent::One, count),
        (limit, _) => (Extent::Some, limit.or(count)),
    }
}

/// Whether a token could be (part of) a table's name.
pub(super) fn names_something(token: Token) -> bool {
    matches!(token.kind, Kind::Word | Kind::Quoted | Kind::Param)
}

#[cfg(test)]
mod tests {
    use crate::classify::sql::tests::check;

    #[test]
    fn changes_are_found_wherever_they_stand() {
        check(
            "postgres",
            "WITH gone AS (DELETE FROM logs RETURNING *) INSERT INTO attic SELECT * FROM gone",
            "delete Table logs (all)\nupdate Table attic (some)",
        );
        check(
            "postgres",
            "MERGE INTO stock s USING sold d ON 1 = 1 WHEN MATCHED THEN DELETE",
            "delete Table stock (all)\nread Table sold (all)",
        );
        check(
            "mysql",
            "DELETE l FROM logs l JOIN bans b ON b.id = l.id",
            "delete Table logs (some)\nread Table bans (some)",
        );
        check(
            "mysql",
            "UPDATE logs l JOIN bans b ON b.id = l.id SET b.seen = 1",
            "update Table bans (some)\nread Table logs (some)",
        );
        check("tsql", "UPDATE l SET l.seen = 1 FROM dbo.logs AS l WHERE l.id = @id", "update Table dbo.logs (one)");
        check(
            "tsql",
            "WITH old AS (SELECT * FROM logs WHERE day < 3) DELETE FROM old",
            "read Table logs (some)\ndelete Table logs (some)",
        );
        check("tsql", "DELETE TOP (5) FROM logs", "delete Table logs (some, 5 rows)");
        check("mysql", "DELETE FROM logs LIMIT 5", "delete Table logs (some, 5 rows)");
        check(
            "postgres",
            "SELECT * INTO attic FROM logs WHERE id = 3",
            "read Table logs (one)\ncreate Table attic (one)",
        );
        check(
            "postgres",
            "SELECT * FROM logs l JOIN users u ON u.id = l.user_id WHERE l.id = 3",
            "read Table logs (one)\nread Table users (some)",
        );
        check(
            "postgres",
            "DELETE FROM ONLY {{ schema }}.logs",
            "delete Table schema.logs (all, unresolved)\ngap unresolved-variable: schema.logs",
        );
        check(
            "mysql",
            "SELECT * FROM users INTO OUTFILE '/tmp/u'",
            "export Table users (all, local /tmp/u)\nread Table users (all)",
        );
    }
}
