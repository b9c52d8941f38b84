//! Where two policies can judge otherwise: worked out once, so that comparing them costs little more than judging by one.

use super::change::judges_alike;
use super::{Policy, Rule};
use crate::model::{Effect, Operation, ResourceKind};

/// The rules that are not the same in two policies, by what they can apply to.
#[derive(Debug)]
pub struct Edits {
    /// Ids for every pair of operation and kind of resource, each once.
    slices: Vec<Vec<String>>,
    /// One of the policies has no rule at all, and what is not known matters to the other only.
    everywhere: bool,
}

impl Edits {
    pub fn between(base: &Policy, head: &Policy) -> Self {
        let mut edits = Self {
            slices: vec![Vec::new(); Operation::ALL.len() * ResourceKind::ALL.len()],
            everywhere: base.rules().is_empty() != head.rules().is_empty(),
        };
        for (here, there) in [(base, head), (head, base)] {
            for rule in here.compiled.iter().filter(|rule| !judges_alike(here, rule, there)) {
                edits.add(rule);
            }
        }
        edits
    }

    fn add(&mut self, rule: &Rule) {
        for operation in Operation::ALL {
            for kind in ResourceKind::ALL {
                let slice = self.slices.get_mut(place(*operation, *kind));
                if let Some(slice) =
                    slice.filter(|slice| rule.can_apply(*operation, *kind) && !slice.contains(&rule.id))
                {
                    slice.push(rule.id.clone());
                }
            }
        }
    }

    /// Rules of either policy that are not the same in both and can apply to this effect.
    pub fn of(&self, effect: &Effect) -> &[String] {
        self.slices.get(place(effect.operation, effect.resource.kind)).map_or(&[], Vec::as_slice)
    }

    /// Whether the policies can say different things of an action with these effects.
    pub fn touch(&self, effects: &[Effect]) -> bool {
        self.everywhere || effects.iter().any(|effect| !self.of(effect).is_empty())
    }
}

const fn place(operation: Operation, kind: ResourceKind) -> usize {
    operation as usize * ResourceKind::ALL.len() + kind as usize
}
