//! The catalogue as it is written in `slips.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use super::{OPERATORS, Operator};
use crate::model::Kind;
use crate::policy::Fact;

/// What slips there are, and the flags they add and drop.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Catalogue {
    /// Two versions find other near-misses in the same log.
    #[cfg_attr(not(test), expect(dead_code, reason = "for whoever states what near-misses were looked for with"))]
    pub(crate) version: u32,
    /// Programs that put something where their operand says.
    pub(super) placing: Vec<String>,
    #[serde(rename = "slip")]
    pub(crate) slips: Vec<Entry>,
    #[serde(rename = "guard")]
    pub(super) guards: Vec<Guard>,
    #[serde(rename = "safety")]
    pub(super) safeties: Vec<Safety>,
}

/// One slip.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) id: String,
    /// What slips, in a few words.
    pub(crate) about: String,
    /// The kinds of text that it happens in.
    pub(crate) surfaces: Vec<Kind>,
    /// What it can change; it is tried for nothing else.
    pub(crate) facts: Vec<Fact>,
    /// How an effect of the example says what does it.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the tests, which run the example"))]
    pub(crate) by: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the tests, which run the example"))]
    pub(crate) before: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the tests, which run the example"))]
    pub(crate) after: String,
    /// Where it happened: the id of a built-in incident.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the tests, which look for it"))]
    pub(crate) incident: Option<String>,
}

/// A flag by which a program leaves its question out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Guard {
    pub(super) by: String,
    pub(super) flag: String,
    pub(super) same: Vec<String>,
}

/// A flag that keeps an action from happening, or narrows it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Safety {
    pub(super) by: String,
    #[serde(default)]
    pub(super) flag: String,
    pub(super) letter: Option<char>,
    #[serde(default)]
    pub(super) value: bool,
    pub(super) instead: Option<String>,
}

static CATALOGUE: LazyLock<Read> = LazyLock::new(|| {
    let catalogue: Catalogue = toml::from_str(include_str!("../slips.toml")).expect("a test reads slips.toml");
    let masks = catalogue.slips.iter().map(|entry| entry.facts.iter().fold(0, |bits, fact| bits | bit(*fact)));
    Read { masks: masks.collect(), catalogue }
});

struct Read {
    catalogue: Catalogue,
    /// The facts of each slip, as bits.
    masks: Vec<u64>,
}

/// The slips, with what they can change and where they happened.
pub(crate) fn catalogue() -> &'static Catalogue {
    &CATALOGUE.catalogue
}

/// What slipped, in a few words for a report. Empty for an id that is not in the catalogue.
pub(crate) fn about(id: &str) -> &'static str {
    catalogue().slips.iter().find(|entry| entry.id == id).map_or("", |entry| &entry.about)
}

/// The bit that stands for a fact.
pub(super) const fn bit(fact: Fact) -> u64 {
    1 << fact as u64
}

impl Catalogue {
    /// All that slips in such a text can change.
    pub(super) fn changes(&self, kind: Kind) -> u64 {
        let here = self.slips.iter().zip(&CATALOGUE.masks).filter(|(entry, _)| entry.surfaces.contains(&kind));
        here.fold(0, |bits, (_, mask)| bits | mask)
    }

    /// The slips of such a text that can change one of the facts asked for.
    pub(super) fn entries(&'static self, kind: Kind, asked: u64) -> impl Iterator<Item = (&'static Entry, Operator)> {
        let all = self.slips.iter().zip(&CATALOGUE.masks).zip(OPERATORS);
        all.filter(move |((entry, mask), _)| **mask & asked != 0 && entry.surfaces.contains(&kind))
            .map(|((entry, _), (_, operator))| (entry, *operator))
    }
}
