//! The table "would this policy have stopped them?"

use std::collections::BTreeSet;
use std::io::{self, Write};

use crate::engine::corpus::{Decidable, Incident, Nearness, Outline};
use crate::engine::near_miss::barrier::Distance;
use crate::model::Decision;
use crate::report::palette::{BOLD, DIM, GREEN, RED, YELLOW};

use super::{Heading, escaped};

/// One line an incident, by date.
///
/// # Errors
/// When the output cannot be written.
pub fn list(incidents: &[std::sync::Arc<Incident>], width: usize, out: &mut dyn Write) -> io::Result<()> {
    let ids = incidents.iter().map(|incident| incident.id.len()).max().unwrap_or(0);
    for incident in incidents {
        let room = width.saturating_sub(10 + 2 + ids + 2 + 9 + 2).max(16);
        writeln!(
            out,
            "{DIM}{:<10}{DIM:#}  {:<ids$}  {:<9}  {}",
            incident.date,
            incident.id,
            incident.decidable,
            fit(&incident.title, room)
        )?;
    }
    Ok(())
}

/// The table for a person.
///
/// # Errors
/// When the output cannot be written.
pub fn text(heading: &Heading, outlines: &[Outline], out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{BOLD}Would this policy have stopped them?{BOLD:#}  {} ({} rules, {})\n",
        heading.policies.join(" + "),
        heading.rules,
        heading.policy_digest
    )?;
    // date 10, needs 9, with 9, without 9, twins 5, each with two columns of space between.
    let fixed = 10 + 9 + 9 + 9 + 5 + 2 * 6;
    let left = heading.width.saturating_sub(fixed);
    let rules = (left / 2).clamp(8, 32);
    let titles = left.saturating_sub(rules).max(12);
    writeln!(
        out,
        "{DIM}{:<10}  {:<titles$}  {:<9}  {:<9}  {:<9}  {:<rules$}  twins{DIM:#}",
        "date", "incident", "shown by", "verdict", "bare", "rule"
    )?;
    for outline in outlines {
        let incident = &outline.incident;
        let wrong = if outline.is_as_expected() { ' ' } else { '!' };
        let rule = outline.with.rule.as_ref().map_or("", |rule| &rule.id);
        writeln!(
            out,
            "{:<10}{wrong} {:<titles$}  {:<9}  {}  {}  {DIM}{:<rules$}{DIM:#}  {}/{}",
            incident.date,
            fit(&escaped(&incident.title), titles),
            incident.decidable,
            verdict(outline.with.decision),
            verdict(outline.without),
            fit(rule, rules),
            outline.twins_passed(),
            outline.twins.len(),
        )?;
        for (at, written, near) in outline.nearness_wrong() {
            let twin = at + 1;
            writeln!(
                out,
                "            twin {twin} is {}, not {}",
                escaped(&distance(near)),
                escaped(&nearness(written))
            )?;
        }
    }
    let total = Total::of(outlines);
    writeln!(
        out,
        "\n{BOLD}{} of {} stopped{BOLD:#}, {} undecided, {} passed; {} of {} harmless twins pass",
        total.stopped,
        outlines.len(),
        total.undecided,
        total.passed,
        total.twins_passed,
        total.twins
    )?;
    writeln!(out, "{DIM}bare: without surroundings, results and what went before{DIM:#}")?;
    for (words, known) in known(outlines) {
        writeln!(out, "{DIM}known: {words}: {known}{DIM:#}")?;
    }
    if total.wrong > 0 {
        writeln!(out, "{RED}{} not as expected (marked !){RED:#}", total.wrong)?;
    }
    Ok(())
}

/// The same for programs: one object.
///
/// # Errors
/// When the output cannot be written.
pub fn json(heading: &Heading, outlines: &[Outline], out: &mut dyn Write) -> io::Result<()> {
    let total = Total::of(outlines);
    let incidents: Vec<serde_json::Value> = outlines.iter().map(one).collect();
    let whole = serde_json::json!({
        "schema_version": 1,
        "policy": { "names": heading.policies, "rules": heading.rules, "digest": heading.policy_digest },
        "summary": {
            "incidents": outlines.len(),
            "stopped": total.stopped,
            "undecided": total.undecided,
            "passed": total.passed,
            "twins": total.twins,
            "twins_passed": total.twins_passed,
            "not_as_expected": total.wrong,
        },
        "incidents": incidents,
    });
    serde_json::to_writer_pretty(&mut *out, &whole).map_err(io::Error::other)?;
    writeln!(out)
}

fn one(outline: &Outline) -> serde_json::Value {
    let incident = &outline.incident;
    let twins: Vec<serde_json::Value> = incident
        .twins
        .iter()
        .zip(&outline.twins)
        .map(|(twin, played)| {
            serde_json::json!({
                "differs": twin.differs,
                "decision": played.decision,
                "rule": played.rule.as_ref().map(|rule| &rule.id),
                "known": twin.known,
            })
        })
        .collect();
    serde_json::json!({
        "id": incident.id,
        "date": incident.date,
        "title": incident.title,
        "decidable": incident.decidable,
        "sources": incident.sources,
        "decision": outline.with.decision,
        "decision_bare": outline.without,
        "rule": outline.with.rule.as_ref().map(|rule| &rule.id),
        "known": incident.known,
        "as_expected": outline.is_as_expected(),
        "twins": twins,
    })
}

/// How far a twin is, in words.
fn distance(near: Option<&Distance>) -> String {
    match near {
        None => "near to nothing".to_owned(),
        Some(Distance { least, most, rule, missing }) => {
            let steps = if least == most { least.to_string() } else { format!("{least} to {most}") };
            steps_to(&steps, rule, missing)
        }
    }
}

/// How far it has to be, in the same words.
fn nearness(written: &Nearness) -> String {
    match written {
        Nearness::Far(_) => "near to nothing".to_owned(),
        Nearness::Near(steps) => steps_to(&steps.distance.to_string(), &steps.rule, &steps.missing),
    }
}

fn steps_to(steps: &str, rule: &str, missing: &BTreeSet<String>) -> String {
    let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
    format!("{steps} from {rule} ({})", missing.join(", "))
}

/// How many incidents, and how many of them are not as expected.
#[derive(Clone, Copy, Debug, Default)]
pub struct Total {
    pub stopped: usize,
    pub undecided: usize,
    pub passed: usize,
    pub twins: usize,
    pub twins_passed: usize,
    pub wrong: usize,
}

impl Total {
    pub fn of(outlines: &[Outline]) -> Self {
        let mut total = Self::default();
        for outline in outlines {
            match outline.with.decision {
                Decision::Ask | Decision::Block => total.stopped += 1,
                Decision::Undecided => total.undecided += 1,
                Decision::Allow => total.passed += 1,
            }
            total.twins += outline.twins.len();
            total.twins_passed += outline.twins_passed();
            total.wrong += usize::from(!outline.is_as_expected());
        }
        total
    }

    /// Of those that one thing tells from their twins: stopped, and all.
    pub fn shown_by(outlines: &[Outline], by: Decidable) -> (usize, usize) {
        let of = outlines.iter().filter(|outline| outline.incident.decidable == by);
        let (mut stopped, mut all) = (0, 0);
        for outline in of {
            all += 1;
            stopped += usize::from(outline.with.decision >= Decision::Ask);
        }
        (stopped, all)
    }
}

/// What nobody is held to, and why; each reason once.
fn known(outlines: &[Outline]) -> Vec<(String, &str)> {
    let mut found: Vec<(String, &str)> = Vec::new();
    for outline in outlines {
        let twins = outline.incident.twins.iter().filter_map(|twin| twin.known.as_deref());
        for why in outline.incident.known.as_deref().into_iter().chain(twins) {
            match found.iter_mut().find(|(_, known)| *known == why) {
                Some((ids, _)) => ids.push_str(&format!(", {}", outline.incident.id)),
                None => found.push((outline.incident.id.clone(), why)),
            }
        }
    }
    found
}

fn verdict(decision: Decision) -> String {
    let style = match decision {
        Decision::Allow => GREEN,
        Decision::Undecided => YELLOW,
        Decision::Ask | Decision::Block => RED,
    };
    format!("{style}{decision:<9}{style:#}")
}

/// Cut to `room` columns.
fn fit(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}
