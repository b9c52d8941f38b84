//! Which areas a normalised path stands in.

use crate::classify::Scene;
use crate::model::{Area, Areas, PlaceKind};

use super::HOLE;
use super::named::named;

/// What paths are compared with.
#[derive(Debug)]
pub(super) struct Ground<'a> {
    /// The folder the session works in; what stands below it is its own.
    workspace: Option<&'a str>,
    home: Option<&'a str>,
    elsewhere: bool,
    /// On a named machine: what stands there by its full path is nobody's working folder.
    remote: bool,
}

impl<'a> Ground<'a> {
    /// The workspace is where the session was when the action began: `cd /etc && rm x` does not make `/etc` one.
    pub(super) fn new(scene: &'a Scene<'_>) -> Self {
        let began = scene.action.surroundings.cwd.as_deref();
        Self {
            workspace: began.or(scene.absolute_cwd()),
            home: scene.home.as_deref(),
            elsewhere: scene.elsewhere,
            remote: scene.elsewhere && scene.places.iter().any(|place| place.kind == PlaceKind::Host),
        }
    }
}

/// What is known about a normalised path.
pub(super) fn of(ground: &Ground<'_>, path: &str) -> Areas {
    let mut areas = Areas::default();
    if is_sink(path) {
        return areas.with(Area::Sink);
    }
    let path = path.strip_prefix("/private").filter(|rest| rest.starts_with('/')).unwrap_or(path);
    let below = placed(ground, path, &mut areas);
    let absolute = path.starts_with('/') || is_drive(path);
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if path == "/" || is_drive(path) && parts.len() == 1 {
        return areas.with(Area::Root);
    }
    if is_drive(path) {
        windows(&parts[1..], ground.elsewhere, &mut areas);
    } else if absolute {
        machine(&parts, ground.elsewhere, &mut areas);
    } else if parts.first().is_some_and(|part| part.starts_with('~')) {
        areas = areas.with(if parts.len() == 1 { Area::Home } else { Area::InHome });
        if ground.elsewhere && parts.len() > 1 {
            areas = Areas::default();
        }
    }
    if let Some(home) = ground.home.filter(|_| !ground.elsewhere) {
        match under(path, home) {
            Some("") => areas = areas.with(Area::Home),
            Some(_) => areas = areas.with(Area::InHome),
            None => {}
        }
    }
    let own = below.map_or(parts.len(), |tail| tail.split('/').filter(|part| !part.is_empty()).count());
    named(&parts, own, absolute && below.is_none(), &mut areas);
    areas
}

/// A path that begins with something unknown: only its names say anything.
pub(super) fn floating(path: &str) -> Areas {
    let mut areas = Areas::default();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != HOLE).collect();
    named(&parts, parts.len(), false, &mut areas);
    areas
}

/// The areas that matter when a variable turned out empty: the ones a whole machine or home is lost by.
pub(super) fn if_emptied(path: &str, areas: Areas) -> Areas {
    let short = path.matches('/').count() == 1;
    let lost = areas.has(Area::Root) || areas.has(Area::Home) || areas.has(Area::System) && short;
    let mut kept = Areas::default();
    if lost {
        for area in [Area::Root, Area::Home, Area::System, Area::WorkspaceRoot, Area::Outside] {
            if areas.has(area) {
                kept = kept.with(area);
            }
        }
    }
    kept
}

/// Sets the workspace areas; the part below the workspace when the path stands there.
fn placed<'p>(ground: &Ground<'_>, path: &'p str, areas: &mut Areas) -> Option<&'p str> {
    if ground.elsewhere {
        if ground.remote && path.starts_with('/') {
            *areas = areas.with(Area::Outside);
        }
        // Who logs in at a machine lands in the home folder there.
        if ground.remote && path == "." {
            *areas = areas.with(Area::Home);
        }
        return None;
    }
    let relative = !path.starts_with(['/', '~']) && !is_drive(path);
    let Some(workspace) = ground.workspace.filter(|folder| *folder != "/") else {
        if !relative {
            *areas = areas.with(Area::Outside);
            return None;
        }
        return match path {
            "." => {
                *areas = areas.with(Area::WorkspaceRoot).with(Area::Workspace);
                Some("")
            }
            _ if path == ".." || path.ends_with("/..") => {
                *areas = areas.with(Area::WorkspaceRoot).with(Area::Outside);
                None
            }
            _ if path.starts_with("../") => {
                *areas = areas.with(Area::Outside);
                None
            }
            _ => {
                *areas = areas.with(Area::Workspace);
                Some(path)
            }
        };
    };
    if relative {
        // The session's folder is known but the current one is not: `cd "$x" && rm -r y`.
        return Some(path);
    }
    match under(path, workspace) {
        Some(tail) => {
            *areas = areas.with(Area::Workspace);
            if tail.is_empty() {
                *areas = areas.with(Area::WorkspaceRoot);
            }
            Some(tail)
        }
        None => {
            if under(workspace, path).is_some() {
                *areas = areas.with(Area::WorkspaceRoot);
            }
            *areas = areas.with(Area::Outside);
            None
        }
    }
}

/// What of `path` stands below `folder`; empty for the folder itself.
fn under<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    let folder = folder.trim_end_matches('/');
    let tail = path.strip_prefix(folder)?;
    match tail.strip_prefix('/') {
        Some(tail) => Some(tail),
        None if tail.is_empty() => Some(""),
        None => None,
    }
}

fn is_drive(path: &str) -> bool {
    path.get(1..3) == Some(":/")
}

fn is_sink(path: &str) -> bool {
    matches!(
        path,
        "/dev/null" | "/dev/stdout" | "/dev/stderr" | "/dev/stdin" | "/dev/tty" | "/dev/zero" | "NUL" | "nul"
    ) || path.starts_with("/dev/fd/")
}

/// Whether a name is `pattern`, or the glob `pattern` matches it.
fn like(pattern: &str) -> impl Fn(&str) -> bool {
    let globbed = pattern.contains(['*', '?', '[']);
    move |name| pattern == name || globbed && glob(pattern.as_bytes(), name.as_bytes())
}

/// Plain glob matching; a bracket counts as any one letter.
fn glob(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(b'[') => {
                let close = pattern[p..].iter().position(|&byte| byte == b']').map_or(pattern.len(), |at| p + at + 1);
                (p, n) = (close, n + 1);
            }
            Some(&byte) if byte == b'?' || byte == name[n] => (p, n) = (p + 1, n + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, n) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

/// Folders the operating system lives in, with everything below them.
const SYSTEM: &[&str] = &[
    "bin",
    "boot",
    "etc",
    "lib",
    "lib32",
    "lib64",
    "libx32",
    "lost+found",
    "proc",
    "run",
    "sbin",
    "sys",
    "usr",
    "System",
    "Library",
    "Applications",
    "cores",
    "snap",
    "nix",
];
/// Folders that are everybody's, but not what is in them.
const SHARED: &[&str] = &["dev", "home", "media", "mnt", "opt", "srv", "var", "Users", "Volumes"];

const DISKS: &[&str] = &[
    "sd", "hd", "vd", "xvd", "nvme", "mmcblk", "disk", "rdisk", "md", "dm-", "mapper", "loop", "nbd", "pmem", "zvol",
    "da", "ada", "nda", "nvd", "vtbd", "wd",
];

const DATABASES: &[&str] = &[
    "cassandra",
    "clickhouse",
    "couchdb",
    "elasticsearch",
    "etcd",
    "influxdb",
    "mariadb",
    "mongo",
    "mongodb",
    "mysql",
    "neo4j",
    "pgsql",
    "postgres",
    "postgresql",
    "redis",
];

/// Areas of an absolute path on Linux or macOS.
fn machine(parts: &[&str], elsewhere: bool, areas: &mut Areas) {
    let mut set = |area| *areas = areas.with(area);
    let (top, rest) = match parts.split_first() {
        Some(split) => split,
        None => return,
    };
    let second = rest.first().copied().unwrap_or_default();
    let is = like(top);
    if SYSTEM.iter().any(|name| is(name)) || rest.is_empty() && SHARED.iter().any(|name| is(name)) {
        set(Area::System);
    }
    if is("home") || is("Users") || is("root") {
        let depth = if is("root") { rest.len() + 1 } else { rest.len() };
        if depth <= 1 {
            set(Area::Home);
        } else if !elsewhere && second != "Shared" {
            set(Area::InHome);
        }
    }
    match (*top, second) {
        ("tmp", _) | ("var", "tmp" | "folders") | ("dev", "shm") => set(Area::Temporary),
        ("var", "log") => set(Area::Logs),
        ("var", "lib") => {
            set(Area::System);
            let third = rest.get(1).copied().unwrap_or_default();
            if DATABASES.iter().any(|name| third.starts_with(name)) {
                set(Area::DatabaseFiles);
            }
        }
        ("var", "spool" | "run") => set(Area::System),
        ("dev", name) if DISKS.iter().any(|disk| name.starts_with(disk)) => set(Area::Device),
        ("mnt" | "Volumes", _) if rest.len() == 1 => set(Area::Mount),
        ("media", _) if (1..=2).contains(&rest.len()) => set(Area::Mount),
        _ => {}
    }
    match (*top, second) {
        ("var", "spool") if rest.get(1) == Some(&"cron") => set(Area::Startup),
        ("etc", "cron.d" | "crontab" | "init.d" | "systemd" | "rc.local" | "profile" | "profile.d" | "bash.bashrc") => {
            set(Area::Startup);
        }
        ("etc", name) if name.starts_with("cron.") || name.starts_with("rc") && name.ends_with(".d") => {
            set(Area::Startup)
        }
        ("etc", "sudoers" | "sudoers.d" | "pam.d" | "apparmor.d" | "selinux" | "audit" | "ufw" | "nftables.conf") => {
            set(Area::Guard);
        }
        ("etc", "claude-code") => set(Area::Guard),
        ("run" | "var", _) if parts.contains(&"secrets") => set(Area::Credential),
        _ => {}
    }
}

/// Areas of a path on a Windows drive; the drive itself is taken off.
fn windows(parts: &[&str], elsewhere: bool, areas: &mut Areas) {
    let mut set = |area| *areas = areas.with(area);
    let Some(top) = parts.first().map(|part| part.to_ascii_lowercase()) else { return };
    match &*top {
        "windows" if parts.get(1).is_some_and(|part| part.eq_ignore_ascii_case("temp")) => set(Area::Temporary),
        "windows" | "program files" | "program files (x86)" | "programdata" | "boot" | "recovery" => set(Area::System),
        "temp" | "tmp" => set(Area::Temporary),
        "users" => {
            if parts.len() <= 2 {
                set(Area::Home);
            } else if !elsewhere {
                set(Area::InHome);
            }
            if parts.windows(2).any(|pair| pair[0] == "Local" && pair[1] == "Temp") {
                set(Area::Temporary);
            }
            if parts.contains(&"Startup") {
                set(Area::Startup);
            }
        }
        _ => {}
    }
}
