//! `nearmiss sources`, and every recording of the folder beside the repository: its format, its counts, and that nothing
//! which is done to a file makes a reader panic or point outside of it.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nearmiss::engine::inventory::{Inventory, Listed};
use nearmiss::reader::{Options, READERS, guide, input};
use serde_json::Value;

use crate::schema::Schema;
use crate::support::{nearmiss, root, shared, stderr, stdout};

/// What every file is, one a line: the format, or `-`; what it is; the file; and why it is not read where it is not.
const TABLE: &str = include_str!("sources.tsv");

fn take(path: &Path) -> Vec<Listed> {
    let found = input::find(&[path.to_owned()], None);
    assert!(found.issues.is_empty(), "{:?}", found.issues);
    let jobs = NonZeroUsize::new(2).unwrap();
    Inventory { inputs: found.inputs, reader: None, options: Arc::new(Options::default()), jobs }
        .take(&|_| ControlFlow::Continue(()))
}

/// A row of the table: the pattern of the files, their format, why they are not read.
fn rows() -> Vec<(&'static str, &'static str, &'static str)> {
    let lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut parts = line.split('\t');
            let mut part = || parts.next().unwrap_or("");
            (part(), part(), part())
        })
        .collect()
}

#[test]
fn every_recording_has_its_format_and_is_read() {
    let Some(folder) = shared("data") else { return };
    let mut expected: BTreeMap<String, (&str, &str)> = BTreeMap::new();
    for (file, format, reason) in rows() {
        assert!(format != "-" || !reason.is_empty(), "{file} is not read, and the table does not say why");
        expected.insert(file.to_owned(), (format, reason));
    }
    let (mut wrong, mut used) = (Vec::new(), BTreeSet::new());
    for file in take(&folder) {
        let name = file.file.strip_prefix(&format!("{}/", folder.display())).unwrap_or(&file.file).to_owned();
        let format = file.format.unwrap_or("-");
        let row = expected.iter().find(|(pattern, _)| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == **pattern,
        });
        let Some((pattern, (pinned, reason))) = row.map(|(pattern, row)| (pattern.clone(), *row)) else {
            wrong.push(format!("not in tests/it/sources.tsv: {name}\t{format}"));
            continue;
        };
        used.insert(pattern);
        if pinned != format {
            let why = file.refusal().map_or("", |problem| problem.problem.as_str());
            wrong.push(format!("{name} is read as {format}, the table says {pinned}; {why}"));
        }
        if format != "-" && file.coverage() < 0.99 && reason.is_empty() {
            let problems: Vec<_> = file.problems.keys().map(|problem| &problem.problem).collect();
            wrong.push(format!("{name}: {} of {} records lost: {problems:?}", file.lost, file.records()));
        }
        if format != "-" && file.lost == 0 && !reason.is_empty() {
            wrong.push(format!("{name} is read in full; take `{reason}` out of the table"));
        }
    }
    let unused = expected.keys().filter(|pattern| !used.contains(*pattern));
    wrong.extend(unused.map(|name| format!("{name} is in the table and not in the folder")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Folder, the actions that are read in it, and why that is not the number of the folder's README.
const COUNTS: &[(&str, u64, &str)] = &[
    ("agentdojo-jsonl", 1285, ""),
    ("agentdojo-run-json", 263, ""),
    ("apt-history", 10, "not counted there"),
    ("auditd", 12, "10 EXECVE records and 2 commands of sudo"),
    ("claude-code-jsonl", 296, "260 in the 15 sessions, 36 in the hand-made files"),
    ("cloudtrail-attack", 71, ""),
    ("cloudtrail-json", 696, "18 of the 714 events are a service's own, nobody's call"),
    ("cowrie-json", 35, ""),
    ("gemini-cli-chat-json", 62, ""),
    ("k8s-audit", 37, ""),
    ("kypo-commands-json", 2699, ""),
    ("macos-santa-exec", 44, "not counted there; the other lines are about files and disks"),
    ("mysql-slow", 2037, "2 of the 2039 are `administrator command`s without a statement"),
    ("openhands-output-jsonl", 45, "37 commands; the others read and edit files"),
    ("postgres-stderr", 115_278, ""),
    ("specstory-md", 418, "21 of the 439 are words inside of other tool uses, which were about SpecStory itself"),
    ("swe-agent-traj", 59, "54 of trajectories, and 5 of a file that has only its history"),
    ("tau-bench-json", 254, ""),
    ("terminal-bench-cast", 65, "not counted there"),
];

#[test]
fn as_many_acts_as_were_counted_by_hand() {
    let Some(folder) = shared("data") else { return };
    for (name, expected, _) in COUNTS {
        let files = take(&folder.join(name));
        let actions: u64 = files.iter().map(|file| file.actions + file.copies).sum();
        assert_eq!(actions, *expected, "{name}");
    }
}

#[test]
fn every_format_has_a_guide_with_a_sample_of_its_own() {
    for reader in READERS {
        let name = reader.name();
        let guide = guide::of(name).unwrap_or_else(|| {
            panic!("nobody explains `{name}`: add it to the shelf it belongs to in src/reader/guide/")
        });
        assert!(guide.sample.0.starts_with(&format!("{name}/")), "the sample of {name} is {}", guide.sample.0);
        for text in [guide.known_by, guide.tells, guide.lacks] {
            assert!(!text.is_empty() && text.len() < 200, "{name}: {text}");
        }
        let out = nearmiss(&["formats", name]);
        assert!(out.status.success(), "{name}");
        assert!(stdout(&out).contains("Does not tell"), "{name}");
    }
    let out = nearmiss(&["formats", "postgres"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(stderr(&out).contains("postgres_csv"), "{}", stderr(&out));
}

#[test]
fn what_files_hold_is_told_in_80_columns_and_as_json() {
    let arguments = ["sources", "corpora/sudo", "corpora/santa", "corpora/postgres_stderr", "corpora/claude_code"];
    let out = nearmiss(&arguments);
    assert_eq!(out.status.code(), Some(0), "{}", stderr(&out));
    for words in ["missing in", "log_statement = 'all'", "nearmiss replay corpora/sudo", "santa"] {
        assert!(stdout(&out).contains(words), "{words}: {}", stdout(&out));
    }
    let json = nearmiss(&[&arguments[..], &["--format", "json"]].concat());
    let value: Value = serde_json::from_str(&stdout(&json)).unwrap();
    let schema = Schema::new(&std::fs::read_to_string(root().join("docs/schemas/sources.json")).unwrap());
    assert_eq!(schema.problems(&value), [""; 0]);
    let files = value["files"].as_array().unwrap();
    assert!(
        files.iter().any(|file| file["format"] == "sudo" && file["unread"] == 1 && file["problems"][0]["lost"] == true)
    );
    assert!(files.iter().any(|file| file["format"] == "santa" && file["actions"] == 4));
}

#[test]
fn files_that_cannot_be_read_are_told_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("prose.txt"), "It was a dark and stormy night, and nothing was recorded.\n")
        .unwrap();
    let path = folder.path().display().to_string();
    let out = nearmiss(&["sources", &path]);
    assert_eq!(out.status.code(), Some(3), "{}", stdout(&out));
    assert!(stdout(&out).contains("unknown format"), "{}", stdout(&out));
    let out = nearmiss(&["sources", &format!("{path}/gone")]);
    assert_eq!(out.status.code(), Some(3), "{}", stdout(&out));
    assert!(stdout(&out).contains("no such file or folder"), "{}", stdout(&out));
    assert_eq!(nearmiss(&["sources", "corpora/sudo", "--format", "xml"]).status.code(), Some(2));
}

/// A disk with two homes on it.
fn disk() -> tempfile::TempDir {
    let disk = tempfile::tempdir().unwrap();
    for (file, text) in [
        ("home/ada/.claude/projects/p/a.jsonl", "not opened"),
        ("home/ada/.claude/projects/p/notes.txt", "not counted"),
        ("home/tom/.bash_history", "ls\n"),
        ("home/tom/Library/Application Support/Cursor/User/globalStorage/state.vscdb", "x"),
        ("var/log/audit/audit.log", "x"),
        ("var/lib/pgsql/16/data/log/a.log", "x"),
    ] {
        let path = disk.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    disk
}

#[test]
fn what_a_machine_has_recorded_is_found_and_not_opened() {
    let disk = disk();
    let path = disk.path().display().to_string();
    let out = nearmiss(&["sources", "--root", &path]);
    assert_eq!(out.status.code(), Some(0), "{}", stderr(&out));
    let told = stdout(&out).replace(&path, "");
    for line in [
        "    nearmiss replay /home/ada/.claude/projects\n",
        "    nearmiss replay /home/tom/.bash_history\n",
        "    nearmiss replay /var/log/audit\n",
        "    nearmiss replay /var/lib/pgsql/16/data/log\n",
    ] {
        assert!(told.contains(line), "{line}{told}");
    }
    assert!(told.contains("Claude Code                                      1 file       10 B"), "{told}");
    let out = nearmiss(&["sources", "--root", &path, "--format", "json"]);
    let value: Value = serde_json::from_str(&stdout(&out)).unwrap();
    let schema = Schema::new(&std::fs::read_to_string(root().join("docs/schemas/sources.json")).unwrap());
    assert_eq!(schema.problems(&value), [""; 0]);
    let empty = tempfile::tempdir().unwrap();
    let out = nearmiss(&["sources", "--root", &empty.path().display().to_string()]);
    assert_eq!(out.status.code(), Some(4));
}

/// Where the recordings for the damage are: those beside the repository, else our own.
fn recordings() -> Vec<PathBuf> {
    let folder = shared("data").unwrap_or_else(|| root().join("corpora"));
    let inputs = input::find(&[folder], None).inputs;
    // An archive is many inputs.
    let files: BTreeSet<PathBuf> = inputs.iter().filter_map(|input| input.path().map(Path::to_owned)).collect();
    files.into_iter().collect()
}

/// Cut and flipped in places that the seed says. `NEARMISS_DAMAGE=20` does it twenty times for every file.
#[test]
fn damaged_files_are_read_without_a_panic_and_inside_of_themselves() {
    const MOST: usize = 96 << 10;
    let rounds: u64 = std::env::var("NEARMISS_DAMAGE").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1);
    let folder = tempfile::tempdir().unwrap();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    for round in 0..rounds {
        for (index, path) in recordings().into_iter().enumerate() {
            let Ok(mut bytes) = std::fs::read(&path) else { continue };
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            // Of a long text any part will do; a packed file would only be broken.
            let packed = [".gz", ".bz2", ".zst", ".eval"].iter().any(|end| name.ends_with(end));
            if !packed {
                bytes.truncate(MOST);
            }
            let cut = bytes[..random(bytes.len() + 1)].to_vec();
            let at = random(bytes.len());
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random(8);
            }
            for (how, bytes) in [("cut", cut), ("flipped", bytes)] {
                if packed && bytes.len() > MOST {
                    continue;
                }
                let file = folder.path().join(format!("{round}-{index}-{how}-{name}"));
                std::fs::write(&file, &bytes).unwrap();
            }
        }
    }
    let found = input::find(&[folder.path().to_owned()], None);
    for input in found.inputs {
        check_damaged(input);
    }
}

fn check_damaged(input: input::Input) {
    use nearmiss::reader::Source;
    use nearmiss::reader::detect::{Detected, detect};
    let (file, name) = (Arc::clone(&input.file), input.name().to_owned());
    let Ok(mut opened) = input.open() else { return };
    let mut bytes = Vec::new();
    // A broken archive ends early; what came out before is read.
    let _ = std::io::Read::read_to_end(&mut opened.reader, &mut bytes);
    let sample = opened.shown(&name);
    let Detected::Reader(reader) = detect(&sample) else { return };
    let source = Source { file, options: Arc::new(Options::default()), database: None };
    // Of a database, a line is the number of a row.
    let most = if bytes.starts_with(b"SQLite format 3") { u64::MAX } else { 0 };
    let mut inside = Inside {
        size: bytes.len() as u64,
        lines: most.max(1 + bytes.iter().filter(|byte| **byte == b'\n').count() as u64),
    };
    let read = std::thread::Builder::new().stack_size(64 << 20).spawn(move || {
        let _ = reader.read(&mut &bytes[..], &source, &mut inside);
    });
    assert!(read.unwrap().join().is_ok(), "{} panics on {}", reader.name(), input.file);
}

/// Whatever is handed out stands inside of the file.
struct Inside {
    size: u64,
    lines: u64,
}

impl Inside {
    fn check(&self, line: u64, offset: u64, what: &str) {
        assert!(
            offset <= self.size && line <= self.lines,
            "line {line}, byte {offset} of {} lines, {} bytes: {what}",
            self.lines,
            self.size
        );
    }
}

impl nearmiss::reader::Out for Inside {
    fn action(&mut self, action: nearmiss::model::Action) -> ControlFlow<()> {
        self.check(action.origin.line, action.origin.offset, &action.text);
        ControlFlow::Continue(())
    }

    fn nothing(&mut self) {}

    fn issue(&mut self, issue: nearmiss::model::Issue) -> ControlFlow<()> {
        self.check(issue.line, issue.offset, &issue.problem);
        ControlFlow::Continue(())
    }
}
