//! Makes the actions of one file by a mapping, and keeps count of what the mapping asked for and did not get.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde_json::Value;

use super::record::{Got, Seen, arguments, is_needed, plain, truth, whole, words};
use super::{FORMAT, Field, Key, Map, nearest};
use crate::model::{
    Action, Actor, ActorKind, Environment, Executed, Gap, GapKind, Hides, Issue, Kind, Outcome, Surroundings, Timestamp,
};
use crate::reader::record::quoted;
use crate::reader::recorder::{Found, Place, Recorder};
use crate::reader::{Out, Source, action_record};

/// So many of one sort of note are told where they are; the others are counted.
const TOLD: u64 = 3;

pub(super) struct Making<'m> {
    pub(super) map: &'m Map,
    recorder: Recorder,
    dialect: Option<String>,
    /// Records that were looked at.
    pub(super) records: u64,
    /// Records that `only` leaves out.
    left_out: u64,
    /// Records that a field has something for, in the order of the mapping.
    hits: Vec<u64>,
    only_hits: Vec<u64>,
    notes: BTreeMap<(Key, bool), u64>,
    /// What the first record has, to say what a path could have meant.
    pub(super) known: Vec<String>,
    zone_said: bool,
    last: Place,
}

/// A record that is not taken, and what to do.
struct Unfit {
    problem: String,
    advice: String,
}

impl<'m> Making<'m> {
    pub(super) fn new(map: &'m Map, source: &Source) -> Self {
        Self {
            map,
            recorder: Recorder::new(source, FORMAT),
            dialect: source.options.dialect.clone(),
            records: 0,
            left_out: 0,
            hits: vec![0; map.fields.len()],
            only_hits: vec![0; map.only.len()],
            notes: BTreeMap::new(),
            known: Vec::new(),
            zone_said: false,
            last: Place::default(),
        }
    }

    pub(super) fn lost(&self, place: Place, problem: impl Into<String>, advice: &str) -> Issue {
        self.recorder.lost(place, problem, advice)
    }

    pub(super) fn note(&self, place: Place, problem: impl Into<String>, advice: &str) -> Issue {
        self.recorder.note(place, problem, advice)
    }

    /// Takes one record. `row` numbers what has no byte of its own in the file.
    pub(super) fn record(
        &mut self,
        seen: Seen<'_>,
        place: Place,
        row: Option<u64>,
        out: &mut dyn Out,
    ) -> ControlFlow<()> {
        self.records += 1;
        self.last = place;
        if self.known.is_empty() {
            names(seen.record, "", 0, &mut self.known);
        }
        if !self.is_wanted(seen) {
            self.left_out += 1;
            return ControlFlow::Continue(());
        }
        let mut values = Vec::with_capacity(self.map.fields.len());
        for (field, hits) in self.map.fields.iter().zip(&mut self.hits) {
            let mut hit = false;
            values.push((field, seen.of(&field.given, &mut hit)));
            *hits += u64::from(hit);
        }
        let mut given = Given { map: &self.map.name, values, notes: Vec::new(), zone_guessed: false };
        let made = given.action(place, self.dialect.as_deref());
        let Given { notes, zone_guessed, .. } = given;
        for (key, odd, problem, advice) in notes {
            let count = self.notes.entry((key, odd)).or_default();
            *count += 1;
            if *count <= TOLD {
                out.issue(self.recorder.note(place, problem, &advice))?;
            }
        }
        if zone_guessed && !std::mem::replace(&mut self.zone_said, true) {
            let line = self.map.field(Key::Time).map_or(0, |field| field.line);
            let advice = format!("give `zone` beside `from` ({}:{line}), such as `zone = \"+02:00\"`", self.map.name);
            out.issue(self.recorder.note(place, "the times do not say their zone and are read as UTC", &advice))?;
        }
        match made {
            Ok(made) => out.action(self.finished(made, row)),
            Err(Unfit { problem, advice }) => out.issue(self.recorder.lost(place, problem, &advice)),
        }
    }

    fn is_wanted(&mut self, seen: Seen<'_>) -> bool {
        let mut wanted = true;
        for (only, hits) in self.map.only.iter().zip(&mut self.only_hits) {
            let found = seen.at(&only.path);
            *hits += u64::from(!found.is_empty());
            wanted &= only.condition.holds(&found);
        }
        wanted
    }

    fn finished(&mut self, made: Made, row: Option<u64>) -> Action {
        let Made { mut found, tool, arguments, approved } = made;
        if found.native.is_empty()
            && let Some(row) = row
        {
            let file = crate::reader::record::file_name(&self.recorder.source.file);
            found.native = format!("{file} row {row}");
        }
        let mut action = self.recorder.action(found);
        action.tool = tool.map(Into::into);
        action.arguments = arguments.map(Into::into);
        action.approved = approved;
        action
    }

    /// The file is at its end: what of the mapping none of its records had.
    pub(super) fn finish(mut self, out: &mut dyn Out) -> ControlFlow<()> {
        let (records, place) = (self.records, self.last);
        let name = &self.map.name;
        if records == 0 {
            return ControlFlow::Continue(());
        }
        for (only, hits) in self.map.only.iter().zip(&self.only_hits) {
            if *hits == 0 {
                let problem = format!("`{}` (`only`, {name}:{}) is in none of {}", only.path, only.line, many(records));
                out.issue(self.recorder.note(place, problem, &self.meant(only.path.first())))?;
            }
        }
        if self.left_out == records {
            // Nothing was looked at: that is not a log that was read well.
            let problem = format!("none of {} is what `only` in {name} asks for", many(records));
            return out.issue(self.recorder.note(place, problem, "loosen `only`, or read other files"));
        }
        for _ in 0..std::mem::take(&mut self.left_out) {
            out.nothing();
        }
        let looked_at = format!("none of {}", many(records));
        for (field, hits) in self.map.fields.iter().zip(&self.hits) {
            if *hits == 0 && !field.given.optional {
                let Field { key, line, given } = field;
                let matched = if given.pattern.is_some() { " as `pattern` wants it" } else { "" };
                let problem = format!("{} (`{key}`, {name}:{line}) is in {looked_at}{matched}", field.places());
                let first = given.from.first().and_then(|path| path.first());
                out.issue(self.recorder.note(place, problem, &self.meant(first)))?;
            }
        }
        for ((key, odd), count) in std::mem::take(&mut self.notes) {
            if count > TOLD {
                let what = if odd { "has a value without a meaning" } else { "could not be read" };
                let problem = format!("`{key}` {what} in {}", many(count));
                out.issue(self.recorder.note(place, problem, "the first ones are shown above"))?;
            }
        }
        ControlFlow::Continue(())
    }

    /// What a path could have meant, and what else can be done.
    fn meant(&self, first: Option<&str>) -> String {
        let near = first.and_then(|name| {
            let last = |path: &'_ str| path.rsplit('.').next().unwrap_or(path).to_owned();
            let exact = self.known.iter().find(|known| *known == name || last(known) == name);
            exact.map(String::as_str).or_else(|| nearest(name, self.known.iter().map(String::as_str)))
        });
        match near {
            Some(near) if first != Some(near) => format!("did you mean `{near}`?"),
            _ => {
                const SHOWN: usize = 12;
                let shown: Vec<String> = self.known.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
                let more = if self.known.len() > SHOWN { " …" } else { "" };
                format!("the first record has {}{more}", shown.join(", "))
            }
        }
    }
}

fn many(records: u64) -> String {
    if records == 1 { "1 record".to_owned() } else { format!("{records} records") }
}

/// The paths of a record that lead to something.
fn names(value: &Value, before: &str, depth: usize, known: &mut Vec<String>) {
    const MOST: usize = 200;
    const DEEPEST: usize = 4;
    let Value::Object(members) = value else { return };
    for (name, inner) in members {
        if known.len() >= MOST {
            return;
        }
        let odd = name.is_empty() || name.contains(['.', '[', ']', '"']);
        let name = if odd { format!("\"{name}\"") } else { name.clone() };
        let path = if before.is_empty() { name } else { format!("{before}.{name}") };
        match inner {
            Value::Object(_) if depth < DEEPEST => names(inner, &path, depth + 1, known),
            _ => known.push(path),
        }
    }
}

/// The values of one record, each taken once.
struct Given<'m> {
    map: &'m str,
    values: Vec<(&'m Field, Got)>,
    /// Field, whether a word had no meaning, problem, advice.
    notes: Vec<(Key, bool, String, String)>,
    zone_guessed: bool,
}

/// What a record gives.
struct Made {
    found: Found,
    tool: Option<String>,
    arguments: Option<String>,
    approved: bool,
}

impl<'m> Given<'m> {
    fn action(&mut self, place: Place, dialect: Option<&str>) -> Result<Made, Unfit> {
        let kind = self.kind()?;
        let text = self.text(Key::Text);
        let argv = self.read(Key::Argv, words).filter(|argv| !argv.is_empty());
        let tool = self.text(Key::Tool);
        let arguments = self.take(Key::Arguments).map(|(_, value)| arguments(&value));
        let mut found = match kind {
            Kind::Shell => Found::shell(text.ok_or_else(|| self.missing(Key::Text, kind))?, place),
            Kind::Sql => Found::sql(text.ok_or_else(|| self.missing(Key::Text, kind))?, "", place),
            Kind::Exec => Found::exec(argv.ok_or_else(|| self.missing(Key::Argv, kind))?, place),
            Kind::Tool | Kind::Api => {
                let tool = tool.as_deref().ok_or_else(|| self.missing(Key::Tool, kind))?;
                let said = text.unwrap_or_else(|| action_record::said(tool, arguments.as_deref()));
                Found { kind, ..Found::shell(said, place) }
            }
        };
        debug_assert!(found.argv.as_ref().is_none_or(|argv| quoted(argv) == found.text));
        found.surroundings = Surroundings {
            environment: self.word(Key::Environment, Environment::from_word),
            cwd: self.text(Key::Cwd),
            home: self.text(Key::Home),
            host: self.text(Key::Host),
            user: self.text(Key::User),
            database: self.text(Key::Database),
            account: self.text(Key::Account),
            cluster: self.text(Key::Cluster),
            version: self.text(Key::Version),
            dialect: self.text(Key::Dialect).or_else(|| dialect.map(str::to_owned)),
        };
        let name = self.text(Key::Actor);
        let actor_kind = self.word(Key::ActorKind, ActorKind::from_word).unwrap_or_default();
        found.session = self.text(Key::Session).unwrap_or_else(|| {
            // Who, and where: what is not one of them is nobody's session.
            let who = name.as_ref().or(found.surroundings.user.as_ref());
            let parts = [who, found.surroundings.host.as_ref().filter(|_| who.is_some())];
            parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("@")
        });
        found.actor =
            Actor { name: name.unwrap_or_else(|| "unknown".to_owned()), kind: actor_kind, groups: Vec::new() };
        found.native = self.text(Key::Id).unwrap_or_default();
        found.time = self.time();
        found.outcome = self.outcome();
        found.gaps = self.gaps();
        let approved = self.read(Key::Approved, truth).unwrap_or(false);
        let call = matches!(kind, Kind::Tool | Kind::Api);
        Ok(Made { found, tool: tool.filter(|_| call), arguments: arguments.filter(|_| call), approved })
    }

    /// The value of a field, once.
    fn take(&mut self, key: Key) -> Option<(&'m Field, Value)> {
        let (field, got) = self.values.iter_mut().find(|(field, _)| field.key == key)?;
        let field = *field;
        match std::mem::replace(got, Got::Nothing) {
            Got::Nothing => None,
            Got::Value(value) => Some((field, value)),
            Got::Unlisted(word) => {
                let problem = format!("`{key}` is `{word}`, which has no meaning; it is left out");
                let Field { line, .. } = field;
                let advice = format!("add it to `values` of `{key}` ({}:{line}), or give a `default`", self.map);
                self.notes.push((key, true, problem, advice));
                None
            }
        }
    }

    fn read<T>(&mut self, key: Key, read: impl FnOnce(&Value) -> Result<T, String>) -> Option<T> {
        let (field, value) = self.take(key)?;
        read(&value)
            .map_err(|what| {
                let problem = format!("`{key}` is {what}; it is left out");
                let advice = format!("see {} ({}:{})", field.places(), self.map, field.line);
                self.notes.push((key, false, problem, advice));
            })
            .ok()
    }

    fn text(&mut self, key: Key) -> Option<String> {
        self.read(key, plain).filter(|text| !text.trim().is_empty())
    }

    fn word<T>(&mut self, key: Key, from: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let (field, value) = self.take(key)?;
        let word = plain(&value).unwrap_or_else(|_| value.to_string());
        let found = from(&word).or_else(|| None);
        if found.is_none() {
            let problem = format!("`{key}` is `{word}`; it is left out");
            self.notes.push((key, true, problem, field.advice(self.map)));
        }
        found
    }

    fn kind(&mut self) -> Result<Kind, Unfit> {
        let Some((field, got)) = self.values.iter().find(|(field, _)| field.key == Key::Kind) else {
            return Err(Unfit { problem: "no `kind`".to_owned(), advice: "give it in the mapping".to_owned() });
        };
        let map = self.map;
        let word = match got {
            Got::Nothing => {
                let problem = format!("nothing at {}: what kind of action it is", field.places());
                let advice = format!("give `kind` a `default` ({map}:{}), or leave it out with `only`", field.line);
                return Err(Unfit { problem, advice });
            }
            Got::Value(value) => plain(value).unwrap_or_else(|_| value.to_string()),
            Got::Unlisted(word) => word.clone(),
        };
        Kind::from_word(&word).ok_or_else(|| Unfit {
            problem: format!("`kind` is `{word}`"),
            advice: format!("{}, or leave it out with `only`", field.advice(map)),
        })
    }

    /// Why there is no action.
    fn missing(&self, key: Key, kind: Kind) -> Unfit {
        debug_assert!(is_needed(key));
        if let Some((.., problem, advice)) = self.notes.iter().find(|(noted, ..)| *noted == key) {
            let problem = problem.replace("; it is left out", "");
            return Unfit { problem, advice: advice.clone() };
        }
        let map = self.map;
        match self.values.iter().find(|(field, _)| field.key == key) {
            Some((field, _)) => Unfit {
                problem: format!("nothing at {}, and `{key}` of a `{kind}` action comes from there", field.places()),
                advice: format!("mend the path ({map}:{}), or leave such records out with `only`", field.line),
            },
            None => Unfit {
                problem: format!("an action of kind `{kind}` needs `{key}`, which {map} does not give"),
                advice: "add it to `[fields]`".to_owned(),
            },
        }
    }

    fn time(&mut self) -> Option<Timestamp> {
        let (field, value) = self.take(Key::Time)?;
        let single = match &value {
            Value::Array(elements) if elements.len() == 1 => &elements[0],
            other => other,
        };
        let Some(read) = field.given.time.read(single) else {
            let shown = plain(&value).unwrap_or_else(|_| value.to_string());
            let problem = format!("`{shown}` is not a time as the mapping says; it is left out");
            let advice = format!("give its `format` ({}:{})", self.map, field.line);
            self.notes.push((Key::Time, false, problem, advice));
            return None;
        };
        self.zone_guessed |= read.zone_guessed;
        Some(read.time)
    }

    fn outcome(&mut self) -> Outcome {
        let told = self.word(Key::Outcome, |word| match word {
            "ok" => Some((Executed::Yes, Some(true))),
            "failed" => Some((Executed::Yes, Some(false))),
            "denied" => Some((Executed::No, None)),
            "unknown" => Some((Executed::Unknown, None)),
            _ => None,
        });
        let executed = self.word(Key::Executed, |word| match word {
            "true" | "1" => Some(Executed::Yes),
            "false" | "0" => Some(Executed::No),
            word => Executed::from_word(word),
        });
        let exit_code = self.read(Key::ExitCode, |value| {
            whole(value).and_then(|code| i32::try_from(code).map_err(|_| format!("`{code}`, which is no exit code")))
        });
        let succeeded = self.read(Key::Succeeded, truth);
        let rows = self.read(Key::Rows, |value| {
            whole(value).and_then(|rows| u64::try_from(rows).map_err(|_| format!("`{rows}`, which is no count")))
        });
        let output = self.text(Key::Output).map(|output| Outcome::kept(&output));
        let (said, ended) = told.unwrap_or_default();
        // What ended with a code, changed rows or answered, ran.
        let ran = exit_code.is_some() || succeeded.is_some() || rows.is_some() || output.is_some();
        let implied = if told.is_none() && ran { Executed::Yes } else { said };
        Outcome {
            executed: executed.unwrap_or(implied),
            succeeded: succeeded.or(ended).or(exit_code.map(|code| code == 0)),
            exit_code,
            rows,
            output,
        }
    }

    fn gaps(&mut self) -> Vec<Gap> {
        let flags = [
            (Key::Truncated, GapKind::Truncated),
            (Key::Redacted, GapKind::Redacted),
            (Key::ParametersMissing, GapKind::ParametersMissing),
            (Key::BodyMissing, GapKind::BodyMissing),
        ];
        let mut gaps = Vec::new();
        for (key, kind) in flags {
            if self.read(key, truth) == Some(true) {
                gaps.push(Gap { kind, hides: Hides::Anything, span: None, detail: "said by the record".to_owned() });
            }
        }
        gaps
    }
}
