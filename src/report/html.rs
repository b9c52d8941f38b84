//! The replay as one page to hand on: totals, and what would be stopped, by rule with examples.

mod document;

pub(super) use document::Document;

use std::io::{self, Write};

use crate::model::{Decision, Executed, Finding, Issue, Severity};

use super::summary::{Example, Group, RuleGroups, Summary};
use super::text::{counted, located, minute, second, short, thousands, who};
use super::{Ended, Heading, Report, Telling, escaped, redacted};

/// Examples of different shapes per rule.
const MAX_EXAMPLES: usize = 10;
/// Examples of what was not understood, per kind.
const MAX_DETAILS: usize = 10;

#[derive(Debug)]
pub(super) struct Html;

impl Report for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn about(&self) -> &'static str {
        "one page to hand on: it needs no network, no script and no other file"
    }

    fn start<'w>(&self, heading: Heading, out: &'w mut dyn Write) -> Box<dyn Telling + 'w> {
        Box::new(Page { heading, out, summary: Summary::default() })
    }
}

struct Page<'w> {
    heading: Heading,
    out: &'w mut dyn Write,
    summary: Summary,
}

impl Telling for Page<'_> {
    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        self.summary.finding(finding);
        Ok(())
    }

    fn issue(&mut self, issue: &Issue) -> io::Result<()> {
        self.summary.issue(issue);
        Ok(())
    }

    fn finish(self: Box<Self>, ended: &Ended) -> io::Result<()> {
        let Self { heading, out, mut summary } = *self;
        summary.link();
        out.write_all(Told { heading: &heading, summary: &summary, ended }.page().as_bytes())?;
        out.flush()
    }
}

/// Which policy judged, and by which configuration; what every page begins with.
pub(super) fn policy(page: &mut Document, heading: &Heading) {
    let rules = counted(heading.rules as u64, "rule");
    page.term("Policy", &format!("{} ({rules}, {})", heading.policies.join(" + "), heading.policy_digest));
    if let Some(filter) = &heading.filter {
        page.term("Told of", filter);
    }
}

/// What could not be read, and notes on what could.
pub(super) fn issues<'i>(page: &mut Document, issues: impl Iterator<Item = &'i Issue>, more: u64) {
    page.open("ul", &[]);
    for issue in issues {
        page.line("li", &[], &located(issue));
    }
    if more > 0 {
        page.line("li", &[], &format!("and {} more", thousands(more)));
    }
    page.close();
}

pub(super) fn foot(page: &mut Document) {
    page.close();
    page.open("footer", &[]);
    page.line("p", &[], concat!("nearmiss ", env!("CARGO_PKG_VERSION")));
}

pub(super) const fn class_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "tag critical",
        Severity::High => "tag high",
        Severity::Medium => "tag medium",
        Severity::Low => "tag low",
        Severity::Info => "tag info",
    }
}

struct Told<'a> {
    heading: &'a Heading,
    summary: &'a Summary,
    ended: &'a Ended,
}

impl Told<'_> {
    fn page(&self) -> String {
        let stopped = self.summary.count(Decision::Block) + self.summary.count(Decision::Ask);
        let title =
            format!("{} of {} would be stopped", thousands(stopped), counted(self.ended.totals.actions, "action"));
        let mut page = Document::new(&title);
        self.head(&mut page, &title);
        page.open("main", &[("id", "main")]);
        self.decisions(&mut page);
        self.stopped(&mut page, Decision::Block, "Would be blocked");
        self.stopped(&mut page, Decision::Ask, "Would have to ask");
        self.not_understood(&mut page);
        self.not_read(&mut page);
        foot(&mut page);
        page.finish()
    }

    fn head(&self, page: &mut Document, title: &str) {
        let totals = &self.ended.totals;
        page.open("header", &[]);
        page.line("h1", &[], title);
        page.open("dl", &[]);
        policy(page, self.heading);
        let config = self.heading.config.as_deref();
        page.term("Configuration", config.unwrap_or("no nearmiss.toml found: environments are unknown"));
        let (sessions, files) = (counted(totals.sessions, "session"), counted(totals.files, "file"));
        page.term("Read", &format!("{} in {sessions}, {files}", counted(totals.actions, "action")));
        if let (Some(first), Some(last)) = (self.summary.first, self.summary.last) {
            page.term("From, to", &format!("{}, {}", minute(&first.to_string()), minute(&last.to_string())));
        }
        let formats: Vec<String> = totals.formats.iter().map(|(name, count)| format!("{name} {count}")).collect();
        if !formats.is_empty() {
            page.term("Formats", &formats.join(", "));
        }
        if totals.copies > 0 {
            page.term("Left out", &counted(totals.copies, "copy of an action|copies of actions"));
        }
        page.close();
        if self.summary.errors > 0 {
            let actions = counted(self.summary.errors, "action");
            page.line("p", &[("class", "block")], &format!("{actions} met a condition that could not be evaluated."));
        }
        if self.ended.interrupted {
            page.line("p", &[("class", "block")], "Interrupted: this is only what was read until then.");
        }
        page.close();
    }

    fn decisions(&self, page: &mut Document) {
        page.table("What the policy says", &["decision", "actions"]);
        for decision in [Decision::Block, Decision::Ask, Decision::Undecided, Decision::Allow] {
            page.open("tr", &[]);
            page.line("th", &[("scope", "row"), ("class", decision.word())], decision.word());
            page.line("td", &[("class", "number")], &thousands(self.summary.count(decision)));
            page.close();
        }
        page.close_table();
        let mut rules = Vec::new();
        for decision in [Decision::Block, Decision::Ask] {
            rules.extend(self.summary.rules(decision).into_iter().enumerate().map(|(at, rule)| (decision, at, rule)));
        }
        if rules.is_empty() {
            return;
        }
        page.open("nav", &[("aria-label", "Rules")]);
        page.table("Rules that stop something", &["rule", "severity", "decision", "actions"]);
        for (decision, at, rule) in &rules {
            page.open("tr", &[]);
            page.open("th", &[("scope", "row")]);
            page.line("a", &[("href", &format!("#{decision}-{at}"))], &rule.rule.id);
            page.close();
            page.line("td", &[], rule.rule.severity.word());
            page.line("td", &[], decision.word());
            page.line("td", &[("class", "number")], &thousands(rule.count()));
            page.close();
        }
        page.close_table();
        page.close();
    }

    fn stopped(&self, page: &mut Document, decision: Decision, title: &str) {
        let rules = self.summary.rules(decision);
        if rules.is_empty() {
            return;
        }
        page.open("section", &[]);
        let actions = counted(self.summary.count(decision), "action");
        page.pieces("h2", &[("class", decision.word())], &[("", title), ("", ": "), ("", &actions)]);
        match rules.iter().map(RuleGroups::further).sum() {
            0 => {}
            1 => page.line("p", &[("class", "quiet")], "1 of them is another log's record of the same act."),
            further => {
                let said = format!("{} of them are other logs' records of the same acts.", thousands(further));
                page.line("p", &[("class", "quiet")], &said);
            }
        }
        for (at, rule) in rules.iter().enumerate() {
            self.rule(page, rule, &format!("{decision}-{at}"));
        }
        page.close();
    }

    fn rule(&self, page: &mut Document, rule: &RuleGroups<'_>, id: &str) {
        page.open("article", &[("id", id), ("aria-label", &rule.rule.id)]);
        page.open("h3", &[]);
        page.line("span", &[("class", class_of(rule.rule.severity))], rule.rule.severity.word());
        page.line("span", &[], &rule.rule.id);
        page.line("span", &[("class", "quiet")], &counted(rule.count(), "action"));
        page.close();
        page.line("p", &[], &rule.rule.message);
        if !rule.rule.advice.is_empty() {
            page.pieces("p", &[], &[("strong", "Instead:"), ("", " "), ("", &rule.rule.advice)]);
        }
        // An act is shown once, by the log that tells most of it.
        let groups: Vec<&Group> = rule.groups.iter().copied().filter(|group| group.further < group.count).collect();
        if groups.is_empty() {
            let said = "Only in further records of acts that are told elsewhere on this page.";
            page.line("p", &[("class", "quiet")], said);
        }
        for group in groups.iter().take(MAX_EXAMPLES) {
            self.example(page, &group.example, group.count);
        }
        if groups.len() > MAX_EXAMPLES {
            let more = counted((groups.len() - MAX_EXAMPLES) as u64, "other shape");
            page.line("p", &[("class", "quiet")], &format!("And {more}; --format json has all of them."));
        }
        page.close();
    }

    fn example(&self, page: &mut Document, example: &Example, count: u64) {
        let text = if self.heading.no_redact { example.text.as_ref().into() } else { redacted(&example.text) };
        page.code("What was run", &text, &example.spans);
        let tool = example.tool.as_ref().map(|tool| format!(" with {}", escaped(tool))).unwrap_or_default();
        let time = example.time.map(|time| format!(", {}", second(&time.to_string()))).unwrap_or_default();
        let refused = if example.executed == Executed::No { ", was not run" } else { "" };
        let like = if count > 1 { format!("; {} more like it", thousands(count - 1)) } else { String::new() };
        let (id, file) = (&example.id.to_string()[..8], escaped(&example.file));
        let said = format!("{}{tool}{time}{refused}; {file}:{}, {id}{like}", who(&example.actor), example.line);
        page.line("p", &[("class", "quiet")], &said);
        if !example.evidence.is_empty() {
            page.open("ul", &[("class", "quiet")]);
            for evidence in &example.evidence {
                let (id, file) = (&evidence.id.to_string()[..8], escaped(&evidence.file));
                page.line("li", &[], &format!("also told by {}: {file}:{}, {id}", evidence.format, evidence.line));
            }
            page.close();
        }
    }

    fn not_understood(&self, page: &mut Document) {
        let undecided = self.summary.count(Decision::Undecided);
        if undecided == 0 {
            return;
        }
        page.open("section", &[]);
        page.line("h2", &[("class", "undecided")], &format!("Not understood: {}", counted(undecided, "action")));
        page.line("p", &[], "Nothing known stops them, but something in them is not known.");
        page.table("What is not known", &["kind", "actions", "for example"]);
        let mut kinds: Vec<_> = self.summary.gaps.iter().collect();
        kinds.sort_by_key(|(kind, tally)| (std::cmp::Reverse(tally.actions), **kind));
        for (kind, tally) in kinds {
            let mut details: Vec<_> = tally.details.iter().collect();
            details.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
            let shown = |(detail, count): &(&String, &u64)| {
                let detail = if self.heading.no_redact { (**detail).clone() } else { redacted(detail).into_owned() };
                let detail = short(&escaped(&detail), 80);
                if **count > 1 { format!("{detail} ({count})") } else { detail }
            };
            let mut said = details.iter().take(MAX_DETAILS).map(shown).collect::<Vec<_>>().join(", ");
            if details.len() > MAX_DETAILS {
                said.push_str(" …");
            }
            page.open("tr", &[]);
            page.line("th", &[("scope", "row")], kind.word());
            page.line("td", &[("class", "number")], &thousands(tally.actions));
            page.line("td", &[], &said);
            page.close();
        }
        page.close_table();
        page.close();
    }

    fn not_read(&self, page: &mut Document) {
        if self.summary.issues.is_empty() {
            return;
        }
        page.open("section", &[]);
        match self.ended.totals.unread {
            0 => page.line("h2", &[], "Noted: every record was read"),
            unread => {
                page.line("h2", &[], &format!("Not read: {}", counted(unread, "record")));
                let share = self.ended.totals.coverage() * 100.0;
                page.line("p", &[], &format!("{share:.2} % of all records were read."));
            }
        }
        issues(page, self.summary.issues.iter(), self.summary.more_issues);
        page.close();
    }
}
