//! What is proved about policies: for a person, and as one JSON object.

mod json;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use crate::engine::prove::{Claim, Difference, Fires, Proof, Stopped};
use crate::model::{ActorKind, RuleInfo};
use crate::policy::RuleChange;
use crate::policy::prove::{Found, Place};

use super::change::said;
use super::escaped;
use super::text::{counted, thousands};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// Environments named one by one at most.
const MAX_PLACES: usize = 6;

/// What is told.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    Change(&'a Proof),
    Rules(&'a [(Arc<RuleInfo>, Fires)]),
}

/// What is known beside the proof itself.
#[derive(Clone, Debug, Default)]
pub struct Heading {
    /// `cvc5 1.0.3`.
    pub solver: String,
    /// Before and after the change, or the one policy that was asked about.
    pub policies: Vec<super::Heading>,
    pub elapsed: Duration,
}

impl Told<'_> {
    /// # Errors
    /// When the output cannot be written.
    pub fn text(&self, heading: &Heading, out: &mut dyn Write) -> io::Result<()> {
        let words: &[&str] = if heading.policies.len() == 2 { &["old  ", "new  "] } else { &[""] };
        for (word, policy) in words.iter().zip(&heading.policies) {
            let name = policy.policies.join(" + ");
            let rules = counted(policy.rules as u64, "rule");
            writeln!(out, "{BOLD}{word}{BOLD:#}{} ({rules}, {})", escaped(&name), policy.policy_digest)?;
        }
        match self {
            Self::Change(proof) => change(proof, heading, out),
            Self::Rules(rules) => never(rules, heading, out),
        }
    }

    /// # Errors
    /// When the output cannot be written.
    pub fn json(&self, heading: &Heading, out: &mut dyn Write) -> io::Result<()> {
        json::tell(self, heading, out)
    }
}

fn change(proof: &Proof, heading: &Heading, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{DIM}{}, {:.1} s{DIM:#}", heading.solver, heading.elapsed.as_secs_f64())?;
    let title = [("NEW PERMITS WHAT OLD STOPPED", &proof.loosened), ("NEW STOPS WHAT OLD PERMITTED", &proof.tightened)];
    for (title, differences) in title.into_iter().filter(|(_, differences)| !differences.is_empty()) {
        writeln!(out, "\n{RED}{title}{RED:#}  {}", counted(differences.len() as u64, "way"))?;
        for found in differences {
            difference(proof, found, out)?;
        }
    }
    if !proof.open.is_empty() {
        writeln!(out, "\n{YELLOW}NOT PROVED{YELLOW:#}  nobody knows, which is as good as no")?;
        for (places, why) in &proof.open {
            writeln!(out, "  {}: {}", named(places), escaped(why))?;
        }
    }
    let open: usize = proof.open.iter().map(|(places, _)| places.len()).sum();
    writeln!(
        out,
        "\n{DIM}of {} environments (operation, kind of resource, kind of actor; once for what is stopped, once for what \
         is blocked) {} show it by the text of their rules, {} by proof, {} by counterexample; {} open{DIM:#}",
        thousands(proof.total as u64),
        thousands(proof.by_text as u64),
        thousands(proof.by_solver as u64),
        thousands(proof.by_example as u64),
        thousands(open as u64),
    )?;
    let claim = match proof.claim {
        Claim::Kept => "NEW permits nothing that OLD stopped",
        Claim::Equivalent => "NEW and OLD stop the same requests",
    };
    if proof.is_refuted() {
        writeln!(out, "{RED}refuted{RED:#}: {claim}")
    } else if proof.holds() {
        writeln!(out, "{GREEN}proved{GREEN:#}: {claim}")
    } else {
        writeln!(out, "{YELLOW}not proved{YELLOW:#}: {claim}")
    }
}

fn difference(proof: &Proof, found: &Difference, out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<&str> = found.rules.iter().map(|stopped| stopped.rule.id.as_str()).collect();
    let names = if names.is_empty() { "no permit".to_owned() } else { names.join(", ") };
    writeln!(out, "\n  {BOLD}{} -> {}{BOLD:#}  {}", found.was, found.is, escaped(&names))?;
    writeln!(out, "    {}", named(&found.places))?;
    match &found.example {
        Found::Request(situation) => {
            let resource = &situation.effect.resource;
            let name = if resource.name.is_empty() { "(no name)".to_owned() } else { escaped(&resource.name) };
            writeln!(
                out,
                "    for example {} {} {name} in {}, by {}",
                situation.effect.operation,
                resource.kind,
                environment(situation.environment),
                situation.action.actor.kind
            )?;
            for fact in situation.told() {
                writeln!(out, "      {DIM}{}{DIM:#}", escaped(&fact))?;
            }
        }
        Found::Cedar(request) => {
            writeln!(out, "    for example this request, which Cedar's authorizer judges so and no action makes:")?;
            for line in request.lines() {
                writeln!(out, "      {DIM}{}{DIM:#}", escaped(line))?;
            }
        }
    }
    for stopped in &found.rules {
        rule(proof, stopped, out)?;
    }
    if let Found::Request(_) = found.example {
        match (&found.action, found.case()) {
            (Some(action), Some(case)) => {
                writeln!(out, "    as an action: {}", escaped(&action.text))?;
                writeln!(out, "    as a case of what was decided before:")?;
                for line in case.lines() {
                    writeln!(out, "      {line}")?;
                }
            }
            _ => writeln!(
                out,
                "    {DIM}no example of a rule says how such an action is written, so it is no case{DIM:#}"
            )?,
        }
    }
    Ok(())
}

/// The rule that stopped it on one side, and what became of it on the other.
fn rule(proof: &Proof, stopped: &Stopped, out: &mut dyn Write) -> io::Result<()> {
    let id = escaped(&stopped.rule.id);
    writeln!(out, "    stopped by {id}  {DIM}{}{DIM:#}", escaped(&place(&stopped.rule)))?;
    match proof.changes.iter().find(|change| change.id == stopped.rule.id) {
        Some(change) => {
            writeln!(out, "      {}  {DIM}{}{DIM:#}", escaped(&said(change).join(", ")), escaped(&changed_at(change)))?;
        }
        None if stopped.other.is_none() => writeln!(out, "      not there on the other side")?,
        None => {}
    }
    for condition in &stopped.unmet {
        writeln!(out, "      there it does not meet `{}`", escaped(condition))?;
    }
    Ok(())
}

/// Where a rule stands: `policy/git.cedar:14`.
fn place(rule: &RuleInfo) -> String {
    format!("{}:{}", rule.file, rule.line)
}

fn changed_at(change: &RuleChange) -> String {
    format!("{}:{}", change.file, change.line)
}

const fn environment(environment: crate::model::Environment) -> &'static str {
    match environment {
        crate::model::Environment::Unknown => "an unknown environment",
        known => known.word(),
    }
}

/// `drop Table, drop View by human or agent`.
fn named(places: &[Place]) -> String {
    let mut acts: Vec<(String, Vec<ActorKind>)> = Vec::new();
    for place in places {
        let act = format!("{} {}", place.operation, place.kind);
        match acts.iter_mut().find(|(known, _)| *known == act) {
            Some((_, actors)) => actors.push(place.actor),
            None => acts.push((act, vec![place.actor])),
        }
    }
    let by = |actors: &[ActorKind]| {
        let words: Vec<&str> = actors.iter().map(|actor| actor.word()).collect();
        if actors.len() == ActorKind::ALL.len() { String::new() } else { format!(" by {}", words.join(" or ")) }
    };
    let mut shown: Vec<String> =
        acts.iter().take(MAX_PLACES).map(|(act, actors)| format!("{act}{}", by(actors))).collect();
    if acts.len() > MAX_PLACES {
        shown.push(format!("and {} more", acts.len() - MAX_PLACES));
    }
    shown.join(", ")
}

fn never(rules: &[(Arc<RuleInfo>, Fires)], heading: &Heading, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{DIM}{}, {:.1} s{DIM:#}", heading.solver, heading.elapsed.as_secs_f64())?;
    let line = |out: &mut dyn Write, rule: &RuleInfo, words: &str| {
        writeln!(out, "  {}  {words}  {DIM}{}{DIM:#}", escaped(&rule.id), escaped(&place(rule)))
    };
    let count = |is: fn(&Fires) -> bool| rules.iter().filter(|(_, fires)| is(fires)).count() as u64;
    let never = count(|fires| matches!(fires, Fires::Never));
    if never > 0 {
        writeln!(out, "\n{RED}CAN NEVER FIRE{RED:#}  {}", counted(never, "rule"))?;
        for (rule, _) in rules.iter().filter(|(_, fires)| matches!(fires, Fires::Never)) {
            line(out, rule, "no request meets all its conditions")?;
        }
    }
    let covered = count(|fires| matches!(fires, Fires::Covered(_)));
    if covered > 0 {
        writeln!(out, "\n{YELLOW}NEVER DECIDES ALONE{YELLOW:#}  {}", counted(covered, "rule"))?;
        for (rule, fires) in rules {
            let Fires::Covered(by) = fires else { continue };
            let by: Vec<String> = by.iter().map(|by| format!("{} ({})", escaped(&by.id), by.decision)).collect();
            let by = if by.is_empty() { "others together".to_owned() } else { by.join(", ") };
            line(out, rule, &format!("({}) wherever it is met, so is {by}", rule.decision))?;
        }
    }
    let open = count(|fires| matches!(fires, Fires::Open(_)));
    if open > 0 {
        writeln!(out, "\n{YELLOW}NOT PROVED{YELLOW:#}  {}", counted(open, "rule"))?;
        for (rule, fires) in rules {
            let Fires::Open(why) = fires else { continue };
            line(out, rule, &escaped(why))?;
        }
    }
    let alone = count(|fires| matches!(fires, Fires::Alone));
    writeln!(out, "\n{} of {} can fire and decide alone", thousands(alone), counted(rules.len() as u64, "rule"))
}
