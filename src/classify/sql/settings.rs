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
    "innodb_flush_log_at_trx_commit",
    "sync_binlog",
    "log_error_verbosity",
    "log_duration",
    "audit_log_policy",
    "audit_log_disable",
    "server_audit_events",
    "validate_password.policy",
    "validate_password_policy",
    "autovacuum",
    "skip_grant_tables",
    "zero_damaged_pages",
    "ignore_checksum_failure",
    "max_table_size_to_drop",
    "max_partition_size_to_drop",
    "data_retention_time_in_days",
    "unified_audit_trail",
    "sql_require_primary_key",
    "spark.databricks.delta.retentiondurationcheck.enabled",
];

/// Whether `value` for the setting `name` turns a safeguard off.
pub(super) fn turns_off(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.trim_start_matches('@').trim_start_matches("global.").trim_start_matches("session.");
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
        "local_infile"
        | "sql_log_off"
        | "xp_cmdshell"
        | "audit_log_disable"
        | "skip_grant_tables"
        | "zero_damaged_pages"
        | "ignore_checksum_failure" => on,
        // 2 still writes at every commit, but only to the system's cache.
        "innodb_flush_log_at_trx_commit" | "sync_binlog" | "data_retention_time_in_days" => value == "0",
        "validate_password.policy" | "validate_password_policy" => off || value == "low",
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
    let value = value(cursor);
    let setting = name.text.trim_start_matches('@');
    let further = assigned && further(run, cursor, verb);
    if turns_off(setting, value) {
        safeguard(run, setting, name.clone(), verb, span);
    } else if further {
        // The others are noted; that this one changes something for the session says nothing more.
    } else if global {
        // Nobody gets in any more.
        let shuts = setting.ends_with("offline_mode") && matches!(&*value.to_ascii_lowercase(), "on" | "1" | "true")
            || setting.ends_with("max_connections") && matches!(value, "0" | "1");
        run.server(if shuts { Operation::Stop } else { Operation::Alter }, "SET GLOBAL", span);
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

/// The value of an assignment; a sign is a part of it.
fn value(cursor: Cursor<'_>) -> &str {
    match (cursor.token(), cursor.tokens.get(cursor.at + 1)) {
        (Some(sign), Some(number)) if cursor.sees_punct("-") => &cursor.text[sign.start..number.end],
        _ => cursor.peek(0),
    }
}

fn safeguard(run: &mut Run<'_, '_, '_>, setting: &str, name: Name, by: &str, span: Option<Span>) {
    let text = match setting.to_ascii_lowercase() {
        // What stands before the dot is a part of these names.
        lower
            if lower.starts_with("pgaudit.")
                || lower.starts_with("validate_password.")
                || lower.starts_with("spark.") =>
        {
            lower
        }
        _ => setting.rsplit('.').next().unwrap_or(setting).to_owned(),
    };
    let resource = run.resource(ResourceKind::Safeguard, &Name { text, ..name });
    run.put(Operation::Disable, resource, Extent::One, by, span, |_| {});
}

/// The safeguards that the assignments behind the first one turn off: `SET a = 1, foreign_key_checks = 0`.
fn further(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, by: &str) -> bool {
    let mut any = false;
    while let Some(comma) = (cursor.at..cursor.tokens.len()).find(|at| Cursor { at: *at, ..cursor }.sees_punct(",")) {
        cursor.at = comma + 1;
        cursor.eat_any(&["GLOBAL", "SESSION", "PERSIST", "LOCAL"]);
        let Some(name) = cursor.name() else { return any };
        if !cursor.eat_punct("=") && !cursor.eat_punct(":=") {
            continue;
        }
        let setting = name.text.trim_start_matches('@').to_owned();
        if turns_off(&setting, cursor.peek(0)) {
            safeguard(run, &setting, name, by, cursor.span());
            any = true;
        }
    }
    any
}

/// `ALTER DATABASE d SET log_statement = 'none'`, `ALTER TABLE t SET DATA_RETENTION_TIME_IN_DAYS = 0`: whether a safeguard
/// of the thing `of` is turned off.
pub(super) fn of_object(run: &mut Run<'_, '_, '_>, cursor: Cursor<'_>, of: &Name, by: &str) -> bool {
    let Some(at) = cursor.find_flat(&["SET"]) else { return false };
    let mut setting = Cursor { at: at + 1, ..cursor };
    setting.eat("PARAMETERS");
    if setting.eat("TBLPROPERTIES") || setting.eat("PROPERTIES") || setting.eat("OPTIONS") {
        return short_history(run, setting, of, by);
    }
    let Some(name) = setting.name() else { return false };
    if !setting.eat_punct("=") && !setting.eat("TO") || !turns_off(&name.text, setting.peek(0)) {
        return false;
    }
    let text = format!("{} of {}", name.text.to_ascii_lowercase(), of.text);
    let resource = run.resource(ResourceKind::Safeguard, &Name { text, ..name });
    run.put(Operation::Disable, resource, Extent::One, by, cursor.span(), |_| {});
    true
}

/// Table properties that keep old versions for no time at all.
fn short_history(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, of: &Name, by: &str) -> bool {
    let span = cursor.span();
    while let Some((key, _)) = cursor.next_string() {
        if ["delta.deletedfileretentionduration", "delta.logretentionduration"]
            .contains(&key.to_ascii_lowercase().as_str())
            && cursor.eat_punct("=")
            && cursor.string().is_some_and(|(value, _)| {
                value.split_whitespace().any(|word| word.parse::<f64>().is_ok_and(|number| number == 0.0))
            })
        {
            let text = format!("{} of {}", key.to_ascii_lowercase(), of.text);
            run.note(
                Operation::Disable,
                ResourceKind::Safeguard,
                &Name { text, span, unresolved: false },
                Extent::One,
                by,
            );
            return true;
        }
    }
    false
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
    let value = value(cursor);
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
        let policy = cursor.eat("NETWORK_POLICY");
        if policy && (unsets || cursor.eat_punct("=") && cursor.sees("NULL")) {
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
