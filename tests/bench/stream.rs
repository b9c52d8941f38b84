//! The program as a whole: megabytes a second, memory, cold start.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nearmiss::policy;
use serde_json::json;

use crate::commands;

const PROGRAM: &str = env!("CARGO_BIN_EXE_nearmiss");
/// Size of the synthetic log; `NEARMISS_BENCH_MB` makes it smaller for a quick look.
const LOG_MB: u64 = 2_048;
/// Actions that two policies are compared over.
const COMPARED: usize = 1_000_000;
/// Actions that near-misses are told of.
const TOLD: usize = 200_000;

pub(crate) fn transcripts() {
    let folder = scratch();
    let path = folder.join("session.jsonl");
    let bytes = write_transcript(&path, 200 << 20);
    let plain = read_only(&path);
    let took = run(&["replay", "--format", "jsonl", "-o", "/dev/null", "-j", "1"], &path).0;
    let rate = |time: Duration| bytes as f64 / 1e6 / time.as_secs_f64();
    println!(
        "Claude Code transcript       {:>12.0} MB/s {:>6.2} × counting its lines ({:.0} MB/s)",
        rate(took),
        rate(took) / rate(plain),
        rate(plain),
    );
    let _ = std::fs::remove_file(path);
}

pub(crate) fn memory() {
    let megabytes = std::env::var("NEARMISS_BENCH_MB").ok().and_then(|text| text.parse().ok()).unwrap_or(LOG_MB);
    let folder = scratch();
    let path = folder.join("big.log");
    let mut peaks = Vec::new();
    for size in [megabytes / 8, megabytes] {
        write_postgres_log(&path, size << 20);
        let (took, peak) = run(&["replay", "--format", "json", "-o", "/dev/null"], &path);
        println!(
            "Postgres log of {size:>5} MB     {:>12.0} MB/s, peak memory {:>5} MB",
            size as f64 * 1.048_576 / took.as_secs_f64(),
            peak >> 10,
        );
        peaks.push(peak);
    }
    if let [small, large] = peaks[..] {
        println!("memory, 8 × the log          {:>12.2} × the memory", large as f64 / small.max(1) as f64);
    }
    let _ = std::fs::remove_file(path);
}

pub(crate) fn cold_start() {
    let time = |arguments: &[&str]| {
        let mut times: Vec<Duration> = (0..40)
            .map(|_| {
                let started = Instant::now();
                let output = Command::new(PROGRAM).args(arguments).output().expect("the program runs");
                assert!(output.status.success(), "{output:?}");
                started.elapsed()
            })
            .collect();
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1e3
    };
    let nothing = time(&["--version"]);
    let explain = time(&["explain", "--", "ls"]);
    println!(
        "cold start of explain -- ls  {explain:>12.1} ms   {:>6.1} × --version ({nothing:.1} ms)",
        explain / nothing
    );
}

/// Two policies over a million actions, one in eight never seen before, relative to a replay of the same.
pub(crate) fn diff() {
    let folder = scratch();
    let path = folder.join("actions.jsonl");
    write_actions(&path, COMPARED);
    let edited = folder.join("edited");
    write_edited_policy(&edited);
    let edited = edited.to_str().expect("a path in UTF-8");
    let replay = ["replay", "--format", "json", "-o", "/dev/null"];
    let diff = ["diff", "builtin:recommended", edited, "--format", "json", "-o", "/dev/null"];
    // The machine is not ours alone: both in turn, and the best of each.
    let mut best = [Duration::MAX; 2];
    for _ in 0..3 {
        for (best, arguments) in best.iter_mut().zip([&replay[..], &diff[..]]) {
            *best = run(arguments, &path).0.min(*best);
        }
    }
    let [once, twice] = best.map(|time| time.as_secs_f64());
    println!(
        "diff of two policies         {:>12.0} /s   {:>6.2} × the time of one replay ({:.0} /s)",
        COMPARED as f64 / twice,
        twice / once,
        COMPARED as f64 / once,
    );
    let _ = std::fs::remove_file(path);
}

/// Near-misses on top of a plain replay, as somebody at a terminal has them: reading, judging and telling.
pub(crate) fn near() {
    let path = scratch().join("near.jsonl");
    for (name, kind, texts) in [
        ("distinct shell", "shell", commands::shell(TOLD)),
        ("distinct SQL", "sql", commands::sql(TOLD)),
        ("repeated shell", "shell", commands::shell(200)),
        ("repeated SQL", "sql", commands::sql(200)),
    ] {
        let mut out = BufWriter::new(File::create(&path).expect("a temporary file"));
        for (number, text) in texts.iter().cycle().take(TOLD).enumerate() {
            let line =
                json!({"kind": kind, "text": text, "session": format!("s{}", number / 50), "cwd": "/home/dev/shop"});
            writeln!(out, "{line}").expect("room on the disk");
        }
        out.flush().expect("room on the disk");
        let mut best = [Duration::MAX; 2];
        for _ in 0..3 {
            for (best, command) in best.iter_mut().zip(["replay", "near"]) {
                *best = run(&[command, "--format", "json", "-o", "/dev/null"], &path).0.min(*best);
            }
        }
        let [plain, near] = best.map(|time| time.as_secs_f64());
        println!("near, {name:<22} {:>12.0} /s   {:>6.2} × the time of `replay`", TOLD as f64 / near, near / plain);
    }
    let _ = std::fs::remove_file(path);
}

/// Runs the program on a file: how long it took, and its peak memory in KiB.
pub(crate) fn run(arguments: &[&str], path: &Path) -> (Duration, u64) {
    let started = Instant::now();
    let mut child = Command::new(PROGRAM).args(arguments).arg(path).spawn().expect("the program runs");
    let mut peak = 0;
    let status = loop {
        peak = peak.max(resident(child.id()));
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(status.success(), "{status}");
    (started.elapsed(), peak)
}

/// The high-water mark of a process' memory in KiB; 0 where the system does not say.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

fn read_only(path: &Path) -> Duration {
    let started = Instant::now();
    let text = std::fs::read(path).expect("the file is there");
    std::hint::black_box(text.iter().filter(|byte| **byte == b'\n').count());
    started.elapsed()
}

pub(crate) fn scratch() -> PathBuf {
    let folder = std::env::temp_dir().join("nearmiss-bench");
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    folder
}

/// Calls with results of a few kilobytes each, as a coding agent writes them.
pub(crate) fn write_transcript(path: &Path, size: u64) -> u64 {
    let mut out = BufWriter::new(File::create(path).expect("a temporary file"));
    let filler = "    let total = rows.iter().map(|row| row.cents).sum::<u64>(); // \\\"net\\\"\\n".repeat(40);
    let (mut written, mut number) = (0, 0_u64);
    while written < size {
        let common = format!(
            r#""isSidechain":false,"userType":"external","cwd":"/home/dev/shop","sessionId":"5f0c2d1e-0000-4000-8000-{:012x}","version":"2.1.17","gitBranch":"main","timestamp":"2026-11-21T02:{:02}:{:02}.000Z""#,
            number / 400,
            number / 60 % 60,
            number % 60,
        );
        let call = format!(
            r#"{{"parentUuid":null,{common},"message":{{"role":"assistant","content":[{{"type":"tool_use","id":"toolu_{number:024}","name":"Bash","input":{{"command":"grep -n 'row{}' src/report.rs","description":"look"}}}}]}},"type":"assistant","uuid":"a{number:035}"}}"#,
            number % 500,
        );
        let result = format!(
            r#"{{"parentUuid":"a{number:035}",{common},"type":"user","message":{{"role":"user","content":[{{"tool_use_id":"toolu_{number:024}","type":"tool_result","content":"{filler}"}}]}},"toolUseResult":{{"stdout":"{filler}","stderr":"","interrupted":false}},"uuid":"b{number:035}"}}"#,
        );
        writeln!(out, "{call}\n{result}").expect("room on the disk");
        written += (call.len() + result.len() + 2) as u64;
        number += 1;
    }
    out.flush().expect("room on the disk");
    written
}

/// Statements of many sessions: one in eight was never seen before, as in real logs.
fn write_postgres_log(path: &Path, size: u64) {
    let mut out = BufWriter::new(File::create(path).expect("a temporary file"));
    let (mut written, mut number) = (0, 0_u64);
    while written < size {
        let line = format!(
            "2026-11-21 02:{:02}:{:02}.{:03} UTC [{}] app@shop LOG:  duration: 0.{} ms  statement: UPDATE orders SET status = 'shipped', note = 'batch {}' WHERE id = {}\n",
            number / 60_000 % 60,
            number / 1_000 % 60,
            number % 1_000,
            7_000 + number % 64,
            number % 1_000,
            number % 37,
            if number % 8 == 0 { number } else { number % 500 },
        );
        out.write_all(line.as_bytes()).expect("room on the disk");
        written += line.len() as u64;
        number += 1;
    }
    out.flush().expect("room on the disk");
}

/// Commands and statements in turn, in sessions of a thousand.
fn write_actions(path: &Path, count: usize) {
    let mut out = BufWriter::new(File::create(path).expect("a temporary file"));
    let kinds = [("shell", commands::shell(count / 2)), ("sql", commands::sql(count / 2))];
    for number in 0..count {
        let (kind, texts) = &kinds[number % 2];
        let at = number / 2;
        let text = &texts[if at % 8 == 0 { at } else { at % 500 }];
        let record = json!({ "session": format!("s{}", number / 1_000), "kind": kind, "text": text });
        writeln!(out, "{record}").expect("room on the disk");
    }
    out.flush().expect("room on the disk");
}

/// The recommended pack with three edits, as a pull request has them, on rules that are about what the log is full of.
fn write_edited_policy(folder: &Path) {
    const LOOSENED: (&str, &str) = (
        r#"context.extent == Extent::"all" && resource in [Environment::"staging", Environment::"unknown"]"#,
        r#"context.extent == Extent::"all" && !(resource.name like "scratch_*") && resource in [Environment::"staging", Environment::"unknown"]"#,
    );
    const TIGHTENED: (&str, &str) = ("context.count > 100000", "context.count > 50000");
    const ADDED: &str = r#"
@id("bench.delete-folder")
@decision("ask")
@severity("low")
@message("A folder of a server goes.")
@advice("Keep it.")
forbid (principal, action == Action::"delete", resource is Folder)
when { resource in Environment::"production" && !context.dry_run };
"#;
    let mut sources = policy::builtin("recommended").expect("a built-in pack");
    for (old, new) in [LOOSENED, TIGHTENED] {
        let source = sources.iter_mut().find(|source| source.text.contains(old)).expect("a rule to edit");
        source.text = source.text.replacen(old, new, 1);
    }
    sources.last_mut().expect("a file").text.push_str(ADDED);
    std::fs::create_dir_all(folder).expect("a temporary folder");
    for source in sources {
        let name = source.name.rsplit(['/', ':']).next().unwrap_or(&source.name);
        std::fs::write(folder.join(name), source.text).expect("room on the disk");
    }
}
