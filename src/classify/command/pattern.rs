//! Names of commands: `stash drop|clear`, `* delete-*`, `** delete`.

use std::borrow::Cow;

use serde::Deserialize;

/// The names of one command, or a list of commands.
#[derive(Debug, Default)]
pub(super) struct Patterns(pub Vec<Pattern>, Letters);

/// The letters that any of the names can begin with, a bit for each: most words are sorted out by their first letter.
#[derive(Clone, Copy, Debug, Default)]
struct Letters(u64);

impl Letters {
    const ANY: Self = Self(u64::MAX);

    fn of(word: &str) -> Self {
        word.bytes().next().map_or(Self::ANY, |letter| Self(1 << (letter % 64)))
    }

    fn meet(self, word: &str) -> bool {
        self.0 & Self::of(word).0 != 0
    }
}

/// One name: a part for each word.
#[derive(Debug)]
pub(super) struct Pattern(Vec<Part>);

#[derive(Debug)]
enum Part {
    /// `*`: any one word.
    Any,
    /// `**`: any number of words, as few as possible.
    Rest,
    /// `drop|clear`, `delete-*`.
    Words(Words),
}

/// Plain words and patterns with a star apart: programs have hundreds of names, and few have a star.
#[derive(Debug)]
struct Words {
    plain: Box<[Box<str>]>,
    starred: Box<[Box<str>]>,
}

impl Words {
    fn parse(text: &str) -> Self {
        let (starred, plain): (Vec<&str>, Vec<&str>) = text.split('|').partition(|word| word.contains('*'));
        let boxed = |words: Vec<&str>| words.into_iter().map(Into::into).collect();
        Self { plain: boxed(plain), starred: boxed(starred) }
    }

    fn names(&self, word: &str) -> bool {
        self.plain.iter().any(|known| **known == *word) || self.starred.iter().any(|known| **known == *word)
    }

    fn match_star(&self, word: &str) -> bool {
        self.starred.iter().any(|known| matches(known, word))
    }

    fn fits(&self, word: &str) -> bool {
        self.plain.iter().any(|known| **known == *word) || self.match_star(word)
    }
}

/// How a pattern fits: how many of the words it takes, and how good the fit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fit {
    /// Parts that name a word outright; then parts that are patterns of one.
    pub exact: usize,
    pub near: usize,
    pub words: usize,
}

impl Patterns {
    fn new(patterns: Vec<Pattern>) -> Self {
        let letters = patterns.iter().fold(0, |letters, pattern| letters | pattern.letters().0);
        Self(patterns, Letters(letters))
    }

    /// Whether any of the names can begin with `word`.
    pub(super) fn begins(&self, word: &str) -> bool {
        self.0.iter().any(|pattern| matches!(pattern.0.first(), Some(Part::Words(words)) if words.fits(word)))
    }

    /// Whether any of the names can begin with `words`.
    pub(super) fn continues(&self, words: &[&str]) -> bool {
        let fits = |part: &Part, word: &str| match part {
            Part::Any | Part::Rest => true,
            Part::Words(known) => known.fits(word),
        };
        words.first().is_none_or(|word| self.1.meet(word))
            && self.0.iter().any(|pattern| pattern.0.iter().zip(words).all(|(part, word)| fits(part, word)))
    }

    /// The best fit of any of the names to the first of `words`.
    pub(super) fn fit(&self, words: &[&str]) -> Option<Fit> {
        if words.first().is_some_and(|word| !self.1.meet(word)) {
            return None;
        }
        self.0.iter().filter_map(|pattern| fit(&pattern.0, words)).max()
    }
}

fn fit(parts: &[Part], words: &[&str]) -> Option<Fit> {
    let Some((part, parts)) = parts.split_first() else { return Some(Fit { exact: 0, near: 0, words: 0 }) };
    match part {
        Part::Rest => {
            for skipped in 0..=words.len() {
                if let Some(rest) = fit(parts, &words[skipped..]) {
                    return Some(Fit { words: rest.words + skipped, ..rest });
                }
            }
            None
        }
        Part::Any => {
            let rest = fit(parts, words.get(1..)?)?;
            Some(Fit { words: rest.words + 1, ..rest })
        }
        Part::Words(known) => {
            let word = words.first()?;
            let exact = known.names(word);
            if !exact && !known.match_star(word) {
                return None;
            }
            let rest = fit(parts, &words[1..])?;
            let (exact, near) = if exact { (rest.exact + 1, rest.near) } else { (rest.exact, rest.near + 1) };
            Some(Fit { exact, near, words: rest.words + 1 })
        }
    }
}

/// Whether a pattern with `*` matches all of `text`; `\*` is a star itself.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    if pattern.contains("\\*") {
        // A letter that no command line has stands for the stars.
        return matches(&pattern.replace("\\*", "\u{1}"), &text.replace('*', "\u{1}"));
    }
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(head) else { return false };
    let mut tail = tail;
    loop {
        match tail.split_once('*') {
            None => return left.ends_with(tail),
            Some((middle, rest)) => match left.find(middle) {
                Some(at) => (left, tail) = (&left[at + middle.len()..], rest),
                None => return false,
            },
        }
    }
}

impl Pattern {
    fn letters(&self) -> Letters {
        match self.0.first() {
            Some(Part::Words(words)) if words.starred.is_empty() => {
                Letters(words.plain.iter().fold(0, |letters, word| letters | Letters::of(word).0))
            }
            _ => Letters::ANY,
        }
    }

    fn parse(text: &str) -> Self {
        let parts = text.split_ascii_whitespace().map(|word| match word {
            "*" => Part::Any,
            "**" => Part::Rest,
            words => Part::Words(Words::parse(words)),
        });
        Self(parts.collect())
    }
}

impl<'de> Deserialize<'de> for Patterns {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        strings(deserializer, "a name such as `stash drop|clear`, or a list of them")
            .map(|names| Self::new(names.iter().map(|name| Pattern::parse(name)).collect()))
    }
}

/// One string, or a list of strings.
pub(super) fn strings<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
    expected: &'static str,
) -> Result<Vec<Cow<'de, str>>, D::Error> {
    struct Either(&'static str);
    impl<'de> serde::de::Visitor<'de> for Either {
        type Value = Vec<Cow<'de, str>>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(vec![Cow::Owned(text.to_owned())])
        }
        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while let Some(item) = items.next_element::<Cow<'de, str>>()? {
                all.push(item);
            }
            Ok(all)
        }
    }
    deserializer.deserialize_any(Either(expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, words: &str, expected: Option<(usize, usize, usize)>) {
        let words: Vec<_> = words.split(' ').collect();
        let found = Patterns::new(vec![Pattern::parse(pattern)]).fit(&words);
        assert_eq!(found.map(|fit| (fit.exact, fit.near, fit.words)), expected, "{pattern}");
    }

    #[test]
    fn names_fit_words() {
        check("stash drop|clear", "stash clear x", Some((2, 0, 2)));
        check("stash drop|clear", "stash list", None);
        check("* delete-*", "ec2 delete-vpc x", Some((0, 1, 2)));
        check("** delete", "compute instances delete x", Some((1, 0, 3)));
        check("** delete", "delete x", Some((1, 0, 1)));
        check("** delete", "compute list", None);
    }

    #[test]
    fn stars_match_parts_of_words() {
        assert!(matches("*-prod-*", "a-prod-b"));
        assert!(!matches("a*b", "ab-c"));
        assert!(matches("a*", "a"));
    }
}
