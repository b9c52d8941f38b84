//! A call's arguments, by place and by name.

use crate::classify::{Scene, Word, http, paths};
use crate::model::{Area, Resource, ResourceKind};

use super::super::lexer::Kind;
use super::super::value::{Reading, Value};
use super::super::walk::Call;

/// A call with the code it stands in.
pub(in crate::classify::code) struct Made<'a, 't> {
    pub(in crate::classify::code) reading: &'a Reading<'t>,
    pub(in crate::classify::code) call: &'a Call,
}

impl Made<'_, '_> {
    pub(in crate::classify::code) fn is_named(&self, at: usize) -> bool {
        let tokens = &self.reading.tokens;
        self.call.items.get(at).is_some_and(|(from, to)| {
            to - from > 2
                && matches!(tokens[*from].kind, Kind::Name)
                && tokens[from + 1].is(b'=')
                && !tokens[from + 2].is(b'=')
        })
    }

    /// The positional argument `at`.
    pub(in crate::classify::code) fn argument(&self, at: usize) -> Option<Value> {
        (!self.is_named(at)).then(|| self.call.items.get(at).map(|(from, to)| self.reading.value(*from, *to))).flatten()
    }

    /// The argument `at` unless it is an option or a table of options.
    pub(in crate::classify::code) fn plain(&self, at: usize) -> Option<Value> {
        let (from, _) = self.call.items.get(at)?;
        (!self.reading.tokens[*from].is(b'{')).then(|| self.argument(at)).flatten()
    }

    /// The value of `name=…` or `name: …` anywhere among the arguments.
    pub(in crate::classify::code) fn option(&self, name: &str) -> Option<Value> {
        let tokens = &self.reading.tokens;
        let (from, to) = (self.call.items.first()?.0, self.call.items.last()?.1);
        let at = (from..to.min(from + 512)).find(|at| {
            let token = &tokens[*at];
            let named = match &token.kind {
                Kind::Name => token.text == name,
                Kind::Text(word) => word.text == name,
                _ => false,
            };
            named && tokens.get(at + 1).is_some_and(|next| next.is(b'=') || next.is(b':'))
        })?;
        let mut end = at + 2;
        while end < to && !matches!(tokens[end].kind, Kind::Mark(b',' | b'}' | b')')) {
            end = if tokens[end].close > end { tokens[end].close + 1 } else { end + 1 };
        }
        Some(self.reading.value(at + 2, end.min(to)))
    }

    /// Whether what is opened here is closed again at once: `.close()`, `: pass`.
    pub(in crate::classify::code) fn is_left_empty(&self) -> bool {
        let tokens = &self.reading.tokens;
        let Some(end) = self.call.span.map(|span| span.end) else { return false };
        let from = tokens.partition_point(|token| token.start < end);
        let mut next = tokens[from..].iter().filter(|token| !matches!(token.kind, Kind::Line)).take(6);
        match next.next() {
            Some(dot) if dot.is(b'.') => next.next().is_some_and(|token| token.is_name("close")),
            Some(colon) if colon.is(b':') => next.next().is_some_and(|token| token.is_name("pass")),
            Some(name) if name.is_name("as") => next.any(|token| token.is_name("pass") || token.is_name("truncate")),
            _ => false,
        }
    }

    pub(in crate::classify::code) fn says(&self, name: &str) -> bool {
        self.option(name).is_some_and(|value| {
            value.word().is_some_and(|word| matches!(&*word.text, "True" | "TRUE" | "T" | "true" | "1"))
        })
    }

    /// What the call is made on: `Path("x")` in `Path("x").unlink()`.
    pub(in crate::classify::code) fn receiver(&self) -> Word {
        self.reading.word(self.call.head, self.call.receiver_end.max(self.call.head + 1), 0)
    }

    /// Runs `inside` in the folder the call names.
    pub(in crate::classify::code) fn there(&self, scene: &mut Scene<'_>, inside: impl FnOnce(&mut Scene<'_>)) {
        let Some(cwd) = self.option("cwd").or_else(|| self.option("chdir")) else { return inside(scene) };
        let folder = cwd
            .word()
            .filter(|word| word.is_known())
            .map(|word| paths::resource(scene, word, ResourceKind::Folder).name);
        scene.scoped(|scene| {
            scene.cwd = folder;
            inside(scene);
        });
    }

    pub(in crate::classify::code) fn request(&self, scene: &mut Scene<'_>, method: &str, url: &Value, body_at: usize) {
        let named = self.option("url").filter(|_| url.word().is_some_and(|word| word.text.starts_with('{')));
        let url = named.as_ref().unwrap_or(url);
        let Some(word) = url.word() else { return };
        let said = self.option("method").and_then(|value| value.word().and_then(Word::value).map(str::to_owned));
        let method = if method.is_empty() { said.unwrap_or_default() } else { method.to_owned() };
        let mut bodies: Vec<Value> =
            ["data", "json", "files", "body", "content", "form"].iter().filter_map(|name| self.option(name)).collect();
        let takes_body = !matches!(&*method.to_ascii_uppercase(), "GET" | "HEAD" | "DELETE" | "");
        if takes_body && bodies.is_empty() {
            bodies.extend(self.argument(body_at));
        }
        let mut carries: Vec<Resource> = bodies
            .iter()
            .flat_map(|body| &body.files)
            .map(|file| paths::resource(scene, file, ResourceKind::File))
            .collect();
        // `get("https://x/?k=" + open(key).read())`; a list of addresses in a file is no such thing.
        let told = url.files.iter().map(|file| paths::resource(scene, file, ResourceKind::File));
        carries.extend(told.filter(|file| file.areas.has(Area::Credential)));
        if bodies.iter().any(|body| body.environment) {
            carries.push(Resource::new(ResourceKind::Secret, "environment"));
        }
        if bodies.iter().chain([url]).flat_map(|value| &value.words).any(holds_login) {
            carries.push(Resource::new(ResourceKind::Secret, "browser session"));
        }
        let text = bodies.iter().find_map(|body| body.word()).map(|word| &*word.text);
        let hidden = bodies.iter().any(|body| {
            body.files.is_empty()
                && body.words.iter().any(|word| {
                    // A table written out is as good as a text.
                    !word.is_known() && !word.text.starts_with('{')
                })
        });
        let body = http::Body { present: !bodies.is_empty(), text, carries: &carries, hidden, ..http::Body::default() };
        let by = self.call.name.trim_start_matches("?.");
        http::request(scene, &http::Request { method: &method, url: word, body, span: self.call.span, by });
    }
}

/// What a browser keeps for a site: whoever has it is logged in there.
fn holds_login(word: &Word) -> bool {
    const KEPT: &[&str] = &["document.cookie", "localStorage", "sessionStorage"];
    !word.is_known() && KEPT.iter().any(|name| word.text.contains(name))
}
