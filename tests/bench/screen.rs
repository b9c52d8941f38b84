//! The screen while a million actions are read: first rows, time of a picture, memory.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZeroUsize;
use std::sync::Arc;

use nearmiss::engine::replay::Replay;
use nearmiss::reader::Options;
use nearmiss::reader::input::{Input, find};
use nearmiss::report::Heading;
use nearmiss::tui::{Opening, rehearse};
use serde_json::json;

use crate::measure::engine;
use crate::{commands, stream};

const ACTIONS: usize = 1_000_000;
/// As large a window as people have.
const SIZE: (u16, u16) = (200, 60);

pub(crate) fn tui() {
    let path = stream::scratch().join("screen.jsonl");
    write_actions(&path);
    let before = resident();
    let inputs = vec![path.clone()];
    let size = find(&inputs, None).inputs.iter().map(Input::size).sum();
    let jobs = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let opening = Opening {
        engine: Arc::new(engine(false).with_near_misses_gathered(1)),
        replay: Box::new(move |_| {
            let inputs = find(&inputs, None).inputs;
            Ok((Replay { inputs, reader: None, options: Arc::new(Options::default()), jobs }, Vec::new()))
        }),
        draft: Box::new(|_| Err("nobody asks".to_owned())),
        heading: Heading::default(),
        again: String::new(),
        bytes: size,
        filter: String::new(),
        distance: 1,
        collapse_above: 50,
        suppressions: Vec::new(),
        today: "2026-11-20".parse().expect("a day"),
        changes: Vec::new(),
        project: None,
        coloured: true,
    };
    let rehearsal = rehearse(opening, SIZE).expect("a thread");
    let mut frames = rehearsal.frames;
    frames.sort();
    let at = |share: usize| frames.get(frames.len() * share / 1000).copied().unwrap_or_default().as_secs_f64() * 1e3;
    println!(
        "tui, first rows              {:>12.0} ms   of {} actions ({:.1} s)",
        rehearsal.first_rows.as_secs_f64() * 1e3,
        rehearsal.actions,
        rehearsal.all.as_secs_f64(),
    );
    println!(
        "tui, a picture at 200×60     {:>12.2} ms   p99 {:.2} ms, worst {:.2} ms, {} of them",
        at(500),
        at(990),
        at(999),
        frames.len()
    );
    println!("tui, memory for all of it    {:>12} MB", resident().saturating_sub(before) >> 10);
    let _ = std::fs::remove_file(path);
}

/// Commands and statements of sessions of a hundred, with times and actors: one in eight was never seen before, one in
/// a thousand is near to something.
fn write_actions(path: &std::path::Path) {
    let mut out = BufWriter::new(File::create(path).expect("a temporary file"));
    let kinds = [("shell", commands::shell(ACTIONS / 2)), ("sql", commands::sql(ACTIONS / 2))];
    for number in 0..ACTIONS {
        let (kind, texts) = &kinds[number % 2];
        let at = number / 2;
        let near = format!("chmod -R 755 /srv{number}");
        let text = if number % 1_000 == 500 { &near } else { &texts[if at % 8 == 0 { at } else { at % 500 }] };
        let seconds = number / 10;
        let record = json!({
            "session": format!("s{}", number / 100), "kind": kind, "text": text,
            "actor": { "name": format!("agent-{}", number / 100 % 40), "kind": "agent" },
            "time": format!("2026-11-{:02}T{:02}:{:02}:{:02}Z", 1 + seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60),
        });
        writeln!(out, "{record}").expect("room on the disk");
    }
    out.flush().expect("room on the disk");
}

/// Memory in use, in KiB; 0 where the system does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
