//! One page to hand on: every group with what was missing and what would flip it.

use std::io::{self, Write};

use crate::engine::near_miss::group::{Alike, Group};
use crate::model::{Class, Decision, Finding};
use crate::report::html::{Document, class_of, foot, issues, policy};
use crate::report::text::{counted, second, short, thousands, who};
use crate::report::{escaped, redacted};

use super::said::{Trend, actors, barrier, facts, held_by, missing, now, slipped};
use super::{NearReport, Told};

/// What could not be read is shown one by one up to here.
const MAX_ISSUES: usize = 20;
/// Actors named for a group.
const MAX_ACTORS: usize = 10;

#[derive(Debug)]
pub(super) struct Html;

impl NearReport for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn tell(&self, told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(told.page().as_bytes())?;
        out.flush()
    }
}

impl Told<'_> {
    fn page(&self) -> String {
        let survey = self.survey;
        let title = match survey.listed {
            0 => format!("No near-misses among {}", counted(survey.allowed, "allowed action")),
            listed => format!(
                "{} in {}",
                counted(listed, "near-miss|near-misses"),
                counted(survey.groups.len() as u64, "group")
            ),
        };
        let mut page = Document::new(&title);
        self.head(&mut page, &title);
        page.open("main", &[("id", "main")]);
        if !survey.groups.is_empty() {
            self.overview(&mut page);
        }
        self.groups(&mut page, "Near-misses", "", &survey.groups);
        let apart = [
            ("Routine", "So often that it is somebody's habit.", &survey.routine),
            ("Guarded", "A control worked.", &survey.guarded),
            ("Suppressed", "Somebody called it no risk.", &survey.suppressed),
            ("Blind", "A fact is missing, and with the wrong value it would have been stopped.", &survey.blind),
        ];
        let apart = apart.iter().filter(|(.., groups)| !groups.is_empty());
        if self.all {
            apart.for_each(|(title, about, groups)| self.groups(&mut page, title, about, groups));
        } else if apart.clone().next().is_some() {
            page.open("section", &[]);
            page.line("h2", &[], "Told apart");
            page.line("p", &[], "Left out of this page; --all shows them.");
            page.open("dl", &[]);
            for (title, about, groups) in apart {
                let actions = thousands(groups.iter().map(|group| group.count).sum());
                page.term(title, &format!("{actions} in {}. {about}", counted(groups.len() as u64, "group")));
            }
            page.close();
            page.close();
        }
        if !self.issues.is_empty() {
            page.open("section", &[]);
            page.line("h2", &[], "Not read, and notes");
            let more = self.issues.len().saturating_sub(MAX_ISSUES);
            issues(&mut page, self.issues.iter().take(MAX_ISSUES), more as u64);
            page.close();
        }
        foot(&mut page);
        page.finish()
    }

    fn head(&self, page: &mut Document, title: &str) {
        let Told { heading, totals, survey, .. } = self;
        page.open("header", &[]);
        page.line("h1", &[], title);
        page.line("p", &[], "Allowed actions that one thing kept from being stopped.");
        page.open("dl", &[]);
        policy(page, heading);
        let (sessions, files) = (counted(totals.sessions, "session"), counted(totals.files, "file"));
        page.term("Read", &format!("{} in {sessions}, {files}", counted(totals.actions, "action")));
        if survey.listed > 0 {
            let share = 100.0 * survey.listed as f64 / survey.allowed.max(1) as f64;
            page.term("Share", &format!("{share:.2} % of {}", counted(survey.allowed, "allowed action")));
        }
        page.close();
        if let (Some(like), Some(alike)) = (self.like, &survey.alike) {
            self.alike(page, like, alike);
        }
        page.close();
    }

    /// The chosen action, and how often its like was met.
    fn alike(&self, page: &mut Document, like: &Finding, alike: &Alike) {
        let rule = like.verdict.hits.first().map(|hit| format!(" by {}", hit.rule.id)).unwrap_or_default();
        page.line("p", &[], &format!("Only what has to do with this action ({}{rule}):", like.verdict.decision));
        page.code("The chosen action", &self.shown(&like.action.text), &[]);
        let counts: Vec<String> = Decision::ALL
            .iter()
            .zip(alike.decisions)
            .rev()
            .filter(|(_, count)| *count > 0)
            .map(|(decision, count)| format!("{} {decision}", thousands(count)))
            .collect();
        let span = match (alike.first, alike.last) {
            (Some(first), Some(last)) => {
                format!(", from {} to {}", second(&first.to_string()), second(&last.to_string()))
            }
            _ => String::new(),
        };
        page.line("p", &[("class", "quiet")], &format!("Same shape: {}{span}", counts.join(", ")));
    }

    fn overview(&self, page: &mut Document) {
        page.open("nav", &[("aria-label", "Groups")]);
        page.table("Most telling first", &["rule", "class", "severity", "times", "shape", "missing"]);
        for group in self.survey.groups.iter().take(self.limit) {
            page.open("tr", &[]);
            page.open("th", &[("scope", "row")]);
            page.line("a", &[("href", &format!("#group-{}", group.id))], &group.rule.id);
            page.close();
            page.line("td", &[], group.class.word());
            page.line("td", &[], group.rule.severity.word());
            page.line("td", &[("class", "number")], &thousands(group.count));
            page.line("td", &[], &short(&self.shown(&group.template), 60));
            page.line("td", &[], &short(&missing(&group.missing), 80));
            page.close();
        }
        page.close_table();
        page.close();
    }

    fn groups(&self, page: &mut Document, title: &str, about: &str, groups: &[Group]) {
        if groups.is_empty() {
            return;
        }
        page.open("section", &[]);
        page.line("h2", &[], title);
        if !about.is_empty() {
            page.line("p", &[], about);
        }
        for group in groups.iter().take(self.limit) {
            self.group(page, group);
        }
        if groups.len() > self.limit {
            let more = counted((groups.len() - self.limit) as u64, "group");
            page.line("p", &[("class", "quiet")], &format!("And {more} more; --limit {} shows them.", groups.len()));
        }
        page.close();
    }

    fn group(&self, page: &mut Document, group: &Group) {
        let near = &group.example.near;
        let finding = &group.example.finding;
        let action = &finding.action;
        page.open("article", &[("id", &format!("group-{}", group.id)), ("aria-label", &group.rule.id)]);
        page.open("h3", &[]);
        page.line("span", &[("class", class_of(group.rule.severity))], group.rule.severity.word());
        page.line("span", &[], &group.rule.id);
        let times = counted(group.count, "time");
        page.line("span", &[("class", "quiet")], &format!("{} ({}), {times}", group.class, about(group.class)));
        page.close();
        let span = finding.understanding.effects.get(near.effect).and_then(|effect| effect.span);
        page.code("What was run", &self.shown(&action.text), span.as_slice());
        let time = action.time.map(|time| format!(", {}", second(&time.to_string()))).unwrap_or_default();
        let (file, id) = (escaped(&action.origin.file), &action.id.to_string()[..8]);
        let said =
            format!("{}{time}, {}; {file}:{}, {id}", who(&action.actor), finding.environment, action.origin.line);
        page.line("p", &[("class", "quiet")], &said);
        page.open("dl", &[]);
        page.term("Missing", &format!("{}{}", missing(&group.missing), now(near)));
        if let Some((text, about)) = slipped(&near.flips) {
            page.line("dt", &[], "One slip");
            page.open("dd", &[]);
            page.code("The same with one slip", &self.shown(text), &[]);
            page.line("p", &[], about);
            page.close();
        }
        if let Some(facts) = facts(&near.flips) {
            let seen = if group.class == Class::Lucky { " (seen elsewhere in this data)" } else { "" };
            page.term("Or with", &format!("{}{seen}", self.shown(&facts)));
        }
        if let Some(held) = held_by(near) {
            page.term("Held by", &held);
        }
        if let [facts] = &group.barriers[..]
            && facts.len() == 1
        {
            let facts = facts.iter().next().map(String::as_str).unwrap_or_default();
            page.term("Barrier", &format!("only {}", barrier(facts)));
        }
        page.term("Then", &group.rule.message);
        page.term(
            "By",
            &format!("{} in {}", actors(group, MAX_ACTORS), counted(group.sessions.len() as u64, "session")),
        );
        if let Some(trend) = Trend::of(group) {
            page.line("dt", &[], "When");
            page.open("dd", &[]);
            page.bars(&trend.counts, &trend.said());
            page.line("span", &[], &trend.said());
            page.close();
        }
        page.term("Group", &group.id.to_string());
        page.close();
        page.close();
    }

    fn shown(&self, text: &str) -> String {
        if self.heading.no_redact { text.to_owned() } else { redacted(text).into_owned() }
    }
}

/// What kept it from being stopped, in a few words.
const fn about(class: Class) -> &'static str {
    match class {
        Class::Lucky => "a circumstance",
        Class::Margin => "a number",
        Class::Slip => "one edit",
        Class::Guarded => "a control",
        Class::Blind => "a fact is missing",
    }
}
