//! The same judgement through Cedar's own `Authorizer`: slow, and right by definition.
//!
//! `--engine cedar` forces it; property tests compare it with the compiled path.

use cedar_policy::{Authorizer, Decision, PolicySet};

use super::entities::{CedarRequest, translate};
use super::{Policy, Request};

/// What Cedar says to a request: the policies that are satisfied and those that fail, by id.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) permitted: bool,
    pub(super) satisfied: Vec<String>,
    pub(super) failed: Vec<(String, String)>,
}

impl Policy {
    /// Asks the `Authorizer` about the rules and about the permits, which hide each other's reasons.
    pub(super) fn ask(&self, request: &Request<'_>) -> Result<Answer, String> {
        let (permits, forbids) = self.cedar()?;
        let CedarRequest { request, entities } = translate(request)?;
        let authorizer = Authorizer::new();
        let mut answer = Answer::default();
        let rules = authorizer.is_authorized(&request, forbids, &entities);
        answer.satisfied = rules.diagnostics().reason().map(ToString::to_string).collect();
        answer.failed = failures(&rules);
        let base = authorizer.is_authorized(&request, permits, &entities);
        answer.permitted = base.decision() == Decision::Allow;
        answer.failed.extend(failures(&base));
        Ok(answer)
    }

    fn cedar(&self) -> Result<&(PolicySet, PolicySet), String> {
        let sets = self.sets.get_or_init(|| {
            let set = |permit| {
                let policies = self.compiled.iter().filter(|rule| rule.test.permit == permit);
                PolicySet::from_policies(policies.map(|rule| rule.policy.clone())).map_err(|error| error.to_string())
            };
            Ok((set(true)?, set(false)?))
        });
        sets.as_ref().map_err(Clone::clone)
    }
}

fn failures(response: &cedar_policy::Response) -> Vec<(String, String)> {
    response
        .diagnostics()
        .errors()
        .map(|cedar_policy::AuthorizationError::PolicyEvaluationError(error)| {
            (error.policy_id().to_string(), error.inner().to_string())
        })
        .collect()
}
