//! What one action leaves for later ones of its session to run or send: files it wrote, aliases, functions.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::command::Stream;
use super::{Known, Scene};
use crate::model::{Area, Content, Effect, Given, Operation, Resource, ResourceKind};

/// Longer texts are not kept: only that they were written by the session is.
const MAX_TEXT: usize = 16 * 1024;
/// A text under a name that is not a script's is kept up to this length.
const MAX_NOTE: usize = 1024;
/// More names than this one action does not leave.
const MAX_NAMES: usize = 32;
/// Files on another machine, whose names mean nothing on this one, are kept under names that begin so.
pub(super) const ELSEWHERE: &str = "//";

/// Puts what earlier actions left behind in its place.
pub(super) fn take_over(scene: &mut Scene<'_>, known: &Known) {
    for (given, content) in &known.given {
        let text = || content.text.as_deref().unwrap_or_default();
        match given {
            Given::Alias(name) => scene.shell.set_alias(name, text()),
            Given::Function(name) => scene.shell.define(name, text()),
            Given::Command(name) => {
                scene.commands_of_programs.insert(name.to_string(), text().to_owned());
            }
            Given::Variable(name) => {
                let key = format!("${{{name}}} of before");
                let stream = Stream {
                    connected: true,
                    remote: content.remote,
                    decoded: content.decoded,
                    carries: content.carries.clone(),
                    ..Stream::default()
                };
                scene.shell.set_partial(name, &key);
                scene.files.insert(key, stream);
                scene.variables.insert(name.to_string(), None);
            }
            Given::File(path) => {
                let stream = Stream {
                    connected: true,
                    text: content.text.as_deref().map(|text| (text.to_owned(), None)),
                    remote: content.remote,
                    decoded: content.decoded,
                    carries: content.carries.clone(),
                    shown: content.shown,
                    ..Stream::default()
                };
                scene.files.insert(path.to_string(), stream);
            }
        }
    }
}

/// What is other than before.
pub(super) fn left_behind(scene: &mut Scene<'_>, known: &Known) -> Vec<(Given, Option<Arc<Content>>)> {
    let nothing = scene.files.is_empty() && scene.commands_of_programs.is_empty() && scene.shell.names_nothing();
    if nothing && known.given.is_empty() {
        return Vec::new();
    }
    let mut now: BTreeMap<Given, Arc<Content>> = BTreeMap::new();
    let mut named = |given: Given, text: &str| {
        if text.len() <= MAX_TEXT {
            now.insert(given, Arc::new(Content::of_text(text)));
        }
    };
    scene.shell.aliases().for_each(|(name, text)| named(Given::Alias(name.into()), text));
    scene.shell.functions().for_each(|(name, body)| named(Given::Function(name.into()), body));
    scene.commands_of_programs.iter().for_each(|(name, text)| named(Given::Command((&**name).into()), text));
    // `x=$(curl …)`: where the value of a variable comes from.
    for (name, part) in scene.shell.partials() {
        if let Some(stream) = scene.files.get(part)
            && let Some(content) = worth_keeping("", Stream { text: None, ..stream.clone() }, false)
        {
            now.insert(Given::Variable(name.into()), Arc::new(content));
        }
    }
    for (path, stream) in std::mem::take(&mut scene.files) {
        let before = known.given.contains_key(&Given::File((&*path).into()));
        if is_file(&path)
            && let Some(content) = worth_keeping(&path, stream, before)
        {
            now.insert(Given::File(path.into()), Arc::new(content));
        }
    }
    let gone = known.given.keys().filter(|given| !now.contains_key(given)).map(|given| (given.clone(), None));
    let gone: Vec<_> = gone.collect();
    let new = now.into_iter().filter(|(given, content)| known.given.get(given) != Some(content));
    gone.into_iter().chain(new.take(MAX_NAMES).map(|(given, content)| (given, Some(content)))).collect()
}

/// Substitutions stand beside files, by what was written.
fn is_file(path: &str) -> bool {
    let substitution = path.starts_with(['`', '$', '<', '>', '=', '&']) || path.contains("$(") || path.contains('`');
    !substitution && !path.is_empty() && !path.starts_with(ELSEWHERE) && !path.starts_with("/dev/")
}

fn worth_keeping(path: &str, stream: Stream, before: bool) -> Option<Content> {
    let mut carries = stream.carries;
    carries.retain(is_sensitive);
    carries.truncate(8);
    let most = if is_script(path) || is_recipe(path) { MAX_TEXT } else { MAX_NOTE };
    let text = stream.text.map(|(text, _)| text).filter(|text| text.len() <= most && !text.trim().is_empty());
    let shown = stream.shown;
    let content =
        Content { text: text.map(Into::into), remote: stream.remote, decoded: stream.decoded, carries, shown };
    let says_something = content.text.is_some() || content.remote || content.decoded || !content.carries.is_empty();
    (before || says_something).then_some(content)
}

/// Whether a copy of it in another file matters: credentials, whole homes, what came out of a database.
fn is_sensitive(resource: &Resource) -> bool {
    let areas = resource.areas;
    let file = matches!(resource.kind, ResourceKind::File | ResourceKind::Folder);
    if !file {
        return !matches!(resource.kind, ResourceKind::Item | ResourceKind::Code);
    }
    [Area::Credential, Area::Home, Area::Root, Area::DatabaseFiles, Area::Device].iter().any(|area| areas.has(*area))
}

/// Whether a path is named like something that is run: by its ending, or without one.
fn is_script(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.') {
        None | Some(("", _)) => true,
        Some((_, ending)) => matches!(
            ending,
            "sh" | "bash"
                | "zsh"
                | "ksh"
                | "command"
                | "py"
                | "rb"
                | "pl"
                | "php"
                | "js"
                | "mjs"
                | "cjs"
                | "ts"
                | "ps1"
                | "psm1"
                | "bat"
                | "cmd"
                | "sql"
                | "mk"
                | "awk"
                | "redis"
                | "mongo"
        ),
    }
}

/// Programs that take their work from a file they need not be told of, by the ends of its usual names.
const RUNNERS: &[(&[&str], &[&str])] = &[
    (&["package.json"], &["npm", "pnpm", "yarn", "bun", "cnpm", "tnpm", "npm-run-all", "run-s", "run-p", "ni", "nr"]),
    (&["Makefile", "makefile", "GNUmakefile"], &["make", "gmake", "bmake", "remake", "mingw32-make", "nmake"]),
    (&["Rakefile", "rakefile"], &["rake", "rails"]),
    (&["justfile", "Justfile", ".justfile"], &["just"]),
    (&["Taskfile.yml", "Taskfile.yaml", "taskfile.yml", "taskfile.yaml", "Taskfile.dist.yml"], &["task", "go-task"]),
    (&["composer.json"], &["composer"]),
    (&["deno.json", "deno.jsonc"], &["deno"]),
    (&["pyproject.toml"], &["poe", "pdm", "hatch", "task", "rye", "pixi"]),
    (&["Dockerfile", "Containerfile"], &["docker", "podman", "nerdctl", "buildah"]),
    (
        &[
            "compose.yaml",
            "compose.yml",
            "docker-compose.yml",
            "docker-compose.yaml",
            "docker-compose.override.yml",
            "compose.override.yaml",
        ],
        &["docker", "docker-compose", "podman", "podman-compose", "nerdctl"],
    ),
    (&[".gitlab-ci.yml", ".gitlab-ci.yaml"], &["gitlab-runner", "gitlab-ci-local"]),
    (&[PLAN], &["terraform", "tofu", "opentofu", "tf", "terragrunt"]),
    (&[PREVIEW], &["pulumi"]),
];
/// Where the last plan is kept that was written into no file.
pub const PLAN: &str = ".terraform/last-plan";
pub const PREVIEW: &str = ".pulumi/last-preview";
/// Where the jobs of a repository stand.
const WORKFLOWS: &str = ".github/workflows/";

/// Whether jobs of a repository stand in a file of this name.
pub(super) fn is_workflow(path: &str) -> bool {
    path.contains(WORKFLOWS)
}

/// The programs that run what stands in a file of this name without being told of it.
pub fn runners_of(path: &str) -> &'static [&'static str] {
    let is = |name: &&str| path.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('/'));
    if is_workflow(path) {
        return &["act"];
    }
    RUNNERS.iter().find(|(names, _)| names.iter().any(is)).map_or(&[], |(_, runners)| runners)
}

/// Whether a file holds commands for a program that reads them from it: tasks, jobs, statements, manifests.
///
/// Programs in a language of their own are left out: reading all of what a project consists of is not what shows what
/// one command of it does.
pub fn is_recipe(path: &str) -> bool {
    let ending = path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(_, ending)| ending);
    !runners_of(path).is_empty()
        || matches!(ending, "sql" | "cql" | "psql" | "yaml" | "yml" | "mk" | "redis" | "lua" | "mongo" | "just")
}

/// Whether a file holds lines for a shell.
pub fn is_shell_script(path: &str, text: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let shells = ["sh", "bash", "zsh", "dash", "ksh", "ash"];
    match name.rsplit_once('.') {
        Some((_, ending)) => matches!(ending, "sh" | "bash" | "zsh" | "ksh" | "command"),
        None => text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("#!"))
            .is_some_and(|line| line.split(['/', ' ']).any(|word| shells.contains(&word))),
    }
}

/// A file that is deleted holds nothing any more.
pub(super) fn forget(scene: &mut Scene<'_>, effect: &Effect) {
    let removes = matches!(effect.operation, Operation::Delete | Operation::Drop) && !effect.dry_run;
    let path = &effect.resource;
    if !removes || path.unresolved || !matches!(path.kind, ResourceKind::File | ResourceKind::Folder) {
        return;
    }
    scene.files.remove(&path.name);
    if path.kind == ResourceKind::Folder {
        let inside = |name: &str| name.strip_prefix(&*path.name).is_some_and(|rest| rest.starts_with('/'));
        scene.files.retain(|name, _| !inside(name));
    }
}

impl Scene<'_> {
    /// The name that a file's content is kept under: on another machine it is another file.
    pub(super) fn file_key(&self, path: &str) -> String {
        if self.elsewhere { format!("{ELSEWHERE}{path}") } else { path.to_owned() }
    }

    /// Notes that a file now holds `text`.
    pub(super) fn wrote(&mut self, path: &str, text: &str) {
        let key = self.file_key(path);
        if text.len() > MAX_TEXT || !is_script(path) && !is_recipe(path) && text.len() > MAX_NOTE {
            self.files.remove(&key);
            return;
        }
        let text = Some((text.to_owned(), None));
        self.files.insert(key, Stream { connected: true, text, ..Stream::default() });
    }

    /// Notes that `old` stands no more in a file, but `new`.
    pub(super) fn edited(&mut self, path: &str, old: &str, new: &str) {
        let key = self.file_key(path);
        if let Some(Stream { text: Some((text, _)), .. }) = self.files.get_mut(&key)
            && !old.is_empty()
            && text.len() + new.len() <= MAX_TEXT
        {
            *text = text.replacen(old, new, 1);
        }
    }
}
