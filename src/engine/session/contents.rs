//! Files whose content a result showed: what a session has read it may run later.

use std::sync::Arc;

use crate::classify::{LAST_PLAN, LAST_PREVIEW, is_recipe, is_shell_script};
use crate::model::{Action, Content, Effect, Given, Kind, Operation, ResourceKind, Understanding};

/// Longer results are not kept.
const MAX_TEXT: usize = 64 * 1024;
/// Programs that show a file, or the part of it that is asked for, as it is.
const SHOWS: &[&str] =
    &["cat", "bat", "batcat", "head", "sed", "less", "more", "nl", "type", "gc", "Get-Content", "jq", "grep"];

/// The file that the result of this action shows, with its text.
pub(super) fn shown(
    action: &Action,
    understood: &Understanding,
    cwd: Option<&str>,
) -> Option<(Given, Option<Arc<Content>>)> {
    let output = action.outcome.output.as_deref()?;
    if output.trim().is_empty() || output.len() > MAX_TEXT {
        return None;
    }
    let Some(effect) = only(understood) else {
        let looks = |effect: &&Effect| effect.operation == Operation::List && is_plan(&effect.by);
        let by = &understood.effects.iter().find(looks)?.by;
        let name = if by.starts_with("pulumi") { LAST_PREVIEW } else { LAST_PLAN };
        let path = cwd.map_or_else(|| name.to_owned(), |folder| format!("{}/{name}", folder.trim_end_matches('/')));
        return Some((Given::File(path.into()), Some(Arc::new(Content::of_text(output)))));
    };
    let plan = is_plan(&effect.by);
    let resource = &effect.resource;
    let shows = action.kind == Kind::Tool || SHOWS.contains(&&*effect.by);
    if resource.unresolved || resource.name.is_empty() || !(plan || shows) {
        return None;
    }
    let text = if plan { output.to_owned() } else { unnumbered(output) };
    let script = !plan && is_shell_script(&resource.name, &text);
    if !plan && !script && !is_recipe(&resource.name) {
        return None;
    }
    let content = Content { shown: script, ..Content::of_text(text) };
    Some((Given::File((&*resource.name).into()), Some(Arc::new(content))))
}

/// The plans that no longer say what would happen: what they were made from was changed. A plan in a file of its own is
/// carried out as it is.
pub(super) fn outdated(understood: &Understanding) -> impl Iterator<Item = &'static str> {
    const SOURCES: &[(&[&str], &str)] = &[
        (&[".tf", ".tfvars", ".tf.json", ".tfvars.json", ".hcl"], LAST_PLAN),
        (&[".ts", ".py", ".go", ".cs", ".java", ".yaml", ".yml", ".js"], LAST_PREVIEW),
    ];
    let changes = |effect: &&Effect| {
        !effect.dry_run
            && effect.resource.kind == ResourceKind::File
            && matches!(
                effect.operation,
                Operation::Create | Operation::Update | Operation::Delete | Operation::Drop | Operation::Rewrite
            )
    };
    let changed = move |endings: &[&str]| {
        let is = |effect: &Effect| endings.iter().any(|ending| effect.resource.name.ends_with(ending));
        understood.effects.iter().filter(changes).any(is)
    };
    SOURCES.iter().filter(move |(endings, _)| changed(endings)).map(|(_, plan)| *plan)
}

/// A plan says in its result what carrying it out would do.
fn is_plan(by: &str) -> bool {
    let verb = by.split_once(' ').map_or("", |(_, verb)| verb);
    by.starts_with("terraform ") && matches!(verb, "plan" | "show")
        || by.starts_with("pulumi ") && matches!(verb, "preview" | "pre")
}

/// The one file that the action reads, or plans into, when it does nothing else.
fn only(understood: &Understanding) -> Option<&Effect> {
    let file = |effect: &&Effect| {
        effect.resource.kind == ResourceKind::File
            && (effect.operation == Operation::Read || effect.operation == Operation::Create && is_plan(&effect.by))
    };
    let mut files = understood.effects.iter().filter(file);
    let first = files.next()?;
    let looks = |effect: &Effect| matches!(effect.operation, Operation::Read | Operation::List | Operation::Create);
    // Of two files nobody knows which of them a line is from. A plan that is shown again is the same plan.
    let same = files.all(|other| other.resource.name == first.resource.name);
    (same && understood.effects.iter().all(looks)).then_some(first)
}

/// The text without the numbers that tools put before lines: `     1\t`, `12: `, `3→`, `00012| `.
fn unnumbered(output: &str) -> String {
    let lines: Vec<&str> = output.lines().collect();
    let bare: Vec<&str> = lines.iter().filter_map(|line| behind_number(line)).collect();
    if bare.is_empty() || bare.len() * 10 < lines.len() * 6 { output.to_owned() } else { bare.join("\n") }
}

fn behind_number(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = line.get(digits..).filter(|_| digits > 0)?;
    rest.strip_prefix(['\t', '→'])
        .or_else(|| rest.strip_prefix("| "))
        .or_else(|| rest.strip_prefix(": "))
        .or_else(|| (rest == ":" || rest == "|").then_some(""))
}

#[cfg(test)]
mod tests {
    use super::unnumbered;

    #[test]
    fn numbers_of_lines_are_no_text() {
        assert_eq!(unnumbered("     1\tall:\n     2\t\tls\n     3\t"), "all:\n\tls\n");
        assert_eq!(unnumbered("<file>\n00001| a\n00002| b\n00003| c\n</file>"), "a\nb\nc");
        assert_eq!(unnumbered("1: a\n2:\n"), "a\n");
        assert_eq!(unnumbered("{\n  \"a\": 1\n}"), "{\n  \"a\": 1\n}");
    }
}
