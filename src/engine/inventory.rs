//! What there is to be read: every file with its format, how much of it is read, whose acts it holds and what its records
//! lack. Nothing is judged.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::FxHashSet;

use crate::model::{Action, ActionId, Actor, ActorKind, GapKind, Issue, Timestamp};
use crate::reader::detect::{Detected, detect};
use crate::reader::input::Input;
use crate::reader::{self, Options, Out, Reader, Source};

/// Deeply nested records are walked by recursion.
const STACK_BYTES: usize = 64 << 20;

/// One file.
#[derive(Clone, Debug, Default)]
pub struct Listed {
    pub file: Arc<str>,
    /// Packed bytes, as it lies on the disk.
    pub bytes: u64,
    /// The reader's name; `None` where no reader knows the file.
    pub format: Option<&'static str>,
    pub actions: u64,
    /// Actions that an earlier file has as well (agents write resumed sessions to new files); not in `actions`.
    pub copies: u64,
    /// Records that are understood and hold no action.
    pub other: u64,
    /// Records that were lost; 1 for a file that is not read at all.
    pub lost: u64,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    pub sessions: u64,
    /// Whoever acted, with the number of their actions.
    pub actors: BTreeMap<(ActorKind, String), u64>,
    /// What the records themselves lack, with how many do.
    pub lacks: BTreeMap<(GapKind, String), u64>,
    /// What could not be read, and what is worth a note.
    pub problems: BTreeMap<Problem, Seen>,
}

/// An issue without its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub problem: String,
    pub advice: String,
    pub lost: bool,
}

/// How often, and where first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub times: u64,
    pub line: u64,
    pub offset: u64,
}

impl Listed {
    pub fn read(&self) -> u64 {
        self.actions + self.copies + self.other
    }

    pub fn records(&self) -> u64 {
        self.read() + self.lost
    }

    /// The share of records that could be read, from 0 to 1; 1 when there was nothing.
    pub fn coverage(&self) -> f64 {
        if self.records() == 0 { 1.0 } else { self.read() as f64 / self.records() as f64 }
    }

    /// Why it is not read as a whole.
    pub fn refusal(&self) -> Option<&Problem> {
        self.problems
            .iter()
            .find(|(problem, seen)| problem.lost && seen.line == 0 && self.read() == 0)
            .map(|(problem, _)| problem)
    }

    /// What was named and cannot be opened.
    pub fn refused(issue: Issue) -> Self {
        let mut listed = Self { file: Arc::clone(&issue.file), ..Self::default() };
        listed.issue(issue);
        listed
    }

    fn issue(&mut self, issue: Issue) {
        let Issue { line, offset, problem, advice, lost, .. } = issue;
        self.lost += u64::from(lost);
        let seen = self.problems.entry(Problem { problem, advice, lost }).or_insert(Seen { times: 0, line, offset });
        seen.times += 1;
    }
}

/// What to look at, and how.
#[allow(missing_debug_implementations, reason = "holds a reader")]
pub struct Inventory {
    pub inputs: Vec<Input>,
    /// The reader the user named; detected by content otherwise.
    pub reader: Option<&'static dyn Reader>,
    pub options: Arc<Options>,
    pub jobs: NonZeroUsize,
}

impl Inventory {
    /// What a replay would read.
    pub fn of(replay: super::replay::Replay) -> Self {
        let super::replay::Replay { inputs, reader, options, jobs } = replay;
        Self { inputs, reader, options, jobs }
    }

    /// Reads every file to its end; the list is in the order of the inputs. `progress` is told the packed bytes of every
    /// file that is done, and ends it early with `Break`: files that were not begun are left out.
    pub fn take(mut self, progress: &(dyn Fn(u64) -> ControlFlow<()> + Sync)) -> Vec<Listed> {
        Arc::make_mut(&mut self.options).tell_apart(self.inputs.iter().map(|input| &input.file));
        let (next, done) = (AtomicUsize::new(0), AtomicU64::new(0));
        let found: Mutex<BTreeMap<usize, Taken>> = Mutex::default();
        let keep = |index: usize, taken: Taken| {
            let bytes = done.fetch_add(taken.listed.bytes, Ordering::Relaxed) + taken.listed.bytes;
            found.lock().unwrap_or_else(PoisonError::into_inner).insert(index, taken);
            progress(bytes)
        };
        let (this, next, keep) = (&self, &next, &keep);
        std::thread::scope(|scope| {
            let work = move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(input) = this.inputs.get(index) else { return };
                    // A thread of its own: a reader that stops in the middle costs this file only.
                    let reading = std::thread::Builder::new()
                        .stack_size(STACK_BYTES)
                        .spawn_scoped(scope, move || this.one(input))
                        .map(std::thread::ScopedJoinHandle::join);
                    let taken = match reading {
                        Ok(Ok(taken)) => taken,
                        _ => Taken::bug(input),
                    };
                    if keep(index, taken).is_break() {
                        next.store(this.inputs.len(), Ordering::Relaxed);
                    }
                }
            };
            for _ in 1..this.jobs.get() {
                scope.spawn(work);
            }
            work();
        });
        let mut seen = FxHashSet::default();
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.into_values().map(|taken| taken.without_copies(&mut seen)).collect()
    }

    fn one(&self, input: &Input) -> Taken {
        let mut taken = Taken::of(input);
        let mut opened = match input.open() {
            Ok(opened) => opened,
            Err(error) => {
                taken.listed.issue(input.issue(&error));
                return taken;
            }
        };
        let sample = opened.shown(input.name());
        let (file, options) = (Arc::clone(&input.file), Arc::clone(&self.options));
        let source = Source { file, options, database: opened.database.clone() };
        let map = self.options.maps.of(&input.file, input.name()).filter(|_| self.reader.is_none());
        let read = match map {
            Some(map) => {
                taken.listed.format = Some(reader::map::FORMAT);
                map.read(&mut opened.reader, &source, &mut taken)
            }
            None => match self.reader.map_or_else(|| detect(&sample), Detected::Reader) {
                Detected::Reader(reader) => {
                    taken.listed.format = Some(reader.name());
                    taken.repeats = reader.repeats();
                    reader.read(&mut opened.reader, &source, &mut taken)
                }
                other => {
                    if let Some(issue) = other.issue(&input.file, &sample) {
                        taken.listed.issue(issue);
                    }
                    Ok(())
                }
            },
        };
        if let Err(error) = read {
            taken.listed.issue(input.issue(&error));
        }
        taken.listed.bytes = opened.bytes.load(Ordering::Relaxed);
        taken.flush_actor();
        taken.listed.sessions = taken.sessions.len() as u64;
        taken
    }
}

/// One file in the making.
struct Taken {
    listed: Listed,
    sessions: FxHashSet<Arc<str>>,
    repeats: bool,
    ids: Vec<ActionId>,
    /// Whoever acts at the moment, with the number of their actions that is not counted yet.
    actor: Option<(Arc<Actor>, u64)>,
}

impl Taken {
    fn flush_actor(&mut self) {
        if let Some((actor, count)) = self.actor.take() {
            *self.listed.actors.entry((actor.kind, actor.name.clone())).or_default() += count;
        }
    }

    fn of(input: &Input) -> Self {
        let listed = Listed { file: Arc::clone(&input.file), bytes: input.size().unwrap_or(0), ..Listed::default() };
        Self { listed, sessions: FxHashSet::default(), repeats: false, ids: Vec::new(), actor: None }
    }

    fn bug(input: &Input) -> Self {
        let mut taken = Self::of(input);
        taken.listed.issue(Issue {
            file: Arc::clone(&input.file),
            line: 0,
            offset: 0,
            problem: "the reader stopped in the middle of the file: a bug of nearmiss".to_owned(),
            advice: "please report it with the file's first lines".to_owned(),
            lost: true,
        });
        taken
    }

    /// What an earlier file already told is counted there.
    fn without_copies(self, seen: &mut FxHashSet<ActionId>) -> Listed {
        let mut listed = self.listed;
        let copies = self.ids.into_iter().filter(|id| !seen.insert(*id)).count() as u64;
        listed.actions -= copies;
        listed.copies = copies;
        listed
    }
}

impl Out for Taken {
    fn action(&mut self, action: Action) -> ControlFlow<()> {
        let listed = &mut self.listed;
        listed.actions += 1;
        if let Some(time) = action.time {
            listed.first = Some(listed.first.map_or(time, |first| first.min(time)));
            listed.last = Some(listed.last.map_or(time, |last| last.max(time)));
        }
        if self.actor.as_ref().is_none_or(|(actor, _)| **actor != *action.actor) {
            self.flush_actor();
            self.actor = Some((Arc::clone(&action.actor), 0));
        }
        if let Some((_, count)) = &mut self.actor {
            *count += 1;
        }
        if !self.sessions.contains(&action.session) {
            self.sessions.insert(Arc::clone(&action.session));
        }
        for gap in action.gaps {
            *self.listed.lacks.entry((gap.kind, gap.detail)).or_default() += 1;
        }
        if self.repeats {
            self.ids.push(action.id);
        }
        ControlFlow::Continue(())
    }

    fn nothing(&mut self) {
        self.listed.other += 1;
    }

    fn issue(&mut self, issue: Issue) -> ControlFlow<()> {
        self.listed.issue(issue);
        ControlFlow::Continue(())
    }
}
