//! The report for a person at a terminal: what was read, what would be stopped, what was not understood.

use std::io::{self, Write};

use anstyle::Style;

use crate::model::{Actor, ActorKind, Decision, Executed, Finding, Issue, Severity};
use crate::report::palette::{BLUE, BOLD, DIM, RED, YELLOW};

use super::display::marked;
use super::summary::{Group, RuleGroups, Summary};
use super::{Ended, Heading, Report, Telling, escaped, redacted};

/// Rules shown per decision; the rest is counted in one line.
const MAX_RULES: usize = 30;
/// Examples of different shapes shown per rule.
const MAX_EXAMPLES: usize = 5;
/// Records of other logs that are named per example.
const MAX_EVIDENCE: usize = 3;
/// Examples shown of what was not understood, per kind.
const MAX_DETAILS: usize = 5;

#[derive(Debug)]
pub(super) struct Text;

impl Report for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn about(&self) -> &'static str {
        "a summary to read (the default)"
    }

    fn is_styled(&self) -> bool {
        true
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

    fn finish(mut self: Box<Self>, ended: &Ended) -> io::Result<()> {
        self.summary.link();
        self.head(ended)?;
        self.stopped(Decision::Block, "WOULD BE BLOCKED", RED)?;
        self.stopped(Decision::Ask, "WOULD HAVE TO ASK", YELLOW)?;
        self.not_understood()?;
        self.not_read(ended)?;
        self.foot(ended)?;
        self.out.flush()
    }
}

impl Page<'_> {
    fn head(&mut self, ended: &Ended) -> io::Result<()> {
        let Heading { policies, policy_digest, rules, config, .. } = &self.heading;
        let config = config.as_deref().map_or_else(
            || "no nearmiss.toml found: environments are unknown".to_owned(),
            |file| format!("configured by {file}"),
        );
        writeln!(
            self.out,
            "{BOLD}nearmiss {}{BOLD:#}  policy {} ({}, {policy_digest})\n{DIM}{config}{DIM:#}",
            env!("CARGO_PKG_VERSION"),
            policies.join(" + "),
            counted(*rules as u64, "rule"),
        )?;
        if let Some(filter) = &self.heading.filter {
            writeln!(self.out, "{YELLOW}told of{YELLOW:#}: {}", escaped(filter))?;
        }
        let totals = &ended.totals;
        write!(
            self.out,
            "read {} in {}, {}",
            counted(totals.actions, "action"),
            counted(totals.sessions, "session"),
            counted(totals.files, "file"),
        )?;
        if let (Some(first), Some(last)) = (self.summary.first, self.summary.last) {
            write!(self.out, ", {} to {}", minute(&first.to_string()), minute(&last.to_string()))?;
        }
        let formats: Vec<String> = totals.formats.iter().map(|(name, count)| format!("{name} {count}")).collect();
        writeln!(self.out)?;
        if !formats.is_empty() {
            writeln!(self.out, "{DIM}     {}{DIM:#}", formats.join("  "))?;
        }
        if totals.actions == 0 && totals.other_records > 0 {
            let records = counted(totals.other_records, "record");
            writeln!(self.out, "{DIM}     {records} without an action: log-ins, checkpoints, prompts …{DIM:#}")?;
        }
        if totals.copies > 0 {
            writeln!(
                self.out,
                "{DIM}     {} left out{DIM:#}",
                counted(totals.copies, "copy of an action|copies of actions")
            )?;
        }
        Ok(())
    }

    fn stopped(&mut self, decision: Decision, title: &str, style: Style) -> io::Result<()> {
        let rules = self.summary.rules(decision);
        if rules.is_empty() {
            return Ok(());
        }
        let actions = self.summary.count(decision);
        let further = match rules.iter().map(RuleGroups::further).sum() {
            0 => String::new(),
            1 => ", 1 of them another log's record of the same act".to_owned(),
            further => format!(", {} of them other logs' records of the same acts", thousands(further)),
        };
        writeln!(self.out, "\n{style}{title}{style:#}  {}{further}", counted(actions, "action"))?;
        for rule in rules.iter().take(MAX_RULES) {
            show_rule(self.out, rule, &self.heading)?;
        }
        if rules.len() > MAX_RULES {
            let more = counted((rules.len() - MAX_RULES) as u64, "rule");
            writeln!(self.out, "\n  {DIM}and {more} more; `--format json` has all of them{DIM:#}")?;
        }
        Ok(())
    }

    fn not_understood(&mut self) -> io::Result<()> {
        let undecided = self.summary.count(Decision::Undecided);
        if undecided == 0 {
            return Ok(());
        }
        writeln!(
            self.out,
            "\n{BLUE}NOT UNDERSTOOD{BLUE:#}  {} undecided: nothing known stops them, but something in them is not known",
            counted(undecided, "action"),
        )?;
        let mut kinds: Vec<_> = self.summary.gaps.iter().collect();
        kinds.sort_by_key(|(kind, tally)| (std::cmp::Reverse(tally.actions), **kind));
        for (kind, tally) in kinds {
            let mut details: Vec<_> = tally.details.iter().collect();
            details.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
            let shown: Vec<String> = details
                .iter()
                .take(MAX_DETAILS)
                .map(|(detail, count)| {
                    let detail =
                        if self.heading.no_redact { (**detail).clone() } else { redacted(detail).into_owned() };
                    let detail = short(&escaped(&detail), 48);
                    if **count > 1 { format!("{detail} ({count})") } else { detail }
                })
                .collect();
            let more = if details.len() > MAX_DETAILS { " …" } else { "" };
            writeln!(self.out, "  {:<23} {:>5}  {}{more}", kind.word(), tally.actions, shown.join(", "))?;
        }
        Ok(())
    }

    fn not_read(&mut self, ended: &Ended) -> io::Result<()> {
        if self.summary.issues.is_empty() {
            return Ok(());
        }
        match ended.totals.unread {
            0 => writeln!(self.out, "\n{BLUE}NOTED{BLUE:#}  every record was read, but")?,
            unread => writeln!(
                self.out,
                "\n{BLUE}NOT READ{BLUE:#}  {} ({:.2} % of all records were read)",
                counted(unread, "record"),
                ended.totals.coverage() * 100.0,
            )?,
        }
        for issue in &self.summary.issues {
            writeln!(self.out, "  {}", located(issue))?;
        }
        if self.summary.more_issues > 0 {
            writeln!(self.out, "  {DIM}and {} more{DIM:#}", self.summary.more_issues)?;
        }
        Ok(())
    }

    fn foot(&mut self, ended: &Ended) -> io::Result<()> {
        let summary = &self.summary;
        let seconds = ended.elapsed.as_secs_f64();
        // The rate of a short run is that of starting.
        let rate = if seconds < 1.0 {
            String::new()
        } else {
            format!(" ({} per second)", thousands((ended.totals.actions as f64 / seconds) as u64))
        };
        writeln!(
            self.out,
            "\n{RED}{} block{RED:#}  {YELLOW}{} ask{YELLOW:#}  {BLUE}{} undecided{BLUE:#}  {BOLD}{} allow{BOLD:#}    \
             {DIM}{} in {seconds:.2} s{rate}{DIM:#}",
            thousands(summary.count(Decision::Block)),
            thousands(summary.count(Decision::Ask)),
            thousands(summary.count(Decision::Undecided)),
            thousands(summary.count(Decision::Allow)),
            counted(ended.totals.actions, "action"),
        )?;
        if summary.errors > 0 {
            let actions = counted(summary.errors, "action");
            writeln!(
                self.out,
                "{RED}{actions} met a condition that could not be evaluated{RED:#}: `nearmiss check` the policy"
            )?;
        }
        if ended.interrupted {
            writeln!(self.out, "interrupted: this is only what was read until then")?;
        }
        let first = [Decision::Block, Decision::Ask]
            .iter()
            .find_map(|decision| summary.rules(*decision).first().and_then(|rule| rule.groups.first().copied()));
        if let (Some(group), Some(again)) = (first, &self.heading.again) {
            let id = group.example.id.to_string();
            writeln!(self.out, "{DIM}why: nearmiss explain {} {again}{DIM:#}", &id[..8])?;
        }
        if let Some(again) = self.heading.again.as_ref().filter(|_| summary.count(Decision::Allow) > 0) {
            writeln!(self.out, "{DIM}which of the allowed ones were luck: nearmiss near {again}{DIM:#}")?;
        }
        Ok(())
    }
}

fn show_rule(out: &mut dyn Write, rule: &RuleGroups<'_>, heading: &Heading) -> io::Result<()> {
    let style = severity_style(rule.rule.severity);
    let times = if rule.count() > 1 { format!("  {}", counted(rule.count(), "action")) } else { String::new() };
    writeln!(out, "\n  {style}{}{style:#}  {BOLD}{}{BOLD:#}{times}", rule.rule.severity, rule.rule.id)?;
    // An act is shown once, by the log that tells most of it.
    let groups: Vec<&Group> = rule.groups.iter().copied().filter(|group| group.further < group.count).collect();
    if groups.is_empty() {
        return writeln!(out, "    {DIM}only in further records of acts that are told elsewhere on this page{DIM:#}");
    }
    for (at, group) in groups.iter().take(MAX_EXAMPLES).enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        show_example(out, group, style, heading)?;
    }
    if groups.len() > MAX_EXAMPLES {
        let more = counted((groups.len() - MAX_EXAMPLES) as u64, "other shape");
        writeln!(out, "    {DIM}and {more}; `--rule {} --format json` has all of them{DIM:#}", rule.rule.id)?;
    }
    paragraph(out, "", &rule.rule.message, heading.width)?;
    if rule.rule.advice.is_empty() { Ok(()) } else { paragraph(out, "instead:", &rule.rule.advice, heading.width) }
}

fn show_example(out: &mut dyn Write, group: &Group, style: Style, heading: &Heading) -> io::Result<()> {
    let example = &group.example;
    let text = if heading.no_redact { example.text.as_ref().into() } else { redacted(&example.text) };
    let line = marked(&text, &example.spans, heading.width.saturating_sub(4).max(40));
    writeln!(out, "    {}", line.text)?;
    if !line.marks.is_empty() {
        writeln!(out, "    {style}{}{style:#}", line.marks)?;
    }
    let who = who(&example.actor);
    let tool = example.tool.as_ref().map(|tool| format!(" with {}", escaped(tool))).unwrap_or_default();
    let time = example.time.map(|time| format!(", {}", second(&time.to_string()))).unwrap_or_default();
    let refused = if example.executed == Executed::No { ", was not run" } else { "" };
    let times =
        if group.count > 1 { format!("  {} like it", counted(group.count - 1, "more|more")) } else { String::new() };
    writeln!(
        out,
        "    {DIM}{who}{tool}{time}{refused}  {}:{}  {}{times}{DIM:#}",
        escaped(&example.file),
        example.line,
        &example.id.to_string()[..8],
    )?;
    for evidence in example.evidence.iter().take(MAX_EVIDENCE) {
        let id = &evidence.id.to_string()[..8];
        let file = escaped(&evidence.file);
        writeln!(out, "    {DIM}also told by {}  {file}:{}  {id}{DIM:#}", evidence.format, evidence.line)?;
    }
    if example.evidence.len() > MAX_EVIDENCE {
        writeln!(
            out,
            "    {DIM}and by {} more{DIM:#}",
            counted((example.evidence.len() - MAX_EVIDENCE) as u64, "record")
        )?;
    }
    Ok(())
}

/// `agent claude`
pub(crate) fn who(actor: &Actor) -> String {
    match (actor.kind, &*escaped(&actor.name)) {
        (ActorKind::Unknown, "") => "nobody is named".to_owned(),
        (ActorKind::Unknown, name) => name.to_owned(),
        (kind, "") => kind.to_string(),
        (kind, name) => format!("{kind} {name}"),
    }
}

/// Words broken into lines below a rule, the first after a dim `label`.
fn paragraph(out: &mut dyn Write, label: &str, text: &str, width: usize) -> io::Result<()> {
    let room = width.saturating_sub(4).max(40);
    let mut used = label.len();
    write!(out, "    {DIM}{label}{DIM:#}")?;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > room {
            write!(out, "\n    {word}")?;
            used = length;
        } else {
            write!(out, "{}{word}", if used > 0 { " " } else { "" })?;
            used += length + usize::from(used > 0);
        }
    }
    writeln!(out)
}

/// `file:line (byte n): problem; advice`
pub(crate) fn located(issue: &Issue) -> String {
    let mut line = escaped(&issue.file);
    if issue.line > 0 {
        line.push_str(&format!(":{} (byte {})", issue.line, issue.offset));
    }
    line.push_str(": ");
    line.push_str(&escaped(&issue.problem));
    if !issue.advice.is_empty() {
        line.push_str("; ");
        line.push_str(&issue.advice);
    }
    line
}

fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Critical | Severity::High => RED,
        Severity::Medium => YELLOW,
        Severity::Low | Severity::Info => BLUE,
    }
}

/// `1 action`, `1,234 actions`; `one|many` names both forms.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let (one, many) = noun.split_once('|').map_or_else(|| (noun, format!("{noun}s")), |(a, b)| (a, b.to_owned()));
    format!("{} {}", thousands(count), if count == 1 { one } else { &many })
}

pub(crate) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// RFC 3339 down to the minute: `2026-11-21 02:07Z`.
pub(super) fn minute(time: &str) -> String {
    time.get(..16).map_or_else(|| time.to_owned(), |minute| format!("{}Z", minute.replace('T', " ")))
}

pub(crate) fn second(time: &str) -> String {
    time.get(..19).map_or_else(|| time.to_owned(), |second| format!("{}Z", second.replace('T', " ")))
}

pub(crate) fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
