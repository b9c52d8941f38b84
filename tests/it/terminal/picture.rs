//! A screen as a picture for documents: what the terminal showed, cell by cell, as SVG.

use std::fmt::Write as _;

use super::screen::{Cell, Colour, Screen, Style};

/// Pixels of a cell; the letters are stretched to them, whatever font the reader has.
const CELL: (f64, f64) = (8.4, 18.0);
const MARGIN: f64 = 16.0;
/// The bar with the title.
const BAR: f64 = 34.0;
const FRONT: &str = "#d5d9e0";
const BACK: &str = "#14171c";
/// As dark terminals have them.
const SIXTEEN: [&str; 16] = [
    "#2b303b", "#d7605c", "#6fae6f", "#d9a441", "#5a93d6", "#b184c9", "#4fb0b0", "#c5cad3", "#5c6370", "#f07f7a",
    "#8cc98c", "#efc06a", "#7fb1ee", "#caa1de", "#74cccc", "#ffffff",
];

/// The screen as it is, below a title.
pub(crate) fn svg(screen: &Screen, title: &str) -> String {
    let (columns, rows) = screen.size();
    let width = f64::from(columns) * CELL.0 + 2.0 * MARGIN;
    let height = f64::from(rows) * CELL.1 + BAR + MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         role=\"img\" aria-label=\"{title}\">\n<style>text {{ font: 14px ui-monospace, 'DejaVu Sans Mono', Menlo, \
         Consolas, monospace; fill: {FRONT}; white-space: pre }}</style>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" \
         fill=\"{BACK}\"/>\n",
        title = escaped(title)
    );
    for (place, colour) in ["#d7605c", "#d9a441", "#6fae6f"].iter().enumerate() {
        let x = MARGIN + 4.0 + 18.0 * place as f64;
        let _ = writeln!(out, "<circle cx=\"{x}\" cy=\"17\" r=\"5.5\" fill=\"{colour}\"/>");
    }
    let middle = width / 2.0;
    let _ = writeln!(out, "<text x=\"{middle:.0}\" y=\"22\" text-anchor=\"middle\" opacity=\".7\">{}</text>", {
        escaped(title)
    });
    for (row, cells) in screen.cells().iter().enumerate() {
        let top = BAR + row as f64 * CELL.1;
        runs(cells).for_each(|run| draw(&mut out, &run, top));
    }
    out + "</svg>\n"
}

/// Cells that stand beside each other and look alike.
struct Run {
    column: usize,
    columns: usize,
    text: String,
    style: Style,
}

fn runs(cells: &[Cell]) -> impl Iterator<Item = Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (column, cell) in cells.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if run.style == cell.style => {
                run.columns += 1;
                run.text.push_str(&cell.text);
            }
            _ => runs.push(Run { column, columns: 1, text: cell.text.clone(), style: cell.style }),
        }
    }
    runs.into_iter()
}

fn draw(out: &mut String, run: &Run, top: f64) {
    let Style { bold, dim, italic, underline, reverse, front, back } = run.style;
    let (front, back) = (colour(front, FRONT), colour(back, BACK));
    let (front, back) = if reverse { (back, front) } else { (front, back) };
    let left = |column: usize| MARGIN + column as f64 * CELL.0;
    if back != BACK {
        let (x, width) = (left(run.column), run.columns as f64 * CELL.0);
        let _ = writeln!(
            out,
            "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{}\" fill=\"{back}\"/>",
            CELL.1
        );
    }
    // Blank cells are as wide as letters, but nothing has to be said of them.
    let text = run.text.trim_end();
    let kept = text.trim_start();
    if kept.is_empty() {
        return;
    }
    let skipped = text.len() - kept.len();
    let columns = run.columns - skipped - (run.text.len() - text.len());
    let mut looks = String::new();
    if front != FRONT {
        let _ = write!(looks, " fill=\"{front}\"");
    }
    for (is_so, look) in [
        (bold, " font-weight=\"700\""),
        (dim, " opacity=\".6\""),
        (italic, " font-style=\"italic\""),
        (underline, " text-decoration=\"underline\""),
    ] {
        if is_so {
            looks.push_str(look);
        }
    }
    let (x, y, width) = (left(run.column + skipped), top + 13.5, columns as f64 * CELL.0);
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\"{looks}>{}</text>",
        escaped(kept)
    );
}

fn colour(colour: Colour, usual: &str) -> String {
    match colour {
        Colour::Default => usual.to_owned(),
        Colour::Exact(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
        Colour::Index(index @ 0..16) => SIXTEEN[usize::from(index)].to_owned(),
        Colour::Index(index @ 16..232) => {
            let level = |part: u8| if part == 0 { 0 } else { 55 + part * 40 };
            let index = index - 16;
            format!("#{:02x}{:02x}{:02x}", level(index / 36), level(index / 6 % 6), level(index % 6))
        }
        Colour::Index(index) => format!("#{0:02x}{0:02x}{0:02x}", 8 + (index - 232) * 10),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::screen::Screen;

    #[test]
    fn letters_stand_in_their_columns() {
        let mut screen = Screen::new(12, 2);
        vte::Parser::new().advance(&mut screen, "  a<b \x1b[1;38;5;166mRED\x1b[0m\r\n\x1b[7m表\x1b[0m".as_bytes());
        let svg = super::svg(&screen, "a & b");
        // Two columns of 8.4 after the margin of 16; three columns wide.
        assert!(svg.contains("<text x=\"32.8\" y=\"47.5\" textLength=\"25.2\""), "{svg}");
        assert!(svg.contains(">a&lt;b</text>") && svg.contains("a &amp; b"), "{svg}");
        assert!(svg.contains("fill=\"#d75f00\" font-weight=\"700\">RED<"), "{svg}");
        assert!(svg.contains("width=\"16.8\" height=\"18\" fill=\"#d5d9e0\""), "a wide letter, reversed: {svg}");
    }
}
