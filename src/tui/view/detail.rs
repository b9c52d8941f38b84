//! Screen 2: one action, the rule it met or nearly met condition by condition, and what if something had been otherwise.

use crate::engine::{Explanation, RuleView};
use crate::model::{Decision, Hides};
use crate::policy::{ConditionKind, Met};
use crate::report::near::said;
use crate::report::{counted, escaped, located};

use super::{Line, lines, list};
use crate::tui::app::{App, Detail, Opened, Pane};
use crate::tui::canvas::{Canvas, Rect, Style, wrapped};
use crate::tui::judge::{Change, WhatIf};
use crate::tui::label::differs;

/// From so many columns on both panes stand side by side.
const WIDE: u16 = 90;
/// Rules that are shown, nearest first.
const MOST: usize = 8;
/// Rules that miss more conditions than this are not shown.
const FAR: usize = 2;

pub(super) fn draw(app: &App, canvas: &mut Canvas, body: Rect) {
    let Some(detail) = &app.detail else {
        canvas.put(body, 0, 1, "open an action from the list (1)", app.theme.faint());
        return;
    };
    let entry = &detail.entry;
    let mut title = Line::new(
        format!(" {}", entry.badge),
        entry.class.map_or(app.theme.decision(entry.decision), |class| app.theme.class(class)),
    );
    if let Some(rule) = &entry.rule {
        title = title.and(format!("  {}", rule.id), app.theme.title());
        title = title.and(format!("  {}", rule.severity), app.theme.severity(rule.severity));
    }
    title.and(format!("  {}", counted(entry.count, "time")), app.theme.faint()).draw(canvas, body, 0);
    let (_, body) = body.top(1);
    if detail.whole {
        let whole = whole(app, detail, usize::from(body.width.saturating_sub(2)));
        return lines(canvas, body.inset(1), &whole, detail.scroll, app.theme);
    }
    let mut head = list::words(app, entry, usize::from(body.width.saturating_sub(2)));
    head.extend(list::about(app, entry));
    let rows = (head.len() as u16).min(body.height / 2);
    let (top, body) = body.top(rows);
    lines(canvas, top.inset(1), &head, 0, app.theme);
    let (body, foot) = body.bottom(u16::from(body.height > 6) * 2);
    if body.width >= WIDE {
        let (left, right) = body.left(body.width * 11 / 20);
        conditions(app, detail, canvas, left);
        what_ifs(app, detail, canvas, right);
    } else if detail.pane == Pane::WhatIf {
        what_ifs(app, detail, canvas, body);
    } else {
        conditions(app, detail, canvas, body);
    }
    facts(app, detail, canvas, foot);
}

/// What is judged now: as recorded, or with what is otherwise.
fn now<'d>(detail: &'d Detail, opened: &'d Opened) -> &'d Explanation {
    detail.asked.as_deref().unwrap_or(&opened.explanation)
}

fn pane(app: &App, detail: &Detail, canvas: &mut Canvas, area: Rect, pane: Pane, title: &str) -> Rect {
    let style = if detail.pane == pane { Style::PLAIN.bold() } else { app.theme.frame() };
    canvas.rule(area, 0, title, style);
    area.top(1).1
}

fn conditions(app: &App, detail: &Detail, canvas: &mut Canvas, area: Rect) {
    let area = pane(app, detail, canvas, area, Pane::Conditions, "conditions");
    let Some(opened) = &detail.opened else {
        canvas.put(area, 0, 1, "reading what its session did before …", app.theme.faint());
        return;
    };
    let explanation = now(detail, opened);
    let shown = rules(app, detail, explanation, usize::from(area.width.saturating_sub(2)));
    lines(canvas, area.inset(1), &shown, detail.scroll, app.theme);
}

/// The rule that the group is about first, then every other one that is met or near.
fn rules(app: &App, detail: &Detail, explanation: &Explanation, width: usize) -> Vec<Line> {
    let own = detail.entry.rule.as_ref().map(|rule| rule.id.as_str());
    let unmet = |view: &RuleView| view.conditions.iter().filter(|condition| condition.met == Met::Unmet).count();
    let is_far = |view: &RuleView| {
        let anchor =
            |condition: &crate::policy::Condition| condition.kind == ConditionKind::Anchor && condition.met != Met::Met;
        unmet(view) > FAR || unmet(view) > 0 && view.conditions.iter().any(anchor)
    };
    let mut views: Vec<&RuleView> = explanation.rules.iter().collect();
    // The one that the group is about is shown however far it is now: what-if can move it.
    let about = detail.entry.near.as_ref().map(|near| near.effect);
    views.retain(|view| !is_far(view) || Some(view.rule.id.as_str()) == own && Some(view.effect) == about);
    views.sort_by_key(|view| (Some(view.rule.id.as_str()) != own, unmet(view)));
    let mut shown = Vec::new();
    if views.is_empty() {
        shown.push(Line::new("no rule is about this kind of act", app.theme.faint()));
    }
    let more = views.len().saturating_sub(MOST);
    for view in views.into_iter().take(MOST) {
        let missing = unmet(view);
        let hits = &explanation.finding.verdict.hits;
        // Whatever stopped it did, even where an excuse could not be ruled out.
        let is_sure = view.conditions.iter().all(|condition| condition.met == Met::Met)
            || hits.iter().any(|hit| hit.effect == view.effect && hit.rule.id == view.rule.id);
        let (word, style) = match missing {
            0 if is_sure => (view.rule.decision.word(), app.theme.decision(view.rule.decision)),
            0 => ("possible", app.theme.unknown()),
            _ => ("not met", app.theme.faint()),
        };
        let effect = format!("  effect {}", view.effect + 1);
        shown.push(
            Line::new(word, style).and(format!(" {}", view.rule.id), app.theme.title()).and(effect, app.theme.faint()),
        );
        for condition in &view.conditions {
            let anchor = condition.kind == ConditionKind::Anchor;
            let (mark, style) = match condition.met {
                // What a rule is about never changes: it is no news that it holds.
                Met::Met if anchor => ("= ", app.theme.faint()),
                Met::Met => ("✔ ", app.theme.met()),
                Met::Unmet => ("✘ ", app.theme.unmet()),
                Met::Unknown => ("? ", app.theme.unknown()),
            };
            let text = if app.as_written { condition.text.clone() } else { said::in_words(&condition.text) };
            for (at, text) in wrapped(&escaped(&text), width.saturating_sub(5)).into_iter().enumerate() {
                let lead = if at == 0 { mark } else { "  " };
                let words = if anchor { app.theme.faint() } else { Style::PLAIN };
                shown.push(Line::new(format!("  {lead}"), style).and(text, words));
            }
        }
        let place = format!("  {}:{}", view.rule.file, view.rule.line);
        shown.push(Line::new(place, app.theme.faint()));
    }
    if more > 0 {
        shown.push(Line::new(format!("and {more} that miss as much or more"), app.theme.faint()));
    }
    shown
}

fn what_ifs(app: &App, detail: &Detail, canvas: &mut Canvas, area: Rect) {
    let area = pane(app, detail, canvas, area, Pane::WhatIf, "what if (space: together with others)");
    let Some(opened) = &detail.opened else {
        canvas.put(area, 0, 1, "…", app.theme.faint());
        return;
    };
    let mut row = 0;
    if !detail.changes.is_empty() {
        let verdict = detail.asked.as_ref().map(|asked| &asked.finding.verdict);
        let decision = verdict.map_or("…".to_owned(), |verdict| verdict.decision.to_string().to_uppercase());
        let style = verdict.map_or(app.theme.faint(), |verdict| app.theme.decision(verdict.decision));
        let rule = verdict.and_then(|verdict| verdict.hits.first()).map(|hit| format!("  {}", hit.rule.id));
        let line = Line::plain("⇒ ").and(decision, style).and(rule.unwrap_or_default(), app.theme.title());
        line.draw(canvas, area.inset(1), row);
        row += 1;
        let edited = detail.changes.iter().find_map(|change| match change {
            Change::Text(text) => Some(text),
            _ => None,
        });
        if let Some(text) = edited {
            canvas.put_cut(area.inset(1), row, 2, &escaped(&app.safe(text)), app.theme.marked());
            row += 1;
        }
    }
    let (_, area) = area.top(row);
    let count = opened.what_ifs.len();
    let first = detail.what_if.top(usize::from(area.height), count);
    let recorded = opened.explanation.finding.verdict.decision;
    for (row, what_if) in opened.what_ifs.iter().skip(first).take(usize::from(area.height)).enumerate() {
        let is_selected = first + row == detail.what_if.at && detail.pane == Pane::WhatIf;
        line_of(app, detail, what_if, recorded).draw(canvas, area.inset(1), row as u16);
        if is_selected {
            let line = Rect { y: area.y + row as u16, height: 1, ..area };
            canvas.restyle(line, |style| Style { dim: false, ..style }.reverse());
        }
    }
    if count == 0 {
        canvas.put(area, 0, 1, "nothing else to try (i: other words)", app.theme.faint());
    }
}

fn line_of(app: &App, detail: &Detail, what_if: &WhatIf, recorded: Decision) -> Line {
    let is_on = detail.changes.contains(&what_if.change);
    let tick = if is_on { "[x] " } else { "[ ] " };
    let said = match &what_if.change {
        Change::Text(text) => escaped(&app.safe(text)),
        other => differs(other),
    };
    let differs = what_if.decision != recorded;
    let style = if differs { app.theme.decision(what_if.decision) } else { app.theme.faint() };
    let result = if differs { what_if.decision.to_string().to_uppercase() } else { what_if.decision.to_string() };
    let rule = what_if.rule.as_ref().filter(|_| differs).map(|rule| format!("  {rule}")).unwrap_or_default();
    Line::plain(tick).and(format!("{result:<10}"), style).and(said, Style::PLAIN).and(rule, app.theme.faint())
}

/// Where it stands and what its session had done.
fn facts(app: &App, detail: &Detail, canvas: &mut Canvas, area: Rect) {
    if area.is_empty() {
        return;
    }
    let action = &detail.entry.finding.action;
    canvas.rule(area, 0, "before it in its session", app.theme.frame());
    let Some(opened) = &detail.opened else { return };
    let causes: Vec<String> =
        opened.explanation.causes.iter().map(|(fact, id)| format!("{fact} (by {})", &id.to_string()[..8])).collect();
    let said = match (&opened.without_session, causes.is_empty()) {
        (Some(problem), _) => format!("its session could not be read again: {problem}"),
        (None, true) => format!("nothing that a rule looks at; session {}", action.session),
        (None, false) => causes.join(", "),
    };
    canvas.put_cut(area.inset(1), 1, 0, &escaped(&said), app.theme.faint());
}

/// Everything: the text as it was run, and what was understood of it.
fn whole(app: &App, detail: &Detail, width: usize) -> Vec<Line> {
    let mut shown = Vec::new();
    let finding = &detail.entry.finding;
    let action = detail.opened.as_ref().map_or(&finding.action, |opened| &opened.action);
    for line in app.safe(&action.text).lines() {
        shown.extend(wrapped(&escaped(line), width).into_iter().map(Line::plain));
    }
    let title = |text: &str| Line::new(text, app.theme.title());
    let place =
        format!("{}:{}  {}  id {}", escaped(&action.origin.file), action.origin.line, action.origin.format, action.id);
    shown.extend([Line::default(), Line::new(place, app.theme.faint()), title("what it does")]);
    let explanation = detail.opened.as_ref().map(|opened| now(detail, opened));
    let understood = explanation.map_or(&*finding.understanding, |it| &it.finding.understanding);
    if understood.effects.is_empty() {
        shown.push(Line::new("  nothing that a rule could be about", app.theme.faint()));
    }
    for (at, effect) in understood.effects.iter().enumerate() {
        let areas: Vec<String> = effect.resource.areas.iter().map(|area| area.to_string()).collect();
        let text = format!(
            "  {}. {} {} {}  extent {}  {}",
            at + 1,
            effect.operation,
            effect.resource.kind,
            escaped(&app.safe(&effect.resource.name)),
            effect.extent,
            areas.join(", ")
        );
        shown.extend(wrapped(&text, width).into_iter().map(Line::plain));
    }
    let gaps: Vec<_> = understood.gaps.iter().chain(&action.gaps).collect();
    if !gaps.is_empty() {
        shown.push(title("not understood"));
    }
    for gap in gaps {
        let hides = match gap.hides {
            Hides::Anything => "could hide anything",
            Hides::Target => "hides which resource is meant",
            Hides::Nothing => "hides nothing a rule looks at",
        };
        shown.push(Line::new(
            format!("  {} {}  {hides}", gap.kind, escaped(&app.safe(&gap.detail))),
            app.theme.unknown(),
        ));
    }
    shown
}

/// What could not be read, for the overlay.
pub(super) fn problems(app: &App) -> Vec<Line> {
    let issues = app.picture.issues.iter();
    let mut shown: Vec<Line> = issues.map(|issue| Line::plain(located(issue))).collect();
    let more = app.picture.lost.saturating_sub(app.picture.issues.iter().filter(|issue| issue.lost).count() as u64);
    if more > 0 {
        shown.push(Line::new(format!("and {more} more"), app.theme.faint()));
    }
    if shown.is_empty() {
        shown.push(Line::new("everything could be read", app.theme.faint()));
    }
    shown
}
