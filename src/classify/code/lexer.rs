//! One lexer for many languages: names, strings (with what is interpolated in them), comments, marks.

use crate::classify::Word;
use crate::model::Span;

mod text;

/// Bounds that keep hostile text from being read again and again.
const MAX_REGEX: usize = 512;

/// How a language writes strings and comments.
#[derive(Debug)]
pub(super) struct Syntax {
    pub(super) line_comments: &'static [&'static str],
    pub(super) block_comment: Option<(&'static str, &'static str)>,
    /// `"""…"""` and prefixes such as `f"…"`, `rb'…'`.
    pub(super) python: bool,
    /// What a backtick opens.
    pub(super) backtick: Backtick,
    /// What `"…"` interpolates.
    pub(super) double: Interpolation,
    /// `/…/` may be a regular expression.
    pub(super) regex: bool,
    /// `q(…)`, `qw(…)`, `qx(…)`, `%w(…)`, `%x(…)` and `<<EOF`.
    pub(super) quote_words: bool,
    /// Calls need no brackets: `system "ls"`.
    pub(super) bare_calls: bool,
    /// `.` joins strings and does not reach into things.
    pub(super) dot_joins: bool,
    /// `[[…]]` is a text.
    pub(super) long_brackets: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backtick {
    Mark,
    Template,
    Shell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interpolation {
    None,
    /// `{x}` (f-strings).
    Braces,
    /// `${x}`.
    Dollar,
    /// `#{x}`.
    Hash,
    /// `$x`, `${x}`, `{$x}`, `@x`.
    Sigil,
}

#[derive(Clone, Debug)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    pub(super) text: &'t str,
    pub(super) start: usize,
    /// For an opening bracket: the index of the one that closes it.
    pub(super) close: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Name,
    Number,
    Text(Box<Word>),
    /// A string that the shell runs.
    Command(Box<Word>),
    /// Several words: `qw(a b)`.
    Words(Vec<Word>),
    Mark(u8),
    Line,
}

impl Token<'_> {
    pub(super) fn span(&self) -> Span {
        Span::new(self.start, self.start + self.text.len())
    }

    pub(super) fn is(&self, mark: u8) -> bool {
        matches!(self.kind, Kind::Mark(it) if it == mark)
    }

    pub(super) fn is_name(&self, name: &str) -> bool {
        matches!(self.kind, Kind::Name) && self.text == name
    }
}

/// Splits code into tokens; the flag says that a string or comment never ends.
pub(super) fn tokens<'t>(code: &'t str, syntax: &Syntax) -> (Vec<Token<'t>>, bool) {
    let mut lexer = Lexer { code, at: 0, syntax, tokens: Vec::new(), heredoc: None, broken: false };
    lexer.all();
    let mut tokens = lexer.tokens;
    let mut open = Vec::new();
    for index in 0..tokens.len() {
        let Kind::Mark(mark) = tokens[index].kind else { continue };
        match mark {
            b'(' | b'[' | b'{' => open.push((index, mark)),
            b')' | b']' | b'}' => {
                if let Some((opener, _)) = open.pop() {
                    tokens[opener].close = index;
                }
            }
            _ => {}
        }
    }
    (tokens, lexer.broken)
}

struct Lexer<'t, 's> {
    code: &'t str,
    at: usize,
    syntax: &'s Syntax,
    tokens: Vec<Token<'t>>,
    /// Where the heredoc that begins on this line ends.
    heredoc: Option<usize>,
    broken: bool,
}

impl<'t> Lexer<'t, '_> {
    fn all(&mut self) {
        while let Some(byte) = self.byte(0) {
            let start = self.at;
            if self.comment() {
                continue;
            }
            match byte {
                b'\n' => {
                    self.push(Kind::Line, start, 1);
                    self.at = self.heredoc.take().unwrap_or(self.at);
                }
                b'\\' if self.byte(1) == Some(b'\n') => self.at += 2,
                _ if byte.is_ascii_whitespace() => self.at += 1,
                b'"' | b'\'' => self.string(start, start, byte, ""),
                b'[' if self.syntax.long_brackets && self.byte(1) == Some(b'[') => {
                    let end = self.rest().find("]]").map(|length| start + length);
                    self.broken |= end.is_none();
                    let end = end.unwrap_or(self.code.len());
                    let word = self.word(start + 2, end, Interpolation::None, true);
                    self.push(Kind::Text(Box::new(word)), start, (end + 2).min(self.code.len()) - start);
                }
                b'`' if self.syntax.backtick != Backtick::Mark => self.string(start, start, byte, ""),
                b'/' if self.syntax.regex && self.regex_may_start() && self.regex() => {}
                b'%' | b'<' if self.syntax.quote_words && self.quoted(start) => {}
                _ if byte.is_ascii_digit() => {
                    let length = self.run(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_');
                    self.push(Kind::Number, start, length);
                }
                _ if is_name_start(byte)
                    || (matches!(byte, b'$' | b'@') && self.byte(1).is_some_and(is_name_start)) =>
                {
                    self.name(start);
                }
                _ => {
                    self.push(Kind::Mark(byte), start, 1);
                }
            }
        }
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.code.as_bytes().get(self.at + ahead).copied()
    }

    fn rest(&self) -> &'t str {
        self.code.get(self.at..).unwrap_or("")
    }

    fn run(&self, keep: impl Fn(u8) -> bool) -> usize {
        self.code.as_bytes()[self.at..].iter().take_while(|byte| keep(**byte)).count().max(1)
    }

    fn push(&mut self, kind: Kind, start: usize, length: usize) {
        self.at = start + length;
        while !self.code.is_char_boundary(self.at) {
            self.at += 1;
        }
        self.tokens.push(Token { kind, text: &self.code[start..self.at], start, close: 0 });
    }

    fn comment(&mut self) -> bool {
        let rest = &self.code.as_bytes()[self.at..];
        if let Some((open, close)) = self.syntax.block_comment
            && rest.starts_with(open.as_bytes())
        {
            match self.rest()[open.len()..].find(close) {
                Some(end) => self.at += open.len() + end + close.len(),
                None => {
                    self.broken = true;
                    self.at = self.code.len();
                }
            }
            return true;
        }
        if self.syntax.line_comments.iter().any(|mark| rest.starts_with(mark.as_bytes())) {
            self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            return true;
        }
        false
    }

    fn name(&mut self, start: usize) {
        // Where names carry a sigil, the next sigil begins the next name: Perl's `system$_` and Ruby's `eval$x` are calls.
        let sigils = matches!(self.syntax.double, Interpolation::Sigil | Interpolation::Hash);
        let first = usize::from(sigils);
        let part = |byte| is_name_start(byte) || byte.is_ascii_digit() || (!sigils && matches!(byte, b'$' | b'@'));
        let rest = &self.code.as_bytes()[start + first..];
        let length = first + rest.iter().position(|byte| !part(*byte)).unwrap_or(rest.len());
        let name = &self.code[start..start + length];
        self.at = start + length;
        let next = self.byte(0);
        if self.syntax.python
            && name.len() <= 2
            && matches!(next, Some(b'"' | b'\''))
            && name.bytes().all(|byte| b"rRbBfFuUtT".contains(&byte))
        {
            let quote = next.unwrap_or(b'"');
            return self.string(start, start + length, quote, name);
        }
        if self.syntax.quote_words
            && matches!(name, "q" | "qq" | "qw" | "qx")
            && matches!(next, Some(b'(' | b'{' | b'[' | b'/' | b'|' | b'!'))
        {
            let body = self.at + 1;
            let close = closing(next.unwrap_or(b'('));
            let end = self.balanced(body, next.unwrap_or(b'('), close);
            let kind = match name {
                "qw" => Kind::Words(self.words(body, end)),
                "qx" => Kind::Command(Box::new(self.word(body, end, self.syntax.double, false))),
                "qq" => Kind::Text(Box::new(self.word(body, end, self.syntax.double, false))),
                _ => Kind::Text(Box::new(self.word(body, end, Interpolation::None, true))),
            };
            return self.push(kind, start, (end + 1).min(self.code.len()) - start);
        }
        self.push(Kind::Name, start, length);
    }

    /// `%w(a b)`, `%x(ls)`, `<<~EOF`.
    fn quoted(&mut self, start: usize) -> bool {
        let bytes = &self.code.as_bytes()[start..];
        if let [
            b'%',
            letter @ (b'w' | b'W' | b'x' | b'q' | b'Q' | b'i'),
            open @ (b'(' | b'[' | b'{' | b'<' | b'|'),
            ..,
        ] = bytes
        {
            let (letter, open) = (*letter, *open);
            let end = self.balanced(start + 3, open, closing(open));
            let kind = match letter {
                b'w' | b'W' | b'i' => Kind::Words(self.words(start + 3, end)),
                b'x' => Kind::Command(Box::new(self.word(start + 3, end, self.syntax.double, false))),
                _ => Kind::Text(Box::new(self.word(start + 3, end, self.syntax.double, false))),
            };
            self.push(kind, start, (end + 1).min(self.code.len()) - start);
            return true;
        }
        if self.syntax.dot_joins && self.glob(start) {
            return true;
        }
        let Some(tail) = self.code[start..].strip_prefix("<<").filter(|_| !self.broken) else { return false };
        let marked = tail.trim_start_matches(['~', '-', '<']);
        let quote = marked.bytes().next().filter(|byte| matches!(byte, b'"' | b'\''));
        let marked = marked.trim_start_matches(['"', '\'']);
        let length = marked.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        let tag = &marked[..length];
        if !tag.starts_with(|first: char| first.is_ascii_uppercase()) {
            return false;
        }
        if self.heredoc.is_some() {
            // Two on one line: the second is not read, and that is said.
            self.broken = true;
            return false;
        }
        let Some(line_end) = marked.find('\n') else { return false };
        let body = self.code.len() - marked.len() + line_end + 1;
        let mut at = body;
        for line in self.code[body..].split_inclusive('\n') {
            if line.trim().trim_end_matches(';') == tag {
                let how = if quote == Some(b'\'') { Interpolation::None } else { self.syntax.double };
                let word = self.word(body, at, how, true);
                // The rest of the opening line comes first: `)`, or a method on the text.
                self.heredoc = Some(at + line.trim_end().len());
                self.push(Kind::Text(Box::new(word)), start, self.code.len() - marked.len() + length - start);
                return true;
            }
            at += line.len();
        }
        self.broken = true;
        false
    }

    /// Perl's `</var/x/*>`, the files that fit; `<STDIN>` and `<$file>` are lines of a file.
    fn glob(&mut self, start: usize) -> bool {
        let Some(rest) = self.code[start..].strip_prefix('<') else { return false };
        let length = rest.bytes().take(MAX_REGEX).take_while(|byte| !b"<>\n;()=".contains(byte)).count();
        let body = &rest[..length.min(rest.len())];
        let pattern = body.contains(['*', '/', '~', '?']) && !body.contains(' ') && rest[length..].starts_with('>');
        if !pattern {
            return false;
        }
        let word =
            Word { glob: true, quoted: false, ..self.word(start + 1, start + 1 + length, self.syntax.double, false) };
        self.push(Kind::Text(Box::new(word)), start, length + 2);
        true
    }

    /// Whether a `/` here starts a regular expression, judging by what stands before it.
    fn regex_may_start(&self) -> bool {
        match self.tokens.last() {
            None => true,
            Some(token) => match &token.kind {
                Kind::Name => {
                    matches!(token.text, "return" | "typeof" | "case" | "in" | "of" | "if" | "unless" | "and" | "or")
                }
                Kind::Number | Kind::Text(_) | Kind::Command(_) | Kind::Words(_) => false,
                Kind::Mark(mark) => !matches!(mark, b')' | b']' | b'}'),
                Kind::Line => true,
            },
        }
    }

    fn regex(&mut self) -> bool {
        let (mut at, mut class) = (self.at + 1, false);
        while let Some(byte) = self.code.as_bytes().get(at).filter(|_| at - self.at < MAX_REGEX) {
            match byte {
                b'\\' => at += 1,
                b'\n' => return false,
                b'[' => class = true,
                b']' => class = false,
                b'/' if !class => {
                    self.at = at + 1;
                    return true;
                }
                _ => {}
            }
            at += 1;
        }
        false
    }

    /// Where the bracket that is open at `from` closes.
    fn balanced(&mut self, from: usize, open: u8, close: u8) -> usize {
        let mut depth = 1_usize;
        let bytes = self.code.as_bytes();
        let mut at = from;
        while let Some(byte) = bytes.get(at) {
            match *byte {
                b'\\' => at += 1,
                byte if byte == close => {
                    depth -= 1;
                    if depth == 0 {
                        return at;
                    }
                }
                byte if byte == open => depth += 1,
                _ => {}
            }
            at += 1;
        }
        self.broken = true;
        self.code.len()
    }

    fn words(&self, from: usize, to: usize) -> Vec<Word> {
        let text = self.code.get(from..to).unwrap_or("");
        let span = Some(Span::new(from, from + text.len()));
        text.split_whitespace().map(|word| Word { span, ..Word::known(word) }).collect()
    }

    /// A string that opens with `quote` at `open`; `start` is where its prefix begins.
    fn string(&mut self, start: usize, open: usize, quote: u8, prefix: &str) {
        let bytes = self.code.as_bytes();
        let triple = self.syntax.python && bytes[open..].starts_with(&[quote; 3]);
        let body = open + if triple { 3 } else { 1 };
        let raw = prefix.contains(['r', 'R']);
        let template = quote == b'`' && self.syntax.backtick == Backtick::Template;
        let mut at = body;
        let end = loop {
            match bytes.get(at) {
                None => {
                    self.broken = true;
                    break self.code.len();
                }
                Some(b'\\') => at += 2,
                Some(b'\n') if self.syntax.python && !triple => {
                    self.broken = true;
                    break at;
                }
                Some(byte) if *byte == quote && (!triple || bytes[at..].starts_with(&[quote; 3])) => break at,
                Some(b'$') if template && bytes.get(at + 1) == Some(&b'{') => {
                    at = self.balanced(at + 2, b'{', b'}') + 1
                }
                Some(_) => at += 1,
            }
        };
        let end = end.min(self.code.len());
        let how = match quote {
            b'`' if template => Interpolation::Dollar,
            b'\'' if !self.syntax.python => Interpolation::None,
            _ if self.syntax.python && prefix.contains(['f', 'F', 't', 'T']) => Interpolation::Braces,
            _ if self.syntax.python => Interpolation::None,
            _ => self.syntax.double,
        };
        let plain = raw || (quote == b'\'' && self.syntax.quote_words);
        let mut word = self.word(body, end, how, plain);
        let after = (end + body - open).min(self.code.len());
        word.span = Some(Span::new(start, after));
        let shell = quote == b'`' && self.syntax.backtick == Backtick::Shell;
        let kind = if shell { Kind::Command(Box::new(word)) } else { Kind::Text(Box::new(word)) };
        self.push(kind, start, after - start);
    }
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn closing(open: u8) -> u8 {
    match open {
        b'(' => b')',
        b'[' => b']',
        b'{' => b'}',
        b'<' => b'>',
        same => same,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::Language;
    use crate::classify::code::tables;

    #[track_caller]
    fn check(language: Language, code: &str, expected: &[&str]) {
        let (tokens, _) = tokens(code, tables::syntax(language));
        assert_eq!(tokens.iter().map(|token| token.text).collect::<Vec<_>>(), expected, "{code}");
    }

    #[test]
    fn a_sigil_begins_a_name() {
        check(Language::Perl, "system$_ while<>", &["system", "$_", "while", "<", ">"]);
        check(Language::Perl, "$x@y", &["$x", "@y"]);
        check(Language::Ruby, "eval$stdin.read", &["eval", "$stdin", ".", "read"]);
        check(Language::Perl, "unlink for</x/*>", &["unlink", "for", "</x/*>"]);
        check(Language::JavaScript, "jQuery$x", &["jQuery$x"]);
    }
}
