//! So much of a terminal as is needed to know which lines it showed, and of its keys as to know what was typed.

use crate::reader::recorder::Place;

/// A line on the screen is cut here; only a stream without line ends is longer.
const MAX_LINE: usize = 64 << 10;

/// The line that is being written.
#[derive(Debug, Default)]
pub(super) struct Screen {
    line: Vec<char>,
    column: usize,
    /// Where the event stands that began the line.
    place: Place,
    escape: Escape,
    /// An editor or a pager has the whole screen.
    full: bool,
}

#[derive(Debug, Default)]
enum Escape {
    #[default]
    None,
    Began,
    /// `\x1b[…`: what came so far.
    Control(String),
    /// `\x1b]…`, up to a bell or `\x1b\`.
    Title(bool),
    /// `\x1b(B`
    One,
}

/// A line that was ended.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) text: String,
    pub(super) place: Place,
}

impl Screen {
    pub(super) fn is_full_screen(&self) -> bool {
        self.full
    }

    /// Writes to the screen; the lines that it ends.
    pub(super) fn show(&mut self, data: &str, place: Place) -> Vec<Shown> {
        let mut ended = Vec::new();
        for letter in data.chars() {
            match std::mem::take(&mut self.escape) {
                Escape::None => self.letter(letter, place, &mut ended),
                Escape::Began => {
                    self.escape = match letter {
                        '[' => Escape::Control(String::new()),
                        ']' | 'P' | '_' | '^' => Escape::Title(false),
                        '(' | ')' | '#' => Escape::One,
                        _ => Escape::None,
                    }
                }
                Escape::Control(mut text) => match letter {
                    '@'..='~' => self.control(&text, letter),
                    _ if text.len() < 64 => {
                        text.push(letter);
                        self.escape = Escape::Control(text);
                    }
                    _ => {}
                },
                Escape::Title(escaped) => match letter {
                    '\u{7}' => {}
                    '\\' if escaped => {}
                    letter => self.escape = Escape::Title(letter == '\u{1b}'),
                },
                Escape::One => {}
            }
        }
        ended
    }

    fn letter(&mut self, letter: char, place: Place, ended: &mut Vec<Shown>) {
        match letter {
            '\u{1b}' => self.escape = Escape::Began,
            '\r' => self.column = 0,
            '\u{8}' => self.column = self.column.saturating_sub(1),
            '\n' => {
                let text = self.line.drain(..).collect();
                self.column = 0;
                ended.push(Shown { text, place: self.place });
            }
            letter if letter.is_control() && letter != '\t' => {}
            letter if self.column < MAX_LINE => {
                if self.line.is_empty() {
                    self.place = place;
                }
                if self.column >= self.line.len() {
                    self.line.resize(self.column, ' ');
                    self.line.push(letter);
                } else {
                    self.line[self.column] = letter;
                }
                self.column += 1;
            }
            _ => {}
        }
    }

    fn control(&mut self, text: &str, last: char) {
        let number = text.split(';').next().and_then(|number| number.parse::<usize>().ok());
        match (text, last) {
            ("?1049" | "?47" | "?1047", 'h') => self.full = true,
            ("?1049" | "?47" | "?1047", 'l') => {
                self.full = false;
                self.line.clear();
                self.column = 0;
            }
            ("" | "0", 'K') => self.line.truncate(self.column),
            ("2", 'K') => self.line.clear(),
            (_, 'J' | 'H') => {
                self.line.clear();
                self.column = 0;
            }
            (_, 'D') => self.column = self.column.saturating_sub(number.unwrap_or(1)),
            (_, 'C') => self.column = (self.column + number.unwrap_or(1)).min(MAX_LINE),
            (_, 'G') => self.column = number.unwrap_or(1).saturating_sub(1).min(MAX_LINE),
            (_, 'P') => {
                let end = (self.column + number.unwrap_or(1)).min(self.line.len());
                self.line.drain(self.column.min(end)..end);
            }
            _ => {}
        }
    }
}

/// What is being typed.
#[derive(Debug, Default)]
pub(super) struct Keys {
    line: String,
    place: Place,
    /// A key that no plain line has (an arrow, a completion): what came of it is not known.
    odd: bool,
    /// A line that was sent and waits for the screen to show it.
    sent: Option<(String, Place)>,
}

impl Keys {
    pub(super) fn press(&mut self, data: &str, place: Place) {
        if data.starts_with('\u{1b}') && !data.starts_with("\u{1b}[200~") {
            self.odd = true;
            return;
        }
        for letter in data.replace("\u{1b}[200~", "").replace("\u{1b}[201~", "").chars() {
            match letter {
                '\r' | '\n' => {
                    let line = std::mem::take(&mut self.line);
                    let plain = !std::mem::take(&mut self.odd) && !line.trim().is_empty();
                    self.sent = plain.then_some((line, self.place));
                }
                '\u{7f}' | '\u{8}' => {
                    self.line.pop();
                }
                '\u{15}' | '\u{3}' => {
                    self.line.clear();
                    self.odd = false;
                }
                letter if letter.is_control() => self.odd = true,
                letter => {
                    if self.line.is_empty() {
                        self.place = place;
                    }
                    self.line.push(letter);
                }
            }
        }
    }

    /// The line that was sent, when the screen shows it behind a prompt; otherwise it is forgotten.
    pub(super) fn echoed(&mut self, shown: &str) -> Option<(String, Place)> {
        let (line, place) = self.sent.take()?;
        shown.trim_end().ends_with(line.trim_end()).then(|| (line.trim().to_owned(), place))
    }
}
