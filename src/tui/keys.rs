//! What a terminal sends, as keys. Bytes come in pieces of any size; what is no key is dropped, never shown.

/// Something that the user pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Char(char),
    Ctrl(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    /// A click, at a column and a row from 0.
    Click(u16, u16),
    WheelUp,
    WheelDown,
    /// Text that was pasted, not typed: never a command.
    Paste(String),
}

/// Bytes of a paste that are kept at most.
const LONGEST_PASTE: usize = 1 << 20;
/// So often may nothing come in the middle of a paste, or of any other key that is more than an escape: connections
/// pause. What was pasted would be read as commands otherwise.
const PAUSES: (u8, u8) = (75, 5);
/// Nor is any other sequence as long as this.
const LONGEST: usize = 64;
const PASTE_START: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// Bytes that are not yet a whole key.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    pending: Vec<u8>,
    /// How often nothing came since something did.
    pauses: u8,
}

impl Decoder {
    /// Takes in what was read and gives the keys that are whole.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Key> {
        self.pending.extend_from_slice(bytes);
        self.pauses = 0;
        let mut keys = Vec::new();
        let mut at = 0;
        while let Some((key, length)) = next(&self.pending[at..]) {
            keys.extend(key);
            at += length;
        }
        self.pending.drain(..at);
        if self.pending.len() > LONGEST_PASTE && self.pending.starts_with(PASTE_START) {
            // Cut, and read on to its end: the rest of it is no command either.
            let end = self.pending.split_off(self.pending.len() - PASTE_END.len());
            self.pending.truncate(LONGEST_PASTE / 2);
            self.pending.extend(end);
        }
        keys
    }

    /// Something has begun that may still become a longer key.
    pub(super) fn is_waiting(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Nothing more came for a while: an escape by itself is the key, what is longer gets more time.
    pub(super) fn settle(&mut self) -> Option<Key> {
        let pasted = self.pending.strip_prefix(PASTE_START);
        let longest = match pasted {
            Some(_) => PAUSES.0,
            None if self.pending.len() > 1 => PAUSES.1,
            None => 0,
        };
        if self.pauses < longest {
            self.pauses += 1;
            return None;
        }
        // The end was lost; what came is text all the same.
        let pasted = pasted.map(|text| Key::Paste(String::from_utf8_lossy(text).into_owned()));
        let alone = self.pending == b"\x1b";
        self.pending.clear();
        pasted.or(alone.then_some(Key::Esc))
    }
}

/// The first key and how many bytes it takes; `None` while it is not whole. A key of `None` is nothing we know.
fn next(bytes: &[u8]) -> Option<(Option<Key>, usize)> {
    let first = *bytes.first()?;
    let one = |key: Key| Some((Some(key), 1));
    match first {
        b'\r' | b'\n' => one(Key::Enter),
        b'\t' => one(Key::Tab),
        0x7f | 0x08 => one(Key::Backspace),
        0 => Some((None, 1)),
        0x1b => escape(bytes),
        1..=0x1a => one(Key::Ctrl(char::from(first - 1 + b'a'))),
        0x1c..=0x1f => Some((None, 1)),
        _ => {
            let length = match first {
                0x20..=0x7e => 1,
                0xc2..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf4 => 4,
                _ => return Some((None, 1)),
            };
            let Some(bytes) = bytes.get(..length) else {
                // A letter that was cut off by something else never comes.
                let broken = bytes[1..].iter().any(|byte| !(0x80..0xc0).contains(byte));
                return broken.then_some((None, 1));
            };
            match std::str::from_utf8(bytes) {
                Ok(text) => Some((text.chars().next().filter(|letter| !letter.is_control()).map(Key::Char), length)),
                Err(_) => Some((None, 1)),
            }
        }
    }
}

fn escape(bytes: &[u8]) -> Option<(Option<Key>, usize)> {
    match bytes.get(1)? {
        b'[' => control(bytes),
        b'O' => {
            let key = match bytes.get(2)? {
                b'A' => Some(Key::Up),
                b'B' => Some(Key::Down),
                b'C' => Some(Key::Right),
                b'D' => Some(Key::Left),
                b'H' => Some(Key::Home),
                b'F' => Some(Key::End),
                b'M' => Some(Key::Enter),
                _ => None,
            };
            Some((key, 3))
        }
        // Escape twice, or a key with Alt: the escape is the key.
        _ => Some((Some(Key::Esc), 1)),
    }
}

/// `ESC [ … letter`
fn control(bytes: &[u8]) -> Option<(Option<Key>, usize)> {
    if bytes.starts_with(PASTE_START) {
        let text = &bytes[PASTE_START.len()..];
        let end = memchr::memmem::find(text, PASTE_END)?;
        let pasted = String::from_utf8_lossy(&text[..end]).into_owned();
        return Some((Some(Key::Paste(pasted)), PASTE_START.len() + end + PASTE_END.len()));
    }
    let Some(end) = bytes[2..].iter().position(|byte| (0x40..=0x7e).contains(byte)) else {
        return (bytes.len() > LONGEST).then_some((None, bytes.len()));
    };
    let parameters = std::str::from_utf8(&bytes[2..2 + end]).unwrap_or_default();
    let letter = bytes[2 + end];
    let key = match (parameters.split(';').next().unwrap_or_default(), letter) {
        (_, b'A') => Some(Key::Up),
        (_, b'B') => Some(Key::Down),
        (_, b'C') => Some(Key::Right),
        (_, b'D') => Some(Key::Left),
        (_, b'H') | ("1" | "7", b'~') => Some(Key::Home),
        (_, b'F') | ("4" | "8", b'~') => Some(Key::End),
        ("3", b'~') => Some(Key::Delete),
        ("5", b'~') => Some(Key::PageUp),
        ("6", b'~') => Some(Key::PageDown),
        (_, b'Z') => Some(Key::BackTab),
        (_, b'M' | b'm') => parameters.strip_prefix('<').and_then(|place| mouse(place, letter == b'M')),
        _ => None,
    };
    Some((key, 2 + end + 1))
}

/// `button;column;row` of the SGR protocol.
fn mouse(place: &str, pressed: bool) -> Option<Key> {
    let mut numbers = place.split(';').map(|number| number.parse::<u16>().ok());
    let (button, column, row) = (numbers.next()??, numbers.next()??, numbers.next()??);
    match button {
        0 if pressed => Some(Key::Click(column.saturating_sub(1), row.saturating_sub(1))),
        64 => Some(Key::WheelUp),
        65 => Some(Key::WheelDown),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Decoder, Key, LONGEST_PASTE};

    #[track_caller]
    fn check(bytes: &[u8], keys: &[Key]) {
        assert_eq!(Decoder::default().feed(bytes), keys, "at once");
        let mut decoder = Decoder::default();
        let one_by_one: Vec<Key> = bytes.iter().flat_map(|byte| decoder.feed(&[*byte])).collect();
        assert_eq!(one_by_one, keys, "byte by byte");
        assert!(!decoder.is_waiting());
    }

    #[test]
    fn keys_of_terminals() {
        check(b"j\x1b[B\x1bOA\r\x03", &[Key::Char('j'), Key::Down, Key::Up, Key::Enter, Key::Ctrl('c')]);
        check(b"\x1b[5~\x1b[1;5H\x1b[Z\x7f", &[Key::PageUp, Key::Home, Key::BackTab, Key::Backspace]);
        check("é表".as_bytes(), &[Key::Char('é'), Key::Char('表')]);
    }

    #[test]
    fn a_paste_is_no_command() {
        check(b"\x1b[200~q\x1b[B\n\x1b[201~j", &[Key::Paste("q\x1b[B\n".to_owned()), Key::Char('j')]);
    }

    #[test]
    fn a_mouse() {
        check(b"\x1b[<0;5;3M\x1b[<0;5;3m\x1b[<65;1;1M", &[Key::Click(4, 2), Key::WheelDown]);
    }

    #[test]
    fn what_is_no_key_is_dropped() {
        check(b"\x1b[?1;2c\xff\x00a", &[Key::Char('a')]);
        check(b"\xe8a", &[Key::Char('a')]);
    }

    #[test]
    fn escape_by_itself() {
        let mut decoder = Decoder::default();
        assert!(decoder.feed(b"\x1b").is_empty());
        assert!(decoder.is_waiting());
        assert_eq!(decoder.settle(), Some(Key::Esc));
        assert_eq!(decoder.settle(), None);
    }

    #[test]
    fn a_paste_may_pause() {
        let mut decoder = Decoder::default();
        assert!(decoder.feed(b"\x1b[200~a\x1b").is_empty());
        assert_eq!(decoder.settle(), None);
        assert!(decoder.feed(b"[Bq").is_empty());
        assert_eq!(decoder.settle(), None);
        assert_eq!(decoder.feed(b"r\x1b[201~"), [Key::Paste("a\x1b[Bqr".to_owned())]);
        // One without an end does not take the keyboard for ever.
        assert!(decoder.feed(b"\x1b[200~lost").is_empty());
        let settled = (0..100).find_map(|_| decoder.settle());
        assert_eq!(settled, Some(Key::Paste("lost".to_owned())));
        assert!(!decoder.is_waiting());
        assert_eq!(decoder.feed(b"j"), [Key::Char('j')]);
    }

    #[test]
    fn a_long_paste_is_cut() {
        let mut decoder = Decoder::default();
        let mut keys = decoder.feed(b"\x1b[200~");
        for _ in 0..1000 {
            keys.extend(decoder.feed(&[b'q'; 4096]));
        }
        keys.extend(decoder.feed(b"\x1b[201~j"));
        let [Key::Paste(text), Key::Char('j')] = &keys[..] else { panic!("{} keys", keys.len()) };
        assert!(text.len() <= LONGEST_PASTE && text.bytes().all(|letter| letter == b'q'), "{}", text.len());
    }

    #[test]
    fn a_key_may_come_in_pieces() {
        let mut decoder = Decoder::default();
        assert!(decoder.feed(b"\x1b[").is_empty());
        assert_eq!(decoder.settle(), None);
        assert_eq!(decoder.feed(b"B"), [Key::Down]);
    }
}
