//! A comment on a pull request, and the summary of a job: the state in plain words, then what a reviewer can act on.
//!
//! Everything recorded stands in code, where it is no markup, no link and nobody's name.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::engine::compare::{Group, Transition};
use crate::engine::gate::Gate;
use crate::model::Decision;
use crate::report::text::{counted, thousands};

use super::said::{Spot, Standing, cut, title};
use super::{ChangeReport, Told};

/// GitHub takes 65,536 characters.
const BUDGET: usize = 65_000;
/// What the tables may take of it; examples get the rest.
const TABLES: usize = 40_000;
/// Characters of a template, of one reason and of an example.
const MAX_TEMPLATE: usize = 160;
const MAX_WHY: usize = 300;
const MAX_EXAMPLE: usize = 1000;
/// Reasons shown per group, failures and acceptances shown one by one.
const MAX_REASONS: usize = 3;
const MAX_LISTED: usize = 20;

#[derive(Debug)]
pub(super) struct Markdown;

impl ChangeReport for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn about(&self) -> &'static str {
        "a comment for a pull request, of at most 65,000 characters"
    }

    fn tell(&self, told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(comment(told).as_bytes())?;
        out.flush()
    }
}

/// The whole comment.
fn comment(told: &Told<'_>) -> String {
    let foot = foot(told);
    let mut page = Page { text: head(told), left: BUDGET, rows: 0, examples: 0 };
    // Room for the foot, and for what says how much was left out.
    page.left = BUDGET.saturating_sub(page.text.len() + foot.len() + 400);
    let mut tables = page.left.min(TABLES);
    let sections: Vec<(Transition, Vec<&Group>)> =
        [Transition::Loosened, Transition::Tightened, Transition::Undecided, Transition::Reattributed]
            .into_iter()
            .map(|transition| (transition, told.groups(transition)))
            .filter(|(_, groups)| !groups.is_empty())
            .collect();
    for (transition, groups) in &sections {
        page.table(told, *transition, groups, &mut tables);
    }
    for group in sections.iter().flat_map(|(_, groups)| groups) {
        let details = details(told, group);
        page.examples += u64::from(!page.add(&details));
    }
    page.add(&rest(told));
    if page.rows + page.examples > 0 {
        // There is room for it.
        let _ = writeln!(
            page.text,
            "_Left out for want of room: {} and {}. `--format json` has all of them._\n",
            counted(page.rows, "template"),
            counted(page.examples, "example"),
        );
    }
    page.text.push_str(&foot);
    page.text
}

struct Page {
    text: String,
    /// Bytes that may be added: never fewer than characters.
    left: usize,
    /// What found no room.
    rows: u64,
    examples: u64,
}

impl Page {
    /// Adds a part if there is room for all of it.
    fn add(&mut self, part: &str) -> bool {
        let fits = part.len() <= self.left;
        if fits {
            self.text.push_str(part);
            self.left -= part.len();
        }
        fits
    }

    fn table(&mut self, told: &Told<'_>, transition: Transition, groups: &[&Group], room: &mut usize) {
        let note = match transition {
            Transition::Loosened if told.gate.is_some() => " – each needs a yes from somebody",
            _ => "",
        };
        let title = heading(transition, groups);
        let mut rows = format!("**{title}**{note}\n\n| id | action | change | seen | why |\n|---|---|---|---|---|\n");
        // What needs nobody's attention gives way to what does: its table is cut first.
        let share = if transition == Transition::Loosened { *room } else { *room / 2 };
        let mut shown = 0;
        for group in groups {
            let row = row(told, group);
            if rows.len() + row.len() + 1 > share {
                break;
            }
            rows.push_str(&row);
            shown += 1;
        }
        rows.push('\n');
        if shown > 0 && self.add(&rows) {
            *room = room.saturating_sub(rows.len());
        } else {
            shown = 0;
        }
        self.rows += groups.len() as u64 - shown;
    }
}

/// What the groups of one transition have in common.
fn heading(transition: Transition, groups: &[&Group]) -> &'static str {
    match groups.split_first() {
        Some((first, rest)) if rest.iter().all(|group| title(group) == title(first)) => title(first),
        _ if transition == Transition::Loosened => "Loosened",
        _ => "Tightened",
    }
}

/// The marker that a sticky comment is found by, the state, what keeps the change from being merged, and the numbers.
fn head(told: &Told<'_>) -> String {
    let digest = |digest: &str| digest.chars().take(7).filter(char::is_ascii_alphanumeric).collect::<String>();
    let (base, head) = (digest(&told.base.policy_digest), digest(&told.head.policy_digest));
    let state = match told.gate {
        None => "",
        Some(gate) if gate.passed() => "✅ ",
        Some(_) => "❌ ",
    };
    let mut text = format!("<!-- nearmiss:policy-impact v1 head={head} -->\n");
    // Writing to a string cannot fail.
    let _ = writeln!(text, "### nearmiss – policy impact: {state}{}\n", told.headline());
    if let Some(gate) = told.gate {
        failures(told, gate, &mut text);
    }
    let _ = writeln!(text, "| | base `{base}` | head `{head}` | Δ |\n|---|--:|--:|--:|");
    let impact = told.impact;
    let mut counts = |title: &str, (before, after): (u64, u64)| {
        let difference = match after.cmp(&before) {
            std::cmp::Ordering::Less => format!("−{}", thousands(before - after)),
            std::cmp::Ordering::Equal => String::new(),
            std::cmp::Ordering::Greater => format!("+{}", thousands(after - before)),
        };
        let _ = writeln!(text, "| {title} | {} | {} | {difference} |", thousands(before), thousands(after));
    };
    counts(&format!("blocked, of {}", counted(impact.total(), "replayed action")), impact.decided(Decision::Block));
    counts("asked about", impact.decided(Decision::Ask));
    counts("undecided", impact.decided(Decision::Undecided));
    for transition in [Transition::Loosened, Transition::Tightened] {
        let groups: Vec<&Group> = impact.groups(transition).collect();
        if !groups.is_empty() {
            let (title, actions) = (heading(transition, &groups), thousands(impact.actions(transition)));
            let templates = counted(groups.len() as u64, "template");
            let _ = writeln!(text, "| **{}** | | {actions} | {templates} |", title.to_lowercase());
        }
    }
    let nearer: u64 = impact.frontier.iter().map(|moved| moved.nearer).sum();
    let farther: u64 = impact.frontier.iter().map(|moved| moved.farther).sum();
    if nearer + farther > 0 {
        let (nearer, farther) = (thousands(nearer), thousands(farther));
        let _ = writeln!(text, "| passing, one condition from a rule | | | {nearer} nearer, {farther} farther |");
    }
    if !told.cases.is_empty() {
        let all = told.cases.len();
        let before = told.cases.iter().filter(|outcome| {
            let base = outcome.finding.base.as_ref().map_or(&outcome.finding.verdict, |base| &base.verdict);
            outcome.case.expect.holds(base.decision)
        });
        let (before, after) = (before.count(), told.cases.iter().filter(|outcome| outcome.holds()).count());
        let _ = writeln!(text, "| labelled cases as expected | {before} of {all} | {after} of {all} | |");
    }
    text.push('\n');
    if impact.meanings {
        text.push_str(
            "Names mean something else after this change: environments, actors, labels or programs of `nearmiss.toml`.\n\n",
        );
    }
    text
}

/// What keeps the change from being merged, but for loosenings, which have a table of their own.
fn failures(told: &Told<'_>, gate: &Gate, text: &mut String) {
    let others: Vec<_> = gate.failures.iter().filter(|failure| failure.change.is_none()).collect();
    for failure in others.iter().take(MAX_LISTED) {
        let message = cut(&told.shown(&failure.message), MAX_WHY);
        let _ = writeln!(text, "- **{}**: {}", failure.kind, code(&message));
    }
    if others.len() > MAX_LISTED {
        let _ = writeln!(text, "- and {} more", others.len() - MAX_LISTED);
    }
    if !others.is_empty() {
        text.push('\n');
    }
}

fn row(told: &Told<'_>, group: &Group) -> String {
    let why: Vec<String> = told
        .why(group)
        .into_iter()
        .take(MAX_REASONS)
        .map(|(why, spot)| {
            let spot =
                spot.map(|Spot { file, line }| format!(", {}", cell(&format!("{file}:{line}")))).unwrap_or_default();
            format!("{}{spot}", cell(&cut(&why, MAX_WHY)))
        })
        .collect();
    let standing = match told.standing(group) {
        Standing::Accepted(_) => " ✅ accepted",
        Standing::Expired(_) => " ⌛ expired",
        Standing::Open => " ⚠️",
        Standing::Told => "",
    };
    format!(
        "| `{}` | {} | {} → {}{standing} | {} | {} |\n",
        group.id,
        cell(&cut(&told.shown(&group.template), MAX_TEMPLATE)),
        group.base,
        group.head,
        Told::seen(group),
        why.join("<br>")
    )
}

/// One action of a group, folded.
fn details(told: &Told<'_>, group: &Group) -> String {
    let example = &group.example;
    let mut lines = Vec::new();
    let mut who = vec![format!("{} {}", example.actor.kind, told.shown(&example.actor.name))];
    who.extend(example.time.map(|time| time.to_string()));
    who.push(format!("session {}", told.shown(&example.session)));
    who.push(format!("environment {}", example.environment));
    lines.push(cut(&who.join(", "), MAX_WHY));
    lines.push(cut(&told.shown(&example.text), MAX_EXAMPLE));
    lines.push(format!("base: {}  head: {}", group.base, group.head));
    for (why, spot) in told.why(group).into_iter().take(MAX_REASONS) {
        let spot = spot.map(|spot| format!("  {}:{}", spot.file, spot.line)).unwrap_or_default();
        lines.push(format!("{}{spot}", cut(&why, MAX_WHY)));
    }
    lines.push(cut(&told.source_said(group), MAX_WHY));
    let body = lines.join("\n");
    let fence = "`".repeat(longest_run(&body).max(2) + 1);
    let summary = html(&cut(&told.shown(&group.template), 80));
    let hint = told.hint(group).map(|hint| format!("Hint: {hint}.\n\n")).unwrap_or_default();
    let accepted = match told.standing(group) {
        Standing::Accepted(acceptance) | Standing::Expired(acceptance) => {
            let by = acceptance.by.as_deref().map(|by| format!(" by {}", code(&told.shown(by)))).unwrap_or_default();
            let until = acceptance.until.map(|until| format!(" until {until}")).unwrap_or_default();
            format!("Accepted{by}{until}: {}\n\n", code(&cut(&told.shown(&acceptance.reason), MAX_WHY)))
        }
        Standing::Open | Standing::Told => String::new(),
    };
    let one = if group.count + group.cases == 1 { "" } else { "one of " };
    format!(
        "<details><summary>{}: {one}{}, <code>{summary}</code></summary>\n\n{fence}text\n{body}\n{fence}\n\n{hint}{accepted}</details>\n\n",
        group.id,
        Told::seen(group),
    )
}

/// Edits that no action noticed, and acceptances that nothing needs.
fn rest(told: &Told<'_>) -> String {
    let mut text = String::new();
    let unnoticed = told.unnoticed();
    if !unnoticed.is_empty() {
        let _ = writeln!(
            text,
            "<details><summary>{} that no action noticed</summary>\n",
            counted(unnoticed.len() as u64, "edit")
        );
        for change in unnoticed.iter().take(MAX_LISTED) {
            let spot = told.spot(&change.file, change.line);
            let spot =
                spot.map(|spot| format!(", {}", code(&format!("{}:{}", spot.file, spot.line)))).unwrap_or_default();
            let _ = writeln!(text, "- {}{spot}", code(&cut(&told.edit(change), MAX_WHY)));
        }
        if unnoticed.len() > MAX_LISTED {
            let _ = writeln!(text, "- and {} more", unnoticed.len() - MAX_LISTED);
        }
        text.push_str("\n</details>\n\n");
    }
    let unused = told.gate.map_or(&[][..], |gate| &gate.unused);
    if !unused.is_empty() {
        let many = counted(unused.len() as u64, "acceptance");
        let _ = writeln!(text, "<details><summary>{many} of what this change does not do</summary>\n");
        for acceptance in unused.iter().take(MAX_LISTED) {
            let template = code(&cut(&told.shown(&acceptance.template), MAX_TEMPLATE));
            let _ = writeln!(text, "- `{}` {template}", acceptance.id);
        }
        if unused.len() > MAX_LISTED {
            let _ = writeln!(text, "- and {} more", unused.len() - MAX_LISTED);
        }
        text.push_str("\n</details>\n\n");
    }
    text
}

/// What to do, and what this was made from.
fn foot(told: &Told<'_>) -> String {
    let mut text = String::new();
    if let Some(accept) = told.accept() {
        let _ = writeln!(text, "If that is right, accept it in a commit: {}\n", code(&cut(&accept, 600)));
    }
    let totals = told.totals;
    let _ = writeln!(
        text,
        "<sub>nearmiss {} · {} in {}, {} · policy {} → {}</sub>",
        env!("CARGO_PKG_VERSION"),
        counted(totals.actions, "action"),
        counted(totals.sessions, "session"),
        counted(totals.files, "file"),
        html(&told.base.policy_digest),
        html(&told.head.policy_digest),
    );
    text
}

/// Text as code, delimited by more backticks than it has.
pub(in crate::report) fn code(text: &str) -> String {
    if text.trim().is_empty() {
        return "(nothing)".to_owned();
    }
    let fence = "`".repeat(longest_run(text) + 1);
    // A blank on both sides is taken away again.
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Text as code in a table, where a bar ends the cell even in code. Readers disagree on a bar behind a backslash, so
/// that one becomes a look-alike.
pub(in crate::report) fn cell(text: &str) -> String {
    code(text).replace("\\|", "\\∣").replace('|', "\\|")
}

fn longest_run(text: &str) -> usize {
    text.split(|char| char != '`').map(str::len).max().unwrap_or(0)
}

fn html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            char => safe.push(char),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::{cell, code, html};

    #[test]
    fn nothing_breaks_out_of_code() {
        assert_eq!(code("a `b` c"), "``a `b` c``");
        assert_eq!(code("```"), "```` ``` ````");
        assert_eq!(code(""), "(nothing)");
        assert_eq!(cell("a | b"), "`a \\| b`");
        assert_eq!(cell("grep 'a\\|b'"), "`grep 'a\\∣b'`");
    }

    #[test]
    fn nothing_breaks_out_of_html() {
        assert_eq!(html("</code><img src=x>"), "&lt;/code&gt;&lt;img src=x&gt;");
    }
}
