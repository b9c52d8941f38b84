//! Which recorded actions are one act that several logs tell of: an agent's `psql -c 'DROP …'` and the line in the
//! database's own log, a shell line and what auditd saw of it.
//!
//! The classifier has said of each what it does, so the logs need not agree in words: two records are of one act when
//! different formats tell, within half a minute, of the same operation on the same resource, or of the same text. Only
//! what a policy stopped is looked at, and only what carries a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::model::{ActionId, ActorKind, Finding, Kind, Operation, ResourceKind, Surroundings, Timestamp};

/// How far apart, in microseconds, two logs may tell of one act: clocks differ, a question waits for an answer, a
/// database logs a statement when it ends.
const WINDOW: i64 = 30_000_000;
/// Records looked at; further ones stay on their own.
const MOST: usize = 200_000;

/// The record of an act in another log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    pub id: ActionId,
    pub file: Arc<str>,
    pub line: u64,
    pub format: &'static str,
}

/// Collects stopped actions and finds out which of them are one act.
#[derive(Debug, Default)]
pub struct Linker {
    records: Vec<Record>,
}

#[derive(Debug)]
struct Record {
    time: Timestamp,
    rank: u8,
    /// What two records of one act have in common.
    keys: Vec<Key>,
    surroundings: Arc<Surroundings>,
    evidence: Evidence,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Done(Operation, ResourceKind, String),
    Text(String),
}

/// What belongs together.
#[derive(Debug, Default)]
pub struct Links {
    /// By the action that tells most of who and why: the other records of its act, by time.
    evidence: BTreeMap<ActionId, Vec<Evidence>>,
    /// By each of those others: the action it is evidence of.
    told_by: FxHashMap<ActionId, ActionId>,
}

impl Links {
    /// Other records of the act that `id` tells of; none where `id` is itself evidence of another.
    pub fn evidence(&self, id: ActionId) -> &[Evidence] {
        self.evidence.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The action that `id` is a further record of.
    pub fn told_by(&self, id: ActionId) -> Option<ActionId> {
        self.told_by.get(&id).copied()
    }

    /// Actions that are further records of another one.
    pub fn len(&self) -> usize {
        self.told_by.len()
    }

    pub fn is_empty(&self) -> bool {
        self.told_by.is_empty()
    }
}

impl Linker {
    /// Looks at a stopped action; `false` when nothing in it could be found again in another log.
    pub fn see(&mut self, finding: &Finding) -> bool {
        let Finding { action, .. } = finding;
        let Some(time) = action.time.filter(|_| self.records.len() < MOST) else { return false };
        let keys = keys(finding);
        if keys.is_empty() {
            return false;
        }
        let rank = match (action.actor.kind, action.kind) {
            (ActorKind::Agent, _) => 0,
            (_, Kind::Tool) => 1,
            (_, Kind::Shell) => 2,
            (_, Kind::Exec) => 3,
            (_, Kind::Sql) => 4,
            (_, Kind::Api) => 5,
        };
        let evidence = Evidence {
            id: action.id,
            file: Arc::clone(&action.origin.file),
            line: action.origin.line,
            format: action.origin.format,
        };
        let surroundings = Arc::clone(&action.surroundings);
        self.records.push(Record { time, rank, keys, surroundings, evidence });
        true
    }

    /// Finds, for every record, the one that tells best of its act: who and why rather than what arrived, then the
    /// nearest in time.
    pub fn links(mut self) -> Links {
        self.records.sort_by_cached_key(Record::place);
        let mut by_key: FxHashMap<&Key, Vec<usize>> = FxHashMap::default();
        for (at, record) in self.records.iter().enumerate() {
            for key in &record.keys {
                by_key.entry(key).or_default().push(at);
            }
        }
        let mut links = Links::default();
        for record in &self.records {
            let near = record.keys.iter().filter_map(|key| by_key.get(key)).flat_map(|alike| {
                let first = alike.partition_point(|other| self.records[*other].time.0 < record.time.0 - WINDOW);
                alike[first..].iter().map(|other| &self.records[*other]).take_while(|other| record.is_near(other))
            });
            let teller = near
                .filter(|other| other.order() < record.order() && record.can_be_of(other))
                .min_by_key(|other| (other.rank, (other.time.0 - record.time.0).abs(), other.place()));
            if let Some(teller) = teller {
                links.told_by.insert(record.evidence.id, teller.evidence.id);
            }
        }
        // A statement, the program that sent it and the agent that started that: all are evidence of what the agent did.
        for record in &self.records {
            let id = record.evidence.id;
            let Some(mut teller) = links.told_by(id) else { continue };
            while let Some(further) = links.told_by(teller) {
                teller = further;
            }
            links.told_by.insert(id, teller);
            links.evidence.entry(teller).or_default().push(record.evidence.clone());
        }
        links
    }
}

impl Record {
    /// The total order of records: by time, then by where they stand.
    fn place(&self) -> (Timestamp, Arc<str>, u64, ActionId) {
        (self.time, Arc::clone(&self.evidence.file), self.evidence.line, self.evidence.id)
    }

    /// Who tells rather than is evidence. Strictly smaller, so that no two records tell of each other.
    fn order(&self) -> (u8, &'static str) {
        (self.rank, self.evidence.format)
    }

    /// Logs of one format tell of one act once. What two shells did on two hosts is two acts; a client and its server
    /// may stand on two.
    fn can_be_of(&self, other: &Self) -> bool {
        let apart = |a: &Option<String>, b: &Option<String>| matches!((a, b), (Some(a), Some(b)) if a != b);
        let hosts = self.rank < 4 && other.rank < 4 && apart(&self.surroundings.host, &other.surroundings.host);
        self.evidence.format != other.evidence.format && !hosts
    }

    fn is_near(&self, other: &Self) -> bool {
        (other.time.0 - self.time.0).abs() <= WINDOW
    }
}

/// What the records of one act have in common: what was done to what, and the words.
fn keys(finding: &Finding) -> Vec<Key> {
    let Finding { action, understanding, verdict, .. } = finding;
    let mut keys = Vec::new();
    for effect in verdict.hits.iter().filter_map(|hit| understanding.effects.get(hit.effect)) {
        let resource = &effect.resource;
        // A name that could be any name says nothing.
        if !(resource.unresolved || resource.name.is_empty() || resource.name.contains(['*', '?'])) {
            keys.push(Key::Done(effect.operation, resource.kind, name(resource.kind, &resource.name)));
        }
    }
    let words: Vec<&str> = action.text.trim_end_matches(';').split_whitespace().collect();
    if words.len() > 1 {
        keys.push(Key::Text(words.join(" ")));
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Databases fold case and leave schemas out; a path is a path.
fn name(kind: ResourceKind, name: &str) -> String {
    match kind {
        ResourceKind::File | ResourceKind::Folder | ResourceKind::Device => name.to_owned(),
        _ => name.rsplit(['.', '/']).next().unwrap_or(name).trim_matches(['"', '`', '[', ']', '\'']).to_lowercase(),
    }
}

#[cfg(test)]
mod tests;
