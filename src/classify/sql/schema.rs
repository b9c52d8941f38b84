//! DROP and TRUNCATE, and the way to the other commands about structure.

use crate::model::{Area, Effect, Extent, Operation, Resource, ResourceKind, Reversibility, Span};

use super::cursor::{Cursor, Name};
use super::dialect::Dialect;
use super::kinds::{self, Named};
use super::lexer::Kind;
use super::{Run, alter, create, upkeep};

/// Reads a command about structure; `false` when it makes no sense.
pub(super) fn run(run: &mut Run<'_, '_, '_>, here: Cursor<'_>, verb: &str) -> bool {
    let mut cursor = here;
    cursor.at = 1;
    if !run.dialect.transactional_schema() && matches!(verb, "CREATE" | "ALTER" | "DROP" | "TRUNCATE" | "RENAME") {
        // MySQL, Oracle and others commit before they change structure.
        if run.transaction.is_some() {
            run.transaction = Some(run.scene.mark());
        }
        let known = read(run, cursor, verb);
        if run.transaction.is_some() && run.dialect != Dialect::Unknown {
            run.transaction = Some(run.scene.mark());
        }
        return known;
    }
    read(run, cursor, verb)
}

fn read(run: &mut Run<'_, '_, '_>, cursor: Cursor<'_>, verb: &str) -> bool {
    match verb {
        "CREATE" => create::create(run, cursor),
        "ALTER" => alter::alter(run, cursor),
        "DROP" => drop(run, cursor),
        "TRUNCATE" => truncate(run, cursor),
        "DISABLE" | "ENABLE" => alter::switch(run, cursor, verb),
        _ => upkeep::upkeep(run, cursor, verb),
    }
}

/// Steps over `IF EXISTS`, `IF NOT EXISTS`, `CONCURRENTLY`.
pub(super) fn conditional(cursor: &mut Cursor<'_>) {
    while cursor.eat_any(&["IF EXISTS", "IF NOT EXISTS", "CONCURRENTLY", "ONLINE", "ONLY"]) {}
}

fn drop(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    if cursor.eat("OWNED") {
        cursor.eat("BY");
        let cascades = cursor.has("CASCADE");
        for owner in cursor.accounts() {
            let name = Name { text: format!("owned by {}", owner.text), ..owner };
            let resource = run.resource(ResourceKind::Database, &name);
            let span = cursor.span_from(0);
            run.put(Operation::Drop, resource, Extent::All, "DROP OWNED", span, |effect| effect.cascades = cascades);
        }
        return true;
    }
    if cursor.eat("PREPARE") {
        return true;
    }
    let Some(named) = kinds::read(&mut cursor) else { return false };
    conditional(&mut cursor);
    if named.words == "USER MAPPING" {
        cursor.eat("FOR");
    }
    if named.words == "ALL ROW ACCESS POLICIES" {
        cursor.eat("ON");
    }
    let mut names = if named.kind == ResourceKind::Role { cursor.accounts() } else { cursor.names() };
    if names.is_empty() && matches!(named.words, "OPERATOR" | "CAST") && !cursor.ended() {
        // `DROP OPERATOR +(int, int)`, `DROP CAST (int AS text)`
        let span = cursor.tokens.last().and_then(|last| Some(Span::new(cursor.token()?.start, last.end)));
        let text = span.and_then(|span| cursor.text.get(span.start..span.end)).unwrap_or_default().to_owned();
        cursor.at = cursor.tokens.len();
        names.push(Name { text, span, unresolved: false });
    }
    if names.is_empty() {
        if named.kind != ResourceKind::Key
            && named.words != "ALL ROW ACCESS POLICIES"
            && named.words != "DATABASE ENCRYPTION KEY"
        {
            return false;
        }
        let span = cursor.span();
        let resource = Resource::new(named.kind, "");
        let operation = if named.kind == ResourceKind::Safeguard { Operation::Disable } else { Operation::Drop };
        run.put(operation, resource, Extent::All, &format!("DROP {}", named.words), span, |_| {});
        return true;
    }
    let prose = !cursor.ended() && is_prose(behind_table(cursor));
    if prose {
        return false;
    }
    let cascades =
        cursor.has("CASCADE") || matches!(named.words, "DATABASE" | "SCHEMA") && implies_cascade(run.dialect);
    let forced = cursor.has("FORCE");
    let purged = cursor.has("PURGE");
    let by = format!("DROP {}", named.words);
    let start = cursor.at;
    let span = Cursor { at: start, ..cursor }.span_from(0);
    // A trigger on the statements of a whole database or server is there to watch or to refuse them.
    let watches = named.words == "TRIGGER" && (cursor.sees("ON DATABASE") || cursor.sees("ON ALL SERVER"));
    let guards = watches || named.kind == ResourceKind::Safeguard;
    let operation = if guards { Operation::Disable } else { Operation::Drop };
    let on = on_table(cursor);
    for name in &names {
        let mut name = name.clone();
        if let Some(table) = &on
            && matches!(named.words, "TRIGGER" | "POLICY" | "RULE" | "ROW ACCESS POLICY")
        {
            name.text = format!("{} on {table}", name.text);
        }
        let kind = if watches { ResourceKind::Safeguard } else { kind_of(run.dialect, &named) };
        let mut resource = run.resource(kind, &name);
        if named.temporary {
            resource.areas = resource.areas.with(Area::Ephemeral);
        }
        run.put(operation, resource, Extent::All, &by, span, |effect: &mut Effect| {
            effect.cascades = cascades;
            effect.guard_off = forced;
            if purged {
                effect.reversible = Reversibility::No;
            }
        });
    }
    true
}

/// In MySQL a schema is a database, and a table's fate is its schema's.
pub(super) fn kind_of(dialect: Dialect, named: &Named) -> ResourceKind {
    match (named.words, dialect) {
        ("SCHEMA", Dialect::MySql | Dialect::Hive | Dialect::ClickHouse) => ResourceKind::Database,
        _ => named.kind,
    }
}

/// Dropping it takes everything in it along without being asked to.
fn implies_cascade(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::MySql | Dialect::Snowflake | Dialect::ClickHouse)
}

/// Behind the table that a trigger or a policy is on.
fn behind_table(mut cursor: Cursor<'_>) -> Cursor<'_> {
    if cursor.eat("ON") {
        cursor.name();
    }
    cursor
}

fn on_table(mut cursor: Cursor<'_>) -> Option<String> {
    let found = cursor.eat("ON");
    let name = cursor.name()?;
    (found && !matches!(name.text.as_str(), "CLUSTER" | "ALL")).then_some(name.text)
}

/// Several plain words in a row that are no options: a sentence.
pub(super) fn is_prose(cursor: Cursor<'_>) -> bool {
    const OPTIONS: [&str; 26] = [
        "CASCADE",
        "RESTRICT",
        "PURGE",
        "FORCE",
        "ON",
        "WITH",
        "CONSTRAINTS",
        "SYNC",
        "CLUSTER",
        "USING",
        "NO",
        "DELAY",
        "FOR",
        "SERVER",
        "INCLUDING",
        "CONTENTS",
        "AND",
        "DATAFILES",
        "FROM",
        "STORAGE",
        "RESTART",
        "CONTINUE",
        "REUSE",
        "DROP",
        "IDENTITY",
        "ALL",
    ];
    let words = cursor.rest().iter().filter(|token| token.kind == Kind::Word);
    let strange = words
        .filter(|token| {
            let text = &cursor.text[token.start..token.end];
            !OPTIONS.iter().any(|option| text.eq_ignore_ascii_case(option))
        })
        .count();
    strange >= 2
        && cursor.rest().iter().all(|token| token.kind == Kind::Word || &cursor.text[token.start..token.end] == ".")
}

fn truncate(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    if cursor.eat("DATABASE") || cursor.eat("ALL TABLES FROM") || cursor.eat("TABLES FROM") {
        cursor.eat_any(&["IF EXISTS"]);
        let names = cursor.names();
        for name in &names {
            let tables = Name { text: format!("{}.*", name.text), ..name.clone() };
            run.note(Operation::Delete, ResourceKind::Table, &tables, Extent::All, "TRUNCATE");
        }
        return !names.is_empty();
    }
    let explicit = cursor.eat("TABLE") || cursor.eat("CLUSTER");
    conditional(&mut cursor);
    let names = cursor.names();
    if names.is_empty() || !explicit && is_prose(cursor) || explicit && is_prose(cursor) {
        return false;
    }
    let cascades = cursor.has("CASCADE");
    let partial = cursor.has("PARTITIONS") || cursor.has("PARTITION");
    let extent = if partial { Extent::Some } else { Extent::All };
    let span = cursor.span_from(0);
    for name in &names {
        let resource = run.resource(ResourceKind::Table, name);
        run.put(Operation::Delete, resource, extent, "TRUNCATE", span, |effect| effect.cascades = cascades);
    }
    true
}

#[cfg(test)]
mod tests {
    use crate::classify::sql::tests::check;

    #[test]
    fn structure_changes_name_what_they_lose() {
        check("postgres", "DROP SCHEMA billing CASCADE", "drop Schema billing (all, cascades)");
        check("postgres", "DROP DATABASE shop WITH (FORCE)", "drop Database shop (all, guard off)");
        check(
            "postgres",
            "ALTER TABLE logs ADD COLUMN a int, DROP COLUMN b CASCADE",
            "drop Column logs.b (all, cascades)\nalter Table logs (one)",
        );
        check(
            "postgres",
            "ALTER TABLE logs DISABLE ROW LEVEL SECURITY",
            "disable Safeguard row level security of logs (all)",
        );
        check("postgres", "DROP POLICY own_rows ON logs", "disable Safeguard own_rows on logs (all)");
        check(
            "postgres",
            "TRUNCATE logs, notes CASCADE",
            "delete Table logs (all, cascades)\ndelete Table notes (all, cascades)",
        );
        check("tsql", "DROP TABLE #scratch", "drop Table #scratch (all, ephemeral)");
        check(
            "postgres",
            "CREATE TEMP TABLE scratch (a int); DROP TABLE scratch",
            "create Table scratch (one, ephemeral)\ndrop Table scratch (all, ephemeral)",
        );
        check("snowflake", "CREATE OR REPLACE TABLE logs (a int)", "drop Table logs (all)\ncreate Table logs (one)");
        check(
            "postgres",
            "CREATE TABLE attic AS SELECT * FROM logs",
            "create Table attic (one)\nread Table logs (all)",
        );
        check("mysql", "PURGE BINARY LOGS TO 'mysql-bin.7'", "rewrite Log binary logs (some)");
        check("mysql", "ALTER TABLE logs DROP PARTITION p1", "delete Table logs (some)");
        check("clickhouse", "ALTER TABLE logs DELETE WHERE 1", "delete Table logs (all)");
    }
}
