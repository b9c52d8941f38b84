//! Slips in the word that says what is meant: a path, a pattern, an id.

use std::ops::Range;

use super::{Edits, Site};
use crate::model::{Kind, ResourceKind};

/// Below these everything comes and goes: that they are hit as a whole is no news.
const PASSING: &[&str] = &["tmp", "dev", "proc", "sys", "run"];
/// What a root has, too: `./etc` is one dot away from it.
const OF_ROOT: &[&str] =
    &["bin", "boot", "dev", "etc", "home", "lib", "lib64", "mnt", "opt", "root", "sbin", "srv", "usr", "var", "Users"];
/// Variables that every session has.
const ALWAYS_SET: &[&str] = &["HOME", "PWD", "?", "$", "#", "!", "@", "*", "-", "0", "_"];

/// The bytes of a word that stand outside of quotes and escapes.
fn bare(raw: &str) -> impl Iterator<Item = (usize, u8)> {
    let mut quote = 0;
    let mut escaped = false;
    raw.bytes().enumerate().filter(move |(_, byte)| {
        let plain = quote == 0 && !escaped && !matches!(byte, b'\'' | b'"' | b'\\');
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quote != b'\'' => escaped = true,
            b'\'' | b'"' if quote == 0 => quote = *byte,
            _ if *byte == quote => quote = 0,
            _ => {}
        }
        plain
    })
}

fn insert_space(edits: &mut Edits<'_>, at: usize) {
    edits.make(&[(at..at, " ")]);
}

/// `/usr/lib/x` -> `/usr /lib/x`, `/usr/lib /x`; `~/x` -> `~ /x`.
pub(super) fn space(site: &Site<'_>, edits: &mut Edits<'_>) {
    if !site.said().contains('/') || site.is_placed() {
        return;
    }
    for (word, raw) in site.targets() {
        let home = raw.starts_with("~/") || raw.starts_with("$HOME/") || raw.starts_with("${HOME}/");
        let mut parts = raw.strip_prefix('/').unwrap_or_default().split('/');
        let first = parts.next().unwrap_or_default();
        let passing = PASSING.contains(&first) || first == "var" && parts.next() == Some("tmp");
        if !home && (first.is_empty() || passing) {
            continue;
        }
        let slashes = bare(raw).filter(|(at, byte)| *byte == b'/' && *at > 0 && raw.len() > at + 1);
        for (at, _) in slashes.take(if home { 1 } else { 2 }) {
            insert_space(edits, word.at.start + at);
        }
    }
}

/// The one star of the last part of a path, and where that part begins.
fn star(raw: &str) -> Option<(usize, usize)> {
    let last = raw.rfind('/').map_or(0, |at| at + 1);
    let mut stars = bare(raw).filter(|(at, byte)| *byte == b'*' && *at >= last);
    let (at, _) = stars.next()?;
    stars.next().is_none().then_some((last, at))
}

/// `build/*` -> `build/ *`, `tmp*` -> `tmp *`, `*.o` -> `* .o`.
pub(super) fn star_space(site: &Site<'_>, edits: &mut Edits<'_>) {
    if !site.said().contains('*') {
        return;
    }
    for (word, raw) in site.targets() {
        let Some((last, at)) = star(raw) else { continue };
        if at > 0 && at + 1 == raw.len() {
            insert_space(edits, word.at.start + at);
        } else if at == last && at + 1 < raw.len() {
            insert_space(edits, word.at.start + at + 1);
        }
    }
}

/// `tmp*` -> `*`.
pub(super) fn star_prefix_lost(site: &Site<'_>, edits: &mut Edits<'_>) {
    if !site.said().contains('*') {
        return;
    }
    for (word, raw) in site.targets() {
        let Some((last, at)) = star(raw) else { continue };
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if at > last && raw[last..at].bytes().all(letters) {
            edits.make(&[(word.at.start + last..word.at.start + at, "")]);
        }
    }
}

/// `"D:\AI Projects\x"` -> `D:\AI Projects\x`.
pub(super) fn quotes_lost(site: &Site<'_>, edits: &mut Edits<'_>) {
    if !site.text.contains(['"', '\'']) {
        return;
    }
    for (word, raw) in site.targets() {
        let Some(open) = raw.find(['"', '\'']) else { continue };
        let quote = &raw[open..=open];
        let Some(close) = raw[open + 1..].rfind(quote).map(|at| open + 1 + at) else { continue };
        let inside = &raw[open + 1..close];
        // Other signs would make it another command, which nobody would take for a slip.
        if inside.contains(' ') && !inside.contains(['"', '\'', '`', '(', ')', ';', '|', '&', '<', '>', '\n']) {
            let (open, close) = (word.at.start + open, word.at.start + close);
            edits.make(&[(open..open + 1, ""), (close..close + 1, "")]);
        }
    }
}

/// `./~/` -> `~/`.
pub(super) fn dot_slash_lost(site: &Site<'_>, edits: &mut Edits<'_>) {
    if !site.said().contains('~') {
        return;
    }
    for (word, raw) in site.targets() {
        if raw.starts_with("./~") {
            edits.make(&[(word.at.start..word.at.start + 2, "")]);
        }
    }
}

/// `./*` -> `/*`, `./usr/x` -> `/usr/x`.
pub(super) fn dot_lost(site: &Site<'_>, edits: &mut Edits<'_>) {
    if memchr::memmem::find(site.text.as_bytes(), b"./").is_none() {
        return;
    }
    for (word, raw) in site.targets() {
        let Some(rest) = raw.strip_prefix("./") else { continue };
        let first = rest.split('/').next().unwrap_or_default();
        if first == "*" && site.surface == Kind::Shell || OF_ROOT.contains(&first) {
            edits.make(&[(word.at.start..word.at.start + 1, "")]);
        }
    }
}

/// `"$DIR/"*` -> `"/"*`, `${X}/foo` -> `/foo`, `/srv/$X` -> `/srv/`.
pub(super) fn variable_empty(site: &Site<'_>, edits: &mut Edits<'_>) {
    if !site.text.contains('$') {
        return;
    }
    for (word, raw) in site.targets() {
        let found = expansions(raw);
        let open: Vec<Range<usize>> =
            found.into_iter().filter(|(_, name)| can_be_empty(site, name)).map(|(range, _)| range).take(4).collect();
        if open.is_empty() {
            continue;
        }
        let without = |gone: &[Range<usize>]| {
            let kept = raw.char_indices().filter(|(at, _)| !gone.iter().any(|range| range.contains(at)));
            kept.map(|(_, letter)| letter).filter(|letter| !matches!(letter, '"' | '\'')).collect::<String>()
        };
        let mut make = |gone: &[Range<usize>]| {
            let left = without(gone);
            if left.starts_with('/') || left.ends_with('/') || matches!(&*left, "*" | "/*" | "~") {
                let start = word.at.start;
                let all: Vec<_> = gone.iter().map(|range| (start + range.start..start + range.end, "")).collect();
                edits.make(&all);
            }
        };
        for one in &open {
            make(std::slice::from_ref(one));
        }
        if open.len() > 1 {
            make(&open);
        }
    }
}

/// Where `$NAME` and `${NAME}` stand outside of single quotes; `${NAME:?}` and its like say themselves what happens.
fn expansions(raw: &str) -> Vec<(Range<usize>, &str)> {
    let bytes = raw.as_bytes();
    let mut found = Vec::new();
    let (mut at, mut double) = (0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => {
                double = !double;
                at += 1;
            }
            b'\'' if !double => {
                at = memchr::memchr(b'\'', &bytes[at + 1..]).map_or(bytes.len(), |end| at + end + 2);
            }
            b'$' => {
                let braces = bytes.get(at + 1) == Some(&b'{');
                let start = at + 1 + usize::from(braces);
                let letters = bytes[start.min(bytes.len())..]
                    .iter()
                    .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                    .count();
                // Of `$12` only the first digit is the name.
                let digit = !braces && bytes.get(start).is_some_and(u8::is_ascii_digit);
                let end = start + if digit { 1 } else { letters };
                if end > start && (!braces || bytes.get(end) == Some(&b'}')) {
                    found.push((at..end + usize::from(braces), &raw[start..end]));
                }
                at = end.max(at + 1);
            }
            _ => at += 1,
        }
    }
    found
}

/// Not what every session has, what the same text sets, or what the shell stops for.
fn can_be_empty(site: &Site<'_>, name: &str) -> bool {
    if ALWAYS_SET.contains(&name) {
        return false;
    }
    let before = &site.text[..site.span().map_or(0, |span| span.start)];
    let strict = ["set -u", "set -eu", "set -euo", "set -ue", "set -o nounset"];
    if strict.iter().any(|set| before.contains(set)) {
        return false;
    }
    let sets = |(at, _): (usize, &str)| {
        let free = before[..at].chars().next_back().is_none_or(|letter| !letter.is_alphanumeric() && letter != '_');
        let rest = &before[at + name.len()..];
        let value = rest.strip_prefix('=').map(|value| value.trim_start_matches(['"', '\'']));
        let literal = value
            .and_then(|value| value.chars().next())
            .is_some_and(|first| !matches!(first, '$' | '`' | '"' | '\'' | ';' | '&') && !first.is_whitespace());
        let loops = rest.trim_start().starts_with("in ") && before[..at].trim_end().ends_with("for");
        free && (literal || loops)
    };
    !before.match_indices(name).any(sets)
}

/// `a/b/c` -> `a/b`.
pub(super) fn parent_folder(site: &Site<'_>, edits: &mut Edits<'_>) {
    if is_path(site) && !site.is_placed() {
        parents(site, edits, false);
    }
}

/// `s3://bucket/a/b` -> `s3://bucket/a`, `s3://bucket`; `shop/api` -> `shop`.
pub(super) fn parent_id(site: &Site<'_>, edits: &mut Edits<'_>) {
    // Names of branches have slashes, and what is before one is no parent.
    let flat =
        matches!(site.effect.resource.kind, ResourceKind::Branch | ResourceKind::Repository | ResourceKind::Image);
    if !is_path(site) && !flat {
        parents(site, edits, true);
    }
}

fn is_path(site: &Site<'_>) -> bool {
    use ResourceKind as K;
    let kind = site.effect.resource.kind;
    let path = matches!(kind, K::File | K::Folder | K::Log | K::Backup);
    path && !site.said().contains("://")
}

fn parents(site: &Site<'_>, edits: &mut Edits<'_>, id: bool) {
    if !site.said().contains(['/', '\\']) {
        return;
    }
    for (word, raw) in site.targets() {
        let windows = raw.contains(":\\");
        let separators: &[char] = if windows { &['/', '\\'] } else { &['/'] };
        // What comes before the first part of an address, or of a path.
        let scheme = raw.find("://").map(|at| at + 3);
        let trimmed = raw.trim_end_matches(['"', '\'']);
        let closing = &raw[trimmed.len()..];
        let body = trimmed.strip_suffix(separators).unwrap_or(trimmed);
        let tail = &trimmed[body.len()..];
        let Some(cut) = body.rfind(separators).filter(|cut| scheme.is_none_or(|scheme| *cut > scheme)) else {
            continue;
        };
        let last = &body[cut + 1..];
        // A star is no part of its own, and quotes that close in it would be left open.
        if last.is_empty() || last.bytes().all(|byte| byte == b'*') || last.contains(['"', '\'', '`', '(', ')']) {
            continue;
        }
        let kept = &body[..cut];
        // `of=./x`
        let bare = kept.rsplit('=').next().unwrap_or(kept).trim_start_matches(['"', '\'']);
        let start = word.at.start;
        let end = start + trimmed.len() - tail.len();
        match bare {
            // The working folder and the one above it: programs refuse them.
            "." | ".." => continue,
            "" => edits.make(&[(start + cut + 1..start + trimmed.len(), "")]),
            _ if bare.ends_with(':') => edits.make(&[(start + cut + 1..start + trimmed.len(), "")]),
            // A name in front of quotes that open in the part that goes.
            _ if closing.len() > 1 => continue,
            _ => edits.make(&[(start + cut..end, "")]),
        }
        let top = scheme.filter(|_| id).and_then(|scheme| Some(scheme + body[scheme..].find('/')?));
        if let Some(top) = top.filter(|top| *top < cut) {
            edits.make(&[(start + top..end, "")]);
        }
    }
}
