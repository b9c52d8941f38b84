//! The options of a program, and the splitting of its words into options and operands.

use std::borrow::Cow;

use serde::Deserialize;

use crate::classify::Word;

use super::spec::{Place, Style, Unlisted};
use super::values;

/// A list of options as a spec writes it: `-f|--force -n|--dry-run`.
#[derive(Debug, Default)]
pub(super) struct Flags(pub Vec<Flag>);

/// One option under all its names.
#[derive(Debug)]
pub(super) struct Flag {
    pub names: Vec<Box<str>>,
}

impl Flag {
    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| **known == *name)
    }
}

impl<'de> Deserialize<'de> for Flags {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let mut flags = Vec::new();
        for word in text.split_ascii_whitespace() {
            let names: Vec<Box<str>> = word.split('|').map(Into::into).collect();
            if let Some(bad) = names.iter().find(|name| !name.starts_with(['-', '/', '+']) || name.len() < 2) {
                return Err(serde::de::Error::custom(format!("`{bad}` is no option, write `-x` or `--xyz`")));
            }
            flags.push(Flag { names });
        }
        Ok(Self(flags))
    }
}

/// Whether an option takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arity {
    Switch,
    Value,
    /// Only when attached: `--color=always`, `-i.bak`.
    Optional,
}

/// All options that hold for one command line: those of the command, then those of the program.
#[derive(Debug)]
pub(super) struct Table<'s> {
    pub levels: Vec<&'s super::spec::Spec>,
}

impl<'s> Table<'s> {
    pub(super) fn find(&self, name: &str) -> Option<(&'s Flag, Arity)> {
        self.levels.iter().find_map(|spec| {
            lists(spec)
                .into_iter()
                .find_map(|(flags, arity)| flags.0.iter().find(|flag| flag.has(name)).map(|flag| (flag, arity)))
        })
    }

    /// Whether all that follows the option is operands.
    fn ends(&self, names: &Names<'_>) -> bool {
        self.levels.iter().any(|spec| spec.ends.0.iter().flat_map(|flag| &flag.names).any(|name| names.has(name)))
    }

    /// The one option that a shortened long name can mean; the command's own come before the program's.
    fn by_prefix(&self, name: &str) -> Option<(&'s Flag, Arity)> {
        for spec in &self.levels {
            let means = |flag: &Flag| flag.names.iter().any(|known| known.starts_with("--") && known.starts_with(name));
            let mut found = listed(spec).filter(|(flag, _)| means(flag));
            match (found.next(), found.next()) {
                (Some(only), None) => return Some(only),
                (Some(_), Some(_)) => return None,
                (None, _) => {}
            }
        }
        None
    }
}

fn lists(spec: &super::spec::Spec) -> [(&Flags, Arity); 3] {
    [(&spec.switches, Arity::Switch), (&spec.values, Arity::Value), (&spec.optional, Arity::Optional)]
}

fn listed(spec: &super::spec::Spec) -> impl Iterator<Item = (&Flag, Arity)> {
    lists(spec).into_iter().flat_map(|(flags, arity)| flags.0.iter().map(move |flag| (flag, arity)))
}

/// How the words of one command line are to be split.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner<'p> {
    pub style: Style,
    pub place: Place,
    pub prefixes: bool,
    pub unlisted: Unlisted,
    /// The program's name, by which options are known that the spec does not list.
    pub program: &'p str,
}

/// The words of a command line, sorted.
#[derive(Debug, Default)]
pub(super) struct Parsed<'w> {
    pub options: Vec<Given<'w>>,
    pub operands: Vec<Cow<'w, Word>>,
    /// How many operands stand before `--`.
    pub dashes: Option<usize>,
}

/// One option as given.
#[derive(Debug)]
pub(super) struct Given<'w> {
    /// Its names; only the written one when it is not listed.
    pub names: Names<'w>,
    pub value: Option<Cow<'w, Word>>,
    pub listed: bool,
    /// Index of the word it stands in.
    pub at: usize,
}

/// The names of an option that was given.
#[derive(Debug)]
pub(super) enum Names<'w> {
    Listed(&'w Flag),
    Written(Cow<'w, str>),
}

impl Names<'_> {
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Names::Listed(flag) => flag.has(name),
            Names::Written(written) => **written == *name,
        }
    }

    pub(super) fn any(&self, mut test: impl FnMut(&str) -> bool) -> bool {
        match self {
            Names::Listed(flag) => flag.names.iter().any(|name| test(name)),
            Names::Written(written) => test(written),
        }
    }

    pub(super) fn first(&self) -> &str {
        match self {
            Names::Listed(flag) => flag.names.first().map_or("", |name| name),
            Names::Written(written) => written,
        }
    }
}

/// Sorts `words` (the program not among them); `skip` are the indices of words that select the command.
pub(super) fn parse<'w>(words: &'w [Word], skip: &[usize], table: &Table<'w>, manner: Manner<'_>) -> Parsed<'w> {
    let mut parsing = Parsing { words, skip, table, manner, at: 0, here: 0, parsed: Parsed::default() };
    parsing.run();
    parsing.parsed
}

/// The words of a command line while they are being sorted.
struct Parsing<'w, 'a> {
    words: &'w [Word],
    skip: &'a [usize],
    table: &'a Table<'w>,
    manner: Manner<'a>,
    /// The next word to look at.
    at: usize,
    /// The word that is being looked at.
    here: usize,
    parsed: Parsed<'w>,
}

impl<'w> Parsing<'w, '_> {
    fn run(&mut self) {
        let style = self.manner.style;
        let mut only_operands = false;
        while let Some(word) = self.words.get(self.at) {
            self.here = self.at;
            self.at += 1;
            if self.skip.contains(&self.here) {
                continue;
            }
            let text = &*word.text;
            let unknown_start = word.unknown.first().is_some_and(|part| part.start == 0);
            if only_operands || style == Style::None || unknown_start || !looks_like_option(text, style) {
                self.parsed.operands.push(Cow::Borrowed(word));
                only_operands |= self.manner.place == Place::First;
                continue;
            }
            if text == "--" {
                self.parsed.dashes = Some(self.parsed.operands.len());
                only_operands = true;
                continue;
            }
            match style {
                Style::Gnu if text.starts_with("--") => self.long(word),
                Style::Gnu => self.short(word),
                Style::DashLong | Style::Slash => self.dash_long(word),
                Style::None => {}
            }
            let here = self.here;
            only_operands |=
                self.parsed.options.last().is_some_and(|given| given.at == here && self.table.ends(&given.names));
        }
    }

    fn long(&mut self, word: &'w Word) {
        let (name, attached) = split_value(word, 0, '=');
        let by_prefix = || if self.manner.prefixes { self.table.by_prefix(name) } else { None };
        let found = self.table.find(name).or_else(by_prefix);
        self.push(found, Cow::Borrowed(name), attached);
    }

    fn dash_long(&mut self, word: &'w Word) {
        let from = usize::from(word.text.starts_with("--"));
        let slash = self.manner.style == Style::Slash;
        let (name, attached) = split_value(word, from, if slash { ':' } else { '=' });
        if !slash {
            return self.push(self.table.find(name), Cow::Borrowed(name), attached);
        }
        let lower = name.to_ascii_lowercase();
        let found = self.table.find(&lower).or_else(|| self.table.find(&lower.replacen('-', "/", 1)));
        self.push(found, Cow::Owned(lower), attached);
    }

    /// A cluster: `-rf`, `-n5`, `-XDELETE`, `-i.bak`.
    fn short(&mut self, word: &'w Word) {
        // Some programs have long names with one dash beside their letters: `-delete`, `-XX`.
        if word.text.len() > 2 {
            let name = word.text.split_once('=').map_or(&*word.text, |(name, _)| name);
            if let Some(found) = self.table.find(name) {
                let attached = (name.len() < word.text.len()).then(|| Cow::Owned(word.tail(name.len() + 1)));
                return self.push(Some(found), Cow::Borrowed(name), attached);
            }
        }
        let mut letter = [0; 5];
        letter[0] = b'-';
        for (at, c) in word.text.char_indices().skip(1) {
            let end = 1 + c.encode_utf8(&mut letter[1..]).len();
            let name = std::str::from_utf8(&letter[..end]).unwrap_or("-");
            let after = at + c.len_utf8();
            let rest = after < word.text.len();
            let found = self.table.find(name);
            let (names, listed) = match found {
                Some((flag, _)) => (Names::Listed(flag), true),
                None => (Names::Written(Cow::Owned(name.to_owned())), false),
            };
            let mut given = Given { names, value: None, listed, at: self.here };
            match found.map(|(_, arity)| arity) {
                Some(Arity::Switch) | None => self.parsed.options.push(given),
                Some(Arity::Value) if !rest => {
                    given.value = self.take();
                    self.parsed.options.push(given);
                }
                Some(Arity::Value | Arity::Optional) => {
                    if rest {
                        let from = if word.text.get(after..=after) == Some("=") { after + 1 } else { after };
                        given.value = Some(Cow::Owned(word.tail(from)));
                    }
                    self.parsed.options.push(given);
                    return;
                }
            }
        }
    }

    fn push(&mut self, found: Option<(&'w Flag, Arity)>, name: Cow<'w, str>, attached: Option<Cow<'w, Word>>) {
        let value = match (&found, attached) {
            (_, Some(value)) => Some(value),
            (Some((_, Arity::Value)), None) => self.take(),
            (None, None)
                if self.manner.unlisted == Unlisted::Value || values::takes_one(self.manner.program, &name) =>
            {
                self.take_value()
            }
            _ => None,
        };
        let names = found.map_or(Names::Written(name), |(flag, _)| Names::Listed(flag));
        self.parsed.options.push(Given { names, value, listed: found.is_some(), at: self.here });
    }

    fn take(&mut self) -> Option<Cow<'w, Word>> {
        while self.skip.contains(&self.at) {
            self.at += 1;
        }
        let word = self.words.get(self.at)?;
        self.at += 1;
        Some(Cow::Borrowed(word))
    }

    /// The next word, when it cannot be an option itself.
    fn take_value(&mut self) -> Option<Cow<'w, Word>> {
        let word = self.words.get(self.at).filter(|_| !self.skip.contains(&self.at))?;
        if word.text.len() > 1 && word.text.starts_with('-') {
            return None;
        }
        self.take()
    }
}

/// An option's name, which begins at byte `from`, and what is attached to it.
fn split_value(word: &Word, from: usize, separator: char) -> (&str, Option<Cow<'_, Word>>) {
    let text = word.text.get(from..).unwrap_or_default();
    match text.split_once(separator) {
        Some((name, _)) => (name, Some(Cow::Owned(word.tail(from + name.len() + 1)))),
        None => (text, None),
    }
}

pub(super) fn looks_like_option(text: &str, style: Style) -> bool {
    match style {
        Style::None => false,
        Style::Slash => {
            text.len() > 1 && (text.starts_with('-') || text.starts_with('/') && !text[1..].contains(['/', '\\']))
        }
        Style::Gnu | Style::DashLong => text.len() > 1 && text.starts_with('-'),
    }
}
