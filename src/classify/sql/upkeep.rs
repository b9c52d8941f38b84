//! Upkeep: statements that keep things in order, move them or bring them back.

use crate::model::{Extent, Operation, Resource, ResourceKind, Zone};

use super::cursor::{Cursor, Name};
use super::lexer::Kind;
use super::{Run, kinds, routine, transfer};

/// Words that may follow the names.
const OPTIONS: &[&str] = &[
    "USING",
    "RETAIN",
    "DRY",
    "ZORDER",
    "WHERE",
    "FINAL",
    "PARTITION",
    "WITH",
    "COMPUTE",
    "FOR",
    "UPDATE",
    "ON",
    "IN",
    "QUICK",
    "EXTENDED",
    "FAST",
    "MEDIUM",
    "CHANGED",
    "DEDUPLICATE",
    "FULL",
    "NO",
    "USE_FRM",
    "CASCADE",
    "VALIDATE",
    "DELETE",
    "TO",
    "DROP",
    "CONCURRENTLY",
    "ESTIMATE",
    "LIST",
    "PREDICATE",
    "LITE",
    "REORG",
    "BOOST",
    "SYNC",
    "ADD",
    "REMAP",
    "STATISTICS",
];

/// `RETAIN 0 HOURS`: less than the day that running readers and a late rollback need.
fn forgets(cursor: Cursor<'_>) -> bool {
    cursor.find("RETAIN").is_some_and(|at| {
        let number = Cursor { at: at + 1, ..cursor }.peek(0).parse::<f64>();
        number.is_ok_and(|hours| hours < 24.0)
    })
}

/// Statements that keep things in order, move them or bring them back.
pub(super) fn upkeep(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, verb: &str) -> bool {
    let span = cursor.span();
    match verb {
        "RENAME" => {
            if !cursor.eat("TABLE") && !cursor.sees("TABLES") {
                let Some(named) = kinds::read(&mut cursor) else { return false };
                let Some(name) = cursor.account() else { return false };
                run.note(Operation::Alter, named.kind, &name, Extent::One, "RENAME");
                return true;
            }
            let mut any = false;
            while let Some(name) = cursor.name() {
                run.note(Operation::Alter, ResourceKind::Table, &name, Extent::One, "RENAME TABLE");
                any = true;
                cursor.eat("TO");
                cursor.name();
                if !cursor.eat_punct(",") {
                    break;
                }
            }
            any
        }
        "UNDROP" | "FLASHBACK" => {
            let kind = kinds::read(&mut cursor).map_or(ResourceKind::Table, |named| named.kind);
            if cursor.sees("TO") {
                run.put(Operation::Update, Resource::new(kind, ""), Extent::All, verb, span, |_| {});
                return true;
            }
            let Some(name) = cursor.name() else { return false };
            if verb == "UNDROP" || cursor.sees("TO BEFORE DROP") {
                // It comes back with its rows: not a thing of one's own that may go again.
                run.note(Operation::Alter, kind, &name, Extent::One, verb);
            } else {
                run.note(Operation::Update, kind, &name, Extent::All, verb);
            }
            true
        }
        "PURGE" => {
            if cursor.eat_any(&["BINARY LOGS", "MASTER LOGS"]) {
                let resource = Resource::new(ResourceKind::Log, "binary logs");
                run.put(Operation::Rewrite, resource, Extent::Some, "PURGE BINARY LOGS", span, |_| {});
                return true;
            }
            if cursor.eat_any(&["RECYCLEBIN", "DBA_RECYCLEBIN"]) {
                let resource = Resource::new(ResourceKind::Backup, "recycle bin");
                run.put(Operation::Delete, resource, Extent::All, "PURGE RECYCLEBIN", span, |_| {});
                return true;
            }
            let Some(named) = kinds::read(&mut cursor) else { return false };
            let Some(name) = cursor.name() else { return false };
            run.note(Operation::Drop, named.kind, &name, Extent::All, "PURGE");
            true
        }
        "COMMENT" => {
            let known = cursor.eat("ON") || cursor.eat("IF EXISTS ON");
            if cursor.eat("COLUMN") {
                let name = cursor.name().unwrap_or_default();
                run.note(Operation::Alter, ResourceKind::Column, &name, Extent::One, "COMMENT");
                return known;
            }
            let Some(named) = kinds::read(&mut cursor) else { return known && cursor.has("IS") };
            let name = cursor.name().unwrap_or_default();
            run.note(Operation::Alter, named.kind, &name, Extent::One, "COMMENT");
            known
        }
        "SECURITY" => {
            if !cursor.eat("LABEL") {
                return false;
            }
            if let Some(at) = cursor.find("ON") {
                cursor.at = at + 1;
            }
            let kind = kinds::read(&mut cursor).map_or(ResourceKind::Item, |named| named.kind);
            let name = cursor.name().unwrap_or_default();
            run.note(Operation::Alter, kind, &name, Extent::One, "SECURITY LABEL");
            true
        }
        "VACUUM" if cursor.has("INTO") => {
            let file = cursor.next_string().map_or_else(String::new, |(file, _)| file);
            transfer::export(
                run,
                Resource::new(ResourceKind::Database, ""),
                Extent::All,
                "VACUUM INTO",
                span,
                Zone::Local,
                file,
            );
            true
        }
        "INSTALL" | "UNINSTALL" => {
            let plugin = cursor.eat_any(&["PLUGIN", "COMPONENT", "SONAME"]);
            cursor.eat("FORCE");
            let Some(name) = cursor
                .string()
                .map(|(text, span)| Name { text, span: Some(span), unresolved: false })
                .or_else(|| cursor.name())
            else {
                return false;
            };
            if !plugin && !cursor.ended() && !cursor.sees("FROM") {
                return false;
            }
            let guards = ["audit", "validate_password", "connection_control", "sql_firewall", "mysql_firewall"];
            if verb == "UNINSTALL" && guards.iter().any(|guard| name.text.to_ascii_lowercase().contains(guard)) {
                run.note(Operation::Disable, ResourceKind::Safeguard, &name, Extent::All, "UNINSTALL");
            } else if verb == "UNINSTALL" {
                run.note(Operation::Drop, ResourceKind::Package, &name, Extent::All, "UNINSTALL");
            } else if plugin {
                run.note(Operation::Create, ResourceKind::Package, &name, Extent::One, "INSTALL PLUGIN");
                let file = cursor.next_string().map_or_else(|| name.text.clone(), |(file, _)| file);
                routine::loads_library(run, &file, "INSTALL PLUGIN", span);
            } else {
                let resource = run.resource(ResourceKind::Package, &name);
                run.put(Operation::Fetch, resource, Extent::One, "INSTALL", span, |effect| {
                    effect.zone = Some(Zone::External);
                });
            }
            true
        }
        "SYSTEM" => {
            let verb = cursor.keyword();
            let stops = matches!(verb.as_str(), "SHUTDOWN" | "KILL");
            if cursor.eat("DROP REPLICA") || cursor.eat("DROP DATABASE REPLICA") {
                run.server(Operation::Drop, "SYSTEM DROP REPLICA", span);
            } else if stops {
                run.server(Operation::Stop, &format!("SYSTEM {verb}"), span);
            } else {
                run.server(Operation::Alter, &format!("SYSTEM {verb}"), span);
            }
            !verb.is_empty()
        }
        "CACHE" | "UNCACHE" => cursor.sees("TABLE") || cursor.sees("LAZY TABLE"),
        _ => {
            // VACUUM, ANALYZE, REINDEX, CLUSTER, OPTIMIZE, REFRESH …: mild, on a table or on all of them.
            cursor.brackets();
            while cursor.eat_any(&[
                "FULL",
                "FREEZE",
                "VERBOSE",
                "ANALYZE",
                "NO_WRITE_TO_BINLOG",
                "LOCAL",
                "EXTERNAL",
                "CONCURRENTLY",
                "SYSTEM",
            ]) {}
            if verb == "MSCK" {
                cursor.eat("REPAIR");
            }
            // Redshift
            cursor.eat_any(&["DELETE ONLY", "SORT ONLY", "REINDEX", "RECLUSTER"]);
            let named = kinds::read(&mut cursor);
            if named.is_none() && matches!(verb, "REFRESH" | "CHECK" | "REPAIR") {
                return false;
            }
            let kind = named.map_or(ResourceKind::Table, |named| named.kind);
            cursor.eat("CONCURRENTLY");
            let names = cursor.names();
            if cursor.token().is_some_and(|token| token.kind == Kind::Word)
                && !OPTIONS.contains(&cursor.keyword().as_str())
            {
                return false;
            }
            if names.is_empty() {
                run.server(Operation::Alter, verb, span);
            }
            for name in &names {
                run.note(Operation::Alter, kind, name, Extent::One, verb);
                if verb == "VACUUM" && forgets(cursor) && !cursor.has("DRY") {
                    // Delta tables: the files that older versions are read from.
                    let history = Name { text: format!("older versions of {}", name.text), ..name.clone() };
                    run.note(Operation::Delete, ResourceKind::Backup, &history, Extent::All, "VACUUM RETAIN");
                }
            }
            true
        }
    }
}
