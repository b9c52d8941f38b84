//! LangSmith runs (JSON Lines, or one list): tool runs with what they were given, and calls that a model asked for and no
//! tool run took up.
//!
//! `{"id":"…","trace_id":"…","run_type":"tool","name":"search","inputs":{"input":"{'query': 'x'}"},"outputs":{"output":"…"},"start_time":"2026-01-05T09:00:02"}`

use std::collections::HashMap;
use std::io::{self, BufRead};
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::model::{Actor, ActorKind, Outcome, Timestamp};
use crate::reader::transcript::{
    At, Call, Calls, Document, Loose, Voice, Word, civil_moment, each_line, ended, failed, file_session, has,
    is_document, literal, moment, output, ran,
};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct LangSmith;

const NAME: &str = "langsmith";
/// How deep calls are looked for in what a model answered.
const DEPTH: usize = 12;

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Run<'a> {
    #[serde(borrow)]
    id: Word<'a>,
    #[serde(borrow)]
    run_type: Word<'a>,
    #[serde(borrow)]
    name: Word<'a>,
    #[serde(borrow)]
    inputs: Option<&'a RawValue>,
    #[serde(borrow)]
    outputs: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    start_time: Word<'a>,
    #[serde(borrow)]
    end_time: Word<'a>,
    #[serde(borrow)]
    trace_id: Word<'a>,
    #[serde(borrow)]
    session_name: Word<'a>,
    #[serde(borrow)]
    extra: Loose<Extra<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Extra<'a> {
    #[serde(borrow)]
    metadata: Loose<Metadata<'a>>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Metadata<'a> {
    #[serde(borrow)]
    thread_id: Word<'a>,
    #[serde(borrow)]
    session_id: Word<'a>,
    #[serde(borrow)]
    conversation_id: Word<'a>,
}

impl Reader for LangSmith {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "LangSmith and LangChain runs (JSON Lines or JSON exports)"
    }

    fn repeats(&self) -> bool {
        true
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let has = |key| has(sample.head, key);
        let marks = has("\"run_type\"") && (has("\"trace_id\"") || has("\"dotted_order\"") || has("\"start_time\""));
        if !marks {
            Match::No
        } else if has("\"inputs\"") {
            Match::Certain
        } else {
            Match::Likely
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut runs = Runs {
            calls: Calls::new(source, NAME, out),
            stem: file_session(source),
            asked: HashMap::new(),
            done: HashMap::new(),
        };
        let read = if is_document(input.fill_buf()?) {
            runs.document(input)
        } else {
            each_line(input, &mut |text, at| match text {
                Some(text) => match runs.calls.record(text, at) {
                    Ok(run) => runs.run(&run, at),
                    Err(flow) => flow,
                },
                None => runs.calls.too_long(at),
            })
        };
        runs.calls.finish();
        read
    }
}

/// What tells whether a call that was asked for and a tool run are the same: session, tool, arguments.
type Same = (String, String, String);

struct Runs<'o> {
    calls: Calls<'o>,
    stem: String,
    /// Calls that a model asked for, by their ids, until a tool run takes them up.
    asked: HashMap<Same, Vec<String>>,
    /// Tool runs that came before what asked for them: exports are often the newest first.
    done: HashMap<Same, usize>,
}

impl Runs<'_> {
    fn document(&mut self, input: &mut dyn BufRead) -> io::Result<()> {
        let Some(document) = Document::read(input) else {
            let _ = self.calls.too_long(At::default());
            return Ok(());
        };
        let read =
            document.each(&["runs", "data"], &mut |element, at| match serde_json::from_str::<Run<'_>>(element.get()) {
                Ok(run) => self.run(&run, at),
                Err(_) if !element.get().starts_with('{') => self.calls.nothing(),
                Err(error) => self.calls.unreadable(at, &error),
            });
        if let Err(error) = read {
            let _ = self.calls.unreadable(At { line: error.line() as u64, offset: 0 }, &error);
        }
        document.broke.map_or(Ok(()), Err)
    }

    fn run(&mut self, run: &Run<'_>, at: At) -> ControlFlow<()> {
        let metadata = run.extra.0.as_ref().and_then(|extra| extra.metadata.0.as_ref());
        let thread = metadata.and_then(|metadata| {
            [&metadata.thread_id, &metadata.session_id, &metadata.conversation_id].into_iter().find_map(Word::get)
        });
        let session = thread.or(run.trace_id.get()).unwrap_or(&self.stem).to_owned();
        let name = run.session_name.get().unwrap_or("langchain").to_owned();
        let actor = Arc::new(Actor { name, kind: ActorKind::Agent, groups: Vec::new() });
        let voice = Voice { actor, session: session.into(), surroundings: Arc::default() };
        // Times without a zone are UTC here.
        let time = moment(run.start_time.text()).or_else(|| civil_moment(run.start_time.text()));
        match run.run_type.text() {
            "tool" => self.tool(run, &voice, time, at),
            "llm" | "chat_model" => self.model(run, &voice, time, at),
            _ => self.calls.nothing(),
        }
    }

    fn tool(&mut self, run: &Run<'_>, voice: &Voice, time: Option<Timestamp>, at: At) -> ControlFlow<()> {
        let arguments = given(run.inputs);
        let outcome = came_to(run);
        let same = same(voice, run.name.text(), &arguments);
        let answered = call_id(run.outputs).filter(|id| self.calls.awaits(id));
        let asked = self.asked.get_mut(&same).filter(|ids| !ids.is_empty());
        let id = answered.clone().or_else(|| asked.map(|ids| ids.remove(0)));
        if let Some(id) = id {
            return match outcome {
                Some(outcome) => self.calls.settle(&id, outcome),
                None => self.calls.nothing(),
            };
        }
        *self.done.entry(same).or_default() += 1;
        let (id, tool, arguments) = (run.id.text(), run.name.text(), &*arguments);
        let call = Call { id, record: id, time, tool, arguments, at, ..Call::default() };
        self.calls.tool(voice, &call)?;
        match outcome {
            Some(outcome) => self.calls.settle(id, outcome),
            None => ControlFlow::Continue(()),
        }
    }

    fn model(&mut self, run: &Run<'_>, voice: &Voice, time: Option<Timestamp>, at: At) -> ControlFlow<()> {
        let outputs: Value = run.outputs.and_then(|text| serde_json::from_str(text.get()).ok()).unwrap_or_default();
        let mut found = Vec::new();
        calls_in(&outputs, 0, &mut found);
        let mut any = false;
        for (index, (id, tool, arguments)) in found.into_iter().enumerate() {
            let same = same(voice, &tool, &arguments);
            if let Some(done) = self.done.get_mut(&same).filter(|done| **done > 0) {
                *done -= 1;
                continue;
            }
            any = true;
            let id = if id.is_empty() { format!("{}/{index}", run.id.text()) } else { id };
            let (record, tool, arguments) = (run.id.text(), &*tool, &*arguments);
            let call = Call { id: &id, record, index, time, tool, arguments, at, ..Call::default() };
            self.calls.tool(voice, &call)?;
            self.asked.entry(same).or_default().push(id);
        }
        if any { ControlFlow::Continue(()) } else { self.calls.nothing() }
    }
}

fn same(voice: &Voice, tool: &str, arguments: &str) -> Same {
    // Order and spaces do not count.
    let value: Value = serde_json::from_str(arguments).unwrap_or_default();
    let mut parts: Vec<String> =
        value.as_object().into_iter().flatten().map(|(name, value)| format!("{name}={value}")).collect();
    parts.sort();
    (voice.session.to_string(), tool.to_owned(), parts.join("\n"))
}

/// What a tool was given: an object, or `{"input": …}` with the object as text in it, JSON's or Python's.
fn given(inputs: Option<&RawValue>) -> String {
    let Some(inputs) = inputs.filter(|inputs| inputs.get() != "null") else { return String::new() };
    let value: Value = serde_json::from_str(inputs.get()).unwrap_or_default();
    if let Some(object) = value.as_object()
        && object.len() == 1
        && let Some(text) = object.get("input").or(object.get("input_str")).and_then(Value::as_str)
        && let Some(read @ Value::Object(_)) = literal(text)
    {
        return read.to_string();
    }
    inputs.get().to_owned()
}

fn came_to(run: &Run<'_>) -> Option<Outcome> {
    if let Some(error) = run.error.filter(|error| error.get() != "null") {
        return Some(Outcome { output: output(Some(error)), ..failed() });
    }
    let Some(outputs) = run.outputs.filter(|outputs| outputs.get() != "null") else {
        return run.end_time.get().map(|_| ran(None, None));
    };
    let outputs: Value = serde_json::from_str(outputs.get()).unwrap_or_default();
    let out = outputs.get("output").unwrap_or(&outputs);
    let message = out.get("kwargs").unwrap_or(out);
    let content = message.get("content").unwrap_or(out);
    let is_error = message.get("status").and_then(Value::as_str).map(|status| status == "error");
    let content = serde_json::value::to_raw_value(content).ok();
    Some(ended(content.as_deref(), content.as_deref(), is_error))
}

/// The call that a tool's message answers.
fn call_id(outputs: Option<&RawValue>) -> Option<String> {
    let outputs: Value = serde_json::from_str(outputs?.get()).ok()?;
    let out = outputs.get("output").unwrap_or(&outputs);
    let message = out.get("kwargs").unwrap_or(out);
    Some(message.get("tool_call_id")?.as_str()?.to_owned())
}

/// Id, tool and arguments of every call in what a model answered.
fn calls_in(value: &Value, depth: usize, found: &mut Vec<(String, String, String)>) {
    if depth > DEPTH {
        return;
    }
    match value {
        Value::Array(values) => values.iter().for_each(|value| calls_in(value, depth + 1, found)),
        Value::Object(object) => {
            for (name, inner) in object {
                if name != "tool_calls" {
                    calls_in(inner, depth + 1, found);
                    continue;
                }
                for call in inner.as_array().into_iter().flatten() {
                    let function = call.get("function").unwrap_or(call);
                    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
                    let (id, tool) = (text(call, "id").unwrap_or_default(), text(function, "name").unwrap_or_default());
                    // The same calls stand beside it once more, as the maker of the model writes them.
                    if found.iter().any(|(known, ..)| !id.is_empty() && *known == id) {
                        continue;
                    }
                    let arguments = match function.get("args").or(function.get("arguments")) {
                        Some(Value::String(text)) => text.clone(),
                        Some(other) => other.to_string(),
                        None => String::new(),
                    };
                    found.push((id, tool, arguments));
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::transcript::shown;

    const ASKED: &str = r#"{"id":"r1","trace_id":"t","run_type":"llm","outputs":{"generations":[[{"message":{"kwargs":{"additional_kwargs":{"tool_calls":[{"id":"c1","function":{"name":"run","arguments":"{\"command\": \"ls\"}"}}]},"tool_calls":[{"name":"run","args":{"command":"ls"},"id":"c1"}]}}}]]}}"#;
    const DONE: &str = r#"{"id":"r2","trace_id":"t","run_type":"tool","name":"run","inputs":{"input":"{'command': 'ls'}"},"outputs":{"output":"a"}}"#;

    #[test]
    fn a_call_is_one_whichever_run_comes_first() {
        let read = |text: String| shown(&LangSmith, "x.jsonl", text.as_bytes());
        let expected = "L1 tool \"ls\" session=t actor=agent:langchain exec=yes tool=run\n";
        assert_eq!(read(format!("{ASKED}\n{DONE}\n")), expected);
        assert_eq!(read(format!("{DONE}\n{ASKED}\n")), expected);
        assert_eq!(read(format!("{ASKED}\n")), expected.replace(" exec=yes", ""));
    }
}
