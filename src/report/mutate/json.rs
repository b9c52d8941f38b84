//! One JSON object with every mutant and every condition.

use std::io::{self, Write};

use serde::Serialize;

use crate::engine::mutate::{Fate, Notice, Ready, RuleSurvey};
use crate::policy::Mutation;

use super::{MutantReport, Told};

#[derive(Debug)]
pub(super) struct Json;

impl MutantReport for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn tell(&self, told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
        let survey = told.survey;
        let whole = Whole {
            schema_version: 1,
            policies: &told.heading.policies,
            policy_digest: &told.heading.policy_digest,
            score: survey.score(),
            threshold: told.threshold,
            passed: told.passed(),
            killed: survey.killed(),
            seen: survey.count(|fate| matches!(fate, Fate::Seen(_))),
            survived: survey.count(|fate| *fate == Fate::Survived),
            equivalent: survey.count(|fate| matches!(fate, Fate::Equivalent(_))),
            pinned_actions: told.pinned.actions,
            other_actions: told.traces.actions,
            wrongly_declared: &survey.wrongly_declared,
            rules: survey.rules.iter().map(|rule| RulePart::new(rule, told)).collect(),
        };
        serde_json::to_writer_pretty(&mut *out, &whole)?;
        out.write_all(b"\n")?;
        out.flush()
    }
}

#[derive(Serialize)]
struct Whole<'a> {
    schema_version: u32,
    policies: &'a [String],
    policy_digest: &'a str,
    /// Killed mutants of those that are not equivalent, 0 to 1; null without any.
    score: Option<f64>,
    threshold: Option<f64>,
    passed: bool,
    killed: usize,
    seen: usize,
    survived: usize,
    equivalent: usize,
    pinned_actions: u64,
    other_actions: u64,
    wrongly_declared: &'a [String],
    rules: Vec<RulePart<'a>>,
}

#[derive(Serialize)]
struct RulePart<'a> {
    rule: &'a str,
    file: Option<&'a str>,
    line: Option<usize>,
    killed: usize,
    counted: usize,
    mutants: Vec<MutantPart<'a>>,
    conditions: Vec<ConditionPart<'a>>,
}

#[derive(Serialize)]
struct MutantPart<'a> {
    mutation: Mutation,
    before: &'a str,
    after: &'a str,
    file: &'a str,
    line: usize,
    /// `killed`, `seen`, `survived` or `equivalent`.
    fate: &'static str,
    /// Who notices, or why nobody can.
    by: Option<String>,
    /// What would notice it: a case as TOML, or an example for the rule.
    case: Option<String>,
    example: Option<ExamplePart<'a>>,
}

#[derive(Serialize)]
struct ExamplePart<'a> {
    annotation: &'a str,
    line: String,
}

#[derive(Serialize)]
struct ConditionPart<'a> {
    text: &'a str,
    seen_true: bool,
    seen_false: bool,
    /// It alone kept the rule from being met; null where the rule would be an error without it.
    alone: Option<bool>,
}

impl<'a> RulePart<'a> {
    fn new(rule: &'a RuleSurvey, told: &Told<'a>) -> Self {
        let mutants = rule.mutants.iter().filter_map(|(number, fate, ready)| {
            let mutant = told.survey.mutants.all().get(*number)?;
            let (fate, by) = said(fate, told);
            let (case, example) = match ready {
                Some(Ready::Case(case)) => (Some(told.secret(case)), None),
                Some(Ready::Example { annotation, line }) => {
                    (None, Some(ExamplePart { annotation, line: told.secret(line) }))
                }
                None => (None, None),
            };
            Some(MutantPart {
                mutation: mutant.mutation,
                before: &mutant.before,
                after: &mutant.after,
                file: &mutant.file,
                line: mutant.line,
                fate,
                by,
                case,
                example,
            })
        });
        let conditions = rule.conditions.iter().map(|seen| ConditionPart {
            text: &seen.text,
            seen_true: seen.held,
            seen_false: seen.failed,
            alone: seen.alone,
        });
        Self {
            rule: &rule.rule,
            file: rule.info.as_ref().map(|info| info.file.as_str()),
            line: rule.info.as_ref().map(|info| info.line),
            killed: rule.killed(),
            counted: rule.counted(),
            mutants: mutants.collect(),
            conditions: conditions.collect(),
        }
    }
}

fn said(fate: &Fate, told: &Told<'_>) -> (&'static str, Option<String>) {
    match fate {
        Fate::Killed(notice) => ("killed", Some(noticed(notice, told))),
        Fate::Seen(notice) => ("seen", Some(noticed(notice, told))),
        Fate::Survived => ("survived", None),
        Fate::Equivalent(reason) => ("equivalent", Some(reason.clone())),
    }
}

fn noticed(notice: &Notice, told: &Told<'_>) -> String {
    match notice {
        Notice::Refused => "the policy is refused when it is loaded".to_owned(),
        Notice::Example(text) => format!("example `{}`", told.secret(text)),
        Notice::Case { name, file, line } => format!("case `{name}` {file}:{line}"),
        Notice::Action { file, line, text } => format!("{file}:{line} {}", told.secret(text)),
        Notice::Incident(id) => format!("incident {id}"),
    }
}
