//! What calls put into variables: a mail its body, a list its items, a parser its options; and what a function is
//! called with for every item of a list.

use crate::classify::{Language, Scene, Word};
use crate::model::{Effect, Extent, Operation, Resource, ResourceKind, Reversibility};

use super::super::lexer::Kind;
use super::super::tables::Does;
use super::super::value::{Declared, Value};
use super::{Call, Walk, act};

impl Walk<'_> {
    /// `parser.add_argument("--out", default="x")`.
    pub(super) fn declare(&mut self, call: &Call) {
        const MOST: usize = 64;
        let made = act::made::Made { reading: &self.reading, call };
        let text = |value: Value| value.word().and_then(Word::value).map(str::to_owned);
        let names: Vec<String> = (0..call.items.len()).filter_map(|at| made.argument(at).and_then(text)).collect();
        let flag = made.option("action").and_then(text).is_some_and(|action| action.starts_with("store_"));
        let usual = made.option("default").and_then(|value| value.word().cloned());
        if self.reading.declared.len() < MOST && !names.is_empty() {
            let many = made.option("nargs").and_then(text).is_some_and(|nargs| super::commands::many(&nargs));
            let parser = self.reading.tokens[call.head].text.to_owned();
            self.reading.declared.push(Declared { names, parser, takes: !flag, many, usual });
        }
    }

    /// `stop = commands.add_parser("stop")`: what `stop` declares is for that subcommand.
    pub(super) fn parser_of(&mut self, variable: &str, from: usize, to: usize) {
        let Some(at) = (from..to).find(|at| self.name(*at) == Some("add_parser")) else { return };
        if let Some(Kind::Text(word)) = self.token(at + 2).map(|token| &token.kind) {
            let name = word.text.clone();
            self.reading.parsers.insert(variable.to_owned(), name);
        }
    }

    /// `mail.set_content(open(f).read())`: what the variable holds came from there.
    pub(super) fn gathered(&mut self, call: &Call, last: &str) {
        const PUTS: &[&str] = &[
            "set_content",
            "attach",
            "add_attachment",
            "set_payload",
            "append",
            "extend",
            "push",
            "update",
            "write",
            "add",
            "concat",
            "put",
            "insert",
            "add_field",
        ];
        let plain = call.name.split('.').count() == 2;
        let owner = self.reading.tokens[call.head].text;
        if !plain || !PUTS.contains(&last) || self.is_import(owner) {
            return;
        }
        self.carried(owner, &call.items);
    }

    /// What comes from files, the environment or outside in `items` is in `owner` from now on.
    pub(super) fn carried(&mut self, owner: &str, items: &[(usize, usize)]) {
        let mut more = Value::default();
        for (from, to) in items {
            self.reading.sources(*from, *to, &mut more);
        }
        if more.files.is_empty() && !more.environment && !more.remote && !more.decoded {
            return;
        }
        let value = self.reading.variables.entry(owner.to_owned()).or_default();
        value.files.extend(more.files.into_iter().take(8));
        value.files.truncate(32);
        value.environment |= more.environment;
        value.remote |= more.remote;
        value.decoded |= more.decoded;
    }

    /// What a call hands to the function it is given, to a shell that listens or to a connection that stands open.
    pub(super) fn handed_on(&mut self, scene: &mut Scene<'_>, call: &Call, last: &str) {
        let value = |at: usize| call.items.get(at).map(|(from, to)| self.reading.value(*from, *to));
        match last {
            "Popen" | "spawn" | "popen" | "open3" => self.told |= value(0).is_some_and(|it| act::opens_shell(&it)),
            "communicate" | "write" if self.told => {
                if let Some(word) = value(0).and_then(|value| value.word().cloned()) {
                    act::shell(scene, &word);
                }
            }
            // `http.client.HTTPSConnection(host).request("POST", "/", body)`
            "request"
                if self.language == Language::Python
                    && self.reading.peer.is_some()
                    && !self.is_import(self.reading.tokens[call.head].text) =>
            {
                act::run(scene, &self.reading, self.language, Does::Send, call);
            }
            // `fetch(url).then(answer => …)`
            "then" if call.name.contains("fetch()") => {
                self.given_to(call, 0, Value { remote: true, ..Value::default() })
            }
            "Walk" | "WalkDir" => {
                let mut value = value(0).unwrap_or_default();
                for word in &mut value.words {
                    word.text.push_str("/*");
                    word.glob = true;
                }
                self.given_to(call, 1, value);
            }
            _ => {}
        }
    }

    /// The first parameter of the function in argument `at` is `value`.
    fn given_to(&mut self, call: &Call, at: usize, value: Value) {
        let Some(&(from, to)) = call.items.get(at) else { return };
        let name =
            (from..to).find_map(|at| self.name(at).filter(|name| !matches!(*name, "async" | "function" | "func")));
        if let Some(name) = name {
            self.reading.variables.insert(name.to_owned(), value);
        }
    }

    /// `socket.on("data", line => …)`: what the other end says.
    pub(super) fn heard(&mut self, call: &Call) {
        let [(from, _), (first, to), ..] = call.items[..] else { return };
        let data = matches!(&self.reading.tokens[from].kind, Kind::Text(word) if word.text == "data");
        let name = (first..to).find_map(|at| self.name(at).filter(|name| !matches!(*name, "async" | "function")));
        if let Some(name) = name.filter(|_| data) {
            let value = self.reading.variables.entry(name.to_owned()).or_default();
            value.remote = true;
        }
    }

    /// `Find.find(top) { |path| … }`, `Dir.glob("*.log") { |path| … }`: the block at `next` is given what is found.
    pub(super) fn found(&mut self, next: usize, pattern: bool) {
        let open = next + 1;
        let block = self.is(next, b'{') || self.name(next) == Some("do");
        let Some(name) = self.name(open + 1).filter(|_| block && self.is(open, b'|')) else { return };
        let Some(bracket) = (0..next).rev().take(64).find(|at| self.reading.tokens[*at].close == next - 1) else {
            return;
        };
        let mut value = self.reading.value(bracket + 1, next - 1);
        for word in &mut value.words {
            word.glob = true;
            if !pattern {
                word.text.push_str("/*");
            }
        }
        self.reading.variables.insert(name.to_owned(), value);
    }

    pub(super) fn is_import(&self, name: &str) -> bool {
        self.aliases.contains_key(name) || self.modules.contains(name)
    }

    /// `["a", "b"].forEach(f => …)`: all items but the last are read here, the last with the code around.
    pub(super) fn each_given(&mut self, scene: &mut Scene<'_>, call: &Call, parameter: &str, value: Value) {
        const MOST: usize = 16;
        const MAX_READ: usize = 4_000;
        let (Some(&(from, _)), Some(&(_, to))) = (call.items.first(), call.items.last()) else { return };
        let known = value.list && value.words.iter().all(Word::is_known);
        let fits = (1..=MOST).contains(&value.words.len()) && (to - from) * value.words.len() < MAX_READ;
        if !known || !fits || !self.enter() {
            self.reading.variables.insert(parameter.to_owned(), value);
            return;
        }
        let count = value.words.len();
        for (at, word) in value.words.into_iter().enumerate() {
            let one = Value { words: vec![word], ..Value::default() };
            self.reading.variables.insert(parameter.to_owned(), one);
            if at + 1 < count {
                self.walk(scene, from, to);
                self.seen[from..to].fill(false);
            }
        }
        self.leave();
    }

    /// A process that starts itself again and again without an end takes the host down.
    pub(super) fn forks(&self, scene: &mut Scene<'_>, at: usize) {
        let endless = (0..self.reading.tokens.len()).any(|at| match self.name(at) {
            Some("while") => {
                let next = at + 1 + usize::from(self.is(at + 1, b'('));
                self.token(next).is_some_and(|token| matches!(token.text, "True" | "true" | "1"))
            }
            Some("for") => {
                let next = at + 1 + usize::from(self.is(at + 1, b'('));
                self.is(next, b';') && self.is(next + 1, b';') || self.is(next, b'{')
            }
            Some("loop") => self.is(at + 1, b'{') || self.name(at + 1) == Some("do"),
            _ => false,
        });
        let text = at > 0 && matches!(self.reading.tokens[at - 1].kind, Kind::Text(_));
        if !endless || text {
            return;
        }
        let mut effect = Effect::new(Operation::Stop, Resource::new(ResourceKind::Host, ""));
        effect.extent = Extent::All;
        effect.reversible = Reversibility::No;
        effect.by = "fork bomb".to_owned();
        effect.span = self.reading.span(at, at + 1);
        scene.effect(effect);
    }
}
