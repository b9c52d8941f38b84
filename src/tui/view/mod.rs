//! Pictures of the state: a file for every screen. Nothing here changes anything.

mod detail;
mod labels;
mod list;
mod overlay;
mod rules;
mod session;

use super::app::{App, Screen};
use super::canvas::{Canvas, Rect, Style, width_of};
use super::command::{COMMANDS, shown};
use crate::report::{counted, escaped, thousands};

pub(super) use list::rows as list_rows;

/// The least that anything can be shown on.
const LEAST: (u16, u16) = (40, 10);
const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// A line in pieces that look different.
#[derive(Clone, Debug, Default)]
pub(super) struct Line(Vec<(String, Style)>);

impl Line {
    fn new(text: impl Into<String>, style: Style) -> Self {
        Self(vec![(text.into(), style)])
    }

    fn plain(text: impl Into<String>) -> Self {
        Self::new(text, Style::PLAIN)
    }

    fn and(mut self, text: impl Into<String>, style: Style) -> Self {
        self.0.push((text.into(), style));
        self
    }

    fn draw(&self, canvas: &mut Canvas, area: Rect, row: u16) {
        let mut column = 0;
        for (text, style) in &self.0 {
            column = canvas.put_cut(area, row, column, text, *style);
            if column >= area.width {
                return;
            }
        }
    }
}

/// Lines from one on, and how many there are beyond the last that found room.
fn lines(canvas: &mut Canvas, area: Rect, lines: &[Line], scroll: usize, theme: super::theme::Theme) {
    let rows = usize::from(area.height);
    let scroll = scroll.min(lines.len().saturating_sub(rows));
    for (row, line) in lines.iter().skip(scroll).take(rows).enumerate() {
        line.draw(canvas, area, row as u16);
    }
    let below = lines.len().saturating_sub(scroll + rows);
    if below > 0 && rows > 0 {
        let more = format!(" {below} more ↓");
        let from = area.width.saturating_sub(width_of(&more) as u16);
        canvas.put(area, area.height - 1, from, &more, theme.faint());
    }
}

/// The whole screen.
pub(super) fn draw(app: &App) -> Canvas {
    let (width, height) = app.size;
    let mut canvas = Canvas::new(width, height);
    let area = canvas.area();
    if width < LEAST.0 || height < LEAST.1 {
        let (columns, rows) = LEAST;
        canvas.put(area, 0, 0, "terminal too small:", Style::PLAIN);
        canvas.put(area, 1, 0, &format!("need {columns}×{rows}, have {width}×{height}"), Style::PLAIN);
        return canvas;
    }
    let (head, rest) = area.top(1);
    let (body, foot) = rest.bottom(1);
    header(app, &mut canvas, head);
    match app.screen {
        Screen::List => list::draw(app, &mut canvas, body),
        Screen::Detail => detail::draw(app, &mut canvas, body),
        Screen::Session => session::draw(app, &mut canvas, body),
        Screen::Rules => rules::draw(app, &mut canvas, body),
        Screen::Labels => labels::draw(app, &mut canvas, body),
    }
    overlay::draw(app, &mut canvas, body);
    footer(app, &mut canvas, foot);
    canvas
}

/// Which policy, over what, how far.
fn header(app: &App, canvas: &mut Canvas, area: Rect) {
    let heading = &app.opening.heading;
    let policy = heading.policies.join(" + ");
    let actions = app.store.len() as u64;
    let progress = match (app.is_reading(), app.opening.bytes) {
        (false, _) if app.picture.problem.is_some() => "stopped".to_owned(),
        (false, _) => {
            format!("{} in {:.1} s", counted(app.store.sessions() as u64, "session"), app.picture.elapsed.as_secs_f64())
        }
        (true, Some(all)) if all > 0 => {
            let share = app.picture.bytes.min(all) * 100 / all;
            format!("reading {share} % {}", SPINNER[app.tick % SPINNER.len()])
        }
        (true, _) => format!("reading {}", SPINNER[app.tick % SPINNER.len()]),
    };
    let problems = match app.picture.issues.len() {
        0 => String::new(),
        count => format!("{} (@)  ", counted(count as u64, "problem")),
    };
    let right = format!("{problems}{}  {progress} ", counted(actions, "action"));
    let room = usize::from(area.width).saturating_sub(width_of(&right) + 1);
    let left = if room > 60 {
        format!(
            " nearmiss  {} ({}, {})  {}",
            escaped(&policy),
            counted(heading.rules as u64, "rule"),
            heading.policy_digest,
            escaped(&app.opening.again)
        )
    } else {
        format!(" nearmiss  {}", escaped(&policy))
    };
    let (left_area, _) = area.left(room as u16);
    canvas.put_cut(left_area, 0, 0, &left, app.theme.title());
    let from = area.width.saturating_sub(width_of(&right) as u16);
    canvas.put_cut(area, 0, from, &right, if app.is_reading() { app.theme.notice() } else { app.theme.faint() });
}

/// A line that is written, something to say, or the keys that work here.
fn footer(app: &App, canvas: &mut Canvas, area: Rect) {
    if let Some(prompt) = &app.prompt {
        let (before, after) = prompt.parts();
        let (before, after) = (escaped(&app.safe_input(&before)), escaped(&app.safe_input(&after)));
        let label = prompt.purpose.label();
        let room = usize::from(area.width).saturating_sub(width_of(label) + 2);
        // The cursor stays in view.
        let hidden = width_of(&before).saturating_sub(room);
        let mut skipped = 0;
        let shown_before: String = before
            .chars()
            .skip_while(|letter| {
                let skip = skipped < hidden;
                skipped += width_of(letter.encode_utf8(&mut [0; 4]));
                skip
            })
            .collect();
        let column = canvas.put(area, 0, 0, label, app.theme.title());
        let column = canvas.put(area, 0, column, &shown_before, Style::PLAIN);
        canvas.cursor = Some((area.x + column.min(area.width - 1), area.y));
        let column = canvas.put_cut(area, 0, column, &after, Style::PLAIN);
        if let Some(problem) = &prompt.problem {
            canvas.put_cut(area, 0, column + 2, &escaped(problem), app.theme.unmet());
        }
        return;
    }
    if let Some(message) = &app.message {
        let style = if message.is_problem { app.theme.unmet() } else { app.theme.title() };
        canvas.put_cut(area, 0, 1, &escaped(&message.text), style);
        return;
    }
    let mut column = 1;
    for entry in COMMANDS.iter().filter(|entry| entry.command.works(app)) {
        let Some(short) = entry.short else { continue };
        let key = entry.keys.first().map(shown).unwrap_or_default();
        let wide = (width_of(&key) + width_of(short) + 3) as u16;
        // What ends the program is always said.
        let is_quit = entry.command == super::command::Command::Quit;
        let reserve = if is_quit { 0 } else { 16 };
        if column + wide + reserve > area.width {
            continue;
        }
        column = canvas.put(area, 0, column, &key, app.theme.title());
        column = canvas.put(area, 0, column + 1, short, app.theme.faint()) + 2;
    }
}

/// `11-21 03:12`, in UTC.
fn minute(time: Option<crate::model::Timestamp>) -> String {
    let Some(time) = time else { return String::new() };
    let text = time.to_string();
    text.get(5..16).map_or(text.clone(), |minute| minute.replace('T', " "))
}

/// A number in at most five columns: `123`, `12k`, `3M`.
fn brief(count: u64) -> String {
    match count {
        0..10_000 => thousands(count).replace(',', ""),
        10_000..10_000_000 => format!("{}k", count / 1000),
        _ => format!("{}M", count / 1_000_000),
    }
}

/// How often over time, in so many columns: one letter for every part of it.
fn sparkline(days: &std::collections::BTreeMap<i64, u64>, columns: usize) -> Option<(String, i64, i64)> {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let (first, last) = (*days.first_key_value()?.0, *days.last_key_value()?.0);
    let span = usize::try_from(last - first + 1).ok()?;
    let columns = columns.min(span).max(1);
    let mut counts = vec![0_u64; columns];
    for (day, count) in days {
        let at = (day - first) as usize * columns / span;
        if let Some(sum) = counts.get_mut(at) {
            *sum += count;
        }
    }
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    let bar = |count: &u64| if *count == 0 { ' ' } else { BARS[((count * 8).div_ceil(most) as usize).clamp(1, 8) - 1] };
    Some((counts.iter().map(bar).collect(), first, last))
}
