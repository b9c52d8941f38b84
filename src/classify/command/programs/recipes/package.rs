//! The scripts that stand in `package.json`, `composer.json`, `deno.json` and `pyproject.toml`.

use serde_json::Value;

/// What runs by itself when packages are installed, in this order.
const LIFECYCLE: &[&str] = &["preinstall", "install", "postinstall", "prepare"];

/// A script, with what runs before and after it.
pub(super) fn script(text: &str, name: &str) -> Option<String> {
    let main = one(text, name)?;
    let around = |before: &str| one(text, &format!("{before}{name}"));
    let all: Vec<String> = [around("pre"), Some(main), around("post")].into_iter().flatten().collect();
    Some(all.join("\n"))
}

/// What an installation runs.
pub(super) fn lifecycle(text: &str) -> Option<String> {
    let all: Vec<String> = LIFECYCLE.iter().filter_map(|name| one(text, name)).collect();
    (!all.is_empty()).then(|| all.join("\n"))
}

/// A script of `composer.json`: one line or several; `@php` and `@other` are composer's own words.
pub(super) fn composer(text: &str, name: &str) -> Option<String> {
    let package: Value = serde_json::from_str(text).ok()?;
    let line = |value: &Value| {
        let line = value.as_str()?;
        Some(match line.strip_prefix('@') {
            Some(php) if php.starts_with("php ") => php.to_owned(),
            Some(other) if other.starts_with("composer ") => other.to_owned(),
            Some(other) => format!("composer run-script {other}"),
            None => line.to_owned(),
        })
    };
    let lines: Vec<String> = match package.get("scripts")?.get(name)? {
        Value::Array(lines) => lines.iter().filter_map(line).collect(),
        only => line(only).into_iter().collect(),
    };
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// A script of `pyproject.toml`, of whichever tool.
pub(super) fn python(text: &str, name: &str) -> Option<String> {
    let project: toml::Table = toml::from_str(text).ok()?;
    let tools = project.get("tool")?.as_table()?;
    let tables = [
        &["poe", "tasks"][..],
        &["taskipy", "tasks"],
        &["pdm", "scripts"],
        &["rye", "scripts"],
        &["pixi", "tasks"],
        &["hatch", "envs", "default", "scripts"],
    ];
    let found = tables.iter().find_map(|path| {
        let mut at = tools.get(path[0])?;
        for key in &path[1..] {
            at = at.get(key)?;
        }
        at.get(name)
    })?;
    lines_of(found)
}

fn lines_of(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(line) => Some(line.clone()),
        toml::Value::Array(lines) => Some(lines.iter().filter_map(lines_of).collect::<Vec<_>>().join("\n")),
        toml::Value::Table(table) => {
            ["cmd", "shell", "composite", "sequence", "chain"].iter().find_map(|key| lines_of(table.get(*key)?))
        }
        _ => None,
    }
}

/// One script by its name. Where only a part of the file was shown, its line is enough.
fn one(text: &str, name: &str) -> Option<String> {
    if let Ok(package) = serde_json::from_str::<Value>(text) {
        let scripts = ["scripts", "tasks"].iter().find_map(|key| package.get(key)).unwrap_or(&package);
        let found = scripts.get(name)?;
        return found.as_str().or_else(|| found.get("command")?.as_str()).map(str::to_owned);
    }
    let key = serde_json::to_string(name).ok()?;
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix(&*key)?.trim_start().strip_prefix(':'))?;
    let value = line.trim().trim_end_matches(',');
    let script: String = serde_json::from_str(value).ok()?;
    // A dependency of that name has a version there.
    let version = script.trim_start_matches(['^', '~', '>', '<', '=', 'v']).starts_with(|c: char| c.is_ascii_digit());
    (!version && script != "*" && !script.contains(':') | script.contains(' ')).then_some(script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_found_in_whole_files_and_in_parts() {
        let whole = r#"{"scripts":{"prex":"a","x":"b --c","postx":"d"}}"#;
        assert_eq!(script(whole, "x").as_deref(), Some("a\nb --c\nd"));
        let part = "  \"scripts\": {\n    \"x\": \"b --c\",\n    \"jest\": \"^29.1.0\"\n";
        assert_eq!(script(part, "x").as_deref(), Some("b --c"));
        assert_eq!(script(part, "jest"), None);
        assert_eq!(lifecycle(whole), None);
    }

    #[test]
    fn other_languages_have_scripts_too() {
        let text = r#"{"scripts":{"x":["@php artisan x","@y","ls"]}}"#;
        assert_eq!(composer(text, "x").as_deref(), Some("php artisan x\ncomposer run-script y\nls"));
        let text = "[tool.poe.tasks]\nx = \"a\"\ny = { shell = \"b\" }\nz = [\"c\", { cmd = \"d\" }]\n";
        assert_eq!(["x", "y", "z"].map(|name| python(text, name).unwrap()), ["a", "b", "c\nd"]);
    }
}
