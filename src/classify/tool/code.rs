//! Arguments that are code: SQL, shell, GraphQL, the rest of a program's command line.

use serde_json::Value;

use crate::classify::{Language, Scene, http, naming};
use crate::model::{CodeOrigin, Extent, GapKind, Hides, Operation, Resource, ResourceKind};

use super::{Call, known};

/// Arguments that are code are classified as what they are.
pub(super) fn run(scene: &mut Scene<'_>, call: &Call<'_>) -> bool {
    let mut found = false;
    for (key, value) in &call.arguments.values {
        let plain = key.to_ascii_lowercase();
        match value {
            Value::String(text) if text.is_empty() => {}
            Value::String(text) if is_code_key(&plain) && starts_as_mutation(text) => {
                let url = call.word(super::placed::address(call).unwrap_or("graphql"));
                let body = http::Body { present: true, text: Some(text), ..http::Body::default() };
                let by = call.name.whole;
                http::request(scene, &http::Request { method: "POST", url: &url, body, span: call.span(text), by });
                return true;
            }
            Value::String(text)
                if plain.contains("sql")
                    || is_code_key(&plain)
                        && (starts_as_sql(text) || call.dialect().is_some() && text.contains(' ')) =>
            {
                call.code(scene, Language::Sql, text);
                found = true;
            }
            Value::Array(items) if plain.contains("sql") || plain == "statements" || plain == "queries" => {
                for text in items.iter().filter_map(Value::as_str).filter(|text| starts_as_sql(text)) {
                    call.code(scene, Language::Sql, text);
                    found = true;
                }
            }
            _ => {}
        }
    }
    if !found && let Some(code) = program(scene, call) {
        call.code(scene, Language::Shell, &code);
        return true;
    }
    let given = |names: &[&str]| matches!(call.arguments.get(names), Some(Value::String(_) | Value::Array(_)));
    if !found && let Some((language, code)) = spoken(call) {
        call.code(scene, language, code);
        return true;
    }
    // What a container is told to run is its own business: `tool/program.rs` reads it as `docker run`.
    let inside = given(&["image", "image_name"]);
    let shell = !inside && given(&["command", "cmd", "script", "shell_command", "commands"])
        || is_terminal(call) && given(&["input", "code"]);
    if !found && shell && !names_no_code(call) {
        known::shell(scene, call, false);
        found = true;
    }
    found
}

/// Code in a language that nobody here reads could do anything.
pub(super) fn unread(scene: &mut Scene<'_>, call: &Call<'_>, code: &str) {
    let mut effect = call.effect(Operation::Execute, Resource::new(ResourceKind::Code, call.name.last), Extent::One);
    effect.code = Some(CodeOrigin::Elsewhere);
    scene.effect(effect);
    scene.gap(GapKind::HiddenCode, Hides::Anything, call.span(code), code);
}

/// `execute_anonymous_apex {"code": …}`: a tool that runs what it is given, and does not say in which language that is.
pub(super) fn unspoken<'a>(call: &'a Call<'_>) -> Option<&'a str> {
    let runs = naming::words(call.name.last)
        .iter()
        .any(|word| matches!(&**word, "execute" | "exec" | "run" | "eval" | "evaluate" | "invoke"));
    let code = call.arguments.text(&["code", "script", "source", "source_code", "apex", "macro", "program"])?;
    let is_code = code.contains(['(', ';', '{', '[', '=', '\n']);
    (runs && is_code).then_some(code)
}

/// `terminal_run {"input": …}`, `ssh.exec`: what such a tool is given is typed into a shell.
pub(super) fn is_terminal(call: &Call<'_>) -> bool {
    naming::words(call.name.whole)
        .iter()
        .any(|word| matches!(&**word, "terminal" | "shell" | "bash" | "zsh" | "console" | "cli" | "ssh" | "tmux"))
}

/// `powershell_exec {"code": …}`, `browser_run_code {"script": …}`: the tool says which language its code is in.
fn spoken<'a>(call: &'a Call<'_>) -> Option<(Language, &'a str)> {
    let words = naming::words(call.name.whole);
    let has = |names: &[&str]| words.iter().any(|word| names.contains(&&**word));
    let language = match () {
        () if has(&["powershell", "pwsh"]) => Language::PowerShell,
        () if has(&["python", "py", "jupyter", "ipython"]) => Language::Python,
        () if has(&["javascript", "js", "browser", "playwright", "puppeteer", "deno"]) => Language::JavaScript,
        () => return None,
    };
    let shell = language == Language::PowerShell;
    let names: &[&str] = if shell {
        &["code", "script", "command", "input"]
    } else {
        &["code", "script", "source", "function", "expression"]
    };
    Some((language, call.arguments.text(names)?))
}

fn starts_as_mutation(text: &str) -> bool {
    let text = text.trim_start();
    text.strip_prefix("mutation").is_some_and(|rest| {
        rest.trim_start().starts_with(|first: char| matches!(first, '{' | '(') || first.is_ascii_alphabetic())
            && text.contains('{')
    })
}

/// `kubectl(args)`, `call_aws(cli_command)`, `kubectl_generic(command: "delete ns x")`: the tool is a program's name,
/// its argument the rest of the command line.
pub(super) fn program(scene: &Scene<'_>, call: &Call<'_>) -> Option<String> {
    const PROGRAMS: &[&str] = &[
        "aws",
        "az",
        "docker",
        "flyctl",
        "gcloud",
        "gh",
        "git",
        "helm",
        "heroku",
        "kubectl",
        "pulumi",
        "redis",
        "rsync",
        "terraform",
        "vercel",
    ];
    const LINES: &[&str] = &["command", "cmd", "args", "arguments", "cli_command", "subcommand", "command_line"];
    let words = naming::words(call.name.last);
    let context = naming::words(call.name.context);
    let named = words.iter().chain(&context).find(|word| PROGRAMS.contains(&&***word))?;
    let line = match call.arguments.get(LINES)? {
        Value::String(text) => text.trim().to_owned(),
        Value::Array(items) => {
            let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            crate::classify::code::quoted(&words)
        }
        _ => return None,
    };
    if line.is_empty() {
        return None;
    }
    let first = line.split(' ').next().unwrap_or("");
    // A whole command line says its program itself, and need not be this one.
    let rest = call.arguments.get(&["args", "arguments", "subcommand"]).is_some();
    let named = if named == "redis" { "redis-cli" } else { named };
    let whole = first == named || !rest && (first.contains('/') || scene.catalog.knows(first));
    Some(if whole { line } else { format!("{named} {line}") })
}

/// Tools that merely name a command of their own (`command: "open"`) take one word and something else besides.
fn names_no_code(call: &Call<'_>) -> bool {
    let one_word = call
        .arguments
        .text(&["command", "cmd"])
        .is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
    one_word && call.arguments.values.len() > 1 && naming::verb(&call.name.last.to_ascii_lowercase()).is_none()
}

fn is_code_key(key: &str) -> bool {
    ["query", "statement", "code", "command", "input", "q", "body", "definition", "migration"]
        .iter()
        .any(|word| key.contains(word))
}

/// Whether a text begins the way SQL statements do, after comments.
pub(in crate::classify) fn starts_as_sql(text: &str) -> bool {
    const VERBS: &[(&str, &[&str])] = &[
        ("select", &[]),
        ("insert", &["into", "overwrite", "ignore"]),
        ("update", &[]),
        ("delete", &["from"]),
        (
            "drop",
            &[
                "table",
                "schema",
                "database",
                "view",
                "index",
                "role",
                "user",
                "function",
                "type",
                "owned",
                "materialized",
                "extension",
                "sequence",
                "trigger",
                "policy",
                "column",
                "warehouse",
                "stage",
                "share",
                "stream",
                "publication",
                "subscription",
                "server",
                "tablespace",
                "keyspace",
                "dictionary",
                "catalog",
                "procedure",
                "event",
            ],
        ),
        ("truncate", &[]),
        ("alter", &[]),
        (
            "create",
            &[
                "table",
                "schema",
                "database",
                "view",
                "index",
                "role",
                "user",
                "function",
                "type",
                "or",
                "unique",
                "materialized",
                "extension",
                "sequence",
                "trigger",
                "policy",
                "temp",
                "temporary",
            ],
        ),
        ("grant", &[]),
        ("revoke", &[]),
        ("merge", &["into"]),
        ("with", &[]),
        ("copy", &[]),
        ("explain", &[]),
        ("begin", &[]),
        ("vacuum", &[]),
        ("call", &[]),
    ];
    let mut rest = text.trim_start();
    loop {
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.split_once('\n').map_or("", |(_, rest)| rest).trim_start();
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, rest)| rest).trim_start();
        } else {
            break;
        }
    }
    let mut words =
        rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').filter(|word| !word.is_empty());
    let Some(first) = words.next() else { return false };
    let Some((verb, seconds)) = VERBS.iter().find(|(verb, _)| first.eq_ignore_ascii_case(verb)) else { return false };
    // Prose begins with such words as well: `update the plan`.
    let second = words.next().unwrap_or("");
    match *verb {
        "update" => rest.to_ascii_lowercase().contains(" set "),
        "select" | "with" | "truncate" | "alter" | "grant" | "revoke" | "copy" | "explain" | "call" => {
            !second.is_empty() || rest.contains('*')
        }
        "begin" | "vacuum" => true,
        _ => seconds.iter().any(|word| second.eq_ignore_ascii_case(word)),
    }
}
