//! From a path as written to a resource with its areas.

use crate::model::{Resource, ResourceKind};

use super::{Scene, Word};

/// The resource a path means where the current code runs.
pub fn resource(scene: &Scene<'_>, word: &Word, kind: ResourceKind) -> Resource {
    let name = match &scene.cwd {
        Some(cwd) if !word.text.starts_with(['/', '~', '$']) && word.is_known() => {
            format!("{}/{}", cwd.trim_end_matches('/'), word.text.trim_start_matches("./"))
        }
        _ => word.text.clone(),
    };
    Resource { unresolved: !word.is_known(), ..Resource::new(kind, name) }
}
