//! Which circumstances each actor and each host was met in: what an actor never met cannot have been luck.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::gather::Who;
use super::session_flag;
use crate::model::{Actor, Environment, Finding, Flip, Surroundings};
use crate::policy::Fact;

/// Which circumstances each actor and each host was seen in.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    of_actor: FxHashMap<Arc<str>, FxHashSet<(&'static str, Arc<str>)>>,
    of_host: FxHashMap<Arc<str>, FxHashSet<(&'static str, Arc<str>)>>,
    last: Option<(Arc<Actor>, Arc<Surroundings>, Environment, u32)>,
}

const TRUE: &str = "true";
const FALSE: &str = "false";

impl Seen {
    pub(super) fn note(&mut self, finding: &Finding) {
        let Finding { action, environment, session_facts, .. } = finding;
        let flags = FLAGS
            .iter()
            .enumerate()
            .filter(|(_, fact)| session_flag(**fact, session_facts) == Some(true))
            .fold(0, |bits, (at, _)| bits | 1 << at);
        let same = |(actor, surroundings, last, last_flags): &(Arc<Actor>, Arc<Surroundings>, Environment, u32)| {
            Arc::ptr_eq(actor, &action.actor)
                && Arc::ptr_eq(surroundings, &action.surroundings)
                && last == environment
                && *last_flags == flags
        };
        if self.last.as_ref().is_some_and(same) {
            return;
        }
        self.last = Some((Arc::clone(&action.actor), Arc::clone(&action.surroundings), *environment, flags));
        let surroundings = &action.surroundings;
        let mut facts: Vec<(&'static str, Arc<str>)> = Vec::new();
        if *environment != Environment::Unknown {
            facts.push((Fact::Environment.word(), environment.word().into()));
        }
        for (at, fact) in FLAGS.iter().enumerate() {
            let word = if flags & 1 << at != 0 { TRUE } else { FALSE };
            facts.push((fact.word(), word.into()));
        }
        for (fact, name) in [
            (Fact::Host, &surroundings.host),
            (Fact::User, &surroundings.user),
            (Fact::Database, &surroundings.database),
            (Fact::Account, &surroundings.account),
            (Fact::Cluster, &surroundings.cluster),
        ] {
            facts.extend(name.as_deref().map(|name| (fact.word(), name.into())));
        }
        if let Some(host) = surroundings.host.as_deref() {
            known(&mut self.of_host, host).extend(facts.iter().cloned());
        }
        known(&mut self.of_actor, &action.actor.name).extend(facts);
    }

    /// Whether this actor, or anybody on this host, was seen with the other value.
    pub(super) fn shows(&self, who: &Who, flip: &Flip) -> bool {
        let Flip::Fact { fact, value } = flip else { return true };
        let wanted = (*fact, value.as_str().into());
        let of_host = who.host.as_ref().and_then(|host| self.of_host.get(host));
        of_host.into_iter().chain(self.of_actor.get(&who.actor)).any(|facts| facts.contains(&wanted))
    }
}

/// Facts about a session that are true or false.
const FLAGS: [Fact; 11] = [
    Fact::ReadSecret,
    Fact::ReadUntrusted,
    Fact::TurnedGuardOff,
    Fact::SwitchedEnvironment,
    Fact::LastFailed,
    Fact::FolderMissing,
    Fact::DirtyTree,
    Fact::UntrackedFiles,
    Fact::LostWork,
    Fact::IsCheckout,
    Fact::MovedInPart,
];

fn known<'m, T: Default>(map: &'m mut FxHashMap<Arc<str>, T>, name: &str) -> &'m mut T {
    if !map.contains_key(name) {
        map.insert(name.into(), T::default());
    }
    map.entry(name.into()).or_default()
}
