//! Real recordings of agents and servers: how much of daily work is stopped or left undecided. The recordings stand in a
//! folder beside the repository; where it is missing the test says so and passes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use nearmiss::model::{Decision, Finding, Hides};

use crate::support::{engine, replay, shared};

const AGENTS: &[&str] = &[
    "claude-code-jsonl",
    "gemini-cli-chat-json",
    "openhands-output-jsonl",
    "swe-agent-traj",
    "mini-swe-agent-traj",
    "specstory-md",
];
const SERVERS: &[&str] = &["postgres-stderr", "postgres-csvlog", "postgres-jsonlog", "mysql-general", "mysql-slow"];

#[derive(Default)]
struct Tally {
    actions: u64,
    /// Records without an action: a prompt, a checkpoint.
    others: u64,
    sessions: u64,
    unread: u64,
    stopped: u64,
    undecided: u64,
    gaps: BTreeMap<String, u64>,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.actions += other.actions;
        self.others += other.others;
        self.sessions += other.sessions;
        self.unread += other.unread;
        self.stopped += other.stopped;
        self.undecided += other.undecided;
        for (gap, count) in &other.gaps {
            *self.gaps.entry(gap.clone()).or_default() += count;
        }
    }

    fn share(&self, count: u64) -> f64 {
        100.0 * count as f64 / self.actions.max(1) as f64
    }

    fn shown(&self, set: &str) -> String {
        let mut line = format!(
            "{set}: {} actions in {} sessions, {} other records, {} unread, {} stopped ({:.2} %), {} undecided ({:.2} %)",
            self.actions,
            self.sessions,
            self.others,
            self.unread,
            self.stopped,
            self.share(self.stopped),
            self.undecided,
            self.share(self.undecided)
        );
        for (gap, count) in &self.gaps {
            let _ = write!(line, "\n    {gap}: {count}");
        }
        line
    }
}

/// One line for a person to read: what, by which rules, through which gaps.
fn listed(set: &str, finding: &Finding) -> String {
    let action = &finding.action;
    let rules: Vec<&str> = finding.verdict.hits.iter().map(|hit| &*hit.rule.id).collect();
    let gaps: Vec<String> = finding
        .understanding
        .gaps
        .iter()
        .chain(&action.gaps)
        .filter(|gap| gap.hides != Hides::Nothing)
        .map(|gap| format!("{}/{}: {}", gap.kind, gap.hides, gap.detail))
        .collect();
    format!(
        "{set}\t{}\t{}\t{:?}\t{}:{}\t{:?}\n",
        finding.verdict.decision,
        rules.join(" "),
        gaps.join("; "),
        action.origin.file.rsplit('/').next().unwrap_or_default(),
        action.origin.line,
        action.text
    )
}

fn tally(set: &str, folder: PathBuf, list: &mut String) -> Tally {
    let (collected, totals) = replay(&engine(), &[folder], None, 1);
    let mut tally = Tally {
        actions: totals.actions,
        others: totals.other_records,
        sessions: totals.sessions,
        unread: totals.unread,
        ..Tally::default()
    };
    for finding in &collected.findings {
        let decision = finding.verdict.decision;
        tally.stopped += u64::from(decision >= Decision::Ask);
        tally.undecided += u64::from(decision == Decision::Undecided);
        for gap in finding.understanding.gaps.iter().chain(&finding.action.gaps) {
            *tally.gaps.entry(format!("{} hides {}", gap.kind, gap.hides)).or_default() += 1;
        }
        if decision > Decision::Allow {
            list.push_str(&listed(set, finding));
        }
    }
    tally
}

/// All sets of one sort; `None` where they are not on this machine.
fn sort_of(name: &str, sets: &[&str], list: &mut String) -> Option<Tally> {
    let mut all = Tally::default();
    for set in sets {
        let tally = tally(set, shared(&format!("data/{set}"))?, list);
        println!("{}", tally.shown(set));
        assert!(tally.actions + tally.others > 0, "nothing was read in {set}");
        all.add(&tally);
    }
    println!("{}", all.shown(name));
    Some(all)
}

#[test]
fn real_sessions() {
    let mut list = String::new();
    let sorts = [("agents", AGENTS), ("servers", SERVERS)].map(|(name, sets)| sort_of(name, sets, &mut list));
    // `NEARMISS_SCORE_LIST=x.tsv` writes what is stopped and undecided to `x.tsv.sessions.tsv`, to be read by eye.
    if let Some(path) = std::env::var_os("NEARMISS_SCORE_LIST") {
        let mut path = PathBuf::from(path).into_os_string();
        path.push(".sessions.tsv");
        std::fs::write(path, &list).unwrap();
    }
    for tally in sorts.into_iter().flatten() {
        assert!(tally.share(tally.stopped) < 1.0, "too much daily work is stopped\n{list}");
        assert!(tally.share(tally.undecided) < 2.0, "too much daily work is undecided\n{list}");
    }
}
