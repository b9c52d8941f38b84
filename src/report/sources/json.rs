//! One JSON object for scripts. `docs/schemas/sources.json` describes it.

use std::io::{self, Write};

use serde::Serialize;

use crate::engine::inventory::Listed;
use crate::model::{ActorKind, GapKind};
use crate::report::redacted;

use super::{Place, SourcesReport, Told};

const SCHEMA_VERSION: u32 = 1;

#[derive(Debug)]
pub(super) struct Json;

impl SourcesReport for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn tell(&self, told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
        let settings = told
            .servers()
            .into_iter()
            .flat_map(|guide| guide.settings.iter().map(|(set, gives)| Setting { format: guide.name, set, gives }))
            .collect();
        let files = told.files.iter().map(File::of).collect();
        let whole = Whole { schema_version: SCHEMA_VERSION, files, settings, interrupted: told.interrupted };
        written(&whole, out)
    }

    fn tell_places(&self, places: &[Place], out: &mut dyn Write) -> io::Result<()> {
        let places = places
            .iter()
            .map(|place| Found {
                sort: place.sort,
                what: place.what,
                path: &place.path,
                files: place.files,
                bytes: place.bytes,
                command: place.command.as_deref().ok(),
                not_read: place.command.as_ref().err().map(String::as_str),
            })
            .collect();
        written(&Machine { schema_version: SCHEMA_VERSION, places }, out)
    }
}

fn written(whole: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, whole)?;
    out.write_all(b"\n")?;
    out.flush()
}

#[derive(Serialize)]
struct Whole<'a> {
    schema_version: u32,
    files: Vec<File<'a>>,
    settings: Vec<Setting>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    interrupted: bool,
}

#[derive(Serialize)]
struct File<'a> {
    file: &'a str,
    bytes: u64,
    format: Option<&'static str>,
    records: u64,
    actions: u64,
    copies: u64,
    unread: u64,
    coverage: f64,
    sessions: u64,
    first: Option<String>,
    last: Option<String>,
    actors: Vec<Who>,
    missing: Vec<Missing<'a>>,
    problems: Vec<Trouble<'a>>,
}

#[derive(Serialize)]
struct Who {
    name: String,
    kind: ActorKind,
    actions: u64,
}

/// What records say they lack.
#[derive(Serialize)]
struct Missing<'a> {
    kind: GapKind,
    detail: &'a str,
    records: u64,
}

#[derive(Serialize)]
struct Trouble<'a> {
    problem: &'a str,
    advice: &'a str,
    lost: bool,
    times: u64,
    /// Of the first one; 0 when the file as a whole is meant.
    line: u64,
    offset: u64,
}

#[derive(Serialize)]
struct Setting {
    format: &'static str,
    set: &'static str,
    gives: &'static str,
}

#[derive(Serialize)]
struct Machine<'a> {
    schema_version: u32,
    places: Vec<Found<'a>>,
}

#[derive(Serialize)]
struct Found<'a> {
    sort: &'static str,
    what: &'static str,
    path: &'a str,
    files: u64,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_read: Option<&'a str>,
}

impl<'a> File<'a> {
    fn of(listed: &'a Listed) -> Self {
        Self {
            file: &listed.file,
            bytes: listed.bytes,
            format: listed.format,
            records: listed.records(),
            actions: listed.actions,
            copies: listed.copies,
            unread: listed.lost,
            coverage: (listed.coverage() * 10_000.0).floor() / 10_000.0,
            sessions: listed.sessions,
            first: listed.first.map(|time| time.to_string()),
            last: listed.last.map(|time| time.to_string()),
            actors: listed
                .actors
                .iter()
                .map(|((kind, name), actions)| Who {
                    name: redacted(name).into_owned(),
                    kind: *kind,
                    actions: *actions,
                })
                .collect(),
            missing: listed
                .lacks
                .iter()
                .map(|((kind, detail), records)| Missing { kind: *kind, detail, records: *records })
                .collect(),
            problems: listed
                .problems
                .iter()
                .map(|(problem, seen)| Trouble {
                    problem: &problem.problem,
                    advice: &problem.advice,
                    lost: problem.lost,
                    times: seen.times,
                    line: seen.line,
                    offset: seen.offset,
                })
                .collect(),
        }
    }
}
