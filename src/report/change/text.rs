//! For a person at a terminal: loosened first, each with one example and the line that did it.

use std::io::{self, Write};

use anstyle::Style;

use crate::engine::compare::{Group, Transition};
use crate::engine::gate::{Acceptance, Failure, Gate};
use crate::model::Decision;
use crate::policy::RuleChange;
use crate::report::display::marked;
use crate::report::palette::{BLUE, BOLD, DIM, GREEN, RED, YELLOW};
use crate::report::text::{counted, thousands};
use crate::report::{escaped, redacted};

use super::said::{Standing, cut, said, wrapped};
use super::{ChangeReport, Told};

/// Groups shown per transition; the rest is counted in one line.
const MAX_GROUPS: usize = 30;
/// Edits shown per group.
const MAX_EDITS: usize = 5;
/// Rules shown whose frontier moved.
const MAX_MOVED: usize = 5;

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
        page.frontier()?;
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
        if let Some(filter) = &self.told.head.filter {
            writeln!(self.out, "{YELLOW}only of{YELLOW:#}: {}", escaped(filter))?;
        }
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
        let groups = self.told.groups(transition);
        if groups.is_empty() {
            return Ok(());
        }
        let actions = counted(self.told.impact.actions(transition), "action");
        let templates = counted(groups.len() as u64, "template");
        let open = groups.iter().filter(|group| self.told.standing(group).fails()).count();
        let open = if open > 0 { format!(", {open} to be accepted") } else { String::new() };
        writeln!(self.out, "\n{style}{title}{style:#}  {templates}, {actions}{open}")?;
        let accepted = |group: &&Group| matches!(self.told.standing(group), Standing::Accepted(_));
        let (folded, shown): (Vec<&Group>, Vec<&Group>) = groups.iter().partition(|group| accepted(group));
        for group in shown.iter().take(MAX_GROUPS) {
            self.group(group)?;
        }
        self.more(shown.len())?;
        if !folded.is_empty() {
            writeln!(self.out, "\n  {DIM}accepted{DIM:#}")?;
        }
        for group in folded.iter().take(MAX_GROUPS) {
            if let Standing::Accepted(acceptance) = self.told.standing(group) {
                let seen = Told::seen(group);
                self.acceptance(acceptance, &format!("{} -> {}, {seen}", group.base, group.head))?;
            }
        }
        self.more(folded.len())
    }

    fn more(&mut self, all: usize) -> io::Result<()> {
        let Some(left) = all.checked_sub(MAX_GROUPS).filter(|left| *left > 0) else { return Ok(()) };
        writeln!(self.out, "\n  {DIM}and {left} more; `--format json` has all of them{DIM:#}")
    }

    fn group(&mut self, group: &Group) -> io::Result<()> {
        let width = self.told.head.width;
        let template = cut(&self.told.shown(&group.template), width.saturating_sub(16));
        writeln!(self.out, "\n  {BOLD}{}{BOLD:#}  {BOLD}{template}{BOLD:#}", group.id)?;
        let mut facts = vec![format!("{} -> {}", group.base, group.head), Told::seen(group)];
        facts.extend(Some(Told::wherever(group)).filter(|place| !place.is_empty()));
        if group.count > 1 {
            facts.extend(group.first.map(|first| format!("first {}", day(&first.to_string()))));
        }
        writeln!(self.out, "    {}", facts.join(", "))?;
        if let Standing::Expired(acceptance) = self.told.standing(group) {
            let until = acceptance.until.map(|until| until.to_string()).unwrap_or_default();
            writeln!(self.out, "    {RED}accepted until {until}{RED:#}: {}", escaped(&acceptance.reason))?;
        }
        self.edits(group)?;
        self.example(group)?;
        if let Some(hint) = self.told.hint(group) {
            writeln!(self.out, "    {BLUE}hint{BLUE:#}: {hint}")?;
        }
        Ok(())
    }

    /// The lines of the policy that did it.
    fn edits(&mut self, group: &Group) -> io::Result<()> {
        let edits = self.told.edits(group);
        for change in edits.iter().take(MAX_EDITS) {
            self.edit(change, "    ")?;
        }
        if edits.len() > MAX_EDITS {
            writeln!(self.out, "    {DIM}and {} more edits{DIM:#}", edits.len() - MAX_EDITS)?;
        }
        if edits.is_empty() {
            for (why, spot) in self.told.why(group).into_iter().take(MAX_EDITS) {
                let spot = spot.map(|spot| format!("{}:{}", spot.file, spot.line)).unwrap_or_default();
                writeln!(self.out, "    {why}  {DIM}{spot}{DIM:#}")?;
            }
        }
        Ok(())
    }

    fn edit(&mut self, change: &RuleChange, indent: &str) -> io::Result<()> {
        let (id, file) = (escaped(&change.id), escaped(&change.file));
        match &said(change)[..] {
            [word] if !word.contains('`') => {
                writeln!(self.out, "{indent}{id}: {word}  {DIM}{file}:{}{DIM:#}", change.line)
            }
            lines => {
                writeln!(self.out, "{indent}{id}  {DIM}{file}:{}{DIM:#}", change.line)?;
                let width = self.told.head.width.saturating_sub(indent.len() + 4);
                for line in lines {
                    for (at, part) in wrapped(&escaped(line), width).iter().enumerate() {
                        writeln!(self.out, "{indent}{}{part}", if at == 0 { "  " } else { "    " })?;
                    }
                }
                Ok(())
            }
        }
    }

    fn example(&mut self, group: &Group) -> io::Result<()> {
        let example = &group.example;
        let secret = if self.told.head.no_redact { example.text.as_ref().into() } else { redacted(&example.text) };
        let line = marked(&secret, &example.spans, self.told.head.width.saturating_sub(8));
        writeln!(self.out, "      {}", line.text)?;
        if !line.marks.is_empty() {
            writeln!(self.out, "      {DIM}{}{DIM:#}", line.marks)?;
        }
        let mut facts = vec![format!("{} {}", example.actor.kind, self.told.shown(&example.actor.name))];
        facts.extend(example.time.map(|time| time.to_string()));
        facts.push(example.environment.to_string());
        // As the user named it, so that a click on it opens it.
        let source = if group.count > 0 {
            format!("{}:{}", self.told.shown(&example.file), example.line)
        } else {
            self.told.source_said(group)
        };
        writeln!(self.out, "      {DIM}{}  {source}{DIM:#}", facts.join(", "))
    }

    /// One line for what somebody said yes to: who, until when, why.
    fn acceptance(&mut self, acceptance: &Acceptance, about: &str) -> io::Result<()> {
        let width = self.told.head.width;
        let template = cut(&self.told.shown(&acceptance.template), width.saturating_sub(16));
        writeln!(self.out, "  {}  {template}", acceptance.id)?;
        let by = acceptance.by.as_ref().map(|by| format!(" by {}", escaped(by))).unwrap_or_default();
        let until = acceptance.until.map(|until| format!(" until {until}")).unwrap_or_default();
        writeln!(self.out, "    {DIM}{about}{DIM:#}; accepted{by}{until}: {}", escaped(&acceptance.reason))
    }

    /// Rules that came closer to what passes.
    fn frontier(&mut self) -> io::Result<()> {
        let moved = &self.told.impact.frontier;
        if moved.is_empty() {
            return Ok(());
        }
        let nearer = moved.iter().map(|moved| moved.nearer).sum();
        let farther: u64 = moved.iter().map(|moved| moved.farther).sum();
        writeln!(
            self.out,
            "\n{BOLD}FRONTIER{BOLD:#}  of what passes, {} one condition nearer to a rule, {} farther",
            counted(nearer, "action came|actions came"),
            thousands(farther),
        )?;
        for moved in moved.iter().take(MAX_MOVED) {
            writeln!(
                self.out,
                "  {}: {} nearer, {} farther",
                moved.rule,
                thousands(moved.nearer),
                thousands(moved.farther)
            )?;
        }
        if moved.len() > MAX_MOVED {
            writeln!(self.out, "  {DIM}and {} more rules{DIM:#}", moved.len() - MAX_MOVED)?;
        }
        Ok(())
    }

    fn unnoticed(&mut self) -> io::Result<()> {
        let changes = self.told.unnoticed();
        if changes.is_empty() {
            return Ok(());
        }
        let edits = counted(changes.len() as u64, "edit");
        writeln!(self.out, "\n{BOLD}NOT SEEN{BOLD:#}  {edits} that no action noticed")?;
        for change in changes.iter().take(MAX_GROUPS) {
            self.edit(change, "  ")?;
        }
        self.more(changes.len())
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
        self.unused(gate)?;
        let headline = self.told.headline();
        if gate.passed() {
            return writeln!(self.out, "\n{GREEN}gate passed{GREEN:#}: {headline}");
        }
        writeln!(self.out, "\n{RED}gate failed{RED:#}: {headline}")?;
        for failure in gate.failures.iter().take(MAX_GROUPS) {
            let message = self.told.shown(&self.short(failure));
            let lines = wrapped(&format!("{}: {message}", failure.kind), self.told.head.width.saturating_sub(4));
            writeln!(self.out, "  {}", lines.join("\n    "))?;
        }
        self.more(gate.failures.len())?;
        if let Some(accept) = self.told.accept() {
            writeln!(
                self.out,
                "\nIf that is right, accept it and commit the file that this writes:\n  {BOLD}{accept}{BOLD:#}"
            )?;
        }
        Ok(())
    }

    /// A reason, without what is said of the change above.
    fn short(&self, failure: &Failure) -> String {
        let group = failure.change.and_then(|id| self.told.impact.groups.iter().find(|group| group.id == id));
        let reason = group.and_then(|group| {
            let about = format!("{} `{}` {} -> {}: ", group.id, group.template, group.base, group.head);
            Some(format!("{} ({})", group.id, failure.message.strip_prefix(&about)?))
        });
        reason.unwrap_or_else(|| failure.message.clone())
    }

    fn unused(&mut self, gate: &Gate) -> io::Result<()> {
        if gate.unused.is_empty() {
            return Ok(());
        }
        let many = counted(gate.unused.len() as u64, "acceptance");
        writeln!(
            self.out,
            "\n{BOLD}UNUSED{BOLD:#}  {many} of what this change does not do; merged by now, or changed since"
        )?;
        for acceptance in gate.unused.iter().take(MAX_GROUPS) {
            self.acceptance(acceptance, &escaped(&acceptance.transition))?;
        }
        self.more(gate.unused.len())
    }
}

/// The day of an RFC 3339 time.
fn day(time: &str) -> &str {
    time.split('T').next().unwrap_or(time)
}
