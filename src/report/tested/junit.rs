//! JUnit: one suite for each file of cases and one for the snapshots; one test case for each labelled action and for
//! each corpus.

use std::io::{self, Write};

use crate::engine::expect::Outcome;
use crate::report::xml::Xml;
use crate::report::{escaped, hunks, redacted};

use super::{Corpus, State, TestReport, Tested};

/// Lines of one difference.
const MAX_LINES: usize = 400;

#[derive(Debug)]
pub(super) struct Junit;

impl TestReport for Junit {
    fn name(&self) -> &'static str {
        "junit"
    }

    fn tell(&self, tested: &Tested, out: &mut dyn Write) -> io::Result<()> {
        let mut xml = Xml::new();
        let failed = tested.corpora.iter().filter(|corpus| fails(corpus, tested)).count();
        let left = usize::from(tested.reject_unreferenced && !tested.unreferenced.is_empty());
        let (tests, failures) = (tested.cases.len() + tested.corpora.len() + left, tested.wrong() + failed + left);
        let time = format!("{:.3}", tested.elapsed.as_secs_f64());
        let (tests, failures) = (tests.to_string(), failures.to_string());
        xml.open(
            "testsuites",
            &[("name", "nearmiss test"), ("tests", &tests), ("failures", &failures), ("time", &time)],
        );
        for cases in tested.cases.chunk_by(|a, b| a.case.file == b.case.file) {
            let file = cases.first().map_or("", |outcome| &outcome.case.file);
            suite_of_cases(file, cases, tested.heading.no_redact, &mut xml);
        }
        if !tested.corpora.is_empty() || left > 0 {
            let (tests, failures) = ((tested.corpora.len() + left).to_string(), (failed + left).to_string());
            xml.open("testsuite", &[("name", "snapshots"), ("tests", &tests), ("failures", &failures)]);
            for corpus in &tested.corpora {
                snapshot(corpus, fails(corpus, tested), &mut xml)?;
            }
            if left > 0 {
                xml.open("testcase", &[("classname", "snapshots"), ("name", "unreferenced")]);
                xml.text("failure", &[("message", "snapshots of no corpus")], &tested.unreferenced.join("\n"));
                xml.close();
            }
            xml.close();
        }
        out.write_all(xml.finish().as_bytes())
    }
}

/// One suite for the cases of one file, which is called `file`.
pub(in crate::report) fn suite_of_cases(file: &str, cases: &[Outcome], no_redact: bool, xml: &mut Xml) {
    let shown = |text: &str| if no_redact { escaped(text) } else { escaped(&redacted(text)) };
    let wrong = cases.iter().filter(|outcome| !outcome.holds()).count().to_string();
    xml.open("testsuite", &[("name", file), ("tests", &cases.len().to_string()), ("failures", &wrong)]);
    for outcome in cases {
        let case = &outcome.case;
        let (name, line) = (shown(&case.name), case.line.to_string());
        let attributes = [("classname", file), ("name", &name), ("file", file), ("line", &line)];
        match outcome.problem() {
            None => xml.empty("testcase", &attributes),
            Some(problem) => {
                let text = shown(&outcome.finding.action.text);
                xml.open("testcase", &attributes);
                xml.text("failure", &[("type", "wrong-case"), ("message", &problem)], &text);
                xml.close();
            }
        }
    }
    xml.close();
}

/// A snapshot that waits for a review is wrong where nobody can review it.
fn fails(corpus: &Corpus, tested: &Tested) -> bool {
    match corpus.state {
        State::Same => false,
        State::Changed | State::New => tested.check,
        State::Unread | State::Nothing => true,
    }
}

fn snapshot(corpus: &Corpus, fails: bool, xml: &mut Xml) -> io::Result<()> {
    let attributes = [("classname", "snapshots"), ("name", corpus.source.as_str())];
    if corpus.state == State::Same {
        xml.empty("testcase", &attributes);
        return Ok(());
    }
    let before = corpus.accepted.as_ref().map_or("", |accepted| accepted.contents.as_str());
    let mut lines = Vec::new();
    if corpus.problem.is_none() {
        hunks(before, &corpus.found.contents, MAX_LINES, &mut lines)?;
    }
    let lines = anstream::adapter::strip_bytes(&lines).into_vec();
    let said = corpus.problem.clone().unwrap_or_else(|| format!("{} {}", corpus.state, corpus.file));
    xml.open("testcase", &attributes);
    if fails {
        let attributes = [("type", corpus.state.word()), ("message", said.as_str())];
        xml.text("failure", &attributes, &String::from_utf8_lossy(&lines));
    } else {
        xml.empty("skipped", &[("message", &format!("pending: {said}"))]);
    }
    xml.close();
    Ok(())
}
