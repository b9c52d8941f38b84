//! Permission settings: `permissions.allow`, `ask` and `deny` with `Tool` or `Tool(what)`.

use serde_json::Value;

use super::{ImportError, Imported, ImportedRule, Left, is_command, pattern, quoted, slug, starts_with};

pub(super) fn read(text: &str) -> Result<Imported, ImportError> {
    let json: Value = serde_json::from_str(text).map_err(|error| ImportError { problem: error.to_string() })?;
    let permissions = json.get("permissions").and_then(Value::as_object);
    let permissions =
        permissions.ok_or_else(|| ImportError { problem: "there are no `permissions` in it".to_owned() })?;
    let mut found = Imported::default();
    for (key, value) in permissions {
        let decision = match key.as_str() {
            "deny" => "block",
            "ask" => "ask",
            "allow" => "",
            _ => {
                let reason = "it is a setting of the tool, no rule about an action";
                found.left.push(left(text, key, format!("permissions.{key}"), reason));
                continue;
            }
        };
        for entry in value.as_array().into_iter().flatten() {
            let Some(entry) = entry.as_str() else {
                found.left.push(left(text, key, entry.to_string(), "it is no string"));
                continue;
            };
            if decision.is_empty() {
                let reason = "what no rule stops passes here, so an allowance says nothing; what the original asks about \
                              because nothing allows it is not asked about";
                found.left.push(left(text, entry, format!("allow {entry}"), reason));
                continue;
            }
            match rule(entry, decision) {
                Ok(rule) => found.rules.push(rule),
                Err(reason) => found.left.push(left(text, entry, format!("{key} {entry}"), reason)),
            }
        }
    }
    Ok(found)
}

fn left(text: &str, word: &str, original: String, reason: impl Into<String>) -> Left {
    let written = Value::from(word).to_string();
    let line = text.find(&written).map_or(0, |at| 1 + text[..at].matches('\n').count());
    Left { line, original, reason: reason.into() }
}

fn rule(entry: &str, decision: &'static str) -> Result<ImportedRule, &'static str> {
    let (tool, what) = match entry.split_once('(') {
        Some((tool, rest)) => (tool.trim(), rest.strip_suffix(')').ok_or("the bracket is not closed")?.trim()),
        None => (entry.trim(), ""),
    };
    let what = if what == "*" { "" } else { what };
    let mut rule = ImportedRule::new(format!("imported.{}-{}", decision, slug(entry)), decision, entry);
    const WRITES: &str = "action in [Action::\"create\", Action::\"update\", Action::\"delete\", Action::\"drop\", \
                          Action::\"alter\", Action::\"rewrite\"]";
    match tool {
        "Bash" if what.is_empty() => {
            rule.conditions.push(
                "(context.kind == Kind::\"shell\" || context.kind == Kind::\"exec\" || context.by == \"Bash\")"
                    .to_owned(),
            );
            rule.stricter = Some("commands of every actor, not of one tool".to_owned());
        }
        "Bash" => {
            let command = what.strip_suffix(":*").or_else(|| what.strip_suffix(" *")).unwrap_or(what);
            rule.conditions.push(is_command());
            if let Some((first, _)) = command.split_once('*') {
                if first.trim().is_empty() {
                    return Err("a command of which not even the beginning is fixed cannot be told by its words");
                }
                let parts: Vec<String> = command.split('*').map(pattern).collect();
                rule.conditions.push(format!("context.text like \"*{}*\"", parts.join("*")));
            } else {
                rule.conditions.push(starts_with(command.trim()));
            }
            rule.stricter =
                Some("it stops the command wherever it stands in a line, and words that only begin like it".to_owned());
        }
        "Read" | "Edit" | "Write" | "MultiEdit" | "NotebookEdit" | "Glob" | "Grep" | "LS" => {
            let reads = matches!(tool, "Read" | "Glob" | "Grep" | "LS");
            let reading = "action in [Action::\"read\", Action::\"list\", Action::\"export\"]";
            rule.action = Some(if reads { reading } else { WRITES }.to_owned());
            rule.conditions.push(if what.is_empty() {
                "resource is File || resource is Folder".to_owned()
            } else {
                path(what)?
            });
            if what.is_empty() {
                rule.conditions = vec!["(resource is File || resource is Folder)".to_owned()];
            }
            rule.stricter = Some("every way to do it counts, commands too, and a `*` reaches into folders".to_owned());
        }
        "WebFetch" => {
            rule.action = Some("action == Action::\"fetch\"".to_owned());
            let domain = what.strip_prefix("domain:").map(|domain| domain.trim_start_matches("*.").trim());
            rule.conditions.push(match (domain, what.is_empty()) {
                (Some(domain), _) if !domain.is_empty() && !domain.contains('*') => {
                    let domain = pattern(domain);
                    format!(
                        "((context has peer && context.peer like \"*{domain}*\") || resource.name like \"*{domain}*\")"
                    )
                }
                (_, true) => "context has zone && context.zone != Zone::\"local\"".to_owned(),
                _ => return Err("only `domain:NAME` can be said of a fetch"),
            });
            rule.stricter = Some("every fetch counts, by commands too, and names that contain this one".to_owned());
        }
        _ if tool.starts_with("mcp__") && what.is_empty() => {
            let name = tool.trim_end_matches('*');
            let name = name.trim_end_matches("__");
            let by = format!("context.by == {} || context.by like \"{}__*\"", quoted(name), pattern(name));
            rule.conditions.push(if tool.ends_with('*') && !tool.ends_with("__*") {
                format!("context.by like \"{}*\"", pattern(name))
            } else {
                format!("({by})")
            });
        }
        _ if what.is_empty() && tool.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !tool.is_empty() => {
            rule.conditions.push(format!("context.by == {}", quoted(tool)));
        }
        _ => return Err("what stands in the bracket of this tool has no counterpart here"),
    }
    Ok(rule)
}

/// A pattern like those of gitignore: `//` is the root, `~/` the home folder, all others stand somewhere.
fn path(what: &str) -> Result<String, &'static str> {
    if what.starts_with('!') || what.contains(['[', '?', '{']) {
        return Err("of patterns only `*` and `**` can be said");
    }
    let (absolute, rest) = match what.strip_prefix("//") {
        Some(rest) => (true, rest),
        None => (false, what.trim_start_matches("~/").trim_start_matches("./").trim_start_matches('/')),
    };
    if rest.is_empty() {
        return Err("it names everything");
    }
    let mut parts: Vec<String> = rest.split('*').map(pattern).collect();
    parts.dedup_by(|a, b| a.is_empty() && b.is_empty());
    let like = parts.join("*");
    // `**/x` is `x` as well.
    let bare = like.strip_prefix("*/").unwrap_or(&like);
    let whole = like.strip_suffix("/*");
    let mut said = Vec::new();
    if absolute {
        said.push(format!("resource.name like \"/{like}\""));
        said.extend(whole.map(|folder| format!("resource.name like \"/{folder}\"")));
    } else {
        said.push(format!("resource.name like \"*/{bare}\""));
        said.push(format!("resource.name like \"{bare}\""));
        let folder = bare.strip_suffix("/*");
        said.extend(folder.map(|folder| format!("resource.name like \"*/{folder}\"")));
        said.extend(folder.map(|folder| format!("resource.name like \"{folder}\"")));
    }
    // A folder's name stands for all that is in it.
    if !what.ends_with('*') {
        said.push(format!(
            "resource.name like \"{}/*\"",
            if absolute { format!("/{like}") } else { format!("*/{bare}") }
        ));
    }
    Ok(format!("({})", said.join(" || ")))
}
