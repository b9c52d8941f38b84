//! What a script has listed, fetched and put into variables, for the commands behind.

use std::collections::BTreeMap;

use crate::model::Operation;

use super::flow::Flow;
use super::words::{Parameters, words};

/// What is known between the commands of a script.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Something was fetched by what is piped into the current command.
    pub(super) downloaded: bool,
    /// What the commands before list, for what they are piped into.
    pub(super) listed: Option<String>,
    /// What is piped into the current command, where it is no file.
    pub(super) flow: Option<Flow>,
    pub(super) variables: BTreeMap<String, String>,
    /// `DownloadFile` stands before its brackets.
    pub(super) asking: bool,
    /// `[IO.File]::WriteAllText` stands before its brackets: what it does to the file that it is given.
    pub(super) calling: Option<Operation>,
    /// Files that were fetched.
    pub(super) fetched: Vec<String>,
}

impl State {
    /// Variables replaced where they are known: `$root\old`, `"$($f.FullName)"`, `$_`.
    pub(super) fn filled(&self, word: String) -> String {
        if !word.contains('$') {
            return word;
        }
        let mut text = word;
        if let Some(listed) = &self.listed {
            for name in ["$_.FullName", "$PSItem.FullName", "$_.Path", "$_.Name", "$PSItem", "$_"] {
                text = text.replace(name, listed);
            }
        }
        for (name, path) in PLACES {
            if let Some(at) = text.to_ascii_lowercase().find(name) {
                text.replace_range(at..at + name.len(), path);
            }
        }
        for (name, value) in self.variables.iter().rev() {
            let lower = text.to_ascii_lowercase();
            if let Some(at) = lower.find(&format!("${name}")) {
                let mut end = at + 1 + name.len();
                let rest = &lower[end..];
                if rest.starts_with(|next: char| next.is_alphanumeric() || next == '_') {
                    continue;
                }
                end += [".fullname", ".path"].iter().find(|it| rest.starts_with(**it)).map_or(0, |it| it.len());
                text.replace_range(at..end, value);
            }
        }
        text
    }

    /// Sets variables, or takes what is known of them away; gives back what they were.
    pub(super) fn give(&mut self, values: Vec<(String, Option<String>)>) -> Vec<(String, Option<String>)> {
        let set = |(name, value): (String, Option<String>)| {
            let before = match value {
                Some(value) => self.variables.insert(name.clone(), value),
                None => self.variables.remove(&name),
            };
            (name, before)
        };
        values.into_iter().map(set).collect()
    }

    /// Remembers `$x = 'C:\data'`, `$x = Get-ChildItem C:\data` and `$x in Get-ChildItem C:\data`.
    pub(super) fn bind(&mut self, text: &str) {
        const MOST: usize = 64;
        let Some(rest) = text.strip_prefix('$') else { return };
        let length = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        let (name, rest) = rest.split_at(length);
        let rest = rest.trim_start();
        let Some(value) = rest.strip_prefix('=').or_else(|| rest.strip_prefix("in ")) else { return };
        if name.is_empty() || self.variables.len() >= MOST || value.starts_with('=') {
            return;
        }
        let words: Vec<String> = words(value).into_iter().map(|word| self.filled(word)).collect();
        let name = name.to_ascii_lowercase();
        let found = match words.first() {
            Some(first) if lists(&first.to_ascii_lowercase()) => Some(listing(&Parameters::of(&words))),
            Some(only) if words.len() == 1 && !only.contains('$') && only.len() < 1_024 => Some(only.clone()),
            _ => None,
        };
        match found {
            Some(value) => drop(self.variables.insert(name, value)),
            None => drop(self.variables.remove(&name)),
        }
    }
}

/// Folders that every session knows.
const PLACES: &[(&str, &str)] = &[
    ("$env:userprofile", "~"),
    ("$env:homepath", "~"),
    ("$home", "~"),
    ("$env:appdata", "~/AppData/Roaming"),
    ("$env:localappdata", "~/AppData/Local"),
    ("$env:temp", "/tmp"),
    ("$env:tmp", "/tmp"),
    ("$env:systemroot", "C:/Windows"),
    ("$env:windir", "C:/Windows"),
    ("$env:systemdrive", "C:"),
    ("$env:programfiles", "C:/Program Files"),
    ("$env:programdata", "C:/ProgramData"),
    ("$psscriptroot", "."),
    ("$pwd", "."),
];

pub(super) fn lists(program: &str) -> bool {
    matches!(program, "get-childitem" | "gci" | "ls" | "dir" | "get-item" | "gi")
}

/// What a listing cmdlet names, as a pattern.
pub(super) fn listing(parameters: &Parameters<'_>) -> String {
    let folder = parameters.target();
    let folder = if folder.is_empty() { "." } else { folder };
    let pattern = parameters.named(&["filter", "include"]).or_else(|| parameters.operands.get(1).copied());
    let below = folder.trim_end_matches(['\\', '/']);
    match pattern {
        _ if folder.contains('*') => folder.to_owned(),
        Some(pattern) => format!("{below}/{pattern}"),
        None => format!("{below}/*"),
    }
}
