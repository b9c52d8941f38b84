//! The screen as cells: what views draw on, and how little has to be written to get from one picture to the next.
//!
//! Names and shapes are those of the terminal libraries of the field (`Rect`, `Style`, cells in rows), so that moving to
//! one is a matter of imports.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

/// A part of the screen, in columns and rows from its upper left corner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) x: u16,
    pub(super) y: u16,
    pub(super) width: u16,
    pub(super) height: u16,
}

impl Rect {
    pub(super) const fn new(x: u16, y: u16, width: u16, height: u16) -> Self {
        Self { x, y, width, height }
    }

    pub(super) const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// The first `rows` rows, and the rest.
    pub(super) fn top(self, rows: u16) -> (Self, Self) {
        let rows = rows.min(self.height);
        (Self { height: rows, ..self }, Self { y: self.y + rows, height: self.height - rows, ..self })
    }

    /// All but the last `rows` rows, and these.
    pub(super) fn bottom(self, rows: u16) -> (Self, Self) {
        self.top(self.height.saturating_sub(rows))
    }

    /// The first `columns` columns, and the rest.
    pub(super) fn left(self, columns: u16) -> (Self, Self) {
        let columns = columns.min(self.width);
        (Self { width: columns, ..self }, Self { x: self.x + columns, width: self.width - columns, ..self })
    }

    /// Without `columns` on both sides.
    pub(super) fn inset(self, columns: u16) -> Self {
        let columns = columns.min(self.width / 2);
        Self { x: self.x + columns, width: self.width - 2 * columns, ..self }
    }

    /// A box of at most this size in the middle.
    pub(super) fn centred(self, width: u16, height: u16) -> Self {
        let (width, height) = (width.min(self.width), height.min(self.height));
        Self { x: self.x + (self.width - width) / 2, y: self.y + (self.height - height) / 2, width, height }
    }
}

/// How a cell looks. `None` is the terminal's own colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Style {
    /// One of the 256 colours that terminals agree on.
    pub(super) colour: Option<u8>,
    pub(super) bold: bool,
    pub(super) dim: bool,
    pub(super) reverse: bool,
    pub(super) underline: bool,
}

impl Style {
    pub(super) const PLAIN: Self = Self { colour: None, bold: false, dim: false, reverse: false, underline: false };

    pub(super) const fn colour(self, colour: u8) -> Self {
        Self { colour: Some(colour), ..self }
    }

    pub(super) const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub(super) const fn dim(self) -> Self {
        Self { dim: true, ..self }
    }

    pub(super) const fn reverse(self) -> Self {
        Self { reverse: true, ..self }
    }

    pub(super) const fn underline(self) -> Self {
        Self { underline: true, ..self }
    }
}

/// Marks that stand on one letter; more are left out.
const MARKS: usize = 2;
/// The right half of a wide letter.
const HALF: char = '\0';

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    letter: char,
    /// Combining marks on it; `\0` for none.
    marks: [char; MARKS],
    style: Style,
}

impl Cell {
    const BLANK: Self = Self { letter: ' ', marks: ['\0'; MARKS], style: Style::PLAIN };
}

/// One picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Canvas {
    width: u16,
    height: u16,
    cells: Vec<Cell>,
    /// Where somebody types.
    pub(super) cursor: Option<(u16, u16)>,
}

impl Canvas {
    pub(super) fn new(width: u16, height: u16) -> Self {
        Self { width, height, cells: vec![Cell::BLANK; usize::from(width) * usize::from(height)], cursor: None }
    }

    pub(super) const fn area(&self) -> Rect {
        Rect::new(0, 0, self.width, self.height)
    }

    fn at(&mut self, x: u16, y: u16) -> Option<&mut Cell> {
        let inside = x < self.width && y < self.height;
        let place = usize::from(y) * usize::from(self.width) + usize::from(x);
        self.cells.get_mut(place).filter(|_| inside)
    }

    /// Writes into a row of `area`, `from` columns in, and answers with the column behind the text. What finds no room is
    /// cut. The text holds nothing but letters: whoever shows a recording escapes it.
    pub(super) fn put(&mut self, area: Rect, row: u16, from: u16, text: &str, style: Style) -> u16 {
        let (mut column, y) = (from, area.y + row);
        if row >= area.height {
            return column;
        }
        let mut last = None;
        for letter in text.chars() {
            let wide = letter.width().unwrap_or(0) as u16;
            if wide == 0 {
                let Some(cell) = last.and_then(|x| self.at(x, y)) else { continue };
                if let Some(mark) = cell.marks.iter_mut().find(|mark| **mark == '\0') {
                    *mark = letter;
                }
                continue;
            }
            if column + wide > area.width {
                break;
            }
            let x = area.x + column;
            self.split(x, y);
            self.split(x + wide, y);
            for half in 0..wide {
                if let Some(cell) = self.at(x + half, y) {
                    *cell = Cell { letter: if half == 0 { letter } else { HALF }, marks: ['\0'; MARKS], style };
                }
            }
            last = Some(x);
            column += wide;
        }
        column
    }

    /// A wide letter of which only the left half would be left is taken away.
    fn split(&mut self, x: u16, y: u16) {
        if self.at(x, y).is_some_and(|cell| cell.letter == HALF)
            && x > 0
            && let Some(cell) = self.at(x - 1, y)
        {
            cell.letter = ' ';
        }
    }

    /// Writes a text of which what finds no room is said to be missing by `…`.
    pub(super) fn put_cut(&mut self, area: Rect, row: u16, from: u16, text: &str, style: Style) -> u16 {
        let room = usize::from(area.width.saturating_sub(from));
        if width_of(text) <= room {
            return self.put(area, row, from, text, style);
        }
        let mut taken = 0;
        let fits = |letter: &char| {
            taken += letter.width().unwrap_or(0);
            taken < room
        };
        let cut: String = text.chars().take_while(fits).collect();
        self.put(area, row, from, &(cut + "…"), style)
    }

    /// Gives a look to what stands there already.
    pub(super) fn restyle(&mut self, area: Rect, change: impl Fn(Style) -> Style) {
        for y in area.y..area.y.saturating_add(area.height) {
            for x in area.x..area.x.saturating_add(area.width) {
                if let Some(cell) = self.at(x, y) {
                    cell.style = change(cell.style);
                }
            }
        }
    }

    /// Makes an area blank.
    pub(super) fn clear(&mut self, area: Rect) {
        for y in area.y..area.y.saturating_add(area.height) {
            self.split(area.x, y);
            self.split(area.x.saturating_add(area.width), y);
            for x in area.x..area.x.saturating_add(area.width) {
                if let Some(cell) = self.at(x, y) {
                    *cell = Cell::BLANK;
                }
            }
        }
    }

    /// A line across, with words in it: `─ title ───`.
    pub(super) fn rule(&mut self, area: Rect, row: u16, title: &str, style: Style) {
        let line: String = std::iter::repeat_n('─', usize::from(area.width)).collect();
        self.put(area, row, 0, &line, style);
        if !title.is_empty() {
            self.put_cut(Rect { width: area.width.saturating_sub(1), ..area }, row, 1, &format!(" {title} "), style);
        }
    }

    /// A box with a title; answers with what is inside.
    pub(super) fn frame(&mut self, area: Rect, title: &str, style: Style) -> Rect {
        self.clear(area);
        if area.width < 2 || area.height < 2 {
            return Rect::default();
        }
        let across: String = std::iter::repeat_n('─', usize::from(area.width - 2)).collect();
        self.put(area, 0, 0, &format!("┌{across}┐"), style);
        for row in 1..area.height - 1 {
            self.put(area, row, 0, "│", style);
            self.put(area, row, area.width - 1, "│", style);
        }
        self.put(area, area.height - 1, 0, &format!("└{across}┘"), style);
        self.put_cut(Rect { width: area.width - 1, ..area }, 0, 1, &format!(" {title} "), style.bold());
        Rect::new(area.x + 1, area.y + 1, area.width - 2, area.height - 2)
    }

    /// The letters alone, without blanks at the ends of lines.
    #[cfg(test)]
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for row in self.cells.chunks(usize::from(self.width.max(1))) {
            let line = text.len();
            for cell in row.iter().filter(|cell| cell.letter != HALF) {
                text.push(cell.letter);
                text.extend(cell.marks.iter().filter(|mark| **mark != '\0'));
            }
            text.truncate(line + text[line..].trim_end().len());
            text.push('\n');
        }
        text
    }

    /// The commands that turn the picture `before` into this one; everything where there is none of this size.
    pub(super) fn paint(&self, before: Option<&Self>, out: &mut String) {
        let before = before.filter(|before| (before.width, before.height) == (self.width, self.height));
        if before.is_none() {
            out.push_str("\x1b[0m\x1b[2J");
        }
        let mut look = Style::PLAIN;
        out.push_str("\x1b[0m");
        // Where the terminal's own cursor stands after what was written.
        let mut stands = None;
        for y in 0..self.height {
            for x in 0..self.width {
                let place = usize::from(y) * usize::from(self.width) + usize::from(x);
                let Some(cell) = self.cells.get(place) else { continue };
                let same = before.map_or(*cell == Cell::BLANK, |before| before.cells.get(place) == Some(cell));
                if cell.letter == HALF || same {
                    continue;
                }
                if stands != Some((x, y)) {
                    let _ = write!(out, "\x1b[{};{}H", y + 1, x + 1);
                }
                if cell.style != look {
                    look = cell.style;
                    style(look, out);
                }
                out.push(cell.letter);
                out.extend(cell.marks.iter().filter(|mark| **mark != '\0'));
                stands = Some((x + cell.letter.width().unwrap_or(1) as u16, y));
            }
        }
        out.push_str("\x1b[0m");
        match self.cursor {
            Some((x, y)) => {
                let _ = write!(out, "\x1b[{};{}H\x1b[?25h", y + 1, x + 1);
            }
            None => out.push_str("\x1b[?25l"),
        }
    }
}

fn style(style: Style, out: &mut String) {
    out.push_str("\x1b[0");
    for (set, code) in [(style.bold, ";1"), (style.dim, ";2"), (style.underline, ";4"), (style.reverse, ";7")] {
        if set {
            out.push_str(code);
        }
    }
    if let Some(colour) = style.colour {
        let _ = write!(out, ";38;5;{colour}");
    }
    out.push('m');
}

/// Columns that a text takes.
pub(super) fn width_of(text: &str) -> usize {
    text.chars().map(|letter| letter.width().unwrap_or(0)).sum()
}

/// A text in lines of at most `width` columns, broken where words end if that does not leave much of a line empty.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(4);
    let mut lines = Vec::new();
    let (mut line, mut columns) = (String::new(), 0);
    for letter in text.chars() {
        let wide = letter.width().unwrap_or(0);
        if columns + wide > width {
            let words = letter == ' ';
            let gap = line.rfind(' ').filter(|at| !words && width_of(&line[..*at]) * 2 > width);
            let rest = gap.map_or_else(String::new, |at| line.split_off(at).trim_start().to_owned());
            lines.push(std::mem::replace(&mut line, rest));
            columns = width_of(&line);
        }
        if !(line.is_empty() && letter == ' ' && !lines.is_empty()) {
            line.push(letter);
            columns += wide;
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_written() {
        let mut before = Canvas::new(10, 2);
        let area = before.area();
        before.put(area, 0, 0, "rm build", Style::PLAIN);
        let mut after = before.clone();
        after.put(area, 0, 3, "b", Style::PLAIN);
        after.put(area, 1, 9, "x", Style::PLAIN.bold());
        let mut out = String::new();
        after.paint(Some(&before), &mut out);
        assert_eq!(out, "\x1b[0m\x1b[2;10H\x1b[0;1mx\x1b[0m\x1b[?25l");
    }

    #[test]
    fn wide_letters_take_two_cells_and_lose_none() {
        let mut canvas = Canvas::new(6, 1);
        let area = canvas.area();
        assert_eq!(canvas.put(area, 0, 0, "表a", Style::PLAIN), 3);
        canvas.put(area, 0, 1, "x", Style::PLAIN);
        assert_eq!(canvas.text(), " xa\n");
        canvas.put(area, 0, 5, "表", Style::PLAIN);
        assert_eq!(canvas.text(), " xa\n", "half a letter is none");
        canvas.put(area, 0, 0, "e\u{301}", Style::PLAIN);
        assert_eq!(canvas.text(), "e\u{301}xa\n");
    }

    #[test]
    fn nothing_is_written_outside() {
        let mut canvas = Canvas::new(4, 1);
        let area = canvas.area();
        canvas.put(area, 3, 0, "below", Style::PLAIN);
        canvas.put(Rect::new(2, 0, 9, 9), 0, 0, "beside", Style::PLAIN);
        assert_eq!(canvas.text(), "  be\n");
        canvas.put_cut(area, 0, 0, "longer", Style::PLAIN);
        assert_eq!(canvas.text(), "lon…\n");
        assert!(canvas.frame(Rect::new(0, 0, 1, 1), "t", Style::PLAIN).is_empty());
    }

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("delete all of it", 10), ["delete all", "of it"]);
        assert_eq!(wrapped("/a/very/long/path x", 8), ["/a/very/", "long/pat", "h x"]);
        assert_eq!(wrapped("", 8), [""]);
    }
}
