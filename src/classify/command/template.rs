//! Templates of names: `{--namespace:default}/{@0}`.

use std::borrow::Cow;

use serde::Deserialize;

use crate::classify::{Unknown, Word};

use super::call::Call;
use super::pattern::matches;

/// A text with slots that options, operands and variables fill.
#[derive(Debug, Default)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    Text(Box<str>),
    Slot { refs: Vec<Ref>, default: Option<Box<str>> },
}

/// What a slot or a condition refers to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ref {
    /// `--flag`, `-f`: the values of an option.
    Flag(Box<str>),
    /// `--*-id`: the values of any option with such a name.
    FlagLike(Box<str>),
    /// `@0`, `@last`.
    Operand(usize),
    Last,
    /// `@*`, `@1*`, `@butlast`, `@dashes`: several operands.
    From(usize),
    ButLast,
    Dashes,
    /// `@of`: the value of the operand `of=…`.
    Key(Box<str>),
    /// `$PGHOST`: a variable that is set for the command.
    Variable(Box<str>),
}

impl Template {
    /// Whether it is what an option says, and nothing else.
    pub(super) fn is_option(&self) -> bool {
        let option = |piece: &Piece| matches!(piece, Piece::Slot { refs, .. } if refs.iter().all(|it| matches!(it, Ref::Flag(_) | Ref::FlagLike(_))));
        !self.0.is_empty() && self.0.iter().all(option)
    }
}

impl Ref {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix('$') {
            return Ok(Self::Variable(name.into()));
        }
        let Some(operand) = text.strip_prefix('@') else {
            return match text {
                _ if !text.starts_with(['-', '/', '+']) => {
                    Err(format!("`{text}` refers to nothing: write `--option`, `@0` or `$VARIABLE`"))
                }
                _ if text.contains('*') => Ok(Self::FlagLike(text.into())),
                _ => Ok(Self::Flag(text.into())),
            };
        };
        Ok(match operand {
            "*" => Self::From(0),
            "last" => Self::Last,
            "butlast" => Self::ButLast,
            "dashes" => Self::Dashes,
            _ => match operand.strip_suffix('*').map(str::parse) {
                Some(Ok(from)) => Self::From(from),
                Some(Err(_)) => return Err(format!("`@{operand}` refers to no operand")),
                None => operand.parse().map_or_else(|_| Self::Key(operand.into()), Self::Operand),
            },
        })
    }

    /// Several words, so that an effect is meant for each.
    fn is_many(&self) -> bool {
        matches!(self, Self::From(_) | Self::ButLast | Self::Dashes)
    }

    /// The words it refers to.
    pub(super) fn words<'c>(&self, call: &'c Call<'_>) -> Vec<Cow<'c, Word>> {
        let borrowed = |word: &'c Cow<'_, Word>| Cow::Borrowed(&**word);
        let operands = &call.parsed.operands;
        match self {
            Self::Flag(name) => call.values(|names| names.has(name)),
            Self::FlagLike(like) => call.values(|names| names.any(|name| matches(like, name))),
            Self::Operand(at) => operands.get(*at).map(borrowed).into_iter().collect(),
            Self::Last => operands.last().map(borrowed).into_iter().collect(),
            Self::From(at) => operands.iter().skip(*at).map(borrowed).collect(),
            Self::ButLast => operands.split_last().map_or(&[][..], |(_, rest)| rest).iter().map(borrowed).collect(),
            Self::Dashes => {
                let from = call.parsed.dashes.unwrap_or(operands.len());
                operands.iter().skip(from).map(borrowed).collect()
            }
            Self::Key(key) => {
                let value = |word: &Cow<'_, Word>| {
                    let from = word.text.strip_prefix(&**key)?.strip_prefix('=').map(|_| key.len() + 1)?;
                    Some(Cow::Owned(word.tail(from)))
                };
                operands.iter().filter_map(value).collect()
            }
            Self::Variable(name) => call.variable(name).map(Cow::Owned).into_iter().collect(),
        }
    }
}

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut left = text;
        if text.starts_with('@') && !text.contains(['{', ' ']) {
            return Ok(Self(vec![Piece::Slot { refs: vec![Ref::parse(text)?], default: None }]));
        }
        while let Some((before, rest)) = left.split_once('{') {
            if !before.is_empty() {
                pieces.push(Piece::Text(before.into()));
            }
            let (slot, after) = rest.split_once('}').ok_or_else(|| format!("`{{{rest}` lacks its `}}`"))?;
            let (refs, default) = slot.split_once(':').map_or((slot, None), |(refs, text)| (refs, Some(text.into())));
            let refs = refs.split('|').map(Ref::parse).collect::<Result<_, _>>()?;
            pieces.push(Piece::Slot { refs, default });
            left = after;
        }
        if !left.is_empty() {
            pieces.push(Piece::Text(left.into()));
        }
        Ok(Self(pieces))
    }

    /// The references in it.
    pub(super) fn refs(&self) -> impl Iterator<Item = &Ref> {
        self.0.iter().flat_map(|piece| match piece {
            Piece::Slot { refs, .. } => &refs[..],
            Piece::Text(_) => &[],
        })
    }

    /// The words it stands for: none when it asks for operands and there are none, several when it asks for several.
    pub(super) fn words<'c>(&self, call: &'c Call<'_>) -> Vec<Cow<'c, Word>> {
        if let [Piece::Slot { refs, default }] = &self.0[..] {
            let found = filled(refs, call);
            return match default {
                _ if !found.is_empty() => found,
                Some(text) => vec![Cow::Owned(Word::known(&**text))],
                None if refs.iter().any(Ref::is_many) => found,
                None => vec![Cow::Owned(Word::default())],
            };
        }
        let mut results = vec![Word::default()];
        let mut swallow = false;
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => {
                    let text = if swallow { text.strip_prefix('/').unwrap_or(text) } else { text };
                    results.iter_mut().for_each(|word| word.text.push_str(text));
                    swallow = false;
                }
                Piece::Slot { refs, default } => {
                    let found = filled(refs, call);
                    swallow = found.is_empty() && default.is_none();
                    if found.is_empty() {
                        if default.is_none() && refs.iter().any(Ref::is_many) {
                            return Vec::new();
                        }
                        let text = default.as_deref().unwrap_or_default();
                        results.iter_mut().for_each(|word| word.text.push_str(text));
                    } else if let [only] = &found[..] {
                        results.iter_mut().for_each(|word| append(word, only));
                    } else if let [stem] = &results[..] {
                        let each = |word: &Cow<'_, Word>| {
                            let mut stem = stem.clone();
                            append(&mut stem, word);
                            stem
                        };
                        results = found.iter().map(each).collect();
                    } else if let Some(first) = found.first() {
                        results.iter_mut().for_each(|word| append(word, first));
                    }
                }
            }
        }
        results.into_iter().map(Cow::Owned).collect()
    }

    /// The first of its words, when it is not empty.
    pub(super) fn word<'c>(&self, call: &'c Call<'_>) -> Option<Cow<'c, Word>> {
        self.words(call).into_iter().next().filter(|word| !word.text.is_empty())
    }
}

fn filled<'c>(refs: &[Ref], call: &'c Call<'_>) -> Vec<Cow<'c, Word>> {
    refs.iter().map(|reference| reference.words(call)).find(|words| !words.is_empty()).unwrap_or_default()
}

fn append(word: &mut Word, part: &Word) {
    let by = word.text.len();
    word.text.push_str(&part.text);
    word.unknown.extend(part.unknown.iter().map(|unknown| Unknown {
        start: unknown.start + by,
        end: unknown.end + by,
        ..unknown.clone()
    }));
    word.glob |= part.glob;
    word.quoted |= part.quoted;
    word.span = part.span.or(word.span);
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
