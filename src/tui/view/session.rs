//! Screen 3: what one session did, in order.

use crate::report::{escaped, who};

use super::{Line, minute};
use crate::tui::app::App;
use crate::tui::canvas::{Canvas, Rect, Style};
use crate::tui::store::Row;

pub(super) fn draw(app: &App, canvas: &mut Canvas, body: Rect) {
    let rows = app.session_rows();
    let (name, cursor) = &app.session;
    let mut head = Line::new(format!(" session {}", escaped(name)), app.theme.title())
        .and(format!("  {} of {} actions", rows.len(), app.store.session(name).len()), app.theme.faint());
    if let Some(search) = &app.session_search {
        head = head.and(format!("  /{}", escaped(&search.typed)), app.theme.notice());
    }
    if !app.filter.is_empty() {
        head = head.and("  (only what the filter means)", app.theme.notice());
    }
    head.draw(canvas, body, 0);
    let (_, area) = body.top(1);
    let first = cursor.top(usize::from(area.height), rows.len());
    for (line, row) in rows.iter().skip(first).take(usize::from(area.height)).enumerate() {
        draw_row(app, row).draw(canvas, area, line as u16);
        if first + line == cursor.at {
            let selected = Rect { y: area.y + line as u16, height: 1, ..area };
            canvas.restyle(selected, |style| Style { dim: false, ..style }.reverse());
        }
    }
}

fn draw_row(app: &App, row: &Row) -> Line {
    let (word, style) = match row.class {
        Some(class) if row.rule.is_some() && row.decision == crate::model::Decision::Allow => {
            (format!("near {class}"), app.theme.class(class))
        }
        _ => (row.decision.to_string(), app.theme.decision(row.decision)),
    };
    let rule = row.rule.as_ref().map(|rule| format!("  {}", rule.id)).unwrap_or_default();
    Line::new(format!(" {:<11} ", minute(row.time)), app.theme.faint())
        .and(format!("{:<6}", row.kind), app.theme.faint())
        .and(format!("{word:<13} "), style)
        .and(row.tool.as_ref().map(|tool| format!("{} ", escaped(tool))).unwrap_or_default(), app.theme.title())
        .and(escaped(&app.safe(&row.text)), Style::PLAIN)
        .and(rule, app.theme.faint())
        .and(format!("  {}", who(&row.actor)), app.theme.faint())
}
