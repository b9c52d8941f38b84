//! Reads a filter, and says where it cannot be read.

use std::fmt;
use std::ops::Range;

use crate::model::Timestamp;
use crate::policy::did_you_mean;

use super::matcher::{Comparison, Matcher, Text};
use super::predicate::{Bare, PREDICATES, Predicate, Takes, by_name};
use super::{Expression, Test};

/// With one of these a value begins that is more than a bare one.
pub(super) const SIGNS: [char; 6] = ['~', '=', '#', '/', '<', '>'];

/// Parentheses and negations in one another; more than anybody writes, less than the stack holds.
const MOST_NESTED: usize = 100;

/// Columns of the filter that are shown on each side of the wrong place.
const SHOWN: usize = 60;

/// Why a filter cannot be read. Shows the place with carets under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    pub text: String,
    /// Bytes of `text`.
    pub range: Range<usize>,
    /// A lowercase fragment.
    pub problem: String,
    /// What to write instead.
    pub help: String,
}

impl std::error::Error for ParseError {}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One column for every letter, so that the carets stand under what is meant.
        let column = |letter: char| if letter.is_control() { '\u{b7}' } else { letter };
        let start = self.text.get(..self.range.start).unwrap_or_default();
        let end = self.text.get(self.range.end..).unwrap_or_default();
        let wrong = self.text.get(self.range.clone()).unwrap_or_default();
        let mut before: Vec<char> = start.chars().rev().take(SHOWN + 1).map(column).collect();
        if before.len() > SHOWN {
            *before.last_mut().unwrap_or(&mut '…') = '…';
        }
        before.reverse();
        let mut after: Vec<char> = end.chars().take(SHOWN + 1).map(column).collect();
        if after.len() > SHOWN {
            *after.last_mut().unwrap_or(&mut '…') = '…';
        }
        let wrong: Vec<char> = wrong.chars().take(SHOWN).map(column).collect();
        writeln!(f, "{}", self.problem)?;
        let line: String = before.iter().chain(&wrong).chain(&after).collect();
        let line = format!("  {line}");
        write!(f, "{}\n  {:width$}{}", line.trim_end(), "", "^".repeat(wrong.len().max(1)), width = before.len())?;
        if self.help.is_empty() { Ok(()) } else { write!(f, "\n  {}", self.help) }
    }
}

/// A time as filters and options write it: RFC 3339, or a date or time without a zone, which is then UTC.
///
/// # Errors
/// When it is no time.
pub fn parse_time(text: &str) -> Result<Timestamp, String> {
    let utc = |civil: jiff::civil::DateTime| civil.to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp());
    let time = text
        .parse::<jiff::Timestamp>()
        .or_else(|_| text.trim_end_matches('Z').parse::<jiff::civil::DateTime>().and_then(utc))
        .map_err(|error| format!("{error}; write it like `2026-11-21` or `2026-11-21T02:00Z`"))?;
    Ok(Timestamp(time.as_microsecond()))
}

pub(super) fn expression(text: &str) -> Result<Expression, ParseError> {
    let mut parser = Parser { text, at: 0, nested: 0 };
    let whole = parser.any()?;
    parser.space();
    match parser.peek() {
        None => Ok(whole),
        Some(')') => Err(parser.wrong(1, "this `)` closes nothing", String::new())),
        Some(_) => {
            let help = "expected `&` (and), `|` (or), `-` (but not) or the end".to_owned();
            Err(parser.wrong(parser.word().len(), "two predicates need something between them", help))
        }
    }
}

struct Parser<'t> {
    text: &'t str,
    /// Byte offset of what comes next.
    at: usize,
    nested: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn takes(&mut self, start: &str) -> bool {
        let is_next = self.rest().starts_with(start);
        self.at += if is_next { start.len() } else { 0 };
        is_next
    }

    /// The name or word that comes next.
    fn word(&self) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_')).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    /// `word` as an operator: a predicate of that name would have a parenthesis.
    fn takes_word(&mut self, word: &str) -> bool {
        let is_next = self.word() == word;
        self.at += if is_next { word.len() } else { 0 };
        is_next
    }

    fn wrong(&self, length: usize, problem: impl Into<String>, help: String) -> ParseError {
        self.wrong_at(self.at..self.at + length, problem, help)
    }

    fn wrong_at(&self, range: Range<usize>, problem: impl Into<String>, help: String) -> ParseError {
        ParseError { text: self.text.to_owned(), range, problem: problem.into(), help }
    }

    fn any(&mut self) -> Result<Expression, ParseError> {
        let mut parts = vec![self.every()?];
        loop {
            self.space();
            if !(self.takes("||") || self.takes("|") || self.takes_word("or")) {
                return Ok(Expression::or(parts));
            }
            parts.push(self.every()?);
        }
    }

    fn every(&mut self) -> Result<Expression, ParseError> {
        let mut parts = vec![self.one()?];
        loop {
            self.space();
            if self.takes("&&") || self.takes("&") || self.takes_word("and") {
                parts.push(self.one()?);
            } else if self.takes("-") {
                parts.push(self.one()?.negated());
            } else {
                return Ok(Expression::and(parts));
            }
        }
    }

    fn one(&mut self) -> Result<Expression, ParseError> {
        self.nested += 1;
        self.space();
        if self.nested > MOST_NESTED {
            return Err(self.wrong(1, format!("more than {MOST_NESTED} levels"), "write it flatter".to_owned()));
        }
        let one = if self.takes("!") || self.takes_word("not") {
            self.one()?.negated()
        } else if self.peek() == Some('(') {
            self.within()?
        } else {
            self.predicate()?
        };
        self.nested -= 1;
        Ok(one)
    }

    /// An expression in parentheses.
    fn within(&mut self) -> Result<Expression, ParseError> {
        let opened = self.at;
        self.at += 1;
        let inner = self.any()?;
        self.close(opened)?;
        Ok(inner)
    }

    fn close(&mut self, opened: usize) -> Result<(), ParseError> {
        self.space();
        if self.takes(")") {
            return Ok(());
        }
        if self.peek().is_none() {
            let help = "expected `)`".to_owned();
            return Err(self.wrong_at(opened..opened + 1, "this parenthesis is not closed", help));
        }
        let help = "expected `&` (and), `|` (or), `-` (but not) or `)`".to_owned();
        Err(self.wrong(self.word().len(), "two predicates need something between them", help))
    }

    fn predicate(&mut self) -> Result<Expression, ParseError> {
        const EXAMPLE: &str = "expected a predicate like `decision(block)`; `nearmiss filters` lists them";
        let name = self.word();
        let start = self.at;
        if name.is_empty() {
            let length = self.peek().map_or(0, char::len_utf8);
            let problem = if length == 0 { "something is missing at the end" } else { "a predicate is missing here" };
            return Err(self.wrong(length, problem, EXAMPLE.to_owned()));
        }
        let known = match name {
            "all" | "none" | "effect" => None,
            name => Some(by_name(name).ok_or_else(|| self.unknown(name))?),
        };
        self.at += name.len();
        self.space();
        let opened = self.at;
        if self.peek() != Some('(') {
            let example = match (known, name) {
                (Some(predicate), _) => predicate.example,
                (None, "effect") => "effect(operation(drop) & is(Table))",
                (None, "all") => "all()",
                (None, _) => "none()",
            };
            let problem = format!("`{name}` needs parentheses");
            return Err(self.wrong_at(start..start + name.len(), problem, format!("write it like `{example}`")));
        }
        match known {
            None if name == "effect" => self.within().map(|inner| Expression::Effect(Box::new(inner))),
            None => {
                self.at += 1;
                self.nothing(name)?;
                Ok(if name == "all" { Expression::All } else { Expression::None })
            }
            Some(predicate) => {
                self.at += 1;
                let matchers = match predicate.takes {
                    Takes::Nothing(_) => self.nothing(name).map(|()| Vec::new())?,
                    _ => self.matchers(predicate, opened)?,
                };
                Ok(Expression::Test(Test::new(predicate, matchers)))
            }
        }
    }

    fn nothing(&mut self, name: &str) -> Result<(), ParseError> {
        self.space();
        if self.takes(")") {
            return Ok(());
        }
        let length = self.rest().find(')').unwrap_or(self.rest().len());
        Err(self.wrong(length, format!("`{name}` takes nothing"), format!("write `{name}()`")))
    }

    fn unknown(&self, name: &str) -> ParseError {
        let names = || PREDICATES.iter().flat_map(|predicate| [Some(predicate.name), predicate.alias]).flatten();
        let names = || names().chain(["all", "none", "effect"]);
        let help = meant(name, names()).unwrap_or_else(|| "`nearmiss filters` lists what there is".to_owned());
        self.wrong(name.len(), format!("there is no predicate `{name}`"), help)
    }

    /// What stands between the parentheses, and the one that closes them.
    fn matchers(&mut self, predicate: &Predicate, opened: usize) -> Result<Vec<Matcher>, ParseError> {
        let mut matchers = Vec::new();
        loop {
            self.space();
            matchers.push(self.matcher(predicate, opened)?);
            self.space();
            if self.takes(")") {
                return Ok(matchers);
            }
            let is_list = !matches!(predicate.takes, Takes::Time(_));
            if is_list && self.takes(",") {
                continue;
            }
            let Some(next) = self.peek() else {
                let help = "expected `)`".to_owned();
                return Err(self.wrong_at(opened..opened + 1, "this parenthesis is not closed", help));
            };
            let length = next.len_utf8();
            if !is_list && next == ',' {
                return Err(self.wrong(length, format!("`{}` takes one time", predicate.name), String::new()));
            }
            let help = "a value with parentheses, commas or quotes is written in quotes: `~\"count(*)\"`".to_owned();
            return Err(self.wrong(length, "the value has ended before this", help));
        }
    }

    fn matcher(&mut self, predicate: &Predicate, opened: usize) -> Result<Matcher, ParseError> {
        let start = self.at;
        match predicate.takes {
            Takes::Text { bare, .. } => self.text(predicate, opened, bare).map(Matcher::Text),
            Takes::Words { ordered, .. } => {
                if self.rest().starts_with(['~', '#', '/']) {
                    let text = Matcher::Text(self.text(predicate, opened, Bare::Contains)?);
                    if predicate.mask(&text) == 0 {
                        let range = start..start + self.text.get(start..self.at).unwrap_or_default().trim_end().len();
                        return Err(self.wrong_at(
                            range,
                            format!("no value of `{}` is like that", predicate.name),
                            listed(predicate),
                        ));
                    }
                    return Ok(text);
                }
                let comparison = self.comparison();
                if comparison.is_some_and(|comparison| comparison != Comparison::Equal) && !ordered {
                    let help = format!("{}: write those that are meant, `{}`", listed(predicate), predicate.example);
                    let problem = format!("there is no more or less in `{}`", predicate.name);
                    return Err(self.wrong_at(start..self.at, problem, help));
                }
                let (value, range) = self.value(predicate, opened)?;
                let words = predicate.words().unwrap_or_default();
                let word = words.iter().find(|word| word.eq_ignore_ascii_case(&value)).ok_or_else(|| {
                    let help = meant(&value, words.iter().copied()).unwrap_or_else(|| listed(predicate));
                    self.wrong_at(range, format!("`{value}` is no value of `{}`", predicate.name), help)
                })?;
                Ok(Matcher::Word(comparison.unwrap_or(Comparison::Equal), word))
            }
            Takes::Number(_) => {
                let comparison = self.comparison().unwrap_or(Comparison::Equal);
                let (value, range) = self.value(predicate, opened)?;
                let number = value.replace('_', "").parse().ok().filter(|number: &i64| *number >= 0);
                let help = || format!("write it like `{}`", predicate.example);
                let number =
                    number.ok_or_else(|| self.wrong_at(range, format!("`{value}` is no whole number"), help()))?;
                Ok(Matcher::Number(comparison, number))
            }
            Takes::Time(comparison) => {
                let (value, range) = self.value(predicate, opened)?;
                let time = parse_time(&value).map_err(|error| {
                    let help = format!("write it like `{}` or `2026-11-21T02:00Z`", predicate.example);
                    let problem = error.split(';').next().unwrap_or_default().to_owned();
                    self.wrong_at(range, format!("`{value}` is no time: {problem}"), help)
                })?;
                Ok(Matcher::Number(comparison, time.0))
            }
            // It is asked before.
            Takes::Nothing(_) => Err(self.wrong(0, format!("`{}` takes nothing", predicate.name), String::new())),
        }
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let sign = |comparison: &Comparison| if *comparison == Comparison::Equal { "=" } else { comparison.sign() };
        let found = Comparison::ALL.into_iter().find(|comparison| self.rest().starts_with(sign(comparison)))?;
        self.at += sign(&found).len();
        Some(found)
    }

    fn text(&mut self, predicate: &Predicate, opened: usize, bare: Bare) -> Result<Text, ParseError> {
        let start = self.at;
        if self.takes("/") {
            return self.regex(start);
        }
        if self.rest().starts_with(['<', '>']) {
            let help = "`~` contains, `=` is, `#` glob, `/regex/`; in quotes where it begins like that".to_owned();
            return Err(self.wrong(1, format!("there is no more or less in `{}`", predicate.name), help));
        }
        let sign = ["~", "=", "#"].into_iter().find(|sign| self.takes(sign));
        let (value, range) = self.value(predicate, opened)?;
        Ok(match (sign, bare) {
            (Some("="), _) => Text::Is(value),
            (Some("#"), _) => Text::glob(&value).map_err(|error| {
                self.wrong_at(range, format!("no glob: {error}"), "`*`, `?`, `[a-z]`, `{one,other}`".to_owned())
            })?,
            (Some(_), _) | (None, Bare::Contains) => Text::contains(&value),
            (None, Bare::Starts) => Text::Starts(value),
        })
    }

    /// The rest of a regular expression, behind the first slash.
    fn regex(&mut self, start: usize) -> Result<Text, ParseError> {
        let mut escaped = false;
        let end = self.rest().find(|letter: char| {
            let is_end = letter == '/' && !escaped;
            escaped = letter == '\\' && !escaped;
            is_end
        });
        let path = "a regular expression stands between slashes; for a path write `~/srv` or `=/srv/app`";
        let Some(end) = end else {
            return Err(self.wrong_at(start..start + 1, "the second slash is missing", path.to_owned()));
        };
        let pattern = self.rest().get(..end).unwrap_or_default();
        let range = self.at..self.at + end;
        self.at += end + 1;
        self.space();
        if self.peek().is_some_and(|next| !matches!(next, ')' | ',')) {
            return Err(self.wrong_at(start..range.end + 1, "the regular expression ends here", path.to_owned()));
        }
        Text::regex(pattern).map_err(|error| self.wrong_at(range, error, String::new()))
    }

    /// A value and where it stands.
    fn value(&mut self, predicate: &Predicate, opened: usize) -> Result<(String, Range<usize>), ParseError> {
        self.space();
        let start = self.at;
        if let Some(quote @ ('"' | '\'')) = self.peek() {
            self.at += 1;
            let value = self.quoted(quote, start)?;
            return Ok((value, start..self.at));
        }
        let rest = self.rest();
        let end = rest.find(['(', ')', ',']).unwrap_or(rest.len());
        let value = rest.get(..end).unwrap_or_default().trim_end();
        self.at += end;
        if value.is_empty() {
            if self.peek().is_none() {
                let help = "expected `)`".to_owned();
                return Err(self.wrong_at(opened..opened + 1, "this parenthesis is not closed", help));
            }
            let help = format!("write it like `{}`, and an empty text as `=\"\"`", predicate.example);
            return Err(self.wrong_at(start..start + 1, "a value is missing here", help));
        }
        Ok((value.to_owned(), start..start + value.len()))
    }

    fn quoted(&mut self, quote: char, start: usize) -> Result<String, ParseError> {
        let mut value = String::new();
        let mut letters = self.rest().char_indices();
        while let Some((at, letter)) = letters.next() {
            if letter == quote {
                self.at += at + letter.len_utf8();
                return Ok(value);
            }
            if letter != '\\' {
                value.push(letter);
                continue;
            }
            let escaped = match letters.next().map(|(_, letter)| letter) {
                Some('n') => Some('\n'),
                Some('t') => Some('\t'),
                Some('u') => {
                    let digits: String = letters.by_ref().map(|(_, letter)| letter).take_while(|c| *c != '}').collect();
                    let number = digits.strip_prefix('{').and_then(|digits| u32::from_str_radix(digits, 16).ok());
                    number.and_then(char::from_u32)
                }
                Some(letter @ ('\\' | '"' | '\'')) => Some(letter),
                _ => None,
            };
            let place = self.at + at;
            let help = "`\\\\`, `\\\"`, `\\'`, `\\n`, `\\t` and `\\u{1b}` are known".to_owned();
            value.push(escaped.ok_or_else(|| self.wrong_at(place..place + 1, "no known escape", help))?);
        }
        Err(self.wrong_at(start..start + 1, "this quote is not closed", String::new()))
    }
}

/// `did you mean …`, for a word that was written wrong or not to its end.
fn meant<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> Option<String> {
    let lower = word.to_lowercase();
    let longer = known.clone().find(|known| lower.len() > 1 && known.to_lowercase().starts_with(&lower));
    longer.map(|longer| format!("did you mean `{longer}`?")).or_else(|| did_you_mean(word, known))
}

fn listed(predicate: &Predicate) -> String {
    format!("there is {}", predicate.words().unwrap_or_default().join(", "))
}
