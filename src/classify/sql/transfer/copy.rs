//! COPY: rows between a table and a file, a program or the client; COPY INTO between a table and a stage.

use crate::classify::command::Stream;
use crate::classify::sql::cursor::Cursor;
use crate::classify::sql::lexer::Kind;
use crate::classify::sql::{Run, statement};
use crate::model::{CodeOrigin, Extent, Operation, Resource, ResourceKind, Span, Zone};

use super::{export, fetch, read_since, reads_file, target, writes_file, zone_of};

/// COPY of Postgres and Redshift, and COPY INTO.
pub(super) fn copy(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    let span = cursor.span();
    if cursor.eat("INTO") {
        return copy_into(run, cursor);
    }
    cursor.eat("BINARY");
    let mark = run.scene.mark();
    let (resource, extent) = if cursor.sees_punct("(") {
        let inner = cursor.brackets().unwrap_or_default();
        statement::run(run, inner);
        read_since(run, mark)
    } else {
        let Some(name) = cursor.name() else { return false };
        (run.resource(ResourceKind::Table, &name), Extent::All)
    };
    cursor.brackets();
    let out = cursor.sees("TO");
    if !cursor.eat_any(&["TO", "FROM"]) {
        return false;
    }
    let by_client = cursor.text[cursor.tokens[0].start..].starts_with('\\');
    if cursor.eat("PROGRAM") {
        let (code, at) = cursor.string().unwrap_or_else(|| (String::new(), span.unwrap_or(Span::new(0, 0))));
        let carries = if out { vec![resource.clone()] } else { Vec::new() };
        let stdin = Stream { connected: out, carries, ..Stream::default() };
        if out {
            let peer = code.clone();
            run.put(Operation::Export, resource, extent, "COPY TO PROGRAM", span, |effect| {
                effect.zone = Some(if reaches_out(&peer) { Zone::External } else { Zone::Unknown });
                effect.peer = Some(peer);
            });
        } else {
            run.put(Operation::Update, resource, Extent::Some, "COPY FROM PROGRAM", span, |_| {});
        }
        // psql's `\copy` runs it where the client is, and all of it can be read.
        if by_client {
            run.scene.run_piped(&code, Err(Some(at)), stdin);
            return true;
        }
        run.put(
            Operation::Execute,
            Resource::new(ResourceKind::Code, code.clone()),
            Extent::One,
            "COPY PROGRAM",
            Some(at),
            |effect| {
                effect.code = Some(CodeOrigin::Local);
            },
        );
        run.shell_reading(&code, at, stdin);
        return true;
    }
    if cursor.eat_any(&["STDOUT", "STDIN", "PSTDOUT", "PSTDIN"]) {
        if out && run.scene.mark() == mark {
            run.put(Operation::Read, resource, extent, "COPY", span, |_| {});
        } else if !out {
            run.put(Operation::Update, resource, Extent::Some, "COPY", span, |_| {});
        }
        return true;
    }
    let shaped = cursor.token().is_some_and(|token| {
        matches!(token.kind, Kind::Text | Kind::Param) || cursor.text[token.start..].starts_with('@')
    });
    let at = cursor.at;
    let place = match cursor.token() {
        _ if shaped => target(&mut cursor),
        // psql takes a path without quotes.
        Some(token) if by_client => {
            let rest = &cursor.text[token.start..];
            rest.split_ascii_whitespace().next().unwrap_or_default().trim_end_matches(';').to_owned()
        }
        _ => return false,
    };
    if out {
        if zone_of(&place) == Zone::Local {
            writes_file(run, &place, "COPY TO", span);
        }
        export(run, resource, extent, "COPY TO", span, zone_of(&place), place);
    } else {
        run.put(Operation::Update, resource, Extent::Some, "COPY FROM", span, |_| {});
        reads_file(run, &place, "COPY FROM", cursor.span_from(at));
    }
    true
}

/// Snowflake and Databricks: into a table it loads, into a stage or an address it unloads.
fn copy_into(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    let span = cursor.span();
    let to_place =
        cursor.token().is_some_and(|token| token.kind == Kind::Text || cursor.text[token.start..].starts_with('@'));
    if to_place {
        let place = target(&mut cursor);
        let mark = run.scene.mark();
        let (mut resource, mut extent) = (Resource::new(ResourceKind::Table, ""), Extent::All);
        if cursor.eat("FROM") {
            if let Some(inner) = cursor.brackets() {
                statement::run(run, inner);
                (resource, extent) = read_since(run, mark);
            } else if let Some(name) = cursor.name() {
                resource = run.resource(ResourceKind::Table, &name);
            }
        }
        export(run, resource, extent, "COPY INTO", span, zone_of(&place), place);
        return true;
    }
    let Some(name) = cursor.name() else { return false };
    cursor.brackets();
    if !cursor.eat("FROM") {
        return false;
    }
    run.note(Operation::Update, ResourceKind::Table, &name, Extent::Some, "COPY INTO");
    let at = cursor.at;
    if cursor.sees_punct("(") {
        cursor.at += 1;
        if let Some(from) = cursor.find("FROM") {
            cursor.at = from + 1;
        }
    }
    let place = target(&mut cursor);
    if place.contains("://") {
        fetch(run, &place, "COPY INTO", cursor.span_from(at));
    } else {
        run.put(
            Operation::Read,
            Resource::new(ResourceKind::Bucket, place),
            Extent::Some,
            "COPY INTO",
            cursor.span_from(at),
            |_| {},
        );
    }
    true
}

fn reaches_out(code: &str) -> bool {
    ["http://", "https://", "curl ", "wget ", "nc ", "ssh ", "scp ", "/dev/tcp", "ftp"]
        .iter()
        .any(|sign| code.contains(sign))
}
