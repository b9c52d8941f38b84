//! Screen 1: groups of actions that are alike, most telling first, and what the selected one is about.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::near_miss::group::Group;
use crate::model::{Flip, Severity};
use crate::report::near::said;
use crate::report::{escaped, marked, who};

use super::{Line, brief, lines, minute, sparkline};
use crate::tui::app::App;
use crate::tui::canvas::{Canvas, Rect, Style, width_of, wrapped};
use crate::tui::entry::{Entry, List};

/// Where the lines of groups stand: the first row, and how many.
pub(in crate::tui) fn rows(app: &App) -> (u16, u16) {
    let parts = Parts::of(Rect::new(0, 1, app.size.0, app.size.1.saturating_sub(2)));
    (parts.list.y, parts.list.height)
}

struct Parts {
    tabs: Rect,
    head: Rect,
    list: Rect,
    preview: Rect,
    time: Rect,
}

impl Parts {
    fn of(body: Rect) -> Self {
        let (tabs, rest) = body.top(1);
        let (head, rest) = rest.top(u16::from(body.width >= WIDE));
        let (rest, time) = rest.bottom(u16::from(body.height >= 20));
        let preview = if body.height >= 30 { 10 } else { rest.height / 2 };
        let (list, preview) = rest.bottom(preview);
        Self { tabs, head, list, preview, time }
    }
}

/// From so many columns on there is room for more than the essentials.
const WIDE: u16 = 100;

pub(super) fn draw(app: &App, canvas: &mut Canvas, body: Rect) {
    let parts = Parts::of(body);
    tabs(app, canvas, parts.tabs);
    let columns = Columns::of(parts.list.width);
    if !parts.head.is_empty() {
        columns.draw(canvas, parts.head, 0, &HEAD.map(str::to_owned), [app.theme.faint(); 7]);
    }
    groups(app, canvas, parts.list, &columns);
    preview(app, canvas, parts.preview);
    if !parts.time.is_empty() {
        timeline(app, canvas, parts.time);
    }
}

/// The lists there are, and what is searched for.
fn tabs(app: &App, canvas: &mut Canvas, area: Rect) {
    let mut line = Line::default();
    for (list, count) in app.lists() {
        let is_open = list == app.list.list;
        let text = if is_open { format!("[{list} {count}]") } else { format!(" {list} {count} ") };
        line = line.and(text, if is_open { app.theme.title() } else { app.theme.faint() });
    }
    if let Some(search) = &app.list.search {
        line = line.and(format!("  /{}", escaped(&search.typed)), app.theme.notice());
    }
    if !app.filter.is_empty() {
        line = line.and(format!("  filter {}", escaped(&app.filter)), app.theme.notice());
    }
    if app.list.sort != Default::default() {
        line = line.and(format!("  by {}", app.list.sort.word()), app.theme.notice());
    }
    if !app.list.marked.is_empty() {
        line = line.and(format!("  {} marked", app.list.marked.len()), app.theme.notice());
    }
    line.draw(canvas, area, 0);
}

const HEAD: [&str; 7] = ["", "severity", "n", "last", "by", "what", "why"];

/// Where each column begins and how wide it is; those without room have none.
struct Columns([(u16, u16); 7]);

impl Columns {
    fn of(width: u16) -> Self {
        let fixed: [u16; 5] = match width {
            0..70 => [12, 0, 5, 0, 0],
            70..WIDE => [12, 9, 5, 0, 0],
            _ => [12, 9, 6, 12, 16],
        };
        let rest = width.saturating_sub(fixed.iter().sum());
        let why = if width >= WIDE { rest * 2 / 5 } else { 0 };
        let mut columns = [(0, 0); 7];
        let mut from = 0;
        for (place, wide) in fixed.into_iter().chain([rest - why, why]).enumerate() {
            columns[place] = (from, wide);
            from += wide;
        }
        Self(columns)
    }

    fn draw(&self, canvas: &mut Canvas, area: Rect, row: u16, cells: &[String; 7], styles: [Style; 7]) {
        for (((from, wide), text), style) in self.0.iter().zip(cells).zip(styles) {
            if *wide > 1 {
                let cell = Rect { x: area.x + from, width: wide - 1, ..area };
                canvas.put_cut(cell, row, 0, text, style);
            }
        }
    }
}

fn groups(app: &App, canvas: &mut Canvas, area: Rect, columns: &Columns) {
    let shown = &app.list.shown;
    if shown.is_empty() {
        return empty(app, canvas, area);
    }
    let first = app.list.cursor.top(usize::from(area.height), shown.len());
    for (row, entry) in shown.iter().skip(first).take(usize::from(area.height)).enumerate() {
        let is_selected = first + row == app.list.cursor.at;
        let label = app.labels.of(&entry.key);
        let mark = match (app.list.marked.contains(&entry.key), label) {
            (true, _) => '*',
            (_, Some(_)) => '+',
            _ if is_selected => '>',
            _ => ' ',
        };
        let text = entry.finding.action.text.as_ref();
        let what = if entry.count == 1 { escaped(&app.safe(text)) } else { escaped(&app.safe(&entry.template)) };
        let actor = match entry.actors.as_slice() {
            [] => String::new(),
            [(name, _)] if name.is_empty() => "nobody named".to_owned(),
            [(name, _)] => escaped(name),
            many => format!("{} actors", many.len()),
        };
        let cells = [
            format!("{mark}{}", entry.badge),
            entry.severity.to_string(),
            brief(entry.count),
            minute(entry.last),
            actor,
            what,
            escaped(&entry.reason),
        ];
        let badge = entry.class.map_or(app.theme.decision(entry.decision), |class| app.theme.class(class));
        let plain = Style::PLAIN;
        let faint = app.theme.faint();
        let styles = [badge, app.theme.severity(entry.severity), plain, faint, plain, plain, faint];
        columns.draw(canvas, area, row as u16, &cells, styles);
        if is_selected {
            let line = Rect { y: area.y + row as u16, height: 1, ..area };
            canvas.restyle(line, |style| Style { dim: false, ..style }.reverse());
        }
    }
}

/// Why there is nothing to see.
fn empty(app: &App, canvas: &mut Canvas, area: Rect) {
    let said = match () {
        () if app.list.search.is_some() => "nothing here is what you search for (esc ends the search)".to_owned(),
        () if app.is_reading() => "nothing yet …".to_owned(),
        () if app.list.list == List::Near && app.store.len() > 0 => {
            "no near-misses: no allowed action was one step away from a rule (] shows the other lists)".to_owned()
        }
        () if app.store.len() == 0 => {
            "there was no action in what was read (@ shows what could not be read)".to_owned()
        }
        () => "nothing".to_owned(),
    };
    canvas.put_cut(area, 0, 1, &said, app.theme.faint());
}

/// What the selected group is about.
fn preview(app: &App, canvas: &mut Canvas, area: Rect) {
    let Some(entry) = app.looked_at() else {
        canvas.rule(area, 0, app.list.list.about(), app.theme.frame());
        return;
    };
    let title = entry.rule.as_ref().map_or(app.list.list.about(), |rule| rule.id.as_str());
    canvas.rule(area, 0, title, app.theme.frame());
    let (_, area) = area.top(1);
    let area = area.inset(1);
    let mut said = words(app, entry, usize::from(area.width));
    said.extend(about(app, entry));
    if let Some(rule) = &entry.rule {
        let message = wrapped(&escaped(&rule.message), usize::from(area.width));
        said.extend(message.into_iter().map(|line| Line::new(line, app.theme.faint())));
    }
    lines(canvas, area, &said, 0, app.theme);
}

/// The command with the words it is about marked, and who ran it.
pub(super) fn words(app: &App, entry: &Entry, width: usize) -> Vec<Line> {
    let finding = &entry.finding;
    let effect = match (&entry.near, finding.verdict.hits.first()) {
        (Some(near), _) => Some(near.effect),
        (None, hit) => hit.map(|hit| hit.effect),
    };
    let span = effect.and_then(|effect| finding.understanding.effects.get(effect)).and_then(|effect| effect.span);
    let spans: Vec<_> = span.into_iter().collect();
    let line = marked(&app.safe(&finding.action.text), &spans, width.max(22));
    let mut shown = Line::default();
    let marks: Vec<char> = line.marks.chars().collect();
    let (mut piece, mut was_marked) = (String::new(), false);
    for (at, letter) in line.text.chars().enumerate() {
        let is_marked = marks.get(at) == Some(&'^');
        if is_marked != was_marked && !piece.is_empty() {
            let style = if was_marked { app.theme.marked() } else { Style::PLAIN };
            shown = shown.and(std::mem::take(&mut piece), style);
        }
        was_marked = is_marked;
        piece.push(letter);
    }
    let shown = shown.and(piece, if was_marked { app.theme.marked() } else { Style::PLAIN });
    let action = &finding.action;
    let place = format!(
        "{}{}, {}  {}:{}",
        who(&action.actor),
        action.time.map(|time| format!(", {}", crate::report::second(&time.to_string()))).unwrap_or_default(),
        finding.environment,
        escaped(&action.origin.file),
        action.origin.line,
    );
    let faint = app.theme.faint();
    let long = width_of(&place) > width;
    let place = if long { format!("{}, {}", who(&action.actor), finding.environment) } else { place };
    vec![shown, Line::new(place, faint)]
}

/// What was missing, and the one change that would have done it.
pub(super) fn about(app: &App, entry: &Entry) -> Vec<Line> {
    let mut said = Vec::new();
    let faint = app.theme.faint();
    let mut line =
        |label: &str, text: String| said.push(Line::new(format!("{label:<9}"), faint).and(text, Style::PLAIN));
    match &entry.near {
        Some(near) => {
            line("missing", format!("{}{}", escaped(&entry.reason), said::now(near)));
            if let Some((text, about)) = said::slipped(&near.flips) {
                line("one slip", format!("{}  ({about})", escaped(&app.safe(text))));
            }
            if near.flips.iter().any(|flip| matches!(flip, Flip::Fact { .. })) {
                line("or with", said::facts(&near.flips).map(|facts| escaped(&facts)).unwrap_or_default());
            }
            if let Some(held) = said::held_by(near) {
                line("held by", held);
            }
        }
        None => line("why", escaped(&entry.reason)),
    }
    if let Some(barrier) = entry.group.as_deref().and_then(single_barrier) {
        line("barrier", format!("only {barrier}"));
    }
    if entry.actors.len() > 1 {
        let named = |(name, count): &(Arc<str>, u64)| match count {
            0 => escaped(name),
            count => format!("{} ({count})", escaped(name)),
        };
        let shown: Vec<String> = entry.actors.iter().take(4).map(named).collect();
        let more = entry.actors.len().saturating_sub(4);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        line("by", shown.join(", ") + &more);
    }
    if let Some(label) = app.labels.of(&entry.key) {
        line("label", label.to_string());
    }
    said
}

fn single_barrier(group: &Group) -> Option<String> {
    let [facts] = &group.barriers[..] else { return None };
    let mut facts = facts.iter();
    match (facts.next(), facts.next()) {
        (Some(only), None) => Some(said::barrier(only)),
        _ => None,
    }
}

/// When the groups of the open list happened, and when the policy changed.
fn timeline(app: &App, canvas: &mut Canvas, area: Rect) {
    let mut days: BTreeMap<i64, u64> = BTreeMap::new();
    for entry in &app.list.shown {
        for (day, count) in &entry.days {
            *days.entry(*day).or_default() += count;
        }
    }
    let critical = app.list.shown.iter().filter(|entry| entry.severity >= Severity::High).count();
    let (labelled, all) = app.labelled();
    let mut right = format!("{critical} high or worse");
    if labelled > 0 {
        right = format!("{right}  {labelled} of {all} labelled");
    }
    if app.list.list == List::Near && app.picture.allowed > 0 {
        let share = 100.0 * app.picture.listed as f64 / app.picture.allowed as f64;
        right = format!("{right}  {share:.2} % of what was allowed");
    }
    if app.picture.suppressed > 0 {
        right = format!("{right}  {} hidden by suppressions", app.picture.suppressed);
    }
    let room = usize::from(area.width).saturating_sub(width_of(&right) + 34);
    canvas.rule(area, 0, "", app.theme.frame());
    if let Some((bars, first, last)) = sparkline(&days, room).filter(|_| room > 8 && days.len() > 1) {
        let day = |day: i64| {
            crate::model::Timestamp(day * 86_400_000_000).to_string().get(..10).unwrap_or_default().to_owned()
        };
        let mut column = canvas.put(area, 0, 1, &format!(" {} ", day(first)), app.theme.faint());
        let start = column;
        column = canvas.put(area, 0, column, &bars, Style::PLAIN);
        let columns = width_of(&bars) as i64;
        for (changed, _) in app.opening.changes.iter().filter(|(changed, _)| (first..=last).contains(changed)) {
            let at = (changed - first) * columns / (last - first + 1);
            canvas.put(area, 0, start + at as u16, "▲", app.theme.notice());
        }
        let named = app.opening.changes.iter().filter(|(changed, _)| (first..=last).contains(changed)).count();
        let policy = if named > 0 { format!("▲ policy {named}× ") } else { String::new() };
        canvas.put(area, 0, column, &format!(" {} {policy}", day(last)), app.theme.faint());
    }
    let from = area.width.saturating_sub(width_of(&right) as u16 + 3);
    canvas.put_cut(area, 0, from, &format!(" {right} "), app.theme.faint());
}
