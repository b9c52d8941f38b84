//! Why one action is judged as it is: what was understood, its effects, and every rule condition by condition.

use std::io::{self, Write};

use anstyle::Style;

use crate::engine::{Explanation, RuleView};
use crate::model::{Class, Decision, Effect, Hides, Hit};
use crate::policy::{Condition, ConditionKind, Met};
use crate::report::palette::{BLUE, BOLD, DIM, GREEN, RED, YELLOW};

use super::display::marked;
use super::near::said::{barrier, facts, held_by, missing, now, slipped};
use super::text::who;
use super::{escaped, redacted};

/// Rules that miss more conditions than this are counted, not shown.
const FAR: usize = 2;

/// How to show it.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub width: usize,
    pub no_redact: bool,
    /// Show rules that are far from being met as well.
    pub all_rules: bool,
}

/// Writes the explanation for a person.
///
/// # Errors
/// When the output cannot be written.
pub fn explain(explanation: &Explanation, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let finding = &explanation.finding;
    let shown = |text: &str| escaped(&if look.no_redact { text.into() } else { redacted(text) });
    let style = decision_style(finding.verdict.decision);
    writeln!(out, "{style}{}{style:#}  {}", finding.verdict.decision, shown(&finding.action.text))?;
    let action = &finding.action;
    writeln!(out, "{DIM}{} by {}, environment {}{DIM:#}", action.kind, who(&action.actor), finding.environment,)?;
    if !explanation.steps.is_empty() {
        writeln!(out, "\n{BOLD}understood{BOLD:#}")?;
        for step in &explanation.steps {
            writeln!(out, "  {}{}", "  ".repeat(step.depth), shown(&step.label))?;
        }
    }
    effects(explanation, look, out)?;
    gaps(explanation, out)?;
    session(explanation, out)?;
    near_misses(explanation, look, out)?;
    rules(explanation, look, out)
}

/// Writes what would have been said of a recorded action if something about it had been otherwise; `changes` says what.
///
/// # Errors
/// When the output cannot be written.
pub fn what_if(
    recorded: &Explanation,
    changed: &Explanation,
    changes: &[String],
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let shown = |text: &str| escaped(&if look.no_redact { text.into() } else { redacted(text) });
    for (label, explanation, note) in
        [("as recorded", recorded, String::new()), ("what if", changed, shown(&changes.join(", ")))]
    {
        let verdict = &explanation.finding.verdict;
        let style = decision_style(verdict.decision);
        let rule = verdict.hits.first().map(|hit| format!("  {} ({})", hit.rule.id, hit.rule.severity));
        let note = if note.is_empty() { shown(&explanation.finding.action.text) } else { note };
        writeln!(out, "{label:<12} {style}{:<9}{style:#}  {note}{}", verdict.decision, rule.unwrap_or_default())?;
    }
    writeln!(out)?;
    explain(changed, look, out)
}

fn effects(explanation: &Explanation, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let finding = &explanation.finding;
    writeln!(out, "\n{BOLD}effects{BOLD:#}")?;
    if finding.understanding.effects.is_empty() {
        writeln!(out, "  none")?;
    }
    let text = if look.no_redact { (&*finding.action.text).into() } else { redacted(&finding.action.text) };
    for (index, effect) in finding.understanding.effects.iter().enumerate() {
        writeln!(out, "  {}. {}", index + 1, described(effect))?;
        if let Some(span) = effect.span {
            let line = marked(&text, &[span], look.width.saturating_sub(6).max(40));
            if !line.marks.is_empty() {
                writeln!(out, "     {DIM}{}{DIM:#}\n     {BLUE}{}{BLUE:#}", line.text, line.marks)?;
            }
        }
    }
    Ok(())
}

/// `drop Schema billing (all, cascades; production)`
fn described(effect: &Effect) -> String {
    let mut line = format!("{} {}", effect.operation, effect.resource.kind);
    if !effect.resource.name.is_empty() {
        line.push(' ');
        line.push_str(&escaped(&redacted(&effect.resource.name)));
    }
    let mut notes = vec![format!("extent {}", effect.extent)];
    let flags = [
        (effect.cascades, "cascades"),
        (effect.guard_off, "guard off"),
        (effect.dry_run, "dry run"),
        (effect.elevated, "elevated"),
        (effect.in_transaction, "in a transaction"),
        (effect.resource.unresolved, "target not resolved"),
    ];
    notes.extend(flags.iter().filter(|(set, _)| *set).map(|(_, word)| (*word).to_owned()));
    notes.extend(effect.count.map(|count| format!("{count} of them")));
    notes.extend(effect.code.map(|code| format!("code {code}")));
    notes.extend(effect.zone.map(|zone| format!("to {zone} {}", escaped(effect.peer.as_deref().unwrap_or("")))));
    notes.extend(effect.resource.areas.iter().map(|area| area.to_string()));
    notes.extend(effect.places.iter().map(|place| format!("{} {}", place.kind, escaped(&place.name))));
    if effect.certainty != crate::model::Certainty::Exact {
        notes.push(effect.certainty.to_string());
    }
    format!("{line}  [{}]  by {}", notes.join(", "), escaped(&effect.by))
}

/// What earlier actions of the session gave, and which one of them last.
fn session(explanation: &Explanation, out: &mut dyn Write) -> io::Result<()> {
    if explanation.causes.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{BOLD}before it in the session{BOLD:#}")?;
    for (fact, action) in &explanation.causes {
        writeln!(out, "  {fact:<20} {DIM}by {action}{DIM:#}")?;
    }
    Ok(())
}

/// What kept it from being stopped: for an allowed action only.
fn near_misses(explanation: &Explanation, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let Some(nearness) = &explanation.finding.near else { return Ok(()) };
    if nearness.told.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{BOLD}near{BOLD:#}")?;
    for near in &nearness.told {
        let style = if near.class == Class::Guarded { DIM } else { YELLOW };
        writeln!(
            out,
            "  {style}{}{style:#} {BOLD}{}{BOLD:#} ({}) for effect {}",
            near.class,
            near.rule.id,
            near.rule.severity,
            near.effect + 1
        )?;
        writeln!(out, "      {DIM}missing {DIM:#} {}{}", missing(&near.missing), now(near))?;
        if let Some((text, about)) = slipped(&near.flips) {
            let text = escaped(&if look.no_redact { text.into() } else { redacted(text) });
            writeln!(out, "      {DIM}one slip{DIM:#} {text}  {DIM}{about}{DIM:#}")?;
        }
        if let Some(facts) = facts(&near.flips) {
            writeln!(out, "      {DIM}or with {DIM:#} {}", escaped(&facts))?;
        }
        if let Some(held) = held_by(near) {
            writeln!(out, "      {DIM}held by {DIM:#} {held}")?;
        }
    }
    if let [facts] = &explanation.barriers[..]
        && facts.len() == 1
    {
        let facts_of = facts.iter().next().map(String::as_str).unwrap_or_default();
        writeln!(out, "  {YELLOW}single barrier{YELLOW:#}: {}", barrier(facts_of))?;
    }
    Ok(())
}

fn gaps(explanation: &Explanation, out: &mut dyn Write) -> io::Result<()> {
    let finding = &explanation.finding;
    let gaps: Vec<_> = finding.understanding.gaps.iter().chain(&finding.action.gaps).collect();
    if gaps.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{BOLD}not understood{BOLD:#}")?;
    for gap in gaps {
        let hides = match gap.hides {
            Hides::Anything => "could hide anything",
            Hides::Target => "hides which resource is meant",
            Hides::Nothing => "hides nothing a rule looks at",
        };
        writeln!(out, "  {BLUE}{}{BLUE:#} {}  {DIM}{hides}{DIM:#}", gap.kind, escaped(&redacted(&gap.detail)))?;
    }
    Ok(())
}

fn rules(explanation: &Explanation, look: Look, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{BOLD}rules{BOLD:#}")?;
    let mut far = 0;
    // What could also be met is worth knowing where nothing is met for certain.
    let stopped = explanation.finding.verdict.decision >= Decision::Ask;
    let mut views: Vec<&RuleView> = explanation.rules.iter().collect();
    views.sort_by_key(|view| unmet(view));
    for view in views {
        let missing = unmet(view);
        let decides = |hit: &Hit| hit.effect == view.effect && hit.rule.id == view.rule.id;
        // Whatever stopped it is shown as what it is, even where an excuse could not be ruled out.
        let sure = view.conditions.iter().all(|condition| condition.met == Met::Met)
            || explanation.finding.verdict.hits.iter().any(decides);
        let is_far = missing > FAR || (missing > 0 && anchors_unmet(view)) || (stopped && !sure);
        if is_far && !look.all_rules {
            far += 1;
            continue;
        }
        let (style, word) = match missing {
            0 if !sure => (BLUE, "possible"),
            0 => (decision_style(view.rule.decision), view.rule.decision.word()),
            _ => (DIM, "not met"),
        };
        writeln!(
            out,
            "  {style}{word}{style:#} {BOLD}{}{BOLD:#} ({}) for effect {}  {DIM}{}:{}{DIM:#}",
            view.rule.id,
            view.rule.severity,
            view.effect + 1,
            view.rule.file,
            view.rule.line,
        )?;
        for condition in &view.conditions {
            let (style, mark) = match condition.met {
                Met::Met => (GREEN, "met    "),
                Met::Unmet => (RED, "not met"),
                Met::Unknown => (BLUE, "unknown"),
            };
            writeln!(out, "      {style}{mark}{style:#} {}", condition.text)?;
        }
        if missing == 0 {
            writeln!(out, "      {}", view.rule.message)?;
            if !view.rule.advice.is_empty() {
                writeln!(out, "      {DIM}instead:{DIM:#} {}", view.rule.advice)?;
            }
        }
    }
    if far > 0 {
        writeln!(out, "  {DIM}{far} further rules are not met (`--all-rules` shows them){DIM:#}")?;
    }
    Ok(())
}

fn unmet(view: &RuleView) -> usize {
    view.conditions.iter().filter(|condition| condition.met == Met::Unmet).count()
}

/// Whether the rule is about another kind of act altogether.
fn anchors_unmet(view: &RuleView) -> bool {
    let unmet = |condition: &Condition| condition.kind == ConditionKind::Anchor && condition.met == Met::Unmet;
    view.conditions.iter().any(unmet)
}

fn decision_style(decision: Decision) -> Style {
    match decision {
        Decision::Block => RED,
        Decision::Ask => YELLOW,
        Decision::Undecided => BLUE,
        Decision::Allow => GREEN,
    }
}
