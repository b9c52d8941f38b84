//! What names stand for inside loops, conditions and `with`.

use crate::classify::{Language, Word};

use super::super::lexer::Kind;
use super::super::value::Value;
use super::Walk;

/// What a loop runs over is looked at this far.
const MAX_LOOP: usize = 128;

impl Walk<'_> {
    /// A loop inside brackets is read before what it repeats.
    pub(super) fn comprehension(&mut self, open: usize) {
        let close = self.reading.tokens[open].close;
        let mut at = open + 1;
        while at < close {
            if self.reading.tokens[at].is_name("for") {
                self.for_loop(at, close);
            }
            let next = self.reading.tokens[at].close;
            at = if next > at { next + 1 } else { at + 1 };
        }
    }

    /// `for f in files:`, `for (const f of files)`, `foreach my $f (files)`.
    pub(super) fn for_loop(&mut self, at: usize, most: usize) {
        let mut first = at + 1;
        let bracket = self.is(first, b'(');
        let mut most = most;
        if bracket {
            most = self.reading.tokens[first].close.max(first);
            first += 1;
        }
        if self.language == Language::Php
            && let Some(within) = (first..most).find(|at| self.name(*at) == Some("as"))
        {
            let value = self.reading.value(first, within);
            let name = (within + 1..most).rev().find_map(|at| self.name(at));
            if let Some(name) = name {
                self.reading.variables.insert(name.to_owned(), value);
            }
            return;
        }
        let within = (first..most.min(first + 8)).find(|at| matches!(self.name(*at), Some("in" | "of")));
        let (names, from) = match within {
            Some(within) => (first..within, within + 1),
            None => match (first..most.min(first + 4)).find(|at| self.is(*at, b'(')) {
                Some(open) if !bracket => (first..open, open),
                _ => return,
            },
        };
        let names: Vec<&str> = names
            .filter_map(|at| self.name(at))
            .filter(|name| !matches!(*name, "const" | "let" | "var" | "my" | "our"))
            .collect();
        let mut to = from;
        while to < most.min(from + MAX_LOOP) {
            let token = &self.reading.tokens[to];
            if matches!(token.kind, Kind::Line | Kind::Mark(b':' | b'{' | b';'))
                || to > from && matches!(token.text, "if" | "do" | "for" | "async")
            {
                break;
            }
            to = if token.close > to { token.close + 1 } else { to + 1 };
        }
        if self.is(from, b'[') {
            self.comprehension(from);
        }
        let mut value = self.reading.value(from, to.min(most));
        let condition = self.token(to).is_some_and(|token| token.is_name("if")).then_some(to + 1);
        if names.len() > 1 && value.word().is_some_and(|word| word.glob) {
            // `for root, folders, files in os.walk(top)`
            let rest = Value { words: vec![Word { glob: true, ..Word::known("*") }], ..Value::default() };
            for name in &names[1..] {
                self.reading.variables.insert((*name).to_owned(), rest.clone());
            }
            if let Some(word) = value.words.first_mut()
                && let Some(folder) = word.text.strip_suffix("/*")
            {
                word.text = folder.to_owned();
            }
        }
        if let Some(name) = names.first() {
            if let Some(made) = self.made_by(from, to.min(most)) {
                self.aliases.insert((*name).to_owned(), made);
            }
            self.reading.variables.insert((*name).to_owned(), value);
        }
        if let Some(condition) = condition {
            self.narrowed(condition, most.min(condition + 48));
        }
    }

    /// `if name.endswith(".tmp")`: of what a listing gives, only some is left.
    pub(super) fn condition(&mut self, at: usize) {
        let mut end = at + 1;
        while let Some(token) = self.token(end).filter(|_| end < at + 48) {
            if matches!(token.kind, Kind::Line | Kind::Mark(b':' | b'{' | b']')) {
                break;
            }
            end = if token.close > end { token.close + 1 } else { end + 1 };
        }
        self.narrowed(at + 1, end);
    }

    /// Takes from what the names in `from..to` list what a condition leaves out.
    fn narrowed(&mut self, from: usize, to: usize) {
        const KINDS: &[&str] = &[
            "isfile",
            "isdir",
            "is_file",
            "is_dir",
            "exists",
            "islink",
            "isFile",
            "isDirectory",
            "existsSync",
            "file",
            "directory",
            "isdigit",
            "isnumeric",
        ];
        let to = to.min(self.reading.tokens.len());
        let only_kind = (from..to).any(|at| self.name(at).is_some_and(|name| KINDS.contains(&name)));
        if only_kind || from >= to {
            return;
        }
        let names: Vec<&str> = (from..to).filter_map(|at| self.name(at)).collect();
        for name in names {
            // Some of what a client lists: `if pod.status == "Failed"`.
            if let Some(alias) = self.aliases.get_mut(name).filter(|alias| alias.ends_with("()") && alias.len() < 200) {
                alias.push_str(".chosen()");
            }
            let Some(word) = self.reading.variables.get_mut(name).and_then(|value| value.words.first_mut()) else {
                continue;
            };
            if word.glob && (word.text.ends_with("/*") || word.text == "*") {
                word.text.push_str("?*");
            }
        }
    }

    /// `with open(p) as f`: what is read from `f` is the file.
    pub(super) fn with(&mut self, at: usize) {
        let Some(name) = self.name(at + 1) else { return };
        let from = (at.saturating_sub(64)..at).rev().find(|at| matches!(self.name(*at), Some("with")));
        if let Some(from) = from {
            let value = self.reading.value(from + 1, at);
            if let Some(made) = self.made_by(from + 1, at) {
                self.aliases.insert(name.to_owned(), made);
            }
            self.reading.variables.insert(name.to_owned(), value);
        }
    }
}
