//! What an expression comes to, as far as literals and simple variables tell.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::classify::{Language, Unknown, Word};
use crate::model::Span;

use super::lexer::{Kind, Token};

mod arguments;
mod calls;

pub(super) use arguments::Declared;

/// What is known of a value.
#[derive(Clone, Debug, Default)]
pub(super) struct Value {
    /// One word, or the items of a list; parts that are not known are marked in them.
    pub(super) words: Vec<Word>,
    pub(super) list: bool,
    /// The items of a list that is written out, as ranges of tokens.
    pub(super) items: Vec<(usize, usize)>,
    /// The items are pairs of a name and a value.
    pub(super) pairs: bool,
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
    pub(super) language: Language,
    pub(super) tokens: Vec<Token<'t>>,
    pub(super) dot_joins: bool,
    pub(super) variables: Variables,
    /// The host that a connection was opened to.
    pub(super) peer: Option<String>,
    /// Variables that hold a collection of the language itself.
    pub(super) memory: BTreeSet<String>,
    /// What functions without parameters give back, as ranges of tokens.
    pub(super) results: BTreeMap<String, (usize, usize)>,
    /// The words that the code is called with, where they are known.
    pub(super) arguments: Option<Rc<[Word]>>,
    /// The code stands in the command line, not in a file.
    pub(super) inline: bool,
    /// What the code's own parser of the command line knows, and the variables that hold what it found.
    pub(super) declared: Vec<Declared>,
    pub(super) namespaces: BTreeSet<String>,
    /// Variables that hold a table which is written out, and its pairs.
    pub(super) tables: BTreeMap<String, Vec<(usize, usize)>>,
    /// Variables that hold the parser of one subcommand, and its name.
    pub(super) parsers: BTreeMap<String, String>,
}

impl<'t> Reading<'t> {
    pub(super) fn new(language: Language, code: &'t str, tokens: Vec<Token<'t>>) -> Self {
        Self {
            code,
            language,
            tokens,
            dot_joins: false,
            variables: Variables::new(),
            peer: None,
            memory: BTreeSet::new(),
            results: BTreeMap::new(),
            arguments: None,
            inline: false,
            parsers: BTreeMap::new(),
            tables: BTreeMap::new(),
            declared: Vec::new(),
            namespaces: BTreeSet::new(),
        }
    }

    pub(super) fn span(&self, from: usize, to: usize) -> Option<Span> {
        let first = self.tokens.get(from)?;
        let last = self.tokens.get(to.checked_sub(1)?)?;
        Some(Span::new(first.start, last.start + last.text.len()))
    }

    /// Splits `from..to` at the commas that stand directly in it. A bracket that nobody closed has nothing in it.
    pub(super) fn items(&self, from: usize, to: usize) -> Vec<(usize, usize)> {
        if from > to {
            return Vec::new();
        }
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
        let (from, to) = self.spread(from, to).unwrap_or((from, to));
        let mut value = Value::default();
        self.sources(from, to, &mut value);
        if let Some(items) = self.pairs(from, to) {
            // As a list it gives its names.
            value.words = items.iter().map(|(from, _)| self.word(*from, from + 1, 1)).collect();
            (value.items, value.list, value.pairs) = (items, true, true);
            return value;
        }
        match self.list(from, to) {
            Some(words) => {
                (value.words, value.list) = (words, true);
                value.items = self.written_items(from, to);
            }
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

    /// The items of a list that stands at `from..to` or in the variable of that name.
    fn written_items(&self, from: usize, to: usize) -> Vec<(usize, usize)> {
        let first = &self.tokens[from];
        match &first.kind {
            Kind::Name if to - from == 1 => {
                self.variables.get(first.text).map(|value| value.items.clone()).unwrap_or_default()
            }
            Kind::Mark(b'[' | b'(') if first.close + 1 == to => self.items(from + 1, to - 1),
            _ => Vec::new(),
        }
    }

    /// What `[join(d, f) for f in …]` gives for every `f`: the tokens before the `for`.
    fn repeated(&self, from: usize, to: usize) -> Option<(usize, usize)> {
        let first = self.tokens.get(from).filter(|_| from < to)?;
        if !(first.is(b'[') || first.is(b'(')) || first.close + 1 != to || self.language != Language::Python {
            return None;
        }
        let mut at = from + 1;
        while at + 1 < to {
            if self.tokens[at].is_name("for") {
                return (at > from + 1).then_some((from + 1, at));
            }
            at = if self.tokens[at].close > at { self.tokens[at].close + 1 } else { at + 1 };
        }
        None
    }

    fn list(&self, from: usize, to: usize) -> Option<Vec<Word>> {
        let first = self.tokens.get(from).filter(|_| from < to)?;
        if self.repeated(from, to).is_some() {
            return None;
        }
        if self.arguments.is_some()
            && let Some(words) = self.spelled(from, to).and_then(|text| self.arguments(&text))
        {
            return Some(words);
        }
        match &first.kind {
            Kind::Words(words) if to - from == 1 => Some(words.clone()),
            Kind::Name if to - from == 1 => {
                self.variables.get(first.text).filter(|value| value.list).map(|value| value.words.clone())
            }
            Kind::Name if self.named_value(from, to).is_some_and(|value| value.list) => {
                self.named_value(from, to).map(|value| value.words.clone())
            }
            // `"git push".split()`, `shlex.split("git push")`.
            Kind::Text(text) if to - from == 5 && self.tokens[from + 2].is_name("split") && text.is_known() => {
                Some(text.text.split_whitespace().map(Word::known).collect())
            }
            Kind::Name if first.text == "shlex" && to - from > 4 && self.tokens[from + 2].is_name("split") => {
                let (from, to) = *self.items(from + 4, to - 1).first()?;
                let text = self.word(from, to, 1);
                Some(text.value()?.split_whitespace().map(|word| Word::known(word.trim_matches(['"', '\'']))).collect())
            }
            // `c("-rf", "/srv")` of R.
            Kind::Name
                if first.text == "c" && self.language == Language::R && self.tokens[from + 1].close + 1 == to =>
            {
                Some(self.items(from + 2, to - 1).into_iter().map(|(from, to)| self.word(from, to, 1)).collect())
            }
            // `[]string{"a", "b"}` of Go.
            Kind::Mark(b'[') if self.language == Language::Go && first.close == from + 1 => {
                let open = (from..to).find(|at| self.tokens[*at].is(b'{'))?;
                Some(self.items(open + 1, to - 1).into_iter().map(|(from, to)| self.word(from, to, 1)).collect())
            }
            Kind::Mark(b'[') if first.close + 1 == to => Some(self.flat(from + 1, to - 1)),
            // A tuple; `("a")` is only a bracket.
            Kind::Mark(b'(') if first.close + 1 == to => {
                let items = self.items(from + 1, to - 1);
                let comma = self.tokens[from..to].iter().any(|token| token.is(b','));
                (comma && !items.is_empty()).then(|| self.flat(from + 1, to - 1))
            }
            Kind::Name if self.language == Language::Python && first.text == "range" => self.numbers(from, to),
            _ => None,
        }
    }

    /// The items of a list that is written out, with the lists that are spread in it: `["git", *words]`.
    fn flat(&self, from: usize, to: usize) -> Vec<Word> {
        let mut words = Vec::new();
        for (from, to) in self.items(from, to) {
            let inner = self.spread(from, to);
            match inner.filter(|(from, to)| self.depth_of(*from, *to)).and_then(|(from, to)| self.list(from, to)) {
                Some(more) => words.extend(more),
                None => words.push(self.word(from, to, 1)),
            }
        }
        words.truncate(256);
        words
    }

    /// A spread list is a name or a call; what is written out in it is followed only one list deep.
    fn depth_of(&self, from: usize, to: usize) -> bool {
        to > from && to - from < 32 && !self.tokens[from + 1..to].iter().any(|token| token.is(b'['))
    }

    /// What is spread by `*words`, `...words` and Go's `words...`.
    pub(super) fn spread(&self, from: usize, to: usize) -> Option<(usize, usize)> {
        let dots = |at: usize| (at..at + 3).all(|at| self.tokens.get(at).is_some_and(|token| token.is(b'.')));
        match self.language {
            Language::Python | Language::Ruby if to > from + 1 && self.tokens[from].is(b'*') => {
                (!self.tokens[from + 1].is(b'*')).then_some((from + 1, to))
            }
            Language::JavaScript | Language::Php if to > from + 3 && dots(from) => Some((from + 3, to)),
            Language::Go if to > from + 3 && dots(to - 3) => Some((from, to - 3)),
            _ => None,
        }
    }

    /// The first numbers that `range(…)` counts.
    fn numbers(&self, from: usize, to: usize) -> Option<Vec<Word>> {
        const MOST: i64 = 16;
        let open = self.tokens.get(from + 1).filter(|open| open.is(b'(') && open.close + 1 == to)?;
        let bounds: Vec<i64> = self
            .items(from + 2, open.close)
            .into_iter()
            .map(|(from, to)| self.word(from, to, 1).value().and_then(|text| text.parse().ok()))
            .collect::<Option<_>>()?;
        let (first, last, step) = match bounds[..] {
            [last] => (0, last, 1),
            [first, last] => (first, last, 1),
            [first, last, step] if step > 0 => (first, last, step),
            _ => return None,
        };
        let counted = (0..MOST).map(|at| first.saturating_add(at.saturating_mul(step))).take_while(|it| *it < last);
        Some(counted.map(|number| Word::known(number.to_string())).collect())
    }

    /// The pairs of `{"a": "b"}.items()`, `Object.entries(TABLE)`, `TABLE.items()` of a table that is written out.
    fn pairs(&self, from: usize, to: usize) -> Option<Vec<(usize, usize)>> {
        let tokens = self.tokens.get(from..to)?;
        let name = match tokens {
            [table, dot, method, open, _] if dot.is(b'.') && method.text == "items" && open.is(b'(') => table.text,
            [object, dot, method, open, table, _]
                if object.text == "Object" && dot.is(b'.') && method.text == "entries" && open.is(b'(') =>
            {
                table.text
            }
            _ => return None,
        };
        self.tables.get(name).cloned()
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
        if self.arguments.is_some()
            && let Some(word) = self.spelled(from, to).and_then(|text| self.argument(&text))
        {
            return Some(Word { span: self.span(from, to), ..word });
        }
        if let Some((from, to)) = self.repeated(from, to) {
            return Some(self.word(from, to, depth + 1)).filter(|word| word.glob);
        }
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
        if let (2, Kind::Name, Kind::Text(text)) = (to - from, &first.kind, &self.tokens[from + 1].kind) {
            let tagged = self.tokens[from + 1].text.starts_with('`');
            if first.text == "glob" || tagged && matches!(first.text, "sql" | "SQL" | "gql" | "raw") {
                return Some(Word { glob: first.text == "glob", ..self.resolved(text) });
            }
        }
        if let Some(word) = self.named_value(from, to).and_then(Value::word) {
            return Some(Word { span: self.span(from, to), ..word.clone() });
        }
        // `parts[1]` of a list that is known.
        if let [list, open, place, close] = &self.tokens[from..to]
            && open.is(b'[')
            && close.is(b']')
            && let Some(word) = self.item(list, place)
        {
            return Some(Word { span: self.span(from, to), ..word });
        }
        // `entry.path` of what a listing gave.
        if let [object, dot, name] = &self.tokens[from..to]
            && dot.is(b'.')
            && matches!(name.text, "path" | "name" | "fullname" | "parentPath")
            && let Some(word) = self.variables.get(object.text).and_then(Value::word).filter(|word| word.glob)
        {
            return Some(Word { span: self.span(from, to), ..word.clone() });
        }
        if let Some(text) = self.constant(from, to) {
            return Some(Word { span: self.span(from, to), quoted: text != "~", ..Word::known(text) });
        }
        // `"rm -rf %s" % folder`
        if let Kind::Text(text) = &first.kind
            && self.tokens[from + 1].is(b'%')
            && to > from + 2
        {
            let tuple = self.tokens[from + 2].is(b'(') && self.tokens[from + 2].close + 1 == to;
            let items = if tuple { self.items(from + 3, to - 1) } else { vec![(from + 2, to)] };
            return Some(Word { span: self.span(from, to), ..self.formatted(text, &items, depth) });
        }
        // Pieces joined by `+`, `.`, `/` (pathlib) or by standing side by side.
        let mut pieces: Vec<(usize, usize, bool)> = Vec::new();
        let (mut start, mut at) = (from, from);
        while at < to {
            let token = &self.tokens[at];
            let joins = token.is(b'+') || (self.dot_joins && token.is(b'.'));
            let slash = token.is(b'/');
            let two = self.language == Language::Lua
                && token.is(b'.')
                && self.tokens.get(at + 1).is_some_and(|next| next.is(b'.'));
            if (joins || slash || two) && at > start {
                pieces.push((start, at, slash));
                at += usize::from(two);
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

    fn item(&self, list: &Token<'_>, place: &Token<'_>) -> Option<Word> {
        let array = || self.variables.get(&format!("@{}", list.text.strip_prefix('$')?));
        let value = self.variables.get(list.text).or_else(array).filter(|value| value.list)?;
        let at: usize = place.text.parse().ok()?;
        let first = usize::from(matches!(self.language, Language::R | Language::Lua));
        value.words.get(at.checked_sub(first)?).cloned()
    }

    /// What `self.x` was set to.
    fn named_value(&self, from: usize, to: usize) -> Option<&Value> {
        let [object, dot, name] = self.tokens.get(from..to)? else { return None };
        let own = dot.is(b'.') && matches!(object.text, "self" | "this" | "cls");
        own.then(|| self.variables.get(&format!("self.{}", name.text))).flatten()
    }

    /// Names of the standard libraries that stand for a known path.
    fn constant(&self, from: usize, to: usize) -> Option<&'static str> {
        known_path(&self.spelled(from, to)?)
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
            let said = || {
                let text: String = part.name.chars().filter(|letter| !matches!(letter, ' ' | '\'' | '"')).collect();
                self.argument(&text).or_else(|| Some(Word { quoted: false, ..Word::known(known_path(&text)?) }))
            };
            match bound.cloned().or_else(said) {
                Some(value) => append(&mut whole, &value),
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

pub(super) fn append(whole: &mut Word, part: &Word) {
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

/// Names of the standard libraries that stand for a known path, without quotes and spaces.
fn known_path(text: &str) -> Option<&'static str> {
    Some(match text {
        "os.sep" | "path.sep" | "os.path.sep" | "File::SEPARATOR" => "/",
        "os.environ[HOME]"
        | "process.env.HOME"
        | "process.env[HOME]"
        | "ENV[HOME]"
        | "$ENV{HOME}"
        | "os.environ.get(HOME)"
        | "os.getenv(HOME)"
        | "ENV.fetch(HOME)"
        | "getenv(HOME)"
        | "Sys.getenv(HOME)"
        | "path.expand(~)"
        | "os.UserHomeDir()"
        | "os.Getenv(HOME)"
        | "Path.home()"
        | "pathlib.Path.home()"
        | "os.path.expanduser(~)"
        | "os.homedir()"
        | "homedir()"
        | "Dir.home"
        | "Deno.env.get(HOME)"
        | "Bun.env.HOME" => "~",
        "sys.executable" => "python3",
        "process.execPath" | "process.argv0" => "node",
        "RbConfig.ruby" | "Gem.ruby" => "ruby",
        "$^X" => "perl",
        "PHP_BINARY" => "php",
        _ => return None,
    })
}
