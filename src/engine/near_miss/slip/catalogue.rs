//! The catalogue as it is written in `slips.toml`.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;
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
    let masks = catalogue.slips.iter().map(|entry| Mask {
        facts: entry.facts.iter().fold(0, |bits, fact| bits | bit(*fact)),
        surfaces: entry.surfaces.iter().fold(0, |bits, kind| bits | 1 << *kind as u32),
    });
    let (guards, safeties) = (&catalogue.guards, &catalogue.safeties);
    Read {
        masks: masks.collect(),
        guards: ByProgram::of(guards.iter().map(|guard| &*guard.by)),
        safeties: ByProgram::of(safeties.iter().map(|safety| &*safety.by)),
        catalogue,
    }
});

struct Read {
    catalogue: Catalogue,
    /// One for each slip.
    masks: Vec<Mask>,
    guards: ByProgram,
    safeties: ByProgram,
}

/// What a slip can change and where it happens, as bits.
struct Mask {
    facts: u64,
    surfaces: u32,
}

/// The places of entries by the first word of their `by`. Those of any program are also with those of each.
#[derive(Default)]
struct ByProgram {
    of: FxHashMap<String, Vec<usize>>,
    any: Vec<usize>,
}

impl ByProgram {
    fn of<'a>(all: impl Iterator<Item = &'a str> + Clone) -> Self {
        let first = |by: &'a str| by.split(' ').next().unwrap_or_default();
        let mut places = Self::default();
        for program in all.clone().map(first) {
            let fits = |(_, by): &(usize, &str)| by.is_empty() || *by == program;
            let of = all.clone().map(first).enumerate().filter(fits).map(|(at, _)| at).collect();
            if program.is_empty() { places.any = of } else { _ = places.of.insert(program.to_owned(), of) }
        }
        places
    }

    fn for_program(&self, program: &str) -> &[usize] {
        self.of.get(program).unwrap_or(&self.any)
    }
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
        let here = CATALOGUE.masks.iter().filter(|mask| mask.surfaces & 1 << kind as u32 != 0);
        here.fold(0, |bits, mask| bits | mask.facts)
    }

    /// Flags by which such a program leaves its question out.
    pub(super) fn guards(&'static self, program: &str) -> impl Iterator<Item = &'static Guard> {
        CATALOGUE.guards.for_program(program).iter().filter_map(|at| self.guards.get(*at))
    }

    /// Flags that keep such a program from doing something, or narrow it.
    pub(super) fn safeties(&'static self, program: &str) -> impl Iterator<Item = &'static Safety> {
        CATALOGUE.safeties.for_program(program).iter().filter_map(|at| self.safeties.get(*at))
    }

    /// The slips of such a text that can change one of the facts asked for, with their places.
    pub(super) fn entries(
        &'static self,
        kind: Kind,
        asked: u64,
    ) -> impl Iterator<Item = (usize, &'static Entry, Operator)> {
        let all = CATALOGUE.masks.iter().zip(&self.slips).zip(OPERATORS).enumerate();
        all.filter(move |(_, ((mask, _), _))| mask.facts & asked != 0 && mask.surfaces & 1 << kind as u32 != 0)
            .map(|(at, ((_, entry), (_, operator)))| (at, entry, *operator))
    }
}
