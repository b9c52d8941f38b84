//! What Cedar leaves open and we do not: annotations, ids, names of groups and labels, rules about everything.

use std::ops::Range;

use cedar_policy::{ActionConstraint, PrincipalConstraint, ResourceConstraint};

use super::load::{Desk, File, Parsed, ProblemLevel};
use super::{Control, Fact, LoadOptions};
use crate::model::{Mode, Severity};

const KEYS: &[&str] =
    &["id", "decision", "mode", "severity", "message", "advice", "blocks", "asks", "allows", "unless_known", "near"];

/// Checks one policy.
pub(super) fn policy(desk: &mut Desk, file: &File, parsed: &Parsed, options: &LoadOptions) {
    id(desk, file, parsed);
    for (key, value) in parsed.annotations.iter() {
        annotation(desk, file, parsed, key, value);
    }
    names(desk, file, parsed, options);
    if parsed.is_permit() {
        return;
    }
    if parsed.annotations.get("message").is_none_or(|message| message.trim().is_empty()) {
        let problem = ("policy::missing-message", format!("rule `{}` does not say why it stops an action", parsed.id));
        let note = desk.note(file, head(parsed), problem);
        note.level = ProblemLevel::Warning;
        note.help = Some("add `@message(\"…\")` in plain words".into());
    }
    if parsed.annotations.get("severity").is_none() {
        let problem = ("policy::missing-severity", format!("rule `{}` has no severity; `medium` is taken", parsed.id));
        let note = desk.note(file, head(parsed), problem);
        note.level = ProblemLevel::Warning;
        note.help = Some("add `@severity(\"critical|high|medium|low|info\")`".into());
    }
    scope(desk, file, parsed);
}

/// Where an annotation stands in the source, as near as its words can be found.
pub(super) fn annotation_range(file: &File, parsed: &Parsed, key: &str) -> Range<usize> {
    let statement = file.source.inner().get(parsed.range.clone()).unwrap_or_default();
    let word = format!("@{key}(");
    match statement.find(&word) {
        Some(at) => parsed.range.start + at..parsed.range.start + at + word.len() - 1,
        None => head(parsed),
    }
}

/// `did you mean …`, when a known word is near enough.
pub(crate) fn did_you_mean<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let near = known.map(|candidate| (distance(word, candidate), candidate)).min()?;
    (near.0 <= 1 + word.chars().count() / 3).then(|| format!("did you mean `{}`?", near.1))
}

fn id(desk: &mut Desk, file: &File, parsed: &Parsed) {
    let help = "ids look like `sql.drop-table`: a family, a dot, and what the rule stops";
    if parsed.annotations.get("id").is_none() {
        // Nobody names a permit; a rule without a name cannot be switched off or talked about, but it stops all the same.
        if !parsed.is_permit() {
            let problem = ("policy::missing-id", format!("this rule has no id; `{}` is taken", parsed.id));
            let note = desk.note(file, head(parsed), problem);
            note.level = ProblemLevel::Warning;
            note.help = Some(format!("add `@id(\"family.name\")`; {help}"));
        }
        return;
    }
    let plain = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
    };
    if !parsed.id.contains('.') || !parsed.id.split('.').all(plain) {
        let problem = ("policy::id", format!("`{}` is no good id", parsed.id));
        let note = desk.note(file, annotation_range(file, parsed, "id"), problem);
        note.level = ProblemLevel::Warning;
        note.help = Some(help.into());
    }
}

fn annotation(desk: &mut Desk, file: &File, parsed: &Parsed, key: &str, value: &str) {
    let range = || annotation_range(file, parsed, key);
    let mut one_of = |words: &[&str]| {
        if !words.contains(&value) {
            let problem = ("policy::annotation-value", format!("`{value}` is no value of `@{key}`"));
            let help = did_you_mean(value, words.iter().copied());
            desk.note(file, range(), problem).help = help.or_else(|| Some(format!("one of {}", listed(words))));
        }
    };
    let words = |all: &[&'static str]| all.to_vec();
    match key {
        "decision" => one_of(&["block", "ask"]),
        "unless_known" => one_of(&["environment"]),
        "mode" => one_of(&words(&Mode::ALL.iter().map(|mode| mode.word()).collect::<Vec<_>>())),
        "severity" => one_of(&words(&Severity::ALL.iter().map(|severity| severity.word()).collect::<Vec<_>>())),
        _ => {}
    }
    if key == "near" {
        for problem in near_lines(value).filter_map(Result::err) {
            let note = desk.note(file, range(), ("policy::annotation-value", problem));
            note.help = Some("write `always`, `slip` or `never`, and a fact that a condition looks at".into());
        }
    }
    if !KEYS.contains(&key) {
        let problem = ("policy::annotation", format!("unknown annotation `@{key}`"));
        let help = did_you_mean(key, KEYS.iter().copied()).unwrap_or_else(|| format!("one of {}", listed(KEYS)));
        desk.note(file, range(), problem).help = Some(help);
    } else if parsed.is_permit() && !matches!(key, "id" | "message" | "advice") {
        let problem = ("policy::annotation", format!("`@{key}` means nothing on a permit"));
        desk.note(file, range(), problem).help = Some("rules that stop something are written as `forbid`".into());
    }
    let asks = parsed.annotations.get("decision") == Some("ask");
    if key == "blocks" && asks || key == "asks" && !asks {
        let problem = ("policy::example", format!("`@{key}` does not fit the decision of rule `{}`", parsed.id));
        let help = if asks { "write `@asks`" } else { "write `@blocks`, or add `@decision(\"ask\")`" };
        desk.note(file, range(), problem).help = Some(help.into());
    }
}

/// The lines of `@near`: how near-misses of the rule are told, and for which fact; `None` for all of them.
pub(super) fn near_lines(value: &str) -> impl Iterator<Item = Result<(Control, Option<Fact>), String>> {
    value.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| {
        let (word, fact) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let control = Control::from_word(word).ok_or_else(|| format!("`{word}` is no way to tell near-misses"))?;
        let fact = match fact.trim() {
            "" => None,
            path => Some(Fact::from_word(path).ok_or_else(|| format!("`{path}` is no fact"))?),
        };
        Ok((control, fact))
    })
}

/// Groups and labels that the configuration does not know make a rule that never fires.
fn names(desk: &mut Desk, file: &File, parsed: &Parsed, options: &LoadOptions) {
    for (kind, known) in [("Group", &options.groups), ("Label", &options.labels)] {
        let Some(known) = known else { continue };
        for literal in parsed.policy.entity_literals() {
            let name: &str = literal.id().as_ref();
            if literal.type_name().to_string() != kind || known.iter().any(|known| known == name) {
                continue;
            }
            let statement = file.source.inner().get(parsed.range.clone()).unwrap_or_default();
            let words = format!("{kind}::\"{name}\"");
            let range = match statement.find(&words) {
                Some(at) => parsed.range.start + at..parsed.range.start + at + words.len(),
                None => head(parsed),
            };
            let (code, what) =
                if kind == "Group" { ("policy::unknown-group", "group") } else { ("policy::unknown-label", "label") };
            let problem = (code, format!("no {what} `{name}` in the configuration: this could never be true"));
            desk.note(file, range, problem).help = did_you_mean(name, known.iter().map(String::as_str));
        }
    }
}

fn scope(desk: &mut Desk, file: &File, parsed: &Parsed) {
    let policy = &parsed.policy;
    let open = policy.principal_constraint() == PrincipalConstraint::Any
        && policy.action_constraint() == ActionConstraint::Any
        && policy.resource_constraint() == ResourceConstraint::Any;
    if open && !policy.has_non_scope_constraint() {
        let problem = ("policy::no-scope", format!("rule `{}` stops everything", parsed.id));
        let help = "name an action, a kind of resource or a condition; to let nothing pass, leave the permits out";
        desk.note(file, head(parsed), problem).help = Some(help.into());
    }
}

fn head(parsed: &Parsed) -> Range<usize> {
    parsed.range.start..parsed.range.end.min(parsed.range.start + 1)
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// How many letters have to change (Levenshtein); long words are compared by their beginnings.
fn distance(left: &str, right: &str) -> usize {
    const MOST: usize = 64;
    let right: Vec<char> = right.chars().take(MOST).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().take(MOST).enumerate() {
        let mut diagonal = i;
        let mut previous = i + 1;
        for (cell, r) in row.iter_mut().skip(1).zip(&right) {
            let change = diagonal + usize::from(l != *r);
            diagonal = *cell;
            previous = change.min(*cell + 1).min(previous + 1);
            *cell = previous;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}
