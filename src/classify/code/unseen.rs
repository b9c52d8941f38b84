//! Calls into code that stands in no record: what they do can only be guessed from their names.

use crate::classify::{Scene, naming};
use crate::model::{GapKind, Hides, Operation, ResourceKind};

use super::walk::Call;

/// Words that begin the name of a function which starts something afresh, and often empties it first.
const AFRESH: &[&str] = &["init", "reset", "rebuild", "recreate", "reinit", "reinitialize", "reseed", "bootstrap"];

/// `init_db(conn)` from a file nobody sees could drop every table: that is said, not guessed.
pub(super) fn call(scene: &mut Scene<'_>, call: &Call) {
    let last = call.name.rsplit('.').next().unwrap_or_default();
    let words = naming::words(last);
    let [first, rest @ ..] = &words[..] else { return };
    // A plain name may be a function that stands in the same text.
    if rest.is_empty() || !call.name.contains('.') {
        return;
    }
    let stores = |word: &String| {
        matches!(word.trim_end_matches('s'), "db" | "database" | "table" | "schema" | "collection" | "index" | "store")
    };
    if !rest.iter().any(stores) {
        return;
    }
    let destroys = naming::meaning(last, "").is_some_and(|meaning| {
        matches!(meaning.operation, Operation::Drop | Operation::Delete) && meaning.kind != ResourceKind::Item
    });
    if AFRESH.contains(&first.as_str()) || destroys {
        scene.gap(GapKind::HiddenCode, Hides::Anything, call.span, last);
    }
}
