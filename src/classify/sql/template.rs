//! The grouping text of SQL: keywords kept, literals and names taken out.

use super::lexer::{Kind, Token};
use super::split::Piece;

/// Longer templates are cut.
pub(super) const MOST: usize = 160;

/// Adds one statement to a template.
pub(super) fn add(template: &mut String, text: &str, tokens: &[Token], piece: Piece) {
    if !template.is_empty() {
        template.push_str("; ");
    }
    let mut names_table = false;
    let mut listed = false;
    let mut last = "";
    for token in tokens {
        if template.len() >= MOST {
            break;
        }
        let word = &text[token.start..token.end];
        let shown = match token.kind {
            Kind::Text | Kind::Number | Kind::Param => "?",
            Kind::Word if is_keyword(word) => word,
            Kind::Word if word.eq_ignore_ascii_case("TRUE") || word.eq_ignore_ascii_case("FALSE") => "?",
            Kind::Word | Kind::Quoted if names_table => "<t>",
            Kind::Word | Kind::Quoted => "<c>",
            Kind::Punct => word,
        };
        if token.kind == Kind::Word && is_keyword(word) {
            names_table = NAMERS.iter().any(|namer| word.eq_ignore_ascii_case(namer))
                || names_table && PASSES.iter().any(|pass| word.eq_ignore_ascii_case(pass));
        }
        // `<t>.<t>` is one name, and a list of values or columns is as good as one.
        if shown == "." {
            listed = true;
            continue;
        }
        if std::mem::take(&mut listed) && shown == last {
            continue;
        }
        if shown == "," && matches!(last, "?" | "<c>") {
            listed = true;
            continue;
        }
        let tight = matches!(shown, ")" | ",") || last == "(" || template.ends_with("; ") || template.is_empty();
        if !tight {
            template.push(' ');
        }
        if token.kind == Kind::Word && is_keyword(word) {
            template.extend(word.chars().map(|letter| letter.to_ascii_uppercase()));
        } else {
            template.push_str(shown);
        }
        last = if matches!(shown, "?" | "<c>" | "<t>" | "(") { shown } else { "" };
    }
    if let Piece::Client(line) = piece {
        let command = text.get(line.start..line.end).unwrap_or_default();
        template.push_str(command.split_whitespace().next().unwrap_or_default());
    }
    if template.len() > MOST {
        let mut end = MOST;
        while !template.is_char_boundary(end) {
            end -= 1;
        }
        template.truncate(end);
    }
}

/// Words that a table's or another thing's name follows.
const NAMERS: &[&str] = &[
    "FROM",
    "JOIN",
    "INTO",
    "UPDATE",
    "TABLE",
    "VIEW",
    "INDEX",
    "SCHEMA",
    "DATABASE",
    "TRUNCATE",
    "COPY",
    "ROLE",
    "USER",
    "FUNCTION",
    "PROCEDURE",
    "TRIGGER",
    "SEQUENCE",
    "TYPE",
    "EXTENSION",
    "USE",
    "CALL",
    "EXEC",
];

/// Words that may stand between those and the name.
const PASSES: &[&str] = &["IF", "NOT", "EXISTS", "ONLY", "CONCURRENTLY", "TABLE"];

/// Words that are kept: enough to tell statements apart.
const KEYWORDS: &[&str] = &[
    "ADD",
    "ALL",
    "ALTER",
    "ANALYZE",
    "AND",
    "AS",
    "ASC",
    "ATTACH",
    "BACKUP",
    "BEGIN",
    "BETWEEN",
    "BY",
    "CALL",
    "CASCADE",
    "CASE",
    "CLUSTER",
    "COLUMN",
    "COMMENT",
    "COMMIT",
    "CONCURRENTLY",
    "CONFLICT",
    "CONSTRAINT",
    "COPY",
    "CREATE",
    "CROSS",
    "DATABASE",
    "DECLARE",
    "DEFAULT",
    "DELETE",
    "DENY",
    "DESC",
    "DISABLE",
    "DISTINCT",
    "DO",
    "DROP",
    "ELSE",
    "ENABLE",
    "END",
    "EXEC",
    "EXECUTE",
    "EXISTS",
    "EXPLAIN",
    "EXPORT",
    "EXTENSION",
    "FOR",
    "FROM",
    "FULL",
    "FUNCTION",
    "GLOBAL",
    "GRANT",
    "GROUP",
    "HAVING",
    "IF",
    "IN",
    "INDEX",
    "INNER",
    "INSERT",
    "INTO",
    "IS",
    "JOIN",
    "KILL",
    "LEFT",
    "LIKE",
    "LIMIT",
    "LOAD",
    "LOCK",
    "MATCHED",
    "MERGE",
    "NOT",
    "NULL",
    "OFFSET",
    "ON",
    "ONLY",
    "OR",
    "ORDER",
    "OUTER",
    "OUTFILE",
    "OWNED",
    "OWNER",
    "PASSWORD",
    "POLICY",
    "PREPARE",
    "PROCEDURE",
    "PROGRAM",
    "PURGE",
    "REPLACE",
    "RESET",
    "RESTORE",
    "RETURNING",
    "REVOKE",
    "RIGHT",
    "ROLE",
    "ROLLBACK",
    "SCHEMA",
    "SELECT",
    "SEQUENCE",
    "SET",
    "SHOW",
    "SHUTDOWN",
    "STDIN",
    "STDOUT",
    "SYSTEM",
    "TABLE",
    "TEMP",
    "TEMPORARY",
    "THEN",
    "TO",
    "TRIGGER",
    "TRUNCATE",
    "TYPE",
    "UNION",
    "UPDATE",
    "USE",
    "USER",
    "USING",
    "VACUUM",
    "VALUES",
    "VIEW",
];

/// Where the keywords of each letter start: there are few of each, and every word of every statement is looked up.
const STARTS: [usize; 27] = {
    let mut starts = [0; 27];
    let (mut letter, mut at) = (0, 0);
    while letter < starts.len() {
        while at < KEYWORDS.len() && ((KEYWORDS[at].as_bytes()[0] - b'A') as usize) < letter {
            at += 1;
        }
        starts[letter] = at;
        letter += 1;
    }
    starts
};

fn is_keyword(word: &str) -> bool {
    if word.len() > 12 || matches!(word.as_bytes().first(), None | Some(b'_' | b'@' | b'#' | b'0'..=b'9')) {
        return word.eq_ignore_ascii_case("CONCURRENTLY");
    }
    if word.eq_ignore_ascii_case("WHERE") || word.eq_ignore_ascii_case("WITH") || word.eq_ignore_ascii_case("WHEN") {
        return true;
    }
    let letter = word.bytes().next().map_or(0, |letter| usize::from(letter.to_ascii_uppercase().wrapping_sub(b'A')));
    let (Some(start), Some(end)) = (STARTS.get(letter), STARTS.get(letter + 1)) else { return false };
    KEYWORDS.get(*start..*end).is_some_and(|words| words.iter().any(|keyword| keyword.eq_ignore_ascii_case(word)))
}
