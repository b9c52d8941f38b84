//! The one small language that says which findings are meant: `decision(block) & !environment(development)`.
//!
//! ```text
//! filter    = any                          any  = every { ("|" | "or") every }
//! every     = one { ("&" | "and" | "-") one }    `a - b` is `a & !b`
//! one       = ("!" | "not") one | "(" any ")" | NAME "(" [ matcher { "," matcher } ] ")" | "effect(" any ")"
//! matcher   = [ "~" contains | "=" is | "#" glob | ">=" ">" "<=" "<" ] value | "/" regex "/"
//! value     = bare words | "quoted"
//! ```
//! In the manner of nextest's filtersets. What can be asked is the table in `query/predicate.rs`; `docs/filters.md` is
//! checked against it. A filter reads a finding and nothing else; it never fails once it is parsed.

mod matcher;
mod parse;
mod predicate;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::model::Finding;

pub use matcher::{Comparison, Matcher, Text};
pub use parse::{ParseError, parse_time};
pub use predicate::{PREDICATES, Predicate, Subject, Takes, by_name};

/// Which findings are meant.
#[derive(Clone, Debug)]
pub struct Filter {
    written: Expression,
    /// The same, with what is cheap to ask in front.
    quick: Expression,
}

impl Filter {
    /// # Errors
    /// When it cannot be read: with the place, what was expected there, and the nearest known word.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parse::expression(text).map(Self::from)
    }

    /// Every finding.
    pub fn all() -> Self {
        Self::from(Expression::All)
    }

    /// What both mean.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::from(Expression::and([self.written, other.written]))
    }

    pub fn expression(&self) -> &Expression {
        &self.written
    }

    /// Whether every finding is meant, whatever it is.
    pub fn is_all(&self) -> bool {
        self.written == Expression::All
    }

    /// How many steps away rules have to be looked for: `None` where it asks nothing about near-misses.
    pub fn near_distance(&self) -> Option<u32> {
        self.written.near_distance()
    }

    pub fn matches(&self, finding: &Finding) -> bool {
        self.quick.holds(Subject::of(finding))
    }
}

impl From<Expression> for Filter {
    fn from(written: Expression) -> Self {
        let mut quick = written.clone();
        quick.cheap_first();
        Self { written, quick }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.written.fmt(f)
    }
}

/// A filter as a tree. Printed, it can be parsed again, and gives the same tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    All,
    None,
    Test(Test),
    /// There is an effect of which all of it holds.
    Effect(Box<Expression>),
    Not(Box<Expression>),
    /// Two or more, none of them an `And`.
    And(Vec<Expression>),
    /// Two or more, none of them an `Or`.
    Or(Vec<Expression>),
}

impl Expression {
    /// `name(matcher, …)`; `None` where there is no such predicate, or it does not take that.
    pub fn test(name: &str, matchers: Vec<Matcher>) -> Option<Self> {
        let predicate = by_name(name)?;
        matchers.iter().all(|matcher| predicate.accepts(matcher)).then(|| Self::Test(Test::new(predicate, matchers)))
    }

    /// All of them hold. A list in a list is one list; `all()` says nothing.
    pub fn and(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Self::And(inner) => flat.extend(inner),
                Self::All => {}
                part => flat.push(part),
            }
        }
        if flat.len() > 1 { Self::And(flat) } else { flat.pop().unwrap_or(Self::All) }
    }

    /// One of them holds.
    pub fn or(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Self::Or(inner) => flat.extend(inner),
                Self::None => {}
                part => flat.push(part),
            }
        }
        if flat.len() > 1 { Self::Or(flat) } else { flat.pop().unwrap_or(Self::None) }
    }

    #[must_use]
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    fn holds(&self, subject: Subject<'_>) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Test(test) => test.holds(subject),
            Self::Effect(inner) => subject.each_effect().any(|subject| inner.holds(subject)),
            Self::Not(inner) => !inner.holds(subject),
            Self::And(parts) => parts.iter().all(|part| part.holds(subject)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(subject)),
        }
    }

    fn near_distance(&self) -> Option<u32> {
        match self {
            Self::All | Self::None => None,
            Self::Test(test) => test.near_distance(),
            Self::Effect(inner) | Self::Not(inner) => inner.near_distance(),
            Self::And(parts) | Self::Or(parts) => parts.iter().filter_map(Self::near_distance).max(),
        }
    }

    /// Order changes nothing but the time it takes.
    fn cheap_first(&mut self) -> u32 {
        match self {
            Self::All | Self::None => 0,
            Self::Test(test) => test.cost(),
            Self::Effect(inner) => 2 * inner.cheap_first(),
            Self::Not(inner) => inner.cheap_first(),
            Self::And(parts) | Self::Or(parts) => {
                let mut costs: Vec<(u32, Self)> =
                    std::mem::take(parts).into_iter().map(|mut part| (part.cheap_first(), part)).collect();
                costs.sort_by_key(|(cost, _)| *cost);
                let sum = costs.iter().fold(0, |sum, (cost, _)| cost.saturating_add(sum));
                parts.extend(costs.into_iter().map(|(_, part)| part));
                sum
            }
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |f: &mut fmt::Formatter<'_>, parts: &[Self], between: &str| {
            for (number, part) in parts.iter().enumerate() {
                f.write_str(if number > 0 { between } else { "" })?;
                match part {
                    Self::And(_) | Self::Or(_) => write!(f, "({part})")?,
                    part => write!(f, "{part}")?,
                }
            }
            Ok(())
        };
        match self {
            Self::All => f.write_str("all()"),
            Self::None => f.write_str("none()"),
            Self::Test(test) => test.fmt(f),
            Self::Effect(inner) => write!(f, "effect({inner})"),
            Self::Not(inner) => match &**inner {
                inner @ (Self::And(_) | Self::Or(_)) => write!(f, "!({inner})"),
                inner => write!(f, "!{inner}"),
            },
            Self::And(parts) => listed(f, parts, " & "),
            Self::Or(parts) => listed(f, parts, " | "),
        }
    }
}

/// One predicate and what is asked of it.
#[derive(Clone, Debug)]
pub struct Test {
    predicate: &'static Predicate,
    /// One of them has to match; none for a predicate that takes nothing.
    matchers: Vec<Matcher>,
    /// For a closed vocabulary: a bit for every word that a matcher matches.
    mask: u128,
}

impl PartialEq for Test {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.predicate, other.predicate) && self.matchers == other.matchers
    }
}

impl Eq for Test {}

impl Test {
    fn new(predicate: &'static Predicate, matchers: Vec<Matcher>) -> Self {
        let mask = matchers.iter().fold(0, |mask, matcher| mask | predicate.mask(matcher));
        Self { predicate, matchers, mask }
    }

    fn holds(&self, subject: Subject<'_>) -> bool {
        match self.predicate.takes {
            Takes::Nothing(is) => is(&subject),
            Takes::Words { bits, .. } => bits(&subject) & self.mask != 0,
            Takes::Text { each, .. } => {
                each(&subject, &mut |value| self.matchers.iter().any(|matcher| matcher.is_text(value)))
            }
            Takes::Number(each) => {
                each(&subject, &mut |value| self.matchers.iter().any(|matcher| matcher.is_number(value)))
            }
            Takes::Time(_) => {
                subject.action().time.is_some_and(|time| self.matchers.iter().any(|matcher| matcher.is_number(time.0)))
            }
        }
    }

    fn near_distance(&self) -> Option<u32> {
        /// Farther than that nothing is near.
        const MOST: i64 = 9;
        let steps = self.matchers.iter().map(|matcher| match matcher {
            Matcher::Number(Comparison::More, than) => than.saturating_add(1),
            Matcher::Number(_, number) => *number,
            _ => 1,
        });
        let steps = steps.max().unwrap_or(1).clamp(1, MOST);
        self.predicate.is_about_near_misses().then(|| u32::try_from(steps).unwrap_or(1))
    }

    /// How long it takes, roughly: a look at some bits is 1.
    fn cost(&self) -> u32 {
        match self.predicate.takes {
            Takes::Nothing(_) | Takes::Words { .. } | Takes::Number(_) | Takes::Time(_) => 1,
            Takes::Text { long, .. } => {
                let all = self.matchers.iter().fold(0u32, |sum, matcher| sum.saturating_add(matcher.cost()));
                all.saturating_mul(if long { 16 } else { 2 })
            }
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.predicate.name)?;
        for (number, matcher) in self.matchers.iter().enumerate() {
            f.write_str(if number > 0 { ", " } else { "" })?;
            self.predicate.write(matcher, f)?;
        }
        f.write_str(")")
    }
}
