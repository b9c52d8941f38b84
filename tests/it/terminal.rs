//! The program in a terminal, as a user has it: a pseudo-terminal that is its controlling terminal, so that Ctrl-C, a
//! window that changes its size, and a connection that goes away are what they are in life.

pub(crate) mod picture;
pub(crate) mod screen;

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::termios::{LocalModes, OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize};

use screen::Screen;

/// So long may anything take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of what the program wrote last that are shown when a test fails.
const TAIL: usize = 600;

/// Keys that are no letters, as xterm sends them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Enter,
    Esc,
    Tab,
    BackTab,
    Up,
    Down,
    Ctrl(char),
    /// With the left button, in columns and rows from the upper left corner.
    Click(u16, u16),
}

impl Key {
    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Enter => b"\r".to_vec(),
            Self::Esc => b"\x1b".to_vec(),
            Self::Tab => b"\t".to_vec(),
            Self::BackTab => b"\x1b[Z".to_vec(),
            Self::Up => b"\x1b[A".to_vec(),
            Self::Down => b"\x1b[B".to_vec(),
            Self::Ctrl(letter) => vec![letter as u8 & 0x1f],
            Self::Click(column, row) => {
                let place = format!("{};{}", column + 1, row + 1);
                format!("\x1b[<0;{place}M\x1b[<0;{place}m").into_bytes()
            }
        }
    }
}

/// How to start the program.
#[derive(Debug)]
pub(crate) struct Start {
    program: PathBuf,
    before: Vec<OsString>,
    arguments: Vec<OsString>,
    size: (u16, u16),
    folder: PathBuf,
    environment: Vec<(String, String)>,
}

impl Start {
    /// `nearmiss` with these arguments, on 100 columns and 30 rows, in the repository's folder.
    pub(crate) fn nearmiss(arguments: &[&str]) -> Self {
        Self {
            program: env!("CARGO_BIN_EXE_nearmiss").into(),
            before: Vec::new(),
            arguments: arguments.iter().map(Into::into).collect(),
            size: (100, 30),
            folder: crate::support::root().to_owned(),
            environment: Vec::new(),
        }
    }

    /// Another program in the place of `nearmiss`.
    pub(crate) fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = program.into();
        self
    }

    /// Other arguments.
    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments = arguments.iter().map(Into::into).collect();
        self
    }

    /// Words that start the program, such as `prlimit --nofile=9`.
    pub(crate) fn through(mut self, words: &[&str]) -> Self {
        self.before = words.iter().map(Into::into).collect();
        self
    }

    pub(crate) fn size(mut self, columns: u16, rows: u16) -> Self {
        self.size = (columns, rows);
        self
    }

    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        folder.clone_into(&mut self.folder);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts it. `None`, and said so, where `setsid` cannot give it a controlling terminal.
    pub(crate) fn start(self) -> Option<Terminal> {
        static CAN: std::sync::LazyLock<bool> = std::sync::LazyLock::new(|| {
            let help = Command::new("setsid").arg("--help").output();
            help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("--ctty"))
        });
        if !*CAN {
            eprintln!(
                "SKIPPED: there is no `setsid --ctty` (util-linux) on this machine: nothing is tested in a terminal"
            );
            return None;
        }
        Some(Terminal::open(self))
    }
}

/// What the reading thread and the test share.
#[derive(Debug)]
struct Shown {
    screen: Screen,
    tail: Vec<u8>,
}

/// A terminal with a program in it.
pub(crate) struct Terminal {
    master: Option<OwnedFd>,
    child: Child,
    status: Option<ExitStatus>,
    shown: Arc<(Mutex<Shown>, Condvar)>,
    leave: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
    before: String,
    /// The user's home, there as long as the program is.
    _home: tempfile::TempDir,
}

impl Terminal {
    fn open(start: Start) -> Self {
        let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).expect("a pseudo-terminal");
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname_r(&master).unwrap();
        let master = OwnedFd::from(master);
        let (columns, rows) = start.size;
        set_size(&master, columns, rows);
        let slave =
            || OpenOptions::new().read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits()).open(&name).unwrap();
        let input = slave();
        let before = attributes(&master);
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new("setsid");
        // Not the leader of a group yet, so `setsid` does not fork: the child is the program itself.
        command.arg("--ctty").args(start.before).arg(start.program).args(start.arguments);
        command.current_dir(start.folder).stdin(input).stdout(slave()).stderr(slave());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("TERM", "xterm-256color").env("LANG", "C.UTF-8").env("HOME", home.path()).env("USER", "tester");
        for (name, folder) in
            [("CONFIG", "config"), ("DATA", "data"), ("STATE", "state"), ("CACHE", "cache"), ("RUNTIME", "run")]
        {
            let suffix = if name == "RUNTIME" { "DIR" } else { "HOME" };
            command.env(format!("XDG_{name}_{suffix}"), home.path().join(folder));
        }
        command.envs(start.environment);
        let child = command.spawn().expect("the program starts");
        // The program alone has the other side now: when it ends, reading ends.
        drop(command);
        let shown =
            Arc::new((Mutex::new(Shown { screen: Screen::new(columns, rows), tail: Vec::new() }), Condvar::new()));
        let leave = Arc::new(AtomicBool::new(false));
        let reader = {
            let (master, shown, leave) = (master.try_clone().unwrap(), Arc::clone(&shown), Arc::clone(&leave));
            std::thread::spawn(move || read(master, &shown, &leave))
        };
        Self { master: Some(master), child, status: None, shown, leave, reader: Some(reader), before, _home: home }
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn master(&self) -> &OwnedFd {
        self.master.as_ref().expect("the terminal has not gone away")
    }

    /// Whether the program has gone.
    pub(crate) fn has_ended(&self) -> bool {
        self.reader.as_ref().is_none_or(JoinHandle::is_finished)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Types letters, as fast as somebody who pastes without the terminal saying so.
    pub(crate) fn type_keys(&self, keys: &str) -> &Self {
        self.send(keys.as_bytes())
    }

    pub(crate) fn press(&self, key: Key) -> &Self {
        self.send(&key.bytes())
    }

    /// What a terminal sends when somebody pastes and the program asked to be told.
    pub(crate) fn paste(&self, text: &str) -> &Self {
        assert!(self.lock().screen.modes.paste, "the program did not ask for pastes to be marked");
        self.send(format!("\x1b[200~{text}\x1b[201~").as_bytes())
    }

    fn send(&self, bytes: &[u8]) -> &Self {
        let mut file = File::from(self.master().try_clone().unwrap());
        file.write_all(bytes).expect("the terminal takes keys");
        self
    }

    /// Another size of the window; the kernel tells the program.
    pub(crate) fn resize(&self, columns: u16, rows: u16) -> &Self {
        self.lock().screen.resize(columns, rows);
        set_size(self.master(), columns, rows);
        self
    }

    pub(crate) fn signal(&self, signal: Signal) -> &Self {
        kill(Pid::from_raw(self.child.id() as i32), signal).expect("the program is there");
        self
    }

    /// What is shown now, row by row.
    pub(crate) fn text(&self) -> String {
        self.lock().screen.text()
    }

    /// Something about what is shown now.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Screen) -> T) -> T {
        look(&self.lock().screen)
    }

    /// How the terminal treats keys and output, in words.
    fn attributes(&self) -> String {
        attributes(self.master())
    }

    /// Whether keys go to the program one by one and unseen.
    pub(crate) fn is_raw(&self) -> bool {
        let modes = tcgetattr(self.master()).unwrap().local_modes;
        !modes.intersects(LocalModes::ICANON | LocalModes::ECHO)
    }

    /// What a shell does with the terminal of a program that was stopped.
    pub(crate) fn restore_attributes(&self) {
        let mut attributes = tcgetattr(self.master()).unwrap();
        attributes.local_modes |= LocalModes::ICANON | LocalModes::ECHO;
        tcsetattr(self.master(), OptionalActions::Now, &attributes).unwrap();
    }

    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) -> &Self {
        self.wait_until(&format!("`{text}`"), |screen| screen.contains(text))
    }

    #[track_caller]
    pub(crate) fn wait_for_no(&self, text: &str) -> &Self {
        self.wait_until(&format!("no `{text}`"), |screen| !screen.contains(text))
    }

    /// Waits until a whole picture is as wanted.
    #[track_caller]
    pub(crate) fn wait_until(&self, what: &str, is_so: impl Fn(&Screen) -> bool) -> &Self {
        let until = Instant::now() + PATIENCE;
        let mut shown = self.lock();
        loop {
            if !shown.screen.modes.synchronized && is_so(&shown.screen) {
                return self;
            }
            let left = until.saturating_duration_since(Instant::now());
            // Without news for long, or with nobody left to send any, it does not come any more.
            let is_over = self.has_ended();
            if left.is_zero() || is_over {
                let why = if is_over { "the program has ended" } else { "it took too long" };
                let (picture, tail) = (shown.screen.framed(), shown.tail.escape_ascii().to_string());
                drop(shown);
                panic!("waited for {what}, but {why}:\n{picture}\nwritten last: {tail}");
            }
            let wait = left.min(Duration::from_millis(200));
            shown = self.shown.1.wait_timeout(shown, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until the program has ended, and all that it wrote was read.
    #[track_caller]
    pub(crate) fn wait_exit(&mut self) -> End {
        let until = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < until, "the program does not end:\n{}", self.lock().screen.framed());
            std::thread::sleep(Duration::from_millis(5));
        };
        self.status = Some(status);
        if self.master.is_some()
            && let Some(reader) = self.reader.take()
        {
            reader.join().expect("the emulator takes whatever is written");
        }
        End { status }
    }

    /// The window is closed, or the connection lost: the kernel sends SIGHUP, and nothing can be written any more.
    #[track_caller]
    pub(crate) fn hang_up(&mut self) -> End {
        self.close();
        self.wait_exit()
    }

    fn close(&mut self) {
        self.leave.store(true, Ordering::Relaxed);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        self.master = None;
    }

    /// The terminal is as it was before the program started, but for what was printed.
    #[track_caller]
    pub(crate) fn assert_restored(&self) {
        let shown = self.lock();
        let (screen, modes) = (&shown.screen, &shown.screen.modes);
        let picture = screen.framed();
        assert!(!modes.alternate, "still on the alternate screen:\n{picture}");
        assert!(modes.cursor_visible, "the cursor is hidden:\n{picture}");
        assert!(modes.mouse.is_empty(), "clicks still go to the program:\n{picture}");
        assert!(!modes.paste, "pastes are still marked:\n{picture}");
        assert!(!modes.synchronized, "an update was begun and not ended:\n{picture}");
        assert_eq!(screen.style, screen::Style::default(), "what comes next has a colour:\n{picture}");
        assert!(screen.unknown.is_empty(), "no terminal understands this:\n{picture}");
        drop(shown);
        assert_eq!(self.attributes(), self.before, "the terminal's attributes are not those from before:\n{picture}");
    }

    /// The terminal is the program's: raw, on the other screen.
    #[track_caller]
    pub(crate) fn assert_taken(&self) {
        let shown = self.lock();
        assert!(shown.screen.modes.alternate, "not on the alternate screen:\n{}", shown.screen.framed());
        drop(shown);
        assert_ne!(self.attributes(), self.before, "keys would be echoed");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if self.status.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        self.close();
    }
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct End {
    status: ExitStatus,
}

impl End {
    /// The exit code, or 128 and the signal, as shells have it.
    pub(crate) fn code(&self) -> i32 {
        self.status.code().or_else(|| self.status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
    }
}

fn set_size(terminal: &OwnedFd, columns: u16, rows: u16) {
    let size = Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size).unwrap();
}

/// All attributes; two terminals that behave alike have the same.
fn attributes(terminal: &OwnedFd) -> String {
    format!("{:#?}", tcgetattr(terminal).expect("a terminal has attributes"))
}

/// Feeds the emulator until the program has gone, or nobody wants to know.
fn read(master: OwnedFd, shown: &(Mutex<Shown>, Condvar), leave: &AtomicBool) {
    let mut parser = vte::Parser::new();
    let mut file = File::from(master);
    let mut bytes = [0; 1 << 16];
    while !leave.load(Ordering::Relaxed) {
        let mut ready = [PollFd::new(file.as_fd(), PollFlags::POLLIN)];
        if !matches!(poll(&mut ready, PollTimeout::from(20_u8)), Ok(1..)) {
            continue;
        }
        // An error is what a terminal gives that no program has open any more.
        let Ok(count @ 1..) = file.read(&mut bytes) else { return shown.1.notify_all() };
        let mut shared = shown.0.lock().unwrap_or_else(PoisonError::into_inner);
        parser.advance(&mut shared.screen, &bytes[..count]);
        shared.tail.extend_from_slice(&bytes[..count]);
        let surplus = shared.tail.len().saturating_sub(TAIL);
        shared.tail.drain(..surplus);
        shown.1.notify_all();
    }
}
