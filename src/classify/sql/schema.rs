//! CREATE, ALTER, DROP, TRUNCATE and the rest that changes structure or upkeep.

use crate::model::{Area, Effect, Extent, Operation, Resource, ResourceKind, Reversibility, Zone};

use super::cursor::{Cursor, Name};
use super::dialect::Dialect;
use super::kinds::{self, Named};
use super::lexer::Kind;
use super::{Run, access, routine, statement, transfer};

/// Reads a command about structure; `false` when it makes no sense.
pub(super) fn run(run: &mut Run<'_, '_, '_>, here: Cursor<'_>, verb: &str) -> bool {
    let mut cursor = here;
    cursor.at = 1;
    if !run.dialect.transactional_schema() && matches!(verb, "CREATE" | "ALTER" | "DROP" | "TRUNCATE" | "RENAME") {
        // MySQL, Oracle and others commit before they change structure.
        if run.transaction.is_some() {
            run.transaction = Some(run.scene.mark());
        }
        let mark = run.scene.mark();
        let known = read(run, cursor, verb);
        if run.transaction.is_some() && run.dialect != Dialect::Unknown {
            run.transaction = Some(run.scene.mark().max(mark));
        }
        return known;
    }
    read(run, cursor, verb)
}

fn read(run: &mut Run<'_, '_, '_>, cursor: Cursor<'_>, verb: &str) -> bool {
    match verb {
        "CREATE" => create(run, cursor),
        "ALTER" => alter(run, cursor),
        "DROP" => drop(run, cursor),
        "TRUNCATE" => truncate(run, cursor),
        "DISABLE" | "ENABLE" => switch(run, cursor, verb),
        _ => upkeep(run, cursor, verb),
    }
}

/// Steps over `IF EXISTS`, `IF NOT EXISTS`, `CONCURRENTLY`.
fn conditional(cursor: &mut Cursor<'_>) {
    while cursor.eat_any(&["IF EXISTS", "IF NOT EXISTS", "CONCURRENTLY", "ONLINE", "ONLY"]) {}
}

fn drop(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    if cursor.eat("OWNED") {
        cursor.eat("BY");
        let cascades = cursor.has("CASCADE");
        for owner in cursor.accounts() {
            let name = Name { text: format!("owned by {}", owner.text), ..owner };
            let resource = run.resource(ResourceKind::Database, &name);
            let span = cursor.span_from(0);
            run.put(Operation::Drop, resource, Extent::Some, "DROP OWNED", span, |effect| effect.cascades = cascades);
        }
        return true;
    }
    if cursor.eat("PREPARE") {
        return true;
    }
    let Some(named) = kinds::read(&mut cursor) else { return false };
    conditional(&mut cursor);
    if named.words == "USER MAPPING" {
        cursor.eat("FOR");
    }
    let names = if named.kind == ResourceKind::Role { cursor.accounts() } else { cursor.names() };
    if names.is_empty() {
        if named.kind != ResourceKind::Key
            && named.words != "ALL ROW ACCESS POLICIES"
            && named.words != "DATABASE ENCRYPTION KEY"
        {
            return false;
        }
        let span = cursor.span();
        let resource = Resource::new(named.kind, "");
        let operation = if named.kind == ResourceKind::Safeguard { Operation::Disable } else { Operation::Drop };
        run.put(operation, resource, Extent::All, &format!("DROP {}", named.words), span, |_| {});
        return true;
    }
    let prose = !cursor.ended() && is_prose(cursor);
    if prose {
        return false;
    }
    let cascades =
        cursor.has("CASCADE") || matches!(named.words, "DATABASE" | "SCHEMA") && implies_cascade(run.dialect);
    let forced = cursor.has("FORCE");
    let purged = cursor.has("PURGE");
    let by = format!("DROP {}", named.words);
    let start = cursor.at;
    let span = Cursor { at: start, ..cursor }.span_from(0);
    let operation = if named.kind == ResourceKind::Safeguard { Operation::Disable } else { Operation::Drop };
    let on = on_table(cursor);
    for name in &names {
        let mut name = name.clone();
        if let Some(table) = &on
            && matches!(named.words, "TRIGGER" | "POLICY" | "RULE" | "ROW ACCESS POLICY")
        {
            name.text = format!("{} on {table}", name.text);
        }
        let mut resource = run.resource(kind_of(run.dialect, &named), &name);
        if named.temporary {
            resource.areas = resource.areas.with(Area::Ephemeral);
        }
        run.put(operation, resource, Extent::All, &by, span, |effect: &mut Effect| {
            effect.cascades = cascades;
            effect.guard_off = forced;
            if purged {
                effect.reversible = Reversibility::No;
            }
        });
    }
    true
}

/// In MySQL a schema is a database, and a table's fate is its schema's.
fn kind_of(dialect: Dialect, named: &Named) -> ResourceKind {
    match (named.words, dialect) {
        ("SCHEMA", Dialect::MySql | Dialect::Hive | Dialect::ClickHouse) => ResourceKind::Database,
        _ => named.kind,
    }
}

/// Dropping it takes everything in it along without being asked to.
fn implies_cascade(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::MySql | Dialect::Snowflake | Dialect::ClickHouse)
}

fn on_table(mut cursor: Cursor<'_>) -> Option<String> {
    let found = cursor.eat("ON");
    let name = cursor.name()?;
    (found && !matches!(name.text.as_str(), "CLUSTER" | "ALL")).then_some(name.text)
}

/// Several plain words in a row that are no options: a sentence.
fn is_prose(cursor: Cursor<'_>) -> bool {
    const OPTIONS: [&str; 26] = [
        "CASCADE",
        "RESTRICT",
        "PURGE",
        "FORCE",
        "ON",
        "WITH",
        "CONSTRAINTS",
        "SYNC",
        "CLUSTER",
        "USING",
        "NO",
        "DELAY",
        "FOR",
        "SERVER",
        "INCLUDING",
        "CONTENTS",
        "AND",
        "DATAFILES",
        "FROM",
        "STORAGE",
        "RESTART",
        "CONTINUE",
        "REUSE",
        "DROP",
        "IDENTITY",
        "ALL",
    ];
    let words = cursor.rest().iter().filter(|token| token.kind == Kind::Word);
    let strange = words
        .filter(|token| {
            let text = &cursor.text[token.start..token.end];
            !OPTIONS.iter().any(|option| text.eq_ignore_ascii_case(option))
        })
        .count();
    strange >= 2
        && cursor.rest().iter().all(|token| token.kind == Kind::Word || &cursor.text[token.start..token.end] == ".")
}

fn truncate(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    if cursor.eat("DATABASE") || cursor.eat("ALL TABLES FROM") {
        cursor.eat_any(&["IF EXISTS"]);
        let names = cursor.names();
        for name in &names {
            run.note(Operation::Delete, ResourceKind::Database, name, Extent::All, "TRUNCATE");
        }
        return !names.is_empty();
    }
    let explicit = cursor.eat("TABLE");
    conditional(&mut cursor);
    let names = cursor.names();
    if names.is_empty() || !explicit && is_prose(cursor) || explicit && is_prose(cursor) {
        return false;
    }
    let cascades = cursor.has("CASCADE");
    let partial = cursor.has("PARTITIONS") || cursor.has("PARTITION");
    let extent = if partial { Extent::Some } else { Extent::All };
    let span = cursor.span_from(0);
    for name in &names {
        let resource = run.resource(ResourceKind::Table, name);
        run.put(Operation::Delete, resource, extent, "TRUNCATE", span, |effect| effect.cascades = cascades);
    }
    true
}

fn create(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
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
        run.temporary.push(name.text.to_ascii_lowercase());
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

fn alter(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    if cursor.eat("SYSTEM") {
        return super::control::alter_system(run, cursor);
    }
    if cursor.eat("SESSION") {
        return super::control::set(run, cursor, "ALTER SESSION");
    }
    if cursor.eat("DEFAULT PRIVILEGES") {
        let Some(at) = ["GRANT", "REVOKE"].iter().filter_map(|word| cursor.find(word)).min() else { return false };
        let inner = Cursor::new(cursor.text, &cursor.tokens[at..]);
        return access::run(run, inner, &inner.keyword());
    }
    let Some(named) = kinds::read(&mut cursor) else { return false };
    conditional(&mut cursor);
    let by = format!("ALTER {}", named.words);
    if matches!(named.kind, ResourceKind::Role) {
        return access::alter_role(run, cursor, &by);
    }
    if named.kind == ResourceKind::Account {
        return super::control::alter_account(run, cursor);
    }
    let everything = named.kind == ResourceKind::Table && cursor.eat("ALL IN TABLESPACE");
    let name = match cursor.token().filter(|_| named.words != "DATABASE" || !cursor.sees("SET")) {
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
    let operation = if named.kind == ResourceKind::Safeguard && (off || cursor.has("DISABLE")) {
        Operation::Disable
    } else if named.words == "WAREHOUSE" && cursor.has("SUSPEND") {
        Operation::Stop
    } else if named.words == "SHARE" && cursor.has("ADD") {
        Operation::Export
    } else {
        Operation::Alter
    };
    let resource = run.resource(kind_of(run.dialect, &named), &name);
    let forced = cursor.has("ROLLBACK IMMEDIATE");
    run.put(operation, resource, Extent::One, &by, span, |effect| {
        effect.guard_off = forced;
        if operation == Operation::Export {
            effect.zone = Some(Zone::External);
        }
    });
    if named.kind == ResourceKind::Database && (cursor.has("SINGLE_USER") || cursor.has("OFFLINE")) {
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
    let mut plain = false;
    loop {
        let start = cursor.at;
        let end = next_comma(cursor);
        let action = Cursor { tokens: &cursor.tokens[..end], ..cursor };
        plain |= !alter_action(run, action, table, by);
        if end >= cursor.tokens.len() {
            break;
        }
        cursor.at = end + 1;
        if cursor.at <= start {
            break;
        }
    }
    if plain {
        run.note(Operation::Alter, ResourceKind::Table, table, Extent::One, by);
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
    if cursor.eat("DROP") {
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
        return any;
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
    } else if cursor.sees("DISABLE TRIGGER") {
        "triggers"
    } else if cursor.sees("DISABLE RULE") {
        "rules"
    } else if cursor.sees("NOCHECK CONSTRAINT") || cursor.sees("DISABLE CONSTRAINT") {
        "constraints"
    } else if cursor.sees("SET") && cursor.has("SYSTEM_VERSIONING") && cursor.has("OFF") {
        "history"
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
fn switch(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, verb: &str) -> bool {
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

/// Statements that keep things in order, move them or bring them back.
fn upkeep(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, verb: &str) -> bool {
    let span = cursor.span();
    match verb {
        "RENAME" => {
            if !cursor.eat("TABLE") && !cursor.sees("TABLES") {
                let Some(named) = kinds::read(&mut cursor) else { return false };
                let Some(name) = cursor.account() else { return false };
                run.note(Operation::Alter, named.kind, &name, Extent::One, "RENAME");
                return true;
            }
            let mut any = false;
            while let Some(name) = cursor.name() {
                run.note(Operation::Alter, ResourceKind::Table, &name, Extent::One, "RENAME TABLE");
                any = true;
                cursor.eat("TO");
                cursor.name();
                if !cursor.eat_punct(",") {
                    break;
                }
            }
            any
        }
        "UNDROP" | "FLASHBACK" => {
            let kind = kinds::read(&mut cursor).map_or(ResourceKind::Table, |named| named.kind);
            let Some(name) = cursor.name() else { return false };
            if verb == "UNDROP" || cursor.sees("TO BEFORE DROP") {
                run.note(Operation::Create, kind, &name, Extent::One, verb);
            } else {
                run.note(Operation::Update, kind, &name, Extent::All, verb);
            }
            true
        }
        "PURGE" => {
            if cursor.eat_any(&["BINARY LOGS", "MASTER LOGS"]) {
                let resource = Resource::new(ResourceKind::Log, "binary logs");
                run.put(Operation::Rewrite, resource, Extent::Some, "PURGE BINARY LOGS", span, |_| {});
                return true;
            }
            if cursor.eat_any(&["RECYCLEBIN", "DBA_RECYCLEBIN"]) {
                let resource = Resource::new(ResourceKind::Backup, "recycle bin");
                run.put(Operation::Delete, resource, Extent::All, "PURGE RECYCLEBIN", span, |_| {});
                return true;
            }
            let Some(named) = kinds::read(&mut cursor) else { return false };
            let Some(name) = cursor.name() else { return false };
            run.note(Operation::Drop, named.kind, &name, Extent::All, "PURGE");
            true
        }
        "COMMENT" => {
            let known = cursor.eat("ON") || cursor.eat("IF EXISTS ON");
            if cursor.eat("COLUMN") {
                let name = cursor.name().unwrap_or_default();
                run.note(Operation::Alter, ResourceKind::Column, &name, Extent::One, "COMMENT");
                return known;
            }
            let Some(named) = kinds::read(&mut cursor) else { return known && cursor.has("IS") };
            let name = cursor.name().unwrap_or_default();
            run.note(Operation::Alter, named.kind, &name, Extent::One, "COMMENT");
            known
        }
        "SECURITY" => {
            if !cursor.eat("LABEL") {
                return false;
            }
            if let Some(at) = cursor.find("ON") {
                cursor.at = at + 1;
            }
            let kind = kinds::read(&mut cursor).map_or(ResourceKind::Item, |named| named.kind);
            let name = cursor.name().unwrap_or_default();
            run.note(Operation::Alter, kind, &name, Extent::One, "SECURITY LABEL");
            true
        }
        "VACUUM" if cursor.has("INTO") => {
            let file = cursor.next_string().map_or_else(String::new, |(file, _)| file);
            transfer::export(
                run,
                Resource::new(ResourceKind::Database, ""),
                Extent::All,
                "VACUUM INTO",
                span,
                Zone::Local,
                file,
            );
            true
        }
        "INSTALL" | "UNINSTALL" => {
            let plugin = cursor.eat_any(&["PLUGIN", "COMPONENT", "SONAME"]);
            cursor.eat("FORCE");
            let Some(name) = cursor
                .string()
                .map(|(text, span)| Name { text, span: Some(span), unresolved: false })
                .or_else(|| cursor.name())
            else {
                return false;
            };
            if !plugin && !cursor.ended() && !cursor.sees("FROM") {
                return false;
            }
            if verb == "UNINSTALL" {
                run.note(Operation::Drop, ResourceKind::Package, &name, Extent::All, "UNINSTALL");
            } else if plugin {
                run.note(Operation::Create, ResourceKind::Package, &name, Extent::One, "INSTALL PLUGIN");
                let file = cursor.next_string().map_or_else(|| name.text.clone(), |(file, _)| file);
                routine::loads_library(run, &file, "INSTALL PLUGIN", span);
            } else {
                let resource = run.resource(ResourceKind::Package, &name);
                run.put(Operation::Fetch, resource, Extent::One, "INSTALL", span, |effect| {
                    effect.zone = Some(Zone::External);
                });
            }
            true
        }
        "SYSTEM" => {
            let verb = cursor.keyword();
            let stops = matches!(verb.as_str(), "SHUTDOWN" | "KILL" | "STOP");
            if cursor.eat("DROP REPLICA") || cursor.eat("DROP DATABASE REPLICA") {
                run.server(Operation::Drop, "SYSTEM DROP REPLICA", span);
            } else if stops {
                run.server(Operation::Stop, &format!("SYSTEM {verb}"), span);
            } else {
                run.server(Operation::Alter, &format!("SYSTEM {verb}"), span);
            }
            !verb.is_empty()
        }
        "CACHE" | "UNCACHE" => cursor.sees("TABLE") || cursor.sees("LAZY TABLE"),
        _ => {
            // VACUUM, ANALYZE, REINDEX, CLUSTER, OPTIMIZE, REFRESH …: mild, on a table or on all of them.
            cursor.brackets();
            while cursor.eat_any(&[
                "FULL",
                "FREEZE",
                "VERBOSE",
                "ANALYZE",
                "NO_WRITE_TO_BINLOG",
                "LOCAL",
                "EXTERNAL",
                "CONCURRENTLY",
                "SYSTEM",
            ]) {}
            let kind = kinds::read(&mut cursor).map_or(ResourceKind::Table, |named| named.kind);
            cursor.eat("CONCURRENTLY");
            let names = cursor.names();
            if is_prose(cursor) && cursor.rest().len() > 5 {
                return false;
            }
            if names.is_empty() {
                run.server(Operation::Alter, verb, span);
            }
            for name in &names {
                run.note(Operation::Alter, kind, name, Extent::One, verb);
            }
            true
        }
    }
}
