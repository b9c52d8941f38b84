//! What calls put into variables: a mail its body, a list its items, a parser its options; and what a function is
//! called with for every item of a list.

use crate::classify::{Scene, Word};
use crate::model::{Effect, Extent, Operation, Resource, ResourceKind, Reversibility};

use super::super::lexer::Kind;
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
            self.reading.declared.push(Declared { names, takes: !flag, usual });
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
        let mut more = Value::default();
        for (from, to) in &call.items {
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

    fn is_import(&self, name: &str) -> bool {
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
