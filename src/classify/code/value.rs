//! What an expression comes to, as far as literals and simple variables tell.

use std::collections::BTreeMap;

use crate::classify::{Unknown, Word};
use crate::model::Span;

use super::encoding::{base64, hex};
use super::lexer::{Kind, Token};

/// What is known of a value.
#[derive(Clone, Debug, Default)]
pub(super) struct Value {
    /// One word, or the items of a list; parts that are not known are marked in them.
    pub(super) words: Vec<Word>,
    pub(super) list: bool,
    /// Files whose content is in it.
    pub(super) files: Vec<Word>,
    /// The environment variables are in it.
    pub(super) environment: bool,
    /// It was fetched from outside.
    pub(super) remote: bool,
    /// It was unpacked from an encoded form.
    pub(super) decoded: bool,
}

impl Value {
    pub(super) fn word(&self) -> Option<&Word> {
        if self.list { None } else { self.words.first() }
    }
}

/// The variables that are bound so far.
pub(super) type Variables = BTreeMap<String, Value>;

/// Values nest (`join(join(a, b), c)`) only so far.
const MAX_DEPTH: usize = 8;
/// A text that is put together grows only so far.
const MAX_TEXT: usize = 1 << 14;
/// And so do the parts of it that are not known.
const MAX_UNKNOWN: usize = 64;

/// The tokens of one piece of code with what is known of its variables.
#[derive(Debug)]
pub(super) struct Reading<'t> {
    pub(super) code: &'t str,
    pub(super) tokens: Vec<Token<'t>>,
    pub(super) dot_joins: bool,
    pub(super) variables: Variables,
}

impl<'t> Reading<'t> {
    pub(super) fn span(&self, from: usize, to: usize) -> Option<Span> {
        let first = self.tokens.get(from)?;
        let last = self.tokens.get(to.checked_sub(1)?)?;
        Some(Span::new(first.start, last.start + last.text.len()))
    }

    /// Splits `from..to` at the commas that stand directly in it.
    pub(super) fn items(&self, from: usize, to: usize) -> Vec<(usize, usize)> {
        let (mut items, mut start, mut at) = (Vec::new(), from, from);
        while at < to {
            let token = &self.tokens[at];
            if token.is(b',') {
                items.push((start, at));
                start = at + 1;
            }
            at = if token.close > at { token.close + 1 } else { at + 1 };
        }
        items.push((start, to));
        items.retain(|(from, to)| self.tokens[*from..*to].iter().any(|token| !matches!(token.kind, Kind::Line)));
        items.truncate(256);
        items
    }

    /// What the expression `from..to` comes to.
    pub(super) fn value(&self, from: usize, to: usize) -> Value {
        let (from, to) = self.trimmed(from, to);
        let mut value = Value::default();
        self.sources(from, to, &mut value);
        match self.list(from, to) {
            Some(words) => (value.words, value.list) = (words, true),
            None => value.words = vec![self.word(from, to, 0)],
        }
        value
    }

    fn trimmed(&self, mut from: usize, mut to: usize) -> (usize, usize) {
        let is_line = |at: usize| self.tokens.get(at).is_some_and(|token| matches!(token.kind, Kind::Line));
        while from < to && is_line(from) {
            from += 1;
        }
        while from < to && is_line(to - 1) {
            to -= 1;
        }
        (from, to)
    }

    fn list(&self, from: usize, to: usize) -> Option<Vec<Word>> {
        let first = self.tokens.get(from).filter(|_| from < to)?;
        match &first.kind {
            Kind::Words(words) if to - from == 1 => Some(words.clone()),
            Kind::Name if to - from == 1 => {
                self.variables.get(first.text).filter(|value| value.list).map(|value| value.words.clone())
            }
            Kind::Mark(b'[') if first.close + 1 == to => {
                Some(self.items(from + 1, to - 1).into_iter().map(|(from, to)| self.word(from, to, 1)).collect())
            }
            // A tuple; `("a")` is only a bracket.
            Kind::Mark(b'(') if first.close + 1 == to => {
                let items = self.items(from + 1, to - 1);
                let comma = self.tokens[from..to].iter().any(|token| token.is(b','));
                (comma && !items.is_empty())
                    .then(|| items.into_iter().map(|(from, to)| self.word(from, to, 1)).collect())
            }
            _ => None,
        }
    }

    /// The expression as one word, with what is not known marked in it.
    pub(super) fn word(&self, from: usize, to: usize, depth: usize) -> Word {
        let (from, to) = self.trimmed(from, to);
        self.known_word(from, to, depth).unwrap_or_else(|| self.unknown(from, to))
    }

    fn known_word(&self, from: usize, to: usize, depth: usize) -> Option<Word> {
        if depth > MAX_DEPTH || from >= to {
            return None;
        }
        let first = &self.tokens[from];
        if to - from == 1 {
            return match &first.kind {
                Kind::Text(word) => Some(self.resolved(word)),
                Kind::Number => Some(Word { span: Some(first.span()), ..Word::known(first.text) }),
                Kind::Name => {
                    let word = self.variables.get(first.text)?.word()?.clone();
                    Some(Word { span: Some(first.span()), ..word })
                }
                _ => None,
            };
        }
        // Pieces joined by `+`, `.`, `/` (pathlib) or by standing side by side.
        let mut pieces: Vec<(usize, usize, bool)> = Vec::new();
        let (mut start, mut at) = (from, from);
        while at < to {
            let token = &self.tokens[at];
            let joins = token.is(b'+') || (self.dot_joins && token.is(b'.'));
            let slash = token.is(b'/');
            if (joins || slash) && at > start {
                pieces.push((start, at, slash));
                start = at + 1;
            }
            let after_text =
                at + 1 < to && matches!(token.kind, Kind::Text(_)) && matches!(self.tokens[at + 1].kind, Kind::Text(_));
            if after_text {
                pieces.push((start, at + 1, false));
                start = at + 1;
            }
            at = if token.close > at { token.close + 1 } else { at + 1 };
        }
        if !pieces.is_empty() && pieces.len() < 64 {
            pieces.push((start, to, false));
            let mut whole = Word { span: self.span(from, to), quoted: true, ..Word::default() };
            for (from, to, slash) in pieces {
                append(&mut whole, &self.word(from, to, depth + 1));
                if slash {
                    whole.text.push('/');
                }
            }
            return Some(whole);
        }
        if first.is(b'(') && first.close + 1 == to {
            return self.known_word(from + 1, to - 1, depth + 1);
        }
        self.call_word(from, to, depth)
    }

    /// Calls that only build a path or a text of their arguments.
    fn call_word(&self, from: usize, to: usize, depth: usize) -> Option<Word> {
        const JOINS: &[&str] = &["join", "resolve"];
        const KEEPS: &[&str] = &[
            "Path",
            "PurePath",
            "str",
            "String",
            "File",
            "URL",
            "URI",
            "Pathname",
            "expanduser",
            "abspath",
            "realpath",
            "text",
            "new",
            "fspath",
            "normalize",
            "encode",
            "strip",
            "trim",
            "raw",
            "parse",
            "Request",
            "bytes",
            "to_s",
            "absolute",
            "as_posix",
            "expand_path",
        ];
        const LISTS: &[&str] =
            &["listdir", "iterdir", "readdirSync", "readdir", "scandir", "children", "entries", "each_child"];
        const GLOBS: &[&str] = &["glob", "iglob", "rglob", "globSync", "sync", "walk"];
        let mut head = from;
        if self.tokens[head].is_name("await") || self.tokens[head].is_name("new") {
            head += 1;
        }
        let open = (head..to.min(head + 12)).find(|at| self.tokens[*at].is(b'('))?;
        let close = self.tokens[open].close;
        let name = self.tokens.get(open.checked_sub(1)?).filter(|token| matches!(token.kind, Kind::Name))?.text;
        if close == 0 || close >= to {
            return None;
        }
        let items = self.items(open + 1, close);
        let receiver = || {
            // What stands before `.name(`: `Path("/x").iterdir()`.
            let end = open.checked_sub(2)?;
            (end > head).then(|| self.word(head, end, depth + 1))
        };
        let mut word = if JOINS.contains(&name) {
            let mut whole = Word { span: self.span(from, to), quoted: true, ..Word::default() };
            for (from, to) in items {
                let part = self.word(from, to, depth + 1);
                if part.text.starts_with('/') && part.is_known() {
                    whole = Word { span: whole.span, quoted: true, ..Word::default() };
                } else if !whole.text.is_empty() && !whole.text.ends_with('/') {
                    whole.text.push('/');
                }
                append(&mut whole, &part);
            }
            whole
        } else if LISTS.contains(&name) || GLOBS.contains(&name) {
            let mut folder = match items.first() {
                Some((from, to)) => self.word(*from, *to, depth + 1),
                None => receiver()?,
            };
            if GLOBS.contains(&name) && !items.is_empty() && name != "walk" {
                if let Some(before) = receiver().filter(|word| word.is_known() && word.quoted && !word.text.is_empty())
                {
                    folder.text = format!("{}/{}", before.text.trim_end_matches('/'), folder.text);
                }
            } else {
                folder.text.push_str("/*");
            }
            folder.glob = true;
            folder
        } else if KEEPS.contains(&name) {
            match items.first() {
                Some((from, to)) => self.word(*from, *to, depth + 1),
                None => receiver()?,
            }
        } else {
            items.first().and_then(|(from, to)| self.decoded(name, *from, *to, depth))?
        };
        // `Path(x).parent` is not `x`; methods that keep the text are all right.
        let tail = &self.tokens[close + 1..to];
        let keeps = |token: &Token<'_>| {
            !matches!(token.kind, Kind::Name)
                || KEEPS.contains(&token.text)
                || matches!(token.text, "decode" | "toString" | "read" | "utf8")
        };
        if !tail.iter().all(keeps) {
            let end = word.text.len();
            let name = self.code.get(self.tokens[from].start..self.tokens[to - 1].start).unwrap_or("").to_owned();
            word.unknown.push(Unknown { name, start: 0, end, substitution: true, guarded: false });
        }
        word.span = self.span(from, to);
        Some(word)
    }

    fn decoded(&self, name: &str, from: usize, to: usize, depth: usize) -> Option<Word> {
        let encoding = match name {
            "b64decode" | "decodebytes" | "atob" | "base64_decode" | "decode64" | "decode_base64"
            | "urlsafe_b64decode" | "strict_decode64" => base64 as fn(&str) -> Option<Vec<u8>>,
            "unhexlify" | "fromhex" | "hex2bin" => hex,
            "from"
                if self.tokens[from..(to + 4).min(self.tokens.len())]
                    .iter()
                    .any(|token| token.text.contains("base64")) =>
            {
                base64
            }
            "from"
                if self.tokens[from..(to + 4).min(self.tokens.len())]
                    .iter()
                    .any(|token| token.text.contains("hex")) =>
            {
                hex
            }
            _ => return None,
        };
        let word = self.word(from, to, depth + 1);
        let text = String::from_utf8(encoding(word.value()?)?).ok()?;
        Some(Word { text, span: word.span, quoted: true, ..Word::default() })
    }

    /// A string with the variables put in that are known.
    pub(super) fn resolved(&self, word: &Word) -> Word {
        if word.unknown.is_empty() {
            return word.clone();
        }
        let mut whole = Word { span: word.span, quoted: true, ..Word::default() };
        let mut at = 0;
        for part in &word.unknown {
            whole.text.push_str(word.text.get(at..part.start).unwrap_or(""));
            let sigil = format!("${}", part.name);
            let bound = self.variables.get(&part.name).or_else(|| self.variables.get(&sigil)).and_then(Value::word);
            match bound {
                Some(value) => append(&mut whole, value),
                None => {
                    let start = whole.text.len();
                    whole.text.push_str(word.text.get(part.start..part.end).unwrap_or(""));
                    let end = whole.text.len();
                    whole.unknown.push(Unknown { start, end, ..part.clone() });
                }
            }
            at = part.end;
        }
        whole.text.push_str(word.text.get(at..).unwrap_or(""));
        whole
    }

    fn unknown(&self, from: usize, to: usize) -> Word {
        let span = self.span(from, to);
        let text = span.and_then(|span| self.code.get(span.start..span.end)).unwrap_or("");
        let mut end = text.len().min(120);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = text[..end].to_owned();
        let unknown = Unknown { name: text.clone(), start: 0, end, substitution: text.contains('('), guarded: false };
        Word { text, span, unknown: vec![unknown], glob: false, quoted: true }
    }
}

fn append(whole: &mut Word, part: &Word) {
    let base = whole.text.len();
    if whole.unknown.len() > MAX_UNKNOWN {
        return;
    }
    if base > 0 && base + part.text.len() > MAX_TEXT {
        // `a = a + a`, again and again, would fill the memory.
        whole.text.push('…');
        let end = whole.text.len();
        whole.unknown.push(Unknown { name: "…".to_owned(), start: base, end, substitution: false, guarded: false });
        return;
    }
    whole.text.push_str(&part.text);
    whole.glob |= part.glob;
    whole.unknown.extend(part.unknown.iter().take(MAX_UNKNOWN).map(|unknown| Unknown {
        start: unknown.start + base,
        end: unknown.end + base,
        ..unknown.clone()
    }));
}
