//! What a terminal shows and remembers of what a program wrote to it: the part of xterm that programs of ours use.
//! What is not understood is kept, so that a test can say that there was nothing of it.

use std::collections::BTreeSet;

use unicode_width::UnicodeWidthChar;
use vte::{Params, Perform};

/// Nobody has more: a screen of 65,535 columns and rows has four thousand million cells.
const MOST: (u16, u16) = (1024, 512);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Colour {
    #[default]
    Default,
    /// One of the 256.
    Index(u8),
    Exact(u8, u8, u8),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) bold: bool,
    pub(crate) dim: bool,
    pub(crate) italic: bool,
    pub(crate) underline: bool,
    pub(crate) reverse: bool,
    pub(crate) front: Colour,
    pub(crate) back: Colour,
}

/// A letter with its marks; the right half of a wide one is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) style: Style,
}

impl Default for Cell {
    fn default() -> Self {
        Self { text: " ".to_owned(), style: Style::default() }
    }
}

/// What a program switched on and has to switch off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Modes {
    pub(crate) alternate: bool,
    pub(crate) cursor_visible: bool,
    pub(crate) paste: bool,
    /// An update has begun and is not to be shown yet.
    pub(crate) synchronized: bool,
    /// 1000, 1002, 1003, 1006 …
    pub(crate) mouse: BTreeSet<u16>,
}

impl Default for Modes {
    fn default() -> Self {
        Self { alternate: false, cursor_visible: true, paste: false, synchronized: false, mouse: BTreeSet::new() }
    }
}

#[derive(Debug)]
pub(crate) struct Screen {
    columns: u16,
    rows: u16,
    cells: Vec<Vec<Cell>>,
    /// The screen that is not shown.
    other: Vec<Vec<Cell>>,
    /// Column and row.
    pub(crate) cursor: (u16, u16),
    saved: (u16, u16),
    /// The last letter went into the last column: the next one goes into the next row.
    wraps: bool,
    pub(crate) style: Style,
    pub(crate) modes: Modes,
    /// What was put on the clipboard, as it was sent.
    pub(crate) clipboard: Vec<String>,
    pub(crate) bells: u32,
    /// Updates that were ended.
    pub(crate) updates: u64,
    /// What no terminal of ours knows.
    pub(crate) unknown: Vec<String>,
}

impl Screen {
    pub(crate) fn new(columns: u16, rows: u16) -> Self {
        let mut screen = Self {
            columns: 0,
            rows: 0,
            cells: Vec::new(),
            other: Vec::new(),
            cursor: (0, 0),
            saved: (0, 0),
            wraps: false,
            style: Style::default(),
            modes: Modes::default(),
            clipboard: Vec::new(),
            bells: 0,
            updates: 0,
            unknown: Vec::new(),
        };
        screen.resize(columns, rows);
        screen
    }

    /// As xterm does it: what is outside is lost, nothing moves.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        let (columns, rows) = (columns.min(MOST.0), rows.min(MOST.1));
        for cells in [&mut self.cells, &mut self.other] {
            cells.resize_with(usize::from(rows), Vec::new);
            cells.iter_mut().for_each(|row| row.resize_with(usize::from(columns), Cell::default));
        }
        (self.columns, self.rows) = (columns, rows);
        self.cursor = (self.cursor.0.min(columns.saturating_sub(1)), self.cursor.1.min(rows.saturating_sub(1)));
        self.wraps = false;
    }

    pub(crate) fn size(&self) -> (u16, u16) {
        (self.columns, self.rows)
    }

    pub(crate) fn cells(&self) -> &[Vec<Cell>] {
        &self.cells
    }

    /// The rows without what is blank at their ends.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |row: &Vec<Cell>| row.iter().map(|cell| cell.text.as_str()).collect::<String>();
        self.cells.iter().map(|row| line(row).trim_end().to_owned()).collect()
    }

    /// All rows, one under the other.
    pub(crate) fn text(&self) -> String {
        self.lines().join("\n")
    }

    /// Whether a row has this, blanks at its end counted.
    pub(crate) fn contains(&self, text: &str) -> bool {
        self.cells.iter().any(|row| row.iter().map(|cell| cell.text.as_str()).collect::<String>().contains(text))
    }

    /// The looks of the cells of `text` where it is first shown.
    pub(crate) fn looks(&self, text: &str) -> Option<Vec<Style>> {
        self.cells.iter().find_map(|row| {
            let line: String = row.iter().map(|cell| cell.text.as_str()).collect();
            let from = line.find(text)?;
            let mut at = 0;
            let inside = |cell: &&Cell| {
                let here = at;
                at += cell.text.len();
                here >= from && here < from + text.len()
            };
            Some(row.iter().filter(inside).map(|cell| cell.style).collect())
        })
    }

    /// The screen in a frame, and its state, for whoever reads why a test failed.
    pub(crate) fn framed(&self) -> String {
        let rule = "─".repeat(usize::from(self.columns));
        let mut text = format!("┌{rule}┐ {}×{}\n", self.columns, self.rows);
        for row in &self.cells {
            let line: String = row.iter().map(|cell| cell.text.as_str()).collect();
            text.push_str(&format!("│{line}│\n"));
        }
        let Self { cursor, modes, unknown, .. } = self;
        text.push_str(&format!("└{rule}┘ cursor {cursor:?}, {modes:?}\n"));
        if !unknown.is_empty() {
            text.push_str(&format!("not understood: {unknown:?}\n"));
        }
        text
    }

    fn cell(&mut self, column: u16, row: u16) -> Option<&mut Cell> {
        self.cells.get_mut(usize::from(row))?.get_mut(usize::from(column))
    }

    fn blank(&mut self, row: u16, columns: std::ops::Range<u16>) {
        for column in columns {
            if let Some(cell) = self.cell(column, row) {
                *cell = Cell::default();
            }
        }
    }

    fn go_to(&mut self, column: u16, row: u16) {
        self.cursor = (column.min(self.columns.saturating_sub(1)), row.min(self.rows.saturating_sub(1)));
        self.wraps = false;
    }

    fn line_feed(&mut self) {
        if self.cursor.1 + 1 < self.rows {
            self.cursor.1 += 1;
        } else if !self.cells.is_empty() {
            self.cells.remove(0);
            self.cells.push(vec![Cell::default(); usize::from(self.columns)]);
        }
    }

    fn erase(&mut self, what: u16) {
        let (column, row) = self.cursor;
        let (columns, rows) = (self.columns, self.rows);
        match what {
            0 => {
                self.blank(row, column..columns);
                (row + 1..rows).for_each(|row| self.blank(row, 0..columns));
            }
            1 => {
                (0..row).for_each(|row| self.blank(row, 0..columns));
                self.blank(row, 0..column + 1);
            }
            _ => (0..rows).for_each(|row| self.blank(row, 0..columns)),
        }
    }

    fn set_mode(&mut self, mode: u16, on: bool) -> bool {
        match mode {
            25 => self.modes.cursor_visible = on,
            1049 => {
                if on && !self.modes.alternate {
                    self.saved = self.cursor;
                    std::mem::swap(&mut self.cells, &mut self.other);
                    self.erase(2);
                } else if !on && self.modes.alternate {
                    std::mem::swap(&mut self.cells, &mut self.other);
                    let (column, row) = self.saved;
                    self.go_to(column, row);
                }
                self.modes.alternate = on;
            }
            2004 => self.modes.paste = on,
            2026 => {
                self.updates += u64::from(self.modes.synchronized && !on);
                self.modes.synchronized = on;
            }
            9 | 1000..=1006 | 1015 | 1016 => {
                if on {
                    self.modes.mouse.insert(mode);
                } else {
                    self.modes.mouse.remove(&mode);
                }
            }
            _ => return false,
        }
        true
    }

    fn set_style(&mut self, numbers: &[u16]) -> bool {
        let mut rest = numbers.iter().copied();
        let mut understood = true;
        if numbers.is_empty() {
            self.style = Style::default();
        }
        while let Some(number) = rest.next() {
            let style = &mut self.style;
            match number {
                0 => *style = Style::default(),
                1 => style.bold = true,
                2 => style.dim = true,
                3 => style.italic = true,
                4 => style.underline = true,
                7 => style.reverse = true,
                22 => (style.bold, style.dim) = (false, false),
                23 => style.italic = false,
                24 => style.underline = false,
                27 => style.reverse = false,
                30..=37 => style.front = Colour::Index((number - 30) as u8),
                40..=47 => style.back = Colour::Index((number - 40) as u8),
                90..=97 => style.front = Colour::Index((number - 82) as u8),
                100..=107 => style.back = Colour::Index((number - 92) as u8),
                39 => style.front = Colour::Default,
                49 => style.back = Colour::Default,
                38 | 48 => {
                    let mut byte = || rest.next().and_then(|number| u8::try_from(number).ok());
                    let colour = match byte() {
                        Some(5) => byte().map(Colour::Index),
                        Some(2) => {
                            byte().zip(byte()).zip(byte()).map(|((red, green), blue)| Colour::Exact(red, green, blue))
                        }
                        _ => None,
                    };
                    match colour {
                        Some(colour) if number == 38 => style.front = colour,
                        Some(colour) => style.back = colour,
                        None => understood = false,
                    }
                }
                _ => understood = false,
            }
        }
        understood
    }
}

impl Perform for Screen {
    fn print(&mut self, letter: char) {
        let Some(width) = letter.width() else { return self.unknown.push(format!("{letter:?}")) };
        let (width, columns) = (width as u16, self.columns);
        if width == 0 {
            // A mark belongs to the letter before it.
            let (column, row) = self.cursor;
            let mut before = if self.wraps { column } else { column.saturating_sub(1) };
            while before > 0 && self.cell(before, row).is_some_and(|cell| cell.text.is_empty()) {
                before -= 1;
            }
            if let Some(cell) = self.cell(before, row) {
                cell.text.push(letter);
            }
            return;
        }
        if self.wraps || self.cursor.0 + width > columns {
            self.cursor.0 = 0;
            self.line_feed();
            self.wraps = false;
        }
        let ((column, row), style) = (self.cursor, self.style);
        // Half a wide letter is none.
        if self.cell(column, row).is_some_and(|cell| cell.text.is_empty()) && column > 0 {
            self.blank(row, column - 1..column);
        }
        if self.cell(column + width, row).is_some_and(|cell| cell.text.is_empty()) {
            self.blank(row, column + width..column + width + 1);
        }
        for half in 0..width {
            if let Some(cell) = self.cell(column + half, row) {
                *cell = Cell { text: if half == 0 { letter.to_string() } else { String::new() }, style };
            }
        }
        self.wraps = column + width >= columns;
        self.cursor.0 = (column + width).min(columns.saturating_sub(1));
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\n' => self.line_feed(),
            b'\r' => self.go_to(0, self.cursor.1),
            b'\t' => self.go_to((self.cursor.0 / 8 + 1) * 8, self.cursor.1),
            0x08 => self.go_to(self.cursor.0.saturating_sub(1), self.cursor.1),
            0x07 => self.bells += 1,
            _ => self.unknown.push(format!("\\x{byte:02x}")),
        }
    }

    fn osc_dispatch(&mut self, parts: &[&[u8]], _bell: bool) {
        match parts {
            [b"52", _, text] => self.clipboard.push(from_base64(text)),
            // Titles.
            [b"0" | b"1" | b"2", ..] => {}
            _ => {
                let parts: Vec<_> = parts.iter().map(|part| String::from_utf8_lossy(part)).collect();
                self.unknown.push(format!("OSC {}", parts.join(";")));
            }
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], _ignore: bool, action: char) {
        let numbers: Vec<u16> = params.iter().map(|param| param.first().copied().unwrap_or(0)).collect();
        let at = |place: usize| numbers.get(place).copied().unwrap_or(0);
        let count = at(0).max(1);
        let (column, row) = self.cursor;
        let mut understood = true;
        match (intermediates, action) {
            (b"", 'A') => self.go_to(column, row.saturating_sub(count)),
            (b"", 'B') => self.go_to(column, row.saturating_add(count)),
            (b"", 'C') => self.go_to(column.saturating_add(count), row),
            (b"", 'D') => self.go_to(column.saturating_sub(count), row),
            (b"", 'E') => self.go_to(0, row.saturating_add(count)),
            (b"", 'F') => self.go_to(0, row.saturating_sub(count)),
            (b"", 'G') => self.go_to(count - 1, row),
            (b"", 'H' | 'f') => self.go_to(at(1).max(1) - 1, count - 1),
            (b"", 'J') => self.erase(at(0)),
            (b"", 'K') => self.blank(
                row,
                match at(0) {
                    0 => column..self.columns,
                    1 => 0..column + 1,
                    _ => 0..self.columns,
                },
            ),
            (b"", 'm') => understood = self.set_style(&numbers),
            (b"?", 'h' | 'l') => {
                let known = numbers.iter().filter(|mode| self.set_mode(**mode, action == 'h')).count();
                understood = known == numbers.len();
            }
            _ => understood = false,
        }
        if !understood {
            let numbers: Vec<String> = numbers.iter().map(u16::to_string).collect();
            self.unknown.push(format!("CSI {}{}{action}", String::from_utf8_lossy(intermediates), numbers.join(";")));
        }
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], _ignore: bool, byte: u8) {
        match (intermediates, byte) {
            (b"", b'7') => self.saved = self.cursor,
            (b"", b'8') => {
                let (column, row) = self.saved;
                self.go_to(column, row);
            }
            // The end of a string.
            (b"", b'\\') => {}
            _ => self.unknown.push(format!("ESC {}{}", String::from_utf8_lossy(intermediates), char::from(byte))),
        }
    }

    fn hook(&mut self, _params: &Params, _intermediates: &[u8], _ignore: bool, action: char) {
        self.unknown.push(format!("DCS {action}"));
    }
}

/// What base64 says; what is none is shown as such.
fn from_base64(text: &[u8]) -> String {
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for letter in text.iter().filter(|letter| **letter != b'=') {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return format!("no base64: {}", String::from_utf8_lossy(text)),
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{Colour, Screen, Style};

    /// A screen of 10 columns and 3 rows after this.
    fn after(bytes: &str) -> Screen {
        let mut screen = Screen::new(10, 3);
        vte::Parser::new().advance(&mut screen, bytes.as_bytes());
        screen
    }

    #[test]
    fn letters_wrap_and_scroll() {
        assert_eq!(after("0123456789").lines(), ["0123456789", "", ""]);
        assert_eq!(after("0123456789ab").lines(), ["0123456789", "ab", ""]);
        assert_eq!(after("a\r\nb\r\nc\r\nd").lines(), ["b", "c", "d"]);
        assert_eq!(after("\x1b[3;9Hxyz").lines(), ["", "        xy", "z"]);
    }

    #[test]
    fn wide_letters_take_two_cells() {
        let screen = after("表a\u{301}b");
        assert_eq!(screen.lines()[0], "表a\u{301}b");
        assert_eq!(screen.cells()[0][1].text, "");
        assert_eq!(screen.cells()[0][2].text, "a\u{301}");
        assert_eq!(after("表\x1b[1;2Hx").lines()[0], " x");
        assert_eq!(after("a表\x1b[1;1H表").lines()[0], "表");
        assert_eq!(after("123456789表").lines(), ["123456789", "表", ""]);
    }

    #[test]
    fn the_alternate_screen_leaves_the_other_alone() {
        let screen = after("ab\x1b[?1049h\x1b[2J\x1b[1;1Hxyz\x1b[?1049lc");
        assert_eq!(screen.lines()[0], "abc");
        assert!(!screen.modes.alternate);
        let inside = after("ab\x1b[?1049h\x1b[?25l\x1b[?1000h\x1b[?1006h\x1b[?2004h\x1b[?2026h");
        assert!(inside.modes.alternate && inside.modes.paste && inside.modes.synchronized);
        assert!(!inside.modes.cursor_visible);
        assert!(inside.modes.mouse.iter().eq(&[1000, 1006]));
    }

    #[test]
    fn looks() {
        let screen = after("a\x1b[1;38;5;166mbc\x1b[0md\x1b[4;48;2;1;2;3me");
        let bold = Style { bold: true, front: Colour::Index(166), ..Style::default() };
        assert_eq!(screen.looks("bc").unwrap(), [bold, bold]);
        assert_eq!(screen.looks("d").unwrap(), [Style::default()]);
        assert_eq!(screen.looks("e").unwrap()[0].back, Colour::Exact(1, 2, 3));
        assert!(screen.looks("x").is_none());
    }

    #[test]
    fn erasing() {
        assert_eq!(after("abc\r\ndef\x1b[1;2H\x1b[K").lines(), ["a", "def", ""]);
        assert_eq!(after("abc\r\ndef\x1b[1;2H\x1b[J").lines(), ["a", "", ""]);
        assert_eq!(after("abc\r\ndef\x1b[2J").lines(), ["", "", ""]);
        assert_eq!(after("abc\r\ndef\x1b[2;2H\x1b[1J").lines(), ["", "  f", ""]);
    }

    #[test]
    fn the_clipboard() {
        assert_eq!(after("\x1b]52;c;aGVsbG8gd29ybGQ=\x07").clipboard, ["hello world"]);
        assert_eq!(after("\x1b]52;c;w6k=\x1b\\").clipboard, ["é"]);
    }

    #[test]
    fn what_is_not_understood_is_kept() {
        assert_eq!(after("\x1b[5q\x1b]9;x\x07\x1b[?77h").unknown, ["CSI 5q", "OSC 9;x", "CSI ?77h"]);
        assert!(after("plain \x1b[1mtext\x1b[m\r\n").unknown.is_empty());
    }
}
