//! Reads, decides and hands on, in input order, with memory that does not grow with the input.
//!
//! ```text
//! files ─► reader threads ─► bounded channels ─► batches ─► sessions in parallel ─► findings in input order
//! ```
//! A session's actions are decided in order by one thread; sessions run side by side. A session's state is carried from
//! batch to batch, so where the batches are cut changes nothing. The only door to rayon.

use std::io::{self, BufRead};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Scope, ScopedJoinHandle};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::{Action, ActionId, Finding, Issue};
use crate::reader::detect::{Detected, detect};
use crate::reader::input::Input;
use crate::reader::{Options, Out, Reader, Source};

use super::ahead::Ahead;
use super::{Engine, Session};

/// Actions handed from a reader thread at once.
const CHUNK: usize = 512;
/// A chunk is also closed when its texts reach this many bytes.
const CHUNK_BYTES: usize = 1 << 20;
/// Chunks that may wait per file.
const WAITING: usize = 4;
/// Actions decided in one go: enough to give every thread several sessions.
const BATCH: usize = 16 * CHUNK;
/// The first batch, from which on they double: whoever watches sees something soon.
const FIRST_BATCH: usize = 512;
/// A batch is also closed when its texts reach this many bytes.
const BATCH_BYTES: usize = 16 * CHUNK_BYTES;
/// Deeply nested code is walked by recursion; address space is free, a stack overflow is not.
const STACK_BYTES: usize = 64 << 20;

/// What to read and how.
#[allow(missing_debug_implementations, reason = "holds a reader")]
pub struct Replay {
    pub inputs: Vec<Input>,
    /// The reader the user named; detected by content otherwise.
    pub reader: Option<&'static dyn Reader>,
    pub options: Arc<Options>,
    pub jobs: NonZeroUsize,
}

/// Who is told, always from one thread and in input order.
pub trait Listener {
    fn finding(&mut self, finding: &Finding);
    fn issue(&mut self, issue: &Issue);
    /// Called after every batch, with bytes read so far (packed, as they lie on the disk).
    /// `Break` ends the replay early.
    fn progress(&mut self, bytes: u64) -> ControlFlow<()>;
}

/// What was read, for the summary and for coverage.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    pub files: u64,
    /// Packed bytes, as they lie on the disk.
    pub bytes: u64,
    pub actions: u64,
    /// Copies of actions that were already seen (agents write resumed sessions to new files).
    pub copies: u64,
    /// Records that are understood and hold no action.
    pub other_records: u64,
    /// Records that were lost.
    pub unread: u64,
    pub sessions: u64,
    /// Actions per format.
    pub formats: Vec<(&'static str, u64)>,
}

impl Totals {
    /// The share of records that could be read, from 0 to 1; 1 when there was nothing.
    pub fn coverage(&self) -> f64 {
        let read = self.actions + self.copies + self.other_records;
        let all = read + self.unread;
        if all == 0 { 1.0 } else { read as f64 / all as f64 }
    }
}

impl Replay {
    /// Runs to the end, or until the listener has enough.
    ///
    /// # Errors
    /// When the threads cannot be started. What is wrong with the input goes to the listener.
    pub fn run(self, engine: &Engine, listener: &mut dyn Listener) -> io::Result<Totals> {
        self.run_past(engine, listener, None)
    }

    /// The same; `mark` is given one action as it was before it was decided, and where its session stood.
    pub(super) fn run_past(
        mut self,
        engine: &Engine,
        listener: &mut dyn Listener,
        mark: Option<&Mark>,
    ) -> io::Result<Totals> {
        let options = Arc::make_mut(&mut self.options);
        options.maps.extend(&engine.maps);
        options.tell_apart(self.inputs.iter().map(|input| &input.file));
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.jobs.get())
            .stack_size(STACK_BYTES)
            .build()
            .map_err(io::Error::other)?;
        let stop = AtomicBool::new(false);
        let counters = Counters::default();
        let mut totals = Totals { files: self.inputs.len() as u64, ..Totals::default() };
        std::thread::scope(|scope| {
            let mut files = Files::new(scope, &self, &stop, &counters);
            let mut decider = Decider { engine, mark, pool: &pool, sessions: FxHashMap::default() };
            let mut batch = Vec::with_capacity(BATCH);
            let mut most = FIRST_BATCH;
            loop {
                let more = files.next(&mut batch, listener, &mut totals);
                if batch.len() >= most || files.batch_bytes >= BATCH_BYTES || !more {
                    files.batch_bytes = 0;
                    most = BATCH.min(most * 2);
                    decider.decide(&mut batch, listener, &mut totals);
                    if listener.progress(counters.sum()).is_break() {
                        stop.store(true, Ordering::Relaxed);
                        break;
                    }
                }
                if !more {
                    break;
                }
            }
            totals.sessions = decider.sessions.len() as u64;
        });
        totals.bytes = counters.sum();
        Ok(totals)
    }
}

/// Packed bytes read of every file so far.
#[derive(Debug, Default)]
struct Counters(Mutex<Vec<Arc<AtomicU64>>>);

impl Counters {
    fn add(&self, counter: &Arc<AtomicU64>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(counter));
    }

    fn sum(&self) -> u64 {
        let counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counters.iter().map(|counter| counter.load(Ordering::Relaxed)).sum()
    }
}

/// What a reader thread sends.
#[derive(Default)]
struct Chunk {
    actions: Vec<Action>,
    issues: Vec<Issue>,
    nothing: u64,
    /// Copies of these records may stand in other files.
    repeats: bool,
    text_bytes: usize,
}

/// The files in order, each read ahead by a thread of its own; at most `jobs` at a time.
struct Files<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    replay: &'env Replay,
    stop: &'env AtomicBool,
    counters: &'env Counters,
    /// Ids of records that may come again in another file.
    seen: FxHashSet<ActionId>,
    /// The next file nobody reads yet.
    next: usize,
    /// Bytes of text taken since the last batch was closed.
    batch_bytes: usize,
    open: std::collections::VecDeque<(Receiver<Chunk>, ScopedJoinHandle<'scope, ()>)>,
}

impl<'scope, 'env> Files<'scope, 'env> {
    fn new(
        scope: &'scope Scope<'scope, 'env>,
        replay: &'env Replay,
        stop: &'env AtomicBool,
        counters: &'env Counters,
    ) -> Self {
        Self {
            scope,
            replay,
            stop,
            counters,
            seen: FxHashSet::default(),
            next: 0,
            batch_bytes: 0,
            open: std::collections::VecDeque::new(),
        }
    }

    /// Takes one chunk of the first unfinished file; `false` when there is none.
    fn next(&mut self, batch: &mut Vec<Action>, listener: &mut dyn Listener, totals: &mut Totals) -> bool {
        while self.open.len() < self.replay.jobs.get() && self.next < self.replay.inputs.len() {
            self.start(self.next);
            self.next += 1;
        }
        let Some((chunks, _)) = self.open.front() else { return false };
        if let Ok(chunk) = chunks.recv() {
            totals.other_records += chunk.nothing;
            self.batch_bytes += chunk.text_bytes;
            let chunk_len = chunk.actions.len();
            for issue in &chunk.issues {
                totals.unread += u64::from(issue.lost);
                listener.issue(issue);
            }
            if chunk.repeats {
                let before = batch.len();
                batch.extend(chunk.actions.into_iter().filter(|action| self.seen.insert(action.id)));
                totals.copies += (chunk_len - (batch.len() - before)) as u64;
            } else {
                batch.extend(chunk.actions);
            }
        } else if let Some((_, thread)) = self.open.pop_front()
            && thread.join().is_err()
        {
            let file = Arc::clone(&self.replay.inputs[self.next - self.open.len() - 1].file);
            let issue = Issue {
                file,
                line: 0,
                offset: 0,
                problem: "the reader stopped in the middle of the file: a bug of nearmiss".to_owned(),
                advice: "please report it with the file's first lines".to_owned(),
                lost: true,
            };
            totals.unread += 1;
            listener.issue(&issue);
        }
        true
    }

    fn start(&mut self, index: usize) {
        let (replay, stop, counters) = (self.replay, self.stop, self.counters);
        let (sender, receiver) = sync_channel(WAITING);
        let work = move || {
            read_file(&replay.inputs[index], replay, Sending { sender, stop, chunk: Chunk::default() }, counters)
        };
        let thread = std::thread::Builder::new()
            .name(format!("read {index}"))
            .spawn_scoped(self.scope, work)
            .expect("a reader thread can be started");
        self.open.push_back((receiver, thread));
    }
}

/// Opens one file, finds its format and reads it to the end.
fn read_file(input: &Input, replay: &Replay, mut sending: Sending<'_>, counters: &Counters) {
    let mut opened = match input.open() {
        Ok(opened) => opened,
        Err(error) => {
            sending.last_words(Some(input.issue(&error)));
            return;
        }
    };
    counters.add(&opened.bytes);
    let sample = opened.shown(input.name());
    let (file, options) = (Arc::clone(&input.file), Arc::clone(&replay.options));
    let source = Source { file, options, database: opened.database.clone() };
    let map = replay.options.maps.of(&input.file, input.name()).filter(|_| replay.reader.is_none());
    let found = match (map, replay.reader) {
        (Some(_), _) => None,
        (None, Some(reader)) => Some(Detected::Reader(reader)),
        (None, None) => Some(detect(&sample)),
    };
    let read = |reader: &mut dyn BufRead, sending: &mut Sending<'_>| match (map, &found) {
        (Some(map), _) => map.read(reader, &source, sending),
        (None, Some(Detected::Reader(known))) => {
            sending.chunk.repeats = known.repeats();
            known.read(reader, &source, sending)
        }
        _ => Ok(()),
    };
    let problem = match &found {
        None | Some(Detected::Reader(_)) => {
            let read = if opened.packed {
                std::thread::scope(|scope| read(&mut Ahead::start(scope, opened.reader)?, &mut sending))
            } else {
                read(&mut opened.reader, &mut sending)
            };
            read.err().map(|error| input.issue(&error))
        }
        Some(other) => other.issue(&input.file, &sample),
    };
    sending.last_words(problem);
}

/// Collects what a reader finds and sends it in chunks; waits when the other side is busy.
struct Sending<'a> {
    sender: SyncSender<Chunk>,
    stop: &'a AtomicBool,
    chunk: Chunk,
}

impl Sending<'_> {
    fn flush(&mut self) -> ControlFlow<()> {
        let repeats = self.chunk.repeats;
        let chunk = std::mem::replace(&mut self.chunk, Chunk { repeats, ..Chunk::default() });
        if self.stop.load(Ordering::Relaxed) || self.sender.send(chunk).is_err() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// Sends what is left, and what is wrong with the file as a whole.
    fn last_words(mut self, problem: Option<Issue>) {
        self.chunk.issues.extend(problem);
        // Nobody listens any more when it was stopped.
        let _ = self.flush();
    }

    fn flush_when_full(&mut self) -> ControlFlow<()> {
        let chunk = &self.chunk;
        let full = chunk.actions.len() + chunk.issues.len() >= CHUNK || chunk.text_bytes >= CHUNK_BYTES;
        if full { self.flush() } else { ControlFlow::Continue(()) }
    }
}

impl Out for Sending<'_> {
    fn action(&mut self, action: Action) -> ControlFlow<()> {
        let length = |text: &Option<Arc<str>>| text.as_ref().map_or(0, |text| text.len());
        self.chunk.text_bytes += action.text.len() + length(&action.arguments) + length(&action.outcome.output);
        self.chunk.actions.push(action);
        self.flush_when_full()
    }

    fn nothing(&mut self) {
        self.chunk.nothing += 1;
    }

    fn issue(&mut self, issue: Issue) -> ControlFlow<()> {
        self.chunk.issues.push(issue);
        self.flush_when_full()
    }
}

/// Decides batches: sessions side by side, actions of one session in order.
struct Decider<'a> {
    engine: &'a Engine,
    mark: Option<&'a Mark>,
    pool: &'a rayon::ThreadPool,
    sessions: FxHashMap<Arc<str>, Session>,
}

impl Decider<'_> {
    fn decide(&mut self, batch: &mut Vec<Action>, listener: &mut dyn Listener, totals: &mut Totals) {
        let mut groups: Vec<Group> = Vec::new();
        let mut places: FxHashMap<Arc<str>, usize> = FxHashMap::default();
        for (position, action) in batch.drain(..).enumerate() {
            let group = *places.entry(Arc::clone(&action.session)).or_insert_with(|| {
                let state = self.sessions.remove(&action.session).unwrap_or_default();
                groups.push(Group { name: Arc::clone(&action.session), state, actions: Vec::new(), found: Vec::new() });
                groups.len() - 1
            });
            groups[group].actions.push((position, action));
        }
        let (engine, mark) = (self.engine, self.mark);
        self.pool.install(|| {
            // One session is one thread's work; where a few make up the batch, the others at least read ahead for it.
            if self.pool.current_num_threads() > 1 && groups.len() < 2 * self.pool.current_num_threads() {
                for group in &groups {
                    group.actions.par_iter().for_each(|(_, action)| engine.foresee(action, &group.state));
                }
            }
            groups.par_iter_mut().for_each(|group| group.decide(engine, mark));
        });
        let mut found = Vec::new();
        for group in groups {
            self.sessions.insert(group.name, group.state);
            found.extend(group.found);
        }
        found.sort_unstable_by_key(|(position, _)| *position);
        for (_, finding) in found {
            totals.count(&finding.action);
            listener.finding(&finding);
        }
    }
}

/// One action that somebody wants to see as it was before it was decided.
#[derive(Debug)]
pub(super) struct Mark {
    id: ActionId,
    found: Mutex<Option<(Action, Session)>>,
}

impl Mark {
    pub(super) fn new(id: ActionId) -> Self {
        Self { id, found: Mutex::new(None) }
    }

    fn note(&self, action: &Action, session: &Session) {
        if action.id == self.id {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            found.get_or_insert_with(|| (action.clone(), session.clone()));
        }
    }

    pub(super) fn is_found(&self) -> bool {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    pub(super) fn found(self) -> Option<(Action, Session)> {
        self.found.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Group {
    name: Arc<str>,
    state: Session,
    actions: Vec<(usize, Action)>,
    found: Vec<(usize, Finding)>,
}

impl Group {
    fn decide(&mut self, engine: &Engine, mark: Option<&Mark>) {
        let state = &mut self.state;
        let decide = |(position, action)| {
            if let Some(mark) = mark {
                mark.note(&action, state);
            }
            (position, engine.decide(action, state))
        };
        self.found = self.actions.drain(..).map(decide).collect();
    }
}

impl Totals {
    fn count(&mut self, action: &Action) {
        self.actions += 1;
        let format = action.origin.format;
        match self.formats.iter_mut().find(|(name, _)| *name == format) {
            Some((_, count)) => *count += 1,
            None => self.formats.push((format, 1)),
        }
    }
}
