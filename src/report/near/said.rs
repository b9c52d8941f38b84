//! Words that the formats share.

use crate::engine::near_miss::group::Group;
use crate::engine::near_miss::slip;
use crate::model::{Flip, Missing, NearMiss};
use crate::report::escaped;

/// `context.environment` is for rules; a person reads `environment`.
fn fact(path: &str) -> String {
    path.rsplit('.').next().unwrap_or(path).replace('_', " ")
}

/// What is missing: `resource in Environment::"production" and context.count >= 100`.
pub(in crate::report) fn missing(missing: &[Missing]) -> String {
    missing.iter().map(|missing| missing.condition.as_str()).collect::<Vec<_>>().join(" and ")
}

/// What is there instead: ` (environment is development)`.
pub(in crate::report) fn now(near: &NearMiss) -> String {
    if near.now.is_empty() {
        return String::new();
    }
    let said: Vec<String> =
        near.now.iter().map(|(path, value)| format!("{} is {}", fact(path), escaped(value))).collect();
    format!("  ({})", said.join(", "))
}

/// Values that would do it: `environment = production or staging`; `None` where no fact would.
pub(in crate::report) fn facts(flips: &[Flip]) -> Option<String> {
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
pub(in crate::report) fn slipped(flips: &[Flip]) -> Option<(&str, &'static str)> {
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
