//! Code of the workspace that nobody has seen, but whose name says that it destroys: `make destroy-production`,
//! `npm run db:drop -- --env production`, `bin/purge-customer-data --all`.

use crate::classify::{Scene, Word, naming};
use crate::model::{Certainty, CodeOrigin, Effect, Extent, Operation, Resource, ResourceKind};

use super::simple::Command;

/// Nobody calls something so that spares what it is about.
const DESTROYS: &str = "destroy drop erase nuke obliterate purge teardown terminate truncate wipe";

/// These are about a part as often as not: they need to say of what.
const REMOVES: &str = "delete flush remove reset";

const PRODUCTION: &str = "live prd prod production";

const ALL: &str = "all everything";

/// What people and their data are called: all of it gone is never a day's work.
const DATA: &str = "accounts backups buckets clusters customers data databases dbs instances invoices orders \
    payments records tables tenants users volumes";

/// What is made anew at any time, and where nothing is lost.
const SPARES: &str = "artifacts build cache caches ci coverage demo dev development dist docs dry e2e fixture \
    fixtures local localhost lint logs mock mocks plan preview sandbox simctl scratch spec stage staging temp test \
    testing tests tmp";

/// Adds what the name of a script or task says, where the command that was just run is one that nobody has seen.
pub(super) fn note(scene: &mut Scene<'_>, words: &[Word], about: &Command<'_, '_>, mark: usize) {
    // What was read of it says it better.
    if scene.since(mark).iter().any(|effect| matches!(effect.operation, Operation::Delete | Operation::Drop)) {
        return;
    }
    let unseen = |effect: &&mut Effect| {
        effect.operation == Operation::Execute
            && effect.resource.kind == ResourceKind::Code
            && effect.code == Some(CodeOrigin::Local)
            && !effect.dry_run
    };
    if scene.since(mark).iter_mut().find(unseen).is_none() {
        return;
    }
    let Some(name) = telling(words, about) else { return };
    let mut effect = Effect::new(Operation::Delete, Resource::new(ResourceKind::Item, name.text.as_str()));
    effect.extent = Extent::All;
    effect.certainty = Certainty::Inferred;
    effect.by.clone_from(&name.text);
    effect.span = name.span.or(about.span);
    scene.effect(effect);
}

/// The word that names what destroys much.
fn telling<'w>(words: &'w [Word], about: &Command<'_, '_>) -> Option<&'w Word> {
    let has = |said: &[String], list: &str| said.iter().any(|word| list.split(' ').any(|one| one == word));
    // A path is told by its file; what an option is given is the surroundings.
    let last = |word: &Word| naming::words(word.text.rsplit('/').next().unwrap_or_default());
    let name = words.iter().find(|word| {
        let said = last(word);
        !word.text.starts_with('-') && (has(&said, DESTROYS) || has(&said, REMOVES))
    })?;
    let surroundings = about.assignments.iter().filter_map(|(_, value)| value.as_deref()).map(naming::words);
    let said: Vec<String> = words.iter().map(last).chain(surroundings).flatten().collect();
    let own = last(name);
    let much = has(&said, PRODUCTION) || has(&said, ALL) && (has(&own, DESTROYS) || has(&own, DATA));
    (much && !has(&said, SPARES)).then_some(name)
}
