//! Strict validation by Cedar, against as much of the schema as a policy can tell apart.
//!
//! Cedar checks a policy once for every principal type, action and resource type that the schema allows together:
//! 2,992 times here, milliseconds each rule. All our actions share one context and all resources their attributes;
//! only what stands in what differs. So one of each sort, and whatever the policy names, finds the same mistakes.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::LazyLock;

use cedar_policy::{PolicySet, Schema, SchemaFragment, ValidationMode, ValidationResult, Validator};

use super::SCHEMA;
use super::compile::Compiled;
use crate::model::{Operation, ResourceKind};

/// Validators by the actions they know: building one costs more than asking it.
#[derive(Default)]
pub(super) struct Validators(BTreeMap<String, Validator>);

impl Validators {
    /// Checks one policy. `test` says what it can apply to; `text` is its statement, for the names in it.
    pub(super) fn check(
        &mut self,
        policy: &cedar_policy::Policy,
        test: Option<&Compiled>,
        text: &str,
    ) -> Result<ValidationResult, String> {
        let validator = match self.0.entry(actions(test, text)) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let fragments = [BASE.clone()?, fragment(entry.key())?];
                let schema = Schema::from_schema_fragments(fragments).map_err(|error| error.to_string())?;
                entry.insert(Validator::new(schema))
            }
        };
        let set = PolicySet::from_policies([policy.clone()]).map_err(|error| error.to_string())?;
        Ok(validator.validate(&set, ValidationMode::Strict))
    }
}

impl std::fmt::Debug for Validators {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// One kind for every way in which kinds stand in each other.
const KINDS: &[ResourceKind] =
    &[ResourceKind::File, ResourceKind::Column, ResourceKind::Workload, ResourceKind::Object, ResourceKind::Service];

const PRINCIPALS: &[&str] = &["Human", "Agent", "Service", "Unknown"];

/// The vocabulary without its actions.
static BASE: LazyLock<Result<SchemaFragment, String>> = LazyLock::new(|| {
    let end = SCHEMA.find("\naction ").unwrap_or(SCHEMA.len());
    fragment(SCHEMA.get(..end).unwrap_or_default())
});

/// The part of the schema that declares the actions.
fn actions(test: Option<&Compiled>, text: &str) -> String {
    let (operations, kinds) = test.map_or((u32::MAX, u64::MAX), |test| (test.operations, test.kinds));
    let kinds = chosen(
        ResourceKind::ALL,
        |kind| kinds & 1 << kind as u32 != 0,
        |kind| KINDS.contains(&kind) || text.contains(kind.word()),
    );
    let operations = chosen(
        Operation::ALL,
        |operation| operations & 1 << operation as u32 != 0,
        |operation| operation == Operation::Read || text.contains(operation.word()),
    );
    let principals =
        if PRINCIPALS.iter().any(|principal| text.contains(principal)) { PRINCIPALS } else { &PRINCIPALS[..1] };
    let quoted = |operations: &[Operation]| {
        operations.iter().map(|operation| format!("\"{operation}\"")).collect::<Vec<_>>().join(", ")
    };
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
    let mut actions = format!(
        "action {} appliesTo {{ principal: [{}], resource: [{}], context: Facts }};",
        quoted(&operations),
        principals.join(", "),
        kinds.join(", "),
    );
    let others: Vec<Operation> =
        Operation::ALL.iter().copied().filter(|operation| !operations.contains(operation)).collect();
    if !others.is_empty() {
        actions += &format!("action {};", quoted(&others));
    }
    actions
}

/// What the policy can apply to and either names or cannot tell from its like; never nothing.
fn chosen<T: Copy>(all: &[T], applies: impl Fn(T) -> bool, matters: impl Fn(T) -> bool) -> Vec<T> {
    let applying: Vec<T> = all.iter().copied().filter(|value| applies(*value)).collect();
    let chosen: Vec<T> = applying.iter().copied().filter(|value| matters(*value)).collect();
    match (chosen.is_empty(), applying.is_empty()) {
        (false, _) => chosen,
        (true, false) => applying,
        // It applies to nothing: Cedar will say that it is impossible.
        (true, true) => all.iter().copied().take(1).collect(),
    }
}

fn fragment(text: &str) -> Result<SchemaFragment, String> {
    match SchemaFragment::from_cedarschema_str(text) {
        Ok((fragment, _)) => Ok(fragment),
        Err(error) => Err(error.to_string()),
    }
}
