//! What names stand for: imports and assignments.

use crate::classify::Language;

use super::super::lexer::Kind;
use super::super::value::Value;
use super::Walk;

/// A statement is followed this far.
const MAX_STATEMENT: usize = 128;

impl Walk<'_> {
    /// Whether a statement begins at `at`.
    pub(super) fn begins(&self, at: usize) -> bool {
        at == 0 || matches!(self.reading.tokens[at - 1].kind, Kind::Line | Kind::Mark(b';' | b':'))
    }

    /// `import a.b as c`, `from a import b as c`, `import {a as b} from 'c'`.
    pub(super) fn import(&mut self, at: usize) {
        let end = self.statement_end(at);
        let words = || (at..end).filter_map(|at| self.token(at));
        if self.language == Language::Python {
            let mut text = String::new();
            for token in words() {
                if matches!(token.kind, Kind::Name) && !text.ends_with('.') {
                    text.push(' ');
                }
                text.push_str(token.text);
            }
            let text = text.replace(['(', ')', '\n'], " ");
            let (module, names) = match text.trim().strip_prefix("from ") {
                Some(rest) => rest.split_once(" import").unwrap_or((rest, "")),
                None => ("", text.trim().trim_start_matches("import")),
            };
            for name in names.split(',').take(64) {
                let (name, local) = name.trim().split_once(" as ").unwrap_or((name.trim(), name.trim()));
                let full = if module.is_empty() { name.to_owned() } else { format!("{}.{name}", module.trim()) };
                if local.trim() != full {
                    self.aliases.insert(local.trim().to_owned(), full);
                } else {
                    self.modules.insert(full);
                }
            }
            return;
        }
        let module = words().find_map(|token| match &token.kind {
            Kind::Text(word) => Some(module_name(&word.text)),
            _ => None,
        });
        let Some(module) = module else { return };
        let inside = (at..end).any(|at| self.is(at, b'{'));
        let mut before: Option<&str> = None;
        let mut found = Vec::new();
        for token in (at + 1..end).filter_map(|at| self.token(at)) {
            if matches!(token.kind, Kind::Name) && token.text != "from" && token.text != "as" {
                let full =
                    if inside { format!("{module}.{}", before.take().unwrap_or(token.text)) } else { module.clone() };
                found.push((token.text.to_owned(), full));
                before = Some(token.text);
            } else if token.text != "as" {
                before = None;
            }
        }
        self.aliases.extend(found);
    }

    /// Where the statement that `at` stands in ends.
    pub(super) fn statement_end(&self, at: usize) -> usize {
        let mut end = at;
        while let Some(token) = self.token(end).filter(|_| end < at + MAX_STATEMENT) {
            match token.kind {
                Kind::Line => break,
                Kind::Mark(b';' | b')' | b']' | b'}') => break,
                _ if token.close > end => end = token.close + 1,
                _ => end += 1,
            }
        }
        end
    }

    /// `name = value`; also `const {a, b} = require('m')`.
    pub(super) fn assignment(&mut self, at: usize) {
        let Some(name) = self.name(at) else { return };
        // `self.root = root` is kept as `self.root`.
        let own = at >= 2 && self.is(at - 1, b'.') && matches!(self.name(at - 2), Some("self" | "this"));
        if at > 0 && self.is(at - 1, b'.') && !own {
            return;
        }
        let (first, whole) = if own { (at - 2, format!("self.{name}")) } else { (at, name.to_owned()) };
        if matches!(name, "const" | "let" | "var") && self.is(at + 1, b'{') {
            return self.destructured(at + 1);
        }
        if self.unpacked(at) {
            return;
        }
        let Some(from) = self.assigned(at) else {
            self.element(at);
            // `x += …`: no longer what it was.
            if self.token(at + 1).is_some_and(|token| matches!(token.kind, Kind::Mark(b'+' | b'.' | b'-')))
                && self.is(at + 2, b'=')
            {
                self.changed(&whole, at);
            }
            return;
        };
        let starts = first == 0
            || self.token(first - 1).is_some_and(|token| match token.kind {
                Kind::Line | Kind::Mark(b';' | b'{' | b'}' | b':' | b')') => true,
                Kind::Mark(b',') => self.language == Language::JavaScript,
                // `while (line = connection.gets)`
                Kind::Mark(b'(') => first > 1 && matches!(self.name(first - 2), Some("while" | "if" | "until")),
                Kind::Name => matches!(
                    token.text,
                    "const" | "let" | "var" | "my" | "our" | "local" | "do" | "then" | "else" | "php"
                ),
                _ => false,
            });
        if !starts {
            return;
        }
        let mut end = self.statement_end(from);
        let comma = self.reading.items(from, end);
        if let Some((_, first)) = comma.first().filter(|_| comma.len() > 1) {
            end = *first;
        }
        if self.is(from, b'[') || self.is(from, b'(') {
            self.comprehension(from);
        }
        let value = self.reading.value(from, end);
        if self.is_collection(from) {
            self.reading.memory.insert(whole.clone());
        }
        if let Some(module) = self.module(from, end) {
            self.aliases.insert(whole.clone(), module);
            // A module is no value.
            self.reading.variables.remove(&whole);
            return;
        } else if let Some(alias) = self.looked_up(from) {
            // `run = getattr(os, "system")`
            self.aliases.insert(whole.clone(), alias);
        } else if let Some(alias) = self.dotted(from, end).or_else(|| self.chosen(from, end)) {
            // `run = os.system`, `run = cp["exec"]`
            self.aliases.insert(whole.clone(), alias);
        } else if let Some(alias) = self.wrapped(from, end).filter(|_| self.language == Language::JavaScript) {
            self.aliases.insert(whole.clone(), alias);
        } else if let Some(library) = self.library(from) {
            // `libc = ctypes.CDLL(None)`
            self.aliases.insert(whole.clone(), library);
        } else if let Some(made) = self.made_by(from, end) {
            // `client = boto3.client("ec2")`
            self.aliases.insert(whole.clone(), made);
        } else {
            self.aliases.remove(&whole);
        }
        if (from..end).any(|at| matches!(self.name(at), Some("parse_args" | "parse_known_args"))) {
            self.reading.namespaces.insert(whole.clone());
        }
        self.parser_of(&whole, from, end);
        if self.is(from, b'{') && self.reading.tokens[from].close + 1 == end {
            let pairs = self.reading.items(from + 1, end - 1);
            self.reading.tables.insert(whole.clone(), pairs);
        } else {
            self.reading.tables.remove(&whole);
        }
        self.reading.variables.insert(whole, value);
    }

    /// `found[path] = open(path).read()`, `found.key = …`: what is put into it is in it from now on.
    fn element(&mut self, at: usize) {
        const DEEP: usize = 4;
        let Some(owner) = self.name(at) else { return };
        let mut next = at + 1;
        for _ in 0..DEEP {
            if self.is(next, b'[') && self.reading.tokens[next].close > next {
                next = self.reading.tokens[next].close + 1;
            } else if self.is(next, b'.') && self.name(next + 1).is_some() && !self.reading.dot_joins {
                next += 2;
            }
        }
        let sign = next > at + 1 && self.is(next, b'=') && !self.is(next + 1, b'=') && !self.is(next + 1, b'~');
        if sign && !self.is_import(owner) {
            let end = self.statement_end(next + 1);
            self.carried(owner, &[(next + 1, end)]);
        }
    }

    /// `promisify(child_process.exec)`, `exec.bind(cp)`: the function that stands in the brackets.
    fn wrapped(&self, from: usize, to: usize) -> Option<String> {
        let open = (from..to.min(from + 6)).find(|at| self.is(*at, b'('))?;
        let wraps = open > from && matches!(self.name(open - 1), Some("promisify" | "partial" | "promisifyAll"));
        let close = self.reading.tokens[open].close;
        let first = *self.reading.items(open + 1, close).first().filter(|_| wraps && close + 1 == to)?;
        self.callee(first)
    }

    /// Where the value begins that the name at `at` is given: behind `=`, `:=`, `<-` or `: type =`.
    fn assigned(&self, at: usize) -> Option<usize> {
        if self.is(at + 1, b'=') {
            let other = self.is(at + 2, b'=') || self.is(at + 2, b'>') || self.is(at + 2, b'~');
            return (!other).then_some(at + 2);
        }
        match self.language {
            Language::Go => (self.is(at + 1, b':') && self.is(at + 2, b'=')).then_some(at + 3),
            Language::R => {
                let arrow = (at + 1..at + 4).find(|at| self.is(*at, b'-'))?;
                ((at + 1..arrow).all(|at| self.is(at, b'<')) && arrow > at + 1).then_some(arrow + 1)
            }
            // `path: str = "/srv"`
            Language::Python | Language::JavaScript if self.is(at + 1, b':') => {
                let declares = matches!(at.checked_sub(1).and_then(|at| self.name(at)), Some("const" | "let" | "var"));
                let starts = self.language == Language::Python && self.begins(at);
                let end = self.statement_end(at + 2).min(at + 12);
                let sign = (at + 3..end).find(|at| self.is(*at, b'=')).filter(|_| declares || starts)?;
                Some(sign + 1)
            }
            _ => None,
        }
    }

    /// `a, b = x, y`, `home, err := os.UserHomeDir()`, `const [a, b] = …`, `my ($a, $b) = @ARGV`; `false` when it is
    /// something else.
    fn unpacked(&mut self, at: usize) -> bool {
        let declares = matches!(self.name(at), Some("const" | "let" | "var" | "my" | "our" | "local"));
        let open = at + 1;
        let bracket = declares && (self.is(open, b'[') || self.is(open, b'('));
        if !bracket && (declares || !self.is(at + 1, b',') || !self.begins(at)) {
            return false;
        }
        let sign = if bracket {
            self.reading.tokens[open].close + 1
        } else {
            let end = self.statement_end(at);
            match (at..end).find(|at| self.is(*at, b'=')) {
                Some(sign) => sign,
                None => return false,
            }
        };
        if !self.is(sign, b'=') || sign <= open {
            return false;
        }
        let last = if self.is(sign - 1, b':') { sign - 1 } else { sign };
        let (first, last) = if bracket { (open + 1, sign - 1) } else { (at, last) };
        let names: Vec<Option<String>> =
            self.places(first, last).into_iter().map(|at| self.name(at).map(str::to_owned)).collect();
        let (from, to) = (sign + 1, self.statement_end(sign + 1));
        let items = self.reading.items(from, to);
        let values = if items.len() > 1 {
            items.into_iter().map(|(from, to)| self.reading.value(from, to)).collect()
        } else {
            self.parts(from, to)
        };
        let mut values = values.into_iter();
        for name in names {
            match (name, values.next()) {
                (Some(name), Some(value)) => drop(self.reading.variables.insert(name, value)),
                (Some(name), None) => drop(self.reading.variables.remove(&name)),
                (None, _) => {}
            }
        }
        true
    }

    /// Where the names of `a, b, , c` stand; an empty place is one as well.
    fn places(&self, from: usize, to: usize) -> Vec<usize> {
        let mut places = Vec::new();
        let mut start = from;
        for at in from..=to {
            if at == to || self.is(at, b',') {
                let name = (start..at).find(|at| self.name(*at).is_some());
                places.push(name.unwrap_or(at));
                start = at + 1;
            }
        }
        places
    }

    /// The items of a list, each as a value; what is no list gives itself to the first name in Go.
    pub(super) fn parts(&self, from: usize, to: usize) -> Vec<Value> {
        let value = self.reading.value(from, to);
        if !value.items.is_empty() {
            return value.items.iter().map(|(from, to)| self.reading.value(*from, *to)).collect();
        }
        if value.list {
            return value.words.into_iter().map(|word| Value { words: vec![word], ..Value::default() }).collect();
        }
        if self.language == Language::Go { vec![value] } else { Vec::new() }
    }

    /// `[…]`, `{…}`, `new Map()`, `dict()`: something in memory only.
    fn is_collection(&self, at: usize) -> bool {
        let at = at + usize::from(self.token(at).is_some_and(|token| token.is_name("new")));
        self.is(at, b'[')
            || self.is(at, b'{')
            || matches!(
                self.name(at),
                Some(
                    "Map"
                        | "Set"
                        | "WeakMap"
                        | "WeakSet"
                        | "dict"
                        | "list"
                        | "set"
                        | "deque"
                        | "defaultdict"
                        | "Counter"
                        | "OrderedDict"
                        | "collections"
                        | "Hash"
                        | "Array"
                        | "URLSearchParams"
                        | "Headers"
                        | "FormData"
                )
            )
    }

    /// `x += …`: what was joined to it, where that is known.
    fn changed(&mut self, name: &str, at: usize) {
        let Some(mut value) =
            self.reading.variables.remove(name).filter(|_| self.is(at + 1, b'+') || self.is(at + 1, b'.'))
        else {
            return;
        };
        let end = self.statement_end(at + 3);
        let more = self.reading.value(at + 3, end);
        value.remote |= more.remote;
        value.decoded |= more.decoded;
        value.environment |= more.environment;
        value.files.extend(more.files.iter().take(8).cloned());
        if value.list {
            value.words.extend(more.words);
            value.words.truncate(256);
        } else if let (Some(word), Some(tail)) = (value.words.first_mut(), more.word()) {
            super::super::value::append(word, tail);
        }
        self.reading.variables.insert(name.to_owned(), value);
    }

    pub(super) fn destructured(&mut self, open: usize) {
        let close = self.reading.tokens[open].close;
        if close <= open || !self.is(close + 1, b'=') {
            return;
        }
        let Some(module) = self.module(close + 2, self.statement_end(close + 2)) else { return };
        for (from, to) in self.reading.items(open + 1, close) {
            if let (Some(name), Some(local)) = (self.name(from), self.name(to - 1)) {
                self.aliases.insert(local.to_owned(), format!("{module}.{name}"));
            }
        }
    }

    /// `require('m')`, `__import__('m')`, `require('m').promises`.
    pub(super) fn module(&self, from: usize, to: usize) -> Option<String> {
        let from = if self.token(from)?.is_name("await") { from + 1 } else { from };
        let getter = self.name(from)?;
        if !matches!(getter, "require" | "__import__" | "import" | "import_module") || !self.is(from + 1, b'(') {
            return None;
        }
        let Kind::Text(word) = &self.token(from + 2)?.kind else { return None };
        let mut module = module_name(&word.text);
        let rest = self.reading.tokens[from + 1].close + 1;
        for at in rest..to {
            match self.token(at)?.kind {
                Kind::Mark(b'.') => {}
                Kind::Name => module = format!("{module}.{}", self.token(at)?.text),
                _ => return None,
            }
        }
        Some(module)
    }

    fn looked_up(&self, from: usize) -> Option<String> {
        if self.name(from)? != "getattr" || !self.is(from + 1, b'(') {
            return None;
        }
        let items = self.reading.items(from + 2, self.reading.tokens[from + 1].close.max(from + 2));
        let (object, name) = (items.first()?, items.get(1)?);
        let object = self.reading.word(object.0, object.1, 0).text;
        let name = self.reading.word(name.0, name.1, 0);
        let object = self.aliases.get(&object).cloned().unwrap_or(object);
        Some(format!("{object}.{}", name.value()?))
    }

    /// A library of native code, or a module whose name nobody knows.
    fn library(&self, from: usize) -> Option<String> {
        let open = (from + 1..from + 6).find(|at| self.is(*at, b'('))?;
        let name = match self.name(from) {
            Some(name) if open == from + 1 => self.aliases.get(name).cloned().unwrap_or_else(|| name.to_owned()),
            _ => self.dotted(from, open)?,
        };
        let native = ["ctypes.CDLL", "ctypes.PyDLL", "ctypes.cdll.LoadLibrary", "ctypes.WinDLL"];
        native.contains(&&*name).then(|| format!("{name}()"))
    }

    pub(super) fn dotted(&self, from: usize, to: usize) -> Option<String> {
        let plain = to > from + 1 && to <= from + 7 && !self.reading.dot_joins;
        let tokens = self.reading.tokens.get(from..to).filter(|_| plain)?;
        let fits = tokens.iter().all(|token| matches!(token.kind, Kind::Name | Kind::Mark(b'.')));
        fits.then(|| {
            let text: String = tokens.iter().map(|token| token.text).collect();
            let (head, rest) = text.split_once('.').unwrap_or((&text, ""));
            format!("{}.{rest}", self.aliases.get(head).map_or(head, |alias| alias))
        })
    }
}

/// `node:fs/promises` is `fs.promises`.
fn module_name(text: &str) -> String {
    match text.strip_prefix("node:").unwrap_or(text) {
        "fs-extra" | "graceful-fs" => "fs".to_owned(),
        text => text.replace('/', "."),
    }
}
