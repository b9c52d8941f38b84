//! Reads the packs that come with the program in one go.
//!
//! Nearly all of a cold start would be Cedar reading prose: annotations are more than half of a pack, and Cedar's lexer
//! starts anew for every file. So we read the annotations, and Cedar reads the rules of all files at once. A test holds
//! the result against what Cedar makes of the files as they are.

use std::sync::Arc;

use cedar_policy::{PolicyId, PolicySet};
use miette::NamedSource;

use super::Source;
use super::annotation::Annotations;
use super::load::{File, Parsed};
use super::statement::statements;
use crate::model::Operation;

/// The files of built-in sources; `None` when one of them is not written as our packs are. With `operations`, rules
/// that name only others are left out.
pub(super) fn read<'s>(
    sources: impl Iterator<Item = &'s Source>,
    operations: Option<&[Operation]>,
) -> Option<Vec<File>> {
    let mut rules = String::new();
    let mut heads = Vec::new();
    let mut files = Vec::new();
    for source in sources {
        for range in statements(&source.text) {
            let (annotations, rule) = Annotations::split(source.text.get(range.clone())?)?;
            if operations.is_some_and(|operations| !concerns(rule, operations)) {
                continue;
            }
            rules.push_str(rule);
            rules.push('\n');
            heads.push((files.len(), annotations, range));
        }
        let source = Arc::new(NamedSource::new(&source.name, source.text.clone()));
        files.push(File { source, policies: Vec::new() });
    }
    let set: PolicySet = rules.parse().ok()?;
    for (number, (file, annotations, range)) in heads.into_iter().enumerate() {
        let id = annotations.get("id")?.to_owned();
        let policy = set.policy(&PolicyId::new(format!("policy{number}")))?.new_id(PolicyId::new(&id));
        files.get_mut(file)?.policies.push(Parsed { id, annotations, policy, range });
    }
    Some(files)
}

/// Whether a rule can be about one of these operations. When in doubt it is.
fn concerns(rule: &str, operations: &[Operation]) -> bool {
    // `forbid (principal, action in [Action::"delete", Action::"drop"], resource is Table in Environment::"test")`
    let scope = rule.split_once('(').map(|(_, rest)| rest);
    // A long scope stands on several lines.
    let Some((_, action)) = scope.and_then(|scope| scope.split_once("action")) else { return true };
    let Some((action, _)) = action.split_once("resource") else { return true };
    let named = |operation: &Operation| action.contains(&format!("Action::\"{operation}\""));
    !action.contains("Action::") || operations.iter().any(named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{LoadOptions, Policy, builtin};

    #[test]
    fn what_is_left_out_is_about_other_operations() {
        let sources = builtin("strict").unwrap();
        let whole = Policy::load(&sources, &LoadOptions::default()).unwrap();
        for operation in Operation::ALL {
            let options = LoadOptions { operations: Some(vec![*operation]), ..LoadOptions::default() };
            let part = Policy::load(&sources, &options).unwrap();
            assert_eq!(part.digest(), whole.digest());
            let kept = |id: &str| part.rules().iter().any(|rule| rule.id == id);
            // What the whole policy would try for this operation is all there.
            let about = |rule: &&crate::policy::Rule| rule.test.operations & 1 << *operation as u32 != 0;
            for rule in whole.compiled.iter().filter(about) {
                assert!(rule.info.is_none() || kept(&rule.id), "{} is about {operation}", rule.id);
            }
            assert!(part.rules().len() < whole.rules().len(), "{operation}: something is left out");
        }
    }
}
