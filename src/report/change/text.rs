//! For a person at a terminal: loosened first, each with one example and the line that did it.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::engine::compare::{Group, Transition};
use crate::model::Decision;
use crate::report::display::marked;
use crate::report::text::{counted, thousands};
use crate::report::{escaped, redacted};

use super::{ChangeReport, Told, edits, place, said};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const BLUE: Style = AnsiColor::Blue.on_default().bold();

/// Groups shown per transition; the rest is counted in one line.
const MAX_GROUPS: usize = 30;

#[derive(Debug)]
pub(super) struct Text;

impl ChangeReport for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn about(&self) -> &'static str {
        "a summary to read (the default)"
    }

    fn is_styled(&self) -> bool {
        true
    }

    fn tell(&self, told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
        let mut page = Page { told, out };
        page.head()?;
        page.table()?;
        page.transition(Transition::Loosened, "LOOSENED", RED)?;
        page.transition(Transition::Tightened, "TIGHTENED", YELLOW)?;
        page.transition(Transition::Undecided, "BECAME UNDECIDED", BLUE)?;
        page.transition(Transition::Reattributed, "RE-ATTRIBUTED", BOLD)?;
        page.unnoticed()?;
        page.cases()?;
        page.gate()?;
        page.out.flush()
    }
}

struct Page<'a> {
    told: &'a Told<'a>,
    out: &'a mut dyn Write,
}

impl Page<'_> {
    fn head(&mut self) -> io::Result<()> {
        for (word, heading) in [("base", self.told.base), ("head", self.told.head)] {
            let policies = heading.policies.join(" + ");
            let rules = counted(heading.rules as u64, "rule");
            writeln!(self.out, "{BOLD}{word}{BOLD:#}  {policies} ({rules}, {})", heading.policy_digest)?;
        }
        let totals = self.told.totals;
        writeln!(
            self.out,
            "{DIM}over {} in {}, {} ({:.2} s){DIM:#}",
            counted(totals.actions, "action"),
            counted(totals.sessions, "session"),
            counted(totals.files, "file"),
            self.told.elapsed.as_secs_f64(),
        )?;
        if self.told.impact.meanings {
            writeln!(
                self.out,
                "{YELLOW}names mean something else after the change{YELLOW:#}: environments, actors, labels or programs in nearmiss.toml"
            )?;
        }
        Ok(())
    }

    /// Four decisions before, four after.
    fn table(&mut self) -> io::Result<()> {
        let impact = self.told.impact;
        if impact.total() == 0 {
            return Ok(());
        }
        write!(self.out, "\n{DIM}{:<12}", "base \\ head")?;
        for head in Decision::ALL {
            write!(self.out, "{:>12}", head.word())?;
        }
        writeln!(self.out, "{DIM:#}")?;
        for (base, row) in Decision::ALL.iter().zip(&impact.table) {
            write!(self.out, "{DIM}{:<12}{DIM:#}", base.word())?;
            for (head, count) in Decision::ALL.iter().zip(row) {
                let style = match (base.cmp(head), *count) {
                    (_, 0) | (std::cmp::Ordering::Equal, _) => Style::new(),
                    (std::cmp::Ordering::Greater, _) => RED,
                    (std::cmp::Ordering::Less, _) => YELLOW,
                };
                write!(
                    self.out,
                    "{style}{:>12}{style:#}",
                    if *count == 0 { "·".to_owned() } else { thousands(*count) }
                )?;
            }
            writeln!(self.out)?;
        }
        Ok(())
    }

    fn transition(&mut self, transition: Transition, title: &str, style: Style) -> io::Result<()> {
        let groups: Vec<&Group> = self.told.impact.groups(transition).collect();
        if groups.is_empty() {
            return Ok(());
        }
        let actions = self.told.impact.actions(transition);
        let templates = counted(groups.len() as u64, "template");
        writeln!(self.out, "\n{style}{title}{style:#}  {templates}, {}", counted(actions, "action"))?;
        for group in groups.iter().take(MAX_GROUPS) {
            self.group(group)?;
        }
        if groups.len() > MAX_GROUPS {
            writeln!(
                self.out,
                "  {DIM}and {} more; `--format json` has all of them{DIM:#}",
                groups.len() - MAX_GROUPS
            )?;
        }
        Ok(())
    }

    fn group(&mut self, group: &Group) -> io::Result<()> {
        let width = self.told.head.width;
        let secret = |text: &str| if self.told.head.no_redact { text.to_owned() } else { redacted(text).into_owned() };
        writeln!(
            self.out,
            "\n  {BOLD}{}{BOLD:#}  {}  {} -> {}  {}x, {}",
            group.id,
            escaped(&secret(&group.template)),
            group.base,
            group.head,
            thousands(group.count),
            counted(group.actors.len() as u64, "actor"),
        )?;
        for change in edits(self.told.impact, group) {
            writeln!(
                self.out,
                "    {}: {}  {DIM}{}:{}{DIM:#}",
                change.id,
                escaped(&said(change)),
                change.file,
                change.line
            )?;
        }
        if edits(self.told.impact, group).next().is_none() {
            for rule in group.rules() {
                writeln!(self.out, "    {}  {DIM}{}{DIM:#}", rule.id, place(rule))?;
            }
        }
        let example = &group.example;
        let line = marked(&secret(&example.text), &example.spans, width.saturating_sub(4));
        writeln!(self.out, "    {}", line.text)?;
        if !line.marks.is_empty() {
            writeln!(self.out, "    {DIM}{}{DIM:#}", line.marks)?;
        }
        let time = example.time.map(|time| format!(", {time}")).unwrap_or_default();
        writeln!(
            self.out,
            "    {DIM}{} {}{time}  {} {}:{}{DIM:#}",
            example.actor.kind,
            escaped(&example.actor.name),
            example.environment,
            escaped(&example.file),
            example.line,
        )
    }

    /// Edits that no action noticed: nobody knows what they do.
    fn unnoticed(&mut self) -> io::Result<()> {
        let impact = self.told.impact;
        let noticed = |id: &str| impact.groups.iter().any(|group| group.rules().any(|rule| rule.id == id));
        let changes: Vec<_> = impact.rules.iter().filter(|change| !noticed(&change.id)).collect();
        if changes.is_empty() {
            return Ok(());
        }
        writeln!(
            self.out,
            "\n{BOLD}NOT SEEN{BOLD:#}  {} that no action noticed",
            counted(changes.len() as u64, "edit")
        )?;
        for change in changes.iter().take(MAX_GROUPS) {
            let what = escaped(&said(change));
            writeln!(self.out, "  {}: {what}  {DIM}{}:{}{DIM:#}", change.id, change.file, change.line)?;
        }
        if changes.len() > MAX_GROUPS {
            writeln!(self.out, "  {DIM}and {} more{DIM:#}", changes.len() - MAX_GROUPS)?;
        }
        Ok(())
    }

    fn cases(&mut self) -> io::Result<()> {
        let cases = self.told.cases;
        if cases.is_empty() {
            return Ok(());
        }
        let wrong: Vec<_> = cases.iter().filter_map(|outcome| Some((outcome, outcome.problem()?))).collect();
        let style = if wrong.is_empty() { GREEN } else { RED };
        writeln!(self.out, "\n{style}CASES{style:#}  {} of {} as expected", cases.len() - wrong.len(), cases.len())?;
        for (outcome, problem) in wrong {
            let case = &outcome.case;
            writeln!(self.out, "  {}: {problem}  {DIM}{}:{}{DIM:#}", escaped(&case.name), case.file, case.line)?;
        }
        Ok(())
    }

    fn gate(&mut self) -> io::Result<()> {
        let Some(gate) = self.told.gate else { return Ok(()) };
        if gate.passed() {
            writeln!(self.out, "\n{GREEN}gate passed{GREEN:#}")?;
        } else {
            let reasons = counted(gate.failures.len() as u64, "reason");
            writeln!(self.out, "\n{RED}gate failed{RED:#}: {reasons}")?;
            for failure in &gate.failures {
                writeln!(self.out, "  {}: {}", failure.kind, escaped(&failure.message))?;
            }
        }
        Ok(())
    }
}
