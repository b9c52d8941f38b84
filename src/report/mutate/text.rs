//! For a person at a terminal: the score of every rule, and each mutant that nobody notices with what would.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use crate::engine::mutate::{Fate, Notice, Ready, RuleSurvey};
use crate::policy::{ConditionSeen, Mutant, Mutation};
use crate::report::escaped;
use crate::report::text::counted;

use super::{MutantReport, Told};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

#[derive(Debug)]
pub(super) struct Text;

impl MutantReport for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn is_styled(&self) -> bool {
        true
    }

    fn tell(&self, told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
        let mut page = Page { told, out };
        page.head()?;
        for rule in &told.survey.rules {
            page.rule(rule)?;
        }
        page.equivalent()?;
        page.score()?;
        page.out.flush()
    }
}

struct Page<'a> {
    told: &'a Told<'a>,
    out: &'a mut dyn Write,
}

impl Page<'_> {
    fn head(&mut self) -> io::Result<()> {
        let told = self.told;
        let mutants = told.survey.mutants.all().len() as u64;
        writeln!(
            self.out,
            "{BOLD}{}{BOLD:#}  {}, {}",
            told.heading.policies.join(" + "),
            counted(told.survey.rules.len() as u64, "rule"),
            counted(mutants, "mutant"),
        )?;
        writeln!(
            self.out,
            "{DIM}held against {}, {}, {}, {}; {} looked at ({:.2} s){DIM:#}",
            counted(told.examples as u64, "example"),
            counted(told.cases as u64, "case"),
            counted(told.incidents as u64, "incident"),
            counted(told.pinned.actions, "pinned action"),
            counted(told.traces.actions, "other action"),
            told.elapsed.as_secs_f64(),
        )
    }

    /// A rule of which every mutant is killed and every condition was seen both ways is one line.
    fn rule(&mut self, rule: &RuleSurvey) -> io::Result<()> {
        let (killed, counted) = (rule.killed(), rule.counted());
        let style = if killed == counted { GREEN } else { RED };
        write!(self.out, "{style}{:>11}{style:#}  {}", format!("{killed} of {counted}"), rule.rule)?;
        match &rule.info {
            Some(info) => writeln!(self.out, "  {DIM}{}:{}{DIM:#}", info.file, info.line)?,
            None => writeln!(self.out, "  {DIM}permit{DIM:#}")?,
        }
        for (number, fate, ready) in &rule.mutants {
            let Some(mutant) = self.told.survey.mutants.all().get(*number) else { continue };
            match fate {
                Fate::Killed(_) | Fate::Equivalent(_) => {}
                Fate::Survived => self.survivor(mutant, None, ready.as_ref())?,
                Fate::Seen(notice) => self.survivor(mutant, Some(notice), ready.as_ref())?,
            }
        }
        for seen in &rule.conditions {
            if let Some(missing) = missing(seen) {
                writeln!(self.out, "{:13}{DIM}{missing}: {}{DIM:#}", "", escaped(&seen.text))?;
            }
        }
        Ok(())
    }

    fn survivor(&mut self, mutant: &Mutant, seen: Option<&Notice>, ready: Option<&Ready>) -> io::Result<()> {
        let Mutant { mutation, before, after, file, line, .. } = mutant;
        let what = match mutation {
            Mutation::Dropped => "a condition is dropped",
            Mutation::Negated => "a condition is turned round",
            Mutation::Widened => "a condition is widened",
            Mutation::Deleted => "the rule is deleted",
            Mutation::Swapped => "the rule decides otherwise",
        };
        writeln!(self.out, "\n{:13}{YELLOW}nobody notices{YELLOW:#} that {what}  {DIM}{file}:{line}{DIM:#}", "")?;
        let (before, after) = apart(before, after);
        if !before.is_empty() {
            writeln!(self.out, "{:13}- {}", "", escaped(&before))?;
        }
        if !after.is_empty() {
            writeln!(self.out, "{:13}+ {}", "", escaped(&after))?;
        }
        if let Some(Notice::Action { file, line, .. }) = seen {
            writeln!(
                self.out,
                "{:13}{DIM}{}:{line} is judged otherwise then, and pins nothing{DIM:#}",
                "",
                escaped(file)
            )?;
        }
        match ready {
            Some(Ready::Case(case)) => {
                writeln!(self.out, "{:13}this case would notice:", "")?;
                for line in self.told.secret(case).lines() {
                    writeln!(self.out, "  {}", escaped(line))?;
                }
            }
            Some(Ready::Example { annotation, line }) => {
                writeln!(self.out, "{:13}this line of the rule's own `@{annotation}` would notice:", "")?;
                writeln!(self.out, "  {}", escaped(&self.told.secret(line)))?;
            }
            None => writeln!(
                self.out,
                "{:13}{DIM}no recorded action and no example with one fact changed tells it from the rule{DIM:#}",
                ""
            )?,
        }
        writeln!(self.out)
    }

    fn equivalent(&mut self) -> io::Result<()> {
        let survey = self.told.survey;
        for name in &survey.wrongly_declared {
            writeln!(self.out, "{RED}not equivalent{RED:#}: {} is judged otherwise somewhere", escaped(name))?;
        }
        let all = survey.rules.iter().flat_map(|rule| &rule.mutants);
        let equivalent: Vec<_> = all
            .filter_map(|(number, fate, _)| match fate {
                Fate::Equivalent(reason) => Some((survey.mutants.all().get(*number)?, reason)),
                _ => None,
            })
            .collect();
        if equivalent.is_empty() {
            return Ok(());
        }
        writeln!(
            self.out,
            "\n{BOLD}EQUIVALENT{BOLD:#}  {} that nothing can tell from the rule, left out of the score",
            counted(equivalent.len() as u64, "mutant")
        )?;
        let mut said = "";
        for (mutant, reason) in equivalent {
            if said != reason.as_str() {
                writeln!(self.out, "  {DIM}{}{DIM:#}", escaped(reason))?;
                said = reason;
            }
            writeln!(self.out, "    {}", escaped(&named(mutant)))?;
        }
        Ok(())
    }

    fn score(&mut self) -> io::Result<()> {
        let survey = self.told.survey;
        let Some(score) = survey.score() else {
            return writeln!(self.out, "\nthere is no mutant to kill");
        };
        let seen = survey.count(|fate| matches!(fate, Fate::Seen(_)));
        let survived = survey.count(|fate| *fate == Fate::Survived);
        let style = if self.told.passed() { GREEN } else { RED };
        writeln!(
            self.out,
            "\n{style}{:.1} % killed{style:#}: {} of {}; {seen} seen by other actions only, {survived} survived",
            // Never shown as reached when it is not.
            (score * 1000.0).floor() / 10.0,
            survey.killed(),
            survey.counted(),
        )?;
        match self.told.threshold {
            Some(threshold) if !self.told.passed() => {
                writeln!(self.out, "{RED}below the threshold{RED:#} of {:.1} %", threshold * 100.0)
            }
            _ => Ok(()),
        }
    }
}

/// A mutant's name, with what both sides of it share left out.
fn named(mutant: &Mutant) -> String {
    let (before, after) = apart(&mutant.before, &mutant.after);
    mutant.name_with(&before, &after)
}

/// Two conditions without the members of a long chain that they have in common: `… || A || …`, `… || B || …`.
fn apart(before: &str, after: &str) -> (String, String) {
    /// Short enough to be compared by eye.
    const SHORT: usize = 60;
    if before.len() < SHORT || after.len() < SHORT {
        return (before.to_owned(), after.to_owned());
    }
    let joints = |text: &str| -> Vec<usize> {
        let mut at: Vec<usize> =
            [" || ", " && "].iter().flat_map(|joint| text.match_indices(joint)).map(|(at, _)| at).collect();
        at.sort_unstable();
        at
    };
    let same = before.bytes().zip(after.bytes()).take_while(|(one, other)| one == other).count();
    // The joint itself stays, so that it is seen how what is left hangs together.
    let head = joints(before).into_iter().rfind(|at| at + 4 <= same).unwrap_or(0);
    let rest = before.len().min(after.len()) - head;
    let alike =
        before.bytes().rev().zip(after.bytes().rev()).take(rest).take_while(|(one, other)| one == other).count();
    let tail = joints(before).into_iter().find(|at| before.len() - at <= alike).map_or(0, |at| before.len() - at - 4);
    let cut = |text: &str| {
        let front = if head > 0 { "…" } else { "" };
        let back = if tail > 0 { "…" } else { "" };
        format!("{front}{}{back}", &text[head..text.len() - tail])
    };
    (cut(before), cut(after))
}

/// What of a condition was never seen, in words.
fn missing(seen: &ConditionSeen) -> Option<&'static str> {
    Some(match (seen.held, seen.failed, seen.alone) {
        (false, false, _) => "never asked",
        (false, true, _) => "never true",
        (true, false, _) => "never false",
        (true, true, Some(false)) => "never the only one that was not met",
        (true, true, _) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::apart;

    #[test]
    fn what_two_conditions_share_is_left_out() {
        let long = |middle: &str| {
            format!(
                "(resource is Workload) || (resource is Instance) || {middle} || (resource is Volume) || (resource is Node)"
            )
        };
        let cases = [
            (
                long("(resource is Object)"),
                long("((resource is Object) || (resource is Bucket))"),
                "… || (resource is Object) || …",
                "… || ((resource is Object) || (resource is Bucket)) || …",
            ),
            (
                long("(resource is Object)"),
                format!("{} || (resource is Queue)", long("(resource is Object)")),
                "… || (resource is Node)",
                "… || (resource is Node) || (resource is Queue)",
            ),
        ];
        for (before, after, left, right) in cases {
            assert_eq!(apart(&before, &after), (left.to_owned(), right.to_owned()));
        }
        assert_eq!(apart("a || b", "a || c"), ("a || b".to_owned(), "a || c".to_owned()));
        let same = long("x");
        assert_eq!(apart(&same, &same).0, apart(&same, &same).1);
    }
}
