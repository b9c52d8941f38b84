//! Programs whose command lines are a language of their own: what a spec cannot say, one file for each.

mod chmod;
mod console;
mod copy;
mod dd;
mod env;
mod find;
mod gh_api;
pub(super) mod git_config;
mod git_push;
mod grpc;
mod manifest;
mod module;
mod osascript;
mod package_run;
mod parallel;
mod patch;
mod plan;
mod recipes;
mod recode;
mod redis;
pub(super) mod runner;
mod sed;
mod sent;
mod shell;
mod ssh;
mod tar;
mod tee;
mod transfer;
mod typed;
mod windows;
mod xargs;
mod yaml;

use crate::classify::http::client;
use crate::classify::{Scene, Unknown, Word};
use crate::model::{Effect, words};

pub(in crate::classify) use shell::interactive_shell;

use super::Stream;
use super::call::Call;

words! {
    /// The Rust function that reads a program's words; a spec asks for it by `handler = "find"`.
    Handler {
        ApplyPatch = "apply-patch",
        Chained = "chained",
        Chmod = "chmod",
        Cmd = "cmd",
        Console = "console",
        Copy = "copy",
        Curl = "curl",
        Dd = "dd",
        Env = "env",
        Fd = "fd",
        Find = "find",
        GhApi = "gh-api",
        Grpc = "grpc",
        Httpie = "httpie",
        GitConfig = "git-config",
        GitPush = "git-push",
        Lifecycle = "lifecycle",
        LocalRun = "local-run",
        Module = "module",
        Link = "link",
        Move = "move",
        PackageRun = "package-run",
        Plan = "plan",
        Parallel = "parallel",
        PowerShell = "powershell",
        Recode = "recode",
        Manifest = "manifest",
        Osascript = "osascript",
        Recipe = "recipe",
        Redis = "redis",
        Runner = "runner",
        Sed = "sed",
        Sent = "sent",
        Shell = "shell",
        Ssh = "ssh",
        Tar = "tar",
        Tee = "tee",
        Transfer = "transfer",
        Typed = "typed",
        TypedKeys = "typed-keys",
        Wget = "wget",
        Xargs = "xargs",
    }
}

impl Handler {
    /// Runs it; `None` leaves the output to the spec.
    pub(super) fn run(self, scene: &mut Scene<'_>, call: &Call<'_>) -> Option<Stream> {
        match self {
            Self::ApplyPatch => patch::run(scene, call),
            Self::Cmd => windows::cmd(scene, call),
            Self::Console => console::run(scene, call),
            Self::PowerShell => windows::powershell(scene, call),
            Self::Tee => tee::run(scene, call),
            Self::Chained => typed::chained(scene, call),
            Self::Chmod => chmod::run(scene, call),
            Self::Copy => copy::copy(scene, call),
            Self::Curl => Some(client::curl(scene, call.invocation)),
            Self::Httpie => Some(client::httpie(scene, call.invocation)),
            Self::Wget => Some(client::wget(scene, call.invocation)),
            Self::Dd => dd::run(scene, call),
            Self::Env => env::run(scene, call),
            Self::Fd => find::fd(scene, call),
            Self::Find => find::find(scene, call),
            Self::GhApi => gh_api::run(scene, call),
            Self::GitConfig => git_config::run(scene, call),
            Self::Grpc => grpc::run(scene, call),
            Self::GitPush => git_push::run(scene, call),
            Self::LocalRun => package_run::local(scene, call),
            Self::Module => module::run(scene, call),
            Self::Link => copy::link(scene, call),
            Self::Move => copy::rename(scene, call),
            Self::PackageRun => package_run::run(scene, call),
            Self::Plan => plan::run(scene, call),
            Self::Parallel => parallel::run(scene, call),
            Self::Recode => recode::run(scene, call),
            Self::Manifest => manifest::run(scene, call),
            Self::Recipe => recipes::run(scene, call),
            Self::Lifecycle => recipes::installed(scene, call),
            Self::Osascript => osascript::run(scene, call),
            Self::Redis => redis::run(scene, call),
            Self::Runner => runner::run(scene, call),
            Self::Sed => sed::run(scene, call),
            Self::Sent => sent::run(scene, call),
            Self::Shell => shell::run(scene, call),
            Self::Ssh => ssh::run(scene, call),
            Self::Tar => tar::run(scene, call),
            Self::Transfer => transfer::run(scene, call),
            Self::TypedKeys => typed::keys(scene, call),
            Self::Typed => typed::run(scene, call),
            Self::Xargs => xargs::run(scene, call),
        }
    }
}

/// Notes an effect under the name of the call.
fn note(scene: &mut Scene<'_>, call: &Call<'_>, effect: Option<Effect>) {
    let Some(mut effect) = effect else { return };
    effect.by.clone_from(&call.by);
    effect.span = effect.span.or(call.head).or(call.invocation.span);
    effect.guard_off |= call.levels().any(|level| level.guard_off.holds(call));
    effect.dry_run |= call.levels().any(|level| level.dry_run.holds(call));
    scene.effect(effect);
}

/// A word that stands for names which are not known one by one, below `folder` when that is known.
fn some_name(folder: Option<&str>) -> Word {
    let text = folder.map_or_else(|| "{}".to_owned(), |folder| format!("{}/{{}}", folder.trim_end_matches('/')));
    let unknown = Unknown {
        name: "one of several names".into(),
        start: text.len() - 2,
        end: text.len(),
        substitution: false,
        guarded: true,
    };
    Word { text, unknown: vec![unknown], glob: true, ..Word::default() }
}

/// `word` with every `{}` (or what else `mark` is) replaced by `by`.
fn replaced(word: &Word, mark: &str, by: &Word) -> Word {
    if mark.is_empty() || !word.text.contains(mark) {
        return word.clone();
    }
    if word.text == mark {
        return Word { span: word.span, ..by.clone() };
    }
    let mut new = Word { text: String::new(), unknown: Vec::new(), ..word.clone() };
    for (at, piece) in word.text.split(mark).enumerate() {
        if at > 0 {
            let from = new.text.len();
            new.text.push_str(&by.text);
            let moved = |part: &Unknown| Unknown { start: part.start + from, end: part.end + from, ..part.clone() };
            new.unknown.extend(by.unknown.iter().map(moved));
            new.glob |= by.glob;
        }
        new.text.push_str(piece);
    }
    new
}
