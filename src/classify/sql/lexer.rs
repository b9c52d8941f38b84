//! From SQL text to tokens with byte spans, by the dialect's rules for quotes and comments.
//!
//! Our own, because the splitter must know quotes and comments exactly as the server does, must survive any input in one
//! pass, and must keep byte offsets. It is linear: whatever is not closed runs to the end of the text.

mod space;

use crate::model::Span;

use super::dialect::Dialect;

/// What a token is; its text is looked up in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An unquoted name or keyword, with `@` or `#` before it where the dialect has such names.
    Word,
    /// A quoted name.
    Quoted,
    /// A string of any sort.
    Text,
    Number,
    /// A place for a value or a name: `?`, `%s`, `:name`, `$1`, `{{ x }}`.
    Param,
    /// An operator or a bracket; `||`, `::`, `:=` and comparisons are one token.
    Punct,
}

/// One token of the code.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Walks the code once.
#[derive(Debug)]
pub(super) struct Lexer<'t> {
    text: &'t str,
    dialect: Dialect,
    pub(super) at: usize,
    /// Comments and markers that the parser must not see.
    pub(super) blanks: Vec<Span>,
    /// A quote, comment or template mark that is never closed.
    pub(super) unclosed: bool,
    /// Inside `/*! … */`.
    executable: bool,
    leads: bool,
    before: Option<Token>,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str, dialect: Dialect) -> Self {
        Self { text, dialect, at: 0, blanks: Vec::new(), unclosed: false, executable: false, leads: true, before: None }
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    /// Whether nothing but space stands between the start of the line and here.
    pub(super) fn at_line_start(&self) -> bool {
        self.leads
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// Moves on to `at`, which must be a character boundary.
    pub(super) fn jump(&mut self, at: usize) {
        self.leads |= self.text.get(self.at..at).is_some_and(|skipped| skipped.ends_with('\n'));
        self.at = at.min(self.text.len());
        self.before = None;
    }

    /// The next token after [`Lexer::skip_space`].
    pub(super) fn token(&mut self) -> Option<Token> {
        let start = self.at;
        let first = *self.text.as_bytes().get(start)?;
        let kind = match first {
            b'\'' => self.quoted(b'\'', self.dialect.backslash(), Kind::Text),
            b'"' if self.dialect.double_quoted_strings() => self.quoted(b'"', self.dialect.backslash(), Kind::Text),
            b'"' => self.quoted(b'"', false, Kind::Quoted),
            b'`' => self.quoted(b'`', false, Kind::Quoted),
            b'[' if self.dialect.bracket_names() && !self.is_index() => self.quoted(b']', false, Kind::Quoted),
            b'0'..=b'9' => self.number(),
            b'.' if self.byte(1).is_ascii_digit() && !self.touches() => self.number(),
            b'$' => self.dollar(),
            b'@' if is_name(self.byte(1)) || self.byte(1) == b'@' && is_name(self.byte(2)) => self.word(),
            b'#' if is_name(self.byte(1)) || self.byte(1) == b'#' => self.word(),
            b'{' if self.byte(1) == b'{' => self.until("}}"),
            b'%' => self.percent(),
            b':' => self.colon(),
            b'?' => self.question(),
            byte if is_name(byte) => self.word(),
            _ => self.punct(),
        };
        // Whatever the branches above did, the end must stand between characters and ahead of the start.
        self.at = self.at.max(start + 1).min(self.text.len());
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
        let token = Token { kind, start, end: self.at };
        self.leads = false;
        self.before = Some(token);
        Some(token)
    }

    /// Whether the last token ends right here.
    fn touches(&self) -> bool {
        self.before.is_some_and(|before| before.end == self.at)
    }

    /// Whether a `[` here takes an element out of what stands before it.
    fn is_index(&self) -> bool {
        let Some(before) = self.before else { return false };
        let text = &self.text[before.start..before.end];
        match before.kind {
            Kind::Word => before.end == self.at || text.eq_ignore_ascii_case("array"),
            Kind::Quoted | Kind::Text | Kind::Param => before.end == self.at,
            Kind::Punct => before.end == self.at && matches!(text, ")" | "]"),
            Kind::Number => true,
        }
    }

    /// A string or a quoted name up to `close`; a doubled `close` stands for one.
    fn quoted(&mut self, close: u8, backslash: bool, kind: Kind) -> Kind {
        let bytes = self.text.as_bytes();
        self.at += 1;
        if self.dialect == Dialect::BigQuery && kind == Kind::Text && self.byte(0) == close && self.byte(1) == close {
            self.at += 2;
            let triple = [close; 3];
            let end = memchr::memmem::find(&bytes[self.at..], &triple).map(|found| self.at + found + 3);
            self.unclosed |= end.is_none();
            self.at = end.unwrap_or(bytes.len());
            return kind;
        }
        loop {
            let rest = &bytes[self.at.min(bytes.len())..];
            let found = if backslash { memchr::memchr2(close, b'\\', rest) } else { memchr::memchr(close, rest) };
            let Some(found) = found else {
                self.unclosed = true;
                self.at = bytes.len();
                return kind;
            };
            self.at += found;
            if self.byte(0) == b'\\' && close != b'\\' || self.byte(0) == close && self.byte(1) == close {
                self.at += 2;
            } else {
                self.at += 1;
                return kind;
            }
        }
    }

    fn word(&mut self) -> Kind {
        let start = self.at;
        let bytes = self.text.as_bytes();
        self.at += 1;
        while self.at < bytes.len()
            && (is_name(self.byte(0)) || matches!(self.byte(0), b'0'..=b'9' | b'$' | b'#' | b'@'))
        {
            self.at += 1;
        }
        if self.byte(0) != b'\'' || self.at - start > 2 {
            return Kind::Word;
        }
        match &self.text[start..self.at] {
            "e" | "E" => self.quoted(b'\'', true, Kind::Text),
            "n" | "N" | "b" | "B" | "x" | "X" | "r" | "R" => self.quoted(b'\'', self.dialect.backslash(), Kind::Text),
            "q" | "Q" | "nq" | "NQ" if matches!(self.dialect, Dialect::Oracle) => {
                let close = match self.byte(1) {
                    b'[' => "]'",
                    b'(' => ")'",
                    b'{' => "}'",
                    b'<' => ">'",
                    b'!' => "!'",
                    b'|' => "|'",
                    b'#' => "#'",
                    b'~' => "~'",
                    _ => return self.quoted(b'\'', false, Kind::Text),
                };
                self.at += 2;
                self.until(close);
                Kind::Text
            }
            _ => Kind::Word,
        }
    }

    fn number(&mut self) -> Kind {
        let hex = self.byte(0) == b'0' && matches!(self.byte(1), b'x' | b'X');
        while self.byte(0).is_ascii_alphanumeric()
            || matches!(self.byte(0), b'.' | b'_')
            || !hex && matches!(self.byte(0), b'+' | b'-') && matches!(self.text.as_bytes()[self.at - 1], b'e' | b'E')
        {
            self.at += 1;
        }
        Kind::Number
    }

    fn dollar(&mut self) -> Kind {
        if self.byte(1).is_ascii_digit() {
            self.at += 1;
            while self.byte(0).is_ascii_digit() {
                self.at += 1;
            }
            return Kind::Param;
        }
        if self.byte(1) == b'{' {
            return self.until("}");
        }
        let bytes = self.text.as_bytes();
        let tag = bytes[self.at + 1..].iter().take_while(|byte| is_name(**byte) || byte.is_ascii_digit()).count();
        if self.dialect.dollar_quotes() && bytes.get(self.at + 1 + tag) == Some(&b'$') {
            let open = self.at + tag + 2;
            let close = memchr::memmem::find(&bytes[open..], &bytes[self.at..open]);
            self.unclosed |= close.is_none();
            self.at = close.map_or(bytes.len(), |found| open + found + tag + 2);
            return Kind::Text;
        }
        if tag > 0 {
            self.at += tag + 1;
            return Kind::Param;
        }
        self.at += 1;
        Kind::Punct
    }

    /// A template mark up to and with `close`.
    fn until(&mut self, close: &str) -> Kind {
        let end = self.rest().find(close).map(|found| self.at + found + close.len());
        self.unclosed |= end.is_none();
        self.at = end.unwrap_or(self.text.len());
        Kind::Param
    }

    fn percent(&mut self) -> Kind {
        let mut length = 1;
        if self.byte(1) == b'(' {
            if let Some(close) = self.rest().bytes().take(80).position(|byte| byte == b')') {
                length = close + 1;
            }
        } else {
            while self.byte(length).is_ascii_digit() || length > 1 && self.byte(length) == b'$' {
                length += 1;
            }
        }
        if matches!(self.byte(length), b's' | b'd' | b'I' | b'L' | b'S') && !is_name(self.byte(length + 1)) {
            self.at += length + 1;
            return Kind::Param;
        }
        self.at += 1;
        Kind::Punct
    }

    fn colon(&mut self) -> Kind {
        if matches!(self.byte(1), b':' | b'=') {
            self.at += 2;
            return Kind::Punct;
        }
        let operand = self.touches()
            && self.before.is_some_and(|before| {
                before.kind != Kind::Punct || matches!(&self.text[before.start..before.end], ")" | "]")
            });
        if operand {
            self.at += 1;
            return Kind::Punct;
        }
        match self.byte(1) {
            quote @ (b'\'' | b'"') => {
                self.at += 1;
                self.quoted(quote, false, Kind::Param)
            }
            byte if is_name(byte) || byte.is_ascii_digit() => {
                self.at += 1;
                while is_name(self.byte(0)) || self.byte(0).is_ascii_digit() {
                    self.at += 1;
                }
                Kind::Param
            }
            _ => {
                self.at += 1;
                Kind::Punct
            }
        }
    }

    /// `?` is a place for a value, except where Postgres asks whether a key is there.
    fn question(&mut self) -> Kind {
        let operand = self.before.is_some_and(|before| {
            matches!(before.kind, Kind::Quoted | Kind::Text | Kind::Word)
                || before.kind == Kind::Punct && &self.text[before.start..before.end] == ")"
        });
        if operand && (self.byte(1) == b'|' || self.byte(1) == b'&' || self.rest()[1..].trim_start().starts_with('\''))
        {
            self.at += 1;
            return Kind::Punct;
        }
        self.at += 1;
        while self.byte(0).is_ascii_digit() {
            self.at += 1;
        }
        Kind::Param
    }

    fn punct(&mut self) -> Kind {
        self.at += match (self.byte(0), self.byte(1)) {
            (b'|', b'|') | (b'<', b'=' | b'>') | (b'>', b'=') | (b'!', b'=') | (b'=', b'=') => 2,
            _ => 1,
        };
        Kind::Punct
    }
}

/// Letters of an unquoted name; every letter beyond ASCII is one.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use crate::classify::sql::tests::check;

    #[test]
    fn quotes_follow_the_dialect() {
        check("postgres", "SELECT 'a\\'; DELETE FROM logs; --'", "delete Table logs (all)");
        check("mysql", "SELECT 'a\\'; DELETE FROM logs; --'", "");
        check("postgres", "SELECT E'a\\'; DELETE FROM logs; --'", "");
        check("postgres", "SELECT $x$; DELETE FROM logs; $x$; DELETE FROM notes", "delete Table notes (all)");
        check("postgres", "/* one /* two */ DROP TABLE logs; */ TRUNCATE notes", "delete Table notes (all)");
        check("mysql", "/* one /* two */ DROP TABLE logs", "drop Table logs (all)");
        check("mysql", "/*!40000 DROP TABLE logs */", "drop Table logs (all)");
        check("tsql", "DROP TABLE [dbo].[odd name]", "drop Table dbo.odd name (all)");
        check(
            "",
            "UPDATE logs SET a = 'never closed",
            "update Table logs (all, lexical)\ngap unparsed: a quote or comment is never closed",
        );
    }
}
