//! Screen 5: what reviewers said, and every file that this review wrote.

use super::{Line, lines};
use crate::tui::app::App;
use crate::tui::canvas::{Canvas, Rect, Style};
use crate::tui::entry::List;
use crate::tui::label::Label;

pub(super) fn draw(app: &App, canvas: &mut Canvas, body: Rect) {
    let faint = app.theme.faint();
    let mut shown = Vec::new();
    let (labelled, all) = app.labelled();
    shown.push(Line::new(format!("{labelled} of {all} groups of near-misses have a label"), app.theme.title()));
    for label in Label::ALL {
        shown.push(Line::plain(format!("  {:<16}{:>4}", label.word(), app.labels.count(*label))));
    }
    let hidden = app.picture.entries.iter().filter(|entry| entry.list == List::Hidden).count();
    shown.push(Line::plain(format!("  {:<16}{hidden:>4}", "hidden groups")));
    for problem in &app.labels.problems {
        shown.push(Line::new(crate::report::escaped(problem), app.theme.unmet()));
    }
    shown.push(Line::default());
    match &app.opening.project {
        None => {
            let said = "read only: there is no nearmiss.toml here (`nearmiss init` makes one)";
            shown.push(Line::new(said, app.theme.notice()));
        }
        Some(project) => {
            let folders =
                [("cases", &project.cases), ("suppressions", &project.suppressed), ("labels", &project.labels)];
            for (name, folder) in folders {
                shown.push(Line::new(format!("{name:<13}"), faint).and(folder.display().to_string(), Style::PLAIN));
            }
        }
    }
    shown.push(Line::default());
    shown.push(Line::new("written in this review (u takes the last one back)", app.theme.title()));
    if app.labels.done.is_empty() {
        shown.push(Line::new("  nothing", faint));
    }
    for deed in app.labels.done.iter().rev() {
        shown.push(
            Line::plain(format!("  {}", deed.label))
                .and(deed.note.as_ref().map(|note| format!("  {note}")).unwrap_or_default(), faint),
        );
        for write in &deed.writes {
            shown.push(Line::new(format!("    {}", write.path.display()), faint));
        }
    }
    lines(canvas, body.inset(1), &shown, 0, app.theme);
}
