//! Which versions of programs a session has seen: a rehearsal is only as good as the program that rehearses.

use std::collections::BTreeMap;

use crate::model::{Action, Effect, Gap, GapKind, Hides, Operation};

/// Versions kept per session.
const MOST: usize = 64;

/// Programs whose dry run did delete, and the first version in which it does not.
const BROKEN_BEFORE: &[(&str, [u64; 3])] = &[("azcopy", [10, 12, 2])];

#[derive(Clone, Debug, Default)]
pub(super) struct Versions(BTreeMap<String, [u64; 3]>);

/// Why a dry run cannot be relied on.
#[derive(Debug)]
pub(super) enum Doubt {
    /// This version deletes all the same.
    Broken,
    /// Some versions do, and nobody knows which one this is.
    Unknown(Gap),
}

impl Versions {
    /// Takes in `azcopy --version` and its answer.
    pub(super) fn note(&mut self, action: &Action) {
        let Some(program) = asked(action) else { return };
        let said = action.outcome.output.as_deref().and_then(|output| output.split_whitespace().find_map(parsed));
        if let Some(version) = said.filter(|_| self.0.len() < MOST) {
            self.0.insert(program.to_owned(), version);
        }
    }

    /// What speaks against believing that this effect would not really happen.
    pub(super) fn doubt(&self, action: &Action, effect: &Effect) -> Option<Doubt> {
        if !effect.dry_run || !matches!(effect.operation, Operation::Delete | Operation::Drop) {
            return None;
        }
        let program = effect.by.split(' ').next()?;
        let (_, sound) = BROKEN_BEFORE.iter().find(|(name, _)| *name == program)?;
        let recorded = action.surroundings.version.as_deref().and_then(parsed);
        match recorded.or_else(|| self.0.get(program).copied()) {
            Some(version) if version < *sound => Some(Doubt::Broken),
            Some(_) => None,
            None => {
                let [major, minor, patch] = sound;
                let detail =
                    format!("{program} before {major}.{minor}.{patch} deletes in a dry run; which version is this?");
                Some(Doubt::Unknown(Gap {
                    kind: GapKind::HiddenCode,
                    hides: Hides::Anything,
                    span: effect.span,
                    detail,
                }))
            }
        }
    }
}

/// The program whose version an action asks for.
pub(super) fn asked(action: &Action) -> Option<&str> {
    let mut words = action.text.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some(program), Some("--version" | "-v" | "version"), None) => Some(program),
        _ => None,
    }
}

/// `10.12.1`, `v1.2`, `1.2.3-rc1`.
fn parsed(word: &str) -> Option<[u64; 3]> {
    let word = word.trim_start_matches('v').split(['-', '+', ',']).next()?;
    let mut parts = word.split('.');
    let version = [
        parts.next()?.parse().ok()?,
        parts.next()?.parse().ok()?,
        parts.next().map_or(Some(0), |part| part.parse().ok())?,
    ];
    Some(version)
}

#[cfg(test)]
mod tests {
    use super::parsed;

    #[test]
    fn versions_are_read() {
        assert_eq!(parsed("v10.12.1"), Some([10, 12, 1]));
        assert_eq!(parsed("2.1"), Some([2, 1, 0]));
        assert_eq!(parsed("version"), None);
    }
}
