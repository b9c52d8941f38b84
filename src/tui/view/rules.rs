//! Screen 4: every rule of the policy, how often it had a say, and how often something came near to it.

use crate::model::{Class, Mode};
use crate::report::escaped;

use super::{Line, brief, minute};
use crate::tui::app::App;
use crate::tui::canvas::{Canvas, Rect, Style, wrapped};

pub(super) fn draw(app: &App, canvas: &mut Canvas, body: Rect) {
    let rules = app.opening.engine.policy().rules();
    let places = app.rule_lines();
    let silent = rules.iter().filter(|rule| !app.picture.rules.contains_key(&rule.id)).count();
    let mut head = Line::new(format!(" {} rules", rules.len()), app.theme.title())
        .and(format!("  {silent} had no say in what was read"), app.theme.faint());
    if let Some(search) = &app.rule_search {
        head = head.and(format!("  /{}", escaped(&search.typed)), app.theme.notice());
    }
    head.draw(canvas, body, 0);
    let (_, area) = body.top(1);
    let (area, about) = area.bottom((area.height / 3).min(8));
    let titles = format!(
        " {:<9}{:>8}{:>7}{:>8}{:>6}{:>9}{:>7}  rule",
        "severity", "stopped", "lucky", "margin", "slip", "guarded", "blind"
    );
    canvas.put_cut(area, 0, 0, &titles, app.theme.faint());
    let (_, area) = area.top(1);
    let first = app.rules.top(usize::from(area.height), places.len());
    for (line, place) in places.iter().skip(first).take(usize::from(area.height)).enumerate() {
        let Some(rule) = rules.get(*place) else { continue };
        let tally = app.picture.rules.get(&rule.id).copied().unwrap_or_default();
        let near = |class: Class| brief(tally.near[class as usize]);
        let (count, shadow) = match rule.mode {
            Mode::Shadow => (tally.shadow, " (shadow)"),
            Mode::Enforce => (tally.stopped, ""),
        };
        let numbers = format!(
            "{:>8}{:>7}{:>8}{:>6}{:>9}{:>7}  ",
            brief(count),
            near(Class::Lucky),
            near(Class::Margin),
            near(Class::Slip),
            near(Class::Guarded),
            near(Class::Blind)
        );
        let silent = !app.picture.rules.contains_key(&rule.id);
        let style = if silent { app.theme.faint() } else { Style::PLAIN };
        Line::new(format!(" {:<9}", rule.severity), if silent { style } else { app.theme.severity(rule.severity) })
            .and(numbers, style)
            .and(format!("{}{shadow}", rule.id), if silent { style } else { app.theme.title() })
            .and(format!("  {}", rule.decision), style)
            .draw(canvas, area, line as u16);
        if first + line == app.rules.at {
            let selected = Rect { y: area.y + line as u16, height: 1, ..area };
            canvas.restyle(selected, |style| Style { dim: false, ..style }.reverse());
        }
    }
    let Some(rule) = places.get(app.rules.at).and_then(|place| rules.get(*place)) else { return };
    canvas.rule(about, 0, &format!("{}:{}", rule.file, rule.line), app.theme.frame());
    let (_, about) = about.top(1);
    let about = about.inset(1);
    let width = usize::from(about.width);
    let last = app.picture.rules.get(&rule.id).and_then(|tally| tally.last);
    let mut said: Vec<Line> = wrapped(&escaped(&rule.message), width).into_iter().map(Line::plain).collect();
    if !rule.advice.is_empty() {
        let advice = wrapped(&format!("instead: {}", escaped(&rule.advice)), width);
        said.extend(advice.into_iter().map(|line| Line::new(line, app.theme.faint())));
    }
    if last.is_some() {
        said.push(Line::new(format!("last stopped something {}", minute(last)), app.theme.faint()));
    }
    super::lines(canvas, about, &said, 0, app.theme);
}
