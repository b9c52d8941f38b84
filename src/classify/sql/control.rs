//! What steers the server or the session: SHOW, EXPLAIN, USE, KILL, LOCK, and the words of routines.

mod explain;

use crate::model::{Effect, Extent, GapKind, Hides, Operation, Place, PlaceKind, Resource, ResourceKind};

use super::cursor::{Cursor, Name};
use super::dialect::Dialect;
use super::lexer::Kind;
use super::{Run, settings, transaction};

/// Verbs that can follow a condition that has no THEN (T-SQL).
const VERBS: &[&str] = &[
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "MERGE",
    "DROP",
    "CREATE",
    "ALTER",
    "TRUNCATE",
    "EXEC",
    "EXECUTE",
    "BEGIN",
    "GRANT",
    "REVOKE",
    "DENY",
    "PRINT",
    "RAISERROR",
    "SET",
    "RETURN",
    "BREAK",
    "CONTINUE",
    "THROW",
    "KILL",
    "BACKUP",
    "RESTORE",
    "DECLARE",
    "SHUTDOWN",
];

/// Whether the END here is that of a block whatever came before.
pub(super) fn ends_block(cursor: Cursor<'_>) -> bool {
    let next = Cursor { at: 1, ..cursor };
    ["IF", "LOOP", "WHILE", "CASE", "REPEAT", "FOR", "TRY", "CATCH", "ELSE"].iter().any(|word| next.sees(word))
}

/// Where the statement starts that a condition stands before.
pub(super) fn after_condition(cursor: Cursor<'_>) -> Option<usize> {
    let inside = Cursor { at: 1, ..cursor };
    if inside.ended() {
        return None;
    }
    let closing = inside.find_flat(&["THEN", "LOOP", "DO"]).map(|at| at + 1);
    closing.or_else(|| {
        // A verb directly behind the keyword is part of no condition: that would be a sentence.
        let at = Cursor { at: if cursor.peek(1) == "(" { 1 } else { 2 }, ..cursor }.find_flat(VERBS)?;
        Some(at)
    })
}

/// Reads a statement that steers; `false` when its verb is not known.
pub(super) fn run(run: &mut Run<'_, '_, '_>, here: Cursor<'_>, verb: &str) -> bool {
    let mut cursor = here;
    cursor.at = 1;
    let span = here.span();
    match verb {
        "BEGIN" => transaction::begin(run),
        "START" => {
            if cursor.eat("TRANSACTION") {
                transaction::begin(run);
            } else if cursor.sees("SLAVE") || cursor.sees("REPLICA") || cursor.sees("GROUP_REPLICATION") {
                run.server(Operation::Alter, "START REPLICA", span);
            } else {
                return false;
            }
        }
        "COMMIT" | "END" => {
            if !transaction::ends_transaction(cursor) {
                return false;
            }
            run.finish_committed();
            if cursor.has("AND CHAIN") {
                transaction::begin(run);
            }
        }
        "ROLLBACK" | "ABORT" => {
            if !transaction::ends_transaction(cursor) {
                return false;
            }
            transaction::rollback(run, cursor);
        }
        "SAVEPOINT" => transaction::save(run, cursor),
        "SAVE" => {
            if !cursor.eat_any(&["TRANSACTION", "TRAN"]) {
                return false;
            }
            transaction::save(run, cursor);
        }
        "RELEASE" => return cursor.rest().len() <= 2,
        "LET" if run.blocks > 0 || run.dialect == Dialect::Snowflake => return cursor.name().is_some(),
        "SUMMARIZE" => return explain::explain(run, cursor),
        "SET" | "RESET" | "PRAGMA" | "UNSET" => return settings::set(run, cursor, verb),
        "USE" => return use_(run, cursor),
        "SHOW" => return explain::show(run, cursor),
        "DESCRIBE" | "DESC" | "EXPLAIN" => return explain::explain(run, cursor),
        "HELP" | "PRINT" | "RAISE" | "RAISERROR" | "THROW" | "SIGNAL" | "RESIGNAL" | "BREAK" | "CONTINUE" | "EXIT"
        | "LEAVE" | "ITERATE" | "NULL" | "LISTEN" | "UNLISTEN" | "CLOSE" | "UNLOCK" | "XA" | "GO" | "ASSERT"
        | "GET_DIAGNOSTICS" | "QUIT" | "GOTO" => {
            return !is_prose(cursor, 8);
        }
        "CHECKPOINT" | "RECONFIGURE" => run.server(Operation::Alter, verb, span),
        "DISCARD" | "DEALLOCATE" => {
            if is_prose(cursor, 3) {
                return false;
            }
            settings::session(run, verb, span);
        }
        "NOTIFY" => {
            let Some(name) = cursor.name() else { return false };
            if !cursor.ended() && !cursor.sees_punct(",") {
                return false;
            }
            run.note(Operation::Create, ResourceKind::Message, &name, Extent::One, verb);
        }
        "FETCH" | "MOVE" => {
            let Some(last) = cursor.tokens.last().filter(|_| {
                let directions =
                    ["NEXT", "PRIOR", "FIRST", "LAST", "ABSOLUTE", "RELATIVE", "FORWARD", "BACKWARD", "ALL"];
                cursor.rest().len() == 1
                    || directions.iter().any(|word| cursor.sees(word))
                    || cursor.has("FROM")
                    || cursor.has("IN")
            }) else {
                return false;
            };
            let text = format!("cursor {}", &cursor.text[last.start..last.end]);
            run.note(Operation::Read, ResourceKind::Item, &Name { text, span, unresolved: false }, Extent::Some, verb);
        }

        "KILL" => {
            cursor.eat_any(&["CONNECTION", "QUERY", "HARD", "SOFT", "MUTATION", "SESSION"]);
            if cursor.token().is_none_or(|token| token.kind == Kind::Word && !cursor.peek(0).starts_with('@'))
                && !cursor.sees("WHERE")
            {
                return false;
            }
            let many = cursor.sees("WHERE");
            let text = if many { String::new() } else { cursor.peek(0).trim_matches('\'').to_owned() };
            let extent = if many { Extent::Some } else { Extent::One };
            run.put(Operation::Stop, Resource::new(ResourceKind::Process, text), extent, "KILL", span, |_| {});
        }
        "SHUTDOWN" | "RESTART" => {
            if is_prose(cursor, 3) {
                return false;
            }
            run.server(Operation::Stop, verb, span);
        }
        "STOP" => {
            if !cursor.eat_any(&["SLAVE", "REPLICA", "GROUP_REPLICATION"]) {
                return false;
            }
            run.server(Operation::Stop, "STOP REPLICA", span);
        }
        "WAITFOR" if cursor.sees("DELAY") || cursor.sees("TIME") => settings::session(run, verb, span),
        "WAITFOR" => return cursor.sees_punct("("),
        "LOCK" => return lock(run, cursor),
        "FLUSH" => {
            if is_prose(cursor, 6) {
                return false;
            }
            let (operation, by) = if cursor.has("WITH READ LOCK") {
                (Operation::Alter, "FLUSH TABLES WITH READ LOCK")
            } else {
                (Operation::Alter, "FLUSH")
            };
            run.server(operation, by, span);
        }
        "CHANGE" => {
            if !cursor.sees("MASTER") && !cursor.sees("REPLICATION") {
                return false;
            }
            run.server(Operation::Alter, "CHANGE REPLICATION SOURCE", span);
        }
        "HANDLER" => {
            let Some(name) = cursor.name() else { return false };
            if !["OPEN", "READ", "CLOSE"].iter().any(|word| cursor.sees(word)) {
                return false;
            }
            run.note(Operation::Read, ResourceKind::Table, &name, Extent::Some, "HANDLER");
        }
        "DBCC" => {
            let command = cursor.keyword();
            if [
                "CHECK",
                "SHOW",
                "OPENTRAN",
                "SQLPERF",
                "USEROPTIONS",
                "INPUTBUFFER",
                "PAGE",
                "IND",
                "LOGINFO",
                "TRACESTATUS",
            ]
            .iter()
            .any(|start| command.starts_with(start))
                && !cursor.has("REPAIR_ALLOW_DATA_LOSS")
                && !cursor.has("REPAIR_REBUILD")
            {
                run.server(Operation::List, &format!("DBCC {command}"), span);
                return true;
            }
            let harmful = cursor.has("REPAIR_ALLOW_DATA_LOSS");
            let operation = if harmful { Operation::Update } else { Operation::Alter };
            let text =
                cursor.next_string().map_or_else(String::new, |(text, _)| if harmful { text } else { String::new() });
            let kind = if harmful { ResourceKind::Database } else { ResourceKind::Server };
            // The repair throws away what it cannot mend, and is only allowed where that is said.
            run.put(operation, Resource::new(kind, text), Extent::Some, &format!("DBCC {command}"), span, |effect| {
                effect.guard_off = harmful;
            });
        }
        // Back to who one was: that hands a role back.
        "REVERT" => settings::session(run, verb, span),
        "AUDIT" | "NOAUDIT" => {
            let operation = if verb == "AUDIT" { Operation::Alter } else { Operation::Disable };
            let name = Name { text: "audit".to_owned(), span, unresolved: false };
            run.note(operation, ResourceKind::Safeguard, &name, Extent::Some, verb);
        }
        _ => {
            let routine = run.blocks > 0 || run.dialect == Dialect::Oracle;
            return assignment(run, cursor, here) || routine && super::procedures::package(run, here);
        }
    }
    true
}

/// `x := 1` and `x = 1` in the body of a routine.
fn assignment(run: &Run<'_, '_, '_>, mut cursor: Cursor<'_>, here: Cursor<'_>) -> bool {
    cursor.at = 0;
    cursor.name().is_some() && (cursor.eat_punct(":=") || run.blocks > 0 && cursor.eat_punct("="))
        || run.blocks > 0 && here.rest().len() == 1
        // A declaration before BEGIN: `total numeric := 0`, `r record`.
        || run.blocks == 0 && run.declares && (2..=12).contains(&here.tokens.len()) && here.tokens[..2].iter().all(|token| token.kind == Kind::Word)
}

pub(super) fn is_prose(cursor: Cursor<'_>, least: usize) -> bool {
    cursor.rest().len() >= least && cursor.rest().iter().all(|token| token.kind == Kind::Word)
}

fn use_(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    if cursor.eat_any(&["ROLE", "SECONDARY ROLES"]) {
        let Some(role) = cursor.name() else { return false };
        run.note(Operation::Escalate, ResourceKind::Role, &role, Extent::One, "USE ROLE");
        return true;
    }
    // `USE warehouse` goes to a database of that name.
    let mut behind = cursor;
    if behind.eat_any(&["WAREHOUSE", "SCHEMA"]) && !behind.ended() {
        return behind.name().is_some();
    }
    if behind.eat_any(&["DATABASE", "CATALOG"]) && !behind.ended() {
        cursor = behind;
    }
    let Some(name) = cursor.name() else { return false };
    if !cursor.ended() {
        return false;
    }
    run.note(Operation::Connect, ResourceKind::Database, &name, Extent::One, "USE");
    if !name.unresolved {
        let place =
            Place { kind: PlaceKind::Database, name: name.text.split('.').next().unwrap_or_default().to_owned() };
        run.moved_to(place);
    }
    true
}

impl Run<'_, '_, '_> {
    /// Everything behind a USE happens in that database.
    fn moved_to(&mut self, place: Place) {
        self.scene.places.retain(|other| other.kind != place.kind);
        self.scene.places.push(place);
    }
}

fn lock(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    if cursor.eat_any(&["INSTANCE FOR BACKUP", "BINLOG FOR BACKUP"]) {
        return true;
    }
    let explicit = cursor.eat_any(&["TABLES", "TABLE"]);
    let names = cursor.names();
    let modes = ["IN", "WRITE", "READ", "NOWAIT", "LOW_PRIORITY", "AS"];
    if names.is_empty()
        || !(explicit || cursor.sees("IN") || cursor.ended() && run.dialect == Dialect::Postgres)
        || !cursor.ended() && !modes.iter().any(|mode| cursor.sees(mode))
    {
        return false;
    }
    let span = cursor.span();
    for name in &names {
        let resource = run.resource(ResourceKind::Table, name);
        run.put(Operation::Alter, resource, Extent::All, "LOCK TABLE", span, |_: &mut Effect| {});
    }
    // `LOCK TABLES a READ, b WRITE`: the names behind the modes.
    while let Some(at) = (cursor.at..cursor.tokens.len()).find(|at| Cursor { at: *at, ..cursor }.sees_punct(",")) {
        cursor.at = at + 1;
        if let Some(name) = cursor.name() {
            run.note(Operation::Alter, ResourceKind::Table, &name, Extent::All, "LOCK TABLE");
        }
    }
    true
}

/// A gap for code that is put together at run time.
pub(super) fn dynamic(run: &mut Run<'_, '_, '_>, span: Option<crate::model::Span>, hides: Hides) {
    run.gap(GapKind::DynamicCode, hides, span, "code put together at run time");
}

#[cfg(test)]
mod tests {
    use crate::classify::sql::tests::check;

    #[test]
    fn transactions_hold_what_they_hold() {
        check("postgres", "BEGIN; DELETE FROM logs; ROLLBACK", "delete Table logs (all, dry run)");
        check("postgres", "BEGIN; DELETE FROM logs; COMMIT", "delete Table logs (all)");
        check("postgres", "BEGIN; DELETE FROM logs", "delete Table logs (all, in transaction)");
        check(
            "postgres",
            "BEGIN; DELETE FROM logs; SAVEPOINT s; DELETE FROM notes; ROLLBACK TO s; COMMIT",
            "delete Table logs (all)\ndelete Table notes (all, dry run)",
        );
        check(
            "mysql",
            "BEGIN; DELETE FROM logs; DROP TABLE notes; ROLLBACK",
            "delete Table logs (all)\ndrop Table notes (all)",
        );
        check("postgres", "EXPLAIN DELETE FROM logs", "delete Table logs (all, dry run)");
        check("postgres", "EXPLAIN (ANALYZE, VERBOSE) DELETE FROM logs", "delete Table logs (all)");
        check("mysql", "SET GLOBAL general_log = OFF", "disable Safeguard general_log (one)");
        check("postgres", "SET search_path = shop", "alter Item session (one, ephemeral)");
        check("postgres", "SET ROLE boss", "escalate Role boss (one)");
        check(
            "tsql",
            "IF @a = 1 BEGIN DELETE FROM logs END ELSE DROP TABLE notes",
            "delete Table logs (all)\ndrop Table notes (all)",
        );
        check("", "kill the process", "gap unknown-statement: kill the process");
        check("", "commit the changes to main", "gap unknown-statement: commit the changes to main");
    }
}
