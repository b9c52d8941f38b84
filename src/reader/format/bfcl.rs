//! Results of the Berkeley function-calling leaderboard: what a model would have called, per task. Nothing of it was run.
//!
//! `{"id":"simple_0","result":[{"area":"{\"base\": 10}"}],"latency":0.6}`; also with `<tool_call>` texts and Python calls.

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::reader::transcript::{At, Talk, Word, each_line, file_session, first_lines, python_calls, unwrapped};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct Bfcl;

const NAME: &str = "bfcl";
/// Lists in lists (turns, steps) are opened so many times.
const DEPTH: usize = 6;

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Task<'a> {
    #[serde(borrow)]
    id: Word<'a>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    latency: Option<&'a RawValue>,
    #[serde(borrow)]
    input_token_count: Option<&'a RawValue>,
}

impl Reader for Bfcl {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "BFCL result files: the calls that a model proposed, per task"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let mut lines = first_lines(sample, 3).map(|line| serde_json::from_str::<Task<'_>>(line).unwrap_or_default());
        let is_task = |task: Task<'_>| {
            task.id.get().is_some()
                && task.result.is_some()
                && task.latency.is_some()
                && task.input_token_count.is_some()
        };
        if lines.next().is_some_and(is_task) && lines.all(is_task) { Match::Certain } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut talk = Talk::new(source, NAME, "assistant", out).of_runs();
        let stem = file_session(source);
        let read = each_line(input, &mut |text, at| match text {
            Some(text) => match talk.calls.record::<Task<'_>>(text, at) {
                Ok(task) => one(&mut talk, &stem, &task, at),
                Err(flow) => flow,
            },
            None => talk.calls.too_long(at),
        });
        talk.finish();
        read
    }
}

fn one(talk: &mut Talk<'_>, stem: &str, task: &Task<'_>, at: At) -> ControlFlow<()> {
    talk.begin(&format!("{stem}/{}", task.id.text()));
    let mut calls = Vec::new();
    if let Some(result) = task.result {
        collect(result, 0, &mut calls);
    }
    if calls.is_empty() {
        // The model answered in words.
        return talk.calls.nothing();
    }
    talk.position += 1;
    calls.into_iter().try_for_each(|(tool, arguments)| talk.one("", &tool, &arguments, at))
}

/// The calls in a result: a list of `{name: arguments}`, texts, or lists of these for every turn.
fn collect(result: &RawValue, depth: usize, calls: &mut Vec<(String, String)>) {
    let text = result.get();
    if text.starts_with('[') && depth < DEPTH {
        let parts: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
        parts.into_iter().for_each(|part| collect(part, depth + 1, calls));
    } else if text.starts_with('{') {
        let named: serde_json::Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
        let stated: std::collections::BTreeMap<String, &RawValue> = serde_json::from_str(text).unwrap_or_default();
        for tool in named.keys() {
            let arguments = unwrapped(stated.get(tool).copied());
            calls.push((tool.clone(), arguments.into_owned()));
        }
    } else if let Ok(text) = serde_json::from_str::<String>(text) {
        if text.contains("<tool_call>") {
            calls.extend(text.split("<tool_call>").skip(1).filter_map(tagged));
        } else if let Some(found) = python_calls(&text) {
            calls.extend(found.into_iter().map(|(tool, arguments)| (tool, arguments.to_string())));
        }
    }
}

/// `{"name": …, "arguments": {…}}` in front of `</tool_call>`.
fn tagged(text: &str) -> Option<(String, String)> {
    #[derive(Deserialize)]
    struct Call {
        name: String,
        #[serde(default)]
        arguments: Value,
    }
    let (inside, _) = text.split_once("</tool_call>").unwrap_or((text, ""));
    let call: Call = serde_json::from_str(inside.trim()).ok()?;
    Some((call.name, call.arguments.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::transcript::shown;

    #[test]
    fn calls_are_written_in_three_ways() {
        let text = r#"{"id":"a","result":[{"f":"{\"x\": 1}"},{"g":"{}"}],"latency":1}
{"id":"b","result":"<tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\": 2}}\n</tool_call>"}
{"id":"c","result":"[f(x=3), g()]"}
{"id":"d","result":[[["cd(folder='x')"],["ls()"]]]}
{"id":"e","result":"I cannot do that."}
"#;
        let expected = "L1 tool \"{\\\"x\\\":1}\" session=r/a actor=agent:assistant tool=f\n\
             L1 tool \"{}\" session=r/a actor=agent:assistant tool=g\n\
             L2 tool \"{\\\"x\\\":2}\" session=r/b actor=agent:assistant tool=f\n\
             L3 tool \"{\\\"x\\\":3}\" session=r/c actor=agent:assistant tool=f\n\
             L3 tool \"{}\" session=r/c actor=agent:assistant tool=g\n\
             L4 tool \"{\\\"folder\\\":\\\"x\\\"}\" session=r/d actor=agent:assistant tool=cd\n\
             L4 tool \"{}\" session=r/d actor=agent:assistant tool=ls\n";
        assert_eq!(shown(&Bfcl, "r.jsonl", text.as_bytes()), expected);
    }
}
