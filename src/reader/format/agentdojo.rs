//! AgentDojo: runs as the benchmark itself saves them (one JSON document each, or one per line), and exports whose first
//! line says which benchmark it was.
//!
//! `{"suite_name":"banking","user_task_id":"user_task_0","injection_task_id":null,"messages":[{"role":"assistant","tool_calls":[{"function":"send_money","args":{"amount":5},"id":"call_…"}]},{"role":"tool","tool_call_id":"call_…","content":"…","error":null}]}`

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::reader::transcript::{At, Document, Loose, Places, Talk, Word, each_line, file_session, has, is_document};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct AgentDojo;

const NAME: &str = "agentdojo";

/// A run; exports have what names it in `metadata`.
#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Run<'a> {
    #[serde(borrow)]
    run_id: Word<'a>,
    #[serde(borrow)]
    suite_name: Word<'a>,
    #[serde(borrow)]
    name: Word<'a>,
    #[serde(borrow)]
    user_task_id: Word<'a>,
    #[serde(borrow)]
    injection_task_id: Word<'a>,
    #[serde(borrow)]
    attack_type: Word<'a>,
    #[serde(borrow)]
    metadata: Loose<Box<RawRun<'a>>>,
    #[serde(borrow)]
    messages: Option<&'a RawValue>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct RawRun<'a> {
    #[serde(borrow)]
    suite_name: Word<'a>,
    #[serde(borrow)]
    name: Word<'a>,
}

impl Run<'_> {
    /// What its session is called, under the file's name.
    fn session(&self) -> String {
        if let Some(id) = self.run_id.get() {
            return id.to_owned();
        }
        let inner = self.metadata.0.as_deref();
        let suite = self.suite_name.get().or_else(|| inner?.suite_name.get());
        let name = self.name.get().or_else(|| inner?.name.get());
        let tasks = [&self.user_task_id, &self.injection_task_id, &self.attack_type].map(Word::get);
        let tasks: Vec<&str> = tasks.into_iter().flatten().collect();
        let name = name.map_or_else(|| tasks.join("/"), str::to_owned);
        [suite.unwrap_or_default(), &name].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
    }
}

impl Reader for AgentDojo {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "AgentDojo runs (JSON) and exports (JSON Lines), attacked or not"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let has = |key| has(sample.head, key);
        let export = has("\"benchmark\"") && has("\"agent-dojo\"");
        let run = has("\"suite_name\"") && (has("\"pipeline_name\"") || has("\"user_task_id\""));
        let said = has("\"messages\"") || has("\"run_id\"");
        if (export || run && said) && sample.head.trim_ascii_start().starts_with(b"{") {
            Match::Certain
        } else {
            Match::No
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut runs = Runs { talk: Talk::new(source, NAME, "assistant", out).of_runs(), stem: file_session(source) };
        let read = if is_document(input.fill_buf()?) {
            runs.document(input)
        } else {
            each_line(input, &mut |text, at| match text {
                Some(text) => match runs.talk.calls.record(text, at) {
                    Ok(run) => runs.run(run, &mut Places::new(text, at)),
                    Err(flow) => flow,
                },
                None => runs.talk.calls.too_long(at),
            })
        };
        runs.talk.finish();
        read
    }
}

struct Runs<'o> {
    talk: Talk<'o>,
    stem: String,
}

impl Runs<'_> {
    fn document(&mut self, input: &mut dyn BufRead) -> io::Result<()> {
        let Some(document) = Document::read(input) else {
            let _ = self.talk.calls.too_long(At::default());
            return Ok(());
        };
        let text = document.text();
        match serde_json::from_str::<Run<'_>>(text) {
            Ok(run) => {
                let _ = self.run(run, &mut Places::new(text, At { line: 1, offset: 0 }));
            }
            // Broken off, or a list: what stands before the damage is read.
            Err(_) => {
                let read = document.each(&["messages"], &mut |element, at| self.talk.element(element, at));
                if let Err(error) = read {
                    let _ = self.talk.calls.unreadable(At { line: error.line() as u64, offset: 0 }, &error);
                }
            }
        }
        document.broke.map_or(Ok(()), Err)
    }

    fn run(&mut self, run: Run<'_>, places: &mut Places<'_>) -> ControlFlow<()> {
        let Some(messages) = run.messages.filter(|messages| messages.get().starts_with('[')) else {
            return self.talk.calls.nothing();
        };
        let name = run.session();
        let session = if name.is_empty() { self.stem.clone() } else { format!("{}/{name}", self.stem) };
        self.talk.begin(&session);
        let messages: Vec<&RawValue> = serde_json::from_str(messages.get()).unwrap_or_default();
        messages.into_iter().try_for_each(|message| self.talk.element(message, places.of(message)))
    }
}
