//! Where agents, shells and servers usually record. Nothing is opened: names and sizes are all that is looked at.

use std::path::{Path, PathBuf};

use crate::reader::detect;
use crate::report::sources::Place;

/// So many files of a place are counted.
const MOST_FILES: u64 = 100_000;

/// A place below a home, or of the whole machine.
struct Known {
    what: &'static str,
    /// The reader it needs; another one may be found by content.
    format: &'static str,
    /// Below the home, or from `/`; a part may be `*`.
    paths: &'static [&'static str],
    /// Only files with one of these ends count; empty: all.
    ends: &'static [&'static str],
    /// What else the command needs.
    flags: &'static str,
}

const fn place(
    what: &'static str,
    format: &'static str,
    paths: &'static [&'static str],
    ends: &'static [&'static str],
) -> Known {
    Known { what, format, paths, ends, flags: "" }
}

const AGENTS: &[Known] = &[
    place("Claude Code", "claude_code", &[".claude/projects"], &[".jsonl"]),
    place("Codex CLI", "codex", &[".codex/sessions", ".codex/archived_sessions"], &[".jsonl", ".jsonl.zst"]),
    place("Gemini CLI", "gemini_cli", &[".gemini/tmp"], &[".json", ".jsonl"]),
    place("Qwen Code", "qwen", &[".qwen/projects", ".qwen/tmp"], &[".json", ".jsonl"]),
    place("Kimi CLI", "kimi", &[".kimi/sessions", ".kimi-code/sessions"], &[".jsonl"]),
    place("Grok CLI", "grok", &[".grok/sessions"], &[".jsonl"]),
    place("GitHub Copilot CLI", "copilot_cli", &[".copilot/session-state"], &[".jsonl"]),
    place("Factory Droid", "droid", &[".factory/sessions"], &[".jsonl"]),
    place("Pi", "pi", &[".pi/agent/sessions"], &[".jsonl"]),
    place("OpenClaw", "pi", &[".openclaw/agents"], &[".jsonl"]),
    place("Cursor", "cursor", &[".cursor/projects"], &[".jsonl"]),
    place(
        "Cursor (SQLite)",
        "cursor_sqlite",
        &[
            ".config/Cursor/User/globalStorage",
            "Library/Application Support/Cursor/User/globalStorage",
            "AppData/Roaming/Cursor/User/globalStorage",
            ".cursor/chats",
        ],
        &["state.vscdb", "store.db"],
    ),
    place("OpenCode", "opencode", &[".local/share/opencode"], &[".json", ".db"]),
    place("Crush", "crush", &[".local/share/crush", ".crush/crush.db"], &[".db"]),
    place("Goose", "goose", &[".local/share/goose/sessions"], &[".db", ".jsonl"]),
    place("Hermes", "hermes", &[".hermes/state.db"], &[]),
    place(
        "Kiro CLI and Amazon Q",
        "kiro",
        &[
            ".local/share/kiro-cli/data.sqlite3",
            ".local/share/amazon-q/data.sqlite3",
            "Library/Application Support/kiro-cli/data.sqlite3",
            "Library/Application Support/amazon-q/data.sqlite3",
        ],
        &[],
    ),
    place(
        "Zed",
        "zed",
        &[".local/share/zed/threads/threads.db", "Library/Application Support/Zed/threads/threads.db"],
        &[],
    ),
    place(
        "Cline and Roo Code",
        "cline",
        &[
            ".config/Code/User/globalStorage/saoudrizwan.claude-dev/tasks",
            ".config/Code/User/globalStorage/rooveterinaryinc.roo-cline/tasks",
            ".vscode-server/data/User/globalStorage/saoudrizwan.claude-dev/tasks",
            "Library/Application Support/Code/User/globalStorage/saoudrizwan.claude-dev/tasks",
            ".cline/data/tasks",
        ],
        &["api_conversation_history.json"],
    ),
    place("OpenHands", "openhands", &[".openhands/sessions", ".openhands/conversations"], &[".json", ".jsonl"]),
    place("aider", "aider", &[".aider.chat.history.md"], &[]),
];

const SHELLS: &[Known] = &[
    place("bash", "bash_history", &[".bash_history"], &[]),
    place("zsh", "zsh_history", &[".zsh_history", ".zhistory", ".histfile", ".local/share/zsh/history"], &[]),
    place("fish", "fish_history", &[".local/share/fish/fish_history"], &[]),
    place("tcsh", "tcsh_history", &[".history", ".tcsh_history"], &[]),
    place("atuin", "atuin", &[".local/share/atuin/history.db"], &[]),
    place(
        "Warp",
        "warp",
        &[
            ".local/state/warp-terminal/warp.sqlite",
            "Library/Group Containers/2BBY89MBSN.dev.warp/Library/Application Support/dev.warp.Warp-Stable/warp.sqlite",
            "AppData/Local/warp/Warp/data/warp.sqlite",
        ],
        &[],
    ),
    place("psql", "", &[".psql_history"], &[]),
    place("mysql", "", &[".mysql_history"], &[]),
    Known {
        what: "PowerShell (PSReadLine)",
        format: "lines",
        paths: &[".local/share/powershell/PSReadLine/ConsoleHost_history.txt"],
        ends: &[],
        flags: " --from lines",
    },
    place("asciinema", "asciicast", &[".local/share/asciinema", ".asciinema"], &[".cast", ".cast.gz"]),
];

const SERVERS: &[Known] = &[
    place(
        "PostgreSQL",
        "postgres_stderr",
        &[
            "/var/log/postgresql",
            "/var/lib/pgsql/data/log",
            "/var/lib/pgsql/*/data/log",
            "/var/lib/postgresql/*/*/log",
            "/usr/local/var/log/postgres.log",
            "/opt/homebrew/var/log/postgres.log",
        ],
        &[],
    ),
    place("MySQL", "mysql_general", &["/var/log/mysql"], &[]),
    place("MariaDB", "mariadb_audit", &["/var/log/mariadb", "/var/lib/mysql/server_audit.log"], &[]),
    place("MongoDB", "mongodb", &["/var/log/mongodb"], &[]),
    place(
        "Kubernetes audit",
        "kubernetes_audit",
        &[
            "/var/log/kubernetes/audit",
            "/var/log/kubernetes/audit.log",
            "/var/log/kube-apiserver",
            "/var/log/kube-audit",
        ],
        &[],
    ),
    place("Linux audit", "auditd", &["/var/log/audit"], &[]),
    place("sudo, in the log of logins", "sudo", &["/var/log/auth.log", "/var/log/secure", "/var/log/sudo.log"], &[]),
    place("packages that were installed", "apt_history", &["/var/log/apt"], &[".log", ".log.gz"]),
    place("Santa (macOS)", "santa", &["/var/db/santa/santa.log"], &[]),
];

/// What is here, or below `root`, a disk that is mounted here.
pub(super) fn find(root: Option<&Path>) -> Vec<Place> {
    let mut found = Vec::new();
    let homes = homes(root);
    for (sort, known) in [("Agents", AGENTS), ("Shells", SHELLS)] {
        for home in &homes {
            for known in known {
                for path in known.paths {
                    found.extend(look(sort, known, &home.join(path), root.is_none().then_some(home)));
                }
            }
        }
        if sort == "Agents" && root.is_none() {
            found.extend(projects(&homes));
        }
    }
    for known in SERVERS {
        for path in known.paths {
            let below = path.trim_start_matches('/');
            for path in expanded(root.unwrap_or(Path::new("/")), below) {
                found.extend(look("Servers", known, &path, None));
            }
        }
    }
    found
}

/// What agents leave in the project one stands in.
fn projects(homes: &[PathBuf]) -> Vec<Place> {
    let here = std::env::current_dir().unwrap_or_default();
    if homes.contains(&here) {
        return Vec::new();
    }
    let known = [
        place("aider, in this folder", "aider", &[".aider.chat.history.md"], &[]),
        place("SpecStory, in this folder", "specstory", &[".specstory/history"], &[".md"]),
        place("Crush, in this folder", "crush", &[".crush/crush.db"], &[]),
    ];
    let look = |known: &Known| known.paths.iter().find_map(|path| look("Agents", known, Path::new(path), None));
    known.iter().filter_map(look).collect()
}

/// Whose homes: one's own, or everybody's on a mounted disk.
fn homes(root: Option<&Path>) -> Vec<PathBuf> {
    let Some(root) = root else {
        return std::env::home_dir().into_iter().filter(|home| !home.as_os_str().is_empty()).collect();
    };
    let mut homes: Vec<PathBuf> =
        ["home/*", "Users/*", "root", "var/root"].iter().flat_map(|path| expanded(root, path)).collect();
    homes.retain(|home| home.is_dir());
    homes
}

/// The paths below `root` that a pattern with `*` for a whole part means, sorted.
fn expanded(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut paths = vec![root.to_owned()];
    for part in pattern.split('/') {
        paths = paths
            .into_iter()
            .flat_map(|path| {
                if part != "*" {
                    return vec![path.join(part)];
                }
                let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
                let mut below: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
                below.sort();
                below
            })
            .collect();
    }
    paths
}

/// The place, if something is there.
fn look(sort: &'static str, known: &Known, path: &Path, home: Option<&PathBuf>) -> Option<Place> {
    let metadata = std::fs::metadata(path).ok()?;
    let (mut files, mut bytes, mut refused) = (0, 0, false);
    if metadata.is_file() {
        (files, bytes) = (1, metadata.len());
    } else {
        // Links are not followed: a home may link to anything.
        for entry in walkdir::WalkDir::new(path) {
            match entry {
                Ok(entry) if entry.file_type().is_file() => {
                    let name = entry.file_name().to_string_lossy();
                    if known.ends.is_empty() || known.ends.iter().any(|end| name.ends_with(end)) {
                        files += 1;
                        bytes += entry.metadata().map_or(0, |metadata| metadata.len());
                    }
                }
                Ok(_) => {}
                Err(_) => refused = true,
            }
            if files >= MOST_FILES {
                break;
            }
        }
    }
    if bytes == 0 && !refused {
        return None;
    }
    let shown = match home.and_then(|home| path.strip_prefix(home).ok()) {
        Some(below) => quoted(&format!("~/{}", below.display())),
        None => quoted(&path.display().to_string()),
    };
    let command = if refused && files == 0 {
        Err("permission denied".to_owned())
    } else if detect::by_name(known.format).is_some() {
        Ok(format!("nearmiss replay {shown}{}", known.flags))
    } else {
        Err("no reader for it in this version".to_owned())
    };
    Some(Place { sort, what: known.what, path: shown, files, bytes, command })
}

/// As a shell takes it. A `~` at the start stays outside of the quotes, where it means the home.
pub(super) fn quoted(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"%+,-./:=@_".contains(&byte) || byte >= 0x80;
    let (home, rest) = path.strip_prefix("~/").map_or(("", path), |rest| ("~/", rest));
    if !rest.is_empty() && rest.bytes().all(plain) {
        path.to_owned()
    } else {
        format!("{home}'{}'", rest.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_path_is_written_as_the_shell_takes_it() {
        assert_eq!(quoted("~/.codex/sessions"), "~/.codex/sessions");
        assert_eq!(quoted("~/Library/Application Support/x"), "~/'Library/Application Support/x'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
