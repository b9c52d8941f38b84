//! Functions that do more than compute: found wherever a statement calls them.

use crate::model::{CodeOrigin, Extent, GapKind, Hides, Operation, Place, PlaceKind, Resource, ResourceKind, Span};

use super::cursor::{Cursor, Name};
use super::lexer::{Kind, Token};
use super::{Run, control, transfer};

/// What a function does beside computing.
#[derive(Clone, Copy, Debug)]
enum Does {
    ReadsFile,
    WritesFile,
    ListsFolder,
    /// The last literal is SQL that runs at once, here or on the server its first literal names.
    RunsSql,
    RunsShell,
    /// Ends other sessions' work.
    StopsSession,
    ReloadsServer,
    Sets,
    /// Reads from or writes to an address.
    Fetches,
    ReadsTableOf,
    Executes,
    RewritesLog,
    LosesObject,
    Waits,
    /// A folder, a file and a mode: `utl_file.fopen('DIR', 'x.txt', 'w')`.
    OpensFile,
}

/// The functions, in lower case.
fn does(name: &str) -> Option<Does> {
    use Does::*;
    Some(match name {
        "pg_read_file"
        | "pg_read_binary_file"
        | "pg_stat_file"
        | "lo_import"
        | "load_file"
        | "pg_read_server_files"
        | "bfilename"
        | "read_csv"
        | "read_csv_auto"
        | "read_parquet"
        | "read_json"
        | "read_json_auto"
        | "read_text"
        | "read_blob"
        | "readfile"
        | "parquet_scan"
        | "sniff_csv"
        | "file"
        | "load_extension" => ReadsFile,
        "lo_export" | "pg_file_write" | "writefile" | "pg_logfile_rotate" | "pg_file_rename" | "pg_file_unlink" => {
            WritesFile
        }
        "pg_ls_dir" | "pg_ls_logdir" | "pg_ls_waldir" | "pg_ls_tmpdir" | "glob" => ListsFolder,
        "dblink"
        | "dblink_exec"
        | "dblink_send_query"
        | "dblink_open"
        | "query_to_xml"
        | "query_to_xml_and_xmlschema"
        | "openquery"
        | "openrowset"
        | "opendatasource"
        | "ts_stat"
        | "postgres_query"
        | "mysql_query"
        | "query_to_json" => RunsSql,
        "xp_cmdshell" | "sys_exec" | "sys_eval" | "sys_get" | "shell" | "system" | "executable" | "os_exec"
        | "shellexec" => RunsShell,
        "pg_terminate_backend" | "pg_cancel_backend" | "system$cancel_query" | "system$abort_session" => StopsSession,
        "pg_reload_conf"
        | "pg_rotate_logfile"
        | "pg_promote"
        | "pg_switch_wal"
        | "pg_create_restore_point"
        | "pg_wal_replay_pause" => ReloadsServer,
        "set_config" => Sets,
        "url" | "s3" | "remote" | "remotesecure" | "gcs" | "azureblobstorage" | "hdfs" | "mysql" | "postgresql"
        | "mongodb" | "http_get" | "http_post" | "deltalake" | "iceberg" | "iceberg_scan" | "delta_scan"
        | "postgres_scan" | "mysql_scan" | "sqlite_scan" | "s3cluster" | "urlcluster" | "jdbc" | "odbc"
        | "httpuritype" => Fetches,
        "pg_sleep" | "pg_sleep_for" | "pg_sleep_until" | "sleep" | "benchmark" | "receive_message" => Waits,
        "table_to_xml" | "cursor_to_xml" | "schema_to_xml" | "database_to_xml" => ReadsTableOf,
        "plpgsql_call_handler" | "eval" | "py_eval" => Executes,
        "pg_drop_replication_slot" | "pg_stat_reset" | "pg_stat_statements_reset" => RewritesLog,
        "lo_unlink" => LosesObject,
        _ => return None,
    })
}

/// The functions of Oracle's packages that reach out of the database.
fn in_package(package: &str, name: &str) -> Option<Does> {
    if !starts_package(package) {
        return None;
    }
    Some(match (package.to_ascii_lowercase().as_str(), name) {
        ("utl_http" | "utl_inaddr" | "utl_tcp" | "utl_smtp" | "dbms_ldap" | "apex_web_service", _) => Does::Fetches,
        ("utl_file", "fopen" | "fcopy" | "frename") => Does::OpensFile,
        ("dbms_xmlquery" | "dbms_xmlgen", "getxml" | "newcontext") => Does::RunsSql,
        ("dbms_java" | "dbms_java_test", "runjava" | "funcall") => Does::Executes,
        ("dbms_lock" | "dbms_session", "sleep") => Does::Waits,
        _ => return None,
    })
}

fn starts_package(package: &str) -> bool {
    ["utl_", "dbms", "apex"].iter().any(|start| package.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case(start)))
}

/// Whether what a call of this name does is noted wherever it stands.
pub(super) fn is_known(name: &str) -> bool {
    does(name).is_some()
}

/// Names that are functions only in one place: `file('x')` is one, a column `file (` in a column list is not.
const NEEDS_LITERAL: &[&str] = &[
    "file",
    "url",
    "s3",
    "mysql",
    "shell",
    "system",
    "remote",
    "hdfs",
    "glob",
    "eval",
    "postgresql",
    "executable",
    "jdbc",
    "odbc",
];

/// Calls beyond this in one statement are not read one by one: each looks through its arguments, which may nest.
const MAX_CALLS: usize = 100;

/// Notes what the functions called in `tokens` do.
pub(super) fn run(run: &mut Run<'_, '_, '_>, tokens: &[Token]) {
    let mut calls = 0;
    for pair in 1..tokens.len() {
        let (name, open) = (tokens[pair - 1], tokens[pair]);
        if open.kind != Kind::Punct
            || !matches!(name.kind, Kind::Word | Kind::Quoted)
            || run.text.as_bytes()[open.start] != b'('
        {
            continue;
        }
        let text = run.text[name.start..name.end].trim_matches(['"', '`', '[', ']']);
        if text.len() < 2 || text.len() > 30 {
            continue;
        }
        let lower = text.to_ascii_lowercase();
        if !run.made.is_empty() && super::routine::calls_made(run, &lower) {
            continue;
        }
        let package = match pair.checked_sub(3) {
            Some(at) if run.text.as_bytes()[tokens[at + 1].start] == b'.' => {
                &run.text[tokens[at].start..tokens[at].end]
            }
            _ => "",
        };
        if let Some(does) = in_package(package, &lower).or_else(|| does(&lower)) {
            let mut cursor = Cursor { text: run.text, tokens, at: pair };
            let inner = cursor.brackets().unwrap_or_default();
            let span = Some(Span::new(name.start, cursor.tokens[cursor.at - 1].end));
            if NEEDS_LITERAL.contains(&lower.as_str()) && !inner.first().is_some_and(|token| token.kind == Kind::Text) {
                continue;
            }
            calls += 1;
            if calls > MAX_CALLS {
                run.gap(GapKind::TooLarge, Hides::Anything, span, "too many calls in one statement");
                return;
            }
            call(run, does, &lower, Cursor::new(cursor.text, inner), span, tokens);
        }
    }
}

fn call(
    run: &mut Run<'_, '_, '_>,
    does: Does,
    by: &str,
    mut arguments: Cursor<'_>,
    span: Option<Span>,
    statement: &[Token],
) {
    let first = || Cursor { ..arguments }.string().map(|(text, _)| text);
    match does {
        Does::ReadsFile | Does::ListsFolder => {
            let operation = if matches!(does, Does::ListsFolder) { Operation::List } else { Operation::Read };
            match first() {
                Some(path) if path.contains("://") && !path.starts_with("file:") => {
                    transfer::fetch(run, &path, by, span)
                }
                Some(path) => run.put(operation, transfer::server_file(&path), Extent::All, by, span, |_| {}),
                None => {
                    let mut resource = Resource::new(ResourceKind::File, "");
                    resource.unresolved = true;
                    run.put(operation, resource, Extent::Unknown, by, span, |_| {});
                    run.gap(GapKind::UnresolvedVariable, Hides::Target, span, by);
                }
            }
            if by == "load_extension" {
                super::routine::loads_library(run, &first().unwrap_or_default(), by, span);
            }
        }
        Does::WritesFile => {
            let path = arguments.next_string().map(|(text, _)| text);
            let mut resource = transfer::server_file(path.as_deref().unwrap_or_default());
            resource.unresolved = path.is_none();
            run.put(Operation::Update, resource, Extent::All, by, span, |_| {});
        }
        Does::RunsSql => runs_sql(run, by, arguments, span),
        Does::RunsShell => match arguments.string() {
            Some((code, at)) => {
                run.put(
                    Operation::Execute,
                    Resource::new(ResourceKind::Code, code.clone()),
                    Extent::One,
                    by,
                    span,
                    |effect| {
                        effect.code = Some(CodeOrigin::Local);
                    },
                );
                run.shell(&code, at);
            }
            None => executes(run, by, span),
        },
        Does::StopsSession => {
            let what = arguments.token().filter(|token| token.kind == Kind::Number).map_or("", |_| arguments.peek(0));
            let extent = match what {
                "" if by != "pg_cancel_backend" => stopped(Cursor::new(run.text, statement)),
                "" => Extent::Some,
                _ => Extent::One,
            };
            run.put(Operation::Stop, Resource::new(ResourceKind::Process, what), extent, by, span, |_| {});
        }
        Does::ReloadsServer => run.server(Operation::Alter, by, span),
        Does::Sets => {
            let name = arguments.string().map(|(text, _)| text).unwrap_or_default();
            if name.eq_ignore_ascii_case("role") || name.eq_ignore_ascii_case("session_authorization") {
                arguments.eat_punct(",");
                let role = arguments.string().map(|(text, _)| text).unwrap_or_default();
                let role = Name { text: role, span, unresolved: false };
                run.note(Operation::Escalate, ResourceKind::Role, &role, Extent::One, by);
            } else if arguments.eat_punct(",") && super::settings::turns_off(&name, arguments.peek(0)) {
                run.put(
                    Operation::Disable,
                    Resource::new(ResourceKind::Safeguard, name),
                    Extent::One,
                    by,
                    span,
                    |_| {},
                );
            }
        }
        Does::Fetches => {
            let address = arguments.next_string().map(|(text, _)| text).unwrap_or_default();
            transfer::fetch(run, &address, by, span);
        }
        Does::ReadsTableOf => {
            let name = Name { text: first().unwrap_or_default(), span, unresolved: false };
            run.note(Operation::Read, ResourceKind::Table, &name, Extent::All, by);
        }
        Does::Executes => executes(run, by, span),
        Does::RewritesLog => {
            run.put(Operation::Rewrite, Resource::new(ResourceKind::Log, by), Extent::Some, by, span, |_| {})
        }
        Does::OpensFile => {
            let mut words = Vec::new();
            while let Some((text, _)) = arguments.next_string() {
                words.push(text);
            }
            let writes =
                by != "fopen" || words.last().is_some_and(|mode| mode.to_ascii_lowercase().starts_with(['w', 'a']));
            let path = words[..words.len().min(2)].join("/");
            let operation = if writes { Operation::Update } else { Operation::Read };
            run.put(operation, transfer::server_file(&path), Extent::All, by, span, |_| {});
        }
        Does::Waits => super::settings::session(run, by, span),
        Does::LosesObject => {
            run.put(Operation::Delete, Resource::new(ResourceKind::Item, "large object"), Extent::One, by, span, |_| {})
        }
    }
}

/// How many of the sessions that a query lists are ended: all of a server, a database or a user, unless something is asked
/// of what they do or for how long.
fn stopped(mut cursor: Cursor<'_>) -> Extent {
    let Some(at) = cursor.find_flat(&["WHERE"]) else {
        return if cursor.has("FROM") { Extent::All } else { Extent::Some };
    };
    cursor.at = at + 1;
    let column = |token: &Token| {
        token.kind == Kind::Word
            && [
                "state_change",
                "query",
                "query_start",
                "xact_start",
                "backend_start",
                "wait_event",
                "leader_pid",
                "query_id",
            ]
            .iter()
            .any(|name| cursor.text[token.start..token.end].eq_ignore_ascii_case(name))
    };
    let own = |at: usize| {
        let cursor = Cursor { at, ..cursor };
        cursor.sees("pid") && cursor.peek(1) == "="
    };
    if cursor.rest().iter().any(column) || (cursor.at..cursor.tokens.len()).any(own) || cursor.has("IN") {
        Extent::Some
    } else {
        Extent::All
    }
}

fn executes(run: &mut Run<'_, '_, '_>, by: &str, span: Option<Span>) {
    run.put(Operation::Execute, Resource::new(ResourceKind::Code, ""), Extent::One, by, span, |effect| {
        effect.code = Some(CodeOrigin::Dynamic);
    });
    control::dynamic(run, span, Hides::Anything);
}

/// `dblink('host=x', 'DELETE …')`, `OPENQUERY(server, 'SELECT …')`: the code is the last literal that looks like a statement.
fn runs_sql(run: &mut Run<'_, '_, '_>, by: &str, mut arguments: Cursor<'_>, span: Option<Span>) {
    let mut literals = Vec::new();
    let mut glued = false;
    while !arguments.ended() {
        match arguments.string() {
            Some(found) => literals.push(found),
            None => {
                glued |= matches!(arguments.peek(0), "||" | "+");
                arguments.at += 1;
            }
        }
    }
    let is_code = |text: &str| {
        let first = text.trim_start().split([' ', '\n', '\t', '(']).next().unwrap_or_default().to_ascii_uppercase();
        matches!(
            first.as_str(),
            "SELECT"
                | "INSERT"
                | "UPDATE"
                | "DELETE"
                | "MERGE"
                | "DROP"
                | "CREATE"
                | "ALTER"
                | "TRUNCATE"
                | "GRANT"
                | "REVOKE"
                | "WITH"
                | "EXEC"
                | "EXECUTE"
                | "CALL"
                | "COPY"
                | "BEGIN"
                | "SET"
                | "DO"
                | "VALUES"
                | "SHOW"
                | "KILL"
                | "SHUTDOWN"
                | "BACKUP"
        )
    };
    let connection = literals.first().filter(|(text, _)| !is_code(text)).map(|(text, _)| text.clone());
    let place = connection.as_deref().and_then(host_of).map(|name| Place { kind: PlaceKind::Host, name });
    if by.starts_with("dblink") || by.starts_with("open") {
        let peer = place.as_ref().map_or_else(String::new, |place| place.name.clone());
        run.put(Operation::Connect, Resource::new(ResourceKind::Server, peer), Extent::One, by, span, |_| {});
    }
    match literals.iter().rfind(|(text, _)| is_code(text)) {
        Some((code, at)) if !glued => {
            run.nested_sql(code, *at, place);
            // What runs elsewhere commits by itself.
            if run.transaction.is_some() {
                run.transaction = Some(run.scene.mark());
            }
        }
        _ if by == "openrowset" && arguments_of_bulk(run, span) => {
            let path = connection.unwrap_or_default();
            transfer::reads_file(run, &path, by, span);
        }
        _ if by == "openrowset" || by == "opendatasource" => {
            transfer::fetch(run, connection.as_deref().unwrap_or_default(), by, span);
        }
        _ => executes(run, by, span),
    }
}

/// `OPENROWSET(BULK 'file', …)` reads a file of the server's.
fn arguments_of_bulk(run: &Run<'_, '_, '_>, span: Option<Span>) -> bool {
    let words = span.and_then(|span| run.text.get(span.start..span.end)).unwrap_or_default();
    let inner = words.split_once('(').map_or("", |(_, inner)| inner.trim_start());
    inner.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("BULK "))
}

/// `host=x dbname=y`, `postgres://user@x/y`
fn host_of(connection: &str) -> Option<String> {
    let host = match connection.split_once("host=") {
        Some((_, host)) => host.split([' ', ';']).next()?,
        None => connection.split_once("://")?.1.rsplit('@').next()?.split(['/', ':']).next()?,
    };
    (!host.is_empty()).then(|| host.trim_matches('\'').to_owned())
}

#[cfg(test)]
mod tests {
    use crate::classify::sql::tests::check;

    #[test]
    fn functions_that_do_more_than_compute_are_found() {
        check("postgres", "SELECT pg_read_file('/etc/shadow')", "read File /etc/shadow (all, system, credential)");
        check("postgres", "SELECT 'pg_read_file(1)'", "");
        check(
            "postgres",
            "SELECT dblink_exec('host=other', 'DROP TABLE logs')",
            "connect Server other (one)\ndrop Table logs (all, host other)",
        );
        check(
            "postgres",
            "SELECT dblink('c', 'DROP TABLE ' || t)",
            "connect Server (one)\nexecute Code (one, dynamic code)\ngap dynamic-code: code put together at run time",
        );
        check("postgres", "SELECT pg_terminate_backend(4711)", "stop Process 4711 (one)");
        check(
            "duckdb",
            "SELECT * FROM read_csv('https://example.com/u.csv')",
            "fetch Endpoint https://example.com/u.csv (one, external https://example.com/u.csv)",
        );
        check(
            "mysql",
            "SELECT load_file(concat('/etc', '/x'))",
            "read File (unknown, unresolved)\ngap unresolved-variable: load_file",
        );
    }
}
