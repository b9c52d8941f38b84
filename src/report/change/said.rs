//! What all formats say alike: where a group stands with the gate, why it is judged otherwise, where to look, and the
//! one sentence at the top.

use std::collections::BTreeSet;

use crate::engine::compare::{Group, Transition};
use crate::engine::gate::{Acceptance, Failure, FailureKind, Gate};
use crate::model::{Decision, Environment, RuleInfo};
use crate::policy::{Changed, RuleChange};
use crate::report::text::{counted, thousands};
use crate::report::{escaped, redacted};

use super::Told;

/// Where a group stands with the gate.
#[derive(Clone, Copy, Debug)]
pub(super) enum Standing<'a> {
    /// It needs a yes.
    Open,
    /// It had a yes until a day that is over.
    Expired(&'a Acceptance),
    Accepted(&'a Acceptance),
    /// It needs none; or nobody asked.
    Told,
}

impl Standing<'_> {
    /// The gate fails by it.
    pub(super) fn fails(self) -> bool {
        matches!(self, Self::Open | Self::Expired(_))
    }

    /// `open`, `expired`, `accepted` or `told`.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Expired(_) => "expired",
            Self::Accepted(_) => "accepted",
            Self::Told => "told",
        }
    }
}

/// A place in the repository, by its path from the top of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) file: String,
    /// 1-based.
    pub(super) line: usize,
}

impl<'a> Told<'a> {
    pub(super) fn standing(&self, group: &Group) -> Standing<'a> {
        let Some(gate) = self.gate else { return Standing::Told };
        match (gate.failing.get(&group.id), gate.accepted.get(&group.id)) {
            (Some(FailureKind::Expired), Some(acceptance)) => Standing::Expired(acceptance),
            (Some(_), _) => Standing::Open,
            (None, Some(acceptance)) => Standing::Accepted(acceptance),
            (None, None) => Standing::Told,
        }
    }

    /// Text of a record on one line, its secrets masked.
    pub(super) fn shown(&self, text: &str) -> String {
        if self.head.no_redact { escaped(text) } else { escaped(&redacted(text)) }
    }

    /// The edits behind a group: of the rules that have to do with it, or else of permits.
    pub(super) fn edits(&self, group: &Group) -> Vec<&'a RuleChange> {
        let rules = &self.impact.rules;
        let mut edits: Vec<_> = rules.iter().filter(|change| group.rules().any(|rule| rule.id == change.id)).collect();
        if edits.is_empty() && group.rules().next().is_none() {
            edits = rules.iter().filter(|change| change.base.is_none() && change.head.is_none()).collect();
        }
        edits
    }

    /// Why a group is judged otherwise: one line for each edit, with its place.
    pub(super) fn why(&self, group: &Group) -> Vec<(String, Option<Spot>)> {
        let edits = self.edits(group);
        if !edits.is_empty() {
            return edits.into_iter().map(|change| (self.edit(change), self.spot(&change.file, change.line))).collect();
        }
        let rule =
            |rule: &RuleInfo, what: &str| (escaped(&format!("{} {what}", rule.id)), self.spot(&rule.file, rule.line));
        let gone = group.gone.iter().map(|info| rule(info, "no longer meets it"));
        let new = group.new.iter().map(|info| rule(info, "meets it now"));
        let changed = group.changed.iter().map(|info| rule(info, "decides otherwise"));
        let mut why: Vec<_> = gone.chain(changed).chain(new).collect();
        if self.impact.meanings {
            why.insert(0, ("names mean something else".to_owned(), self.configuration()));
        }
        why
    }

    /// What was done to a rule: `git.force: condition \`…\` added`.
    pub(super) fn edit(&self, change: &RuleChange) -> String {
        escaped(&format!("{}: {}", change.id, said(change).join(", ")))
    }

    /// The first place that explains a group; every report needs one, so that of the configuration in the worst case.
    pub(super) fn main_spot(&self, group: &Group) -> Spot {
        let spot = self.why(group).into_iter().find_map(|(_, spot)| spot);
        spot.or_else(|| self.configuration()).unwrap_or_else(|| self.default_spot())
    }

    fn default_spot(&self) -> Spot {
        Spot { file: "nearmiss.toml".to_owned(), line: 1 }
    }

    /// `nearmiss.toml`: what is turned off, extended or mapped stands there.
    pub(super) fn configuration(&self) -> Option<Spot> {
        self.spot(self.head.config.as_deref()?, 1)
    }

    /// Where limits are written.
    pub(super) fn limits(&self) -> Spot {
        self.configuration().unwrap_or_else(|| self.default_spot())
    }

    /// A file as a reader of the repository finds it: without the revision it was read from. What is built in is in no
    /// repository; the configuration chose it.
    pub(super) fn spot(&self, file: &str, line: usize) -> Option<Spot> {
        if file.starts_with("builtin:") {
            return self.configuration();
        }
        let from_top = |(revision, path): (&str, &'_ str)| (revision.len() > 1).then(|| path.to_owned());
        let file = match file.split_once(':').and_then(from_top) {
            Some(path) => normal(&path),
            None => normal(&joined(self.folder, file)),
        };
        Some(Spot { file: escaped(&file), line: line.max(1) })
    }

    /// Where the example of a group stands; standard input is no place.
    pub(super) fn source(&self, group: &Group) -> Option<Spot> {
        let (file, line) = (&*group.example.file, usize::try_from(group.example.line).ok()?);
        if file == "-" || file.is_empty() { None } else { self.spot(file, line) }
    }

    /// The same in words: `recorded in traces/week.jsonl:4`.
    pub(super) fn source_said(&self, group: &Group) -> String {
        let verb = if group.count > 0 { "recorded" } else { "labelled" };
        match self.source(group) {
            Some(spot) => format!("{verb} in {}:{}", self.shown(&spot.file), spot.line),
            None => format!("{verb} in line {} of standard input", group.example.line),
        }
    }

    /// How much a change weighs that is counted alone: `7 actions by 3 actors`, `1 case`.
    pub(super) fn seen(group: &Group) -> String {
        let actors = counted(group.actors.len() as u64, "actor");
        let actions = format!("{} by {actors}", counted(group.count, "action"));
        match (group.count, group.cases) {
            (_, 0) => actions,
            (0, cases) => format!("{}, no recorded action", counted(cases, "case")),
            (_, cases) => format!("{actions}, {}", counted(cases, "case")),
        }
    }

    /// The environments of the recorded actions: `all in development`.
    pub(super) fn wherever(group: &Group) -> String {
        let words: Vec<&str> = group.environments.iter().map(|environment| environment.word()).collect();
        match words[..] {
            [] => String::new(),
            [one] if group.count > 1 && one != "unknown" => format!("all {}", place(one)),
            [one] => place(one),
            _ => format!("in {}", words.join(", ")),
        }
    }

    /// What would leave a newly stopped group alone, where that can be told from what it has in common.
    pub(super) fn hint(&self, group: &Group) -> Option<String> {
        let harmless = |environment: &Environment| {
            matches!(environment, Environment::Development | Environment::Test | Environment::Staging)
        };
        let all = group.transition == Transition::Tightened && group.count > 1;
        if !all || group.new.is_empty() || !group.environments.iter().all(harmless) || group.environments.is_empty() {
            return None;
        }
        let about = |text: &str| text.contains("Environment::") || text.contains("environment");
        if self.edits(group).iter().flat_map(|change| &change.conditions).any(|condition| about(&condition.text)) {
            return None;
        }
        let words: Vec<&str> = group.environments.iter().map(|environment| environment.word()).collect();
        Some(format!(
            "all {} are in {}; a condition on the environment would make it 0 new blocks",
            thousands(group.count),
            words.join(" or ")
        ))
    }

    /// Edits that no action noticed: nobody knows what they do.
    pub(super) fn unnoticed(&self) -> Vec<&'a RuleChange> {
        let noticed: BTreeSet<&str> =
            self.impact.groups.iter().flat_map(|group| group.rules().map(|rule| rule.id.as_str())).collect();
        self.impact.rules.iter().filter(|change| !noticed.contains(change.id.as_str())).collect()
    }

    /// Groups of one transition: those that the gate fails by, then the others.
    pub(super) fn groups(&self, transition: Transition) -> Vec<&'a Group> {
        let mut groups: Vec<&Group> = self.impact.groups(transition).collect();
        groups.sort_by_key(|group| !self.standing(group).fails());
        groups
    }

    /// The ids of the loosenings that need a yes.
    pub(super) fn open(&self) -> Vec<String> {
        let groups = self.impact.groups(Transition::Loosened);
        groups.filter(|group| self.standing(group).fails()).map(|group| group.id.to_string()).collect()
    }

    /// What to type to accept, with as many ids as fit a line.
    pub(super) fn accept(&self) -> Option<String> {
        let open = self.open();
        let ids = match &open[..] {
            [] => return None,
            ids if ids.len() <= 8 => ids.join(" "),
            _ => "ID …".to_owned(),
        };
        Some(format!("nearmiss accept {ids}{} --reason \"…\"", self.again))
    }

    /// What the gate says, or what differs, in one sentence without a full stop.
    pub(super) fn headline(&self) -> String {
        match self.gate {
            Some(gate) if gate.passed() => self.passed(gate),
            Some(gate) => failed(&gate.failures),
            None => self.differs(),
        }
    }

    fn passed(&self, gate: &Gate) -> String {
        let tightened = self.impact.groups(Transition::Tightened).count() as u64;
        let mut parts = vec![match gate.accepted.len() as u64 {
            0 => "nothing is let through that was stopped".to_owned(),
            accepted => counted(accepted, "accepted loosening"),
        }];
        if tightened > 0 {
            parts.push(format!("{} newly stopped", counted(tightened, "template")));
        }
        parts.join(", ")
    }

    fn differs(&self) -> String {
        let count = |transition| self.impact.groups(transition).count() as u64;
        let parts: Vec<String> = Transition::ALL
            .iter()
            .map(|transition| (count(*transition), transition.word()))
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{} {word}", counted(count, "template")))
            .collect();
        if parts.is_empty() { "no action is judged otherwise".to_owned() } else { parts.join(", ") }
    }
}

/// What became of a group, in words for a title.
pub(super) fn title(group: &Group) -> &'static str {
    match (group.transition, group.head) {
        (Transition::Loosened, Decision::Allow) => "Newly allowed",
        (Transition::Loosened, _) => "Loosened",
        (Transition::Undecided, _) => "Became undecided",
        (Transition::Tightened, _) if group.base < Decision::Ask => "Newly stopped",
        (Transition::Tightened, _) => "Tightened",
        (Transition::Reattributed, _) => "Stopped for other reasons",
    }
}

/// `development` is a place to be in; `unknown` is none.
fn place(environment: &str) -> String {
    if environment == "unknown" { "environment unknown".to_owned() } else { format!("in {environment}") }
}

fn failed(failures: &[Failure]) -> String {
    let mut parts = Vec::new();
    for same in failures.chunk_by(|a, b| a.kind == b.kind) {
        let count = same.len() as u64;
        let verb = if count == 1 { "needs" } else { "need" };
        parts.push(match same[0].kind {
            FailureKind::Nothing => "nothing was evaluated".to_owned(),
            FailureKind::Unread => "recorded logs could not be read".to_owned(),
            FailureKind::Errors => "a policy could not be evaluated".to_owned(),
            FailureKind::WrongCase if count == 1 => "1 case is wrong".to_owned(),
            FailureKind::WrongCase => format!("{count} cases are wrong"),
            FailureKind::Loosened => format!("{} {verb} acceptance", counted(count, "loosening")),
            FailureKind::Expired => format!("{} expired", counted(count, "acceptance")),
            FailureKind::NewBlocks => "too much is newly stopped".to_owned(),
            FailureKind::Coverage => "too much became undecided".to_owned(),
        });
    }
    parts.join(", ")
}

/// What was done to a rule, one by one: `condition \`…\` added`.
pub(in crate::report) fn said(change: &RuleChange) -> Vec<String> {
    let conditions = change.conditions.iter().map(|condition| {
        let verb = if condition.added { "added" } else { "removed" };
        format!("condition `{}` {verb}", condition.text)
    });
    let annotations = change.annotations.iter().map(|(key, before, after)| {
        let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        format!("{key} {} -> {}", word(before), word(after))
    });
    match change.what {
        Changed::Added => vec!["new rule".to_owned()],
        Changed::Removed if change.file.starts_with("builtin:") => vec!["no longer in force".to_owned()],
        Changed::Removed => vec!["rule removed".to_owned()],
        Changed::Edited => {
            let all: Vec<String> = annotations.chain(conditions).collect();
            if all.is_empty() { vec!["turned round".to_owned()] } else { all }
        }
    }
}

fn joined(folder: &str, file: &str) -> String {
    if file.starts_with('/') { file.to_owned() } else { format!("{folder}{file}") }
}

/// A path without `.` and `..`, with `/` on every machine.
fn normal(path: &str) -> String {
    let path = path.replace('\\', "/");
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." && parts.last().is_some_and(|last| *last != "..") {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    let top = if path.starts_with('/') { "/" } else { "" };
    format!("{top}{}", parts.join("/"))
}

/// Words in lines of at most `width` columns. A word that is longer than that has a line of its own.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The first `length` characters of a text, and a sign that there were more.
pub(super) fn cut(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{cut, normal, wrapped};

    #[test]
    fn lines_end_between_words() {
        assert_eq!(wrapped("a bc def", 4), ["a bc", "def"]);
        assert_eq!(wrapped("abcdefg h", 4), ["abcdefg", "h"]);
        assert_eq!(wrapped("", 4), [""]);
    }

    #[test]
    fn paths_are_as_a_reader_of_the_repository_writes_them() {
        for (path, expected) in [
            ("traces/../policy/own.cedar", "policy/own.cedar"),
            ("./policy//own.cedar", "policy/own.cedar"),
            ("a\\b.cedar", "a/b.cedar"),
            ("../x", "../x"),
            ("/srv/./x", "/srv/x"),
        ] {
            assert_eq!(normal(path), expected);
        }
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöü", 2), "äö…");
    }
}
