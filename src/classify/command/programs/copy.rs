//! `cp` and `mv`: what is read or goes away, and what is overwritten.

use crate::classify::command::{Stream, call::Call, settle, written};
use crate::classify::{Scene, Word, paths};
use crate::model::{Area, Extent, Operation, ResourceKind, Reversibility};

/// The sources and the target of `cp a b target` and `cp -t target a b`.
fn ends<'c>(call: &'c Call<'_>) -> (Vec<&'c Word>, Option<&'c Word>) {
    let mut sources: Vec<&Word> = call.operands().collect();
    let target = call.value("-t").or_else(|| if sources.len() > 1 { sources.pop() } else { None });
    (sources, target)
}

fn is_sink(scene: &Scene<'_>, word: &Word) -> bool {
    paths::resource(scene, word, ResourceKind::File).areas.has(Area::Sink)
}

pub(super) fn copy(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let (sources, target) = ends(call);
    for source in &sources {
        let effect = settle::on_path(scene, Operation::Read, source, false);
        super::note(scene, call, effect);
    }
    let target = target?;
    // `cp /dev/null x` empties it; a copy onto a disk takes the file system with it.
    let empties = sources.iter().any(|source| is_sink(scene, source));
    let operation = match () {
        () if empties => Operation::Delete,
        () if call.flag("-n") => Operation::Create,
        () => Operation::Update,
    };
    let mut effect = settle::on_path(scene, operation, target, false);
    if let Some(effect) = &mut effect {
        if empties {
            effect.extent = Extent::All;
        }
        onto_device(effect);
        over_log(effect);
    }
    super::note(scene, call, effect);
    carry(scene, &sources, target);
    None
}

/// `ln -s /bin/rm wipe`: what is written about the one is true of the other.
pub(super) fn link(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let (sources, target) = ends(call);
    carry(scene, &sources, target?);
    None
}

/// What the text itself put into a file is in its copy as well.
fn carry(scene: &mut Scene<'_>, sources: &[&Word], target: &Word) {
    let &[source] = sources else { return };
    let Some(content) = written::found(scene, source).or_else(|| program(scene, source)) else { return };
    if paths::resource(scene, target, ResourceKind::File).kind == ResourceKind::Folder {
        let name = source.text.rsplit('/').next().unwrap_or(&source.text);
        let within = Word { text: format!("{}/{name}", target.text.trim_end_matches('/')), ..target.clone() };
        written::put(scene, &within, content, false);
    } else {
        written::put(scene, target, content, false);
    }
}

/// An installed program as a script that runs it: its copies and links do what it does, until they are overwritten.
fn program(scene: &Scene<'_>, word: &Word) -> Option<Stream> {
    let (folder, name) = word.text.rsplit_once('/')?;
    let installed = matches!(folder.rsplit('/').next(), Some("bin" | "sbin"));
    let text = format!("#!/bin/sh\n{} \"$@\"\n", word.text);
    (installed && word.is_known() && scene.catalog.knows(name)).then(|| Stream {
        connected: true,
        text: Some((text, None)),
        ..Stream::default()
    })
}

pub(super) fn onto_device(effect: &mut crate::model::Effect) {
    if effect.resource.areas.has(Area::Device) {
        effect.operation = Operation::Drop;
        effect.extent = Extent::All;
        effect.reversible = Reversibility::No;
    }
}

/// What the machine itself keeps a record in is not written by hand.
fn over_log(effect: &mut crate::model::Effect) {
    let name = effect.resource.name.strip_prefix("/var/log/").unwrap_or_default();
    let kept = effect.resource.kind == ResourceKind::File && !name.is_empty() && !name.contains('/');
    if kept && effect.operation == Operation::Update && effect.resource.areas.has(Area::Logs) {
        (effect.operation, effect.resource.kind, effect.reversible) =
            (Operation::Rewrite, ResourceKind::Log, Reversibility::No);
    }
}

pub(super) fn rename(scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
    let (sources, target) = ends(call);
    let lost = target.is_some_and(|target| is_sink(scene, target));
    for source in &sources {
        let mut effect =
            settle::on_path(scene, if lost { Operation::Delete } else { Operation::Update }, source, false);
        if let Some(effect) = &mut effect {
            let vital = [Area::Root, Area::Home, Area::System, Area::DatabaseFiles, Area::Mount];
            let away = vital.iter().any(|area| effect.resource.areas.has(*area))
                && effect.resource.kind == ResourceKind::Folder;
            if away {
                (effect.operation, effect.reversible) = (Operation::Drop, Reversibility::Yes);
            } else if effect.resource.areas.has(Area::Logs) {
                (effect.operation, effect.resource.kind) = (Operation::Rewrite, ResourceKind::Log);
            }
        }
        super::note(scene, call, effect);
    }
    let operation = if call.flag("-n") { Operation::Create } else { Operation::Update };
    let mut effect = target.and_then(|target| settle::on_path(scene, operation, target, false));
    if let Some(effect) = &mut effect {
        over_log(effect);
    }
    super::note(scene, call, effect);
    if let Some(target) = target {
        carry(scene, &sources, target);
        // What was moved away is not there any more.
        for source in &sources {
            let key = scene.file_key(&paths::resource(scene, source, ResourceKind::File).name);
            scene.files.remove(&key);
        }
    }
    None
}
