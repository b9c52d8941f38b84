//! From SQL text to single statements and client commands.
//!
//! Each statement is parsed on its own: one call for the whole text would let what a client reads differently
//! (`COPY … FROM stdin;` data, `GO`, `DELIMITER`, `\!`) swallow the statements behind it.

mod words;

use crate::model::Span;

use self::words::{HOLDS, MAKES_LATER, STARTS, WHOLE};
use super::dialect::Dialect;
use super::lexer::{Kind, Lexer, Token};

/// One thing that is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// The tokens handed out with it are one statement.
    Statement,
    /// A line for psql, mysql or sqlite3 itself; the tokens before it on the line, if any, are a statement.
    Client(Span),
}

/// Takes one statement after the other out of the code.
#[derive(Debug)]
pub(super) struct Splitter<'t> {
    text: &'t str,
    dialect: Dialect,
    pub(super) lexer: Lexer<'t>,
    /// What ends a statement instead of `;`.
    delimiter: Option<&'t str>,
    body: Body,
    /// The next line starts the data of a `COPY … FROM stdin`.
    copying: bool,
    /// No COPY data ends anywhere behind here.
    no_copied: bool,
    /// Brackets open in the current statement.
    open: usize,
    /// CASE expressions open in the current statement.
    cases: usize,
    /// The statement behind IF, BEGIN or ELSE has begun.
    verb_seen: bool,
}

/// How deep in the body of a routine the current statement stands.
#[derive(Debug, Default)]
struct Body {
    /// Tokens looked at so far.
    seen: usize,
    routine: bool,
    /// `CREATE RULE`: semicolons in brackets are its own.
    rule: bool,
    depth: usize,
    begun: bool,
    brackets: usize,
}

impl<'t> Splitter<'t> {
    pub(super) fn new(text: &'t str, dialect: Dialect) -> Self {
        Self {
            text,
            dialect,
            lexer: Lexer::new(text, dialect),
            delimiter: None,
            body: Body::default(),
            copying: false,
            no_copied: false,
            open: 0,
            cases: 0,
            verb_seen: false,
        }
    }

    /// Puts the next piece into `tokens`; `None` at the end.
    pub(super) fn next_piece(&mut self, tokens: &mut Vec<Token>) -> Option<Piece> {
        tokens.clear();
        self.body = Body::default();
        (self.open, self.cases, self.verb_seen) = (0, 0, false);
        loop {
            if self.copying {
                self.skip_copied();
            }
            self.lexer.skip_space();
            if self.lexer.at >= self.text.len() {
                return (!tokens.is_empty()).then_some(Piece::Statement);
            }
            if self.lexer.at_line_start() {
                if self.ends_batch() {
                    if tokens.is_empty() {
                        continue;
                    }
                    return Some(Piece::Statement);
                }
                if tokens.is_empty() {
                    if self.sets_delimiter() {
                        continue;
                    }
                    if let Some(line) = self.client_line() {
                        return Some(Piece::Client(line));
                    }
                }
            }
            let rest = self.lexer.rest();
            if rest.starts_with('\\') && self.dialect.backslash_commands() {
                return Some(Piece::Client(self.backslash_command()));
            }
            if let Some(delimiter) = self.delimiter.filter(|delimiter| rest.starts_with(delimiter)) {
                self.lexer.jump(self.lexer.at + delimiter.len());
                if tokens.is_empty() {
                    continue;
                }
                return Some(Piece::Statement);
            }
            let before = self.lexer.at;
            let was_leading = self.lexer.at_line_start();
            let token = self.lexer.token()?;
            if self.dialect.loose_ends() && self.starts_anew(tokens, token, was_leading) {
                self.lexer.jump(before);
                return Some(Piece::Statement);
            }
            let ends =
                self.delimiter.is_none() && token.kind == Kind::Punct && &self.text[token.start..token.end] == ";";
            if ends && !self.in_body(tokens) {
                if tokens.is_empty() {
                    continue;
                }
                self.copying = self.is_copy_from_stdin(tokens);
                return Some(Piece::Statement);
            }
            if token.kind == Kind::Word && self.is(Some(&token), &["CASE"]) {
                self.cases += 1;
            } else if token.kind == Kind::Word && self.cases > 0 && self.is(Some(&token), &["END"]) {
                self.cases -= 1;
            }
            if token.kind == Kind::Punct {
                match &self.text[token.start..token.end] {
                    "(" => self.open += 1,
                    ")" => self.open = self.open.saturating_sub(1),
                    _ => {}
                }
            }
            tokens.push(token);
        }
    }

    fn word(&self, token: Option<&Token>) -> &'t str {
        token.filter(|token| token.kind == Kind::Word).map_or("", |token| &self.text[token.start..token.end])
    }

    fn is(&self, token: Option<&Token>, words: &[&str]) -> bool {
        let text = self.word(token);
        words.iter().any(|word| text.eq_ignore_ascii_case(word))
    }

    /// Whether a `;` after `tokens` belongs to the body of a routine that is being created.
    fn in_body(&mut self, tokens: &[Token]) -> bool {
        if self.body.seen == 0 {
            let creates = self.is(tokens.first(), &["CREATE", "ALTER", "REPLACE"]);
            let head = &tokens[..tokens.len().min(10)];
            let named = |words: &[&str]| creates && head.iter().any(|token| self.is(Some(token), words));
            let rule = named(&["RULE"]);
            let routine = named(&["PROCEDURE", "PROC", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE", "TASK"]);
            (self.body.rule, self.body.routine) = (rule, routine && !rule);
        }
        if !self.body.routine && !self.body.rule {
            self.body.seen = tokens.len().max(1);
            return false;
        }
        for at in self.body.seen..tokens.len() {
            let token = tokens[at];
            match (token.kind, &self.text[token.start..token.end]) {
                (Kind::Punct, "(") => self.body.brackets += 1,
                (Kind::Punct, ")") => self.body.brackets = self.body.brackets.saturating_sub(1),
                (Kind::Word, word) if word.len() <= 5 => {
                    let next = tokens.get(at + 1);
                    if word.eq_ignore_ascii_case("BEGIN") && !self.is(next, &["TRAN", "TRANSACTION", "WORK"]) {
                        self.body.depth += 1;
                        self.body.begun = true;
                    } else if word.eq_ignore_ascii_case("CASE") && !(at > 0 && self.is(tokens.get(at - 1), &["END"])) {
                        self.body.depth += 1;
                    } else if word.eq_ignore_ascii_case("END")
                        && !self.is(next, &["IF", "LOOP", "WHILE", "REPEAT", "FOR"])
                    {
                        self.body.depth = self.body.depth.saturating_sub(1);
                    }
                }
                _ => {}
            }
        }
        self.body.seen = tokens.len();
        if self.body.rule {
            return self.body.brackets > 0;
        }
        match self.dialect {
            // A batch is one routine up to GO.
            Dialect::TSql => true,
            // Declarations stand before the BEGIN, each with its own semicolon.
            Dialect::Oracle => !self.body.begun || self.body.depth > 0,
            _ => self.body.depth > 0,
        }
    }

    /// T-SQL needs no semicolons: a statement also ends where a word stands that can only start another one.
    fn starts_anew(&mut self, tokens: &[Token], token: Token, leading: bool) -> bool {
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return false };
        if token.kind != Kind::Word
            || last.kind == Kind::Punct && !matches!(&self.text[last.start..last.end], ")" | "*")
        {
            return false;
        }
        let block = self.open == 0
            && self.cases == 0
            && (self.dialect == Dialect::TSql || self.is(Some(first), &["IF"]) && self.is(Some(&token), &["ELSE"]));
        if block
            && self.is(Some(&token), &["END", "ELSE"])
            && !self.is(Some(last), &["BEGIN", "END"])
            && !self.in_body(tokens)
        {
            return true;
        }
        if !self.is(Some(&token), STARTS)
            || self.dialect != Dialect::TSql && self.is(Some(&token), &["IF", "BEGIN", "PRINT", "USE", "SELECT"])
            || self.is(Some(last), HOLDS)
            || self.is(Some(first), &["GRANT", "REVOKE", "DENY", "WITH", "MERGE", "EXPLAIN", "PREPARE"])
            || self.is(tokens.get(1), &["DEFAULT"])
            // Where nobody said that this is T-SQL, words in front that start nothing are a sentence.
            || self.dialect != Dialect::TSql && !self.is(Some(first), STARTS) && !self.is(Some(first), &["SET", "REPLACE"])
        {
            return false;
        }
        let makes = self.is(Some(first), &["CREATE", "ALTER"]);
        let routine = makes && tokens.iter().take(6).any(|token| self.is(Some(token), MAKES_LATER));
        let next = self.lexer.rest().trim_start();
        let whole = WHOLE.iter().any(|word| next.get(..word.len()).is_some_and(|next| next.eq_ignore_ascii_case(word)));
        if routine || self.is(Some(first), &["ALTER"]) && !whole {
            return false;
        }
        if self.is(Some(&token), &["SELECT", "EXEC", "EXECUTE"]) && self.is(Some(first), &["INSERT", "REPLACE"]) {
            return false;
        }
        // Only words at the start of a line, or those that no expression can hold.
        let starts = (leading
            || self.is(
                Some(&token),
                &["DROP", "TRUNCATE", "SHUTDOWN", "EXEC", "EXECUTE", "DELETE", "GRANT", "CREATE", "ALTER"],
            ))
            && self.open == 0;
        // The first verb behind IF and the like is theirs.
        let controlled = tokens.iter().take(4).any(|token| self.is(Some(token), &["IF", "WHILE"]))
            && !self.is(Some(first), &["DROP", "CREATE", "TRUNCATE"]);
        let first_verb = controlled && !std::mem::replace(&mut self.verb_seen, true);
        starts && !first_verb
    }

    /// `GO` (T-SQL) or `/` (Oracle) alone on a line.
    fn ends_batch(&mut self) -> bool {
        let line = self.line();
        let word = line.trim();
        let ends = match self.dialect {
            Dialect::TSql | Dialect::Unknown | Dialect::Oracle => {
                word == "/"
                    || word.get(..2).is_some_and(|go| go.eq_ignore_ascii_case("GO"))
                        && word[2..].bytes().all(|byte| byte.is_ascii_digit() || byte == b' ' || byte == b';')
            }
            _ => false,
        };
        if ends {
            self.lexer.jump(self.lexer.at + line.len());
        }
        ends
    }

    /// The rest of the line without its end.
    fn line(&self) -> &'t str {
        let rest = self.lexer.rest();
        &rest[..memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len())]
    }

    /// `DELIMITER //` is a word to the mysql client.
    fn sets_delimiter(&mut self) -> bool {
        if !matches!(self.dialect, Dialect::MySql | Dialect::Unknown) {
            return false;
        }
        let line = self.line();
        let Some(after) =
            line.get(..10).filter(|word| word.eq_ignore_ascii_case("DELIMITER ")).map(|_| line[10..].trim())
        else {
            return false;
        };
        self.delimiter = (!after.is_empty() && after != ";").then_some(after);
        self.lexer.jump(self.lexer.at + line.len());
        true
    }

    /// A line that sqlite3, duckdb, sqlcmd or SQL*Plus reads itself.
    fn client_line(&mut self) -> Option<Span> {
        let line = self.line().trim_end();
        let mut letters = line.bytes();
        let (first, second) = (letters.next()?, letters.next().unwrap_or(0));
        let word = line.split([' ', '\t', ';']).next().unwrap_or(line);
        let is = |words: &[&str]| words.iter().any(|other| word.eq_ignore_ascii_case(other));
        let ours = match self.dialect {
            Dialect::Sqlite | Dialect::DuckDb => first == b'.' && second.is_ascii_alphabetic(),
            Dialect::TSql => line.starts_with("!!") || first == b':' && second.is_ascii_alphabetic(),
            Dialect::Oracle => first == b'!' || first == b'@' || is(&["HOST", "SPOOL", "START"]),
            Dialect::MySql => is(&["SYSTEM", "SOURCE", "TEE", "PAGER"]),
            Dialect::Unknown => first == b'.' && second.is_ascii_alphabetic() || line.starts_with("!!"),
            _ => false,
        };
        if !ours {
            return None;
        }
        let start = self.lexer.at;
        self.lexer.jump(start + line.len());
        Some(Span::new(start, start + line.len()))
    }

    /// A psql or mysql command from its backslash to the end of the line or the next command.
    fn backslash_command(&mut self) -> Span {
        let start = self.lexer.at;
        let line = self.line();
        let whole = line.starts_with("\\!") || line.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("\\copy"));
        let end = if whole { line.len() } else { line[1..].find(" \\").map_or(line.len(), |at| at + 1) };
        self.lexer.jump(start + end.max(1));
        Span::new(start, start + line[..end].trim_end().len().max(1))
    }

    fn is_copy_from_stdin(&self, tokens: &[Token]) -> bool {
        self.is(tokens.first(), &["COPY"])
            && tokens.windows(2).any(|pair| self.is(pair.first(), &["FROM"]) && self.is(pair.get(1), &["STDIN"]))
    }

    /// Skips the data of a COPY, if it ends the way data does; otherwise what follows is read as statements, so that
    /// nothing can hide behind a COPY whose data comes from elsewhere.
    fn skip_copied(&mut self) {
        self.copying = false;
        let rest = self.lexer.rest();
        let Some(line) = memchr::memchr(b'\n', rest.as_bytes()) else { return };
        if self.no_copied || !rest[..line].trim().is_empty() {
            return;
        }
        let mut at = line + 1;
        while at <= rest.len() {
            let data = &rest[at..];
            let end = memchr::memchr(b'\n', data.as_bytes());
            if data[..end.unwrap_or(data.len())].trim_end() == "\\." {
                self.lexer.jump(self.lexer.at + at + 2);
                return;
            }
            match end {
                Some(end) => at += end + 1,
                None => {
                    self.no_copied = true;
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::classify::sql::tests::check;

    #[test]
    fn a_client_reads_some_lines_itself() {
        check(
            "postgres",
            "COPY logs FROM stdin;\n1\t;DROP TABLE hidden;\n\\.\nDROP TABLE seen",
            "update Table logs (some)\ndrop Table seen (all)",
        );
        check("postgres", "COPY logs FROM stdin; DROP TABLE seen", "update Table logs (some)\ndrop Table seen (all)");
        check("tsql", "SELECT 1\nGO\nDROP TABLE seen", "drop Table seen (all)");
        check("tsql", "SELECT 1 DROP TABLE seen", "drop Table seen (all)");
        check("tsql", "ALTER TABLE logs\n DROP COLUMN note", "drop Column logs.note (all)");
        check(
            "tsql",
            "ALTER TABLE logs ADD note int\nDROP TABLE seen",
            "alter Table logs (one)\ndrop Table seen (all)",
        );
        check(
            "mysql",
            "DELIMITER //\nCREATE PROCEDURE tidy() BEGIN DELETE FROM kept; END//\nDELIMITER ;\nDROP TABLE seen",
            "create Routine tidy (one)\ndrop Table seen (all)",
        );
        check(
            "mysql",
            "CREATE PROCEDURE tidy() BEGIN IF a THEN DELETE FROM kept; END IF; CASE b WHEN 1 THEN DROP TABLE kept; END CASE; END; DROP TABLE seen",
            "create Routine tidy (one)\ndrop Table seen (all)",
        );
        check(
            "oracle",
            "CREATE PROCEDURE tidy IS n int; BEGIN DELETE FROM kept; END;\n/\nDROP TABLE seen",
            "create Routine tidy (one)\ndrop Table seen (all)",
        );
        check(
            "postgres",
            "CREATE RULE r AS ON INSERT TO logs DO (DELETE FROM kept; DELETE FROM kept2)",
            "create Routine r (one)",
        );
    }
}
