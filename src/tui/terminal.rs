//! The terminal itself: taken over while we draw, given back whatever happens.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::{Mutex, PoisonError};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

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

    /// Takes it over from whoever changed it while it was ours.
    pub(super) fn take_again(&mut self) -> io::Result<()> {
        let mut raw = tcgetattr(&self.file)?;
        raw.make_raw();
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

/// For a program that only now and then changes how keys are read: when a signal ends it, they are read as they are now.
///
/// # Errors
/// When no signal can be watched. Where there is no terminal, there is nothing to do.
pub fn restore_at_signals() -> io::Result<()> {
    let Ok(terminal) = File::options().read(true).write(true).open("/dev/tty") else { return Ok(()) };
    let before = tcgetattr(&terminal)?;
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGQUIT])?;
    let work = move || {
        if let Some(signal) = signals.forever().next() {
            // A terminal that has gone needs nothing back.
            let _ = tcsetattr(&terminal, OptionalActions::Now, &before);
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(work).map(drop)
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

#[cfg(test)]
#[cfg(target_os = "linux")]
#[allow(clippy::print_stdout, clippy::print_stderr, reason = "one test reads what another printed")]
mod tests {
    use std::fs::{File, OpenOptions};
    use std::io::Read;
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::OpenOptionsExt;
    use std::process::Command;
    use std::sync::mpsc::channel;

    use nix::fcntl::OFlag;
    use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
    use rustix::termios::tcgetattr;

    use super::{ENTER, LEAVE, Terminal};
    use crate::tui::{Event, watch_panics};

    /// Runs one of the tests below in a terminal of its own; what it wrote there. The attributes of that terminal are the
    /// same afterwards.
    fn played(test: &str) -> Option<String> {
        let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname_r(&master).unwrap();
        let side =
            || OpenOptions::new().read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits()).open(&name).unwrap();
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(std::env::current_exe().unwrap());
        command.args(["--exact", &format!("tui::terminal::tests::{test}"), "--ignored", "--nocapture"]);
        command.env("RUST_BACKTRACE", "0").stdin(side()).stdout(side()).stderr(side());
        let mut terminal = File::from(OwnedFd::from(master));
        let attributes = |terminal: &File| format!("{:?}", tcgetattr(terminal).unwrap());
        let before = attributes(&terminal);
        let Ok(mut child) = command.spawn() else {
            eprintln!("SKIPPED: there is no `setsid` (util-linux) on this machine");
            return None;
        };
        drop(command);
        // The end of it is an error, as nobody has the other side any more.
        let (mut written, mut bytes) = (Vec::new(), [0; 4096]);
        while let Ok(count @ 1..) = terminal.read(&mut bytes) {
            written.extend_from_slice(&bytes[..count]);
        }
        child.wait().unwrap();
        assert_eq!(attributes(&terminal), before);
        Some(String::from_utf8_lossy(&written).into_owned())
    }

    #[test]
    fn a_panic_gives_the_terminal_back_before_it_is_told() {
        let Some(written) = played("panics_on_the_screen") else { return };
        let place = |text: &str| written.find(text).unwrap_or_else(|| panic!("no {text:?} in {written:?}"));
        assert!(place(ENTER) < place(LEAVE) && place(LEAVE) < place("on purpose"), "{written:?}");
        assert_eq!(written.matches(LEAVE).count(), 1, "given back twice: {written:?}");
    }

    #[test]
    fn a_panic_elsewhere_does_not_smear_the_picture() {
        let Some(written) = played("panics_beside_the_screen") else { return };
        let (picture, after) = written.split_once(LEAVE).unwrap();
        assert!(picture.contains(ENTER) && !picture.contains("in the thread"), "{written:?}");
        assert!(after.contains("heard of it at src/tui/terminal.rs"), "{written:?}");
    }

    #[test]
    #[ignore = "another test starts it in a terminal"]
    fn panics_on_the_screen() {
        let _terminal = Terminal::open().unwrap();
        let (news, _events) = channel();
        watch_panics(&news);
        panic!("on purpose");
    }

    #[test]
    #[ignore = "another test starts it in a terminal"]
    fn panics_beside_the_screen() {
        let terminal = Terminal::open().unwrap();
        let (news, events) = channel();
        watch_panics(&news);
        let _ = std::thread::spawn(|| panic!("in the thread")).join();
        let Ok(Event::Failed(place)) = events.recv() else { panic!("nothing was heard") };
        drop(terminal);
        println!("heard of it at {place}");
    }
}
