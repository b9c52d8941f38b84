//! From a path as written to a resource with its areas.
