//! Every action that was read, in as little room as a list needs: a million of them fit into a few hundred megabytes.

use std::sync::Arc;

use rustc_hash::FxHashMap;

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

/// All of them, in input order, and which session they are of.
#[derive(Debug, Default)]
pub(super) struct Store {
    rows: Vec<Row>,
    sessions: FxHashMap<Arc<str>, Vec<u32>>,
    /// By decision, as in [`Decision::ALL`].
    pub(super) decisions: [u64; 4],
}

impl Store {
    pub(super) fn extend(&mut self, rows: Vec<Row>) {
        for row in rows {
            let number = self.rows.len() as u32;
            self.decisions[row.decision as usize] += 1;
            match self.sessions.get_mut(&row.session) {
                Some(own) => own.push(number),
                None => {
                    self.sessions.insert(Arc::clone(&row.session), vec![number]);
                }
            }
            self.rows.push(row);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// The numbers of a session's actions, in order.
    pub(super) fn session(&self, name: &str) -> &[u32] {
        self.sessions.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn row(&self, number: u32) -> Option<&Row> {
        self.rows.get(number as usize)
    }
}
