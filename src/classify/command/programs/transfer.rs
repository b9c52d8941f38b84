//! `scp` and `rsync`: `host:path` on either side says which way the data goes.

use crate::classify::command::{Stream, call::Call, places, settle, within};
use crate::classify::{Scene, Word, paths};
use crate::model::{Effect, Extent, Operation, PlaceKind, ResourceKind};

pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let mut sources: Vec<&Word> = call.operands().collect();
    let target = if sources.len() > 1 { sources.pop() } else { None };
    let mut places = Vec::new();
    for remote in sources.iter().copied().chain(target).filter_map(remote) {
        places::add(PlaceKind::Host, remote.host, &mut places);
    }
    scene.scoped(|scene| {
        scene.places.extend(places);
        if let Some(shell) = call.value("-e") {
            // `-e 'ssh -p 22'` is how it connects; anything else is a program that is run.
            if !shell.text.starts_with("ssh") && !shell.text.starts_with("rsh") {
                within::opened(scene, &shell.text, shell.span);
                scene.run_word(crate::classify::Language::Shell, &shell.text, shell.span);
            }
        }
        moved(scene, call, &sources, target);
    });
    None
}

fn moved(scene: &mut Scene<'_>, call: &Call<'_>, sources: &[&Word], target: Option<&Word>) {
    let out = target.and_then(remote);
    for source in sources {
        let effect = match (remote(source), &out) {
            (Some(_), _) => {
                let kind = if paths::is_folder(&source.text) || call.flag("-r") {
                    ResourceKind::Folder
                } else {
                    ResourceKind::File
                };
                Some(towards(Effect::new(Operation::Fetch, settle::named(kind, source)), &source.text))
            }
            (None, Some(_)) => settle::on_path(scene, Operation::Export, source, false)
                .map(|effect| towards(effect, target.map_or("", |target| &target.text))),
            (None, None) => settle::on_path(scene, Operation::Read, source, false),
        };
        super::note(scene, call, effect);
    }
    let Some(target) = target else { return };
    let deletes = call.parsed.options.iter().any(|given| given.names.any(|name| name.starts_with("--del")));
    if deletes {
        let effect = in_place(scene, target, Operation::Delete).map(|mut effect| {
            if effect.operation == Operation::Delete {
                // What goes is what the source lacks.
                effect.extent = Extent::Some;
            }
            effect
        });
        super::note(scene, call, effect);
    }
    if call.flag("--remove-source-files") {
        for source in sources.iter().filter(|source| remote(source).is_none()) {
            let effect = settle::on_path(scene, Operation::Delete, source, call.flag("-a") || call.flag("-r"));
            super::note(scene, call, effect);
        }
    }
    if out.is_none() {
        let mut effect = settle::on_path(scene, Operation::Update, target, false);
        if let Some(effect) = effect.as_mut().filter(|effect| effect.resource.kind == ResourceKind::Folder) {
            effect.extent = Extent::Some;
        }
        super::note(scene, call, effect);
    }
}

fn towards(mut effect: Effect, peer: &str) -> Effect {
    effect.zone = Some(settle::zone(peer));
    effect.peer = Some(peer.to_owned());
    effect.span = effect.span.or(None);
    effect
}

/// An effect on the target, which may be a path of another machine.
fn in_place(scene: &mut Scene<'_>, target: &Word, operation: Operation) -> Option<Effect> {
    let Some(remote) = remote(target) else { return settle::on_path(scene, operation, target, true) };
    scene.scoped(|scene| {
        scene.go_elsewhere();
        let path = target.tail(target.text.len() - remote.path.len());
        let mut effect = settle::on_path(scene, operation, &path, true)?;
        effect.resource.name.clone_from(&target.text);
        Some(effect)
    })
}

struct Remote<'w> {
    host: &'w str,
    path: &'w str,
}

/// `me@host:path` and `rsync://host/path`; not `C:\x` and not `./a:b`.
fn remote(word: &Word) -> Option<Remote<'_>> {
    for scheme in ["rsync://", "scp://", "ssh://"] {
        if let Some(rest) = word.text.strip_prefix(scheme) {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            return Some(Remote { host, path });
        }
    }
    let (host, path) = word.text.split_once(':')?;
    let drive = host.len() == 1 && path.starts_with(['/', '\\']);
    (!host.contains('/') && !drive && !host.is_empty()).then_some(Remote { host, path: path.trim_start_matches(':') })
}
