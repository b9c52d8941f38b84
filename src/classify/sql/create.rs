//! CREATE: new things, and what they are made from.

use crate::model::{Extent, Operation, ResourceKind, Zone};

use super::cursor::{Cursor, Name};
use super::schema::{conditional, is_prose, kind_of};
use super::{Run, access, kinds, routine, statement, transfer};

pub(super) fn create(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    let Some(mut named) = kinds::read(&mut cursor) else { return false };
    conditional(&mut cursor);
    if named.words == "USER MAPPING" {
        cursor.eat("FOR");
    }
    let unnamed_index = named.kind == ResourceKind::Index && cursor.sees("ON");
    let name = match named.kind {
        _ if unnamed_index => Name::default(),
        ResourceKind::Role => cursor.account().unwrap_or_default(),
        _ => cursor.name().unwrap_or_default(),
    };
    if name.text.is_empty()
        && !unnamed_index
        && !matches!(named.kind, ResourceKind::Key | ResourceKind::Item | ResourceKind::Secret)
    {
        return false;
    }
    if is_prose(cursor)
        && named.kind == ResourceKind::Table
        && !cursor.sees("AS")
        && !cursor.sees("LIKE")
        && !cursor.sees("CLONE")
        && !cursor.sees("PARTITION")
    {
        return false;
    }
    named.temporary |= name.text.starts_with('#');
    if named.temporary {
        run.made_temporary(&name.text);
    }
    let by = format!("CREATE {}", named.words);
    let kind = kind_of(run.dialect, &named);
    let head = cursor.span_from(0);
    if named.replaces && matches!(kind, ResourceKind::Table | ResourceKind::Schema | ResourceKind::Database) {
        let resource = run.resource(kind, &name);
        run.put(Operation::Drop, resource, Extent::All, &format!("CREATE OR REPLACE {}", named.words), head, |_| {});
    }
    let mut resource = run.resource(kind, &name);
    resource.unresolved = name.unresolved;
    run.put(Operation::Create, resource, Extent::One, &by, head, |_| {});
    match named.kind {
        ResourceKind::Role => access::new_role(run, cursor, &name, &by),
        ResourceKind::Routine => routine::created(run, cursor, &named, &name),
        ResourceKind::Table | ResourceKind::View => {
            created_from(run, cursor, named.kind == ResourceKind::Table);
        }
        _ => {}
    }
    let peer = || Cursor { ..cursor }.next_string().map_or_else(String::new, |(peer, _)| peer);
    match named.words {
        "SUBSCRIPTION" => transfer::fetch(run, &peer(), &by, head),
        "PUBLICATION" | "SHARE" => {
            let tables = if cursor.has("FOR ALL TABLES") { Extent::All } else { Extent::Some };
            let resource = run.resource(ResourceKind::Item, &name);
            transfer::export(run, resource, tables, &by, head, Zone::Unknown, String::new());
        }
        "EXTENSION"
            if ["plpython3u", "plpythonu", "plperlu", "pltclu", "plsh"]
                .iter()
                .any(|untrusted| name.text.eq_ignore_ascii_case(untrusted)) =>
        {
            access::grants(run, &Name { text: format!("language {}", name.text), ..name.clone() }, &by, head);
        }
        "FUNCTION" | "AGGREGATE FUNCTION" => {
            if let Some(at) = cursor.find("SONAME") {
                let mut library = Cursor { at: at + 1, ..cursor };
                let file = library.string().map_or_else(String::new, |(file, _)| file);
                routine::loads_library(run, &file, "CREATE FUNCTION … SONAME", head);
            }
        }
        _ => {}
    }
    true
}

/// `CREATE TABLE x AS SELECT …`, `CREATE EXTERNAL TABLE … LOCATION 's3://…'`.
fn created_from(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, runs: bool) {
    if !runs {
        return;
    }
    let inner = ["AS SELECT", "AS WITH", "AS TABLE", "AS VALUES", "AS EXECUTE", "AS FROM"]
        .iter()
        .filter_map(|words| cursor.find(words))
        .min();
    let bracketed = || {
        (cursor.at..cursor.tokens.len()).find(|at| {
            let here = Cursor { at: *at, ..cursor };
            here.sees("AS")
                && here.peek(1) == "("
                && (here.peek(2).eq_ignore_ascii_case("SELECT")
                    || here.peek(2).eq_ignore_ascii_case("WITH")
                    || here.peek(2) == "(")
        })
    };
    if let Some(at) = inner.or_else(bracketed) {
        statement::run(run, &cursor.tokens[at + 1..]);
        return;
    }
    if cursor.eat_any(&["LIKE", "CLONE", "COPY"])
        && let Some(name) = cursor.name()
    {
        run.note(Operation::Read, ResourceKind::Table, &name, Extent::All, "CREATE TABLE");
    } else if let Some(at) = cursor.find_flat(&["SELECT", "WITH"])
        && (Cursor { at, ..cursor }).sees("SELECT")
    {
        // MySQL and T-SQL need no AS.
        statement::run(run, &cursor.tokens[at..]);
    }
}
