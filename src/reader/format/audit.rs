//! What the audit logs of clouds and clusters have in common: records one a line, in lists, and in the envelopes that
//! the services between them and a file put around them.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::model::{
    Action, Actor, ActorKind, Executed, Gap, GapKind, Hides, Issue, Kind, Origin, Outcome, Surroundings, Timestamp,
};
use crate::reader::record::action_id;
use crate::reader::transcript::{At, Document, each_line, is_document};
use crate::reader::{Out, Sample, Source};

/// Envelopes within envelopes beyond this are not opened.
const DEEPEST: usize = 5;
/// Calls of which only one part is told yet are held back, at most so many.
const MOST_OPEN: usize = 4_096;
/// So much of a sample's start is looked at to tell one log from another.
const TELLING: usize = 16 << 10;

/// The lists that a file of one document keeps its records in.
const LISTS: &[&str] = &["Records", "Events", "events", "logEvents", "items", "records", "value", "entries", "rows"];

/// Takes one record in its envelope, or says why there is none.
type Each<'f> = dyn FnMut(Result<&str, String>, At) -> ControlFlow<()> + 'f;

/// Hands every record of a file to `each`, still in its envelope: lines, the elements of a list, or the one there is.
pub(super) fn each_record(input: &mut dyn BufRead, each: &mut Each<'_>) -> io::Result<()> {
    let head = input.fill_buf()?;
    let start = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let listed = LISTS
        .iter()
        .any(|list| start.get(1..).unwrap_or_default().trim_ascii_start().starts_with(quoted(list).as_bytes()));
    if !(is_document(head) || start.starts_with(b"{") && listed) {
        return each_line(input, &mut |text, at| {
            let Some(text) = text else { return each(Err("a line is too long".to_owned()), at) };
            each(Ok(text), at)
        });
    }
    let Some(document) = Document::read(input) else {
        let _ = each(Err("the document is too long to be read whole".to_owned()), At::default());
        return Ok(());
    };
    let mut count = 0u64;
    let read = document.each(LISTS, &mut |element, at| {
        count += 1;
        each(Ok(element.get()), at)
    });
    let Err(error) = read else {
        if count == 0 {
            let _ = each(Ok(document.text()), At { line: 1, offset: 0 });
        }
        return document.broke.map_or(Ok(()), Err);
    };
    if count == 0 {
        // Documents one after the other, as `jq .` prints them.
        return each_document(document.text(), each);
    }
    let at = At { line: error.line() as u64, offset: 0 };
    let _ = each(Err(format!("the document breaks off: {error}")), at);
    document.broke.map_or(Ok(()), Err)
}

fn each_document(text: &str, each: &mut Each<'_>) -> io::Result<()> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let (mut line, mut counted) = (1, 0);
    while let Some(value) = values.next() {
        let start = text.as_ptr() as usize;
        let offset = value.as_ref().map_or(values.byte_offset(), |value| value.get().as_ptr() as usize - start);
        line += memchr::memchr_iter(b'\n', text.as_bytes().get(counted..offset).unwrap_or_default()).count() as u64;
        counted = counted.max(offset);
        let at = At { line, offset: offset as u64 };
        let flow = match &value {
            Ok(value) => each(Ok(value.get()), at),
            Err(error) => each(Err(format!("the document breaks off: {error}")), at),
        };
        if flow.is_break() || value.is_err() {
            break;
        }
    }
    Ok(())
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// What the envelopes say about where a record comes from.
#[derive(Clone, Debug, Default)]
pub(super) struct Outside {
    /// The group of logs, or the resource, that the record was kept under.
    pub(super) place: String,
}

/// What the services between a log and a file put around a record.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Envelope<'a> {
    /// EventBridge.
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
    /// CloudWatch, its queries, and most forwarders.
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow, rename = "@message")]
    at_message: Option<&'a RawValue>,
    #[serde(borrow)]
    log: Option<&'a RawValue>,
    #[serde(borrow)]
    properties: Option<&'a RawValue>,
    /// `lookup-events`.
    #[serde(borrow, rename = "CloudTrailEvent")]
    looked_up: Option<&'a RawValue>,
    /// CloudTrail Lake.
    #[serde(borrow, rename = "eventJson")]
    lake: Option<&'a RawValue>,
    /// Microsoft 365.
    #[serde(borrow, rename = "AuditData")]
    audit_data: Option<&'a RawValue>,
    /// Elasticsearch, Splunk.
    #[serde(borrow, rename = "_source")]
    source: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow, rename = "_raw")]
    raw: Option<&'a RawValue>,
    #[serde(borrow, rename = "jsonPayload")]
    payload: Option<&'a RawValue>,
    #[serde(
        borrow,
        rename = "Records",
        alias = "Events",
        alias = "logEvents",
        alias = "events",
        alias = "items",
        alias = "records",
        alias = "value"
    )]
    records: Option<&'a RawValue>,
    #[serde(borrow, rename = "logGroup", alias = "log_group", alias = "@log", alias = "logGroupName")]
    group: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "resourceId")]
    resource: Option<Cow<'a, str>>,
}

/// Opens the envelopes around the records in `text` and hands each to `each`, which says whether it is one. `false` when
/// there was none.
pub(super) fn open(
    text: &str,
    outside: &Outside,
    each: &mut dyn FnMut(&str, &Outside) -> Option<ControlFlow<()>>,
) -> (bool, ControlFlow<()>) {
    opened(text, outside, 0, each)
}

fn opened(
    text: &str,
    outside: &Outside,
    depth: usize,
    each: &mut dyn FnMut(&str, &Outside) -> Option<ControlFlow<()>>,
) -> (bool, ControlFlow<()>) {
    if let Some(flow) = each(text, outside) {
        return (true, flow);
    }
    let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(text) else {
        return (false, ControlFlow::Continue(()));
    };
    if depth >= DEEPEST {
        return (false, ControlFlow::Continue(()));
    }
    let place = envelope.group.or(envelope.resource).map_or_else(|| outside.place.clone(), Cow::into_owned);
    let outside = Outside { place };
    let inner = [
        envelope.detail,
        envelope.looked_up,
        envelope.lake,
        envelope.audit_data,
        envelope.message,
        envelope.at_message,
        envelope.log,
        envelope.properties,
        envelope.source,
        envelope.result,
        envelope.raw,
        envelope.payload,
        envelope.records,
    ];
    let mut any = false;
    for value in inner.into_iter().flatten() {
        let text = value.get();
        let (found, flow) = match text.as_bytes().first() {
            Some(b'{') => opened(text, &outside, depth + 1, each),
            Some(b'"') => match serde_json::from_str::<String>(text) {
                Ok(text) if text.trim_start().starts_with('{') => opened(&text, &outside, depth + 1, each),
                _ => (false, ControlFlow::Continue(())),
            },
            Some(b'[') => {
                let mut found = (false, ControlFlow::Continue(()));
                for item in serde_json::from_str::<Vec<&RawValue>>(text).unwrap_or_default() {
                    let (is, flow) = opened(item.get(), &outside, depth + 1, each);
                    found.0 |= is;
                    if flow.is_break() {
                        return (true, flow);
                    }
                }
                found
            }
            _ => (false, ControlFlow::Continue(())),
        };
        any |= found;
        if flow.is_break() {
            return (true, flow);
        }
        if found {
            break;
        }
    }
    (any, ControlFlow::Continue(()))
}

/// The start of a sample without the backslashes of strings within strings, so that marks are found in envelopes too.
pub(super) fn telling(sample: &Sample<'_>) -> Option<String> {
    let head = sample.head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sample.head).trim_ascii_start();
    if !matches!(head.first(), Some(b'{' | b'[')) {
        return None;
    }
    let head = String::from_utf8_lossy(head.get(..TELLING).unwrap_or(head));
    Some(head.chars().filter(|letter| !matches!(letter, '\\' | ' ' | '\n' | '\r' | '\t')).collect())
}

/// One call as it was found.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) format: &'static str,
    /// What tells this record from every other of its kind.
    pub(super) id: &'a str,
    pub(super) time: Option<Timestamp>,
    pub(super) actor: Actor,
    pub(super) session: String,
    pub(super) tool: String,
    pub(super) arguments: Map<String, Value>,
    pub(super) surroundings: Surroundings,
    pub(super) outcome: Outcome,
    pub(super) gaps: Vec<Gap>,
}

/// Where the actions of one file go.
#[derive(Debug)]
pub(super) struct Shelf<'s> {
    pub(super) source: &'s Source,
    actors: Option<Arc<Actor>>,
    surroundings: Option<Arc<Surroundings>>,
    session: Arc<str>,
}

impl<'s> Shelf<'s> {
    pub(super) fn new(source: &'s Source) -> Self {
        Self { source, actors: None, surroundings: None, session: source.session() }
    }

    pub(super) fn put(&mut self, found: Found<'_>, at: At, out: &mut dyn Out) -> ControlFlow<()> {
        let action = self.action(found, at);
        out.action(action)
    }

    pub(super) fn action(&mut self, found: Found<'_>, at: At) -> Action {
        let arguments = (!found.arguments.is_empty()).then(|| Value::Object(found.arguments).to_string());
        let text = match &arguments {
            Some(arguments) => format!("{} {arguments}", found.tool),
            None => found.tool.clone(),
        };
        // Neighbouring records are mostly of the same actor in the same place.
        let actor = match self.actors.take() {
            Some(before) if *before == found.actor => before,
            _ => Arc::new(found.actor),
        };
        let surroundings = match self.surroundings.take() {
            Some(before) if *before == found.surroundings => before,
            _ => Arc::new(found.surroundings),
        };
        self.actors = Some(Arc::clone(&actor));
        self.surroundings = Some(Arc::clone(&surroundings));
        let session = if found.session.is_empty() { Arc::clone(&self.session) } else { Arc::from(found.session) };
        let line = at.line.to_string();
        let id = if found.id.is_empty() {
            action_id(&[found.format.as_bytes(), self.source.session().as_bytes(), line.as_bytes(), text.as_bytes()])
        } else {
            action_id(&[found.format.as_bytes(), found.id.as_bytes()])
        };
        Action {
            id,
            time: found.time,
            actor,
            session,
            kind: Kind::Api,
            text: Arc::from(text),
            argv: None,
            tool: Some(Arc::from(found.tool)),
            arguments: arguments.map(Arc::from),
            surroundings,
            outcome: found.outcome,
            approved: false,
            gaps: found.gaps,
            origin: Origin {
                file: Arc::clone(&self.source.file),
                line: at.line,
                offset: at.offset,
                format: found.format,
            },
        }
    }

    pub(super) fn lost(&self, at: At, problem: impl Into<String>, out: &mut dyn Out) -> ControlFlow<()> {
        out.issue(Issue {
            file: Arc::clone(&self.source.file),
            line: at.line,
            offset: at.offset,
            problem: problem.into(),
            advice: String::new(),
            lost: true,
        })
    }
}

/// How a call ended that was let through and carried out.
pub(super) fn went_well() -> Outcome {
    Outcome { executed: Executed::Yes, succeeded: Some(true), ..Outcome::default() }
}

/// How a call ended that the server refused: nothing happened.
pub(super) fn refused(why: &str) -> Outcome {
    let output = (!why.is_empty()).then(|| Outcome::kept(why));
    Outcome { executed: Executed::No, succeeded: Some(false), output, ..Outcome::default() }
}

pub(super) fn gap(kind: GapKind, hides: Hides, detail: impl Into<String>) -> Gap {
    Gap { kind, hides, span: None, detail: detail.into() }
}

pub(super) fn actor(name: impl Into<String>, kind: ActorKind) -> Actor {
    Actor { name: name.into(), kind, groups: Vec::new() }
}

/// A JSON object, or an empty one.
pub(super) fn object(raw: Option<&RawValue>) -> Map<String, Value> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

/// Which part of what happened a record tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    /// What was asked for.
    Start,
    /// How it ended.
    End,
}

/// Records that tell of one call twice become one action, in the order of their starts: what is told to its end waits
/// for what stands before it.
#[derive(Debug)]
pub(super) struct Pairs {
    /// An end tells enough to stand alone.
    alone: bool,
    /// An end says all that the start said.
    replaces: bool,
    open: VecDeque<Open>,
}

#[derive(Debug)]
struct Open {
    action: Action,
    /// The part that there is; `Whole` when nothing is missing.
    part: Part,
}

impl Pairs {
    pub(super) fn new(alone: bool, replaces: bool) -> Self {
        Self { alone, replaces, open: VecDeque::new() }
    }

    pub(super) fn take(&mut self, action: Action, part: Part, out: &mut dyn Out) -> ControlFlow<()> {
        let settled = part == Part::Whole || part == Part::End && self.alone;
        if settled && self.open.is_empty() {
            return out.action(action);
        }
        let other = self.open.iter_mut().find(|open| open.action.id == action.id && open.part != Part::Whole);
        match other {
            Some(open) if open.part != part => {
                let (start, end) =
                    if part == Part::End { (open.action.clone(), action) } else { (action, open.action.clone()) };
                // It stands where it was first told of.
                let origin = open.action.origin.clone();
                let whole = if self.replaces { end } else { Action { outcome: end.outcome, ..start } };
                *open = Open { action: Action { origin, ..whole }, part: Part::Whole };
            }
            Some(_) => {}
            None => self.open.push_back(Open { action, part: if settled { Part::Whole } else { part } }),
        }
        self.flush(MOST_OPEN, out)
    }

    /// Hands out what nobody told the rest of.
    pub(super) fn finish(&mut self, out: &mut dyn Out) -> ControlFlow<()> {
        self.flush(0, out)
    }

    fn flush(&mut self, most: usize, out: &mut dyn Out) -> ControlFlow<()> {
        while self.open.len() > most || self.open.front().is_some_and(|open| open.part == Part::Whole) {
            let Some(first) = self.open.pop_front() else { break };
            out.action(first.action)?;
        }
        ControlFlow::Continue(())
    }
}
