//! ALTER: what a change of structure loses, hands out or turns off.

use crate::model::{Extent, Operation, Resource, ResourceKind, Reversibility, Zone};

use super::cursor::{Cursor, Name};
use super::lexer::Kind;
use super::schema::{conditional, is_prose, kind_of};
use super::{Run, access, kinds, settings};

pub(super) fn alter(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    if cursor.eat("SYSTEM") {
        return settings::alter_system(run, cursor);
    }
    if cursor.eat("SESSION") {
        return settings::set(run, cursor, "ALTER SESSION");
    }
    if cursor.eat("DEFAULT PRIVILEGES") {
        return access::default_privileges(run, cursor);
    }

    if cursor.eat("AUTHORIZATION") {
        // T-SQL: a new owner.
        let span = cursor.span();
        let Some(at) = cursor.find("TO") else { return false };
        let owner = Cursor { at: at + 1, ..cursor }.account().unwrap_or_default();
        access::grants(
            run,
            &Name { text: format!("ownership to {}", owner.text), ..owner },
            "ALTER AUTHORIZATION",
            span,
        );
        return true;
    }
    let Some(named) = kinds::read(&mut cursor) else { return false };
    conditional(&mut cursor);
    let by = format!("ALTER {}", named.words);
    if matches!(named.kind, ResourceKind::Role) {
        return access::alter_role(run, cursor, &by);
    }
    if named.kind == ResourceKind::Account {
        return settings::alter_account(run, cursor);
    }
    let everything = named.kind == ResourceKind::Table && cursor.eat("ALL IN TABLESPACE");
    let nameless = named.words == "DATABASE"
        && [
            "SET",
            "FLASHBACK",
            "NOARCHIVELOG",
            "ARCHIVELOG",
            "CLOSE",
            "DISMOUNT",
            "OPEN",
            "MOUNT",
            "DATAFILE",
            "DROP",
            "NO",
        ]
        .iter()
        .any(|word| cursor.sees(word) && cursor.rest().len() > usize::from(*word == "FLASHBACK"));
    let name = match cursor.token().filter(|_| !nameless) {
        Some(_) => cursor.name().unwrap_or_default(),
        None => Name::default(),
    };
    if name.text.is_empty() && !matches!(named.kind, ResourceKind::Key | ResourceKind::Database) {
        return false;
    }
    cursor.brackets();
    if everything {
        let resource =
            run.resource(ResourceKind::Table, &Name { text: format!("all in tablespace {}", name.text), ..name });
        run.put(Operation::Alter, resource, Extent::All, &by, cursor.span(), |_| {});
        return true;
    }
    if named.kind == ResourceKind::Table || named.kind == ResourceKind::View && cursor.has("COLUMN") {
        settings::of_object(run, cursor, &name, &by);
        return alter_table(run, cursor, &name, &by);
    }
    if named.kind == ResourceKind::Table || cursor.ended() {
        return !name.text.is_empty() && cursor.ended() && named.kind != ResourceKind::Table;
    }
    if is_prose(cursor) && cursor.rest().len() >= 6 {
        return false;
    }
    let span = cursor.span().filter(|span| span.end - span.start < 200).or(name.span);
    let off = cursor.has("STATE = OFF") || has_state_off(cursor);
    let trigger = matches!(named.words, "TRIGGER" | "EVENT TRIGGER") && cursor.sees("DISABLE");
    let operation = if trigger || named.kind == ResourceKind::Safeguard && (off || cursor.has("DISABLE")) {
        Operation::Disable
    } else if named.words == "WAREHOUSE" && cursor.has("SUSPEND") {
        Operation::Stop
    } else if named.words == "SHARE" && cursor.has("ADD") {
        Operation::Export
    } else {
        Operation::Alter
    };
    let kind = if trigger { ResourceKind::Safeguard } else { kind_of(run.dialect, &named) };
    let mut resource = run.resource(kind, &name);
    resource.unresolved = name.unresolved;
    let forced = cursor.has("ROLLBACK IMMEDIATE");
    run.put(operation, resource, Extent::One, &by, span, |effect| {
        effect.guard_off = forced;
        if operation == Operation::Export {
            effect.zone = Some(Zone::External);
        }
    });
    settings::of_object(run, cursor, &name, &by);
    if named.kind == ResourceKind::Database
        && ["SINGLE_USER", "OFFLINE", "CLOSE", "DISMOUNT"].iter().any(|word| cursor.has(word))
    {
        run.note(Operation::Stop, ResourceKind::Database, &name, Extent::All, &by);
    }
    if named.words == "DATABASE" {
        database_guards(run, cursor, &name, &by);
    }
    if cursor.has("OWNER TO") {
        new_owner(run, cursor, &by);
    }
    if cursor.has("SECURITY DEFINER") {
        access::grants(run, &Name { text: format!("rights of the owner of {}", name.text), ..name }, &by, span);
    }
    true
}

fn has_state_off(cursor: Cursor<'_>) -> bool {
    cursor.find("STATE").is_some_and(|at| {
        let state = Cursor { at: at + 1, ..cursor };
        state.peek(0) == "=" && state.peek(1).eq_ignore_ascii_case("OFF")
    })
}

/// Settings of a database that keep it recoverable or its log.
fn database_guards(run: &mut Run<'_, '_, '_>, cursor: Cursor<'_>, name: &Name, by: &str) {
    for (words, guard) in [
        ("RECOVERY SIMPLE", "log backups"),
        ("NOARCHIVELOG", "archive log"),
        ("FLASHBACK OFF", "flashback"),
        ("ENCRYPTION OFF", "encryption"),
        ("PAGE_VERIFY NONE", "page verification"),
        ("TRUSTWORTHY ON", "trustworthy"),
    ] {
        if cursor.has(words) {
            let guard =
                Name { text: format!("{guard} of {}", name.text), span: name.span, unresolved: name.unresolved };
            run.note(Operation::Disable, ResourceKind::Safeguard, &guard, Extent::One, by);
        }
    }
}

fn new_owner(run: &mut Run<'_, '_, '_>, cursor: Cursor<'_>, by: &str) {
    if let Some(at) = cursor.find("OWNER TO") {
        let mut owner = Cursor { at: at + 2, ..cursor };
        if let Some(name) = owner.account() {
            let span = name.span;
            access::grants(run, &Name { text: format!("ownership to {}", name.text), ..name }, by, span);
        }
    }
}

/// The actions of an ALTER TABLE, one by one.
fn alter_table(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, table: &Name, by: &str) -> bool {
    if cursor.eat("ON CLUSTER") {
        cursor.name();
    }
    if cursor.ended() || is_prose(cursor) && cursor.rest().len() > 12 {
        return false;
    }
    let (mut plain, mut dropping) = (false, false);
    let renamed = cursor.sees("RENAME TO") && next_comma(cursor) >= cursor.tokens.len();
    loop {
        let start = cursor.at;
        let end = next_comma(cursor);
        let action = Cursor { tokens: &cursor.tokens[..end], ..cursor };
        // `DROP COLUMN a, b` and `DROP COLUMN a, COLUMN b`
        if dropping && (action.rest().len() == 1 || action.sees("COLUMN")) {
            plain |= !drop_columns(run, action, table);
        } else {
            dropping = action.sees("DROP COLUMN");
            plain |= !alter_action(run, action, table, by);
        }
        if end >= cursor.tokens.len() {
            break;
        }
        cursor.at = end + 1;
        if cursor.at <= start {
            break;
        }
    }
    if plain {
        let resource = run.resource(ResourceKind::Table, table);
        run.put(Operation::Alter, resource, Extent::One, by, table.span, |effect| {
            // Nothing is lost by another name, and the old one can be given back.
            if renamed {
                effect.reversible = Reversibility::Yes;
            }
        });
    }
    true
}

fn next_comma(cursor: Cursor<'_>) -> usize {
    let mut depth = 0usize;
    for at in cursor.at..cursor.tokens.len() {
        let token = cursor.tokens[at];
        if token.kind == Kind::Punct {
            match &cursor.text[token.start..token.end] {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                "," if depth == 0 => return at,
                _ => {}
            }
        }
    }
    cursor.tokens.len()
}

/// One action; `false` when it merely changes the table's structure.
fn alter_action(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, table: &Name, by: &str) -> bool {
    let start = cursor.at;
    // Rows that are older go from now on, those that are there already among them.
    if cursor.sees("MODIFY TTL")
        && !["TO VOLUME", "TO DISK", "RECOMPRESS", "GROUP BY"].iter().any(|kept| cursor.has(kept))
    {
        let extent = if cursor.has("WHERE") { Extent::Some } else { Extent::All };
        let resource = run.resource(ResourceKind::Table, table);
        run.put(Operation::Delete, resource, extent, "MODIFY TTL", table.span, |_| {});
        return true;
    }
    if cursor.eat("WITH") {
        cursor.eat_any(&["CHECK", "NOCHECK"]);
    }
    if cursor.sees("DELETE WHERE") || cursor.sees("DELETE IN") || cursor.sees("UPDATE") && cursor.has("WHERE") {
        // ClickHouse changes rows this way.
        let operation = if cursor.sees("DELETE") { Operation::Delete } else { Operation::Update };
        let condition = cursor.find("WHERE").and_then(|at| super::parse::condition(run, cursor.tokens.get(at + 1..)?));
        let reached = super::predicate::reach(run, condition.as_ref(), &table.text);
        let extent = if condition.is_none() { Extent::Some } else { reached.extent };
        let resource = run.resource(ResourceKind::Table, table);
        let by = format!("ALTER TABLE … {}", cursor.keyword());
        run.put(operation, resource, extent, &by, cursor.span_from(start), |_| {});
        return true;
    }
    if cursor.eat("SET UNUSED") {
        cursor.eat("COLUMN");
        return drop_columns(run, cursor, table);
    }
    if cursor.eat("DROP") {
        if ["IF EXISTS PARTITION", "IF EXISTS PART"].iter().any(|words| cursor.sees(words)) {
            conditional(&mut cursor);
        }
        if cursor.eat("DETACHED") || cursor.sees("PARTITION") || cursor.sees("PARTITIONS") || cursor.sees("PART") {
            return partition(run, cursor, table, "ALTER TABLE … DROP PARTITION");
        }
        if cursor.eat_any(&[
            "CONSTRAINT",
            "PRIMARY KEY",
            "FOREIGN KEY",
            "CHECK",
            "DEFAULT",
            "PERIOD",
            "PROJECTION",
            "STATISTICS",
        ]) {
            return false;
        }
        if cursor.eat_any(&["INDEX", "KEY"]) {
            conditional(&mut cursor);
            if let Some(name) = cursor.name() {
                run.note(Operation::Drop, ResourceKind::Index, &name, Extent::All, "ALTER TABLE … DROP INDEX");
            }
            return true;
        }
        if cursor.eat_any(&["ROW ACCESS POLICY", "ALL ROW ACCESS POLICIES", "MASKING POLICY"]) {
            run.note(
                Operation::Disable,
                ResourceKind::Safeguard,
                &row_guard("row access policy", table),
                Extent::One,
                by,
            );
            return true;
        }
        return drop_columns(run, cursor, table);
    }
    if cursor.eat("TRUNCATE") {
        return partition(run, cursor, table, "ALTER TABLE … TRUNCATE PARTITION");
    }
    if cursor.eat("SWAP WITH") || cursor.eat("EXCHANGE") {
        let resource = run.resource(ResourceKind::Table, table);
        run.put(Operation::Update, resource, Extent::All, by, cursor.span_from(start), |_| {});
        return true;
    }
    if cursor.eat("SWITCH") {
        let resource = run.resource(ResourceKind::Table, table);
        let span = cursor.span_from(start);
        let partial = cursor.sees("PARTITION");
        run.put(
            Operation::Delete,
            resource,
            if partial { Extent::Some } else { Extent::All },
            "ALTER TABLE … SWITCH",
            span,
            |_| {},
        );
        return true;
    }
    if cursor.eat("DISCARD") {
        let resource = run.resource(ResourceKind::Table, table);
        run.put(
            Operation::Delete,
            resource,
            Extent::All,
            "ALTER TABLE … DISCARD TABLESPACE",
            cursor.span_from(start),
            |_| {},
        );
        return true;
    }
    let guard = if cursor.sees("DISABLE ROW LEVEL SECURITY") || cursor.sees("NO FORCE ROW LEVEL SECURITY") {
        "row level security"
    } else if cursor.sees("DISABLE TRIGGER") || cursor.sees("DISABLE ALL TRIGGERS") {
        "triggers"
    } else if cursor.sees("DISABLE RULE") {
        "rules"
    } else if cursor.sees("NOCHECK CONSTRAINT") || cursor.sees("DISABLE CONSTRAINT") {
        "constraints"
    } else if cursor.sees("SET") && cursor.has("SYSTEM_VERSIONING") && cursor.has("OFF") {
        "history"
    } else if cursor.sees("NOCHECK") {
        "constraints"
    } else {
        ""
    };
    if !guard.is_empty() {
        cursor.at += 3;
        let resource = Resource {
            unresolved: table.unresolved,
            ..Resource::new(ResourceKind::Safeguard, row_guard(guard, table).text)
        };
        run.put(Operation::Disable, resource, Extent::All, by, cursor.span_from(start), |_| {});
        return true;
    }
    if cursor.sees("OWNER TO") {
        new_owner(run, cursor, by);
    }
    false
}

/// The columns behind a DROP.
fn drop_columns(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, table: &Name) -> bool {
    let start =
        cursor.at.saturating_sub(usize::from(cursor.at > 0 && (Cursor { at: cursor.at - 1, ..cursor }).sees("DROP")));
    cursor.eat_any(&["COLUMNS", "COLUMN", "UNUSED COLUMNS"]);
    conditional(&mut cursor);
    let bracket = cursor.eat_punct("(");
    let mut any = false;
    while let Some(column) = cursor.name() {
        let name = Name {
            text: format!("{}.{}", table.text, column.text),
            unresolved: table.unresolved || column.unresolved,
            ..column
        };
        let cascades = cursor.has("CASCADE");
        let resource = run.resource(ResourceKind::Column, &name);
        let span = cursor.span_from(start);
        run.put(Operation::Drop, resource, Extent::All, "ALTER TABLE … DROP COLUMN", span, |effect| {
            effect.cascades = cascades
        });
        any = true;
        if !bracket || !cursor.eat_punct(",") {
            break;
        }
    }
    any
}

fn row_guard(guard: &str, table: &Name) -> Name {
    Name { text: format!("{guard} of {}", table.text), ..table.clone() }
}

fn partition(run: &mut Run<'_, '_, '_>, cursor: Cursor<'_>, table: &Name, by: &str) -> bool {
    let resource = run.resource(ResourceKind::Table, table);
    let extent = if cursor.has("ALL") { Extent::All } else { Extent::Some };
    run.put(Operation::Delete, resource, extent, by, cursor.span(), |_| {});
    true
}

/// T-SQL's `DISABLE TRIGGER tr ON t`.
pub(super) fn switch(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, verb: &str) -> bool {
    if !cursor.eat("TRIGGER") {
        return false;
    }
    let names = cursor.names();
    cursor.eat("ON");
    let table = cursor.name().unwrap_or_default();
    for name in &names {
        let name = Name { text: format!("trigger {} of {}", name.text, table.text), ..name.clone() };
        let (operation, by) = if verb == "DISABLE" {
            (Operation::Disable, "DISABLE TRIGGER")
        } else {
            (Operation::Alter, "ENABLE TRIGGER")
        };
        run.note(operation, ResourceKind::Safeguard, &name, Extent::One, by);
    }
    !names.is_empty()
}
