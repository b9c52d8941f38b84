//! Code in strings and in the database: DO, EXECUTE, PREPARE, CALL, the bodies of routines.

use crate::model::{CodeOrigin, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Span};

use super::cursor::{Cursor, Name};
use super::dialect::Dialect;
use super::kinds::Named;
use super::lexer::Kind;
use super::{Run, access, control, dynamic, functions, procedures, settings, statement};
use crate::classify::Language;
use crate::classify::command::Stream;

/// Reads a statement that runs or prepares code; `false` when it makes no sense.
pub(super) fn run(run: &mut Run<'_, '_, '_>, here: Cursor<'_>, verb: &str) -> bool {
    let mut cursor = here;
    cursor.at = 1;
    match verb {
        "DO" => block(run, cursor),
        "CALL" => call(run, cursor, "CALL"),
        "EXEC" | "EXECUTE" => execute(run, cursor, verb),
        "PREPARE" => prepare(run, cursor),
        "PERFORM" => {
            super::tokens::reads(run, cursor, Extent::Some);
            true
        }
        "DECLARE" => declare(run, cursor),
        // RETURN QUERY …, OPEN c FOR …
        _ => {
            if cursor.eat("QUERY") && cursor.eat("EXECUTE") {
                return execute(run, cursor, "EXECUTE");
            }
            if let Some(at) = here.find_flat(&["SELECT", "WITH", "DELETE", "UPDATE", "INSERT"]) {
                statement::run(run, &cursor.tokens[at..]);
                return true;
            }
            run.blocks > 0
                || cursor.rest().len() <= 1
                || cursor.tokens.get(2).is_some_and(|token| token.kind != Kind::Word)
        }
    }
}

/// `DO $$ … $$ LANGUAGE plpgsql`
fn block(run: &mut Run<'_, '_, '_>, cursor: Cursor<'_>) -> bool {
    let language =
        cursor.find("LANGUAGE").map_or("plpgsql", |at| Cursor { at: at + 1, ..cursor }.peek(0)).to_ascii_lowercase();
    let Some((code, span)) = (Cursor { ..cursor }).next_string() else {
        // MySQL's `DO SLEEP(1)` only evaluates.
        return cursor.rest().iter().any(|token| cursor.text[token.start..].starts_with('('));
    };
    match language.trim_matches(['\'', '"']) {
        "plpgsql" | "sql" | "" => run.nested_sql(&code, span, None),
        "plpython3u" | "plpython2u" | "plpythonu" => run.scene.run_word(Language::Python, &code, Some(span)),
        "plv8" => run.scene.run_word(Language::JavaScript, &code, Some(span)),
        "plperl" | "plperlu" => run.scene.run_word(Language::Perl, &code, Some(span)),
        "plsh" => run.shell(&code, span),
        other => {
            run.gap(GapKind::HiddenCode, Hides::Anything, Some(span), format!("code in {other}"));
            executes(run, "DO", other, CodeOrigin::Stored, Some(span));
        }
    }
    true
}

/// Notes code that runs unseen.
fn executes(run: &mut Run<'_, '_, '_>, by: &str, name: &str, origin: CodeOrigin, span: Option<Span>) {
    let kind = if origin == CodeOrigin::Stored { ResourceKind::Routine } else { ResourceKind::Code };
    run.put(Operation::Execute, Resource::new(kind, name), Extent::One, by, span, |effect| effect.code = Some(origin));
}

/// A routine that the database keeps: what it does is not in the text.
fn call(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, by: &str) -> bool {
    let Some(name) = cursor.name() else { return false };
    if calls_made(run, &name.text) {
        return true;
    }
    if !cursor.ended() && !cursor.sees_punct("(") && cursor.rest().iter().all(|token| token.kind == Kind::Word) {
        return false;
    }
    executes(run, by, &name.text, CodeOrigin::Stored, name.span);
    run.gap(GapKind::HiddenCode, Hides::Anything, name.span, format!("stored routine {}", name.text));
    true
}

fn execute(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, verb: &str) -> bool {
    let span = cursor.span();
    if cursor.eat("AS") {
        cursor.eat_any(&["LOGIN", "USER"]);
        cursor.eat_punct("=");
        let name = cursor
            .string()
            .map(|(text, span)| Name { text, span: Some(span), unresolved: false })
            .or_else(|| cursor.name());
        run.note(Operation::Escalate, ResourceKind::Role, &name.unwrap_or_default(), Extent::One, "EXECUTE AS");
        return true;
    }
    if cursor.eat("TASK") {
        return call(run, cursor, "EXECUTE TASK");
    }
    cursor.eat("IMMEDIATE");
    cursor.eat("BLOCK");
    // `EXEC @result = procedure …`
    if cursor.peek(0).starts_with('@') && cursor.peek(1) == "=" {
        cursor.at += 2;
    }
    let first = cursor.token();
    match first.map(|token| token.kind) {
        Some(Kind::Text) => return string(run, cursor, verb),
        // MySQL prepares from a variable; Postgres and Oracle run what a variable of the block holds.
        Some(Kind::Word) if run.variables.iter().any(|(name, _)| name.eq_ignore_ascii_case(cursor.peek(0))) => {
            return string(run, cursor, verb);
        }
        Some(Kind::Punct) if cursor.sees_punct("(") => {
            let inner = cursor.brackets().unwrap_or_default();
            return string(run, Cursor::new(cursor.text, inner), verb);
        }
        _ => {}
    }
    if cursor.sees("format") && cursor.peek(1) == "(" {
        return string(run, cursor, verb);
    }
    let immediate = Cursor { at: 1, ..cursor }.sees("IMMEDIATE");
    if first.is_some_and(|token| token.kind == Kind::Word)
        && (cursor.peek(1) == "||" || cursor.peek(1) == "+" || immediate || cursor.peek(0).starts_with('@'))
        || run.blocks > 0 && run.dialect != Dialect::TSql
    {
        // A variable, or a string that is glued together.
        return string(run, cursor, verb);
    }
    let Some(name) = cursor.name() else { return false };
    let plain = name.text.rsplit('.').next().unwrap_or_default().trim_start_matches('#').to_ascii_lowercase();
    match plain.as_str() {
        "xp_cmdshell" => {
            match cursor.next_string() {
                Some((code, span)) => {
                    executes(run, "xp_cmdshell", &code, CodeOrigin::Local, Some(span));
                    run.shell(&code, span);
                }
                None => {
                    executes(run, "xp_cmdshell", "", CodeOrigin::Dynamic, span);
                    control::dynamic(run, span, Hides::Anything);
                }
            }
            true
        }
        "sp_executesql" | "sp_sqlexec" | "sp_prepexec" => string(run, cursor, "sp_executesql"),
        _ if procedures::run(run, cursor, &plain, span) => true,
        _ => {
            if procedures::is_prose(cursor) {
                return false;
            }
            if verb == "EXECUTE" && run.prepared.iter().any(|prepared| prepared.eq_ignore_ascii_case(&name.text)) {
                return true;
            }
            executes(run, verb, &name.text, CodeOrigin::Stored, name.span);
            run.gap(GapKind::HiddenCode, Hides::Anything, name.span, format!("stored or prepared code {}", name.text));
            true
        }
    }
}

/// Code given as a string: read as far as it is known.
fn string(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>, by: &str) -> bool {
    let span = cursor.span_from(0).or(cursor.span());
    // `@stmt = N'…'`
    if cursor.peek(0).starts_with('@') && cursor.peek(1) == "=" {
        cursor.at += 2;
    }
    match dynamic::expression(run, &mut cursor) {
        Some(built) => dynamic::runs(run, &built, by, span),
        None => {
            executes(run, by, "", CodeOrigin::Dynamic, span);
            control::dynamic(run, span, Hides::Anything);
        }
    }
    true
}

fn prepare(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    if cursor.eat("TRANSACTION") {
        run.transaction = None;
        settings::session(run, "PREPARE TRANSACTION", cursor.span());
        return true;
    }
    let Some(name) = cursor.name() else { return false };
    cursor.brackets();
    if run.prepared.len() < 64 {
        run.prepared.push(name.text);
    }
    if cursor.eat("AS") {
        // The EXECUTE may come in another text and cannot be tied to this: what it will do is said here.
        statement::run(run, cursor.rest());
        return true;
    }
    if cursor.eat("FROM") {
        return string(run, cursor, "PREPARE");
    }
    false
}

/// Cursors, variables and handlers.
fn declare(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) -> bool {
    if cursor.eat_any(&["CONTINUE HANDLER FOR", "EXIT HANDLER FOR", "UNDO HANDLER FOR"]) {
        if let Some(at) = cursor.find_flat(&["DELETE", "UPDATE", "INSERT", "DROP", "TRUNCATE", "ROLLBACK"]) {
            statement::run(run, &cursor.tokens[at..]);
        }
        return true;
    }
    if cursor.name().is_none() {
        return false;
    }
    if cursor.has("CURSOR") {
        if let Some(at) = cursor.find("FOR").or_else(|| cursor.find("IS")) {
            statement::run(run, &cursor.tokens[at + 1..]);
        }
        return true;
    }
    let shaped = ["DEFAULT", "CONSTANT", "NOT", "CONDITION", "PRECISION", "VARYING", "WITH", "SCROLL", "UNSIGNED"];
    if cursor.rest().len() >= 3
        && !shaped.iter().any(|word| cursor.has(word))
        && cursor.rest().iter().all(|token| token.kind == Kind::Word)
    {
        return false;
    }
    functions::run(run, cursor.rest());
    run.declares = run.dialect != Dialect::TSql;
    true
}

/// Languages whose routines can do whatever the server's account can.
const UNTRUSTED: &[&str] =
    &["plpython3u", "plpython2u", "plpythonu", "plperlu", "pltclu", "plsh", "c", "plr", "pljavau"];

/// A routine was made: its body does nothing yet, but may be able to do anything.
pub(super) fn created(run: &mut Run<'_, '_, '_>, cursor: Cursor<'_>, named: &Named, name: &Name) {
    let by = format!("CREATE {}", named.words);
    if let Some(at) = cursor.find("LANGUAGE") {
        let language = Cursor { at: at + 1, ..cursor }.peek(0).trim_matches(['\'', '"']).to_ascii_lowercase();
        remember(run, cursor, name, &language);
        if UNTRUSTED.contains(&language.as_str()) && run.dialect != Dialect::Oracle {
            let granted = Name { text: format!("language {language} to {}", name.text), ..name.clone() };
            access::grants(run, &granted, &by, name.span);
            if language == "c" {
                let file = Cursor { ..cursor }.next_string().map(|(file, _)| file).unwrap_or_default();
                loads_library(run, &file, &by, name.span);
            }
        }
    }
    if cursor.has("SECURITY DEFINER") {
        let granted = Name { text: format!("rights of the owner of {}", name.text), ..name.clone() };
        access::grants(run, &granted, &by, name.span);
    }
    // A rule or trigger that does nothing instead of what was asked silences it.
    if named.words == "RULE" && cursor.has("DO INSTEAD NOTHING") {
        let table = cursor.find("TO").and_then(|at| Cursor { at: at + 1, ..cursor }.name()).unwrap_or_default();
        run.note(Operation::Alter, ResourceKind::Table, &table, Extent::All, "CREATE RULE");
    }
}

/// Remembers the body of a routine that is made here, for when it is called in the same text.
fn remember(run: &mut Run<'_, '_, '_>, cursor: Cursor<'_>, name: &Name, language: &str) {
    if !matches!(language, "sql" | "plpgsql") || run.made.len() >= 16 {
        return;
    }
    if let Some(at) = cursor.find("AS")
        && let Some((code, span)) = (Cursor { at: at + 1, ..cursor }).string()
    {
        run.made.push((name.text.to_ascii_lowercase(), code, span));
    }
}

/// Reads the body of a routine that was made in this text and is called now; `false` when it was not.
pub(super) fn calls_made(run: &mut Run<'_, '_, '_>, name: &str) -> bool {
    let Some(at) = run.made.iter().position(|(made, ..)| made.eq_ignore_ascii_case(name)) else { return false };
    // Once is enough, and a routine that calls itself ends here.
    let (_, code, span) = run.made.remove(at);
    run.nested_sql(&code, span, None);
    true
}

/// A shared library gets into the server.
pub(super) fn loads_library(run: &mut Run<'_, '_, '_>, file: &str, by: &str, span: Option<Span>) {
    run.put(Operation::Execute, Resource::new(ResourceKind::Code, file), Extent::One, by, span, |effect| {
        effect.code = Some(CodeOrigin::Local);
    });
}

impl Run<'_, '_, '_> {
    /// Shell code that the server runs.
    pub(super) fn shell(&mut self, code: &str, span: Span) {
        self.shell_reading(code, span, Stream::default());
    }

    /// Shell code that the server runs and that reads something.
    pub(super) fn shell_reading(&mut self, code: &str, span: Span, stdin: Stream) {
        let mark = self.scene.mark();
        self.scene.scoped(|scene| {
            scene.go_elsewhere();
            scene.run_piped(code, Err(Some(span)), stdin);
        });
        if self.dry {
            for effect in self.scene.since(mark) {
                effect.dry_run = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::sql::tests::check;

    #[test]
    fn strings_that_carry_code_are_read() {
        check(
            "postgres",
            "DO $$ BEGIN IF EXISTS (SELECT 1 FROM a) THEN EXECUTE 'DROP TABLE logs'; END IF; END $$",
            "read Table a (unknown, lexical)\ndrop Table logs (all)",
        );
        check(
            "postgres",
            "DO $$ DECLARE r record; BEGIN FOR r IN SELECT t FROM names LOOP EXECUTE 'DROP TABLE ' || r.t; END LOOP; END $$",
            "read Table names (unknown, lexical)\nexecute Code (one, dynamic code)\ndrop Table r.t (all, unresolved, lexical)\ngap dynamic-code: code put together at run time\ngap unresolved-variable: r.t",
        );
        check(
            "postgres",
            "DO $$ BEGIN EXECUTE format('TRUNCATE %I', t); END $$",
            "delete Table t (all, unresolved, lexical)\ngap unresolved-variable: t",
        );
        check("tsql", "EXEC sp_executesql N'DROP TABLE logs'", "drop Table logs (all)");
        check(
            "tsql",
            "EXEC('DROP TABLE ' + @t)",
            "execute Code (one, dynamic code)\ndrop Table @t (all, unresolved, lexical)\ngap dynamic-code: code put together at run time\ngap unresolved-variable: @t",
        );
        check("tsql", "DECLARE @q nvarchar(max) = N'DROP TABLE ' + N'logs'; EXEC(@q)", "drop Table logs (all)");
        check(
            "tsql",
            "DECLARE @q varchar(99); SELECT @q = 0x44524f50205441424c45206c6f6773; EXEC(@q)",
            "execute Code (one, decoded code)\ndrop Table logs (all)",
        );
        check(
            "mysql",
            "SET @s = CONCAT('DROP ', 'TABLE logs'); PREPARE p FROM @s; EXECUTE p",
            "alter Item session (one, ephemeral)\ndrop Table logs (all)",
        );
        check(
            "postgres",
            "DO $$ DECLARE q text; BEGIN q := 'DELETE FROM logs'; EXECUTE q; END $$",
            "delete Table logs (all)",
        );
        check(
            "oracle",
            "DECLARE s VARCHAR2(99) := 'TRUNCATE TABLE logs'; BEGIN EXECUTE IMMEDIATE s; END;",
            "delete Table logs (all)",
        );
        check("postgres", "PREPARE p AS DELETE FROM logs WHERE id = $1; EXECUTE p(4)", "delete Table logs (one)");
        check("mysql", "PREPARE s FROM 'DROP TABLE logs'", "drop Table logs (all)");
        check(
            "postgres",
            "EXECUTE nightly(1)",
            "execute Routine nightly (one, stored code)\ngap hidden-code: stored or prepared code nightly",
        );
        check(
            "postgres",
            "CREATE FUNCTION tidy() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM logs; END $$",
            "create Routine tidy (one)",
        );
        check(
            "postgres",
            "CREATE FUNCTION sh() RETURNS void LANGUAGE plpython3u AS $$ pass $$",
            "create Routine sh (one)\ngrant Role language plpython3u to sh (one)",
        );
    }
}
