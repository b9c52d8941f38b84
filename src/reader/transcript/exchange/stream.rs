//! Calls that arrive in pieces: the events of a streamed answer, put together again.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::line::{At, has};
use super::super::loose::{List, Loose, Word};

/// A call that is complete.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) id: String,
    pub(super) tool: String,
    pub(super) arguments: String,
    pub(super) at: At,
}

/// The calls whose pieces are coming in, by the place in the answer that they have.
#[derive(Debug, Default)]
pub(super) struct Stream {
    open: BTreeMap<(u64, u64), Whole>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Event<'a> {
    #[serde(borrow, rename = "type")]
    kind: Word<'a>,
    #[serde(borrow)]
    index: Word<'a>,
    #[serde(borrow)]
    choices: List<Choice<'a>>,
    #[serde(borrow)]
    content_block: Loose<Piece<'a>>,
    #[serde(borrow)]
    delta: Loose<Delta<'a>>,
    #[serde(borrow)]
    item: Loose<Piece<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Choice<'a> {
    #[serde(borrow)]
    index: Word<'a>,
    #[serde(borrow)]
    delta: Loose<Delta<'a>>,
    #[serde(borrow)]
    finish_reason: Word<'a>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Delta<'a> {
    #[serde(borrow)]
    partial_json: Word<'a>,
    #[serde(borrow)]
    tool_calls: List<Piece<'a>>,
    #[serde(borrow)]
    function_call: Loose<Function<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Piece<'a> {
    #[serde(borrow)]
    index: Word<'a>,
    #[serde(borrow, rename = "type")]
    kind: Word<'a>,
    #[serde(borrow)]
    id: Word<'a>,
    #[serde(borrow)]
    call_id: Word<'a>,
    #[serde(borrow)]
    name: Word<'a>,
    #[serde(borrow)]
    arguments: Word<'a>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    function: Loose<Function<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Function<'a> {
    #[serde(borrow)]
    name: Word<'a>,
    #[serde(borrow)]
    arguments: Word<'a>,
}

impl Stream {
    /// The calls that are whole with this event; `None` when it is no event of a stream.
    pub(super) fn take(&mut self, text: &str, at: At) -> Option<Vec<Whole>> {
        let bytes = text.as_bytes();
        let chunk = has(bytes, "\"delta\"") || has(bytes, "\"content_block");
        let item = has(bytes, "\"response.");
        if !(chunk || item || has(bytes, "\"message_st") || has(bytes, "\"message_delta\"")) {
            return None;
        }
        let event: Event<'_> = serde_json::from_str(text).ok()?;
        let place = |index: &Word<'_>| index.text().parse().unwrap_or(0);
        match event.kind.text() {
            "message_start" | "message_delta" | "message_stop" | "ping" => Some(self.flush()),
            "content_block_start" => {
                let block = event.content_block.0.unwrap_or_default();
                if block.kind.text().ends_with("tool_use") {
                    // What stands here is empty, unless the whole input came at once.
                    let whole = block.input.map(|input| input.get()).filter(|input| *input != "{}");
                    let arguments = whole.unwrap_or_default().to_owned();
                    let (id, tool) = (block.id.text().to_owned(), block.name.text().to_owned());
                    self.open.insert((0, place(&event.index)), Whole { id, tool, arguments, at });
                }
                Some(Vec::new())
            }
            "content_block_delta" => {
                let delta = event.delta.0.unwrap_or_default();
                if let Some(call) = self.open.get_mut(&(0, place(&event.index))) {
                    call.arguments.push_str(delta.partial_json.text());
                }
                Some(Vec::new())
            }
            "content_block_stop" => {
                let call = self.open.remove(&(0, place(&event.index)));
                Some(call.map(Whole::closed).into_iter().collect())
            }
            // All other events of this stream tell the same in pieces, or once more.
            "response.output_item.done" => {
                let item = event.item.0.unwrap_or_default();
                let call = matches!(item.kind.text(), "function_call" | "custom_tool_call").then(|| {
                    let stated = item.arguments.get().map(str::to_owned);
                    let arguments = stated.or_else(|| item.input.map(|input| input.get().to_owned()));
                    let id = item.call_id.get().or(item.id.get()).unwrap_or_default().to_owned();
                    Whole { id, tool: item.name.text().to_owned(), arguments: arguments.unwrap_or_default(), at }
                });
                Some(call.map(Whole::closed).into_iter().collect())
            }
            // The whole response: read as such.
            "response.completed" | "response.incomplete" => None,
            kind if kind.starts_with("response.") => Some(Vec::new()),
            _ if event.choices.0.iter().any(|choice| choice.delta.0.is_some()) => Some(self.chunk(&event, at)),
            _ => None,
        }
    }

    fn chunk(&mut self, event: &Event<'_>, at: At) -> Vec<Whole> {
        let place = |index: &Word<'_>| index.text().parse().unwrap_or(0);
        let mut done = Vec::new();
        for choice in &event.choices.0 {
            let number = place(&choice.index);
            let delta = choice.delta.0.as_ref();
            for piece in delta.map(|delta| &delta.tool_calls.0[..]).unwrap_or_default() {
                let new = || Whole { id: String::new(), tool: String::new(), arguments: String::new(), at };
                let call = self.open.entry((number, place(&piece.index))).or_insert_with(new);
                call.id.push_str(piece.id.get().filter(|id| *id != call.id).unwrap_or_default());
                if let Some(function) = &piece.function.0 {
                    call.tool.push_str(function.name.text());
                    call.arguments.push_str(function.arguments.text());
                }
            }
            if let Some(function) = delta.and_then(|delta| delta.function_call.0.as_ref()) {
                let new = || Whole { id: String::new(), tool: String::new(), arguments: String::new(), at };
                let call = self.open.entry((number, 0)).or_insert_with(new);
                call.tool.push_str(function.name.text());
                call.arguments.push_str(function.arguments.text());
            }
            if choice.finish_reason.get().is_some() {
                let ended: Vec<(u64, u64)> =
                    self.open.range((number, 0)..=(number, u64::MAX)).map(|(at, _)| *at).collect();
                done.extend(ended.iter().filter_map(|at| self.open.remove(at)).map(Whole::closed));
            }
        }
        done
    }

    /// What is still open when the stream ends: broken off, and read as far as it goes.
    pub(super) fn flush(&mut self) -> Vec<Whole> {
        std::mem::take(&mut self.open).into_values().collect()
    }
}

impl Whole {
    /// A call whose last piece has come: without any, it has no arguments.
    fn closed(mut self) -> Self {
        if self.arguments.is_empty() {
            self.arguments = "{}".to_owned();
        }
        self
    }
}
