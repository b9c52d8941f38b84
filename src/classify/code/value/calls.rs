//! Calls that only build a path, a text or a list of their arguments: `os.path.join`, `Path("x").rglob`, `b64decode`.

use crate::classify::{Language, Unknown, Word};

use super::super::encoding::{base64, hex};
use super::super::lexer::{Kind, Token};
use super::{MAX_DEPTH, MAX_UNKNOWN, Reading, append};

impl Reading<'_> {
    /// Calls that only build a path or a text of their arguments.
    pub(super) fn call_word(&self, from: usize, to: usize, depth: usize) -> Option<Word> {
        const JOINS: &[&str] = &["join", "resolve", "joinpath", "Join"];
        const KEEPS: &[&str] = &[
            "Path",
            "PurePath",
            "str",
            "String",
            "File",
            "URL",
            "URI",
            "Pathname",
            "expanduser",
            "abspath",
            "realpath",
            "text",
            "new",
            "fspath",
            "normalize",
            "encode",
            "strip",
            "trim",
            "raw",
            "parse",
            "Request",
            "bytes",
            "to_s",
            "absolute",
            "as_posix",
            "expand_path",
            "decode",
            "toString",
            "read",
            "rstrip",
            "resolve",
            "compile",
            "getPathname",
            "getRealPath",
            "RecursiveIteratorIterator",
            "int",
            "normalizePath",
        ];
        const LISTS: &[&str] = &[
            "listdir",
            "iterdir",
            "readdirSync",
            "readdir",
            "scandir",
            "children",
            "entries",
            "each_child",
            "DirectoryIterator",
            "FilesystemIterator",
            "RecursiveDirectoryIterator",
        ];
        const GLOBS: &[&str] = &["glob", "iglob", "rglob", "globSync", "sync", "walk"];
        let mut head = from;
        while self.tokens[head].is_name("await") || self.tokens[head].is_name("new") && head + 1 < to {
            head += 1;
        }
        let open = self.last_call(head, to)?;
        let close = self.tokens[open].close;
        let name = self.tokens[open - 1].text;
        let items = self.items(open + 1, close);
        // What comes in on standard input is nowhere in the text.
        let typed = |token: &Token<'_>| {
            matches!(token.text, "stdin" | "STDIN" | "$stdin") || self.language == Language::Lua && token.text == "io"
        };
        if matches!(name, "read" | "readline" | "gets" | "lines") && self.tokens[head..open].iter().any(typed) {
            return None;
        }
        let receiver = || {
            // What stands before `.name(`: `Path("/x").iterdir()`.
            let end = open.checked_sub(2)?;
            let end = end - usize::from(self.tokens[end].is(b'>') && end > 0 && self.tokens[end - 1].is(b'-'));
            (end > head).then(|| self.word(head, end, depth + 1))
        };
        // `Path("x").resolve()`, `b64decode("…").decode("utf-8")`: a method of a value, not a function of its argument.
        let of_value = open >= 3 && self.tokens[open - 2].is(b'.') && self.is_value(head, open - 2);
        let mut word = if let Some(text) = known_call(name, head + 3 >= open) {
            Word { quoted: text != "~", ..Word::known(text) }
        } else if name == "join" && open - head == 3 && matches!(self.tokens[head].kind, Kind::Text(_)) {
            self.joined(head, items.first()?, depth)?
        } else if name == "format" && of_value {
            self.formatted(&receiver()?, &items, depth)
        } else if matches!(name, "format" | "sprintf" | "Sprintf") && items.len() > 1 {
            let (from, to) = items[0];
            self.formatted(&self.word(from, to, depth + 1), &items[1..], depth)
        } else if JOINS.contains(&name) && !items.is_empty() {
            let mut whole = Word { span: self.span(from, to), quoted: true, ..Word::default() };
            if name == "joinpath" {
                whole = receiver()?;
            }
            for (from, to) in items {
                let mut part = self.word(from, to, depth + 1);
                // An empty part leaves no slash behind.
                part.unknown.iter_mut().for_each(|unknown| unknown.guarded = true);
                let listed = part.glob && !whole.text.is_empty() && part.text.starts_with(&*whole.text);
                if part.text.starts_with('/') && part.is_known() || listed {
                    whole = Word { span: whole.span, quoted: true, ..Word::default() };
                } else if !whole.text.is_empty() && !whole.text.ends_with('/') {
                    whole.text.push('/');
                }
                append(&mut whole, &part);
            }
            whole
        } else if self.language == Language::R && matches!(name, "path" | "paste0" | "paste") && !items.is_empty() {
            let mut whole = Word { quoted: true, ..Word::default() };
            for (at, (from, to)) in items.into_iter().enumerate() {
                match name {
                    _ if at == 0 => {}
                    "path" => whole.text.push('/'),
                    "paste" => whole.text.push(' '),
                    _ => {}
                }
                append(&mut whole, &self.word(from, to, depth + 1));
            }
            whole
        } else if LISTS.contains(&name)
            || GLOBS.contains(&name)
            || self.language == Language::R && matches!(name, "files" | "dirs")
        {
            let base = receiver().filter(|_| of_value);
            let first = items.first().map(|(from, to)| self.word(*from, *to, depth + 1));
            let mut folder = match (base, first) {
                (Some(mut base), Some(pattern)) if GLOBS.contains(&name) => {
                    let end = base.text.trim_end_matches('/').len();
                    if base.unknown.iter().all(|part| part.end <= end) {
                        base.text.truncate(end);
                    }
                    base.text.push_str(if name == "rglob" && pattern.text != "*" { "/**/" } else { "/" });
                    append(&mut base, &pattern);
                    base
                }
                (Some(mut base), _) | (None, Some(mut base)) => {
                    if !GLOBS.contains(&name) || name == "walk" {
                        base.text.push_str("/*");
                    }
                    base
                }
                (None, None) => Word { quoted: true, ..Word::known("./*") },
            };
            folder.glob = true;
            folder
        } else if name == "decode" && items.len() > 1 {
            let (from, to) = items[0];
            self.decoded(name, from, to, depth)?
        } else if KEEPS.contains(&name) {
            match items.first().filter(|_| !of_value) {
                Some((from, to)) => self.word(*from, *to, depth + 1),
                None => receiver()?,
            }
        } else if of_value && matches!(name, "filter" | "grep" | "select" | "reject") {
            let mut some = receiver()?;
            if some.text.ends_with("/*") {
                some.text.push_str("?*");
            }
            some
        } else if of_value && matches!(name, "map" | "sort" | "slice" | "reverse") {
            receiver()?
        } else if matches!(name, "list" | "sorted" | "reversed" | "set" | "tuple" | "filter" | "map") && !of_value {
            let (from, to) = items.last().filter(|_| name == "map" || name == "filter").or(items.first())?;
            self.word(*from, *to, depth + 1)
        } else if let Some((from, to)) = self.results.get(name).filter(|_| open == head + 1) {
            self.word(*from, *to, depth + 1)
        } else {
            items.first().and_then(|(from, to)| self.decoded(name, *from, *to, depth))?
        };
        // `Path(x).parent` is not `x`; methods that keep the text are all right.
        let tail = &self.tokens[close + 1..to];
        let keeps = |token: &Token<'_>| {
            !matches!(token.kind, Kind::Name)
                || KEEPS.contains(&token.text)
                || matches!(token.text, "decode" | "toString" | "read" | "utf8" | "name" | "path")
        };
        if !tail.iter().all(keeps) {
            let end = word.text.len();
            let name = self.code.get(self.tokens[from].start..self.tokens[to - 1].start).unwrap_or("").to_owned();
            word.unknown = vec![Unknown { name, start: 0, end, substitution: true, guarded: false }];
        }
        if matches!(name, "expanduser" | "expand_path") {
            // Here a tilde is the home folder, quoted or not.
            word.quoted &= !word.text.starts_with('~');
        }
        word.span = self.span(from, to);
        Some(word)
    }

    /// The bracket of the last call of the chain that begins at `head`.
    fn last_call(&self, head: usize, to: usize) -> Option<usize> {
        const MOST: usize = 96;
        let (mut at, mut found) = (head, None);
        while at < to.min(head + MOST) {
            let token = &self.tokens[at];
            let named = at > head && matches!(self.tokens[at - 1].kind, Kind::Name);
            if token.is(b'(') && named && token.close > at && token.close < to {
                found = Some(at);
            }
            at = if token.close > at { token.close + 1 } else { at + 1 };
        }
        found
    }

    /// Whether `from..to` is a value and not the name of a module or class: a text, a call, a variable.
    fn is_value(&self, from: usize, to: usize) -> bool {
        let Some(last) = to.checked_sub(1).and_then(|at| self.tokens.get(at)).filter(|_| to > from) else {
            return false;
        };
        match &last.kind {
            Kind::Text(_) | Kind::Mark(b')' | b']') => true,
            Kind::Name if to - from == 1 => self.variables.contains_key(last.text),
            _ => false,
        }
    }

    /// `" ".join([…])`.
    fn joined(&self, separator: usize, list: &(usize, usize), depth: usize) -> Option<Word> {
        let Kind::Text(separator) = &self.tokens[separator].kind else { return None };
        let mut whole = Word { quoted: true, ..Word::default() };
        for (at, part) in self.list(list.0, list.1)?.iter().enumerate().take(MAX_UNKNOWN) {
            if at > 0 {
                whole.text.push_str(&separator.text);
            }
            append(&mut whole, part);
        }
        (depth <= MAX_DEPTH).then_some(whole)
    }

    /// `"rm -rf {}".format(x)` and `"rm -rf %s" % x`: the marks replaced one after the other.
    pub(super) fn formatted(&self, text: &Word, items: &[(usize, usize)], depth: usize) -> Word {
        let (mut whole, mut rest) = (Word { quoted: true, ..Word::default() }, &*text.text);
        let mut items = items.iter();
        while let Some(at) = rest.find(['{', '%']) {
            let length = match &rest[at..] {
                mark if mark.starts_with("%s") || mark.starts_with("%d") || mark.starts_with("{}") => 2,
                mark if mark.starts_with('{') => mark.find('}').map_or(1, |end| end + 1),
                _ => 1,
            };
            if length == 1 {
                whole.text.push_str(&rest[..=at]);
            } else {
                whole.text.push_str(&rest[..at]);
                let part = items.next().map(|(from, to)| match self.named_at(*from, *to) {
                    Some(from) => self.word(from, *to, depth + 1),
                    None => self.word(*from, *to, depth + 1),
                });
                append(&mut whole, &part.unwrap_or_else(|| unknown_text(&rest[at..at + length])));
            }
            rest = &rest[at + length..];
        }
        whole.text.push_str(rest);
        whole
    }

    /// Where the value of `name=value` begins.
    fn named_at(&self, from: usize, to: usize) -> Option<usize> {
        let named = to > from + 2 && matches!(self.tokens[from].kind, Kind::Name) && self.tokens[from + 1].is(b'=');
        named.then_some(from + 2)
    }

    fn decoded(&self, name: &str, from: usize, to: usize, depth: usize) -> Option<Word> {
        let encoding = match name {
            "b64decode" | "decodebytes" | "atob" | "base64_decode" | "decode64" | "decode_base64"
            | "urlsafe_b64decode" | "strict_decode64" => base64 as fn(&str) -> Option<Vec<u8>>,
            "unhexlify" | "fromhex" | "hex2bin" | "decode_hex" => hex,
            "decode" if self.tokens[to..(to + 3).min(self.tokens.len())].iter().any(|it| it.text.contains("hex")) => {
                hex
            }
            "decode"
                if self.tokens[to..(to + 3).min(self.tokens.len())].iter().any(|it| it.text.contains("base64")) =>
            {
                base64
            }
            "from"
                if self.tokens[from..(to + 4).min(self.tokens.len())]
                    .iter()
                    .any(|token| token.text.contains("base64")) =>
            {
                base64
            }
            "from"
                if self.tokens[from..(to + 4).min(self.tokens.len())]
                    .iter()
                    .any(|token| token.text.contains("hex")) =>
            {
                hex
            }
            _ => return None,
        };
        let word = self.word(from, to, depth + 1);
        let text = String::from_utf8(encoding(word.value()?)?).ok()?;
        Some(Word { text, span: word.span, quoted: true, ..Word::default() })
    }
}

/// Calls that give a known path: the home folder, the working folder, a temporary one.
fn known_call(name: &str, short: bool) -> Option<&'static str> {
    Some(match name {
        "home" | "homedir" if short => "~",
        "getcwd" | "cwd" | "pwd" if short => ".",
        "gettempdir" | "tmpdir" => "/tmp",
        "mkdtemp" | "mktemp" | "TemporaryDirectory" | "mkdtempSync" | "mktmpdir" | "NamedTemporaryFile" | "tempnam"
        | "makeTempDir" => "/tmp/made-here",
        _ => return None,
    })
}

fn unknown_text(text: &str) -> Word {
    let unknown = Unknown { name: text.to_owned(), start: 0, end: text.len(), substitution: false, guarded: false };
    Word { quoted: true, unknown: vec![unknown], ..Word::known(text) }
}
