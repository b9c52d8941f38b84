//! Settings: SET, RESET, PRAGMA, ALTER SYSTEM, and which of them turn a safeguard off.

use crate::model::{Area, CodeOrigin, Extent, Operation, Resource, ResourceKind, Span};

use super::Run;
use super::control::is_prose;
use super::cursor::{Cursor, Name};
use super::lexer::Kind;

/// Notes a change that ends with the session.
pub(super) fn session(run: &mut Run<'_, '_, '_>, by: &str, span: Option<Span>) {
    let mut resource = Resource::new(ResourceKind::Item, "session");
    resource.areas = resource.areas.with(Area::Ephemeral);
    run.put(Operation::Alter, resource, Extent::One, by, span, |_| {});
}

/// Logs and checks that settings turn off.
const GUARDS: &[&str] = &[
    "general_log",
    "audit_trail",
    "audit_sys_operations",
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
        // 0 writes every statement down, only -1 writes none.
        "log_min_duration_statement" => value == "-1",
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
        if is_prose(cursor, 4) {
            return false;
        }
        session(run, verb, span);
        return true;
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
    let plain = [
        "transaction",
        "constraints",
        "names",
        "character",
        "charset",
        "statistics",
        "characteristics",
        "time",
        "xml",
        "current",
    ];
    if !assigned
        && cursor.rest().iter().all(|token| token.kind == Kind::Word)
        && cursor.rest().len() >= 2
        && !cursor.has("ON")
        && !cursor.has("OFF")
        && !plain.iter().any(|word| name.text.eq_ignore_ascii_case(word))
    {
        return false;
    }
    let value = cursor.peek(0);
    let setting = name.text.trim_start_matches('@');
    if turns_off(setting, value) {
        let safeguard = Name { text: setting.rsplit('.').next().unwrap_or(setting).to_owned(), ..name };
        let resource = run.resource(ResourceKind::Safeguard, &safeguard);
        run.put(Operation::Disable, resource, Extent::One, verb, span, |_| {});
    } else if global {
        run.server(Operation::Alter, "SET GLOBAL", span);
    } else if verb == "PRAGMA"
        && (setting.eq_ignore_ascii_case("writable_schema") && !matches!(value, "0" | "" | "off" | "OFF"))
    {
        let safeguard = Name { text: "writable_schema".to_owned(), ..name };
        run.note(Operation::Disable, ResourceKind::Safeguard, &safeguard, Extent::One, "PRAGMA");
    } else if verb == "PRAGMA" && ["_info", "_xinfo", "_list", "_check"].iter().any(|end| setting.ends_with(end)) {
        run.note(
            Operation::List,
            ResourceKind::Database,
            &Name { text: format!("pragma {setting}"), ..name },
            Extent::One,
            "PRAGMA",
        );
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
    } else {
        session(run, verb, span);
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
        run.put(
            Operation::Execute,
            Resource::new(ResourceKind::Code, code.clone()),
            Extent::One,
            "ALTER SYSTEM",
            Some(span),
            |effect| {
                effect.code = Some(CodeOrigin::Local);
            },
        );
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
