//! What tools that look at lines are told: one remark for each group, each wrong case, and each other reason to fail.

use std::collections::BTreeSet;

use crate::engine::compare::{Group, Transition};
use crate::engine::expect::Outcome;
use crate::engine::gate::{Failure, FailureKind};
use crate::model::Severity;

use super::Told;
use super::said::{Spot, Standing, cut, title};

/// Characters of a template in a title, and of an example in a message.
const MAX_TITLE: usize = 80;
const MAX_EXAMPLE: usize = 400;

/// How much it matters, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Error,
    Warning,
    Note,
}

/// What a remark is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum About<'a> {
    Group(&'a Group),
    Case,
    /// The comparison as a whole.
    Whole,
}

/// One remark at one line.
#[derive(Clone, Debug)]
pub(super) struct Remark<'a> {
    pub(super) about: About<'a>,
    pub(super) level: Level,
    pub(super) spot: Spot,
    /// Which check says it: a rule's id, or `nearmiss.…`.
    pub(super) check: String,
    /// The same on every push for the same thing, and never for two.
    pub(super) fingerprint: String,
    pub(super) title: String,
    /// One line without secrets and control characters.
    pub(super) message: String,
    pub(super) severity: Severity,
}

/// Everything to remark, worst first.
pub(super) fn remarks<'a>(told: &Told<'a>) -> Vec<Remark<'a>> {
    let failures = told.gate.map_or(&[][..], |gate| &gate.failures);
    let whole = failures.iter().filter(|failure| failure.change.is_none() && failure.case.is_none());
    let wholes = whole.map(|failure| of_whole(told, failure));
    let cases = told.cases.iter().filter_map(|outcome| Some(of_case(told, outcome, &outcome.problem()?)));
    let groups = told.impact.groups.iter().map(|group| of_group(told, group));
    let mut remarks: Vec<Remark<'a>> = wholes.chain(cases).chain(groups).collect();
    remarks.sort_by_key(|remark| remark.level);
    // Readers drop the second one of a fingerprint without a word.
    let mut seen = BTreeSet::new();
    for remark in &mut remarks {
        while !seen.insert(remark.fingerprint.clone()) {
            remark.fingerprint.push('+');
        }
    }
    remarks
}

fn of_group<'a>(told: &Told<'a>, group: &'a Group) -> Remark<'a> {
    let level = match (group.transition, told.standing(group)) {
        (_, Standing::Open | Standing::Expired(_)) => Level::Error,
        (_, Standing::Accepted(_)) | (Transition::Reattributed, _) => Level::Note,
        (Transition::Loosened | Transition::Undecided | Transition::Tightened, Standing::Told) => Level::Warning,
    };
    let template = told.shown(&group.template);
    let what = title(group);
    let standing = match told.standing(group) {
        Standing::Open => " Nobody accepted it.".to_owned(),
        Standing::Expired(acceptance) => {
            format!(" It was accepted until {}.", acceptance.until.map(|day| day.to_string()).unwrap_or_default())
        }
        Standing::Accepted(acceptance) => format!(" Accepted: {}.", told.shown(&acceptance.reason)),
        Standing::Told => String::new(),
    };
    let why: Vec<String> = told.why(group).into_iter().map(|(why, _)| why).take(3).collect();
    let example = cut(&told.shown(&group.example.text), MAX_EXAMPLE);
    let check = group.rules().next().map(|rule| rule.id.clone());
    Remark {
        about: About::Group(group),
        level,
        spot: told.main_spot(group),
        check: check.unwrap_or_else(|| "nearmiss.policy-impact".to_owned()),
        fingerprint: group.id.to_string(),
        title: format!("{what}: {}", cut(&template, MAX_TITLE)),
        message: format!(
            "{what}: {} like `{template}`, {} -> {} ({}).{standing} For example: {example}",
            Told::seen(group),
            group.base,
            group.head,
            why.join("; "),
        ),
        severity: group.rules().map(|rule| rule.severity).max().unwrap_or(Severity::Medium),
    }
}

fn of_case<'a>(told: &Told<'a>, outcome: &'a Outcome, problem: &str) -> Remark<'a> {
    let case = &outcome.case;
    let spot = told.spot(&case.file, case.line).unwrap_or_else(|| told.limits());
    let name = told.shown(&case.name);
    let fingerprint = crate::engine::digest(format!("{}\0{}", spot.file, case.name).as_bytes());
    Remark {
        about: About::Case,
        level: Level::Error,
        check: "nearmiss.wrong-case".to_owned(),
        fingerprint,
        spot,
        title: format!("Wrong case: {}", cut(&name, MAX_TITLE)),
        message: format!("The case `{name}` does not hold: {problem}."),
        severity: Severity::High,
    }
}

fn of_whole<'a>(told: &Told<'a>, failure: &'a Failure) -> Remark<'a> {
    let title = match failure.kind {
        FailureKind::Nothing => "Nothing was evaluated",
        FailureKind::Unread => "Recorded logs could not be read",
        FailureKind::Errors => "A policy could not be evaluated",
        FailureKind::WrongCase => "Wrong case",
        FailureKind::Loosened => "Too much changes to list it",
        FailureKind::Expired => "Expired acceptance",
        FailureKind::NewBlocks => "Too much is newly stopped",
        FailureKind::Coverage => "Too much became undecided",
    };
    let message = told.shown(&failure.message);
    // Where a message counts, the next push counts otherwise.
    let what = match failure.kind {
        FailureKind::Unread | FailureKind::Errors => message.as_str(),
        _ => "",
    };
    let fingerprint = crate::engine::digest(format!("{}\0{what}", failure.kind).as_bytes());
    Remark {
        about: About::Whole,
        level: Level::Error,
        spot: told.limits(),
        check: format!("nearmiss.{}", failure.kind),
        fingerprint,
        title: title.to_owned(),
        message,
        severity: Severity::High,
    }
}
