//! How many labelled commands are judged as their label says (`just score`).
//!
//! The labels come from a folder beside the repository; where it is missing the test says so and passes. Rows that are
//! judged otherwise stand in `tests/exceptions.tsv`, each with the reason: labels are opinions, too.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use nearmiss::engine::{Engine, Session};
use nearmiss::model::{Action, ActionId, Actor, Decision, Kind, Origin, Outcome, Surroundings};
use sha2::{Digest, Sha256};

use crate::support::{engine, root, shared};

/// So much of what should be stopped is stopped, at least. Raised with every step forward.
const BLOCK_FLOOR: f64 = 96.0;
/// So much of what should pass is stopped, at most.
const ALLOW_CEILING: f64 = 0.3;

/// A command with what its label expects.
struct Case {
    command: String,
    block: bool,
    group: String,
    lang: String,
    from: String,
}

impl Case {
    /// Names the row without its text: the group and the beginning of a hash.
    fn id(&self) -> String {
        let hash = Sha256::digest(self.command.as_bytes());
        let hash: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{hash}", self.group)
    }

    fn label(&self) -> &'static str {
        if self.block { "block" } else { "allow" }
    }
}

fn cases() -> Option<Vec<Case>> {
    let text = std::fs::read_to_string(shared("cases/commands.jsonl")?).unwrap();
    let cases = text.lines().map(|line| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let word = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        Case {
            command: word("command"),
            block: word("expect") == "block",
            group: word("group"),
            lang: word("lang"),
            from: word("from"),
        }
    });
    Some(cases.collect())
}

/// Somebody unknown runs `text`, nobody knows where.
pub(crate) fn action(text: &str, kind: Kind) -> Action {
    Action {
        id: ActionId::default(),
        time: None,
        actor: Arc::new(Actor::default()),
        session: Arc::from("case"),
        kind,
        text: Arc::from(text),
        argv: None,
        tool: None,
        arguments: None,
        surroundings: Arc::new(Surroundings::default()),
        outcome: Outcome::default(),
        approved: false,
        gaps: Vec::new(),
        origin: Origin { file: Arc::from("score"), line: 0, offset: 0, format: "score" },
    }
}

#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) all: u32,
    pub(crate) stopped: u32,
    pub(crate) undecided: u32,
}

impl Tally {
    pub(crate) fn add(&mut self, decision: Decision) {
        self.all += 1;
        self.stopped += u32::from(decision >= Decision::Ask);
        self.undecided += u32::from(decision == Decision::Undecided);
    }

    pub(crate) fn take_in(&mut self, other: &Tally) {
        self.all += other.all;
        self.stopped += other.stopped;
        self.undecided += other.undecided;
    }

    pub(crate) fn share(&self) -> f64 {
        100.0 * f64::from(self.stopped) / f64::from(self.all.max(1))
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:5.1} % of {:4} ({} undecided)", self.share(), self.all, self.undecided)
    }
}

/// What became of the rows: harmless ones first, dangerous ones second.
#[derive(Default)]
struct Score {
    all: [Tally; 2],
    origins: BTreeMap<String, [Tally; 2]>,
    /// Rows judged otherwise than labelled, and rows, per group.
    groups: BTreeMap<String, (u32, u32)>,
    /// Rows judged otherwise: what to read by eye, by id.
    wrong: BTreeMap<String, String>,
}

fn judge(engine: &Engine, cases: &[Case]) -> Score {
    let mut score = Score::default();
    for case in cases {
        let kind = if case.lang == "sql" { Kind::Sql } else { Kind::Shell };
        let finding = engine.decide(action(&case.command, kind), &mut Session::default());
        let decision = finding.verdict.decision;
        let label = usize::from(case.block);
        score.all[label].add(decision);
        score.origins.entry(case.from.clone()).or_default()[label].add(decision);
        let wrong = (decision >= Decision::Ask) != case.block;
        let group = score.groups.entry(case.group.clone()).or_default();
        group.0 += u32::from(wrong);
        group.1 += 1;
        if wrong {
            let rules: Vec<&str> = finding.verdict.hits.iter().map(|hit| &*hit.rule.id).collect();
            let line = format!("{}\t{}\t{decision}\t{}\t{:?}", case.id(), case.label(), rules.join(" "), case.command);
            score.wrong.insert(case.id(), line);
        }
    }
    score
}

/// Of each exception: its label and our reason.
fn exceptions() -> BTreeMap<String, (String, String)> {
    let text = std::fs::read_to_string(root().join("tests/exceptions.tsv")).unwrap();
    let mut exceptions = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [id, label, reason] = fields[..] else { panic!("not `row TAB label TAB reason`: {line}") };
        assert!(reason.len() > 20, "a reason is a sentence: {line}");
        let before = exceptions.insert(id.to_owned(), (label.to_owned(), reason.to_owned()));
        assert!(before.is_none(), "{id} stands there twice");
    }
    exceptions
}

#[test]
fn labelled_commands() {
    let Some(cases) = cases() else { return };
    let score = judge(&engine(), &cases);
    let [allow, block] = &score.all;
    println!("labelled commands: block rows stopped {block}");
    println!("                   allow rows stopped {allow}");
    for (origin, [allow, block]) in &score.origins {
        println!("  from {origin:28} block rows stopped {block}, allow rows {allow}");
    }
    let mut groups: Vec<_> = score.groups.iter().filter(|(_, (wrong, _))| *wrong > 0).collect();
    groups.sort_by_key(|(name, (wrong, _))| (std::cmp::Reverse(*wrong), (*name).clone()));
    for (name, (wrong, all)) in groups.iter().take(10) {
        println!("  judged otherwise: {wrong:3} of {all:4} in {name}");
    }
    // `NEARMISS_SCORE_LIST=wrong.tsv just score` writes the rows that are judged otherwise, to be read by eye.
    if let Some(path) = std::env::var_os("NEARMISS_SCORE_LIST") {
        let lines = score.wrong.values().fold(String::new(), |mut lines, line| {
            let _ = writeln!(lines, "{line}");
            lines
        });
        std::fs::write(path, lines).unwrap();
    }

    let exceptions = exceptions();
    let excepted: BTreeSet<&String> = exceptions.keys().collect();
    let wrong: BTreeSet<&String> = score.wrong.keys().collect();
    let unexplained: Vec<&str> = wrong.difference(&excepted).map(|id| &*score.wrong[*id]).collect();
    let needless: Vec<_> = excepted.difference(&wrong).collect();
    println!("  {} rows are exceptions with a reason (tests/exceptions.tsv)", excepted.len());
    assert!(
        unexplained.is_empty(),
        "{} rows are judged otherwise than labelled and do not stand in tests/exceptions.tsv (row, label, decision, \
         rules, command):\n{}",
        unexplained.len(),
        unexplained.join("\n")
    );
    assert!(
        needless.is_empty(),
        "these lines of tests/exceptions.tsv are no longer needed, take them out: {needless:?}"
    );
    assert!(block.share() >= BLOCK_FLOOR, "too many dangerous commands pass: {block}");
    assert!(allow.share() <= ALLOW_CEILING, "too many harmless commands are stopped: {allow}");
}
