//! Tool calls in the order they were made, each waiting for its result, which stands some records later.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;

use super::arguments::arguments;
use super::line::{At, is_json};
use crate::model::{
    Action, ActionId, Actor, Executed, Gap, GapKind, Hides, Issue, Kind, Origin, Outcome, Surroundings, Timestamp,
};
use crate::reader::record::action_id;
use crate::reader::{Out, Source, sqlite};

/// So many calls may wait; beyond that the oldest is handed out as it is.
const MAX_WAITING: usize = 4096;
/// So many bytes of text and arguments may wait.
const MAX_WAITING_BYTES: usize = 64 << 20;
/// What stands for the middle of an output that was cut already is no reason to cut it again.
const CUT: usize = 16;
/// Ids at least this long are made to be unique among all sessions; shorter ones (`call_0`) start over in each.
const UNIQUE_ID: usize = 20;

/// Who speaks: shared by all calls of one actor at one place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Voice {
    pub(crate) actor: Arc<Actor>,
    pub(crate) session: Arc<str>,
    pub(crate) surroundings: Arc<Surroundings>,
}

/// One call, as a transcript states it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Call<'a> {
    /// The id its result refers to; may be empty.
    pub(crate) id: &'a str,
    /// What tells its record apart from others, and is copied with it: a uuid, a timestamp; may be empty.
    pub(crate) record: &'a str,
    /// Which call of that record it is.
    pub(crate) index: usize,
    pub(crate) time: Option<Timestamp>,
    pub(crate) tool: &'a str,
    /// JSON text as recorded; empty when the record has none, not even an empty object.
    pub(crate) arguments: &'a str,
    /// What arguments that are not recorded can hide; anything, unless this says less.
    pub(crate) missing: Option<Hides>,
    /// The text, when it is not to be read from the arguments.
    pub(crate) text: Option<&'a str>,
    /// However long its id is, another session may have the same: runs of one task are no copies of each other.
    pub(crate) own_session: bool,
    /// Something of the arguments is kept elsewhere and not to be had.
    pub(crate) cut: bool,
    /// The record says that a person said yes to it.
    pub(crate) approved: bool,
    pub(crate) at: At,
}

enum Entry {
    Call { action: Box<Action>, id: Box<str>, settled: bool },
    Issue(Issue),
}

/// Joins calls with their results, drops repeats, and hands everything out in the order of the calls.
pub(crate) struct Calls<'o> {
    out: &'o mut dyn Out,
    file: Arc<str>,
    format: &'static str,
    queue: VecDeque<Entry>,
    /// How many entries have left the queue: the number of its first one.
    left: u64,
    bytes: usize,
    /// Calls by their id, and those without one, by their number.
    by_id: HashMap<Box<str>, u64>,
    without_id: VecDeque<u64>,
    /// Identities of calls, and ids of calls, that this file had so far.
    seen: HashSet<ActionId>,
    /// Calls with a lower number stand in a turn that was broken off, and in one that has a successor.
    broken_off: u64,
    given_up: u64,
}

impl<'o> Calls<'o> {
    pub(crate) fn new(source: &Source, format: &'static str, out: &'o mut dyn Out) -> Self {
        Self {
            out,
            file: source.file.clone(),
            format,
            queue: VecDeque::new(),
            left: 0,
            bytes: 0,
            by_id: HashMap::new(),
            without_id: VecDeque::new(),
            seen: HashSet::new(),
            broken_off: 0,
            given_up: 0,
        }
    }

    /// A tool call. One that this file has had already is dropped.
    pub(crate) fn tool(&mut self, voice: &Voice, call: &Call<'_>) -> ControlFlow<()> {
        let read = arguments(call.arguments);
        let text = call.text.unwrap_or(&read.text);
        let mut surroundings = voice.surroundings.clone();
        if let Some(folder) = read.folder {
            let cwd = inside(surroundings.cwd.as_deref(), folder);
            if cwd != surroundings.cwd {
                Arc::make_mut(&mut surroundings).cwd = cwd;
            }
        }
        let mut action = self.action(voice, call, Kind::Tool, text);
        action.tool = Some(call.tool.into());
        action.arguments = Some(call.arguments).filter(|arguments| !arguments.is_empty()).map(Arc::from);
        if call.arguments.is_empty() && call.text.is_none() {
            let detail = "no arguments recorded".to_owned();
            let hides = call.missing.unwrap_or(Hides::Anything);
            action.gaps.push(Gap { kind: GapKind::ParametersMissing, hides, span: None, detail });
        }
        if call.cut {
            let detail = "the record names a part of the arguments that it does not have".to_owned();
            action.gaps.push(Gap { kind: GapKind::Truncated, hides: Hides::Anything, span: None, detail });
        }
        action.surroundings = surroundings;
        self.push(call.id, action)
    }

    /// States anew what a call that still waits is to do: a person can change it before saying yes.
    pub(crate) fn revise(&mut self, voice: &Voice, call: &Call<'_>) {
        let at = self.by_id.get(call.id).and_then(|number| usize::try_from(number.checked_sub(self.left)?).ok());
        let read = arguments(call.arguments);
        if let Some(Entry::Call { action, .. }) = at.and_then(|at| self.queue.get_mut(at))
            && *action.text != *read.text
        {
            self.bytes = self.bytes.saturating_sub(size(action));
            action.id = identity(call, voice, &read.text);
            action.text = read.text.into();
            action.arguments = Some(call.arguments.into());
            self.bytes += size(action);
            self.seen.insert(action.id);
        }
        self.out.nothing();
    }

    /// A command that a person typed into the agent's shell mode.
    pub(crate) fn shell(&mut self, voice: &Voice, call: &Call<'_>, text: &str) -> ControlFlow<()> {
        let action = self.action(voice, call, Kind::Shell, text);
        self.push(call.id, action)
    }

    /// Whether this file has had a call with this id.
    pub(crate) fn knows(&self, id: &str) -> bool {
        self.seen.contains(&action_id(&[b"id", id.as_bytes()]))
    }

    /// Whether a call with this id still waits for its result.
    pub(crate) fn awaits(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// How much of what the call with this id says is worth reading: nothing when none waits for it.
    pub(crate) fn listens(&self, id: &str) -> Option<usize> {
        let at = usize::try_from(self.by_id.get(id)?.checked_sub(self.left)?).ok()?;
        match self.queue.get(at)? {
            Entry::Call { action, .. } => Some(Outcome::most(&action.text)),
            Entry::Issue(_) => None,
        }
    }

    /// The result of the call with that id, or without one, of the oldest call that has none either.
    pub(crate) fn settle(&mut self, id: &str, mut outcome: Outcome) -> ControlFlow<()> {
        let number = if id.is_empty() { self.without_id.pop_front() } else { self.by_id.remove(id) };
        let at = number.and_then(|number| number.checked_sub(self.left)).and_then(|at| usize::try_from(at).ok());
        if let Some(Entry::Call { action, settled, .. }) = at.and_then(|at| self.queue.get_mut(at)) {
            if let Some(output) = outcome.output.as_mut().filter(|output| output.len() > Outcome::MAX_WORDS + CUT) {
                *output = Outcome::cut(output, Outcome::most(&action.text));
            }
            self.bytes += outcome.output.as_ref().map_or(0, |output| output.len());
            action.outcome = outcome;
            *settled = true;
        }
        self.hand_out(false)
    }

    /// The turn was broken off: the calls that still wait did not come to a good end. A result may still follow.
    pub(crate) fn interrupt(&mut self) {
        let now = self.left + self.queue.len() as u64;
        for entry in self.between(self.broken_off, now) {
            if let Entry::Call { action, settled: false, .. } = entry {
                action.outcome.succeeded = Some(false);
            }
        }
        self.broken_off = now;
    }

    /// A new turn begins: nothing more will be heard of the calls that were broken off.
    pub(crate) fn give_up(&mut self) -> ControlFlow<()> {
        for entry in self.between(self.given_up, self.broken_off) {
            if let Entry::Call { settled, .. } = entry {
                *settled = true;
            }
        }
        self.given_up = self.broken_off;
        self.hand_out(false)
    }

    /// What waits among the entries with these numbers. Each number is asked for once, however often turns end.
    fn between(&mut self, from: u64, to: u64) -> impl Iterator<Item = &mut Entry> {
        let place = |number: u64| usize::try_from(number.saturating_sub(self.left)).unwrap_or(usize::MAX);
        let (from, to) = (place(from), place(to));
        self.queue.iter_mut().take(to).skip(from)
    }

    /// A record without an action.
    pub(crate) fn nothing(&mut self) -> ControlFlow<()> {
        self.out.nothing();
        ControlFlow::Continue(())
    }

    /// The record in a line, or how to go on where there is none to read: the line has then been accounted for.
    pub(crate) fn record<'a, R: serde::Deserialize<'a>>(
        &mut self,
        text: &'a str,
        at: At,
    ) -> Result<R, ControlFlow<()>> {
        serde_json::from_str(text).map_err(|error| {
            // Any other JSON is a record of a kind we do not know.
            if !text.starts_with('{') && is_json(text) { self.nothing() } else { self.unreadable(at, &error) }
        })
    }

    /// A record, or the rest of a document, that is not what it should be.
    pub(crate) fn unreadable(&mut self, at: At, error: &serde_json::Error) -> ControlFlow<()> {
        let error = error.to_string();
        // The line that the parser counts is one inside the record.
        let (what, _) = error.rsplit_once(" at line ").unwrap_or((&error, ""));
        let advice = "it may have been cut off while the file was written or copied; read the original";
        self.issue(at, format!("not a JSON record: {what}"), advice)
    }

    /// A line or a document beyond what is read.
    pub(crate) fn too_long(&mut self, at: At) -> ControlFlow<()> {
        let problem =
            if at.line == 0 { "the document is longer than 512 MiB" } else { "the line is longer than 64 MiB" };
        self.issue(at, problem.to_owned(), "nothing of it was read; split it into shorter records")
    }

    /// Something worth knowing that costs no record.
    pub(crate) fn note(&mut self, at: At, problem: &str) -> ControlFlow<()> {
        self.put(at, problem.to_owned(), "", false)
    }

    /// Something that was there and could not be read.
    pub(crate) fn lost(&mut self, at: At, problem: &str, advice: &str) -> ControlFlow<()> {
        self.put(at, problem.to_owned(), advice, true)
    }

    /// A row of a database that could not be read.
    pub(crate) fn damaged(&mut self, problem: &sqlite::Problem) -> ControlFlow<()> {
        let at = At { line: 0, offset: problem.offset };
        self.put(at, problem.problem.clone(), &problem.advice, problem.lost)
    }

    fn issue(&mut self, at: At, problem: String, advice: &str) -> ControlFlow<()> {
        self.put(at, problem, advice, true)
    }

    fn put(&mut self, at: At, problem: String, advice: &str, lost: bool) -> ControlFlow<()> {
        let (file, advice) = (self.file.clone(), advice.to_owned());
        let issue = Issue { file, line: at.line, offset: at.offset, problem, advice, lost };
        self.queue.push_back(Entry::Issue(issue));
        self.hand_out(false)
    }

    /// The file is over: what still waits stays without a result.
    pub(crate) fn finish(mut self) {
        // Whether anybody wants more does not matter any longer.
        let _ = self.hand_out(true);
    }

    fn action(&self, voice: &Voice, call: &Call<'_>, kind: Kind, text: &str) -> Action {
        Action {
            id: identity(call, voice, text),
            time: call.time,
            actor: voice.actor.clone(),
            session: voice.session.clone(),
            kind,
            text: text.into(),
            argv: None,
            tool: None,
            arguments: None,
            surroundings: voice.surroundings.clone(),
            outcome: Outcome::default(),
            approved: call.approved,
            gaps: Vec::new(),
            origin: Origin { file: self.file.clone(), line: call.at.line, offset: call.at.offset, format: self.format },
        }
    }

    fn push(&mut self, id: &str, action: Action) -> ControlFlow<()> {
        if !self.seen.insert(action.id) {
            return self.nothing();
        }
        let number = self.left + self.queue.len() as u64;
        if id.is_empty() {
            self.without_id.push_back(number);
        } else {
            self.seen.insert(action_id(&[b"id", id.as_bytes()]));
            self.by_id.insert(id.into(), number);
        }
        self.bytes += size(&action) + id.len();
        self.queue.push_back(Entry::Call { action: Box::new(action), id: id.into(), settled: false });
        self.hand_out(false)
    }

    /// Hands out what is ready at the front of the queue, or all of it.
    fn hand_out(&mut self, all: bool) -> ControlFlow<()> {
        while let Some(entry) = self.queue.front() {
            let full = self.queue.len() > MAX_WAITING || self.bytes > MAX_WAITING_BYTES;
            if !all && !full && matches!(entry, Entry::Call { settled: false, .. }) {
                break;
            }
            let number = self.left;
            self.left += 1;
            match self.queue.pop_front() {
                Some(Entry::Issue(issue)) => self.out.issue(issue)?,
                Some(Entry::Call { action, id, .. }) => {
                    self.bytes = self.bytes.saturating_sub(size(&action) + id.len());
                    if self.by_id.get(&id) == Some(&number) {
                        self.by_id.remove(&id);
                    }
                    if self.without_id.front() == Some(&number) {
                        self.without_id.pop_front();
                    }
                    self.out.action(*action)?;
                }
                None => break,
            }
        }
        ControlFlow::Continue(())
    }
}

/// A moment written as RFC 3339, or as seconds or milliseconds since 1970.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(number) = text.parse::<i64>() {
        let unit = if number.abs() < 100_000_000_000 { 1_000_000 } else { 1_000 };
        return number.checked_mul(unit).map(Timestamp);
    }
    text.parse::<jiff::Timestamp>().ok().map(|time| Timestamp(time.as_microsecond()))
}

/// A moment written without a zone, which is then read as UTC.
pub(crate) fn civil_moment(text: &str) -> Option<Timestamp> {
    let civil: jiff::civil::DateTime = text.parse().ok().filter(|_| !text.ends_with(['Z', 'z']))?;
    if text.parse::<jiff::Timestamp>().is_ok() {
        return None;
    }
    let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Timestamp(zoned.timestamp().as_microsecond()))
}

/// The file's name without its folders and its ending: the session of a transcript that names none.
pub(crate) fn stem(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    let stem = [".json", ".traj", ".md"].iter().filter_map(|ending| name.split_once(ending)).map(|(stem, _)| stem);
    stem.min_by_key(|stem| stem.len()).unwrap_or(name)
}

/// The outcome of a call that ran.
pub(crate) fn ran(succeeded: Option<bool>, exit_code: Option<i32>) -> Outcome {
    Outcome { executed: Executed::Yes, succeeded, exit_code, ..Outcome::default() }
}

/// The outcome of a call that a person or a guard refused.
pub(crate) fn refused() -> Outcome {
    Outcome { executed: Executed::No, ..Outcome::default() }
}

/// The outcome of a call that failed, where nothing says whether it had begun.
pub(crate) fn failed() -> Outcome {
    Outcome { succeeded: Some(false), ..Outcome::default() }
}

/// The same for every copy of a call: resumed and forked sessions repeat whole records in new files.
fn identity(call: &Call<'_>, voice: &Voice, text: &str) -> ActionId {
    let text = text.as_bytes();
    if call.id.len() >= UNIQUE_ID && !call.own_session {
        return action_id(&[b"call", call.id.as_bytes(), text]);
    }
    let index = call.index.to_le_bytes();
    if !call.record.is_empty() {
        return action_id(&[b"record", call.record.as_bytes(), &index, call.id.as_bytes(), text]);
    }
    let line = call.at.line.to_le_bytes();
    action_id(&[b"line", voice.session.as_bytes(), &line, &index, call.id.as_bytes(), text])
}

fn inside(cwd: Option<&str>, folder: String) -> Option<String> {
    let drive = folder.as_bytes().get(1) == Some(&b':');
    match cwd {
        _ if folder.starts_with(['/', '~', '\\']) || drive => Some(folder),
        // What a folder is relative to; whoever reads the arguments goes on from there.
        Some(cwd) => Some(cwd.to_owned()),
        // Relative to a folder that the record does not name.
        None => None,
    }
}

fn size(action: &Action) -> usize {
    let length = |text: &Option<Arc<str>>| text.as_ref().map_or(0, |text| text.len());
    action.text.len() + length(&action.arguments) + length(&action.outcome.output)
}
