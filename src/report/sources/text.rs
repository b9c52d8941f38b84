//! Tables for a terminal of 80 columns, and what to do next.

use std::io::{self, Write};

use crate::engine::inventory::Listed;
use crate::model::ActorKind;
use crate::report::palette::{BOLD, DIM, RED, YELLOW};
use crate::report::text::{counted, short, thousands};
use crate::report::{escaped, redacted};

use super::{Place, SourcesReport, Told, folded};

#[derive(Debug)]
pub(super) struct Text;

/// More files than this are told folder by folder.
const MANY: usize = 40;
/// Settings of more formats than this are only pointed to.
const MANY_SETTINGS: usize = 4;
/// Columns of everything but the file's name.
const FIGURES: usize = 50;

impl SourcesReport for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn is_styled(&self) -> bool {
        true
    }

    fn tell(&self, told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
        let room = told.width.saturating_sub(FIGURES).clamp(20, 60);
        let rows = if told.each || told.files.len() <= MANY {
            told.files.iter().map(|file| (file.clone(), 1)).collect()
        } else {
            folded(told.files)
        };
        let head = format!("{:<room$}  {:<21} {:>8} {:>8} {:>7}", "File", "Format", "Records", "Actions", "Read");
        writeln!(out, "{BOLD}{head}{BOLD:#}")?;
        for (row, files) in &rows {
            row_of(row, *files, room, out)?;
            details(row, *files, told.width, out)?;
        }
        total(told, out)?;
        settings(told, out)?;
        if let Some(again) = told.again.filter(|_| told.files.iter().any(|file| file.actions > 0)) {
            writeln!(out, "\nJudge what was done:  nearmiss replay {again}")?;
        }
        out.flush()
    }

    fn tell_places(&self, places: &[Place], out: &mut dyn Write) -> io::Result<()> {
        if places.is_empty() {
            writeln!(out, "Nothing was found where recordings usually lie; name a file or a folder.")?;
            return out.flush();
        }
        writeln!(out, "Found on this machine. Nothing of it was opened; only names and sizes were looked at.")?;
        let mut sort = "";
        for place in places {
            if place.sort != sort {
                sort = place.sort;
                writeln!(out, "\n{BOLD}{sort}{BOLD:#}")?;
            }
            let what = escaped(place.what);
            writeln!(out, "  {what:<40} {:>14} {:>10}", counted(place.files, "file"), size(place.bytes))?;
            match &place.command {
                Ok(command) => writeln!(out, "    {}", escaped(command))?,
                Err(why) => writeln!(out, "    {} {DIM}({}){DIM:#}", escaped(&place.path), escaped(why))?,
            }
        }
        writeln!(out, "\nWhat is in one, before it is judged:  nearmiss sources PATH")?;
        out.flush()
    }
}

fn row_of(row: &Listed, files: u64, room: usize, out: &mut dyn Write) -> io::Result<()> {
    let suffix = if files > 1 { format!(" ({files} files)") } else { String::new() };
    let name = format!("{}{suffix}", end_of(&escaped(&row.file), room.saturating_sub(suffix.chars().count())));
    let format = row.format.unwrap_or("-");
    let share = share(row.coverage());
    let (on, off) = match row.lost {
        0 => (String::new(), String::new()),
        _ if row.read() == 0 => (format!("{RED}"), format!("{RED:#}")),
        _ => (format!("{YELLOW}"), format!("{YELLOW:#}")),
    };
    let figures = format!("{:>8} {:>8}", thousands(row.records()), thousands(row.actions));
    writeln!(out, "{name:<room$}  {format:<21} {figures} {on}{share:>7}{off}")
}

/// What stands below a row: when, who, what is missing.
fn details(row: &Listed, files: u64, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let room = width.saturating_sub(2);
    let mut about = Vec::new();
    if let (Some(first), Some(last)) = (row.first, row.last) {
        let (first, last) = (minute(&first.to_string()), minute(&last.to_string()));
        about.push(if first == last { first } else { format!("{first} to {last}") });
    }
    let mut actors: Vec<_> = row.actors.iter().collect();
    actors.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let names = actors.iter().take(3).map(|((kind, name), _)| {
        let name = short(&escaped(&redacted(name)), 32);
        match (*kind, name.as_str()) {
            (kind, "" | "unknown") => format!("{kind}"),
            (ActorKind::Unknown, _) => name,
            (kind, _) if kind.word() == name => name,
            (kind, _) => format!("{kind} {name}"),
        }
    });
    let mut names = names.collect::<Vec<_>>().join(", ");
    if actors.len() > 3 {
        names.push_str(&format!(" and {} more", actors.len() - 3));
    }
    if names == "unknown" {
        names = "who acted is not recorded".to_owned();
    }
    if !names.is_empty() {
        about.push(names);
    }
    if row.copies > 0 {
        about.push(format!("{} told by an earlier file", thousands(row.copies)));
    }
    if !about.is_empty() {
        lines(&about.join("; "), room, |line| writeln!(out, "  {DIM}{line}{DIM:#}"))?;
    }
    for ((kind, detail), count) in &row.lacks {
        let detail =
            if detail.is_empty() { String::new() } else { format!(": {}", short(&escaped(&redacted(detail)), 100)) };
        let line = format!("missing in {}: {kind}{detail}", counted(*count, "action"));
        lines(&line, room, |line| writeln!(out, "  {YELLOW}{line}{YELLOW:#}"))?;
    }
    for (problem, seen) in &row.problems {
        let at = match (seen.line, seen.times) {
            (0, _) => String::new(),
            (line, 1) => format!("line {line}: "),
            (line, times) => format!("line {line}, {times} times: "),
        };
        let advice = if problem.advice.is_empty() { String::new() } else { format!("; {}", problem.advice) };
        // What the first of many begins with says nothing about the others.
        let what = match files {
            1 => problem.problem.as_str(),
            _ => problem.problem.split(", it starts").next().unwrap_or_default(),
        };
        let said = escaped(&redacted(&format!("{at}{what}{advice}")));
        let style = if problem.lost { RED } else { DIM };
        lines(&said, room, |line| writeln!(out, "  {style}{line}{style:#}"))?;
    }
    Ok(())
}

fn total(told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    let sum = |count: fn(&Listed) -> u64| told.files.iter().map(count).sum::<u64>();
    let (read, records, actions) = (sum(Listed::read), sum(Listed::records), sum(|file| file.actions));
    let formats: std::collections::BTreeSet<_> = told.files.iter().filter_map(|file| file.format).collect();
    let all = if records == 0 { 1.0 } else { read as f64 / records as f64 };
    let files = counted(told.files.len() as u64, "file");
    let formats = counted(formats.len() as u64, "format");
    writeln!(
        out,
        "\n{BOLD}{files}, {formats}, {}, {}, {} read{BOLD:#}",
        counted(records, "record"),
        counted(actions, "action"),
        share(all).trim_start()
    )?;
    let unread = told.files.iter().filter(|file| file.refusal().is_some()).count() as u64;
    if unread > 0 {
        writeln!(out, "{} not read at all; the reason stands below the name", counted(unread, "file"))?;
    }
    if told.interrupted {
        writeln!(out, "Interrupted: what had not been read by then is not in this list.")?;
    }
    Ok(())
}

fn settings(told: &Told<'_>, out: &mut dyn Write) -> io::Result<()> {
    let servers = told.servers();
    if servers.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{BOLD}To be set where it is recorded, for more to be seen{BOLD:#}")?;
    if servers.len() > MANY_SETTINGS {
        let names: Vec<_> = servers.iter().map(|guide| guide.name).collect();
        return lines(&names.join(", "), told.width.saturating_sub(2), |line| writeln!(out, "  {line}"))
            .and_then(|()| writeln!(out, "  Each says what:  nearmiss formats NAME"));
    }
    for guide in servers {
        writeln!(out, "  {}", guide.name)?;
        for (set, gives) in guide.settings {
            lines(&format!("{set}: {gives}"), told.width.saturating_sub(4), |line| writeln!(out, "    {line}"))?;
        }
    }
    Ok(())
}

/// Hands out the text in lines of at most `room` columns.
fn lines(text: &str, room: usize, mut line: impl FnMut(&str) -> io::Result<()>) -> io::Result<()> {
    let mut open = String::new();
    for word in text.split(' ') {
        if !open.is_empty() && open.chars().count() + 1 + word.chars().count() > room {
            line(&open)?;
            open = String::from("  ");
            open.push_str(&short(word, room.saturating_sub(3)));
            continue;
        }
        if !open.is_empty() {
            open.push(' ');
        }
        open.push_str(&short(word, room.saturating_sub(1)));
    }
    if open.is_empty() { Ok(()) } else { line(&open) }
}

/// The end of a name is what tells it from others.
fn end_of(name: &str, most: usize) -> String {
    let count = name.chars().count();
    if count <= most {
        return name.to_owned();
    }
    format!("…{}", name.chars().skip(count + 1 - most.max(1)).collect::<String>())
}

/// Never rounded up to a whole: `99.9 %` is not all.
fn share(coverage: f64) -> String {
    if coverage >= 1.0 { "100 %".to_owned() } else { format!("{:.1} %", (coverage * 1000.0).floor() / 10.0) }
}

/// `2026-11-21T02:07:31Z` down to the minute.
fn minute(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}

/// `214 B`, `3.4 kB`, `1.2 GB`.
fn size(bytes: u64) -> String {
    const UNITS: &[&str] = &["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let (mut value, mut unit) = (bytes as f64 / 1000.0, 0);
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::{end_of, lines, share, size};

    #[test]
    fn figures() {
        assert_eq!(
            [size(0), size(999), size(1000), size(999_960), size(1_230_000_000)],
            ["0 B", "999 B", "1.0 kB", "1.0 MB", "1.2 GB"]
        );
        assert_eq!([share(1.0), share(0.9999), share(0.0)], ["100 %", "99.9 %", "0.0 %"]);
    }

    #[test]
    fn long_names_keep_their_end() {
        assert_eq!(end_of("a/b/c.log", 5), "….log");
        assert_eq!(end_of("c.log", 5), "c.log");
    }

    #[test]
    fn lines_are_no_wider_than_the_room() {
        let mut seen = Vec::new();
        lines("one two three-four-five-six seven", 12, |line| {
            seen.push(line.to_owned());
            Ok(())
        })
        .unwrap();
        assert!(seen.iter().all(|line| line.chars().count() <= 12), "{seen:?}");
        assert_eq!(seen[0], "one two");
    }
}
