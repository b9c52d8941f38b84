//! What all effects on paths and names have in common, whoever causes them.

use crate::classify::{Scene, Word, paths};
use crate::model::{Area, Effect, Extent, Operation, Resource, ResourceKind, Reversibility, Zone};

/// An effect on the path that `word` names; `None` when nothing can change there (`/dev/null`).
///
/// Removing a folder that a machine, a person or a database lives in is `drop`; removing a log is `rewrite`.
pub(super) fn on_path(scene: &Scene<'_>, operation: Operation, word: &Word, recursive: bool) -> Option<Effect> {
    let guess = if paths::is_folder(&word.text) { ResourceKind::Folder } else { ResourceKind::File };
    on_kind(scene, operation, word, guess, recursive)
}

/// As [`on_path`], for a path known to be of this kind.
pub(super) fn on_kind(
    scene: &Scene<'_>,
    operation: Operation,
    word: &Word,
    kind: ResourceKind,
    recursive: bool,
) -> Option<Effect> {
    let mut resource = paths::resource(scene, word, kind);
    let areas = resource.areas;
    if areas.has(Area::Sink) {
        return None;
    }
    let mut extent = paths::extent(word);
    if resource.unresolved && word.unknown.iter().any(|part| part.substitution) && !word.quoted {
        extent = Extent::Unknown;
    }
    let mut operation = operation;
    if operation == Operation::Delete {
        let mass = extent != Extent::Some && recursive;
        if mass && resource.kind == ResourceKind::File && !looks_like_file(&resource.name) {
            resource.kind = ResourceKind::Folder;
        }
        if mass && resource.kind == ResourceKind::Folder {
            extent = Extent::All;
        }
        let vital = [Area::Root, Area::Home, Area::System, Area::Device, Area::Mount];
        let lives_there = vital.iter().any(|area| areas.has(*area)) && (recursive || areas.has(Area::Device));
        let database = areas.has(Area::DatabaseFiles) && resource.kind == ResourceKind::Folder;
        let history = resource.name.ends_with("/.git") || resource.name == ".git";
        if lives_there || database || history && recursive {
            operation = Operation::Drop;
        }
        if areas.has(Area::Logs) {
            (operation, resource.kind) = (Operation::Rewrite, ResourceKind::Log);
        }
    }
    let mut effect = Effect::new(operation, resource);
    effect.extent = extent;
    effect.cascades = recursive;
    if matches!(operation, Operation::Delete | Operation::Drop | Operation::Rewrite) {
        effect.reversible = Reversibility::No;
    }
    effect.span = word.span;
    Some(effect)
}

fn looks_like_file(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    last.rsplit_once('.').is_some_and(|(stem, tail)| {
        !stem.is_empty() && (1..=5).contains(&tail.len()) && tail.bytes().all(|byte| byte.is_ascii_alphabetic())
    })
}

/// A resource that is not a path, by the word that names it.
pub(super) fn named(kind: ResourceKind, word: &Word) -> Resource {
    let name = match kind {
        ResourceKind::Host => word.text.rsplit_once('@').map_or(&*word.text, |(_, host)| host),
        _ => &*word.text,
    };
    let mut resource = Resource::new(kind, name);
    resource.unresolved = !word.is_known();
    if kind == ResourceKind::Branch && is_protected(&word.text) {
        resource.areas = resource.areas.with(Area::Protected);
    }
    resource
}

/// Branches others build on, by the names nearly everybody uses.
pub(in crate::classify) fn is_protected(branch: &str) -> bool {
    let branch = branch.trim_start_matches('+').trim_start_matches("refs/heads/");
    let branch = branch.strip_prefix("origin/").or_else(|| branch.strip_prefix("upstream/")).unwrap_or(branch);
    matches!(branch, "main" | "master" | "trunk" | "production" | "prod" | "stable" | "release" | "develop")
        || branch.starts_with("release/")
        || branch.starts_with("release-")
}

/// How far away the other end of a transfer is, by its name.
pub(super) fn zone(peer: &str) -> Zone {
    let rest = peer.split_once("://").map_or(peer, |(_, rest)| rest);
    // `TCP:host:port` and `OPENSSL:host:port` of socat.
    let kind = rest.split(':').next().unwrap_or("").to_ascii_uppercase();
    let dialled =
        ["TCP", "TCP4", "TCP6", "UDP", "UDP4", "OPENSSL", "SSL", "TCP-CONNECT", "TCP4-CONNECT", "OPENSSL-CONNECT"];
    let rest = if dialled.contains(&&*kind) { rest.get(kind.len() + 1..).unwrap_or("") } else { rest };
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    let host = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        None => rest.split(['/', ':']).next().unwrap_or(rest),
    };
    let octets: Vec<u8> = host.split('.').filter_map(|part| part.parse().ok()).collect();
    match octets[..] {
        [127, ..] | [0, 0, 0, 0] => return Zone::Local,
        [10, _, _, _] | [192, 168, _, _] | [169, 254, _, _] | [100, 64..=127, _, _] => return Zone::Private,
        [172, 16..=31, _, _] => return Zone::Private,
        _ => {}
    }
    match host {
        "" => Zone::Unknown,
        "localhost" | "::1" | "host.docker.internal" | "metadata.google.internal" => Zone::Local,
        _ if host.contains(['$', '`']) => Zone::Unknown,
        _ if peer.contains("://") && !host.contains('.') && is_store(peer) => Zone::External,
        _ if [".local", ".internal", ".lan", ".corp", ".svc", ".localhost", ".home.arpa", ".intranet"]
            .iter()
            .any(|tail| host.ends_with(tail))
            || host.contains(".svc.") =>
        {
            Zone::Private
        }
        _ if host.contains('.') => Zone::External,
        // A bare name is a host of one's own network or an alias in `~/.ssh/config`.
        _ => Zone::Unknown,
    }
}

fn is_store(peer: &str) -> bool {
    ["s3://", "gs://", "az://", "oss://", "r2://", "b2://", "abfs://"].iter().any(|scheme| peer.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(peer: &str, expected: &str) {
        assert_eq!(zone(peer).word(), expected, "{peer}");
    }

    #[test]
    fn how_far_is_a_peer() {
        check("http://127.0.0.1:8080/x", "local");
        check("localhost:5432", "local");
        check("http://[::1]:80/", "local");
        check("user@10.1.2.3:/x", "private");
        check("https://db.internal/x", "private");
        check("https://example.com/x", "external");
        check("s3://bucket/key", "external");
        check("backup", "unknown");
        check("172.32.0.1", "external");
    }

    #[test]
    fn branches_others_build_on() {
        assert!(is_protected("origin/main"));
        assert!(is_protected("release/1.2"));
        assert!(!is_protected("feature/main-menu"));
    }
}
