//! What is asked of a value: contains, is, pattern, more than.

use std::fmt;

use globset::GlobMatcher;
use regex::Regex;

use crate::engine::mapping::glob;
use crate::model::Timestamp;

/// What is asked of one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matcher {
    Text(Text),
    /// A word of a closed vocabulary, and how a value stands to it in the order of the vocabulary.
    Word(Comparison, &'static str),
    /// Numbers, and times as microseconds since 1970.
    Number(Comparison, i64),
}

/// How a number, a time or a word of an ordered vocabulary stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
}

impl Comparison {
    pub(super) const ALL: [Self; 5] = [Self::AtLeast, Self::AtMost, Self::More, Self::Less, Self::Equal];

    pub fn holds(self, left: i64, right: i64) -> bool {
        match self {
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Equal => left == right,
            Self::AtLeast => left >= right,
            Self::More => left > right,
        }
    }

    /// As it is written in front of a value; equal is what is meant where nothing is.
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Equal => "",
            Self::AtLeast => ">=",
            Self::More => ">",
        }
    }
}

/// What is asked of a text.
#[derive(Clone, Debug)]
pub enum Text {
    /// In whatever case.
    Contains(Needle),
    Is(String),
    Starts(String),
    /// Anywhere in the text, as the pattern does not say otherwise.
    Regex(Regex),
    /// The whole text, in whatever case; `*` matches `/` as well.
    Glob(GlobMatcher),
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Contains(a), Self::Contains(b)) => a == b,
            (Self::Is(a), Self::Is(b)) | (Self::Starts(a), Self::Starts(b)) => a == b,
            (Self::Regex(a), Self::Regex(b)) => a.as_str() == b.as_str(),
            (Self::Glob(a), Self::Glob(b)) => a.glob() == b.glob(),
            _ => false,
        }
    }
}

impl Eq for Text {}

impl Text {
    pub fn contains(what: &str) -> Self {
        Self::Contains(Needle::new(what))
    }

    /// # Errors
    /// When it is no regular expression: what is wrong with it.
    pub fn regex(pattern: &str) -> Result<Self, String> {
        let pattern = without_escaped_slashes(pattern);
        // The last line of regex's message says what is wrong; the others draw the pattern, which we do ourselves.
        let said = |error: &regex::Error| {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            format!("no regular expression: {}", last.trim_start_matches("error:").trim())
        };
        Regex::new(&pattern).map(Self::Regex).map_err(|error| said(&error))
    }

    /// # Errors
    /// When it is no glob: what is wrong with it.
    pub fn glob(pattern: &str) -> Result<Self, String> {
        glob(pattern).map(|glob| Self::Glob(glob.compile_matcher())).map_err(|error| error.kind().to_string())
    }

    pub(super) fn matches(&self, value: &str) -> bool {
        match self {
            Self::Contains(needle) => needle.is_in(value),
            Self::Is(whole) => value == whole,
            Self::Starts(start) => value.starts_with(start.as_str()),
            Self::Regex(pattern) => pattern.is_match(value),
            Self::Glob(pattern) => pattern.is_match(value),
        }
    }
}

impl Matcher {
    pub fn since(time: Timestamp) -> Self {
        Self::Number(Comparison::AtLeast, time.0)
    }

    pub fn until(time: Timestamp) -> Self {
        Self::Number(Comparison::Less, time.0)
    }

    pub(super) fn is_text(&self, value: &str) -> bool {
        matches!(self, Self::Text(text) if text.matches(value))
    }

    pub(super) fn is_number(&self, value: i64) -> bool {
        matches!(self, Self::Number(comparison, than) if comparison.holds(value, *than))
    }

    pub(super) fn cost(&self) -> u32 {
        match self {
            Self::Text(Text::Regex(_) | Text::Glob(_)) => 8,
            Self::Text(Text::Contains(_)) => 2,
            _ => 1,
        }
    }
}

/// A text that is looked for in whatever case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needle {
    written: String,
    /// In lower case.
    lower: String,
}

impl Needle {
    fn new(written: &str) -> Self {
        Self { written: written.to_owned(), lower: written.to_lowercase() }
    }

    pub(super) fn written(&self) -> &str {
        &self.written
    }

    fn is_in(&self, text: &str) -> bool {
        let Some(first) = self.lower.bytes().next() else { return true };
        if !self.lower.is_ascii() {
            return text.to_lowercase().contains(&self.lower);
        }
        // Nothing is copied: most values of a long log are looked at once and do not match.
        let (text, wanted) = (text.as_bytes(), self.lower.as_bytes());
        memchr::memchr2_iter(first, first.to_ascii_uppercase(), text)
            .any(|at| text.get(at..at + wanted.len()).is_some_and(|here| here.eq_ignore_ascii_case(wanted)))
    }
}

/// `\/` is how a slash is written between slashes; the pattern has it as it is.
fn without_escaped_slashes(pattern: &str) -> String {
    let mut plain = String::with_capacity(pattern.len());
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match (letter, if letter == '\\' { letters.next() } else { None }) {
            ('\\', Some('/')) => plain.push('/'),
            (letter, next) => plain.extend([Some(letter), next].into_iter().flatten()),
        }
    }
    plain
}

/// Writes a text so that it is read again as what it is. Behind a sign it may begin like one.
pub(super) fn write_value(text: &str, signed: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let trimmed = !text.is_empty() && text.trim() == text;
    let starts_well = !text.starts_with(['"', '\'']) && (signed || !text.starts_with(super::parse::SIGNS));
    if trimmed && starts_well && !text.contains(|c: char| matches!(c, '(' | ')' | ',') || c.is_control()) {
        return f.write_str(text);
    }
    f.write_str("\"")?;
    for letter in text.chars() {
        match letter {
            '"' | '\\' => write!(f, "\\{letter}")?,
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            letter if letter.is_control() => write!(f, "\\u{{{:x}}}", u32::from(letter))?,
            letter => write!(f, "{letter}")?,
        }
    }
    f.write_str("\"")
}

/// Writes a regular expression between slashes.
pub(super) fn write_regex(pattern: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("/")?;
    let mut escaped = false;
    for letter in pattern.chars() {
        if letter == '/' && !escaped {
            f.write_str("\\")?;
        }
        escaped = letter == '\\' && !escaped;
        write!(f, "{letter}")?;
    }
    f.write_str("/")
}
