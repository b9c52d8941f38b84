//! For a person at a terminal.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::report::text::counted;
use crate::report::{escaped, hunks, redacted};

use super::{Corpus, Failure, State, TestReport, Tested};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// Lines of one difference: the rest is for `review`.
const MAX_LINES: usize = 40;
/// The same where nobody can review.
const MAX_LINES_IN_CI: usize = 400;

#[derive(Debug)]
pub(super) struct Text;

impl TestReport for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn is_styled(&self) -> bool {
        true
    }

    fn tell(&self, tested: &Tested, out: &mut dyn Write) -> io::Result<()> {
        let heading = &tested.heading;
        writeln!(
            out,
            "{BOLD}nearmiss {}{BOLD:#}  policy {} ({}, {})",
            env!("CARGO_PKG_VERSION"),
            heading.policies.join(" + "),
            counted(heading.rules as u64, "rule"),
            heading.policy_digest,
        )?;
        cases(tested, out)?;
        corpora(tested, out)?;
        unreferenced(tested, out)?;
        end(tested, out)
    }
}

fn cases(tested: &Tested, out: &mut dyn Write) -> io::Result<()> {
    if tested.cases.is_empty() {
        return Ok(());
    }
    let (wrong, all) = (tested.wrong(), tested.cases.len());
    let style = if wrong == 0 { GREEN } else { RED };
    writeln!(out, "\n{style}CASES{style:#}  {} of {all} as expected", all - wrong)?;
    for outcome in &tested.cases {
        let Some(problem) = outcome.problem() else { continue };
        let case = &outcome.case;
        writeln!(out, "  {}: {problem}  {DIM}{}:{}{DIM:#}", escaped(&case.name), escaped(&case.file), case.line)?;
        let text = &outcome.finding.action.text;
        let text = if tested.heading.no_redact { text.as_ref().into() } else { redacted(text) };
        writeln!(out, "    {}", escaped(&text))?;
    }
    Ok(())
}

fn corpora(tested: &Tested, out: &mut dyn Write) -> io::Result<()> {
    if tested.corpora.is_empty() {
        return Ok(());
    }
    let (same, all) = (tested.corpora_in(State::Same), tested.corpora.len());
    let style = match (same == all, tested.failures().iter().any(|(failure, _)| *failure < Failure::Pending)) {
        (true, _) => GREEN,
        (false, true) => RED,
        (false, false) => YELLOW,
    };
    writeln!(out, "\n{style}SNAPSHOTS{style:#}  {same} of {all} as accepted")?;
    let most = if tested.check { MAX_LINES_IN_CI } else { MAX_LINES };
    let mut shown = false;
    let differ = tested.corpora.iter().filter(|corpus| corpus.state != State::Same);
    for (at, corpus) in differ.enumerate() {
        if at > 0 && shown {
            writeln!(out)?;
        }
        one(corpus, out)?;
        let before = corpus.accepted.as_ref().map_or("", |accepted| accepted.contents.as_str());
        shown = corpus.state == State::Changed || corpus.state == State::New && tested.check;
        if shown {
            writeln!(out)?;
            hunks(before, &corpus.found.contents, most, out)?;
        }
    }
    Ok(())
}

fn one(corpus: &Corpus, out: &mut dyn Write) -> io::Result<()> {
    let said = match corpus.state {
        State::Same | State::Changed => String::new(),
        State::New => format!(": {} to look at", counted(corpus.actions, "action")),
        State::Unread | State::Nothing => format!(": {}", corpus.problem.as_deref().unwrap_or("nothing to judge")),
    };
    writeln!(
        out,
        "  {} {BOLD}{}{BOLD:#}{}  {DIM}{}{DIM:#}",
        corpus.state,
        escaped(&corpus.source),
        escaped(&said),
        escaped(&corpus.file),
    )
}

fn unreferenced(tested: &Tested, out: &mut dyn Write) -> io::Result<()> {
    if tested.unreferenced.is_empty() {
        return Ok(());
    }
    let style = if tested.reject_unreferenced { RED } else { YELLOW };
    let count = counted(tested.unreferenced.len() as u64, "snapshot");
    writeln!(out, "\n{style}UNREFERENCED{style:#}  {count} of no corpus; `--unreferenced delete` removes them")?;
    for file in &tested.unreferenced {
        writeln!(out, "  {}", escaped(file))?;
    }
    Ok(())
}

fn end(tested: &Tested, out: &mut dyn Write) -> io::Result<()> {
    let actions: u64 = tested.corpora.iter().map(|corpus| corpus.actions).sum();
    let (cases, corpora) = (tested.cases.len() as u64, tested.corpora.len() as u64);
    let what: Vec<String> = [
        (cases > 0).then(|| counted(cases, "case")),
        (corpora > 0).then(|| format!("{} with {}", counted(corpora, "corpus|corpora"), counted(actions, "action"))),
    ]
    .into_iter()
    .flatten()
    .collect();
    let what = format!("{} in {:.2} s", what.join(", "), tested.elapsed.as_secs_f64());
    let what = what.trim_start();
    let failures = tested.failures();
    let Some((worst, _)) = failures.first() else {
        return writeln!(out, "\n{GREEN}all as accepted{GREEN:#}  {DIM}{what}{DIM:#}");
    };
    let said: Vec<&str> = failures.iter().map(|(_, said)| said.as_str()).collect();
    let (style, verdict) = match worst {
        Failure::Pending => (YELLOW, "to review"),
        _ => (RED, "test failed"),
    };
    writeln!(out, "\n{style}{verdict}{style:#}: {}  {DIM}{what}{DIM:#}", said.join(", "))?;
    if tested.open() > 0 {
        let first = if tested.check { "at home: nearmiss test, then " } else { "" };
        writeln!(out, "{DIM}look at them: {first}nearmiss review{DIM:#}")?;
    }
    Ok(())
}
