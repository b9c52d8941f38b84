//! Areas that follow from what things are called: artefacts, start-up files, guards, credentials, logs.

use crate::model::{Area, Areas};

use super::credential::is_credential;

/// Areas that follow from names alone, wherever the path stands. Only the last `own` parts can be artefacts: a
/// workspace that itself stands below a folder called `build` is none.
pub(super) fn named(parts: &[&str], own: usize, far: bool, areas: &mut Areas) {
    let mut set = |area| *areas = areas.with(area);
    let Some(&last) = parts.last() else { return };
    let above = parts.len().checked_sub(2).and_then(|at| parts.get(at)).copied().unwrap_or_default();
    if parts.iter().any(|part| matches!(*part, ".git" | ".hg" | ".svn" | ".jj" | ".bzr")) {
        set(Area::VersionControl);
        if parts.contains(&"hooks") || last == "config" {
            set(Area::Guard);
        }
        if parts.contains(&"logs") {
            set(Area::Logs);
        }
    }
    let mine = &parts[parts.len() - own.min(parts.len())..];
    if mine.iter().any(|part| is_artefact_folder(part)) || is_artefact_file(last) && !far || is_fetched_again(parts) {
        set(Area::Artefact);
    }
    if is_credential(parts) {
        set(Area::Credential);
    }
    if matches!(last, "pgdata" | "PGDATA" | "pg_wal" | "pg_xlog") || parts.contains(&"pgdata") || is_database_file(last)
    {
        set(Area::DatabaseFiles);
    }
    if is_startup(parts, last)
        || parts.iter().any(|part| matches!(*part, "LaunchAgents" | "LaunchDaemons" | "autostart"))
    {
        set(Area::Startup);
    }
    if is_guard(parts, above, last) {
        set(Area::Guard);
    }
    if last.ends_with("_history") && last.starts_with('.')
        || matches!(last, "audit.log" | "auth.log" | "wtmp" | "btmp" | "lastlog")
    {
        set(Area::Logs);
    }
}

/// Caches of package managers, and what git keeps of a step that is under way.
fn is_fetched_again(parts: &[&str]) -> bool {
    let pair = |pair: &[&str]| {
        matches!(
            pair,
            [".cargo", "registry" | "git"]
                | [".m2", "repository"]
                | [".yarn" | ".ivy2" | "nvm" | ".nvm", "cache" | ".cache"]
                | ["pkg", "mod"]
                | [".nuget", "packages"]
                | [".conda" | "miniconda3" | "anaconda3" | "miniforge3", "pkgs"]
                | [".npm", "_cacache" | "_logs" | "_npx"]
                | [".rustup", "downloads" | "tmp"]
                | [".sbt", "boot"]
                | ["apt", "lists" | "archives"]
                | [
                    "cache",
                    "apt"
                        | "apk"
                        | "yum"
                        | "dnf"
                        | "libdnf5"
                        | "pacman"
                        | "zypp"
                        | "man"
                        | "debconf"
                        | "ldconfig"
                        | "fontconfig"
                ]
                | [".git", "rebase-merge" | "rebase-apply" | "sequencer"]
        )
    };
    parts.windows(2).any(pair) || parts.iter().any(|part| matches!(*part, "Caches" | ".pnpm-store" | ".bun-cache"))
}

fn is_startup(parts: &[&str], last: &str) -> bool {
    let within = |folder: &str| parts.contains(&folder);
    within("systemd") && within("user")
        || within("fish") && within("conf.d")
        || within("environment.d")
        || is_startup_file(last)
}

fn is_startup_file(last: &str) -> bool {
    matches!(
        last,
        ".bashrc"
            | ".bash_profile"
            | ".bash_login"
            | ".bash_logout"
            | ".profile"
            | ".zshrc"
            | ".zshenv"
            | ".zprofile"
            | ".zlogin"
            | ".zlogout"
            | ".bash_aliases"
            | ".pam_environment"
            | ".login"
            | ".kshrc"
            | ".cshrc"
            | ".tcshrc"
            | ".xinitrc"
            | ".xprofile"
            | ".vimrc"
            | ".inputrc"
            | ".gitconfig"
            | "config.fish"
            | "authorized_keys"
            | "crontab"
            | "Microsoft.PowerShell_profile.ps1"
    )
}

fn is_guard(parts: &[&str], above: &str, last: &str) -> bool {
    let within = |folder: &str| parts.contains(&folder);
    matches!(
        last,
        "nearmiss.toml" | ".pre-commit-config.yaml" | "lefthook.yml" | ".gitleaks.toml" | "CODEOWNERS" | ".semgrep.yml"
    ) || within(".claude") && (last.starts_with("settings") || within("hooks") || last == ".claude")
        || matches!(above, ".codex" | ".cursor" | ".gemini" | ".husky" | ".windsurf") && last != "auth.json"
        || matches!(last, ".codex" | ".cursor" | ".husky" | ".nearmiss" | ".mcp.json" | "managed-settings.json")
        || matches!(last, ".aider.conf.yml" | "opencode.json" | "opencode.jsonc" | ".clinerules")
        || matches!((above, last), (".vscode", "mcp.json") | (".continue", "config.json" | "config.yaml" | "config.ts"))
        || within(".cursor") && within("hooks")
}

fn is_database_file(last: &str) -> bool {
    let Some((stem, tail)) = last.rsplit_once('.') else { return false };
    // A database that a test makes is made again by the next one.
    const MADE_AGAIN: &[&str] =
        &["test", "tests", "testing", "tmp", "temp", "scratch", "cache", "e2e", "fixture", "mock"];
    let again = stem.split(['_', '-', '.']).any(|word| MADE_AGAIN.contains(&word));
    !stem.is_empty()
        && !again
        && matches!(
            tail,
            "mdf" | "ldf" | "ndf" | "ibd" | "frm" | "myd" | "myi" | "sqlite" | "sqlite3" | "db" | "db3" | "duckdb"
        )
        && !matches!(last, "Thumbs.db")
}

/// Whether a folder of this name can be made again from what is kept.
pub(super) fn is_artefact_folder(name: &str) -> bool {
    matches!(
        name,
        "node_modules"
            | "bower_components"
            | "target"
            | "dist"
            | "build"
            | "out"
            | "obj"
            | "artifacts"
            | "artefacts"
            | "TestResults"
            | "_build"
            | ".next"
            | ".nuxt"
            | ".output"
            | ".svelte-kit"
            | ".turbo"
            | ".cache"
            | ".parcel-cache"
            | ".angular"
            | ".vite"
            | "__pycache__"
            | ".pytest_cache"
            | ".mypy_cache"
            | ".ruff_cache"
            | ".hypothesis"
            | ".tox"
            | ".nox"
            | ".eggs"
            | "htmlcov"
            | "coverage"
            | ".nyc_output"
            | "venv"
            | ".venv"
            | ".gradle"
            | ".dart_tool"
            | "DerivedData"
            | ".terraform"
            | ".stack-work"
            | "dist-newstyle"
            | "elm-stuff"
            | "storybook-static"
            | ".docusaurus"
            | "test-results"
            | "playwright-report"
            | ".serverless"
            | ".aws-sam"
            | "cdk.out"
            | "Pods"
            | "zig-out"
            | "zig-cache"
            | ".zig-cache"
            | "_site"
            | ".expo"
            | ".ipynb_checkpoints"
            | "CMakeFiles"
            | ".direnv"
            | ".pytype"
            | ".pyre"
            | ".sass-cache"
            | ".jekyll-cache"
            | ".bloop"
            | ".metals"
            | ".cxx"
            | ".build"
            | ".swiftpm"
            | "__pypackages__"
            | ".pants.d"
            | ".scannerwork"
            | ".rollup.cache"
            | ".webpack"
            | ".fusebox"
            | ".vercel_build_output"
            | ".astro"
            | ".contentlayer"
            | ".ccls-cache"
            | ".clangd"
            | ".kotlin"
            | ".konan"
    ) || name.ends_with(".egg-info")
        || name.starts_with("cmake-build-")
        || name.starts_with("bazel-")
}

fn is_artefact_file(name: &str) -> bool {
    const TAILS: &[&str] = &[
        ".pyc",
        ".pdb",
        ".obj",
        ".ilk",
        ".pyo",
        ".o",
        ".obj",
        ".class",
        ".tsbuildinfo",
        ".swp",
        ".tmp",
        ".log",
        ".bak",
        ".orig",
        ".rej",
        ".map",
        "~",
    ];
    matches!(name, ".DS_Store" | "Thumbs.db" | ".coverage" | ".eslintcache")
        || name.len() > 1 && TAILS.iter().any(|tail| name.ends_with(tail))
}
