//! For an issue or a review: a table of the groups, and each with its example folded below.

use std::io::{self, Write};

use crate::engine::near_miss::group::Group;
use crate::report::change::{cell, code};
use crate::report::text::{counted, second, short, thousands};
use crate::report::{escaped, redacted};

use super::said::{actors, facts, held_by, missing, now, slipped};
use super::{NearReport, Told};

#[derive(Debug)]
pub(super) struct Markdown;

impl NearReport for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn tell(&self, told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
        let survey = told.survey;
        writeln!(
            out,
            "### {} in {}\n",
            counted(survey.listed, "near-miss|near-misses"),
            counted(survey.groups.len() as u64, "group")
        )?;
        writeln!(
            out,
            "Allowed actions that one thing kept from being stopped, of {} allowed. Policy: {} ({}).\n",
            thousands(survey.allowed),
            told.heading.policies.join(" + "),
            told.heading.policy_digest,
        )?;
        if !survey.groups.is_empty() {
            writeln!(out, "| class | severity | rule | times | shape | missing |\n|---|---|---|--:|---|---|")?;
        }
        for group in survey.groups.iter().take(told.limit) {
            writeln!(
                out,
                "| {} | {} | `{}` | {} | {} | {} |",
                group.class,
                group.rule.severity,
                group.rule.id,
                thousands(group.count),
                cell(&short(&group.template, 60)),
                cell(&short(&missing(&group.missing), 80)),
            )?;
        }
        for group in survey.groups.iter().take(told.limit) {
            details(group, told, out)?;
        }
        let left = survey.groups.len().saturating_sub(told.limit);
        if left > 0 {
            writeln!(out, "\n{} more.", counted(left as u64, "group"))?;
        }
        let apart = [
            ("routine", &survey.routine),
            ("guarded", &survey.guarded),
            ("blind", &survey.blind),
            ("suppressed", &survey.suppressed),
        ];
        let apart: Vec<String> = apart
            .iter()
            .filter(|(_, groups)| !groups.is_empty())
            .map(|(word, groups)| format!("{} {word}", thousands(groups.iter().map(|group| group.count).sum())))
            .collect();
        if !apart.is_empty() {
            writeln!(out, "\nTold apart: {}.", apart.join(", "))?;
        }
        out.flush()
    }
}

fn details(group: &Group, told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    let shown = |text: &str| escaped(&if told.heading.no_redact { text.into() } else { redacted(text) });
    let finding = &group.example.finding;
    let action = &finding.action;
    let time = action.time.map(|time| format!(", {}", second(&time.to_string()))).unwrap_or_default();
    writeln!(out, "\n<details><summary>{} <code>{}</code></summary>\n", group.class, group.rule.id)?;
    writeln!(out, "{}", code(&shown(&action.text)))?;
    writeln!(out, "\n- by {}{time}, {}", code(&escaped(&actors(group, 5))), finding.environment)?;
    writeln!(out, "- missing: {}{}", code(&missing(&group.missing)), now(&group.example.near))?;
    if let Some((text, about)) = slipped(&group.example.near.flips) {
        writeln!(out, "- one slip: {} ({about})", code(&shown(text)))?;
    }
    if let Some(facts) = facts(&group.example.near.flips) {
        writeln!(out, "- or with {}", code(&escaped(&facts)))?;
    }
    if let Some(held) = held_by(&group.example.near) {
        writeln!(out, "- held by: {held}")?;
    }
    writeln!(out, "- then: {}", group.rule.message)?;
    writeln!(out, "- group `{}`, action `{}`\n\n</details>", group.id, action.id)
}
