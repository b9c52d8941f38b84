//! JUnit as Jenkins and others read it: a suite for each file of cases with one test for each labelled action, and the
//! suite `policy-impact` with one for each template that is judged otherwise.

use std::io::{self, Write};

use crate::engine::compare::Group;
use crate::report::tested::junit::suite_of_cases;
use crate::report::xml::Xml;

use super::remark::{About, Level, Remark, remarks};
use super::said::{Standing, cut};
use super::{ChangeReport, Told};

const SUITE: &str = "policy-impact";
const MAX_NAME: usize = 160;

#[derive(Debug)]
pub(super) struct Junit;

impl ChangeReport for Junit {
    fn name(&self) -> &'static str {
        "junit"
    }

    fn about(&self) -> &'static str {
        "JUnit: a test for each labelled action and for each template that is judged otherwise"
    }

    fn tell(&self, told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
        let impact: Vec<Remark<'_>> =
            remarks(told).into_iter().filter(|remark| !matches!(remark.about, About::Case)).collect();
        // What is merely told of, as by `diff`, is no failure.
        let failed = impact.iter().filter(|remark| remark.level == Level::Error).count();
        let wrong = told.cases.iter().filter(|outcome| !outcome.holds()).count();
        let mut xml = Xml::new();
        let (tests, failures) = (told.cases.len() + impact.len().max(1), failed + wrong);
        xml.open(
            "testsuites",
            &[
                ("name", "nearmiss gate"),
                ("tests", &tests.to_string()),
                ("failures", &failures.to_string()),
                ("time", &format!("{:.3}", told.elapsed.as_secs_f64())),
            ],
        );
        for cases in told.cases.chunk_by(|a, b| a.case.file == b.case.file) {
            let file = cases.first().and_then(|outcome| told.spot(&outcome.case.file, 1)).map(|spot| spot.file);
            suite_of_cases(file.as_deref().unwrap_or("cases"), cases, told.head.no_redact, &mut xml);
        }
        let tests = impact.len().max(1).to_string();
        xml.open("testsuite", &[("name", SUITE), ("tests", &tests), ("failures", &failed.to_string())]);
        for remark in &impact {
            test(told, remark, &mut xml);
        }
        // A suite without a test is taken for one that did not run.
        if impact.is_empty() {
            xml.empty("testcase", &[("classname", SUITE), ("name", "no action is judged otherwise")]);
        }
        out.write_all(xml.finish().as_bytes())?;
        out.flush()
    }
}

fn test(told: &Told<'_>, remark: &Remark<'_>, xml: &mut Xml) {
    let line = remark.spot.line.to_string();
    let (class, name) = match remark.about {
        About::Group(group) => {
            let template = cut(&told.shown(&group.template), MAX_NAME);
            (group.transition.word().to_owned(), format!("{} {template}", group.id))
        }
        About::Case | About::Whole => (SUITE.to_owned(), remark.title.clone()),
    };
    let attributes = [("classname", class.as_str()), ("name", &name), ("file", &remark.spot.file), ("line", &line)];
    let About::Group(group) = remark.about else {
        xml.open("testcase", &attributes);
        xml.text("failure", &[("type", &remark.check), ("message", &remark.title)], &remark.message);
        return xml.close();
    };
    let kind = format!("{}-to-{}", group.base, group.head);
    let body = body(told, group);
    xml.open("testcase", &attributes);
    if remark.level == Level::Error {
        xml.text("failure", &[("type", &kind), ("message", &Told::seen(group))], &body);
    } else {
        xml.text("system-out", &[], &format!("{kind}, {}{}\n{body}", Told::seen(group), accepted(told, group)));
    }
    xml.close();
}

fn body(told: &Told<'_>, group: &Group) -> String {
    let mut lines: Vec<String> = told
        .why(group)
        .into_iter()
        .map(|(why, spot)| spot.map_or_else(|| why.clone(), |spot| format!("{why}  {}:{}", spot.file, spot.line)))
        .collect();
    let example = &group.example;
    lines.push(told.shown(&example.text));
    lines.push(told.source_said(group));
    lines.join("\n")
}

fn accepted(told: &Told<'_>, group: &Group) -> String {
    match told.standing(group) {
        Standing::Accepted(acceptance) => format!(", accepted: {}", told.shown(&acceptance.reason)),
        _ => String::new(),
    }
}
