//! Words that the formats share.

use crate::engine::near_miss::group::Group;
use crate::engine::near_miss::slip;
use crate::model::{Class, Flip, Missing, NearMiss};
use crate::report::escaped;
use crate::report::text::counted;

/// `context.environment` is for rules; a person reads `environment`.
fn fact(path: &str) -> String {
    path.rsplit('.').next().unwrap_or(path).replace('_', " ")
}

/// Ways for one condition to hold that are said; a rule can have a dozen.
const MOST_WAYS: usize = 3;

/// What is missing, in words: `environment is production and count >= 100`.
pub(crate) fn missing(missing: &[Missing]) -> String {
    missing.iter().map(|missing| in_words(&missing.condition)).collect::<Vec<_>>().join(" and ")
}

/// A condition of Cedar as a person would say it: `resource in Area::"home"` is `target in home`.
pub(crate) fn in_words(condition: &str) -> String {
    let ways: Vec<&str> = top(condition, " || ");
    let said: Vec<String> = ways.iter().take(MOST_WAYS).map(|way| way_in_words(way)).collect();
    let more = ways.len().saturating_sub(MOST_WAYS);
    let said = said.join(", or ");
    if more > 0 { format!("{said}, or one of {more} more") } else { said }
}

fn way_in_words(way: &str) -> String {
    let way = without_brackets(way);
    if let Some(inner) = way.strip_prefix('!') {
        let inner = without_brackets(inner);
        for (holds, fails) in [(" in ", " not in "), (" like ", " not like "), (" == ", " != "), (" has ", " without ")]
        {
            if let [left, right] = top(inner, holds)[..] {
                return way_in_words(&format!("{left}{fails}{right}"));
            }
        }
        return format!("not {}", way_in_words(inner));
    }
    let both = top(way, " && ");
    if both.len() > 1 {
        return both.iter().map(|part| way_in_words(part)).collect::<Vec<_>>().join(" and ");
    }
    let mut said = String::with_capacity(way.len());
    for (at, part) in without_types(way).split('"').enumerate() {
        // What stands in quotes is somebody's word.
        if at % 2 == 1 {
            said.push_str(part);
            continue;
        }
        let part = part.replace("context.session.", "").replace("context.", "").replace("resource.", "");
        let part =
            part.replace("resource ", "target ").replace("action ", "operation ").replace("principal ", "actor ");
        said.push_str(
            &part.replace(" == ", " is ").replace(" != ", " is not ").replace('_', " ").replace(['[', ']'], ""),
        );
    }
    let said = said.trim().to_owned();
    for word in ["production", "staging", "development", "test", "unknown"] {
        if said == format!("target in {word}") {
            return format!("environment is {word}");
        }
    }
    said
}

/// `Area::"home"` -> `"home"`.
fn without_types(text: &str) -> String {
    let mut parts = text.split("::\"");
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let name = kept.trim_end_matches(|letter: char| letter.is_ascii_alphanumeric()).len();
        kept.truncate(name);
        kept.push('"');
        kept.push_str(part);
    }
    kept
}

/// `(a || b)` -> `a || b`.
fn without_brackets(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    // `(a) || (b)` begins and ends with others.
    inner.filter(|inner| depths(inner).all(|(_, _, depth)| depth >= 0)).map_or(text, without_brackets)
}

/// Splits where no bracket is open, and outside of quotes.
fn top<'t>(text: &'t str, by: &str) -> Vec<&'t str> {
    let text = without_brackets(text);
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _, depth) in depths(text) {
        if depth == 0 && at >= start && text[at..].starts_with(by) {
            parts.push(&text[start..at]);
            start = at + by.len();
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Every letter outside of quotes, with how many brackets are open behind it.
fn depths(text: &str) -> impl Iterator<Item = (usize, char, i32)> {
    let (mut depth, mut quoted) = (0, false);
    text.char_indices().filter_map(move |(at, letter)| {
        match letter {
            '"' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth -= 1,
            _ => {}
        }
        (!quoted).then_some((at, letter, depth))
    })
}

/// What held an action off that only a control kept from being stopped: `the program asks first`. `None` for the others.
pub(crate) fn held_by(near: &NearMiss) -> Option<String> {
    if near.class != Class::Guarded {
        return None;
    }
    let mut held: Vec<&str> = Vec::new();
    for (word, said) in CONTROLS {
        if near.missing.iter().any(|missing| missing.condition.contains(word)) {
            held.push(said);
        }
    }
    (!held.is_empty()).then(|| held.join(", and "))
}

/// Facts by which something is held off.
const CONTROLS: &[(&str, &str)] = &[
    ("context.dry_run", "it was a trial run that changes nothing"),
    ("context.guard_off", "the program asks, or refuses, before it does it"),
    ("context.reversible", "there is a way back"),
    ("context.in_transaction", "a transaction is open that can be rolled back"),
    ("context.approved", "somebody has approved it"),
    ("context.executed", "it was not carried out"),
];

/// The one thing between an action and every rule about it: `the environment`.
pub(crate) fn barrier(facts: &str) -> String {
    let said = |fact: &str| match fact {
        "guard off" => "that the program asks first".to_owned(),
        "dry run" => "that it was a trial run".to_owned(),
        "reversible" => "that there is a way back".to_owned(),
        "extent" => "how much of it is meant".to_owned(),
        "target" => "which thing is meant".to_owned(),
        "by" => "what does it".to_owned(),
        "certainty" => "how sure it is".to_owned(),
        other => format!("the {other}"),
    };
    facts.split(" / ").map(said).collect::<Vec<_>>().join(" or ")
}

/// What is there instead: ` (environment is development)`.
pub(crate) fn now(near: &NearMiss) -> String {
    if near.now.is_empty() {
        return String::new();
    }
    let said: Vec<String> =
        near.now.iter().map(|(path, value)| format!("{} is {}", fact(path), escaped(value))).collect();
    format!("  ({})", said.join(", "))
}

/// Values that would do it: `environment = production or staging`; `None` where no fact would.
pub(crate) fn facts(flips: &[Flip]) -> Option<String> {
    let mut said: Vec<(String, Vec<&str>)> = Vec::new();
    for flip in flips {
        let Flip::Fact { fact: path, value } = flip else { continue };
        let name = fact(path);
        match said.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => said.push((name, vec![value])),
        }
    }
    let said: Vec<String> = said.iter().map(|(name, values)| format!("{name} = {}", values.join(" or "))).collect();
    (!said.is_empty()).then(|| said.join(", or "))
}

/// The first edit that would do it: its words, and what slipped.
pub(crate) fn slipped(flips: &[Flip]) -> Option<(&str, &'static str)> {
    flips.iter().find_map(|flip| match flip {
        Flip::Slip { slip, text } => Some((&**text, slip::about(slip))),
        Flip::Fact { .. } => None,
    })
}

/// Who did it, most often first: `claude (12), dana (3)`.
pub(super) fn actors(group: &Group, most: usize) -> String {
    let mut actors: Vec<(&str, u64)> = group.actors.iter().map(|(name, count)| (&**name, *count)).collect();
    actors.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let more = actors.len().saturating_sub(most);
    let one = actors.len() == 1;
    let shown: Vec<String> = actors
        .iter()
        .take(most)
        .map(|(name, count)| {
            let name = if name.is_empty() { "nobody named" } else { name };
            if one { name.to_owned() } else { format!("{name} ({count})") }
        })
        .collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    shown.join(", ") + &more
}

/// How often a group was met over time.
#[derive(Debug)]
pub(super) struct Trend {
    /// Actions of each of equal spans of time, the first and the last of them with one at least.
    pub(super) counts: Vec<u64>,
    first: i64,
    last: i64,
}

impl Trend {
    /// Spans that are told apart.
    const MOST: usize = 24;

    /// `None` where there is no more than one day.
    pub(super) fn of(group: &Group) -> Option<Self> {
        let (first, last) = (*group.days.first_key_value()?.0, *group.days.last_key_value()?.0);
        let span = (last - first + 1) as usize;
        if span == 1 {
            return None;
        }
        let columns = span.min(Self::MOST);
        let mut counts = vec![0; columns];
        for (day, count) in &group.days {
            let at = (day - first) as usize * columns / span;
            if let Some(sum) = counts.get_mut(at) {
                *sum += count;
            }
        }
        Some(Self { counts, first, last })
    }

    pub(super) const fn days(&self) -> i64 {
        self.last - self.first + 1
    }

    /// In words: `7 in 3 days, from 2026-11-18 to 2026-11-20`.
    pub(super) fn said(&self) -> String {
        let count = counted(self.counts.iter().sum(), "time");
        format!("{count} in {} days, from {} to {}", self.days(), day(self.first), day(self.last))
    }
}

/// `2026-11-20`, from days since 1970.
pub(super) fn day(day: i64) -> String {
    let seconds = jiff::Timestamp::from_second(day.saturating_mul(86_400)).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    seconds.strftime("%F").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(condition: &str, said: &str) {
        assert_eq!(in_words(condition), said);
    }

    #[test]
    fn conditions_are_said_in_words() {
        check(r#"resource in Environment::"production""#, "environment is production");
        check(r#"context.extent == Extent::"all""#, "extent is all");
        check(r#"resource in [Area::"home", Area::"root"]"#, "target in home, root");
        check(r#"!(resource in [Area::"own-work", Area::"temporary"])"#, "target not in own-work, temporary");
        check(r#"!(resource.name like "/var_x/*")"#, "name not like /var_x/*");
        check(r#"context.reversible != Reversibility::"yes""#, "reversible is not yes");
        check("context.guard_off", "guard off");
        check("!context.session.read_secret", "not read secret");
        check(
            r#"(action == Action::"drop") || context.cascades || (context.extent == Extent::"all")"#,
            "operation is drop, or cascades, or extent is all",
        );
        check("(a && b) || c || d || (e)", "a and b, or c, or d, or one of 1 more");
        check("context.count >= 100", "count >= 100");
    }
}
