//! Redirections: what they read and write, and what flows into and out of the command for it.

use super::tree::{Part, Redirect, RedirectKind, Substitution};
use super::{walk, words};
use crate::classify::command::Stream;
use crate::classify::{Scene, Word, paths};
use crate::model::{Area, Effect, Extent, GapKind, Hides, Operation, Resource, ResourceKind, Span, Zone};

/// The content of a file that is written piece by piece is followed up to this length.
const MAX_FILE: usize = 256 * 1024;

/// The redirections of one statement after their words are resolved.
#[derive(Debug, Default)]
pub(super) struct Redirected<'r, 't> {
    /// What the command reads instead of what it would have read.
    pub(super) stdin: Option<Stream>,
    outputs: Vec<Output<'r, 't>>,
}

#[derive(Debug)]
struct Output<'r, 't> {
    fd: i32,
    append: bool,
    target: Target<'r, 't>,
    span: Span,
}

#[derive(Debug)]
enum Target<'r, 't> {
    File(Word),
    Process(&'r Substitution<'t>),
}

/// Resolves the words of redirections and does what happens before the command runs.
pub(super) fn open<'r, 't>(scene: &mut Scene<'_>, redirects: &'r [Redirect<'t>], stdin: &Stream) -> Redirected<'r, 't> {
    let mut redirected = Redirected::default();
    for redirect in redirects {
        let span = redirect.span;
        if let (RedirectKind::Write | RedirectKind::Append, [Part::Process(substitution)]) =
            (redirect.kind, &*redirect.target.parts)
        {
            let target = Target::Process(substitution);
            redirected.outputs.push(Output { fd: redirect.fd.unwrap_or(1), append: false, target, span });
            continue;
        }
        let word = words::single(scene, &redirect.target, stdin);
        match redirect.kind {
            RedirectKind::HereDocument | RedirectKind::HereString => {
                let mut text = word.text;
                if redirect.kind == RedirectKind::HereString {
                    text.push('\n');
                }
                let text = Some((text, scene.outer(word.span)));
                let stream = Stream { connected: true, text, ..Stream::default() };
                scene.step(|| redirect.kind.word().to_owned(), Some(span), |_| {});
                redirected.stdin = Some(stream);
            }
            RedirectKind::Read => redirected.read(scene, redirect.fd, &word, span),
            RedirectKind::Write | RedirectKind::Append => {
                let append = redirect.kind == RedirectKind::Append;
                redirected.outputs.push(Output {
                    fd: redirect.fd.unwrap_or(1),
                    append,
                    target: Target::File(word),
                    span,
                });
            }
            RedirectKind::ReadWrite => {
                if network(&word.text).is_some() {
                    redirected.read(scene, redirect.fd, &word, span);
                }
                let fd = redirect.fd.unwrap_or(0);
                redirected.outputs.push(Output { fd, append: true, target: Target::File(word), span });
            }
            RedirectKind::Duplicate if is_descriptor(&word) => {
                if let Some(stream) = scene.files.get(&format!("&{}", word.text)).filter(|_| redirect.fd.is_none()) {
                    redirected.stdin = Some(stream.clone());
                }
            }
            RedirectKind::Duplicate => {
                let fd = redirect.fd.unwrap_or(1);
                redirected.outputs.push(Output { fd, append: false, target: Target::File(word), span });
            }
        }
    }
    redirected
}

impl Redirected<'_, '_> {
    fn read(&mut self, scene: &mut Scene<'_>, fd: Option<i32>, word: &Word, span: Span) {
        let mut stream = Stream { connected: true, ..Stream::default() };
        if let Some(peer) = network(&word.text) {
            let mut effect = Effect::new(Operation::Fetch, Resource::new(ResourceKind::Endpoint, peer.clone()));
            effect.zone = Some(zone(&peer));
            effect.peer = Some(peer);
            effect.by = "/dev/tcp".to_owned();
            effect.span = Some(span);
            scene.effect(effect);
            stream.remote = true;
        } else if let Some(known) = known_file(scene, word) {
            stream = Stream { connected: true, ..known };
        } else if !is_sink(&word.text) {
            let resource = file(scene, word, span);
            let mut effect = Effect::new(Operation::Read, resource.clone());
            effect.by = "<".to_owned();
            effect.span = Some(span);
            scene.effect(effect);
            stream.carries.push(resource);
        }
        match fd {
            None | Some(0) => self.stdin = Some(stream),
            // `exec 3<>/dev/tcp/…; cat <&3`: what is read from it later.
            Some(fd) if stream.remote => {
                scene.files.insert(format!("&{fd}"), stream);
            }
            Some(_) => {}
        }
    }

    /// Does what happens with the command's output; gives what is left of it for the next command.
    pub(super) fn close(self, scene: &mut Scene<'_>, out: Stream) -> Stream {
        let mut taken = false;
        for output in self.outputs {
            let content = if output.fd == 1 { out.clone() } else { Stream::default() };
            taken |= output.fd == 1;
            match output.target {
                Target::Process(substitution) => {
                    let input = Stream { connected: true, ..content };
                    scene.scoped(|scene| walk::script(scene, &substitution.body, &input));
                }
                Target::File(word) => write(scene, &word, output.append, output.span, content),
            }
        }
        if taken { walk::silent() } else { out }
    }
}

fn write(scene: &mut Scene<'_>, word: &Word, append: bool, span: Span, content: Stream) {
    if let Some(peer) = network(&word.text) {
        let endpoint = Resource::new(ResourceKind::Endpoint, peer.clone());
        let leaves = if content.carries.is_empty() { vec![endpoint] } else { content.carries };
        for resource in leaves {
            let mut effect = Effect::new(Operation::Export, resource);
            effect.zone = Some(zone(&peer));
            effect.peer = Some(peer.clone());
            effect.by = "/dev/tcp".to_owned();
            effect.span = Some(span);
            scene.effect(effect);
        }
        return;
    }
    if is_sink(&word.text) {
        return;
    }
    let mut resource = file(scene, word, span);
    let empties = !append && is_nothing(&content);
    if word.is_known() {
        let name = scene.file_key(&resource.name);
        match scene.files.get_mut(&name) {
            Some(before) if append => {
                before.remote |= content.remote;
                before.decoded |= content.decoded;
                before.carries.extend(content.carries);
                before.text = match (before.text.take(), content.text) {
                    (Some((one, _)), Some((two, _))) if one.len() < MAX_FILE => Some((one + &two, None)),
                    _ => None,
                };
            }
            // What was in the file before is in it as well.
            _ if append => {
                let mut content = content;
                content.carries.push(resource.clone());
                scene.files.insert(name, content);
            }
            _ => {
                scene.files.insert(name, content);
            }
        }
    }
    // `: > /var/log/auth.log` is how traces are wiped away.
    let logs = resource.areas.has(Area::Logs);
    let wipes = empties && (logs || resource.areas.has(Area::DatabaseFiles));
    if wipes && logs {
        resource.kind = ResourceKind::Log;
    }
    let mut effect = Effect::new(if wipes { Operation::Rewrite } else { Operation::Update }, resource);
    effect.extent = if append { Extent::Some } else { Extent::All };
    effect.by = if append { ">>" } else { ">" }.to_owned();
    effect.span = Some(span);
    scene.effect(effect);
}

/// Whether a stream is known to be empty: `: >`, `echo >`, `cat /dev/null >`.
fn is_nothing(content: &Stream) -> bool {
    match &content.text {
        Some((text, _)) => text.trim().is_empty(),
        None => !content.carries.is_empty() && content.carries.iter().all(|resource| resource.areas.has(Area::Sink)),
    }
}

/// The file a word names; what is not known about it is a gap.
fn file(scene: &mut Scene<'_>, word: &Word, span: Span) -> Resource {
    let number = |name: &str| matches!(name, "$" | "?" | "!" | "#" | "UID" | "EUID" | "PPID" | "RANDOM" | "SECONDS");
    if let Some(unknown) = word.unknown.iter().find(|part| !number(&part.name)) {
        let kind = if unknown.substitution { GapKind::UnresolvedSubstitution } else { GapKind::UnresolvedVariable };
        scene.gap(kind, Hides::Target, Some(span), unknown.name.clone());
    }
    paths::resource(scene, word, ResourceKind::File)
}

/// What the text put into the file that `word` names.
pub(super) fn known_file(scene: &Scene<'_>, word: &Word) -> Option<Stream> {
    if scene.files.is_empty() {
        return None;
    }
    let by_path = || scene.files.get(&scene.file_key(&paths::resource(scene, word, ResourceKind::File).name));
    scene.files.get(&word.text).or_else(by_path).cloned()
}

/// `2` and `-` of `>&2`, `<&-`, and `1-` that moves a descriptor. One in a variable is a descriptor as well.
fn is_descriptor(word: &Word) -> bool {
    let number = word.text.strip_suffix('-').unwrap_or(&word.text);
    number.bytes().all(|byte| byte.is_ascii_digit()) || !word.is_known()
}

fn is_sink(path: &str) -> bool {
    matches!(path, "/dev/null" | "/dev/stdout" | "/dev/stderr" | "/dev/stdin" | "/dev/tty" | "NUL")
        || path.starts_with("/dev/fd/")
}

/// `/dev/tcp/host/port` as `host:port`.
fn network(path: &str) -> Option<String> {
    let rest = path.strip_prefix("/dev/tcp/").or_else(|| path.strip_prefix("/dev/udp/"))?;
    let (host, port) = rest.split_once('/')?;
    Some(format!("{host}:{port}"))
}

fn zone(peer: &str) -> Zone {
    let host = peer.rsplit_once(':').map_or(peer, |(host, _)| host);
    let private_172 = host
        .strip_prefix("172.")
        .and_then(|rest| rest.split('.').next()?.parse::<u8>().ok())
        .is_some_and(|part| (16..32).contains(&part));
    match host {
        "localhost" | "::1" => Zone::Local,
        _ if host.starts_with("127.") => Zone::Local,
        _ if host.starts_with("10.") || host.starts_with("192.168.") || private_172 => Zone::Private,
        _ if host.contains('$') => Zone::Unknown,
        _ => Zone::External,
    }
}
