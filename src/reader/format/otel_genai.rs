//! OpenTelemetry spans of agents and models (OTLP as JSON): `execute_tool` spans of the GenAI conventions, MCP calls, and
//! what OpenInference, OpenLLMetry and the Vercel AI SDK call the same.
//!
//! `{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"execute_tool run","attributes":[{"key":"gen_ai.tool.name","value":{"stringValue":"run"}},{"key":"gen_ai.tool.call.arguments","value":{"stringValue":"{\"command\":\"ls\"}"}}]}]}]}]}`

use std::collections::BTreeMap;
use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::model::{Actor, ActorKind, Hides, Outcome, Surroundings, Timestamp};
use crate::reader::transcript::{
    At, Call, Calls, Document, List, Loose, Places, Voice, Word, each_line, ended, failed, file_session, has,
    is_document,
};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct OtelGenAi;

const NAME: &str = "otel_genai";

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Export<'a> {
    #[serde(borrow, rename = "resourceSpans")]
    resources: List<Resource<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Resource<'a> {
    #[serde(borrow)]
    resource: Loose<Described<'a>>,
    #[serde(borrow, rename = "scopeSpans")]
    scopes: List<Scope<'a>>,
    /// What they were called before.
    #[serde(borrow, rename = "instrumentationLibrarySpans")]
    old_scopes: List<Scope<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Described<'a> {
    #[serde(borrow)]
    attributes: List<Attribute<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Scope<'a> {
    #[serde(borrow)]
    spans: Vec<&'a RawValue>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Span<'a> {
    #[serde(borrow, rename = "traceId")]
    trace: Word<'a>,
    #[serde(borrow, rename = "spanId")]
    id: Word<'a>,
    #[serde(borrow)]
    name: Word<'a>,
    #[serde(borrow, rename = "startTimeUnixNano")]
    start: Word<'a>,
    #[serde(borrow)]
    attributes: List<Attribute<'a>>,
    #[serde(borrow)]
    events: List<Described<'a>>,
    #[serde(borrow)]
    status: Loose<Status<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Status<'a> {
    #[serde(borrow)]
    code: Word<'a>,
    #[serde(borrow)]
    message: Word<'a>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Attribute<'a> {
    #[serde(borrow)]
    key: Word<'a>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

impl Reader for OtelGenAi {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "OpenTelemetry spans of agents (OTLP JSON): gen_ai tool executions, MCP, OpenInference, OpenLLMetry"
    }

    fn repeats(&self) -> bool {
        true
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let has = |key| has(sample.head, key);
        if !has("\"resourceSpans\"") || !has("\"spans\"") && !has("\"scopeSpans\"") {
            return Match::No;
        }
        let agents = ["\"gen_ai.", "\"mcp.method.name\"", "\"openinference.", "\"traceloop.", "\"ai.toolCall."];
        if agents.into_iter().any(has) { Match::Certain } else { Match::Likely }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut spans = Spans { calls: Calls::new(source, NAME, out), stem: file_session(source) };
        let read = if is_document(input.fill_buf()?) {
            spans.document(input)
        } else {
            each_line(input, &mut |text, at| match text {
                Some(text) => match spans.calls.record(text, at) {
                    Ok(export) => spans.export(&export, &mut Places::new(text, at)),
                    Err(flow) => flow,
                },
                None => spans.calls.too_long(at),
            })
        };
        spans.calls.finish();
        read
    }
}

/// The attributes of a span, a resource or an event; a value that is no text is its JSON.
type Facts = BTreeMap<String, String>;

struct Spans<'o> {
    calls: Calls<'o>,
    stem: String,
}

impl Spans<'_> {
    fn document(&mut self, input: &mut dyn BufRead) -> io::Result<()> {
        let Some(document) = Document::read(input) else {
            let _ = self.calls.too_long(At::default());
            return Ok(());
        };
        // A list of exports, or one export: its resources one by one, so that what stands before a damage is read.
        let read = document.each(&["resourceSpans"], &mut |element, at| {
            let places = &mut Places::new(element.get(), at);
            match serde_json::from_str::<Export<'_>>(element.get()) {
                Ok(export) if !export.resources.0.is_empty() => self.export(&export, places),
                _ => match serde_json::from_str::<Resource<'_>>(element.get()) {
                    Ok(resource) => self.resource(&resource, places),
                    Err(error) => self.calls.unreadable(at, &error),
                },
            }
        });
        if let Err(error) = read {
            let _ = self.calls.unreadable(At { line: error.line() as u64, offset: 0 }, &error);
        }
        document.broke.map_or(Ok(()), Err)
    }

    fn export(&mut self, export: &Export<'_>, places: &mut Places<'_>) -> ControlFlow<()> {
        if export.resources.0.is_empty() {
            return self.calls.nothing();
        }
        export.resources.0.iter().try_for_each(|resource| self.resource(resource, places))
    }

    fn resource(&mut self, resource: &Resource<'_>, places: &mut Places<'_>) -> ControlFlow<()> {
        let around = resource.resource.0.as_ref().map(|described| facts(&described.attributes)).unwrap_or_default();
        let mut spans = Vec::new();
        for element in resource.scopes.0.iter().chain(&resource.old_scopes.0).flat_map(|scope| &scope.spans) {
            let at = places.of(element);
            match serde_json::from_str::<Span<'_>>(element.get()) {
                Ok(span) => spans.push((span.start.text().parse::<i64>().ok(), span, at)),
                Err(error) => self.calls.unreadable(at, &error)?,
            }
        }
        // Spans are written down when they end: what was begun first was done first.
        spans.sort_by_key(|(start, _, _)| start.unwrap_or(i64::MAX));
        spans.iter().try_for_each(|(start, span, at)| self.span(span, &around, *start, *at))
    }

    fn span(&mut self, span: &Span<'_>, around: &Facts, start: Option<i64>, at: At) -> ControlFlow<()> {
        let own = facts(&span.attributes);
        let fact = |keys: &[&str]| keys.iter().find_map(|key| own.get(*key)).map(String::as_str);
        let session =
            fact(&["gen_ai.conversation.id", "session.id", "mcp.session.id", "ai.telemetry.metadata.sessionId"]);
        let session = session.unwrap_or(span.trace.get().unwrap_or(&self.stem));
        let agent = fact(&["gen_ai.agent.name", "agent.name"]).or(around.get("service.name").map(String::as_str));
        let actor = Actor { name: agent.unwrap_or("agent").to_owned(), kind: ActorKind::Agent, groups: Vec::new() };
        let host = around.get("host.name").cloned();
        let surroundings = Arc::new(Surroundings { host, ..Surroundings::default() });
        let voice = Voice { actor: Arc::new(actor), session: session.into(), surroundings };
        let time = start.filter(|nanos| *nanos > 0).map(|nanos| Timestamp(nanos / 1000));
        let Some(tool) = tool(span, &own) else { return self.proposed(span, &own, &voice, time, at) };

        let stated = fact(&[
            "gen_ai.tool.call.arguments",
            "tool.parameters",
            "input.value",
            "ai.toolCall.args",
            "mcp.request.argument",
            "traceloop.entity.input",
        ]);
        let arguments = stated.map(unpacked).unwrap_or_default();
        let id = fact(&["gen_ai.tool.call.id", "tool_call.id", "ai.toolCall.id"]);
        let result =
            fact(&["gen_ai.tool.call.result", "output.value", "ai.toolCall.result", "traceloop.entity.output"]);
        let status = span.status.0.as_ref();
        let broke = status.is_some_and(|status| matches!(status.code.text(), "2" | "STATUS_CODE_ERROR"));
        let broke = broke || own.contains_key("error.type");
        let fine = status.is_some_and(|status| matches!(status.code.text(), "1" | "STATUS_CODE_OK"));
        let outcome = match result.and_then(|result| serde_json::value::to_raw_value(result).ok()) {
            Some(result) => {
                let is_error = if broke { Some(true) } else { fine.then_some(false) };
                ended(Some(&result), Some(&result), is_error)
            }
            None if broke => {
                let said = status.and_then(|status| status.message.get()).map(Outcome::kept);
                Outcome { output: said, ..failed() }
            }
            None => crate::reader::transcript::ran(fine.then_some(true), None),
        };
        let key = id.unwrap_or(span.id.text());
        // What a model asked for may have been read before, with the arguments that this span does not have to have.
        if !self.calls.awaits(key) {
            let missing = Some(Hides::Anything);
            let record = format!("{}/{}", span.trace.text(), span.id.text());
            let (tool, arguments) = (&*tool, &*arguments);
            let call = Call { id: key, record: &record, time, tool, arguments, missing, at, ..Call::default() };
            self.calls.tool(&voice, &call)?;
        }
        self.calls.settle(key, outcome)
    }

    /// The calls that a model asked for, in a span about its answer; what runs them may not be traced.
    fn proposed(
        &mut self,
        span: &Span<'_>,
        own: &Facts,
        voice: &Voice,
        time: Option<Timestamp>,
        at: At,
    ) -> ControlFlow<()> {
        let events: Vec<Facts> = span.events.0.iter().map(|event| facts(&event.attributes)).collect();
        let said = |facts: &Facts| facts.get("gen_ai.output.messages").cloned();
        let messages = said(own).or_else(|| events.iter().find_map(said));
        let messages: Value = messages.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let mut any = false;
        let parts = messages.as_array().into_iter().flatten().filter_map(|message| message.get("parts")?.as_array());
        for (index, part) in parts.flatten().enumerate() {
            if part.get("type").and_then(Value::as_str) != Some("tool_call") {
                continue;
            }
            let text = |key| part.get(key).and_then(Value::as_str).unwrap_or_default();
            let id = text("id");
            if !id.is_empty() && self.calls.knows(id) {
                continue;
            }
            any = true;
            let arguments = match part.get("arguments") {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Null) | None => String::new(),
                Some(other) => other.to_string(),
            };
            let record = format!("{}/{}", span.trace.text(), span.id.text());
            let (tool, arguments) = (text("name"), &*arguments);
            let call = Call { id, record: &record, index, time, tool, arguments, at, ..Call::default() };
            self.calls.tool(voice, &call)?;
        }
        if any { ControlFlow::Continue(()) } else { self.calls.nothing() }
    }
}

/// The tool that a span is the execution of.
fn tool(span: &Span<'_>, own: &Facts) -> Option<String> {
    let fact = |key: &str| own.get(key).map(String::as_str);
    let named = |key: &str| fact(key).filter(|name| !name.is_empty()).map(str::to_owned);
    let runs = fact("gen_ai.operation.name") == Some("execute_tool")
        || span.name.text().starts_with("execute_tool ")
        || fact("openinference.span.kind") == Some("TOOL")
        || fact("traceloop.span.kind") == Some("tool")
        || span.name.text() == "ai.toolCall"
        || fact("mcp.method.name") == Some("tools/call");
    runs.then(|| {
        let known = ["gen_ai.tool.name", "tool.name", "ai.toolCall.name", "traceloop.entity.name", "mcp.tool.name"];
        let spoken = span.name.text();
        let spoken = spoken.strip_prefix("execute_tool ").or(spoken.strip_prefix("tools/call ")).unwrap_or(spoken);
        known.into_iter().find_map(named).unwrap_or_else(|| spoken.to_owned())
    })
}

/// Some wrap the arguments once more: `{"inputs":{…}}`, `{"input_str":"…"}`.
fn unpacked(text: &str) -> String {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Wrapped<'a> {
        #[serde(borrow)]
        inputs: Option<&'a RawValue>,
        #[serde(borrow)]
        tags: Option<&'a RawValue>,
    }
    match serde_json::from_str::<Wrapped<'_>>(text) {
        Ok(Wrapped { inputs: Some(inputs), tags: Some(_) }) => inputs.get().to_owned(),
        _ => text.to_owned(),
    }
}

fn facts(attributes: &List<Attribute<'_>>) -> Facts {
    let stated = attributes.0.iter().filter_map(|attribute| {
        let value: Value = serde_json::from_str(attribute.value?.get()).ok()?;
        let text = match plain(&value, 0)? {
            Value::String(text) => text,
            other => other.to_string(),
        };
        Some((attribute.key.text().to_owned(), text))
    });
    stated.collect()
}

/// `{"stringValue":"x"}` as `"x"`, lists and objects of them as such.
fn plain(value: &Value, depth: usize) -> Option<Value> {
    let (kind, inner) = value.as_object()?.iter().next()?;
    let many = |name: &str| inner.get(name).and_then(Value::as_array).filter(|_| depth < 32);
    match kind.as_str() {
        "arrayValue" => Some(many("values")?.iter().filter_map(|value| plain(value, depth + 1)).collect()),
        "kvlistValue" => {
            let pairs = many("values")?.iter().filter_map(|pair| {
                Some((pair.get("key")?.as_str()?.to_owned(), plain(pair.get("value")?, depth + 1)?))
            });
            Some(Value::Object(pairs.collect()))
        }
        // Whole numbers are written as text.
        "intValue" => Some(inner.as_str().and_then(|text| text.parse::<i64>().ok()).map_or(inner.clone(), Value::from)),
        _ => Some(inner.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::transcript::shown;

    fn span(id: &str, start: u64, name: &str, attributes: &[(&str, &str)], status: &str) -> String {
        let attributes: Vec<String> = attributes
            .iter()
            .map(|(key, value)| format!(r#"{{"key":"{key}","value":{{"stringValue":{value:?}}}}}"#))
            .collect();
        let attributes = attributes.join(",");
        format!(
            r#"{{"traceId":"t1","spanId":"{id}","name":"{name}","startTimeUnixNano":"{start}","attributes":[{attributes}],"status":{status}}}"#
        )
    }

    #[test]
    fn executions_come_before_what_was_asked_for() {
        let asked = r#"[{"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"run","arguments":{"command":"ls"}},{"type":"tool_call","id":"c2","name":"mail","arguments":{"to":"a"}}]}]"#;
        let spans = [
            span(
                "b",
                2_000,
                "execute_tool run",
                &[("gen_ai.operation.name", "execute_tool"), ("gen_ai.tool.call.id", "c1")],
                "{}",
            ),
            span("a", 1_000, "chat m", &[("gen_ai.output.messages", asked)], "{}"),
            span("c", 3_000, "execute_tool find", &[("gen_ai.tool.name", "find")], r#"{"code":2,"message":"no"}"#),
        ];
        let text = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#, spans.join(","));
        assert_eq!(
            shown(&OtelGenAi, "x.jsonl", text.as_bytes()),
            "L1 tool \"ls\" session=t1 actor=agent:agent exec=yes tool=run\n\
             L1 tool \"{\\\"to\\\":\\\"a\\\"}\" session=t1 actor=agent:agent tool=mail\n\
             L1 tool \"\" session=t1 actor=agent:agent failed tool=find gap=parameters-missing/anything\n"
        );
    }
}
