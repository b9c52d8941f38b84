//! One line that somebody writes.

use super::keys::Key;

/// What the line is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Search,
    Filter,
    Palette,
    /// Other words for the action.
    Edit,
    /// Why a group is no risk; then until when.
    Reason,
    Until {
        reason: String,
    },
    /// The file to write to.
    Export,
}

impl Purpose {
    pub(super) const fn label(&self) -> &'static str {
        match self {
            Self::Search => "/",
            Self::Filter => "filter: ",
            Self::Palette => ":",
            Self::Edit => "instead: ",
            Self::Reason => "why is it no risk? ",
            Self::Until { .. } => "until which day? ",
            Self::Export => "write to: ",
        }
    }
}

/// A line being written.
#[derive(Clone, Debug)]
pub(super) struct Prompt {
    pub(super) purpose: Purpose,
    letters: Vec<char>,
    /// Letters before the cursor.
    pub(super) cursor: usize,
    /// What is wrong with it.
    pub(super) problem: Option<String>,
}

/// What a key made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Written,
    Done,
    Cancelled,
    /// Not for a line.
    Other,
}

impl Prompt {
    pub(super) fn new(purpose: Purpose, text: &str) -> Self {
        let letters: Vec<char> = text.chars().collect();
        Self { purpose, cursor: letters.len(), letters, problem: None }
    }

    pub(super) fn text(&self) -> String {
        self.letters.iter().collect()
    }

    /// The text before the cursor, and from it on.
    pub(super) fn parts(&self) -> (String, String) {
        let (before, after) = self.letters.split_at(self.cursor.min(self.letters.len()));
        (before.iter().collect(), after.iter().collect())
    }

    pub(super) fn press(&mut self, key: &Key) -> Outcome {
        self.problem = None;
        match key {
            Key::Enter => return Outcome::Done,
            Key::Esc => return Outcome::Cancelled,
            Key::Char(letter) => self.insert(*letter),
            Key::Paste(text) => {
                // A line has no breaks, and what would move the cursor is no letter.
                let letters = text.chars().map(|letter| if letter == '\n' { ' ' } else { letter });
                letters.filter(|letter| !letter.is_control()).for_each(|letter| self.insert(letter));
            }
            // On an empty line: away with it.
            Key::Backspace if self.letters.is_empty() => return Outcome::Cancelled,
            Key::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.letters.remove(self.cursor);
            }
            Key::Delete if self.cursor < self.letters.len() => {
                self.letters.remove(self.cursor);
            }
            Key::Left => self.cursor = self.cursor.saturating_sub(1),
            Key::Right => self.cursor = self.letters.len().min(self.cursor + 1),
            Key::Home | Key::Ctrl('a') => self.cursor = 0,
            Key::End | Key::Ctrl('e') => self.cursor = self.letters.len(),
            Key::Ctrl('u') => {
                self.letters.drain(..self.cursor);
                self.cursor = 0;
            }
            Key::Ctrl('k') => self.letters.truncate(self.cursor),
            Key::Ctrl('w') => {
                let before = &self.letters[..self.cursor];
                let word = before.iter().rposition(|letter| *letter != ' ').unwrap_or(0);
                let start = before[..word].iter().rposition(|letter| *letter == ' ').map_or(0, |at| at + 1);
                self.letters.drain(start..self.cursor);
                self.cursor = start;
            }
            Key::Backspace | Key::Delete => {}
            _ => return Outcome::Other,
        }
        Outcome::Written
    }

    fn insert(&mut self, letter: char) {
        self.letters.insert(self.cursor, letter);
        self.cursor += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, Outcome, Prompt, Purpose};

    fn press(prompt: &mut Prompt, keys: &[Key]) -> Outcome {
        keys.iter().map(|key| prompt.press(key)).last().unwrap()
    }

    #[test]
    fn a_line_is_edited() {
        let mut prompt = Prompt::new(Purpose::Search, "rm build");
        assert_eq!(
            press(&mut prompt, &[Key::Home, Key::Right, Key::Right, Key::Char(' '), Key::Char('x')]),
            Outcome::Written
        );
        assert_eq!(prompt.text(), "rm x build");
        press(&mut prompt, &[Key::End, Key::Ctrl('w'), Key::Backspace]);
        assert_eq!(prompt.text(), "rm x");
        press(&mut prompt, &[Key::Left, Key::Delete, Key::Delete, Key::Paste("a\nb\u{1b}".to_owned())]);
        assert_eq!(prompt.text(), "rm a b");
        assert_eq!(press(&mut prompt, &[Key::Ctrl('u'), Key::Backspace]), Outcome::Cancelled);
        assert_eq!(prompt.press(&Key::Enter), Outcome::Done);
    }
}
