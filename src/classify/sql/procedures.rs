//! Procedures that servers bring along: T-SQL's `sp_…` and `xp_…`, Oracle's packages.

use crate::classify::Language;
use crate::model::{CodeOrigin, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Span, Zone};

use super::cursor::{Cursor, Name};
use super::lexer::Kind;
use super::{Run, access, control, dynamic, functions, transfer};

/// Settings that `sp_configure` must not turn on.
const SWITCHES: &[&str] = &["xp_cmdshell", "Ole Automation Procedures", "clr enabled", "Ad Hoc Distributed Queries"];
/// Settings that it must not turn off.
const GUARDS: &[&str] =
    &["clr strict security", "default trace enabled", "c2 audit mode", "common criteria compliance enabled"];

/// Reads a call of one of the server's own procedures (its name without schema, in lower case); `false` when it is none.
pub(super) fn run(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, name: &str, span: Option<Span>) -> bool {
    let arguments = Arguments::of(cursor);
    let first = || arguments.first();
    match name {
        "sp_configure" => {
            let option = cursor.string().map(|(text, _)| text).unwrap_or_default();
            let set = cursor.eat_punct(",");
            let on = set && cursor.peek(0) != "0";
            let named = |options: &[&str]| options.iter().any(|other| option.eq_ignore_ascii_case(other));
            if on && named(SWITCHES) || set && !on && named(GUARDS) {
                disables(run, option, name, span);
            } else if set {
                run.server(Operation::Alter, name, span);
            } else {
                run.server(Operation::List, name, span);
            }
        }
        "sp_msforeachtable" | "sp_msforeachdb" | "sp_foreachdb" | "sp_ineachdb" => each(run, cursor, name),
        "sp_addsrvrolemember" => role_member(run, Operation::Grant, arguments.named_or("rolename", 1), name, span),
        "sp_addrolemember" => role_member(run, Operation::Grant, first(), name, span),
        "sp_dropsrvrolemember" => role_member(run, Operation::Revoke, arguments.named_or("rolename", 1), name, span),
        "sp_droprolemember" => role_member(run, Operation::Revoke, first(), name, span),
        "sp_addlogin" | "sp_grantlogin" | "sp_adduser" | "sp_grantdbaccess" | "sp_addrole" => {
            noted(run, Operation::Create, ResourceKind::Role, first(), Extent::One, name, span);
        }
        "sp_droplogin" | "sp_revokelogin" | "sp_dropuser" | "sp_revokedbaccess" | "sp_droprole" => {
            noted(run, Operation::Drop, ResourceKind::Role, first(), Extent::All, name, span);
        }
        "sp_password" => {
            noted(run, Operation::Alter, ResourceKind::Role, arguments.named_or("loginame", 2), Extent::One, name, span)
        }
        "sp_changedbowner" => {
            let owner = Name { text: format!("ownership to {}", first()), span, unresolved: false };
            access::grants(run, &owner, name, span);
        }
        "sp_dbremove" => noted(run, Operation::Drop, ResourceKind::Database, first(), Extent::All, name, span),
        "sp_detach_db" => noted(run, Operation::Stop, ResourceKind::Database, first(), Extent::All, name, span),
        "sp_delete_job" | "sp_delete_jobstep" | "sp_delete_schedule" | "sp_delete_maintenance_plan" => {
            noted(run, Operation::Drop, ResourceKind::Routine, first(), Extent::All, name, span);
        }
        "sp_add_job" | "sp_add_schedule" | "sp_attach_schedule" | "sp_add_jobserver" | "sp_add_jobschedule" => {
            noted(run, Operation::Create, ResourceKind::Routine, first(), Extent::One, name, span);
        }
        "sp_add_jobstep" | "sp_update_jobstep" => job_step(run, &arguments, name, span),
        "sp_delete_backuphistory"
        | "sp_delete_database_backuphistory"
        | "sp_purge_jobhistory"
        | "sp_cycle_errorlog"
        | "sp_cycle_agent_errorlog"
        | "sp_maintplan_delete_log" => {
            run.put(Operation::Rewrite, Resource::new(ResourceKind::Log, name), Extent::Some, name, span, |_| {});
        }
        "xp_delete_file" | "xp_delete_files" => {
            let path = arguments.strings().next().unwrap_or_default();
            run.put(Operation::Delete, Resource::new(ResourceKind::Backup, path), Extent::Some, name, span, |_| {});
        }
        "xp_dirtree" | "xp_subdirs" | "xp_fileexist" | "xp_fixeddrives" | "xp_availablemedia" => {
            let path = first();
            if path.starts_with("\\\\") {
                // The server logs in there: whoever owns the share gets its password's hash.
                transfer::export(
                    run,
                    Resource::new(ResourceKind::Role, "service account"),
                    Extent::One,
                    name,
                    span,
                    Zone::External,
                    path,
                );
            } else {
                run.put(Operation::List, transfer::server_file(&path), Extent::All, name, span, |_| {});
            }
        }
        "xp_regread" | "xp_instance_regread" | "xp_regenumvalues" | "xp_readerrorlog" | "sp_readerrorlog" => {
            noted(run, Operation::Read, ResourceKind::Item, format!("{name} {}", first()), Extent::Some, name, span);
        }
        "xp_regwrite" | "xp_instance_regwrite" | "xp_regdeletekey" | "xp_regdeletevalue" => {
            run.put(Operation::Alter, Resource::new(ResourceKind::Host, "registry"), Extent::One, name, span, |_| {});
            runs_program(run, name, &first(), span);
        }
        "sp_oacreate" | "sp_oamethod" | "sp_oasetproperty" => {
            runs_program(run, name, &arguments.strings().next().unwrap_or_default(), span);
            run.gap(GapKind::HiddenCode, Hides::Anything, span, name);
        }
        "sp_execute_external_script" => {
            let script = arguments.named("script");
            let language = arguments.named("language").map(|(text, _)| text.to_ascii_lowercase()).unwrap_or_default();
            match script {
                Some((code, at)) if language == "python" => run.scene.run_word(Language::Python, &code, Some(at)),
                _ => {
                    runs_program(run, name, &language, span);
                    run.gap(GapKind::HiddenCode, Hides::Anything, span, name);
                }
            }
        }
        "sp_send_dbmail" => {
            let to = arguments.named("recipients").map(|(text, _)| text).unwrap_or_default();
            transfer::export(
                run,
                Resource::new(ResourceKind::Message, "mail"),
                Extent::One,
                name,
                span,
                Zone::External,
                to,
            );
            if let Some((query, at)) = arguments.named("query") {
                run.nested_sql(&query, at, None);
            }
        }
        "sp_rename" => noted(run, Operation::Alter, ResourceKind::Table, first(), Extent::One, name, span),
        "sp_addlinkedserver"
        | "sp_addlinkedsrvlogin"
        | "sp_serveroption"
        | "sp_addextendedproperty"
        | "sp_updateextendedproperty"
        | "sp_dropextendedproperty"
        | "sp_procoption"
        | "sp_dboption"
        | "sp_attach_db" => {
            run.server(Operation::Alter, name, span);
        }
        "sp_updatestats"
        | "sp_recompile"
        | "sp_refreshview"
        | "sp_refreshsqlmodule"
        | "sp_indexoption"
        | "sp_settriggerorder"
        | "sp_tableoption"
        | "sp_create_plan_guide"
        | "sp_getapplock"
        | "sp_releaseapplock"
        | "sp_set_session_context" => {
            super::settings::session(run, name, span);
        }
        _ if lists(name) => run.server(Operation::List, name, span),
        _ => return false,
    }
    true
}

/// Procedures that only show.
fn lists(name: &str) -> bool {
    ["sp_help", "sp_who", "sp_blitz", "xp_msver", "sp_spaceused", "sp_describe_"]
        .iter()
        .any(|start| name.starts_with(start))
        || matches!(
            name,
            "sp_tables"
                | "sp_columns"
                | "sp_databases"
                | "sp_lock"
                | "sp_depends"
                | "sp_stored_procedures"
                | "sp_statistics"
                | "sp_fkeys"
                | "sp_pkeys"
                | "sp_server_info"
                | "sp_monitor"
                | "sp_linkedservers"
                | "sp_special_columns"
                | "sp_table_privileges"
                | "sp_column_privileges"
                | "sp_catalogs"
                | "sp_datatype_info"
                | "sp_msgetversion"
        )
}

fn noted(
    run: &mut Run<'_, '_, '_>,
    operation: Operation,
    kind: ResourceKind,
    name: String,
    extent: Extent,
    by: &str,
    span: Option<Span>,
) {
    let name = Name { text: name, span, unresolved: false };
    let mut resource = run.resource(kind, &name);
    resource.unresolved = false;
    run.put(operation, resource, extent, by, span, |_| {});
}

fn role_member(run: &mut Run<'_, '_, '_>, operation: Operation, role: String, by: &str, span: Option<Span>) {
    if operation == Operation::Grant {
        access::grants(run, &Name { text: role, span, unresolved: false }, by, span);
    } else {
        noted(run, operation, ResourceKind::Role, role, Extent::One, by, span);
    }
}

fn disables(run: &mut Run<'_, '_, '_>, what: String, by: &str, span: Option<Span>) {
    run.put(Operation::Disable, Resource::new(ResourceKind::Safeguard, what), Extent::One, by, span, |_| {});
}

fn runs_program(run: &mut Run<'_, '_, '_>, by: &str, code: &str, span: Option<Span>) {
    run.put(Operation::Execute, Resource::new(ResourceKind::Code, code), Extent::One, by, span, |effect| {
        effect.code = Some(CodeOrigin::Local);
    });
}

/// `sp_MSforeachtable 'DELETE FROM ?'`: the code runs once for each, with its name in place of the question mark.
fn each(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, by: &str) {
    let span = cursor.span();
    if cursor.peek(0).starts_with('@') && cursor.peek(1) == "=" {
        cursor.at += 2;
    }
    let Some(mut built) = dynamic::expression(run, &mut cursor) else {
        dynamic::note(run, by, CodeOrigin::Dynamic, span);
        control::dynamic(run, span, Hides::Anything);
        return;
    };
    let one = if by == "sp_msforeachtable" { "[every table]" } else { "[every database]" };
    built.code = built.code.replace("[?]", "?").replace("'?'", "?").replace('?', one);
    dynamic::runs(run, &built, by, span);
}

/// A step of a job runs later what it is told now.
fn job_step(run: &mut Run<'_, '_, '_>, arguments: &Arguments<'_>, by: &str, span: Option<Span>) {
    noted(run, Operation::Create, ResourceKind::Routine, arguments.first(), Extent::One, by, span);
    let Some((code, at)) = arguments.named("command") else { return };
    let system = arguments.named("subsystem").map_or_else(String::new, |(text, _)| text.to_ascii_uppercase());
    match system.as_str() {
        "" | "TSQL" => run.nested_sql(&code, at, None),
        "CMDEXEC" => {
            runs_program(run, by, &code, Some(at));
            run.shell(&code, at);
        }
        "POWERSHELL" => {
            runs_program(run, by, &code, Some(at));
            run.scene.run_word(Language::PowerShell, &code, Some(at));
        }
        _ => run.gap(GapKind::HiddenCode, Hides::Anything, Some(at), by),
    }
}

/// The arguments of a call, by place or by name.
struct Arguments<'t> {
    cursor: Cursor<'t>,
}

impl<'t> Arguments<'t> {
    fn of(mut cursor: Cursor<'t>) -> Self {
        // `name('a', 'b')` and `name 'a', 'b'`
        if let Some(inner) = cursor.brackets() {
            cursor = Cursor::new(cursor.text, inner);
        }
        Self { cursor }
    }

    /// The value given as `@name = …` or `name => …`.
    fn named(&self, name: &str) -> Option<(String, Span)> {
        let mut cursor = self.cursor;
        while !cursor.ended() {
            if cursor.peek(0).trim_start_matches('@').eq_ignore_ascii_case(name) {
                cursor.at += 1;
                while cursor.eat_punct("=") || cursor.eat_punct(">") || cursor.eat_punct("=>") {}
                return cursor.string();
            }
            cursor.at += 1;
        }
        None
    }

    /// The value so named, else the string in that place.
    fn named_or(&self, name: &str, place: usize) -> String {
        self.named(name).map(|(text, _)| text).or_else(|| self.strings().nth(place)).unwrap_or_default()
    }

    fn strings(&self) -> impl Iterator<Item = String> + '_ {
        let mut cursor = self.cursor;
        std::iter::from_fn(move || cursor.next_string().map(|(text, _)| text))
    }

    /// The first argument: a string or a name.
    fn first(&self) -> String {
        let mut cursor = self.cursor;
        if cursor.peek(0).starts_with('@') && cursor.peek(1) == "=" {
            cursor.at += 2;
        }
        cursor.string().map(|(text, _)| text).or_else(|| cursor.name().map(|name| name.text)).unwrap_or_default()
    }
}

/// Oracle's packages that neither change data nor run code of others.
const MILD: &[&str] = &[
    "dbms_output",
    "dbms_stats",
    "dbms_lock",
    "dbms_session",
    "dbms_application_info",
    "dbms_random",
    "dbms_metadata",
    "dbms_mview",
    "dbms_utility",
    "dbms_lob",
    "dbms_assert",
    "dbms_crypto",
    "dbms_monitor",
    "dbms_workload_repository",
    "dbms_sqltune",
    "dbms_xplan",
    "dbms_profiler",
    "dbms_snapshot",
    "dbms_refresh",
    "dbms_space",
    "utl_raw",
    "utl_encode",
    "htp",
    "raise_application_error",
];

/// `package.procedure(…)` as a statement of its own; `false` when it is no call.
pub(super) fn package(run: &mut Run<'_, '_, '_>, here: Cursor<'_>) -> bool {
    let mut cursor = Cursor { at: 0, ..here };
    let Some(name) = cursor.name() else { return false };
    if !cursor.sees_punct("(") || cursor.brackets().is_none() || !cursor.ended() {
        return false;
    }
    let lower = name.text.to_ascii_lowercase();
    let mut parts = lower.split('.').filter(|part| *part != "sys");
    let package = parts.next().unwrap_or_default();
    let procedure = parts.next().unwrap_or_default();
    let whole = Arguments { cursor: here };
    let span = here.span();
    match (package, procedure) {
        ("dbms_scheduler", "create_job" | "create_program" | "set_attribute") | ("dbms_job", "submit" | "isubmit") => {
            let action =
                whole.named("job_action").or_else(|| whole.named("program_action")).or_else(|| whole.named("what"));
            let what = whole
                .named("job_name")
                .or_else(|| whole.named("program_name"))
                .map_or_else(String::new, |(text, _)| text);
            noted(run, Operation::Create, ResourceKind::Routine, what, Extent::One, &lower, span);
            let program = whole
                .strings()
                .any(|text| text.eq_ignore_ascii_case("EXECUTABLE") || text.eq_ignore_ascii_case("EXTERNAL_SCRIPT"));
            let action = action.or_else(|| {
                let mut cursor = here;
                (package == "dbms_job").then(|| cursor.next_string()).flatten()
            });
            match action {
                Some((code, at)) if program => {
                    runs_program(run, &lower, &code, Some(at));
                    run.shell(&code, at);
                }
                Some((code, at)) if code.contains([' ', ';']) => run.nested_sql(&code, at, None),
                _ => {}
            }
        }
        ("dbms_scheduler" | "dbms_job", "drop_job" | "drop_program" | "drop_schedule" | "remove") => {
            noted(
                run,
                Operation::Drop,
                ResourceKind::Routine,
                whole.strings().next().unwrap_or_default(),
                Extent::All,
                &lower,
                span,
            );
        }
        ("dbms_scheduler", "purge_log") | ("dbms_audit_mgmt", _) => {
            run.put(
                Operation::Rewrite,
                Resource::new(ResourceKind::Log, "audit trail"),
                Extent::Some,
                &lower,
                span,
                |_| {},
            );
        }
        ("dbms_rls" | "dbms_fga" | "dbms_redact", "drop_policy" | "disable_policy") => {
            disables(run, whole.named("policy_name").map_or_else(|| lower.clone(), |(text, _)| text), &lower, span);
        }
        ("utl_file", "fremove") => {
            let path = whole.strings().collect::<Vec<_>>().join("/");
            run.put(Operation::Delete, transfer::server_file(&path), Extent::One, &lower, span, |_| {});
        }
        ("utl_file", _) | ("utl_http" | "utl_tcp" | "utl_smtp" | "utl_mail", _) => {
            if package != "utl_file" {
                let peer = whole.strings().next().unwrap_or_default();
                transfer::fetch(run, &peer, &lower, span);
            }
        }
        _ if MILD.contains(&package) => {}
        _ if functions::is_known(procedure) || functions::is_known(package) => {}
        _ => {
            run.put(
                Operation::Execute,
                Resource::new(ResourceKind::Routine, name.text.as_str()),
                Extent::One,
                "call",
                name.span,
                |effect| {
                    effect.code = Some(CodeOrigin::Stored);
                },
            );
            run.gap(GapKind::HiddenCode, Hides::Anything, name.span, format!("stored routine {}", name.text));
        }
    }
    true
}

/// Whether words stand behind a name that no call has: a sentence.
pub(super) fn is_prose(cursor: Cursor<'_>) -> bool {
    cursor.rest().len() > 2 && cursor.rest().iter().all(|token| token.kind == Kind::Word)
}

#[cfg(test)]
mod tests {
    use crate::classify::sql::tests::check;

    #[test]
    fn the_servers_own_procedures_say_what_they_do() {
        check("tsql", "EXEC sp_MSforeachtable 'TRUNCATE TABLE ?'", "delete Table every table (all)");
        check("tsql", "EXEC sp_addsrvrolemember 'ana', 'sysadmin'", "grant Role sysadmin (one, protected)");
        check("tsql", "EXEC sp_helptext 'dbo.totals'", "list Server (all)");
        check(
            "oracle",
            "BEGIN DBMS_SCHEDULER.CREATE_JOB(job_name => 'j', job_type => 'PLSQL_BLOCK', job_action => 'BEGIN DELETE FROM logs; END;'); END;",
            "create Routine j (one)\ndelete Table logs (all)",
        );
        check("oracle", "BEGIN DBMS_STATS.GATHER_TABLE_STATS('SHOP', 'LOGS'); END;", "");
        check(
            "oracle",
            "BEGIN tidy.nightly(4); END;",
            "execute Routine tidy.nightly (one, stored code)\ngap hidden-code: stored routine tidy.nightly",
        );
    }
}
