//! `@last` in place of paths: what was looked at last, so that nobody types it twice.
//!
//! Only paths are kept, in the user's cache folder, and only where somebody sits at a terminal.

use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf, absolute};

use anyhow::{Context, bail};

use super::terminal;

/// The word.
const LAST: &str = "@last";

/// Keeps `paths` for the next command. That it cannot be kept is no reason to fail.
pub(super) fn remember(paths: &[PathBuf]) {
    let told_apart = paths.iter().all(|path| path.as_os_str() != "-" && path.as_os_str() != LAST);
    if !told_apart || !std::io::stdout().is_terminal() || terminal::is_ci() {
        return;
    }
    let all: Option<Vec<String>> = paths.iter().map(|path| absolute(path).ok()?.to_str().map(str::to_owned)).collect();
    if let (Some(file), Some(all)) = (file(), all)
        && let Some(folder) = file.parent()
        && fs::create_dir_all(folder).is_ok()
    {
        let _ = fs::write(file, serde_json::Value::from(all).to_string());
    }
}

/// `paths` with `@last` replaced by what it stands for.
pub(super) fn meant(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for path in paths {
        // A file that really has this name is meant by it.
        if path.as_os_str() == LAST && !Path::new(LAST).exists() {
            all.extend(read()?);
        } else {
            all.push(path.clone());
        }
    }
    Ok(all)
}

fn read() -> anyhow::Result<Vec<PathBuf>> {
    let nothing = "nothing was looked at before: name files or folders";
    let Some(file) = file().filter(|file| file.exists()) else { bail!("{nothing}") };
    let text = fs::read_to_string(&file).with_context(|| format!("failed to read {}", file.display()))?;
    let paths: Vec<PathBuf> = serde_json::from_str(&text).with_context(|| format!("{} is damaged", file.display()))?;
    Ok(paths)
}

fn file() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("NEARMISS_CACHE_DIR")
        .or_else(|| set("XDG_CACHE_HOME").map(|folder| folder.join("nearmiss")))
        .or_else(|| set("HOME").map(|folder| folder.join(".cache/nearmiss")))?;
    Some(folder.join("last.json"))
}
