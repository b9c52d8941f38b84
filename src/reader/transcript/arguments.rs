//! From a tool call's arguments to the text a person would read: `{"command":"ls"}` is `ls`,
//! `{"file_path":"/a","content":"…"}` is `/a`, everything else is its own compact JSON.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::line::is_json;
use super::told::whole;

/// Arguments that are code; a call with exactly one of them is that code.
const CODE: &[&str] = &["command", "cmd", "script", "sql", "query", "code"];
/// Arguments that say which thing is meant, best first.
const TARGET: &[&str] =
    &["file_path", "path", "notebook_path", "absolute_path", "dir_path", "filename", "url", "uri", "pattern", "glob"];
/// Where a command is to run.
const FOLDER: &[&str] = &["workdir", "cwd", "directory", "dir_path", "working_directory"];

/// What a call's arguments say at a glance.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments<'a> {
    pub(crate) text: Cow<'a, str>,
    /// The text is a command, and this is the folder it asks to run in.
    pub(crate) folder: Option<String>,
}

/// Reads the text out of arguments given as JSON text.
pub(crate) fn arguments(json: &str) -> Arguments<'_> {
    let plain = |text| Arguments { text, folder: None };
    match serde_json::from_str::<Named<'_>>(json) {
        Ok(named) => named.arguments(json),
        Err(_) => match serde_json::from_str::<&RawValue>(json) {
            Ok(value) => plain(string(value).unwrap_or_else(|| compact(json))),
            // Not even JSON (a model can write what it likes): shown as it is.
            Err(_) => plain(Cow::Borrowed(json)),
        },
    }
}

/// Arguments as JSON: most often they stand in a string that is JSON text itself.
pub(crate) fn unwrapped(stated: Option<&RawValue>) -> Cow<'_, str> {
    let Some(stated) = stated.filter(|stated| stated.get() != "null") else { return "".into() };
    match whole(Some(stated)) {
        Some(text) if text.trim_start().starts_with(['{', '[']) && is_json(&text) => text.into(),
        Some(text) if text.is_empty() => "{}".into(),
        _ => stated.get().into(),
    }
}

/// The words of an argv as one shell line. A script handed to a shell (`bash -lc X`) is that script; PowerShell stays
/// as it is, because its scripts are not to be read as those of a POSIX shell.
pub(crate) fn shell_words(words: &[String]) -> String {
    if let [shell, flags, script] = words
        && let name = shell.rsplit('/').next().unwrap_or_default()
        && matches!(name, "bash" | "sh" | "zsh" | "dash" | "ksh")
        && matches!(flags.as_str(), "-c" | "-lc" | "-ic" | "-lic" | "-ilc")
    {
        return script.clone();
    }
    let mut line = String::new();
    for word in words {
        if !line.is_empty() {
            line.push(' ');
        }
        push_quoted(&mut line, word);
    }
    line
}

/// The arguments that matter, by their names.
#[derive(Default)]
struct Named<'a> {
    code: Option<(&'static str, &'a RawValue)>,
    /// How many arguments are code.
    codes: usize,
    words: Option<&'a RawValue>,
    /// Rank in [`TARGET`], value.
    target: Option<(usize, &'a RawValue)>,
    folder: Option<(usize, &'a RawValue)>,
}

impl<'a> Named<'a> {
    fn arguments(self, json: &'a str) -> Arguments<'a> {
        let plain = |text| Arguments { text, folder: None };
        if self.codes == 1
            && let Some((name, value)) = self.code
            && let Some(text) = code_text(value, self.words)
        {
            let is_command = matches!(name, "command" | "cmd" | "script");
            let folder = self.folder.filter(|_| is_command).and_then(|(_, folder)| string(folder));
            return Arguments { text, folder: folder.map(Cow::into_owned).filter(|folder| !folder.is_empty()) };
        }
        match self.target.and_then(|(_, target)| string(target)) {
            Some(text) if self.codes == 0 => plain(text),
            _ => plain(compact(json)),
        }
    }

    fn take(&mut self, name: &str, value: &'a RawValue) {
        let shape = value.get().as_bytes().first();
        let is_text = shape == Some(&b'"');
        if let Some(code) = CODE.iter().find(|code| **code == name) {
            if is_text || shape == Some(&b'[') {
                self.code = Some((code, value));
                self.codes += 1;
            }
            return;
        }
        if name == "args" {
            self.words = Some(value);
        }
        for (names, best) in [(TARGET, &mut self.target), (FOLDER, &mut self.folder)] {
            if is_text
                && let Some(rank) = names.iter().position(|known| *known == name)
                && best.is_none_or(|(other, _)| rank < other)
            {
                *best = Some((rank, value));
            }
        }
    }
}

fn code_text<'a>(value: &'a RawValue, words: Option<&RawValue>) -> Option<Cow<'a, str>> {
    let list = |value: &RawValue| serde_json::from_str::<Vec<String>>(value.get()).ok();
    if let Some(argv) = list(value) {
        return Some(Cow::Owned(shell_words(&argv)));
    }
    let program = string(value)?;
    match words.and_then(list) {
        // A program with its words beside it: without them the text would say something else.
        Some(words) if !words.is_empty() => Some(Cow::Owned(format!("{program} {}", shell_words(&words)))),
        _ => Some(program),
    }
}

fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    let inner = value.get().strip_prefix('"')?.strip_suffix('"')?;
    match memchr::memchr(b'\\', inner.as_bytes()) {
        None => Some(Cow::Borrowed(inner)),
        Some(_) => serde_json::from_str(value.get()).ok().map(Cow::Owned),
    }
}

/// JSON text without the white space between its tokens.
fn compact(json: &str) -> Cow<'_, str> {
    let (mut in_string, mut escaped) = (false, false);
    // Where what is not copied yet begins; nothing is copied as long as there is no white space to leave out.
    let (mut kept, mut from) = (String::new(), 0);
    for (at, byte) in json.bytes().enumerate() {
        if in_string {
            (in_string, escaped) = (escaped || byte != b'"', !escaped && byte == b'\\');
        } else if byte == b'"' {
            in_string = true;
        } else if matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
            kept.push_str(json.get(from..at).unwrap_or_default());
            from = at + 1;
        }
    }
    if from == 0 {
        return Cow::Borrowed(json);
    }
    kept.push_str(json.get(from..).unwrap_or_default());
    Cow::Owned(kept)
}

fn push_quoted(line: &mut String, word: &str) {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        line.push_str(word);
        return;
    }
    line.push('\'');
    line.push_str(&word.replace('\'', r"'\''"));
    line.push('\'');
}

struct NamedVisitor;

impl<'de> Visitor<'de> for NamedVisitor {
    type Value = Named<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of arguments")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<'de>, A::Error> {
        let mut named = Named::default();
        while let Some(name) = map.next_key::<super::Word<'de>>()? {
            let name = name.text();
            if name == "args" || [CODE, TARGET, FOLDER].iter().any(|names| names.contains(&name)) {
                let value = map.next_value()?;
                named.take(name, value);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(named)
    }
}

impl<'de> Deserialize<'de> for Named<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NamedVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, text: &str) {
        assert_eq!(arguments(json).text, text);
    }

    #[test]
    fn one_code_argument_is_the_text() {
        check(r#"{"command":"ls -l \"a b\"","description":"look"}"#, r#"ls -l "a b""#);
        check(r#"{"sql":"SELECT 1","path":"/tmp/x.db"}"#, "SELECT 1");
        check(r#"{"command":["bash","-lc","a && b"]}"#, "a && b");
        check(r#"{"command":["rm","-r","my dir"]}"#, "rm -r 'my dir'");
        check(r#"{"command":["powershell.exe","-Command","rm x"]}"#, "powershell.exe -Command 'rm x'");
        check(r#"{"command":"git","args":["push","--force"]}"#, "git push --force");
        check(r#"{"command": "a", "code": "b"}"#, r#"{"command":"a","code":"b"}"#);
    }

    #[test]
    fn else_the_thing_it_is_about_else_all_of_it() {
        check(r#"{"pattern":"TODO","path":"src"}"#, "src");
        check(r#"{"url":"https://example.org/"}"#, "https://example.org/");
        check(r#"{ "shell_id" : "a \" b",  "n": [1, 2] }"#, r#"{"shell_id":"a \" b","n":[1,2]}"#);
        check(r#""*** Begin Patch\n""#, "*** Begin Patch\n");
        check("not json at all", "not json at all");
    }

    #[test]
    fn a_command_says_where_it_runs() {
        let folder = |json| arguments(json).folder;
        assert_eq!(folder(r#"{"cmd":"ls","workdir":"/srv"}"#).as_deref(), Some("/srv"));
        assert_eq!(folder(r#"{"query":"x","path":"/srv","directory":"/y"}"#), None);
    }
}
