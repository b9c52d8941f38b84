//! How fast each format is read: records to actions, without judging them, on one core.

use std::io::{BufReader, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nearmiss::model::{Action, Issue};
use nearmiss::reader::{Options, Out, READERS, Reader, Source};

use crate::stream;

/// What a sample is repeated to.
const BYTES: usize = 8 << 20;
/// Shorter runs say nothing.
const LEAST: Duration = Duration::from_millis(150);

/// Counts and forgets.
#[derive(Default)]
struct Counted {
    actions: u64,
    issues: u64,
}

impl Out for Counted {
    fn action(&mut self, action: Action) -> ControlFlow<()> {
        std::hint::black_box(&action);
        self.actions += 1;
        ControlFlow::Continue(())
    }

    fn nothing(&mut self) {}

    fn issue(&mut self, _: Issue) -> ControlFlow<()> {
        self.issues += 1;
        ControlFlow::Continue(())
    }
}

pub(crate) fn formats() {
    for reader in READERS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora").join(reader.name());
        let mut files: Vec<_> = std::fs::read_dir(folder).expect("samples").map(|file| file.unwrap().path()).collect();
        files.sort();
        let samples = files.iter().map(|file| (file, std::fs::read(file).unwrap_or_default()));
        // The sample that is most of a log: the others show traps.
        let best = samples.filter(|(_, text)| !packed(text)).max_by_key(|(_, text)| read(*reader, text).0.actions);
        let Some((file, sample)) = best.filter(|(_, text)| read(*reader, text).0.actions > 0) else {
            println!("{:<28} no sample of plain text holds an action", reader.name());
            continue;
        };
        let (large, how) = enlarged(*reader, &sample);
        let (counted, rate) = best_rate(*reader, &large);
        println!(
            "{:<28} {rate:>12.0} MB/s   {:>7} actions, {how} of {}",
            reader.name(),
            counted.actions,
            file.file_name().unwrap_or_default().to_string_lossy(),
        );
    }
}

fn packed(text: &[u8]) -> bool {
    text.starts_with(&[0x1f, 0x8b]) || text.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || text.starts_with(b"BZh")
}

/// The sample again and again, in the way that its format can be continued.
fn enlarged(reader: &dyn Reader, sample: &[u8]) -> (Vec<u8>, &'static str) {
    let once = read(reader, sample).0.actions;
    let times = (BYTES / sample.len().max(1)).max(2);
    let few = times.min(8);
    let grown = |text: &[u8], times: usize| read(reader, text).0.actions as usize * 10 >= once as usize * times * 9;
    if let Some(list) = longer_list(sample, few).filter(|text| grown(text, few)) {
        drop(list);
        return (longer_list(sample, times).unwrap_or_default(), "a longer list");
    }
    if grown(&sample.repeat(few), few) {
        return (sample.repeat(times), "repeated lines");
    }
    (sample.to_vec(), "one short file")
}

/// A JSON list, or an object with one list in it, with its items `times` over.
fn longer_list(sample: &[u8], times: usize) -> Option<Vec<u8>> {
    let mut value: serde_json::Value = serde_json::from_slice(sample).ok()?;
    let list = match &mut value {
        serde_json::Value::Array(list) => list,
        serde_json::Value::Object(fields) => fields.values_mut().find_map(|value| value.as_array_mut())?,
        _ => return None,
    };
    let items = list.clone();
    *list = (0..times).flat_map(|_| items.iter().cloned()).collect();
    serde_json::to_vec(&value).ok()
}

fn read(reader: &dyn Reader, text: &[u8]) -> (Counted, Duration) {
    let source = Source { file: Arc::from("bench.log"), options: Arc::new(Options::default()), database: None };
    let mut counted = Counted::default();
    let started = Instant::now();
    reader.read(&mut BufReader::with_capacity(256 << 10, text), &source, &mut counted).expect("memory can be read");
    (counted, started.elapsed())
}

/// Megabytes a second, the best of several.
fn best_rate(reader: &dyn Reader, text: &[u8]) -> (Counted, f64) {
    let (mut best, mut all, mut last) = (Duration::MAX, Duration::ZERO, Counted::default());
    for round in 0.. {
        let (counted, took) = read(reader, text);
        (best, last) = (best.min(took), counted);
        all += took;
        if round >= 2 && all > LEAST {
            break;
        }
    }
    (last, text.len() as f64 / 1e6 / best.as_secs_f64())
}

/// A packed transcript, relative to unpacking it with `zcat` alone.
pub(crate) fn gzip() {
    let path = stream::scratch().join("session.jsonl");
    let bytes = stream::write_transcript(&path, 200 << 20);
    if !Command::new("gzip").arg("-fk").arg(&path).status().is_ok_and(|status| status.success()) {
        println!("gzip                         skipped: there is no gzip here");
        return;
    }
    let packed = path.with_extension("jsonl.gz");
    let (mut alone, mut replayed) = (Duration::MAX, Duration::MAX);
    for _ in 0..3 {
        let started = Instant::now();
        let status = Command::new("zcat").arg(&packed).stdout(Stdio::null()).status().expect("zcat comes with gzip");
        assert!(status.success(), "{status}");
        alone = alone.min(started.elapsed());
        replayed = replayed.min(stream::run(&["replay", "--format", "jsonl", "-o", "/dev/null"], &packed).0);
    }
    let rate = |time: Duration| bytes as f64 / 1e6 / time.as_secs_f64();
    println!(
        "gzip                         {:>12.0} MB/s {:>6.2} × zcat alone ({:.0} MB/s)",
        rate(replayed),
        rate(replayed) / rate(alone),
        rate(alone),
    );
    std::io::stdout().flush().expect("standard output");
    for path in [path, packed] {
        let _ = std::fs::remove_file(path);
    }
}
