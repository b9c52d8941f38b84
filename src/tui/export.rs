//! Writes what was chosen to a new file, in the words of the reports.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::sync::Arc;

use crate::engine::near_miss::group::{Group, Survey};
use crate::report::near::{self, Told};
use crate::report::{self, Ended};

use super::app::App;
use super::entry::Entry;

/// Says what was written.
pub(super) fn write(app: &App, file: &str, entries: &[Arc<Entry>]) -> Result<String, String> {
    let ending = file.rsplit_once('.').map(|(_, ending)| ending).unwrap_or_default();
    let format = match ending {
        "jsonl" => None,
        "md" => near::by_name("markdown"),
        other => near::by_name(other),
    };
    if ending != "jsonl" && format.is_none() {
        return Err("the ending says the format: .md, .json, .html or .jsonl".to_owned());
    }
    let groups: Vec<Group> = entries.iter().filter_map(|entry| entry.group.as_deref().cloned()).collect();
    if format.is_some() && groups.len() < entries.len() {
        return Err("only near-misses have a report; .jsonl takes everything".to_owned());
    }
    let failed = |error: std::io::Error| format!("failed to write {file}: {error}");
    // Never over anything: a review is no reason to lose a file.
    let opened = OpenOptions::new().write(true).create_new(true).open(file).map_err(failed)?;
    let mut out = BufWriter::new(opened);
    let totals = app.picture.totals.clone().unwrap_or_default();
    let (elapsed, interrupted) = (app.picture.elapsed, app.is_reading());
    match format {
        Some(format) => {
            let survey = Survey {
                actions: app.store.len() as u64,
                allowed: app.picture.allowed,
                listed: groups.iter().map(|group| group.count).sum(),
                groups,
                ..Survey::default()
            };
            let told = Told {
                heading: &app.opening.heading,
                survey: &survey,
                like: None,
                totals: &totals,
                issues: &[],
                elapsed,
                limit: usize::MAX,
                all: false,
            };
            format.tell(&told, &mut out).map_err(failed)?;
        }
        None => {
            let jsonl = report::by_name("jsonl").ok_or("there is no such report")?;
            let mut telling = jsonl.start(app.opening.heading.clone(), &mut out);
            for entry in entries {
                telling.finding(&entry.finding).map_err(failed)?;
            }
            telling.finish(&Ended { totals, elapsed, interrupted }).map_err(failed)?;
        }
    }
    out.flush().map_err(failed)?;
    Ok(format!("wrote {} to {file}", report::counted(entries.len() as u64, "group")))
}
