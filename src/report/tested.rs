//! What `test` found: cases that are wrong, snapshots that changed. The shelf of its formats: a new one is one file
//! here and its two lines below.

mod json;
pub(in crate::report) mod junit;
mod text;

use std::io::{self, Write};
use std::time::Duration;

use crate::engine::expect::Outcome;
use crate::engine::snapshot::Snapshot;
use crate::model::words;

use super::Heading;

/// Every format, in the order `--help` lists them.
pub const REPORTS: &[&dyn TestReport] = &[&text::Text, &json::Json, &junit::Junit];

/// One format.
pub trait TestReport: Sync {
    /// The word for `--format`.
    fn name(&self) -> &'static str;

    /// Uses colours, which are taken out again where nobody would see them.
    fn is_styled(&self) -> bool {
        false
    }

    /// # Errors
    /// When the output cannot be written.
    fn tell(&self, tested: &Tested, out: &mut dyn Write) -> io::Result<()>;
}

/// Everything there is to tell.
#[derive(Debug)]
pub struct Tested {
    pub heading: Heading,
    pub cases: Vec<Outcome>,
    pub corpora: Vec<Corpus>,
    /// Files of snapshots that belong to no corpus.
    pub unreferenced: Vec<String>,
    /// They make the test fail.
    pub reject_unreferenced: bool,
    /// Nothing may be written here: what is new or changed is wrong.
    pub check: bool,
    pub elapsed: Duration,
}

/// One corpus against its snapshot.
#[derive(Debug)]
pub struct Corpus {
    /// Its path, relative to the folder of `nearmiss.toml`.
    pub source: String,
    /// The name of its snapshot.
    pub name: String,
    pub state: State,
    /// What is wrong with the corpus itself.
    pub problem: Option<String>,
    pub actions: u64,
    pub accepted: Option<Snapshot>,
    pub found: Snapshot,
    /// The file of the snapshot.
    pub file: String,
}

words! {
    /// How a corpus stands.
    State {
        /// It is judged as somebody accepted it.
        Same = "same",
        Changed = "changed",
        /// Nobody has accepted anything yet.
        New = "new",
        /// Too much of it could not be read.
        Unread = "unread",
        /// There was no action in it.
        Nothing = "nothing-evaluated",
    }
}

impl Tested {
    /// The format called `name`.
    pub fn format(name: &str) -> Option<&'static dyn TestReport> {
        REPORTS.iter().copied().find(|report| report.name() == name)
    }

    /// Cases that the policy does not judge as it has to.
    pub fn wrong(&self) -> usize {
        self.cases.iter().filter(|outcome| !outcome.holds()).count()
    }

    pub fn corpora_in(&self, state: State) -> usize {
        self.corpora.iter().filter(|corpus| corpus.state == state).count()
    }

    /// Snapshots that somebody has to look at.
    pub fn open(&self) -> usize {
        self.corpora_in(State::Changed) + self.corpora_in(State::New)
    }

    /// Nothing was held against anything.
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty() && self.corpora.is_empty()
    }

    /// Why it fails, gravest first; empty when everything is as it has to be.
    pub fn failures(&self) -> Vec<(Failure, String)> {
        let count = |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
        let (unread, nothing) = (self.corpora_in(State::Unread), self.corpora_in(State::Nothing));
        let (wrong, open) = (self.wrong(), self.open());
        let mut failures = Vec::new();
        if unread > 0 {
            failures.push((Failure::Unread, count(unread, "corpus could not be read", "corpora could not be read")));
        }
        if self.is_empty() {
            failures.push((Failure::Nothing, "nothing was tested".to_owned()));
        }
        if nothing > 0 {
            failures.push((Failure::Nothing, count(nothing, "corpus has no action", "corpora have no action")));
        }
        if wrong > 0 {
            failures.push((Failure::Wrong, count(wrong, "case is wrong", "cases are wrong")));
        }
        if self.reject_unreferenced && !self.unreferenced.is_empty() {
            let left = count(self.unreferenced.len(), "snapshot belongs", "snapshots belong");
            failures.push((Failure::Wrong, format!("{left} to no corpus")));
        }
        if open > 0 && self.check {
            let open = count(open, "snapshot is not as accepted", "snapshots are not as accepted");
            failures.push((Failure::Wrong, open));
        } else if open > 0 {
            failures.push((Failure::Pending, count(open, "snapshot is pending", "snapshots are pending")));
        }
        failures
    }
}

words! {
    /// Why a test fails, gravest first.
    Failure {
        Unread = "unread",
        Nothing = "nothing-evaluated",
        Wrong = "wrong",
        Pending = "pending",
    }
}
