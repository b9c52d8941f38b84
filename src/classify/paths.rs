//! From a path as written to a resource with its areas.

use super::{Scene, Word};
use crate::model::{Resource, ResourceKind};

/// The resource that `word` names as a path.
pub fn resource(scene: &Scene<'_>, word: &Word, kind: ResourceKind) -> Resource {
    let name = match &scene.cwd {
        Some(cwd) if !word.text.starts_with(['/', '~', '$']) => format!("{}/{}", cwd.trim_end_matches('/'), word.text),
        _ => word.text.clone(),
    };
    let mut resource = Resource::new(kind, name);
    resource.unresolved = !word.is_known();
    resource
}
