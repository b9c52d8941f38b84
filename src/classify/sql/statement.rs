//! One statement: what stands around it is peeled off, then its verb says who reads it.

use crate::model::{Extent, GapKind, Hides, Operation, ResourceKind};

use super::cursor::Cursor;
use super::lexer::{Kind, Token};
use super::{Run, access, control, data, dynamic, functions, routine, schema, transaction, transfer};

/// Statements inside statements (`EXPLAIN PREPARE …`) deeper than this are a gap.
const MAX_DEPTH: usize = 16;
/// Control words in front of one statement (`BEGIN IF … THEN BEGIN …`) beyond this are a gap.
const MAX_CONTROL: usize = 64;

/// Finds what one statement does.
pub(super) fn run(run: &mut Run<'_, '_, '_>, tokens: &[Token]) {
    if tokens.is_empty() {
        return;
    }
    if run.depth >= MAX_DEPTH {
        run.gap(GapKind::TooDeep, Hides::Anything, None, "statements nested too deeply");
        return;
    }
    run.depth += 1;
    let scanned = run.scanned;
    peeled(run, tokens);
    run.scanned = scanned;
    run.depth -= 1;
}

/// Takes control words off the front until a verb stands there.
fn peeled(run: &mut Run<'_, '_, '_>, tokens: &[Token]) {
    let mut cursor = Cursor::new(run.text, tokens);
    for _ in 0..MAX_CONTROL {
        if cursor.ended() {
            return;
        }
        let here = Cursor::new(run.text, cursor.rest());
        let word = here.keyword();
        match word.as_str() {
            "BEGIN" if !transaction::begins_transaction(here) => {
                run.blocks += 1;
                run.declares = false;
                cursor.at += 1;
                cursor.eat_any(&["NOT ATOMIC", "ATOMIC", "TRY", "CATCH"]);
            }
            "END" if run.blocks > 0 || control::ends_block(here) => {
                run.blocks = run.blocks.saturating_sub(1);
                cursor.at += 1;
                if !cursor.eat_any(&["IF", "LOOP", "WHILE", "CASE", "REPEAT", "FOR", "TRY", "CATCH"])
                    && cursor.rest().len() == 1
                {
                    // The block's label.
                    cursor.at += 1;
                }
            }
            "ELSE" | "LOOP" | "REPEAT" | "THEN" => {
                run.looping |= matches!(word.as_str(), "LOOP" | "REPEAT");
                cursor.at += 1;
            }
            "EXCEPTION" if here.peek(1).eq_ignore_ascii_case("WHEN") || here.peek(1).is_empty() => cursor.at += 1,
            "IF" | "ELSIF" | "ELSEIF" | "WHILE" | "FOR" | "WHEN" | "FOREACH" | "UNTIL" => {
                run.looping |= matches!(word.as_str(), "WHILE" | "FOR" | "FOREACH");
                match control::after_condition(here) {
                    Some(after) => {
                        let condition = &here.tokens[1..after];
                        data::condition(run, condition);
                        cursor.at += after;
                    }
                    None => {
                        unknown(run, here);
                        return;
                    }
                }
            }
            "" if here.sees_punct("<") && here.peek(1) == "<" => {
                // `<<label>>`
                cursor.at += cursor.rest().len().min(5);
            }
            _ if here.peek(1) == ":"
                && ["BEGIN", "LOOP", "WHILE", "REPEAT", "FOR"]
                    .iter()
                    .any(|word| (Cursor { at: 2, ..here }).sees(word)) =>
            {
                // `label: LOOP`
                cursor.at += 2;
            }
            _ => {
                verb(run, here, &word);
                return;
            }
        }
    }
    run.gap(GapKind::TooDeep, Hides::Anything, cursor.span(), "control words nested too deeply");
}

/// Verbs behind which a function is named, not called (`GRANT EXECUTE ON FUNCTION f(text)`), is kept for later, or stands in
/// a statement that is looked through on its own.
const NAMES_ONLY: &[&str] =
    &["CREATE", "EXPLAIN", "PREPARE", "DECLARE", "GRANT", "REVOKE", "DENY", "DROP", "ALTER", "COMMENT", "SECURITY"];

/// Every verb has one reader.
fn verb(run: &mut Run<'_, '_, '_>, here: Cursor<'_>, word: &str) {
    let tokens = here.tokens;
    if !run.scanned && !NAMES_ONLY.contains(&word) {
        functions::run(run, tokens);
        run.scanned = true;
    }
    if !matches!(word, "INSERT" | "UPDATE" | "DELETE" | "CREATE" | "ALTER" | "DROP" | "GRANT" | "EXEC" | "EXECUTE") {
        dynamic::remember(run, here, word);
    }
    let known = match word {
        "" if here.sees_punct("(") => data::run(run, tokens),
        "UPDATE" if here.peek(1).eq_ignore_ascii_case("STATISTICS") => {
            let mut cursor = here;
            cursor.at = 2;
            let name = cursor.name().unwrap_or_default();
            run.note(Operation::Alter, ResourceKind::Table, &name, Extent::One, "UPDATE STATISTICS");
            !name.text.is_empty()
        }
        "SELECT" | "SEL" | "WITH" | "VALUES" | "FROM" | "TABLE" | "PIVOT" | "UNPIVOT" | "INSERT" | "REPLACE"
        | "UPSERT" | "UPDATE" | "DELETE" | "DEL" | "MERGE" => data::run(run, tokens),
        "CREATE" | "ALTER" | "DROP" | "TRUNCATE" | "RENAME" | "UNDROP" | "FLASHBACK" | "PURGE" | "COMMENT"
        | "REFRESH" | "REINDEX" | "CLUSTER" | "VACUUM" | "ANALYZE" | "ANALYSE" | "OPTIMIZE" | "REPAIR" | "CHECK"
        | "SECURITY" | "ENABLE" | "DISABLE" | "MSCK" | "CACHE" | "UNCACHE" | "INSTALL" | "UNINSTALL" | "SYSTEM" => {
            schema::run(run, here, word)
        }
        "GRANT" | "REVOKE" | "DENY" | "REASSIGN" => access::run(run, here, word),
        "COPY" | "UNLOAD" | "EXPORT" | "IMPORT" | "LOAD" | "BULK" | "PUT" | "GET" | "REMOVE" | "RM" | "LIST" | "LS"
        | "BACKUP" | "RESTORE" | "ATTACH" | "DETACH" => transfer::run(run, here, word),
        "DO" | "CALL" | "EXEC" | "EXECUTE" | "PREPARE" | "PERFORM" | "DECLARE" | "RETURN" | "OPEN" => {
            routine::run(run, here, word)
        }
        _ => control::run(run, here, word),
    };
    if !known {
        unknown(run, here);
    }
}

/// A statement that nobody reads could do anything.
pub(super) fn unknown(run: &mut Run<'_, '_, '_>, here: Cursor<'_>) {
    let words = here.span().and_then(|span| run.text.get(span.start..span.end)).unwrap_or_default();
    let kind = match here.token() {
        Some(token) if token.kind == Kind::Word => GapKind::UnknownStatement,
        _ => GapKind::Unparsed,
    };
    run.misfit = true;
    let short: String = words.chars().take(60).collect();
    run.gap(kind, Hides::Anything, here.span(), short);
}
