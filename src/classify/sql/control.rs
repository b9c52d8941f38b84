//! Transactions, settings, sessions, SHOW, EXPLAIN: what steers the server or the session.

use crate::model::{
    Effect, Extent, GapKind, Hides, Operation, Place, PlaceKind, Resource, ResourceKind, Reversibility,
};

use super::cursor::{Cursor, Name};
use super::dialect::Dialect;
use super::lexer::Kind;
use super::{Run, is_data, statement};

/// Words after BEGIN that make it the start of a transaction.
const TRANSACTION: &[&str] = &[
    "TRAN",
    "TRANSACTION",
    "WORK",
    "ISOLATION",
    "READ",
    "DEFERRED",
    "IMMEDIATE",
    "EXCLUSIVE",
    "CONCURRENT",
    "DEFERRABLE",
    "NOT DEFERRABLE",
    "NOLOGGING",
    "DISTRIBUTED TRAN",
    "DISTRIBUTED TRANSACTION",
];

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

/// Whether the BEGIN here starts a transaction and not a block.
pub(super) fn begins_transaction(cursor: Cursor<'_>) -> bool {
    let next = Cursor { at: 1, ..cursor };
    next.ended() || TRANSACTION.iter().any(|words| next.sees(words))
}

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
        let at = Cursor { at: 2, ..cursor }.find_flat(&VERBS)?;
        Some(at)
    })
}

/// Reads a statement that steers; `false` when its verb is not known.
pub(super) fn run(run: &mut Run<'_, '_, '_>, here: Cursor<'_>, verb: &str) -> bool {
    let mut cursor = here;
    cursor.at = 1;
    let span = here.span();
    match verb {
        "BEGIN" => begin(run),
        "START" => {
            if cursor.eat("TRANSACTION") {
                begin(run);
            } else if cursor.sees("SLAVE") || cursor.sees("REPLICA") || cursor.sees("GROUP_REPLICATION") {
                run.server(Operation::Alter, "START REPLICA", span);
            } else {
                return false;
            }
        }
        "COMMIT" | "END" => {
            if cursor.rest().len() > 5 {
                return false;
            }
            run.finish_committed();
            if cursor.has("AND CHAIN") {
                begin(run);
            }
        }
        "ROLLBACK" | "ABORT" => {
            if cursor.rest().len() > 5 {
                return false;
            }
            rollback(run, cursor);
        }
        "SAVEPOINT" => save(run, cursor),
        "SAVE" => {
            if !cursor.eat_any(&["TRANSACTION", "TRAN"]) {
                return false;
            }
            save(run, cursor);
        }
        "RELEASE" => return cursor.rest().len() <= 2,
        "SET" | "RESET" | "PRAGMA" | "UNSET" => return set(run, cursor, verb),
        "USE" => return use_(run, cursor),
        "SHOW" => return show(run, cursor),
        "DESCRIBE" | "DESC" | "EXPLAIN" => return explain(run, cursor),
        "HELP" | "PRINT" | "RAISE" | "RAISERROR" | "THROW" | "SIGNAL" | "RESIGNAL" | "BREAK" | "CONTINUE" | "EXIT"
        | "LEAVE" | "ITERATE" | "NULL" | "NOTIFY" | "LISTEN" | "UNLISTEN" | "DEALLOCATE" | "FETCH" | "MOVE"
        | "CLOSE" | "UNLOCK" | "XA" | "GO" | "ASSERT" | "GET_DIAGNOSTICS" | "QUIT" | "GOTO" => {
            return !is_prose(cursor, 8);
        }
        "CHECKPOINT" | "RECONFIGURE" => run.server(Operation::Alter, verb, span),
        "DISCARD" => return !is_prose(cursor, 3),
        "KILL" => {
            cursor.eat_any(&["CONNECTION", "QUERY", "HARD", "SOFT", "MUTATION", "SESSION"]);
            if cursor.rest().len() > 2 && is_prose(cursor, 2) {
                return false;
            }
            let text: String = cursor.token().map(|_| cursor.peek(0).trim_matches('\'').to_owned()).unwrap_or_default();
            let resource = Resource::new(ResourceKind::Process, text);
            run.put(Operation::Stop, resource, Extent::One, "KILL", span, |_| {});
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
        "WAITFOR" => return cursor.sees("DELAY") || cursor.sees("TIME") || cursor.sees_punct("("),
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
            let harmful = cursor.has("REPAIR_ALLOW_DATA_LOSS");
            let operation = if harmful { Operation::Delete } else { Operation::Alter };
            let name = Name { span, ..Name::default() };
            let mut resource = run.resource(if harmful { ResourceKind::Database } else { ResourceKind::Server }, &name);
            resource.unresolved = false;
            run.put(operation, resource, Extent::Some, &format!("DBCC {command}"), span, |_| {});
        }
        "REVERT" => {
            let name = Name { text: "original login".to_owned(), span, unresolved: false };
            run.note(Operation::Escalate, ResourceKind::Role, &name, Extent::One, "REVERT");
        }
        "AUDIT" | "NOAUDIT" => {
            let operation = if verb == "AUDIT" { Operation::Alter } else { Operation::Disable };
            let name = Name { text: "audit".to_owned(), span, unresolved: false };
            run.note(operation, ResourceKind::Safeguard, &name, Extent::Some, verb);
        }
        _ => return assignment(run, cursor, here),
    }
    true
}

/// `x := 1` and `x = 1` in the body of a routine.
fn assignment(run: &Run<'_, '_, '_>, mut cursor: Cursor<'_>, here: Cursor<'_>) -> bool {
    cursor.at = 0;
    cursor.name().is_some() && (cursor.eat_punct(":=") || cursor.eat_punct(":") || run.blocks > 0 && cursor.eat_punct("="))
        || run.blocks > 0 && here.rest().len() == 1
        // A declaration before BEGIN: `total numeric := 0`, `r record`.
        || run.blocks == 0 && run.declares && here.rest().len() >= 2
}

fn is_prose(cursor: Cursor<'_>, least: usize) -> bool {
    cursor.rest().len() >= least && cursor.rest().iter().all(|token| token.kind == Kind::Word)
}

fn begin(run: &mut Run<'_, '_, '_>) {
    if run.transaction.is_none() {
        run.transaction = Some(run.scene.mark());
    }
    run.savepoints.clear();
}

fn save(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) {
    if let Some(name) = cursor.name() {
        let mark = run.scene.mark();
        run.savepoints.push((name.text, mark));
    }
}

impl Run<'_, '_, '_> {
    fn finish_committed(&mut self) {
        // A COMMIT in a branch of a block may never come.
        if self.blocks == 0 {
            self.transaction = None;
        }
        self.savepoints.clear();
    }
}

fn rollback(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) {
    cursor.eat_any(&["TRANSACTION", "TRAN", "WORK"]);
    if cursor.eat("PREPARED") {
        return;
    }
    // A ROLLBACK in a branch of a block may never come.
    if run.blocks > 0 {
        return;
    }
    let to = cursor.eat("TO");
    cursor.eat("SAVEPOINT");
    let named = cursor.name().filter(|_| to || run.dialect == Dialect::TSql);
    let saved = named.and_then(|name| {
        run.savepoints.iter().rev().find(|(saved, _)| saved.eq_ignore_ascii_case(&name.text)).map(|(_, mark)| *mark)
    });
    let Some(mark) = saved.or(if to { None } else { run.transaction }) else { return };
    let transactional = run.dialect.transactional_schema();
    for effect in run.scene.since(mark).iter_mut() {
        let rows = matches!(effect.operation, Operation::Update | Operation::Delete) && effect.by != "TRUNCATE";
        if is_data(effect) && (transactional || rows) {
            effect.dry_run = true;
            effect.reversible = Reversibility::Yes;
        }
    }
    if saved.is_none() {
        run.transaction = None;
        run.savepoints.clear();
    }
}

/// Logs and checks that settings turn off.
const GUARDS: &[&str] = &[
    "general_log",
    "log_bin",
    "sql_log_bin",
    "sql_log_off",
    "audit_log",
    "server_audit_logging",
    "log_statement",
    "logging_collector",
    "archive_mode",
    "log_connections",
    "log_disconnections",
    "log_min_duration_statement",
    "log_destination",
    "pgaudit.log",
    "row_security",
    "session_replication_role",
    "foreign_key_checks",
    "unique_checks",
    "sql_safe_updates",
    "fsync",
    "full_page_writes",
    "wal_level",
    "slow_query_log",
    "ssl",
    "require_secure_transport",
    "local_infile",
    "secure_file_priv",
    "read_only",
    "super_read_only",
    "xp_cmdshell",
    "archive_command",
    "network_policy",
    "default_transaction_read_only",
    "foreign_keys",
];

/// Whether `value` for the setting `name` turns a safeguard off.
fn turns_off(name: &str, value: &str) -> bool {
    let name = name.rsplit('.').next_back().map_or(name, |_| name).to_ascii_lowercase();
    let name = name.trim_start_matches("global.").trim_start_matches("session.");
    if !GUARDS.contains(&name) {
        return false;
    }
    let value = value.trim_matches(['\'', '"']).to_ascii_lowercase();
    let (off, on) = (
        matches!(value.as_str(), "off" | "0" | "false" | "no" | "none" | "minimal" | "-1" | ""),
        matches!(value.as_str(), "on" | "1" | "true" | "yes"),
    );
    match name {
        "local_infile" | "sql_log_off" | "xp_cmdshell" => on,
        "session_replication_role" => value == "replica",
        "archive_command" => off || value == "/bin/true" || value == ":",
        "secure_file_priv" => value.is_empty(),
        _ => off,
    }
}

/// `SET x = y`, `RESET x`, `PRAGMA x = y`.
pub(super) fn set(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, verb: &str) -> bool {
    let span = cursor.span();
    if verb == "ALTER SESSION" {
        cursor.eat("SET");
    }
    if verb == "RESET" {
        if cursor.eat_any(&["MASTER", "BINARY LOGS AND GTIDS"]) {
            run.put(
                Operation::Rewrite,
                Resource::new(ResourceKind::Log, "binary logs"),
                Extent::All,
                "RESET MASTER",
                span,
                |_| {},
            );
            return true;
        }
        if cursor.eat_any(&["SLAVE", "REPLICA"]) {
            run.server(Operation::Alter, "RESET REPLICA", span);
            return true;
        }
        if cursor.eat("PERSIST") {
            run.server(Operation::Alter, "RESET PERSIST", span);
            return true;
        }
        return !is_prose(cursor, 4);
    }
    if cursor.eat("PASSWORD") {
        let name = if cursor.eat("FOR") {
            cursor.account().unwrap_or_default()
        } else {
            Name { text: "current user".to_owned(), span, unresolved: false }
        };
        run.note(Operation::Alter, ResourceKind::Role, &name, Extent::One, "SET PASSWORD");
        return true;
    }
    let global = cursor.eat_any(&["GLOBAL", "PERSIST", "PERSIST_ONLY"])
        || cursor.peek(0).get(..8).is_some_and(|word| word.eq_ignore_ascii_case("@@global"));
    cursor.eat_any(&["LOCAL", "SESSION", "VARIABLE", "DEFAULT"]);
    if cursor.sees("AUTHORIZATION") || cursor.sees("ROLE") {
        let by = if cursor.eat("ROLE") { "SET ROLE" } else { "SET SESSION AUTHORIZATION" };
        cursor.eat("AUTHORIZATION");
        let Some(role) = cursor
            .string()
            .map(|(text, span)| Name { text, span: Some(span), unresolved: false })
            .or_else(|| cursor.account())
        else {
            return false;
        };
        if !["NONE", "DEFAULT", "RESET"].iter().any(|word| role.text.eq_ignore_ascii_case(word)) {
            run.note(Operation::Escalate, ResourceKind::Role, &role, Extent::One, by);
        }
        return true;
    }
    let Some(name) = cursor.name() else { return false };
    let assigned = cursor.eat_punct("=") || cursor.eat_punct(":=") || cursor.eat("TO") || cursor.eat_punct("(");
    if !assigned
        && is_prose(cursor, 4)
        && !name.text.eq_ignore_ascii_case("transaction")
        && !cursor.sees("ON")
        && !cursor.sees("AS")
    {
        return false;
    }
    let value = cursor.peek(0);
    let setting = name.text.trim_start_matches('@');
    if turns_off(setting, value) {
        let safeguard = Name { text: setting.trim_start_matches("global.").to_owned(), ..name };
        let resource = run.resource(ResourceKind::Safeguard, &safeguard);
        run.put(Operation::Disable, resource, Extent::One, verb, span, |_| {});
    } else if global {
        run.server(Operation::Alter, "SET GLOBAL", span);
    } else if verb == "PRAGMA"
        && (setting.eq_ignore_ascii_case("writable_schema") && !matches!(value, "0" | "" | "off" | "OFF"))
    {
        let safeguard = Name { text: "writable_schema".to_owned(), ..name };
        run.note(Operation::Disable, ResourceKind::Safeguard, &safeguard, Extent::One, "PRAGMA");
    } else if verb == "PRAGMA" && assigned {
        run.note(
            Operation::Alter,
            ResourceKind::Database,
            &Name { text: format!("pragma {setting}"), ..name },
            Extent::One,
            "PRAGMA",
        );
    } else if verb == "SET" && setting.eq_ignore_ascii_case("IDENTITY_INSERT") {
        let table = Cursor { at: cursor.at, ..cursor }.name().unwrap_or_default();
        run.note(Operation::Alter, ResourceKind::Table, &table, Extent::One, "SET IDENTITY_INSERT");
    }
    true
}

pub(super) fn alter_system(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    let span = cursor.span();
    if cursor.eat_any(&["KILL", "DISCONNECT", "CANCEL"]) {
        cursor.eat_any(&["SESSION", "SQL"]);
        let text = cursor.peek(0).trim_matches('\'').to_owned();
        run.put(
            Operation::Stop,
            Resource::new(ResourceKind::Process, text),
            Extent::One,
            "ALTER SYSTEM KILL SESSION",
            span,
            |_| {},
        );
        return true;
    }
    if cursor.eat_any(&["SHUTDOWN", "QUIESCE", "SUSPEND"]) {
        run.server(Operation::Stop, "ALTER SYSTEM SHUTDOWN", span);
        return true;
    }
    let resets = cursor.eat("RESET");
    if !resets && !cursor.eat("SET") {
        if is_prose(cursor, 6) || cursor.ended() {
            return false;
        }
        run.server(Operation::Alter, "ALTER SYSTEM", span);
        return true;
    }
    let Some(name) = cursor.name() else { return false };
    cursor.eat_punct("=");
    cursor.eat("TO");
    let value = cursor.peek(0);
    if turns_off(&name.text, value) && !resets {
        run.note(Operation::Disable, ResourceKind::Safeguard, &name, Extent::One, "ALTER SYSTEM");
        return true;
    }
    run.server(Operation::Alter, "ALTER SYSTEM", span);
    if ["archive_command", "restore_command", "archive_cleanup_command", "ssl_passphrase_command"]
        .contains(&name.text.as_str())
        && let Some((code, span)) = cursor.string()
        && !code.trim().is_empty()
    {
        // The server runs it as shell code from now on.
        run.shell(&code, span);
    }
    true
}

pub(super) fn alter_account(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    let span = cursor.span();
    let unsets = cursor.eat("UNSET");
    if unsets || cursor.sees("SET") {
        cursor.eat("SET");
        if cursor.sees("NETWORK_POLICY") && unsets {
            let name = Name { text: "network policy".to_owned(), span, unresolved: false };
            run.note(Operation::Disable, ResourceKind::Safeguard, &name, Extent::One, "ALTER ACCOUNT");
            return true;
        }
        run.put(Operation::Alter, Resource::new(ResourceKind::Account, ""), Extent::One, "ALTER ACCOUNT", span, |_| {});
        return true;
    }
    let Some(name) = cursor.name() else { return false };
    run.note(Operation::Alter, ResourceKind::Account, &name, Extent::One, "ALTER ACCOUNT");
    !cursor.ended()
}

fn use_(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    if cursor.eat_any(&["ROLE", "SECONDARY ROLES"]) {
        let Some(role) = cursor.name() else { return false };
        run.note(Operation::Escalate, ResourceKind::Role, &role, Extent::One, "USE ROLE");
        return true;
    }
    if cursor.eat_any(&["WAREHOUSE", "SCHEMA"]) {
        return cursor.name().is_some();
    }
    cursor.eat_any(&["DATABASE", "CATALOG"]);
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

fn show(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
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

fn explain(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
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
    if is_prose(cursor, 2) {
        return false;
    }
    run.note(Operation::List, ResourceKind::Table, &name, Extent::One, "DESCRIBE");
    true
}

fn lock(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    if cursor.eat_any(&["INSTANCE FOR BACKUP", "BINLOG FOR BACKUP"]) {
        return true;
    }
    let explicit = cursor.eat_any(&["TABLES", "TABLE"]);
    let names = cursor.names();
    let modes = ["IN", "WRITE", "READ", "NOWAIT", "LOW_PRIORITY", "AS"];
    if names.is_empty()
        || !explicit && !cursor.sees("IN")
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
