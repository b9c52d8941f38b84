//! The plain lines that most of a log is made of, read without the parser: words, quotes, `$name`, redirections to
//! files, pipes and chains.
//!
//! The tree is the very one that the parser's is turned into, which a test holds against it; what has anything else in
//! it is not read here. A parser of the whole language takes several times as long for such a line.

use super::tree::{Change, Index, Node, Parameter, Part, RawWord, Redirect, RedirectKind, Script, Simple, Statement};
use crate::model::Span;

/// Longer texts are scripts, for which the parser has limits of its own.
const MAX_LENGTH: usize = 4096;
/// Commands of one text; the parser gives up on chains of thousands.
const MAX_COMMANDS: usize = 64;

/// Words that begin something else than a simple command.
const KEYWORDS: &[&str] = &[
    "always",
    "break",
    "case",
    "continue",
    "coproc",
    "declare",
    "do",
    "done",
    "elif",
    "else",
    "end",
    "esac",
    "exit",
    "export",
    "fi",
    "float",
    "for",
    "foreach",
    "function",
    "if",
    "in",
    "integer",
    "let",
    "local",
    "nocorrect",
    "noglob",
    "readonly",
    "repeat",
    "return",
    "select",
    "then",
    "time",
    "typeset",
    "until",
    "while",
];

/// The statements of `text`; `None` when it has anything in it that takes a parser.
pub(super) fn script(text: &str) -> Option<Script<'_>> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let mut reader = Reader { text, bytes: text.as_bytes(), at: 0, commands: 0 };
    let mut script = Vec::with_capacity(1);
    reader.blank(true);
    while reader.at < text.len() {
        script.push(reader.chain()?);
        reader.blank(false);
        match reader.peek() {
            None => break,
            Some(b';' | b'\n') => reader.at += 1,
            Some(_) => return None,
        }
        reader.blank(true);
    }
    (!script.is_empty()).then_some(script)
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    commands: usize,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Passes over blanks, and over ends of lines where they mean nothing.
    fn blank(&mut self, lines: bool) {
        while let Some(b' ' | b'\t') | Some(b'\n') = self.peek() {
            if !lines && self.peek() == Some(b'\n') {
                break;
            }
            self.at += 1;
        }
    }

    /// Takes an operator and what may stand between it and the next command.
    fn take(&mut self, operator: &str) -> bool {
        self.blank(false);
        let found = self.bytes[self.at..].starts_with(operator.as_bytes());
        if found {
            self.at += operator.len();
            self.blank(true);
        }
        found
    }

    fn slice(&self, from: usize) -> &'t str {
        self.text.get(from..self.at).unwrap_or_default()
    }

    /// `a && b || c`
    fn chain(&mut self) -> Option<Statement<'t>> {
        let first = self.pipeline()?;
        let mut links = Vec::new();
        loop {
            let or = match (self.take("&&"), self.take("||")) {
                (true, false) => false,
                (false, true) => true,
                (false, false) => break,
                (true, true) => return None,
            };
            let link = self.pipeline()?;
            links.push(Statement { or, ..link });
        }
        Some(joined(first, links, Node::Chain))
    }

    /// `a | b`
    fn pipeline(&mut self) -> Option<Statement<'t>> {
        let first = self.command()?;
        let mut stages = Vec::new();
        while !self.follows(b"||") && self.take("|") {
            stages.push(self.command()?);
        }
        Some(joined(first, stages, Node::Pipeline))
    }

    fn follows(&mut self, operator: &[u8]) -> bool {
        self.blank(false);
        self.bytes[self.at..].starts_with(operator)
    }

    fn command(&mut self) -> Option<Statement<'t>> {
        self.commands += 1;
        if self.commands > MAX_COMMANDS {
            return None;
        }
        let (start, mut end) = (self.at, self.at);
        let mut words: Vec<RawWord<'t>> = Vec::with_capacity(4);
        let mut redirects = Vec::new();
        loop {
            self.blank(false);
            match self.peek() {
                None | Some(b';' | b'\n' | b'|' | b'&') => break,
                Some(b'<' | b'>') => redirects.push(self.redirect(self.at)?),
                Some(_) => {
                    let from = self.at;
                    let word = self.word()?;
                    let number = matches!(self.peek(), Some(b'<' | b'>'))
                        && self.slice(from).bytes().all(|byte| byte.is_ascii_digit());
                    if number {
                        redirects.push(self.redirect(from)?);
                    } else {
                        words.push(word);
                    }
                }
            }
            end = self.at;
            // A redirection in front of the program stands elsewhere in the tree.
            if words.is_empty() {
                return None;
            }
        }
        let [Part::Bare(name), ..] = &*words.first()?.parts else { return None };
        if name.contains('=') || KEYWORDS.binary_search(name).is_ok() {
            return None;
        }
        let node = Node::Simple(Simple { words, ..Simple::default() });
        Some(Statement { node, redirects, or: false, background: false, span: Span::new(start, end) })
    }

    /// `> file`, `2>> file`, `< file` and `2>&1`; `from` is where its number stands, if it has one.
    fn redirect(&mut self, from: usize) -> Option<Redirect<'t>> {
        let number = self.slice(from);
        let mut fd = if number.is_empty() { None } else { Some(number.parse().ok()?) };
        let (kind, length) = match (self.peek()?, self.bytes.get(self.at + 1)) {
            (b'>', Some(b'>')) => (RedirectKind::Append, 2),
            (b'>', Some(b'&')) => (RedirectKind::Duplicate, 2),
            (b'>', _) => (RedirectKind::Write, 1),
            (_, Some(b'<' | b'>' | b'&')) => return None,
            (_, _) => (RedirectKind::Read, 1),
        };
        self.at += length;
        self.blank(false);
        let to = self.at;
        let mut target = self.word()?;
        let is_number = self.slice(to).bytes().all(|byte| byte.is_ascii_digit());
        if target.parts.is_empty()
            || matches!(self.peek(), Some(b'<' | b'>'))
            || kind == RedirectKind::Duplicate && !is_number
        {
            return None;
        }
        match (kind, fd) {
            (RedirectKind::Duplicate, None) => fd = Some(1),
            // The parser does not say where the second number of `2>&1` stands.
            (RedirectKind::Duplicate, Some(_)) if target.span?.start == from + number.len() + 2 => {
                target.span = Some(Span::new(0, 0));
            }
            (RedirectKind::Duplicate, _) => return None,
            _ => {}
        }
        Some(Redirect { fd, kind, target, span: Span::new(from, self.at) })
    }

    fn word(&mut self) -> Option<RawWord<'t>> {
        let (start, mut parts) = (self.at, Vec::with_capacity(1));
        loop {
            let from = self.at;
            while self.peek().is_some_and(is_bare) {
                self.at += 1;
            }
            if self.at > from {
                parts.push(Part::Bare(self.slice(from)));
            }
            match self.peek() {
                Some(b'\'') => parts.push(Part::Quoted(self.quoted()?)),
                Some(b'"') => self.double_quoted(&mut parts)?,
                Some(b'$') => parts.push(self.variable(false)?),
                None | Some(b' ' | b'\t' | b'\n' | b';' | b'|' | b'&' | b'<' | b'>') => break,
                Some(_) => return None,
            }
        }
        Some(RawWord { parts, span: Some(Span::new(start, self.at)), braces: false })
    }

    /// `'…'`
    fn quoted(&mut self) -> Option<&'t str> {
        let rest = self.text.get(self.at + 1..)?;
        let inside = &rest[..memchr::memchr(b'\'', rest.as_bytes())?];
        self.at += inside.len() + 2;
        Some(inside)
    }

    /// `"…"` with nothing in it that counts there but `$name`.
    fn double_quoted(&mut self, parts: &mut Vec<Part<'t>>) -> Option<()> {
        self.at += 1;
        // Even an empty pair of quotes makes a word.
        parts.push(Part::Quoted(""));
        loop {
            let from = self.at;
            while self.peek().is_some_and(|byte| !matches!(byte, b'"' | b'$' | b'\\' | b'`')) {
                self.at += 1;
            }
            if self.at > from {
                parts.push(Part::Quoted(self.slice(from)));
            }
            match self.peek()? {
                b'"' => break,
                b'$' => parts.push(self.variable(true)?),
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    /// `$name`
    fn variable(&mut self, quoted: bool) -> Option<Part<'t>> {
        let from = self.at;
        self.at += 1;
        if !self.peek().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_') {
            return None;
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            self.at += 1;
        }
        // `$name[1]`, `$name:h`: not in every shell.
        if matches!(self.peek(), Some(b'[' | b':')) {
            return None;
        }
        let written = self.slice(from);
        let name = &written[1..];
        let parameter = Parameter { name, index: Index::None, change: Change::None, written, quoted };
        Some(Part::Parameter(Box::new(parameter)))
    }
}

/// Several commands as one; a single one stays what it is.
fn joined<'t>(first: Statement<'t>, more: Script<'t>, node: fn(Script<'t>) -> Node<'t>) -> Statement<'t> {
    let Some(last) = more.last() else { return first };
    let span = Span::new(first.span.start, last.span.end);
    let mut script = Vec::with_capacity(1 + more.len());
    script.push(first);
    script.extend(more);
    Statement { node: node(script), redirects: Vec::new(), or: false, background: false, span }
}

/// Stands for itself in a word, wherever in it.
const fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'_' | b'.' | b'/' | b':' | b'@' | b'%' | b'+' | b',' | b'=' | b'*' | b'?' | b'~' | b'^'
        )
}

#[cfg(test)]
mod tests {
    use super::super::from_shuck;
    use super::*;

    /// The tree is the parser's, or there is none. Says whether there is one.
    #[track_caller]
    fn agrees(text: &str) -> bool {
        let Some(plain) = script(text) else { return false };
        let parsed = from_shuck::parse(text).unwrap_or_else(|said| panic!("{text:?}: the parser says {said}"));
        let whole = parsed.script(text).unwrap();
        // The parser finds nothing several times in some empty quotes.
        let shown = |script| {
            let mut shown = format!("{script:?}");
            while shown.contains("Quoted(\"\"), Quoted(\"\")") {
                shown = shown.replace("Quoted(\"\"), Quoted(\"\")", "Quoted(\"\")");
            }
            shown
        };
        assert_eq!(shown(&plain), shown(&whole), "{text:?}");
        true
    }

    #[test]
    fn plain_lines_are_read_as_the_parser_reads_them() {
        assert!(KEYWORDS.is_sorted());
        for text in [
            "ls",
            " ls -la ",
            "git status --short\n",
            "cd /srv/app && npm test -- --run src/report7",
            "grep -rn 'a b' src --include='*.rs' | head -20",
            "cat /var/log/x.log | sort | uniq -c || true; echo \"all done\"",
            "git commit -m \"fix: a (b) [c] {d,e} #1 'x'\"",
            "echo \"$NAME is $x.\" >> notes.txt 2>&1",
            "sort <in >out 2> /dev/null; wc -l out",
            "make 2>&1 | tee log\ndate",
            "a &&\n b |\n c",
            "echo '' \"\" a''b",
            "rm -rf $TMP/x ~/y *.o a?b",
            "psql -c 'SELECT 1;\nSELECT 2'",
        ] {
            assert!(agrees(text), "{text:?}");
        }
    }

    #[test]
    fn what_takes_a_parser_is_left_to_it() {
        for text in [
            "",
            ";",
            "ls;;",
            "a=1 b",
            "if x",
            "! a",
            "(a)",
            "a &",
            "a |& b",
            "a \\; b",
            "$(a)",
            "a ${b}",
            "{ a; }",
            "export A=1",
            "a <<E\nE",
            "a &> b",
            "> a",
            "a >| b",
            "a # b",
            "echo {1,2}",
            "a | | b",
            "a && ; b",
            "[ a ]",
            "'a",
            "\"a",
            "a && && b",
            "f() { x; }",
        ] {
            assert!(script(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn every_small_line_is_the_parsers_or_not_read() {
        const TOKENS: &[&str] = &[
            "a",
            " ",
            " ",
            "b.c",
            "-x",
            "'q r'",
            "\"d $v e\"",
            "$v",
            "|",
            "&&",
            "||",
            ";",
            "\n",
            ">",
            ">>",
            "2>",
            "<",
            ">&1",
            "=",
            "~",
            "*",
            "1",
            ":",
            "^",
            "+",
            "?",
            "\t",
            "%",
            "@",
            ",",
            "if",
            "time",
            "#",
            "{",
            "}",
            "\"\"",
            "/",
        ];
        let (mut seed, mut read) = (7_u64, 0);
        for _ in 0..40_000 {
            let mut text = String::new();
            for _ in 0..1 + seed % 9 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text.push_str(TOKENS[(seed >> 33) as usize % TOKENS.len()]);
            }
            read += usize::from(agrees(&text));
        }
        assert!(read > 4_000, "{read}");
    }
}
