//! How many labelled commands are judged as their label says (`just score`).
//!
//! The labels come from a folder beside the repository; where it is missing the tests say so and pass.

use std::fmt::Write as _;
use std::sync::Arc;

use nearmiss::engine::{Engine, Session};
use nearmiss::model::{Action, ActionId, Actor, Decision, Kind, Origin, Outcome, Surroundings};

use crate::support::{engine, shared};

/// A command with what its label expects.
struct Case {
    command: String,
    block: bool,
    group: String,
    lang: String,
}

fn cases() -> Option<Vec<Case>> {
    let text = std::fs::read_to_string(shared("cases/commands.jsonl")?).unwrap();
    let cases = text.lines().map(|line| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let word = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        Case { command: word("command"), block: word("expect") == "block", group: word("group"), lang: word("lang") }
    });
    Some(cases.collect())
}

fn action(case: &Case) -> Action {
    Action {
        id: ActionId::default(),
        time: None,
        actor: Arc::new(Actor::default()),
        session: Arc::from("case"),
        kind: if case.lang == "sql" { Kind::Sql } else { Kind::Shell },
        text: Arc::from(&*case.command),
        argv: None,
        tool: None,
        arguments: None,
        surroundings: Arc::new(Surroundings::default()),
        outcome: Outcome::default(),
        approved: false,
        gaps: Vec::new(),
        origin: Origin { file: Arc::from("commands.jsonl"), line: 0, offset: 0, format: "score" },
    }
}

#[derive(Default)]
struct Tally {
    all: u32,
    stopped: u32,
    undecided: u32,
}

impl Tally {
    fn share(&self) -> f64 {
        100.0 * f64::from(self.stopped) / f64::from(self.all.max(1))
    }
}

/// Tallies of harmless and of dangerous rows, and a line for each row that is judged otherwise than labelled.
fn judge(engine: &Engine, cases: &[Case]) -> ([Tally; 2], String) {
    let mut tallies = [Tally::default(), Tally::default()];
    let mut wrong = String::new();
    for case in cases {
        let finding = engine.decide(action(case), &mut Session::default());
        let decision = finding.verdict.decision;
        let stopped = decision >= Decision::Ask;
        let tally = &mut tallies[usize::from(case.block)];
        tally.all += 1;
        tally.stopped += u32::from(stopped);
        tally.undecided += u32::from(decision == Decision::Undecided);
        if stopped != case.block {
            let label = if case.block { "missed" } else { "false alarm" };
            let rules: Vec<&str> = finding.verdict.hits.iter().map(|hit| &*hit.rule.id).collect();
            let _ = writeln!(wrong, "{label}\t{decision}\t{}\t{}\t{}", case.group, rules.join(" "), case.command);
        }
    }
    (tallies, wrong)
}

#[test]
fn labelled_commands() {
    let Some(cases) = cases() else { return };
    let ([allow, block], wrong) = judge(&engine(), &cases);
    println!("block rows stopped: {:.1} % of {} ({} more undecided)", block.share(), block.all, block.undecided);
    println!("allow rows stopped: {:.1} % of {} ({} more undecided)", allow.share(), allow.all, allow.undecided);
    // `NEARMISS_SCORE_LIST=wrong.tsv just score` writes the rows that are judged otherwise, to be read by eye.
    if let Some(path) = std::env::var_os("NEARMISS_SCORE_LIST") {
        std::fs::write(path, &wrong).unwrap();
    }
    assert!(block.share() >= 80.0, "too many dangerous commands pass: {:.1} %\n{wrong}", block.share());
    assert!(allow.share() < 3.0, "too many harmless commands are stopped: {:.1} %\n{wrong}", allow.share());
}
