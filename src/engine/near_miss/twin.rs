//! The twin of an allowed action: what it would have been with the one thing that was missing. A case with its twin keeps
//! a policy from losing either.

use std::sync::Arc;

use super::slip;
use crate::engine::{Engine, Session, reword};
use crate::model::{Action, Decision, Environment, Finding, Flip, Kind, RuleInfo, Surroundings};
use crate::policy::Fact;

/// An action that one change turned into a stopped one.
#[derive(Clone, Debug)]
pub struct Twin {
    pub action: Action,
    /// What is different, in a few words: `the WHERE is lost`.
    pub differs: String,
    pub decision: Decision,
    /// The rule that stops it.
    pub rule: Arc<RuleInfo>,
}

impl Engine {
    /// The twin of an action that was near to something, judged after what came `before` it in its session; `None` where
    /// no near-miss has a change that an action can say.
    pub fn twin(&self, finding: &Finding, before: &[Action]) -> Option<Twin> {
        let near = finding.near.as_ref()?;
        near.told.iter().flat_map(|near| &near.flips).find_map(|flip| {
            let (action, differs) = flipped(&finding.action, flip)?;
            let mut session = Session::default();
            for earlier in before {
                self.decide(earlier.clone(), &mut session);
            }
            let verdict = self.decide(action.clone(), &mut session).verdict;
            let rule = verdict.hits.first().filter(|_| verdict.decision >= Decision::Ask)?;
            Some(Twin { action, differs, decision: verdict.decision, rule: Arc::clone(&rule.rule) })
        })
    }
}

/// The action with the change, and the change in words.
fn flipped(action: &Action, flip: &Flip) -> Option<(Action, String)> {
    match flip {
        // The words of an `exec` are not known here, only the line that they make.
        Flip::Slip { .. } if action.kind == Kind::Exec => None,
        Flip::Slip { slip, text } => Some((reword(action, text)?, slip::about(slip).to_owned())),
        Flip::Fact { fact, value } => {
            let mut surroundings = Surroundings::clone(&action.surroundings);
            let mut approved = action.approved;
            let name = Some(value.clone());
            match Fact::from_word(fact)? {
                Fact::Environment => surroundings.environment = Some(Environment::from_word(value)?),
                Fact::Host => surroundings.host = name,
                Fact::User => surroundings.user = name,
                Fact::Database => surroundings.database = name,
                Fact::Account => surroundings.account = name,
                Fact::Cluster => surroundings.cluster = name,
                Fact::Approved => approved = value == "true",
                _ => return None,
            }
            let word = fact.rsplit('.').next().unwrap_or(fact).replace('_', " ");
            let differs = format!("the {word} is {value}");
            Some((Action { surroundings: Arc::new(surroundings), approved, ..action.clone() }, differs))
        }
    }
}
