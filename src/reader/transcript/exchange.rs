//! Recorded requests to a model and its answers: bodies of the chat interfaces, one per line or one document, as a
//! stream of events, or inside the envelope of whoever logged them.

mod stream;

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;

use self::stream::Stream;
use super::calls::moment;
use super::document::{Document, is_document};
use super::line::{At, each_line};
use super::loose::{List, Loose, Word};
use super::place::Places;
use super::said::Said;
use super::talk::{Talk, file_session};
use super::told::{opening, whole};
use crate::reader::record::action_id;
use crate::reader::{Out, Source};

/// Envelopes in envelopes are opened so many times.
const DEPTH: usize = 5;

/// A body, or what it is wrapped in. Everything may be missing or of another shape.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Body<'a> {
    #[serde(borrow, rename = "type")]
    kind: Word<'a>,
    #[serde(borrow)]
    role: Word<'a>,
    #[serde(borrow)]
    messages: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    #[serde(borrow)]
    items: Option<&'a RawValue>,
    #[serde(borrow)]
    choices: List<Choice<'a>>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    request: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    session_id: Word<'a>,
    #[serde(borrow)]
    conversation_id: Word<'a>,
    #[serde(borrow)]
    thread_id: Word<'a>,
    #[serde(borrow)]
    conversation: Loose<Named<'a>>,
    #[serde(borrow)]
    metadata: Loose<Named<'a>>,
    #[serde(borrow)]
    created: Word<'a>,
    #[serde(borrow)]
    created_at: Word<'a>,
    #[serde(borrow)]
    timestamp: Word<'a>,
    #[serde(borrow)]
    cwd: Word<'a>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Choice<'a> {
    #[serde(borrow)]
    message: Option<&'a RawValue>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Named<'a> {
    #[serde(borrow)]
    id: Word<'a>,
    #[serde(borrow)]
    session_id: Word<'a>,
    #[serde(borrow)]
    conversation_id: Word<'a>,
}

impl Body<'_> {
    fn session(&self) -> Option<&str> {
        let own = [&self.session_id, &self.conversation_id, &self.thread_id].into_iter().find_map(Word::get);
        own.or_else(|| self.conversation.0.as_ref()?.id.get()).or_else(|| {
            let metadata = self.metadata.0.as_ref()?;
            metadata.session_id.get().or(metadata.conversation_id.get())
        })
    }
}

/// Reads bodies one after the other.
pub(crate) struct Exchange<'o> {
    talk: Talk<'o>,
    stem: String,
    /// The conversations so far: what was said in them to their end, and what they are called.
    known: HashMap<u64, (String, usize)>,
    conversations: usize,
    stream: Stream,
    named: bool,
}

impl<'o> Exchange<'o> {
    pub(crate) fn new(source: &Source, format: &'static str, actor: &str, out: &'o mut dyn Out) -> Self {
        let talk = Talk::new(source, format, actor, out);
        let stem = file_session(source);
        Self { talk, stem, known: HashMap::new(), conversations: 0, stream: Stream::default(), named: false }
    }

    pub(crate) fn read(mut self, input: &mut dyn BufRead) -> io::Result<()> {
        let read = if is_document(input.fill_buf()?) {
            self.document(input)
        } else {
            each_line(input, &mut |text, at| match text {
                Some(text) => self.line(text, at),
                None => self.talk.calls.too_long(at),
            })
        };
        let rest = self.stream.flush();
        let _ = self.streamed(rest);
        self.talk.finish();
        read
    }

    fn document(&mut self, input: &mut dyn BufRead) -> io::Result<()> {
        let Some(document) = Document::read(input) else {
            let _ = self.talk.calls.too_long(At::default());
            return Ok(());
        };
        let text = document.text();
        let whole: Result<&RawValue, _> = serde_json::from_str(text);
        match whole {
            Ok(value) if text.trim_start().starts_with('{') => {
                let at = At { line: 1, offset: 0 };
                let _ = self.value(value, &mut Places::new(text, at), 0);
            }
            _ => {
                let lists = ["messages", "input", "output", "items", "data"];
                let read = document
                    .each(&lists, &mut |element, at| self.value(element, &mut Places::new(element.get(), at), 0));
                if let Err(error) = read {
                    let _ = self.talk.calls.unreadable(At { line: error.line() as u64, offset: 0 }, &error);
                }
            }
        }
        document.broke.map_or(Ok(()), Err)
    }

    fn line(&mut self, text: &str, at: At) -> ControlFlow<()> {
        // Events of a stream: the data is what matters, its name and comments are not.
        let text = match text.strip_prefix("data:") {
            Some(data) => data.trim(),
            None if text.starts_with(':') || text.starts_with("event:") || text.starts_with("id:") => {
                return self.talk.calls.nothing();
            }
            None => text,
        };
        if text == "[DONE]" {
            let rest = self.stream.flush();
            self.talk.calls.nothing()?;
            return self.streamed(rest);
        }
        let value: &RawValue = match self.talk.calls.record(text, at) {
            Ok(value) => value,
            Err(flow) => return flow,
        };
        self.value(value, &mut Places::new(text, at), 0)
    }

    /// A body, an envelope with one inside, an event of a stream, or a message.
    fn value(&mut self, value: &RawValue, places: &mut Places<'_>, depth: usize) -> ControlFlow<()> {
        let text = value.get();
        if text.starts_with('[') && depth < DEPTH {
            let values: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
            return values.into_iter().try_for_each(|value| self.value(value, places, depth + 1));
        }
        let at = places.of(value);
        if !text.starts_with('{') {
            return self.talk.calls.nothing();
        }
        if let Some(found) = self.stream.take(text, at) {
            self.talk.calls.nothing()?;
            return self.streamed(found);
        }
        let body: Body<'_> = match serde_json::from_str(text) {
            Ok(body) => body,
            Err(error) => return self.talk.calls.unreadable(at, &error),
        };
        let inner = [body.request, body.params, body.data, body.body, body.response, body.result];
        let said = body.messages.is_some() || !body.choices.0.is_empty();
        let when = [&body.timestamp, &body.created_at, &body.created].into_iter().find_map(|time| moment(time.text()));
        if when.is_some() {
            self.talk.time = when;
        }
        if let Some(session) = body.session() {
            self.named = true;
            self.talk.begin(session);
        }
        self.talk.go_to(body.cwd.get());
        if said {
            return self.body(&body, places);
        }
        // The output of a response, or the items of a conversation; a call's own input and output are no lists of items.
        let is_item = !body.role.text().is_empty() || !body.kind.text().is_empty() && body.kind.text() != "response";
        let items =
            [body.input, body.items, body.output].into_iter().flatten().filter(|list| list.get().starts_with('['));
        let items: Vec<&RawValue> = if is_item { Vec::new() } else { items.collect() };
        if !items.is_empty() {
            for (number, list) in items.into_iter().enumerate() {
                let list: Vec<&RawValue> = serde_json::from_str(list.get()).unwrap_or_default();
                if number == 0 && body.input.is_some() {
                    self.history(&list, places)?;
                } else {
                    self.spoken(&list, places)?;
                }
            }
            return ControlFlow::Continue(());
        }
        if is_item && body.role.text().is_empty() && body.message.is_none() || !body.role.text().is_empty() {
            return self.spoken(&[value], places);
        }
        if let Some(message) = body.message.filter(|message| message.get().starts_with('{')) {
            return self.spoken(&[message], places);
        }
        let mut any = false;
        for inner in inner.into_iter().flatten().filter(|_| depth < DEPTH) {
            let first = inner.get().as_bytes().first();
            if matches!(first, Some(b'{' | b'[')) {
                any = true;
                self.value(inner, places, depth + 1)?;
            } else if let Some(text) = whole(Some(inner)).filter(|text| text.trim_start().starts_with('{'))
                && let Ok(value) = serde_json::from_str::<&RawValue>(&text)
            {
                any = true;
                self.value(value, &mut Places::new("", at), depth + 1)?;
            }
        }
        if any { ControlFlow::Continue(()) } else { self.talk.calls.nothing() }
    }

    fn body(&mut self, body: &Body<'_>, places: &mut Places<'_>) -> ControlFlow<()> {
        if let Some(messages) = body.messages {
            let messages: Vec<&RawValue> = serde_json::from_str(messages.get()).unwrap_or_default();
            self.history(&messages, places)?;
        }
        let before = self.talk.position;
        for choice in &body.choices.0 {
            // Several answers to one question stand at one place.
            self.talk.position = before;
            if let Some(message) = choice.message {
                let at = places.of(message);
                self.talk.element(message, at)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// A request has the whole conversation in it: what was said in one before is known already.
    fn history(&mut self, messages: &[&RawValue], places: &mut Places<'_>) -> ControlFlow<()> {
        let mut hash = 0_u64;
        let mut known = None;
        for (number, message) in messages.iter().enumerate() {
            hash = extend(hash, message);
            if let Some((session, length)) = self.known.get(&hash).filter(|(_, length)| *length == number + 1) {
                known = Some((hash, session.clone(), *length));
            }
        }
        let mut heard = 0;
        if let Some((end, session, length)) = known {
            self.known.remove(&end);
            heard = length;
            if !self.named {
                self.talk.begin(&session);
            }
        } else if !self.named {
            self.conversations += 1;
            let session = match self.conversations {
                1 => self.stem.clone(),
                number => format!("{}#{number}", self.stem),
            };
            self.talk.begin(&session);
        }
        self.talk.position = heard;
        for message in messages.iter().skip(heard) {
            let at = places.of(message);
            self.talk.element(message, at)?;
        }
        if heard > 0 {
            self.talk.calls.nothing()?;
        }
        self.known.insert(hash, (self.talk.voice.session.to_string(), messages.len()));
        ControlFlow::Continue(())
    }

    /// Messages that follow those before.
    fn spoken(&mut self, messages: &[&RawValue], places: &mut Places<'_>) -> ControlFlow<()> {
        for message in messages {
            let at = places.of(message);
            self.talk.element(message, at)?;
        }
        ControlFlow::Continue(())
    }

    fn streamed(&mut self, calls: Vec<stream::Whole>) -> ControlFlow<()> {
        calls.into_iter().try_for_each(|call| {
            self.talk.position += 1;
            self.talk.one(&call.id, &call.tool, &call.arguments, call.at)
        })
    }
}

/// What tells one conversation from another: who said what, and which calls are in it. Marks for the cache that move from
/// request to request are not.
fn extend(hash: u64, message: &RawValue) -> u64 {
    let said: Said<'_> = serde_json::from_str(message.get()).unwrap_or_default();
    let calls: Vec<&str> = said.tool_calls.0.iter().map(|call| call.id.text()).collect();
    let blocks: List<Said<'_>> =
        said.content.and_then(|content| serde_json::from_str(content.get()).ok()).unwrap_or_default();
    let blocks: Vec<&str> = blocks.0.iter().flat_map(|block| [block.id.text(), block.call_id()]).collect();
    let words = opening(said.content);
    let hash = hash.to_le_bytes();
    let parts: Vec<&[u8]> = [&hash[..], said.role.text().as_bytes(), said.call_id().as_bytes()]
        .into_iter()
        .chain([words.as_bytes()])
        .chain(calls.into_iter().chain(blocks).map(str::as_bytes))
        .collect();
    action_id(&parts).0
}
