//! Transactions: what a rollback takes back, and what is still open at the end.

use crate::model::{Operation, Reversibility};

use super::cursor::Cursor;
use super::dialect::Dialect;
use super::{Run, is_data};

/// Words after BEGIN that make it the start of a transaction.
const TRANSACTION: &[&str] = &[
    "TRAN",
    "TRANSACTION",
    "WORK",
    "ISOLATION",
    "READ",
    "DEFERRED",
    "IMMEDIATE",
    "EXCLUSIVE",
    "CONCURRENT",
    "DEFERRABLE",
    "NOT DEFERRABLE",
    "NOLOGGING",
    "DISTRIBUTED TRAN",
    "DISTRIBUTED TRANSACTION",
];

/// Whether the BEGIN here starts a transaction and not a block.
pub(super) fn begins_transaction(cursor: Cursor<'_>) -> bool {
    let next = Cursor { at: 1, ..cursor };
    next.ended() || TRANSACTION.iter().any(|words| next.sees(words))
}

/// Whether what follows COMMIT, END or ROLLBACK belongs to it.
pub(super) fn ends_transaction(cursor: Cursor<'_>) -> bool {
    const WORDS: &[&str] =
        &["TRAN", "TRANSACTION", "WORK", "AND", "PREPARED", "TO", "RELEASE", "NO", "FORCE", "COMMENT"];
    cursor.ended() || cursor.rest().len() <= 6 && WORDS.iter().any(|word| cursor.sees(word))
}

pub(super) fn begin(run: &mut Run<'_, '_, '_>) {
    if run.transaction.is_none() {
        run.transaction = Some(run.scene.mark());
    }
    run.savepoints.clear();
}

pub(super) fn save(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) {
    if let Some(name) = cursor.name() {
        let mark = run.scene.mark();
        run.savepoints.push((name.text, mark));
    }
}

impl Run<'_, '_, '_> {
    pub(super) fn finish_committed(&mut self) {
        // A COMMIT in a branch of a block may never come.
        if self.blocks == 0 {
            self.transaction = None;
        }
        self.savepoints.clear();
    }
}

pub(super) fn rollback(run: &mut Run<'_, '_, '_>, mut cursor: Cursor<'_>) {
    cursor.eat_any(&["TRANSACTION", "TRAN", "WORK"]);
    if cursor.eat("PREPARED") {
        return;
    }
    // A ROLLBACK in a branch of a block may never come.
    if run.blocks > 0 {
        return;
    }
    let to = cursor.eat("TO");
    cursor.eat("SAVEPOINT");
    let named = cursor.name().filter(|_| to || run.dialect == Dialect::TSql);
    let saved = named.and_then(|name| {
        run.savepoints.iter().rev().find(|(saved, _)| saved.eq_ignore_ascii_case(&name.text)).map(|(_, mark)| *mark)
    });
    let Some(mark) = saved.or(if to { None } else { run.transaction }) else { return };
    let transactional = run.dialect.transactional_schema();
    for effect in run.scene.since(mark).iter_mut() {
        let rows = matches!(effect.operation, Operation::Update | Operation::Delete) && effect.by != "TRUNCATE";
        if is_data(effect) && (transactional || rows) {
            effect.dry_run = true;
            effect.reversible = Reversibility::Yes;
        }
    }
    if saved.is_none() {
        run.transaction = None;
        run.savepoints.clear();
    }
}
