//! Our own JSON Lines, for recorders that write for nearmiss. Strict, because it is ours.
//!
//! `{"time":"2026-03-01T09:00:00Z","actor":{"name":"deploy","kind":"service"},"session":"ci-7","kind":"shell","text":"make"}`

use std::io::{self, BufRead};
use std::sync::Arc;

use crate::model::{Action, Actor, Issue, Surroundings};
use crate::reader::action_record::{self, Record};
use crate::reader::record::{Lines, action_id, file_name};
use crate::reader::{Match, Out, Reader, Sample, Source, fields};

/// `--from actions`.
#[derive(Clone, Copy, Debug)]
pub struct Actions;

impl Reader for Actions {
    fn name(&self) -> &'static str {
        "actions"
    }

    fn about(&self) -> &'static str {
        "nearmiss's own JSON Lines: kind and text (or argv, or tool and arguments), and what is known around them"
    }

    fn detect(&self, sample: &Sample<'_>) -> Match {
        let first = sample.head.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty());
        // A first record longer than the sample breaks off in it; what was seen until there counts.
        let text = match first.map(std::str::from_utf8) {
            None => return Match::No,
            Some(Ok(text)) => text,
            Some(Err(error)) => {
                let valid = first.and_then(|line| line.get(..error.valid_up_to())).unwrap_or_default();
                std::str::from_utf8(valid).unwrap_or_default()
            }
        };
        let (mut kind, mut what, mut foreign) = (false, false, false);
        let _ = fields::each(text, |name, value| match name.as_str() {
            "kind" => kind = action_record::kind(value).is_ok(),
            "text" | "argv" | "tool" => what = true,
            name => foreign |= !action_record::KEYS.contains(&name),
        });
        match (kind && what, foreign) {
            (false, _) => Match::No,
            (true, true) => Match::Likely,
            (true, false) => Match::Certain,
        }
    }

    fn read(&self, input: &mut dyn BufRead, source: &Source, out: &mut dyn Out) -> io::Result<()> {
        let mut shared = Shared::new(source);
        let mut lines = Lines::new(input);
        while let Some(line) = lines.next_line()? {
            if line.bytes.trim_ascii().is_empty() {
                continue;
            }
            if line.cut {
                if out.issue(line.too_long(source)).is_break() {
                    return Ok(());
                }
                continue;
            }
            let read = std::str::from_utf8(line.bytes)
                .map_err(|error| action_record::Refused {
                    at: error.valid_up_to(),
                    problem: "not UTF-8".to_owned(),
                    advice: "write JSON Lines in UTF-8".to_owned(),
                })
                .and_then(|text| Record::read(text, source));
            let flow = match read {
                Err(refused) => out.issue(Issue {
                    offset: line.offset + refused.at as u64,
                    ..line.lost(source, refused.problem, refused.advice)
                }),
                Ok(record) => {
                    for (problem, advice) in &record.notes {
                        if out.issue(line.note(source, problem.as_str(), advice.as_str())).is_break() {
                            return Ok(());
                        }
                    }
                    let number = line.number.to_string();
                    let session = record.session.as_deref().unwrap_or(&shared.name);
                    let native = record.id.as_deref().unwrap_or(&number);
                    let id = action_id(&[self.name(), session, native, &record.text].map(str::as_bytes));
                    let origin = line.origin(source, self.name());
                    let surroundings = shared.surroundings(record.surroundings);
                    out.action(Action {
                        id,
                        time: record.time,
                        actor: shared.actor(record.actor),
                        session: shared.session(record.session),
                        kind: record.kind,
                        text: Arc::from(record.text),
                        argv: record.argv.map(Arc::from),
                        tool: record.tool.map(Arc::from),
                        arguments: record.arguments.map(Arc::from),
                        surroundings,
                        outcome: record.outcome,
                        approved: record.approved,
                        gaps: record.gaps,
                        origin,
                    })
                }
            };
            if flow.is_break() {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// What neighbouring records have in common is kept once.
struct Shared {
    /// What ids are made from.
    name: Arc<str>,
    file: Arc<str>,
    actor: Arc<Actor>,
    session: Arc<str>,
    surroundings: Arc<Surroundings>,
}

impl Shared {
    fn new(source: &Source) -> Self {
        let file = source.session();
        Self {
            name: Arc::from(file_name(&source.file)),
            session: file.clone(),
            file,
            actor: Arc::default(),
            surroundings: Arc::default(),
        }
    }

    fn actor(&mut self, actor: Actor) -> Arc<Actor> {
        if *self.actor != actor {
            self.actor = Arc::new(actor);
        }
        self.actor.clone()
    }

    fn session(&mut self, session: Option<String>) -> Arc<str> {
        match session {
            None => return self.file.clone(),
            Some(session) if *self.session == *session => {}
            Some(session) => self.session = Arc::from(session),
        }
        self.session.clone()
    }

    fn surroundings(&mut self, surroundings: Surroundings) -> Arc<Surroundings> {
        if *self.surroundings != surroundings {
            self.surroundings = Arc::new(surroundings);
        }
        self.surroundings.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::collect::read_all;

    #[track_caller]
    fn check(input: &str, expected: &str) {
        assert_eq!(read_all(&Actions, "day.jsonl", input.as_bytes()).trim_end(), expected);
    }

    #[test]
    fn the_smallest_record() {
        check(r#"{"kind":"shell","text":"make"}"#, r#"L1 shell "make" session=day.jsonl actor=unknown:unknown"#);
    }

    #[test]
    fn everything_a_record_can_say() {
        check(
            r#"{"id":"a1","time":"2026-03-01T10:00:00.5+01:00","actor":{"name":"nightly","kind":"service"},"session":"s","kind":"sql","text":"DELETE FROM t","cwd":"/srv","home":"/root","dialect":"mysql","environment":"staging","host":"db1","user":"app","database":"shop","account":"42","cluster":"eu","approved":true,"outcome":{"executed":true,"succeeded":true,"exit_code":0,"rows":3}}"#,
            "L1 sql \"DELETE FROM t\" session=s actor=service:nightly time=2026-03-01T09:00:00.5Z exec=yes ok exit=0 rows=3 \
             environment=staging cwd=/srv home=/root host=db1 user=app database=shop account=42 cluster=eu dialect=mysql approved",
        );
    }

    #[test]
    fn argv_and_tools() {
        check(
            r#"{"kind":"exec","argv":["rm","a b"],"actor":"bob"}
{"kind":"tool","tool":"Bash","arguments":{"n":1.50, "command":"ls"}}
{"kind":"api","tool":"DeleteBucket","text":"delete the bucket"}"#,
            r#"L1 exec "rm 'a b'" argv=["rm", "a b"] session=day.jsonl actor=unknown:bob
L2 tool "ls" session=day.jsonl actor=unknown:unknown tool=Bash arguments={"n":1.50, "command":"ls"}
L3 api "delete the bucket" session=day.jsonl actor=unknown:unknown tool=DeleteBucket"#,
        );
    }

    #[test]
    fn outcomes() {
        check(
            r#"{"kind":"shell","text":"a","outcome":"ok"}
{"kind":"shell","text":"b","outcome":"failed"}
{"kind":"shell","text":"c","outcome":"denied"}
{"kind":"shell","text":"d","outcome":{"exit_code":2}}
{"kind":"shell","text":"e","outcome":"great"}"#,
            "L1 shell \"a\" session=day.jsonl actor=unknown:unknown exec=yes ok
L2 shell \"b\" session=day.jsonl actor=unknown:unknown exec=yes failed
L3 shell \"c\" session=day.jsonl actor=unknown:unknown exec=no
L4 shell \"d\" session=day.jsonl actor=unknown:unknown exec=yes failed exit=2
L5 note: unknown outcome `great` (write `ok`, `failed`, `denied` or `unknown`, or an object)
L5 shell \"e\" session=day.jsonl actor=unknown:unknown",
        );
    }

    #[test]
    fn what_is_wrong_is_said_and_the_rest_goes_on() {
        check(
            r#"{"kind":"shel","text":"a"}
{"kind":"shell"}
{"text":"a"}
{"kind":"exec","text":"a"}
{"kind":"tool","text":"a"}
{"kind":"shell","text":"a","kind":"sql"}
not json
{"kind":"shell","text":"b","colour":1}

{"kind":"shell","text":"c","cwd":7,"time":"noon"}"#,
            "L1 issue: unknown kind `shel` (write `shell`, `sql`, `exec`, `tool` or `api`)
L2 issue: no `text` (a record of kind `shell` needs it: the command as it was typed)
L3 issue: no `kind` (write `shell`, `sql`, `exec`, `tool` or `api`)
L4 issue: no `argv` (a record of kind `exec` needs it: the exact words as a list of strings)
L5 issue: no `tool` (a record of kind `tool` needs it: the name of the tool or operation)
L6 issue: `kind` is given twice (leave one out)
L7 issue: not a JSON object: expected `{` (one object per line)
L8 note: unknown key `colour` (it is left out; see `nearmiss formats` for the keys)
L8 shell \"b\" session=day.jsonl actor=unknown:unknown
L10 note: `cwd` is not a string (it is left out)
L10 note: unknown time `noon` (write RFC 3339 with an offset, or seconds since 1970)
L10 shell \"c\" session=day.jsonl actor=unknown:unknown",
        );
    }

    #[test]
    fn a_value_of_the_wrong_type_is_not_called_missing() {
        check(
            r#"{"kind":"shell","text":["ls"]}
{"kind":"shell","text":" "}
{"kind":"exec","argv":[]}"#,
            "L1 issue: `text` is not a string (a record of kind `shell` needs it: the command as it was typed)
L2 issue: no `text` (a record of kind `shell` needs it: the command as it was typed)
L3 issue: no `argv` (a record of kind `exec` needs it: the exact words as a list of strings)",
        );
    }

    #[test]
    fn keys_of_another_kind_are_noted() {
        check(
            r#"{"kind":"shell","text":"ls","argv":["ls"],"arguments":{}}"#,
            "L1 note: `argv` says nothing about kind `shell` (leave it out, or change the kind)
L1 note: `arguments` says nothing about kind `shell` (leave it out, or change the kind)
L1 shell \"ls\" session=day.jsonl actor=unknown:unknown",
        );
    }

    #[test]
    fn what_the_recorder_cut_off_is_a_gap() {
        check(
            r#"{"kind":"shell","text":"rm -rf /v","gaps":["truncated"]}
{"kind":"shell","text":"x","gaps":["dynamic-code"]}"#,
            "L1 shell \"rm -rf /v\" session=day.jsonl actor=unknown:unknown gap=truncated/anything
L2 note: unknown gap `dynamic-code` (write `truncated`, `redacted`, `parameters-missing` or `body-missing`)
L2 shell \"x\" session=day.jsonl actor=unknown:unknown gap=truncated/anything",
        );
    }

    #[test]
    fn issues_name_the_byte() {
        let source = Source { file: Arc::from("x"), options: Arc::default(), database: None };
        let mut out = Offsets(Vec::new());
        Actions.read(&mut &b"\n{\"kind\":\"shell\",}\n\xff\n"[..], &source, &mut out).unwrap();
        assert_eq!(out.0, [17, 19]);
    }

    struct Offsets(Vec<u64>);

    impl Out for Offsets {
        fn action(&mut self, _: Action) -> std::ops::ControlFlow<()> {
            std::ops::ControlFlow::Continue(())
        }

        fn nothing(&mut self) {}

        fn issue(&mut self, issue: Issue) -> std::ops::ControlFlow<()> {
            self.0.push(issue.offset);
            std::ops::ControlFlow::Continue(())
        }
    }

    #[test]
    fn ids_follow_the_record_and_not_the_folder() {
        let ids = |file: &str, input: &str| {
            let source = Source { file: Arc::from(file), options: Arc::default(), database: None };
            let mut out = crate::reader::collect::Collector::default();
            Actions.read(&mut input.as_bytes(), &source, &mut out).unwrap();
            out.actions.iter().map(|action| action.id).collect::<Vec<_>>()
        };
        let named = r#"{"id":"7","session":"s","kind":"shell","text":"a"}"#;
        assert_eq!(ids("/one/x.jsonl", named), ids("two/y.jsonl", &format!("\n\n{named}")));
        let unnamed = r#"{"kind":"shell","text":"a"}"#;
        assert_eq!(ids("/one/x.jsonl", unnamed), ids("two/x.jsonl", unnamed));
        assert_ne!(ids("x", unnamed), ids("x", &format!("\n{unnamed}")));
    }

    #[test]
    fn detected_by_its_keys() {
        let sure =
            |head: &str| Actions.detect(&Sample { head: head.as_bytes(), complete: false, name: "x", tables: &[] });
        assert_eq!(sure("\n{\"kind\":\"shell\",\"text\":\"a\"}\n"), Match::Certain);
        assert_eq!(sure("{\"kind\":\"shell\",\"text\":\"a\",\"more\":1}"), Match::Likely);
        assert_eq!(sure("{\"kind\":\"sql\",\"text\":\"a\",\"cwd\":\"/x"), Match::Certain);
        assert_eq!(sure("{\"kind\":\"Event\",\"text\":\"a\"}"), Match::No);
        assert_eq!(sure("ls"), Match::No);
        assert_eq!(sure(""), Match::No);
    }
}
