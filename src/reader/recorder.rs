//! From what a format's reader found in a record to an action: ids, and what neighbouring records have in common.

use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::sync::Arc;

use super::record::{Lines, MAX_LINE, action_id, file_name, quoted};
use super::{Out, Source};
use crate::model::{
    Action, Actor, ActorKind, Gap, GapKind, Hides, Issue, Kind, Origin, Outcome, Surroundings, Timestamp,
};

/// Where a record starts: its line, from 1, and its byte in the unpacked file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u64,
    pub(super) offset: u64,
}

/// What a record says.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) time: Option<Timestamp>,
    pub(super) actor: Actor,
    pub(super) session: String,
    /// What the recorder calls the record; empty where it has no name of its own, and its place must do.
    pub(super) native: String,
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) argv: Option<Vec<String>>,
    pub(super) surroundings: Surroundings,
    pub(super) outcome: Outcome,
    pub(super) gaps: Vec<Gap>,
}

impl Found {
    fn of(kind: Kind, text: String, place: Place) -> Self {
        Self {
            place,
            time: None,
            actor: Actor::default(),
            session: String::new(),
            native: String::new(),
            kind,
            text,
            argv: None,
            surroundings: Surroundings::default(),
            outcome: Outcome::default(),
            gaps: Vec::new(),
        }
    }

    pub(super) fn shell(text: impl Into<String>, place: Place) -> Self {
        Self::of(Kind::Shell, text.into(), place)
    }

    pub(super) fn sql(text: impl Into<String>, dialect: &str, place: Place) -> Self {
        let mut found = Self::of(Kind::Sql, text.into(), place);
        found.surroundings.dialect = Some(dialect.to_owned());
        found
    }

    pub(super) fn exec(argv: Vec<String>, place: Place) -> Self {
        Self { argv: Some(argv.clone()), ..Self::of(Kind::Exec, quoted(&argv), place) }
    }

    pub(super) fn by(&mut self, name: impl Into<String>, kind: ActorKind) {
        self.actor = Actor { name: name.into(), kind, groups: Vec::new() };
    }

    /// What the record itself lacks.
    pub(super) fn lacks(&mut self, kind: GapKind, hides: Hides, detail: &str) {
        self.gaps.push(Gap { kind, hides, span: None, detail: detail.to_owned() });
    }
}

/// The text if there is one.
pub(super) fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Makes the actions of one file.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) source: Source,
    format: &'static str,
    /// The session of records that do not name theirs.
    whole: Arc<str>,
    actor: Arc<Actor>,
    session: Arc<str>,
    surroundings: Arc<Surroundings>,
    zone_said: bool,
}

impl Recorder {
    pub(super) fn new(source: &Source, format: &'static str) -> Self {
        let whole = source.session();
        Self {
            source: source.clone(),
            format,
            session: Arc::clone(&whole),
            whole,
            actor: Arc::default(),
            surroundings: Arc::default(),
            zone_said: false,
        }
    }

    pub(super) fn action(&mut self, found: Found) -> Action {
        if *self.actor != found.actor {
            self.actor = Arc::new(found.actor);
        }
        let wanted = if found.session.is_empty() { &self.whole } else { found.session.as_str() };
        if *self.session != *wanted {
            self.session = wanted.into();
        }
        if *self.surroundings != found.surroundings {
            self.surroundings = Arc::new(found.surroundings);
        }
        let time = found.time.map_or(0, |time| time.0).to_le_bytes();
        let text = found.text.as_bytes();
        let id = match found.native.is_empty() {
            // A log that is rotated keeps its records and changes its name.
            false => action_id(&[self.format.as_bytes(), found.native.as_bytes(), &time, text]),
            true => {
                let place = found.place.offset.to_le_bytes();
                action_id(&[self.format.as_bytes(), file_name(&self.source.file).as_bytes(), &place, &time, text])
            }
        };
        let Place { line, offset } = found.place;
        Action {
            id,
            time: found.time,
            actor: Arc::clone(&self.actor),
            session: Arc::clone(&self.session),
            kind: found.kind,
            text: found.text.into(),
            argv: found.argv.map(Into::into),
            tool: None,
            arguments: None,
            surroundings: Arc::clone(&self.surroundings),
            outcome: found.outcome,
            approved: false,
            gaps: found.gaps,
            origin: Origin { file: Arc::clone(&self.source.file), line, offset, format: self.format },
        }
    }

    /// A record that could not be read.
    pub(super) fn lost(&self, place: Place, problem: impl Into<String>, advice: &str) -> Issue {
        let Place { line, offset } = place;
        let file = Arc::clone(&self.source.file);
        Issue { file, line, offset, problem: problem.into(), advice: advice.to_owned(), lost: true }
    }

    /// Something worth saying that cost no record.
    pub(super) fn note(&self, place: Place, problem: impl Into<String>, advice: &str) -> Issue {
        Issue { lost: false, ..self.lost(place, problem, advice) }
    }

    /// Said once per file whose times have no zone.
    pub(super) fn zone_note(&mut self, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        if std::mem::replace(&mut self.zone_said, true) {
            return ControlFlow::Continue(());
        }
        out.issue(self.note(place, "the time zone of this log is not known, its times are read as UTC", ""))
    }
}

/// A log that is read line by line.
pub(super) trait Log {
    fn line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()>;

    /// The file is at its end.
    fn finish(&mut self, _out: &mut dyn Out) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Reads a file as lines; what was begun is handed out also when the bytes break off.
pub(super) fn read_lines(
    log: &mut dyn Log,
    input: &mut dyn BufRead,
    source: &Source,
    out: &mut dyn Out,
) -> io::Result<()> {
    let mut lines = Lines::new(input);
    let read = loop {
        let flow = match lines.next_line() {
            Ok(Some(line)) if line.cut => out.issue(line.too_long(source)),
            Ok(Some(line)) => {
                let place = Place { line: line.number, offset: line.offset };
                log.line(&String::from_utf8_lossy(line.bytes), place, out)
            }
            end => break end.map(|_| ()),
        };
        if flow.is_break() {
            return Ok(());
        }
    };
    let _ = log.finish(out);
    read
}

/// Picks the objects out of JSON Lines, a list over many lines, or one of them that breaks off.
#[derive(Debug, Default)]
pub(super) struct Objects {
    open: String,
    place: Place,
    depth: u32,
    quoted: bool,
    escaped: bool,
    /// The open one began at the start of a line.
    at_start: bool,
}

impl Objects {
    /// Something was begun and has not ended.
    pub(super) fn is_open(&self) -> bool {
        self.depth > 0
    }

    /// Bytes of the one that has begun.
    pub(super) fn size(&self) -> usize {
        self.open.len()
    }

    /// The objects that end on this line, each with its place.
    pub(super) fn line(&mut self, line: &str, place: Place) -> Vec<(String, Place)> {
        let mut whole = Vec::new();
        // A record that was cut off does not swallow those behind it; one that is spread over lines has members there.
        if self.at_start && line.starts_with('{') && !self.open.starts_with("{\n") {
            whole.extend(self.rest());
        }
        let mut from = 0;
        for (at, byte) in line.bytes().enumerate() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.quoted => self.escaped = true,
                b'"' if self.depth > 0 => self.quoted = !self.quoted,
                _ if self.quoted => {}
                b'{' => {
                    if self.depth == 0 {
                        (from, self.at_start) = (at, at == 0);
                        self.place = Place { line: place.line, offset: place.offset + at as u64 };
                    }
                    self.depth += 1;
                }
                b'}' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        self.open.push_str(&line[from..=at]);
                        whole.push((std::mem::take(&mut self.open), self.place));
                    }
                }
                _ => {}
            }
        }
        if self.depth > 0 {
            self.open.push_str(&line[from..]);
            self.open.push('\n');
            if self.open.len() > MAX_LINE {
                whole.extend(self.rest());
            }
        }
        whole
    }

    /// What was begun when the file ended.
    pub(super) fn rest(&mut self) -> Option<(String, Place)> {
        let Self { open, place, .. } = std::mem::take(self);
        let open = open.trim_end();
        (!open.is_empty()).then(|| (open.to_owned(), place))
    }
}
