//! Speed and memory (`just bench`): rates of one core, as ratios to a peer in the same run.
//!
//! Machines differ and are noisy, so nothing is asserted here; the ratios are what to compare between two commits.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints, and stops where it fails")]

mod commands;
mod formats;
mod measure;
mod mutants;
#[cfg(unix)]
mod screen;
mod stream;

/// The program's own allocator: it is part of what is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    // `cargo bench -- NAME` runs what contains the name; cargo itself passes `--bench`.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str()));
    for (name, run) in BENCHES {
        if wants(name) {
            run();
        }
    }
}

const BENCHES: &[(&str, fn())] = &[
    ("shell", measure::shell),
    ("sql", measure::sql),
    ("repeated", measure::repeated),
    ("near", measure::near),
    ("near, the whole program", stream::near),
    ("filters", measure::filters),
    ("mutants", mutants::mutants),
    ("formats", formats::formats),
    ("gzip", formats::gzip),
    ("transcripts", stream::transcripts),
    ("memory", stream::memory),
    ("start", stream::cold_start),
    ("diff", stream::diff),
    #[cfg(unix)]
    ("tui", screen::tui),
];
