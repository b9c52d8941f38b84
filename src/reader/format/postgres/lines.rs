//! Puts the lines of a plain Postgres log together again: messages, their DETAIL and STATEMENT, and the lines within.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::pattern::Pattern;
use super::prefix::{self, Head};
use super::syslog;
use super::words::{Found, Label, Severity};
use super::{Entry, Sessions, zone_note};
use crate::model::{Issue, Timestamp};
use crate::reader::{Out, Source};

/// Processes write in between each other; a message is complete when its process writes the next one, or when this many
/// others have begun.
const MAX_OPEN: usize = 16;
/// A statement longer than this is cut.
const MAX_TEXT: usize = 8 << 20;

/// Takes a log line by line.
#[derive(Debug)]
pub(crate) struct LogLines {
    file: Arc<str>,
    pattern: Option<Pattern>,
    sessions: Sessions,
    /// Messages that may still get a DETAIL or a STATEMENT, oldest first.
    open: VecDeque<Message>,
    /// Messages whose memory is used again.
    spare: Vec<Message>,
    /// Counts messages; `open` holds those from `first` on.
    first: u64,
    /// Where a line without a prefix belongs.
    current: Option<(u64, Part)>,
    /// This log marks continued lines with a TAB, as Postgres does; some copies have lost it.
    tabs: bool,
    syslog: bool,
    /// Every line has something before it that a container's log has added.
    wrapped: bool,
    zone_noted: bool,
    /// The last line was not of this log, and that was said.
    astray: bool,
    /// What a wrapper around the lines says about the server.
    pub(crate) server: String,
    pub(crate) account: String,
}

/// Where a line stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) line: u64,
    pub(crate) offset: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Message,
    Detail,
    Statement,
    Aside,
}

#[derive(Debug, Default)]
struct Message {
    line: u64,
    offset: u64,
    time: Option<Timestamp>,
    started: Option<Timestamp>,
    number: Option<u64>,
    severity: Severity,
    user: String,
    database: String,
    pid: String,
    session: String,
    server: String,
    message: String,
    detail: String,
    statement: String,
    cut: bool,
}

impl LogLines {
    pub(crate) fn new(format: &'static str, source: &Source) -> Self {
        Self {
            file: Arc::clone(&source.file),
            pattern: source.options.log_line_prefix.as_deref().filter(|prefix| !prefix.is_empty()).map(Pattern::new),
            sessions: Sessions::new(format, source),
            open: VecDeque::new(),
            spare: Vec::new(),
            first: 0,
            current: None,
            tabs: false,
            syslog: false,
            wrapped: false,
            zone_noted: false,
            astray: false,
            server: String::new(),
            account: String::new(),
        }
    }

    /// Takes the next line.
    pub(crate) fn line(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let older = if line.starts_with(['<', '1']) { syslog::in_older_form(line) } else { None };
        let line = older.as_deref().unwrap_or(line);
        let line = match prefix::wrapping(line) {
            Some(at) if self.wrapped || self.syslog || prefix::labelled_text(&line[at..]).is_some() => {
                self.wrapped = true;
                &line[at..]
            }
            _ => line,
        };
        // Only a continued line begins with a TAB, whatever it then says: nothing in a statement can pass for a message.
        if let Some(rest) = line.strip_prefix('\t') {
            self.tabs = true;
            return self.continue_with(rest, true, place, out);
        }
        let read = self.pattern.as_ref().and_then(|pattern| pattern.read(line)).or_else(|| prefix::guess(line));
        if (self.syslog || read.is_none())
            && let Some(piece) = prefix::later_piece(line)
        {
            // Every line of a message has a piece number, those with a label of their own as well; but what comes
            // after a TAB is text, whatever it says.
            let text = line[piece..].starts_with(['\t', '#']) && read.is_none_or(|(_, found)| found.start >= piece);
            if text || read.is_none() {
                return self.continue_piece(line, piece, place, out);
            }
        }
        let Some((head, found)) = read else {
            return self.unlabelled(line, place, out);
        };
        self.astray = false;
        self.syslog |= head.syslog;
        if head.zone_guessed && !self.zone_noted {
            self.zone_noted = true;
            out.issue(zone_note(&self.file, place.line, place.offset))?;
        }
        let text = &line[found.text..];
        let text = if self.syslog && head.number.is_some() { syslog::unescaped(text) } else { Cow::Borrowed(text) };
        self.labelled(&head, found, &text, place, out)
    }

    /// Hands over everything that was not complete yet.
    pub(crate) fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        while !self.open.is_empty() {
            self.close_first(out)?;
        }
        self.sessions.finish(out)
    }

    fn labelled(
        &mut self,
        head: &Head<'_>,
        found: Found,
        text: &str,
        place: Place,
        out: &mut dyn Out,
    ) -> ControlFlow<()> {
        let (severity, part) = match found.label {
            Label::Message(severity) => (severity, Part::Message),
            Label::Detail => (Severity::Lesser, Part::Detail),
            Label::Statement => (Severity::Lesser, Part::Statement),
            Label::Aside => (Severity::Lesser, Part::Aside),
        };
        if part != Part::Message {
            if let Some(at) = self.find(head) {
                self.current = Some((self.first + at as u64, part));
                self.append(text, true);
                return ControlFlow::Continue(());
            }
            // The message stands in the log before this one. What was run is known all the same.
            if part != Part::Statement {
                self.current = None;
                out.nothing();
                return ControlFlow::Continue(());
            }
        }
        match self.find(head) {
            Some(at) => {
                for _ in 0..=at {
                    self.close_first(out)?;
                }
            }
            None if self.open.len() >= MAX_OPEN || head.pid.is_empty() && head.session.is_empty() => {
                while self.open.len() >= MAX_OPEN || head.pid.is_empty() && !self.open.is_empty() {
                    self.close_first(out)?;
                }
            }
            None => {}
        }
        let mut message = self.spare.pop().unwrap_or_default();
        message.begin(head, severity, place, &self.server);
        self.open.push_back(message);
        self.current = Some((self.first + self.open.len() as u64 - 1, part));
        self.append(text, false);
        ControlFlow::Continue(())
    }

    /// The open message of the process that wrote `head`.
    fn find(&self, head: &Head<'_>) -> Option<usize> {
        if head.pid.is_empty() && head.session.is_empty() {
            return self.open.len().checked_sub(1);
        }
        self.open.iter().rposition(|message| message.pid == head.pid && message.session == head.session)
    }

    /// A line without prefix and label.
    fn unlabelled(&mut self, line: &str, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        // Empty lines in a statement have their TAB; these were put between messages by a person or a shell.
        if line.trim().is_empty() {
            return ControlFlow::Continue(());
        }
        let continued = !self.tabs || line.starts_with(' ');
        if continued && self.current.is_some() {
            return self.continue_with(line, true, place, out);
        }
        self.lose(place, "a line that is not of a Postgres log", out)
    }

    fn continue_with(&mut self, text: &str, newline: bool, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        if self.current.is_none() {
            return self.lose(place, "the rest of a message whose start is not in this file", out);
        }
        if newline {
            self.append("\n", false);
        }
        self.append(text, false);
        ControlFlow::Continue(())
    }

    /// A later piece of a message that syslog has split at a line's end or after some nine hundred bytes.
    fn continue_piece(&mut self, line: &str, piece: usize, place: Place, out: &mut dyn Out) -> ControlFlow<()> {
        let head = prefix::look(&line[..piece]);
        self.syslog = true;
        match self.open.iter().rposition(|message| message.pid == head.pid) {
            Some(at) if self.current.is_none_or(|(current, _)| current != self.first + at as u64) => {
                self.current = Some((self.first + at as u64, self.open[at].part()));
            }
            Some(_) => {}
            None => self.current = None,
        }
        let text = &line[piece..];
        let broken = text.strip_prefix("#011").or_else(|| text.strip_prefix('\t'));
        self.tabs |= broken.is_some();
        // Some daemons write a TAB as spaces; where they do not, two spaces are where a long line was cut.
        let spaces = !self.tabs && text.starts_with("  ");
        self.continue_with(&syslog::unescaped(broken.unwrap_or(text)), broken.is_some() || spaces, place, out)
    }

    /// Says once per run of lines that they are left out.
    fn lose(&mut self, place: Place, problem: &str, out: &mut dyn Out) -> ControlFlow<()> {
        if std::mem::replace(&mut self.astray, true) {
            return ControlFlow::Continue(());
        }
        out.issue(Issue {
            file: Arc::clone(&self.file),
            line: place.line,
            offset: place.offset,
            problem: problem.into(),
            advice: "give `log_line_prefix` as the server has it, if this is its log".into(),
            lost: true,
        })
    }

    fn append(&mut self, text: &str, begins: bool) {
        let Some((at, part)) = self.current else { return };
        let index = at.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        let Some(message) = index.and_then(|index| self.open.get_mut(index)) else {
            self.current = None;
            return;
        };
        let field = match part {
            Part::Message => &mut message.message,
            Part::Detail => &mut message.detail,
            Part::Statement => &mut message.statement,
            Part::Aside => return,
        };
        if begins {
            field.clear();
        }
        let room = MAX_TEXT.saturating_sub(field.len());
        let mut end = text.len().min(room);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        field.push_str(&text[..end]);
        message.cut |= end < text.len();
    }

    fn close_first(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        let Some(message) = self.open.pop_front() else { return ControlFlow::Continue(()) };
        self.first += 1;
        let flow = self.sessions.take(&message.entry(&self.account), out);
        if self.spare.len() < MAX_OPEN && message.message.capacity() < 1 << 16 && message.statement.capacity() < 1 << 16
        {
            self.spare.push(message);
        }
        flow
    }
}

impl Message {
    fn begin(&mut self, head: &Head<'_>, severity: Severity, place: Place, server: &str) {
        let server = if head.server.is_empty() { server } else { head.server };
        for (field, value) in [
            (&mut self.user, head.user),
            (&mut self.database, head.database),
            (&mut self.pid, head.pid),
            (&mut self.session, head.session),
            (&mut self.server, server),
            (&mut self.message, ""),
            (&mut self.detail, ""),
            (&mut self.statement, ""),
        ] {
            field.clear();
            field.push_str(value);
        }
        (self.line, self.offset, self.severity, self.cut) = (place.line, place.offset, severity, false);
        (self.time, self.started, self.number) = (head.time, head.started, head.number);
    }

    /// The part that was written last.
    fn part(&self) -> Part {
        match (self.statement.is_empty(), self.detail.is_empty()) {
            (false, _) => Part::Statement,
            (true, false) => Part::Detail,
            (true, true) => Part::Message,
        }
    }

    fn entry<'a>(&'a self, account: &'a str) -> Entry<'a> {
        Entry {
            line: self.line,
            offset: self.offset,
            time: self.time,
            severity: self.severity,
            user: &self.user,
            database: &self.database,
            pid: &self.pid,
            session: &self.session,
            started: self.started,
            number: self.number,
            message: &self.message,
            detail: &self.detail,
            statement: &self.statement,
            server: &self.server,
            account,
            cut: self.cut,
        }
    }
}
