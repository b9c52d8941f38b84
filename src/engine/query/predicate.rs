//! What can be asked of a finding: the table. A new predicate is one entry in it and its line in `docs/filters.md`.

use std::fmt;

use crate::model::{
    Action, ActorKind, Area, Certainty, Class, CodeOrigin, Decision, Effect, Environment, Executed, Extent, Finding,
    Gap, GapKind, Hides, Hit, Kind, Mode, NearMiss, Operation, PlaceKind, ResourceKind, Reversibility, SessionFact,
    Severity, Timestamp, Zone,
};
use crate::reader::READERS;

use super::matcher::{self, Comparison, Matcher, Text};

/// One thing that can be asked.
#[derive(Debug)]
pub struct Predicate {
    pub name: &'static str,
    /// A shorter name, or the one that others give it.
    pub alias: Option<&'static str>,
    /// What is asked, in a few words.
    pub about: &'static str,
    pub example: &'static str,
    pub takes: Takes,
}

/// What stands between the parentheses, and where the values are that it is asked of.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// Nothing: it holds or it does not.
    Nothing(fn(&Subject<'_>) -> bool),
    /// Words of a closed list of at most 64. `ordered`: from little to much, and `>=` can be asked.
    Words { words: fn() -> Vec<&'static str>, ordered: bool, bits: fn(&Subject<'_>) -> u128 },
    /// Any text. `bare` is what a value without a sign asks; `long` values are asked last.
    Text { each: Each<str>, bare: Bare, long: bool },
    /// Whole numbers.
    Number(fn(&Subject<'_>, &mut dyn FnMut(i64) -> bool) -> bool),
    /// A point in time, to which the action's own stands like this.
    Time(Comparison),
}

/// Asks every value until one is right.
type Each<T> = fn(&Subject<'_>, &mut dyn FnMut(&T) -> bool) -> bool;

/// What a value without a sign asks of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bare {
    Contains,
    Starts,
}

/// What is asked: a finding, or one effect of it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    finding: &'a Finding,
    effect: Option<usize>,
}

impl<'a> Subject<'a> {
    pub(super) const fn of(finding: &'a Finding) -> Self {
        Self { finding, effect: None }
    }

    /// The effects that are meant, one by one.
    pub(super) fn each_effect(self) -> impl Iterator<Item = Self> {
        let all = 0..self.finding.understanding.effects.len();
        all.filter(move |index| self.effect.is_none_or(|effect| effect == *index))
            .map(move |index| Self { effect: Some(index), ..self })
    }

    pub(super) fn action(&self) -> &'a Action {
        &self.finding.action
    }

    fn effects(&self) -> &'a [Effect] {
        let all = &self.finding.understanding.effects;
        match self.effect {
            Some(effect) => all.get(effect..=effect).unwrap_or_default(),
            None => all,
        }
    }

    /// Rules that are met, those in shadow mode among them.
    fn hits(&self) -> impl Iterator<Item = &'a Hit> {
        let effect = self.effect;
        let verdict = &self.finding.verdict;
        let all = verdict.hits.iter().chain(&verdict.shadow);
        all.filter(move |hit| effect.is_none_or(|effect| hit.effect == effect))
    }

    /// Rules that came near.
    fn near(&self) -> impl Iterator<Item = &'a NearMiss> {
        let effect = self.effect;
        let all = self.finding.near.iter().flat_map(|nearness| &nearness.told);
        all.filter(move |near| effect.is_none_or(|effect| near.effect == effect))
    }

    fn gaps(&self) -> impl Iterator<Item = &'a Gap> {
        self.finding.understanding.gaps.iter().chain(&self.finding.action.gaps)
    }

    /// Where it ran, and the places of that kind that the text itself names.
    fn any_place(&self, kind: PlaceKind, ran: Option<&String>, is: &mut dyn FnMut(&str) -> bool) -> bool {
        ran.is_some_and(|name| is(name))
            || self.effects().iter().flat_map(|e| &e.places).any(|place| place.kind == kind && is(&place.name))
    }
}

/// The words of a closed vocabulary, and the bits of the values that are there.
macro_rules! words {
    ($vocabulary:ty, $subject:ident => $values:expr) => {
        words!($vocabulary, false, $subject => $values)
    };
    ($vocabulary:ty, $ordered:literal, $subject:ident => $values:expr) => {
        Takes::Words {
            words: || <$vocabulary>::ALL.iter().map(|value| value.word()).collect(),
            ordered: $ordered,
            bits: |$subject| $values.into_iter().fold(0, |bits, value: $vocabulary| bits | 1 << value as u64),
        }
    };
}

macro_rules! text {
    ($subject:ident, $is:ident => $each:expr) => {
        text!(Contains, $subject, $is => $each)
    };
    ($bare:ident, $subject:ident, $is:ident => $each:expr) => {
        Takes::Text { each: |$subject, $is| $each, bare: Bare::$bare, long: false }
    };
}

macro_rules! any_effect {
    ($effect:ident => $is:expr) => {
        Takes::Nothing(|subject| subject.effects().iter().any(|$effect| $is))
    };
}

/// Declares the table: `name, alias: about, example, takes;`
macro_rules! predicates {
    ($($name:literal $(or $alias:literal)?: $about:literal, $example:literal, $takes:expr;)+) => {
        /// Everything that can be asked, as the reference lists it.
        pub static PREDICATES: &[Predicate] = &[$(Predicate {
            name: $name,
            alias: [$(Some($alias),)? None][0],
            about: $about,
            example: $example,
            takes: $takes,
        }),+];
    };
}

predicates! {
    // The verdict.
    "decision": "what the policy says", "decision(>=ask)",
        words!(Decision, true, s => [s.finding.verdict.decision]);
    "before": "what the policy before the change says, where two are compared", "before(block) & decision(allow)",
        words!(Decision, true, s => s.finding.base.iter().map(|base| base.verdict.decision));
    "rule": "a rule that is met, in shadow mode too, by the start of its id", "rule(sql.)",
        text!(Starts, s, is => s.hits().any(|hit| is(&hit.rule.id)));
    "mode": "how a rule that is met is applied", "mode(shadow)",
        words!(Mode, s => s.hits().map(|hit| hit.rule.mode));
    "severity": "the worst severity of the enforced rules that are met", "severity(>=high)",
        words!(Severity, true, s => s.hits().filter(|hit| hit.rule.mode == Mode::Enforce).map(|hit| hit.rule.severity).max());
    // What kept an allowed action from being stopped.
    "near": "conditions that kept a rule from stopping an allowed action", "near(<=1)",
        Takes::Number(|s, is| s.near().any(|near| near.class != Class::Blind && is(near.distance.into())));
    "class": "what kept a rule from stopping an allowed action: luck, a number, a slip, a control, or nobody can say",
        "class(lucky)", words!(Class, s => s.near().map(|near| near.class));
    "near-rule": "a rule that came near to an allowed action, by the start of its id", "near-rule(sql.)",
        text!(Starts, s, is => s.near().any(|near| is(&near.rule.id)));
    "missing": "a condition that kept a rule from stopping an allowed action, as the rule has it",
        "missing(Environment::\"production\")",
        text!(s, is => s.near().flat_map(|near| &near.missing).any(|missing| is(&missing.condition)));
    // What it does.
    "operation" or "op": "what it does to a resource", "operation(drop, delete)",
        words!(Operation, s => s.effects().iter().map(|effect| effect.operation));
    "is": "the kind of a resource that it reaches", "is(Table)",
        words!(ResourceKind, s => s.effects().iter().map(|effect| effect.resource.kind));
    "resource": "the name of a resource that it reaches", "resource(#*.customers)",
        text!(s, is => s.effects().iter().any(|effect| is(&effect.resource.name)));
    "area": "where a resource stands", "area(system, home)",
        words!(Area, s => s.effects().iter().flat_map(|effect| effect.resource.areas.iter()));
    "extent": "how much of a resource it reaches", "extent(all)",
        words!(Extent, s => s.effects().iter().map(|effect| effect.extent));
    "reversible": "whether there is a way back", "reversible(no)",
        words!(Reversibility, s => s.effects().iter().map(|effect| effect.reversible));
    "certainty": "how an effect was found", "certainty(lexical, inferred)",
        words!(Certainty, s => s.effects().iter().map(|effect| effect.certainty));
    "by": "the program, statement or tool that does it", "by(=git push)",
        text!(s, is => s.effects().iter().any(|effect| is(&effect.by)));
    "code": "where code that it runs comes from", "code(remote, decoded)",
        words!(CodeOrigin, s => s.effects().iter().filter_map(|effect| effect.code));
    "zone": "how far the other end of a transfer is", "zone(external)",
        words!(Zone, s => s.effects().iter().filter_map(|effect| effect.zone));
    "peer": "the other end of a transfer, as written", "peer(pastebin)",
        text!(s, is => s.effects().iter().any(|effect| effect.peer.as_deref().is_some_and(&mut *is)));
    "count": "rows or objects of an effect, where a number is stated", "count(>=1000)",
        Takes::Number(|s, is| s.effects().iter().any(|effect| effect.count.is_some_and(|count| is(whole(count)))));
    "effects": "how many effects were found", "effects(=0)",
        Takes::Number(|s, is| is(whole(s.effects().len() as u64)));
    "dry-run": "an effect that would not really happen", "dry-run()", any_effect!(effect => effect.dry_run);
    "guard-off": "a question or check was switched off for it", "guard-off()", any_effect!(effect => effect.guard_off);
    "elevated": "with raised rights", "elevated()", any_effect!(effect => effect.elevated);
    "cascades": "reaches what depends on the resource as well", "cascades()", any_effect!(effect => effect.cascades);
    "in-transaction": "in a transaction that the same text does not commit", "in-transaction()",
        any_effect!(effect => effect.in_transaction);
    // What was not understood.
    "gap": "why something in it was not understood", "gap(unknown-program)",
        words!(GapKind, s => s.gaps().map(|gap| gap.kind));
    "hides": "how much a gap could hide", "hides(anything)",
        words!(Hides, s => s.gaps().map(|gap| gap.hides));
    // Who.
    "actor": "who acted", "actor(=claude)", text!(s, is => is(&s.action().actor.name));
    "actor-kind": "what sort of actor", "actor-kind(agent)", words!(ActorKind, s => [s.action().actor.kind]);
    "group": "a group of the actor, from nearmiss.toml", "group(=oncall)",
        text!(s, is => s.action().actor.groups.iter().any(|group| is(group)));
    "session": "the session it belongs to", "session(41bd)", text!(s, is => is(&s.action().session));
    "session-fact": "what the session did before: a fact that is not as in a new one", "session-fact(read_secret)",
        words!(SessionFact, s => SessionFact::ALL.iter().copied().filter(|fact| s.finding.session_facts.has(*fact)));
    // What was recorded.
    "kind" or "surface": "what sort of action", "kind(sql)", words!(Kind, s => [s.action().kind]);
    "tool": "the tool or API operation that was called", "tool(=Write)",
        text!(s, is => s.action().tool.as_deref().is_some_and(is));
    "text": "what was attempted, as recorded", "text(/(?i)drop\\s+table/)",
        Takes::Text { each: |s, is| is(&s.action().text), bare: Bare::Contains, long: true };
    "template": "its text with the operands taken out", "template(=git push)",
        text!(s, is => is(&s.finding.understanding.template));
    "approved": "a human said yes to this very action", "approved()", Takes::Nothing(|s| s.action().approved);
    "executed": "whether it ran at all", "executed(yes)", words!(Executed, s => [s.action().outcome.executed]);
    "failed": "it ran and did not succeed", "failed()",
        Takes::Nothing(|s| s.action().outcome.succeeded == Some(false));
    "rows": "rows changed, where the log states it", "rows(>100)",
        Takes::Number(|s, is| s.action().outcome.rows.is_some_and(|rows| is(whole(rows))));
    // Where.
    "environment" or "env": "the environment it was judged in", "!environment(development)",
        words!(Environment, s => [s.finding.environment]);
    "cwd": "the folder it ran in", "cwd(#/srv/*)",
        text!(s, is => s.action().surroundings.cwd.as_deref().is_some_and(is));
    "host": "the host it ran on, or that its text names", "host(#*.prod.example)",
        text!(s, is => s.any_place(PlaceKind::Host, s.action().surroundings.host.as_ref(), is));
    "user": "the account on that host or server", "user(=root)",
        text!(s, is => s.action().surroundings.user.as_deref().is_some_and(is));
    "database": "the database it ran in, or that its text names", "database(=shop)",
        text!(s, is => s.any_place(PlaceKind::Database, s.action().surroundings.database.as_ref(), is));
    "account": "the cloud account it ran in, or that its text names", "account(prod)",
        text!(s, is => s.any_place(PlaceKind::Account, s.action().surroundings.account.as_ref(), is));
    "cluster": "the cluster it ran in, or that its text names", "cluster(#prod-*)",
        text!(s, is => s.any_place(PlaceKind::Cluster, s.action().surroundings.cluster.as_ref(), is));
    // When, and where it is recorded.
    "since": "at this time or later; UTC where it does not say", "since(2026-11-21)",
        Takes::Time(Comparison::AtLeast);
    "until": "before this time", "until(2026-11-21T03:15Z)", Takes::Time(Comparison::Less);
    "file": "the file it is recorded in", "file(#*.jsonl)", text!(s, is => is(&s.action().origin.file));
    "format": "the format of that file", "format(claude_code)",
        Takes::Words {
            words: || formats().collect(),
            ordered: false,
            bits: |s| {
                let format = s.action().origin.format;
                formats().position(|name| name == format).map_or(0, |index| 1 << index)
            },
        };
    "id": "its id, by the start of it", "id(3fa9c1d2)",
        text!(Starts, s, is => is(&s.action().id.to_string()));
}

/// Every name that a record's format can have.
fn formats() -> impl Iterator<Item = &'static str> {
    READERS.iter().map(|reader| reader.name()).chain([crate::reader::map::FORMAT])
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Near-misses are looked for only where somebody asks.
const ABOUT_NEAR_MISSES: [&str; 4] = ["near", "class", "near-rule", "missing"];

/// The predicate of that name, or of that other name.
pub fn by_name(name: &str) -> Option<&'static Predicate> {
    PREDICATES.iter().find(|predicate| predicate.name == name || predicate.alias == Some(name))
}

impl Predicate {
    /// Whether it is about near-misses.
    pub(super) fn is_about_near_misses(&self) -> bool {
        ABOUT_NEAR_MISSES.contains(&self.name)
    }

    /// The words of a closed vocabulary.
    pub fn words(&self) -> Option<Vec<&'static str>> {
        match self.takes {
            Takes::Words { words, .. } => Some(words()),
            _ => None,
        }
    }

    /// Whether this can be asked of its values.
    pub(super) fn accepts(&self, matcher: &Matcher) -> bool {
        match (self.takes, matcher) {
            (Takes::Words { words, ordered, .. }, Matcher::Word(comparison, word)) => {
                (ordered || *comparison == Comparison::Equal) && words().contains(word)
            }
            (Takes::Text { bare, .. }, Matcher::Text(Text::Starts(_))) => bare == Bare::Starts,
            (Takes::Words { .. } | Takes::Text { .. }, Matcher::Text(_)) => true,
            (Takes::Number(_), Matcher::Number(..)) => true,
            (Takes::Time(own), Matcher::Number(comparison, _)) => own == *comparison,
            _ => false,
        }
    }

    /// A bit for every word of the vocabulary that is matched.
    pub(super) fn mask(&self, matcher: &Matcher) -> u128 {
        let Some(words) = self.words() else { return 0 };
        let place = |word: &str| words.iter().position(|known| *known == word).and_then(|at| i64::try_from(at).ok());
        let is_matched = |word: &&str| match matcher {
            Matcher::Text(text) => text.matches(word),
            Matcher::Word(comparison, than) => {
                place(word).zip(place(than)).is_some_and(|(word, than)| comparison.holds(word, than))
            }
            Matcher::Number(..) => false,
        };
        words.iter().enumerate().filter(|(_, word)| is_matched(word)).fold(0, |bits, (index, _)| bits | 1 << index)
    }

    pub(super) fn write(&self, matcher: &Matcher, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match matcher {
            Matcher::Word(comparison, word) => write!(f, "{}{word}", comparison.sign()),
            Matcher::Number(_, time) if matches!(self.takes, Takes::Time(_)) => write!(f, "{}", Timestamp(*time)),
            Matcher::Number(comparison, number) => write!(f, "{}{number}", comparison.sign()),
            Matcher::Text(Text::Contains(needle)) => {
                f.write_str("~")?;
                matcher::write_value(needle.written(), true, f)
            }
            Matcher::Text(Text::Is(value)) => {
                f.write_str("=")?;
                matcher::write_value(value, true, f)
            }
            // Only where it is what a bare value asks: it has no sign of its own.
            Matcher::Text(Text::Starts(value)) => matcher::write_value(value, false, f),
            Matcher::Text(Text::Glob(pattern)) => {
                f.write_str("#")?;
                matcher::write_value(pattern.glob().glob(), true, f)
            }
            Matcher::Text(Text::Regex(pattern)) => matcher::write_regex(pattern.as_str(), f),
        }
    }
}
