//! A page for whoever has no terminal: everything is in the one file, and nothing in it is run or fetched.

use std::io::{self, Write};

use crate::engine::near_miss::group::Group;
use crate::report::text::{counted, second, short, thousands};
use crate::report::{escaped, redacted};

use super::said::{actors, facts, held_by, missing, now, slipped};
use super::{NearReport, Told};

/// Dark where the reader's system is; no colour says what the words beside it do not.
const LOOKS: &str = ":root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:70em;\
padding:0 1em}table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3em .6em;\
border-bottom:1px solid #8886}td.n{text-align:right}code,pre{font:13px ui-monospace,monospace}pre{white-space:pre-wrap;\
overflow-wrap:anywhere;border-left:3px solid #888;padding-left:.8em}dt{float:left;clear:left;width:6em;opacity:.7}\
dd{margin-left:6em}";

#[derive(Debug)]
pub(super) struct Html;

impl NearReport for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn tell(&self, told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
        let survey = told.survey;
        let title = format!(
            "{} in {}",
            counted(survey.listed, "near-miss|near-misses"),
            counted(survey.groups.len() as u64, "group")
        );
        // Should a letter of what was recorded ever be taken for a tag, there is still nothing that it could do.
        let policy = "default-src 'none'; style-src 'unsafe-inline'";
        writeln!(
            out,
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" \
             content=\"{policy}\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
             <style>{LOOKS}</style>\n<h1>{title}</h1>"
        )?;
        writeln!(
            out,
            "<p>Allowed actions that one thing kept from being stopped, of {} allowed. Policy: {} ({}).</p>",
            thousands(survey.allowed),
            shown(&told.heading.policies.join(" + ")),
            told.heading.policy_digest,
        )?;
        let groups = || survey.groups.iter().take(told.limit);
        if !survey.groups.is_empty() {
            let head = "<th>class<th>severity<th>rule<th>times<th>shape<th>missing";
            writeln!(out, "<table>\n<thead><tr>{head}</thead>\n<tbody>")?;
            for group in groups() {
                writeln!(
                    out,
                    "<tr><td>{}<td>{}<td><a href=\"#{id}\"><code>{}</code></a><td class=\"n\">{}<td><code>{}</code><td>{}",
                    group.class,
                    group.rule.severity,
                    shown(&group.rule.id),
                    thousands(group.count),
                    shown(&short(&group.template, 60)),
                    shown(&short(&missing(&group.missing), 80)),
                    id = group.id,
                )?;
            }
            writeln!(out, "</tbody>\n</table>")?;
        }
        for group in groups() {
            details(group, told, out)?;
        }
        let left = survey.groups.len().saturating_sub(told.limit);
        if left > 0 {
            writeln!(out, "<p>{} more.</p>", counted(left as u64, "group"))?;
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
            writeln!(out, "<p>Told apart: {}.</p>", apart.join(", "))?;
        }
        writeln!(out, "</html>")?;
        out.flush()
    }
}

fn details(group: &Group, told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    let safe = |text: &str| shown(&if told.heading.no_redact { text.into() } else { redacted(text) });
    let finding = &group.example.finding;
    let action = &finding.action;
    let time = action.time.map(|time| format!(", {}", second(&time.to_string()))).unwrap_or_default();
    let mut lines = vec![
        ("by", shown(&format!("{}{time}, {}", actors(group, 5), finding.environment))),
        ("missing", shown(&format!("{}{}", missing(&group.missing), now(&group.example.near)))),
    ];
    if let Some((text, about)) = slipped(&group.example.near.flips) {
        lines.push(("one slip", format!("<code>{}</code> ({about})", safe(text))));
    }
    if let Some(facts) = facts(&group.example.near.flips) {
        lines.push(("or with", shown(&facts)));
    }
    if let Some(held) = held_by(&group.example.near) {
        lines.push(("held by", shown(&held)));
    }
    lines.push(("then", shown(&group.rule.message)));
    lines.push(("action", format!("<code>{}</code>", action.id)));
    writeln!(out, "<h2 id=\"{}\">{} <code>{}</code></h2>", group.id, group.class, shown(&group.rule.id))?;
    writeln!(out, "<pre>{}</pre>\n<dl>", safe(&action.text))?;
    for (name, text) in lines {
        writeln!(out, "<dt>{name}<dd>{text}")?;
    }
    writeln!(out, "</dl>")
}

/// As text that is no tag, and that moves nothing.
fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in escaped(text).chars() {
        match letter {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            letter => shown.push(letter),
        }
    }
    shown
}
