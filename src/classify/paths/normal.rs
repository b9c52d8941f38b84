//! The one spelling of a path: `.` and `..` taken out, `~` and the working folder put in, `\` turned round.

use crate::classify::{Scene, Word};

use super::HOLE;

/// A path word after normalising.
#[derive(Debug)]
pub(super) struct Path {
    /// Normalised, with [`HOLE`] for every part that is not known.
    pub name: String,
    /// What a person should see: as `name`, but with the unknown parts as written.
    pub shown: String,
    /// There are unknown parts.
    pub holes: bool,
    /// Begins with an unknown part, so that it could stand anywhere.
    pub floating: bool,
    /// Ended in a glob over everything, which `name` no longer has.
    pub everything: bool,
    /// Made for this run: `$(mktemp -d)`.
    pub made_up: bool,
}

/// Normalises a word, filling in the variables and substitutions everybody knows the meaning of.
pub(super) fn of_word(scene: &Scene<'_>, word: &Word) -> Path {
    if word.unknown.is_empty() {
        let literal = word.quoted && word.text.starts_with('~') && scene.home.is_some();
        let (text, everything) = without_everything(&word.text, word.glob);
        let name = if literal { normalise(scene, &format!("./{text}")) } else { normalise(scene, text) };
        return Path { shown: String::new(), name, holes: false, floating: false, everything, made_up: false };
    }
    let (mut text, mut shown) = (String::with_capacity(word.text.len()), Vec::new());
    let (mut at, mut made_up, mut floating) = (0, false, false);
    for part in &word.unknown {
        text.push_str(word.text.get(at..part.start).unwrap_or_default());
        at = part.end;
        match well_known(&part.name) {
            Some(place) if text.is_empty() => {
                made_up |= place == MADE;
                text.push_str(place);
            }
            _ => {
                floating |= text.is_empty();
                text.push_str(HOLE);
                shown.push(word.text.get(part.start..part.end).unwrap_or_default());
            }
        }
    }
    text.push_str(word.text.get(at..).unwrap_or_default());
    let holes = !shown.is_empty();
    let (left, everything) = without_everything(&text, word.glob);
    let name = if floating { left.to_owned() } else { normalise(scene, left) };
    let visible = if floating { word.text.clone() } else { filled(&name, &shown) };
    Path { shown: visible, name, holes, floating, everything, made_up }
}

const MADE: &str = "/tmp/mktemp";

/// Where a variable or a substitution leads on every machine, near enough to judge by.
fn well_known(name: &str) -> Option<&'static str> {
    let name = name.trim_start_matches("$(").trim_start_matches('`').trim_end_matches([')', '`']).trim();
    Some(match name {
        "HOME" | "USERPROFILE" | "env:USERPROFILE" | "env:HOME" => "~",
        "PWD" | "pwd" | "GITHUB_WORKSPACE" | "CI_PROJECT_DIR" | "git rev-parse --show-toplevel" => ".",
        "TMPDIR" | "TMP" | "TEMP" | "RUNNER_TEMP" | "env:TEMP" => "/tmp",
        "PGDATA" => "/var/lib/postgresql/data",
        "SystemRoot" | "windir" | "env:SystemRoot" => "C:/Windows",
        _ if name == "mktemp" || name.starts_with("mktemp ") => MADE,
        _ => return None,
    })
}

fn filled(name: &str, parts: &[&str]) -> String {
    let mut parts = parts.iter();
    let mut text = String::with_capacity(name.len());
    for (at, piece) in name.split(HOLE).enumerate() {
        if at > 0 {
            text.push_str(parts.next().copied().unwrap_or("$…"));
        }
        text.push_str(piece);
    }
    text
}

/// Whether a name pattern matches (next to) everything in its folder.
pub(super) fn is_everything(pattern: &str) -> bool {
    matches!(pattern, "*" | "**" | ".*" | "*.*" | "?*" | "*?" | ".??*" | ".[!.]*" | ".[^.]*" | ".[a-zA-Z0-9]*")
}

pub(super) fn without_everything(text: &str, glob: bool) -> (&str, bool) {
    let (mut left, mut everything) = (text, false);
    if !glob {
        return (left, everything);
    }
    loop {
        let start = left.rfind(['/', '\\']).map_or(0, |at| at + 1);
        if !is_everything(&left[start..]) {
            break;
        }
        everything = true;
        left = match start {
            0 => ".",
            1 => return (&left[..1], true),
            _ => &left[..start - 1],
        };
    }
    (left, everything)
}

/// The one spelling of a path: absolute when that can be known, else relative without needless parts.
pub fn normalise(scene: &Scene<'_>, text: &str) -> String {
    if let Some(path) = windows(scene, text) {
        return path;
    }
    if let Some(rest) = text.strip_prefix('~') {
        let (user, tail) = rest.split_once('/').unwrap_or((rest, ""));
        let home = if user.is_empty() { scene.home.as_deref().filter(|_| !scene.elsewhere) } else { None };
        return match home {
            Some(home) => joined(home, tail),
            None if tail.is_empty() => format!("~{user}"),
            None => joined(&format!("~{user}"), tail),
        };
    }
    if text.starts_with('/') {
        return joined("/", text);
    }
    joined(scene.cwd.as_deref().unwrap_or_default(), text)
}

/// Whether a path says where it stands without a working folder.
pub fn is_absolute(path: &str) -> bool {
    path.starts_with(['/', '~', '\\'])
        || matches!(path.as_bytes(), [drive, b':', b'/' | b'\\', ..] if drive.is_ascii_alphabetic())
}

fn windows(scene: &Scene<'_>, text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let drive = match bytes {
        [letter, b':', b'/' | b'\\', ..] | [letter, b':'] if letter.is_ascii_alphabetic() => {
            letter.to_ascii_uppercase()
        }
        [b'%', ..] => {
            let (name, rest) = text[1..].split_once('%')?;
            let upper = name.to_ascii_uppercase();
            let place = match &*upper {
                "USERPROFILE" | "HOMEPATH" => "~",
                "TEMP" | "TMP" => "C:/Windows/Temp",
                "SYSTEMROOT" | "WINDIR" => "C:/Windows",
                "SYSTEMDRIVE" => "C:",
                "APPDATA" | "LOCALAPPDATA" => "~/AppData",
                "PROGRAMFILES" => "C:/Program Files",
                _ => return None,
            };
            return Some(normalise(scene, &format!("{place}{}", rest.replace('\\', "/"))));
        }
        [b'\\', b'\\', ..] => return Some(text.replace('\\', "/")),
        _ => return None,
    };
    let root = format!("{}:/", char::from(drive));
    Some(joined(&root, &text[2..].replace('\\', "/")))
}

/// `base` with the parts of `tail` appended; `..` takes one away and stays where there is nothing to take.
fn joined(base: &str, tail: &str) -> String {
    let mut path = String::with_capacity(base.len() + tail.len() + 1);
    path.push_str(base);
    // What `..` may not take away: `/`, `C:/`.
    let floor = if base.starts_with('/') {
        1
    } else if base.get(1..3) == Some(":/") {
        3
    } else {
        0
    };
    while path.len() > floor && path.ends_with('/') {
        path.pop();
    }
    if floor == 1 && base.contains("/.") || base.contains("//") {
        let whole = std::mem::replace(&mut path, "/".to_owned());
        push_parts(&mut path, &whole, floor);
    }
    push_parts(&mut path, tail, floor);
    if path.is_empty() {
        path.push('.');
    }
    // `./~` is a thing of that name in a folder that is not known, not a home.
    if base.is_empty() && path.starts_with('~') {
        path.insert_str(0, "./");
    }
    path
}

fn push_parts(path: &mut String, tail: &str, floor: usize) {
    for part in tail.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                let start = path.rfind('/').map_or(0, |at| at + 1);
                let last = &path[start..];
                if floor > 0 && path.len() <= floor {
                    // `/..` is `/`.
                } else if floor == 0 && (last.is_empty() || last == "..") {
                    push_part(path, "..");
                } else if last.starts_with('~') && start == 0 {
                    // Above a home folder that is not known: all homes.
                    path.clear();
                    path.push_str("/home");
                } else {
                    path.truncate(start.saturating_sub(1).max(floor));
                }
            }
            name => push_part(path, name),
        }
    }
}

/// Whether a path goes up to the root of the file system by `..`, and down again somewhere else.
pub(super) fn climbs(scene: &Scene<'_>, text: &str) -> bool {
    if memchr::memmem::find(text.as_bytes(), b"..").is_none() {
        return false;
    }
    let (mut depth, mut left) = match scene.absolute_cwd().filter(|_| !text.starts_with('/')) {
        _ if text.starts_with('/') => (0_usize, false),
        Some(cwd) if !text.starts_with('~') => (cwd.split('/').filter(|part| !part.is_empty()).count(), false),
        _ => return false,
    };
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                left |= depth == 1;
                depth = depth.saturating_sub(1);
            }
            _ if left && depth == 0 => return true,
            _ => depth += 1,
        }
    }
    false
}

fn push_part(path: &mut String, part: &str) {
    if !path.is_empty() && !path.ends_with('/') {
        path.push('/');
    }
    path.push_str(part);
}
