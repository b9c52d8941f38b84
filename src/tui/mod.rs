//! Looks at what was recorded while it is read: near-misses first, each with what kept it from being stopped.
//!
//! ```text
//! replay ──rows, pictures──► ┌─────┐ ──canvas──► terminal
//! judge  ──answers─────────► │ App │
//! keys, signals ───────────► └─────┘ ──tasks───► replay, judge, files of the project
//! ```
//! One thread has the screen and never waits for work: replay and judge are threads of their own that send what is
//! ready. `App` is plain state; `view` makes a picture of it and nothing else.

mod act;
mod app;
mod canvas;
mod command;
mod entry;
mod export;
mod judge;
mod keys;
mod label;
mod load;
mod prompt;
mod rehearsal;
mod search;
mod store;
mod terminal;
#[cfg(test)]
mod tests;
mod theme;
mod view;
mod written;

pub use entry::List;
pub use label::{Label, Project};
pub use rehearsal::{Rehearsal, rehearse};
pub use terminal::restore_at_signals;

use std::fmt;
use std::io::{self, Read};
use std::panic;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;

use crate::engine::gate::Day;
use crate::engine::near_miss::suppression::Suppression;
use crate::engine::query::Filter;
use crate::engine::replay::Replay;
use crate::engine::{Engine, Session};
use crate::model::{Action, ActionId, Decision, Issue};
use crate::report::Heading;

use act::Task;
use app::App;
use canvas::Canvas;
use judge::{Answer, Judge};
use keys::Decoder;
use load::{Load, Picture};
use store::Row;
use terminal::Terminal;

/// Between two pictures, unless a key was pressed.
const FRAME: Duration = Duration::from_millis(33);
/// So long may it take to take in news before the next picture.
const NEWS: Duration = Duration::from_millis(8);
/// The sign of life moves this often.
const TICK: Duration = Duration::from_millis(120);
/// After an escape, the rest of a key comes within this.
const ESCAPE: Duration = Duration::from_millis(40);

/// Makes a replay of all that is looked at, or of the one input that is called so.
pub type Replays = dyn Fn(Option<&str>) -> Result<(Replay, Vec<Issue>), String> + Send + Sync;

/// Drafts a rule for an action.
pub type Drafts = dyn Fn(ActionId) -> Result<String, String> + Send + Sync;

/// What is looked at, and under which policy.
pub struct Opening {
    /// Judges, and gathers near-misses.
    pub engine: Arc<Engine>,
    pub replay: Box<Replays>,
    /// The smallest rule that stops one action and not its neighbours, in Cedar, with what there is to say about it.
    pub draft: Box<Drafts>,
    pub heading: Heading,
    /// The arguments that name the same to other commands: `traces/ --policy own.cedar`.
    pub again: String,
    /// Bytes to read, packed, where that is known.
    pub bytes: Option<u64>,
    /// The filter to start with; it can be parsed.
    pub filter: String,
    /// How many steps away a rule may be.
    pub distance: u32,
    pub collapse_above: u64,
    pub suppressions: Vec<Suppression>,
    pub today: Day,
    /// Days on which the policy changed, for the line of time: days since 1970 and what to call the change.
    pub changes: Vec<(i64, String)>,
    /// Where labels go; without one, nothing is written.
    pub project: Option<Project>,
    pub coloured: bool,
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").field("again", &self.again).field("filter", &self.filter).finish_non_exhaustive()
    }
}

impl Opening {
    /// An engine for one action at a time: every slip is tried at once.
    fn explaining(&self) -> Engine {
        self.engine.afresh().with_near_misses(self.distance)
    }

    /// What is said of an action without its session.
    fn alone(&self, action: &Action) -> Decision {
        self.engine.decide(action.clone(), &mut Session::default()).verdict.decision
    }
}

/// Something that happened.
#[derive(Debug)]
enum Event {
    Typed(Vec<u8>),
    /// The terminal went away.
    Gone,
    Signal(i32),
    /// Of which replay, and what it read.
    Rows(u64, Vec<Row>),
    Picture(u64, Box<Picture>),
    /// To which question.
    Answer(u64, Answer),
    /// A bug of ours in a thread that is not the screen's.
    Failed(String),
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Quit,
    /// Ctrl-C.
    Interrupted,
    /// By this signal.
    Signal(i32),
}

/// Opens the screen and stays until the user leaves.
///
/// # Errors
/// When there is no terminal, or no thread.
pub fn run(opening: Opening) -> io::Result<Ended> {
    let filter = Filter::parse(&opening.filter).unwrap_or_else(|_| Filter::all());
    let mut terminal = Terminal::open()?;
    let (news, events) = channel();
    watch_panics(&news);
    let result = Shown::start(opening, &mut terminal, &news, filter).and_then(|shown| shown.run(&events));
    terminal.give_back();
    // Whoever panics from now on speaks to the user again.
    let _ = panic::take_hook();
    match result {
        // The terminal went away before the signal that says so was heard.
        Err(error) if rustix::io::Errno::from_io_error(&error) == Some(rustix::io::Errno::IO) => {
            Ok(Ended::Signal(SIGHUP))
        }
        result => result,
    }
}

/// A panic of the screen's thread gives the terminal back before it is told; others would only smear the picture.
fn watch_panics(news: &Sender<Event>) {
    let screen = std::thread::current().id();
    let news = Mutex::new(news.clone());
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == screen {
            terminal::give_back_anyhow();
            return usual(info);
        }
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let _ = news.lock().unwrap_or_else(PoisonError::into_inner).send(Event::Failed(place));
    }));
}

struct Shown<'t> {
    app: App,
    terminal: &'t mut Terminal,
    news: Sender<Event>,
    judge: Judge,
    load: Option<Load>,
    decoder: Decoder,
    before: Option<Canvas>,
    ended: Option<Ended>,
}

impl<'t> Shown<'t> {
    fn start(opening: Opening, terminal: &'t mut Terminal, news: &Sender<Event>, filter: Filter) -> io::Result<Self> {
        let opening = Arc::new(opening);
        let app = App::new(Arc::clone(&opening), terminal.size());
        let load = load::start(&opening, filter, 0, news)?;
        let judge = Judge::start(&opening, news)?;
        listen(terminal.keyboard()?, news.clone())?;
        watch_signals(news.clone())?;
        let (load, decoder) = (Some(load), Decoder::default());
        Ok(Self { app, terminal, news: news.clone(), judge, load, decoder, before: None, ended: None })
    }

    fn run(mut self, events: &Receiver<Event>) -> io::Result<Ended> {
        let mut drawn: Option<Instant> = None;
        let mut stale = true;
        loop {
            if stale && drawn.is_none_or(|drawn| drawn.elapsed() >= FRAME) {
                self.draw()?;
                (drawn, stale) = (Some(Instant::now()), false);
            }
            let wait = match () {
                () if self.decoder.is_waiting() => ESCAPE,
                () if stale => FRAME,
                () if self.app.is_reading() => TICK,
                () => Duration::from_secs(3600),
            };
            match events.recv_timeout(wait) {
                Ok(event) => {
                    let (mut next, since) = (Some(event), Instant::now());
                    while let Some(event) = next {
                        // What somebody pressed is shown at once.
                        let typed = matches!(event, Event::Typed(_) | Event::Signal(_));
                        self.take_in(event)?;
                        if typed {
                            drawn = None;
                        }
                        if let Some(ended) = self.ended {
                            return Ok(ended);
                        }
                        next = if since.elapsed() < NEWS { events.try_recv().ok() } else { None };
                    }
                    stale = true;
                }
                Err(RecvTimeoutError::Timeout) if self.decoder.is_waiting() => {
                    if let Some(key) = self.decoder.settle() {
                        self.press(&key)?;
                    }
                    (stale, drawn) = (true, None);
                }
                Err(RecvTimeoutError::Timeout) => {
                    if self.app.is_reading() {
                        self.app.tick += 1;
                        stale = true;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(Ended::Quit),
            }
            if let Some(ended) = self.ended {
                return Ok(ended);
            }
        }
    }

    fn draw(&mut self) -> io::Result<()> {
        let canvas = view::draw(&self.app);
        let mut commands = String::new();
        canvas.paint(self.before.as_ref(), &mut commands);
        self.terminal.picture(&commands)?;
        self.before = Some(canvas);
        Ok(())
    }

    fn take_in(&mut self, event: Event) -> io::Result<()> {
        match event {
            Event::Typed(bytes) => {
                for key in self.decoder.feed(&bytes) {
                    self.press(&key)?;
                    // What was typed after that was meant for somebody else.
                    if self.ended.is_some() {
                        break;
                    }
                }
            }
            Event::Gone => self.ended = Some(Ended::Signal(SIGHUP)),
            Event::Signal(SIGWINCH) => {
                self.app.size = self.terminal.size();
                // Smaller and back again is the same size, but what was cut off is gone.
                self.before = None;
            }
            Event::Signal(SIGTSTP) => self.suspend()?,
            Event::Signal(SIGCONT) => {
                // Whoever stopped it may have left the terminal to somebody else meanwhile.
                self.terminal.take_again()?;
                self.app.size = self.terminal.size();
                self.before = None;
            }
            Event::Signal(SIGINT) => self.ended = Some(Ended::Interrupted),
            Event::Signal(signal) => self.ended = Some(Ended::Signal(signal)),
            Event::Rows(replay, rows) => self.app.rows(replay, rows),
            Event::Picture(replay, picture) => self.app.picture(replay, *picture),
            Event::Answer(number, answer) => self.app.answer(number, answer),
            Event::Failed(place) => {
                self.app.complain(format!("a bug of nearmiss at {place}: please report it"));
            }
        }
        Ok(())
    }

    fn press(&mut self, key: &keys::Key) -> io::Result<()> {
        let is_interrupt = *key == keys::Key::Ctrl('c');
        match self.app.press(key) {
            None => {}
            Some(Task::Quit) => self.ended = Some(if is_interrupt { Ended::Interrupted } else { Ended::Quit }),
            Some(Task::Open(entry)) => {
                let number = self.judge.open(Arc::clone(&entry.finding));
                if let Some(detail) = &mut self.app.detail {
                    detail.waits = number;
                }
            }
            Some(Task::Ask(changes)) => {
                let number = self.judge.ask(changes);
                if let Some(detail) = &mut self.app.detail {
                    detail.waits = number;
                }
            }
            Some(Task::Draft(id)) => {
                let number = self.judge.draft(id);
                if let Some(detail) = &mut self.app.detail {
                    detail.waits = number;
                }
            }
            Some(Task::Reload(filter)) => {
                self.app.start_again();
                // The one under way ends first: both would only be slower.
                self.load = None;
                self.load = Some(load::start(&self.app.opening, filter, self.app.replay, &self.news)?);
            }
            Some(Task::Copy(text)) => self.terminal.write(&clipboard(&text))?,
            Some(Task::Export { file, entries }) => match export::write(&self.app, &file, &entries) {
                Ok(said) => self.app.say(said),
                Err(problem) => self.app.complain(problem),
            },
            Some(Task::SetMouse(on)) => self.terminal.set_mouse(on)?,
            Some(Task::Redraw) => self.before = None,
            Some(Task::Suspend) => self.suspend()?,
        }
        Ok(())
    }

    /// Stops, with the terminal given back, until somebody lets it go on.
    fn suspend(&mut self) -> io::Result<()> {
        self.terminal.give_back();
        signal_hook::low_level::emulate_default_handler(SIGTSTP)?;
        self.terminal.take()?;
        self.app.size = self.terminal.size();
        self.before = None;
        Ok(())
    }
}

/// Hands on what is typed. The thread ends with the program.
fn listen(mut keyboard: impl Read + Send + 'static, news: Sender<Event>) -> io::Result<()> {
    let work = move || {
        let mut bytes = [0; 4096];
        loop {
            let event = match keyboard.read(&mut bytes) {
                Ok(0) => Event::Gone,
                Ok(count) => Event::Typed(bytes[..count].to_vec()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => Event::Gone,
            };
            let is_gone = matches!(event, Event::Gone);
            if news.send(event).is_err() || is_gone {
                return;
            }
        }
    };
    std::thread::Builder::new().name("keys".to_owned()).spawn(work).map(drop)
}

fn watch_signals(news: Sender<Event>) -> io::Result<()> {
    let mut signals = Signals::new([SIGWINCH, SIGCONT, SIGTSTP, SIGTERM, SIGHUP, SIGINT, SIGQUIT])?;
    let work = move || {
        for signal in &mut signals {
            if news.send(Event::Signal(signal)).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(work).map(drop)
}

/// Asks the terminal to put a text on the clipboard (OSC 52), which works over ssh as well.
fn clipboard(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut coded = String::with_capacity(text.len() / 3 * 4 + 4);
    for bytes in text.as_bytes().chunks(3) {
        let all = bytes.iter().fold(0_u32, |all, byte| all << 8 | u32::from(*byte)) << (8 * (3 - bytes.len()));
        for place in 0..4 {
            let sextet = (all >> (18 - 6 * place)) as usize & 63;
            coded.push(if place <= bytes.len() { char::from(LETTERS[sextet]) } else { '=' });
        }
    }
    format!("\x1b]52;c;{coded}\x07")
}
