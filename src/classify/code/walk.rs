//! One walk over the tokens of a piece of code: imports and simple variables are followed, calls are handed on.

use std::collections::{BTreeMap, BTreeSet};

use crate::classify::{Language, Scene, Word};
use crate::model::{GapKind, Hides, Span};

use super::lexer::{self, Kind, Token};
use super::value::Reading;
use super::{act, sdk, tables};

mod bindings;
mod calling;
mod commands;
mod computed;
mod functions;
mod gathering;
mod loops;

use functions::Functions;

/// One call with its name spelled out: `subprocess.run`, `Path().unlink`.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) name: String,
    /// The token the whole chain begins with, and the one before this call's last name.
    pub(super) head: usize,
    pub(super) receiver_end: usize,
    /// The arguments, as ranges of tokens.
    pub(super) items: Vec<(usize, usize)>,
    pub(super) span: Option<Span>,
}

/// Finds what a piece of code does.
pub(super) fn run(scene: &mut Scene<'_>, language: Language, text: &str) {
    let syntax = tables::syntax(language);
    let (tokens, broken) = lexer::tokens(text, syntax);
    if broken {
        scene.gap(GapKind::Unparsed, Hides::Anything, None, format!("{language:?} code does not end its strings"));
    }
    let seen = vec![false; tokens.len()];
    let mut reading = Reading::new(language, text, tokens);
    reading.dot_joins = syntax.dot_joins;
    reading.arguments.clone_from(&scene.arguments);
    reading.inline = scene.inline;
    let length = reading.tokens.len();
    let mut walk = Walk {
        reading,
        language,
        bare: syntax.bare_calls,
        aliases: BTreeMap::new(),
        modules: BTreeSet::new(),
        functions: Functions::default(),
        seen,
        dialled: false,
        in_memory: in_memory(text),
        told: false,
    };
    walk.definitions();
    walk.walk(scene, 0, length);
}

struct Walk<'t> {
    reading: Reading<'t>,
    language: Language,
    bare: bool,
    /// Local names of imported things: `rm` for `os.remove`.
    aliases: BTreeMap<String, String>,
    /// Modules that are imported under their own names.
    modules: BTreeSet<String>,
    functions: Functions,
    /// Names that were read as part of a chain.
    seen: Vec<bool>,
    /// The only database of the code is one in memory, which ends with it.
    in_memory: bool,
    /// A shell was started that reads what it is told.
    told: bool,
    /// A connection was opened: what is done with file descriptors afterwards is a remote shell.
    dialled: bool,
}

impl<'t> Walk<'t> {
    fn token(&self, at: usize) -> Option<&Token<'t>> {
        self.reading.tokens.get(at)
    }

    fn is(&self, at: usize, mark: u8) -> bool {
        self.token(at).is_some_and(|token| token.is(mark))
    }

    fn name(&self, at: usize) -> Option<&'t str> {
        self.token(at).filter(|token| matches!(token.kind, Kind::Name)).map(|token| token.text)
    }

    /// Reads the tokens `from..to`.
    fn walk(&mut self, scene: &mut Scene<'_>, from: usize, to: usize) {
        let mut at = from;
        while at < to {
            if let Some(end) = self.skipped(at) {
                at = end.max(at + 1);
                continue;
            }
            let token = &self.reading.tokens[at];
            let starts_line = at == 0 || matches!(self.reading.tokens[at - 1].kind, Kind::Line);
            match &token.kind {
                Kind::Mark(b'!' | b'%') if starts_line && self.language == Language::Python => {
                    at = self.notebook_line(scene, at);
                    continue;
                }
                Kind::Command(word) => {
                    let word = self.reading.resolved(word);
                    act::shell(scene, &word);
                }
                Kind::Text(word) if self.is_shell_template(at) => {
                    let word = self.reading.resolved(word);
                    act::shell(scene, &word);
                }
                Kind::Text(word) => {
                    let inner: Vec<(String, Option<Span>)> = (word.unknown.iter())
                        .filter(|part| part.name.contains('('))
                        .map(|part| (part.name.clone(), word.span))
                        .collect();
                    for (code, span) in inner {
                        scene.run_word(self.language, &code, span);
                    }
                    self.called_value(scene, at);
                }
                Kind::Mark(b'[' | b'(' | b'{' | b'&') => {
                    if !matches!(token.kind, Kind::Mark(b'&')) {
                        self.comprehension(at);
                    }
                    self.called_value(scene, at);
                }
                Kind::Name => {
                    let name = token.text;
                    match name {
                        "from" if self.language == Language::Python && self.begins(at) => self.import(at),
                        "import" if self.begins(at) => {
                            self.import(at);
                            self.loaded_statement(scene, at);
                        }
                        "include" | "include_once" | "require" | "require_once" if self.language == Language::Php => {
                            self.loaded_statement(scene, at);
                        }
                        "for" | "foreach" => {
                            self.for_loop(at, self.reading.tokens.len());
                            if let Some(end) = self.each_item(scene, at) {
                                at = end.max(at + 1);
                                continue;
                            }
                        }
                        "if" => self.condition(at),
                        "def" if !self.functions.commands.is_empty() => {
                            if let Some(end) = self.commanded_here(at) {
                                at = end.max(at + 1);
                                continue;
                            }
                        }
                        "as" => self.with(at),
                        "fork" | "pcntl_fork" => self.forks(scene, at),
                        _ => {}
                    }
                    self.topic(at);
                    self.assignment(at);
                    if !self.seen[at] {
                        self.chain(scene, at);
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// Bun's and zx's ``$`rm x` ``.
    fn is_shell_template(&self, at: usize) -> bool {
        self.language == Language::JavaScript
            && self.token(at).is_some_and(|token| token.text.starts_with('`'))
            && at > 0
            && (self.is(at - 1, b'$') || self.token(at - 1).is_some_and(|token| matches!(token.text, "$" | "sh")))
    }

    /// `!ls`, `%%bash`: a notebook hands the line to a shell.
    fn notebook_line(&self, scene: &mut Scene<'_>, at: usize) -> usize {
        let start = self.reading.tokens[at].start;
        let rest = &self.reading.code[start..];
        let line = rest.lines().next().unwrap_or("");
        let cell = ["%%bash", "%%sh", "%%script bash"].iter().any(|magic| line.starts_with(magic));
        let (skip, length) = if cell {
            (line.len().min(rest.len()), rest.len())
        } else {
            (line.bytes().take_while(|byte| matches!(byte, b'!' | b'%')).count(), line.len())
        };
        if cell || line.starts_with('!') {
            let code = &rest[skip..length];
            let span = Some(Span::new(start + skip, start + length));
            super::hand_over_at(scene, Language::Shell, code, span);
        }
        let end = start + length;
        let next = self.reading.tokens[at..].iter().position(|token| token.start >= end);
        next.map_or(self.reading.tokens.len(), |by| at + by.max(1))
    }

    /// The chain of names and calls that begins at `at`.
    fn chain(&mut self, scene: &mut Scene<'_>, at: usize) {
        const MOST: usize = 64;
        let head_name = self.reading.tokens[at].text;
        let joined = self.language == Language::Lua && at > 1 && self.is(at - 2, b'.');
        let reached = at > 0 && self.is(at - 1, b'.') && !self.reading.dot_joins && !joined;
        let bare_name = head_name.trim_start_matches(['$', '@']);
        let mut name = match self.aliases.get(head_name) {
            Some(alias) => alias.clone(),
            None if reached => format!("?.{head_name}"),
            None => bare_name.to_owned(),
        };
        if at > 0 && matches!(self.name(at - 1), Some("def" | "function" | "sub" | "class" | "func")) {
            return;
        }
        let (mut next, mut last) = (at + 1, at);
        for _ in 0..MOST {
            if let Some(reach) = self.reach(next) {
                let Some(part) = self.name(reach) else { break };
                self.seen[reach] = true;
                name = format!("{name}.{part}");
                if let Some(known) = self.aliases.get(&name).filter(|_| name.starts_with("self.")) {
                    name.clone_from(known);
                }
                (last, next) = (reach, reach + 1);
            } else if self.is(next, b'(') && self.reading.tokens[next].close > next {
                let close = self.reading.tokens[next].close;
                let items = self.reading.items(next + 1, close);
                let span = self.reading.span(at, close + 1);
                self.call(
                    scene,
                    Call { name: name.clone(), head: at, receiver_end: last.saturating_sub(1), items, span },
                );
                name = self.result(scene, &name, at, next, close);
                (last, next) = (close, close + 1);
            } else if self.is(next, b'[') && self.reading.tokens[next].close > next {
                let close = self.reading.tokens[next].close;
                name = self.picked(scene, &name, at, next);
                (last, next) = (close, close + 1);
            } else if self.bare
                && (self.starts_argument(next) || self.starts_special(&name, next))
                && (tables::find(self.language, &name).is_some() || self.is_defined(&name) || is_send(&name))
            {
                let end = self.bare_end(next);
                let span = self.reading.span(at, end);
                let items = self.reading.items(next, end);
                self.call(
                    scene,
                    Call { name: name.clone(), head: at, receiver_end: last.saturating_sub(1), items, span },
                );
                break;
            } else {
                if self.language == Language::Perl
                    && name == "unlink"
                    && next == at + 1
                    && self.reading.variables.contains_key("$_")
                {
                    let span = self.reading.span(at, next);
                    self.call(scene, Call { name: name.clone(), head: at, receiver_end: at, items: Vec::new(), span });
                }
                break;
            }
        }
        // `names.each { |f| … }`, and Ruby's calls without anything: `Post.delete_all`.
        if self.bare && next > at {
            if name.ends_with(".each") || name.ends_with(".map") || name.ends_with(".each_child") {
                self.block(at, last, next);
                self.block_of_client(&name, next);
            }
            if name.ends_with("find()") || name.ends_with(".glob()") || name.ends_with("each_child()") {
                self.found(next, name.ends_with(".glob()"));
            }
            if !self.is(next - 1, b')') && name.contains('.') {
                let span = self.reading.span(at, next);
                let call = Call { name, head: at, receiver_end: last.saturating_sub(1), items: Vec::new(), span };
                self.call(scene, call);
            }
        }
    }

    /// The name that `.x`, `->x`, `::x` or `?.x` at `at` reaches.
    fn reach(&self, at: usize) -> Option<usize> {
        let at = if matches!(self.token(at)?.kind, Kind::Line) && self.is(at + 1, b'.') { at + 1 } else { at };
        let two = |one: u8, two: u8| self.is(at, one) && self.is(at + 1, two);
        let method = self.language == Language::Lua && self.is(at, b':') && self.is(at + 2, b'(');
        if self.is(at, b'.') && !self.reading.dot_joins || method {
            Some(at + 1)
        } else if two(b'-', b'>') || two(b':', b':') || two(b'?', b'.') {
            Some(at + 2)
        } else {
            None
        }
    }

    /// What the rest of a chain stands on after a call.
    fn result(&self, scene: &mut Scene<'_>, name: &str, head: usize, open: usize, close: usize) -> String {
        if let Some(module) = self.module(head, close + 1) {
            return module;
        }
        if let Some(service) = self.service(name, open) {
            return service;
        }
        let loads = name.ends_with("import_module") || name == "__import__" || name.ends_with(".require");
        if loads || matches!(name, "createRequire()" | "module.createRequire()" | "module._load") {
            let items = self.reading.items(open + 1, close);
            let module = items.first().map(|(from, to)| self.reading.word(*from, *to, 0));
            if let Some(module) = module.as_ref().and_then(Word::value) {
                return module.strip_prefix("node:").unwrap_or(module).replace('/', ".");
            }
        }
        if let Some(found) = self.attribute(scene, name, head, open) {
            return found;
        }
        if let Some(owner) = name.strip_suffix(".bind").filter(|owner| tables::find(self.language, owner).is_some()) {
            return owner.to_owned();
        }
        format!("{name}()")
    }

    /// `boto3.client("ec2")`, `session.resource("s3")`: the service stands in the name from here on.
    fn service(&self, name: &str, open: usize) -> Option<String> {
        let (owner, last) = name.rsplit_once('.')?;
        if !matches!(last, "client" | "resource" | "Bucket" | "Table" | "Instance") || !sdk::is_client(name) {
            return None;
        }
        let Kind::Text(word) = &self.token(open + 1)?.kind else { return None };
        match last {
            "client" => Some(format!("{owner}.client-{}()", word.text.replace('.', "-"))),
            "resource" => Some(format!("{owner}.{}()", word.text.replace('.', "-"))),
            _ => None,
        }
    }

    /// The name of the chain `from..to`, when it comes from a client library.
    fn made_by(&self, from: usize, to: usize) -> Option<String> {
        let mut at = from;
        while matches!(self.name(at), Some("await" | "new")) {
            at += 1;
        }
        let head = self.name(at)?;
        let mut name = self.aliases.get(head).cloned().unwrap_or_else(|| head.to_owned());
        at += 1;
        while at < to {
            if let Some(reach) = self.reach(at) {
                name = format!("{name}.{}", self.name(reach)?);
                if let Some(known) = self.aliases.get(&name).filter(|_| name.starts_with("self.")) {
                    name.clone_from(known);
                }
                at = reach + 1;
            } else if self.is(at, b'(') && self.reading.tokens[at].close > at {
                name = self.service(&name, at).unwrap_or_else(|| format!("{name}()"));
                at = self.reading.tokens[at].close + 1;
            } else if self.is(at, b'[') && self.reading.tokens[at].close > at {
                at = self.reading.tokens[at].close + 1;
            } else {
                break;
            }
        }
        (sdk::is_client(&name) && name.len() < 200).then_some(name)
    }

    /// `import "./x.mjs"`, `include $x;`: a statement that loads a file.
    fn loaded_statement(&mut self, scene: &mut Scene<'_>, at: usize) {
        let end = self.statement_end(at + 1);
        let items = match self.language {
            Language::JavaScript if !self.is(at + 1, b'(') => {
                let path = (at + 1..end).rev().find(|at| matches!(self.reading.tokens[*at].kind, Kind::Text(_)));
                path.map(|at| (at, at + 1)).into_iter().collect()
            }
            Language::Php if end > at + 1 && !self.is(at + 1, b'(') => vec![(at + 1, end)],
            _ => return,
        };
        let name = self.reading.tokens[at].text.to_owned();
        let call = Call { name, head: at, receiver_end: at, items, span: self.reading.span(at, end) };
        self.call(scene, call);
    }

    /// `send :system`, `syscall 87`: arguments that only these may begin with.
    fn starts_special(&self, name: &str, at: usize) -> bool {
        is_send(name) && self.is(at, b':')
            || name == "syscall" && self.token(at).is_some_and(|token| matches!(token.kind, Kind::Number))
    }

    /// What `$_` is in Perl: in `unlink for </x/*>`, `for (</x/*>) { unlink }` and `map { unlink } glob "/x/*"`.
    fn topic(&mut self, at: usize) {
        if self.language != Language::Perl {
            return;
        }
        let listed = match self.name(at) {
            Some("for" | "foreach") if self.is(at + 1, b'(') => Some((at + 2, self.reading.tokens[at + 1].close)),
            Some("map" | "grep") if self.is(at + 1, b'{') => {
                let close = self.reading.tokens[at + 1].close;
                Some((close + 1, self.statement_end(close + 1)))
            }
            _ => None,
        };
        if let Some((from, to)) = listed.filter(|(from, to)| from < to) {
            let value = self.reading.value(from, to);
            self.reading.variables.insert("$_".to_owned(), value);
        }
        if !(self.begins(at) || at > 0 && self.is(at - 1, b'{')) {
            return;
        }
        let end = self.statement_end(at);
        let Some(word) = (at + 1..end).find(|at| matches!(self.name(*at), Some("for" | "foreach"))) else { return };
        let from = word + 1;
        let (from, to) = if self.is(from, b'(') && self.reading.tokens[from].close + 1 == end {
            (from + 1, end - 1)
        } else {
            (from, end)
        };
        if from < to {
            let value = self.reading.value(from, to);
            self.reading.variables.insert("$_".to_owned(), value);
        }
    }

    fn starts_argument(&self, at: usize) -> bool {
        self.token(at).is_some_and(|token| match token.kind {
            Kind::Text(_) | Kind::Words(_) | Kind::Command(_) | Kind::Number => true,
            Kind::Mark(b'-') => self.token(at + 1).is_some_and(|next| matches!(next.kind, Kind::Number)),
            Kind::Name => {
                token.text.starts_with(['$', '@'])
                    || tables::find(self.language, token.text).is_none() && !is_keyword(token.text)
            }
            Kind::Mark(b'<') => true,
            _ => false,
        })
    }

    fn bare_end(&self, at: usize) -> usize {
        let end = self.statement_end(at);
        (at..end).find(|at| self.name(*at).is_some_and(is_keyword)).unwrap_or(end)
    }

    /// `s3.buckets.each { |bucket| … }`: what the client lists is the client's.
    fn block_of_client(&mut self, name: &str, next: usize) {
        let parameter = self.name(next + 2).filter(|_| self.is(next + 1, b'|')).map(str::to_owned);
        if let Some(parameter) = parameter.filter(|_| sdk::is_client(name) && name.len() < 200) {
            self.aliases.insert(parameter, format!("{name}()"));
        }
    }

    fn block(&mut self, head: usize, last: usize, next: usize) {
        let open = if self.is(next, b'{') || self.token(next).is_some_and(|token| token.is_name("do")) {
            next + 1
        } else {
            return;
        };
        if !self.is(open, b'|') {
            return;
        }
        let Some(name) = self.name(open + 1) else { return };
        let mut value = self.reading.value(head, last.saturating_sub(1));
        if self.token(head).is_some_and(|token| token.is_name("Dir")) && self.is(head + 1, b'[') {
            let close = self.reading.tokens[head + 1].close;
            value = self.reading.value(head + 2, close);
            value.words.iter_mut().for_each(|word| word.glob = true);
        }
        self.reading.variables.insert(name.to_owned(), value);
    }
}

/// Whether the only database that the code opens is one in memory.
fn in_memory(code: &str) -> bool {
    const OPENS: &[&str] = &["connect(", "create_engine(", "Database(", "createConnection(", "dbConnect("];
    let opened: usize = OPENS.iter().map(|open| code.matches(open).count()).sum();
    let within = code.contains(":memory:") || code.contains("sqlite://\"") || code.contains("sqlite://'");
    within && opened == 1 && !code.to_ascii_lowercase().contains("attach ")
}

/// Ruby's messages: `Kernel.send :system, x`.
fn is_send(name: &str) -> bool {
    matches!(name.rsplit('.').next(), Some("send" | "public_send" | "__send__"))
}

fn is_keyword(name: &str) -> bool {
    matches!(
        name,
        "if" | "unless" | "while" | "until" | "for" | "foreach" | "or" | "and" | "do" | "rescue" | "end" | "then"
    )
}
