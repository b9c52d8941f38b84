//! Functions, methods and classes that the text itself defines: their bodies are read where they are called, with
//! the arguments they are called with. What nothing calls by name is read where it stands.

use std::collections::BTreeMap;

use crate::classify::{Language, Scene, Word};
use crate::model::{GapKind, Hides};

use super::super::lexer::Kind;
use super::super::value::Value;
use super::{Call, Walk};

/// Calls of calls are followed this deep.
const MAX_DEPTH: usize = 8;
/// Bodies are read again for every call, but not more tokens than this in all.
const MAX_READ: usize = 40_000;
const MAX_FUNCTIONS: usize = 256;

/// What a definition calls one of the things that it is given.
#[derive(Clone, Debug)]
struct Parameter {
    name: String,
    /// The tokens of the value it has when nothing is given.
    usual: Option<(usize, usize)>,
    /// It takes all that is left: `*args`, `...args`, `args ...string`.
    rest: bool,
}

/// One definition.
#[derive(Clone, Debug)]
pub(super) struct Function {
    parameters: Vec<Parameter>,
    body: (usize, usize),
}

/// What a piece of code defines.
#[derive(Debug, Default)]
pub(super) struct Functions {
    /// By name; methods with a dot in front; a class by its name, for what makes one.
    named: BTreeMap<String, Function>,
    /// Where a definition that is called begins, and where it ends.
    skipped: BTreeMap<usize, usize>,
    /// Those that the command line calls.
    pub(super) commands: Vec<super::commands::Command>,
    depth: usize,
    read: usize,
}

impl Walk<'_> {
    /// Finds the definitions, and which of them are called.
    pub(super) fn definitions(&mut self) {
        let mut classes: Vec<(String, usize, usize)> = Vec::new();
        let mut decorated = None;
        for at in 0..self.reading.tokens.len() {
            if self.functions.named.len() >= MAX_FUNCTIONS {
                return;
            }
            if self.language == Language::Python && self.is_decorator(at) {
                decorated = decorated.or(Some(at));
            }
            if matches!(self.name(at), Some("def" | "class"))
                && let Some(from) = decorated.take()
            {
                self.command(from, at);
            }
            if self.name(at) == Some("lambda") {
                self.lambda(at);
            }
            match self.name(at) {
                Some("class") if self.language == Language::Python => {
                    if let (Some(name), Some((_, end))) = (self.name(at + 1), self.block_of(at, at + 2)) {
                        classes.push((name.to_owned(), at, end));
                    }
                }
                Some("def" | "function" | "sub" | "fn" | "func") => self.definition(at, &classes),
                Some("const" | "let" | "var") => self.arrow(at),
                _ => {}
            }
        }
        self.subcommands();
        self.results();
    }

    fn definition(&mut self, at: usize, classes: &[(String, usize, usize)]) {
        let Some(name) = self.name(at + 1) else { return };
        let open = at + 2;
        let (mut parameters, after) = if self.is(open, b'(') && self.reading.tokens[open].close > open {
            (self.parameters(open), self.reading.tokens[open].close + 1)
        } else {
            (Vec::new(), open)
        };
        let Some((mut from, end)) = self.block_of(at, after) else { return };
        if self.language == Language::Perl {
            (parameters, from) = self.perl_parameters(from, end);
        }
        let class = classes.iter().rev().find(|(_, from, to)| (*from..*to).contains(&at)).map(|(name, ..)| name);
        let key = match class {
            Some(class) if name == "__init__" => class.clone(),
            Some(_) => format!(".{name}"),
            None => name.to_owned(),
        };
        if class.is_some() && parameters.first().is_some_and(|first| first.name == "self" || first.name == "cls") {
            parameters.remove(0);
        }
        if self.is_called(&key, at + 1) {
            self.functions.skipped.insert(at, end);
        }
        self.functions.named.insert(key, Function { parameters, body: (from, end) });
    }

    /// `const wipe = (folder) => { … }`, `const wipe = async folder => …`, `const wipe = function (folder) { … }`.
    fn arrow(&mut self, at: usize) {
        let Some(name) = self.name(at + 1).filter(|_| self.is(at + 2, b'=')) else { return };
        let mut from = at + 3;
        while matches!(self.name(from), Some("async" | "function")) {
            from += 1;
        }
        let (parameters, after) = if self.is(from, b'(') && self.reading.tokens[from].close > from {
            (self.parameters(from), self.reading.tokens[from].close + 1)
        } else if let Some(one) = self.name(from) {
            (vec![Parameter { name: one.to_owned(), usual: None, rest: false }], from + 1)
        } else {
            return;
        };
        let arrow = self.is(after, b'=') && self.is(after + 1, b'>');
        if !arrow && !self.is(after, b'{') {
            return;
        }
        let open = if arrow { after + 2 } else { after };
        let body = if self.is(open, b'{') {
            (open + 1, self.reading.tokens[open].close.max(open + 1))
        } else {
            (open, self.statement_end(open))
        };
        if self.is_called(name, at + 1) {
            self.functions.skipped.insert(at, body.1);
        }
        self.functions.named.insert(name.to_owned(), Function { parameters, body });
    }

    /// `run = lambda *words: subprocess.run(words)`.
    fn lambda(&mut self, at: usize) {
        const MOST: usize = 24;
        let Some(name) = at.checked_sub(2).and_then(|at| self.name(at)).filter(|_| self.is(at - 1, b'=')) else {
            return;
        };
        let Some(colon) = (at + 1..at + MOST).find(|at| self.is(*at, b':')) else { return };
        let parameters =
            self.reading.items(at + 1, colon).into_iter().filter_map(|item| self.parameter(item)).collect();
        let body = (colon + 1, self.statement_end(colon + 1));
        if self.is_called(name, at - 2) {
            self.functions.skipped.insert(at, body.1);
        }
        self.functions.named.insert(name.to_owned(), Function { parameters, body });
    }

    /// Whether the name of a definition at `defined` is called anywhere else.
    fn is_called(&self, key: &str, defined: usize) -> bool {
        let (method, name) = key.strip_prefix('.').map_or((false, key), |name| (true, name));
        self.reading.tokens.iter().enumerate().any(|(at, token)| {
            let called = self.is(at + 1, b'(') || self.bare && self.starts_argument(at + 1);
            at != defined
                && token.is_name(name)
                && called
                && (at > 0 && self.is(at - 1, b'.')) == method
                && !matches!(
                    at.checked_sub(1).and_then(|at| self.name(at)),
                    Some("def" | "class" | "function" | "sub" | "func")
                )
        })
    }

    fn parameters(&self, open: usize) -> Vec<Parameter> {
        let close = self.reading.tokens[open].close;
        self.reading.items(open + 1, close).into_iter().take(16).filter_map(|item| self.parameter(item)).collect()
    }

    fn parameter(&self, (from, to): (usize, usize)) -> Option<Parameter> {
        let name = (from..to).find_map(|at| self.name(at))?.to_owned();
        let given = (from..to).find(|at| self.is(*at, b'='));
        let dots = (from + 2..to).any(|at| (at - 2..=at).all(|at| self.is(at, b'.')));
        let star = self.is(from, b'*') && !self.is(from + 1, b'*');
        Some(Parameter { name, usual: given.map(|at| (at + 1, to)), rest: dots || star && to > from + 1 })
    }

    /// `my ($a, $b) = @_;` and `my $a = shift;` at the start of a body.
    fn perl_parameters(&self, from: usize, end: usize) -> (Vec<Parameter>, usize) {
        let (mut found, mut at) = (Vec::new(), from);
        loop {
            while self.token(at).is_some_and(|token| matches!(token.kind, Kind::Line | Kind::Mark(b';'))) && at < end {
                at += 1;
            }
            if self.name(at) != Some("my") {
                return (found, at);
            }
            let stop = self.statement_end(at);
            let takes = (at..stop).any(|at| self.token(at).is_some_and(|it| it.text == "shift" || it.text == "@_"))
                || self
                    .reading
                    .code
                    .get(self.reading.tokens[at].start..)
                    .is_some_and(|rest| rest.split(';').next().is_some_and(|statement| statement.contains("@_")));
            if !takes {
                return (found, at);
            }
            let names = (at + 1..stop).filter_map(|at| self.name(at)).filter(|name| name.starts_with('$'));
            found.extend(names.map(|name| Parameter { name: name.to_owned(), usual: None, rest: false }));
            at = stop.max(at + 1);
        }
    }

    /// The tokens of the block that a definition at `at` opens behind `after`.
    fn block_of(&self, at: usize, after: usize) -> Option<(usize, usize)> {
        const MOST: usize = 64;
        let tokens = &self.reading.tokens;
        match self.language {
            Language::Python => {
                let mut colon = after;
                while !self.is(colon, b':') {
                    let token = self.token(colon).filter(|_| colon < after + MOST)?;
                    if matches!(token.kind, Kind::Line) {
                        return None;
                    }
                    colon = if token.close > colon { token.close + 1 } else { colon + 1 };
                }
                let from = colon + 1;
                let own = self.column(at);
                let block = self.token(from).is_none_or(|token| matches!(token.kind, Kind::Line));
                let mut end = from;
                while let Some(token) = tokens.get(end) {
                    let starts = end > 0 && matches!(tokens[end - 1].kind, Kind::Line);
                    let is_line = matches!(token.kind, Kind::Line);
                    if (block && starts && !is_line && self.column(end) <= own) || (!block && is_line) {
                        break;
                    }
                    end = if token.close > end { token.close + 1 } else { end + 1 };
                }
                Some((from, end))
            }
            Language::Ruby | Language::Lua => {
                let own = self.column(at);
                let end = (after..tokens.len()).find(|at| tokens[*at].is_name("end") && self.column(*at) == own)?;
                Some((after, end))
            }
            _ => {
                let open = (after..tokens.len().min(after + MOST)).find(|at| self.is(*at, b'{'))?;
                let close = tokens[open].close;
                (close > open).then_some((open + 1, close))
            }
        }
    }

    fn column(&self, at: usize) -> usize {
        let start = self.reading.tokens[at].start;
        let line = memchr::memrchr(b'\n', &self.reading.code.as_bytes()[..start]).map_or(0, |at| at + 1);
        start - line
    }

    /// Functions that take nothing and give back one expression.
    fn results(&mut self) {
        for (name, function) in &self.functions.named {
            let (from, to) = function.body;
            let mut returns = (from..to).filter(|at| self.reading.tokens[*at].is_name("return"));
            if let (Some(at), None, true) = (returns.next(), returns.next(), function.parameters.is_empty()) {
                let end = self.statement_end(at + 1).min(to);
                self.reading.results.insert(name.clone(), (at + 1, end));
            }
        }
    }

    /// Reads the body of `for x in ["a", "b"]` once for each; gives where the loop ends.
    pub(super) fn each_item(&mut self, scene: &mut Scene<'_>, at: usize) -> Option<usize> {
        const MOST: usize = 16;
        let bracket = self.is(at + 1, b'(');
        let after = if bracket { self.reading.tokens[at + 1].close + 1 } else { at + 1 };
        let first = if bracket { at + 2 } else { at + 1 };
        let stop = (first..first + 12).find(|at| matches!(self.name(*at), Some("in" | "of")) || self.is(*at, b'('));
        let names: Vec<String> = (first..stop.unwrap_or(first + 2))
            .filter_map(|at| self.name(at))
            .filter(|name| !matches!(*name, "const" | "let" | "var" | "my" | "our"))
            .map(str::to_owned)
            .collect();
        let value = self.reading.variables.get(names.first()?).filter(|value| value.list)?;
        let items: Vec<Vec<Value>> = if names.len() > 1 && value.pairs {
            let pair = |(from, to): &(usize, usize)| {
                let colon = (*from..*to).find(|at| self.is(*at, b':') || self.is(*at, b'>')).unwrap_or(*to);
                let key = if self.is(colon, b'>') { colon - 1 } else { colon };
                vec![self.reading.value(*from, key), self.reading.value((colon + 1).min(*to), *to)]
            };
            value.items.iter().map(pair).collect()
        } else if names.len() > 1 {
            value.items.iter().map(|(from, to)| self.parts(*from, *to)).collect()
        } else if value.items.len() == value.words.len() {
            value.items.iter().map(|(from, to)| vec![self.reading.value(*from, *to)]).collect()
        } else {
            value.words.iter().map(|word| vec![Value { words: vec![word.clone()], ..Value::default() }]).collect()
        };
        let known = items.iter().flatten().all(|value| value.words.iter().all(Word::is_known));
        if !known || !(1..=MOST).contains(&items.len()) {
            return None;
        }
        let (from, end) = self.block_of(at, after)?;
        let length = (end - from).max(1);
        if self.functions.depth >= MAX_DEPTH || self.functions.read + length * items.len() > MAX_READ {
            return None;
        }
        self.functions.depth += 1;
        self.functions.read += length * items.len();
        for item in items {
            for (name, value) in names.iter().zip(item) {
                self.reading.variables.insert(name.clone(), value);
            }
            self.seen[from..end].fill(false);
            self.walk(scene, from, end);
        }
        self.functions.depth -= 1;
        Some(end)
    }

    /// A command is read where it stands, with what the command line gives it; one that was not asked for is left out.
    pub(super) fn commanded_here(&mut self, at: usize) -> Option<usize> {
        if self.unasked(at) {
            return self.block_of(at, at + 2).map(|(_, end)| end);
        }
        let given = self.name(at + 1).map(|name| self.commanded(name)).unwrap_or_default();
        for (name, value) in given {
            if let Some(value) = value {
                self.reading.variables.insert(name, value);
            }
        }
        None
    }

    /// Where to go on when a definition at `at` is read where it is called.
    pub(super) fn skipped(&self, at: usize) -> Option<usize> {
        self.functions.skipped.get(&at).copied()
    }

    /// Goes one call deeper; `false` when that is too deep.
    pub(super) fn enter(&mut self) -> bool {
        let fits = self.functions.depth < MAX_DEPTH;
        self.functions.depth += usize::from(fits);
        fits
    }

    pub(super) fn leave(&mut self) {
        self.functions.depth -= 1;
    }

    pub(super) fn is_defined(&self, name: &str) -> bool {
        self.functions.named.contains_key(name)
    }

    /// Reads the body of what is called, with what is given to it; `false` when the text does not define it.
    pub(super) fn inlined(&mut self, scene: &mut Scene<'_>, call: &Call) -> bool {
        if self.functions.named.is_empty() {
            return false;
        }
        let own = call.name.rsplit_once('.').map(|(_, last)| format!(".{last}"));
        let imported = || {
            let head = self.reading.tokens[call.head].text;
            self.aliases.contains_key(head) || self.modules.contains(head)
        };
        let key = match &own {
            Some(_) if imported() => return false,
            Some(own) => own,
            None => &call.name,
        };
        let Some(function) = self.functions.named.get(key).cloned() else { return false };
        let length = function.body.1 - function.body.0;
        if self.functions.depth >= MAX_DEPTH || self.functions.read + length > MAX_READ {
            scene.gap(GapKind::TooDeep, Hides::Anything, call.span, format!("what {} does", call.name));
            return true;
        }
        let given = self.given(&function, call);
        let names: Vec<String> = given.iter().map(|(name, _)| name.clone()).collect();
        let outer: Vec<Option<Value>> = names.iter().map(|name| self.reading.variables.get(name).cloned()).collect();
        for (name, value) in given {
            match value {
                Some(value) => drop(self.reading.variables.insert(name, value)),
                None => drop(self.reading.variables.remove(&name)),
            }
        }
        self.functions.depth += 1;
        self.functions.read += length.max(1);
        self.seen[function.body.0..function.body.1].fill(false);
        self.walk(scene, function.body.0, function.body.1);
        self.functions.depth -= 1;
        for (name, value) in names.into_iter().zip(outer) {
            match value {
                Some(value) => drop(self.reading.variables.insert(name, value)),
                None => drop(self.reading.variables.remove(&name)),
            }
        }
        true
    }

    /// All that is left of what a call gives, as one list.
    fn gathered_rest<'i>(&self, places: &mut impl Iterator<Item = &'i (usize, usize)>) -> Value {
        let mut whole = Value { list: true, ..Value::default() };
        for (from, to) in places {
            let value = self.reading.value(*from, *to);
            if value.list && self.reading.spread(*from, *to).is_none() {
                // A list among the words is one of them.
                whole.words.push(self.reading.word(*from, *to, 1));
            } else {
                whole.words.extend(value.words);
            }
            whole.files.extend(value.files);
            whole.environment |= value.environment;
            whole.remote |= value.remote;
            whole.decoded |= value.decoded;
        }
        whole
    }

    fn given(&self, function: &Function, call: &Call) -> Vec<(String, Option<Value>)> {
        let named = |(from, to): &(usize, usize)| {
            let name = self.name(*from).filter(|_| to - from > 2 && self.is(from + 1, b'='))?;
            (!self.is(from + 2, b'=')).then_some((name, (from + 2, *to)))
        };
        let mut places = call.items.iter().filter(|item| named(item).is_none());
        let value = |parameter: &Parameter| {
            let Parameter { name, usual, rest } = parameter;
            if *rest {
                return (name.clone(), Some(self.gathered_rest(&mut places)));
            }
            let by_name = call.items.iter().filter_map(named).find(|(it, _)| it == name).map(|(_, item)| item);
            let item = by_name.or_else(|| places.next().copied()).or(*usual);
            (name.clone(), item.map(|(from, to)| self.reading.value(from, to)))
        };
        let given: Vec<_> = function.parameters.iter().map(value).collect();
        if call.items.is_empty() && !self.functions.commands.is_empty() {
            let commanded = self.commanded(&call.name);
            return if commanded.is_empty() { given } else { commanded };
        }
        given
    }
}
