//! Every action that was read, in as little room as a list needs: a million of them fit into a few hundred megabytes.

use std::sync::Arc;

use crate::model::{
    Action, ActionId, Actor, Class, Decision, Environment, Finding, Kind, Origin, Outcome, RuleInfo, SessionFacts,
    Timestamp, Verdict,
};
use crate::report::redacted;

/// A longer text is kept up to here; the detail reads the whole of it again.
const LONGEST: usize = 1 << 10;

/// One action, as far as lists show it.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) id: ActionId,
    pub(super) time: Option<Timestamp>,
    pub(super) session: Arc<str>,
    pub(super) actor: Arc<Actor>,
    /// What stopped it, or what it was nearest to.
    pub(super) rule: Option<Arc<RuleInfo>>,
    pub(super) file: Arc<str>,
    pub(super) line: u64,
    pub(super) kind: Kind,
    /// The name of what was called, where it is not a shell.
    pub(super) tool: Option<Arc<str>>,
    pub(super) decision: Decision,
    pub(super) class: Option<Class>,
    /// Shared with the record where that is short; without its secrets where it was cut.
    pub(super) text: Arc<str>,
}

impl Row {
    pub(super) fn of(finding: &Finding) -> Self {
        let action = &finding.action;
        let hit = finding.verdict.hits.first().map(|hit| &hit.rule);
        let near = finding.near.as_ref().and_then(|near| near.told.iter().find(|near| !near.open));
        let text = if action.text.len() <= LONGEST {
            Arc::clone(&action.text)
        } else {
            // A secret that is cut in two is none that could be found later.
            let shown = redacted(&action.text);
            Arc::from(format!("{}…", &shown[..shown.floor_char_boundary(LONGEST)]))
        };
        Self {
            id: action.id,
            time: action.time,
            session: Arc::clone(&action.session),
            actor: Arc::clone(&action.actor),
            rule: hit.or(near.map(|near| &near.rule)).cloned(),
            file: Arc::clone(&action.origin.file),
            line: action.origin.line,
            kind: action.kind,
            tool: action.tool.clone(),
            decision: finding.verdict.decision,
            class: near.map(|near| near.class),
            text,
        }
    }
}

impl Row {
    /// The action as far as it is known here, until it was read again.
    pub(super) fn finding(&self) -> Finding {
        let action = Action {
            id: self.id,
            time: self.time,
            actor: Arc::clone(&self.actor),
            session: Arc::clone(&self.session),
            kind: self.kind,
            text: Arc::clone(&self.text),
            argv: None,
            tool: self.tool.clone(),
            arguments: None,
            surroundings: Arc::default(),
            outcome: Outcome::default(),
            approved: false,
            gaps: Vec::new(),
            origin: Origin { file: Arc::clone(&self.file), line: self.line, offset: 0, format: "" },
        };
        Finding {
            action,
            understanding: Arc::default(),
            verdict: Arc::new(Verdict { decision: self.decision, ..Verdict::default() }),
            environment: Environment::Unknown,
            base: None,
            near: None,
            session_facts: SessionFacts::default(),
            otherwise: Arc::default(),
        }
    }
}

/// All of them, in input order. They stay in the pieces in which they came: to copy a million of them for one more would
/// take longer than a picture may.
#[derive(Debug, Default)]
pub(super) struct Store {
    /// Each with the number of its first row.
    pieces: Vec<(usize, Vec<Row>)>,
    len: usize,
}

impl Store {
    pub(super) fn push(&mut self, rows: Vec<Row>) {
        let first = self.len;
        self.len += rows.len();
        self.pieces.push((first, rows));
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn row(&self, number: u32) -> Option<&Row> {
        let number = number as usize;
        let piece = self.pieces.partition_point(|(first, _)| *first <= number).checked_sub(1)?;
        let (first, rows) = self.pieces.get(piece)?;
        rows.get(number - first)
    }

    /// The numbers of a session's rows, from row `from` on. A session is looked for when somebody opens it: nobody opens
    /// most of them.
    pub(super) fn of_session(&self, name: &Arc<str>, from: usize) -> Vec<u32> {
        let piece = self.pieces.partition_point(|(first, rows)| first + rows.len() <= from);
        let rows = self.pieces.iter().skip(piece).flat_map(|(first, rows)| (*first..).zip(rows));
        let own =
            rows.filter(|(number, row)| *number >= from && (Arc::ptr_eq(&row.session, name) || row.session == *name));
        own.map(|(number, _)| number as u32).collect()
    }
}
