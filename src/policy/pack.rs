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

/// The files of built-in sources; `None` when one of them is not written as our packs are.
pub(super) fn read<'s>(sources: impl Iterator<Item = &'s Source>) -> Option<Vec<File>> {
    let mut rules = String::new();
    let mut heads = Vec::new();
    let mut files = Vec::new();
    for source in sources {
        for range in statements(&source.text) {
            let (annotations, rule) = Annotations::split(source.text.get(range.clone())?)?;
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
