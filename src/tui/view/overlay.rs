//! What lies over a screen: help, problems, a question, the palette.

use super::{Line, lines};
use crate::report::escaped;
use crate::tui::app::{App, Overlay};
use crate::tui::canvas::{Canvas, Rect, Style, wrapped};
use crate::tui::command::{COMMANDS, shown};
use crate::tui::prompt::Purpose;

pub(super) fn draw(app: &App, canvas: &mut Canvas, body: Rect) {
    match &app.overlay {
        Some(Overlay::Help { scroll }) => {
            let width = usize::from(body.width.saturating_sub(8).min(88));
            window(app, canvas, body, "what works here", &help(app, width), *scroll);
        }
        Some(Overlay::Problems { scroll }) => {
            window(app, canvas, body, "what could not be read", &super::detail::problems(app), *scroll);
        }
        Some(Overlay::Draft { rule, scroll }) => {
            let lines: Vec<Line> = rule.lines().map(|line| Line::plain(escaped(line))).collect();
            window(app, canvas, body, "a rule for it: w writes it, y copies it, esc leaves", &lines, *scroll);
        }
        Some(Overlay::Confirm) => confirm(app, canvas, body),
        None => {}
    }
    if app.prompt.as_ref().is_some_and(|prompt| prompt.purpose == Purpose::Palette) {
        palette(app, canvas, body);
    }
}

fn window(app: &App, canvas: &mut Canvas, body: Rect, title: &str, said: &[Line], scroll: usize) {
    let area = body.centred(body.width.saturating_sub(4).min(92), (said.len() as u16 + 2).min(body.height));
    let inside = canvas.frame(area, title, app.theme.frame());
    lines(canvas, inside.inset(1), said, scroll, app.theme);
}

/// Only what works now.
fn help(app: &App, width: usize) -> Vec<Line> {
    let works = COMMANDS.iter().filter(|entry| entry.command.works(app));
    let line = |entry: &crate::tui::command::Entry| {
        let keys: Vec<String> = entry.keys.iter().map(shown).collect();
        Line::new(format!("{:<14}", keys.join(" ")), app.theme.title())
            .and(format!("{:<15}", entry.name), Style::PLAIN)
            .and(entry.about, app.theme.faint())
    };
    let mut shown: Vec<Line> = works.map(line).collect();
    shown.push(Line::default());
    let said = "d1 lucky: allowed, and one circumstance kept a rule from stopping it; slip: one slip of the hand; margin: a \
                number that was not reached; guarded: a control worked; blind: a fact is missing. = says what a rule is \
                about, ✔ holds, ✘ does not, ? nobody knows. Nothing recorded is ever run.";
    shown.extend(wrapped(said, width).into_iter().map(|line| Line::new(line, app.theme.faint())));
    shown
}

fn confirm(app: &App, canvas: &mut Canvas, body: Rect) {
    let Some(deed) = &app.pending else { return };
    let mut said = vec![Line::new(format!("Label it \"{}\"? This writes:", deed.label), app.theme.title())];
    said.extend(deed.writes.iter().map(|write| Line::plain(format!("  {}", write.path.display()))));
    said.extend(deed.note.iter().map(|note| Line::new(note.clone(), app.theme.notice())));
    said.push(Line::default());
    said.push(Line::new("y yes, and do not ask again   any other key: no", app.theme.title()));
    window(app, canvas, body, "write files", &said, 0);
}

fn palette(app: &App, canvas: &mut Canvas, body: Rect) {
    let entries = app.palette_lines();
    let rows = (entries.len() as u16).min(12);
    let (_, area) = body.bottom(rows + 2);
    let area = Rect { width: area.width.min(80), ..area };
    let inside = canvas.frame(area, "commands", app.theme.frame());
    let first = app.palette.top(usize::from(inside.height), entries.len());
    for (row, entry) in entries.iter().skip(first).take(usize::from(inside.height)).enumerate() {
        Line::new(format!(" {:<15}", entry.name), app.theme.title())
            .and(entry.about, app.theme.faint())
            .draw(canvas, inside, row as u16);
        if first + row == app.palette.at {
            let line = Rect { y: inside.y + row as u16, height: 1, ..inside };
            canvas.restyle(line, |style| Style { dim: false, ..style }.reverse());
        }
    }
}
