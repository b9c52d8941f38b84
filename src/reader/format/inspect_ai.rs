//! Inspect AI evaluation logs (JSON): tool events of every sample, or where there are none, the calls in its messages.
//!
//! `{"version":2,"eval":{…},"samples":[{"id":1,"epoch":1,"events":[{"event":"tool","id":"call_…","function":"bash","arguments":{"cmd":"ls"},"result":"a","timestamp":"2026-01-05T09:00:02+00:00"}]}]}`

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::Outcome;
use crate::reader::transcript::{
    At, Call, Document, Loose, Places, Said, Talk, Word, ended, failed, file_session, has, moment, output, ran, refused,
};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct InspectAi;

const NAME: &str = "inspect_ai";
/// Events in the events of a tool that is an agent itself.
const DEPTH: usize = 8;

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Run<'a> {
    #[serde(borrow)]
    id: Word<'a>,
    #[serde(borrow)]
    epoch: Word<'a>,
    #[serde(borrow)]
    messages: Vec<&'a RawValue>,
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
    /// Long strings stand here once, and are named where they belong.
    #[serde(borrow)]
    attachments: BTreeMap<String, &'a RawValue>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Event<'a> {
    #[serde(borrow)]
    event: Word<'a>,
    #[serde(borrow)]
    id: Word<'a>,
    #[serde(borrow)]
    function: Word<'a>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Loose<Failure<'a>>,
    #[serde(borrow)]
    timestamp: Word<'a>,
    #[serde(borrow)]
    completed: Word<'a>,
    #[serde(borrow)]
    agent: Word<'a>,
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
    // An approval.
    #[serde(borrow)]
    call: Loose<Named<'a>>,
    #[serde(borrow)]
    approver: Word<'a>,
    #[serde(borrow)]
    decision: Word<'a>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Named<'a> {
    #[serde(borrow)]
    id: Word<'a>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Failure<'a> {
    #[serde(borrow, rename = "type")]
    kind: Word<'a>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
}

/// A result in the messages.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Told<'a> {
    #[serde(borrow)]
    role: Word<'a>,
    #[serde(borrow)]
    tool_call_id: Word<'a>,
    #[serde(borrow)]
    function: Word<'a>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Loose<Failure<'a>>,
}

impl Reader for InspectAi {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Inspect AI evaluation logs (logs/*.json)"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let has = |key| has(sample.head, key);
        let marks = has("\"eval\"") && has("\"run_id\"") && has("\"task_id\"") && has("\"status\"");
        if !sample.head.trim_ascii_start().starts_with(b"{") || !marks {
            return Match::No;
        }
        if has("\"inspect_ai\"") || has("\"plan\"") { Match::Certain } else { Match::Likely }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut talk = Talk::new(source, NAME, "model", out).of_runs();
        let Some(document) = Document::read(input) else {
            let _ = talk.calls.too_long(At::default());
            talk.finish();
            return Ok(());
        };
        let stem = file_session(source);
        let read = document.each(&["samples"], &mut |sample, at| {
            let run: Run<'_> = match serde_json::from_str(sample.get()) {
                Ok(run) => run,
                Err(_) if !sample.get().starts_with('{') => return talk.calls.nothing(),
                Err(error) => return talk.calls.unreadable(at, &error),
            };
            one(&mut talk, &stem, &run, &mut Places::new(sample.get(), at))
        });
        if let Err(error) = read {
            let _ = talk.calls.unreadable(At { line: error.line() as u64, offset: 0 }, &error);
        }
        talk.finish();
        document.broke.map_or(Ok(()), Err)
    }
}

fn one(talk: &mut Talk<'_>, stem: &str, run: &Run<'_>, places: &mut Places<'_>) -> ControlFlow<()> {
    let session = format!("{stem}/sample {} epoch {}", run.id.text(), run.epoch.get().unwrap_or("1"));
    talk.begin(&session);
    talk.time = None;
    let read =
        |event: &&RawValue| serde_json::from_str::<Event<'_>>(event.get()).unwrap_or_default().event.text() == "tool";
    if run.events.iter().any(read) {
        return events(talk, &session, &run.events, run, places, 0);
    }
    let mut asked = HashSet::new();
    for message in &run.messages {
        let at = places.of(message);
        let told: Told<'_> = serde_json::from_str(message.get()).unwrap_or_default();
        if told.role.text() == "tool" {
            talk.position += 1;
            let id = told.tool_call_id.text();
            if !asked.contains(id) {
                // Who called is not recorded, and with what.
                let (tool, record) = (told.function.text(), format!("{session}/{}", talk.position));
                let call = Call { id, record: &record, own_session: true, tool, at, ..Call::default() };
                talk.calls.tool(&talk.voice, &call)?;
            }
            let outcome = outcome(told.error.0.as_ref(), told.content);
            talk.calls.settle(id, outcome)?;
            continue;
        }
        let said: Said<'_> = serde_json::from_str(message.get()).unwrap_or_default();
        asked.extend(said.tool_calls.0.iter().map(|call| call.id.text().to_owned()));
        talk.element(message, at)?;
    }
    ControlFlow::Continue(())
}

fn events(
    talk: &mut Talk<'_>,
    session: &str,
    all: &[&RawValue],
    run: &Run<'_>,
    places: &mut Places<'_>,
    depth: usize,
) -> ControlFlow<()> {
    let read: Vec<(&RawValue, Event<'_>)> =
        all.iter().map(|event| (*event, serde_json::from_str(event.get()).unwrap_or_default())).collect();
    let decided = |id: &str, wanted: &str| {
        let said = |event: &Event<'_>| {
            event.event.text() == "approval"
                && event.decision.text() == wanted
                && event.call.0.as_ref().is_some_and(|call| call.id.text() == id)
        };
        read.iter().map(|(_, event)| event).find(|event| said(event)).map(|event| event.approver.text())
    };
    for (element, event) in &read {
        let at = places.of(element);
        if event.event.text() != "tool" {
            talk.calls.nothing()?;
            continue;
        }
        talk.position += 1;
        talk.begin_at(session, talk.position);
        let id = event.id.text();
        let (arguments, cut) = attached(event.arguments.map_or("", RawValue::get), &run.attachments);
        let record = format!("{session}/{}", talk.position);
        let call = Call {
            id,
            record: &record,
            own_session: true,
            time: moment(event.timestamp.text()),
            tool: event.function.text(),
            arguments: &arguments,
            approved: decided(id, "approve") == Some("human"),
            cut,
            at,
            ..Call::default()
        };
        talk.calls.tool(&talk.voice, &call)?;
        if event.result.is_some() || event.error.0.is_some() || event.completed.get().is_some() {
            let outcome = match decided(id, "reject") {
                Some(_) => refused(),
                None => outcome(event.error.0.as_ref(), event.result),
            };
            talk.calls.settle(id, outcome)?;
        }
        if !event.events.is_empty() && depth < DEPTH {
            let inner = format!("{session}/agent-{}", event.agent.get().unwrap_or(event.function.text()));
            events(talk, &inner, &event.events, run, places, depth + 1)?;
        }
    }
    ControlFlow::Continue(())
}

/// Every sort of failure says whether the tool had begun.
fn outcome(error: Option<&Failure<'_>>, result: Option<&RawValue>) -> Outcome {
    let Some(error) = error else {
        let stated = ended(result, result, None);
        return if stated.succeeded.is_none() { ran_with(stated) } else { stated };
    };
    let came_back = output(result).filter(|text| !text.is_empty()).or_else(|| output(error.message));
    let outcome = match error.kind.text() {
        // Asked and denied; or not understood, so that nothing was called.
        "approval" | "parsing" => refused(),
        "timeout" | "output_limit" | "limit" => ran(Some(false), None),
        _ => failed(),
    };
    Outcome { output: came_back, ..outcome }
}

fn ran_with(stated: Outcome) -> Outcome {
    Outcome { executed: crate::model::Executed::Yes, ..stated }
}

/// The arguments with what is kept elsewhere in its place, and whether something of it is missing.
fn attached<'a>(arguments: &'a str, attachments: &BTreeMap<String, &RawValue>) -> (Cow<'a, str>, bool) {
    const MARK: &str = "\"attachment://";
    if !arguments.contains(MARK) {
        return (arguments.into(), false);
    }
    let (mut whole, mut cut) = (String::new(), false);
    let mut rest = arguments;
    while let Some((before, behind)) = rest.split_once(MARK) {
        whole.push_str(before);
        let Some((name, after)) = behind.split_once('"') else { break };
        match attachments.get(name) {
            Some(text) => whole.push_str(text.get()),
            None => {
                cut = true;
                whole.push_str(MARK);
                whole.push_str(name);
                whole.push('"');
            }
        }
        rest = after;
    }
    whole.push_str(rest);
    (whole.into(), cut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::transcript::shown;

    #[test]
    fn events_are_the_calls() {
        let text = r#"{"version":2,"status":"success","eval":{"run_id":"r","task_id":"t"},"plan":{},"samples":[
{"id":"s","epoch":2,"attachments":{"k":"ls -l"},"messages":[],"events":[
{"event":"approval","call":{"id":"c1"},"approver":"human","decision":"approve"},
{"event":"tool","id":"c1","function":"bash","arguments":{"cmd":"attachment://k"},"result":"a"},
{"event":"tool","id":"c2","function":"bash","arguments":{"cmd":"attachment://gone"},"error":{"type":"timeout","message":"late"}}]},
{"id":"s","epoch":3,"messages":[
{"role":"assistant","tool_calls":[{"id":"m1","function":"python","arguments":{"code":"1"}}]},
{"role":"tool","tool_call_id":"m1","content":"","error":{"type":"approval","message":"no"}},
{"role":"tool","tool_call_id":"m2","function":"bash","content":"x","error":null}]},
{"id":"#;
        let all = crate::reader::collect::read_all(&InspectAi, "l.json", text.as_bytes());
        assert_eq!(all.matches("gap=truncated/anything").count(), 1);
        assert_eq!(all.matches(" approved").count(), 1);
        assert_eq!(
            shown(&InspectAi, "l.json", text.as_bytes()),
            "L4 tool \"ls -l\" session=l/sample s epoch 2 actor=agent:model exec=yes tool=bash\n\
             L5 tool \"attachment://gone\" session=l/sample s epoch 2 actor=agent:model exec=yes failed tool=bash\n\
             L7 tool \"1\" session=l/sample s epoch 3 actor=agent:model exec=no tool=python\n\
             L9 tool \"\" session=l/sample s epoch 3 actor=agent:model exec=yes tool=bash gap=parameters-missing/anything\n\
             L10 issue: not a JSON record: EOF while parsing a value (it may have been cut off while the file was written or copied; read the original)\n"
        );
    }
}
