//! R-Judge and ASSEBench: records of what an agent did, written down as turns, with a label for safe or unsafe.
//!
//! `[{"id":7,"contents":[[{"role":"user","content":"…"},{"role":"agent","thought":"…","action":"SendMail: {\"to\": \"a\"}"},{"role":"environment","content":"…"}]],"label":1}]`

use std::io::{self, BufRead};
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::Outcome;
use crate::reader::transcript::{
    At, Document, List, Places, Talk, Word, ended, fenced, file_session, has, literal, python_call,
};
use crate::reader::{Match, Out, Reader, Sample, Source};

/// See the module's own page.
#[derive(Debug)]
pub struct RJudge;

const NAME: &str = "r_judge";

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Record<'a> {
    #[serde(borrow)]
    id: Word<'a>,
    #[serde(borrow)]
    contents: Option<&'a RawValue>,
}

#[derive(Deserialize, Debug, Default)]
#[serde(default)]
struct Turn<'a> {
    #[serde(borrow)]
    role: Word<'a>,
    #[serde(borrow)]
    action: Word<'a>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

impl Reader for RJudge {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "R-Judge and ASSEBench records: turns of user, agent and environment with a safety label"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let has = |key| has(sample.head, key);
        let marks = has("\"contents\"") && has("\"role\"") && has("\"label\"") && has("\"action\"");
        if marks && sample.head.trim_ascii_start().starts_with(b"[") { Match::Certain } else { Match::No }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut talk = Talk::new(source, NAME, "agent", out).of_runs();
        let Some(document) = Document::read(input) else {
            let _ = talk.calls.too_long(At::default());
            talk.finish();
            return Ok(());
        };
        let stem = file_session(source);
        let mut number = 0;
        let read = document.each(&[], &mut |element, at| {
            number += 1;
            one(&mut talk, &format!("{stem}/{number}"), element, at)
        });
        if let Err(error) = read {
            let _ = talk.calls.unreadable(At { line: error.line() as u64, offset: 0 }, &error);
        }
        talk.finish();
        document.broke.map_or(Ok(()), Err)
    }
}

fn one(talk: &mut Talk<'_>, session: &str, element: &RawValue, at: At) -> ControlFlow<()> {
    let record: Record<'_> = match serde_json::from_str(element.get()) {
        Ok(record) => record,
        Err(_) if !element.get().starts_with('{') => return talk.calls.nothing(),
        Err(error) => return talk.calls.unreadable(at, &error),
    };
    // The same id stands in front of several records.
    talk.begin(&format!("{session}-{}", record.id.text()));
    let mut places = Places::new(element.get(), at);
    let rounds: Vec<&RawValue> =
        record.contents.and_then(|contents| serde_json::from_str(contents.get()).ok()).unwrap_or_default();
    for round in rounds {
        let turns: List<&RawValue> = List(serde_json::from_str(round.get()).unwrap_or_default());
        let mut waiting = None;
        for element in turns.0 {
            let turn: Turn<'_> = serde_json::from_str(element.get()).unwrap_or_default();
            talk.position += 1;
            match turn.role.text() {
                "agent" => {
                    waiting = None;
                    let Some((tool, arguments)) = act(turn.action.text()) else {
                        talk.calls.nothing()?;
                        continue;
                    };
                    let id = format!("turn {}", talk.position);
                    talk.one(&id, &tool, &arguments, places.of(element))?;
                    waiting = Some(id);
                }
                "environment" => match waiting.take() {
                    Some(id) => {
                        let outcome = ended(turn.content, turn.content, None);
                        talk.calls.settle(&id, Outcome { executed: crate::model::Executed::Yes, ..outcome })?;
                    }
                    None => talk.calls.nothing()?,
                },
                _ => talk.calls.nothing()?,
            }
        }
    }
    ControlFlow::Continue(())
}

/// What the agent did, as tool and arguments; `None` where it only spoke.
fn act(action: &str) -> Option<(String, String)> {
    let action = action.trim();
    if let Some(command) = fenced(action, |language| matches!(language, "bash" | "sh")).last() {
        return Some(("bash".to_owned(), serde_json::json!({ "command": command }).to_string()));
    }
    if let Some(rest) = action.strip_prefix("\"command\":") {
        return command(rest);
    }
    let end = action.find(|c: char| !(c.is_alphanumeric() || "_.-".contains(c))).unwrap_or(action.len());
    let (name, rest) = action.split_at(end);
    let rest = rest.trim();
    let inner = rest.strip_prefix("Action Input:").or_else(|| rest.strip_prefix(':')).unwrap_or(rest).trim();
    if inner.starts_with('{') && !name.is_empty() {
        // The last thing a simulated agent calls is no tool: it is the answer.
        if matches!(name, "Complete" | "Finish") {
            return None;
        }
        let arguments = literal(inner).map_or_else(|| inner.to_owned(), |value| value.to_string());
        return Some((name.to_owned(), arguments));
    }
    if let Some((name, arguments)) = python_call(action) {
        return Some((name, arguments.to_string()));
    }
    if rest.starts_with('(') && action.ends_with(')') && !name.is_empty() {
        return Some((name.to_owned(), serde_json::json!({ "input": rest }).to_string()));
    }
    // Hands on a screen: `click <Settings>`, `Open <Mail>`.
    let verb = name.to_ascii_lowercase();
    let is_hand = matches!(verb.as_str(), "click" | "open" | "type" | "select" | "press" | "scroll")
        && (rest.starts_with('<') || rest.starts_with("http"));
    is_hand.then(|| (verb, serde_json::json!({ "target": rest }).to_string()))
}

/// `{"name": …, "args": {…}}`, often with a bracket too many behind it.
fn command(text: &str) -> Option<(String, String)> {
    #[derive(Deserialize)]
    struct Command {
        name: String,
        #[serde(default)]
        args: serde_json::Value,
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Command>();
    let command = values.next()?.ok()?;
    Some((command.name, command.args.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(action: &str, expected: &str) {
        let read = act(action).map(|(tool, arguments)| format!("{tool} {arguments}"));
        assert_eq!(read.as_deref().unwrap_or("-"), expected);
    }

    #[test]
    fn actions_are_written_in_many_ways() {
        check("GetPage{'url': 'https://example.org/'}", r#"GetPage {"url":"https://example.org/"}"#);
        check("SendMail\nAction Input: {\"to\": \"a\"}", r#"SendMail {"to":"a"}"#);
        check("Run: {\"command\": \"uname\"}\n", r#"Run {"command":"uname"}"#);
        check("\"command\": {\"name\": \"browse\", \"args\": {\"url\": \"x\"}}}", r#"browse {"url":"x"}"#);
        check("Post(id = 7)", r#"Post {"id":7}"#);
        check("Act: bash\n\n```bash\nls -l\n```", r#"bash {"command":"ls -l"}"#);
        check("click <Settings>", r#"click {"target":"<Settings>"}"#);
        check("Complete{'response': 'done'}", "-");
        check("Final Answer: I did it.", "-");
        check("I am sorry, but no.", "-");
        check("", "-");
    }
}
