//! tau-bench results: one list of runs, each with the messages of a task that was tried once.
//!
//! `[{"task_id":3,"trial":0,"reward":1.0,"info":{…},"traj":[{"role":"assistant","tool_calls":[{"id":"call_…","function":{"name":"cancel_order","arguments":"{\"order_id\":\"7\"}"}}]},…]}]`

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::reader::transcript::{At, Document, Places, Talk, Word, file_session, has};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct TauBench;

const NAME: &str = "tau_bench";

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Run<'a> {
    #[serde(borrow)]
    task_id: Word<'a>,
    #[serde(borrow)]
    trial: Word<'a>,
    #[serde(borrow)]
    traj: Option<&'a RawValue>,
}

impl Reader for TauBench {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "tau-bench result files: one run of a task per list element, with its messages"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let has = |key| has(sample.head, key);
        let marks = has("\"task_id\"") && has("\"reward\"") && has("\"traj\"");
        if marks && sample.head.trim_ascii_start().starts_with(b"[") { Match::Certain } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut talk = Talk::new(source, NAME, "assistant", out).of_runs();
        let Some(document) = Document::read(input) else {
            let _ = talk.calls.too_long(At::default());
            talk.finish();
            return Ok(());
        };
        let stem = file_session(source);
        if let Err(error) = document.each(&[], &mut |run, at| one(&mut talk, &stem, run, at)) {
            let _ = talk.calls.unreadable(At { line: error.line() as u64, offset: 0 }, &error);
        }
        talk.finish();
        document.broke.map_or(Ok(()), Err)
    }
}

fn one(talk: &mut Talk<'_>, stem: &str, element: &RawValue, at: At) -> ControlFlow<()> {
    let run: Run<'_> = match serde_json::from_str(element.get()) {
        Ok(run) => run,
        Err(_) if !element.get().starts_with('{') => return talk.calls.nothing(),
        Err(error) => return talk.calls.unreadable(at, &error),
    };
    let Some(messages) = run.traj.filter(|traj| traj.get().starts_with('[')) else { return talk.calls.nothing() };
    talk.begin(&format!("{stem}/task {} trial {}", run.task_id.text(), run.trial.get().unwrap_or("0")));
    let mut places = Places::new(element.get(), at);
    let messages: Vec<&RawValue> = serde_json::from_str(messages.get()).unwrap_or_default();
    messages.into_iter().try_for_each(|message| talk.element(message, places.of(message)))
}
