//! For a person at a terminal: the most telling near-miss first, each with what was missing and what would flip it.

use std::io::{self, Write};

use anstyle::Style;

use crate::engine::near_miss::group::{Alike, Example, Group};
use crate::model::{Class, Decision, Finding, Severity, Timestamp};

use crate::report::display::marked;
use crate::report::palette::{BLUE, BOLD, DIM, RED, YELLOW};
use crate::report::text::{counted, second, short, thousands, who};
use crate::report::{escaped, located, redacted};

use super::said::{Trend, actors, barrier, facts, held_by, missing, now, slipped};
use super::{NearReport, Told};

/// What could not be read is shown one by one up to here.
const MAX_ISSUES: usize = 20;
/// Actors named for a group.
const MAX_ACTORS: usize = 3;

#[derive(Debug)]
pub(super) struct Text;

impl NearReport for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn is_styled(&self) -> bool {
        true
    }

    fn tell(&self, told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
        let mut page = Page { told, out };
        page.head()?;
        let survey = told.survey;
        page.groups(&survey.groups, told.limit)?;
        if told.all {
            for (title, groups) in [
                ("ROUTINE  so often that it is somebody's habit", &survey.routine),
                ("GUARDED  a control worked", &survey.guarded),
                ("SUPPRESSED  somebody called it no risk", &survey.suppressed),
                ("BLIND  a fact is missing, and with the wrong value it would have been stopped", &survey.blind),
            ] {
                if !groups.is_empty() {
                    writeln!(page.out, "\n{BOLD}{title}{BOLD:#}")?;
                    page.groups(groups, told.limit)?;
                }
            }
        }
        page.issues()?;
        page.foot()?;
        page.out.flush()
    }
}

struct Page<'a> {
    told: &'a Told<'a>,
    out: &'a mut dyn Write,
}

impl Page<'_> {
    fn head(&mut self) -> io::Result<()> {
        let Told { heading, totals, survey, elapsed, .. } = self.told;
        writeln!(
            self.out,
            "{BOLD}policy{BOLD:#}  {} ({}, {})\n{DIM}over {} in {}, {} ({:.2} s){DIM:#}",
            heading.policies.join(" + "),
            counted(heading.rules as u64, "rule"),
            heading.policy_digest,
            counted(totals.actions, "action"),
            counted(totals.sessions, "session"),
            counted(totals.files, "file"),
            elapsed.as_secs_f64(),
        )?;
        if let (Some(like), Some(alike)) = (self.told.like, &survey.alike) {
            self.alike(like, alike)?;
        }
        if let Some(filter) = &heading.filter {
            writeln!(self.out, "{YELLOW}told of{YELLOW:#}: {}", escaped(filter))?;
        }
        if survey.listed == 0 {
            let allowed = counted(survey.allowed, "allowed action");
            return writeln!(self.out, "\n{BOLD}no near-misses{BOLD:#} among {allowed}");
        }
        let share = if survey.allowed == 0 { 0.0 } else { 100.0 * survey.listed as f64 / survey.allowed as f64 };
        writeln!(
            self.out,
            "\n{BOLD}{}{BOLD:#} in {}: {share:.2} % of what was allowed",
            counted(survey.listed, "near-miss|near-misses"),
            counted(survey.groups.len() as u64, "group"),
        )
    }

    /// The chosen action, and how often its like was met.
    fn alike(&mut self, like: &Finding, alike: &Alike) -> io::Result<()> {
        let text =
            if self.told.heading.no_redact { like.action.text.as_ref().into() } else { redacted(&like.action.text) };
        let rule = like.verdict.hits.first().map(|hit| format!(" by {}", hit.rule.id)).unwrap_or_default();
        writeln!(self.out, "\n{BOLD}like{BOLD:#}  {}  {}{rule}", short(&escaped(&text), 100), like.verdict.decision)?;
        let counts: Vec<String> = Decision::ALL
            .iter()
            .zip(alike.decisions)
            .rev()
            .filter(|(_, count)| *count > 0)
            .map(|(decision, count)| format!("{} {decision}", thousands(count)))
            .collect();
        let time = |time: Option<Timestamp>| time.map(|time| second(&time.to_string())).unwrap_or_default();
        let span = match (alike.first, alike.last) {
            (Some(_), Some(_)) => format!(", from {} to {}", time(alike.first), time(alike.last)),
            _ => String::new(),
        };
        writeln!(self.out, "      {DIM}same shape: {}{span}{DIM:#}", counts.join(", "))
    }

    fn groups(&mut self, groups: &[Group], limit: usize) -> io::Result<()> {
        for group in groups.iter().take(limit) {
            self.group(group)?;
        }
        if groups.len() > limit {
            let more = counted((groups.len() - limit) as u64, "group");
            writeln!(self.out, "\n{DIM}and {more} more (`--limit {}` shows them){DIM:#}", groups.len())?;
        }
        Ok(())
    }

    fn group(&mut self, group: &Group) -> io::Result<()> {
        let style = class_style(group);
        let times = if group.count > 1 { format!("  {}", counted(group.count, "time")) } else { String::new() };
        let trend = trend(group);
        writeln!(
            self.out,
            "\n{style}{}{style:#}  {}  {BOLD}{}{BOLD:#}{times}{trend}  {DIM}{}{DIM:#}",
            group.class, group.rule.severity, group.rule.id, group.id,
        )?;
        self.example(&group.example, group)?;
        self.line("missing", &format!("{}{}", missing(&group.missing), now(&group.example.near)))?;
        let flips = &group.example.near.flips;
        if let Some((text, about)) = slipped(flips) {
            let text = if self.told.heading.no_redact { text.into() } else { redacted(text) };
            self.line("one slip", &format!("{}  ({about})", escaped(&text)))?;
        }
        if let Some(facts) = facts(flips) {
            let seen = if group.class == Class::Lucky { "  (seen elsewhere in this data)" } else { "" };
            self.line("or with", &format!("{}{seen}", escaped(&facts)))?;
        }
        if let Some(held) = held_by(&group.example.near) {
            self.line("held by", &held)?;
        }
        if let [facts] = &group.barriers[..]
            && facts.len() == 1
        {
            let facts = facts.iter().next().map(String::as_str).unwrap_or_default();
            self.line("barrier", &format!("only {}", barrier(facts)))?;
        }
        self.line("then", &escaped(&group.rule.message))?;
        if group.actors.len() > 1 {
            self.line("by", &escaped(&actors(group, MAX_ACTORS)))?;
        }
        Ok(())
    }

    fn example(&mut self, example: &Example, group: &Group) -> io::Result<()> {
        let heading = self.told.heading;
        let finding = &example.finding;
        let action = &finding.action;
        let text = if heading.no_redact { action.text.as_ref().into() } else { redacted(&action.text) };
        let span = finding.understanding.effects.get(example.near.effect).and_then(|effect| effect.span);
        let spans: Vec<_> = span.into_iter().collect();
        let line = marked(&text, &spans, heading.width.saturating_sub(4).max(40));
        let style = class_style(group);
        writeln!(self.out, "    {}", line.text)?;
        if !line.marks.is_empty() {
            writeln!(self.out, "    {style}{}{style:#}", line.marks)?;
        }
        let time = action.time.map(|time| format!(", {}", second(&time.to_string()))).unwrap_or_default();
        writeln!(
            self.out,
            "    {DIM}{}{time}, {}  {}:{}  {}{DIM:#}",
            who(&action.actor),
            finding.environment,
            escaped(&action.origin.file),
            action.origin.line,
            &action.id.to_string()[..8],
        )
    }

    fn line(&mut self, label: &str, text: &str) -> io::Result<()> {
        writeln!(self.out, "    {DIM}{label:<8}{DIM:#} {text}")
    }

    fn issues(&mut self) -> io::Result<()> {
        for (at, issue) in self.told.issues.iter().take(MAX_ISSUES).enumerate() {
            let what = if issue.lost { "not read" } else { "note" };
            let above = if at == 0 { "\n" } else { "" };
            writeln!(self.out, "{above}{BLUE}{what:<8}{BLUE:#}  {}", located(issue))?;
        }
        match self.told.issues.len().saturating_sub(MAX_ISSUES) {
            0 => Ok(()),
            more => writeln!(self.out, "{DIM}and {more} more; `nearmiss replay` counts them{DIM:#}"),
        }
    }

    fn foot(&mut self) -> io::Result<()> {
        if self.told.all {
            return Ok(());
        }
        let survey = self.told.survey;
        let apart: Vec<String> = [
            ("routine", &survey.routine),
            ("guarded", &survey.guarded),
            ("blind", &survey.blind),
            ("suppressed", &survey.suppressed),
        ]
        .iter()
        .filter(|(_, groups)| !groups.is_empty())
        .map(|(word, groups)| {
            let actions = groups.iter().map(|group| group.count).sum();
            format!("{} {word} in {}", thousands(actions), counted(groups.len() as u64, "group"))
        })
        .collect();
        if apart.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "\n{DIM}told apart (`--all` shows them): {}{DIM:#}", apart.join(", "))
    }
}

/// How often over time.
fn trend(group: &Group) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let Some(trend) = Trend::of(group) else { return String::new() };
    let most = trend.counts.iter().copied().max().unwrap_or(1).max(1);
    let bar = |count: &u64| BARS[(count * 7).div_ceil(most) as usize % BARS.len()];
    let bars: String = trend.counts.iter().map(bar).collect();
    format!("  {bars} {} days", trend.days())
}

fn class_style(group: &Group) -> Style {
    match (group.class, group.rule.severity) {
        (Class::Blind, _) => BLUE,
        (Class::Guarded, _) => DIM,
        (_, Severity::Critical | Severity::High) => RED,
        _ => YELLOW,
    }
}
