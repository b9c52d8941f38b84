//! The terminal itself: taken over while we draw, given back whatever happens.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::{Mutex, PoisonError};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// Alternate screen, cursor hidden, pastes marked as such.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[2J";
/// The other way round, mouse off as well.
const LEAVE: &str = "\x1b[?1000l\x1b[?1006l\x1b[?2004l\x1b[0m\x1b[?25h\x1b[?1049l";
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &str = "\x1b[?1000l\x1b[?1006l";
/// A picture is shown when it is whole, where the terminal knows how.
const PICTURE: (&str, &str) = ("\x1b[?2026h", "\x1b[?2026l");

/// No window has more columns and rows; a terminal can say that it had, and a picture of that would take all memory.
const MOST: (u16, u16) = (1000, 500);

/// What has to be given back; `None` while the terminal is not ours.
static TAKEN: Mutex<Option<Termios>> = Mutex::new(None);

/// The user's terminal while it is ours.
#[derive(Debug)]
pub(super) struct Terminal {
    file: File,
    pub(super) mouse: bool,
}

impl Terminal {
    /// Takes over the terminal that this was started from, whatever standard input and output are.
    ///
    /// # Errors
    /// Where there is none.
    pub(super) fn open() -> io::Result<Self> {
        let file = File::options().read(true).write(true).open("/dev/tty")?;
        let mut terminal = Self { file, mouse: false };
        terminal.take()?;
        Ok(terminal)
    }

    /// Takes it over, again after [`Terminal::give_back`].
    pub(super) fn take(&mut self) -> io::Result<()> {
        let before = tcgetattr(&self.file)?;
        let mut raw = before.clone();
        raw.make_raw();
        *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        tcsetattr(&self.file, OptionalActions::Drain, &raw)?;
        self.write(ENTER)?;
        if self.mouse { self.write(MOUSE_ON) } else { Ok(()) }
    }

    pub(super) fn give_back(&mut self) {
        give_back(&mut self.file);
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> (u16, u16) {
        match tcgetwinsize(&self.file) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.min(MOST.0), size.ws_row.min(MOST.1)),
            _ => (80, 24),
        }
    }

    pub(super) fn picture(&mut self, commands: &str) -> io::Result<()> {
        let (start, end) = PICTURE;
        self.write(&[start, commands, end].concat())
    }

    /// Whether clicks are for us, or for selecting text.
    pub(super) fn set_mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        self.write(if on { MOUSE_ON } else { MOUSE_OFF })
    }

    pub(super) fn write(&mut self, text: &str) -> io::Result<()> {
        self.file.write_all(text.as_bytes())?;
        self.file.flush()
    }

    /// What the user types, for a thread of its own.
    pub(super) fn keyboard(&self) -> io::Result<impl Read + Send + 'static> {
        self.file.try_clone()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Gives the terminal back from wherever we are: a panic's hook has no [`Terminal`].
pub(super) fn give_back_anyhow() {
    if let Ok(mut file) = File::options().read(true).write(true).open("/dev/tty") {
        give_back(&mut file);
    }
}

fn give_back(file: &mut File) {
    let before = TAKEN.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(before) = before {
        // A terminal that has gone needs nothing back.
        let _ = file.write_all(LEAVE.as_bytes());
        let _ = tcsetattr(&*file, OptionalActions::Drain, &before);
    }
}
