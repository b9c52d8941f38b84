//! Callees that are no plain names: picked out of an object by a text, sent as a message, held in a variable. A text
//! that is known is the name; what is not is a gap where the object can do harm or the text comes from outside.

use crate::classify::{Language, Scene, Word};
use crate::model::{GapKind, Hides};

use super::super::lexer::Kind;
use super::super::tables::{self, Does};
use super::{Call, Walk};

/// Objects that hold everything there is: `globalThis.eval` is `eval`.
const GLOBALS: &[&str] = &[
    "builtins.",
    "__builtins__.",
    "globals().",
    "locals().",
    "vars().",
    "sys.modules.",
    "globalThis.",
    "global.",
    "window.",
    "process.mainModule.",
    "Kernel.",
    "_G.",
    "_ENV.",
    "CORE.",
    "GLOBAL.",
];

/// Modules and objects whose functions start programs, change files or run code.
const HARMFUL: &[&str] = &[
    "os",
    "posix",
    "subprocess",
    "shutil",
    "builtins",
    "__builtins__",
    "globals()",
    "sys.modules",
    "ctypes",
    "pty",
    "importlib",
    "__import__()",
    "import_module()",
    "importlib.import_module()",
    "child_process",
    "fs",
    "fs.promises",
    "vm",
    "globalThis",
    "global",
    "window",
    "process",
    "require()",
    "import()",
    "Kernel",
    "Object",
    "File",
    "FileUtils",
    "IO",
    "Dir",
    "Process",
    "io",
    "_G",
    "_ENV",
    "package.loaded",
];

/// Where words come from that nobody sees in the code: the command line, the environment, standard input.
const OUTSIDE: &[&str] = &[
    "argv",
    "ARGV",
    "environ",
    "getenv",
    "ENV",
    "stdin",
    "STDIN",
    "_GET",
    "_POST",
    "_REQUEST",
    "_COOKIE",
    "_SERVER",
    "commandArgs",
    "readline",
    "readLines",
    "recv",
    "gets",
];

impl Walk<'_> {
    /// Whether the expression `from..to` holds something that comes from outside the code.
    pub(super) fn is_from_outside(&self, from: usize, to: usize) -> bool {
        let value = self.reading.value(from, to);
        let parts = value.words.iter().flat_map(|word| &word.unknown);
        value.remote
            || value.decoded
            || value.environment
            || parts.into_iter().any(|part| says_outside(&part.name))
            || (from..to).any(|at| self.token(at).is_some_and(|token| says_outside(token.text)))
    }

    fn is_harmful(name: &str) -> bool {
        HARMFUL.contains(&name.trim_end_matches(".__dict__"))
    }

    fn dynamic(&self, scene: &mut Scene<'_>, from: usize, to: usize) {
        let span = self.reading.span(from, to);
        let text = span.and_then(|span| self.reading.code.get(span.start..span.end)).unwrap_or("");
        scene.gap(GapKind::DynamicCode, Hides::Anything, span, text);
    }

    /// `object["name"]`, `object[name]`: the name that the chain goes on with.
    pub(super) fn picked(&self, scene: &mut Scene<'_>, name: &str, head: usize, open: usize) -> String {
        let close = self.reading.tokens[open].close;
        if let Some(Kind::Text(word)) = self.token(open + 1).map(|token| &token.kind)
            && close == open + 2
            && word.is_known()
        {
            return format!("{name}.{}", word.text);
        }
        let number = close == open + 2 && matches!(self.reading.tokens[open + 1].kind, Kind::Number);
        let called = self.is(close + 1, b'(') || self.is(close + 1, b'?') && self.is(close + 3, b'(');
        let harmful = Self::is_harmful(name);
        if number || close <= open + 1 || !harmful && !called {
            return format!("{name}[]");
        }
        let word = self.reading.word(open + 1, close, 0);
        if let Some(text) = word.value().filter(|_| !word.glob) {
            return format!("{name}.{text}");
        }
        let whole = matches!(name, "process" | "global" | "globalThis" | "window" | "sys.modules" | "io");
        let own = self.reading.memory.contains(self.reading.tokens[head].text);
        if harmful && (called || !whole) || called && !own && self.is_from_outside(open + 1, close) {
            self.dynamic(scene, head, close + 1);
        }
        format!("{name}[]")
    }

    /// `getattr(object, name)`, `object.__getattribute__(name)`, `vars(object)`, `get("name")`: what it gives.
    pub(super) fn attribute(&self, scene: &mut Scene<'_>, name: &str, head: usize, open: usize) -> Option<String> {
        let close = self.reading.tokens[open].close;
        let items = || self.reading.items(open + 1, close);
        let object = |(from, to): (usize, usize)| {
            let text = self.dotted(from, to).unwrap_or_else(|| {
                let text = self.reading.word(from, to, 0).text;
                self.aliases.get(&text).cloned().unwrap_or(text)
            });
            let made = self.module(from, to);
            made.unwrap_or_else(|| text.trim_end_matches('.').to_owned())
        };
        let (owner, wanted) = match (self.language, name) {
            (Language::Python, "getattr" | "builtins.getattr") => {
                let items = items();
                (object(*items.first()?), *items.get(1)?)
            }
            (Language::Python, "vars") => return items().first().map(|item| object(*item)),
            (Language::R, "get" | "match.fun" | "getFunction") => (String::new(), *items().first()?),
            (Language::Ruby, _) if name.ends_with(".const_get") => (String::new(), *items().first()?),
            (Language::Ruby, _) if name == "method" || name.ends_with(".method") => {
                (name.trim_end_matches("method").trim_end_matches('.').to_owned(), *items().first()?)
            }
            _ => (name.strip_suffix(".__getattribute__")?.to_owned(), *items().first()?),
        };
        if let Some(text) = self.symbol(wanted) {
            return Some(if owner.is_empty() { text } else { format!("{owner}.{text}") });
        }
        let called = self.is(close + 1, b'(') || self.reach(close + 1).is_some();
        let own = self.reading.memory.contains(&owner) || owner == "self" || owner == "this";
        let harmful = Self::is_harmful(&owner) || owner.starts_with("__import__(") || owner.contains("import_module(");
        if harmful || called && !own && self.is_from_outside(wanted.0, wanted.1) {
            self.dynamic(scene, head, close + 1);
        }
        None
    }

    /// A name that is written as a text or as Ruby's `:name`.
    fn symbol(&self, (from, to): (usize, usize)) -> Option<String> {
        if self.is(from, b':') && to == from + 2 {
            return self.name(from + 1).map(str::to_owned);
        }
        let word = self.reading.word(from, to, 0);
        word.value().filter(|_| !word.glob).map(str::to_owned)
    }

    /// The call with the name it really has; `None` when nobody can say and that is noted.
    pub(super) fn named(&self, scene: &mut Scene<'_>, mut call: Call) -> Option<Call> {
        if call.name.contains(".__dict__.") {
            call.name = call.name.replace(".__dict__.", ".");
        }
        while let Some(rest) = GLOBALS.iter().find_map(|prefix| call.name.strip_prefix(prefix)) {
            call.name = rest.to_owned();
        }
        let (owner, last) = call.name.rsplit_once('.').unwrap_or(("", &call.name));
        match (self.language, last) {
            (Language::Ruby, "send" | "public_send" | "__send__") => {
                let first = *call.items.first()?;
                let Some(text) = self.symbol(first) else {
                    let harmful = owner.is_empty() || owner == "self" || Self::is_harmful(owner);
                    if harmful || self.is_from_outside(first.0, first.1) {
                        self.dynamic(scene, call.head, call.items.last().map_or(first.1, |item| item.1));
                        return None;
                    }
                    return Some(call);
                };
                let plain = matches!(owner, "" | "self" | "Kernel" | "Object");
                call.name = if plain { text } else { format!("{owner}.{text}") };
                call.items.remove(0);
            }
            (Language::Php, "call_user_func" | "call_user_func_array" | "forward_static_call") => {
                let first = *call.items.first()?;
                let spread = last == "call_user_func_array";
                let Some(text) = self.symbol(first) else {
                    self.unnamed(scene, first, call.head);
                    return Some(call);
                };
                call.name = text;
                call.items.remove(0);
                self.unpack_list(&mut call, spread);
            }
            (Language::Php, _) if owner.is_empty() || owner.starts_with('_') => {
                let token = self.token(call.head)?;
                if !token.text.starts_with('$') || self.is(call.head + 1, b'-') {
                    return Some(call);
                }
                let word = self.reading.variables.get(token.text).and_then(|value| value.word());
                match word.and_then(Word::value).filter(|_| owner.is_empty()) {
                    Some(text) => call.name = text.to_owned(),
                    None => self.unnamed(scene, (call.head, call.head + 1), call.head),
                }
            }
            (Language::R, "do.call") | (Language::R, "call") if call.name == "do.call" => {
                let first = *call.items.first()?;
                let name = self.dotted(first.0, first.1).or_else(|| self.symbol(first));
                match name.or_else(|| self.name(first.0).map(str::to_owned)) {
                    Some(text) if first.1 == first.0 + 1 => call.name = text,
                    _ => {
                        self.dynamic(scene, first.0, first.1);
                        return None;
                    }
                }
                call.items.remove(0);
                self.unpack_list(&mut call, true);
            }
            (Language::JavaScript, "call" | "apply") if tables::find(self.language, owner).is_some() => {
                let spread = last == "apply";
                call.name = owner.to_owned();
                if !call.items.is_empty() {
                    call.items.remove(0);
                }
                self.unpack_list(&mut call, spread);
            }
            (Language::JavaScript, "apply") if owner == "Reflect" && call.items.len() > 2 => {
                let first = call.items[0];
                call.name = self.callee(first)?;
                call.items.drain(..2);
                self.unpack_list(&mut call, true);
            }
            (Language::Ruby, "call") if tables::find(self.language, owner).is_some() => {
                call.name = owner.to_owned();
            }
            (Language::Python, _) if owner.starts_with("ctypes.") => {
                return self.native(scene, call);
            }
            _ => {}
        }
        Some(call)
    }

    /// `f(x, [a, b])`: the items of the last list are what is given.
    fn unpack_list(&self, call: &mut Call, spread: bool) {
        let Some(&(from, to)) = call.items.last().filter(|_| spread) else { return };
        let open = (from..to)
            .find(|at| self.reading.tokens[*at].close + 1 == to && (self.is(*at, b'[') || self.is(*at, b'(')));
        if let Some(open) = open {
            call.items = self.reading.items(open + 1, to - 1);
        }
    }

    /// A variable is called that holds nothing known: nothing is said when it is a parameter or a function written out.
    fn unnamed(&self, scene: &mut Scene<'_>, (from, to): (usize, usize), head: usize) {
        let is_function = |name: &str| matches!(name, "function" | "fn" | "sub");
        let bound = self.token(from).and_then(|token| self.reading.variables.get(token.text));
        let written = bound
            .and_then(|value| value.word())
            .is_some_and(|word| word.text.split(|letter: char| !letter.is_alphanumeric()).any(is_function));
        let defines = || self.reading.tokens.iter().any(|token| is_function(token.text));
        let callable = self.is(from, b'[') || written;
        if self.is_from_outside(from, to) || !callable && (bound.is_some() || !defines()) {
            self.dynamic(scene, head, to);
        }
    }

    /// `ctypes.CDLL(None).system(b"…")`: the functions of C that are known by name.
    fn native(&self, scene: &mut Scene<'_>, mut call: Call) -> Option<Call> {
        const QUIET: &[&str] = &[
            "getpid", "getppid", "time", "printf", "puts", "strlen", "abs", "sqrt", "rand", "getuid", "malloc", "free",
            "memset", "strcmp", "atoi",
        ];
        let owner = call.name.rsplit_once('.')?.0;
        let last = call.name.rsplit('.').next()?;
        let library = ["CDLL()", "PyDLL()", "WinDLL()", "OleDLL()", "LoadLibrary()", "cdll", "windll", "pythonapi"]
            .iter()
            .any(|part| owner.contains(part));
        if !library || QUIET.contains(&last) || last == "LoadLibrary" {
            return Some(call);
        }
        let name = match last {
            "system" | "popen" => "os.system",
            "unlink" | "remove" => "os.remove",
            "rmdir" => "os.rmdir",
            "rename" => "os.rename",
            "kill" => "os.kill",
            "chmod" => "os.chmod",
            _ => {
                self.dynamic(scene, call.head, call.items.last().map_or(call.head + 1, |item| item.1));
                return None;
            }
        };
        call.name = name.to_owned();
        Some(call)
    }

    /// The name of a function that is given as a value: `os.system`, `eval`.
    pub(super) fn callee(&self, (from, to): (usize, usize)) -> Option<String> {
        let name = match self.name(from) {
            Some(name) if to == from + 1 => self.aliases.get(name).cloned().unwrap_or_else(|| name.to_owned()),
            _ => self.dotted(from, to).or_else(|| self.chosen(from, to)).or_else(|| self.module(from, to))?,
        };
        let name = GLOBALS.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(&name);
        Some(name.to_owned())
    }

    /// `cp["exec"]`, `globalThis["ev" + "al"]` as a value.
    pub(super) fn chosen(&self, from: usize, to: usize) -> Option<String> {
        let open = (from + 1..to.min(from + 6)).find(|at| self.is(*at, b'['))?;
        if self.reading.tokens[open].close + 1 != to || !matches!(self.language, Language::JavaScript | Language::Lua) {
            return None;
        }
        let owner = match self.name(from) {
            Some(name) if open == from + 1 => self.aliases.get(name).cloned().unwrap_or_else(|| name.to_owned()),
            _ => self.dotted(from, open).or_else(|| self.module(from, open))?,
        };
        let text = self.symbol((open + 1, to - 1))?;
        Some(format!("{owner}.{text}"))
            .filter(|name| Self::is_harmful(&owner) || tables::find(self.language, name).is_some())
    }

    /// `submit(os.system, "…")`, `map(os.system, […])`, `partial(shutil.rmtree, d)`: the function that is given is called.
    pub(super) fn given_function(&mut self, scene: &mut Scene<'_>, call: &Call, last: &str) {
        const CALLERS: &[&str] = &[
            "submit",
            "register",
            "partial",
            "to_thread",
            "run_in_executor",
            "call_soon",
            "call_later",
            "starmap",
            "map",
            "filter",
            "Timer",
            "apply_async",
            "start_new_thread",
            "Thread",
            "Process",
        ];
        if self.language != Language::Python || !CALLERS.contains(&last) {
            return;
        }
        let behind_sign =
            |(from, to): (usize, usize)| if self.is(from + 1, b'=') { (from + 2, to) } else { (from, to) };
        let found = call.items.iter().enumerate().find_map(|(at, item)| {
            let name = self.callee(behind_sign(*item))?;
            tables::find(self.language, &name).map(|does| (at, name, does))
        });
        let Some((at, name, does)) = found else { return };
        let acts = matches!(
            does,
            Does::Shell | Does::Command | Does::Program | Does::Spawn | Does::Tree | Does::Evaluate | Does::File(..)
        );
        let rest: Vec<(usize, usize)> = call.items[at + 1..].iter().map(|item| behind_sign(*item)).collect();
        let Some(&(from, to)) = rest.first().filter(|_| acts) else { return };
        let list = (self.is(from, b'[') || self.is(from, b'(')) && self.reading.tokens[from].close + 1 == to;
        let made = |items| Call {
            name: name.clone(),
            head: call.head,
            receiver_end: call.receiver_end,
            items,
            span: call.span,
        };
        let calls: Vec<Call> = match (list, last) {
            (true, "map" | "filter") => {
                self.reading.items(from + 1, to - 1).into_iter().take(32).map(|item| made(vec![item])).collect()
            }
            (true, _) => vec![made(self.reading.items(from + 1, to - 1))],
            _ => vec![made(rest)],
        };
        for one in calls {
            self.call(scene, one);
        }
    }

    /// `(0, eval)(x)`, `("sys" . "tem")(x)`, `&{"system"}(x)`, `"system"(x)`: what stands at `at` is called.
    pub(super) fn called_value(&mut self, scene: &mut Scene<'_>, at: usize) {
        let token = &self.reading.tokens[at];
        let (from, to, open) = match token.kind {
            Kind::Mark(b'(') if self.is(token.close + 1, b'(') => (at + 1, token.close, token.close + 1),
            Kind::Text(_) if self.language == Language::Php && self.is(at + 1, b'(') => (at, at + 1, at + 1),
            Kind::Mark(b'&') if self.language == Language::Perl => match self.perl_callee(at) {
                Some(callee) => callee,
                None => return,
            },
            _ => return,
        };
        if at > 0 && (self.name(at - 1).is_some() || self.is(at - 1, b')') || self.is(at - 1, b']') || to <= from) {
            return;
        }
        let Some(&item) = self.reading.items(from, to).last() else { return };
        let text = || match self.language {
            Language::Php | Language::Perl => {
                self.symbol(item).map(|name| name.rsplit("::").next().unwrap_or(&name).to_owned())
            }
            _ => None,
        };
        let (head, span) = (item.0, self.reading.span(at, open + 1));
        let Some(name) = text().or_else(|| self.callee(item)) else {
            if matches!(self.language, Language::Php | Language::Perl) && item.1 - item.0 < 64 {
                self.unnamed(scene, item, at);
            }
            return;
        };
        if name.starts_with('$') {
            return self.unnamed(scene, item, at);
        }
        let close = self.reading.tokens.get(open).map_or(0, |token| token.close);
        let items = if self.is(open, b'(') && close > open { self.reading.items(open + 1, close) } else { Vec::new() };
        self.call(scene, Call { name, head, receiver_end: head, items, span });
    }

    /// `&$f(x)`, `&{"system"}(x)`: where the callee stands and the bracket behind it.
    fn perl_callee(&self, at: usize) -> Option<(usize, usize, usize)> {
        let sum = at > 0
            && (self.is(at - 1, b'&')
                || self.is(at - 1, b'\\')
                || matches!(
                    self.reading.tokens[at - 1].kind,
                    Kind::Number | Kind::Text(_) | Kind::Name | Kind::Mark(b')')
                ));
        if sum || self.is(at + 1, b'&') {
            return None;
        }
        if self.is(at + 1, b'{') {
            let close = self.reading.tokens[at + 1].close;
            return (close > at + 2).then_some((at + 2, close, close + 1));
        }
        self.name(at + 1).filter(|name| name.starts_with('$')).map(|_| (at + 1, at + 2, at + 2))
    }
}

fn says_outside(text: &str) -> bool {
    let mut words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    words.any(|word| OUTSIDE.contains(&word)) || text.contains("process.env") || text.contains("input(")
}
