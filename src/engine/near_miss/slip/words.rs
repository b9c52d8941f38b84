//! The words of the one command that an effect stands in.
//!
//! Knows quotes, escapes, substitutions, comments, here-documents and what separates commands; nothing is expanded. What
//! stands inside quotes, a substitution or a here-document and is a text of its own (`ssh web1 'rm -rf x'`) is looked into
//! when the effect points there.

use std::ops::Range;

use crate::model::Span;

/// A word as it is written, with its quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) at: Range<usize>,
    /// The name of a file behind `<` or `>`.
    pub(super) redirected: bool,
}

/// A simple command in a text.
#[derive(Debug, Default)]
pub(super) struct Command {
    pub(super) words: Vec<Word>,
    /// The command right before it in the same list.
    pub(super) before: Vec<Word>,
}

/// Deeper quotes in quotes are not looked into.
const MOST_DEPTH: usize = 6;

/// What an effect says about where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pointer<'a> {
    pub(super) span: Span,
    /// The first word of what does it: tells a command in quotes from a name in quotes.
    pub(super) by: &'a str,
    /// A statement in another language: backticks in it are quotes.
    pub(super) statement: bool,
}

/// The command that the pointer is inside of.
pub(super) fn command(text: &str, pointer: Pointer<'_>) -> Option<Command> {
    let mut scan = Scan::new(text, 0..text.len(), Some(pointer));
    for _ in 0..MOST_DEPTH {
        match scan.find()? {
            Found::Command(command) => return Some(command),
            Found::Inside(region) => scan = Scan::new(text, region, Some(pointer)),
        }
    }
    None
}

/// The innermost quotes or here-document around the pointer.
pub(super) fn quoted_region(text: &str, pointer: Pointer<'_>) -> Option<Range<usize>> {
    let mut innermost = None;
    for _ in 0..MOST_DEPTH {
        let region = innermost.clone().unwrap_or(0..text.len());
        match Scan::new(text, region, Some(pointer)).find() {
            Some(Found::Inside(region)) => innermost = Some(region),
            _ => return innermost,
        }
    }
    None
}

/// The words of a text that is one command and nothing else.
pub(super) fn only_command(text: &str) -> Option<Command> {
    let mut scan = Scan::new(text, 0..text.len(), None);
    scan.find().map(|_| ()).map_or(Some(()), |()| None)?;
    (scan.commands == 1).then(|| Command { words: scan.words, before: Vec::new() })
}

/// The value of a word without quotes and escapes; `None` where the shell would put something else there.
pub(super) fn value(raw: &str) -> Option<String> {
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(first) = rest.chars().next() {
        let (taken, piece) = match first {
            '\'' => {
                let end = rest[1..].find('\'')?;
                (end + 2, &rest[1..=end])
            }
            '"' => {
                let end = rest[1..].find('"')?;
                let inner = &rest[1..=end];
                if inner.contains(['\\', '$', '`']) {
                    return None;
                }
                (end + 2, inner)
            }
            '\\' => {
                let next = rest[1..].chars().next()?;
                (1 + next.len_utf8(), &rest[1..1 + next.len_utf8()])
            }
            '$' | '`' => return None,
            other => (other.len_utf8(), &rest[..other.len_utf8()]),
        };
        value.push_str(piece);
        rest = &rest[taken..];
    }
    Some(value)
}

enum Found {
    Command(Command),
    /// The pointer stands in here, and this is a text of its own.
    Inside(Range<usize>),
}

struct Scan<'a> {
    bytes: &'a [u8],
    text: &'a str,
    at: usize,
    end: usize,
    pointer: Option<Pointer<'a>>,
    words: Vec<Word>,
    before: Vec<Word>,
    redirected: bool,
    /// Terminators of here-documents that begin on the next line, and whether tabs before them do not count.
    documents: Vec<(&'a str, bool)>,
    commands: usize,
}

impl<'a> Scan<'a> {
    fn new(text: &'a str, region: Range<usize>, pointer: Option<Pointer<'a>>) -> Self {
        Self {
            bytes: &text.as_bytes()[..region.end],
            text,
            at: region.start,
            end: region.end,
            pointer,
            words: Vec::new(),
            before: Vec::new(),
            redirected: false,
            documents: Vec::new(),
            commands: 0,
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn find(&mut self) -> Option<Found> {
        while self.at < self.end {
            match self.peek(0) {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\\' if self.peek(1) == b'\n' => self.at += 2,
                b'\n' => {
                    if let Some(found) = self.close() {
                        return Some(found);
                    }
                    self.at += 1;
                    if let Some(found) = self.skip_documents() {
                        return Some(found);
                    }
                }
                b'#' => self.skip_line(),
                b'&' if self.peek(1) == b'>' => self.redirect(),
                b';' | b'&' | b'|' | b'(' | b')' => {
                    if let Some(found) = self.close() {
                        return Some(found);
                    }
                    self.at += 1;
                }
                b'<' | b'>' => self.redirect(),
                _ => {
                    if let Some(found) = self.word() {
                        return Some(found);
                    }
                }
            }
        }
        self.close()
    }

    /// Ends a command; it is the one when the pointer stands in it.
    fn close(&mut self) -> Option<Found> {
        self.redirected = false;
        let range = self.words.first()?.at.start..self.words.last()?.at.end;
        self.commands += 1;
        let pointer = self.pointer?;
        if range.start <= pointer.span.start && pointer.span.end <= range.end {
            let (words, before) = (std::mem::take(&mut self.words), std::mem::take(&mut self.before));
            return Some(Found::Command(Command { words, before }));
        }
        // Nothing behind the pointer can be it.
        if range.start > pointer.span.start {
            self.at = self.end;
        }
        self.before.clear();
        std::mem::swap(&mut self.words, &mut self.before);
        None
    }

    fn skip_line(&mut self) {
        self.at = memchr::memchr(b'\n', &self.bytes[self.at..]).map_or(self.end, |found| self.at + found);
    }

    /// `<`, `>>`, `2>&1`, and the beginning of a here-document.
    fn redirect(&mut self) {
        if self.peek(0) == b'<' && self.peek(1) == b'<' && self.peek(2) != b'<' {
            self.at += 2;
            let tabs = self.peek(0) == b'-';
            self.at += usize::from(tabs);
            while self.peek(0) == b' ' {
                self.at += 1;
            }
            let quote = self.peek(0);
            let start = self.at + usize::from(matches!(quote, b'\'' | b'"' | b'\\'));
            let mut end = start;
            while self.bytes.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
                end += 1;
            }
            if end > start {
                self.documents.push((&self.text[start..end], tabs));
            }
            self.at = (end + usize::from(matches!(quote, b'\'' | b'"'))).min(self.end);
            return;
        }
        while matches!(self.peek(0), b'<' | b'>' | b'&' | b'|') {
            self.at += 1;
        }
        self.redirected = true;
    }

    fn skip_documents(&mut self) -> Option<Found> {
        for (terminator, tabs) in std::mem::take(&mut self.documents) {
            let start = self.at;
            let mut line = start;
            let mut body = self.end;
            while line < self.end {
                let stop = memchr::memchr(b'\n', &self.bytes[line..]).map_or(self.end, |found| line + found);
                let said = &self.bytes[line..stop];
                let said = if tabs { said.trim_ascii_start() } else { said };
                if said.trim_ascii_end() == terminator.as_bytes() {
                    body = line;
                    self.at = stop;
                    break;
                }
                line = stop + 1;
                self.at = line.min(self.end);
            }
            if let Some(pointer) = self.pointer
                && start <= pointer.span.start
                && pointer.span.end <= body
            {
                return Some(Found::Inside(start..body));
            }
        }
        None
    }

    /// One word, or what stands in it when the pointer is in there.
    fn word(&mut self) -> Option<Found> {
        let start = self.at;
        while self.at < self.end {
            let from = self.at;
            match self.peek(0) {
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' => break,
                b'\\' => self.at += 2,
                b'\'' => {
                    self.at += 1;
                    self.at = memchr::memchr(b'\'', &self.bytes[self.at..]).map_or(self.end, |end| self.at + end + 1);
                    if let Some(found) = self.inside(from + 1) {
                        return Some(found);
                    }
                }
                b'"' => {
                    self.at = self.after_double_quotes(from);
                    if let Some(found) = self.inside(from + 1) {
                        return Some(found);
                    }
                }
                b'$' if self.peek(1) == b'(' => {
                    self.at = self.after_parentheses(from + 1);
                    if let Some(found) = self.substituted(from + 2) {
                        return Some(found);
                    }
                }
                b'$' if self.peek(1) == b'{' => {
                    self.at = memchr::memchr(b'}', &self.bytes[from..]).map_or(self.end, |end| from + end + 1);
                }
                b'`' if self.pointer.is_none_or(|pointer| !pointer.statement) => {
                    self.at += 1;
                    self.at = memchr::memchr(b'`', &self.bytes[self.at..]).map_or(self.end, |end| self.at + end + 1);
                    if let Some(found) = self.substituted(from + 1) {
                        return Some(found);
                    }
                }
                _ => self.at += 1,
            }
        }
        self.at = self.at.min(self.end);
        // A number in front of `>` belongs to it.
        let number = matches!(self.peek(0), b'<' | b'>') && self.bytes[start..self.at].iter().all(u8::is_ascii_digit);
        if !number {
            self.words.push(Word { at: start..self.at, redirected: std::mem::take(&mut self.redirected) });
        }
        None
    }

    /// Quotes from `start` to just before where we are now: a text of its own when something stands before what the
    /// pointer means, or when it begins as the command does.
    fn inside(&self, start: usize) -> Option<Found> {
        let pointer = self.pointer?;
        let end = self.at.saturating_sub(1).max(start).min(self.end);
        if pointer.span.start < start || end < pointer.span.end {
            return None;
        }
        let lead = self.text.get(start..pointer.span.start)?;
        let whole = self.text.get(start..end)?.trim_start();
        let begins = whole
            .strip_prefix(pointer.by)
            .is_some_and(|rest| !pointer.by.is_empty() && rest.starts_with(char::is_whitespace));
        (begins || lead.contains([' ', '\n', '(', ';'])).then_some(Found::Inside(start..end))
    }

    fn substituted(&self, start: usize) -> Option<Found> {
        let pointer = self.pointer?;
        let end = self.at.saturating_sub(1).max(start).min(self.end);
        (start <= pointer.span.start && pointer.span.end <= end).then_some(Found::Inside(start..end))
    }

    fn after_double_quotes(&self, from: usize) -> usize {
        let mut at = from + 1;
        while let Some(byte) = self.bytes.get(at) {
            match byte {
                b'"' => return at + 1,
                // A folder of Windows may end in a backslash: `"D:\x\"`.
                b'\\' if self.bytes.get(at + 1) == Some(&b'"') && self.ends_word(at + 2) => return at + 2,
                b'\\' => at += 2,
                b'$' if self.bytes.get(at + 1) == Some(&b'(') => at = self.after_parentheses(at + 1),
                _ => at += 1,
            }
        }
        self.end
    }

    /// Whether the quotes are closed although a backslash stands before them: nothing but another command follows.
    fn ends_word(&self, at: usize) -> bool {
        self.bytes.get(at..).is_some_and(|rest| memchr::memchr(b'"', rest).is_none())
    }

    /// Behind the parenthesis that closes the one at `from`.
    fn after_parentheses(&self, from: usize) -> usize {
        let (mut at, mut depth) = (from, 0_usize);
        while let Some(byte) = self.bytes.get(at) {
            match byte {
                b'(' => depth += 1,
                b')' if depth <= 1 => return at + 1,
                b')' => depth -= 1,
                b'\\' => at += 1,
                b'\'' => {
                    at = memchr::memchr(b'\'', &self.bytes[at + 1..]).map_or(self.end, |end| at + 1 + end);
                }
                _ => {}
            }
            at += 1;
        }
        self.end
    }
}
