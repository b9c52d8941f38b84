//! Queries and changes of rows that did not parse, read by their words.

mod changes;

use crate::model::{Extent, GapKind, Hides, Operation, ResourceKind};

use super::cursor::{Cursor, Name};
use super::data::names_something;
use super::lexer::{Kind, Token};
use super::predicate::reach;
use super::{Run, parse};

/// Words that follow a table and end what is said about it.
const CLAUSES: &[&str] = &[
    "WHERE",
    "SET",
    "JOIN",
    "INNER",
    "LEFT",
    "RIGHT",
    "FULL",
    "CROSS",
    "ON",
    "USING",
    "ORDER",
    "GROUP",
    "LIMIT",
    "RETURNING",
    "OUTPUT",
    "VALUES",
    "SELECT",
    "FROM",
    "UNION",
    "HAVING",
    "INTO",
];

/// Reads a statement by its words; `false` when they make no sense as SQL.
pub(super) fn run(run: &mut Run<'_, '_, '_>, tokens: &[Token]) -> bool {
    let mut cursor = Cursor::new(run.text, tokens);
    while cursor.eat_punct("(") {}
    let start = cursor.at;
    let known = match cursor.keyword().as_str() {
        "WITH" => with(run, cursor),
        "SELECT" | "SEL" | "FROM" => query(run, cursor),
        "VALUES" => true,
        // DuckDB's `PIVOT t ON … USING …`
        "PIVOT" | "UNPIVOT" => {
            cursor.at += 1;
            let named = cursor.name().filter(|_| cursor.sees("ON"));
            named.map(|name| run.note(Operation::Read, ResourceKind::Table, &name, Extent::All, "PIVOT")).is_some()
        }
        "TABLE" => {
            cursor.at += 1;
            cursor
                .name()
                .map(|name| run.note(Operation::Read, ResourceKind::Table, &name, Extent::All, "TABLE"))
                .is_some()
                && cursor.ended()
        }
        "INSERT" | "REPLACE" | "UPSERT" => changes::insert(run, cursor),
        "UPDATE" => changes::update(run, cursor),
        "DELETE" | "DEL" => changes::delete(run, cursor),
        "MERGE" => changes::merge(run, cursor),
        _ => false,
    };
    if known && is_cut_off(cursor) {
        // What it says so far is kept; what was to follow is not known.
        run.gap(GapKind::Unparsed, Hides::Anything, cursor.span_from(start), "the statement is cut off");
    }
    known
}

/// Whether the last token cannot be the last of a statement.
fn is_cut_off(cursor: Cursor<'_>) -> bool {
    const OPEN: &[&str] =
        &["WHERE", "SET", "AND", "OR", "FROM", "JOIN", "ON", "IN", "BY", "LIKE", "VALUES", "INTO", "NOT", "USING"];
    let Some(at) = cursor.tokens.len().checked_sub(1) else { return false };
    let last = Cursor { at, ..cursor };
    let count = |punct| (0..=at).filter(|at| Cursor { at: *at, ..cursor }.sees_punct(punct)).count();
    if count("(") > count(")") {
        return true;
    }
    OPEN.iter().any(|word| last.sees(word))
        || ["=", "(", ",", "||", "<", ">"].iter().any(|punct| last.sees_punct(punct))
}

/// Steps over the names and bodies of a WITH, reading each body, up to the main statement.
fn with(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    cursor.at += 1;
    cursor.eat("RECURSIVE");
    let mut bodies = 0;
    loop {
        if cursor.name().is_none() {
            return false;
        }
        cursor.brackets();
        if !cursor.eat("AS") {
            return false;
        }
        cursor.eat_any(&["NOT MATERIALIZED", "MATERIALIZED"]);
        let Some(body) = cursor.brackets() else { return false };
        super::statement::run(run, body);
        bodies += 1;
        if !cursor.eat_punct(",") {
            break;
        }
    }
    if cursor.ended() {
        return bodies > 0;
    }
    super::statement::run(run, cursor.rest());
    true
}

/// A query: every name behind FROM and JOIN is read.
fn query(run: &mut Run<'_, '_, '_>, cursor: Cursor<'_>) -> bool {
    let limited = cursor.has("LIMIT") || cursor.has("FETCH") || cursor.has("TOP") || cursor.has("ROWNUM");
    let extent = match condition(run, cursor, "").0 {
        Extent::All if limited => Extent::Some,
        extent => extent,
    };
    let found = reads(run, cursor, extent);
    // `SELECT the best one`: words, and nothing that makes them a query.
    found || !is_prose(cursor)
}

/// Notes what stands behind FROM and JOIN; says whether anything does.
pub(super) fn reads(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, extent: Extent) -> bool {
    let mut found = false;
    while !cursor.ended() {
        // `EXTRACT(year FROM x)`, `IS DISTINCT FROM x` and `TRIM(… FROM x)` read nothing.
        let before = cursor.at.checked_sub(1).map_or("", |at| Cursor { at, ..cursor }.peek(0));
        let relational =
            cursor.eat("JOIN") || cursor.sees("FROM") && !before.eq_ignore_ascii_case("DISTINCT") && cursor.eat("FROM");
        if !relational {
            cursor.at += 1;
            continue;
        }
        cursor.eat("ONLY");
        while let Some(token) = cursor.token().filter(|token| names_something(*token)) {
            let Some(name) = cursor.name() else { break };
            if cursor.sees_punct("(") {
                break;
            }
            if !is_clause(&name) || token.kind == Kind::Quoted {
                run.note(Operation::Read, ResourceKind::Table, &name, extent, "SELECT");
                found = true;
            }
            if !cursor.sees_punct(",") {
                cursor.eat("AS");
                if cursor.token().is_some_and(|token| token.kind == Kind::Word)
                    && !CLAUSES.iter().any(|word| cursor.sees(word))
                {
                    cursor.at += 1;
                }
            }
            if !cursor.eat_punct(",") {
                break;
            }
        }
    }
    found
}

fn is_clause(name: &Name) -> bool {
    CLAUSES.iter().any(|word| name.text.eq_ignore_ascii_case(word))
}

/// Tables with their aliases, up to the next clause.
fn aliased(cursor: &mut Cursor<'_>) -> Vec<(Name, String)> {
    let mut names = Vec::new();
    loop {
        if !cursor.token().is_some_and(names_something) || CLAUSES.iter().any(|word| cursor.sees(word)) {
            return names;
        }
        let Some(name) = cursor.name() else { return names };
        cursor.eat("AS");
        let mut alias = String::new();
        if let Some(token) = cursor.token().filter(|token| matches!(token.kind, Kind::Word | Kind::Quoted))
            && !CLAUSES.iter().any(|word| cursor.sees(word))
            && !cursor.sees("ALL")
        {
            alias = super::cursor::unquoted(cursor.peek(0), token.kind);
            // Two words behind a name are no alias: leave them to be seen.
            let next = Cursor { at: cursor.at + 1, ..*cursor };
            if next.ended()
                || next.token().is_some_and(|token| token.kind == Kind::Punct)
                || CLAUSES.iter().any(|word| next.sees(word))
            {
                cursor.at += 1;
            }
        }
        names.push((name, alias));
        if !cursor.eat_punct(",") {
            return names;
        }
    }
}

/// What the WHERE at this level lets through.
fn condition(run: &Run<'_, '_, '_>, cursor: Cursor<'_>, target: &str) -> (Extent, Option<u64>) {
    let Some(at) = cursor.find_flat(&["WHERE"]) else { return (Extent::All, None) };
    let from = Cursor { at: at + 1, ..cursor };
    if from.sees("CURRENT OF") {
        return (Extent::One, None);
    }
    let end = from
        .find_flat(&[
            "ORDER",
            "GROUP",
            "LIMIT",
            "RETURNING",
            "OPTION",
            "FETCH",
            "UNION",
            "FOR",
            "HAVING",
            "SETTINGS",
            "INTO",
        ])
        .unwrap_or(cursor.tokens.len());
    let words = cursor.tokens.get(at + 1..end).unwrap_or_default();
    if words.is_empty() {
        // Cut off behind WHERE.
        return (Extent::Unknown, None);
    }
    match parse::condition(run, words) {
        Some(condition) => {
            let reached = reach(run, Some(&condition), target);
            (reached.extent, reached.count)
        }
        None if always(Cursor::new(cursor.text, words)) => (Extent::All, None),
        None => (Extent::Some, None),
    }
}

/// `TRUE`, `1 = 1` and `… OR 1 = 1` in a condition that does not parse.
fn always(cursor: Cursor<'_>) -> bool {
    let same = |at: usize| {
        let cursor = Cursor { at, ..cursor };
        cursor.sees("TRUE") || cursor.peek(1) == "=" && !cursor.peek(0).is_empty() && cursor.peek(0) == cursor.peek(2)
    };
    cursor.tokens.len() <= 3 && same(0)
        || (0..cursor.tokens.len()).any(|at| Cursor { at, ..cursor }.sees("OR") && same(at + 1))
}

/// Words and nothing but words: a sentence, not a statement.
fn is_prose(cursor: Cursor<'_>) -> bool {
    let rest = cursor.rest();
    rest.len() >= 2 && rest.iter().filter(|token| token.kind == Kind::Word).count() * 10 >= rest.len() * 8
}

#[cfg(test)]
mod tests {
    use crate::classify::sql::tests::check;

    #[test]
    fn what_does_not_parse_is_read_by_its_words() {
        check("postgres", "DELETE FROM logs WHERE CURRENT OF c", "delete Table logs (one, lexical)");
        check("postgres", "DELETE FROM ONLY logs *", "delete Table logs (all, lexical)");
        check(
            "mysql",
            "UPDATE logs, bans SET bans.seen = 1 WHERE logs.id = bans.id",
            "update Table bans (some, lexical)",
        );
        check(
            "hive",
            "INSERT OVERWRITE DIRECTORY '/tmp/out' SELECT * FROM logs",
            "export Table logs (all, local /tmp/out, lexical)\nread Table logs (all, lexical)",
        );
        check(
            "",
            "DELETE FROM logs WHERE",
            "delete Table logs (unknown, lexical)\ngap unparsed: the statement is cut off",
        );
        check(
            "",
            "INSERT INTO logs (a, b",
            "update Table logs (some, lexical)\ngap unparsed: the statement is cut off",
        );
        check(
            "",
            "Delete all old rows from logs please",
            "gap unknown-statement: Delete all old rows from logs please",
        );
        check("", "Select the best option for us", "gap unknown-statement: Select the best option for us");
        check("", "I would DROP TABLE logs", "gap unknown-statement: I would DROP TABLE logs");
        check("", "drop table manners when at home", "gap unknown-statement: drop table manners when at home");
    }
}
