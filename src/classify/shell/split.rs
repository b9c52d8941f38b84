//! The last resort for code that does not parse: words and operators, whatever the structure.

use super::tree::{Change, Index, Node, Parameter, Part, RawWord, Redirect, RedirectKind, Script, Simple, Statement};
use crate::model::Span;

/// More commands than this are not read out of one text.
const MAX_COMMANDS: usize = 512;

/// The simple commands in `text` from `from` on.
pub(super) fn commands(text: &str, from: usize) -> Script<'_> {
    let mut splitter = Splitter { text, at: from, script: Vec::new(), words: Vec::new(), redirects: Vec::new() };
    while splitter.at < text.len() && splitter.script.len() < MAX_COMMANDS {
        splitter.next();
    }
    splitter.end();
    splitter.script
}

struct Splitter<'t> {
    text: &'t str,
    at: usize,
    script: Script<'t>,
    words: Vec<RawWord<'t>>,
    redirects: Vec<Redirect<'t>>,
}

impl<'t> Splitter<'t> {
    fn next(&mut self) {
        let Some(&byte) = self.text.as_bytes().get(self.at) else { return };
        match byte {
            b' ' | b'\t' | b'\r' => self.at += 1,
            b'\n' | b';' | b'|' | b'&' | b'(' | b')' | b'`' => {
                self.end();
                self.at += 1;
            }
            b'#' if self.text[..self.at].ends_with([' ', '\t', '\n', ';']) || self.at == 0 => {
                self.at = self.text[self.at..].find('\n').map_or(self.text.len(), |line| self.at + line);
            }
            b'>' | b'<' => self.redirect(byte),
            _ => {
                let word = self.word();
                self.words.push(word);
            }
        }
    }

    fn redirect(&mut self, byte: u8) {
        let start = self.at;
        let operator = self.text[start..].bytes().take_while(|next| matches!(next, b'<' | b'>' | b'&' | b'|')).count();
        self.at += operator;
        let operator = &self.text[start..self.at];
        self.at += self.text[self.at..].bytes().take_while(|next| matches!(next, b' ' | b'\t')).count();
        // `2>file`: the number before the sign is no word of the command.
        if self.words.last().is_some_and(|word| {
            word.span.is_some_and(|span| span.end == start && span.end - span.start == 1)
                && matches!(&*word.parts, [Part::Bare(text)] if text.bytes().all(|byte| byte.is_ascii_digit()))
        }) {
            self.words.pop();
        }
        let target = self.word();
        if target.parts.is_empty() {
            return;
        }
        let kind = match (byte, operator) {
            (b'>', ">" | ">|" | ">&") => RedirectKind::Write,
            (b'>', ">>") => RedirectKind::Append,
            (b'<', "<") => RedirectKind::Read,
            _ => return,
        };
        let kind = if operator == ">&" { RedirectKind::Duplicate } else { kind };
        self.redirects.push(Redirect { fd: None, kind, target, span: Span::new(start, self.at) });
    }

    fn word(&mut self) -> RawWord<'t> {
        let (start, mut parts) = (self.at, Vec::new());
        let bytes = self.text.as_bytes();
        let mut bare = self.at;
        while let Some(&byte) = bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'|' | b'&' | b'(' | b')' | b'`' | b'<' | b'>' => break,
                b'\\' => {
                    let letter = self.text[self.at + 1..].chars().next().map_or(0, char::len_utf8);
                    self.at += 1 + letter;
                }
                b'\'' | b'"' => {
                    variables(&self.text[bare..self.at], false, &mut parts);
                    match self.quoted(byte) {
                        Some(inside) => {
                            self.at += inside.len() + 2;
                            parts.push(Part::Quoted(""));
                            if byte == b'"' {
                                variables(inside, true, &mut parts);
                            } else {
                                parts.push(Part::Quoted(inside));
                            }
                        }
                        // A quote that hides code, or that nobody closes, is passed over.
                        None => self.at += 1,
                    }
                    bare = self.at;
                }
                _ => self.at += 1,
            }
        }
        variables(&self.text[bare..self.at], false, &mut parts);
        RawWord { parts, span: Some(Span::new(start, self.at)), braces: false }
    }

    /// What stands in the quotes that open here.
    fn quoted(&self, quote: u8) -> Option<&'t str> {
        /// Looking for the other quote of thousands of lonely ones would take for ever.
        const FARTHEST: usize = 4_096;
        let rest = self.text.as_bytes().get(self.at + 1..)?;
        let mut hidden = false;
        let close = rest.iter().take(FARTHEST).position(|byte| {
            let closes = *byte == quote && !hidden;
            hidden = quote == b'"' && *byte == b'\\' && !hidden;
            closes
        })?;
        let inside = self.text.get(self.at + 1..self.at + 1 + close)?;
        let code = quote == b'"' && (inside.contains("$(") || inside.contains('`'));
        (!code).then_some(inside)
    }

    fn end(&mut self) {
        let keyword = |word: &RawWord<'_>| match &*word.parts {
            [Part::Bare(text)] => matches!(
                *text,
                "if" | "then"
                    | "elif"
                    | "else"
                    | "fi"
                    | "while"
                    | "until"
                    | "do"
                    | "done"
                    | "esac"
                    | "{"
                    | "}"
                    | "!"
                    | "[["
                    | "]]"
                    | "time"
                    | "coproc"
                    | "function"
                    | "$"
                    | "{}"
            ),
            [] => true,
            _ => false,
        };
        let heads = self.words.iter().take_while(|word| keyword(word)).count();
        let words: Vec<_> = self.words.drain(..).skip(heads).collect();
        let redirects = std::mem::take(&mut self.redirects);
        let start = words.first().and_then(|word| word.span).map(|span| span.start);
        let end = words.last().and_then(|word| word.span).map(|span| span.end);
        let span = match (start, end, redirects.last()) {
            (Some(start), Some(end), _) => Span::new(start, end),
            (_, _, Some(redirect)) => redirect.span,
            _ => return,
        };
        let node = Node::Simple(Simple { words, ..Simple::default() });
        self.script.push(Statement { node, redirects, or: false, background: false, span });
    }
}

/// Tells `$x` and `${x}` in a piece of a word from the letters around them.
fn variables<'t>(text: &'t str, quoted: bool, parts: &mut Vec<Part<'t>>) {
    let letters = |text| if quoted { Part::Quoted(text) } else { Part::Bare(text) };
    let mut rest = text;
    let mut from = 0;
    while let Some(at) = rest.get(from..).and_then(|text| text.find('$')).map(|at| from + at) {
        let after = &rest[at + 1..];
        let (open, close) = if after.starts_with('{') { (1, 1) } else { (0, 0) };
        let name = after[open..].bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        let mut length = 1 + open + name;
        if close == 1 {
            length += after[open + name..].find('}').map_or(0, |end| end + 1);
        }
        let hidden = !quoted && rest[..at].ends_with('\\');
        if name == 0 || hidden {
            from = at + 1;
            continue;
        }
        if at > 0 {
            parts.push(letters(&rest[..at]));
        }
        let name = &after[open..open + name];
        let written = &rest[at..at + length];
        let plain = written.len() == name.len() + 1 + 2 * close;
        let change = if plain { Change::None } else { Change::Opaque(Vec::new()) };
        parts.push(Part::Parameter(Box::new(Parameter { name, index: Index::None, change, written, quoted })));
        rest = &rest[at + length..];
        from = 0;
    }
    if !rest.is_empty() {
        parts.push(letters(rest));
    }
}
