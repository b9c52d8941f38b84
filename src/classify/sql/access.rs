//! Who may do what: grants, roles, users, ownership.

use crate::model::{Area, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Span};

use super::cursor::{Cursor, Name};
use super::lexer::Kind;
use super::{Run, kinds, settings};

/// Reads GRANT, REVOKE, DENY or REASSIGN; `false` when it makes no sense.
pub(super) fn run(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, verb: &str) -> bool {
    cursor.at = 1;
    if verb == "REASSIGN" {
        if !cursor.eat("OWNED BY") {
            return false;
        }
        let span = cursor.span();
        for owner in cursor.accounts() {
            let name = Name { text: format!("everything owned by {}", owner.text), ..owner };
            let resource = run.resource(ResourceKind::Role, &name);
            run.put(Operation::Grant, resource, Extent::All, "REASSIGN OWNED", span, |_| {});
        }
        return true;
    }
    let operation = if verb == "GRANT" { Operation::Grant } else { Operation::Revoke };
    for option in ["GRANT OPTION FOR", "ADMIN OPTION FOR", "INHERIT OPTION FOR", "SET OPTION FOR"] {
        cursor.eat(option);
    }
    let start = cursor.at;
    let on = cursor.find_flat(&["ON"]);
    let to = Cursor { at: on.unwrap_or(start), ..cursor }.find_flat(&["TO", "FROM"]);
    let Some(end) = on.or(to) else { return false };
    if end == start {
        return false;
    }
    let span = cursor.span();
    let mut what = Cursor { tokens: &cursor.tokens[..end], ..cursor };
    if operation == Operation::Grant {
        to_everybody(run, Cursor { at: to.unwrap_or(end), ..cursor }, span);
    }
    let Some(on) = on else {
        // Roles, or rights on the server as a whole.
        let handed_on = operation == Operation::Grant && cursor.has("WITH ADMIN") && !cursor.has("ADMIN FALSE");
        let mut any = false;
        while let Some(name) = granted(&mut what) {
            let resource = role(run, &name);
            run.put(operation, resource, Extent::One, verb, span, |_| {});
            if handed_on {
                grants(run, &Name { text: format!("admin option of {}", name.text), ..name }, verb, span);
            }
            any = true;
            if !what.eat_punct(",") {
                break;
            }
        }
        return any && what.ended();
    };
    if what.rest().len() >= 8 && what.rest().iter().all(|token| token.kind == Kind::Word) {
        return false;
    }
    let mut things = Cursor { at: on + 1, ..cursor };
    if things.sees_punct(":") || things.peek(1) == ":" {
        // T-SQL's `ON SCHEMA::s`.
        things.at = things.at.min(things.tokens.len());
    }
    let everything = things.eat("ALL");
    things.eat("FUTURE");
    if what.sees("PROXY") {
        // MySQL: who may log in as whom.
        for account in things.accounts() {
            let resource = role(run, &account);
            run.put(operation, resource, Extent::One, "GRANT PROXY", span, |_| {});
        }
        return true;
    }
    let (kind, whole) = kind_of(&mut things, everything);
    while things.eat_punct(":") || things.eat_punct("::") {}
    if things.eat_any(&["IN SCHEMA", "IN DATABASE"]) || everything {
        let names = things.names();
        let name = names.first().cloned().unwrap_or_default();
        let container = if whole { ResourceKind::Schema } else { kind };
        let resource = run.resource(container, &name);
        run.put(operation, resource, Extent::All, verb, span, |_| {});
        return true;
    }
    let end = to.unwrap_or(cursor.tokens.len());
    let mut things = Cursor { tokens: &cursor.tokens[..end.max(things.at)], ..things };
    let names = things.names();
    let merely = merely_looks(what);
    for name in &names {
        let kind = if name.text == "*.*" || name.text == "*" { ResourceKind::Server } else { kind };
        let extent = match name.text.contains('*') {
            true if merely => Extent::Some,
            true => Extent::All,
            false => Extent::One,
        };
        let resource = run.resource(kind, name);
        run.put(operation, resource, extent, verb, span, |_| {});
    }
    if names.is_empty() {
        run.gap(GapKind::Unparsed, Hides::Target, span, verb.to_lowercase());
        run.note(
            operation,
            ResourceKind::Item,
            &Name { unresolved: true, span, ..Name::default() },
            Extent::Unknown,
            verb,
        );
    }
    true
}

/// `ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT … ON TABLES TO r`: rights on everything made there from now on.
pub(super) fn default_privileges(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    let span = cursor.span();
    let operation = match (cursor.find("GRANT"), cursor.find("REVOKE")) {
        (_, Some(_)) => Operation::Revoke,
        (Some(_), None) => Operation::Grant,
        (None, None) => return false,
    };
    let schemas = match cursor.find("IN SCHEMA") {
        Some(at) => {
            cursor.at = at + 2;
            cursor.names()
        }
        None => vec![Name::default()],
    };
    for schema in schemas {
        let mut resource = run.resource(ResourceKind::Schema, &schema);
        resource.unresolved = schema.unresolved;
        run.put(operation, resource, Extent::All, "ALTER DEFAULT PRIVILEGES", span, |_| {});
    }
    true
}

/// A role or a right of several words: `ALTER ANY TABLE`, `CONTROL SERVER`.
fn granted(cursor: &mut Cursor<'_>) -> Option<Name> {
    let mut name = cursor.account()?;
    let mut words = 1;
    while cursor.token().is_some_and(|token| token.kind == Kind::Word) && words < 6 {
        let next = cursor.name()?;
        name.text = format!("{} {}", name.text, next.text);
        name.span = super::cursor::join(name.span, next.span);
        words += 1;
    }
    cursor.brackets();
    // `GRANT ROLE r`
    for prefix in ["ROLE ", "role ", "DATABASE ROLE "] {
        if let Some(rest) = name.text.strip_prefix(prefix) {
            name.text = rest.to_owned();
        }
    }
    Some(name)
}

/// The kind after ON; the plural after ALL.
fn kind_of(cursor: &mut Cursor<'_>, everything: bool) -> (ResourceKind, bool) {
    let plurals: [(&str, ResourceKind); 9] = [
        ("TABLES", ResourceKind::Table),
        ("VIEWS", ResourceKind::View),
        ("SEQUENCES", ResourceKind::Item),
        ("FUNCTIONS", ResourceKind::Routine),
        ("PROCEDURES", ResourceKind::Routine),
        ("ROUTINES", ResourceKind::Routine),
        ("SCHEMAS", ResourceKind::Schema),
        ("TYPES", ResourceKind::Item),
        ("PRIVILEGES", ResourceKind::Table),
    ];
    for (word, kind) in plurals {
        if cursor.eat(word) {
            return (kind, everything || kind != ResourceKind::Schema);
        }
    }
    if cursor.eat("FOREIGN") {
        cursor.eat("SERVER");
        return (ResourceKind::Item, false);
    }
    if cursor.eat("LARGE OBJECT") {
        return (ResourceKind::Item, false);
    }
    match kinds::read(cursor) {
        Some(named) => (named.kind, false),
        None => (ResourceKind::Table, false),
    }
}

/// Whether only rights are named that look and change nothing, or that a backup or a replica needs.
fn merely_looks(mut what: Cursor<'_>) -> bool {
    const LOOKS: &[&str] = &[
        "SELECT",
        "SHOW VIEW",
        "SHOW DATABASES",
        "USAGE",
        "PROCESS",
        "REPLICATION CLIENT",
        "REPLICATION SLAVE",
        "REPLICATION REPLICA",
        "BINLOG MONITOR",
        "LOCK TABLES",
        "RELOAD",
        "EVENT",
        "TRIGGER",
        "BACKUP_ADMIN",
    ];
    loop {
        if !what.eat_any(LOOKS) {
            return false;
        }
        if !what.eat_punct(",") {
            return what.ended();
        }
    }
}

/// `TO PUBLIC`: everybody who can connect gets it.
fn to_everybody(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, span: Option<Span>) {
    if !cursor.eat("TO") {
        return;
    }
    for name in cursor.accounts() {
        if ["PUBLIC", "allUsers", "allAuthenticatedUsers", "specialGroup:allAuthenticatedUsers"]
            .iter()
            .any(|everybody| name.text.eq_ignore_ascii_case(everybody))
        {
            let name = Name { text: "public".to_owned(), ..name };
            let resource = run.resource(ResourceKind::Role, &name);
            run.put(Operation::Grant, resource, Extent::All, "GRANT TO PUBLIC", span, |_| {});
        }
    }
}

/// Roles and rights, in lower case, that lead to all others.
const MIGHTY: &[&str] = &[
    "dba",
    "sysdba",
    "sysoper",
    "sysbackup",
    "sysasm",
    "sysadmin",
    "securityadmin",
    "serveradmin",
    "setupadmin",
    "processadmin",
    "accountadmin",
    "orgadmin",
    "useradmin",
    "db_owner",
    "db_securityadmin",
    "db_accessadmin",
    "rds_superuser",
    "rdsadmin",
    "cloudsqlsuperuser",
    "azure_pg_admin",
    "cloudsuperuser",
    "root",
    "postgres",
    "pg_execute_server_program",
    "pg_read_server_files",
    "pg_write_server_files",
    "pg_write_all_data",
    "pg_checkpoint_admin",
    "control server",
    "alter any login",
    "alter any server role",
    "alter any role",
    "alter any user",
    "impersonate any login",
    "unsafe assembly",
    "external access assembly",
    "administer bulk operations",
    "all privileges",
    "all",
    "grant any privilege",
    "grant any role",
    "grant any object privilege",
    "become user",
    "alter user",
    "alter system",
    "alter database",
    "drop any table",
    "drop user",
    "delete any table",
    "execute any procedure",
    "create any procedure",
    "create any trigger",
    "select any dictionary",
    "select any table",
    "insert any table",
    "update any table",
    "exempt access policy",
    "exempt redaction policy",
    "administer database trigger",
    "create any directory",
    "create any job",
    "manage grants",
    "ownership",
    "imp_full_database",
    "datapump_imp_full_database",
    "exp_full_database",
    "roles/owner",
    "roles/editor",
];

/// Accounts that a server is born with and that may do everything; hardened servers keep them locked.
const MASTERS: &[&str] = &["sa", "sys", "system", "sysman", "root", "root@localhost", "postgres"];

/// A role or right with what is known of its might.
fn role(run: &Run<'_, '_, '_>, name: &Name) -> Resource {
    let mut resource = run.resource(ResourceKind::Role, name);
    if MIGHTY.iter().any(|mighty| name.text.eq_ignore_ascii_case(mighty)) {
        resource.areas = resource.areas.with(Area::Protected);
    }
    resource
}

/// Notes that rights are handed out.
pub(super) fn grants(run: &mut Run<'_, '_, '_>, name: &Name, by: &str, span: Option<Span>) {
    let resource = role(run, name);
    run.put(Operation::Grant, resource, Extent::One, by, span, |_| {});
}

/// Attributes that make a role mighty.
const POWERS: &[&str] = &["SUPERUSER", "CREATEROLE", "CREATEDB", "REPLICATION", "BYPASSRLS", "CREATEUSER"];

/// What a new role is given at birth.
pub(super) fn new_role(run: &mut Run<'_, '_, '_>, cursor: Cursor<'_>, name: &Name, by: &str) {
    for power in POWERS {
        if let Some(at) = cursor.find(power) {
            let granted = Name { text: format!("{} to {}", power.to_lowercase(), name.text), ..name.clone() };
            let span = Cursor { at, ..cursor }.span_from(at);
            grants(run, &granted, by, span);
        }
    }
    for words in ["IN ROLE", "IN GROUP"] {
        if let Some(at) = cursor.find(words) {
            let mut roles = Cursor { at: at + words.split(' ').count(), ..cursor };
            roles.eat_punct("=");
            for role in roles.accounts() {
                let span = role.span;
                grants(run, &role, by, span);
            }
        }
    }
}

/// `ALTER ROLE`, `ALTER USER`, `ALTER LOGIN`, `ALTER SERVER ROLE`.
pub(super) fn alter_role(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, by: &str) -> bool {
    let Some(name) = cursor.account() else { return false };
    let span = cursor.span();
    let changes = cursor
        .find("ADD MEMBER")
        .map(|at| (at, Operation::Grant))
        .or_else(|| cursor.find("DROP MEMBER").map(|at| (at, Operation::Revoke)));
    if let Some((_, operation)) = changes {
        let resource = role(run, &name);
        run.put(operation, resource, Extent::One, by, span, |_| {});
        return true;
    }
    if cursor.eat_any(&["ADD USER", "DROP USER"]) {
        let resource = run.resource(ResourceKind::Role, &name);
        run.put(Operation::Grant, resource, Extent::One, by, span, |_| {});
        return true;
    }
    if cursor.rest().len() >= 8
        && cursor.rest().iter().all(|token| token.kind == Kind::Word)
        && !cursor.has("SET")
        && !cursor.has("WITH")
    {
        return false;
    }
    run.note(Operation::Alter, ResourceKind::Role, &name, Extent::One, by);
    settings::of_object(run, cursor, &name, by);
    let before = run.scene.mark();
    new_role(run, cursor, &name, by);
    let opened = cursor.has("ENABLE") || cursor.sees("ACCOUNT UNLOCK");
    if run.scene.mark() == before && opened {
        let mut login = run.resource(ResourceKind::Role, &Name { text: format!("login to {}", name.text), ..name });
        if MASTERS.iter().any(|master| name.text.eq_ignore_ascii_case(master)) {
            login.areas = login.areas.with(Area::Protected);
        }
        run.put(Operation::Grant, login, Extent::One, by, span, |_| {});
    }
    true
}

#[cfg(test)]
mod tests {
    use crate::classify::sql::tests::check;

    #[test]
    fn grants_name_what_is_granted() {
        check(
            "postgres",
            "GRANT pg_execute_server_program TO deploy",
            "grant Role pg_execute_server_program (one, protected)",
        );
        check(
            "postgres",
            "GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA shop TO PUBLIC",
            "grant Role public (all)\ngrant Schema shop (all)",
        );
        check("postgres", "GRANT USAGE ON SCHEMA public TO app", "grant Schema public (one)");
        check("oracle", "GRANT DBA TO app", "grant Role DBA (one, protected)");
        check("mysql", "GRANT SELECT, PROCESS ON *.* TO 'watch'@'%'", "grant Server *.* (some)");
        check(
            "postgres",
            "GRANT staff TO app WITH ADMIN OPTION",
            "grant Role staff (one)\ngrant Role admin option of staff (one)",
        );
        check("mysql", "GRANT ALL ON *.* TO 'app'@'%'", "grant Server *.* (all)");
        check("postgres", "ALTER ROLE app SUPERUSER", "alter Role app (one)\ngrant Role superuser to app (one)");
        check("tsql", "ALTER SERVER ROLE sysadmin ADD MEMBER app", "grant Role sysadmin (one, protected)");
        check(
            "postgres",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO app",
            "grant Schema shop (all)",
        );
        check("postgres", "REVOKE SELECT ON logs FROM app", "revoke Table logs (one)");
        check("postgres", "REASSIGN OWNED BY app TO boss", "grant Role everything owned by app (all)");
    }
}
