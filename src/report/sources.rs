//! What there is to be read. The shelf of its formats: a new one is one file here and its two lines below.

mod json;
mod text;

use std::io::{self, Write};
use std::sync::Arc;

use crate::engine::inventory::Listed;
use crate::reader::guide::{self, Guide};

/// Every format, in the order `--help` lists them.
pub const REPORTS: &[&dyn SourcesReport] = &[&text::Text, &json::Json];

/// One format.
pub trait SourcesReport: Sync {
    /// The word for `--format`.
    fn name(&self) -> &'static str;

    /// Uses colours, which are taken out again where nobody would see them.
    fn is_styled(&self) -> bool {
        false
    }

    /// Tells what stands in the files that were named.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn tell(&self, told: &Told<'_>, out: &mut dyn Write) -> io::Result<()>;

    /// Tells which places of a machine have something, nothing of which was opened.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn tell_places(&self, places: &[Place], out: &mut dyn Write) -> io::Result<()>;
}

/// Everything there is to tell of files.
#[derive(Debug)]
pub struct Told<'a> {
    pub files: &'a [Listed],
    /// The arguments that name the same files to `replay`.
    pub again: Option<&'a str>,
    /// Columns to fill at most.
    pub width: usize,
    /// One by one, however many there are.
    pub each: bool,
    /// Ended by the user before everything was read.
    pub interrupted: bool,
}

/// A place where something is usually recorded, and is.
#[derive(Clone, Debug)]
pub struct Place {
    /// What sort of place, in the plural.
    pub sort: &'static str,
    /// Whose records these are.
    pub what: &'static str,
    /// As a shell would take it: `~/.codex/sessions`.
    pub path: String,
    pub files: u64,
    pub bytes: u64,
    /// The command that reads it, or why none does.
    pub command: Result<String, String>,
}

impl Told<'_> {
    /// The formats among the files whose server can be told to record more, by name.
    fn servers(&self) -> Vec<&'static Guide> {
        let mut found: Vec<&'static Guide> = Vec::new();
        for format in self.files.iter().filter_map(|file| file.format) {
            if let Some(guide) = guide::of(format)
                && !guide.settings.is_empty()
                && !found.iter().any(|other| other.name == guide.name)
            {
                found.push(guide);
            }
        }
        found.sort_by_key(|guide| guide.name);
        found
    }
}

/// Files that differ in nothing but their name are told as one, when there are many.
fn folded(files: &[Listed]) -> Vec<(Listed, u64)> {
    let mut rows: Vec<(Listed, u64)> = Vec::new();
    for file in files {
        let folder = |listed: &Listed| listed.file.rsplit_once('/').map(|(folder, _)| folder.to_owned());
        match rows.last_mut() {
            Some((row, count))
                if row.format == file.format
                    && folder(row) == folder(file)
                    && (refused(row).is_some() && refused(row) == refused(file)
                        || row.format.is_some() && row.lost + file.lost == 0) =>
            {
                add(row, file);
                *count += 1;
            }
            _ => rows.push((file.clone(), 1)),
        }
    }
    for (row, _) in rows.iter_mut().filter(|(_, count)| *count > 1) {
        let folder = row.file.rsplit_once('/').map_or("", |(folder, _)| folder);
        row.file = Arc::from(format!("{folder}/"));
    }
    rows
}

/// Why a file is not read at all, without what is its own: `unknown format`.
fn refused(file: &Listed) -> Option<&str> {
    file.refusal().map(|problem| problem.problem.split(',').next().unwrap_or(&problem.problem))
}

fn add(row: &mut Listed, file: &Listed) {
    row.bytes += file.bytes;
    row.actions += file.actions;
    row.copies += file.copies;
    row.other += file.other;
    row.lost += file.lost;
    row.sessions += file.sessions;
    row.first = [row.first, file.first].into_iter().flatten().min();
    row.last = [row.last, file.last].into_iter().flatten().max();
    for (actor, count) in &file.actors {
        *row.actors.entry(actor.clone()).or_default() += count;
    }
    for (gap, count) in &file.lacks {
        *row.lacks.entry(gap.clone()).or_default() += count;
    }
    // The first one stands for all that are refused alike.
    if refused(row).is_some() {
        return;
    }
    for (problem, seen) in &file.problems {
        let all = row.problems.entry(problem.clone()).or_insert(crate::engine::inventory::Seen { times: 0, ..*seen });
        all.times += seen.times;
    }
}

/// The format called `name`.
pub fn by_name(name: &str) -> Option<&'static dyn SourcesReport> {
    REPORTS.iter().copied().find(|report| report.name() == name)
}
