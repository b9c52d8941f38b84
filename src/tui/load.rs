//! Reads and judges while somebody looks: what is ready is handed on, never waited for.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use crate::engine::compare::Comparison;
use crate::engine::near_miss::gather::{Gather, Telling};
use crate::engine::near_miss::group::Survey;
use crate::engine::query::Filter;
use crate::engine::replay::{Listener, Totals};
use crate::model::{ActionId, Class, Decision, Finding, Issue, Timestamp};

use super::entry::{self, Entry, Stopped};
use super::store::Row;
use super::{Event, Opening};

/// Deeply nested code is walked by recursion.
const STACK_BYTES: usize = 64 << 20;
/// Issues that are kept to be looked at; all are counted.
const MAX_ISSUES: usize = 200;
/// The groups are put together anew when the last time took less than this part of what passed since.
const PART: u32 = 8;
/// And not more often than this.
const SOONEST: Duration = Duration::from_millis(120);
/// Examples of changes that are kept.
const MAX_CHANGES: usize = 5_000;

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Picture {
    pub(super) entries: Vec<Arc<Entry>>,
    /// By rule.
    pub(super) rules: BTreeMap<String, RuleTally>,
    pub(super) allowed: u64,
    pub(super) listed: u64,
    pub(super) suppressed: u64,
    pub(super) issues: Vec<Issue>,
    /// Records that could not be read.
    pub(super) lost: u64,
    /// Packed bytes read.
    pub(super) bytes: u64,
    /// Set when everything was read.
    pub(super) totals: Option<Totals>,
    pub(super) elapsed: Duration,
    /// Why it ended early.
    pub(super) problem: Option<String>,
}

/// How often a rule had a say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RuleTally {
    /// Actions that it stopped.
    pub(super) stopped: u64,
    /// Actions that it would have stopped if it were in force.
    pub(super) shadow: u64,
    /// Allowed actions it was near to, by [`Class`].
    pub(super) near: [u64; Class::ALL.len()],
    pub(super) last: Option<Timestamp>,
}

/// A replay under way. When it is dropped, the replay ends.
#[derive(Debug)]
pub(super) struct Load {
    stop: Arc<AtomicBool>,
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Starts to read everything that `filter` means. `number` is put on all news, so that those of an older replay are
/// known.
///
/// # Errors
/// When no thread can be started.
pub(super) fn start(opening: &Arc<Opening>, filter: Filter, number: u64, news: &Sender<Event>) -> io::Result<Load> {
    let stop = Arc::new(AtomicBool::new(false));
    let (own, opening, news) = (Arc::clone(&stop), Arc::clone(opening), news.clone());
    let work = move || Loading::new(&opening, filter, number, &news, &own).run();
    std::thread::Builder::new().name("replay".to_owned()).stack_size(STACK_BYTES).spawn(work)?;
    Ok(Load { stop })
}

/// Reads everything at once, for whoever waits.
#[cfg(test)]
pub(super) fn all(opening: &Opening, filter: Filter) -> (Vec<Row>, Picture) {
    let (news, heard) = std::sync::mpsc::channel();
    Loading::new(opening, filter, 0, &news, &AtomicBool::new(false)).run();
    drop(news);
    let (mut rows, mut last) = (Vec::new(), Picture::default());
    for event in heard {
        match event {
            Event::Rows(_, more) => rows.extend(more),
            Event::Picture(_, picture) => last = *picture,
            _ => {}
        }
    }
    (rows, last)
}

struct Loading<'a> {
    opening: &'a Opening,
    filter: Filter,
    number: u64,
    news: &'a Sender<Event>,
    stop: &'a AtomicBool,
    gather: Gather,
    stopped: Stopped,
    comparison: Option<Comparison>,
    changed: FxHashMap<ActionId, Arc<Finding>>,
    rules: BTreeMap<String, RuleTally>,
    rows: Vec<Row>,
    issues: Vec<Issue>,
    lost: u64,
    started: Instant,
    shown: Instant,
    took: Duration,
}

impl<'a> Loading<'a> {
    fn new(opening: &'a Opening, filter: Filter, number: u64, news: &'a Sender<Event>, stop: &'a AtomicBool) -> Self {
        let now = Instant::now();
        Self {
            opening,
            filter,
            number,
            news,
            stop,
            gather: Gather::default(),
            stopped: Stopped::default(),
            comparison: opening.engine.base_policy().map(|_| Comparison::default()),
            changed: FxHashMap::default(),
            rules: BTreeMap::new(),
            rows: Vec::new(),
            issues: Vec::new(),
            lost: 0,
            started: now,
            shown: now,
            took: Duration::ZERO,
        }
    }

    fn run(mut self) {
        let replay = match (self.opening.replay)(None) {
            Ok((replay, issues)) => {
                issues.iter().for_each(|issue| self.issue(issue));
                replay
            }
            Err(problem) => return self.end(None, Some(problem)),
        };
        let engine = Arc::clone(&self.opening.engine);
        match replay.run(&engine, &mut self) {
            Ok(totals) => self.end(Some(totals), None),
            Err(error) => self.end(None, Some(format!("the threads could not be started: {error}"))),
        }
    }

    /// Hands on the rows since the last time. Nobody may be there any more.
    fn rows(&mut self) {
        if !self.rows.is_empty() {
            let _ = self.news.send(Event::Rows(self.number, std::mem::take(&mut self.rows)));
        }
    }

    fn end(mut self, totals: Option<Totals>, problem: Option<String>) {
        if self.stop.load(Ordering::Relaxed) {
            return;
        }
        self.rows();
        let gather = std::mem::take(&mut self.gather);
        let survey = gather.finish(&self.opening.engine, self.telling());
        let bytes = totals.as_ref().map_or(0, |totals| totals.bytes);
        let picture = Picture { totals, problem, ..self.picture(survey, bytes) };
        let _ = self.news.send(Event::Picture(self.number, Box::new(picture)));
    }

    fn telling(&self) -> Telling<'a> {
        let Opening { collapse_above, suppressions, today, .. } = self.opening;
        Telling { collapse_above: *collapse_above, suppressions, today: *today }
    }

    fn picture(&mut self, survey: Survey, bytes: u64) -> Picture {
        let (allowed, listed) = (survey.allowed, survey.listed);
        let suppressed = survey.suppressed.iter().map(|group| group.count).sum();
        let mut entries = entry::of_survey(survey);
        entries.extend(self.stopped.entries());
        if let Some(comparison) = &self.comparison {
            let impact = comparison.clone().finish(&self.opening.engine);
            entries.extend(entry::of_changes(&impact.groups, &self.changed));
        }
        Picture {
            entries,
            rules: self.rules.clone(),
            allowed,
            listed,
            suppressed,
            issues: self.issues.clone(),
            lost: self.lost,
            bytes,
            elapsed: self.started.elapsed(),
            ..Picture::default()
        }
    }

    fn count(&mut self, finding: &Finding) {
        for (hits, shadow) in [(&finding.verdict.hits, false), (&finding.verdict.shadow, true)] {
            for hit in hits {
                note(&mut self.rules, &hit.rule.id, |tally| {
                    if shadow {
                        tally.shadow += 1
                    } else {
                        tally.stopped += 1
                    }
                    tally.last = tally.last.max(finding.action.time);
                });
            }
        }
        for near in finding.near.iter().flat_map(|near| &near.told).filter(|near| !near.open) {
            note(&mut self.rules, &near.rule.id, |tally| tally.near[near.class as usize] += 1);
        }
    }
}

fn note(rules: &mut BTreeMap<String, RuleTally>, id: &str, change: impl FnOnce(&mut RuleTally)) {
    match rules.get_mut(id) {
        Some(tally) => change(tally),
        None => change(rules.entry(id.to_owned()).or_default()),
    }
}

impl Listener for Loading<'_> {
    fn finding(&mut self, finding: &Finding) {
        self.gather.chosen(&self.filter, finding);
        if !self.filter.matches(finding) {
            return;
        }
        self.rows.push(Row::of(finding));
        self.count(finding);
        if finding.verdict.decision != Decision::Allow {
            self.stopped.add(finding);
        }
        if let Some(comparison) = &mut self.comparison {
            comparison.finding(finding);
            let before = finding.base.as_ref().map(|base| base.verdict.decision);
            if before != Some(finding.verdict.decision) && self.changed.len() < MAX_CHANGES {
                self.changed.insert(finding.action.id, Arc::new(finding.clone()));
            }
        }
    }

    fn issue(&mut self, issue: &Issue) {
        self.lost += u64::from(issue.lost);
        if self.issues.len() < MAX_ISSUES {
            self.issues.push(issue.clone());
        }
    }

    fn progress(&mut self, bytes: u64) -> ControlFlow<()> {
        if self.stop.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        self.rows();
        let now = Instant::now();
        let first = self.shown == self.started;
        if first || now - self.shown > SOONEST.max(self.took * PART) {
            let survey = self.gather.so_far(&self.opening.engine, self.telling());
            let picture = self.picture(survey, bytes);
            self.took = now.elapsed();
            self.shown = Instant::now();
            let _ = self.news.send(Event::Picture(self.number, Box::new(picture)));
        }
        ControlFlow::Continue(())
    }
}
