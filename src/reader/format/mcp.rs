//! Model Context Protocol: captured JSON-RPC messages of one or more connections, as taps and proxies write them. One
//! message per line, in an envelope or bare, inside the line of a text log, as events of a stream, or one JSON list.
//!
//! `{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"query","arguments":{"sql":"SELECT 1"}}}`

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{Actor, ActorKind, Outcome, Timestamp};
use crate::reader::transcript::{
    At, Call, Calls, Document, Flag, Loose, Places, Voice, Word, each_line, ended, failed, file_session, has,
    is_document, moment, output, refused, whole,
};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct Mcp;

const NAME: &str = "mcp";
/// Envelopes in envelopes are opened so many times.
const DEPTH: usize = 4;

/// A message, or the envelope of one. Everything may be missing or of another shape.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Record<'a> {
    #[serde(borrow)]
    jsonrpc: Word<'a>,
    #[serde(borrow)]
    method: Word<'a>,
    #[serde(borrow)]
    params: Loose<Params<'a>>,
    #[serde(borrow)]
    id: Word<'a>,
    #[serde(borrow)]
    result: Loose<Answer<'a>>,
    #[serde(borrow)]
    error: Loose<Failure<'a>>,
    // The envelope.
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    msg: Option<&'a RawValue>,
    #[serde(borrow)]
    raw: Option<&'a RawValue>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    #[serde(borrow)]
    request: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp: Word<'a>,
    #[serde(borrow)]
    time: Word<'a>,
    #[serde(borrow)]
    ts: Word<'a>,
    #[serde(borrow)]
    session: Word<'a>,
    #[serde(borrow)]
    session_id: Word<'a>,
    #[serde(borrow, rename = "sessionId")]
    camel_session_id: Word<'a>,
    #[serde(borrow)]
    connection_id: Word<'a>,
    #[serde(borrow, rename = "mcp-session-id")]
    header_session_id: Word<'a>,
    #[serde(borrow)]
    server: Word<'a>,
    #[serde(borrow)]
    server_name: Word<'a>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Params<'a> {
    #[serde(borrow)]
    name: Word<'a>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    uri: Option<&'a RawValue>,
    #[serde(borrow, rename = "clientInfo")]
    client: Loose<Party<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Answer<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(rename = "isError")]
    is_error: Flag,
    #[serde(borrow, rename = "structuredContent")]
    structured: Option<&'a RawValue>,
    #[serde(borrow, rename = "serverInfo")]
    server: Loose<Party<'a>>,
    // What clients answer to servers.
    #[serde(borrow)]
    roots: Option<&'a RawValue>,
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(borrow)]
    action: Option<&'a RawValue>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Failure<'a> {
    #[serde(borrow)]
    code: Word<'a>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Party<'a> {
    #[serde(borrow)]
    name: Word<'a>,
}

impl Reader for Mcp {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "MCP captures: JSON-RPC messages of stdio, SSE or HTTP connections, bare or in a proxy's log"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        // In the strings of a transcript the quotes are escaped.
        let has = |key| has(sample.head, key);
        let quoted = has("\\\"jsonrpc\\\"");
        let rpc = has("\"jsonrpc\"");
        match () {
            () if !rpc && !quoted => Match::No,
            () if rpc && (has("\"tools/call\"") || has("\"protocolVersion\"")) => Match::Certain,
            () if quoted && has("\\\"tools/call\\\"") && !has("\"role\"") && !has("tool_use") => Match::Likely,
            () if rpc && (has("\"notifications/") || has("\"tools/list\"") || has("\"resources/")) => Match::Likely,
            () => Match::No,
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut capture = Capture::new(source, out);
        let read = if is_document(input.fill_buf()?) {
            capture.document(input)
        } else {
            each_line(input, &mut |text, at| match text {
                Some(text) => capture.line(text, at),
                None => capture.calls.too_long(at),
            })
        };
        capture.calls.finish();
        read
    }
}

/// What is known of one connection.
#[derive(Clone, Default)]
struct Connection {
    server: Option<String>,
    client: Option<String>,
    /// How often it was opened anew.
    times: usize,
}

/// What an envelope says about the message in it.
#[derive(Clone, Default)]
struct Around {
    time: Option<Timestamp>,
    session: Option<String>,
    server: Option<String>,
}

struct Capture<'o> {
    calls: Calls<'o>,
    stem: String,
    connections: HashMap<String, Connection>,
}

impl<'o> Capture<'o> {
    fn new(source: &Source, out: &'o mut dyn Out) -> Self {
        Self { calls: Calls::new(source, NAME, out), stem: file_session(source), connections: HashMap::new() }
    }

    fn document(&mut self, input: &mut dyn BufRead) -> io::Result<()> {
        let Some(document) = Document::read(input) else {
            let _ = self.calls.too_long(At::default());
            return Ok(());
        };
        let text = document.text();
        if let Ok(record) = serde_json::from_str::<Record<'_>>(text)
            && record.jsonrpc.is_there()
        {
            let _ = self.record(&record, &Around::default(), At { line: 1, offset: 0 }, 0);
            return document.broke.map_or(Ok(()), Err);
        }
        let lists = ["messages", "entries", "events", "log", "requests"];
        let read = document.each(&lists, &mut |element, at| self.value(element, &Around::default(), at, 0));
        if let Err(error) = read {
            let _ = self.calls.unreadable(At { line: error.line() as u64, offset: 0 }, &error);
        }
        document.broke.map_or(Ok(()), Err)
    }

    fn line(&mut self, text: &str, at: At) -> ControlFlow<()> {
        let mut around = Around::default();
        let mut json = text;
        if let Some(data) = text.strip_prefix("data:") {
            json = data.trim();
        }
        if !json.starts_with(['{', '[']) || json.starts_with('[') && !json.contains("\"jsonrpc\"") {
            // A text log: the message stands somewhere behind the time and the server's name.
            let Some(begin) = text.find("\"jsonrpc\"").and_then(|_| text.find('{')) else {
                return self.calls.nothing();
            };
            let (before, rest) = text.split_at(begin);
            around.time = before.split_whitespace().next().and_then(|word| moment(word.trim_matches(['[', ']'])));
            let named = before.split('[').skip(1).filter_map(|part| part.split_once(']')).map(|(name, _)| name.trim());
            let level = |name: &&str| !matches!(*name, "info" | "debug" | "error" | "warn" | "INFO" | "DEBUG" | "");
            around.server = named.filter(level).find(|name| moment(name).is_none()).map(str::to_owned);
            json = rest;
        }
        let mut values = serde_json::Deserializer::from_str(json).into_iter::<&RawValue>();
        match values.next() {
            Some(Ok(value)) => self.value(value, &around, at, 0),
            Some(Err(error)) => self.calls.unreadable(at, &error),
            None => self.calls.nothing(),
        }
    }

    /// A message, several of them, or an envelope.
    fn value(&mut self, value: &RawValue, around: &Around, at: At, depth: usize) -> ControlFlow<()> {
        let text = value.get();
        if text.starts_with('[') && depth < DEPTH {
            let mut places = Places::new(text, at);
            let batch: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
            return batch.into_iter().try_for_each(|one| self.value(one, around, places.of(one), depth + 1));
        }
        if !text.starts_with('{') {
            return self.calls.nothing();
        }
        match serde_json::from_str::<Record<'_>>(text) {
            Ok(record) => self.record(&record, around, at, depth),
            Err(error) => self.calls.unreadable(at, &error),
        }
    }

    fn record(&mut self, record: &Record<'_>, around: &Around, at: At, depth: usize) -> ControlFlow<()> {
        let mut around = around.clone();
        let times = [&record.timestamp, &record.time, &record.ts];
        around.time = times.into_iter().find_map(|time| moment(time.text())).or(around.time);
        let sessions = [&record.header_session_id, &record.session_id, &record.camel_session_id, &record.session];
        let session = sessions.into_iter().chain([&record.connection_id]).find_map(Word::get);
        around.session = session.map(str::to_owned).or(around.session);
        around.server = record.server.get().or(record.server_name.get()).map(str::to_owned).or(around.server);
        if record.jsonrpc.is_there() {
            return self.message(record, &around, at);
        }
        let inner = [record.message, record.payload, record.data, record.msg, record.raw, record.body];
        let inner = inner.into_iter().chain([record.request, record.response]).flatten().filter(|_| depth < DEPTH);
        let mut any = false;
        for inner in inner {
            if inner.get().starts_with(['{', '[']) {
                any = true;
                self.value(inner, &around, at, depth + 1)?;
            } else if let Some(text) = whole(Some(inner)).filter(|text| text.trim_start().starts_with(['{', '[']))
                && let Ok(value) = serde_json::from_str::<&RawValue>(&text)
            {
                any = true;
                self.value(value, &around, at, depth + 1)?;
            }
        }
        if any { ControlFlow::Continue(()) } else { self.calls.nothing() }
    }

    fn message(&mut self, record: &Record<'_>, around: &Around, at: At) -> ControlFlow<()> {
        let key = match (&around.session, &around.server) {
            (Some(session), _) => session.clone(),
            (None, Some(server)) => format!("{}/{server}", self.stem),
            (None, None) => self.stem.clone(),
        };
        let connection = self.connections.entry(key.clone()).or_default();
        if around.server.is_some() && connection.server.is_none() {
            connection.server.clone_from(&around.server);
        }
        let params = record.params.0.as_ref();
        if record.method.text() == "initialize" {
            connection.times += 1;
            connection.client = params.and_then(|params| params.client.0.as_ref()?.name.get()).map(str::to_owned);
        }
        let answer = record.result.0.as_ref();
        if let Some(server) = answer.and_then(|answer| answer.server.0.as_ref()?.name.get()) {
            connection.server = Some(server.to_owned());
        }
        let connection = connection.clone();
        let session = if connection.times > 1 { format!("{key}#{}", connection.times) } else { key };
        // Ids begin anew with every connection.
        let id = record.id.get().map(|id| format!("{session} {id}")).unwrap_or_default();
        match record.method.text() {
            "" if id.is_empty() => self.calls.nothing(),
            // What a client answers to a server may have the same number.
            "" if answer.is_some_and(answers_server) => self.calls.nothing(),
            "" => match (&record.error.0, answer) {
                (Some(error), _) => {
                    // Unknown tool, wrong arguments: said before anything is done.
                    let never = matches!(error.code.text(), "-32601" | "-32602" | "-32600");
                    let outcome = if never { refused() } else { failed() };
                    self.calls.settle(&id, Outcome { output: output(error.message), ..outcome })
                }
                (None, Some(answer)) => {
                    let is_error = Some(answer.is_error.0 == Some(true));
                    let said = answer.content.or(answer.structured);
                    self.calls.settle(&id, ended(said, answer.content.or(answer.structured), is_error))
                }
                (None, None) => self.calls.nothing(),
            },
            "tools/call" | "resources/read" => {
                let name = params.and_then(|params| params.name.get());
                let name = name.unwrap_or(if record.method.text() == "tools/call" { "" } else { "read_resource" });
                let tool = match &connection.server {
                    Some(server) => format!("mcp__{}__{name}", server.replace(' ', "-")),
                    None => name.to_owned(),
                };
                let uri = params.and_then(|params| params.uri).map(|uri| format!("{{\"uri\":{}}}", uri.get()));
                let stated = params.and_then(|params| params.arguments).filter(|arguments| arguments.get() != "null");
                // The protocol lets a caller leave them out where there are none.
                let arguments = stated.map(|stated| stated.get().to_owned()).or(uri).unwrap_or_else(|| "{}".to_owned());
                let name = connection.client.as_deref().unwrap_or("mcp-client").to_owned();
                let actor = Arc::new(Actor { name, kind: ActorKind::Agent, groups: Vec::new() });
                let voice = Voice { actor, session: session.into(), surroundings: Arc::default() };
                let (time, tool, arguments) = (around.time, &*tool, &*arguments);
                let call = Call { id: &id, own_session: true, time, tool, arguments, at, ..Call::default() };
                self.calls.tool(&voice, &call)
            }
            _ => self.calls.nothing(),
        }
    }
}

/// Whether a result is one that a client gives: what it may see, what its model or its user said.
fn answers_server(answer: &Answer<'_>) -> bool {
    answer.roots.is_some() || answer.model.is_some() || answer.action.is_some() && answer.content.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::transcript::shown;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(shown(&Mcp, "tap.jsonl", text.as_bytes()), expected);
    }

    #[test]
    fn ids_begin_anew_and_go_both_ways() {
        check(
            r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"x","clientInfo":{"name":"desk"}}}
{"jsonrpc":"2.0","id":0,"result":{"serverInfo":{"name":"files"}}}
{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file","arguments":{"path":"/a"}}}
{"jsonrpc":"2.0","id":1,"method":"roots/list"}
{"jsonrpc":"2.0","id":1,"result":{"roots":[]}}
{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"no"}],"isError":true}}
{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"clientInfo":{"name":"desk"}}}
[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list"}},{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"bad"}}]
"#,
            "L3 tool \"/a\" session=tap actor=agent:desk failed tool=mcp__files__read_file\n\
             L8 tool \"{}\" session=tap#2 actor=agent:desk exec=no tool=mcp__files__list\n",
        );
    }

    #[test]
    fn messages_stand_in_many_places() {
        check(
            r#"2026-01-05T09:00:00.000Z [notes] [info] Message from client: {"method":"tools/call","params":{"name":"add","arguments":{"text":"x"}},"jsonrpc":"2.0","id":4} { metadata: undefined }
2026-01-05T09:00:01.000Z [notes] [info] Server started
event: message
data: {"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"ping","arguments":{}}}
{"ts":"2026-01-05T09:00:03Z","session_id":"s9","payload":"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/read\",\"params\":{\"uri\":\"file:///x\"}}"}
{"jsonrpc":"2.0","id":
"#,
            "L1 tool \"{\\\"text\\\":\\\"x\\\"}\" session=tap/notes actor=agent:mcp-client tool=mcp__notes__add\n\
             L4 tool \"{}\" session=tap actor=agent:mcp-client tool=ping\n\
             L5 tool \"file:///x\" session=s9 actor=agent:mcp-client tool=read_resource\n\
             L6 issue: not a JSON record: EOF while parsing a value (it may have been cut off while the file was written or copied; read the original)\n",
        );
    }
}
