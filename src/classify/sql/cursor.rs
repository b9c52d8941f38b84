//! A reader over the tokens of one statement: keywords, names, literals, lists.

use crate::model::Span;

use super::lexer::{Kind, Token};

/// Stands before one token of a statement; reading past the end is harmless.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'t> {
    pub(super) text: &'t str,
    pub(super) tokens: &'t [Token],
    pub(super) at: usize,
}

/// A possibly qualified name, unquoted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) span: Option<Span>,
    /// Some part of it is filled in later.
    pub(super) unresolved: bool,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str, tokens: &'t [Token]) -> Self {
        Self { text, tokens, at: 0 }
    }

    pub(super) fn token(&self) -> Option<Token> {
        self.tokens.get(self.at).copied()
    }

    pub(super) fn ended(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// The tokens from here on.
    pub(super) fn rest(&self) -> &'t [Token] {
        self.tokens.get(self.at..).unwrap_or_default()
    }

    /// The text of the token `ahead` tokens from here; empty beyond the end.
    pub(super) fn peek(&self, ahead: usize) -> &'t str {
        self.tokens.get(self.at + ahead).map_or("", |token| &self.text[token.start..token.end])
    }

    fn is_word(&self, ahead: usize, word: &str) -> bool {
        self.tokens.get(self.at + ahead).is_some_and(|token| {
            token.kind == Kind::Word && self.text[token.start..token.end].eq_ignore_ascii_case(word)
        })
    }

    /// Whether the words `phrase` stand here, in any case.
    pub(super) fn sees(&self, phrase: &str) -> bool {
        // The first letter answers nearly all of the questions, and there are hundreds of them for each statement.
        let first = |text: &str| text.bytes().next().map(|letter| letter.to_ascii_uppercase());
        first(self.peek(0)) == first(phrase)
            && phrase.split(' ').enumerate().all(|(ahead, word)| self.is_word(ahead, word))
    }

    /// Steps over the words `phrase` if they stand here.
    pub(super) fn eat(&mut self, phrase: &str) -> bool {
        let seen = self.sees(phrase);
        if seen {
            self.at += phrase.split(' ').count();
        }
        seen
    }

    /// Steps over any of `phrases`, once.
    pub(super) fn eat_any(&mut self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.eat(phrase))
    }

    pub(super) fn sees_punct(&self, punct: &str) -> bool {
        self.token().is_some_and(|token| token.kind == Kind::Punct) && self.peek(0) == punct
    }

    pub(super) fn eat_punct(&mut self, punct: &str) -> bool {
        let seen = self.sees_punct(punct);
        self.at += usize::from(seen);
        seen
    }

    /// The word here in upper case; empty when something else stands here.
    pub(super) fn keyword(&self) -> String {
        match self.token() {
            Some(token) if token.kind == Kind::Word => self.peek(0).to_ascii_uppercase(),
            _ => String::new(),
        }
    }

    /// Whether the words `phrase` stand anywhere from here on, outside of strings.
    pub(super) fn has(&self, phrase: &str) -> bool {
        self.find(phrase).is_some()
    }

    /// Where the words `phrase` stand, at any depth of brackets.
    pub(super) fn find(&self, phrase: &str) -> Option<usize> {
        (self.at..self.tokens.len()).find(|at| Self { at: *at, ..*self }.sees(phrase))
    }

    /// Where one of `words` stands outside of brackets opened from here on.
    pub(super) fn find_flat(&self, words: &[&str]) -> Option<usize> {
        let mut depth = 0usize;
        for at in self.at..self.tokens.len() {
            let token = self.tokens[at];
            let text = &self.text[token.start..token.end];
            match (token.kind, text) {
                (Kind::Punct, "(") => depth += 1,
                (Kind::Punct, ")") => depth = depth.saturating_sub(1),
                (Kind::Word, _) if depth == 0 && words.iter().any(|word| text.eq_ignore_ascii_case(word)) => {
                    return Some(at);
                }
                _ => {}
            }
        }
        None
    }

    /// Steps over a bracket and all in it, and gives what is in it.
    pub(super) fn brackets(&mut self) -> Option<&'t [Token]> {
        if !self.sees_punct("(") {
            return None;
        }
        let (open, mut depth) = (self.at, 0usize);
        while let Some(token) = self.token() {
            match (token.kind, self.peek(0)) {
                (Kind::Punct, "(") => depth += 1,
                (Kind::Punct, ")") => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return self.tokens.get(open + 1..self.at - 1);
            }
        }
        self.tokens.get(open + 1..)
    }

    /// Reads a name with its qualifiers: `a`, `"a".b`, `db..t`, `{{ schema }}.t`, `db.*`.
    pub(super) fn name(&mut self) -> Option<Name> {
        let mut name = Name::default();
        let mut start = None;
        let mut end = 0;
        let mut wants_part = true;
        while let Some(token) = self.token() {
            let text = self.peek(0);
            // `{{ a }}_b` and `t_%s` are one part.
            let glued = !wants_part
                && end == token.start
                && (token.kind == Kind::Param || name.unresolved && token.kind == Kind::Word);
            match token.kind {
                Kind::Word | Kind::Quoted | Kind::Param | Kind::Text | Kind::Number if wants_part || glued => {
                    if token.kind == Kind::Text && start.is_some() && !name.text.ends_with('.') {
                        break;
                    }
                    name.text.push_str(&unquoted(text, token.kind));
                    name.unresolved |= token.kind == Kind::Param;
                    wants_part = false;
                }
                Kind::Punct if text == "." && start.is_some() => {
                    name.text.push('.');
                    wants_part = true;
                }
                Kind::Punct if text == "*" && wants_part && (start.is_none() || name.text.ends_with('.')) => {
                    name.text.push('*');
                    wants_part = false;
                }
                Kind::Punct if text == "-" && !wants_part && end == token.start && self.glues_on(token) => {
                    name.text.push('-');
                    wants_part = true;
                }
                _ => break,
            }
            start = start.or(Some(token.start));
            end = token.end;
            self.at += 1;
        }
        name.span = Some(Span::new(start?, end));
        Some(name)
    }

    /// Whether a `-` belongs to an unquoted BigQuery project name (`my-project.sales.t`).
    fn glues_on(&self, dash: Token) -> bool {
        self.tokens.get(self.at + 1).is_some_and(|next| {
            next.start == dash.end && matches!(next.kind, Kind::Word) && self.peek(2) == "." || self.peek(2) == "-"
        })
    }

    /// Reads `name [, name …]`, stepping over argument lists and `ONLY`, `*`.
    pub(super) fn names(&mut self) -> Vec<Name> {
        let mut names = Vec::new();
        loop {
            if self.sees("ONLY") && !matches!(self.peek(1), "" | "," | ".") {
                self.at += 1;
            }
            let Some(name) = self.name() else { return names };
            names.push(name);
            self.brackets();
            self.eat_punct("*");
            if !self.eat_punct(",") {
                return names;
            }
        }
    }

    /// Reads `'user'@'host'` or a role name as one name.
    pub(super) fn account(&mut self) -> Option<Name> {
        let mut name = self.name()?;
        let token = self.token();
        if self.sees_punct("@") {
            self.at += 1;
            if let Some(host) = self.name() {
                name.text = format!("{}@{}", name.text, host.text);
                name.span = join(name.span, host.span);
            }
        } else if let Some(token) = token.filter(|token| token.kind == Kind::Word && self.peek(0).starts_with('@')) {
            name.text.push_str(self.peek(0));
            name.span = join(name.span, Some(Span::new(token.start, token.end)));
            self.at += 1;
        }
        Some(name)
    }

    pub(super) fn accounts(&mut self) -> Vec<Name> {
        let mut names = Vec::new();
        while let Some(name) = self.account() {
            names.push(name);
            if !self.eat_punct(",") {
                break;
            }
        }
        names
    }

    /// The string here, decoded, with the span of the token; steps over it.
    pub(super) fn string(&mut self) -> Option<(String, Span)> {
        let token = self.token().filter(|token| token.kind == Kind::Text)?;
        let value = literal(self.peek(0));
        self.at += 1;
        Some((value, Span::new(token.start, token.end)))
    }

    /// The first string from here on.
    pub(super) fn next_string(&mut self) -> Option<(String, Span)> {
        while !self.ended() {
            if let Some(found) = self.string() {
                return Some(found);
            }
            self.at += 1;
        }
        None
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let token = self.token().filter(|token| token.kind == Kind::Number)?;
        let value = self.text[token.start..token.end].parse().ok()?;
        self.at += 1;
        Some(value)
    }

    /// From the token at `start` up to the last one read.
    pub(super) fn span_from(&self, start: usize) -> Option<Span> {
        let first = self.tokens.get(start)?;
        let last = self.tokens.get(self.at.max(start + 1).min(self.tokens.len()) - 1)?;
        Some(Span::new(first.start, last.end))
    }

    /// The whole statement.
    pub(super) fn span(&self) -> Option<Span> {
        Some(Span::new(self.tokens.first()?.start, self.tokens.last()?.end))
    }
}

/// Both spans and what is between them.
pub(super) fn join(first: Option<Span>, second: Option<Span>) -> Option<Span> {
    match (first, second) {
        (Some(first), Some(second)) => Some(Span::new(first.start.min(second.start), first.end.max(second.end))),
        (one, other) => one.or(other),
    }
}

/// A name without its quotes.
pub(super) fn unquoted(text: &str, kind: Kind) -> String {
    match kind {
        Kind::Quoted | Kind::Text => {
            let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or(text);
            let close = &text[text.len() - text.chars().next_back().map_or(0, char::len_utf8)..];
            if close.is_empty() || !inner.contains(close) {
                inner.to_owned()
            } else {
                inner.replace(&close.repeat(2), close)
            }
        }
        Kind::Param => text.trim_matches(['{', '}', ' ']).to_owned(),
        _ => text.to_owned(),
    }
}

/// The value of a string token: prefix and quotes taken off, doubled quotes and common escapes undone.
pub(super) fn literal(text: &str) -> String {
    if let Some(rest) = text.strip_prefix('$') {
        let tag = rest.find('$').map_or(0, |at| at + 2);
        return text.get(tag..text.len().saturating_sub(tag)).unwrap_or_default().to_owned();
    }
    let Some(open) = text.find(['\'', '"']) else { return text.to_owned() };
    let quote = &text[open..=open];
    let (prefix, mut inner) = (&text[..open], &text[open + 1..]);
    inner = inner.strip_suffix(quote).unwrap_or(inner);
    if prefix.eq_ignore_ascii_case("q") && inner.len() >= 2 {
        return inner.get(1..inner.len() - 1).unwrap_or(inner).to_owned();
    }
    let mut value = if inner.contains(quote) { inner.replace(&quote.repeat(2), quote) } else { inner.to_owned() };
    if prefix.eq_ignore_ascii_case("e") && value.contains('\\') {
        value = value.replace("\\n", "\n").replace("\\t", "\t").replace("\\'", "'").replace("\\\\", "\\");
    }
    value
}
